#include "host/import/pose_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/cube.h"

/* Variables that are read for each pulse. */
struct column {
    const char *key, *name;
    double **value;
};

static enum nfsar_status read_part(const struct column *column, const char *path, size_t first,
                                   size_t n, nfsar_error *error) {
    const bool negative = column->name[0] == '-';
    double *part = NULL;
    size_t there = 0;
    enum nfsar_status status = cube_mat_vector(path, column->name + negative, &part, &there, error);
    if (status == NFSAR_OK && there != n) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s has %zu numbers for %zu pulses",
                            path, column->name + negative, there, n);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        if (!isfinite(part[i]) || fabs(part[i]) > 1e9) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s: entry %zu is %g", path,
                                column->name + negative, i + 1, part[i]);
        } else {
            (*column->value)[first + i] = negative ? -part[i] : part[i];
        }
    }
    free(part);
    return status == NFSAR_OK ? status : rig_wrong(error, column->key);
}

static enum nfsar_status read_column(const struct column *column,
                                     const struct recordings *recordings,
                                     const struct pose_table *table, nfsar_error *error) {
    if (column->name == NULL) {
        return NFSAR_OK;
    }
    *column->value = calloc(table->first[table->n_recording], sizeof **column->value);
    enum nfsar_status status =
        *column->value != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; status == NFSAR_OK && i < table->n_recording; i++) {
        const char *path = recordings->part[recordings->item[i].first_part].path;
        status =
            read_part(column, path, table->first[i], table->first[i + 1] - table->first[i], error);
    }
    return status;
}

/* The reference that the correction makes longer; the correction alone where there is no other. */
static void add_correction(size_t n, double **reference, double **range) {
    for (size_t i = 0; *reference != NULL && *range != NULL && i < n; i++) {
        (*reference)[i] += (*range)[i];
    }
    if (*reference == NULL) {
        *reference = *range;
        *range = NULL;
    }
}

enum nfsar_status pose_table_read(const struct rig_poses *poses,
                                  const struct recordings *recordings, const size_t *pulses,
                                  struct pose_table *table, nfsar_error *error) {
    static const struct rig_correct nothing;
    const struct rig_correct *correct = poses->correct != NULL ? poses->correct : &nothing;
    double *range = NULL;
    const struct column columns[] = {
        {"poses.position_m", poses->position_m[0], &table->position[0]},
        {"poses.position_m", poses->position_m[1], &table->position[1]},
        {"poses.position_m", poses->position_m[2], &table->position[2]},
        {"poses.time_s", poses->time_s, &table->time_s},
        {"poses.reference_range_m", poses->reference_range_m, &table->reference_m},
        {"poses.correct.range_m", correct->range_m, &range},
        {"poses.correct.phase_rad", correct->phase_rad, &table->phase_rad},
    };
    table->n_recording = recordings->n;
    table->first = calloc(recordings->n + 1, sizeof *table->first);
    if (table->first == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < recordings->n; i++) {
        table->first[i + 1] = table->first[i] + pulses[i];
    }
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < sizeof columns / sizeof columns[0]; i++) {
        status = read_column(&columns[i], recordings, table, error);
    }
    if (status == NFSAR_OK) {
        add_correction(table->first[table->n_recording], &table->reference_m, &range);
    }
    free(range);
    return status;
}

void pose_table_free(struct pose_table *table) {
    free(table->first);
    for (size_t i = 0; i < 3; i++) {
        free(table->position[i]);
    }
    free(table->time_s);
    free(table->reference_m);
    free(table->phase_rad);
    memset(table, 0, sizeof *table);
}

size_t pose_table_recording(const struct pose_table *table, size_t pulse) {
    size_t i = 0;
    while (i + 1 < table->n_recording && pulse >= table->first[i + 1]) {
        i++;
    }
    return i;
}

enum nfsar_status pose_table_fill(const struct pose_table *table, nfsar_capture *capture,
                                  nfsar_error *error) {
    for (size_t i = 0; i < capture->n_pulse; i++) {
        capture->pose[i] =
            (nfsar_pose){{table->position[0][i], table->position[1][i], table->position[2][i]},
                         NFSAR_QUATERNION_IDENTITY};
        if (table->time_s == NULL) {
            continue;
        }
        if (i > 0 && !(table->time_s[i] > table->time_s[i - 1])) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "poses.time_s: pulse %zu is at %.9g s, not after the one before at "
                              "%.9g s: is the order of the files that of time?",
                              i + 1, table->time_s[i], table->time_s[i - 1]);
        }
        capture->time_s[i] = capture->pose_time_s[i] = table->time_s[i];
    }
    return NFSAR_OK;
}

void pose_table_turn(const struct pose_table *table, const nfsar_capture *capture, size_t pulse,
                     bool conjugate, float complex *samples) {
    if (table->reference_m == NULL && table->phase_rad == NULL) {
        return;
    }
    const double range = table->reference_m != NULL ? table->reference_m[pulse] : 0.0;
    const double phase = table->phase_rad != NULL ? table->phase_rad[pulse] : 0.0;
    for (size_t n = 0; n < capture->n_sample; n++) {
        const double k = 2.0 * M_PI * capture->frequency_hz[n] / NFSAR_SPEED_OF_LIGHT;
        const double angle = 2.0 * k * range + (conjugate ? -phase : phase);
        const double complex turn = cos(angle) + I * sin(angle);
        for (size_t c = 0; c < capture->array.n_channel; c++) {
            float complex *sample = samples + c * capture->n_sample + n;
            *sample = (float complex)(*sample * turn);
        }
    }
}
