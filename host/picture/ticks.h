/* Where an axis has its ticks, and how their numbers are written. */
#ifndef NFSAR_HOST_PICTURE_TICKS_H
#define NFSAR_HOST_PICTURE_TICKS_H

#include <stddef.h>

/* Ticks at first + i * step, i < count; step is 1, 2 or 5 times a power of ten. */
struct ticks {
    double first, step;
    size_t count;
};

/* Ticks inside [low, high], as many as fit but at most `most` intervals; when the interval is empty
 * one tick at low. */
struct ticks ticks_between(double low, double high, double most);

/* The same at 1, 2, 5, 10, 15, 30, 45, 90 or 180 degrees where these are not too many. */
struct ticks ticks_of_degrees(double low, double high, double most);

/* Coordinate of tick i; exactly 0 where rounding would leave 1e-17. */
double ticks_at(const struct ticks *ticks, size_t i);

/* The number at tick i, with the decimals that the step needs. */
void ticks_label(const struct ticks *ticks, size_t i, char *text, size_t room);

#endif
