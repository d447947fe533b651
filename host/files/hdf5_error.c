#include "host/files/hdf5_error.h"

#include <stdio.h>

struct h5_reporting h5_silence(void) {
    struct h5_reporting before = {0};
    H5Eget_auto2(H5E_DEFAULT, &before.function, &before.context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

void h5_restore(struct h5_reporting before) {
    H5Eset_auto2(H5E_DEFAULT, before.function, before.context);
}

/* The first entry met walking upward is the innermost: where the failure was noticed. */
static herr_t take_first(unsigned n, const H5E_error2_t *entry, void *context) {
    if (n == 0 && entry->desc != NULL) {
        snprintf(context, H5_REASON_LENGTH, "%s", entry->desc);
    }
    return 0;
}

const char *h5_reason(char text[H5_REASON_LENGTH]) {
    snprintf(text, H5_REASON_LENGTH, "unknown reason");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, text);
    return text;
}
