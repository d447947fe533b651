/* Scatterers gathered into small clusters, so that ranges over a cluster are short series and a
 * range profile over it a short polynomial. */
#ifndef NFSAR_ALGORITHMS_CLUSTERS_H
#define NFSAR_ALGORITHMS_CLUSTERS_H

#include <nfsar/simulation.h>

enum {
    CLUSTER_LIMIT = 4096, /* most scatterers of a cluster: they stay in the first caches */
    CLUSTER_PAD = 64      /* a cluster is filled up with zeros to a multiple of it */
};

/* Scatterers [first, first + padded) about a centre. */
struct cluster {
    double centre[3]; /* metres */
    float half[3];    /* of the box round them, metres */
    size_t first, n, padded;
};

struct clusters {
    size_t n;
    struct cluster *cluster;
    size_t room;             /* of the arrays below, aligned to 64 bytes */
    float *offset[3], *norm; /* from the cluster's centre, metres; squared length */
    float *re, *im;          /* reflectivity */
    size_t *index;           /* which scatterer it is; SIZE_MAX for filling */
};

/* Cut n > 0 scatterers into clusters whose boxes' half diagonals are at most `radius`, by halving
 * the side whose length times weight is largest: weights > 0 say how much ranges change along each
 * axis. False when there is no memory, or when they are more than `most`. */
bool clusters_make(const nfsar_scatterer *scatterer, size_t n, double radius,
                   const double weight[3], size_t most, struct clusters *clusters);
void clusters_free(struct clusters *clusters);

#endif
