#include "algorithms/cells.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "algorithms/buffer.h"

/* A gap is this many times wider than what is typical. */
#define GAP 3.0

/* An angle whose cosine is less than minus this is obtuse. */
#define OBTUSE 1e-9

/* One corner of a triangle: the two edges that meet in it, and the angle between them. */
struct wedge {
    int32_t point, next, last; /* the edges go to the two others, counterclockwise */
    double dot, cross;         /* of the edges; cross > 0 */
    double opposite;           /* squared length of the edge that is opposite */
};

static struct wedge wedge_at(const struct plane_point *point, const int32_t corner[3], int k) {
    int32_t p = corner[k], q = corner[(k + 1) % 3], r = corner[(k + 2) % 3];
    double ax = point[q].x - point[p].x, ay = point[q].y - point[p].y;
    double bx = point[r].x - point[p].x, by = point[r].y - point[p].y;
    double cx = bx - ax, cy = by - ay;
    return (struct wedge){p, q, r, ax * bx + ay * by, ax * by - ay * bx, cx * cx + cy * cy};
}

/* Edge over twice the sine of the angle opposite to it. */
static double circumradius(const struct plane_point *point, const int32_t corner[3]) {
    struct wedge w = wedge_at(point, corner, 0);
    double sine = w.cross / hypot(w.dot, w.cross);
    return 0.5 * sqrt(w.opposite) / sine;
}

struct work {
    const struct plane_point *point;
    size_t n;
    struct delaunay mesh;
    double *radius; /* [mesh.n] */
    uint8_t *keep;  /* [mesh.n] */
    int32_t *stack; /* [3 mesh.n + 3] */
    double typical; /* circumradius */
};

/* ---- what is typical ----------------------------------------------------------------------- */

struct counted {
    double value, weight;
};

