#include "algorithms/transpose.h"

transpose *transpose_for(enum nfsar_kernel kernel) {
#if defined(__x86_64__)
    if (nfsar_kernel_choose(kernel, &kernel, NULL) == NFSAR_OK) {
        return kernel == NFSAR_KERNEL_AVX512 ? transpose_avx512
               : kernel == NFSAR_KERNEL_AVX2 ? transpose_avx2
                                             : transpose_portable;
    }
#else
    (void)kernel;
#endif
    return transpose_portable;
}
