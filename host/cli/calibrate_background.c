/* nfsar calibrate --background, --leakage, --iq: what the radar sees of itself, taken out. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/files/pending.h"

/* What is taken out, in this order; each is looked for in what the ones before leave. */
struct work {
    const struct calibrate_background *request;
    nfsar_capture_file *file;
    const nfsar_capture *header;
    nfsar_iq iq;               /* no channels: left alone */
    float complex *background; /* [n_channel][n_sample], or NULL; replaces the capture's */
    nfsar_leakage *leakage;    /* or NULL */
    float complex *drift;      /* [n_channel][n_sample], room for the leakage of one pulse; NULL:
                                * it is in the background */
    bool rewrites;             /* samples change, and not /calibration alone */
    double before, after;      /* power of what all pulses share, before and after; of samples */
};

static void take_iq(const nfsar_iq *iq, const nfsar_capture *capture, size_t n_pulse,
                    float complex *echo) {
    for (size_t i = 0; i < n_pulse * iq->n_channel; i++) {
        nfsar_iq_apply(iq, i % iq->n_channel, capture->n_sample, echo + i * capture->n_sample);
    }
}

/* Recorded samples less what is known by now. Only whole lines are read. */
static enum nfsar_status read_clean(void *context, size_t first_pulse, size_t n_pulse,
                                    size_t first_sample, size_t n_sample, float complex *out,
                                    nfsar_error *error) {
    const struct work *work = context;
    size_t line = work->header->array.n_channel * n_sample;
    enum nfsar_status status = nfsar_capture_file_read(work->file, first_pulse, n_pulse,
                                                       first_sample, n_sample, out, error);
    if (status == NFSAR_OK) {
        take_iq(&work->iq, work->header, n_pulse, out);
    }
    for (size_t p = 0; status == NFSAR_OK && work->background != NULL && p < n_pulse; p++) {
        for (size_t i = 0; i < line; i++) {
            out[p * line + i] -= work->background[i];
        }
    }
    return status;
}

/* ---- finding -------------------------------------------------------------------------------- */

static double mean_power(const float complex *line, size_t n) {
    double power = 0.0;
    for (size_t i = 0; i < n; i++) {
        double re = (double)crealf(line[i]), im = (double)cimagf(line[i]);
        power += (re * re + im * im) / (double)n;
    }
    return power;
}

/* Put an estimate that is less than chance would make to nothing. */
static void forget_chance(nfsar_iq *iq) {
    for (size_t c = 0; c < iq->n_channel; c++) {
        if (!((double)cabsf(iq->imbalance[c]) > iq->doubt)) {
            iq->imbalance[c] = 0.0f;
        }
    }
}

static enum nfsar_status find_iq(struct work *work, nfsar_error *error) {
    const nfsar_echo_source raw = nfsar_capture_file_source(work->file);
    enum nfsar_status status = nfsar_iq_find(work->header, &raw, &work->iq, error);
    if (status == NFSAR_OK) {
        forget_chance(&work->iq);
        work->rewrites = true;
    }
    return status;
}

