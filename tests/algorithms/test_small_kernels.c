/* Every version of the kernels on cases so small that an emulator gets through them too:
 * tools/check-avx512 runs this program on an emulated processor with AVX-512. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "algorithms/bp_plan.h"
#include "algorithms/echo_kernel.h"
#include "tests/images.h"
#include "tests/radar.h"

/* By enum nfsar_kernel. */
static bp_kernel *const bp_add[] = {NULL, bp_add_portable,
#if defined(__x86_64__)
                                    bp_add_avx2, bp_add_avx512
#endif
};
static echo_kernel *const echo_add[] = {NULL, echo_add_portable,
#if defined(__x86_64__)
                                        echo_add_avx2, echo_add_avx512
#endif
};

enum { KERNELS = sizeof bp_add / sizeof bp_add[0], RANDOM_SEED = 7 };

/* Two pulses that see two points `z` away. */
static void look(const char *preset, double rx_offset, double z, nfsar_capture *capture,
                 nfsar_vec3 point[2]) {
    radar_raster(preset, 2, 5e-3, 1, 5e-3, 48, capture);
    capture->array.rx_m[0].x += rx_offset;
    point[0] = (nfsar_vec3){0.0, 0.0, z};
    point[1] = (nfsar_vec3){0.006, -0.004, z + 0.002};
    radar_add_points(capture, point, 2);
}

static nfsar_axis about(double middle, double step, size_t count) {
    return (nfsar_axis){middle - 0.5 * step * (double)(count - 1), step, count};
}

static const struct {
    const char *what, *preset;
    double rx_offset, z, step;
    size_t count[3];
} cases[] = {
    {"one antenna, voxels of 1 mm", "single", 0.0, 0.3, 1e-3, {17, 3, 2}},
    {"one antenna, voxels of 4 mm", "single", 0.0, 0.3, 4e-3, {17, 4, 3}},
    {"one antenna, voxels of 8 mm", "single", 0.0, 0.2, 8e-3, {17, 4, 3}},
    {"one antenna, voxels of 10 cm", "single", 0.0, 0.6, 0.1, {9, 3, 3}},
    {"before one antenna", "single", 0.0, 0.012, 1e-3, {16, 3, 3}},
    {"a pair, voxels of 1 mm", "single", 0.03, 0.3, 1e-3, {17, 3, 2}},
    {"a pair, voxels of 4 mm", "single", 0.03, 0.2, 4e-3, {17, 4, 3}},
    {"a pair, voxels of 10 cm", "single", 0.03, 0.6, 0.1, {9, 3, 3}},
    {"before a pair", "single", 0.03, 0.012, 1e-3, {16, 3, 3}},
    {"an array, voxels of 1 mm", "xwr1443-2tx", 0.0, 0.3, 1e-3, {17, 3, 2}},
    {"an array, voxels of 4 mm", "xwr1443-2tx", 0.0, 0.3, 4e-3, {17, 4, 3}},
    {"an array, voxels of 8 mm", "xwr1443-2tx", 0.0, 0.15, 8e-3, {17, 4, 3}},
    {"before an array", "xwr1443-2tx", 0.0, 0.012, 1e-3, {16, 3, 3}},
};

static nfsar_grid grid_of(size_t i) {
    double step = cases[i].step;
    return (nfsar_grid){about(0.0, step, cases[i].count[0]), about(0.0, step, cases[i].count[1]),
                        about(cases[i].z, step, cases[i].count[2])};
}

static bool available(int kernel) {
    return nfsar_kernel_available((enum nfsar_kernel)kernel);
}

/* Images beside the double form; what is printed is the largest error in dB of the peak. */
static void images_agree(const nfsar_capture *capture, const nfsar_grid *grid,
                         nfsar_bp_plan *plan) {
    nfsar_error error;
    nfsar_image image, truth = image_bp(capture, grid, NFSAR_BP_DOUBLE);
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    for (int kernel = NFSAR_KERNEL_PORTABLE; kernel < KERNELS; kernel++) {
        if (!available(kernel)) {
            continue;
        }
        plan->add = bp_add[kernel];
        assert_ok(nfsar_bp_execute(plan, &source, image.data, NULL, &error), error);
        double peak = 0.0, worst = 0.0;
        for (size_t v = 0; v < nfsar_grid_voxels(grid); v++) {
            peak = fmax(peak, (double)cabsf(truth.data[v]));
            worst = fmax(worst, (double)cabsf(truth.data[v] - image.data[v]));
        }
        double off = 20.0 * log10(worst / peak + 1e-15);
        print_message("  image, %-10s %.1f dB\n", nfsar_kernel_name((enum nfsar_kernel)kernel),
                      off);
        assert_true(off < -60.0);
    }
    nfsar_image_free(&image);
    nfsar_image_free(&truth);
}

