/* How a range migration is planned does not show in its image: blocks, threads, instruction sets,
 * transforms; and what a plan promises of memory. */
#include "tests/support.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/rma_plan.h"
#include "tests/images.h"
#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

/* Lattice steps of 1 mm, so that grids of whole millimetres fit it. */
static void make_scan(size_t n_sample, nfsar_capture *capture) {
    nfsar_vec3 point[2] = {{0.01, 0.0, 0.2}, {-0.004, 0.006, 0.215}};
    radar_raster("single", 40, 0.001, 40, 0.001, n_sample, capture);
    radar_add_points(capture, point, 2);
}

static nfsar_grid make_grid(double step, size_t depths) {
    return (nfsar_grid){.x = {-0.02, step, 41},
                        .y = {-0.02, step, 37},
                        .z = {0.19, 0.039 / (double)depths, depths}};
}

/* Image through a plan that is there for all who want to change it. */
static nfsar_rma_plan *plan_for(const nfsar_capture *capture, nfsar_lattice *lattice,
                                const nfsar_grid *grid, const nfsar_rma_options *options) {
    nfsar_error error;
    nfsar_rma_plan *plan = NULL;
    assert_ok(nfsar_lattice_detect(capture, 0.0, lattice, &error), error);
    assert_ok(nfsar_rma_plan_create(capture, lattice, grid, options, &plan, &error), error);
    return plan;
}

static nfsar_image run_plan(nfsar_rma_plan *plan, const nfsar_capture *capture,
                            const nfsar_grid *grid) {
    nfsar_error error;
    nfsar_image image;
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    assert_ok(nfsar_rma_execute(plan, &source, image.data, NULL, &error), error);
    return image;
}

static double worst_db(const nfsar_image *a, const nfsar_image *b) {
    double peak = 0.0, worst = 0.0;
    size_t n = a->grid.x.count * a->grid.y.count * a->grid.z.count;
    for (size_t i = 0; i < n; i++) {
        peak = fmax(peak, (double)cabsf(a->data[i]));
        worst = fmax(worst, (double)cabsf(a->data[i] - b->data[i]));
    }
    return 20.0 * log10(worst / peak + 1e-12);
}

static void threads_change_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    make_scan(32, &capture);
    nfsar_grid grid = make_grid(0.001, 40);
    nfsar_rma_options options = nfsar_rma_defaults();
    options.threads = 1;
    nfsar_image one = image_rma(&capture, &grid, &options);
    for (int threads = 2; threads <= 3; threads++) {
        options.threads = threads;
        nfsar_image more = image_rma(&capture, &grid, &options);
        assert_memory_equal(one.data, more.data, 41 * 37 * 40 * sizeof *one.data);
        nfsar_image_free(&more);
    }
    nfsar_image_free(&one);
    nfsar_capture_free(&capture);
}

/* Fewer frequencies and depths, blocks of both, and slabs whose last overlaps: against one piece.
 */
static void blocks_change_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    make_scan(64, &capture);
    nfsar_grid grid = make_grid(0.001, 90);
    nfsar_image whole = image_rma(&capture, &grid, NULL);
    static const size_t budgets[] = {700000, 1000000, 2000000, 4000000};
    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
        nfsar_rma_options options = nfsar_rma_defaults();
        options.memory = budgets[i];
        options.threads = 1;
        nfsar_lattice lattice;
        nfsar_rma_plan *plan = plan_for(&capture, &lattice, &grid, &options);
        nfsar_image pieces = run_plan(plan, &capture, &grid);
        print_message("%zu kB: %zu of %zu frequencies, slabs of %zu depths from %zu: %.1f dB\n",
                      budgets[i] / 1000, plan->k_block, plan->n_wave, plan->z_slab,
                      plan->depth->n_node, worst_db(&whole, &pieces));
        assert_true(worst_db(&whole, &pieces) < -95.0);
        nfsar_image_free(&pieces);
        nfsar_rma_plan_destroy(plan);
        nfsar_lattice_free(&lattice);
    }
    nfsar_image_free(&whole);
    nfsar_capture_free(&capture);
}

