#include "host/yaml_events.h"

#include <stdbool.h>
#include <yaml.h>

/* Deeper than any schema here; what descends into a document does so by recursion. */
enum { DEPTH_LIMIT = 64 };

struct walk {
    yaml_parser_t parser;
    int depth, documents;
    bool ended;
};

static enum nfsar_status not_well_formed(const yaml_parser_t *parser, nfsar_error *error) {
    if (parser->error == YAML_MEMORY_ERROR) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (parser->error == YAML_READER_ERROR) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "is not a text in UTF-8 (byte %zu)",
                          parser->problem_offset);
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "line %zu: the YAML is not well formed near here (indentation, brackets or "
                      "quotes)",
                      parser->problem_mark.line + 1);
}

static bool has_anchor(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL;
    default:
        return false;
    }
}

static enum nfsar_status step(struct walk *walk, const yaml_event_t *event, nfsar_error *error) {
    size_t line = event->start_mark.line + 1;
    if (has_anchor(event)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "line %zu: anchors (&name) and aliases (*name) are not read: write the "
                          "value out",
                          line);
    }
    if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT) {
        walk->depth++;
    } else if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) {
        walk->depth--;
    } else if (event->type == YAML_DOCUMENT_START_EVENT) {
        walk->documents++;
    }
    walk->ended = event->type == YAML_STREAM_END_EVENT;
    if (walk->depth > DEPTH_LIMIT) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "line %zu: nested more than %d deep", line,
                          DEPTH_LIMIT);
    }
    if (walk->documents > 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "line %zu: a second document (---) starts here; there can be only one",
                          line);
    }
    return NFSAR_OK;
}

enum nfsar_status events_check(const unsigned char *text, size_t length, nfsar_error *error) {
    struct walk walk = {0};
    if (!yaml_parser_initialize(&walk.parser)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    yaml_parser_set_input_string(&walk.parser, text, length);
    enum nfsar_status status = NFSAR_OK;
    while (status == NFSAR_OK && !walk.ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&walk.parser, &event)) {
            status = not_well_formed(&walk.parser, error);
            break;
        }
        status = step(&walk, &event, error);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&walk.parser);
    return status;
}
