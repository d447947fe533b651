/* What turns: a point, a serrated blade. */
#include <math.h>

#include "bench/risar/risar.h"

/* The blade, metres: its edge has teeth, its back is straight but near the tip. */
#define LENGTH      0.150
#define WIDTH       0.025
#define TIP         0.045 /* along which the back comes down to the edge */
#define TOOTH       0.006 /* from tooth to tooth */
#define TOOTH_DEPTH 0.003

enum nfsar_status risar_point(nfsar_vec3 at, struct scatterers *targets, nfsar_error *error) {
    return scatterers_add(targets, at, 1.0f, error);
}

/* u along the blade from its heel to its tip, v from its edge to its back. */
static bool in_blade(double u, double v) {
    double scallop = 2.0 * fmod(u, TOOTH) / TOOTH - 1.0;
    double edge = u > LENGTH - TOOTH ? 0.0 : TOOTH_DEPTH * (1.0 - scallop * scallop);
    double down = fmax(0.0, (u - (LENGTH - TIP)) / TIP);
    return u >= 0.0 && u <= LENGTH && v >= edge && v <= WIDTH * (1.0 - down * down);
}

static bool inside(const void *context, nfsar_vec3 point) {
    const bool *upright = context;
    double along = *upright ? point.y : point.x, across = *upright ? point.x : point.y;
    return in_blade(along + 0.5 * LENGTH, across + 0.5 * WIDTH);
}

enum nfsar_status risar_blade(bool upright, double spacing, struct scatterers *targets,
                              nfsar_error *error) {
    struct placement placement;
    const double zero[3] = {0.0, 0.0, 0.0};
    nfsar_vec3 half = {upright ? 0.5 * WIDTH : 0.5 * LENGTH, upright ? 0.5 * LENGTH : 0.5 * WIDTH,
                       0.0};
    enum nfsar_status status =
        placement_make("blade", zero, zero, &spacing, NULL, &placement, error);
    return status == NFSAR_OK ? placement_fill(&placement, half, inside, &upright, targets, error)
                              : status;
}
