/* The pins of the hub in qemu, from its log of devices that it does not have. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/rig/qemu.h"
#include "tests/support.h"

#define WRITE(port, value)                                                                         \
    "GPIO" port ": unimplemented device write (size 4, offset 0x018, value " value ")\n"

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
        cmocka_unit_test(an_image_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
