// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freescale i.MX7 Dual SABRE (i.MX 7Dual Applications Processor Reference Manual): up to two
 * Cortex-A7 with their GIC and generic timers, UARTs, timers, clocks, GPIO, SD hosts, Ethernet,
 * USB. Left out, reading as 0: PCIe, I2C, SPI, display, DMA.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"

#define IMX7_GPIO(n, at) \
    {.type = "imx.gpio", .addr = at, .irqs = {LINE(62 + 2 * (n)), LINE(63 + 2 * (n))}}
#define IMX7_SERIAL(n, at, line) \
    {.type = "imx.serial", .addr = at, .irqs = {LINE(line)}, .serial = NTH(n)}
static const BoardSlot sabre_slots[] = {
    IMX7_GPIO(1, 0x30200000), IMX7_GPIO(2, 0x30210000), IMX7_GPIO(3, 0x30220000), IMX7_GPIO(4, 0x30230000),
    IMX7_GPIO(5, 0x30240000), IMX7_GPIO(6, 0x30250000), IMX7_GPIO(7, 0x30260000),
    {.type = "imx2.wdt", .addr = 0x30280000},
    {.type = "imx2.wdt", .addr = 0x30290000},
    {.type = "imx2.wdt", .addr = 0x302a0000},
    {.type = "imx2.wdt", .addr = 0x302b0000},
    {.type = "imx6ul.gpt", .addr = 0x302d0000, .irqs = {LINE(55)}},
    {.type = "imx6ul.gpt", .addr = 0x302e0000, .irqs = {LINE(54)}},
    {.type = "imx6ul.gpt", .addr = 0x302f0000, .irqs = {LINE(53)}},
    {.type = "imx6ul.gpt", .addr = 0x30300000, .irqs = {LINE(52)}},
    {.type = "imx7.gpr", .addr = 0x30340000},
    {.type = "imx7.analog", .addr = 0x30360000},
    {.type = "imx7.snvs", .addr = 0x30370000},
    {.type = "imx7.ccm", .addr = 0x30380000},
    {.type = "imx-gpcv2", .addr = 0x303a0000},
    IMX7_SERIAL(0, 0x30860000, 26), IMX7_SERIAL(1, 0x30890000, 27), IMX7_SERIAL(2, 0x30880000, 28),
    IMX7_SERIAL(3, 0x30a60000, 29), IMX7_SERIAL(4, 0x30a70000, 30), IMX7_SERIAL(5, 0x30a80000, 16),
    IMX7_SERIAL(6, 0x30a90000, 126),
    {.type = "imx-usdhc", .addr = 0x30b40000, .irqs = {LINE(22)}, .sd = NTH(0)},
    {.type = "imx-usdhc", .addr = 0x30b50000, .irqs = {LINE(23)}, .sd = NTH(1)},
    {.type = "imx-usdhc", .addr = 0x30b60000, .irqs = {LINE(24)}, .sd = NTH(2)},
    /* both PHYs are on the first controller's wires */
    {.type = "usb-chipidea", .addr = 0x30b10000, .irqs = {LINE(43)}},
    {.type = "usb-chipidea", .addr = 0x30b20000, .irqs = {LINE(42)}},
    {.type = "usb-chipidea", .addr = 0x30b30000, .irqs = {LINE(40)}},
    {.type = "imx.enet", .addr = 0x30be0000, .props = "tx-ring-num=3,phy-num=0,other-phy-num=1", .irqs = {LINE(120), LINE(121)}, .nic = true},
    {.type = "imx.enet", .addr = 0x30bf0000, .props = "tx-ring-num=3,phy-num=1", .irqs = {LINE(102), LINE(103)}, .nic = true},
};

static bool sabre_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    const MpcoreConfig mpcore = {
        .kind = MPCORE_A15, .base = 0x31000000, .irqs = 160, .security = vm->kernel == NULL};

    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    return board_cpus(b, "reset-cbar=0x31000000", PSCI_SMC, error) &&
           board_ram(b, "mcimx7d-sabre.ram", 0x80000000, 2 * GIB, error) &&
           board_add_ram(b, "imx7.ocram", 0x00900000, 128 * KIB, error) &&
           mpcore_create(b, &mpcore, error) &&
           board_add(b, sabre_slots, ARRAY_COUNT(sabre_slots), error);
}

static const MachineType sabre = {
    .name = "mcimx7d-sabre-machine", .machine_name = "mcimx7d-sabre", .desc = "Freescale i.MX7 DUAL SABRE (Cortex-A7)", .arches = "arm aarch64",
    .size = sizeof(Machine), .max_cpus = 2, .default_cpu = "cortex-a7", .default_nic = "imx.enet", .default_block_if = "sd", .no_floppy = true,
    .no_cdrom = true, .no_parallel = true, .init = sabre_init, .done = board_done,
};
MACHINE_TYPE(sabre);
