/* Build once, run anywhere: a function marked MULTIVERSION is compiled for AVX-512, AVX2 and plain
 * x86-64, and the loader picks. Elsewhere, and under the sanitizers (whose runtime is not up when
 * the loader picks), it is compiled once. */
#ifndef NFSAR_ALGORITHMS_MULTIVERSION_H
#define NFSAR_ALGORITHMS_MULTIVERSION_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(NFSAR_SANITIZED)
#define MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MULTIVERSION
#endif

#endif
