/**
 * @file
 * The hub's protocol: numbers as little-endian bytes, whatever the machine.
 */
#ifndef NFSAR_WIRE_NUMBERS_H
#define NFSAR_WIRE_NUMBERS_H

#include <stdint.h>
#include <string.h>

/** @cond */
typedef uint8_t nfsar_wire_u8;
typedef int8_t nfsar_wire_i8;
typedef uint16_t nfsar_wire_u16;
typedef uint32_t nfsar_wire_u32;
typedef int32_t nfsar_wire_i32;
typedef uint64_t nfsar_wire_u64;
typedef int64_t nfsar_wire_i64;
typedef float nfsar_wire_f32;

static inline void nfsar_wire_put(uint8_t **to, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) {
        *(*to)++ = (uint8_t)(value >> (8 * i));
    }
}

static inline uint64_t nfsar_wire_get(const uint8_t **from, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t) * (*from)++ << (8 * i);
    }
    return value;
}

#define NFSAR_WIRE_NUMBER(type)                                                                    \
    static inline void nfsar_wire_put_##type(uint8_t **to, nfsar_wire_##type value) {              \
        nfsar_wire_put(to, (uint64_t)value, sizeof value);                                         \
    }                                                                                              \
    static inline nfsar_wire_##type nfsar_wire_get_##type(const uint8_t **from) {                  \
        return (nfsar_wire_##type)nfsar_wire_get(from, sizeof(nfsar_wire_##type));                 \
    }
NFSAR_WIRE_NUMBER(u8)
NFSAR_WIRE_NUMBER(i8)
NFSAR_WIRE_NUMBER(u16)
NFSAR_WIRE_NUMBER(u32)
NFSAR_WIRE_NUMBER(i32)
NFSAR_WIRE_NUMBER(u64)
NFSAR_WIRE_NUMBER(i64)

static inline void nfsar_wire_put_f32(uint8_t **to, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    nfsar_wire_put(to, bits, sizeof bits);
}

static inline float nfsar_wire_get_f32(const uint8_t **from) {
    const uint32_t bits = (uint32_t)nfsar_wire_get(from, sizeof bits);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
/** @endcond */

#endif
