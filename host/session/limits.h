/* Values of a session file within their limits, and what stands for those left out. */
#ifndef NFSAR_HOST_SESSION_LIMITS_H
#define NFSAR_HOST_SESSION_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

#include "host/session/description.h"

static inline double number(const double *given, double otherwise) {
    return given != NULL ? *given : otherwise;
}

static inline uint64_t whole(const uint64_t *given, uint64_t otherwise) {
    return given != NULL ? *given : otherwise;
}

/* value NULL: left out, and right. */
struct range {
    const char *key;
    const double *value;
    double least, most;
};

struct count {
    const char *key;
    const uint64_t *value;
    uint64_t least, most;
};

/* NFSAR_ERROR_FORMAT with the first key outside. */
enum nfsar_status check_ranges(const struct range *ranges, size_t n, nfsar_error *error);
enum nfsar_status check_counts(const struct count *counts, size_t n, nfsar_error *error);

#define CHECK_RANGES(ranges, error) check_ranges(ranges, sizeof(ranges) / sizeof *(ranges), error)
#define CHECK_COUNTS(counts, error) check_counts(counts, sizeof(counts) / sizeof *(counts), error)

/* The scan of a session, once its stage is there. */
enum nfsar_status session_take_scan(struct session *session, const struct session_path *path,
                                    nfsar_error *error);

#endif
