/* Sizes of cylindrical imaging: how far waves spread, how many orders and k_y it takes, what lies
 * in memory at a time. */
#include "algorithms/csar_plan.h"

#include <math.h>
#include <stdlib.h>

/* Points of the grids that are spread on, over those that are kept. */
#define OVER_ANGLES  1.5
#define OVER_HEIGHTS 1.6
#define OVER_VOXELS  1.25

/* Waves closer to the axis' direction than this are left out. */
#define LARGEST_SINE 0.98

/* Voxels keep this distance from the cylinder, of its radius and in wavelengths: nearer ones want
 * waves that do not travel. */
#define CLOSEST_PART        0.02
#define CLOSEST_WAVELENGTHS 2.0

/* Phase that positions off the cylinder may be wrong by. */
#define MOST_DEVIATION 0.8

/* Bytes of samples that are read at a time. */
#define BLOCK_BYTES ((size_t)32 << 20)

/* Bytes of slices at a time, below which shorter transforms are not worth more of them. */
#define SLICES_BYTES (256e6)

/* A set's period along y is so many wavelengths or more, and its transform so long or less. */
#define SHORTEST_PART 6.0
#define LONGEST       32768.0

/* ---- distances ---- */

static double corner(const nfsar_axis *axis, double centre) {
    return fmax(fabs(axis->start - centre), fabs(nfsar_axis_end(axis) - centre));
}

static void find_ranges(nfsar_csar_plan *plan) {
    const nfsar_grid *grid = &plan->grid;
    const nfsar_cylinder *at = &plan->cylinder;
    double first = grid->y.start, last = nfsar_axis_end(&grid->y);
    plan->farthest = hypot(corner(&grid->x, at->axis.x), corner(&grid->z, at->axis.z));
    plan->rise = fmax(at->high_y - first, last - at->low_y);
    plan->rise = fmax(plan->rise, 0.0);
    double least = fmax(0.0, fmax(first - at->high_y, at->low_y - last));
    plan->near = hypot(at->radius - plan->farthest - plan->off, least);
    plan->far = hypot(at->radius + plan->farthest + plan->off, plan->rise);
}

static enum nfsar_status check_inside(const nfsar_csar_plan *plan, nfsar_error *error) {
    double radius = plan->cylinder.radius, wavelength = 2.0 * NFSAR_PI / plan->k_min;
    double limit =
        radius - plan->off - fmax(CLOSEST_PART * radius, CLOSEST_WAVELENGTHS * wavelength);
    if (plan->farthest <= limit) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                      "the grid reaches %.4g m from the axis at x = %.4g, z = %.4g m, but the "
                      "radar goes round at %.4g m: the grid's corners have to stay within %.4g m",
                      plan->farthest, plan->cylinder.axis.x, plan->cylinder.axis.z, radius,
                      fmax(limit, 0.0));
}

/* Largest phase that compensation at boresight leaves of an offset from the cylinder. */
static double deviation(const nfsar_csar_plan *plan) {
    double sine = fmin(plan->farthest / plan->cylinder.radius, 1.0);
    double around = sqrt(1.0 - sine * sine);
    double up = plan->cylinder.radius / hypot(plan->cylinder.radius, plan->rise);
    return 2.0 * plan->k_max * plan->off * (1.0 - around * up);
}

/* ---- the end of the spectrum ---- */

/* Fresnel zones between the last angle that a pair has and the end of the spectrum. */
static double margin(const nfsar_csar_plan *plan) {
    double zone = sqrt(NFSAR_PI * plan->far / plan->k_max);
    double usual = 1.2 * log10(1.0 / plan->options.tolerance) - 1.9;
    /* Where aperture and grid are narrow, most pairs are at the edge. */
    double narrow = 1.2 * log10(1.0 / plan->options.tolerance);
    double part = fmin(plan->rise / (6.0 * zone), 1.0);
    return fmax(1.5, narrow + (usual - narrow) * part);
}

/* Angle at which a wave has turned by pi M^2 from the stationary one of a pair `rise` apart in
 * height and `away` from the axis' direction. */
static double end_angle(const nfsar_csar_plan *plan, double away, double zones) {
    double a = atan2(plan->rise, away);
    double cosine = 1.0 - NFSAR_PI * zones * zones * cos(a) / (2.0 * plan->k_max * away);
    return a + acos(fmax(cosine, 0.0));
}

