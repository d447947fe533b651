/**
 * @file
 * The hub's protocol: what the payloads hold, and their packing by hand.
 */
#ifndef NFSAR_WIRE_PAYLOADS_H
#define NFSAR_WIRE_PAYLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nfsar/wire/numbers.h"

/**
 * The payloads. ONE(type, name) is one number, MANY(type, name, count) several in a row. Lengths
 * are steps of the axis, times nanoseconds or as named, sensors' values SI units. RADAR_TEXT,
 * DO_RADAR_LINE and DO_ECHO are bytes; RADAR, DO_RADAR_TEXT and REPLY end in bytes.
 * @{
 */
#define NFSAR_WIRE_FIELDS_HELLO(ONE, MANY)                                                         \
    ONE(u16, major)                                                                                \
    ONE(u16, minor)                                                                                \
    MANY(u8, firmware, 24) /* version, text filled up with zeros */                                \
    MANY(u8, board, 16)                                                                            \
    MANY(u8, serial, 12)  /* number of the chip */                                                 \
    ONE(u32, count_hz)    /* what stamps are made with */                                          \
    ONE(u32, tick_hz)     /* what steps are made with */                                           \
    ONE(u32, radar_bytes) /* room for a .cfg */                                                    \
    ONE(u8, axes)                                                                                  \
    ONE(u8, sensors)                                                                               \
    ONE(u8, reset)   /* why it started, enum nfsar_wire_reset */                                   \
    ONE(u8, flags)   /* enum nfsar_wire_hello_flag */                                              \
    ONE(u32, starts) /* since power came */

#define NFSAR_WIRE_FIELDS_STATUS(ONE, MANY)                                                        \
    ONE(u32, errors)          /* latched, bits of enum nfsar_wire_error_code */                    \
    ONE(u32, made)            /* records made since the start, this one not counted */             \
    ONE(u32, dropped)         /* of these, dropped: all kinds */                                   \
    ONE(u32, dropped_sensors) /* of the dropped, sensors' */                                       \
    ONE(u32, dropped_triggers)                                                                     \
    ONE(u32, triggers)       /* pulses raised since the start */                                   \
    ONE(u32, frames)         /* good frames from the host */                                       \
    ONE(u32, frames_bad)     /* wrong CRC, too short, too long */                                  \
    MANY(u32, bytes_lost, 5) /* by port: link, imu, flow, gnss, radar */                           \
    ONE(u16, queue_worst)    /* bytes of records waiting, at most */                               \
    ONE(u16, queue_size)                                                                           \
    ONE(u16, trigger_worst)      /* trigger records waiting, at most */                            \
    ONE(u16, stack_free)         /* bytes of the stack never used */                               \
    ONE(u32, loop_worst_ns)      /* longest turn of the main loop since the last status */         \
    ONE(u32, tick_worst_ns)      /* longest motion interrupt since the last status */              \
    ONE(u32, tick_late_worst_ns) /* largest gap between two, beyond the period */                  \
    ONE(u8, inputs)              /* switches, bit for bit of enum board_input; 1 active */         \
    ONE(u8, emergency)           /* 1: stopped */                                                  \
    ONE(u8, armed)               /* 1: triggers come */                                            \
    ONE(u8, program)             /* enum nfsar_wire_program_state */

#define NFSAR_WIRE_FIELDS_ERROR(ONE, MANY)                                                         \
    ONE(u8, error)   /* enum nfsar_wire_error_code */                                              \
    ONE(u8, latched) /* 1 latched, 0 cleared */                                                    \
    ONE(u16, source) /* axis, sensor, port */                                                      \
    ONE(i32, value)  /* position, number of the trigger, line ... */                               \
    ONE(u32, times)  /* how often it happened while latched */

#define NFSAR_WIRE_FIELDS_CRASH(ONE, MANY)                                                         \
    ONE(u32, exception)     /* 3 hard fault, 4 memory, 5 bus, 6 usage; 0 watchdog */               \
    MANY(u32, registers, 8) /* r0 r1 r2 r3 r12 lr pc psr */                                        \
    ONE(u32, cfsr)                                                                                 \
    ONE(u32, hfsr)                                                                                 \
    ONE(u32, address)                                                                              \
    ONE(u64, uptime_ns)                                                                            \
    ONE(u32, place)   /* what the main loop was doing */                                           \
    ONE(u32, crashes) /* since power came */

