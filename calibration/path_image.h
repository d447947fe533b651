/* Images of a planar scan for trials of its poses, and how sharp they are, part by part. */
#ifndef NFSAR_CALIBRATION_PATH_IMAGE_H
#define NFSAR_CALIBRATION_PATH_IMAGE_H

#include "algorithms/transform.h"
#include "calibration/path_spectrum.h"

/* Parts of the image. */
enum { PATH_ALONG = 8, PATH_ACROSS = 6, PATH_PARTS = PATH_ALONG * PATH_ACROSS };

/* How poses may be wrong; scale[] are 1 where they are right. */
struct path_trial {
    double value[NFSAR_PATH_PARAMETERS]; /* see nfsar_path_estimate.value */
};

struct path_imager {
    const struct path_spectra *spectra;
    const struct path_scan *scan;
    size_t nx, ny;            /* voxels along and across */
    double dx, dy;            /* their distance in the poses' coordinates */
    fftwf_plan along, across; /* of lines */
    float complex *band;      /* [PATH_BANDS][nu][nv] all channels together */
    float complex *line;      /* [nu][ny] */
    float complex *image;     /* [PATH_BANDS][ny][nx] */
    float complex *table;     /* [nv] */
    double taper; /* standard deviation of a Gaussian over u and v, of their largest; 0 for none:
                     errors of poses turn phases the more, the steeper a wave is */
};

enum nfsar_status path_imager_make(const struct path_spectra *spectra, const struct path_scan *scan,
                                   struct path_imager *imager, nfsar_error *error);
void path_imager_free(struct path_imager *imager);

/* What the next ones image. */
void path_imager_set(struct path_imager *imager, const struct path_trial *trial);

/* Gradient energy of the magnitude of the slice at z in each part. focus: wavefronts bend as if it
 * were at focus z, while delays are those of z. */
void path_sharpness(struct path_imager *imager, const struct path_trial *trial, double z,
                    double focus, double sharp[PATH_PARTS]);

/* Energy of each part, and by how much its echoes' delays say that it is farther than z; also the
 * power of noise in a voxel, which is the median's. */
void path_ranges(struct path_imager *imager, const struct path_trial *trial, double z,
                 double energy[PATH_PARTS], double farther[PATH_PARTS], double *noise);

#endif
