/* The network between this computer and the card: what the kernel knows of it. Nothing is sent. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/devices/doctor_check.h"

static bool read_address(const char *text, struct in_addr *address) {
    return inet_pton(AF_INET, text, address) == 1;
}

static const struct sockaddr_in *ipv4(const struct sockaddr *address) {
    return address != NULL && address->sa_family == AF_INET
               ? (const struct sockaddr_in *)(const void *)address
               : NULL;
}

/* Network cards with a cable: those that have a device behind them and no antenna. */
static void list_wired(char *text, size_t size) {
    struct if_nameindex *cards = if_nameindex();
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; cards != NULL && cards[i].if_index != 0; i++) {
        char device[96], wireless[96];
        snprintf(device, sizeof device, "/sys/class/net/%.32s/device", cards[i].if_name);
        snprintf(wireless, sizeof wireless, "/sys/class/net/%.32s/wireless", cards[i].if_name);
        if (access(device, F_OK) == 0 && access(wireless, F_OK) != 0 && used + 40 < size) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " or " : "",
                                     cards[i].if_name);
        }
    }
    if (cards != NULL) {
        if_freenameindex(cards);
    }
}

static void say_no_address(struct doctor *doctor) {
    char cards[256], fix[512], address[64];
    list_wired(cards, sizeof cards);
    snprintf(address, sizeof address, "%.48s/24", doctor->card.host_address);
    const char *card = cards[0] != '\0' ? cards : "CARD (the network card that the cable is in)";
    snprintf(fix, sizeof fix, "sudo ip addr add %s dev %s; sudo ip link set dev %s up", address,
             card, cards[0] != '\0' ? cards : "CARD");
    doctor_say(doctor, "network address", DOCTOR_WRONG, fix,
               "no network card of this computer has the address %s that the card sends to",
               doctor->card.host_address);
}

/* Finds the network card; *same: the capture card's address is in its network. */
static bool find_interface(struct doctor *doctor, bool *same) {
    struct in_addr host, card;
    struct ifaddrs *list = NULL;
    *same = false;
    if (!read_address(doctor->card.host_address, &host) ||
        !read_address(doctor->card.card_address, &card) || getifaddrs(&list) != 0) {
        return false;
    }
    for (const struct ifaddrs *one = list; one != NULL; one = one->ifa_next) {
        const struct sockaddr_in *own = ipv4(one->ifa_addr), *mask = ipv4(one->ifa_netmask);
        /* All of 127.0.0.0/8 is this computer's, where emulators are. */
        const bool loop = own != NULL && mask != NULL && (one->ifa_flags & IFF_LOOPBACK) != 0 &&
                          ((own->sin_addr.s_addr ^ host.s_addr) & mask->sin_addr.s_addr) == 0;
        if (own != NULL && (loop || own->sin_addr.s_addr == host.s_addr)) {
            snprintf(doctor->interface, sizeof doctor->interface, "%s", one->ifa_name);
            *same = mask == NULL || ((host.s_addr ^ card.s_addr) & mask->sin_addr.s_addr) == 0;
        }
    }
    freeifaddrs(list);
    return doctor->interface[0] != '\0';
}

static void check_address(struct doctor *doctor) {
    bool same = false;
    if (!find_interface(doctor, &same)) {
        say_no_address(doctor);
        return;
    }
    doctor->has_address = true;
    if (!same) {
        char fix[256];
        snprintf(fix, sizeof fix,
                 "card.address and card.host of the session must differ in the last number alone, "
                 "or: sudo ip route add %.48s dev %s",
                 doctor->card.card_address, doctor->interface);
        doctor_say(doctor, "network address", DOCTOR_WRONG, fix,
                   "%s has %s, but the card's address %s is not in its network", doctor->interface,
                   doctor->card.host_address, doctor->card.card_address);
    } else {
        doctor_say(doctor, "network address", DOCTOR_OK, NULL, "%s has %s", doctor->interface,
                   doctor->card.host_address);
    }
}

static void check_link(struct doctor *doctor) {
    char path[96], fix[192];
    if (doctor->interface[0] == '\0') {
        doctor_say(doctor, "network link", DOCTOR_UNKNOWN, NULL, "no network card to look at");
        return;
    }
    snprintf(path, sizeof path, "/sys/class/net/%s/carrier", doctor->interface);
    const long long carrier = doctor_number(path);
    snprintf(path, sizeof path, "/sys/class/net/%s/speed", doctor->interface);
    const long long speed = doctor_number(path);
    if (carrier < 0) { /* the file cannot be read while the card is switched off */
        snprintf(fix, sizeof fix, "sudo ip link set dev %s up", doctor->interface);
        doctor_say(doctor, "network link", DOCTOR_WRONG, fix, "%s is switched off",
                   doctor->interface);
    } else if (carrier == 0) {
        doctor_say(doctor, "network link", DOCTOR_WRONG,
                   "plug the cable in at both ends and switch the capture card on; its lights "
                   "beside the socket must shine",
                   "%s has no link", doctor->interface);
    } else if (speed > 0 && speed < 1000) {
        doctor_say(doctor, "network link", DOCTOR_WRONG,
                   "use a cable with all eight wires (Cat 5e), and a socket of 1000 Mb/s",
                   "%s runs at %lld Mb/s; the card wants 1000", doctor->interface, speed);
    } else if (speed > 0) {
        doctor_say(doctor, "network link", DOCTOR_OK, NULL, "%s runs at %lld Mb/s",
                   doctor->interface, speed);
    } else {
        doctor_say(doctor, "network link", DOCTOR_OK, NULL, "%s is up", doctor->interface);
    }
}

