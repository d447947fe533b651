#include "calibration/rotation_patch.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* Antennas moved outward. */
static nfsar_vec3 moved(const struct rotation_lines *lines, size_t line, nfsar_vec3 antenna,
                        double by) {
    return (nfsar_vec3){antenna.x + by * lines->out_x[line], antenna.y,
                        antenna.z + by * lines->out_z[line]};
}

/* Samples that are turned together: a phasor each, which steps on by all of them. In single
 * precision that loses some 1e-6 over hundreds of samples. */
enum { LANES = 8 };

static void turn_lanes(double first, double step, float re[LANES], float im[LANES]) {
    double complex at = cexp(-I * first), turn = cexp(-I * step);
    for (int i = 0; i < LANES; i++) {
        re[i] = (float)creal(at);
        im[i] = (float)cimag(at);
        at *= turn;
    }
}

/* sum_k s exp(-jk way) and the same weighted by k - k_centre, for uniform wavenumbers; the lines'
 * samples are filled up with zeros to whole LANES. */
MULTIVERSION
static void compress_uniform(const struct rotation_lines *lines, const float *re, const float *im,
                             double way, double complex *sum, double complex *slope) {
    float pr[LANES], pi[LANES], sr[LANES] = {0}, si[LANES] = {0}, wr[LANES] = {0}, wi[LANES] = {0};
    turn_lanes(lines->k[0] * way, lines->k_step * way, pr, pi);
    const double complex turn = cexp(-I * LANES * lines->k_step * way);
    const float tr = (float)creal(turn), ti = (float)cimag(turn);
    for (size_t n = 0; n < lines->pitch; n += LANES) {
        const float *off = lines->k_off + n;
        for (int i = 0; i < LANES; i++) {
            float a = re[n + (size_t)i] * pr[i] - im[n + (size_t)i] * pi[i];
            float b = re[n + (size_t)i] * pi[i] + im[n + (size_t)i] * pr[i];
            sr[i] += a;
            si[i] += b;
            wr[i] += off[i] * a;
            wi[i] += off[i] * b;
            float next = pr[i] * tr - pi[i] * ti;
            pi[i] = pr[i] * ti + pi[i] * tr;
            pr[i] = next;
        }
    }
    *sum = *slope = 0.0;
    for (int i = 0; i < LANES; i++) {
        *sum += CMPLX((double)sr[i], (double)si[i]);
        *slope += CMPLX((double)wr[i], (double)wi[i]);
    }
}

static void compress(const struct rotation_lines *lines, size_t line, double way,
                     double complex *sum, double complex *slope) {
    const float *re = lines->re + line * lines->pitch, *im = lines->im + line * lines->pitch;
    if (lines->k_step != 0.0) {
        compress_uniform(lines, re, im, way, sum, slope);
        return;
    }
    *sum = *slope = 0.0;
    for (size_t i = 0; i < lines->n_sample; i++) {
        double complex sample = CMPLX((double)re[i], (double)im[i]);
        double complex term = sample * cexp(-I * lines->k[i] * way);
        *sum += term;
        *slope += (lines->k[i] - lines->k_centre) * term;
    }
}

/* The way from antenna to the patch's middle, and its derivatives there. */
struct way {
    double length, x, z, curvature;
};

static struct way way_to(nfsar_vec3 centre, nfsar_vec3 antenna) {
    nfsar_vec3 d = nfsar_vec3_subtract(centre, antenna);
    double length = nfsar_vec3_norm(d);
    return (struct way){length, d.x / length, d.z / length, 0.5 / length};
}

/* An image in the making. */
struct sums {
    float re[PATCH_VOXELS], im[PATCH_VOXELS];
};

/* At v from the middle the way is longer by g v + q(v): to first order in q and in the band. */
MULTIVERSION
static void add_line(double k, struct way tx, struct way rx, double step, double complex sum,
                     double complex slope, struct sums *sums) {
    float xr[PATCH_SIDE], xi[PATCH_SIDE], zr[PATCH_SIDE], zi[PATCH_SIDE];
    const double gx = k * (tx.x + rx.x) * step, gz = k * (tx.z + rx.z) * step;
    turn_lanes(gx * patch_offset(0), gx, xr, xi);
    turn_lanes(gz * patch_offset(0), gz, zr, zi);
    /* (sum - j k q sum - j way slope) exp(-jkgv) */
    const float mr = (float)creal(sum), mi = (float)cimag(sum);
    const float br = (float)cimag(slope), bi = -(float)creal(slope);
    const float kf = (float)k, f = (float)step;
    const float tx_x = (float)tx.x, tx_z = (float)tx.z, tx_c = (float)tx.curvature;
    const float rx_x = (float)rx.x, rx_z = (float)rx.z, rx_c = (float)rx.curvature;
    for (int j = 0; j < PATCH_SIDE; j++) {
        const float z = f * ((float)j - 0.5f * (PATCH_SIDE - 1));
        float *re = sums->re + j * PATCH_SIDE, *im = sums->im + j * PATCH_SIDE;
        for (int i = 0; i < PATCH_SIDE; i++) {
            const float x = f * ((float)i - 0.5f * (PATCH_SIDE - 1)), square = x * x + z * z;
            const float pt = tx_x * x + tx_z * z, pr = rx_x * x + rx_z * z, p = pt + pr;
            const float q = kf * (tx_c * (square - pt * pt) + rx_c * (square - pr * pr));
            const float vr = mr + q * mi + p * br, vi = mi - q * mr + p * bi;
            const float wr = xr[i] * zr[j] - xi[i] * zi[j], wi = xr[i] * zi[j] + xi[i] * zr[j];
            re[i] += wr * vr - wi * vi;
            im[i] += wr * vi + wi * vr;
        }
    }
}

