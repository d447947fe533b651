#include "host/picture/box.h"

#include <math.h>
#include <stdio.h>

/* Opacities of white. */
#define OUTLINE 0.55
#define GRID    0.13
#define NEAR    0.22
#define TEXT    0.92

/* An edge is parallel to an axis and lies on two faces, each on the low (0) or high (1) side. */
struct edge {
    int along;
    int other[2]; /* the other two axes */
    int side[2];
};

static struct edge edge_number(int i) {
    const int along = i / 4;
    return (struct edge){along, {(along + 1) % 3, (along + 2) % 3}, {i % 2, i / 2 % 2}};
}

/* Does the viewer see a face from outside? One that is seen along its edge counts as not seen. */
static bool is_seen(const struct box *box, int axis, int side) {
    return (side ? 1.0 : -1.0) * box->camera.toward[axis] > 1e-6;
}

static double edge_of(const struct box *box, int axis, int side) {
    const struct extent *extent = &box->page->extent[axis];
    return side ? extent->high : extent->low;
}

/* A place in display units on the canvas. */
static void look(const struct box *box, const double at[3], double *x, double *y) {
    double right = 0.0, up = 0.0;
    for (int i = 0; i < 3; i++) {
        double offset = at[i] / box->page->unit_per_m - box->camera.centre[i];
        right += offset * box->camera.right[i];
        up += offset * box->camera.up[i];
    }
    *x = box->x + right * box->camera.scale;
    *y = box->y - up * box->camera.scale;
}

void box_reach(const struct page *page, const struct camera *camera, double reach[3]) {
    reach[0] = reach[1] = reach[2] = 0.0;
    for (int i = 0; i < 3; i++) {
        double half = 0.5 * (page->extent[i].high - page->extent[i].low) / page->unit_per_m;
        reach[0] += half * fabs(camera->right[i]);
        reach[1] += half * fabs(camera->up[i]);
        reach[2] += half * fabs(camera->toward[i]);
    }
}

static void ink(const struct canvas *canvas, double opacity) {
    cairo_set_source_rgba(canvas->cairo, 1.0, 1.0, 1.0, opacity);
    cairo_set_line_width(canvas->cairo, 1.0);
}

static void line(const struct canvas *canvas, const struct box *box, const double from[3],
                 const double to[3]) {
    double x, y;
    look(box, from, &x, &y);
    cairo_move_to(canvas->cairo, x, y);
    look(box, to, &x, &y);
    cairo_line_to(canvas->cairo, x, y);
    cairo_stroke(canvas->cairo);
}

static void edge_line(const struct canvas *canvas, const struct box *box, const struct edge *edge) {
    double from[3], to[3];
    for (int i = 0; i < 2; i++) {
        from[edge->other[i]] = to[edge->other[i]] = edge_of(box, edge->other[i], edge->side[i]);
    }
    from[edge->along] = edge_of(box, edge->along, 0);
    to[edge->along] = edge_of(box, edge->along, 1);
    line(canvas, box, from, to);
}

/* How many of its two faces are seen: 0 far edges, 1 outline, 2 near edges. */
static int faces_seen(const struct box *box, const struct edge *edge) {
    return is_seen(box, edge->other[0], edge->side[0]) +
           is_seen(box, edge->other[1], edge->side[1]);
}

/* Length of an axis of the box as seen, pixels. */
static double seen_length(const struct box *box, int axis) {
    const struct extent *extent = &box->page->extent[axis];
    return (extent->high - extent->low) / box->page->unit_per_m * box->camera.scale *
           hypot(box->camera.right[axis], box->camera.up[axis]);
}

/* An axis that points at the viewer has no numbers. */
static struct ticks ticks_of_axis(const struct box *box, int axis) {
    const double length = seen_length(box, axis);
    if (length < 24.0) {
        return (struct ticks){0};
    }
    return panel_ticks(&box->page->extent[axis], length, 48.0);
}

/* The lines of an axis's ticks on the far faces. */
static void draw_grid(const struct canvas *canvas, const struct box *box, int axis) {
    const struct ticks ticks = ticks_of_axis(box, axis);
    const int other[2] = {(axis + 1) % 3, (axis + 2) % 3};
    for (size_t i = 0; i < ticks.count; i++) {
        for (int j = 0; j < 2; j++) {
            /* On the far face across other[j], running along the remaining axis. */
            const int across = other[j], along = other[1 - j];
            double from[3], to[3];
            if (fabs(box->camera.toward[across]) <= 1e-6) {
                continue;
            }
            from[axis] = to[axis] = ticks_at(&ticks, i);
            from[across] = to[across] = edge_of(box, across, box->camera.toward[across] < 0.0);
            from[along] = edge_of(box, along, 0);
            to[along] = edge_of(box, along, 1);
            line(canvas, box, from, to);
        }
    }
}

void box_draw_back(const struct canvas *canvas, const struct box *box) {
    ink(canvas, GRID);
    for (int axis = 0; axis < 3; axis++) {
        draw_grid(canvas, box, axis);
    }
    for (int i = 0; i < 12; i++) {
        const struct edge edge = edge_number(i);
        const int seen = faces_seen(box, &edge);
        if (seen < 2) {
            ink(canvas, seen == 0 ? NEAR : OUTLINE);
            edge_line(canvas, box, &edge);
        }
    }
}

