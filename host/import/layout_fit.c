#include "host/import/layout_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/survey.h"
#include "host/import/transform.h"

/* Pulses that are decoded in each layout. */
#define FIT_PULSES 32
/* Front over back: real recordings have 30 dB and more in their own layout, below 12 dB in others.
 * What reaches FIT_SOUND_DB is believed. */
#define FIT_SOUND_DB  15.0
#define FIT_BETTER_DB 10.0

enum { FIT_LAYOUTS = RIG_LAYOUT_TSW1400 + 1 };

static bool possible(const struct plan *plan, enum rig_layout layout) {
    bool four = layout == RIG_LAYOUT_4LANE || layout == RIG_LAYOUT_4LANE_REORDERED;
    bool two = layout == RIG_LAYOUT_2LANE || layout == RIG_LAYOUT_2LANE_REORDERED;
    return (!four || plan->n_rx == 4) && (!two || plan->n_sample % 2 == 0);
}

/* A look's bytes, in a layout. */
static enum nfsar_status add_look(const nfsar_import *import, enum rig_layout layout,
                                  const unsigned char *bytes, float complex *chirp,
                                  struct transform *transform, nfsar_error *error) {
    const struct plan *plan = &import->plan;
    enum nfsar_status status = NFSAR_OK;
    for (size_t tx = 0; status == NFSAR_OK && tx < plan->n_tx; tx++) {
        status =
            nfsar_raw_decode_chirp((enum nfsar_raw_layout)layout, false, plan->n_rx, plan->n_sample,
                                   bytes + tx * plan->chirp_bytes, chirp, error);
        for (size_t rx = 0; status == NFSAR_OK && rx < plan->n_rx; rx++) {
            transform_add(transform, chirp + rx * plan->n_sample);
        }
    }
    return status;
}

/* Power on the positive side over that on the negative side, dB; leakage round zero and what is as
 * near to half the sample rate belong to neither. */
static double front_over_back(const struct transform *transform) {
    size_t n = transform->n_bin, guard = (size_t)3 * PROFILE_PADDING;
    double front = 0.0, back = 0.0;
    for (size_t i = guard; i + guard < n / 2; i++) {
        front += transform->power[i];
        back += transform->power[n - i];
    }
    return front > 0.0 || back > 0.0 ? 10.0 * log10((front + 1e-30) / (back + 1e-30)) : 0.0;
}

static enum nfsar_status score(nfsar_import *import, float complex *chirp, double *front,
                               nfsar_error *error) {
    struct transform transform[FIT_LAYOUTS];
    memset(transform, 0, sizeof transform);
    enum nfsar_status status = NFSAR_OK;
    for (int k = 0; status == NFSAR_OK && k < FIT_LAYOUTS; k++) {
        status = transform_make(import->plan.n_sample, &transform[k], error);
    }
    size_t total = import->capture.n_pulse, n = total < FIT_PULSES ? total : FIT_PULSES;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        struct plan_place place = plan_place(&import->plan, i * (total / n));
        /* Of looks that are averaged the last. */
        if (import->plan.repeats == RIG_REPEATS_MEAN) {
            place.look = plan_looks(&import->plan) - 1;
        }
        const unsigned char *bytes = NULL;
        status = import_raw_look(import, &import->reader[0], place, &bytes, error);
        for (int k = 0; status == NFSAR_OK && k < FIT_LAYOUTS; k++) {
            if (possible(&import->plan, (enum rig_layout)k)) {
                status = add_look(import, (enum rig_layout)k, bytes, chirp, &transform[k], error);
            }
        }
    }
    for (int k = 0; k < FIT_LAYOUTS; k++) {
        front[k] = status == NFSAR_OK ? front_over_back(&transform[k]) : 0.0;
        transform_free(&transform[k]);
    }
    return status;
}

static void choose(nfsar_import *import, const double *front) {
    struct survey *survey = import->survey;
    const struct rig *rig = import->rig;
    int best = rig->layout;
    for (int k = 0; k < FIT_LAYOUTS; k++) {
        best = fabs(front[k]) > fabs(front[best]) + 3.0 ? k : best;
    }
    /* Negative: I and Q are the other way round. */
    bool mirrored = (survey->step_hz < 0.0) != rig->conjugate;
    survey->other_fits = best != (int)rig->layout && fabs(front[best]) > FIT_SOUND_DB &&
                         fabs(front[best]) > fabs(front[rig->layout]) + FIT_BETTER_DB;
    survey->other_layout = (enum rig_layout)best;
    survey->other_q_first = (front[best] < 0.0) != mirrored;
}

enum nfsar_status layout_fit(nfsar_import *import, nfsar_error *error) {
    const struct plan *plan = &import->plan;
    if (!rig_layout_is_raw(import->rig->layout) || !import->capture.has_fmcw) {
        return NFSAR_OK;
    }
    double front[FIT_LAYOUTS] = {0.0};
    float complex *chirp = calloc(plan->n_rx * plan->n_sample, sizeof *chirp);
    enum nfsar_status status = chirp != NULL
                                   ? score(import, chirp, front, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    free(chirp);
    if (status == NFSAR_OK) {
        choose(import, front);
    }
    return status;
}
