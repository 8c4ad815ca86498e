// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device tree of the board virt: what guests that boot without ACPI know of the machine. Node
 * names, properties and numbers are what guests and firmware of such boards have been
 * reading for years. Properties are added last to first, as the library puts new ones in front.
 */
#include <sys/random.h>
#include "exec/arm-cpu.h"
#include "exec/numa.h"
#include "hw/arm/virt.h"

enum { DT_SPI = 0, DT_PPI = 1, DT_EDGE = 1, DT_LEVEL = 4 };

static char *node_at(const char *name, hwaddr base)
{
    return g_strdup_printf("/%s@%" G_GINT64_MODIFIER "x", name, base);
}

static void reg(VirtBoard *b, const char *node, hwaddr base, uint64_t size)
{
    DT_CELLS(b->dt, node, "reg", DT_HI(base), DT_LO(base), DT_HI(size), DT_LO(size));
}

static char *node_of(VirtBoard *b, const char *name, enum VirtPlace place)
{
    char *node = node_at(name, virt_map[place].base);

    dt_node(b->dt, node);
    return node;
}

/* Flags of a CPU's own interrupt: the GICv2 also says which CPUs have it. */
static uint32_t ppi_flags(const VirtBoard *b)
{
    uint32_t cpus = MIN(b->vm->smp.cpus, 8);

    return DT_LEVEL | (b->gic_version == 2 ? ((1u << cpus) - 1) << 8 : 0);
}

static void secure_only(Dt *dt, const char *node)
{
    dt_string(dt, node, "status", "disabled");
    dt_string(dt, node, "secure-status", "okay");
}

static void random_seeds(Dt *dt, const char *node)
{
    uint8_t seed[40];

    if (getrandom(seed, sizeof(seed), 0) != sizeof(seed)) {
        return;
    }
    dt_bytes(dt, node, "kaslr-seed", seed, 8);
    dt_bytes(dt, node, "rng-seed", seed + 8, 32);
}

static void build_root(VirtBoard *b)
{
    Dt *dt = b->dt;
    bool random = b->machine->dtb_randomness && b->machine->dtb_kaslr_seed;
    const char *compatible =
        b->machine->dt_compatible ? b->machine->dt_compatible : "linux,dummy-virt";

    dt_string(dt, "/", "compatible", compatible);
    DT_CELLS(dt, "/", "#address-cells", 2);
    DT_CELLS(dt, "/", "#size-cells", 2);
    dt_string(dt, "/", "model", "linux,dummy-virt");
    dt_node(dt, "/chosen");
    if (random) {
        random_seeds(dt, "/chosen");
    }
    if (b->machine->secure) {
        dt_node(dt, "/secure-chosen");
        if (random) {
            random_seeds(dt, "/secure-chosen");
        }
    }
    b->clock_phandle = dt_alloc_phandle(dt);
    dt_node(dt, "/apb-pclk");
    dt_string(dt, "/apb-pclk", "compatible", "fixed-clock");
    DT_CELLS(dt, "/apb-pclk", "#clock-cells", 0);
    DT_CELLS(dt, "/apb-pclk", "clock-frequency", 24000000);
    dt_string(dt, "/apb-pclk", "clock-output-names", "clk24mhz");
    DT_CELLS(dt, "/apb-pclk", "phandle", b->clock_phandle);
}

static void build_timer(VirtBoard *b)
{
    Dt *dt = b->dt;
    uint32_t f =
        b->compat.edge_timers ? (ppi_flags(b) & ~(uint32_t)DT_LEVEL) | DT_EDGE : ppi_flags(b);

    dt_node(dt, "/timer");
    if (arm_cpu_is_aarch64(g_ptr_array_index(b->vm->cpus, 0))) {
        DT_STRINGS(dt, "/timer", "compatible", "arm,armv8-timer\0arm,armv7-timer");
    } else {
        dt_string(dt, "/timer", "compatible", "arm,armv7-timer");
    }
    dt_flag(dt, "/timer", "always-on");
    DT_CELLS(dt, "/timer", "interrupts", DT_PPI, VIRT_PPI_SEC - 16, f, DT_PPI, VIRT_PPI_PHYS - 16,
             f, DT_PPI, VIRT_PPI_VIRT - 16, f, DT_PPI, VIRT_PPI_HYP - 16, f);
}

