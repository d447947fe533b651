/* Order of file names, and names that form a series. */
#ifndef NFSAR_HOST_IMPORT_NAMES_H
#define NFSAR_HOST_IMPORT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As strcmp(), but runs of digits compare as numbers: scan2 before scan10. Names that differ only
 * in leading zeros are ordered by strcmp(). */
int names_compare(const char *a, const char *b);

/* Is name that of a part of a split recording, STEM_Raw_NUMBER.EXTENSION? Then *stem is the length
 * of STEM_Raw_ and *part the number. */
bool names_is_part(const char *name, size_t *stem, uint64_t *part);

/* When a and b differ in one number only, the difference b - a; otherwise 0. The name that follows
 * a goes to next[size]. */
int64_t names_step(const char *a, const char *b, char *next, size_t size);

#endif
