// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checksums: RFC 1071 over buffers, lists and whole frames (RFC 791, 793, 768, 8200). IPv6
 * extension headers are not looked through. The contract is include/util/checksum.h.
 */
#include "util/checksum.h"

#include "util/bswap.h"

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint32_t)sum;
}

/*
 * Blocks of 32 bytes. The sum does not mind byte order (RFC 1071, 2 B): words are added as the host
 * has them and swapped at the end; four sums make a vector for the compiler.
 */
static uint32_t checksum_blocks(const uint8_t *p, size_t blocks)
{
    uint64_t sum[4] = { 0 };
    uint32_t folded;

    for (; blocks > 0; blocks--, p += 32) {
        for (unsigned i = 0; i < 4; i++) {
            uint64_t v;

            memcpy(&v, p + 8 * i, 8);
            sum[i] += (v & 0xffffffff) + (v >> 32);
        }
    }
    folded = fold(fold(sum[0]) + fold(sum[1]) + (uint64_t)fold(sum[2]) + fold(sum[3]));
    return be16((uint16_t)folded);
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len, bool odd)
{
    const uint8_t *p = data;
    uint64_t total = sum;

    if (odd && len > 0) {
        total += *p++;
        len--;
    }
    total += checksum_blocks(p, len / 32);
    p += len & ~(size_t)31;
    len &= 31;
    for (; len >= 4; p += 4, len -= 4) {
        total += load_be32(p);
    }
    if (len >= 2) {
        total += load_be16(p);
        p += 2;
        len -= 2;
    }
    if (len > 0) {
        total += (uint32_t)*p << 8;
    }
    return fold(total);
}

uint32_t checksum_add_iov(uint32_t sum, const struct iovec *iov, unsigned count, size_t offset,
                          size_t len)
{
    bool odd = false;

    for (unsigned i = 0; i < count && len > 0; i++) {
        struct iovec piece;

        if (iov_slice(&piece, 1, &iov[i], 1, offset, len) == 0) {
            offset -= iov[i].iov_len;
            continue;
        }
        sum = checksum_add(sum, piece.iov_base, piece.iov_len, odd);
        odd ^= (piece.iov_len & 1) != 0;
        len -= piece.iov_len;
        offset = 0;
    }
    return sum;
}

uint16_t checksum_finish(uint32_t sum)
{
    return (uint16_t)~fold(sum);
}

uint8_t checksum_byte(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += p[i];
    }
    return -sum;
}

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define PROTOCOL_TCP   6
#define PROTOCOL_UDP   17

/* A TCP or UDP segment; addresses are the pseudo header's. */
static void fill_segment(uint8_t *segment, size_t len, uint8_t protocol, const uint8_t *addresses,
                         size_t addresses_len)
{
    size_t at = protocol == PROTOCOL_TCP ? 16 : 6;
    size_t header_len = protocol == PROTOCOL_TCP ? 20 : 8;
    uint32_t sum;
    uint16_t value;

    if ((protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) || len < header_len) {
        return;
    }
    store_be16(segment + at, 0);
    sum = checksum_add(protocol + fold(len), addresses, addresses_len, false);
    value = checksum_finish(checksum_add(sum, segment, len, false));
    if (protocol == PROTOCOL_UDP && value == 0) {
        value = 0xffff;    /* RFC 768: 0 means that there is none */
    }
    store_be16(segment + at, value);
}

static void fill_ipv4(uint8_t *ip, size_t len)
{
    size_t header_len, total;

    if (len < 20 || ip[0] >> 4 != 4) {
        return;
    }
    header_len = (ip[0] & 15) * 4;
    total = load_be16(ip + 2);
    if (header_len < 20 || total < header_len || total > len) {
        return;
    }
    store_be16(ip + 10, 0);
    store_be16(ip + 10, checksum_finish(checksum_add(0, ip, header_len, false)));
    if ((load_be16(ip + 6) & 0x3fff) == 0) {    /* no fragment */
        fill_segment(ip + header_len, total - header_len, ip[9], ip + 12, 8);
    }
}

static void fill_ipv6(uint8_t *ip, size_t len)
{
    size_t payload;

    if (len < 40 || ip[0] >> 4 != 6) {
        return;
    }
    payload = load_be16(ip + 4);
    if (payload <= len - 40) {
        fill_segment(ip + 40, payload, ip[6], ip + 8, 32);
    }
}

void checksum_fill_frame(uint8_t *frame, size_t len)
{
    size_t at = 12;
    uint16_t type = 0;

    while (len >= at + 2) {
        type = load_be16(frame + at);
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ) {
            break;
        }
        at += 4;
    }
    if (len < at + 2) {
        return;
    }
    at += 2;
    if (type == ETHERTYPE_IPV4) {
        fill_ipv4(frame + at, len - at);
    } else if (type == ETHERTYPE_IPV6) {
        fill_ipv6(frame + at, len - at);
    }
}
