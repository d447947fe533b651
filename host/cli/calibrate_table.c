/* nfsar calibrate --table: gains, delays and background from another program's tables. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/background.h>
#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/files/pending.h"

#define MOST_FILES 8

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

/* Part of the band by which a capture may go beyond what the table was made in. */
#define BEYOND_BAND 0.1

/* What is done to the capture's own calibration. A gain is the phase at f = 0, which is right with
 * the delay that was found together with it and no other: both are replaced, or none. */
struct change {
    bool pair;              /* gains and delays are the table's */
    bool no_gain, no_delay; /* which half of the pair the table did not have */
    bool replaced;          /* there were gains or delays before */
    double added_s;         /* without a pair: added to the delay of all channels; NaN for none */
    bool background;        /* is the table's */
    bool kept;              /* the capture's background, though the table has one */
};

/* ---- another capture ------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

/* By its first bytes; MATLAB's files of version 7.3 have others there. By name what does not
 * open. */
static bool is_capture(const char *path) {
    static const char signature[8] = {'\211', 'H', 'D', 'F', '\r', '\n', '\032', '\n'};
    char bytes[sizeof signature];
    FILE *file = fopen(path, "rb");
    size_t n = file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    return (n == sizeof bytes && memcmp(bytes, signature, sizeof bytes) == 0) ||
           ends_with(path, ".h5") || ends_with(path, ".hdf5");
}

static void find_band(const nfsar_capture *capture, double band[2]) {
    band[0] = INFINITY;
    band[1] = -INFINITY;
    for (size_t i = 0; i < capture->n_sample; i++) {
        band[0] = fmin(band[0], capture->frequency_hz[i]);
        band[1] = fmax(band[1], capture->frequency_hz[i]);
    }
}

/* Whether gains and delays that were found in one band hold in the other. */
static enum nfsar_status compare_bands(const char *path, const nfsar_capture *other,
                                       const nfsar_capture *capture, nfsar_error *error) {
    double had[2], wanted[2];
    find_band(other, had);
    find_band(capture, wanted);
    if (!(had[0] <= wanted[1]) || !(wanted[0] <= had[1])) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: was calibrated from %.6g to %.6g GHz, which says nothing of the "
                          "capture's %.6g to %.6g GHz: record the reflector with the same settings",
                          path, 1e-9 * had[0], 1e-9 * had[1], 1e-9 * wanted[0], 1e-9 * wanted[1]);
    }
    if (fmax(had[0] - wanted[0], wanted[1] - had[1]) > BEYOND_BAND * (had[1] - had[0])) {
        cli_say("%s: was calibrated from %.6g to %.6g GHz, the capture goes from %.6g to %.6g GHz: "
                "phases beyond are as the delays continue them",
                path, 1e-9 * had[0], 1e-9 * had[1], 1e-9 * wanted[0], 1e-9 * wanted[1]);
    }
    return NFSAR_OK;
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

/* The capture's own background is of its own settings and day: another's is taken where there is
 * none, and only if it fits. */
static enum nfsar_status check_background(const char *path, const nfsar_capture *other,
                                          const nfsar_capture *capture, nfsar_error *error) {
    nfsar_error why = {0};
    if (nfsar_background_check(capture, other, &why) == NFSAR_OK) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%s: its background does not fit, %s; or give the capture its own first "
                      "(--background or --leakage)",
                      path, why.message);
}

/* A copy of n numbers of that size; *into stays NULL where there are none. */
static enum nfsar_status copy(const void *from, size_t n, size_t size, void **into,
                              nfsar_error *error) {
    if (from == NULL) {
        return NFSAR_OK;
    }
    *into = malloc(n * size);
    if (*into == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    memcpy(*into, from, n * size);
    return NFSAR_OK;
}

/* What another capture of the same radar was calibrated with. */
static enum nfsar_status of_capture(const char *path, const nfsar_capture *capture,
                                    nfsar_calibration *table, struct change *change,
                                    nfsar_error *error) {
    nfsar_capture_file *file = NULL;
    enum nfsar_status status = nfsar_capture_file_open(path, &file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_capture *other = nfsar_capture_file_header(file);
    nfsar_calibration from = other->calibration;
    size_t n = other->array.n_channel;
    if (from.channel_gain == NULL && from.channel_delay_s == NULL && from.background == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: is not calibrated: give the file that nfsar calibrate wrote "
                            "(--channels, --range, --background)",
                            path);
    } else if (n != capture->array.n_channel || memcmp(other->array.channel, capture->array.channel,
                                                       n * sizeof *capture->array.channel) != 0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: has %zu channel%s, which %s not the capture's %zu: a table is of the "
                       "same radar and array",
                       path, n, cli_s(n), n == 1 ? "is" : "are", capture->array.n_channel);
    } else if (from.channel_gain != NULL || from.channel_delay_s != NULL) {
        status = compare_bands(path, other, capture, error);
    }
    if (from.background != NULL && capture->calibration.background != NULL) {
        from.background = NULL;
        change->kept = true;
    } else if (status == NFSAR_OK && from.background != NULL) {
        status = check_background(path, other, capture, error);
    }
    void *gain = NULL, *delay = NULL, *background = NULL;
    if (status == NFSAR_OK) {
        status = copy(from.channel_gain, n, sizeof *from.channel_gain, &gain, error);
    }
    if (status == NFSAR_OK) {
        status = copy(from.channel_delay_s, n, sizeof *from.channel_delay_s, &delay, error);
    }
    if (status == NFSAR_OK) {
        status =
            copy(from.background, n * other->n_sample, sizeof *from.background, &background, error);
    }
    if (status == NFSAR_OK) {
        compare_chirps(path, other, capture);
    }
    *table = (nfsar_calibration){gain, delay, background};
    nfsar_capture_file_close(file);
    return status;
}

