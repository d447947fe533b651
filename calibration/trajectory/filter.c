#include "calibration/trajectory/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/trajectory/records.h"

/* Chi-square of so many degrees of freedom is above this once in ten thousand times. */
static const double gates[MEASURED + 1] = {0.0, 15.14, 18.42, 21.11, 23.51, 25.74, 27.86};

/* ---- the time axis -------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    if (x->time != y->time) {
        return x->time > y->time ? 1 : -1;
    }
    return (x->what.sensor > y->what.sensor) - (x->what.sensor < y->what.sensor);
}

/* Flow tells nothing where nobody knows how far away the surface is. */
static bool is_wanted(const struct track *track, enum nfsar_sensor sensor) {
    return sensor != NFSAR_SENSOR_FLOW || track->records->n_range > 0 ||
           track->scene.pod->surface.distance_m > 0.0;
}

/* A node for each time that a pose is wanted at in a gap of the IMU, but for those as near to one
 * another as its readings: covariances differ from one to the next. They go to event[] if it is not
 * NULL; the number of them. */
static size_t add_wanted(const struct track *track, const double *time_s, size_t n,
                         struct event *event) {
    size_t added = 0, i = 0;
    for (size_t g = 0; g < track->n_gap; g++) {
        const struct gap *gap = &track->gap[g];
        const double apart = track->gap_s / GAP_FACTOR;
        double last = fmax(gap->from, track->begin);
        for (; i < n && time_s[i] <= gap->to - apart; i++) {
            if (time_s[i] >= last + apart) {
                last = time_s[i];
                if (event != NULL) {
                    event[added] = (struct event){last, {NFSAR_SENSOR_IMU, NULL}};
                }
                added++;
            }
        }
    }
    return added;
}

enum nfsar_status filter_events(struct track *track, const double *time_s, size_t n,
                                nfsar_sensor_use use[NFSAR_SENSORS], nfsar_error *error) {
    const nfsar_sensor_records *r = track->records;
    const struct {
        const char *array;
        size_t n, size;
    } all[NFSAR_SENSORS] = {
        {(const char *)r->imu, r->n_imu, sizeof *r->imu},
        {(const char *)r->flow, r->n_flow, sizeof *r->flow},
        {(const char *)r->range, r->n_range, sizeof *r->range},
        {(const char *)r->tracker, r->n_tracker, sizeof *r->tracker},
        {(const char *)r->encoder, r->n_encoder, sizeof *r->encoder},
    };
    const double end = r->imu[r->n_imu - 1].time_s;
    size_t room = 1 + add_wanted(track, time_s, n, NULL);
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        room += all[s].n;
    }
    track->event = calloc(room, sizeof *track->event);
    if (track->event == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu records", room);
    }
    /* The start is a node, whether or not a reading is of that time. */
    track->event[track->n_event++] = (struct event){track->begin, {NFSAR_SENSOR_IMU, NULL}};
    track->n_event += add_wanted(track, time_s, n, track->event + 1);
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        for (size_t i = 0; i < all[s].n; i++) {
            struct event event = {0.0, {(enum nfsar_sensor)s, all[s].array + i * all[s].size}};
            memcpy(&event.time, event.what.record, sizeof event.time);
            if (event.time < track->begin || event.time > end ||
                !is_wanted(track, (enum nfsar_sensor)s)) {
                use[s].left_out++;
            } else {
                track->event[track->n_event++] = event;
            }
        }
    }
    qsort(track->event, track->n_event, sizeof *track->event, compare);
    return NFSAR_OK;
}

/* ---- readings of the IMU at any time -------------------------------------------------------- */

nfsar_imu_record imu_between(const nfsar_sensor_records *records, size_t i, double time) {
    const nfsar_imu_record *a = &records->imu[i], *b = a + 1;
    const double f = (time - a->time_s) / (b->time_s - a->time_s);
    return (nfsar_imu_record){
        time,
        nfsar_vec3_add(nfsar_vec3_scale(a->acceleration, 1.0 - f),
                       nfsar_vec3_scale(b->acceleration, f)),
        nfsar_vec3_add(nfsar_vec3_scale(a->rate, 1.0 - f), nfsar_vec3_scale(b->rate, f)),
    };
}

static struct step step_between(const struct track *track, size_t i, double to,
                                const struct state *state, const double *covariance, double from) {
    const nfsar_sensor_records *r = track->records;
    const nfsar_imu_record middle = imu_between(r, i, 0.5 * (from + to));
    struct gap *gap = imu_gap_at(track, i);
    if (gap != NULL && !gap->entered) {
        imu_gap_enter(gap, state, covariance);
    }
    return (struct step){to - from, middle.acceleration, middle.rate,
                         gap != NULL ? &gap->unseen : NULL};
}

