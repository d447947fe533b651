/* Growing lists of text lines: the provenance of captures and images. */
#ifndef NFSAR_ALGORITHMS_LINES_H
#define NFSAR_ALGORITHMS_LINES_H

#include <stdarg.h>
#include <stddef.h>

#include <nfsar/status.h>

/* Append a formatted copy to *lines. */
enum nfsar_status lines_append(char ***lines, size_t *n, nfsar_error *error, const char *format,
                               va_list arguments);

/* Free the lines and the list. */
void lines_free(char **lines, size_t n);

#endif
