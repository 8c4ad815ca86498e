// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freescale i.MX6UL Evaluation Kit (i.MX 6UltraLite Applications Processor Reference Manual): one
 * Cortex-A7 with its GIC and generic timers, UARTs, timers, clocks, GPIO, SD,
 * Ethernet, USB. Left out, reading as 0: I2C, SPI, display, DMA.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"

#define IMX6UL_GPIO(n, at) \
    {.type = "imx.gpio", .addr = at, .irqs = {LINE(64 + 2 * (n)), LINE(65 + 2 * (n))}}
static const BoardSlot imx_slots[] = {
    IMX6UL_GPIO(1, 0x0209c000), IMX6UL_GPIO(2, 0x020a0000), IMX6UL_GPIO(3, 0x020a4000), IMX6UL_GPIO(4, 0x020a8000),
    IMX6UL_GPIO(5, 0x020ac000),
    /* both PHYs are on the second controller's wires */
    {.type = "imx.enet", .addr = 0x02188000, .props = "phy-num=2", .irqs = {LINE(118), LINE(119)}, .nic = true},
    {.type = "imx.enet", .addr = 0x020b4000, .props = "phy-num=1,other-phy-num=2", .irqs = {LINE(120), LINE(121)}, .nic = true},
    {.type = "imx.usbphy", .addr = 0x020c9000},
    {.type = "imx.usbphy", .addr = 0x020ca000},
    {.type = "usb-chipidea", .addr = 0x02184000, .irqs = {LINE(43)}},
    {.type = "usb-chipidea", .addr = 0x02184200, .irqs = {LINE(42)}},
    {.type = "imx6ul.ccm", .addr = 0x020c4000},
    {.type = "imx6ul.analog", .addr = 0x020c8000},
    {.type = "imx6.src", .addr = 0x020d8000},
    {.type = "imx7.snvs", .addr = 0x020cc000},
    {.type = "imx6ul.gpt", .addr = 0x02098000, .irqs = {LINE(55)}},
    {.type = "imx6ul.gpt", .addr = 0x020e8000, .irqs = {LINE(109)}},
    {.type = "imx.epit", .addr = 0x020d0000, .irqs = {LINE(56)}},
    {.type = "imx.epit", .addr = 0x020d4000, .irqs = {LINE(57)}},
    {.type = "imx2.wdt", .addr = 0x020bc000},
    {.type = "imx2.wdt", .addr = 0x020c0000},
    {.type = "imx2.wdt", .addr = 0x021e4000},
    {.type = "imx.serial", .addr = 0x02020000, .irqs = {LINE(26)}, .serial = NTH(0)},
    {.type = "imx.serial", .addr = 0x021e8000, .irqs = {LINE(27)}, .serial = NTH(1)},
    {.type = "imx.serial", .addr = 0x021ec000, .irqs = {LINE(28)}, .serial = NTH(2)},
    {.type = "imx.serial", .addr = 0x021f0000, .irqs = {LINE(29)}, .serial = NTH(3)},
    {.type = "imx.serial", .addr = 0x021f4000, .irqs = {LINE(30)}, .serial = NTH(4)},
    {.type = "imx.serial", .addr = 0x021fc000, .irqs = {LINE(17)}, .serial = NTH(5)},
    {.type = "imx.serial", .addr = 0x02018000, .irqs = {LINE(39)}, .serial = NTH(6)},
    {.type = "imx.serial", .addr = 0x02024000, .irqs = {LINE(40)}, .serial = NTH(7)},
};

static const BoardSlot imx_sd[] = {
    {.type = "imx-usdhc", .addr = 0x02190000, .irqs = {LINE(22)}, .sd = NTH(0)},
    {.type = "imx-usdhc", .addr = 0x02194000, .irqs = {LINE(23)}, .sd = NTH(1)},
};

static bool mcimx6ul_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    const MpcoreConfig mpcore = {
        .kind = MPCORE_A15, .base = 0x00a00000, .irqs = 160, .security = vm->kernel == NULL};

    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    return board_cpus(b, "mp-affinity=0,reset-cbar=0x00a00000", PSCI_SMC, error) &&
           board_ram(b, "mcimx6ul-evk.ram", 0x80000000, 2 * GIB, error) &&
           board_add_ram(b, "imx6ul.ocram", 0x00900000, 128 * KIB, error) &&
           mpcore_create(b, &mpcore, error) &&
           board_add(b, imx_slots, ARRAY_COUNT(imx_slots), error) &&
           board_add(b, imx_sd, ARRAY_COUNT(imx_sd), error);
}

static const MachineType mcimx6ul = {
    .name = "mcimx6ul-evk-machine", .machine_name = "mcimx6ul-evk", .desc = "Freescale i.MX6UL Evaluation Kit (Cortex-A7)", .arches = "arm aarch64",
    .size = sizeof(Machine), .max_cpus = 1, .default_cpu = "cortex-a7", .default_nic = "imx.enet", .default_block_if = "sd", .no_floppy = true, .no_cdrom = true,
    .no_parallel = true, .init = mcimx6ul_init, .done = board_done,
};
MACHINE_TYPE(mcimx6ul);
