/* Which stream of random numbers each part of a scene draws from, so that a change to one part
 * leaves the others as they were. */
#ifndef NFSAR_HOST_SCENE_STREAMS_H
#define NFSAR_HOST_SCENE_STREAMS_H

enum {
    STREAM_PATH = 1,
    STREAM_POSE_ERROR,
    STREAM_CHANNELS,
    STREAM_PROBE,
    STREAM_NOISE,
    STREAM_ANGLE_JITTER,
    STREAM_MISSING,
    STREAM_TARGET = 1000 /* and up, one for each target */
};

#endif