/* ---- what becomes of it ---------------------------------------------------------------------- */

static enum nfsar_status read_table(char *text, const nfsar_capture *capture,
                                    nfsar_calibration *table, struct change *change,
                                    nfsar_error *error) {
    const char *path[MOST_FILES];
    size_t n = split(text, path);
    for (size_t i = 0; i < n; i++) {
        pending_protect(path[i]);
    }
    if (n == 1 && is_capture(path[0])) {
        return of_capture(path[0], capture, table, change, error);
    }
    for (size_t i = 0; i < n; i++) {
        if (is_capture(path[i])) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "--table: %s is a capture, which is taken alone or not at all",
                              path[i]);
        }
    }
    return nfsar_calibration_table(path, n, capture, table, error);
}

/* Without gains, and the same for all channels: the instrument's delay, as --range finds it. */
static bool is_common(const nfsar_calibration *table, size_t n) {
    if (table->channel_gain != NULL || table->channel_delay_s == NULL) {
        return false;
    }
    for (size_t c = 1; c < n; c++) {
        if (table->channel_delay_s[c] != table->channel_delay_s[0]) {
            return false;
        }
    }
    return n > 0;
}

/* The table to what the capture shall have; what is NULL stays. */
static enum nfsar_status complete(const nfsar_capture *capture, nfsar_calibration *table,
                                  struct change *change, nfsar_error *error) {
    const nfsar_calibration *had = &capture->calibration;
    size_t n = capture->array.n_channel;
    change->added_s = NAN;
    change->background = table->background != NULL;
    change->replaced = had->channel_gain != NULL || had->channel_delay_s != NULL;
    if (is_common(table, n)) {
        change->added_s = table->channel_delay_s[0];
        for (size_t c = 0; had->channel_delay_s != NULL && c < n; c++) {
            table->channel_delay_s[c] += had->channel_delay_s[c];
        }
        return NFSAR_OK;
    }
    if (table->channel_gain == NULL && table->channel_delay_s == NULL) {
        return NFSAR_OK;
    }
    change->pair = true;
    change->no_gain = table->channel_gain == NULL;
    change->no_delay = table->channel_delay_s == NULL;
    if (change->no_gain) {
        table->channel_gain = malloc(n * sizeof *table->channel_gain);
        for (size_t c = 0; table->channel_gain != NULL && c < n; c++) {
            table->channel_gain[c] = 1.0f;
        }
    }
    if (change->no_delay) {
        table->channel_delay_s = calloc(n, sizeof *table->channel_delay_s);
    }
    return table->channel_gain != NULL && table->channel_delay_s != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

static enum nfsar_status write_capture(const struct calibrate_table *job, nfsar_capture_file *file,
                                       const nfsar_calibration *result, const struct change *change,
                                       nfsar_error *error) {
    nfsar_capture header;
    char added[64] = "";
    if (!isnan(change->added_s)) {
        snprintf(added, sizeof added, ": delay of all channels %+.2f ps", 1e12 * change->added_s);
    }
    enum nfsar_status status = calibrate_copy_header(file, &header, error);
    if (status == NFSAR_OK) {
        header.calibration = *result;
        status = nfsar_capture_note(&header, error, "%s (nfsar " NFSAR_VERSION ")%s%s%s",
                                    cli_command_line(), change->pair ? ": gains and delays" : "",
                                    added, change->background ? ": background" : "");
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &header, NULL, error);
    }
    calibrate_free_header(file, &header);
    return status;
}

/* ---- telling --------------------------------------------------------------------------------- */

