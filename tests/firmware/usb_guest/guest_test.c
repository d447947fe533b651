/* What a Linux host sees of the hub, through its own kernel and libusb. Runs in the guest as the
 * only program; prints a line for each test and ends with "guest_test: PASSED" when all passed. */
#include <dirent.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libusb.h>

enum { VENDOR = 0x1209, PRODUCT = 0x0001, VERSION = 0x0314, IN = 0x81, OUT = 0x01 };
enum { UNPLUG = 0xf0, COUNTERS = 0x21, MS_OS_20 = 0x20 };
#define SERIAL "343537373034511100470041"
#define LIMIT  10000 /* ms, of any transfer */

static unsigned failures;
static libusb_context *context;
static libusb_device_handle *hub;

static bool check(bool good, const char *format, ...) {
    if (!good) {
        va_list list;
        va_start(list, format);
        printf("    FAILED: ");
        vprintf(format, list);
        printf("\n");
        va_end(list);
        failures++;
    }
    return good;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* By its version: the hub itself is on the same bus. */
static libusb_device_handle *open_echo(void) {
    libusb_device **devices;
    libusb_device_handle *handle = NULL;
    const ssize_t n = libusb_get_device_list(context, &devices);
    for (ssize_t i = 0; i < n && handle == NULL; i++) {
        struct libusb_device_descriptor d;
        libusb_get_device_descriptor(devices[i], &d);
        if (d.idVendor == VENDOR && d.idProduct == PRODUCT && d.bcdDevice == VERSION &&
            libusb_open(devices[i], &handle) != 0) {
            handle = NULL;
        }
    }
    if (n >= 0) {
        libusb_free_device_list(devices, 1);
    }
    return handle;
}

/* There is no udev in the guest, so a new context is what looks anew. */
static bool find(int limit_ms) {
    for (double end = now() + 1e-3 * limit_ms; now() < end; usleep(50000)) {
        libusb_init(&context);
        hub = open_echo();
        if (hub != NULL && libusb_claim_interface(hub, 0) == 0) {
            return true;
        }
        if (hub != NULL) {
            libusb_close(hub);
        }
        libusb_exit(context);
    }
    return false;
}

static void lose(void) {
    libusb_release_interface(hub, 0);
    libusb_close(hub);
    libusb_exit(context);
}

/* ---- bulk ---- */

struct writer {
    const uint8_t *from;
    int n, result;
};

static void *write_all(void *user) {
    struct writer *writer = user;
    int done = 0;
    writer->result =
        libusb_bulk_transfer(hub, OUT, (unsigned char *)writer->from, writer->n, &done, LIMIT);
    return NULL;
}

/* The hub echoes as it likes, so an answer may come in several transfers. */
static bool echo(int n, unsigned seed) {
    static uint8_t sent[100000], got[101024];
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        sent[i] = (uint8_t)(seed >> 24);
    }
    struct writer writer = {sent, n, 0};
    pthread_t thread;
    pthread_create(&thread, NULL, write_all, &writer);
    int n_got = 0, result = 0;
    while (n_got < n && result == 0) {
        int done = 0;
        result = libusb_bulk_transfer(hub, IN, got + n_got, 1024, &done, LIMIT);
        n_got += done;
    }
    pthread_join(thread, NULL);
    return check(writer.result == 0, "write of %d: %s", n, libusb_error_name(writer.result)) &&
           check(result == 0, "read of %d: %s", n, libusb_error_name(result)) &&
           check(n_got == n && memcmp(sent, got, (size_t)n) == 0, "echo of %d: got %d", n, n_got);
}

static void test_bulk(void) {
    static const int sizes[] = {1,   2,   63,  64,   65,   127,  128,  129,
                                511, 512, 513, 1024, 4095, 4096, 4097, 16384};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        echo(sizes[i], (unsigned)i);
    }
}

static void test_100_kb(void) {
    double start = now();
    echo(100000, 99);
    double seconds = now() - start;
    start = now();
    for (unsigned i = 0; i < 100; i++) {
        echo(40, i);
    }
    printf("    100 kB there and back in %.2f s; a round trip of 40 bytes takes %.2f ms\n", seconds,
           10 * (now() - start));
}

/* Nothing to read is a timeout, and the device survives the kernel's cancelling. */
static void test_timeout(void) {
    uint8_t got[512];
    int done = 0;
    int result = libusb_bulk_transfer(hub, IN, got, sizeof got, &done, 100);
    check(result == LIBUSB_ERROR_TIMEOUT && done == 0, "%s", libusb_error_name(result));
    echo(100, 5);
}

/* ---- descriptors ---- */

