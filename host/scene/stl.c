#include "host/scene/stl.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/scene/targets.h"

/* Twenty million triangles; a model of that size is for a printer, not for a radar. */
#define SIZE_LIMIT ((size_t)1 << 30)

enum { HEADER = 84, RECORD = 50 };

static enum nfsar_status read_all(const char *path, unsigned char **bytes, size_t *size,
                                  nfsar_error *error) {
    enum nfsar_status status = target_check_file(path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (end < 0 || fseek(file, 0, SEEK_SET) != 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read", path);
    } else if ((size_t)end > SIZE_LIMIT) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: larger than 1 GiB", path);
    } else {
        *size = (size_t)end;
        *bytes = malloc(*size + 1);
        if (*bytes == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
        } else if (fread(*bytes, 1, *size, file) != *size) {
            status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read", path);
        } else {
            (*bytes)[*size] = '\0';
        }
    }
    fclose(file);
    return status;
}

static uint32_t little_endian(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static float little_endian_float(const unsigned char *p) {
    uint32_t bits = little_endian(p);
    float value = 0.0f;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- binary: 80 bytes of anything, a count, 50 bytes for each triangle ---------------------- */

static enum nfsar_status read_binary(const char *path, const unsigned char *bytes, size_t count,
                                     struct stl_triangle *triangle, nfsar_error *error) {
    for (size_t i = 0; i < count; i++) {
        const unsigned char *record = bytes + HEADER + i * RECORD + 12;
        for (int k = 0; k < 9; k++) {
            float value = little_endian_float(record + 4 * k);
            if (!isfinite(value)) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "%s: triangle %zu has a corner that is not finite", path, i);
            }
            triangle[i].corner[k / 3][k % 3] = value;
        }
    }
    return NFSAR_OK;
}

/* ---- ASCII --------------------------------------------------------------------------------- */

struct reader {
    const char *path;
    const char *at, *end;
    size_t line;
};

static void skip_space(struct reader *r) {
    while (r->at < r->end && isspace((unsigned char)*r->at)) {
        r->line += *r->at == '\n';
        r->at++;
    }
}

static void skip_line(struct reader *r) {
    while (r->at < r->end && *r->at != '\n') {
        r->at++;
    }
}

/* Take the next word when it is `word`, in any case of letters. */
static bool take(struct reader *r, const char *word) {
    size_t length = strlen(word);
    skip_space(r);
    bool same = (size_t)(r->end - r->at) >= length && strncasecmp(r->at, word, length) == 0 &&
                (r->at + length == r->end || isspace((unsigned char)r->at[length]));
    r->at += same ? length : 0;
    return same;
}

static enum nfsar_status expect(struct reader *r, const char *words, nfsar_error *error) {
    char word[16];
    for (const char *at = words; *at != '\0';) {
        size_t length = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        if (!take(r, word)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: line %zu: expected '%s'%s", r->path,
                              r->line, words, r->at == r->end ? ", but the file ends" : "");
        }
        at += length + (at[length] == ' ');
    }
    return NFSAR_OK;
}

static enum nfsar_status take_number(struct reader *r, float *value, nfsar_error *error) {
    char *end = NULL;
    skip_space(r);
    /* The text ends with a zero byte, so strtof stops there. */
    *value = strtof(r->at, &end);
    bool whole = end > r->at && (end == r->end || isspace((unsigned char)*end));
    if (!whole || !isfinite(*value)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: line %zu: expected a finite number%s",
                          r->path, r->line, r->at == r->end ? ", but the file ends" : "");
    }
    r->at = end;
    return NFSAR_OK;
}

/* "normal" and its numbers, which may be anything: some programs write nan. */
static enum nfsar_status skip_normal(struct reader *r, nfsar_error *error) {
    enum nfsar_status status = expect(r, "normal", error);
    skip_line(r);
    return status;
}

