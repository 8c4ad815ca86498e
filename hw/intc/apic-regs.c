// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local APIC's registers, by page (SDM 3A table 10-1) and by x2APIC MSR (table 10-6), its
 * timer, and the MSI window (SDM 3A 10.11).
 */
#include "hw/intc/apic-internal.h"

#include <inttypes.h>
#include "qom/vm.h"
#include "util/main-loop.h"

/* Register numbers: page offset / 16, which is the x2APIC MSR - 800h. */
enum {
    REG_ID = 0x02, REG_VERSION = 0x03, REG_TPR = 0x08, REG_APR = 0x09, REG_PPR = 0x0a, REG_EOI = 0x0b,
    REG_RRD = 0x0c, REG_LDR = 0x0d, REG_DFR = 0x0e, REG_SVR = 0x0f, REG_ISR = 0x10, REG_TMR = 0x18,
    REG_IRR = 0x20, REG_ESR = 0x28, REG_CMCI = 0x2f, REG_ICR = 0x30, REG_ICR2 = 0x31, REG_LVT = 0x32,
    REG_INITIAL = 0x38, REG_CURRENT = 0x39, REG_DIVIDE = 0x3e, REG_SELF_IPI = 0x3f,
};

#define APIC_VERSION 0x00050014u    /* version 14h, 6 LVT entries */
#define WINDOW_SIZE 0x100000u

/* ---- timer: the bus runs at 1 GHz, so a tick of divide 1 is a nanosecond ---- */

static unsigned timer_shift(const Apic *s)
{
    unsigned v = (s->divide & 3) | (s->divide >> 1 & 4);

    return (v + 1) & 7;
}

static uint64_t timer_period_ns(const Apic *s)
{
    return (uint64_t)s->initial_count << timer_shift(s);
}

uint32_t apic_timer_count(const Apic *s)
{
    uint64_t gone, period = timer_period_ns(s);

    if (period == 0 || LVT_TIMER_MODE(s->lvt[LVT_TIMER]) == TIMER_TSC_DEADLINE) {
        return 0;
    }
    gone = clock_now_ns(CLOCK_GUEST) - s->timer_start_ns;
    if (LVT_TIMER_MODE(s->lvt[LVT_TIMER]) == TIMER_PERIODIC) {
        gone %= period;
    }
    return gone >= period ? 0 : (period - gone) >> timer_shift(s);
}

static void timer_arm(Apic *s)
{
    uint64_t period = timer_period_ns(s);
    int64_t now = clock_now_ns(CLOCK_GUEST), next = s->timer_start_ns + period;

    if (LVT_TIMER_MODE(s->lvt[LVT_TIMER]) == TIMER_TSC_DEADLINE) {
        return;
    }
    timer_cancel(&s->timer);
    if (period == 0 || (s->lvt[LVT_TIMER] & LVT_MASKED)) {
        return;
    }
    if (LVT_TIMER_MODE(s->lvt[LVT_TIMER]) == TIMER_PERIODIC) {
        if (next <= now) {
            next = s->timer_start_ns + ((now - s->timer_start_ns) / period + 1) * period;
        }
    } else if (next < now) {
        return;    /* went off while it was masked */
    }
    timer_set_ns(&s->timer, next);
}

void apic_timer_start(Apic *s)
{
    s->timer_start_ns = clock_now_ns(CLOCK_GUEST);
    timer_arm(s);
}

void apic_timer_expired(void *opaque)
{
    Apic *s = opaque;

    if (LVT_TIMER_MODE(s->lvt[LVT_TIMER]) == TIMER_TSC_DEADLINE) {
        s->tsc_deadline = 0;
    }
    apic_local_event(s, LVT_TIMER);
    if (LVT_TIMER_MODE(s->lvt[LVT_TIMER]) == TIMER_PERIODIC) {
        timer_arm(s);
    }
}

uint64_t apic_tsc_deadline(Device *apic)
{
    return APIC(apic)->tsc_deadline;
}

void apic_set_tsc_deadline(Device *apic, uint64_t tsc, int64_t deadline_ns)
{
    Apic *s = APIC(apic);

    if (LVT_TIMER_MODE(s->lvt[LVT_TIMER]) != TIMER_TSC_DEADLINE) {
        return;
    }
    timer_cancel(&s->timer);
    s->tsc_deadline = tsc;
    if (tsc) {
        timer_set_ns(&s->timer, deadline_ns);
    }
}

