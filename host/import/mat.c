/* MATLAB .mat files through matio. An array of version 7.3 is read in slabs, so that it may be
 * larger than memory. One of version 5 (2 GiB at most) is read whole: matio 1.5.23 returns wrong
 * elements when a part of such an array of more than three axes is asked for. */
#include <limits.h>
#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/cube.h"

struct mat_array {
    mat_t *mat;
    matvar_t *root;     /* what is freed: the variable, or the struct that it is a field of */
    matvar_t *variable; /* in root */
    bool is_complex;
    size_t index_bytes;     /* of one index of the slab axis, one part */
    size_t slab_count;      /* indices that are read at once */
    unsigned char *part[2]; /* of a slab; NULL when the variable holds the whole array */
};

static void free_array(struct mat_array *array) {
    if (array == NULL) {
        return;
    }
    Mat_VarFree(array->root);
    if (array->mat != NULL) {
        Mat_Close(array->mat);
    }
    free(array->part[0]);
    free(array->part[1]);
    free(array);
}

static void close_mat(struct cube *cube) {
    free_array(cube->owner);
}

static bool find_element(enum matio_classes class, enum cube_element *element) {
    switch (class) {
    case MAT_C_DOUBLE:
        *element = CUBE_F64;
        return true;
    case MAT_C_SINGLE:
        *element = CUBE_F32;
        return true;
    case MAT_C_INT8:
        *element = CUBE_I8;
        return true;
    case MAT_C_INT16:
        *element = CUBE_I16;
        return true;
    case MAT_C_INT32:
        *element = CUBE_I32;
        return true;
    default:
        return false;
    }
}

static const char *class_word(enum matio_classes class) {
    switch (class) {
    case MAT_C_STRUCT:
        return "a struct";
    case MAT_C_CELL:
        return "a cell array";
    case MAT_C_CHAR:
        return "text";
    case MAT_C_SPARSE:
        return "a sparse matrix";
    default:
        return "of a class that is not read";
    }
}

/* "a, b, c": the variables of a file. */
static void list_variables(mat_t *mat, char *text, size_t size) {
    size_t n = 0, used = 0;
    char **names = Mat_GetDir(mat, &n);
    text[0] = '\0';
    for (size_t i = 0; names != NULL && i < n && used < size; i++) {
        int more = snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "",
                            names[i] != NULL ? names[i] : "?");
        used += more > 0 ? (size_t)more : 0;
    }
    if (text[0] == '\0') {
        snprintf(text, size, "nothing that can be read");
    }
}

/* "a, b, c": the fields of a struct. */
static void list_fields(matvar_t *variable, char *text, size_t size) {
    size_t used = 0;
    unsigned n = Mat_VarGetNumberOfFields(variable);
    char *const *names = Mat_VarGetStructFieldnames(variable);
    text[0] = '\0';
    for (unsigned i = 0; names != NULL && i < n && used < size; i++) {
        int more = snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", names[i]);
        used += more > 0 ? (size_t)more : 0;
    }
}

/* A field by its way from the file's variable, such as data.af.phase. A struct's fields are read
 * with it, as matio knows no other way. */
static matvar_t *find_field(mat_t *mat, const char *path, const char *name, matvar_t **root,
                            nfsar_error *error) {
    char way[4097], there[256];
    snprintf(way, sizeof way, "%s", name);
    char *rest = strchr(way, '.');
    *rest++ = '\0';
    matvar_t *at = *root = Mat_VarRead(mat, way);
    if (at == NULL) {
        list_variables(mat, there, sizeof there);
        nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no variable '%s'; it holds %s", path, way,
                   there);
        return NULL;
    }
    for (char *next = rest; next != NULL; rest = next) {
        next = strchr(rest, '.');
        if (next != NULL) {
            *next++ = '\0';
        }
        bool one = at->class_type == MAT_C_STRUCT && at->rank == 2 && at->dims != NULL &&
                   at->dims[0] == 1 && at->dims[1] == 1;
        if (!one) {
            nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s: before '%s' there is no single struct",
                       path, name, rest);
            return NULL;
        }
        matvar_t *field = Mat_VarGetStructField(at, rest, MAT_BY_NAME, 0);
        if (field == NULL) {
            list_fields(at, there, sizeof there);
            nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s: there is no field '%s'; there are %s",
                       path, name, rest, there);
            return NULL;
        }
        at = field;
    }
    return at;
}

