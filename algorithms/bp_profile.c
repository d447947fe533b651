/* Range profiles: q(r) = sum_n w_n s_n exp(-j(k_n - k_c) r) on a grid of two-way ranges r, dense
 * enough for what follows them: k_n - k_c turns by at most k_half range_step between samples. */
#include "algorithms/bp_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* One line by FFT: equally spaced wavenumbers. With r = i * range_step the terms turn by
 * -n k_step r = -+2 pi n i / length. */
static void compress_line(const nfsar_bp_plan *plan, const float complex *line, long first_bin,
                          float complex *work, float *re, float *im) {
    size_t n = plan->capture->n_sample, length = plan->length;
    bool down = plan->k_step < 0.0;
    for (size_t i = 0; i < n; i++) {
        work[i] = line[down ? n - 1 - i : i] * plan->frequency_taper[i];
    }
    memset(work + n, 0, (length - n) * sizeof *work);
    fftwf_execute_dft(plan->compress, work, work);
    long wrapped = first_bin % (long)length;
    size_t at = (size_t)(wrapped < 0 ? wrapped + (long)length : wrapped);
    for (size_t i = 0; i < plan->lines.gate; i++) {
        float complex value = work[at] * plan->turn[i];
        re[i] = crealf(value);
        im[i] = cimagf(value);
        at = at + 1 < length ? at + 1 : 0;
    }
}

/* The transform counts frequency from its first sample; profiles are about the band's middle, where
 * they turn slowest: exp(+j middle k_step r) for every range of the gate. */
static void fill_turns(nfsar_bp_plan *plan, long first_bin) {
    double middle = 0.5 * (double)(plan->capture->n_sample - 1);
    for (size_t i = 0; i < plan->lines.gate; i++) {
        double bin = (double)(first_bin + (long)i);
        double turns = fmod(middle * bin / (double)plan->length, 1.0);
        plan->turn[i] = (float complex)cexp(2.0 * NFSAR_PI * turns * I);
    }
}

/* One line by the sum as it stands: a list of frequencies with any spacing. */
static void sum_line(const nfsar_bp_plan *plan, const float complex *line, float *re, float *im) {
    for (size_t i = 0; i < plan->lines.gate; i++) {
        double range = plan->lines.range_first + plan->lines.range_step * (double)i;
        double complex sum = 0.0;
        for (size_t n = 0; n < plan->capture->n_sample; n++) {
            double phase = (plan->wavenumber[n] - plan->k_centre) * range;
            sum += (double complex)(line[n] * plan->frequency_taper[n]) *
                   (cos(phase) - I * sin(phase));
        }
        re[i] = (float)creal(sum);
        im[i] = (float)cimag(sum);
    }
}

void bp_profile_compress(nfsar_bp_plan *plan, size_t n_pulse) {
    struct bp_lines *lines = &plan->lines;
    struct bp_span span = {.nearest = INFINITY};
    bp_span_widen(plan, &plan->shape, plan->tx, plan->rx, n_pulse * lines->n_link, &span);
    double first_bin = floor(span.nearest / lines->range_step) - BANDFIT_TAPS / 2;
    lines->gate =
        (size_t)(ceil(span.farthest / lines->range_step) + BANDFIT_TAPS / 2 + 1.0 - first_bin);
    lines->range_first = first_bin * lines->range_step;
    fill_turns(plan, (long)first_bin);
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (size_t p = 0; p < n_pulse * lines->n_link; p++) {
        size_t channel = plan->channel[p % lines->n_link];
        const float complex *line =
            plan->samples + (p / lines->n_link * lines->n_link + channel) * plan->capture->n_sample;
        float *re = plan->profile + 2 * p * lines->pitch, *im = re + lines->pitch;
        if (plan->uniform) {
            float complex *work = plan->scratch + (size_t)omp_get_thread_num() * bp_pitch(plan);
            compress_line(plan, line, (long)first_bin, work, re, im);
        } else {
            sum_line(plan, line, re, im);
        }
    }
}
