/* What the verbs of the nfsar command share: options, messages, progress, exit status. */
#ifndef NFSAR_HOST_CLI_H
#define NFSAR_HOST_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/* Exit status of the command (design, section 5). */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* How an option's argument is read into option.value. */
enum cli_kind {
    CLI_FLAG,   /* no argument; bool set to true */
    CLI_STRING, /* const char *, points into argv */
    CLI_NUMBER, /* double, finite */
    CLI_COUNT,  /* size_t */
    CLI_RANGE,  /* double[2]: MIN:MAX, finite, MIN < MAX */
    CLI_AXIS    /* nfsar_axis: MIN:MAX:COUNT, or one number for a single coordinate */
};

/* One option of a verb: --name ARGUMENT (or --name=ARGUMENT), and -letter when letter is not 0. */
struct cli_option {
    const char *name;
    char letter;
    enum cli_kind kind;
    void *value;
    bool *given;          /* set to true when the option is there; may be NULL */
    const char *argument; /* shown in the help, such as "FILE"; NULL for flags */
    const char *help;
};

/* One verb. run() gets the arguments after the verb's name. */
struct cli_verb {
    const char *name;
    const char *summary; /* one line for `nfsar --help` */
    int (*run)(int argc, char **argv);
};

/* Every verb, ended by a NULL name. */
extern const struct cli_verb cli_verbs[];

/* What to say of an option that the next cli_parse() does not know: whose it is, such as "is for
 * --align", or NULL. name is without dashes and not ended behind its length. */
typedef const char *cli_elsewhere(const char *name, size_t length);
void cli_options_elsewhere(cli_elsewhere *elsewhere);

/* Read options and exactly n_positional other arguments into positional[] (usage says which).
 * Every verb also takes --help, --quiet and --threads N. Returns true to go on; false when the
 * verb shall return *exit_status at once (help was shown, or usage was wrong and said so).
 * options ends with a NULL name. */
bool cli_parse(const char *verb, const char *usage, const struct cli_option *options,
               size_t n_positional, const char **positional, int argc, char **argv,
               int *exit_status);

/* The same for up to room other arguments, of which there may be any number; *n are there. */
bool cli_parse_some(const char *verb, const char *usage, const struct cli_option *options,
                    size_t room, const char **positional, size_t *n, int argc, char **argv,
                    int *exit_status);

/* --threads of the last cli_parse(), 0 when not given. */
int cli_threads(void);
/* --quiet of the last cli_parse(). */
bool cli_quiet(void);

/* "nfsar: message" on stderr in one line, and the exit status: CLI_USAGE when the status is
 * NFSAR_ERROR_ARGUMENT, else CLI_FAILED. */
int cli_fail(const nfsar_error *error);
/* "nfsar VERB: ... (see nfsar VERB --help)"; returns CLI_USAGE. */
int cli_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The plural's letter: "" for 1, else "s". */
const char *cli_s(size_t n);
/* A line for people on stderr, unless --quiet. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A progress bar on stderr when that is a terminal and --quiet is not given. */
const nfsar_progress *cli_progress(const char *label);
/* Clear the bar. */
void cli_progress_end(void);

/* The command line, for provenance: "nfsar VERB arguments". Static. */
const char *cli_command_line(void);

/* A finite number at the beginning of text; *end is behind it. */
bool cli_number(const char *text, const char **end, double *value);

#endif
