/* The two ways to the radar's command line, for control.c: each runs a text. */
#ifndef NFSAR_HOST_RADAR_CONTROL_WAY_H
#define NFSAR_HOST_RADAR_CONTROL_WAY_H

#include "host/radar/control.h"

enum radar_outcome { RADAR_ANSWERED, RADAR_REFUSED, RADAR_SILENT, RADAR_CANCELLED };

/* What became of a text. */
struct radar_answer {
    enum radar_outcome outcome;
    unsigned line; /* of the text, from 1, that it is about */
    char text[NFSAR_WIRE_PAYLOAD_MAX + 1];
    unsigned took_ms;
    char said[400]; /* since the last Done, joined by " | " */
};

struct radar_way {
    void *context;
    /* Fails when the way is gone; a radar that refuses or is silent is no failure of the way. */
    enum nfsar_status (*run)(void *context, const char *text, size_t n, unsigned timeout_ms,
                             struct radar_answer *answer, nfsar_error *error);
    void (*record)(void *context, const struct nfsar_wire_message *record); /* NULL: none */
    void (*close)(void *context);
};

enum nfsar_status radar_way_hub(const struct radar_control_options *options, struct radar_way *way,
                                nfsar_error *error);
enum nfsar_status radar_way_serial(const struct radar_control_options *options,
                                   struct radar_way *way, nfsar_error *error);

/* A line that the radar printed: into answer->said, and told. */
void radar_heard(const struct radar_control_options *options, struct radar_answer *answer,
                 const char *line);
/* n bytes made printable, cut at size. */
void radar_copy_text(char *to, size_t size, const void *from, size_t n);

/* The next line of a text that says something, from *at on; *number counts all lines. False: none.
 */
bool radar_next_line(const char *text, size_t n, size_t *at, unsigned *number, const char **line,
                     size_t *bytes);

#endif
