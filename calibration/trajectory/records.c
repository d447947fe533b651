#include "calibration/trajectory/records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/sort.h"
#include "calibration/trajectory/imu_units.h"

/* Readings that tell a rate; fewer are no recording. */
#define IMU_LEAST 10
/* Beyond what such sensors can say: a kilometre, a turn in one record. */
#define POSITION_LIMIT 1e6
#define RANGE_LIMIT    1000.0
#define INTERVAL_LIMIT 1.0
/* As of quaternions in files (docs/files.md). */
#define UNIT_TOLERANCE 0.01

static const char *const names[NFSAR_SENSORS] = {"imu", "flow", "range", "tracker", "encoder"};

const char *nfsar_sensor_name(enum nfsar_sensor sensor) {
    return (unsigned)sensor < NFSAR_SENSORS ? names[sensor] : "unknown";
}

void nfsar_sensor_records_free(nfsar_sensor_records *records) {
    free(records->imu);
    free(records->flow);
    free(records->range);
    free(records->tracker);
    free(records->encoder);
    memset(records, 0, sizeof *records);
}

static bool within(nfsar_vec3 v, double limit) {
    return fabs(v.x) <= limit && fabs(v.y) <= limit && fabs(v.z) <= limit; /* false for NaN */
}

/* ---- one record: whether it can be used; changed into what the filter takes ---- */

enum verdict { USE, LEAVE_OUT, NO_QUATERNION };

static enum verdict take_imu(const nfsar_pod *pod, void *record) {
    nfsar_imu_record *r = record;
    if (!within(r->acceleration, ACCELERATION_LIMIT) || !within(r->rate, RATE_LIMIT)) {
        return LEAVE_OUT;
    }
    r->time_s += pod->imu.mounting.time_offset_s;
    r->acceleration = nfsar_quaternion_rotate(pod->imu.mounting.rotation, r->acceleration);
    r->rate = nfsar_quaternion_rotate(pod->imu.mounting.rotation, r->rate);
    return USE;
}

static enum verdict take_flow(const nfsar_pod *pod, void *record) {
    nfsar_flow_record *r = record;
    if (!(r->interval_s > 0.0 && r->interval_s <= INTERVAL_LIMIT) ||
        !(fabs(r->motion_rad[0]) <= NFSAR_PI) || !(fabs(r->motion_rad[1]) <= NFSAR_PI) ||
        !(r->quality >= pod->flow.quality)) {
        return LEAVE_OUT;
    }
    r->time_s += pod->flow.mounting.time_offset_s - 0.5 * r->interval_s;
    return USE;
}

static enum verdict take_range(const nfsar_pod *pod, void *record) {
    nfsar_range_record *r = record;
    if (!(r->range_m > 0.0 && r->range_m <= RANGE_LIMIT)) {
        return LEAVE_OUT;
    }
    r->time_s += pod->range.mounting.time_offset_s;
    return USE;
}

static enum verdict take_tracker(const nfsar_pod *pod, void *record) {
    nfsar_tracker_record *r = record;
    nfsar_quaternion *q = &r->pose.orientation;
    const double length = nfsar_quaternion_norm(*q);
    if (!within(r->pose.position, POSITION_LIMIT) || !isfinite(length)) {
        return LEAVE_OUT;
    }
    if (pod->tracker.sigma_rad > 0.0 && fabs(length - 1.0) > UNIT_TOLERANCE) {
        return NO_QUATERNION;
    }
    *q = nfsar_quaternion_normalize(*q);
    r->time_s += pod->tracker.mounting.time_offset_s;
    return USE;
}

static enum verdict take_encoder(const nfsar_pod *pod, void *record) {
    nfsar_encoder_record *r = record;
    if (!within(r->position, POSITION_LIMIT)) {
        return LEAVE_OUT;
    }
    r->time_s += pod->encoder.mounting.time_offset_s;
    return USE;
}

/* ---- all records of a sensor; the time is each one's first member ---- */

struct kind {
    size_t size;
    enum verdict (*take)(const nfsar_pod *pod, void *record);
};

