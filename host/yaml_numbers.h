/* What libcyaml lets pass: "0.3 mm" read as 0.3, "12abc" as 12, "-1" where only counts are. */
#ifndef NFSAR_HOST_YAML_NUMBERS_H
#define NFSAR_HOST_YAML_NUMBERS_H

#include <cyaml/cyaml.h>

#include <nfsar/status.h>

/* Every number that the schema asks for must be one from its first to its last character, whole
 * where the schema wants it whole, and not negative where the schema has no sign. text is YAML that
 * libcyaml has accepted under the same schema. The error names the line. */
enum nfsar_status yaml_check_numbers(const unsigned char *text, size_t length,
                                     const cyaml_schema_value_t *schema, nfsar_error *error);

#endif
