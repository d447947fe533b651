#include "calibration/path_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/metrics.h>

/* Distances of a first search, which are less than the width of maxima; offsets in metres. */
static const double first_step[NFSAR_PATH_PARAMETERS] = {7e-3, 7e-3, 0.01, 0.25e-3};

/* Parts with less than this share of the whole do not count. */
#define LEAST_SHARE 0.004
/* Sharpness falls by FALL at a step of finite differences, and goes as the square of that: by less
 * than half a percent for a tenth of it. */
#define FALL     0.05
#define HARMLESS 0.316
/* Depths that differ by less than this part of the range are one, and slices are no more. */
#define ONE_DEPTH 0.003
enum { MOST_SLICES = 7 };
/* The search goes on a little beyond its limits, so that a maximum there shows. */
#define BEYOND 1.2
/* The depth where an image is sharpest is looked for within this part of the range. */
#define DEEPEST 0.25

/* ---- sharpness ------------------------------------------------------------------------------ */

/* Parts at their own depths: slices in between are mixed of their neighbours. */
void path_search_parts(struct path_search *s, const struct path_trial *trial,
                       double sharp[PATH_PARTS]) {
    double low = INFINITY, high = -INFINITY, slice[PATH_PARTS];
    for (size_t p = 0; p < PATH_PARTS; p++) {
        if (s->weight[p] > 0.0) {
            low = fmin(low, s->part_z[p]);
            high = fmax(high, s->part_z[p]);
        }
    }
    path_imager_set(s->imager, trial);
    if (!s->each || high - low < ONE_DEPTH * s->z) {
        path_sharpness(s->imager, trial, s->each ? 0.5 * (low + high) : s->z, 1.0, sharp);
        return;
    }
    const double fine = 0.015 * s->z;
    const size_t n = (size_t)fmin(ceil((high - low) / fine), MOST_SLICES - 1) + 1;
    const double step = (high - low) / (double)(n - 1);
    memset(sharp, 0, PATH_PARTS * sizeof *sharp);
    for (size_t i = 0; i < n; i++) {
        path_sharpness(s->imager, trial, low + step * (double)i, 1.0, slice);
        for (size_t p = 0; p < PATH_PARTS; p++) {
            double near = 1.0 - fabs((s->part_z[p] - low) / step - (double)i);
            sharp[p] += near > 0.0 ? near * slice[p] : 0.0;
        }
    }
}

static double add_up(const struct path_search *s, const double sharp[PATH_PARTS]) {
    double sum = 0.0;
    for (size_t p = 0; p < PATH_PARTS; p++) {
        sum += s->weight[p] * sharp[p];
    }
    return sum;
}

double path_search_total(struct path_search *s, const struct path_trial *trial) {
    double sharp[PATH_PARTS];
    path_search_parts(s, trial, sharp);
    return add_up(s, sharp);
}

double path_search_at_best(struct path_search *s, const struct path_trial *trial) {
    enum { STEPS = 40 };
    double most = 0.0, sharp[PATH_PARTS];
    path_imager_set(s->imager, trial);
    for (int i = 0; i <= STEPS; i++) {
        path_sharpness(s->imager, trial, s->z, 1.0 - DEEPEST + 2.0 * DEEPEST * i / STEPS, sharp);
        most = fmax(most, add_up(s, sharp));
    }
    return most;
}

/* ---- one parameter after the other ---------------------------------------------------------- */

static enum nfsar_status keep_going(struct path_search *s, double by, nfsar_error *error) {
    s->fraction = fmin(s->fraction + by, 0.99);
    return nfsar_progress_report(s->progress, s->fraction)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_CANCELLED, "stopped");
}

static double limit_of(const struct path_search *s, int parameter) {
    return parameter == NFSAR_PATH_OFFSET ? s->options->search_offset_m
           : parameter == NFSAR_PATH_SKEW ? s->options->search_skew
                                          : s->options->search;
}

/* The best of reach steps to either side, to a fraction of a step. */
static void scan(struct path_search *s, int parameter, double step, int reach) {
    enum { MOST = 400 };
    double sharp[2 * MOST + 1];
    reach = reach < MOST ? reach : MOST;
    const double middle = s->trial.value[parameter];
    int best = 0;
    for (int i = -reach; i <= reach; i++) {
        struct path_trial trial = s->trial;
        trial.value[parameter] = middle + step * i;
        const bool within = fabs(trial.value[parameter]) <= BEYOND * limit_of(s, parameter);
        sharp[i + reach] = within || i == 0 ? path_search_total(s, &trial) : 0.0;
        best = sharp[i + reach] > sharp[best + reach] ? i : best;
    }
    double off = 0.0;
    if (best > -reach && best < reach && sharp[best + reach - 1] > 0.0 &&
        sharp[best + reach + 1] > 0.0) {
        off = nfsar_parabola_peak(sharp[best + reach - 1], sharp[best + reach],
                                  sharp[best + reach + 1]);
    }
    s->trial.value[parameter] = middle + step * (best + (fabs(off) <= 1.0 ? off : 0.0));
}

