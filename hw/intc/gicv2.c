// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ARM Generic Interrupt Controller version 2 (ARM IHI 0048B): the distributor, and the device
 * with its tables. Interrupts 0 to 31 are banked by CPU. Left out: power management
 * registers, the 1-of-N model (a shared interrupt goes to all of its targets; the first to
 * acknowledge takes it).
 */
#include "gicv2.h"
#include "qom/vm.h"

enum {
    D_CTLR = 0x000,
    D_TYPER = 0x004,
    D_IIDR = 0x008,
    D_GROUP = 0x080,
    D_ISENABLE = 0x100,
    D_ICENABLE = 0x180,
    D_ISPEND = 0x200,
    D_ICPEND = 0x280,
    D_ISACTIVE = 0x300,
    D_ICACTIVE = 0x380,
    D_PRIORITY = 0x400,
    D_TARGETS = 0x800,
    D_CONFIG = 0xc00,
    D_NSAC = 0xe00,
    D_SGIR = 0xf00,
    D_CPENDSGI = 0xf10,
    D_SPENDSGI = 0xf20,
    D_ID = 0xfd0
};

void gic_update(Gic *s)
{
    for (unsigned c = 0; c < s->num_cpu; c++) {
        gic_update_cpu(s, c);
    }
}

/* ---- words of bits ---- */

/* Bits of a word that exist, and that the access may see. */
static uint32_t dist_visible(Gic *s, unsigned cpu, unsigned word, bool ns)
{
    uint32_t mask = word * 32 >= s->num_irq ? 0 : 0xffffffff;

    return ns ? mask & *gic_word(&s->group, cpu, word) : mask;
}

static uint32_t dist_pending(Gic *s, unsigned cpu, unsigned word)
{
    return *gic_word(&s->latched, cpu, word) |
           (*gic_word(&s->level, cpu, word) & ~*gic_word(&s->edge, cpu, word));
}

static uint32_t dist_read_word(Gic *s, unsigned cpu, bool ns, hwaddr offset)
{
    unsigned word = offset / 4 & 31;
    uint32_t v = dist_visible(s, cpu, word, ns);

    switch (offset & ~0x7fu) {
    case D_GROUP:
        return ns ? 0 : *gic_word(&s->group, cpu, word) & v;
    case D_ISENABLE:
    case D_ICENABLE:
        return *gic_word(&s->enabled, cpu, word) & v;
    case D_ISPEND:
    case D_ICPEND:
        return dist_pending(s, cpu, word) & v;
    default:
        return *gic_word(&s->active, cpu, word) & v;
    }
}

static void dist_write_word(Gic *s, unsigned cpu, bool ns, hwaddr offset, uint32_t value)
{
    unsigned word = offset / 4 & 31;
    uint32_t v = value & dist_visible(s, cpu, word, ns);
    uint32_t sgis = word == 0 ? 0xffff : 0;

    switch (offset & ~0x7fu) {
    case D_GROUP:
        if (!ns) {
            *gic_word(&s->group, cpu, word) = v;
        }
        break;
    case D_ISENABLE:
        *gic_word(&s->enabled, cpu, word) |= v | sgis;
        break;
    case D_ICENABLE:
        *gic_word(&s->enabled, cpu, word) &= ~v | sgis;
        break;
    case D_ISPEND:
        *gic_word(&s->latched, cpu, word) |= v & ~sgis;
        break;
    case D_ICPEND:
        *gic_word(&s->latched, cpu, word) &= ~v | sgis;
        break;
    case D_ISACTIVE:
        *gic_word(&s->active, cpu, word) |= v;
        break;
    case D_ICACTIVE:
        *gic_word(&s->active, cpu, word) &= ~v;
        break;
    }
}

/* ---- bytes: priorities and targets ---- */

static uint8_t dist_read_byte(Gic *s, unsigned cpu, bool ns, hwaddr offset)
{
    unsigned irq = offset & 0x3ff;

    if (irq >= s->num_irq || (ns && !gic_bit(&s->group, cpu, irq))) {
        return 0;
    }
    if (offset < D_TARGETS) {
        uint8_t p = *gic_prio(s, cpu, irq);

        return ns ? p << 1 : p;
    }
    if (s->num_cpu == 1) {
        return 0;
    }
    return irq < GIC_INTERNAL ? 1u << cpu : s->target[irq];
}

