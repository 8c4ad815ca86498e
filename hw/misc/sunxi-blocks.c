// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocks of the Allwinner A10 (A10 User Manual 1.5, 6) and H3 (H3 Datasheet 1.2: clock controller
 * 4.3, system control 4.4, pins 4.22, security ID) as they are after reset: PLLs are locked, pins
 * read as 0.
 */
#include "hw/misc/soc-regs.h"

#define PLL_LOCK (1u << 28)

static const SocReg h3_ccu_rows[] = {
    {.offset = 0x000, .reset = 0x1000, .ones = PLL_LOCK}, {.offset = 0x008, .reset = 0x35514, .ones = PLL_LOCK},
    {.offset = 0x010, .reset = 0x3006207, .ones = PLL_LOCK}, {.offset = 0x018, .reset = 0x3006207, .ones = PLL_LOCK},
    {.offset = 0x020, .reset = 0x1000, .ones = PLL_LOCK}, {.offset = 0x028, .reset = 0x41811, .ones = PLL_LOCK},
    {.offset = 0x038, .reset = 0x3006207, .ones = PLL_LOCK}, {.offset = 0x044, .reset = 0x41811, .ones = PLL_LOCK},
    {.offset = 0x048, .reset = 0x3006207, .ones = PLL_LOCK}, {.offset = 0x050, .reset = 0x10000},
    {.offset = 0x054, .reset = 0x1010}, {.offset = 0x058, .reset = 0x1000000}, {.offset = 0x0f4, .clears = 1u << 16},
    {.offset = 0x15c, .reset = 0x80000000}, {.offset = 0x200, .reset = 0xff}, {.offset = 0x204, .reset = 0xff},
};
SOC_BLOCK(h3_ccu, "allwinner-h3-ccu", "Allwinner H3 clock controller", 0x400, soc_rows_1k,
          SOC_ROWS(h3_ccu_rows));

/* Version: the H3's. */
static const SocReg h3_system_rows[] = {
    {.offset = 0x024, .reset = 0x0}, {.offset = 0x030, .reset = 0x58000},
};
SOC_BLOCK(h3_system, "allwinner-h3-sysctrl", "Allwinner H3 system control", 0x1000, soc_rows_4k,
          SOC_ROWS(h3_system_rows));

/* Cards are in their slots: the pins that tell are 0. */
SOC_BLOCK(h3_pio, "allwinner-h3-pio", "Allwinner H3 pins", 0x400, soc_rows_1k);

static const SocReg h3_sid_rows[] = {
    {.offset = 0x040, .clears = 2}, {.offset = 0x200, .reset = 0x02004620, .fixed = 0xffffffff},
};
SOC_BLOCK(h3_sid, "allwinner-sid", "Allwinner security ID", 0x400, soc_rows_1k,
          SOC_ROWS(h3_sid_rows));

SOC_BLOCK(h3_r, "allwinner-h3-r", "Allwinner H3 always-on clocks and pins", 0x400, soc_rows_1k);

static const SocReg a10_ccu_rows[] = {
    {.offset = 0x000, .reset = 0x21005000}, {.offset = 0x008, .reset = 0x08100010}, {.offset = 0x010, .reset = 0x0010d063},
    {.offset = 0x018, .reset = 0x21081000}, {.offset = 0x020, .reset = 0x11049280}, {.offset = 0x028, .reset = 0x21009911},
    {.offset = 0x030, .reset = 0x0010d063}, {.offset = 0x038, .reset = 0x21081000}, {.offset = 0x050, .reset = 0x00138013},
    {.offset = 0x054, .reset = 0x00010010},
};
SOC_BLOCK(a10_ccu, "allwinner-a10-ccu", "Allwinner A10 clock controller", 0x400, soc_rows_1k,
          SOC_ROWS(a10_ccu_rows));
