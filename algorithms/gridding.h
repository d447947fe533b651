/* The kernel that carries irregular points onto a uniform grid and back: the exponential of
 * semicircle of Barnett, Magland and af Klinteberg (2019),
 *
 *     phi(u) = exp(beta (sqrt(1 - (2 u / width)^2) - 1)),   |u| <= width / 2,  u in grid steps,
 *
 * and what it takes to keep a tolerance. A transform on a grid of n points of which the
 * n / oversampling lowest bins are kept, each divided by the kernel's transform, is wrong by what
 * the kernel lets through of the bins n, 2n, ... beyond: docs/theory/nonuniform.md. */
#ifndef NFSAR_ALGORITHMS_GRIDDING_H
#define NFSAR_ALGORITHMS_GRIDDING_H

enum { GRIDDING_WIDEST = 16 };

struct gridding {
    int width; /* grid points under the kernel along an axis, 2 .. GRIDDING_WIDEST */
    double beta;
    double error; /* of the outermost bins kept, relative to the sum of all |values|: the largest */
    double gain;  /* what the outermost bin is multiplied by at the end, beside the middle one; and
                     with it what rounding did before */
};

/* The kernel at x = 2 u / width; the end's value beyond |x| = 1. */
double gridding_value(double x, double beta);

/* Its transform, the integral of phi(u) cos(omega u) du; omega in radians a grid step. */
double gridding_transform(int width, double beta, double omega);

/* The kernel of this width that lets least through, at an oversampling above 1. */
struct gridding gridding_best(int width, double oversampling);

/* The narrowest one whose error is at most `tolerance`; the widest where none is. */
struct gridding gridding_choose(double tolerance, double oversampling);

#endif
