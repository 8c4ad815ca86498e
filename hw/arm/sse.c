// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IoTKit (ARM ECM 0601256) and SSE-200 (ARM 101104): CPUs with the Security Extension, their gates,
 * internal SRAM and the peripherals of the subsystem. A gate is an IOMMU region that each access
 * goes through; what a CPU has for itself lies over system memory behind it. Left out: interrupts
 * of the protection controllers but those of memories, power control (its units read as 0), caches.
 */
#include "hw/arm/sse.h"

#include "exec/bank.h"
#include "hw/misc/soc-regs.h"

#define CPUS 2
#define SRAMS 4
#define MPCS (SSE_BOARD_MPCS + SRAMS)
#define LINES 160
/* Of the CPU's own lines only these come from somewhere. */
#define LINE_MHU0 6

/* ---- blocks with fixed contents ---- */

#define FIXED(at, value)                           \
    {                                              \
        .offset = at, .reset = value, .fixed = ~0u \
    }
/* Peripheral and component identification; part: the low byte of the part's number. */
#define IDENTIFICATION(part)                                                     \
    FIXED(0xfd0, 4), FIXED(0xfe0, part), FIXED(0xfe4, 0xb8), FIXED(0xfe8, 0x0b), \
        FIXED(0xff0, 0x0d), FIXED(0xff4, 0xf0), FIXED(0xff8, 0x05), FIXED(0xffc, 0xb1)

static const SocReg sysinfo_rows[] = {
    FIXED(0x000, 0x41743),
    FIXED(0x004, 0x31),
    IDENTIFICATION(0x58),
};
SOC_BLOCK(iotkit_sysinfo, "iotkit-sysinfo", "IoTKit system information", 0x1000, soc_rows_4k,
          SOC_ROWS(sysinfo_rows));
static const SocReg sysinfo2_rows[] = {
    FIXED(0x000, 0x22041743),
    FIXED(0x004, 0x223004f4),
    IDENTIFICATION(0x58),
};
SOC_BLOCK(sse200_sysinfo, "sse-200-sysinfo", "SSE-200 system information", 0x1000, soc_rows_4k,
          SOC_ROWS(sysinfo2_rows));
static const SocReg cpuid0_rows[] = {FIXED(0, 0), IDENTIFICATION(0x58)};
SOC_BLOCK(cpuid0, "armsse-cpuid0", "SSE-200 CPU number 0", 0x1000, soc_rows_4k,
          SOC_ROWS(cpuid0_rows));
static const SocReg cpuid1_rows[] = {FIXED(0, 1), IDENTIFICATION(0x58)};
SOC_BLOCK(cpuid1, "armsse-cpuid1", "SSE-200 CPU number 1", 0x1000, soc_rows_4k,
          SOC_ROWS(cpuid1_rows));

/* ---- lines to all CPUs, which are made before them ---- */

typedef struct Fanout {
    Device dev;
    Irq out[CPUS * LINES];
} Fanout;

static void fanout_set(Device *d, unsigned n, int level)
{
    for (unsigned i = 0; i < CPUS; i++) {
        irq_set(&((Fanout *)d)->out[i * LINES + n], level);
    }
}

static const PinRow fanout_pins[] = {PIN_IN("irq", LINES, fanout_set),
                                     PIN_OUT_ARRAY(Fanout, out, "out"), PIN_END};
static const DeviceType fanout_type = {
    .name = "sse-lines",
    .category = "misc",
    .desc = "Interrupt lines that all CPUs of a subsystem get",
    .internal = true,
    .size = sizeof(Fanout),
    .state_version = 1,
    .pins = fanout_pins,
};
DEVICE_TYPE(fanout_type);

/* ---- the gate ---- */

typedef struct Sse Sse;

typedef struct SseView { /* a CPU's */
    Sse *sse;
    Region gate, inside, memory;
    AddressSpace inside_as;
    Device *intc;
} SseView;

