/** @file
 * What a function answers, and the detail of what went wrong.
 */
#ifndef NFSAR_STATUS_H
#define NFSAR_STATUS_H

/** Result of every function that can fail. */
enum nfsar_status {
    NFSAR_OK = 0,            /**< done */
    NFSAR_ERROR_ARGUMENT,    /**< an argument is outside what the function accepts */
    NFSAR_ERROR_MEMORY,      /**< memory could not be allocated */
    NFSAR_ERROR_FILE,        /**< a file could not be opened, read, written or renamed */
    NFSAR_ERROR_FORMAT,      /**< a file's content is not what its format promises */
    NFSAR_ERROR_VERSION,     /**< a file of a newer major version of the format */
    NFSAR_ERROR_GEOMETRY,    /**< positions do not have the form that the method needs */
    NFSAR_ERROR_UNSUPPORTED, /**< valid, but not something this build can do */
    NFSAR_ERROR_CANCELLED,   /**< the progress callback asked to stop */
    NFSAR_ERROR_DEVICE,      /**< a device does not answer, or is not what it should be */
    NFSAR_ERROR_REFUSED      /**< a device refused a command */
};

/** Length of nfsar_error::message, the closing zero included. */
#define NFSAR_ERROR_LENGTH 640

/** The detail of the last error: one line that names what, where, and the way out.
 * The caller owns it and passes its address; NULL is accepted everywhere. It is written
 * only when a function fails. */
typedef struct nfsar_error {
    enum nfsar_status status;         /**< same value as the function returned */
    char message[NFSAR_ERROR_LENGTH]; /**< one line without a newline, zero-terminated */
} nfsar_error;

/** A few words for a status, such as "out of memory". The string is static. */
const char *nfsar_status_string(enum nfsar_status status);

/** Fill @p error (may be NULL) from a printf format and return @p status, so that a function
 * can fail in one statement. Newlines in the result become spaces. */
enum nfsar_status nfsar_fail(nfsar_error *error, enum nfsar_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Put "context: " in front of the message of @p error (may be NULL), unless it is there already;
 * returns its argument @p status unchanged. */
enum nfsar_status nfsar_fail_in(nfsar_error *error, enum nfsar_status status, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));

#endif
