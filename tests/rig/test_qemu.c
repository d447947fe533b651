/* The pins of the hub in qemu, from its log of devices that it does not have. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/rig/qemu.h"
#include "tests/support.h"

#define WRITE(port, value)                                                                         \
    "GPIO" port ": unimplemented device write (size 4, offset 0x018, value " value ")\n"

enum { TALK_BYTES = 5000 };

struct seen {
    enum qemu_pin pin[64];
    bool level[64];
    size_t n;
};

static void wrote(void *context, enum qemu_pin pin, bool level) {
    struct seen *seen = context;
    assert_true(seen->n < 64);
    seen->pin[seen->n] = pin;
    seen->level[seen->n++] = level;
}

static int begin(struct qemu *qemu, struct seen *seen) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    memset(seen, 0, sizeof *seen);
    *qemu = (struct qemu){.log = ends[0], .wrote = wrote, .context = seen};
    return ends[1];
}

static void say(struct qemu *qemu, int to, const char *text) {
    assert_int_equal(write(to, text, strlen(text)), (ssize_t)strlen(text));
    qemu_read_pins(qemu);
}

static void pins_are_read(void **state) {
    (void)state;
    struct qemu qemu;
    struct seen seen;
    const int to = begin(&qemu, &seen);
    say(&qemu, to, WRITE("C", "0x00000100"));                          /* step x up */
    say(&qemu, to, WRITE("C", "0x01000000") WRITE("B", "0x00000100")); /* down; SYNC_IN up */
    say(&qemu, to, WRITE("B", "0x01000010"));                          /* down; direction y up */
    say(&qemu, to, WRITE("B", "0x02000000"));                          /* NRESET low */
    say(&qemu, to, "GPIOC: unimplemented device read  (size 4, offset 0x010)\n"); /* inputs */
    say(&qemu, to, WRITE("D", "0xffffffff") WRITE("C", "0x00000002")); /* EN2, LED: not ours */
    const enum qemu_pin pins[] = {QEMU_STEP0,      QEMU_STEP0, QEMU_SYNC,
                                  QEMU_DIRECTION1, QEMU_SYNC,  QEMU_RADAR_RESET};
    const bool levels[] = {true, false, true, true, false, false};
    assert_int_equal(seen.n, 6);
    assert_memory_equal(seen.pin, pins, sizeof pins);
    assert_memory_equal(seen.level, levels, sizeof levels);
    close(to);
    close(qemu.log);
}

/* Pieces of lines, lines that are none, one that does not end. */
static void the_log_comes_in_pieces(void **state) {
    (void)state;
    static const char text[] =
        "GPIOB: unimplemented\n\n\rGPIO\n" WRITE("A", "0x100") WRITE("B", "");
    struct qemu qemu;
    struct seen seen;
    const int to = begin(&qemu, &seen);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_int_equal(write(to, text + i, 1), 1);
        qemu_read_pins(&qemu);
    }
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.pin[0], QEMU_STEP1);
    char noise[1000];
    memset(noise, 'x', sizeof noise);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(write(to, noise, sizeof noise), sizeof noise);
        qemu_read_pins(&qemu);
    }
    say(&qemu, to, "\n" WRITE("A", "0x01000000"));
    assert_int_equal(seen.n, 2);
    assert_false(seen.level[1]);
    close(to);
    close(qemu.log);
}

/* A hub that sends before it lets qtest be answered: both would wait for ever if its ports were not
 * read meanwhile. */
static void *talk(void *context) {
    const int *ends = context;
    char question[64];
    for (unsigned i = 0; i < TALK_BYTES; i++) {
        const char byte = (char)i;
        assert_int_equal(send(ends[0], &byte, 1, 0), 1);
    }
    assert_true(recv(ends[1], question, sizeof question, 0) > 0);
    assert_int_equal(send(ends[1], "OK 0x0000000000000005\n", 22, 0), 22);
    return NULL;
}

static void ports_are_read_while_qtest_is_waited_for(void **state) {
    (void)state;
    static struct qemu qemu;
    struct seen seen;
    nfsar_error error;
    int ports[BOARD_PORTS][2], qtest[2];
    const int to = begin(&qemu, &seen);
    for (unsigned i = 0; i < BOARD_PORTS; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ports[i]), 0);
        qemu.port[i] = ports[i][0];
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, qtest), 0);
    qemu.qtest = qtest[0];
    int ends[] = {ports[BOARD_PORT_GNSS][1], qtest[1]};
    pthread_t hub;
    assert_int_equal(pthread_create(&hub, NULL, talk, ends), 0);
    uint32_t count = 0;
    assert_int_equal(qemu_count(&qemu, &count, &error), NFSAR_OK);
    assert_int_equal(count, 5);
    pthread_join(hub, NULL);
    uint8_t bytes[TALK_BYTES];
    assert_int_equal(qemu_read_port(&qemu, BOARD_PORT_LINK, bytes, sizeof bytes), 0);
    assert_int_equal(qemu_read_port(&qemu, BOARD_PORT_GNSS, bytes, 10), 10);
    assert_int_equal(qemu_read_port(&qemu, BOARD_PORT_GNSS, bytes + 10, sizeof bytes - 10),
                     TALK_BYTES - 10);
    for (unsigned i = 0; i < TALK_BYTES; i++) {
        assert_int_equal(bytes[i], i & 255U);
    }
    for (unsigned i = 0; i < BOARD_PORTS; i++) {
        close(ports[i][0]);
        close(ports[i][1]);
    }
    close(qtest[0]);
    close(qtest[1]);
    close(to);
    close(qemu.log);
}

static void an_image_that_is_not_there_is_named(void **state) {
    (void)state;
    struct qemu qemu;
    nfsar_error error;
    assert_int_equal(qemu_start(&qemu, "/no/hub.elf", test_folder(), wrote, NULL, &error),
                     NFSAR_ERROR_FILE);
    assert_contains(error.message, "/no/hub.elf: No such file or directory");
    qemu_end(&qemu);
    assert_int_equal(test_count_files("sock"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_are_read),
        cmocka_unit_test(the_log_comes_in_pieces),
        cmocka_unit_test(ports_are_read_while_qtest_is_waited_for),
        cmocka_unit_test(an_image_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
