/* Rauch, Tung and Striebel's smoother on the error state, and what it says of windows of time. */
#include "calibration/trajectory/filter.h"

#include <math.h>
#include <string.h>

/* Windows that are looked at in one pass: they end a quarter of their length apart. */
enum { WINDOWS = 4 };

/* A window whose end is known: product[][] leads from the error at its end to that at the present
 * node, so that the covariance between both is product P_end. */
struct window {
    bool open;
    size_t end;
    double product[MATRIX];
};

nfsar_pose body_pose(const nfsar_pod *pod, const struct state *state) {
    const nfsar_vec3 arm = nfsar_quaternion_rotate(state->rotation, pod->imu.mounting.at_m);
    return (nfsar_pose){nfsar_vec3_subtract(state->position, arm), state->rotation};
}

/* The body is the IMU's point less R arm, whose error is rotation x R arm. */
void body_jacobian(const nfsar_pod *pod, const struct state *state, double *jacobian) {
    const nfsar_vec3 a = nfsar_quaternion_rotate(state->rotation, pod->imu.mounting.at_m);
    const double m[3][3] = {{0, -a.z, a.y}, {a.z, 0, -a.x}, {-a.y, a.x, 0}};
    memset(jacobian, 0, 6 * ERRORS * sizeof *jacobian);
    for (int i = 0; i < 3; i++) {
        jacobian[i * ERRORS + POSITION + i] = 1.0;
        jacobian[(3 + i) * ERRORS + ROTATION + i] = 1.0;
        for (int j = 0; j < 3; j++) {
            jacobian[i * ERRORS + ROTATION + j] = m[i][j];
        }
    }
}

/* I, but for the rotation I + first [turn]x + second [turn]x^2: with 1/2 and 1/6 the left Jacobian
 * of SO(3), with -1/2 and 1/12 its inverse, to the third order. The first alone would not do: both
 * are applied at each of ten thousand nodes, and what they leave of one another adds up. */
static void turn_matrix(const double *turn, double first, double second, double *out) {
    const double x = turn[0], y = turn[1], z = turn[2];
    const double m[3][3] = {{0, -z, y}, {z, 0, -x}, {-y, x, 0}};
    memset(out, 0, MATRIX * sizeof *out);
    for (int i = 0; i < ERRORS; i++) {
        out[i * ERRORS + i] = 1.0;
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            double square = 0.0;
            for (int k = 0; k < 3; k++) {
                square += m[i][k] * m[k][j];
            }
            out[(ROTATION + i) * ERRORS + ROTATION + j] += first * m[i][j] + second * square;
        }
    }
}

/* Smooth a node by the one behind it, which is smoothed. lead[][] tells how the error of that one
 * goes into the error of this one. */
static bool smooth_node(const nfsar_pod *pod, struct node *node, const struct node *next,
                        double *packed, const double *packed_next, double *lead) {
    double p[MATRIX], after[MATRIX], transition[MATRIX], noise[MATRIX], predicted[MATRIX];
    double work[MATRIX], gain[MATRIX], turn[MATRIX], error[ERRORS], change[ERRORS];
    struct state ahead = node->state;
    matrix_unpack(packed, p);
    matrix_unpack(packed_next, after);
    state_transition(&node->state, &node->step, transition);
    state_noise(pod, &node->state, &node->step, noise);
    matrix_congruence(transition, p, predicted);
    for (int i = 0; i < MATRIX; i++) {
        predicted[i] += noise[i];
    }
    matrix_multiply_transposed(p, transition, work);
    if (!matrix_divide(work, predicted, gain)) {
        return false;
    }
    state_propagate(&ahead, &node->step, pod->gravity);
    state_subtract(&next->state, &ahead, error);
    for (int i = 0; i < ERRORS; i++) {
        change[i] = 0.0;
        for (int j = 0; j < ERRORS; j++) {
            change[i] += gain[i * ERRORS + j] * error[j];
        }
    }
    /* Covariances belong to the axes of their own nominal rotation: `after` is brought to those of
     * the prediction, the result to those of the smoothed node. */
    turn_matrix(error + ROTATION, -0.5, 1.0 / 12.0, turn);
    matrix_congruence(turn, after, work);
    for (int i = 0; i < MATRIX; i++) {
        work[i] -= predicted[i];
    }
    matrix_congruence(gain, work, after);
    for (int i = 0; i < MATRIX; i++) {
        p[i] += after[i];
    }
    matrix_multiply(gain, turn, work);
    turn_matrix(change + ROTATION, 0.5, 1.0 / 6.0, turn);
    matrix_multiply(turn, work, lead);
    matrix_congruence(turn, p, work);
    state_add(&node->state, change);
    matrix_pack(work, packed);
    for (int i = 0; i < ERRORS; i++) {
        if (!(work[i * ERRORS + i] >= 0.0)) {
            return false;
        }
    }
    return true;
}

