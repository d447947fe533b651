#include "algorithms/buffer.h"

#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define VECTOR_BYTES ((size_t)64)
#define HUGE_BYTES   ((size_t)2 << 20)

void *buffer_alloc(size_t n, size_t size) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(n > 0 ? n : 1, size, &bytes) || bytes > ((size_t)1 << 62)) {
        return NULL;
    }
    size_t alignment = bytes >= 2 * HUGE_BYTES ? HUGE_BYTES : VECTOR_BYTES;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, bytes);
#ifdef __linux__
    if (memory != NULL && alignment == HUGE_BYTES) {
        madvise(memory, bytes, MADV_HUGEPAGE);
    }
#endif
    return memory;
}

void *buffer_zeros(size_t n, size_t size) {
    void *memory = buffer_alloc(n, size);
    if (memory != NULL) {
        memset(memory, 0, (n > 0 ? n : 1) * size);
    }
    return memory;
}
