#include "algorithms/enhance/plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static struct enhance_planes row_of(const struct enhance_plan *plan, struct enhance_planes image,
                                    size_t y) {
    image.data += y * plan->row;
    return image;
}

static struct enhance_planes from_plane(struct enhance_planes image, int first) {
    image.data += (size_t)first * image.pitch;
    return image;
}

/* add may be NULL, or out. */
static void convolve(const struct enhance_plan *plan, const struct enhance_product *product,
                     struct enhance_planes in, struct enhance_planes out,
                     const struct enhance_planes *add) {
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (size_t y = 0; y < plan->height; y++) {
        const struct enhance_planes sum = add != NULL ? row_of(plan, *add, y) : in;
        plan->kernels->product(product, row_of(plan, in, y), plan->row, row_of(plan, out, y),
                               add != NULL ? &sum : NULL, plan->width);
    }
}

/* now to out, which may be now itself. */
static void run_mv2(const struct enhance_plan *plan, const struct enhance_mv2 *mv2,
                    struct enhance_planes out) {
    const struct enhance_planes now = plan->now.planes, mid = plan->mid.planes;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (size_t y = 0; y < plan->height; y++) {
        plan->kernels->depthwise(&mv2->dw, row_of(plan, now, y), plan->row, row_of(plan, mid, y),
                                 plan->width);
    }
    convolve(plan, &mv2->pw, mid, out, mv2->sum ? &now : NULL);
}

/* Pixels at place (px, py) of every patch are one group: from the image to tokens, or back. */
static void move_group(const struct enhance_plan *plan, size_t place, int d, bool back,
                       float *tokens) {
    const size_t patch = (size_t)plan->model->shape.patch, across = plan->width / patch;
    for (int c = 0; c < d; c++) {
        float *plane = plan->narrow.planes.data + (size_t)c * plan->narrow.planes.pitch;
        float *token = tokens + (size_t)c * plan->pitch;
        plane += place / patch * plan->row + place % patch;
        for (size_t h = 0; h < plan->height / patch; h++, plane += patch * plan->row) {
            for (size_t w = 0; w < across; w++, token++) {
                if (back) {
                    plane[w * patch] = *token;
                } else {
                    *token = plane[w * patch];
                }
            }
        }
        if (!back) {
            memset(token, 0, (plan->rounded - plan->tokens) * sizeof *token);
        }
    }
}

static void run_transformer(const struct enhance_plan *plan, int stage) {
    const int patch = plan->model->shape.patch, d = plan->model->shape.stage[stage].d;
#pragma omp parallel for num_threads(plan->threads) schedule(static)
    for (int place = 0; place < patch * patch; place++) {
        const struct enhance_group *group = &plan->group[omp_get_thread_num()];
        move_group(plan, (size_t)place, d, false, group->tokens);
        enhance_transform_group(plan, stage, group);
        move_group(plan, (size_t)place, d, true, group->tokens);
    }
}

static void run_stage(const struct enhance_plan *plan, int s) {
    const struct enhance_stage *stage = &plan->model->stage[s];
    const struct enhance_planes pair = plan->pair.planes, narrow = plan->narrow.planes;
    const struct enhance_planes came = from_plane(pair, plan->model->shape.stage[s].channels);
    run_mv2(plan, &stage->mv2, came);
    convolve(plan, &stage->local, came, plan->mid.planes, NULL);
    convolve(plan, &stage->project, plan->mid.planes, narrow, NULL);
    run_transformer(plan, s);
    convolve(plan, &stage->expand, narrow, pair, NULL);
    convolve(plan, &stage->fuse, pair, plan->now.planes, NULL);
}

/* From what went into pair to the head's planes, in mid. */
static void run_network(const struct enhance_plan *plan) {
    const nfsar_enhance_model *model = plan->model;
    convolve(plan, &model->conv1, plan->pair.planes, plan->now.planes, NULL);
    for (int i = 0; i < model->shape.stem; i++) {
        run_mv2(plan, &model->stem[i], plan->now.planes);
    }
    for (int s = 0; s < model->shape.n_stage; s++) {
        run_stage(plan, s);
    }
    convolve(plan, &model->head, plan->now.planes, plan->mid.planes, NULL);
}

