/* Which layout makes sense of the words of a raw recording. */
#ifndef NFSAR_HOST_IMPORT_LAYOUT_FIT_H
#define NFSAR_HOST_IMPORT_LAYOUT_FIT_H

#include "host/import/import.h"

/* Decode some chirps in every raw layout and order of I and Q, and set survey->other_fits and what
 * goes with it. Echoes of a chirp lie on one side of its spectrum; a wrong layout mixes receivers
 * or moments, which puts some of their power on the other side. Does
 * nothing for arrays and stepped frequencies. */
enum nfsar_status layout_fit(nfsar_import *import, nfsar_error *error);

#endif
