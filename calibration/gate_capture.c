/* A capture through a range gate, and what has to be in it. */
#include <nfsar/gate.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/sort.h"
#include "calibration/examine.h"

/* Recorded samples in memory at a time. Smaller pieces would stay in the cache, but waiting for the
 * other threads after each costs more (tried: 8 MiB). */
#define BLOCK_BYTES ((size_t)32 << 20)

/* A block after the other: to its place in `all`, or through memory of one block to take(). */
static enum nfsar_status run(const nfsar_gate *gate, const nfsar_capture *capture,
                             const nfsar_echo_source *source, float complex *all,
                             nfsar_gate_take *take, void *context, const nfsar_progress *progress,
                             nfsar_error *error) {
    const size_t lines = capture->array.n_channel, pulse = lines * capture->n_sample;
    const size_t gated = lines * nfsar_gate_samples(gate);
    size_t block = BLOCK_BYTES / (pulse * sizeof(float complex));
    block = block < 1 ? 1 : block < capture->n_pulse ? block : capture->n_pulse;
    float complex *samples = malloc(block * pulse * sizeof *samples);
    float complex *part = all == NULL ? malloc(block * gated * sizeof *part) : NULL;
    enum nfsar_status status =
        samples != NULL && (all != NULL || part != NULL)
            ? NFSAR_OK
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a range gate");
    for (size_t first = 0; status == NFSAR_OK && first < capture->n_pulse; first += block) {
        size_t left = capture->n_pulse - first, n = left < block ? left : block;
        float complex *out = all != NULL ? all + first * gated : part;
        status = source->read(source->context, first, n, 0, capture->n_sample, samples, error);
        if (status == NFSAR_OK) {
            status = nfsar_gate_lines(gate, n * lines, samples, out, error);
        }
        if (status == NFSAR_OK && take != NULL) {
            status = take(context, first, n, out, error);
        }
        if (status == NFSAR_OK &&
            !nfsar_progress_report(progress, (double)(first + n) / (double)capture->n_pulse)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
    }
    free(samples);
    free(part);
    return status;
}

enum nfsar_status nfsar_gate_read(const nfsar_gate *gate, const nfsar_capture *capture,
                                  const nfsar_echo_source *source, float complex *out,
                                  const nfsar_progress *progress, nfsar_error *error) {
    return run(gate, capture, source, out, NULL, NULL, progress, error);
}

enum nfsar_status nfsar_gate_stream(const nfsar_gate *gate, const nfsar_capture *capture,
                                    const nfsar_echo_source *source, nfsar_gate_take *take,
                                    void *context, const nfsar_progress *progress,
                                    nfsar_error *error) {
    return run(gate, capture, source, NULL, take, context, progress, error);
}

/* ---- what a grid needs ---------------------------------------------------------------------- */

struct box {
    nfsar_vec3 low, high;
};

static double beyond(double at, double low, double high) {
    return at < low ? low - at : at > high ? at - high : 0.0;
}

static double nearest(const struct box *box, nfsar_vec3 p) {
    return nfsar_vec3_distance((nfsar_vec3){0.0, 0.0, 0.0},
                               (nfsar_vec3){beyond(p.x, box->low.x, box->high.x),
                                            beyond(p.y, box->low.y, box->high.y),
                                            beyond(p.z, box->low.z, box->high.z)});
}

static double farthest(const struct box *box, nfsar_vec3 p) {
    return nfsar_vec3_distance((nfsar_vec3){0.0, 0.0, 0.0},
                               (nfsar_vec3){fmax(fabs(p.x - box->low.x), fabs(p.x - box->high.x)),
                                            fmax(fabs(p.y - box->low.y), fabs(p.y - box->high.y)),
                                            fmax(fabs(p.z - box->low.z), fabs(p.z - box->high.z))});
}

enum nfsar_status nfsar_gate_of_grid(const nfsar_capture *capture, const nfsar_grid *grid,
                                     double range_m[2], nfsar_error *error) {
    const struct box box = {
        {grid->x.start, grid->y.start, grid->z.start},
        {nfsar_axis_end(&grid->x), nfsar_axis_end(&grid->y), nfsar_axis_end(&grid->z)}};
    size_t n_channel = capture->array.n_channel;
    nfsar_vec3 *tx = malloc(n_channel * sizeof *tx), *rx = malloc(n_channel * sizeof *rx);
    enum nfsar_status status = tx != NULL && rx != NULL
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    range_m[0] = INFINITY;
    range_m[1] = 0.0;
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p++) {
        status = nfsar_capture_antennas(capture, false, p, 1, tx, rx, error);
        for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
            range_m[0] = fmin(range_m[0], 0.5 * (nearest(&box, tx[c]) + nearest(&box, rx[c])));
            range_m[1] = fmax(range_m[1], 0.5 * (farthest(&box, tx[c]) + farthest(&box, rx[c])));
        }
    }
    free(tx);
    free(rx);
    return status;
}

/* ---- what is in a gate ---------------------------------------------------------------------- */

enum nfsar_status nfsar_gate_look(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  const double range_m[2], nfsar_gate_content *content,
                                  nfsar_error *error) {
    double cell = nfsar_range_resolution(capture), step = 0.5 * cell;
    const double *had = capture->gated.range_m;
    double last = had[1] > 0.0 ? had[1] : nfsar_range_unambiguous(capture);
    if (!isfinite(cell)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "a single frequency tells no range: there is nothing to gate");
    }
    size_t n = (size_t)(last / step) + 1, first = (size_t)ceil(had[0] / step);
    double *power = calloc(2 * n, sizeof *power), *sorted = power + n;
    if (power == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = nfsar_range_profile(capture, source, step, n, power, error);
    double all = 0.0, inside = 0.0, most = 0.0;
    *content = (nfsar_gate_content){.power = 0.0};
    for (size_t i = first; status == NFSAR_OK && i < n; i++) {
        double at = (double)i * step;
        bool is_in = at >= range_m[0] - step && at <= range_m[1] + step;
        all += power[i];
        inside += is_in ? power[i] : 0.0;
        if (power[i] > most) {
            most = power[i];
            content->elsewhere_m = at;
        }
        if (is_in && power[i] > content->power) {
            content->power = power[i];
            content->strongest_m = at;
        }
    }
    if (status == NFSAR_OK && !(all > 0.0)) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT, "the samples are zero: there is nothing to gate");
    }
    if (status == NFSAR_OK) {
        memcpy(sorted, power, n * sizeof *sorted);
        content->noise = sort_median(sorted + first, n - first);
        content->part = inside / all;
    }
    free(power);
    return status;
}
