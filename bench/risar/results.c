/* One experiment: every method images it, and what they made is measured. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/risar/risar.h"

/* Slices of a volume that bp makes where all of them would take too long. */
enum { SLICES = 2 };

static nfsar_grid middle_slices(const nfsar_grid *grid) {
    nfsar_grid made = *grid;
    size_t first = (grid->z.count - SLICES) / 2;
    made.z = (nfsar_axis){nfsar_axis_at(&grid->z, first), grid->z.step, SLICES};
    return made;
}

static struct risar_result *result_add(struct risar *risar,
                                       const struct risar_experiment *experiment,
                                       enum risar_method method) {
    struct risar_result *grown =
        realloc(risar->result, (risar->n_result + 1) * sizeof *risar->result);
    if (grown == NULL) {
        return NULL;
    }
    risar->result = grown;
    struct risar_result *result = &grown[risar->n_result++];
    *result = (struct risar_result){.method = method,
                                    .voxels = nfsar_grid_voxels(&experiment->grid),
                                    .times = 1.0,
                                    .point = experiment->point != NULL,
                                    .minimum = NAN,
                                    .expected_m = {NAN, NAN, NAN}};
    snprintf(result->experiment, sizeof result->experiment, "%s", experiment->name);
    return result;
}

/* Only one method is planned at a time: plans of scans as large as these take gigabytes together.
 */
static enum nfsar_status time_method(struct risar *risar, const struct risar_experiment *experiment,
                                     const nfsar_grid *grid, struct risar_result *result,
                                     nfsar_image *image, nfsar_error *error) {
    const nfsar_capture *capture = experiment->capture;
    struct risar_imager imager;
    enum nfsar_status status = risar_imager_create(result->method, capture, grid, &imager, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s, %s", experiment->name,
                             risar_method_name(result->method));
    }
    struct bench_row row = {.threads = 1,
                            .work = 1e-6 * (double)nfsar_grid_voxels(grid),
                            .unit = "M voxels",
                            .error_db = NAN};
    snprintf(row.name, sizeof row.name, "%.24s: %s", experiment->name,
             risar_method_name(result->method));
    snprintf(row.size, sizeof row.size, "%zu x %zu to %zux%zux%zu",
             capture->n_pulse * capture->array.n_channel, capture->n_sample, grid->x.count,
             grid->y.count, grid->z.count);
    result->row = bench_row_add(risar->bench, &row);
    result->plan_seconds = imager.plan_seconds;
    result->bytes = imager.bytes;
    struct bench_lane lane = {result->row, risar_imager_run, &imager};
    status = bench_race(risar->bench, &lane, 1, error);
    if (status == NFSAR_OK) {
        *image = imager.image;
        imager.image = (nfsar_image){0};
    }
    risar_imager_free(&imager);
    return status;
}

nfsar_image risar_slices(const nfsar_image *image, const nfsar_image *reference) {
    nfsar_image part = *image;
    double below = (reference->grid.z.start - image->grid.z.start) / image->grid.z.step;
    size_t first = image->grid.z.count > reference->grid.z.count ? (size_t)lround(below) : 0;
    part.data += first * image->grid.x.count * image->grid.y.count;
    part.grid.z = reference->grid.z;
    return part;
}

enum nfsar_status risar_difference(const nfsar_image *reference, const nfsar_image *image,
                                   nfsar_image *difference, nfsar_error *error) {
    nfsar_image part = risar_slices(image, reference);
    double complex along = 0.0;
    double power = 0.0;
    enum nfsar_status status = nfsar_image_create(&reference->grid, difference, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t n = nfsar_grid_voxels(&reference->grid);
    for (size_t i = 0; i < n; i++) {
        double complex value = part.data[i];
        along += conj(value) * (double complex)reference->data[i];
        power += creal(value * conj(value));
    }
    float complex factor = power > 0.0 ? (float complex)(along / power) : 0.0f;
    for (size_t i = 0; i < n; i++) {
        difference->data[i] = factor * part.data[i] - reference->data[i];
    }
    return NFSAR_OK;
}

static enum nfsar_status measure_point(const struct risar_experiment *experiment,
                                       const nfsar_image *image, struct risar_result *result,
                                       nfsar_error *error) {
    const nfsar_grid *grid = &image->grid;
    const size_t count[3] = {grid->x.count, grid->y.count, grid->z.count};
    const double at[3] = {experiment->point->x, experiment->point->y, experiment->point->z};
    double sum = 0.0;
    if (result->method != RISAR_BP) {
        memcpy(result->expected_m, result[-1].expected_m, sizeof result->expected_m);
    }
    enum nfsar_status status = nfsar_image_measure(image, &result->metrics, error);
    for (int axis = 0; status == NFSAR_OK && axis < 3; axis++) {
        if (count[axis] > 1) {
            sum += pow(result->metrics.peak_m[axis] - at[axis], 2.0);
            /* The same for every method: the first one's is kept. */
            status = result->method == RISAR_BP
                         ? risar_expected_width(experiment->capture, *experiment->point, axis,
                                                &result->expected_m[axis], error)
                         : NFSAR_OK;
        }
    }
    result->error_m = sqrt(sum);
    result->minimum = risar_first_minimum(image);
    result->ghost_db = risar_ghost_db(image, experiment->point->y);
    return status;
}

enum nfsar_status risar_experiment_run(struct risar *risar,
                                       const struct risar_experiment *experiment,
                                       nfsar_image *image, nfsar_error *error) {
    const nfsar_grid slices = middle_slices(&experiment->grid);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < experiment->n_method; i++) {
        bool part = experiment->part && i == RISAR_BP && experiment->grid.z.count > SLICES;
        struct risar_result *result = result_add(risar, experiment, (enum risar_method)i);
        if (result == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
        result->times = part ? (double)experiment->grid.z.count / SLICES : 1.0;
        status = time_method(risar, experiment, part ? &slices : &experiment->grid, result,
                             &image[i], error);
        if (status == NFSAR_OK) {
            nfsar_image same = risar_slices(&image[i], &image[RISAR_BP]);
            status = nfsar_image_compare(&image[RISAR_BP], &same, &result->comparison, error);
        }
        if (status == NFSAR_OK && result->point) {
            status = measure_point(experiment, &image[i], result, error);
        }
    }
    return status;
}
