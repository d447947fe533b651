/* The library's own link to the hub, inside the guest: Linux, libusb, and the cable pulled while
 * records flow.
 *
 *     guest_hub test SERIAL     ends with "guest_hub: PASSED"
 *     guest_hub unplug SERIAL N   has the cable pulled for 400 ms after N more records of the hub,
 * for another program to live through
 */
#include <nfsar/hub.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libusb.h>

enum {
    VENDOR = 0x1209,
    PRODUCT = 0x0001,
    UNPLUG = 0xf0,
    UNPLUG_MS = 400,
    PULLS = 3,
    FLOOD = 50000
};

struct heard {
    uint64_t records, back;
    uint32_t next;
    struct nfsar_wire_status status;
    uint32_t status_number;
};

static bool on_record(void *context, const struct nfsar_wire_message *record) {
    struct heard *heard = context;
    heard->back += heard->records > 0 && record->header.sequence < heard->next;
    heard->next = record->header.sequence + 1;
    heard->records++;
    if (record->header.kind == NFSAR_WIRE_STATUS) {
        nfsar_wire_unpack_status(&heard->status, record->payload, record->bytes);
        heard->status_number = record->header.sequence;
    }
    return true;
}

static int fail(const char *what, const char *why) {
    printf("guest_hub: FAILED: %s: %s\n", what, why);
    exit(1);
}

static void check(bool good, const char *what) {
    if (!good) {
        fail(what, "not so");
    }
}

/* The bridge's own request, on endpoint 0, which nobody has to claim: after so many records. */
static void pull_cable(const char *serial, unsigned records) {
    libusb_context *context;
    libusb_device **devices;
    check(libusb_init(&context) == 0, "libusb");
    const ssize_t n = libusb_get_device_list(context, &devices);
    bool done = false;
    for (ssize_t i = 0; i < n && !done; i++) {
        struct libusb_device_descriptor d;
        libusb_device_handle *handle;
        char text[64] = "";
        libusb_get_device_descriptor(devices[i], &d);
        if (d.idVendor != VENDOR || d.idProduct != PRODUCT ||
            libusb_open(devices[i], &handle) != 0) {
            continue;
        }
        libusb_get_string_descriptor_ascii(handle, d.iSerialNumber, (unsigned char *)text, 64);
        if (strcmp(text, serial) == 0) {
            done = libusb_control_transfer(handle, 0x40, UNPLUG, UNPLUG_MS, (uint16_t)records, NULL,
                                           0, 5000) == 0;
        }
        libusb_close(handle);
    }
    libusb_free_device_list(devices, 1);
    libusb_exit(context);
    check(done, "unplug");
}

static void command(nfsar_hub *hub, uint8_t kind, const uint8_t *payload, size_t n) {
    nfsar_error error;
    if (nfsar_hub_do(hub, kind, 0, payload, n, NULL, &error) != NFSAR_OK) {
        fail(nfsar_hub_command_name(kind), error.message);
    }
}

/* More than the hub holds while the cable is out. */
static void flood(nfsar_hub *hub) {
    const struct nfsar_wire_do_inject inject = {
        .magic = NFSAR_WIRE_MAGIC, .fault = NFSAR_WIRE_FAULT_FLOOD, .value = FLOOD};
    uint8_t payload[NFSAR_WIRE_DO_INJECT_BYTES];
    nfsar_wire_pack_do_inject(payload, &inject);
    command(hub, NFSAR_WIRE_DO_INJECT, payload, sizeof payload);
}

static struct nfsar_hub_counters counters_of(nfsar_hub *hub) {
    struct nfsar_hub_counters counters;
    nfsar_hub_counters(hub, &counters);
    return counters;
}

static void live_through_pulls(nfsar_hub *hub, const char *serial) {
    nfsar_error error;
    for (unsigned i = 0; i < PULLS; i++) {
        pull_cable(serial, FLOOD / 2);
        flood(hub);
        for (unsigned k = 0; k < 400 && counters_of(hub).reconnects <= i; k++) {
            if (nfsar_hub_listen(hub, 50, &error) != NFSAR_OK) {
                fail("while unplugged", error.message);
            }
        }
        check(counters_of(hub).reconnects == i + 1, "it came back");
    }
}

static int test(const char *serial) {
    char port[64];
    nfsar_error error;
    nfsar_hub *hub = NULL;
    struct heard heard = {0};
    const struct nfsar_hub_options options = {
        .record = on_record, .context = &heard, .timeout_ms = 3000, .reconnect_ms = 20000};
    check(nfsar_hub_open("usb", &options, &hub, &error) == NFSAR_ERROR_FILE, "two hubs");
    check(strstr(error.message, serial) != NULL, error.message);
    snprintf(port, sizeof port, "usb:%s", serial);
    if (nfsar_hub_open(port, &options, &hub, &error) != NFSAR_OK) {
        fail("open", error.message);
    }
    command(hub, NFSAR_WIRE_DO_STATUS, NULL, 0);
    const struct heard before = heard;
    const struct nfsar_hub_counters counted = counters_of(hub);
    live_through_pulls(hub, serial);
    command(hub, NFSAR_WIRE_DO_STATUS, NULL, 0);
    const struct nfsar_hub_counters now = counters_of(hub);
    const uint32_t made = heard.status_number - before.status_number;
    const uint32_t dropped = heard.status.dropped - before.status.dropped;
    /* Of the two answers to the status one is counted before, one after. */
    const uint64_t received = now.records - counted.records;
    printf("guest_hub: %u made, %llu received, %u dropped on the hub, %llu lost; %llu reconnects, "
           "%llu came twice, %llu garbled\n",
           made, (unsigned long long)received, dropped,
           (unsigned long long)(now.lost - counted.lost), (unsigned long long)now.reconnects,
           (unsigned long long)now.twice, (unsigned long long)now.bad);
    check(now.lost - counted.lost == dropped, "what was lost is what the hub dropped");
    check(received + dropped == made, "all records are accounted for");
    check(heard.back == 0, "in order");
    check(received > 3 * 100 && dropped > 0, "it was worth it");
    check(!nfsar_hub_restarted(hub), "the same session");
    nfsar_hub_close(hub);
    printf("guest_hub: PASSED\n");
    return 0;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 4 && strcmp(argv[1], "unplug") == 0) {
        pull_cable(argv[2], (unsigned)atoi(argv[3]));
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "test") == 0) {
        return test(argv[2]);
    }
    fprintf(stderr, "usage: guest_hub test SERIAL | unplug SERIAL RECORDS\n");
    return 2;
}
