/* What the USB controller needs of the board: pins and clock. Its registers are usb/otg_fs.c's,
 * which is polled from the main loop: no interrupt of it is on. */
#include "firmware/boards/stm32f405/usb.h"
#include "firmware/boards/board.h"
#include "firmware/boards/stm32f405/clock.h"
#include "firmware/boards/stm32f405/pins.h"
#include "firmware/usb/otg_fs.h"

/* PA9, where the controller would sense VBUS, is not wired on the boards this is for. */
enum { SENSE_VBUS = false };

static struct otg_fs controller;

void usb_init(void) {
    if (clock_emulated()) {
        return; /* qemu has none */
    }
    gpio_alternate(PIN_USB_DM, 10, GPIO_NO_PULL);
    gpio_alternate(PIN_USB_DP, 10, GPIO_NO_PULL);
    clock_enable(&RCC_AHB2ENR, RCC_AHB2ENR_OTGFS);
    const struct otg_fs_access access = otg_fs_mmio();
    otg_fs_create(&controller, &access, SENSE_VBUS);
}

struct dcd *board_usb(void) {
    return clock_emulated() ? NULL : &controller.dcd;
}
