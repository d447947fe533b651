/* The section of docs/results.md. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/page.h"
#include "bench/risar/risar.h"

/* What sin(x) / x has between its points of half power, in units of the distance to its zero. */
#define SINC_WIDTH 0.886

static bool is_first(const struct risar *risar, size_t i) {
    const struct risar_result *result = &risar->result[i];
    return i == 0 || strcmp(result->experiment, result[-1].experiment) != 0;
}

/* The paper's predictions, as it states them and as widths at half power. */
static void print_predictions(FILE *page, const struct risar *risar) {
    const double aperture = 0.4848, wavelength = NFSAR_SPEED_OF_LIGHT / 79e9;
    double k_min = risar->k_min, k_max = risar->k_max;
    double along = wavelength * RISAR_RADIUS / (2.0 * aperture);
    fputs("| the paper's prediction | to the first zero | width at half power |\n|---|---|---|\n",
          page);
    fprintf(page, "| 2.4 / (k_max + k_min), cross-section | %.4f mm | %.4f mm (J0 at mid-band) |\n",
            2.4e3 / (k_max + k_min), 2e3 * 1.126364 / (k_max + k_min));
    fprintf(page, "| PSF(r) over the band, cross-section | %.4f mm | %.4f mm |\n",
            1e3 * risar_psf_zero(k_min, k_max), 1e3 * risar_psf_width(k_min, k_max));
    fprintf(page, "| λ R0 / (2 D_S), along y | %.3f mm | %.3f mm (sin x / x) |\n\n", 1e3 * along,
            1e3 * SINC_WIDTH * along);
}

/* "0.681 mm (+0.2 %)" */
static void print_width(FILE *page, double measured, double expected) {
    if (isnan(measured) || isnan(expected)) {
        fputs(" – |", page);
    } else {
        fprintf(page, " %.4f mm (%+.1f %%) |", 1e3 * measured, 100.0 * (measured / expected - 1.0));
    }
}

static void print_points(FILE *page, const struct risar *risar) {
    double width = risar_psf_width(risar->k_min, risar->k_max);
    double zero = risar_psf_zero(risar->k_min, risar->k_max);
    fputs("| point | method | width x | width z | width y | width x over PSF(r) | first minimum x "
          "(over PSF(r)) | strongest beyond 2 cm along y | peak off by |\n"
          "|---|---|---|---|---|---|---|---|---|\n",
          page);
    for (size_t i = 0; i < risar->n_result; i++) {
        const struct risar_result *result = &risar->result[i];
        if (!result->point) {
            continue;
        }
        bool flat = isnan(result->expected_m[1]);
        const nfsar_image_metrics *m = &result->metrics;
        fprintf(page, "| %s | %s |", is_first(risar, i) ? result->experiment : "",
                risar_method_name(result->method));
        print_width(page, m->width_m[0], result->expected_m[0]);
        print_width(page, m->width_m[2], result->expected_m[2]);
        print_width(page, m->width_m[1], result->expected_m[1]);
        if (isnan(result->expected_m[0])) {
            fputs(" – |", page);
        } else {
            fprintf(page, " %+.1f %% |", 100.0 * (m->width_m[0] / width - 1.0));
        }
        print_width(page, flat ? result->minimum : (double)NAN, zero);
        bench_page_number(page, result->ghost_db, " dB");
        fprintf(page, " %.4f mm |\n", 1e3 * result->error_m);
    }
}

static void print_images(FILE *page, const struct risar *risar) {
    fputs("| image | voxels | method | time | plan | memory of the plan | correlation with `bp` | "
          "relative error |\n|---|---|---|---|---|---|---|---|\n",
          page);
    for (size_t i = 0; i < risar->n_result; i++) {
        const struct risar_result *result = &risar->result[i];
        if (is_first(risar, i)) {
            fprintf(page, "| %s | %zu |", result->experiment, result->voxels);
        } else {
            fputs("| | |", page);
        }
        fprintf(page, " %s%s |", risar_method_name(result->method),
                result->times > 1.0 ? ", extrapolated" : "");
        bench_page_time(page, result->times * bench_row_processor(&risar->bench->row[result->row]));
        bench_page_time(page, result->plan_seconds);
        bench_page_number(page, 0x1p-20 * (double)result->bytes, " MiB");
        if (result->method == RISAR_BP) {
            fputs(" 1 | 0 |\n", page);
        } else {
            fprintf(page, " %.5f | %.4f |\n", result->comparison.complex_correlation,
                    result->comparison.relative_error);
        }
    }
}

static void print_section(FILE *page, const void *context) {
    const struct risar *risar = context;
    bench_page_machine(page, risar->bench, &risar->machine);
    print_predictions(page, risar);
    print_points(page, risar);
    fputs("\n![point, from above](pictures/risar-point-above.png)\n\n"
          "![point, from the side](pictures/risar-point-side.png)\n\n"
          "![point, less bp](pictures/risar-point-difference.png)\n\n",
          page);
    fprintf(page, "The blade is of %zu scatterers.\n\n", risar->scatterers);
    print_images(page, risar);
    fputs("\n![blade upright](pictures/risar-upright.png)\n\n"
          "![blade upright, less bp](pictures/risar-upright-difference.png)\n\n"
          "![blade across](pictures/risar-across.png)\n\n",
          page);
}

enum nfsar_status risar_page_write(const struct risar *risar, nfsar_error *error) {
    return bench_page_replace(risar->folder, "risar", print_section, risar, error);
}
