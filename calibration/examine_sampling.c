/* Are phase centres near enough to each other? Phases of a target that is seen at an angle a off
 * broadside turn by 2 k sin(a) for each metre: steps up to lambda / (4 sin a) tell them apart. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/cylinder.h>
#include <nfsar/lattice.h>
#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

#define DEGREES (180.0 / NFSAR_PI)

/* Uneven positions: cells of this size are occupied to so much, found in steps of so much; random
 * ones need cells of 1.5 of their mean distance for that. */
#define OCCUPIED    0.9
#define CELL_STEP   1.1
#define UNEVEN      1.5
#define MOST_CELLS  4e6
#define MOST_LENGTH 1e9

static double shortest_wave(const nfsar_capture *capture) {
    double high = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        high = fmax(high, capture->frequency_hz[i]);
    }
    return NFSAR_SPEED_OF_LIGHT / high;
}

/* The angle up to which a step is clean, degrees. */
static double clean_angle(double wave, double step) {
    return DEGREES * asin(fmin(wave / (4.0 * step), 1.0));
}

/* The angle at which the aperture's edge sees what is in front of its middle, degrees; 0 when
 * nobody knows how far that is. */
static double edge_angle(const struct examined *e, double length) {
    return e->has_echo && e->peak_m > 0.0 ? DEGREES * atan(0.5 * length / e->peak_m) : 0.0;
}

static const char *const coarse_fix =
    "scan with smaller steps or more channels, or from farther away; without that keep to the "
    "middle of the aperture, or try nfsar reconstruct --method sparse (docs/sparse.md)";

/* ---- planar lattices ------------------------------------------------------------------------- */

/* How many different places modulo a step the shifted lattices have. */
static size_t residues(const nfsar_lattice *lattice, double step, bool along_x) {
    enum { MOST = 64 };
    double seen[MOST];
    size_t n = 0;
    if (!(step > 0.0)) {
        return 1;
    }
    for (size_t s = 0; s < lattice->n_shift && n < MOST; s++) {
        double at = (along_x ? lattice->shift[s].x : lattice->shift[s].y) / step;
        bool is_new = true;
        at -= floor(at);
        for (size_t i = 0; i < n; i++) {
            double apart = fabs(at - seen[i]);
            is_new = is_new && fmin(apart, 1.0 - apart) > 0.02;
        }
        if (is_new) {
            seen[n++] = at;
        }
    }
    return n;
}

static void tell_lattice(struct examined *e, const nfsar_lattice *lattice) {
    double wave = shortest_wave(e->capture);
    size_t nx = residues(lattice, lattice->x.step, true);
    size_t ny = residues(lattice, lattice->y.step, false);
    if (nx * ny > lattice->n_shift) { /* shifted along both at once: no axis is filled up */
        nx = ny = 1;
    }
    const nfsar_lattice_axis *const axis[] = {&lattice->x, &lattice->y};
    const size_t copies[] = {nx, ny};
    size_t before = e->report->verdicts[NFSAR_DOCTOR_WRONG];
    double step[2], length[2];
    for (int i = 0; i < 2; i++) {
        step[i] = axis[i]->step / (double)copies[i];
        length[i] = axis[i]->step * (double)(axis[i]->count - 1);
    }
    /* Empty places make steps longer, on the average, along the axes that have steps. */
    double thin = fmax(lattice->occupancy, 1e-6);
    double longer = step[0] > 0.0 && step[1] > 0.0 ? 1.0 / sqrt(thin) : 1.0 / thin;
    for (int i = 0; i < 2; i++) {
        step[i] *= longer;
        double clean = clean_angle(wave, step[i]), seen = edge_angle(e, length[i]);
        if (step[i] > 0.0 && clean < seen) {
            examine_wrong(e, "sampling", NFSAR_FAULT_STEP_COARSE, NFSAR_DOCTOR_CERTAIN, coarse_fix,
                          "steps of %.3g mm along %c are clean up to %.0f degrees off broadside "
                          "(a quarter wavelength is %.3g mm); the aperture's edge sees its middle "
                          "at %.3g m under %.0f degrees, which needs %.3g mm",
                          1e3 * step[i], 'x' + i, clean, 250.0 * wave, e->peak_m, seen,
                          250.0 * wave / sin(seen / DEGREES));
        }
    }
    if (e->report->verdicts[NFSAR_DOCTOR_WRONG] == before) {
        examine_ok(e, "sampling",
                   "lattice steps of %.3g and %.3g mm; a quarter wavelength is %.3g mm: clean up "
                   "to %.0f degrees off broadside along x and %.0f along y; the target's middle is "
                   "seen under up to %.0f and %.0f",
                   1e3 * step[0], 1e3 * step[1], 250.0 * wave, clean_angle(wave, step[0]),
                   clean_angle(wave, step[1]), edge_angle(e, length[0]), edge_angle(e, length[1]));
    }
}

