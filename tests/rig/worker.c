#include "tests/rig/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct worker *worker, const struct worker_task *task) {
    pthread_mutex_lock(&worker->lock);
    while (worker->head - worker->tail == WORKER_ROOM) {
        pthread_cond_wait(&worker->less, &worker->lock);
    }
    worker->tasks[worker->head++ % WORKER_ROOM] = *task;
    pthread_cond_signal(&worker->more);
    pthread_mutex_unlock(&worker->lock);
}

/* The next task, or as many frames as wait. 0: there is none and none will come. */
static size_t take(struct worker *worker, struct worker_task tasks[RIG_BATCH]) {
    pthread_mutex_lock(&worker->lock);
    while (worker->head == worker->tail && !worker->over) {
        pthread_cond_wait(&worker->more, &worker->lock);
    }
    const size_t waiting = worker->head - worker->tail;
    size_t n = 0;
    while (n < waiting && n < RIG_BATCH) {
        const struct worker_task *next = &worker->tasks[(worker->tail + n) % WORKER_ROOM];
        if (n > 0 && (next->kind != WORKER_FRAME || tasks[0].kind != WORKER_FRAME)) {
            break;
        }
        tasks[n++] = *next;
    }
    pthread_mutex_unlock(&worker->lock);
    return n;
}

/* Only now: until then the one that begins has its frame to itself. */
static void done(struct worker *worker, size_t n) {
    pthread_mutex_lock(&worker->lock);
    worker->tail += n;
    pthread_cond_broadcast(&worker->less);
    pthread_mutex_unlock(&worker->lock);
}

static void complain(const nfsar_error *error) {
    fprintf(stderr, "nfsar-rig: %s\n", error->message);
}

static void save(struct worker *worker) {
    nfsar_error error;
    if (worker->truth == NULL || worker->echo.frames == 0) {
        return;
    }
    if (rig_echo_save(&worker->echo, worker->truth, &error) != NFSAR_OK) {
        complain(&error);
    } else {
        printf("%s: truth of %zu triggers\n", worker->truth, worker->echo.frames);
        fflush(stdout);
    }
    worker->echo.frames = 0;
}

static void begin(struct worker *worker) {
    nfsar_error error;
    if (rig_echo_begin(&worker->echo, &worker->frame, worker->q_first, worker->poses, WORKER_POSES,
                       &error) != NFSAR_OK) {
        complain(&error);
    }
    worker->told_refused = false;
}

static void make(struct worker *worker, const struct worker_task *tasks, size_t n) {
    struct rig_echo *echo = &worker->echo;
    struct rig_trigger triggers[RIG_BATCH];
    nfsar_error error;
    if (!echo->begun) {
        return;
    }
    size_t heard = 0;
    for (size_t i = 0; i < n; i++) {
        triggers[i] = tasks[i].trigger;
        heard += !tasks[i].mute;
    }
    const size_t bytes = heard * rig_layout_bytes(&echo->layout);
    uint8_t *samples = malloc(n * rig_layout_bytes(&echo->layout));
    enum nfsar_status status = samples != NULL
                                   ? rig_echo_frames(echo, triggers, n, samples, &error)
                                   : nfsar_fail(&error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status != NFSAR_OK) {
        complain(&error);
    } else if (bytes > 0 && worker->card != NULL &&
               card_send(worker->card, samples, bytes) < bytes && !worker->told_refused) {
        fprintf(stderr, "nfsar-rig: the card does not take samples: it does not record, or its "
                        "memory is full\n");
        worker->told_refused = true;
    }
    free(samples);
}

static void *work(void *context) {
    struct worker *worker = context;
    struct worker_task tasks[RIG_BATCH];
    size_t n;
    while ((n = take(worker, tasks)) > 0) {
        if (tasks[0].kind == WORKER_BEGIN) {
            save(worker);
            begin(worker);
        } else if (tasks[0].kind == WORKER_FRAME) {
            make(worker, tasks, n);
        } else {
            save(worker);
        }
        done(worker, n);
    }
    save(worker);
    return NULL;
}

enum nfsar_status worker_open(struct worker *worker, const struct session *session,
                              const nfsar_scene *scene, struct card *card, const char *truth,
                              nfsar_error *error) {
    memset(worker, 0, sizeof *worker);
    rig_echo_init(&worker->echo, session, scene);
    worker->card = card;
    worker->truth = truth;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->more, NULL);
    pthread_cond_init(&worker->less, NULL);
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "no thread for the radar's samples");
    }
    worker->running = true;
    return NFSAR_OK;
}

void worker_begin(struct worker *worker, const struct ti_cfg_frame *frame, bool q_first,
                  const nfsar_pose poses[WORKER_POSES]) {
    pthread_mutex_lock(&worker->lock);
    while (worker->head != worker->tail) {
        pthread_cond_wait(&worker->less, &worker->lock);
    }
    worker->frame = *frame;
    worker->q_first = q_first;
    memcpy(worker->poses, poses, sizeof worker->poses);
    pthread_mutex_unlock(&worker->lock);
    put(worker, &(struct worker_task){.kind = WORKER_BEGIN});
}

void worker_frame(struct worker *worker, const struct rig_trigger *trigger, bool mute) {
    put(worker, &(struct worker_task){WORKER_FRAME, *trigger, mute});
}

void worker_end(struct worker *worker) {
    put(worker, &(struct worker_task){.kind = WORKER_END});
}

void worker_close(struct worker *worker) {
    if (worker->running) {
        pthread_mutex_lock(&worker->lock);
        worker->over = true;
        pthread_cond_signal(&worker->more);
        pthread_mutex_unlock(&worker->lock);
        pthread_join(worker->thread, NULL);
        worker->running = false;
    }
    rig_echo_free(&worker->echo);
}
