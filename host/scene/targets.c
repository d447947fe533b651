#include "host/scene/targets.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/scene/check.h"
#include "host/scene/streams.h"

char *target_file(const char *folder, const char *name) {
    char *path = NULL;
    int length =
        name[0] == '/' ? asprintf(&path, "%s", name) : asprintf(&path, "%s%s", folder, name);
    return length >= 0 ? path : NULL;
}

enum nfsar_status target_check_file(const char *path, nfsar_error *error) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    return S_ISREG(info.st_mode)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: is not a regular file", path);
}

static enum nfsar_status points(const struct scene_target *target, struct scatterers *list,
                                nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < target->points_count; i++) {
        const struct scene_point *p = &target->points[i];
        const double numbers[5] = {p->at_m[0], p->at_m[1], p->at_m[2],
                                   check_default(p->amplitude, 1.0), p->phase_deg};
        status = check_finite("at_m, amplitude or phase_deg", numbers, 5, error);
        if (status != NFSAR_OK) {
            return nfsar_fail_in(error, status, "points: point %zu", i + 1);
        }
        double phase = p->phase_deg * NFSAR_PI / 180.0;
        float complex a =
            CMPLXF((float)(numbers[3] * cos(phase)), (float)(numbers[3] * sin(phase)));
        status = scatterers_add(list, (nfsar_vec3){p->at_m[0], p->at_m[1], p->at_m[2]}, a, error);
    }
    return status;
}

static enum nfsar_status make(const struct scene_target *t, const char *folder,
                              nfsar_random *random, nfsar_vec3 eye, struct scatterers *list,
                              nfsar_error *error) {
    if (t->points != NULL) {
        return points(t, list, error);
    }
    if (t->plate != NULL) {
        return target_plate(t->plate, list, error);
    }
    if (t->mask != NULL) {
        return target_mask(t->mask, folder, list, error);
    }
    if (t->random_points != NULL) {
        return target_random_points(t->random_points, random, list, error);
    }
    if (t->random_solids != NULL) {
        return target_random_solids(t->random_solids, random, list, error);
    }
    return target_stl(t->stl, folder, eye, list, error);
}

enum nfsar_status target_make(const struct scene_target *target, size_t number, const char *folder,
                              uint64_t seed, nfsar_vec3 eye, struct scatterers *list,
                              nfsar_error *error) {
    const struct scene_target *t = target;
    int given = (t->points != NULL) + (t->plate != NULL) + (t->mask != NULL) +
                (t->random_points != NULL) + (t->random_solids != NULL) + (t->stl != NULL);
    if (given != 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "target %zu: give one of points, plate, mask, random_points, "
                          "random_solids and stl; there are %d",
                          number + 1, given);
    }
    nfsar_random random;
    nfsar_random_stream(&random, seed, STREAM_TARGET + number);
    size_t before = list->n;
    enum nfsar_status status = make(t, folder, &random, eye, list, error);
    if (status == NFSAR_OK && list->n == before) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "no scatterer came out of it; it may be smaller than spacing_m");
    }
    return status == NFSAR_OK ? NFSAR_OK : nfsar_fail_in(error, status, "target %zu", number + 1);
}
