#include "firmware/app/clock.h"

void clock_init(struct clock *clock, uint32_t count_hz, uint32_t count) {
    clock->base = count;
    clock->count_hz = count_hz;
}

uint64_t clock_extend(const struct clock *clock, uint32_t count) {
    const int32_t after = (int32_t)(count - (uint32_t)clock->base);
    /* Nothing is older than the start: a stamp taken just before it counts as the start. */
    if (after < 0 && clock->base < (uint64_t)(-(int64_t)after)) {
        return 0;
    }
    return clock->base + (uint64_t)(int64_t)after;
}

void clock_advance(struct clock *clock, uint32_t count) {
    clock->base = clock_extend(clock, count);
}

uint64_t clock_ns(const struct clock *clock, uint64_t count) {
    const uint64_t seconds = count / clock->count_hz;
    const uint64_t rest = count % clock->count_hz;
    return seconds * UINT64_C(1000000000) + rest * UINT64_C(1000000000) / clock->count_hz;
}

uint64_t clock_stamp_ns(const struct clock *clock, uint32_t count) {
    return clock_ns(clock, clock_extend(clock, count));
}
