/* The times of a closed recording's pulses anew: its frames joined to triggers by their times. */
#include "host/session/record.h"

#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "host/files/recording_counts.h"

/* What is read of a recording. */
struct joined {
    size_t pulses, frames, triggers; /* frames: those that are in pulses */
    size_t loops;
    double *pulse_s;   /* [pulses] */
    double *frame_s;   /* [frames] host's clock */
    double *trigger_s; /* [triggers] hub's clock */
    double *host_s;    /* [triggers] */
};

static void joined_free(struct joined *joined) {
    free(joined->pulse_s);
    free(joined->frame_s);
    free(joined->trigger_s);
    free(joined->host_s);
}

/* The first `rows` of a column of doubles, read, or written where `values` are given. */
static bool transfer(hid_t file, const char *name, size_t rows, double *to, const double *values) {
    const hsize_t start = 0, count = rows;
    const hid_t data = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t space = data >= 0 ? H5Dget_space(data) : -1;
    const hid_t memory = H5Screate_simple(1, &count, NULL);
    bool good = space >= 0 && memory >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                H5Sget_simple_extent_npoints(space) >= (hssize_t)rows &&
                H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0;
    if (good) {
        good = values != NULL
                   ? H5Dwrite(data, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) >= 0
                   : H5Dread(data, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, to) >= 0;
    }
    if (memory >= 0) {
        H5Sclose(memory);
    }
    if (space >= 0) {
        H5Sclose(space);
    }
    if (data >= 0) {
        H5Dclose(data);
    }
    return good;
}

static enum nfsar_status read_column(hid_t file, const char *name, size_t rows, double **column,
                                     nfsar_error *error) {
    *column = calloc(rows + 1, sizeof **column);
    if (*column == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return rows > 0 && transfer(file, name, rows, *column, NULL)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: cannot be read; frames are joined in recordings of nfsar record",
                            name);
}

static size_t rows_of(const struct recording_counts *counts, const char *table) {
    for (size_t i = 0; i < counts->n_tables; i++) {
        if (strcmp(counts->table[i], table) == 0) {
            return counts->rows[i];
        }
    }
    return 0;
}

