/* What the survey makes suspicious, in words that name the key to change. */
#include "host/import/survey.h"

#include <math.h>
#include <stdlib.h>

size_t survey_strongest(const struct survey *survey, size_t first, size_t last) {
    size_t best = first;
    for (size_t i = first; i <= last; i++) {
        best = survey->power_db[i] > survey->power_db[best] ? i : best;
    }
    return best;
}

/* The opposite setting of I/Q order, which mirrors the spectrum. */
static const char *mirror_key(const struct rig *rig) {
    if (rig->conjugate) {
        return "leave out conjugate: true";
    }
    return !rig_layout_is_raw(rig->layout) ? "set conjugate: true"
           : rig_flag(rig->q_first, false) ? "leave out q_first: true"
                                           : "set q_first: true (or conjugate: true)";
}

/* Echoes of a chirp lie on one side; the other holds only the image of an imperfect receiver. */
static enum nfsar_status judge_sides(nfsar_import *import, nfsar_error *error) {
    const struct survey *survey = import->survey;
    size_t guard = 3 * PROFILE_PADDING; /* of the leakage at zero, a Hann lobe and a half */
    if (!survey->two_sided || survey->zero <= guard || survey->zero + guard + 1 >= survey->n_bin) {
        return NFSAR_OK;
    }
    size_t front = survey_strongest(survey, survey->zero + guard, survey->n_bin - 1);
    size_t behind = survey_strongest(survey, 0, survey->zero - guard);
    double excess = survey->power_db[behind] - survey->power_db[front];
    double front_level = survey->power_db[front] - survey->median_db;
    if (excess > 0.0 && survey->power_db[behind] - survey->median_db > 6.0) {
        return import_warn(import, error,
                           "the strongest echo lies on the negative side, at %.3f m, %.1f dB above "
                           "all in front: I and Q seem to be swapped; %s",
                           survey->range_m[behind], excess, mirror_key(import->rig));
    }
    ptrdiff_t mirror = 2 * (ptrdiff_t)survey->zero - (ptrdiff_t)front;
    bool image = labs((long)(mirror - (ptrdiff_t)behind)) <= PROFILE_PADDING;
    if (image && excess > -15.0 && front_level > 6.0) {
        return import_warn(import, error,
                           "the echo at %.3f m has an image on the negative side only %.1f dB "
                           "below: is the layout %s right, and are the samples complex?",
                           survey->range_m[front], -excess, rig_layout_name(import->rig->layout));
    }
    return NFSAR_OK;
}

static enum nfsar_status judge_profile(nfsar_import *import, nfsar_error *error) {
    const struct survey *survey = import->survey;
    if (survey->range_m == NULL) {
        return NFSAR_OK;
    }
    if (survey->n_bin == 0) {
        return import_warn(import, error, "all samples are zero");
    }
    if (survey->other_fits) {
        /* What else is wrong with the profile follows from that. */
        return import_warn(
            import, error, "the samples make more sense in another layout than %s: layout: %s%s",
            rig_layout_name(import->rig->layout), rig_layout_name(survey->other_layout),
            survey->other_q_first ? " with q_first: true" : "");
    }
    size_t peak = survey_strongest(survey, 0, survey->n_bin - 1);
    double contrast = survey->power_db[peak] - survey->median_db;
    if (contrast < 6.0) {
        return import_warn(import, error,
                           "no echo stands out: the strongest is %.1f dB above the median; are "
                           "layout, radar.samples and files.header_bytes right?",
                           contrast);
    }
    size_t from_zero = peak > survey->zero ? peak - survey->zero : survey->zero - peak;
    if (survey->two_sided && from_zero <= PROFILE_PADDING) {
        enum nfsar_status status =
            import_warn(import, error,
                        "the strongest echo is at zero range: leakage between the antennas or an "
                        "offset of the converter hides the scene; a background recording or a "
                        "range gate helps");
        if (status != NFSAR_OK) {
            return status;
        }
    }
    return judge_sides(import, error);
}

static enum nfsar_status judge_samples(nfsar_import *import, nfsar_error *error) {
    const struct survey *survey = import->survey;
    enum nfsar_status status = NFSAR_OK;
    if (survey->n_missing > 0) {
        struct plan_place place = plan_place(&import->plan, survey->first_missing);
        status = import_warn(import, error,
                             "%zu of %zu pulses hold stretches of zeros (lost packets?); the first "
                             "is row %zu, position %zu, counted from 0; they are flagged",
                             survey->n_missing, import->capture.n_pulse, place.row, place.position);
    }
    if (status == NFSAR_OK && survey->n_clipped > 0) {
        status = import_warn(import, error,
                             "%zu of %zu samples are clipped at +-32767: less receiver gain, or a "
                             "wrong layout",
                             survey->n_clipped, survey->n_raw);
    }
    return status;
}

static enum nfsar_status judge_rows(nfsar_import *import, nfsar_error *error) {
    const struct survey *survey = import->survey;
    bool in_time =
        rig_layout_is_raw(import->rig->layout) || (cube_size(&import->cube, RIG_DIMENSION_X) == 0 &&
                                                   cube_size(&import->cube, RIG_DIMENSION_Y) == 0);
    if (!in_time || !(survey->row_same >= 0.0)) {
        return NFSAR_OK;
    }
    double difference = survey->row_reversed - survey->row_same;
    double best = fmax(survey->row_reversed, survey->row_same);
    if (best > 0.6 && !import->path.serpentine && difference > 0.2) {
        return import_warn(import, error,
                           "neighbouring rows are alike when one is reversed (correlation %.2f, "
                           "else %.2f): is scan.path serpentine?",
                           survey->row_reversed, survey->row_same);
    }
    if (best > 0.6 && import->path.serpentine && difference < -0.2) {
        return import_warn(import, error,
                           "neighbouring rows are alike in the same direction (correlation %.2f, "
                           "reversed %.2f): is scan.path raster?",
                           survey->row_same, survey->row_reversed);
    }
    return NFSAR_OK;
}

enum nfsar_status survey_judge(nfsar_import *import, nfsar_error *error) {
    enum nfsar_status status = judge_profile(import, error);
    if (status == NFSAR_OK) {
        status = judge_samples(import, error);
    }
    return status == NFSAR_OK ? judge_rows(import, error) : status;
}
