#include "calibration/trajectory/time_offset_steer.h"

#include <complex.h>
#include <math.h>

static void turn_of(double cycles, double *re, double *im) {
    const double phase = 2.0 * NFSAR_PI * (cycles - floor(cycles));
    *re = cos(phase);
    *im = sin(phase);
}

void offset_steer(const struct offset_data *data, double range_m, double *re, double *im) {
    const double *f = data->capture->frequency_hz;
    const double delay = 2.0 * range_m / NFSAR_SPEED_OF_LIGHT;
    const size_t n = data->n_sample;
    if (data->step_hz == 0.0) {
        for (size_t i = 0; i < n; i++) {
            turn_of(f[i] * delay, &re[i], &im[i]);
        }
        return;
    }
    /* The first half of what is there, turned, is the second: few roundings, and all lanes busy. */
    double tr, ti;
    turn_of(f[0] * delay, &re[0], &im[0]);
    turn_of(data->step_hz * delay, &tr, &ti);
    for (size_t done = 1; done < n; done *= 2) {
        const size_t count = n - done < done ? n - done : done;
        double *next_re = re + done, *next_im = im + done;
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            next_re[i] = re[i] * tr - im[i] * ti;
            next_im[i] = re[i] * ti + im[i] * tr;
        }
        const double square = tr * tr - ti * ti;
        ti = 2.0 * tr * ti;
        tr = square;
    }
}

double complex offset_product(const struct offset_data *data, const double *a_re,
                              const double *a_im, const double *b_re, const double *b_im) {
    const double *taper = data->taper;
    double re = 0.0, im = 0.0;
#pragma omp simd reduction(+ : re, im)
    for (size_t i = 0; i < data->n_sample; i++) {
        re += taper[i] * (a_re[i] * b_re[i] + a_im[i] * b_im[i]);
        im += taper[i] * (a_re[i] * b_im[i] - a_im[i] * b_re[i]);
    }
    return CMPLX(re, im);
}
