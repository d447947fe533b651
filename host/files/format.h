/* What both file formats agree on (docs/files.md). */
#ifndef NFSAR_HOST_FILES_FORMAT_H
#define NFSAR_HOST_FILES_FORMAT_H

#define FORMAT_ATTRIBUTE         "format"
#define FORMAT_VERSION_ATTRIBUTE "format_version"
#define FORMAT_CAPTURE           "nfsar-capture"
#define FORMAT_IMAGE             "nfsar-image"
/* The major version that is written, and the newest that is read. */
#define FORMAT_VERSION 1

/* Chunks kept in memory for each open dataset: a row of chunks of any sensible capture. */
#define FORMAT_CACHE_BYTES ((size_t)64 << 20)
/* A prime, well above the number of chunks in the cache. */
#define FORMAT_CACHE_SLOTS 10007

/* What HDF5 reads at a time where it does not keep whole chunks. */
#define FORMAT_SIEVE_BYTES ((size_t)1 << 20)

#endif
