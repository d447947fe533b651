#include "host/cli/reconstruct_gate.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/cli/cli.h"

enum nfsar_status reconstruct_gate_check(const nfsar_capture *capture,
                                         const struct reconstruct_request *request,
                                         const struct reconstruct_choice *choice,
                                         nfsar_error *error) {
    bool gated = capture->gated.range_m[1] > 0.0;
    if (gated && choice->sparse) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: is gated, its samples obey no echo model, and --sparse explains "
                          "echoes: take the capture that it was made of",
                          request->capture);
    }
    if (gated && choice->use.rma.frequency_window != NFSAR_WINDOW_RECTANGULAR) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: is gated, and windows over frequency come before the gate: give "
                          "--window to `nfsar gate`",
                          request->capture);
    }
    if (!request->has_range) {
        return NFSAR_OK;
    }
    enum nfsar_status status = nfsar_gate_check(capture, request->range, error);
    return status == NFSAR_OK ? NFSAR_OK
                              : nfsar_fail_in(error, status, "%s: --range", request->capture);
}

/* Half a cell at most, which the tolerance does not notice: limits of gates are given in round
 * numbers. */
static bool reaches_beyond(const nfsar_capture *capture, const double range[2],
                           const double limits[2]) {
    double slack = 0.5 * nfsar_range_resolution(capture);
    return range[0] < limits[0] - slack || range[1] > limits[1] + slack;
}

enum nfsar_status reconstruct_gate_warn(const nfsar_capture *capture, const nfsar_grid *grid,
                                        nfsar_error *error) {
    const double *had = capture->gated.range_m;
    double range[2];
    if (!(had[1] > 0.0)) {
        return NFSAR_OK;
    }
    enum nfsar_status status = nfsar_gate_of_grid(capture, grid, range, error);
    if (status == NFSAR_OK && reaches_beyond(capture, range, had)) {
        cli_say("warning: the grid's voxels are %.3f to %.3f m from the antennas, and the capture "
                "is gated from %.3f to %.3f m: what is beyond is missing; take a smaller grid, or "
                "a wider gate",
                range[0], range[1], had[0], had[1]);
    }
    return status;
}

static enum nfsar_status read_all(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  struct reconstruct_gate *gate, nfsar_error *error) {
    size_t lines = 0, bytes = 0;
    float complex *echo = NULL;
    if (!__builtin_mul_overflow(capture->n_pulse, capture->array.n_channel, &lines) &&
        !__builtin_mul_overflow(lines, gate->view.n_sample * sizeof *echo, &bytes)) {
        echo = malloc(bytes);
    }
    if (echo == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for %zu gated lines of %zu samples: leave out --range",
                          lines, gate->view.n_sample);
    }
    gate->view.echo = echo;
    enum nfsar_status status =
        nfsar_gate_read(gate->plan, capture, source, echo, cli_progress("range gate"), error);
    cli_progress_end();
    return status;
}

enum nfsar_status reconstruct_gate(const nfsar_capture *capture, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, const double range[2],
                                   struct reconstruct_gate *gate, nfsar_error *error) {
    nfsar_gate_options options = nfsar_gate_defaults();
    double needed[2];
    enum nfsar_status status = reconstruct_gate_warn(capture, grid, error);
    if (status == NFSAR_OK) {
        status = nfsar_gate_of_grid(capture, grid, needed, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    gate->before = capture->n_sample;
    options.range_m[0] = gate->range[0] = fmin(range[0], needed[0]);
    options.range_m[1] = gate->range[1] = fmax(range[1], needed[1]);
    options.window = gate->window;
    status = nfsar_gate_create(capture, &options, &gate->plan, error);
    if (status == NFSAR_OK) {
        gate->view = nfsar_gate_view(gate->plan, capture);
        status = read_all(capture, source, gate, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    bool wider = gate->range[0] < range[0] - 5e-4 || gate->range[1] > range[1] + 5e-4;
    cli_say("range gate %.3f to %.3f m%s: %zu of %zu samples%s", gate->range[0], gate->range[1],
            wider ? ", as the grid's voxels need" : "", gate->view.n_sample, gate->before,
            gate->view.n_sample < gate->before
                ? "; error at most -100 dB of the samples' mean magnitude"
                : ", for so wide a gate");
    return NFSAR_OK;
}

const char *reconstruct_gate_text(const struct reconstruct_gate *gate, char room[128]) {
    room[0] = '\0';
    if (gate->plan != NULL) {
        snprintf(room, 128, " range=%.4g:%.4g samples=%zu/%zu gate-window=%s", gate->range[0],
                 gate->range[1], gate->view.n_sample, gate->before,
                 nfsar_window_name(gate->window));
    }
    return room;
}

void reconstruct_gate_free(struct reconstruct_gate *gate) {
    nfsar_gate_destroy(gate->plan);
    free(gate->view.echo);
}
