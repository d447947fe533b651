/* Interrupts, the tick with its watchdog, reset, kept memory. */
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/board.h"

void core_tick_handler(void);

static struct {
    uint32_t ticks; /* 0: not started */
    volatile uint32_t left;
} watchdog;

void core_watchdog_start(uint32_t ticks) {
    watchdog.left = ticks;
    watchdog.ticks = ticks;
}

void core_watchdog_feed(void) {
    watchdog.left = watchdog.ticks;
}

static inline void count_down_watchdog(void) {
    uint32_t left = watchdog.left;
    if (!watchdog.ticks) {
        return;
    }
    if (left == 0) {
        core_reset(CORE_CAUSE_WATCHDOG);
    }
    watchdog.left = left - 1;
}

static struct {
    uint32_t counts_per_tick; /* 0: one for each interrupt */
    uint32_t due;             /* count at which the next tick is due */
} pace;

enum { TICKS_AT_ONCE = 64, TICKS_GIVEN_UP = 8192 };

static void tick_by_timer(void) {
    uint32_t late = board_count() - pace.due + pace.counts_per_tick / 2;
    if (late > 0x80000000u) {
        return;
    }
    if (late / pace.counts_per_tick > TICKS_GIVEN_UP) { /* the emulator stood still */
        pace.due += late;
        late = 0;
    }
    for (int i = 0; i < TICKS_AT_ONCE; i++) {
        board_on_tick();
        pace.due += pace.counts_per_tick;
        if (late < pace.counts_per_tick) {
            return;
        }
        late -= pace.counts_per_tick;
    }
}

uint32_t board_tick_count(void) {
    return pace.counts_per_tick ? pace.due : board_count();
}

void core_tick_handler(void) {
    count_down_watchdog();
    if (pace.counts_per_tick) {
        tick_by_timer();
    } else {
        board_on_tick();
    }
}

void core_tick_start(uint32_t reload, uint32_t counts_per_tick) {
    pace.counts_per_tick = counts_per_tick;
    pace.due = board_count() + counts_per_tick;
    SCB_SHPR3 = (SCB_SHPR3 & 0x00FFFFFFu) | (uint32_t)CORE_PRIORITY_TICK << 29;
    SYST_RVR = reload - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ON;
}

void core_interrupt_on(unsigned number, enum core_priority priority) {
    NVIC_IPR8(number) = (uint8_t)(priority << 5);
    NVIC_ISER(number / 32) = 1u << number % 32;
}

void core_interrupt_off(unsigned number) {
    NVIC_ICER(number / 32) = 1u << number % 32;
    __asm volatile("dsb\n isb" ::: "memory");
}

void board_idle(void) {
    __asm volatile("wfi" ::: "memory");
}

uint32_t board_lock(void) {
    uint32_t state;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(state)::"memory");
    return state;
}

void board_unlock(uint32_t state) {
    __asm volatile("msr primask, %0" ::"r"(state) : "memory");
}

/* In link_kept_board, which start-up leaves as it was. */
struct kept {
    uint32_t magic;
    uint32_t cause;
    uint32_t check;
};

#define KEPT_MAGIC 0x6E667361u

static volatile struct kept *kept(void) {
    return (volatile struct kept *)link_kept_board;
}

static void keep(enum core_cause cause) {
    kept()->magic = KEPT_MAGIC;
    kept()->cause = (uint32_t)cause;
    kept()->check = ~(KEPT_MAGIC ^ (uint32_t)cause);
}

enum core_cause core_take_cause(bool *warm) {
    uint32_t cause = kept()->cause;
    *warm = kept()->magic == KEPT_MAGIC && kept()->check == ~(KEPT_MAGIC ^ cause) &&
            cause <= CORE_CAUSE_WATCHDOG;
    keep(CORE_CAUSE_NONE);
    return *warm ? (enum core_cause)cause : CORE_CAUSE_NONE;
}

void core_reset(enum core_cause cause) {
    __asm volatile("cpsid i" ::: "memory");
    keep(cause);
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = SCB_AIRCR_RESET;
    __asm volatile("dsb" ::: "memory");
    for (;;) {
        __asm volatile("nop");
    }
}

void board_reset(void) {
    core_reset(CORE_CAUSE_SOFTWARE);
}

void *board_kept(void) {
    return link_kept;
}
