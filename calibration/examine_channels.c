/* Do the channels fit each other? Each makes an image of its own of the same pulses. Where the
 * target is they are in phase, whatever it looks like, if gains, delays and places of the antennas
 * are those in the file. Powers show no phases: a bright place is looked for in the sum of powers.
 */
#include <math.h>
#include <stdlib.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "algorithms/sort.h"
#include "calibration/examine.h"

/* Pulses times channels, the part's radius in Fresnel zones (as elsewhere), voxels times channels.
 */
enum {
    MOST_LINES = 1200,
    MOST_VOXELS = 12000,
    LEAST_CHANNELS_BEAM = 6,
    BEAMS = 81,
    MOST_CHANNELS = 256
};
#define ZONES        1.5
#define MOST_NUMBERS ((size_t)4 << 20)

/* A place counts when its power is at least half of the brightest's, and that of most channels this
 * much over the median of their image. */
#define CANDIDATE 0.5
#define CLEAR     10.0
/* So much of the power that they would have in phase tells that they are not, or that they are in
 * phase after all, but with a phase that grows along the array. */
#define IN_PHASE 0.5
#define BEAM     0.8
/* One bright place has nearly all of it: less says that some are not as they should be. */
#define WELL_IN_PHASE 0.8

struct views {
    const nfsar_capture *part;
    nfsar_grid grid;
    size_t n_channel, n_voxel;
    float complex *image; /* [n_channel][n_voxel] */
    float *power;         /* [n_voxel] of all channels */
    double *floor;        /* [n_channel] median power */
    double *sorted;       /* [n_voxel] */
};

static void views_free(struct views *views) {
    free(views->image);
    free(views->power);
    free(views->floor);
    free(views->sorted);
}

static enum nfsar_status views_make(const struct examined *e, struct views *v, nfsar_error *error) {
    size_t n = v->n_voxel;
    v->image = buffer_alloc(v->n_channel * n, sizeof *v->image);
    v->power = buffer_zeros(n, sizeof *v->power);
    v->floor = buffer_alloc(v->n_channel, sizeof *v->floor);
    v->sorted = buffer_alloc(n, sizeof *v->sorted);
    if (v->image == NULL || v->power == NULL || v->floor == NULL || v->sorted == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu images", v->n_channel);
    }
    for (size_t c = 0; c < v->n_channel; c++) {
        struct channel_view view;
        float complex *image = v->image + c * n;
        examine_channel(v->part, c, &view);
        enum nfsar_status status =
            examine_image(&view.view, &view.source, &v->grid, e->options.threads, image, error);
        if (status != NFSAR_OK) {
            return status;
        }
        for (size_t i = 0; i < n; i++) {
            float power = crealf(image[i]) * crealf(image[i]) + cimagf(image[i]) * cimagf(image[i]);
            v->power[i] += power;
            v->sorted[i] = (double)power;
        }
        v->floor[c] = sort_median(v->sorted, n);
    }
    return NFSAR_OK;
}

/* Whether most channels stand out there. */
static bool is_clear(const struct views *v, size_t voxel) {
    size_t clear = 0;
    for (size_t c = 0; c < v->n_channel; c++) {
        double size = (double)cabsf(v->image[c * v->n_voxel + voxel]);
        clear += size * size > CLEAR * v->floor[c];
    }
    return clear >= 2 && 2 * clear > v->n_channel;
}

/* How much of the power that the channels would have in phase they have there, each turned back by
 * 2 k times its place along u, in the array's own frame. */
static double share(const struct views *v, size_t voxel, double k, double ux, double uy) {
    const nfsar_array *array = &v->part->array;
    double complex sum = 0.0;
    double sizes = 0.0;
    for (size_t c = 0; c < v->n_channel; c++) {
        nfsar_vec3 tx = array->tx_m[array->channel[c].tx], rx = array->rx_m[array->channel[c].rx];
        double complex value = (double complex)v->image[c * v->n_voxel + voxel];
        sum += value * cexp(-I * k * ((tx.x + rx.x) * ux + (tx.y + rx.y) * uy));
        sizes += cabs(value);
    }
    double in_phase = cabs(sum) / fmax(sizes, 1e-300);
    return in_phase * in_phase;
}

/* Phases that grow along the array are those of a target aside, which the image may show elsewhere
 * or not at all: the best direction. Few channels fit some direction by chance. */
