/* HDF5's error stack: kept off stderr, and turned into words for our own one-line messages. */
#ifndef NFSAR_HOST_FILES_HDF5_ERROR_H
#define NFSAR_HOST_FILES_HDF5_ERROR_H

#include <hdf5.h>

/* How the caller's program had HDF5 report errors. */
struct h5_reporting {
    H5E_auto2_t function;
    void *context;
};

/* Stop HDF5 from printing; every public function does this first ... */
struct h5_reporting h5_silence(void);
/* ... and puts the caller's setting back last. */
void h5_restore(struct h5_reporting before);

/* Length enough for h5_reason(). */
#define H5_REASON_LENGTH 128

/* Why the HDF5 call just made has failed, in HDF5's words; text is returned. */
const char *h5_reason(char text[H5_REASON_LENGTH]);

#endif
