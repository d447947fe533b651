/* The doctor's checks: each is a function that tells its findings. */
#ifndef NFSAR_CALIBRATION_EXAMINE_H
#define NFSAR_CALIBRATION_EXAMINE_H

#include <stdint.h>

#include <nfsar/doctor.h>
#include <nfsar/image.h>
#include <nfsar/range.h>

/* ---- what is told ---- */

struct examined {
    const nfsar_capture *capture;
    const nfsar_echo_source *raw;        /* as recorded */
    const nfsar_echo_source *calibrated; /* as imaging reads it */
    nfsar_doctor_options options;
    nfsar_doctor_report *report;
    bool not_finite;  /* samples cannot be computed with */
    bool poses_wrong; /* geometry cannot be computed with */
    bool is_lattice;  /* phase centres are on a planar lattice */
    bool is_real;     /* I or Q is zero in a channel: its echoes are mirrored */
    bool has_echo;    /* something stands above noise */
    bool mirrored;    /* the echo is in the far half of the unambiguous ranges */
    bool leaks;       /* something constant at short range is stronger than what moves */
    double noise;     /* power of noise in a sample, about; 0 unless known */
    double peak_m;    /* where the strongest echo is, of what moves; NaN unless has_echo */
    double low_m;     /* the nearest and the farthest echo within 20 dB of it */
    double high_m;
};

void examine_ok(struct examined *e, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void examine_unknown(struct examined *e, const char *check, const char *fix, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
void examine_wrong(struct examined *e, const char *check, enum nfsar_fault fault,
                   enum nfsar_doctor_certainty certainty, const char *fix, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* ---- statistics ---- */

/* The value that the mean of n unit exponentials (the power of complex noise) exceeds with
 * probability p, after Wilson and Hilferty; with p near 1, which it falls short of with 1 - p. */
double examine_mean_power(double n, double p);
/* An upper bound of the probability that n trials of probability p give at least k, after
 * Chernoff. */
double examine_binomial_bound(double k, double n, double p);

/* ---- parts of a capture ---- */

/* Some pulses in memory, calibrated: pulse[n], ascending. */
enum nfsar_status examine_part(const struct examined *e, const size_t *pulse, size_t n,
                               nfsar_capture *part, nfsar_error *error);
/* The echo of one channel of a part, through a capture of that channel alone. The part must outlive
 * both; view is not to be freed. */
struct channel_view {
    const nfsar_capture *part;
    size_t channel;
    nfsar_capture view;
    nfsar_echo_source source;
};
void examine_channel(const nfsar_capture *part, size_t channel, struct channel_view *view);

/* ---- images of a part ---- */

enum { EXAMINE_LEAST_PULSES = 8 };

/* The wavelength in the middle of the band, and about how far the target is, 10 of them at least.
 */
double examine_wave(const struct examined *e);
double examine_target(const struct examined *e);
/* The pulses within `reach` of the middle one, thinned out evenly to about so many lines, without
 * what they share: leakage, and of a plate what tells nothing. part->echo is NULL when there are
 * too few. To be freed. */
enum nfsar_status examine_near_part(const struct examined *e, double reach, size_t lines,
                                    nfsar_capture *part, nfsar_error *error);
void examine_take_out_constant(nfsar_capture *part);
/* Exact backprojection into image[voxels]. */
enum nfsar_status examine_image(const nfsar_capture *part, const nfsar_echo_source *source,
                                const nfsar_grid *grid, int threads, float complex *image,
                                nfsar_error *error);
/* Depths of a suggested grid as far apart as that needs, not round turntables. */
void examine_thin_depths(nfsar_grid *grid, const nfsar_grid_reasons *reasons);
/* n sum |o|^4 / (sum |o|^2)^2 of a slice of n voxels, and its power: 1 for a constant, 2 for
 * speckle, more the more it is in few places. */
double examine_sharpness(const float complex *slice, size_t n, double *power);

/* ---- the checks ---- */

enum nfsar_status examine_samples(struct examined *e, const nfsar_progress *progress,
                                  nfsar_error *error);
enum nfsar_status examine_poses(struct examined *e, nfsar_error *error);
enum nfsar_status examine_echo(struct examined *e, nfsar_error *error);
enum nfsar_status examine_sampling(struct examined *e, nfsar_error *error);
enum nfsar_status examine_iq(struct examined *e, nfsar_error *error);
enum nfsar_status examine_focus(struct examined *e, nfsar_error *error);
enum nfsar_status examine_channels(struct examined *e, nfsar_error *error);
/* Is another order of the channels better? Told as wrong then, and nothing is told else. */
enum nfsar_status examine_order(struct examined *e, bool *other, nfsar_error *error);
enum nfsar_status examine_offset(struct examined *e, nfsar_error *error);

#endif
