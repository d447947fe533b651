/* The inner loops of the simulator: one transmit-receive pair and one tile of scatterers.
 *
 * All arrays are aligned to 64 bytes and hold a multiple of KERNEL_LANES scatterers; scatterers
 * that fill up the last lanes have amplitude zero. */
#ifndef NFSAR_ALGORITHMS_SIMULATE_KERNEL_H
#define NFSAR_ALGORITHMS_SIMULATE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/geometry.h>

enum {
    KERNEL_LANES = 16,   /* scatterers side by side: one register of AVX-512, two of AVX2 */
    KERNEL_TILE = 512,   /* scatterers whose arrays stay in the first caches */
    KERNEL_SEGMENT = 32, /* samples from one phase in double precision to the next */
    KERNEL_ALIGN = 64
};

/* The frequencies of a capture, as turns of phase for each metre of path. */
struct kernel_frequencies {
    const double *turns_per_metre; /* [n_sample] f / c */
    size_t n_sample;
    bool uniform;                /* within a segment the phase advances by the same step */
    double step_turns_per_metre; /* valid when uniform */
};

/* The phasors of a tile; one for each thread. */
struct kernel_scratch {
    _Alignas(KERNEL_ALIGN) double path[KERNEL_TILE]; /* R_T + R_R of the pair, metres: input */
    _Alignas(KERNEL_ALIGN) float re[KERNEL_TILE];    /* amplitude of each scatterer: input */
    _Alignas(KERNEL_ALIGN) float im[KERNEL_TILE];
    _Alignas(KERNEL_ALIGN) float phase_re[KERNEL_TILE];
    _Alignas(KERNEL_ALIGN) float phase_im[KERNEL_TILE];
    _Alignas(KERNEL_ALIGN) float step_re[KERNEL_TILE];
    _Alignas(KERNEL_ALIGN) float step_im[KERNEL_TILE];
};

/* r[i] = |(x, y, z)[i] - antenna|, metres; true when one of them is below nearest. */
bool kernel_distances(const double *x, const double *y, const double *z, size_t n,
                      nfsar_vec3 antenna, double nearest, double *r);

/* Amplitude pattern of an antenna toward each scatterer, at distance[i]: its power is
 * exp(-4 ln2 (t / width)^2) at the angle t from boresight, one half at t = width / 2, and nothing
 * backward. The angle is good to 2e-8 rad, so the pattern to 1e-6 of its maximum for beams
 * wider than 2 degrees. */
void kernel_beam(const double *x, const double *y, const double *z, size_t n, nfsar_vec3 antenna,
                 nfsar_vec3 boresight, double width, const double *distance, float *gain);

/* Add sum_i (re + j im)[i] exp(+j 2 pi path[i] turns_per_metre[s]) to echo[2 s], echo[2 s + 1]. */
void kernel_echo(const struct kernel_frequencies *frequencies, struct kernel_scratch *scratch,
                 size_t n, double *echo);

/* exp(+j 2 pi turns[i]), evaluated in single precision once whole turns are taken off. */
void kernel_phasors(const double *turns, size_t n, float *re, float *im);

#endif
