/* Proximal maps: what a penalty makes of a volume, arg min_x 1/2 |x - b|^2 + penalty(x).
 *
 * l1 is sum |x_i|. TV is sum over voxels of the root of sum_d (w_d |u_{i + e_d} - u_i|)^2 over the
 * axes d that have more than one voxel, of the complex numbers u = x turned by a phase for each
 * slice: what waves leave of a target turns with the depth, and flat is what turns like that. Both
 * together, and TV alone, are solved in the dual by fast gradient projection (Beck and Teboulle
 * 2009, whose projection onto the constraint is here the shrinkage by l1). */
#ifndef NFSAR_ALGORITHMS_SPARSE_PROXIMAL_H
#define NFSAR_ALGORITHMS_SPARSE_PROXIMAL_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

/* A volume [z][y][x]: its sizes, what differences along each axis weigh, a length over the voxels'
 * distance, and by what phase each slice is turned over the one before. */
struct proximal_shape {
    size_t x, y, z;
    double weight[3]; /* of x, y, z */
    double turn;      /* rad a slice */
};

struct proximal;

/* Room for the dual of TV; without it (tv false) only l1 can be done. NULL when there is no memory.
 */
struct proximal *proximal_create(struct proximal_shape shape, bool tv, int threads);

/* Real numbers of a volume's size that one holds. */
size_t proximal_copies(struct proximal_shape shape, bool tv);

/* NULL is allowed. */
void proximal_destroy(struct proximal *proximal);

/* x = the proximal map of l1 |x|_1 + tv TV(x) at b, in at most `iterations` dual steps, fewer where
 * the last one moved x by less than 3e-7 of its length. The dual starts from where the last call
 * left it: calls for volumes that are nearly alike help each other. x may be b. Returns the steps
 * made. */
size_t proximal_map(struct proximal *proximal, const float complex *b, double l1, double tv,
                    size_t iterations, float complex *x);

/* sum |x_i|, and TV(x). */
double proximal_l1(const float complex *x, size_t n);
double proximal_tv(const float complex *x, struct proximal_shape shape);

#endif
