/* One line of a .cfg: its command, its numbers, what it says. For ti_cfg.c. */
#ifndef NFSAR_HOST_RADAR_TI_CFG_COMMAND_H
#define NFSAR_HOST_RADAR_TI_CFG_COMMAND_H

#include "host/radar/ti_cfg.h"

enum { TI_CFG_WORDS = 128 }; /* of TI_CFG_TEXT bytes at most */

/* Takes the words of line `number` into cfg; words[0] is the command. Says what is wrong with it in
 * wrong[size], and returns false. */
bool ti_cfg_take(struct ti_cfg *cfg, unsigned number, char *const *words, size_t n, char *wrong,
                 size_t size);

/* What is not known yet. */
void ti_cfg_forget(struct ti_cfg *cfg);

#endif
