/* The core of the USB device on a simulated controller. Expected bytes are written from the
 * specifications, not taken from the tables under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/usb/usbd.h"
#include "tests/firmware/dcd_sim.h"

/* A function that writes down what it is told. */
struct recorder {
    unsigned configured, unconfigured, in_done, in_restart, out_packet;
    uint8_t last[64];
    size_t n_last;
    size_t n_answer; /* what control answers toward the host */
    bool refuse;
    uint8_t control_data[64];
    size_t n_control_data;
};

struct bench {
    struct dcd_sim sim;
    struct usbd usbd;
    struct recorder recorder;
    struct usb_host host;
};

static uint8_t pattern[512];

static void on_configured(void *user) {
    ((struct recorder *)user)->configured++;
}

static void on_unconfigured(void *user) {
    ((struct recorder *)user)->unconfigured++;
}

static void on_out_packet(void *user, const uint8_t *packet, size_t n) {
    struct recorder *recorder = user;
    recorder->out_packet++;
    memcpy(recorder->last, packet, n);
    recorder->n_last = n;
}

static void on_in_done(void *user) {
    ((struct recorder *)user)->in_done++;
}

static void on_in_restart(void *user) {
    ((struct recorder *)user)->in_restart++;
}

static bool on_control(void *user, const struct usbd_setup *setup, const uint8_t **data,
                       size_t *n) {
    struct recorder *recorder = user;
    if (recorder->refuse) {
        return false;
    }
    if (setup->type & USBD_TO_HOST) {
        *data = pattern;
        *n = recorder->n_answer;
    } else if (*n > 0) {
        memcpy(recorder->control_data, *data, *n);
        recorder->n_control_data = *n;
    }
    return true;
}

static const struct usbd_function function = {on_configured, on_unconfigured, on_out_packet,
                                              on_in_done,    on_in_restart,   on_control};

static void run(void *device) {
    usbd_poll(device);
}

static void start(struct bench *bench, bool address_at_once) {
    const struct usb_identity identity = {usb_version(3, 14), "0123ABCD"};
    memset(bench, 0, sizeof *bench);
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(i * 7 + 1);
    }
    dcd_sim_init(&bench->sim, address_at_once);
    assert_true(usbd_init(&bench->usbd, &bench->sim.dcd, &identity, &function, &bench->recorder));
    usbd_connect(&bench->usbd);
    bench->host =
        (struct usb_host){.port = dcd_sim_port(&bench->sim), .run = run, .device = &bench->usbd};
}

static void start_configured(struct bench *bench) {
    start(bench, false);
    assert_true(usb_host_enumerate(&bench->host, 5));
}

static void finish(const struct bench *bench) {
    assert_int_equal(bench->sim.misuse, 0);
    assert_int_equal(bench->host.toggle_errors, 0);
}

static int get(struct bench *bench, uint16_t value, uint16_t length, uint8_t *to) {
    return usb_host_control(&bench->host, 0x80, 6, value, 0, length, to);
}

/* ---- enumeration ---- */

