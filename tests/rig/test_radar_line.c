/* The radar's command line answers as TI's demo does, and knows when a trigger makes a frame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rig/radar_line.h"
#include "tests/support.h"

static const char *const lines[] = {"dfeDataOutputMode 1",
                                    "channelCfg 15 5 0",
                                    "adcCfg 2 1",
                                    "adcbufCfg -1 0 1 1 1",
                                    "profileCfg 0 77 7 6 39 0 0 100 0 64 2000 0 0 30",
                                    "chirpCfg 0 0 0 0 0 0 0 1",
                                    "chirpCfg 1 1 0 0 0 0 0 4",
                                    "frameCfg 0 1 3 2 5 2 0",
                                    "lvdsStreamCfg -1 0 1 0"};
enum { LINES = sizeof lines / sizeof *lines };

struct heard {
    char text[4096];
    size_t n;
};

static void hear(void *context, const char *text, size_t n) {
    struct heard *heard = context;
    assert_true(heard->n + n < sizeof heard->text);
    memcpy(heard->text + heard->n, text, n);
    heard->n += n;
    heard->text[heard->n] = '\0';
}

/* What is printed for a line, echo and prompt included. */
static const char *say(struct radar_line *radar, const char *line) {
    struct heard *heard = radar->context;
    heard->n = 0;
    heard->text[0] = '\0';
    radar_line_hear(radar, line, strlen(line));
    radar_line_hear(radar, "\n", 1);
    return heard->text;
}

#define SAYS(radar, line, answer) assert_string_equal(say(radar, line), answer)

static void begin(struct radar_line *radar, struct heard *heard) {
    memset(heard, 0, sizeof *heard);
    radar_line_init(radar, 2, hear, heard);
}

static void lines_are_answered(void **state) {
    (void)state;
    struct radar_line radar;
    struct heard heard;
    begin(&radar, &heard);
    SAYS(&radar, "flushCfg", "flushCfg\n\rDone\n\rmmwDemo:/>");
    SAYS(&radar, "chanelCfg 15 7 0",
         "chanelCfg 15 7 0\n\r'chanelCfg' is not recognized as a CLI command\n\rmmwDemo:/>");
    SAYS(&radar, "adcCfg 2",
         "adcCfg 2\n\rError: Invalid usage of the CLI command\n\rError -1\n\rmmwDemo:/>");
    assert_contains(say(&radar, "adcCfg 7 1"), "\n\rError -1\n\rmmwDemo:/>");
    SAYS(&radar, "% note", "% note\n\rSkipped\n\rmmwDemo:/>");
    SAYS(&radar, "", "\n\rmmwDemo:/>");
    SAYS(&radar, "sensorStop",
         "sensorStop\n\rIgnored: Sensor is already stopped\n\rDone\n\rmmwDemo:/>");
}

static void a_start_wants_the_whole_configuration(void **state) {
    (void)state;
    for (size_t missing = 0; missing < LINES; missing++) {
        if (strncmp(lines[missing], "dfeData", 7) == 0 || strncmp(lines[missing], "lvds", 4) == 0 ||
            strncmp(lines[missing], "adc", 3) == 0) {
            continue;
        }
        struct radar_line radar;
        struct heard heard;
        begin(&radar, &heard);
        for (size_t i = 0; i < LINES; i++) {
            if (i != missing) {
                assert_contains(say(&radar, lines[i]), "\n\rDone\n\r");
            }
        }
        assert_contains(say(&radar, "sensorStart"), "Error: Full configuration must be provided");
        assert_false(radar_line_trigger(&radar));
        /* It comes now: the start succeeds. */
        say(&radar, lines[missing]);
        SAYS(&radar, "sensorStart", "sensorStart\n\rDone\n\rmmwDemo:/>");
        assert_true(radar_line_trigger(&radar));
    }
}

