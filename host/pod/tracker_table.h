/* /sensor/tracker of a capture (docs/files.md): poses of a tracker, with how its body is fixed to
 * the radar where that is known. */
#ifndef NFSAR_HOST_POD_TRACKER_TABLE_H
#define NFSAR_HOST_POD_TRACKER_TABLE_H

#include "host/files/hdf5_input.h"
#include "host/files/hdf5_output.h"
#include "host/pod/pod.h"

/* What the table says of itself, into a pod that says nothing of it: the mounting, and that there
 * are no directions. Nothing where there is no table. */
enum nfsar_status tracker_table_mounting(const struct h5_input *input, struct pod *pod,
                                         nfsar_error *error);

/* Write the table; /sensor must be there. mounting may be NULL; without `oriented` the orientations
 * of the records are none. */
enum nfsar_status tracker_table_write(struct h5_output *output, const nfsar_tracker_record *record,
                                      size_t n, bool oriented, const nfsar_mounting *mounting,
                                      nfsar_error *error);

#endif
