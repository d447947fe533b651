#ifndef NFSAR_BOARDS_STM32F405_USB_H
#define NFSAR_BOARDS_STM32F405_USB_H

void usb_init(void);

#endif
