#include "host/files/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the well-formed character at text that is no control character, else 0
 * (RFC 3629: shortest form only, no surrogates, at most U+10FFFF). */
static size_t character(const unsigned char *text) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = text[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 0 || lead > 0xF4) {
        return 0;
    }
    uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3F);
    }
    if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return 0;
    }
    return code < 0x20 || (code >= 0x7F && code < 0xA0) ? 0 : length;
}

void utf8_clean(char *text) {
    unsigned char *at = (unsigned char *)text;
    while (*at != '\0') {
        size_t length = character(at);
        if (length == 0) {
            *at++ = '?';
        } else {
            at += length;
        }
    }
}

void utf8_copy(char *to, size_t size, const char *from) {
    size_t length = strlen(from);
    if (length >= size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)from[length] & 0xC0) == 0x80) {
            length--;
        }
    }
    memcpy(to, from, length);
    to[length] = '\0';
}
