#include <nfsar/calibration_table.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <matio.h>
#include <nfsar/geometry.h>

#include "host/import/cube.h"

/* Delays of two tables that are said to be the same may differ by this. */
#define SAME_DELAY_S 1e-12

enum kind { CAL_DATA, DELAY, RANGE_MM, Z_BIAS, EMPTY, N_KIND };

static const struct {
    const char *name;
    enum kind kind;
} known[] = {
    {"calData", CAL_DATA},        {"delayOffset", DELAY}, {"rangeOffset", RANGE_MM},
    {"rangeOffset_mm", RANGE_MM}, {"zBias_m", Z_BIAS},    {"sarDataEmpty", EMPTY},
};

/* What the files have, in MATLAB's order. */
struct tables {
    double complex *value[N_KIND];
    bool transposed[N_KIND]; /* transmitter fastest */
};

/* ---- one variable ---------------------------------------------------------------------------- */

static void describe(const matvar_t *v, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < v->rank && used < size; i++) {
        int more = snprintf(text + used, size - used, "%s%zu", i > 0 ? " x " : "", v->dims[i]);
        used += more > 0 ? (size_t)more : 0;
    }
}

/* Sizes without those of 1. */
static int essential(const matvar_t *v, size_t dims[4]) {
    int n = 0;
    for (int i = 0; i < v->rank; i++) {
        if (v->dims[i] != 1) {
            if (n == 4) {
                return -1;
            }
            dims[n++] = v->dims[i];
        }
    }
    return n;
}

/* Whether the sizes are right; *transposed where the transmitters come first. */
static bool fits(const matvar_t *v, enum kind kind, const nfsar_capture *capture,
                 bool *transposed) {
    size_t dims[4] = {1, 1, 1, 1}, n_tx = capture->array.n_tx, n_rx = capture->array.n_rx;
    int n = essential(v, dims);
    *transposed = false;
    if (kind == Z_BIAS) {
        return n == 0;
    }
    if (kind == EMPTY) {
        if (n < 0 || (capture->n_sample > 1 && (n == 0 || dims[n - 1] != capture->n_sample))) {
            return false;
        }
        if (capture->n_sample > 1) {
            dims[--n] = 1;
        }
    }
    if (n == 2) {
        *transposed = dims[0] == n_tx && dims[1] == n_rx && n_tx != n_rx;
        return *transposed || (dims[0] == n_rx && dims[1] == n_tx);
    }
    return (n == 0 || n == 1) && dims[0] == n_tx * n_rx;
}

static double number(const void *data, enum matio_classes class, size_t i) {
    if (class == MAT_C_SINGLE) {
        return (double)((const float *)data)[i];
    }
    return ((const double *)data)[i];
}

static enum nfsar_status convert(const char *path, const matvar_t *v, size_t n,
                                 double complex *value, nfsar_error *error) {
    bool real = v->class_type == MAT_C_DOUBLE || v->class_type == MAT_C_SINGLE;
    size_t each = v->class_type == MAT_C_SINGLE ? sizeof(float) : sizeof(double);
    if (!real || v->data == NULL || v->nbytes < n * each) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is not of class single or double",
                          path, v->name);
    }
    const mat_complex_split_t *both = v->data;
    for (size_t i = 0; i < n; i++) {
        value[i] = v->isComplex
                       ? number(both->Re, v->class_type, i) + I * number(both->Im, v->class_type, i)
                       : number(v->data, v->class_type, i);
        if (!isfinite(creal(value[i])) || !isfinite(cimag(value[i]))) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: %s: entry %zu is not a finite number: put it right in the "
                              "table",
                              path, v->name, i + 1);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status take(const char *path, const char *name, mat_t *mat, enum kind kind,
                              const nfsar_capture *capture, struct tables *tables,
                              nfsar_error *error) {
    if (tables->value[kind] != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is there for the second time", path,
                          name);
    }
    size_t n_pair = capture->array.n_tx * capture->array.n_rx;
    size_t n = kind == Z_BIAS ? 1 : kind == EMPTY ? n_pair * capture->n_sample : n_pair;
    char shape[128];
    matvar_t *v = Mat_VarReadInfo(mat, name);
    enum nfsar_status status = NFSAR_OK;
    if (v == NULL || v->dims == NULL || v->rank < 1) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read", path, name);
    } else if (!fits(v, kind, capture, &tables->transposed[kind])) {
        describe(v, shape, sizeof shape);
        if (kind == Z_BIAS) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is %s, not one number", path,
                                name, shape);
        } else {
            status = nfsar_fail(
                error, NFSAR_ERROR_FORMAT,
                "%s: %s is %s; a radar of %zu transmitters and %zu receivers needs %zu numbers, or "
                "%zu x %zu%s",
                path, name, shape, capture->array.n_tx, capture->array.n_rx, n_pair,
                capture->array.n_rx, capture->array.n_tx,
                kind == EMPTY ? ", by the number of samples" : "");
        }
    } else if (v->isComplex && (kind == DELAY || kind == RANGE_MM || kind == Z_BIAS)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is complex", path, name);
    } else if (Mat_VarReadDataAll(mat, v) != 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read", path, name);
    }
    if (status == NFSAR_OK) {
        tables->value[kind] = malloc(n * sizeof *tables->value[kind]);
        status = tables->value[kind] != NULL
                     ? convert(path, v, n, tables->value[kind], error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    Mat_VarFree(v);
    for (size_t i = 0; status == NFSAR_OK && kind == CAL_DATA && i < n; i++) {
        if (tables->value[kind][i] == 0.0) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s: %s: entry %zu is 0, which would remove its channel", path,
                                name, i + 1);
        }
    }
    return status;
}

