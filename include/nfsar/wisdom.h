/** @file
 * Wisdom of FFTW, kept between runs: which way through a transform is fastest on this machine is
 * measured once, when a plan is made whose transforms are worth it, for a tenth of a second each at
 * most. The library itself reads and writes no such file; a program that calls
 * nfsar_wisdom_load() when it starts and nfsar_wisdom_save() when it ends spares later runs the
 * measuring.
 */
#ifndef NFSAR_WISDOM_H
#define NFSAR_WISDOM_H

#include <stdbool.h>

/** Bring in the wisdom in @p path; NULL for `wisdom` in the user's cache folder, which is
 * $XDG_CACHE_HOME/nfsar or ~/.cache/nfsar.
 * @return false when there is none, or none that can be used: a damaged file, or one of another
 *         version of FFTW, is as good as none and never an error. */
bool nfsar_wisdom_load(const char *path);

/** Keep in @p path (NULL as above) what was measured since nfsar_wisdom_load(), with what is there
 * already. The file appears complete or not at all; nothing is written where nothing was measured.
 * @return whether something was written: false, and no error, where the folder cannot be. */
bool nfsar_wisdom_save(const char *path);

#endif
