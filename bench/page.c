#include "bench/page.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/bench.h"
#include "host/locale.h"

static enum nfsar_status make_folder(const char *path, nfsar_error *error) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: the folder could not be made: %s", path,
                          strerror(errno));
    }
    return NFSAR_OK;
}

enum nfsar_status bench_page_folders(const char *folder, nfsar_error *error) {
    char path[1024];
    enum nfsar_status status = make_folder(folder, error);
    snprintf(path, sizeof path, "%s/pictures", folder);
    return status == NFSAR_OK ? make_folder(path, error) : status;
}

void bench_page_number(FILE *page, double value, const char *unit) {
    if (isnan(value)) {
        fputs(" – |", page);
    } else {
        fprintf(page, " %.3g%s |", value, unit);
    }
}

void bench_page_time(FILE *page, double seconds) {
    bool large = seconds >= 1.0;
    fprintf(page, " %.3g %s |", large ? seconds : 1e3 * seconds, large ? "s" : "ms");
}

void bench_page_machine(FILE *page, const struct bench *bench,
                        const struct bench_machine *machine) {
    fprintf(page, "\nMeasured on one core of %s%s, in %.0f s.", machine->processor,
            bench->quick ? ", with small sizes that mean little" : "",
            bench_clock() - machine->start);
    if (isfinite(machine->others)) {
        fprintf(page, " Other processes took %.0f %% of the machine meanwhile.",
                100.0 * machine->others);
    }
    fputs("\n\n", page);
}

/* The page as it is now; an empty text when there is none, NULL when out of memory. */
static char *read_page(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t used = 0, room = (size_t)1 << 20;
    char *text = malloc(room);
    while (file != NULL && text != NULL) {
        size_t got = fread(text + used, 1, room - used - 1, file);
        used += got;
        if (got == 0) {
            break;
        }
        if (used == room - 1) {
            char *grown = realloc(text, room *= 2);
            if (grown == NULL) {
                free(text);
            }
            text = grown;
        }
    }
    if (text != NULL) {
        text[used] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

enum nfsar_status bench_page_replace(const char *folder, const char *subject,
                                     void (*print)(FILE *page, const void *context),
                                     const void *context, nfsar_error *error) {
    PLAIN_NUMBERS;
    char path[1024], part[1040], begin[128], end[64];
    snprintf(path, sizeof path, "%s/results.md", folder);
    snprintf(part, sizeof part, "%s.part", path);
    snprintf(begin, sizeof begin, "<!-- bench %s: made by `nfsar bench %s --output docs` -->\n",
             subject, subject);
    snprintf(end, sizeof end, "<!-- end of bench %s -->\n", subject);
    char *text = read_page(path);
    FILE *page = text != NULL ? fopen(part, "wb") : NULL;
    bool good = page != NULL;
    if (good) {
        const char *first = strstr(text, begin), *last = first != NULL ? strstr(first, end) : NULL;
        fwrite(text, 1, last != NULL ? (size_t)(first - text) : strlen(text), page);
        fputs(begin, page);
        print(page, context);
        fputs(end, page);
        fputs(last != NULL ? last + strlen(end) : "", page);
        good = ferror(page) == 0;
        good = fclose(page) == 0 && good && rename(part, path) == 0;
    }
    free(text);
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: the page could not be written: %s", path,
                             strerror(errno));
}
