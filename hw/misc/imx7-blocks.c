// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clock and power blocks of the i.MX 7Dual (its Reference Manual: CCM 5.2, CCM analog 5.2.8, GPC
 * 5.5, IOMUXC GPR 8.2) as they are after reset: PLLs are locked, power-up requests are served at
 * once.
 */
#include "hw/misc/soc-regs.h"

/* ---- clock roots, gates and domains, all off; words come with set, clear and toggle ---- */

#define CCM_WORDS (0xc000 / 4)

typedef struct Imx7Ccm {
    Device dev;
    uint32_t r[CCM_WORDS];
} Imx7Ccm;

static uint64_t ccm_read(Device *d, const RegAccess *a)
{
    return ((Imx7Ccm *)d)->r[a->index & ~3u];
}

static void ccm_write(Device *d, const RegAccess *a)
{
    Imx7Ccm *s = (Imx7Ccm *)d;
    uint32_t *r = &s->r[a->index & ~3u], v = (uint32_t)a->value;

    switch (a->index & 3) {
    case 1:
        *r |= v;
        break;
    case 2:
        *r &= ~v;
        break;
    case 3:
        *r ^= v;
        break;
    default:
        return;
    }
    s->r[a->index] = 0;
}

static const Reg ccm_regs[] = {
    REG_ARRAY(Imx7Ccm, 0, r, .wmask = 0xffffffff, .read = ccm_read, .write = ccm_write, .help = "clock control"),
};
static const RegBank ccm_banks[] = {
    {.name = "mmio", .size = 4 * CCM_WORDS, BANK_REGS(ccm_regs), .help = "clock control"}, {0}};
static const DeviceType ccm_type = {
    .name = "imx7.ccm", .category = "misc", .desc = "i.MX7 clock controller", .internal = true, .size = sizeof(Imx7Ccm),
    .state_version = 1, .banks = ccm_banks,
};
DEVICE_TYPE(ccm_type);

/* ---- blocks without behaviour ---- */

#define LOCKED(at, value) {.offset = at, .reset = value, .ones = 0x80000000}
static const SocReg analog_rows[] = {
    LOCKED(0x060, 0x80002042), LOCKED(0x070, 0x8060302c), {.offset = 0x090, .reset = 0x06aaac4d}, {.offset = 0x0a0, .reset = 0x100003ec},
    LOCKED(0x0b0, 0x80002000), {.offset = 0x0c0, .reset = 0xd2605a56}, {.offset = 0x0d0, .reset = 0xd2525216},
    LOCKED(0x0e0, 0x80001fc0), LOCKED(0x0f0, 0x8001301b), {.offset = 0x110, .reset = 0x05f5e100}, {.offset = 0x120, .reset = 0x2964619c},
    LOCKED(0x130, 0x8008201b), {.offset = 0x150, .reset = 0x0000f699}, {.offset = 0x160, .reset = 0x000f4240}, LOCKED(0x170, 0x80000000),
    {.offset = 0x800, .reset = 0x00720000, .fixed = 0xffffffff},
};
SOC_BLOCK(imx7_analog, "imx7.analog", "i.MX7 PLLs and regulators", 0x1000, soc_rows_4k,
          SOC_ROWS(analog_rows), .set_clear = true);

/* Software asks for power up and down and waits until the bits are clear. */
static const SocReg gpc_rows[] = {
    {.offset = 0x0f8, .clears = 0xffffffff}, {.offset = 0x104, .clears = 0xffffffff},
};
SOC_BLOCK(imx7_gpc, "imx-gpcv2", "i.MX7 power controller", 0x1000, soc_rows_4k, SOC_ROWS(gpc_rows));

static const SocReg gpr_rows[] = {{.offset = 0x58, .ones = 0x80000000}};
SOC_BLOCK(imx7_gpr, "imx7.gpr", "i.MX7 general purpose registers", 0x1000, soc_rows_4k,
          SOC_ROWS(gpr_rows));
