#include "calibration/path_image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* Waves steeper than this (cosine squared) are left out. */
#define FLATTEST 0.2

enum nfsar_status path_imager_make(const struct path_spectra *spectra, const struct path_scan *scan,
                                   struct path_imager *im, nfsar_error *error) {
    *im = (struct path_imager){.spectra = spectra, .scan = scan};
    /* Magnitudes squared have twice the bandwidth. */
    im->nx = transform_length(2 * spectra->nu);
    im->ny = transform_length(2 * spectra->nv);
    im->dx = 2.0 * NFSAR_PI / spectra->du / (double)im->nx;
    im->dy = 2.0 * NFSAR_PI / spectra->dv / (double)im->ny;
    im->band = buffer_alloc(PATH_BANDS * spectra->nu * spectra->nv, sizeof *im->band);
    im->line = transform_alloc(spectra->nu * im->ny);
    im->image = transform_alloc(PATH_BANDS * im->nx * im->ny);
    im->table = buffer_alloc(spectra->nv, sizeof *im->table);
    im->across = transform_plan(im->ny, spectra->nu, im->ny, FFTW_BACKWARD);
    im->along = transform_plan(im->nx, im->ny, im->nx, FFTW_BACKWARD);
    if (im->band == NULL || im->line == NULL || im->image == NULL || im->table == NULL ||
        im->across == NULL || im->along == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for an image of the scan");
    }
    return NFSAR_OK;
}

void path_imager_free(struct path_imager *im) {
    free(im->band);
    free(im->table);
    fftwf_free(im->line);
    fftwf_free(im->image);
    transform_destroy(im->along);
    transform_destroy(im->across);
    *im = (struct path_imager){0};
}

static float complex turn(double turns) {
    float cosine, sine;
    phasor_turns((float)(turns - rint(turns)), &cosine, &sine);
    return CMPLXF(cosine, sine);
}

/* ---- all channels together ------------------------------------------------------------------ */

/* A line in of poses (x, y) is one in of positions (fast x + skew y +- offset / 2, slow y):
 * kx = u / fast, ky = (v - skew kx) / slow. Channels are where they are beside that. */
static double wave_along(const struct path_spectra *s, const struct path_trial *t, size_t iu) {
    return s->du * ((double)iu - (double)s->hu) / (1.0 + t->value[NFSAR_PATH_FAST]);
}

static void add_channel(const struct path_imager *im, const struct path_trial *t, int way, size_t c,
                        float complex *band) {
    const struct path_spectra *s = im->spectra;
    const struct path_channel *at = &im->scan->channel[c];
    const double across = at->across / (1.0 + t->value[NFSAR_PATH_SLOW]);
    const double along = at->along - t->value[NFSAR_PATH_SKEW] * across +
                         (way == 0 ? 0.5 : -0.5) * t->value[NFSAR_PATH_OFFSET];
    for (size_t i = 0; i < s->nv; i++) {
        im->table[i] = turn(-s->dv * ((double)i - (double)s->hv) * across / (2.0 * NFSAR_PI));
    }
    for (size_t m = 0; m < PATH_BANDS; m++) {
        const float complex *in = s->sum[way] + (m * s->channels + c) * s->nu * s->nv;
        float complex *out = band + m * s->nu * s->nv;
        for (size_t iu = 0; iu < s->nu; iu++) {
            const float complex w = turn(-wave_along(s, t, iu) * along / (2.0 * NFSAR_PI));
            for (size_t iv = 0; iv < s->nv; iv++) {
                float complex value = path_times(path_times(in[iu * s->nv + iv], w), im->table[iv]);
                out[iu * s->nv + iv] += value;
            }
        }
    }
}

static void taper(const struct path_imager *im) {
    const struct path_spectra *s = im->spectra;
    for (size_t i = 0; i < PATH_BANDS * s->nu; i++) {
        const double u = ((double)(i % s->nu) - (double)s->hu) / (double)s->hu / im->taper;
        for (size_t iv = 0; iv < s->nv; iv++) {
            const double v = ((double)iv - (double)s->hv) / (double)s->hv / im->taper;
            im->band[i * s->nv + iv] *= (float)exp(-0.5 * (u * u + v * v));
        }
    }
}

void path_imager_set(struct path_imager *im, const struct path_trial *trial) {
    const struct path_spectra *s = im->spectra;
    memset(im->band, 0, PATH_BANDS * s->nu * s->nv * sizeof *im->band);
    for (int way = 0; way < 2; way++) {
        for (size_t c = 0; s->has[way] && c < s->channels; c++) {
            add_channel(im, trial, way, c, im->band);
        }
    }
    if (im->taper > 0.0) {
        taper(im);
    }
}

/* ---- images --------------------------------------------------------------------------------- */

/* To where wavefronts of wave number k come from: a line of one u. */
static void go_back(const struct path_imager *im, const struct path_trial *t, size_t m, size_t iu,
                    double z, double focus, float complex *line) {
    const struct path_spectra *s = im->spectra;
    const double k = 2.0 * s->k[m], kx = wave_along(s, t, iu);
    const double slow = 1.0 + t->value[NFSAR_PATH_SLOW], skew = t->value[NFSAR_PATH_SKEW];
    const double delay = k * (z - s->range), turns = -1.0 / (2.0 * NFSAR_PI);
    const float complex *band = im->band + (m * s->nu + iu) * s->nv;
    for (size_t iv = 0; iv < s->nv; iv++) {
        double ky = (s->dv * ((double)iv - (double)s->hv) - skew * kx) / slow;
        double square = k * k - kx * kx - ky * ky;
        if (square < FLATTEST * k * k) {
            continue;
        }
        double bend = (sqrt(square) - k) * z * focus;
        size_t to = iv >= s->hv ? iv - s->hv : im->ny - s->hv + iv;
        line[to] += path_times(band[iv], turn(turns * (bend + delay)));
    }
}

