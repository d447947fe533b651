#include "algorithms/delaunay.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libqhull_r/qhull_ra.h>

#include "algorithms/buffer.h"

/* A triangle whose area is less than this part of its longest edge squared has none. */
#define FLAT 1e-9

/* Points are moved by up to this part of their extent, for Qhull alone: the four corners of a
 * lattice's cell no longer lie on one circle, so that it finds triangles at once instead of merging
 * and cutting, in half the time. Either diagonal of such a cell gives the same Voronoi cells. */
#define JITTER 1e-8

/* A number of -1/2 to 1/2 that i alone decides (Steele, Lea and Flood 2014). */
static double jitter(uint64_t i) {
    i = (i + 1) * 0x9e3779b97f4a7c15U;
    i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9U;
    i = (i ^ (i >> 27)) * 0x94d049bb133111ebU;
    return (double)((i ^ (i >> 31)) >> 11) * 0x1p-53 - 0.5;
}

/* Points moved and scaled into a box of about 1, where Qhull's tolerances fit. */
static double *to_unit_box(const struct plane_point *point, size_t n) {
    double *unit = buffer_alloc(2 * n, sizeof *unit);
    struct plane_point low = point[0], high = point[0];
    for (size_t i = 1; i < n; i++) {
        low = (struct plane_point){fmin(low.x, point[i].x), fmin(low.y, point[i].y)};
        high = (struct plane_point){fmax(high.x, point[i].x), fmax(high.y, point[i].y)};
    }
    double scale = fmax(high.x - low.x, high.y - low.y);
    scale = scale > 0.0 ? 1.0 / scale : 1.0;
    for (size_t i = 0; unit != NULL && i < n; i++) {
        unit[2 * i] = scale * (point[i].x - 0.5 * (low.x + high.x)) + JITTER * jitter(2 * i);
        unit[2 * i + 1] =
            scale * (point[i].y - 0.5 * (low.y + high.y)) + JITTER * jitter(2 * i + 1);
    }
    return unit;
}

static struct plane_point edge(const struct plane_point *point, int32_t from, int32_t to) {
    return (struct plane_point){point[to].x - point[from].x, point[to].y - point[from].y};
}

/* Make corners counterclockwise; false when there is no area. */
static bool orient(const struct plane_point *point, int32_t corner[3]) {
    struct plane_point a = edge(point, corner[0], corner[1]);
    struct plane_point b = edge(point, corner[0], corner[2]);
    struct plane_point c = edge(point, corner[1], corner[2]);
    double cross = a.x * b.y - a.y * b.x;
    double longest =
        fmax(a.x * a.x + a.y * a.y, fmax(b.x * b.x + b.y * b.y, c.x * c.x + c.y * c.y));
    if (cross < 0.0) {
        int32_t swapped = corner[1];
        corner[1] = corner[2];
        corner[2] = swapped;
    }
    return fabs(cross) > FLAT * longest;
}

static enum nfsar_status take_triangles(qhT *qh, const struct plane_point *point,
                                        struct delaunay *delaunay, nfsar_error *error) {
    size_t room = 0;
    facetT *facet;
    FORALLfacets {
        room += !facet->upperdelaunay;
    }
    delaunay->corner = buffer_alloc(room, sizeof *delaunay->corner);
    delaunay->across = buffer_alloc(room, sizeof *delaunay->across);
    if (delaunay->corner == NULL || delaunay->across == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu triangles", room);
    }
    FORALLfacets {
        if (facet->upperdelaunay || qh_setsize(qh, facet->vertices) != 3) {
            continue;
        }
        int32_t *corner = delaunay->corner[delaunay->n];
        vertexT *vertex, **vertexp;
        int k = 0;
        FOREACHvertex_(facet->vertices) {
            corner[k++] = qh_pointid(qh, vertex->point);
        }
        delaunay->n += corner[0] >= 0 && corner[1] >= 0 && corner[2] >= 0 && orient(point, corner);
    }
    return NFSAR_OK;
}

