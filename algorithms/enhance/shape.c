#include "algorithms/enhance/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "16,16,32": whole numbers of at most three digits from 1 to most; how many, 0 when it is no such
 * list. */
static int read_list(const char *text, int most, int *value, int room) {
    int n = 0;
    for (; n < room; text++) {
        int digits = 0, number = 0;
        for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++) {
            number = 10 * number + (*text - '0');
        }
        if (digits == 0 || digits > 3 || number < 1 || number > most) {
            return 0;
        }
        value[n++] = number;
        if (*text != ',') {
            return *text == '\0' ? n : 0;
        }
    }
    return 0;
}

static enum nfsar_status bad(const struct safetensors *file, const char *key, const char *wanted,
                             nfsar_error *error) {
    const char *text = safetensors_metadata(file, key);
    if (text == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "metadata '%s': is missing; it must be %s",
                          key, wanted);
    }
    const struct safetensors_shown shown = safetensors_show(text);
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "metadata '%s': '%s'; it must be %s", key,
                      shown.text, wanted);
}

static enum nfsar_status expect(const struct safetensors *file, const char *key, const char *value,
                                nfsar_error *error) {
    const char *text = safetensors_metadata(file, key);
    return text != NULL && strcmp(text, value) == 0 ? NFSAR_OK : bad(file, key, value, error);
}

static enum nfsar_status read_number(const struct safetensors *file, const char *key, int most,
                                     int *value, nfsar_error *error) {
    char wanted[40];
    snprintf(wanted, sizeof wanted, "a whole number from 1 to %d", most);
    const char *text = safetensors_metadata(file, key);
    return text != NULL && read_list(text, most, value, 1) == 1 ? NFSAR_OK
                                                                : bad(file, key, wanted, error);
}

/* Which of the words it is. */
static enum nfsar_status read_choice(const struct safetensors *file, const char *key,
                                     const char *const *word, int n, const char *wanted, int *value,
                                     nfsar_error *error) {
    const char *text = safetensors_metadata(file, key);
    for (*value = 0; text != NULL && *value < n; ++*value) {
        if (strcmp(text, word[*value]) == 0) {
            return NFSAR_OK;
        }
    }
    return bad(file, key, wanted, error);
}

/* What goes in and what comes out. */
static enum nfsar_status read_ends(const struct safetensors *file, struct enhance_shape *shape,
                                   nfsar_error *error) {
    static const char *const input[] = {"magnitude", "complex", "complex+magnitude"};
    static const char *const residual[] = {"0", "1"};
    int planes = 0, is_residual = 0;
    enum nfsar_status status = read_choice(
        file, "input", input, 3, "magnitude, complex or complex+magnitude", &planes, error);
    if (status == NFSAR_OK) {
        status = read_choice(file, "residual", residual, 2, "0 or 1", &is_residual, error);
    }
    shape->planes = planes + 1;
    shape->inputs = planes == 0 ? 1 : 2;
    shape->residual = is_residual != 0;
    return status;
}

static enum nfsar_status read_kind(const struct safetensors *file, nfsar_error *error) {
    enum nfsar_status status = expect(file, "format", "nfsar-enhance", error);
    if (status != NFSAR_OK) {
        return status;
    }
    const char *version = safetensors_metadata(file, "format_version");
    if (version == NULL || strcmp(version, "1") != 0) {
        status = bad(file, "format_version", "1, which is what this nfsar reads", error);
        return version == NULL ? status : nfsar_fail_in(error, NFSAR_ERROR_VERSION, "weights");
    }
    status = expect(file, "architecture", "mobile-srvit", error);
    return status == NFSAR_OK ? expect(file, "normalisation", "peak", error) : status;
}

/* The lists, one number for each stage. */
static enum nfsar_status read_stages(const struct safetensors *file, struct enhance_shape *shape,
                                     nfsar_error *error) {
    static const struct {
        const char *key;
        int most;
    } list[] = {{"channels", ENHANCE_CHANNELS / 2},
                {"dims", ENHANCE_CHANNELS},
                {"depths", 64},
                {"hidden", 4 * ENHANCE_CHANNELS}};
    int value[4][ENHANCE_STAGES] = {{0}};
    for (int i = 0; i < 4; i++) {
        const char *text = safetensors_metadata(file, list[i].key);
        const int n = text != NULL ? read_list(text, list[i].most, value[i], ENHANCE_STAGES) : 0;
        if (n == 0 || (i > 0 && n != shape->n_stage)) {
            return bad(file, list[i].key,
                       "whole numbers from 1 on, one for each stage, with commas between them",
                       error);
        }
        shape->n_stage = n;
    }
    for (int s = 0; s < shape->n_stage; s++) {
        shape->stage[s] =
            (struct enhance_stage_shape){value[0][s], value[1][s], value[2][s], value[3][s]};
    }
    return NFSAR_OK;
}

enum nfsar_status enhance_shape_read(const struct safetensors *file, struct enhance_shape *shape,
                                     nfsar_error *error) {
    *shape = (struct enhance_shape){0};
    enum nfsar_status status = read_kind(file, error);
    if (status == NFSAR_OK) {
        status = read_ends(file, shape, error);
    }
    if (status == NFSAR_OK) {
        status = read_stages(file, shape, error);
    }
    if (status == NFSAR_OK) {
        status = read_number(file, "stem", 64, &shape->stem, error);
    }
    if (status == NFSAR_OK) {
        status = read_number(file, "heads", 64, &shape->heads, error);
    }
    if (status == NFSAR_OK) {
        status = read_number(file, "head_dim", 64, &shape->head_dim, error);
    }
    if (status == NFSAR_OK) {
        status = read_number(file, "patch", 64, &shape->patch, error);
    }
    if (status == NFSAR_OK) {
        status = read_number(file, "shuffle", ENHANCE_SHUFFLE, &shape->shuffle, error);
    }
    if (status == NFSAR_OK && shape->head_dim % 4 != 0) {
        status = bad(file, "head_dim", "a multiple of 4", error);
    }
    return status;
}
