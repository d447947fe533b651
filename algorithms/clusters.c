#include "algorithms/clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

static double component(nfsar_vec3 v, int axis) {
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

/* Scatterers are moved, not pointed at: every pass over them goes straight through memory. */
struct place {
    nfsar_vec3 at;
    size_t index;
};

static void widen(double at, double *low, double *high) {
    *low = at < *low ? at : *low;
    *high = at > *high ? at : *high;
}

static void box(const struct place *place, size_t n, double low[3], double high[3]) {
    for (int k = 0; k < 3; k++) {
        low[k] = INFINITY;
        high[k] = -INFINITY;
    }
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 at = place[i].at;
        widen(at.x, &low[0], &high[0]);
        widen(at.y, &low[1], &high[1]);
        widen(at.z, &low[2], &high[2]);
    }
}

/* Move the scatterers below `middle` to the front; returns how many those are. */
static size_t divide(struct place *place, size_t n, int axis, double middle) {
    size_t below = 0;
    for (size_t i = 0; i < n; i++) {
        struct place moved = place[i];
        size_t to_front = component(moved.at, axis) < middle;
        place[i] = place[below];
        place[below] = to_front ? moved : place[below];
        place[i] = to_front ? place[i] : moved;
        below += to_front;
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
static bool cut(struct place *place, size_t first, size_t n, double radius, const double weight[3],
                struct clusters *clusters) {
    double low[3], high[3], size[3];
    while (n > 0) {
        box(place + first, n, low, high);
        int longest = 0;
        for (int k = 0; k < 3; k++) {
            size[k] = high[k] - low[k];
            longest = weight[k] * size[k] > weight[longest] * size[longest] ? k : longest;
        }
        double half = 0.5 * sqrt(size[0] * size[0] + size[1] * size[1] + size[2] * size[2]);
        if (half <= radius && n <= CLUSTER_LIMIT) {
            return append(clusters, low, high, first, n);
        }
        double middle = 0.5 * (low[longest] + high[longest]);
        size_t below = divide(place + first, n, longest, middle);
        if (below == 0 || below == n) {
            below = CLUSTER_LIMIT < n ? CLUSTER_LIMIT : n / 2;
        }
        if (!cut(place, first, below, radius, weight, clusters)) {
            return false;
        }
        first += below;
        n -= below;
    }
    return true;
}

static void fill(const nfsar_scatterer *scatterer, const struct place *place,
                 struct clusters *clusters) {
    size_t to = 0;
    for (size_t c = 0; c < clusters->n; c++) {
        struct cluster *cluster = &clusters->cluster[c];
        for (size_t i = 0; i < cluster->padded; i++) {
            const nfsar_scatterer *from =
                &scatterer[place[cluster->first + (i < cluster->n ? i : 0)].index];
            double x = from->position.x - cluster->centre[0];
            double y = from->position.y - cluster->centre[1];
            double z = from->position.z - cluster->centre[2];
            clusters->offset[0][to + i] = (float)x;
            clusters->offset[1][to + i] = (float)y;
            clusters->offset[2][to + i] = (float)z;
            clusters->norm[to + i] = (float)(x * x + y * y + z * z);
            clusters->re[to + i] = i < cluster->n ? crealf(from->reflectivity) : 0.0f;
            clusters->im[to + i] = i < cluster->n ? cimagf(from->reflectivity) : 0.0f;
            clusters->index[to + i] = place[cluster->first + (i < cluster->n ? i : 0)].index;
        }
        cluster->first = to;
        to += cluster->padded;
    }
}

bool clusters_make(const nfsar_scatterer *scatterer, size_t n, double radius,
                   const double weight[3], size_t most, struct clusters *clusters) {
    *clusters = (struct clusters){0};
    struct place *place = malloc(n * sizeof *place);
    for (size_t i = 0; place != NULL && i < n; i++) {
        place[i] = (struct place){scatterer[i].position, i};
    }
    bool good = place != NULL && cut(place, 0, n, radius, weight, clusters) && clusters->n <= most;
    if (good) {
        for (int k = 0; k < 3; k++) {
            clusters->offset[k] = buffer_alloc(clusters->room, sizeof(float));
            good = good && clusters->offset[k] != NULL;
        }
        clusters->norm = buffer_alloc(clusters->room, sizeof(float));
        clusters->re = buffer_alloc(clusters->room, sizeof(float));
        clusters->im = buffer_alloc(clusters->room, sizeof(float));
        clusters->index = malloc(clusters->room * sizeof *clusters->index);
        good = good && clusters->norm != NULL && clusters->re != NULL && clusters->im != NULL &&
               clusters->index != NULL;
    }
    if (good) {
        fill(scatterer, place, clusters);
    } else {
        clusters_free(clusters);
    }
    free(place);
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
