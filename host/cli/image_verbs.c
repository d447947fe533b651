#include "host/cli/image_verbs.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>

#include "host/cli/cli.h"

void use_threads(void) {
    if (cli_threads() > 0) {
        omp_set_num_threads(cli_threads());
    }
}

json_t *json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

int print_object(json_t *object) {
    if (object == NULL) {
        fprintf(stderr, "nfsar: out of memory\n");
        return CLI_FAILED;
    }
    int failed = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(object);
    putchar('\n');
    if (failed) {
        fprintf(stderr, "nfsar: standard output could not be written\n");
    }
    return failed ? CLI_FAILED : CLI_DONE;
}
