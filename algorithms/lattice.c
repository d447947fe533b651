#include <nfsar/lattice.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/sort.h"

/* A lattice with fewer of its cells filled than this is a coincidence, or too sparse to gain from
 * a fast Fourier transform. */
#define LEAST_OCCUPANCY 0.4

/* Tightness of the fit that is tried, as fractions of the tolerance, tightest first: positions
 * that are exact for several shifted lattices must not be bent onto one. */
static const double tightness[] = {1e-3, 1e-2, 0.1, 0.3, 1.0};
enum { LEVELS = sizeof tightness / sizeof tightness[0] };

/* Phase centres as three columns of length n, channel fastest. */
struct centres {
    double *x, *y, *z;
    size_t n_pulse, n_channel;
};

static void free_centres(struct centres *centres) {
    free(centres->x);
    free(centres->y);
    free(centres->z);
}

static enum nfsar_status make_centres(const nfsar_capture *capture, struct centres *centres,
                                      nfsar_error *error) {
    size_t n_channel = capture->array.n_channel;
    size_t n = capture->n_pulse * n_channel;
    nfsar_vec3 *tx = malloc(n_channel * sizeof *tx), *rx = malloc(n_channel * sizeof *rx);
    *centres = (struct centres){malloc(n * sizeof(double)), malloc(n * sizeof(double)),
                                malloc(n * sizeof(double)), capture->n_pulse, n_channel};
    enum nfsar_status status = NFSAR_OK;
    if (tx == NULL || rx == NULL || centres->x == NULL || centres->y == NULL ||
        centres->z == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions", n);
    }
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p++) {
        status = nfsar_capture_antennas(capture, false, p, 1, tx, rx, error);
        for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
            nfsar_vec3 middle = nfsar_vec3_midpoint(tx[c], rx[c]);
            centres->x[p * n_channel + c] = middle.x;
            centres->y[p * n_channel + c] = middle.y;
            centres->z[p * n_channel + c] = middle.z;
        }
    }
    free(tx);
    free(rx);
    return status;
}

/* Means of the groups of sorted values that lie within 2 * tolerance; returns how many. In place.
 */
static size_t cluster(double *sorted, size_t n, double tolerance) {
    size_t found = 0;
    for (size_t i = 0; i < n;) {
        size_t first = i;
        double sum = 0.0;
        for (; i < n && sorted[i] - sorted[first] <= 2.0 * tolerance; i++) {
            sum += sorted[i] - sorted[first];
        }
        sorted[found++] = sorted[first] + sum / (double)(i - first);
    }
    return found;
}

/* Least-squares line first + step * index through the means, indices being the nearest multiples
 * of the median spacing. */
static bool fit_axis(const double *mean, size_t n, double tolerance, double *work,
                     nfsar_lattice_axis *axis) {
    if (n == 1) {
        *axis = (nfsar_lattice_axis){mean[0], 0.0, 1};
        return true;
    }
    for (size_t i = 0; i + 1 < n; i++) {
        work[i] = mean[i + 1] - mean[i];
    }
    double step = sort_upper_median(work, n - 1);
    /* The median spacing is known to within the tolerance; follow it along the axis, refining as
     * the base line grows, so that an index far out is not off by one. */
    double index = 0.0, refined = step;
    double si = 0.0, sii = 0.0, sx = 0.0, six = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            index += fmax(1.0, round((mean[i] - mean[i - 1]) / refined));
            refined = i > 4 ? (mean[i] - mean[0]) / index : refined;
        }
        double x = mean[i] - mean[0];
        si += index;
        sii += index * index;
        sx += x;
        six += index * x;
    }
    if (index + 1.0 > (double)n / LEAST_OCCUPANCY) {
        return false;
    }
    double count = (double)n;
    double slope = (count * six - si * sx) / (count * sii - si * si);
    double offset = (sx - slope * si) / count;
    *axis = (nfsar_lattice_axis){mean[0] + offset, slope, (size_t)index + 1};
    for (size_t i = 0; i < n; i++) {
        double at = (mean[i] - axis->first) / axis->step;
        if (fabs(at - round(at)) * axis->step > tolerance) {
            return false;
        }
    }
    return true;
}

/* Fit one axis to every stride-th value; scratch has room for 2 * n values. */
static bool find_axis(const double *value, size_t n, size_t stride, double tolerance,
                      double *scratch, nfsar_lattice_axis *axis) {
    for (size_t i = 0; i < n; i++) {
        scratch[i] = value[i * stride];
    }
    sort_doubles(scratch, n);
    size_t found = cluster(scratch, n, tolerance);
    return fit_axis(scratch, found, tolerance, scratch + n, axis);
}

static long nearest(const nfsar_lattice_axis *axis, double value) {
    return axis->count > 1 ? lround((value - axis->first) / axis->step) : 0;
}

static double place(const nfsar_lattice_axis *axis, long index) {
    return axis->first + axis->step * (double)index;
}

/* Put every phase centre in its cell and measure how far it is from there; false when one is
 * farther than the tolerance or outside. */
static bool fill_cells(const struct centres *centres, double tolerance, nfsar_lattice *lattice) {
    size_t n = centres->n_pulse * centres->n_channel;
    lattice->deviation = 0.0;
    for (size_t i = 0; i < n; i++) {
        size_t s = lattice->n_shift > 1 ? i % centres->n_channel : 0;
        double x = centres->x[i] - lattice->shift[s].x, y = centres->y[i] - lattice->shift[s].y;
        long ix = nearest(&lattice->x, x), iy = nearest(&lattice->y, y);
        if (ix < 0 || iy < 0 || (size_t)ix >= lattice->x.count || (size_t)iy >= lattice->y.count) {
            return false;
        }
        double away = hypot(x - place(&lattice->x, ix), y - place(&lattice->y, iy));
        lattice->deviation = fmax(lattice->deviation, hypot(away, centres->z[i] - lattice->z));
        if (away > tolerance) {
            return false;
        }
        lattice->cell[i] =
            (uint32_t)((s * lattice->y.count + (size_t)iy) * lattice->x.count + (size_t)ix);
    }
    return true;
}

