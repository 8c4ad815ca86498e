// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xilinx Zynq-7000 boards (UG585): one Cortex-A9 with its private peripherals, system level
 * control, timers, UARTs, Ethernet, SD hosts, SPI and quad SPI controllers with flash, USB hosts,
 * device configuration, analog converter. Left out, reading as 0: DMA controller, GPIO, I2C, CAN,
 * parallel flash, memory controllers.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "hw/ssi/ssi.h"

#define ZYNQ_SDHCI "sd-spec-version=2,capareg=0x69ec0080"
/* Shared interrupts count from 32 in UG585, table 7-3. */
#define ZYNQ_IRQ(n) LINE((n)-32)

static const BoardSlot zynq_slots[] = {
    {.type = "xilinx-zynq_slcr", .addr = 0xf8000000},
    {.type = "l2x0", .addr = 0xf8f02000},
    {.type = "xlnx.ps7-spi", .addr = 0xe0006000, .irqs = {ZYNQ_IRQ(58)}, .name = "spi0"},
    {.type = "xlnx.ps7-spi", .addr = 0xe0007000, .irqs = {ZYNQ_IRQ(81)}, .name = "spi1"},
    {.type = "xlnx.ps7-qspi", .addr = 0xe000d000, .irqs = {ZYNQ_IRQ(51)}, .name = "qspi"},
    {.type = "usb-chipidea", .addr = 0xe0002000, .irqs = {ZYNQ_IRQ(53)}},
    {.type = "usb-chipidea", .addr = 0xe0003000, .irqs = {ZYNQ_IRQ(76)}},
    {.type = "cadence_uart", .addr = 0xe0000000, .irqs = {ZYNQ_IRQ(59)}, .serial = NTH(0)},
    {.type = "cadence_uart", .addr = 0xe0001000, .irqs = {ZYNQ_IRQ(82)}, .serial = NTH(1)},
    {.type = "cadence_ttc", .addr = 0xf8001000, .irqs = {ZYNQ_IRQ(42), ZYNQ_IRQ(43), ZYNQ_IRQ(44)}},
    {.type = "cadence_ttc", .addr = 0xf8002000, .irqs = {ZYNQ_IRQ(69), ZYNQ_IRQ(70), ZYNQ_IRQ(71)}},
    {.type = "cadence_gem",
     .addr = 0xe000b000,
     .props = "revision=0x20118,phy-addr=7,num-priority-queues=1",
     .irqs = {ZYNQ_IRQ(54)},
     .nic = true},
    {.type = "cadence_gem",
     .addr = 0xe000c000,
     .props = "revision=0x20118,phy-addr=7,num-priority-queues=1",
     .irqs = {ZYNQ_IRQ(77)},
     .nic = true},
    {.type = "generic-sdhci",
     .addr = 0xe0100000,
     .props = ZYNQ_SDHCI,
     .irqs = {ZYNQ_IRQ(56)},
     .sd = NTH(0)},
    {.type = "generic-sdhci",
     .addr = 0xe0101000,
     .props = ZYNQ_SDHCI,
     .irqs = {ZYNQ_IRQ(79)},
     .sd = NTH(1)},
    {.type = "xlnx-zynq-xadc", .addr = 0xf8007100, .irqs = {ZYNQ_IRQ(39)}},
    {.type = "xlnx.ps7-dev-cfg", .addr = 0xf8007000, .irqs = {ZYNQ_IRQ(40)}},
};

/* Chips at the controllers, and which if=mtd drive is in each. */
static bool zynq_flash(Board *b, GError **error)
{
    static const struct {
        const char *name;
        unsigned buses, lines;
    } spi[] = {{"spi0", 1, 4}, {"spi1", 1, 4}, {"qspi", 2, 2}};
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_COUNT(spi); i++) {
        Device *d = board_device(b, spi[i].name);

        for (unsigned k = 0; k < spi[i].buses * spi[i].lines; k++) {
            SsiBus *bus = g_ptr_array_index(d->buses, k / spi[i].lines);

            if (!ssi_flash_create(bus, "n25q128", k % spi[i].lines, n++, error)) {
                return false;
            }
        }
    }
    device_map(board_device(b, "qspi"), "linear", 0xfc000000);
    return true;
}

static bool zynq_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    const MpcoreConfig mpcore = {
        .kind = MPCORE_A9, .base = 0xf8f00000, .irqs = 96, .timer_hz = 108333333};

    if (vm->ram_size > 2 * GIB) {
        return fail(error, "RAM size more than 2 GiB is not supported");
    }
    board_quiet(b);
    b->boot.board_id = 0xd32;
    return board_cpus(b, "has_el3=off,midr=1094697104,reset-cbar=0xf8f00000", PSCI_DISABLED,
                      error) &&
           board_ram(b, "zynq.ext_ram", 0, 2 * GIB, error) &&
           board_add_ram(b, "zynq.ocm_ram", 0xfffc0000, 256 * KIB, error) &&
           mpcore_create(b, &mpcore, error) &&
           board_add(b, zynq_slots, ARRAY_COUNT(zynq_slots), error) && zynq_flash(b, error);
}

static const MachineType zynq = {
    .name = "xilinx-zynq-a9-machine",
    .machine_name = "xilinx-zynq-a9",
    .desc = "Xilinx Zynq Platform Baseboard for Cortex-A9",
    .arches = "arm aarch64",
    .size = sizeof(Machine),
    .max_cpus = 1,
    .default_cpu = "cortex-a9",
    .default_nic = "cadence_gem",
    .default_block_if = "sd",
    .no_floppy = true,
    .no_cdrom = true,
    .no_parallel = true,
    .init = zynq_init,
    .done = board_done,
};
MACHINE_TYPE(zynq);