/* Returns the length along y within which waves must not come round again. */
static double find_end(nfsar_csar_plan *plan) {
    double least = plan->cylinder.radius - plan->farthest, limit = asin(LARGEST_SINE);
    double most = plan->cylinder.radius + plan->farthest, zones = margin(plan);
    plan->full = fmin(atan2(plan->rise, least), 0.98 * limit);
    plan->end = plan->full + 1e-3;
    for (int i = 0; i <= 8; i++) {
        double away = least * pow(most / least, i / 8.0);
        plan->end = fmax(plan->end, end_angle(plan, away, zones));
    }
    plan->end = fmin(plan->end, limit);
    double zone = sqrt(NFSAR_PI * most / plan->k_max) / pow(cos(plan->end), 1.5);
    return plan->rise + most * tan(plan->end) + zone;
}

double csar_end(const nfsar_csar_plan *plan, double sine) {
    sine = fabs(sine);
    if (sine >= sin(plan->end)) {
        return 0.0;
    }
    double part = (asin(sine) - plan->full) / (plan->end - plan->full);
    /* What erfc leaves at the ends is a step of the spectrum: 8e-7. */
    return part <= 0.0 ? 1.0 : 0.5 * erfc(3.4 * (2.0 * part - 1.0));
}

/* ---- orders ---- */

size_t csar_orders(const nfsar_csar_plan *plan, double k_r) {
    double x = k_r * plan->farthest;
    /* J_n(x) at n = x + c x^(1/3) is Ai(2^(1/3) c), about exp(-2/3 (2^(1/3) c)^1.5). */
    double nats = log(10.0 / plan->options.tolerance);
    double c = pow(1.5 * nats, 2.0 / 3.0) / cbrt(2.0);
    return (size_t)ceil(x + c * cbrt(fmax(x, 1.0))) + 4;
}

/* ---- k_y and heights ---- */

static double highest_k_y(const nfsar_csar_plan *plan) {
    return sin(plan->end) * plan->node[plan->n_node - 1];
}

long csar_set(const nfsar_csar_plan *plan, size_t r, size_t *count) {
    long sets = (long)plan->n_residue, low = -plan->half - (long)r, high = plan->half - (long)r;
    long first = low >= 0 ? (low + sets - 1) / sets : -(-low / sets);
    long last = high >= 0 ? high / sets : -((-high + sets - 1) / sets);
    *count = last >= first ? (size_t)(last - first + 1) : 0;
    return first;
}

/* Between the heights that come out: the grid's, or for one height any. */
static double rise_step(const nfsar_csar_plan *plan) {
    return plan->grid.y.count > 1 ? plan->grid.y.step : NFSAR_PI / highest_k_y(plan);
}

/* Everything along y that follows from the length of the transform to the grid's heights. */
static void size_rise(nfsar_csar_plan *plan, double period, size_t down_length) {
    double k_max = highest_k_y(plan);
    double part = rise_step(plan) * (double)down_length;
    plan->down_length = down_length;
    plan->n_residue = (size_t)ceil(period / part);
    plan->k_y_step = 2.0 * NFSAR_PI / (part * (double)plan->n_residue);
    plan->half = (long)floor(k_max / plan->k_y_step);
    plan->bins = (size_t)(2 * plan->half + 1) / plan->n_residue + 1;
    plan->rise_length = transform_length((size_t)ceil(part * OVER_HEIGHTS * k_max / NFSAR_PI) + 2);
    plan->fine_step = part / (double)plan->rise_length;
    double span = plan->cylinder.high_y - plan->cylinder.low_y;
    plan->n_fine = csar_pitch((size_t)ceil(span / plan->fine_step) + GRIDDING_WIDEST + 2);
    plan->fine_first = plan->cylinder.low_y - plan->fine_step * (0.5 * GRIDDING_WIDEST + 1.0);
}

/* The fewest sets whose transforms are at most `longest` long, and as short as these allow. */
static void try_rise(nfsar_csar_plan *plan, double period, size_t longest) {
    double step = rise_step(plan), sets = ceil(period / (step * (double)longest));
    size_rise(plan, period, transform_length((size_t)ceil(period / (step * sets))));
}

