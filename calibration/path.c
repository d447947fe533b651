#include <nfsar/path.h>

#include <math.h>
#include <stdlib.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "algorithms/sort.h"
#include "calibration/path_search.h"

/* Directions of rows are others than the poses' only where the image gets so much sharper. */
#define TURNED_GAIN 1.2
/* Neighbouring rows that correlate so well are alike, and so much better one way than the other
 * leave no doubt about it. */
#define SIMILAR   0.6
#define DIFFERENT 0.3
/* An echo stands so far out of the median of the range profile (11 dB). */
#define LEAST_CONTRAST 12.6
/* What a range is taken to be known to, with and without channels' delays, metres. */
#define CALIBRATED 3e-3
#define RULER      30e-3
/* Within so many standard deviations of the poses, these are left alone. */
#define SURE 2.0

nfsar_path_options nfsar_path_defaults(void) {
    return (nfsar_path_options){.search = 0.1, .search_skew = 0.1, .search_offset_m = 5e-3};
}

static enum nfsar_status check(const nfsar_path_options *o, nfsar_error *error) {
    if (!(o->search >= 0.0 && o->search <= 0.3 && o->search_skew >= 0.0 && o->search_skew <= 0.5 &&
          o->search_offset_m >= 0.0 && o->search_offset_m <= 0.05)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "steps are looked for within 0 to 0.3 (30 %%) of the poses', skew within "
                          "0.5, backlash within 0.05 m");
    }
    if (!(o->near_m >= 0.0 && o->far_m >= 0.0 && (o->far_m == 0.0 || o->near_m < o->far_m))) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the gate %g:%g m is empty: give MIN:MAX with 0 <= MIN < MAX", o->near_m,
                          o->far_m);
    }
    if (!(o->range_sigma_m >= 0.0 && isfinite(o->range_sigma_m))) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the ranges' standard deviation %g m is negative or not finite",
                          o->range_sigma_m);
    }
    return NFSAR_OK;
}

/* ---- where the target is -------------------------------------------------------------------- */

static enum nfsar_status find_range(const nfsar_capture *capture, const nfsar_echo_source *source,
                                    const nfsar_path_options *options, double *range,
                                    nfsar_error *error) {
    double cell = nfsar_range_resolution(capture), far = nfsar_range_unambiguous(capture);
    if (capture->n_sample < 8 || !isfinite(cell)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%zu frequenc%s of %g m range resolution tell no range to focus at",
                          capture->n_sample, capture->n_sample == 1 ? "y" : "ies", cell);
    }
    double step = cell / 8.0, near = fmax(options->near_m, fmax(0.05, 2.5 * cell));
    near = options->near_m > 0.0 ? options->near_m : near;
    double end = options->far_m > 0.0 ? fmin(options->far_m, far) : 0.5 * far;
    size_t n = (size_t)fmax(end / step, 1.0) + 1, first = (size_t)ceil(near / step), best = first;
    if (first + 3 > n) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "no ranges between %.3g and %.3g m, where the target should be", near,
                          end);
    }
    double *power = buffer_alloc(n, sizeof *power);
    enum nfsar_status status = power != NULL
                                   ? nfsar_range_profile(capture, source, step, n, power, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        for (size_t i = first; i < n; i++) {
            best = power[i] > power[best] ? i : best;
        }
        double most = power[best], off = 0.0;
        if (best > first && best + 1 < n) {
            double left = power[best - 1], right = power[best + 1];
            off = 0.5 * (left - right) / fmin(left - 2.0 * most + right, -1e-300);
        }
        *range = step * ((double)best + (fabs(off) <= 1.0 ? off : 0.0));
        sort_doubles(power, n);
        if (!(most > LEAST_CONTRAST * power[n / 2])) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "no echo stands out of the range profile between %.3g and %.3g m "
                                "(the strongest is %.1f dB above the median, 11 are wanted): give "
                                "the target's ranges, or put something up",
                                near, end, 10.0 * log10(most / fmax(power[n / 2], 1e-300)));
        }
    }
    free(power);
    return status;
}

/* ---- directions ----------------------------------------------------------------------------- */

