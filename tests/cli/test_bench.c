/* nfsar bench, run as a user runs it with its small sizes: all rows are there and fit together. No
 * time is asserted. */
#include "tests/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/kernel.h>

static char output[1 << 17];

static json_t *run_json(const char *arguments) {
    json_error_t error;
    assert_int_equal(test_command(output, sizeof output, "bench --json %s", arguments), 0);
    json_t *root = json_loads(output, 0, &error);
    if (root == NULL) {
        fail_msg("%s: %s", error.text, output);
    }
    return root;
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) {
        fail_msg("%s is not a number: %s", key, output);
    }
    return json_number_value(value);
}

static const char *text(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

/* How many rows of a subject are named so, run this kernel (NULL: any) on this many threads. */
static int count(const json_t *root, const char *subject, const char *name, const char *kernel,
                 int threads) {
    int n = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), i, row) {
        n += strcmp(text(row, "subject"), subject) == 0 && strcmp(text(row, "name"), name) == 0 &&
             (kernel == NULL || strcmp(text(row, "kernel"), kernel) == 0) &&
             (int)number(row, "threads") == threads;
    }
    return n;
}

static void check_row(const json_t *row) {
    const json_t *seconds = json_object_get(row, "seconds");
    double median = number(seconds, "median");
    assert_true(number(seconds, "min") > 0.0 && number(seconds, "rounds") >= 3.0);
    assert_true(number(seconds, "min") <= number(seconds, "low"));
    assert_true(number(seconds, "low") <= median && median <= number(seconds, "high"));
    assert_true(number(seconds, "high") <= number(seconds, "max"));
    assert_true(number(seconds, "spread") >= 0.0 && number(row, "busy") > 0.0);
    assert_true(number(row, "work") > 0.0 && text(row, "unit")[0] != '\0');
    double rate = number(row, "work") / median;
    assert_near(number(row, "rate"), rate, 1e-9 * rate);
    assert_true(text(row, "name")[0] != '\0' && text(row, "size")[0] != '\0');
}

/* Whether a number of a ratio is the median or the rate of a row of its subject. */
static bool is_measured(const json_t *root, const json_t *ratio, const char *key) {
    bool times = strcmp(text(ratio, "unit"), "s") == 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), i, row) {
        double value =
            times ? number(json_object_get(row, "seconds"), "median") : number(row, "rate");
        if (strcmp(text(row, "subject"), text(ratio, "subject")) == 0 &&
            fabs(value - number(ratio, key)) <= 1e-9 * value) {
            return true;
        }
    }
    return false;
}

static void everything_is_there(void **state) {
    (void)state;
    json_t *root = run_json("--quick --threads 2");
    const json_t *machine = json_object_get(root, "machine");
    assert_true(text(machine, "processor")[0] != '\0' && text(machine, "fftw")[0] != '\0');
    assert_true(number(machine, "processors") >= 1.0);
    assert_true(json_is_true(json_object_get(root, "quick")));
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "rows"), i, item) {
        check_row(item);
    }
    const char *const cases[] = {"pair", "MIMO 3 x 4", "monostatic"};
    for (int threads = 1; threads <= 2; threads++) {
        assert_int_equal(count(root, "memory", "read", NULL, threads), 1);
        assert_int_equal(count(root, "memory", "triad a = b + s c", NULL, threads), 1);
        assert_int_equal(count(root, "sgemm", "sgemm", NULL, threads), 1);
        assert_int_equal(count(root, "fftw", "forward, of each frequency", NULL, threads), 1);
        assert_int_equal(count(root, "fftw", "of each wave, over frequency", NULL, threads), 1);
        assert_int_equal(count(root, "fftw", "backward, of each depth", NULL, threads), 1);
        assert_int_equal(count(root, "rma", "rma", NULL, threads), 1);
        assert_int_equal(count(root, "rma", "FFTW: the transforms in rma", NULL, threads), 1);
        assert_int_equal(count(root, "rma", "FFTW: the textbook's transforms", NULL, threads), 1);
        assert_int_equal(count(root, "csar", "csar", NULL, threads), 1);
        assert_int_equal(count(root, "csar", "FFTW: the transforms in csar", NULL, threads), 1);
        assert_int_equal(count(root, "csar", "bp of a part", NULL, threads), 1);
        assert_int_equal(count(root, "nufft", "type 1", NULL, threads), 1);
        assert_int_equal(count(root, "nufft", "type 2", NULL, threads), 1);
        assert_int_equal(count(root, "nufft", "FFTW: plain transforms", NULL, threads), 1);
        assert_int_equal(count(root, "enhance", "sgemm", NULL, threads), 1);
        assert_int_equal(count(root, "enhance", "network default", NULL, threads), 1);
        assert_int_equal(count(root, "enhance", "network paper", NULL, threads), 1);
        assert_int_equal(count(root, "simulation", "simulation, pair", NULL, threads), 1);
        assert_int_equal(count(root, "reading", "import to memory", NULL, threads), 1);
        assert_int_equal(count(root, "reading", "import to a capture file", NULL, threads), 1);
        for (enum nfsar_kernel k = NFSAR_KERNEL_PORTABLE; k <= NFSAR_KERNEL_AVX512; k++) {
            for (size_t c = 0; c < 3; c++) {
                assert_int_equal(count(root, "bp", cases[c], nfsar_kernel_name(k), threads),
                                 nfsar_kernel_available(k));
            }
        }
    }
    assert_int_equal(count(root, "bp", "plain double-precision loop, pair", "libm", 1), 1);
    static const char *const reading[] = {
        "int16 to complex float, 4 lanes", "memcpy() of those floats", "import to memory",
        "read() of that raw file",         "import to a capture file", "capture file to memory",
        "plain read(), write(), fsync()",  "read() of that file"};
    for (size_t r = 0; r < sizeof reading / sizeof reading[0]; r++) {
        assert_int_equal(count(root, "reading", reading[r], NULL, 1), 1);
    }
    json_decref(root);
}

