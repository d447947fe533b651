/* A network on slices of complex voxels, for the verbs that sharpen. */
#ifndef NFSAR_HOST_CLI_ENHANCING_H
#define NFSAR_HOST_CLI_ENHANCING_H

#include <complex.h>

#include <nfsar/enhance.h>
#include <nfsar/image.h>

/* A zeroed one may be freed. */
struct enhancing {
    nfsar_enhance_model *model;
    nfsar_enhance_plan *plan;
    const char *name; /* of a network that is built in, or of a file */
    size_t nx, ny;
    float *planes; /* [2][ny][nx], what the network takes */
    float *sharp;  /* [ny][nx], what comes out */
    /* Of the slices so far: */
    double peak;       /* largest magnitude that came in, */
    double left;       /* and that came out */
    double spacing[2]; /* of the pixels along x and y, in resolution cells of the brightest slice */
};

/* Files have a '/' in their name or end in ".safetensors"; whatever else is the name of a network
 * that is built in, and NFSAR_ERROR_ARGUMENT when there is none. */
bool enhancing_is_file(const char *name);
enum nfsar_status enhancing_load(const char *name, nfsar_enhance_model **model, nfsar_error *error);

/* Load, and prepare for slices of the grid. */
enum nfsar_status enhancing_open(const char *name, const nfsar_grid *grid, struct enhancing *made,
                                 nfsar_error *error);
void enhancing_free(struct enhancing *enhancing);

/* In place; what comes out has no phase. NFSAR_ERROR_FORMAT names a voxel that is no finite number,
 * or says that the weights make something of it that is none. */
enum nfsar_status enhancing_slice(struct enhancing *enhancing, float complex *slice,
                                  nfsar_error *error);

/* After the slices: tell when the grid is far from those that networks are trained with, and when
 * nothing is left of them. */
void enhancing_tell(const struct enhancing *enhancing, const nfsar_grid *grid);

/* All of that, for a volume in memory. */
enum nfsar_status enhancing_volume(struct enhancing *enhancing, const nfsar_grid *grid,
                                   float complex *volume, nfsar_error *error);

/* The image's method and provenance say so: "+enhance", and which network on what scale. */
enum nfsar_status enhancing_note(const struct enhancing *enhancing, nfsar_image *image,
                                 nfsar_error *error);

/* A line or two about a network, on stdout. */
void enhancing_show_model(const char *name, const nfsar_enhance_model *model);

#endif
