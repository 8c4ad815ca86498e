// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Power and clock management of the Exynos 4210 (its User's Manual, 6 and 7) as they are after
 * reset: clocks run, every part has power. A core's status follows its configuration.
 */
#include "hw/misc/soc-regs.h"

#include "qom/vm.h"

#define PMU_SWRESET 0x400
#define CORE_CONFIG 0x080

static void pmu0_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == PMU_SWRESET && value & 1) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

/* Status words follow configuration words at once. */
static void power_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if ((offset & 0x7f) == 0 && offset >= CORE_CONFIG) {
        s->r[offset / 4 + 1] = value & 7;
    }
}

static void power_domain_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if ((offset & 0x1f) == 0) {
        s->r[offset / 4 + 1] = value & 7;
    }
}

static const SocReg pmu0_rows[] = {
    {.offset = 0x010, .reset = 0x1}, {.offset = 0x200, .reset = 0x10000}, {.offset = 0x208, .reset = 0x3030000},
    {.offset = 0x700, .reset = 0x960000}, {.offset = 0x718, .reset = 0x1},
};
SOC_BLOCK(pmu0, "exynos4210.pmu0", "Exynos4210 power management", 0x1000, soc_rows_4k,
          SOC_ROWS(pmu0_rows), .written = pmu0_written);

static const SocReg pmu1_rows[] = {
    {.offset = 0x000, .reset = 0xffffffff}, {.offset = 0x010, .reset = 0xffffffff}, {.offset = 0x080, .reset = 0xffffffff},
    {.offset = 0x0c0, .reset = 0xffffffff}, {.offset = 0x0c4, .reset = 0xffffffff}, {.offset = 0x100, .reset = 0xffffffff},
    {.offset = 0x104, .reset = 0xffffffff}, {.offset = 0x10c, .reset = 0xffffffff}, {.offset = 0x120, .reset = 0xffffffff},
    {.offset = 0x124, .reset = 0xffffffff}, {.offset = 0x128, .reset = 0xffffffff}, {.offset = 0x12c, .reset = 0xffffffff},
    {.offset = 0x138, .reset = 0xffffffff}, {.offset = 0x13c, .reset = 0xffffffff}, {.offset = 0x140, .reset = 0xffffffff},
    {.offset = 0x144, .reset = 0xffffffff}, {.offset = 0x148, .reset = 0xffffffff}, {.offset = 0x14c, .reset = 0xffffffff},
    {.offset = 0x150, .reset = 0xffffffff}, {.offset = 0x154, .reset = 0xffffffff}, {.offset = 0x158, .reset = 0xffffffff},
    {.offset = 0x15c, .reset = 0xffffffff}, {.offset = 0x160, .reset = 0xffffffff}, {.offset = 0x164, .reset = 0xffffffff},
    {.offset = 0x168, .reset = 0xffffffff}, {.offset = 0x16c, .reset = 0xffffffff}, {.offset = 0x170, .reset = 0xffffffff},
    {.offset = 0x174, .reset = 0xffffffff}, {.offset = 0x178, .reset = 0xffffffff}, {.offset = 0x17c, .reset = 0xffffffff},
    {.offset = 0x180, .reset = 0xffffffff}, {.offset = 0x184, .reset = 0xffffffff}, {.offset = 0x188, .reset = 0xffffffff},
    {.offset = 0x1a0, .reset = 0xffffffff}, {.offset = 0x1c0, .reset = 0xffffffff}, {.offset = 0x1c4, .reset = 0xffffffff},
    {.offset = 0x1cc, .reset = 0xffffffff}, {.offset = 0x1d0, .reset = 0xffffffff}, {.offset = 0x1d4, .reset = 0xffffffff},
    {.offset = 0x1d8, .reset = 0xffffffff}, {.offset = 0x1e0, .reset = 0xffffffff}, {.offset = 0x1e4, .reset = 0xffffffff},
    {.offset = 0x200, .reset = 0xffffffff}, {.offset = 0x204, .reset = 0xffffffff}, {.offset = 0x220, .reset = 0xffffffff},
    {.offset = 0x224, .reset = 0xffffffff}, {.offset = 0x228, .reset = 0xffffffff}, {.offset = 0x22c, .reset = 0xffffffff},
    {.offset = 0x230, .reset = 0xffffffff}, {.offset = 0x234, .reset = 0xffffffff}, {.offset = 0x240, .reset = 0xffffffff},
    {.offset = 0x260, .reset = 0xffffffff}, {.offset = 0x280, .reset = 0xffffffff}, {.offset = 0x284, .reset = 0xffffffff},
    {.offset = 0x2c0, .reset = 0xffffffff}, {.offset = 0x300, .reset = 0xffffffff}, {.offset = 0x340, .reset = 0xffffffff},
    {.offset = 0x380, .reset = 0xffffffff}, {.offset = 0x384, .reset = 0xffffffff}, {.offset = 0x388, .reset = 0xffffffff},
    {.offset = 0x38c, .reset = 0xffffffff}, {.offset = 0x390, .reset = 0xffffffff}, {.offset = 0x394, .reset = 0xffffffff},
    {.offset = 0x398, .reset = 0xffffffff}, {.offset = 0x39c, .reset = 0xffffffff}, {.offset = 0x3a0, .reset = 0xffffffff},
};
SOC_BLOCK(pmu1, "exynos4210.pmu1", "Exynos4210 power management", 0x1000, soc_rows_4k,
          SOC_ROWS(pmu1_rows));

