/* TEMPORARY: goes when algorithms/nurma*.c are there. */
#include <nfsar/nurma.h>
nfsar_nurma_options nfsar_nurma_defaults(void) {
    return (nfsar_nurma_options){0};
}
enum nfsar_status nfsar_nurma_plan_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                          const nfsar_nurma_options *options,
                                          nfsar_nurma_plan **plan, nfsar_error *error) {
    (void)capture, (void)grid, (void)options, (void)plan;
    return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "not there yet");
}
enum nfsar_status nfsar_nurma_execute(nfsar_nurma_plan *plan, const nfsar_echo_source *source,
                                      float complex *image, const nfsar_progress *progress,
                                      nfsar_error *error) {
    (void)plan, (void)source, (void)image, (void)progress;
    return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "not there yet");
}
void nfsar_nurma_plan_destroy(nfsar_nurma_plan *plan) {
    (void)plan;
}
