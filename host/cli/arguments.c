#include "host/cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    size_t threads;
    bool quiet;
    bool help;
} common;

static cli_elsewhere *options_elsewhere;

void cli_options_elsewhere(cli_elsewhere *elsewhere) {
    options_elsewhere = elsewhere;
}

static const struct cli_option common_options[] = {
    {"threads", 0, CLI_COUNT, &common.threads, NULL, "N", "processors to use; all by default"},
    {"quiet", 'q', CLI_FLAG, &common.quiet, NULL, NULL, "no remarks and no progress bar"},
    {"help", 'h', CLI_FLAG, &common.help, NULL, NULL, "show this"},
    {0},
};

int cli_threads(void) {
    return (int)common.threads;
}

bool cli_quiet(void) {
    return common.quiet;
}

static void print_options(const struct cli_option *option) {
    for (; option->name != NULL; option++) {
        char left[64];
        int used = snprintf(left, sizeof left, "  %s%c%s--%s", option->letter != 0 ? "-" : " ",
                            option->letter != 0 ? option->letter : ' ',
                            option->letter != 0 ? ", " : "  ", option->name);
        if (option->argument != NULL) {
            snprintf(left + used, sizeof left - (size_t)used, " %s", option->argument);
        }
        printf("%-32s %s\n", left, option->help);
    }
}

bool cli_number(const char *text, const char **end, double *value) {
    char *stop = NULL;
    errno = 0;
    *value = strtod(text, &stop);
    *end = stop;
    return stop != text && isfinite(*value);
}

static bool count(const char *text, const char **end, size_t *value) {
    char *stop = NULL;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long read = strtoull(text, &stop, 10);
    *end = stop;
    *value = (size_t)read;
    return errno == 0 && stop != text;
}

/* Read text into the option; on failure what was expected, else NULL. */
static const char *read_value(const struct cli_option *option, const char *text) {
    const char *end = text;
    switch (option->kind) {
    case CLI_FLAG:
        return "no argument";
    case CLI_STRING:
        *(const char **)option->value = text;
        return *text != '\0' ? NULL : "a name";
    case CLI_NUMBER:
        return cli_number(text, &end, option->value) && *end == '\0' ? NULL : "a number";
    case CLI_COUNT:
        return count(text, &end, option->value) && *end == '\0' ? NULL : "a whole number";
    case CLI_RANGE: {
        double *range = option->value;
        bool good = cli_number(text, &end, &range[0]) && *end == ':' &&
                    cli_number(end + 1, &end, &range[1]) && *end == '\0' && range[0] < range[1];
        return good ? NULL : "two numbers, the first the smaller";
    }
    case CLI_AXIS: {
        double first = 0.0, last = 0.0;
        size_t points = 1;
        bool good = cli_number(text, &end, &first);
        if (good && *end == '\0') {
            last = first;
        } else {
            good = good && *end == ':' && cli_number(end + 1, &end, &last) && *end == ':' &&
                   count(end + 1, &end, &points) && *end == '\0';
        }
        good = good && nfsar_axis_between(first, last, points, option->value, NULL) == NFSAR_OK;
        return good ? NULL : "MIN:MAX:COUNT in metres with MIN < MAX, or one number";
    }
    }
    return "something else";
}

static const struct cli_option *find(const struct cli_option *options, const char *name,
                                     size_t length, char letter) {
    for (const struct cli_option *at = options; at->name != NULL; at++) {
        if (letter != 0 ? at->letter == letter
                        : strlen(at->name) == length && strncmp(at->name, name, length) == 0) {
            return at;
        }
    }
    return options != common_options ? find(common_options, name, length, letter) : NULL;
}

static bool looks_like_option(const char *text) {
    /* "-" is a name and "-0.1" a number. */
    return text[0] == '-' && text[1] != '\0' && strchr("0123456789.", text[1]) == NULL;
}

static void say_unknown(const char *verb, const char *text) {
    const size_t length = text[1] == '-' ? strcspn(text + 2, "=") : 0;
    const char *whose =
        options_elsewhere != NULL && length > 0 ? options_elsewhere(text + 2, length) : NULL;
    if (whose != NULL) {
        cli_usage(verb, "--%.*s %s", (int)length, text + 2, whose);
    } else {
        cli_usage(verb, "there is no option %s", text);
    }
}

