#include <nfsar/time_offset.h>

#include <math.h>
#include <string.h>

#include "calibration/trajectory/time_offset_data.h"
#include "calibration/trajectory/time_offset_rates.h"

/* Another offset that explains so much as the best leaves the question open. */
#define ALIKE 0.95
/* Peaks of the maps are where they are predicted to this part of a range cell, or something else is
 * seen. */
#define UNEXPLAINED 0.25
/* A standard deviation beyond this part of a window is no answer. */
#define UNSURE 0.25

/* Of several offsets each looked at closely. */
struct choice {
    struct offset_state best;
    double second, second_s; /* what the best of the others explains, of what the best does */
};

static enum nfsar_status look_closely(const struct offset_data *data,
                                      const struct offset_maps *maps,
                                      const nfsar_time_offset_options *options, double offset_s,
                                      struct offset_state *state, nfsar_error *error) {
    enum nfsar_status status = offset_places(data, maps, options, offset_s, state, error);
    const struct offset_state start = *state;
    if (status == NFSAR_OK) {
        status = offset_rates(data, maps, state, error);
    }
    if (status == NFSAR_OK && !state->known) {
        /* Those that the rates kept, then those that they merged or dropped. */
        nfsar_vec3 place[2 * REFLECTORS];
        memcpy(place, state->place, state->n * sizeof *place);
        memcpy(place + state->n, start.place, start.n * sizeof *place);
        status = offset_sharpen(data, maps, place, state->n + start.n, state, error);
    }
    return status == NFSAR_OK ? offset_phases(data, maps, state, error) : status;
}

/* The surest first: what is wrong about the others is then seen without it. */
static void sort_by_residual(struct offset_state *state) {
    for (size_t i = 0; i < state->n; i++) {
        for (size_t k = i + 1; k < state->n; k++) {
            if (state->residual_m[k] < state->residual_m[i]) {
                const double swap = state->residual_m[k];
                const nfsar_vec3 other = state->place[k];
                state->residual_m[k] = state->residual_m[i];
                state->residual_m[i] = swap;
                state->place[k] = state->place[i];
                state->place[i] = other;
            }
        }
    }
}

/* Take the trial's place, if its phases explain more. */
static enum nfsar_status try(const struct offset_data *data, const struct offset_maps *maps,
                             struct offset_state *trial, struct offset_state *best, bool *better,
                             nfsar_error *error) {
    const enum nfsar_status status = offset_phases(data, maps, trial, error);
    *better = status == NFSAR_OK && trial->phases && trial->explained > best->explained;
    if (*better) {
        *best = *trial;
    }
    return status;
}

/* Places that are ghosts of others, and reflectors that are there twice or not asked for. */
static enum nfsar_status mend(const struct offset_data *data, const struct offset_maps *maps,
                              struct offset_state *best, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (int pass = 0, idle = 0;
         status == NFSAR_OK && !best->known && pass < 3 * GHOSTS_WAYS && idle < GHOSTS_WAYS;
         pass++) {
        struct offset_state trial = *best;
        bool changed = false, better = false;
        status =
            offset_ghosts(data, maps, (enum ghosts)(pass % GHOSTS_WAYS), &trial, &changed, error);
        if (status == NFSAR_OK && changed) {
            status = try(data, maps, &trial, best, &better, error);
        }
        idle = better ? 0 : idle + 1;
    }
    /* Least squares may bring others together. */
    for (int pass = 0; status == NFSAR_OK && !best->known && pass < 3 && offset_prune(data, best);
         pass++) {
        status = offset_phases(data, maps, best, error);
    }
    return status;
}

/* Once more from what the phases found: reflectors that were two are told apart now. */
static enum nfsar_status repeat(const struct offset_data *data, const struct offset_maps *maps,
                                const nfsar_time_offset_options *options, struct offset_state *best,
                                nfsar_error *error) {
    enum nfsar_status status = mend(data, maps, best, error);
    bool better = !best->known;
    for (int pass = 0; status == NFSAR_OK && pass < 2 && better; pass++) {
        struct offset_state again = *best, places;
        status = offset_places(data, maps, options, best->offset_s, &places, error);
        sort_by_residual(&again);
        nfsar_vec3 place[2 * REFLECTORS];
        memcpy(place, again.place, again.n * sizeof *place);
        memcpy(place + again.n, places.place, places.n * sizeof *place);
        if (status == NFSAR_OK) {
            status = offset_sharpen(data, maps, place, best->n + places.n, &again, error);
        }
        if (status == NFSAR_OK) {
            status = try(data, maps, &again, best, &better, error);
        }
        if (status == NFSAR_OK && better) {
            status = mend(data, maps, best, error);
        }
    }
    return status;
}

