/* Commands to the emulated card over the loopback, its notices, and who else speaks there. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/devices/dca1000_rig.h"
#include "tests/devices/dca1000_stream.h"

static void the_version_is_read(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    unsigned major = 0;
    unsigned minor = 0;
    bool playback = true;
    open_rig(&rig, &(struct card_faults){0});
    assert_ok(nfsar_dca1000_alive(rig.link, &error), error);
    assert_ok(nfsar_dca1000_version(rig.link, &major, &minor, &playback, &error), error);
    assert_int_equal(major, 2);
    assert_int_equal(minor, 8);
    assert_false(playback);
    assert_ok(nfsar_dca1000_version(rig.link, NULL, NULL, NULL, &error), error);
    close_rig(&rig);
}

static void count_reset(void *context) {
    ++*(unsigned *)context;
}

static void the_radar_is_reset(void **state) {
    (void)state;
    unsigned resets = 0;
    const char *why;
    nfsar_error error;
    nfsar_dca1000 *link;
    const struct card_options options = {.card_address = card_address,
                                         .host_address = host_address,
                                         .on_reset_radar = count_reset,
                                         .context = &resets};
    const struct nfsar_dca1000_options link_options = {.card_address = card_address,
                                                       .host_address = host_address};
    struct card *card = card_open(&options, &why);
    assert_non_null(card);
    assert_ok(nfsar_dca1000_open(&link_options, &link, &error), error);
    assert_ok(nfsar_dca1000_reset_radar(link, &error), error);
    nfsar_dca1000_close(link);
    card_close(card);
    assert_int_equal(resets, 1);
}

static void four_lanes_are_configured(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    struct card_state told;
    open_rig(&rig, &(struct card_faults){0});
    nfsar_dca1000_close(rig.link);
    rig.options.lanes = 4;
    rig.options.bits = 12;
    rig.options.packet_delay_s = 0;
    rig.options.packet_bytes = 1472;
    assert_ok(nfsar_dca1000_open(&rig.options, &rig.link, &error), error);
    assert_ok(nfsar_dca1000_configure(rig.link, &error), error);
    card_state(rig.card, &told);
    assert_int_equal(told.lanes, 4);
    assert_int_equal(told.bits, 12);
    assert_int_equal(told.packet_bytes, 1472);
    assert_near(told.packet_delay_s, 25e-6, 1e-12);
    close_rig(&rig);
}

static void fails_with(const struct card_faults *faults, unsigned timeout_ms,
                       enum nfsar_status status, const char *part) {
    struct rig rig;
    nfsar_error error;
    open_rig(&rig, faults);
    nfsar_dca1000_close(rig.link);
    rig.options.timeout_ms = timeout_ms;
    assert_ok(nfsar_dca1000_open(&rig.options, &rig.link, &error), error);
    assert_int_equal(nfsar_dca1000_configure(rig.link, &error), status);
    assert_contains(error.message, part);
    assert_contains(error.message, card_address);
    close_rig(&rig);
}

static void a_silent_card(void **state) {
    (void)state;
    fails_with(&(struct card_faults){.silent = true}, 200, NFSAR_ERROR_DEVICE,
               "no answer to 'reset of the FPGA' within 200 ms; is it powered");
}

static void a_card_of_another_kind(void **state) {
    (void)state;
    fails_with(&(struct card_faults){.wrong_replies = true}, 1500, NFSAR_ERROR_DEVICE,
               "(1 answers to other commands, 3 packets that are none)");
}

static void a_card_that_refuses(void **state) {
    (void)state;
    fails_with(&(struct card_faults){.refuse = 3}, 5000, NFSAR_ERROR_REFUSED,
               "refused 'configuration of the FPGA' (status 1)");
    fails_with(&(struct card_faults){.refuse = 0x0B}, 5000, NFSAR_ERROR_REFUSED,
               "refused 'configuration of the record'");
}

/* The card hears nothing for a while; what only asks is asked again. */
static void questions_are_repeated(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    open_rig(&rig, &(struct card_faults){.silent_commands = 2});
    nfsar_dca1000_close(rig.link);
    rig.options.timeout_ms = 3000;
    assert_ok(nfsar_dca1000_open(&rig.options, &rig.link, &error), error);
    assert_ok(nfsar_dca1000_alive(rig.link, &error), error);
    struct card_state told;
    card_state(rig.card, &told);
    assert_true(told.commands >= 3);
    close_rig(&rig);
}