#define NFSAR_WIRE_FIELDS_REPLY(ONE, MANY)                                                         \
    ONE(u8, command)                                                                               \
    ONE(u8, result)  /* enum nfsar_wire_result */                                                  \
    ONE(u16, detail) /* index of the field, state, errors ... */                                   \
    ONE(u32, number) /* sequence of the command */

#define NFSAR_WIRE_FIELDS_TRIGGER(ONE, MANY)                                                       \
    ONE(u32, number) /* from 0 when armed */                                                       \
    MANY(i32, position, 3)                                                                         \
    ONE(u32, row)                                                                                  \
    ONE(u32, column)                                                                               \
    ONE(u16, repeat) /* of the triggers at one point */                                            \
    ONE(u16, scan)   /* counts the armings */

#define NFSAR_WIRE_FIELDS_AXIS(ONE, MANY)                                                          \
    ONE(u8, state)  /* enum nfsar_wire_axis_state */                                               \
    ONE(u8, placed) /* 1: the position is known */                                                 \
    ONE(u8, enabled)                                                                               \
    ONE(u8, spare)                                                                                 \
    ONE(i32, position)                                                                             \
    ONE(i32, target)                                                                               \
    ONE(u32, steps) /* pulses sent since the start */

#define NFSAR_WIRE_FIELDS_PROGRAM(ONE, MANY)                                                       \
    ONE(u8, state) /* enum nfsar_wire_program_state */                                             \
    ONE(u8, error) /* enum nfsar_wire_error_code when aborted by one, else 255 */                  \
    ONE(u16, scan)                                                                                 \
    ONE(u32, row)                                                                                  \
    ONE(u32, triggers) /* so far */                                                                \
    ONE(u32, planned)

#define NFSAR_WIRE_FIELDS_IMU(ONE, MANY)                                                           \
    ONE(u16, valid) /* 1 acceleration, 2 rate, 4 orientation, 8 temperature */                     \
    ONE(u16, spare)                                                                                \
    MANY(f32, acceleration, 3) /* m/s^2, body frame, gravity included */                           \
    MANY(f32, rate, 3)         /* rad/s */                                                         \
    MANY(f32, orientation, 4)  /* w x y z, body into world */                                      \
    ONE(f32, temperature)      /* degrees Celsius */

#define NFSAR_WIRE_FIELDS_FLOW(ONE, MANY)                                                          \
    ONE(u16, quality) /* 0 to 255 */                                                               \
    ONE(u16, spare)                                                                                \
    MANY(f32, motion, 2) /* as the sensor counts it, since the sample before */                    \
    ONE(f32, interval)   /* s */

#define NFSAR_WIRE_FIELDS_RANGE(ONE, MANY)                                                         \
    ONE(u16, quality)                                                                              \
    ONE(u16, valid) /* 0: nothing in range */                                                      \
    ONE(f32, range) /* m */

#define NFSAR_WIRE_FIELDS_GNSS(ONE, MANY)                                                          \
    ONE(u64, utc_ns)   /* since 1970, no leap seconds; 0 not known */                              \
    ONE(i32, latitude) /* 1e-7 degrees */                                                          \
    ONE(i32, longitude)                                                                            \
    ONE(i32, height_mm)           /* above the ellipsoid */                                        \
    MANY(f32, velocity, 3)        /* m/s, north east down */                                       \
    ONE(f32, accuracy_horizontal) /* m */                                                          \
    ONE(f32, accuracy_vertical)                                                                    \
    ONE(f32, accuracy_speed) /* m/s */                                                             \
    ONE(u8, fix)             /* 0 none, 2 two, 3 three dimensions, 4 with dead reckoning */        \
    ONE(u8, carrier)         /* 0 none, 1 float, 2 fixed */                                        \
    ONE(u8, satellites)                                                                            \
    ONE(u8, spare)

#define NFSAR_WIRE_FIELDS_CLOCK(ONE, MANY)                                                         \
    ONE(u64, utc_ns)    /* of the pulse; 0 where the second is not known */                        \
    ONE(i64, offset_ns) /* UTC less hub time, modulo a second where utc_ns is 0 */                 \
    ONE(f32, drift_ppm) /* the hub's clock is fast by */                                           \
    ONE(f32, spread_ns) /* r.m.s. of the pulses about the line */                                  \
    ONE(u32, pulses)                                                                               \
    ONE(u32, refused) /* pulses that came too early or too late */

