/* Finding the hub among what is on USB, and saying why there is none to be had. */
#include "host/devices/hub_usb.h"

#include <stdio.h>
#include <string.h>

#include <nfsar/wire.h>

#include "host/devices/transport.h"

#define PRODUCT_NAME "nfsar hub"

enum { LIST = 256 };

/* What the search came across. */
struct seen {
    unsigned hubs;    /* that could be asked for their number */
    unsigned others;  /* of the hub's id, which say they are something else */
    char names[LIST]; /* of the hubs: usb:A, usb:B */
    char bus[LIST];   /* ids of all devices */
    char denied[40];  /* where a hub is that may not be opened */
    char other[64];   /* what the last of the others says it is */
    int failed;       /* libusb's code for a hub that could not be asked; 0: none */
    libusb_device_handle *found;
    char serial[HUB_SERIAL_SIZE];
};

static void add(char list[LIST], const char *text) {
    const size_t used = strlen(list);
    if (used + strlen(text) + 3 <= LIST) {
        snprintf(list + used, LIST - used, "%s%s", used > 0 ? ", " : "", text);
    }
}

/* "" where there is none. What a device says of itself may be anything. */
static int read_string(libusb_device_handle *handle, uint8_t index, char *text, int size) {
    text[0] = '\0';
    if (index == 0) {
        return 0;
    }
    const int n = libusb_get_string_descriptor_ascii(handle, index, (unsigned char *)text, size);
    text[n > 0 && n < size ? n : 0] = '\0';
    for (char *at = text; *at != '\0'; at++) {
        *at = *at > 0x20 && *at < 0x7f ? *at : *at == 0x20 ? ' ' : '?';
    }
    return n < 0 ? n : 0;
}

/* ---- the search ---- */

static void look_at(libusb_device *device, const struct libusb_device_descriptor *descriptor,
                    const char *wanted, struct seen *seen) {
    libusb_device_handle *handle;
    int result = libusb_open(device, &handle);
    if (result == LIBUSB_ERROR_ACCESS) {
        snprintf(seen->denied, sizeof seen->denied, "/dev/bus/usb/%03u/%03u",
                 libusb_get_bus_number(device), libusb_get_device_address(device));
        return;
    }
    if (result != 0) {
        seen->failed = result;
        return;
    }
    char product[64], serial[HUB_SERIAL_SIZE], name[HUB_SERIAL_SIZE + 8];
    result = read_string(handle, descriptor->iProduct, product, sizeof product);
    if (result == 0) {
        result = read_string(handle, descriptor->iSerialNumber, serial, sizeof serial);
    }
    if (result != 0) {
        seen->failed = result;
    } else if (strcmp(product, PRODUCT_NAME) != 0) {
        seen->others++;
        memcpy(seen->other, product, sizeof seen->other);
    } else {
        seen->hubs++;
        snprintf(name, sizeof name, "usb:%s", serial);
        add(seen->names, name);
        if (seen->found == NULL && (wanted == NULL || strcmp(wanted, serial) == 0)) {
            memcpy(seen->serial, serial, sizeof serial);
            seen->found = handle;
            return;
        }
    }
    libusb_close(handle);
}

static int look_around(libusb_context *context, const char *wanted, struct seen *seen) {
    libusb_device **devices;
    const ssize_t n = libusb_get_device_list(context, &devices);
    if (n < 0) {
        return (int)n;
    }
    for (ssize_t i = 0; i < n; i++) {
        struct libusb_device_descriptor descriptor;
        if (libusb_get_device_descriptor(devices[i], &descriptor) != 0) {
            continue;
        }
        char id[16];
        snprintf(id, sizeof id, "%04x:%04x", descriptor.idVendor, descriptor.idProduct);
        add(seen->bus, id);
        if (descriptor.idVendor == HUB_VENDOR && descriptor.idProduct == HUB_PRODUCT) {
            look_at(devices[i], &descriptor, wanted, seen);
        }
    }
    libusb_free_device_list(devices, 1);
    return 0;
}

/* ---- what is wrong ---- */

static enum nfsar_status fail_found(const char *port, const char *wanted, const struct seen *seen,
                                    nfsar_error *error) {
    if (seen->denied[0] != '\0') {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: no permission to use %s (%04x:%04x); install nfsar's udev rule: "
                          "`sudo cp 70-nfsar-hub.rules /etc/udev/rules.d/ && sudo udevadm control "
                          "--reload`, then plug the hub in again (docs/hub.md)",
                          port, seen->denied, HUB_VENDOR, HUB_PRODUCT);
    }
    if (seen->failed != 0) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: a hub (%04x:%04x) does not say who it is: %s; plug it in again",
                          port, HUB_VENDOR, HUB_PRODUCT, libusb_strerror(seen->failed));
    }
    if (wanted != NULL && seen->hubs > 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: no hub of this serial number is plugged in; there are: %s", port,
                          seen->names);
    }
    if (seen->others > 0 && seen->hubs == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: the device %04x:%04x says that it is '%s', not '" PRODUCT_NAME "'",
                          port, HUB_VENDOR, HUB_PRODUCT, seen->other);
    }
    if (seen->bus[0] == '\0') {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: no hub (%04x:%04x) is plugged in; nothing at all is on USB here",
                          port, HUB_VENDOR, HUB_PRODUCT);
    }
    return nfsar_fail(error, NFSAR_ERROR_FILE,
                      "%s: no hub (%04x:%04x) is plugged in; on USB are: %s", port, HUB_VENDOR,
                      HUB_PRODUCT, seen->bus);
}