/* Bands first to last, one image of all. */
static void make_image(struct path_imager *im, const struct path_trial *t, size_t first,
                       size_t last, double z, double focus, float complex *image) {
    const struct path_spectra *s = im->spectra;
    memset(im->line, 0, s->nu * im->ny * sizeof *im->line);
    for (size_t m = first; m <= last; m++) {
        for (size_t iu = 0; iu < s->nu; iu++) {
            go_back(im, t, m, iu, z, focus, im->line + iu * im->ny);
        }
    }
    fftwf_execute_dft(im->across, im->line, im->line);
    for (size_t y = 0; y < im->ny; y++) {
        float complex *row = image + y * im->nx;
        for (size_t iu = 0; iu < s->hu; iu++) {
            row[im->nx - s->hu + iu] = im->line[iu * im->ny + y];
        }
        for (size_t iu = s->hu; iu < s->nu; iu++) {
            row[iu - s->hu] = im->line[iu * im->ny + y];
        }
        memset(row + s->hu + 1, 0, (im->nx - s->nu) * sizeof *row);
    }
    fftwf_execute_dft(im->along, image, image);
}

static size_t part_of(const struct path_imager *im, size_t x, size_t y) {
    return y * PATH_ACROSS / im->ny * PATH_ALONG + x * PATH_ALONG / im->nx;
}

/* Magnitudes in place, as the real parts. */
MULTIVERSION
static void take_magnitudes(float complex *image, size_t n) {
    float *of = (float *)image;
    for (size_t i = 0; i < n; i++) {
        of[i] = sqrtf(of[2 * i] * of[2 * i] + of[2 * i + 1] * of[2 * i + 1]);
    }
}

void path_sharpness(struct path_imager *im, const struct path_trial *trial, double z, double focus,
                    double sharp[PATH_PARTS]) {
    make_image(im, trial, 0, PATH_BANDS - 1, z, focus, im->image);
    take_magnitudes(im->image, im->nx * im->ny);
    const float *magnitude = (const float *)im->image;
    const double wx = 1.0 / (im->dx * im->dx), wy = 1.0 / (im->dy * im->dy);
    memset(sharp, 0, PATH_PARTS * sizeof *sharp);
    for (size_t y = 0; y < im->ny; y++) {
        const float *row = magnitude + y * im->nx;
        const float *next = magnitude + (y + 1 < im->ny ? y + 1 : 0) * im->nx;
        for (size_t part = 0; part < PATH_ALONG; part++) {
            size_t from = (part * im->nx + PATH_ALONG - 1) / PATH_ALONG;
            size_t to = ((part + 1) * im->nx + PATH_ALONG - 1) / PATH_ALONG;
            double gx = 0.0, gy = 0.0;
            for (size_t x = from; x < to; x++) {
                double ex = (double)(row[x + 1 < im->nx ? x + 1 : 0] - row[x]);
                double ey = (double)(next[x] - row[x]);
                gx += ex * ex;
                gy += ey * ey;
            }
            sharp[part_of(im, from, y)] += wx * gx + wy * gy;
        }
    }
}

/* The median of |o|^2 over ln 2, from some of the voxels. */
static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double median_power(const float complex *image, size_t n) {
    enum { SOME = 4001 };
    float power[SOME];
    for (size_t i = 0; i < SOME; i++) {
        float complex o = image[i * (n - 1) / (SOME - 1)];
        power[i] = crealf(o) * crealf(o) + cimagf(o) * cimagf(o);
    }
    qsort(power, SOME, sizeof power[0], ascending);
    return (double)power[SOME / 2] / log(2.0);
}

void path_ranges(struct path_imager *im, const struct path_trial *trial, double z,
                 double energy[PATH_PARTS], double farther[PATH_PARTS], double *noise) {
    const struct path_spectra *s = im->spectra;
    const size_t n = im->nx * im->ny;
    double complex product[PATH_PARTS] = {0.0};
    for (size_t m = 0; m < PATH_BANDS; m++) {
        make_image(im, trial, m, m, z, 1.0, im->image + m * n);
    }
    memset(energy, 0, PATH_PARTS * sizeof *energy);
    for (size_t i = 0; i < n; i++) {
        size_t part = part_of(im, i % im->nx, i / im->nx);
        float complex a = im->image[i], b = im->image[n + i], c = im->image[2 * n + i];
        product[part] += path_times(conjf(a), b) + path_times(conjf(b), c);
        im->image[i] = a + b + c;
        energy[part] += crealf(im->image[i]) * crealf(im->image[i]) +
                        cimagf(im->image[i]) * cimagf(im->image[i]);
    }
    *noise = median_power(im->image, n);
    for (size_t p = 0; p < PATH_PARTS; p++) {
        farther[p] = carg(product[p]) / (s->k[PATH_BANDS - 1] - s->k[0]);
    }
}
