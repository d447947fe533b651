#ifndef NFSAR_BOARDS_CORTEX_M4_STACK_H
#define NFSAR_BOARDS_CORTEX_M4_STACK_H

/* Fills what the stack has not reached yet with a pattern; board_stack_free() looks for it. */
void core_stack_paint(void);

#endif
