#include "algorithms/autofocus/focus_kernel.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* Adding and taking off 1.5 * 2^23 rounds to a whole number without a call. */
#define ROUND_FLOAT 12582912.0f

struct focus_pair focus_pair_make(nfsar_vec3 tx, nfsar_vec3 rx) {
    return (struct focus_pair){{(float)tx.x, (float)tx.y, (float)tx.z},
                               {(float)rx.x, (float)rx.y, (float)rx.z},
                               (float)nfsar_vec3_norm(tx),
                               (float)nfsar_vec3_norm(rx)};
}

/* The unit vector from an antenna to a voxel, and how much farther it is than the centre. */
static inline __attribute__((always_inline)) float leg(float x, float y, float z, float square,
                                                       const float a[3], float range, float *ux,
                                                       float *uy, float *uz) {
    const float grow = square - 2.0f * (x * a[0] + y * a[1] + z * a[2]);
    const float way = sqrtf(range * range + grow);
    const float scale = 1.0f / way;
    *ux = (x - a[0]) * scale;
    *uy = (y - a[1]) * scale;
    *uz = (z - a[2]) * scale;
    return grow / (way + range);
}

static inline __attribute__((always_inline)) void turned(float way, float turns, float *re,
                                                         float *im) {
    const float t = way * turns;
    const float whole = (t + ROUND_FLOAT) - ROUND_FLOAT;
    phasor_turns(t - whole, re, im);
}

MULTIVERSION void focus_add(const struct focus_voxels *voxels, size_t first,
                            const struct focus_band *band, const struct focus_pair *pair,
                            const float *restrict c, float *restrict re, float *restrict im) {
    const float turns = (float)band->turns, step = (float)band->step;
    const float *restrict x = voxels->x + first, *restrict y = voxels->y + first;
    const float *restrict z = voxels->z + first, *restrict square = voxels->square + first;
    const size_t last = band->n - 1;
    float wr[FOCUS_TILE], wi[FOCUS_TILE], pr[FOCUS_TILE], pi[FOCUS_TILE];
    float ar[FOCUS_TILE], ai[FOCUS_TILE];
    const struct focus_pair p = *pair;
    for (int v = 0; v < FOCUS_TILE; v++) {
        float ux, uy, uz;
        const float way = leg(x[v], y[v], z[v], square[v], p.tx, p.tx_range, &ux, &uy, &uz) +
                          leg(x[v], y[v], z[v], square[v], p.rx, p.rx_range, &ux, &uy, &uz);
        turned(way, turns, &pr[v], &pi[v]);
        turned(way, step, &wr[v], &wi[v]);
        ar[v] = c[2 * last];
        ai[v] = c[2 * last + 1];
    }
    /* Horner's rule in w = exp(-j dk P). */
    for (size_t i = last; i-- > 0;) {
        const float cr = c[2 * i], ci = c[2 * i + 1];
        for (int v = 0; v < FOCUS_TILE; v++) {
            const float next = cr + ar[v] * wr[v] + ai[v] * wi[v];
            ai[v] = ci + ai[v] * wr[v] - ar[v] * wi[v];
            ar[v] = next;
        }
    }
    for (int v = 0; v < FOCUS_TILE; v++) {
        re[v] += ar[v] * pr[v] + ai[v] * pi[v];
        im[v] += ai[v] * pr[v] - ar[v] * pi[v];
    }
}

static inline __attribute__((always_inline)) void
project_tile(const struct focus_voxels *voxels, size_t first, const struct focus_band *band,
             const struct focus_pair *pair, const float *restrict g_re, const float *restrict g_im,
             bool pulls, struct focus_field *restrict out) {
    const float turns = (float)band->turns, step = (float)band->step;
    const float *restrict x = voxels->x + first, *restrict y = voxels->y + first;
    const float *restrict z = voxels->z + first, *restrict square = voxels->square + first;
    float wr[FOCUS_TILE], wi[FOCUS_TILE], pr[FOCUS_TILE], pi[FOCUS_TILE];
    float ux[FOCUS_TILE], uy[FOCUS_TILE], uz[FOCUS_TILE];
    const struct focus_pair p = *pair;
    for (int v = 0; v < FOCUS_TILE; v++) {
        float tx, ty, tz, rx, ry, rz, er, ei;
        const float way = leg(x[v], y[v], z[v], square[v], p.tx, p.tx_range, &tx, &ty, &tz) +
                          leg(x[v], y[v], z[v], square[v], p.rx, p.rx_range, &rx, &ry, &rz);
        ux[v] = tx + rx;
        uy[v] = ty + ry;
        uz[v] = tz + rz;
        turned(way, turns, &er, &ei);
        turned(way, step, &wr[v], &wi[v]);
        pr[v] = g_re[v] * er - g_im[v] * ei;
        pi[v] = g_re[v] * ei + g_im[v] * er;
    }
    for (size_t i = 0; i < band->n; i++) {
        float fr = 0.0f, fi = 0.0f, xr = 0.0f, xi = 0.0f, yr = 0.0f, yi = 0.0f, zr = 0.0f,
              zi = 0.0f;
#pragma omp simd reduction(+ : fr, fi, xr, xi, yr, yi, zr, zi)
        for (int v = 0; v < FOCUS_TILE; v++) {
            const float a = pr[v], b = pi[v];
            fr += a;
            fi += b;
            if (pulls) {
                xr += ux[v] * a;
                xi += ux[v] * b;
                yr += uy[v] * a;
                yi += uy[v] * b;
                zr += uz[v] * a;
                zi += uz[v] * b;
            }
            pr[v] = a * wr[v] - b * wi[v];
            pi[v] = a * wi[v] + b * wr[v];
        }
        out->field[2 * i] += (double)fr;
        out->field[2 * i + 1] += (double)fi;
        out->pull[0][2 * i] += (double)xr;
        out->pull[0][2 * i + 1] += (double)xi;
        out->pull[1][2 * i] += (double)yr;
        out->pull[1][2 * i + 1] += (double)yi;
        out->pull[2][2 * i] += (double)zr;
        out->pull[2][2 * i + 1] += (double)zi;
    }
}

MULTIVERSION static void project_pulls(const struct focus_voxels *voxels, size_t first,
                                       const struct focus_band *band, const struct focus_pair *pair,
                                       const float *g_re, const float *g_im,
                                       struct focus_field *out) {
    project_tile(voxels, first, band, pair, g_re, g_im, true, out);
}

MULTIVERSION static void project_field(const struct focus_voxels *voxels, size_t first,
                                       const struct focus_band *band, const struct focus_pair *pair,
                                       const float *g_re, const float *g_im,
                                       struct focus_field *out) {
    project_tile(voxels, first, band, pair, g_re, g_im, false, out);
}

void focus_project(const struct focus_voxels *voxels, const struct focus_band *band,
                   const struct focus_pair *pair, const float *g_re, const float *g_im,
                   struct focus_field *out) {
    memset(out, 0, sizeof *out);
    for (size_t first = 0; first < voxels->padded; first += FOCUS_TILE) {
        project_pulls(voxels, first, band, pair, g_re + first, g_im + first, out);
    }
}

void focus_echo(const struct focus_voxels *voxels, const struct focus_band *band,
                const struct focus_pair *pair, const float *g_re, const float *g_im,
                struct focus_field *out) {
    memset(out->field, 0, sizeof out->field);
    for (size_t first = 0; first < voxels->padded; first += FOCUS_TILE) {
        project_field(voxels, first, band, pair, g_re + first, g_im + first, out);
    }
}
