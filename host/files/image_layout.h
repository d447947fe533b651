/* Where everything is in image.h5 (docs/files.md). */
#ifndef NFSAR_HOST_FILES_IMAGE_LAYOUT_H
#define NFSAR_HOST_FILES_IMAGE_LAYOUT_H

#define IMAGE_GROUP      "/image"
#define IMAGE_DATA       "/image/data"
#define IMAGE_X          "/image/x_m"
#define IMAGE_Y          "/image/y_m"
#define IMAGE_Z          "/image/z_m"
#define IMAGE_STEP       "step_m"
#define IMAGE_METHOD     "method"
#define IMAGE_OPTIONS    "options"
#define IMAGE_PROVENANCE "/provenance"

#endif
