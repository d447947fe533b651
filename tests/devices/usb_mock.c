#include "tests/devices/usb_mock.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/ioctl.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <umockdev.h>

#include "tests/firmware/dcd_sim.h"
#include "tests/firmware/fake_board.h"
#include "tests/support.h"

enum {
    DEVICES = 8,
    URBS = 64,
    TICKS_A_RUN = 20, /* half a millisecond */
    WAIT_US = 200     /* where nothing is to be had: libusb asks again at once */
};

/* A transfer under way, and the copy of it that umockdev keeps. */
struct urb {
    UMockdevIoctlData *data;
    UMockdevIoctlData *buffer;
    size_t done;
    bool discarded;
};

struct mock_device {
    bool used, plugged;
    unsigned number; /* of the device on the bus */
    char node[64], sys[96];
    char product[64];
    struct dcd_sim *sim;
    struct dcd_sim own_sim;
    struct usb_link own_link; /* without an application */
    struct usb_host host;
    UMockdevIoctlBase *handler;
    struct urb urbs[URBS];
    unsigned n_urbs;
    struct mock_faults faults;
    uint32_t seed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static UMockdevTestbed *bed;
static struct mock_device devices[DEVICES];
static unsigned plugs;
static struct hub hub;
static struct dcd_sim hub_sim;

void mock_lock(void) {
    pthread_mutex_lock(&lock);
}

void mock_unlock(void) {
    pthread_mutex_unlock(&lock);
}

struct mock_faults *mock_faults(struct mock_device *device) {
    return &device->faults;
}

/* ---- the hub ---- */

static void on_tick(void *context) {
    hub_on_tick(context);
}

static void run_hub(void *context) {
    (void)context;
    fake_board_ticks(TICKS_A_RUN);
    hub_poll(&hub);
}

static void run_own(void *context) {
    struct mock_device *device = context;
    uint8_t bytes[256];
    usb_link_poll(&device->own_link);
    usb_link_read(&device->own_link, bytes, sizeof bytes);
}

struct hub *mock_hub(void) {
    return &hub;
}

void mock_hub_restart(void) {
    uint8_t kept[BOARD_KEPT_BYTES];
    memcpy(kept, fake_board.kept, sizeof kept);
    fake_board_reset();
    memcpy(fake_board.kept, kept, sizeof kept);
    fake_board.cause = BOARD_RESET_SOFTWARE;
    fake_board.on_tick = on_tick;
    fake_board.context = &hub;
    dcd_sim_init(&hub_sim, true);
    fake_board.usb = &hub_sim.dcd;
    hub_init(&hub);
}

/* ---- permission ---- */

static char denied[64];

void mock_deny(const struct mock_device *device) {
    snprintf(denied, sizeof denied, "%s", device != NULL ? device->node : "");
}

/* In place of libc's, which libusb calls, for the test may run as root, to whom nothing is denied.
 */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags) {
    static int (*next)(const char *path, int flags);
    if (next == NULL) {
        void *found = dlsym(RTLD_NEXT, "__open_2");
        memcpy(&next, &found, sizeof next);
    }
    if (denied[0] != '\0' && strcmp(path, denied) == 0) {
        errno = EACCES;
        return -1;
    }
    return next(path, flags);
}

/* ---- transfers ---- */

static struct usbdevfs_urb *fields(const struct urb *urb) {
    return (struct usbdevfs_urb *)(void *)urb->data->data;
}

static uint8_t *bytes_of(const struct urb *urb) {
    return urb->buffer->data;
}

/* Whether the transfer is over. */
static bool end(struct urb *urb, int status) {
    fields(urb)->status = status;
    fields(urb)->actual_length = (int)urb->done;
    return true;
}

static bool make_noise(struct mock_device *device, struct urb *urb, size_t size) {
    struct mock_faults *faults = &device->faults;
    const size_t left = faults->noise - faults->noise_made;
    size_t n = 1 + device->seed % 9000;
    n = n < size ? n : size;
    n = n < left ? n : left;
    for (size_t i = 0; i < n; i++) {
        device->seed = device->seed * 1664525u + 1013904223u;
        bytes_of(urb)[i] = (uint8_t)(device->seed >> 24);
    }
    faults->noise_made += n;
    urb->done = n;
    return end(urb, 0);
}

