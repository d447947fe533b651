#include "bench/subjects.h"

#include <string.h>

#include "bench/bench.h"

const struct bench_subject bench_subjects[] = {
    {"memory", "memory bandwidth: read and triad", bench_memory, false},
    {"sgemm", "matrix product of OpenBLAS", bench_sgemm, false},
    {"fftw", "bare transforms of FFTW", bench_fftw, false},
    {"bp", "backprojection, against a plain double-precision loop", bench_backprojection, false},
    {"rma", "range migration, against the transforms in it", bench_rma, false},
    {"csar", "cylindrical scans, against the transforms in it", bench_csar, false},
    {"nufft", "non-uniform transforms, against plain ones of FFTW", bench_nufft, false},
    {"simulation", "echoes of scatterers, against backprojection", bench_simulation, false},
    {"reading", "raw samples, import and HDF5, against plain reading", bench_reading, false},
    {"enhance", "networks, against OpenBLAS's matrix product", bench_enhance, false},
    {"gate", "what a range gate saves (minutes: only when named)", bench_gate, true},
    {"papers", "the experiments of Smith and Torlak 2022 (minutes: only when named)", bench_papers,
     true},
    {"risar", "the turntable of Smith and Torlak 2020 (minutes: only when named)", bench_risar,
     true},
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
