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
    static const char *const name[] = {"all", "front", "top", "side", "unrolled", "3d"};
    for (int i = 0; i < 6; i++) {
        if (strcmp(text, name[i]) == 0) {
            *view = (enum nfsar_view)i;
            return CLI_DONE;
        }
    }
    return cli_usage("render", "--view %s: known are front, top, side, all, unrolled and 3d", text);
}

/* Two numbers with a character between them. */
static bool parse_pair(const char *text, char between, double pair[2]) {
    const char *end;
    return cli_number(text, &end, &pair[0]) && *end == between &&
           cli_number(end + 1, &end, &pair[1]) && *end == '\0';
}

/* What is given as text, into the options of the picture. */
struct given {
    const char *view, *slice, *axis, *from;
};

static int parse_slice(const char *text, nfsar_picture_options *picture) {
    const char *end;
    double range[2];
    picture->has_slice = true;
    if (cli_number(text, &end, &picture->slice_m) && *end == '\0') {
        return CLI_DONE;
    }
    if (!parse_pair(text, ':', range) || range[0] > range[1]) {
        return cli_usage("render",
                         "--slice %s: give a number, or FIRST:LAST with FIRST < LAST, "
                         "metres",
                         text);
    }
    picture->slice_m = range[0];
    picture->has_slice_end = true;
    picture->slice_end_m = range[1];
    return CLI_DONE;
}

static int parse_axis(const char *text, nfsar_picture_options *picture) {
    double axis[2];
    if (!parse_pair(text, ',', axis)) {
        return cli_usage("render", "--axis %s: give X,Z in metres, such as 0,0", text);
    }
    picture->has_axis = true;
    picture->axis_x_m = axis[0];
    picture->axis_z_m = axis[1];
    return CLI_DONE;
}

static int parse_from(const char *text, nfsar_picture_options *picture) {
    double from[2];
    if (!parse_pair(text, ',', from)) {
        return cli_usage("render", "--from %s: give AZIMUTH,ELEVATION in degrees, such as 60,25",
                         text);
    }
    picture->azimuth_deg = from[0];
    picture->elevation_deg = from[1];
    return CLI_DONE;
}

static int parse_given(const struct given *given, nfsar_picture_options *picture) {
    int done = CLI_DONE;
    if (given->view != NULL) {
        done = parse_view(given->view, &picture->view);
    } else if (given->slice != NULL) {
        picture->view = NFSAR_VIEW_FRONT;
    }
    if (done == CLI_DONE && given->slice != NULL) {
        done = parse_slice(given->slice, picture);
    }
    if (done == CLI_DONE && given->axis != NULL) {
        done = parse_axis(given->axis, picture);
    }
    if (done == CLI_DONE && given->from != NULL) {
        done = parse_from(given->from, picture);
    }
    return done;
}

/* Options of the 3-D view do nothing in others: somebody forgot --view 3d. */
static int check_3d(const nfsar_picture_options *picture, bool from, bool level) {
    if (picture->view != NFSAR_VIEW_3D && (from || level)) {
        return cli_usage("render", "%s belongs to --view 3d", from ? "--from" : "--level");
    }
    return CLI_DONE;
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
    struct given given = {0};
    const char *output = NULL, *input = NULL;
    bool level = false;
    size_t width = (size_t)picture.width;
    int exit_status;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &output, NULL, "FILE", "the picture to write (.png)"},
        {"view", 0, CLI_STRING, &given.view, NULL, "VIEW",
         "front (x right, y up), top (x right, z up), side (z right, y up), all, "
         "unrolled (the surface round an axis laid flat) or 3d; default all"},
        {"slice", 0, CLI_STRING, &given.slice, NULL, "METRES",
         "the slice nearest to this z (top: y, side: x), or the maximum of the slices "
         "FIRST:LAST, instead of the maximum over all"},
        {"axis", 0, CLI_STRING, &given.axis, NULL, "X,Z",
         "all, top: mark this axis, with circles; unrolled: lay flat round it; default 0,0 or "
         "the grid's middle"},
        {"radius", 0, CLI_RANGE, picture.radius_m, &picture.has_radius, "MIN:MAX",
         "unrolled: only these radii, metres; default from 0 to the grid's edge"},
        {"level", 0, CLI_NUMBER, &picture.level_db, &level, "DB",
         "3d: the surface is this far below the maximum; default 12"},
        {"from", 0, CLI_STRING, &given.from, NULL, "AZ,EL",
         "3d: where the viewer is, degrees from +x toward +z and up; default 60,25"},
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
    if (parse_given(&given, &picture) != CLI_DONE ||
        check_3d(&picture, given.from != NULL, level) != CLI_DONE) {
        return CLI_USAGE;
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
