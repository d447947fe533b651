/** @file
 * The STM32F405's full-speed USB controller (RM0090 chapter 34) behind dcd.h.
 *
 * Polled: no interrupt of it is enabled, all of it belongs to the main loop. So the erratum of the
 * transmit FIFO (ES0182: a write sequence to it must not be interrupted by accesses to endpoint
 * registers) cannot bite. Before init the board has to give it its 48 MHz and its AHB clock (at
 * least 14.2 MHz) and put PA11 and PA12 on alternate function 10.
 *
 * The registers are reached through two functions, which a test replaces by a model.
 */
#ifndef FIRMWARE_USB_OTG_FS_H
#define FIRMWARE_USB_OTG_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/usb/dcd.h"
#include "firmware/usb/otg_fs_registers.h"

struct otg_fs_access {
    void *bus;
    uint32_t (*read32)(void *bus, uint32_t offset);
    void (*write32)(void *bus, uint32_t offset, uint32_t value);
};

struct otg_fs_out {
    bool armed;
    uint8_t packet[DCD_PACKET_MAX];
    uint16_t n;
};

struct otg_fs {
    struct dcd dcd; /* first */
    struct otg_fs_access access;
    bool sense_vbus;
    bool suspended;
    bool in_busy[OTG_FS_N_ENDPOINT];
    struct otg_fs_out out[OTG_FS_N_ENDPOINT];
    uint8_t setup[DCD_SETUP_SIZE];
};

/** Prepare the driver; it touches no register until dcd_operations::init.
 * @param sense_vbus  PA9 is wired to VBUS: the device shows itself only while a host feeds the
 *                    cable, and sees it go. Without it an unplugged cable looks like suspend. */
void otg_fs_create(struct otg_fs *otg, const struct otg_fs_access *access, bool sense_vbus);

/** The registers of the chip itself (otg_fs_mmio.c, not for the host). */
struct otg_fs_access otg_fs_mmio(void);

#endif
