#include "algorithms/lateral.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "algorithms/chirpz.h"
#include "algorithms/transform.h"

/* Phase, in turns, that may be lost at the far end of a line by taking alpha for 2 pi / length. */
#define LOST_TURNS 1e-6

/* Padding to a period of the grid may cost this much more than the chirp-z transform. */
#define LONGEST_DIRECT ((size_t)1 << 22)

struct lateral {
    size_t bins, half, n_out;
    size_t length;       /* of the FFT; 0: chirp-z */
    fftwf_plan backward; /* NULL when length is 1 */
    chirpz *chirp;
};

size_t lateral_direct_length(double alpha, size_t n_out) {
    if (alpha == 0.0) {
        return 1; /* a single place, from which every wave is seen alike */
    }
    double length = 2.0 * NFSAR_PI / fabs(alpha), nearest = round(length);
    /* The phase of the outermost place and wave is n_out / 2 turns at most, in which the relative
     * error of alpha counts. */
    double lost = fabs(length - nearest) / length * 0.5 * (double)n_out;
    bool fits = nearest >= (double)n_out && nearest < (double)LONGEST_DIRECT && lost < LOST_TURNS &&
                alpha > 0.0;
    return fits && transform_length((size_t)nearest) == (size_t)nearest ? (size_t)nearest : 0;
}

static size_t chirp_length(size_t bins, size_t n_out) {
    return transform_length(bins + n_out - 1);
}

double lateral_cost(size_t bins, double alpha, size_t n_out) {
    size_t direct = lateral_direct_length(alpha, n_out);
    if (direct > 0) {
        return transform_cost(direct);
    }
    size_t length = chirp_length(bins, n_out);
    return 2.0 * transform_cost(length) + 2.0 * (double)length;
}

lateral *lateral_create_chirp(size_t bins, size_t half, size_t n_out, double alpha) {
    lateral *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return NULL;
    }
    *plan = (lateral){.bins = bins, .half = half, .n_out = n_out};
    plan->chirp = chirpz_create(bins, -(long)half, n_out, alpha);
    if (plan->chirp == NULL) {
        lateral_destroy(plan);
        return NULL;
    }
    return plan;
}

lateral *lateral_create(size_t bins, size_t half, size_t n_out, double alpha, double lines) {
    size_t length = lateral_direct_length(alpha, n_out);
    if (length == 0) {
        return lateral_create_chirp(bins, half, n_out, alpha);
    }
    lateral *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return NULL;
    }
    *plan = (lateral){.bins = bins, .half = half, .n_out = n_out, .length = length};
    if (length > 1) {
        plan->backward = transform_plan_line(length, FFTW_BACKWARD, lines);
        if (plan->backward == NULL) {
            lateral_destroy(plan);
            return NULL;
        }
    }
    return plan;
}

size_t lateral_length(const lateral *plan) {
    return plan->length > 0 ? plan->length : plan->bins;
}

size_t lateral_place(const lateral *plan, size_t m) {
    if (plan->length == 0) {
        return m;
    }
    long place = ((long)m - (long)plan->half) % (long)plan->length;
    return (size_t)(place < 0 ? place + (long)plan->length : place);
}

bool lateral_folds(const lateral *plan) {
    return plan->length > 0 && plan->bins > plan->length;
}

size_t lateral_work(const lateral *plan) {
    return plan->length > 0 ? plan->length
                            : chirpz_scratch(plan->chirp) + (plan->n_out + 7) / 8 * 8;
}

const float complex *lateral_execute(const lateral *plan, float complex *line,
                                     float complex *work) {
    if (plan->length == 1) {
        work[0] = line[0];
        return work;
    }
    if (plan->length > 0) {
        fftwf_execute_dft(plan->backward, line, work);
        return work;
    }
    float complex *out = work + chirpz_scratch(plan->chirp);
    chirpz_execute(plan->chirp, line, 1, out, 1, work);
    return out;
}

void lateral_transforms(const lateral *plan, size_t *forward, size_t *backward) {
    *forward = plan->length > 0 ? 0 : chirpz_scratch(plan->chirp);
    *backward = plan->length > 0 ? plan->length : *forward;
}

void lateral_destroy(lateral *plan) {
    if (plan != NULL) {
        transform_destroy(plan->backward);
        chirpz_destroy(plan->chirp);
        free(plan);
    }
}
