#include "bench/transforms.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fftw3.h>

/* Transforms that are executed by one call: as many as stay in the second-level cache. That is
 * faster than one plan for all, which goes over the whole array more than once. */
#define GROUP_BYTES ((size_t)256 << 10)

/* Most memory that one entry runs through. */
#define LARGEST ((size_t)256 << 20)

struct entry {
    size_t size;        /* numbers of one transform */
    size_t group;       /* transforms of one call */
    size_t calls, rest; /* full groups, and transforms left over */
    size_t room;        /* groups that the array holds */
    fftwf_plan plan, plan_rest;
};

struct bench_transforms {
    int threads;
    size_t n;
    struct entry *entry;
    float complex *data;
};

static fftwf_plan make_plan(const struct bench_transform *transform, size_t group,
                            float complex *data) {
    int size[2] = {(int)transform->rows, (int)transform->length};
    int rank = transform->rows > 1 ? 2 : 1;
    int distance = (int)(transform->rows * transform->length);
    return fftwf_plan_many_dft(rank, rank == 2 ? size : size + 1, (int)group, data, NULL, 1,
                               distance, data, NULL, 1, distance, transform->sign, FFTW_MEASURE);
}

static void set_sizes(const struct bench_transform *transform, struct entry *entry) {
    size_t unit = sizeof(float complex);
    entry->size = transform->rows * transform->length;
    entry->group = GROUP_BYTES / unit / entry->size;
    entry->group = entry->group < 1 ? 1 : entry->group;
    entry->group = entry->group < transform->count ? entry->group : transform->count;
    entry->calls = transform->count / entry->group;
    entry->rest = transform->count % entry->group;
    entry->room = LARGEST / unit / (entry->group * entry->size);
    entry->room = entry->room < 1 ? 1 : entry->room;
    entry->room = entry->room < entry->calls + 1 ? entry->room : entry->calls + 1;
}

static enum nfsar_status fill(const struct bench_transform *list, bench_transforms *made,
                              nfsar_error *error) {
    size_t numbers = 0;
    for (size_t i = 0; i < made->n; i++) {
        set_sizes(&list[i], &made->entry[i]);
        size_t needed = made->entry[i].room * made->entry[i].group * made->entry[i].size;
        numbers = needed > numbers ? needed : numbers;
    }
    made->data = fftwf_alloc_complex(numbers);
    if (made->data == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for transforms");
    }
    for (size_t i = 0; i < made->n; i++) {
        struct entry *entry = &made->entry[i];
        entry->plan = make_plan(&list[i], entry->group, made->data);
        entry->plan_rest = entry->rest > 0 ? make_plan(&list[i], entry->rest, made->data) : NULL;
        if (entry->plan == NULL || (entry->rest > 0 && entry->plan_rest == NULL)) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "FFTW has no plan for length %zu",
                              list[i].length);
        }
    }
    /* Zeros stay zeros however often they are transformed. */
    memset(made->data, 0, numbers * sizeof *made->data);
    return NFSAR_OK;
}

enum nfsar_status bench_transforms_create(const struct bench_transform *list, size_t n, int threads,
                                          bench_transforms **transforms, nfsar_error *error) {
    *transforms = NULL;
    bench_transforms *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->n = n;
        made->threads = threads;
        made->entry = calloc(n, sizeof *made->entry);
    }
    if (made == NULL || made->entry == NULL) {
        free(made);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = fill(list, made, error);
    if (status != NFSAR_OK) {
        bench_transforms_destroy(made);
        return status;
    }
    *transforms = made;
    return NFSAR_OK;
}

enum nfsar_status bench_transforms_run(void *context, nfsar_error *error) {
    bench_transforms *transforms = context;
    (void)error;
#pragma omp parallel num_threads(transforms->threads)
    for (size_t e = 0; e < transforms->n; e++) {
        const struct entry *entry = &transforms->entry[e];
        size_t step = entry->group * entry->size;
#pragma omp for schedule(static)
        for (size_t i = 0; i < entry->calls + (entry->rest > 0); i++) {
            float complex *at = transforms->data + i % entry->room * step;
            fftwf_execute_dft(i < entry->calls ? entry->plan : entry->plan_rest, at, at);
        }
    }
    return NFSAR_OK;
}

double bench_transforms_gflop(const struct bench_transform *list, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double size = (double)(list[i].rows * list[i].length);
        sum += 5e-9 * size * log2(size) * (double)list[i].count;
    }
    return sum;
}

void bench_transforms_destroy(bench_transforms *transforms) {
    if (transforms == NULL) {
        return;
    }
    for (size_t i = 0; transforms->entry != NULL && i < transforms->n; i++) {
        struct entry *entry = &transforms->entry[i];
        if (entry->plan != NULL) {
            fftwf_destroy_plan(entry->plan);
        }
        if (entry->plan_rest != NULL) {
            fftwf_destroy_plan(entry->plan_rest);
        }
    }
    fftwf_free(transforms->data);
    free(transforms->entry);
    free(transforms);
}