static void dist_write_byte(Gic *s, unsigned cpu, bool ns, hwaddr offset, uint8_t value)
{
    unsigned irq = offset & 0x3ff;

    if (irq >= s->num_irq || (ns && !gic_bit(&s->group, cpu, irq))) {
        return;
    }
    if (offset < D_TARGETS) {
        *gic_prio(s, cpu, irq) = ns ? 0x80 | value >> 1 : value;
    } else if (irq >= GIC_INTERNAL && s->num_cpu > 1) {
        s->target[irq] = value & ((1u << s->num_cpu) - 1);
    }
}

/* ---- the rest ---- */

static uint32_t dist_read_config(Gic *s, unsigned cpu, bool ns, hwaddr offset)
{
    unsigned first = (offset - D_CONFIG) * 4;
    uint32_t v = 0;

    for (unsigned i = 0; i < 16 && first + i < s->num_irq; i++) {
        if (!ns || gic_bit(&s->group, cpu, first + i)) {
            v |= gic_bit(&s->edge, cpu, first + i) ? 2u << 2 * i : 0;
        }
    }
    return v;
}

static void dist_write_config(Gic *s, unsigned cpu, bool ns, hwaddr offset, uint32_t value)
{
    unsigned first = (offset - D_CONFIG) * 4;

    for (unsigned i = 0; i < 16 && first + i < s->num_irq; i++) {
        if (first + i >= 16 && (!ns || gic_bit(&s->group, cpu, first + i))) {
            gic_set_bit(&s->edge, cpu, first + i, value >> 2 * i & 2);
        }
    }
}

static void sgi_set(Gic *s, unsigned target, unsigned irq, uint8_t sources)
{
    s->sgi_source[target][irq] = sources;
    gic_set_bit(&s->latched, target, irq, sources != 0);
}

/* 4.3.15 */
static void dist_write_sgir(Gic *s, unsigned cpu, bool ns, uint32_t value)
{
    unsigned irq = value & 15, filter = value >> 24 & 3;
    uint8_t all = (1u << s->num_cpu) - 1;
    uint8_t targets = filter == 0   ? value >> 16 & all
                      : filter == 1 ? all & ~(1u << cpu)
                                    : 1u << cpu;

    for (unsigned c = 0; c < s->num_cpu && filter < 3; c++) {
        bool grp1 = gic_bit(&s->group, c, irq);
        bool allowed = !s->security || (ns ? grp1 : grp1 == (value >> 15 & 1));

        if ((targets >> c & 1) && allowed) {
            sgi_set(s, c, irq, s->sgi_source[c][irq] | 1u << cpu);
        }
    }
}

static uint32_t dist_read_id(Gic *s, hwaddr offset)
{
    static const uint8_t v1[12] = {0, 0, 0, 0, 0x90, 0x13, 0x04, 0, 0x0d, 0xf0, 0x05, 0xb1};
    static const uint8_t v2[12] = {4, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};

    return (s->revision == 1 ? v1 : v2)[(offset - D_ID) / 4];
}

static uint32_t dist_read32(Gic *s, unsigned cpu, bool ns, hwaddr offset)
{
    uint32_t v = 0;

    if (offset >= D_GROUP && offset < D_PRIORITY) {
        return dist_read_word(s, cpu, ns, offset);
    }
    if (offset >= D_CONFIG && offset < D_CONFIG + 0x100) {
        return dist_read_config(s, cpu, ns, offset);
    }
    if (offset >= D_CPENDSGI && offset < D_SPENDSGI + 0x10) {
        for (unsigned i = 0; i < 4; i++) {
            v |= (uint32_t)s->sgi_source[cpu][(offset & 0xc) + i] << 8 * i;
        }
        return v;
    }
    if (offset >= D_ID) {
        return dist_read_id(s, offset);
    }
    switch (offset) {
    case D_CTLR:
        return ns ? s->ctlr >> 1 & 1 : s->ctlr;
    case D_TYPER:
        return (s->num_irq / 32 - 1) | (s->num_cpu - 1) << 5 | (s->security ? 1u << 10 : 0);
    case D_IIDR:
        return s->revision == 1 ? 0 : 0x43b;
    default:
        return 0;
    }
}

