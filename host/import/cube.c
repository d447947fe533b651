#include "host/import/cube.h"

#include <stdio.h>
#include <string.h>

size_t cube_element_size(enum cube_element element) {
    static const size_t sizes[] = {1, 2, 4, 4, 8};
    return sizes[element];
}

size_t cube_size(const struct cube *cube, enum rig_dimension dimension) {
    for (size_t i = 0; i < cube->n_axis; i++) {
        if (cube->axis[i] == dimension) {
            return cube->size[i];
        }
    }
    return 0;
}

static enum nfsar_status clash(enum rig_dimension a, enum rig_dimension b, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "files.axes: %s and %s cannot both be axes",
                      rig_dimension_name(a), rig_dimension_name(b));
}

static enum nfsar_status check_axes(const struct rig *rig, nfsar_error *error) {
    bool has[RIG_DIMENSIONS] = {false};
    for (unsigned i = 0; i < rig->files.n_axes; i++) {
        enum rig_dimension d = rig->files.axes[i];
        if (has[d]) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "files.axes: %s is there twice",
                              rig_dimension_name(d));
        }
        has[d] = true;
    }
    if (!has[RIG_DIMENSION_SAMPLE]) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "files.axes: there is no axis 'sample'");
    }
    static const enum rig_dimension clashes[][2] = {
        {RIG_DIMENSION_CHANNEL, RIG_DIMENSION_RX}, {RIG_DIMENSION_CHANNEL, RIG_DIMENSION_TX},
        {RIG_DIMENSION_PULSE, RIG_DIMENSION_X},    {RIG_DIMENSION_PULSE, RIG_DIMENSION_Y},
        {RIG_DIMENSION_PULSE, RIG_DIMENSION_ROW},  {RIG_DIMENSION_PULSE, RIG_DIMENSION_POSITION},
        {RIG_DIMENSION_X, RIG_DIMENSION_ROW},      {RIG_DIMENSION_X, RIG_DIMENSION_POSITION},
        {RIG_DIMENSION_Y, RIG_DIMENSION_ROW},      {RIG_DIMENSION_Y, RIG_DIMENSION_POSITION},
    };
    for (size_t i = 0; i < sizeof clashes / sizeof clashes[0]; i++) {
        if (has[clashes[i][0]] && has[clashes[i][1]]) {
            return clash(clashes[i][0], clashes[i][1], error);
        }
    }
    bool lattice = has[RIG_DIMENSION_X] || has[RIG_DIMENSION_Y];
    if (lattice && rig->scan != NULL && rig->scan->path == RIG_PATH_SERPENTINE) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan.path: the axes x and y count coordinates, so the path does not "
                          "matter; call them position and row if they count in the order of time");
    }
    return NFSAR_OK;
}

enum nfsar_status cube_open(const struct rig *rig, const char *path, size_t memory,
                            struct cube *cube, nfsar_error *error) {
    memset(cube, 0, sizeof *cube);
    enum nfsar_status status = check_axes(rig, error);
    if (status != NFSAR_OK) {
        return status;
    }
    cube->name = path;
    cube->memory = memory;
    cube->is_waveform = rig->radar.pulsed != NULL;
    cube->n_axis = rig->files.n_axes;
    memcpy(cube->axis, rig->files.axes, cube->n_axis * sizeof cube->axis[0]);
    if (rig->layout == RIG_LAYOUT_NPY) {
        return cube_open_npy(path, cube, error);
    }
    /* Rows are read one block after another; without a row axis it is positions. */
    static const enum rig_dimension slowest[] = {RIG_DIMENSION_ROW, RIG_DIMENSION_PULSE,
                                                 RIG_DIMENSION_POSITION};
    enum rig_dimension across = rig->scan != NULL && rig->scan->rows_along == RIG_ALONG_Y
                                    ? RIG_DIMENSION_X
                                    : RIG_DIMENSION_Y;
    cube->slab = cube->n_axis;
    for (size_t i = 0; i < cube->n_axis; i++) {
        if (cube->axis[i] == across) {
            cube->slab = i;
        }
    }
    for (size_t d = 0; cube->slab == cube->n_axis && d < 3; d++) {
        for (size_t i = 0; i < cube->n_axis; i++) {
            cube->slab = cube->axis[i] == slowest[d] ? i : cube->slab;
        }
    }
    return cube_open_mat(path, rig->files.variable, cube, error);
}

void cube_close(struct cube *cube) {
    if (cube->close != NULL) {
        cube->close(cube);
    }
    memset(cube, 0, sizeof *cube);
}

/* ---- counts -------------------------------------------------------------------------------- */

/* The array says there are `there`, the rig file `wanted`; 0 stands for not said. */
static enum nfsar_status agree(const struct cube *cube, enum rig_dimension dimension, size_t wanted,
                               const char *key, nfsar_error *error) {
    size_t there = cube_size(cube, dimension);
    if ((there > 0 ? there : 1) == wanted) {
        return NFSAR_OK;
    }
    if (there == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "files.axes: has no axis %s, but %s is %zu",
                          rig_dimension_name(dimension), key, wanted);
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: axis %s has %zu entries, but %s is %zu",
                      cube->name, rig_dimension_name(dimension), there, key, wanted);
}

