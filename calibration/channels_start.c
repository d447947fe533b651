#include "calibration/channels_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

/* Steps of a profile in a range cell. */
#define STEPS 4.0
/* Phasors that may go into the profiles. */
#define PHASORS     2e8
#define MOST_PULSES 48
/* Of channels beside their common delay, in cells: what boards differ by is less. */
#define APART_CELLS 1.5
/* Leakage between a board's antennas comes from nearer than this. */
#define LEAKAGE_M 0.05
/* What noise alone does not reach; with few lines it comes to 8 dB. */
#define CONTRAST_DB 11.0
/* Sines of the largest angles that are looked at. */
#define WIDEST 0.8

struct profiles {
    const struct channel_lines *lines;
    size_t stride, n_row; /* pulses */
    size_t n;             /* delays */
    double first, step;
    float *power; /* [n_row][n_channel][n] */
};

static double power_at(const struct profiles *p, size_t row, size_t channel, double t) {
    double place = (t - p->first) / p->step;
    if (!(place >= 0.0) || place >= (double)(p->n - 1)) {
        return 0.0;
    }
    size_t i = (size_t)place;
    double part = place - (double)i;
    const float *line = p->power + (row * p->lines->n_channel + channel) * p->n;
    return (1.0 - part) * (double)line[i] + part * (double)line[i + 1];
}

/* Mean power of one channel (or of all: channel == n_channel) at the place's delay and more. */
static double power_of(const struct profiles *p, size_t channel, nfsar_vec3 place, double more) {
    size_t n_channel = p->lines->n_channel;
    size_t from = channel < n_channel ? channel : 0,
           to = channel < n_channel ? channel : n_channel - 1;
    double sum = 0.0;
    for (size_t row = 0; row < p->n_row; row++) {
        for (size_t c = from; c <= to; c++) {
            size_t line = row * p->stride * n_channel + c;
            sum += power_at(p, row, c, more + channel_lines_delay(p->lines, line, place));
        }
    }
    return sum / (double)(p->n_row * (to - from + 1));
}

/* The same of about 64 lines, for the search of the place. */
static double power_of_some(const struct profiles *p, nfsar_vec3 place) {
    size_t n_channel = p->lines->n_channel;
    size_t each = 64 / p->n_row;
    each = each < 1 ? 1 : each < n_channel ? each : n_channel;
    double sum = 0.0;
    for (size_t row = 0; row < p->n_row; row++) {
        for (size_t i = 0; i < each; i++) {
            size_t c = (row + i * n_channel / each) % n_channel;
            size_t line = row * p->stride * n_channel + c;
            sum += power_at(p, row, c, channel_lines_delay(p->lines, line, place));
        }
    }
    return sum / (double)(p->n_row * each);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median over the delays of the mean power of all lines. */
static enum nfsar_status median_power(const struct profiles *p, double *median,
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
    qsort(mean, p->n, sizeof *mean, ascending);
    *median = mean[p->n / 2];
    free(mean);
    return NFSAR_OK;
}

static enum nfsar_status open_profiles(struct channel_lines *lines, double first, double last,
                                       struct profiles *p, nfsar_error *error) {
    *p = (struct profiles){.lines = lines, .first = first};
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

/* The place that the powers of all lines agree upon, looked for in all directions before the radar
 * in the middle of the scan. Where directions are alike the one ahead is taken. */
static nfsar_vec3 search_place(const struct profiles *p, double near_m, double far_m) {
    const struct channel_lines *l = p->lines;
    const nfsar_capture *capture = l->capture;
    size_t middle = l->n_pulse / 2;
    nfsar_vec3 centre = {0.0, 0.0, 0.0};
    for (size_t c = 0; c < l->n_channel; c++) {
        size_t line = middle * l->n_channel + c;
        centre = nfsar_vec3_add(centre, nfsar_vec3_midpoint(l->tx[line], l->rx[line]));
    }
    centre = nfsar_vec3_scale(centre, 1.0 / (double)l->n_channel);
    nfsar_pose pose = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                       capture->time_s[middle], NULL);
    double extent = 0.0;
    for (size_t row = 0; row < p->n_row; row++) {
        extent = fmax(extent, nfsar_vec3_distance(centre, l->tx[row * p->stride * l->n_channel]));
    }
    double cell = 0.5 * NFSAR_SPEED_OF_LIGHT / l->bandwidth_hz;
    double step = fmax(fmin(0.1, 0.5 * cell / fmax(extent, 1e-3)), 0.02);
    int n = (int)ceil(WIDEST / step);
    size_t n_range = (size_t)ceil((far_m - near_m) / (0.5 * cell)) + 1;
    double best = -1.0, best_aside = 0.0;
    nfsar_vec3 found = centre;
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int iy = -n; iy <= n; iy++) {
        for (int ix = -n; ix <= n; ix++) {
            double u = ix * step, v = iy * step, aside = u * u + v * v;
            if (aside > WIDEST * WIDEST) {
                continue;
            }
            nfsar_vec3 way =
                nfsar_quaternion_rotate(pose.orientation, (nfsar_vec3){u, v, sqrt(1.0 - aside)});
            double most = -1.0, at = near_m;
            for (size_t i = 0; i < n_range; i++) {
                double range = near_m + 0.5 * cell * (double)i;
                nfsar_vec3 place = nfsar_vec3_add(centre, nfsar_vec3_scale(way, range));
                double score = power_of_some(p, place) * (1.0 - 0.01 * aside);
                at = score > most ? range : at;
                most = fmax(most, score);
            }
#pragma omp critical(channels_start)
            if (most > best || (most == best && aside < best_aside)) {
                best = most;
                best_aside = aside;
                found = nfsar_vec3_add(centre, nfsar_vec3_scale(way, at));
            }
        }
    }
    return found;
}

