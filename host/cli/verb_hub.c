/* nfsar hub: talking to the microcontroller. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"
#include "host/cli/verbs.h"
#include "host/devices/transport.h"

static const struct form {
    const char *name;
    int (*run)(const char *port, int argc, char **argv);
    const char *arguments;
    const char *help;
} forms[] = {
    {"", hub_show, "[--json]", "who it is, its status, sensors and errors"},
    {"watch", hub_watch, "[--for TIME]", "one line each second; Ctrl-C ends"},
    {"radar", hub_radar, "FILE.cfg", "configures the radar through the hub"},
    {"setup", hub_setup, "RIG.yaml", "tells the hub what the axes and the radar can do"},
    {"home", hub_home, "AXIS...", "seeks the home switch and sets zero there"},
    {"move", hub_move, "AXIS TO", "moves to a position, and waits until it is there"},
    {"place", hub_place, "AXIS AT", "declares where an axis stands, without moving"},
    {"stop", hub_stop, "[AXIS...]", "brings axes to a stand"},
    {"enable", hub_enable, "AXIS on|off", "the motor's current"},
    {"emergency", hub_emergency, "[release]", "stops everything at once, or releases that"},
    {"trigger", hub_trigger, "one|period TIME|stop", "triggers of the radar, without motion"},
    {"scan", hub_scan, "raster|serpentine|turntable|stop", "makes a scan, and waits for its end"},
    {"clear", hub_clear, "", "clears the latched errors"},
    {"crash", hub_crash, "[--forget]", "where the firmware crashed"},
    {"restart", hub_restart, "", "restarts the hub"},
};

enum { FORMS = sizeof forms / sizeof *forms };

static void print_help(void) {
    printf("usage: nfsar hub PORT [FORM ...]\n\n"
           "Talks to the hub: PORT is usb, usb:SERIAL, a serial port such as /dev/ttyUSB0, or an "
           "emulator's socket.\n\n");
    for (size_t i = 0; i < FORMS; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", forms[i].name, forms[i].name[0] != '\0' ? " " : "",
                 forms[i].arguments);
        printf("  PORT %-40s %s\n", left, forms[i].help);
    }
    char ports[256];
    printf("\n`nfsar hub PORT FORM --help` tells more. Serial ports here: %s\n",
           serial_ports(ports, sizeof ports)[0] != '\0' ? ports : "none");
}

/* Whether the port was left out, so that the form stands in its place. */
static bool is_form(const char *word) {
    for (size_t i = 0; i < FORMS; i++) {
        if (word[0] != '\0' && strcmp(forms[i].name, word) == 0) {
            return access(word, F_OK) != 0;
        }
    }
    return false;
}

static int no_port(void) {
    char ports[256];
    serial_ports(ports, sizeof ports);
    return cli_usage(
        "hub", "give the port of the hub first: nfsar hub usb ..., or nfsar hub PORT ...; %s%s",
        ports[0] != '\0' ? "serial ports here: " : "no serial port is plugged in", ports);
}

int verb_hub(int argc, char **argv) {
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        print_help();
        return CLI_DONE;
    }
    if (argc == 0 || argv[0][0] == '-' || is_form(argv[0])) {
        return no_port();
    }
    const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
    const int skipped = name[0] != '\0' ? 2 : 1;
    for (size_t i = 0; i < FORMS; i++) {
        if (strcmp(forms[i].name, name) == 0) {
            return forms[i].run(argv[0], argc - skipped, argv + skipped);
        }
    }
    return cli_usage("hub", "there is no form '%s'", name);
}
