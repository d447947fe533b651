/* nfsar bench risar: the experiments one after the other, and the page about them. */
#include "bench/risar/risar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/page.h"
#include "bench/panels.h"
#include "bench/subjects.h"

static const nfsar_vec3 on_axis = {0.0, 0.0, 0.0};

/* The paper's point, 15 cm off the axis. */
static nfsar_vec3 off_axis(bool quick) {
    return (nfsar_vec3){quick ? -0.025 : -0.15, 0.0, 0.0};
}

static nfsar_axis axis(double middle, double half, double step) {
    size_t n = step > 0.0 ? (size_t)(half / step + 0.5) : 0;
    return n > 0 ? (nfsar_axis){middle - (double)n * step, step, 2 * n + 1}
                 : (nfsar_axis){middle, 1.0, 1};
}

/* A box about a point. No voxel lies on it, as none would on a target. */
static nfsar_grid box(nfsar_vec3 at, double half, double step, double half_y, double step_y) {
    return (nfsar_grid){axis(at.x + 0.3 * step, half, step),
                        axis(at.y + 0.3 * step_y, half_y, step_y),
                        axis(at.z - 0.4 * step, half, step)};
}

static enum nfsar_status draw(const struct risar *risar, const char *name,
                              const struct bench_panels *panels, nfsar_error *error) {
    char path[1024];
    if (risar->folder == NULL) {
        return NFSAR_OK;
    }
    snprintf(path, sizeof path, "%s/pictures/risar-%s.png", risar->folder, name);
    return bench_panels_draw(panels, path, error);
}

static void free_images(nfsar_image *image, size_t n) {
    for (size_t i = 0; i < n; i++) {
        nfsar_image_free(&image[i]);
    }
}

/* Scan targets and image them. */
static enum nfsar_status scan_run(struct risar *risar, const struct risar_scan *scan,
                                  const struct scatterers *targets,
                                  const struct risar_experiment *experiment, nfsar_image *image,
                                  nfsar_error *error) {
    nfsar_capture capture;
    struct risar_experiment made = *experiment;
    enum nfsar_status status =
        risar_scan_make(scan, targets, risar->bench->threads, &capture, error);
    if (status == NFSAR_OK) {
        double per_hz = 2.0 * NFSAR_PI / NFSAR_SPEED_OF_LIGHT;
        risar->k_min = per_hz * capture.frequency_hz[0];
        risar->k_max = per_hz * capture.frequency_hz[capture.n_sample - 1];
        made.capture = &capture;
        status = risar_experiment_run(risar, &made, image, error);
        nfsar_capture_free(&capture);
    }
    return status;
}

static enum nfsar_status point_run(struct risar *risar, const char *name,
                                   const struct risar_scan *scan, const nfsar_vec3 *at,
                                   const nfsar_grid *grid, nfsar_image *image, nfsar_error *error) {
    struct scatterers targets = {0};
    bool several = strcmp(scan->array, "single") != 0;
    struct risar_experiment experiment = {.name = name,
                                          .grid = *grid,
                                          .n_method = several ? RISAR_METHODS : RISAR_NONE + 1,
                                          .point = at};
    enum nfsar_status status = risar_point(*at, &targets, error);
    if (status == NFSAR_OK) {
        status = scan_run(risar, scan, &targets, &experiment, image, error);
    }
    scatterers_free(&targets);
    return status;
}

/* One height, one channel: what the paper's formula is about. */
static enum nfsar_status circles(struct risar *risar, nfsar_error *error) {
    struct risar_scan scan = risar_scan_circle(risar->bench->quick);
    nfsar_image image[RISAR_METHODS] = {0};
    nfsar_vec3 off = off_axis(risar->bench->quick);
    nfsar_grid grid = box(on_axis, 1.5e-3, 2e-5, 0.0, 0.0);
    enum nfsar_status status =
        point_run(risar, "one height, on the axis", &scan, &on_axis, &grid, image, error);
    free_images(image, RISAR_METHODS);
    if (status == NFSAR_OK) {
        grid = box(off, 1.5e-3, 2e-5, 0.0, 0.0);
        status = point_run(risar, "one height, off the axis", &scan, &off, &grid, image, error);
        free_images(image, RISAR_METHODS);
    }
    return status;
}

static const char *const columns[RISAR_METHODS] = {"bp", "uncompensated", "closed form",
                                                   "reference point", "every range"};

