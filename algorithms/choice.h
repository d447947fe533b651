/* Options that are chosen by name. */
#ifndef NFSAR_ALGORITHMS_CHOICE_H
#define NFSAR_ALGORITHMS_CHOICE_H

#include <stddef.h>

#include <nfsar/status.h>

/* Index of name among names[n] into *index; NFSAR_ERROR_ARGUMENT lists them as
 * "what 'name': known are a, b, c". */
enum nfsar_status choice_parse(const char *what, const char *const *names, size_t n,
                               const char *name, size_t *index, nfsar_error *error);

#endif
