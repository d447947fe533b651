/* The thread that computes frames and hands them to the capture card, in order. */
#ifndef NFSAR_TESTS_RIG_WORKER_H
#define NFSAR_TESTS_RIG_WORKER_H

#include <pthread.h>

#include "tests/rig/card.h"
#include "tests/rig/echo.h"

enum { WORKER_ROOM = 1024, WORKER_POSES = 64 };

enum worker_kind { WORKER_BEGIN, WORKER_FRAME, WORKER_END };

struct worker_task {
    enum worker_kind kind;
    struct rig_trigger trigger;
    bool mute;
};

struct worker {
    struct rig_echo echo;
    struct card *card;
    const char *truth; /* file, or NULL */

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    bool over;
    size_t head, tail;
    struct worker_task tasks[WORKER_ROOM];
    /* Of the next WORKER_BEGIN. */
    struct ti_cfg_frame frame;
    bool q_first;
    nfsar_pose poses[WORKER_POSES];

    bool told_refused; /* the card does not record */
};

enum nfsar_status worker_open(struct worker *worker, const struct session *session,
                              const nfsar_scene *scene, struct card *card, const char *truth,
                              nfsar_error *error);

/* The radar started: frames are these from now on. */
void worker_begin(struct worker *worker, const struct ti_cfg_frame *frame, bool q_first,
                  const nfsar_pose poses[WORKER_POSES]);
/* A frame; mute: of which nothing reaches the card, nor of those after it. Waits where too many
 * wait already. */
void worker_frame(struct worker *worker, const struct rig_trigger *trigger, bool mute);
/* The radar stopped: the truth is written. */
void worker_end(struct worker *worker);

/* Does what waits, and ends. */
void worker_close(struct worker *worker);

#endif
