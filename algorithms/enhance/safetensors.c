#include "algorithms/enhance/safetensors.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define METADATA "__metadata__"

enum { LENGTH_BYTES = 8, FLOAT_BYTES = 4 };

struct safetensors_shown safetensors_show(const char *name) {
    struct safetensors_shown shown;
    size_t n = 0;
    for (; name[n] != '\0' && n < sizeof shown.text - 1; n++) {
        const unsigned char c = (unsigned char)name[n];
        shown.text[n] = '?';
        if (c >= 0x20 && c < 0x7f) {
            shown.text[n] = (char)c;
        }
    }
    shown.text[n] = '\0';
    return shown;
}

static uint64_t little_endian(const unsigned char *bytes, int n) {
    uint64_t value = 0;
    for (int i = n - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static enum nfsar_status read_header(const unsigned char *bytes, size_t size, json_t **header,
                                     size_t *length, nfsar_error *error) {
    if (size < LENGTH_BYTES + 2) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%zu bytes: too short for weights (safetensors)", size);
    }
    const uint64_t wanted = little_endian(bytes, LENGTH_BYTES);
    if (wanted > SAFETENSORS_HEADER || bytes[LENGTH_BYTES] != '{') {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "no weights (safetensors): it does not begin with the length of a header "
                          "of at most %zu bytes and the header",
                          SAFETENSORS_HEADER);
    }
    if (wanted > size - LENGTH_BYTES) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "cut short: the header has %llu bytes, and %zu are there",
                          (unsigned long long)wanted, size - LENGTH_BYTES);
    }
    json_error_t what;
    *length = (size_t)wanted;
    *header =
        json_loadb((const char *)bytes + LENGTH_BYTES, *length, JSON_REJECT_DUPLICATES, &what);
    if (*header == NULL || !json_is_object(*header)) {
        const struct safetensors_shown shown =
            safetensors_show(*header == NULL ? what.text : "not an object");
        json_decref(*header);
        *header = NULL;
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "the header is no JSON: %s", shown.text);
    }
    return NFSAR_OK;
}

/* A whole number from 0 to most, as an entry of an array. */
static bool read_count(const json_t *value, size_t most, size_t *count) {
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > most) {
        return false;
    }
    *count = (size_t)json_integer_value(value);
    return true;
}

static bool read_shape(const json_t *shape, size_t most, struct safetensors_tensor *tensor) {
    const size_t rank = json_is_array(shape) ? json_array_size(shape) : SIZE_MAX;
    if (rank > SAFETENSORS_RANK) {
        return false;
    }
    tensor->rank = (int)rank;
    tensor->count = 1;
    for (size_t i = 0; i < SAFETENSORS_RANK; i++) {
        tensor->shape[i] = 1;
        if (i < rank && (!read_count(json_array_get(shape, i), most, &tensor->shape[i]) ||
                         tensor->shape[i] == 0 || tensor->count > most / tensor->shape[i])) {
            return false;
        }
        tensor->count *= tensor->shape[i];
    }
    return true;
}

/* bytes: how many follow the header. */
static enum nfsar_status read_tensor(const char *name, const json_t *entry, size_t bytes,
                                     struct safetensors_tensor *tensor, nfsar_error *error) {
    const struct safetensors_shown shown = safetensors_show(name);
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *offsets = json_object_get(entry, "data_offsets");
    size_t begin, end;
    tensor->name = name;
    if (dtype == NULL || strcmp(dtype, "F32") != 0) {
        const struct safetensors_shown type = safetensors_show(dtype != NULL ? dtype : "(none)");
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "tensor '%s': its dtype is %s; weights are F32", shown.text, type.text);
    }
    if (!read_shape(json_object_get(entry, "shape"), bytes / FLOAT_BYTES, tensor)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "tensor '%s': its shape is not a list of up to %d sizes, from 1 on, "
                          "that the file has room for (is the file cut short?)",
                          shown.text, SAFETENSORS_RANK);
    }
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
        !read_count(json_array_get(offsets, 0), bytes, &begin) ||
        !read_count(json_array_get(offsets, 1), bytes, &end) || end < begin ||
        begin % FLOAT_BYTES != 0) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "tensor '%s': its data_offsets do not lie within the %zu bytes that follow "
            "the header (is the file cut short?)",
            shown.text, bytes);
    }
    if (end - begin != tensor->count * FLOAT_BYTES) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "tensor '%s': %zu bytes for %zu numbers of 4 bytes", shown.text,
                          end - begin, tensor->count);
    }
    tensor->begin = begin / FLOAT_BYTES;
    return NFSAR_OK;
}

