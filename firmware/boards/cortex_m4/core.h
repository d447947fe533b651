/* The processor that every board here has: its own registers (ARMv7-M Architecture Reference
 * Manual, DDI 0403E, sections named below) and what the boards share. Only boards/ includes this.
 */
#ifndef NFSAR_BOARDS_CORTEX_M4_CORE_H
#define NFSAR_BOARDS_CORTEX_M4_CORE_H

#include <stdbool.h>
#include <stdint.h>

#define CORE_REGISTER(address) (*(volatile uint32_t *)(address))

/* System control block, B3.2. */
#define SCB_VTOR  CORE_REGISTER(0xE000ED08u)
#define SCB_AIRCR CORE_REGISTER(0xE000ED0Cu)
#define SCB_CCR   CORE_REGISTER(0xE000ED14u)
#define SCB_SHPR3 CORE_REGISTER(0xE000ED20u)
#define SCB_SHCSR CORE_REGISTER(0xE000ED24u)
#define SCB_CFSR  CORE_REGISTER(0xE000ED28u)
#define SCB_HFSR  CORE_REGISTER(0xE000ED2Cu)
#define SCB_MMFAR CORE_REGISTER(0xE000ED34u)
#define SCB_BFAR  CORE_REGISTER(0xE000ED38u)
#define SCB_CPACR CORE_REGISTER(0xE000ED88u)

#define SCB_AIRCR_RESET     0x05FA0004u /* the key, SYSRESETREQ */
#define SCB_CCR_DIVIDE_TRAP (1u << 4)
#define SCB_SHCSR_FAULTS    (7u << 16) /* memory, bus and usage faults have their own handlers */
#define SCB_CPACR_FPU       (0xFu << 20)

#define SCB_CFSR_MSTKERR   (1u << 4)
#define SCB_CFSR_MMARVALID (1u << 7)
#define SCB_CFSR_STKERR    (1u << 12)
#define SCB_CFSR_BFARVALID (1u << 15)

/* SysTick, B3.3. */
#define SYST_CSR CORE_REGISTER(0xE000E010u)
#define SYST_RVR CORE_REGISTER(0xE000E014u)
#define SYST_CVR CORE_REGISTER(0xE000E018u)

#define SYST_CSR_ON 7u /* counts processor clocks, interrupts */

/* Interrupt controller, B3.4. */
#define NVIC_ICER(n) CORE_REGISTER(0xE000E180u + 4u * (n))
#define NVIC_ISER(n) CORE_REGISTER(0xE000E100u + 4u * (n))
#define NVIC_IPR8(n) (*(volatile uint8_t *)(0xE000E400u + (n)))

/* Memory protection, B3.5. */
#define MPU_CTRL CORE_REGISTER(0xE000ED94u)
#define MPU_RNR  CORE_REGISTER(0xE000ED98u)
#define MPU_RBAR CORE_REGISTER(0xE000ED9Cu)
#define MPU_RASR CORE_REGISTER(0xE000EDA0u)

#define MPU_CTRL_ON            5u /* on, and all else as the default map has it */
#define MPU_RASR_256_NO_ACCESS ((1u << 28) | (7u << 1) | 1u)

/* Places that sections.ld names. */
extern uint32_t link_guard[], link_stack_bottom[], link_stack_top[], link_fault_stack_top[];
extern uint32_t link_data_start[], link_data_end[], link_data_source[];
extern uint32_t link_bss_start[], link_bss_end[];
extern uint8_t link_kept[], link_kept_board[];

typedef void core_handler(void);

/* Interrupts by urgency. Equal ones do not interrupt each other. Eight levels, as the part with the
 * fewest bits of priority has (AN386: three). */
enum core_priority {
    CORE_PRIORITY_SERIAL = 1, /* short, and a byte must be fetched before the next but one comes */
    CORE_PRIORITY_TICK = 2,
    CORE_PRIORITY_INPUT = 3,
    CORE_PRIORITY_STAMP = 4,
};

void core_reset_handler(void);

void core_interrupt_on(unsigned number, enum core_priority priority);
void core_interrupt_off(unsigned number);
/* SysTick every `reload` processor clocks: board_on_tick(). An emulator's SysTick interrupts late
 * and merges interrupts; where counts_per_tick is not 0, each makes up, by the free-running timer,
 * for those before it that did not come, so that ticks keep their rate although not their spacing.
 */
void core_tick_start(uint32_t reload, uint32_t counts_per_tick);

/* A watchdog in the tick: the chip is reset when so many interrupts of the tick passed without a
 * feed. It comes before the hardware's, and is the only one where the hardware's is not emulated;
 * as it counts interrupts and not time, an emulator that was kept waiting does not trip it. It
 * cannot see a hang with interrupts off. */
void core_watchdog_start(uint32_t ticks);
void core_watchdog_feed(void);

/* Why the firmware reset itself, kept through that reset. */
enum core_cause { CORE_CAUSE_NONE, CORE_CAUSE_SOFTWARE, CORE_CAUSE_WATCHDOG };
/* Reads and forgets it: CORE_CAUSE_NONE after power-on or an outer reset. *warm: memory is from an
 * earlier run. To be called once, by board_init(). */
enum core_cause core_take_cause(bool *warm);
/* Does not return. */
void core_reset(enum core_cause cause);

#endif
