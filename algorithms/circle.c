#include "algorithms/circle.h"

#include <float.h>
#include <math.h>

/* A centre this many times the points' extent away makes their arc a line. */
#define FARTHEST 1e4

/* Smallest ratio of the points' spreads in square along two axes that is no line. */
#define FLATTEST 1e-12

enum { MOST_STEPS = 100 };

/* Points seen from their mean in units of their spread, so that nothing overflows or cancels, and
 * square roots do for hypot(). */
struct cloud {
    const double *x, *y;
    size_t n;
    double mean_x, mean_y, scale;
};

static double at_x(const struct cloud *cloud, size_t i) {
    return (cloud->x[i] - cloud->mean_x) / cloud->scale;
}

static double at_y(const struct cloud *cloud, size_t i) {
    return (cloud->y[i] - cloud->mean_y) / cloud->scale;
}

static double distance(const struct cloud *cloud, size_t i, double a, double b) {
    double dx = at_x(cloud, i) - a, dy = at_y(cloud, i) - b;
    return sqrt(dx * dx + dy * dy);
}

static void centre(struct cloud *cloud) {
    double n = (double)cloud->n, x = 0.0, y = 0.0;
    for (size_t i = 0; i < cloud->n; i++) {
        x += (cloud->x[i] - cloud->x[0]) / n;
        y += (cloud->y[i] - cloud->y[0]) / n;
    }
    cloud->mean_x = cloud->x[0] + x;
    cloud->mean_y = cloud->y[0] + y;
    for (size_t i = 0; i < cloud->n; i++) {
        double away = hypot(cloud->x[i] - cloud->mean_x, cloud->y[i] - cloud->mean_y);
        cloud->scale = fmax(cloud->scale, away);
    }
}

/* The symmetric system (a b; b c) (x, y) = (p, q). */
static void solve(double a, double b, double c, double p, double q, double *x, double *y) {
    double determinant = a * c - b * b;
    *x = (p * c - q * b) / determinant;
    *y = (q * a - p * b) / determinant;
}

/* Least squares of x^2 + y^2 - 2 a x - 2 b y - c; false for a line. */
static int fit_algebraic(const struct cloud *cloud, double *a, double *b) {
    double xx = 0.0, xy = 0.0, yy = 0.0, xs = 0.0, ys = 0.0;
    for (size_t i = 0; i < cloud->n; i++) {
        double x = at_x(cloud, i), y = at_y(cloud, i), square = x * x + y * y;
        xx += x * x;
        xy += x * y;
        yy += y * y;
        xs += 0.5 * x * square;
        ys += 0.5 * y * square;
    }
    if (!(xx * yy - xy * xy > FLATTEST * (xx + yy) * (xx + yy))) {
        return 0;
    }
    solve(xx, xy, yy, xs, ys, a, b);
    return 1;
}

/* Mean distance from (a, b), the best radius there, and the sum of the squares that it leaves. */
static double misfit(const struct cloud *cloud, double a, double b, double *radius) {
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < cloud->n; i++) {
        sum += distance(cloud, i, a, b);
    }
    *radius = sum / (double)cloud->n;
    for (size_t i = 0; i < cloud->n; i++) {
        double off = distance(cloud, i, a, b) - *radius;
        squares += off * off;
    }
    return squares;
}

/* Normal equations of the distances over (a, b), the radius eliminated. */
struct normal {
    double aa, ab, bb, ra, rb;
};

static struct normal linearise(const struct cloud *cloud, double a, double b, double radius) {
    struct normal sum = {0};
    double mean_a = 0.0, mean_b = 0.0, n = (double)cloud->n;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < cloud->n; i++) {
            double dx = a - at_x(cloud, i), dy = b - at_y(cloud, i), r = sqrt(dx * dx + dy * dy);
            double ja = r > 0.0 ? dx / r : 0.0, jb = r > 0.0 ? dy / r : 0.0;
            if (pass == 0) {
                mean_a += ja / n;
                mean_b += jb / n;
                continue;
            }
            ja -= mean_a;
            jb -= mean_b;
            sum.aa += ja * ja;
            sum.ab += ja * jb;
            sum.bb += jb * jb;
            sum.ra -= ja * (r - radius);
            sum.rb -= jb * (r - radius);
        }
    }
    return sum;
}

/* Gauss-Newton, damped where a step would make it worse. */
static double refine(const struct cloud *cloud, double *a, double *b) {
    double radius, damping = 0.0, squares = misfit(cloud, *a, *b, &radius);
    for (int step = 0; step < MOST_STEPS && hypot(*a, *b) < FARTHEST; step++) {
        struct normal m = linearise(cloud, *a, *b, radius);
        double more = damping * (m.aa + m.bb), da, db, next;
        solve(m.aa + more, m.ab, m.bb + more, m.ra, m.rb, &da, &db);
        if (!isfinite(da) || !isfinite(db)) {
            break;
        }
        double better = misfit(cloud, *a + da, *b + db, &next);
        if (better <= squares) {
            *a += da;
            *b += db;
            radius = next;
            squares = better;
            damping *= 0.1;
        } else {
            damping = fmax(10.0 * damping, 1e-6);
        }
        if (hypot(da, db) < 1e-13 * fmax(1.0, hypot(*a, *b)) || damping > 1e6) {
            break;
        }
    }
    return radius;
}

enum circle_kind circle_fit(const double *x, const double *y, size_t n, struct circle *circle) {
    struct cloud cloud = {.x = x, .y = y, .n = n};
    centre(&cloud);
    *circle = (struct circle){cloud.mean_x, cloud.mean_y, 0.0, 0.0};
    double origin = hypot(cloud.mean_x, cloud.mean_y), a, b;
    if (!(cloud.scale > 16.0 * DBL_EPSILON * origin) || !(cloud.scale > DBL_MIN)) {
        return CIRCLE_POINT;
    }
    if (!fit_algebraic(&cloud, &a, &b)) {
        return CIRCLE_LINE;
    }
    double radius = refine(&cloud, &a, &b);
    if (!(hypot(a, b) < FARTHEST)) {
        return CIRCLE_LINE;
    }
    for (size_t i = 0; i < n; i++) {
        double off = fabs(distance(&cloud, i, a, b) - radius);
        circle->deviation = fmax(circle->deviation, cloud.scale * off);
    }
    circle->x = cloud.mean_x + cloud.scale * a;
    circle->y = cloud.mean_y + cloud.scale * b;
    circle->radius = cloud.scale * radius;
    return CIRCLE_FOUND;
}
