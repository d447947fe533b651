#include "algorithms/enhance/enhance_kernel_body.h"