/* The mean of the empty room, through the same receivers. */
static enum nfsar_status find_background(struct work *work, nfsar_error *error) {
    const char *name = work->request->empty;
    nfsar_capture_file *file = NULL;
    enum nfsar_status status = nfsar_capture_file_open(name, &file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_capture *empty = nfsar_capture_file_header(file);
    const nfsar_echo_source source = nfsar_capture_file_source(file);
    size_t n = work->header->array.n_channel * work->header->n_sample;
    if (empty->gated.range_m[1] > 0.0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "is gated: take the capture it was made of");
    } else {
        status = nfsar_background_check(work->header, empty, error);
    }
    if (status == NFSAR_OK) {
        work->background = malloc(n * sizeof *work->background);
        status = work->background != NULL
                     ? nfsar_background_mean(empty, &source, work->background, error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        take_iq(&work->iq, work->header, 1, work->background);
    } else {
        nfsar_fail_in(error, status, "--background %s", name);
    }
    nfsar_capture_file_close(file);
    return status;
}

/* Without an empty capture the one that was there before goes on to hold. */
static enum nfsar_status keep_background(struct work *work, nfsar_error *error) {
    const float complex *had = work->header->calibration.background;
    size_t n = work->header->array.n_channel * work->header->n_sample;
    if (had == NULL) {
        return NFSAR_OK;
    }
    work->background = malloc(n * sizeof *work->background);
    if (work->background == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    memcpy(work->background, had, n * sizeof *work->background);
    take_iq(&work->iq, work->header, 1, work->background);
    return NFSAR_OK;
}

/* Leakage that stays joins the background; leakage that drifts comes out of the samples. */
static enum nfsar_status find_leakage(struct work *work, nfsar_error *error) {
    const struct calibrate_background *r = work->request;
    const nfsar_echo_source clean = {.read = read_clean, .context = work};
    size_t n = work->header->array.n_channel * work->header->n_sample;
    enum nfsar_status status =
        nfsar_leakage_create(work->header, r->leakage, r->drift, &work->leakage, error);
    if (status == NFSAR_OK) {
        status = nfsar_leakage_find(work->leakage, &clean, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    float complex *found = malloc(n * sizeof *found);
    if (found == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (r->drift > 0) {
        work->rewrites = true;
        work->drift = found;
        return NFSAR_OK;
    }
    nfsar_leakage_at(work->leakage, 0, found);
    for (size_t i = 0; work->background != NULL && i < n; i++) {
        found[i] += work->background[i];
    }
    free(work->background);
    work->background = found;
    return NFSAR_OK;
}

/* Less what drifting leakage is on average over the pulses that count. */
static void take_drift(struct work *work, size_t n, float complex *mean) {
    const nfsar_capture *header = work->header;
    size_t pulses = 0;
    for (size_t p = 0; p < header->n_pulse; p++) {
        pulses += (header->flags[p] & NFSAR_PULSE_SAMPLES_MISSING) == 0 ? 1 : 0;
    }
    for (size_t p = 0; work->drift != NULL && p < header->n_pulse; p++) {
        if ((header->flags[p] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            nfsar_leakage_at(work->leakage, p, work->drift);
            for (size_t i = 0; i < n; i++) {
                mean[i] -= work->drift[i] / (float)pulses;
            }
        }
    }
}

/* What all pulses share shows what was taken out. */
static enum nfsar_status compare(struct work *work, nfsar_error *error) {
    const nfsar_echo_source raw = nfsar_capture_file_source(work->file);
    size_t n = work->header->array.n_channel * work->header->n_sample;
    float complex *mean = malloc(n * sizeof *mean);
    enum nfsar_status status = mean != NULL
                                   ? nfsar_background_mean(work->header, &raw, mean, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        work->before = mean_power(mean, n);
        take_iq(&work->iq, work->header, 1, mean);
        for (size_t i = 0; work->background != NULL && i < n; i++) {
            mean[i] -= work->background[i];
        }
        take_drift(work, n, mean);
        work->after = mean_power(mean, n);
    }
    free(mean);
    return status;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void change_samples(void *context, size_t first_pulse, size_t n_pulse, float complex *echo) {
    const struct work *work = context;
    const nfsar_capture *header = work->header;
    size_t line = header->array.n_channel * header->n_sample;
    take_iq(&work->iq, header, n_pulse, echo);
    for (size_t p = 0; work->drift != NULL && p < n_pulse; p++) {
        if ((header->flags[first_pulse + p] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            nfsar_leakage_at(work->leakage, first_pulse + p, work->drift);
            for (size_t i = 0; i < line; i++) {
                echo[p * line + i] -= work->drift[i];
            }
        }
    }
}

static enum nfsar_status write_capture(struct work *work, nfsar_error *error) {
    nfsar_capture header;
    const struct calibrate_change change = {change_samples, work};
    enum nfsar_status status = calibrate_copy_header(work->file, &header, error);
    if (status != NFSAR_OK) {
        return status;
    }
    header.calibration.background = work->background;
    status =
        nfsar_capture_note(&header, error, "%s (nfsar " NFSAR_VERSION "): %s", cli_command_line(),
                           work->rewrites ? "samples changed" : "background");
    if (status == NFSAR_OK) {
        status = calibrate_write(work->request->files.output, work->file, &header,
                                 work->rewrites ? &change : NULL, error);
    }
    calibrate_free_header(work->file, &header);
    return status;
}

/* ---- telling -------------------------------------------------------------------------------- */

/* NaN of nothing. */
static double decibels(double power) {
    return power > 0.0 ? 10.0 * log10(power) : NAN;
}

static void print_decibels(const char *before, double power, const char *after) {
    if (power > 0.0) {
        printf("%s%.1f dB%s", before, decibels(power), after);
    } else {
        printf("%snothing%s", before, after);
    }
}

/* A background of this radar on that day takes out most of what all pulses share. */
static void warn_of_background(const struct work *work) {
    if (work->request->empty != NULL && !(work->after < work->before)) {
        cli_say("warning: with --background %s pulses share more than before, or as much (%.1f dB, "
                "%.1f now): is it of this radar, with these settings, and of an empty room?",
                work->request->empty, decibels(work->before), decibels(work->after));
    }
}

/* So near an echo is a DC offset as much as leakage. */
static double near_mm(const nfsar_capture *capture) {
    double band = fabs(capture->frequency_hz[capture->n_sample - 1] - capture->frequency_hz[0]);
    return 1e3 * NFSAR_SPEED_OF_LIGHT / band; /* two cells of range */
}

/* The largest imbalance of all channels, and the largest DC. */
static void largest(const nfsar_iq *iq, double *imbalance, double *dc) {
    *imbalance = *dc = 0.0;
    for (size_t c = 0; c < iq->n_channel; c++) {
        *imbalance = fmax(*imbalance, (double)cabsf(iq->imbalance[c]));
        *dc = fmax(*dc, (double)cabsf(iq->dc[c]));
    }
}

static int tell(const struct work *work) {
    const struct calibrate_background *r = work->request;
    double imbalance, dc;
    largest(&work->iq, &imbalance, &dc);
    warn_of_background(work);
    double leakage = r->leakage[1] > 0.0 ? decibels(nfsar_leakage_power(work->leakage)) : NAN;
    double image = imbalance > 0.0 ? 20.0 * log10(imbalance) : NAN;
    if (r->files.json) {
        return print_object(
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "output", json_text(r->files.output),
                      "common_before_db", json_number(decibels(work->before)), "common_after_db",
                      json_number(decibels(work->after)), "leakage_db", json_number(leakage),
                      "iq_image_db", json_number(image), "dc", json_number(r->iq ? dc : NAN)));
    }
    if (r->iq && imbalance > 0.0) {
        printf("iq         mirror images of %.1f dB taken out\n", image);
    } else if (r->iq) {
        printf("iq         balanced: mirror images are below the %.1f dB that chance makes\n",
               20.0 * log10(work->iq.doubt));
    }
    if (r->iq && dc > 0.0) {
        printf("dc         up to %.3g taken out; leakage from nearer than about %.0f mm is in it, "
               "which is not told from DC\n",
               dc, near_mm(work->header));
    } else if (r->iq) {
        printf("dc         none beyond what chance makes\n");
    }
    if (r->leakage[1] > 0.0) {
        print_decibels("leakage    ", nfsar_leakage_power(work->leakage),
                       " (of 1, in each sample)");
        printf(" from up to %.3g m, %s; targets beyond %.3f m are left alone\n", r->leakage[0],
               r->drift > 0 ? "as it drifts" : "the same for all pulses", r->leakage[1]);
    }
    print_decibels("shared     by all pulses: ", work->before, " before, ");
    print_decibels("", work->after, " now\n");
    return CLI_DONE;
}

static enum nfsar_status find(struct work *work, nfsar_error *error) {
    const struct calibrate_background *r = work->request;
    enum nfsar_status status = NFSAR_OK;
    if (status == NFSAR_OK && r->iq) {
        status = find_iq(work, error);
    }
    if (status == NFSAR_OK && r->empty == NULL) {
        status = keep_background(work, error);
    }
    if (status == NFSAR_OK && r->empty != NULL) {
        /* Names the other file. */
        return find_background(work, error);
    }
    return status == NFSAR_OK ? NFSAR_OK : nfsar_fail_in(error, status, "%s", r->files.input);
}

static enum nfsar_status find_and_write(struct work *work, nfsar_error *error) {
    const struct calibrate_background *r = work->request;
    if (r->empty != NULL) {
        pending_protect(r->empty);
    }
    enum nfsar_status status = calibrate_open(r->files.input, r->files.output, &work->file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    work->header = nfsar_capture_file_header(work->file);
    status = find(work, error);
    if (status == NFSAR_OK && r->leakage[1] > 0.0) {
        status = find_leakage(work, error);
        if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s", r->files.input);
        }
    }
    if (status == NFSAR_OK) {
        status = compare(work, error);
    }
    return status == NFSAR_OK ? write_capture(work, error) : status;
}

int calibrate_background(const struct calibrate_background *request) {
    struct work work = {.request = request};
    nfsar_error error = {0};
    enum nfsar_status status = find_and_write(&work, &error);
    int exit_status = status == NFSAR_OK ? tell(&work) : cli_fail(&error);
    nfsar_leakage_destroy(work.leakage);
    nfsar_iq_free(&work.iq);
    free(work.background);
    free(work.drift);
    nfsar_capture_file_close(work.file);
    return exit_status;
}
