/* nfsar hub PORT watch: a line each second. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"

struct watch {
    uint64_t began_ms;
    uint64_t kinds[HUB_KINDS]; /* as of the last line */
    struct nfsar_hub_counters counters;
};

static double seconds(const struct watch *watch) {
    return (double)(hub_now_ms() - watch->began_ms) * 1e-3;
}

/* What is worth a line of its own at once. */
static void tell(struct hub_session *session, const struct nfsar_wire_message *record) {
    const struct watch *watch = session->context;
    char text[256];
    struct nfsar_wire_error error;
    switch (record->header.kind) {
    case NFSAR_WIRE_ERROR:
        if (nfsar_wire_unpack_error(&error, record->payload, record->bytes)) {
            printf("%8.1f s  %s: %s\n", seconds(watch), error.latched != 0 ? "ERROR" : "cleared",
                   error.latched != 0 ? hub_error_text(&error, text)
                                      : nfsar_wire_error_code_name(error.error));
        }
        break;
    case NFSAR_WIRE_PROGRAM:
        printf("%8.1f s  scan %u %s: row %" PRIu32 ", %" PRIu32 " of %" PRIu32 " triggers\n",
               seconds(watch), session->program.scan,
               nfsar_wire_program_state_name(session->program.state), session->program.row,
               session->program.triggers, session->program.planned);
        break;
    case NFSAR_WIRE_RADAR_TEXT:
        hub_copy_text(text, sizeof text, record->payload, record->bytes);
        printf("%8.1f s  radar: %s\n", seconds(watch), text);
        break;
    default:
        break;
    }
    fflush(stdout);
}

static void print_line(struct hub_session *session, struct watch *watch, double took_s) {
    struct nfsar_hub_counters now;
    nfsar_hub_counters(session->hub, &now);
    printf("%8.1f s ", seconds(watch));
    for (unsigned kind = NFSAR_WIRE_TRIGGER; kind < NFSAR_WIRE_RADAR; kind++) {
        const uint64_t more = session->kinds[kind] - watch->kinds[kind];
        if (more > 0 && kind != NFSAR_WIRE_SENSOR && kind != NFSAR_WIRE_PROGRAM) {
            printf(" %s %.0f/s", hub_kind_name(kind), (double)more / took_s);
        }
    }
    printf("  %.1f kB/s, lost %" PRIu64 " (%" PRIu64 " dropped on the hub), garbled %" PRIu64,
           (double)(now.bytes - watch->counters.bytes) / took_s * 1e-3, now.lost, now.dropped,
           now.bad);
    if (now.reconnects > 0) {
        printf(", back %" PRIu64 " times", now.reconnects);
    }
    if (session->has_status) {
        printf(", triggers %" PRIu32, session->status.triggers);
    }
    for (unsigned i = 0; i < HUB_AXES; i++) {
        char text[128];
        if (session->has_axis[i]) {
            printf(", %s", hub_axis_text(&session->axes[i], i, text));
        }
    }
    puts("");
    fflush(stdout);
    memcpy(watch->kinds, session->kinds, sizeof watch->kinds);
    watch->counters = now;
}

/* One second's records; a hub that restarted is greeted again. */
static enum nfsar_status one_second(struct hub_session *session, struct watch *watch,
                                    uint64_t limit_ms, nfsar_error *error) {
    bool reached = false;
    const uint64_t began = hub_now_ms();
    enum nfsar_status status = hub_wait(session, NULL, NULL, limit_ms, &reached, error);
    if (status == NFSAR_ERROR_DEVICE && nfsar_hub_restarted(session->hub)) {
        printf("%8.1f s  the hub restarted: %s\n", seconds(watch),
               nfsar_wire_reset_name(nfsar_hub_hello(session->hub)->reset));
        memset(session->has_axis, 0, sizeof session->has_axis);
        return nfsar_hub_greet(session->hub, error);
    }
    const double took_s = (double)(hub_now_ms() - began) * 1e-3;
    if (status == NFSAR_OK && took_s > 0.0 && !(hub_interrupted() && took_s < 0.5)) {
        print_line(session, watch, took_s);
    }
    return status;
}

/* Nothing moves by it, so a bare number may be seconds. False after saying what is wrong. */
static bool read_limit(const char *text, double *limit_s) {
    char *rest = NULL;
    uint64_t ns = 0;
    *limit_s = strtod(text, &rest);
    if (rest == text || *rest != '\0') {
        if (!hub_time("hub PORT watch", text, &ns)) {
            return false;
        }
        *limit_s = (double)ns * 1e-9;
    }
    if (!(*limit_s > 0.0 && *limit_s < 1e9)) {
        cli_usage("hub PORT watch", "--for %s: expected a time above 0", text);
        return false;
    }
    return true;
}

int hub_watch(const char *port, int argc, char **argv) {
    const char *limit = NULL;
    double limit_s = 0.0;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"for", 0, CLI_STRING, &limit, NULL, "TIME", "end after so long; a bare number is seconds"},
        {0},
    };
    if (!cli_parse("hub PORT watch", "[--for TIME]", options, 0, NULL, argc, argv, &exit_status)) {
        return exit_status;
    }
    const bool limited = limit != NULL;
    if (limited && !read_limit(limit, &limit_s)) {
        return CLI_USAGE;
    }
    hub_catch_interrupts();
    struct watch watch = {.began_ms = hub_now_ms()};
    struct hub_session session = {.also = tell, .context = &watch};
    nfsar_error error;
    enum nfsar_status status = hub_open(&session, port, &error);
    watch.began_ms = hub_now_ms();
    const uint64_t end = watch.began_ms + (uint64_t)(limit_s * 1e3);
    nfsar_hub *hub = session.hub;
    if (hub != NULL) {
        nfsar_hub_counters(hub, &watch.counters);
        memcpy(watch.kinds, session.kinds, sizeof watch.kinds);
    }
    while (status == NFSAR_OK && !hub_interrupted()) {
        const uint64_t now = hub_now_ms();
        if (limited && now >= end) {
            break;
        }
        status =
            one_second(&session, &watch, limited && end - now < 1000 ? end - now : 1000, &error);
    }
    hub_close(&session);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}
