/* Options of nfsar track --poses, and which go together. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/track.h"

#include <math.h>
#include <string.h>

struct request {
    struct track_poses poses;
    const char *input, *output, *format, *lever, *rotate, *point, *up;
    bool has_search, has_gate, has_offset, json;
    nfsar_vec3 points[NFSAR_TIME_OFFSET_REFLECTORS];
};

static bool read_vector(const char *text, const char **end, nfsar_vec3 *v) {
    *end = text;
    return cli_number(text, end, &v->x) && **end == ',' && cli_number(*end + 1, end, &v->y) &&
           **end == ',' && cli_number(*end + 1, end, &v->z);
}

/* "X,Y,Z" or several with semicolons between. */
static bool read_points(const char *text, nfsar_vec3 *point, size_t *n) {
    const char *end = text;
    for (*n = 0; *n < NFSAR_TIME_OFFSET_REFLECTORS;) {
        if (!read_vector(text, &end, &point[(*n)++])) {
            return false;
        }
        if (*end == '\0') {
            return true;
        }
        if (*end != ';') {
            return false;
        }
        text = end + 1;
    }
    return false;
}

static nfsar_quaternion turn_of(nfsar_vec3 degrees) {
    const double radian = NFSAR_PI / 180.0;
    const nfsar_vec3 x = {1, 0, 0}, y = {0, 1, 0}, z = {0, 0, 1};
    return nfsar_quaternion_multiply(
        nfsar_quaternion_from_axis_angle(z, radian * degrees.z),
        nfsar_quaternion_multiply(nfsar_quaternion_from_axis_angle(y, radian * degrees.y),
                                  nfsar_quaternion_from_axis_angle(x, radian * degrees.x)));
}

/* More is no angle that anybody mounts a radar at. */
#define TURN_LIMIT_DEG 360.0

/* The texts among the options; false after saying what is wrong. */
static bool read_texts(struct request *r) {
    struct track_poses *p = &r->poses;
    nfsar_vec3 degrees = {0};
    const char *end = NULL;
    p->rotation = NFSAR_QUATERNION_IDENTITY;
    if (r->format != NULL && !nfsar_pose_format_by_name(r->format, &p->how.format)) {
        cli_usage("track", "--format %s: expected tum, wxyz, optitrack, vicon or mavlink",
                  r->format);
        return false;
    }
    if (r->up != NULL && strcmp(r->up, "y") != 0 && strcmp(r->up, "z") != 0) {
        cli_usage("track", "--up %s: expected y or z", r->up);
        return false;
    }
    p->how.z_up = r->up != NULL && *r->up == 'z';
    if (r->lever != NULL && (!read_vector(r->lever, &end, &p->lever) || *end != '\0')) {
        cli_usage("track", "--lever %s: expected X,Y,Z in metres", r->lever);
        return false;
    }
    if (r->rotate != NULL &&
        (!read_vector(r->rotate, &end, &degrees) || *end != '\0' ||
         fmax(fabs(degrees.x), fmax(fabs(degrees.y), fabs(degrees.z))) > TURN_LIMIT_DEG)) {
        cli_usage("track", "--rotate %s: expected X,Y,Z in degrees, each within %g", r->rotate,
                  TURN_LIMIT_DEG);
        return false;
    }
    p->rotation = turn_of(degrees);
    if (r->point != NULL && !read_points(r->point, r->points, &p->options.n_point)) {
        cli_usage("track", "--point %s: expected X,Y,Z in metres, or up to %d with ; between",
                  r->point, NFSAR_TIME_OFFSET_REFLECTORS);
        return false;
    }
    p->options.point = r->point != NULL ? r->points : NULL;
    return true;
}

/* Times of a tracker are within this (host/import/pose_lines.c), and lever arms within that. */
#define TIME_LIMIT_S  1e11
#define LEVER_LIMIT_M 10.0

