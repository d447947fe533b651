#include "host/files/hdf5_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files/format.h"
#include "host/files/hdf5_error.h"
#include "host/files/hdf5_header.h"

herr_t h5_refuse_link(const char *parent_file, const char *parent_group, const char *child_file,
                      const char *child_object, unsigned *flags, hid_t access, void *context) {
    (void)parent_file;
    (void)parent_group;
    (void)child_file;
    (void)child_object;
    (void)flags;
    (void)access;
    (void)context;
    return -1;
}

static hid_t link_list(void) {
    hid_t list = H5Pcreate(H5P_LINK_ACCESS);
    if (list >= 0 && H5Pset_elink_cb(list, h5_refuse_link, NULL) < 0) {
        h5_drop(list);
        list = H5I_INVALID_HID;
    }
    return list;
}

/* Dropping the list would wipe out why, so that is kept here. */
static hid_t open_file(const char *path, char reason[H5_REASON_LENGTH]) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    /* No locks: some file systems have none, and nothing is written. */
    if (access >= 0 && H5Pset_file_locking(access, false, true) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_sieve_buf_size(access, FORMAT_SIEVE_BYTES) >= 0) {
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    }
    h5_reason(reason);
    h5_drop(access);
    return file;
}

/* Everything that can be said before HDF5 looks at it. */
static enum nfsar_status check_file(const char *path, uint64_t *bytes, nfsar_error *error) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be opened: %s", path,
                          strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: is %s, not a capture or image file", path,
                          S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    }
    if (access(path, R_OK) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (info.st_size == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is empty", path);
    }
    *bytes = (uint64_t)info.st_size;
    return NFSAR_OK;
}

/* How addresses are written in the file, and where they begin. */
static enum nfsar_status learn_addresses(struct h5_input *input, nfsar_error *error) {
    hid_t list = H5Fget_create_plist(input->file);
    size_t address_size = 0, length_size = 0;
    hsize_t base = 0;
    bool good = list >= 0 && H5Pget_sizes(list, &address_size, &length_size) >= 0 &&
                H5Pget_userblock(list, &base) >= 0;
    h5_drop(list);
    input->base = base;
    input->descriptor = open(input->path, O_RDONLY | O_CLOEXEC);
    if (input->descriptor < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read: %s", input->path,
                          strerror(errno));
    }
    if (!good || address_size != 8 || length_size != 8) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: has addresses of %zu and lengths of %zu bytes, only 8 are read here",
                          input->path, address_size, length_size);
    }
    return NFSAR_OK;
}

enum nfsar_status h5_input_open(struct h5_input *input, const char *path, nfsar_error *error) {
    *input = (struct h5_input){.file = H5I_INVALID_HID, .links = H5I_INVALID_HID, .descriptor = -1};
    enum nfsar_status status = check_file(path, &input->bytes, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (H5Fis_hdf5(path) <= 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: is not an HDF5 file; captures and images are made by `nfsar "
                          "import`, `nfsar simulate` and `nfsar reconstruct`",
                          path);
    }
    input->path = strdup(path);
    input->links = link_list();
    char reason[H5_REASON_LENGTH];
    input->file = open_file(path, reason);
    if (input->file < 0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: cannot be read, perhaps it is truncated or damaged (%s): take a copy "
                       "that is whole",
                       path, reason);
    } else if (input->path == NULL || input->links < 0) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    if (status == NFSAR_OK) {
        status = learn_addresses(input, error);
    }
    if (status != NFSAR_OK) {
        h5_input_close(input);
    }
    return status;
}

void h5_input_close(struct h5_input *input) {
    if (input->file >= 0) {
        H5Fclose(input->file);
    }
    if (input->descriptor >= 0) {
        close(input->descriptor);
    }
    h5_drop(input->links);
    free(input->path);
    *input = (struct h5_input){.file = H5I_INVALID_HID, .links = H5I_INVALID_HID, .descriptor = -1};
}

static enum nfsar_status check_version(const struct h5_input *input, nfsar_error *error) {
    double version = 0.0;
    bool found = false;
    enum nfsar_status status =
        h5_read_number(input, "/", FORMAT_VERSION_ATTRIBUTE, &version, &found, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (!found || version < 1.0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: the attribute " FORMAT_VERSION_ATTRIBUTE
                          " is missing or not a version number; this program reads version %d",
                          input->path, FORMAT_VERSION);
    }
    if (version >= FORMAT_VERSION + 1.0) {
        return nfsar_fail(error, NFSAR_ERROR_VERSION,
                          "%s: has version %.9g of its format, this program reads up to version "
                          "%d; use a newer nfsar",
                          input->path, version, FORMAT_VERSION);
    }
    return NFSAR_OK;
}

enum nfsar_status h5_input_kind(const struct h5_input *input, enum nfsar_file_kind *kind,
                                nfsar_error *error) {
    char *format = NULL;
    enum nfsar_status status = h5_read_text(input, "/", FORMAT_ATTRIBUTE, &format, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (format == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: is an HDF5 file, but neither a capture nor an image: its root has "
                            "no attribute " FORMAT_ATTRIBUTE,
                            input->path);
    } else if (strcmp(format, FORMAT_CAPTURE) == 0) {
        *kind = NFSAR_FILE_CAPTURE;
    } else if (strcmp(format, FORMAT_IMAGE) == 0) {
        *kind = NFSAR_FILE_IMAGE;
    } else {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: its format is '%.60s', neither " FORMAT_CAPTURE " nor " FORMAT_IMAGE,
                       input->path, format);
    }
    free(format);
    return status == NFSAR_OK ? check_version(input, error) : status;
}

enum nfsar_status h5_has(const struct h5_input *input, const char *name, bool *found,
                         nfsar_error *error) {
    /* H5Lexists() wants every group on the way to exist. */
    char part[128];
    size_t length = strlen(name);
    *found = length < sizeof part;
    for (size_t i = 1; *found && i <= length; i++) {
        if (name[i] == '/' || name[i] == '\0') {
            memcpy(part, name, i);
            part[i] = '\0';
            htri_t exists = H5Lexists(input->file, part, input->links);
            if (exists < 0) {
                char reason[H5_REASON_LENGTH];
                return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read: %s",
                                  input->path, part, h5_reason(reason));
            }
            *found = exists > 0;
        }
    }
    return NFSAR_OK;
}

hid_t h5_open_object(const struct h5_input *input, const char *name, H5O_type_t type,
                     hid_t dataset_access) {
    H5O_info_t info;
    if (H5Oget_info_by_name2(input->file, name, &info, H5O_INFO_BASIC, input->links) < 0 ||
        (type != H5O_TYPE_UNKNOWN && info.type != type) ||
        h5_header_fault(input->descriptor, input->base, info.addr) != NULL) {
        return H5I_INVALID_HID;
    }
    return type == H5O_TYPE_DATASET ? H5Dopen2(input->file, name, dataset_access)
                                    : H5Oopen(input->file, name, input->links);
}
