#include "algorithms/transpose_kernel_body.h"