struct Sse {
    Board *b;
    SseConfig c;
    Region zeros, nothing, again[SSE_BOARD_MPCS], secure[2 * SSE_BOARD_MPCS], sram[SRAMS],
        sram_secure[SRAMS];
    AddressSpace zeros_as, nothing_as;
    Device *secctl, *mpc[MPCS];
    SseView view[CPUS];
};

static const SseRow common_rows[] = {
    {0x40000000, 0x1000, SSE_PPC, TZ_APB0, 0},
    {0x40001000, 0x1000, SSE_PPC, TZ_APB0, 1},
    {0x40002000, 0x1000, SSE_PPC, TZ_APB0, 2},
    {0x4002f000, 0x1000, SSE_PPC, TZ_APB1, 0},
    /* what is at its Secure address only */
    {0x50010000, 0x2000, SSE_SECURE_ONLY},
    {0x50021000, 0xe000, SSE_SECURE_ONLY},
    {0x50080000, 0x2000, SSE_SECURE_ONLY},
    {0x50083000, 0x4000, SSE_SECURE_ONLY},
    /* message handling units */
    {0x40003000, 0x1000, SSE_PPC, TZ_APB0, 3},
    {0x40004000, 0x1000, SSE_PPC, TZ_APB0, 4},
};

static const SseRow *rows_find(const SseRow *rows, unsigned n, uint32_t addr)
{
    for (unsigned i = 0; i < n; i++) {
        if (addr - rows[i].base < rows[i].size) {
            return &rows[i];
        }
    }
    return NULL;
}

/* The row of an address; *out is a place for those that are computed. */
static const SseRow *gate_find(const Sse *s, uint32_t addr, SseRow *out)
{
    const SseRow *row =
        rows_find(common_rows, ARRAY_COUNT(common_rows) - (s->c.cpus > 1 ? 0 : 2), addr);
    uint32_t banks = s->c.cpus > 1 ? SRAMS : 1, in_sram = addr - 0x20000000;

    if (in_sram < banks * s->c.sram_size) {
        uint32_t n = in_sram / s->c.sram_size;

        *out = (SseRow){0x20000000 + n * s->c.sram_size, s->c.sram_size, SSE_MPC,
                        (uint8_t)SSE_SRAM_MPC(n), 0};
        return out;
    }
    for (unsigned i = 0; i < s->c.num_rams; i++) {
        const SseRam *r = &s->c.rams[i];

        if (r->mpc >= 0 && (addr - r->base < r->size || (r->again && addr - r->again < r->size))) {
            *out = (SseRow){addr - r->base < r->size ? r->base : r->again, r->size, SSE_MPC,
                            (uint8_t)SSE_BOARD_MPC(r->mpc), 0};
            return out;
        }
    }
    return row ? row : rows_find(s->c.rows, s->c.num_rows, addr);
}

static bool gate_translate(Region *r, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out)
{
    SseView *v = r->opaque;
    Sse *s = v->sse;
    uint32_t addr = (uint32_t)iova, high = addr >> 28;
    SseRow computed;
    const SseRow *row = gate_find(s, addr, &computed);
    bool faults = false, ok = true;
    hwaddr mask = 0xfff;

    if (!row && (high == 1 || high == 3 || high == 5)) {
        addr -= SSE_SECURE;
        row = gate_find(s, addr, &computed);
    }
    if (row && row->kind == SSE_PPC) {
        ok = tz_ppc_allows(s->secctl, row->unit, row->port, attrs.secure, attrs.user);
        faults = tz_ppc_faults(s->secctl);
    } else if (row && row->kind == SSE_MPC) {
        Device *mpc = s->mpc[row->unit];

        ok = tz_mpc_allows(mpc, addr - row->base, attrs.secure);
        faults = !ok && tz_mpc_refused(mpc, addr - row->base, attrs.secure);
        mask =
            tz_mpc_uniform(mpc, (addr - row->base) & ~0xfffu) ? 0xfff : tz_mpc_block_size(mpc) - 1;
    } else if (row) {
        ok = attrs.secure;
        faults = true;
    }
    *out = (IommuEntry){.target = ok       ? &v->inside_as
                                  : faults ? &s->nothing_as
                                           : &s->zeros_as,
                        .iova = iova & ~mask,
                        .translated = addr & ~mask,
                        .mask = mask,
                        .read = true,
                        .write = true};
    return true;
}

