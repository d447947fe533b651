/* nfsar calibrate --table: gains, delays and background from another program's tables. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/files/pending.h"

#define MOST_FILES 8
#define DEGREES    (180.0 / NFSAR_PI)

/* The text, cut at its commas; more than there is room for stay in the last. */
static size_t split(char *text, const char *file[MOST_FILES]) {
    size_t n = 0;
    for (char *rest = text; rest != NULL && n < MOST_FILES; n++) {
        file[n] = rest;
        rest = n + 1 < MOST_FILES ? strchr(rest, ',') : NULL;
        if (rest != NULL) {
            *rest++ = '\0';
        }
    }
    return n;
}

/* Frequencies that --range put right belong to gains and delays that were found with them. */
static void compare_chirps(const char *path, const nfsar_capture *other,
                           const nfsar_capture *capture) {
    const nfsar_fmcw *a = &other->fmcw, *b = &capture->fmcw;
    if (!other->has_fmcw || !capture->has_fmcw || other->n_sample != capture->n_sample ||
        a->start_frequency_hz != b->start_frequency_hz || a->sample_rate_hz != b->sample_rate_hz ||
        (a->slope_hz_per_s == b->slope_hz_per_s && a->adc_start_s == b->adc_start_s)) {
        return;
    }
    cli_say("warning: %s has the chirp's slope or ADC start otherwise than the capture: if --range "
            "put them right there, do that to this capture as well",
            path);
}

/* What another capture of the same radar was calibrated with. */
static enum nfsar_status of_capture(const char *path, const nfsar_capture *capture,
                                    nfsar_calibration *table, nfsar_error *error) {
    nfsar_capture_file *file = NULL;
    enum nfsar_status status = nfsar_capture_file_open(path, &file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_capture *other = nfsar_capture_file_header(file);
    const nfsar_calibration *from = &other->calibration;
    size_t n = other->array.n_channel, n_sample = other->n_sample;
    if (from->channel_gain == NULL && from->channel_delay_s == NULL && from->background == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is not calibrated", path);
    } else if (n != capture->array.n_channel || memcmp(other->array.channel, capture->array.channel,
                                                       n * sizeof *capture->array.channel) != 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: has %zu channels, which are not the capture's %zu", path, n,
                            capture->array.n_channel);
    } else if (from->background != NULL && n_sample != capture->n_sample) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: has a background of %zu samples, the capture has %zu", path,
                            n_sample, capture->n_sample);
    }
    if (status == NFSAR_OK && from->channel_gain != NULL) {
        table->channel_gain = malloc(n * sizeof *table->channel_gain);
    }
    if (status == NFSAR_OK && from->channel_delay_s != NULL) {
        table->channel_delay_s = malloc(n * sizeof *table->channel_delay_s);
    }
    if (status == NFSAR_OK && from->background != NULL) {
        table->background = malloc(n * n_sample * sizeof *table->background);
    }
    if (status == NFSAR_OK && ((from->channel_gain != NULL && table->channel_gain == NULL) ||
                               (from->channel_delay_s != NULL && table->channel_delay_s == NULL) ||
                               (from->background != NULL && table->background == NULL))) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK && from->channel_gain != NULL) {
        memcpy(table->channel_gain, from->channel_gain, n * sizeof *table->channel_gain);
    }
    if (status == NFSAR_OK && from->channel_delay_s != NULL) {
        memcpy(table->channel_delay_s, from->channel_delay_s, n * sizeof *table->channel_delay_s);
    }
    if (status == NFSAR_OK && from->background != NULL) {
        memcpy(table->background, from->background, n * n_sample * sizeof *table->background);
    }
    if (status == NFSAR_OK) {
        compare_chirps(path, other, capture);
    }
    nfsar_capture_file_close(file);
    return status;
}

