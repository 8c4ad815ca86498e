// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes the EDID of a monitor of 100 dots per inch (VESA E-EDID 1.4, section 3; CTA-861, 7.5). */
#include "ui/edid.h"

#include <string.h>

#include "util/bswap.h"
#include "util/types.h"
#include <glib.h>

#define BLOCK 128u
#define DESCRIPTOR 18u
#define DPI 100u
#define CLOCK_UNIT 10000u

typedef struct Mode {
    uint16_t x, y;
    uint8_t code[2];     /* standard timing (3.9), or a video code (CTA-861) in the first byte */
} Mode;

static const Mode standard_modes[] = {
    { 2048, 1152, { 0xe1, 0xc0 } }, { 1920, 1080, { 0xd1, 0xc0 } }, { 1920, 1200, { 0xd1, 0x00 } },
    { 1600, 1200, { 0xa9, 0x40 } }, { 1680, 1050, { 0xb3, 0x00 } }, { 1440, 900, { 0x95, 0x00 } },
    { 1280, 1024, { 0x81, 0x80 } }, { 1280, 960, { 0x81, 0x40 } },
};

static const Mode video_modes[] = {
    { 5120, 2160, { 125, 0 } }, { 4096, 2160, { 101, 0 } }, { 3840, 2160, { 96, 0 } },
    { 2560, 1080, { 89, 0 } },  { 1920, 1080, { 31, 0 } },  { 3840, 2160, { 97, 0 } },
};

static bool fits(const EdidInfo *info, const Mode *m)
{
    return (!info->xmax || m->x <= info->xmax) && (!info->ymax || m->y <= info->ymax);
}

static void checksum(uint8_t *block)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < BLOCK - 1; i++) {
        sum += block[i];
    }
    block[BLOCK - 1] = -sum;
}

/* 3.10.2. Blanking and synchronisation are fixed parts of the picture. */
static void detailed_timing(uint8_t *d, uint32_t x, uint32_t y, uint64_t refresh_mhz)
{
    uint32_t hblank = x * 35 / 100, hfront = x * 25 / 100, hsync = x * 3 / 100;
    uint32_t vblank = y * 35 / 1000, vfront = y * 5 / 1000, vsync = y * 5 / 1000;
    uint32_t width = (uint32_t)(x * 254ull / (10 * DPI)),
             height = (uint32_t)(y * 254ull / (10 * DPI));
    uint64_t clock = refresh_mhz * (x + hblank) * (y + vblank) / 1000 / CLOCK_UNIT;

    store_le16(d, (uint16_t)MIN(clock, 0xffff));
    d[2] = x;
    d[3] = hblank;
    d[4] = (x >> 8 & 0xf) << 4 | (hblank >> 8 & 0xf);
    d[5] = y;
    d[6] = vblank;
    d[7] = (y >> 8 & 0xf) << 4 | (vblank >> 8 & 0xf);
    d[8] = hfront;
    d[9] = hsync;
    d[10] = (vfront & 0xf) << 4 | (vsync & 0xf);
    d[11] =
        (hfront >> 8 & 3) << 6 | (hsync >> 8 & 3) << 4 | (vfront >> 4 & 3) << 2 | (vsync >> 4 & 3);
    d[12] = width;
    d[13] = height;
    d[14] = (width >> 8 & 0xf) << 4 | (height >> 8 & 0xf);
    d[17] = 0x18;
}

static void base_block(const EdidInfo *info, uint8_t *e, uint32_t x, uint32_t y)
{
    static const uint8_t header[] = {0x00, 0xff, 0xff,           0xff, 0xff, 0xff,
                                     0xff, 0x00, /* RHT */ 0x49, 0x14, 0x34, 0x12};
    static const uint8_t chroma[] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    static const uint8_t established[] = { 0x21, 0x08, 0x00 };
    static const uint8_t established3[] = {0,    0,    0,    0xf7, 0,    0x0a,
                                           0x00, 0x40, 0x82, 0x00, 0x28, 0x20};
    static const uint8_t ranges[] = {0,   0, 0,    0xfd, 0,   50,  125, 30,  160,
                                     255, 1, '\n', ' ',  ' ', ' ', ' ', ' ', ' '};
    unsigned n = 0;

    memcpy(e, header, sizeof(header));
    e[16] = 42;               /* week */
    e[17] = 2014 - 1990;
    e[18] = 1;
    e[19] = 4;
    e[20] = 0xa5;             /* digital, 8 bits, DisplayPort */
    e[21] = MIN(x * 254ull / (100 * DPI), 255);
    e[22] = MIN(y * 254ull / (100 * DPI), 255);
    e[23] = 120;              /* gamma 2.2 */
    e[24] = 0x06;             /* sRGB, the first timing is the preferred one */
    memcpy(e + 25, chroma, sizeof(chroma));
    memcpy(e + 35, established, sizeof(established));
    for (unsigned i = 0; i < ARRAY_COUNT(standard_modes); i++) {
        if (fits(info, &standard_modes[i])) {
            memcpy(e + 38 + 2 * n++, standard_modes[i].code, 2);
        }
    }
    for (; n < ARRAY_COUNT(standard_modes); n++) {
        e[38 + 2 * n] = e[39 + 2 * n] = 1;    /* unused */
    }
    detailed_timing(e + 54, x, y, info->refresh_mhz ? info->refresh_mhz : 75000);
    memcpy(e + 54 + DESCRIPTOR, established3, sizeof(established3));
    memcpy(e + 54 + 2 * DESCRIPTOR, ranges, sizeof(ranges));
    memcpy(e + 54 + 3 * DESCRIPTOR, "\0\0\0\xfc\0QEMU Monitor\n", DESCRIPTOR);
    e[126] = 1;
    checksum(e);
}

static void extension(const EdidInfo *info, uint8_t *e)
{
    unsigned n = 0;

    e[0] = 2;
    e[1] = 3;
    for (unsigned i = 0; i < ARRAY_COUNT(video_modes); i++) {
        if (fits(info, &video_modes[i])) {
            e[5 + n++] = video_modes[i].code[0];
        }
    }
    e[4] = 2 << 5 | n;        /* video data block */
    e[2] = 5 + n;
    for (unsigned at = e[2]; at + DESCRIPTOR < BLOCK; at += DESCRIPTOR) {
        e[at + 3] = 0x10;     /* dummy descriptors */
    }
    checksum(e);
}

void edid_build(const EdidInfo *info, uint8_t edid[EDID_BYTES])
{
    /* a detailed timing has 12 bits for each */
    uint32_t x = info->xres && info->yres ? MIN(info->xres, 4095) : 1280;
    uint32_t y = info->xres && info->yres ? MIN(info->yres, 4095) : 800;

    memset(edid, 0, EDID_BYTES);
    base_block(info, edid, x, y);
    extension(info, edid + BLOCK);
}
