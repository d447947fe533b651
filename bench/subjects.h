/* The function of every subject; subjects.c lists them. */
#ifndef NFSAR_BENCH_SUBJECTS_H
#define NFSAR_BENCH_SUBJECTS_H

#include <nfsar/status.h>

struct bench;

enum nfsar_status bench_memory(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_sgemm(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_fftw(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_backprojection(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_rma(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_csar(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_nufft(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_simulation(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_reading(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_enhance(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_gate(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_papers(struct bench *bench, nfsar_error *error);
enum nfsar_status bench_risar(struct bench *bench, nfsar_error *error);

#endif
