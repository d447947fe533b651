#include "algorithms/clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

static double component(nfsar_vec3 v, int axis) {
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

static void box(const nfsar_scatterer *scatterer, const size_t *index, size_t n, double low[3],
                double high[3]) {
    for (int k = 0; k < 3; k++) {
        low[k] = INFINITY;
        high[k] = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            double at = component(scatterer[index[i]].position, k);
            low[k] = fmin(low[k], at);
            high[k] = fmax(high[k], at);
        }
    }
}

/* Move the scatterers below `middle` to the front; returns how many those are. */
static size_t divide(const nfsar_scatterer *scatterer, size_t *index, size_t n, int axis,
                     double middle) {
    size_t below = 0;
    for (size_t i = 0; i < n; i++) {
        if (component(scatterer[index[i]].position, axis) < middle) {
            size_t moved = index[i];
            index[i] = index[below];
            index[below++] = moved;
        }
    }
    return below;
}

static bool append(struct clusters *clusters, const double low[3], const double high[3],
                   size_t first, size_t n) {
    if ((clusters->n & (clusters->n + 1)) == 0) { /* 0, 1, 3, 7, ...: room is doubled */
        struct cluster *more =
            realloc(clusters->cluster, (2 * clusters->n + 1) * sizeof *clusters->cluster);
        if (more == NULL) {
            return false;
        }
        clusters->cluster = more;
    }
    struct cluster *made = &clusters->cluster[clusters->n++];
    *made = (struct cluster){.first = first, .n = n};
    for (int k = 0; k < 3; k++) {
        made->centre[k] = 0.5 * (low[k] + high[k]);
        /* Rounded up, so that the box holds what it should. */
        made->half[k] = (float)(0.5 * (high[k] - low[k]) * (1.0 + 1e-6));
    }
    made->padded = (n + CLUSTER_PAD - 1) / CLUSTER_PAD * CLUSTER_PAD;
    clusters->room += made->padded;
    return true;
}

/* Halving a box at its middle, not at its median, keeps boxes round; a box of no size whose
 * scatterers are too many is cut by count. The depth is that of the boxes' halvings: bounded by
 * the bits of a double along three axes. */
static bool cut(const nfsar_scatterer *scatterer, size_t *index, size_t first, size_t n,
                double radius, struct clusters *clusters) {
    double low[3], high[3], size[3];
    while (n > 0) {
        box(scatterer, index + first, n, low, high);
        int longest = 0;
        for (int k = 0; k < 3; k++) {
            size[k] = high[k] - low[k];
            longest = size[k] > size[longest] ? k : longest;
        }
        double half = 0.5 * sqrt(size[0] * size[0] + size[1] * size[1] + size[2] * size[2]);
        if (half <= radius && n <= CLUSTER_LIMIT) {
            return append(clusters, low, high, first, n);
        }
        double middle = 0.5 * (low[longest] + high[longest]);
        size_t below = divide(scatterer, index + first, n, longest, middle);
        if (below == 0 || below == n) {
            below = CLUSTER_LIMIT < n ? CLUSTER_LIMIT : n / 2;
        }
        if (!cut(scatterer, index, first, below, radius, clusters)) {
            return false;
        }
        first += below;
        n -= below;
    }
    return true;
}

static float *floats(size_t n) {
    return aligned_alloc(ALIGN, n * sizeof(float));
}

static void fill(const nfsar_scatterer *scatterer, const size_t *index, struct clusters *clusters) {
    size_t to = 0;
    for (size_t c = 0; c < clusters->n; c++) {
        struct cluster *cluster = &clusters->cluster[c];
        for (size_t i = 0; i < cluster->padded; i++) {
            const nfsar_scatterer *from =
                &scatterer[index[cluster->first + (i < cluster->n ? i : 0)]];
            double x = from->position.x - cluster->centre[0];
            double y = from->position.y - cluster->centre[1];
            double z = from->position.z - cluster->centre[2];
            clusters->offset[0][to + i] = (float)x;
            clusters->offset[1][to + i] = (float)y;
            clusters->offset[2][to + i] = (float)z;
            clusters->norm[to + i] = (float)(x * x + y * y + z * z);
            clusters->re[to + i] = i < cluster->n ? crealf(from->reflectivity) : 0.0f;
            clusters->im[to + i] = i < cluster->n ? cimagf(from->reflectivity) : 0.0f;
            clusters->index[to + i] = index[cluster->first + (i < cluster->n ? i : 0)];
        }
        cluster->first = to;
        to += cluster->padded;
    }
}

bool clusters_make(const nfsar_scatterer *scatterer, size_t n, double radius,
                   struct clusters *clusters) {
    *clusters = (struct clusters){0};
    size_t *index = malloc(n * sizeof *index);
    for (size_t i = 0; index != NULL && i < n; i++) {
        index[i] = i;
    }
    bool good = index != NULL && cut(scatterer, index, 0, n, radius, clusters);
    if (good) {
        for (int k = 0; k < 3; k++) {
            clusters->offset[k] = floats(clusters->room);
            good = good && clusters->offset[k] != NULL;
        }
        clusters->norm = floats(clusters->room);
        clusters->re = floats(clusters->room);
        clusters->im = floats(clusters->room);
        clusters->index = malloc(clusters->room * sizeof *clusters->index);
        good = good && clusters->norm != NULL && clusters->re != NULL && clusters->im != NULL &&
               clusters->index != NULL;
    }
    if (good) {
        fill(scatterer, index, clusters);
    } else {
        clusters_free(clusters);
    }
    free(index);
    return good;
}

void clusters_free(struct clusters *clusters) {
    free(clusters->cluster);
    for (int k = 0; k < 3; k++) {
        free(clusters->offset[k]);
    }
    free(clusters->norm);
    free(clusters->re);
    free(clusters->im);
    free(clusters->index);
    *clusters = (struct clusters){0};
}
