/** @file
 * Is this scan a planar lattice? Detected from the poses and the array, never declared.
 */
#ifndef NFSAR_LATTICE_H
#define NFSAR_LATTICE_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/capture.h>
#include <nfsar/status.h>

/** One line of lattice positions first + i * step. */
typedef struct nfsar_lattice_axis {
    double first; /**< metres */
    double step;  /**< metres; 0 when count is 1 */
    size_t count; /**< places */
} nfsar_lattice_axis;

/** Phase centres on a plane z = const, as one lattice or as several equal lattices that are
 * shifted against each other (one for each channel, where the array's spacing does not divide
 * the scan's step). */
typedef struct nfsar_lattice {
    nfsar_lattice_axis x; /**< places along x, of shift {0, 0} */
    nfsar_lattice_axis y; /**< places along y, of shift {0, 0} */
    double z;             /**< of the plane, world frame */
    size_t n_shift;       /**< number of shifted lattices, >= 1 */
    nfsar_vec3 *shift;    /**< [n_shift] offset of each from the first (z is 0); owned */
    size_t n_pulse;       /**< of the capture */
    size_t n_channel;     /**< of the capture */
    /** [n_pulse][n_channel] cell (shift * ny + iy) * nx + ix of each phase centre; owned */
    uint32_t *cell;
    double deviation; /**< largest distance of a phase centre from its lattice place, metres */
    double occupancy; /**< fraction of cells that hold at least one phase centre */
} nfsar_lattice;

/** Find the lattice of @p capture's phase centres.
 * @param tolerance largest deviation allowed, metres; <= 0 for lambda_min / 32.
 * @return NFSAR_ERROR_GEOMETRY, with the reason and the size of the deviation, when there is
 *         none. */
enum nfsar_status nfsar_lattice_detect(const nfsar_capture *capture, double tolerance,
                                       nfsar_lattice *lattice, nfsar_error *error);

/** Release what the lattice owns and zero it. */
void nfsar_lattice_free(nfsar_lattice *lattice);

#endif
