#include "algorithms/bandfit.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "algorithms/buffer.h"
#include "algorithms/elimination.h"

enum { TAPS = BANDFIT_TAPS, MOST = BANDFIT_COLUMNS };

static const int degrees[BANDFIT_LEVELS] = {3, 4, 5, 6, 7};

/* Keeps the least squares solvable: the samples' correlation is singular but for rounding when
 * the band is narrow. It costs an error of its square root, far below a tolerance of 1e-5. */
#define RIDGE 1e-13

static double sinc(double x) {
    return fabs(x) < 1e-9 ? 1.0 : sin(x) / x;
}

/* Weights of one place: at the Chebyshev nodes of the reach, the taps' weights whose sum is
 * nearest to the signal over the band in the mean square; then the polynomial through the nodes,
 * which is all but the best one. weight[power][tap]. */
static void fit_place(double edge, int degree, double reach, double place,
                      double weight[MOST][MOST]) {
    double correlation[MOST][MOST], at_node[MOST][MOST], power[MOST][MOST];
    double node[MOST];
    for (int c = 0; c <= degree; c++) {
        node[c] = reach * cos(NFSAR_PI * (c + 0.5) / (degree + 1));
    }
    for (int i = 0; i < TAPS; i++) {
        for (int j = 0; j < TAPS; j++) {
            correlation[i][j] = sinc(edge * (i - j)) + (i == j ? RIDGE : 0.0);
        }
        for (int c = 0; c <= degree; c++) {
            at_node[i][c] = sinc(edge * (place + node[c] - (i - 3)));
        }
    }
    eliminate(TAPS, (size_t)degree + 1, MOST, &correlation[0][0], &at_node[0][0]);
    /* Powers of node / reach keep the second system well conditioned. */
    for (int c = 0; c <= degree; c++) {
        for (int d = 0; d <= degree; d++) {
            power[c][d] = pow(node[c] / reach, d);
        }
        for (int i = 0; i < TAPS; i++) {
            weight[c][i] = at_node[i][c];
        }
    }
    eliminate((size_t)degree + 1, TAPS, MOST, &power[0][0], &weight[0][0]);
    for (int d = 0; d <= degree; d++) {
        for (int i = 0; i < TAPS; i++) {
            weight[d][i] *= pow(reach, -d);
        }
    }
}

/* Largest error over the reach and the band; it is largest at the band's edges or near them. */
static double error_of(double edge, int degree, double reach, double place,
                       double weight[MOST][MOST]) {
    enum { STEPS = 40, WAVES = 8 };
    double complex sample[WAVES + 1][TAPS];
    for (int w = 0; w <= WAVES; w++) {
        for (int i = 0; i < TAPS; i++) {
            sample[w][i] = cexp(I * edge * (1.0 - 0.5 * w / WAVES) * (i - 3));
        }
    }
    double worst = 0.0;
    for (int s = -STEPS; s <= STEPS; s++) {
        double x = reach * s / STEPS, tap[TAPS];
        for (int i = 0; i < TAPS; i++) {
            tap[i] = 0.0;
            for (int d = degree; d >= 0; d--) {
                tap[i] = tap[i] * x + weight[d][i];
            }
        }
        for (int w = 0; w <= WAVES; w++) {
            double complex sum = -cexp(I * edge * (1.0 - 0.5 * w / WAVES) * (place + x));
            for (int i = 0; i < TAPS; i++) {
                sum += tap[i] * sample[w][i];
            }
            worst = fmax(worst, cabs(sum));
        }
    }
    return worst;
}

/* Midway between two samples, where the taps lie evenly, and at a sample, where they do not. */
static double level_error(double edge, int degree, double reach) {
    double weight[MOST][MOST], worst = 0.0;
    for (int p = 0; p < 2; p++) {
        fit_place(edge, degree, reach, 0.5 * p, weight);
        worst = fmax(worst, error_of(edge, degree, reach, 0.5 * p, weight));
    }
    return worst;
}

/* The reach where the error crosses the tolerance; weights reach at most as far as taps are. The
 * error of a polynomial grows as a power of its reach, one above its degree, but for what the taps
 * themselves leave: guesses by that power close in on it fast, and stay between what was too far
 * and what was not. */
static void find_reach(double edge, double tolerance, struct bandfit_level *level) {
    /* Places that were not looked at may err by a twentieth more. */
    double low = 1e-3, high = 3.0, guess = 3.0, wanted = 0.97 * tolerance;
    level->error = level_error(edge, level->degree, low);
    for (int i = 0; i < 18 && high - low > 1e-3 * high; i++) {
        double error = level_error(edge, level->degree, guess);
        if (error < wanted) {
            low = guess;
            level->error = error;
        } else {
            high = guess;
        }
        guess *= 0.999 * pow(wanted / error, 1.0 / (level->degree + 1));
        /* Every third step halves, for errors that grow otherwise. */
        if (i % 3 == 2 || !(guess > low && guess < high)) {
            guess = 0.5 * (low + high);
        }
        if (low > 0.99 * high || low >= 3.0) {
            break;
        }
    }
    level->reach = low;
}

static bool fill(double edge, struct bandfit_level *level) {
    level->weight = buffer_zeros(BANDFIT_PLACES + 1, sizeof *level->weight);
    level->spread = buffer_zeros(BANDFIT_PLACES + 1, sizeof *level->spread);
    if (level->weight == NULL || level->spread == NULL) {
        return false;
    }
    for (int p = 0; p <= BANDFIT_PLACES; p++) {
        double weight[MOST][MOST];
        fit_place(edge, level->degree, level->reach, (double)p / BANDFIT_PLACES, weight);
        for (int i = 0; i < TAPS; i++) {
            for (int d = 0; d <= level->degree; d++) {
                level->weight[p][i][d] = (float)weight[d][i];
                level->spread[p][d][i] = (float)weight[d][i];
            }
        }
    }
    return true;
}

struct bandfit *bandfit_create(double edge, double tolerance) {
    struct bandfit *fit = calloc(1, sizeof *fit);
    for (int i = 0; fit != NULL && i < BANDFIT_LEVELS; i++) {
        struct bandfit_level *level = &fit->level[i];
        level->degree = degrees[i];
        find_reach(edge, tolerance, level);
        if (!fill(edge, level)) {
            bandfit_destroy(fit);
            return NULL;
        }
    }
    return fit;
}

void bandfit_destroy(struct bandfit *fit) {
    if (fit != NULL) {
        for (int i = 0; i < BANDFIT_LEVELS; i++) {
            free(fit->level[i].weight);
            free(fit->level[i].spread);
        }
        free(fit);
    }
}
