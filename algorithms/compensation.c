#include <nfsar/compensation.h>

#include <math.h>

#include "algorithms/choice.h"
#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

static const char *const names[] = {
    [NFSAR_COMPENSATION_NONE] = "none",
    [NFSAR_COMPENSATION_CLOSED_FORM] = "closed-form",
    [NFSAR_COMPENSATION_REFERENCE_POINT] = "reference-point",
    [NFSAR_COMPENSATION_EVERY_RANGE] = "every-range",
};

enum nfsar_status nfsar_compensation_parse(const char *name, enum nfsar_compensation *model,
                                           nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status =
        choice_parse("compensation", names, sizeof names / sizeof names[0], name, &index, error);
    if (status == NFSAR_OK) {
        *model = (enum nfsar_compensation)index;
    }
    return status;
}

const char *nfsar_compensation_name(enum nfsar_compensation model) {
    return names[model];
}

double nfsar_compensation_path(enum nfsar_compensation model, nfsar_vec3 tx, nfsar_vec3 rx,
                               nfsar_vec3 reference) {
    nfsar_vec3 middle = nfsar_vec3_midpoint(tx, rx);
    switch (model) {
    case NFSAR_COMPENSATION_NONE:
    case NFSAR_COMPENSATION_EVERY_RANGE:
        break;
    case NFSAR_COMPENSATION_CLOSED_FORM: {
        double depth = fabs(reference.z - middle.z);
        double dx = tx.x - rx.x, dy = tx.y - rx.y;
        return depth > 0.0 ? (dx * dx + dy * dy) / (4.0 * depth) : 0.0;
    }
    case NFSAR_COMPENSATION_REFERENCE_POINT:
        return nfsar_vec3_distance(tx, reference) + nfsar_vec3_distance(rx, reference) -
               2.0 * nfsar_vec3_distance(middle, reference);
    }
    return 0.0;
}

MULTIVERSION
void nfsar_compensation_apply(double path, const double *wavenumber, size_t n,
                              float complex *echo) {
    float *samples = (float *)echo;
    double scale = -path / (2.0 * NFSAR_PI);
    for (size_t i = 0; i < n; i++) {
        double turns = wavenumber[i] * scale;
        float c, s;
        phasor_turns((float)(turns - rint(turns)), &c, &s);
        float re = samples[2 * i], im = samples[2 * i + 1];
        samples[2 * i] = re * c - im * s;
        samples[2 * i + 1] = re * s + im * c;
    }
}
