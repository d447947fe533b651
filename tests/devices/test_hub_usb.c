/* The hub's link over USB: libusb and the library on one side, the firmware's own USB stack and
 * application on the other. */
#ifdef HAVE_UMOCKDEV
#include "tests/devices/usb_mock.h"

#include <errno.h>
#include <nfsar/hub.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/firmware/fake_board.h"
#include "tests/support.h"

#define SERIAL "66616B6520626F6172642031"

static const struct nfsar_hub_options patient = {.timeout_ms = 3000, .tries = 3};

static nfsar_hub *open_hub(const char *port) {
    nfsar_hub *hub = NULL;
    nfsar_error error;
    assert_ok(nfsar_hub_open(port, &patient, &hub, &error), error);
    return hub;
}

static void assert_echoes(nfsar_hub *hub) {
    uint8_t bytes[200];
    struct nfsar_hub_reply reply;
    nfsar_error error;
    for (unsigned from = 0; from < 256; from += 56) {
        for (unsigned i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(from + i);
        }
        assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_ECHO, 0, bytes, sizeof bytes, &reply, &error),
                  error);
        assert_int_equal(reply.bytes, sizeof bytes);
        assert_memory_equal(reply.payload, bytes, sizeof bytes);
    }
}

static void a_hub_is_found_and_greeted(void **state) {
    (void)state;
    static const char *const ports[] = {"usb", "", NULL, "usb:" SERIAL};
    mock_begin();
    mock_plug(NULL);
    for (unsigned i = 0; i < 4; i++) {
        nfsar_hub *hub = open_hub(ports[i]);
        assert_memory_equal(nfsar_hub_hello(hub)->serial, "fake board 1", 12);
        assert_echoes(hub);
        struct nfsar_hub_counters counters;
        nfsar_hub_counters(hub, &counters);
        assert_int_equal(counters.lost, 0);
        assert_int_equal(counters.bad, 0);
        assert_int_equal(counters.repeated, 0);
        assert_int_equal(counters.reconnects, 0);
        assert_int_equal(counters.faults, 0);
        nfsar_hub_close(hub);
    }
    mock_end();
}

static const char *fails(const char *port, enum nfsar_status status) {
    static nfsar_error error;
    nfsar_hub *hub = NULL;
    if (nfsar_hub_open(port, &patient, &hub, &error) != status) {
        fail_msg("%s", error.message);
    }
    assert_null(hub);
    return error.message;
}

static void nothing_is_plugged_in(void **state) {
    (void)state;
    mock_begin();
    assert_contains(fails("usb", NFSAR_ERROR_FILE), "usb: no hub (1209:0001)");
    assert_contains(fails("usb", NFSAR_ERROR_FILE), "nothing at all");
    mock_plug(&(struct mock_plug){.serial = "1", .vendor = 0x0403});
    const char *message = fails("usb:" SERIAL, NFSAR_ERROR_FILE);
    assert_contains(message, "usb:" SERIAL ": no hub (1209:0001) is plugged in");
    assert_contains(message, "0403:0001");
    /* The same number, but it is for everybody's tests. */
    mock_plug(&(struct mock_plug){.serial = "2", .product = "a\ttoaster"});
    assert_contains(fails("usb", NFSAR_ERROR_FILE), "says that it is 'a?toaster'");
    mock_end();
}

static void one_of_several_must_be_named(void **state) {
    (void)state;
    mock_begin();
    mock_plug(NULL);
    mock_plug(&(struct mock_plug){.serial = "OTHER"});
    const char *message = fails("usb", NFSAR_ERROR_FILE);
    assert_contains(message, "2 hubs are plugged in");
    assert_contains(message, "usb:" SERIAL);
    assert_contains(message, "usb:OTHER");
    assert_contains(fails("usb:NONE", NFSAR_ERROR_FILE), "no hub of this serial number");
    nfsar_hub *hub = open_hub("usb:" SERIAL);
    assert_echoes(hub);
    nfsar_hub_close(hub);
    mock_end();
}