/* Take the count from the array when the rig file leaves it out. */
static void fill_count(size_t *count, size_t from_axis, bool *found) {
    if (*count == 0) {
        *count = from_axis > 0 ? from_axis : 1;
        *found = true;
    }
}

static enum nfsar_status plan_places(const struct rig *rig, const struct cube *cube,
                                     size_t n_recording, struct plan *plan, nfsar_error *error) {
    bool along_y = rig->scan != NULL && rig->scan->rows_along == RIG_ALONG_Y;
    bool lattice = cube_size(cube, RIG_DIMENSION_X) > 0 || cube_size(cube, RIG_DIMENSION_Y) > 0;
    enum rig_dimension position = !lattice  ? RIG_DIMENSION_POSITION
                                  : along_y ? RIG_DIMENSION_Y
                                            : RIG_DIMENSION_X;
    enum rig_dimension row = !lattice  ? RIG_DIMENSION_ROW
                             : along_y ? RIG_DIMENSION_X
                                       : RIG_DIMENSION_Y;
    size_t pulses = cube_size(cube, RIG_DIMENSION_PULSE);
    bool one_row = rig->files.holds == RIG_HOLDS_ROW;
    plan->rows_here = 1;
    if (rig->poses != NULL) {
        /* Recordings follow each other, each with pulses of its own number. */
        plan->rows = 1;
        plan->positions = pulses;
        return NFSAR_OK;
    }
    if (one_row) {
        if (cube_size(cube, row) > 1) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "files.holds: row, but the array has an axis %s",
                              rig_dimension_name(row));
        }
        fill_count(&plan->rows, n_recording, &plan->rows_found);
        if (plan->rows != n_recording) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.rows: %zu, but there are %zu recordings of one row each",
                              plan->rows, n_recording);
        }
    } else if (n_recording != 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files: %zu arrays, but files.holds is scan: say holds: row, or name one",
                          n_recording);
    }
    if (pulses > 0) {
        size_t rows = one_row ? 1 : plan->rows;
        if (rows == 0 && plan->positions > 0 && pulses % plan->positions == 0) {
            rows = plan->rows = pulses / plan->positions;
            plan->rows_found = true;
        }
        if (plan->positions == 0 && rows > 0 && pulses % rows == 0) {
            plan->positions = pulses / rows;
            plan->positions_found = true;
        }
        if (rows == 0 || plan->positions == 0 || pulses / rows != plan->positions ||
            pulses % rows != 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: axis pulse has %zu entries, but scan has %zu rows x %zu "
                              "positions (0: not given)",
                              cube->name, pulses, rows, plan->positions);
        }
        return NFSAR_OK;
    }
    fill_count(&plan->positions, cube_size(cube, position), &plan->positions_found);
    enum nfsar_status status = agree(cube, position, plan->positions, "scan.positions", error);
    if (status == NFSAR_OK && !one_row) {
        fill_count(&plan->rows, cube_size(cube, row), &plan->rows_found);
        status = agree(cube, row, plan->rows, "scan.rows", error);
        plan->rows_here = plan->rows;
    }
    return status;
}

enum nfsar_status cube_plan(const struct rig *rig, const struct cube *cube, size_t n_recording,
                            struct plan *plan, nfsar_error *error) {
    size_t wanted = plan->n_sample;
    plan_start(rig, plan);
    plan->n_sample = cube_size(cube, RIG_DIMENSION_SAMPLE);
    size_t loops = cube_size(cube, RIG_DIMENSION_LOOP);
    if (rig->frames.loops == NULL && loops > 0) {
        plan->loops = loops;
    }
    enum nfsar_status status = NFSAR_OK;
    if (wanted > 0) {
        status = agree(cube, RIG_DIMENSION_SAMPLE, wanted, "radar.samples", error);
    }
    if (status == NFSAR_OK) {
        status = agree(cube, RIG_DIMENSION_LOOP, plan->loops, "frames.loops", error);
    }
    if (status == NFSAR_OK && cube_size(cube, RIG_DIMENSION_CHANNEL) > 0) {
        status = agree(cube, RIG_DIMENSION_CHANNEL, plan->n_tx * plan->n_rx, "Tx x Rx of the array",
                       error);
    } else if (status == NFSAR_OK) {
        status = agree(cube, RIG_DIMENSION_RX, plan->n_rx, "the number of receivers of the array",
                       error);
        if (status == NFSAR_OK) {
            status = agree(cube, RIG_DIMENSION_TX, plan->n_tx,
                           "the number of transmitters of the array", error);
        }
    }
    if (status == NFSAR_OK) {
        status = plan_places(rig, cube, n_recording, plan, error);
    }
    return status == NFSAR_OK ? plan_finish(plan, error) : status;
}

