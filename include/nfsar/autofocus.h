#ifndef NFSAR_AUTOFOCUS_H
#define NFSAR_AUTOFOCUS_H
#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>
#endif
