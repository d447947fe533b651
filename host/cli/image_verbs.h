/* What the verbs share, in JSON above all. */
#ifndef NFSAR_HOST_CLI_IMAGE_VERBS_H
#define NFSAR_HOST_CLI_IMAGE_VERBS_H

#include <jansson.h>

#include <nfsar/image.h>

/* Make --threads hold for the library's OpenMP loops that have no option of their own. */
void use_threads(void);

/* A number; null for NaN and infinity, which JSON does not have. */
json_t *json_number(double value);

/* Text that is not known to be UTF-8, such as a file's name; null for NULL. */
json_t *json_text(const char *text);

/* {"first_m", "last_m", "step_m", "count"} */
json_t *json_axis(const nfsar_axis *axis);

/* Print an object and release it; returns the exit status. NULL: out of memory, says so. */
int print_object(json_t *object);

#endif
