/* Initial alignment: tilt from gravity, and what else the first second tells. */
#include "calibration/trajectory/filter.h"

#include <math.h>
#include <string.h>

#include "calibration/trajectory/heading.h"
#include "calibration/trajectory/records.h"

/* At rest: means over blocks stay so near the mean of those before, for at least so long. */
#define BLOCK_S            0.05
#define STILL_S            0.3
#define STILL_LONGEST_S    10.0
#define STILL_ACCELERATION 0.03
#define STILL_RATE         3e-3
#define STILL_SIGMAS       4.0  /* of the noise of a block's mean, beside these */
#define STILL_SHARE        0.8  /* of what was found: its end may be the beginning of motion */
#define STILL_FLOW         0.05 /* rad/s */
#define STILL_PLACE        5e-3
/* Records of the range finder that tell the first distance. */
#define FIRST_RANGES 9
/* What one that rests on something does all the same: m/s, and rad in all that time. */
#define STILL_SPEED 5e-3
#define STILL_TURN  0.2e-3
/* Not at rest: gravity is the mean force over so long, in which the speed changes by this much. */
#define MOVING_S     4.0
#define MOVING_SPEED 0.5
/* The first record of a sensor says where it starts, and corrects that once more: let the first be
 * worth a hundredth of the second. */
#define FIRST_SIGMAS 10.0
/* Where the world begins is known: so well that covariances stay positive. */
#define BY_DEFINITION 1e-6

struct first_second {
    nfsar_vec3 force, rate; /* means, body axes; force in those of the start */
    bool still;
    double seconds;
    double force_sigma; /* of the mean force but for the accelerometer's bias */
    double rate_sigma;  /* of the mean rate as the gyroscope's bias */
};

/* Mean of the readings [first, last). */
static nfsar_imu_record mean(const nfsar_imu_record *imu, size_t first, size_t last) {
    nfsar_imu_record sum = {0};
    for (size_t i = first; i < last; i++) {
        sum.acceleration = nfsar_vec3_add(sum.acceleration, imu[i].acceleration);
        sum.rate = nfsar_vec3_add(sum.rate, imu[i].rate);
    }
    const double factor = 1.0 / (double)(last - first);
    sum.acceleration = nfsar_vec3_scale(sum.acceleration, factor);
    sum.rate = nfsar_vec3_scale(sum.rate, factor);
    return sum;
}

static size_t reading_at(const nfsar_sensor_records *r, double time) {
    size_t i = 0;
    while (i + 1 < r->n_imu && r->imu[i].time_s < time) {
        i++;
    }
    return i;
}

/* The first records from a time on; the last where all are earlier. */
static size_t tracker_at(const nfsar_sensor_records *r, double time) {
    size_t i = 0;
    while (i + 1 < r->n_tracker && r->tracker[i].time_s < time) {
        i++;
    }
    return i;
}

static size_t encoder_at(const nfsar_sensor_records *r, double time) {
    size_t i = 0;
    while (i + 1 < r->n_encoder && r->encoder[i].time_s < time) {
        i++;
    }
    return i;
}

/* A first record may be wrong: the median of some. */
static double first_range(const nfsar_sensor_records *r, double time) {
    double range[FIRST_RANGES];
    size_t n = 0;
    for (size_t i = 0; i < r->n_range && n < FIRST_RANGES; i++) {
        if (r->range[i].time_s < time && i + 1 < r->n_range) {
            continue;
        }
        size_t at = n++;
        for (; at > 0 && range[at - 1] > r->range[i].range_m; at--) {
            range[at] = range[at - 1];
        }
        range[at] = r->range[i].range_m;
    }
    return range[n / 2];
}

/* No more than an IMU at rest shows: a steady turn, or a fall, spreads as little. */
static bool could_rest(const nfsar_pod *pod, const nfsar_imu_record *mean) {
    const double axes = STILL_SIGMAS * sqrt(3.0);
    const double force = nfsar_vec3_norm(mean->acceleration) - nfsar_vec3_norm(pod->gravity);
    return nfsar_vec3_norm(mean->rate) <= STILL_RATE + axes * pod->imu.rate.bias &&
           fabs(force) <= STILL_ACCELERATION + axes * pod->imu.acceleration.bias;
}

