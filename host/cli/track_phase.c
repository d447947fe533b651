/* nfsar track --phase: phase-gradient autofocus. */
#include "host/cli/track_phase.h"

#include <math.h>
#include <stdio.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/track_motion.h"

/* Most voxels of a grid that nobody gave, and once they are fine enough for scatterers. */
enum { MOST_VOXELS = 400000, MOST_REFINED = 4 * MOST_VOXELS };

#define DEGREES (180.0 / NFSAR_PI)

static bool per_pulse(const struct track_phase *job) {
    return job->options.error == NFSAR_PHASE_PER_PULSE;
}

/* ---- the capture ---------------------------------------------------------------------------- */

static enum nfsar_status note(const struct track_phase *job, nfsar_capture *capture,
                              const nfsar_phase_gradient *f, nfsar_error *error) {
    if (!f->gained) {
        return nfsar_capture_note(capture, error,
                                  "%s (nfsar " NFSAR_VERSION "): phase gradient of %zu "
                                  "scatterers: nothing gained, all left as it was",
                                  cli_command_line(), f->n_scatterer);
    }
    return nfsar_capture_note(
        capture, error,
        "%s (nfsar " NFSAR_VERSION "): phase gradient of %zu scatterers: %s by %.4g mm rms along "
        "the line of sight, %.4g degrees rms%s; entropy %.4f to %.4f",
        cli_command_line(), f->n_scatterer,
        per_pulse(job) ? "samples of each pulse turned, poses moved" : "poses moved",
        1e3 * f->rms_m, DEGREES * f->rms_rad, f->aligned ? ", envelopes aligned first" : "",
        f->before.entropy, f->after.entropy);
}

struct turning {
    const nfsar_phase_gradient *found;
    const nfsar_capture *capture;
};

static void turn(void *context, size_t first_pulse, size_t n_pulse, float complex *echo) {
    const struct turning *t = context;
    nfsar_phase_gradient_turn(t->found, t->capture, first_pulse, n_pulse, echo);
}

static enum nfsar_status write_capture(const struct track_phase *job, nfsar_capture_file *file,
                                       const nfsar_phase_gradient *found, nfsar_error *error) {
    nfsar_capture tracked;
    struct turning turning = {found, nfsar_capture_file_header(file)};
    const struct calibrate_change change = {turn, &turning};
    enum nfsar_status status = calibrate_copy_header(file, &tracked, error);
    if (status == NFSAR_OK) {
        nfsar_phase_gradient_move(found, &tracked);
        status = note(job, &tracked, found, error);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &tracked,
                                 per_pulse(job) && found->gained ? &change : NULL, error);
    }
    calibrate_free_header(file, &tracked);
    return status;
}

/* ---- what was found ------------------------------------------------------------------------- */

static json_t *sharpness(const nfsar_phase_sharpness *s) {
    return json_pack("{s:f, s:f, s:f}", "peak", s->peak, "entropy", s->entropy, "contrast",
                     s->contrast);
}

/* For programs, which the sentences of reason_of() are not for. */
static const char *reason_word(const nfsar_phase_gradient *f) {
    static const char *const word[] = {
        [NFSAR_PHASE_TAKEN] = "taken",
        [NFSAR_PHASE_NOT_COHERENT] = "not coherent",
        [NFSAR_PHASE_NOT_STEADY] = "not steady",
        [NFSAR_PHASE_LESS_EXPLAINED] = "less explained",
        [NFSAR_PHASE_NOT_SHARPER] = "not sharper",
    };
    return word[f->reason];
}

static int print_json(const struct track_phase *job, const nfsar_phase_gradient *f) {
    json_t *scatterers = json_array();
    for (size_t i = 0; i < f->n_scatterer; i++) {
        const nfsar_phase_scatterer *s = &f->scatterer[i];
        json_array_append_new(scatterers,
                              json_pack("{s:[f, f, f], s:f, s:f, s:f}", "place_m", s->place.x,
                                        s->place.y, s->place.z, "power_db", s->power_db, "before",
                                        s->before, "after", s->after));
    }
    return print_object(json_pack(
        "{s:o, s:b, s:s, s:s, s:b, s:b, s:I, s:o, s:f, s:f, s:f, s:f, s:o, s:o, s:f, s:f, s:f, "
        "s:o, "
        "s:o, s:o}",
        "output", json_text(job->files.output), "gained", f->gained, "reason", reason_word(f),
        "error",
        per_pulse(job) ? "phase"
        : f->spatial   ? "displacement"
                       : "displacement along the line of sight",
        "joint", f->joint, "aligned", f->aligned, "rounds", (json_int_t)f->rounds, "condition",
        json_number(f->condition), "rms_m", f->rms_m, "rms_rad", f->rms_rad, "held_out_before",
        f->held_out_before, "held_out_after", f->held_out_after, "steady", json_number(f->steady),
        "told", json_number(f->told), "noise", f->noise, "explained_before", f->explained_before,
        "explained_after", f->explained_after, "before", sharpness(&f->before), "after",
        sharpness(&f->after), "scatterers", scatterers));
}

static void print_scatterers(const nfsar_phase_gradient *f) {
    enum { SHOWN = 5 };
    printf("scatterers %zu", f->n_scatterer);
    for (size_t i = 0; i < f->n_scatterer && i < SHOWN; i++) {
        const nfsar_phase_scatterer *s = &f->scatterer[i];
        printf("%s (%.4g, %.4g, %.4g) m %.1f dB, coherent %.2f to %.2f", i == 0 ? ":" : ";",
               s->place.x, s->place.y, s->place.z, s->power_db, s->before, s->after);
    }
    printf("%s\n", f->n_scatterer > SHOWN ? "; ..." : "");
}

