/* Random smooth functions: of time (a hand, a drifting sensor) and of the plane (an uneven scan).
 */
#ifndef NFSAR_ALGORITHMS_SMOOTH_H
#define NFSAR_ALGORITHMS_SMOOTH_H

#include <stddef.h>

#include <nfsar/simulation.h>
#include <nfsar/status.h>

enum { SMOOTH_TERMS = 64 };

/* A stationary, nearly Gaussian function of time with correlation exp(-t^2 / (2 tau^2)): a sum of
 * cosines at normally distributed frequencies (random Fourier features, Rahimi and Recht 2007). Its
 * mean is 0 and its mean square over a long time is 1. */
struct smooth_function {
    double frequency[SMOOTH_TERMS]; /* rad/s */
    double phase[SMOOTH_TERMS];
};

/* Draw one with correlation time tau_s > 0. */
void smooth_function_draw(struct smooth_function *function, double tau_s, nfsar_random *random);
/* Its value at a time. */
double smooth_function_at(const struct smooth_function *function, double time_s);

/* A smooth surface S[ny][nx] from 0 to 1: the real part of the inverse transform of white noise
 * filtered by exp(-(i^2 + j^2) / (2 F^2)), i and j the frequency's indices, F = roughness, shifted
 * and scaled to its extremes (Smith and Torlak 2022, as in their published demonstration). A
 * surface of one point is 0.5. */
enum nfsar_status smooth_surface(size_t nx, size_t ny, double roughness, nfsar_random *random,
                                 float *surface, nfsar_error *error);

#endif
