/* The hub's USB stack as a device that a real Linux enumerates: byte pipe, core, OTG_FS driver and
 * the model of its registers in one process, their cable led through usb-redir into a qemu guest.
 *
 *     redir_device SOCKET echo|hub     connects to qemu's "-chardev socket,path=SOCKET,server=on"
 *
 * The application echoes, or is the hub's own (hub_device.h). usb-redir carries transfers, not
 * transactions: this program is the host controller between them. It adds one vendor request of its
 * own, UNPLUG.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <usbredirparser.h>

#include "firmware/usb/otg_fs.h"
#include "firmware/usb/usb_link.h"
#include "tests/firmware/otg_model.h"
#include "tests/firmware/usb_guest/hub_device.h"

#define ADDRESS       7
#define MAX_TRANSFERS 256
#define RESET_MS      20

/* bmRequestType 0x40, wValue: milliseconds without a cable; wIndex: after so many more records of
 * the hub, 0: at once. Not the device's: for the test. */
#define UNPLUG 0xf0

/* A bulk transfer that waits for its turn on its endpoint. */
struct transfer {
    uint64_t id;
    uint8_t endpoint;
    uint8_t *data;
    size_t n, done;
    uint32_t stream;
};

struct bridge {
    struct otg_model model;
    struct otg_fs otg;
    struct usb_link link; /* of the application that echoes */
    bool is_hub, powered;
    unsigned pulls; /* of the cable */
    struct usb_host host;
    uint8_t echo[512];
    size_t n_echo, done_echo;

    struct usbredirparser *parser;
    int fd;
    bool broken; /* the connection */
    unsigned unplug_ms;
    unsigned later_ms; /* when the hub has made unplug_at records */
    uint32_t unplug_at;
    struct transfer transfers[MAX_TRANSFERS];
    size_t n_transfers;
};

/* ---- the device ---- */

static void run(void *user) {
    struct bridge *bridge = user;
    struct usb_link *link = &bridge->link;
    if (bridge->is_hub) {
        hub_device_run();
        return;
    }
    usb_link_poll(link);
    if (bridge->done_echo == bridge->n_echo) {
        bridge->n_echo = usb_link_read(link, bridge->echo, sizeof bridge->echo);
        bridge->done_echo = 0;
    }
    bridge->done_echo +=
        usb_link_write(link, bridge->echo + bridge->done_echo, bridge->n_echo - bridge->done_echo);
    if (!usb_link_ready(link)) {
        bridge->done_echo = bridge->n_echo = 0;
    }
}

static bool power_up(struct bridge *bridge) {
    static const uint8_t chip[12] = {0x34, 0x35, 0x37, 0x37, 0x30, 0x34,
                                     0x51, 0x11, 0x00, 0x47, 0x00, 0x41};
    char serial[USB_SERIAL_SIZE];
    usb_serial(chip, serial);
    const bool resets = bridge->is_hub && bridge->powered && hub_device_resets();
    if (bridge->is_hub && bridge->powered && !resets) {
        return true;
    }
    bridge->powered = true;
    otg_model_init(&bridge->model);
    const struct otg_fs_access access = otg_model_access(&bridge->model);
    otg_fs_create(&bridge->otg, &access, false);
    bridge->host =
        (struct usb_host){.port = otg_model_port(&bridge->model), .run = run, .device = bridge};
    if (bridge->is_hub) {
        hub_device_start(&bridge->otg.dcd, resets);
        return true;
    }
    return usb_link_init(&bridge->link, &bridge->otg.dcd, serial, 3, 14);
}

/* qemu keeps SET_ADDRESS to itself, so this host chooses one. */
static bool bus_reset(struct bridge *bridge) {
    usb_host_reset(&bridge->host);
    if (usb_host_control(&bridge->host, 0, 5, ADDRESS, 0, 0, NULL) != 0) {
        return false;
    }
    bridge->host.address = ADDRESS;
    return true;
}