/* ---- registers ---- */

/* LVT entry of a register number, -1: none. */
static int lvt_index(unsigned reg)
{
    static const int8_t order[] = {LVT_TIMER, LVT_THERMAL, LVT_PERF,
                                   LVT_LINT0, LVT_LINT1,   LVT_ERROR};

    return reg >= REG_LVT && reg < REG_LVT + ARRAY_COUNT(order) ? order[reg - REG_LVT] : -1;
}

static uint64_t reg_read(Apic *s, unsigned reg)
{
    bool x2 = s->base & APIC_BASE_X2APIC;

    if (lvt_index(reg) >= 0) {
        return s->lvt[lvt_index(reg)];
    }
    switch (reg) {
    case REG_ID:
        return x2 ? s->id : (uint32_t)s->xapic_id << 24;
    case REG_VERSION:
        return APIC_VERSION;
    case REG_TPR:
        return s->tpr;
    case REG_PPR:
        return apic_ppr(s);
    case REG_LDR:
        return x2 ? (s->id >> 4) << 16 | 1u << (s->id & 15) : (uint32_t)s->ldr << 24;
    case REG_DFR:
        return s->dfr;
    case REG_SVR:
        return s->svr;
    case REG_ISR ... REG_ISR + 7:
        return s->isr[reg - REG_ISR];
    case REG_TMR ... REG_TMR + 7:
        return s->tmr[reg - REG_TMR];
    case REG_IRR ... REG_IRR + 7:
        return s->irr[reg - REG_IRR];
    case REG_ESR:
        return s->esr;
    case REG_ICR:
        return x2 ? s->icr : (uint32_t)s->icr;
    case REG_ICR2:
        return s->icr >> 32;
    case REG_INITIAL:
        return s->initial_count;
    case REG_CURRENT:
        return apic_timer_count(s);
    case REG_DIVIDE:
        return s->divide;
    default:
        return 0;
    }
}

