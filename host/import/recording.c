#include "host/import/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/import/names.h"

/* What is read at a time: large against the cost of a call, small against what a thread is given to
 * do, as it is read anew where the next thread begins. */
#define WINDOW_BYTES ((size_t)64 << 10)

static enum nfsar_status out_of_memory(nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

/* folder/name, or name when that is absolute; special characters of glob() in the folder are
 * escaped on demand. NULL when out of memory. */
static char *join_path(const char *folder, const char *name, bool escape) {
    if (name[0] == '/') {
        folder = "";
    }
    char *path = malloc(2 * strlen(folder) + strlen(name) + 2);
    if (path == NULL) {
        return NULL;
    }
    char *to = path;
    for (; *folder != '\0'; folder++) {
        if (escape && strchr("*?[\\", *folder) != NULL) {
            *to++ = '\\';
        }
        *to++ = *folder;
    }
    if (to != path && to[-1] != '/') {
        *to++ = '/';
    }
    strcpy(to, name);
    return path;
}

static enum nfsar_status measure(struct recording_part *part, nfsar_error *error) {
    struct stat info;
    if (stat(part->path, &info) != 0 || access(part->path, R_OK) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", part->path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: is %s, not a file", part->path,
                          S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    }
    if (info.st_size == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is empty", part->path);
    }
    part->size = (uint64_t)info.st_size;
    return NFSAR_OK;
}

/* Take over path as the next part. */
static enum nfsar_status add_part(struct recordings *recordings, char *path, size_t prefix,
                                  nfsar_error *error) {
    struct recording_part *part = &recordings->part[recordings->n_part++];
    part->path = path;
    if (path == NULL) {
        return out_of_memory(error);
    }
    part->name = path + (strlen(path) > prefix ? prefix : 0);
    return measure(part, error);
}

static size_t prefix_length(const char *folder, const char *name) {
    size_t n = strlen(folder);
    return name[0] == '/' || n == 0 ? 0 : n + (folder[n - 1] != '/');
}

static int by_name(const void *a, const void *b) {
    const struct recording_part *x = a, *y = b;
    return names_compare(x->name, y->name);
}

static enum nfsar_status find_pattern(const char *pattern, const char *folder,
                                      struct recordings *recordings, nfsar_error *error) {
    char *full = join_path(folder, pattern, true);
    if (full == NULL) {
        return out_of_memory(error);
    }
    glob_t found = {0};
    int result = glob(full, GLOB_NOSORT, NULL, &found);
    free(full);
    enum nfsar_status status = NFSAR_OK;
    if (result != 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE,
                            "files.pattern: no file is called %s in %s; --data FOLDER says where "
                            "the recordings are",
                            pattern, folder[0] != '\0' ? folder : "the current folder");
    } else if ((recordings->part = calloc(found.gl_pathc, sizeof *recordings->part)) == NULL) {
        status = out_of_memory(error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < found.gl_pathc; i++) {
        status =
            add_part(recordings, strdup(found.gl_pathv[i]), prefix_length(folder, pattern), error);
    }
    globfree(&found);
    if (status == NFSAR_OK) {
        qsort(recordings->part, recordings->n_part, sizeof *recordings->part, by_name);
    }
    return status;
}

static enum nfsar_status find_list(char *const *list, size_t n, const char *folder,
                                   struct recordings *recordings, nfsar_error *error) {
    recordings->part = calloc(n, sizeof *recordings->part);
    if (recordings->part == NULL) {
        return out_of_memory(error);
    }
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        status = add_part(recordings, join_path(folder, list[i], false),
                          prefix_length(folder, list[i]), error);
        for (size_t j = 0; status == NFSAR_OK && j < i; j++) {
            if (strcmp(recordings->part[j].path, recordings->part[i].path) == 0) {
                status =
                    nfsar_fail(error, NFSAR_ERROR_FORMAT, "files.list: %s is there twice", list[i]);
            }
        }
    }
    return status;
}

/* Does part i go on where part i - 1 ended? *error is set when it should but a part is missing. */
static enum nfsar_status follows(const struct recordings *recordings, size_t i, bool *yes,
                                 nfsar_error *error) {
    size_t stem = 0, stem_before = 0;
    uint64_t number = 0, before = 0;
    *yes = false;
    const char *name = recordings->part[i].path;
    const char *name_before = recordings->part[i - 1].path;
    if (!names_is_part(name, &stem, &number) ||
        !names_is_part(name_before, &stem_before, &before) || stem != stem_before ||
        strncmp(name, name_before, stem) != 0) {
        return NFSAR_OK;
    }
    if (number != before + 1) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s is followed by %s: a part of this recording is missing or out of "
                          "order (if each is a recording of its own, say joined: false)",
                          recordings->part[i - 1].name, recordings->part[i].name);
    }
    *yes = true;
    return NFSAR_OK;
}

