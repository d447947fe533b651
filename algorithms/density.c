#include <nfsar/density.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "algorithms/buffer.h"
#include "algorithms/cells.h"
#include "algorithms/choice.h"
#include "algorithms/compensate.h"
#include "algorithms/places.h"

/* In wavelengths of the highest frequency. Phase centres closer than COINCIDENT are one for the
 * geometry; within SHARED they share their area; a line is at most LINE wide; gaps up to GAP are
 * the aperture's whatever the rest of it is like; REACH is that of the iteration's kernel. */
#define COINCIDENT (1.0 / 1024.0)
#define SHARED     (1.0 / 16.0)
#define LINE       0.5
#define GAP        0.5
#define REACH      0.5

/* Phase centres at most; a triangulation of them takes about a kilobyte each. */
#define PLACES_LIMIT ((size_t)1 << 24)

/* How far positions may leave their best plane, of their extent. */
#define DEPTH_LIMIT 0.25

/* Metres. */
#define FARTHEST 1e9

/* Pulses whose antennas are worked out at a time. */
#define BLOCK ((size_t)256)

static const char *const names[] = {
    [NFSAR_DENSITY_NONE] = "none",
    [NFSAR_DENSITY_VORONOI] = "voronoi",
    [NFSAR_DENSITY_ITERATIVE] = "iterative",
};

enum nfsar_status nfsar_density_parse(const char *name, enum nfsar_density *density,
                                      nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status =
        choice_parse("density", names, sizeof names / sizeof names[0], name, &index, error);
    if (status == NFSAR_OK) {
        *density = (enum nfsar_density)index;
    }
    return status;
}

const char *nfsar_density_name(enum nfsar_density density) {
    return names[density];
}

/* ---- where the samples lie ----------------------------------------------------------------- */

static enum nfsar_status find_block(const nfsar_capture *capture, size_t first, size_t n,
                                    nfsar_vec3 *tx, nfsar_vec3 *rx, nfsar_vec3 *centre,
                                    nfsar_error *error) {
    size_t n_channel = capture->array.n_channel;
    enum nfsar_status status = nfsar_capture_antennas(capture, false, first, n, tx, rx, error);
    for (size_t i = 0; status == NFSAR_OK && i < n * n_channel; i++) {
        nfsar_vec3 at = nfsar_vec3_midpoint(tx[i], rx[i]);
        centre[first * n_channel + i] = at;
        if (!(fabs(at.x) < FARTHEST && fabs(at.y) < FARTHEST && fabs(at.z) < FARTHEST)) {
            return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                              "pulse %zu, channel %zu: its position is no number of metres below "
                              "1e9",
                              first + i / n_channel, i % n_channel);
        }
    }
    return status;
}

static enum nfsar_status find_centres(const nfsar_capture *capture, nfsar_vec3 *centre,
                                      nfsar_error *error) {
    size_t room = BLOCK * capture->array.n_channel;
    nfsar_vec3 *antenna = buffer_alloc(2 * room, sizeof *antenna);
    if (antenna == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = NFSAR_OK;
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p += BLOCK) {
        size_t n = capture->n_pulse - p < BLOCK ? capture->n_pulse - p : BLOCK;
        status = find_block(capture, p, n, antenna, antenna + room, centre, error);
    }
    free(antenna);
    return status;
}

/* The plane's own axes: u along the greatest extent of the places on x and y, v across. */
struct spread {
    double uu, vv, uz, vz; /* mean products, about the mean */
    double u, v, beyond;   /* extents; beyond: off the best plane z = a u + b v */
};

static nfsar_vec3 find_mean(const nfsar_vec3 *centre, size_t n) {
    nfsar_vec3 mean = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        mean = nfsar_vec3_add(mean, nfsar_vec3_scale(centre[i], 1.0 / (double)n));
    }
    return mean;
}