/* ---- what usb-redir wants to know beforehand ---- */

static void send_info(struct bridge *bridge) {
    uint8_t configuration[256];
    int n =
        usb_host_control(&bridge->host, 0x80, 6, 0x0200, 0, sizeof configuration, configuration);
    struct usb_redir_interface_info_header interfaces = {0};
    struct usb_redir_ep_info_header endpoints = {0};
    memset(endpoints.type, usb_redir_type_invalid, sizeof endpoints.type);
    endpoints.type[0] = endpoints.type[16] = usb_redir_type_control;
    endpoints.max_packet_size[0] = endpoints.max_packet_size[16] = 64;
    for (int i = 0; i + 1 < n && configuration[i] > 1; i += configuration[i]) {
        const uint8_t *d = configuration + i;
        if (d[1] == 4) {
            uint32_t k = interfaces.interface_count++;
            interfaces.interface[k] = d[2];
            interfaces.interface_class[k] = d[5];
            interfaces.interface_subclass[k] = d[6];
            interfaces.interface_protocol[k] = d[7];
        } else if (d[1] == 5) {
            unsigned k = (d[2] & 0x80 ? 16 : 0) + (d[2] & 15);
            endpoints.type[k] = d[3] & 3;
            endpoints.interval[k] = d[6];
            endpoints.max_packet_size[k] = (uint16_t)(d[4] | d[5] << 8);
        }
    }
    usbredirparser_send_interface_info(bridge->parser, &interfaces);
    usbredirparser_send_ep_info(bridge->parser, &endpoints);
}

static void on_hello(void *user, struct usb_redir_hello_header *hello) {
    (void)hello;
    struct bridge *bridge = user;
    uint8_t d[18];
    if (!bus_reset(bridge) || usb_host_control(&bridge->host, 0x80, 6, 0x0100, 0, 18, d) != 18) {
        fprintf(stderr, "redir_device: the device does not answer\n");
        bridge->broken = true;
        return;
    }
    send_info(bridge);
    struct usb_redir_device_connect_header connect = {.speed = usb_redir_speed_full,
                                                      .device_class = d[4],
                                                      .device_subclass = d[5],
                                                      .device_protocol = d[6],
                                                      .vendor_id = (uint16_t)(d[8] | d[9] << 8),
                                                      .product_id = (uint16_t)(d[10] | d[11] << 8),
                                                      .device_version_bcd =
                                                          (uint16_t)(d[12] | d[13] << 8)};
    usbredirparser_send_device_connect(bridge->parser, &connect);
}

/* ---- control transfers ---- */

static uint8_t status_of(int answer) {
    return answer >= 0           ? usb_redir_success
           : answer == USB_STALL ? usb_redir_stall
                                 : usb_redir_ioerror;
}

static void forget_toggles(struct bridge *bridge) {
    for (int i = 1; i < 16; i++) {
        bridge->host.toggle_in[i] = bridge->host.toggle_out[i] = 0;
    }
}

static void on_control(void *user, uint64_t id, struct usb_redir_control_packet_header *header,
                       uint8_t *data, int n) {
    struct bridge *bridge = user;
    static uint8_t buffer[65536];
    if (n > 0) {
        memcpy(buffer, data, (size_t)n);
    }
    usbredirparser_free_packet_data(bridge->parser, data);
    int answer;
    if (header->requesttype == 0x40 && header->request == UNPLUG) {
        *(header->index > 0 ? &bridge->later_ms : &bridge->unplug_ms) = header->value;
        bridge->unplug_at = bridge->is_hub ? hub_device_records() + header->index : 0;
        answer = 0;
    } else {
        answer = usb_host_control(&bridge->host, header->requesttype, header->request,
                                  header->value, header->index, header->length, buffer);
    }
    bool clear_halt = header->requesttype == 2 && header->request == 1 && header->value == 0;
    if (clear_halt && answer == 0) {
        unsigned *toggles = header->index & 0x80 ? bridge->host.toggle_in : bridge->host.toggle_out;
        toggles[header->index & 15] = 0;
    }
    bool to_host = header->requesttype & 0x80;
    header->status = status_of(answer);
    header->length = (uint16_t)(answer > 0 ? answer : 0);
    bool with_data = to_host && answer > 0;
    usbredirparser_send_control_packet(bridge->parser, id, header, with_data ? buffer : NULL,
                                       with_data ? answer : 0);
}

