#include "host/cli/image_verbs.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/files/utf8.h"

void use_threads(void) {
    if (cli_threads() > 0) {
        omp_set_num_threads(cli_threads());
    }
}

json_t *json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_text(const char *text) {
    char *copy = text != NULL ? strdup(text) : NULL;
    if (copy == NULL) {
        return json_null();
    }
    utf8_clean(copy);
    json_t *value = json_string(copy);
    free(copy);
    return value;
}

json_t *json_axis(const nfsar_axis *axis) {
    return json_pack("{s:f, s:f, s:f, s:I}", "first_m", axis->start, "last_m", nfsar_axis_end(axis),
                     "step_m", axis->step, "count", (json_int_t)axis->count);
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
