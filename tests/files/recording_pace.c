/* How a recording keeps pace: hands over pulses at a rate for some time, and says how long appends
 * took, how full the queue was and how often there was no room in it.
 *
 *     recording_pace PATH MB_PER_S SECONDS [SLOW_DISK_MB_PER_S [QUEUE_MB]]
 *
 * Not a test by itself; files/python follows what it records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <nfsar/nfsar.h>

#include "host/files/recording.h"
#include "host/files/recording_io.h"
#include "host/files/recording_queue.h"

#define CHANNELS 12
#define SAMPLES  256
#define PULSE    (sizeof(int16_t[2 * CHANNELS * SAMPLES]))

/* A disk that writes so many bytes a second. */
static int slow_write(void *context, int descriptor, const void *bytes, size_t n, uint64_t offset) {
    const double *rate = context;
    double seconds = (double)n / *rate;
    struct timespec pause = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&pause, NULL);
    return recording_io_system.write(NULL, descriptor, bytes, n, offset);
}

static nfsar_capture make_head(void) {
    nfsar_error error;
    nfsar_array array;
    nfsar_capture head;
    if (nfsar_array_create(3, 4, &array, &error) != NFSAR_OK ||
        nfsar_capture_create(1, SAMPLES, &array, false, &head, &error) != NFSAR_OK) {
        exit(1);
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        head.frequency_hz[i] = 77e9 + 1e6 * (double)i;
    }
    return head;
}

/* Append at that rate; the longest append in ns, or an error. */
static enum nfsar_status append(struct recording *recording, double rate, double seconds,
                                uint64_t *longest, nfsar_error *error) {
    static int16_t samples[2 * CHANNELS * SAMPLES];
    const nfsar_pose pose = {.orientation = NFSAR_QUATERNION_IDENTITY};
    const uint64_t start = queue_now_ns();
    const size_t n = (size_t)(rate * seconds / (double)PULSE);
    enum nfsar_status status = NFSAR_OK;
    for (size_t p = 0; status == NFSAR_OK && p < n; p++) {
        const uint64_t due = start + (uint64_t)(1e9 * (double)(p * PULSE) / rate);
        while (queue_now_ns() < due) {
            usleep(200);
        }
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i += 7) {
            samples[i] = (int16_t)(p * 31 + i);
        }
        const uint64_t before = queue_now_ns();
        status = recording_append_pulse(recording, samples, 1e-9 * (double)before, 0, error);
        const uint64_t took = queue_now_ns() - before;
        *longest = took > *longest ? took : *longest;
        if (status == NFSAR_OK && p % 10 == 0) {
            status = recording_append_pose(recording, 1e-9 * (double)before, &pose, error);
        }
    }
    return status;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: recording_pace PATH MB_PER_S SECONDS [SLOW_MB_PER_S [QUEUE_MB]]\n");
        return 2;
    }
    const double rate = 1e6 * strtod(argv[2], NULL), seconds = strtod(argv[3], NULL);
    double slow = argc > 4 ? 1e6 * strtod(argv[4], NULL) : 0.0;
    struct recording_io io = recording_io_system;
    struct recording_options options = {0};
    if (slow > 0.0) {
        io.context = &slow;
        io.write = slow_write;
        options.io = &io;
    }
    options.queue_bytes = argc > 5 ? (size_t)(1e6 * strtod(argv[5], NULL)) : 0;
    nfsar_error error;
    nfsar_capture head = make_head();
    struct recording *recording = NULL;
    struct recording_counters c;
    const uint64_t room = (uint64_t)(rate * seconds / (double)PULSE) + 1;
    if (recording_create(argv[1], &head, room, room, NULL, 0, NULL, &options, &recording, &error) !=
        NFSAR_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    uint64_t longest = 0, start = queue_now_ns();
    enum nfsar_status status = append(recording, rate, seconds, &longest, &error);
    const double took = 1e-9 * (double)(queue_now_ns() - start);
    if (status != NFSAR_OK) {
        fprintf(stderr, "%s\n", error.message);
    }
    const uint64_t pulses = recording_rows(recording, 0);
    recording_counters(recording, &c);
    start = queue_now_ns();
    if (recording_close(recording, &error) != NFSAR_OK) {
        fprintf(stderr, "%s\n", error.message);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "%.1f MB/s for %.1f s; longest append %.1f ms; queue at most %.1f MB; %llu waits, %.2f s "
        "in all; %llu syncs, the longest %.0f ms; closing %.2f s\n",
        1e-6 * (double)(pulses * PULSE) / took, took, 1e-6 * (double)longest,
        1e-6 * (double)c.queue_worst, (unsigned long long)c.waits, 1e-9 * (double)c.waited_ns,
        (unsigned long long)c.syncs, 1e-6 * (double)c.longest_sync_ns,
        1e-9 * (double)(queue_now_ns() - start));
    printf("processor %.2f s user + %.2f s system; memory at most %ld MB\n",
           (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec,
           (double)usage.ru_stime.tv_sec + 1e-6 * (double)usage.ru_stime.tv_usec,
           usage.ru_maxrss / 1000);
    nfsar_capture_free(&head);
    return status == NFSAR_OK ? 0 : 1;
}
