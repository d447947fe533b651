/* Gaps of the IMU: how far the straight line between the readings at both ends is from what
 * happened, told by what it leaves out over stretches as long where there are readings
 * (docs/theory/trajectory.md). */
#include "calibration/trajectory/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Stretches begin so many to their length. */
#define OVERLAP 4.0
/* Those tell of a gap that lie so near to it, in its lengths, and in seconds at least. */
#define NEAR_LENGTHS 8.0
#define NEAR_S       4.0
/* Fewer tell nothing of how a hand moves: then it is an acceleration and a rate that stay as long
 * as the gap. */
#define STRETCHES            3
#define UNKNOWN_ACCELERATION 2.0
#define UNKNOWN_RATE         1.0

/* All stretches of a length, for gaps that are no longer, and not much shorter. */
struct survey {
    double length;
    size_t n;
    double *middle;                            /* [n] times */
    double (*open)[UNSEEN], (*closed)[UNSEEN]; /* [n] densities, see struct gap */
};

static void axes_of(const nfsar_imu_record *r, double out[UNSEEN]) {
    const double all[UNSEEN] = {r->acceleration.x, r->acceleration.y, r->acceleration.z,
                                r->rate.x,         r->rate.y,         r->rate.z};
    memcpy(out, all, sizeof all);
}

/* What a line leaves out of readings first .. last, integrated once and twice up to reading i. */
struct left_out {
    const nfsar_imu_record *imu;
    size_t first, last;
    double before[UNSEEN], once[UNSEEN], twice[UNSEEN];
};

static double length_of(const struct left_out *l) {
    return l->imu[l->last].time_s - l->imu[l->first].time_s;
}

static void go_on(struct left_out *l, size_t i) {
    const double t = l->imu[i].time_s - l->imu[i - 1].time_s;
    const double share = (l->imu[i].time_s - l->imu[l->first].time_s) / length_of(l);
    double from[UNSEEN], to[UNSEEN], now[UNSEEN];
    axes_of(&l->imu[l->first], from);
    axes_of(&l->imu[l->last], to);
    axes_of(&l->imu[i], now);
    for (int k = 0; k < UNSEEN; k++) {
        const double left = now[k] - (1.0 - share) * from[k] - share * to[k];
        const double more = 0.5 * t * (l->before[k] + left);
        l->twice[k] += t * (l->once[k] + 0.5 * more);
        l->once[k] += more;
        l->before[k] = left;
    }
}

/* Densities of white noise that leave as much: at the end of the stretch, when nothing tells how it
 * ends; and on the way, on average, when speed and place (of a rate: angle) are told at both ends,
 * which takes the best line out. Of white noise these are q T in speed, q T^3 / 420 in place and
 * q T / 6 in angle. */
static void look_at(const nfsar_imu_record *imu, size_t first, size_t last, double open[UNSEEN],
                    double closed[UNSEEN]) {
    struct left_out all = {imu, first, last, {0}, {0}, {0}}, way = all;
    const double length = length_of(&all);
    double mean[UNSEEN] = {0};
    for (size_t i = first + 1; i <= last; i++) {
        go_on(&all, i);
    }
    for (size_t i = first + 1; i <= last; i++) {
        const double t = imu[i].time_s - imu[i - 1].time_s, s = imu[i].time_s - imu[first].time_s;
        go_on(&way, i);
        for (int k = 0; k < UNSEEN; k++) {
            const double speed = all.once[k] * length, place = all.twice[k], u = s / length;
            const double off = k < 3 ? way.twice[k] - u * u * (3.0 * place - speed) -
                                           u * u * u * (speed - 2.0 * place)
                                     : way.once[k] - u * all.once[k];
            mean[k] += off * off * t / length;
        }
    }
    for (int k = 0; k < UNSEEN; k++) {
        open[k] = all.once[k] * all.once[k] / length;
        closed[k] = k < 3 ? 420.0 * mean[k] / (length * length * length) : 6.0 * mean[k] / length;
    }
}

/* Whether readings first .. last have no gap between. */
static bool is_whole(const struct track *track, size_t first, size_t last) {
    const nfsar_imu_record *imu = track->records->imu;
    for (size_t i = first; i < last; i++) {
        if (imu[i + 1].time_s - imu[i].time_s > track->gap_s) {
            return false;
        }
    }
    return true;
}

static void survey_free(struct survey *survey) {
    free(survey->middle);
    free(survey->open);
    free(survey->closed);
    *survey = (struct survey){0};
}

