#include "host/scene/check.h"

#include <math.h>
#include <stdbool.h>

double check_default(const double *value, double fallback) {
    return value != NULL ? *value : fallback;
}

/* No frequency, size or strength comes near this; squares and sums stay finite. */
#define REACH 1e15

static bool in_reach(double value) {
    return fabs(value) <= REACH;
}

static enum nfsar_status refuse(const char *key, double value, const char *wanted,
                                nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s is %g: must be %s", key, value, wanted);
}

enum nfsar_status check_finite(const char *key, const double *value, size_t n, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (!in_reach(value[i])) {
            return refuse(key, value[i], "a number of at most 1e15", error);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status check_positive(const char *key, const double *value, size_t n,
                                 nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (!in_reach(value[i]) || value[i] <= 0.0) {
            return refuse(key, value[i], "a number above zero, at most 1e15", error);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status check_not_negative(const char *key, const double *value, size_t n,
                                     nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (!in_reach(value[i]) || value[i] < 0.0) {
            return refuse(key, value[i], "zero or more, at most 1e15", error);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status check_between(const char *key, double value, double low, double high,
                                nfsar_error *error) {
    if (!(value >= low && value <= high)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s is %g: must be from %g to %g", key, value,
                          low, high);
    }
    return NFSAR_OK;
}

enum nfsar_status check_count(const char *key, unsigned long long value, unsigned long long limit,
                              nfsar_error *error) {
    if (value < 1 || value > limit) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s is %llu: must be from 1 to %llu", key,
                          value, limit);
    }
    return NFSAR_OK;
}
