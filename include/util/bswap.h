// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values in memory of a given byte order, at any alignment. The order is said by name; there is
 * no "native".
 */
#ifndef UTIL_BSWAP_H
#define UTIL_BSWAP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_IS_BIG_ENDIAN 0
#else
#define HOST_IS_BIG_ENDIAN 1
#endif

/* Converts between host order and the order named; its own inverse. */
#define BSWAP_CONVERT(bits) \
    static inline uint##bits##_t le##bits(uint##bits##_t v) \
    { \
        return HOST_IS_BIG_ENDIAN ? __builtin_bswap##bits(v) : v; \
    } \
    static inline uint##bits##_t be##bits(uint##bits##_t v) \
    { \
        return HOST_IS_BIG_ENDIAN ? v : __builtin_bswap##bits(v); \
    }

#define BSWAP_ACCESS(order, bits) \
    static inline uint##bits##_t load_##order##bits(const void *p) \
    { \
        uint##bits##_t v; \
        memcpy(&v, p, sizeof(v)); \
        return order##bits(v); \
    } \
    static inline void store_##order##bits(void *p, uint##bits##_t v) \
    { \
        v = order##bits(v); \
        memcpy(p, &v, sizeof(v)); \
    }

/* le16 le32 le64 be16 be32 be64 */
BSWAP_CONVERT(16)
BSWAP_CONVERT(32)
BSWAP_CONVERT(64)

/* load_le16(p) store_le16(p, v) ... load_be64(p) store_be64(p, v) */
BSWAP_ACCESS(le, 16)
BSWAP_ACCESS(le, 32)
BSWAP_ACCESS(le, 64)
BSWAP_ACCESS(be, 16)
BSWAP_ACCESS(be, 32)
BSWAP_ACCESS(be, 64)

/* size is 1, 2, 4 or 8 bytes. */
static inline uint64_t load_sized(const void *p, unsigned size, bool big)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)p;
    case 2:
        return big ? load_be16(p) : load_le16(p);
    case 4:
        return big ? load_be32(p) : load_le32(p);
    default:
        return big ? load_be64(p) : load_le64(p);
    }
}

static inline void store_sized(void *p, uint64_t v, unsigned size, bool big)
{
    switch (size) {
    case 1:
        *(uint8_t *)p = v;
        break;
    case 2:
        (big ? store_be16 : store_le16)(p, v);
        break;
    case 4:
        (big ? store_be32 : store_le32)(p, v);
        break;
    default:
        (big ? store_be64 : store_le64)(p, v);
        break;
    }
}

#undef BSWAP_CONVERT
#undef BSWAP_ACCESS

#endif