static void instruction_sets_change_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    make_scan(64, &capture);
    nfsar_grid grid = make_grid(0.001, 90);
    nfsar_lattice lattice;
    nfsar_rma_plan *plan = plan_for(&capture, &lattice, &grid, NULL);
    plan->kernels = rma_kernels_for(NFSAR_KERNEL_PORTABLE);
    nfsar_image portable = run_plan(plan, &capture, &grid);
    for (int kernel = NFSAR_KERNEL_AVX2; kernel <= NFSAR_KERNEL_AVX512; kernel++) {
        if (nfsar_kernel_available((enum nfsar_kernel)kernel)) {
            plan->kernels = rma_kernels_for((enum nfsar_kernel)kernel);
            nfsar_image image = run_plan(plan, &capture, &grid);
            print_message("%s: %.1f dB\n", nfsar_kernel_name((enum nfsar_kernel)kernel),
                          worst_db(&portable, &image));
            assert_true(worst_db(&portable, &image) < -100.0);
            nfsar_image_free(&image);
        }
    }
    nfsar_image_free(&portable);
    nfsar_rma_plan_destroy(plan);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

/* The same plan with chirp-z in the place of the transforms that fit. */
static void transforms_that_fit_change_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    make_scan(32, &capture);
    nfsar_grid grid = make_grid(0.0005, 40);
    nfsar_lattice lattice;
    nfsar_rma_plan *plan = plan_for(&capture, &lattice, &grid, NULL);
    double alpha = plan->x.step * grid.x.step;
    assert_int_not_equal(lateral_direct_length(alpha, 41), 0);
    nfsar_image direct = run_plan(plan, &capture, &grid);
    struct rma_axis *axes[] = {&plan->x, &plan->y};
    const nfsar_axis *along[] = {&grid.x, &grid.y};
    for (size_t i = 0; i < 2; i++) {
        lateral *chirp = lateral_create_chirp(axes[i]->bins, axes[i]->half, along[i]->count,
                                              axes[i]->step * along[i]->step);
        assert_non_null(chirp);
        lateral_destroy(axes[i]->to_grid);
        axes[i]->to_grid = chirp;
    }
    /* Arrays for the other transforms' lengths. */
    size_t threads = (size_t)plan->threads, room = 4 * (plan->x.length + plan->y.length + 64);
    free(plan->work);
    free(plan->rows);
    free(plan->columns);
    plan->work_size = rma_pitch(plan->work_size + room);
    plan->work = buffer_zeros(threads * plan->work_size, sizeof *plan->work);
    plan->rows = buffer_zeros(threads * plan->chunk * room, sizeof *plan->rows);
    plan->columns = buffer_zeros(threads * RMA_TILE * room, sizeof *plan->columns);
    assert_true(plan->work != NULL && plan->rows != NULL && plan->columns != NULL);
    nfsar_image chirp = run_plan(plan, &capture, &grid);
    print_message("fitting transforms against chirp-z: %.1f dB\n", worst_db(&direct, &chirp));
    assert_true(worst_db(&direct, &chirp) < -100.0);
    nfsar_image_free(&direct);
    nfsar_image_free(&chirp);
    nfsar_rma_plan_destroy(plan);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

/* Grids that fit the lattice, and grids that do not, hold the same values where voxels coincide;
 * the padding differs, and with it what is left of waves that wrap round. */
static void grids_agree(void **state) {
    (void)state;
    nfsar_capture capture;
    make_scan(32, &capture);
    nfsar_grid fits = make_grid(0.001, 40), odd = fits;
    odd.x = (nfsar_axis){-0.02, 0.001 / 1.37, 57};
    nfsar_image a = image_rma(&capture, &fits, NULL), b = image_rma(&capture, &odd, NULL);
    double peak = 0.0, worst = 0.0;
    for (size_t i = 0; i < 41 * 37 * 40; i++) {
        peak = fmax(peak, (double)cabsf(a.data[i]));
    }
    for (size_t row = 0; row < 37 * 40; row++) {
        worst = fmax(worst, (double)cabsf(a.data[row * 41] - b.data[row * 57]));
    }
    assert_true(worst < 5e-3 * peak);
    nfsar_image_free(&a);
    nfsar_image_free(&b);
    nfsar_capture_free(&capture);
}

