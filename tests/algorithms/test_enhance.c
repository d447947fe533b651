/* The network in single precision against the plain one in double (enhance_reference.h), and
 * weights that are not what they should be. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/enhance.h>

#include "tests/algorithms/enhance_reference.h"

/* Nothing a power of two, 2 x 2 patches: many tokens. */
static const struct reference_shape odd = {.inputs = 2,
                                           .stem = 1,
                                           .n_stage = 2,
                                           .channels = {5, 7},
                                           .dims = {3, 6},
                                           .depths = {1, 2},
                                           .hidden = {7, 5},
                                           .heads = 2,
                                           .head_dim = 4,
                                           .patch = 2,
                                           .residual = true};

static nfsar_enhance_model *parse(const struct reference *net) {
    nfsar_error error;
    nfsar_enhance_model *model = NULL;
    size_t size;
    unsigned char *file = reference_file(net, &size);
    assert_ok(nfsar_enhance_parse(file, size, &model, &error), error);
    free(file);
    return model;
}

static void run(const nfsar_enhance_model *model, enum nfsar_kernel kernel, int threads, int nx,
                int ny, const float *in, double peak, float *out) {
    nfsar_error error;
    nfsar_enhance_plan *plan = NULL;
    const nfsar_enhance_options options = {kernel, threads};
    assert_ok(nfsar_enhance_plan_create(model, (size_t)nx, (size_t)ny, &options, &plan, &error),
              error);
    assert_ok(nfsar_enhance_execute(plan, in, peak, out, &error), error);
    /* A plan holds nothing of what it did before. */
    float *again = malloc((size_t)(nx * ny) * sizeof *again);
    assert_ok(nfsar_enhance_execute(plan, in, peak, again, &error), error);
    assert_memory_equal(out, again, (size_t)(nx * ny) * sizeof *again);
    free(again);
    nfsar_enhance_plan_destroy(plan);
}

/* The largest difference from the reference, over the reference's largest value, with each version
 * of the loops. */
static void compare(const struct reference_shape *shape, int nx, int ny, double scale,
                    double peak) {
    struct reference *net = reference_make(shape, 1);
    nfsar_enhance_model *model = parse(net);
    float *in = reference_image(shape, nx, ny, scale, 2);
    float *out = malloc((size_t)(nx * ny) * sizeof *out);
    double *wanted = reference_run(net, in, nx, ny, peak);
    for (int k = NFSAR_KERNEL_PORTABLE; k <= NFSAR_KERNEL_AVX512; k++) {
        if (!nfsar_kernel_available((enum nfsar_kernel)k)) {
            continue;
        }
        run(model, (enum nfsar_kernel)k, 2, nx, ny, in, peak, out);
        double largest = 0.0, worst = 0.0;
        for (int i = 0; i < nx * ny; i++) {
            largest = fmax(largest, fabs(wanted[i]));
            worst = fmax(worst, fabs((double)out[i] - wanted[i]));
        }
        print_message("%d x %d, %s: %.2e of %.3g\n", nx, ny,
                      nfsar_kernel_name((enum nfsar_kernel)k), worst / largest, largest);
        assert_true(isfinite(largest) && largest > 0.01 * scale);
        assert_true(worst <= 1e-5 * largest);
    }
    free(wanted);
    free(out);
    free(in);
    nfsar_enhance_model_free(model);
    reference_free(net);
}

static void paper_network_agrees(void **state) {
    (void)state;
    compare(&reference_paper, 48, 32, 3e-4, 0.0);
}

static void any_shape_and_size_agrees(void **state) {
    (void)state;
    compare(&odd, 41, 27, 1.0, 0.0);
    compare(&odd, 1, 1, 1.0, 0.0);
    compare(&odd, 66, 34, 5.0, 20.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_network_agrees),
        cmocka_unit_test(any_shape_and_size_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
