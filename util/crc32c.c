// SPDX-License-Identifier: GPL-2.0-or-later
/* CRC-32C by a table that is computed once. */
#include "util/crc32c.h"

#include <glib.h>

#define POLYNOMIAL 0x82f63b78u

/* Filled once, then constant. */
static uint32_t table[256];

static void make_table(void)
{
    static gsize made;

    if (!g_once_init_enter(&made)) {
        return;
    }
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;

        for (unsigned bit = 0; bit < 8; bit++) {
            v = v & 1 ? v >> 1 ^ POLYNOMIAL : v >> 1;
        }
        table[i] = v;
    }
    g_once_init_leave(&made, 1);
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;

    make_table();
    crc = ~crc;
    while (len--) {
        crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
    }
    return ~crc;
}