/* What csar with each compensation leaves of the difference from bp. */
static enum nfsar_status draw_difference(const struct risar *risar, const char *name,
                                         const struct bench_panels *like, nfsar_error *error) {
    nfsar_image difference[RISAR_METHODS] = {0};
    struct bench_panels panels = *like;
    const nfsar_image *exact = &like->image[RISAR_BP];
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = RISAR_NONE; status == NFSAR_OK && i < RISAR_METHODS; i++) {
        status = risar_difference(exact, &like->image[i], &difference[i], error);
    }
    for (size_t i = 0; i < nfsar_grid_voxels(&exact->grid); i++) {
        panels.maximum = fmax(panels.maximum, (double)cabsf(exact->data[i]));
    }
    panels.columns = RISAR_METHODS - 1;
    panels.image = difference + RISAR_NONE;
    panels.column = like->column + RISAR_NONE;
    if (status == NFSAR_OK) {
        status = draw(risar, name, &panels, error);
    }
    free_images(difference, RISAR_METHODS);
    return status;
}

static enum nfsar_status draw_point(const struct risar *risar, const nfsar_image *image,
                                    nfsar_error *error) {
    struct bench_panels panels = {.title = "Point off the axis, 8 channels, seen from above",
                                  .view = BENCH_VIEW_X_Z,
                                  .rows = 1,
                                  .columns = RISAR_METHODS,
                                  .image = image,
                                  .column = columns,
                                  .range_db = 40.0,
                                  .width = 1000};
    enum nfsar_status status = draw(risar, "point-above", &panels, error);
    if (status == NFSAR_OK) {
        panels.title = "The same, seen from the side";
        panels.view = BENCH_VIEW_X_Y;
        status = draw(risar, "point-side", &panels, error);
    }
    if (status == NFSAR_OK) {
        panels.title = "The same, less bp (dB of its peak)";
        status = draw_difference(risar, "point-difference", &panels, error);
    }
    return status;
}

static enum nfsar_status points(struct risar *risar, nfsar_error *error) {
    bool quick = risar->bench->quick;
    struct risar_scan mimo = risar_scan_mimo(quick), single = risar_scan_single(quick);
    nfsar_image image[RISAR_METHODS] = {0};
    nfsar_vec3 off = off_axis(quick);
    double half = quick ? 1.5e-3 : 3e-3, half_y = quick ? 3e-3 : 6e-3;
    nfsar_grid near = box(on_axis, half, 0.25e-3, half_y, 0.5e-3);
    nfsar_grid far = box(off, half, 0.25e-3, half_y, 0.5e-3);
    enum nfsar_status status =
        point_run(risar, "8 channels, on the axis", &mimo, &on_axis, &near, image, error);
    free_images(image, RISAR_METHODS);
    if (status == NFSAR_OK) {
        status = point_run(risar, "8 channels, off the axis", &mimo, &off, &far, image, error);
    }
    if (status == NFSAR_OK) {
        status = draw_point(risar, image, error);
    }
    free_images(image, RISAR_METHODS);
    if (status == NFSAR_OK) {
        status = point_run(risar, "1 channel, off the axis", &single, &off, &far, image, error);
    }
    free_images(image, RISAR_METHODS);
    return status;
}

/* What baselines leave repeats at every height of the radar, two wavelengths apart: it makes ghosts
 * far up and down. */
static enum nfsar_status lines(struct risar *risar, nfsar_error *error) {
    bool quick = risar->bench->quick;
    struct risar_scan mimo = risar_scan_mimo(quick), single = risar_scan_single(quick);
    nfsar_image image[RISAR_METHODS] = {0};
    nfsar_grid line = {{0.0, 1.0, 1}, axis(0.15e-3, 0.1, quick ? 2e-3 : 0.5e-3), {0.0, 1.0, 1}};
    enum nfsar_status status =
        point_run(risar, "8 channels, line along y", &mimo, &on_axis, &line, image, error);
    free_images(image, RISAR_METHODS);
    if (status == NFSAR_OK) {
        status =
            point_run(risar, "1 channel, line along y", &single, &on_axis, &line, image, error);
    }
    free_images(image, RISAR_METHODS);
    return status;
}

