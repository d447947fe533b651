/* Raw recordings decoded at the speed of the memory. */
#ifndef NFSAR_HOST_IMPORT_LAYOUT_H
#define NFSAR_HOST_IMPORT_LAYOUT_H

#include <nfsar/import.h>

/* As nfsar_raw_decode_chirp(), conjugated where that is asked for. */
enum nfsar_status raw_decode_chirp(enum nfsar_raw_layout layout, bool q_first, bool conjugate,
                                   size_t n_rx, size_t n_sample, const unsigned char *bytes,
                                   float complex *out, nfsar_error *error);

#endif