/* Covariance [3][3] of the body's position at one node less that at the end of a window. */
static void relative_covariance(const struct track *track, const struct window *window, size_t here,
                                double out[3][3]) {
    const nfsar_pod *pod = track->scene.pod;
    double at[MATRIX], end[MATRIX], cross[MATRIX], j[6 * ERRORS], k[6 * ERRORS];
    matrix_unpack(track->packed + here * PACKED, at);
    matrix_unpack(track->packed + window->end * PACKED, end);
    matrix_multiply(window->product, end, cross);
    body_jacobian(pod, &track->node[here].state, j);
    body_jacobian(pod, &track->node[window->end].state, k);
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            double sum = 0.0;
            for (int m = 0; m < ERRORS; m++) {
                for (int n = 0; n < ERRORS; n++) {
                    const int i = m * ERRORS + n;
                    sum += j[a * ERRORS + m] * at[i] * j[b * ERRORS + n] +
                           k[a * ERRORS + m] * end[i] * k[b * ERRORS + n] -
                           j[a * ERRORS + m] * cross[i] * k[b * ERRORS + n] -
                           j[b * ERRORS + m] * cross[i] * k[a * ERRORS + n];
                }
            }
            out[a][b] = sum;
        }
    }
}

/* A window is over: what it says goes into the sums. */
static void close_window(const struct track *track, struct window *window, size_t here,
                         nfsar_relative_sigma *relative) {
    double c[3][3];
    relative_covariance(track, window, here, c);
    const nfsar_vec3 u =
        nfsar_quaternion_rotate(track->node[window->end].state.rotation, (nfsar_vec3){0, 0, 1});
    const double v[3] = {u.x, u.y, u.z};
    double along = 0.0;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            along += v[i] * c[i][j] * v[j];
        }
    }
    along = fmax(along, 0.0);
    relative->windows++;
    relative->along_m += along;
    relative->across_m += fmax(0.5 * (c[0][0] + c[1][1] + c[2][2] - along), 0.0);
    relative->worst_m = fmax(relative->worst_m, sqrt(along));
    window->open = false;
}

/* At a node: windows that are long enough end, and a new one begins when it is time. */
static void look_at_windows(const struct track *track, struct window window[WINDOWS], size_t here,
                            double *last_end, nfsar_relative_sigma *relative) {
    const double time = track->node[here].time, length = relative->window_s;
    for (int i = 0; i < WINDOWS; i++) {
        if (window[i].open && track->node[window[i].end].time - time >= length) {
            close_window(track, &window[i], here, relative);
        }
    }
    if (*last_end - time < length / WINDOWS) {
        return;
    }
    for (int i = 0; i < WINDOWS; i++) {
        if (!window[i].open) {
            window[i] = (struct window){.open = true, .end = here};
            for (int k = 0; k < ERRORS; k++) {
                window[i].product[k * ERRORS + k] = 1.0;
            }
            *last_end = time;
            return;
        }
    }
}

enum nfsar_status smooth_run(struct track *track, double window_s, nfsar_relative_sigma *relative,
                             nfsar_error *error) {
    struct window window[WINDOWS] = {{.open = false}};
    double lead[MATRIX], product[MATRIX], last_end = INFINITY;
    *relative = (nfsar_relative_sigma){.window_s = window_s};
    for (size_t i = track->n_node; i-- > 0;) {
        if (i + 1 < track->n_node) {
            struct node *node = &track->node[i];
            double *packed = track->packed + i * PACKED;
            if (!smooth_node(track->scene.pod, node, node + 1, packed, packed + PACKED, lead)) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "the smoother lost itself at %.3f s: the records do not fit each "
                                  "other or the pod",
                                  node->time);
            }
            for (int k = 0; k < WINDOWS; k++) {
                if (window[k].open) {
                    matrix_multiply(lead, window[k].product, product);
                    memcpy(window[k].product, product, sizeof product);
                }
            }
        }
        look_at_windows(track, window, i, &last_end, relative);
    }
    if (relative->windows > 0) {
        relative->along_m = sqrt(relative->along_m / (double)relative->windows);
        relative->across_m = sqrt(relative->across_m / (double)relative->windows);
    } else {
        relative->window_s = 0.0;
    }
    return NFSAR_OK;
}
