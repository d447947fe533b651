/* nfsar calibrate: a capture with what was wrong in it found from its own echoes. What may be found
 * is a mode, each in a file of its own (calibrate_*.c); here are the options and which go together.
 */
#include "host/cli/calibrate.h"
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

enum { AXIS = 1, CHANNELS = 2, RANGE = 4, TABLE = 8, SELF = 16, PATH = 32 };

struct request {
    struct calibrate_axis axis;
    struct calibrate_channels channels;
    struct calibrate_table table;
    struct calibrate_range range;
    struct calibrate_background self;
    struct calibrate_path path;
    const char *input, *output, *point, *ranges, *taper;
    bool is_axis, is_channels, is_path, json;
    bool has_search, has_within, has_point_error, has_gate, has_range_error, has_leakage;
    double gate[2], search, range_error;
};

static bool read_point(const char *text, nfsar_vec3 *point) {
    const char *end = text;
    return cli_number(text, &end, &point->x) && *end == ',' &&
           cli_number(end + 1, &end, &point->y) && *end == ',' &&
           cli_number(end + 1, &end, &point->z) && *end == '\0';
}

static int modes_of(const struct request *r) {
    const bool self = r->self.empty != NULL || r->has_leakage || r->self.iq;
    return (r->is_axis ? AXIS : 0) | (r->is_channels ? CHANNELS : 0) |
           (r->ranges != NULL ? RANGE : 0) | (r->table.tables != NULL ? TABLE : 0) |
           (self ? SELF : 0) | (r->is_path ? PATH : 0);
}

/* What is wrong with the options together, or NULL. */
static const char *find_fault(const struct request *r, int modes) {
    if (modes == 0) {
        return "say what to find: --axis, a turntable's radius; --channels, gain and delay of each "
               "channel; --range R, the instrument's delay; --table FILE, what another program "
               "found; --path, steps and directions of a planar scan; --background EMPTY.h5, "
               "--leakage "
               "M:FROM or --iq";
    }
    if ((modes & (modes - 1)) != 0) {
        return "one step at a time: first --background, --leakage and --iq, which go together, "
               "then --channels or --table, then --range, then --axis or --path";
    }
    const struct {
        bool given;
        int modes;
        const char *fault;
    } rules[] = {
        {r->point != NULL, AXIS | CHANNELS, "--point is for --axis and --channels"},
        {r->has_within, AXIS, "--within is for --axis"},
        {r->has_search, AXIS | PATH | RANGE | (r->point != NULL ? CHANNELS : 0),
         "--search is for --axis, --path and --range, and for --channels with --point"},
        {r->channels.force, CHANNELS, "--force is for --channels"},
        {r->has_point_error || r->taper != NULL, CHANNELS,
         "--point-error and --taper are for --channels"},
        {r->has_gate, CHANNELS | PATH, "--gate is for --channels and --path"},
        {r->has_range_error, RANGE | PATH, "--range-error is for --range and --path"},
        {r->self.drift > 0 && !r->has_leakage, 0, "--drift is for --leakage"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].given && (rules[i].modes & modes) == 0) {
            return rules[i].fault;
        }
    }
    return r->output == NULL ? "-o OUT.h5 is missing" : NULL;
}

/* The texts among the options; false after saying what is wrong. */
static bool read_texts(struct request *r) {
    nfsar_error error = {0};
    nfsar_vec3 point = {0};
    if (r->point != NULL && !read_point(r->point, &point)) {
        cli_usage("calibrate", "--point %s: expected X,Y,Z in metres", r->point);
        return false;
    }
    r->axis.options.has_point = r->channels.options.has_point = r->point != NULL;
    r->axis.options.point = r->channels.options.point = point;
    if (r->ranges != NULL && !calibrate_read_ranges(r->ranges, &r->range.options)) {
        cli_usage("calibrate", "--range %s: expected R or R,R2 in metres", r->ranges);
        return false;
    }
    if (r->taper != NULL &&
        nfsar_window_parse(r->taper, &r->channels.options.window, &error) != NFSAR_OK) {
        cli_usage("calibrate", "--taper: %s", error.message);
        return false;
    }
    if (r->has_search) {
        r->axis.options.search_m = r->path.options.search = r->search;
        r->channels.options.search_delay_s = r->range.options.search_delay_s =
            2.0 * r->search / NFSAR_SPEED_OF_LIGHT;
    }
    if (r->has_gate) {
        /* 0 is the default of the library. */
        r->channels.options.near_m = r->gate[0] == 0.0 ? 1e-9 : r->gate[0];
        r->path.options.near_m = r->gate[0];
        r->channels.options.far_m = r->path.options.far_m = r->gate[1];
    }
    if (r->has_range_error) {
        r->range.options.range_sigma_m = r->path.options.range_sigma_m = r->range_error;
    }
    return true;
}

