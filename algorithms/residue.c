#include "algorithms/residue.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* Pulses that stand for the scan. */
enum { PULSES = 64 };

static nfsar_vec3 place(const nfsar_grid *grid, int i) {
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    double at[3];
    for (int a = 0; a < 3; a++, i /= 3) {
        double end = nfsar_axis_end(axis[a]);
        at[a] = axis[a]->start + 0.5 * (double)(i % 3) * (end - axis[a]->start);
    }
    return (nfsar_vec3){at[0], at[1], at[2]};
}

static double complex sum_pulse(const nfsar_grid *grid, enum nfsar_compensation model,
                                nfsar_vec3 reference, const nfsar_vec3 *tx, const nfsar_vec3 *rx,
                                size_t n_channel, double wavenumber) {
    double complex sum = 0.0;
    for (size_t c = 0; c < n_channel; c++) {
        double taken = nfsar_compensation_path(model, tx[c], rx[c], reference);
        for (int i = 0; i < 27; i++) {
            double exact = nfsar_compensation_path(NFSAR_COMPENSATION_REFERENCE_POINT, tx[c], rx[c],
                                                   place(grid, i));
            sum += cexp(I * wavenumber * (exact - taken));
        }
    }
    return sum;
}

double residue_correlation(const nfsar_capture *capture, const nfsar_grid *grid,
                           enum nfsar_compensation model, nfsar_vec3 reference) {
    size_t n_channel = capture->array.n_channel;
    size_t pulses = capture->n_pulse < PULSES ? capture->n_pulse : PULSES;
    nfsar_vec3 *tx = malloc(n_channel * sizeof *tx), *rx = malloc(n_channel * sizeof *rx);
    if (tx == NULL || rx == NULL) {
        free(tx);
        free(rx);
        return -1.0;
    }
    double wavenumber =
        2.0 * NFSAR_PI * capture->frequency_hz[capture->n_sample / 2] / NFSAR_SPEED_OF_LIGHT;
    double complex sum = 0.0;
    for (size_t p = 0; p < pulses; p++) {
        size_t pulse = pulses > 1 ? p * (capture->n_pulse - 1) / (pulses - 1) : 0;
        nfsar_capture_antennas(capture, false, pulse, 1, tx, rx, NULL);
        sum += sum_pulse(grid, model, reference, tx, rx, n_channel, wavenumber);
    }
    free(tx);
    free(rx);
    return cabs(sum) / (27.0 * (double)(pulses * n_channel));
}
