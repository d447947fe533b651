#include "calibration/channels_profiles.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "algorithms/sort.h"
#include "calibration/examine.h"

/* Steps of a profile in a range cell. */
#define STEPS 4.0
/* Phasors that may go into the profiles. */
#define PHASORS     2e8
#define MOST_PULSES 48
/* Leakage between a board's antennas comes from nearer than this. */
#define LEAKAGE_M 0.05
/* How likely noise alone may pass for a reflector, and what is too weak to lead a search even where
 * so many lines are averaged that noise does not come to it. */
#define FALSE_ALARM 1e-3
#define LEAST_DB    3.0
/* An echo is one of its own where it is so much more than a side lobe. */
#define SIDE_LOBE 4.0

enum nfsar_status channel_profiles_open(struct channel_lines *lines, double first, double last,
                                        struct channel_profiles *p, nfsar_error *error) {
    *p = (struct channel_profiles){.lines = lines, .first = first};
    p->step = 1.0 / (STEPS * lines->bandwidth_hz);
    p->n = (size_t)ceil((last - first) / p->step) + 2;
    double pulse = (double)(lines->n_channel * lines->n_sample) * (double)p->n;
    double many = fmin(fmax(floor(PHASORS / pulse), 2.0), MOST_PULSES);
    size_t wanted = (size_t)many;
    p->stride = lines->n_pulse > wanted ? lines->n_pulse / wanted : 1;
    p->n_row = (lines->n_pulse + p->stride - 1) / p->stride;
    p->power = malloc(p->n_row * lines->n_channel * p->n * sizeof *p->power);
    if (p->power == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return channel_lines_profiles(lines, p->stride, p->first, p->step, p->n, p->power, error);
}

void channel_profiles_close(struct channel_profiles *p) {
    free(p->power);
    p->power = NULL;
}

double channel_profiles_at(const struct channel_profiles *p, size_t row, size_t channel, double t) {
    double place = (t - p->first) / p->step;
    if (!(place >= 0.0) || place >= (double)(p->n - 1)) {
        return 0.0;
    }
    size_t i = (size_t)place;
    double part = place - (double)i;
    const float *line = p->power + (row * p->lines->n_channel + channel) * p->n;
    return (1.0 - part) * (double)line[i] + part * (double)line[i + 1];
}

double channel_profiles_power(const struct channel_profiles *p, size_t channel, nfsar_vec3 place,
                              double more) {
    size_t n_channel = p->lines->n_channel;
    size_t from = channel < n_channel ? channel : 0,
           to = channel < n_channel ? channel : n_channel - 1;
    double sum = 0.0;
    for (size_t row = 0; row < p->n_row; row++) {
        for (size_t c = from; c <= to; c++) {
            size_t line = row * p->stride * n_channel + c;
            sum +=
                channel_profiles_at(p, row, c, more + channel_lines_delay(p->lines, line, place));
        }
    }
    return sum / (double)(p->n_row * (to - from + 1));
}

enum nfsar_status channel_profiles_median(const struct channel_profiles *p, double *median,
                                          nfsar_error *error) {
    double *mean = calloc(p->n, sizeof *mean);
    if (mean == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    size_t n_line = p->n_row * p->lines->n_channel;
    for (size_t line = 0; line < n_line; line++) {
        for (size_t i = 0; i < p->n; i++) {
            mean[i] += (double)p->power[line * p->n + i] / (double)n_line;
        }
    }
    *median = sort_median(mean, p->n);
    free(mean);
    return NFSAR_OK;
}

void channel_profiles_delays(const struct channel_lines *lines, nfsar_vec3 place, double *least,
                             double *mean, double *most) {
    const struct channel_lines *l = lines;
    *least = INFINITY;
    *mean = *most = 0.0;
    for (size_t line = 0; line < l->n_line; line++) {
        double t = channel_lines_delay(l, line, place);
        *least = fmin(*least, t);
        *most = fmax(*most, t);
        *mean += t / (double)l->n_line;
    }
}

double channel_profiles_noise_db(const struct channel_profiles *p, double tried) {
    double n_line = (double)(p->n_row * p->lines->n_channel);
    double noise = examine_mean_power(n_line, FALSE_ALARM / tried);
    return fmax(10.0 * log10(noise / examine_mean_power(n_line, 0.5)), LEAST_DB);
}

double channel_profiles_leakage_m(const struct channel_lines *lines) {
    return LEAKAGE_M + CHANNEL_PROFILES_LOBE * 0.5 * NFSAR_SPEED_OF_LIGHT / lines->bandwidth_hz;
}

/* Power of the taper's response, d cells away: main lobe, then the side lobes' envelope. */
static double lobe(enum nfsar_window window, double d) {
    if (window == NFSAR_WINDOW_RECTANGULAR) {
        double sinc = d > 0.0 ? sin(NFSAR_PI * d) / (NFSAR_PI * d) : 1.0;
        return d < 1.0 ? sinc * sinc : 1.0 / (NFSAR_PI * NFSAR_PI * d * d);
    }
    if (d < 2.0) {
        double near_one = fabs(d - 1.0) < 1e-3 ? 1.0 + 1e-3 : d;
        double wave = d > 0.0 ? sin(NFSAR_PI * near_one) / (NFSAR_PI * near_one) : 1.0;
        double value = wave / (1.0 - near_one * near_one);
        return d > 0.0 ? value * value : 1.0;
    }
    double value = 1.0 / (NFSAR_PI * d * (d * d - 1.0));
    return value * value;
}

bool channel_profiles_side_lobe(const struct channel_profiles *p, enum nfsar_window taper,
                                nfsar_vec3 place, const double window[2], double common,
                                double *from) {
    const size_t all = p->lines->n_channel;
    double least, mean, most, strongest = 0.0;
    channel_profiles_delays(p->lines, place, &least, &mean, &most);
    double found = channel_profiles_power(p, all, place, common);
    double last = p->first + (double)(p->n - 2) * p->step;
    for (double more = p->first - least; more <= last - most; more += p->step) {
        if (more >= window[0] && more <= window[1]) {
            continue;
        }
        double other = channel_profiles_power(p, all, place, more);
        double leaks = other * lobe(taper, fabs(more - common) * p->lines->bandwidth_hz);
        if (other > found && found < SIDE_LOBE * leaks && other > strongest) {
            strongest = other;
            *from = more;
        }
    }
    return strongest > 0.0;
}
