#include "firmware/boards/cortex_m4/stack.h"
#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"

#define PAINT 0x5A5AA5A5u

enum { FRAME_OF_PAINTING = 128 }; /* bytes below the caller's that the painting itself may use */

void core_stack_paint(void) {
    uint32_t *end = (uint32_t *)((uint32_t)__builtin_frame_address(0) - FRAME_OF_PAINTING);
    for (volatile uint32_t *word = link_stack_bottom; word < end; word++) {
        *word = PAINT;
    }
}

uint32_t board_stack_free(void) {
    const volatile uint32_t *word = link_stack_bottom;
    while (word < link_stack_top && *word == PAINT) {
        word++;
    }
    return (uint32_t)word - (uint32_t)link_stack_bottom;
}

uint32_t board_stack_size(void) {
    return (uint32_t)link_stack_top - (uint32_t)link_stack_bottom;
}
