// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small blocks of the BCM2835 (BCM2835 ARM Peripherals; drivers of Linux for what that leaves out):
 * clock manager, power management and watchdog, random numbers, temperature.
 */
#include "hw/misc/soc-regs.h"

#include "qom/vm.h"
#include "util/timer.h"

/* ---- clock manager: PLLs as the firmware leaves them, locked ---- */

#define CM_LOCK 0x114
static const SocReg cprman_rows[] = {
    {.offset = 0x008, .reset = 0x245}, {.offset = 0x00c, .reset = 0x3000}, {.offset = 0x028, .reset = 0x244}, {.offset = 0x02c, .reset = 0x3000},
    {.offset = 0x030, .reset = 0x244}, {.offset = 0x034, .reset = 0x3000}, {.offset = 0x070, .reset = 0x200}, {.offset = 0x078, .reset = 0x96},
    {.offset = 0x07c, .reset = 0x14000}, {.offset = 0x080, .reset = 0x291}, {.offset = 0x084, .reset = 0x249f00}, {.offset = 0x090, .reset = 0x91},
    {.offset = 0x094, .reset = 0x4000}, {.offset = 0x098, .reset = 0x200}, {.offset = 0x0a0, .reset = 0x200}, {.offset = 0x0a8, .reset = 0x200},
    {.offset = 0x0e0, .reset = 0x91}, {.offset = 0x0e4, .reset = 0xa000}, {.offset = 0x0e8, .reset = 0x291}, {.offset = 0x0ec, .reset = 0x13333},
    {.offset = 0x0f0, .reset = 0x296}, {.offset = 0x0f4, .reset = 0xa6ab}, {.offset = 0x0f8, .reset = 0x97}, {.offset = 0x0fc, .reset = 0x2000},
    {.offset = 0x104, .reset = 0x8a}, {.offset = 0x108, .reset = 0x228}, {.offset = 0x10c, .reset = 0x20a},
    {.offset = CM_LOCK, .reset = 0x1f00, .ones = 0x1f00}, {.offset = 0x1a8, .reset = 0x4006}, {.offset = 0x1ac, .reset = 0x3000},
    {.offset = 0x1c0, .reset = 0x295}, {.offset = 0x1c4, .reset = 0x6000},
};
static const SocReg a2w_rows[] = {
    {.offset = 0x014, .reset = 0x144000}, {.offset = 0x01c, .reset = 0x100}, {.offset = 0x034, .reset = 0x144000}, {.offset = 0x03c, .reset = 0x100},
    {.offset = 0x054, .reset = 0x144000}, {.offset = 0x05c, .reset = 0x100}, {.offset = 0x070, .reset = 0x900000}, {.offset = 0x074, .reset = 0xc},
    {.offset = 0x100, .reset = 0x2103a}, {.offset = 0x120, .reset = 0x2103e}, {.offset = 0x140, .reset = 0x21034}, {.offset = 0x160, .reset = 0x2102d},
    {.offset = 0x200, .reset = 0x98000}, {.offset = 0x220, .reset = 0x80000}, {.offset = 0x240, .reset = 0x15556}, {.offset = 0x300, .reset = 0x100},
    {.offset = 0x320, .reset = 0x100}, {.offset = 0x340, .reset = 0x100}, {.offset = 0x360, .reset = 4}, {.offset = 0x400, .reset = 3},
    {.offset = 0x420, .reset = 0x100}, {.offset = 0x440, .reset = 4}, {.offset = 0x520, .reset = 2}, {.offset = 0x540, .reset = 4},
    {.offset = 0x600, .reset = 0x100}, {.offset = 0x620, .reset = 2}, {.offset = 0x640, .reset = 0x100},
};

/* The busy bit of a clock follows its enable bit. */
static void cprman_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (!(offset & 4) || offset == 0x1ac) {
        s->r[offset / 4] = value & 0x10 ? value | 0x80 : value & ~0x80u;
    }
}

SOC_BLOCK(cprman, "bcm2835-cprman", "BCM2835 clock manager", 0x1000, soc_rows_4k,
          SOC_ROWS(cprman_rows), .password = 0x5a, .written = cprman_written);
SOC_BLOCK(a2w, "bcm2835-cprman-a2w", "BCM2835 PLLs", 0x1000, soc_rows_4k, SOC_ROWS(a2w_rows),
          .password = 0x5a);

/* ---- power management: reset by the watchdog ---- */

#define PM_RSTC 0x1c
#define PM_RSTS 0x20
#define PM_WDOG 0x24

static void powermgt_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == PM_RSTC && (value & 0x30) == 0x20) {
        /* partition 63 in the status register is the halt */
        if ((s->r[PM_RSTS / 4] & 0x555) == 0x555) {
            request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
        } else {
            request_reset(SHUTDOWN_GUEST_RESET);
        }
    }
}

static const SocReg powermgt_rows[] = {{.offset = PM_RSTC, .reset = 0x102},
                                       {.offset = PM_RSTS, .reset = 0x1000}};
SOC_BLOCK(powermgt, "bcm2835-powermgt", "BCM2835 power management", 0x100, soc_rows_256,
          SOC_ROWS(powermgt_rows), .password = 0x5a, .written = powermgt_written);

/* ---- temperature: 25 degrees ---- */

static const SocReg thermal_rows[] = {{.offset = 4, .reset = 0x6cf, .fixed = 0xffffffff}};
SOC_BLOCK(thermal, "bcm2835-thermal", "BCM2835 temperature sensor", 0x100, soc_rows_256,
          SOC_ROWS(thermal_rows));

/* ---- random numbers ---- */

typedef struct Bcm2835Rng {
    Device dev;
    uint32_t ctrl, status;
} Bcm2835Rng;

static uint64_t rng_status_read(Device *d, const RegAccess *a)
{
    return ((Bcm2835Rng *)d)->status | 1u << 24;
}

static uint64_t rng_data_read(Device *d, const RegAccess *a)
{
    return g_random_int();
}

static const Reg rng_regs[] = {
    REG(Bcm2835Rng, 0x0, ctrl, .wmask = 0xffffffff, .help = "control"),
    REG(Bcm2835Rng, 0x4, status, .wmask = 0xfffff, .read = rng_status_read, .help = "a word is there"),
    REG_HOOK(0x8, 4, "data", .read = rng_data_read, .help = "a random word"),
};
static const RegBank rng_banks[] = {
    {.name = "mmio", .size = 0x10, BANK_REGS(rng_regs), .help = "random numbers"}, {0}};
static const DeviceType rng_type = {
    .name = "bcm2835-rng", .category = "misc", .desc = "BCM2835 random number generator", .internal = true, .size = sizeof(Bcm2835Rng),
    .state_version = 1, .banks = rng_banks,
};
DEVICE_TYPE(rng_type);
