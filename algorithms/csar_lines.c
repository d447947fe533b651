/* The lines of samples: where each pair of antennas is on the cylinder, and what is done to its
 * samples. */
#include "algorithms/csar_plan.h"

#include <math.h>
#include <stdlib.h>

#include "algorithms/antennas.h"
#include "algorithms/buffer.h"
#include "algorithms/compensate_cylinder.h"

/* Most sets of weights for pairs of different baselines. */
enum { MOST_CLASSES = 256 };

/* Baselines whose compensation differs by less than this phase share their weights. */
#define SAME_PHASE 2e-3

/* Radius and angle round the axis. */
static double polar(const nfsar_csar_plan *plan, nfsar_vec3 at, double *angle) {
    double x = at.x - plan->cylinder.axis.x, z = at.z - plan->cylinder.axis.z;
    *angle = atan2(z, x);
    return hypot(x, z);
}

static void measure(void *data, size_t line, nfsar_vec3 tx, nfsar_vec3 rx) {
    nfsar_csar_plan *plan = data;
    double angle;
    (void)line;
    nfsar_vec3 middle = nfsar_vec3_midpoint(tx, rx);
    double away = polar(plan, middle, &angle) - plan->cylinder.radius;
    plan->off = fmax(plan->off, fabs(away));
    plan->cylinder.low_y = fmin(plan->cylinder.low_y, middle.y);
    plan->cylinder.high_y = fmax(plan->cylinder.high_y, middle.y);
    double square = compensate_cylinder_square(tx, rx, &plan->cylinder);
    double erect = (tx.y - rx.y) * (tx.y - rx.y);
    plan->widest = fmax(plan->widest, square);
    plan->erect += erect;
    plan->level += square - erect;
}

enum nfsar_status csar_measure(nfsar_csar_plan *plan, nfsar_error *error) {
    plan->off = plan->widest = plan->erect = plan->level = 0.0;
    plan->cylinder.low_y = INFINITY;
    plan->cylinder.high_y = -INFINITY;
    enum nfsar_status status = antennas_each(plan->capture, measure, plan, error);
    if (plan->options.compensation != NFSAR_COMPENSATION_EVERY_RANGE) {
        plan->widest = 0.0;
    }
    return status;
}

/* ---- angles ---- */

/* Angles on a lattice of whole turns stay where they are, if that is right to this share of the
 * tolerance. */
static void look(void *data, size_t line, nfsar_vec3 tx, nfsar_vec3 rx) {
    nfsar_csar_plan *plan = data;
    double angle;
    (void)line;
    polar(plan, nfsar_vec3_midpoint(tx, rx), &angle);
    double steps = (angle - plan->first_angle) * (double)plan->n_angle / (2.0 * NFSAR_PI);
    double off = fabs(steps - rint(steps)) * 2.0 * NFSAR_PI / (double)plan->n_angle;
    if (2.0 * plan->k_max * off * plan->farthest > csar_share(plan)) {
        plan->lattice = false;
    }
}

enum nfsar_status csar_find_lattice(nfsar_csar_plan *plan, nfsar_error *error) {
    double step = plan->cylinder.step_rad, turn = step > 0.0 ? 2.0 * NFSAR_PI / step : 0.0;
    plan->lattice = turn >= 8.0 && turn < 1e6;
    if (!plan->lattice) {
        return NFSAR_OK;
    }
    plan->n_angle = (size_t)rint(turn);
    plan->first_angle = plan->cylinder.first_rad;
    return antennas_each(plan->capture, look, plan, error);
}

/* ---- lines ---- */

static uint32_t class_of(nfsar_csar_plan *plan, struct csar_class class) {
    double same = fmin(SAME_PHASE, plan->options.tolerance);
    double apart = same * 4.0 * plan->near / plan->k_max, nearest = INFINITY;
    size_t best = 0;
    for (size_t i = 0; i < plan->n_class; i++) {
        double off =
            fabs(plan->class[i].square - class.square) + fabs(plan->class[i].along - class.along);
        if (off <= apart) {
            return (uint32_t)i;
        }
        best = off < nearest ? i : best;
        nearest = fmin(nearest, off);
    }
    if (plan->n_class == MOST_CLASSES) {
        return (uint32_t)best;
    }
    plan->class[plan->n_class] = class;
    return (uint32_t)plan->n_class++;
}

static void classify(void *data, size_t line, nfsar_vec3 tx, nfsar_vec3 rx) {
    nfsar_csar_plan *plan = data;
    struct csar_class class = {0};
    if (plan->options.compensation == NFSAR_COMPENSATION_EVERY_RANGE) {
        double erect = (tx.y - rx.y) * (tx.y - rx.y);
        class.square = compensate_cylinder_square(tx, rx, &plan->cylinder);
        class.along = plan->erect >= plan->level ? erect : class.square - erect;
    }
    plan->line[line].class = class_of(plan, class);
}

enum nfsar_status csar_classify(nfsar_csar_plan *plan, nfsar_error *error) {
    plan->line = buffer_alloc(csar_lines(plan), sizeof *plan->line);
    plan->class = calloc(MOST_CLASSES, sizeof *plan->class);
    if (plan->line == NULL || plan->class == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu lines of samples",
                          csar_lines(plan));
    }
    return antennas_each(plan->capture, classify, plan, error);
}

static void fill(void *data, size_t line, nfsar_vec3 tx, nfsar_vec3 rx) {
    nfsar_csar_plan *plan = data;
    struct csar_line *to = plan->line + line;
    double angle;
    nfsar_vec3 middle = nfsar_vec3_midpoint(tx, rx);
    double away = polar(plan, middle, &angle) - plan->cylinder.radius;
    /* An antenna farther out sees everything at boresight later by its offset, there and back. */
    double path = 2.0 * away + compensate_cylinder_path(plan->options.compensation, tx, rx,
                                                        &plan->cylinder, plan->reference);
    to->path = fabs(path) * plan->k_max > 1e-5 ? path : 0.0;
    double steps = (angle - plan->first_angle) * (double)plan->n_angle / (2.0 * NFSAR_PI);
    long turn = (long)plan->n_angle;
    long column = plan->lattice ? lrint(steps) : taps_first(&plan->around, steps, &to->round);
    to->column = (uint32_t)(((column % turn) + turn) % turn);
    to->row = (uint32_t)taps_first(&plan->upward, (middle.y - plan->fine_first) / plan->fine_step,
                                   &to->up);
}

enum nfsar_status csar_fill_lines(nfsar_csar_plan *plan, nfsar_error *error) {
    return antennas_each(plan->capture, fill, plan, error);
}