static enum nfsar_status choose_rise(nfsar_csar_plan *plan, double period, nfsar_error *error) {
    double least = ceil(SHORTEST_PART * 2.0 * NFSAR_PI / (plan->k_max * rise_step(plan)));
    if (!(least <= LONGEST)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "voxels %.3g m apart along y are finer than csar makes: %.2g m or more",
                          plan->grid.y.step,
                          SHORTEST_PART * 2.0 * NFSAR_PI / (plan->k_max * LONGEST));
    }
    size_t longest = plan->grid.y.count > 32 ? 2 * plan->grid.y.count : 64;
    longest = longest > (size_t)least ? longest : (size_t)least;
    try_rise(plan, period, longest);
    while (longest > 16 && longest / 2 > (size_t)least &&
           (double)(plan->bins * csar_slice_pitch(plan) * sizeof(float complex)) > SLICES_BYTES) {
        longest = (longest + 1) / 2;
        try_rise(plan, period, longest);
    }
    return NFSAR_OK;
}

/* ---- memory ---- */

/* Pulses whose samples are read at a time. */
static size_t pulses_within(const nfsar_csar_plan *plan, size_t limit) {
    size_t pulse = plan->capture->array.n_channel * plan->capture->n_sample * sizeof(float complex);
    size_t most = limit / 8 < BLOCK_BYTES ? limit / 8 : BLOCK_BYTES;
    size_t n = most / pulse < 1 ? 1 : most / pulse;
    return n < plan->capture->n_pulse ? n : plan->capture->n_pulse;
}

/* Bytes with so many nodes in memory, and the scratch that they take. */
static size_t bytes_of(nfsar_csar_plan *plan, size_t group) {
    size_t n = 2 * plan->orders + 1, unit = sizeof(float complex), planes = group * plan->n_term;
    plan->group = group;
    plan->work_size = csar_place_work(plan);
    size_t works[] = {csar_waves_work(plan), csar_slices_work(plan), csar_rise_work(plan)};
    for (size_t i = 0; i < 3; i++) {
        plan->work_size = works[i] > plan->work_size ? works[i] : plan->work_size;
    }
    plan->work_size = csar_pitch(plan->work_size);
    size_t pulse = plan->capture->array.n_channel * plan->capture->n_sample;
    return unit * (planes * csar_lines(plan) + planes * n * plan->n_fine + plan->bins * planes * n +
                   plan->bins * csar_slice_pitch(plan) + plan->pulse_block * pulse +
                   (size_t)plan->threads * plan->n_fine * plan->angle_row +
                   (size_t)plan->threads * plan->work_size) +
           csar_lines(plan) * sizeof(struct csar_line);
}

static enum nfsar_status size_memory(nfsar_csar_plan *plan, nfsar_error *error) {
    size_t limit = plan->options.memory > 0 ? plan->options.memory : (size_t)2 << 30;
    size_t group = plan->n_node;
    plan->pulse_block = pulses_within(plan, limit);
    plan->bytes = bytes_of(plan, group);
    while (group > 1 && plan->bytes > limit) {
        group = (group + 1) / 2;
        plan->bytes = bytes_of(plan, group);
    }
    if (plan->bytes <= limit) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                      "csar takes %.0f MiB for %zu lines of samples and a grid of %zu x %zu x %zu, "
                      "more than the %.0f MiB allowed",
                      (double)plan->bytes / 1048576.0, csar_lines(plan), plan->grid.x.count,
                      plan->grid.y.count, plan->grid.z.count, (double)limit / 1048576.0);
}

/* ---- all together ---- */

/* All of an execution takes so many times its transforms. */
#define OVER_TRANSFORMS 3.5

static double estimate(const nfsar_csar_plan *plan) {
    double nodes = (double)plan->n_node, terms = nodes * (double)plan->n_term;
    double orders = 2.0 * (double)plan->orders + 1.0, k_y = 2.0 * (double)plan->half + 1.0;
    double sets = (double)plan->n_residue, nx = (double)plan->x.count, nz = (double)plan->z.count;
    double across = (double)plan->z.length * transform_cost(plan->x.length) +
                    nx * transform_cost(plan->z.length);
    double sum = terms * (double)plan->n_fine * transform_cost(plan->n_angle) +
                 sets * terms * orders * transform_cost(plan->rise_length) +
                 k_y * nodes * transform_cost(plan->length[plan->n_length - 1]) + k_y * across +
                 sets * nx * nz * transform_cost(plan->down_length);
    return OVER_TRANSFORMS * 1e-9 * sum;
}

