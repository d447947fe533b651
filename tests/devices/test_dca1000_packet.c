/* The capture card's bytes, beside those that were read in TI's source and in captures of a card.
 */
#include "host/devices/dca1000/packet.h"

#include <string.h>

#include <nfsar/dca1000.h>

#include "host/devices/dca1000/link.h"
#include "tests/support.h"

static void commands_are_those_of_ti(void **state) {
    (void)state;
    static const uint8_t reset[] = {0x5A, 0xA5, 0x01, 0x00, 0x00, 0x00, 0xAA, 0xEE};
    static const uint8_t two_lanes[] = {0x5A, 0xA5, 0x03, 0x00, 0x06, 0x00, 0x01,
                                        0x02, 0x01, 0x02, 0x03, 0x1E, 0xAA, 0xEE};
    static const uint8_t record[] = {0x5A, 0xA5, 0x0B, 0x00, 0x06, 0x00, 0xBE,
                                     0x05, 0x35, 0x0C, 0x00, 0x00, 0xAA, 0xEE};
    uint8_t out[DCA1000_COMMAND_BYTES];
    uint8_t data[DCA1000_CONFIG_BYTES];
    assert_int_equal(dca1000_command(out, DCA1000_RESET_FPGA, NULL, 0), sizeof reset);
    assert_memory_equal(out, reset, sizeof reset);

    dca1000_fpga_data(data, 2, 16);
    assert_int_equal(dca1000_command(out, DCA1000_CONFIG_FPGA, data, sizeof data),
                     sizeof two_lanes);
    assert_memory_equal(out, two_lanes, sizeof two_lanes);
    dca1000_fpga_data(data, 4, 12);
    assert_memory_equal(data, "\x01\x01\x01\x02\x01\x1E", 6);
    dca1000_fpga_data(data, 4, 14);
    assert_memory_equal(data, "\x01\x01\x01\x02\x02\x1E", 6);

    /* 1470 bytes, 25 us: 3125 ticks of 8 ns. */
    dca1000_record_data(data, 1470, 3125);
    assert_int_equal(dca1000_command(out, DCA1000_CONFIG_RECORD, data, sizeof data), sizeof record);
    assert_memory_equal(out, record, sizeof record);
}

static void a_command_has_at_most_504_bytes_of_data(void **state) {
    (void)state;
    uint8_t out[DCA1000_COMMAND_BYTES];
    uint8_t data[DCA1000_COMMAND_DATA + 1] = {0};
    assert_int_equal(dca1000_command(out, DCA1000_CONFIG_EEPROM, data, 504), 512);
    assert_int_equal(dca1000_command(out, DCA1000_CONFIG_EEPROM, data, 505), 0);
}

static void replies_are_read(void **state) {
    (void)state;
    const uint8_t version[] = {0x5A, 0xA5, 0x0E, 0x00, 0x02, 0x04, 0xAA, 0xEE};
    struct dca1000_reply reply;
    assert_true(dca1000_read_reply(version, sizeof version, &reply));
    assert_int_equal(reply.code, DCA1000_VERSION);
    assert_int_equal(reply.status, 0x0402);
    for (size_t n = 0; n < sizeof version; n++) {
        assert_false(dca1000_read_reply(version, n, &reply));
    }
    for (size_t i = 0; i < sizeof version; i++) {
        uint8_t wrong[sizeof version];
        memcpy(wrong, version, sizeof version);
        wrong[i] ^= 0x10;
        const bool framing = i < 2 || i >= 6;
        assert_int_equal(dca1000_read_reply(wrong, sizeof wrong, &reply), !framing);
    }
}

static void headers_go_round(void **state) {
    (void)state;
    /* The second packet of the real capture. */
    const uint8_t second[] = {0x02, 0, 0, 0, 0xB0, 0x05, 0, 0, 0, 0, 0x58};
    struct dca1000_data data;
    assert_true(dca1000_read_data(second, sizeof second, &data));
    assert_int_equal(data.sequence, 2);
    assert_int_equal(data.byte_count, 1456);
    assert_int_equal(data.bytes, 1);
    assert_int_equal(data.payload[0], 0x58);

    static const uint64_t counts[] = {0,           1456,           0xFFFFFFFF,
                                      0x100000000, 0x123456789ABC, 0xFFFFFFFFFFFF};
    uint8_t packet[DCA1000_HEADER_BYTES + DCA1000_PAYLOAD_LIMIT + 1] = {0};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        dca1000_write_header(packet, 0x89ABCDEF, counts[i]);
        assert_true(dca1000_read_data(packet, sizeof packet - 1, &data));
        assert_int_equal(data.sequence, 0x89ABCDEF);
        assert_int_equal(data.byte_count, counts[i]);
        assert_int_equal(data.bytes, DCA1000_PAYLOAD_LIMIT);
    }
    assert_false(dca1000_read_data(packet, DCA1000_HEADER_BYTES, &data));
    assert_false(dca1000_read_data(packet, 0, &data));
    assert_false(dca1000_read_data(packet, sizeof packet, &data));
}

