#include <nfsar/kernel.h>

#include "algorithms/choice.h"

static const char *const names[] = {"auto", "portable", "avx2", "avx512"};

enum { N_KERNEL = sizeof names / sizeof names[0] };

enum nfsar_status nfsar_kernel_parse(const char *name, enum nfsar_kernel *kernel,
                                     nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status = choice_parse("kernel", names, N_KERNEL, name, &index, error);
    if (status == NFSAR_OK) {
        *kernel = (enum nfsar_kernel)index;
    }
    return status;
}

const char *nfsar_kernel_name(enum nfsar_kernel kernel) {
    return (unsigned)kernel < N_KERNEL ? names[kernel] : "?";
}

bool nfsar_kernel_available(enum nfsar_kernel kernel) {
    switch (kernel) {
    case NFSAR_KERNEL_AUTO:
    case NFSAR_KERNEL_PORTABLE:
        return true;
#if defined(__x86_64__)
    /* The levels that CMakeLists.txt compiles for: more than the vectors. */
    case NFSAR_KERNEL_AVX2:
        return __builtin_cpu_supports("x86-64-v3");
    case NFSAR_KERNEL_AVX512:
        return __builtin_cpu_supports("x86-64-v4");
#endif
    default:
        return false;
    }
}

enum nfsar_status nfsar_kernel_choose(enum nfsar_kernel wanted, enum nfsar_kernel *kernel,
                                      nfsar_error *error) {
    if (!nfsar_kernel_available(wanted)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "kernel '%s': this machine cannot run it; leave the choice to 'auto'",
                          nfsar_kernel_name(wanted));
    }
    *kernel = wanted;
    for (int k = N_KERNEL - 1; wanted == NFSAR_KERNEL_AUTO && k > NFSAR_KERNEL_AUTO; k--) {
        if (nfsar_kernel_available((enum nfsar_kernel)k)) {
            *kernel = (enum nfsar_kernel)k;
            return NFSAR_OK;
        }
    }
    return NFSAR_OK;
}