static void dist_write32(Gic *s, unsigned cpu, bool ns, hwaddr offset, uint32_t value)
{
    if (offset >= D_GROUP && offset < D_PRIORITY) {
        dist_write_word(s, cpu, ns, offset, value);
    } else if (offset >= D_CONFIG && offset < D_CONFIG + 0x100) {
        dist_write_config(s, cpu, ns, offset, value);
    } else if (offset >= D_CPENDSGI && offset < D_SPENDSGI + 0x10) {
        for (unsigned i = 0; i < 4; i++) {
            unsigned irq = (offset & 0xc) + i;
            uint8_t bits = value >> 8 * i & ((1u << s->num_cpu) - 1), old = s->sgi_source[cpu][irq];

            if (!ns || gic_bit(&s->group, cpu, irq)) {
                sgi_set(s, cpu, irq, offset < D_SPENDSGI ? old & ~bits : old | bits);
            }
        }
    } else if (offset == D_CTLR) {
        s->ctlr = ns ? (s->ctlr & 1) | (value & 1) << 1 : value & 3;
    } else if (offset == D_SGIR) {
        dist_write_sgir(s, cpu, ns, value);
    }
}

static MemResult gic_dist_access(Region *r, hwaddr offset, uint64_t *value, unsigned size,
                                 bool write, MemAttrs attrs)
{
    Gic *s = (Gic *)r->owner;
    unsigned cpu = gic_access_cpu(s, attrs);
    bool ns = gic_access_ns(s, attrs);
    bool bytes = offset >= D_PRIORITY && offset < D_CONFIG;
    uint32_t v = 0;

    if (size > 4 || (offset & (size - 1))) {
        *value = write ? *value : 0;
        return MEM_OK;
    }
    if (bytes) {
        for (unsigned i = 0; i < size; i++) {
            if (write) {
                dist_write_byte(s, cpu, ns, offset + i, *value >> 8 * i);
            } else {
                v |= (uint32_t)dist_read_byte(s, cpu, ns, offset + i) << 8 * i;
            }
        }
    } else if (write) {
        dist_write32(s, cpu, ns, offset & ~3ull, (uint32_t)*value << 8 * (offset & 3));
    } else {
        v = dist_read32(s, cpu, ns, offset & ~3ull) >> 8 * (offset & 3);
    }
    if (write) {
        gic_update(s);
    } else {
        *value = v;
    }
    return MEM_OK;
}

/* ---- lines ---- */

static void gic_line(Gic *s, unsigned cpu, unsigned irq, int level)
{
    if (irq >= s->num_irq || cpu >= s->num_cpu || gic_bit(&s->level, cpu, irq) == (level != 0)) {
        return;
    }
    gic_set_bit(&s->level, cpu, irq, level);
    if (level && gic_bit(&s->edge, cpu, irq)) {
        gic_set_bit(&s->latched, cpu, irq, true);
    }
    gic_update(s);
}

static void gic_spi(Device *d, unsigned pin, int level)
{
    gic_line((Gic *)d, 0, GIC_INTERNAL + pin, level);
}

static void gic_ppi(Device *d, unsigned pin, int level)
{
    gic_line((Gic *)d, pin / GIC_INTERNAL, pin % GIC_INTERNAL, level);
}

/* ---- the device ---- */

static bool gic_realize(Device *d, GError **error)
{
    Gic *s = (Gic *)d;

    if (s->num_cpu == 0 || s->num_cpu > GIC_CPUS) {
        return fail(error, "arm_gic: property 'num-cpu' must be 1 to %d, not %u", GIC_CPUS,
                    s->num_cpu);
    }
    if (s->num_irq < 32 || s->num_irq > 1020 || (s->num_irq & 31)) {
        return fail(error,
                    "arm_gic: property 'num-irq' must be a multiple of 32 up to 1020, not %u",
                    s->num_irq);
    }
    if (s->revision != 1 && s->revision != 2) {
        return fail(error, "arm_gic: property 'revision' must be 1 or 2, not %u", s->revision);
    }
    device_region(d, "dist")->access = gic_dist_access;
    device_region(d, "cpu")->access = gic_cpu_access;
    device_region(d, "hyp")->access = gic_hyp_access;
    device_region(d, "vcpu")->access = gic_vcpu_access;
    return true;
}

static void gic_reset(Device *d)
{
    Gic *s = (Gic *)d;
    GicBits lines = s->level;

    memset(&s->enabled, 0, sizeof(s->enabled));
    memset(&s->latched, 0, sizeof(s->latched));
    memset(&s->active, 0, sizeof(s->active));
    memset(&s->edge, 0, sizeof(s->edge));
    memset(&s->group, 0, sizeof(s->group));
    memset(s->prio_banked, 0, sizeof(s->prio_banked));
    memset(s->prio, 0, sizeof(s->prio));
    memset(s->target, 0, sizeof(s->target));
    memset(s->sgi_source, 0, sizeof(s->sgi_source));
    memset(s->cpu, 0, sizeof(s->cpu));
    s->level = lines;
    s->ctlr = 0;
    for (unsigned c = 0; c < s->num_cpu; c++) {
        s->enabled.banked[c] = 0xffff;
        s->edge.banked[c] = 0xffff;
        s->cpu[c].abpr = 1;
        s->cpu[c].vbpr = 2;
        s->cpu[c].vabpr = 3;
    }
    if (s->num_cpu == 1) {
        memset(s->target, 1, sizeof(s->target));
    }
    gic_update(s);
}

