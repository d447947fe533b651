/* Poses that were recorded with the echo in MATLAB structs, as AFRL's GOTCHA recordings have them:
 * samples motion-compensated to a centre and in the other sign, several files of different length,
 * an autofocus that comes with them. */
#include "tests/import/cubes.h"

#include <hdf5.h>
#include <math.h>
#include <unistd.h>

enum { SAMPLES = 6, FIRST = 5, SECOND = 3, PULSES = FIRST + SECOND };

/* A point near the scene's centre, which is the origin; x, y on the ground and z up. */
static const nfsar_vec3 point = {1.5, -0.75, 0.25};

static double frequency(size_t n) {
    return 9.3e9 + 1e8 * (double)n;
}

/* Where the recording says that the radar was. */
static nfsar_vec3 place(size_t pulse) {
    return (nfsar_vec3){70.0 - 0.01 * (double)pulse, 0.5 + 0.25 * (double)pulse, 60.0};
}

/* What its autofocus adds to the reference range, and takes out of the samples as a phase. */
static double range_error(size_t pulse) {
    return 0.25 + 0.015625 * (double)(pulse % 4);
}
static double phase_error(size_t pulse) {
    return 0.5 * (double)(pulse % 5) - 1.0;
}

/* exp(-j 2 k (R - r0 - range)) exp(-j phase): GOTCHA's form. */
static float complex recorded(size_t pulse, size_t sample, bool has_error) {
    const double k = 2.0 * NFSAR_PI * frequency(sample) / NFSAR_SPEED_OF_LIGHT;
    const double reference = nfsar_vec3_norm(place(pulse)) + (has_error ? range_error(pulse) : 0.0);
    const double angle = -2.0 * k * (nfsar_vec3_distance(place(pulse), point) - reference) -
                         (has_error ? phase_error(pulse) : 0.0);
    return CMPLXF((float)cos(angle), (float)sin(angle));
}

static matvar_t *vector(const char *name, size_t rows, size_t columns, double *value) {
    size_t dims[] = {rows, columns};
    return Mat_VarCreate(name, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, value, 0);
}

/* What a file may have wrong. */
enum fault { GOOD, SHORT_X, NAN_Y, NO_Z, TWO_STRUCTS };

