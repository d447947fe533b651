/* What a survey looks at while pulses are read: one watch for each thread. */
#ifndef NFSAR_HOST_IMPORT_SURVEY_WATCH_H
#define NFSAR_HOST_IMPORT_SURVEY_WATCH_H

#include "host/import/import.h"
#include "host/import/transform.h"

struct survey_watch {
    nfsar_import *import;
    struct transform transform; /* n_bin == 0: no range profile is made */
    size_t bin;                 /* of the strongest echo */
    size_t every;               /* pulses from one in the profile to the next */
    size_t n_profile;           /* pulses that went into it */
    size_t n_clipped, n_raw;    /* raw samples at full scale; looked at */
    bool look_has_zeros;        /* one since the last pulse */
};

/* A look of a raw recording, [n_tx][n_rx][n_sample], before looks are averaged. */
void survey_watch_look(struct survey_watch *watch, const struct channels *channels, size_t n_sample,
                       const float complex *look);

/* A pulse, [n_channel][n_sample], after its looks. */
void survey_watch_pulse(struct survey_watch *watch, size_t pulse, const float complex *samples);

#endif