static enum nfsar_status triangulate(const struct plane_point *point, size_t n,
                                     struct delaunay *delaunay, nfsar_error *error) {
    /* Qbb: heights scaled like the places. Qt: what is not a triangle all the same is cut. */
    char command[] = "qhull d Qbb Qc Qt Q12";
    char *said = NULL;
    size_t length = 0;
    double *unit = to_unit_box(point, n);
    FILE *errors = open_memstream(&said, &length);
    qhT *qh = malloc(sizeof *qh);
    enum nfsar_status status = NFSAR_OK;
    if (unit == NULL || errors == NULL || qh == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    } else {
        qh_zero(qh, errors);
        int failed = qh_new_qhull(qh, 2, (int)n, unit, False, command, NULL, errors);
        if (failed == 0) {
            status = take_triangles(qh, point, delaunay, error);
        } else {
            fflush(errors);
            status = nfsar_fail(
                error, failed == qh_ERRmem ? NFSAR_ERROR_MEMORY : NFSAR_ERROR_GEOMETRY,
                "the places cannot be triangulated: %.200s", said != NULL ? said : "Qhull failed");
        }
        int long_left = 0, all_left = 0;
        qh_freeqhull(qh, !qh_ALL);
        qh_memfreeshort(qh, &long_left, &all_left);
    }
    if (errors != NULL) {
        fclose(errors);
    }
    free(said);
    free(qh);
    free(unit);
    return status;
}

/* An edge of a triangle, kept with the lesser of its ends. */
struct half_edge {
    int32_t other, triangle;
    int8_t opposite;
};

static int by_other_end(const void *a, const void *b) {
    const struct half_edge *x = a, *y = b;
    return (x->other > y->other) - (x->other < y->other);
}

/* The edges of one lesser end: those with the same other end are one edge seen from both sides. */
static void join(struct delaunay *delaunay, struct half_edge *list, size_t n) {
    qsort(list, n, sizeof *list, by_other_end);
    for (size_t i = 0; i + 1 < n; i++) {
        if (list[i].other == list[i + 1].other) {
            delaunay->across[list[i].triangle][list[i].opposite] = list[i + 1].triangle;
            delaunay->across[list[i + 1].triangle][list[i + 1].opposite] = list[i].triangle;
            i++;
        }
    }
}

/* Who lies across each edge. The edges are sorted by the lesser end, by counting: a point has six
 * of them on average. */
static enum nfsar_status find_neighbours(size_t n_point, struct delaunay *delaunay,
                                         nfsar_error *error) {
    size_t *first = buffer_zeros(n_point + 2, sizeof *first);
    struct half_edge *list = buffer_alloc(3 * delaunay->n, sizeof *list);
    if (first == NULL || list == NULL) {
        free(first);
        free(list);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu triangles",
                          delaunay->n);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t t = 0; t < delaunay->n; t++) {
            for (int8_t k = 0; k < 3; k++) {
                int32_t a = delaunay->corner[t][(k + 1) % 3], b = delaunay->corner[t][(k + 2) % 3];
                int32_t low = a < b ? a : b;
                if (pass == 0) {
                    first[low + 2]++;
                    delaunay->across[t][k] = -1;
                } else {
                    list[first[low + 1]++] = (struct half_edge){a < b ? b : a, (int32_t)t, k};
                }
            }
        }
        for (size_t i = 0; pass == 0 && i < n_point; i++) {
            first[i + 2] += first[i + 1];
        }
    }
    for (size_t i = 0; i < n_point; i++) {
        join(delaunay, list + first[i], first[i + 1] - first[i]);
    }
    free(first);
    free(list);
    return NFSAR_OK;
}

/* Qhull wants four points at least. */
static enum nfsar_status one_triangle(const struct plane_point *point, struct delaunay *delaunay,
                                      nfsar_error *error) {
    delaunay->corner = buffer_alloc(1, sizeof *delaunay->corner);
    delaunay->across = buffer_alloc(1, sizeof *delaunay->across);
    if (delaunay->corner == NULL || delaunay->across == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (int32_t k = 0; k < 3; k++) {
        delaunay->corner[0][k] = k;
    }
    delaunay->n = orient(point, delaunay->corner[0]);
    return NFSAR_OK;
}

enum nfsar_status delaunay_make(const struct plane_point *point, size_t n,
                                struct delaunay *delaunay, nfsar_error *error) {
    memset(delaunay, 0, sizeof *delaunay);
    enum nfsar_status status =
        n == 3 ? one_triangle(point, delaunay, error) : triangulate(point, n, delaunay, error);
    if (status == NFSAR_OK) {
        status = find_neighbours(n, delaunay, error);
    }
    if (status != NFSAR_OK) {
        delaunay_free(delaunay);
    }
    return status;
}

void delaunay_free(struct delaunay *delaunay) {
    free(delaunay->corner);
    free(delaunay->across);
    memset(delaunay, 0, sizeof *delaunay);
}
