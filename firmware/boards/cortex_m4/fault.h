#ifndef NFSAR_BOARDS_CORTEX_M4_FAULT_H
#define NFSAR_BOARDS_CORTEX_M4_FAULT_H

/* The handler of every fault, and of exceptions that must not come. Does not return. */
void core_fault_handler(void);
/* The same, unless the board defines it. */
void core_nmi_handler(void);

#endif