static bool move_in(struct mock_device *device, struct urb *urb) {
    struct mock_faults *faults = &device->faults;
    const size_t size = (size_t)fields(urb)->buffer_length;
    struct usb_host *host = &device->host;
    if (fields(urb)->endpoint != 0x81) {
        return end(urb, -EPROTO);
    }
    if (faults->in_times > 0) {
        faults->in_times--;
        return end(urb, faults->in_status);
    }
    if (faults->empty) {
        return end(urb, 0);
    }
    if (faults->noise > faults->noise_made) {
        return make_noise(device, urb, size);
    }
    for (unsigned tries = 0; urb->done + 64 <= size && tries < 4; tries++) {
        unsigned toggle = 0;
        host->run(host->device);
        const int n = host->port.in(host->port.controller, host->address, fields(urb)->endpoint,
                                    &toggle, bytes_of(urb) + urb->done);
        if (n == USB_NAK) {
            continue;
        }
        if (n < 0) {
            return end(urb, n == USB_STALL ? -EPIPE : -EPROTO);
        }
        unsigned *expected = &host->toggle_in[fields(urb)->endpoint & 15];
        host->toggle_errors += toggle != *expected;
        *expected ^= 1;
        urb->done += (size_t)n;
        if (n < 64 || faults->shredded) {
            return end(urb, 0);
        }
        tries = 0;
    }
    return urb->done + 64 > size && end(urb, 0);
}

static bool move_out(struct mock_device *device, struct urb *urb) {
    struct mock_faults *faults = &device->faults;
    if (fields(urb)->endpoint != 1) {
        return end(urb, -EPROTO);
    }
    if (faults->deaf) {
        return false;
    }
    if (faults->out_times > 0) {
        faults->out_times--;
        return end(urb, faults->out_status);
    }
    const size_t size = (size_t)fields(urb)->buffer_length;
    const int n = usb_host_out(&device->host, fields(urb)->endpoint, bytes_of(urb) + urb->done,
                               size - urb->done, false);
    if (n < 0) {
        return end(urb, -EPIPE);
    }
    urb->done += (size_t)n;
    return urb->done == size && end(urb, 0);
}

static bool get_product(struct mock_device *device, struct urb *urb) {
    const uint8_t *setup = bytes_of(urb);
    if (device->product[0] == '\0' || setup[0] != 0x80 || setup[1] != 6 || setup[3] != 3 ||
        setup[2] != 2) {
        return false;
    }
    const size_t n = strlen(device->product);
    uint8_t *to = bytes_of(urb) + 8;
    const size_t room = (size_t)fields(urb)->buffer_length - 8;
    for (size_t i = 0; i < 2 + 2 * n && i < room; i++) {
        to[i] = (uint8_t)(i == 0   ? 2 + 2 * n
                          : i == 1 ? 3
                          : i % 2  ? 0
                                   : (uint8_t)device->product[i / 2 - 1]);
    }
    urb->done = 2 + 2 * n < room ? 2 + 2 * n : room;
    return true;
}

static bool move_control(struct mock_device *device, struct urb *urb) {
    const uint8_t *setup = bytes_of(urb);
    if (get_product(device, urb)) {
        return end(urb, 0);
    }
    const int n =
        usb_host_control(&device->host, setup[0], setup[1], (uint16_t)(setup[2] | setup[3] << 8),
                         (uint16_t)(setup[4] | setup[5] << 8), (uint16_t)(setup[6] | setup[7] << 8),
                         bytes_of(urb) + 8);
    urb->done = n > 0 ? (size_t)n : 0;
    return end(urb, n >= 0 ? 0 : n == USB_STALL ? -EPIPE : -EPROTO);
}

static bool move(struct mock_device *device, struct urb *urb) {
    if (urb->discarded) {
        return end(urb, -ENOENT);
    }
    if (!device->plugged) {
        return end(urb, -ESHUTDOWN);
    }
    if (fields(urb)->type == USBDEVFS_URB_TYPE_CONTROL) {
        return move_control(device, urb);
    }
    return (fields(urb)->endpoint & 0x80) != 0 ? move_in(device, urb) : move_out(device, urb);
}

