/* What the files of the importer share: an open import. */
#ifndef NFSAR_HOST_IMPORT_IMPORT_H
#define NFSAR_HOST_IMPORT_IMPORT_H

#include <nfsar/file.h>
#include <nfsar/import.h>

#include "host/import/channels.h"
#include "host/import/cube.h"
#include "host/import/plan.h"
#include "host/import/pose_table.h"
#include "host/import/recording.h"
#include "host/import/rig.h"
#include "host/import/scan_path.h"
#include "host/import/waveform.h"

struct survey;
struct survey_watch;

/* What one thread needs to read pulses with. */
struct import_reader {
    struct recording_window window;
    float complex *look;        /* room for one look: [n_tx][n_rx][n_sample] */
    struct survey_watch *watch; /* looks at what is read; NULL unless a survey is being made */
};

struct nfsar_import {
    char *rig_path;
    char *folder; /* of the recordings */
    struct rig *rig;
    struct recordings recordings;
    struct channels channels;
    struct plan plan;
    struct scan_path path;
    struct pose_table poses; /* where the rig file has poses */
    nfsar_capture capture;   /* without echo */

    struct cube cube; /* of arrays: that of recording open_cube */
    size_t open_cube;
    struct waveform waveform; /* of a pulsed radar */

    /* One for each thread that reads; arrays are read by one. */
    size_t n_reader;
    struct import_reader *reader;

    struct survey *survey; /* NULL before nfsar_import_survey() */
    char **warning;        /* [n_warning] */
    size_t n_warning;
};

/* Add a warning. */
enum nfsar_status import_warn(nfsar_import *import, nfsar_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Make import->cube the array of a recording. */
enum nfsar_status import_open_array(nfsar_import *import, size_t index, nfsar_error *error);

/* The bytes of one look of a raw recording, all chirps; they stay until the reader's next look. */
enum nfsar_status import_raw_look(const nfsar_import *import, struct import_reader *reader,
                                  struct plan_place place, const unsigned char **bytes,
                                  nfsar_error *error);

/* One pulse into out[n_channel][n_sample]. Readers may do this at the same time. */
enum nfsar_status import_pulse(nfsar_import *import, struct import_reader *reader, size_t pulse,
                               float complex *out, nfsar_error *error);

/* What is done with all pulses: any of these, by all readers at once. */
struct import_task {
    size_t first, n;              /* pulses */
    float complex *out;           /* [n] pulses, or NULL */
    nfsar_capture_writer *writer; /* or NULL */
    const nfsar_progress *progress;
};
enum nfsar_status import_pulses(nfsar_import *import, const struct import_task *task,
                                nfsar_error *error);

#endif
