/* nfsar measure: numbers that describe an image. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <math.h>
#include <stdio.h>

#include <nfsar/file.h>
#include <nfsar/metrics.h>

static void print_cell(double value, const char *format) {
    char text[32] = "-";
    if (!isnan(value)) {
        snprintf(text, sizeof text, format, value);
    }
    printf("%12s", text);
}

static void print_row(const char *name, const double value[3], double scale, const char *format,
                      const char *unit) {
    printf("%-28s", name);
    for (int a = 0; a < 3; a++) {
        print_cell(scale * value[a], format);
    }
    printf("  %s\n", unit);
}

static void print_table(const nfsar_image *image, const nfsar_image_metrics *metrics) {
    const nfsar_grid *grid = &image->grid;
    printf("image                       %s%s%zu x %zu x %zu voxels\n",
           image->method != NULL ? image->method : "", image->method != NULL ? ", " : "",
           grid->x.count, grid->y.count, grid->z.count);
    printf("%-28s%12s%12s%12s\n", "", "x", "y", "z");
    print_row("peak at", metrics->peak_m, 1e3, "%.3f", "mm");
    print_row("width at -3 dB", metrics->width_m, 1e3, "%.3f", "mm");
    print_row("peak side-lobe ratio", metrics->pslr_db, 1.0, "%.2f", "dB");
    print_row("integrated side-lobe ratio", metrics->islr_db, 1.0, "%.2f", "dB");
    printf("%-28s%12.5g\n", "peak magnitude", metrics->peak_amplitude);
    printf("%-28s%12.2f  dB (peak over median)\n", "dynamic range", metrics->dynamic_range_db);
    printf("%-28s%12.4f  (natural logarithm)\n", "entropy", metrics->entropy);
    printf("%-28s%12.4g  (deviation over mean of the power)\n", "contrast", metrics->contrast);
}

static json_t *three(const double value[3]) {
    return json_pack("[o,o,o]", json_number(value[0]), json_number(value[1]),
                     json_number(value[2]));
}

static int print_json(const nfsar_image *image, const nfsar_image_metrics *metrics) {
    json_t *root = json_pack(
        "{s:o, s:[I,I,I], s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "method",
        json_text(image->method), "voxels", (json_int_t)image->grid.x.count,
        (json_int_t)image->grid.y.count, (json_int_t)image->grid.z.count, "x",
        json_axis(&image->grid.x), "y", json_axis(&image->grid.y), "z", json_axis(&image->grid.z),
        "peak_amplitude", json_number(metrics->peak_amplitude), "peak_m", three(metrics->peak_m),
        "width_m", three(metrics->width_m), "pslr_db", three(metrics->pslr_db), "islr_db",
        three(metrics->islr_db), "entropy", json_number(metrics->entropy), "dynamic_range_db",
        json_number(metrics->dynamic_range_db), "contrast", json_number(metrics->contrast));
    return print_object(root);
}

int verb_measure(int argc, char **argv) {
    const char *input = NULL;
    bool json = false;
    int exit_status;
    const struct cli_option options[] = {
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "one JSON object, in metres"},
        {0},
    };
    if (!cli_parse("measure", "IMAGE.h5 [--json]", options, 1, &input, argc, argv, &exit_status)) {
        return exit_status;
    }
    use_threads();
    nfsar_error error;
    nfsar_image image;
    nfsar_image_metrics metrics;
    if (nfsar_image_load(input, &image, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    enum nfsar_status status = nfsar_image_measure(&image, &metrics, &error);
    if (status != NFSAR_OK) {
        nfsar_fail_in(&error, status, "%s", input);
        exit_status = cli_fail(&error);
    } else if (json) {
        exit_status = print_json(&image, &metrics);
    } else {
        print_table(&image, &metrics);
        exit_status = CLI_DONE;
    }
    nfsar_image_free(&image);
    return exit_status;
}
