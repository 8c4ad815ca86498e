// SPDX-License-Identifier: GPL-2.0-or-later
/* Searching and filling bitmaps. The contract is include/util/bitops.h. */
#include "util/bitops.h"

static size_t next_bit(const uint64_t *map, size_t bits, size_t from, uint64_t invert)
{
    while (from < bits) {
        uint64_t word = (map[from / 64] ^ invert) >> (from % 64);

        if (word != 0) {
            from += ctz64(word);
            return from < bits ? from : bits;
        }
        from = (from / 64 + 1) * 64;
    }
    return bits;
}

size_t bitmap_next_set(const uint64_t *map, size_t bits, size_t from)
{
    return next_bit(map, bits, from, 0);
}

size_t bitmap_next_clear(const uint64_t *map, size_t bits, size_t from)
{
    return next_bit(map, bits, from, ~0ull);
}

/* Takes the part of [from, from + count) that lies in from's word off the front. */
static uint64_t take_word(size_t *from, size_t *count)
{
    unsigned pos = *from % 64;
    size_t len = 64 - pos < *count ? 64 - pos : *count;

    *from += len;
    *count -= len;
    return bit_mask(len) << pos;
}

void bitmap_set_range(uint64_t *map, size_t from, size_t count)
{
    while (count > 0) {
        size_t word = from / 64;

        map[word] |= take_word(&from, &count);
    }
}

void bitmap_clear_range(uint64_t *map, size_t from, size_t count)
{
    while (count > 0) {
        size_t word = from / 64;

        map[word] &= ~take_word(&from, &count);
    }
}
