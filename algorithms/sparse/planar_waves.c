/* Between a volume and its plane waves. Waves that differ in the signs of k_x and k_y only have the
 * same factors, so four of them are worked on together. */
#include "algorithms/sparse/planar_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* Waves whose k_z is below the root of this times K are left out. */
#define LEAST_COSINE_SQUARED 0.02

/* Waves of a quarter row, padded. */
static size_t pitch_of(const struct planar_part *part) {
    return (part->x.half + 16) / 16 * 16;
}

/* What a row of waves of one frequency has in common: k_z, and the weight and 1 / k_z. */
struct row {
    size_t pitch, end; /* those from `end` on have faded */
    double *kz;
    float *weight, *inverse;
};

/* 1 up to `inner`, 0 from `outer` on, with two continuous derivatives. */
static inline double fade(double tangent, double inner, double per) {
    double u = 1.0 - (tangent - inner) * per;
    u = u < 0.0 ? 0.0 : u;
    u = u > 1.0 ? 1.0 : u;
    return u * u * u * (10.0 - 15.0 * u + 6.0 * u * u);
}

MULTIVERSION
static void make_waves(const struct planar_axis *x, const struct planar_axis *y, double two_k,
                       double ky, const struct row *row) {
    double along = two_k * two_k - ky * ky, least = LEAST_COSINE_SQUARED * two_k * two_k;
    double scale = two_k * x->step * y->step / (2.0 * NFSAR_PI), step = x->step;
    double x_inner = x->inner, x_per = 1.0 / (x->outer - x->inner), y_inner = y->inner;
    double y_per = 1.0 / (y->outer - y->inner), across = fabs(ky);
    int n = (int)x->half + 1;
    double *restrict kz = row->kz;
    float *restrict weight = row->weight, *restrict inverse = row->inverse;
    for (int i = 0; i < n; i++) {
        double kx = step * (double)i, square = along - kx * kx;
        double root = sqrt(square > least ? square : least), per = 1.0 / root;
        double w = fade(kx * per, x_inner, x_per) * fade(across * per, y_inner, y_per);
        kz[i] = root;
        inverse[i] = (float)per;
        weight[i] = (float)((square > least ? scale : 0.0) * w * per * per);
    }
}

static void make_row(const struct planar_part *part, double wavenumber, double ky,
                     struct row *row) {
    make_waves(&part->x, &part->y, 2.0 * wavenumber, ky, row);
    row->end = part->x.half + 1;
    while (row->end > 0 && row->weight[row->end - 1] == 0.0f) {
        row->end--;
    }
}

/* to[i] += F from[i] at one depth, or to[i] += conj(F) from[i], of the waves with +k_y, `up`, and
 * -k_y, `down`: real parts of +k_x, imaginary parts, and the same of -k_x, `pitch` apart. */
MULTIVERSION
static void turn_rows(const struct row *row, double depth, double turns, bool conjugate,
                      const float *from_up, const float *from_down, float *to_up, float *to_down) {
    const float *restrict weight = row->weight, *restrict inverse = row->inverse;
    const double *restrict kz = row->kz;
    const float *restrict a = from_up, *restrict b = from_down;
    float *restrict c = to_up, *restrict e = to_down, d = (float)depth;
    float sign = conjugate ? -1.0f : 1.0f;
    double per = depth * (0.5 / NFSAR_PI);
    size_t n = row->end, p = row->pitch;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        double phase = kz[i] * per + turns;
        float cosine, sine;
        phasor_turns((float)(phase - rint(phase)), &cosine, &sine);
        float w = weight[i], v = inverse[i];
        float re = w * (-d * sine - v * cosine), im = sign * w * (d * cosine - v * sine);
        c[i] += re * a[i] - im * a[p + i];
        c[p + i] += re * a[p + i] + im * a[i];
        c[2 * p + i] += re * a[2 * p + i] - im * a[3 * p + i];
        c[3 * p + i] += re * a[3 * p + i] + im * a[2 * p + i];
        e[i] += re * b[i] - im * b[p + i];
        e[p + i] += re * b[p + i] + im * b[i];
        e[2 * p + i] += re * b[2 * p + i] - im * b[3 * p + i];
        e[3 * p + i] += re * b[3 * p + i] + im * b[2 * p + i];
    }
}

/* A thread's room: the volume's waves of two opposite rows at all depths, modes, and a row. */
struct room {
    float *up, *down;           /* [nz][4][pitch] */
    float *mode_up, *mode_down; /* [4][pitch] */
    struct row row;
};

size_t planar_waves_work(const struct planar_part *part) {
    size_t pitch = pitch_of(part);
    return ((part->grid.z.count + 1) * 8 * pitch + 4 * pitch) / 2;
}