static void test_device_descriptor(void **state) {
    (void)state;
    static const uint8_t expected[18] = {18,   1,    0x10, 0x02, 0,    0, 0, 64, 0x09,
                                         0x12, 0x01, 0x00, 0x14, 0x03, 1, 2, 3,  1};
    struct bench bench;
    uint8_t got[255];
    start(&bench, false);
    usb_host_reset(&bench.host);
    /* Windows asks for 64 bytes at address 0, Linux for 8 or 64, both later for 18. */
    static const struct {
        uint16_t asked;
        int answered;
    } cases[] = {{8, 8}, {18, 18}, {64, 18}, {255, 18}, {1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(got, 0xee, sizeof got);
        assert_int_equal(get(&bench, 0x0100, cases[i].asked, got), cases[i].answered);
        assert_memory_equal(got, expected, (size_t)cases[i].answered);
    }
    finish(&bench);
}

static void test_configuration_descriptor(void **state) {
    (void)state;
    static const uint8_t expected[32] = {9,  2, 32, 0,    1,    1,    0, 0x80, 100, 9,    4,
                                         0,  0, 2,  0xff, 0xff, 0xff, 0, 7,    5,   0x81, 2,
                                         64, 0, 0,  7,    5,    0x01, 2, 64,   0,   0};
    struct bench bench;
    uint8_t got[255];
    start_configured(&bench);
    assert_int_equal(get(&bench, 0x0200, 9, got), 9);
    assert_int_equal(get(&bench, 0x0200, 255, got), 32);
    assert_memory_equal(got, expected, sizeof expected);
    finish(&bench);
}

static void check_string(struct bench *bench, uint8_t index, const char *text) {
    uint8_t got[255];
    size_t n = strlen(text);
    assert_int_equal(get(bench, 0x0300 | index, 255, got), 2 + 2 * n);
    assert_int_equal(got[0], 2 + 2 * n);
    assert_int_equal(got[1], 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[2 + 2 * i], text[i]);
        assert_int_equal(got[3 + 2 * i], 0);
    }
}

static void test_strings(void **state) {
    (void)state;
    static const uint8_t english[4] = {4, 3, 0x09, 0x04};
    struct bench bench;
    uint8_t got[255];
    start(&bench, false);
    usb_host_reset(&bench.host);
    assert_int_equal(get(&bench, 0x0300, 255, got), 4);
    assert_memory_equal(got, english, 4);
    check_string(&bench, 1, "nfsar");
    check_string(&bench, 2, "nfsar hub");
    check_string(&bench, 3, "0123ABCD");
    assert_int_equal(get(&bench, 0x0304, 255, got), USB_STALL);
    /* 31 characters make a descriptor of exactly one packet: the empty packet must end it. */
    bench.usbd.identity.serial = "0123456789012345678901234567890";
    check_string(&bench, 3, "0123456789012345678901234567890");
    bench.usbd.identity.serial = "01234567890123456789012345678901";
    check_string(&bench, 3, "0123456789012345678901234567890");
    finish(&bench);
}

static void test_serial_and_version(void **state) {
    (void)state;
    const uint32_t id[3] = {0x01234567, 0x89abcdef, 0xfedc0000};
    char serial[USB_SERIAL_SIZE];
    usb_serial(id, serial);
    assert_string_equal(serial, "FEDC000089ABCDEF01234567");
    assert_int_equal(usb_version(1, 0), 0x0100);
    assert_int_equal(usb_version(12, 34), 0x1234);
    assert_int_equal(usb_version(99, 99), 0x9999);
}

