#include <nfsar/cylinder.h>

#include <math.h>
#include <stdlib.h>

#include "algorithms/buffer.h"
#include "algorithms/circle.h"
#include "algorithms/turns.h"

/* Deviation allowed unless told otherwise, as part of the radius. */
#define DEVIATION 0.02

/* And as part of how far the arc bends away from a line: less is no sign of a circle. */
#define BEND 0.25

/* An axis so near to the origin, in radii, goes through it. */
#define ROUNDING 1e-12

/* What an image needs at least. */
#define LEAST_PLACES 8
#define LEAST_SPAN   (20.0 * NFSAR_PI / 180.0)

/* Phase centres worked out at a time. */
enum { BLOCK = 4096 };

/* Phase centres over the plane of the turntable, and their heights. */
struct centres {
    double *x, *z;
    size_t n;
    double low_y, high_y;
};

static double degrees(double radians) {
    return radians * 180.0 / NFSAR_PI;
}

/* Those of some pulses; false at one that is not finite. */
static int take(const nfsar_vec3 *tx, const nfsar_vec3 *rx, size_t n, struct centres *centres) {
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 middle = nfsar_vec3_midpoint(tx[i], rx[i]);
        /* Squares of differences have to be numbers too. */
        if (!(fabs(middle.x) < 1e100 && fabs(middle.y) < 1e100 && fabs(middle.z) < 1e100)) {
            return 0;
        }
        centres->x[centres->n] = middle.x;
        centres->z[centres->n++] = middle.z;
        centres->low_y = fmin(centres->low_y, middle.y);
        centres->high_y = fmax(centres->high_y, middle.y);
    }
    return 1;
}

static enum nfsar_status fill(const nfsar_capture *capture, struct centres *centres,
                              nfsar_error *error) {
    size_t n_channel = capture->array.n_channel, block = BLOCK / n_channel;
    block = block > 0 ? block : 1;
    nfsar_vec3 *tx = buffer_alloc(2 * block * n_channel, sizeof *tx);
    if (tx == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions", block);
    }
    nfsar_vec3 *rx = tx + block * n_channel;
    enum nfsar_status status = NFSAR_OK;
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p += block) {
        size_t n = capture->n_pulse - p < block ? capture->n_pulse - p : block;
        status = nfsar_capture_antennas(capture, false, p, n, tx, rx, error);
        if (status == NFSAR_OK && !take(tx, rx, n * n_channel, centres)) {
            size_t pulse = centres->n / n_channel;
            status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                                "a phase centre of pulse %zu is not finite, or absurdly far away",
                                pulse);
        }
    }
    free(tx);
    return status;
}

static enum nfsar_status fit(const struct centres *centres, double tolerance, struct circle *circle,
                             nfsar_error *error) {
    enum circle_kind kind = circle_fit(centres->x, centres->z, centres->n, circle);
    /* A coordinate that is nothing but rounding is 0. */
    circle->x = fabs(circle->x) < ROUNDING * circle->radius ? 0.0 : circle->x;
    circle->y = fabs(circle->y) < ROUNDING * circle->radius ? 0.0 : circle->y;
    switch (kind) {
    case CIRCLE_POINT:
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions are no cylinder: its radius is zero, all phase centres "
                          "are at x = %.4g, z = %.4g m",
                          circle->x, circle->y);
    case CIRCLE_LINE:
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions are no cylinder: seen along y they lie on a straight "
                          "line");
    case CIRCLE_FOUND:
        break;
    }
    double allowed = tolerance > 0.0 ? tolerance : DEVIATION * circle->radius;
    if (!(circle->deviation <= allowed)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions are no cylinder: they leave the best one (axis at x = "
                          "%.4g, z = %.4g m, radius %.4g m) by up to %.3g mm, allowed are %.3g mm",
                          circle->x, circle->y, circle->radius, 1e3 * circle->deviation,
                          1e3 * allowed);
    }
    return NFSAR_OK;
}

static enum nfsar_status judge(const nfsar_cylinder *cylinder, nfsar_error *error) {
    double span = cylinder->span_rad;
    double bend = cylinder->radius * (span < NFSAR_PI ? 1.0 - cos(0.5 * span) : 1.0);
    if (span < LEAST_SPAN) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions are no cylinder: they go round %.3g degrees of the best "
                          "one (radius %.4g m), needed are %.0f",
                          degrees(span), cylinder->radius, degrees(LEAST_SPAN));
    }
    if (cylinder->deviation > BEND * bend) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions are no cylinder: they leave the best one (radius %.4g m) "
                          "by up to %.3g mm, and its arc of %.3g degrees bends by only %.3g mm",
                          cylinder->radius, 1e3 * cylinder->deviation, degrees(span), 1e3 * bend);
    }
    if (cylinder->places < LEAST_PLACES) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the positions go round a cylinder (radius %.4g m) in %zu places, needed "
                          "are %d",
                          cylinder->radius, cylinder->places, LEAST_PLACES);
    }
    return NFSAR_OK;
}

static enum nfsar_status detect(struct centres *centres, double tolerance, nfsar_cylinder *cylinder,
                                nfsar_error *error) {
    struct circle circle;
    struct turns turns;
    enum nfsar_status status = fit(centres, tolerance, &circle, error);
    if (status != NFSAR_OK) {
        return status;
    }
    for (size_t i = 0; i < centres->n; i++) {
        centres->x[i] = atan2(centres->z[i] - circle.y, centres->x[i] - circle.x);
    }
    turns_find(centres->x, centres->z, centres->n, &turns);
    *cylinder = (nfsar_cylinder){.axis = {circle.x, 0.0, circle.y},
                                 .radius = circle.radius,
                                 .deviation = circle.deviation,
                                 .first_rad = turns.first,
                                 .span_rad = turns.span,
                                 .largest_gap_rad = turns.largest_gap,
                                 .places = turns.places,
                                 .step_rad = turns.step,
                                 .low_y = centres->low_y,
                                 .high_y = centres->high_y};
    return judge(cylinder, error);
}

enum nfsar_status nfsar_cylinder_detect(const nfsar_capture *capture, double tolerance,
                                        nfsar_cylinder *cylinder, nfsar_error *error) {
    size_t n = 0;
    struct centres centres = {.low_y = INFINITY, .high_y = -INFINITY};
    *cylinder = (nfsar_cylinder){0};
    if (capture->n_pulse < 1 || capture->array.n_channel < 1 ||
        __builtin_mul_overflow(capture->n_pulse, capture->array.n_channel, &n)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "a capture of %zu pulses x %zu channels",
                          capture->n_pulse, capture->array.n_channel);
    }
    centres.x = buffer_alloc(n, sizeof *centres.x);
    centres.z = buffer_alloc(n, sizeof *centres.z);
    enum nfsar_status status = NFSAR_OK;
    if (centres.x == NULL || centres.z == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions", n);
    }
    if (status == NFSAR_OK) {
        status = fill(capture, &centres, error);
    }
    if (status == NFSAR_OK) {
        status = detect(&centres, tolerance, cylinder, error);
    }
    free(centres.x);
    free(centres.z);
    if (status != NFSAR_OK) {
        *cylinder = (nfsar_cylinder){0};
    }
    return status;
}