static void nobody_there(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_dca1000 *link;
    const struct nfsar_dca1000_options options = {
        .card_address = card_address, .host_address = host_address, .timeout_ms = 100};
    assert_ok(nfsar_dca1000_open(&options, &link, &error), error);
    assert_int_equal(nfsar_dca1000_alive(link, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "no answer to 'aliveness' within 100 ms");
    const struct nfsar_dca1000_frame *frame;
    assert_int_equal(nfsar_dca1000_next(link, 0, &frame, &error), NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_dca1000_start(link, FRAME, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "'record start'");
    assert_int_equal(nfsar_dca1000_start(link, 0, &error), NFSAR_ERROR_ARGUMENT);
    assert_ok(nfsar_dca1000_stop(link, 0, &error), error);

    nfsar_dca1000 *second;
    assert_int_equal(nfsar_dca1000_open(&options, &second, &error), NFSAR_ERROR_DEVICE);
    assert_null(second);
    assert_contains(error.message, "another program has port 4096 of 127.");
    nfsar_dca1000_close(link);
    nfsar_dca1000_close(NULL);

    const struct nfsar_dca1000_options elsewhere = {.host_address = "192.0.2.77"};
    assert_int_equal(nfsar_dca1000_open(&elsewhere, &link, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "sudo ip address add 192.0.2.77/24");
}

static void no_way_to_the_card(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_dca1000 *link;
    const struct nfsar_dca1000_options options = {
        .card_address = "192.0.2.77", .host_address = host_address, .timeout_ms = 100};
    assert_ok(nfsar_dca1000_open(&options, &link, &error), error);
    assert_int_equal(nfsar_dca1000_alive(link, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "capture card at 192.0.2.77: cannot be sent to: ");
    nfsar_dca1000_close(link);
}

/* A radar that nobody stopped: the card is told to stop all the same, and the sums hold. */
static void the_radar_goes_on(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    struct card_state told;
    struct nfsar_dca1000_counters counters;
    const struct nfsar_dca1000_frame *frame;
    const size_t n = 40 << 20; /* half a second */
    uint8_t *samples = malloc(n);
    memset(samples, 0x55, n);
    open_rig(&rig, &(struct card_faults){0});
    assert_ok(nfsar_dca1000_configure(rig.link, &error), error);
    assert_ok(nfsar_dca1000_start(rig.link, FRAME, &error), error);
    assert_int_equal(card_send(rig.card, samples, n), n);
    assert_ok(nfsar_dca1000_next(rig.link, WAIT_MS, &frame, &error), error);
    assert_non_null(frame);
    assert_ok(nfsar_dca1000_stop(rig.link, 50, &error), error);
    assert_true(card_wait_recording(rig.card, false, WAIT_MS));
    uint64_t frames = 1;
    while (nfsar_dca1000_next(rig.link, 0, &frame, &error) == NFSAR_OK && frame != NULL) {
        assert_int_equal(frame->number, frames++);
    }
    nfsar_dca1000_counters(rig.link, &counters);
    card_state(rig.card, &told);
    assert_int_equal(told.last_code, 6);
    assert_true(counters.end_byte <= told.made_bytes);
    assert_int_equal(counters.bytes + counters.lost_bytes, counters.end_byte);
    assert_int_equal(frames, (counters.end_byte + FRAME - 1) / FRAME);
    close_rig(&rig);
    free(samples);
}

static void closing_stops_the_card(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    open_rig(&rig, &(struct card_faults){0});
    assert_ok(nfsar_dca1000_start(rig.link, FRAME, &error), error);
    nfsar_dca1000_close(rig.link);
    rig.link = NULL;
    assert_true(card_wait_recording(rig.card, false, WAIT_MS));
    close_rig(&rig);
}

/* ---- notices and strangers ---- */

static void the_card_is_full(void **state) {
    (void)state;
    const char *why;
    nfsar_error error;
    char text[100];
    nfsar_dca1000 *link;
    const struct card_options options = {.card_address = card_address,
                                         .host_address = host_address,
                                         .fifo_bytes = 100000,
                                         .quiet_ms = 50};
    const struct nfsar_dca1000_options link_options = {.card_address = card_address,
                                                       .host_address = host_address};
    struct card *card = card_open(&options, &why);
    assert_non_null(card);
    assert_ok(nfsar_dca1000_open(&link_options, &link, &error), error);
    uint8_t *samples = calloc(1, 200000);
    assert_int_equal(card_send(card, samples, 1000), 0); /* recording is not on */
    assert_ok(nfsar_dca1000_start(link, 1000, &error), error);
    assert_int_equal(card_send(card, samples, 200000), 100000);
    assert_true(card_wait_flushed(card, WAIT_MS));
    assert_ok(nfsar_dca1000_stop(link, QUIET_MS, &error), error);
    uint32_t notices = 0;
    uint64_t frames = 0;
    const struct nfsar_dca1000_frame *frame;
    while (nfsar_dca1000_next(link, 0, &frame, &error) == NFSAR_OK && frame != NULL) {
        notices |= frame->notices;
        frames++;
    }
    assert_int_equal(frames, 100);
    assert_string_equal(nfsar_dca1000_notice_text(notices, text, sizeof text),
                        "DDR full; record completed");
    struct nfsar_dca1000_counters counters;
    nfsar_dca1000_counters(link, &counters);
    assert_int_equal(counters.notices, notices);
    free(samples);
    nfsar_dca1000_close(link);
    card_close(card);
}

/* What the card says by itself comes between a command and its answer. */
static void notices_while_commands_are_under_way(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    struct nfsar_dca1000_counters counters = {0};
    open_rig(&rig, &(struct card_faults){0});
    for (unsigned i = 0; i < 50; i++) {
        card_notice(rig.card, NFSAR_DCA1000_SD_DETECTED);
        assert_ok(nfsar_dca1000_alive(rig.link, &error), error);
        card_notice(rig.card, NFSAR_DCA1000_LVDS_FULL);
        assert_ok(nfsar_dca1000_version(rig.link, NULL, NULL, NULL, &error), error);
    }
    for (unsigned tries = 0; tries < WAIT_MS && counters.notices != 0x208; tries++) {
        assert_ok(nfsar_dca1000_alive(rig.link, &error), error);
        nfsar_dca1000_counters(rig.link, &counters);
    }
    assert_int_equal(counters.notices, 0x208);
    close_rig(&rig);
}

/* A socket that holds two packets, and samples as fast as they can be sent: what the kernel drops
 * it counts, and the loss map has the same. */
static void the_kernel_drops(void **state) {
    (void)state;
    const char *why;
    nfsar_error error;
    nfsar_dca1000 *link;
    struct card_state told;
    struct nfsar_dca1000_counters counters;
    const size_t n = (size_t)2000 * STREAM_PAYLOAD;
    const struct card_options options = {.card_address = card_address,
                                         .host_address = host_address,
                                         .unpaced = true,
                                         .quiet_ms = 50};
    const struct nfsar_dca1000_options link_options = {.card_address = card_address,
                                                       .host_address = host_address,
                                                       .receive_bytes = 4096,
                                                       .timeout_ms = 5000};
    struct card *card = card_open(&options, &why);
    assert_non_null(card);
    assert_ok(nfsar_dca1000_open(&link_options, &link, &error), error);
    assert_ok(nfsar_dca1000_configure(link, &error), error);
    assert_ok(nfsar_dca1000_start(link, FRAME, &error), error);
    uint8_t *samples = calloc(1, n);
    assert_int_equal(card_send(card, samples, n), n);
    assert_true(card_wait_flushed(card, WAIT_MS));
    assert_ok(nfsar_dca1000_stop(link, QUIET_MS, &error), error);
    nfsar_dca1000_counters(link, &counters);
    card_state(card, &told);
    assert_true(counters.kernel_drops > 0);
    assert_int_equal(counters.packets + counters.kernel_drops, told.sent_packets);
    assert_int_equal(counters.bytes + counters.lost_bytes, counters.end_byte);
    assert_int_equal(counters.lost_bytes + (n - counters.end_byte),
                     counters.kernel_drops * STREAM_PAYLOAD);
    free(samples);
    nfsar_dca1000_close(link);
    card_close(card);
}

/* The radar sends nothing: the card says so, and recording it can be stopped and begun again. */
static void no_samples(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    const struct nfsar_dca1000_frame *frame;
    struct nfsar_dca1000_counters counters = {0};
    open_rig(&rig, &(struct card_faults){0});
    for (unsigned i = 0; i < 2; i++) {
        assert_ok(nfsar_dca1000_start(rig.link, FRAME, &error), error);
        assert_int_equal(nfsar_dca1000_start(rig.link, FRAME, &error), NFSAR_ERROR_ARGUMENT);
        for (unsigned tries = 0; tries < 200 && counters.notices == 0; tries++) {
            assert_ok(nfsar_dca1000_next(rig.link, 50, &frame, &error), error);
            assert_null(frame);
            nfsar_dca1000_counters(rig.link, &counters);
        }
        assert_int_equal(counters.notices, NFSAR_DCA1000_NO_LVDS);
        assert_ok(nfsar_dca1000_stop(rig.link, 50, &error), error);
        assert_int_equal(counters.end_byte, 0);
        counters.notices = 0;
    }
    close_rig(&rig);
}

static void strangers_are_ignored(void **state) {
    (void)state;
    struct rig rig;
    nfsar_error error;
    open_rig(&rig, &(struct card_faults){0});
    assert_ok(nfsar_dca1000_start(rig.link, FRAME, &error), error);
    const int stranger = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    inet_pton(AF_INET, stranger_address, &at.sin_addr);
    assert_int_equal(bind(stranger, (struct sockaddr *)&at, sizeof at), 0);
    uint8_t packet[DCA1000_HEADER_BYTES + STREAM_PAYLOAD];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4098)};
    inet_pton(AF_INET, host_address, &to.sin_addr);
    for (uint32_t i = 0; i < 200; i++) {
        const size_t n = stream_packet(packet, i + 1, i * STREAM_PAYLOAD, STREAM_PAYLOAD);
        assert_int_equal(sendto(stranger, packet, n, 0, (struct sockaddr *)&to, sizeof to), n);
    }
    /* A forged notice and a forged answer, too. */
    to.sin_port = htons(4096);
    sendto(stranger, "\x5A\xA5\x0A\x00\xFF\x0F\xAA\xEE", 8, 0, (struct sockaddr *)&to, sizeof to);
    sendto(stranger, "\x5A\xA5\x06\x00\x01\x00\xAA\xEE", 8, 0, (struct sockaddr *)&to, sizeof to);
    close(stranger);
    assert_ok(nfsar_dca1000_stop(rig.link, 50, &error), error);
    struct nfsar_dca1000_counters counters;
    nfsar_dca1000_counters(rig.link, &counters);
    assert_int_equal(counters.foreign, 202);
    assert_int_equal(counters.packets + counters.malformed, 0);
    assert_int_equal(counters.notices & ~(uint32_t)NFSAR_DCA1000_NO_LVDS, 0);
    close_rig(&rig);
}

int main(void) {
    choose_addresses();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_is_read),
        cmocka_unit_test(the_radar_is_reset),
        cmocka_unit_test(four_lanes_are_configured),
        cmocka_unit_test(a_silent_card),
        cmocka_unit_test(a_card_of_another_kind),
        cmocka_unit_test(a_card_that_refuses),
        cmocka_unit_test(questions_are_repeated),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(no_way_to_the_card),
        cmocka_unit_test(the_radar_goes_on),
        cmocka_unit_test(closing_stops_the_card),
        cmocka_unit_test(the_card_is_full),
        cmocka_unit_test(notices_while_commands_are_under_way),
        cmocka_unit_test(the_kernel_drops),
        cmocka_unit_test(no_samples),
        cmocka_unit_test(strangers_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
