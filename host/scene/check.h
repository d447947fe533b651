/* Meaning of the numbers in a scene file; errors name the key. */
#ifndef NFSAR_HOST_SCENE_CHECK_H
#define NFSAR_HOST_SCENE_CHECK_H

#include <stddef.h>

#include <nfsar/status.h>

/* *value, or fallback when the file does not have the key. */
double check_default(const double *value, double fallback);

/* All of value[n] must be finite and at most 1e15 in magnitude, as below. */
enum nfsar_status check_finite(const char *key, const double *value, size_t n, nfsar_error *error);
/* All of value[n] must be finite and > 0. */
enum nfsar_status check_positive(const char *key, const double *value, size_t n,
                                 nfsar_error *error);
/* All of value[n] must be finite and >= 0. */
enum nfsar_status check_not_negative(const char *key, const double *value, size_t n,
                                     nfsar_error *error);
/* low <= value <= high. */
enum nfsar_status check_between(const char *key, double value, double low, double high,
                                nfsar_error *error);
/* A whole number from 1 to limit. */
enum nfsar_status check_count(const char *key, unsigned long long value, unsigned long long limit,
                              nfsar_error *error);

#endif
