/**
 * @file
 * The hub's protocol: kinds of frames, results, errors, states. Each list has a function that says
 * its words, `nfsar_wire_LIST_name()`.
 */
#ifndef NFSAR_WIRE_WORDS_H
#define NFSAR_WIRE_WORDS_H

/** What a frame is. Below 0x80 the hub speaks, from 0x80 on the host. */
enum nfsar_wire_kind {
    NFSAR_WIRE_HELLO = 0x01,   /**< who the hub is; at its start and as the answer to a hello */
    NFSAR_WIRE_STATUS = 0x02,  /**< counters; once a second and when asked */
    NFSAR_WIRE_ERROR = 0x03,   /**< an error was latched or cleared */
    NFSAR_WIRE_CRASH = 0x04,   /**< what the fault handler kept; after the start and when asked */
    NFSAR_WIRE_REPLY = 0x05,   /**< answer to a command */
    NFSAR_WIRE_TRIGGER = 0x10, /**< SYNC_IN was raised; the time is that of the edge */
    NFSAR_WIRE_AXIS = 0x11,    /**< an axis changed its state, or moves; channel = axis */
    NFSAR_WIRE_PROGRAM = 0x12, /**< a scan began, finished a row, ended */
    NFSAR_WIRE_IMU = 0x20,     /**< channel = sensor, as for all sensors */
    NFSAR_WIRE_FLOW = 0x21,
    NFSAR_WIRE_RANGE = 0x22,
    NFSAR_WIRE_GNSS = 0x23,
    NFSAR_WIRE_CLOCK = 0x24,  /**< a pulse per second came: offset and drift of the hub's clock */
    NFSAR_WIRE_SENSOR = 0x25, /**< a sensor changed its state; its counters */
    NFSAR_WIRE_RADAR = 0x30,  /**< the state of the radar's configuration */
    NFSAR_WIRE_RADAR_TEXT = 0x31, /**< a line the radar printed; payload = the text */

    NFSAR_WIRE_DO_HELLO = 0x80,        /**< first of all; nothing else is done before */
    NFSAR_WIRE_DO_ECHO = 0x81,         /**< the reply carries the same payload */
    NFSAR_WIRE_DO_TIME = 0x82,         /**< the reply carries when the command came */
    NFSAR_WIRE_DO_STATUS = 0x83,       /**< a status record now */
    NFSAR_WIRE_DO_CLEAR = 0x84,        /**< clears latched errors */
    NFSAR_WIRE_DO_CRASH = 0x85,        /**< the crash record again, or forget it */
    NFSAR_WIRE_DO_RESTART = 0x86,      /**< resets the hub */
    NFSAR_WIRE_DO_STREAMS = 0x87,      /**< which records to send */
    NFSAR_WIRE_DO_INJECT = 0x88,       /**< faults for tests, only when idle */
    NFSAR_WIRE_DO_TRIGGER_SET = 0x90,  /**< frame time of the radar, width of the pulse */
    NFSAR_WIRE_DO_TRIGGER_ARM = 0x91,  /**< by period, by position, one */
    NFSAR_WIRE_DO_TRIGGER_STOP = 0x92, /**< no more triggers */
    NFSAR_WIRE_DO_AXIS_SET = 0xA0,     /**< limits of speed, ends, homing; channel = axis */
    NFSAR_WIRE_DO_AXIS_MOVE = 0xA1,
    NFSAR_WIRE_DO_AXIS_STOP = 0xA2,   /**< decelerates, position stays known */
    NFSAR_WIRE_DO_AXIS_HOME = 0xA3,   /**< seeks the home switch and sets zero there */
    NFSAR_WIRE_DO_AXIS_PLACE = 0xA4,  /**< declares the position, without moving */
    NFSAR_WIRE_DO_AXIS_ENABLE = 0xA5, /**< driver's current on or off */
    NFSAR_WIRE_DO_EMERGENCY = 0xA8,   /**< stops everything at once, or releases the stop */
    NFSAR_WIRE_DO_PROGRAM_LOAD = 0xB0,
    NFSAR_WIRE_DO_PROGRAM_START = 0xB1,
    NFSAR_WIRE_DO_PROGRAM_ABORT = 0xB2,
    NFSAR_WIRE_DO_SENSOR_SET = 0xC0,   /**< on or off; channel = sensor */
    NFSAR_WIRE_DO_RADAR_TEXT = 0xD0,   /**< a piece of a .cfg file into the hub's buffer */
    NFSAR_WIRE_DO_RADAR_RUN = 0xD1,    /**< sends the buffer, line by line, each to be Done */
    NFSAR_WIRE_DO_RADAR_LINE = 0xD2,   /**< sends one line; payload = the text */
    NFSAR_WIRE_DO_RADAR_CANCEL = 0xD3, /**< gives up waiting */
    NFSAR_WIRE_DO_RADAR_RESET = 0xD4   /**< NRESET, and SOP pins for the boot */
};

