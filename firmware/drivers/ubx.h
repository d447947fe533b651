/* u-blox GNSS receivers on a UART: UBX NAV-PVT at 10 Hz and a pulse per second aligned to UTC.
 *
 * Protocol: "u-blox M8 Receiver description including protocol specification" (UBX-13003221),
 * section 31 ff., for M8; "u-blox F9 HPG 1.32 Interface description" (UBX-22008968) and "M9
 * SPG 4.04" for CFG-VALSET. A frame is B5 62, class, id, length u16, payload, the 8-bit Fletcher
 * checksum from the class to the end of the payload. Nothing is written to the receiver's flash: it
 * is told again after each loss of power.
 *
 * A GNSS sample's count is that of the frame's first byte, which is 30 ... 150 ms after the
 * measurement that utc_ns says. The pulse is what ties the two clocks: an edge that follows the
 * edge before by a whole number of seconds is labelled by the first NAV-PVT that comes after it,
 * and given on as a sample of the kind SENSOR_PULSE, whose count is the edge's. */
#ifndef NFSAR_DRIVERS_UBX_H
#define NFSAR_DRIVERS_UBX_H

#include "firmware/drivers/frame.h"

struct ubx {
    struct sensor sensor;
    struct frame frame;
    uint8_t asked; /* id of the CFG message whose answer is awaited */
    bool legacy;   /* an M8: no CFG-VALSET */
    bool has_time;
    int64_t utc_ns; /* of the NAV-PVT before */

    bool has_edge;     /* one came, at edge */
    bool edge_is_good; /* it follows the one before as a pulse per second does, and is not labelled
                        */
    uint32_t edge;
    uint64_t edge_ns; /* monotonic, when it was handed over */
};

enum { UBX_RATE = 115200, UBX_PERIOD_MS = 100 };

extern const struct sensor_driver ubx_driver;

/* The driver's configure: ubx_configure.c. */
enum sensor_step ubx_configure(struct sensor *sensor, const struct sensor_bus *bus,
                               uint32_t *wait_us);

#endif