static void on_set_configuration(void *user, uint64_t id,
                                 struct usb_redir_set_configuration_header *set) {
    struct bridge *bridge = user;
    int answer = usb_host_control(&bridge->host, 0, 9, set->configuration, 0, 0, NULL);
    forget_toggles(bridge);
    send_info(bridge);
    struct usb_redir_configuration_status_header status = {status_of(answer), set->configuration};
    usbredirparser_send_configuration_status(bridge->parser, id, &status);
}

static void on_get_configuration(void *user, uint64_t id) {
    struct bridge *bridge = user;
    struct usb_redir_configuration_status_header status = {0};
    status.status =
        status_of(usb_host_control(&bridge->host, 0x80, 8, 0, 0, 1, &status.configuration));
    usbredirparser_send_configuration_status(bridge->parser, id, &status);
}

static void on_set_alt(void *user, uint64_t id, struct usb_redir_set_alt_setting_header *set) {
    struct bridge *bridge = user;
    int answer = usb_host_control(&bridge->host, 1, 11, set->alt, set->interface, 0, NULL);
    if (answer == 0) {
        forget_toggles(bridge);
    }
    struct usb_redir_alt_setting_status_header status = {status_of(answer), set->interface,
                                                         set->alt};
    usbredirparser_send_alt_setting_status(bridge->parser, id, &status);
}

static void on_get_alt(void *user, uint64_t id, struct usb_redir_get_alt_setting_header *get) {
    struct bridge *bridge = user;
    struct usb_redir_alt_setting_status_header status = {.interface = get->interface};
    status.status =
        status_of(usb_host_control(&bridge->host, 0x81, 10, 0, get->interface, 1, &status.alt));
    usbredirparser_send_alt_setting_status(bridge->parser, id, &status);
}

/* ---- bulk transfers ---- */

static void end_transfer(struct bridge *bridge, size_t at, uint8_t status) {
    struct transfer t = bridge->transfers[at];
    memmove(bridge->transfers + at, bridge->transfers + at + 1,
            (--bridge->n_transfers - at) * sizeof t);
    struct usb_redir_bulk_packet_header header = {.endpoint = t.endpoint,
                                                  .status = status,
                                                  .length = (uint16_t)(t.done & 0xffff),
                                                  .stream_id = t.stream,
                                                  .length_high = (uint16_t)(t.done >> 16)};
    bool to_host = t.endpoint & 0x80;
    usbredirparser_send_bulk_packet(bridge->parser, t.id, &header,
                                    to_host && t.done > 0 ? t.data : NULL,
                                    to_host ? (int)t.done : 0);
    free(t.data);
}

static void on_bulk(void *user, uint64_t id, struct usb_redir_bulk_packet_header *header,
                    uint8_t *data, int n) {
    struct bridge *bridge = user;
    if (bridge->n_transfers == MAX_TRANSFERS) {
        fprintf(stderr, "redir_device: too many transfers\n");
        bridge->broken = true;
        return;
    }
    struct transfer *t = &bridge->transfers[bridge->n_transfers++];
    *t = (struct transfer){.id = id, .endpoint = header->endpoint, .stream = header->stream_id};
    t->n = header->length | (size_t)header->length_high << 16;
    t->data = malloc(t->n + 64);
    if (n > 0) {
        memcpy(t->data, data, (size_t)n);
    }
    usbredirparser_free_packet_data(bridge->parser, data);
}