static enum nfsar_status blade_run(struct risar *risar, const char *name, bool upright,
                                   const struct risar_scan *scan, nfsar_image *image,
                                   nfsar_error *error) {
    bool quick = risar->bench->quick, several = strcmp(scan->array, "single") != 0;
    double step = quick ? 2e-3 : 0.5e-3, step_y = quick ? 2e-3 : 0.6e-3;
    double along = quick ? 0.020 : 0.080, across = quick ? 0.008 : 0.016;
    struct scatterers targets = {0};
    struct risar_experiment experiment = {.name = name,
                                          .grid = {axis(0.0, upright ? across : along, step),
                                                   axis(0.0, upright ? along : across, step_y),
                                                   axis(0.0, quick ? 0.006 : 0.012, step)},
                                          .n_method = several ? RISAR_METHODS : RISAR_NONE + 1,
                                          .part = true};
    enum nfsar_status status = risar_blade(upright, quick ? 4e-3 : 0.75e-3, &targets, error);
    if (status == NFSAR_OK) {
        risar->scatterers = targets.n;
        status = scan_run(risar, scan, &targets, &experiment, image, error);
    }
    scatterers_free(&targets);
    return status;
}

/* The slices that bp made, of every image, so that the same is seen. */
static void show_slices(const nfsar_image *image, nfsar_image *shown) {
    for (size_t i = 0; i < RISAR_METHODS; i++) {
        shown[i] = risar_slices(&image[i], &image[RISAR_BP]);
    }
}

static enum nfsar_status upright_blade(struct risar *risar, nfsar_error *error) {
    enum { COLUMNS = RISAR_METHODS + 1 };
    static const char *const label[COLUMNS] = {"bp",        "uncompensated", "closed form",
                                               "reference", "every range",   "1 channel"};
    struct risar_scan mimo = risar_scan_mimo(risar->bench->quick);
    struct risar_scan single = risar_scan_single(risar->bench->quick);
    nfsar_image image[RISAR_METHODS] = {0}, alone[RISAR_METHODS] = {0};
    enum nfsar_status status =
        blade_run(risar, "blade upright, 8 channels", true, &mimo, image, error);
    if (status == NFSAR_OK) {
        status = blade_run(risar, "blade upright, 1 channel", true, &single, alone, error);
    }
    if (status == NFSAR_OK) {
        nfsar_image shown[COLUMNS];
        show_slices(image, shown);
        shown[RISAR_METHODS] = risar_slices(&alone[RISAR_NONE], &image[RISAR_BP]);
        struct bench_panels panels = {.title = "Blade upright, seen from the side",
                                      .view = BENCH_VIEW_X_Y,
                                      .rows = 1,
                                      .columns = COLUMNS,
                                      .image = shown,
                                      .column = label,
                                      .range_db = 25.0,
                                      .width = 900};
        status = draw(risar, "upright", &panels, error);
        if (status == NFSAR_OK) {
            panels.title = "The same, less bp (dB of its peak)";
            panels.range_db = 50.0;
            panels.width = 640;
            status = draw_difference(risar, "upright-difference", &panels, error);
        }
    }
    free_images(image, RISAR_METHODS);
    free_images(alone, RISAR_METHODS);
    return status;
}

static enum nfsar_status blade_across(struct risar *risar, nfsar_error *error) {
    struct risar_scan mimo = risar_scan_mimo(risar->bench->quick);
    nfsar_image image[RISAR_METHODS] = {0};
    enum nfsar_status status =
        blade_run(risar, "blade across, 8 channels", false, &mimo, image, error);
    if (status == NFSAR_OK) {
        nfsar_image shown[RISAR_METHODS];
        show_slices(image, shown);
        struct bench_panels panels = {.title = "Blade across, seen from the side",
                                      .view = BENCH_VIEW_X_Y,
                                      .rows = RISAR_METHODS,
                                      .columns = 1,
                                      .image = shown,
                                      .row = columns,
                                      .column = (const char *const[]){""},
                                      .range_db = 25.0,
                                      .width = 600};
        status = draw(risar, "across", &panels, error);
    }
    free_images(image, RISAR_METHODS);
    return status;
}

enum nfsar_status bench_risar(struct bench *bench, nfsar_error *error) {
    struct risar risar = {.bench = bench, .folder = bench->output};
    enum nfsar_status (*const part[])(struct risar *, nfsar_error *) = {
        circles, points, lines, upright_blade, blade_across};
    bench_machine_begin(&risar.machine);
    enum nfsar_status status =
        risar.folder != NULL ? bench_page_folders(risar.folder, error) : NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < sizeof part / sizeof part[0]; i++) {
        status = part[i](&risar, error);
    }
    if (status == NFSAR_OK && risar.folder != NULL) {
        bench_machine_end(&risar.machine);
        status = risar_page_write(&risar, error);
    }
    free(risar.result);
    return status;
}
