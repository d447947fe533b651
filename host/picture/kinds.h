/* The kinds of pictures of an image that are not orthographic views (host/picture/picture.c). The
 * options common to all are checked. */
#ifndef NFSAR_HOST_PICTURE_KINDS_H
#define NFSAR_HOST_PICTURE_KINDS_H

#include "host/picture/page.h"

/* The surface round an axis laid flat. */
enum nfsar_status picture_unrolled(const struct page *page, const char *path, nfsar_error *error);

/* The surface of equal magnitude, lit. */
enum nfsar_status picture_solid(const struct page *page, const char *path, nfsar_error *error);

#endif