/* Binary object store -> vendor code -> Microsoft OS 2.0 set, as Windows walks them. */
static void test_microsoft_descriptors(void **state) {
    (void)state;
    static const uint8_t platform[20] = {28,   16,   5,    0,    0xdf, 0x60, 0xdd,
                                         0xd8, 0x89, 0x45, 0xc7, 0x4c, 0x9c, 0xd2,
                                         0x65, 0x9d, 0x9e, 0x64, 0x8a, 0x9f};
    struct bench bench;
    uint8_t store[255], set[255];
    start_configured(&bench);
    assert_int_equal(get(&bench, 0x0f00, 5, store), 5);
    assert_int_equal(store[2], 33);
    assert_int_equal(get(&bench, 0x0f00, 33, store), 33);
    assert_memory_equal(store + 5, platform, sizeof platform);
    uint16_t length = (uint16_t)(store[29] | store[30] << 8);
    assert_int_equal(length, 162);
    assert_int_equal(usb_host_control(&bench.host, 0xc0, store[31], 0, 7, length, set), length);
    assert_int_equal(set[0] | set[1] << 8, 10);
    assert_int_equal(set[8] | set[9] << 8, length);
    assert_memory_equal(set + 10, "\x14\0\x03\0WINUSB\0\0\0\0\0\0\0\0\0\0", 20);
    const uint8_t *property = set + 30;
    assert_int_equal(property[0] | property[1] << 8, length - 30);
    assert_int_equal(property[2], 4); /* registry property */
    assert_int_equal(property[4], 7); /* REG_MULTI_SZ */
    static const char name[] = "DeviceInterfaceGUIDs";
    assert_int_equal(property[6], 2 * sizeof name);
    for (size_t i = 0; i < sizeof name; i++) {
        assert_int_equal(property[8 + 2 * i], name[i]);
        assert_int_equal(property[9 + 2 * i], 0);
    }
    const uint8_t *data = property + 8 + 2 * sizeof name;
    assert_int_equal(data[0], 80);
    assert_int_equal(data[2], '{');
    assert_int_equal(data[2 + 2 * 37], '}');
    assert_memory_equal(data + 2 + 2 * 38, "\0\0\0\0", 4);
    assert_int_equal((data + 82) - set, length);
    /* The same request with another index, or to the interface, is not this one. */
    bench.recorder.refuse = true;
    assert_int_equal(usb_host_control(&bench.host, 0xc0, store[31], 0, 8, 10, set), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0xc1, store[31], 0, 7, 10, set), USB_STALL);
    finish(&bench);
}

static void test_address(void **state) {
    (void)state;
    for (int at_once = 0; at_once < 2; at_once++) {
        struct bench bench;
        start(&bench, at_once);
        usb_host_reset(&bench.host);
        const uint8_t setup[8] = {0, 5, 42, 0, 0, 0, 0, 0};
        assert_true(bench.host.port.setup(&bench.sim, 0, setup));
        usbd_poll(&bench.usbd);
        assert_int_equal(bench.sim.address, at_once ? 42 : 0);
        assert_int_equal(bench.usbd.state, USBD_DEFAULT);
        uint8_t nothing[64];
        unsigned toggle;
        assert_int_equal(bench.host.port.in(&bench.sim, 0, 0x80, &toggle, nothing), 0);
        assert_int_equal(toggle, 1);
        usbd_poll(&bench.usbd);
        assert_int_equal(bench.sim.address, 42);
        assert_int_equal(bench.usbd.state, USBD_ADDRESSED);
        bench.host.address = 42;
        assert_int_equal(usb_host_control(&bench.host, 0, 5, 0, 0, 0, NULL), 0);
        assert_int_equal(bench.usbd.state, USBD_DEFAULT);
        assert_int_equal(bench.sim.address, 0);
        finish(&bench);
    }
}

/* A SETUP instead of the status stage: the address was not accepted. */
static void test_address_without_status(void **state) {
    (void)state;
    struct bench bench;
    start(&bench, false);
    usb_host_reset(&bench.host);
    const uint8_t setup[8] = {0, 5, 42, 0, 0, 0, 0, 0};
    assert_true(bench.host.port.setup(&bench.sim, 0, setup));
    usbd_poll(&bench.usbd);
    uint8_t got[18];
    assert_int_equal(get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0, 0, NULL), 0);
    assert_int_equal(bench.sim.address, 0);
    assert_int_equal(bench.usbd.state, USBD_DEFAULT);
    finish(&bench);
}

static void test_configuration(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[2];
    start(&bench, false);
    usb_host_reset(&bench.host);
    /* Not before there is an address. */
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 1, 0, 0, NULL), USB_STALL);
    assert_true(usb_host_enumerate(&bench.host, 5));
    assert_int_equal(bench.recorder.configured, 1);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, got), 1);
    assert_int_equal(got[0], 1);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 2, 0, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_false(bench.sim.in[1].open || bench.sim.out[1].open);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, got), 1);
    assert_int_equal(got[0], 0);
    assert_false(usbd_write(&bench.usbd, pattern, 1));
    usbd_receive(&bench.usbd); /* nothing to open: no misuse */
    finish(&bench);
}

