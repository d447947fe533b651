#include "host/cli/carry.h"

#include "host/cli/cli.h"
#include "host/files/hdf5_copy.h"

enum nfsar_status carry_rest(const nfsar_capture_file *file, nfsar_capture_writer *writer,
                             const char *output, const char *const *without, nfsar_error *error) {
    size_t left_out = 0;
    enum nfsar_status status = h5_copy_rest(capture_file_input(file), capture_writer_output(writer),
                                            without, &left_out, error);
    if (left_out > 0) {
        cli_say("%s: %zu object%s that cannot be copied safely left out", output, left_out,
                cli_s(left_out));
    }
    return status;
}
