/* What was found, put into a capture. */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nfsar_phase_gradient_options nfsar_phase_gradient_defaults(void) {
    return (nfsar_phase_gradient_options){.scatterers = 24, .align = true, .rounds = 8};
}

void nfsar_phase_gradient_free(nfsar_phase_gradient *found) {
    free(found->time_s);
    free(found->displacement_m);
    free(found->phase_rad);
    free(found->scatterer);
    memset(found, 0, sizeof *found);
}

void nfsar_phase_gradient_move(const nfsar_phase_gradient *found, nfsar_capture *capture) {
    size_t after = 0;
    for (size_t i = 0; i < capture->n_pose; i++) {
        const double time = capture->pose_time_s[i];
        while (after < found->n_pulse && found->time_s[after] < time) {
            after++;
        }
        nfsar_vec3 move = found->displacement_m[after < found->n_pulse ? after : after - 1];
        if (after > 0 && after < found->n_pulse) {
            const double from = found->time_s[after - 1], to = found->time_s[after];
            const double part = (time - from) / (to - from);
            move = nfsar_vec3_add(nfsar_vec3_scale(found->displacement_m[after - 1], 1.0 - part),
                                  nfsar_vec3_scale(found->displacement_m[after], part));
        }
        capture->pose[i].position = nfsar_vec3_add(capture->pose[i].position, move);
    }
}

void phase_turn(const double *phase, size_t pulse_samples, size_t first, size_t n,
                float complex *echo) {
    for (size_t l = 0; l < n; l++) {
        const double angle = -phase[first + l];
        const float complex by = (float complex)(cos(angle) + I * sin(angle));
        for (size_t i = 0; i < pulse_samples; i++) {
            echo[l * pulse_samples + i] *= by;
        }
    }
}

void nfsar_phase_gradient_turn(const nfsar_phase_gradient *found, const nfsar_capture *capture,
                               size_t first_pulse, size_t n_pulse, float complex *echo) {
    phase_turn(found->phase_rad, capture->array.n_channel * capture->n_sample, first_pulse, n_pulse,
               echo);
}