/* ---- CPUs ---- */

static char *cpu_compatible(Vm *vm)
{
    const char *model = vm->cpu_model ? vm->cpu_model : vm->machine_type->default_cpu;
    g_autofree char *name = g_strndup(model, strcspn(model, ","));
    static const char *const names[][2] = {
        { "cortex-a7", "arm,cortex-a7" }, { "cortex-a15", "arm,cortex-a15" },
        { "cortex-a35", "arm,cortex-a35" }, { "cortex-a53", "arm,cortex-a53" },
        { "cortex-a57", "arm,cortex-a57" }, { "cortex-a72", "arm,cortex-a72" },
        { "cortex-a76", "arm,cortex-a76" }, { "a64fx", "arm,a64fx" },
        { "neoverse-n1", "arm,neoverse-n1" }, { "max", "arm,cortex-a57" },
    };

    for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(name, names[i][0]) == 0) {
            return g_strdup(names[i][1]);
        }
    }
    return g_strdup_printf("arm,%s", name);
}

static void build_cpu_map(VirtBoard *b, const uint32_t *phandles)
{
    const SmpConfig *smp = &b->vm->smp;
    unsigned threads = MAX(smp->threads, 1), cores = MAX(smp->cores, 1),
             clusters = MAX(smp->clusters, 1);
    Dt *dt = b->dt;

    dt_node(dt, "/cpus/cpu-map");
    for (unsigned i = smp->cpus; i-- > 0;) {
        unsigned socket = i / (clusters * cores * threads),
                 cluster = i / (cores * threads) % clusters;
        unsigned core = i / threads % cores;
        g_autofree char *s = g_strdup_printf("/cpus/cpu-map/socket%u", socket);
        g_autofree char *l = g_strdup_printf("%s/cluster%u", s, cluster);
        g_autofree char *c = g_strdup_printf("%s/core%u", l, core);
        g_autofree char *t = g_strdup_printf("%s/thread%u", c, i % threads);

        dt_node_maybe(dt, s);
        dt_node_maybe(dt, l);
        dt_node_maybe(dt, c);
        if (threads > 1) {
            dt_node(dt, t);
        }
        DT_CELLS(dt, threads > 1 ? t : c, "cpu", phandles[i]);
    }
}

static void build_cpus(VirtBoard *b)
{
    unsigned n = b->vm->smp.cpus;
    g_autofree char *compatible = cpu_compatible(b->vm);
    g_autofree uint32_t *phandles = g_new0(uint32_t, n);
    Dt *dt = b->dt;
    uint32_t cells = 1;

    for (unsigned i = 0; i < n; i++) {
        cells = virt_affinity(b, i) >> 32 ? 2 : cells;
    }
    dt_node(dt, "/cpus");
    DT_CELLS(dt, "/cpus", "#address-cells", cells);
    DT_CELLS(dt, "/cpus", "#size-cells", 0);
    for (unsigned i = n; i-- > 0;) {
        uint64_t affinity = virt_affinity(b, i);
        g_autofree char *node = g_strdup_printf("/cpus/cpu@%u", i);

        dt_node(dt, node);
        dt_string(dt, node, "device_type", "cpu");
        dt_string(dt, node, "compatible", compatible);
        if (n > 1) {
            dt_string(dt, node, "enable-method", "psci");
        }
        if (cells == 2) {
            dt_u64(dt, node, "reg", affinity);
        } else {
            DT_CELLS(dt, node, "reg", (uint32_t)affinity);
        }
        if (numa_count(b->vm)) {
            DT_CELLS(dt, node, "numa-node-id", (uint32_t)numa_cpu_node(b->vm, i));
        }
        if (!b->compat.no_cpu_map) {
            phandles[i] = dt_alloc_phandle(dt);
            DT_CELLS(dt, node, "phandle", phandles[i]);
        }
    }
    if (!b->compat.no_cpu_map) {
        build_cpu_map(b, phandles);
    }
}

/* ---- interrupt controllers ---- */

