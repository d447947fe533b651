#include "tests/support.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/metrics.h>

#include "tests/algorithms/sharpness_candidates.h"

/* A 128 mm square slice, imaged with 77 .. 81 GHz from an aperture seen under +-24 degrees (the
 * wavenumbers of the image reach 0.8 of 2 k / 2), refocused dz away by the angular spectrum. */
enum { N = 128, N_FREQUENCY = 8, N_DEPTH = 41 };
#define STEP       1e-3
#define DEPTH_STEP 2.5e-3
#define APERTURE   0.8

static const struct {
    const char *name;
    sharpness_measure *measure;
} measures[] = {{"gradient energy", nfsar_slice_sharpness},
                {"norm ratio", sharpness_norm_ratio},
                {"phase flatness", sharpness_phase_flatness},
                {"kurtosis", sharpness_kurtosis},
                {"order", sharpness_order},
                {"gradient", sharpness_gradient}};
enum { N_MEASURE = 6 };

static double at(int i) {
    return (i - N / 2) * STEP;
}

static double random_unit(void) {
    return rand() / (double)RAND_MAX;
}

/* A 60 x 50 mm plate with four holes of 3 to 6 mm radius. */
static bool on_plate(double x, double y, bool endless) {
    const double hole[4][3] = {{-0.015, 0.010, 0.005},
                               {0.012, -0.008, 0.004},
                               {0.018, 0.012, 0.003},
                               {-0.010, -0.012, 0.006}};
    bool inside = endless || (fabs(x) < 0.030 && fabs(y) < 0.025);
    for (int i = 0; i < 4; i++) {
        inside = inside && hypot(x - hole[i][0], y - hole[i][1]) >= hole[i][2];
    }
    return inside;
}

enum scene {
    PLATE,
    TILTED,
    CURVED,
    DIFFUSE,
    ONE_POINT,
    TWENTY_POINTS,
    PLATE_AND_POINTS,
    SHEET,
    N_SCENE
};
static const char *const scene_name[] = {"plate",
                                         "tilted plate",
                                         "curved plate",
                                         "diffuse plate",
                                         "one point",
                                         "20 points",
                                         "plate and bright points",
                                         "endless sheet"};

static void draw_points(float complex *object, int n, double amplitude) {
    for (int i = 0; i < n; i++) {
        int x = 40 + rand() % 48, y = 40 + rand() % 48;
        object[y * N + x] = (float complex)(amplitude * (0.5 + random_unit()) *
                                            cexp(2.0 * M_PI * I * random_unit()));
    }
}

static void draw(enum scene scene, float complex *object) {
    memset(object, 0, N * N * sizeof *object);
    srand(11);
    for (int i = 0; i < N * N; i++) {
        double x = at(i % N), y = at(i / N);
        /* 8 mm of wavelength from edge to edge of a tilted plate, 2 rad of bulge of a curved one.
         */
        double phase = scene == TILTED    ? 2.0 * M_PI * x / 0.020
                       : scene == CURVED  ? (x * x + y * y) / (0.030 * 0.030)
                       : scene == DIFFUSE ? 2.0 * M_PI * random_unit()
                                          : 0.0;
        if (scene != ONE_POINT && scene != TWENTY_POINTS && on_plate(x, y, scene == SHEET)) {
            object[i] = (float complex)cexp(I * phase);
        }
    }
    draw_points(object, scene == ONE_POINT ? 1 : scene == TWENTY_POINTS ? 20 : 0, 1.0);
    draw_points(object, scene == PLATE_AND_POINTS ? 4 : 0, 8.0);
}

/* Spectrum of white noise as strong as the object's, over the whole band, with signal over noise.
 */
static void add_noise(float complex *spectrum, const double *pass, double decibel) {
    double power = 0.0, cells = 0.0;
    for (int i = 0; i < N * N; i++) {
        power += pow(cabsf(spectrum[i]), 2);
        cells += pass[i];
    }
    double sigma = sqrt(power / cells * pow(10.0, -decibel / 10.0) * 1.5);
    for (int i = 0; i < N * N; i++) {
        double re = random_unit() + random_unit() - 1.0, im = random_unit() + random_unit() - 1.0;
        spectrum[i] += (float complex)(2.0 * pass[i] * sigma * (re + I * im));
    }
}

static double wavenumber(int i) {
    return 2.0 * M_PI / (N * STEP) * (i < N / 2 ? i : i - N);
}