static void on_cancel(void *user, uint64_t id) {
    struct bridge *bridge = user;
    for (size_t i = 0; i < bridge->n_transfers; i++) {
        if (bridge->transfers[i].id == id) {
            end_transfer(bridge, i, usb_redir_cancelled);
            return;
        }
    }
}

/* One packet of a transfer. Returns 0 for NAK, 1 when it moved, 2 when the transfer is over. */
static int step(struct bridge *bridge, size_t at) {
    struct transfer *t = &bridge->transfers[at];
    struct usb_host *host = &bridge->host;
    unsigned number = t->endpoint & 15;
    int answer;
    size_t n;
    if (t->endpoint & 0x80) {
        unsigned toggle;
        answer = host->port.in(&bridge->model, ADDRESS, t->endpoint, &toggle, t->data + t->done);
        n = answer > 0 ? (size_t)answer : 0;
        if (answer >= 0 && toggle != host->toggle_in[number]) {
            fprintf(stderr, "redir_device: wrong toggle\n");
            bridge->broken = true;
        }
        host->toggle_in[number] ^= answer >= 0;
    } else {
        n = t->n - t->done < 64 ? t->n - t->done : 64;
        answer = host->port.out(&bridge->model, ADDRESS, t->endpoint, host->toggle_out[number],
                                t->data + t->done, n);
        host->toggle_out[number] ^= answer >= 0;
    }
    if (answer == USB_NAK) {
        return 0;
    }
    if (answer >= 0) {
        t->done += n;
        if (t->done < t->n && n == 64) {
            return 1;
        }
    }
    end_transfer(bridge, at, status_of(answer));
    return 2;
}

/* Only the first transfer of each endpoint may move. True when one did. */
static bool work(struct bridge *bridge) {
    bool any = false;
    uint32_t seen = 0;
    for (size_t i = 0; i < bridge->n_transfers; i++) {
        uint8_t endpoint = bridge->transfers[i].endpoint;
        uint32_t bit = 1u << ((endpoint & 15) + (endpoint & 0x80 ? 16 : 0));
        if (!(seen & bit)) {
            seen |= bit;
            int moved = step(bridge, i);
            any |= moved > 0;
            if (moved == 2) {
                break;
            }
        }
    }
    run(bridge);
    return any;
}

static void forget_transfers(struct bridge *bridge) {
    for (size_t i = 0; i < bridge->n_transfers; i++) {
        free(bridge->transfers[i].data);
    }
    bridge->n_transfers = 0;
}

/* The cable is pulled: what the device was told that it arrived, the guest gets. */
static void end_begun_transfers(struct bridge *bridge) {
    for (size_t i = bridge->n_transfers; i-- > 0;) {
        if ((bridge->transfers[i].endpoint & 0x80) != 0 && bridge->transfers[i].done > 0) {
            end_transfer(bridge, i, usb_redir_success);
        }
    }
}

static void on_reset(void *user) {
    struct bridge *bridge = user;
    forget_transfers(bridge);
    bridge->broken |= !bus_reset(bridge);
}

/* ---- the connection ---- */

static void on_log(void *user, int level, const char *message) {
    (void)user;
    if (level <= usbredirparser_warning) {
        fprintf(stderr, "redir_device: %s\n", message);
    }
}

static int on_read(void *user, uint8_t *data, int n) {
    ssize_t got = read(((struct bridge *)user)->fd, data, (size_t)n);
    return got > 0 ? (int)got : got < 0 && errno == EAGAIN ? 0 : -1;
}

static int on_write(void *user, uint8_t *data, int n) {
    ssize_t put = write(((struct bridge *)user)->fd, data, (size_t)n);
    return put >= 0 ? (int)put : errno == EAGAIN ? 0 : -1;
}

