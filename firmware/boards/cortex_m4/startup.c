/* From reset to main(): the processor's part of the vector table, memory, FPU, guard of the stack.
 */
#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/cortex_m4/fault.h"
#include "firmware/boards/cortex_m4/stack.h"

int main(void);
void core_tick_handler(void);

/* DDI 0403E B1.5.3. The board's interrupts follow in .vectors_board. A vector that is not given is
 * 0: taking it is a usage fault, which the fault handler reports. */
static const struct {
    uint32_t *stack;
    core_handler *handler[15];
} vectors __attribute__((section(".vectors"), used)) = {
    link_stack_top,
    {core_reset_handler, core_nmi_handler, core_fault_handler, core_fault_handler,
     core_fault_handler, core_fault_handler, 0, 0, 0, 0, core_fault_handler, core_fault_handler, 0,
     core_fault_handler, core_tick_handler}};

static void fill_memory(void) {
    const uint32_t *source = link_data_source;
    for (uint32_t *word = link_data_start; word < link_data_end; word++) {
        *word = *source++;
    }
    for (uint32_t *word = link_bss_start; word < link_bss_end; word++) {
        *word = 0;
    }
}

/* A boot loader that jumps here, without a reset, may have left interrupts on and one pending. */
static void forget_interrupts(void) {
    __asm volatile("cpsid i" ::: "memory");
    for (unsigned i = 0; i < 8; i++) {
        NVIC_ICER(i) = 0xFFFFFFFFu;
    }
    SYST_CSR = 0;
}

/* An overflow of the stack becomes a memory fault at the instruction that did it. */
static void guard_stack(void) {
    MPU_RNR = 0;
    MPU_RBAR = (uint32_t)link_guard;
    MPU_RASR = MPU_RASR_256_NO_ACCESS;
    MPU_CTRL = MPU_CTRL_ON;
    __asm volatile("dsb\n isb" ::: "memory");
}

void core_reset_handler(void) {
    forget_interrupts();
    SCB_CPACR |= SCB_CPACR_FPU;
    SCB_VTOR = (uint32_t)&vectors;
    SCB_SHCSR |= SCB_SHCSR_FAULTS;
    SCB_CCR |= SCB_CCR_DIVIDE_TRAP;
    __asm volatile("dsb\n isb" ::: "memory");
    core_stack_paint();
    fill_memory();
    guard_stack();
    main();
    board_reset();
}