/** How a command went. `detail` of the reply says which field (its index) or which state. */
#define NFSAR_WIRE_RESULTS(ONE)                                                                    \
    ONE(DONE, 0, "done")                                                                           \
    ONE(UNKNOWN, 1, "the hub does not know this command")                                          \
    ONE(LENGTH, 2, "the command is shorter than its fields")                                       \
    ONE(VALUE, 3, "a field has a value that cannot be")                                            \
    ONE(VERSION, 4, "no hello yet, or the hub speaks another major version")                       \
    ONE(CHANNEL, 5, "there is no such axis or sensor")                                             \
    ONE(STATE, 6, "not in this state: something is moving, armed, or not loaded")                  \
    ONE(LATCHED, 7, "a latched error forbids it; clear it first")                                  \
    ONE(LIMIT, 8, "the move leaves the limits")                                                    \
    ONE(SPEED, 9, "triggers would come faster than the radar's frames, or steps than the hub")     \
    ONE(PLACE, 10, "the position of the axis is not known: home it or declare it")                 \
    ONE(FULL, 11, "does not fit the hub's buffer")                                                 \
    ONE(ABSENT, 12, "this board has no such part")

/** Errors that stay until cleared: bits of a status, and the subject of an error record. */
#define NFSAR_WIRE_ERRORS(ONE)                                                                     \
    ONE(TRIGGER_EARLY, 0, "a trigger point came before the radar could have finished its frame")   \
    ONE(TRIGGER_MISSED, 1, "a trigger point was passed without a trigger")                         \
    ONE(TRIGGER_LOST, 2, "the record of a trigger was lost on the hub")                            \
    ONE(TRIGGER_COUNT, 3, "a row ended with another number of triggers than planned")              \
    ONE(AXIS_LIMIT, 4, "a limit switch stopped an axis")                                           \
    ONE(AXIS_HOMING, 5, "the home switch was not found")                                           \
    ONE(AXIS_PLACE, 6, "the position of an axis is no longer known")                               \
    ONE(EMERGENCY_STOP, 7, "emergency stop")                                                       \
    ONE(PROGRAM_ABORTED, 8, "a scan was broken off")                                               \
    ONE(SENSOR_SILENT, 9, "a sensor fell silent")                                                  \
    ONE(SENSOR_FAULT, 10, "a sensor answers wrongly")                                              \
    ONE(RADAR_SILENT, 11, "the radar did not answer a line")                                       \
    ONE(RADAR_REFUSED, 12, "the radar refused a line")                                             \
    ONE(LINK_DROPPED, 13, "records were dropped because the link was full")                        \
    ONE(INPUT_LOST, 14, "bytes from a port were lost on the hub")                                  \
    ONE(CLOCK_LOST, 15, "the pulse per second stopped")                                            \
    ONE(TICK_LATE, 16, "the motion interrupt came late")                                           \
    ONE(STACK_LOW, 17, "the stack was nearly full")                                                \
    ONE(CRASHED, 18, "the hub had crashed; its crash record says where")                           \
    ONE(WATCHDOG, 19, "the watchdog had reset the hub")

/** What the hub is resetting itself for, or was reset by. */
#define NFSAR_WIRE_RESETS(ONE)                                                                     \
    ONE(POWER, 0, "power")                                                                         \
    ONE(PIN, 1, "reset pin")                                                                       \
    ONE(SOFTWARE, 2, "software")                                                                   \
    ONE(WATCHDOG, 3, "watchdog")                                                                   \
    ONE(UNCLEAR, 4, "unknown")

/** States of an axis. */
#define NFSAR_WIRE_AXIS_STATES(ONE)                                                                \
    ONE(IDLE, 0, "idle")                                                                           \
    ONE(MOVING, 1, "moving")                                                                       \
    ONE(STOPPING, 2, "stopping")                                                                   \
    ONE(HOMING, 3, "homing")                                                                       \
    ONE(FAULT, 4, "fault")

