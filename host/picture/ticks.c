#include "host/picture/ticks.h"

#include <math.h>
#include <stdio.h>

/* The smallest of 1, 2, 5, 10 times a power of ten that is not below `least`. */
static double round_step(double least) {
    double power = pow(10.0, floor(log10(least)));
    const double multiple[] = {1.0, 2.0, 5.0};
    for (size_t i = 0; i < 3; i++) {
        if (multiple[i] * power >= least * (1.0 - 1e-9)) {
            return multiple[i] * power;
        }
    }
    return 10.0 * power;
}

static void lay(struct ticks *ticks, double low, double high) {
    const double slack = 1e-6;
    double first = ceil(low / ticks->step - slack);
    double last = floor(high / ticks->step + slack);
    ticks->first = first * ticks->step;
    ticks->count = last >= first ? (size_t)(last - first) + 1 : 0;
}

struct ticks ticks_between(double low, double high, double most) {
    struct ticks made = {low, 0.0, 1};
    double span = high - low;
    double least = span / (most > 1.0 ? most : 1.0);
    /* A span below the numbers' own resolution has no distinct ticks. */
    if (!(span > 1e-12 * fmax(fabs(low), fabs(high))) || !isnormal(least) || !isfinite(span)) {
        return made;
    }
    made.step = round_step(least);
    lay(&made, low, high);
    /* One tick is no scale: the next smaller round step is at most a little crowded. */
    while (made.count < 2) {
        made.step = round_step(0.4 * made.step);
        lay(&made, low, high);
    }
    return made;
}

struct ticks ticks_of_degrees(double low, double high, double most) {
    static const double step[] = {1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0, 90.0, 180.0};
    for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
        struct ticks made = {low, step[i], 0};
        if ((high - low) / step[i] <= most) {
            lay(&made, low, high);
            return made.count >= 2 ? made : ticks_between(low, high, most);
        }
    }
    return ticks_between(low, high, most);
}

double ticks_at(const struct ticks *ticks, size_t i) {
    double value = ticks->first + ticks->step * (double)i;
    return fabs(value) < 1e-6 * ticks->step ? 0.0 : value;
}

void ticks_label(const struct ticks *ticks, size_t i, char *text, size_t room) {
    double value = ticks_at(ticks, i);
    if (ticks->step <= 0.0) {
        snprintf(text, room, "%.6g", value);
        return;
    }
    double large = fmax(fabs(ticks->first), fabs(ticks_at(ticks, ticks->count - 1)));
    int decimals = (int)-floor(log10(ticks->step) + 1e-9);
    if (large >= 1e6 || decimals > 6) {
        /* Enough digits to tell neighbours apart. */
        int digits = (int)ceil(log10(fmax(large, ticks->step) / ticks->step) + 1e-9) + 1;
        snprintf(text, room, "%.*g", digits > 1 ? digits : 1, value);
        return;
    }
    snprintf(text, room, "%.*f", decimals > 0 ? decimals : 0, value);
}
