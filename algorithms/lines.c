#include "algorithms/lines.h"

#include <stdio.h>
#include <stdlib.h>

enum nfsar_status lines_append(char ***lines, size_t *n, nfsar_error *error, const char *format,
                               va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    char **grown = realloc(*lines, (*n + 1) * sizeof *grown);
    if (grown == NULL) {
        free(text);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    grown[(*n)++] = text;
    *lines = grown;
    return NFSAR_OK;
}

void lines_free(char **lines, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(lines[i]);
    }
    free(lines);
}