static bool measure_occupancy(nfsar_lattice *lattice) {
    size_t cells = lattice->n_shift * lattice->x.count * lattice->y.count;
    unsigned char *filled = calloc(cells, 1);
    if (filled == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < lattice->n_pulse * lattice->n_channel; i++) {
        count += !filled[lattice->cell[i]];
        filled[lattice->cell[i]] = 1;
    }
    free(filled);
    lattice->occupancy = (double)count / (double)cells;
    return lattice->occupancy >= LEAST_OCCUPANCY;
}

/* One lattice through all phase centres (n_shift 1), or one through the first channel's with the
 * other channels shifted by their mean offset. */
static bool try_lattice(const struct centres *centres, size_t n_shift, double tolerance,
                        double *scratch, nfsar_lattice *lattice) {
    size_t n = centres->n_pulse * centres->n_channel;
    size_t stride = n_shift > 1 ? centres->n_channel : 1;
    if (!find_axis(centres->x, n / stride, stride, tolerance, scratch, &lattice->x) ||
        !find_axis(centres->y, n / stride, stride, tolerance, scratch, &lattice->y)) {
        return false;
    }
    size_t cells = 0;
    if (__builtin_mul_overflow(lattice->x.count, lattice->y.count, &cells) ||
        cells > UINT32_MAX / n_shift ||
        (double)cells > (double)(n / n_shift) / LEAST_OCCUPANCY + 1.0) {
        return false;
    }
    lattice->n_shift = n_shift;
    memset(lattice->shift, 0, centres->n_channel * sizeof *lattice->shift);
    for (size_t c = 1; c < (n_shift > 1 ? n_shift : 0); c++) {
        double sx = 0.0, sy = 0.0;
        for (size_t p = 0; p < centres->n_pulse; p++) {
            size_t i = p * centres->n_channel;
            sx += centres->x[i + c] - centres->x[i];
            sy += centres->y[i + c] - centres->y[i];
        }
        lattice->shift[c].x = sx / (double)centres->n_pulse;
        lattice->shift[c].y = sy / (double)centres->n_pulse;
    }
    return fill_cells(centres, tolerance, lattice) && measure_occupancy(lattice);
}

static enum nfsar_status find_plane(const struct centres *centres, double tolerance, double *z,
                                    nfsar_error *error) {
    size_t n = centres->n_pulse * centres->n_channel;
    double low = centres->z[0], high = centres->z[0];
    for (size_t i = 1; i < n; i++) {
        low = fmin(low, centres->z[i]);
        high = fmax(high, centres->z[i]);
    }
    *z = 0.5 * (low + high);
    if (high - low > 2.0 * tolerance) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions are not on a plane z = const: z runs from %.3f to %.3f "
                          "mm, allowed is +-%.3f mm; `--method nurma` or `--method bp` images it",
                          1e3 * low, 1e3 * high, 1e3 * tolerance);
    }
    return NFSAR_OK;
}

static enum nfsar_status search(const struct centres *centres, double tolerance,
                                nfsar_lattice *lattice, nfsar_error *error) {
    size_t n = centres->n_pulse * centres->n_channel;
    double *scratch = malloc(2 * n * sizeof *scratch);
    lattice->shift = calloc(centres->n_channel, sizeof *lattice->shift);
    lattice->cell = malloc(n * sizeof *lattice->cell);
    lattice->n_pulse = centres->n_pulse;
    lattice->n_channel = centres->n_channel;
    if (scratch == NULL || lattice->shift == NULL || lattice->cell == NULL) {
        free(scratch);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions", n);
    }
    bool found = false;
    for (size_t i = 0; !found && i < LEVELS; i++) {
        double level = tolerance * tightness[i];
        found = try_lattice(centres, 1, level, scratch, lattice) ||
                (centres->n_channel > 1 && centres->n_pulse > 1 &&
                 try_lattice(centres, centres->n_channel, level, scratch, lattice));
    }
    free(scratch);
    if (!found) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions are not a lattice in x and y to within %.3f mm; "
                          "`--method nurma` or `--method bp` images it",
                          1e3 * tolerance);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_lattice_detect(const nfsar_capture *capture, double tolerance,
                                       nfsar_lattice *lattice, nfsar_error *error) {
    memset(lattice, 0, sizeof *lattice);
    double highest = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        highest = fmax(highest, capture->frequency_hz[i]);
    }
    double allowed = tolerance > 0.0 ? tolerance : NFSAR_SPEED_OF_LIGHT / highest / 32.0;
    struct centres centres;
    enum nfsar_status status = make_centres(capture, &centres, error);
    if (status == NFSAR_OK) {
        status = find_plane(&centres, allowed, &lattice->z, error);
    }
    if (status == NFSAR_OK) {
        status = search(&centres, allowed, lattice, error);
    }
    free_centres(&centres);
    if (status != NFSAR_OK) {
        nfsar_lattice_free(lattice);
    }
    return status;
}

void nfsar_lattice_free(nfsar_lattice *lattice) {
    free(lattice->shift);
    free(lattice->cell);
    memset(lattice, 0, sizeof *lattice);
}