/* Take the option at argv[*at]; false when it is wrong, which has then been said. */
static bool take_option(const char *verb, const struct cli_option *options, int argc, char **argv,
                        int *at) {
    const char *text = argv[*at];
    const struct cli_option *option = NULL;
    const char *value = NULL;
    if (text[1] == '-') {
        const char *equals = strchr(text, '=');
        size_t length = equals != NULL ? (size_t)(equals - text - 2) : strlen(text + 2);
        option = find(options, text + 2, length, 0);
        value = equals != NULL ? equals + 1 : NULL;
    } else {
        option = find(options, NULL, 0, text[1]);
        value = text[2] != '\0' ? text + 2 : NULL;
    }
    if (option == NULL) {
        say_unknown(verb, text);
        return false;
    }
    if (option->given != NULL) {
        *option->given = true;
    }
    if (option->kind == CLI_FLAG) {
        if (value != NULL) {
            cli_usage(verb, "--%s takes no argument", option->name);
            return false;
        }
        *(bool *)option->value = true;
        return true;
    }
    if (value == NULL) {
        if (*at + 1 >= argc) {
            cli_usage(verb, "--%s needs %s", option->name, option->argument);
            return false;
        }
        value = argv[++*at];
    }
    const char *expected = read_value(option, value);
    if (expected != NULL) {
        bool two = option->kind == CLI_RANGE;
        cli_usage(verb, "--%s %s: expected %s%s%s", option->name, value,
                  two ? option->argument : "", two ? ", " : "", expected);
        return false;
    }
    return true;
}

bool cli_parse_some(const char *verb, const char *usage, const struct cli_option *options,
                    size_t room, const char **positional, size_t *n, int argc, char **argv,
                    int *exit_status) {
    bool only_names = false;
    *n = 0;
    memset(&common, 0, sizeof common);
    *exit_status = CLI_USAGE;
    for (int i = 0; i < argc; i++) {
        if (!only_names && strcmp(argv[i], "--") == 0) {
            only_names = true;
        } else if (!only_names && looks_like_option(argv[i])) {
            if (!take_option(verb, options, argc, argv, &i)) {
                return false;
            }
        } else if (*n < room) {
            positional[(*n)++] = argv[i];
        } else {
            cli_usage(verb, "unexpected argument '%s'", argv[i]);
            return false;
        }
    }
    if (common.help) {
        printf("usage: nfsar %s %s\n\n", verb, usage);
        print_options(options);
        print_options(common_options);
        *exit_status = CLI_DONE;
        return false;
    }
    if (common.threads > 1024) {
        cli_usage(verb, "--threads %zu: at most 1024", common.threads);
        return false;
    }
    return true;
}

bool cli_parse(const char *verb, const char *usage, const struct cli_option *options,
               size_t n_positional, const char **positional, int argc, char **argv,
               int *exit_status) {
    size_t n = 0;
    if (!cli_parse_some(verb, usage, options, n_positional, positional, &n, argc, argv,
                        exit_status)) {
        return false;
    }
    if (n < n_positional) {
        cli_usage(verb, "too few arguments; usage: nfsar %s %s", verb, usage);
        return false;
    }
    return true;
}

const char *cli_s(size_t n) {
    return n == 1 ? "" : "s";
}

int cli_fail(const nfsar_error *error) {
    cli_progress_end();
    fprintf(stderr, "nfsar: %s\n", error->message);
    return error->status == NFSAR_ERROR_ARGUMENT ? CLI_USAGE : CLI_FAILED;
}

/* Text with arguments of the command line in it, as one clean line. */
static void clean(nfsar_error *line, const char *format, va_list arguments) {
    char text[8192];
    vsnprintf(text, sizeof text, format, arguments);
    nfsar_fail(line, NFSAR_ERROR_ARGUMENT, "%s", text);
}

int cli_usage(const char *verb, const char *format, ...) {
    nfsar_error line;
    va_list arguments;
    va_start(arguments, format);
    clean(&line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "nfsar %s: %s (see nfsar %s --help)\n", verb, line.message, verb);
    return CLI_USAGE;
}

void cli_say(const char *format, ...) {
    if (common.quiet) {
        return;
    }
    cli_progress_end();
    nfsar_error line;
    va_list arguments;
    va_start(arguments, format);
    clean(&line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", line.message);
}
