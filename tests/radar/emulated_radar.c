#include "tests/radar/emulated_radar.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support.h"

static const struct {
    const char *name;
    unsigned values;
} commands[] = {{"sensorStart", 0}, {"sensorStop", 0}, {"flushCfg", 0},  {"dfeDataOutputMode", 1},
                {"channelCfg", 3},  {"adcCfg", 2},     {"adcbufCfg", 4}, {"profileCfg", 14},
                {"chirpCfg", 8},    {"frameCfg", 7},   {"lowPower", 2},  {"version", 0}};

static void say(const struct emulated_radar *radar, const char *text) {
    if (!radar->silent && radar->line >= 0) {
        assert_int_equal(write(radar->line, text, strlen(text)), strlen(text));
    }
}

static const char *prompt_of(const struct emulated_radar *radar) {
    return radar->prompt != NULL ? radar->prompt : "mmwDemo:/>";
}

static bool begins(const char *text, const char *with) {
    return with != NULL && strncmp(text, with, strlen(with)) == 0;
}

static void answer(const struct emulated_radar *radar, const char *text) {
    char copy[512], word[64] = "", said[128];
    unsigned values = 0;
    snprintf(copy, sizeof copy, "%s", text);
    char *rest = NULL;
    const char *first = strtok_r(copy, " ", &rest);
    snprintf(word, sizeof word, "%s", first != NULL ? first : "");
    while (strtok_r(NULL, " ", &rest) != NULL) {
        values++;
    }
    if (begins(text, radar->refused)) {
        say(radar, "Error -1\n\r");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, word) == 0) {
            say(radar, values == commands[i].values
                           ? "Done\n\r"
                           : "Error: Invalid usage of the CLI command\n\rError -1\n\r");
            return;
        }
    }
    snprintf(said, sizeof said, "'%s' is not recognized as a CLI command\n\r", word);
    say(radar, said);
}

static void hear_line(struct emulated_radar *radar) {
    const char *text = radar->rest;
    if (radar->noise) {
        return;
    }
    if (text[0] == '\0') {
        say(radar, prompt_of(radar));
        return;
    }
    const size_t used = strlen(radar->heard);
    snprintf(radar->heard + used, sizeof radar->heard - used, "%s\n", text);
    if (begins(text, radar->vanishes)) {
        close(radar->slave);
        close(radar->line);
        radar->line = radar->slave = -1;
        return;
    }
    radar->silent = radar->silent || begins(text, radar->unanswered);
    if (!radar->no_echo) {
        say(radar, text);
        say(radar, "\n\r");
    }
    if (radar->delay_ms > 0) {
        usleep(radar->delay_ms * 1000);
    }
    if (radar->note != NULL) {
        say(radar, radar->note);
    }
    answer(radar, text);
    say(radar, prompt_of(radar));
}

static void hear(struct emulated_radar *radar, const char *bytes, size_t n) {
    for (size_t i = 0; i < n && radar->line >= 0; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            radar->rest[radar->n_rest] = '\0';
            radar->n_rest = 0;
            hear_line(radar);
        } else if (radar->n_rest + 1 < sizeof radar->rest) {
            radar->rest[radar->n_rest++] = bytes[i];
        }
    }
}

static void *play(void *context) {
    struct emulated_radar *radar = context;
    while (radar->line >= 0) {
        struct pollfd wait[2] = {{.fd = radar->line, .events = POLLIN},
                                 {.fd = radar->stop[0], .events = POLLIN}};
        char bytes[256];
        poll(wait, 2, radar->noise ? 1 : -1);
        if (wait[1].revents != 0) {
            return NULL;
        }
        if (radar->noise) {
            say(radar, "\x02\x01\x04\x03\x06\x05\x08\x07\xff\xfe:/ ");
        }
        if ((wait[0].revents & POLLIN) != 0) {
            const ssize_t n = read(radar->line, bytes, sizeof bytes);
            hear(radar, bytes, n > 0 ? (size_t)n : 0);
        }
    }
    return NULL;
}

void emulated_radar_begin(struct emulated_radar *radar) {
    struct termios raw;
    radar->line = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(radar->line >= 0);
    assert_int_equal(grantpt(radar->line), 0);
    assert_int_equal(unlockpt(radar->line), 0);
    assert_int_equal(ptsname_r(radar->line, radar->path, sizeof radar->path), 0);
    /* Open here too: the terminal must not echo before the host has set it. */
    radar->slave = open(radar->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(tcgetattr(radar->slave, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(radar->slave, TCSANOW, &raw), 0);
    assert_int_equal(pipe2(radar->stop, O_CLOEXEC), 0);
    radar->heard[0] = '\0';
    radar->n_rest = 0;
    assert_int_equal(pthread_create(&radar->thread, NULL, play, radar), 0);
}

void emulated_radar_end(struct emulated_radar *radar) {
    assert_int_equal(write(radar->stop[1], "", 1), 1);
    pthread_join(radar->thread, NULL);
    close(radar->stop[0]);
    close(radar->stop[1]);
    if (radar->line >= 0) {
        close(radar->slave);
        close(radar->line);
    }
}