static struct room room_of(const struct planar *planar, const struct planar_part *part) {
    size_t thread = (size_t)omp_get_thread_num(), pitch = pitch_of(part), nz = part->grid.z.count;
    float *work = (float *)(planar->work + thread * planar->work_size);
    struct room room = {.row = {.pitch = pitch, .kz = (double *)work}};
    room.row.weight = work + 2 * pitch;
    room.row.inverse = work + 3 * pitch;
    room.mode_up = work + 4 * pitch;
    room.mode_down = work + 8 * pitch;
    room.up = work + 12 * pitch;
    room.down = room.up + nz * 4 * pitch;
    return room;
}

/* A row of waves, in the order of their bins, to both halves of a quarter, or back. */
static void split(const float complex *row, const size_t *place, size_t half, size_t pitch,
                  float *to) {
    for (size_t i = 0; i <= half; i++) {
        float complex plus = row[place != NULL ? place[half + i] : half + i];
        float complex minus = i > 0 ? row[place != NULL ? place[half - i] : half - i] : 0.0f;
        to[i] = crealf(plus);
        to[pitch + i] = cimagf(plus);
        to[2 * pitch + i] = crealf(minus);
        to[3 * pitch + i] = cimagf(minus);
    }
}

static void join(const float *from, size_t half, size_t pitch, float complex *row) {
    for (size_t i = 0; i <= half; i++) {
        row[half - i] = CMPLXF(from[2 * pitch + i], from[3 * pitch + i]);
    }
    for (size_t i = 0; i <= half; i++) {
        row[half + i] = CMPLXF(from[i], from[pitch + i]);
    }
}

static void add(const float *from, const size_t *place, size_t half, size_t pitch,
                float complex *row) {
    for (size_t i = 0; i <= half; i++) {
        row[place[half + i]] += CMPLXF(from[i], from[pitch + i]);
        if (i > 0) {
            row[place[half - i]] += CMPLXF(from[2 * pitch + i], from[3 * pitch + i]);
        }
    }
}

/* The rows of modes with b and -b steps of k_y, to or from a thread's room. */
static void load_modes(const struct planar_part *part, const float complex *mode, size_t b,
                       const struct room *room) {
    size_t half = part->y.half, bins = part->x.bins, pitch = room->row.pitch;
    split(mode + (half + b) * bins, NULL, part->x.half, pitch, room->mode_up);
    if (b > 0) {
        split(mode + (half - b) * bins, NULL, part->x.half, pitch, room->mode_down);
    } else {
        memset(room->mode_down, 0, 4 * pitch * sizeof(float));
    }
}

static void store_modes(const struct planar_part *part, float complex *mode, size_t b,
                        const struct room *room) {
    size_t half = part->y.half, bins = part->x.bins, pitch = room->row.pitch;
    join(room->mode_up, part->x.half, pitch, mode + (half + b) * bins);
    if (b > 0) {
        join(room->mode_down, part->x.half, pitch, mode + (half - b) * bins);
    }
}

static double depth_of(const struct planar *planar, const struct planar_pass *pass, size_t z) {
    return planar->side * (nfsar_axis_at(&pass->part->grid.z, z) - planar->plane) - pass->offset;
}

/* All frequencies of the rows b and -b, which are the room's up and down, or the other way round.
 */
static void pass_rows(const struct planar *planar, const struct planar_pass *pass, size_t b,
                      bool swapped, struct room *room) {
    const struct planar_part *part = pass->part;
    size_t nz = part->grid.z.count, plane = part->y.bins * part->x.bins, pitch = room->row.pitch;
    float *up = swapped ? room->down : room->up, *down = swapped ? room->up : room->down;
    for (size_t m = 0; m < pass->n; m++) {
        double k = planar->wave[pass->first + m];
        double turns = planar_carrier(part, k) * pass->offset * (0.5 / NFSAR_PI);
        float complex *mode = planar->modes + m * plane;
        make_row(part, k, part->y.step * (double)b, &room->row);
        if (pass->back) {
            load_modes(part, mode, b, room);
        } else {
            memset(room->mode_up, 0, 8 * pitch * sizeof(float));
        }
        for (size_t z = 0; z < nz; z++) {
            float *here_up = up + z * 4 * pitch, *here_down = down + z * 4 * pitch;
            if (pass->back) {
                turn_rows(&room->row, depth_of(planar, pass, z), turns, true, room->mode_up,
                          room->mode_down, here_up, here_down);
            } else {
                turn_rows(&room->row, depth_of(planar, pass, z), turns, false, here_up, here_down,
                          room->mode_up, room->mode_down);
            }
        }
        if (!pass->back) {
            store_modes(part, mode, b, room);
        }
    }
}

