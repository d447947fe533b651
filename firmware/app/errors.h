/* Errors that stay until somebody clears them. Each is told once for every source (axis, sensor,
 * port) and counted after that. */
#ifndef NFSAR_APP_ERRORS_H
#define NFSAR_APP_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

#include "nfsar/wire.h"

/* What can be told at once: every error from all its axes, sensors or ports, and a scan broken off
 * for each of its reasons. */
enum { ERRORS = 32, ERRORS_TOLD = 80 };

struct errors {
    uint32_t latched;         /* bits of enum nfsar_wire_error_code */
    uint32_t sources[ERRORS]; /* bits of the sources told, by error */
    uint32_t times[ERRORS];
    struct nfsar_wire_error told[ERRORS_TOLD]; /* of what is latched, in the order of telling */
    unsigned count;
    void (*tell)(void *context, const struct nfsar_wire_error *error);
    void *context;
};

void errors_raise(struct errors *errors, enum nfsar_wire_error_code error, uint16_t source,
                  int32_t value);

/* Tells all that is latched again, each source, to a host that comes later; `times` is that of now.
 */
void errors_repeat(struct errors *errors);

bool errors_latched(const struct errors *errors, enum nfsar_wire_error_code error);

/* Clears the errors of these bits, and tells each that was latched. */
void errors_clear(struct errors *errors, uint32_t bits);

#endif