/* ---- data stages ---- */

static void test_short_packet_rule(void **state) {
    (void)state;
    static const struct {
        size_t available;
        uint16_t asked;
        int answered;
    } cases[] = {{0, 0, 0},       {0, 64, 0},      {1, 64, 1},      {63, 64, 63},  {64, 64, 64},
                 {64, 65, 64},    {64, 128, 64},   {65, 128, 65},   {128, 64, 64}, {128, 128, 128},
                 {128, 129, 128}, {129, 128, 128}, {192, 512, 192}, {10, 0, 0},    {500, 3, 3}};
    struct bench bench;
    uint8_t got[512];
    start_configured(&bench);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench.recorder.n_answer = cases[i].available;
        memset(got, 0, sizeof got);
        assert_int_equal(usb_host_control(&bench.host, 0xc0, 1, 0, 0, cases[i].asked, got),
                         cases[i].answered);
        assert_memory_equal(got, pattern, (size_t)cases[i].answered);
        assert_int_equal(bench.usbd.stage, USBD_IDLE);
    }
    finish(&bench);
}

static void test_data_to_device(void **state) {
    (void)state;
    struct bench bench;
    uint8_t sent[65] = {9, 8, 7};
    start_configured(&bench);
    static const uint16_t sizes[] = {1, 3, 63, 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, sizes[i], sent), sizes[i]);
        assert_int_equal(bench.recorder.n_control_data, sizes[i]);
        assert_memory_equal(bench.recorder.control_data, sent, sizes[i]);
    }
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 65, sent), USB_STALL);
    bench.recorder.refuse = true;
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 3, sent), USB_STALL);
    bench.recorder.refuse = false;
    /* A host that promises 10 bytes and sends 4. */
    const uint8_t setup[8] = {0x40, 1, 0, 0, 0, 0, 10, 0};
    assert_true(bench.host.port.setup(&bench.sim, 5, setup));
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.host.port.out(&bench.sim, 5, 0, 1, sent, 4), 0);
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.host.port.out(&bench.sim, 5, 0, 0, sent, 6), USB_STALL);
    /* and the next request works */
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 3, sent), 3);
    finish(&bench);
}