/* Bit 28 says Secure, but for the private peripherals. */
static void sse_idau(void *opaque, uint32_t va, ArmIdau *out)
{
    SseView *v = opaque;
    unsigned region = va >> 28;
    uint32_t callable = tz_nsccfg(v->sse->secctl);

    *out = (ArmIdau){.ns = !(region & 1), .region = (uint8_t)region, .has_region = true};
    if (region == 0xe || region == 0xf) {
        out->exempt = region == 0xf;
        out->ns = true;
        out->has_region = region == 0xe;
    }
    out->nsc = (region == 1 && callable & 1) || (region == 3 && callable & 2);
}

/* ---- memories ---- */

static uint64_t zero_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void zero_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static void sse_spaces(Sse *s)
{
    static const RegionOps zero_ops = {
        .read = zero_read, .write = zero_write, .min_size = 1, .max_size = 8, .unaligned = true};

    region_init_io(&s->zeros, NULL, "refused", 4 * GIB, &zero_ops, s);
    address_space_init(&s->zeros_as, &s->zeros, "refused");
    region_init_container(&s->nothing, NULL, "refused-fault", 4 * GIB);
    address_space_init(&s->nothing_as, &s->nothing, "refused-fault");
    for (unsigned i = 0; i < s->c.cpus; i++) {
        SseView *v = &s->view[i];

        v->sse = s;
        region_init_container(&v->inside, NULL, "sse-inside", 4 * GIB);
        region_init_alias(&v->memory, NULL, "sse-memory", s->b->vm->memory, 0, 4 * GIB);
        region_add(&v->inside, 0, &v->memory, -1);
        address_space_init(&v->inside_as, &v->inside, "sse-inside");
        region_init_iommu(&v->gate, NULL, "sse-gate", 4 * GIB, gate_translate);
        v->gate.opaque = v;
    }
}

/* RAM, also at its Secure address: -kernel needs that, CPUs do not get there by it. */
static bool sse_ram(Sse *s, const char *name, uint32_t base, uint64_t size, Region *secure,
                    GError **error)
{
    Board *b = s->b;

    if (!board_add_ram(b, name, base, size, error)) {
        return false;
    }
    board_alias(b, secure, name, &b->ram[b->num_ram - 1], 0, size, base + SSE_SECURE);
    return true;
}

static bool sse_rams(Sse *s, GError **error)
{
    Board *b = s->b;

    for (unsigned i = 0; i < s->c.num_rams; i++) {
        const SseRam *r = &s->c.rams[i];

        if (!r->name) { /* -m */
            continue;
        }
        if (!sse_ram(s, r->name, r->base, r->size, &s->secure[2 * i], error)) {
            return false;
        }
        region_set_readonly(&b->ram[b->num_ram - 1], r->readonly);
        if (r->again) {
            board_alias(b, &s->again[i], r->name, &b->ram[b->num_ram - 1], 0, r->size, r->again);
            board_alias(b, &s->secure[2 * i + 1], r->name, &b->ram[b->num_ram - 1], 0, r->size,
                        r->again + SSE_SECURE);
        }
    }
    for (unsigned i = 0; i < (s->c.cpus > 1 ? SRAMS : 1); i++) {
        g_autofree char *name = g_strdup_printf("armsse.sram%u", i);

        if (!sse_ram(s, name, 0x20000000 + i * s->c.sram_size, s->c.sram_size, &s->sram_secure[i],
                     error)) {
            return false;
        }
    }
    return true;
}

static bool sse_mpc(Sse *s, unsigned n, uint32_t size, hwaddr regs, GError **error)
{
    g_autofree char *props = g_strdup_printf("size=%u", size);

    s->mpc[n] = board_make(s->b, "tz-mpc", props, error);
    if (!s->mpc[n]) {
        return false;
    }
    device_map(s->mpc[n], "mmio", regs);
    wire(s->mpc[n], "irq", 0, board_device(s->b, "mpc-irq"), "in", n);
    return true;
}

