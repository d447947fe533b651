/* What the USB controller needs of the board: pins, clock, interrupt. The controller's own
 * registers are usb/otg_fs.c's. */
#include "firmware/boards/stm32f405/usb.h"
#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/stm32f405/clock.h"
#include "firmware/boards/stm32f405/pins.h"

/* usb/otg_fs.c defines it. */
void otg_fs_interrupt(void) __attribute__((weak));

void usb_init(void) {
    if (clock_emulated() || !otg_fs_interrupt)
        return;
    gpio_alternate(PIN_USB_DM, 10, GPIO_NO_PULL);
    gpio_alternate(PIN_USB_DP, 10, GPIO_NO_PULL);
    RCC_AHB2ENR |= RCC_AHB2ENR_OTGFS;
    core_interrupt_on(IRQ_OTG_FS, CORE_PRIORITY_USB);
}

void usb_otg_fs_handler(void) {
    if (otg_fs_interrupt)
        otg_fs_interrupt();
}

/* INTEGRATOR: return the controller of usb/otg_fs.c here, when !board_emulated(). */
struct usb_dcd *board_usb(void) {
    return NULL;
}
