/* NumPy arrays: types, orders and axes; and headers that lie. */
#include "tests/import/cubes.h"

#include <unistd.h>

#include "host/import/npy_blocks.h"

/* The data of all tests: 2 rows, 3 positions, 2 transmitters x 2 receivers, 5 samples. Each sample
 * is that of chirp = (row * 3 + position) * 2 + tx. */
enum { ROWS = 2, POSITIONS = 3, TX = 2, RX = 2, SAMPLES = 5 };

static float complex small_sample(unsigned row, unsigned position, unsigned tx, unsigned rx,
                                  unsigned s) {
    return sample_of((row * POSITIONS + position) * TX + tx, rx, s);
}

static void rig_text(char *text, size_t size, const char *axes, const char *more) {
    snprintf(text, size,
             "files: {list: [a.npy], axes: %s}\nlayout: npy\n"
             "radar: {first_frequency_hz: 77e9, frequency_step_hz: 1e8}\n"
             "array: {tx_m: [[0, 0, 0], [0, 1, 0]], rx_m: [[0, 0, 0], [1, 0, 0]]}\n"
             "scan: {step_m: 1e-3, row_step_m: 2e-3%s}\n",
             axes, more);
}

static void assert_all(const char *axes, const char *more) {
    char text[1024];
    nfsar_import *import = NULL;
    nfsar_error error;
    float complex out[ROWS * POSITIONS * TX * RX * SAMPLES];
    rig_text(text, sizeof text, axes, more);
    assert_ok(open_rig(text, &import, &error), error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, ROWS * POSITIONS);
    assert_ok(nfsar_import_read(import, 0, ROWS * POSITIONS, out, &error), error);
    size_t at = 0;
    for (unsigned p = 0; p < ROWS * POSITIONS; p++) {
        for (unsigned c = 0; c < TX * RX; c++) {
            for (unsigned s = 0; s < SAMPLES; s++) {
                assert_true(out[at++] ==
                            small_sample(p / POSITIONS, p % POSITIONS, c / RX, c % RX, s));
            }
        }
    }
    nfsar_import_close(import);
}

/* [y, x, tx, rx, sample] in C order, which in Fortran order reads [sample, rx, tx, x, y]. */
static void write_slow_rows(const char *type, int version, bool fortran, const char *shape) {
    struct tape tape = {0};
    npy_header(&tape, version, type, fortran, shape);
    for (unsigned p = 0; p < ROWS * POSITIONS; p++) {
        for (unsigned c = 0; c < TX * RX; c++) {
            for (unsigned s = 0; s < SAMPLES; s++) {
                npy_sample(&tape, type,
                           small_sample(p / POSITIONS, p % POSITIONS, c / RX, c % RX, s));
            }
        }
    }
    test_write_file("a.npy", tape.bytes, tape.size);
    tape_free(&tape);
}

static void types_and_orders_are_read(void **state) {
    (void)state;
    for (int version = 1; version <= 3; version++) {
        write_slow_rows("<c8", version, false, "(2, 3, 2, 2, 5)");
        assert_all("[y, x, tx, rx, sample]", "");
        write_slow_rows("<c16", version, true, "(5, 2, 2, 3, 2)");
        assert_all("[sample, rx, tx, x, y]", "");
    }
    write_slow_rows("<c8", 1, false, "(6, 4, 5)");
    assert_all("[pulse, channel, sample]", ", rows: 2");
    assert_all("[pulse, channel, sample]", ", positions: 3");
    write_slow_rows("<f4", 1, false, "(2, 3, 4, 5, 2)");
    assert_all("[row, position, channel, sample, complex]", "");
    write_slow_rows("<i2", 1, true, "(2, 5, 2, 2, 3, 2)");
    assert_all("[complex, sample, rx, tx, x, y]", "");
    write_slow_rows("<f8", 2, true, "(2, 5, 4, 6)");
    assert_all("[complex, sample, channel, pulse]", ", rows: 2, positions: 3");
}

