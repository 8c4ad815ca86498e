// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -accel kvm for x86: the type, interrupts into a vCPU whose controllers are the emulator's, INIT
 * and SIPI, the debugger's points. System management mode needs a second view of memory and is not
 * offered.
 */
#include "x86-kvm.h"

#include <errno.h>
#include <string.h>
#include "exec/x86-apic.h"
#include "util/error.h"

/* Pages for real mode on processors that cannot run it; in the hole below 4 GiB. */
#define IDENTITY_PAGE 0xfeffc000ull
#define TSS_PAGES 0xfeffd000ul

/* The accelerator's object. */
typedef struct X86KvmAccel {
    Kvm kvm;
    int irqchip;                       /* X86Irqchip */
} X86KvmAccel;

static bool x86_kvm_init(Kvm *k, GError **error)
{
    int irqchip = ((X86KvmAccel *)k)->irqchip;
    uint64_t identity = IDENTITY_PAGE;

    if (kvm_has(k, KVM_CAP_SET_IDENTITY_MAP_ADDR) &&
        kvm_ioctl(k->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0) {
        return fail_errno(error, errno, "KVM_SET_IDENTITY_MAP_ADDR");
    }
    if (kvm_has(k, KVM_CAP_SET_TSS_ADDR) &&
        kvm_ioctl(k->vm_fd, KVM_SET_TSS_ADDR, (void *)TSS_PAGES) < 0) {
        return fail_errno(error, errno, "KVM_SET_TSS_ADDR");
    }
    irqchip = irqchip ? irqchip : k->accel.vm->machine ? k->accel.vm->machine->kernel_irqchip : 0;
    return x86_kvm_init_irqchip(k, irqchip, error) && x86_kvm_init_msrs(k, error) &&
           x86_kvm_init_features(k, error);
}

static bool x86_kvm_cpu_init(Cpu *cpu, GError **error)
{
    kvm_cpu(cpu)->arch = g_new0(X86KvmCpu, 1);
    return x86_kvm_set_cpuid(cpu, error);
}

static void x86_kvm_cpu_fini(Cpu *cpu)
{
    g_clear_pointer(&kvm_cpu(cpu)->arch, g_free);
}

/* ---- interrupts ---- */

/* True: the vCPU takes it now; else it is told of when it can. */
static bool inject(X86Cpu *c, KvmCpu *v)
{
    struct kvm_interrupt irq;
    int vector;

    if (!v->run->ready_for_interrupt_injection || !(c->eflags & FLAG_IF)) {
        return false;
    }
    vector = c->apic ? apic_take_interrupt(c->apic) : -1;
    if (vector >= 0) {
        irq.irq = (uint32_t)vector;
        kvm_ioctl(v->fd, KVM_INTERRUPT, &irq);
    }
    return true;
}

/* With a local APIC in the kernel: NMIs, and what an 8259A that is a device asks for. */
static bool before_with_apic(Cpu *cpu)
{
    KvmCpu *v = kvm_cpu(cpu);
    uint32_t pending = atomic_load(&cpu->pending);

    cpu_interrupt_clear(cpu, X86_PENDING_SMI | X86_PENDING_MCE | X86_PENDING_INIT |
                                 X86_PENDING_SIPI);
    cpu->halted = false;
    if (pending & CPU_PENDING_NMI) {
        cpu_interrupt_clear(cpu, CPU_PENDING_NMI);
        kvm_ioctl(v->fd, KVM_NMI, NULL);
    }
    v->run->request_interrupt_window = 0;
    if (pending & CPU_PENDING_HARD) {
        inject(X86(cpu), v);
        v->run->request_interrupt_window = (atomic_load(&cpu->pending) & CPU_PENDING_HARD) != 0;
    }
    return true;
}

static bool x86_kvm_before(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    KvmCpu *v = kvm_cpu(cpu);
    uint32_t pending = atomic_load(&cpu->pending);

    if (x86_kvm_has_apic(c)) {
        return before_with_apic(cpu);
    }
    if (pending & (X86_PENDING_INIT | X86_PENDING_SIPI)) {
        kvm_cpu_sync(cpu);
        x86_interrupt(cpu, pending & X86_PENDING_INIT);
        x86_interrupt(cpu, pending & X86_PENDING_SIPI);
    }
    cpu_interrupt_clear(cpu, X86_PENDING_SMI | X86_PENDING_MCE);
    if (cpu->halted) {
        if (c->wait_sipi || !x86_has_work(cpu)) {
            return false;
        }
        cpu->halted = false;
    }
    pending = atomic_load(&cpu->pending);
    if (pending & CPU_PENDING_NMI) {
        cpu_interrupt_clear(cpu, CPU_PENDING_NMI);
        kvm_ioctl(v->fd, KVM_NMI, NULL);
    }
    v->run->request_interrupt_window = 0;
    if (pending & CPU_PENDING_HARD) {
        inject(c, v);
        v->run->request_interrupt_window = (atomic_load(&cpu->pending) & CPU_PENDING_HARD) != 0;
    }
    if (c->apic) {
        v->run->cr8 = apic_cr8(c->apic);
    }
    return true;
}

static void x86_kvm_after(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    const struct kvm_run *run = kvm_cpu(cpu)->run;

    c->eflags = (c->eflags & ~FLAG_IF) | (run->if_flag ? FLAG_IF : 0);
    if (c->apic && !apic_in_kernel(c->apic)) {
        if (run->cr8 != apic_cr8(c->apic)) {
            apic_set_cr8(c->apic, (unsigned)run->cr8);
        }
        if (run->apic_base != apic_base(c->apic)) {
            apic_set_base(c->apic, run->apic_base);
        }
    }
}

static unsigned x86_kvm_vcpu_id(const Cpu *cpu)
{
    return ((const X86Cpu *)cpu)->apic_id;    /* the kernel's APIC has it from here */
}

static bool x86_kvm_exit(Cpu *cpu, const struct kvm_run *run)
{
    if (run->exit_reason == KVM_EXIT_IOAPIC_EOI) {
        ioapic_eoi_broadcast(cpu->dev.vm, run->eoi.vector);
        return true;
    }
    return run->exit_reason == KVM_EXIT_SET_TPR;
}

/* ---- the debugger: four points by the processor's debug registers (SDM 3B 17.2) ---- */

static void add_point(struct kvm_guest_debug *d, unsigned n, const Breakpoint *p, bool watch)
{
    unsigned kind = !watch ? 0 : p->flags & BP_READ ? 3 : 1;
    unsigned len = !watch || p->len == 1 ? 0 : p->len == 2 ? 1 : p->len == 8 ? 2 : 3;

    d->control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
    d->arch.debugreg[n] = p->va;
    d->arch.debugreg[7] |= 0x600 | 2ull << 2 * n | (uint64_t)kind << (16 + 4 * n) |
                           (uint64_t)len << (18 + 4 * n);
}

static void x86_kvm_debug(Cpu *cpu, struct kvm_guest_debug *d)
{
    GArray *lists[2] = {cpu->breakpoints, cpu->watchpoints};
    unsigned n = 0;

    for (unsigned l = 0; l < 2; l++) {
        for (unsigned i = 0; lists[l] && i < lists[l]->len; i++) {
            const Breakpoint *p = &g_array_index(lists[l], Breakpoint, i);

            if (!(p->flags & BP_DEBUGGER)) {
                continue;
            }
            if (n == 4) {
                warn_report("KVM: more than four breakpoints and watchpoints: some have no effect");
                return;
            }
            add_point(d, n++, p, l == 1);
        }
    }
}

/* ---- the type ---- */

static const KvmArch x86_kvm = {
    .init = x86_kvm_init,
    .cpu_init = x86_kvm_cpu_init,
    .cpu_fini = x86_kvm_cpu_fini,
    .put = x86_kvm_put,
    .get = x86_kvm_get,
    .before = x86_kvm_before,
    .after = x86_kvm_after,
    .vcpu_id = x86_kvm_vcpu_id,
    .own_exit = x86_kvm_exit,
    .debug = x86_kvm_debug,
};

static const char *const irqchip_names[] = {"", "off", "on", "split", NULL};

static const Prop kvm_props[] = {
    PROP_ENUM(X86KvmAccel, irqchip, "kernel-irqchip", 0, irqchip_names,
              .help = "on, split (local APICs only) or off: interrupt controllers in the kernel"),
    PROP_END,
};

static bool type_init(Accel *a, Vm *vm, GError **error)
{
    return kvm_init(a, &x86_kvm, vm, error);
}

static const AccelType kvm_type = {
    .object = {.name = "kvm-accel", .parent = "accel", .desc = "the host's processor",
               .size = sizeof(X86KvmAccel), .props = kvm_props},
    .thread_name = "KVM",
    .init = type_init,
    .fini = kvm_fini,
    .cpu_create = kvm_cpu_create,
    .cpu_destroy = kvm_cpu_destroy,
    .cpu_exec = kvm_cpu_exec,
    .cpu_kick = kvm_cpu_kick,
    .cpu_sync = kvm_cpu_sync,
    .debug_changed = kvm_debug_changed,
    .no_smm = true,
};
ACCEL_TYPE(kvm_type);