static void build_msi(VirtBoard *b)
{
    Dt *dt = b->dt;
    bool its = b->msi == VIRT_MSI_ITS;
    VirtRange r = virt_map[its ? VIRT_GIC_ITS : VIRT_GIC_V2M];

    if (b->msi == VIRT_MSI_NONE) {
        return;
    }
    g_autofree char *intc = node_at("intc", virt_map[VIRT_GIC_DIST].base);
    g_autofree char *name = node_at(its ? "its" : "v2m", r.base);
    g_autofree char *node = g_strconcat(intc, name, NULL);

    b->msi_phandle = dt_alloc_phandle(dt);
    dt_node(dt, node);
    dt_string(dt, node, "compatible", its ? "arm,gic-v3-its" : "arm,gic-v2m-frame");
    dt_flag(dt, node, "msi-controller");
    if (its) {
        DT_CELLS(dt, node, "#msi-cells", 1);
    }
    reg(b, node, r.base, r.size);
    DT_CELLS(dt, node, "phandle", b->msi_phandle);
}

static void range_cells(uint32_t *cells, VirtRange r)
{
    cells[0] = DT_HI(r.base);
    cells[1] = DT_LO(r.base);
    cells[2] = DT_HI(r.size);
    cells[3] = DT_LO(r.size);
}

static void build_gic(VirtBoard *b)
{
    Dt *dt = b->dt;
    g_autofree char *node = node_at("intc", virt_map[VIRT_GIC_DIST].base);
    uint32_t regs[16];
    unsigned n = 8;
    bool two_regions = b->gic_version == 3 && b->high_redist.size;

    b->gic_phandle = dt_alloc_phandle(dt);
    DT_CELLS(dt, "/", "interrupt-parent", b->gic_phandle);
    dt_node(dt, node);
    DT_CELLS(dt, node, "#interrupt-cells", 3);
    dt_flag(dt, node, "interrupt-controller");
    DT_CELLS(dt, node, "#address-cells", 2);
    DT_CELLS(dt, node, "#size-cells", 2);
    dt_flag(dt, node, "ranges");
    range_cells(regs, virt_map[VIRT_GIC_DIST]);
    if (b->gic_version == 3) {
        dt_string(dt, node, "compatible", "arm,gic-v3");
        DT_CELLS(dt, node, "#redistributor-regions", two_regions ? 2 : 1);
        range_cells(regs + 4, virt_map[VIRT_GIC_REDIST]);
        if (two_regions) {
            range_cells(regs + 8, b->high_redist);
            n = 12;
        }
    } else {
        dt_string(dt, node, "compatible", "arm,cortex-a15-gic");
        range_cells(regs + 4, virt_map[VIRT_GIC_CPU]);
        if (b->machine->virtualization) {
            range_cells(regs + 8, virt_map[VIRT_GIC_HYP]);
            range_cells(regs + 12, virt_map[VIRT_GIC_VCPU]);
            /* Their space in the map is 64 KiB each. */
            regs[11] = regs[15] = 0x10000;
            n = 16;
        }
    }
    dt_cell_array(dt, node, "reg", regs, n);
    if (b->machine->virtualization) {
        DT_CELLS(dt, node, "interrupts", DT_PPI, VIRT_PPI_MAINTENANCE - 16, DT_LEVEL);
    }
    DT_CELLS(dt, node, "phandle", b->gic_phandle);
    build_msi(b);
}

static void build_pmu(VirtBoard *b)
{
    if (b->has_pmu && arm_cpu_is_aarch64(g_ptr_array_index(b->vm->cpus, 0))) {
        dt_node(b->dt, "/pmu");
        dt_string(b->dt, "/pmu", "compatible", "arm,armv8-pmuv3");
        DT_CELLS(b->dt, "/pmu", "interrupts", DT_PPI, VIRT_PPI_PMU - 16, ppi_flags(b));
    }
}

/* ---- devices ---- */

static void build_flash(VirtBoard *b)
{
    Dt *dt = b->dt;
    hwaddr base = virt_map[VIRT_FLASH].base;
    uint64_t half = virt_map[VIRT_FLASH].size / 2;

    if (!b->machine->secure) {
        g_autofree char *node = node_at("flash", base);

        dt_node(dt, node);
        dt_string(dt, node, "compatible", "cfi-flash");
        DT_CELLS(dt, node, "reg", 0, DT_LO(base), 0, DT_LO(half), 0, DT_LO(base + half), 0,
                 DT_LO(half));
        DT_CELLS(dt, node, "bank-width", 4);
        return;
    }
    g_autofree char *sec = node_at("secflash", base);
    g_autofree char *open = node_at("flash", base + half);

    dt_node(dt, sec);
    dt_string(dt, sec, "compatible", "cfi-flash");
    reg(b, sec, base, half);
    DT_CELLS(dt, sec, "bank-width", 4);
    secure_only(dt, sec);
    dt_node(dt, open);
    dt_string(dt, open, "compatible", "cfi-flash");
    reg(b, open, base + half, half);
    DT_CELLS(dt, open, "bank-width", 4);
}

