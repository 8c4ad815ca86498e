// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Local APIC in xAPIC and x2APIC mode (Intel SDM 3A chapter 10): priorities, LVTs, timer
 * (one-shot, periodic, TSC deadline), interprocessor interrupts, and the MSI window through
 * which devices and the I/O APIC send. Cluster mode of logical addresses is there; the
 * APIC bus of the 82489DX, performance and thermal interrupts are not raised by anybody.
 */
#include "hw/intc/apic-internal.h"

#include <inttypes.h>
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"
#include "qom/vm.h"

/* The highest vector whose bit is set, -1: none. */
static int vector_highest(const uint32_t *bits)
{
    for (int i = 7; i >= 0; i--) {
        if (bits[i]) {
            return i * 32 + 31 - __builtin_clz(bits[i]);
        }
    }
    return -1;
}

static inline bool vector_test(const uint32_t *bits, unsigned v)
{
    return bits[v >> 5] >> (v & 31) & 1;
}

static inline void vector_set(uint32_t *bits, unsigned v)
{
    bits[v >> 5] |= 1u << (v & 31);
}

static inline void vector_clear(uint32_t *bits, unsigned v)
{
    bits[v >> 5] &= ~(1u << (v & 31));
}

unsigned apic_ppr(const Apic *s)
{
    int isr = vector_highest(s->isr);
    unsigned service = isr < 0 ? 0 : isr & 0xf0;

    return (s->tpr & 0xf0) >= service ? s->tpr : service;
}

/* The vector that may be delivered now, -1: none. */
static int apic_deliverable(const Apic *s)
{
    int irr = vector_highest(s->irr);

    if (s->kernel || !(s->svr & SVR_ENABLE) || irr < 0 || (irr & 0xf0u) <= (apic_ppr(s) & 0xf0u)) {
        return -1;
    }
    return irr;
}

/* Whether the 8259A's line reaches the core: LINT0 as ExtINT, or the APIC is off. */
static bool apic_extint(const Apic *s)
{
    if (!s->lint_level[0]) {
        return false;
    }
    if (s->kernel || !(s->base & APIC_BASE_ENABLE)) {
        return true;
    }
    return !(s->lvt[LVT_LINT0] & LVT_MASKED) && LVT_MODE(s->lvt[LVT_LINT0]) == MODE_EXTINT;
}

void apic_update(Apic *s)
{
    if (apic_deliverable(s) >= 0 || apic_extint(s)) {
        cpu_interrupt(s->cpu, CPU_PENDING_HARD);
    } else {
        cpu_interrupt_clear(s->cpu, CPU_PENDING_HARD);
    }
}

bool apic_has_interrupt(Device *apic)
{
    Apic *s = APIC(apic);

    return apic_deliverable(s) >= 0 || apic_extint(s);
}

void apic_end_interrupt(Device *apic)
{
    apic_eoi(APIC(apic));
}

int apic_take_interrupt(Device *apic)
{
    Apic *s = APIC(apic);
    int v = apic_deliverable(s);

    if (v >= 0) {
        vector_clear(s->irr, v);
        vector_set(s->isr, v);
    } else if (apic_extint(s)) {
        Device *pic = vm_published(s->dev.vm, "i8259");

        v = pic ? i8259_intack(pic) : -1;
    }
    if (v >= 0 && s->taken) {
        s->taken(s->taken_opaque);
    }
    apic_update(s);
    return v;
}

/* ---- delivery ---- */

static void apic_set_vector(Apic *s, unsigned vector, bool level)
{
    if (vector < 16) {
        s->esr_pending |= ESR_RECEIVE_ILLEGAL;
        return;
    }
    vector_set(s->irr, vector);
    if (level) {
        vector_set(s->tmr, vector);
    } else {
        vector_clear(s->tmr, vector);
    }
    apic_update(s);
}