/* How long flow and tracker say that nothing moves; infinity when there is none to say so. */
static double others_still(const struct track *track) {
    const nfsar_sensor_records *r = track->records;
    const double begin = track->begin;
    double x = 0.0, y = 0.0, t = 0.0, variance = 0.0, until = INFINITY;
    for (size_t i = 0; i < r->n_flow && until == INFINITY; i++) {
        const nfsar_flow_record *f = &r->flow[i];
        if (f->time_s < begin) {
            continue;
        }
        x += f->motion_rad[0];
        y += f->motion_rad[1];
        t += f->interval_s;
        variance += track->scene.pod->flow.sigma_rad * track->scene.pod->flow.sigma_rad;
        if (hypot(x, y) > STILL_FLOW * t + 4.0 * sqrt(variance)) {
            until = f->time_s - begin;
        }
    }
    const size_t from = tracker_at(r, begin);
    for (size_t i = from + 1; i < r->n_tracker; i++) {
        const double moved =
            nfsar_vec3_distance(r->tracker[i].pose.position, r->tracker[from].pose.position);
        if (moved > STILL_PLACE + 5.0 * track->scene.pod->tracker.sigma_m) {
            return fmin(until, r->tracker[i].time_s - begin);
        }
    }
    return until;
}

static void look_for_rest(const struct track *track, struct first_second *f) {
    const nfsar_sensor_records *r = track->records;
    const size_t first = reading_at(r, track->begin);
    const double until = fmin(others_still(track), STILL_LONGEST_S);
    const nfsar_pod *pod = track->scene.pod;
    const double noise = STILL_SIGMAS / sqrt(BLOCK_S);
    size_t end = first;
    for (size_t next = first; next < r->n_imu; next = end) {
        size_t last = next;
        while (last < r->n_imu && r->imu[last].time_s < r->imu[next].time_s + BLOCK_S) {
            last++;
        }
        if (last == r->n_imu || r->imu[last].time_s - track->begin > until) {
            break;
        }
        const nfsar_imu_record block = mean(r->imu, next, last);
        const nfsar_imu_record all = mean(r->imu, first, next > first ? next : last);
        if (nfsar_vec3_distance(block.acceleration, all.acceleration) >
                STILL_ACCELERATION + noise * pod->imu.acceleration.density ||
            nfsar_vec3_distance(block.rate, all.rate) >
                STILL_RATE + noise * pod->imu.rate.density) {
            break;
        }
        end = last;
    }
    end = first + (size_t)(STILL_SHARE * (double)(end - first));
    f->seconds = end > first ? r->imu[end - 1].time_s - r->imu[first].time_s : 0.0;
    const nfsar_imu_record all = end > first ? mean(r->imu, first, end) : (nfsar_imu_record){0};
    f->still = f->seconds >= STILL_S && could_rest(pod, &all);
    if (f->still) {
        f->force = all.acceleration;
        f->rate = all.rate;
        f->force_sigma =
            hypot(STILL_SPEED / f->seconds, pod->imu.acceleration.density / sqrt(f->seconds));
        f->rate_sigma = hypot(STILL_TURN / f->seconds, pod->imu.rate.density / sqrt(f->seconds));
    }
}

/* Mean force in the axes of the start, carried there by the gyroscope. */
static void average_force(const struct track *track, struct first_second *f) {
    const nfsar_sensor_records *r = track->records;
    const size_t first = reading_at(r, track->begin);
    nfsar_quaternion turn = NFSAR_QUATERNION_IDENTITY;
    nfsar_vec3 sum = {0};
    double seconds = 0.0;
    for (size_t i = first; i + 1 < r->n_imu && seconds < MOVING_S; i++) {
        const double t = r->imu[i + 1].time_s - r->imu[i].time_s;
        sum = nfsar_vec3_add(
            sum, nfsar_vec3_scale(nfsar_quaternion_rotate(turn, r->imu[i].acceleration), t));
        turn = nfsar_quaternion_multiply(turn, rotation_exp(nfsar_vec3_scale(r->imu[i].rate, t)));
        seconds += t;
    }
    f->force = nfsar_vec3_scale(sum, 1.0 / seconds);
    f->force_sigma = hypot(MOVING_SPEED / seconds, track->scene.pod->imu.rate.bias * 0.5 * seconds *
                                                       nfsar_vec3_norm(track->scene.pod->gravity));
    f->seconds = seconds;
}