static void test_descriptors(void) {
    struct libusb_device_descriptor d;
    libusb_device *device = libusb_get_device(hub);
    libusb_get_device_descriptor(device, &d);
    check(d.bcdUSB == 0x0210, "bcdUSB %04x", d.bcdUSB);
    check(d.bcdDevice == 0x0314, "bcdDevice %04x", d.bcdDevice);
    check(d.bMaxPacketSize0 == 64 && d.bNumConfigurations == 1, "device descriptor");
    check(libusb_get_device_speed(device) == LIBUSB_SPEED_FULL, "speed");
    static const char *const expected[] = {"nfsar", "nfsar hub", SERIAL};
    for (int i = 0; i < 3; i++) {
        char text[64] = "";
        libusb_get_string_descriptor_ascii(hub, (uint8_t)(i + 1), (unsigned char *)text, 64);
        check(strcmp(text, expected[i]) == 0, "string %d is \"%s\"", i + 1, text);
    }
    struct libusb_config_descriptor *c;
    if (!check(libusb_get_active_config_descriptor(device, &c) == 0, "configuration")) {
        return;
    }
    const struct libusb_interface_descriptor *interface = c->interface[0].altsetting;
    check(c->bNumInterfaces == 1 && interface->bNumEndpoints == 2 &&
              interface->bInterfaceClass == 0xff,
          "interface");
    check(interface->endpoint[0].bEndpointAddress == IN &&
              interface->endpoint[1].bEndpointAddress == OUT &&
              interface->endpoint[0].wMaxPacketSize == 64 &&
              interface->endpoint[1].wMaxPacketSize == 64,
          "endpoints");
    libusb_free_config_descriptor(c);
}

static void test_microsoft(void) {
    struct libusb_bos_descriptor *bos;
    uint8_t set[255];
    if (!check(libusb_get_bos_descriptor(hub, &bos) == 0, "no BOS")) {
        return;
    }
    check(bos->bNumDeviceCaps == 1 && bos->dev_capability[0]->bDevCapabilityType == 5 &&
              bos->dev_capability[0]->bLength == 28,
          "platform capability");
    const uint8_t *data = bos->dev_capability[0]->dev_capability_data;
    int length = data[21] | data[22] << 8;
    int n = libusb_control_transfer(hub, 0xc0, data[23], 0, 7, set, sizeof set, LIMIT);
    check(data[23] == MS_OS_20 && n == length && n == 162, "set of %d, announced %d", n, length);
    check(memcmp(set + 14, "WINUSB", 6) == 0, "compatible id");
    libusb_free_bos_descriptor(bos);
}

/* ---- errors and resets ---- */

static void test_refusals(void) {
    uint8_t got[64];
    int n = libusb_control_transfer(hub, 0xc0, 0x77, 0, 0, got, sizeof got, LIMIT);
    check(n == LIBUSB_ERROR_PIPE, "unknown request: %s", libusb_error_name(n));
    n = libusb_control_transfer(hub, 0x80, 6, 0x0600, 0, got, 10, LIMIT);
    check(n == LIBUSB_ERROR_PIPE, "device qualifier: %s", libusb_error_name(n));
    n = libusb_control_transfer(hub, 0x80, 0, 0, 0, got, 2, LIMIT);
    check(n == 2 && got[0] == 0 && got[1] == 0, "status after refusals");
    echo(70, 7);
}

static void test_halt(uint8_t endpoint) {
    uint8_t got[64];
    int done;
    int result = libusb_control_transfer(hub, 2, 3, 0, endpoint, NULL, 0, LIMIT);
    check(result == 0, "halt: %s", libusb_error_name(result));
    result = libusb_control_transfer(hub, 0x82, 0, 0, endpoint, got, 2, LIMIT);
    check(result == 2 && got[0] == 1, "GET_STATUS of a halted endpoint");
    result = libusb_bulk_transfer(hub, endpoint, got, sizeof got, &done, LIMIT);
    check(result == LIBUSB_ERROR_PIPE, "halted: %s", libusb_error_name(result));
    result = libusb_clear_halt(hub, endpoint);
    check(result == 0, "clear: %s", libusb_error_name(result));
    echo(10, 8); /* one packet: the toggle is not at DATA0 when the next test resets it */
}

static void test_halts(void) {
    for (int i = 0; i < 2; i++) {
        test_halt(IN);
        test_halt(OUT);
    }
}

static void test_interface_and_configuration(void) {
    for (int i = 0; i < 2; i++) {
        check(libusb_set_interface_alt_setting(hub, 0, 0) == 0, "SET_INTERFACE");
        echo(10, 11);
    }
    check(libusb_set_interface_alt_setting(hub, 0, 1) != 0, "alternate setting 1");
    libusb_release_interface(hub, 0);
    check(libusb_set_configuration(hub, 1) == 0, "SET_CONFIGURATION");
    check(libusb_claim_interface(hub, 0) == 0, "claim");
    check(libusb_set_interface_alt_setting(hub, 0, 0) == 0, "SET_INTERFACE");
    echo(130, 12);
}

