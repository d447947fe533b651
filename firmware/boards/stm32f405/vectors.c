/* The STM32F405's part of the vector table: RM0090 12.1.3, after the processor's. */
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/stm32f405/registers.h"
#include "firmware/boards/stm32f405/serial.h"
#include "firmware/boards/stm32f405/stamps.h"

static core_handler *const vectors[IRQ_COUNT] __attribute__((section(".vectors_board"), used)) = {
    [IRQ_EXTI0] = stamps_exti_handler,     [IRQ_EXTI1] = stamps_exti_handler,
    [IRQ_EXTI4] = stamps_exti_handler,     [IRQ_EXTI9_5] = stamps_exti_handler,
    [IRQ_TIM2] = stamps_tim2_handler,      [IRQ_USART1] = serial_usart1_handler,
    [IRQ_USART2] = serial_usart2_handler,  [IRQ_USART3] = serial_usart3_handler,
    [IRQ_EXTI15_10] = stamps_exti_handler, [IRQ_UART4] = serial_uart4_handler,
    [IRQ_USART6] = serial_usart6_handler,
};