#define NFSAR_WIRE_FIELDS_SENSOR(ONE, MANY)                                                        \
    ONE(u8, state) /* enum nfsar_wire_sensor_state */                                              \
    ONE(u8, spare)                                                                                 \
    ONE(u16, restarts)                                                                             \
    ONE(u32, samples)                                                                              \
    ONE(u32, bytes)                                                                                \
    ONE(u32, checksum)  /* frames with a wrong sum */                                              \
    ONE(u32, outside)   /* values outside what the sensor can measure */                           \
    ONE(u32, resyncs)   /* times the place in the stream was lost */                               \
    ONE(u32, overflows) /* of the sensor's own buffer, or of the port's */                         \
    ONE(u32, silences)

#define NFSAR_WIRE_FIELDS_RADAR(ONE, MANY)                                                         \
    ONE(u8, state) /* enum nfsar_wire_radar_state */                                               \
    ONE(u8, spare)                                                                                 \
    ONE(u16, line)    /* from 1, of the .cfg */                                                    \
    ONE(u16, lines)   /* sent so far */                                                            \
    ONE(u16, took_ms) /* then the offending line's text */

#define NFSAR_WIRE_FIELDS_DO_HELLO(ONE, MANY)                                                      \
    ONE(u16, major)                                                                                \
    ONE(u16, minor)

#define NFSAR_WIRE_FIELDS_DO_CLEAR(ONE, MANY)   ONE(u32, errors)
#define NFSAR_WIRE_FIELDS_DO_CRASH(ONE, MANY)   ONE(u8, forget)
#define NFSAR_WIRE_FIELDS_DO_RESTART(ONE, MANY) ONE(u32, magic) /* NFSAR_WIRE_MAGIC */
#define NFSAR_WIRE_FIELDS_DO_STREAMS(ONE, MANY)                                                    \
    ONE(u32, off)       /* bits of 1 << (kind - 0x10): kinds 0x10 to 0x2f not to be made */        \
    ONE(u16, status_ms) /* between status records; 0 never */                                      \
    ONE(u16, axis_ms)   /* between axis records while moving; 0 never */

#define NFSAR_WIRE_FIELDS_DO_INJECT(ONE, MANY)                                                     \
    ONE(u32, magic) /* NFSAR_WIRE_MAGIC */                                                         \
    ONE(u8, fault)  /* enum nfsar_wire_fault */                                                    \
    ONE(u8, spare)                                                                                 \
    ONE(u16, value)

#define NFSAR_WIRE_FIELDS_DO_TRIGGER_SET(ONE, MANY)                                                \
    ONE(u32, frame_ns) /* the radar's frame, and what it needs before the next */                  \
    ONE(u32, pulse_ns) /* 1000 to 10000 */

#define NFSAR_WIRE_FIELDS_DO_TRIGGER_ARM(ONE, MANY)                                                \
    ONE(u8, mode) /* 0 one now, 1 by period, 2 by position */                                      \
    ONE(u8, axis)                                                                                  \
    ONE(u16, spare)                                                                                \
    ONE(u64, period_ns)                                                                            \
    ONE(i32, first) /* position of the first */                                                    \
    ONE(i32, pitch) /* steps from one to the next; the sign is that of the motion */               \
    ONE(u32, count) /* 0: until stopped */

#define NFSAR_WIRE_FIELDS_DO_AXIS_SET(ONE, MANY)                                                   \
    ONE(f32, speed)        /* steps/s */                                                           \
    ONE(f32, acceleration) /* steps/s^2 */                                                         \
    ONE(f32, jerk)         /* steps/s^3 */                                                         \
    ONE(i32, low)          /* soft limits; low = high: none */                                     \
    ONE(i32, high)                                                                                 \
    ONE(u8, invert)           /* 1: forward is the other level of the direction pin */             \
    ONE(u8, switches)         /* 1 low end fitted, 2 high end fitted */                            \
    ONE(i8, home)             /* -1, +1: the end to home to; 0: cannot home */                     \
    ONE(u8, endless)          /* 1: a turntable, no ends */                                        \
    ONE(f32, home_speed)      /* steps/s to the switch */                                          \
    ONE(f32, home_slow)       /* steps/s the second time */                                        \
    ONE(i32, home_back)       /* steps off the switch */                                           \
    ONE(u32, home_travel)     /* steps at most */                                                  \
    ONE(i32, home_position)   /* what the position is where the switch closes */                   \
    ONE(u32, home_timeout_ms) /* 0: a minute */                                                    \
    ONE(u32, idle_ms)         /* then the current goes off, and the position is lost; 0: never */  \
    ONE(u16, enable_ms)       /* before the first step after the current came on */                \
    ONE(u8, halt)             /* 1: no braking ramp at a switch */                                 \
    ONE(u8, spare)

