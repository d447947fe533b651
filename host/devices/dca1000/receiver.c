/* One lock guards the assembly. The thread holds it while a batch is placed, some tens of
 * microseconds; who fetches holds it for moments, and reads frames without it. */
#include "host/devices/dca1000/receiver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/devices/dca1000/assembly.h"
#include "host/devices/dca1000/link.h"

enum {
    BATCH = 128,
    PACKET_BYTES = 2048, /* longer ones are cut, which MSG_TRUNC shows */
    BATCHES = 64,        /* before it is looked whether the thread is to end */
    GATHER_US = 500      /* packets gather for so long, so that not each one wakes the thread */
};

struct receiver {
    int fd;
    int wake;  /* tells the thread to end */
    int event; /* tells who fetches that there is something */
    struct in_addr from;
    pthread_t thread;
    bool running;

    pthread_mutex_t lock; /* of what follows */
    struct assembly *assembly;
    uint64_t foreign;
    uint32_t dropped_before; /* by the kernel, before the start */
    uint64_t kernel_drops;
    uint64_t last_ns;
    int failed;

    /* of the thread alone */
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in senders[BATCH];
    uint8_t packets[BATCH][PACKET_BYTES];
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void signal_event(int fd) {
    const uint64_t one = 1;
    ssize_t written;
    do {
        written = write(fd, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
}

/* ---- the thread ---- */

static void prepare(struct receiver *r) {
    for (size_t i = 0; i < BATCH; i++) {
        r->parts[i] = (struct iovec){r->packets[i], PACKET_BYTES};
        r->messages[i].msg_hdr = (struct msghdr){.msg_name = &r->senders[i],
                                                 .msg_namelen = sizeof r->senders[i],
                                                 .msg_iov = &r->parts[i],
                                                 .msg_iovlen = 1};
    }
}

static void count_drops(struct receiver *r) {
    const uint32_t now = dca1000_dropped(r->fd);
    r->kernel_drops += now - r->dropped_before;
    r->dropped_before = now;
}

/* A batch of packets into the assembly. Returns whether there is something for who fetches. */
static bool place_batch(struct receiver *r, size_t n) {
    const uint64_t now = now_ns();
    pthread_mutex_lock(&r->lock);
    const bool was_ready = assembly_ready(r->assembly) || assembly_restarted(r->assembly);
    for (size_t i = 0; i < n; i++) {
        struct mmsghdr *message = &r->messages[i];
        if (r->senders[i].sin_addr.s_addr != r->from.s_addr) {
            r->foreign++;
        } else {
            const bool cut = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0;
            assembly_packet(r->assembly, r->packets[i], cut ? SIZE_MAX : message->msg_len, now);
            r->last_ns = now;
        }
        message->msg_hdr.msg_namelen = sizeof r->senders[i];
        message->msg_hdr.msg_flags = 0;
    }
    count_drops(r);
    const bool ready = assembly_ready(r->assembly) || assembly_restarted(r->assembly);
    pthread_mutex_unlock(&r->lock);
    return ready && !was_ready;
}

/* Takes what is there. False: the socket does not work any more. */
static bool take_all(struct receiver *r) {
    for (unsigned i = 0; i < BATCHES; i++) {
        const int n = recvmmsg(r->fd, r->messages, BATCH, MSG_DONTWAIT, NULL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK;
        }
        if (place_batch(r, (size_t)n)) {
            signal_event(r->event);
        }
        if (n < BATCH) {
            return true;
        }
    }
    return true;
}

static void fail(struct receiver *r, int reason) {
    pthread_mutex_lock(&r->lock);
    r->failed = reason;
    pthread_mutex_unlock(&r->lock);
    signal_event(r->event);
}

static void *run(void *context) {
    struct receiver *r = context;
    const struct timespec gather = {.tv_nsec = GATHER_US * 1000L};
    for (;;) {
        struct pollfd wait[] = {{.fd = r->fd, .events = POLLIN}, {.fd = r->wake, .events = POLLIN}};
        const int ready = poll(wait, 2, -1);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready < 0 || !take_all(r)) {
            fail(r, errno);
            return NULL;
        }
        if (wait[1].revents != 0) {
            return NULL;
        }
        nanosleep(&gather, NULL);
    }
}

/* ---- from outside ---- */

static bool start_thread(struct receiver *r) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r->running = pthread_create(&r->thread, NULL, run, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r->running;
}

enum nfsar_status receiver_start(int fd, struct in_addr from, size_t frame_bytes,
                                 size_t window_bytes, size_t queue_bytes,
                                 struct receiver **receiver, nfsar_error *error) {
    *receiver = NULL;
    struct receiver *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "no memory for the capture card's packets");
    }
    r->fd = fd;
    r->from = from;
    r->last_ns = now_ns();
    r->dropped_before = dca1000_dropped(fd);
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&r->lock, NULL);
    prepare(r);
    enum nfsar_status status =
        assembly_create(frame_bytes, window_bytes, queue_bytes, r->last_ns, &r->assembly, error);
    if (status == NFSAR_OK && (r->wake < 0 || r->event < 0 || !start_thread(r))) {
        status = nfsar_fail(error, NFSAR_ERROR_DEVICE,
                            "the thread that takes the capture card's packets does not start: %s",
                            strerror(errno));
    }
    if (status != NFSAR_OK) {
        receiver_free(r);
        return status;
    }
    *receiver = r;
    return NFSAR_OK;
}