/* ---- one correction ------------------------------------------------------------------------- */

/* x = b s^-1 for small symmetric s[n][n] (lower triangle), by Cholesky; b and x are [rows][n]. */
static bool divide_small(const double *b, size_t rows, double s[MEASURED][MEASURED], int n,
                         double *x) {
    double l[MEASURED][MEASURED];
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = s[i][j];
            for (int k = 0; k < j; k++) {
                sum -= l[i][k] * l[j][k];
            }
            if (i == j && !(sum > 0.0)) {
                return false;
            }
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    }
    for (size_t row = 0; row < rows; row++) {
        double y[MEASURED];
        for (int i = 0; i < n; i++) {
            y[i] = b[row * (size_t)n + (size_t)i];
            for (int k = 0; k < i; k++) {
                y[i] -= l[i][k] * y[k];
            }
            y[i] /= l[i][i];
        }
        for (int i = n; i-- > 0;) {
            for (int k = i + 1; k < n; k++) {
                y[i] -= l[k][i] * y[k];
            }
            y[i] /= l[i][i];
            x[row * (size_t)n + (size_t)i] = y[i];
        }
    }
    return true;
}

/* The error after a rotation by `turn` went into the nominal state: (I + [turn]x / 2) of that
 * before (Sola 2017, section 6.3, in world axes). */
static void reset_matrix(const double *turn, double *reset) {
    const double x = 0.5 * turn[0], y = 0.5 * turn[1], z = 0.5 * turn[2];
    const double m[3][3] = {{1, -z, y}, {z, 1, -x}, {-y, x, 1}};
    memset(reset, 0, MATRIX * sizeof *reset);
    for (int i = 0; i < ERRORS; i++) {
        reset[i * ERRORS + i] = 1.0;
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            reset[(ROTATION + i) * ERRORS + ROTATION + j] = m[i][j];
        }
    }
}

/* Joseph's form: (I - K H) P (I - K H)^T + K R K^T, then the reset. */
static void update_covariance(const double *gain, const double *jacobian, const double *variance,
                              int n, const double *error, double *covariance) {
    double left[MATRIX], kept[MATRIX], reset[MATRIX];
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j < ERRORS; j++) {
            double sum = i == j ? 1.0 : 0.0;
            for (int k = 0; k < n; k++) {
                sum -= gain[i * n + k] * jacobian[k * ERRORS + j];
            }
            left[i * ERRORS + j] = sum;
        }
    }
    matrix_congruence(left, covariance, kept);
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j < ERRORS; j++) {
            for (int k = 0; k < n; k++) {
                kept[i * ERRORS + j] += gain[i * n + k] * variance[k] * gain[j * n + k];
            }
        }
    }
    reset_matrix(error + ROTATION, reset);
    matrix_congruence(reset, kept, covariance);
}

/* residual[n], of covariance s, beside those of the record before. */
static void compare_neighbours(struct neighbours *of, const double *residual,
                               double s[MEASURED][MEASURED], int n) {
    for (int i = 0; i < n; i++) {
        const double now = residual[i] / sqrt(s[i][i]);
        of->product[i] += of->there ? now * of->before[i] : 0.0;
        of->before[i] = now;
    }
    of->n += of->there;
    of->there = true;
}

/* Mean product, of the worst axis. */
static double alike(const struct neighbours *of) {
    double worst = 0.0;
    for (int i = 0; of->n > 0 && i < MEASURED; i++) {
        worst = fmax(worst, of->product[i] / (double)of->n);
    }
    return worst;
}