#define NFSAR_WIRE_FIELDS_DO_AXIS_MOVE(ONE, MANY)                                                  \
    ONE(i32, target)                                                                               \
    ONE(f32, speed) /* steps/s; 0: that of the axis */

#define NFSAR_WIRE_FIELDS_DO_AXIS_PLACE(ONE, MANY)  ONE(i32, position)
#define NFSAR_WIRE_FIELDS_DO_AXIS_ENABLE(ONE, MANY) ONE(u8, on)
#define NFSAR_WIRE_FIELDS_DO_EMERGENCY(ONE, MANY)   ONE(u8, stop) /* 1 stop, 0 release */

#define NFSAR_WIRE_FIELDS_DO_PROGRAM_LOAD(ONE, MANY)                                               \
    ONE(u8, pattern) /* 0 raster, 1 serpentine, 2 turntable */                                     \
    ONE(u8, stop)    /* 0 triggers while moving, 1 stops at each point */                          \
    ONE(u8, fast)    /* axes */                                                                    \
    ONE(u8, slow)                                                                                  \
    ONE(i32, fast_first)                                                                           \
    ONE(i32, slow_first)                                                                           \
    ONE(i32, fast_pitch)                                                                           \
    ONE(i32, slow_pitch)                                                                           \
    ONE(u32, columns)                                                                              \
    ONE(u32, rows)                                                                                 \
    ONE(f32, speed)         /* steps/s along a row; 0: as fast as axis and radar can */            \
    ONE(u16, repeats)       /* triggers at each point, when it stops */                            \
    ONE(u16, settle_ms)     /* after each stop, before triggers */                                 \
    ONE(u32, period_ns)     /* between the triggers of one point; 0: as the radar can */           \
    ONE(u32, fast_backlash) /* steps of play: rows are approached from farther out */              \
    ONE(u32, turn)          /* turntable: steps of a whole turn */                                 \
    ONE(u16, dwell_ms)      /* stand before each row */                                            \
    ONE(u16, spare)                                                                                \
    ONE(u32, slow_backlash)

/* What the reply to DO_PROGRAM_LOAD carries behind its fields: the scan as it will be. */
#define NFSAR_WIRE_FIELDS_PLAN(ONE, MANY)                                                          \
    ONE(u32, speed)          /* steps/s along a row */                                             \
    ONE(u32, lead)           /* steps before the first point of a row, to gain speed */            \
    ONE(u32, tail)           /* steps after the last */                                            \
    ONE(u32, turns)          /* turntable: from row to row */                                      \
    ONE(u32, triggers)       /* of the whole scan */                                               \
    ONE(u32, period_ns)      /* between the triggers of one point */                               \
    MANY(i32, fast_range, 2) /* where the axes will be */                                          \
    MANY(i32, slow_range, 2)

#define NFSAR_WIRE_FIELDS_DO_SENSOR_SET(ONE, MANY) ONE(u8, on)
#define NFSAR_WIRE_FIELDS_DO_RADAR_TEXT(ONE, MANY) ONE(u32, offset) /* then the text */
#define NFSAR_WIRE_FIELDS_DO_RADAR_RUN(ONE, MANY)                                                  \
    ONE(u32, bytes)      /* of the text, to be sure */                                             \
    ONE(u32, crc)        /* of the text */                                                         \
    ONE(u16, timeout_ms) /* for each line; 0: 1000 */
#define NFSAR_WIRE_FIELDS_DO_RADAR_RESET(ONE, MANY)                                                \
    ONE(u8, sop)     /* 1 functional, 3 development, 5 flashing */                                 \
    ONE(u8, hold)    /* 1: stays in reset */                                                       \
    ONE(u16, low_ms) /* 0: 10 */
/** @} */

/** @cond */
/* For NAME: struct nfsar_wire_name, nfsar_wire_pack_name(), nfsar_wire_unpack_name() and its bytes.
 */
#define NFSAR_WIRE_MEMBER(type, name)         nfsar_wire_##type name;
#define NFSAR_WIRE_MEMBERS(type, name, count) nfsar_wire_##type name[count];
#define NFSAR_WIRE_SIZE(type, name)           +sizeof(nfsar_wire_##type)
#define NFSAR_WIRE_SIZES(type, name, count)   +(count) * sizeof(nfsar_wire_##type)
#define NFSAR_WIRE_PACK(type, name)           nfsar_wire_put_##type(&at, from->name);
#define NFSAR_WIRE_PACKS(type, name, count)                                                        \
    for (unsigned i = 0; i < (count); i++) {                                                       \
        nfsar_wire_put_##type(&at, from->name[i]);                                                 \
    }