/** States of a scan program. */
#define NFSAR_WIRE_PROGRAM_STATES(ONE)                                                             \
    ONE(NONE, 0, "none")                                                                           \
    ONE(LOADED, 1, "loaded")                                                                       \
    ONE(RUNNING, 2, "running")                                                                     \
    ONE(ROW, 3, "row finished")                                                                    \
    ONE(FINISHED, 4, "finished")                                                                   \
    ONE(ABORTED, 5, "aborted")

/** The sensors a hub has, by channel. */
#define NFSAR_WIRE_SENSORS(ONE)                                                                    \
    ONE(IMU, 0, "imu")                                                                             \
    ONE(FLOW, 1, "flow")                                                                           \
    ONE(GNSS, 2, "gnss")                                                                           \
    ONE(SPI_IMU, 3, "spi-imu")

/** States of a sensor. */
#define NFSAR_WIRE_SENSOR_STATES(ONE)                                                              \
    ONE(OFF, 0, "off")                                                                             \
    ONE(STARTING, 1, "starting")                                                                   \
    ONE(RUNNING, 2, "running")                                                                     \
    ONE(SILENT, 3, "silent")                                                                       \
    ONE(FAULT, 4, "fault")

/** States of the radar's configuration. */
#define NFSAR_WIRE_RADAR_STATES(ONE)                                                               \
    ONE(IDLE, 0, "idle")                                                                           \
    ONE(RESETTING, 1, "resetting")                                                                 \
    ONE(SENDING, 2, "sending")                                                                     \
    ONE(DONE, 3, "done")                                                                           \
    ONE(REFUSED, 4, "refused")                                                                     \
    ONE(SILENT, 5, "silent")                                                                       \
    ONE(CANCELLED, 6, "cancelled")

/** The axes, by channel. */
#define NFSAR_WIRE_AXES(ONE)                                                                       \
    ONE(X, 0, "x")                                                                                 \
    ONE(Y, 1, "y")                                                                                 \
    ONE(TURNTABLE, 2, "turntable")

/** Bits of a status' inputs. */
#define NFSAR_WIRE_INPUTS(ONE)                                                                     \
    ONE(X_LOW, 0, "x low")                                                                         \
    ONE(X_HIGH, 1, "x high")                                                                       \
    ONE(Y_LOW, 2, "y low")                                                                         \
    ONE(Y_HIGH, 3, "y high")                                                                       \
    ONE(TURN_HOME, 4, "turntable home")                                                            \
    ONE(EMERGENCY, 5, "emergency stop")

/** The serial ports of a hub, in the order of a status' lost bytes. */
#define NFSAR_WIRE_PORTS(ONE)                                                                      \
    ONE(LINK, 0, "link")                                                                           \
    ONE(IMU, 1, "imu")                                                                             \
    ONE(FLOW, 2, "flow")                                                                           \
    ONE(GNSS, 3, "gnss")                                                                           \
    ONE(RADAR, 4, "radar")

/** What the main loop was doing when the hub crashed. */
#define NFSAR_WIRE_PLACES(ONE)                                                                     \
    ONE(START, 0, "starting")                                                                      \
    ONE(LINK, 1, "hearing commands")                                                               \
    ONE(MOTION, 2, "motion and triggers")                                                          \
    ONE(SENSORS, 3, "sensors")                                                                     \
    ONE(RADAR, 4, "the radar's command line")                                                      \
    ONE(STATUS, 5, "status")                                                                       \
    ONE(SEND, 6, "sending records")                                                                \
    ONE(INJECTED, 7, "a fault asked for by a test")

/** Exceptions of a crash record: those of the Cortex-M, and 0. */
#define NFSAR_WIRE_EXCEPTIONS(ONE)                                                                 \
    ONE(WATCHDOG, 0, "the main loop hung, the watchdog reset the hub")                             \
    ONE(NMI, 2, "non-maskable interrupt")                                                          \
    ONE(HARD, 3, "hard fault")                                                                     \
    ONE(MEMORY, 4, "memory fault")                                                                 \
    ONE(BUS, 5, "bus fault")                                                                       \
    ONE(USAGE, 6, "usage fault")

/** Why motion, a trigger or a scan was refused or ended: NFSAR_WIRE_REASON + one of these is the
 * `detail` of a reply, one of these the source of NFSAR_WIRE_ERROR_PROGRAM_ABORTED. */
