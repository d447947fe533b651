/* The radar's command line against a scripted one. */
#include "tests/firmware/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "firmware/app/radar.h"

#define MS UINT64_C(1000000)

enum { STATES = 64 };

/* The radar's end of the line, and what the hub told. */
struct bench {
    struct radar radar;
    uint64_t now_ns;
    /* To the radar. */
    char got[20000];
    size_t got_bytes;
    size_t taken;   /* of got, by answers() */
    size_t at_once; /* bytes that the port takes in one call */
    uint32_t rate;
    bool listening; /* the CLI reads; what comes otherwise is lost */
    size_t overrun;
    /* From the radar. */
    char reply[70000];
    size_t reply_bytes, heard;
    /* Told. */
    struct nfsar_wire_radar states[STATES];
    char line[STATES][RADAR_TEXT_BYTES];
    size_t told;
    char said[200000];
    size_t said_bytes;
    bool held;
    unsigned boot;
    char pins[100]; /* "b1 h r ": what became of the pins, in order */
};

static bool port_read(void *context, uint8_t *byte, uint32_t *count) {
    struct bench *bench = context;
    *count = 0;
    if (bench->heard == bench->reply_bytes) {
        return false;
    }
    *byte = (uint8_t)bench->reply[bench->heard++];
    return true;
}

static size_t port_write(void *context, const uint8_t *from, size_t n) {
    struct bench *bench = context;
    n = n < bench->at_once ? n : bench->at_once;
    if (!bench->listening) {
        bench->overrun += n;
        return n;
    }
    memcpy(bench->got + bench->got_bytes, from, n);
    bench->got_bytes += n;
    return n;
}

static bool port_rate(void *context, uint32_t rate) {
    ((struct bench *)context)->rate = rate;
    return true;
}

static void tell_state(void *context, const struct nfsar_wire_radar *state, const char *text,
                       size_t n) {
    struct bench *bench = context;
    assert_true(bench->told < STATES);
    bench->states[bench->told] = *state;
    memcpy(bench->line[bench->told], text, n);
    bench->line[bench->told][n] = 0;
    bench->told++;
}

static void tell_said(void *context, const char *text, size_t n) {
    struct bench *bench = context;
    assert_in_range(n, 1, RADAR_LINE_BYTES);
    memcpy(bench->said + bench->said_bytes, text, n);
    bench->said_bytes += n;
    bench->said[bench->said_bytes++] = '\n';
    bench->said[bench->said_bytes] = 0;
}

static void set_reset(void *context, bool held) {
    struct bench *bench = context;
    bench->held = held;
    strcat(bench->pins, held ? "h " : "r ");
}

static void set_boot(void *context, unsigned sop) {
    struct bench *bench = context;
    const char text[4] = {'b', (char)('0' + sop), ' ', 0};
    bench->boot = sop;
    strcat(bench->pins, text);
}

static void release_boot(void *context) {
    strcat(((struct bench *)context)->pins, "l ");
}

static const struct serial_port *port_of(struct bench *bench) {
    static struct serial_port port;
    port = (struct serial_port){
        .read = port_read, .write = port_write, .set_rate = port_rate, .context = bench};
    return &port;
}

static struct bench *start(void) {
    static struct bench bench;
    memset(&bench, 0, sizeof bench);
    bench.now_ns = 5000 * MS;
    bench.at_once = SIZE_MAX;
    bench.listening = true;
    radar_init(
        &bench.radar, port_of(&bench),
        &(struct radar_events){tell_state, tell_said, set_reset, set_boot, release_boot, &bench});
    assert_int_equal(bench.rate, 115200);
    return &bench;
}

static void poll(struct bench *bench, unsigned ms) {
    for (unsigned i = 0; i < ms * 4; i++) {
        bench->now_ns += MS / 4;
        radar_poll(&bench->radar, bench->now_ns);
    }
}

/* The radar prints. */
static void print(struct bench *bench, const char *text) {
    const size_t n = strlen(text);
    assert_true(bench->reply_bytes + n < sizeof bench->reply);
    memcpy(bench->reply + bench->reply_bytes, text, n);
    bench->reply_bytes += n;
}