/* Every access goes to the hooks that know the CPU. */
static uint64_t gic_no_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void gic_no_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const RegionOps gic_ops = {
    .read = gic_no_read, .write = gic_no_write, .min_size = 1, .max_size = 4};

static const RegBank gic_banks[] = {
    {.name = "dist", .size = 0x1000, .ops = &gic_ops, .help = "distributor"},
    {.name = "cpu", .size = 0x2000, .ops = &gic_ops, .help = "CPU interface of the accessing CPU"},
    {.name = "hyp", .size = 0x1000, .ops = &gic_ops, .help = "virtual interface control"},
    {.name = "vcpu", .size = 0x2000, .ops = &gic_ops, .help = "virtual CPU interface"},
    {0},
};

static const Prop gic_props[] = {
    PROP_U32(Gic, num_cpu, "num-cpu", 1),
    PROP_U32(Gic, num_irq, "num-irq", 32, .help = "interrupts, the 32 of each CPU included"),
    PROP_U32(Gic, revision, "revision", 1, .help = "architecture version"),
    PROP_BOOL(Gic, security, "has-security-extensions", false),
    PROP_BOOL(Gic, virtualization, "has-virtualization-extensions", false),
    PROP_END,
};

static const PinRow gic_pins[] = {
    PIN_OUT_ARRAY(Gic, irq, "irq"),
    PIN_OUT_ARRAY(Gic, fiq, "fiq"),
    PIN_OUT_ARRAY(Gic, virq, "virq"),
    PIN_OUT_ARRAY(Gic, vfiq, "vfiq"),
    PIN_OUT_ARRAY(Gic, maintenance, "maintenance"),
    PIN_IN("spi", GIC_IRQS - GIC_INTERNAL, gic_spi),
    PIN_IN("ppi", GIC_CPUS *GIC_INTERNAL, gic_ppi),
    PIN_END,
};

static const StateField gic_bits_state[] = {
    STATE_ARRAY(GicBits, banked),
    STATE_ARRAY(GicBits, shared),
    STATE_END,
};

static const StateField gic_cpu_state[] = {
    STATE(GicCpu, ctlr),      STATE(GicCpu, abpr),
    STATE(GicCpu, bpr),       STATE(GicCpu, pmr),
    STATE_ARRAY(GicCpu, apr), STATE_ARRAY(GicCpu, nsapr),
    STATE(GicCpu, hcr),       STATE(GicCpu, hapr),
    STATE_ARRAY(GicCpu, lr),  STATE(GicCpu, vctlr),
    STATE(GicCpu, vpmr),      STATE(GicCpu, vbpr),
    STATE(GicCpu, vabpr),     STATE_END,
};

static const StateField gic_state[] = {
    STATE(Gic, ctlr),
    STATE_STRUCT(Gic, enabled, gic_bits_state),
    STATE_STRUCT(Gic, latched, gic_bits_state),
    STATE_STRUCT(Gic, level, gic_bits_state),
    STATE_STRUCT(Gic, active, gic_bits_state),
    STATE_STRUCT(Gic, edge, gic_bits_state),
    STATE_STRUCT(Gic, group, gic_bits_state),
    STATE_RAW(Gic, prio_banked),
    STATE_RAW(Gic, prio),
    STATE_RAW(Gic, target),
    STATE_RAW(Gic, sgi_source),
    STATE_STRUCTS(Gic, cpu, gic_cpu_state),
    STATE_END,
};

static const DeviceType gic_type = {
    .name = "arm_gic",
    .category = "misc",
    .desc = "ARM Generic Interrupt Controller, version 1 or 2",
    .internal = true,
    .size = sizeof(Gic),
    .state_version = 1,
    .props = gic_props,
    .banks = gic_banks,
    .pins = gic_pins,
    .state = gic_state,
    .realize = gic_realize,
    .reset = gic_reset,
};
DEVICE_TYPE(gic_type);
