#include "algorithms/interpolate.h"

#include <math.h>

/* 100 dB: 0.1102 (A - 8.7), Kaiser 1974. */
#define KAISER_BETA 10.061

/* Modified Bessel function of the first kind, order 0, by its power series. */
static double bessel_i0(double x) {
    double term = 1.0, sum = 1.0;
    for (int k = 1; k < 60 && term > 1e-17 * sum; k++) {
        term *= 0.25 * x * x / ((double)k * k);
        sum += term;
    }
    return sum;
}

/* Not divided by the window's maximum: that is done once for all taps. */
static double windowed_sinc(double distance) {
    double inside = 1.0 - distance * distance / (INTERPOLATE_HALF * INTERPOLATE_HALF);
    if (inside <= 0.0) {
        return 0.0;
    }
    double window = bessel_i0(KAISER_BETA * sqrt(inside));
    return window * (distance == 0.0 ? 1.0 : sin(M_PI * distance) / (M_PI * distance));
}

/* Sample of the line extended by mirrors at its first and last sample. */
static size_t mirror(long at, size_t n) {
    if (n == 1) {
        return 0;
    }
    long period = 2 * ((long)n - 1);
    long inside = at % period;
    if (inside < 0) {
        inside += period;
    }
    return (size_t)(inside < (long)n ? inside : period - inside);
}

void interpolate_taps(double at, size_t n, double carrier, struct interpolate_taps *taps) {
    double whole = floor(at + 0.5);
    if (n == 1 || fabs(at - whole) < 1e-9) {
        taps->n = 1;
        taps->index[0] = mirror((long)whole, n);
        taps->weight[0] = 1.0;
        return;
    }
    long first = (long)floor(at) - INTERPOLATE_HALF + 1;
    const double scale = 1.0 / bessel_i0(KAISER_BETA);
    taps->n = INTERPOLATE_TAPS;
    for (size_t i = 0; i < taps->n; i++) {
        long place = first + (long)i;
        taps->index[i] = mirror(place, n);
        taps->weight[i] = scale * windowed_sinc(at - (double)place) *
                          cexp(-I * carrier * ((double)taps->index[i] - floor(at)));
    }
}

static size_t low_end(size_t at, size_t radius) {
    return at > radius ? at - radius : 0;
}

static size_t high_end(size_t at, size_t radius, size_t n) {
    return n - at > radius ? at + radius + 1 : n;
}

/* The argument of the autocorrelation at lag one is the centre of the spectrum. */
void interpolate_carriers(const nfsar_image *image, const size_t voxel[3], size_t radius,
                          double carrier[3]) {
    const size_t n[3] = {image->grid.x.count, image->grid.y.count, image->grid.z.count};
    const size_t stride[3] = {1, n[0], n[0] * n[1]};
    size_t low[3], high[3];
    double complex lag[3] = {0.0, 0.0, 0.0};
    for (int a = 0; a < 3; a++) {
        low[a] = low_end(voxel[a], radius);
        high[a] = high_end(voxel[a], radius, n[a]);
    }
    for (size_t z = low[2]; z < high[2]; z++) {
        for (size_t y = low[1]; y < high[1]; y++) {
            for (size_t x = low[0]; x < high[0]; x++) {
                const size_t at[3] = {x, y, z};
                const float complex *value =
                    image->data + z * stride[2] + y * stride[1] + x * stride[0];
                for (int a = 0; a < 3; a++) {
                    if (at[a] + 1 < high[a]) {
                        lag[a] += (double complex)value[stride[a]] * conj((double complex)value[0]);
                    }
                }
            }
        }
    }
    for (int a = 0; a < 3; a++) {
        carrier[a] = carg(lag[a]);
    }
}

double interpolate_power(const nfsar_image *image, const double at[3], const double carrier[3]) {
    const size_t nx = image->grid.x.count, ny = image->grid.y.count, nz = image->grid.z.count;
    struct interpolate_taps x, y, z;
    double complex sum = 0.0;
    interpolate_taps(at[0], nx, carrier[0], &x);
    interpolate_taps(at[1], ny, carrier[1], &y);
    interpolate_taps(at[2], nz, carrier[2], &z);
    for (size_t k = 0; k < z.n; k++) {
        for (size_t j = 0; j < y.n; j++) {
            const float complex *row = image->data + (z.index[k] * ny + y.index[j]) * nx;
            double complex along = 0.0;
            for (size_t i = 0; i < x.n; i++) {
                along += x.weight[i] * row[x.index[i]];
            }
            sum += z.weight[k] * y.weight[j] * along;
        }
    }
    return creal(sum) * creal(sum) + cimag(sum) * cimag(sum);
}

void interpolate_line(const nfsar_image *image, int axis, const double at[3],
                      const double carrier[3], double complex *line) {
    const size_t n[3] = {image->grid.x.count, image->grid.y.count, image->grid.z.count};
    const size_t stride[3] = {1, n[0], n[0] * n[1]};
    const int b = (axis + 1) % 3, c = (axis + 2) % 3;
    struct interpolate_taps first, second;
    interpolate_taps(at[b], n[b], carrier[b], &first);
    interpolate_taps(at[c], n[c], carrier[c], &second);
    for (size_t i = 0; i < n[axis]; i++) {
        double complex sum = 0.0;
        for (size_t j = 0; j < first.n; j++) {
            for (size_t k = 0; k < second.n; k++) {
                sum += first.weight[j] * second.weight[k] *
                       image->data[i * stride[axis] + first.index[j] * stride[b] +
                                   second.index[k] * stride[c]];
            }
        }
        line[i] = sum;
    }
}

void interpolate_finely(double complex *line, size_t n, double carrier, size_t per_sample,
                        double *power) {
    for (size_t i = 0; i < n; i++) {
        line[i] *= cexp(-I * carrier * (double)i);
    }
    for (size_t phase = 0; phase < per_sample; phase++) {
        struct interpolate_taps taps;
        /* The weights repeat from sample to sample; only the places move. */
        double fraction = (double)phase / (double)per_sample;
        interpolate_taps(fraction, 2, 0.0, &taps);
        long first = taps.n > 1 ? 1 - INTERPOLATE_HALF : 0;
        for (size_t i = 0; i < n && (i + 1 < n || phase == 0); i++) {
            double complex sum = 0.0;
            for (size_t j = 0; j < taps.n; j++) {
                sum += taps.weight[j] * line[mirror((long)i + first + (long)j, n)];
            }
            power[i * per_sample + phase] = creal(sum) * creal(sum) + cimag(sum) * cimag(sum);
        }
    }
}
