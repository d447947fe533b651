/* nfsar track --autofocus: smooth errors of poses, by the sharpest image that explains the echoes.
 */
#include "host/cli/track_autofocus.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/track_motion.h"

/* Targets elsewhere, or errors of another kind, leave more than this after a focus. */
#define MUCH 0.1

static const char *const verdict_text[] = {"focused", "left alone", "refused"};

/* ---- pictures of the steps --------------------------------------------------------------------
 */

struct series {
    const char *folder;
    int n;
    enum nfsar_status status;
    nfsar_error error;
};

static void draw(void *context, const nfsar_grid *grid, const float complex *image,
                 size_t n_pulse) {
    struct series *series = context;
    if (series->status != NFSAR_OK) {
        return;
    }
    nfsar_image picture = {.grid = *grid, .data = (float complex *)image};
    nfsar_picture_options options = nfsar_picture_defaults();
    options.width = 480;
    options.view = NFSAR_VIEW_FRONT;
    char title[64], path[4096];
    snprintf(title, sizeof title, "step %d: %zu pulses", series->n, n_pulse);
    options.title = title;
    const int length = snprintf(path, sizeof path, "%s/step-%03d.png", series->folder, series->n);
    if (length < 0 || (size_t)length >= sizeof path) {
        series->status = nfsar_fail(&series->error, NFSAR_ERROR_ARGUMENT,
                                    "--series: the folder's name is too long");
        return;
    }
    series->n++;
    series->status = nfsar_picture_image(&picture, &options, path, &series->error);
}

static enum nfsar_status make_folder(const char *folder, nfsar_error *error) {
    struct stat info;
    if (mkdir(folder, 0777) == 0 ||
        (errno == EEXIST && stat(folder, &info) == 0 && S_ISDIR(info.st_mode))) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FILE, "--series %s: cannot be made a folder: %s", folder,
                      strerror(errno));
}

/* ---- what was found ---------------------------------------------------------------------------
 */

static int print_json(const struct track_autofocus *job, const nfsar_autofocus *r, bool written) {
    json_t *object = json_pack(
        "{s:o, s:s, s:b, s:f, s:f, s:f, s:o, s:o, s:f, s:f, s:o, s:o, s:f, s:f, s:I}", "output",
        written ? json_text(job->files.output) : json_null(), "verdict", verdict_text[r->verdict],
        "nothing_there", (int)r->nothing_there, "correction_m", r->correction_m,
        "unexplained_before", r->unexplained_before, "unexplained_after", r->unexplained_after,
        "null_unexplained_before", json_number(r->unexplained_null[0]), "null_unexplained_after",
        json_number(r->unexplained_null[1]), "sharpness_before", r->sharpness_before,
        "sharpness_after", r->sharpness_after, "null_sharpness_before",
        json_number(r->null_sharpness[0]), "null_sharpness_after",
        json_number(r->null_sharpness[1]), "entropy_before", r->entropy_before, "entropy_after",
        r->entropy_after, "lines", (json_int_t)r->lines);
    json_t *trace = json_array();
    for (size_t i = 0; i < r->n_trace; i++) {
        json_array_append_new(trace,
                              json_pack("{s:I, s:f}", "pulses", (json_int_t)r->trace[i].n_pulse,
                                        "sharpness", r->trace[i].sharpness));
    }
    if (object != NULL) {
        json_object_set_new(object, "trace", trace);
    }
    return print_object(object);
}

static void print_found(const nfsar_autofocus *r) {
    printf("correction   %.3f mm rms along the line of sight, of %zu pulses (mean removed)\n",
           1e3 * r->correction_m, r->n_pulse);
    printf("echoes kept aside, unexplained: %.2f %% before, %.2f %% after\n",
           100.0 * r->unexplained_before, 100.0 * r->unexplained_after);
    printf("their image: sharpness %.4g before, %.4g after; entropy %.3f before, %.3f after\n",
           r->sharpness_before, r->sharpness_after, r->entropy_before, r->entropy_after);
    if (isfinite(r->unexplained_null[0])) {
        printf("null test (pulses of random phase): unexplained %.2f %% before, %.2f %% after; "
               "sharpness %.4g before, %.4g after\n",
               100.0 * r->unexplained_null[0], 100.0 * r->unexplained_null[1], r->null_sharpness[0],
               r->null_sharpness[1]);
    }
    printf("verdict      %s\n", verdict_text[r->verdict]);
    if (r->verdict == NFSAR_AUTOFOCUS_FOCUSED && r->unexplained_after > MUCH) {
        printf("             but much is unexplained still: targets outside the region (--x, --y, "
               "--z), or errors faster than --time-scale\n");
    }
}

/* ---- the capture ------------------------------------------------------------------------------
 */

static enum nfsar_status write_capture(const struct track_autofocus *job, nfsar_capture_file *file,
                                       const nfsar_autofocus *r, nfsar_error *error) {
    nfsar_capture corrected;
    enum nfsar_status status = calibrate_copy_header(file, &corrected, error);
    if (status == NFSAR_OK) {
        nfsar_autofocus_apply(r, &corrected);
        status = nfsar_capture_note(
            &corrected, error,
            "%s (nfsar " NFSAR_VERSION "): poses displaced by %.3f mm rms along the line of sight; "
            "unexplained of the echoes kept aside: %.2f %% before, %.2f %% after; %s",
            cli_command_line(), 1e3 * r->correction_m, 100.0 * r->unexplained_before,
            100.0 * r->unexplained_after,
            r->verdict == NFSAR_AUTOFOCUS_REFUSED ? "forced" : verdict_text[r->verdict]);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &corrected, NULL, error);
    }
    calibrate_free_header(file, &corrected);
    return status;
}

