// SPDX-License-Identifier: GPL-2.0-or-later
/* Checksums: the internet's (RFC 1071) and the byte sum of firmware tables. */
#ifndef UTIL_CHECKSUM_H
#define UTIL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "util/iov.h"

/*
 * The one's complement sum of big-endian 16-bit words, to be added up over pieces; `odd` says
 * that an odd number of bytes came before.
 */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len, bool odd);
uint32_t checksum_add_iov(uint32_t sum, const struct iovec *iov, unsigned count, size_t offset,
                          size_t len);
/* Folds and complements: the value to be stored big-endian in a header. */
uint16_t checksum_finish(uint32_t sum);

/* The byte that makes the sum of len bytes and itself 0. */
uint8_t checksum_byte(const void *data, size_t len);

/*
 * Fills in the TCP or UDP checksum (and the IPv4 header's) of an Ethernet frame, VLAN tags
 * included, as a card with checksum offload does. A frame that is none or is cut short is left.
 */
void checksum_fill_frame(uint8_t *frame, size_t len);

#endif
