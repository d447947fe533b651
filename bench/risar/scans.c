/* Turntable scans, in the target's frame: the radar goes round. */
#include "bench/risar/risar.h"

#include <math.h>

/* At the middle of the band, 79 GHz, as in the paper. */
#define WAVELENGTH (NFSAR_SPEED_OF_LIGHT / 79e9)

/* 0.36 degrees apart, which holds targets up to 18 cm off the axis; the quick ones up to 3 cm. */
static size_t angles(bool quick) {
    return quick ? 256 : 1000;
}

struct risar_scan risar_scan_mimo(bool quick) {
    return (struct risar_scan){"xwr1443-2tx", angles(quick), quick ? 2 : 64, 2.0 * WAVELENGTH,
                               quick ? 16 : 64};
}

struct risar_scan risar_scan_single(bool quick) {
    return (struct risar_scan){"single", angles(quick), quick ? 16 : 512, 0.25 * WAVELENGTH,
                               quick ? 16 : 64};
}

struct risar_scan risar_scan_circle(bool quick) {
    return (struct risar_scan){"single", angles(quick), 1, WAVELENGTH, quick ? 16 : 64};
}

/* At an angle from +x toward +z, looking at the axis; the body's y stays the world's. */
static nfsar_pose pose_at(double angle, double y) {
    double half = 0.5 * atan2(-cos(angle), -sin(angle));
    return (nfsar_pose){{RISAR_RADIUS * cos(angle), y, RISAR_RADIUS * sin(angle)},
                        {cos(half), 0.0, sin(half), 0.0}};
}

enum nfsar_status risar_scan_make(const struct risar_scan *scan, const struct scatterers *targets,
                                  int threads, nfsar_capture *capture, nfsar_error *error) {
    nfsar_array array;
    nfsar_simulation_options physics = {.spreading = true, .threads = threads};
    size_t n = scan->angles * scan->heights;
    *capture = (nfsar_capture){0};
    enum nfsar_status status = nfsar_array_preset(scan->array, NFSAR_ARRAY_ALONG_Y, &array, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_create(n, scan->n_sample, &array, true, capture, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_stepped_frequencies(77e9, 4e9 / (double)(scan->n_sample - 1),
                                           capture->frequency_hz, scan->n_sample, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        double turn = (double)(i % scan->angles) / (double)scan->angles;
        double height = (double)(i / scan->angles) - 0.5 * (double)(scan->heights - 1);
        capture->pose[i] = pose_at(2.0 * NFSAR_PI * turn, scan->step * height);
    }
    if (status == NFSAR_OK) {
        status = nfsar_simulate(capture, targets->item, targets->n, &physics, 0, n, capture->echo,
                                NULL, error);
    }
    if (status != NFSAR_OK) {
        nfsar_capture_free(capture);
    }
    return status;
}
