/* YAML files against a schema (libcyaml), with errors that name file, line and key. */
#ifndef NFSAR_HOST_YAML_H
#define NFSAR_HOST_YAML_H

#include <cyaml/cyaml.h>

#include <nfsar/status.h>

/* Load path into *data as the schema says; free it with yaml_release(). An empty file is an error.
 * A number with something behind it ("0.3 mm") is an error. Numbers may still be NaN or infinite,
 * and lengths of sequences are what the schema allows: the caller checks meaning, here only form is
 * checked. */
enum nfsar_status yaml_load(const char *path, const cyaml_schema_value_t *schema, void **data,
                            nfsar_error *error);

/* Release what yaml_load() made; data may be NULL. (Not yaml_free(): libyaml exports that name, and
 * ours would take its place inside libyaml.) */
void yaml_release(const cyaml_schema_value_t *schema, void *data);

#endif
