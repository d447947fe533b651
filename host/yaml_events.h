/* The first look at a YAML text: nothing is built or expanded yet. */
#ifndef NFSAR_HOST_YAML_EVENTS_H
#define NFSAR_HOST_YAML_EVENTS_H

#include <stddef.h>

#include <nfsar/status.h>

/* NFSAR_ERROR_FORMAT, with the line, unless the text is one well-formed YAML document without
 * anchors and aliases. A few bytes of nested aliases stand for more than any memory holds. */
enum nfsar_status events_check(const unsigned char *text, size_t length, nfsar_error *error);

#endif