/* ---- one file -------------------------------------------------------------------------------- */

static enum nfsar_status take_all(const char *path, mat_t *mat, const nfsar_capture *capture,
                                  struct tables *tables, nfsar_error *error) {
    size_t n_name = 0, taken = 0;
    char **names = Mat_GetDir(mat, &n_name);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && names != NULL && i < n_name; i++) {
        for (size_t k = 0; status == NFSAR_OK && k < sizeof known / sizeof *known; k++) {
            if (names[i] != NULL && strcmp(names[i], known[k].name) == 0) {
                status = take(path, known[k].name, mat, known[k].kind, capture, tables, error);
                taken++;
            }
        }
    }
    if (status == NFSAR_OK && taken == 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: has none of calData, delayOffset, rangeOffset, rangeOffset_mm, "
                            "zBias_m, sarDataEmpty",
                            path);
    }
    return status;
}

static enum nfsar_status read_file(const char *path, const nfsar_capture *capture,
                                   struct tables *tables, nfsar_error *error) {
    FILE *there = fopen(path, "rb");
    if (there == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be opened: %s", path,
                          strerror(errno));
    }
    char first;
    bool any = fread(&first, 1, 1, there) == 1;
    bool folder = !any && ferror(there) != 0;
    fclose(there);
    if (!any) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s", path,
                          folder ? "is a folder or cannot be read: --table takes files"
                                 : "is empty");
    }
    mat_t *mat = Mat_Open(path, MAT_ACC_RDONLY);
    if (mat == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: cannot be opened as a MATLAB file", path);
    }
    enum nfsar_status status = NFSAR_OK;
    if (Mat_GetVersion(mat) != MAT_FT_MAT5) {
        status = nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                            "%s: tables are read from MATLAB files of version 7 or 6; save it "
                            "again with -v7",
                            path);
    } else {
        status = cube_mat_complete(path, error);
    }
    if (status == NFSAR_OK) {
        status = take_all(path, mat, capture, tables, error);
    }
    Mat_Close(mat);
    return status;
}

/* ---- as a calibration ------------------------------------------------------------------------ */

/* Where a channel's number is in a table. */
static size_t entry(const struct tables *tables, enum kind kind, const nfsar_array *array,
                    size_t channel) {
    size_t tx = (size_t)array->channel[channel].tx, rx = (size_t)array->channel[channel].rx;
    return tables->transposed[kind] ? rx * array->n_tx + tx : tx * array->n_rx + rx;
}