/* The strongest delay of a channel (or all) within more +- half, in steps of an eighth cell. */
static double strongest(const struct profiles *p, size_t channel, nfsar_vec3 place, double more,
                        double half, double *power) {
    double step = 0.5 * p->step, best = -1.0, found = more;
    int n = (int)ceil(half / step);
    for (int i = -n; i <= n; i++) {
        double score = power_of(p, channel, place, more + i * step);
        if (score > best) {
            best = score;
            found = more + i * step;
        }
    }
    *power = best;
    return found;
}

static void delays_of(const struct channel_lines *l, nfsar_vec3 place, double *least,
                      double *most) {
    *least = INFINITY;
    *most = 0.0;
    for (size_t line = 0; line < l->n_line; line++) {
        double t = channel_lines_delay(l, line, place);
        *least = fmin(*least, t);
        *most = fmax(*most, t);
    }
}

enum nfsar_status channel_start_find(struct channel_lines *lines,
                                     const nfsar_channels_options *options, nfsar_vec3 *place,
                                     double *delay_s, double *contrast_db, nfsar_error *error) {
    double cell = 1.0 / lines->bandwidth_hz, first, last;
    double near_m = options->near_m, far_m = options->far_m;
    if (options->has_point) {
        delays_of(lines, options->point, &first, &last);
        double margin = fmax(options->search_delay_s + 2.0 * APART_CELLS * cell, 16.0 * cell);
        first -= margin;
        last += margin;
    } else {
        double unambiguous = 0.5 * NFSAR_SPEED_OF_LIGHT / lines->step_hz;
        if (near_m < 0.0 || far_m > unambiguous) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "gate %g to %g m: this capture's frequency steps tell ranges from 0 "
                              "to %.4g m only",
                              near_m, far_m, unambiguous);
        }
        double lobe = 1.25 * NFSAR_SPEED_OF_LIGHT * cell; /* half a main lobe and some more */
        far_m = far_m > 0.0 ? far_m : unambiguous - lobe; /* leakage appears there again */
        near_m = near_m > 0.0 ? near_m : LEAKAGE_M + lobe;
        if (!(far_m > near_m)) {
            return nfsar_fail(
                error, NFSAR_ERROR_ARGUMENT,
                "nothing lies between %g and %g m; ranges are unambiguous within %g m", near_m,
                far_m, unambiguous);
        }
        first = 2.0 * near_m / NFSAR_SPEED_OF_LIGHT;
        /* Beyond a narrow gate, so that the median is that of what else there is. */
        last = fmax(2.0 * far_m / NFSAR_SPEED_OF_LIGHT, first + 32.0 * cell);
    }
    struct profiles p;
    double median = 0.0, power = 0.0, common = 0.0;
    enum nfsar_status status = open_profiles(lines, first, last, &p, error);
    if (status == NFSAR_OK) {
        status = median_power(&p, &median, error);
    }
    if (status == NFSAR_OK) {
        *place = options->has_point ? options->point : search_place(&p, near_m, far_m);
        common = strongest(&p, lines->n_channel, *place, 0.0,
                           options->has_point ? options->search_delay_s : cell, &power);
        *contrast_db = 10.0 * log10(power / fmax(median, 1e-30 * power));
        if (!(power > 0.0)) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "all samples are zero");
        } else if (*contrast_db < CONTRAST_DB) {
            status = nfsar_fail(
                error, NFSAR_ERROR_FORMAT,
                "no reflector in the data%s: the strongest echo stands %.1f dB above the others, "
                "and noise alone comes to 8",
                options->has_point ? " near the point" : "", *contrast_db);
        }
    }
    for (size_t c = 0; status == NFSAR_OK && c < lines->n_channel; c++) {
        delay_s[c] = strongest(&p, c, *place, common, APART_CELLS * cell, &power);
    }
    free(p.power);
    return status;
}
