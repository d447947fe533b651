/**
 * @file
 * The hub's protocol: what the microcontroller and the host say to each other, over USB and over a
 * serial line alike. The only header that the firmware and the library share; free-standing, no
 * allocation, every byte packed by hand, little-endian. docs/wire.md describes it in words;
 * tests/firmware/test_wire.c has the golden bytes, which the firmware's own tests check as well.
 *
 *     frame   = COBS(body) 00
 *     body    = kind u8, channel u8, sequence u32, time_ns u64, payload, crc32 u32 of all before
 *
 * COBS (Cheshire and Baker 1999) leaves no zero inside a frame, so a reader that has lost its place
 * has it again after the next zero. A body is shorter than 255 bytes, hence the coding adds one
 * byte. CRC-32 is that of IEEE 802.3 (reflected, 0xEDB88320).
 *
 * The hub numbers every record it makes, also those it has to drop because the link is full: gaps
 * in the sequence are what was lost, and the hub's status says how many it dropped itself. The host
 * numbers its commands; a command that comes twice with the same number is answered twice and
 * carried out once. A payload may be longer than its reader knows: newer minor versions append
 * fields.
 */
#ifndef NFSAR_WIRE_H
#define NFSAR_WIRE_H

#include "nfsar/wire/frame.h"
#include "nfsar/wire/payloads.h"
#include "nfsar/wire/words.h"

#endif
