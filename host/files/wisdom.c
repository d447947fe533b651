/* The wisdom file: one line with the format, FFTW's version, the length and the check sum of what
 * follows, which is FFTW's own text. */
#include <nfsar/wisdom.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "algorithms/transform.h"

#define FORMAT "nfsar-wisdom-1"

/* A larger file is not read, and so begins anew: wisdom would else only ever grow. */
enum { LARGEST = 1 << 20, LINE = 256, NAME = 4096 };

/* The file's name and its folder's; false when the user has no cache folder. Paths in
 * XDG_CACHE_HOME that are relative are to be ignored (XDG base directory specification). */
static bool find_file(const char *path, char folder[NAME], char file[NAME]) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length;
    if (path != NULL) {
        const char *slash = strrchr(path, '/');
        int n = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
        length = snprintf(folder, NAME, "%.*s", n > 0 ? n : 1, n > 0 ? path : ".");
        return length < NAME && snprintf(file, NAME, "%s", path) < NAME;
    }
    if (cache != NULL && cache[0] == '/') {
        length = snprintf(folder, NAME, "%s/nfsar", cache);
    } else if (home != NULL && home[0] == '/') {
        length = snprintf(folder, NAME, "%s/.cache/nfsar", home);
    } else {
        return false;
    }
    return length < NAME && snprintf(file, NAME, "%.4080s/wisdom", folder) < NAME;
}

static void write_header(const char *wisdom, char line[LINE]) {
    size_t length = strlen(wisdom);
    unsigned long sum = crc32(0, (const Bytef *)wisdom, (uInt)length);
    snprintf(line, LINE, FORMAT " %s %zu %08lx\n", fftwf_version, length, sum);
}

/* The file's wisdom, or NULL; free with free(). */
static char *read_file(const char *file) {
    FILE *stream = fopen(file, "rbe");
    if (stream == NULL) {
        return NULL;
    }
    char *text = malloc(LARGEST + 2);
    size_t length = text != NULL ? fread(text, 1, LARGEST + 1, stream) : 0;
    fclose(stream);
    char header[LINE];
    char *end = length > 0 && length <= LARGEST ? memchr(text, '\n', length) : NULL;
    if (end == NULL) {
        free(text);
        return NULL;
    }
    text[length] = '\0';
    write_header(end + 1, header);
    size_t first = (size_t)(end + 1 - text);
    /* The header says what it would say of this text; a zero byte within would shorten that. */
    bool whole = strlen(header) == first && memcmp(text, header, first) == 0 &&
                 strlen(end + 1) == length - first;
    if (!whole) {
        free(text);
        return NULL;
    }
    memmove(text, end + 1, length - first + 1);
    return text;
}

bool nfsar_wisdom_load(const char *path) {
    char folder[NAME], file[NAME];
    char *wisdom = find_file(path, folder, file) ? read_file(file) : NULL;
    bool learnt = wisdom != NULL && transform_learn(wisdom);
    free(wisdom);
    return learnt;
}

/* Make the folder and the one above it. */
static bool make_folder(char *folder) {
    if (mkdir(folder, 0700) == 0 || errno == EEXIST) {
        return true;
    }
    char *slash = strrchr(folder, '/');
    if (errno != ENOENT || slash == NULL || slash == folder) {
        return false;
    }
    *slash = '\0';
    bool made = mkdir(folder, 0700) == 0 || errno == EEXIST;
    *slash = '/';
    return made && (mkdir(folder, 0700) == 0 || errno == EEXIST);
}

/* Write under another name in the same folder, then rename. */
static bool replace_file(const char *folder, const char *file, const char *wisdom) {
    char name[NAME + 32], header[LINE];
    snprintf(name, sizeof name, "%s/.wisdom-XXXXXX", folder);
    int descriptor = mkstemp(name);
    if (descriptor < 0) {
        return false;
    }
    FILE *stream = fdopen(descriptor, "wb");
    if (stream == NULL) {
        close(descriptor);
        unlink(name);
        return false;
    }
    write_header(wisdom, header);
    bool written = fputs(header, stream) >= 0 && fputs(wisdom, stream) >= 0;
    written = fclose(stream) == 0 && written;
    if (!written || rename(name, file) != 0) {
        unlink(name);
        return false;
    }
    return true;
}

bool nfsar_wisdom_save(const char *path) {
    char folder[NAME], file[NAME];
    if (!transform_has_learnt() || !find_file(path, folder, file) || !make_folder(folder)) {
        return false;
    }
    /* Another process may have saved since. */
    char *there = read_file(file);
    if (there != NULL) {
        transform_learn(there);
    }
    free(there);
    char *wisdom = transform_wisdom();
    bool saved =
        wisdom != NULL && strlen(wisdom) < LARGEST - LINE && replace_file(folder, file, wisdom);
    free(wisdom);
    return saved;
}
