#include "algorithms/rma_kernels.h"

#define TARGET
#define WIDTH      4
#define NAME(name) portable_##name
#include "algorithms/rma_kernels.inc"
#undef TARGET
#undef WIDTH
#undef NAME

static const struct rma_kernels portable = {portable_weigh, portable_sum};

#if defined(__x86_64__) && defined(__GNUC__)
#define TARGET     __attribute__((target("avx2,fma")))
#define WIDTH      8
#define NAME(name) avx2_##name
#include "algorithms/rma_kernels.inc"
#undef TARGET
#undef WIDTH
#undef NAME

#define TARGET     __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))
#define WIDTH      16
#define NAME(name) avx512_##name
#include "algorithms/rma_kernels.inc"
#undef TARGET
#undef WIDTH
#undef NAME

static const struct rma_kernels avx2 = {avx2_weigh, avx2_sum};
static const struct rma_kernels avx512 = {avx512_weigh, avx512_sum};
#endif

const struct rma_kernels *rma_kernels_for(enum nfsar_kernel most) {
#if defined(__x86_64__) && defined(__GNUC__)
    bool any = most == NFSAR_KERNEL_AUTO;
    if ((any || most == NFSAR_KERNEL_AVX512) && nfsar_kernel_available(NFSAR_KERNEL_AVX512)) {
        return &avx512;
    }
    if ((any || most >= NFSAR_KERNEL_AVX2) && nfsar_kernel_available(NFSAR_KERNEL_AVX2)) {
        return &avx2;
    }
#endif
    (void)most;
    return &portable;
}
