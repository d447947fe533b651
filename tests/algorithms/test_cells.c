/* Cells of the plane and of a line against areas known otherwise, and against counting which point
 * is nearest. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "algorithms/cells.h"

#define ROOM 4096

static struct plane_point point[ROOM];
static double area[ROOM], inside[ROOM];
static size_t n;
static nfsar_random random_numbers;

static int set_up(void **state) {
    (void)state;
    n = 0;
    nfsar_random_seed(&random_numbers, 7);
    return 0;
}

static double uniform(void) {
    return nfsar_random_uniform(&random_numbers);
}

static void add(double x, double y) {
    assert_true(n < ROOM);
    point[n++] = (struct plane_point){x, y};
}

/* nx x ny points from (x, y) on, each moved by up to `wobble` / 2 along either axis. */
static void add_lattice(double x, double y, size_t nx, size_t ny, double dx, double dy,
                        double wobble) {
    for (size_t i = 0; i < nx * ny; i++) {
        double wx = wobble * (uniform() - 0.5), wy = wobble * (uniform() - 0.5);
        add(x + dx * (double)(i % nx) + wx, y + dy * (double)(i / nx) + wy);
    }
}

/* Random points in the unit square, its border closely set: nothing of it is left out. */
static void add_framed(size_t inner, size_t side) {
    for (size_t i = 0; i < side; i++) {
        double at = (double)i / (double)side;
        add(at, 0.0);
        add(1.0, at);
        add(1.0 - at, 1.0);
        add(0.0, 1.0 - at);
    }
    double margin = 1.0 / (double)side;
    for (size_t i = 0; i < inner; i++) {
        add(margin + (1.0 - 2.0 * margin) * uniform(), margin + (1.0 - 2.0 * margin) * uniform());
    }
}

static double make(double limit) {
    nfsar_error error;
    double covered = 0.0;
    assert_ok(cells_of_plane(point, n, limit, NULL, area, inside, &covered, &error), error);
    return covered;
}

static double sum_areas(void) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += area[i];
    }
    return sum;
}

static void assert_all(double value, double tolerance) {
    for (size_t i = 0; i < n; i++) {
        assert_near(area[i], value, tolerance);
    }
}

static void areas_add_up(void **state) {
    (void)state;
    add_framed(1500, 100);
    double covered = make(10.0);
    assert_near(covered, 1.0, 1e-12);
    assert_near(sum_areas(), 1.0, 1e-12);
    for (size_t i = 0; i < n; i++) {
        assert_true(area[i] > 0.0);
        double sees = i < 400 ? (i < 4 ? 0.5 : 1.0) : 2.0; /* corners come first */
        assert_near(inside[i] / NFSAR_PI, sees, 1e-12);
    }
    /* An uneven border: what is left out belongs to nobody, and nothing counts twice. */
    n = 0;
    for (size_t i = 0; i < 2000; i++) {
        add(uniform(), uniform());
    }
    covered = make(0.0);
    size_t lonely = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(area[i] >= -1e-15);
        if (inside[i] == 0.0) {
            area[i] = 0.0;
            lonely++;
        }
    }
    print_message("2000 random points: %.4f of the square covered, %zu of no triangle\n", covered,
                  lonely);
    assert_near(sum_areas(), covered, 1e-12);
    assert_true(covered > 0.9 && covered < 1.0 && lonely < 20);
    cells_finish(n, inside, area);
    assert_near(sum_areas(), 1.0, 0.03);
}

/* Which point is nearest, counted over 500 x 500 places (but for the frame's own points, whose
 * cells end along rows of these places): the border of a cell of 0.015 crosses some
 * 250 of them, which errs by about sqrt(250 / 12) / 500^2 = 2e-5. */
static void cells_are_those_of_voronoi(void **state) {
    (void)state;
    enum { SIDE = 500 };
    add_framed(60, 16);
    static double counted[ROOM];
    memset(counted, 0, sizeof counted);
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) {
        double x = ((double)(i % SIDE) + 0.5) / SIDE, y = ((double)(i / SIDE) + 0.5) / SIDE;
        size_t nearest = 0;
        double least = 10.0;
        for (size_t k = 0; k < n; k++) {
            double square =
                (point[k].x - x) * (point[k].x - x) + (point[k].y - y) * (point[k].y - y);
            if (square < least) {
                least = square;
                nearest = k;
            }
        }
        counted[nearest] += 1.0 / ((double)SIDE * SIDE);
    }
    assert_near(make(10.0), 1.0, 1e-12);
    for (size_t i = 64; i < n; i++) {
        assert_near(area[i], counted[i], 1e-4);
    }
}

