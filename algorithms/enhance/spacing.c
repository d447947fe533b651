/* How finely an image is sampled, by the image itself. */
#include <nfsar/enhance.h>

#include <math.h>

#include <nfsar/geometry.h>

/* |sum of a* b| over the sum of |a|^2, for pixels b that are `step` numbers behind a. */
static double correlation(const float *in, size_t nx, size_t ny, size_t step) {
    const size_t plane = nx * ny, width = step == 1 ? nx - 1 : nx, height = step == 1 ? ny : ny - 1;
    double re = 0.0, im = 0.0, energy = 0.0;
    for (size_t y = 0; y < height; y++) {
        const float *a = in + y * nx, *b = a + step;
        for (size_t x = 0; x < width; x++) {
            const double ar = (double)a[x], ai = (double)a[plane + x];
            const double br = (double)b[x], bi = (double)b[plane + x];
            re += ar * br + ai * bi;
            im += ar * bi - ai * br;
            energy += 0.5 * (ar * ar + ai * ai + br * br + bi * bi);
        }
    }
    return energy > 0.0 ? sqrt(re * re + im * im) / energy : 1.0;
}

/* x from 0 to 1 with sin(pi x) / (pi x) = value, which falls all the way. */
static double inverse_sinc(double value) {
    double low = 0.0, high = 1.0;
    for (int i = 0; i < 40; i++) {
        const double x = 0.5 * (low + high), at = NFSAR_PI * x;
        if (sin(at) > value * at) {
            low = x;
        } else {
            high = x;
        }
    }
    return 0.5 * (low + high);
}

void nfsar_enhance_spacing(const float *in, size_t nx, size_t ny, double spacing[2]) {
    spacing[0] = nx > 1 ? inverse_sinc(correlation(in, nx, ny, 1)) : 0.0;
    spacing[1] = ny > 1 ? inverse_sinc(correlation(in, nx, ny, nx)) : 0.0;
}
