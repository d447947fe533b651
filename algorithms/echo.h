/* Echoes of many scatterers by clusters and range profiles: the adjoint of backprojection. */
#ifndef NFSAR_ALGORITHMS_ECHO_H
#define NFSAR_ALGORITHMS_ECHO_H

#include <nfsar/simulation.h>

struct echo_engine;

/* Whether clusters are less work than every sample by itself, and possible: frequencies equally
 * spaced, ranges not absurdly many. */
enum nfsar_status echo_create(const nfsar_capture *capture, const nfsar_scatterer *scatterer,
                              size_t n, const nfsar_simulation_options *options, int threads,
                              struct echo_engine **engine, nfsar_error *error);

/* Echoes of one pulse into echo[n_channel][n_sample], by thread number `thread`. tx and rx are the
 * antennas of each channel, boresight their direction (for beams; else NULL). False when a
 * scatterer is nearer than `nearest` to an antenna. */
bool echo_pulse(struct echo_engine *engine, int thread, const nfsar_vec3 *tx, const nfsar_vec3 *rx,
                const nfsar_vec3 *boresight, double nearest, float complex *echo);

void echo_destroy(struct echo_engine *engine);

#endif