static void apic_accept(Apic *s, unsigned mode, unsigned vector, bool level)
{
    switch (mode) {
    case MODE_FIXED:
    case MODE_LOWEST:
        if (s->svr & SVR_ENABLE) {
            apic_set_vector(s, vector, level);
        }
        break;
    case MODE_SMI:
        cpu_interrupt(s->cpu, X86_PENDING_SMI);
        break;
    case MODE_NMI:
        cpu_interrupt(s->cpu, CPU_PENDING_NMI);
        break;
    case MODE_INIT:
        /* a SIPI that came before it found nobody who waits */
        cpu_interrupt_clear(s->cpu, X86_PENDING_SIPI);
        cpu_interrupt(s->cpu, X86_PENDING_INIT);
        break;
    case MODE_SIPI:
        s->sipi_vector = vector;
        cpu_interrupt(s->cpu, X86_PENDING_SIPI);
        break;
    case MODE_EXTINT:
        /* an I/O APIC pin in ExtINT mode stands for the 8259A's line */
        apic_set_lint(&s->dev, 0, 1);
        break;
    default:
        guest_error("lapic %u: reserved delivery mode %u", s->id, mode);
        break;
    }
}

static bool apic_enabled(const Apic *s)
{
    return s->base & APIC_BASE_ENABLE;
}

static bool apic_is_dest(const Apic *s, uint32_t dest, bool logical)
{
    uint8_t d = dest;

    if (!apic_enabled(s)) {
        return false;
    }
    if (s->base & APIC_BASE_X2APIC) {
        if (dest == 0xffffffff || (!logical && dest == 0xff)) {
            return true;
        }
        if (!logical) {
            return dest == s->id;
        }
        return dest >> 16 == s->id >> 4 && (dest & 0xffff & 1u << (s->id & 15));
    }
    if (d == 0xff) {
        return true;
    }
    if (!logical) {
        return d == s->xapic_id;
    }
    if (s->dfr >> 28 == 0xf) {
        return s->ldr & d;
    }
    return d >> 4 == s->ldr >> 4 && (s->ldr & d & 15);
}

static Apic *apic_of(Vm *vm, unsigned i)
{
    GPtrArray *apics = vm_published(vm, "apics");

    return apics && i < apics->len ? g_ptr_array_index(apics, i) : NULL;
}

void apic_bus_deliver(Vm *vm, uint32_t dest, bool logical, unsigned mode, unsigned vector,
                      bool level)
{
    Apic *best = NULL, *s;

    for (unsigned i = 0; (s = apic_of(vm, i)) != NULL; i++) {
        if (!apic_is_dest(s, dest, logical)) {
            continue;
        }
        if (mode != MODE_LOWEST) {
            apic_accept(s, mode, vector, level);
        } else if ((s->svr & SVR_ENABLE) && (!best || apic_ppr(s) < apic_ppr(best))) {
            best = s;
        }
    }
    if (best) {
        apic_accept(best, mode, vector, level);
    }
}

void x86_interrupt_deliver(Vm *vm, X86Interrupt i)
{
    const X86KernelIrq *kernel = vm_published(vm, X86_KERNEL_IRQ);

    if (kernel) {
        kernel->deliver(kernel->opaque, &i);
        return;
    }
    apic_bus_deliver(vm, i.dest, i.logical, i.mode, i.vector, i.level);
}

void apic_watch_taken(Vm *vm, void (*fn)(void *opaque), void *opaque)
{
    Apic *s;

    for (unsigned i = 0; (s = apic_of(vm, i)) != NULL; i++) {
        s->taken = fn;
        s->taken_opaque = opaque;
    }
}

bool apic_bus_waits(Vm *vm, uint32_t dest, bool logical, unsigned vector)
{
    Apic *s;

    for (unsigned i = 0; (s = apic_of(vm, i)) != NULL; i++) {
        if (apic_is_dest(s, dest, logical) && vector_test(s->irr, vector)) {
            return true;
        }
    }
    return false;
}

/* ICR write: SDM 3A 10.6. */
void apic_send_ipi(Apic *s, uint64_t icr)
{
    unsigned mode = icr >> 8 & 7, vector = icr & 0xff, shorthand = icr >> 18 & 3;
    bool level = icr >> 15 & 1, assert = icr >> 14 & 1, logical = icr >> 11 & 1;
    uint32_t dest = s->base & APIC_BASE_X2APIC ? icr >> 32 : icr >> 56;
    Apic *other;

    if (mode == MODE_INIT && level && !assert) {
        return;    /* arbitration IDs are a thing of the APIC bus */
    }
    if ((mode == MODE_FIXED || mode == MODE_LOWEST) && vector < 16) {
        s->esr_pending |= ESR_SEND_ILLEGAL;
        return;
    }
    switch (shorthand) {
    case 0:
        apic_bus_deliver(s->dev.vm, dest, logical, mode, vector, false);
        break;
    case 1:
        apic_accept(s, mode, vector, false);
        break;
    default:
        for (unsigned i = 0; (other = apic_of(s->dev.vm, i)) != NULL; i++) {
            if ((other != s || shorthand == 2) && apic_enabled(other)) {
                apic_accept(other, mode, vector, false);
            }
        }
        break;
    }
}