/* The radar prints a piece at a time. */
static void print_split(struct bench *bench, const char *text, size_t piece) {
    for (size_t i = 0, n = strlen(text); i < n; i += piece) {
        char part[64] = {0};
        memcpy(part, text + i, n - i < piece ? n - i : piece);
        print(bench, part);
        poll(bench, 1);
    }
}

/* The next whole line that the radar got, or NULL. */
static const char *got_line(struct bench *bench) {
    static char line[20000];
    const char *begin = bench->got + bench->taken;
    const char *end = memchr(begin, '\n', bench->got_bytes - bench->taken);
    if (end == NULL) {
        return NULL;
    }
    const size_t n = (size_t)(end - begin);
    memcpy(line, begin, n);
    line[n] = 0;
    bench->taken += n + 1;
    return line;
}

/* A radar as the SDK has it: echo, Done, and deaf until the prompt is out. */
static unsigned serve(struct bench *bench, unsigned most_ms) {
    unsigned lines = 0;
    for (unsigned ms = 0; ms < most_ms; ms++) {
        const char *line = got_line(bench);
        if (line != NULL) {
            lines++;
            bench->listening = false;
            print(bench, line);
            print(bench, "\r\nDone\n\r");
            poll(bench, 2);
            print(bench, "mmwDemo:/>");
            bench->listening = true;
        }
        poll(bench, 1);
    }
    return lines;
}

