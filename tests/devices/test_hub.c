/* The host's end of the hub's line, against peers that behave, garble, lose and go away. */
#include <nfsar/hub.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "firmware/app/crash.h"
#include "firmware/boards/board.h"
#include "tests/devices/hub_line.h"

/* What the firmware numbers and the wire names. */
#define SAME(NAME, value, text) _Static_assert(PLACE_##NAME == (value), #NAME);
NFSAR_WIRE_PLACES(SAME)
_Static_assert((int)NFSAR_WIRE_INPUT_TURN_HOME == (int)BOARD_LIMIT_TURN_HOME, "inputs");
_Static_assert((int)NFSAR_WIRE_INPUT_EMERGENCY == (int)BOARD_EMERGENCY_STOP, "inputs");
_Static_assert((int)NFSAR_WIRE_input_end == (int)BOARD_INPUTS, "inputs");
_Static_assert((int)NFSAR_WIRE_PORT_RADAR == (int)BOARD_PORT_RADAR, "ports");
_Static_assert((int)NFSAR_WIRE_port_end == (int)BOARD_PORTS, "ports");
_Static_assert((int)NFSAR_WIRE_axis_id_end == (int)BOARD_AXES, "axes");

static void a_hub_is_greeted_and_commanded(void **state) {
    (void)state;
    struct peer peer;
    peer_begin(&peer, peer_behave, NULL);
    nfsar_hub *hub = open_peer(&peer, &patient);
    assert_string_equal((const char *)nfsar_hub_hello(hub)->board, "scripted");
    assert_int_equal(nfsar_hub_hello(hub)->axes, 3);
    assert_false(nfsar_hub_restarted(hub));
    assert_echoes(hub);
    struct nfsar_hub_counters counters;
    nfsar_hub_counters(hub, &counters);
    assert_int_equal(counters.lost, 0);
    assert_int_equal(counters.bad, 0);
    assert_int_equal(counters.commands, 6);
    /* Refused here, not sent. */
    const uint8_t large[NFSAR_WIRE_PAYLOAD_MAX + 1] = {0};
    nfsar_error error;
    assert_int_equal(nfsar_hub_do(hub, NFSAR_WIRE_DO_ECHO, 0, large, sizeof large, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_hub_do(hub, NFSAR_WIRE_STATUS, 0, NULL, 0, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    nfsar_hub_close(hub);
    nfsar_hub_close(NULL);
    peer_end(&peer);
}

static void a_serial_port_carries_every_byte(void **state) {
    (void)state;
    struct peer peer;
    peer_begin_terminal(&peer, peer_behave, NULL);
    nfsar_hub *hub = open_peer(&peer, &patient);
    assert_echoes(hub);
    nfsar_hub_close(hub);
    peer_end(&peer);
}

/* ---- what is in the way ---- */

static void garbage_first(struct peer *peer) {
    peer_garbage(peer, 200);
    peer_behave(peer);
}

static void garbage_between(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        peer_garbage(peer, 20);
        peer_send(peer, "", 1);
        peer_answer(peer, &command);
    }
}

static void garbage_is_passed_over(void **state) {
    (void)state;
    peer_script *const scripts[] = {garbage_first, garbage_between};
    for (size_t i = 0; i < 2; i++) {
        struct peer peer;
        peer_begin(&peer, scripts[i], NULL);
        nfsar_hub *hub = open_peer(&peer, &patient);
        assert_echoes(hub);
        struct nfsar_hub_counters counters;
        nfsar_hub_counters(hub, &counters);
        assert_int_equal(counters.lost, 0);
        assert_int_equal(counters.bad > 0, i == 1);
        nfsar_hub_close(hub);
        peer_end(&peer);
    }
}

/* A hub that carries a command out once, and whose first reply is lost. */
struct forgetful {
    uint32_t number;
    bool known;
    unsigned done, heard;
};

static void lose_first_reply(struct peer *peer) {
    struct forgetful *forgetful = peer->context;
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        forgetful->heard++;
        if (forgetful->known && command.header.sequence == forgetful->number) {
            peer_answer(peer, &command);
            continue;
        }
        forgetful->known = true;
        forgetful->number = command.header.sequence;
        forgetful->done++;
    }
}

static void a_lost_reply_is_asked_for_again(void **state) {
    (void)state;
    struct forgetful forgetful = {0};
    struct peer peer;
    peer_begin(&peer, lose_first_reply, &forgetful);
    const struct nfsar_hub_options options = {.timeout_ms = 150, .tries = 20};
    nfsar_hub *hub = open_peer(&peer, &options);
    nfsar_error error;
    for (int i = 0; i < 3; i++) {
        assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_AXIS_STOP, 0, NULL, 0, NULL, &error), error);
    }
    struct nfsar_hub_counters counters;
    nfsar_hub_counters(hub, &counters);
    assert_int_equal(counters.commands, 4);
    assert_true(counters.repeated >= 4);
    nfsar_hub_close(hub);
    peer_end(&peer);
    assert_int_equal(forgetful.done, 4);
    assert_true(forgetful.heard >= 8);
}