static void build_uart(VirtBoard *b, enum VirtPlace place, unsigned irq, bool secure)
{
    Dt *dt = b->dt;
    g_autofree char *node = node_of(b, "pl011", place);

    DT_STRINGS(dt, node, "compatible", "arm,pl011\0arm,primecell");
    reg(b, node, virt_map[place].base, virt_map[place].size);
    DT_CELLS(dt, node, "interrupts", DT_SPI, irq, DT_LEVEL);
    DT_CELLS(dt, node, "clocks", b->clock_phandle, b->clock_phandle);
    DT_STRINGS(dt, node, "clock-names", "uartclk\0apb_pclk");
    if (!secure) {
        dt_string(dt, "/chosen", "stdout-path", node);
    } else {
        secure_only(dt, node);
        dt_string(dt, "/secure-chosen", "stdout-path", node);
    }
}

static void build_secure(VirtBoard *b)
{
    VirtRange r = virt_map[VIRT_SECURE_MEM];

    if (b->machine->secure) {
        g_autofree char *node = node_of(b, "secram", VIRT_SECURE_MEM);

        dt_string(b->dt, node, "device_type", "memory");
        reg(b, node, r.base, r.size);
        secure_only(b->dt, node);
        build_uart(b, VIRT_SECURE_UART, VIRT_IRQ_SECURE_UART, true);
    }
}

static void build_rtc(VirtBoard *b)
{
    Dt *dt = b->dt;
    g_autofree char *node = node_of(b, "pl031", VIRT_RTC);

    DT_STRINGS(dt, node, "compatible", "arm,pl031\0arm,primecell");
    reg(b, node, virt_map[VIRT_RTC].base, virt_map[VIRT_RTC].size);
    DT_CELLS(dt, node, "interrupts", DT_SPI, VIRT_IRQ_RTC, DT_LEVEL);
    DT_CELLS(dt, node, "clocks", b->clock_phandle);
    dt_string(dt, node, "clock-names", "apb_pclk");
}

static uint32_t build_pl061(VirtBoard *b, enum VirtPlace place, unsigned irq)
{
    Dt *dt = b->dt;
    g_autofree char *node = node_of(b, "pl061", place);
    uint32_t phandle = dt_alloc_phandle(dt);

    reg(b, node, virt_map[place].base, virt_map[place].size);
    DT_STRINGS(dt, node, "compatible", "arm,pl061\0arm,primecell");
    DT_CELLS(dt, node, "#gpio-cells", 2);
    dt_flag(dt, node, "gpio-controller");
    DT_CELLS(dt, node, "interrupts", DT_SPI, irq, DT_LEVEL);
    DT_CELLS(dt, node, "clocks", b->clock_phandle);
    dt_string(dt, node, "clock-names", "apb_pclk");
    DT_CELLS(dt, node, "phandle", phandle);
    if (place == VIRT_SECURE_GPIO) {
        secure_only(dt, node);
    }
    return phandle;
}

static void build_gpio(VirtBoard *b)
{
    Dt *dt = b->dt;
    uint32_t gpio = build_pl061(b, VIRT_GPIO, VIRT_IRQ_GPIO);

    dt_node(dt, "/gpio-keys");
    dt_string(dt, "/gpio-keys", "compatible", "gpio-keys");
    dt_node(dt, "/gpio-keys/poweroff");
    dt_string(dt, "/gpio-keys/poweroff", "label", "GPIO Key Poweroff");
    DT_CELLS(dt, "/gpio-keys/poweroff", "linux,code", 116);
    DT_CELLS(dt, "/gpio-keys/poweroff", "gpios", gpio, 3, 0);
    if (!b->machine->secure || b->compat.no_secure_gpio) {
        return;
    }
    static const char *const names[][2] = {{"/gpio-poweroff", "gpio-poweroff"},
                                           {"/gpio-restart", "gpio-restart"}};

    gpio = build_pl061(b, VIRT_SECURE_GPIO, 0);
    for (unsigned i = 0; i < 2; i++) {
        dt_node(dt, names[i][0]);
        dt_string(dt, names[i][0], "compatible", names[i][1]);
        DT_CELLS(dt, names[i][0], "gpios", gpio, i, 0);
        secure_only(dt, names[i][0]);
    }
}