static void triggers_make_the_frames_that_were_asked_for(void **state) {
    (void)state;
    struct radar_line radar;
    struct heard heard;
    begin(&radar, &heard);
    for (size_t i = 0; i < LINES; i++) {
        say(&radar, lines[i]);
    }
    assert_false(radar_line_trigger(&radar));
    say(&radar, "sensorStart");
    assert_true(radar.q_first);
    assert_int_equal(radar.frame.chirps, 2);
    assert_int_equal(radar.frame.loops, 3);
    assert_int_equal(radar.frame.bytes, 3 * 2 * 4 * 64 * 4);
    assert_true(radar_line_trigger(&radar));
    assert_true(radar_line_trigger(&radar));
    assert_false(radar_line_trigger(&radar)); /* frameCfg says 2 */
    say(&radar, "sensorStop");
    assert_false(radar_line_trigger(&radar));
    /* By software, or without LVDS, a pulse makes nothing. */
    say(&radar, "frameCfg 0 1 3 0 5 1 0");
    say(&radar, "sensorStart");
    assert_false(radar_line_trigger(&radar));
    say(&radar, "sensorStop");
    say(&radar, "frameCfg 0 1 3 0 5 2 0");
    say(&radar, "lvdsStreamCfg -1 0 0 0");
    say(&radar, "sensorStart");
    assert_false(radar_line_trigger(&radar));
}

static void a_reset_forgets_all(void **state) {
    (void)state;
    struct radar_line radar;
    struct heard heard;
    begin(&radar, &heard);
    for (size_t i = 0; i < LINES; i++) {
        say(&radar, lines[i]);
    }
    say(&radar, "sensorStart");
    radar_line_hear(&radar, "senso", 5);
    radar_line_hold(&radar);
    assert_false(radar_line_trigger(&radar));
    SAYS(&radar, "sensorStart", "");
    heard.n = 0;
    radar_line_boot(&radar);
    assert_contains(heard.text, "xWR14xx MMW Demo");
    assert_string_equal(heard.text + heard.n - 10, "mmwDemo:/>");
    assert_contains(say(&radar, "sensorStart"), "Error -1");
}

static void one_that_hangs_hears_nothing_until_its_reset(void **state) {
    (void)state;
    struct radar_line radar;
    struct heard heard;
    begin(&radar, &heard);
    radar.hangs = true;
    SAYS(&radar, "sensorStop",
         "sensorStop\n\rIgnored: Sensor is already stopped\n\rDone\n\rmmwDemo:/>");
    for (size_t i = 0; i < LINES; i++) {
        say(&radar, lines[i]);
    }
    say(&radar, "sensorStart");
    assert_true(radar_line_trigger(&radar));
    SAYS(&radar, "sensorStop", "sensorStop\n\r");
    SAYS(&radar, "version", "");
    assert_false(radar_line_trigger(&radar));
    radar_line_hold(&radar);
    radar_line_boot(&radar);
    assert_contains(say(&radar, "version"), "Done");
}

static void garbage_does_no_harm(void **state) {
    (void)state;
    struct radar_line radar;
    struct heard heard;
    begin(&radar, &heard);
    char bytes[257];
    for (unsigned i = 0; i < 256; i++) {
        bytes[i] = (char)i;
    }
    for (unsigned i = 0; i < 64; i++) {
        heard.n = 0;
        radar_line_hear(&radar, bytes, 256);
    }
    heard.n = 0;
    radar_line_hear(&radar, "\n", 1);
    SAYS(&radar, "version", "version\n\rmmWave SDK Version: 02.01.00.04\n\rDone\n\rmmwDemo:/>");
    /* More lines than there is room for. */
    for (unsigned i = 0; i < 2000; i++) {
        say(&radar, lines[4]);
    }
    assert_contains(say(&radar, lines[4]), "Error: no memory");
    SAYS(&radar, "flushCfg", "flushCfg\n\rDone\n\rmmwDemo:/>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_answered),
        cmocka_unit_test(a_start_wants_the_whole_configuration),
        cmocka_unit_test(triggers_make_the_frames_that_were_asked_for),
        cmocka_unit_test(a_reset_forgets_all),
        cmocka_unit_test(one_that_hangs_hears_nothing_until_its_reset),
        cmocka_unit_test(garbage_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
