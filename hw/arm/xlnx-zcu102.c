// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xilinx ZynqMP ZCU102 (UG1085): four Cortex-A53, GIC, UARTs, four Ethernet controllers, two SD
 * hosts, real-time clock. Left out, reading as 0: the real-time cores, SATA, USB, display, DMA, the
 * platform firmware that clocks come from.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/memory-backend.h"

typedef struct Zcu102Machine {
    Machine machine;
    bool secure, virtualization;
} Zcu102Machine;

#define RAM_LOW (2 * GIB)
#define RAM_HIGH_BASE 0x800000000ull
#define RAM_MAX (RAM_LOW + 32 * GIB)

#define GEM_PROPS "revision=0x40070106,phy-addr=23,num-priority-queues=2"
static const BoardSlot zcu102_slots[] = {
    {.type = "cadence_gem", .addr = 0xff0b0000, .props = GEM_PROPS, .irqs = {LINE(57)}, .nic = true},
    {.type = "cadence_gem", .addr = 0xff0c0000, .props = GEM_PROPS, .irqs = {LINE(59)}, .nic = true},
    {.type = "cadence_gem", .addr = 0xff0d0000, .props = GEM_PROPS, .irqs = {LINE(61)}, .nic = true},
    {.type = "cadence_gem", .addr = 0xff0e0000, .props = GEM_PROPS, .irqs = {LINE(63)}, .nic = true},
    {.type = "xlnx-zynmp.rtc", .addr = 0xffa60000, .irqs = {LINE(26), LINE(27)}},
    {.type = "cadence_uart", .addr = 0xff000000, .irqs = {LINE(21)}, .serial = NTH(0)},
    {.type = "cadence_uart", .addr = 0xff010000, .irqs = {LINE(22)}, .serial = NTH(1)},
    {.type = "generic-sdhci", .addr = 0xff160000, .props = "sd-spec-version=3,capareg=0x280737ec6481", .irqs = {LINE(48)}, .sd = NTH(0)},
    {.type = "generic-sdhci", .addr = 0xff170000, .props = "sd-spec-version=3,capareg=0x280737ec6481", .irqs = {LINE(49)}, .sd = NTH(1)},
};

/* Pages of a bank repeated over 64 KiB: the interconnect ignores these address bits. */
static void spread(Board *b, Device *gic, const char *bank, hwaddr page, hwaddr at)
{
    Region *r = g_new0(Region, 16);     /* lives as long as the machine */

    for (unsigned i = 0; i < 16; i++) {
        board_alias(b, &r[i], "zynqmp-gic-alias", device_region(gic, bank), page, 0x1000,
                    at + i * 0x1000ull);
    }
}

static bool zcu102_gic(Board *b, const Zcu102Machine *m, GError **error)
{
    g_autofree char *props = g_strdup_printf("revision=2,num-cpu=%u,num-irq=192,has-security-"
                                             "extensions=%s,has-virtualization-extensions=%s",
                                             b->vm->smp.cpus, m->secure ? "on" : "off",
                                             m->virtualization ? "on" : "off");

    b->intc = board_make(b, "arm_gic", props, error);
    if (!b->intc) {
        return false;
    }
    spread(b, b->intc, "dist", 0, 0xf9010000);
    spread(b, b->intc, "cpu", 0, 0xf9020000);
    spread(b, b->intc, "cpu", 0x1000, 0xf9030000);
    if (m->virtualization) {
        spread(b, b->intc, "hyp", 0, 0xf9040000);
        spread(b, b->intc, "vcpu", 0, 0xf9060000);
        spread(b, b->intc, "vcpu", 0x1000, 0xf9070000);
        for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
            wire(b->intc, "maintenance", i, b->intc, "ppi", i * 32 + 25);
        }
    }
    mpcore_wire_cpus(b, b->intc);
    return true;
}

static bool zcu102_init(Vm *vm, GError **error)
{
    Zcu102Machine *m = (Zcu102Machine *)vm->machine;
    Board *b = board_new(vm);
    g_autofree char *props =
        g_strdup_printf("has_el3=%s,has_el2=%s,reset-cbar=0xf9000000,cntfrq=100000000",
                        m->secure ? "on" : "off", m->virtualization ? "on" : "off");

    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    return board_cpus(b, props, PSCI_SMC, error) &&
           board_split_ram(b, "ddr-ram", 0, RAM_LOW, RAM_HIGH_BASE, RAM_MAX, error) &&
           board_add_ram(b, "xlnx.ocm", 0xfffc0000, 256 * KIB, error) && zcu102_gic(b, m, error) &&
           board_add(b, zcu102_slots, ARRAY_COUNT(zcu102_slots), error);
}

static const Prop zcu102_props[] = {
    PROP_BOOL(Zcu102Machine, secure, "secure", false, .help = "Set on/off to enable/disable the ARM Security Extensions (TrustZone)"),
    PROP_BOOL(Zcu102Machine, virtualization, "virtualization", false,
              .help = "Set on/off to enable/disable emulating a guest CPU which implements the ARM Virtualization Extensions"),
    PROP_END,
};

static const MachineType zcu102 = {
    .name = "xlnx-zcu102-machine", .machine_name = "xlnx-zcu102", .desc = "Xilinx ZynqMP ZCU102 board with 4xA53s and 2xR5Fs based on the value of smp",
    .arches = "aarch64", .size = sizeof(Zcu102Machine), .props = zcu102_props, .max_cpus = 4, .default_cpus = 4, .default_cpu = "cortex-a53",
    .default_block_if = "ide", .no_floppy = true, .no_cdrom = true, .no_parallel = true, .init = zcu102_init, .done = board_done,
};
MACHINE_TYPE(zcu102);