static enum nfsar_wire_result load(struct bench *bench, const char *text, size_t n) {
    for (size_t at = 0; at < n; at += 200) {
        const enum nfsar_wire_result result = radar_add(
            &bench->radar, (uint32_t)at, (const uint8_t *)text + at, n - at < 200 ? n - at : 200);
        if (result != NFSAR_WIRE_RESULT_DONE) {
            return result;
        }
    }
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result run(struct bench *bench, const char *text, uint16_t timeout_ms) {
    const size_t n = strlen(text);
    const enum nfsar_wire_result result = load(bench, text, n);
    if (result != NFSAR_WIRE_RESULT_DONE) {
        return result;
    }
    const struct nfsar_wire_do_radar_run what = {
        (uint32_t)n, nfsar_wire_crc32(0, (const uint8_t *)text, n), timeout_ms};
    return radar_run(&bench->radar, &what, bench->now_ns);
}

static const struct nfsar_wire_radar *last(const struct bench *bench) {
    assert_true(bench->told > 0);
    return &bench->states[bench->told - 1];
}

static const char cfg[] = "% a comment\r\n"
                          "sensorStop\r\n"
                          "\r\n"
                          "   \t \r\n"
                          "  flushCfg  \r\n"
                          "\r\n"
                          "%% another\r\n"
                          "profileCfg 0 77 7 3 39 0 0 100 1 224 7000 0 0 30\n"
                          "sensorStart";

static void a_cfg_goes_line_by_line(void **state) {
    (void)state;
    struct bench *bench = start();
    assert_int_equal(run(bench, cfg, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SENDING);
    assert_int_equal(last(bench)->line, 2);
    assert_int_equal(last(bench)->lines, 0);
    assert_int_equal(last(bench)->took_ms, 0);
    assert_int_equal(serve(bench, 500), 4);
    const char want[] = "sensorStop\nflushCfg\nprofileCfg 0 77 7 3 39 0 0 100 1 224 7000 0 0 30\n"
                        "sensorStart\n";
    assert_int_equal(bench->got_bytes, sizeof want - 1);
    assert_memory_equal(bench->got, want, sizeof want - 1);
    assert_int_equal(bench->overrun, 0);
    assert_int_equal(bench->told, 2);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
    assert_int_equal(last(bench)->lines, 4);
    assert_int_equal(last(bench)->line, 9);
    /* Echoes and answers were passed on, prompts were not. */
    assert_non_null(strstr(bench->said, "sensorStop\nDone\nflushCfg\nDone\nprofileCfg"));
    assert_null(strstr(bench->said, ":/>"));
    /* Again, as it is. */
    const struct nfsar_wire_do_radar_run again = {
        sizeof cfg - 1, nfsar_wire_crc32(0, (const uint8_t *)cfg, sizeof cfg - 1), 0};
    assert_int_equal(radar_run(&bench->radar, &again, bench->now_ns), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(serve(bench, 500), 4);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
}

/* What is said while the radar prints is lost to it: nothing goes out before the prompt. */
static void nothing_goes_out_before_the_prompt(void **state) {
    (void)state;
    struct bench *bench = start();
    assert_int_equal(run(bench, "a\nb\nc\n", 0), NFSAR_WIRE_RESULT_DONE);
    assert_string_equal(got_line(bench), "a");
    print(bench, "a\r\nDone\r\n");
    poll(bench, RADAR_PROMPT_MS / 2);
    assert_null(got_line(bench));
    print(bench, "mmwDemo:");
    poll(bench, 1);
    print(bench, "/");
    poll(bench, 1);
    assert_null(got_line(bench));
    print(bench, ">");
    poll(bench, 1);
    assert_string_equal(got_line(bench), "b");
    /* A command line without a prompt only goes slower. */
    print(bench, "Done\n");
    poll(bench, RADAR_PROMPT_MS - 1);
    assert_null(got_line(bench));
    poll(bench, 2);
    assert_string_equal(got_line(bench), "c");
    print(bench, "Done\n");
    poll(bench, 1);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
    /* Nor does the first line of what is sent next. */
    assert_int_equal(radar_say(&bench->radar, (const uint8_t *)"d", 1, bench->now_ns),
                     NFSAR_WIRE_RESULT_DONE);
    assert_null(got_line(bench));
    print(bench, "mmwDemo:/>");
    poll(bench, 1);
    assert_string_equal(got_line(bench), "d");
}

static void a_refused_line_ends_it(void **state) {
    (void)state;
    static const struct {
        const char *answer;
        bool refused;
    } answers[] = {
        {"Error -1\n", true},
        {"Error: Invalid usage of the CLI command\r\nError -1\r\n", true},
        {"'flushCfg' is not recognized as a CLI command\r\n", true},
        {"Errol\n", false},
        {"Ignored: Error is a word\n", false},
        {"Done.\n", false},
        {"NotDone\n", false},
        {"it is not recognized as a CLI command, they say\n", false},
        {"\r\n\n\r\r", false},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct bench *bench = start();
        assert_int_equal(run(bench, "% x\nsensorStop\nflushCfg 7\nmore\n", 0),
                         NFSAR_WIRE_RESULT_DONE);
        print(bench, "sensorStop\nDone\nmmwDemo:/>");
        poll(bench, 100);
        assert_string_equal(got_line(bench), "sensorStop");
        assert_string_equal(got_line(bench), "flushCfg 7");
        print(bench, answers[i].answer);
        poll(bench, 1);
        if (!answers[i].refused) {
            assert_int_equal(bench->told, 1);
            poll(bench, 1001);
            assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SILENT);
            continue;
        }
        assert_int_equal(bench->told, 2);
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_REFUSED);
        assert_int_equal(last(bench)->line, 3);
        assert_int_equal(last(bench)->lines, 1);
        assert_in_range(last(bench)->took_ms, 95, 105);
        assert_string_equal(bench->line[1], "flushCfg 7");
        poll(bench, 2000);
        assert_null(got_line(bench));
        assert_int_equal(bench->told, 2);
    }
}

static void silence_ends_it(void **state) {
    (void)state;
    static const uint16_t timeouts[] = {0, 1, 250, 1000, 65535};
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        struct bench *bench = start();
        const unsigned ms = timeouts[i] > 0 ? timeouts[i] : RADAR_TIMEOUT_MS;
        assert_int_equal(run(bench, "\n\nsensorStart\n", timeouts[i]), NFSAR_WIRE_RESULT_DONE);
        poll(bench, ms);
        assert_int_equal(bench->told, 1);
        print(bench, "sensorStart\r\nDon");
        poll(bench, 1);
        assert_int_equal(bench->told, 2);
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SILENT);
        assert_int_equal(last(bench)->line, 3);
        assert_string_equal(bench->line[1], "sensorStart");
        assert_int_equal(last(bench)->took_ms, ms);
    }
}

