/* Numbers that describe a capture. */
#ifndef NFSAR_HOST_CLI_CAPTURE_SUMMARY_H
#define NFSAR_HOST_CLI_CAPTURE_SUMMARY_H

#include <stdbool.h>

#include <nfsar/capture.h>

/* A box around points. */
struct box {
    nfsar_vec3 low, high;
};

struct capture_summary {
    double low_hz, high_hz;      /* of all samples */
    double step_hz;              /* mean, signed as the samples go */
    bool even_steps;             /* to a thousandth of a step */
    double range_resolution_m;   /* c / (2 bandwidth); NaN for a single frequency */
    double unambiguous_range_m;  /* c / (2 step); NaN likewise */
    struct box array;            /* of the channels' phase centres, body frame */
    double duration_s;           /* first to last pulse */
    struct box scan;             /* of the body at the pulses */
    double mean_step_m;          /* between successive pulses; NaN for one pulse */
    double largest_step_m;       /* likewise */
    double largest_turn_rad;     /* of an orientation against the first pulse's */
    size_t n_missing, n_outside; /* pulses with each flag */
    bool poses_at_pulses;        /* one pose for each pulse, at its time */
    double memory_bytes;         /* of the samples */
};

void capture_summarize(const nfsar_capture *capture, struct capture_summary *summary);

#endif