static void lvt_write(Apic *s, unsigned i, uint32_t value)
{
    static const uint32_t masks[LVT_COUNT] = {
        [LVT_TIMER] = 0x700ff, [LVT_THERMAL] = 0x107ff, [LVT_PERF] = 0x107ff,
        [LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff, [LVT_ERROR] = 0x100ff,
    };
    uint32_t old_mode = LVT_TIMER_MODE(s->lvt[LVT_TIMER]);

    if (!(s->svr & SVR_ENABLE)) {
        value |= LVT_MASKED;
    }
    s->lvt[i] = value & masks[i];
    if (i == LVT_TIMER) {
        if ((old_mode == TIMER_TSC_DEADLINE) != (LVT_TIMER_MODE(value) == TIMER_TSC_DEADLINE)) {
            timer_cancel(&s->timer);
            s->tsc_deadline = 0;
            s->initial_count = 0;
        }
        timer_arm(s);
    }
    apic_update(s);
}

static void svr_write(Apic *s, uint32_t value)
{
    s->svr = value & (0x1ff | (s->x2apic ? SVR_NO_EOI_BROADCAST : 0));
    if (!(value & SVR_ENABLE)) {
        for (unsigned i = 0; i < LVT_COUNT; i++) {
            s->lvt[i] |= LVT_MASKED;
        }
        timer_cancel(&s->timer);
    }
    apic_update(s);
}

static void reg_write(Apic *s, unsigned reg, uint32_t value)
{
    if (lvt_index(reg) >= 0) {
        lvt_write(s, lvt_index(reg), value);
        return;
    }
    switch (reg) {
    case REG_ID:
        s->xapic_id = value >> 24;
        break;
    case REG_TPR:
        s->tpr = value;
        apic_update(s);
        break;
    case REG_EOI:
        apic_eoi(s);
        break;
    case REG_LDR:
        s->ldr = value >> 24;
        break;
    case REG_DFR:
        s->dfr = value | 0x0fffffff;
        break;
    case REG_SVR:
        svr_write(s, value);
        break;
    case REG_ESR:
        s->esr = s->esr_pending;
        s->esr_pending = 0;
        break;
    case REG_ICR:
        s->icr = (s->icr & ~0xffffffffull) | (value & ~(1u << 12));
        apic_send_ipi(s, s->icr);
        break;
    case REG_ICR2:
        s->icr = (uint32_t)s->icr | (uint64_t)value << 32;
        break;
    case REG_INITIAL:
        if (LVT_TIMER_MODE(s->lvt[LVT_TIMER]) != TIMER_TSC_DEADLINE) {
            s->initial_count = value;
            apic_timer_start(s);
        }
        break;
    case REG_DIVIDE:
        s->divide = value & 0xb;
        timer_arm(s);
        break;
    default:
        s->esr_pending |= ESR_ILLEGAL_REGISTER;
        guest_error("lapic %u: write to register %#x", s->id, reg << 4);
        break;
    }
}

static bool msr_exists(unsigned reg, bool write)
{
    switch (reg) {
    case REG_ID:
    case REG_VERSION:
    case REG_PPR:
    case REG_LDR:
    case REG_ISR ... REG_ISR + 7:
    case REG_TMR ... REG_TMR + 7:
    case REG_IRR ... REG_IRR + 7:
    case REG_CURRENT:
        return !write;
    case REG_EOI:
    case REG_SELF_IPI:
        return write;
    case REG_TPR:
    case REG_SVR:
    case REG_ESR:
    case REG_ICR:
    case REG_LVT ... REG_LVT + 5:
    case REG_INITIAL:
    case REG_DIVIDE:
        return true;
    default:
        return false;
    }
}

bool apic_msr_read(Device *apic, unsigned reg, uint64_t *value)
{
    Apic *s = APIC(apic);

    if (!(s->base & APIC_BASE_X2APIC) || !msr_exists(reg, false)) {
        return false;
    }
    *value = reg_read(s, reg);
    return true;
}

/* Bits of a register that x2APIC lets software set; others are #GP (SDM 3A 10.12.1.2). */
static uint64_t msr_bits(unsigned reg)
{
    switch (reg) {
    case REG_ICR:
        return UINT64_MAX;
    case REG_EOI:
    case REG_ESR:
        return 0;
    case REG_TPR:
    case REG_SELF_IPI:
        return 0xff;
    case REG_SVR:
        return 0x1ff | SVR_NO_EOI_BROADCAST;
    case REG_DIVIDE:
        return 0xb;
    default:
        return UINT32_MAX;
    }
}

bool apic_msr_write(Device *apic, unsigned reg, uint64_t value)
{
    Apic *s = APIC(apic);

    if (!(s->base & APIC_BASE_X2APIC) || !msr_exists(reg, true) || value & ~msr_bits(reg)) {
        return false;
    }
    if (reg == REG_ICR) {
        s->icr = value & ~(1ull << 12);
        apic_send_ipi(s, s->icr);
    } else if (reg == REG_SELF_IPI) {
        apic_send_ipi(s, 1u << 18 | 1u << 14 | (value & 0xff));
    } else {
        reg_write(s, reg, value);
    }
    return true;
}

/* ---- the page and the window ---- */

static void msi_write(Vm *vm, hwaddr offset, uint32_t data)
{
    x86_interrupt_deliver(vm, x86_message_decode(offset, data));
}

static MemResult window_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                               MemAttrs attrs)
{
    Vm *vm = r->opaque;
    Apic *s = attrs.is_cpu && offset < 0x1000 ? apic_by_cpu_index(vm, attrs.cpu_index) : NULL;

    if (!s || !(s->base & APIC_BASE_ENABLE)) {
        if (!write) {
            *value = attrs.is_cpu ? UINT64_MAX : 0;
        } else if (!attrs.is_cpu || offset >= 0x1000) {
            msi_write(vm, offset, *value);
        }
        return MEM_OK;
    }
    if ((s->base & APIC_BASE_X2APIC) || size < 4 || (offset & 15) != 0) {
        if (!write) {
            *value = size < 4 && !(s->base & APIC_BASE_X2APIC)
                         ? reg_read(s, offset >> 4) >> (offset & 3) * 8
                         : 0;
        }
        return MEM_OK;
    }
    if (write) {
        reg_write(s, offset >> 4, *value);
    } else {
        *value = reg_read(s, offset >> 4);
    }
    return MEM_OK;
}

