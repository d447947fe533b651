#include "host/import/names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t digits(const char *text) {
    size_t n = 0;
    while (isdigit((unsigned char)text[n])) {
        n++;
    }
    return n;
}

/* Compare two runs of digits of any length as numbers. */
static int compare_numbers(const char *a, size_t n_a, const char *b, size_t n_b) {
    while (n_a > 1 && *a == '0') {
        a++;
        n_a--;
    }
    while (n_b > 1 && *b == '0') {
        b++;
        n_b--;
    }
    if (n_a != n_b) {
        return n_a < n_b ? -1 : 1;
    }
    return memcmp(a, b, n_a);
}

int names_compare(const char *a, const char *b) {
    const char *x = a, *y = b;
    while (*x != '\0' && *y != '\0') {
        size_t n_x = digits(x), n_y = digits(y);
        if (n_x > 0 && n_y > 0) {
            int order = compare_numbers(x, n_x, y, n_y);
            if (order != 0) {
                return order;
            }
            x += n_x;
            y += n_y;
        } else if (*x != *y) {
            return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
        } else {
            x++;
            y++;
        }
    }
    if (*x != *y) {
        return *x == '\0' ? -1 : 1;
    }
    return strcmp(a, b);
}

/* A number of at most 18 digits, so that it fits. */
static bool small_number(const char *text, size_t n, uint64_t *value) {
    if (n < 1 || n > 18) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        *value = 10 * *value + (uint64_t)(text[i] - '0');
    }
    return true;
}

bool names_is_part(const char *name, size_t *stem, uint64_t *part) {
    static const char mark[] = "_Raw_";
    const char *last = NULL;
    for (const char *at = name; (at = strstr(at, mark)) != NULL; at++) {
        last = at;
    }
    if (last == NULL) {
        return false;
    }
    const char *number = last + sizeof mark - 1;
    size_t n = digits(number);
    *stem = (size_t)(number - name);
    return (number[n] == '.' || number[n] == '\0') && strchr(number, '/') == NULL &&
           small_number(number, n, part);
}

int64_t names_step(const char *a, const char *b, char *next, size_t size) {
    size_t same = 0;
    while (a[same] != '\0' && a[same] == b[same]) {
        same++;
    }
    /* Back to the start of the number in which the first difference lies. */
    while (same > 0 && isdigit((unsigned char)a[same - 1])) {
        same--;
    }
    size_t n_a = digits(a + same), n_b = digits(b + same);
    uint64_t value_a = 0, value_b = 0;
    if (!small_number(a + same, n_a, &value_a) || !small_number(b + same, n_b, &value_b) ||
        strcmp(a + same + n_a, b + same + n_b) != 0) {
        return 0;
    }
    /* Numbers written with leading zeros keep their width. */
    int width = a[same] == '0' || n_a == n_b ? (int)n_a : 0;
    snprintf(next, size, "%.*s%0*llu%s", (int)same, a, width, (unsigned long long)(value_a + 1),
             a + same + n_a);
    return (int64_t)value_b - (int64_t)value_a;
}
