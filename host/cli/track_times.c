/* When poses are wanted. */
#include "host/cli/track.h"

#include <stdlib.h>

#include "algorithms/sort.h"

static size_t sort_unique(double *value, size_t n) {
    size_t kept = 0;
    sort_doubles(value, n);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || value[i] > value[kept - 1]) {
            value[kept++] = value[i];
        }
    }
    return kept;
}

double *track_times(const nfsar_capture *capture, size_t *n) {
    const nfsar_array *array = &capture->array;
    double *delay = calloc(array->n_channel + 1, sizeof *delay), *time_s = NULL;
    size_t n_delay = 1; /* the pulse itself */
    for (size_t i = 0; delay != NULL && i < array->n_channel; i++) {
        delay[n_delay++] = array->channel_time_s[i];
    }
    if (delay != NULL) {
        n_delay = sort_unique(delay, n_delay);
        time_s = calloc(capture->n_pulse, n_delay * sizeof *time_s);
    }
    if (time_s != NULL) {
        for (size_t i = 0; i < capture->n_pulse; i++) {
            for (size_t k = 0; k < n_delay; k++) {
                time_s[i * n_delay + k] = capture->time_s[i] + delay[k];
            }
        }
        *n = sort_unique(time_s, capture->n_pulse * n_delay);
    }
    free(delay);
    return time_s;
}