static void payload_of_the_two_known_sizes(void **state) {
    (void)state;
    assert_int_equal(dca1000_payload(1470), 1456); /* TI's command line */
    assert_int_equal(dca1000_payload(1472), 1456); /* mmWave Studio */
}

/* TI states 706, 545, 325 and 193 Mb/s for 5, 10, 25 and 50 us, "Ethernet throughput": with 1508
 * bytes of Ethernet for 1456 of samples the model is within 1 % of all four. */
static void rates_are_those_that_ti_states(void **state) {
    (void)state;
    static const double delay_s[] = {5e-6, 10e-6, 25e-6, 50e-6};
    static const double stated_mbps[] = {706, 545, 325, 193};
    for (size_t i = 0; i < 4; i++) {
        const struct nfsar_dca1000_options options = {.packet_delay_s = delay_s[i]};
        const double samples_mbps = nfsar_dca1000_rate_limit(&options) * 8e-6;
        const double ethernet_mbps = samples_mbps * 1508 / 1456;
        assert_near(ethernet_mbps, stated_mbps[i], 0.01 * stated_mbps[i]);
    }
    const struct nfsar_dca1000_options defaults = {0};
    assert_near(nfsar_dca1000_rate_limit(&defaults), 1456 / (25e-6 + 12.256e-6), 1);
    const struct nfsar_dca1000_options wrong = {.packet_delay_s = 1};
    assert_true(nfsar_dca1000_rate_limit(&wrong) == 0);
}

static void notices_in_words(void **state) {
    (void)state;
    char text[400];
    assert_string_equal(nfsar_dca1000_notice_text(0, text, sizeof text), "");
    assert_string_equal(nfsar_dca1000_notice_text(NFSAR_DCA1000_NO_LVDS | NFSAR_DCA1000_DDR_FULL,
                                                  text, sizeof text),
                        "no LVDS data; DDR full");
    assert_string_equal(nfsar_dca1000_notice_text(1 << 12, text, sizeof text), "unknown (bit 12)");
    for (size_t size = 0; size < sizeof text; size++) {
        memset(text, 'x', sizeof text);
        nfsar_dca1000_notice_text(UINT32_MAX, text, size);
        assert_int_equal(text[size], 'x');
        assert_true(size == 0 || strlen(text) < size);
    }
}

static void wrong(const struct nfsar_dca1000_options *options, const char *part) {
    nfsar_dca1000 *card;
    nfsar_error error;
    assert_int_equal(nfsar_dca1000_open(options, &card, &error), NFSAR_ERROR_ARGUMENT);
    assert_null(card);
    assert_contains(error.message, part);
}

static void options_are_checked(void **state) {
    (void)state;
    wrong(&(struct nfsar_dca1000_options){.lanes = 3}, "lanes 3, but 2 or 4");
    wrong(&(struct nfsar_dca1000_options){.bits = 8}, "bits 8, but 12, 14 or 16");
    wrong(&(struct nfsar_dca1000_options){.packet_bytes = 9000}, "packets of 9000 bytes");
    wrong(&(struct nfsar_dca1000_options){.packet_delay_s = 1e-6}, "delay 1 us, but 5 to 500 us");
    wrong(&(struct nfsar_dca1000_options){.packet_delay_s = 0.0 / 0.0}, "5 to 500 us");
    wrong(&(struct nfsar_dca1000_options){.packet_delay_s = -5e-6}, "5 to 500 us");
    wrong(&(struct nfsar_dca1000_options){.card_address = "card"}, "card: the address of the");
    wrong(&(struct nfsar_dca1000_options){.host_address = ""}, "such as 192.168.33.30");

    struct dca1000_settings settings;
    nfsar_error error;
    const struct nfsar_dca1000_options options = {.packet_delay_s = 5e-6};
    assert_ok(dca1000_settings(&options, &settings, &error), error);
    assert_int_equal(settings.delay_ticks, 625);
    assert_int_equal(settings.config_port, 4096);
    assert_int_equal(settings.data_port, 4098);
    assert_string_equal(settings.card_address, "192.168.33.180");
    assert_string_equal(settings.host_address, "192.168.33.30");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_those_of_ti),
        cmocka_unit_test(a_command_has_at_most_504_bytes_of_data),
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(headers_go_round),
        cmocka_unit_test(payload_of_the_two_known_sizes),
        cmocka_unit_test(rates_are_those_that_ti_states),
        cmocka_unit_test(notices_in_words),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
