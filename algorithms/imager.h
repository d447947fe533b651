/* What the parts of an imager share: imager_fit.c settles the method for a grid, imager_bands.c
 * cuts the grid's depths, imager_text.c says what was chosen, imager.c runs it. */
#ifndef NFSAR_ALGORITHMS_IMAGER_H
#define NFSAR_ALGORITHMS_IMAGER_H

#include <nfsar/reconstruct.h>

struct nfsar_imager {
    const nfsar_capture *capture;
    enum nfsar_method wanted, method;
    bool has_lattice;
    nfsar_lattice lattice;
    nfsar_method_options use;
    bool has_cylinder;
    nfsar_cylinder cylinder;
    nfsar_nurma_report report; /* where the positions are no lattice; known once fitted */
    nfsar_csar_report turn;    /* of csar; known once fitted */
    double expected_error;     /* of the image, from approximations; once fitted */
    size_t patches;            /* in use */
    bool fitted;
    nfsar_grid whole; /* what nfsar_imager_fit() was told */
    char reason[NFSAR_ERROR_LENGTH + 512];
    char warning[768];
    char options[256];
};

/* Images less like exact ones than this are left to backprojection. */
#define IMAGER_LEAST_CORRELATION 0.98

/* Range migration in any of its forms, which want the grid in front of the antennas. */
bool imager_migrates(enum nfsar_method method);

/* What AUTO tries first: by the positions, whatever the grid. */
enum nfsar_method imager_first(const nfsar_imager *imager);

/* Options of nurma and empm as the method in use needs them. */
nfsar_nurma_options imager_nurma(const nfsar_imager *imager);

/* z of the antenna that is nearest to the grid. */
double imager_front(const nfsar_imager *imager);

/* The slices of the grid from `first` on that lie in one band; *n receives how many. */
nfsar_grid imager_band(const nfsar_imager *imager, const nfsar_grid *grid, size_t first, size_t *n);

/* Patch i < patches^2 of a band of the grid; where its first voxel lies along x and y. Some have no
 * voxels where the grid has fewer than patches. */
nfsar_grid imager_patch(const nfsar_imager *imager, const nfsar_grid *band, size_t i,
                        size_t *first_x, size_t *first_y);

/* Where the compensation of a patch has its reference: the middle of its place in the whole grid
 * and of its band. Coordinates of `wanted` that are numbers stay. */
nfsar_vec3 imager_reference(const nfsar_imager *imager, const nfsar_grid *part, nfsar_vec3 wanted);

/* Depth of the whole grid's slice nearest to the antennas. */
double imager_nearest(const nfsar_imager *imager);

/* Look for a cylinder. NFSAR_ERROR_GEOMETRY where there is none and csar was asked for. */
enum nfsar_status imager_find_cylinder(nfsar_imager *imager, nfsar_error *error);

/* Whether there is one and the positions go so far round it that csar comes first. */
bool imager_goes_round(const nfsar_imager *imager);

/* Angles that are too few for the grid, or have gaps, once imager_fit_cylinder() has looked at it.
 */
void imager_warn_of_angles(nfsar_imager *imager);

/* Make csar the method for the whole grid. Refuses what csar cannot make and, for AUTO, what it
 * makes badly. */
enum nfsar_status imager_fit_cylinder(nfsar_imager *imager, nfsar_error *why);

/* Image a part of the whole grid with csar. */
enum nfsar_status imager_run_cylinder(const nfsar_imager *imager, const nfsar_grid *part,
                                      const nfsar_echo_source *source, float complex *image,
                                      const nfsar_progress *progress, nfsar_error *error);

/* Text of what was found and of the options in use. */
void imager_describe_lattice(nfsar_imager *imager);
void imager_describe_offsets(nfsar_imager *imager);
/* "degree" for one, else "degrees". */
const char *imager_degrees(double degrees);

void imager_describe_cylinder(nfsar_imager *imager);
void imager_describe_options(nfsar_imager *imager);
void imager_describe_error(nfsar_imager *imager);

#endif
