/* Autofocus of smooth pose errors: what is tried, and what the echoes kept aside say of it. */
#include <nfsar/autofocus.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/autofocus/focus_region.h"
#include "algorithms/autofocus/focus_search.h"

/* A correction counts when it leaves less than this part of what the reported poses left
 * unexplained of the echoes kept aside, */
#define BETTER 0.9

/* and by this part of the energy less: below it errors are hundredths of a millimetre. */
#define GAINED 0.005

/* Poses that leave less than this are as good as any that were found. */
#define EXPLAINED 0.5

/* A first way that leaves no more than this part is not followed by the second. */
#define CLEARLY 0.05

/* nor one that leaves no more than this of the energy: true poses leave three to seven thousandths.
 */
#define LITTLE 0.005

/* Echoes of which the region explains less than this at first come from elsewhere. */
#define NOTHING 0.97

/* Echoes that are fitted, for each voxel: fewer are explained by any poses. */
#define ECHOES_PER_VOXEL 1.5

/* Knots, in correlation times; the last are finer. */
#define KNOTS      0.4
#define FINE_KNOTS 0.25

/* Of conjugate gradients for an image, and for a round of image and displacements; rounds of a
 * polish, polishes of a level at the most, and rounds with the finer knots. */
enum { SOLVE_STEPS = 20, POLISH_STEPS = 30, POLISH_ROUNDS = 2, POLISH = 5, FINE_ROUNDS = 3 };

/* A round that gains less than this part of what is minimised is a level's last. */
#define ENOUGH 0.002

/* Nats for each correlation time that a fit of all pulses is trusted at the most: little first,
 * since what echoes hardly tell runs away while what they tell is still wrong. */
static const double trust_of[] = {1e3, 1e4, 1e5};
enum { LEVELS = sizeof trust_of / sizeof trust_of[0] };

struct nfsar_autofocus_plan {
    const nfsar_capture *capture;
    nfsar_autofocus_options options;
    struct focus_region region;
};

nfsar_autofocus_options nfsar_autofocus_defaults(void) {
    return (nfsar_autofocus_options){
        .time_scale_s = 1.0, .most_m = 3e-3, .lines = 10000, .voxels = 60000, .seed = 1};
}

static enum nfsar_status check_options(const nfsar_autofocus_options *o, nfsar_error *error) {
    if (!(o->time_scale_s > 0.0) || !isfinite(o->time_scale_s)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "--time-scale %g: seconds in which the poses' error changes are wanted",
                          o->time_scale_s);
    }
    if (!(o->most_m > 0.0) || !(o->most_m <= 0.1)) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "--most %g: a standard deviation in metres, above 0 and up to 0.1, is wanted",
            o->most_m);
    }
    if (o->lines < 256 || o->voxels < 1) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "autofocus of %zu lines (--lines) and %zu voxels: 256 and 1 are the least", o->lines,
            o->voxels);
    }
    return NFSAR_OK;
}

