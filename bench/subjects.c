#include "bench/subjects.h"

#include <string.h>

#include "bench/bench.h"

const struct bench_subject bench_subjects[] = {
    {"memory", "memory bandwidth: read and triad", bench_memory},
    {"sgemm", "matrix product of OpenBLAS", bench_sgemm},
    {"fftw", "bare transforms of FFTW", bench_fftw},
    {"bp", "backprojection, against a plain double-precision loop", bench_backprojection},
    {"rma", "range migration, against the transforms in it", bench_rma},
    {"nufft", "non-uniform transforms, against plain ones of FFTW", bench_nufft},
    {"simulation", "echoes of scatterers, against backprojection", bench_simulation},
    {"reading", "raw samples, import and HDF5, against plain reading", bench_reading},
    {0},
};

const struct bench_subject *bench_subject_find(const char *name) {
    for (const struct bench_subject *subject = bench_subjects; subject->name != NULL; subject++) {
        if (strcmp(subject->name, name) == 0) {
            return subject;
        }
    }
    return NULL;
}
