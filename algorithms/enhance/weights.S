/* The networks that are built into the library: their files, byte for byte (builtin.c). */
    .section .rodata

    .globl enhance_weights_default, enhance_weights_default_end
    .balign 64
enhance_weights_default:
    .incbin "default.safetensors"
enhance_weights_default_end:

    .globl enhance_weights_paper, enhance_weights_paper_end
    .balign 64
enhance_weights_paper:
    .incbin "paper.safetensors"
enhance_weights_paper_end:
    .byte 0

/* Without this the linker takes it that the stack must be executable. */
    .section .note.GNU-stack, "", %progbits