/* The answer to a line given up comes late; it is not that of the next one. */
static void a_late_answer_is_of_the_line_given_up(void **state) {
    (void)state;
    for (unsigned cancelled = 0; cancelled < 2; cancelled++) {
        struct bench *bench = start();
        assert_int_equal(run(bench, "slow\nnext\n", 100), NFSAR_WIRE_RESULT_DONE);
        assert_string_equal(got_line(bench), "slow");
        if (cancelled) {
            radar_cancel(&bench->radar, bench->now_ns);
            assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_CANCELLED);
            assert_string_equal(bench->line[1], "slow");
        } else {
            poll(bench, 101);
            assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SILENT);
        }
        assert_int_equal(run(bench, "first\nsecond\n", 100), NFSAR_WIRE_RESULT_DONE);
        poll(bench, 150);
        assert_null(got_line(bench));
        print(bench, "Done\r\n");
        poll(bench, 5);
        print(bench, "mmwDemo:/>");
        poll(bench, 1);
        assert_string_equal(got_line(bench), "first");
        assert_null(got_line(bench));
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SENDING);
        /* And a radar that never answers is asked all the same. */
        poll(bench, 101);
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SILENT);
        assert_int_equal(run(bench, "third\n", 100), NFSAR_WIRE_RESULT_DONE);
        poll(bench, RADAR_LATE_MS - 2);
        assert_null(got_line(bench));
        poll(bench, 3);
        assert_string_equal(got_line(bench), "third");
        poll(bench, 101);
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SILENT);
    }
}

static void any_cut_of_what_the_radar_prints_is_the_same(void **state) {
    (void)state;
    for (size_t piece = 1; piece < 40; piece++) {
        struct bench *bench = start();
        assert_int_equal(run(bench, "a\nb\n", 0), NFSAR_WIRE_RESULT_DONE);
        print_split(bench, "a\r\nsome output\r\nDone\r\nmmwDemo:/>", piece);
        poll(bench, 1);
        assert_string_equal(got_line(bench), "a");
        assert_string_equal(got_line(bench), "b");
        print_split(bench, "b\r\nError -1\r\nmmwDemo:/>", piece);
        poll(bench, 1);
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_REFUSED);
        assert_string_equal(bench->said, "a\nsome output\nDone\nb\nError -1\n");
    }
}

static void a_port_may_take_a_byte_at_a_time(void **state) {
    (void)state;
    for (size_t at_once = 0; at_once < 5; at_once++) {
        struct bench *bench = start();
        bench->at_once = at_once;
        assert_int_equal(run(bench, "profileCfg 1 2 3\nb\n", 0), NFSAR_WIRE_RESULT_DONE);
        if (at_once == 0) {
            poll(bench, RADAR_TIMEOUT_MS + 1);
            assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SILENT);
            assert_int_equal(bench->got_bytes, 0);
            continue;
        }
        poll(bench, 1);
        /* An answer to half a line is none. */
        print(bench, "Done\nmmwDemo:/>");
        poll(bench, at_once == 1 ? 1 : 0);
        poll(bench, 10);
        assert_int_equal(serve(bench, 200), 2);
        const char want[] = "profileCfg 1 2 3\nb\n";
        assert_int_equal(bench->got_bytes, sizeof want - 1);
        assert_memory_equal(bench->got, want, sizeof want - 1);
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
        assert_int_equal(last(bench)->lines, 2);
    }
}

static void very_long_lines_are_cut(void **state) {
    (void)state;
    struct bench *bench = start();
    char line[2001];
    memset(line, 'x', 2000);
    line[2000] = 0;
    print(bench, line);
    print(bench, "\n");
    poll(bench, 10);
    assert_int_equal(bench->said_bytes, RADAR_LINE_BYTES + 1);
    /* And without an end they are nothing, whatever follows. */
    assert_int_equal(run(bench, "a\nb\n", 0), NFSAR_WIRE_RESULT_DONE);
    for (unsigned i = 0; i < 20; i++) {
        print(bench, line);
        poll(bench, 5);
    }
    print(bench, "\nDone\n");
    poll(bench, 30);
    assert_string_equal(got_line(bench), "a");
    assert_string_equal(got_line(bench), "b");
}

