#include "algorithms/transform.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "algorithms/buffer.h"

/* FFTW's planner keeps state of its own; this guards it and `learnt`, which says whether there is
 * more in it than was brought in. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;
static bool learnt;

/* Work, in seconds, from which on measuring is worth its time, as wisdom is kept for later runs. */
#define WORTH_MEASURING 0.02

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

double transform_cost(size_t n) {
    static const struct {
        size_t factor;
        double once, again; /* nanoseconds a number */
    } penalty[] = {{3, 0.08, 0.3}, {5, 0.1, 0.3}, {7, 0.4, 0.4}};
    double each = 0.7;
    size_t rest = n;
    for (size_t i = 0; i < sizeof penalty / sizeof penalty[0]; i++) {
        for (bool first = true; rest % penalty[i].factor == 0; first = false) {
            each += first ? penalty[i].once : penalty[i].again;
            rest /= penalty[i].factor;
        }
    }
    /* Vectors want powers of two. */
    each += rest % 16 == 0 ? 0.0 : rest % 8 == 0 ? 0.1 : rest % 4 == 0 ? 0.5 : rest % 2 ? 2.0 : 1.2;
    return 30.0 + each * (double)n * fmax(0.5, log2((double)n + 1.0) / 9.0);
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

/* With the planner locked. */
static fftwf_plan plan_line(int n, int sign, double lines, double seconds, float complex *in,
                            float complex *out) {
    fftwf_plan plan = fftwf_plan_dft_1d(n, in, out, sign, FFTW_MEASURE | FFTW_WISDOM_ONLY);
    if (plan == NULL && 1e-9 * transform_cost((size_t)n) * lines > WORTH_MEASURING) {
        fftwf_set_timelimit(seconds);
        fftwf_destroy_plan(fftwf_plan_dft_1d(n, in, out, sign, FFTW_MEASURE));
        fftwf_set_timelimit(FFTW_NO_TIMELIMIT);
        /* Out of time, FFTW has learnt nothing. */
        plan = fftwf_plan_dft_1d(n, in, out, sign, FFTW_MEASURE | FFTW_WISDOM_ONLY);
        learnt = learnt || plan != NULL;
    }
    return plan != NULL ? plan : fftwf_plan_dft_1d(n, in, out, sign, FFTW_ESTIMATE);
}

fftwf_plan transform_plan_within(size_t length, int sign, double lines, double seconds) {
    if (length > INT_MAX) {
        return NULL;
    }
    float complex *in = buffer_alloc(length, sizeof *in), *out = buffer_alloc(length, sizeof *out);
    fftwf_plan plan = NULL;
    if (in != NULL && out != NULL) {
        pthread_mutex_lock(&planner);
        plan = plan_line((int)length, sign, lines, seconds, in, out);
        pthread_mutex_unlock(&planner);
    }
    free(in);
    free(out);
    return plan;
}

fftwf_plan transform_plan_line(size_t length, int sign, double lines) {
    return transform_plan_within(length, sign, lines, TRANSFORM_PLANNING);
}

char *transform_wisdom(void) {
    pthread_mutex_lock(&planner);
    char *wisdom = fftwf_export_wisdom_to_string();
    pthread_mutex_unlock(&planner);
    return wisdom;
}

bool transform_learn(const char *wisdom) {
    pthread_mutex_lock(&planner);
    bool understood = fftwf_import_wisdom_from_string(wisdom) != 0;
    learnt = false;
    pthread_mutex_unlock(&planner);
    return understood;
}

bool transform_has_learnt(void) {
    pthread_mutex_lock(&planner);
    bool answer = learnt;
    pthread_mutex_unlock(&planner);
    return answer;
}

void transform_destroy(fftwf_plan plan) {
    if (plan != NULL) {
        pthread_mutex_lock(&planner);
        fftwf_destroy_plan(plan);
        pthread_mutex_unlock(&planner);
    }
}
