/** @file
 * Images for other programs.
 */
#ifndef NFSAR_EXPORT_H
#define NFSAR_EXPORT_H

#include <nfsar/image.h>
#include <nfsar/status.h>

/** Write an image in the format that the ending of @p path names: .vti (ParaView: magnitude, dB
 * below the maximum and phase), .npy (complex64, [z][y][x]) or .mat (MATLAB v5: o, x_m, y_m, z_m,
 * with o as y by x by z). The file appears under its name only when complete. NFSAR_ERROR_ARGUMENT
 * for another ending, NFSAR_ERROR_FORMAT when the image is zero everywhere or not finite,
 * NFSAR_ERROR_UNSUPPORTED when it is too large for the format. */
enum nfsar_status nfsar_export(const nfsar_image *image, const char *path, nfsar_error *error);

#endif
