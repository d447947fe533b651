#include "calibration/path_rows.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "algorithms/buffer.h"

/* A row has so many pulses at least, and a scan so many rows. */
enum { LEAST_PULSES = 8, LEAST_ROWS = 4 };

/* Poses leave plane and rows by less than this part of a wavelength, and array and poses
 * disagree by less from pulse to pulse. */
#define FLAT (1.0 / 8.0)
/* Pulses in no row: turning points. */
#define MOST_ASTRAY 0.1

static enum nfsar_status no_rows(nfsar_error *error, const char *why) {
    return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                      "no planar scan in rows: %s; --path is for raster and serpentine scans of a "
                      "plane z = const",
                      why);
}

/* ---- positions ------------------------------------------------------------------------------ */

/* The plane, its middle, and which way rows run: where most of the way is made. */
static enum nfsar_status place(const nfsar_capture *capture, const nfsar_vec3 *at, double wave,
                               nfsar_path *path, nfsar_error *error) {
    nfsar_vec3 low = at[0], high = at[0], way = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < capture->n_pulse; i++) {
        low = nfsar_vec3_min(low, at[i]);
        high = nfsar_vec3_max(high, at[i]);
        if (i > 0) {
            way.x += fabs(at[i].x - at[i - 1].x);
            way.y += fabs(at[i].y - at[i - 1].y);
        }
    }
    if (high.z - low.z > FLAT * wave) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "no planar scan in rows: poses differ by %.3g mm along z; --path is for "
                          "raster and serpentine scans of a plane z = const",
                          1e3 * (high.z - low.z));
    }
    path->centre = nfsar_vec3_midpoint(low, high);
    path->along_x = way.x >= way.y;
    return NFSAR_OK;
}

static enum nfsar_status add_row(nfsar_path *path, size_t *room, nfsar_path_row row,
                                 nfsar_error *error) {
    if (path->rows == *room) {
        *room = 2 * *room + 64;
        nfsar_path_row *more = realloc(path->row, *room * sizeof *more);
        if (more == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
        path->row = more;
    }
    path->row[path->rows++] = row;
    return NFSAR_OK;
}

/* Whether pulses from first on, end not included, run one way along a line. */
static bool is_row(const double *along, size_t first, size_t end, nfsar_path_row *row) {
    if (end - first < LEAST_PULSES) {
        return false;
    }
    double way = 0.0, low = along[first], high = along[first];
    for (size_t i = first + 1; i < end; i++) {
        way += fabs(along[i] - along[i - 1]);
        low = fmin(low, along[i]);
        high = fmax(high, along[i]);
    }
    double net = along[end - 1] - along[first];
    row->first = first;
    row->count = end - first;
    row->middle_m = 0.5 * (low + high);
    row->direction = net < 0.0 ? -1.0 : 1.0;
    return way > 0.0 && fabs(net) > 0.95 * way;
}

/* Pulses at one place across the rows, one after the other, that run one way. */
static enum nfsar_status find_rows(const nfsar_capture *capture, const double *across, double wave,
                                   struct path_scan *scan, nfsar_path *path, nfsar_error *error) {
    size_t n = capture->n_pulse, room = 0, inside = 0;
    enum nfsar_status status = NFSAR_OK;
    for (size_t first = 0, end; status == NFSAR_OK && first < n; first = end) {
        double sum = 0.0;
        for (end = first; end < n && fabs(across[end] - across[first]) < FLAT * wave; end++) {
            sum += across[end];
            /* Serpentines may turn on the spot: the row ends where the way turns back. */
            if (end > first + 1 && (scan->along[end] - scan->along[end - 1]) *
                                           (scan->along[end - 1] - scan->along[end - 2]) <
                                       0.0) {
                sum -= across[end];
                break;
            }
        }
        nfsar_path_row row = {.across_m = sum / (double)(end - first),
                              .from_s = capture->time_s[first],
                              .to_s = capture->time_s[end - 1]};
        if (is_row(scan->along, first, end, &row)) {
            for (size_t i = first; i < end; i++) {
                scan->row_of[i] = path->rows;
            }
            inside += row.count;
            status = add_row(path, &room, row, error);
        }
    }
    if (status != NFSAR_OK) {
        return status;
    }
    if (path->rows == 0 || (double)inside < (1.0 - MOST_ASTRAY) * (double)n) {
        return no_rows(error, "pulses do not follow each other along straight rows");
    }
    if (path->rows < LEAST_ROWS) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "%zu row%s: too few to tell what is wrong between rows; record %d at "
                          "least",
                          path->rows, path->rows == 1 ? "" : "s", LEAST_ROWS);
    }
    return NFSAR_OK;
}