static void choose_parameters(struct path_search *s, const struct path_spectra *spectra) {
    s->searched[NFSAR_PATH_FAST] = s->searched[NFSAR_PATH_SLOW] = s->options->search > 0.0;
    s->searched[NFSAR_PATH_SKEW] = s->options->search_skew > 0.0;
    s->searched[NFSAR_PATH_OFFSET] =
        s->options->search_offset_m > 0.0 && spectra->has[0] && spectra->has[1];
}

/* Each way that correlation of neighbouring rows leaves open is focused roughly. */
static enum nfsar_status find_directions(struct path_search *s, struct path_spectra *spectra,
                                         nfsar_path *path, nfsar_error *error) {
    enum { WAYS = 4 };
    const double *c = path->correlation;
    const bool same = c[0] < SIMILAR || c[0] > c[1] - DIFFERENT;
    const bool other = c[1] < SIMILAR || c[1] > c[0] - DIFFERENT;
    /* Without an array along the rows all rows the other way are the mirrored scene. */
    const bool open[WAYS] = {same, other, other && path->channels_along,
                             same && path->channels_along};
    struct path_trial trial[WAYS] = {{{0.0}}};
    double sharp[WAYS] = {0.0}, next = 0.0;
    size_t best = same ? 0 : 1;
    enum nfsar_status status = NFSAR_OK;
    for (size_t way = 0; status == NFSAR_OK && way < WAYS; way++) {
        if (open[way]) {
            path_spectra_sum(spectra, path, (enum nfsar_path_turned)way);
            choose_parameters(s, spectra);
            s->trial = trial[way];
            status = path_search_coarse(s, error);
            trial[way] = s->trial;
            sharp[way] = path_search_total(s, &s->trial);
        }
    }
    for (size_t way = 0; way < WAYS; way++) {
        bool likely = way == 0 || sharp[way] > TURNED_GAIN * sharp[0];
        best = likely && sharp[way] > sharp[best] ? way : best;
    }
    for (size_t way = 0; way < WAYS; way++) {
        next = way != best ? fmax(next, sharp[way]) : next;
    }
    path->turned = (enum nfsar_path_turned)best;
    path->turned_gain = next > 0.0 ? sharp[best] / next : NAN;
    s->trial = trial[best];
    path_spectra_sum(spectra, path, path->turned);
    choose_parameters(s, spectra);
    for (size_t r = 0; r < path->rows; r++) {
        path->row[r].direction *= path_is_turned(path->turned, r) ? -1.0 : 1.0;
    }
    path->both_ways = spectra->has[0] && spectra->has[1];
    return status;
}

/* ---- what to do about it -------------------------------------------------------------------- */

static bool beyond(const nfsar_path_estimate *e) {
    return e->told && fabs(e->value) > fmax(SURE * e->sigma, e->harmless);
}

/* Steps that ranges allow to be right stay. The ratio is known better than either: where what is
 * left contradicts it, the step that is farther from the poses' follows. */
static void decide_steps(nfsar_path *path) {
    nfsar_path_estimate *fast = &path->estimate[NFSAR_PATH_FAST];
    nfsar_path_estimate *slow = &path->estimate[NFSAR_PATH_SLOW];
    fast->applied = beyond(fast) ? fast->value : 0.0;
    slow->applied = beyond(slow) ? slow->value : 0.0;
    if (!path->ratio.told) {
        return;
    }
    const double ratio = 1.0 + path->ratio.value;
    const double now = (1.0 + fast->applied) / (1.0 + slow->applied);
    if (fabs(ratio - now) > fmax(SURE * path->ratio.sigma, path->ratio.harmless)) {
        bool keep_fast = fast->applied != 0.0 && slow->applied == 0.0;
        if (fast->applied == 0.0 && slow->applied == 0.0) {
            keep_fast = fabs(fast->value) * slow->sigma <= fabs(slow->value) * fast->sigma;
        }
        if (keep_fast) {
            slow->applied = (1.0 + fast->applied) / ratio - 1.0;
        } else {
            fast->applied = (1.0 + slow->applied) * ratio - 1.0;
        }
    }
    path->ratio.applied = (1.0 + fast->applied) / (1.0 + slow->applied) - 1.0;
}

static void decide(nfsar_path *path) {
    decide_steps(path);
    for (int p = NFSAR_PATH_SKEW; p <= NFSAR_PATH_OFFSET; p++) {
        nfsar_path_estimate *e = &path->estimate[p];
        e->applied = beyond(e) ? e->value : 0.0;
    }
}

