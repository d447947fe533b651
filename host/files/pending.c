#include "host/files/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pending_file {
    char *temporary;
    char *final;
    int slot;
};

/* What a signal handler would have to remove. A process writes one or two files at a time; a file
 * beyond the table is still written, only not cleaned up on a signal. */
#define SLOTS 16
static char *_Atomic slots[SLOTS];

/* A signal may be handled by any thread: whoever changes the table or what it points to holds this,
 * with signals blocked, and the handler that cleans up keeps it for good. */
static atomic_flag table = ATOMIC_FLAG_INIT;

static void lock_table(sigset_t *before) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
    while (atomic_flag_test_and_set(&table)) {
    }
}

static void unlock_table(const sigset_t *before) {
    atomic_flag_clear(&table);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static int take_slot(char *temporary) {
    for (int i = 0; i < SLOTS; i++) {
        char *expected = NULL;
        if (atomic_compare_exchange_strong(&slots[i], &expected, temporary)) {
            return i;
        }
    }
    return -1;
}

static void release(pending_file *pending) {
    sigset_t before;
    lock_table(&before);
    if (pending->slot >= 0) {
        atomic_store(&slots[pending->slot], NULL);
    }
    unlock_table(&before);
    free(pending->temporary);
    free(pending->final);
    free(pending);
}

/* ---- what may be replaced ------------------------------------------------------------------- */

#define INPUTS 64
static struct {
    dev_t device;
    ino_t number;
} inputs[INPUTS];
static _Atomic size_t n_inputs;

void pending_protect(const char *path) {
    struct stat info;
    size_t at = atomic_load(&n_inputs);
    if (at < INPUTS && stat(path, &info) == 0) {
        inputs[at].device = info.st_dev;
        inputs[at].number = info.st_ino;
        atomic_store(&n_inputs, at + 1);
    }
}

static bool is_input(const struct stat *info) {
    size_t n = atomic_load(&n_inputs);
    for (size_t i = 0; i < n; i++) {
        if (inputs[i].device == info->st_dev && inputs[i].number == info->st_ino) {
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name;
    size_t length;
    const char *start;
} kinds[] = {
    [PENDING_HDF5] = {"an HDF5 file", 8, "\211HDF\r\n\032\n"},
    [PENDING_PNG] = {"a PNG picture", 8, "\211PNG\r\n\032\n"},
    [PENDING_VTI] = {"a VTI volume", 14, "<?xml version="},
    [PENDING_NPY] = {"a NumPy array", 6, "\223NUMPY"},
    [PENDING_MAT] = {"a MATLAB file of nfsar", 37, "MATLAB 5.0 MAT-file, written by nfsar"},
};

/* A file of another kind is something else than an earlier result: a recording, a scene. */
static enum nfsar_status check_kind(const char *path, enum pending_kind kind, nfsar_error *error) {
    char start[64];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: exists and cannot be read (%s), choose another name", path,
                          strerror(errno));
    }
    size_t n = fread(start, 1, sizeof start, file);
    fclose(file);
    if (n == 0 ||
        (n >= kinds[kind].length && memcmp(start, kinds[kind].start, kinds[kind].length) == 0)) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                      "%s: exists and is not %s, so it is not replaced: choose another name or "
                      "remove it first",
                      path, kinds[kind].name);
}

static bool is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static bool is_of_the_system(const char *path) {
    return (is_below(path, "/dev") && !is_below(path, "/dev/shm")) || is_below(path, "/proc") ||
           is_below(path, "/sys");
}

static enum nfsar_status check_existing(const char *path, enum pending_kind kind,
                                        const struct stat *info, nfsar_error *error) {
    if (!S_ISREG(info->st_mode)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: is not a regular file, choose another name", path);
    }
    if (is_input(info)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: is an input of this command, choose another name for the output",
                          path);
    }
    if (access(path, W_OK) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be replaced: %s", path,
                          strerror(errno));
    }
    return check_kind(path, kind, error);
}

/* The name behind links, so that a link stays and what it points to is written; NULL when there is
 * no memory. A name that does not exist yet stays as it is. */
static char *resolve(const char *path) {
    char *real = realpath(path, NULL);
    return real != NULL || errno == ENOMEM ? real : strdup(path);
}

/* Refuse what must not be replaced. *mode is that of the existing file, 0 when there is none. */
static enum nfsar_status check_target(const char *path, enum pending_kind kind, const char *final,
                                      mode_t *mode, nfsar_error *error) {
    struct stat info;
    *mode = 0;
    if (is_of_the_system(path) || is_of_the_system(final)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: results go to regular files, choose a name outside /dev, /proc and "
                          "/sys",
                          path);
    }
    if (stat(final, &info) != 0) {
        if (lstat(final, &info) == 0) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "%s: is a link to nothing, choose another name", path);
        }
        return NFSAR_OK;
    }
    *mode = info.st_mode & 0777;
    return check_existing(path, kind, &info, error);
}

/* ---- the life of a file --------------------------------------------------------------------- */

/* Make the temporary file and its slot. Signals wait: one in between would leave the file. */
static enum nfsar_status make_file(pending_file *made, const char *path, mode_t mode,
                                   nfsar_error *error) {
    sigset_t before;
    lock_table(&before);
    int descriptor = mkstemp(made->temporary);
    int reason = errno;
    if (descriptor >= 0) {
        made->slot = take_slot(made->temporary);
    }
    unlock_table(&before);
    if (descriptor < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be written here: %s", path,
                          strerror(reason));
    }
    if (mode == 0) {
        /* mkstemp makes files private; a result should have the permissions that open() gives. */
        mode_t mask = umask(0);
        umask(mask);
        mode = 0666 & ~mask;
    }
    fchmod(descriptor, mode);
    close(descriptor);
    return NFSAR_OK;
}

enum nfsar_status pending_create(const char *path, enum pending_kind kind, pending_file **pending,
                                 nfsar_error *error) {
    if (path[0] == '\0') {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "the output's name is empty");
    }
    pending_file *made = calloc(1, sizeof *made);
    if (made == NULL || (made->slot = -1, made->final = resolve(path)) == NULL) {
        free(made);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    mode_t mode = 0;
    enum nfsar_status status = check_target(path, kind, made->final, &mode, error);
    size_t room = strlen(made->final) + 32;
    if (status == NFSAR_OK && (made->temporary = malloc(room)) == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    if (status == NFSAR_OK) {
        snprintf(made->temporary, room, "%s.part-XXXXXX", made->final);
        status = make_file(made, path, mode, error);
    }
    if (status != NFSAR_OK) {
        release(made);
        return status;
    }
    *pending = made;
    return NFSAR_OK;
}

enum nfsar_status pending_check(const char *path, enum pending_kind kind, nfsar_error *error) {
    pending_file *pending = NULL;
    enum nfsar_status status = pending_create(path, kind, &pending, error);
    pending_abandon(pending);
    return status;
}

const char *pending_path(const pending_file *pending) {
    return pending->temporary;
}

enum nfsar_status pending_commit(pending_file *pending, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    int descriptor = open(pending->temporary, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0 ||
        rename(pending->temporary, pending->final) != 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be completed: %s", pending->final,
                            strerror(errno));
        unlink(pending->temporary);
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    release(pending);
    return status;
}

void pending_abandon(pending_file *pending) {
    if (pending != NULL) {
        unlink(pending->temporary);
        release(pending);
    }
}

void pending_unlink_all(void) {
    sigset_t before;
    lock_table(&before);
    for (int i = 0; i < SLOTS; i++) {
        char *path = atomic_load(&slots[i]);
        if (path != NULL) {
            unlink(path);
        }
    }
}
