/* What the verbs that work on images share. */
#ifndef NFSAR_HOST_CLI_IMAGE_VERBS_H
#define NFSAR_HOST_CLI_IMAGE_VERBS_H

#include <jansson.h>

/* Make --threads hold for the library's OpenMP loops that have no option of their own. */
void use_threads(void);

/* A number; null for NaN and infinity, which JSON does not have. */
json_t *json_number(double value);

/* Print an object and release it; returns the exit status. NULL: out of memory, says so. */
int print_object(json_t *object);

#endif
