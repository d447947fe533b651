#include "host/cli/cli.h"

#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/version.h>

#include "host/files/pending.h"

static char command_line[2048];

const char *cli_command_line(void) {
    return command_line;
}

static void remember_command_line(int argc, char **argv) {
    size_t used = (size_t)snprintf(command_line, sizeof command_line, "nfsar");
    for (int i = 1; i < argc && used + 1 < sizeof command_line; i++) {
        int more = snprintf(command_line + used, sizeof command_line - used, " %s", argv[i]);
        if (more < 0) {
            break;
        }
        used += (size_t)more;
    }
}

/* Interrupted: leave no half-written file. _exit, not exit: HDF5 would try to flush. */
static void on_signal(int number) {
    pending_unlink_all();
    _exit(128 + number);
}

static void print_help(FILE *stream) {
    fprintf(stream, "usage: nfsar VERB ...\n\n"
                    "Near-field MIMO-SAR radar imaging: from a recorded or simulated capture to a "
                    "picture.\n\nverbs:\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name != NULL; verb++) {
        fprintf(stream, "  %-12s %s\n", verb->name, verb->summary);
    }
    fprintf(stream, "\n`nfsar VERB --help` tells more. Version %s.\n", NFSAR_VERSION);
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("nfsar %s\n", NFSAR_VERSION);
        return CLI_DONE;
    }
    for (const struct cli_verb *verb = cli_verbs; verb->name != NULL; verb++) {
        if (strcmp(argv[1], verb->name) == 0) {
            return verb->run(argc - 2, argv + 2);
        }
    }
    nfsar_error error;
    nfsar_fail(&error, NFSAR_ERROR_ARGUMENT, "there is no verb '%s'; `nfsar --help` lists them",
               argv[1]);
    return cli_fail(&error);
}

int main(int argc, char **argv) {
    /* The library turns HDF5's failures into one line; its own stack dump is noise. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        /* What the caller ignores, such as nohup's SIGHUP, stays ignored. */
        if (signal(signals[i], on_signal) == SIG_IGN) {
            signal(signals[i], SIG_IGN);
        }
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    remember_command_line(argc, argv);

    int status = run(argc, argv);
    if (status == CLI_DONE && (fflush(stdout) != 0 || ferror(stdout))) {
        fprintf(stderr, "nfsar: standard output could not be written\n");
        return CLI_FAILED;
    }
    return status;
}
