/* The heading at the start, where others say places but no directions: what the IMU feels against
 * how the places move (docs/theory/trajectory.md). */
#include "calibration/trajectory/heading.h"

#include <math.h>
#include <string.h>

/* Stretches over which speed, an acceleration that stays and one that grows are anybody's: the tilt
 * errs, and more and more. */
#define STRETCH_S 5.0
/* As well as that and no more time is spent. */
#define ENOUGH_RAD 0.02
/* Sigmas of the acceleration that stays, m/s^2. */
#define STAYS 0.5
/* That nothing tells: sigma of an angle that may be any. */
#define ANY_RAD (NFSAR_PI / 1.7320508)
/* The filter takes the same records again, so it is told so many sigmas; but its errors must be
 * small, and what is found no better than this is held by it as if it were known so well. */
#define FOUND_SIGMAS 10.0
#define WIDE_RAD     0.5
#define POOR_RAD     0.2
#define LEAST_RAD    0.1
/* Cosine and sine of the heading before anything is known: half of the sum of their squares each.
 */
#define BEFORE 2.0

/* Powers of time that a stretch takes from a place; with it cosine and sine are sought. */
enum { POWERS = 4, SOUGHT = 2, COLUMNS = POWERS + SOUGHT + 1 };

/* Normal equations of one coordinate in a stretch: columns are powers of time, what the place has
 * of cosine and sine of the heading, and the place. */
struct sums {
    double of[COLUMNS][COLUMNS];
};

/* Information of cosine and sine; and what of it is only the accelerometer's noise, which looks
 * like motion: in a stretch of length T it strays by N^2 T^3 / 420 from powers of time. */
struct turn {
    double square[SOUGHT][SOUGHT], right[SOUGHT];
    double noise;
};

/* What the IMU makes of the way since a stretch began, in axes that are level. */
struct inertial {
    const struct track *track;
    nfsar_vec3 rate_bias, up;
    nfsar_quaternion rotation;
    nfsar_vec3 velocity, place;
    size_t reading;
    double time;
};

static void add(struct sums *sums, const double row[COLUMNS], double weight) {
    for (int i = 0; i < COLUMNS; i++) {
        for (int j = 0; j < COLUMNS; j++) {
            sums->of[i][j] += weight * row[i] * row[j];
        }
    }
}

/* Eliminate the powers; what remains goes to cosine and sine. */
static void close_stretch(struct sums sums[3], const double prior[POWERS], double stray,
                          struct turn *turn) {
    for (int axis = 0; axis < 3; axis++) {
        double(*m)[COLUMNS] = sums[axis].of;
        turn->noise += stray * m[0][0]; /* the sum of the weights */
        for (int p = 0; p < POWERS; p++) {
            m[p][p] += prior[p];
        }
        for (int p = 0; p < POWERS; p++) {
            for (int i = p + 1; m[p][p] > 0.0 && i < COLUMNS; i++) {
                const double factor = m[i][p] / m[p][p];
                for (int j = p; j < COLUMNS; j++) {
                    m[i][j] -= factor * m[p][j];
                }
            }
        }
        for (int i = 0; i < SOUGHT; i++) {
            for (int j = 0; j < SOUGHT; j++) {
                turn->square[i][j] += m[POWERS + i][POWERS + j];
            }
            turn->right[i] += m[POWERS + i][COLUMNS - 1];
        }
    }
    memset(sums, 0, 3 * sizeof *sums);
}

/* Up to a time, by the trapezoidal rule between readings. */
static void go_to(struct inertial *is, double time) {
    const nfsar_sensor_records *r = is->track->records;
    while (is->time < time) {
        while (is->reading + 2 < r->n_imu && r->imu[is->reading + 1].time_s <= is->time) {
            is->reading++;
        }
        const double to = fmin(time, r->imu[is->reading + 1].time_s), t = to - is->time;
        if (!(t > 0.0)) {
            return; /* the last reading */
        }
        const nfsar_imu_record m = imu_between(r, is->reading, is->time + 0.5 * t);
        const nfsar_vec3 w = nfsar_vec3_subtract(m.rate, is->rate_bias);
        const nfsar_quaternion half =
            nfsar_quaternion_multiply(is->rotation, rotation_exp(nfsar_vec3_scale(w, 0.5 * t)));
        const nfsar_vec3 a = nfsar_vec3_add(nfsar_quaternion_rotate(half, m.acceleration),
                                            is->track->scene.pod->gravity);
        is->place = nfsar_vec3_add(is->place, nfsar_vec3_add(nfsar_vec3_scale(is->velocity, t),
                                                             nfsar_vec3_scale(a, 0.5 * t * t)));
        is->velocity = nfsar_vec3_add(is->velocity, nfsar_vec3_scale(a, t));
        is->rotation = nfsar_quaternion_normalize(
            nfsar_quaternion_multiply(is->rotation, rotation_exp(nfsar_vec3_scale(w, t))));
        is->time = to;
    }
}

/* A record of places: weights of its coordinates are over the square of their sigmas. */
struct place {
    double time;
    nfsar_vec3 at, weight, arm; /* arm: from the IMU, body axes */
};

static double weight_of(double sigma) {
    return sigma > 0.0 ? 1.0 / (sigma * sigma) : 0.0;
}

