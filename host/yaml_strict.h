/* What libcyaml lets pass: "2.05 mm" as 2.05, "2,05" as 2, "400.5" as 400, "maybe" as true; and
 * what it refuses, in words for the person who wrote the file. */
#ifndef NFSAR_HOST_YAML_STRICT_H
#define NFSAR_HOST_YAML_STRICT_H

#include <cyaml/cyaml.h>

#include <nfsar/status.h>

/* Check a text that events_check() let pass against the schema: kinds, known and missing keys,
 * counts, and that every number, word and yes-or-no is one in full. The message starts with the
 * line where there is one. */
enum nfsar_status strict_check(const unsigned char *text, size_t length,
                               const cyaml_schema_value_t *schema, nfsar_error *error);

#endif