#define NFSAR_WIRE_REASONS(ONE)                                                                    \
    ONE(MOTION_BUSY, 1, "the axis moves, homes, or a scan runs")                                   \
    ONE(MOTION_NOT_CONFIGURED, 2, "the axis has no settings yet; setup comes first")               \
    ONE(MOTION_BAD_CONFIG, 3, "a setting of the axis cannot be")                                   \
    ONE(MOTION_SPEED_TOO_HIGH, 4, "faster than the axis' settings, or the hub's steps")            \
    ONE(MOTION_TOO_SLOW, 5, "a ramp or a move would take too long to count")                       \
    ONE(MOTION_OUT_OF_RANGE, 6, "beyond 2^30 steps")                                               \
    ONE(MOTION_SOFT_LIMIT, 7, "the target is outside the limits of the axis")                      \
    ONE(MOTION_NOT_TRUSTED, 8, "the position is not known")                                        \
    ONE(MOTION_NO_HOME_SWITCH, 9, "the axis has no switch to home to")                             \
    ONE(MOTION_LIMIT_LOW, 10, "the switch at the low end stopped the axis")                        \
    ONE(MOTION_LIMIT_HIGH, 11, "the switch at the high end stopped the axis")                      \
    ONE(MOTION_EMERGENCY_STOP, 12, "the emergency stop is pressed, or not released")               \
    ONE(MOTION_HOME_NOT_FOUND, 13, "the whole travel was made, and no switch found")               \
    ONE(MOTION_HOME_STUCK, 14, "the switch is still active after backing off")                     \
    ONE(MOTION_HOME_TIMEOUT, 15, "homing took too long")                                           \
    ONE(TRIGGER_BUSY, 16, "triggers are armed already")                                            \
    ONE(TRIGGER_BAD_SETUP, 17, "axis, pitch, count or width of the triggers cannot be")            \
    ONE(TRIGGER_NO_MINIMUM, 18, "the radar's frame time was not set; setup comes first")           \
    ONE(TRIGGER_TOO_FAST, 19, "the period is not longer than the radar's frame time")              \
    ONE(TRIGGER_TOO_EARLY, 20, "a point came before the radar could be ready")                     \
    ONE(TRIGGER_MISSED, 21, "a point was passed without a trigger")                                \
    ONE(TRIGGER_OVERRUN, 22, "a motion interrupt came later than a whole period")                  \
    ONE(TRIGGER_RING_FULL, 23, "the hub did not take the triggers' records away")                  \
    ONE(PROGRAM_BAD_AXES, 24, "fast and slow axis are the same, or none")                          \
    ONE(PROGRAM_EMPTY, 25, "no column, no row, or no trigger for a point")                         \
    ONE(PROGRAM_TOO_LARGE, 26, "more than 65535 rows or columns, or 2^32 triggers")                \
    ONE(PROGRAM_NO_PITCH, 27, "several columns or rows, and pitch 0")                              \
    ONE(PROGRAM_BAD_TURN, 28, "the columns do not fit a turn")                                     \
    ONE(PROGRAM_TOO_FAST, 29, "at that speed columns come before the radar is ready")              \
    ONE(PROGRAM_BAD_PATTERN, 30, "no such pattern, or not in this mode")                           \
    ONE(PROGRAM_ABORTED, 31, "by command")                                                         \
    ONE(PROGRAM_WRONG_COUNT, 32, "a row ended with more or fewer triggers than columns")           \
    ONE(PROGRAM_ROW_LATE, 33, "the table came round before the slow axis was there")

/** Above the indices of fields. */
enum { NFSAR_WIRE_REASON = 0x100 };

/** @cond */
#define NFSAR_WIRE_NAMES(set, PREFIX, LIST)                                                        \
    enum nfsar_wire_##set{LIST(PREFIX) NFSAR_WIRE_##set##_end};                                    \
    static inline const char *nfsar_wire_##set##_name(unsigned value) {                            \
        switch (value) { LIST(NFSAR_WIRE_CASE) }                                                   \
        return "unknown";                                                                          \
    }
#define NFSAR_WIRE_CASE(NAME, value, text)                                                         \
    case value:                                                                                    \
        return text;