static const char *reason_of(const nfsar_phase_gradient *f) {
    switch (f->reason) {
    case NFSAR_PHASE_NOT_STEADY:
        return "no echo is that of one scatterer that stands out: for several of like strength "
               "there is --autofocus";
    case NFSAR_PHASE_LESS_EXPLAINED:
        return "it would explain less of the echoes";
    case NFSAR_PHASE_NOT_SHARPER:
        return "it would make the image no sharper";
    default:
        return f->rounds == 0 ? "nothing was found to correct"
                              : "echoes that were not used do not confirm it";
    }
}

/* What the estimate was tried on. */
static void print_evidence(const nfsar_phase_gradient *f) {
    if (f->joint) {
        printf("together   the strongest places of the image told the phases together: none of "
               "them stands out\n");
        return;
    }
    printf("held out   %.3f of the power coherent before, %.3f now, of echoes that were not used\n",
           f->held_out_before, f->held_out_after);
    if (!isnan(f->told)) {
        printf("steady     %.3f of the power of the steadiest echo; many scatterers alike make "
               "0.785; half of the band told %.3f of the other half\n",
               f->steady, f->told);
    }
}

static void print_found(const struct track_phase *job, const nfsar_phase_gradient *f) {
    print_scatterers(f);
    if (per_pulse(job)) {
        printf("phases     %.1f degrees rms, %zu round%s\n", DEGREES * f->rms_rad, f->rounds,
               cli_s(f->rounds));
    } else {
        printf("poses      moved by %.4g mm rms along the line of sight, %.1f degrees of phase; "
               "%zu round%s%s\n",
               1e3 * f->rms_m, DEGREES * f->rms_rad, f->rounds, cli_s(f->rounds),
               f->aligned ? ", envelopes aligned first" : "");
    }
    if (f->spatial) {
        printf("           in three dimensions, condition %.3g\n", f->condition);
    }
    print_evidence(f);
    printf("sharpness  entropy %.4f before, %.4f now; contrast %.2f, %.2f; peak %.4g, %.4g "
           "(%+.1f %%)\n",
           f->before.entropy, f->after.entropy, f->before.contrast, f->after.contrast,
           f->before.peak, f->after.peak, 100.0 * (f->after.peak / f->before.peak - 1.0));
    printf("explained  %.3f of all echoes by the strongest places of the image before, %.3f now\n",
           f->explained_before, f->explained_after);
    printf("verdict    %s\n",
           f->gained ? "sharper" : "nothing gained: poses and samples left as they were");
    if (!f->gained) {
        printf("           %s\n", reason_of(f));
    }
}

static enum nfsar_status make_grid(const struct track_phase *job, const nfsar_capture *capture,
                                   const nfsar_echo_source *source, nfsar_grid *grid,
                                   nfsar_error *error) {
    const nfsar_grid given = job->options.grid;
    enum nfsar_status status = NFSAR_OK;
    if (!(job->has_x && job->has_y && job->has_z)) {
        const double gate[2] = {job->options.near_m, job->options.far_m};
        status = nfsar_grid_suggest(capture, source, gate[1] > 0.0 ? gate : NULL, MOST_VOXELS, grid,
                                    NULL, error);
    }
    grid->x = job->has_x ? given.x : grid->x;
    grid->y = job->has_y ? given.y : grid->y;
    grid->z = job->has_z ? given.z : grid->z;
    if (status == NFSAR_OK) {
        const bool ours[3] = {!job->has_x, !job->has_y, !job->has_z};
        nfsar_phase_gradient_refine(capture, ours, MOST_REFINED, grid);
        cli_say("grid x %.4g:%.4g:%zu y %.4g:%.4g:%zu z %.4g:%.4g:%zu m", grid->x.start,
                nfsar_axis_end(&grid->x), grid->x.count, grid->y.start, nfsar_axis_end(&grid->y),
                grid->y.count, grid->z.start, nfsar_axis_end(&grid->z), grid->z.count);
    }
    return status;
}

int track_phase(const struct track_phase *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_phase_gradient found = {0};
    nfsar_phase_gradient_options options = job->options;
    enum nfsar_status status = calibrate_open(job->files.input, job->files.output, &file, &error);
    if (status == NFSAR_OK && !per_pulse(job)) {
        status = track_motion_needed(nfsar_capture_file_header(file), job->files.input, &error);
    }
    if (status == NFSAR_OK) {
        const nfsar_capture *header = nfsar_capture_file_header(file);
        nfsar_calibrated_source calibrated = {header, nfsar_capture_file_source(file), NULL};
        const nfsar_echo_source source = nfsar_calibrated(&calibrated);
        options.threads = cli_threads();
        status = make_grid(job, header, &source, &options.grid, &error);
        if (status == NFSAR_OK) {
            status = nfsar_phase_gradient_find(header, &source, &options, &found,
                                               cli_progress("focusing"), &error);
        }
        cli_progress_end();
        nfsar_calibrated_free(&calibrated);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", job->files.input);
        } else {
            status = write_capture(job, file, &found, &error);
        }
    }
    nfsar_capture_file_close(file);
    int answer = CLI_DONE;
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(job, &found);
    } else {
        print_found(job, &found);
    }
    nfsar_phase_gradient_free(&found);
    return answer;
}
