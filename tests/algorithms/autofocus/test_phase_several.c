/* Phase-gradient autofocus where no scatterer stands out: several of like strength in one range
 * cell, whose common echo tells less than it seems to. */
#include "tests/algorithms/autofocus/line_scan.h"

/* Scatterers of like strength in one range cell have one echo, whose phase would make them one
 * bright point with ghosts: a sharper image by entropy, of something else. True poses stay. */
static void like_scatterers_are_left_alone(void **state) {
    (void)state;
    const struct {
        size_t n;
        nfsar_scatterer scatterer[6];
    } scenes[] = {{2, {{{0.0, 0.0, 0.3}, 1.0f}, {{0.03, 0.0, 0.305}, 1.0f}}},
                  {6,
                   {{{0.0, 0.0, 0.3}, 1.0f},
                    {{0.03, 0.0, 0.305}, 0.8f},
                    {{-0.03, 0.0, 0.3}, 0.9f},
                    {{-0.02, 0.0, 0.295}, 0.7f},
                    {{0.045, 0.0, 0.3}, 1.0f},
                    {{0.012, 0.0, 0.3}, 0.6f}}}};
    for (size_t s = 0; s < sizeof scenes / sizeof scenes[0]; s++) {
        nfsar_capture capture;
        nfsar_phase_gradient found;
        nfsar_error error;
        const nfsar_phase_gradient_options options = options_of();
        radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
        assert_ok(nfsar_simulate(&capture, scenes[s].scatterer, scenes[s].n, NULL, 0, PULSES,
                                 capture.echo, NULL, &error),
                  error);
        assert_ok(find(&capture, &options, &found, &error), error);
        print_message("%zu alike: reason %d, steady %.3f, explained %.3f before, %.3f then\n",
                      scenes[s].n, (int)found.reason, found.steady, found.explained_before,
                      found.explained_after);
        assert_false(found.gained);
        assert_int_not_equal(found.reason, NFSAR_PHASE_TAKEN);
        assert_true(found.explained_before > 0.9);
        for (size_t l = 0; l < PULSES; l++) {
            assert_near(nfsar_vec3_norm(found.displacement_m[l]), 0.0, 0.0);
        }
        nfsar_phase_gradient_free(&found);
        nfsar_capture_free(&capture);
    }
}

static void make_points(const nfsar_scatterer *scatterer, size_t n, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_error error;
    nfsar_random_seed(&random, 12);
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, capture);
    assert_ok(nfsar_simulate(capture, scatterer, n, NULL, 0, PULSES, capture->echo, NULL, &error),
              error);
    for (size_t i = 0; i < (size_t)PULSES * SAMPLES; i++) {
        capture->echo[i] += (float complex)(0.1 * nfsar_random_complex_normal(&random));
    }
}

/* Correlations with the image of the true poses, with poses that err by sigma and with them mended.
 */
struct mended {
    double before, after;
};

static struct mended mend(nfsar_capture *capture, double sigma, nfsar_phase_gradient *found) {
    const nfsar_phase_gradient_options options = options_of();
    nfsar_vec3 truth[PULSES], wrong[PULSES];
    nfsar_error error;
    struct mended mended;
    keep_truth(capture, truth);
    if (sigma > 0.0) {
        disturb(capture, sigma, false);
    }
    keep_truth(capture, wrong);
    assert_ok(find(capture, &options, found, &error), error);
    mended.before = likeness(capture, truth);
    keep_poses(capture, wrong);
    nfsar_phase_gradient_move(found, capture);
    mended.after = likeness(capture, truth);
    return mended;
}

/* A row of equal points has an echo of nearly constant strength, and the phases that bend the track
 * into one make a sharper image of it, which is wrong. */
static void a_row_is_not_made_a_point(void **state) {
    (void)state;
    enum { ROW = 7 };
    const double sigma[] = {0.0, 0.5e-3, 1e-3, 2e-3, 4e-3};
    for (size_t s = 0; s < sizeof sigma / sizeof sigma[0]; s++) {
        nfsar_scatterer row[ROW];
        nfsar_capture capture;
        nfsar_phase_gradient found;
        for (int i = 0; i < ROW; i++) {
            row[i] = (nfsar_scatterer){{0.01 * (i - ROW / 2), 0.0, 0.3}, 1.0f};
        }
        make_points(row, ROW, &capture);
        const struct mended like = mend(&capture, sigma[s], &found);
        print_message("a row, %.1f mm: reason %d, joint %d, told %.3f, explained %.3f before, %.3f "
                      "then: correlation %.3f, %.3f\n",
                      1e3 * sigma[s], (int)found.reason, found.joint, found.told,
                      found.explained_before, found.explained_after, like.before, like.after);
        assert_true(!found.gained || like.after > like.before);
        assert_true(sigma[s] > 0.0 || !found.gained);
        nfsar_phase_gradient_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* Two of like strength in one range cell: neither stands out, both together tell the phases. */
static void two_alike_are_found_together(void **state) {
    (void)state;
    const nfsar_scatterer two[] = {{{0.0, 0.0, 0.3}, 1.0f}, {{0.03, 0.0, 0.305}, 1.0f}};
    nfsar_capture capture;
    nfsar_phase_gradient found;
    make_points(two, 2, &capture);
    const struct mended like = mend(&capture, 0.5e-3, &found);
    print_message("two alike, 0.5 mm: joint %d, explained %.3f before, %.3f then: correlation "
                  "%.3f, %.3f\n",
                  found.joint, found.explained_before, found.explained_after, like.before,
                  like.after);
    assert_true(found.gained && found.joint);
    assert_true(found.explained_after > 0.95);
    assert_true(like.after > like.before && like.after > 0.95);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_scatterers_are_left_alone),
        cmocka_unit_test(a_row_is_not_made_a_point),
        cmocka_unit_test(two_alike_are_found_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
