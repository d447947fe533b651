#include "host/session/limits.h"

enum nfsar_status check_ranges(const struct range *ranges, size_t n, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        const struct range *range = &ranges[i];
        if (range->value != NULL &&
            !(*range->value >= range->least && *range->value <= range->most)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %g is not from %g to %g", range->key,
                              *range->value, range->least, range->most);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status check_counts(const struct count *counts, size_t n, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        const struct count *count = &counts[i];
        if (count->value != NULL && (*count->value < count->least || *count->value > count->most)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %llu is not from %llu to %llu",
                              count->key, (unsigned long long)*count->value,
                              (unsigned long long)count->least, (unsigned long long)count->most);
        }
    }
    return NFSAR_OK;
}