static struct usbredirparser *create_parser(struct bridge *bridge) {
    struct usbredirparser *parser = usbredirparser_create();
    uint32_t caps[USB_REDIR_CAPS_SIZE] = {0};
    parser->priv = bridge;
    parser->log_func = on_log;
    parser->read_func = on_read;
    parser->write_func = on_write;
    parser->hello_func = on_hello;
    parser->reset_func = on_reset;
    parser->set_configuration_func = on_set_configuration;
    parser->get_configuration_func = on_get_configuration;
    parser->set_alt_setting_func = on_set_alt;
    parser->get_alt_setting_func = on_get_alt;
    parser->control_packet_func = on_control;
    parser->bulk_packet_func = on_bulk;
    parser->cancel_data_packet_func = on_cancel;
    usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_ep_info_max_packet_size);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
    usbredirparser_init(parser, "nfsar redir_device", caps, USB_REDIR_CAPS_SIZE,
                        usbredirparser_fl_usb_host);
    return parser;
}

/* The parser hangs on a descriptor that blocks. */
static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (int i = 0; i < 300; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
            fcntl(fd, F_SETFL, O_NONBLOCK);
            return fd;
        }
        close(fd);
        usleep(20000);
    }
    return -1;
}

/* One life of the device, from plug to unplug. False: do not come back. */
static bool serve(struct bridge *bridge, const char *path) {
    bridge->fd = connect_to(path);
    if (bridge->fd < 0 || !power_up(bridge)) {
        return false;
    }
    bridge->parser = create_parser(bridge);
    bridge->unplug_ms = 0;
    while (!bridge->broken) {
        /* A chip in its reset pulls its cable, as the host sees it. */
        if (bridge->is_hub && hub_device_resets()) {
            bridge->unplug_ms = RESET_MS;
        }
        if (bridge->later_ms > 0 && hub_device_records() >= bridge->unplug_at) {
            bridge->unplug_ms = bridge->later_ms;
            bridge->later_ms = 0;
        }
        if (bridge->unplug_ms > 0) {
            end_begun_transfers(bridge);
        }
        bool busy = bridge->unplug_ms == 0 && work(bridge);
        bool sending = usbredirparser_has_data_to_write(bridge->parser) > 0;
        if (bridge->unplug_ms > 0 && !sending) {
            break;
        }
        struct pollfd wait = {bridge->fd, POLLIN | (sending ? POLLOUT : 0), 0};
        poll(&wait, 1, busy ? 0 : 5);
        bool gone = wait.revents & POLLIN &&
                    usbredirparser_do_read(bridge->parser) == usbredirparser_read_io_error;
        gone |= sending && usbredirparser_do_write(bridge->parser) < 0;
        bridge->broken |= gone || wait.revents & (POLLERR | POLLNVAL);
    }
    forget_transfers(bridge);
    usbredirparser_destroy(bridge->parser);
    close(bridge->fd);
    bridge->pulls += bridge->unplug_ms > 0 && !(bridge->is_hub && hub_device_resets());
    for (unsigned i = 0; i < bridge->unplug_ms; i++) {
        run(bridge);
        usleep(1000);
    }
    return bridge->unplug_ms > 0;
}

int main(int argc, char **argv) {
    static struct bridge bridge;
    if (argc != 3) {
        fprintf(stderr, "usage: redir_device SOCKET echo|hub\n");
        return 2;
    }
    bridge.is_hub = strcmp(argv[2], "hub") == 0;
    while (serve(&bridge, argv[1])) {
    }
    if (bridge.is_hub) {
        hub_device_report();
    }
    struct usb_link_counters c =
        usb_link_counters(bridge.is_hub ? hub_device_link() : &bridge.link);
    printf("redir_device: %u pulls of the cable, %u resets, %u stalls, %u faults, %u misuses of "
           "the registers%s%s\n",
           bridge.pulls, c.resets, c.stalls, c.faults, bridge.model.misuse,
           bridge.model.misuse ? ": " : "", bridge.model.misuse ? bridge.model.first_misuse : "");
    return bridge.model.misuse > 0 || c.faults > 0;
}
