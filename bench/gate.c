/* What a range gate saves: an image from the recording, through a gate on the way, and from the
 * file that `nfsar gate` makes; the recording as it was written and sealed. From opening the file
 * to the image in memory. Files are in the page cache. */
#include "bench/bench.h"
#include "bench/scan.h"
#include "bench/subjects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/file.h>
#include <nfsar/gate.h>
#include <nfsar/range.h>
#include <nfsar/reconstruct.h>
#include <nfsar/scene.h>

#include "host/files/pending.h"
#include "host/files/seal.h"

/* A target of 10 x 8 x 3 cm in 0.3 m, and from how near to how far it is from the antennas. */
static const char *const scene_text = "radar: {waveform: 77-81ghz-%d}\n"
                                      "array: {preset: xwr1443-2tx, along: y}\n"
                                      "path:\n"
                                      "  raster:\n"
                                      "    x: {size_m: %g, step_m: 0.6e-3}\n"
                                      "    y: {size_m: %g, step_m: 7.5897e-3}\n"
                                      "targets:\n"
                                      "  - random_points: {count: 25, size_m: [0.1, 0.08, 0.03], "
                                      "centre_m: [0, 0, 0.3], random_phase: yes}\n"
                                      "impairments: {snr_db: 20}\n";
static const double limits[2] = {0.24, 0.44};

enum { PLAIN, PLAIN_RANGE, SEALED, SEALED_RANGE, GATED, WAYS };
static const char *const way_name[WAYS] = {"plain", "plain, --range", "sealed", "sealed, --range",
                                           "gated"};

enum { ROW, SLICE, VOLUME, GRIDS };
static const char *const grid_name[GRIDS] = {"row", "slice", "volume"};

static const struct task {
    enum nfsar_method method;
    int grid;
    enum nfsar_bp_precision precision;
} tasks[] = {
    {NFSAR_METHOD_RMA, SLICE, NFSAR_BP_SINGLE},    {NFSAR_METHOD_NURMA, SLICE, NFSAR_BP_SINGLE},
    {NFSAR_METHOD_EMPM, SLICE, NFSAR_BP_SINGLE},   {NFSAR_METHOD_BP, SLICE, NFSAR_BP_SINGLE},
    {NFSAR_METHOD_NURMA, VOLUME, NFSAR_BP_SINGLE}, {NFSAR_METHOD_BP, VOLUME, NFSAR_BP_SINGLE},
    {NFSAR_METHOD_BP, ROW, NFSAR_BP_DOUBLE},
};

struct gating {
    pending_file *scene, *plain, *sealed, *gated;
    nfsar_grid grid[GRIDS];
    struct bench_truth truth[GRIDS];
    int threads;
    double megabytes; /* of the recording's samples */
    size_t n_line, n_sample, n_left;
};

/* One way of one task. */
struct lane {
    const struct gating *gating;
    const struct task *task;
    int way;
    float complex *image;
};

/* ---- imaging --------------------------------------------------------------------------------- */

/* As `nfsar reconstruct --range` does. What has been made of the view is the caller's. */
static enum nfsar_status gate_on_the_way(const nfsar_capture *capture, const nfsar_grid *grid,
                                         const nfsar_echo_source *source, nfsar_gate **gate,
                                         nfsar_capture *view, nfsar_error *error) {
    nfsar_gate_options options = nfsar_gate_defaults();
    double needed[2];
    enum nfsar_status status = nfsar_gate_of_grid(capture, grid, needed, error);
    if (status != NFSAR_OK) {
        return status;
    }
    options.range_m[0] = fmin(limits[0], needed[0]);
    options.range_m[1] = fmax(limits[1], needed[1]);
    status = nfsar_gate_create(capture, &options, gate, error);
    if (status != NFSAR_OK) {
        return status;
    }
    *view = nfsar_gate_view(*gate, capture);
    view->echo =
        malloc(capture->n_pulse * capture->array.n_channel * view->n_sample * sizeof *view->echo);
    return view->echo != NULL
               ? nfsar_gate_read(*gate, capture, source, view->echo, NULL, error)
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for gated samples");
}