/* ---- turntables ------------------------------------------------------------------------------ */

/* Phases of a scatterer at r from the axis turn by up to 2 k r for each radian. */
static void tell_cylinder(struct examined *e, const nfsar_cylinder *cylinder) {
    double wave = shortest_wave(e->capture);
    double step = cylinder->step_rad > 0.0 ? cylinder->step_rad
                                           : cylinder->span_rad / (double)(cylinder->places - 1);
    double clean = wave / (4.0 * step), cell = nfsar_range_resolution(e->capture);
    /* The profile's 20 dB are one and a half cells wider than the target. */
    double reach = 0.0;
    if (e->has_echo && cell < INFINITY) {
        reach = fmax(cylinder->radius - e->low_m, e->high_m - cylinder->radius) - 1.5 * cell;
    }
    if (reach > clean && reach < cylinder->radius) {
        examine_wrong(e, "sampling", NFSAR_FAULT_STEP_COARSE, NFSAR_DOCTOR_LIKELY,
                      "turn in smaller steps; with these keep the target nearer to the axis",
                      "%zu angles in steps of %.3g degrees are clean within %.0f mm of the axis; "
                      "echoes come from as far as %.0f mm, which needs %.3g degrees",
                      cylinder->places, DEGREES * step, 1e3 * clean, 1e3 * reach,
                      DEGREES * wave / (4.0 * reach));
    } else {
        examine_ok(e, "sampling",
                   "%zu angles in steps of %.3g degrees: clean for targets within %.0f mm of the "
                   "axis (radius %.0f mm)",
                   cylinder->places, DEGREES * step, 1e3 * clean, 1e3 * cylinder->radius);
    }
}

/* ---- uneven positions ------------------------------------------------------------------------ */

struct centres {
    nfsar_vec3 *at;
    size_t n;
    double low_x, low_y, length_x, length_y;
};

static enum nfsar_status centres_make(const nfsar_capture *capture, struct centres *centres,
                                      nfsar_error *error) {
    size_t n = capture->n_pulse * capture->array.n_channel;
    double low_x = INFINITY, low_y = INFINITY, high_x = -INFINITY, high_y = -INFINITY;
    nfsar_vec3 *tx = buffer_alloc(n, sizeof *tx), *rx = buffer_alloc(n, sizeof *rx);
    enum nfsar_status status =
        tx != NULL && rx != NULL
            ? nfsar_capture_antennas(capture, false, 0, capture->n_pulse, tx, rx, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions", n);
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        tx[i] = nfsar_vec3_midpoint(tx[i], rx[i]);
        low_x = fmin(low_x, tx[i].x);
        low_y = fmin(low_y, tx[i].y);
        high_x = fmax(high_x, tx[i].x);
        high_y = fmax(high_y, tx[i].y);
    }
    free(rx);
    if (status != NFSAR_OK) {
        free(tx);
        tx = NULL;
    }
    *centres = (struct centres){tx, n, low_x, low_y, high_x - low_x, high_y - low_y};
    return status;
}

/* Share of the cells between the outermost ones of each row that hold a phase centre; -1 when there
 * is no memory. */
