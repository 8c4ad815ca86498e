// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt controllers of the kernel (Documentation/virt/kvm/api.rst 4.24 to 4.26, 4.71,
 * KVM_CAP_SPLIT_IRQCHIP): local APICs, whose devices here only keep the lines of the 8259A and
 * LINT1, and with kernel-irqchip=on the 8259As and the I/O APIC too. The 8254 stays a device.
 */
#include "x86-kvm.h"

#include <errno.h>
#include <string.h>
#include "exec/x86-apic.h"
#include "util/error.h"

enum {
    PINS = 24,
    GSIS = 2 * PINS
}; /* of an I/O APIC; microvm has two */

typedef struct KernelIrq {
    X86KernelIrq ops;
    Kvm *kvm;
    struct kvm_irq_routing_entry pins[GSIS]; /* type 0: sends nothing that has to be told of */
    struct {
        struct kvm_irq_routing head;
        struct kvm_irq_routing_entry entries[GSIS];
    } table; /* as the kernel has it */
} KernelIrq;

static struct kvm_msi message_of(const X86Interrupt *i)
{
    return (struct kvm_msi){
        .address_lo = APIC_BASE_ADDRESS | (i->dest & 0xff) << 12 | (i->logical ? 4 : 0),
        .address_hi = i->dest & 0xffffff00,
        .data = i->vector | (uint32_t)i->mode << 8 | (i->level ? 3u << 14 : 0),
    };
}

static void deliver(void *opaque, const X86Interrupt *i)
{
    KernelIrq *s = opaque;
    struct kvm_msi m = message_of(i);

    kvm_ioctl(s->kvm->vm_fd, KVM_SIGNAL_MSI, &m);
}

/* ---- split: the kernel has to know which vectors' ends the I/O APIC waits for ---- */

static void route(void *opaque, unsigned gsi, const X86Interrupt *i)
{
    KernelIrq *s = opaque;
    struct kvm_irq_routing_entry e = {0};

    if (gsi >= GSIS) {
        return;
    }
    if (i && i->level) {
        struct kvm_msi m = message_of(i);

        e.gsi = gsi;
        e.type = KVM_IRQ_ROUTING_MSI;
        e.u.msi.address_lo = m.address_lo;
        e.u.msi.address_hi = m.address_hi;
        e.u.msi.data = m.data;
    }
    if (memcmp(&e, &s->pins[gsi], sizeof(e)) == 0) {
        return;
    }
    s->pins[gsi] = e;
    s->table.head.nr = 0;
    for (unsigned n = 0; n < GSIS; n++) {
        if (s->pins[n].type) {
            s->table.entries[s->table.head.nr++] = s->pins[n];
        }
    }
    if (kvm_ioctl(s->kvm->vm_fd, KVM_SET_GSI_ROUTING, &s->table) < 0) {
        warn_report("KVM: interrupts cannot be routed: %s", strerror(errno));
    }
}

/* ---- all of them in the kernel ---- */

static void line(void *opaque, unsigned gsi, int level)
{
    KernelIrq *s = opaque;
    struct kvm_irq_level l = {.irq = gsi, .level = level != 0};

    kvm_ioctl(s->kvm->vm_fd, KVM_IRQ_LINE, &l);
}

static void add_line(KernelIrq *s, unsigned gsi, unsigned chip, unsigned pin)
{
    s->table.entries[s->table.head.nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = {.irqchip = chip, .pin = pin},
    };
}

/* Lines as the board wires them: 0 is pin 2 of the I/O APIC. */
static bool route_lines(KernelIrq *s)
{
    for (unsigned n = 0; n < PINS; n++) {
        if (n < 16 && n != 2) {
            add_line(s, n, n < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, n & 7);
        }
        if (n != 2) {
            add_line(s, n, KVM_IRQCHIP_IOAPIC, n == 0 ? 2 : n);
        }
    }
    return kvm_ioctl(s->kvm->vm_fd, KVM_SET_GSI_ROUTING, &s->table) >= 0;
}

