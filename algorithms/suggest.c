/* The grid for those who give none. */
#include <nfsar/cylinder.h>
#include <nfsar/range.h>

#include <math.h>
#include <stdlib.h>

#include "algorithms/antennas.h"

/* Leakage from transmitter to receiver makes the first cells bright: the search starts beyond. */
#define BLIND_CELLS 2.0

/* Farther than this nobody looks for a near-field target that is not asked for. */
#define FARTHEST 20.0

#define GATE_BELOW_PEAK 0.01 /* -20 dB */

/* Voxels are this part of a resolution cell: pictures of two voxels a cell look coarse. */
#define LATERAL_STEP (1.0 / 3.0)

/* Half a side of a box in a cylinder, of the radius: its corners are 0.92 from the axis. */
#define BOX_IN_CYLINDER 0.65

/* Where the radar was, and whether it looked at one point from around. */
struct view {
    nfsar_vec3 low, high; /* box of the phase centres */
    nfsar_vec3 meeting;   /* nearest point to all boresights; valid when converging */
    double distance;      /* mean distance of the phase centres from there */
    double room;          /* half a side of the largest box round there */
    int converging;
};

/* Solve the symmetric 3 x 3 system a x = b by Cramer's rule; returns the determinant. */
static double solve3(double a[3][3], const double b[3], double x[3]) {
    double det = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                 a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                 a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    for (int i = 0; i < 3; i++) {
        double m[3][3];
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++) {
                m[r][c] = c == i ? b[r] : a[r][c];
            }
        }
        x[i] = (m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
                m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
                m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])) /
               det;
    }
    return det;
}

/* The point nearest to all boresight lines: sum (I - d d^T)(x - p) = 0. Parallel lines leave the
 * matrix singular along d; a turntable's lie in a plane at least, and fix all three. */
static void find_meeting(const nfsar_capture *capture, struct view *view) {
    double a[3][3] = {{0}}, b[3] = {0}, x[3];
    double n = (double)capture->n_pose;
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_vec3 v =
            nfsar_quaternion_rotate(capture->pose[i].orientation, (nfsar_vec3){0.0, 0.0, 1.0});
        const double d[3] = {v.x, v.y, v.z};
        const double p[3] = {capture->pose[i].position.x, capture->pose[i].position.y,
                             capture->pose[i].position.z};
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++) {
                double m = ((r == c) - d[r] * d[c]) / n;
                a[r][c] += m;
                b[r] += m * p[c];
            }
        }
    }
    /* Boresights within 10 degrees of each other have a determinant below 0.01. */
    double det = solve3(a, b, x);
    view->converging = det > 0.02;
    view->meeting = (nfsar_vec3){x[0], x[1], x[2]};
    for (size_t i = 0; view->converging && i < capture->n_pose; i++) {
        view->distance += nfsar_vec3_distance(capture->pose[i].position, view->meeting) / n;
    }
}

/* The box shall not reach the antennas: on a cylinder its corners are what counts. */
static enum nfsar_status find_room(const nfsar_capture *capture, struct view *view,
                                   nfsar_error *error) {
    nfsar_cylinder cylinder;
    nfsar_error why;
    enum nfsar_status status = nfsar_cylinder_detect(capture, 0.0, &cylinder, &why);
    view->room = view->distance;
    if (status == NFSAR_OK) {
        view->meeting.x = cylinder.axis.x;
        view->meeting.z = cylinder.axis.z;
        view->room = BOX_IN_CYLINDER * (cylinder.radius - cylinder.deviation);
    } else if (status != NFSAR_ERROR_GEOMETRY) {
        return nfsar_fail(error, status, "%s", why.message);
    }
    return NFSAR_OK;
}

static enum nfsar_status look(const nfsar_capture *capture, struct view *view, nfsar_error *error) {
    *view = (struct view){.converging = 0};
    enum nfsar_status status = antennas_box(capture, &view->low, &view->high, error);
    if (status == NFSAR_OK) {
        find_meeting(capture, view);
    }
    return status == NFSAR_OK && view->converging ? find_room(capture, view, error) : status;
}

/* Limits round the strongest echo. */
static enum nfsar_status find_gate(const nfsar_capture *capture, const nfsar_echo_source *source,
                                   nfsar_grid_reasons *reasons, nfsar_error *error) {
    double cell = nfsar_range_resolution(capture);
    double last = fmin(nfsar_range_unambiguous(capture), FARTHEST);
    if (!isfinite(cell)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "a single frequency tells no range: give the grid with --z");
    }
    double step = cell / 8.0;
    size_t n = (size_t)(last / step) + 1;
    size_t first = (size_t)(BLIND_CELLS * cell / step);
    double *power = calloc(n, sizeof *power);
    if (power == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = nfsar_range_profile(capture, source, step, n, power, error);
    size_t peak = first < n ? first : n - 1;
    for (size_t i = peak; status == NFSAR_OK && i < n; i++) {
        peak = power[i] > power[peak] ? i : peak;
    }
    if (status == NFSAR_OK && !(power[peak] > 0.0)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "the samples are zero: there is nothing to image");
    }
    size_t low = peak, high = peak;
    while (status == NFSAR_OK && low > first && power[low - 1] > GATE_BELOW_PEAK * power[peak]) {
        low--;
    }
    while (status == NFSAR_OK && high + 1 < n && power[high + 1] > GATE_BELOW_PEAK * power[peak]) {
        high++;
    }
    reasons->range_peak = step * (double)peak;
    reasons->range_gate[0] = step * (double)low;
    reasons->range_gate[1] = step * (double)high;
    free(power);
    return status;
}

