#include "algorithms/spread_kernel_body.h"
