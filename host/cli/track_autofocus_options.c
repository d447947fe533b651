/* Options of nfsar track --autofocus. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/track.h"
#include "host/cli/track_autofocus.h"

int track_by_autofocus(int argc, char **argv) {
    struct track_autofocus focus = {.options = nfsar_autofocus_defaults()};
    bool is_autofocus = false;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &focus.files.output, NULL, "FILE.h5", "the capture to write"},
        {"autofocus", 0, CLI_FLAG, &is_autofocus, NULL, NULL,
         "smooth errors of the poses, by the sharpest image that explains the echoes"},
        {"x", 0, CLI_AXIS, &focus.x, &focus.has_x, "MIN:MAX:COUNT",
         "where the targets are, metres (the counts do not matter)"},
        {"y", 0, CLI_AXIS, &focus.y, &focus.has_y, "MIN:MAX:COUNT", ""},
        {"z", 0, CLI_AXIS, &focus.z, &focus.has_z, "MIN:MAX:COUNT", ""},
        {"time-scale", 0, CLI_NUMBER, &focus.options.time_scale_s, NULL, "S",
         "seconds in which the errors change; 1"},
        {"most", 0, CLI_NUMBER, &focus.options.most_m, NULL, "M",
         "standard deviation of the errors of each component, metres; 0.003"},
        {"lines", 0, CLI_COUNT, &focus.options.lines, NULL, "N",
         "most pulses times channels that are looked at; 10000"},
        {"null-test", 0, CLI_FLAG, &focus.options.null_test, NULL, NULL,
         "say also what pulses of random phase would gain"},
        {"series", 0, CLI_STRING, &focus.series, NULL, "FOLDER", "pictures of the steps"},
        {"force", 0, CLI_FLAG, &focus.force, NULL, NULL,
         "write also what the echoes kept aside do not confirm"},
        {"json", 0, CLI_FLAG, &focus.files.json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse("track", "CAPTURE.h5 -o OUT.h5 --autofocus [--x --y --z] [--json]", options, 1,
                   &focus.files.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    if (focus.files.output == NULL) {
        return cli_usage("track", "-o OUT.h5 is missing");
    }
    use_threads();
    return track_autofocus(&focus);
}