static enum nfsar_status make_image(const struct lane *lane, const nfsar_capture *capture,
                                    const nfsar_echo_source *source, nfsar_error *error) {
    const int threads = lane->gating->threads;
    nfsar_method_options use = nfsar_method_defaults();
    nfsar_imager *imager = NULL;
    use.rma.threads = use.nurma.threads = use.bp.threads = threads;
    use.bp.precision = lane->task->precision;
    enum nfsar_status status =
        nfsar_imager_create(capture, lane->task->method, &use, &imager, error);
    if (status == NFSAR_OK) {
        status = nfsar_imager_run(imager, &lane->gating->grid[lane->task->grid], source,
                                  lane->image, NULL, error);
    }
    nfsar_imager_destroy(imager);
    return status;
}

static const char *file_of(const struct gating *gating, int way) {
    return pending_path(way == GATED                           ? gating->gated
                        : way == SEALED || way == SEALED_RANGE ? gating->sealed
                                                               : gating->plain);
}

static enum nfsar_status run_lane(void *context, nfsar_error *error) {
    const struct lane *lane = context;
    const bool through = lane->way == PLAIN_RANGE || lane->way == SEALED_RANGE;
    nfsar_capture_file *file = NULL;
    nfsar_gate *gate = NULL;
    enum nfsar_status status =
        nfsar_capture_file_open(file_of(lane->gating, lane->way), &file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_capture view = *nfsar_capture_file_header(file);
    nfsar_echo_source source = nfsar_capture_file_source(file);
    if (through) {
        status =
            gate_on_the_way(nfsar_capture_file_header(file), &lane->gating->grid[lane->task->grid],
                            &source, &gate, &view, error);
        source = nfsar_capture_source(&view);
    }
    if (status == NFSAR_OK) {
        status = make_image(lane, &view, &source, error);
    }
    free(view.echo);
    nfsar_gate_destroy(gate);
    nfsar_capture_file_close(file);
    return status;
}

/* ---- the gated file -------------------------------------------------------------------------- */

static enum nfsar_status write_block(void *writer, size_t first, size_t n,
                                     const float complex *samples, nfsar_error *error) {
    return nfsar_capture_writer_write(writer, first, n, samples, error);
}

static enum nfsar_status gate_file(const char *from, const char *to, nfsar_error *error) {
    nfsar_capture_file *file = NULL;
    nfsar_gate *gate = NULL;
    nfsar_capture_writer *writer = NULL;
    nfsar_gate_options options = nfsar_gate_defaults();
    memcpy(options.range_m, limits, sizeof limits);
    enum nfsar_status status = nfsar_capture_file_open(from, &file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_capture *capture = nfsar_capture_file_header(file);
    const nfsar_echo_source source = nfsar_capture_file_source(file);
    status = nfsar_gate_create(capture, &options, &gate, error);
    if (status == NFSAR_OK) {
        const nfsar_capture view = nfsar_gate_view(gate, capture);
        status = nfsar_capture_writer_create(to, &view, &writer, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_gate_stream(gate, capture, &source, write_block, writer, NULL, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_commit(writer, error);
        } else {
            nfsar_capture_writer_abandon(writer);
        }
    }
    nfsar_gate_destroy(gate);
    nfsar_capture_file_close(file);
    return status;
}

static enum nfsar_status gate_plain(void *context, nfsar_error *error) {
    const struct gating *gating = context;
    return gate_file(pending_path(gating->plain), pending_path(gating->gated), error);
}

static enum nfsar_status gate_sealed(void *context, nfsar_error *error) {
    const struct gating *gating = context;
    return gate_file(pending_path(gating->sealed), pending_path(gating->gated), error);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* A name that is removed when the command ends, however it does: it stays pending for good. */
static enum nfsar_status reserve(const char *what, pending_file **file, nfsar_error *error) {
    const char *base = getenv("TMPDIR");
    char path[320];
    snprintf(path, sizeof path, "%s/nfsar-bench-%ld-gate-%s",
             base != NULL && base[0] != '\0' ? base : "/tmp", (long)getpid(), what);
    return pending_create(path, PENDING_HDF5, file, error);
}

static enum nfsar_status write_scene(const struct bench *bench, const char *path,
                                     nfsar_error *error) {
    FILE *stream = fopen(path, "w");
    if (stream != NULL) {
        fprintf(stream, scene_text, bench->quick ? 64 : 256, bench->quick ? 0.02 : 0.4,
                bench->quick ? 0.03 : 0.25);
    }
    return stream != NULL && fclose(stream) == 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be written", path);
}

static enum nfsar_status simulate(struct gating *gating, nfsar_error *error) {
    nfsar_scene *scene = NULL;
    enum nfsar_status status = nfsar_scene_open(pending_path(gating->scene), NULL, &scene, error);
    if (status == NFSAR_OK) {
        const nfsar_capture *capture = nfsar_scene_header(scene);
        gating->n_line = capture->n_pulse * capture->array.n_channel;
        gating->n_sample = capture->n_sample;
        gating->megabytes =
            1e-6 * (double)(gating->n_line * gating->n_sample) * (double)sizeof(float complex);
        status = nfsar_scene_run(scene, pending_path(gating->plain), gating->threads, NULL, error);
    }
    nfsar_scene_close(scene);
    return status;
}

static enum nfsar_status seal(struct gating *gating, nfsar_error *error) {
    nfsar_capture_file *file = NULL;
    struct seal_report report;
    enum nfsar_status status = nfsar_capture_file_open(pending_path(gating->plain), &file, error);
    if (status == NFSAR_OK) {
        status = seal_capture(file, pending_path(gating->sealed), 1, NULL, 0, &report, NULL, error);
    }
    nfsar_capture_file_close(file);
    return status;
}

static enum nfsar_status make_truths(struct gating *gating, nfsar_error *error) {
    nfsar_capture capture = {0};
    enum nfsar_status status = nfsar_capture_load(pending_path(gating->plain), &capture, error);
    for (int g = 0; status == NFSAR_OK && g < GRIDS; g++) {
        status = bench_truth_make(&capture, &gating->grid[g], 4, &gating->truth[g], error);
    }
    nfsar_capture_free(&capture);
    return status;
}

static enum nfsar_status prepare(const struct bench *bench, struct gating *gating,
                                 nfsar_error *error) {
    const nfsar_axis x = {-0.05, 0.1 / 60.0, 61}, y = {-0.04, 0.002, 41};
    const nfsar_axis middle = {0.0, 1.0, 1}, depth = {0.3, 1.0, 1};
    gating->threads = bench->threads;
    gating->grid[ROW] = (nfsar_grid){x, middle, depth};
    gating->grid[SLICE] = (nfsar_grid){x, y, depth};
    gating->grid[VOLUME] =
        bench->quick
            ? (nfsar_grid){{-0.02, 0.01, 5}, {-0.02, 0.01, 5}, {0.29, 0.01, 3}}
            : (nfsar_grid){{-0.05, 0.1 / 80.0, 81}, {-0.04, 0.08 / 60.0, 61}, {0.28, 0.005, 9}};
    const struct {
        const char *name;
        pending_file **file;
    } files[] = {{"scene.yaml", &gating->scene},
                 {"plain.h5", &gating->plain},
                 {"sealed.h5", &gating->sealed},
                 {"gated.h5", &gating->gated}};
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < sizeof files / sizeof files[0]; i++) {
        status = reserve(files[i].name, files[i].file, error);
    }
    if (status == NFSAR_OK) {
        status = write_scene(bench, pending_path(gating->scene), error);
    }
    if (status == NFSAR_OK) {
        status = simulate(gating, error);
    }
    if (status == NFSAR_OK) {
        status = seal(gating, error);
    }
    return status == NFSAR_OK ? make_truths(gating, error) : status;
}

static void release(struct gating *gating) {
    pending_abandon(gating->scene);
    pending_abandon(gating->plain);
    pending_abandon(gating->sealed);
    pending_abandon(gating->gated);
    for (int g = 0; g < GRIDS; g++) {
        bench_truth_free(&gating->truth[g]);
    }
}

/* ---- rows and ratios ------------------------------------------------------------------------- */

static size_t add_row(struct bench *bench, const struct gating *gating, const char *what,
                      const char *way, const char *size) {
    struct bench_row row = {
        .threads = gating->threads, .work = gating->megabytes, .unit = "MB", .error_db = NAN};
    snprintf(row.name, sizeof row.name, "%s: %s", what, way);
    snprintf(row.size, sizeof row.size, "%s", size);
    return bench_row_add(bench, &row);
}

static enum nfsar_status race_gating(struct bench *bench, struct gating *gating,
                                     nfsar_error *error) {
    char size[56];
    snprintf(size, sizeof size, "%zu lines of %zu samples", gating->n_line, gating->n_sample);
    const struct bench_lane lane[] = {
        {add_row(bench, gating, "making the file", "of plain", size), gate_plain, gating},
        {add_row(bench, gating, "making the file", "of sealed", size), gate_sealed, gating}};
    enum nfsar_status status = bench_race(bench, lane, 2, error);
    nfsar_capture_file *file = NULL;
    if (status == NFSAR_OK) {
        status = nfsar_capture_file_open(pending_path(gating->gated), &file, error);
    }
    if (status == NFSAR_OK) {
        gating->n_left = nfsar_capture_file_header(file)->n_sample;
    }
    nfsar_capture_file_close(file);
    return status;
}

/* Root mean square, of one image and of the difference of two. */
static double root_mean_square(const float complex *a, const float complex *b, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double size = (double)cabsf(b != NULL ? a[i] - b[i] : a[i]);
        sum += size * size;
    }
    return sqrt(sum / (double)n);
}

static void add_ratios(struct bench *bench, const struct lane *lane, const struct bench_lane *of,
                       const char *what, size_t n_voxel) {
    /* What the project has set itself: four times as fast, the same image to -60 dB. */
    const struct bench_goal faster = {4.0, 0.0}, same = {0.0, 1e-3}, none = {0.0, 0.0};
    const int pair[][2] = {
        {PLAIN, PLAIN_RANGE}, {PLAIN, GATED}, {SEALED, SEALED_RANGE}, {SEALED, GATED}};
    char name[112];
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        snprintf(name, sizeof name, "time, %s: %s / %s", what, way_name[pair[i][0]],
                 pair[i][1] == GATED ? way_name[GATED] : "--range");
        bench_ratio_times(bench, name, of[pair[i][0]].row, of[pair[i][1]].row,
                          pair[i][1] == GATED ? faster : none);
    }
    const double size = root_mean_square(lane[PLAIN].image, NULL, n_voxel);
    for (int way = PLAIN_RANGE; way <= GATED; way += GATED - PLAIN_RANGE) {
        snprintf(name, sizeof name, "error, %s: %s beside the image as it is", what,
                 way == GATED ? way_name[GATED] : "--range");
        bench_ratio_values(bench, name, "root mean square",
                           root_mean_square(lane[PLAIN].image, lane[way].image, n_voxel), size,
                           same);
    }
}

static enum nfsar_status race_task(struct bench *bench, const struct gating *gating,
                                   const struct task *task, nfsar_error *error) {
    const nfsar_grid *grid = &gating->grid[task->grid];
    const size_t n_voxel = nfsar_grid_voxels(grid);
    struct lane lane[WAYS];
    struct bench_lane of[WAYS];
    char what[32], size[56];
    snprintf(what, sizeof what, "%s%s, %s", nfsar_method_name(task->method),
             task->precision == NFSAR_BP_DOUBLE ? " double" : "", grid_name[task->grid]);
    float complex *images = calloc(WAYS * n_voxel, sizeof *images);
    if (images == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (int way = 0; way < WAYS; way++) {
        snprintf(size, sizeof size, "%zux%zux%zu from %zux%zu", grid->x.count, grid->y.count,
                 grid->z.count, gating->n_line, way == GATED ? gating->n_left : gating->n_sample);
        lane[way] = (struct lane){gating, task, way, images + (size_t)way * n_voxel};
        of[way] = (struct bench_lane){add_row(bench, gating, what, way_name[way], size), run_lane,
                                      &lane[way]};
    }
    enum nfsar_status status = bench_race(bench, of, WAYS, error);
    if (status == NFSAR_OK) {
        for (int way = 0; way < WAYS; way++) {
            bench->row[of[way].row].error_db =
                bench_truth_error(&gating->truth[task->grid], lane[way].image);
        }
        add_ratios(bench, lane, of, what, n_voxel);
    }
    free(images);
    return status;
}

enum nfsar_status bench_gate(struct bench *bench, nfsar_error *error) {
    struct gating gating = {0};
    enum nfsar_status status = prepare(bench, &gating, error);
    if (status == NFSAR_OK) {
        status = race_gating(bench, &gating, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < sizeof tasks / sizeof tasks[0]; i++) {
        status = race_task(bench, &gating, &tasks[i], error);
    }
    release(&gating);
    return status;
}
