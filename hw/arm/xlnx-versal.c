// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A board with a Xilinx Versal (AM011): two Cortex-A72, GICv3, UARTs, two Ethernet controllers,
 * two SD hosts, real-time clock, on-chip memories, and virtio transports in the programmable logic.
 * It has a device tree of its own. Left out, reading as 0: the real-time cores, USB, DMA
 * controllers, OSPI flash, eFUSEs and battery-backed keys, which the tree does not name, either.
 */
#include "hw/arm/board.h"

#include <stdio.h>
#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/memory-backend.h"
#include "hw/virtio/virtio-mmio.h"
#include "util/dt.h"

typedef struct VersalMachine {
    Machine machine;
    char *dumpdtb;
} VersalMachine;

#define GIC_DIST 0xf9000000
#define GIC_REDIST 0xf9080000
#define REDIST_SIZE 0x20000
#define VIRTIO_BASE 0xa0000000
#define TRANSPORTS 8
enum { SPI_SERIAL = 18, SPI_GEM = 56, SPI_VIRTIO = 111, SPI_SD = 126, SPI_RTC = 142 };
enum { PHANDLE_GIC = 0x8000, PHANDLE_GEM1, PHANDLE_GEM0, PHANDLE_CLK25, PHANDLE_CLK125 };

#define SD_PROPS "sd-spec-version=3,capareg=0x280737ec6481"
#define GEM_PROPS "phy-addr=23,num-priority-queues=2"
static const BoardSlot versal_slots[] = {
    {.type = "pl011", .addr = 0xff000000, .irqs = {LINE(SPI_SERIAL)}, .serial = NTH(0)},
    {.type = "pl011", .addr = 0xff010000, .irqs = {LINE(SPI_SERIAL + 1)}, .serial = NTH(1)},
    {.type = "cadence_gem", .addr = 0xff0c0000, .props = GEM_PROPS, .irqs = {LINE(SPI_GEM)}, .nic = true},
    {.type = "cadence_gem", .addr = 0xff0d0000, .props = GEM_PROPS, .irqs = {LINE(SPI_GEM + 2)}, .nic = true},
    {.type = "generic-sdhci", .addr = 0xf1040000, .props = SD_PROPS, .irqs = {LINE(SPI_SD)}, .sd = NTH(0)},
    {.type = "generic-sdhci", .addr = 0xf1050000, .props = SD_PROPS, .irqs = {LINE(SPI_SD + 2)}, .sd = NTH(1)},
    {.type = "xlnx-zynmp.rtc", .addr = 0xf12a0000, .irqs = {LINE(SPI_RTC), LINE(SPI_RTC + 1)}},
    {.type = "xlnx,versal-crl", .addr = 0xff5e0000},
    {.addr = 0xf1260000, .name = "crp", .size = 0x10000},
    {.addr = 0xfd1a0000, .name = "crf", .size = 0x140000},
    {.addr = 0xfd5c0000, .name = "apu", .size = 0x100},
    {.addr = 0xff130000, .name = "iou-scntr", .size = 0x10000},
    {.addr = 0xff140000, .name = "iou-scntr-secure", .size = 0x10000},
    {.addr = 0xffc80000, .name = "psm", .size = 0x70000},
};

static const struct {
    const char *id;
    hwaddr base;
    uint64_t size;
} versal_memories[] = {
    {"xram[0]", 0xfe800000, MIB}, {"xram[1]", 0xfe900000, MIB}, {"xram[2]", 0xfea00000, MIB},
    {"xram[3]", 0xfeb00000, MIB}, {"ocm", 0xfffc0000, 256 * KIB},
};

static bool versal_gic(Board *b, GError **error)
{
    static const char *const inputs[] = {"irq", "fiq", "virq", "vfiq"};
    static const struct { const char *pin; unsigned ppi; } outputs[] = {
        {"gt-phys", 30}, {"gt-virt", 27}, {"gt-hyp", 26}, {"gt-sec", 29}, {"pmu", 23}};

    b->intc = board_make(b, "arm-gicv3", "num-irq=224,has-security-extensions=on", error);
    if (!b->intc) {
        return false;
    }
    device_map(b->intc, "dist", GIC_DIST);
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        g_autofree char *path = object_path(&b->intc->obj);
        g_autofree char *props = g_strdup_printf("cpu-index=%u,gic=%s", i, path);
        Device *r = board_make(b, "arm-gicv3-redist", props, error);
        Cpu *c = g_ptr_array_index(b->vm->cpus, i);

        if (!r) {
            return false;
        }
        device_map(r, "redist", GIC_REDIST + (hwaddr)i * REDIST_SIZE);
        for (unsigned n = 0; n < ARRAY_COUNT(inputs); n++) {
            wire(r, inputs[n], 0, &c->dev, inputs[n], 0);
        }
        for (unsigned n = 0; n < ARRAY_COUNT(outputs); n++) {
            wire(&c->dev, outputs[n].pin, 0, r, "ppi", outputs[n].ppi);
        }
        wire(r, "maintenance", 0, r, "ppi", 25);
    }
    return true;
}

