/* nfsar doctor CAPTURE.h5 */
#ifndef NFSAR_HOST_CLI_DOCTOR_CAPTURE_H
#define NFSAR_HOST_CLI_DOCTOR_CAPTURE_H

#include <stdbool.h>

/* Print what is wrong with a capture, for people or as one object; gate: MIN, MAX in metres, or
 * NULL. Returns the exit status: done when nothing is wrong. */
int doctor_capture(const char *path, const double *gate, bool json);

#endif