static void another_version(void **state) {
    (void)state;
    mock_begin();
    mock_plug(&(struct mock_plug){.version = 0x1203});
    const char *message = fails("usb", NFSAR_ERROR_VERSION);
    assert_contains(message, "speaks version 12 of the protocol, this nfsar version 1");
    assert_contains(message, "update the nfsar on this computer");
    mock_end();
}

static void no_permission(void **state) {
    (void)state;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    mock_deny(device);
    const char *message = fails("usb", NFSAR_ERROR_FILE);
    assert_contains(message, "no permission to use /dev/bus/usb/001/");
    assert_contains(message, "70-nfsar-hub.rules");
    mock_deny(NULL);
    nfsar_hub_close(open_hub("usb"));
    mock_end();
}

static void not_a_hubs_descriptors(void **state) {
    (void)state;
    uint8_t bytes[64];
    mock_begin();
    mock_plug(NULL);
    const size_t n = mock_descriptors(bytes);
    assert_int_equal(n, 18 + 32);
    mock_end();
    mock_begin();
    bytes[18 + 9 + 5] = 3; /* a keyboard */
    mock_plug(&(struct mock_plug){.descriptors = bytes, .n_descriptors = n});
    assert_contains(fails("usb", NFSAR_ERROR_DEVICE), "has no interface of the hub");
    mock_end();
    mock_begin();
    bytes[18 + 9 + 5] = 0xff;
    bytes[18 + 9 + 9 + 3] = 3; /* an interrupt endpoint */
    mock_plug(&(struct mock_plug){.descriptors = bytes, .n_descriptors = n});
    assert_contains(fails("usb", NFSAR_ERROR_DEVICE), "has no interface of the hub");
    mock_end();
}

/* Whatever a device says it is, opening it ends. */
static void hostile_descriptors(void **state) {
    (void)state;
    uint8_t good[64], bytes[64];
    uint32_t seed = 4711;
    mock_begin();
    mock_plug(NULL);
    const size_t n = mock_descriptors(good);
    mock_end();
    const struct nfsar_hub_options hasty = {.timeout_ms = 20, .tries = 2};
    unsigned opened = 0;
    for (unsigned i = 0; i < 60; i++) {
        memcpy(bytes, good, sizeof bytes);
        for (unsigned k = 0; k < 1 + i % 4; k++) {
            seed = seed * 1664525u + 1013904223u;
            const size_t at = (i % 3 == 0 ? 0 : 18) + (seed >> 8) % (n - 18);
            /* Its ids stay: else nobody would look further. */
            bytes[at] = at >= 8 && at < 12 ? bytes[at] : (uint8_t)(seed >> 24);
        }
        const size_t length = i % 5 == 0 ? 18 + (seed >> 16) % (n - 18) : n;
        mock_begin();
        struct mock_device *device =
            mock_plug(&(struct mock_plug){.descriptors = bytes, .n_descriptors = length});
        nfsar_hub *hub = NULL;
        nfsar_error error;
        if (nfsar_hub_open("usb", &hasty, &hub, &error) == NFSAR_OK) {
            opened++;
        }
        mock_unplug(device);
        nfsar_hub_close(hub);
        mock_end();
    }
    assert_in_range(opened, 1, 59);
}

/* ---- transfers that fail ---- */

static struct nfsar_hub_counters counters_of(nfsar_hub *hub) {
    struct nfsar_hub_counters counters;
    nfsar_hub_counters(hub, &counters);
    return counters;
}