/* The first that is over, or -1. Only the first of an endpoint moves. */
static int find_ended(struct mock_device *device) {
    uint32_t seen = 0;
    for (unsigned i = 0; i < device->n_urbs; i++) {
        const uint8_t endpoint = fields(&device->urbs[i])->endpoint;
        const uint32_t bit = UINT32_C(1) << ((endpoint & 15) + (endpoint & 0x80 ? 16 : 0));
        const bool first = (seen & bit) == 0;
        seen |= bit;
        if ((first || device->urbs[i].discarded || !device->plugged) &&
            move(device, &device->urbs[i])) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- what libusb asks the kernel ---- */

static void reap(struct mock_device *device, UMockdevIoctlClient *client, UMockdevIoctlData *arg) {
    const int at = find_ended(device);
    if (at < 0) {
        mock_unlock();
        usleep(WAIT_US);
        mock_lock();
        umockdev_ioctl_client_complete(client, -1, device->plugged ? EAGAIN : ENODEV);
        return;
    }
    struct urb urb = device->urbs[at];
    memmove(device->urbs + at, device->urbs + at + 1,
            (--device->n_urbs - (unsigned)at) * sizeof urb);
    UMockdevIoctlData *pointer = umockdev_ioctl_data_resolve(arg, 0, sizeof(void *), NULL);
    umockdev_ioctl_data_set_ptr(pointer, 0, urb.data);
    umockdev_ioctl_client_complete(client, 0, 0);
    umockdev_ioctl_data_unref(pointer);
    umockdev_ioctl_data_unref(urb.buffer);
    umockdev_ioctl_data_unref(urb.data);
}

static void submit(struct mock_device *device, UMockdevIoctlClient *client,
                   UMockdevIoctlData *arg) {
    if (!device->plugged || device->n_urbs == URBS) {
        umockdev_ioctl_client_complete(client, -1, device->plugged ? ENOMEM : ENODEV);
        return;
    }
    struct urb *urb = &device->urbs[device->n_urbs++];
    *urb = (struct urb){.data =
                            umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_urb), NULL)};
    urb->buffer =
        umockdev_ioctl_data_resolve(urb->data, G_STRUCT_OFFSET(struct usbdevfs_urb, buffer),
                                    (gsize)fields(urb)->buffer_length, NULL);
    umockdev_ioctl_client_complete(client, 0, 0);
}

static void discard(struct mock_device *device, UMockdevIoctlClient *client,
                    UMockdevIoctlData *arg) {
    /* Not resolved: then it would be the address of a copy. */
    const gulong address = *(const gulong *)(const void *)arg->data;
    for (unsigned i = 0; i < device->n_urbs; i++) {
        if (device->urbs[i].data->client_addr == address) {
            device->urbs[i].discarded = true;
            umockdev_ioctl_client_complete(client, 0, 0);
            return;
        }
    }
    umockdev_ioctl_client_complete(client, -1, EINVAL);
}

static void set_interface(struct mock_device *device, UMockdevIoctlClient *client) {
    const int n = usb_host_control(&device->host, 1, 11, 0, 0, 0, NULL);
    device->host.toggle_in[1] = device->host.toggle_out[1] = 0;
    umockdev_ioctl_client_complete(client, n == 0 ? 0 : -1, n == 0 ? 0 : EPIPE);
}

static void clear_halt(struct mock_device *device, UMockdevIoctlClient *client,
                       UMockdevIoctlData *arg) {
    UMockdevIoctlData *number = umockdev_ioctl_data_resolve(arg, 0, sizeof(unsigned), NULL);
    const unsigned endpoint = *(const unsigned *)(const void *)number->data;
    umockdev_ioctl_data_unref(number);
    usb_host_control(&device->host, 2, 1, 0, (uint16_t)endpoint, 0, NULL);
    unsigned *toggles = (endpoint & 0x80) != 0 ? device->host.toggle_in : device->host.toggle_out;
    toggles[endpoint & 15] = 0;
    umockdev_ioctl_client_complete(client, 0, 0);
}

