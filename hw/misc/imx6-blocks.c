// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clock and reset blocks of the i.MX 6Dual/6Quad (its Reference Manual: CCM 18, CCM analog 18.7,
 * SRC 60) as they are after reset. The reset controller starts the other cores where software says.
 */
#include "exec/arm-cpu.h"
#include "hw/misc/soc-regs.h"
#include "qom/vm.h"

#define SRC_GPR 0x20
#define SCR_CORE1_ENABLE 22

static const SocReg ccm_rows[] = {
    {.offset = 0x000, .reset = 0x40116ff}, {.offset = 0x008, .reset = 0x10}, {.offset = 0x00c, .reset = 0x100},
    {.offset = 0x014, .reset = 0x18d40}, {.offset = 0x018, .reset = 0x22324}, {.offset = 0x01c, .reset = 0xf00000},
    {.offset = 0x020, .reset = 0x2b92f06}, {.offset = 0x024, .reset = 0x490b00}, {.offset = 0x028, .reset = 0xec102c1},
    {.offset = 0x02c, .reset = 0x736c1}, {.offset = 0x030, .reset = 0x33f71f92}, {.offset = 0x034, .reset = 0x2a150},
    {.offset = 0x038, .reset = 0x2a150}, {.offset = 0x03c, .reset = 0x14841}, {.offset = 0x054, .reset = 0x79},
    {.offset = 0x05c, .reset = 0xffffffff}, {.offset = 0x060, .reset = 0xa0001}, {.offset = 0x064, .reset = 0xfe62},
    {.offset = 0x068, .reset = 0xffffffff}, {.offset = 0x06c, .reset = 0xffffffff}, {.offset = 0x070, .reset = 0xfc3fffff},
    {.offset = 0x074, .reset = 0xffffffff}, {.offset = 0x078, .reset = 0xffffffff}, {.offset = 0x07c, .reset = 0xffffffff},
    {.offset = 0x080, .reset = 0xffffffff}, {.offset = 0x088, .reset = 0xffffffff},
};
SOC_BLOCK(imx6_ccm, "imx6.ccm", "i.MX6 clock controller", 0x1000, soc_rows_4k, SOC_ROWS(ccm_rows));

static const SocReg analog_rows[] = {
    {.offset = 0x000, .reset = 0x80013042, .ones = 0x80000000}, {.offset = 0x010, .reset = 0x80012000, .ones = 0x80000000},
    {.offset = 0x020, .reset = 0x80012000, .ones = 0x80000000}, {.offset = 0x030, .reset = 0x80013001, .ones = 0x80000000},
    {.offset = 0x060, .reset = 0x12}, {.offset = 0x070, .reset = 0x80011006, .ones = 0x80000000}, {.offset = 0x080, .reset = 0x5f5e100},
    {.offset = 0x090, .reset = 0x2964619c}, {.offset = 0x0a0, .reset = 0x8001100c, .ones = 0x80000000},
    {.offset = 0x0c0, .reset = 0x10a24447}, {.offset = 0x0d0, .reset = 0x80010000, .ones = 0x80000000},
    {.offset = 0x0e0, .reset = 0x80011001, .ones = 0x80000000}, {.offset = 0x0f0, .reset = 0x1311100c},
    {.offset = 0x100, .reset = 0x1018101b}, {.offset = 0x110, .reset = 0x1073}, {.offset = 0x120, .reset = 0xf74},
    {.offset = 0x130, .reset = 0x5071}, {.offset = 0x140, .reset = 0x402010}, {.offset = 0x150, .reset = 0x4000080, .ones = 0x80},
    {.offset = 0x170, .reset = 0x272727}, {.offset = 0x1a0, .reset = 0x4}, {.offset = 0x1f0, .reset = 0x2}, {.offset = 0x200, .reset = 0x4},
    {.offset = 0x250, .reset = 0x2}, {.offset = 0x260, .reset = 0x630000, .fixed = 0xffffffff},
};
SOC_BLOCK(imx6_analog, "imx6.analog", "i.MX6 PLLs and regulators", 0x1000, soc_rows_4k,
          SOC_ROWS(analog_rows), .set_clear = true);

/* 60.7.1: enable bits of the other cores; each starts at its pair of general purpose registers. */
static void src_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    GPtrArray *cpus = s->dev.vm->cpus;

    for (unsigned i = 1; offset == 0 && i < cpus->len && i < 4; i++) {
        uint32_t bit = 1u << (SCR_CORE1_ENABLE + i - 1);
        Cpu *c = g_ptr_array_index(cpus, i);

        if (value & ~old & bit) {
            ArmEntry e = {.pc = s->r[(SRC_GPR + 8 * i) / 4],
                          .x = {s->r[(SRC_GPR + 8 * i + 4) / 4]},
                          .el = 3,
                          .secure = true};

            arm_cpu_power_on(c, &e);
        } else if (old & ~value & bit) {
            arm_cpu_power_off(c);
        }
    }
}

/* Resets of parts are finished at once. */
static const SocReg src_rows[] = {
    {.offset = 0x000, .reset = 0x521, .clears = 0x3e01e}, {.offset = 0x008, .reset = 0x1}, {.offset = 0x018, .reset = 0x1f},
};
SOC_BLOCK(imx6_src, "imx6.src", "i.MX6 reset controller", 0x1000, soc_rows_4k, SOC_ROWS(src_rows),
          .written = src_written);

/* ---- USB PHYs: a reset (bit 31) stops the clock (bit 30) ---- */

static void usbphy_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == 0x30 && value >> 31) {
        s->r[0x30 / 4] |= 1u << 30;
    }
}

static const SocReg usbphy_rows[] = {
    {.offset = 0x00, .reset = 0x001e1c00}, {.offset = 0x10, .reset = 0x10060607}, {.offset = 0x30, .reset = 0xc0000000},
    {.offset = 0x80, .reset = 0x04030000, .fixed = 0xffffffff},
};
SOC_BLOCK(usbphy, "imx.usbphy", "i.MX USB transceiver", 0x1000, soc_rows_4k, SOC_ROWS(usbphy_rows),
          .set_clear = true, .written = usbphy_written);
