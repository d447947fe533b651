/* The lines of a capture (a line: one channel of one pulse) reduced to what fitting a point needs:
 *   s0 = sum w y exp(-j 2 pi f t) / sum w,
 *   s1 = sum w x y exp(-j 2 pi f t) / sum w x^2,  x = 2 pi (f - centre),
 * w the taper, y the samples, t the delay that is tried for the line. For y = g exp(+j 2 pi f (t +
 * d)) with small d: s0 = g exp(+j 2 pi centre d), and Im(s1 / s0) = d. */
#ifndef NFSAR_CALIBRATION_CHANNELS_LINES_H
#define NFSAR_CALIBRATION_CHANNELS_LINES_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/window.h>

/* |z|^2 */
static inline double channel_power(double complex z) {
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

struct channel_lines {
    const nfsar_capture *whole;   /* as it was opened, with all its pulses */
    const nfsar_capture *capture; /* &used, once open: not to be moved */
    nfsar_capture used; /* the capture as if it had the pulses that are used and no others:
                           time_s and flags are this struct's, no echo */
    size_t n_channel, n_sample;
    size_t n_pulse;   /* that are used: those that miss samples are not, and of very many a part */
    size_t n_missing; /* that miss samples */
    size_t *pulse;    /* [n_pulse] which of the capture's they are, ascending */
    size_t n_line;    /* n_pulse * n_channel, channel fastest */
    double *omega;    /* [n_sample] 2 pi f */
    double *taper;    /* [n_sample] */
    double centre_hz; /* mean frequency, weighted with the taper */
    double bandwidth_hz; /* highest less lowest */
    double step_hz;      /* mean step */
    bool uniform;        /* frequencies in equal steps */
    double sum_w, sum_wxx;
    double phase_weight;   /* variance of the phase of s0 is noise / (2 |g|^2 phase_weight) */
    double delay_weight;   /* likewise of Im(s1 / s0), s^2 */
    nfsar_vec3 *tx, *rx;   /* [n_line] */
    float complex *sample; /* [n_line][n_sample] */
};

/* Reads all samples that are used. NFSAR_ERROR_FORMAT where every pulse misses some. */
enum nfsar_status channel_lines_open(const nfsar_capture *capture, const nfsar_echo_source *source,
                                     enum nfsar_window window, struct channel_lines *lines,
                                     nfsar_error *error);
void channel_lines_close(struct channel_lines *lines);

/* s0 and s1 of every line at the delays t[n_line]; s1 may be NULL. */
enum nfsar_status channel_lines_sum(struct channel_lines *lines, const double *t,
                                    double complex *s0, double complex *s1, nfsar_error *error);

/* Power profiles of the pulses 0, stride, 2 stride, ...: |s0|^2 at the delays first + i step,
 * i < n, into power[lines of those pulses][n]. */
enum nfsar_status channel_lines_profiles(struct channel_lines *lines, size_t stride, double first,
                                         double step, size_t n, float *power, nfsar_error *error);

/* (R_T + R_R) / c of a line, and its gradient along the place. */
double channel_lines_delay(const struct channel_lines *lines, size_t line, nfsar_vec3 place);
nfsar_vec3 channel_lines_gradient(const struct channel_lines *lines, size_t line, nfsar_vec3 place);

/* Where the radar is at a pulse: the mean phase centre of its channels, and its orientation. */
nfsar_quaternion channel_lines_radar(const struct channel_lines *lines, size_t pulse,
                                     nfsar_vec3 *centre);

#endif