static uint32_t counter(int which) {
    uint8_t got[32] = {0};
    int n = libusb_control_transfer(hub, 0xc0, COUNTERS, 0, 0, got, sizeof got, LIMIT);
    check(n == 32, "counters: %d", n);
    const uint8_t *p = got + 4 * which;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void test_reset(void) {
    uint32_t before = counter(0);
    for (int i = 0; i < 3; i++) {
        echo(10, 13);
        int result = libusb_reset_device(hub);
        check(result == 0, "reset: %s", libusb_error_name(result));
        /* What was under way may come again; this ends it. */
        check(libusb_set_interface_alt_setting(hub, 0, 0) == 0, "SET_INTERFACE");
        echo(300, 14);
    }
    check(counter(0) >= before + 3, "resets: %u, then %u", before, counter(0));
}

static void test_unplug(void) {
    uint8_t got[64];
    int done;
    for (int i = 0; i < 2; i++) {
        int n = libusb_control_transfer(hub, 0x40, UNPLUG, 300, 0, NULL, 0, LIMIT);
        check(n == 0, "unplug: %s", libusb_error_name(n));
        int result = libusb_bulk_transfer(hub, IN, got, sizeof got, &done, LIMIT);
        check(result == LIBUSB_ERROR_NO_DEVICE || result == LIBUSB_ERROR_IO, "unplugged: %s",
              libusb_error_name(result));
        lose();
        if (!check(find(8000), "the hub did not come back")) {
            return;
        }
        echo(500, 15);
    }
}

/* ---- runtime power management ---- */

static bool sysfs(const char *name, const char *write, char *read) {
    DIR *dir = opendir("/sys/bus/usb/devices");
    bool done = false;
    for (struct dirent *e; dir != NULL && !done && (e = readdir(dir)) != NULL;) {
        char path[512], text[64] = "";
        snprintf(path, sizeof path, "/sys/bus/usb/devices/%s/bcdDevice", e->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL) {
            continue;
        }
        done = fgets(text, sizeof text, f) != NULL && strtol(text, NULL, 16) == VERSION;
        fclose(f);
        if (done) {
            snprintf(path, sizeof path, "/sys/bus/usb/devices/%s/power/%s", e->d_name, name);
            f = fopen(path, write != NULL ? "w" : "r");
            done = f != NULL && (write != NULL ? fputs(write, f) >= 0 : fgets(read, 64, f) != NULL);
            done = f != NULL && fclose(f) == 0 && done;
            break;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return done;
}

/* usb-redir has no message for a sleeping bus: the device hears nothing of it. What is tested is
 * the kernel's side, that it finds the device as it left it. */
static void test_autosuspend(void) {
    char status[64] = "";
    lose();
    check(sysfs("autosuspend_delay_ms", "100", NULL) && sysfs("control", "auto", NULL), "sysfs");
    for (int i = 0; i < 60 && strncmp(status, "suspended", 9) != 0; i++) {
        usleep(50000);
        sysfs("runtime_status", NULL, status);
    }
    check(strncmp(status, "suspended", 9) == 0, "runtime_status: %s", status);
    if (check(find(3000), "not found after suspend")) {
        echo(1000, 16);
    }
}

static void test_counters(void) {
    check(counter(3) == 0, "faults of the controller: %u", counter(3));
    printf(
        "    since the last plug: %u resets, %u requests refused (Linux asks a device of USB 2.1 "
        "for what only high speed has), %u bytes in, %u out\n",
        counter(0), counter(2), counter(4), counter(5));
}

int main(void) {
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {{"descriptors", test_descriptors},
                 {"microsoft", test_microsoft},
                 {"bulk", test_bulk},
                 {"100_kb", test_100_kb},
                 {"timeout", test_timeout},
                 {"refusals", test_refusals},
                 {"halts", test_halts},
                 {"interface_and_configuration", test_interface_and_configuration},
                 {"reset", test_reset},
                 {"unplug", test_unplug},
                 {"autosuspend", test_autosuspend},
                 {"counters", test_counters}};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!find(10000)) {
        printf("guest_test: no hub\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        unsigned before = failures;
        double start = now();
        tests[i].run();
        printf("%s %s (%.2f s)\n", failures == before ? "  ok  " : "  FAIL", tests[i].name,
               now() - start);
    }
    printf("guest_test: %s\n", failures == 0 ? "PASSED" : "FAILED");
    return failures > 0;
}
