#include "host/yaml_numbers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static bool is_number(const char *text, bool whole, bool has_sign) {
    char *end = NULL;
    errno = 0;
    if (!whole) {
        (void)strtod(text, &end);
        /* A number too small for a double is zero, which is near enough. */
        errno = 0;
    } else if (has_sign) {
        (void)strtoll(text, &end, 0);
    } else {
        (void)strtoull(text, &end, 0);
    }
    bool sign_fits = has_sign || !whole || strchr(text, '-') == NULL;
    return end != text && *end == '\0' && errno == 0 && sign_fits;
}

static enum nfsar_status check_scalar(const yaml_node_t *node, const char *key, bool whole,
                                      bool has_sign, nfsar_error *error) {
    const char *text = (const char *)node->data.scalar.value;
    if (node->type != YAML_SCALAR_NODE || is_number(text, whole, has_sign)) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "line %zu: %s: '%s' is not %s",
                      node->start_mark.line + 1, key, text,
                      !whole     ? "a number"
                      : has_sign ? "a whole number"
                                 : "a whole number of zero or more");
}

static enum nfsar_status check_node(yaml_document_t *document, const yaml_node_t *node,
                                    const cyaml_schema_value_t *schema, const char *key,
                                    nfsar_error *error);

static enum nfsar_status check_mapping(yaml_document_t *document, const yaml_node_t *node,
                                       const cyaml_schema_value_t *schema, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         status == NFSAR_OK && pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(document, pair->key);
        const char *name =
            key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
        const cyaml_schema_field_t *field = schema->mapping.fields;
        while (field->key != NULL && strcmp(field->key, name) != 0) {
            field++;
        }
        if (field->key != NULL) {
            status = check_node(document, yaml_document_get_node(document, pair->value),
                                &field->value, field->key, error);
        }
    }
    return status;
}

static enum nfsar_status check_sequence(yaml_document_t *document, const yaml_node_t *node,
                                        const cyaml_schema_value_t *schema, const char *key,
                                        nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         status == NFSAR_OK && item < node->data.sequence.items.top; item++) {
        status = check_node(document, yaml_document_get_node(document, *item),
                            schema->sequence.entry, key, error);
    }
    return status;
}

static enum nfsar_status check_node(yaml_document_t *document, const yaml_node_t *node,
                                    const cyaml_schema_value_t *schema, const char *key,
                                    nfsar_error *error) {
    switch (schema->type) {
    case CYAML_FLOAT:
        return check_scalar(node, key, false, true, error);
    case CYAML_INT:
        return check_scalar(node, key, true, true, error);
    case CYAML_UINT:
        return check_scalar(node, key, true, false, error);
    case CYAML_MAPPING:
        return node->type == YAML_MAPPING_NODE ? check_mapping(document, node, schema, error)
                                               : NFSAR_OK;
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED:
        return node->type == YAML_SEQUENCE_NODE ? check_sequence(document, node, schema, key, error)
                                                : NFSAR_OK;
    default:
        return NFSAR_OK;
    }
}

enum nfsar_status yaml_check_numbers(const unsigned char *text, size_t length,
                                     const cyaml_schema_value_t *schema, nfsar_error *error) {
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    yaml_parser_set_input_string(&parser, text, length);
    enum nfsar_status status = NFSAR_OK;
    if (!yaml_parser_load(&parser, &document)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "cannot be parsed");
    } else {
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        status = root != NULL ? check_node(&document, root, schema, "", error) : NFSAR_OK;
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return status;
}
