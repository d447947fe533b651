#include "calibration/trajectory/imu_units.h"

#include <math.h>
#include <stdlib.h>

#include "algorithms/sort.h"
#include "calibration/trajectory/records.h"
#include "calibration/trajectory/state.h"

/* Readings farther apart carry no pose; nearer ones no IMU says. */
#define INTERVAL_S       0.1
#define INTERVAL_LEAST_S 1e-5
/* Means of force over so long; gravity of two of them is compared, so far apart. */
#define MEAN_S  0.2
#define APART_S 1.0
/* The usual mean force over gravity: a hand, a drone, a lever arm that swings do not leave this. */
#define WEAK   0.5
#define STRONG 2.0
/* What g in place of m/s^2 leaves of it, to a fifth. */
#define IN_G      (1.0 / 9.80665)
#define IN_G_NEAR 0.2
/* Only means as long as gravity are compared: where the radar goes round in a circle they lean, by
 * up to 0.2 rad while they are so near to it. */
#define LEVEL 0.02
/* The usual angle by which gravity is off after the gyroscope has carried it on: with rates that
 * are 57 times too large nearly any; and far less when they are taken for degrees/s. Of so many. */
#define TURN_RAD     0.5
#define TURN_CLEARER 3.0
#define TURN_LEAST   10
#define DEGREE       (NFSAR_PI / 180.0)

/* A stretch of MEAN_S: its mean force in the axes of its beginning, by the gyroscope's rates times
 * a factor; what these turn by from there to the beginning of the next one. */
struct stretch {
    nfsar_vec3 force;
    nfsar_quaternion turn;
    double strength; /* of the mean force in the body's axes, as the rates play no part in it */
};

static size_t make_stretches(const nfsar_sensor_records *r, double factor, struct stretch *out) {
    size_t n = 0;
    for (size_t i = 0, begin = 0; i + 1 < r->n_imu; begin = i) {
        nfsar_quaternion turn = NFSAR_QUATERNION_IDENTITY;
        nfsar_vec3 sum = {0}, plain = {0};
        double seconds = 0.0;
        const double until = r->imu[begin].time_s + MEAN_S;
        for (; i + 1 < r->n_imu && r->imu[i].time_s < until; i++) {
            const double t = fmin(r->imu[i + 1].time_s - r->imu[i].time_s, MEAN_S);
            sum = nfsar_vec3_add(
                sum, nfsar_vec3_scale(nfsar_quaternion_rotate(turn, r->imu[i].acceleration), t));
            plain = nfsar_vec3_add(plain, nfsar_vec3_scale(r->imu[i].acceleration, t));
            turn = nfsar_quaternion_normalize(nfsar_quaternion_multiply(
                turn, rotation_exp(nfsar_vec3_scale(r->imu[i].rate, factor * t))));
            seconds += t;
        }
        out[n++] = (struct stretch){nfsar_vec3_scale(sum, 1.0 / seconds), turn,
                                    nfsar_vec3_norm(plain) / seconds};
    }
    return n;
}

static double angle_between(nfsar_vec3 a, nfsar_vec3 b) {
    const double length = nfsar_vec3_norm(a) * nfsar_vec3_norm(b);
    return length > 0.0 ? acos(fmin(fmax(nfsar_vec3_dot(a, b) / length, -1.0), 1.0)) : 0.0;
}

static bool is_level(const struct stretch *stretch, double gravity) {
    return fabs(stretch->strength / gravity - 1.0) < LEVEL;
}

/* The usual angle between gravity, carried on for APART_S by the gyroscope, and gravity; 0 where
 * that cannot be told. */
