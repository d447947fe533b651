/** @file
 * Images for other programs.
 */
#ifndef NFSAR_EXPORT_H
#define NFSAR_EXPORT_H

#include <nfsar/image.h>
#include <nfsar/status.h>

/** Write an image in the format that the ending of @p path names: .vti (ParaView: magnitude, dB and
 * phase), .npy (complex64, [z][y][x]) or .mat (MATLAB v5: o, x_m, y_m, z_m, with o as y by x by z).
 * The file appears under its name only when complete. */
enum nfsar_status nfsar_export(const nfsar_image *image, const char *path, nfsar_error *error);

#endif
