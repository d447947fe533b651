/* nfsar compare: how much an image differs from a reference. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <stdio.h>

#include <nfsar/file.h>
#include <nfsar/metrics.h>

static void print_table(const nfsar_image_comparison *c) {
    printf("%-24s%12.6f\n", "complex correlation", c->complex_correlation);
    printf("%-24s%12.6f\n", "magnitude correlation", c->magnitude_correlation);
    printf("%-24s%12.6f  (after the best complex factor)\n", "relative error", c->relative_error);
    printf("%-24s%12.6f  (magnitudes over their maxima)\n", "RMSE", c->rmse);
    printf("%-24s%12.2f  dB\n", "PSNR", c->psnr_db);
    printf("%-24s%12.6f\n", "SSIM", c->ssim);
}

static int print_json(const nfsar_image_comparison *c) {
    return print_object(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "complex_correlation",
                                  json_number(c->complex_correlation), "magnitude_correlation",
                                  json_number(c->magnitude_correlation), "relative_error",
                                  json_number(c->relative_error), "rmse", json_number(c->rmse),
                                  "psnr_db", json_number(c->psnr_db), "ssim",
                                  json_number(c->ssim)));
}

/* Load both and compare; the message names the file that is at fault. */
static enum nfsar_status compare(const char *const name[2], nfsar_image_comparison *comparison,
                                 nfsar_error *error) {
    nfsar_image reference, image;
    enum nfsar_status status = nfsar_image_load(name[0], &reference, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = nfsar_image_load(name[1], &image, error);
    if (status == NFSAR_OK) {
        status = nfsar_image_compare(&reference, &image, comparison, error);
        if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s, %s", name[0], name[1]);
        }
        nfsar_image_free(&image);
    }
    nfsar_image_free(&reference);
    return status;
}

int verb_compare(int argc, char **argv) {
    const char *name[2] = {NULL, NULL};
    bool json = false;
    int exit_status;
    const struct cli_option options[] = {
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse("compare", "REFERENCE.h5 IMAGE.h5 [--json]", options, 2, name, argc, argv,
                   &exit_status)) {
        return exit_status;
    }
    use_threads();
    nfsar_error error;
    nfsar_image_comparison comparison;
    if (compare(name, &comparison, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    if (json) {
        return print_json(&comparison);
    }
    print_table(&comparison);
    return CLI_DONE;
}