/* The variable of that name, or the only one of the file; *root is to be freed. */
static matvar_t *find_variable(mat_t *mat, const char *path, const char *name, matvar_t **root,
                               nfsar_error *error) {
    if (name != NULL && strchr(name, '.') != NULL) {
        return find_field(mat, path, name, root, error);
    }
    size_t n = 0;
    char **names = Mat_GetDir(mat, &n);
    char there[256];
    list_variables(mat, there, sizeof there);
    if (name == NULL && (names == NULL || n != 1)) {
        nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: holds %s; choose one with files.variable", path,
                   there);
        return NULL;
    }
    matvar_t *variable = *root = Mat_VarReadInfo(mat, name != NULL ? name : names[0]);
    if (variable == NULL) {
        nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no variable '%s'; it holds %s", path,
                   name != NULL ? name : names[0], there);
    }
    return variable;
}

static enum nfsar_status open_variable(const char *path, const char *name, mat_t **mat,
                                       matvar_t **root, matvar_t **variable, nfsar_error *error) {
    *mat = Mat_Open(path, MAT_ACC_RDONLY);
    if (*mat == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: cannot be opened as a MATLAB file", path);
    }
    enum mat_ft version = Mat_GetVersion(*mat);
    if (version != MAT_FT_MAT5 && version != MAT_FT_MAT73) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "%s: a MATLAB file of version 4; save it again with -v7 or -v7.3", path);
    }
    enum nfsar_status status = version == MAT_FT_MAT5 ? cube_mat_complete(path, error) : NFSAR_OK;
    if (status != NFSAR_OK) {
        return status;
    }
    *variable = find_variable(*mat, path, name, root, error);
    return *variable != NULL ? NFSAR_OK : NFSAR_ERROR_FORMAT;
}

static void describe_shape(const matvar_t *variable, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < variable->rank && used < size; i++) {
        int more =
            snprintf(text + used, size - used, "%s%zu", i > 0 ? " x " : "", variable->dims[i]);
        used += more > 0 ? (size_t)more : 0;
    }
}

/* Sizes of the named axes; what is left over at the end must be 1, as MATLAB keeps no axes of
 * size 1 there. */
static enum nfsar_status check_shape(const matvar_t *variable, const char *path, struct cube *cube,
                                     nfsar_error *error) {
    char shape[256];
    describe_shape(variable, shape, sizeof shape);
    size_t bytes = cube_element_size(cube->element);
    for (size_t i = 0; i < cube->n_axis; i++) {
        cube->size[i] = i < (size_t)variable->rank ? variable->dims[i] : 1;
        if (cube->size[i] > INT_MAX || __builtin_mul_overflow(bytes, cube->size[i], &bytes) ||
            bytes > SIZE_MAX / 4) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is %s, which cannot be", path,
                              variable->name, shape);
        }
    }
    if (bytes == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is empty (%s)", path, variable->name,
                          shape);
    }
    for (size_t i = cube->n_axis; i < (size_t)variable->rank; i++) {
        if (variable->dims[i] != 1) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: %s is %s, but files.axes names only %zu axes", path,
                              variable->name, shape, cube->n_axis);
        }
    }
    return NFSAR_OK;
}

static void set_strides(struct cube *cube, size_t window) {
    ptrdiff_t stride = 1;
    for (size_t i = 0; i < cube->n_axis; i++) {
        cube->stride[i] = stride;
        stride *= (ptrdiff_t)(i == cube->slab ? window : cube->size[i]);
    }
}

/* Real and imaginary parts of what is in memory. */
static void show_parts(struct cube *cube, const void *real, const void *imaginary) {
    cube->real = real;
    cube->imaginary = cube->is_waveform ? real : imaginary;
    for (size_t i = 0; imaginary == NULL && i < cube->n_axis; i++) {
        if (cube->axis[i] == RIG_DIMENSION_COMPLEX) {
            cube->imaginary =
                cube->real + (size_t)cube->stride[i] * cube_element_size(cube->element);
        }
    }
}