/* Numbers that cannot be meant; false after saying which. */
static bool are_possible(const struct request *r) {
    const nfsar_vec3 lever = r->poses.lever;
    if (!(fabs(r->poses.clock_ahead_s) <= TIME_LIMIT_S)) {
        cli_usage("track", "--clock-ahead %g: expected seconds, at most %g", r->poses.clock_ahead_s,
                  TIME_LIMIT_S);
        return false;
    }
    if (!(fmax(fabs(lever.x), fmax(fabs(lever.y), fabs(lever.z))) <= LEVER_LIMIT_M)) {
        cli_usage("track", "--lever %s: expected X,Y,Z in metres, each within %g", r->lever,
                  LEVER_LIMIT_M);
        return false;
    }
    return true;
}

static const char *find_fault(const struct request *r) {
    if (r->output == NULL) {
        return "-o OUT.h5 is missing";
    }
    if (!r->poses.align && (r->has_search || r->has_gate || r->point != NULL)) {
        return "--search, --gate and --point are for --align";
    }
    if (r->has_search && !(r->poses.search_s > 0.0)) {
        return "--search must be positive";
    }
    if (r->has_offset && r->poses.align && !r->has_search) {
        return "--clock-ahead with --align is the middle of a search: give --search S too";
    }
    return NULL;
}

int track_by_poses(int argc, char **argv) {
    static struct request r;
    memset(&r, 0, sizeof r);
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &r.output, NULL, "FILE", "the capture to write"},
        {"poses", 0, CLI_STRING, &r.poses.poses, NULL, "FILE",
         "poses of a tracker: TUM text, Motive or Vicon CSV, MAVLink-style CSV"},
        {"format", 0, CLI_STRING, &r.format, NULL, "NAME",
         "of the poses: tum, wxyz, optitrack, vicon, mavlink (by content)"},
        {"body", 0, CLI_STRING, &r.poses.how.body, NULL, "NAME",
         "rigid body of the file, where it has several"},
        {"up", 0, CLI_STRING, &r.up, NULL, "y|z", "axis that points up in a tum or wxyz file (y)"},
        {"clock-ahead", 0, CLI_NUMBER, &r.poses.clock_ahead_s, &r.has_offset, "S",
         "so many seconds the tracker's clock is ahead of the radar's (0; behind: negative)"},
        {"lever", 0, CLI_STRING, &r.lever, NULL, "X,Y,Z",
         "radar's origin in the tracked body's axes, metres (0,0,0)"},
        {"rotate", 0, CLI_STRING, &r.rotate, NULL, "X,Y,Z",
         "turn of the radar in the tracked body, degrees about x, then y, then z (0,0,0)"},
        {"align", 0, CLI_FLAG, &r.poses.align, NULL, NULL,
         "find the time offset, and the range bias, from the echoes"},
        {"search", 0, CLI_NUMBER, &r.poses.search_s, &r.has_search, "S",
         "with --align: within S of --clock-ahead (wherever the poses cover the capture)"},
        {"gate", 0, CLI_RANGE, r.poses.options.gate_m, &r.has_gate, "MIN:MAX",
         "with --align: only echoes of these ranges, metres (all)"},
        {"point", 0, CLI_STRING, &r.point, NULL, "X,Y,Z[;X,Y,Z...]",
         "with --align: places of reflectors, where they are known"},
        {"json", 0, CLI_FLAG, &r.json, NULL, NULL, "print one JSON object"},
        {0},
    };
    int exit_status = CLI_DONE;
    if (!cli_parse("track", "CAPTURE.h5 -o OUT.h5 --poses FILE [--align]", options, 1, &r.input,
                   argc, argv, &exit_status)) {
        return exit_status;
    }
    const char *fault = find_fault(&r);
    if (fault != NULL) {
        return cli_usage("track", "%s", fault);
    }
    if (!read_texts(&r) || !are_possible(&r)) {
        return CLI_USAGE;
    }
    use_threads();
    r.poses.files = (struct calibrate_files){r.input, r.output, r.json};
    return track_poses(&r.poses);
}
