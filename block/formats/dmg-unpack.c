// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chunks packed by zlib, and by ADC, Apple Data Compression: literal bytes, and copies of what was
 * unpacked before in two forms (length 3 to 18 from 1 KiB back, length 4 to 67 from 64 KiB back).
 */
#include <string.h>
#include <zlib.h>

#include "block/formats/dmg.h"

static bool adc_unpack(uint8_t *to, size_t len, const uint8_t *from, size_t have)
{
    size_t done = 0, at = 0;

    while (done < len && at < have) {
        uint8_t op = from[at++];
        size_t run, back;

        if (op & 0x80) {
            run = (op & 0x7f) + 1;
            if (run > have - at || run > len - done) {
                return false;
            }
            memcpy(to + done, from + at, run);
            at += run;
            done += run;
            continue;
        }
        if (op & 0x40) {
            if (have - at < 2) {
                return false;
            }
            run = (op & 0x3f) + 4;
            back = (size_t)from[at] << 8 | from[at + 1];
            at += 2;
        } else {
            if (at == have) {
                return false;
            }
            run = (op >> 2 & 15) + 3;
            back = (size_t)(op & 3) << 8 | from[at++];
        }
        if (back >= done || run > len - done) {
            return false;
        }
        /* byte by byte: the copy may overlap itself */
        for (size_t i = 0; i < run; i++, done++) {
            to[done] = to[done - back - 1];
        }
    }
    return done == len;
}

static bool zlib_unpack(uint8_t *to, size_t len, const uint8_t *from, size_t have)
{
    uLongf made = len;

    return uncompress(to, &made, from, have) == Z_OK && made == len;
}

static const DmgPacking dmg_adc = { .type = 0x80000004u, .unpack = adc_unpack };
DMG_PACKING(dmg_adc);

static const DmgPacking dmg_zlib = { .type = 0x80000005u, .unpack = zlib_unpack };
DMG_PACKING(dmg_zlib);