static nfsar_vec3 unit(nfsar_vec3 v) {
    return nfsar_vec3_scale(v, 1.0 / nfsar_vec3_norm(v));
}

/* v less what of it lies along the unit vector u. */
static nfsar_vec3 across(nfsar_vec3 v, nfsar_vec3 u) {
    return nfsar_vec3_subtract(v, nfsar_vec3_scale(u, nfsar_vec3_dot(v, u)));
}

/* The shortest rotation from a to b, unit vectors. */
static nfsar_quaternion shortest(nfsar_vec3 a, nfsar_vec3 b) {
    const nfsar_vec3 axis = nfsar_vec3_cross(a, b);
    const double cosine = nfsar_vec3_dot(a, b);
    if (cosine < -1.0 + 1e-12) {
        const nfsar_vec3 aside = fabs(a.x) < 0.7 ? (nfsar_vec3){1, 0, 0} : (nfsar_vec3){0, 1, 0};
        return nfsar_quaternion_from_axis_angle(nfsar_vec3_cross(a, aside), NFSAR_PI);
    }
    return nfsar_quaternion_normalize((nfsar_quaternion){1.0 + cosine, axis.x, axis.y, axis.z});
}

/* Body into world, such that the force points up and the boresight has the wanted heading (the x
 * axis, where the boresight is near the vertical). */
static nfsar_quaternion level(nfsar_vec3 force, nfsar_vec3 up, nfsar_quaternion wanted) {
    const nfsar_vec3 f = unit(force);
    const nfsar_vec3 e = fabs(f.z) < 0.8 ? (nfsar_vec3){0, 0, 1} : (nfsar_vec3){1, 0, 0};
    const nfsar_quaternion tilt = shortest(f, up);
    const nfsar_vec3 is = across(nfsar_quaternion_rotate(tilt, e), up);
    const nfsar_vec3 shall = across(nfsar_quaternion_rotate(wanted, e), up);
    const double angle =
        atan2(nfsar_vec3_dot(up, nfsar_vec3_cross(is, shall)), nfsar_vec3_dot(is, shall));
    return nfsar_quaternion_multiply(rotation_exp(nfsar_vec3_scale(up, angle)), tilt);
}

/* source[][] with sigma^2 for n entries, which depend on nothing else. */
static void put_sigma(double *source, int at, int n, double sigma) {
    for (int i = at; i < at + n; i++) {
        for (int j = 0; j < ERRORS; j++) {
            source[i * ERRORS + j] = source[j * ERRORS + i] = 0.0;
        }
        source[i * ERRORS + i] = sigma * sigma;
    }
}

static void put_matrix(double *to, int row, int column, const nfsar_vec3 columns[3]) {
    for (int j = 0; j < 3; j++) {
        to[row * ERRORS + column + j] = columns[j].x;
        to[(row + 1) * ERRORS + column + j] = columns[j].y;
        to[(row + 2) * ERRORS + column + j] = columns[j].z;
    }
}

/* How the start came about, beside the state. */
struct beginning {
    bool by_gravity;   /* the tilt */
    bool by_motion;    /* the heading, if at all */
    bool swings;       /* and the surface is before the sensor whatever it is */
    double tilt;       /* sigma by the mean force, but for the accelerometer's bias */
    nfsar_vec3 anchor; /* whose place is given, body axes */
};

/* Errors of independent sources into those of the state: tilt errs with the accelerometer's bias b
 * by up x (R b) / g, the IMU's point with the rotation by its lever arm from the point whose place
 * is given. A heading that nobody knows turns the surface too, about that point as all the rest: so
 * it stays as far before its sensor. */
