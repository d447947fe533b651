/* Places of reflectors at an offset, and what the maps say to them. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_PLACES_H
#define NFSAR_CALIBRATION_TIME_OFFSET_PLACES_H

#include "calibration/trajectory/time_offset_data.h"

struct seed {
    size_t window;
    double range_m, rate;
    float score;
};

/* The antennas at each window's middle, a quarter of its length before, and after. */
struct passage {
    struct sight *before, *middle, *after; /* [n_window] */
    nfsar_vec3 *ahead;                     /* [n_window] a point on the boresight */
};

/* false: no memory. Release with passage_free(). */
bool passage_make(size_t n_window, struct passage *passage);
void passage_fill(const struct offset_data *data, double offset_s, struct passage *passage);
void passage_free(struct passage *passage);

/* What the maps say to a reflector at a place that appears bias_m too far. */
double score_place(const struct offset_data *data, const struct offset_maps *maps,
                   const struct passage *passage, nfsar_vec3 place, double bias_m);

/* What they say to the points given, at the range bias that is best for all of them. */
double score_points(const struct offset_data *data, const struct offset_maps *maps,
                    const struct passage *passage, const nfsar_time_offset_options *options,
                    double *bias_m);

/* The best of `turns` places on each circle that a seed may be on, and its score; 0 where the
 * motion is too slow for its rate. */
double score_seed(const struct offset_data *data, const struct offset_maps *maps,
                  const struct passage *passage, const struct seed *seed, size_t turns,
                  nfsar_vec3 *place);

/* The strongest peak of each of n stretches of time; those that are faint beside the strongest are
 * left out. Returns how many remain. */
size_t find_seeds(const struct offset_data *data, const struct offset_maps *maps, size_t n,
                  struct seed *seeds);

#endif
