/* Numbers side by side: GCC's vectors, as wide as the instruction set that this file is compiled
 * for, so that one text of a loop makes every version of a kernel. A kernel is a body.h that
 * includes this, and one small .c file for each instruction set, compiled with its flags
 * (CMakeLists.txt), that includes the body. Which one runs is chosen when a plan is made. */
#ifndef NFSAR_ALGORITHMS_LANES_H
#define NFSAR_ALGORITHMS_LANES_H

#include <math.h>
#include <stdint.h>

/* LANES_GROUP vectors are worked on together: they share every coefficient that is loaded, and hide
 * some of the latency of each other's chains; more of them than the registers hold would be
 * spilled. */
#if defined(LANES_WIDE)
/* The widest version in the instructions that there are: a test of its text on any machine. */
#define LANES_NAME wide
/* The functions that pass vectors are all inlined: how others would pass them does not matter. */
#pragma GCC diagnostic ignored "-Wpsabi"
enum { LANES_WIDTH = 16, LANES_GROUP = 4 };
#elif defined(__AVX512F__)
#define LANES_NAME avx512
enum { LANES_WIDTH = 16, LANES_GROUP = 4 };
#elif defined(__AVX2__)
#define LANES_NAME avx2
enum { LANES_WIDTH = 8, LANES_GROUP = 2 };
#else
#define LANES_NAME portable
enum { LANES_WIDTH = 4, LANES_GROUP = 4 };
#endif

#define LANES_PASTE_(a, b) a##_##b
#define LANES_PASTE(a, b)  LANES_PASTE_(a, b)
/* name_avx2 and so on: what a body calls its public function. */
#define LANES_VERSION(name) LANES_PASTE(name, LANES_NAME)

/* GCC leaves long polynomials rolled, which costs moves. Where there are registers for it, they are
 * unrolled; with sixteen, the rolled ones came out faster. */
#if defined(__AVX512F__) && !defined(LANES_WIDE)
#define LANES_UNROLL _Pragma("GCC unroll 8")
#else
#define LANES_UNROLL
#endif

typedef float lanes __attribute__((vector_size(4 * LANES_WIDTH)));
typedef int32_t lanes_int __attribute__((vector_size(4 * LANES_WIDTH)));

#define LANES_INLINE static inline __attribute__((always_inline))

/* Keep a number that several vectors need in a register: the compiler would rather load it anew
 * for each, and the kernels have no load to spare. */
#if defined(LANES_WIDE)
#define LANES_HOLD(value) ((void)(value))
#elif defined(__x86_64__)
#define LANES_HOLD(value) __asm__("" : "+v"(value))
#elif defined(__aarch64__)
#define LANES_HOLD(value) __asm__("" : "+w"(value))
#else
#define LANES_HOLD(value) ((void)(value))
#endif

LANES_INLINE lanes lanes_splat(float value) {
    lanes made = value - (lanes){0};
    LANES_HOLD(made);
    return made;
}

/* `from` and `to` are aligned to a whole vector. */
LANES_INLINE lanes lanes_load(const float *from) {
    return *(const lanes *)__builtin_assume_aligned(from, sizeof(lanes));
}

LANES_INLINE void lanes_store(float *to, lanes value) {
    *(lanes *)__builtin_assume_aligned(to, sizeof(lanes)) = value;
}

/* out[i] = c[0] + x[i] (c[1] + x[i] (c[2] + ...)) for n vectors. */
LANES_INLINE void lanes_polynomial(int n, const lanes *x, const float *c, int degree, lanes *out) {
    lanes top = lanes_splat(c[degree]);
    for (int i = 0; i < n; i++) {
        out[i] = top;
    }
    for (int d = degree - 1; d >= 0; d--) {
        lanes next = lanes_splat(c[d]);
        for (int i = 0; i < n; i++) {
            out[i] = next + x[i] * out[i];
        }
    }
}

/* Two polynomials at once, out of x and of y: their chains fill each other's latencies. */
LANES_INLINE void lanes_polynomials(const lanes *x, const float *c, int degree, lanes *of_x,
                                    const lanes *y, const float *d, int other, lanes *of_y) {
    int most = degree > other ? degree : other;
    LANES_UNROLL
    for (int k = most; k >= 0; k--) {
        lanes next_x = lanes_splat(k <= degree ? c[k] : 0.0f);
        lanes next_y = lanes_splat(k <= other ? d[k] : 0.0f);
        for (int i = 0; i < LANES_GROUP && k <= degree; i++) {
            of_x[i] = k < degree ? next_x + x[i] * of_x[i] : next_x;
        }
        for (int i = 0; i < LANES_GROUP && k <= other; i++) {
            of_y[i] = k < other ? next_y + y[i] * of_y[i] : next_y;
        }
    }
}

/* Square roots lane by lane; the compiler makes one instruction of it. */
LANES_INLINE lanes lanes_sqrt(lanes value) {
    lanes root;
    for (int i = 0; i < LANES_WIDTH; i++) {
        root[i] = sqrtf(value[i]);
    }
    return root;
}

#endif