static bool versal_memory(Board *b, GError **error)
{
    for (unsigned i = 0; i < ARRAY_COUNT(versal_memories); i++) {
        if (!board_add_ram(b, versal_memories[i].id, versal_memories[i].base,
                           versal_memories[i].size, error)) {
            return false;
        }
    }
    return board_split_ram(b, "ddr", 0, 2 * GIB, 0x800000000ull, 34 * GIB, error);
}

static bool versal_transports(Board *b, GError **error)
{
    for (unsigned i = 0; i < TRANSPORTS; i++) {
        Device *d = virtio_mmio_create(b->vm, VIRTIO_BASE + i * 0x200, i, error);

        if (!d) {
            return false;
        }
        wire(d, "irq", 0, b->intc, "spi", SPI_VIRTIO + i);
    }
    return true;
}

/* ---- the device tree; the library puts what is added last in front ---- */

static void node_clock(Dt *dt, const char *node, uint32_t hz, uint32_t phandle)
{
    dt_node(dt, node);
    DT_CELLS(dt, node, "phandle", phandle);
    DT_CELLS(dt, node, "clock-frequency", hz);
    DT_CELLS(dt, node, "#clock-cells", 0);
    dt_string(dt, node, "compatible", "fixed-clock");
    dt_flag(dt, node, "u-boot,dm-pre-reloc");
}

static char *node_at(Dt *dt, const char *name, hwaddr base, uint64_t size, unsigned spi,
                     unsigned flags)
{
    char *node = g_strdup_printf("/%s@%" G_GINT64_MODIFIER "x", name, base);

    dt_node(dt, node);
    DT_CELLS(dt, node, "interrupts", 0, spi, flags);
    DT_CELLS(dt, node, "reg", DT_HI(base), DT_LO(base), DT_HI(size), DT_LO(size));
    return node;
}

static void tree_serials(Dt *dt)
{
    for (unsigned i = 2; i-- > 0;) {
        g_autofree char *node =
            node_at(dt, "uart", 0xff000000 + i * 0x10000, 0x1000, SPI_SERIAL + i, 4);

        DT_CELLS(dt, node, "current-speed", 115200);
        DT_CELLS(dt, node, "clocks", PHANDLE_CLK125, PHANDLE_CLK125);
        DT_STRINGS(dt, node, "clock-names", "uartclk\0apb_pclk");
        DT_STRINGS(dt, node, "compatible", "arm,pl011\0arm,sbsa-uart");
        dt_flag(dt, node, "u-boot,dm-pre-reloc");
    }
}

static void tree_networks(Dt *dt)
{
    for (unsigned i = 2; i-- > 0;) {
        g_autofree char *node =
            node_at(dt, "ethernet", 0xff0c0000 + i * 0x10000, 0x1000, SPI_GEM + 2 * i, 4);
        g_autofree char *link = g_strdup_printf("%s/fixed-link", node);
        uint32_t spi = SPI_GEM + 2 * i;

        DT_CELLS(dt, node, "interrupts", 0, spi, 4, 0, spi, 4);
        dt_string(dt, node, "phy-mode", "rgmii-id");
        DT_CELLS(dt, node, "phy-handle", PHANDLE_GEM0 - i);
        DT_CELLS(dt, node, "clocks", PHANDLE_CLK25, PHANDLE_CLK25, PHANDLE_CLK125, PHANDLE_CLK125);
        DT_STRINGS(dt, node, "clock-names", "pclk\0hclk\0tx_clk\0rx_clk");
        DT_STRINGS(dt, node, "compatible", "cdns,zynqmp-gem\0cdns,gem");
        DT_CELLS(dt, node, "#address-cells", 1);
        DT_CELLS(dt, node, "#size-cells", 0);
        dt_node(dt, link);
        DT_CELLS(dt, link, "phandle", PHANDLE_GEM0 - i);
        dt_flag(dt, link, "full-duplex");
        DT_CELLS(dt, link, "speed", 1000);
    }
}

static void tree_storage(Dt *dt)
{
    g_autofree char *rtc = node_at(dt, "rtc", 0xf12a0000, 0x10000, SPI_RTC, 4);

    DT_CELLS(dt, rtc, "interrupts", 0, SPI_RTC, 4, 0, SPI_RTC + 1, 4);
    DT_STRINGS(dt, rtc, "interrupt-names", "alarm\0sec");
    dt_string(dt, rtc, "compatible", "xlnx,zynqmp-rtc");
    for (unsigned i = 2; i-- > 0;) {
        g_autofree char *node =
            node_at(dt, "sdhci", 0xf1040000 + i * 0x10000, 0x10000, SPI_SD + 2 * i, 4);

        DT_CELLS(dt, node, "clocks", PHANDLE_CLK25, PHANDLE_CLK25);
        DT_STRINGS(dt, node, "clock-names", "clk_xin\0clk_ahb");
        dt_string(dt, node, "compatible", "arasan,sdhci-8.9a");
    }
}