static bool sse_mpcs(Sse *s, GError **error)
{
    for (unsigned i = 0; i < s->c.num_rams; i++) {
        const SseRam *r = &s->c.rams[i];

        if (r->mpc >= 0 && !s->mpc[r->mpc] &&
            !sse_mpc(s, SSE_BOARD_MPC(r->mpc), r->size, s->c.mpc_regs[r->mpc], error)) {
            return false;
        }
    }
    for (unsigned i = 0; i < (s->c.cpus > 1 ? SRAMS : 1); i++) {
        if (!sse_mpc(s, SSE_SRAM_MPC(i), s->c.sram_size, 0x50083000 + i * 0x1000, error)) {
            return false;
        }
    }
    return true;
}

/* ---- CPUs ---- */

static void cpu_told(void *opaque, unsigned n, uint32_t vtor, bool started)
{
    static const ArmEntry entry; /* an M-profile CPU takes it from its vectors */
    Cpu *cpu = armv7m_cpu(((Sse *)opaque)->view[n].intc);

    target_arch->arm->m.set_vtor_secure(cpu, vtor);
    if (started) {
        target_arch->arm->power_on(cpu, &entry);
    }
}

static bool sse_cpus(Sse *s, GError **error)
{
    Board *b = s->b;

    for (unsigned i = 0; i < s->c.cpus; i++) {
        SseView *v = &s->view[i];
        const char *more = s->c.cpu_props[i];
        g_autofree char *props =
            g_strdup_printf("start-powered-off=%s%s%s", s->c.cpu_wait >> i & 1 ? "on" : "off",
                            more ? "," : "", more ? more : "");
        const Armv7mConfig cpu = {
            .irqs = s->c.irqs,
            .cpu_props = props,
            .cpu_hz = s->c.hz,
            .vtor_secure = s->c.vtor,
            .memory = &v->gate,
            .idau = sse_idau,
            .idau_opaque = v,
        };

        v->intc = armv7m_create(b, &cpu, error);
        if (!v->intc) {
            return false;
        }
        for (unsigned n = 0; n < s->c.irqs; n++) {
            if (n != LINE_MHU0 && n != LINE_MHU0 + 1) {
                wire(b->intc, "out", i * LINES + n, v->intc, "irq", n);
            }
        }
    }
    wire(board_device(b, "wdog-32k"), "irq", 0, s->view[0].intc, "nmi", 0);
    sse_sysctl_cpus(board_device(b, "sysctl"), cpu_told, s);
    return true;
}

/* A block that only CPU n sees. */
static bool sse_own(Sse *s, unsigned n, const char *type, const char *props, hwaddr at,
                    GError **error)
{
    Device *d = board_make(s->b, type, props, error);

    if (!d) {
        return false;
    }
    region_add(&s->view[n].inside, at, device_region(d, "mmio"), 0);
    return true;
}

static bool sse_cpu_blocks(Sse *s, GError **error)
{
    Board *b = s->b;

    for (unsigned i = 0; i < s->c.cpus && s->c.cpus > 1; i++) {
        if (!sse_own(s, i, i ? "armsse-cpuid1" : "armsse-cpuid0", NULL, 0x4001f000, error) ||
            !sse_own(s, i, "unimplemented-device", "name=cachectrl,size=4096", 0x50010000, error) ||
            !sse_own(s, i, "unimplemented-device", "name=CPUSECCTRL,size=4096", 0x50011000,
                     error)) {
            return false;
        }
        for (unsigned n = 0; n < 2; n++) {
            wire(board_device(b, n ? "mhu1" : "mhu0"), "irq", i, s->view[i].intc, "irq",
                 LINE_MHU0 + n);
        }
    }
    return true;
}

/* ---- all of it ---- */

#define PPU(n, at)                            \
    {                                         \
        .name = n, .addr = at, .size = 0x1000 \
    }