static void failed_transfers_are_made_good(void **state) {
    (void)state;
    static const struct mock_faults faults[] = {
        {.in_status = -EPIPE, .in_times = 1},     /* a stall out of nowhere */
        {.halt_in = true},                        /* the endpoint is halted indeed */
        {.in_status = -EPROTO, .in_times = 20},   /* noise on the cable */
        {.in_status = -EOVERFLOW, .in_times = 3}, /* babble */
        {.in_status = -EILSEQ, .in_times = 3},
        {.out_status = -EPIPE, .out_times = 2},
        {.out_status = -EPROTO, .out_times = 3},
    };
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hub("usb");
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        const uint64_t before = counters_of(hub).faults;
        mock_lock();
        *mock_faults(device) = faults[i];
        mock_unlock();
        assert_echoes(hub);
        const struct nfsar_hub_counters now = counters_of(hub);
        assert_true(now.faults > before);
        assert_int_equal(now.lost, 0);
        assert_int_equal(now.bad, 0);
        assert_int_equal(now.reconnects, 0);
    }
    mock_lock();
    assert_int_equal(mock_hub()->links.usb.usbd.halted_in, 0);
    assert_int_equal(mock_hub()->outbox.dropped, 0);
    mock_unlock();
    nfsar_hub_close(hub);
    mock_end();
}

static void short_packets(void **state) {
    (void)state;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    mock_lock();
    mock_faults(device)->shredded = true;
    mock_unlock();
    nfsar_hub *hub = open_hub("usb");
    assert_echoes(hub);
    assert_int_equal(counters_of(hub).lost, 0);
    assert_int_equal(counters_of(hub).bad, 0);
    nfsar_hub_close(hub);
    mock_end();
}