static void test_setup_ends_a_transfer(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[512];
    start_configured(&bench);
    bench.recorder.n_answer = 300;
    const uint8_t setup[8] = {0xc0, 1, 0, 0, 0, 0, 0x2c, 0x01};
    assert_true(bench.host.port.setup(&bench.sim, 5, setup));
    usbd_poll(&bench.usbd);
    unsigned toggle;
    assert_int_equal(bench.host.port.in(&bench.sim, 5, 0x80, &toggle, got), 64);
    usbd_poll(&bench.usbd); /* the second packet waits now */
    assert_int_equal(get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(got[0], 18);
    /* In the middle of a transfer toward the device. */
    const uint8_t out[8] = {0x40, 1, 0, 0, 0, 0, 10, 0};
    assert_true(bench.host.port.setup(&bench.sim, 5, out));
    usbd_poll(&bench.usbd);
    assert_int_equal(get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(bench.recorder.n_control_data, 0);
    finish(&bench);
}

static void test_host_takes_less(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[512];
    start_configured(&bench);
    bench.recorder.n_answer = 300;
    const uint8_t setup[8] = {0xc0, 1, 0, 0, 0, 0, 0x2c, 0x01};
    assert_true(bench.host.port.setup(&bench.sim, 5, setup));
    usbd_poll(&bench.usbd);
    unsigned toggle;
    assert_int_equal(bench.host.port.in(&bench.sim, 5, 0x80, &toggle, got), 64);
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.host.port.out(&bench.sim, 5, 0, 1, got, 0), 0);
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.usbd.stage, USBD_IDLE);
    assert_int_equal(get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(got[0], 18);
    finish(&bench);
}

/* ---- other standard requests ---- */

static void test_status(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[2] = {9, 9};
    start_configured(&bench);
    static const struct {
        uint8_t type;
        uint16_t index;
    } known[] = {{0x80, 0}, {0x81, 0}, {0x82, 0}, {0x82, 0x80}, {0x82, 0x81}, {0x82, 0x01}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        got[0] = got[1] = 9;
        assert_int_equal(usb_host_control(&bench.host, known[i].type, 0, 0, known[i].index, 2, got),
                         2);
        assert_int_equal(got[0] | got[1], 0);
    }
    finish(&bench);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        uint8_t type, request;
        uint16_t value, index, length;
    } bad[] = {
        {0x00, 0, 0, 0, 0},       /* GET_STATUS the wrong way */
        {0x80, 0, 1, 0, 2},       /* with a value */
        {0x80, 0, 0, 1, 2},       /* of a second device */
        {0x81, 0, 0, 1, 2},       /* of interface 1 */
        {0x82, 0, 0, 0x82, 2},    /* of endpoint 2 */
        {0x82, 0, 0, 0x0181, 2},  /* high byte */
        {0x83, 0, 0, 0, 2},       /* of something else */
        {0x00, 3, 1, 0, 0},       /* remote wakeup */
        {0x00, 1, 1, 0, 0},       /* its end */
        {0x00, 3, 2, 0x0100, 0},  /* test mode */
        {0x80, 3, 0, 0x81, 0},    /* SET_FEATURE the wrong way */
        {0x02, 3, 1, 0x81, 0},    /* unknown feature of an endpoint */
        {0x02, 3, 0, 0x83, 0},    /* halt of an unknown endpoint */
        {0x02, 3, 0, 0x81, 4},    /* halt with data */
        {0x02, 3, 0, 0x00, 0},    /* halt of endpoint 0 */
        {0x02, 3, 0, 0x80, 0},    /* */
        {0x00, 5, 128, 0, 0},     /* address too large */
        {0x00, 5, 7, 0, 0},       /* address while configured */
        {0x80, 5, 7, 0, 0},       /* */
        {0x80, 6, 0x0600, 0, 10}, /* device qualifier: full speed only */
        {0x80, 6, 0x0700, 0, 10}, /* other speed */
        {0x80, 6, 0x0201, 0, 10}, /* second configuration */
        {0x80, 6, 0x0101, 0, 18}, /* second device */
        {0x80, 6, 0x0400, 0, 9},  /* interface descriptors are not asked alone */
        {0x81, 6, 0x2200, 0, 64}, /* HID report */
        {0x00, 6, 0x0100, 0, 0},  /* GET_DESCRIPTOR the wrong way */
        {0x00, 7, 0x0100, 0, 18}, /* SET_DESCRIPTOR */
        {0x00, 8, 0, 0, 0},       /* GET_CONFIGURATION the wrong way */
        {0x80, 8, 1, 0, 1},       /* */
        {0x80, 8, 0, 1, 1},       /* */
        {0x00, 9, 1, 1, 0},       /* SET_CONFIGURATION with an index */
        {0x00, 9, 0x0101, 0, 0},  /* high byte */
        {0x00, 9, 1, 0, 5},       /* with data */
        {0x80, 9, 1, 0, 0},       /* */
        {0x81, 10, 0, 1, 1},      /* GET_INTERFACE of interface 1 */
        {0x81, 10, 1, 0, 1},      /* */
        {0x01, 10, 0, 0, 0},      /* */
        {0x01, 11, 1, 0, 0},      /* alternate setting 1 */
        {0x01, 11, 0, 1, 0},      /* interface 1 */
        {0x01, 11, 0, 0, 3},      /* with data */
        {0x81, 11, 0, 0, 0},      /* */
        {0x82, 12, 0, 0x81, 2},   /* SYNCH_FRAME */
        {0x80, 0xff, 0, 0, 0},    /* nothing */
        {0x60, 1, 0, 0, 0},       /* reserved kind */
    };
    struct bench bench;
    uint8_t data[64] = {0};
    start_configured(&bench);
    bench.recorder.refuse = true;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t before = bench.usbd.counters.stalls;
        assert_int_equal(usb_host_control(&bench.host, bad[i].type, bad[i].request, bad[i].value,
                                          bad[i].index, bad[i].length, data),
                         USB_STALL);
        assert_int_equal(bench.usbd.counters.stalls, before + 1);
        /* A refusal harms nothing that follows. */
        assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, data), 1);
        assert_int_equal(data[0], 1);
    }
    assert_int_equal(bench.recorder.configured, 1);
    finish(&bench);
}

