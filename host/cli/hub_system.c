/* nfsar hub PORT clear, crash, restart. */
#include <inttypes.h>
#include <stdio.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"
#include "host/cli/info.h"

void hub_print_crash(const struct nfsar_wire_crash *crash, const struct nfsar_wire_hello *hello) {
    const uint32_t *r = crash->registers;
    char board[17];
    hub_copy_text(board, sizeof board, hello->board, sizeof hello->board);
    info_label("crash");
    printf("%s, %.3f s after its start, in: %s; %" PRIu32 " crash%s since power came\n",
           nfsar_wire_exception_name(crash->exception), (double)crash->uptime_ns * 1e-9,
           nfsar_wire_place_name(crash->place), crash->crashes, crash->crashes == 1 ? "" : "es");
    if (crash->exception == NFSAR_WIRE_EXCEPTION_WATCHDOG) {
        return;
    }
    info_label("");
    printf("pc %08" PRIx32 "  lr %08" PRIx32 "  psr %08" PRIx32 "  cfsr %08" PRIx32
           "  hfsr %08" PRIx32 "  address %08" PRIx32 "\n",
           r[6], r[5], r[7], crash->cfsr, crash->hfsr, crash->address);
    info_label("");
    printf("r0 %08" PRIx32 "  r1 %08" PRIx32 "  r2 %08" PRIx32 "  r3 %08" PRIx32 "  r12 %08" PRIx32
           "\n",
           r[0], r[1], r[2], r[3], r[4]);
    info_label("");
    /* The return address follows the call. */
    printf("arm-none-eabi-addr2line -fe hub-%s.elf 0x%08" PRIx32 " 0x%08" PRIx32 "\n", board, r[6],
           (r[5] & ~1U) - 2);
}

/* No other arguments, no options. */
static bool parse_nothing(const char *form, int argc, char **argv, int *exit_status) {
    const struct cli_option options[] = {{0}};
    return cli_parse(form, "", options, 0, NULL, argc, argv, exit_status);
}

/* The end of every form that opened a session. */
static int ended(struct hub_session *session, enum nfsar_status status, const nfsar_error *error) {
    hub_close(session);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(error);
}

int hub_clear(const char *port, int argc, char **argv) {
    int exit_status = CLI_USAGE;
    if (!parse_nothing("hub PORT clear", argc, argv, &exit_status)) {
        return exit_status;
    }
    struct hub_session session = {0};
    nfsar_error error;
    struct nfsar_hub_reply reply;
    const struct nfsar_wire_do_clear clear = {UINT32_MAX};
    uint8_t payload[NFSAR_WIRE_DO_CLEAR_BYTES];
    enum nfsar_status status = hub_open(&session, port, &error);
    unsigned before = 0;
    for (unsigned i = 0; i < HUB_ERRORS; i++) {
        before += session.has_error[i];
    }
    if (status == NFSAR_OK) {
        status = nfsar_hub_do(session.hub, NFSAR_WIRE_DO_CLEAR, 0, payload,
                              nfsar_wire_pack_do_clear(payload, &clear), &reply, &error);
    }
    if (status == NFSAR_OK && reply.bytes >= sizeof(uint32_t)) {
        const uint8_t *at = reply.payload;
        const uint32_t latched = nfsar_wire_get_u32(&at);
        unsigned left = 0;
        for (unsigned i = 0; i < HUB_ERRORS; i++) {
            left += latched >> i & 1U;
            if ((latched >> i & 1U) != 0) {
                printf("still latched: %s\n", nfsar_wire_error_code_name(i));
            }
        }
        printf("%u error%s cleared\n", before - (left < before ? left : before),
               cli_s(before - (left < before ? left : before)));
    }
    return ended(&session, status, &error);
}

int hub_crash(const char *port, int argc, char **argv) {
    bool forget = false;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"forget", 0, CLI_FLAG, &forget, NULL, NULL, "and forget it"},
        {0},
    };
    if (!cli_parse("hub PORT crash", "[--forget]", options, 0, NULL, argc, argv, &exit_status)) {
        return exit_status;
    }
    struct hub_session session = {0};
    nfsar_error error;
    const struct nfsar_wire_do_crash crash = {1};
    uint8_t payload[NFSAR_WIRE_DO_CRASH_BYTES];
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK && session.has_crash) {
        hub_print_crash(&session.crash, nfsar_hub_hello(session.hub));
    } else if (status == NFSAR_OK) {
        puts("no crash is recorded");
    }
    if (status == NFSAR_OK && forget) {
        status = hub_command(&session, NFSAR_WIRE_DO_CRASH, 0, payload,
                             nfsar_wire_pack_do_crash(payload, &crash), &error);
    }
    return ended(&session, status, &error);
}

static bool is_back(void *context) {
    const struct hub_session *session = context;
    return nfsar_hub_restarted(session->hub);
}

int hub_restart(const char *port, int argc, char **argv) {
    enum { BACK_MS = 5000 };
    int exit_status = CLI_USAGE;
    if (!parse_nothing("hub PORT restart", argc, argv, &exit_status)) {
        return exit_status;
    }
    struct hub_session session = {0};
    nfsar_error error;
    const struct nfsar_wire_do_restart restart = {NFSAR_WIRE_MAGIC};
    uint8_t payload[NFSAR_WIRE_DO_RESTART_BYTES];
    bool back = false;
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = hub_command(&session, NFSAR_WIRE_DO_RESTART, 0, payload,
                             nfsar_wire_pack_do_restart(payload, &restart), &error);
    }
    if (status == NFSAR_OK) {
        status = hub_wait(&session, is_back, &session, BACK_MS, &back, &error);
    }
    if (status == NFSAR_OK && !back) {
        status = nfsar_fail(&error, NFSAR_ERROR_DEVICE,
                            "%s: the hub did not come back within %d s after its restart", port,
                            BACK_MS / 1000);
    }
    if (status == NFSAR_OK) {
        printf("restarted; %" PRIu32 " starts since power came\n",
               nfsar_hub_hello(session.hub)->starts);
    }
    return ended(&session, status, &error);
}
