/* An error that the hub tells of, in words. */
#ifndef NFSAR_HOST_DEVICES_HUB_ERROR_H
#define NFSAR_HOST_DEVICES_HUB_ERROR_H

#include <nfsar/wire.h>

/* Such as "a limit switch stopped an axis (x, at step 4012)". Returns text. */
const char *hub_error_text(const struct nfsar_wire_error *error, char text[256]);

#endif