/* What needs a configuration is refused without one. */
static void test_refused_unconfigured(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[2];
    start_configured(&bench);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 0x81, 0, 0, 0, 2, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x82, 0, 0, 0x81, 2, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x02, 3, 0, 0x81, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x02, 1, 0, 0x01, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x81, 10, 0, 0, 1, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x01, 11, 0, 0, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 0, 0, 0, 2, got), 2);
    assert_int_equal(usb_host_control(&bench.host, 0x82, 0, 0, 0, 2, got), 2);
    assert_int_equal(usb_host_control(&bench.host, 0x02, 1, 0, 0, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 0x00, 5, 128, 0, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x00, 5, 6, 1, 0, NULL), USB_STALL);
    finish(&bench);
}

/* ---- the bulk pair ---- */

static void test_bulk(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[64];
    start_configured(&bench);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 10, false), 0); /* NAK: nobody asked */
    usbd_receive(&bench.usbd);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 10, false), 10);
    assert_int_equal(bench.recorder.n_last, 10);
    assert_memory_equal(bench.recorder.last, pattern, 10);
    assert_true(usbd_write(&bench.usbd, pattern, 20));
    assert_false(usbd_write(&bench.usbd, pattern, 20));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 20);
    assert_int_equal(bench.recorder.in_done, 1);
    assert_true(usbd_write(&bench.usbd, pattern, 0));
    finish(&bench);
}

static int halt_of(struct bench *bench, uint16_t endpoint) {
    uint8_t got[2];
    assert_int_equal(usb_host_control(&bench->host, 0x82, 0, 0, endpoint, 2, got), 2);
    return got[0];
}

static void test_halt_in(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[64];
    start_configured(&bench);
    assert_true(usbd_write(&bench.usbd, pattern, 20));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 20); /* DATA0; DATA1 would be next */
    assert_true(usbd_write(&bench.usbd, pattern, 30));
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
    assert_int_equal(halt_of(&bench, 0x81), 1);
    assert_int_equal(halt_of(&bench, 0x01), 0);
    assert_false(usbd_write(&bench.usbd, pattern, 1));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    assert_int_equal(bench.recorder.in_restart, 1);
    assert_int_equal(halt_of(&bench, 0x81), 0);
    bench.host.toggle_in[1] = 0;
    assert_true(usbd_write(&bench.usbd, pattern, 30));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 30);
    /* Ending a halt that is not there resets the toggle too, and drops nothing. */
    assert_true(usbd_write(&bench.usbd, pattern, 40));
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    assert_int_equal(bench.recorder.in_restart, 1);
    bench.host.toggle_in[1] = 0;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 40);
    finish(&bench);
}

static void test_halt_out(void **state) {
    (void)state;
    struct bench bench;
    start_configured(&bench);
    usbd_receive(&bench.usbd);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 5, false), 5);
    usbd_receive(&bench.usbd);
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x01, 0, NULL), 0);
    assert_int_equal(halt_of(&bench, 0x01), 1);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 6, false), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x01, 0, NULL), 0);
    bench.host.toggle_out[1] = 0;
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 7, false), 7); /* still armed */
    assert_int_equal(bench.recorder.n_last, 7);
    finish(&bench);
}

