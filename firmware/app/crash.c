#include "firmware/app/crash.h"

#include <stddef.h>
#include <string.h>

enum { MARK = 0x6e667372 };

/* In board_kept(). `place` and `uptime_ns` change all the time and are not summed: they mean
 * something only while the rest is whole. */
struct kept {
    uint32_t mark;
    uint32_t starts;
    uint32_t crashes;
    uint32_t crashed; /* 1: `fault` and `at` hold a crash */
    struct board_fault fault;
    uint32_t at_place;
    uint64_t at_ns;
    uint32_t sum;
    uint32_t place;
    uint64_t uptime_ns;
};

_Static_assert(sizeof(struct kept) <= BOARD_KEPT_BYTES, "the board keeps fewer bytes");

static struct kept *kept(void) {
    return board_kept();
}

static uint32_t sum_of(const struct kept *what) {
    return nfsar_wire_crc32(0, (const uint8_t *)what, offsetof(struct kept, sum));
}

static void seal(struct kept *what) {
    what->sum = sum_of(what);
}

static void store(struct kept *what, const struct board_fault *fault) {
    what->fault = *fault;
    what->at_place = what->place;
    what->at_ns = what->uptime_ns;
    what->crashed = 1;
    what->crashes++;
    seal(what);
}

void crash_start(enum board_reset_cause cause) {
    struct kept *what = kept();
    if (what->mark != MARK || what->sum != sum_of(what)) {
        memset(what, 0, sizeof *what);
        what->mark = MARK;
    } else if (cause == BOARD_RESET_WATCHDOG) {
        store(what, &(struct board_fault){0});
    }
    what->starts++;
    what->place = PLACE_START;
    what->uptime_ns = 0;
    seal(what);
}

uint32_t crash_starts(void) {
    return kept()->starts;
}

bool crash_read(struct nfsar_wire_crash *crash) {
    const struct kept *what = kept();
    if (what->crashed == 0) {
        return false;
    }
    const struct board_fault *f = &what->fault;
    *crash = (struct nfsar_wire_crash){
        .exception = f->exception,
        .registers = {f->r0, f->r1, f->r2, f->r3, f->r12, f->lr, f->pc, f->psr},
        .cfsr = f->cfsr,
        .hfsr = f->hfsr,
        .address = f->fault_address,
        .uptime_ns = what->at_ns,
        .place = what->at_place,
        .crashes = what->crashes};
    return true;
}

void crash_forget(void) {
    kept()->crashed = 0;
    seal(kept());
}

void crash_place(enum place place, uint64_t uptime_ns) {
    kept()->place = place;
    kept()->uptime_ns = uptime_ns;
}

void board_on_fault(const struct board_fault *fault) {
    store(kept(), fault);
    board_reset();
}
