#include "tests/support.h"

#include <math.h>
#include <matio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <nfsar/export.h>

static nfsar_image make_image(size_t nx, size_t ny, size_t nz) {
    nfsar_image image;
    nfsar_error error;
    const nfsar_grid grid = {{-0.1, 0.002, nx}, {0.05, 0.003, ny}, {0.3, 0.01, nz}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    srand(9);
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        float re = (float)rand() / (float)RAND_MAX - 0.5f;
        image.data[i] = re + I * ((float)rand() / (float)RAND_MAX - 0.5f);
    }
    image.data[1] = 0.0f;
    return image;
}

/* Whole file in memory, zero-terminated. */
static char *read_all(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

static void npy_by_hand(void **state) {
    (void)state;
    nfsar_image image = make_image(7, 5, 3);
    nfsar_error error;
    size_t size;
    assert_ok(nfsar_export(&image, test_path("a.npy"), &error), error);
    char *bytes = read_all(test_path("a.npy"), &size);
    assert_memory_equal(bytes, "\x93NUMPY\x01\x00", 8);
    size_t header = (unsigned char)bytes[8] + 256u * (unsigned char)bytes[9];
    assert_int_equal((10 + header) % 64, 0);
    assert_int_equal(bytes[10 + header - 1], '\n');
    assert_contains(bytes + 10, "{'descr': '<c8', 'fortran_order': False, 'shape': (3, 5, 7), }");
    assert_int_equal(size, 10 + header + 105 * 8);
    assert_memory_equal(bytes + 10 + header, image.data, 105 * 8);
    free(bytes);
    nfsar_image_free(&image);
}

/* Run a Python program on the exported file; skipped where there is no Python with what it needs.
 */
static void run_python(const char *modules, const char *program, const char *path) {
    char line[4096];
    snprintf(line, sizeof line, "/usr/bin/python3 -c 'import %s' 2>/dev/null", modules);
    if (system(line) != 0) {
        print_message("no /usr/bin/python3 with %s\n", modules);
        skip();
    }
    test_write_file("check.py", program, strlen(program));
    snprintf(line, sizeof line, "/usr/bin/python3 '%s' '%s'", test_path("check.py"), path);
    assert_int_equal(system(line), 0);
}

static void npy_by_numpy(void **state) {
    (void)state;
    nfsar_image image = make_image(7, 5, 3);
    nfsar_error error;
    assert_ok(nfsar_export(&image, test_path("b.npy"), &error), error);
    test_write_file("b.raw", image.data, 105 * sizeof *image.data);
    nfsar_image_free(&image);
    run_python("numpy",
               "import sys, numpy\n"
               "o = numpy.load(sys.argv[1])\n"
               "raw = numpy.fromfile(sys.argv[1].replace('.npy', '.raw'), 'complex64')\n"
               "assert o.shape == (3, 5, 7) and o.dtype == numpy.complex64\n"
               "assert o.flags['C_CONTIGUOUS'] and (o.ravel() == raw).all()\n",
               test_path("b.npy"));
}

static void vti_by_hand(void **state) {
    (void)state;
    nfsar_image image = make_image(7, 5, 3);
    nfsar_error error;
    size_t size;
    assert_ok(nfsar_export(&image, test_path("a.vti"), &error), error);
    char *bytes = read_all(test_path("a.vti"), &size);
    assert_contains(bytes, "WholeExtent=\"0 6 0 4 0 2\"");
    char expected[200];
    snprintf(expected, sizeof expected,
             "Origin=\"%.17g %.17g %.17g\" Spacing=\"%.17g %.17g %.17g\"", -0.1, 0.05, 0.3, 0.002,
             0.003, 0.01);
    assert_contains(bytes, expected);
    const char *marker = strstr(bytes, "encoding=\"raw\">\n_");
    assert_non_null(marker);
    const char *at = marker + strlen("encoding=\"raw\">\n_");
    double maximum = 0.0;
    for (int i = 0; i < 105; i++) {
        maximum = fmax(maximum, cabs(image.data[i]));
    }
    for (int array = 0; array < 3; array++) {
        uint64_t count;
        memcpy(&count, at, sizeof count);
        assert_int_equal(count, 105 * sizeof(float));
        at += sizeof count;
        for (int i = 0; i < 105; i++, at += sizeof(float)) {
            float value;
            memcpy(&value, at, sizeof value);
            double magnitude = cabs(image.data[i]);
            double truth = array == 0   ? magnitude
                           : array == 1 ? fmax(20.0 * log10(magnitude / maximum), -200.0)
                                        : carg(image.data[i]);
            assert_near(value, truth, 1e-5);
        }
    }
    assert_string_equal(at, "\n  </AppendedData>\n</VTKFile>\n");
    free(bytes);
    nfsar_image_free(&image);
}

/* The part that is XML must be well-formed, and the offsets must lead to the arrays. */
static void vti_by_python(void **state) {
    (void)state;
    nfsar_image image = make_image(40, 30, 1);
    nfsar_error error;
    assert_ok(nfsar_export(&image, test_path("b.vti"), &error), error);
    nfsar_image_free(&image);
    run_python("xml.etree.ElementTree",
               "import sys, struct\n"
               "import xml.etree.ElementTree as tree\n"
               "data = open(sys.argv[1], 'rb').read()\n"
               "head, rest = data.split(b'encoding=\"raw\">\\n_', 1)\n"
               "body, tail = rest[:-len(b'\\n  </AppendedData>\\n</VTKFile>\\n')], rest[-31:]\n"
               "root = tree.fromstring(head + b'encoding=\"raw\">' + tail)\n"
               "assert root.attrib['header_type'] == 'UInt64'\n"
               "image = root.find('ImageData')\n"
               "assert image.attrib['WholeExtent'] == image.find('Piece').attrib['Extent']\n"
               "assert min(float(s) for s in image.attrib['Spacing'].split()) > 0\n"
               "arrays = image.find('Piece').find('PointData').findall('DataArray')\n"
               "assert [a.attrib['Name'] for a in arrays] == ['magnitude', 'magnitude_dB',"
               " 'phase']\n"
               "for a in arrays:\n"
               "    offset = int(a.attrib['offset'])\n"
               "    assert struct.unpack('<Q', body[offset:offset + 8])[0] == 4 * 1200\n"
               "    last = offset + 8 + 4 * 1200\n"
               "assert last == len(body)\n",
               test_path("b.vti"));
}

static void check_axis(mat_t *mat, const char *name, const nfsar_axis *axis) {
    matvar_t *variable = Mat_VarRead(mat, name);
    assert_non_null(variable);
    assert_int_equal(variable->data_type, MAT_T_DOUBLE);
    assert_int_equal(variable->dims[0] * variable->dims[1], axis->count);
    for (size_t i = 0; i < axis->count; i++) {
        assert_near(((const double *)variable->data)[i], nfsar_axis_at(axis, i), 0.0);
    }
    Mat_VarFree(variable);
}

static void mat_read_back(void **state) {
    (void)state;
    nfsar_image image = make_image(7, 5, 3);
    nfsar_error error;
    assert_ok(nfsar_export(&image, test_path("a.MAT"), &error), error);
    mat_t *mat = Mat_Open(test_path("a.MAT"), MAT_ACC_RDONLY);
    assert_non_null(mat);
    assert_int_equal(Mat_GetVersion(mat), MAT_FT_MAT5);
    matvar_t *o = Mat_VarRead(mat, "o");
    assert_non_null(o);
    assert_true(o->isComplex && o->class_type == MAT_C_SINGLE && o->rank == 3);
    assert_int_equal(o->dims[0], 5);
    assert_int_equal(o->dims[1], 7);
    assert_int_equal(o->dims[2], 3);
    const mat_complex_split_t *split = o->data;
    for (size_t z = 0; z < 3; z++) {
        for (size_t y = 0; y < 5; y++) {
            for (size_t x = 0; x < 7; x++) {
                size_t at = y + 5 * (x + 7 * z);
                float complex value = image.data[(z * 5 + y) * 7 + x];
                assert_true(((const float *)split->Re)[at] == crealf(value));
                assert_true(((const float *)split->Im)[at] == cimagf(value));
            }
        }
    }
    Mat_VarFree(o);
    check_axis(mat, "x_m", &image.grid.x);
    check_axis(mat, "y_m", &image.grid.y);
    check_axis(mat, "z_m", &image.grid.z);
    Mat_Close(mat);
    nfsar_image_free(&image);
}

static void refused(const nfsar_image *image, const char *path, enum nfsar_status status,
                    const char *part) {
    nfsar_error error;
    assert_int_equal(nfsar_export(image, path, &error), status);
    assert_contains(error.message, part);
}

static void bad_input(void **state) {
    (void)state;
    nfsar_image image = make_image(7, 5, 3);
    refused(&image, test_path("c.xyz"), NFSAR_ERROR_ARGUMENT, ".vti (ParaView), .npy (NumPy) or");
    refused(&image, test_path("c"), NFSAR_ERROR_ARGUMENT, "ending");
    refused(&image, "folder.vti/name", NFSAR_ERROR_ARGUMENT, "ending");
    refused(&image, test_path("no/folder/c.npy"), NFSAR_ERROR_FILE, "No such file");
    image.data[3] = NAN;
    refused(&image, test_path("c.vti"), NFSAR_ERROR_FORMAT, "not finite");
    memset(image.data, 0, 105 * sizeof *image.data);
    refused(&image, test_path("c.npy"), NFSAR_ERROR_FORMAT, "zero everywhere");
    assert_int_equal(test_count_files("c."), 0);
    assert_int_equal(test_count_files(".part-"), 0);
    nfsar_image_free(&image);
    /* Too large for the format: refused before a voxel is looked at would be better tested with
     * 2 GiB of memory; the limit itself is arithmetic. */
}

/* A full disk: the file size is limited, as RLIMIT_FSIZE does it, at several places in the file. */
static void full_disk(void **state) {
    (void)state;
    nfsar_image image = make_image(40, 30, 20);
    const char *const name[] = {"full.vti", "full.npy", "full.mat"};
    const rlim_t limit[] = {0, 60, 4096, 100000, 190000};
    struct rlimit before;
    nfsar_error error;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    for (int f = 0; f < 3; f++) {
        for (int l = 0; l < 5; l++) {
            struct rlimit small = {limit[l], before.rlim_max};
            setrlimit(RLIMIT_FSIZE, &small);
            enum nfsar_status status = nfsar_export(&image, test_path(name[f]), &error);
            setrlimit(RLIMIT_FSIZE, &before);
            assert_int_equal(status, NFSAR_ERROR_FILE);
            assert_contains(error.message, name[f]);
            assert_int_equal(test_count_files("full"), 0);
        }
    }
    nfsar_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_by_hand),   cmocka_unit_test(npy_by_numpy),
        cmocka_unit_test(vti_by_hand),   cmocka_unit_test(vti_by_python),
        cmocka_unit_test(mat_read_back), cmocka_unit_test(bad_input),
        cmocka_unit_test(full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