static int by_value(const void *a, const void *b) {
    const struct counted *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static double weighted_median(struct counted *list, size_t n) {
    double half = 0.0, sum = 0.0;
    qsort(list, n, sizeof *list, by_value);
    for (size_t i = 0; i < n; i++) {
        half += 0.5 * list[i].weight;
    }
    for (size_t i = 0; i < n; i++) {
        sum += list[i].weight;
        if (sum >= half) {
            return list[i].value;
        }
    }
    return n > 0 ? list[n - 1].value : 0.0;
}

/* The median over points of the mean circumradius about them, weighted with area. */
static bool find_typical(struct work *work, const float *same) {
    double *sum = buffer_zeros(2 * work->n, sizeof *sum);
    struct counted *list = buffer_alloc(work->n, sizeof *list);
    size_t n = 0;
    for (size_t t = 0; sum != NULL && t < work->mesh.n; t++) {
        double cross = wedge_at(work->point, work->mesh.corner[t], 0).cross;
        for (int k = 0; k < 3; k++) {
            sum[2 * work->mesh.corner[t][k]] += cross * work->radius[t];
            sum[2 * work->mesh.corner[t][k] + 1] += cross;
        }
    }
    for (size_t i = 0; sum != NULL && list != NULL && i < work->n; i++) {
        if (sum[2 * i + 1] > 0.0) {
            double weight = same != NULL ? 1.0 / (double)same[i] : 1.0;
            list[n++] = (struct counted){sum[2 * i] / sum[2 * i + 1], weight};
        }
    }
    bool made = sum != NULL && list != NULL;
    work->typical = made ? weighted_median(list, n) : 0.0;
    free(sum);
    free(list);
    return made;
}

/* ---- where the aperture is ----------------------------------------------------------------- */

static bool faces_border(const struct work *work, int32_t t) {
    for (int k = 0; k < 3; k++) {
        int32_t across = work->mesh.across[t][k];
        if (across >= 0 && work->keep[across]) {
            continue;
        }
        struct wedge w = wedge_at(work->point, work->mesh.corner[t], k);
        if (w.dot < -OBTUSE * w.cross) {
            return true;
        }
    }
    return false;
}

/* Without what closes gaps, take away what faces the border with an obtuse angle until nothing
 * does. Every circumcentre then lies inside: an edge of the border has no point in the circle
 * over it, so that no cell reaches across (Shewchuk 2002, section 2). */
static void find_aperture(struct work *work, double limit) {
    size_t depth = 0;
    limit = fmax(limit, GAP * work->typical);
    for (size_t t = 0; t < work->mesh.n; t++) {
        work->keep[t] = work->radius[t] <= limit;
    }
    for (size_t start = 0; start < work->mesh.n; start++) {
        work->stack[depth++] = (int32_t)start;
        while (depth > 0) {
            int32_t t = work->stack[--depth];
            if (!work->keep[t] || !faces_border(work, t)) {
                continue;
            }
            work->keep[t] = 0;
            for (int k = 0; k < 3; k++) {
                int32_t across = work->mesh.across[t][k];
                if (across >= 0 && across <= (int32_t)start && work->keep[across]) {
                    work->stack[depth++] = across;
                }
            }
        }
    }
}

/* ---- areas --------------------------------------------------------------------------------- */

/* An edge of length l with the angle a opposite to it bounds two right triangles of the cells at
 * its ends, with legs l/2 and (l/2) cot a: negative where the circumcentre lies beyond it. */
static void add_cells(const struct work *work, double *area, double *inside, double *covered) {
    for (size_t t = 0; t < work->mesh.n; t++) {
        if (!work->keep[t]) {
            continue;
        }
        for (int k = 0; k < 3; k++) {
            struct wedge w = wedge_at(work->point, work->mesh.corner[t], k);
            double piece = 0.125 * w.opposite * w.dot / w.cross;
            area[w.next] += piece;
            area[w.last] += piece;
            inside[w.point] += atan2(w.cross, w.dot);
        }
        *covered += 0.5 * wedge_at(work->point, work->mesh.corner[t], 0).cross;
    }
}

/* The right triangle with legs `near` and `far`, within `reach` of the corner where near begins. */
static double within_reach(double near, double far, double reach) {
    if (near >= reach) {
        return 0.5 * reach * reach * atan2(far, near);
    }
    double straight = sqrt(reach * reach - near * near);
    if (far <= straight) {
        return 0.5 * near * far;
    }
    return 0.5 * near * straight + 0.5 * reach * reach * (atan2(far, near) - acos(near / reach));
}

static void note_nearest(const double *inside, int32_t p, double distance, double *nearest) {
    nearest[p] = inside[p] == 0.0 ? fmin(nearest[p], distance) : nearest[p];
}

/* Points that no triangle is left to are alone or along a line. One at the end of a line owns no
 * more than two in the middle of it, whose cells are strips as long as the way to the next and as
 * wide as there is reach on both sides. */
static bool limit_lonely(const struct work *work, const double *inside, double *area) {
    double *nearest = buffer_alloc(work->n, sizeof *nearest);
    for (size_t i = 0; nearest != NULL && i < work->n; i++) {
        nearest[i] = HUGE_VAL;
    }
    for (size_t t = 0; nearest != NULL && t < work->mesh.n; t++) {
        for (int k = 0; k < 3; k++) {
            struct wedge w = wedge_at(work->point, work->mesh.corner[t], k);
            note_nearest(inside, w.next, sqrt(w.opposite), nearest);
            note_nearest(inside, w.last, sqrt(w.opposite), nearest);
        }
    }
    for (size_t i = 0; nearest != NULL && i < work->n; i++) {
        area[i] = inside[i] == 0.0 ? fmin(area[i], 4.0 * work->typical * nearest[i]) : area[i];
    }
    bool made = nearest != NULL;
    free(nearest);
    return made;
}

/* Points that no triangle is left to: their cells among all points, within reach. Beyond a border
 * edge a cell has no end; and toward what no edge of a corner of the border looks at, neither. */
static void add_lonely(const struct work *work, const double *inside, double *area) {
    double reach = work->typical, sector = 0.5 * reach * reach;
    for (size_t i = 0; i < work->n; i++) {
        area[i] += inside[i] == 0.0 ? 2.0 * NFSAR_PI * sector : 0.0;
    }
    for (size_t t = 0; t < work->mesh.n; t++) {
        for (int k = 0; k < 3; k++) {
            struct wedge w = wedge_at(work->point, work->mesh.corner[t], k);
            double near = 0.5 * sqrt(w.opposite), far = near * w.dot / w.cross;
            double piece = copysign(within_reach(near, fabs(far), reach), far);
            if (work->mesh.across[t][k] < 0) {
                piece += within_reach(near, HUGE_VAL, reach) - 0.5 * NFSAR_PI * sector;
            }
            area[w.next] += inside[w.next] == 0.0 ? piece : 0.0;
            area[w.last] += inside[w.last] == 0.0 ? piece : 0.0;
            area[w.point] -= inside[w.point] == 0.0 ? sector * atan2(w.cross, w.dot) : 0.0;
        }
    }
}

static enum nfsar_status prepare(struct work *work, nfsar_error *error) {
    enum nfsar_status status = delaunay_make(work->point, work->n, &work->mesh, error);
    if (status != NFSAR_OK) {
        return status;
    }
    work->radius = buffer_alloc(work->mesh.n, sizeof *work->radius);
    work->keep = buffer_alloc(work->mesh.n, sizeof *work->keep);
    work->stack = buffer_alloc(3 * work->mesh.n + 3, sizeof *work->stack);
    if (work->radius == NULL || work->keep == NULL || work->stack == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu triangles",
                          work->mesh.n);
    }
    for (size_t t = 0; t < work->mesh.n; t++) {
        work->radius[t] = circumradius(work->point, work->mesh.corner[t]);
    }
    return NFSAR_OK;
}

