/* Echoes of many scatterers by clusters and range profiles: the adjoint of backprojection. */
#ifndef NFSAR_ALGORITHMS_ECHO_H
#define NFSAR_ALGORITHMS_ECHO_H

#include <nfsar/simulation.h>

struct echo_engine;

/* Make an engine; *engine is NULL where clusters are no less work than every sample by itself, or
 * not possible: frequencies must be equally spaced. */
enum nfsar_status echo_create(const nfsar_capture *capture, const nfsar_scatterer *scatterer,
                              size_t n, const nfsar_simulation_options *options, int threads,
                              struct echo_engine **engine, nfsar_error *error);

/* Most pulses that echo_pulses() takes. */
size_t echo_room(const struct echo_engine *engine);

/* Whether a pulse with these antennas [n_channel] is too near to some scatterers to be computed by
 * clusters. */
bool echo_near(const struct echo_engine *engine, const nfsar_vec3 *tx, const nfsar_vec3 *rx);

/* Echoes of n_pulse pulses into echo[n_pulse][n_channel][n_sample], by thread number `thread`.
 * tx, rx[n_pulse][n_channel] are the antennas of each channel, boresight their direction (for
 * beams). NFSAR_ERROR_MEMORY; no message. What comes out for a pulse does not depend on the
 * others. */
enum nfsar_status echo_pulses(struct echo_engine *engine, int thread, size_t n_pulse,
                              const nfsar_vec3 *tx, const nfsar_vec3 *rx,
                              const nfsar_vec3 *boresight, float complex *echo);

void echo_destroy(struct echo_engine *engine);

#endif
