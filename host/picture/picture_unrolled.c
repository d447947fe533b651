#include "host/picture/kinds.h"
enum nfsar_status picture_unrolled(const struct page *page, const char *path, nfsar_error *error) {
    (void)page;
    return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "%s: not yet", path);
}