static enum nfsar_status cannot_read(const struct cube *cube, const struct mat_array *array,
                                     nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%s: the data of %s cannot be read; the file is damaged or cut off",
                      cube->name, array->variable->name);
}

static enum nfsar_status load_whole(struct cube *cube, size_t index, nfsar_error *error) {
    struct mat_array *array = cube->owner;
    size_t whole = cube->slab < cube->n_axis ? cube->size[cube->slab] : 1;
    bool read =
        array->variable->data != NULL || Mat_VarReadDataAll(array->mat, array->variable) == 0;
    if (index >= whole || !read || array->variable->data == NULL ||
        (size_t)array->variable->data_size != cube_element_size(cube->element)) {
        return cannot_read(cube, array, error);
    }
    cube->window_count = whole;
    set_strides(cube, whole);
    const mat_complex_split_t *split = array->variable->data;
    if (array->is_complex && (split->Re == NULL || split->Im == NULL)) {
        return cannot_read(cube, array, error);
    }
    show_parts(cube, array->is_complex ? split->Re : array->variable->data,
               array->is_complex ? split->Im : NULL);
    return NFSAR_OK;
}

static enum nfsar_status load_slab(struct cube *cube, size_t index, nfsar_error *error) {
    struct mat_array *array = cube->owner;
    size_t whole = cube->slab < cube->n_axis ? cube->size[cube->slab] : 1;
    size_t first = index / array->slab_count * array->slab_count;
    size_t count = whole - first < array->slab_count ? whole - first : array->slab_count;
    int start[RIG_DIMENSIONS] = {0}, stride[RIG_DIMENSIONS], edge[RIG_DIMENSIONS];
    int rank = array->variable->rank;
    for (int i = 0; i < rank && i < RIG_DIMENSIONS; i++) {
        stride[i] = 1;
        edge[i] = (size_t)i < cube->n_axis ? (int)cube->size[i] : 1;
        if ((size_t)i == cube->slab) {
            start[i] = (int)first;
            edge[i] = (int)count;
        }
    }
    cube->window_count = 0;
    mat_complex_split_t split = {.Re = array->part[0], .Im = array->part[1]};
    void *to = array->is_complex ? (void *)&split : (void *)array->part[0];
    if (Mat_VarReadData(array->mat, array->variable, to, start, stride, edge) != 0) {
        return cannot_read(cube, array, error);
    }
    cube->window_first = first;
    cube->window_count = count;
    set_strides(cube, count);
    show_parts(cube, array->part[0], array->part[1]);
    return NFSAR_OK;
}

static enum nfsar_status check_parts(const struct mat_array *array, const struct cube *cube,
                                     const char *path, nfsar_error *error) {
    size_t parts = cube_size(cube, RIG_DIMENSION_COMPLEX);
    if (cube->is_waveform) {
        return parts == 0 && !array->is_complex
                   ? NFSAR_OK
                   : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s in %s is complex, but radar.pulsed is for real waveforms",
                                array->variable->name, path);
    }
    if (array->is_complex ? parts > 0 : parts != 2) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          array->is_complex
                              ? "files.axes: %s in %s is complex, so it has no axis 'complex'"
                              : "%s in %s is real; one axis of size 2 must be called 'complex' "
                                "(real, imaginary)",
                          array->variable->name, path);
    }
    return NFSAR_OK;
}

static enum nfsar_status make_slab(struct mat_array *array, struct cube *cube, nfsar_error *error) {
    size_t total = cube_element_size(cube->element);
    for (size_t i = 0; i < cube->n_axis; i++) {
        total *= cube->size[i];
    }
    size_t whole = cube->slab < cube->n_axis ? cube->size[cube->slab] : 1;
    array->index_bytes = total / whole;
    size_t fit = cube->memory / array->index_bytes;
    array->slab_count = fit < 1 ? 1 : fit > whole ? whole : fit;
    size_t bytes = array->slab_count * array->index_bytes;
    /* Zeroed, and by pages that cost nothing before they are read into: the sizes are only what
     * the file claims. */
    array->part[0] = calloc(bytes, 1);
    array->part[1] = array->is_complex ? calloc(bytes, 1) : NULL;
    if (array->part[0] == NULL || (array->is_complex && array->part[1] == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory for %zu bytes of %s",
                          cube->name, bytes, array->variable->name);
    }
    return NFSAR_OK;
}