static void correct(const struct scene_of_sensors *scene, const struct measurement *what,
                    struct state *state, double *covariance, struct neighbours *neighbours,
                    nfsar_sensor_use *use) {
    double residual[MEASURED], variance[MEASURED], jacobian[MEASURED * ERRORS];
    const int n = measure_linear(scene, what, state, residual, variance, jacobian);
    if (n == 0) {
        use->left_out++;
        return;
    }
    double cross[ERRORS * MEASURED], gain[ERRORS * MEASURED], s[MEASURED][MEASURED];
    for (int i = 0; i < ERRORS; i++) {
        for (int k = 0; k < n; k++) {
            double sum = 0.0;
            for (int j = 0; j < ERRORS; j++) {
                sum += covariance[i * ERRORS + j] * jacobian[k * ERRORS + j];
            }
            cross[i * n + k] = sum;
        }
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
            double sum = i == k ? variance[i] : 0.0;
            for (int j = 0; j < ERRORS; j++) {
                sum += jacobian[i * ERRORS + j] * cross[j * n + k];
            }
            s[i][k] = sum;
        }
    }
    double weighted[MEASURED], squared = 0.0;
    if (!divide_small(residual, 1, s, n, weighted) || !divide_small(cross, ERRORS, s, n, gain)) {
        use->left_out++;
        return;
    }
    for (int i = 0; i < n; i++) {
        squared += weighted[i] * residual[i];
    }
    if (!(squared <= gates[n])) {
        use->rejected++;
        neighbours->there = false;
        return;
    }
    compare_neighbours(neighbours, residual, s, n);
    double error[ERRORS];
    for (int i = 0; i < ERRORS; i++) {
        error[i] = 0.0;
        for (int k = 0; k < n; k++) {
            error[i] += gain[i * n + k] * residual[k];
        }
    }
    update_covariance(gain, jacobian, variance, n, error, covariance);
    state_add(state, error);
    use->used++;
    use->nis += squared / (double)n; /* the sum, until the end */
}

/* ---- forward -------------------------------------------------------------------------------- */

static enum nfsar_status allocate(struct track *track, nfsar_error *error) {
    size_t n = 1;
    for (size_t i = 1; i < track->n_event; i++) {
        n += track->event[i].time > track->event[i - 1].time;
    }
    track->node = calloc(n, sizeof *track->node);
    track->packed = calloc(n, PACKED * sizeof *track->packed);
    return track->node != NULL && track->packed != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu records",
                            track->n_event);
}

static bool is_good(const struct state *s, const double *covariance) {
    double sum = nfsar_vec3_norm(s->position) + nfsar_vec3_norm(s->velocity) + s->distance +
                 nfsar_vec3_norm(s->acceleration_bias) + nfsar_vec3_norm(s->rate_bias) +
                 s->flow_scale + s->normal[0] + s->normal[1];
    for (int i = 0; i < ERRORS; i++) {
        sum += sqrt(covariance[i * ERRORS + i]); /* not a number when it became negative */
    }
    return isfinite(sum);
}

enum nfsar_status filter_run(struct track *track, const struct state *start,
                             const double *covariance, nfsar_sensor_use use[NFSAR_SENSORS],
                             nfsar_error *error) {
    enum nfsar_status status = allocate(track, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_sensor_records *r = track->records;
    struct state state = *start;
    double p[MATRIX], moved[MATRIX], transition[MATRIX], noise[MATRIX];
    memcpy(p, covariance, sizeof p);
    size_t reading = 0;
    double time = track->begin;
    for (size_t i = 0; i < track->n_event;) {
        if (track->event[i].time > time) {
            while (reading + 2 < r->n_imu && r->imu[reading + 1].time_s <= time) {
                reading++;
            }
            struct node *last = &track->node[track->n_node - 1];
            last->step = step_between(track, reading, track->event[i].time, &state, p, time);
            state_transition(&state, &last->step, transition);
            state_noise(track->scene.pod, &state, &last->step, noise);
            matrix_congruence(transition, p, moved);
            for (int k = 0; k < MATRIX; k++) {
                p[k] = moved[k] + noise[k];
            }
            state_propagate(&state, &last->step, track->scene.pod->gravity);
            time = track->event[i].time;
        }
        while (reading + 2 < r->n_imu && r->imu[reading + 1].time_s <= time) {
            reading++;
        }
        track->scene.rate = imu_between(r, reading, time).rate;
        for (; i < track->n_event && track->event[i].time == time; i++) {
            const struct measurement *what = &track->event[i].what;
            if (what->sensor == NFSAR_SENSOR_IMU) {
                use[NFSAR_SENSOR_IMU].used += what->record != NULL;
            } else {
                correct(&track->scene, what, &state, p, &track->neighbours[what->sensor],
                        &use[what->sensor]);
            }
        }
        if (!is_good(&state, p)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "the filter lost itself at %.3f s: the records do not fit each other "
                              "or the pod",
                              time);
        }
        track->node[track->n_node] = (struct node){.time = time, .state = state};
        matrix_pack(p, track->packed + track->n_node++ * PACKED);
    }
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        use[s].nis = use[s].used > 0 ? use[s].nis / (double)use[s].used : 0.0;
        use[s].alike = alike(&track->neighbours[s]);
    }
    return NFSAR_OK;
}
