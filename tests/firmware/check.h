/* What the firmware's tests share: cmocka with its prerequisites, and reproducible noise. */
#ifndef NFSAR_TESTS_FIRMWARE_CHECK_H
#define NFSAR_TESTS_FIRMWARE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* xorshift32 (Marsaglia 2003); begin with anything but 0. */
static inline uint32_t noise(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Fails unless |a - b| <= within. */
#define assert_close(a, b, within)                                                                 \
    do {                                                                                           \
        const double a_ = (a);                                                                     \
        const double b_ = (b);                                                                     \
        const double off_ = a_ > b_ ? a_ - b_ : b_ - a_;                                           \
        if (!(off_ <= (within))) {                                                                 \
            fail_msg("%s is %.9g, not %.9g", #a, a_, b_);                                          \
        }                                                                                          \
    } while (0)

#endif