static enum nfsar_status group(struct recordings *recordings, bool join, nfsar_error *error) {
    recordings->item = calloc(recordings->n_part, sizeof *recordings->item);
    if (recordings->item == NULL) {
        return out_of_memory(error);
    }
    for (size_t i = 0; i < recordings->n_part; i++) {
        bool same = false;
        if (join && i > 0) {
            enum nfsar_status status = follows(recordings, i, &same, error);
            if (status != NFSAR_OK) {
                return status;
            }
        }
        if (!same) {
            recordings->item[recordings->n++].first_part = i;
        }
        struct recording *item = &recordings->item[recordings->n - 1];
        item->n_part++;
        if (__builtin_add_overflow(item->size, recordings->part[i].size, &item->size)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: too large", recordings->part[i].path);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status recordings_find(const struct rig_files *files, const char *folder, bool join,
                                  struct recordings *recordings, nfsar_error *error) {
    memset(recordings, 0, sizeof *recordings);
    enum nfsar_status status =
        files->pattern != NULL ? find_pattern(files->pattern, folder, recordings, error)
                               : find_list(files->list, files->n_list, folder, recordings, error);
    if (status == NFSAR_OK) {
        status = group(recordings, join, error);
    }
    if (status != NFSAR_OK) {
        recordings_free(recordings);
    }
    return status;
}

const char *recordings_name(const struct recordings *recordings, size_t index) {
    return recordings->part[recordings->item[index].first_part].name;
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum nfsar_status open_part(const struct recordings *recordings,
                                   struct recording_window *window, size_t index,
                                   nfsar_error *error) {
    if (window->fd >= 0 && window->open_part == index) {
        return NFSAR_OK;
    }
    if (window->fd >= 0) {
        close(window->fd);
    }
    window->open_part = index;
    window->fd = open(recordings->part[index].path, O_RDONLY | O_CLOEXEC);
    if (window->fd < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", recordings->part[index].path,
                          strerror(errno));
    }
    return NFSAR_OK;
}

static enum nfsar_status read_part(const struct recordings *recordings,
                                   struct recording_window *window, size_t index, uint64_t offset,
                                   size_t n, unsigned char *out, nfsar_error *error) {
    enum nfsar_status status = open_part(recordings, window, index, error);
    while (status == NFSAR_OK && n > 0) {
        ssize_t got = pread(window->fd, out, n, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", recordings->part[index].path,
                              got < 0 ? strerror(errno) : "became shorter while it was read");
        }
        out += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return status;
}

/* Fill the window with the bytes [offset, offset + n) of a recording. */
static enum nfsar_status fill(const struct recordings *recordings, struct recording_window *window,
                              size_t index, uint64_t offset, size_t n, nfsar_error *error) {
    const struct recording *item = &recordings->item[index];
    unsigned char *to = window->bytes;
    window->recording = index;
    window->first = offset;
    window->n = 0;
    for (size_t i = item->first_part; i < item->first_part + item->n_part && n > 0; i++) {
        uint64_t size = recordings->part[i].size;
        if (offset >= size) {
            offset -= size;
            continue;
        }
        size_t here = n < size - offset ? n : (size_t)(size - offset);
        enum nfsar_status status = read_part(recordings, window, i, offset, here, to, error);
        if (status != NFSAR_OK) {
            return status;
        }
        to += here;
        n -= here;
        offset = 0;
    }
    window->n = (size_t)(to - window->bytes);
    return NFSAR_OK;
}

enum nfsar_status recordings_look(const struct recordings *recordings,
                                  struct recording_window *window, size_t index, uint64_t offset,
                                  size_t n, const unsigned char **bytes, nfsar_error *error) {
    const struct recording *item = &recordings->item[index];
    if (offset > item->size || n > item->size - offset) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: ends too early",
                          recordings_name(recordings, index));
    }
    bool inside = window->recording == index && offset >= window->first &&
                  offset - window->first <= window->n && n <= window->n - (offset - window->first);
    if (!inside) {
        size_t wanted = n > WINDOW_BYTES ? n : WINDOW_BYTES;
        if (wanted > window->room) {
            free(window->bytes);
            window->bytes = malloc(wanted);
            window->room = window->bytes != NULL ? wanted : 0;
        }
        if (window->bytes == NULL) {
            window->n = 0;
            return out_of_memory(error);
        }
        wanted = wanted < item->size - offset ? wanted : (size_t)(item->size - offset);
        enum nfsar_status status = fill(recordings, window, index, offset, wanted, error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    *bytes = window->bytes + (offset - window->first);
    return NFSAR_OK;
}

void recording_window_close(struct recording_window *window) {
    if (window->fd >= 0) {
        close(window->fd);
    }
    free(window->bytes);
    *window = RECORDING_WINDOW_CLOSED;
}

/* ---- gaps ----------------------------------------------------------------------------------- */

bool recordings_gap(const struct recordings *recordings, char *name, size_t size) {
    size_t neighbours = 0, gaps = 0;
    int64_t missing = 0, first_step = 0;
    bool equal = true;
    char next[1024];
    for (size_t i = 1; i < recordings->n; i++) {
        int64_t step = names_step(recordings_name(recordings, i - 1),
                                  recordings_name(recordings, i), next, sizeof next);
        first_step = i == 1 ? step : first_step;
        equal = equal && step == first_step;
        neighbours += step == 1;
        if (step > 1 && gaps++ == 0 && size > 0) {
            snprintf(name, size, "%s", next);
        }
        /* Numbers have up to 18 digits: the sum stays far from the limit where it matters. */
        missing = step > 1 && missing < INT32_MAX ? missing + (step - 1) : missing;
    }
    /* Numbers that go in tens have no gaps, nor have times of day. */
    bool systematic = equal && recordings->n > 2;
    bool few = missing <= (int64_t)recordings->n;
    return gaps > 0 && !systematic && (few || neighbours > gaps);
}

void recordings_free(struct recordings *recordings) {
    for (size_t i = 0; i < recordings->n_part; i++) {
        free(recordings->part[i].path);
    }
    free(recordings->part);
    free(recordings->item);
    memset(recordings, 0, sizeof *recordings);
}