#if defined(__GLIBC__) && !defined(NFSAR_SANITIZED)
static void executing_allocates_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    make_scan(64, &capture);
    for (size_t i = 0; i < 2; i++) {
        nfsar_grid grid = make_grid(i == 0 ? 0.001 : 0.000937, 60);
        nfsar_lattice lattice;
        nfsar_rma_plan *plan = plan_for(&capture, &lattice, &grid, NULL);
        nfsar_image image = run_plan(plan, &capture, &grid); /* threads are there now */
        nfsar_echo_source source = nfsar_capture_source(&capture);
        struct mallinfo2 before = mallinfo2();
        assert_ok(nfsar_rma_execute(plan, &source, image.data, NULL, &error), error);
        struct mallinfo2 after = mallinfo2();
        assert_int_equal(after.uordblks, before.uordblks);
        assert_int_equal(after.hblkhd, before.hblkhd);
        assert_int_equal(after.arena, before.arena);
        nfsar_image_free(&image);
        nfsar_rma_plan_destroy(plan);
        nfsar_lattice_free(&lattice);
    }
    nfsar_capture_free(&capture);
}
#endif

/* Twice the padded spectrum and the image, whatever the options; and what options.memory says. */
static void memory_is_bounded(void **state) {
    (void)state;
    nfsar_capture capture;
    make_scan(64, &capture);
    nfsar_grid grid = make_grid(0.001, 40);
    nfsar_rma_options options = nfsar_rma_defaults();
    options.threads = 1;
    nfsar_lattice lattice;
    nfsar_rma_plan *plan = plan_for(&capture, &lattice, &grid, &options);
    size_t spectrum = plan->x.length * plan->y.length * 64 * sizeof(float complex);
    size_t image = 41 * 37 * 40 * sizeof(float complex);
    print_message("plan %zu kB, padded spectrum %zu kB, image %zu kB\n",
                  nfsar_rma_plan_memory(plan) / 1000, spectrum / 1000, image / 1000);
    assert_true(nfsar_rma_plan_memory(plan) <= 2 * spectrum + image);
    nfsar_rma_plan_destroy(plan);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

static void transforms_are_listed(void **state) {
    (void)state;
    nfsar_capture capture;
    make_scan(64, &capture);
    nfsar_grid grid = make_grid(0.001, 40);
    nfsar_lattice lattice;
    nfsar_rma_plan *plan = plan_for(&capture, &lattice, &grid, NULL);
    nfsar_rma_transform list[8], first;
    size_t n = nfsar_rma_plan_transforms(plan, list, 8);
    assert_int_equal(n, 4);
    assert_int_equal(nfsar_rma_plan_transforms(plan, NULL, 0), 4);
    assert_int_equal(nfsar_rma_plan_transforms(plan, &first, 1), 4);
    assert_int_equal(first.length, plan->x.length);
    assert_int_equal(list[0].batch * list[0].count, plan->n_wave * 40);
    assert_int_equal(list[1].batch * list[1].count, plan->n_wave * plan->x.bins);
    assert_int_equal(list[2].batch * list[2].count, plan->depth->n_node * plan->y.bins);
    assert_int_equal(list[3].batch * list[3].count, plan->depth->n_node * 41);
    nfsar_rma_plan_destroy(plan);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(blocks_change_nothing),
        cmocka_unit_test(instruction_sets_change_nothing),
        cmocka_unit_test(transforms_that_fit_change_nothing),
        cmocka_unit_test(grids_agree),
#if defined(__GLIBC__) && !defined(NFSAR_SANITIZED)
        cmocka_unit_test(executing_allocates_nothing),
#endif
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(transforms_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
