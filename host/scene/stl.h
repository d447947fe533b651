/* STL files, binary and ASCII: triangles. */
#ifndef NFSAR_HOST_SCENE_STL_H
#define NFSAR_HOST_SCENE_STL_H

#include <stddef.h>

#include <nfsar/status.h>

/* Corners in the file's own units. The order of the corners gives the outward side (right hand);
 * the file's normals are not looked at, as many programs leave them zero. */
struct stl_triangle {
    float corner[3][3];
};

/* All triangles of a file, *n of them, to be freed by the caller. Refused: a size that does not
 * fit the count, numbers that are not finite, an ASCII file that departs from the grammar, and a
 * file without triangles. */
enum nfsar_status stl_read(const char *path, struct stl_triangle **triangle, size_t *n,
                           nfsar_error *error);

#endif
