/* The generator against published vectors, and the moments of its distributions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

#include <nfsar/simulation.h>

static void test_known_vectors(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 0);
    /* splitmix64 from 0: the sequence that its authors' page and Java's SplittableRandom give. */
    assert_true(random.state[0] == 0xe220a8397b1dcdafu);
    assert_true(random.state[1] == 0x6e789e6aa1b965f4u);
    assert_true(random.state[2] == 0x06c45d188009454fu);
    assert_true(random.state[3] == 0xf88bb8a8724c81ecu);
    /* xoshiro256** from the state {1, 2, 3, 4}: the test vector of the Rust crate rand_xoshiro,
     * made with the authors' reference code. */
    const uint64_t expected[10] = {
        11520u,
        0u,
        1509978240u,
        1215971899390074240u,
        1216172134540287360u,
        607988272756665600u,
        16172922978634559625u,
        8476171486693032832u,
        10595114339597558777u,
        2904607092377533576u,
    };
    random = (nfsar_random){{1, 2, 3, 4}};
    for (int i = 0; i < 10; i++) {
        assert_true(nfsar_random_bits(&random) == expected[i]);
    }
}

enum { DRAWS = 400000 };

static void test_uniform_moments(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 1);
    double sum = 0.0, square = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        double u = nfsar_random_uniform(&random);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
        square += u * u;
    }
    /* Five standard errors: sqrt(1/12/N) = 4.6e-4, sqrt(4/45/N) = 4.7e-4. */
    assert_near(sum / DRAWS, 0.5, 2.3e-3);
    assert_near(square / DRAWS, 1.0 / 3.0, 2.4e-3);
}

static void test_normal_moments(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 2);
    double moment[5] = {0};
    int beyond = 0;
    for (int i = 0; i < DRAWS; i++) {
        double g = nfsar_random_normal(&random), power = 1.0;
        for (int m = 0; m < 5; m++) {
            moment[m] += power / DRAWS;
            power *= g;
        }
        beyond += fabs(g) > 1.959964;
    }
    assert_near(moment[1], 0.0, 8e-3);                 /* 5 / sqrt(N) */
    assert_near(moment[2], 1.0, 1.2e-2);               /* 5 sqrt(2/N) */
    assert_near(moment[3], 0.0, 3.1e-2);               /* 5 sqrt(15/N) */
    assert_near(moment[4], 3.0, 7.8e-2);               /* 5 sqrt(96/N) */
    assert_near((double)beyond / DRAWS, 0.05, 1.8e-3); /* 5 sqrt(.0475/N) */
}

static void test_complex_normal(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    double complex square = 0.0;
    double power = 0.0, real = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        double complex g = nfsar_random_complex_normal(&random);
        power += creal(g) * creal(g) + cimag(g) * cimag(g);
        real += creal(g) * creal(g);
        square += g * g;
    }
    assert_near(power / DRAWS, 1.0, 8e-3);
    assert_near(real / DRAWS, 0.5, 6e-3);
    /* Circular: E g^2 = 0. */
    assert_near(cabs(square) / DRAWS, 0.0, 1.2e-2);
}

static void test_streams_differ(void **state) {
    (void)state;
    enum { STREAMS = 64 };
    uint64_t first[STREAMS];
    for (uint64_t i = 0; i < STREAMS; i++) {
        nfsar_random random;
        nfsar_random_stream(&random, 5 + i / 8, i % 8);
        first[i] = nfsar_random_bits(&random);
        for (uint64_t j = 0; j < i; j++) {
            assert_true(first[i] != first[j]);
        }
    }
    /* And are uncorrelated: neighbouring streams of complex noise. */
    nfsar_random a, b;
    nfsar_random_stream(&a, 5, 0);
    nfsar_random_stream(&b, 5, 1);
    double complex sum = 0.0;
    for (int i = 0; i < 100000; i++) {
        sum += nfsar_random_complex_normal(&a) * conj(nfsar_random_complex_normal(&b));
    }
    assert_near(cabs(sum) / 100000, 0.0, 1.6e-2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_vectors),  cmocka_unit_test(test_uniform_moments),
        cmocka_unit_test(test_normal_moments), cmocka_unit_test(test_complex_normal),
        cmocka_unit_test(test_streams_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
