/** @file
 * Progress reports and cancellation of long work.
 */
#ifndef NFSAR_PROGRESS_H
#define NFSAR_PROGRESS_H

#include <stdbool.h>

/** Called from the thread that started the work, now and then. */
typedef struct nfsar_progress {
    /** @p fraction goes from 0 to 1. Returning false stops the work with
     * NFSAR_ERROR_CANCELLED. */
    bool (*report)(void *context, double fraction);
    void *context; /**< handed to report() untouched */
} nfsar_progress;

/** Report @p fraction; true (go on) when @p progress or its callback is NULL. */
bool nfsar_progress_report(const nfsar_progress *progress, double fraction);

#endif
