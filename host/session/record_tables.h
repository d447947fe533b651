/* What a recording keeps beside pulses and poses: /sensor/NAME of the capture, a row for each
 * record of the hub and each frame of the card, as they came. docs/recording.md lists the columns.
 */
#ifndef NFSAR_HOST_SESSION_RECORD_TABLES_H
#define NFSAR_HOST_SESSION_RECORD_TABLES_H

#include <nfsar/dca1000.h>
#include <nfsar/wire.h>

#include "host/files/recording.h"

/* In the order of the recording's tables, after pulses and poses. */
enum record_table {
    RECORD_TRIGGER = 2,
    RECORD_FRAME,
    RECORD_LOSS,
    RECORD_IMU,
    RECORD_FLOW,
    RECORD_RANGE,
    RECORD_GNSS,
    RECORD_CLOCK,
    RECORD_ERROR,
    RECORD_TABLES_END
};

/* The tables for a session of at most so many triggers and seconds: RECORD_TABLES_END - 2 of them.
 */
void record_tables(uint64_t triggers, double seconds, struct recording_table *tables);

/* A record of the hub that has a table; others are passed over. host_s: when it came. */
enum nfsar_status record_keep(struct recording *recording, const struct nfsar_wire_message *record,
                              double host_s, nfsar_error *error);

/* A frame: its number, when its first packet came, how many bytes are missing, pulses and bytes of
 * a frame, what the card noticed. */
enum nfsar_status record_keep_frame(struct recording *recording,
                                    const struct nfsar_dca1000_frame *frame, size_t loops,
                                    size_t bytes, nfsar_error *error);

enum nfsar_status record_keep_loss(struct recording *recording,
                                   const struct nfsar_dca1000_loss *loss, nfsar_error *error);

#endif