/* Rounds through all parameters, steps first of `first` and then half as long each time. */
static enum nfsar_status go_round(struct path_search *s, int rounds, double first, int reach,
                                  nfsar_error *error) {
    static const int order[] = {NFSAR_PATH_OFFSET, NFSAR_PATH_FAST, NFSAR_PATH_SLOW,
                                NFSAR_PATH_SKEW};
    enum nfsar_status status = NFSAR_OK;
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; status == NFSAR_OK && i < NFSAR_PATH_PARAMETERS; i++) {
            if (s->searched[order[i]]) {
                scan(s, order[i], first * first_step[order[i]] / (double)(1 << round), reach);
                status = keep_going(s, 0.02, error);
            }
        }
        reach = 3;
    }
    return status;
}

/* Flat waves alone first, which are in focus over a wider range: a third of the angles takes three
 * times an offset, and nine times what bends wavefronts. */
enum nfsar_status path_search_coarse(struct path_search *s, nfsar_error *error) {
    static const double taper[] = {0.25, 0.45, 0.8, 0.0};
    static const double step[] = {3.0, 2.0, 1.0, 1.0};
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < sizeof taper / sizeof taper[0]; i++) {
        s->imager->taper = taper[i];
        double reach = 5.0;
        for (int p = 0; i == 0 && p < NFSAR_PATH_PARAMETERS; p++) {
            reach = fmax(reach, ceil(limit_of(s, p) / first_step[p] / step[0]));
        }
        status = go_round(s, i == 0 ? 1 : 2, step[i], (int)reach, error);
    }
    return status;
}

enum nfsar_status path_search_near(struct path_search *s, nfsar_error *error) {
    return go_round(s, 2, 1.0, 5, error);
}

/* ---- ranges --------------------------------------------------------------------------------- */

void path_search_ranges(struct path_search *s) {
    double energy[PATH_PARTS], farther[PATH_PARTS], all = 0.0, mean = 0.0, counted = 0.0;
    path_imager_set(s->imager, &s->trial);
    path_ranges(s->imager, &s->trial, s->z, energy, farther, &s->noise);
    for (size_t p = 0; p < PATH_PARTS; p++) {
        all += energy[p];
    }
    s->energy = 0.0;
    for (size_t p = 0; p < PATH_PARTS; p++) {
        s->weight[p] = energy[p] > LEAST_SHARE * all ? 1.0 : 0.0;
        s->part_z[p] = s->z + farther[p];
        s->energy += s->weight[p] * energy[p];
        mean += s->weight[p] * energy[p] * farther[p];
        counted += s->weight[p] * energy[p];
    }
    s->z += mean / counted;
    s->each = true;
}

/* ---- the maximum ---------------------------------------------------------------------------- */

enum { N = NFSAR_PATH_PARAMETERS };

/* Sharpness near a trial, each part's: value, slope and bend by finite differences. */
struct local {
    int n, which[N];
    double step[N];
    double value[PATH_PARTS], slope[PATH_PARTS][N], bend[PATH_PARTS][N][N];
};

static struct path_trial aside(const struct path_search *s, const struct local *l, int a,
                               double by_a, int b, double by_b) {
    struct path_trial trial = s->trial;
    trial.value[l->which[a]] += by_a * l->step[a];
    trial.value[l->which[b]] += by_b * l->step[b];
    return trial;
}

static void differentiate(struct path_search *s, struct local *l) {
    double plus[N][PATH_PARTS], minus[N][PATH_PARTS];
    path_search_parts(s, &s->trial, l->value);
    for (int a = 0; a < l->n; a++) {
        struct path_trial p = aside(s, l, a, 1.0, a, 0.0), m = aside(s, l, a, -1.0, a, 0.0);
        path_search_parts(s, &p, plus[a]);
        path_search_parts(s, &m, minus[a]);
        for (size_t i = 0; i < PATH_PARTS; i++) {
            double w = s->weight[i];
            l->slope[i][a] = w * 0.5 * (plus[a][i] - minus[a][i]);
            l->bend[i][a][a] = w * (plus[a][i] - 2.0 * l->value[i] + minus[a][i]);
        }
    }
    /* f(1,1) + f(-1,-1) - those on the axes: half of the stencil of four corners. */
    for (int a = 0; a < l->n; a++) {
        for (int b = 0; b < a; b++) {
            double pp[PATH_PARTS], mm[PATH_PARTS];
            struct path_trial p = aside(s, l, a, 1.0, b, 1.0), m = aside(s, l, a, -1.0, b, -1.0);
            path_search_parts(s, &p, pp);
            path_search_parts(s, &m, mm);
            for (size_t i = 0; i < PATH_PARTS; i++) {
                double mixed = 0.5 * (pp[i] + mm[i] - plus[a][i] - minus[a][i] - plus[b][i] -
                                      minus[b][i] + 2.0 * l->value[i]);
                l->bend[i][a][b] = l->bend[i][b][a] = s->weight[i] * mixed;
            }
        }
    }
}