static int find_and_write(struct request *r, int mode) {
    const struct calibrate_files files = {r->input, r->output, r->json};
    switch (mode) {
    case AXIS:
        r->axis.files = files;
        r->axis.options.threads = cli_threads();
        return calibrate_axis(&r->axis);
    case CHANNELS:
        r->channels.files = files;
        return calibrate_channels(&r->channels);
    case RANGE:
        r->range.files = files;
        return calibrate_range(&r->range);
    case TABLE:
        r->table.files = files;
        return calibrate_table(&r->table);
    case PATH:
        r->path.files = files;
        return calibrate_path(&r->path);
    default:
        r->self.files = files;
        return calibrate_background(&r->self);
    }
}

int verb_calibrate(int argc, char **argv) {
    struct request r = {.axis.options = nfsar_rotation_defaults(),
                        .channels.options = nfsar_channels_defaults(),
                        .range.options = nfsar_instrument_defaults(),
                        .path.options = nfsar_path_defaults()};
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &r.output, NULL, "FILE.h5", "the capture to write"},
        {"axis", 0, CLI_FLAG, &r.is_axis, NULL, NULL,
         "of a turntable: how far the radar is from the axis, by the sharpest image"},
        {"point", 0, CLI_STRING, &r.point, NULL, "X,Y,Z",
         "a reflector is there, metres: on the table with --axis (angles and heights follow), in "
         "the poses' frame with --channels"},
        {"channels", 0, CLI_FLAG, &r.is_channels, NULL, NULL,
         "gain and delay of each channel, by a corner reflector or another point"},
        {"range", 0, CLI_STRING, &r.ranges, NULL, "R[,R2]",
         "the instrument's delay, from reflectors straight ahead at these ranges, metres: from the "
         "middle of the array with the radar at rest, or at the pulse nearest the middle of the "
         "scan"},
        {"range-error", 0, CLI_NUMBER, &r.range_error, &r.has_range_error, "M",
         "standard deviation of the ranges: with --range 0.001; with --path 0.003 where channels' "
         "delays are known, else 0.03"},
        {"table", 0, CLI_STRING, &r.table.tables, NULL, "FILE.mat[,FILE.mat]",
         "gains, delays and background from MATLAB files of calData, delayOffset, ..., or from "
         "another capture that was calibrated (FILE.h5)"},
        {"point-error", 0, CLI_NUMBER, &r.channels.options.point_sigma_m, &r.has_point_error, "M",
         "with --channels: standard deviation of the point's place; 0.002"},
        {"gate", 0, CLI_RANGE, r.gate, &r.has_gate, "MIN:MAX",
         "the reflector (--channels without --point) or the target (--path) is in these ranges, "
         "metres"},
        {"taper", 0, CLI_STRING, &r.taper, NULL, "NAME",
         "with --channels: window over the frequencies; hann, or rectangular where nothing else is "
         "in sight"},
        {"search", 0, CLI_NUMBER, &r.search, &r.has_search, "M",
         "largest error that is looked for: with --axis of the radius, 0.01 m; with --channels "
         "--point and --range how far before or beyond its place the echo may appear, 0.15 m; with "
         "--path of the steps, as a fraction, 0.1"},
        {"within", 0, CLI_NUMBER, &r.axis.options.within_m, &r.has_within, "M",
         "with --axis: look for scatterers so near the axis; 0.4 of the radius, at most 0.1"},
        {"path", 0, CLI_FLAG, &r.is_path, NULL, NULL,
         "of a planar scan in rows: lengths of steps, skew, backlash, directions, by the sharpest "
         "image"},
        {"background", 0, CLI_STRING, &r.self.empty, NULL, "EMPTY.h5",
         "subtract the mean of a capture of the empty room"},
        {"leakage", 0, CLI_RANGE, r.self.leakage, &r.has_leakage, "M:FROM",
         "subtract what all pulses share, as far as it comes from ranges up to M; targets begin at "
         "FROM"},
        {"drift", 0, CLI_COUNT, &r.self.drift, NULL, "N",
         "with --leakage: it changes in the course of N pulses"},
        {"iq", 0, CLI_FLAG, &r.self.iq, NULL, NULL, "take out the receivers' DC and I/Q imbalance"},
        {"force", 0, CLI_FLAG, &r.channels.force, NULL, NULL,
         "with --channels: write also what is found to be poor"},
        {"json", 0, CLI_FLAG, &r.json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse("calibrate",
                   "CAPTURE.h5 -o OUT.h5 --axis|--channels|--range R|--table FILE.mat|--path|"
                   "--background EMPTY.h5|--leakage M:FROM|--iq [--json]",
                   options, 1, &r.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    const int modes = modes_of(&r);
    const char *fault = find_fault(&r, modes);
    if (fault != NULL) {
        return cli_usage("calibrate", "%s", fault);
    }
    if (!read_texts(&r)) {
        return CLI_USAGE;
    }
    use_threads();
    return find_and_write(&r, modes);
}
