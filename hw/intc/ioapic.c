// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O APIC (Intel 82093AA, with the EOI register of version 20h). Each pin's redirection
 * entry becomes a message written to the MSI window at FEE00000h, so that the local APICs
 * (and an interrupt-remapping IOMMU) see one form of interrupt only.
 */
#include "hw/intc/ioapic.h"
#include <inttypes.h>
#include "exec/bank.h"
#include "apic-internal.h"
#include "exec/x86-apic.h"

#define IOAPIC_PINS 24

enum {
    IOAPIC_SELECT = 0x00,
    IOAPIC_WINDOW = 0x10,
    IOAPIC_EOI = 0x40
};
enum {
    IOAPIC_ID = 0,
    IOAPIC_VERSION = 1,
    IOAPIC_ARBITRATION = 2,
    IOAPIC_TABLE = 0x10
};

#define RTE_VECTOR 0xffull
#define RTE_DELIVERY_STATUS (1ull << 12)
#define RTE_REMOTE_IRR (1ull << 14)
#define RTE_LEVEL (1ull << 15)
#define RTE_MASKED (1ull << 16)
#define RTE_READ_ONLY (RTE_DELIVERY_STATUS | RTE_REMOTE_IRR)

typedef struct IoApic IoApic;
struct IoApic {
    Device dev;
    IoApic *next; /* that was there before this one */
    uint32_t version;
    uint8_t id, select;
    uint32_t irr; /* requests: levels of level pins, edges not yet sent */
    uint32_t lines; /* input levels */
    uint64_t table[IOAPIC_PINS];
    uint64_t sent[IOAPIC_PINS]; /* messages, for people */
};

/*
 * Not through memory: an end of interrupt, which is an access to the APICs' window, may send the
 * next message, and an access from within one to the same region is refused. The bits of an entry
 * stand as an interrupt-remapping unit wants them in the message (VT-d 3.4, 5.1.5.1).
 */
static bool ioapic_message(IoApic *s, unsigned pin, X86Interrupt *i)
{
    const X86Remapper *r = vm_published(s->dev.vm, X86_REMAPPER);
    uint64_t e = s->table[pin], address = (e >> 48) << 4 | (e >> 11 & 1) << 2;
    uint32_t data = e & (RTE_VECTOR | 7u << 8 | RTE_LEVEL);

    *i = x86_message_decode(address, data);
    return !r || r->remap(r->opaque, X86_IOAPIC_SOURCE, APIC_BASE_ADDRESS | address, data, i);
}

static void ioapic_send(IoApic *s, unsigned pin)
{
    X86Interrupt i;

    s->sent[pin]++;
    if (ioapic_message(s, pin, &i)) {
        x86_interrupt_deliver(s->dev.vm, i);
    }
}

/* Local APICs in the kernel have to know whose ends are waited for. */
static void ioapic_route(IoApic *s, unsigned pin)
{
    const X86KernelIrq *kernel = vm_published(s->dev.vm, X86_KERNEL_IRQ);
    unsigned first = s == vm_published(s->dev.vm, "ioapic") ? 0 : IOAPIC_PINS;
    X86Interrupt i;

    if (kernel && kernel->route && !(s->table[pin] & RTE_MASKED)) {
        kernel->route(kernel->opaque, first + pin, ioapic_message(s, pin, &i) ? &i : NULL);
    }
}

/* Sends what a pin asks for, if it may. */
static void ioapic_service(IoApic *s, unsigned pin)
{
    uint64_t *e = &s->table[pin];
    uint32_t bit = 1u << pin;

    if (!(s->irr & bit) || (*e & RTE_MASKED)) {
        return;
    }
    if (*e & RTE_LEVEL) {
        if (*e & RTE_REMOTE_IRR) {
            return;
        }
        *e |= RTE_REMOTE_IRR;
    } else {
        s->irr &= ~bit;
    }
    ioapic_send(s, pin);
}

static void ioapic_input(Device *d, unsigned pin, int level)
{
    IoApic *s = (IoApic *)d;
    uint32_t bit = 1u << pin;
    bool rising = level && !(s->lines & bit);

    s->lines = level ? s->lines | bit : s->lines & ~bit;
    if (s->table[pin] & RTE_LEVEL) {
        s->irr = level ? s->irr | bit : s->irr & ~bit;
    } else if (rising && !(s->table[pin] & RTE_MASKED)) {
        /* An edge on a masked pin is lost (82093AA 3.2.4). */
        s->irr |= bit;
    }
    ioapic_service(s, pin);
}

static void ioapic_end(IoApic *s, uint8_t vector)
{
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        uint64_t *e = &s->table[i];

        if ((*e & RTE_VECTOR) == vector && (*e & RTE_LEVEL) && (*e & RTE_REMOTE_IRR)) {
            *e &= ~RTE_REMOTE_IRR;
            ioapic_service(s, i);
        }
    }
}

void ioapic_eoi_broadcast(Vm *vm, uint8_t vector)
{
    for (IoApic *s = vm_published(vm, "ioapic"); s; s = s->next) {
        ioapic_end(s, vector);
    }
}

static uint32_t ioapic_read_window(IoApic *s)
{
    switch (s->select) {
    case IOAPIC_ID:
    case IOAPIC_ARBITRATION:
        return (uint32_t)s->id << 24;
    case IOAPIC_VERSION:
        return s->version | (IOAPIC_PINS - 1) << 16;
    default: {
        unsigned i = (s->select - IOAPIC_TABLE) >> 1;

        if (s->select < IOAPIC_TABLE || i >= IOAPIC_PINS) {
            return 0;
        }
        return s->select & 1 ? s->table[i] >> 32 : (uint32_t)s->table[i];
    }
    }
}

