#include "host/yaml_strict.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

/* Stands for the name of the outermost mapping. */
#define WHOLE_FILE "the file"

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
    return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s: '%.64s' is not %s",
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
    case CYAML_STRING:
        return strlen(text) < schema->string.min
                   ? nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s is empty",
                                line_of(node), key)
               : strlen(text) > schema->string.max
                   ? nfsar_fail(strict->error, NFSAR_ERROR_FORMAT,
                                "line %d: %s is longer than %u letters", line_of(node), key,
                                schema->string.max)
                   : NFSAR_OK;
    default:
        return NFSAR_OK;
    }
}

/* Number of single letters to insert, leave out or exchange to make b of a; words that long are not
 * keys. */
static size_t edit_distance(const char *a, const char *b) {
    enum { LETTERS = 64 };
    size_t n = strlen(b), row[LETTERS];
    if (n >= LETTERS || strlen(a) >= LETTERS) {
        return LETTERS;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            size_t same = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = same < other ? same : other;
        }
    }
    return row[n];
}

/* The known key within two letters of a word, or NULL. */
static const char *nearest_key(const char *word, const cyaml_schema_field_t *field) {
    const char *nearest = NULL;
    size_t least = 3;
    for (; field->key != NULL; field++) {
        size_t distance = edit_distance(word, field->key);
        if (distance < least && distance < strlen(field->key)) {
            least = distance;
            nearest = field->key;
        }
    }
    return nearest;
}

static enum nfsar_status unknown_key(struct strict *strict, const yaml_node_t *node,
                                     const cyaml_schema_field_t *field) {
    char known[400];
    size_t used = 0;
    known[0] = '\0';
    const char *nearest = nearest_key(scalar_text(node), field);
    for (; field->key != NULL && used < sizeof known; field++) {
        int more =
            snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "", field->key);
        used += more > 0 ? (size_t)more : 0;
    }
    return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT,
                      "line %d: Unexpected key: %.64s%s%s%s (known here: %s)", line_of(node),
                      scalar_text(node), nearest != NULL ? "; did you mean " : "",
                      nearest != NULL ? nearest : "", nearest != NULL ? "?" : "", known);
}

/* Is there a pair of this key before end? */
static bool has_key(const struct strict *strict, const yaml_node_t *node,
                    const yaml_node_pair_t *end, const char *name) {
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < end; pair++) {
        const yaml_node_t *key = yaml_document_get_node(strict->document, pair->key);
        if (key != NULL && key->type == YAML_SCALAR_NODE && strcmp(scalar_text(key), name) == 0) {
            return true;
        }
    }
    return false;
}

static enum nfsar_status check_pair(struct strict *strict, const yaml_node_t *node,
                                    const yaml_node_pair_t *pair,
                                    const cyaml_schema_field_t *fields) {
    const yaml_node_t *key = yaml_document_get_node(strict->document, pair->key);
    if (key == NULL || key->type != YAML_SCALAR_NODE) {
        return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT,
                          "line %d: a key must be a word, not a list or mapping",
                          line_of(key != NULL ? key : node));
    }
    const cyaml_schema_field_t *field = fields;
    while (field->key != NULL && strcmp(field->key, scalar_text(key)) != 0) {
        field++;
    }
    if (field->key == NULL) {
        return unknown_key(strict, key, fields);
    }
    enum nfsar_status status = check_value(strict, field->key, pair->value, &field->value);
    return status == NFSAR_OK && has_key(strict, node, pair, field->key)
               ? nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s is given twice",
                            line_of(key), field->key)
               : status;
}