/* ---- samples ------------------------------------------------------------------------------- */

/* Where a line (tx, rx) at a place starts, in elements; the axis `sample` is left at 0. */
static enum nfsar_status line_offset(struct cube *cube, const struct rig *rig,
                                     const struct plan *plan, struct plan_place place, size_t tx,
                                     size_t rx, ptrdiff_t *offset, nfsar_error *error) {
    bool along_y = rig->scan != NULL && rig->scan->rows_along == RIG_ALONG_Y;
    size_t row = rig->files.holds == RIG_HOLDS_ROW ? 0 : place.row;
    size_t at[RIG_DIMENSIONS] = {
        [RIG_DIMENSION_RX] = rx,
        [RIG_DIMENSION_TX] = tx,
        [RIG_DIMENSION_CHANNEL] = tx * plan->n_rx + rx,
        [RIG_DIMENSION_LOOP] = place.look,
        [RIG_DIMENSION_X] = along_y ? row : place.position,
        [RIG_DIMENSION_Y] = along_y ? place.position : row,
        [RIG_DIMENSION_POSITION] = place.position,
        [RIG_DIMENSION_ROW] = row,
        [RIG_DIMENSION_PULSE] = row * plan->positions + place.position,
    };
    if (cube->load != NULL) {
        size_t wanted = cube->slab < cube->n_axis ? at[cube->axis[cube->slab]] : 0;
        if (wanted < cube->window_first || wanted - cube->window_first >= cube->window_count) {
            enum nfsar_status status = cube->load(cube, wanted, error);
            if (status != NFSAR_OK) {
                return status;
            }
        }
        if (cube->slab < cube->n_axis) {
            at[cube->axis[cube->slab]] -= cube->window_first;
        }
    }
    *offset = 0;
    for (size_t i = 0; i < cube->n_axis; i++) {
        *offset += (ptrdiff_t)at[cube->axis[i]] * cube->stride[i];
    }
    return NFSAR_OK;
}

static ptrdiff_t sample_stride(const struct cube *cube) {
    for (size_t i = 0; i < cube->n_axis; i++) {
        if (cube->axis[i] == RIG_DIMENSION_SAMPLE) {
            return cube->stride[i];
        }
    }
    return 0;
}

/* As many samples of a line as are in memory from the first on, of at most n: their number, 0 after
 * an error. Offsets are in bytes. */
static size_t fetch_run(struct cube *cube, size_t at, ptrdiff_t step, size_t n, float complex *out,
                        nfsar_error *error) {
    size_t width = cube_element_size(cube->element), left = 0;
    const unsigned char *real = cube->fetch(cube, at, &left, error);
    if (real == NULL) {
        return 0;
    }
    size_t both = cube->imaginary_at + width; /* imaginary parts that follow each real one */
    if (left >= both && step > 0) {
        size_t here = 1 + (left - both) / (size_t)step;
        here = here < n ? here : n;
        cube_convert(cube->element, real, real + cube->imaginary_at, step, here, out);
        return here;
    }
    /* The next fetch may push the block out. */
    unsigned char kept[8];
    memcpy(kept, real, width);
    const unsigned char *imaginary = cube->fetch(cube, at + cube->imaginary_at, &left, error);
    if (imaginary == NULL) {
        return 0;
    }
    cube_convert(cube->element, kept, imaginary, step, 1, out);
    return 1;
}

/* n samples from an offset in elements, step elements apart. */
static enum nfsar_status read_line(struct cube *cube, ptrdiff_t offset, ptrdiff_t step, size_t n,
                                   float complex *out, nfsar_error *error) {
    ptrdiff_t width = (ptrdiff_t)cube_element_size(cube->element);
    offset *= width;
    step *= width;
    if (cube->fetch == NULL) {
        cube_convert(cube->element, cube->real + offset, cube->imaginary + offset, step, n, out);
        return NFSAR_OK;
    }
    for (size_t done = 0; done < n;) {
        size_t here = fetch_run(cube, (size_t)(offset + (ptrdiff_t)done * step), step, n - done,
                                out + done, error);
        if (here == 0) {
            return error != NULL ? error->status : NFSAR_ERROR_FILE;
        }
        done += here;
    }
    return NFSAR_OK;
}

enum nfsar_status cube_read(struct cube *cube, const struct rig *rig, const struct plan *plan,
                            struct plan_place place, float complex *out, nfsar_error *error) {
    for (size_t line = 0; line < plan->n_tx * plan->n_rx; line++) {
        ptrdiff_t offset = 0;
        enum nfsar_status status = line_offset(cube, rig, plan, place, line / plan->n_rx,
                                               line % plan->n_rx, &offset, error);
        if (status == NFSAR_OK) {
            const size_t n = plan->n_wave > 0 ? plan->n_wave : plan->n_sample;
            status = read_line(cube, offset, sample_stride(cube), n, out + line * n, error);
        }
        if (status != NFSAR_OK) {
            return status;
        }
    }
    return NFSAR_OK;
}
