/* Outgoing cylindrical waves of the convention exp(-jkR): Hankel functions of the second kind. */
#ifndef NFSAR_ALGORITHMS_HANKEL_H
#define NFSAR_ALGORITHMS_HANKEL_H

#include <complex.h>
#include <stddef.h>

/* out[n] = (-j)^n H_n^(2)(x), n < count, by the recurrence upward, which keeps ten digits of the
 * whole as long as the orders stay below x or little above: there J is small beside Y, which the
 * recurrence makes well. x > 0. Orders whose magnitude is beyond 1e30 are 0. */
void hankel_orders(double x, size_t count, double complex *out);

#endif
