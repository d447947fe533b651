#include <nfsar/pose_track.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

void nfsar_pose_track_free(nfsar_pose_track *track) {
    free(track->time_s);
    free(track->pose);
    memset(track, 0, sizeof *track);
}

/* The median step is found between 0 and the longest one by halving what is left, as often as a
 * double tells: no copy is sorted, for which there may be no memory. */
double nfsar_pose_track_gap(const nfsar_pose_track *track) {
    enum { HALVINGS = 60 };
    if (track->n < 2) {
        return 0.0;
    }
    const size_t n = track->n - 1;
    double low = 0.0, high = 0.0;
    for (size_t i = 0; i < n; i++) {
        high = fmax(high, track->time_s[i + 1] - track->time_s[i]);
    }
    for (int halving = 0; halving < HALVINGS; halving++) {
        const double middle = 0.5 * (low + high);
        size_t not_longer = 0;
        for (size_t i = 0; i < n; i++) {
            not_longer += track->time_s[i + 1] - track->time_s[i] <= middle;
        }
        if (not_longer > n / 2) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return 4.0 * high;
}

/* Largest i in 0 .. n - 2 with time[i] <= time_s, else 0. */
static size_t segment_at(const double *time, size_t n, double time_s) {
    size_t low = 0, high = n - 1;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (time[middle] <= time_s) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Slope at pose i of the parabola through it and its neighbours; of the segment [i, i + way] where
 * the other neighbour is missing or beyond a gap. */
static nfsar_vec3 slope_at(const nfsar_pose_track *track, double gap_s, size_t i, int way) {
    const double *t = track->time_s;
    const size_t j = way > 0 ? i + 1 : i - 1;
    const nfsar_vec3 ahead = nfsar_vec3_scale(
        nfsar_vec3_subtract(track->pose[j].position, track->pose[i].position), 1.0 / (t[j] - t[i]));
    if ((way > 0 && i == 0) || (way < 0 && i + 1 == track->n)) {
        return ahead;
    }
    const size_t k = way > 0 ? i - 1 : i + 1;
    if (fabs(t[k] - t[i]) > gap_s) {
        return ahead;
    }
    const nfsar_vec3 behind = nfsar_vec3_scale(
        nfsar_vec3_subtract(track->pose[k].position, track->pose[i].position), 1.0 / (t[k] - t[i]));
    const double weight = fabs(t[k] - t[i]) / (fabs(t[k] - t[i]) + fabs(t[j] - t[i]));
    return nfsar_vec3_add(nfsar_vec3_scale(ahead, weight), nfsar_vec3_scale(behind, 1.0 - weight));
}

bool nfsar_pose_track_at(const nfsar_pose_track *track, double gap_s, double time_s,
                         nfsar_pose *pose) {
    const double begin = track->time_s[0], end = track->time_s[track->n - 1];
    if (!(time_s >= begin && time_s <= end)) {
        /* A velocity from two neighbouring poses leads anywhere in a second. */
        *pose = track->pose[time_s > end ? track->n - 1 : 0];
        return false;
    }
    *pose = nfsar_track_pose(track->time_s, track->pose, track->n, time_s, NULL);
    if (track->n < 3) {
        return true;
    }
    const size_t i = segment_at(track->time_s, track->n, time_s);
    const double from = track->time_s[i], step = track->time_s[i + 1] - from;
    if (step > gap_s) {
        return time_s == from || time_s == track->time_s[i + 1];
    }
    const double u = (time_s - from) / step;
    const nfsar_vec3 a = track->pose[i].position, b = track->pose[i + 1].position;
    const nfsar_vec3 da = nfsar_vec3_scale(slope_at(track, gap_s, i, 1), step);
    const nfsar_vec3 db = nfsar_vec3_scale(slope_at(track, gap_s, i + 1, -1), step);
    const double h = u * u * (3.0 - 2.0 * u);
    const nfsar_vec3 ends = nfsar_vec3_add(nfsar_vec3_scale(a, 1.0 - h), nfsar_vec3_scale(b, h));
    const nfsar_vec3 slopes = nfsar_vec3_add(nfsar_vec3_scale(da, u * (1.0 - u) * (1.0 - u)),
                                             nfsar_vec3_scale(db, -u * u * (1.0 - u)));
    pose->position = nfsar_vec3_add(ends, slopes);
    return true;
}
