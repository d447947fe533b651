/* Which antennas a pulse has. Channels that share a transmitter or a receiver share its ranges and
 * phasors, as long as they are sampled at the same time: a moving antenna is another one later. */
#include "algorithms/bp_array.h"

#include <stdlib.h>
#include <string.h>

struct antenna {
    nfsar_vec3 body;
    double time_s;
};

static size_t find(struct antenna *known, size_t *n, nfsar_vec3 body, double time_s) {
    for (size_t i = 0; i < *n; i++) {
        if (nfsar_vec3_distance(known[i].body, body) == 0.0 && known[i].time_s == time_s) {
            return i;
        }
    }
    known[*n] = (struct antenna){body, time_s};
    return (*n)++;
}

/* Put the links of one transmitter side by side (insertion: few, and often in order already). */
static void sort_links(struct bp_array *made, size_t n) {
    for (size_t i = 1; i < n; i++) {
        struct bp_link link = made->link[i];
        size_t channel = made->channel[i], to = i;
        for (; to > 0 && made->link[to - 1].tx > link.tx; to--) {
            made->link[to] = made->link[to - 1];
            made->channel[to] = made->channel[to - 1];
        }
        made->link[to] = link;
        made->channel[to] = channel;
    }
}

/* Whether sharing is less work, in multiply-adds for each voxel: a phasor takes 7, a range 3, a
 * product 4, and a line's polynomial the same either way. */
static bool worth_sharing(size_t n_antenna, size_t n_link, size_t n_tx) {
    return n_antenna * (3 + 7 + 1) + n_link * 4 + n_tx * 4 < n_link * (2 * 3 + 7 + 4);
}

enum nfsar_status bp_array_find(const nfsar_array *array, struct bp_array *made,
                                struct bp_lines *lines, nfsar_error *error) {
    size_t n = array->n_channel, n_antenna = 0, n_tx = 0;
    struct antenna *known = calloc(2 * n, sizeof *known);
    made->link = calloc(n, sizeof *made->link);
    made->channel = calloc(n, sizeof *made->channel);
    made->source = calloc(2 * n, sizeof *made->source);
    if (known == NULL || made->link == NULL || made->channel == NULL || made->source == NULL) {
        free(known);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu channels", n);
    }
    bool monostatic = true;
    for (size_t c = 0; c < n; c++) {
        double time_s = array->channel_time_s[c];
        size_t before = n_antenna;
        size_t tx = find(known, &n_antenna, array->tx_m[array->channel[c].tx], time_s);
        if (n_antenna > before) {
            made->source[tx] = 2 * c;
        }
        before = n_antenna;
        size_t rx = find(known, &n_antenna, array->rx_m[array->channel[c].rx], time_s);
        if (n_antenna > before) {
            made->source[rx] = 2 * c + 1;
        }
        made->link[c] = (struct bp_link){(uint32_t)tx, (uint32_t)rx};
        made->channel[c] = c;
        monostatic = monostatic && tx == rx;
    }
    free(known);
    sort_links(made, n);
    for (size_t c = 0; c < n; c++) {
        n_tx += c == 0 || made->link[c].tx != made->link[c - 1].tx;
    }
    lines->n_antenna = n_antenna;
    lines->n_link = n;
    lines->link = made->link;
    lines->monostatic = monostatic;
    lines->shared = !monostatic && worth_sharing(n_antenna, n, n_tx);
    return NFSAR_OK;
}

void bp_array_place(const struct bp_array *array, const struct bp_lines *lines,
                    const nfsar_vec3 *tx, const nfsar_vec3 *rx, size_t n_pulse, const int axis[3],
                    double *const at[3]) {
    for (size_t i = 0; i < n_pulse * lines->n_antenna; i++) {
        size_t source = array->source[i % lines->n_antenna];
        size_t line = i / lines->n_antenna * lines->n_link + source / 2;
        nfsar_vec3 where = source % 2 == 0 ? tx[line] : rx[line];
        for (int k = 0; k < 3; k++) {
            at[k][i] = axis[k] == 0 ? where.x : axis[k] == 1 ? where.y : where.z;
        }
    }
}

void bp_array_free(struct bp_array *array) {
    free(array->link);
    free(array->channel);
    free(array->source);
}