static void test_toggles_start_over(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[64];
    /* SET_CONFIGURATION and SET_INTERFACE, with a packet of the old life still waiting. */
    for (int i = 0; i < 2; i++) {
        start_configured(&bench);
        assert_true(usbd_write(&bench.usbd, pattern, 5));
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 5);
        usbd_receive(&bench.usbd);
        assert_int_equal(usb_host_out(&bench.host, 1, pattern, 5, false), 5);
        assert_true(usbd_write(&bench.usbd, pattern, 6));
        usbd_receive(&bench.usbd);
        assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
        assert_int_equal(i == 0 ? usb_host_control(&bench.host, 0, 9, 1, 0, 0, NULL)
                                : usb_host_control(&bench.host, 1, 11, 0, 0, 0, NULL),
                         0);
        assert_int_equal(bench.recorder.configured, 2);
        assert_int_equal(bench.recorder.unconfigured, 0);
        assert_int_equal(halt_of(&bench, 0x81), 0);
        bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
        assert_true(usbd_write(&bench.usbd, pattern, 7));
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 7);
        usbd_receive(&bench.usbd);
        assert_int_equal(usb_host_out(&bench.host, 1, pattern, 8, false), 8);
        assert_int_equal(bench.recorder.n_last, 8);
        finish(&bench);
    }
    assert_int_equal(usb_host_control(&bench.host, 0x81, 10, 0, 0, 1, got), 1);
    assert_int_equal(got[0], 0);
}

/* ---- the bus ---- */

static void test_reset_and_suspend(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[18];
    start_configured(&bench);
    bench.host.port.suspend(&bench.sim);
    usbd_poll(&bench.usbd);
    assert_true(bench.usbd.suspended);
    bench.host.port.resume(&bench.sim);
    usbd_poll(&bench.usbd);
    assert_false(bench.usbd.suspended);
    assert_int_equal(bench.usbd.state, USBD_CONFIGURED);
    bench.host.port.suspend(&bench.sim);
    usbd_poll(&bench.usbd);
    usb_host_reset(&bench.host);
    assert_false(bench.usbd.suspended);
    assert_int_equal(bench.usbd.state, USBD_DEFAULT);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(get(&bench, 0x0100, 18, got), 18);
    assert_true(usb_host_enumerate(&bench.host, 9));
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(bench.recorder.configured, 2);
    assert_int_equal(bench.usbd.counters.resets, 3);
    assert_int_equal(bench.usbd.counters.suspends, 2);
    finish(&bench);
}

static void test_disconnect(void **state) {
    (void)state;
    struct bench bench;
    start_configured(&bench);
    usbd_disconnect(&bench.usbd);
    assert_false(bench.sim.connected);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, NULL), USB_NO_ANSWER);
    usbd_connect(&bench.usbd);
    assert_true(usb_host_enumerate(&bench.host, 9));
    finish(&bench);
}

static void test_dead_controller(void **state) {
    (void)state;
    struct dcd_sim sim;
    struct usbd usbd;
    struct recorder recorder = {0};
    const struct usb_identity identity = {0, ""};
    dcd_sim_init(&sim, false);
    sim.dead = true;
    assert_false(usbd_init(&usbd, &sim.dcd, &identity, &function, &recorder));
    sim.setup_due = true;
    usbd_connect(&usbd);
    usbd_poll(&usbd);
    usbd_disconnect(&usbd);
    assert_false(sim.connected);
    assert_true(sim.setup_due);
}