/* Every lattice weighs the same everywhere, its edges and corners too. */
static void lattices_are_even(void **state) {
    (void)state;
    add_lattice(-3.0, 2.0, 40, 31, 0.1, 0.025, 0.0);
    make(0.0);
    cells_finish(n, inside, area);
    assert_all(0.0025, 1e-12);
    /* Two of them with a gap between, and one with a hole: neither gap nor hole counts. */
    n = 0;
    add_lattice(0.0, 0.0, 12, 12, 1.0, 1.0, 0.0);
    add_lattice(60.0, 0.0, 12, 12, 1.0, 1.0, 0.0);
    make(0.0);
    cells_finish(n, inside, area);
    assert_all(1.0, 1e-9);
    n = 0;
    for (int i = 0; i < 900; i++) {
        if (abs(i % 30 - 15) > 8 || abs(i / 30 - 15) > 8) {
            add(i % 30, i / 30);
        }
    }
    make(0.0);
    cells_finish(n, inside, area);
    assert_all(1.0, 1e-9);
    /* Turned by 45 degrees with stairs for edges. */
    n = 0;
    for (int i = 0; i < 900; i++) {
        if (abs(i % 30 - 15) + abs(i / 30 - 15) <= 11) {
            add(i % 30, i / 30);
        }
    }
    make(0.0);
    cells_finish(n, inside, area);
    assert_all(1.0, 1e-9);
}

/* Nothing special happens along an edge that is not straight. */
static void uneven_edges(void **state) {
    (void)state;
    for (int k = 0; k < 3; k++) {
        const double wobble[] = {1e-6, 1e-2, 0.2};
        n = 0;
        add_lattice(0.0, 0.0, 50, 50, 1.0, 1.0, wobble[k]);
        make(0.0);
        cells_finish(n, inside, area);
        double low = area[0], high = area[0];
        for (size_t i = 1; i < n; i++) {
            low = fmin(low, area[i]);
            high = fmax(high, area[i]);
        }
        print_message("wobble %g: cells from %.6f to %.6f\n", wobble[k], low, high);
        /* A cell between neighbours that are off by wobble / 2 either way. */
        assert_true(low > 1.0 - 2.0 * wobble[k] && high < 1.0 + 2.0 * wobble[k]);
    }
}

/* A point by itself does not own the void around it. */
static void lonely_points(void **state) {
    (void)state;
    add_lattice(0.0, 0.0, 20, 20, 1.0, 1.0, 0.0);
    add(40.0, 10.0);
    make(0.0);
    cells_finish(n, inside, area);
    assert_near(inside[400], 0.0, 0.0);
    /* The disc with the circumradius of a lattice's triangle. */
    assert_near(area[400], 0.5 * NFSAR_PI, 1e-9);
    for (size_t i = 0; i < 400; i++) {
        assert_near(area[i], 1.0, 1e-9);
    }
}

/* Three points of which no triangle is left: cells among them, cut off at the circumradius, and no
 * more than four circumradii times the way to the nearest. */
static void an_obtuse_triangle(void **state) {
    (void)state;
    add(-1.0, 0.0);
    add(1.0, 0.0);
    add(0.0, 0.2);
    nfsar_error error;
    double covered = 1.0;
    assert_ok(cells_of_plane(point, n, 0.0, NULL, area, inside, &covered, &error), error);
    assert_near(covered, 0.0, 0.0);
    double radius = 2.6; /* (1 + 0.04) / (2 0.2) */
    assert_near(area[0], area[1], 1e-12);
    assert_true(area[2] > 0.0 && area[0] > area[2] && area[0] < NFSAR_PI * radius * radius);
    /* Counted. */
    double counted[3] = {0.0, 0.0, 0.0};
    for (int i = 0; i < 1200 * 1200; i++) {
        double x = 0.006 * (i % 1200 - 600 + 0.5), y = 0.006 * (i / 1200 - 600 + 0.5), d[3];
        for (int k = 0; k < 3; k++) {
            d[k] = hypot(point[k].x - x, point[k].y - y);
        }
        int nearest = d[0] < d[1] ? 0 : 1;
        nearest = d[2] < d[nearest] ? 2 : nearest;
        counted[nearest] += d[nearest] < radius ? 0.006 * 0.006 : 0.0;
    }
    for (int k = 0; k < 3; k++) {
        assert_near(area[k], fmin(counted[k], 4.0 * radius * hypot(1.0, 0.2)), 5e-3);
    }
}