static void sum_up(const struct path_scan *scan, nfsar_path *path) {
    double steps = 0.0;
    for (size_t r = 0; r < path->rows; r++) {
        const nfsar_path_row *row = &path->row[r];
        double length = fabs(scan->along[row->first + row->count - 1] - scan->along[row->first]);
        path->length_m += length / (double)path->rows;
        path->seconds_per_row += (row->to_s - row->from_s) / (double)path->rows;
        steps += (double)(row->count - 1) / (double)path->rows;
        path->both_ways = path->both_ways || row->direction != path->row[0].direction;
    }
    path->fast_step_m = path->length_m / steps;
    path->slow_step_m =
        fabs(path->row[path->rows - 1].across_m - path->row[0].across_m) / (double)(path->rows - 1);
}

/* ---- channels ------------------------------------------------------------------------------- */

/* Where channels are beside the poses: the mean over the scan, and all pulses near that. */
static enum nfsar_status find_channels(const nfsar_capture *capture, const nfsar_vec3 *at,
                                       double wave, struct path_scan *scan, const nfsar_path *path,
                                       nfsar_error *error) {
    enum { SOME = 64 };
    const size_t n = capture->array.n_channel;
    const size_t every = capture->n_pulse / SOME + 1;
    nfsar_vec3 *tx = malloc(n * sizeof *tx), *rx = malloc(n * sizeof *rx);
    enum nfsar_status status = tx != NULL && rx != NULL
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0, looked = 0; status == NFSAR_OK && i < capture->n_pulse; i += every) {
        status = nfsar_capture_antennas(capture, false, i, 1, tx, rx, error);
        looked++;
        for (size_t c = 0; status == NFSAR_OK && c < n; c++) {
            double along, across;
            struct path_channel *channel = &scan->channel[c];
            nfsar_vec3 off = nfsar_vec3_subtract(nfsar_vec3_midpoint(tx[c], rx[c]), at[i]);
            path_split(path, off, &along, &across);
            if (i > 0 &&
                hypot(along - channel->along, across - channel->across) > 2.0 * FLAT * wave) {
                status = no_rows(error, "the array turns on its way");
            }
            double part = 1.0 / (double)looked, d = nfsar_vec3_distance(tx[c], rx[c]);
            channel->along += part * (along - channel->along);
            channel->across += part * (across - channel->across);
            channel->apart = d * d;
        }
    }
    for (size_t c = 0; c < n; c++) {
        low[0] = fmin(low[0], scan->channel[c].along);
        high[0] = fmax(high[0], scan->channel[c].along);
        low[1] = fmin(low[1], scan->channel[c].across);
        high[1] = fmax(high[1], scan->channel[c].across);
    }
    scan->channels_along = high[0] - low[0];
    scan->channels_across = high[1] - low[1];
    free(tx);
    free(rx);
    return status;
}

enum nfsar_status path_scan_make(const nfsar_capture *capture, struct path_scan *scan,
                                 nfsar_path *path, nfsar_error *error) {
    const size_t n = capture->n_pulse;
    double wave = NFSAR_SPEED_OF_LIGHT / capture->frequency_hz[capture->n_sample / 2];
    *scan = (struct path_scan){.along = buffer_alloc(n, sizeof *scan->along),
                               .row_of = buffer_alloc(n, sizeof *scan->row_of),
                               .channel = calloc(capture->array.n_channel, sizeof *scan->channel)};
    nfsar_vec3 *at = buffer_alloc(n, sizeof *at);
    double *across = buffer_alloc(n, sizeof *across);
    enum nfsar_status status = NFSAR_OK;
    if (at == NULL || across == NULL || scan->along == NULL || scan->row_of == NULL ||
        scan->channel == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions", n);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        at[i] = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                 capture->time_s[i], NULL)
                    .position;
        scan->row_of[i] = SIZE_MAX;
    }
    if (status == NFSAR_OK) {
        status = place(capture, at, wave, path, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        path_split(path, nfsar_vec3_subtract(at[i], path->centre), &scan->along[i], &across[i]);
        scan->extent[0] = fmax(scan->extent[0], 2.0 * fabs(scan->along[i]));
        scan->extent[1] = fmax(scan->extent[1], 2.0 * fabs(across[i]));
    }
    if (status == NFSAR_OK) {
        status = find_rows(capture, across, wave, scan, path, error);
    }
    if (status == NFSAR_OK) {
        sum_up(scan, path);
        status = find_channels(capture, at, wave, scan, path, error);
    }
    free(at);
    free(across);
    path->channels_along = scan->channels_along > FLAT * wave;
    return status;
}

void path_scan_free(struct path_scan *scan) {
    free(scan->along);
    free(scan->row_of);
    free(scan->channel);
    *scan = (struct path_scan){0};
}
