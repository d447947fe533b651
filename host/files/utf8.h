/* Text of unknown origin, made fit for a terminal and for JSON. */
#ifndef NFSAR_HOST_FILES_UTF8_H
#define NFSAR_HOST_FILES_UTF8_H

#include <stddef.h>

/* Replace every byte that is not part of well-formed UTF-8 and every control character (a terminal
 * might obey it) by '?', in place. */
void utf8_clean(char *text);

/* Copy well-formed text into to[size], cut between characters where it is too long. */
void utf8_copy(char *to, size_t size, const char *from);

#endif