/* What is there first, then what is not: a misspelt key is the reason for a missing one. */
static enum nfsar_status check_mapping(struct strict *strict, const char *name,
                                       const yaml_node_t *node,
                                       const cyaml_schema_field_t *fields) {
    const yaml_node_pair_t *end = node->data.mapping.pairs.top;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < end; pair++) {
        enum nfsar_status status = check_pair(strict, node, pair, fields);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    for (const cyaml_schema_field_t *field = fields; field->key != NULL; field++) {
        if ((field->value.flags & CYAML_FLAG_OPTIONAL) == 0 &&
            !has_key(strict, node, end, field->key)) {
            return strcmp(name, WHOLE_FILE) == 0
                       ? nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "the key %s is missing",
                                    field->key)
                       : nfsar_fail(strict->error, NFSAR_ERROR_FORMAT,
                                    "line %d: the key %s is missing in %s", line_of(node),
                                    field->key, name);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status wrong_count(struct strict *strict, const char *key,
                                     const yaml_node_t *node, const cyaml_schema_value_t *schema,
                                     size_t n) {
    uint32_t least = schema->sequence.min, most = schema->sequence.max;
    enum cyaml_type type = schema->sequence.entry->type;
    bool numbers = type == CYAML_FLOAT || type == CYAML_INT || type == CYAML_UINT;
    uint32_t wanted = n < least ? least : most;
    const char *noun = numbers       ? wanted == 1 ? "number" : "numbers"
                       : wanted == 1 ? "entry"
                                     : "entries";
    return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s needs %s%u %s, has %zu",
                      line_of(node), key,
                      least == most ? ""
                      : n < least   ? "at least "
                                    : "at most ",
                      wanted, noun, n);
}

static enum nfsar_status check_sequence(struct strict *strict, const char *key,
                                        const yaml_node_t *node,
                                        const cyaml_schema_value_t *schema) {
    const cyaml_schema_value_t *entry = schema->sequence.entry;
    const yaml_node_item_t *first = node->data.sequence.items.start;
    size_t n = (size_t)(node->data.sequence.items.top - first);
    if (n < schema->sequence.min || n > schema->sequence.max) {
        return wrong_count(strict, key, node, schema, n);
    }
    bool parts = entry->type == CYAML_MAPPING || entry->type == CYAML_SEQUENCE ||
                 entry->type == CYAML_SEQUENCE_FIXED;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        char name[128];
        snprintf(name, sizeof name, "entry %zu of %s", i + 1, key);
        status = check_value(strict, parts ? name : key, first[i], entry);
    }
    return status;
}

static const char *kind_wanted(enum cyaml_type type) {
    switch (type) {
    case CYAML_MAPPING:
        return "a mapping (key: value lines)";
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED:
        return "a list ([a, b])";
    case CYAML_FLOAT:
    case CYAML_INT:
    case CYAML_UINT:
        return "a number";
    case CYAML_BOOL:
        return "true or false";
    default:
        return "a word";
    }
}

static enum nfsar_status wrong_kind(struct strict *strict, const char *key, const yaml_node_t *node,
                                    const cyaml_schema_value_t *schema) {
    const char *wanted = kind_wanted(schema->type);
    if (node->type != YAML_SCALAR_NODE) {
        return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s must be %s, not a %s",
                          line_of(node), key, wanted,
                          node->type == YAML_MAPPING_NODE ? "mapping" : "list");
    }
    if (scalar_text(node)[0] == '\0') {
        return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s must be %s, but is empty",
                          line_of(node), key, wanted);
    }
    return nfsar_fail(strict->error, NFSAR_ERROR_FORMAT, "line %d: %s must be %s, not '%.64s'",
                      line_of(node), key, wanted, scalar_text(node));
}

/* The depth of the recursion is that of the schema. */
static enum nfsar_status check_value(struct strict *strict, const char *key, int index,
                                     const cyaml_schema_value_t *schema) {
    const yaml_node_t *node = yaml_document_get_node(strict->document, index);
    if (node == NULL) {
        return NFSAR_OK;
    }
    bool mapping = schema->type == CYAML_MAPPING;
    bool sequence = schema->type == CYAML_SEQUENCE || schema->type == CYAML_SEQUENCE_FIXED;
    if (node->type == YAML_SCALAR_NODE && !mapping && !sequence) {
        return check_scalar(strict, node, key, schema);
    }
    if (node->type == YAML_MAPPING_NODE && mapping) {
        return check_mapping(strict, key, node, schema->mapping.fields);
    }
    if (node->type == YAML_SEQUENCE_NODE && sequence) {
        return check_sequence(strict, key, node, schema);
    }
    return wrong_kind(strict, key, node, schema);
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
            status = check_value(&strict, WHOLE_FILE, 1, schema);
        }
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return status;
}