static double centre_wavelength(const nfsar_capture *capture) {
    double sum = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        sum += capture->frequency_hz[i];
    }
    return NFSAR_SPEED_OF_LIGHT * (double)capture->n_sample / sum;
}

/* lambda R / (2 D), never below what plane waves from all sides resolve. */
static double lateral_resolution(double wavelength, double range, double aperture) {
    double finest = 0.25 * wavelength;
    return aperture > 0.0 ? fmax(finest, 0.5 * wavelength * range / aperture) : range;
}

static nfsar_axis around(double low, double high, double step) {
    double cells = ceil((high - low) / step);
    size_t count = cells > 0.0 ? (size_t)cells + 1 : 1;
    double middle = 0.5 * (low + high);
    return (nfsar_axis){middle - 0.5 * step * (double)(count - 1), step, count};
}

/* As wide as the aperture and half as much more; round a radar that hardly moved, what it resolves,
 * up to 45 degrees aside. A line of positions shows the plane through it. */
static nfsar_axis lateral(double low, double high, double range, double resolution, double finest,
                          double coarse) {
    if (!(high > low)) {
        return (nfsar_axis){low, 1.0, 1};
    }
    double half = fmax(0.75 * (high - low), fmin(4.0 * resolution, range));
    double middle = 0.5 * (low + high);
    double step = fmin(finest, half / 4.0) * LATERAL_STEP;
    return around(middle - half, middle + half, coarse * step);
}

static void lay_parallel(const struct view *view, double wavelength, double cell, double coarse,
                         nfsar_grid_reasons *reasons, nfsar_grid *grid) {
    double range = reasons->range_peak;
    double dx = view->high.x - view->low.x, dy = view->high.y - view->low.y;
    reasons->resolution[0] = lateral_resolution(wavelength, range, dx);
    reasons->resolution[1] = lateral_resolution(wavelength, range, dy);
    reasons->resolution[2] = cell;
    double z = 0.5 * (view->low.z + view->high.z);
    /* Square voxels, as fine as the better axis wants. */
    double finest = fmin(reasons->resolution[0], reasons->resolution[1]);
    grid->x = lateral(view->low.x, view->high.x, range, reasons->resolution[0], finest, coarse);
    grid->y = lateral(view->low.y, view->high.y, range, reasons->resolution[1], finest, coarse);
    double near = fmax(reasons->range_gate[0] - 0.5 * cell, 0.25 * cell);
    grid->z = around(z + near, z + reasons->range_gate[1] + 0.5 * cell, coarse * cell / 6.0);
}

static void lay_converging(const struct view *view, double wavelength, double cell, double coarse,
                           nfsar_grid_reasons *reasons, nfsar_grid *grid) {
    double half =
        fmax(view->distance - reasons->range_gate[0], reasons->range_gate[1] - view->distance);
    half = fmin(fmax(half, cell), view->room);
    /* Looked at from around, both lateral axes of the turning plane see plane waves of all
     * directions; along the axis the height of the aperture decides. */
    reasons->resolution[0] = reasons->resolution[2] = 0.25 * wavelength;
    double dy = view->high.y - view->low.y;
    reasons->resolution[1] = lateral_resolution(wavelength, view->distance, dy);
    nfsar_vec3 m = view->meeting;
    grid->x = around(m.x - half, m.x + half, coarse * LATERAL_STEP * reasons->resolution[0]);
    grid->z = around(m.z - half, m.z + half, coarse * LATERAL_STEP * reasons->resolution[2]);
    grid->y = dy > 0.0 ? around(view->low.y - 0.1 * dy, view->high.y + 0.1 * dy,
                                coarse * LATERAL_STEP * reasons->resolution[1])
                       : (nfsar_axis){view->low.y, 1.0, 1};
}

enum nfsar_status nfsar_grid_suggest(const nfsar_capture *capture, const nfsar_echo_source *source,
                                     const double *range, size_t limit, nfsar_grid *grid,
                                     nfsar_grid_reasons *reasons, nfsar_error *error) {
    nfsar_grid_reasons own = {0};
    struct view view;
    enum nfsar_status status = look(capture, &view, error);
    if (status == NFSAR_OK && range == NULL) {
        status = find_gate(capture, source, &own, error);
    } else if (range != NULL) {
        own.range_gate[0] = range[0];
        own.range_gate[1] = range[1];
        own.range_peak = 0.5 * (range[0] + range[1]);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    double wavelength = centre_wavelength(capture), cell = nfsar_range_resolution(capture);
    cell = isfinite(cell) ? cell : 0.5 * (own.range_gate[1] - own.range_gate[0]);
    own.converging = view.converging;
    /* Widen the spacing until the grid is small enough: 2^(1/3) doubles the volume of a voxel. */
    double coarse = 1.0;
    do {
        if (view.converging) {
            lay_converging(&view, wavelength, cell, coarse, &own, grid);
        } else {
            lay_parallel(&view, wavelength, cell, coarse, &own, grid);
        }
        coarse *= 1.26;
    } while ((double)grid->x.count * (double)grid->y.count * (double)grid->z.count >
                 (double)limit &&
             coarse < 1e6);
    if (reasons != NULL) {
        *reasons = own;
    }
    return nfsar_grid_check(grid, error);
}
