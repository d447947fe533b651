/* The pulse per second of a GNSS receiver against the hub's clock. The hub's time stays
 * free-running; what is found is reported, and the host turns times into UTC with it. Pulses that
 * are not a second apart, to the accuracy of a crystal, are refused and counted. */
#ifndef NFSAR_APP_PPS_H
#define NFSAR_APP_PPS_H

#include <stdbool.h>
#include <stdint.h>

/* A crystal is within 100 ppm over temperature; twice that is somebody else's pulse. The chip's own
 * oscillator is within 1 %, and an emulator's edges come milliseconds late. */
enum { PPS_CRYSTAL = 200, PPS_COARSE = 20000, PPS_WINDOW = 32 };

struct pps {
    uint32_t count_hz;
    uint32_t tolerance;         /* counts by which a second may be wrong */
    uint64_t last;              /* count of the last pulse, accepted or not */
    uint64_t accepted;          /* count of the last accepted */
    int32_t behind[PPS_WINDOW]; /* counts by which a second was longer than count_hz, in a ring */
    uint32_t intervals;         /* accepted so far, since the pulses began */
    uint32_t pulses;            /* accepted */
    uint32_t refused;
    bool running;    /* pulses came and did not stop */
    uint64_t utc_ns; /* of the last accepted pulse; 0 not known */
};

/* tolerance_ppm: PPS_CRYSTAL or PPS_COARSE. */
void pps_init(struct pps *pps, uint32_t count_hz, uint32_t tolerance_ppm);

/* A pulse at this 64-bit count. True: accepted. */
bool pps_pulse(struct pps *pps, uint64_t count);

/* The receiver named the second of the pulse at this count. True: it is the last one accepted. */
bool pps_name(struct pps *pps, uint64_t count, uint64_t utc_ns);

/* True once, when no edge came for three seconds, or for five none that was a second after another:
 * noise on the wire is no pulse per second. */
bool pps_stopped(struct pps *pps, uint64_t count);

/* Parts per million by which the hub's clock is fast, a straight line through the last pulses; and
 * their r.m.s. distance from it in nanoseconds. False before the third pulse in a row. */
bool pps_drift(const struct pps *pps, float *drift_ppm, float *spread_ns);

#endif
