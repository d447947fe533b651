#include "calibration/rotation_patch.h"

#include <complex.h>
#include <math.h>
#include <string.h>

/* Antennas moved outward. */
static nfsar_vec3 moved(const struct rotation_lines *lines, size_t line, nfsar_vec3 antenna,
                        double by) {
    return (nfsar_vec3){antenna.x + by * lines->out_x[line], antenna.y,
                        antenna.z + by * lines->out_z[line]};
}

/* sum_k s exp(-jk way) and the same weighted by k - k_centre. The phasor steps along where the
 * wavenumbers are uniform: over some hundred samples in double precision that loses nothing. */
static void compress(const struct rotation_lines *lines, size_t line, double way,
                     double complex *sum, double complex *slope) {
    const float complex *s = lines->samples + line * lines->n_sample;
    const double *k = lines->k;
    double complex total = 0.0, weighted = 0.0;
    if (lines->k_step != 0.0) {
        double complex phasor = cexp(-I * k[0] * way), turn = cexp(-I * lines->k_step * way);
        for (size_t i = 0; i < lines->n_sample; i++) {
            double complex term = (double complex)s[i] * phasor;
            total += term;
            weighted += (k[i] - lines->k_centre) * term;
            phasor *= turn;
        }
    } else {
        for (size_t i = 0; i < lines->n_sample; i++) {
            double complex term = (double complex)s[i] * cexp(-I * k[i] * way);
            total += term;
            weighted += (k[i] - lines->k_centre) * term;
        }
    }
    *sum = total;
    *slope = weighted;
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

/* Phasors of a row of offsets: exp(-j phase i) for i from -PATCH_HALF to PATCH_HALF. */
static void ramp(double phase, float complex out[PATCH_SIDE]) {
    double complex turn = cexp(-I * phase), at = cexp(I * phase * PATCH_HALF);
    for (int i = 0; i < PATCH_SIDE; i++) {
        out[i] = (float complex)at;
        at *= turn;
    }
}

/* At v from the middle the way is longer by g v + q(v): to first order in q and in the band. */
static void add_line(const struct rotation_lines *lines, struct way tx, struct way rx, double step,
                     double complex sum, double complex slope, float complex *image) {
    float complex along_x[PATCH_SIDE], along_z[PATCH_SIDE];
    double k = lines->k_centre, gx = tx.x + rx.x, gz = tx.z + rx.z;
    ramp(k * gx * step, along_x);
    ramp(k * gz * step, along_z);
    const float complex middle = (float complex)sum, band = (float complex)(-I * slope);
    const float complex bend = (float complex)(-I * k * sum);
    for (int j = 0; j < PATCH_SIDE; j++) {
        double z = step * (j - PATCH_HALF);
        for (int i = 0; i < PATCH_SIDE; i++) {
            double x = step * (i - PATCH_HALF), square = x * x + z * z;
            double pt = tx.x * x + tx.z * z, pr = rx.x * x + rx.z * z;
            float q =
                (float)(tx.curvature * (square - pt * pt) + rx.curvature * (square - pr * pr));
            float complex value = middle + (float)(pt + pr) * band + q * bend;
            image[j * PATCH_SIDE + i] += along_x[i] * along_z[j] * value;
        }
    }
}

void rotation_patch(const struct rotation_lines *lines, struct rotation_trial trial,
                    nfsar_vec3 centre, double step, float complex image[PATCH_VOXELS]) {
    memset(image, 0, PATCH_VOXELS * sizeof *image);
    double back = 2.0 * (trial.range_offset - trial.radius_change);
    for (size_t l = 0; l < lines->n; l++) {
        struct way tx = way_to(centre, moved(lines, l, lines->tx[l], trial.radius_change));
        struct way rx = way_to(centre, moved(lines, l, lines->rx[l], trial.radius_change));
        double complex sum, slope;
        compress(lines, l, tx.length + rx.length + back, &sum, &slope);
        add_line(lines, tx, rx, step, sum, slope, image);
    }
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