static double occupancy(const struct centres *centres, double cell) {
    size_t nx = (size_t)(centres->length_x / cell) + 1, ny = (size_t)(centres->length_y / cell) + 1;
    unsigned char *map = calloc(nx * ny, 1);
    double held = 0.0, within = 0.0;
    if (map == NULL) {
        return -1.0;
    }
    for (size_t i = 0; i < centres->n; i++) {
        size_t ix = (size_t)((centres->at[i].x - centres->low_x) / cell);
        size_t iy = (size_t)((centres->at[i].y - centres->low_y) / cell);
        map[(iy < ny ? iy : ny - 1) * nx + (ix < nx ? ix : nx - 1)] = 1;
    }
    for (size_t j = 0; j < ny; j++) {
        size_t first = 0, last = nx - 1;
        while (first < nx && map[j * nx + first] == 0) {
            first++;
        }
        if (first == nx) {
            within += (double)nx;
            continue;
        }
        while (map[j * nx + last] == 0) {
            last--;
        }
        for (size_t i = first; i <= last; i++) {
            held += map[j * nx + i];
        }
        within += (double)(last - first + 1);
    }
    free(map);
    return held / within;
}

static void tell_uneven(struct examined *e, const struct centres *centres) {
    double wave = shortest_wave(e->capture), length = fmax(centres->length_x, centres->length_y);
    double cell = fmax(wave / 8.0, length / sqrt(MOST_CELLS));
    if (!(length < MOST_LENGTH)) {
        examine_unknown(e, "sampling", NULL, "positions are %.3g m apart", length);
        return;
    }
    while (cell < length && occupancy(centres, cell) < OCCUPIED) {
        cell *= CELL_STEP;
    }
    double seen = edge_angle(e, length), clean = clean_angle(wave, cell);
    if (length <= 0.0) {
        examine_unknown(e, "sampling", NULL, "all phase centres are in one place");
    } else if (seen > 0.0 && cell > UNEVEN * 0.25 * wave / sin(seen / DEGREES)) {
        examine_wrong(e, "sampling", NFSAR_FAULT_STEP_COARSE, NFSAR_DOCTOR_LIKELY, coarse_fix,
                      "uneven positions, about %.3g mm apart where they are thin: clean up to %.0f "
                      "degrees off broadside; the edge of the aperture sees its middle at %.3g m "
                      "under %.0f degrees, which needs %.3g mm",
                      1e3 * cell, clean, e->peak_m, seen, 250.0 * wave / sin(seen / DEGREES));
    } else {
        examine_ok(e, "sampling",
                   "uneven positions, about %.3g mm apart where they are thin; a quarter "
                   "wavelength is %.3g mm: clean up to about %.0f degrees off broadside",
                   1e3 * cell, 250.0 * wave, clean);
    }
}

enum nfsar_status examine_sampling(struct examined *e, nfsar_error *error) {
    nfsar_lattice lattice;
    nfsar_cylinder cylinder;
    if (e->capture->n_pulse * e->capture->array.n_channel < 2) {
        examine_unknown(e, "sampling", NULL, "a single position");
        return NFSAR_OK;
    }
    if (e->poses_wrong) {
        examine_unknown(e, "sampling", NULL, "positions have to be put right first");
        return NFSAR_OK;
    }
    if (nfsar_lattice_detect(e->capture, 0.0, &lattice, NULL) == NFSAR_OK) {
        e->is_lattice = true;
        tell_lattice(e, &lattice);
        nfsar_lattice_free(&lattice);
        return NFSAR_OK;
    }
    if (nfsar_cylinder_detect(e->capture, 0.0, &cylinder, NULL) == NFSAR_OK) {
        tell_cylinder(e, &cylinder);
        return NFSAR_OK;
    }
    struct centres centres;
    enum nfsar_status status = centres_make(e->capture, &centres, error);
    if (status == NFSAR_OK) {
        tell_uneven(e, &centres);
    }
    free(centres.at);
    return status;
}
