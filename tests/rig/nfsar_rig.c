/* nfsar-rig: everything that `nfsar record` speaks with, on this computer (docs/rig.md). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rig/faults.h"
#include "tests/rig/rig.h"

static volatile sig_atomic_t ended;

static void on_signal(int number) {
    (void)number;
    ended = 1;
}

static const char usage[] =
    "usage: nfsar-rig SESSION.yaml SCENE.yaml [options]\n"
    "The rig of a session, emulated: hub, stage, radar, capture card, sensors. Ends by Ctrl-C.\n"
    "  --folder DIR      the hub is at DIR/hub; where the session's hub.port is, or a new folder\n"
    "  --hub ELF|host    the hub's image in qemu, or its firmware on this computer (host)\n"
    "  --truth FILE      what the radar truly sampled, and where it was: a capture\n"
    "  --tracker FILE    where the radar is, 1000 times a second of hub time, as CSV\n"
    "  --fault LIST      what goes wrong: loss=0.01,reorder=50 ... (docs/rig.md)\n"
    "  --seconds N       ends after so long\n";

enum { USAGE = 2 };

static int fail_usage(const char *text) {
    fprintf(stderr, "nfsar-rig: %s\n%s", text, usage);
    return USAGE;
}

/* 0: go on; else the exit status, or -1 for --help. */
static int read_options(int argc, char **argv, struct rig_options *options) {
    static const struct option known[] = {
        {"folder", required_argument, NULL, 'd'}, {"hub", required_argument, NULL, 'b'},
        {"truth", required_argument, NULL, 't'},  {"tracker", required_argument, NULL, 'k'},
        {"fault", required_argument, NULL, 'f'},  {"seconds", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int option;
    char *end;
    nfsar_error error;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'd':
            options->folder = optarg;
            break;
        case 'b':
            options->hub = optarg;
            break;
        case 't':
            options->truth = optarg;
            break;
        case 'k':
            options->tracker = optarg;
            break;
        case 'f':
            if (rig_faults_read(optarg, &options->faults, &error) != NFSAR_OK) {
                return fail_usage(error.message);
            }
            break;
        case 's':
            options->seconds = strtod(optarg, &end);
            if (*end != '\0' || !(options->seconds > 0.0)) {
                return fail_usage("--seconds: expected a number above 0");
            }
            break;
        case 'h':
            return -1;
        default:
            return USAGE;
        }
    }
    if (argc - optind != 2) {
        return fail_usage("a session and a scene are expected");
    }
    options->session = argv[optind];
    options->scene = argv[optind + 1];
    return 0;
}

int main(int argc, char **argv) {
    struct rig_options options = {0};
    const int wrong = read_options(argc, argv, &options);
    if (wrong != 0) {
        fputs(wrong < 0 ? usage : "", stdout);
        return wrong < 0 ? 0 : wrong;
    }
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct rig *rig = rig_new();
    if (rig == NULL) {
        fprintf(stderr, "nfsar-rig: out of memory\n");
        return 1;
    }
    nfsar_error error;
    enum nfsar_status status = rig_open(rig, &options, &error);
    if (status == NFSAR_OK) {
        status = options.hub == NULL || strcmp(options.hub, "host") == 0
                     ? rig_run_on_host(rig, &ended, &error)
                     : rig_run_in_qemu(rig, &ended, &error);
    }
    if (status != NFSAR_OK) {
        fprintf(stderr, "nfsar-rig: %s\n", error.message);
    }
    rig_close(rig);
    return status == NFSAR_OK ? 0 : 1;
}
