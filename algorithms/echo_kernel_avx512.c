#include "algorithms/echo_kernel_body.h"
