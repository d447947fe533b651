/* A look at the samples: what would surprise the person who described them. */
#ifndef NFSAR_HOST_IMPORT_SURVEY_H
#define NFSAR_HOST_IMPORT_SURVEY_H

#include <stddef.h>

#include "host/import/import.h"

struct survey {
    /* Range profile: mean power of pulses and channels; n_bin is 0 when there is none. */
    size_t n_bin;     /* PROFILE_PADDING per sample */
    double step_hz;   /* of the frequencies */
    double *range_m;  /* [n_bin] ascending, the instrument's delay taken out */
    double *power_db; /* [n_bin] 0 is the strongest */
    size_t zero;      /* index of zero beat frequency */
    bool two_sided;   /* a chirp: the negative side should be empty */
    double median_db;
    size_t n_profile; /* pulses in the profile */

    size_t n_missing; /* pulses with a stretch of zeros */
    size_t first_missing;
    size_t n_clipped; /* raw samples at full scale */
    size_t n_raw;     /* raw samples looked at */

    /* Another layout fits the samples clearly better than that of the rig file. */
    bool other_fits;
    enum rig_layout other_layout;
    bool other_q_first;

    /* Echo of the first channel at the strongest range, for each place: [rows][positions] */
    float complex *echo;
    double row_same, row_reversed; /* mean correlation of neighbouring rows; NaN unknown */
};

/* Bins for each sample: the profile is interpolated by zero-padding. */
enum { PROFILE_PADDING = 4 };

/* The profile's strongest bin in [first, last], by index. */
size_t survey_strongest(const struct survey *survey, size_t first, size_t last);

/* Say what looks wrong (warnings.c). */
enum nfsar_status survey_judge(nfsar_import *import, nfsar_error *error);

/* Do the task on all pulses, and look at them meanwhile: import->survey is made, the pulses' flags
 * are set. */
enum nfsar_status survey_make(nfsar_import *import, const struct import_task *task,
                              nfsar_error *error);

/* Release; NULL is allowed. */
void survey_free(struct survey *survey);

#endif