static void axes_may_come_in_any_order(void **state) {
    (void)state;
    /* [sample, x, rx, y, tx], C order. */
    struct tape tape = {0};
    npy_header(&tape, 1, "<c8", false, "(5, 3, 2, 2, 2)");
    for (unsigned i = 0; i < SAMPLES * POSITIONS * RX * ROWS * TX; i++) {
        npy_sample(&tape, "<c8", small_sample(i / 2 % 2, i / 8 % 3, i % 2, i / 4 % 2, i / 24));
    }
    test_write_file("a.npy", tape.bytes, tape.size);
    tape_free(&tape);
    assert_all("[sample, x, rx, y, tx]", "");
    /* Rows along y: what was y counts the positions of a row. */
    char text[1024];
    nfsar_import *import = NULL;
    nfsar_error error;
    float complex out[TX * RX * SAMPLES];
    rig_text(text, sizeof text, "[sample, x, rx, y, tx]", ", rows_along: y");
    assert_ok(open_rig(text, &import, &error), error);
    assert_ok(nfsar_import_read(import, 5, 1, out, &error), error);
    assert_true(out[0] == small_sample(1, 2, 0, 0, 0));
    assert_ok(nfsar_import_read(import, 1, 1, out, &error), error);
    assert_true(out[7] == small_sample(1, 0, 0, 1, 2));
    nfsar_pose pose = nfsar_import_header(import)->pose[1];
    assert_near(pose.position.x, -2e-3, 1e-12);
    assert_near(pose.position.y, 0.5e-3, 1e-12);
    nfsar_import_close(import);
}

static void one_array_for_each_row(void **state) {
    (void)state;
    for (unsigned row = 0; row < 3; row++) {
        struct tape tape = {0};
        npy_header(&tape, 1, "<c8", false, row < 2 ? "(3, 4, 5)" : "(2, 4, 5)");
        for (unsigned i = 0; i < (row < 2 ? 60 : 40); i++) {
            npy_sample(&tape, "<c8", small_sample(row, i / 20, i / 10 % 2, i / 5 % 2, i % 5));
        }
        char name[32];
        snprintf(name, sizeof name, "row%u.npy", row + 9);
        test_write_file(name, tape.bytes, tape.size);
        tape_free(&tape);
    }
    static const char rig[] =
        "files: {list: [row9.npy, row10.npy], holds: row, axes: [position, channel, sample]}\n"
        "layout: npy\nradar: {first_frequency_hz: 77e9, frequency_step_hz: 1e8}\n"
        "array: {tx_m: [[0, 0, 0], [0, 1, 0]], rx_m: [[0, 0, 0], [1, 0, 0]]}\n"
        "scan: {step_m: 1e-3, row_step_m: 2e-3, path: serpentine}\n";
    nfsar_import *import = NULL;
    nfsar_error error;
    float complex out[20];
    assert_ok(open_rig(rig, &import, &error), error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, 6);
    assert_ok(nfsar_import_read(import, 4, 1, out, &error), error);
    assert_true(out[13] == small_sample(1, 1, 1, 0, 3));
    assert_ok(nfsar_import_read(import, 1, 1, out, &error), error);
    assert_true(out[13] == small_sample(0, 1, 1, 0, 3));
    nfsar_import_close(import);
    char third[sizeof rig + 16];
    snprintf(third, sizeof third, "files: {list: [row9.npy, row11.npy]%s", strchr(rig, ']') + 1);
    assert_refused(third, "has another shape than the first array");
}