static uint64_t window_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void window_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    msi_write(opaque, offset, value);
}

static const RegionOps window_ops = {
    .read = window_read, .write = window_write, .min_size = 1, .max_size = 4, .endian = DEV_LITTLE,
};

void apic_map_window(Vm *vm)
{
    Region *r = g_new0(Region, 1);

    region_init_io(r, NULL, "apic-msi", WINDOW_SIZE, &window_ops, vm);
    r->access = window_access;
    region_add(vm->memory, APIC_BASE_ADDRESS, r, 0x1000);
}

/* ---- info lapic ---- */

static void print_vectors(GString *out, const char *name, const uint32_t *bits)
{
    bool any = false;

    g_string_append_printf(out, "%s\t ", name);
    for (unsigned v = 0; v < 256; v++) {
        if (bits[v >> 5] >> (v & 31) & 1) {
            g_string_append_printf(out, "%u ", v);
            any = true;
        }
    }
    g_string_append(out, any ? "\n" : "(none)\n");
}

static void print_lvt(GString *out, const char *name, uint32_t e, bool timer)
{
    static const char *const modes[] = {"Fixed", "LowPrio", "SMI",  "...",
                                        "NMI",   "INIT",    "SIPI", "ExtINT"};
    static const char *const timer_modes[] = {"one-shot", "periodic", "tsc-deadline", "..."};

    g_string_append_printf(out, "%s\t 0x%08x %s %-5s %-6s %-7s %-12s %-6s", name, e,
                           e & (1u << 13) ? "active-lo" : "active-hi",
                           e & LVT_LEVEL ? "level" : "edge", e & LVT_MASKED ? "masked" : "", "",
                           timer ? timer_modes[LVT_TIMER_MODE(e)] : "", modes[LVT_MODE(e)]);
    g_string_append_printf(out, LVT_MODE(e) == MODE_FIXED ? " (vec %u)\n" : "\n", e & 0xff);
}

static void print_icr(GString *out, const Apic *s)
{
    static const char *const shorthands[] = {"no-shorthand", "self", "all-self", "all"};
    uint32_t low = s->icr, high = s->icr >> 32;
    bool x2 = s->base & APIC_BASE_X2APIC, logical = low & 1u << 11;

    g_string_append_printf(out, "ICR\t 0x%08x %s %s %s %s\n", low, logical ? "logical" : "physical",
                           low & LVT_LEVEL ? "level" : "edge",
                           low & 1u << 14 ? "assert" : "de-assert", shorthands[low >> 18 & 3]);
    g_string_append_printf(
        out, logical ? "ICR2\t 0x%08x mask %x (APIC ID)\n" : "ICR2\t 0x%08x cpu %u (APIC ID)\n",
        high, x2 ? high : high >> 24);
}

void apic_print(Device *apic, GString *out)
{
    Apic *s = APIC(apic);
    static const uint8_t order[] = {LVT_LINT0, LVT_LINT1, LVT_PERF, LVT_ERROR, LVT_THERMAL};
    static const char *const order_names[] = {"LVT0", "LVT1", "LVTPC", "LVTERR", "LVTTHMR"};

    g_string_append_printf(out, "dumping local APIC state for CPU %u \n\n", s->cpu->index);
    for (unsigned i = 0; i < ARRAY_COUNT(order); i++) {
        print_lvt(out, order_names[i], s->lvt[order[i]], false);
    }
    print_lvt(out, "LVTT", s->lvt[LVT_TIMER], true);
    g_string_append_printf(
        out, "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u\n", s->divide,
        1u << timer_shift(s), s->initial_count, apic_timer_count(s));
    g_string_append_printf(out, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n", s->svr,
                           s->svr & SVR_ENABLE ? "enabled" : "disabled",
                           s->svr & 1u << 9 ? "on" : "off", s->svr & 0xff);
    print_icr(out, s);
    g_string_append_printf(out, "ESR\t 0x%08x\n", s->esr);
    print_vectors(out, "ISR", s->isr);
    print_vectors(out, "IRR", s->irr);
    g_string_append_printf(out, "\nAPR 0x00 TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x\n", s->tpr,
                           s->dfr >> 28, s->ldr, apic_ppr(s));
}
