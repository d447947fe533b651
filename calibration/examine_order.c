/* Are the channels those that the file says? Each channel's samples are imaged as they are and as
 * if they were another's: where another order makes a far brighter and sharper sum, it is the order
 * in which they were recorded. Gains and delays of a calibration go with the place in the order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/calibration.h>
#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* Channels of which any two may have been exchanged: more have too many pairs. */
enum { MOST_EXCHANGED = 12, MOST_LINES = 3200, MOST_VOXELS = 12000, WINDOW = 34 };
/* The part's radius in Fresnel zones: channels a few wavelengths apart are told from each other by
 * images that are about as sharp. */
#define ZONES 3.0
/* So much brighter and sharper at once, in sum |o|^4: orders of points and plates that are right
 * are the best by more than this, and those that are wrong fall behind by more. */
#define BETTER 1.3
/* And in phase where it is brightest: some order fits random phases better than others, none well.
 */
#define IN_PHASE 0.8

struct orders {
    struct examined *e;
    const nfsar_capture *part; /* as recorded */
    nfsar_grid slice;
    size_t n, n_voxel;
    float complex **image; /* [n][n] NULL until it is needed; samples of one as those of another */
    float complex *sum;    /* [n_voxel] */
};

static enum nfsar_status image_as(struct orders *o, size_t samples, size_t as, nfsar_error *error) {
    struct channel_view view;
    const nfsar_calibration *known = &o->e->capture->calibration;
    float complex **image = &o->image[samples * o->n + as];
    if (*image != NULL) {
        return NFSAR_OK;
    }
    *image = buffer_alloc(o->n_voxel, sizeof **image);
    if (*image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", o->n_voxel);
    }
    examine_channel(o->part, as, &view);
    view.channel = samples;
    view.view.calibration = (nfsar_calibration){0}; /* the background is out */
    if (known->channel_gain != NULL) {
        view.view.calibration.channel_gain = known->channel_gain + as;
    }
    if (known->channel_delay_s != NULL) {
        view.view.calibration.channel_delay_s = known->channel_delay_s + as;
    }
    nfsar_calibrated_source calibrated = {&view.view, view.source, NULL};
    const nfsar_echo_source source = nfsar_calibrated(&calibrated);
    enum nfsar_status status =
        examine_image(&view.view, &source, &o->slice, o->e->options.threads, *image, error);
    nfsar_calibrated_free(&calibrated);
    return status;
}

/* Of the brightest voxel of the sum the share of the power that it had with all in phase. */
static double in_phase(const struct orders *o, const size_t *order) {
    size_t peak = 0;
    double sizes = 0.0;
    for (size_t i = 1; i < o->n_voxel; i++) {
        peak = cabsf(o->sum[i]) > cabsf(o->sum[peak]) ? i : peak;
    }
    for (size_t c = 0; c < o->n; c++) {
        sizes += (double)cabsf(o->image[c * o->n + order[c]][peak]);
    }
    return pow((double)cabsf(o->sum[peak]) / fmax(sizes, 1e-300), 2.0);
}

/* sum |o|^4 of the sum of all channels, order[c] being whose samples channel c of the file has. */
static enum nfsar_status try_order(struct orders *o, const size_t *order, double *good,
                                   nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    memset(o->sum, 0, o->n_voxel * sizeof *o->sum);
    for (size_t c = 0; status == NFSAR_OK && c < o->n; c++) {
        status = image_as(o, c, order[c], error);
        const float complex *image = o->image[c * o->n + order[c]];
        for (size_t i = 0; status == NFSAR_OK && i < o->n_voxel; i++) {
            o->sum[i] += image[i];
        }
    }
    double power = 0.0;
    *good = examine_sharpness(o->sum, o->n_voxel, &power) * power * power;
    return status;
}

/* ---- orders that happen ---------------------------------------------------------------------- */

/* All the other way round; each transmitter's receivers, or each receiver's transmitters, the other
 * way round; both counted in the other order, that and these. */
enum { REVERSED_RX = 1, REVERSED_TX = 2, TRANSPOSED = 4, WAYS = 8 };

