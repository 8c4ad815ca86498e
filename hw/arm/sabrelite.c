// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freescale i.MX6 Quad SABRE Lite (i.MX 6Dual/6Quad Applications Processor Reference Manual): up to
 * four Cortex-A9, UARTs, timers, clocks, GPIO, SD hosts, Ethernet, USB. Left out, reading as 0:
 * I2C, SPI, display, DMA.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"

#define IMX6_GPIO(n, at) \
    {.type = "imx.gpio", .addr = at, .irqs = {LINE(64 + 2 * (n)), LINE(65 + 2 * (n))}}
static const BoardSlot sabrelite_slots[] = {
    {.type = "imx6.ccm", .addr = 0x020c4000},
    {.type = "imx6.analog", .addr = 0x020c8000},
    {.type = "imx6.src", .addr = 0x020d8000},
    {.type = "imx7.snvs", .addr = 0x020cc000},
    {.type = "l2x0", .addr = 0x00a02000},
    {.type = "imx6.gpt", .addr = 0x02098000, .irqs = {LINE(55)}},
    {.type = "imx.epit", .addr = 0x020d0000, .irqs = {LINE(56)}},
    {.type = "imx.epit", .addr = 0x020d4000, .irqs = {LINE(57)}},
    {.type = "imx2.wdt", .addr = 0x020bc000},
    {.type = "imx2.wdt", .addr = 0x020c0000},
    {.type = "imx.serial", .addr = 0x02020000, .irqs = {LINE(26)}, .serial = NTH(0)},
    {.type = "imx.serial", .addr = 0x021e8000, .irqs = {LINE(27)}, .serial = NTH(1)},
    {.type = "imx.serial", .addr = 0x021ec000, .irqs = {LINE(28)}, .serial = NTH(2)},
    {.type = "imx.serial", .addr = 0x021f0000, .irqs = {LINE(29)}, .serial = NTH(3)},
    {.type = "imx.serial", .addr = 0x021f4000, .irqs = {LINE(30)}, .serial = NTH(4)},
    IMX6_GPIO(1, 0x0209c000), IMX6_GPIO(2, 0x020a0000), IMX6_GPIO(3, 0x020a4000), IMX6_GPIO(4, 0x020a8000),
    IMX6_GPIO(5, 0x020ac000), IMX6_GPIO(6, 0x020b0000), IMX6_GPIO(7, 0x020b4000),
    {.type = "imx.usbphy", .addr = 0x020c9000},
    {.type = "imx.usbphy", .addr = 0x020ca000},
    {.type = "usb-chipidea", .addr = 0x02184000, .irqs = {LINE(43)}},
    {.type = "usb-chipidea", .addr = 0x02184200, .irqs = {LINE(40)}},
    {.type = "usb-chipidea", .addr = 0x02184400, .irqs = {LINE(41)}},
    {.type = "usb-chipidea", .addr = 0x02184600, .irqs = {LINE(42)}},
    {.type = "imx.enet", .addr = 0x02188000, .props = "phy-num=6", .irqs = {LINE(118), LINE(119)}, .nic = true},
    {.type = "imx-usdhc", .addr = 0x02190000, .irqs = {LINE(22)}, .sd = NTH(0)},
    {.type = "imx-usdhc", .addr = 0x02194000, .irqs = {LINE(23)}, .sd = NTH(1)},
    {.type = "imx-usdhc", .addr = 0x02198000, .irqs = {LINE(24)}, .sd = NTH(2)},
    {.type = "imx-usdhc", .addr = 0x0219c000, .irqs = {LINE(25)}, .sd = NTH(3)},
};

/* The other CPUs wait for the reset controller. */
static bool sabrelite_cpus(Board *b, GError **error)
{
    static const char props[] = "has_el2=off,reset-cbar=0x00a00000";
    const char *model = b->vm->cpu_model ? b->vm->cpu_model : b->vm->machine_type->default_cpu;

    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        g_autofree char *all = g_strdup_printf("%s%s", props, i ? ",start-powered-off=on" : "");

        if (!board_cpu(b, model, all, error)) {
            return false;
        }
    }
    return true;
}

static bool sabrelite_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    const MpcoreConfig mpcore = {
        .kind = MPCORE_A9, .base = 0x00a00000, .irqs = 160, .security = true};

    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    b->boot.secure = true;
    return sabrelite_cpus(b, error) &&
           board_ram(b, "sabrelite.ram", 0x10000000, 0xf0000000, error) &&
           board_add_ram(b, "imx6.ocram", 0x00900000, 256 * KIB, error) &&
           mpcore_create(b, &mpcore, error) &&
           board_add(b, sabrelite_slots, ARRAY_COUNT(sabrelite_slots), error);
}

static const MachineType sabrelite = {
    .name = "sabrelite-machine", .machine_name = "sabrelite", .desc = "Freescale i.MX6 Quad SABRE Lite Board (Cortex-A9)", .arches = "arm aarch64",
    .size = sizeof(Machine), .max_cpus = 4, .default_cpu = "cortex-a9", .default_nic = "imx.enet", .default_block_if = "sd", .no_floppy = true, .no_cdrom = true,
    .no_parallel = true, .init = sabrelite_init, .done = board_done,
};
MACHINE_TYPE(sabrelite);