static double find_direction(const nfsar_vec3 *centre, size_t n, nfsar_vec3 mean) {
    double xx = 0.0, xy = 0.0, yy = 0.0;
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 d = nfsar_vec3_subtract(centre[i], mean);
        xx += d.x * d.x;
        xy += d.x * d.y;
        yy += d.y * d.y;
    }
    return 0.5 * atan2(2.0 * xy, xx - yy);
}

struct interval {
    double low, high;
};

static void widen(struct interval *interval, double to) {
    interval->low = fmin(interval->low, to);
    interval->high = fmax(interval->high, to);
}

/* Turn centre[n] into (u, v, z) about the mean, and say how it is spread. */
static struct spread lay_out(nfsar_vec3 *centre, size_t n) {
    nfsar_vec3 mean = find_mean(centre, n);
    double angle = find_direction(centre, n, mean), c = cos(angle), s = sin(angle);
    struct spread spread = {0};
    struct interval u = {0}, v = {0}, beyond = {0};
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 d = nfsar_vec3_subtract(centre[i], mean);
        d = (nfsar_vec3){c * d.x + s * d.y, c * d.y - s * d.x, d.z};
        centre[i] = d;
        spread.uu += d.x * d.x;
        spread.vv += d.y * d.y;
        spread.uz += d.x * d.z;
        spread.vz += d.y * d.z;
        widen(&u, d.x);
        widen(&v, d.y);
    }
    spread.u = u.high - u.low;
    spread.v = v.high - v.low;
    double a = spread.uu > 0.0 ? spread.uz / spread.uu : 0.0;
    double b = spread.vv > 1e-6 * spread.uu ? spread.vz / spread.vv : 0.0;
    for (size_t i = 0; i < n; i++) {
        widen(&beyond, centre[i].z - a * centre[i].x - b * centre[i].y);
    }
    spread.beyond = beyond.high - beyond.low;
    return spread;
}

/* ---- weights ------------------------------------------------------------------------------- */

/* How many places lie in the same Nyquist cell, for each of them. */
static enum nfsar_status count_same(const struct places *places, double square, float *same,
                                    nfsar_error *error) {
    struct places coarse;
    enum nfsar_status status = places_make(places->middle, places->n, square, &coarse, error);
    for (size_t i = 0; status == NFSAR_OK && i < places->n; i++) {
        same[i] = coarse.members[coarse.of[i]];
    }
    if (status == NFSAR_OK) {
        places_free(&coarse);
    }
    return status;
}

static enum nfsar_status find_cells(const struct places *places, bool is_line, double lambda,
                                    double *cell, nfsar_error *error) {
    float *same = buffer_alloc(places->n, sizeof *same);
    double *other = buffer_alloc(places->n, sizeof *other);
    enum nfsar_status status = NFSAR_OK;
    if (same == NULL || other == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", places->n);
    } else if (is_line) {
        for (size_t i = 0; i < places->n; i++) {
            other[i] = places->middle[i].x;
        }
        status = cells_of_line(other, places->n, GAP * lambda, cell, error);
    } else {
        status = count_same(places, 0.25 * lambda, same, error);
        if (status == NFSAR_OK) {
            status = cells_of_plane(places->middle, places->n, GAP * lambda, same, cell, other,
                                    NULL, error);
        }
        if (status == NFSAR_OK) {
            cells_finish(places->n, other, cell);
        }
    }
    free(same);
    free(other);
    return status;
}

