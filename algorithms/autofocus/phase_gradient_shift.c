/* Where the track is as a whole no echo tells: it is put back to about where the poses had it. */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>

#include "algorithms/elimination.h"

/* Across the line of sight is only what changes the range by more than a tenth of what the other
 * direction does. */
#define ACROSS 1e-2

void phase_remove_shift(const struct phase_history *h, struct phase_estimate *estimate) {
    const size_t n = h->n_pulse;
    nfsar_vec3 mean = {0.0, 0.0, 0.0};
    double along = 0.0, a[3][4] = {{0.0}}, most = 0.0; /* the right-hand side is the last column */
    for (size_t l = 0; l < n; l++) {
        mean = nfsar_vec3_add(mean, nfsar_vec3_scale(h->sight[l], 1.0 / (double)n));
        along += nfsar_vec3_dot(h->sight[l], estimate->displacement_m[l]) / (double)n;
    }
    for (size_t l = 0; l < n; l++) {
        const nfsar_vec3 u = nfsar_vec3_subtract(h->sight[l], mean);
        const double row[4] = {u.x, u.y, u.z,
                               nfsar_vec3_dot(h->sight[l], estimate->displacement_m[l]) - along};
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 4; j++) {
                a[i][j] += row[i] * row[j];
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        most = fmax(most, a[i][i]);
    }
    for (int i = 0; i < 3; i++) {
        a[i][i] += ACROSS * most + 1e-30;
    }
    eliminate(3, 1, 4, a[0], &a[0][3]);
    nfsar_vec3 shift = {a[0][3], a[1][3], a[2][3]};
    shift = nfsar_vec3_add(shift, nfsar_vec3_scale(mean, along - nfsar_vec3_dot(shift, mean)));
    for (size_t l = 0; l < n; l++) {
        estimate->displacement_m[l] = nfsar_vec3_subtract(estimate->displacement_m[l], shift);
    }
}
