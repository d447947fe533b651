/* nfsar bench papers: the experiments one after the other, and the page about them. */
#include "bench/empm/papers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/page.h"
#include "bench/subjects.h"

/* The nearest a grid may come to the antennas, metres. */
#define CLEARANCE 0.05

enum { METHODS = 4, OFFSETS = 5 };

static const enum papers_method methods[METHODS] = {PAPERS_BP, PAPERS_IGNORED, PAPERS_EMPM,
                                                    PAPERS_NURMA};
static const char *const columns[METHODS] = {"bp", "rma, uncompensated", "empm", "nurma"};

static nfsar_axis axis(double low, double high, size_t count) {
    return (nfsar_axis){low, count > 1 ? (high - low) / (double)(count - 1) : 1.0, count};
}

/* The cut x = 0, y within 0.1 m, from low (or as near as the antennas allow) to high; the quick one
 * has its middle decimetre alone. */
static nfsar_grid cut(const nfsar_capture *capture, double low, double high, bool quick) {
    double nearest = papers_highest(capture) + CLEARANCE, middle = 0.5 * (low + high);
    if (quick) {
        return (nfsar_grid){axis(0.0, 0.0, 1), axis(-0.1, 0.1, 40),
                            axis(middle - 0.05, middle + 0.05, 12)};
    }
    return (nfsar_grid){axis(0.0, 0.0, 1), axis(-0.1, 0.1, 200),
                        axis(fmax(low, nearest), high, 200)};
}

static enum nfsar_status draw(const struct papers *papers, const char *name,
                              const struct bench_panels *panels, nfsar_error *error) {
    char path[1024];
    if (papers->folder == NULL) {
        return NFSAR_OK;
    }
    snprintf(path, sizeof path, "%s/pictures/papers-%s.png", papers->folder, name);
    return bench_panels_draw(panels, path, error);
}

static void free_images(nfsar_image *image, size_t n) {
    for (size_t i = 0; i < n; i++) {
        nfsar_image_free(&image[i]);
    }
}

/* A line of 32 pulses along y. */
static enum nfsar_status line_run(struct papers *papers, const char *name, double offset,
                                  const struct scatterers *targets, double low, double high,
                                  nfsar_image image[METHODS], nfsar_error *error) {
    nfsar_capture capture;
    struct papers_scan scan = {
        .nx = 1, .ny = 32, .kept = 32, .n_sample = papers->bench->quick ? 8 : 64, .offset = offset};
    enum nfsar_status status =
        papers_scan_make(&scan, targets, papers->bench->threads, &capture, error);
    if (status != NFSAR_OK) {
        return status;
    }
    enum papers_method all[METHODS + 1];
    memcpy(all, methods, sizeof methods);
    all[METHODS] = PAPERS_LATTICE;
    struct papers_experiment experiment = {.name = name,
                                           .capture = &capture,
                                           .grid = cut(&capture, low, high, papers->bench->quick),
                                           .method = all,
                                           .n_method = offset > 0.0 ? METHODS : METHODS + 1,
                                           .point = targets->n == 1};
    nfsar_image made[METHODS + 1] = {0};
    status = papers_experiment_run(papers, &experiment, made, error);
    memcpy(image, made, METHODS * sizeof *image);
    nfsar_image_free(&made[METHODS]);
    nfsar_capture_free(&capture);
    return status;
}

static enum nfsar_status point_spread(struct papers *papers, nfsar_error *error) {
    static const char *const label[OFFSETS] = {"0 cm", "5 cm", "10 cm", "15 cm", "20 cm"};
    nfsar_image image[OFFSETS * METHODS] = {0};
    struct scatterers targets = {0};
    const size_t offsets = papers->bench->quick ? 2 : OFFSETS;
    enum nfsar_status status = papers_point(0.5, &targets, error);
    for (size_t i = 0; status == NFSAR_OK && i < offsets; i++) {
        char name[32];
        snprintf(name, sizeof name, "point, offsets to %s", label[i]);
        status = line_run(papers, name, 0.05 * (double)i, &targets, 0.3, 0.7, image + i * METHODS,
                          error);
    }
    struct bench_panels panels = {.title = "Point at 0.5 m by offset from the plane (dB)",
                                  .view = BENCH_VIEW_Z_Y,
                                  .rows = offsets,
                                  .columns = METHODS,
                                  .image = image,
                                  .row = label,
                                  .column = columns,
                                  .range_db = 30.0,
                                  .width = 900};
    if (status == NFSAR_OK) {
        status = draw(papers, "point", &panels, error);
    }
    free_images(image, OFFSETS * METHODS);
    scatterers_free(&targets);
    return status;
}