static enum nfsar_status read_rows(const char *recording, struct joined *joined,
                                   nfsar_error *error) {
    struct h5_input input;
    struct recording_counts counts = {0};
    enum nfsar_status status = h5_input_open(&input, recording, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = recording_counts_read(&counts, &input, error);
    joined->pulses = rows_of(&counts, "/echo");
    joined->frames = rows_of(&counts, "/sensor/frame");
    joined->triggers = rows_of(&counts, "/sensor/trigger");
    recording_counts_free(&counts);
    h5_input_close(&input);
    /* A frame is in pulses once its trigger is told of: of one that died the last may not be. */
    if (joined->frames > 0 && joined->pulses > 0) {
        joined->loops = (joined->pulses + joined->frames - 1) / joined->frames;
        joined->frames = joined->pulses / joined->loops;
    }
    return status;
}

static enum nfsar_status read_all(hid_t file, struct joined *joined, nfsar_error *error) {
    enum nfsar_status status =
        read_column(file, "/echo/time_s", joined->pulses, &joined->pulse_s, error);
    if (status == NFSAR_OK) {
        status = read_column(file, "/sensor/frame/host_s", joined->frames, &joined->frame_s, error);
    }
    if (status == NFSAR_OK) {
        status = read_column(file, "/sensor/trigger/time_s", joined->triggers, &joined->trigger_s,
                             error);
    }
    return status == NFSAR_OK ? read_column(file, "/sensor/trigger/host_s", joined->triggers,
                                            &joined->host_s, error)
                              : status;
}

/* Loops of a frame keep their distance from its first. */
static void move_pulses(struct joined *joined, const struct join *join) {
    for (size_t frame = 0; frame < joined->frames; frame++) {
        double *pulse_s = joined->pulse_s + frame * joined->loops;
        const double first = pulse_s[0];
        for (size_t loop = 0; loop < joined->loops; loop++) {
            pulse_s[loop] += joined->trigger_s[join->trigger[frame]] - first;
        }
    }
}

static enum nfsar_status find(struct joined *joined, struct join *join, nfsar_error *error) {
    join_clock(joined->trigger_s, joined->host_s, joined->triggers);
    return join_find(joined->frame_s, joined->frames, joined->host_s, joined->triggers, join,
                     error);
}

/* One that died lacks the frames of its last triggers, which is no finding; one that was closed
 * does not. Either way times must agree. */
static bool is_doubtful(struct joined *joined, bool died, struct join *join, nfsar_error *error) {
    const size_t triggers = joined->triggers;
    if (died && triggers > joined->frames) {
        joined->triggers = joined->frames;
    }
    const bool found = find(joined, join, error) == NFSAR_OK;
    joined->triggers = triggers;
    return found && (join->n_odd > 0 || (join->shifted && join->certain));
}

enum nfsar_status record_check_join(const char *recording, bool died, nfsar_error *error) {
    struct joined joined = {0};
    struct join join = {0};
    enum nfsar_status status = read_rows(recording, &joined, error);
    if (status != NFSAR_OK || joined.frames < 2 || joined.triggers < 2 || joined.pulses == 0) {
        return status; /* none of nfsar record, or too short to tell */
    }
    const hid_t file = H5Fopen(recording, H5F_ACC_RDONLY, H5P_DEFAULT);
    status = file >= 0 ? read_all(file, &joined, error)
                       : nfsar_fail(error, NFSAR_ERROR_FILE, "cannot be opened");
    if (file >= 0) {
        H5Fclose(file);
    }
    nfsar_error why = {0};
    if (status == NFSAR_OK && is_doubtful(&joined, died, &join, &why)) {
        char text[256];
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s%s; --join-by-time goes by that",
                            join_text(&join, text, sizeof text),
                            join.certain ? ", by their times" : ", but not with certainty");
    }
    joined_free(&joined);
    join_free(&join);
    return status == NFSAR_OK ? status : nfsar_fail_in(error, status, "%s", recording);
}

/* Where frames can be moved to the triggers they belong to. */
static enum nfsar_status find_certain(struct joined *joined, struct join *join,
                                      nfsar_error *error) {
    enum nfsar_status status = find(joined, join, error);
    if (status == NFSAR_OK && (joined->frames > joined->triggers || !join->certain)) {
        char text[256];
        status =
            nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "%s; %s", join_text(join, text, sizeof text),
                       join->certain ? "frames cannot be taken out"
                                     : "their times do not say it with certainty");
    }
    return status;
}

enum nfsar_status record_rejoin(const char *recording, struct join *join, nfsar_error *error) {
    struct joined joined = {0};
    struct join own = {0};
    join = join != NULL ? join : &own;
    memset(join, 0, sizeof *join);
    enum nfsar_status status = read_rows(recording, &joined, error);
    const hid_t file = status == NFSAR_OK ? H5Fopen(recording, H5F_ACC_RDWR, H5P_DEFAULT) : -1;
    if (status == NFSAR_OK && file < 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE, "cannot be opened for writing");
    }
    if (status == NFSAR_OK) {
        status = read_all(file, &joined, error);
    }
    if (status == NFSAR_OK) {
        status = find_certain(&joined, join, error);
    }
    if (status == NFSAR_OK) {
        move_pulses(&joined, join);
        if (!transfer(file, "/echo/time_s", joined.pulses, NULL, joined.pulse_s)) {
            status = nfsar_fail(error, NFSAR_ERROR_FILE, "/echo/time_s: cannot be written");
        }
    }
    if (file >= 0) {
        H5Fclose(file);
    }
    joined_free(&joined);
    join_free(&own);
    return status == NFSAR_OK ? status : nfsar_fail_in(error, status, "%s", recording);
}