enum nfsar_status cube_open_mat(const char *path, const char *variable, struct cube *cube,
                                nfsar_error *error) {
    struct mat_array *array = calloc(1, sizeof *array);
    if (array == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    cube->owner = array;
    cube->close = close_mat;
    cube->load = load_slab;
    enum nfsar_status status =
        open_variable(path, variable, &array->mat, &array->root, &array->variable, error);
    if (status == NFSAR_OK && !find_element(array->variable->class_type, &cube->element)) {
        status = nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                            "%s: %s is %s; wanted is a numeric array, single or double, int8 to "
                            "int32",
                            path, array->variable->name, class_word(array->variable->class_type));
    }
    if (status == NFSAR_OK && (array->variable->rank < 1 || array->variable->dims == NULL ||
                               array->variable->rank > RIG_DIMENSIONS)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s has %d axes", path,
                            array->variable->name, array->variable->rank);
    }
    if (status == NFSAR_OK) {
        array->is_complex = array->variable->isComplex != 0;
        status = check_shape(array->variable, path, cube, error);
    }
    if (status == NFSAR_OK) {
        status = check_parts(array, cube, path, error);
    }
    if (status == NFSAR_OK &&
        (Mat_GetVersion(array->mat) != MAT_FT_MAT73 || array->variable != array->root)) {
        cube->load = load_whole;
    } else if (status == NFSAR_OK) {
        status = make_slab(array, cube, error);
    }
    if (status != NFSAR_OK) {
        cube_close(cube);
    }
    return status;
}

/* The numbers of a field, which were read with its struct. */
static bool take_field(const matvar_t *field, size_t n, unsigned char *raw) {
    size_t width = field->class_type == MAT_C_SINGLE ? 4 : 8;
    if (field->data == NULL || (size_t)field->data_size != width || field->nbytes / width < n) {
        return false;
    }
    memcpy(raw, field->data, n * width);
    return true;
}

enum nfsar_status cube_mat_vector(const char *path, const char *variable, double **value, size_t *n,
                                  nfsar_error *error) {
    /* A vector is an array of one named axis, on either side of MATLAB's two. */
    mat_t *mat = NULL;
    matvar_t *root = NULL, *found = NULL;
    *value = NULL;
    enum nfsar_status status = open_variable(path, variable, &mat, &root, &found, error);
    if (status == NFSAR_OK) {
        bool vector = found->rank == 2 && found->dims != NULL && !found->isComplex &&
                      (found->dims[0] == 1 || found->dims[1] == 1) && found->dims[0] <= INT_MAX &&
                      found->dims[1] <= INT_MAX &&
                      (found->class_type == MAT_C_DOUBLE || found->class_type == MAT_C_SINGLE);
        *n = vector ? found->dims[0] * found->dims[1] : 0;
        if (!vector || *n == 0) {
            status =
                nfsar_fail(error, NFSAR_ERROR_FORMAT,
                           "%s: %s is not a real vector of class single or double", path, variable);
        }
    }
    unsigned char *raw = NULL;
    if (status == NFSAR_OK) {
        raw = calloc(*n, sizeof(double));
        *value = calloc(*n, sizeof(double));
        if (raw == NULL || *value == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        } else if (found == root ? Mat_VarReadDataLinear(mat, found, raw, 0, 1, (int)*n) != 0
                                 : !take_field(found, *n, raw)) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read", path, variable);
        }
    }
    for (size_t i = 0; status == NFSAR_OK && i < *n; i++) {
        float single = 0.0f;
        if (found->class_type == MAT_C_SINGLE) {
            memcpy(&single, raw + 4 * i, 4);
            (*value)[i] = (double)single;
        } else {
            memcpy(*value + i, raw + 8 * i, 8);
        }
    }
    free(raw);
    Mat_VarFree(root);
    if (mat != NULL) {
        Mat_Close(mat);
    }
    if (status != NFSAR_OK) {
        free(*value);
        *value = NULL;
    }
    return status;
}
