/* kill -9 in the middle of a recording, twenty times: the file opens every time, what was counted
 * is there bit for bit, and what is missing is the end. */
#include "tests/files/recorded.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/files/recording_io.h"
#include "host/files/recording_queue.h"

#define SAMPLES 32
#define PULSES  20000
#define KILLS   20
#define REPAIRS 5

/* What the recorder leaves for who looks after its death. */
struct witness {
    _Atomic uint64_t begun;        /* the file is there */
    _Atomic uint64_t appended;     /* pulses */
    _Atomic uint64_t when[PULSES]; /* ns of the monotonic clock at which each was handed over */
    _Atomic uint64_t promised;     /* pulses that the file counted, at least */
    _Atomic uint64_t longest_sync;
};

static int spy_write(void *context, int descriptor, const void *bytes, size_t n, uint64_t offset) {
    struct witness *witness = context;
    int failure = recording_io_system.write(NULL, descriptor, bytes, n, offset);
    /* Three counts: echo, pose, sensor. Nothing else here has 24 bytes but single poses. */
    const uint64_t *counts = bytes;
    if (failure == 0 && n == 3 * sizeof *counts && counts[0] <= PULSES && counts[0] > 0 &&
        counts[1] <= PULSES && counts[2] <= PULSES) {
        atomic_store(&witness->promised, counts[0]);
    }
    return failure;
}

static int spy_sync(void *context, int descriptor) {
    struct witness *witness = context;
    uint64_t start = queue_now_ns();
    int failure = recording_io_system.sync(NULL, descriptor);
    uint64_t took = queue_now_ns() - start;
    if (took > atomic_load(&witness->longest_sync)) {
        atomic_store(&witness->longest_sync, took);
    }
    return failure;
}

static void record(const char *path, struct witness *witness) {
    struct recording_io io = recording_io_system;
    io.context = witness;
    io.write = spy_write;
    io.sync = spy_sync;
    const struct recording_options options = {.sync_ms = 40, .io = &io};
    struct recording *recording = NULL;
    nfsar_error error;
    if (recorded_begin(path, SAMPLES, PULSES, &options, &recording, &error) != NFSAR_OK) {
        _exit(1);
    }
    atomic_store(&witness->begun, 1);
    for (size_t p = 0; p < PULSES; p++) {
        atomic_store(&witness->when[p], queue_now_ns());
        if (recorded_append(recording, SAMPLES, p, &error) != NFSAR_OK) {
            _exit(1);
        }
        atomic_store(&witness->appended, p + 1);
        usleep(100);
    }
    pause();
}

static bool wait_for(_Atomic uint64_t *value, uint64_t at_least) {
    for (int i = 0; i < 60000 && atomic_load(value) < at_least; i++) {
        usleep(500);
    }
    return atomic_load(value) >= at_least;
}

/* Kill it when so many pulses came and, at odd times, a little later; when that was. */
static uint64_t kill_one(const char *path, struct witness *witness, unsigned pulses) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        record(path, witness);
    }
    bool there = wait_for(&witness->begun, 1) && wait_for(&witness->appended, pulses);
    usleep(1000 * (pulses % 7));
    const uint64_t now = queue_now_ns();
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(there);
    assert_true(WIFSIGNALED(status));
    return now;
}

static void test_kill(void **state) {
    (void)state;
    struct witness *witness =
        mmap(NULL, sizeof *witness, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(witness != MAP_FAILED);
    unsigned seed = 20260;
    uint64_t worst = 0;
    size_t sealed = 0, least = PULSES, most = 0;
    for (int i = 0; i < KILLS; i++) {
        nfsar_error error;
        struct recording_summary summary;
        memset(witness, 0, sizeof *witness);
        /* The first at the very beginning, before anything is counted. */
        const uint64_t now = kill_one(test_path("killed.h5"), witness,
                                      i == 0 ? 1 : 100 + (unsigned)rand_r(&seed) % 1200);
        const char *name = test_path("killed.h5.recording"), *capture = test_path("killed.h5");
        assert_ok(recording_inspect(name, &summary, &error), error);
        assert_false(summary.live);
        assert_int_equal(summary.end, RECORDING_GOES_ON);
        assert_true(summary.pulses >= atomic_load(&witness->promised));
        if (summary.pulses > 0) {
            assert_int_equal(recorded_check(name, SAMPLES), summary.pulses);
            assert_ok(recording_seal(name, capture, NULL, NULL, &error), error);
            assert_int_equal(recorded_check(capture, SAMPLES), summary.pulses);
            assert_int_not_equal(access(name, F_OK), 0);
            sealed++;
        }
        if (summary.pulses < atomic_load(&witness->appended)) {
            const uint64_t when = atomic_load(&witness->when[summary.pulses]);
            const uint64_t lost = now > when ? now - when : 0;
            worst = lost > worst ? lost : worst;
            /* A disk that takes its time for a sync adds that. */
            assert_true(lost <= UINT64_C(1000000000) + 4 * atomic_load(&witness->longest_sync));
        }
        least = summary.pulses < least ? summary.pulses : least;
        most = summary.pulses > most ? summary.pulses : most;
        recording_summary_free(&summary);
        unlink(name);
    }
    print_message("%d kills, %zu sealed, %zu to %zu pulses kept, at most %.0f ms lost (a sync "
                  "every 40 ms)\n",
                  KILLS, sealed, least, most, 1e-6 * (double)worst);
    assert_true(sealed >= KILLS / 2);
    munmap(witness, sizeof *witness);
}

/* Killed while it makes the capture: the recording is there, or the capture is, whole. */
static void test_kill_repair(void **state) {
    (void)state;
    nfsar_error error;
    unsigned seed = 99;
    size_t cut = 0;
    const char *command = getenv("NFSAR_COMMAND");
    assert_non_null(command);
    for (int i = 0; i < REPAIRS; i++) {
        struct recording *recording = NULL;
        char output[2000], name[620], capture[600];
        snprintf(capture, sizeof capture, "%s/sealed-%d.h5", test_folder(), i);
        snprintf(name, sizeof name, "%s.recording", capture);
        assert_ok(recorded_begin(capture, SAMPLES, PULSES, NULL, &recording, &error), error);
        for (size_t p = 0; p < 2000; p++) {
            assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
        }
        assert_ok(recording_close(recording, &error), error);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            int nowhere = open("/dev/null", O_WRONLY);
            dup2(nowhere, STDOUT_FILENO);
            execl(command, command, "repair", "--quiet", name, (char *)NULL);
            _exit(127);
        }
        usleep(1000 * (20 + (unsigned)rand_r(&seed) % 600));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        if (access(name, F_OK) == 0) {
            assert_int_equal(recorded_check(name, SAMPLES), 2000);
            cut++;
        } else {
            assert_int_equal(recorded_check(capture, SAMPLES), 2000);
        }
        assert_int_equal(test_command(output, sizeof output, "repair %s", name), 0);
        assert_int_equal(recorded_check(capture, SAMPLES), 2000);
        assert_int_not_equal(access(name, F_OK), 0);
        unlink(capture);
    }
    print_message("%zu of %d were killed before the capture was there\n", cut, REPAIRS);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill),
                                       cmocka_unit_test(test_kill_repair)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