static enum nfsar_status choose(const struct offset_data *data, const struct offset_maps *maps,
                                const nfsar_time_offset_options *options, const double *offset_s,
                                size_t n, struct choice *choice, nfsar_error *error) {
    enum nfsar_status first = NFSAR_OK;
    *choice = (struct choice){.best.explained = -1.0};
    struct offset_state states[CANDIDATES];
    for (size_t i = 0; i < n; i++) {
        const enum nfsar_status status =
            look_closely(data, maps, options, offset_s[i], &states[i], i == 0 ? error : NULL);
        if (status == NFSAR_ERROR_MEMORY) {
            return nfsar_fail(error, status, "out of memory");
        }
        first = i == 0 ? status : first;
        states[i].explained = status == NFSAR_OK ? states[i].explained : -1.0;
        if (states[i].explained > choice->best.explained) {
            choice->best = states[i];
        }
    }
    if (choice->best.explained < 0.0) {
        return first;
    }
    if (choice->best.phases) {
        enum nfsar_status status = repeat(data, maps, options, &choice->best, error);
        if (status != NFSAR_OK) {
            return status;
        }
        status = offset_bias(data, maps, &choice->best, error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    double doubt_m;
    if (!rates_doubt(data, maps, &choice->best, &doubt_m)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    choice->best.bias_sigma_m = hypot(choice->best.bias_sigma_m, doubt_m);
    choice->second_s = choice->best.offset_s;
    for (size_t i = 0; i < n; i++) {
        /* Two starts may end at one offset. */
        const double part = states[i].explained / fmax(choice->best.explained, 1e-300);
        if (fabs(states[i].offset_s - choice->best.offset_s) > 0.5 * data->window_s &&
            part > choice->second) {
            choice->second = part;
            choice->second_s = states[i].offset_s;
        }
    }
    return NFSAR_OK;
}

/* The rms over all reflectors and windows. */
static double residual_of(const struct offset_state *state) {
    double sum = 0.0;
    size_t windows = 0;
    for (size_t k = 0; k < state->n; k++) {
        if (state->windows[k] > 0) { /* else its residual is infinite */
            sum += (double)state->windows[k] * state->residual_m[k] * state->residual_m[k];
            windows += state->windows[k];
        }
    }
    return windows > 0 ? sqrt(sum / (double)windows) : INFINITY;
}

static enum nfsar_status judge(const struct offset_data *data, const struct choice *choice,
                               nfsar_error *error) {
    const struct offset_state *best = &choice->best;
    const double residual = residual_of(best);
    if (!best->phases && (best->sure > 0.5 || residual > UNEXPLAINED * data->cell_m)) {
        return nfsar_fail(
            error, NFSAR_ERROR_GEOMETRY,
            "the echoes do not move as the poses do: at the best offset, %.3f s, "
            "%.3g mm of range (%.2g wavelengths) are not explained; are these the "
            "poses of this capture, and are lever arm and rotation of the radar in the "
            "tracked body right?",
            best->offset_s, 1e3 * residual, residual / data->wavelength_m);
    }
    if (choice->second > ALIKE) {
        return nfsar_fail(
            error, NFSAR_ERROR_GEOMETRY,
            "offsets %.3f s and %.3f s explain the echoes alike (%.0f %%): the motion "
            "does not tell the time offset; speed must vary, or the way turn",
            best->offset_s, choice->second_s, 100.0 * choice->second);
    }
    if (!(best->sigma_s < UNSURE * data->window_s)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the time offset is told to %.2g s only: speed must vary, or the way "
                          "turn (or give places of reflectors)",
                          best->sigma_s);
    }
    return NFSAR_OK;
}

static void report(const struct offset_data *data, const struct choice *choice,
                   nfsar_time_offset *found) {
    const struct offset_state *state = &choice->best;
    *found = (nfsar_time_offset){.offset_s = state->offset_s,
                                 .sigma_s = state->sigma_s,
                                 .bias_m = state->bias_m,
                                 .bias_sigma_m = state->bias_sigma_m,
                                 .window_s = data->window_s,
                                 .second = choice->second,
                                 .second_s = choice->second_s,
                                 .n_reflector = state->n};
    if (!(state->bias_sigma_m < data->cell_m)) {
        found->bias_m = 0.0;
        found->bias_sigma_m = INFINITY;
    }
    found->bias_told = fabs(found->bias_m) > 3.0 * found->bias_sigma_m;
    for (size_t k = 0; k < state->n; k++) {
        found->reflector[k] =
            (nfsar_time_offset_reflector){state->place[k], state->windows[k], state->residual_m[k]};
    }
    found->residual_m = residual_of(state);
}

enum nfsar_status nfsar_time_offset_find(const nfsar_capture *capture,
                                         const nfsar_echo_source *source,
                                         const nfsar_pose_track *track,
                                         const nfsar_time_offset_options *options,
                                         nfsar_time_offset *found, nfsar_error *error) {
    struct offset_data data;
    struct offset_maps maps = {0};
    struct choice choice;
    double offset_s[CANDIDATES];
    size_t n_offset = 0;
    memset(found, 0, sizeof *found);
    if (options->n_point > NFSAR_TIME_OFFSET_REFLECTORS ||
        (options->n_point > 0 && options->point == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%zu points: at most %d may be given",
                          options->n_point, NFSAR_TIME_OFFSET_REFLECTORS);
    }
    enum nfsar_status status = offset_data_read(capture, source, track, options, &data, error);
    if (status == NFSAR_OK) {
        status = offset_maps_make(&data, options, &maps, error);
    }
    if (status == NFSAR_OK) {
        status = offset_coarse(&data, &maps, options, offset_s, &n_offset, error);
    }
    if (status == NFSAR_OK) {
        status = choose(&data, &maps, options, offset_s, n_offset, &choice, error);
    }
    if (status == NFSAR_OK) {
        status = judge(&data, &choice, error);
    }
    if (status == NFSAR_OK) {
        report(&data, &choice, found);
        (void)nfsar_progress_report(options->progress, 1.0);
    }
    offset_maps_free(&maps);
    offset_data_free(&data);
    return status;
}
