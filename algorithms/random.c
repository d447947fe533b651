#include <nfsar/simulation.h>

#include <math.h>

/* The increment and the mixer of splitmix64. */
#define GOLDEN 0x9e3779b97f4a7c15u

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void nfsar_random_seed(nfsar_random *random, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        seed += GOLDEN;
        random->state[i] = mix(seed);
    }
}

void nfsar_random_stream(nfsar_random *random, uint64_t seed, uint64_t stream) {
    /* Both numbers are small in practice: mixed apart, so that no two streams start from
     * neighbouring states of splitmix64. */
    nfsar_random_seed(random, mix(mix(seed + GOLDEN) ^ (stream + 1) * GOLDEN));
}

static uint64_t rotate_left(uint64_t x, int n) {
    return (x << n) | (x >> (64 - n));
}

uint64_t nfsar_random_bits(nfsar_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double nfsar_random_uniform(nfsar_random *random) {
    return (double)(nfsar_random_bits(random) >> 11) * 0x1p-53;
}

/* Magnitude of a circular normal with E r^2 = 2, and its phase. 1 - u is in (0, 1]. */
static double box_muller(nfsar_random *random, double *angle) {
    double radius = sqrt(-2.0 * log(1.0 - nfsar_random_uniform(random)));
    *angle = 2.0 * NFSAR_PI * nfsar_random_uniform(random);
    return radius;
}

double nfsar_random_normal(nfsar_random *random) {
    double angle = 0.0;
    double radius = box_muller(random, &angle);
    return radius * cos(angle);
}

double complex nfsar_random_complex_normal(nfsar_random *random) {
    double angle = 0.0;
    double radius = sqrt(0.5) * box_muller(random, &angle);
    return CMPLX(radius * cos(angle), radius * sin(angle));
}
