/* Boot sector for tools/check-avx512: enters protected mode, reads the kernel and its initial file
 * system from the first IDE disk by LBA, and jumps to the kernel's 32-bit entry. The script gives
 * the numbers in capitals. */
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    inb $0x92, %al /* address line 20 */
    orb $2, %al
    outb %al, $0x92
    lgdt gdt_register
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmp $0x10, $protected
    .code32
protected:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x7c00, %esp
    cld
    movl $1, %ebx
    movl $KERNEL_END, %ebp
    movl $PARAMS_AT, %edi
    call read
    movl $FILES_END, %ebp
    movl $FILES_AT, %edi
    call read
    movl $PARAMS_AT, %esi
    xorl %ebp, %ebp
    xorl %edi, %edi
    xorl %ebx, %ebx
    movl $KERNEL_AT, %eax
    jmp *%eax

/* Sectors ebx to ebp, which is not read, to edi. */
read:
    movw $0x1f2, %dx
    movb $1, %al
    outb %al, %dx
    incw %dx
    movl %ebx, %eax
    outb %al, %dx
    incw %dx
    shrl $8, %eax
    outb %al, %dx
    incw %dx
    shrl $8, %eax
    outb %al, %dx
    incw %dx
    movb $0xe0, %al
    outb %al, %dx
    incw %dx
    movb $0x20, %al
    outb %al, %dx
busy:
    inb %dx, %al
    andb $0x88, %al
    cmpb $0x08, %al
    jne busy
    movw $0x1f0, %dx
    movl $256, %ecx
    rep insw
    incl %ebx
    cmpl %ebp, %ebx
    jb read
    ret

    .balign 8
gdt:
    .quad 0, 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_register:
    .word . - gdt - 1
    .long gdt
    .org 510
    .word 0xaa55
