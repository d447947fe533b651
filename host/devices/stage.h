/* The description of a stage: what its axes and the radar can do, as a person writes it
 * (docs/hub.md), and in the hub's steps. */
#ifndef NFSAR_HOST_DEVICES_STAGE_H
#define NFSAR_HOST_DEVICES_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <nfsar/status.h>
#include <nfsar/wire.h>

enum stage_end { STAGE_NO_END, STAGE_LOW, STAGE_HIGH };

/* Lengths in metres, angles of the turntable in degrees. What may be left out is a pointer, NULL
 * when it is. */
struct stage_home {
    enum stage_end end;
    double speed, slow;
    double *back, *travel, *position, *timeout_s;
};

struct stage_axis {
    double steps; /* per metre, or per turn */
    double speed, acceleration, jerk;
    double *low, *high;
    bool invert, no_ramp_at_switch;
    enum stage_end *switches;
    unsigned n_switches;
    struct stage_home *home;
    double *enable_delay_s, *idle_off_s;
};

struct stage_radar {
    double frame_s;
    double *pulse_s;
};

struct stage {
    struct stage_axis *x, *y, *turntable; /* NULL: not fitted */
    struct stage_radar *radar;
};

/* Reads and checks a file; errors start with its path. Free it with stage_free(). */
enum nfsar_status stage_load(const char *path, struct stage **stage, nfsar_error *error);
/* Releases; NULL is allowed. */
void stage_free(struct stage *stage);

/* Axis 0 x, 1 y, 2 turntable; NULL when it is not described. */
const struct stage_axis *stage_axis(const struct stage *stage, unsigned axis);
/* Steps per metre, or per degree. */
double stage_steps(const struct stage *stage, unsigned axis);

/* As the hub wants it. The axis is described. */
void stage_wire_axis(const struct stage *stage, unsigned axis, struct nfsar_wire_do_axis_set *set);
void stage_wire_radar(const struct stage_radar *radar, struct nfsar_wire_do_trigger_set *set);

#endif