/* Events that no host causes, from a controller gone wrong. */
static void test_stray_events(void **state) {
    (void)state;
    struct bench bench;
    start(&bench, false);
    usb_host_reset(&bench.host);
    const struct dcd_events *events = bench.sim.dcd.events;
    events->in_done(&bench.usbd, 0x80);
    events->in_done(&bench.usbd, 0x81);
    events->in_done(&bench.usbd, 0x83);
    events->out_packet(&bench.usbd, 0, pattern, 64);
    events->out_packet(&bench.usbd, 1, pattern, 64);
    events->out_packet(&bench.usbd, 3, pattern, 64);
    assert_int_equal(bench.recorder.in_done + bench.recorder.out_packet, 0);
    assert_true(usb_host_enumerate(&bench.host, 1));
    finish(&bench);
}

/* Requests, packets, resets at random, half of the fields drawn from small sets so that they often
 * mean something. Whatever came before, a reset brings a working device. */
static void test_hostile(void **state) {
    (void)state;
    static const uint8_t types[] = {0x00, 0x80, 0x01, 0x81, 0x02, 0x82, 0xc0, 0x40};
    static const uint16_t values[] = {0, 1, 0x0100, 0x0200, 0x0303, 0x0f00, 5, 0xffff};
    static const uint16_t indices[] = {0, 1, 0x81, 0x80, 7, 0x0409, 0x01, 0xffff};
    static const uint16_t lengths[] = {0, 1, 2, 8, 18, 64, 255, 0xffff};
    struct bench bench;
    start(&bench, false);
    usb_host_reset(&bench.host);
    srand(1);
    for (unsigned i = 0; i < 60000; i++) {
        uint8_t packet[64], got[64];
        unsigned toggle;
        for (size_t k = 0; k < sizeof packet; k++) {
            packet[k] = (uint8_t)rand();
        }
        uint8_t address = bench.sim.address;
        bench.recorder.n_answer = (size_t)rand() % sizeof pattern;
        bench.recorder.refuse = rand() % 4 == 0;
        switch (rand() % 8) {
        case 0:
            bench.host.port.setup(&bench.sim, address, packet);
            break;
        case 1:
        case 2: {
            const uint16_t value = values[rand() % 8], index = indices[rand() % 8],
                           length = lengths[rand() % 8];
            const uint8_t setup[8] = {
                types[rand() % 8], (uint8_t)(rand() % 12), (uint8_t)value,  (uint8_t)(value >> 8),
                (uint8_t)index,    (uint8_t)(index >> 8),  (uint8_t)length, (uint8_t)(length >> 8)};
            bench.host.port.setup(&bench.sim, address, setup);
            break;
        }
        case 3:
            bench.host.port.out(&bench.sim, address, rand() % 2, rand() % 2, packet,
                                (size_t)rand() % 65);
            break;
        case 4:
            bench.host.port.in(&bench.sim, address, rand() % 2 ? 0x80 : 0x81, &toggle, got);
            break;
        case 5:
            usbd_write(&bench.usbd, packet, (size_t)rand() % 65);
            break;
        case 6:
            if (!bench.sim.out[1].busy) {
                usbd_receive(&bench.usbd);
            }
            break;
        default:
            if (rand() % 50 == 0) {
                bench.host.port.reset(&bench.sim);
            }
            break;
        }
        if (rand() % 3 != 0) {
            usbd_poll(&bench.usbd);
        }
        if (i % 1000 == 999) {
            assert_true(usb_host_enumerate(&bench.host, 17));
        }
    }
    assert_int_equal(bench.sim.misuse, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device_descriptor),
        cmocka_unit_test(test_configuration_descriptor),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_serial_and_version),
        cmocka_unit_test(test_microsoft_descriptors),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_address_without_status),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_short_packet_rule),
        cmocka_unit_test(test_data_to_device),
        cmocka_unit_test(test_setup_ends_a_transfer),
        cmocka_unit_test(test_host_takes_less),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_unconfigured),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_halt_in),
        cmocka_unit_test(test_halt_out),
        cmocka_unit_test(test_toggles_start_over),
        cmocka_unit_test(test_reset_and_suspend),
        cmocka_unit_test(test_disconnect),
        cmocka_unit_test(test_dead_controller),
        cmocka_unit_test(test_stray_events),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
