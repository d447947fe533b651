/* nfsar calibrate --path: steps, skew and directions of a planar scan's rows, by focus. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"

static const char *const key[NFSAR_PATH_PARAMETERS] = {"fast_step", "slow_step", "skew",
                                                       "backlash_m"};
static const char *const turned_key[] = {"none", "odd", "even", "all"};
static const char *const turned_text[] = {
    "as the poses have them", "every other row (the second, fourth ...) the other way round",
    "every other row (the first, third ...) the other way round", "all rows the other way round"};

/* ---- the capture ---------------------------------------------------------------------------- */

static enum nfsar_status note(nfsar_capture *capture, const nfsar_path *p, nfsar_error *error) {
    return nfsar_capture_note(
        capture, error,
        "%s (nfsar " NFSAR_VERSION "): steps along rows by %.6f, across by %.6f, skew %+.6f, "
        "backlash %+.4f mm, rows turned: %s",
        cli_command_line(), 1.0 + p->estimate[NFSAR_PATH_FAST].applied,
        1.0 + p->estimate[NFSAR_PATH_SLOW].applied, p->estimate[NFSAR_PATH_SKEW].applied,
        1e3 * p->estimate[NFSAR_PATH_OFFSET].applied, turned_key[p->turned]);
}

static enum nfsar_status write_capture(const struct calibrate_path *job, nfsar_capture_file *file,
                                       const nfsar_path *path, nfsar_error *error) {
    nfsar_capture corrected;
    enum nfsar_status status = calibrate_copy_header(file, &corrected, error);
    if (status == NFSAR_OK) {
        nfsar_path_apply(path, &corrected);
        status = note(&corrected, path, error);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &corrected, NULL, error);
    }
    calibrate_free_header(file, &corrected);
    return status;
}

/* ---- what was found ------------------------------------------------------------------------- */

static json_t *estimate(const nfsar_path_estimate *e) {
    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:f}", "told", e->told, "value",
                     json_number(e->value), "sigma", json_number(e->sigma), "sigma_of_noise",
                     json_number(e->noise), "sigma_of_parts", json_number(e->spread), "by_range",
                     json_number(e->by_range), "applied", e->applied);
}

static int print_json(const struct calibrate_path *job, const nfsar_path *p) {
    json_t *object = json_pack(
        "{s:o, s:s, s:I, s:b, s:f, s:f, s:s, s:o, s:[o, o], s:f, s:f, s:I, s:f, s:f, s:o}",
        "output", json_text(job->files.output), "rows_along", p->along_x ? "x" : "y", "rows",
        (json_int_t)p->rows, "both_ways", p->both_ways, "fast_step_m", p->fast_step_m,
        "slow_step_m", p->slow_step_m, "turned", turned_key[p->turned], "turned_gain",
        json_number(p->turned_gain), "row_correlation", json_number(p->correlation[0]),
        json_number(p->correlation[1]), "range_m", p->range_m, "range_sigma_m", p->range_sigma_m,
        "parts", (json_int_t)p->parts, "sharpness_before", p->sharpness_before, "sharpness_after",
        p->sharpness_after, "step_ratio", estimate(&p->ratio));
    for (int i = 0; object != NULL && i < NFSAR_PATH_PARAMETERS; i++) {
        json_object_set_new(object, key[i], estimate(&p->estimate[i]));
    }
    return print_object(object);
}

static const char *verdict(const nfsar_path_estimate *e) {
    return e->applied != 0.0                  ? "corrected"
           : fabs(e->value) <= 2.0 * e->sigma ? "left alone, within two standard deviations"
                                              : "left alone, too small to matter";
}