/* Where the pixels x = 0, 1 of row y have their numbers in plane c of an image of squares: every
 * pixel of a square has a plane, [c][y in it][x in it]. */
struct square_row {
    float *data; /* of x = 0 */
    size_t pitch, shuffle;
};

static struct square_row row_of_squares(const struct enhance_plan *plan,
                                        struct enhance_planes image, int c, size_t y) {
    const size_t shuffle = (size_t)plan->model->shape.shuffle;
    const size_t plane = ((size_t)c * shuffle + y % shuffle) * shuffle;
    return (struct square_row){image.data + plane * image.pitch + y / shuffle * plan->row,
                               image.pitch, shuffle};
}

static float *pixel_of(const struct square_row *row, size_t x) {
    return row->data + x % row->shuffle * row->pitch + x / row->shuffle;
}

double enhance_magnitude(const struct enhance_shape *shape, const float *in, size_t plane,
                         size_t i) {
    const double re = (double)in[i], im = shape->inputs == 2 ? (double)in[plane + i] : 0.0;
    return shape->inputs == 2 ? sqrt(re * re + im * im) : re;
}

static void put_in(const struct enhance_plan *plan, const struct enhance_part *part, double scale) {
    const struct enhance_shape *shape = &plan->model->shape;
    const size_t width = plan->width * (size_t)shape->shuffle;
    const size_t height = plan->height * (size_t)shape->shuffle;
    for (int c = 0; c < shape->planes; c++) {
        for (size_t y = 0; y < height; y++) {
            const struct square_row row = row_of_squares(plan, plan->pair.planes, c, y);
            for (size_t x = 0; x < width; x++) {
                const size_t i = y * part->row + x;
                double value = 0.0;
                if (x < part->nx && y < part->ny) {
                    value = c < shape->inputs ? (double)part->in[(size_t)c * part->plane + i]
                                              : enhance_magnitude(shape, part->in, part->plane, i);
                }
                *pixel_of(&row, x) = (float)(value * scale);
            }
        }
    }
}

/* Networks learn images of 0 to 1, and those without an activation overshoot at both ends. */
static double limit(double value, double peak) {
    return value < 0.0 ? 0.0 : value > peak ? peak : value;
}

static enum nfsar_status take_out(const struct enhance_plan *plan, const struct enhance_part *part,
                                  double peak, nfsar_error *error) {
    const struct enhance_shape *shape = &plan->model->shape;
    for (size_t y = 0; y < part->ny; y++) {
        const struct square_row row = row_of_squares(plan, plan->mid.planes, 0, y);
        for (size_t x = 0; x < part->nx; x++) {
            const size_t i = y * part->row + x;
            const float came = *pixel_of(&row, x);
            if (!isfinite(came)) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "the network makes %g of pixel (%zu, %zu) of a tile: its weights "
                                  "are beyond what 32-bit floats can compute",
                                  (double)came, x, y);
            }
            double value = (double)came * peak;
            if (shape->output == ENHANCE_RESIDUAL) {
                value += enhance_magnitude(shape, part->in, part->plane, i);
            }
            const double share = (double)part->weight_x[x] * (double)part->weight_y[y];
            part->out[i] += (float)(limit(value, peak) * share);
        }
    }
    return NFSAR_OK;
}

static double find_peak(const struct enhance_shape *shape, const struct enhance_part *part) {
    double peak = 0.0;
    for (size_t y = 0; y < part->ny; y++) {
        for (size_t x = 0; x < part->nx; x++) {
            const double is = enhance_magnitude(shape, part->in, part->plane, y * part->row + x);
            peak = is > peak ? is : peak;
        }
    }
    return peak;
}

enum nfsar_status enhance_plan_execute(struct enhance_plan *plan, const struct enhance_part *part,
                                       nfsar_error *error) {
    const double peak = find_peak(&plan->model->shape, part);
    if (peak == 0.0) {
        return NFSAR_OK;
    }
    put_in(plan, part, 1.0 / peak);
    run_network(plan);
    return take_out(plan, part, peak, error);
}
