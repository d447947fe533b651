/* Optical flow and range on one UART, as Matek's 3901-L0X sends them: MSP v2 at 115200 bits/s.
 *
 * Protocol: "MSP V2" (github.com/iNavFlight/inav/wiki/MSP-V2) and INAV's
 * msp_protocol_v2_sensor_msg.h. A frame is "$X<", flag, function u16, size u16, payload,
 * CRC-8/DVB-S2 from the flag to the end of the payload. 0x1F01 is a range (quality u8, mm i32;
 * negative: nothing in range), 0x1F02 a flow (quality u8, x i32, y i32). The stamp is the first
 * byte's: the module does not tell the delay before it. Nothing can be configured.
 *
 * What a count of flow is worth its maker does not say. MSP_FLOW_COUNTS_PER_DEGREE is INAV's
 * default for this module; lenses differ, so calibrate before trusting it for more than a few
 * percent. */
#ifndef NFSAR_DRIVERS_MSP_FLOW_H
#define NFSAR_DRIVERS_MSP_FLOW_H

#include "firmware/drivers/frame.h"

#define MSP_FLOW_COUNTS_PER_DEGREE 10.5f

struct msp_flow {
    struct sensor sensor;
    struct frame frame;
    bool has_before;
    uint32_t before; /* count of the flow packet before */
};

extern const struct sensor_driver msp_flow_driver;

#endif