/* -bend of all parts but one, inverted: false where it is no maximum. */
static bool invert(const struct local *l, size_t without, double inverse[N][N]) {
    double a[N][2 * N];
    memset(a, 0, sizeof a);
    for (int i = 0; i < l->n; i++) {
        for (int j = 0; j < l->n; j++) {
            for (size_t p = 0; p < PATH_PARTS; p++) {
                a[i][j] -= p != without ? l->bend[p][i][j] : 0.0;
            }
        }
        a[i][l->n + i] = 1.0;
    }
    /* Positive definite: no pivots wanted, and all of them positive. */
    for (int i = 0; i < l->n; i++) {
        if (!(a[i][i] > 0.0)) {
            return false;
        }
        for (int r = 0; r < l->n; r++) {
            double factor = r != i ? a[r][i] / a[i][i] : 0.0;
            for (int c = 0; r != i && c < 2 * l->n; c++) {
                a[r][c] -= factor * a[i][c];
            }
        }
    }
    for (int i = 0; i < l->n; i++) {
        for (int j = 0; j < l->n; j++) {
            inverse[i][j] = a[i][l->n + j] / a[i][i];
        }
    }
    return true;
}

/* From the trial to the vertex of the paraboloid of all parts but one, in steps. */
static bool vertex(const struct local *l, size_t without, double off[N]) {
    double inverse[N][N], slope[N] = {0.0};
    if (!invert(l, without, inverse)) {
        return false;
    }
    for (int i = 0; i < l->n; i++) {
        for (size_t p = 0; p < PATH_PARTS; p++) {
            slope[i] += p != without ? l->slope[p][i] : 0.0;
        }
    }
    for (int i = 0; i < l->n; i++) {
        off[i] = 0.0;
        for (int j = 0; j < l->n; j++) {
            off[i] += inverse[i][j] * slope[j];
        }
    }
    return true;
}

/* Steps at which sharpness has fallen by a twentieth; a parameter that does not bend is not told
 * and leaves. */
static void choose_steps(struct path_search *s, struct local *l) {
    const double middle = path_search_total(s, &s->trial);
    int n = 0;
    for (int i = 0; i < l->n; i++) {
        const int p = l->which[i];
        double step = 0.5 * first_step[p];
        for (int round = 0; round < 3; round++) {
            struct path_trial up = s->trial, down = s->trial;
            up.value[p] += step;
            down.value[p] -= step;
            double bend = (path_search_total(s, &up) - 2.0 * middle + path_search_total(s, &down)) /
                          (2.0 * middle);
            double factor = bend < 0.0 ? sqrt(FALL / -bend) : 3.0;
            step *= fmin(fmax(factor, 0.2), 3.0);
        }
        if (step < 16.0 * first_step[p]) {
            l->step[n] = step;
            l->which[n++] = p;
        } else {
            s->trial.value[p] = 0.0;
        }
    }
    l->n = n;
}

/* ---- uncertainty ---------------------------------------------------------------------------- */

/* What the parts disagree: the jackknife's covariance, in steps. */
static bool jackknife(const struct path_search *s, const struct local *l, double covariance[N][N]) {
    double off[PATH_PARTS][N], mean[N] = {0.0};
    size_t n = 0;
    for (size_t p = 0; p < PATH_PARTS; p++) {
        if (s->weight[p] > 0.0) {
            if (!vertex(l, p, off[n])) {
                return false;
            }
            n++;
        }
    }
    for (size_t p = 0; p < n; p++) {
        for (int i = 0; i < l->n; i++) {
            mean[i] += off[p][i] / (double)n;
        }
    }
    for (int i = 0; i < l->n; i++) {
        for (int j = 0; j < l->n; j++) {
            double sum = 0.0;
            for (size_t p = 0; p < n; p++) {
                sum += (off[p][i] - mean[i]) * (off[p][j] - mean[j]);
            }
            covariance[i][j] = sum * (double)(n - 1) / (double)n;
        }
    }
    return n >= 3;
}

