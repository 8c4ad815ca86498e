// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ethernet frames (IEEE 802.3) and what cards do to them in hardware: padding, address hashes,
 * checksums (RFC 1071) and segmentation of TCP (RFC 793).
 */
#ifndef NET_ETH_H
#define NET_ETH_H

#include "net/net.h"

#define ETH_MIN_FRAME 60u /* without FCS */
#define ETH_HEADER 14u

extern const uint8_t eth_broadcast[6];

static inline bool eth_is_broadcast(const uint8_t *frame)
{
    return memcmp(frame, eth_broadcast, 6) == 0;
}

/* *frame with zeros behind it up to 60 bytes, in `pad` when it is shorter. Its length. */
size_t eth_pad(const uint8_t **frame, size_t len, uint8_t pad[ETH_MIN_FRAME]);
/* The FCS of a frame as it is on the wire, to be stored little-endian. */
uint32_t eth_fcs(const void *frame, size_t len);
/* CRC of an address for hash filters: bit 0 is the first to leave the shift register. */
uint32_t eth_hash_le(const uint8_t mac[6]);
/* ... and the other way round: the register's highest bit is the first. */
uint32_t eth_hash_be(const uint8_t mac[6]);

/* Where the headers of a frame are; all offsets from its start. */
typedef struct EthLayout {
    bool ip4, ip6, tcp, udp, fragment;
    uint16_t l3, l4, payload;   /* l4 and payload: valid with tcp or udp */
} EthLayout;
/* False: no IP, or cut short. */
bool eth_parse(const uint8_t *frame, size_t len, EthLayout *l);
/* The sum of the pseudo header for `bytes` of l4, not folded. */
uint32_t eth_pseudo_sum(const uint8_t *frame, const EthLayout *l, size_t bytes);

/*
 * A driver left segmentation to its card: sets lengths and checksums of a large TCP frame's headers
 * as a NetOffload wants them, and *o itself. False: it is no such frame.
 */
bool eth_offload_tso(uint8_t *frame, size_t len, uint16_t segment, NetOffload *o);
/* Puts the checksum that *o asks for into the frame. */
void eth_fill_checksum(uint8_t *frame, size_t len, const NetOffload *o);
/*
 * What cards do that are not told where the checksum is: those of TCP and UDP are put in, ip: that
 * of an IPv4 header as well. Frames of other kinds, and pieces, stay as they are.
 */
void eth_insert_checksums(uint8_t *frame, size_t len, bool ip);
/* Cuts a large frame into ones that fit a wire; calls fn with each (in memory of its own). */
typedef void EthSegmentFn(void *opaque, const uint8_t *frame, size_t len);
bool eth_segment(const uint8_t *frame, size_t len, const NetOffload *o, EthSegmentFn *fn,
                 void *opaque);

/* The virtio header in front of a frame (Virtual I/O Device 1.1, 5.1.6), without num_buffers. */
#define ETH_VNET_BYTES 10u
void eth_vnet_store(uint8_t header[ETH_VNET_BYTES], const uint8_t *frame, const NetOffload *o);
/* False: nonsense. */
bool eth_vnet_load(const uint8_t header[ETH_VNET_BYTES], size_t len, NetOffload *o);

/* The hash of receive side scaling (Toeplitz) over n bytes; key of n + 4 bytes. */
uint32_t eth_toeplitz(const uint8_t *key, const uint8_t *data, size_t n);

#endif
