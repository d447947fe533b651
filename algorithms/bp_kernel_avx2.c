#include "algorithms/bp_kernel_body.h"