static void garbage_is_passed_on_and_means_nothing(void **state) {
    (void)state;
    uint32_t seed = 3;
    struct bench *bench = start();
    assert_int_equal(run(bench, "a\nb\n", 0), NFSAR_WIRE_RESULT_DONE);
    for (unsigned i = 0; i < 20000; i++) {
        const uint8_t byte = (uint8_t)noise(&seed);
        bench->reply[bench->reply_bytes++] = (char)(byte == 'E' ? 'e' : byte);
    }
    poll(bench, 100);
    assert_int_equal(bench->told, 1);
    assert_string_equal(got_line(bench), "a");
    assert_null(got_line(bench));
    print(bench, "\nDone\n");
    poll(bench, 30);
    assert_string_equal(got_line(bench), "b");
    assert_true(bench->said_bytes > 10000);
}

static void what_comes_while_idle_is_passed_on(void **state) {
    (void)state;
    struct bench *bench = start();
    print(bench, "Debug: started\r\nDone\r\nError -4\r\nhalf a li");
    poll(bench, 100);
    assert_string_equal(bench->said, "Debug: started\nDone\nError -4\n");
    assert_int_equal(bench->told, 0);
    /* The half line is no part of the answer. */
    assert_int_equal(run(bench, "a\n", 0), NFSAR_WIRE_RESULT_DONE);
    print(bench, "Done\n");
    poll(bench, 1);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
}

