/** @file
 * What the hub says it is: USB descriptors (USB 2.0 chapter 9), the binary object store, and the
 * Microsoft OS 2.0 set that makes Windows load WinUSB without a driver of ours.
 *
 * One vendor interface, one bulk pair. Host software finds the endpoints by direction, not by
 * number: a bridge between (FunctionFS, usbip) may renumber them.
 */
#ifndef FIRMWARE_USB_DESCRIPTORS_H
#define FIRMWARE_USB_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/** pid.codes' id for tests on one's own desk (https://pid.codes/1209/0001/). It is nobody's: a
 * product that leaves the laboratory needs an id of its own. */
#define USB_VENDOR_ID  0x1209
#define USB_PRODUCT_ID 0x0001

#define USB_CONFIGURATION 1 /**< the only one's bConfigurationValue */
#define USB_INTERFACE     0
#define USB_ENDPOINT_IN   0x81
#define USB_ENDPOINT_OUT  0x01

/** bRequest of the vendor request that reads the Microsoft OS 2.0 set; our choice, announced in
 * the binary object store. */
#define USB_REQUEST_MS_OS_20 0x20
#define USB_MS_OS_20_INDEX   7 /**< its wIndex (MS OS 2.0, "retrieving") */

/** Descriptor types, the high byte of wValue (USB 2.0 table 9-5; BOS: USB 3.2 table 9-6). */
enum usb_descriptor_type {
    USB_DESCRIPTOR_DEVICE = 1,
    USB_DESCRIPTOR_CONFIGURATION = 2,
    USB_DESCRIPTOR_STRING = 3,
    USB_DESCRIPTOR_INTERFACE = 4,
    USB_DESCRIPTOR_ENDPOINT = 5,
    USB_DESCRIPTOR_BOS = 15
};

/** Longest text of a string descriptor in characters; more is cut. */
#define USB_STRING_MAX 31
/** Room that usb_descriptor needs. */
#define USB_DESCRIPTOR_ROOM (2 + 2 * USB_STRING_MAX)

/** Digits of the serial number and the closing zero. */
#define USB_SERIAL_SIZE 25

/** What differs between two hubs. The strings stay the caller's and must outlive their use. */
struct usb_identity {
    uint16_t version;   /**< bcdDevice: the wire protocol's version, see usb_version */
    const char *serial; /**< ASCII */
};

/** Find the descriptor of @p type and @p index.
 * @param room  USB_DESCRIPTOR_ROOM bytes for descriptors that are put together; must stay as it is
 *              while the result is in use
 * @param n     its length
 * @return the descriptor, or NULL when there is none */
const uint8_t *usb_descriptor(const struct usb_identity *identity, uint8_t type, uint8_t index,
                              uint8_t room[USB_DESCRIPTOR_ROOM], size_t *n);

/** The Microsoft OS 2.0 descriptor set and its length. */
const uint8_t *usb_ms_os_20(size_t *n);

/** bcdDevice of a protocol version: two binary-coded digits each, both at most 99. */
uint16_t usb_version(uint8_t major, uint8_t minor);

/** Write a chip's 96-bit unique id as 24 hexadecimal digits, byte by byte, as hello records have
 * it. */
void usb_serial(const uint8_t id[12], char serial[USB_SERIAL_SIZE]);

#endif
