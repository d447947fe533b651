/* A .cfg through hubs that do not behave: the other end of the line is a script. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/radar/control.h"
#include "tests/devices/hub_line.h"

/* What a script does once the text shall run. */
typedef void misbehave(struct peer *peer);
struct script {
    misbehave *run;
};

static void say_state(struct peer *peer, uint8_t state, unsigned line, const void *text, size_t n) {
    const struct nfsar_wire_radar radar = {.state = state, .line = (uint16_t)line, .took_ms = 7};
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    const size_t fields = nfsar_wire_pack_radar(payload, &radar);
    memcpy(payload + fields, text, n);
    peer_record(peer, NFSAR_WIRE_RADAR, 0, payload, fields + n);
}

static void play(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        peer_answer(peer, &command);
        if (command.header.kind == NFSAR_WIRE_DO_RADAR_RUN) {
            ((const struct script *)peer->context)->run(peer);
        }
    }
}

static void say_nothing_of_it(struct peer *peer) {
    for (int i = 0; i < 100 && !peer->ended; i++) {
        say_state(peer, NFSAR_WIRE_RADAR_SENDING, 1, "", 0);
        struct nfsar_wire_message command;
        if (peer_hear(peer, &command, 50)) {
            peer_answer(peer, &command); /* the cancelling of it */
            return;
        }
    }
}

static void refuse_with_noise(struct peer *peer) {
    peer_record(peer, NFSAR_WIRE_RADAR_TEXT, 0, (const uint8_t *)"\x1b[2J\nout of range", 17);
    /* Too short for the record that it says to be. */
    peer_record(peer, NFSAR_WIRE_RADAR, 0, (const uint8_t *)"\x03", 1);
    say_state(peer, NFSAR_WIRE_RADAR_REFUSED, 2, "fl\nush\xff", 7);
}

static void fill_up(struct peer *peer) {
    uint8_t text[NFSAR_WIRE_PAYLOAD_MAX];
    memset(text, 'w', sizeof text);
    for (int i = 0; i < 30; i++) {
        peer_record(peer, NFSAR_WIRE_RADAR_TEXT, 0, text, sizeof text);
    }
    say_state(peer, NFSAR_WIRE_RADAR_SILENT, 65535, text, sizeof text - NFSAR_WIRE_RADAR_BYTES);
}

static void cancel(struct peer *peer) {
    say_state(peer, NFSAR_WIRE_RADAR_CANCELLED, 1, "sensorStop", 10);
}

static void restart(struct peer *peer) {
    peer_hello(peer, NFSAR_WIRE_MAJOR, NFSAR_WIRE_MINOR, 2);
}

static void hang_up(struct peer *peer) {
    close(peer->line);
    peer->line = -1;
    peer->ended = true;
}

static bool hand_on(void *context, const struct nfsar_wire_message *record) {
    radar_record(*(struct radar_control **)context, record);
    return true;
}

static bool at_once(void *context) {
    (void)context;
    return true;
}

static void send_to(misbehave *script, bool cancelled, enum nfsar_status expected,
                    const char *part) {
    struct peer peer = {0};
    struct radar_control *control = NULL;
    nfsar_hub *hub = NULL;
    nfsar_error error;
    const struct nfsar_hub_options options = {
        .record = hand_on, .context = &control, .timeout_ms = 2000};
    struct script context = {script};
    peer_begin(&peer, play, &context);
    assert_ok(nfsar_hub_open(peer.path, &options, &hub, &error), error);
    const struct radar_control_options radar_options = {
        .hub = hub, .timeout_ms = 1, .cancelled = cancelled ? at_once : NULL};
    assert_ok(radar_open(&radar_options, &control, &error), error);
    assert_int_equal(radar_send_text(control, "a.cfg", "sensorStop\nflushCfg\n", 20, &error),
                     expected);
    assert_contains(error.message, part);
    for (const char *c = error.message; *c != '\0'; c++) {
        assert_true(*c >= ' ' && *c <= '~');
    }
    radar_close(control);
    control = NULL;
    nfsar_hub_close(hub);
    peer_end(&peer);
}

static void wrong_hubs_are_named(void **state) {
    (void)state;
    static const struct {
        misbehave *script;
        bool cancelled;
        enum nfsar_status status;
        const char *part;
    } cases[] = {
        {say_nothing_of_it, false, NFSAR_ERROR_DEVICE, "said nothing of the radar for too long"},
        {say_nothing_of_it, true, NFSAR_ERROR_CANCELLED, "interrupted"},
        {refuse_with_noise, false, NFSAR_ERROR_REFUSED,
         "a.cfg: line 2: the radar refused 'fl?ush?'; it printed: ?[2J?out of range"},
        {fill_up, false, NFSAR_ERROR_DEVICE, "a.cfg: line 65535: the radar did not answer 'wwww"},
        {cancel, false, NFSAR_ERROR_CANCELLED, "interrupted"},
        {restart, false, NFSAR_ERROR_DEVICE, "the hub restarted"},
        {hang_up, false, NFSAR_ERROR_DEVICE, "the hub is gone"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        send_to(cases[i].script, cases[i].cancelled, cases[i].status, cases[i].part);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_hubs_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