/* A factor on steps. */
static void print_factor(const char *name, const nfsar_path_estimate *e, double step_m) {
    if (!e->told) {
        printf("%s the echoes do not tell\n", name);
        return;
    }
    printf("%s %.4f of the poses'", name, 1.0 + e->value);
    if (step_m > 0.0) {
        printf(" (%.4f mm)", 1e3 * step_m * (1.0 + e->value));
    }
    printf(", standard deviation %.2g", e->sigma);
    if (e->applied != 0.0 && fabs(e->applied - e->value) > 1e-9) {
        printf(": changed by %.4f", 1.0 + e->applied);
        if (step_m > 0.0) {
            printf(" to %.4f mm, for the ratio", 1e3 * step_m * (1.0 + e->applied));
        }
        printf("\n");
    } else {
        printf(": %s\n", verdict(e));
    }
}

static void print_offset(const nfsar_path *p) {
    const nfsar_path_estimate *e = &p->estimate[NFSAR_PATH_OFFSET];
    if (!p->both_ways) {
        printf("backlash   not told: all rows run one way, where it (or a lag) moves the image as "
               "a whole\n");
    } else if (!e->told) {
        printf("backlash   the echoes do not tell\n");
    } else {
        printf("backlash   %+.3f mm between rows of opposite direction, standard deviation %.2g mm",
               1e3 * e->value, 1e3 * e->sigma);
        if (p->seconds_per_row > 0.0) {
            double speed = p->length_m / p->seconds_per_row;
            printf(" (or a lag of %.3g ms at %.3g mm/s)", 0.5e3 * e->value / speed, 1e3 * speed);
        }
        printf(": %s\n", verdict(e));
    }
}

static void print_found(const nfsar_path *p) {
    const nfsar_path_estimate *skew = &p->estimate[NFSAR_PATH_SKEW];
    printf("rows       %zu along %c, %s, steps %.4f and %.4f mm\n", p->rows, p->along_x ? 'x' : 'y',
           p->both_ways ? "in both directions" : "all in one direction", 1e3 * p->fast_step_m,
           1e3 * p->slow_step_m);
    printf("directions %s: neighbours correlate %.2f as the poses had them, %.2f reversed",
           turned_text[p->turned], p->correlation[0], p->correlation[1]);
    if (isfinite(p->turned_gain)) {
        printf("; %.2f times as sharp as the next best", p->turned_gain);
    }
    printf("\n");
    printf("range      %.1f mm by the echoes' delay, taken to be known to %.2g mm: that leaves "
           "%.2g of both steps open, but not their ratio\n",
           1e3 * p->range_m, 1e3 * p->range_sigma_m, 0.5 * p->range_sigma_m / p->range_m);
    print_factor("along rows", &p->estimate[NFSAR_PATH_FAST], p->fast_step_m);
    print_factor("across    ", &p->estimate[NFSAR_PATH_SLOW], p->slow_step_m);
    print_factor("their ratio", &p->ratio, 0.0);
    if (skew->told) {
        printf("skew       %+.4f along the rows for each metre across, standard deviation %.2g: "
               "%s\n",
               skew->value, skew->sigma, verdict(skew));
    } else {
        printf("skew       the echoes do not tell\n");
    }
    print_offset(p);
    printf("sharpness  %.4g before, %.4g now, each at its best depth (%+.1f %%)\n",
           p->sharpness_before, p->sharpness_after,
           100.0 * (p->sharpness_after / p->sharpness_before - 1.0));
}

int calibrate_path(const struct calibrate_path *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_path path = {0};
    enum nfsar_status status = calibrate_open(job->files.input, job->files.output, &file, &error);
    if (status == NFSAR_OK) {
        nfsar_calibrated_source calibrated = {nfsar_capture_file_header(file),
                                              nfsar_capture_file_source(file), NULL};
        const nfsar_echo_source source = nfsar_calibrated(&calibrated);
        status = nfsar_path_find(nfsar_capture_file_header(file), &source, &job->options, &path,
                                 cli_progress("calibrating"), &error);
        cli_progress_end();
        nfsar_calibrated_free(&calibrated);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", job->files.input);
        } else {
            status = write_capture(job, file, &path, &error);
        }
    }
    nfsar_capture_file_close(file);
    int answer = CLI_DONE;
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(job, &path);
    } else {
        print_found(&path);
    }
    nfsar_path_free(&path);
    return answer;
}
