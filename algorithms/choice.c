#include "algorithms/choice.h"

#include <stdio.h>
#include <string.h>

enum nfsar_status choice_parse(const char *what, const char *const *names, size_t n,
                               const char *name, size_t *index, nfsar_error *error) {
    char known[256] = "";
    for (size_t i = 0; i < n; i++) {
        if (strcmp(name, names[i]) == 0) {
            *index = i;
            return NFSAR_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s '%s': known are %s", what, name, known);
}