static enum nfsar_status letters(struct papers *papers, nfsar_error *error) {
    nfsar_image image[METHODS] = {0};
    struct scatterers targets = {0};
    enum nfsar_status status = papers_letters(0.3, &targets, error);
    if (status == NFSAR_OK) {
        status = line_run(papers, "21 points", 0.025, &targets, 0.1, 0.5, image, error);
    }
    struct bench_panels panels = {.title = "21 points, offsets to 2.5 cm (dB)",
                                  .view = BENCH_VIEW_Y_Z,
                                  .rows = 1,
                                  .columns = METHODS,
                                  .image = image,
                                  .column = columns,
                                  .range_db = 30.0,
                                  .width = 900};
    if (status == NFSAR_OK) {
        status = draw(papers, "letters", &panels, error);
    }
    free_images(image, METHODS);
    scatterers_free(&targets);
    return status;
}

static enum nfsar_status slice_run(struct papers *papers, const nfsar_capture *capture,
                                   nfsar_error *error) {
    size_t n = papers->bench->quick ? 40 : 400;
    nfsar_image image[METHODS] = {0};
    struct papers_experiment experiment = {
        .name = "cut-out, slice",
        .capture = capture,
        .grid = {axis(-0.05, 0.05, n), axis(-0.05, 0.05, n), axis(0.3, 0.3, 1)},
        .method = methods,
        .n_method = METHODS};
    struct bench_panels panels = {.title = "Cut-out at 0.3 m, offsets to 2.5 cm",
                                  .view = BENCH_VIEW_X_Y,
                                  .rows = 1,
                                  .columns = METHODS,
                                  .image = image,
                                  .column = columns,
                                  .width = 1000};
    enum nfsar_status status = papers_experiment_run(papers, &experiment, image, error);
    if (status == NFSAR_OK) {
        status = draw(papers, "cutout", &panels, error);
    }
    free_images(image, METHODS);
    return status;
}

static enum nfsar_status volume_run(struct papers *papers, const nfsar_capture *capture,
                                    nfsar_error *error) {
    size_t n = papers->bench->quick ? 40 : 400, depths = papers->bench->quick ? 16 : 64;
    struct papers_experiment experiment = {
        .name = "cut-out, volume",
        .capture = capture,
        .grid = {axis(-0.05, 0.05, n), axis(-0.05, 0.05, n), axis(0.268, 0.332, depths)},
        .method = methods,
        .n_method = METHODS,
        .three_d = true};
    return papers_experiment_run(papers, &experiment, NULL, error);
}

static enum nfsar_status cut_out(struct papers *papers, nfsar_error *error) {
    bool quick = papers->bench->quick;
    nfsar_capture capture = {0};
    struct scatterers targets = {0};
    /* 12,870 pulses of 8 channels are the whole pulses nearest to the papers' 102,956 samples. */
    struct papers_scan scan = {.nx = quick ? 32 : 512,
                               .ny = 32,
                               .kept = quick ? 400 : 12870,
                               .n_sample = quick ? 8 : 64,
                               .offset = 0.025};
    enum nfsar_status status = papers_plate(0.3, quick ? 4e-3 : 0.5e-3, &targets, error);
    if (status == NFSAR_OK) {
        status = papers_scan_make(&scan, &targets, papers->bench->threads, &capture, error);
    }
    if (status == NFSAR_OK) {
        status = slice_run(papers, &capture, error);
    }
    if (status == NFSAR_OK) {
        status = volume_run(papers, &capture, error);
    }
    nfsar_capture_free(&capture);
    scatterers_free(&targets);
    return status;
}

static enum nfsar_status finish(const struct papers *papers, nfsar_error *error) {
    char path[1024];
    if (papers->folder == NULL) {
        return NFSAR_OK;
    }
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < papers->n_growth; i += PAPERS_GROWTH_METHODS) {
        snprintf(path, sizeof path, "%s/pictures/papers-%s.png", papers->folder,
                 papers->growth[i].variable);
        status = papers_growth_picture(papers, i, path, error);
    }
    return status == NFSAR_OK ? papers_page_write(papers, error) : status;
}

enum nfsar_status bench_papers(struct bench *bench, nfsar_error *error) {
    struct papers papers = {.bench = bench, .folder = bench->output};
    enum nfsar_status (*const part[])(struct papers *, nfsar_error *) = {
        point_spread, letters, cut_out, papers_growth_run};
    bench_machine_begin(&papers.machine);
    enum nfsar_status status =
        papers.folder != NULL ? bench_page_folders(papers.folder, error) : NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < sizeof part / sizeof part[0]; i++) {
        status = part[i](&papers, error);
    }
    if (status == NFSAR_OK) {
        bench_machine_end(&papers.machine);
        status = finish(&papers, error);
    }
    free(papers.result);
    return status;
}