/* The outline's edge that carries the numbers: the lower one; of upright ones the left one. */
static struct edge choose_edge(const struct box *box, int axis) {
    const bool upright = fabs(box->camera.up[axis]) > 2.0 * fabs(box->camera.right[axis]);
    struct edge best = edge_number(4 * axis);
    double best_place = -INFINITY;
    for (int i = 4 * axis; i < 4 * axis + 4; i++) {
        const struct edge edge = edge_number(i);
        double at[3], x, y;
        at[axis] = 0.5 * (edge_of(box, axis, 0) + edge_of(box, axis, 1));
        at[edge.other[0]] = edge_of(box, edge.other[0], edge.side[0]);
        at[edge.other[1]] = edge_of(box, edge.other[1], edge.side[1]);
        look(box, at, &x, &y);
        /* The other coordinate decides between edges that lie over one another. */
        double place = upright ? -x + 1e-3 * y : y - 1e-3 * x;
        if (faces_seen(box, &edge) == 1 && place > best_place) {
            best_place = place;
            best = edge;
        }
    }
    return best;
}

/* The unit vector across an edge away from the middle of the box, on the canvas. */
static void outward(const struct box *box, const struct edge *edge, const double middle[3],
                    double normal[2]) {
    double x, y;
    const double along_x = box->camera.right[edge->along], along_y = -box->camera.up[edge->along];
    const double length = hypot(along_x, along_y);
    look(box, middle, &x, &y);
    normal[0] = -along_y / length;
    normal[1] = along_x / length;
    if (normal[0] * (x - box->x) + normal[1] * (y - box->y) < 0.0) {
        normal[0] = -normal[0];
        normal[1] = -normal[1];
    }
}

/* Where numbers are already: middles and widths. */
#define NUMBERS_MOST 64
struct written {
    double x[NUMBERS_MOST], y[NUMBERS_MOST], width[NUMBERS_MOST];
    size_t n;
};

/* Is there room for a number of this width round (x, y)? Two axes meet in a corner. */
static bool has_room(struct written *written, double x, double y, double width) {
    for (size_t i = 0; i < written->n; i++) {
        if (fabs(x - written->x[i]) < 0.5 * (width + written->width[i]) + 3.0 &&
            fabs(y - written->y[i]) < CANVAS_SMALL) {
            return false;
        }
    }
    if (written->n < NUMBERS_MOST) {
        written->x[written->n] = x;
        written->y[written->n] = y;
        written->width[written->n++] = width;
    }
    return true;
}

/* Text whose box touches (x, y) from outside: its anchor turns with the direction outward. */
static void text_outside(const struct canvas *canvas, double size, double x, double y,
                         const double normal[2], const char *text) {
    canvas_text(canvas, size, x, y, 0.5 - 0.5 * normal[0], 0.5 - 0.5 * normal[1], text);
}

static void draw_numbers(const struct canvas *canvas, const struct box *box, int axis,
                         struct written *written) {
    const struct ticks ticks = ticks_of_axis(box, axis);
    if (ticks.count == 0) {
        return;
    }
    const struct edge edge = choose_edge(box, axis);
    double at[3], normal[2], x, y, widest = 0.0;
    char text[64];
    for (int i = 0; i < 2; i++) {
        at[edge.other[i]] = edge_of(box, edge.other[i], edge.side[i]);
    }
    at[axis] = 0.5 * (edge_of(box, axis, 0) + edge_of(box, axis, 1));
    outward(box, &edge, at, normal);
    ink(canvas, TEXT);
    for (size_t i = 0; i < ticks.count; i++) {
        at[axis] = ticks_at(&ticks, i);
        look(box, at, &x, &y);
        cairo_move_to(canvas->cairo, x, y);
        cairo_line_to(canvas->cairo, x + 4.0 * normal[0], y + 4.0 * normal[1]);
        cairo_stroke(canvas->cairo);
        ticks_label(&ticks, i, text, sizeof text);
        const double width = canvas_text_width(canvas, CANVAS_SMALL, text);
        widest = fmax(widest, width);
        x += 7.0 * normal[0];
        y += 7.0 * normal[1];
        if (has_room(written, x + 0.5 * width * normal[0], y + 7.0 * normal[1], width)) {
            text_outside(canvas, CANVAS_SMALL, x, y, normal, text);
        }
    }
    /* The name beyond the numbers, which need their width sideways and their height downward. */
    const double away = 14.0 + fabs(normal[0]) * widest + fabs(normal[1]) * 14.0;
    at[axis] = 0.5 * (edge_of(box, axis, 0) + edge_of(box, axis, 1));
    look(box, at, &x, &y);
    snprintf(text, sizeof text, "%c (%s)", 'x' + axis, box->page->unit);
    if (fabs(normal[0]) > 0.9) {
        canvas_text_upward(canvas, CANVAS_TEXT, x + (away + 4.0) * normal[0], y, text);
    } else {
        text_outside(canvas, CANVAS_TEXT, x + away * normal[0], y + away * normal[1], normal, text);
    }
}

void box_draw_front(const struct canvas *canvas, const struct box *box) {
    for (int i = 0; i < 12; i++) {
        const struct edge edge = edge_number(i);
        if (faces_seen(box, &edge) == 2) {
            ink(canvas, NEAR);
            edge_line(canvas, box, &edge);
        }
    }
    struct written written = {.n = 0};
    for (int axis = 0; axis < 3; axis++) {
        draw_numbers(canvas, box, axis, &written);
    }
}
