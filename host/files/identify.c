/* Capture or image? */
#include <nfsar/file.h>

#include "host/files/hdf5_error.h"
#include "host/files/hdf5_input.h"

enum nfsar_status nfsar_file_identify(const char *path, enum nfsar_file_kind *kind,
                                      nfsar_error *error) {
    struct h5_input input;
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = h5_input_open(&input, path, error);
    if (status == NFSAR_OK) {
        status = h5_input_kind(&input, kind, error);
        h5_input_close(&input);
    }
    h5_restore(before);
    return status;
}