/* What the kernel gives when it is asked for so much. */
static void check_buffer(struct doctor *doctor) {
    const int asked =
        (int)(doctor->card.receive_bytes < ((size_t)1 << 30) ? doctor->card.receive_bytes
                                                             : (size_t)1 << 30);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int granted = 0;
    socklen_t size = sizeof granted;
    if (fd < 0) {
        doctor_say(doctor, "receive buffer", DOCTOR_UNKNOWN, NULL, "no socket: %s",
                   strerror(errno));
        return;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &asked, sizeof asked) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &asked, sizeof asked);
    }
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size);
    close(fd);
    granted /= 2; /* the kernel says twice of what it gives */
    if (granted < asked) {
        char fix[256];
        snprintf(fix, sizeof fix,
                 "sudo sysctl -w net.core.rmem_max=%d; for ever: echo net.core.rmem_max=%d | sudo "
                 "tee /etc/sysctl.d/60-nfsar.conf",
                 asked, asked);
        doctor_say(doctor, "receive buffer", DOCTOR_WRONG, fix,
                   "the kernel gives %d KiB of the %d KiB asked for: packets are lost when this "
                   "computer is busy",
                   granted / 1024, asked / 1024);
    } else {
        doctor_say(doctor, "receive buffer", DOCTOR_OK, NULL, "%d KiB as asked for",
                   granted / 1024);
    }
}

/* ---- the ports ------------------------------------------------------------------------------- */

/* The socket's number of who has a UDP port here, from /proc/net/udp; 0: nobody. */
static unsigned long long inode_of_port(struct in_addr host, unsigned port) {
    FILE *file = fopen("/proc/net/udp", "re");
    char line[256];
    unsigned long long inode = 0;
    while (file != NULL && inode == 0 && fgets(line, sizeof line, file) != NULL) {
        unsigned address = 0, number = 0;
        unsigned long long node = 0;
        if (sscanf(line, "%*u: %x:%x %*x:%*x %*x %*x:%*x %*x:%*x %*x %*u %*u %llu", &address,
                   &number, &node) == 3 &&
            number == port && (address == 0 || address == host.s_addr)) {
            inode = node;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return inode;
}

static bool check_port(struct doctor *doctor, const char *check, unsigned port) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (!doctor->has_address) {
        doctor_say(doctor, check, DOCTOR_UNKNOWN, NULL, "not looked at: the address is missing");
        return false;
    }
    if (!read_address(doctor->card.host_address, &own.sin_addr)) {
        return false;
    }
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&own, sizeof own) == 0;
    const int code = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (bound) {
        doctor_say(doctor, check, DOCTOR_OK, NULL, "UDP port %u is free", port);
    } else if (code == EADDRINUSE) {
        char link[64], holder[96], fix[192];
        snprintf(link, sizeof link, "socket:[%llu]", inode_of_port(own.sin_addr, port));
        doctor_holder(link, holder);
        snprintf(fix, sizeof fix, "end that program; sudo ss -ulpn 'sport = :%u' names it", port);
        doctor_say(doctor, check, DOCTOR_WRONG, fix, "UDP port %u is held by %s", port,
                   holder[0] != '\0' ? holder : "another program");
    } else if (code == EACCES) {
        doctor_say(doctor, check, DOCTOR_WRONG, "ports below 1024 are the system's; take another",
                   "UDP port %u: %s", port, strerror(code));
    } else {
        doctor_say(doctor, check, DOCTOR_UNKNOWN, NULL, "UDP port %u: %s", port, strerror(code));
    }
    return bound;
}

/* ---- the firewall ---------------------------------------------------------------------------- */

/* Is a word in a file? */
static bool says(const char *path, const char *word) {
    FILE *file = fopen(path, "re");
    char line[512];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = strncmp(line, word, strlen(word)) == 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

/* Rules can be read by root alone; that there are any shows in what is loaded. A firewall is no
 * fault by itself: where it drops the card's packets the next checks say that nothing answers. */
static void check_firewall(struct doctor *doctor) {
    char fix[320];
    const char *card = doctor->interface[0] != '\0' ? doctor->interface : "CARD";
    if (says("/etc/ufw/ufw.conf", "ENABLED=yes")) {
        snprintf(fix, sizeof fix, "if the card does not answer: sudo ufw allow in on %s proto udp",
                 card);
        doctor_say(doctor, "firewall", DOCTOR_UNKNOWN, fix, "ufw is on");
    } else if (access("/run/firewalld", F_OK) == 0) {
        snprintf(fix, sizeof fix,
                 "if the card does not answer: sudo firewall-cmd --zone=trusted "
                 "--add-interface=%s",
                 card);
        doctor_say(doctor, "firewall", DOCTOR_UNKNOWN, fix, "firewalld is on");
    } else if (access("/sys/module/nf_tables", F_OK) == 0 ||
               access("/sys/module/ip_tables", F_OK) == 0) {
        snprintf(fix, sizeof fix,
                 "if the card does not answer: sudo iptables -I INPUT -i %s -p udp -j ACCEPT (sudo "
                 "nft list ruleset shows what there is)",
                 card);
        doctor_say(doctor, "firewall", DOCTOR_UNKNOWN, fix,
                   "the kernel's packet filter is loaded; its rules can be read by root alone");
    } else {
        doctor_say(doctor, "firewall", DOCTOR_OK, NULL, "no packet filter is loaded");
    }
}

void doctor_network(struct doctor *doctor) {
    check_address(doctor);
    check_link(doctor);
    check_buffer(doctor);
    const bool commands = check_port(doctor, "command port", doctor->card.config_port);
    const bool samples = check_port(doctor, "sample port", doctor->card.data_port);
    doctor->ports_free = commands && samples;
    check_firewall(doctor);
}
