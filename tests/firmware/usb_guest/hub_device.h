/* The hub's application in real time behind redir_device's cable: the firmware on the fake board.
 */
#ifndef TESTS_FIRMWARE_USB_GUEST_HUB_DEVICE_H
#define TESTS_FIRMWARE_USB_GUEST_HUB_DEVICE_H

#include "firmware/usb/usb_link.h"

/* Power on, or the chip's reset. Power stays on when the cable is pulled. */
void hub_device_start(struct dcd *dcd, bool reset);
/* The ticks that are due, and a turn of the main loop. To be called often. */
void hub_device_run(void);
struct usb_link *hub_device_link(void);
bool hub_device_resets(void);      /* the firmware asked the chip for it */
uint32_t hub_device_records(void); /* made so far */
void hub_device_report(void);

#endif