static void ioapic_write_entry(IoApic *s, unsigned pin, bool high, uint32_t value)
{
    uint64_t *e = &s->table[pin];
    uint64_t kept = *e & RTE_READ_ONLY;

    if (high) {
        *e = (*e & 0xffffffffull) | (uint64_t)value << 32;
    } else {
        *e = (*e & ~0xffffffffull) | (value & ~RTE_READ_ONLY & 0x1ffff) | kept;
    }
    if (!(*e & RTE_LEVEL)) {
        *e &= ~RTE_REMOTE_IRR;
    } else if (s->lines & 1u << pin) {
        s->irr |= 1u << pin;
    } else {
        s->irr &= ~(1u << pin);
    }
    ioapic_route(s, pin);
    ioapic_service(s, pin);
}

static void ioapic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    IoApic *s = opaque;

    switch (offset) {
    case IOAPIC_SELECT:
        s->select = value;
        break;
    case IOAPIC_WINDOW:
        if (s->select == IOAPIC_ID) {
            s->id = value >> 24 & 15;
        } else if (s->select >= IOAPIC_TABLE && s->select < IOAPIC_TABLE + 2 * IOAPIC_PINS) {
            ioapic_write_entry(s, (s->select - IOAPIC_TABLE) >> 1, s->select & 1, value);
        }
        break;
    case IOAPIC_EOI:
        if (s->version >= 0x20) {
            ioapic_end(s, value);
        }
        break;
    }
}

static uint64_t ioapic_read(void *opaque, hwaddr offset, unsigned size)
{
    IoApic *s = opaque;

    switch (offset) {
    case IOAPIC_SELECT:
        return s->select;
    case IOAPIC_WINDOW:
        return ioapic_read_window(s);
    default:
        return 0;
    }
}

bool ioapic_waits(Device *ioapic, unsigned pin)
{
    const IoApic *s = (IoApic *)ioapic;
    uint64_t e = s->table[pin];

    /* Where a remapped one went is not known here. */
    return !(e & RTE_MASKED) && !vm_published(s->dev.vm, X86_REMAPPER) &&
           apic_bus_waits(s->dev.vm, e >> 56, e >> 11 & 1, e & RTE_VECTOR);
}

uint64_t ioapic_sent(Vm *vm, unsigned pin)
{
    const IoApic *s = vm_published(vm, "ioapic");

    return s && pin < IOAPIC_PINS ? s->sent[pin] : 0;
}

void ioapic_print(Vm *vm, GString *out)
{
    IoApic *s = vm_published(vm, "ioapic");

    if (!s) {
        return;
    }
    g_string_append_printf(out, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x\n", s->version, s->id,
                           s->select);
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        uint64_t e = s->table[i];

        g_string_append_printf(out, "  pin %-2u 0x%016" PRIx64 " dest=%u vec=%u %s%s%s\n", i, e,
                               (unsigned)(e >> 56), (unsigned)(e & RTE_VECTOR),
                               e & RTE_LEVEL ? "level" : "edge", e & RTE_MASKED ? " masked" : "",
                               e & RTE_REMOTE_IRR ? " in-service" : "");
    }
}

static bool ioapic_realize(Device *d, GError **error)
{
    IoApic *s = (IoApic *)d, *first = vm_published(d->vm, "ioapic");

    /* The first stays the one that people are told of. */
    if (first) {
        s->next = first->next;
        first->next = s;
    } else {
        vm_publish(d->vm, "ioapic", s);
    }
    return true;
}

static void ioapic_reset(Device *d)
{
    const X86KernelIrq *kernel = vm_published(d->vm, X86_KERNEL_IRQ);
    IoApic *s = (IoApic *)d;

    s->id = s->select = 0;
    s->irr = s->lines = 0;
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        s->table[i] = RTE_MASKED;
    }
    if (kernel && kernel->reset && s == vm_published(d->vm, "ioapic")) {
        kernel->reset(kernel->opaque);
    }
}

static const RegionOps ioapic_ops = {
    .read = ioapic_read,
    .write = ioapic_write,
    .min_size = 4,
    .max_size = 4,
};

static const RegBank ioapic_banks[] = {
    {.name = "mmio", .size = 0x1000, .ops = &ioapic_ops, .help = "select, window, EOI"},
    {0},
};

static const Prop ioapic_props[] = {
    PROP_U32(IoApic, version, "version", 0x20, .min = 0x11, .max = 0x20),
    PROP_END,
};

static const PinRow ioapic_pins[] = {PIN_IN("in", IOAPIC_PINS, ioapic_input), PIN_END};

static const StateField ioapic_state[] = {
    STATE(IoApic, id),
    STATE(IoApic, select),
    STATE(IoApic, irr),
    STATE(IoApic, lines),
    STATE_ARRAY(IoApic, table),
    HOST_ONLY(IoApic, sent, "statistics"),
    HOST_ONLY(IoApic, next, "made at realize"),
    STATE_END,
};

static const DeviceType ioapic_type = {
    .name = "ioapic",
    .category = "misc",
    .desc = "I/O APIC 82093AA",
    .internal = true,
    .size = sizeof(IoApic),
    .state_version = 1,
    .props = ioapic_props,
    .banks = ioapic_banks,
    .pins = ioapic_pins,
    .state = ioapic_state,
    .realize = ioapic_realize,
    .reset = ioapic_reset,
};
DEVICE_TYPE(ioapic_type);
