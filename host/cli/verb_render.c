/* nfsar render: a picture of an image. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <string.h>
#include <strings.h>

#include <nfsar/file.h>
#include <nfsar/picture.h>

#include "host/files/pending.h"

static int parse_view(const char *text, enum nfsar_view *view) {
    static const char *const name[] = {"all", "front", "top", "side"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(text, name[i]) == 0) {
            *view = (enum nfsar_view)i;
            return CLI_DONE;
        }
    }
    return cli_usage("render", "--view %s: known are front, top, side and all", text);
}

/* The title of those who give none: the file's name without its folder. */
static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static bool ends_in_png(const char *path) {
    const char *name = file_name(path);
    const char *ending = strrchr(name, '.');
    return ending != NULL && ending != name && strcasecmp(ending, ".png") == 0;
}

static int render(const char *input, const char *output, const nfsar_picture_options *options) {
    nfsar_image image;
    nfsar_error error;
    pending_protect(input);
    if (pending_check(output, PENDING_PNG, &error) != NFSAR_OK ||
        nfsar_image_load(input, &image, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    enum nfsar_status status = nfsar_picture_image(&image, options, output, &error);
    nfsar_image_free(&image);
    if (status == NFSAR_ERROR_FORMAT) {
        nfsar_fail_in(&error, status, "%s", input);
    }
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}

int verb_render(int argc, char **argv) {
    nfsar_picture_options picture = nfsar_picture_defaults();
    const char *output = NULL, *view = NULL, *input = NULL;
    size_t width = (size_t)picture.width;
    int exit_status;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &output, NULL, "FILE", "the picture to write (.png)"},
        {"view", 0, CLI_STRING, &view, NULL, "VIEW",
         "front (x right, y up), top (x right, z up), side (z right, y up) or all; "
         "default all"},
        {"slice", 0, CLI_NUMBER, &picture.slice_m, &picture.has_slice, "METRES",
         "the slice nearest to this z (top: y, side: x) instead of the maximum over all"},
        {"linear", 0, CLI_FLAG, &picture.linear, NULL, NULL, "linear magnitude instead of dB"},
        {"dynamic-range", 0, CLI_NUMBER, &picture.dynamic_range_db, NULL, "DB",
         "shown below the maximum; default 30"},
        {"width", 0, CLI_COUNT, &width, NULL, "PX", "width of the picture; default 900"},
        {"title", 0, CLI_STRING, &picture.title, NULL, "TEXT", "default: the image file's name"},
        {0},
    };
    if (!cli_parse("render", "IMAGE.h5 -o PICTURE.png [--view VIEW] [--slice METRES] ...", options,
                   1, &input, argc, argv, &exit_status)) {
        return exit_status;
    }
    use_threads();
    if (output == NULL) {
        return cli_usage("render", "-o PICTURE.png is missing");
    }
    if (!ends_in_png(output)) {
        return cli_usage("render", "%s: the picture is a PNG: end its name in .png", output);
    }
    if (view != NULL && parse_view(view, &picture.view) != CLI_DONE) {
        return CLI_USAGE;
    }
    if (view == NULL && picture.has_slice) {
        picture.view = NFSAR_VIEW_FRONT;
    }
    if (width > 8000) {
        return cli_usage("render", "--width %zu: at most 8000", width);
    }
    picture.width = (int)width;
    if (picture.title == NULL) {
        picture.title = file_name(input);
    }
    return render(input, output, &picture);
}
