/* What tests share: cmocka with its prerequisites, temporary folders, running the command. */
#ifndef NFSAR_TESTS_SUPPORT_H
#define NFSAR_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nfsar/status.h>

/* ctest shows a program that returns this as skipped. */
#define TEST_SKIPPED 77

/* Fail with the error's message unless the call answers NFSAR_OK. */
#define assert_ok(call, error)                                                                     \
    do {                                                                                           \
        if ((call) != NFSAR_OK) {                                                                  \
            fail_msg("%s: %s", #call, (error).message);                                            \
        }                                                                                          \
    } while (0)

/* Fail unless |a - b| <= tolerance. */
#define assert_near(a, b, tolerance) test_assert_near(a, b, tolerance, #a, __FILE__, __LINE__)
void test_assert_near(double a, double b, double tolerance, const char *what, const char *file,
                      int line);

/* Fail unless text contains part. */
#define assert_contains(text, part) test_assert_contains(text, part, __FILE__, __LINE__)
void test_assert_contains(const char *text, const char *part, const char *file, int line);

/* A fresh folder for this program, removed when it ends. Made once; the string is static. */
const char *test_folder(void);

/* "folder/name", static storage, eight results live at a time. */
const char *test_path(const char *name);

/* The folder of real recordings, NULL when it is not there: ${NFSAR_DATA:-../shared/data}. */
const char *test_data_folder(void);

/* Run `nfsar` (from NFSAR_COMMAND) with the arguments given as one shell-style format; stdout and
 * stderr together go to output (zero-terminated, cut at size). Returns the exit status, or 128 +
 * signal. */
int test_command(char *output, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Number of files in test_folder() whose name contains part. */
int test_count_files(const char *part);

/* Write bytes to test_path(name). */
void test_write_file(const char *name, const void *bytes, size_t size);

#endif
