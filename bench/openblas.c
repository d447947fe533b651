#include "bench/openblas.h"

#include <dlfcn.h>
#include <string.h>

/* A data pointer becomes a function's by way of its bytes: C has no cast for it. */
static bool find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

bool openblas_open(struct openblas *blas) {
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    return library != NULL && find(library, "cblas_sgemm", &blas->sgemm) &&
           find(library, "openblas_set_num_threads", &blas->set_threads) &&
           find(library, "openblas_get_config", &blas->config) &&
           find(library, "openblas_get_corename", &blas->corename);
}