/* The sharpness of every depth by every measure. */
static void search(enum scene scene, double decibel, double sharpness[N_MEASURE][N_DEPTH]) {
    float complex *object = fftwf_alloc_complex(N * N), *slice = fftwf_alloc_complex(N * N);
    float complex *band[N_FREQUENCY];
    double *pass = malloc(N * N * sizeof *pass);
    fftwf_plan forward = fftwf_plan_dft_2d(N, N, object, object, FFTW_FORWARD, FFTW_ESTIMATE);
    fftwf_plan inverse = fftwf_plan_dft_2d(N, N, slice, slice, FFTW_BACKWARD, FFTW_ESTIMATE);
    draw(scene, object);
    fftwf_execute(forward);
    double k[N_FREQUENCY];
    for (int f = 0; f < N_FREQUENCY; f++) {
        k[f] = 2.0 * M_PI * (77e9 + 4e9 * f / (N_FREQUENCY - 1)) / 299792458.0;
        band[f] = malloc(N * N * sizeof **band);
        for (int i = 0; i < N * N; i++) {
            double kx = wavenumber(i % N), ky = wavenumber(i / N);
            pass[i] = hypot(kx, ky) < APERTURE * k[f];
            band[f][i] = (float)pass[i] * object[i];
        }
        add_noise(band[f], pass, decibel);
    }
    for (int d = 0; d < N_DEPTH; d++) {
        double dz = (d - N_DEPTH / 2) * DEPTH_STEP;
        memset(slice, 0, N * N * sizeof *slice);
        for (int i = 0; i < N * N; i++) {
            double kx = wavenumber(i % N), ky = wavenumber(i / N);
            for (int f = 0; f < N_FREQUENCY; f++) {
                double kz = sqrt(fmax(4.0 * k[f] * k[f] - kx * kx - ky * ky, 0.0));
                slice[i] += band[f][i] * (float complex)cexp(-I * kz * dz);
            }
        }
        fftwf_execute(inverse);
        for (int m = 0; m < N_MEASURE; m++) {
            sharpness[m][d] = measures[m].measure(slice, N, N);
        }
    }
    for (int f = 0; f < N_FREQUENCY; f++) {
        free(band[f]);
    }
    free(pass);
    fftwf_destroy_plan(forward);
    fftwf_destroy_plan(inverse);
    fftwf_free(object);
    fftwf_free(slice);
}

static double best_depth(const double sharpness[N_DEPTH]) {
    int best = 0;
    for (int d = 0; d < N_DEPTH; d++) {
        best = sharpness[d] > sharpness[best] ? d : best;
    }
    return (best - N_DEPTH / 2) * DEPTH_STEP;
}

/* kz runs from 2 k to 2 k cos(asin(APERTURE / 2)): the depth of focus is 2 pi over the difference,
 * 23 mm. */
#define DEPTH_OF_FOCUS 0.0227

/* The measure in use finds the true depth of every scene exactly when clean, and, but for the sheet
 * that shows no edge, at 0 dB; within a quarter of the depth of focus otherwise, also where noise
 * is ten times the signal. docs/theory/sharpness.md has the table that this prints. */
static void finds_the_depth(void **state) {
    (void)state;
    const double noise[] = {30.0, 0.0, -10.0};
    for (int n = 0; n < 3; n++) {
        print_message("signal over noise %g dB: best dz in mm\n%-26s", noise[n], "");
        for (int m = 0; m < N_MEASURE; m++) {
            print_message("%16s", measures[m].name);
        }
        print_message("\n");
        for (int scene = 0; scene < N_SCENE; scene++) {
            static double sharpness[N_MEASURE][N_DEPTH];
            search((enum scene)scene, noise[n], sharpness);
            print_message("%-26s", scene_name[scene]);
            for (int m = 0; m < N_MEASURE; m++) {
                print_message("%16.1f", 1e3 * best_depth(sharpness[m]));
            }
            print_message("\n");
            bool exact = n == 0 || (n == 1 && scene != SHEET);
            assert_near(best_depth(sharpness[0]), 0.0, exact ? 1e-9 : 0.25 * DEPTH_OF_FOCUS);
        }
    }
}

static void by_hand(void **state) {
    (void)state;
    /* Magnitudes 3, 0, 0, 4: N = 4, sum 7, squares 25, fourth powers 337. */
    const float complex data[4] = {3.0f, 0.0f, 0.0f, -4.0f * I};
    assert_near(sharpness_norm_ratio(data, 2, 2), sqrt(4.0 * 25.0) / 7.0, 1e-12);
    /* Slopes 3, 3, 4, 4. */
    assert_near(nfsar_slice_sharpness(data, 2, 2), 9.0 + 9.0 + 16.0 + 16.0, 1e-12);
    assert_near(sharpness_kurtosis(data, 2, 2), 4.0 * 337.0 / 625.0, 1e-12);
    double entropy = -(9.0 / 25.0) * log(9.0 / 25.0) - (16.0 / 25.0) * log(16.0 / 25.0);
    assert_near(sharpness_order(data, 2, 2), log(4.0) - entropy, 1e-12);
    assert_near(sharpness_gradient(data, 2, 2), 2.0, 1e-12);
    assert_near(sharpness_phase_flatness(data, 2, 2), 1.0, 1e-12);
    /* A phase ramp on constant magnitude has no slope left once the mean step is off. */
    float complex ramp[64];
    for (int i = 0; i < 64; i++) {
        ramp[i] = (float complex)((i % 8 == 3 ? 2.0 : 1.0) * cexp(1.3 * I * (i % 8)));
    }
    assert_near(sharpness_phase_flatness(ramp, 8, 8), 1.0, 1e-5);
}

static void factor_changes_nothing(void **state) {
    (void)state;
    float complex data[600], scaled[600], zero[600] = {0};
    srand(3);
    for (int i = 0; i < 600; i++) {
        data[i] = (float complex)(random_unit() + I * random_unit());
        scaled[i] = data[i] * (3e-18f - 4e-18f * I);
    }
    for (int m = 0; m < N_MEASURE; m++) {
        double one = measures[m].measure(data, 30, 20), two = measures[m].measure(scaled, 30, 20);
        /* The measure in use grows with the power: a volume's slices share one factor. */
        double power = m == 0 ? 25e-36 : 1.0;
        assert_near(two / power, one, 1e-5 * one);
        assert_near(measures[m].measure(zero, 30, 20), 0.0, 0.0);
        assert_true(isfinite(measures[m].measure(data, 600, 1)));
        assert_true(isfinite(measures[m].measure(data, 1, 1)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(factor_changes_nothing),
        cmocka_unit_test(finds_the_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
