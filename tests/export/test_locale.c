/* A program that has set a locale with a decimal comma. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/export.h>
#include <nfsar/picture.h>

#include "tests/scene/scenes.h"

/* False when this system has and can make no such locale. */
static bool set_comma(void) {
    char line[1024], text[16];
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        snprintf(line, sizeof line, "localedef -i de_DE -f UTF-8 %s >%s 2>&1",
                 test_path("de_DE.UTF-8"), test_path("log"));
        if (system(line) != 0 || setenv("LOCPATH", test_folder(), 1) != 0 ||
            setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
            return false;
        }
        /* glibc's newlocale() leaks a copy of it. */
        unsetenv("LOCPATH");
    }
    snprintf(text, sizeof text, "%.1f", 0.5);
    return strcmp(text, "0,5") == 0;
}

static void still_comma(void) {
    char text[16];
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5");
}

static void decimal_comma(void **state) {
    (void)state;
    if (!set_comma()) {
        print_message("SKIPPED: there is no locale de_DE.UTF-8, and localedef cannot make it\n");
        skip();
    }
    nfsar_error error;
    nfsar_image image;
    nfsar_grid grid = {{-0.01, 0.0025, 3}, {-0.01, 0.01, 3}, {0.25, 0.01, 2}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    image.data[4] = 1.0f;
    assert_ok(nfsar_export(&image, test_path("image.vti"), &error), error);
    still_comma();
    char head[1024] = "";
    FILE *file = fopen(test_path("image.vti"), "rb");
    assert_non_null(file);
    head[fread(head, 1, sizeof head - 1, file)] = '\0';
    fclose(file);
    assert_contains(head, "Origin=\"-0.01 -0.01 0.25\"");
    nfsar_picture_options options = nfsar_picture_defaults();
    assert_ok(nfsar_picture_image(&image, &options, test_path("image.png"), &error), error);
    still_comma();
    nfsar_image_free(&image);

    nfsar_scene *scene = good_scene(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET);
    still_comma();
    size_t n = 0;
    const nfsar_scatterer *point = nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, 1);
    assert_near(point[0].position.z, 0.3, 0.0);
    nfsar_scene_close(scene);
    setlocale(LC_ALL, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decimal_comma)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
