/* From a capture to one that is made of it: what this program only carries along, such as sensors'
 * records. */
#ifndef NFSAR_HOST_CLI_CARRY_H
#define NFSAR_HOST_CLI_CARRY_H

#include "host/files/capture_file.h"

/* Copy what `writer` has not written of `file`, without the objects named (h5_copy_rest()), and say
 * how many could not be copied. `output` is the writer's name, for people. */
enum nfsar_status carry_rest(const nfsar_capture_file *file, nfsar_capture_writer *writer,
                             const char *output, const char *const *without, nfsar_error *error);

#endif