static void shapes_that_do_not_fit_are_refused(void **state) {
    (void)state;
    char text[1024];
    write_slow_rows("<c8", 1, false, "(2, 3, 2, 2, 5)");
#define REFUSED(axes, more, part)                                                                  \
    rig_text(text, sizeof text, axes, more);                                                       \
    assert_refused(text, part)
    REFUSED("[y, x, sample, rx, tx]", "", "axis tx has 5 entries");
    REFUSED("[y, x, tx, rx]", "", "there is no axis 'sample'");
    REFUSED("[y, x, rx, sample]", "", "has 5 axes (2 x 3 x 2 x 2 x 5), but files.axes names 4");
    REFUSED("[y, x, rx, rx, sample]", "", "rx is there twice");
    REFUSED("[y, x, rx, channel, sample]", "", "channel and rx cannot both");
    REFUSED("[y, x, tx, loop, sample]", "", "has no axis rx, but the number of receivers");
    REFUSED("[y, x, tx, rx, sample]", ", positions: 4", "axis x has 3 entries, but scan.positions");
    REFUSED("[y, x, tx, rx, sample]", ", path: serpentine", "call them position and row");
    REFUSED("[complex, x, tx, rx, sample]", "", "holds complex numbers");
    write_slow_rows("<c8", 1, false, "(6, 2, 2, 5)");
    REFUSED("[pulse, tx, rx, sample]", ", rows: 4", "axis pulse has 6 entries");
    write_slow_rows("<c8", 1, false, "(2, 3, 2, 2, 4)");
    REFUSED("[y, x, tx, rx, sample]", "", "2 x 3 x 2 x 2 x 4 numbers of 8 bytes should follow");
    write_slow_rows("<c8", 1, false, "(2, 3, 2, 2, 0)");
    REFUSED("[y, x, tx, rx, sample]", "", "bytes should follow");
    write_slow_rows("<f4", 1, false, "(2, 3, 2, 2, 10)");
    REFUSED("[y, x, tx, rx, sample]", "", "must be called 'complex'");
    write_slow_rows(">c8", 1, false, "(2, 3, 2, 2, 5)");
    REFUSED("[y, x, tx, rx, sample]", "", "type '>c8' are not read");
#undef REFUSED
}

static void samples_must_be_numbers(void **state) {
    (void)state;
    char text[1024];
    struct tape tape = {0};
    npy_header(&tape, 1, "<c16", false, "(6, 4, 5)");
    for (unsigned i = 0; i < 120; i++) {
        double pair[2] = {1.0, i == 77 ? 1e300 : 2.0};
        tape_bytes(&tape, pair, sizeof pair);
    }
    test_write_file("a.npy", tape.bytes, tape.size);
    tape_free(&tape);
    rig_text(text, sizeof text, "[pulse, channel, sample]", ", rows: 2");
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig(text, &import, &error), error);
    assert_int_equal(nfsar_import_run(import, test_path("out.h5"), NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "sample 2 of channel 3 of pulse 3 is");
    assert_int_equal(test_count_files("out.h5"), 0);
    nfsar_import_close(import);
}

