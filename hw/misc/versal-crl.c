// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clocks and resets of Versal's low power domain (AM012, CRL module) as they are after reset. Left
 * out: what resets do to the devices.
 */
#include "hw/misc/soc-regs.h"

#define CLOCK(at, value) {.offset = at, .reset = value, .fixed = ~0x203ff07u}
static const SocReg crl_rows[] = {
    {.offset = 0x000, .fixed = 0xfffffffe}, {.offset = 0x008, .reset = 1, .fixed = 0xffffffff}, {.offset = 0x020, .reset = 1, .fixed = ~0xf0u},
    {.offset = 0x040, .reset = 0x24809, .fixed = ~0x773ff09u}, {.offset = 0x044, .reset = 0x2000000, .fixed = ~0xfe7fedefu},
    {.offset = 0x048, .fixed = ~0x81ccffffu}, {.offset = 0x050, .reset = 5, .fixed = 0xffffffff, .ones = 5},
    CLOCK(0x100, 0x2000100), {.offset = 0x104, .reset = 0x6000300, .fixed = ~0x603ff07u}, CLOCK(0x108, 0x2000800),
    {.offset = 0x10c, .reset = 0xe000300, .fixed = ~0x1e03ff07u}, CLOCK(0x114, 0x2000500),
    {.offset = 0x118, .reset = 0xe000a00, .fixed = ~0xe03ff07u}, {.offset = 0x11c, .reset = 0xe000a00, .fixed = ~0xe03ff07u},
    CLOCK(0x120, 0x300), CLOCK(0x124, 0x2001900), CLOCK(0x128, 0xc00), CLOCK(0x12c, 0xc00), CLOCK(0x130, 0x600),
    CLOCK(0x134, 0x600), CLOCK(0x138, 0xc00), CLOCK(0x13c, 0xc00), CLOCK(0x140, 0xc00), CLOCK(0x144, 0xc00),
    CLOCK(0x148, 0x300), CLOCK(0x14c, 0x2000c00), CLOCK(0x154, 0xf04), CLOCK(0x158, 0x300), CLOCK(0x15c, 0x300),
    CLOCK(0x160, 0x3c00), {.offset = 0x300, .reset = 0x17}, {.offset = 0x304, .reset = 1}, {.offset = 0x308, .reset = 1},
    {.offset = 0x30c, .reset = 1}, {.offset = 0x310, .reset = 1}, {.offset = 0x314, .reset = 1}, {.offset = 0x318, .reset = 1},
    {.offset = 0x31c, .reset = 1}, {.offset = 0x320, .reset = 1}, {.offset = 0x324, .reset = 1}, {.offset = 0x328, .reset = 1},
    {.offset = 0x32c, .reset = 1}, {.offset = 0x330, .reset = 1}, {.offset = 0x334, .reset = 1}, {.offset = 0x338, .reset = 0x33},
    {.offset = 0x33c, .reset = 1}, {.offset = 0x344, .reset = 0xf}, {.offset = 0x348, .reset = 1}, {.offset = 0x34c, .reset = 1},
    {.offset = 0x360, .reset = 3}, {.offset = 0x370, .reset = 1},
};
SOC_BLOCK(versal_crl, "xlnx,versal-crl", "Versal low power domain clocks and resets", 0x400,
          soc_rows_1k, SOC_ROWS(crl_rows));