void apic_eoi(Apic *s)
{
    int v = vector_highest(s->isr);

    if (v < 0) {
        return;
    }
    vector_clear(s->isr, v);
    if (vector_test(s->tmr, v) && !(s->svr & SVR_NO_EOI_BROADCAST)) {
        ioapic_eoi_broadcast(s->dev.vm, v);
    }
    apic_update(s);
}

/* ---- LVTs ---- */

void apic_local_event(Apic *s, unsigned lvt)
{
    uint32_t e = s->lvt[lvt];

    if (!(e & LVT_MASKED)) {
        apic_accept(s, LVT_MODE(e), e & 0xff,
                    LVT_MODE(e) == MODE_FIXED && (e & LVT_LEVEL) && lvt != LVT_TIMER);
    }
}

void apic_set_lint(Device *apic, unsigned n, int level)
{
    Apic *s = APIC(apic);
    bool rising = level && !s->lint_level[n];
    unsigned lvt = n ? LVT_LINT1 : LVT_LINT0;

    s->lint_level[n] = level != 0;
    if (s->kernel) {
        if (n == 0) {
            apic_update(s);
        } else if (rising) {
            cpu_interrupt(s->cpu, CPU_PENDING_NMI);
        }
        return;
    }
    if (n == 0 && (!apic_enabled(s) || LVT_MODE(s->lvt[lvt]) == MODE_EXTINT)) {
        apic_update(s);
    } else if (rising) {
        if (!apic_enabled(s) && n == 1) {
            cpu_interrupt(s->cpu, CPU_PENDING_NMI);
        } else {
            apic_local_event(s, lvt);
        }
    }
}

static void apic_lint0(Device *d, unsigned pin, int level)
{
    apic_set_lint(d, pin, level);
}

/* ---- for the CPU ---- */

bool apic_in_kernel(const Device *apic)
{
    return APIC(apic)->kernel;
}

uint64_t apic_base(Device *apic)
{
    return APIC(apic)->base;
}

bool apic_set_base(Device *apic, uint64_t value)
{
    Apic *s = APIC(apic);
    unsigned was = s->base >> 10 & 3, now = value >> 10 & 3;

    /* SDM 3A 10.12.5: legal transitions; 2: enabled, 3: x2APIC, 1: reserved */
    if ((value & ~0xfffffffffull & ~0xff0000000ull) >> 52 || now == 1 || (now == 3 && !s->x2apic) ||
        (was == 3 && now == 2) || (was == 0 && now == 3)) {
        return false;
    }
    s->base = (value & 0xffffff000ull) | (value & (APIC_BASE_X2APIC | APIC_BASE_ENABLE)) |
              (s->base & APIC_BASE_BSP);
    if (now == 0) {
        apic_init_reset(apic);
    } else if (now == 3) {
        s->xapic_id = s->id;
    }
    apic_update(s);
    return true;
}

unsigned apic_cr8(Device *apic)
{
    return APIC(apic)->tpr >> 4;
}

void apic_set_cr8(Device *apic, unsigned value)
{
    APIC(apic)->tpr = (value & 15) << 4;
    apic_update(APIC(apic));
}

unsigned apic_sipi_vector(Device *apic)
{
    return APIC(apic)->sipi_vector;
}

