/* Options of nfsar track --phase. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/track.h"
#include "host/cli/track_phase.h"

static bool read_point(const char *text, nfsar_vec3 *point) {
    const char *end = text;
    return cli_number(text, &end, &point->x) && *end == ',' &&
           cli_number(end + 1, &end, &point->y) && *end == ',' &&
           cli_number(end + 1, &end, &point->z) && *end == '\0';
}

int track_by_phase(int argc, char **argv) {
    struct track_phase phase = {.options = nfsar_phase_gradient_defaults()};
    const char *point = NULL;
    bool is_phase = false, is_per_pulse = false, has_gate = false, has_search = false;
    double gate[2] = {0.0, 0.0};
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &phase.files.output, NULL, "FILE.h5", "the capture to write"},
        {"phase", 0, CLI_FLAG, &is_phase, NULL, NULL,
         "phase-gradient autofocus: poses from the echoes of scatterers that stand out"},
        {"per-pulse", 0, CLI_FLAG, &is_per_pulse, NULL, NULL,
         "turn the samples of each pulse and leave the poses"},
        {"point", 0, CLI_STRING, &point, NULL, "X,Y,Z",
         "a scatterer is there, metres; no others are looked for"},
        {"gate", 0, CLI_RANGE, gate, &has_gate, "MIN:MAX",
         "scatterers at these ranges from the middle of the track, metres"},
        {"scatterers", 0, CLI_COUNT, &phase.options.scatterers, NULL, "N",
         "most that are used; 24"},
        {"search", 0, CLI_NUMBER, &phase.options.search_m, &has_search, "M",
         "largest error of range that envelopes are aligned for; four range cells"},
        {"x", 0, CLI_AXIS, &phase.options.grid.x, &phase.has_x, "MIN:MAX:COUNT",
         "where scatterers are looked for, metres"},
        {"y", 0, CLI_AXIS, &phase.options.grid.y, &phase.has_y, "MIN:MAX:COUNT", ""},
        {"z", 0, CLI_AXIS, &phase.options.grid.z, &phase.has_z, "MIN:MAX:COUNT", ""},
        {"json", 0, CLI_FLAG, &phase.files.json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse("track", "CAPTURE.h5 -o OUT.h5 --phase [--per-pulse] [--json]", options, 1,
                   &phase.files.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    if (phase.files.output == NULL) {
        return cli_usage("track", "-o OUT.h5 is missing");
    }
    if (point != NULL && !read_point(point, &phase.options.point)) {
        return cli_usage("track", "--point %s: expected X,Y,Z in metres", point);
    }
    if (has_search && !(phase.options.search_m > 0.0)) {
        return cli_usage("track",
                         "--search %g: metres of range above 0; four range cells without it",
                         phase.options.search_m);
    }
    phase.options.has_point = point != NULL;
    phase.options.error = is_per_pulse ? NFSAR_PHASE_PER_PULSE : NFSAR_PHASE_OF_POSES;
    if (has_gate) {
        phase.options.near_m = gate[0];
        phase.options.far_m = gate[1];
    }
    use_threads();
    return track_phase(&phase);
}
