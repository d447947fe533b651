/* Walks over every transmit-receive pair of a capture, pulse after pulse. */
#ifndef NFSAR_ALGORITHMS_ANTENNAS_H
#define NFSAR_ALGORITHMS_ANTENNAS_H

#include <nfsar/capture.h>
#include <nfsar/geometry.h>

/* What is done with a pair; line counts channels within pulses. */
typedef void antennas_visit(void *data, size_t line, nfsar_vec3 tx, nfsar_vec3 rx);

/* Call visit for every pair where the poses say that it was.
 * Returns NFSAR_ERROR_MEMORY, or what nfsar_capture_antennas() does. */
enum nfsar_status antennas_each(const nfsar_capture *capture, antennas_visit *visit, void *data,
                                nfsar_error *error);

/* Smallest and largest coordinates of the phase centres, metres. */
enum nfsar_status antennas_box(const nfsar_capture *capture, nfsar_vec3 *low, nfsar_vec3 *high,
                               nfsar_error *error);

#endif
