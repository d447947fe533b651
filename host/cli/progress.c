#include "host/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *label;
    int shown; /* per cent on the screen, -1 for no bar */
} bar = {.shown = -1};

static bool draw(void *context, double fraction) {
    (void)context;
    int percent = (int)(100.0 * (fraction < 0.0 ? 0.0 : fraction > 1.0 ? 1.0 : fraction));
    if (percent != bar.shown) {
        char filled[41];
        size_t n = (size_t)percent * 40 / 100;
        memset(filled, '#', n);
        memset(filled + n, ' ', 40 - n);
        filled[40] = '\0';
        fprintf(stderr, "\r%-12s [%s] %3d %%", bar.label, filled, percent);
        bar.shown = percent;
    }
    return true;
}

const nfsar_progress *cli_progress(const char *label) {
    static const nfsar_progress progress = {.report = draw};
    if (cli_quiet() || !isatty(STDERR_FILENO)) {
        return NULL;
    }
    bar.label = label;
    bar.shown = -1;
    return &progress;
}

void cli_progress_end(void) {
    if (bar.shown >= 0) {
        fprintf(stderr, "\r%70s\r", "");
        bar.shown = -1;
    }
}