static void write_file(const char *name, enum mat_ft version, bool compressed, size_t first,
                       size_t n, bool has_error, enum fault fault) {
    float part[2][PULSES * SAMPLES];
    double f[SAMPLES], x[PULSES], y[PULSES], z[PULSES], r0[PULSES], range[PULSES], phase[PULSES];
    for (size_t l = 0; l < n; l++) {
        const nfsar_vec3 p = place(first + l);
        x[l] = p.x;
        y[l] = fault == NAN_Y && l == 2 ? (double)NAN : p.y;
        z[l] = p.z;
        r0[l] = nfsar_vec3_norm(p);
        range[l] = range_error(first + l);
        phase[l] = phase_error(first + l);
        for (size_t s = 0; s < SAMPLES; s++) {
            f[s] = frequency(s);
            part[0][l * SAMPLES + s] = crealf(recorded(first + l, s, has_error));
            part[1][l * SAMPLES + s] = cimagf(recorded(first + l, s, has_error));
        }
    }
    mat_complex_split_t split = {part[0], part[1]};
    size_t dims[] = {SAMPLES, n}, one[] = {1, fault == TWO_STRUCTS ? 2 : 1}, af_one[] = {1, 1};
    const char *fields[] = {"fp", "freq", "x", "y", "z", "r0", "af"};
    const char *af_fields[] = {"r_correct", "ph_correct"};
    matvar_t *data = Mat_VarCreateStruct("data", 2, one, fields, fault == NO_Z ? 4 : 7);
    matvar_t *af = Mat_VarCreateStruct("af", 2, af_one, af_fields, 2);
    Mat_VarSetStructFieldByName(af, "r_correct", 0, vector("r_correct", 1, n, range));
    Mat_VarSetStructFieldByName(af, "ph_correct", 0, vector("ph_correct", 1, n, phase));
    Mat_VarSetStructFieldByName(
        data, "fp", 0,
        Mat_VarCreate("fp", MAT_C_SINGLE, MAT_T_SINGLE, 2, dims, &split, MAT_F_COMPLEX));
    Mat_VarSetStructFieldByName(data, "freq", 0, vector("freq", SAMPLES, 1, f));
    Mat_VarSetStructFieldByName(data, "x", 0, vector("x", 1, fault == SHORT_X ? n - 1 : n, x));
    Mat_VarSetStructFieldByName(data, "y", 0, vector("y", 1, n, y));
    if (fault != NO_Z) {
        Mat_VarSetStructFieldByName(data, "z", 0, vector("z", 1, n, z));
        Mat_VarSetStructFieldByName(data, "r0", 0, vector("r0", 1, n, r0));
        Mat_VarSetStructFieldByName(data, "af", 0, af);
    } else {
        Mat_VarFree(af);
    }
    mat_t *mat = Mat_CreateVer(test_path(name), NULL, version);
    assert_non_null(mat);
    assert_int_equal(
        Mat_VarWrite(mat, data, compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(data);
    Mat_Close(mat);
}

#define FILES "files: {list: [a.mat, b.mat], variable: data.fp, axes: [sample, pulse]}\n"
#define RADAR "radar: {frequency_variable: data.freq}\n"
#define POSES "poses: {position_m: [-data.y, data.z, -data.x], reference_range_m: data.r0%s}\n"

static const char *rig_text(const char *files, const char *poses) {
    static char text[1024];
    snprintf(text, sizeof text,
             "%slayout: mat\nconjugate: true\n" RADAR "array: {preset: single}\n%s", files, poses);
    return text;
}

static const char *poses_text(const char *more) {
    static char text[512];
    snprintf(text, sizeof text, POSES, more);
    return text;
}

/* nfsar's axes: x = -y, y = z, z = -x of the recording. */
static nfsar_vec3 turned(nfsar_vec3 p) {
    return (nfsar_vec3){-p.y, p.z, -p.x};
}

static void assert_model(const char *text) {
    nfsar_import *import = NULL;
    nfsar_error error;
    float complex out[PULSES * SAMPLES];
    assert_ok(open_rig(text, &import, &error), error);
    const nfsar_capture *c = nfsar_import_header(import);
    assert_int_equal(c->n_pulse, PULSES);
    assert_int_equal(c->n_sample, SAMPLES);
    assert_ok(nfsar_import_read(import, 0, PULSES, out, &error), error);
    for (size_t l = 0; l < PULSES; l++) {
        assert_near(nfsar_vec3_distance(c->pose[l].position, turned(place(l))), 0.0, 1e-12);
        for (size_t s = 0; s < SAMPLES; s++) {
            const double k = 2.0 * NFSAR_PI * c->frequency_hz[s] / NFSAR_SPEED_OF_LIGHT;
            const double angle = 2.0 * k * nfsar_vec3_distance(c->pose[l].position, turned(point));
            assert_near((double)crealf(out[l * SAMPLES + s]), cos(angle), 1e-5);
            assert_near((double)cimagf(out[l * SAMPLES + s]), sin(angle), 1e-5);
        }
    }
    nfsar_import_close(import);
}

static const struct {
    enum mat_ft version;
    bool compressed;
} forms[] = {
    {MAT_FT_MAT5, false}, {MAT_FT_MAT5, true}, {MAT_FT_MAT73, false}, {MAT_FT_MAT73, true}};

static void write_both(size_t form, bool has_error, enum fault fault) {
    write_file("a.mat", forms[form].version, forms[form].compressed, 0, FIRST, has_error, GOOD);
    write_file("b.mat", forms[form].version, forms[form].compressed, FIRST, SECOND, has_error,
               fault);
}

static void samples_are_those_of_the_model(void **state) {
    (void)state;
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        write_both(form, false, GOOD);
        assert_model(rig_text(FILES, poses_text("")));
        write_both(form, true, GOOD);
        assert_model(
            rig_text(FILES, poses_text(", correct: {range_m: data.af.r_correct, phase_rad: "
                                       "data.af.ph_correct}")));
    }
}

static void the_capture_says_what_was_done(void **state) {
    (void)state;
    nfsar_import *import = NULL;
    nfsar_error error;
    char text[4096];
    write_both(0, true, GOOD);
    assert_ok(open_rig(rig_text(FILES, poses_text(", time_s: data.y, correct: {phase_rad: "
                                                  "data.af.ph_correct}")),
                       &import, &error),
              error);
    assert_near(nfsar_import_header(import)->time_s[2], place(2).y, 1e-12);
    const nfsar_capture *c = nfsar_import_header(import);
    assert_contains(c->provenance[2], "motion compensation undone");
    assert_contains(c->provenance[3], "phase data.af.ph_correct");
    FILE *stream = tmpfile();
    nfsar_import_explain(import, stream);
    rewind(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    assert_contains(text, "poses       (-data.y, data.z, -data.x)");
    assert_contains(text, "range from data.r0");
    nfsar_import_close(import);
}

static void what_does_not_fit_is_named(void **state) {
    (void)state;
    write_both(0, false, SHORT_X);
    assert_refused(rig_text(FILES, poses_text("")), "x has 2 numbers for 3 pulses");
    write_both(1, false, NAN_Y);
    assert_refused(rig_text(FILES, poses_text("")), "y: entry 3 is nan");
    write_both(0, false, NO_Z);
    assert_refused(rig_text(FILES, poses_text("")),
                   "data.z: there is no field 'z'; there are fp, freq, x, y");
    write_both(0, false, TWO_STRUCTS);
    assert_refused(rig_text(FILES, poses_text("")), "there is no single struct");
    write_both(0, false, GOOD);
    assert_refused(rig_text(FILES, poses_text(", time_s: data.z")), "not after the one before");
    assert_refused(rig_text(FILES, poses_text(", correct: {range_m: data.af}")),
                   "data.af is not a real vector");
    assert_refused(rig_text(FILES, poses_text(", correct: {}")), "poses.correct");
    assert_refused(rig_text(FILES, "poses: {reference_range_m: data.r0}\n"),
                   "poses.position_m: is missing");
    assert_refused(rig_text(FILES, "poses: {position_m: [data.x, data.y]}\n"), "position_m");
    assert_refused(rig_text(FILES, "poses: {position_m: [data.x, data.y, other]}\n"),
                   "has no variable 'other'; it holds data");
    assert_refused(rig_text(FILES, "poses: {position_m: [data.x, data.y, nothing.z]}\n"),
                   "has no variable 'nothing'; it holds data");
    assert_refused(rig_text("files: {list: [a.mat, b.mat], variable: data.fp, axes: [sample, x]}\n",
                            poses_text("")),
                   "files.axes");
    assert_refused(rig_text("files: {list: [a.mat, b.mat], holds: row, variable: data.fp, axes: "
                            "[sample, pulse]}\n",
                            poses_text("")),
                   "files.holds");
    char text[2048];
    snprintf(text, sizeof text, "%sscan: {step_m: 1e-3}\n", rig_text(FILES, poses_text("")));
    assert_refused(text, "either scan or poses");
}

/* Cut off and changed bytes, in structs: nothing wild, and an answer in time. */
static void damaged_structs_do_no_harm(void **state) {
    (void)state;
    size_t refused = 0, tried = 0;
    for (size_t form = 0; form < 3; form++) {
        static unsigned char bytes[1 << 17], damaged[1 << 17];
        write_both(form, false, GOOD);
        FILE *file = fopen(test_path("b.mat"), "rb");
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        assert_true(size > 200 && size < sizeof bytes);
        for (unsigned i = 0; i < 160; i++) {
            memcpy(damaged, bytes, size);
            size_t length = size;
            if (i < 40) {
                length = 1 + size * i / 40;
            } else {
                unsigned h = (unsigned)sample_word_of(i, (unsigned)form, 5, 0) & 65535u;
                damaged[124 + h % (size - 124)] = (unsigned char)(h >> 8);
            }
            test_write_file("b.mat", damaged, length);
            nfsar_import *import = NULL;
            nfsar_error error = {0};
            enum nfsar_status status = open_rig(rig_text(FILES, poses_text("")), &import, &error);
            if (status == NFSAR_OK) {
                float complex out[SAMPLES];
                status = nfsar_import_read(import, PULSES - 1, 1, out, &error);
                nfsar_import_close(import);
            }
            refused += status != NFSAR_OK;
            tried++;
            assert_true(status == NFSAR_OK || error.message[0] != '\0');
            assert_true(i >= 40 || status != NFSAR_OK);
        }
    }
    print_message("%zu of %zu refused\n", refused, tried);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_those_of_the_model),
        cmocka_unit_test(the_capture_says_what_was_done),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(damaged_structs_do_no_harm),
    };
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