static void build_smmu(VirtBoard *b, const char *pcie)
{
    Dt *dt = b->dt;
    uint32_t irq = VIRT_IRQ_SMMU;
    g_autofree char *node = node_of(b, "smmuv3", VIRT_SMMU);

    b->smmu_phandle = dt_alloc_phandle(dt);
    dt_string(dt, node, "compatible", "arm,smmu-v3");
    reg(b, node, virt_map[VIRT_SMMU].base, virt_map[VIRT_SMMU].size);
    DT_CELLS(dt, node, "interrupts", DT_SPI, irq, DT_EDGE, DT_SPI, irq + 1, DT_EDGE, DT_SPI,
             irq + 2, DT_EDGE, DT_SPI, irq + 3, DT_EDGE);
    DT_STRINGS(dt, node, "interrupt-names", "eventq\0priq\0cmdq-sync\0gerror");
    dt_flag(dt, node, "dma-coherent");
    DT_CELLS(dt, node, "#iommu-cells", 1);
    DT_CELLS(dt, node, "phandle", b->smmu_phandle);
    DT_CELLS(dt, pcie, "iommu-map", 0, b->smmu_phandle, 0, 0x10000);
}

/* Slots 0 to 3 repeat for all others. */
static void build_pcie_irqs(VirtBoard *b, const char *node)
{
    uint32_t map[16 * 10], *m = map;

    for (unsigned slot = 0; slot < 4; slot++) {
        for (unsigned pin = 0; pin < 4; pin++, m += 10) {
            const uint32_t row[10] = { slot << 11, 0, 0, pin + 1, b->gic_phandle, 0, 0, DT_SPI,
                                       VIRT_IRQ_PCIE + (slot + pin) % 4, DT_LEVEL };

            memcpy(m, row, sizeof(row));
        }
    }
    dt_cell_array(b->dt, node, "interrupt-map", map, ARRAY_COUNT(map));
    DT_CELLS(b->dt, node, "interrupt-map-mask", 0x1800, 0, 0, 7);
}

static void build_pcie(VirtBoard *b)
{
    Dt *dt = b->dt;
    VirtRange pio = virt_map[VIRT_PCIE_PIO], mem = virt_map[VIRT_PCIE_MMIO], high = b->mmio64;
    g_autofree char *node = node_at("pcie", mem.base);
    const uint32_t ranges[] = {
        0x01000000,
        0,
        0,
        DT_HI(pio.base),
        DT_LO(pio.base),
        0,
        DT_LO(pio.size),
        0x02000000,
        DT_HI(mem.base),
        DT_LO(mem.base),
        DT_HI(mem.base),
        DT_LO(mem.base),
        0,
        DT_LO(mem.size),
        0x03000000,
        DT_HI(high.base),
        DT_LO(high.base),
        DT_HI(high.base),
        DT_LO(high.base),
        DT_HI(high.size),
        DT_LO(high.size),
    };

    dt_node(dt, node);
    dt_string(dt, node, "compatible", "pci-host-ecam-generic");
    dt_string(dt, node, "device_type", "pci");
    DT_CELLS(dt, node, "#address-cells", 3);
    DT_CELLS(dt, node, "#size-cells", 2);
    DT_CELLS(dt, node, "linux,pci-domain", 0);
    DT_CELLS(dt, node, "bus-range", 0, (b->ecam.size >> 20) - 1);
    dt_flag(dt, node, "dma-coherent");
    if (b->msi != VIRT_MSI_NONE) {
        DT_CELLS(dt, node, "msi-map", 0, b->msi_phandle, 0, 0x10000);
    }
    reg(b, node, b->ecam.base, b->ecam.size);
    dt_cell_array(dt, node, "ranges", ranges, high.size ? 21 : 14);
    DT_CELLS(dt, node, "#interrupt-cells", 1);
    build_pcie_irqs(b, node);
    if (b->smmu) {
        build_smmu(b, node);
    }
}

