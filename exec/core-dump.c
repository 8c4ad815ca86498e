// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notes of ELF cores (System V ABI, "Note Section"), as targets make them of their registers.
 */
#include "exec/core-dump.h"

#include <string.h>

#include "util/bswap.h"

void core_put64(uint8_t *data, unsigned at, uint64_t v)
{
    store_le64(data + at, v);
}

void core_put32(uint8_t *data, unsigned at, uint32_t v)
{
    store_le32(data + at, v);
}

void core_note(GByteArray *out, const char *owner, uint32_t type, const void *data, uint32_t len)
{
    static const uint8_t zeroes[4];
    uint32_t name = (uint32_t)strlen(owner) + 1;
    uint8_t head[12];

    store_le32(head, name);
    store_le32(head + 4, len);
    store_le32(head + 8, type);
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, (const uint8_t *)owner, name);
    g_byte_array_append(out, zeroes, -name & 3);
    g_byte_array_append(out, data, len);
    g_byte_array_append(out, zeroes, -len & 3);
}