static const struct kind kinds[NFSAR_SENSORS] = {
    {sizeof(nfsar_imu_record), take_imu},         {sizeof(nfsar_flow_record), take_flow},
    {sizeof(nfsar_range_record), take_range},     {sizeof(nfsar_tracker_record), take_tracker},
    {sizeof(nfsar_encoder_record), take_encoder},
};

static double time_of(const char *array, size_t size, size_t i) {
    double time = 0.0;
    memcpy(&time, array + i * size, sizeof time);
    return time;
}

static enum nfsar_status refuse_quaternion(enum nfsar_sensor sensor, size_t row,
                                           nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%s: the orientation of record %zu is no unit quaternion (w, x, y, z); "
                      "where there are none, give its orientations a sigma of 0",
                      names[sensor], row);
}

/* The last two rows that have a time, as they came. */
struct passed {
    size_t row;
    double time, before; /* of that row, of the one before it; -INFINITY */
};

/* A row is earlier than the one before it, and one of both is wrong: the one before it, when the
 * rows about that are in order without it, and would not be without this one. */
static enum nfsar_status refuse_order(enum nfsar_sensor sensor, const char *array, size_t n,
                                      size_t row, const struct passed *passed, nfsar_error *error) {
    const size_t size = kinds[sensor].size;
    const double time = time_of(array, size, row), before = passed->time;
    const bool goes_on = row + 1 < n && time_of(array, size, row + 1) > before;
    if (passed->before == -INFINITY && !goes_on) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "%s: record %zu is of %.6f s, but the one after it of %.6f s: one of both "
            "times is wrong; leave that record out",
            names[sensor], passed->row, before, time);
    }
    if (time > passed->before && !goes_on) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: record %zu is of %.6f s, but the one before it of %.6f s and the "
                          "one after it of %.6f s: its time is wrong; leave that record out",
                          names[sensor], passed->row, before, passed->before, time);
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%s: record %zu is of %.6f s, after one of %.6f s: records are not in order, "
                      "or the clock jumped back (a hub that restarted?); track what was recorded "
                      "before and after it apart",
                      names[sensor], row, time, before);
}

/* Keep in array[n] what can be used; *kept tells how many. */
static enum nfsar_status clean(const nfsar_pod *pod, enum nfsar_sensor sensor, char *array,
                               size_t n, size_t *kept, nfsar_sensor_use *use, nfsar_error *error) {
    const size_t size = kinds[sensor].size;
    struct passed passed = {0, -INFINITY, -INFINITY};
    *kept = 0;
    for (size_t i = 0; i < n; i++) {
        const double time = time_of(array, size, i);
        if (!(fabs(time) < TIME_LIMIT) || time == passed.time) {
            use->left_out++; /* no time; or sent twice, as after a reconnect */
            continue;
        }
        if (time < passed.time) {
            return refuse_order(sensor, array, n, i, &passed, error);
        }
        const enum verdict verdict = kinds[sensor].take(pod, array + i * size);
        if (verdict == NO_QUATERNION) {
            return refuse_quaternion(sensor, i, error);
        }
        passed = (struct passed){i, time, passed.time};
        if (verdict == LEAVE_OUT) {
            use->left_out++;
        } else {
            memmove(array + (*kept)++ * size, array + i * size, size);
        }
    }
    return NFSAR_OK;
}

/* Less than IMU_LEAST readings at the beginning or the end, far from all others: a time that was
 * written wrong, before the clock was set. They would make the recording, and its gap, as long as
 * that. */
static void leave_strays_out(nfsar_imu_record *imu, size_t *n, nfsar_sensor_use *use) {
    size_t first = 0, end = *n;
    for (size_t i = 1; i < *n && i < IMU_LEAST; i++) {
        first = imu[i].time_s - imu[i - 1].time_s > CARRY_S ? i : first;
        end = imu[*n - i].time_s - imu[*n - i - 1].time_s > CARRY_S ? *n - i : end;
    }
    if (end < first + IMU_LEAST) {
        return; /* no others: look_at_imu() has a word for that */
    }
    use->stray = first + (*n - end);
    use->left_out += use->stray;
    if (use->stray > 0) {
        use->stray_s = imu[first > 0 ? 0 : end].time_s;
    }
    memmove(imu, imu + first, (end - first) * sizeof *imu);
    *n = end - first;
}