#define NFSAR_WIRE_AS_RESULT(NAME, value, text)       NFSAR_WIRE_RESULT_##NAME = (value),
#define NFSAR_WIRE_AS_ERROR(NAME, value, text)        NFSAR_WIRE_ERROR_##NAME = (value),
#define NFSAR_WIRE_AS_RESET(NAME, value, text)        NFSAR_WIRE_RESET_##NAME = (value),
#define NFSAR_WIRE_AS_AXIS(NAME, value, text)         NFSAR_WIRE_AXIS_##NAME = (value),
#define NFSAR_WIRE_AS_PROGRAM(NAME, value, text)      NFSAR_WIRE_PROGRAM_##NAME = (value),
#define NFSAR_WIRE_AS_SENSOR(NAME, value, text)       NFSAR_WIRE_SENSOR_##NAME = (value),
#define NFSAR_WIRE_AS_SENSOR_STATE(NAME, value, text) NFSAR_WIRE_SENSOR_IS_##NAME = (value),
#define NFSAR_WIRE_AS_RADAR(NAME, value, text)        NFSAR_WIRE_RADAR_##NAME = (value),
#define NFSAR_WIRE_AS_AXES(NAME, value, text)         NFSAR_WIRE_AXIS_IS_##NAME = (value),
#define NFSAR_WIRE_AS_INPUT(NAME, value, text)        NFSAR_WIRE_INPUT_##NAME = (value),
#define NFSAR_WIRE_AS_PORT(NAME, value, text)         NFSAR_WIRE_PORT_##NAME = (value),
#define NFSAR_WIRE_AS_PLACE(NAME, value, text)        NFSAR_WIRE_PLACE_##NAME = (value),
#define NFSAR_WIRE_AS_EXCEPTION(NAME, value, text)    NFSAR_WIRE_EXCEPTION_##NAME = (value),
#define NFSAR_WIRE_AS_REASON(NAME, value, text)       NFSAR_WIRE_REASON_##NAME = (value),
NFSAR_WIRE_NAMES(result, NFSAR_WIRE_AS_RESULT, NFSAR_WIRE_RESULTS)
NFSAR_WIRE_NAMES(error_code, NFSAR_WIRE_AS_ERROR, NFSAR_WIRE_ERRORS)
NFSAR_WIRE_NAMES(reset, NFSAR_WIRE_AS_RESET, NFSAR_WIRE_RESETS)
NFSAR_WIRE_NAMES(axis_state, NFSAR_WIRE_AS_AXIS, NFSAR_WIRE_AXIS_STATES)
NFSAR_WIRE_NAMES(program_state, NFSAR_WIRE_AS_PROGRAM, NFSAR_WIRE_PROGRAM_STATES)
NFSAR_WIRE_NAMES(sensor_id, NFSAR_WIRE_AS_SENSOR, NFSAR_WIRE_SENSORS)
NFSAR_WIRE_NAMES(sensor_state, NFSAR_WIRE_AS_SENSOR_STATE, NFSAR_WIRE_SENSOR_STATES)
NFSAR_WIRE_NAMES(radar_state, NFSAR_WIRE_AS_RADAR, NFSAR_WIRE_RADAR_STATES)
NFSAR_WIRE_NAMES(axis_id, NFSAR_WIRE_AS_AXES, NFSAR_WIRE_AXES)
NFSAR_WIRE_NAMES(input, NFSAR_WIRE_AS_INPUT, NFSAR_WIRE_INPUTS)
NFSAR_WIRE_NAMES(port, NFSAR_WIRE_AS_PORT, NFSAR_WIRE_PORTS)
NFSAR_WIRE_NAMES(place, NFSAR_WIRE_AS_PLACE, NFSAR_WIRE_PLACES)
NFSAR_WIRE_NAMES(exception, NFSAR_WIRE_AS_EXCEPTION, NFSAR_WIRE_EXCEPTIONS)
NFSAR_WIRE_NAMES(reason, NFSAR_WIRE_AS_REASON, NFSAR_WIRE_REASONS)
/** @endcond */

/** Flags of a hello. */
enum nfsar_wire_hello_flag {
    NFSAR_WIRE_HELLO_EMULATED = 1,
    NFSAR_WIRE_HELLO_USB = 2,
    NFSAR_WIRE_HELLO_SPI_IMU = 4,
    NFSAR_WIRE_HELLO_CRASHED = 8, /**< a crash record waits */
    NFSAR_WIRE_HELLO_INEXACT = 16 /**< the crystal did not start: rates are within 1 % only */
};

/** Channel of the records that NFSAR_WIRE_FAULT_FLOOD makes. */
enum { NFSAR_WIRE_CHANNEL_FLOOD = 255 };

/** What DO_INJECT can do. */
enum nfsar_wire_fault {
    NFSAR_WIRE_FAULT_BUS = 1,   /**< a hard fault */
    NFSAR_WIRE_FAULT_HANG = 2,  /**< the main loop stops: the watchdog resets */
    NFSAR_WIRE_FAULT_STALL = 3, /**< the main loop waits `value` ms */
    NFSAR_WIRE_FAULT_FLOOD = 4  /**< makes `value` sensor records at once */
};

/** Guards DO_RESTART and DO_INJECT: "nfsr". */
#define NFSAR_WIRE_MAGIC 0x7273666EU

#endif
