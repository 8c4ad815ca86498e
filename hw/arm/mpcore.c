// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Private peripherals of MPCore processors: interrupt controller, snoop control unit, and for each
 * CPU timers behind a window that leads every CPU to its own. Cortex-A9 (ARM DDI 0407I), Cortex-A15
 * and A7 (ARM DDI 0438I), ARM11 (ARM DDI 0360F).
 */
#include "hw/arm/board.h"

#include "exec/bank.h"

#define MAX_CPUS 8

/* One range of addresses, a region of its own for each CPU. */
typedef struct CpuWindow {
    Region region;
    Region *of[MAX_CPUS];
    unsigned n;
} CpuWindow;

static MemResult window_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                               MemAttrs attrs)
{
    CpuWindow *w = r->opaque;
    Region *to = w->of[attrs.is_cpu && attrs.cpu_index < w->n ? attrs.cpu_index : 0];

    return write ? region_write(to, offset, *value, size, DEV_LITTLE, attrs)
                 : region_read(to, offset, value, size, DEV_LITTLE, attrs);
}

static uint64_t window_no_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void window_no_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const RegionOps window_ops = {
    .read = window_no_read, .write = window_no_write, .min_size = 1, .max_size = 4};

/*
 * One device of `type` for each CPU behind the same addresses; its outputs are the CPU's private
 * interrupts ppi, ppi + 1.
 */
static bool private_devices(Board *b, const char *type, hwaddr base, uint64_t size,
                            const unsigned *ppi, unsigned pins, unsigned hz, GError **error)
{
    g_autofree char *freq = g_strdup_printf("%u", hz ? hz : 100000000);
    CpuWindow *w = g_new0(CpuWindow, 1);        /* lives as long as the machine */
    g_autofree char *first = NULL;

    w->n = b->vm->smp.cpus;
    for (unsigned i = 0; i < w->n; i++) {
        Device *d =
            device_create(b->vm, type, NULL, NULL, error, "freq", freq, first ? "first" : NULL, first, NULL);

        if (!d) {
            return false;
        }
        if (!first && type_find_prop(d->obj.type, "first")) {
            first = object_path(&d->obj);
        }
        w->of[i] = device_region(d, "mmio");
        for (unsigned p = 0; p < pins; p++) {
            wire(d, "irq", p, b->intc, "ppi", i * 32 + ppi[p]);
        }
    }
    region_init_io(&w->region, NULL, type, size, &window_ops, w);
    w->region.access = window_access;
    region_add(b->vm->memory, base, &w->region, 0);
    return true;
}

void mpcore_wire_cpus(Board *b, Device *gic)
{
    static const char *const inputs[] = {"irq", "fiq", "virq", "vfiq"};
    static const struct { const char *pin; unsigned ppi; } outputs[] = {
        {"gt-phys", 30}, {"gt-virt", 27}, {"gt-hyp", 26}, {"gt-sec", 29},
    };

    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        Cpu *c = g_ptr_array_index(b->vm->cpus, i);

        for (unsigned p = 0; p < ARRAY_COUNT(inputs); p++) {
            if (device_has_pin_in(&c->dev, inputs[p], 0)) {
                wire(gic, inputs[p], i, &c->dev, inputs[p], 0);
            }
        }
        for (unsigned p = 0; p < ARRAY_COUNT(outputs); p++) {
            if (device_pin_out(&c->dev, outputs[p].pin, 0)) {
                wire(&c->dev, outputs[p].pin, 0, gic, "ppi", i * 32 + outputs[p].ppi);
            }
        }
    }
}

static void wire_irq_only(Board *b, Device *gic)
{
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        Cpu *c = g_ptr_array_index(b->vm->cpus, i);

        wire(gic, "irq", i, &c->dev, "irq", 0);
        wire(gic, "fiq", i, &c->dev, "fiq", 0);
    }
}

bool mpcore_create(Board *b, const MpcoreConfig *c, GError **error)
{
    static const unsigned timers[] = {29, 30}, global[] = {27};
    bool a15 = c->kind == MPCORE_A15;
    g_autofree char *props = g_strdup_printf("revision=%u,num-cpu=%u,num-irq=%u,has-security-"
                                             "extensions=%s,has-virtualization-extensions=%s",
                                             a15 ? 2 : 1, b->vm->smp.cpus, c->irqs,
                                             c->security ? "on" : "off", a15 ? "on" : "off");
    g_autofree char *scu_props = g_strdup_printf("num-cpu=%u", MIN(b->vm->smp.cpus, 4));
    Region *window;
    Device *scu;

    b->intc = board_make(b, "arm_gic", props, error);
    if (!b->intc) {
        return false;
    }
    if (a15) {
        device_map(b->intc, "dist", c->base + 0x1000);
        device_map(b->intc, "cpu", c->base + 0x2000);
        device_map(b->intc, "hyp", c->base + 0x4000);
        device_map(b->intc, "vcpu", c->base + 0x6000);
        mpcore_wire_cpus(b, b->intc);
        for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
            wire(b->intc, "maintenance", i, b->intc, "ppi", i * 32 + 25);
        }
        return true;
    }
    wire_irq_only(b, b->intc);
    device_map(b->intc, "dist", c->base + 0x1000);
    window = g_new0(Region, 1);     /* lives as long as the machine */
    board_alias(b, window, "gic_cpu", device_region(b->intc, "cpu"), 0, 0x100, c->base + 0x100);
    scu = board_make(b, c->kind == MPCORE_A9 ? "a9-scu" : "arm11-scu", scu_props, error);
    if (!scu) {
        return false;
    }
    device_map(scu, "mmio", c->base);
    return private_devices(b, "arm_mptimer", c->base + 0x600, 0x100, timers, 2, c->timer_hz,
                           error) &&
           (c->kind != MPCORE_A9 ||
            private_devices(b, "arm.cortex-a9-global-timer", c->base + 0x200, 0x100, global, 1,
                            c->timer_hz, error));
}