/* Rows r and -r of the volume's transform, and all waves that have their place there. */
static void pass_places(const struct planar *planar, const struct planar_pass *pass, size_t r,
                        struct room *room) {
    const struct planar_part *part = pass->part;
    const struct planar_axis *x = &part->x, *y = &part->y;
    size_t nz = part->grid.z.count, plane = y->length * x->length, pitch = room->row.pitch;
    size_t opposite = (y->length - r) % y->length;
    for (size_t z = 0; z < nz; z++) {
        const float complex *slice = planar->spectrum + z * plane;
        if (pass->back) {
            memset(room->up + z * 4 * pitch, 0, 4 * pitch * sizeof(float));
            memset(room->down + z * 4 * pitch, 0, 4 * pitch * sizeof(float));
        } else {
            split(slice + r * x->length, x->place, x->half, pitch, room->up + z * 4 * pitch);
            split(slice + opposite * x->length, x->place, x->half, pitch,
                  room->down + z * 4 * pitch);
        }
    }
    for (size_t b = 0; b <= y->half; b++) {
        size_t at = b % y->length;
        if (at == r || at == opposite) {
            pass_rows(planar, pass, b, at != r, room);
        }
    }
    for (size_t z = 0; pass->back && z < nz; z++) {
        float complex *slice = planar->spectrum + z * plane;
        add(room->up + z * 4 * pitch, x->place, x->half, pitch, slice + r * x->length);
        add(room->down + z * 4 * pitch, x->place, x->half, pitch, slice + opposite * x->length);
    }
}

void planar_pass_waves(const struct planar *planar, const struct planar_pass *pass) {
#pragma omp parallel num_threads(planar->threads)
    {
        struct room room = room_of(planar, pass->part);
#pragma omp for schedule(dynamic)
        for (size_t r = 0; r <= pass->part->y.length / 2; r++) {
            pass_places(planar, pass, r, &room);
        }
    }
}

/* ---- lateral transforms ---- */

/* Columns that are transformed one after the other: 64 bytes of a row. */
enum { COLUMNS = 8 };

/* Lines of one slice along x, of which `rows` have something, or are wanted. */
static void transform_rows(const struct planar_axis *x, float complex *slice, size_t rows, bool up,
                           float complex *work) {
    for (size_t j = 0; x->length > 1 && j < rows; j++) {
        memcpy(work, slice + j * x->length, x->length * sizeof *work);
        fftwf_execute_dft(up ? x->up : x->down, work, work);
        memcpy(slice + j * x->length, work, x->length * sizeof *work);
    }
}

/* Lines along y, the first `columns` of them. */
static void transform_columns(const struct planar_axis *x, const struct planar_axis *y,
                              float complex *slice, size_t columns, bool up, float complex *work) {
    size_t pitch = (y->length + 7) / 8 * 8;
    for (size_t i = 0; y->length > 1 && i < columns; i += COLUMNS) {
        size_t n = columns - i < COLUMNS ? columns - i : COLUMNS;
        for (size_t j = 0; j < y->length; j++) {
            for (size_t l = 0; l < n; l++) {
                work[l * pitch + j] = slice[j * x->length + i + l];
            }
        }
        for (size_t l = 0; l < n; l++) {
            fftwf_execute_dft(up ? y->up : y->down, work + l * pitch, work + l * pitch);
        }
        for (size_t j = 0; j < y->length; j++) {
            for (size_t l = 0; l < n; l++) {
                slice[j * x->length + i + l] = work[l * pitch + j];
            }
        }
    }
}

static const float complex *voxels_of(const struct planar *planar, const struct planar_part *part,
                                      const float complex *image, size_t z, size_t y) {
    const nfsar_grid *grid = &planar->grid;
    return image + ((part->first_z + z) * grid->y.count + part->first_y + y) * grid->x.count +
           part->first_x;
}

void planar_lift(const struct planar *planar, const struct planar_part *part,
                 const float complex *image) {
    const struct planar_axis *x = &part->x, *y = &part->y;
    size_t plane = x->length * y->length;
#pragma omp parallel for schedule(dynamic) num_threads(planar->threads)
    for (size_t z = 0; z < part->grid.z.count; z++) {
        float complex *work = planar->work + (size_t)omp_get_thread_num() * planar->work_size;
        float complex *slice = planar->spectrum + z * plane;
        memset(slice, 0, plane * sizeof *slice);
        for (size_t j = 0; j < y->count; j++) {
            memcpy(slice + j * x->length, voxels_of(planar, part, image, z, j),
                   x->count * sizeof *slice);
        }
        transform_rows(x, slice, y->count, true, work);
        transform_columns(x, y, slice, x->length, true, work);
    }
}

void planar_drop(const struct planar *planar, const struct planar_part *part,
                 float complex *image) {
    const struct planar_axis *x = &part->x, *y = &part->y;
    size_t plane = x->length * y->length;
#pragma omp parallel for schedule(dynamic) num_threads(planar->threads)
    for (size_t z = 0; z < part->grid.z.count; z++) {
        float complex *work = planar->work + (size_t)omp_get_thread_num() * planar->work_size;
        float complex *slice = planar->spectrum + z * plane;
        transform_columns(x, y, slice, x->length, false, work);
        transform_rows(x, slice, y->count, false, work);
        for (size_t j = 0; j < y->count; j++) {
            size_t at = (size_t)(voxels_of(planar, part, image, z, j) - image);
            memcpy(image + at, slice + j * x->length, x->count * sizeof *slice);
        }
    }
}