static enum nfsar_status read_table(char *text, const nfsar_capture *capture,
                                    nfsar_calibration *table, nfsar_error *error) {
    const char *path[MOST_FILES];
    size_t n = split(text, path), length = strlen(path[0]);
    for (size_t i = 0; i < n; i++) {
        pending_protect(path[i]);
    }
    if (n == 1 && length > 3 && strcmp(path[0] + length - 3, ".h5") == 0) {
        return of_capture(path[0], capture, table, error);
    }
    return nfsar_calibration_table(path, n, capture, table, error);
}

static enum nfsar_status write_capture(const struct calibrate_table *job, nfsar_capture_file *file,
                                       const nfsar_calibration *table, nfsar_error *error) {
    nfsar_capture copy;
    enum nfsar_status status = calibrate_copy_header(file, &copy, error);
    if (status == NFSAR_OK) {
        /* What the tables do not have stays. */
        nfsar_calibration *c = &copy.calibration;
        c->channel_gain = table->channel_gain != NULL ? table->channel_gain : c->channel_gain;
        c->channel_delay_s =
            table->channel_delay_s != NULL ? table->channel_delay_s : c->channel_delay_s;
        c->background = table->background != NULL ? table->background : c->background;
        status =
            nfsar_capture_note(&copy, error, "%s (nfsar " NFSAR_VERSION ")%s%s%s",
                               cli_command_line(), table->channel_gain != NULL ? ": gains" : "",
                               table->channel_delay_s != NULL ? ": delays" : "",
                               table->background != NULL ? ": background" : "");
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &copy, NULL, error);
    }
    calibrate_free_header(file, &copy);
    return status;
}

static int print_json(const struct calibrate_table *job, const nfsar_capture *capture,
                      const nfsar_calibration *table) {
    json_t *channels = json_array();
    for (size_t c = 0; c < capture->array.n_channel; c++) {
        json_t *gain = json_null();
        if (table->channel_gain != NULL) {
            gain = json_pack("[f, f]", (double)crealf(table->channel_gain[c]),
                             (double)cimagf(table->channel_gain[c]));
        }
        json_array_append_new(channels, json_pack("{s:o, s:o}", "gain", gain, "delay_s",
                                                  json_number(table->channel_delay_s != NULL
                                                                  ? table->channel_delay_s[c]
                                                                  : NAN)));
    }
    return print_object(json_pack("{s:o, s:b, s:o}", "output", json_text(job->files.output),
                                  "background", table->background != NULL, "channels", channels));
}

static void print_table(const nfsar_capture *capture, const nfsar_calibration *table) {
    double centre = 0.5 * (capture->frequency_hz[0] + capture->frequency_hz[capture->n_sample - 1]);
    printf("channel    gain       phase at %.2f GHz   delay\n", 1e-9 * centre);
    for (size_t c = 0; c < capture->array.n_channel; c++) {
        double complex gain = table->channel_gain != NULL ? table->channel_gain[c] : 1.0f;
        double delay = table->channel_delay_s != NULL ? table->channel_delay_s[c] : 0.0;
        double turns = fmod(centre * delay, 1.0);
        printf("%7zu %+8.2f dB %+9.2f deg %+18.2f ps\n", c, 20.0 * log10(cabs(gain)),
               DEGREES * carg(gain * cexp(2.0 * NFSAR_PI * I * turns)), 1e12 * delay);
    }
    printf("background %s\n", table->background != NULL ? "from the table" : "none in the table");
}

int calibrate_table(const struct calibrate_table *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_calibration table = {0};
    char *text = strdup(job->tables);
    enum nfsar_status status =
        text != NULL ? calibrate_open(job->files.input, job->files.output, &file, &error)
                     : nfsar_fail(&error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        status = read_table(text, nfsar_capture_file_header(file), &table, &error);
    }
    if (status == NFSAR_OK) {
        status = write_capture(job, file, &table, &error);
    }
    int answer = CLI_DONE;
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(job, nfsar_capture_file_header(file), &table);
    } else {
        print_table(nfsar_capture_file_header(file), &table);
    }
    free(table.channel_gain);
    free(table.channel_delay_s);
    free(table.background);
    free(text);
    nfsar_capture_file_close(file);
    return answer;
}
