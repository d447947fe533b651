/* What is scanned: a point, letters of points, a plate with shapes cut out. */
#include <string.h>

#include "bench/empm/papers.h"
#include "host/scene/targets.h"

enum nfsar_status papers_point(double z, struct scatterers *targets, nfsar_error *error) {
    return scatterers_add(targets, (nfsar_vec3){0.0, 0.0, z}, 1.0f, error);
}

enum nfsar_status papers_letters(double z, struct scatterers *targets, nfsar_error *error) {
    /* The first row is the farthest. */
    static const char *const pattern[] = {
        "o.o ooo oo.",
        "o.o .o. o.o",
        "o.o .o. o.o",
        ".o. .o. oo.",
    };
    const int rows = 4, columns = 11;
    enum nfsar_status status = NFSAR_OK;
    for (int i = 0; status == NFSAR_OK && i < rows * columns; i++) {
        int row = i / columns, column = i % columns;
        if (pattern[row][column] == 'o') {
            nfsar_vec3 at = {0.0, 0.015 * (column - 5), z + 0.045 * (1.5 - row)};
            status = scatterers_add(targets, at, 1.0f, error);
        }
    }
    return status;
}

enum nfsar_status papers_plate(double z, double spacing, struct scatterers *targets,
                               nfsar_error *error) {
    /* A key lying along x, with its ring; a spanner on the slant; a star; holes of 2 to 6 mm. */
    struct scene_disc disc[] = {
        {{-0.0245, 0.0245}, 0.0098}, {{-0.0266, -0.0238}, 0.0088}, {{-0.0042, -0.0014}, 0.0088},
        {{0.0, -0.033}, 0.001},      {{0.008, -0.033}, 0.0015},    {{0.018, -0.033}, 0.002},
        {{0.030, -0.033}, 0.003},
    };
    struct scene_rectangle bar[] = {
        {{0.0056, 0.0245}, {0.0434, 0.005}, 0.0},
        {{0.0252, 0.0203}, {0.0042, 0.0084}, 0.0},
        {{0.0175, 0.0203}, {0.0042, 0.0070}, 0.0},
        {{-0.0154, -0.0126}, {0.0322, 0.0063}, 45.0},
    };
    struct scene_star star = {{0.021, -0.008}, 0.0145, 0.0058, 0.0, 5};
    struct scene_shape hole[] = {
        {.disc = &disc[0]},     {.disc = &disc[1]},     {.disc = &disc[2]},
        {.disc = &disc[3]},     {.disc = &disc[4]},     {.disc = &disc[5]},
        {.disc = &disc[6]},     {.rectangle = &bar[0]}, {.rectangle = &bar[1]},
        {.rectangle = &bar[2]}, {.rectangle = &bar[3]}, {.star = &star},
    };
    struct scene_disc ring = {{-0.0266, 0.0245}, 0.0042};
    struct scene_rectangle jaw[] = {
        {{-0.0301, -0.0273}, {0.0112, 0.0056}, 45.0},
        {{-0.0007, 0.0021}, {0.0112, 0.0056}, 45.0},
    };
    struct scene_shape island[] = {{.disc = &ring}, {.rectangle = &jaw[0]}, {.rectangle = &jaw[1]}};
    double size[2] = {0.084, 0.084};
    struct scene_plate plate = {.at_m = {0.0, 0.0, z},
                                .spacing_m = &spacing,
                                .size_m = size,
                                .holes = hole,
                                .islands = island,
                                .holes_count = sizeof hole / sizeof hole[0],
                                .islands_count = sizeof island / sizeof island[0]};
    return target_plate(&plate, targets, error);
}
