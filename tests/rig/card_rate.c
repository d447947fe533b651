/* card_rate SECONDS MBPS: how fast can the capture card's samples be taken here? A process of its
 * own sends packets as the card does, MBPS million bytes of samples a second; this one fetches
 * frames and looks at every word of them. Exit status 0: every byte is accounted for, received or
 * lost. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nfsar/dca1000.h>

#include "tests/rig/card.h"

enum {
    HEADER = 10,
    PAYLOAD = 1456,
    WORDS = PAYLOAD / 8,
    BATCH = 64,
    FRAME = 524288, /* as 4 receivers, 256 samples of 4 bytes, 128 chirps */
    DATA_PORT = 4098,
    WAIT_MS = 30000
};

static char card_address[32];
static char host_address[32];

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* The stream's 8 bytes with this number: never 0. */
static uint64_t word(uint64_t number) {
    return (number + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

static void die(const char *what, const char *why) {
    fprintf(stderr, "card_rate: %s: %s\n", what, why);
    _exit(2);
}

/* ---- the sender ---- */

struct sender {
    int fd;
    struct sockaddr_in to;
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    uint8_t packets[BATCH][HEADER + PAYLOAD];
};

static void prepare(struct sender *s) {
    struct sockaddr_in from = {.sin_family = AF_INET};
    inet_pton(AF_INET, card_address, &from.sin_addr);
    s->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(DATA_PORT)};
    inet_pton(AF_INET, host_address, &s->to.sin_addr);
    s->fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (s->fd < 0 || bind(s->fd, (const struct sockaddr *)&from, sizeof from) != 0) {
        die(card_address, strerror(errno));
    }
    for (size_t i = 0; i < BATCH; i++) {
        s->parts[i] = (struct iovec){s->packets[i], HEADER + PAYLOAD};
        s->messages[i].msg_hdr = (struct msghdr){.msg_name = &s->to,
                                                 .msg_namelen = sizeof s->to,
                                                 .msg_iov = &s->parts[i],
                                                 .msg_iovlen = 1};
    }
}

static void fill(uint8_t *packet, uint64_t number) {
    const uint32_t sequence = (uint32_t)(number + 1);
    const uint64_t count = number * PAYLOAD;
    uint64_t words[WORDS];
    memcpy(packet, &sequence, 4);
    memcpy(packet + 4, &count, 6);
    for (uint64_t i = 0; i < WORDS; i++) {
        words[i] = word(number * WORDS + i);
    }
    memcpy(packet + HEADER, words, PAYLOAD);
}

/* Sends for so long; returns the bytes of samples sent. */
static uint64_t send_all(struct sender *s, double seconds, double bytes_per_s) {
    const uint64_t begin = now_ns();
    const uint64_t packets = (uint64_t)(seconds * bytes_per_s / PAYLOAD);
    for (uint64_t sent = 0; sent < packets;) {
        const unsigned n = packets - sent < BATCH ? (unsigned)(packets - sent) : BATCH;
        const uint64_t due = begin + (uint64_t)((double)sent * PAYLOAD / bytes_per_s * 1e9);
        const struct timespec at = {.tv_sec = (time_t)(due / 1000000000U),
                                    .tv_nsec = (long)(due % 1000000000U)};
        for (unsigned i = 0; i < n; i++) {
            fill(s->packets[i], sent + i);
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        for (unsigned out = 0; out < n;) {
            const int done = sendmmsg(s->fd, s->messages + out, n - out, 0);
            if (done < 0 && errno != EINTR) {
                die("sendmmsg", strerror(errno));
            }
            out += done > 0 ? (unsigned)done : 0;
        }
        sent += n;
    }
    return packets * PAYLOAD;
}

struct report {
    uint64_t bytes;
    uint64_t ns;
};

/* The card: answers commands, and sends once it was told to record. Ends when the other side has.
 */
static int be_the_card(double seconds, double bytes_per_s, int report_to, int until_closed) {
    static struct sender sender;
    const char *why = "";
    const struct card_options options = {.card_address = card_address,
                                         .host_address = host_address};
    struct card *card = card_open(&options, &why);
    if (card == NULL) {
        die("no card", why);
    }
    prepare(&sender);
    const char ready = 1;
    if (write(report_to, &ready, 1) != 1 || !card_wait_recording(card, true, WAIT_MS)) {
        return 2;
    }
    struct report report;
    const uint64_t begin = now_ns();
    report.bytes = send_all(&sender, seconds, bytes_per_s);
    report.ns = now_ns() - begin;
    if (write(report_to, &report, sizeof report) != sizeof report) {
        return 2;
    }
    char byte;
    while (read(until_closed, &byte, 1) > 0) {
    }
    card_close(card);
    close(sender.fd);
    return 0;
}

/* ---- the receiver ---- */

struct result {
    uint64_t frames;
    uint64_t flagged;
    uint64_t missing; /* bytes of the frames that came */
    uint64_t wrong;   /* words that are neither the stream's nor 0 */
    uint64_t zero;    /* words that are 0 */
    double cpu_s;     /* of both threads */
    double seconds;
    size_t rss_begin; /* after the first second */
    size_t rss_end;
    struct report sent;
};

static size_t resident(void) {
    unsigned long pages = 0;
    unsigned long resident_pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%lu %lu", &pages, &resident_pages) != 2) {
            resident_pages = 0;
        }
        fclose(file);
    }
    return resident_pages * (size_t)sysconf(_SC_PAGESIZE);
}

