/* Numbers of arrays to samples, at the speed of the memory. */
#include <stdint.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "host/import/cube.h"

/* n numbers one after the other: samples whose parts lie side by side are 2 n of these. */
#define CONVERT_RUN(name, type)                                                                    \
    MULTIVERSION                                                                                   \
    static void name##_run(const unsigned char *from, size_t n, float *out) {                      \
        for (size_t i = 0; i < n; i++) {                                                           \
            type value;                                                                            \
            memcpy(&value, from + i * sizeof value, sizeof value);                                 \
            out[i] = (float)value;                                                                 \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void name(const unsigned char *real, const unsigned char *imaginary, ptrdiff_t step,    \
                     size_t n, float complex *out) {                                               \
        if (imaginary == real + sizeof(type) && step == 2 * (ptrdiff_t)sizeof(type)) {             \
            name##_run(real, 2 * n, (float *)out);                                                 \
            return;                                                                                \
        }                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            type re, im;                                                                           \
            memcpy(&re, real + (ptrdiff_t)i * step, sizeof re);                                    \
            memcpy(&im, imaginary + (ptrdiff_t)i * step, sizeof im);                               \
            out[i] = CMPLXF((float)re, (float)im);                                                 \
        }                                                                                          \
    }

CONVERT_RUN(convert_i8, int8_t)
CONVERT_RUN(convert_i16, int16_t)
CONVERT_RUN(convert_i32, int32_t)
CONVERT_RUN(convert_f32, float)
CONVERT_RUN(convert_f64, double)

void cube_convert(enum cube_element element, const unsigned char *real,
                  const unsigned char *imaginary, ptrdiff_t step, size_t n, float complex *out) {
    switch (element) {
    case CUBE_I8:
        convert_i8(real, imaginary, step, n, out);
        break;
    case CUBE_I16:
        convert_i16(real, imaginary, step, n, out);
        break;
    case CUBE_I32:
        convert_i32(real, imaginary, step, n, out);
        break;
    case CUBE_F32:
        convert_f32(real, imaginary, step, n, out);
        break;
    case CUBE_F64:
        convert_f64(real, imaginary, step, n, out);
        break;
    }
}