static void end_thread(struct receiver *r) {
    if (r->running) {
        signal_event(r->wake);
        pthread_join(r->thread, NULL);
        r->running = false;
    }
}

void receiver_finish(struct receiver *r) {
    end_thread(r);
    take_all(r); /* what came while the thread had no processor */
    assembly_finish(r->assembly, now_ns());
    signal_event(r->event);
}

void receiver_free(struct receiver *r) {
    if (r == NULL) {
        return;
    }
    end_thread(r);
    if (r->wake >= 0) {
        close(r->wake);
    }
    if (r->event >= 0) {
        close(r->event);
    }
    assembly_free(r->assembly);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

const struct nfsar_dca1000_frame *receiver_next(struct receiver *r) {
    pthread_mutex_lock(&r->lock);
    const struct nfsar_dca1000_frame *frame = assembly_next(r->assembly);
    pthread_mutex_unlock(&r->lock);
    return frame;
}

int receiver_event(const struct receiver *r) {
    return r->event;
}

void receiver_clear(struct receiver *r) {
    uint64_t count;
    while (read(r->event, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

uint64_t receiver_last_ns(struct receiver *r) {
    pthread_mutex_lock(&r->lock);
    const uint64_t last_ns = r->last_ns;
    pthread_mutex_unlock(&r->lock);
    return last_ns;
}

const char *receiver_failed(struct receiver *r) {
    pthread_mutex_lock(&r->lock);
    const int failed = r->failed;
    const bool restarted = assembly_restarted(r->assembly) && !assembly_ready(r->assembly);
    pthread_mutex_unlock(&r->lock);
    if (failed != 0) {
        return strerror(failed);
    }
    return restarted ? "it began its count anew in mid-stream; did it lose power, or did another "
                       "program start it?"
                     : NULL;
}

void receiver_counters(struct receiver *r, struct nfsar_dca1000_counters *counters) {
    pthread_mutex_lock(&r->lock);
    assembly_counters(r->assembly, counters);
    counters->foreign = r->foreign;
    counters->kernel_drops = r->kernel_drops;
    pthread_mutex_unlock(&r->lock);
}

size_t receiver_losses(struct receiver *r, size_t first, struct nfsar_dca1000_loss *losses,
                       size_t room) {
    pthread_mutex_lock(&r->lock);
    const size_t count = assembly_losses(r->assembly, first, losses, room);
    pthread_mutex_unlock(&r->lock);
    return count;
}
