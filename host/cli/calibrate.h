/* What the modes of `nfsar calibrate` share: each has a file of its own. */
#ifndef NFSAR_HOST_CLI_CALIBRATE_H
#define NFSAR_HOST_CLI_CALIBRATE_H

#include <stdbool.h>

#include <nfsar/channels.h>
#include <nfsar/file.h>
#include <nfsar/instrument.h>

/* Open a capture that is no recording, and see that the output can be written. */
enum nfsar_status calibrate_open(const char *input, const char *output, nfsar_capture_file **file,
                                 nfsar_error *error);

/* The file's header in a copy of which calibration, poses and frequencies may be replaced by the
 * caller's and lines of provenance be added; everything else stays the file's. */
enum nfsar_status calibrate_copy_header(const nfsar_capture_file *file, nfsar_capture *copy,
                                        nfsar_error *error);
/* Release what calibrate_copy_header() and notes allocated. */
void calibrate_free_header(const nfsar_capture_file *file, nfsar_capture *copy);

/* Write the samples and all else of the file under the header. */
enum nfsar_status calibrate_write(const char *output, nfsar_capture_file *file,
                                  const nfsar_capture *header, nfsar_error *error);

/* Millimetres to two places, without the sign of a zero. */
double calibrate_hundredths(double metres);

/* The modes; each returns the exit status. */
struct calibrate_channels {
    const char *input, *output;
    bool json;
    nfsar_channels_options options;
};
int calibrate_channels(const struct calibrate_channels *job);

struct calibrate_table {
    const char *input, *output;
    const char *files; /* commas between */
    bool json;
};
int calibrate_table(const struct calibrate_table *job);

struct calibrate_range {
    const char *input, *output;
    bool json;
    nfsar_instrument_options options;
};
/* "R" or "R,R2". */
bool calibrate_read_ranges(const char *text, nfsar_instrument_options *options);
int calibrate_range(const struct calibrate_range *job);

#endif
