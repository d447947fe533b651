/* Weights of a network from a file. */
#include <nfsar/enhance.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a file that is read: far more than any network that runs here. */
#define LARGEST ((size_t)64 << 20)

/* Room that grows as the bytes come: a file's length can be anything (a device, a pipe). */
static enum nfsar_status read_all(FILE *stream, unsigned char **bytes, size_t *size,
                                  nfsar_error *error) {
    size_t room = (size_t)1 << 16, n = 0;
    unsigned char *made = malloc(room);
    while (made != NULL) {
        n += fread(made + n, 1, room - n, stream);
        if (n < room || room > LARGEST) {
            break;
        }
        room *= 2;
        unsigned char *larger = realloc(made, room);
        if (larger == NULL) {
            free(made);
        }
        made = larger;
    }
    *bytes = made;
    *size = n;
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (ferror(stream)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s", strerror(errno));
    }
    return n <= LARGEST ? NFSAR_OK
                        : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                     "more than %zu MiB: too large for the weights of a network",
                                     LARGEST >> 20);
}

enum nfsar_status nfsar_enhance_load(const char *path, nfsar_enhance_model **model,
                                     nfsar_error *error) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    *model = NULL;
    FILE *stream = fopen(path, "rbe");
    if (stream == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    enum nfsar_status status = read_all(stream, &bytes, &size, error);
    fclose(stream);
    if (status == NFSAR_OK) {
        status = nfsar_enhance_parse(bytes, size, model, error);
    }
    free(bytes);
    return status == NFSAR_OK ? status : nfsar_fail_in(error, status, "%s", path);
}