static double best_beam(const struct views *v, size_t voxel, double k) {
    double best = 0.0;
    for (int i = 0; i < BEAMS && v->n_channel >= LEAST_CHANNELS_BEAM; i++) {
        for (int j = 0; j < BEAMS; j++) {
            double ux = 2.0 * i / (BEAMS - 1) - 1.0, uy = 2.0 * j / (BEAMS - 1) - 1.0;
            best = fmax(best, share(v, voxel, k, ux, uy));
        }
    }
    return best;
}

static size_t brightest_of(const struct views *v) {
    size_t brightest = 0;
    for (size_t i = 1; i < v->n_voxel; i++) {
        brightest = v->power[i] > v->power[brightest] ? i : brightest;
    }
    return brightest;
}

static void tell(struct examined *e, const struct views *v) {
    double k = 2.0 * NFSAR_PI / examine_wave(e), best = -1.0;
    size_t brightest = brightest_of(v);
    for (size_t i = 0; i < v->n_voxel; i++) {
        if ((double)v->power[i] >= CANDIDATE * (double)v->power[brightest] && is_clear(v, i)) {
            double here = share(v, i, k, 0.0, 0.0);
            best = fmax(best, here);
        }
    }
    if (best < 0.0) {
        examine_unknown(e, "fit", NULL,
                        "no place is bright enough in single channels to compare their phases");
    } else if (best >= IN_PHASE && best < WELL_IN_PHASE) {
        examine_unknown(e, "fit",
                        "see that antennas and channels are where the file says; a corner "
                        "reflector tells more: nfsar calibrate --channels (docs/calibrate.md)",
                        "%zu channels add up to %.0f %% where the target is, not to nearly all: "
                        "some may be out of phase or in the place of another",
                        v->n_channel, 100.0 * best);
    } else if (best >= IN_PHASE) {
        examine_ok(e, "fit", "%zu channels add up to %.0f %% where the target is", v->n_channel,
                   100.0 * best);
    } else if (best_beam(v, brightest, k) >= BEAM) {
        examine_ok(e, "fit",
                   "phases of %zu channels grow evenly along the array, as those of a target aside",
                   v->n_channel);
    } else {
        bool known = e->capture->calibration.channel_gain != NULL ||
                     e->capture->calibration.channel_delay_s != NULL;
        examine_wrong(e, "fit", NFSAR_FAULT_CHANNELS_UNCALIBRATED, NFSAR_DOCTOR_LIKELY,
                      known ? "the calibration in the file is of another radar or another start of "
                              "it: nfsar calibrate --channels with a corner reflector, then "
                              "--table (docs/calibrate.md)"
                            : "record a corner reflector: nfsar calibrate --channels, and --table "
                              "for this capture (docs/calibrate.md); or the array in the file is "
                              "not the radar's",
                      "channels are not in phase: they add up to %.0f %% of the power that they "
                      "have where the target is%s",
                      100.0 * best, known ? ", with the calibration in the file" : "");
    }
}

enum nfsar_status examine_channels(struct examined *e, nfsar_error *error) {
    size_t n_channel = e->capture->array.n_channel;
    if (n_channel < 2) {
        return NFSAR_OK;
    }
    if (n_channel > MOST_CHANNELS) {
        examine_unknown(e, "fit",
                        "import some of the channels into a capture of its own to have them "
                        "compared",
                        "%zu channels are more than are compared with each other (%d)", n_channel,
                        (int)MOST_CHANNELS);
        return NFSAR_OK;
    }
    bool other = false;
    enum nfsar_status status = examine_order(e, &other, error);
    if (status != NFSAR_OK || other) {
        return status;
    }
    nfsar_capture part = {0};
    double reach = ZONES * sqrt(examine_wave(e) * examine_target(e));
    status = examine_near_part(e, reach, MOST_LINES, &part, error);
    struct views views = {.part = &part, .n_channel = n_channel};
    size_t most = MOST_NUMBERS / n_channel < MOST_VOXELS ? MOST_NUMBERS / n_channel : MOST_VOXELS;
    if (status == NFSAR_OK && part.echo != NULL) {
        const nfsar_echo_source source = nfsar_capture_source(&part);
        nfsar_grid_reasons reasons;
        if (nfsar_grid_suggest(&part, &source, NULL, most, &views.grid, &reasons, NULL) ==
            NFSAR_OK) {
            examine_thin_depths(&views.grid, &reasons);
            views.n_voxel = nfsar_grid_voxels(&views.grid);
            status = views_make(e, &views, error);
            if (status == NFSAR_OK) {
                tell(e, &views);
            }
        }
    }
    views_free(&views);
    nfsar_capture_free(&part);
    return status;
}