/* The area of all points in a square, shared out among them. */
static enum nfsar_status share(const struct plane_point *point, size_t n, double square,
                               double *weight, nfsar_error *error) {
    struct places places;
    enum nfsar_status status = places_make(point, n, square, &places, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double *sum = buffer_zeros(places.n, sizeof *sum);
    for (size_t i = 0; sum != NULL && i < n; i++) {
        sum[places.of[i]] += weight[i];
    }
    for (size_t i = 0; sum != NULL && i < n; i++) {
        weight[i] = sum[places.of[i]] / (double)places.members[places.of[i]];
    }
    if (sum == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    }
    free(sum);
    places_free(&places);
    return status;
}

static enum nfsar_status weigh_cells(const struct plane_point *point, size_t n, bool is_line,
                                     double lambda, double *weight, nfsar_error *error) {
    struct places places;
    enum nfsar_status status = places_make(point, n, COINCIDENT * lambda, &places, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double *cell = buffer_alloc(places.n, sizeof *cell);
    status = cell != NULL
                 ? find_cells(&places, is_line, lambda, cell, error)
                 : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        weight[i] = cell[places.of[i]] / (double)places.members[places.of[i]];
    }
    free(cell);
    places_free(&places);
    return status == NFSAR_OK ? share(point, n, SHARED * lambda, weight, error) : status;
}

static enum nfsar_status normalise(const double *from, size_t n, float *weight,
                                   nfsar_error *error) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += from[i];
    }
    if (!(sum > 0.0) || !isfinite(sum)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the phase centres cover no area that could be shared out: use density "
                          "none");
    }
    for (size_t i = 0; i < n; i++) {
        weight[i] = (float)(from[i] * (double)n / sum);
    }
    return NFSAR_OK;
}

static double shortest_wavelength(const nfsar_capture *capture) {
    double highest = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        highest = fmax(highest, capture->frequency_hz[i]);
    }
    return NFSAR_SPEED_OF_LIGHT / highest;
}

static enum nfsar_status weigh(nfsar_vec3 *centre, size_t n, enum nfsar_density density,
                               double lambda, double *weight, nfsar_error *error) {
    struct spread spread = lay_out(centre, n);
    if (spread.u <= COINCIDENT * lambda) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "on x and y all %zu phase centres lie in one place: there is no aperture "
                          "to share out; use density none",
                          n);
    }
    if (spread.beyond > DEPTH_LIMIT * spread.u) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the phase centres leave their best plane by %.3g m over an extent of "
                          "%.3g m: density weights are for nearly planar scans; use density none",
                          spread.beyond, spread.u);
    }
    bool is_line = spread.v <= LINE * lambda;
    struct plane_point *point = buffer_alloc(n, sizeof *point);
    if (point == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    }
    for (size_t i = 0; i < n; i++) {
        point[i] = (struct plane_point){centre[i].x, is_line ? 0.0 : centre[i].y};
    }
    enum nfsar_status status = density == NFSAR_DENSITY_VORONOI
                                   ? weigh_cells(point, n, is_line, lambda, weight, error)
                                   : compensate_density(point, n, REACH * lambda, weight, error);
    free(point);
    return status;
}

enum nfsar_status nfsar_density_weights(const nfsar_capture *capture, enum nfsar_density density,
                                        float *weight, nfsar_error *error) {
    size_t n_channel = capture->array.n_channel;
    if (n_channel < 1 || capture->n_pulse < 1 || capture->n_pulse > PLACES_LIMIT / n_channel) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "density weights: %zu pulses of %zu channels; from 1 to %zu phase "
                          "centres can be weighed",
                          capture->n_pulse, n_channel, PLACES_LIMIT);
    }
    size_t n = capture->n_pulse * n_channel;
    if (density == NFSAR_DENSITY_NONE) {
        for (size_t i = 0; i < n; i++) {
            weight[i] = 1.0f;
        }
        return NFSAR_OK;
    }
    nfsar_vec3 *centre = buffer_alloc(n, sizeof *centre);
    double *each = buffer_alloc(n, sizeof *each);
    enum nfsar_status status =
        centre != NULL && each != NULL
            ? find_centres(capture, centre, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu phase centres", n);
    if (status == NFSAR_OK) {
        status = weigh(centre, n, density, shortest_wavelength(capture), each, error);
    }
    if (status == NFSAR_OK) {
        status = normalise(each, n, weight, error);
    }
    free(centre);
    free(each);
    return status;
}

double nfsar_density_noise_factor(const float *weight, size_t n) {
    double sum = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)weight[i];
        square += (double)weight[i] * (double)weight[i];
    }
    return (double)n * square / (sum * sum);
}
