#include "host/yaml_strict.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct strict {
    yaml_document_t *document;
    nfsar_error *error;
};

static enum nfsar_status check_value(struct strict *strict, const char *key, int index,
                                     const cyaml_schema_value_t *schema);

static const char *scalar_text(const yaml_node_t *node) {
    return (const char *)node->data.scalar.value;
}

static int line_of(const yaml_node_t *node) {
    return (int)node->start_mark.line + 1;
}

static enum nfsar_status wrong(struct strict *strict, const yaml_node_t *node, const char *key,
                               const char *expected) {
    return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s: '%s' is not %s",
                      line_of(node), key, scalar_text(node), expected);
}

static bool is_number(const char *text) {
    char *end = NULL;
    strtod(text, &end);
    return end != text && *end == '\0';
}

static bool is_whole(const char *text, bool negative) {
    char *end = NULL;
    errno = 0;
    if (!negative && strchr(text, '-') != NULL) {
        return false;
    }
    if (negative) {
        strtoll(text, &end, 0);
    } else {
        strtoull(text, &end, 0);
    }
    return errno == 0 && end != text && *end == '\0';
}

static bool is_yes_or_no(const char *text) {
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "one of a, b, c" of a list of words. */
static void list_words(const cyaml_strval_t *word, size_t n, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "one of");
    for (size_t i = 0; i < n && used < size; i++) {
        int more = snprintf(text + used, size - used, "%s %s", i > 0 ? "," : "", word[i].str);
        used += more > 0 ? (size_t)more : 0;
    }
}

static enum nfsar_status check_word(struct strict *strict, const yaml_node_t *node, const char *key,
                                    const cyaml_schema_value_t *schema) {
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (strcmp(scalar_text(node), schema->enumeration.strings[i].str) == 0) {
            return NFSAR_OK;
        }
    }
    char expected[400];
    list_words(schema->enumeration.strings, schema->enumeration.count, expected, sizeof expected);
    return wrong(strict, node, key, expected);
}

static enum nfsar_status check_scalar(struct strict *strict, const yaml_node_t *node,
                                      const char *key, const cyaml_schema_value_t *schema) {
    const char *text = scalar_text(node);
    switch (schema->type) {
    case CYAML_FLOAT:
        return is_number(text) ? NFSAR_OK : wrong(strict, node, key, "a number");
    case CYAML_INT:
        return is_whole(text, true) ? NFSAR_OK : wrong(strict, node, key, "a whole number");
    case CYAML_UINT:
        return is_whole(text, false) ? NFSAR_OK
                                     : wrong(strict, node, key, "a whole number of 0 or more");
    case CYAML_BOOL:
        return is_yes_or_no(text) ? NFSAR_OK : wrong(strict, node, key, "true or false");
    case CYAML_ENUM:
        return check_word(strict, node, key, schema);
    default:
        return NFSAR_OK;
    }
}

static enum nfsar_status unknown_key(struct strict *strict, const yaml_node_t *node,
                                     const cyaml_schema_field_t *field) {
    char known[400];
    size_t used = 0;
    known[0] = '\0';
    for (; field->key != NULL && used < sizeof known; field++) {
        int more =
            snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "", field->key);
        used += more > 0 ? (size_t)more : 0;
    }
    return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT,
                      "line %d: Unexpected key: %s (known here: %s)", line_of(node),
                      scalar_text(node), known);
}

static enum nfsar_status check_mapping(struct strict *strict, const yaml_node_t *node,
                                       const cyaml_schema_field_t *fields) {
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(strict->document, pair->key);
        const cyaml_schema_field_t *field = fields;
        if (key == NULL || key->type != YAML_SCALAR_NODE) {
            continue;
        }
        while (field->key != NULL && strcmp(field->key, scalar_text(key)) != 0) {
            field++;
        }
        if (field->key == NULL) {
            return unknown_key(strict, key, fields);
        }
        enum nfsar_status status =
            check_value(strict, scalar_text(key), pair->value, &field->value);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check_sequence(struct strict *strict, const char *key,
                                        const yaml_node_t *node,
                                        const cyaml_schema_value_t *entry) {
    enum nfsar_status status = NFSAR_OK;
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         status == NFSAR_OK && item < node->data.sequence.items.top; item++) {
        status = check_value(strict, key, *item, entry);
    }
    return status;
}

/* The depth of the recursion is that of the schema. */
static enum nfsar_status check_value(struct strict *strict, const char *key, int index,
                                     const cyaml_schema_value_t *schema) {
    const yaml_node_t *node = yaml_document_get_node(strict->document, index);
    if (node == NULL) {
        return NFSAR_OK;
    }
    if (node->type == YAML_SCALAR_NODE) {
        return check_scalar(strict, node, key, schema);
    }
    if (node->type == YAML_MAPPING_NODE && schema->type == CYAML_MAPPING) {
        return check_mapping(strict, node, schema->mapping.fields);
    }
    if (node->type == YAML_SEQUENCE_NODE &&
        (schema->type == CYAML_SEQUENCE || schema->type == CYAML_SEQUENCE_FIXED)) {
        return check_sequence(strict, key, node, schema->sequence.entry);
    }
    return NFSAR_OK;
}

enum nfsar_status strict_check(const unsigned char *text, size_t length,
                               const cyaml_schema_value_t *schema, nfsar_error *error) {
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    yaml_parser_set_input_string(&parser, text, length);
    enum nfsar_status status = NFSAR_OK;
    if (yaml_parser_load(&parser, &document)) {
        struct strict strict = {&document, error};
        if (yaml_document_get_root_node(&document) != NULL) {
            /* Nodes count from 1, the root first. */
            status = check_value(&strict, "the file", 1, schema);
        }
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return status;
}
