#include "host/files/hdf5_stack.h"

#include <stdlib.h>
#include <string.h>

#include "host/files/hdf5_error.h"

static void release(struct h5_stack *stack) {
    free(stack->written);
    free(stack);
}

enum nfsar_status h5_stack_create(const char *path, const char *format, const char *what,
                                  const size_t extents[3], struct h5_stack **stack,
                                  nfsar_error *error) {
    struct h5_stack *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->written = calloc(extents[0], 1);
    }
    if (made == NULL || made->written == NULL) {
        free(made);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    made->what = what;
    memcpy(made->extents, extents, sizeof made->extents);
    enum nfsar_status status = h5_output_create(&made->output, path, format, error);
    if (status != NFSAR_OK) {
        release(made);
        return status;
    }
    *stack = made;
    return NFSAR_OK;
}

enum nfsar_status h5_stack_write(struct h5_stack *stack, size_t first, size_t n,
                                 const float complex *block, nfsar_error *error) {
    if (first > stack->extents[0] || n > stack->extents[0] - first) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: %ss %zu + %zu cannot be written, there are only %zu",
                          stack->output.path, stack->what, first, n, stack->extents[0]);
    }
    if (n == 0) {
        return NFSAR_OK;
    }
    enum nfsar_status status =
        stack->pack.level > 0 ? h5_pack_write(&stack->pack, &stack->output, first, n, block, error)
                              : h5_write_part(&stack->output, &stack->data, first, n, block, error);
    if (status == NFSAR_OK) {
        memset(stack->written + first, 1, n);
    }
    return status;
}

enum nfsar_status h5_stack_commit(struct h5_stack *stack, nfsar_error *error) {
    return h5_stack_commit_checked(stack, NULL, NULL, error);
}

enum nfsar_status h5_stack_commit_checked(struct h5_stack *stack, h5_output_check *check,
                                          void *context, nfsar_error *error) {
    const unsigned char *missing = memchr(stack->written, 0, stack->extents[0]);
    if (missing != NULL) {
        enum nfsar_status status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: %s %zu was never written",
                       stack->output.path, stack->what, (size_t)(missing - stack->written));
        h5_stack_abandon(stack);
        return status;
    }
    struct h5_reporting before = h5_silence();
    h5_pack_close(&stack->pack);
    enum nfsar_status status = h5_output_commit_checked(&stack->output, check, context, error);
    release(stack);
    h5_restore(before);
    return status;
}

void h5_stack_abandon(struct h5_stack *stack) {
    if (stack == NULL) {
        return;
    }
    struct h5_reporting before = h5_silence();
    h5_sink_discard(&stack->output.sink);
    h5_pack_close(&stack->pack);
    h5_output_abandon(&stack->output);
    release(stack);
    h5_restore(before);
}
