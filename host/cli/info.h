/* What nfsar info prints of each kind of file. */
#ifndef NFSAR_HOST_CLI_INFO_H
#define NFSAR_HOST_CLI_INFO_H

#include <stdbool.h>

#include <jansson.h>

#include <nfsar/capture.h>
#include <nfsar/image.h>

#include "host/files/recording.h"

/* About a capture without its samples / an image without its voxels: text on stdout, or one JSON
 * object. Both answer with the exit status. recording: NULL where it is no recording. */
int info_capture(const char *path, const nfsar_capture *capture,
                 const struct recording_summary *recording, bool json);
int info_image(const char *path, const nfsar_image *image, bool json);

/* Shared by both: "label      " in front of the first of several lines. */
void info_label(const char *label);
void info_lines(const char *label, char *const *lines, size_t n);
json_t *info_json_lines(char *const *lines, size_t n);
/* How a recording ended, in words. */
const char *info_recording_end(const struct recording_summary *recording);
/* "655.4 MB" */
const char *info_bytes(double bytes, char text[32]);

#endif
