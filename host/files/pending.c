#include "host/files/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
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
    if (pending->slot >= 0) {
        atomic_store(&slots[pending->slot], NULL);
    }
    free(pending->temporary);
    free(pending->final);
    free(pending);
}

enum nfsar_status pending_create(const char *path, pending_file **pending, nfsar_error *error) {
    struct stat info;
    if (path[0] == '\0') {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "the output's name is empty");
    }
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: is not a regular file, choose another name",
                          path);
    }
    pending_file *made = calloc(1, sizeof *made);
    size_t room = strlen(path) + 32;
    if (made != NULL) {
        made->slot = -1;
        made->temporary = malloc(room);
        made->final = strdup(path);
    }
    if (made == NULL || made->temporary == NULL || made->final == NULL) {
        if (made != NULL) {
            release(made);
        }
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    snprintf(made->temporary, room, "%s.part-XXXXXX", path);
    int descriptor = mkstemp(made->temporary);
    if (descriptor < 0) {
        int reason = errno;
        release(made);
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be written here: %s", path,
                          strerror(reason));
    }
    /* mkstemp makes files private; a result should have the permissions that open() gives. */
    mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask);
    close(descriptor);
    made->slot = take_slot(made->temporary);
    *pending = made;
    return NFSAR_OK;
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
    for (int i = 0; i < SLOTS; i++) {
        char *path = atomic_load(&slots[i]);
        if (path != NULL) {
            unlink(path);
        }
    }
}