static const char *const way_name[WAYS] = {
    "",
    "with the receivers in reverse order",
    "with the transmitters in reverse order",
    "with all of them in reverse order",
    "with transmitters running fastest instead of receivers",
    "with transmitters running fastest, and receivers in reverse order",
    "with transmitters running fastest, and these in reverse order",
    "with transmitters running fastest, and all in reverse order",
};

/* For channels in rows of n_fast, one row for each of the slower antenna. */
static void make_order(size_t n, size_t n_fast, unsigned way, size_t *order) {
    size_t n_slow = n / n_fast;
    for (size_t c = 0; c < n; c++) {
        size_t fast = c % n_fast, slow = c / n_fast;
        if ((way & TRANSPOSED) != 0) {
            fast = c / n_slow;
            slow = c % n_slow;
        }
        fast = (way & REVERSED_RX) != 0 ? n_fast - 1 - fast : fast;
        slow = (way & REVERSED_TX) != 0 ? n_slow - 1 - slow : slow;
        order[c] = slow * n_fast + fast;
    }
}

/* How many channels at the beginning share a transmitter; 1 where rows are not all like that. */
static size_t row_length(const nfsar_array *array) {
    size_t n = array->n_channel, row = 1;
    while (row < n && array->channel[row].tx == array->channel[0].tx) {
        row++;
    }
    for (size_t c = 0; c < n && n % row == 0; c++) {
        if (array->channel[c].tx != array->channel[c / row * row].tx) {
            return n;
        }
    }
    return n % row == 0 ? row : n;
}

struct best {
    double good, in_phase;
    char what[120];
};

static enum nfsar_status try_ways(struct orders *o, size_t *order, struct best *best,
                                  nfsar_error *error) {
    size_t row = row_length(&o->part->array);
    enum nfsar_status status = NFSAR_OK;
    for (unsigned way = 1; status == NFSAR_OK && way < WAYS; way++) {
        bool rows = row > 1 && row < o->n;
        if (!rows && way != REVERSED_RX) { /* a single row */
            continue;
        }
        double good = 0.0;
        make_order(o->n, rows ? row : o->n, way, order);
        status = try_order(o, order, &good, error);
        if (status == NFSAR_OK && good > best->good) {
            best->good = good;
            best->in_phase = in_phase(o, order);
            snprintf(best->what, sizeof best->what, "%s",
                     way_name[rows ? way : REVERSED_RX | REVERSED_TX]);
        }
    }
    return status;
}

static enum nfsar_status try_pairs(struct orders *o, size_t *order, struct best *best,
                                   nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t a = 0; status == NFSAR_OK && a < o->n && o->n <= MOST_EXCHANGED; a++) {
        for (size_t b = a + 1; status == NFSAR_OK && b < o->n; b++) {
            double good = 0.0;
            make_order(o->n, o->n, 0, order);
            order[a] = b;
            order[b] = a;
            status = try_order(o, order, &good, error);
            if (status == NFSAR_OK && good > best->good) {
                best->good = good;
                best->in_phase = in_phase(o, order);
                snprintf(best->what, sizeof best->what, "with channels %zu and %zu exchanged", a,
                         b);
            }
        }
    }
    return status;
}

static enum nfsar_status compare(struct orders *o, size_t *order, bool *other, nfsar_error *error) {
    struct best best = {0};
    double now = 0.0;
    make_order(o->n, o->n, 0, order);
    enum nfsar_status status = try_order(o, order, &now, error);
    if (status == NFSAR_OK) {
        status = try_ways(o, order, &best, error);
    }
    if (status == NFSAR_OK) {
        status = try_pairs(o, order, &best, error);
    }
    *other = status == NFSAR_OK && best.good > BETTER * now && best.in_phase >= IN_PHASE;
    if (*other) {
        examine_wrong(o->e, "fit", NFSAR_FAULT_CHANNELS_ORDER, NFSAR_DOCTOR_LIKELY,
                      "import again with the channels in that order (tx: and rx: of the rig file, "
                      "docs/import.md), or put the array's antennas right",
                      "channels are in another order than the file says: %s they add up to %.0f %% "
                      "where the target is, and the image is %.1f times as sharp",
                      best.what, 100.0 * best.in_phase, best.good / fmax(now, 1e-300));
    }
    return status;
}

