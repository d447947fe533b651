#include "host/import/plan.h"

#include <stdio.h>
#include <string.h>

void plan_start(const struct rig *rig, struct plan *plan) {
    plan->loops = rig_count(rig->frames.loops, 1);
    plan->per_position = rig_count(rig->frames.per_position, 1);
    plan->repeats = rig->frames.repeats;
    plan->positions = rig->scan != NULL ? rig_count(rig->scan->positions, 0) : 0;
    plan->rows = rig->scan != NULL ? rig_count(rig->scan->rows, 0) : 1;
    plan->skip = rig_count(rig->frames.skip, 0);
    plan->lead = rig_count(rig->frames.lead, 0);
    plan->header_bytes = rig_count(rig->files.header_bytes, 0);
}

size_t plan_looks(const struct plan *plan) {
    return plan->loops * plan->per_position;
}

size_t plan_pulses_at(const struct plan *plan) {
    return plan->repeats == RIG_REPEATS_EACH ? plan_looks(plan) : 1;
}

size_t plan_pulses(const struct plan *plan) {
    return plan->rows * plan->positions * plan_pulses_at(plan);
}

struct plan_place plan_place(const struct plan *plan, size_t pulse) {
    size_t here = plan_pulses_at(plan);
    size_t place = pulse / here;
    return (struct plan_place){
        .row = place / plan->positions, .position = place % plan->positions, .look = pulse % here};
}

enum nfsar_status plan_finish(struct plan *plan, nfsar_error *error) {
    size_t looks = 0, total = 0, samples = 0;
    if (__builtin_mul_overflow(plan->loops, plan->per_position, &looks) ||
        __builtin_mul_overflow(plan->rows, plan->positions, &total) ||
        __builtin_mul_overflow(total, looks, &total) ||
        __builtin_mul_overflow(plan->n_tx, plan->n_rx, &samples) ||
        __builtin_mul_overflow(samples, plan->n_sample, &samples) ||
        __builtin_mul_overflow(total, samples, &total) || total > SIZE_MAX / 16) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan: %zu rows x %zu positions x %zu loops x %zu samples is more than "
                          "any recording holds",
                          plan->rows, plan->positions, plan->loops, plan->n_sample);
    }
    if (total == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "scan: there is nothing in it");
    }
    return NFSAR_OK;
}

/* a * b, or SIZE_MAX: which no file has. */
static size_t product(size_t a, size_t b) {
    size_t result = 0;
    return __builtin_mul_overflow(a, b, &result) ? SIZE_MAX : result;
}

static size_t sum(size_t a, size_t b) {
    size_t result = 0;
    return __builtin_add_overflow(a, b, &result) ? SIZE_MAX : result;
}

static size_t frames_needed(const struct plan *plan) {
    return sum(plan->lead, product(plan->rows_here, plan->frames_per_row));
}

static size_t bytes_needed(const struct plan *plan) {
    return sum(plan->header_bytes, product(frames_needed(plan), plan->frame_bytes));
}

static size_t add_factor(char *text, size_t size, size_t used, size_t count, const char *unit) {
    int more =
        snprintf(text + used, size - used, "%s%zu %s%s", used > 0 ? " x " : "", count, unit,
                 count == 1 || strcmp(unit, "Rx") == 0 || strcmp(unit, "Tx") == 0 ? "" : "s");
    return more < 0 || used + (size_t)more >= size ? size - 1 : used + (size_t)more;
}

void plan_arithmetic(const struct plan *plan, char *text, size_t size) {
    size_t used = 0;
    if (plan->rows_here > 1) {
        used = add_factor(text, size, used, plan->rows_here, "row");
    }
    used = add_factor(text, size, used, plan->frames_per_row, "frame");
    if (plan->n_tx > 1) {
        used = add_factor(text, size, used, plan->loops, "loop");
        used = add_factor(text, size, used, plan->n_tx, "Tx");
    } else {
        used = add_factor(text, size, used, plan->loops, "chirp");
    }
    used = add_factor(text, size, used, plan->n_rx, "Rx");
    used = add_factor(text, size, used, plan->n_sample, "sample");
    used = add_factor(text, size, used, 4, "byte");
    char extra[96] = "";
    if (plan->lead > 0) {
        snprintf(extra, sizeof extra, " + %zu leading frames x %zu bytes", plan->lead,
                 plan->frame_bytes);
    }
    if (plan->header_bytes > 0) {
        snprintf(extra + strlen(extra), sizeof extra - strlen(extra), " + %zu bytes of header",
                 plan->header_bytes);
    }
    snprintf(text + used, size - used, "%s = %zu", extra, bytes_needed(plan));
}

/* ---- a size that does not fit ---------------------------------------------------------------- */