static gboolean on_ioctl(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, void *user) {
    (void)handler;
    struct mock_device *device = user;
    UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client);
    const gulong request = umockdev_ioctl_client_get_request(client);
    gboolean known = TRUE;
    mock_lock();
    if (device->faults.halt_in && device->plugged) {
        device->faults.halt_in = false;
        usb_host_control(&device->host, 2, 3, 0, 0x81, 0, NULL);
    }
    if (request == USBDEVFS_GET_CAPABILITIES) {
        UMockdevIoctlData *to = umockdev_ioctl_data_resolve(arg, 0, sizeof(uint32_t), NULL);
        const uint32_t able = USBDEVFS_CAP_BULK_CONTINUATION | USBDEVFS_CAP_NO_PACKET_SIZE_LIM |
                              USBDEVFS_CAP_BULK_SCATTER_GATHER | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
        memcpy(to->data, &able, sizeof able);
        umockdev_ioctl_client_complete(client, 0, 0);
        umockdev_ioctl_data_unref(to);
    } else if (request == USBDEVFS_SUBMITURB) {
        submit(device, client, arg);
    } else if (request == USBDEVFS_REAPURBNDELAY || request == USBDEVFS_REAPURB) {
        reap(device, client, arg);
    } else if (request == USBDEVFS_DISCARDURB) {
        discard(device, client, arg);
    } else if (!device->plugged) {
        umockdev_ioctl_client_complete(client, -1, ENODEV);
    } else if (request == USBDEVFS_SETINTERFACE) {
        set_interface(device, client);
    } else if (request == USBDEVFS_CLEAR_HALT) {
        clear_halt(device, client, arg);
    } else if (request == USBDEVFS_CLAIMINTERFACE || request == USBDEVFS_RELEASEINTERFACE ||
               request == USBDEVFS_DISCONNECT_CLAIM) {
        umockdev_ioctl_client_complete(client, 0, 0);
    } else if (request == USBDEVFS_GETDRIVER) {
        umockdev_ioctl_client_complete(client, -1, ENODATA);
    } else {
        umockdev_ioctl_client_complete(client, -1, ENOTTY);
    }
    mock_unlock();
    return known;
}

/* ---- plug and unplug ---- */

void mock_begin(void) {
    bed = umockdev_testbed_new();
    assert_non_null(bed);
    memset(&hub, 0, sizeof hub);
    mock_lock();
    fake_board_reset();
    mock_hub_restart();
    mock_unlock();
}

void mock_end(void) {
    for (unsigned i = 0; i < DEVICES; i++) {
        if (devices[i].used) {
            mock_unplug(&devices[i]);
            for (unsigned k = 0; k < devices[i].n_urbs; k++) {
                umockdev_ioctl_data_unref(devices[i].urbs[k].buffer);
                umockdev_ioctl_data_unref(devices[i].urbs[k].data);
            }
            g_object_unref(devices[i].handler);
            devices[i].used = false;
        }
    }
    g_object_unref(bed);
    bed = NULL;
}

/* From a host of its own: nobody uses the device yet. */
static size_t read_descriptors(struct usb_host *host, uint8_t to[64]) {
    const int n = usb_host_control(host, 0x80, 6, 0x0100, 0, 18, to);
    const int m = usb_host_control(host, 0x80, 6, 0x0200, 0, 46, to + 18);
    assert_true(n == 18 && m > 0);
    return (size_t)(n + m);
}

static struct mock_device *last;

size_t mock_descriptors(uint8_t to[64]) {
    mock_lock();
    const size_t n = read_descriptors(&last->host, to);
    mock_unlock();
    return n;
}