static void answer_twice_and_wrongly(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        struct nfsar_wire_message other = command;
        other.header.sequence--;
        peer_reply(peer, &other, NFSAR_WIRE_RESULT_UNKNOWN, 0, NULL, 0);
        other.header.sequence++;
        other.header.kind++;
        peer_reply(peer, &other, NFSAR_WIRE_RESULT_UNKNOWN, 0, NULL, 0);
        peer_answer(peer, &command);
        peer_answer(peer, &command);
    }
}

static void replies_to_others_are_not_ours(void **state) {
    (void)state;
    struct peer peer;
    peer_begin(&peer, answer_twice_and_wrongly, NULL);
    nfsar_hub *hub = open_peer(&peer, &patient);
    assert_echoes(hub);
    assert_false(nfsar_hub_restarted(hub));
    struct nfsar_hub_counters counters;
    nfsar_hub_counters(hub, &counters);
    /* Of the greeting two before, one after; of each echo the same, but what follows the last has
     * not been looked at. */
    assert_int_equal(counters.unasked, 2 + 5 * 3);
    nfsar_hub_close(hub);
    peer_end(&peer);
}

/* Every byte of the answer on its own. */
static void slowly(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        uint8_t frame[NFSAR_WIRE_FRAME_MAX], payload[NFSAR_WIRE_PAYLOAD_MAX];
        if (command.header.kind == NFSAR_WIRE_DO_HELLO) {
            peer_answer(peer, &command);
            continue;
        }
        const struct nfsar_wire_reply reply = {command.header.kind, NFSAR_WIRE_RESULT_DONE, 0,
                                               command.header.sequence};
        const struct nfsar_wire_header header = {.kind = NFSAR_WIRE_REPLY,
                                                 .sequence = peer->sequence++};
        const size_t n =
            nfsar_wire_encode(frame, &header, payload, nfsar_wire_pack_reply(payload, &reply));
        for (size_t i = 0; i < n; i++) {
            usleep(2000);
            peer_send(peer, frame + i, 1);
        }
    }
}

static void a_slow_line_is_waited_for(void **state) {
    (void)state;
    struct peer peer;
    peer_begin(&peer, slowly, NULL);
    nfsar_hub *hub = open_peer(&peer, &patient);
    nfsar_error error;
    assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_AXIS_STOP, 0, NULL, 0, NULL, &error), error);
    nfsar_hub_close(hub);
    peer_end(&peer);
}

/* ---- what happens later ---- */

static void break_off(struct peer *peer) {
    struct nfsar_wire_message command;
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    const struct nfsar_wire_header header = {.kind = NFSAR_WIRE_REPLY};
    peer_hear(peer, &command, 20000);
    peer_answer(peer, &command);
    peer_hear(peer, &command, 20000);
    const uint8_t payload[20] = {0};
    const size_t n = nfsar_wire_encode(frame, &header, payload, sizeof payload);
    peer_send(peer, frame, n / 2);
}

static void a_hub_that_goes_away_is_said(void **state) {
    (void)state;
    for (int terminal = 0; terminal < 2; terminal++) {
        struct peer peer;
        if (terminal == 1) {
            peer_begin_terminal(&peer, break_off, NULL);
        } else {
            peer_begin(&peer, break_off, NULL);
        }
        nfsar_hub *hub = open_peer(&peer, &patient);
        nfsar_error error;
        assert_int_equal(nfsar_hub_do(hub, NFSAR_WIRE_DO_STATUS, 0, NULL, 0, NULL, &error),
                         NFSAR_ERROR_DEVICE);
        assert_contains(error.message, "the hub is gone");
        assert_int_equal(nfsar_hub_do(hub, NFSAR_WIRE_DO_STATUS, 0, NULL, 0, NULL, &error),
                         NFSAR_ERROR_DEVICE);
        assert_int_equal(nfsar_hub_listen(hub, 10, &error), NFSAR_ERROR_DEVICE);
        nfsar_hub_close(hub);
        peer_end(&peer);
    }
}

static void fall_silent(struct peer *peer) {
    struct nfsar_wire_message command;
    peer_hear(peer, &command, 20000);
    peer_answer(peer, &command);
    while (peer_hear(peer, &command, 20000)) {
    }
}

