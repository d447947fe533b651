/* Captures made by hand for tests: plain double-precision sums that share no code with the
 * simulator. */
#ifndef NFSAR_TESTS_RADAR_H
#define NFSAR_TESTS_RADAR_H

#include <nfsar/capture.h>

/* Wavelength at 79 GHz, the centre of 77-81 GHz. */
#define RADAR_LAMBDA (NFSAR_SPEED_OF_LIGHT / 79e9)

/* A raster of nx * ny pulses, x fastest, centred at the origin of the plane z = 0, with steps dx
 * and dy, n_sample frequencies over 77-81 GHz, and the array preset along y. Zero echo. */
void radar_raster(const char *preset, size_t nx, double dx, size_t ny, double dy, size_t n_sample,
                  nfsar_capture *capture);

/* Add the echo of unit point scatterers: exp(+jk(R_T + R_R)), no spreading loss. */
void radar_add_points(nfsar_capture *capture, const nfsar_vec3 *point, size_t n);

/* Samples of all pulses and channels. */
size_t radar_samples(const nfsar_capture *capture);

/* Add complex noise of that mean power to each sample. */
void radar_add_noise(nfsar_capture *capture, double power, uint64_t seed);

/* Make all echoes later by a delay, and multiply them. */
void radar_delay(nfsar_capture *capture, double delay_s, double amplitude);

/* Points of the 21-point target of the papers' kind: 7 x 3 over 9 x 6 cm round the z axis, rows at
 * depths depth - 0.02, depth and depth + 0.02. */
void radar_21_points(double depth, nfsar_vec3 point[21]);

#endif
