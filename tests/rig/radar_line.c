#include "tests/rig/radar_line.h"

#include <stdio.h>
#include <string.h>

static const char prompt[] = "mmwDemo:/>";
static const char banner[] = "******************************************\n\r"
                             "xWR14xx MMW Demo 02.01.00.04\n\r"
                             "******************************************\n\r";

enum kind { PLAIN, SETTING, FLUSH, START, STOP, VERSION };

/* Least number of arguments; as those SDKs have it for the lines that are the same in all. */
static const struct command {
    const char *name;
    unsigned least;
    enum kind kind;
} commands[] = {
    {"sensorStart", 0, START},
    {"sensorStop", 0, STOP},
    {"flushCfg", 0, FLUSH},
    {"version", 0, VERSION},
    {"queryDemoStatus", 0, PLAIN},
    {"dfeDataOutputMode", 1, SETTING},
    {"channelCfg", 3, SETTING},
    {"adcCfg", 2, SETTING},
    {"adcbufCfg", 4, SETTING},
    {"profileCfg", 14, SETTING},
    {"chirpCfg", 8, SETTING},
    {"frameCfg", 7, SETTING},
    {"lowPower", 2, SETTING},
    {"lvdsStreamCfg", 4, SETTING},
    {"configDataPort", 2, PLAIN},
    {"bpmCfg", 4, PLAIN},
    {"guiMonitor", 6, PLAIN},
    {"cfarCfg", 8, PLAIN},
    {"cfarFovCfg", 4, PLAIN},
    {"aoaFovCfg", 5, PLAIN},
    {"peakGrouping", 5, PLAIN},
    {"multiObjBeamForming", 3, PLAIN},
    {"clutterRemoval", 1, PLAIN},
    {"extendedMaxVelocity", 2, PLAIN},
    {"analogMonitor", 2, PLAIN},
    {"CQRxSatMonitor", 5, PLAIN},
    {"CQSigImgMonitor", 3, PLAIN},
    {"calibData", 3, PLAIN},
    {"calibDcRangeSig", 4, PLAIN},
    {"compRangeBiasAndRxChanPhase", 3, PLAIN},
    {"measureRangeBiasAndRxChanPhase", 3, PLAIN},
};

static void say(const struct radar_line *radar, const char *text) {
    radar->say(radar->context, text, strlen(text));
}

static void fail(const struct radar_line *radar, const char *why) {
    say(radar, "Error: ");
    say(radar, why);
    say(radar, "\n\rError -1\n\r");
}

void radar_line_init(struct radar_line *radar, unsigned lanes, radar_line_say *to, void *context) {
    *radar = (struct radar_line){.lanes = lanes, .say = to, .context = context};
}

/* ---- what lines mean ---- */

static void set(struct radar_line *radar, const char *line) {
    struct ti_cfg cfg = {0};
    nfsar_error error;
    char text[RADAR_LINE_BYTES + 2];
    snprintf(text, sizeof text, "%s\n", line);
    const size_t bytes = strlen(text);
    const bool good = ti_cfg_parse("the line", text, bytes, &cfg, &error) == NFSAR_OK;
    ti_cfg_free(&cfg);
    if (!good) {
        fail(radar, error.message);
    } else if (radar->text_bytes + bytes >= sizeof radar->text) {
        fail(radar, "no memory for another line");
    } else {
        memcpy(radar->text + radar->text_bytes, text, bytes + 1);
        radar->text_bytes += bytes;
        say(radar, "Done\n\r");
    }
}

static void take(struct radar_line *radar, const struct ti_cfg *cfg) {
    radar->by_hardware = cfg->trigger == TI_CFG_HARDWARE;
    radar->frames = cfg->frames > 0 ? cfg->frames : 0;
    radar->frames_made = 0;
    radar->q_first = cfg->sample_swap == 1;
    /* The firmware of SDK 1 that streams has no command for that, and always does. */
    radar->lvds = cfg->lvds_format == 1 || (cfg->lvds_line == 0 && cfg->adcbuf_values == 4);
    radar->started = true;
    radar->starts++;
}