#define NFSAR_WIRE_UNPACK(type, name) to->name = nfsar_wire_get_##type(&from);
#define NFSAR_WIRE_UNPACKS(type, name, count)                                                      \
    for (unsigned i = 0; i < (count); i++) {                                                       \
        to->name[i] = nfsar_wire_get_##type(&from);                                                \
    }
#define NFSAR_WIRE_PAYLOAD(NAME, name)                                                             \
    struct nfsar_wire_##name {                                                                     \
        NFSAR_WIRE_FIELDS_##NAME(NFSAR_WIRE_MEMBER, NFSAR_WIRE_MEMBERS)                            \
    };                                                                                             \
    enum {                                                                                         \
        NFSAR_WIRE_##NAME##_BYTES = 0 NFSAR_WIRE_FIELDS_##NAME(NFSAR_WIRE_SIZE, NFSAR_WIRE_SIZES)  \
    };                                                                                             \
    static inline size_t nfsar_wire_pack_##name(uint8_t *to,                                       \
                                                const struct nfsar_wire_##name *from) {            \
        uint8_t *at = to;                                                                          \
        NFSAR_WIRE_FIELDS_##NAME(NFSAR_WIRE_PACK, NFSAR_WIRE_PACKS) return (size_t)(at - to);      \
    }                                                                                              \
    static inline bool nfsar_wire_unpack_##name(struct nfsar_wire_##name *to, const uint8_t *from, \
                                                size_t n) {                                        \
        if (n < (size_t)NFSAR_WIRE_##NAME##_BYTES) {                                               \
            return false;                                                                          \
        }                                                                                          \
        NFSAR_WIRE_FIELDS_##NAME(NFSAR_WIRE_UNPACK, NFSAR_WIRE_UNPACKS) return true;               \
    }
/** @endcond */

/**
 * All payloads that have fields. For each NAME there are `struct nfsar_wire_name`,
 * `size_t nfsar_wire_pack_name(to, from)`, which writes NFSAR_WIRE_NAME_BYTES bytes, and
 * `bool nfsar_wire_unpack_name(to, from, n)`, false when n is less than these.
 */
#define NFSAR_WIRE_PAYLOADS(ONE)                                                                   \
    ONE(HELLO, hello)                                                                              \
    ONE(STATUS, status)                                                                            \
    ONE(ERROR, error)                                                                              \
    ONE(CRASH, crash)                                                                              \
    ONE(REPLY, reply)                                                                              \
    ONE(TRIGGER, trigger)                                                                          \
    ONE(AXIS, axis)                                                                                \
    ONE(PROGRAM, program)                                                                          \
    ONE(PLAN, plan)                                                                                \
    ONE(IMU, imu)                                                                                  \
    ONE(FLOW, flow)                                                                                \
    ONE(RANGE, range)                                                                              \
    ONE(GNSS, gnss)                                                                                \
    ONE(CLOCK, clock)                                                                              \
    ONE(SENSOR, sensor)                                                                            \
    ONE(RADAR, radar)                                                                              \
    ONE(DO_HELLO, do_hello)                                                                        \
    ONE(DO_CLEAR, do_clear)                                                                        \
    ONE(DO_CRASH, do_crash)                                                                        \
    ONE(DO_RESTART, do_restart)                                                                    \
    ONE(DO_STREAMS, do_streams)                                                                    \
    ONE(DO_INJECT, do_inject)                                                                      \
    ONE(DO_TRIGGER_SET, do_trigger_set)                                                            \
    ONE(DO_TRIGGER_ARM, do_trigger_arm)                                                            \
    ONE(DO_AXIS_SET, do_axis_set)                                                                  \
    ONE(DO_AXIS_MOVE, do_axis_move)                                                                \
    ONE(DO_AXIS_PLACE, do_axis_place)                                                              \
    ONE(DO_AXIS_ENABLE, do_axis_enable)                                                            \
    ONE(DO_EMERGENCY, do_emergency)                                                                \
    ONE(DO_PROGRAM_LOAD, do_program_load)                                                          \
    ONE(DO_SENSOR_SET, do_sensor_set)                                                              \
    ONE(DO_RADAR_TEXT, do_radar_text)                                                              \
    ONE(DO_RADAR_RUN, do_radar_run)                                                                \
    ONE(DO_RADAR_RESET, do_radar_reset)
NFSAR_WIRE_PAYLOADS(NFSAR_WIRE_PAYLOAD)

#endif