/* A window about a place, in steps of half of what a part of that radius resolves. A suggested grid
 * is too coarse for so few voxels: between two of them anything may be missed. */
static void narrow(nfsar_axis *axis, size_t at, double step) {
    if (axis->count > 1) {
        axis->start += (double)at * axis->step - 0.5 * (WINDOW - 1) * step;
        axis->step = step;
        axis->count = WINDOW;
    }
}

/* Where the target is, in the sum of all channels' powers, which knows no phases; false where that
 * is not told. */
static enum nfsar_status find_slice(struct orders *o, double reach, bool *found,
                                    nfsar_error *error) {
    nfsar_capture part = {0};
    nfsar_grid_reasons reasons;
    *found = false;
    enum nfsar_status status = examine_near_part(o->e, reach, MOST_LINES, &part, error);
    const nfsar_echo_source source = nfsar_capture_source(&part);
    if (status != NFSAR_OK || part.echo == NULL ||
        nfsar_grid_suggest(&part, &source, NULL, MOST_VOXELS, &o->slice, &reasons, NULL) !=
            NFSAR_OK) {
        nfsar_capture_free(&part);
        return status;
    }
    examine_thin_depths(&o->slice, &reasons);
    size_t n = nfsar_grid_voxels(&o->slice), best = 0;
    float complex *image = buffer_alloc(n, sizeof *image);
    float *power = buffer_zeros(n, sizeof *power);
    if (image == NULL || power == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", n);
    }
    for (size_t c = 0; status == NFSAR_OK && c < o->n; c++) {
        struct channel_view view;
        examine_channel(&part, c, &view);
        status =
            examine_image(&view.view, &view.source, &o->slice, o->e->options.threads, image, error);
        for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
            power[i] += crealf(image[i]) * crealf(image[i]) + cimagf(image[i]) * cimagf(image[i]);
        }
    }
    if (status == NFSAR_OK) {
        for (size_t i = 1; i < n; i++) {
            best = power[i] > power[best] ? i : best;
        }
        size_t nx = o->slice.x.count, ny = o->slice.y.count;
        o->slice.z.start += (double)(best / (nx * ny)) * o->slice.z.step;
        o->slice.z.count = 1;
        double step = 0.25 * examine_wave(o->e) * hypot(examine_target(o->e), reach) / reach;
        narrow(&o->slice.x, best % nx, step);
        narrow(&o->slice.y, best / nx % ny, step);
        o->n_voxel = nfsar_grid_voxels(&o->slice);
        *found = true;
    }
    free(image);
    free(power);
    nfsar_capture_free(&part);
    return status;
}

static enum nfsar_status try_orders(struct orders *o, bool *other, nfsar_error *error) {
    size_t n = o->n;
    o->image = buffer_zeros(n * n, sizeof(float complex *));
    o->sum = buffer_alloc(o->n_voxel, sizeof *o->sum);
    size_t *order = buffer_alloc(n, sizeof *order);
    enum nfsar_status status =
        o->image != NULL && o->sum != NULL && order != NULL
            ? compare(o, order, other, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu images", n);
    for (size_t i = 0; o->image != NULL && i < n * n; i++) {
        free(o->image[i]);
    }
    free(o->image);
    free(o->sum);
    free(order);
    return status;
}

enum nfsar_status examine_order(struct examined *e, bool *other, nfsar_error *error) {
    double reach = ZONES * sqrt(examine_wave(e) * examine_target(e));
    nfsar_capture part = {0};
    struct orders o = {.e = e, .part = &part, .n = e->capture->array.n_channel};
    struct examined recorded = *e;
    bool found = false;
    recorded.calibrated = e->raw;
    *other = false;
    enum nfsar_status status = find_slice(&o, reach, &found, error);
    if (status == NFSAR_OK && found) {
        status = examine_near_part(&recorded, reach, MOST_LINES, &part, error);
    }
    if (status == NFSAR_OK && found && part.echo != NULL) {
        status = try_orders(&o, other, error);
    }
    nfsar_capture_free(&part);
    return status;
}