static void describe(struct mock_device *device, const struct mock_plug *plug) {
    uint8_t bytes[64];
    const uint8_t *from = plug->descriptors;
    size_t n = plug->n_descriptors;
    if (from == NULL) {
        n = read_descriptors(&device->host, bytes);
        from = bytes;
        if (plug->vendor != 0) {
            bytes[8] = (uint8_t)plug->vendor;
            bytes[9] = (uint8_t)(plug->vendor >> 8);
        }
        if (plug->version != 0) {
            bytes[12] = (uint8_t)plug->version;
            bytes[13] = (uint8_t)(plug->version >> 8);
        }
    }
    GString *text = g_string_new(NULL);
    g_string_append_printf(text,
                           "P: /devices/usb%u\nN: bus/usb/001/%03u\nE: SUBSYSTEM=usb\n"
                           "E: DRIVER=usb\nE: BUSNUM=001\nE: DEVNUM=%03u\n"
                           "E: DEVNAME=/dev/bus/usb/001/%03u\nE: DEVTYPE=usb_device\n"
                           "A: bConfigurationValue=1\\n\nA: busnum=1\\n\nA: devnum=%u\\n\n"
                           "A: speed=12\\n\nH: descriptors=",
                           device->number, device->number, device->number, device->number,
                           device->number);
    for (size_t i = 0; i < n; i++) {
        g_string_append_printf(text, "%02x", from[i]);
    }
    g_string_append(text, "\n");
    GError *error = NULL;
    if (!umockdev_testbed_add_from_string(bed, text->str, &error)) {
        fail_msg("umockdev: %s", error->message);
    }
    g_string_free(text, TRUE);
}

static void power(struct mock_device *device, const char *serial) {
    device->sim = serial == NULL ? &hub_sim : &device->own_sim;
    if (serial != NULL) {
        dcd_sim_init(device->sim, true);
        usb_link_init(&device->own_link, &device->own_sim.dcd, serial, NFSAR_WIRE_MAJOR,
                      NFSAR_WIRE_MINOR);
    }
    device->host = (struct usb_host){.port = dcd_sim_port(device->sim),
                                     .run = serial == NULL ? run_hub : run_own,
                                     .device = device};
    assert_true(usb_host_enumerate(&device->host, (uint8_t)device->number));
}

struct mock_device *mock_plug(const struct mock_plug *plug) {
    static const struct mock_plug plain;
    plug = plug != NULL ? plug : &plain;
    unsigned i = 0;
    while (i < DEVICES && devices[i].used && devices[i].plugged) {
        i++;
    }
    assert_true(i < DEVICES);
    struct mock_device *device = &devices[i];
    mock_lock();
    for (unsigned k = 0; device->used && k < device->n_urbs; k++) {
        umockdev_ioctl_data_unref(device->urbs[k].buffer);
        umockdev_ioctl_data_unref(device->urbs[k].data);
    }
    UMockdevIoctlBase *old = device->used ? device->handler : NULL;
    memset(device, 0, sizeof *device);
    device->used = device->plugged = true;
    device->number = 1 + plugs++ % 120;
    device->seed = 1;
    if (plug->product != NULL) {
        snprintf(device->product, sizeof device->product, "%s", plug->product);
    }
    snprintf(device->node, sizeof device->node, "/dev/bus/usb/001/%03u", device->number);
    snprintf(device->sys, sizeof device->sys, "/sys/devices/usb%u", device->number);
    power(device, plug->serial);
    mock_unlock();
    if (old != NULL) {
        g_object_unref(old);
    }
    device->handler = umockdev_ioctl_base_new();
    g_signal_connect(device->handler, "handle-ioctl", G_CALLBACK(on_ioctl), device);
    assert_true(umockdev_testbed_attach_ioctl(bed, device->node, device->handler, NULL));
    mock_lock();
    last = device;
    mock_unlock();
    describe(device, plug);
    return device;
}

void mock_unplug(struct mock_device *device) {
    if (!device->plugged) {
        return;
    }
    mock_lock();
    device->plugged = false;
    mock_unlock();
    /* Removing it ends what answers libusb, as no kernel does: not before that has what it waits
     * for. */
    for (unsigned i = 0, busy = 1; i < 50000 && busy > 0; i++) {
        mock_lock();
        busy = device->n_urbs;
        mock_unlock();
        usleep(busy > 0 ? WAIT_US : 0);
    }
    umockdev_testbed_uevent(bed, device->sys, "remove");
    umockdev_testbed_remove_device(bed, device->sys);
}
