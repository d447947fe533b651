#include "tests/images.h"

#include <math.h>

#include "tests/support.h"

nfsar_image image_bp(const nfsar_capture *capture, const nfsar_grid *grid,
                     enum nfsar_bp_precision precision) {
    nfsar_error error;
    nfsar_image image;
    nfsar_bp_plan *plan;
    nfsar_bp_options options = nfsar_bp_defaults();
    options.precision = precision;
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    assert_ok(nfsar_bp_plan_create(capture, grid, &options, &plan, &error), error);
    assert_ok(nfsar_bp_execute(plan, &source, image.data, NULL, &error), error);
    nfsar_bp_plan_destroy(plan);
    return image;
}

nfsar_image image_rma(const nfsar_capture *capture, const nfsar_grid *grid,
                      const nfsar_rma_options *options) {
    nfsar_error error;
    nfsar_image image;
    nfsar_lattice lattice;
    nfsar_rma_plan *plan;
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    assert_ok(nfsar_lattice_detect(capture, 0.0, &lattice, &error), error);
    assert_ok(nfsar_rma_plan_create(capture, &lattice, grid, options, &plan, &error), error);
    assert_ok(nfsar_rma_execute(plan, &source, image.data, NULL, &error), error);
    nfsar_rma_plan_destroy(plan);
    nfsar_lattice_free(&lattice);
    return image;
}

nfsar_image image_nurma(const nfsar_capture *capture, const nfsar_grid *grid,
                        const nfsar_nurma_options *options) {
    nfsar_error error;
    nfsar_image image;
    nfsar_nurma_plan *plan;
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    assert_ok(nfsar_nurma_plan_create(capture, grid, options, &plan, &error), error);
    assert_ok(nfsar_nurma_execute(plan, &source, image.data, NULL, &error), error);
    nfsar_nurma_plan_destroy(plan);
    return image;
}

double image_correlation(const nfsar_image *a, const nfsar_image *b) {
    double complex ab = 0.0;
    double aa = 0.0, bb = 0.0;
    for (size_t i = 0; i < nfsar_grid_voxels(&a->grid); i++) {
        double complex x = (double complex)a->data[i], y = (double complex)b->data[i];
        ab += conj(x) * y;
        aa += creal(x * conj(x));
        bb += creal(y * conj(y));
    }
    return cabs(ab) / sqrt(aa * bb);
}

double image_error(const nfsar_image *a, const nfsar_image *b) {
    double difference = 0.0, whole = 0.0;
    for (size_t i = 0; i < nfsar_grid_voxels(&a->grid); i++) {
        double away = (double)cabsf(a->data[i] - b->data[i]), size = (double)cabsf(a->data[i]);
        difference += away * away;
        whole += size * size;
    }
    return sqrt(difference / whole);
}