static void mix(const struct track *track, const struct state *state,
                const struct beginning *beginning, double *mixing) {
    const nfsar_pod *pod = track->scene.pod;
    const struct scene_of_sensors *scene = &track->scene;
    const double g = nfsar_vec3_norm(pod->gravity);
    const nfsar_vec3 up = nfsar_vec3_scale(pod->gravity, -1.0 / g);
    const nfsar_vec3 imu = pod->imu.mounting.at_m;
    const nfsar_vec3 arm =
        nfsar_quaternion_rotate(state->rotation, nfsar_vec3_subtract(imu, beginning->anchor));
    const nfsar_vec3 anchor = nfsar_vec3_subtract(state->position, arm);
    const nfsar_vec3 axis[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    const nfsar_vec3 swing = nfsar_vec3_cross(up, scene->normal);
    const double heading[3] = {up.x, up.y, up.z};
    nfsar_vec3 tilt[3], lift[3], both[3];
    memset(mixing, 0, MATRIX * sizeof *mixing);
    for (int i = 0; i < ERRORS; i++) {
        mixing[i * ERRORS + i] = 1.0;
    }
    for (int j = 0; j < 3; j++) {
        tilt[j] = nfsar_vec3_scale(
            nfsar_vec3_cross(up, nfsar_quaternion_rotate(state->rotation, axis[j])), 1.0 / g);
        lift[j] = nfsar_vec3_cross(axis[j], arm);
        both[j] = nfsar_vec3_cross(tilt[j], arm);
    }
    put_matrix(mixing, POSITION, ROTATION, lift);
    if (beginning->by_gravity) {
        put_matrix(mixing, ROTATION, ACCELERATION_BIAS, tilt);
        put_matrix(mixing, POSITION, ACCELERATION_BIAS, both);
    }
    for (int j = 0; beginning->swings && j < 3; j++) {
        const int from = ROTATION + j;
        mixing[NORMAL * ERRORS + from] = heading[j] * nfsar_vec3_dot(scene->first, swing);
        mixing[(NORMAL + 1) * ERRORS + from] = heading[j] * nfsar_vec3_dot(scene->second, swing);
        mixing[DISTANCE * ERRORS + from] = heading[j] * nfsar_vec3_dot(swing, anchor);
    }
}

static nfsar_vec3 nearest_axis(nfsar_vec3 v) {
    const double x = fabs(v.x), y = fabs(v.y), z = fabs(v.z);
    if (z >= x && z >= y) {
        return (nfsar_vec3){0, 0, v.z < 0.0 ? -1.0 : 1.0};
    }
    return y >= x ? (nfsar_vec3){0, v.y < 0.0 ? -1.0 : 1.0, 0}
                  : (nfsar_vec3){v.x < 0.0 ? -1.0 : 1.0, 0, 0};
}

/* The surface before range finder and flow. `turn` is the heading that was found by motion. */
static void start_surface(struct track *track, struct state *state, double *source,
                          nfsar_quaternion heading, struct beginning *beginning) {
    const nfsar_pod *pod = track->scene.pod;
    const nfsar_sensor_records *r = track->records;
    const nfsar_mounting *m = r->n_range > 0 ? &pod->range.mounting : &pod->flow.mounting;
    const nfsar_quaternion turn = nfsar_quaternion_multiply(state->rotation, m->rotation);
    const nfsar_vec3 beam = nfsar_quaternion_rotate(turn, (nfsar_vec3){0, 0, 1});
    const bool given = nfsar_vec3_norm(pod->surface.normal) > 0.0;
    /* Square to where the sensor looks, or nearly: to axes of the world where these say more. */
    const nfsar_vec3 square = nfsar_quaternion_rotate(
        heading, nearest_axis(nfsar_quaternion_rotate(nfsar_quaternion_conjugate(heading), beam)));
    surface_axes(&track->scene, given ? pod->surface.normal : square);
    beginning->swings = beginning->by_motion && !given;
    /* As if the surface went through the sensor, then farther by what is known of it. */
    state->distance = 0.0;
    const double sine = nfsar_vec3_dot(track->scene.normal, beam);
    const double through = -surface_distance(&track->scene, m, state) * sine;
    double away = pod->surface.distance_m, sigma = pod->surface.distance_sigma_m;
    if (r->n_range > 0) {
        away = first_range(r, track->begin);
        sigma = hypot(FIRST_SIGMAS * pod->range.sigma_m, pod->range.offset_m);
    }
    state->distance = through + away * sine;
    put_sigma(source, DISTANCE, 1, sigma);
    put_sigma(source, NORMAL, 2, fmax(pod->surface.tilt_rad, 1e-6));
    put_sigma(source, FLOW_SCALE, 1, fmax(pod->flow.scale_sigma, 1e-6));
}

/* The rotation, where a tracker says it. */
static void start_turned(const struct track *track, struct state *state, double *source) {
    const nfsar_pod *pod = track->scene.pod;
    const nfsar_sensor_records *r = track->records;
    state->rotation =
        nfsar_quaternion_multiply(r->tracker[tracker_at(r, track->begin)].pose.orientation,
                                  nfsar_quaternion_conjugate(pod->tracker.mounting.rotation));
    put_sigma(source, ROTATION, 3, FIRST_SIGMAS * pod->tracker.sigma_rad);
}

/* Position, by the first record of tracker or encoder. */
static void start_from_outside(const struct track *track, struct state *state, double *source,
                               struct beginning *beginning) {
    const nfsar_pod *pod = track->scene.pod;
    const nfsar_sensor_records *r = track->records;
    const nfsar_vec3 imu = pod->imu.mounting.at_m;
    const nfsar_vec3 arm = nfsar_quaternion_rotate(state->rotation, imu);
    const bool given = pod->start.given;
    state->position = given ? nfsar_vec3_add(pod->start.pose.position, arm) : arm;
    put_sigma(source, POSITION, 3, given ? pod->start.sigma_m : BY_DEFINITION);
    if (r->n_encoder > 0) {
        const nfsar_vec3 e = pod->encoder.sigma_m;
        const nfsar_vec3 off = nfsar_quaternion_rotate(
            state->rotation, nfsar_vec3_subtract(imu, pod->encoder.mounting.at_m));
        const nfsar_vec3 at = nfsar_vec3_add(r->encoder[encoder_at(r, track->begin)].position, off);
        beginning->anchor = pod->encoder.mounting.at_m;
        const double sigma[3] = {e.x, e.y, e.z}, place[3] = {at.x, at.y, at.z};
        double *to[3] = {&state->position.x, &state->position.y, &state->position.z};
        for (int i = 0; i < 3; i++) {
            if (sigma[i] > 0.0) {
                *to[i] = place[i];
                put_sigma(source, POSITION + i, 1, FIRST_SIGMAS * sigma[i]);
            }
        }
    }
    if (r->n_tracker > 0) {
        const nfsar_vec3 off = nfsar_quaternion_rotate(
            state->rotation, nfsar_vec3_subtract(imu, pod->tracker.mounting.at_m));
        beginning->anchor = pod->tracker.mounting.at_m;
        state->position =
            nfsar_vec3_add(r->tracker[tracker_at(r, track->begin)].pose.position, off);
        put_sigma(source, POSITION, 3, FIRST_SIGMAS * pod->tracker.sigma_m);
    }
}

/* Along one line alone a place tells the heading by what the line is shorter for it, which a filter
 * that goes by small errors cannot follow: places must be of a plane that is not upright. */
static bool tells_heading(const nfsar_pod *pod) {
    const nfsar_vec3 g = pod->gravity, e = pod->encoder.sigma_m;
    const double upright = 0.1 * nfsar_vec3_norm(g);
    return (e.x > 0.0 && e.y > 0.0 && fabs(g.z) > upright) ||
           (e.y > 0.0 && e.z > 0.0 && fabs(g.x) > upright) ||
           (e.z > 0.0 && e.x > 0.0 && fabs(g.y) > upright);
}

/* When the filter starts: not before those that say where. */
static enum nfsar_status find_begin(struct track *track, nfsar_error *error) {
    const nfsar_sensor_records *r = track->records;
    const double end = r->imu[r->n_imu - 1].time_s;
    track->begin = r->imu[0].time_s;
    const char *late = NULL;
    if (r->n_tracker > 0 && r->tracker[0].time_s > track->begin) {
        track->begin = r->tracker[0].time_s;
        late = "tracker";
    }
    if (r->n_encoder > 0 && r->encoder[0].time_s > track->begin) {
        track->begin = r->encoder[0].time_s;
        late = "encoder";
    }
    if (late != NULL && track->begin > r->imu[r->n_imu - 2].time_s) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "%s: its first record is of %.3f s, the imu's are of %.3f to %.3f s: they "
            "do not overlap; is its time_offset_s right?",
            late, track->begin, r->imu[0].time_s, end);
    }
    return NFSAR_OK;
}

