/* The free-running timer, its captures, and the inputs' edges. */
#ifndef NFSAR_BOARDS_STM32F405_STAMPS_H
#define NFSAR_BOARDS_STM32F405_STAMPS_H

void stamps_init(void);

void stamps_tim2_handler(void);
void stamps_exti_handler(void);

#endif