enum nfsar_status cells_of_plane(const struct plane_point *point, size_t n, double limit,
                                 const float *same, double *area, double *inside, double *covered,
                                 nfsar_error *error) {
    struct work work = {.point = point, .n = n};
    double sum = 0.0;
    double *angle = buffer_zeros(n, sizeof *angle);
    enum nfsar_status status = prepare(&work, error);
    if (status == NFSAR_OK && (angle == NULL || !find_typical(&work, same))) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    }
    if (status == NFSAR_OK) {
        memset(area, 0, n * sizeof *area);
        find_aperture(&work, limit);
        add_cells(&work, area, angle, &sum);
        add_lonely(&work, angle, area);
        if (!limit_lonely(&work, angle, area)) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
        }
    }
    if (status == NFSAR_OK && inside != NULL) {
        memcpy(inside, angle, n * sizeof *inside);
    }
    if (status == NFSAR_OK && covered != NULL) {
        *covered = sum;
    }
    delaunay_free(&work.mesh);
    free(work.radius);
    free(work.keep);
    free(work.stack);
    free(angle);
    return status;
}

void cells_finish(size_t n, const double *inside, double *area) {
    for (size_t i = 0; i < n; i++) {
        /* Rounding leaves an inner point's angle next to 2 pi, and its area as it is. */
        bool border = inside[i] > 0.0 && inside[i] < 2.0 * NFSAR_PI * (1.0 - 1e-9);
        area[i] *= border ? 2.0 * NFSAR_PI / inside[i] : 1.0;
        area[i] = fmax(area[i], 0.0);
    }
}

/* ---- a line -------------------------------------------------------------------------------- */

static enum nfsar_status sort_line(const double *at, size_t n, struct counted **sorted,
                                   double *median, nfsar_error *error) {
    struct counted *list = buffer_alloc(n, sizeof *list);
    struct counted *gap = buffer_alloc(n, sizeof *gap);
    if (list == NULL || gap == NULL) {
        free(list);
        free(gap);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    }
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct counted){at[i], (double)i};
    }
    qsort(list, n, sizeof *list, by_value);
    for (size_t i = 0; i + 1 < n; i++) {
        gap[i] = (struct counted){list[i + 1].value - list[i].value, 1.0};
    }
    *median = weighted_median(gap, n - 1);
    *sorted = list;
    free(gap);
    return NFSAR_OK;
}

enum nfsar_status cells_of_line(const double *at, size_t n, double limit, double *length,
                                nfsar_error *error) {
    struct counted *sorted = NULL;
    double median = 0.0;
    enum nfsar_status status = sort_line(at, n, &sorted, &median, error);
    limit = fmax(limit, GAP * median);
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        double before = i > 0 ? sorted[i].value - sorted[i - 1].value : HUGE_VAL;
        double after = i + 1 < n ? sorted[i + 1].value - sorted[i].value : HUGE_VAL;
        double whole =
            before <= limit && after <= limit ? 0.5 * (before + after) : fmin(before, after);
        length[(size_t)sorted[i].weight] = fmin(whole, limit);
    }
    free(sorted);
    return status;
}
