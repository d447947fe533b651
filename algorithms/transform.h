/* FFTW as the algorithms here use it: good lengths, aligned memory, one planner at a time. */
#ifndef NFSAR_ALGORITHMS_TRANSFORM_H
#define NFSAR_ALGORITHMS_TRANSFORM_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

/* fftw3.h uses the C99 complex type when complex.h came first. */
#include <fftw3.h>

/* The smallest length >= n whose only factors are 2, 3, 5 and 7. */
size_t transform_length(size_t n);

/* Estimated nanoseconds of one line of n complex numbers in the cache: what FFTW takes for lengths
 * of different factors on an AVX2 machine. For choosing among lengths. */
double transform_cost(size_t n);

/* n complex numbers, aligned for FFTW, uninitialised; NULL when there is no memory. Free with
 * fftwf_free(). */
float complex *transform_alloc(size_t n);

/* Plan `batch` in-place transforms of contiguous lines of `length` at `distance` from each other
 * (sign FFTW_FORWARD: exp(-j)). The planner is not re-entrant, so calls wait for each other.
 * Execute on any array of the same alignment with fftwf_execute_dft(). NULL on failure. */
fftwf_plan transform_plan(size_t length, size_t batch, size_t distance, int sign);

/* Plan one transform from a contiguous line to another, both on 64-byte boundaries: the fastest way
 * that FFTW has through them; what goes in is kept. `lines`: how many the plan will transform in
 * its life. Where that is much work FFTW measures, for TRANSFORM_PLANNING seconds at most, and
 * remembers; else it guesses, unless wisdom knows. NULL on failure. */
fftwf_plan transform_plan_line(size_t length, int sign, double lines);
#define TRANSFORM_PLANNING 0.1

/* The same with another limit. */
fftwf_plan transform_plan_within(size_t length, int sign, double lines, double seconds);

/* What FFTW has learnt so far, as text; free with free(). NULL when there is no memory. */
char *transform_wisdom(void);

/* Add what it learnt in another process; false when it does not understand. */
bool transform_learn(const char *wisdom);

/* Whether something was measured since transform_learn() was last called. */
bool transform_has_learnt(void);

/* Destroy a plan under the same lock; NULL is allowed. */
void transform_destroy(fftwf_plan plan);

#endif
