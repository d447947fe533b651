/* What of the rounds is taken. */
#include "algorithms/autofocus/phase_rounds.h"

#include <math.h>

/* Coherent part of an echo, its phase taken out: pi / 4 = 0.785 for the sum of many scatterers,
 * 0.81 for two alike, 0.85 for one of twice the power of the other. */
#define STEADY 0.86

nfsar_vec3 phase_rounds_sight(const nfsar_capture *capture, size_t pulse, nfsar_vec3 place) {
    const nfsar_pose pose = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                             capture->time_s[pulse], NULL);
    const nfsar_vec3 to = nfsar_vec3_subtract(place, pose.position);
    return nfsar_vec3_scale(to, 1.0 / fmax(nfsar_vec3_norm(to), 1e-9));
}

/* What is left of the echoes, noise apart, when so much is explained. */
static double left(const nfsar_phase_gradient *f, double explained) {
    const double echo = fmax(1.0 - f->noise, 1e-300);
    return fmax(1.0 - explained / echo, 0.0);
}

/* What errors of the poses hid is most of what places left unexplained, or it was not these
 * errors. */
#define HALF 0.5

/* Several scatterers of one cell can be as steady as one alone, their phases bending the track into
 * one: a row of seven has 0.94 of its power made coherent by its own phases, and 0.79 by those of
 * the other half of the band. If the rest of a cell has the part e of the power, own phases leave
 * e / 2, which changes the strength, and another half's 3/2 e: its own rest and the phases that the
 * other's made. A tenth is allowed; by own phases where errors of range, which envelopes had to be
 * aligned for, spoil the other half's. And the halves must leave less to each other than places
 * left with the poses as they were. */
#define MOST_REST 0.1

static bool is_told(const nfsar_phase_gradient *f) {
    const bool tells =
        f->told > 1.0 - 1.5 * MOST_REST || (f->aligned && f->steady > 1.0 - 0.5 * MOST_REST);
    return tells && 1.0 - f->told < HALF * left(f, f->explained_before);
}

/* Phases that err by d radians rms leave 1 - exp(-d^2) of the echoes: 0.05 is 13 degrees, poses
 * that err by a 56th of the wavelength. Wrong poses have been seen to leave 0.09. */
#define MOST_LEFT 0.05

bool phase_judge_open(const nfsar_phase_gradient *f) {
    return left(f, f->explained_before) > MOST_LEFT;
}

bool phase_judge_joint(const nfsar_phase_gradient *f, double explained) {
    const double now = left(f, explained);
    return now < HALF * left(f, f->explained_before) && now < MOST_LEFT;
}

/* What speaks against it. Held-out echoes have been asked in every round, and entropy. Where there
 * were no others to hold out at first, but later, the phases are those of one cell still. */
enum nfsar_phase_reason phase_judge(const nfsar_phase_gradient *f) {
    if (f->rounds == 0) {
        return f->reason == NFSAR_PHASE_NOT_SHARPER ? f->reason : NFSAR_PHASE_NOT_COHERENT;
    }
    const bool is_one = f->steady > STEADY && is_told(f);
    const bool is_explained =
        f->others && left(f, f->explained_after) < HALF * left(f, f->explained_before);
    if (!isnan(f->told) && !is_one && !is_explained) {
        return NFSAR_PHASE_NOT_STEADY;
    }
    return f->explained_after > f->explained_before ? NFSAR_PHASE_TAKEN
                                                    : NFSAR_PHASE_LESS_EXPLAINED;
}

/* Sizes of what was found, and zeros where it does not hold. */
void phase_conclude(const struct rounds *r) {
    nfsar_phase_gradient *f = r->found;
    const double k =
        NFSAR_PI *
        (r->original->frequency_hz[0] + r->original->frequency_hz[r->original->n_sample - 1]) /
        NFSAR_SPEED_OF_LIGHT;
    f->reason = f->joint ? NFSAR_PHASE_TAKEN : phase_judge(f);
    f->gained = f->reason == NFSAR_PHASE_TAKEN;
    double squares = 0.0, phases = 0.0;
    for (size_t l = 0; l < f->n_pulse; l++) {
        if (!f->gained) {
            f->displacement_m[l] = (nfsar_vec3){0.0, 0.0, 0.0};
            f->phase_rad[l] = 0.0;
        }
        const nfsar_vec3 d = f->displacement_m[l],
                         sight = phase_rounds_sight(r->original, l, f->scatterer[0].place);
        const double along = nfsar_vec3_dot(d, sight);
        squares += along * along / (double)f->n_pulse;
        phases += f->phase_rad[l] * f->phase_rad[l] / (double)f->n_pulse;
    }
    f->aligned = f->aligned && f->gained;
    f->spatial = f->spatial && f->gained;
    f->rms_m = sqrt(squares);
    f->rms_rad = r->options->error == NFSAR_PHASE_PER_PULSE ? sqrt(phases) : 2.0 * k * f->rms_m;
}
