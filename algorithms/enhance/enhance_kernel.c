#include "algorithms/enhance/enhance_kernel.h"

enum nfsar_status enhance_kernels_choose(enum nfsar_kernel wanted,
                                         const struct enhance_kernels **kernels,
                                         nfsar_error *error) {
    enum nfsar_status status = nfsar_kernel_choose(wanted, &wanted, error);
    *kernels = &enhance_kernels_portable;
#if defined(__x86_64__)
    if (status == NFSAR_OK && wanted == NFSAR_KERNEL_AVX2) {
        *kernels = &enhance_kernels_avx2;
    } else if (status == NFSAR_OK && wanted == NFSAR_KERNEL_AVX512) {
        *kernels = &enhance_kernels_avx512;
    }
#endif
    return status;
}