static void a_command_without_reply_ends(void **state) {
    (void)state;
    struct peer peer;
    peer_begin(&peer, fall_silent, NULL);
    const struct nfsar_hub_options options = {.timeout_ms = 100, .tries = 5};
    nfsar_hub *hub = open_peer(&peer, &options);
    nfsar_error error;
    assert_int_equal(nfsar_hub_do(hub, NFSAR_WIRE_DO_AXIS_HOME, 0, NULL, 0, NULL, &error),
                     NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "no reply to the homing of an axis, sent 5 times in 500 ms");
    /* Silence is no failure of listening. */
    assert_ok(nfsar_hub_listen(hub, 20, &error), error);
    nfsar_hub_close(hub);
    peer_end(&peer);
}

static void refuse(struct peer *peer) {
    struct nfsar_wire_message command;
    peer_hear(peer, &command, 20000);
    peer_answer(peer, &command);
    while (peer_hear(peer, &command, 20000)) {
        switch (command.header.kind) {
        case NFSAR_WIRE_DO_AXIS_SET:
            peer_reply(peer, &command, NFSAR_WIRE_RESULT_VALUE, 2, NULL, 0);
            break;
        case NFSAR_WIRE_DO_AXIS_MOVE:
            peer_reply(peer, &command, NFSAR_WIRE_RESULT_LATCHED,
                       NFSAR_WIRE_REASON + NFSAR_WIRE_REASON_MOTION_LIMIT_LOW, NULL, 0);
            break;
        case NFSAR_WIRE_DO_AXIS_HOME:
            peer_reply(peer, &command, NFSAR_WIRE_RESULT_ABSENT,
                       NFSAR_WIRE_REASON + NFSAR_WIRE_REASON_MOTION_NO_HOME_SWITCH, NULL, 0);
            break;
        default:
            peer_reply(peer, &command, 200, 0xffff, NULL, 0);
            break;
        }
    }
}

static void refusals_have_words(void **state) {
    (void)state;
    struct peer peer;
    peer_begin(&peer, refuse, NULL);
    nfsar_hub *hub = open_peer(&peer, &patient);
    static const struct {
        uint8_t kind;
        const char *words;
    } refused[] = {
        {NFSAR_WIRE_DO_AXIS_SET,
         "settings of an axis refused: a field has a value that cannot be: jerk"},
        {NFSAR_WIRE_DO_AXIS_MOVE, "move of an axis refused: a latched error forbids it; clear it "
                                  "first: the switch at the low end stopped the axis"},
        {NFSAR_WIRE_DO_AXIS_HOME, "homing of an axis refused: the axis has no switch to home to"},
        {NFSAR_WIRE_DO_CLEAR, "clearing of errors refused: unknown"},
        {0xff, "unknown command refused: unknown"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        nfsar_error error;
        assert_int_equal(nfsar_hub_do(hub, refused[i].kind, 0, NULL, 0, NULL, &error),
                         NFSAR_ERROR_REFUSED);
        assert_string_equal(error.message, refused[i].words);
    }
    nfsar_hub_close(hub);
    peer_end(&peer);
}

static void lose_records(struct peer *peer) {
    struct nfsar_wire_message command;
    uint8_t payload[NFSAR_WIRE_STATUS_BYTES];
    struct nfsar_wire_status status = {.dropped = 100};
    unsigned n = 0;
    while (peer_hear(peer, &command, 20000)) {
        if (command.header.kind == NFSAR_WIRE_DO_STATUS) {
            /* First 100 dropped before we came; then 3 of the 8 that are missing. */
            status.dropped = n == 0 ? 100 : 103;
            peer->sequence += n == 1 ? 8 : 0;
            n++;
            peer_record(peer, NFSAR_WIRE_STATUS, 0, payload,
                        nfsar_wire_pack_status(payload, &status));
            peer_reply(peer, &command, NFSAR_WIRE_RESULT_DONE, 0, NULL, 0);
        } else {
            peer->sequence += 1000; /* before the greeting nobody listened */
            peer_answer(peer, &command);
        }
    }
}

static void losses_are_counted(void **state) {
    (void)state;
    struct peer peer;
    peer_begin(&peer, lose_records, NULL);
    nfsar_hub *hub = open_peer(&peer, &patient);
    struct nfsar_hub_counters counters;
    nfsar_error error;
    for (int i = 0; i < 2; i++) {
        assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_STATUS, 0, NULL, 0, NULL, &error), error);
        nfsar_hub_counters(hub, &counters);
        assert_int_equal(counters.lost, i == 0 ? 0 : 8);
        assert_int_equal(counters.dropped, i == 0 ? 0 : 3);
    }
    nfsar_hub_close(hub);
    peer_end(&peer);
}

