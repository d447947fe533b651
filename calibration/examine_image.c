/* Images of a part of a capture, for checks that look at wavefronts. */
#include <math.h>
#include <stdlib.h>

#include <nfsar/backprojection.h>
#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* The pulses within `reach` of the middle one, thinned out evenly to `most`. */
static size_t pulses_near(const nfsar_capture *capture, double reach, size_t most, size_t *pulse) {
    size_t n = 0, kept = 0;
    const size_t middle = capture->n_pulse / 2;
    nfsar_vec3 centre = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                         capture->time_s[middle], NULL)
                            .position;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        nfsar_vec3 at = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                         capture->time_s[i], NULL)
                            .position;
        if (nfsar_vec3_distance(at, centre) <= reach &&
            (capture->flags[i] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            pulse[n++] = i;
        }
    }
    if (n <= most) {
        return n;
    }
    /* By an irrational number, which is in step with no row. */
    double share = (double)most / (double)n;
    for (size_t i = 0; i < n && kept < most; i++) {
        if (fmod(0.6180339887498949 * (double)i, 1.0) < share) {
            pulse[kept++] = pulse[i];
        }
    }
    return kept;
}

/* What does not move is leakage, or a plate across the aperture, which looks the same at all
 * distances. */
void examine_take_out_constant(nfsar_capture *part) {
    size_t n = part->array.n_channel * part->n_sample;
    for (size_t i = 0; i < n; i++) {
        double complex sum = 0.0;
        for (size_t p = 0; p < part->n_pulse; p++) {
            sum += part->echo[p * n + i];
        }
        float complex mean = (float complex)(sum / (double)part->n_pulse);
        for (size_t p = 0; p < part->n_pulse; p++) {
            part->echo[p * n + i] -= mean;
        }
    }
}

enum nfsar_status examine_near_part(const struct examined *e, double reach, size_t lines,
                                    nfsar_capture *part, nfsar_error *error) {
    const nfsar_capture *capture = e->capture;
    size_t most = lines / capture->array.n_channel + EXAMINE_LEAST_PULSES;
    size_t *pulse = buffer_alloc(capture->n_pulse, sizeof *pulse);
    if (pulse == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses",
                          capture->n_pulse);
    }
    enum nfsar_status status = NFSAR_OK;
    size_t n = pulses_near(capture, reach, most, pulse);
    if (n >= EXAMINE_LEAST_PULSES) {
        status = examine_part(e, pulse, n, part, error);
        if (status == NFSAR_OK) {
            examine_take_out_constant(part);
        }
    }
    free(pulse);
    return status;
}

enum nfsar_status examine_image(const nfsar_capture *part, const nfsar_echo_source *source,
                                const nfsar_grid *grid, int threads, float complex *image,
                                nfsar_error *error) {
    nfsar_bp_options options = nfsar_bp_defaults();
    nfsar_bp_plan *plan = NULL;
    options.threads = threads;
    options.tolerance = 1e-2;
    enum nfsar_status status = nfsar_bp_plan_create(part, grid, &options, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_bp_execute(plan, source, image, NULL, error);
    }
    nfsar_bp_plan_destroy(plan);
    return status;
}

/* Wavefronts of a part of some Fresnel zones are as sharp within a centimetre or so. */
#define DEPTH_STEP 1.2e-2
enum { MOST_SLICES = 40 };

void examine_thin_depths(nfsar_grid *grid, const nfsar_grid_reasons *reasons) {
    nfsar_axis *z = &grid->z;
    if (!reasons->converging && z->count > 1) {
        double length = z->step * (double)(z->count - 1);
        z->count = (size_t)fmin(ceil(length / DEPTH_STEP), MOST_SLICES - 1) + 1;
        z->step = length / (double)(z->count - 1);
    }
}

double examine_sharpness(const float complex *slice, size_t n, double *power) {
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        double re = (double)crealf(slice[i]), im = (double)cimagf(slice[i]);
        sum += re * re + im * im;
        squares += (re * re + im * im) * (re * re + im * im);
    }
    *power = sum;
    return sum > 0.0 ? squares / sum * ((double)n / sum) : 0.0;
}

double examine_wave(const struct examined *e) {
    return NFSAR_SPEED_OF_LIGHT / e->capture->frequency_hz[e->capture->n_sample / 2];
}

double examine_target(const struct examined *e) {
    double far = nfsar_range_unambiguous(e->capture);
    /* Whichever way round ranges are, the target is nearer than half of them, or so. */
    return fmax(fmin(e->peak_m, fabs(far - e->peak_m)), 10.0 * examine_wave(e));
}