static enum nfsar_status at_the_end(const struct path_search *s, const nfsar_path *path,
                                    nfsar_error *error) {
    static const char *const name[] = {"the steps along the rows", "the steps across the rows",
                                       "skew", "backlash"};
    const double limit[] = {s->options->search, s->options->search, s->options->search_skew,
                            s->options->search_offset_m};
    for (int p = 0; p < NFSAR_PATH_PARAMETERS; p++) {
        if (path->estimate[p].told && limit[p] > 0.0 && fabs(path->estimate[p].value) > limit[p]) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "the image is sharpest where %s would be wrong by %.3g, which is the "
                              "end of the search (%g): the poses are wrong in another way, or by "
                              "more (--search)",
                              name[p], path->estimate[p].value, limit[p]);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status search(struct path_search *s, struct path_spectra *spectra,
                                nfsar_path *path, nfsar_error *error) {
    for (int p = 0; p < NFSAR_PATH_PARAMETERS; p++) {
        path->estimate[p] = (nfsar_path_estimate){false, NAN, NAN, NAN, NAN, NAN, NAN, 0.0};
    }
    path->ratio = path->estimate[0];
    enum nfsar_status status = find_directions(s, spectra, path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    for (int round = 0; status == NFSAR_OK && round < 2; round++) {
        path_search_ranges(s);
        status = path_search_near(s, error);
    }
    if (status == NFSAR_OK) {
        path_search_ranges(s);
        status = path_search_fine(s, path, error);
    }
    if (status == NFSAR_OK) {
        status = at_the_end(s, path, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    bool told = false;
    for (int p = 0; p < NFSAR_PATH_PARAMETERS; p++) {
        told = told || path->estimate[p].told;
    }
    if (!told) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the echoes do not tell what is wrong with the rows: sharpness has no "
                          "maximum within the search; put up points or a plate with holes and "
                          "edges, give its ranges (--gate), or correct gross errors by hand first");
    }
    decide(path);
    struct path_trial nothing = {{0.0}}, applied;
    for (int p = 0; p < NFSAR_PATH_PARAMETERS; p++) {
        applied.value[p] = path->estimate[p].applied;
    }
    path->sharpness_after = path_search_at_best(s, &applied);
    path_spectra_sum(spectra, path, NFSAR_PATH_AS_THEY_ARE);
    path->sharpness_before = path_search_at_best(s, &nothing);
    return NFSAR_OK;
}

enum nfsar_status nfsar_path_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  const nfsar_path_options *given, nfsar_path *path,
                                  const nfsar_progress *progress, nfsar_error *error) {
    const nfsar_path_options options = given != NULL ? *given : nfsar_path_defaults();
    struct path_scan scan = {0};
    struct path_spectra spectra = {0};
    struct path_imager imager = {0};
    struct path_search s = {.imager = &imager, .options = &options, .progress = progress};
    *path = (nfsar_path){0};
    for (size_t p = 0; p < PATH_PARTS; p++) {
        s.weight[p] = 1.0;
    }
    enum nfsar_status status = check(&options, error);
    if (status == NFSAR_OK) {
        status = path_scan_make(capture, &scan, path, error);
    }
    if (status == NFSAR_OK) {
        status = find_range(capture, source, &options, &s.z, error);
    }
    if (status == NFSAR_OK) {
        status = path_spectra_make(capture, source, &scan, path, s.z, &spectra, error);
    }
    if (status == NFSAR_OK) {
        path->correlation[0] = spectra.correlation[0];
        path->correlation[1] = spectra.correlation[1];
        path->range_sigma_m = options.range_sigma_m > 0.0                    ? options.range_sigma_m
                              : capture->calibration.channel_delay_s != NULL ? CALIBRATED
                                                                             : RULER;
        status = path_imager_make(&spectra, &scan, &imager, error);
    }
    if (status == NFSAR_OK) {
        status = search(&s, &spectra, path, error);
    }
    path_imager_free(&imager);
    path_spectra_free(&spectra);
    path_scan_free(&scan);
    if (status != NFSAR_OK) {
        nfsar_path_free(path);
    }
    return status;
}
