#include "algorithms/residue.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "algorithms/compensate_cylinder.h"

/* Pulses that stand for the scan. */
enum { PULSES = 64 };

/* What is compensated; cylinder NULL for planes. */
struct compensated {
    enum nfsar_compensation model;
    nfsar_vec3 reference;
    const nfsar_cylinder *cylinder;
};

static nfsar_vec3 place(const nfsar_grid *grid, int i) {
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    double at[3];
    for (int a = 0; a < 3; a++, i /= 3) {
        double end = nfsar_axis_end(axis[a]);
        at[a] = axis[a]->start + 0.5 * (double)(i % 3) * (end - axis[a]->start);
    }
    return (nfsar_vec3){at[0], at[1], at[2]};
}

/* The path that is taken out of what a voxel sends back. */
static double path(const struct compensated *how, nfsar_vec3 tx, nfsar_vec3 rx, nfsar_vec3 voxel) {
    if (how->cylinder == NULL) {
        return nfsar_compensation_path(how->model, tx, rx, how->reference);
    }
    if (how->model == NFSAR_COMPENSATION_EVERY_RANGE) {
        return compensate_cylinder_voxel(tx, rx, how->cylinder, voxel);
    }
    return compensate_cylinder_path(how->model, tx, rx, how->cylinder, how->reference);
}

static double complex sum_pulse(const nfsar_grid *grid, const struct compensated *how,
                                const nfsar_vec3 *tx, const nfsar_vec3 *rx, size_t n_channel,
                                double wavenumber) {
    double complex sum = 0.0;
    for (size_t c = 0; c < n_channel; c++) {
        for (int i = 0; i < 27; i++) {
            nfsar_vec3 voxel = place(grid, i);
            double exact =
                nfsar_compensation_path(NFSAR_COMPENSATION_REFERENCE_POINT, tx[c], rx[c], voxel);
            double off = wavenumber * (exact - path(how, tx[c], rx[c], voxel));
            /* On an antenna the path has no end; nothing is right there. */
            sum += isfinite(off) ? cexp(I * off) : 0.0;
        }
    }
    return sum;
}

/* Pulse p of those that stand for the scan. Round a turntable the places of evenly taken pulses
 * might all be the same angle; multiples of the golden section are not. */
static size_t pulse_at(const nfsar_capture *capture, size_t p, size_t pulses, bool round) {
    if (round && pulses < capture->n_pulse) {
        double part = (double)p * 0.6180339887498949;
        return (size_t)((part - floor(part)) * (double)capture->n_pulse);
    }
    return pulses > 1 ? p * (capture->n_pulse - 1) / (pulses - 1) : 0;
}

static double correlate(const nfsar_capture *capture, const nfsar_grid *grid,
                        const struct compensated *how) {
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
        size_t pulse = pulse_at(capture, p, pulses, how->cylinder != NULL);
        nfsar_capture_antennas(capture, false, pulse, 1, tx, rx, NULL);
        sum += sum_pulse(grid, how, tx, rx, n_channel, wavenumber);
    }
    free(tx);
    free(rx);
    return cabs(sum) / (27.0 * (double)(pulses * n_channel));
}

double residue_correlation(const nfsar_capture *capture, const nfsar_grid *grid,
                           enum nfsar_compensation model, nfsar_vec3 reference) {
    const struct compensated how = {.model = model, .reference = reference};
    return correlate(capture, grid, &how);
}

double residue_on_cylinder(const nfsar_capture *capture, const nfsar_cylinder *cylinder,
                           const nfsar_grid *grid, enum nfsar_compensation model,
                           nfsar_vec3 reference) {
    const struct compensated how = {model, reference, cylinder};
    return correlate(capture, grid, &how);
}
