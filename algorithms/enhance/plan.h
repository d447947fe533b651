/* What the files of a plan share: plan.c makes it, execute.c runs the network, transformer.c the
 * layers of one group of tokens. */
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

struct nfsar_enhance_plan {
    const nfsar_enhance_model *model;
    const struct enhance_kernels *kernels;
    int threads;
    size_t nx, ny;        /* pixels of the image */
    size_t width, height; /* squares of pixels, multiples of the patch */
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

/* All layers of a stage on the tokens in group->tokens, in place. */
void enhance_transform_group(const nfsar_enhance_plan *plan, int stage,
                             const struct enhance_group *group);

#endif