/* Shapes that make long thin triangles: no cell is negative, none is larger than its reach. */
static void awkward_shapes(void **state) {
    (void)state;
    for (int shape = 0; shape < 5; shape++) {
        n = 0;
        for (int i = 0; i < 1000; i++) {
            double t = 1e-3 * i;
            switch (shape) {
            case 0: /* a circle, and its middle: a hub of a thousand edges */
                add(i > 0 ? cos(2.0 * NFSAR_PI * t) : 0.0, i > 0 ? sin(2.0 * NFSAR_PI * t) : 0.0);
                break;
            case 1: /* one wavy line */
                add(10.0 * t, 0.1 * sin(60.0 * t));
                break;
            case 2: /* a spiral */
                add(t * cos(60.0 * t), t * sin(60.0 * t));
                break;
            case 3: /* a clump of a millionth of the size of the rest */
                add(i % 2 ? uniform() : 0.5 + 1e-6 * uniform(),
                    i % 2 ? uniform() : 0.5 + 1e-6 * uniform());
                break;
            default: /* two lines far apart */
                add(t, i % 2 ? 0.0 : 0.3);
            }
        }
        double covered = make(0.0);
        cells_finish(n, inside, area);
        double most = 0.0, sum = sum_areas();
        for (size_t i = 0; i < n; i++) {
            assert_true(isfinite(area[i]) && area[i] >= 0.0);
            most = fmax(most, area[i]);
        }
        print_message("shape %d: covered %.4g, cells add up to %.4g, the largest is %.3g\n", shape,
                      covered, sum, most);
        /* The middle of the circle does own a quarter of it. */
        assert_true(sum > 0.0 && most < (shape == 0 ? 0.15 : 0.01) * sum);
    }
}

static void lines(void **state) {
    (void)state;
    nfsar_error error;
    const double at[] = {4.0, 0.0, 1.0, 3.0, 4.5};
    const double wanted[] = {0.75, 1.0, 1.5, 1.5, 0.5};
    double length[6];
    assert_ok(cells_of_line(at, 5, 0.0, length, &error), error);
    for (int i = 0; i < 5; i++) {
        assert_near(length[i], wanted[i], 1e-15);
    }
    /* A gap does not count, and both its sides are ends. */
    const double gap[] = {0.0, 1.0, 2.0, 22.0, 23.0, 40.0};
    const double even[] = {1.0, 1.0, 1.0, 1.0, 1.0, 3.0};
    assert_ok(cells_of_line(gap, 6, 0.0, length, &error), error);
    for (int i = 0; i < 6; i++) {
        assert_near(length[i], even[i], 1e-15);
    }
    /* Unless the waves do not mind. */
    assert_ok(cells_of_line(gap, 6, 25.0, length, &error), error);
    assert_near(length[2], 10.5, 1e-15);
    assert_ok(cells_of_line(gap, 2, 0.0, length, &error), error);
    assert_near(length[0], 1.0, 1e-15);
    assert_near(length[1], 1.0, 1e-15);
}

/* Without area. */
static void refusals(void **state) {
    (void)state;
    nfsar_error error;
    for (int i = 0; i < 10; i++) {
        add(i, 2.0 * i);
    }
    enum nfsar_status status = cells_of_plane(point, n, 0.0, NULL, area, inside, NULL, &error);
    if (status == NFSAR_OK) {
        assert_near(sum_areas(), 0.0, 1e-6);
    } else {
        assert_int_equal(status, NFSAR_ERROR_GEOMETRY);
        assert_contains(error.message, "cannot be triangulated");
        assert_null(strchr(error.message, '\n'));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(areas_add_up, set_up),
        cmocka_unit_test_setup(cells_are_those_of_voronoi, set_up),
        cmocka_unit_test_setup(lattices_are_even, set_up),
        cmocka_unit_test_setup(uneven_edges, set_up),
        cmocka_unit_test_setup(lonely_points, set_up),
        cmocka_unit_test_setup(an_obtuse_triangle, set_up),
        cmocka_unit_test_setup(awkward_shapes, set_up),
        cmocka_unit_test_setup(lines, set_up),
        cmocka_unit_test_setup(refusals, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