static void build_transports(VirtBoard *b)
{
    VirtRange r = virt_map[VIRT_MMIO];

    for (unsigned i = VIRT_TRANSPORTS; i-- > 0;) {
        g_autofree char *node = node_at("virtio_mmio", r.base + i * r.size);

        dt_node(b->dt, node);
        dt_string(b->dt, node, "compatible", "virtio,mmio");
        reg(b, node, r.base + i * r.size, r.size);
        DT_CELLS(b->dt, node, "interrupts", DT_SPI, VIRT_IRQ_MMIO + i, DT_EDGE);
        dt_flag(b->dt, node, "dma-coherent");
    }
}

static void build_fw_cfg(VirtBoard *b)
{
    g_autofree char *node = node_of(b, "fw-cfg", VIRT_FW_CFG);

    dt_string(b->dt, node, "compatible", "qemu,fw-cfg-mmio");
    reg(b, node, virt_map[VIRT_FW_CFG].base, virt_map[VIRT_FW_CFG].size);
    dt_flag(b->dt, node, "dma-coherent");
}

static void build_platform_bus(VirtBoard *b)
{
    VirtRange r = virt_map[VIRT_PLATFORM_BUS];
    g_autofree char *node = node_of(b, "platform-bus", VIRT_PLATFORM_BUS);

    DT_STRINGS(b->dt, node, "compatible", "qemu,platform\0simple-bus");
    DT_CELLS(b->dt, node, "#size-cells", 1);
    DT_CELLS(b->dt, node, "#address-cells", 1);
    DT_CELLS(b->dt, node, "ranges", 0, DT_HI(r.base), DT_LO(r.base), DT_LO(r.size));
    DT_CELLS(b->dt, node, "interrupt-parent", b->gic_phandle);
}

static void build_node_memory(VirtBoard *b, unsigned id, uint64_t base, uint64_t size)
{
    g_autofree char *node = node_at("memory", base);

    dt_node(b->dt, node);
    dt_string(b->dt, node, "device_type", "memory");
    reg(b, node, base, size);
    DT_CELLS(b->dt, node, "numa-node-id", id);
}

/* Rows of from, to, distance. */
static void build_distances(VirtBoard *b)
{
    const NumaState *n = b->vm->numa;
    g_autofree uint32_t *map = g_new(uint32_t, 3 * n->count * n->count);
    uint32_t *m = map;

    for (unsigned i = 0; i < n->count; i++) {
        for (unsigned k = 0; k < n->count; k++) {
            *m++ = i;
            *m++ = k;
            *m++ = n->node[i].distance[k];
        }
    }
    dt_node(b->dt, "/distance-map");
    dt_string(b->dt, "/distance-map", "compatible", "numa-distance-map-v1");
    dt_cell_array(b->dt, "/distance-map", "distance-matrix", map, 3 * n->count * n->count);
}

static void build_memory(VirtBoard *b)
{
    if (numa_count(b->vm)) {
        uint64_t end = virt_map[VIRT_MEM].base + b->vm->ram_size;

        if (b->vm->numa->has_distances) {
            build_distances(b);
        }
        for (unsigned i = numa_count(b->vm); i-- > 0;) {
            uint64_t size = b->vm->numa->node[i].size;

            end -= size;
            if (size > 0) {
                build_node_memory(b, i, end, size);
            }
        }
        return;
    }
    g_autofree char *node = node_of(b, "memory", VIRT_MEM);

    dt_string(b->dt, node, "device_type", "memory");
    reg(b, node, virt_map[VIRT_MEM].base, b->vm->ram_size);
}

void virt_build_tree(VirtBoard *b)
{
    b->dt = dt_new(0x8000);
    build_root(b);
    build_timer(b);
    build_cpus(b);
    build_flash(b);
    build_gic(b);
    build_pmu(b);
    build_uart(b, VIRT_UART, VIRT_IRQ_UART, false);
    build_secure(b);
    build_rtc(b);
    build_pcie(b);
    build_gpio(b);
    build_transports(b);
    build_fw_cfg(b);
    build_platform_bus(b);
    build_memory(b);
    arm_boot_psci_node(b->dt, b->vm, b->psci_conduit);
}
