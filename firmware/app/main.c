/* The one hub of the firmware, and the interrupts that the board hands to it. */
#include "firmware/app/hub.h"
#include "firmware/boards/board.h"

static struct hub hub;

void board_on_tick(void) {
    hub_on_tick(&hub);
}

void board_on_input(enum board_input input, uint32_t count) {
    (void)count;
    hub_on_input(&hub, input);
}

void board_on_stamp(enum board_stamp stamp, uint32_t count) {
    hub_on_stamp(&hub, stamp, count);
}

int main(void) {
    board_init();
    hub_init(&hub);
    board_start();
    for (;;) {
        hub_poll(&hub);
        board_idle();
    }
}