/* Restarts at the second command, and knows nothing of a greeting then. */
static void restart(struct peer *peer) {
    struct nfsar_wire_message command;
    bool greeted = false, restarted = false;
    while (peer_hear(peer, &command, 20000)) {
        if (command.header.kind == NFSAR_WIRE_DO_HELLO) {
            peer_hello(peer, NFSAR_WIRE_MAJOR, 0, restarted ? 2 : 1);
            peer_reply(peer, &command, NFSAR_WIRE_RESULT_DONE, NFSAR_WIRE_MAJOR, NULL, 0);
            greeted = true;
        } else if (!restarted) {
            restarted = true;
            greeted = false;
            peer->sequence = 0;
            peer->time_ns = 0;
            if (peer->context != NULL) {
                peer_hello(peer, NFSAR_WIRE_MAJOR, 0, 2);
            } else {
                peer_reply(peer, &command, NFSAR_WIRE_RESULT_VERSION, NFSAR_WIRE_MAJOR, NULL, 0);
            }
        } else if (greeted) {
            peer_answer(peer, &command);
        }
    }
}

static void a_restart_is_noticed(void **state) {
    (void)state;
    int says_hello = 1;
    void *const contexts[] = {&says_hello, NULL};
    for (size_t i = 0; i < 2; i++) {
        struct peer peer;
        peer_begin(&peer, restart, contexts[i]);
        nfsar_hub *hub = open_peer(&peer, &patient);
        nfsar_error error;
        for (int j = 0; j < 2; j++) {
            assert_int_equal(nfsar_hub_do(hub, NFSAR_WIRE_DO_CLEAR, 0, NULL, 0, NULL, &error),
                             NFSAR_ERROR_DEVICE);
            assert_contains(error.message, "the hub restarted (watchdog)");
        }
        assert_true(nfsar_hub_restarted(hub));
        assert_ok(nfsar_hub_greet(hub, &error), error);
        assert_false(nfsar_hub_restarted(hub));
        assert_int_equal(nfsar_hub_hello(hub)->starts, 2);
        assert_echoes(hub);
        struct nfsar_hub_counters counters;
        nfsar_hub_counters(hub, &counters);
        assert_int_equal(counters.lost, 0);
        nfsar_hub_close(hub);
        peer_end(&peer);
    }
}

static void talk(struct peer *peer) {
    struct nfsar_wire_message command;
    peer_hear(peer, &command, 20000);
    peer_answer(peer, &command);
    for (unsigned i = 0; i < 10; i++) {
        uint8_t payload[NFSAR_WIRE_FLOW_BYTES] = {(uint8_t)i};
        peer_record(peer, NFSAR_WIRE_FLOW, 1, payload, sizeof payload);
    }
    peer_behave(peer);
}

static bool stop_at_five(void *context, const struct nfsar_wire_message *record) {
    unsigned *seen = context;
    if (record->header.kind == NFSAR_WIRE_FLOW) {
        assert_int_equal(record->payload[0], *seen);
        (*seen)++;
        return *seen != 5;
    }
    return true;
}

static void listening_ends_where_the_callback_says(void **state) {
    (void)state;
    unsigned seen = 0;
    struct peer peer;
    peer_begin(&peer, talk, NULL);
    const struct nfsar_hub_options options = {
        .record = stop_at_five, .context = &seen, .timeout_ms = 2000, .tries = 4};
    nfsar_hub *hub = open_peer(&peer, &options);
    nfsar_error error;
    assert_ok(nfsar_hub_listen(hub, 60000, &error), error);
    assert_int_equal(seen, 5);
    /* The others are not lost, and a command hears past them. */
    assert_echoes(hub);
    assert_int_equal(seen, 10);
    nfsar_hub_close(hub);
    peer_end(&peer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hub_is_greeted_and_commanded),
        cmocka_unit_test(a_serial_port_carries_every_byte),
        cmocka_unit_test(garbage_is_passed_over),
        cmocka_unit_test(a_lost_reply_is_asked_for_again),
        cmocka_unit_test(replies_to_others_are_not_ours),
        cmocka_unit_test(a_slow_line_is_waited_for),
        cmocka_unit_test(a_hub_that_goes_away_is_said),
        cmocka_unit_test(a_command_without_reply_ends),
        cmocka_unit_test(refusals_have_words),
        cmocka_unit_test(losses_are_counted),
        cmocka_unit_test(a_restart_is_noticed),
        cmocka_unit_test(listening_ends_where_the_callback_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