/* The region asked for; what was not given is as wide as the aperture, at the ranges of the
 * strongest echoes. */
static enum nfsar_status make_region(const struct track_autofocus *job,
                                     const nfsar_capture *capture, const nfsar_echo_source *source,
                                     nfsar_grid *region, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    if (!job->has_x || !job->has_y || !job->has_z) {
        const double depths[2] = {job->z.start, nfsar_axis_end(&job->z)};
        const bool given = job->has_z && job->z.count > 1 && depths[0] > 0.0;
        status = nfsar_grid_suggest(capture, source, given ? depths : NULL, (size_t)1 << 20, region,
                                    NULL, error);
        /* Suggested are the aperture and half as much more. */
        nfsar_axis *across[2] = {&region->x, &region->y};
        for (int a = 0; status == NFSAR_OK && a < 2; a++) {
            const double first = across[a]->start, last = nfsar_axis_end(across[a]);
            across[a]->start = first + (last - first) / 6.0;
            across[a]->step *= 2.0 / 3.0;
        }
    }
    region->x = job->has_x ? job->x : region->x;
    region->y = job->has_y ? job->y : region->y;
    region->z = job->has_z ? job->z : region->z;
    return status;
}

static void say_region(const nfsar_grid *grid) {
    cli_say("region of %zu x %zu x %zu voxels: --x %.5g:%.5g:%zu --y %.5g:%.5g:%zu --z "
            "%.5g:%.5g:%zu",
            grid->x.count, grid->y.count, grid->z.count, grid->x.start, nfsar_axis_end(&grid->x),
            grid->x.count, grid->y.start, nfsar_axis_end(&grid->y), grid->y.count, grid->z.start,
            nfsar_axis_end(&grid->z), grid->z.count);
}

static enum nfsar_status find(struct track_autofocus *job, const nfsar_capture *capture,
                              const nfsar_echo_source *source, nfsar_autofocus *found,
                              nfsar_error *error) {
    nfsar_grid region = {0};
    nfsar_autofocus_plan *plan = NULL;
    struct series series = {.folder = job->series, .status = NFSAR_OK};
    if (job->series != NULL) {
        job->options.seen = draw;
        job->options.context = &series;
    }
    enum nfsar_status status = make_region(job, capture, source, &region, error);
    if (status == NFSAR_OK) {
        status = nfsar_autofocus_plan_create(capture, &region, &job->options, &plan, error);
    }
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", job->files.input);
    }
    if (job->series != NULL) {
        status = make_folder(job->series, error);
    }
    if (status == NFSAR_OK) {
        const nfsar_grid grid = nfsar_autofocus_plan_grid(plan);
        say_region(&grid);
        status = nfsar_autofocus_execute(plan, source, found, cli_progress("autofocus"), error);
        cli_progress_end();
        if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s", job->files.input);
        }
    }
    nfsar_autofocus_plan_destroy(plan);
    if (status == NFSAR_OK && series.status != NFSAR_OK) {
        status = series.status;
        *error = series.error;
    }
    return status;
}

int track_autofocus(struct track_autofocus *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_autofocus found = {0};
    nfsar_calibrated_source calibrated = {0};
    bool refused = false;
    enum nfsar_status status = calibrate_open(job->files.input, job->files.output, &file, &error);
    if (status == NFSAR_OK) {
        status = track_motion_needed(nfsar_capture_file_header(file), job->files.input, &error);
    }
    if (status == NFSAR_OK) {
        const nfsar_capture *header = nfsar_capture_file_header(file);
        calibrated =
            (nfsar_calibrated_source){.capture = header, .raw = nfsar_capture_file_source(file)};
        const nfsar_echo_source source = nfsar_calibrated(&calibrated);
        status = find(job, header, &source, &found, &error);
    }
    if (status == NFSAR_OK) {
        refused = found.verdict == NFSAR_AUTOFOCUS_REFUSED && !job->force;
        status = refused ? NFSAR_OK : write_capture(job, file, &found, &error);
    }
    int exit_status = CLI_DONE;
    if (status != NFSAR_OK) {
        exit_status = cli_fail(&error);
    } else if (job->files.json) {
        exit_status = print_json(job, &found, !refused);
    } else {
        print_found(&found);
    }
    if (refused) {
        fflush(stdout);
        nfsar_fail(&error, NFSAR_ERROR_FORMAT,
                   "%s: the echoes kept aside do not confirm a focus (%.1f %% of them unexplained, "
                   "%.1f %% before): %s; nothing written (--force writes it)",
                   job->files.input, 100.0 * found.unexplained_after,
                   100.0 * found.unexplained_before,
                   found.nothing_there ? "noise, or a region without the targets (--x, --y, --z)"
                                       : "noise, or errors faster than --time-scale");
        exit_status = cli_fail(&error);
    }
    nfsar_autofocus_free(&found);
    nfsar_calibrated_free(&calibrated);
    nfsar_capture_file_close(file);
    return exit_status;
}