static void reset(void *opaque)
{
    KernelIrq *s = opaque;
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_PIC_MASTER};

    chip.chip.pic.elcr_mask = 0xf8;
    kvm_ioctl(s->kvm->vm_fd, KVM_SET_IRQCHIP, &chip);
    chip.chip_id = KVM_IRQCHIP_PIC_SLAVE;
    chip.chip.pic.elcr_mask = 0xde;
    kvm_ioctl(s->kvm->vm_fd, KVM_SET_IRQCHIP, &chip);
    chip = (struct kvm_irqchip){.chip_id = KVM_IRQCHIP_IOAPIC};
    chip.chip.ioapic.base_address = 0xfec00000;
    for (unsigned n = 0; n < PINS; n++) {
        chip.chip.ioapic.redirtbl[n].bits = 1u << 16; /* masked */
    }
    kvm_ioctl(s->kvm->vm_fd, KVM_SET_IRQCHIP, &chip);
}

/* ---- the choice ---- */

static bool create(KernelIrq *s, bool split)
{
    struct kvm_enable_cap cap = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {GSIS}};

    if (split) {
        return kvm_has(s->kvm, KVM_CAP_SPLIT_IRQCHIP) &&
               kvm_ioctl(s->kvm->vm_fd, KVM_ENABLE_CAP, &cap) >= 0;
    }
    return kvm_has(s->kvm, KVM_CAP_IRQCHIP) &&
           kvm_ioctl(s->kvm->vm_fd, KVM_CREATE_IRQCHIP, NULL) >= 0 && route_lines(s);
}

bool x86_kvm_init_irqchip(Kvm *k, X86Irqchip kind, GError **error)
{
    struct kvm_enable_cap ids = {
        .cap = KVM_CAP_X2APIC_API,
        .args = {KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK},
    };
    bool split = kind != X86_IRQCHIP_ON;
    KernelIrq *s;

    if (kind == X86_IRQCHIP_OFF) {
        warn_report("Userspace local APIC is deprecated for KVM.");
        warn_report("Do not use kernel-irqchip except for the -M isapc machine type.");
        return true;
    }
    s = g_new0(KernelIrq, 1); /* as long as the machine, which nothing frees */
    s->kvm = k;
    if (!kvm_has(k, KVM_CAP_SIGNAL_MSI) || !kvm_has(k, KVM_CAP_IRQ_ROUTING) || !create(s, split)) {
        g_free(s);
        if (kind == X86_IRQCHIP_DEFAULT) {
            return true; /* there is none: the models of the translator serve */
        }
        return fail(error, "kernel-irqchip=%s: the kernel does not have it: %s",
                    split ? "split" : "on", strerror(errno));
    }
    kvm_ioctl(k->vm_fd, KVM_ENABLE_CAP, &ids);
    s->ops = (X86KernelIrq){.deliver = deliver, .opaque = s};
    if (split) {
        s->ops.route = route;
    } else {
        s->ops.line = line;
        s->ops.reset = reset;
    }
    vm_publish(k->accel.vm, X86_KERNEL_IRQ, &s->ops);
    return true;
}

/* ---- a vCPU's local APIC after a reset of the machine: SDM 3A 11.4.7.1 ---- */

static void lapic_set(struct kvm_lapic_state *l, unsigned reg, uint32_t v)
{
    memcpy(l->regs + reg, &v, 4);
}

bool x86_kvm_reset_apic(X86Cpu *c, int fd)
{
    static const uint16_t lvts[] = {0x320, 0x330, 0x340, 0x350, 0x360, 0x370};
    bool first = c->cpu.index == 0;
    struct kvm_mp_state mp = {.mp_state =
                                  first ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED};
    struct kvm_lapic_state l = {0};

    lapic_set(&l, 0x20, c->apic_id << 24);
    lapic_set(&l, 0x30, 0x50014);
    lapic_set(&l, 0xe0, 0xffffffff);
    lapic_set(&l, 0xf0, 0xff);
    for (unsigned n = 0; n < ARRAY_COUNT(lvts); n++) {
        lapic_set(&l, lvts[n], 1u << 16);
    }
    if (first) {
        lapic_set(&l, 0x350, 0x700); /* the 8259A's interrupts get through */
    }
    return kvm_ioctl(fd, KVM_SET_LAPIC, &l) >= 0 && kvm_ioctl(fd, KVM_SET_MP_STATE, &mp) >= 0;
}
