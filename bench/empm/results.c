/* One experiment: every method images it in one race, and what they made is measured. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/empm/papers.h"

/* Slices of a volume that bp makes where all of them would take too long. */
enum { SLICES = 2 };

/* What is imaged by one method of an experiment. */
struct entrant {
    struct papers_imager imager;
    size_t result; /* index into papers->result */
    bool there;
};

static nfsar_grid middle_slices(const nfsar_grid *grid) {
    nfsar_grid made = *grid;
    size_t first = (grid->z.count - SLICES) / 2;
    made.z = (nfsar_axis){nfsar_axis_at(&grid->z, first), grid->z.step, SLICES};
    return made;
}

static bool is_part(const struct papers_experiment *experiment, enum papers_method method) {
    return experiment->three_d && method == PAPERS_BP && experiment->grid.z.count > SLICES;
}

static struct papers_result *result_add(struct papers *papers,
                                        const struct papers_experiment *experiment,
                                        enum papers_method method) {
    struct papers_result *grown =
        realloc(papers->result, (papers->n_result + 1) * sizeof *papers->result);
    if (grown == NULL) {
        return NULL;
    }
    papers->result = grown;
    struct papers_result *result = &grown[papers->n_result++];
    *result = (struct papers_result){.method = method,
                                     .lines = papers_lines(experiment->capture),
                                     .samples = experiment->capture->n_sample,
                                     .voxels = nfsar_grid_voxels(&experiment->grid),
                                     .plan_seconds = NAN,
                                     .times = 1.0,
                                     .point = experiment->point};
    if (is_part(experiment, method)) {
        result->times = (double)experiment->grid.z.count / SLICES;
    }
    snprintf(result->experiment, sizeof result->experiment, "%s", experiment->name);
    return result;
}

/* Whether the method says that it is not meant for this scan, rather than that it failed. */
static bool refuses(enum nfsar_status status) {
    return status == NFSAR_ERROR_GEOMETRY || status == NFSAR_ERROR_UNSUPPORTED;
}

static enum nfsar_status enter(struct papers *papers, const struct papers_experiment *experiment,
                               enum papers_method method, struct entrant *entrant,
                               nfsar_error *error) {
    nfsar_grid part = middle_slices(&experiment->grid);
    const nfsar_grid *grid = is_part(experiment, method) ? &part : &experiment->grid;
    struct papers_result *result = result_add(papers, experiment, method);
    if (result == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status =
        papers_imager_create(method, experiment->capture, grid, &entrant->imager, error);
    if (refuses(status)) {
        snprintf(result->refused, sizeof result->refused, "%.*s", (int)sizeof result->refused - 1,
                 error->message);
        return NFSAR_OK;
    }
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s, %s", experiment->name, papers_method_name(method));
    }
    struct bench_row row = {.threads = 1,
                            .work = 1e-6 * (double)nfsar_grid_voxels(grid),
                            .unit = "M voxels",
                            .error_db = NAN};
    snprintf(row.name, sizeof row.name, "%.26s: %s", experiment->name, papers_method_name(method));
    snprintf(row.size, sizeof row.size, "%zu x %zu to %zux%zux%zu", result->lines, result->samples,
             grid->x.count, grid->y.count, grid->z.count);
    result->row = bench_row_add(papers->bench, &row);
    result->plan_seconds = entrant->imager.plan_seconds;
    result->bytes = entrant->imager.bytes;
    entrant->result = papers->n_result - 1;
    entrant->there = true;
    return NFSAR_OK;
}

static enum nfsar_status race(struct papers *papers, struct entrant *entrant, size_t n,
                              nfsar_error *error) {
    struct bench_lane lane[PAPERS_MOST_METHODS];
    size_t n_lane = 0;
    for (size_t i = 0; i < n; i++) {
        if (entrant[i].there) {
            lane[n_lane++] = (struct bench_lane){papers->result[entrant[i].result].row,
                                                 papers_imager_run, &entrant[i].imager};
        }
    }
    return n_lane > 0 ? bench_race(papers->bench, lane, n_lane, error) : NFSAR_OK;
}

/* The slices of an image that lie on the reference's, as an image that borrows them. */
static nfsar_image like(const nfsar_image *image, const nfsar_image *reference) {
    nfsar_image part = *image;
    double below = (reference->grid.z.start - image->grid.z.start) / image->grid.z.step;
    size_t first = image->grid.z.count > reference->grid.z.count ? (size_t)lround(below) : 0;
    part.data += first * image->grid.x.count * image->grid.y.count;
    part.grid.z = reference->grid.z;
    return part;
}

static enum nfsar_status measure(struct papers *papers, const struct entrant *entrant,
                                 const nfsar_image *reference, nfsar_error *error) {
    struct papers_result *result = &papers->result[entrant->result];
    enum nfsar_status status = nfsar_image_measure(&entrant->imager.image, &result->metrics, error);
    if (status == NFSAR_OK && reference != NULL) {
        nfsar_image part = like(&entrant->imager.image, reference);
        status = nfsar_image_compare(reference, &part, &result->comparison, error);
        result->compared = status == NFSAR_OK;
    }
    return status;
}

static enum nfsar_status measure_all(struct papers *papers,
                                     const struct papers_experiment *experiment,
                                     const struct entrant *entrant, nfsar_error *error) {
    const nfsar_image *reference = NULL;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; i < experiment->n_method; i++) {
        if (experiment->method[i] == PAPERS_BP && entrant[i].there) {
            reference = &entrant[i].imager.image;
        }
    }
    for (size_t i = 0; status == NFSAR_OK && i < experiment->n_method; i++) {
        if (entrant[i].there) {
            status = measure(papers, &entrant[i], reference, error);
        }
    }
    return status;
}

enum nfsar_status papers_experiment_run(struct papers *papers,
                                        const struct papers_experiment *experiment,
                                        nfsar_image *image, nfsar_error *error) {
    struct entrant entrant[PAPERS_MOST_METHODS] = {0};
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < experiment->n_method; i++) {
        status = enter(papers, experiment, experiment->method[i], &entrant[i], error);
    }
    if (status == NFSAR_OK) {
        status = race(papers, entrant, experiment->n_method, error);
    }
    if (status == NFSAR_OK) {
        status = measure_all(papers, experiment, entrant, error);
    }
    for (size_t i = 0; i < experiment->n_method; i++) {
        if (image != NULL) {
            image[i] = entrant[i].imager.image;
            entrant[i].imager.image = (nfsar_image){0};
        }
        papers_imager_free(&entrant[i].imager);
    }
    return status;
}