static const SocReg pmu2_rows[] = {
    {.offset = 0x000, .reset = 0x3}, {.offset = 0x004, .reset = 0x30003}, {.offset = 0x008, .reset = 0x1010001},
    {.offset = 0x080, .reset = 0x3}, {.offset = 0x084, .reset = 0x30003}, {.offset = 0x088, .reset = 0x1010001},
    {.offset = 0x408, .reset = 0x1}, {.offset = 0x600, .reset = 0x3}, {.offset = 0x604, .reset = 0x3}, {.offset = 0x620, .reset = 0x3},
    {.offset = 0x624, .reset = 0x3},
};
SOC_BLOCK(pmu2, "exynos4210.pmu2", "Exynos4210 power management", 0x1000, soc_rows_4k,
          SOC_ROWS(pmu2_rows), .written = power_written);

static const SocReg pmu3_rows[] = {
    {.offset = 0x30c, .reset = 0x5300}, {.offset = 0x400, .reset = 0x1}, {.offset = 0x404, .reset = 0x1},
    {.offset = 0x41c, .reset = 0xfff00000}, {.offset = 0x420, .reset = 0x1}, {.offset = 0x424, .reset = 0x1},
    {.offset = 0x43c, .reset = 0xfff00000}, {.offset = 0x61c, .reset = 0xfff03fff}, {.offset = 0xc00, .reset = 0x7},
    {.offset = 0xc04, .reset = 0x60007}, {.offset = 0xc08, .reset = 0x1}, {.offset = 0xc20, .reset = 0x7},
    {.offset = 0xc24, .reset = 0x60007}, {.offset = 0xc28, .reset = 0x1}, {.offset = 0xc40, .reset = 0x7},
    {.offset = 0xc44, .reset = 0x60007}, {.offset = 0xc48, .reset = 0x1}, {.offset = 0xc60, .reset = 0x7},
    {.offset = 0xc64, .reset = 0x60007}, {.offset = 0xc68, .reset = 0x1}, {.offset = 0xc80, .reset = 0x7},
    {.offset = 0xc84, .reset = 0x60007}, {.offset = 0xc88, .reset = 0x1}, {.offset = 0xca0, .reset = 0x7},
    {.offset = 0xca4, .reset = 0x60007}, {.offset = 0xca8, .reset = 0x1}, {.offset = 0xce0, .reset = 0x7},
    {.offset = 0xce4, .reset = 0x60007}, {.offset = 0xce8, .reset = 0x1},
};
SOC_BLOCK(pmu3, "exynos4210.pmu3", "Exynos4210 power management", 0x1000, soc_rows_4k,
          SOC_ROWS(pmu3_rows), .written = power_domain_written);

SOC_BLOCK(cmu_left, "exynos4210.cmu-left", "Exynos4210 clock management", 0x1000, soc_rows_4k,
          .rows = NULL);

SOC_BLOCK(cmu_right, "exynos4210.cmu-right", "Exynos4210 clock management", 0x1000, soc_rows_4k,
          .rows = NULL);

static const SocReg cmu_top_rows[] = {
    {.offset = 0x010, .reset = 0xfff}, {.offset = 0x020, .reset = 0xfff}, {.offset = 0x110, .reset = 0x20300301},
    {.offset = 0x120, .reset = 0x20240201}, {.offset = 0x124, .reset = 0x66010464},
};
SOC_BLOCK(cmu_top, "exynos4210.cmu-top", "Exynos4210 clock management", 0x1000, soc_rows_4k,
          SOC_ROWS(cmu_top_rows));

SOC_BLOCK(cmu_dmc, "exynos4210.cmu-dmc", "Exynos4210 clock management", 0x1000, soc_rows_4k,
          .rows = NULL);

static const SocReg cmu_cpu_rows[] = {
    {.offset = 0x000, .reset = 0xfff}, {.offset = 0x004, .reset = 0xfff}, {.offset = 0x100, .reset = 0x20c80601},
    {.offset = 0x104, .reset = 0x1c}, {.offset = 0x108, .reset = 0x20c80601}, {.offset = 0x10c, .reset = 0x1c},
};
SOC_BLOCK(cmu_cpu, "exynos4210.cmu-cpu", "Exynos4210 clock management", 0x1000, soc_rows_4k,
          SOC_ROWS(cmu_cpu_rows));

SOC_BLOCK(cmu_cpu1, "exynos4210.cmu-cpu1", "Exynos4210 clock management", 0x1000, soc_rows_4k,
          .rows = NULL);