static void a_deaf_hub_is_given_up(void **state) {
    (void)state;
    const struct nfsar_hub_options hasty = {.timeout_ms = 100, .tries = 2};
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = NULL;
    nfsar_error error;
    assert_ok(nfsar_hub_open("usb", &patient, &hub, &error), error);
    nfsar_hub_close(hub);
    mock_lock();
    mock_faults(device)->deaf = true;
    mock_unlock();
    assert_int_equal(nfsar_hub_open("usb", &hasty, &hub, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "usb: the hub takes no bytes (no answer in time)");
    mock_lock();
    *mock_faults(device) = (struct mock_faults){.out_status = -EPIPE, .out_times = 1000000};
    mock_unlock();
    assert_int_equal(nfsar_hub_open("usb", &hasty, &hub, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "takes no bytes (it refuses them)");
    mock_lock();
    *mock_faults(device) = (struct mock_faults){0};
    mock_unlock();
    hub = open_hub("usb");
    assert_echoes(hub);
    nfsar_hub_close(hub);
    mock_end();
}

/* Transfers that end with nothing, for ever: neither a hang nor a loop without a pause. */
static void empty_transfers(void **state) {
    (void)state;
    nfsar_error error;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hub("usb");
    mock_lock();
    mock_faults(device)->empty = true;
    mock_unlock();
    assert_ok(nfsar_hub_listen(hub, 200, &error), error);
    mock_lock();
    mock_faults(device)->empty = false;
    mock_unlock();
    assert_echoes(hub);
    nfsar_hub_close(hub);
    mock_end();
}

/* All transfers fail and go on failing: the device is opened again, and then given up. */
static void a_broken_device_is_given_up(void **state) {
    (void)state;
    nfsar_error error;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hub("usb");
    mock_lock();
    *mock_faults(device) = (struct mock_faults){.in_status = -EPROTO, .in_times = 1000000};
    mock_unlock();
    enum nfsar_status status = NFSAR_OK;
    for (unsigned i = 0; i < 300 && status == NFSAR_OK; i++) {
        status = nfsar_hub_listen(hub, 100, &error);
    }
    assert_int_equal(status, NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "its transfers fail");
    nfsar_hub_close(hub);
    mock_end();
}

static void a_million_random_bytes(void **state) {
    (void)state;
    nfsar_error error;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hub("usb");
    mock_lock();
    mock_faults(device)->noise = 1000000;
    mock_unlock();
    for (unsigned i = 0; i < 600 && counters_of(hub).bytes < 1000000; i++) {
        assert_ok(nfsar_hub_listen(hub, 100, &error), error);
    }
    assert_in_range(counters_of(hub).bad, 3000, 5000); /* a zero each 256 bytes */
    assert_echoes(hub);
    nfsar_hub_close(hub);
    mock_end();
}

/* A reader that is busy with something else: the ring fills, the hub has to wait, nothing is lost.
 */
static void a_slow_reader(void **state) {
    (void)state;
    enum { BYTES = 320000, RING = 1 << 18, IN_FLIGHT = 16 * 512 };
    nfsar_error error;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hub("usb");
    const uint64_t before = counters_of(hub).bytes;
    mock_lock();
    mock_faults(device)->noise = BYTES;
    mock_unlock();
    size_t made = 0;
    for (unsigned i = 0; i < 30000 && made < RING - IN_FLIGHT - 4096; i++) {
        usleep(1000);
        mock_lock();
        made = mock_faults(device)->noise_made;
        mock_unlock();
    }
    assert_in_range(made, RING - IN_FLIGHT - 4096, RING);
    for (unsigned i = 0; i < 600 && counters_of(hub).bytes < before + BYTES; i++) {
        assert_ok(nfsar_hub_listen(hub, 100, &error), error);
    }
    assert_true(counters_of(hub).bytes >= before + BYTES);
    assert_echoes(hub);
    nfsar_hub_close(hub);
    mock_end();
}

/* ---- the cable ---- */

/* The numbers of the records that came, in the order in which they came. */
struct heard {
    uint32_t next;
    uint64_t records, gaps, back;
    bool begun;
};

static bool on_record(void *context, const struct nfsar_wire_message *record) {
    struct heard *heard = context;
    const uint32_t number = record->header.sequence;
    heard->back += heard->begun && number < heard->next;
    heard->begun = true;
    heard->next = number + 1;
    heard->records++;
    return true;
}

static nfsar_hub *open_hearing(struct heard *heard, unsigned reconnect_ms) {
    const struct nfsar_hub_options options = {.timeout_ms = 3000,
                                              .tries = 3,
                                              .record = on_record,
                                              .context = heard,
                                              .reconnect_ms = reconnect_ms};
    nfsar_hub *hub = NULL;
    nfsar_error error;
    *heard = (struct heard){0};
    assert_ok(nfsar_hub_open("usb", &options, &hub, &error), error);
    return hub;
}

/* n records of sensors, as fast as they go. */
static void flood(nfsar_hub *hub, uint32_t n) {
    const struct nfsar_wire_do_inject inject = {
        .magic = NFSAR_WIRE_MAGIC, .fault = NFSAR_WIRE_FAULT_FLOOD, .value = n};
    uint8_t payload[NFSAR_WIRE_DO_INJECT_BYTES];
    nfsar_error error;
    nfsar_wire_pack_do_inject(payload, &inject);
    assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_INJECT, 0, payload, sizeof payload, NULL, &error),
              error);
}

static void listen_until(nfsar_hub *hub, const struct heard *heard, uint64_t records) {
    nfsar_error error;
    for (unsigned i = 0; i < 300 && heard->records < records; i++) {
        assert_ok(nfsar_hub_listen(hub, 50, &error), error);
    }
    assert_true(heard->records >= records);
}

/* Every record is accounted for: those that came and those that the hub dropped are all it made. */
static void assert_accounted(nfsar_hub *hub, uint32_t made_before, uint32_t dropped_before,
                             const struct nfsar_hub_counters *before) {
    nfsar_error error;
    const uint8_t none = 0;
    /* The status is the last record but the reply, so it knows of all drops before. */
    assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_STATUS, 0, &none, 0, NULL, &error), error);
    const struct nfsar_hub_counters now = counters_of(hub);
    mock_lock();
    const uint32_t made = mock_hub()->outbox.made, dropped = mock_hub()->outbox.dropped;
    mock_unlock();
    assert_int_equal(now.lost - before->lost, dropped - dropped_before);
    assert_in_range(now.records - before->records + dropped - dropped_before,
                    made - made_before - 5, made - made_before);
}

