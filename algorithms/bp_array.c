/* Which antennas a pulse has. Channels that share a transmitter or a receiver share its ranges and
 * phasors, as long as they are sampled at the same time: a moving antenna is another one later. */
#include "algorithms/bp_plan.h"

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
static void sort_links(nfsar_bp_plan *plan, size_t n) {
    for (size_t i = 1; i < n; i++) {
        struct bp_link link = plan->link[i];
        size_t channel = plan->channel[i], to = i;
        for (; to > 0 && plan->link[to - 1].tx > link.tx; to--) {
            plan->link[to] = plan->link[to - 1];
            plan->channel[to] = plan->channel[to - 1];
        }
        plan->link[to] = link;
        plan->channel[to] = channel;
    }
}

/* Whether sharing is less work, in multiply-adds for each voxel: a phasor takes 7, a range 3, a
 * product 4, and a line's polynomial the same either way. */
static bool worth_sharing(size_t n_antenna, size_t n_link, size_t n_tx) {
    return n_antenna * (3 + 7 + 1) + n_link * 4 + n_tx * 4 < n_link * (2 * 3 + 7 + 4);
}

enum nfsar_status bp_array_find(nfsar_bp_plan *plan, nfsar_error *error) {
    const nfsar_array *array = &plan->capture->array;
    size_t n = array->n_channel, n_antenna = 0, n_tx = 0;
    struct antenna *known = calloc(2 * n, sizeof *known);
    plan->link = calloc(n, sizeof *plan->link);
    plan->channel = calloc(n, sizeof *plan->channel);
    plan->source = calloc(2 * n, sizeof *plan->source);
    if (known == NULL || plan->link == NULL || plan->channel == NULL || plan->source == NULL) {
        free(known);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu channels", n);
    }
    bool monostatic = true;
    for (size_t c = 0; c < n; c++) {
        double time_s = array->channel_time_s[c];
        size_t before = n_antenna;
        size_t tx = find(known, &n_antenna, array->tx_m[array->channel[c].tx], time_s);
        if (n_antenna > before) {
            plan->source[tx] = 2 * c;
        }
        before = n_antenna;
        size_t rx = find(known, &n_antenna, array->rx_m[array->channel[c].rx], time_s);
        if (n_antenna > before) {
            plan->source[rx] = 2 * c + 1;
        }
        plan->link[c] = (struct bp_link){(uint32_t)tx, (uint32_t)rx};
        plan->channel[c] = c;
        monostatic = monostatic && tx == rx;
    }
    free(known);
    sort_links(plan, n);
    for (size_t c = 0; c < n; c++) {
        n_tx += c == 0 || plan->link[c].tx != plan->link[c - 1].tx;
    }
    plan->lines.n_antenna = n_antenna;
    plan->lines.n_link = n;
    plan->lines.link = plan->link;
    plan->lines.monostatic = monostatic;
    plan->lines.shared = !monostatic && worth_sharing(n_antenna, n, n_tx);
    return NFSAR_OK;
}
