/** @file
 * The capture card, TI's DCA1000EVM: its commands, and the stream of samples that it sends by UDP
 * (docs/dca1000.md).
 *
 * A stream is cut into frames of a fixed number of bytes, what the radar sends for one trigger.
 * Each packet says how many bytes were sent before it, in 48 bits, and is placed by that; what
 * never came is zero and in the loss map. One card belongs to one thread at a time; the packets are
 * taken by a thread of its own.
 */
#ifndef NFSAR_DCA1000_H
#define NFSAR_DCA1000_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

/** A card whose sockets are open. */
typedef struct nfsar_dca1000 nfsar_dca1000;

/** What the card is told and how it is reached; all zero are the defaults. */
struct nfsar_dca1000_options {
    const char *card_address; /**< NULL: "192.168.33.180" */
    const char *host_address; /**< of this machine's network card; NULL: "192.168.33.30" */
    uint16_t config_port;     /**< commands, both ends; 0: 4096 */
    uint16_t data_port;       /**< samples, this end; 0: 4098 */
    unsigned lanes;           /**< LVDS lanes: 2 or 4; 0: 2 */
    unsigned bits;            /**< of a sample: 12, 14 or 16; 0: 16 */
    double packet_delay_s;    /**< between packets, 5 to 500 us in steps of 8 ns; 0: 25 us */
    unsigned packet_bytes;    /**< of a packet; 0: 1470, as TI's command line */
    unsigned timeout_ms;      /**< for the reply to a command; 0: 2000 */
    size_t receive_bytes;     /**< of the socket's buffer to ask the kernel for; 0: 32 MiB */
    size_t window_bytes;      /**< how far packets may come out of order; 0: 256 KiB */
    size_t queue_bytes;       /**< of frames that wait to be fetched, at least two; 0: 256 MiB */
};

/** What the card says by itself, bits of the asynchronous status. */
enum nfsar_dca1000_notice {
    NFSAR_DCA1000_NO_LVDS = 1 << 0, /**< no samples come from the radar */
    NFSAR_DCA1000_NO_HEADER =
        1 << 1, /**< samples without the header that was configured; not in raw mode */
    NFSAR_DCA1000_EEPROM_FAILED = 1 << 2, /**< its addresses could not be read */
    NFSAR_DCA1000_SD_DETECTED = 1 << 3,   /**< an SD card is in; not used here */
    NFSAR_DCA1000_SD_REMOVED = 1 << 4,    /**< and out */
    NFSAR_DCA1000_SD_FULL = 1 << 5,       /**< and full */
    NFSAR_DCA1000_MODE_FAILED = 1 << 6,   /**< its configuration is not one */
    NFSAR_DCA1000_DDR_FULL = 1 << 7,      /**< samples were lost inside the card, and frames after
                                               it do not begin where they should */
    NFSAR_DCA1000_RECORDED = 1 << 8,      /**< the radar has been silent for some 2 s, and the last,
                                               short packet is out */
    NFSAR_DCA1000_LVDS_FULL = 1 << 9,     /**< as DDR_FULL */
    NFSAR_DCA1000_PLAYED = 1 << 10,       /**< of playback, not used here */
    NFSAR_DCA1000_PLAYED_WRONG = 1 << 11  /**< of playback, not used here */
};

/** What a run of the stream brought. Counts of packets and bytes since nfsar_dca1000_start(). */
struct nfsar_dca1000_counters {
    uint64_t packets;    /**< that were placed */
    uint64_t bytes;      /**< of samples placed */
    uint64_t lost_bytes; /**< that are zero in frames ready, and in the loss map */
    uint64_t losses;     /**< entries of the loss map */
    uint64_t reordered;  /**< packets that came after a later one, and were still placed */
    uint64_t late;       /**< that came when their frame was gone already */
    uint64_t duplicates; /**< that brought nothing new */
    uint64_t malformed;  /**< too short, too long, or with a byte count that cannot be beside their
                              sequence number and the time since the start */
    uint64_t foreign;    /**< from other addresses, ignored */
    uint64_t overrun;    /**< dropped, or in part, because the queue of frames was full */
    uint64_t kernel_drops; /**< that the kernel dropped because its buffer was full */
    uint64_t end_byte;     /**< the stream's length so far: one past the last byte seen */
    uint64_t first_byte;   /**< the card's byte count where the stream began: 0, unless it went on
                                counting from an earlier recording; taken off everywhere else */
    uint32_t notices;      /**< enum nfsar_dca1000_notice, since the start */
    size_t receive_bytes;  /**< of the socket's buffer, as the kernel granted it */
    size_t queue_worst;    /**< frames that waited, at most; wholly lost ones take no room */
    size_t queue_frames;   /**< room for frames, those in the window too */
};

