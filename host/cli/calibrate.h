/* What the modes of `nfsar calibrate` share: each has a file of its own. */
#ifndef NFSAR_HOST_CLI_CALIBRATE_H
#define NFSAR_HOST_CLI_CALIBRATE_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

#include <nfsar/channels.h>
#include <nfsar/file.h>
#include <nfsar/instrument.h>
#include <nfsar/path.h>
#include <nfsar/rotation.h>

struct h5_output;

/* Open a capture that is no recording and not gated, and see that the output can be written. */
enum nfsar_status calibrate_open(const char *input, const char *output, nfsar_capture_file **file,
                                 nfsar_error *error);

/* The file's header in a copy with poses of its own, which may be changed; calibration and
 * frequencies may be replaced by the caller's, and lines of provenance be added. Everything else
 * stays the file's. */
enum nfsar_status calibrate_copy_header(const nfsar_capture_file *file, nfsar_capture *copy,
                                        nfsar_error *error);
/* Release what calibrate_copy_header() and notes allocated. */
void calibrate_free_header(const nfsar_capture_file *file, nfsar_capture *copy);

/* What is to be done with samples on their way: pulses from first_pulse on, [n_pulse][n_channel]
 * [n_sample], changed in place. */
struct calibrate_change {
    void (*change)(void *context, size_t first_pulse, size_t n_pulse, float complex *echo);
    void *context;
};

/* Write the samples, changed if change is not NULL, and all else of the file under the header. */
enum nfsar_status calibrate_write(const char *output, nfsar_capture_file *file,
                                  const nfsar_capture *header,
                                  const struct calibrate_change *change, nfsar_error *error);

/* The same; `more` puts more into the file that is being written, in place of what the file has by
 * the name `replaces` (a path, or NULL). */
struct calibrate_extra {
    enum nfsar_status (*write)(void *context, struct h5_output *output, nfsar_error *error);
    void *context;
    const char *replaces;
};
enum nfsar_status calibrate_write_with(const char *output, nfsar_capture_file *file,
                                       const nfsar_capture *header,
                                       const struct calibrate_change *change,
                                       const struct calibrate_extra *more, nfsar_error *error);

/* Millimetres to two places, without the sign of a zero. */
double calibrate_hundredths(double metres);

/* ---- the modes; each returns the exit status ---- */

struct calibrate_files {
    const char *input, *output;
    bool json; /* what was found as one JSON object */
};

struct calibrate_axis {
    struct calibrate_files files;
    nfsar_rotation_options options;
};
int calibrate_axis(const struct calibrate_axis *job);

struct calibrate_channels {
    struct calibrate_files files;
    nfsar_channels_options options;
    bool force; /* write a poor calibration too */
};
int calibrate_channels(const struct calibrate_channels *job);

struct calibrate_table {
    struct calibrate_files files;
    const char *tables; /* names of files, commas between */
};
int calibrate_table(const struct calibrate_table *job);

struct calibrate_range {
    struct calibrate_files files;
    nfsar_instrument_options options;
};
/* "R" or "R,R2". */
bool calibrate_read_ranges(const char *text, nfsar_instrument_options *options);
int calibrate_range(const struct calibrate_range *job);

struct calibrate_path {
    struct calibrate_files files;
    nfsar_path_options options;
};
int calibrate_path(const struct calibrate_path *job);

/* What the radar sees of itself, taken out in this order: iq, empty, leakage. */
struct calibrate_background {
    struct calibrate_files files;
    const char *empty; /* capture of the empty room, or NULL */
    double leakage[2]; /* up to the first, targets beyond the second; 0: none looked for */
    size_t drift;      /* pulses over which it stays; 0: all */
    bool iq;
};
int calibrate_background(const struct calibrate_background *request);

#endif
