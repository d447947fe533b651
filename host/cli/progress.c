#include "host/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Longest bar, and what stands beside it: the label, brackets, the percentage. */
#define LONGEST 40
#define BESIDE  22

static struct {
    const char *label;
    int length; /* of the bar itself, in characters */
    int shown;  /* per cent on the screen, -1 for no bar */
} bar = {.shown = -1};

static bool draw(void *context, double fraction) {
    (void)context;
    int percent = (int)(100.0 * (fraction < 0.0 ? 0.0 : fraction > 1.0 ? 1.0 : fraction));
    if (percent != bar.shown) {
        char filled[LONGEST + 1];
        size_t n = (size_t)(percent * bar.length / 100);
        memset(filled, '#', n);
        memset(filled + n, ' ', (size_t)bar.length - n);
        filled[bar.length] = '\0';
        fprintf(stderr, "\r%-12s [%s] %3d %%", bar.label, filled, percent);
        bar.shown = percent;
    }
    return true;
}

/* What fits into one line of the terminal: a bar that wraps would fill the screen. */
static int fitting_length(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return LONGEST;
    }
    int room = size.ws_col - BESIDE - 1;
    return room < 1 ? 1 : room < LONGEST ? room : LONGEST;
}

const nfsar_progress *cli_progress(const char *label) {
    static const nfsar_progress progress = {.report = draw};
    if (cli_quiet() || !isatty(STDERR_FILENO)) {
        return NULL;
    }
    bar.label = label;
    bar.length = fitting_length();
    bar.shown = -1;
    return &progress;
}

void cli_progress_end(void) {
    if (bar.shown >= 0) {
        fprintf(stderr, "\r%*s\r", bar.length + BESIDE, "");
        bar.shown = -1;
    }
}
