/** @file
 * Super-resolution: a network that takes the image of an irregular scan with position errors and
 * returns a sharp one (Mobile-SRViT, arXiv 2305.02074; docs/enhance.md).
 *
 * An image is divided by its largest magnitude, goes through the network, is limited to 0 to 1, and
 * is multiplied by that magnitude again: the result does not depend on the scale. Sides that are no
 * multiple of the network's patch are extended by zeros to one, and the result is cut to size.
 * Large images go through in tiles, each of which is divided by its own largest magnitude.
 */
#ifndef NFSAR_ENHANCE_H
#define NFSAR_ENHANCE_H

#include <stddef.h>

#include <nfsar/kernel.h>
#include <nfsar/status.h>

/** The largest magnitude that a pixel may have. */
#define NFSAR_ENHANCE_LARGEST 1e38

/** A network with its weights. It may be used by any number of plans at once. */
typedef struct nfsar_enhance_model nfsar_enhance_model;

/** What a network takes. */
typedef struct nfsar_enhance_info {
    int inputs;        /**< planes of the image: 1, magnitudes; 2, real and imaginary parts */
    int patch;         /**< pixels along a side of a patch: images are extended to a multiple */
    size_t parameters; /**< trained numbers */
} nfsar_enhance_info;

/** Read weights (safetensors, at most 64 MiB) from the file @p path. The caller owns *model.
 * @return NFSAR_ERROR_FILE, NFSAR_ERROR_FORMAT, NFSAR_ERROR_VERSION or NFSAR_ERROR_MEMORY; the
 *         message names the tensor or the key of the metadata. */
enum nfsar_status nfsar_enhance_load(const char *path, nfsar_enhance_model **model,
                                     nfsar_error *error);

/** The same from memory; the bytes are not kept. */
enum nfsar_status nfsar_enhance_parse(const void *bytes, size_t size, nfsar_enhance_model **model,
                                      nfsar_error *error);

/** A network that is part of the library: "default", the one for images of this library, or
 * "paper", Mobile-SRViT as published (docs/enhance.md).
 * @return NFSAR_ERROR_ARGUMENT for another name, NFSAR_ERROR_MEMORY. */
enum nfsar_status nfsar_enhance_builtin(const char *name, nfsar_enhance_model **model,
                                        nfsar_error *error);

/** The i-th name that nfsar_enhance_builtin() knows; NULL from the last on. */
const char *nfsar_enhance_builtin_name(size_t i);

/** What the metadata of a network's file say under @p key, such as "variant", "images" (trained on)
 * or "validation_psnr_db"; NULL where they do not. Text from outside, as long as the model lives.
 */
const char *nfsar_enhance_model_text(const nfsar_enhance_model *model, const char *key);

/** What @p model takes. */
nfsar_enhance_info nfsar_enhance_model_info(const nfsar_enhance_model *model);

/** NULL is allowed. No plan may use it afterwards. */
void nfsar_enhance_model_free(nfsar_enhance_model *model);

/** Options; nfsar_enhance_defaults() fills them. */
typedef struct nfsar_enhance_options {
    enum nfsar_kernel kernel; /**< version of the inner loops; the best */
    int threads;              /**< 0 for all processors */
    size_t tile; /**< pixels along a side of the tiles of images that are larger by more than a
                      quarter, at most 4096; 0 for 256, which networks are trained with */
} nfsar_enhance_options;

/** The defaults above. */
nfsar_enhance_options nfsar_enhance_defaults(void);

/** Scratch for images of one size, used by one caller at a time. */
typedef struct nfsar_enhance_plan nfsar_enhance_plan;

/** Prepare for images of @p nx columns and @p ny rows, 1 to 65536 each. The memory is that of a
 * tile. The model must outlive the plan, which the caller owns.
 * @param options NULL for the defaults.
 * @return NFSAR_ERROR_ARGUMENT or NFSAR_ERROR_MEMORY; NFSAR_ERROR_UNSUPPORTED for a network that
 *         takes more than 10^12 multiplications or 2 GiB for one tile: a few kilobytes of weights
 *         can ask for any number of these. */
enum nfsar_status nfsar_enhance_plan_create(const nfsar_enhance_model *model, size_t nx, size_t ny,
                                            const nfsar_enhance_options *options,
                                            nfsar_enhance_plan **plan, nfsar_error *error);

/** Run the network.
 * @param in  [inputs][ny][nx]: magnitudes >= 0, or real and imaginary parts, on any scale up to
 *            NFSAR_ENHANCE_LARGEST.
 * @param out [ny][nx] magnitudes on the scale of the input, from 0 to the largest of what each
 *            tile was. Not @p in. All zero where the image is.
 * @return NFSAR_ERROR_ARGUMENT for a number that is not finite, or a magnitude below 0 or above
 *         NFSAR_ENHANCE_LARGEST; the message names the pixel. NFSAR_ERROR_FORMAT when the weights
 *         make something of it that is no finite number; @p out is then of no use. Results do not
 *         depend on the number of threads. */
enum nfsar_status nfsar_enhance_execute(nfsar_enhance_plan *plan, const float *in, float *out,
                                        nfsar_error *error);

/** How far the pixels of in[2][ny][nx] (real and imaginary part) are apart in resolution cells,
 * along x and y: from 0 to 1, by how alike neighbours are. It is right for points and for noise,
 * whose spectrum fills the band that the aperture passes; less comes out where a smooth surface
 * outshines all else. Networks know the spacings that they were trained with (docs/enhance.md). */
void nfsar_enhance_spacing(const float *in, size_t nx, size_t ny, double spacing[2]);

/** Bytes that @p plan holds. */
size_t nfsar_enhance_plan_memory(const nfsar_enhance_plan *plan);

/** Tiles that an image is taken in, 1 where it is taken as a whole. They overlap by a quarter of
 * their side at least, with weights that change smoothly and whose sum is 1. */
size_t nfsar_enhance_plan_tiles(const nfsar_enhance_plan *plan);

/** Multiplications (each with its addition) of one execution, attention included. */
double nfsar_enhance_plan_products(const nfsar_enhance_plan *plan);

/** NULL is allowed. */
void nfsar_enhance_plan_destroy(nfsar_enhance_plan *plan);

#endif
