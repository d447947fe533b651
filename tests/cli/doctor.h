/* What the tests of `nfsar doctor` share: a session, and what is found of it. */
#ifndef NFSAR_TESTS_DOCTOR_H
#define NFSAR_TESTS_DOCTOR_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support.h"

static char output[32768];
static char host[32], card[32]; /* addresses of this program's own */

static const char cfg[] = "sensorStop\nflushCfg\ndfeDataOutputMode 1\nchannelCfg 15 5 0\n"
                          "adcCfg 2 1\nadcbufCfg 0 0 0 1\n"
                          "profileCfg 0 77 7 6 39 0 0 100 0 64 2000 0 0 30\n"
                          "chirpCfg 0 0 0 0 0 0 0 1\nchirpCfg 1 1 0 0 0 0 0 4\n"
                          "frameCfg 0 1 1 0 5 2 0\nlowPower 0 0\nsensorStart\n";

/* What a test changes of a session that is right. */
struct change {
    const char *radar_port, *hub_port, *host, *card, *cfg, *sensors;
};

static inline void write_session(const char *name, struct change change) {
    char text[2048], port[256] = "";
    if (change.radar_port != NULL) {
        snprintf(port, sizeof port, "  port: %s\n", change.radar_port);
    }
    snprintf(text, sizeof text,
             "radar:\n  model: AWR1443BOOST\n  cfg: %s\n%s"
             "array:\n  preset: xwr1443-2tx\n  along: y\n"
             "card:\n  lanes: 4\n  address: %s\n  host: %s\n  receive_bytes: 65536\n"
             "hub:\n  port: %s\n  stage: %s/docs/examples/stage-scanner.yaml\n"
             "scan:\n  path: serpentine\n  x_m: 20e-3\n  y_m: 20e-3\n  positions: 5\n  rows: 2\n"
             "  step_m: 1e-3\n  row_step_m: 2e-3\n"
             "sensors: [%s]\n",
             change.cfg != NULL ? change.cfg : "radar.cfg", port,
             change.card != NULL ? change.card : card, change.host != NULL ? change.host : host,
             change.hub_port != NULL ? change.hub_port : test_path("hub"), getenv("NFSAR_SOURCE"),
             change.sensors != NULL ? change.sensors : "");
    test_write_file(name, text, strlen(text));
}

/* The findings as JSON; free it. */
static inline json_t *examine(int expected, const char *session, const char *more) {
    const int status = test_command(output, sizeof output, "doctor --rig '%s' -o '%s' --json %s",
                                    test_path(session), test_folder(), more);
    if (status != expected) {
        fail_msg("exit %d in place of %d: %s", status, expected, output);
    }
    json_t *object = json_loads(output, 0, NULL);
    if (object == NULL) {
        fail_msg("no JSON: %s", output);
    }
    return object;
}

/* The n-th finding of a check must be there with this verdict and these words. */
static inline void assert_finds(const json_t *object, const char *check, const char *verdict,
                                const char *part, const char *fix) {
    const json_t *list = json_object_get(object, "checks");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(one, "check")), check) == 0) {
            const char *text = json_string_value(json_object_get(one, "text"));
            if (strcmp(json_string_value(json_object_get(one, "verdict")), verdict) != 0) {
                fail_msg("%s is not %s: %s", check, verdict, text);
            }
            assert_contains(text, part);
            assert_contains(json_string_value(json_object_get(one, "fix")), fix);
            return;
        }
    }
    fail_msg("no finding of %s: %s", check, output);
}

/* To be called first: addresses that no other program uses, and the .cfg. */
static inline void begin(void) {
    const unsigned own = (unsigned)getpid();
    snprintf(host, sizeof host, "127.%u.%u.1", 64 + own % 128, own / 128 % 250);
    snprintf(card, sizeof card, "127.%u.%u.2", 64 + own % 128, own / 128 % 250);
    test_write_file("radar.cfg", cfg, sizeof cfg - 1);
}

#endif