/* Try the mistakes that are made most often; say what would fit, or nothing. */
static void suggest(const struct plan *plan, uint64_t bytes, char *text, size_t size) {
    text[0] = '\0';
    if (bytes <= plan->header_bytes) {
        return;
    }
    uint64_t data = bytes - plan->header_bytes;
    size_t frames = frames_needed(plan);
    if (data % plan->frame_bytes == 0) {
        uint64_t there = data / plan->frame_bytes;
        bool more = there > frames;
        snprintf(text, size, "; it holds %llu whole frames, %llu %s: %s", (unsigned long long)there,
                 (unsigned long long)(more ? there - frames : frames - there),
                 more ? "more" : "too few",
                 more ? "see frames.per_row, frames.skip, scan.positions, scan.rows, or "
                        "files.ignore_rest: true to leave the rest out"
                      : "see scan.positions, scan.rows and frames.per_row");
        return;
    }
    for (size_t n_rx = 1; n_rx <= 4; n_rx++) {
        size_t wanted = product(product(frames, plan->frame_bytes / plan->n_rx), n_rx);
        if (n_rx != plan->n_rx && wanted == data) {
            snprintf(text, size, "; it would fit %zu Rx (array.rx)", n_rx);
            return;
        }
    }
    for (size_t n_tx = 1; n_tx <= 4; n_tx++) {
        size_t wanted = product(product(frames, plan->frame_bytes / plan->n_tx), n_tx);
        if (n_tx != plan->n_tx && wanted == data) {
            snprintf(text, size, "; it would fit %zu Tx (array.tx)", n_tx);
            return;
        }
    }
    size_t sample_bytes = product(frames, plan->frame_bytes / plan->n_sample);
    if (data % sample_bytes == 0 && data / sample_bytes <= 8192) {
        snprintf(text, size, "; it would fit radar.samples: %llu",
                 (unsigned long long)(data / sample_bytes));
        return;
    }
    size_t loop_bytes = product(frames, plan->frame_bytes / plan->loops);
    if (data % loop_bytes == 0 && data / loop_bytes <= 4096) {
        snprintf(text, size, "; it would fit frames.loops: %llu",
                 (unsigned long long)(data / loop_bytes));
        return;
    }
    snprintf(text, size, "; it holds %llu whole frames and %llu bytes of another of %zu: %s",
             (unsigned long long)(data / plan->frame_bytes),
             (unsigned long long)(data % plan->frame_bytes), plan->frame_bytes,
             data / plan->frame_bytes < frames
                 ? "if it was cut short, lower scan.positions or scan.rows to what is whole and "
                   "say files.ignore_rest: true"
                 : "files.ignore_rest: true leaves out what is too much");
}

static enum nfsar_status check_size(const struct plan *plan, const struct plan_sizes *sizes,
                                    size_t i, bool ignore_rest, nfsar_error *error) {
    uint64_t bytes = sizes->bytes[i];
    size_t needed = bytes_needed(plan);
    if (bytes == needed || (ignore_rest && bytes > needed && needed != SIZE_MAX)) {
        return NFSAR_OK;
    }
    char arithmetic[256], way_out[384];
    plan_arithmetic(plan, arithmetic, sizeof arithmetic);
    suggest(plan, bytes, way_out, sizeof way_out);
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s holds %llu bytes, but %s%s",
                      sizes->name(sizes->context, i), (unsigned long long)bytes, arithmetic,
                      way_out);
}

/* ---- counts that the rig file leaves out --------------------------------------------------- */

static enum nfsar_status find_rows(const struct rig *rig, const struct plan_sizes *sizes,
                                   struct plan *plan, nfsar_error *error) {
    if (rig->files.holds == RIG_HOLDS_ROW) {
        plan->rows_here = 1;
        if (plan->rows == 0) {
            plan->rows = sizes->n;
            plan->rows_found = true;
        }
        if (plan->rows != sizes->n) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.rows: %zu, but there are %zu recordings of one row each",
                              plan->rows, sizes->n);
        }
        return NFSAR_OK;
    }
    if (sizes->n != 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files: %zu recordings (%s, %s ...), but files.holds is scan: say holds: "
                          "row, or name one recording",
                          sizes->n, sizes->name(sizes->context, 0), sizes->name(sizes->context, 1));
    }
    return NFSAR_OK;
}

/* What would make whole frames of data, or leave out what is not whole. */
static void suggest_frame(const struct plan *plan, uint64_t data, char *text, size_t size) {
    size_t loop_bytes = plan->frame_bytes / plan->loops;
    size_t sample_bytes = plan->frame_bytes / plan->n_sample;
    uint64_t loops = data / loop_bytes, samples = data / sample_bytes;
    text[0] = '\0';
    if (loops > 0 && loops < plan->loops && data % loop_bytes == 0) {
        snprintf(text, size, "; it would fit frames.loops: %llu", (unsigned long long)loops);
    } else if (samples > 0 && samples < plan->n_sample && data % sample_bytes == 0) {
        snprintf(text, size, "; it would fit radar.samples: %llu", (unsigned long long)samples);
    } else if (data > plan->frame_bytes) {
        snprintf(text, size,
                 "; %llu frames are whole: files.ignore_rest: true leaves out the %llu bytes after "
                 "them",
                 (unsigned long long)(data / plan->frame_bytes),
                 (unsigned long long)(data % plan->frame_bytes));
    }
}

