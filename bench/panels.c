/* Images side by side. */
#include <math.h>
#include <stdlib.h>

#include "bench/panels.h"
#include "host/picture/panel.h"

#define TITLE      40.0
#define ROW_LABEL  24.0 /* turned, left of everything */
#define COLUMN_GAP 34   /* two numbers beside each other */
#define ROW_GAP    14
#define RIGHT      26.0
#define UNIT_PER_M 1000.0

/* Magnitudes of an image seen along one axis: of an image one voxel deep, all of it. */
static enum nfsar_status see(const nfsar_image *image, enum bench_view view, struct plane *plane,
                             nfsar_error *error) {
    const nfsar_grid *grid = &image->grid;
    const size_t nx = grid->x.count, ny = grid->y.count, n = nfsar_grid_voxels(grid);
    static const struct { char u, v; } axes[] = {{'y', 'z'}, {'z', 'y'}, {'x', 'y'}, {'x', 'z'}};
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    const int along = axes[view].u - 'x', up = axes[view].v - 'x';
    *plane = (struct plane){
        .u = *axis[along], .v = *axis[up], .u_name = axes[view].u, .v_name = axes[view].v};
    plane->magnitude = calloc(plane->u.count * plane->v.count, sizeof *plane->magnitude);
    if (plane->magnitude == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        size_t at_axis[3] = {i % nx, i / nx % ny, i / nx / ny};
        double *at = &plane->magnitude[at_axis[up] * plane->u.count + at_axis[along]];
        *at = fmax(*at, (double)cabsf(image->data[i]));
        plane->maximum = fmax(plane->maximum, *at);
    }
    return NFSAR_OK;
}

static struct extent extent_of(const nfsar_axis *axis) {
    return (struct extent){.low = UNIT_PER_M * (axis->start - 0.5 * axis->step),
                           .high = UNIT_PER_M * (nfsar_axis_end(axis) + 0.5 * axis->step),
                           .only = (double)NAN};
}

/* Where the panels are; all are of one size. */
struct layout {
    int left, top, width, height;
    int canvas_height;
};

static struct layout lay_out(const struct bench_panels *panels, const struct plane *plane,
                             double margin) {
    struct extent u = extent_of(&plane->u), v = extent_of(&plane->v);
    struct layout made = {.left = (int)ceil(margin + (panels->row != NULL ? ROW_LABEL : 0.0)),
                          .top = (int)(TITLE + PANEL_HEADER)};
    double room = panels->width - made.left - RIGHT - COLUMN_GAP * (double)(panels->columns - 1);
    made.width = (int)(room / (double)panels->columns);
    made.height = (int)round(made.width * (v.high - v.low) / (u.high - u.low));
    made.canvas_height = made.top + (int)panels->rows * (made.height + ROW_GAP) +
                         (int)(PANEL_FOOTER + COLOUR_BAR_HEIGHT + 8.0);
    return made;
}

static enum nfsar_status draw_panel(const struct bench_panels *panels, const struct canvas *canvas,
                                    const struct layout *layout, size_t row, size_t column,
                                    nfsar_error *error) {
    const nfsar_image *image = &panels->image[row * panels->columns + column];
    struct plane plane;
    if (image->data == NULL) {
        return NFSAR_OK;
    }
    enum nfsar_status status = see(image, panels->view, &plane, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct shade shade = {.maximum = panels->maximum > 0.0 ? panels->maximum : plane.maximum,
                          .linear = panels->range_db <= 0.0,
                          .range_db = panels->range_db};
    struct panel panel = {.plane = &plane,
                          .u = extent_of(&plane.u),
                          .v = extent_of(&plane.v),
                          .left = layout->left + (int)column * (layout->width + COLUMN_GAP),
                          .top = layout->top + (int)row * (layout->height + ROW_GAP),
                          .width = layout->width,
                          .height = layout->height,
                          .label_u = row + 1 == panels->rows,
                          .label_v = column == 0,
                          .header = row == 0 ? panels->column[column] : "",
                          .header_room = layout->width,
                          .unit = "mm",
                          .unit_per_m = UNIT_PER_M};
    status = panel_draw(canvas, &panel, &shade, error);
    if (panels->row != NULL && column == 0) {
        canvas_grey(canvas, CANVAS_INK);
        canvas_text_upward(canvas, CANVAS_TEXT, 14.0, panel.top + 0.5 * panel.height,
                           panels->row[row]);
    }
    plane_free(&plane);
    return status;
}

static enum nfsar_status draw(const struct bench_panels *panels, const struct canvas *canvas,
                              const struct layout *layout, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    canvas_grey(canvas, CANVAS_INK);
    canvas_text(canvas, CANVAS_TITLE, 0.5 * canvas->width, 12.0, 0.5, 0.0, panels->title);
    for (size_t i = 0; status == NFSAR_OK && i < panels->rows * panels->columns; i++) {
        status =
            draw_panel(panels, canvas, layout, i / panels->columns, i % panels->columns, error);
    }
    struct shade shade = {
        .maximum = 1.0, .linear = panels->range_db <= 0.0, .range_db = panels->range_db};
    double width = fmin(420.0, canvas->width - 80.0);
    colour_bar_draw(canvas, &shade, 0.5 * (canvas->width - width),
                    canvas->height - COLOUR_BAR_HEIGHT - 4.0, width);
    return status;
}

/* The margin left of the numbers, which depends on the height of the panels: one try tells it. */
static double margin_of(const struct bench_panels *panels, const struct canvas *canvas,
                        const struct plane *plane) {
    struct layout trial = lay_out(panels, plane, 60.0);
    struct panel panel = {.plane = plane,
                          .u = extent_of(&plane->u),
                          .v = extent_of(&plane->v),
                          .width = trial.width,
                          .height = trial.height,
                          .unit = "mm",
                          .unit_per_m = UNIT_PER_M};
    return panel_margin(canvas, &panel) + 8.0;
}

enum nfsar_status bench_panels_draw(const struct bench_panels *panels, const char *path,
                                    nfsar_error *error) {
    struct canvas canvas;
    struct plane first;
    enum nfsar_status status = see(&panels->image[0], panels->view, &first, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = canvas_open(&canvas, 16, 16, error);
    if (status == NFSAR_OK) {
        struct layout layout = lay_out(panels, &first, margin_of(panels, &canvas, &first));
        canvas_close(&canvas);
        status = canvas_open(&canvas, panels->width, layout.canvas_height, error);
        if (status == NFSAR_OK) {
            status = draw(panels, &canvas, &layout, error);
        }
        if (status == NFSAR_OK) {
            status = canvas_save(&canvas, path, error);
        }
        canvas_close(&canvas);
    }
    plane_free(&first);
    return status;
}
