/* What the files of a plan share: plan.c makes it, execute.c runs the network, transformer.c the
 * layers of one group of tokens. A plan is for images of one size, and takes them in one piece;
 * tiles.c has the pieces of larger ones. */
#ifndef NFSAR_ALGORITHMS_ENHANCE_PLAN_H
#define NFSAR_ALGORITHMS_ENHANCE_PLAN_H

#include "algorithms/enhance/model.h"

/* Planes of an image with a border of zeros: rows -1 to height, `row` floats apart, and at least
 * ENHANCE_SLACK zeros behind each row. */
struct enhance_image {
    struct enhance_planes planes; /* planes.data: pixel (0, 0) of the first */
    float *owned;
};

/* What a thread needs for a group: planes of tokens, `pitch` floats apart. */
struct enhance_group {
    float *owned;
    float *tokens;    /* [d] */
    float *normal;    /* [d] */
    float *qkv;       /* [3 head_dim] */
    float *attention; /* [heads * head_dim] */
    float *hidden;    /* [hidden] */
    float *scores;    /* ENHANCE_SCORES */
};

struct enhance_plan {
    const nfsar_enhance_model *model;
    const struct enhance_kernels *kernels;
    int threads;
    size_t width, height; /* of the image: squares of pixels, multiples of the patch */
    size_t row;
    size_t tokens;  /* patches, which is tokens of a group */
    size_t rounded; /* tokens, to a multiple of ENHANCE_QUERIES */
    size_t pitch;
    /* now: [channels], what goes through; mid: [channels], between two convolutions, and what comes
     * out; pair: [2 channels], what a stage joins in the end, and what goes in; narrow: [d]. */
    struct enhance_image now, mid, pair, narrow;
    struct enhance_group *group; /* [threads] */
    size_t memory;
};

/* For images of up to nx x ny pixels. */
enum nfsar_status enhance_plan_create(const nfsar_enhance_model *model, size_t nx, size_t ny,
                                      const nfsar_enhance_options *options,
                                      struct enhance_plan **plan, nfsar_error *error);
void enhance_plan_destroy(struct enhance_plan *plan);

/* A part of an image, of nx x ny pixels, and where what the network makes of it goes. */
struct enhance_part {
    const float *in; /* pixel (0, 0) of the first plane */
    float *out;      /* is added to */
    size_t row;      /* from row to row, of both */
    size_t plane;    /* from plane to plane of in */
    size_t nx, ny;
    const float *weight_x, *weight_y; /* [nx], [ny]: what the result is multiplied with */
};

/* out += weight * the network's result, of the part over its largest magnitude, limited to 0 to 1,
 * and multiplied by that magnitude; what is missing to the plan's size is zero. NFSAR_ERROR_FORMAT
 * when the weights make something that is no number. */
enum nfsar_status enhance_plan_execute(struct enhance_plan *plan, const struct enhance_part *part,
                                       nfsar_error *error);

/* Magnitude of pixel i, of inputs planes. */
double enhance_magnitude(const struct enhance_shape *shape, const float *in, size_t plane,
                         size_t i);

/* All layers of a stage on the tokens in group->tokens, in place. */
void enhance_transform_group(const struct enhance_plan *plan, int stage,
                             const struct enhance_group *group);

#endif
