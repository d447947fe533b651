/* Runs a fuzz target without a fuzzer: on the files named, or on a fixed number of random changes
 * of its seed, always the same. So the targets are built and tried by every ctest. */
#include <stdio.h>

#include "serial.h"

enum { ROUNDS = 5000, LARGEST = 2048 };

static int run_file(const char *name) {
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        return 1;
    }
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, n);
    return 0;
}

/* Copies the seed one to five times, each with some bytes changed and a part left out. */
static size_t mutate(uint64_t *random, uint8_t *to) {
    size_t n = 0;
    for (uint64_t copies = fake_random(random) % 5 + 1; copies > 0; --copies) {
        size_t from = fake_random(random) % 4 == 0 ? fake_random(random) % fuzz_seed_size : 0;
        for (size_t i = from; i < fuzz_seed_size && n < LARGEST; ++i) {
            uint64_t r = fake_random(random) >> 16;
            if (r % 256 == 0) {
                continue;
            }
            to[n++] = r % 61 == 0 ? (uint8_t)(r >> 32) : fuzz_seed[i];
        }
    }
    return n;
}

int main(int argc, char **argv) {
    int failures = 0;
    for (int i = 1; i < argc; ++i) {
        failures += run_file(argv[i]);
    }
    if (argc > 1) {
        return failures > 0;
    }
    uint64_t random = 0xD1B54A32D192ED03u;
    for (int i = 0; i < ROUNDS; ++i) {
        uint8_t *bytes = malloc(LARGEST); /* of its own, so that a sanitizer sees its end */
        if (bytes == NULL) {
            return 1;
        }
        size_t n = mutate(&random, bytes);
        uint8_t *exact = realloc(bytes, n > 0 ? n : 1);
        LLVMFuzzerTestOneInput(exact != NULL ? exact : bytes, n);
        free(exact != NULL ? exact : bytes);
    }
    printf("%d inputs\n", ROUNDS);
    return 0;
}
