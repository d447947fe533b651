/* Room for what a block sees of a few pulses. */
#include <stdlib.h>

#include "algorithms/bp_kernel.h"
#include "algorithms/buffer.h"

/* Antennas whose terms are prepared together: enough for whole vectors, few enough for the first
 * cache. */
enum { BATCH = 64 };

static float *floats(size_t count) {
    return buffer_alloc(count, sizeof(float));
}

void bp_terms_free(struct bp_terms *terms) {
    void *all[] = {terms->range,     terms->halfturns, terms->tilt[0],   terms->tilt[1],
                   terms->tilt[2],   terms->bend,      terms->largest,   terms->series[0],
                   terms->series[1], terms->series[2], terms->series[3], terms->series[4],
                   terms->tx,        terms->rx,        terms->sample,    terms->place,
                   terms->offset,    terms->cosine,    terms->sine,      terms->fit,
                   terms->row,       terms->lane,      terms->phasor};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]);
    }
}

bool bp_terms_make(const struct bp_lines *lines, struct bp_terms *terms) {
    terms->pulses = lines->n_antenna < BATCH ? BATCH / lines->n_antenna : 1;
    size_t antennas = terms->pulses * lines->n_antenna, links = terms->pulses * lines->n_link;
    size_t shared = lines->shared ? lines->n_antenna : 0;
    terms->range = buffer_alloc(antennas, sizeof *terms->range);
    terms->halfturns = floats(antennas);
    terms->bend = floats(antennas);
    terms->largest = floats(antennas);
    bool good = terms->range != NULL && terms->halfturns != NULL && terms->bend != NULL &&
                terms->largest != NULL;
    for (int k = 0; k < 3; k++) {
        terms->tilt[k] = floats(antennas);
        good = good && terms->tilt[k] != NULL;
    }
    for (int k = 0; k < BP_TERMS; k++) {
        terms->series[k] = floats(antennas);
        good = good && terms->series[k] != NULL;
    }
    terms->tx = buffer_alloc(links, sizeof *terms->tx);
    terms->rx = buffer_alloc(links, sizeof *terms->rx);
    for (size_t i = 0; i < links && terms->tx != NULL && terms->rx != NULL; i++) {
        size_t first = i / lines->n_link * lines->n_antenna;
        terms->tx[i] = (int32_t)(first + lines->link[i % lines->n_link].tx);
        terms->rx[i] = (int32_t)(first + lines->link[i % lines->n_link].rx);
    }
    terms->sample = buffer_alloc(links, sizeof *terms->sample);
    terms->place = buffer_alloc(links, sizeof *terms->place);
    terms->offset = floats(links);
    terms->cosine = floats(links);
    terms->sine = floats(links);
    terms->fit = buffer_alloc(links, sizeof *terms->fit);
    terms->row = floats(shared * BP_ROWS);
    terms->lane = floats(shared * BP_LANES);
    terms->phasor = floats(shared * 3 * BP_GROUP_FLOATS);
    return good && terms->tx != NULL && terms->rx != NULL && terms->sample != NULL &&
           terms->place != NULL && terms->offset != NULL && terms->cosine != NULL &&
           terms->sine != NULL && terms->fit != NULL && terms->row != NULL && terms->lane != NULL &&
           terms->phasor != NULL;
}
