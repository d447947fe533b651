/** @file
 * From a capture to an image with the method that fits it.
 */
#ifndef NFSAR_RECONSTRUCT_H
#define NFSAR_RECONSTRUCT_H

#include <nfsar/backprojection.h>
#include <nfsar/capture.h>
#include <nfsar/csar.h>
#include <nfsar/cylinder.h>
#include <nfsar/image.h>
#include <nfsar/lattice.h>
#include <nfsar/nurma.h>
#include <nfsar/progress.h>
#include <nfsar/rma.h>
#include <nfsar/status.h>

/** How an image is made. */
enum nfsar_method {
    NFSAR_METHOD_AUTO = 0, /**< rma where the positions are a planar lattice, csar where they go
                                round the grid, empm where offsets from their plane hardly
                                matter, else nurma; bp where none of them suits the grid */
    NFSAR_METHOD_BP,       /**< exact backprojection */
    NFSAR_METHOD_RMA,      /**< planar range migration */
    NFSAR_METHOD_EMPM,     /**< irregular positions, offsets compensated at boresight */
    NFSAR_METHOD_NURMA,    /**< irregular positions, offsets exact for every wave */
    NFSAR_METHOD_CSAR      /**< positions on a cylinder round the grid: turntables */
};

/** Parse "auto", "bp", "rma", "empm", "nurma" or "csar". */
enum nfsar_status nfsar_method_parse(const char *name, enum nfsar_method *method,
                                     nfsar_error *error);
/** The name that nfsar_method_parse() takes. */
const char *nfsar_method_name(enum nfsar_method method);

/** Options of all methods. */
typedef struct nfsar_method_options {
    nfsar_bp_options bp;       /**< of bp */
    nfsar_rma_options rma;     /**< of rma */
    nfsar_nurma_options nurma; /**< of empm and nurma, which set `offsets` themselves */
    nfsar_csar_options csar;   /**< of csar */
    size_t patches;            /**< range migration images so many parts of the grid along x, along
                                    y and in each band of depth, each with a reference of its own
                                    for the compensation; up to 16. 0 (default): as few as make
                                    the image 0.98 like the exact one */
} nfsar_method_options;

/** The defaults of each. */
nfsar_method_options nfsar_method_defaults(void);

/** A capture's geometry with the method chosen for it. */
typedef struct nfsar_imager nfsar_imager;

/** Choose: detect the lattice or the cylinder, and take what @p method asks for or, for AUTO, what
 * fits.
 * @param capture must outlive the imager; its echo is not looked at.
 * @param options NULL for the defaults. Copied.
 * @return NFSAR_ERROR_GEOMETRY when the method asked for does not fit the positions. */
enum nfsar_status nfsar_imager_create(const nfsar_capture *capture, enum nfsar_method method,
                                      const nfsar_method_options *options, nfsar_imager **imager,
                                      nfsar_error *error);
/** Tell the imager the whole grid before imaging it or parts of it. AUTO settles the method: it
 * takes empm in place of nurma where the phase at the aperture's edge is right to 3 degrees, and
 * bp where range migration cannot make this grid, would need too much memory, would be less than
 * 0.98 like exact imaging because of wide transmit-receive baselines, or sees the grid's edge more
 * than 78 degrees aslant. Positions that go 60 degrees or more round a cylinder are for csar if the
 * grid lies within and it is as good; shorter arcs if range migration cannot make the grid. Range
 * migration takes the place of its compensation and its bands of depth from this grid, so that
 * parts of it fit each other. Called by nfsar_imager_run() if it was not before.
 * @return NFSAR_ERROR_GEOMETRY or NFSAR_ERROR_MEMORY when the method asked for cannot make it. */
enum nfsar_status nfsar_imager_fit(nfsar_imager *imager, const nfsar_grid *grid,
                                   nfsar_error *error);
/** The method in use (never AUTO); nfsar_imager_fit() may change it. */
enum nfsar_method nfsar_imager_method(const nfsar_imager *imager);
/** Why, and once the grid is known what error is to be expected, in one line; owned by the imager.
 */
const char *nfsar_imager_reason(const nfsar_imager *imager);
/** What to know about the result, such as baselines too wide for the method asked for, or NULL;
 * owned by the imager, known after nfsar_imager_fit(). */
const char *nfsar_imager_warning(const nfsar_imager *imager);
/** The lattice that was found, or NULL. */
const nfsar_lattice *nfsar_imager_lattice(const nfsar_imager *imager);
/** The cylinder that was found, or NULL; looked for by AUTO where there is no lattice, and for
 * csar. */
const nfsar_cylinder *nfsar_imager_cylinder(const nfsar_imager *imager);
/** The method's options as text, for nfsar_image::options; owned by the imager. */
const char *nfsar_imager_options(const nfsar_imager *imager);
/** Image calibrated samples on a grid, into image[nz][ny][nx]. */
enum nfsar_status nfsar_imager_run(nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error);
/** Release; NULL is allowed. */
void nfsar_imager_destroy(nfsar_imager *imager);

#endif
