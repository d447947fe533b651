/* OpenBLAS, loaded when the benchmark wants it: linked, it would start its threads with every other
 * verb of the command as well, and wait for them for ever at the end where memory is limited. */
#ifndef NFSAR_BENCH_OPENBLAS_H
#define NFSAR_BENCH_OPENBLAS_H

#include <stdbool.h>

/* Of cblas.h, whose numbers are the same everywhere. */
enum { OPENBLAS_ROW_MAJOR = 101, OPENBLAS_NO_TRANSPOSE = 111 };

struct openblas {
    void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                  const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
    void (*set_threads)(int threads);
    char *(*config)(void);
    char *(*corename)(void);
};

/* False when there is no OpenBLAS. It stays loaded: its threads run in it. */
bool openblas_open(struct openblas *blas);

#endif