void apic_init_reset(Device *apic)
{
    Apic *s = APIC(apic);

    timer_cancel(&s->timer);
    memset(s->irr, 0, sizeof(s->irr));
    memset(s->isr, 0, sizeof(s->isr));
    memset(s->tmr, 0, sizeof(s->tmr));
    s->xapic_id = s->id;
    s->tpr = 0;
    s->ldr = 0;
    s->dfr = 0xffffffff;
    s->svr = 0xff;
    s->esr = s->esr_pending = 0;
    s->icr = 0;
    s->initial_count = 0;
    s->divide = 0;
    s->tsc_deadline = 0;
    for (unsigned i = 0; i < LVT_COUNT; i++) {
        s->lvt[i] = LVT_MASKED;
    }
    apic_update(s);
}

static void apic_reset(Device *d)
{
    Apic *s = APIC(d);

    s->base = APIC_BASE_ADDRESS | APIC_BASE_ENABLE | (s->cpu->index == 0 ? APIC_BASE_BSP : 0);
    apic_init_reset(d);
    apic_update(s);
}

static bool apic_realize(Device *d, GError **error)
{
    Apic *s = APIC(d);
    GPtrArray *apics = vm_published(d->vm, "apics");

    timer_init(&s->timer, CLOCK_GUEST, apic_timer_expired, s);
    if (!apics) {
        apics = g_ptr_array_new();
        vm_publish(d->vm, "apics", apics);
        apic_map_window(d->vm);
    }
    if (apics->len) { /* one that comes late */
        s->taken = ((Apic *)apics->pdata[0])->taken;
        s->taken_opaque = ((Apic *)apics->pdata[0])->taken_opaque;
    }
    g_ptr_array_add(apics, s);
    return true;
}

static void apic_unrealize(Device *d)
{
    GPtrArray *apics = vm_published(d->vm, "apics");

    timer_cancel(&APIC(d)->timer);
    g_ptr_array_remove(apics, d);
}

Device *apic_create(Cpu *cpu, unsigned apic_id, bool x2apic, GError **error)
{
    Device *d = device_new(cpu->dev.vm, "apic", error);
    Apic *s = APIC(d);

    if (!d) {
        return NULL;
    }
    s->cpu = cpu;
    s->id = apic_id;
    s->x2apic = x2apic;
    s->kernel = vm_published(cpu->dev.vm, X86_KERNEL_IRQ);
    if (!object_add_child(&cpu->dev.obj, "lapic", &d->obj, error)) {
        object_unref(&d->obj);
        return NULL;
    }
    return device_realize(d, NULL, &cpu->dev.obj, error) ? d : NULL;
}

Apic *apic_by_cpu_index(Vm *vm, unsigned index)
{
    Apic *s;

    for (unsigned i = 0; (s = apic_of(vm, i)) != NULL; i++) {
        if (s->cpu->index == index) {
            return s;
        }
    }
    return NULL;
}

static const PinRow apic_pins[] = {PIN_IN("lint", 2, apic_lint0), PIN_END};

static const StateField apic_state[] = {
    STATE(Apic, base), STATE(Apic, xapic_id), STATE(Apic, tpr), STATE(Apic, ldr), STATE(Apic, dfr),
    STATE(Apic, svr), STATE(Apic, esr), STATE(Apic, esr_pending), STATE(Apic, icr),
    STATE(Apic, initial_count), STATE(Apic, divide), STATE(Apic, tsc_deadline), STATE(Apic, sipi_vector),
    STATE(Apic, timer_start_ns), STATE_ARRAY(Apic, lvt), STATE_ARRAY(Apic, irr), STATE_ARRAY(Apic, isr),
    STATE_ARRAY(Apic, tmr), STATE_ARRAY(Apic, lint_level), STATE_TIMER_FIELD(Apic, timer),
    HOST_ONLY(Apic, taken, "set by the board"),
    HOST_ONLY(Apic, taken_opaque, "set by the board"),
    HOST_ONLY(Apic, kernel, "by -accel"), HOST_ONLY(Apic, cpu, "whose APIC this is"), HOST_ONLY(Apic, id, "given by the CPU"),
    HOST_ONLY(Apic, x2apic, "given by the CPU's model"), STATE_END,
};

static const DeviceType apic_type = {
    .name = "apic", .desc = "Local APIC", .category = "misc", .internal = true,
    .size = sizeof(Apic), .state_version = 1, .pins = apic_pins, .state = apic_state,
    .realize = apic_realize, .unrealize = apic_unrealize, .reset = apic_reset,
};
DEVICE_TYPE(apic_type);