static const BoardSlot sse200_slots[] = {
    {.type = "armsse-mhu", .addr = 0x40003000, .name = "mhu0"},
    {.type = "armsse-mhu", .addr = 0x40004000, .name = "mhu1"},
    {.type = "sse-200-sysinfo", .addr = 0x40020000},
    PPU("SYS_PPU", 0x50022000),
    PPU("CPU0CORE_PPU", 0x50023000),
    PPU("CPU1CORE_PPU", 0x50025000),
    PPU("DBG_PPU", 0x50029000),
    PPU("RAM0_PPU", 0x5002a000),
    PPU("RAM1_PPU", 0x5002b000),
    PPU("RAM2_PPU", 0x5002c000),
    PPU("RAM3_PPU", 0x5002d000),
};

static bool sse_devices(Sse *s, GError **error)
{
    Board *b = s->b;
    g_autofree char *timer = g_strdup_printf("pclk-frq=%u", s->c.hz),
                    *dual = g_strdup_printf("freq0=%u,freq1=%u", s->c.hz, s->c.hz),
                    *wdog = g_strdup_printf("wdogclk-frq=%u", s->c.hz),
                    *sysctl = g_strdup_printf("cpus=%u,vtor=%u,CPUWAIT_RST=%u", s->c.cpus,
                                              s->c.vtor, s->c.cpu_wait);
    const BoardSlot slots[] = {
        {.type = "iotkit-secctl", .bank = "", .name = "secctl"},
        {.type = "or-irq", .bank = "", .name = "mpc-irq", .irqs = {LINE(9)}},
        {.type = "cmsdk-apb-timer", .addr = 0x40000000, .props = timer, .irqs = {LINE(3)}},
        {.type = "cmsdk-apb-timer", .addr = 0x40001000, .props = timer, .irqs = {LINE(4)}},
        {.type = "cmsdk-apb-dualtimer", .addr = 0x40002000, .props = dual, .irqs = {LINE(5)}},
        {.type = "cmsdk-apb-timer",
         .addr = 0x4002f000,
         .props = "pclk-frq=32000",
         .irqs = {LINE(2)}},
        {.type = "iotkit-sysctl", .addr = 0x50021000, .name = "sysctl", .props = sysctl},
        {.type = "cmsdk-apb-watchdog", .addr = 0x40081000, .props = wdog, .irqs = {LINE(1)}},
        {.type = "cmsdk-apb-watchdog", .addr = 0x50081000, .props = wdog},
        {.type = "cmsdk-apb-watchdog",
         .addr = 0x5002e000,
         .name = "wdog-32k",
         .props = "wdogclk-frq=32000"},
    };
    static const BoardSlot iotkit[] = {{.type = "iotkit-sysinfo", .addr = 0x40020000}};

    if (!board_add(b, slots, ARRAY_COUNT(slots), error) ||
        !(s->c.cpus > 1 ? board_add(b, sse200_slots, ARRAY_COUNT(sse200_slots), error)
                        : board_add(b, iotkit, ARRAY_COUNT(iotkit), error))) {
        return false;
    }
    s->secctl = board_device(b, "secctl");
    device_map(s->secctl, "s", 0x50080000);
    device_map(s->secctl, "ns", 0x40080000);
    return true;
}

bool sse_create(Board *b, const SseConfig *c, GError **error)
{
    Sse *s = g_new0(Sse, 1); /* lives as long as the machine */

    s->b = b;
    s->c = *c;
    g_assert(c->irqs <= LINES && c->num_rams <= SSE_BOARD_MPCS);
    b->intc = board_make(b, "sse-lines", NULL, error);
    b->intc_pin = "irq";
    if (!b->intc) {
        return false;
    }
    sse_spaces(s);
    /* a CPU looks for its vectors as soon as it is there: gates must be complete */
    return sse_rams(s, error) && sse_devices(s, error) && sse_mpcs(s, error) &&
           sse_cpus(s, error) && sse_cpu_blocks(s, error);
}