static enum nfsar_status fail_usb(const char *port, const char *what, int result,
                                  nfsar_error *error) {
    if (result == LIBUSB_ERROR_BUSY) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: another program uses the hub", port);
    }
    return nfsar_fail(error, NFSAR_ERROR_DEVICE, "%s: %s: %s", port, what, libusb_strerror(result));
}

/* ---- the way in ---- */

/* The vendor interface with a bulk endpoint each way. */
static bool find_pair(const struct libusb_config_descriptor *configuration, struct usb_hub *hub) {
    for (unsigned i = 0; i < configuration->bNumInterfaces; i++) {
        if (configuration->interface[i].num_altsetting < 1) {
            continue;
        }
        const struct libusb_interface_descriptor *found = configuration->interface[i].altsetting;
        hub->in = hub->out = 0;
        /* Of a damaged descriptor libusb keeps the number and has no endpoints. */
        for (unsigned k = 0; found->endpoint != NULL && k < found->bNumEndpoints; k++) {
            const struct libusb_endpoint_descriptor *endpoint = &found->endpoint[k];
            const unsigned packet = endpoint->wMaxPacketSize & 0x7ff;
            if ((endpoint->bmAttributes & 3) != LIBUSB_TRANSFER_TYPE_BULK || packet == 0) {
                continue;
            }
            if ((endpoint->bEndpointAddress & LIBUSB_ENDPOINT_IN) == 0) {
                hub->out = endpoint->bEndpointAddress;
            } else {
                hub->in = endpoint->bEndpointAddress;
                hub->packet = packet;
            }
        }
        if (found->bInterfaceClass == LIBUSB_CLASS_VENDOR_SPEC && hub->in != 0 && hub->out != 0) {
            hub->interface = found->bInterfaceNumber;
            return true;
        }
    }
    return false;
}

static enum nfsar_status enter(const char *port, bool begin, struct usb_hub *hub,
                               nfsar_error *error) {
    libusb_device *device = libusb_get_device(hub->handle);
    struct libusb_device_descriptor descriptor;
    libusb_get_device_descriptor(device, &descriptor);
    /* Two binary-coded digits before the point. */
    const unsigned major = 10U * (descriptor.bcdDevice >> 12) + (descriptor.bcdDevice >> 8 & 0xfU);
    if (major != NFSAR_WIRE_MAJOR) {
        return fail_version(port, major, error);
    }
    struct libusb_config_descriptor *configuration;
    int result = libusb_get_active_config_descriptor(device, &configuration);
    if (result != 0) {
        return fail_usb(port, "the hub has no configuration", result, error);
    }
    const bool found = find_pair(configuration, hub);
    libusb_free_config_descriptor(configuration);
    if (!found) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: the device has no interface of the hub, a bulk endpoint each way",
                          port);
    }
    libusb_set_auto_detach_kernel_driver(hub->handle, 1); /* not on every system */
    result = libusb_claim_interface(hub->handle, hub->interface);
    if (result != 0) {
        return fail_usb(port, "the hub cannot be taken", result, error);
    }
    result = begin ? libusb_set_interface_alt_setting(hub->handle, hub->interface, 0) : 0;
    return result == 0 ? NFSAR_OK : fail_usb(port, "the hub does not start", result, error);
}

enum nfsar_status usb_hub_open(const char *port, const char *serial, bool begin,
                               struct usb_hub *hub, nfsar_error *error) {
    *hub = (struct usb_hub){0};
    int result = libusb_init(&hub->context);
    if (result != 0) {
        hub->context = NULL;
        return fail_usb(port, "USB cannot be used", result, error);
    }
    struct seen seen = {0};
    result = look_around(hub->context, serial, &seen);
    hub->handle = seen.found;
    memcpy(hub->serial, seen.serial, sizeof hub->serial);
    enum nfsar_status status = NFSAR_OK;
    if (result != 0) {
        status = fail_usb(port, "USB cannot be searched", result, error);
    } else if (hub->handle == NULL) {
        status = fail_found(port, serial, &seen, error);
    } else if (serial == NULL && seen.hubs > 1) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %u hubs are plugged in; say which one: %s",
                       port, seen.hubs, seen.names);
    } else {
        status = enter(port, begin, hub, error);
    }
    if (status != NFSAR_OK) {
        usb_hub_close(hub);
    }
    return status;
}

void usb_hub_close(struct usb_hub *hub) {
    if (hub->handle != NULL) {
        libusb_close(hub->handle); /* gives the interface back too */
        hub->handle = NULL;
    }
    if (hub->context != NULL) {
        libusb_exit(hub->context);
        hub->context = NULL;
    }
}
