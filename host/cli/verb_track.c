/* nfsar track: a capture with better poses. Each way to them is a mode with options of its own. */
#include "host/cli/cli.h"
#include "host/cli/track.h"
#include "host/cli/verbs.h"

#include <stdio.h>
#include <string.h>

static const struct mode {
    const char *option; /* that asks for it; NULL: of a track without any */
    int (*run)(int argc, char **argv);
    const char *help;
} modes[] = {
    {NULL, track_by_sensors, NULL},
    {"poses", track_by_poses, "take the poses of a tracker's file; --align finds its clock"},
    {"phase", track_by_phase, "phase-gradient autofocus: by scatterers that stand out"},
    {"autofocus", track_by_autofocus, "smooth errors of the poses, by the sharpest image"},
};
#define MODES (sizeof modes / sizeof *modes)

/* Options that not all modes have, and what goes with them. */
static const struct {
    const char *name, *whose;
} owned[] = {
    {"pod", "goes with poses from the sensors: without --poses, --phase and --autofocus"},
    {"use-poses", "goes with poses from the sensors: without --poses, --phase and --autofocus"},
    {"without", "goes with poses from the sensors: without --poses, --phase and --autofocus"},
    {"window", "goes with poses from the sensors: without --poses, --phase and --autofocus"},
    {"align", "goes with --poses FILE"},
    {"clock-ahead", "goes with --poses FILE"},
    {"format", "goes with --poses FILE"},
    {"body", "goes with --poses FILE"},
    {"up", "goes with --poses FILE"},
    {"lever", "goes with --poses FILE"},
    {"rotate", "goes with --poses FILE"},
    {"search", "goes with --poses FILE --align, or --phase"},
    {"gate", "goes with --poses FILE --align, or --phase"},
    {"point", "goes with --poses FILE --align, or --phase"},
    {"per-pulse", "goes with --phase"},
    {"scatterers", "goes with --phase"},
    {"x", "goes with --phase or --autofocus"},
    {"y", "goes with --phase or --autofocus"},
    {"z", "goes with --phase or --autofocus"},
    {"time-scale", "goes with --autofocus"},
    {"most", "goes with --autofocus"},
    {"lines", "goes with --autofocus"},
    {"null-test", "goes with --autofocus"},
    {"series", "goes with --autofocus"},
    {"force", "goes with --autofocus"},
};

static const char *whose_option(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
        if (strlen(owned[i].name) == length && strncmp(owned[i].name, name, length) == 0) {
            return owned[i].whose;
        }
    }
    return NULL;
}

static bool is_option(const char *text, const char *name) {
    size_t length = strlen(name);
    return strncmp(text, "--", 2) == 0 && strncmp(text + 2, name, length) == 0 &&
           (text[2 + length] == '\0' || text[2 + length] == '=');
}

static bool asks_for(const struct mode *mode, int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_option(argv[i], mode->option)) {
            return true;
        }
    }
    return false;
}

static bool wants_help(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int verb_track(int argc, char **argv) {
    const struct mode *chosen = &modes[0];
    for (size_t i = 1; i < MODES; i++) {
        if (!asks_for(&modes[i], argc, argv)) {
            continue;
        }
        if (chosen->option != NULL) {
            return cli_usage("track", "--%s and --%s are two steps: one after the other",
                             chosen->option, modes[i].option);
        }
        chosen = &modes[i];
    }
    cli_options_elsewhere(whose_option);
    if (!wants_help(argc, argv)) {
        return chosen->run(argc, argv);
    }
    /* Alone, or --poses would take it for a file's name. */
    char help[] = "--help";
    int answer = chosen->run(1, (char *[]){help});
    if (chosen->option == NULL) {
        printf(
            "\nOther ways to poses, each with options of its own (nfsar track --poses --help):\n");
        for (size_t i = 1; i < MODES; i++) {
            printf("  --%-12s %s\n", modes[i].option, modes[i].help);
        }
    }
    return answer;
}