/* Frames after the header and the leading ones; whole rows and positions of them. */
static enum nfsar_status find_positions(const struct plan_sizes *sizes, bool per_row_given,
                                        bool ignore_rest, struct plan *plan, nfsar_error *error) {
    uint64_t bytes = sizes->bytes[0];
    const char *name = sizes->name(sizes->context, 0);
    uint64_t data = bytes > plan->header_bytes ? bytes - plan->header_bytes : 0;
    uint64_t frames = data / plan->frame_bytes;
    if ((data % plan->frame_bytes != 0 && !ignore_rest) || frames <= plan->lead) {
        char way_out[256];
        suggest_frame(plan, data, way_out, sizeof way_out);
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s holds %llu bytes, which is not a whole number of frames of %zu Tx x "
                          "%zu loop%s x %zu Rx x %zu samples x 4 bytes = %zu bytes%s",
                          name, (unsigned long long)bytes, plan->n_tx, plan->loops,
                          plan->loops == 1 ? "" : "s", plan->n_rx, plan->n_sample,
                          plan->frame_bytes, way_out);
    }
    frames -= plan->lead;
    if (plan->positions == 0 && (plan->rows_here == 0 || frames % plan->rows_here != 0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          plan->rows_here == 0
                              ? "scan: give positions or rows; %s holds %llu frames"
                              : "scan.rows: %s holds %llu frames, which do not divide "
                                "into %zu rows; give scan.positions",
                          name, (unsigned long long)frames, plan->rows_here);
    }
    if (plan->positions == 0) {
        size_t row = (size_t)(frames / plan->rows_here);
        if (!per_row_given) {
            plan->frames_per_row = row;
        }
        size_t used = plan->frames_per_row > plan->skip ? plan->frames_per_row - plan->skip : 0;
        plan->positions = used / plan->per_position;
        plan->positions_found = true;
        if (plan->positions == 0 || used % plan->per_position != 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.positions: is missing, and %s with %zu frames in a row does "
                              "not say it",
                              name, plan->frames_per_row);
        }
    } else {
        plan->rows =
            frames % plan->frames_per_row == 0 ? (size_t)(frames / plan->frames_per_row) : 0;
        plan->rows_found = true;
        if (plan->rows == 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s holds %llu frames, which is not a whole number of rows of %zu "
                              "frames; see scan.positions and frames.per_row",
                              name, (unsigned long long)frames, plan->frames_per_row);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status plan_raw(const struct rig *rig, const struct plan_sizes *sizes, struct plan *plan,
                           nfsar_error *error) {
    plan_start(rig, plan);
    size_t chirp = product(product(plan->n_rx, plan->n_sample), 4);
    size_t frame = product(product(plan->n_tx, plan->loops), chirp);
    if (frame > SIZE_MAX / 2) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%zu Tx x %zu loops x %zu Rx x %zu samples is more than any recording "
                          "holds",
                          plan->n_tx, plan->loops, plan->n_rx, plan->n_sample);
    }
    plan->chirp_bytes = chirp;
    plan->frame_bytes = frame;
    enum nfsar_status status = find_rows(rig, sizes, plan, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t used = sum(plan->skip, product(plan->positions, plan->per_position));
    plan->frames_per_row = rig_count(rig->frames.per_row, used);
    bool holds_row = rig->files.holds == RIG_HOLDS_ROW;
    plan->rows_here = holds_row ? 1 : plan->rows;
    if (plan->positions == 0 || plan->rows == 0) {
        status =
            find_positions(sizes, rig->frames.per_row != NULL, rig->files.ignore_rest, plan, error);
        plan->rows_here = holds_row ? 1 : plan->rows;
        used = sum(plan->skip, product(plan->positions, plan->per_position));
    }
    if (status == NFSAR_OK && used > plan->frames_per_row) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "frames.per_row: %zu frames in a row, but %zu skipped + %zu positions "
                       "x %zu = %zu are wanted",
                       plan->frames_per_row, plan->skip, plan->positions, plan->per_position, used);
    }
    for (size_t i = 0; status == NFSAR_OK && i < sizes->n; i++) {
        status = check_size(plan, sizes, i, rig->files.ignore_rest, error);
    }
    return status == NFSAR_OK ? plan_finish(plan, error) : status;
}