static void a_text_of_all_the_room_there_is(void **state) {
    (void)state;
    static char text[RADAR_TEXT_BYTES + 2];
    struct bench *bench = start();
    unsigned lines = 0;
    for (size_t i = 0; i < RADAR_TEXT_BYTES; i++) {
        text[i] = i % 60 == 59 ? '\n' : (char)('a' + i % 7);
        lines += text[i] == '\n';
    }
    assert_int_equal(run(bench, text, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(serve(bench, 2000), lines + 1);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
    assert_int_equal(last(bench)->lines, lines + 1);
    assert_int_equal(bench->got_bytes, RADAR_TEXT_BYTES + 1);
    assert_memory_equal(bench->got, text, RADAR_TEXT_BYTES);
    /* One byte more does not fit. */
    text[RADAR_TEXT_BYTES] = 'z';
    assert_int_equal(run(bench, text, 0), NFSAR_WIRE_RESULT_FULL);
    assert_int_equal(radar_add(&bench->radar, 0, (const uint8_t *)text, RADAR_TEXT_BYTES + 1),
                     NFSAR_WIRE_RESULT_FULL);
    /* One line as long as that. */
    memset(text, 'q', RADAR_TEXT_BYTES);
    text[RADAR_TEXT_BYTES] = 0;
    assert_int_equal(run(bench, text, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(serve(bench, 50), 1);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
}

static void pieces_come_in_order(void **state) {
    (void)state;
    struct bench *bench = start();
    const uint8_t *text = (const uint8_t *)"abcdef";
    assert_int_equal(radar_add(&bench->radar, 3, text, 3), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_add(&bench->radar, 0, text, 3), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(radar_add(&bench->radar, 2, text, 3), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_add(&bench->radar, 4, text, 3), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_add(&bench->radar, UINT32_MAX, text, 3), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_add(&bench->radar, 3, text + 3, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(radar_add(&bench->radar, 3, text + 3, 3), NFSAR_WIRE_RESULT_DONE);
    assert_memory_equal(bench->radar.text, text, 6);
    /* What is run must be what was meant. */
    struct nfsar_wire_do_radar_run what = {6, nfsar_wire_crc32(0, text, 6), 0};
    what.crc ^= 1;
    assert_int_equal(radar_run(&bench->radar, &what, 0), NFSAR_WIRE_RESULT_VALUE);
    what.crc ^= 1;
    what.bytes = 5;
    assert_int_equal(radar_run(&bench->radar, &what, 0), NFSAR_WIRE_RESULT_VALUE);
    what.bytes = 6;
    assert_int_equal(radar_run(&bench->radar, &what, bench->now_ns), NFSAR_WIRE_RESULT_DONE);
    /* Nothing is changed while it is sent. */
    assert_int_equal(radar_add(&bench->radar, 0, text, 3), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(radar_run(&bench->radar, &what, 0), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(radar_say(&bench->radar, text, 3, 0), NFSAR_WIRE_RESULT_STATE);
    /* Offset 0 begins anew. */
    radar_cancel(&bench->radar, bench->now_ns);
    assert_int_equal(radar_add(&bench->radar, 0, text, 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench->radar.bytes, 1);
}

static void nothing_to_say_is_no_cfg(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n", "   ", "% only\n%comments", "\r\n\t\r\n \r"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bench *bench = start();
        /* An empty text is never loaded: the buffer is as empty. */
        assert_int_equal(run(bench, texts[i], 0), NFSAR_WIRE_RESULT_VALUE);
        assert_int_equal(bench->told, 0);
        poll(bench, 1100);
        assert_int_equal(bench->got_bytes, 0);
        assert_int_equal(bench->told, 0);
    }
}

static void one_line_of_its_own(void **state) {
    (void)state;
    struct bench *bench = start();
    assert_int_equal(load(bench, cfg, sizeof cfg - 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(radar_say(&bench->radar, (const uint8_t *)" version ", 9, bench->now_ns),
                     NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(serve(bench, 20), 1);
    assert_memory_equal(bench->got, "version\n", 8);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_DONE);
    assert_int_equal(last(bench)->line, 0);
    assert_int_equal(last(bench)->lines, 1);
    /* It has taken the place of the .cfg: that must be loaded again, from its beginning. */
    const struct nfsar_wire_do_radar_run old = {
        sizeof cfg - 1, nfsar_wire_crc32(0, (const uint8_t *)cfg, sizeof cfg - 1), 0};
    assert_int_equal(radar_run(&bench->radar, &old, 0), NFSAR_WIRE_RESULT_VALUE);
    const struct nfsar_wire_do_radar_run line = {
        9, nfsar_wire_crc32(0, (const uint8_t *)" version ", 9), 0};
    assert_int_equal(radar_run(&bench->radar, &line, 0), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_add(&bench->radar, 9, (const uint8_t *)"x", 1), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(run(bench, cfg, 0), NFSAR_WIRE_RESULT_DONE);
    radar_cancel(&bench->radar, bench->now_ns);
    /* Two lines, or none, are not one. */
    assert_int_equal(radar_say(&bench->radar, (const uint8_t *)"a\nb", 3, 0),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_say(&bench->radar, (const uint8_t *)"a\rb", 3, 0),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_say(&bench->radar, (const uint8_t *)"   ", 3, 0),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(radar_say(&bench->radar, (const uint8_t *)"% a", 3, 0),
                     NFSAR_WIRE_RESULT_VALUE);
}

static void cancelling_gives_up(void **state) {
    (void)state;
    struct bench *bench = start();
    radar_cancel(&bench->radar, bench->now_ns);
    assert_int_equal(bench->told, 0);
    assert_int_equal(run(bench, "one\ntwo\n", 0), NFSAR_WIRE_RESULT_DONE);
    poll(bench, 7);
    radar_cancel(&bench->radar, bench->now_ns);
    assert_int_equal(bench->told, 2);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_CANCELLED);
    assert_int_equal(last(bench)->line, 1);
    assert_int_equal(last(bench)->took_ms, 7);
    assert_string_equal(bench->line[1], "one");
    radar_cancel(&bench->radar, bench->now_ns);
    poll(bench, 3000);
    assert_int_equal(bench->told, 2);
}

static enum nfsar_wire_result reset(struct bench *bench, uint8_t sop, uint8_t hold,
                                    uint16_t low_ms) {
    const struct nfsar_wire_do_radar_reset what = {sop, hold, low_ms};
    return radar_reset(&bench->radar, &what, bench->now_ns);
}

static void a_reset_waits_for_the_prompt(void **state) {
    (void)state;
    struct bench *bench = start();
    assert_int_equal(run(bench, "\n\na\n", 0), NFSAR_WIRE_RESULT_DONE);
    assert_string_equal(got_line(bench), "a");
    assert_int_equal(reset(bench, 1, 0, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench->states[1].state, NFSAR_WIRE_RADAR_CANCELLED);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_RESETTING);
    assert_int_equal(last(bench)->line, 0);
    assert_int_equal(last(bench)->lines, 0);
    assert_string_equal(bench->pins, "b1 h ");
    assert_int_equal(run(bench, cfg, 0), NFSAR_WIRE_RESULT_STATE);
    poll(bench, 9);
    /* Noise of the line while the radar is held is no prompt. */
    print(bench, "x:/>");
    poll(bench, 0);
    radar_poll(&bench->radar, bench->now_ns);
    assert_string_equal(bench->pins, "b1 h ");
    poll(bench, 1);
    assert_string_equal(bench->pins, "b1 h r ");
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_RESETTING);
    print(bench, "\r\nMMW Demo 02.01.00.04\r\nDone\r\n***\r\nmmwDemo:/>");
    poll(bench, 1);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_IDLE);
    assert_int_equal(last(bench)->took_ms, 10);
    assert_non_null(strstr(bench->said, "MMW Demo 02.01.00.04\nDone\n***\n"));
    assert_int_equal(run(bench, cfg, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(serve(bench, 100), 4);
}

static void a_reset_without_a_prompt_is_silence(void **state) {
    (void)state;
    struct bench *bench = start();
    assert_int_equal(reset(bench, 1, 0, 200), NFSAR_WIRE_RESULT_DONE);
    poll(bench, 199);
    assert_true(bench->held);
    poll(bench, 1);
    assert_false(bench->held);
    poll(bench, RADAR_BOOT_MS);
    assert_int_equal(bench->told, 1);
    poll(bench, 1);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_SILENT);
    assert_int_equal(last(bench)->line, 0);
    assert_int_equal(last(bench)->took_ms, 5200);
    assert_string_equal(bench->line[1], "");
}

/* Only the functional mode has a command line. */
static void other_modes_of_booting(void **state) {
    (void)state;
    static const unsigned sops[] = {3, 5};
    for (size_t i = 0; i < 2; i++) {
        struct bench *bench = start();
        assert_int_equal(reset(bench, (uint8_t)sops[i], 0, 1), NFSAR_WIRE_RESULT_DONE);
        assert_int_equal(bench->boot, sops[i]);
        poll(bench, 2);
        assert_false(bench->held);
        assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_IDLE);
    }
    for (unsigned sop = 0; sop < 256; sop++) {
        struct bench *bench = start();
        const bool good = sop == 1 || sop == 3 || sop == 5;
        assert_int_equal(reset(bench, (uint8_t)sop, 1, 0),
                         good ? NFSAR_WIRE_RESULT_DONE : NFSAR_WIRE_RESULT_VALUE);
        assert_int_equal(bench->told, good);
    }
}

static void a_held_radar_is_told_nothing(void **state) {
    (void)state;
    struct bench *bench = start();
    assert_int_equal(reset(bench, 1, 1, 0), NFSAR_WIRE_RESULT_DONE);
    poll(bench, 20);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_IDLE);
    assert_true(bench->held);
    assert_int_equal(run(bench, cfg, 0), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(radar_say(&bench->radar, (const uint8_t *)"a", 1, 0), NFSAR_WIRE_RESULT_STATE);
    radar_cancel(&bench->radar, bench->now_ns);
    poll(bench, 6000);
    assert_true(bench->held);
    assert_int_equal(bench->told, 2);
    assert_int_equal(reset(bench, 1, 0, 0), NFSAR_WIRE_RESULT_DONE);
    poll(bench, 11);
    assert_false(bench->held);
    print(bench, "mmwDemo:/>");
    poll(bench, 1);
    assert_int_equal(run(bench, cfg, 0), NFSAR_WIRE_RESULT_DONE);
}

/* A reset given up leaves the radar running; one that begins anew keeps it in reset throughout. */
static void resets_given_up(void **state) {
    (void)state;
    struct bench *bench = start();
    assert_int_equal(reset(bench, 3, 0, 100), NFSAR_WIRE_RESULT_DONE);
    radar_cancel(&bench->radar, bench->now_ns);
    assert_int_equal(last(bench)->state, NFSAR_WIRE_RADAR_CANCELLED);
    assert_string_equal(bench->pins, "b3 h r ");
    bench = start();
    assert_int_equal(reset(bench, 3, 1, 100), NFSAR_WIRE_RESULT_DONE);
    radar_cancel(&bench->radar, bench->now_ns);
    assert_string_equal(bench->pins, "b3 h ");
    bench = start();
    assert_int_equal(reset(bench, 3, 0, 100), NFSAR_WIRE_RESULT_DONE);
    poll(bench, 50);
    assert_int_equal(reset(bench, 1, 0, 100), NFSAR_WIRE_RESULT_DONE);
    assert_string_equal(bench->pins, "b3 h b1 h ");
    poll(bench, 99);
    assert_true(bench->held);
    poll(bench, 2);
    assert_false(bench->held);
}

/* The boot pins are held while NRESET rises and let go soon after, whether the radar speaks or not:
 * it drives them itself. */
static void boot_pins_are_let_go(void **state) {
    (void)state;
    static const uint8_t sops[] = {1, 3, 5};
    for (size_t i = 0; i < sizeof sops; i++) {
        struct bench *bench = start();
        char pins[16];
        reset(bench, sops[i], 0, 20);
        poll(bench, 24);
        snprintf(pins, sizeof pins, "b%u h r ", sops[i]);
        assert_string_equal(bench->pins, pins);
        poll(bench, 2);
        strcat(pins, "l ");
        assert_string_equal(bench->pins, pins);
        poll(bench, 100);
        assert_string_equal(bench->pins, pins);
    }
    struct bench *bench = start();
    reset(bench, 5, 0, 100);
    poll(bench, 10);
    radar_cancel(&bench->radar, bench->now_ns);
    poll(bench, 4);
    assert_string_equal(bench->pins, "b5 h r ");
    poll(bench, 2);
    assert_string_equal(bench->pins, "b5 h r l ");
    reset(bench, 1, 2, 0);
    assert_string_equal(bench->pins, "b5 h r l "); /* a `hold` that cannot be */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cfg_goes_line_by_line),
        cmocka_unit_test(nothing_goes_out_before_the_prompt),
        cmocka_unit_test(a_refused_line_ends_it),
        cmocka_unit_test(silence_ends_it),
        cmocka_unit_test(a_late_answer_is_of_the_line_given_up),
        cmocka_unit_test(any_cut_of_what_the_radar_prints_is_the_same),
        cmocka_unit_test(a_port_may_take_a_byte_at_a_time),
        cmocka_unit_test(very_long_lines_are_cut),
        cmocka_unit_test(garbage_is_passed_on_and_means_nothing),
        cmocka_unit_test(what_comes_while_idle_is_passed_on),
        cmocka_unit_test(a_text_of_all_the_room_there_is),
        cmocka_unit_test(pieces_come_in_order),
        cmocka_unit_test(nothing_to_say_is_no_cfg),
        cmocka_unit_test(one_line_of_its_own),
        cmocka_unit_test(cancelling_gives_up),
        cmocka_unit_test(a_reset_waits_for_the_prompt),
        cmocka_unit_test(a_reset_without_a_prompt_is_silence),
        cmocka_unit_test(other_modes_of_booting),
        cmocka_unit_test(a_held_radar_is_told_nothing),
        cmocka_unit_test(resets_given_up),
        cmocka_unit_test(boot_pins_are_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
