/* A program of somebody else's: simulates a point, images it and looks where it came out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <nfsar/nfsar.h>

/* A name that the library also uses inside: a static library must not clash with it. */
int lines_free(void);
int lines_free(void) {
    return 0;
}

static int fail(const nfsar_error *error) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
}

int main(void) {
    nfsar_error error;
    nfsar_array array;
    nfsar_capture capture;
    nfsar_imager *imager;
    nfsar_image image;
    nfsar_image_metrics metrics;
    nfsar_enhance_model *network;
    nfsar_scatterer point = {.position = {0.004, -0.006, 0.2}, .reflectivity = 1.0f};
    nfsar_grid grid = {.x = {-0.02, 0.001, 41}, .y = {-0.02, 0.001, 41}, .z = {0.15, 0.005, 21}};

    if (nfsar_array_preset("single", NFSAR_ARRAY_ALONG_Y, &array, &error) != NFSAR_OK ||
        nfsar_capture_create(40 * 40, 32, &array, true, &capture, &error) != NFSAR_OK ||
        nfsar_stepped_frequencies(77e9, 125e6, capture.frequency_hz, 32, &error) != NFSAR_OK) {
        return fail(&error);
    }
    for (size_t i = 0; i < capture.n_pulse; i++) {
        capture.pose[i].position.x = 0.00095 * ((double)(i % 40) - 19.5);
        capture.pose[i].position.y = 0.00095 * ((double)(i / 40) - 19.5);
    }
    if (nfsar_simulate(&capture, &point, 1, NULL, 0, capture.n_pulse, capture.echo, NULL, &error) !=
            NFSAR_OK ||
        nfsar_imager_create(&capture, NFSAR_METHOD_AUTO, NULL, &imager, &error) != NFSAR_OK ||
        nfsar_image_create(&grid, &image, &error) != NFSAR_OK) {
        return fail(&error);
    }
    nfsar_echo_source source = nfsar_capture_source(&capture);
    if (nfsar_imager_run(imager, &grid, &source, image.data, NULL, &error) != NFSAR_OK ||
        nfsar_image_measure(&image, &metrics, &error) != NFSAR_OK) {
        return fail(&error);
    }
    if (nfsar_enhance_builtin("default", &network, &error) != NFSAR_OK) {
        return fail(&error);
    }
    nfsar_enhance_model_free(network);
    double away = hypot(metrics.peak_m[0] - 0.004, metrics.peak_m[1] + 0.006);
    printf("%s: peak at %.4f %.4f %.4f m\n", nfsar_method_name(nfsar_imager_method(imager)),
           metrics.peak_m[0], metrics.peak_m[1], metrics.peak_m[2]);
    nfsar_imager_destroy(imager);
    nfsar_image_free(&image);
    nfsar_capture_free(&capture);
    /* A tenth of the lateral resolution, lambda z / (2 D) = 1 cm. */
    return away < 1e-3 && lines_free() == 0 ? 0 : 1;
}
