// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calxeda Highbank (ECX-1000, four Cortex-A9) and Midway (ECX-2000, Cortex-A15) as their device
 * trees in Linux describe them. Left out: the PL320 mailbox, DMA, wake-up by network.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "hw/misc/soc-regs.h"

/* ---- system registers: clocks are fixed, one register asks for reset or power-off ---- */

#define SREG_PWR_REQ 0xf00

static void hb_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset != SREG_PWR_REQ) {
        return;
    }
    if (value == 1 || value == 2) {
        request_reset(SHUTDOWN_GUEST_RESET);
    } else if (value == 3) {
        request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
    }
}

/* The PLLs are locked. */
static const SocReg hb_rows[] = {
    {.offset = 0x100, .reset = 0x35f20121}, {.offset = 0x104, .reset = 0x2}, {.offset = 0x108, .reset = 0x35f30121},
    {.offset = 0x10c, .reset = 0x35f40121},
};
SOC_BLOCK(hb_sregs, "highbank-regs", "Highbank system registers", 0x1000, soc_rows_4k,
          SOC_ROWS(hb_rows), .written = hb_written);

/* ---- the boards ---- */

static const BoardSlot hb_slots[] = {
    {.type = "sp804", .addr = 0xfff34000, .props = "freq0=150000000,freq1=150000000", .irqs = {LINE(18)}},
    {.type = "pl011", .addr = 0xfff36000, .irqs = {LINE(20)}, .serial = NTH(0)},
    {.type = "highbank-regs", .addr = 0xfff3c000},
    {.type = "pl061", .addr = 0xfff30000, .irqs = {LINE(14)}},
    {.type = "pl061", .addr = 0xfff31000, .irqs = {LINE(15)}},
    {.type = "pl061", .addr = 0xfff32000, .irqs = {LINE(16)}},
    {.type = "pl061", .addr = 0xfff33000, .irqs = {LINE(17)}},
    {.type = "sysbus-ahci", .addr = 0xffe08000, .irqs = {LINE(83)}, .ide = NTH(0)},
    {.type = "xgmac", .addr = 0xfff50000, .irqs = {LINE(77)}, .nic = true},
    {.type = "xgmac", .addr = 0xfff51000, .irqs = {LINE(80)}, .nic = true},
    {.type = "pl031", .addr = 0xfff35000, .irqs = {LINE(19)}},
};
static const BoardSlot hb_l2[] = {{.type = "l2x0", .addr = 0xfff12000}};

static bool hb_build(Vm *vm, MpcoreKind kind, GError **error)
{
    Board *b = board_new(vm);
    const MpcoreConfig mpcore = {
        .kind = kind, .base = 0xfff10000, .irqs = 160, .security = vm->kernel == NULL};

    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    return board_cpus(
               b, kind == MPCORE_A9 ? "reset-cbar=0xfff10000,has_el2=off" : "reset-cbar=0xfff10000",
               PSCI_SMC, error) &&
           board_ram(b, "highbank.dram", 0, 0xff900000, error) &&
           board_add_ram(b, "highbank.sysram", 0xfff88000, 0x8000, error) &&
           mpcore_create(b, &mpcore, error) &&
           (kind != MPCORE_A9 || board_add(b, hb_l2, ARRAY_COUNT(hb_l2), error)) &&
           board_add(b, hb_slots, ARRAY_COUNT(hb_slots), error) &&
           board_firmware(b, 0xfff88000, 0x8000, error);
}

static bool highbank_init(Vm *vm, GError **error)
{
    return hb_build(vm, MPCORE_A9, error);
}

static bool midway_init(Vm *vm, GError **error)
{
    return hb_build(vm, MPCORE_A15, error);
}

static const MachineType highbank = {
    .name = "highbank-machine", .machine_name = "highbank", .desc = "Calxeda Highbank (ECX-1000)", .arches = "arm aarch64", .size = sizeof(Machine),
    .max_cpus = 4, .default_cpu = "cortex-a9", .default_nic = "xgmac", .default_block_if = "ide", .no_floppy = true, .no_cdrom = true, .no_parallel = true,
    .init = highbank_init, .done = board_done,
};
MACHINE_TYPE(highbank);

static const MachineType midway = {
    .name = "midway-machine", .machine_name = "midway", .desc = "Calxeda Midway (ECX-2000)", .arches = "arm aarch64", .size = sizeof(Machine),
    .max_cpus = 4, .default_cpu = "cortex-a15", .default_nic = "xgmac", .default_block_if = "ide", .no_floppy = true, .no_cdrom = true, .no_parallel = true,
    .init = midway_init, .done = board_done,
};
MACHINE_TYPE(midway);