/* back is added to all ways; NULL: ideal. */
static void make_patch(const struct rotation_lines *lines, double change, const double *back,
                       nfsar_vec3 centre, double step, float complex image[PATCH_VOXELS]) {
    struct sums sums;
    memset(&sums, 0, sizeof sums);
    for (size_t l = 0; l < lines->n; l++) {
        struct way tx = way_to(centre, moved(lines, l, lines->tx[l], change));
        struct way rx = way_to(centre, moved(lines, l, lines->rx[l], change));
        double complex sum = 1.0, slope = 0.0;
        if (back != NULL) {
            compress(lines, l, tx.length + rx.length + *back, &sum, &slope);
        }
        add_line(lines->k_centre, tx, rx, step, sum, slope, &sums);
    }
    for (int i = 0; i < PATCH_VOXELS; i++) {
        image[i] = CMPLXF(sums.re[i], sums.im[i]);
    }
}

void rotation_patch(const struct rotation_lines *lines, struct rotation_trial trial,
                    nfsar_vec3 centre, double step, float complex image[PATCH_VOXELS]) {
    double back = 2.0 * (trial.range_offset - trial.radius_change);
    make_patch(lines, trial.radius_change, &back, centre, step, image);
}

void rotation_patch_ideal(const struct rotation_lines *lines, double radius_change,
                          nfsar_vec3 centre, double step, float complex image[PATCH_VOXELS]) {
    make_patch(lines, radius_change, NULL, centre, step, image);
}

struct rotation_sharpness rotation_patch_sharpness(const float complex image[PATCH_VOXELS]) {
    struct rotation_sharpness s = {0.0, 0.0};
    for (int i = 0; i < PATCH_VOXELS; i++) {
        double re = (double)crealf(image[i]), im = (double)cimagf(image[i]);
        double power = re * re + im * im;
        s.fourth += power * power;
        s.peak = fmax(s.peak, power);
    }
    return s;
}

/* What a way grows by when the scatterer moves along x, z, y, and the pair outward. */
enum { SLOPES = 4 };

static void slopes(const struct rotation_lines *lines, size_t l, nfsar_vec3 at,
                   double out[SLOPES]) {
    nfsar_vec3 t = nfsar_vec3_subtract(at, lines->tx[l]), r = nfsar_vec3_subtract(at, lines->rx[l]);
    double nt = nfsar_vec3_norm(t), nr = nfsar_vec3_norm(r);
    out[0] = t.x / nt + r.x / nr;
    out[1] = t.z / nt + r.z / nr;
    out[2] = t.y / nt + r.y / nr;
    out[3] = -out[0] * lines->out_x[l] - out[1] * lines->out_z[l];
}

double rotation_phase(const struct rotation_lines *lines, nfsar_vec3 at, bool heights) {
    double mean[SLOPES] = {0.0}, covariance[SLOPES][SLOPES] = {{0.0}}, value[SLOPES];
    for (size_t l = 0; l < lines->n; l++) {
        slopes(lines, l, at, value);
        for (int i = 0; i < SLOPES; i++) {
            mean[i] += value[i] / (double)lines->n;
        }
    }
    for (size_t l = 0; l < lines->n; l++) {
        slopes(lines, l, at, value);
        for (int i = 0; i < SLOPES; i++) {
            for (int j = 0; j < SLOPES; j++) {
                covariance[i][j] += (value[i] - mean[i]) * (value[j] - mean[j]) / (double)lines->n;
            }
        }
    }
    /* The residual of a regression on the places: what is left of the last one's variance. */
    for (int k = 0; k < SLOPES - 1; k++) {
        if ((k == 2 && !heights) || covariance[k][k] < 1e-9) {
            continue;
        }
        for (int i = k + 1; i < SLOPES; i++) {
            double factor = covariance[i][k] / covariance[k][k];
            for (int j = k; j < SLOPES; j++) {
                covariance[i][j] -= factor * covariance[k][j];
            }
        }
    }
    return lines->k_centre * sqrt(fmax(covariance[SLOPES - 1][SLOPES - 1], 0.0));
}

double rotation_intensity(const struct rotation_lines *lines, struct rotation_trial trial,
                          nfsar_vec3 at) {
    double complex total = 0.0;
    double back = 2.0 * (trial.range_offset - trial.radius_change);
    for (size_t l = 0; l < lines->n; l++) {
        nfsar_vec3 tx = moved(lines, l, lines->tx[l], trial.radius_change);
        nfsar_vec3 rx = moved(lines, l, lines->rx[l], trial.radius_change);
        double complex sum, slope;
        compress(lines, l, nfsar_vec3_distance(at, tx) + nfsar_vec3_distance(at, rx) + back, &sum,
                 &slope);
        total += sum;
    }
    return creal(total) * creal(total) + cimag(total) * cimag(total);
}

void rotation_patch_strongest(const float complex image[PATCH_VOXELS], double *at_x, double *at_z,
                              double *power) {
    *power = -1.0;
    for (int i = 0; i < PATCH_VOXELS; i++) {
        double re = (double)crealf(image[i]), im = (double)cimagf(image[i]);
        if (re * re + im * im > *power) {
            *power = re * re + im * im;
            *at_x = patch_offset(i % PATCH_SIDE);
            *at_z = patch_offset(i / PATCH_SIDE);
        }
    }
}
