#include "tests/support.h"

#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void test_assert_near(double a, double b, double tolerance, const char *what, const char *file,
                      int line) {
    if (!(fabs(a - b) <= tolerance)) {
        print_error("%s is %.9g, expected %.9g within %.3g\n", what, a, b, tolerance);
        _fail(file, line);
    }
}

void test_assert_contains(const char *text, const char *part, const char *file, int line) {
    if (strstr(text, part) == NULL) {
        print_error("\"%s\" does not contain \"%s\"\n", text, part);
        _fail(file, line);
    }
}

static char folder[256];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_folder(void) {
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void) {
    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/nfsar-test-XXXXXX", base != NULL ? base : "/tmp");
        if (mkdtemp(folder) == NULL) {
            fail_msg("no temporary folder: %s", folder);
        }
        atexit(remove_folder);
    }
    return folder;
}

const char *test_path(const char *name) {
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

const char *test_data_folder(void) {
    static char path[512];
    const char *set = getenv("NFSAR_DATA");
    const char *source = getenv("NFSAR_SOURCE");
    if (set != NULL) {
        snprintf(path, sizeof path, "%s", set);
    } else {
        snprintf(path, sizeof path, "%s/../shared/data", source != NULL ? source : ".");
    }
    return access(path, R_OK) == 0 ? path : NULL;
}

int test_command(char *output, size_t size, const char *format, ...) {
    char line[4096];
    const char *command = getenv("NFSAR_COMMAND");
    int used = snprintf(line, sizeof line, "'%s' ", command != NULL ? command : "nfsar");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    va_end(arguments);
    size_t length = strlen(line);
    snprintf(line + length, sizeof line - length, " 2>&1");
    FILE *pipe = popen(line, "r");
    if (pipe == NULL) {
        fail_msg("cannot run %s", line);
    }
    size_t n = fread(output, 1, size - 1, pipe);
    output[n] = '\0';
    char drain[512];
    while (fread(drain, 1, sizeof drain, pipe) > 0) {
    }
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int test_count_files(const char *part) {
    int n = 0;
    DIR *directory = opendir(test_folder());
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        n += strstr(entry->d_name, part) != NULL;
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return n;
}

void test_write_file(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(test_path(name), "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        fail_msg("cannot write %s", name);
    }
}
