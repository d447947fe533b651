/** @file
 * From a capture to an image with the method that fits it.
 */
#ifndef NFSAR_RECONSTRUCT_H
#define NFSAR_RECONSTRUCT_H

#include <nfsar/backprojection.h>
#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/lattice.h>
#include <nfsar/progress.h>
#include <nfsar/rma.h>
#include <nfsar/status.h>

/** How an image is made. */
enum nfsar_method {
    NFSAR_METHOD_AUTO = 0, /**< rma where the positions are a planar lattice, else bp */
    NFSAR_METHOD_BP,       /**< exact backprojection */
    NFSAR_METHOD_RMA       /**< planar range migration */
};

/** Parse "auto", "bp" or "rma". */
enum nfsar_status nfsar_method_parse(const char *name, enum nfsar_method *method,
                                     nfsar_error *error);
/** The name that nfsar_method_parse() takes. */
const char *nfsar_method_name(enum nfsar_method method);

/** A capture's geometry with the method chosen for it. */
typedef struct nfsar_imager nfsar_imager;

/** Choose: detect the lattice, and take what @p method asks for or, for AUTO, what fits.
 * @param capture must outlive the imager; its echo is not looked at.
 * @param rma,bp  options of either method; NULL for the defaults. Copied.
 * @return NFSAR_ERROR_GEOMETRY when the method asked for does not fit the positions. */
enum nfsar_status nfsar_imager_create(const nfsar_capture *capture, enum nfsar_method method,
                                      const nfsar_rma_options *rma, const nfsar_bp_options *bp,
                                      nfsar_imager **imager, nfsar_error *error);
/** The method in use (never AUTO). */
enum nfsar_method nfsar_imager_method(const nfsar_imager *imager);
/** Why, in one line; owned by the imager. */
const char *nfsar_imager_reason(const nfsar_imager *imager);
/** The lattice that was found, or NULL. */
const nfsar_lattice *nfsar_imager_lattice(const nfsar_imager *imager);
/** The method's options as text, for nfsar_image::options; owned by the imager. */
const char *nfsar_imager_options(const nfsar_imager *imager);
/** Image calibrated samples on a grid, into image[nz][ny][nx]. */
enum nfsar_status nfsar_imager_run(nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error);
/** Release; NULL is allowed. */
void nfsar_imager_destroy(nfsar_imager *imager);

#endif
