#include "host/export/formats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* NumPy format 1.0: magic, version, length of the header, the header (a Python dictionary padded
 * with blanks to a multiple of 64 bytes and ended by a newline), the samples. */
static size_t make_header(const nfsar_grid *grid, char *header, size_t room) {
    const size_t prefix = 10;
    const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    int used = snprintf(header + prefix, room - prefix,
                        "{'descr': '%cc8', 'fortran_order': False, 'shape': (%zu, %zu, %zu), }",
                        order, grid->z.count, grid->y.count, grid->x.count);
    size_t total = (prefix + (size_t)used + 1 + 63) / 64 * 64;
    memset(header + prefix + used, ' ', total - prefix - (size_t)used);
    header[total - 1] = '\n';
    size_t length = total - prefix;
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)(length & 0xff);
    header[9] = (char)(length >> 8);
    return total;
}

enum nfsar_status export_npy(const nfsar_image *image, double maximum, const char *path,
                             nfsar_error *error) {
    (void)maximum;
    char header[256];
    size_t n_header = make_header(&image->grid, header, sizeof header);
    size_t n = nfsar_grid_voxels(&image->grid);
    FILE *file = fopen(path, "wb");
    errno = 0;
    if (file == NULL || fwrite(header, 1, n_header, file) != n_header ||
        fwrite(image->data, sizeof *image->data, n, file) != n || fflush(file) != 0) {
        int reason = errno;
        if (file != NULL) {
            fclose(file);
        }
        return nfsar_fail(error, NFSAR_ERROR_FILE, "could not be written: %s", strerror(reason));
    }
    if (fclose(file) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "could not be written: %s", strerror(errno));
    }
    return NFSAR_OK;
}