/* Plugged out and in, again and again, with records in full flow. */
static void a_cable_that_is_pulled(void **state) {
    (void)state;
    struct heard heard;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hearing(&heard, 20000);
    assert_echoes(hub);
    mock_lock();
    const uint32_t made = mock_hub()->outbox.made, dropped = mock_hub()->outbox.dropped;
    const uint32_t unsent = (uint32_t)mock_hub()->outbox.used;
    mock_unlock();
    const struct nfsar_hub_counters before = counters_of(hub);
    assert_int_equal(unsent, 0);
    for (unsigned i = 0; i < 6; i++) {
        flood(hub, 1500);
        listen_until(hub, &heard, heard.records + 20 * i);
        mock_unplug(device);
        if (i % 2 == 1) { /* the hub goes on meanwhile, and drops what it cannot hold */
            nfsar_error error;
            mock_lock();
            for (unsigned k = 0; k < 200; k++) {
                fake_board_ticks(400);
                hub_poll(mock_hub());
            }
            mock_unlock();
            assert_ok(nfsar_hub_listen(hub, 30, &error), error);
        }
        device = mock_plug(NULL);
        assert_echoes(hub);
        assert_int_equal(counters_of(hub).reconnects, i + 1);
    }
    assert_false(nfsar_hub_restarted(hub));
    assert_accounted(hub, made, dropped, &before);
    assert_int_equal(heard.back, 0);
    assert_true(counters_of(hub).lost > 100);
    assert_true(counters_of(hub).bad <= 6);
    nfsar_hub_close(hub);
    mock_end();
}

/* Faults and pulled cables in any order, records flowing: all are accounted for. */
static void whatever_happens(void **state) {
    (void)state;
    enum { STEPS = 25 };
    static const int statuses[] = {-EPIPE, -EPROTO, -EILSEQ, -EOVERFLOW};
    struct heard heard;
    nfsar_error error;
    uint32_t seed = 99;
    unsigned pulls = 0;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hearing(&heard, 20000);
    assert_echoes(hub);
    mock_lock();
    const uint32_t made = mock_hub()->outbox.made, dropped = mock_hub()->outbox.dropped;
    mock_unlock();
    const struct nfsar_hub_counters before = counters_of(hub);
    for (unsigned i = 0; i < STEPS; i++) {
        seed = seed * 1664525u + 1013904223u;
        flood(hub, 1 + (seed >> 8) % 800);
        mock_lock();
        struct mock_faults *faults = mock_faults(device);
        *faults = (struct mock_faults){.in_status = statuses[(seed >> 16) % 4],
                                       .in_times = (seed >> 18) % 4,
                                       .out_status = statuses[(seed >> 20) % 3],
                                       .out_times = (seed >> 22) % 3,
                                       .halt_in = (seed >> 24) % 3 == 0,
                                       .shredded = (seed >> 26) % 2 == 0};
        mock_unlock();
        if (seed >> 31 != 0) {
            mock_unplug(device);
            device = mock_plug(NULL);
            pulls++;
        }
        assert_ok(nfsar_hub_listen(hub, (seed >> 12) % 16, &error), error);
        if (i % 4 == 3) {
            assert_echoes(hub);
        }
    }
    assert_echoes(hub);
    assert_false(nfsar_hub_restarted(hub));
    assert_accounted(hub, made, dropped, &before);
    assert_int_equal(heard.back, 0);
    assert_in_range(counters_of(hub).reconnects, 1, pulls);
    assert_true(counters_of(hub).faults > 0);
    nfsar_hub_close(hub);
    mock_end();
}