static void start(struct radar_line *radar) {
    if (radar->started) {
        say(radar, "Ignored: Sensor is already started\n\rDone\n\r");
        return;
    }
    struct ti_cfg cfg = {0};
    nfsar_error error;
    const bool good =
        radar->text_bytes > 0 &&
        ti_cfg_parse("the lines", radar->text, radar->text_bytes, &cfg, &error) == NFSAR_OK &&
        ti_cfg_frame(&cfg, radar->lanes, &radar->frame, &error) == NFSAR_OK;
    if (good) {
        take(radar, &cfg);
        say(radar, "Done\n\r");
    } else {
        fail(radar, "Full configuration must be provided before sensor can be started the first "
                    "time");
    }
    ti_cfg_free(&cfg);
}

static void stop(struct radar_line *radar) {
    if (!radar->started) {
        say(radar, "Ignored: Sensor is already stopped\n\r");
    }
    radar->hung = radar->hangs && radar->started && radar->by_hardware;
    radar->started = false;
    if (!radar->hung) {
        say(radar, "Done\n\r");
    }
}

static void obey(struct radar_line *radar, const struct command *command, const char *line) {
    switch (command->kind) {
    case START:
        start(radar);
        return;
    case STOP:
        stop(radar);
        return;
    case SETTING:
        set(radar, line);
        return;
    case FLUSH:
        radar->text_bytes = 0;
        radar->text[0] = '\0';
        break;
    case VERSION:
        say(radar, "mmWave SDK Version: 02.01.00.04\n\r");
        break;
    case PLAIN:
        break;
    }
    say(radar, "Done\n\r");
}

static unsigned count_words(const char *line) {
    unsigned words = 0;
    for (size_t i = 0; line[i] != '\0'; i++) {
        words += line[i] != ' ' && (i == 0 || line[i - 1] == ' ');
    }
    return words;
}

static void answer(struct radar_line *radar, const char *line) {
    char word[RADAR_LINE_BYTES];
    const unsigned words = count_words(line);
    if (words == 0) {
        return;
    }
    if (line[0] == '%') {
        say(radar, "Skipped\n\r");
        return;
    }
    sscanf(line, "%255s", word);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(word, commands[i].name) != 0) {
            continue;
        }
        if (words - 1 < commands[i].least) {
            fail(radar, "Invalid usage of the CLI command");
        } else {
            obey(radar, &commands[i], line);
        }
        return;
    }
    say(radar, "'");
    say(radar, word);
    say(radar, "' is not recognized as a CLI command\n\r");
}

/* ---- the line ---- */

void radar_line_hear(struct radar_line *radar, const char *bytes, size_t n) {
    for (size_t i = 0; i < n && !radar->held && !radar->hung; i++) {
        if (bytes[i] != '\n' && bytes[i] != '\r') {
            if (radar->bytes + 1 < sizeof radar->line && (unsigned char)bytes[i] >= ' ') {
                radar->line[radar->bytes++] = bytes[i];
            }
            continue;
        }
        radar->line[radar->bytes] = '\0';
        radar->bytes = 0;
        say(radar, radar->line);
        say(radar, "\n\r");
        answer(radar, radar->line);
        if (!radar->hung) {
            say(radar, prompt);
        }
    }
}

void radar_line_hold(struct radar_line *radar) {
    radar->held = true;
    radar->hung = false;
    radar->started = false;
    radar->bytes = 0;
    radar->text_bytes = 0;
    radar->text[0] = '\0';
}

void radar_line_boot(struct radar_line *radar) {
    radar->held = false;
    say(radar, banner);
    say(radar, prompt);
}

bool radar_line_trigger(struct radar_line *radar) {
    if (!radar->started || !radar->by_hardware ||
        (radar->frames > 0 && radar->frames_made >= radar->frames)) {
        return false;
    }
    radar->frames_made += radar->frames > 0;
    return radar->lvds;
}
