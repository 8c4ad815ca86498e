// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clock, power and reset blocks of the i.MX 6UltraLite (its Reference Manual: CCM 18, CCM analog
 * 18.8, SNVS 46) as they are after reset: PLLs are locked, clocks run.
 */
#include "hw/misc/soc-regs.h"

#include "qom/vm.h"
#include "util/timer.h"

static const SocReg ccm_rows[] = {
    {.offset = 0x000, .reset = 0x401167f}, {.offset = 0x008, .reset = 0x10}, {.offset = 0x00c, .reset = 0x100},
    {.offset = 0x014, .reset = 0x18d00}, {.offset = 0x018, .reset = 0x24860324}, {.offset = 0x01c, .reset = 0x4900080},
    {.offset = 0x020, .reset = 0x3192f06}, {.offset = 0x024, .reset = 0x490b00}, {.offset = 0x028, .reset = 0xec102c1},
    {.offset = 0x02c, .reset = 0x336c1}, {.offset = 0x030, .reset = 0x33f71f92}, {.offset = 0x034, .reset = 0x248a4},
    {.offset = 0x038, .reset = 0x29b48}, {.offset = 0x03c, .reset = 0x14841}, {.offset = 0x054, .reset = 0x79},
    {.offset = 0x05c, .reset = 0xffffffff}, {.offset = 0x060, .reset = 0xa0001}, {.offset = 0x064, .reset = 0xfe62},
    {.offset = 0x068, .reset = 0xffffffff}, {.offset = 0x06c, .reset = 0xffffffff}, {.offset = 0x070, .reset = 0xfc3fffff},
    {.offset = 0x074, .reset = 0xffffffff}, {.offset = 0x078, .reset = 0xffffffff}, {.offset = 0x07c, .reset = 0xffffffff},
};
SOC_BLOCK(imx6ul_ccm, "imx6ul.ccm", "i.MX6UL clock controller", 0x1000, soc_rows_4k,
          SOC_ROWS(ccm_rows));

static const SocReg analog_rows[] = {
    {.offset = 0x000, .reset = 0x80013063, .ones = 0x80000000}, {.offset = 0x010, .reset = 0x80012000, .ones = 0x80000000},
    {.offset = 0x020, .reset = 0x80012000, .ones = 0x80000000}, {.offset = 0x030, .reset = 0x80013001, .ones = 0x80000000},
    {.offset = 0x060, .reset = 0x12}, {.offset = 0x070, .reset = 0x80011006, .ones = 0x80000000}, {.offset = 0x080, .reset = 0x5f5e100},
    {.offset = 0x090, .reset = 0x2964619c}, {.offset = 0x0a0, .reset = 0x8001100c, .ones = 0x80000000},
    {.offset = 0x0c0, .reset = 0x10a24447}, {.offset = 0x0e0, .reset = 0x80011001, .ones = 0x80000000},
    {.offset = 0x0f0, .reset = 0x1311100c}, {.offset = 0x100, .reset = 0x1018101b}, {.offset = 0x110, .reset = 0x1073},
    {.offset = 0x120, .reset = 0xf74}, {.offset = 0x130, .reset = 0x1073}, {.offset = 0x140, .reset = 0x482012},
    {.offset = 0x150, .reset = 0x4000000, .ones = 0x80}, {.offset = 0x170, .reset = 0x272727}, {.offset = 0x180, .reset = 0x1},
    {.offset = 0x190, .reset = 0x1}, {.offset = 0x1a0, .reset = 0x1000004}, {.offset = 0x1f0, .reset = 0x2},
    {.offset = 0x200, .reset = 0x1000004}, {.offset = 0x250, .reset = 0x2}, {.offset = 0x260, .reset = 0x640000, .fixed = 0xffffffff},
};
SOC_BLOCK(imx6ul_analog, "imx6ul.analog", "i.MX6UL PLLs and regulators", 0x1000, soc_rows_4k,
          SOC_ROWS(analog_rows), .set_clear = true);

/* ---- watchdog: its reset bits reset the machine; it does not run out ---- */

typedef struct ImxWdt {
    Device dev;
    uint16_t wcr, wsr, wrsr, wicr, wmcr;
} ImxWdt;

static void wdt_wcr_write(Device *d, const RegAccess *a)
{
    ImxWdt *s = (ImxWdt *)d;

    if (!(a->value & 0x10) || !(a->value & 0x20)) {
        s->wrsr = !(a->value & 0x10) ? 1 : 0;
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static const Reg wdt_regs[] = {
    REG(ImxWdt, 0x00, wcr, .reset = 0x30, .wmask = 0xffff, .write = wdt_wcr_write, .help = "control"),
    REG(ImxWdt, 0x02, wsr, .wmask = 0xffff, .help = "service"),
    REG(ImxWdt, 0x04, wrsr, .reset = 0x10, .help = "why there was a reset"),
    REG(ImxWdt, 0x06, wicr, .reset = 4, .wmask = 0xffff, .help = "interrupt"),
    REG(ImxWdt, 0x08, wmcr, .reset = 1, .wmask = 1, .help = "power down counter"),
};
static const RegBank wdt_banks[] = {
    {.name = "mmio", .size = 0x10, BANK_REGS(wdt_regs), .help = "watchdog"}, {0}};
static const DeviceType wdt_type = {
    .name = "imx2.wdt", .category = "watchdog", .desc = "i.MX2 Watchdog", .internal = true, .size = sizeof(ImxWdt), .state_version = 1,
    .banks = wdt_banks,
};
DEVICE_TYPE(wdt_type);

/* ---- secure non-volatile storage: real-time counter, power off ---- */

typedef struct ImxSnvs {
    Device dev;
    uint32_t lpcr, hpcr, offset_hi, offset_lo;
} ImxSnvs;

static uint64_t snvs_count(const ImxSnvs *s)
{
    return ((uint64_t)clock_now_ns(CLOCK_HOST) / 1000 * 32768 / 1000000 +
            ((uint64_t)s->offset_hi << 32 | s->offset_lo)) &
           0x7fffffffffffull;
}

static uint64_t snvs_count_read(Device *d, const RegAccess *a)
{
    uint64_t v = snvs_count((ImxSnvs *)d);

    return a->reg->offset & 4 ? (uint32_t)v : v >> 32;
}

static void snvs_lpcr_write(Device *d, const RegAccess *a)
{
    if ((a->value & 0x60) == 0x60) {
        request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
    }
}

static const Reg snvs_regs[] = {
    REG(ImxSnvs, 0x08, hpcr, .wmask = 0xffffffff, .help = "HP control"),
    REG_HOOK(0x24, 4, "hprtcmr", .read = snvs_count_read, .help = "upper half of the counter"),
    REG(ImxSnvs, 0x38, lpcr, .wmask = 0xffffffff, .write = snvs_lpcr_write, .help = "LP control: power off"),
    REG_HOOK(0x50, 4, "lpsrtcmr", .read = snvs_count_read, .help = "upper half of the secure counter"),
    REG_HOOK(0x54, 4, "lpsrtclr", .read = snvs_count_read, .help = "its lower half"),
};
static const RegBank snvs_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(snvs_regs), .help = "SNVS"}, {0}};
static const StateField snvs_state[] = {STATE(ImxSnvs, offset_hi), STATE(ImxSnvs, offset_lo),
                                        STATE_END};
static const DeviceType snvs_type = {
    .name = "imx7.snvs", .category = "misc", .desc = "i.MX non-volatile storage and clock", .internal = true, .size = sizeof(ImxSnvs),
    .state_version = 1, .banks = snvs_banks, .state = snvs_state,
};
DEVICE_TYPE(snvs_type);