/* What is plugged in meanwhile is not it. */
static void another_hub_is_not_taken_for_it(void **state) {
    (void)state;
    struct heard heard;
    nfsar_error error;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hearing(&heard, 20000);
    mock_unplug(device);
    mock_plug(&(struct mock_plug){.serial = "OTHER"});
    assert_ok(nfsar_hub_listen(hub, 500, &error), error);
    assert_int_equal(counters_of(hub).reconnects, 0);
    mock_plug(NULL);
    assert_echoes(hub);
    assert_int_equal(counters_of(hub).reconnects, 1);
    assert_false(nfsar_hub_restarted(hub));
    nfsar_hub_close(hub);
    mock_end();
}

static void a_hub_that_stays_away_is_given_up(void **state) {
    (void)state;
    struct heard heard;
    nfsar_error error;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hearing(&heard, 400);
    mock_unplug(device);
    assert_int_equal(
        nfsar_hub_do(hub, NFSAR_WIRE_DO_ECHO, 0, (const uint8_t *)"a", 1, NULL, &error),
        NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "usb:" SERIAL ": the hub is gone: looked for it for 400 ms");
    assert_int_equal(nfsar_hub_listen(hub, 100, &error), NFSAR_ERROR_DEVICE);
    /* Once given up it stays so. */
    mock_plug(NULL);
    assert_int_equal(nfsar_hub_listen(hub, 300, &error), NFSAR_ERROR_DEVICE);
    nfsar_hub_close(hub);
    /* Closing does not wait for a hub that is looked for. */
    hub = open_hearing(&heard, 60000);
    mock_end();
    nfsar_hub_close(hub);
}

/* The cable was its power too. */
static void a_hub_that_restarted_meanwhile(void **state) {
    (void)state;
    struct heard heard;
    nfsar_error error;
    mock_begin();
    struct mock_device *device = mock_plug(NULL);
    nfsar_hub *hub = open_hearing(&heard, 20000);
    mock_unplug(device);
    mock_lock();
    mock_hub_restart();
    mock_unlock();
    mock_plug(NULL);
    for (unsigned i = 0; i < 300 && !nfsar_hub_restarted(hub); i++) {
        assert_ok(nfsar_hub_listen(hub, 50, &error), error);
    }
    assert_true(nfsar_hub_restarted(hub));
    assert_int_equal(
        nfsar_hub_do(hub, NFSAR_WIRE_DO_ECHO, 0, (const uint8_t *)"a", 1, NULL, &error),
        NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "the hub restarted (software");
    assert_int_equal(nfsar_hub_hello(hub)->starts, 2);
    assert_ok(nfsar_hub_greet(hub, &error), error);
    assert_echoes(hub);
    nfsar_hub_close(hub);
    mock_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hub_is_found_and_greeted),
        cmocka_unit_test(nothing_is_plugged_in),
        cmocka_unit_test(one_of_several_must_be_named),
        cmocka_unit_test(another_version),
        cmocka_unit_test(no_permission),
        cmocka_unit_test(not_a_hubs_descriptors),
        cmocka_unit_test(hostile_descriptors),
        cmocka_unit_test(failed_transfers_are_made_good),
        cmocka_unit_test(short_packets),
        cmocka_unit_test(a_deaf_hub_is_given_up),
        cmocka_unit_test(empty_transfers),
        cmocka_unit_test(a_broken_device_is_given_up),
        cmocka_unit_test(a_million_random_bytes),
        cmocka_unit_test(a_slow_reader),
        cmocka_unit_test(a_cable_that_is_pulled),
        cmocka_unit_test(whatever_happens),
        cmocka_unit_test(another_hub_is_not_taken_for_it),
        cmocka_unit_test(a_hub_that_stays_away_is_given_up),
        cmocka_unit_test(a_hub_that_restarted_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
#include <stdio.h>

int main(void) {
    printf("SKIPPED: umockdev is missing: apt-get install libumockdev-dev\n");
    return 77;
}
#endif
