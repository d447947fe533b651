/* The network with its weights as the inner loops want them: batch norm folded into the convolution
 * before it, the weights of layer norm into the linear layer behind it, the scale of attention into
 * the queries. Structure and names: algorithms/enhance/training/model.py. */
#ifndef NFSAR_ALGORITHMS_ENHANCE_MODEL_H
#define NFSAR_ALGORITHMS_ENHANCE_MODEL_H

#include <nfsar/enhance.h>

#include "algorithms/enhance/enhance_kernel.h"
#include "algorithms/enhance/shape.h"

/* Depthwise 3 x 3 with SiLU, then 1 x 1; added to what came in if `sum`. */
struct enhance_mv2 {
    struct enhance_product dw, pw;
    bool sum;
};

struct enhance_layer {
    struct enhance_product *qkv; /* [heads]: q, k, v of a head */
    struct enhance_product out, mlp1, mlp2;
};

struct enhance_stage {
    struct enhance_mv2 mv2;
    struct enhance_product local, project, expand, fuse;
    struct enhance_layer *layer; /* [depth] */
};

struct nfsar_enhance_model {
    struct enhance_shape shape;
    struct enhance_product conv1, head;
    struct enhance_mv2 *stem; /* [shape.stem] */
    struct enhance_stage stage[ENHANCE_STAGES];
    float *numbers; /* all weights */
    struct safetensors metadata;
    size_t parameters;
};

/* Multiplications and additions, counted as one, of an image of `squares` squares of pixels, a
 * multiple of the patch's. */
double enhance_model_products(const nfsar_enhance_model *model, double squares);

#endif
