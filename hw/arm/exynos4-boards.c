// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Samsung SMDKC210 (Exynos 4210 User's Manual): two Cortex-A9 with an external GIC and combiner,
 * multi core timer, UARTs, SD hosts, LAN9118, EHCI, power and clock management. Left out, reading
 * as 0: display, I2C, DMA, real-time clock, PWM, pins with external interrupts, the GIC inside the
 * cores.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/memory-backend.h"
#include "hw/misc/soc-regs.h"

/* S5PC210, second revision. */
static const SocReg chipid_rows[] = {{.offset = 0, .reset = 0x43210211, .fixed = 0xffffffff},
                                     {.offset = 4, .reset = 9, .fixed = 0xffffffff}};
SOC_BLOCK(chipid, "exynos4210.chipid", "Exynos4210 identification", 0x100, soc_rows_256,
          SOC_ROWS(chipid_rows));

static const BoardSlot exynos_slots[] = {
    {.type = "exynos4210.chipid", .addr = 0x10000000},
    {.type = "exynos4210.pmu0", .addr = 0x10020000}, {.type = "exynos4210.pmu1", .addr = 0x10021000},
    {.type = "exynos4210.pmu2", .addr = 0x10022000}, {.type = "exynos4210.pmu3", .addr = 0x10023000},
    {.type = "exynos4210.cmu-left", .addr = 0x10034000}, {.type = "exynos4210.cmu-right", .addr = 0x10038000},
    {.type = "exynos4210.cmu-top", .addr = 0x1003c000}, {.type = "exynos4210.cmu-dmc", .addr = 0x10040000},
    {.type = "exynos4210.cmu-cpu", .addr = 0x10044000}, {.type = "exynos4210.cmu-cpu1", .addr = 0x10045000},
    {.type = "exynos4210.mct", .addr = 0x10050000, .name = "mct", .irqs = {LINE(57)}},
    {.type = "exynos4210.combiner", .addr = 0x10440000, .name = "combiner",
     .irqs = {LINE(0), LINE(1), LINE(2), LINE(3), LINE(4), LINE(5), LINE(6), LINE(7), LINE(8), LINE(9), LINE(10), LINE(11), LINE(12), LINE(13), LINE(14), LINE(15)}},
    {.type = "a9-scu", .addr = 0x10500000}, {.type = "l2x0", .addr = 0x10502000},
    {.type = "exynos4210.uart", .addr = 0x13800000, .props = "rx-size=256", .irqs = {LINE(52)}, .serial = NTH(0)},
    {.type = "exynos4210.uart", .addr = 0x13810000, .props = "rx-size=64", .irqs = {LINE(53)}, .serial = NTH(1)},
    {.type = "exynos4210.uart", .addr = 0x13820000, .irqs = {LINE(54)}, .serial = NTH(2)},
    {.type = "exynos4210.uart", .addr = 0x13830000, .irqs = {LINE(55)}, .serial = NTH(3)},
    /* the board's, on external interrupt 5 */
    {.type = "lan9118", .addr = 0x05000000, .irqs = {LINE(21)}, .nic = true},
    {.type = "exynos4210-ehci-usb", .addr = 0x12580000, .irqs = {LINE(70)}},
    {.type = "generic-sdhci", .addr = 0x12510000, .props = "capareg=0x5e80080", .irqs = {LINE(73)}, .sd = NTH(0)},
    {.type = "generic-sdhci", .addr = 0x12520000, .props = "capareg=0x5e80080", .irqs = {LINE(74)}, .sd = NTH(1)},
    {.type = "generic-sdhci", .addr = 0x12530000, .props = "capareg=0x5e80080", .irqs = {LINE(75)}, .sd = NTH(2)},
    {.type = "generic-sdhci", .addr = 0x12540000, .props = "capareg=0x5e80080", .irqs = {LINE(76)}, .sd = NTH(3)},
};

/* Each core has a page of its own of the external GIC; both show what the accessing core sees. */
static bool exynos_gic(Board *b, GError **error)
{
    g_autofree char *props = g_strdup_printf("revision=1,num-cpu=%u,num-irq=160", b->vm->smp.cpus);
    Region *r = g_new0(Region, 4);      /* lives as long as the machine */

    b->intc = board_make(b, "arm_gic", props, error);
    if (!b->intc) {
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        board_alias(b, &r[i], "exynos4210-gic-alias_dist", device_region(b->intc, "dist"), 0,
                    0x1000, 0x10490000 + i * 0x8000);
        board_alias(b, &r[2 + i], "exynos4210-gic-alias_cpu", device_region(b->intc, "cpu"), 0,
                    0x1000, 0x10480000 + i * 0x8000);
    }
    mpcore_wire_cpus(b, b->intc);
    return true;
}

static bool smdkc210_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    uint64_t size = vm->ram_size;
    Region *ram;

    if (size > 2 * GIB) {
        return fail(error, "RAM size more than 2 GiB is not supported");
    }
    board_quiet(b);
    if (!board_cpus(b, "has_el3=off,has_el2=off,reset-cbar=0x10500000", PSCI_DISABLED, error)) {
        return false;
    }
    ram = machine_ram(vm, "exynos4210.dram0", error);
    if (!ram) {
        return false;
    }
    region_add(vm->memory, 0x40000000, ram, 0);
    b->boot.ram_base = 0x40000000;
    b->boot.ram_size = size;
    if (!board_add_ram(b, "exynos4210.iram", 0x02020000, 0x20000, error) || !exynos_gic(b, error) ||
        !board_add(b, exynos_slots, ARRAY_COUNT(exynos_slots), error)) {
        return false;
    }
    wire(board_device(b, "mct"), "local0", 0, b->intc, "spi", 42);
    wire(board_device(b, "mct"), "local1", 0, b->intc, "spi", 48);
    b->boot.board_id = 0xb16;
    b->boot.smp_loader = 0x02020000;
    b->boot.smp_flags = 0x10020814;
    b->boot.gic_cpu = 0x10488000;
    return true;
}

static const MachineType smdkc210 = {
    .name = "smdkc210-machine", .machine_name = "smdkc210", .desc = "Samsung SMDKC210 board (Exynos4210)", .arches = "arm aarch64",
    .size = sizeof(Machine), .min_cpus = 2, .max_cpus = 2, .default_cpus = 2, .default_ram = 1 * GIB, .default_cpu = "cortex-a9",
    .default_nic = "lan9118", .default_block_if = "sd", .no_floppy = true, .no_cdrom = true, .no_parallel = true, .init = smdkc210_init, .done = board_done,
};
MACHINE_TYPE(smdkc210);
