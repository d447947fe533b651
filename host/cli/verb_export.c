/* nfsar export: an image for other programs. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <nfsar/export.h>
#include <nfsar/file.h>

#include "host/export/formats.h"
#include "host/files/pending.h"

int verb_export(int argc, char **argv) {
    const char *output = NULL, *input = NULL;
    int exit_status;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &output, NULL, "FILE",
         "what to write: .vti (ParaView), .npy (NumPy) or .mat (MATLAB)"},
        {0},
    };
    if (!cli_parse("export", "IMAGE.h5 -o VOLUME.{vti,npy,mat}", options, 1, &input, argc, argv,
                   &exit_status)) {
        return exit_status;
    }
    use_threads();
    if (output == NULL) {
        return cli_usage("export", "-o VOLUME.{vti,npy,mat} is missing");
    }
    nfsar_error error;
    if (export_check_ending(output, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    nfsar_image image;
    pending_protect(input);
    if (nfsar_image_load(input, &image, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    enum nfsar_status status = nfsar_export(&image, output, &error);
    nfsar_image_free(&image);
    if (status == NFSAR_ERROR_FORMAT) {
        nfsar_fail_in(&error, status, "%s", input);
    }
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}