/* A cluster whose scatterers are a block's voxels, and what is computed with it. */
struct adjoint {
    struct bp_block block;
    struct bp_sums sums;
    struct echo_cluster cluster;
    struct echo_scratch scratch;
    _Alignas(BP_ALIGN) float offset[3][BP_ROWS * BP_LANES], norm[BP_ROWS * BP_LANES];
    _Alignas(BP_ALIGN) float re[BP_ROWS * BP_LANES], im[BP_ROWS * BP_LANES];
    _Alignas(BP_ALIGN) float gain[BP_ROWS * BP_LANES];
    const float *gains[16];
};

static void *aligned_room(size_t count) {
    return aligned_alloc(BP_ALIGN, (count * sizeof(float) + BP_ALIGN - 1) / BP_ALIGN * BP_ALIGN);
}

static void fill_cluster(const nfsar_bp_plan *plan, nfsar_random *random, struct adjoint *a) {
    const struct bp_lines *lines = &plan->lines;
    size_t first[3], own[3];
    bp_shape_block(plan, 0, &a->block, first, own);
    a->cluster.block = a->block;
    for (size_t i = 0; i < BP_ROWS * BP_LANES; i++) {
        bool voxel = i < a->block.rows * BP_LANES;
        a->offset[0][i] = voxel ? a->block.u[i % BP_LANES] : 0.0f;
        a->offset[1][i] = voxel ? a->block.v[i / BP_LANES] : 0.0f;
        a->offset[2][i] = voxel ? a->block.w[i / BP_LANES] : 0.0f;
        a->norm[i] = voxel ? a->block.uu[i % BP_LANES] + a->block.vw[i / BP_LANES] : 0.0f;
        a->re[i] = voxel ? (float)nfsar_random_normal(random) : 0.0f;
        a->im[i] = voxel ? (float)nfsar_random_normal(random) : 0.0f;
        a->gain[i] = (float)nfsar_random_uniform(random);
    }
    a->cluster.n = (a->block.rows * BP_LANES + CLUSTER_PAD - 1) / CLUSTER_PAD * CLUSTER_PAD;
    for (int k = 0; k < 3; k++) {
        a->cluster.offset[k] = a->offset[k];
    }
    a->cluster.norm = a->norm;
    a->cluster.re = a->re;
    a->cluster.im = a->im;
    assert_true(lines->n_antenna <= sizeof a->gains / sizeof a->gains[0]);
    for (size_t n = 0; n < lines->n_antenna; n++) {
        a->gains[n] = a->gain;
    }
    a->scratch.antenna =
        aligned_room(lines->n_antenna * sizeof *a->scratch.antenna / sizeof(float));
    a->scratch.moment = aligned_room(lines->n_link * ECHO_MOMENT_FLOATS);
}

/* <scatterers, backprojection of profiles> = <echoes of scatterers, profiles>, both complex. */
static double adjoint_error(const struct adjoint *a, const float *profile, const float *echo,
                            size_t lines, size_t pitch) {
    double complex left = 0.0, right = 0.0;
    double norm = 0.0, echo_norm = 0.0;
    for (size_t i = 0; i < a->block.rows * BP_LANES; i++) {
        double complex s = CMPLX((double)a->re[i], (double)a->im[i]);
        left += conj(s) * CMPLX((double)a->sums.re[i / BP_LANES][i % BP_LANES],
                                (double)a->sums.im[i / BP_LANES][i % BP_LANES]);
    }
    for (size_t i = 0; i < lines * 2 * pitch; i++) {
        if (i / pitch % 2 == 0) {
            double complex e = CMPLX((double)echo[i], (double)echo[i + pitch]);
            double complex p = CMPLX((double)profile[i], (double)profile[i + pitch]);
            right += conj(e) * p;
            norm += creal(p * conj(p));
            echo_norm += creal(e * conj(e));
        }
    }
    return cabs(left - right) / sqrt(norm * echo_norm);
}

