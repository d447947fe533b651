/* Options of nfsar track without a way to poses: the sensors of a recording. */
#include "host/cli/cli.h"
#include "host/cli/track.h"

int track_by_sensors(int argc, char **argv) {
    struct track_sensors job = {.window_s = 1.0};
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &job.output, NULL, "FILE.h5", "the capture to write"},
        {"pod", 0, CLI_STRING, &job.pod, NULL, "POD.yaml",
         "mounting and noise of the sensors; without it those of docs/track.md"},
        {"use-poses", 0, CLI_FLAG, &job.use_poses, NULL, NULL,
         "the capture's poses are a tracker's, which the sensors make smoother"},
        {"without", 0, CLI_STRING, &job.without, NULL, "NAME[,NAME]",
         "leave sensors out: flow, range, tracker, encoder"},
        {"window", 0, CLI_NUMBER, &job.window_s, &job.has_window, "S",
         "the relative error to expect is that over so many seconds; 1"},
        {"json", 0, CLI_FLAG, &job.json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse("track", "CAPTURE.h5 -o OUT.h5 [--pod POD.yaml] [--use-poses] [--json]", options,
                   1, &job.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    if (job.output == NULL) {
        return cli_usage("track", "-o OUT.h5 is missing");
    }
    if (!(job.window_s >= 0.001)) {
        return cli_usage("track", "--window %g: must be 0.001 s at least", job.window_s);
    }
    if (job.without != NULL && !track_sensors_known(job.without)) {
        return cli_usage("track", "--without %s: names are flow, range, tracker, encoder",
                         job.without);
    }
    if (job.use_poses && track_sensors_without(job.without, NFSAR_SENSOR_TRACKER)) {
        return cli_usage("track", "--use-poses makes a tracker of the capture's poses, and "
                                  "--without tracker leaves it out: say one of both");
    }
    return track_sensors(&job);
}
