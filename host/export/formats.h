/* One function for each format. They write the whole file under the given (temporary) name. */
#ifndef NFSAR_HOST_EXPORT_FORMATS_H
#define NFSAR_HOST_EXPORT_FORMATS_H

#include <nfsar/image.h>
#include <nfsar/status.h>

/* dB of a magnitude relative to the maximum, never below this: ParaView cannot show -infinity. */
#define EXPORT_FLOOR_DB (-200.0f)

/* `maximum` is the largest magnitude of the image. */
typedef enum nfsar_status export_writer(const nfsar_image *image, double maximum, const char *path,
                                        nfsar_error *error);

export_writer export_vti, export_npy, export_mat;

/* NFSAR_ERROR_ARGUMENT, with the list of formats, when the ending of path is none of them. */
enum nfsar_status export_check_ending(const char *path, nfsar_error *error);

#endif
