/* How much of an aperture belongs to each of its points: Voronoi cells with their edges finished.
 */
#ifndef NFSAR_ALGORITHMS_CELLS_H
#define NFSAR_ALGORITHMS_CELLS_H

#include "algorithms/delaunay.h"

/* The cells of n distinct points of the plane, n >= 3, not on one line.
 *
 * Of the Delaunay triangles those are left out that only close a gap (circumradius above `limit`
 * and three times the typical one) or an uneven border (their angle toward the border is obtuse):
 * what is left is where the aperture is. area[n] is the cell's area in it; inside[n] the angle of
 * it, out of 2 pi, that the point sees. An inner point sees all of it, and area is that of its
 * Voronoi cell; the areas of all points add up to that of the triangles, *covered. A point that has
 * no triangle left (inside 0) gets its Voronoi cell within a typical circumradius, and no more than
 * four of these times the way to the nearest point: at the end of a line.
 * same[n]: how many points lie about the same place, each of which counts as 1 / same for what is
 * typical; NULL for 1. Any of inside and covered may be NULL. */
enum nfsar_status cells_of_plane(const struct plane_point *point, size_t n, double limit,
                                 const float *same, double *area, double *inside, double *covered,
                                 nfsar_error *error);

/* area / (inside / 2 pi): a point at the border stands for as much beyond it, at the angle that it
 * does not see, as it does within. Where inside is 0 the area stays. */
void cells_finish(size_t n, const double *inside, double *area);

/* The cells of n >= 2 distinct points of a line: half the way to either neighbour. Gaps above
 * `limit` and three times the median gap do not count: the point stands for as much on that side
 * as on the other, as those at the ends do. */
enum nfsar_status cells_of_line(const double *at, size_t n, double limit, double *length,
                                nfsar_error *error);

#endif
