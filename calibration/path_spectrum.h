/* A planar scan as spectra over its positions, in a few parts of the band: what images for many
 * trials of the poses are made from. */
#ifndef NFSAR_CALIBRATION_PATH_SPECTRUM_H
#define NFSAR_CALIBRATION_PATH_SPECTRUM_H

#include <complex.h>

#include "calibration/path_rows.h"

/* Parts of the band, each half of it, overlapping: phases between them are ranges. */
enum { PATH_BANDS = 3 };

/* sum over positions (x, y) of the poses of echo exp(-j (u x + v y)), u = (iu - hu) du. */
struct path_spectra {
    size_t hu, hv, nu, nv, channels;
    double du, dv;
    double k[PATH_BANDS]; /* mean wave numbers of the parts */
    double range;         /* echoes from there have phase 0 */
    double sin_along;     /* sines of angles that u and v go up to */
    double sin_across;
    float complex *row;    /* [rows][PATH_BANDS][channels][nu] spectra of the rows alone */
    float complex *sum[2]; /* [PATH_BANDS][channels][nu][nv] of rows in + and - direction */
    bool has[2];
    double correlation[2];
};

/* Read the scan. path_spectra_free() in any case. */
enum nfsar_status path_spectra_make(const nfsar_capture *capture, const nfsar_echo_source *source,
                                    const struct path_scan *scan, const nfsar_path *path,
                                    double range, struct path_spectra *spectra, nfsar_error *error);
void path_spectra_free(struct path_spectra *spectra);

/* Make `sum` of rows some of which are turned. */
void path_spectra_sum(struct path_spectra *spectra, const nfsar_path *path,
                      enum nfsar_path_turned turned);

bool path_is_turned(enum nfsar_path_turned turned, size_t row);

static inline float complex path_times(float complex a, float complex b) {
    float ar = crealf(a), ai = cimagf(a), br = crealf(b), bi = cimagf(b);
    return CMPLXF(ar * br - ai * bi, ar * bi + ai * br);
}

#endif