static enum nfsar_status take_facet(struct reader *r, struct stl_triangle *triangle,
                                    nfsar_error *error) {
    enum nfsar_status status = skip_normal(r, error);
    if (status == NFSAR_OK) {
        status = expect(r, "outer loop", error);
    }
    for (int i = 0; status == NFSAR_OK && i < 3; i++) {
        status = expect(r, "vertex", error);
        for (int k = 0; status == NFSAR_OK && k < 3; k++) {
            status = take_number(r, &triangle->corner[i][k], error);
        }
    }
    if (status == NFSAR_OK) {
        status = expect(r, "endloop", error);
    }
    return status == NFSAR_OK ? expect(r, "endfacet", error) : status;
}

/* The shortest facet that the grammar allows has more than 64 characters. */
static size_t most_facets(size_t size) {
    return size / 64 + 1;
}

static enum nfsar_status read_ascii(struct reader *r, struct stl_triangle *triangle, size_t room,
                                    size_t *n, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    while (status == NFSAR_OK) {
        skip_space(r);
        if (r->at == r->end) {
            break;
        }
        status = expect(r, "solid", error);
        skip_line(r);
        while (status == NFSAR_OK && take(r, "facet")) {
            if (*n == room) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: line %zu: not a facet", r->path,
                                  r->line);
            }
            status = take_facet(r, &triangle[*n], error);
            *n += status == NFSAR_OK;
        }
        if (status == NFSAR_OK) {
            status = expect(r, "endsolid", error);
            skip_line(r);
        }
    }
    return status;
}

/* ---- both ---------------------------------------------------------------------------------- */

/* Binary files may begin with "solid" too; then the size decides. */
static bool is_ascii(const unsigned char *bytes, size_t size) {
    if (size < 6 || strncasecmp((const char *)bytes, "solid", 5) != 0) {
        return false;
    }
    bool fits = size >= HEADER &&
                size == HEADER + (size_t)RECORD * (size_t)little_endian(bytes + HEADER - 4);
    return !fits && memchr(bytes, '\0', size) == NULL;
}

static enum nfsar_status check_binary_size(const char *path, const unsigned char *bytes,
                                           size_t size, nfsar_error *error) {
    if (size < HEADER) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %zu bytes, too short for an STL file (and it does not begin with "
                          "'solid')",
                          path, size);
    }
    size_t count = little_endian(bytes + HEADER - 4);
    if (size != HEADER + (size_t)RECORD * count) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: not an STL file, or cut: %d + %zu triangles x %d bytes = %zu bytes "
                          "expected, the file has %zu",
                          path, HEADER, count, RECORD, HEADER + (size_t)RECORD * count, size);
    }
    return NFSAR_OK;
}

static enum nfsar_status parse(const char *path, const unsigned char *bytes, size_t size,
                               struct stl_triangle **triangle, size_t *n, nfsar_error *error) {
    bool ascii = is_ascii(bytes, size);
    enum nfsar_status status = ascii ? NFSAR_OK : check_binary_size(path, bytes, size, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t room = ascii ? most_facets(size) : little_endian(bytes + HEADER - 4);
    *triangle = calloc(room > 0 ? room : 1, sizeof **triangle);
    if (*triangle == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    if (ascii) {
        struct reader reader = {path, (const char *)bytes, (const char *)bytes + size, 1};
        status = read_ascii(&reader, *triangle, room, n, error);
    } else {
        *n = room;
        status = read_binary(path, bytes, room, *triangle, error);
    }
    if (status == NFSAR_OK && *n == 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: holds no triangles", path);
    }
    return status;
}

enum nfsar_status stl_read(const char *path, struct stl_triangle **triangle, size_t *n,
                           nfsar_error *error) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    *triangle = NULL;
    *n = 0;
    enum nfsar_status status = read_all(path, &bytes, &size, error);
    if (status == NFSAR_OK) {
        status = parse(path, bytes, size, triangle, n, error);
    }
    free(bytes);
    if (status != NFSAR_OK) {
        free(*triangle);
        *triangle = NULL;
        *n = 0;
    }
    return status;
}