/** A gap in the stream: bytes that never came. */
struct nfsar_dca1000_loss {
    uint64_t offset; /**< in the stream, from its beginning */
    uint64_t bytes;  /**< how many */
};

/** One frame of the stream. */
struct nfsar_dca1000_frame {
    uint64_t number;      /**< from 0: its bytes begin at number * frame_bytes of the stream */
    const uint8_t *data;  /**< frame_bytes; zero where bytes are missing */
    size_t missing_bytes; /**< 0: whole. Bytes after the stream's end count too, though they are not
                               in the loss map: who knows whether they were ever sent? */
    uint64_t first_ns;    /**< CLOCK_MONOTONIC when its first packet was taken, up to a millisecond
                               after it came, more on a busy machine; 0: none came */
    uint64_t last_ns;     /**< and its last */
    uint32_t notices;     /**< that came since the frame before it was fetched */
};

/** Opens the sockets; the card is not spoken to yet. Errors name the address and the way out
 * (NFSAR_ERROR_DEVICE). @p card is closed with nfsar_dca1000_close(). */
enum nfsar_status nfsar_dca1000_open(const struct nfsar_dca1000_options *options,
                                     nfsar_dca1000 **card, nfsar_error *error);

/** Stops recording if that is on, and closes. NULL is allowed. */
void nfsar_dca1000_close(nfsar_dca1000 *card);

/** The FPGA's version. Any of @p major, @p minor, @p playback may be NULL. */
enum nfsar_status nfsar_dca1000_version(nfsar_dca1000 *card, unsigned *major, unsigned *minor,
                                        bool *playback, nfsar_error *error);

/** Is the card alive? Sends the aliveness command. */
enum nfsar_status nfsar_dca1000_alive(nfsar_dca1000 *card, nfsar_error *error);

/** Reset of the FPGA, aliveness, version, the FPGA's and the record's configuration, in this order.
 * Fails with NFSAR_ERROR_DEVICE (no answer) or NFSAR_ERROR_REFUSED and the command's name. */
enum nfsar_status nfsar_dca1000_configure(nfsar_dca1000 *card, nfsar_error *error);

/** Resets the radar through the card (NRESET of the 60-pin connector). */
enum nfsar_status nfsar_dca1000_reset_radar(nfsar_dca1000 *card, nfsar_error *error);

/** Samples, in bytes per second, that the packet delay lets through: a packet takes its time on a
 * wire of 1 Gb/s and then the delay, which agrees with the rates that TI states (docs/dca1000.md).
 * 0 where the options are not valid. */
double nfsar_dca1000_rate_limit(const struct nfsar_dca1000_options *options);

/** Empties the sockets, starts the thread that takes packets, and tells the card to record. Do this
 * before the radar starts. */
enum nfsar_status nfsar_dca1000_start(nfsar_dca1000 *card, size_t frame_bytes, nfsar_error *error);

/** Fetches the next frame, in order of their numbers, none left out: frames that never came are
 * delivered as zeros. *frame is NULL when none is ready within the time. A frame is ready when it
 * is whole, or when packets window_bytes beyond its end have come, or after nfsar_dca1000_stop().
 * It is valid until the next call. Fails, once what was ready is fetched, when nothing can come any
 * more: the card began its count anew, or the thread could not go on (NFSAR_ERROR_DEVICE). */
enum nfsar_status nfsar_dca1000_next(nfsar_dca1000 *card, unsigned timeout_ms,
                                     const struct nfsar_dca1000_frame **frame, nfsar_error *error);

/** Waits until nothing has come for @p quiet_ms (the card sends its last, short packet some 2 s
 * after the last sample; 0: 2500), tells the card to stop, takes what still comes, and ends the
 * thread. Stop the radar first: one that goes on is cut after twice that time. Frames that wait can
 * still be fetched; the last one may be short of bytes, which are missing. What was sent after the
 * last packet that came shows nowhere. */
enum nfsar_status nfsar_dca1000_stop(nfsar_dca1000 *card, unsigned quiet_ms, nfsar_error *error);

/** The counters now. */
void nfsar_dca1000_counters(const nfsar_dca1000 *card, struct nfsar_dca1000_counters *counters);

/** The loss map so far, ascending, neighbours joined: up to @p room entries from the one numbered
 * @p first on are copied; returns how many there are in all. Where the map has no room for more
 * (65536 entries) the last one spans all that follow. */
size_t nfsar_dca1000_losses(const nfsar_dca1000 *card, size_t first,
                            struct nfsar_dca1000_loss *losses, size_t room);

/** Notices in words, "no LVDS data; DDR full", into text[size]; returns @p text. */
const char *nfsar_dca1000_notice_text(uint32_t notices, char *text, size_t size);

#endif