static void size_angles(nfsar_csar_plan *plan) {
    plan->orders = csar_orders(plan, plan->node[plan->n_node - 1]);
    size_t kept = 2 * plan->orders + 1;
    /* A lattice much finer than the orders is not worth its transforms. */
    plan->lattice = plan->lattice && plan->n_angle <= 4 * kept;
    if (!plan->lattice) {
        plan->n_angle = transform_length((size_t)ceil(OVER_ANGLES * (double)kept) + 2);
    }
    plan->angle_row = csar_pitch(plan->n_angle + GRIDDING_WIDEST);
    /* Lengths of the transforms to angles of waves: from the most orders down. A product of two
     * functions of so many orders is summed exactly. */
    size_t most = 2 * plan->orders + 4, least = most / 4;
    plan->n_length = 0;
    for (size_t i = 0; i < CSAR_LENGTHS; i++) {
        size_t wanted = least + (most - least) * (i + 1) / CSAR_LENGTHS;
        size_t length = transform_length(wanted);
        if (plan->n_length == 0 || length > plan->length[plan->n_length - 1]) {
            plan->length[plan->n_length++] = length;
        }
    }
}

static void size_lateral(const nfsar_axis *axis, double centre, struct csar_lateral *to) {
    to->count = axis->count;
    to->step = axis->count > 1 ? axis->step : 1e-3;
    to->length = transform_length((size_t)ceil(OVER_VOXELS * (double)axis->count) + 4);
    if (to->length < GRIDDING_WIDEST) {
        to->length = GRIDDING_WIDEST;
    }
    to->middle = axis->start + to->step * (double)(axis->count / 2) - centre;
}

static void size_kernels(nfsar_csar_plan *plan) {
    double share = csar_share(plan);
    double over = (double)plan->n_angle / (double)(2 * plan->orders + 1);
    struct gridding kernel = gridding_choose(share, plan->lattice ? OVER_ANGLES : over);
    taps_make(&kernel, &plan->around);
    kernel = gridding_choose(share, OVER_HEIGHTS);
    taps_make(&kernel, &plan->upward);
    kernel = gridding_choose(share, OVER_VOXELS);
    taps_make(&kernel, &plan->across);
}

enum nfsar_status csar_size(nfsar_csar_plan *plan, nfsar_csar_report *report, nfsar_error *error) {
    enum nfsar_status status = csar_measure(plan, error);
    if (status != NFSAR_OK) {
        return status;
    }
    find_ranges(plan);
    double r0 = plan->cylinder.radius, r = plan->farthest;
    if (report != NULL) {
        report->farthest_m = r;
        report->angle_step_rad =
            r > 0.0 ? NFSAR_PI * hypot(r0, r) / (2.0 * plan->k_max * r0 * r) : 2.0 * NFSAR_PI;
        report->deviation_rad = deviation(plan);
        report->steepest_rad = atan2(plan->rise, r0 - r);
    }
    status = check_inside(plan, error);
    if (status == NFSAR_OK && deviation(plan) > MOST_DEVIATION) {
        status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "positions lie up to %.3g mm off the cylinder, which makes phases "
                            "wrong by up to %.0f degrees at the grid's corners",
                            1e3 * plan->off, deviation(plan) * 180.0 / NFSAR_PI);
    }
    if (status == NFSAR_OK) {
        status = csar_classify(plan, error);
    }
    double period = status == NFSAR_OK ? find_end(plan) : 0.0;
    if (status == NFSAR_OK) {
        status = csar_nodes(plan, error);
    }
    if (status == NFSAR_OK) {
        status = csar_find_lattice(plan, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    size_angles(plan);
    size_lateral(&plan->grid.x, plan->cylinder.axis.x, &plan->x);
    size_lateral(&plan->grid.z, plan->cylinder.axis.z, &plan->z);
    status = choose_rise(plan, period, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_kernels(plan);
    if (report != NULL) {
        report->seconds = estimate(plan);
        report->slope_rad = plan->slope_phase;
    }
    return size_memory(plan, error);
}
