/** @file
 * Instruction sets: which version of a loop runs. The library holds every version and takes the
 * best that the machine can run; asking for one by name is for tests and measurements.
 */
#ifndef NFSAR_KERNEL_H
#define NFSAR_KERNEL_H

#include <stdbool.h>

#include <nfsar/status.h>

/** A version of the inner loops. */
enum nfsar_kernel {
    NFSAR_KERNEL_AUTO = 0, /**< the best that this machine can run */
    NFSAR_KERNEL_PORTABLE, /**< any machine */
    NFSAR_KERNEL_AVX2,     /**< x86-64-v3: AVX2, FMA */
    NFSAR_KERNEL_AVX512    /**< x86-64-v4: AVX-512 F, VL, BW and DQ */
};

/** Parse "auto", "portable", "avx2" or "avx512"; NFSAR_ERROR_ARGUMENT lists the names otherwise. */
enum nfsar_status nfsar_kernel_parse(const char *name, enum nfsar_kernel *kernel,
                                     nfsar_error *error);
/** The name that nfsar_kernel_parse() takes. */
const char *nfsar_kernel_name(enum nfsar_kernel kernel);

/** Whether this library holds the version and this machine can run it. */
bool nfsar_kernel_available(enum nfsar_kernel kernel);

/** What @p wanted stands for on this machine: itself, or for NFSAR_KERNEL_AUTO the best there is.
 * @return NFSAR_ERROR_ARGUMENT when this machine cannot run it. */
enum nfsar_status nfsar_kernel_choose(enum nfsar_kernel wanted, enum nfsar_kernel *kernel,
                                      nfsar_error *error);

#endif
