#include "firmware/usb/usb_descriptors.h"

#include <string.h>

#include "firmware/usb/dcd.h"

enum { STRING_LANGUAGES = 0, STRING_MAKER, STRING_PRODUCT, STRING_SERIAL };
static const char maker[] = "nfsar";
static const char product[] = "nfsar hub";

/* One descriptor, or one idea of it, a line. */
/* clang-format off */
#define U16(x)            (uint8_t)((x) & 0xff), (uint8_t)((x) >> 8)
#define WIDE4(a, b, c, d) a, 0, b, 0, c, 0, d, 0 /* four characters of UTF-16LE */

static const uint8_t device[18] = {
    18, USB_DESCRIPTOR_DEVICE,
    U16(0x0210), /* bcdUSB 2.10: the host asks for the binary object store */
    0, 0, 0,     /* the class is the interface's */
    DCD_PACKET_MAX,
    U16(USB_VENDOR_ID), U16(USB_PRODUCT_ID),
    U16(0),      /* bcdDevice: filled in */
    STRING_MAKER, STRING_PRODUCT, STRING_SERIAL,
    1};
enum { DEVICE_VERSION = 12 };

static const uint8_t configuration[9 + 9 + 7 + 7] = {
    9, USB_DESCRIPTOR_CONFIGURATION, U16(sizeof configuration), 1, USB_CONFIGURATION, 0,
    0x80, /* bus powered, no remote wakeup */
    100,  /* 200 mA, in units of 2 mA: hub and its UART sensors */
    9, USB_DESCRIPTOR_INTERFACE, USB_INTERFACE, 0, 2, 0xff, 0xff, 0xff, 0, /* vendor specific */
    7, USB_DESCRIPTOR_ENDPOINT, USB_ENDPOINT_IN, DCD_BULK, U16(DCD_PACKET_MAX), 0,
    7, USB_DESCRIPTOR_ENDPOINT, USB_ENDPOINT_OUT, DCD_BULK, U16(DCD_PACKET_MAX), 0};

/* Microsoft OS 2.0 Descriptors Specification: set header, compatible id, registry property. The
 * device is not composite, so the features stand without subset headers. */
#define WINDOWS_8_1 0x00, 0x00, 0x03, 0x06
static const uint8_t ms_os_20[10 + 20 + 132] = {
    U16(10), U16(0), WINDOWS_8_1, U16(sizeof ms_os_20),
    U16(20), U16(3), 'W', 'I', 'N', 'U', 'S', 'B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    U16(132), U16(4), U16(7), /* REG_MULTI_SZ */
    U16(42), WIDE4('D', 'e', 'v', 'i'), WIDE4('c', 'e', 'I', 'n'), WIDE4('t', 'e', 'r', 'f'),
    WIDE4('a', 'c', 'e', 'G'), WIDE4('U', 'I', 'D', 's'), 0, 0,
    U16(80), /* drawn at random for this project: programs on Windows find the hub by it */
    WIDE4('{', '5', '1', '1'), WIDE4('F', '2', '1', 'E'), WIDE4('3', '-', 'C', '7'),
    WIDE4('4', '5', '-', '4'), WIDE4('B', '0', 'B', '-'), WIDE4('9', '0', '3', '4'),
    WIDE4('-', 'C', '1', '2'), WIDE4('D', 'D', 'E', '5'), WIDE4('9', '3', '6', 'A'),
    'D', 0, '}', 0, 0, 0, 0, 0};

/* The platform capability's UUID D8DD60DF-4589-4CC7-9CD2-659D9E648A9F says Microsoft OS 2.0. */
static const uint8_t object_store[5 + 28] = {
    5, USB_DESCRIPTOR_BOS, U16(sizeof object_store), 1,
    28, 16 /* device capability */, 5 /* platform */, 0,
    0xdf, 0x60, 0xdd, 0xd8, 0x89, 0x45, 0xc7, 0x4c, 0x9c, 0xd2, 0x65, 0x9d, 0x9e, 0x64, 0x8a, 0x9f,
    WINDOWS_8_1, U16(sizeof ms_os_20), USB_REQUEST_MS_OS_20, 0};

static const uint8_t languages[4] = {4, USB_DESCRIPTOR_STRING, U16(0x0409)};
/* clang-format on */

static const uint8_t *string_descriptor(const char *text, uint8_t *room, size_t *n) {
    size_t length = strlen(text);
    length = length < USB_STRING_MAX ? length : USB_STRING_MAX;
    *n = 2 + 2 * length;
    room[0] = (uint8_t)*n;
    room[1] = USB_DESCRIPTOR_STRING;
    for (size_t i = 0; i < length; i++) {
        room[2 + 2 * i] = (uint8_t)text[i];
        room[3 + 2 * i] = 0;
    }
    return room;
}

static const uint8_t *find_string(const struct usb_identity *identity, uint8_t index, uint8_t *room,
                                  size_t *n) {
    switch (index) {
    case STRING_LANGUAGES:
        *n = sizeof languages;
        return languages;
    case STRING_MAKER:
        return string_descriptor(maker, room, n);
    case STRING_PRODUCT:
        return string_descriptor(product, room, n);
    case STRING_SERIAL:
        return string_descriptor(identity->serial, room, n);
    default:
        return NULL;
    }
}

const uint8_t *usb_descriptor(const struct usb_identity *identity, uint8_t type, uint8_t index,
                              uint8_t room[USB_DESCRIPTOR_ROOM], size_t *n) {
    if (type == USB_DESCRIPTOR_STRING) {
        return find_string(identity, index, room, n);
    }
    if (index != 0) {
        return NULL;
    }
    switch (type) {
    case USB_DESCRIPTOR_DEVICE:
        memcpy(room, device, sizeof device);
        room[DEVICE_VERSION] = (uint8_t)(identity->version & 0xff);
        room[DEVICE_VERSION + 1] = (uint8_t)(identity->version >> 8);
        *n = sizeof device;
        return room;
    case USB_DESCRIPTOR_CONFIGURATION:
        *n = sizeof configuration;
        return configuration;
    case USB_DESCRIPTOR_BOS:
        *n = sizeof object_store;
        return object_store;
    default:
        /* Among them the device qualifier: a device that knows full speed only refuses it, and the
         * host learns so (USB 2.0, 9.6.2). */
        return NULL;
    }
}

const uint8_t *usb_ms_os_20(size_t *n) {
    *n = sizeof ms_os_20;
    return ms_os_20;
}

static uint16_t bcd(uint8_t x) {
    return (uint16_t)(x / 10 % 10 << 4 | x % 10);
}

uint16_t usb_version(uint8_t major, uint8_t minor) {
    return (uint16_t)(bcd(major) << 8 | bcd(minor));
}

void usb_serial(const uint8_t id[12], char serial[USB_SERIAL_SIZE]) {
    static const char digits[] = "0123456789ABCDEF";
    for (unsigned i = 0; i < 12; i++) {
        serial[2 * i] = digits[id[i] >> 4];
        serial[2 * i + 1] = digits[id[i] & 0xf];
    }
    serial[24] = 0;
}