static double usual_turn(const struct stretch *stretch, size_t n, double gravity, double *room) {
    const size_t apart = (size_t)(APART_S / MEAN_S);
    size_t told = 0;
    for (size_t i = 0; i + apart < n; i++) {
        if (!is_level(&stretch[i], gravity) || !is_level(&stretch[i + apart], gravity)) {
            continue;
        }
        nfsar_quaternion turn = NFSAR_QUATERNION_IDENTITY;
        for (size_t k = i; k < i + apart; k++) {
            turn = nfsar_quaternion_multiply(turn, stretch[k].turn);
        }
        room[told++] = angle_between(stretch[i].force,
                                     nfsar_quaternion_rotate(turn, stretch[i + apart].force));
    }
    return told >= TURN_LEAST ? sort_upper_median(room, told) : 0.0;
}

static enum nfsar_status check_force(const struct stretch *stretch, size_t n, double gravity,
                                     double *room, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        room[i] = stretch[i].strength;
    }
    const double force = sort_upper_median(room, n), ratio = force / gravity;
    if (ratio >= WEAK && ratio <= STRONG) {
        return NFSAR_OK;
    }
    const bool in_g = fabs(ratio / IN_G - 1.0) < IN_G_NEAR;
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "imu: the mean force is %.3g, where gravity is %.2f: units are m/s^2 with "
                      "gravity in them%s",
                      force, gravity, in_g ? ", and these look like g: times 9.80665" : "");
}

static enum nfsar_status check_rates(const nfsar_sensor_records *good, struct stretch *stretch,
                                     size_t n, double gravity, double *room, nfsar_error *error) {
    const double off = usual_turn(stretch, n, gravity, room);
    if (off <= TURN_RAD) {
        return NFSAR_OK;
    }
    n = make_stretches(good, DEGREE, stretch);
    if (off <= TURN_CLEARER * usual_turn(stretch, n, gravity, room)) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "imu: by its rates gravity turns by %.0f degrees in a second where the "
                      "accelerations say that it does not: units are rad/s, and these look like "
                      "degrees/s: times pi / 180",
                      off / DEGREE);
}

enum nfsar_status imu_units_check(const nfsar_pod *pod, const nfsar_sensor_records *good,
                                  double interval_s, nfsar_error *error) {
    if (!(interval_s <= INTERVAL_S)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "imu: its records are %.4g s apart, and more than %g s carries no pose: "
                          "are its times in seconds?",
                          interval_s, INTERVAL_S);
    }
    if (interval_s < INTERVAL_LEAST_S) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "imu: its records are %.4g s apart, and no IMU has more than %.0e in a "
                          "second: are its times in seconds?",
                          interval_s, 1.0 / INTERVAL_LEAST_S);
    }
    /* No stretch but the last is shorter than MEAN_S, and gaps make one of their own. */
    struct stretch *stretch = malloc(good->n_imu * sizeof *stretch);
    double *room = malloc(good->n_imu * sizeof *room);
    enum nfsar_status status =
        stretch != NULL && room != NULL
            ? NFSAR_OK
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu records", good->n_imu);
    if (status == NFSAR_OK) {
        const size_t n = make_stretches(good, 1.0, stretch);
        const double gravity = nfsar_vec3_norm(pod->gravity);
        status = check_force(stretch, n, gravity, room, error);
        if (status == NFSAR_OK) {
            status = check_rates(good, stretch, n, gravity, room, error);
        }
    }
    free(stretch);
    free(room);
    return status;
}

const char *imu_units_unusable(const nfsar_imu_record *imu, size_t n) {
    size_t strong = 0, fast = 0, late = 0, same = 0;
    for (size_t i = 0; i < n; i++) {
        late += fabs(imu[i].time_s) >= TIME_LIMIT;
        same += i > 0 && imu[i].time_s == imu[i - 1].time_s;
        strong += nfsar_vec3_norm(imu[i].acceleration) > ACCELERATION_LIMIT;
        fast += nfsar_vec3_norm(imu[i].rate) > RATE_LIMIT;
    }
    return 2 * late > n     ? "; most have times beyond 1e12: are they in seconds?"
           : 2 * same > n   ? "; most have the time of the one before"
           : 2 * strong > n ? "; most say more than 500 m/s^2: units are m/s^2 with gravity in them"
           : 2 * fast > n   ? "; most say more than 175 rad/s: units are rad/s"
                            : "";
}
