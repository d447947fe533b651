/* The protocol's golden frames on the microcontroller: same compiler, flags and C library as the
 * hub's firmware. wire_target/run builds it, runs it in qemu and reads what it says. */
#include <stdio.h>
#include <stdlib.h>

#include "../golden_check.h"

int main(void) {
    struct golden_count count = {0};
    golden_check(&count);
    if (count.wrong > 0) {
        printf("%u of %u golden frames wrong, the first is %s\n", count.wrong, count.vectors,
               count.first);
        exit(1);
    }
    printf("%u golden frames right on the microcontroller\n", count.vectors);
    exit(0);
}
