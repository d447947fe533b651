/* What the files of the importer share: an open import. */
#ifndef NFSAR_HOST_IMPORT_IMPORT_H
#define NFSAR_HOST_IMPORT_IMPORT_H

#include <nfsar/import.h>

#include "host/import/channels.h"
#include "host/import/cube.h"
#include "host/import/plan.h"
#include "host/import/recording.h"
#include "host/import/rig.h"
#include "host/import/scan_path.h"

struct survey;

struct nfsar_import {
    char *rig_path;
    char *folder; /* of the recordings */
    struct rig *rig;
    struct recordings recordings;
    struct channels channels;
    struct plan plan;
    struct scan_path path;
    nfsar_capture capture; /* without echo */

    struct cube cube; /* of arrays: that of recording open_cube */
    size_t open_cube;
    unsigned char *bytes; /* of raw recordings: room for one look */
    float complex *look;  /* room for one look: [n_tx][n_rx][n_sample] */

    /* Called after each raw look was read; NULL unless a survey is being made. */
    void (*look_seen)(struct nfsar_import *import);
    struct survey *survey; /* NULL before nfsar_import_survey() */
    char **warning;        /* [n_warning] */
    size_t n_warning;
};

/* Add a warning. */
enum nfsar_status import_warn(nfsar_import *import, nfsar_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Make import->cube the array of a recording. */
enum nfsar_status import_open_array(nfsar_import *import, size_t index, nfsar_error *error);

/* How many pulses are read at once: about 16 MiB of samples. */
size_t import_block(const nfsar_import *import);

#endif