/* Tilt by the mean force, heading as told, or else by motion, and how sure both are. The heading
 * that was found is returned. */
static nfsar_quaternion start_level(struct track *track, const struct first_second *f,
                                    double rate_sigma, struct state *state, double *source,
                                    struct beginning *beginning) {
    const nfsar_pod *pod = track->scene.pod;
    const double g = nfsar_vec3_norm(pod->gravity);
    const nfsar_vec3 up = nfsar_vec3_scale(pod->gravity, -1.0 / g);
    const nfsar_quaternion wanted =
        pod->start.given ? pod->start.pose.orientation : NFSAR_QUATERNION_IDENTITY;
    nfsar_quaternion turn = NFSAR_QUATERNION_IDENTITY;
    double yaw = pod->start.given ? pod->start.yaw_rad : BY_DEFINITION;
    state->rotation = level(f->force, up, wanted);
    if (beginning->by_motion) {
        const struct heading heading =
            heading_by_motion(track, state->rotation, state->rate_bias, rate_sigma);
        turn = rotation_exp(nfsar_vec3_scale(up, heading.angle));
        state->rotation = nfsar_quaternion_multiply(turn, state->rotation);
        yaw = heading.sigma;
        track->heading_beyond = heading.beyond;
    }
    const double u[3] = {up.x, up.y, up.z}, tilt = beginning->tilt;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            source[(ROTATION + i) * ERRORS + ROTATION + j] =
                (i == j ? tilt * tilt : 0.0) + (yaw * yaw - tilt * tilt) * u[i] * u[j];
        }
    }
    return turn;
}