static void ratios_are_quotients(void **state) {
    (void)state;
    json_t *root = run_json("--quick --threads 2");
    const json_t *ratios = json_object_get(root, "ratios");
    assert_true(json_array_size(ratios) >= 20);
    size_t i;
    json_t *ratio;
    json_array_foreach(ratios, i, ratio) {
        double value = number(ratio, "of") / number(ratio, "to");
        assert_true(value > 0.0);
        assert_near(number(ratio, "value"), value, 1e-9 * value);
        if (strcmp(text(ratio, "unit"), "bytes") != 0 &&
            (!is_measured(root, ratio, "of") || !is_measured(root, ratio, "to"))) {
            fail_msg("%s is no quotient of two rows", text(ratio, "name"));
        }
    }
    json_decref(root);
}

/* Every speed of an image or an echo comes with its error, and none is wild. */
static void speed_comes_with_accuracy(void **state) {
    (void)state;
    json_t *root = run_json("--quick bp rma csar nufft simulation --threads 1");
    size_t i, with = 0;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), i, row) {
        assert_int_equal((int)number(row, "threads"), 1);
        const json_t *error_db = json_object_get(row, "error_db");
        if (json_is_number(error_db)) {
            with++;
            assert_true(json_number_value(error_db) < -40.0);
        }
    }
    assert_true(with >= 9);
    json_decref(root);
}

/* What a range gate saves: of each method from each file, images that a gate leaves as they are. */
static void gates_leave_images(void **state) {
    (void)state;
    json_t *root = run_json("--quick gate --threads 2");
    static const char *const tasks[] = {"rma, slice",    "nurma, slice",  "empm, slice",
                                        "bp, slice",     "nurma, volume", "bp, volume",
                                        "bp double, row"};
    static const char *const ways[] = {"plain", "plain, --range", "sealed", "sealed, --range",
                                       "gated"};
    char name[80];
    for (size_t t = 0; t < sizeof tasks / sizeof *tasks; t++) {
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            snprintf(name, sizeof name, "%s: %s", tasks[t], ways[w]);
            assert_int_equal(count(root, "gate", name, NULL, 2), 1);
        }
    }
    assert_int_equal(count(root, "gate", "making the file: of sealed", NULL, 2), 1);
    size_t i, errors = 0;
    json_t *ratio;
    json_array_foreach(json_object_get(root, "ratios"), i, ratio) {
        if (strncmp(text(ratio, "name"), "error, ", 7) == 0) {
            errors++;
            if (!(number(ratio, "value") < 1e-3)) {
                fail_msg("%s: %g", text(ratio, "name"), number(ratio, "value"));
            }
        }
    }
    assert_int_equal(errors, 2 * sizeof tasks / sizeof *tasks);
    json_decref(root);
}

static void table(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output, "bench --quick sgemm --kernel portable"),
                     0);
    assert_contains(output, "sgemm: matrix product");
    assert_contains(output, "GFLOP/s");
    if (getenv("OPENBLAS_CORETYPE") == NULL) {
        assert_null(strstr(output, "OPENBLAS_CORETYPE="));
    }
    assert_null(strstr(output, "backprojection"));
    /* What chose OpenBLAS's kernels is said. */
    char *before = getenv("OPENBLAS_CORETYPE") != NULL ? strdup(getenv("OPENBLAS_CORETYPE")) : NULL;
    setenv("OPENBLAS_CORETYPE", "Prescott", 1);
    assert_int_equal(test_command(output, sizeof output, "bench --quick sgemm"), 0);
    assert_contains(output, "OPENBLAS_CORETYPE=Prescott in the environment");
    if (before != NULL) {
        setenv("OPENBLAS_CORETYPE", before, 1);
    } else {
        unsetenv("OPENBLAS_CORETYPE");
    }
    free(before);
}

static void fails(int status, const char *part, const char *arguments) {
    assert_int_equal(test_command(output, sizeof output, "bench %s", arguments), status);
    assert_contains(output, part);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void bad_usage_is_refused(void **state) {
    (void)state;
    fails(2, "there is no subject 'bq'; known are memory, sgemm, fftw, bp, rma, csar",
          "--quick bq");
    fails(2, "there is no option --slow", "--slow");
    fails(2, "known are auto, portable, avx2, avx512", "--quick sgemm --kernel mmx");
    fails(2, "a whole number", "--threads many");
    if (!nfsar_kernel_available(NFSAR_KERNEL_AVX512)) {
        fails(2, "this machine cannot run it", "--quick bp --kernel avx512");
    }
    setenv("TMPDIR", "/no/such/folder", 1);
    fails(1, "/no/such/folder", "--quick --json reading");
    unsetenv("TMPDIR");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_there),
        cmocka_unit_test(ratios_are_quotients),
        cmocka_unit_test(speed_comes_with_accuracy),
        cmocka_unit_test(gates_leave_images),
        cmocka_unit_test(table),
        cmocka_unit_test(bad_usage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