static double cpu_s(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void look_at(struct result *result, const struct nfsar_dca1000_frame *frame) {
    const uint64_t first = frame->number * (FRAME / 8);
    for (uint64_t i = 0; i < FRAME / 8; i++) {
        uint64_t is;
        memcpy(&is, frame->data + 8 * i, 8);
        result->zero += is == 0;
        result->wrong += is != 0 && is != word(first + i);
    }
    result->frames++;
    result->flagged += frame->missing_bytes > 0;
    result->missing += frame->missing_bytes;
}

/* Fetches what is there. False: nothing within the time. */
static bool fetch(nfsar_dca1000 *card, struct result *result, unsigned wait_ms) {
    nfsar_error error;
    const struct nfsar_dca1000_frame *frame;
    if (nfsar_dca1000_next(card, wait_ms, &frame, &error) != NFSAR_OK) {
        die("next", error.message);
    }
    if (frame != NULL) {
        look_at(result, frame);
    }
    return frame != NULL;
}

static void receive(nfsar_dca1000 *card, int reports, struct result *result) {
    nfsar_error error;
    if (nfsar_dca1000_configure(card, &error) != NFSAR_OK ||
        nfsar_dca1000_start(card, FRAME, &error) != NFSAR_OK) {
        die("start", error.message);
    }
    const double cpu_before = cpu_s();
    const uint64_t begin = now_ns();
    fcntl(reports, F_SETFL, O_NONBLOCK);
    ssize_t got;
    while ((got = read(reports, &result->sent, sizeof result->sent)) != sizeof result->sent) {
        if (got == 0) {
            die("the sender", "ended before its time");
        }
        fetch(card, result, 50);
        if (result->rss_begin == 0 && now_ns() - begin > 500000000U) {
            result->rss_begin = resident();
        }
    }
    result->seconds = (double)(now_ns() - begin) * 1e-9;
    result->cpu_s = cpu_s() - cpu_before;
    while (fetch(card, result, 200)) {
    }
    result->rss_end = resident();
    if (nfsar_dca1000_stop(card, 300, &error) != NFSAR_OK) {
        die("stop", error.message);
    }
    while (fetch(card, result, 0)) {
    }
}

static bool print(const nfsar_dca1000 *card, const struct result *r) {
    struct nfsar_dca1000_counters c;
    nfsar_dca1000_counters(card, &c);
    const uint64_t after = r->sent.bytes - c.end_byte; /* lost, but nothing came after it */
    const bool accounted = c.bytes + c.lost_bytes + after == r->sent.bytes && r->wrong == 0 &&
                           r->missing == r->zero * 8 && r->frames * FRAME - r->missing == c.bytes;
    printf("sent        %.1f MB in %.1f s, %.1f MB/s\n", (double)r->sent.bytes * 1e-6,
           (double)r->sent.ns * 1e-9, (double)r->sent.bytes / (double)r->sent.ns * 1e3);
    printf("received    %.1f MB in %" PRIu64 " frames, %" PRIu64 " packets; wrong words %" PRIu64
           "\n",
           (double)c.bytes * 1e-6, r->frames, c.packets, r->wrong);
    printf("lost        %" PRIu64 " bytes in %" PRIu64 " gaps, %" PRIu64 " frames flagged; at the "
           "end %" PRIu64 "\n",
           c.lost_bytes, c.losses, r->flagged, after);
    printf("dropped     by the kernel %" PRIu64 ", for want of room %" PRIu64
           " packets; late %" PRIu64 ", malformed %" PRIu64 "\n",
           c.kernel_drops, c.overrun, c.late, c.malformed);
    printf("receiver    %.2f of a core (both threads, looking at each word too)\n",
           r->cpu_s / r->seconds);
    printf("memory      %.1f MB at 0.5 s, %.1f MB at the end\n", (double)r->rss_begin * 1e-6,
           (double)r->rss_end * 1e-6);
    printf("queue       at most %zu of %zu frames; socket's buffer %.1f MB granted\n",
           c.queue_worst, c.queue_frames, (double)c.receive_bytes * 1e-6);
    printf("%s\n", accounted ? "every byte is accounted for" : "BYTES ARE NOT ACCOUNTED FOR");
    return accounted;
}

int main(int argc, char **argv) {
    const bool counts = argc == 3 || argc == 4;
    const double seconds = counts ? atof(argv[1]) : 0;
    const double bytes_per_s = counts ? atof(argv[2]) * 1e6 : 0;
    const double buffer = argc == 4 ? atof(argv[3]) : 0;
    int reports[2];
    int alive[2];
    if (!(seconds > 0 && bytes_per_s > 0 && buffer >= 0 && buffer < 1e9)) {
        fprintf(stderr, "usage: card_rate SECONDS MBPS [BUFFER]\n");
        return 2;
    }
    snprintf(host_address, sizeof host_address, "127.%d.%d.1", 10 + (getpid() >> 8) % 200,
             getpid() & 0xFF);
    snprintf(card_address, sizeof card_address, "127.%d.%d.2", 10 + (getpid() >> 8) % 200,
             getpid() & 0xFF);
    if (pipe(reports) != 0 || pipe(alive) != 0) {
        die("pipe", strerror(errno));
    }
    const pid_t child = fork();
    if (child == 0) {
        close(reports[0]);
        close(alive[1]);
        _exit(be_the_card(seconds, bytes_per_s, reports[1], alive[0]));
    }
    close(reports[1]);
    close(alive[0]);
    char ready;
    if (child < 0 || read(reports[0], &ready, 1) != 1) {
        die("the sender", "does not start");
    }
    nfsar_dca1000 *card;
    nfsar_error error;
    const struct nfsar_dca1000_options options = {.card_address = card_address,
                                                  .host_address = host_address,
                                                  .receive_bytes = (size_t)buffer,
                                                  .timeout_ms = 10000};
    if (nfsar_dca1000_open(&options, &card, &error) != NFSAR_OK) {
        die("open", error.message);
    }
    struct result result = {0};
    receive(card, reports[0], &result);
    const bool accounted = print(card, &result);
    nfsar_dca1000_close(card);
    close(alive[1]);
    int status = 0;
    waitpid(child, &status, 0);
    return accounted && status == 0 ? 0 : 1;
}
