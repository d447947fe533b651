/* From a fault to board_on_fault(): on a stack of its own, since the main one may be what failed.
 */
#include "firmware/boards/cortex_m4/fault.h"
#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"

void core_fault(const uint32_t *frame, uint32_t exception);

/* Only the main stack is used, so the frame is where MSP points (DDI 0403E B1.5.6). */
__attribute__((naked)) void core_fault_handler(void) {
    __asm volatile("mrs r0, msp\n"
                   "mrs r1, ipsr\n"
                   "ldr r2, =link_fault_stack_top\n"
                   "msr msp, r2\n"
                   "b core_fault\n");
}

void core_nmi_handler(void) __attribute__((weak, alias("core_fault_handler")));

static bool frame_is_there(const uint32_t *frame, uint32_t cfsr) {
    return !(cfsr & (SCB_CFSR_MSTKERR | SCB_CFSR_STKERR)) && frame >= link_stack_bottom &&
           frame + 8 <= link_stack_top;
}

static uint32_t fault_address(uint32_t cfsr) {
    if (cfsr & SCB_CFSR_MMARVALID) {
        return SCB_MMFAR;
    }
    return cfsr & SCB_CFSR_BFARVALID ? SCB_BFAR : 0;
}

void core_fault(const uint32_t *frame, uint32_t exception) {
    static volatile bool again; /* a fault of the fault's handler: nothing more can be told */
    __asm volatile("cpsid i" ::: "memory");
    if (again) {
        core_reset(CORE_CAUSE_SOFTWARE);
    }
    again = true;
    uint32_t cfsr = SCB_CFSR;
    struct board_fault fault = {.cfsr = cfsr,
                                .hfsr = SCB_HFSR,
                                .fault_address = fault_address(cfsr),
                                .exception = exception};
    if (frame_is_there(frame, cfsr)) {
        fault.r0 = frame[0];
        fault.r1 = frame[1];
        fault.r2 = frame[2];
        fault.r3 = frame[3];
        fault.r12 = frame[4];
        fault.lr = frame[5];
        fault.pc = frame[6];
        fault.psr = frame[7];
    }
    board_on_fault(&fault);
    core_reset(CORE_CAUSE_SOFTWARE);
}

/* An address that no board has: a precise bus fault. */
void board_fault_now(void) {
    (void)CORE_REGISTER(0xCCCCCCCCu);
    core_reset(CORE_CAUSE_SOFTWARE);
}

void board_hang_now(void) {
    for (;;) {
        __asm volatile("nop");
    }
}