/* Delays as their tables have them; of delayOffset and rangeOffset, which must agree. */
static enum nfsar_status pair_delay(const struct tables *t, const nfsar_array *array,
                                    size_t channel, double *delay, nfsar_error *error) {
    *delay = 0.0;
    double ranged = 0.0;
    if (t->value[RANGE_MM] != NULL) {
        size_t i = entry(t, RANGE_MM, array, channel);
        ranged = 2e-3 * creal(t->value[RANGE_MM][i]) / NFSAR_SPEED_OF_LIGHT;
        *delay = ranged;
    }
    if (t->value[DELAY] != NULL) {
        *delay = creal(t->value[DELAY][entry(t, DELAY, array, channel)]);
        if (t->value[RANGE_MM] != NULL && fabs(*delay - ranged) > SAME_DELAY_S) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "delayOffset and rangeOffset of channel %zu differ by %.3g ps: they "
                              "are not of the same radar; give one of them",
                              channel, 1e12 * (*delay - ranged));
        }
    }
    if (!(fabs(*delay) < 1e-6)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "a delay of %.3g s for channel %zu: delayOffset is in seconds, "
                          "rangeOffset in millimetres",
                          *delay, channel);
    }
    return NFSAR_OK;
}

static enum nfsar_status fill(const struct tables *t, const nfsar_capture *capture,
                              nfsar_calibration *table, nfsar_error *error) {
    const nfsar_array *array = &capture->array;
    bool delays = t->value[DELAY] != NULL || t->value[RANGE_MM] != NULL;
    size_t n = array->n_channel, n_sample = capture->n_sample;
    if (t->value[CAL_DATA] != NULL || delays) {
        table->channel_gain = malloc(n * sizeof *table->channel_gain);
    }
    if (delays || t->value[Z_BIAS] != NULL) {
        table->channel_delay_s = malloc(n * sizeof *table->channel_delay_s);
    }
    if (t->value[EMPTY] != NULL) {
        table->background = malloc(n * n_sample * sizeof *table->background);
    }
    if (((t->value[CAL_DATA] != NULL || delays) && table->channel_gain == NULL) ||
        ((delays || t->value[Z_BIAS] != NULL) && table->channel_delay_s == NULL) ||
        (t->value[EMPTY] != NULL && table->background == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t c = 0; c < n; c++) {
        double delay;
        enum nfsar_status status = pair_delay(t, array, c, &delay, error);
        if (status != NFSAR_OK) {
            return status;
        }
        if (table->channel_gain != NULL) {
            double complex factor = 1.0;
            if (t->value[CAL_DATA] != NULL) {
                factor = t->value[CAL_DATA][entry(t, CAL_DATA, array, c)];
            }
            /* Frequencies of delayOffset count from the first sample. */
            double turns = fmod(capture->frequency_hz[0] * delay, 1.0);
            table->channel_gain[c] = (float complex)(cexp(-2.0 * NFSAR_PI * I * turns) / factor);
            if (!isfinite(crealf(table->channel_gain[c])) ||
                !isfinite(cimagf(table->channel_gain[c])) || table->channel_gain[c] == 0.0f) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "calData of channel %zu is too small or too large: %g", c,
                                  cabs(factor));
            }
        }
        if (table->channel_delay_s != NULL) {
            double bias = t->value[Z_BIAS] != NULL ? creal(t->value[Z_BIAS][0]) : 0.0;
            table->channel_delay_s[c] = delay - 2.0 * bias / NFSAR_SPEED_OF_LIGHT;
        }
        for (size_t i = 0; table->background != NULL && i < n_sample; i++) {
            size_t pair = entry(t, EMPTY, array, c);
            table->background[c * n_sample + i] =
                (float complex)t->value[EMPTY][i * array->n_tx * array->n_rx + pair];
        }
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_calibration_table(const char *const *path, size_t n_path,
                                          const nfsar_capture *capture, nfsar_calibration *table,
                                          nfsar_error *error) {
    struct tables tables = {0};
    enum nfsar_status status = NFSAR_OK;
    *table = (nfsar_calibration){0};
    for (size_t i = 0; status == NFSAR_OK && i < n_path; i++) {
        status = read_file(path[i], capture, &tables, error);
    }
    if (status == NFSAR_OK) {
        status = fill(&tables, capture, table, error);
        if (status != NFSAR_OK && n_path == 1) {
            nfsar_fail_in(error, status, "%s", path[0]);
        }
    }
    for (int k = 0; k < N_KIND; k++) {
        free(tables.value[k]);
    }
    if (status != NFSAR_OK) {
        free(table->channel_gain);
        free(table->channel_delay_s);
        free(table->background);
        *table = (nfsar_calibration){0};
    }
    return status;
}