static void tree_core(Board *b, Dt *dt)
{
    hwaddr low = MIN(b->vm->ram_size, 2 * GIB), high = b->vm->ram_size - low;
    uint32_t cells[] = {0, 0, DT_HI(low), DT_LO(low), 8, 0, DT_HI(high), DT_LO(high)};

    dt_node(dt, "/gic@f9000000");
    DT_CELLS(dt, "/gic@f9000000", "phandle", PHANDLE_GIC);
    DT_CELLS(dt, "/gic@f9000000", "interrupts", 1, 9, 4);
    dt_flag(dt, "/gic@f9000000", "interrupt-controller");
    DT_CELLS(dt, "/gic@f9000000", "reg", 0, GIC_DIST, 0, 0x10000, 0, GIC_REDIST, 0,
             4 * REDIST_SIZE);
    DT_CELLS(dt, "/gic@f9000000", "#interrupt-cells", 3);
    dt_string(dt, "/gic@f9000000", "compatible", "arm,gic-v3");
    dt_node(dt, "/timer");
    DT_CELLS(dt, "/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
    dt_string(dt, "/timer", "compatible", "arm,armv8-timer");
    dt_node(dt, "/cpus");
    DT_CELLS(dt, "/cpus", "#size-cells", 0);
    DT_CELLS(dt, "/cpus", "#address-cells", 1);
    for (unsigned i = b->vm->smp.cpus; i-- > 0;) {
        g_autofree char *node = g_strdup_printf("/cpus/cpu@%u", i);

        dt_node(dt, node);
        DT_CELLS(dt, node, "reg", i);
        if (b->boot.psci_conduit != PSCI_DISABLED) {
            dt_string(dt, node, "enable-method", "psci");
        }
        dt_string(dt, node, "device_type", "cpu");
        dt_string(dt, node, "compatible", "arm,cortex-a72");
    }
    node_clock(dt, "/clk125", 125000000, PHANDLE_CLK125);
    node_clock(dt, "/clk25", 25000000, PHANDLE_CLK25);
    dt_node(dt, "/memory@0");
    dt_string(dt, "/memory@0", "device_type", "memory");
    dt_cell_array(dt, "/memory@0", "reg", cells, high ? 8 : 4);
}

static Dt *versal_tree(Board *b)
{
    Dt *dt = dt_new(0x9000);

    DT_CELLS(dt, "/", "interrupt-parent", PHANDLE_GIC);
    DT_CELLS(dt, "/", "#size-cells", 2);
    DT_CELLS(dt, "/", "#address-cells", 2);
    dt_string(dt, "/", "model", "Xilinx Versal Virtual development board");
    dt_string(dt, "/", "compatible", "xlnx-versal-virt");
    dt_node(dt, "/chosen");
    dt_string(dt, "/chosen", "stdout-path", "/uart@ff000000");
    for (unsigned i = 0; i < TRANSPORTS; i++) {
        g_autofree char *node =
            node_at(dt, "virtio_mmio", VIRTIO_BASE + i * 0x200, 0x200, SPI_VIRTIO + i, 1);

        dt_flag(dt, node, "dma-coherent");
        dt_string(dt, node, "compatible", "virtio,mmio");
    }
    tree_networks(dt);
    tree_serials(dt);
    tree_storage(dt);
    tree_core(b, dt);
    return dt;
}

/* ---- the board ---- */

static bool versal_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    /* Without a kernel software starts in EL3 and brings the second CPU up by itself. */
    unsigned conduit = vm->kernel ? PSCI_SMC : PSCI_DISABLED;

    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    return board_cpus(b, "reset-cbar=0xf9000000", conduit, error) && versal_memory(b, error) &&
           versal_gic(b, error) &&
           board_add(b, versal_slots, ARRAY_COUNT(versal_slots), error) &&
           versal_transports(b, error);
}

static bool versal_done(Vm *vm, GError **error)
{
    Board *b = vm_published(vm, "board");
    const VersalMachine *m = (VersalMachine *)vm->machine;

    b->boot.dt = versal_tree(b);
    if (m->dumpdtb) {
        size_t len = dt_pack(b->boot.dt);

        if (!g_file_set_contents(m->dumpdtb, b->boot.dt->blob, len, error)) {
            return false;
        }
        fprintf(stderr, "%s: info: dtb dumped to %s. Exiting.\n", g_get_prgname(), m->dumpdtb);
        request_shutdown_with_code(SHUTDOWN_HOST_QMP_QUIT, 0);
        return true;
    }
    return board_done(vm, error);
}

static const Prop versal_props[] = {
    PROP_STRING(VersalMachine, dumpdtb, "dumpdtb", .help = "Dump current dtb to a file and quit"),
    PROP_END,
};

static const MachineType versal = {
    .name = "xlnx-versal-virt-machine", .machine_name = "xlnx-versal-virt", .desc = "Xilinx Versal Virtual development board",
    .arches = "aarch64", .size = sizeof(VersalMachine), .props = versal_props, .max_cpus = 2, .default_cpus = 2, .default_cpu = "cortex-a72",
    .default_nic = "cadence_gem", .default_block_if = "sd", .no_floppy = true, .no_cdrom = true, .no_parallel = true, .init = versal_init,
    .done = versal_done,
};
MACHINE_TYPE(versal);