static enum nfsar_status check_times(const nfsar_capture *capture, double tau, nfsar_error *error) {
    for (size_t i = 1; i < capture->n_pose; i++) {
        const double gap = capture->pose_time_s[i] - capture->pose_time_s[i - 1];
        if (gap > 0.2 * tau) {
            return nfsar_fail(
                error, NFSAR_ERROR_GEOMETRY,
                "poses %zu and %zu are %.3g s apart, too far to carry errors that change "
                "within %.3g s: give poses at the pulses' times, or a larger "
                "--time-scale",
                i - 1, i, gap, tau);
        }
    }
    const double begin = capture->time_s[0], end = capture->time_s[capture->n_pulse - 1];
    const double from = capture->pose_time_s[0], to = capture->pose_time_s[capture->n_pose - 1];
    if (from - begin > 0.2 * tau || end - to > 0.2 * tau) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "poses of %.6g to %.6g s do not cover pulses of %.6g to %.6g s: errors "
                          "that change with time have nowhere to be corrected",
                          from, to, begin, end);
    }
    const double span = end - begin;
    if (span > 2000.0 * tau) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%.3g s of pulses are too many times %.3g s: give a larger --time-scale",
                          span, tau);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_autofocus_plan_create(const nfsar_capture *capture,
                                              const nfsar_grid *region,
                                              const nfsar_autofocus_options *options,
                                              nfsar_autofocus_plan **plan, nfsar_error *error) {
    *plan = NULL;
    nfsar_autofocus_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->options = options != NULL ? *options : nfsar_autofocus_defaults();
    enum nfsar_status status = check_options(&made->options, error);
    if (status == NFSAR_OK && (capture->n_pulse < 64 || capture->n_pose < 1)) {
        status =
            nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                       "%zu pulses are too few for autofocus: 64 are the least", capture->n_pulse);
    }
    if (status == NFSAR_OK) {
        status = check_times(capture, made->options.time_scale_s, error);
    }
    if (status == NFSAR_OK) {
        status = focus_region_make(capture, region, made->options.voxels, &made->region, error);
    }
    if (status != NFSAR_OK) {
        nfsar_autofocus_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

nfsar_grid nfsar_autofocus_plan_grid(const nfsar_autofocus_plan *plan) {
    return plan->region.grid;
}

void nfsar_autofocus_plan_destroy(nfsar_autofocus_plan *plan) {
    if (plan != NULL) {
        focus_region_free(&plan->region);
        free(plan);
    }
}

/* ---- the search ----------------------------------------------------------------------------- */

struct work {
    nfsar_autofocus_plan *plan;
    struct focus_lines lines;
    struct focus_search search;
    nfsar_autofocus *result;
    const nfsar_progress *progress;
    float complex *picture;
    bool silent; /* of the null test nothing is shown */
};

static double sharpness_of(const struct focus_search *s) {
    double fourth = 0.0, square = 0.0;
    for (size_t v = 0; v < s->voxels->n; v++) {
        const double re = (double)s->re[v], im = (double)s->im[v], p = re * re + im * im;
        fourth += p * p;
        square += p;
    }
    return square > 0.0 ? fourth / (square * square) : 0.0;
}

static double entropy_of(const struct focus_search *s) {
    double sum = 0.0, log_sum = 0.0;
    for (size_t v = 0; v < s->voxels->n; v++) {
        const double re = (double)s->re[v], im = (double)s->im[v], p = re * re + im * im;
        sum += p;
        log_sum += p > 0.0 ? p * log(p) : 0.0;
    }
    return sum > 0.0 ? log(sum) - log_sum / sum : 0.0;
}

static void seen(void *context, const struct focus_search *search, size_t from, size_t to) {
    struct work *w = context;
    nfsar_autofocus *r = w->result;
    if (w->silent) {
        return;
    }
    nfsar_autofocus_step *trace = realloc(r->trace, (r->n_trace + 1) * sizeof *trace);
    if (trace != NULL) {
        r->trace = trace;
        trace[r->n_trace++] = (nfsar_autofocus_step){to - from, sharpness_of(search)};
    }
    if (w->plan->options.seen != NULL) {
        for (size_t v = 0; v < search->voxels->n; v++) {
            w->picture[v] = CMPLXF(search->re[v], search->im[v]);
        }
        w->plan->options.seen(w->plan->options.context, &w->plan->region.grid, w->picture,
                              to - from);
    }
}

static void clear(struct focus_search *s) {
    memset(s->c, 0, 3 * s->spline.n * sizeof *s->c);
    memset(s->m_re, 0, 2 * s->voxels->padded * sizeof *s->m_re);
    s->damping = 0.01;
    s->fitted = false;
}

/* Leave components across the line of sight more to the prior: they matter less, and short
 * apertures do not tell them. */
static void stiffen(struct focus_search *s, int main, double factor) {
    for (int a = 0; a < 3; a++) {
        s->stiff[a] = a == main ? 1.0 : factor;
    }
}

/* One way from the start to all pulses, and what it leaves unexplained. */
static enum nfsar_status follow(struct work *w, enum focus_way way, double from, double to,
                                double *unexplained, nfsar_error *error) {
    struct focus_search *s = &w->search;
    const struct focus_growth growth = {w->progress, from, from + 0.8 * (to - from), seen, w};
    clear(s);
    focus_search_use(s, w->lines.data[FOCUS_FIT]);
    stiffen(s, w->plan->region.main, way == FOCUS_FIT_ALONE ? 4.0 : 1.0);
    enum nfsar_status status = focus_search_grow(s, way, &growth, error);
    stiffen(s, w->plan->region.main, 1.0);
    s->enough = ENOUGH;
    s->progress = w->progress;
    for (int i = 0, level = 0; status == NFSAR_OK && level < LEVELS; i++) {
        double left;
        s->trust = trust_of[level];
        s->done = from + (to - from) * (0.8 + 0.2 * level / LEVELS);
        status =
            focus_search_fit(s, 0, w->lines.n_pulse, POLISH_ROUNDS, POLISH_STEPS, &left, error);
        if (status != NFSAR_OK) {
            break;
        }
        if (s->settled || i % POLISH == POLISH - 1) {
            level++;
            i = -1;
        }
        s->fitted = false;
        focus_search_image(s, 0, w->lines.n_pulse, true);
        seen(w, s, 0, w->lines.n_pulse);
        if (!nfsar_progress_report(w->progress,
                                   from + (to - from) * (0.8 + 0.2 * level / LEVELS))) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
    }
    if (status == NFSAR_OK) {
        *unexplained = focus_search_unexplained(s, w->lines.data[FOCUS_FIT],
                                                w->lines.data[FOCUS_HELD], SOLVE_STEPS);
    }
    return status;
}

/* Both ways where the first does not do; the better one stays in the search. */
static enum nfsar_status find(struct work *w, double before, double from, double to, double *after,
                              nfsar_error *error) {
    struct focus_search *s = &w->search;
    const double middle = 0.5 * (from + to);
    enum nfsar_status status = follow(w, FOCUS_FIT_ALONE, from, middle, after, error);
    if (status != NFSAR_OK || *after < fmax(CLEARLY * before, LITTLE)) {
        return status;
    }
    double *kept = malloc(3 * s->spline.n * sizeof *kept), other = 1.0;
    if (kept == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    memcpy(kept, s->c, 3 * s->spline.n * sizeof *kept);
    status = follow(w, FOCUS_SHARP, middle, to, &other, error);
    if (status == NFSAR_OK && other > *after) {
        memcpy(s->c, kept, 3 * s->spline.n * sizeof *kept);
    } else if (status == NFSAR_OK) {
        *after = other;
    }
    free(kept);
    return status;
}

/* The image of the echoes kept aside, with the present displacements. */
static void measure(struct work *w, double *sharpness, double *entropy) {
    focus_search_use(&w->search, w->lines.data[FOCUS_HELD]);
    focus_search_image(&w->search, 0, w->lines.n_pulse, true);
    *sharpness = sharpness_of(&w->search);
    *entropy = entropy_of(&w->search);
}

static double unexplained(struct work *w) {
    return focus_search_unexplained(&w->search, w->lines.data[FOCUS_FIT], w->lines.data[FOCUS_HELD],
                                    SOLVE_STEPS);
}

/* The displacements at the pulses, without their mean. */
static enum nfsar_status take(struct work *w, nfsar_error *error) {
    nfsar_autofocus *r = w->result;
    const nfsar_capture *capture = w->plan->capture;
    r->n_pulse = capture->n_pulse;
    r->correction = malloc(r->n_pulse * sizeof *r->correction);
    if (r->correction == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    nfsar_vec3 mean = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < r->n_pulse; i++) {
        double e[3];
        focus_spline_value(&w->search.spline, w->search.c,
                           fmin(fmax(capture->time_s[i], w->lines.begin_s), w->lines.end_s), e);
        r->correction[i] = (nfsar_vec3){e[0], e[1], e[2]};
        mean = nfsar_vec3_add(mean, nfsar_vec3_scale(r->correction[i], 1.0 / (double)r->n_pulse));
    }
    double square = 0.0;
    for (size_t i = 0; i < r->n_pulse; i++) {
        r->correction[i] = nfsar_vec3_subtract(r->correction[i], mean);
        const nfsar_vec3 e = r->correction[i];
        const nfsar_pose pose = nfsar_track_pose(capture->pose_time_s, capture->pose,
                                                 capture->n_pose, capture->time_s[i], NULL);
        const nfsar_vec3 d = nfsar_vec3_subtract(w->plan->region.centre, pose.position);
        const double along = nfsar_vec3_dot(e, d) / nfsar_vec3_norm(d);
        square += along * along / (double)r->n_pulse;
    }
    r->correction_m = sqrt(square);
    return NFSAR_OK;
}

static enum nfsar_autofocus_verdict judge(const nfsar_autofocus *r) {
    if (r->unexplained_after < BETTER * r->unexplained_before &&
        r->unexplained_after < r->unexplained_before - GAINED && r->unexplained_after < EXPLAINED) {
        return NFSAR_AUTOFOCUS_FOCUSED;
    }
    return r->unexplained_before < EXPLAINED ? NFSAR_AUTOFOCUS_LEFT_ALONE : NFSAR_AUTOFOCUS_REFUSED;
}

static enum nfsar_status test_null(struct work *w, double from, nfsar_error *error) {
    nfsar_autofocus *r = w->result;
    double ignored;
    w->silent = true;
    focus_lines_scramble(&w->lines, w->plan->options.seed);
    clear(&w->search);
    r->unexplained_null[0] = unexplained(w);
    measure(w, &r->null_sharpness[0], &ignored);
    enum nfsar_status status =
        find(w, r->unexplained_null[0], from, 1.0, &r->unexplained_null[1], error);
    if (status == NFSAR_OK) {
        measure(w, &r->null_sharpness[1], &ignored);
    }
    return status;
}

/* All echoes, and closer knots; but not what leaves more of them unexplained. */
static enum nfsar_status refine(struct work *w, nfsar_error *error) {
    struct focus_search *s = &w->search;
    enum nfsar_status status =
        focus_search_refine_knots(s, FINE_KNOTS * w->plan->options.time_scale_s, error);
    double *kept = malloc(3 * s->spline.n * sizeof *kept), left;
    if (status == NFSAR_OK && kept == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu knots", s->spline.n);
    }
    if (status == NFSAR_OK) {
        memcpy(kept, s->c, 3 * s->spline.n * sizeof *kept);
        focus_search_use(s, w->lines.both);
        status = focus_search_fit(s, 0, w->lines.n_pulse, FINE_ROUNDS, POLISH_STEPS, &left, error);
    }
    if (status == NFSAR_OK && unexplained(w) > w->result->unexplained_after) {
        memcpy(s->c, kept, 3 * s->spline.n * sizeof *kept);
    }
    free(kept);
    return status;
}

static enum nfsar_status focus(struct work *w, nfsar_error *error) {
    nfsar_autofocus *r = w->result;
    const nfsar_autofocus_options *o = &w->plan->options;
    const double share = o->null_test ? 0.5 : 0.95;
    clear(&w->search);
    r->unexplained_before = unexplained(w);
    measure(w, &r->sharpness_before, &r->entropy_before);
    enum nfsar_status status = NFSAR_OK;
    r->unexplained_after = r->unexplained_before;
    r->nothing_there = !(r->unexplained_before < NOTHING);
    if (!r->nothing_there) {
        status = find(w, r->unexplained_before, 0.05, share, &r->unexplained_after, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    measure(w, &r->sharpness_after, &r->entropy_after);
    r->verdict = judge(r);
    if (r->verdict == NFSAR_AUTOFOCUS_FOCUSED) {
        status = refine(w, error);
    }
    if (status == NFSAR_OK) {
        status = take(w, error);
    }
    if (status == NFSAR_OK && r->verdict == NFSAR_AUTOFOCUS_LEFT_ALONE) {
        memset(r->correction, 0, r->n_pulse * sizeof *r->correction);
        r->correction_m = 0.0;
    }
    return status == NFSAR_OK && o->null_test ? test_null(w, share, error) : status;
}

enum nfsar_status nfsar_autofocus_execute(nfsar_autofocus_plan *plan,
                                          const nfsar_echo_source *source, nfsar_autofocus *result,
                                          const nfsar_progress *progress, nfsar_error *error) {
    const nfsar_autofocus_options *o = &plan->options;
    memset(result, 0, sizeof *result);
    result->unexplained_null[0] = result->unexplained_null[1] = NAN;
    result->null_sharpness[0] = result->null_sharpness[1] = NAN;
    struct work w = {.plan = plan, .result = result, .progress = progress};
    enum nfsar_status status =
        focus_lines_read(plan->capture, source, plan->region.centre, plan->region.reach, o->lines,
                         &w.lines, progress, error);
    const double echoes = (double)w.lines.n * (double)w.lines.band.n;
    const double wanted = ECHOES_PER_VOXEL * (double)plan->region.voxels.n;
    if (status == NFSAR_OK && echoes < wanted) {
        status = nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "%zu lines tell too little of %zu voxels, any poses would explain "
            "them: at least %.0f lines are wanted (--lines), or a smaller region (--x, --y, --z)",
            w.lines.n, plan->region.voxels.n, ceil(wanted / (double)w.lines.band.n));
    }
    if (status == NFSAR_OK) {
        result->lines = w.lines.n;
        w.picture = malloc(plan->region.voxels.n * sizeof *w.picture);
        status = w.picture != NULL
                     ? focus_search_make(&w.lines, &plan->region.voxels, KNOTS * o->time_scale_s,
                                         o->most_m, o->time_scale_s, &w.search, error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        status = focus(&w, error);
    }
    focus_search_free(&w.search);
    focus_lines_free(&w.lines);
    free(w.picture);
    if (status != NFSAR_OK) {
        nfsar_autofocus_free(result);
    }
    return status;
}

void nfsar_autofocus_apply(const nfsar_autofocus *result, nfsar_capture *capture) {
    size_t at = 0;
    const size_t last = result->n_pulse - 1;
    for (size_t i = 0; i < capture->n_pose; i++) {
        const double time_s = capture->pose_time_s[i];
        while (at < last && capture->time_s[at + 1] <= time_s) {
            at++;
        }
        nfsar_vec3 by = result->correction[at];
        if (at < last && time_s > capture->time_s[at]) {
            const double part =
                (time_s - capture->time_s[at]) / (capture->time_s[at + 1] - capture->time_s[at]);
            by = nfsar_vec3_add(nfsar_vec3_scale(by, 1.0 - part),
                                nfsar_vec3_scale(result->correction[at + 1], part));
        }
        capture->pose[i].position = nfsar_vec3_add(capture->pose[i].position, by);
    }
}

void nfsar_autofocus_free(nfsar_autofocus *result) {
    free(result->correction);
    free(result->trace);
    memset(result, 0, sizeof *result);
}