static void fill(const struct path_search *s, const struct local *l, nfsar_path *path) {
    double inverse[N][N], spread[N][N] = {{0.0}}, total = add_up(s, l->value);
    const double open = path->range_sigma_m / s->z; /* of the range */
    int at[N] = {-1, -1, -1, -1};
    bool told = invert(l, PATH_PARTS, inverse);
    bool scattered = jackknife(s, l, spread);
    /* Gradient energy goes as the cube of a scatterer's intensity I where a phase error blurs one
     * axis: -I''/I = bend / 3. The information on the parameter is -I'' over the noise in a voxel
     * (Cramer and Rao), I summed over cells of resolution. */
    const struct path_imager *im = s->imager;
    double voxels = (double)(im->nx * im->ny) / (double)(im->spectra->nu * im->spectra->nv);
    double snr = s->energy / voxels / s->noise;
    for (int i = 0; i < l->n; i++) {
        at[l->which[i]] = i;
    }
    for (int p = 0; p < N; p++) {
        nfsar_path_estimate *e = &path->estimate[p];
        *e = (nfsar_path_estimate){false, NAN, NAN, NAN, NAN, NAN, NAN, 0.0};
        if (at[p] >= 0 && told) {
            const int i = at[p];
            e->told = true;
            e->value = s->trial.value[p];
            e->harmless = HARMLESS * l->step[i];
            e->noise = l->step[i] * sqrt(3.0 * total * inverse[i][i] / snr);
            e->spread = scattered ? l->step[i] * sqrt(spread[i][i]) : NAN;
            /* Wavefronts bend as step^2 / range. */
            e->by_range = p <= NFSAR_PATH_SLOW ? 0.5 * (1.0 + e->value) : 0.0;
            e->sigma = hypot(fmax(e->noise, e->spread), e->by_range * open);
        }
    }
    path->ratio = (nfsar_path_estimate){false, NAN, NAN, NAN, NAN, NAN, NAN, 0.0};
    const int f = at[NFSAR_PATH_FAST], w = at[NFSAR_PATH_SLOW];
    if (told && f >= 0 && w >= 0) {
        const double a = 1.0 / (1.0 + s->trial.value[NFSAR_PATH_FAST]) * l->step[f];
        const double b = 1.0 / (1.0 + s->trial.value[NFSAR_PATH_SLOW]) * l->step[w];
        nfsar_path_estimate *e = &path->ratio;
        e->told = true;
        e->value =
            (1.0 + s->trial.value[NFSAR_PATH_FAST]) / (1.0 + s->trial.value[NFSAR_PATH_SLOW]) - 1.0;
        double noise = a * a * inverse[f][f] - 2.0 * a * b * inverse[f][w] + b * b * inverse[w][w];
        double scatter = a * a * spread[f][f] - 2.0 * a * b * spread[f][w] + b * b * spread[w][w];
        e->noise = (1.0 + e->value) * sqrt(3.0 * total * fmax(noise, 0.0) / snr);
        e->spread = scattered ? (1.0 + e->value) * sqrt(fmax(scatter, 0.0)) : NAN;
        e->by_range = 0.0;
        e->sigma = fmax(e->noise, e->spread);
    }
    path->parts = 0;
    path->range_m = 0.0;
    double weights = 0.0;
    for (size_t p = 0; p < PATH_PARTS; p++) {
        path->parts += s->weight[p] > 0.0;
        path->range_m += s->weight[p] * l->value[p] * s->part_z[p];
        weights += s->weight[p] * l->value[p];
    }
    path->range_m /= weights;
}

enum nfsar_status path_search_fine(struct path_search *s, nfsar_path *path, nfsar_error *error) {
    struct local local = {0};
    for (int p = 0; p < N; p++) {
        if (s->searched[p]) {
            local.which[local.n++] = p;
        }
    }
    choose_steps(s, &local);
    enum nfsar_status status = NFSAR_OK;
    for (int round = 0; status == NFSAR_OK && local.n > 0 && round < 4; round++) {
        double off[N], most = 0.0;
        differentiate(s, &local);
        status = keep_going(s, 0.05, error);
        if (!vertex(&local, PATH_PARTS, off)) {
            break;
        }
        for (int i = 0; i < local.n; i++) {
            most = fmax(most, fabs(off[i]));
        }
        if (most < 0.03) {
            break;
        }
        for (int i = 0; i < local.n; i++) {
            s->trial.value[local.which[i]] += local.step[i] * off[i] * fmin(1.0, 2.0 / most);
        }
    }
    if (status == NFSAR_OK && local.n > 0) {
        differentiate(s, &local);
        fill(s, &local, path);
    }
    return status;
}