/* 960 kB, so that its lines cross blocks of any size; cut short after it was opened. */
static void a_file_cut_short_while_it_is_read_is_an_error(void **state) {
    (void)state;
    enum { LONG = 5000 };
    char text[1024];
    struct tape tape = {0};
    npy_header(&tape, 1, "<c8", false, "(6, 4, 5000)");
    size_t header = tape.size;
    tape.bytes = realloc(tape.bytes, header + (size_t)24 * LONG * 8);
    for (unsigned i = 0; i < 24 * LONG; i++) {
        float complex sample = sample_of(i / LONG, 0, i % LONG);
        memcpy(tape.bytes + header + (size_t)8 * i, &sample, 8);
    }
    test_write_file("a.npy", tape.bytes, header + (size_t)24 * LONG * 8);
    tape_free(&tape);
    rig_text(text, sizeof text, "[pulse, channel, sample]", ", rows: 2");
    nfsar_import *import = NULL;
    nfsar_error error = {0};
    float complex *out = calloc((size_t)4 * LONG, sizeof *out);
    assert_ok(open_rig(text, &import, &error), error);
    for (size_t pulse = 0; pulse < 6; pulse++) {
        assert_ok(nfsar_import_read(import, pulse, 1, out, &error), error);
        for (unsigned i = 0; i < 4 * LONG; i++) {
            unsigned line = (unsigned)pulse * 4 + i / LONG;
            assert_true(out[i] == sample_of(line, 0, i % LONG));
        }
    }
    nfsar_import_close(import);
    assert_ok(open_rig(text, &import, &error), error);
    assert_ok(nfsar_import_read(import, 0, 1, out, &error), error);
    assert_int_equal(truncate(test_path("a.npy"), 200000), 0);
    assert_int_equal(nfsar_import_read(import, 5, 1, out, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "a.npy: became shorter while it was read");
    nfsar_import_close(import);
    free(out);
}

/* Every truncation, and many changed bytes: an answer, not a crash; and what is accepted can be
 * read. */
static void damaged_headers_do_no_harm(void **state) {
    (void)state;
    char text[1024];
    rig_text(text, sizeof text, "[pulse, channel, sample]", ", rows: 2");
    struct tape tape = {0};
    npy_header(&tape, 1, "<c8", false, "(6, 4, 5)");
    for (unsigned i = 0; i < 120; i++) {
        npy_sample(&tape, "<c8", sample_of(i, 0, 0));
    }
    unsigned char *damaged = malloc(tape.size);
    size_t opened = 0, refused = 0;
    for (unsigned i = 0; i < 1000; i++) {
        memcpy(damaged, tape.bytes, tape.size);
        size_t length = tape.size;
        if (i < 200) {
            length = i;
        } else {
            for (unsigned k = 0; k < 1 + i % 2; k++) {
                unsigned h = (unsigned)sample_word_of(i, k, 2, 0) & 65535u;
                static const char letters[] = "0123456789(),': {}TFLc8<\n\x00\xff";
                damaged[h % 128] = (unsigned char)letters[(h / 128 + i) % sizeof letters];
            }
        }
        test_write_file("a.npy", damaged, length);
        nfsar_import *import = NULL;
        nfsar_error error = {0};
        if (open_rig(text, &import, &error) == NFSAR_OK) {
            float complex out[20 * 6];
            opened++;
            assert_int_equal(nfsar_import_header(import)->n_pulse, 6);
            nfsar_import_read(import, 0, 6, out, &error);
            nfsar_import_close(import);
        } else {
            refused++;
            assert_null(import);
            assert_contains(error.message, "rig.yaml");
        }
    }
    assert_true(opened > 20 && refused > 300);
    free(damaged);
    tape_free(&tape);
}

/* Whatever is kept, and in whatever order it is asked for, the bytes are those of the file. */
static void blocks_are_those_of_the_file(void **state) {
    (void)state;
    enum { HEADER = 128, NUMBERS = 500001 };
    nfsar_error error;
    char *file = calloc(1, HEADER + 4 * (size_t)NUMBERS);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        memcpy(file + HEADER + 4 * (size_t)i, &i, 4);
    }
    test_write_file("blocks.npy", file, HEADER + 4 * (size_t)NUMBERS);
    free(file);
    /* One set of blocks, two, more than the file has. */
    const size_t memory[] = {0, (size_t)1 << 20, (size_t)1 << 30};
    for (size_t m = 0; m < 3; m++) {
        struct npy_blocks *blocks = NULL;
        assert_ok(npy_blocks_open(test_path("blocks.npy"), memory[m], &blocks, &error), error);
        npy_blocks_start(blocks, HEADER);
        for (uint32_t i = 0; i < 20000; i++) {
            /* 99991 has no divisor in common with the count: a stride over all blocks. */
            uint32_t at = (uint32_t)((uint64_t)i * 99991 % NUMBERS), value = 0;
            size_t left = 0;
            const unsigned char *bytes = npy_blocks_at(blocks, 4 * (size_t)at, &left, &error);
            assert_non_null(bytes);
            memcpy(&value, bytes, 4);
            assert_int_equal(value, at);
            assert_true(left >= 4 && left % 4 == 0 && left <= 4 * (size_t)(NUMBERS - at));
            memcpy(&value, bytes + left - 4, 4);
            assert_int_equal(value, at + left / 4 - 1);
        }
        npy_blocks_close(blocks);
    }
    unlink(test_path("blocks.npy"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_orders_are_read),
        cmocka_unit_test(axes_may_come_in_any_order),
        cmocka_unit_test(one_array_for_each_row),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(samples_must_be_numbers),
        cmocka_unit_test(a_file_cut_short_while_it_is_read_is_an_error),
        cmocka_unit_test(damaged_headers_do_no_harm),
        cmocka_unit_test(blocks_are_those_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