static enum nfsar_status copy_clean(const nfsar_pod *pod, enum nfsar_sensor sensor,
                                    const void *from, size_t n, void **to, size_t *kept,
                                    nfsar_sensor_use *use, nfsar_error *error) {
    const size_t size = kinds[sensor].size;
    *use = (nfsar_sensor_use){.records = n, .first_gap_s = NAN, .stray_s = NAN};
    *to = NULL;
    *kept = 0;
    if (n == 0 || from == NULL) {
        return NFSAR_OK;
    }
    *to = calloc(n, size);
    if (*to == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu records", n);
    }
    memcpy(*to, from, n * size);
    enum nfsar_status status = clean(pod, sensor, *to, n, kept, use, error);
    if (status == NFSAR_OK && sensor == NFSAR_SENSOR_IMU) {
        leave_strays_out(*to, kept, use);
    }
    for (size_t i = 1; status == NFSAR_OK && i < *kept; i++) {
        const double interval = time_of(*to, size, i) - time_of(*to, size, i - 1);
        use->longest_s = fmax(use->longest_s, interval);
    }
    return status;
}

/* The IMU carries the pose, so its gaps matter: the usual interval, and the first that is not. */
static enum nfsar_status look_at_imu(const nfsar_pod *pod, const nfsar_sensor_records *records,
                                     const nfsar_sensor_records *good, nfsar_sensor_use *use,
                                     double *gap_s, nfsar_error *error) {
    const size_t n = good->n_imu;
    if (n < IMU_LEAST) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "imu: %zu of %zu records can be used, and %d are the least: without "
                          "inertial records there is nothing to carry the pose%s",
                          n, use->records, IMU_LEAST,
                          imu_units_unusable(records->imu, records->n_imu));
    }
    double *interval = malloc((n - 1) * sizeof *interval);
    if (interval == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu records", n);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        interval[i] = good->imu[i + 1].time_s - good->imu[i].time_s;
    }
    *gap_s = sort_upper_median(interval, n - 1);
    free(interval);
    for (size_t i = 0; i + 1 < n && isnan(use->first_gap_s); i++) {
        if (good->imu[i + 1].time_s - good->imu[i].time_s > GAP_FACTOR * *gap_s) {
            use->first_gap_s = good->imu[i].time_s;
        }
    }
    const double usual_s = *gap_s;
    *gap_s *= GAP_FACTOR;
    return imu_units_check(pod, good, usual_s, error);
}

enum nfsar_status records_check(const nfsar_pod *pod, const nfsar_sensor_records *records,
                                nfsar_sensor_records *good, nfsar_sensor_use use[NFSAR_SENSORS],
                                double *gap_s, nfsar_error *error) {
    const nfsar_sensor_records *r = records;
    memset(good, 0, sizeof *good);
    void *imu = NULL, *flow = NULL, *range = NULL, *tracker = NULL, *encoder = NULL;
    const struct {
        const void *from;
        size_t n;
        void **to;
        size_t *kept;
    } all[NFSAR_SENSORS] = {
        {r->imu, r->n_imu, &imu, &good->n_imu},
        {r->flow, r->n_flow, &flow, &good->n_flow},
        {r->range, r->n_range, &range, &good->n_range},
        {r->tracker, r->n_tracker, &tracker, &good->n_tracker},
        {r->encoder, r->n_encoder, &encoder, &good->n_encoder},
    };
    enum nfsar_status status = NFSAR_OK;
    for (int s = 0; status == NFSAR_OK && s < NFSAR_SENSORS; s++) {
        status = copy_clean(pod, (enum nfsar_sensor)s, all[s].from, all[s].n, all[s].to,
                            all[s].kept, &use[s], error);
    }
    good->imu = imu;
    good->flow = flow;
    good->range = range;
    good->tracker = tracker;
    good->encoder = encoder;
    if (status == NFSAR_OK) {
        status = look_at_imu(pod, records, good, &use[NFSAR_SENSOR_IMU], gap_s, error);
    }
    if (status != NFSAR_OK) {
        nfsar_sensor_records_free(good);
    }
    return status;
}
