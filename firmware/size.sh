#!/bin/sh
# Flash and RAM of a firmware ELF beside the budget of 128 kB and 64 kB; fails above it.
# RAM counts the guard, stack, fault stack and kept memory, which lie below .data.
set -eu
elf=$1
symbol() {
    arm-none-eabi-nm "$elf" | awk -v name="$1" '$3 == name { print "0x" $1 }'
}
flash=$(($(symbol link_flash_end) - $(symbol link_flash_start)))
ram=$(($(symbol link_ram_end) - $(symbol link_ram_start)))
stack=$(($(symbol link_stack_top) - $(symbol link_stack_bottom)))
printf '%s: flash %d of 131072 bytes, RAM %d of 65536 (stack %d)\n' \
    "$(basename "$elf")" "$flash" "$ram" "$stack"
if [ "$flash" -gt 131072 ] || [ "$ram" -gt 65536 ]; then
    echo "$(basename "$elf"): over the budget" >&2
    exit 1
fi