static int print_json(const struct calibrate_table *job, const nfsar_capture *capture,
                      const nfsar_calibration *result, const struct change *change) {
    json_t *channels = json_array();
    for (size_t c = 0; c < capture->array.n_channel; c++) {
        double complex gain = result->channel_gain != NULL ? result->channel_gain[c] : 1.0f;
        double delay = result->channel_delay_s != NULL ? result->channel_delay_s[c] : 0.0;
        json_array_append_new(channels, json_pack("{s:[f, f], s:f}", "gain", creal(gain),
                                                  cimag(gain), "delay_s", delay));
    }
    return print_object(json_pack("{s:o, s:b, s:b, s:o, s:b, s:o}", "output",
                                  json_text(job->files.output), "background", change->background,
                                  "gains_and_delays", change->pair, "added_delay_s",
                                  json_number(change->added_s), "replaced",
                                  change->pair && change->replaced, "channels", channels));
}

/* By its history the capture has that delay already; twice makes echoes as wrong as without. */
static void warn_of_twice(const struct calibrate_table *job, const nfsar_capture *capture,
                          const struct change *change) {
    char same[64];
    if (isnan(change->added_s) || change->added_s == 0.0) {
        return;
    }
    snprintf(same, sizeof same, "delay of all channels %+.2f ps", 1e12 * change->added_s);
    for (size_t i = 0; i < capture->n_provenance; i++) {
        if (strstr(capture->provenance[i], same) != NULL) {
            cli_say("warning: %s has the %s of this table already, by its history (nfsar info): "
                    "now it is there twice",
                    job->files.input, same);
            return;
        }
    }
}

static void print_change(const struct change *change) {
    if (!isnan(change->added_s)) {
        printf("delay      %+.2f ps, added to that of all channels%s\n", 1e12 * change->added_s,
               change->replaced ? "; their gains and what they differ by stay" : "");
    }
    if (change->pair && (change->no_gain || change->no_delay)) {
        printf("           the table has no %s: %s, since gains hold with their own delays only\n",
               change->no_gain ? "gains" : "delays", change->no_gain ? "1" : "0");
    }
    if (change->pair && change->replaced) {
        printf("           gains and delays that were there are replaced, both\n");
    }
    printf("background %s\n", change->background ? "from the table"
                              : change->kept     ? "the capture's own, not the table's"
                                                 : "none in the table");
}

static void print_table(const nfsar_capture *capture, const nfsar_calibration *result,
                        const struct change *change) {
    double centre = 0.5 * (capture->frequency_hz[0] + capture->frequency_hz[capture->n_sample - 1]);
    double first = 0.0;
    printf("phases     at %.2f GHz, relative to channel 0\n", 1e-9 * centre);
    printf("channel    gain       phase            delay\n");
    for (size_t c = 0; c < capture->array.n_channel; c++) {
        double complex gain = result->channel_gain != NULL ? result->channel_gain[c] : 1.0f;
        double delay = result->channel_delay_s != NULL ? result->channel_delay_s[c] : 0.0;
        double phase = carg(gain) / (2.0 * NFSAR_PI) + fmod(centre * delay, 1.0);
        first = c == 0 ? phase : first;
        printf("%7zu %+8.2f dB %+9.2f deg %+18.2f ps\n", c, 20.0 * log10(cabs(gain)),
               360.0 * remainder(phase - first, 1.0), 1e12 * delay);
    }
    print_change(change);
}

/* What the capture shall have: the table's, and its own where the table has none. */
static nfsar_calibration join(const nfsar_calibration *had, const nfsar_calibration *table) {
    return (nfsar_calibration){
        table->channel_gain != NULL ? table->channel_gain : had->channel_gain,
        table->channel_delay_s != NULL ? table->channel_delay_s : had->channel_delay_s,
        table->background != NULL ? table->background : had->background};
}

int calibrate_table(const struct calibrate_table *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_calibration table = {0}, result = {0};
    struct change change = {0};
    char *text = strdup(job->tables);
    enum nfsar_status status =
        text != NULL ? calibrate_open(job->files.input, job->files.output, &file, &error)
                     : nfsar_fail(&error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        status = read_table(text, nfsar_capture_file_header(file), &table, &change, &error);
    }
    if (status == NFSAR_OK) {
        status = complete(nfsar_capture_file_header(file), &table, &change, &error);
    }
    if (status == NFSAR_OK) {
        result = join(&nfsar_capture_file_header(file)->calibration, &table);
        status = write_capture(job, file, &result, &change, &error);
    }
    int answer = CLI_DONE;
    if (status == NFSAR_OK) {
        warn_of_twice(job, nfsar_capture_file_header(file), &change);
    }
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(job, nfsar_capture_file_header(file), &result, &change);
    } else {
        print_table(nfsar_capture_file_header(file), &result, &change);
    }
    free(table.channel_gain);
    free(table.channel_delay_s);
    free(table.background);
    free(text);
    nfsar_capture_file_close(file);
    return answer;
}