static struct place place_of(const struct track *track, size_t i) {
    const nfsar_sensor_records *r = track->records;
    const nfsar_pod *pod = track->scene.pod;
    const nfsar_vec3 imu = pod->imu.mounting.at_m;
    if (r->n_tracker > 0) {
        const double weight = weight_of(pod->tracker.sigma_m);
        return (struct place){r->tracker[i].time_s,
                              r->tracker[i].pose.position,
                              {weight, weight, weight},
                              nfsar_vec3_subtract(pod->tracker.mounting.at_m, imu)};
    }
    const nfsar_vec3 e = pod->encoder.sigma_m;
    return (struct place){r->encoder[i].time_s,
                          r->encoder[i].position,
                          {weight_of(e.x), weight_of(e.y), weight_of(e.z)},
                          nfsar_vec3_subtract(pod->encoder.mounting.at_m, imu)};
}

/* R(psi) s = u (u s) + cos psi (s - u (u s)) + sin psi (u x s), u up. */
static void take_place(const struct inertial *is, const struct place *p, double since,
                       struct sums sums[3]) {
    const nfsar_vec3 s = nfsar_vec3_add(is->place, nfsar_quaternion_rotate(is->rotation, p->arm));
    const nfsar_vec3 rise = nfsar_vec3_scale(is->up, nfsar_vec3_dot(is->up, s));
    const nfsar_vec3 c = nfsar_vec3_subtract(s, rise), n = nfsar_vec3_cross(is->up, s);
    const nfsar_vec3 z = nfsar_vec3_subtract(p->at, rise);
    const double place[3] = {z.x, z.y, z.z}, cosine[3] = {c.x, c.y, c.z}, sine[3] = {n.x, n.y, n.z};
    const double weight[3] = {p->weight.x, p->weight.y, p->weight.z};
    for (int axis = 0; axis < 3; axis++) {
        const double row[COLUMNS] = {1.0,          since,      since * since, since * since * since,
                                     cosine[axis], sine[axis], place[axis]};
        add(&sums[axis], row, weight[axis]);
    }
}

/* The angle, and its sigma: of what is told across the direction that was found. */
static struct heading solve(const struct turn *turn) {
    const double a = turn->square[0][0] + BEFORE, d = turn->square[1][1] + BEFORE;
    const double b = turn->square[0][1], determinant = a * d - b * b;
    const double c = (d * turn->right[0] - b * turn->right[1]) / determinant;
    const double s = (a * turn->right[1] - b * turn->right[0]) / determinant;
    const double length = hypot(c, s);
    if (!(length > 0.1 && length < 10.0)) {
        return (struct heading){0.0, ANY_RAD, 0.0};
    }
    const double x = -s / length, y = c / length;
    const double told = determinant / (d * x * x - 2.0 * b * x * y + a * y * y);
    const double left = told - BEFORE - 2.0 * turn->noise;
    return (struct heading){atan2(s, c), left > 0.0 ? fmin(1.0 / sqrt(left), ANY_RAD) : ANY_RAD,
                            0.0};
}

struct heading heading_by_motion(const struct track *track, nfsar_quaternion level,
                                 nfsar_vec3 rate_bias, double rate_sigma) {
    const nfsar_sensor_records *r = track->records;
    const nfsar_pod *pod = track->scene.pod;
    const double g = nfsar_vec3_norm(pod->gravity);
    const size_t n = r->n_tracker > 0 ? r->n_tracker : r->n_encoder;
    struct inertial is = {.track = track,
                          .rate_bias = rate_bias,
                          .up = nfsar_vec3_scale(pod->gravity, -1.0 / g),
                          .rotation = level,
                          .time = track->begin};
    const double stays = 0.5 * STAYS, grows = g * rate_sigma / 6.0;
    const double prior[POWERS] = {0.0, 0.0, 1.0 / (stays * stays), 1.0 / (grows * grows)};
    struct sums sums[3] = {{{{0}}}};
    struct turn turn = {{{0}}, {0}, 0.0};
    struct heading found = {0.0, ANY_RAD, 0.0};
    const double stray = pod->imu.acceleration.density * pod->imu.acceleration.density * STRETCH_S *
                         STRETCH_S * STRETCH_S / 420.0;
    double since = track->begin;
    bool over = false;
    for (size_t i = 0; i <= n && !over; i++) {
        const struct place p = i < n ? place_of(track, i) : (struct place){.time = INFINITY};
        over = p.time > r->imu[r->n_imu - 1].time_s;
        if (over || p.time - since > STRETCH_S) {
            close_stretch(sums, prior, stray, &turn);
            found = solve(&turn);
            /* It is the heading of the start, from where the gyroscope led here. */
            found.sigma = hypot(found.sigma, 0.5 * rate_sigma * (is.time - track->begin));
            over = over || found.sigma < ENOUGH_RAD;
            since = p.time;
        }
        if (over || p.time < track->begin) {
            continue;
        }
        go_to(&is, p.time);
        if (since == p.time) {
            is.place = is.velocity = (nfsar_vec3){0, 0, 0};
        }
        take_place(&is, &p, p.time - since, sums);
    }
    const double told = found.sigma;
    found.sigma = fmin(fmax(FOUND_SIGMAS * told, LEAST_RAD), WIDE_RAD);
    if (told > POOR_RAD) {
        found.sigma = POOR_RAD;
        found.beyond = sqrt(told * told - POOR_RAD * POOR_RAD);
    }
    return found;
}