static enum nfsar_status survey_make(const struct track *track, double length,
                                     struct survey *survey, nfsar_error *error) {
    const nfsar_sensor_records *r = track->records;
    const double step = length / OVERLAP, all = r->imu[r->n_imu - 1].time_s - r->imu[0].time_s;
    const size_t room = (size_t)fmin((double)r->n_imu, ceil(all / step) + 1.0);
    *survey =
        (struct survey){length, 0, calloc(room, sizeof *survey->middle),
                        calloc(room, sizeof *survey->open), calloc(room, sizeof *survey->closed)};
    if (survey->middle == NULL || survey->open == NULL || survey->closed == NULL) {
        survey_free(survey);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu records", r->n_imu);
    }
    size_t last = 0;
    for (size_t first = 0; survey->n < room;) {
        const double from = r->imu[first].time_s;
        while (last < r->n_imu && r->imu[last].time_s < from + length) {
            last++;
        }
        if (last == r->n_imu) {
            break;
        }
        if (is_whole(track, first, last)) {
            const size_t i = survey->n++;
            survey->middle[i] = from + 0.5 * length;
            look_at(r->imu, first, last, survey->open[i], survey->closed[i]);
        }
        while (r->imu[first].time_s < from + step) {
            first++;
        }
    }
    return NFSAR_OK;
}

/* Means of the stretches near the gap. */
static void take(const struct survey *survey, struct gap *gap) {
    const double length = gap->to - gap->from, middle = 0.5 * (gap->from + gap->to);
    const double near = fmax(NEAR_LENGTHS * length, NEAR_S);
    size_t n = 0;
    for (size_t i = 0; i < survey->n; i++) {
        if (fabs(survey->middle[i] - middle) <= near) {
            n++;
            for (int k = 0; k < UNSEEN; k++) {
                gap->open[k] += survey->open[i][k];
                gap->closed[k] += survey->closed[i][k];
            }
        }
    }
    for (int k = 0; k < UNSEEN; k++) {
        const double stays = k < 3 ? UNKNOWN_ACCELERATION : UNKNOWN_RATE;
        gap->open[k] = n < STRETCHES ? stays * stays * length : gap->open[k] / (double)n;
        gap->closed[k] = n < STRETCHES ? stays * stays * length : gap->closed[k] / (double)n;
    }
}

enum nfsar_status imu_gaps_find(struct track *track, nfsar_error *error) {
    const nfsar_sensor_records *r = track->records;
    size_t n = 0;
    for (size_t i = 0; i + 1 < r->n_imu; i++) {
        n += r->imu[i + 1].time_s - r->imu[i].time_s > track->gap_s;
    }
    track->gap = n > 0 ? calloc(n, sizeof *track->gap) : NULL;
    if (n > 0 && track->gap == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu gaps", n);
    }
    double shortest = INFINITY, longest = 0.0;
    for (size_t i = 0; i + 1 < r->n_imu; i++) {
        const double from = r->imu[i].time_s, to = r->imu[i + 1].time_s;
        if (to - from > track->gap_s) {
            track->gap[track->n_gap++] = (struct gap){.reading = i, .from = from, .to = to};
            shortest = fmin(shortest, to - from);
            longest = fmax(longest, to - from);
        }
    }
    /* There may be thousands: one survey for those of like length. */
    enum nfsar_status status = NFSAR_OK;
    for (double length = shortest; status == NFSAR_OK && length <= longest;) {
        struct survey survey = {0};
        double next = INFINITY;
        status = survey_make(track, length, &survey, error);
        for (size_t i = 0; status == NFSAR_OK && i < track->n_gap; i++) {
            const double is = track->gap[i].to - track->gap[i].from;
            if (is >= length && is < 1.1 * length) {
                take(&survey, &track->gap[i]);
            } else if (is >= 1.1 * length) {
                next = fmin(next, is);
            }
        }
        survey_free(&survey);
        length = next;
    }
    return status;
}

struct gap *imu_gap_at(const struct track *track, size_t reading) {
    size_t low = 0, high = track->n_gap;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (track->gap[middle].reading < reading) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < track->n_gap && track->gap[low].reading == reading ? &track->gap[low] : NULL;
}

/* Variance along a world vector, of the three errors from `at` on. */
static double variance_along(const double *covariance, int at, nfsar_vec3 u) {
    const double v[3] = {u.x, u.y, u.z};
    double sum = 0.0;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            sum += v[i] * covariance[(at + i) * ERRORS + at + j] * v[j];
        }
    }
    return sum;
}

void imu_gap_enter(struct gap *gap, const struct state *state, const double *covariance) {
    const nfsar_vec3 axis[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    const double length = gap->to - gap->from;
    for (int k = 0; k < UNSEEN; k++) {
        const nfsar_vec3 u = nfsar_quaternion_rotate(state->rotation, axis[k % 3]);
        const double known = variance_along(covariance, k < 3 ? VELOCITY : ROTATION, u);
        const double open = gap->open[k], closed = gap->closed[k];
        /* A speed that a gap changes less than the filter knows it is not told by its ends. */
        const double told = closed > 0.0 ? closed * length / (closed * length + 4.0 * known) : 0.0;
        const double density =
            open > 0.0 && closed > 0.0 ? open * pow(closed / open, told) : fmax(open, closed);
        *(k < 3 ? &gap->unseen.acceleration[k] : &gap->unseen.rate[k - 3]) = density;
    }
    gap->entered = true;
}