/* Echoes are the adjoint of backprojection, once antennas are loaded; and the versions agree when
 * there is spreading and gain. */
static void echoes_agree(nfsar_bp_plan *plan) {
    nfsar_random random;
    nfsar_random_seed(&random, RANDOM_SEED);
    struct bp_lines *lines = &plan->lines;
    lines->n_pulse = 1;
    size_t length = lines->n_link * 2 * lines->pitch;
    for (size_t n = 0; n < length; n++) {
        plan->profile[n] = (float)nfsar_random_normal(&random);
    }
    struct adjoint *a = aligned_alloc(BP_ALIGN, sizeof *a);
    float *echo = aligned_room(length), *first = aligned_room(length);
    memset(a, 0, sizeof *a);
    fill_cluster(plan, &random, a);
    bp_add_portable(lines, &a->block, &plan->terms[0], &a->sums);
    for (int kernel = NFSAR_KERNEL_PORTABLE; kernel < KERNELS; kernel++) {
        if (!available(kernel)) {
            continue;
        }
        a->cluster.spreading = false;
        a->cluster.gain = NULL;
        memset(echo, 0, length * sizeof *echo);
        echo_add[kernel](lines, &a->cluster, &plan->terms[0], &a->scratch, echo);
        double off = adjoint_error(a, plan->profile, echo, lines->n_link, lines->pitch);

        a->cluster.spreading = true;
        a->cluster.gain = a->gains;
        float *to = kernel == NFSAR_KERNEL_PORTABLE ? first : echo;
        memset(to, 0, length * sizeof *to);
        echo_add[kernel](lines, &a->cluster, &plan->terms[0], &a->scratch, to);
        double worst = 0.0, peak = 0.0;
        for (size_t n = 0; n < length; n++) {
            peak = fmax(peak, fabs((double)first[n]));
            worst = fmax(worst, fabs((double)to[n] - (double)first[n]));
        }
        print_message("  echoes, %-9s %.1e from the adjoint, %.1e from portable\n",
                      nfsar_kernel_name((enum nfsar_kernel)kernel), off, worst / peak);
        assert_true(off < 1e-4);
        assert_true(peak > 0.0 && worst < 1e-5 * peak);
    }
    free(first);
    free(echo);
    free(a->scratch.antenna);
    free(a->scratch.moment);
    free(a);
}

/* The simulator's plain loops, which have versions too, beside the sum that made the capture. */
static void simulation_agrees(const nfsar_capture *capture, const nfsar_vec3 *point) {
    nfsar_error error;
    size_t n = capture->n_pulse * capture->array.n_channel * capture->n_sample;
    float complex *echo = calloc(n, sizeof *echo);
    const nfsar_scatterer scatterers[2] = {{point[0], 1.0f}, {point[1], 1.0f}};
    assert_ok(nfsar_simulate(capture, scatterers, 2, NULL, 0, capture->n_pulse, echo, NULL, &error),
              error);
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, (double)cabsf(echo[i] - capture->echo[i]));
    }
    print_message("  simulation to %.1e\n", worst);
    assert_true(worst < 1e-5);
    free(echo);
}

static void versions_agree(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nfsar_error error;
        nfsar_capture capture;
        nfsar_bp_plan *plan;
        nfsar_vec3 point[2];
        nfsar_grid grid = grid_of(i);
        nfsar_bp_options options = nfsar_bp_defaults();
        options.threads = 1;
        look(cases[i].preset, cases[i].rx_offset, cases[i].z, &capture, point);
        assert_ok(nfsar_bp_plan_create(&capture, &grid, &options, &plan, &error), error);
        print_message("%s%s\n", cases[i].what, plan->fit == NULL ? ", profiles looked up" : "");
        simulation_agrees(&capture, point);
        images_agree(&capture, &grid, plan);
        if (plan->fit != NULL) { /* without polynomials there are no moments */
            echoes_agree(plan);
        }
        nfsar_bp_plan_destroy(plan);
        nfsar_capture_free(&capture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(versions_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