enum nfsar_status filter_start(struct track *track, struct state *state, double *covariance,
                               nfsar_trajectory *trajectory, nfsar_error *error) {
    const nfsar_pod *pod = track->scene.pod;
    const nfsar_sensor_records *r = track->records;
    const double g = nfsar_vec3_norm(pod->gravity);
    struct first_second f = {.still = false};
    double source[MATRIX] = {0.0}, mixing[MATRIX];
    enum nfsar_status status = find_begin(track, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const bool alone = r->n_tracker == 0 && r->n_encoder == 0;
    const bool turned = r->n_tracker > 0 && pod->tracker.sigma_rad > 0.0;
    if (r->n_encoder > 0 && r->n_tracker == 0 && !pod->start.given && !tells_heading(pod)) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "encoder: a stage's places along one level line do not tell how the radar "
            "is turned on it: say so in the pod, start: {yaw_deg: 0, sigma_deg: 1}");
    }
    look_for_rest(track, &f);
    if (!f.still) {
        average_force(track, &f);
    }
    if (!(nfsar_vec3_norm(f.force) > 0.1 * g)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "imu: the mean acceleration of the first %.1f s is %.2f m/s^2, but "
                          "gravity is %.2f: units are m/s^2 with gravity in them",
                          f.seconds, nfsar_vec3_norm(f.force), g);
    }
    struct beginning beginning = {.by_gravity = !turned,
                                  .by_motion = !alone && !turned && !pod->start.given,
                                  .tilt = f.force_sigma / g};
    const bool known = f.still && f.rate_sigma < pod->imu.rate.bias;
    const double rate_sigma = known ? f.rate_sigma : pod->imu.rate.bias;
    *state = (struct state){.rate_bias = known ? f.rate : (nfsar_vec3){0, 0, 0}};
    /* Rest is believed of those who would have seen motion, or where nobody else can tell. */
    put_sigma(source, VELOCITY, 3, f.still && alone ? STILL_SPEED : MOVING_SPEED);
    put_sigma(source, ACCELERATION_BIAS, 3, pod->imu.acceleration.bias);
    put_sigma(source, RATE_BIAS, 3, rate_sigma);
    const nfsar_quaternion heading = start_level(track, &f, rate_sigma, state, source, &beginning);
    if (turned) {
        start_turned(track, state, source);
    }
    start_from_outside(track, state, source, &beginning);
    start_surface(track, state, source, heading, &beginning);
    track->anchor = beginning.anchor;
    mix(track, state, &beginning, mixing);
    matrix_congruence(mixing, source, covariance);
    trajectory->still = f.still;
    trajectory->still_s = f.still ? f.seconds : 0.0;
    trajectory->start_tilt_rad = turned ? FIRST_SIGMAS * pod->tracker.sigma_rad
                                        : hypot(beginning.tilt, pod->imu.acceleration.bias / g);
    trajectory->heading_by_motion = beginning.by_motion;
    return NFSAR_OK;
}
