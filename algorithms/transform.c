#include "algorithms/transform.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>

/* FFTW's planner keeps state of its own; this guards it, and nothing of ours. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

size_t transform_length(size_t n) {
    static const size_t factors[] = {2, 3, 5, 7};
    for (size_t length = n > 1 ? n : 1;; length++) {
        size_t rest = length;
        for (size_t i = 0; i < 4; i++) {
            while (rest % factors[i] == 0) {
                rest /= factors[i];
            }
        }
        if (rest == 1) {
            return length;
        }
    }
}

float complex *transform_alloc(size_t n) {
    return n <= SIZE_MAX / sizeof(float complex) / 2 ? fftwf_alloc_complex(n > 0 ? n : 1) : NULL;
}

fftwf_plan transform_plan(size_t length, size_t batch, size_t distance, int sign) {
    if (length > INT_MAX || batch > INT_MAX || distance > INT_MAX) {
        return NULL;
    }
    int n = (int)length;
    float complex *scratch = transform_alloc(distance * batch);
    if (scratch == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&planner);
    fftwf_plan plan = fftwf_plan_many_dft(1, &n, (int)batch, scratch, NULL, 1, (int)distance,
                                          scratch, NULL, 1, (int)distance, sign, FFTW_ESTIMATE);
    pthread_mutex_unlock(&planner);
    fftwf_free(scratch);
    return plan;
}

void transform_destroy(fftwf_plan plan) {
    if (plan != NULL) {
        pthread_mutex_lock(&planner);
        fftwf_destroy_plan(plan);
        pthread_mutex_unlock(&planner);
    }
}
