/* The sections of docs/results.md that subjects make. */
#ifndef NFSAR_BENCH_PAGE_H
#define NFSAR_BENCH_PAGE_H

#include <stdio.h>

#include <nfsar/status.h>

struct bench;
struct bench_machine;

/* Make the folder, and pictures/ in it, where they are not there. */
enum nfsar_status bench_page_folders(const char *folder, nfsar_error *error);

/* Put what print() writes between the markers of this subject in folder/results.md, or at the end
 * of that page, or make it. The page changes only when all is written. */
enum nfsar_status bench_page_replace(const char *folder, const char *subject,
                                     void (*print)(FILE *page, const void *context),
                                     const void *context, nfsar_error *error);

/* A paragraph: on what, and how long it took. */
void bench_page_machine(FILE *page, const struct bench *bench, const struct bench_machine *machine);
/* A cell of a table: three digits, or a dash; and a time in s or ms. */
void bench_page_number(FILE *page, double value, const char *unit);
void bench_page_time(FILE *page, double seconds);

#endif