static int by_place(const void *a, const void *b) {
    const struct safetensors_tensor *p = a, *q = b;
    return (p->begin > q->begin) - (p->begin < q->begin);
}

/* Neither a gap, where anything could hide, nor numbers that two tensors share. */
static enum nfsar_status check_filled(const struct safetensors *file, size_t bytes,
                                      nfsar_error *error) {
    size_t next = 0;
    for (size_t i = 0; i < file->n; i++) {
        if (file->tensor[i].begin != next) {
            const struct safetensors_shown shown = safetensors_show(file->tensor[i].name);
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "tensor '%s': does not begin where the one before it ends",
                              shown.text);
        }
        next += file->tensor[i].count;
    }
    return next * FLOAT_BYTES == bytes
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%zu bytes behind the header, and the tensors fill %zu of them", bytes,
                            next * FLOAT_BYTES);
}

static enum nfsar_status read_tensors(struct safetensors *file, size_t bytes, nfsar_error *error) {
    const size_t most = json_object_size(file->header);
    if (most > SAFETENSORS_MOST) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%zu tensors; at most %d are read", most,
                          SAFETENSORS_MOST);
    }
    file->tensor = calloc(most + 1, sizeof *file->tensor);
    if (file->tensor == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    const char *name;
    json_t *entry;
    json_object_foreach((json_t *)file->header, name, entry) {
        if (strcmp(name, METADATA) == 0) {
            continue;
        }
        enum nfsar_status status = read_tensor(name, entry, bytes, &file->tensor[file->n], error);
        if (status != NFSAR_OK) {
            return status;
        }
        file->n++;
    }
    qsort(file->tensor, file->n, sizeof *file->tensor, by_place);
    return check_filled(file, bytes, error);
}

static enum nfsar_status read_numbers(struct safetensors *file, const unsigned char *bytes,
                                      nfsar_error *error) {
    const struct safetensors_tensor *last = &file->tensor[file->n > 0 ? file->n - 1 : 0];
    file->numbers = malloc((last->begin + last->count + 1) * sizeof *file->numbers);
    if (file->numbers == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < file->n; i++) {
        const struct safetensors_tensor *tensor = &file->tensor[i];
        for (size_t k = tensor->begin; k < tensor->begin + tensor->count; k++) {
            const uint32_t bits = (uint32_t)little_endian(bytes + k * FLOAT_BYTES, FLOAT_BYTES);
            memcpy(&file->numbers[k], &bits, sizeof bits);
            if (!isfinite(file->numbers[k])) {
                const struct safetensors_shown shown = safetensors_show(tensor->name);
                return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "tensor '%s': number %zu is not finite", shown.text,
                                  k - tensor->begin);
            }
        }
    }
    return NFSAR_OK;
}

enum nfsar_status safetensors_parse(const unsigned char *bytes, size_t size,
                                    struct safetensors *file, nfsar_error *error) {
    json_t *header = NULL;
    size_t length = 0;
    *file = (struct safetensors){0};
    enum nfsar_status status = read_header(bytes, size, &header, &length, error);
    file->header = header;
    if (status == NFSAR_OK) {
        status = read_tensors(file, size - LENGTH_BYTES - length, error);
    }
    if (status == NFSAR_OK) {
        status = read_numbers(file, bytes + LENGTH_BYTES + length, error);
    }
    if (status != NFSAR_OK) {
        safetensors_free(file);
    }
    return status;
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *file,
                                                  const char *name) {
    for (size_t i = 0; i < file->n; i++) {
        if (strcmp(file->tensor[i].name, name) == 0) {
            return &file->tensor[i];
        }
    }
    return NULL;
}

const char *safetensors_metadata(const struct safetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, METADATA), key));
}

void safetensors_keep_metadata(struct safetensors *file) {
    free(file->tensor);
    free(file->numbers);
    file->tensor = NULL;
    file->numbers = NULL;
    file->n = 0;
}

void safetensors_free(struct safetensors *file) {
    safetensors_keep_metadata(file);
    json_decref(file->header);
    *file = (struct safetensors){0};
}
