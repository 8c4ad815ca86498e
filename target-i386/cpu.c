// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vCPU as a device: types from the table of models, realize, reset (SDM 3A table 9-1), pins,
 * and the key that names its translations.
 */
#include "target-i386/state.h"
#include "target-i386/models.h"

#include <string.h>
#include "exec/x86-apic.h"
#include "qom/vm.h"
#include "target-i386/seg.h"

void x86_block_key(Cpu *cpu, BlockKey *key)
{
    X86Cpu *c = X86(cpu);
    uint32_t mode = c->cpl | (c->eflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT << MODE_IOPL_SHIFT;

    if (c->efer & EFER_LMA) {
        mode |= MODE_LMA;
    }
    if (x86_code64(c)) {
        mode |= MODE_CS64;
        key->base = 0;
        key->pc = c->rip;
    } else {
        mode |= c->segs[S_CS].flags & SEG_B ? MODE_CS32 : 0;
        mode |= c->segs[S_SS].flags & SEG_B ? MODE_SS32 : 0;
        mode |= c->seg_mode;
        /* code ends where CS does: part of the key, but for the plain limit of 64 KiB */
        key->base = (uint32_t)c->segs[S_CS].base;
        key->base |=
            c->seg_mode & MODE_CSLIMIT ? (uint64_t)(c->segs[S_CS].limit ^ 0xffff) << 32 : 0;
        key->pc = (uint32_t)(c->rip + c->segs[S_CS].base);
        if (!(c->cr0 & CR0_PE) || (c->eflags & FLAG_VM) ||
            (c->segs[S_DS].base | c->segs[S_ES].base | c->segs[S_SS].base) != 0) {
            mode |= MODE_ADDSEG;
        }
    }
    mode |= c->cr0 & CR0_PE ? MODE_PE : 0;
    mode |= c->cr0 & CR0_EM ? MODE_EM : 0;
    mode |= c->cr0 & CR0_TS ? MODE_TS : 0;
    mode |= c->cr0 & CR0_MP ? MODE_MP : 0;
    mode |= c->eflags & FLAG_VM ? MODE_VM : 0;
    mode |= (c->eflags & FLAG_TF) || c->guest_step ? MODE_TF : 0;
    mode |= c->eflags & FLAG_RF ? MODE_RF : 0;
    mode |= c->inhibit_irq ? MODE_INHIBIT : 0;
    mode |= c->smm ? MODE_SMM : 0;
    mode |= c->guest ? MODE_GUEST : 0;
    mode |= c->cr4 & CR4_OSFXSR ? MODE_OSFXSR : 0;
    mode |= c->cr4 & CR4_FSGSBASE ? MODE_FSGSBASE : 0;
    mode |= c->cr4 & CR4_UMIP ? MODE_UMIP : 0;
    mode |= (c->mxcsr & MXCSR_MASKS) != MXCSR_MASKS ? MODE_XM : 0;
    mode |= c->mxcsr & MXCSR_MM ? MODE_MM : 0;
    if (c->cpl == 3 && (c->eflags & FLAG_AC) && (c->cr0 & CR0_AM)) {
        mode |= MODE_AC;
    }
    if (c->cr4 & CR4_OSXSAVE) {
        mode |= MODE_OSXSAVE;
        mode |= (c->xcr0 & (XCR0_SSE | XCR0_AVX)) == (XCR0_SSE | XCR0_AVX) ? MODE_AVX : 0;
        mode |= mode & MODE_AVX && (c->xcr0 & XCR0_AVX512) == XCR0_AVX512 ? MODE_AVX512 : 0;
    }
    if ((c->cr4 & CR4_SMAP) && c->cpl < 3 && !(c->eflags & FLAG_AC)) {
        mode |= MODE_KSMAP;
    }
    key->mode = mode;
}

/* ---- reset ---- */

static void reset_segments(X86Cpu *c)
{
    for (unsigned i = 0; i < 6; i++) {
        x86_set_seg(c, i, 0, 0, 0xffff, SEG_P | SEG_S | SEG_W | SEG_A);
    }
    x86_set_seg(c, S_CS, 0xf000, 0xffff0000, 0xffff, SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A);
    c->ldt = (X86Seg){.limit = 0xffff, .flags = SEG_P | SYS_LDT << SEG_TYPE_SHIFT};
    c->tr = (X86Seg){.limit = 0xffff, .flags = SEG_P | SYS_TSS32_BUSY << SEG_TYPE_SHIFT};
    c->gdt = (X86TableReg){.limit = 0xffff};
    c->idt = (X86TableReg){.limit = 0xffff};
}

/* What power-up and RESET change, and INIT does not. */
static void reset_power_on(X86Cpu *c)
{
    c->resets++;
    x86_fpu_reset(c);
    memset(c->xmm, 0, sizeof(c->xmm));
    memset(c->ymm_hi, 0, sizeof(c->ymm_hi));
    memset(c->zmm_hi, 0, sizeof(c->zmm_hi));
    memset(c->zmm_more, 0, sizeof(c->zmm_more));
    memset(c->opmask, 0, sizeof(c->opmask));
    c->xcr0 = XCR0_X87;
    c->pkru = 0;
    c->xss = 0;
    c->star = c->lstar = c->cstar = c->sfmask = c->kernel_gs_base = c->tsc_aux = 0;
    c->sysenter_cs = c->sysenter_esp = c->sysenter_eip = 0;
    c->tsc_offset = 0; /* guest time itself, so that all CPUs agree */
    c->tsc_adjust = 0;
    c->pat = 0x0007040600070406ull;
    c->mtrr_def_type = 0;
    memset(c->mtrr_fixed, 0, sizeof(c->mtrr_fixed));
    memset(c->mtrr_var, 0, sizeof(c->mtrr_var));
    c->misc_enable = 1;
    c->mcg_status = 0;
    c->mcg_ctl = UINT64_MAX;
    memset(c->mce_banks, 0, sizeof(c->mce_banks));
    for (unsigned i = 0; i < 10; i++) {
        c->mce_banks[i * 4] = UINT64_MAX;
    }
    c->spec_ctrl = c->feature_control = c->debugctl = 0;
    c->svm.vm_cr = c->svm.hsave_pa = 0;
    c->smbase = 0x30000;
}

void x86_cpu_reset(X86Cpu *c, bool init_only)
{
    bool is_bsp = c->cpu.index == 0;

    memset(c->regs, 0, sizeof(c->regs));
    c->regs[R_DX] = c->cpuid_version;
    c->rip = 0xfff0;
    c->cc_op = CC_EFLAGS;
    c->cc_src = c->cc_dst = c->cc_src2 = 0;
    c->df = 1;
    c->eflags = FLAG_1;
    c->inhibit_irq = 0;
    x86_set_cpl(c, 0);
    reset_segments(c);
    c->cr0 = CR0_ET | (init_only ? c->cr0 & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW);
    c->cr2 = c->cr3 = c->cr4 = 0;
    c->efer = 0;
    memset(c->dr, 0, sizeof(c->dr));
    c->dr[6] = DR6_FIXED;
    c->dr[7] = DR7_FIXED;
    x86_update_breakpoints(c);
    x86_set_smm(c, false);
    x86_virt_reset(c);
    c->nmi_masked = false;
    c->old_exception = -1;
    c->cpu.exception = CPU_EXC_NONE;
    if (!init_only) {
        reset_power_on(c);
        c->cpu.pending &= ~(uint32_t)(CPU_PENDING_NMI | X86_PENDING_SMI | X86_PENDING_INIT |
                                      X86_PENDING_SIPI | X86_PENDING_MCE);
    } else if (c->apic) {
        apic_init_reset(c->apic);
    }
    c->wait_sipi = !is_bsp;
    /* in the kernel another one waits for its SIPI */
    c->cpu.halted = !is_bsp && !(c->apic && apic_in_kernel(c->apic));
    tlb_flush(&c->cpu);
}

static void cpu_device_reset(Device *d)
{
    X86Cpu *c = (X86Cpu *)d;

    x86_cpu_reset(c, false);
    if (c->apic) {
        device_reset(c->apic);
    }
}

/* ---- life ---- */

/* Into the list, with its APIC and its thread. */
static bool cpu_start(X86Cpu *c, GError **error)
{
    Device *d = &c->cpu.dev;
    Vm *vm = d->vm;

    g_ptr_array_add(vm->cpus, c);
    if (x86_has_feature(c, FEAT_APIC)) {
        c->apic = apic_create(&c->cpu, c->apic_id, x86_has_feature(c, FEAT_X2APIC), error);
        if (!c->apic) {
            g_ptr_array_remove(vm->cpus, c);
            return false;
        }
    }
    x86_vmx_init(c);
    c->cpu.hold = true; /* until it is reset */
    if (!cpu_start_thread(&c->cpu, error)) {
        g_ptr_array_remove(vm->cpus, c);
        return false;
    }
    cpu_device_reset(d);
    c->cpu.hold = false;
    cpu_wake(&c->cpu);
    x86_cpu_tell_slots(c, true);
    return true;
}

static bool cpu_realize(Device *d, GError **error)
{
    X86Cpu *c = (X86Cpu *)d;
    Vm *vm = d->vm;

    c->cpu.arch = target_arch;
    c->cpu.as = vm->memory_as;
    c->cpu.io = vm->io_as;
    if (!vm->cpus) {
        vm->cpus = g_ptr_array_new();
    }
    if (!x86_cpu_place(c, error) || !x86_model_finish(c, error)) {
        return false;
    }
    if (target_arch->word_bits == 64 && vm->machine && !x86_has_feature(c, FEAT_APIC) &&
        vm->cpus->len) {
        return fail(error, "CPU model '%s' has no APIC, so there can be one CPU only",
                    c->model->name);
    }
    /* Others look through the list without a lock: they wait meanwhile. */
    bool paused = d->hotplugged && runstate_running();

    if (paused) {
        vm_pause_cpus(vm);
    }
    bool ok = cpu_start(c, error);

    if (paused) {
        vm_resume_cpus(vm);
    }
    return ok;
}

static void cpu_unrealize(Device *d)
{
    X86Cpu *c = (X86Cpu *)d;
    bool paused = runstate_running();

    if (paused) {
        vm_pause_cpus(d->vm);
    }
    cpu_stop_thread(&c->cpu);
    x86_vmx_finish(c);
    g_ptr_array_remove(d->vm->cpus, c);
    if (c->apic) {
        device_unplug(c->apic);
        c->apic = NULL;
    }
    if (paused) {
        vm_resume_cpus(d->vm);
    }
    x86_cpu_tell_slots(c, false);
}

/* ---- pins: see exec/x86-apic.h ---- */

static void pin_intr(Device *d, unsigned pin, int level)
{
    X86Cpu *c = (X86Cpu *)d;

    if (c->apic) {
        apic_set_lint(c->apic, 0, level);
    } else if (level) {
        cpu_interrupt(&c->cpu, CPU_PENDING_HARD);
    } else {
        cpu_interrupt_clear(&c->cpu, CPU_PENDING_HARD);
    }
}

/* SDM 3A 10.1: the NMI pin is LINT1, whose entry in the local APIC says what becomes of it. */
static void pin_nmi(Device *d, unsigned pin, int level)
{
    X86Cpu *c = (X86Cpu *)d;

    if (c->apic) {
        apic_set_lint(c->apic, 1, level);
    } else if (level) {
        cpu_interrupt(&c->cpu, CPU_PENDING_NMI);
    }
}

static void pin_smi(Device *d, unsigned pin, int level)
{
    if (level) {
        cpu_interrupt((Cpu *)d, X86_PENDING_SMI);
    }
}

static void a20_changed(Cpu *cpu, uint64_t off)
{
    X86(cpu)->a20_mask_bit = off ? 1u << 20 : 0;
    tlb_flush(cpu);
}

static void pin_a20(Device *d, unsigned pin, int level)
{
    X86Cpu *c = (X86Cpu *)d;
    uint8_t was = c->a20_inputs;
    GPtrArray *cpus = d->vm->cpus;

    c->a20_inputs = level ? was | 1u << pin : was & ~(1u << pin);
    if (!c->a20_inputs == !was) {
        return;
    }
    for (unsigned i = 0; i < cpus->len; i++) {
        Cpu *cpu = cpus->pdata[i];

        if (cpu == current_cpu()) {
            a20_changed(cpu, !c->a20_inputs);
            cpu_interrupt(cpu, CPU_PENDING_EXIT);
        } else {
            cpu_run_on(cpu, a20_changed, !c->a20_inputs);
        }
    }
}

/* ---- types ---- */

static const PinRow cpu_pins[] = {
    PIN_IN("extint", 1, pin_intr), PIN_IN("intr", 1, pin_intr), PIN_IN("nmi", 1, pin_nmi),
    PIN_IN("smi", 1, pin_smi),     PIN_IN("a20", 2, pin_a20),   PIN_END,
};

static const Prop cpu_props[] = {
    PROP_U32(X86Cpu, apic_id, "apic-id", UINT32_MAX,
             .help = "local APIC ID; by topology if not given"),
    PROP_I32(X86Cpu, socket_id, "socket-id", -1),
    PROP_I32(X86Cpu, die_id, "die-id", -1),
    PROP_I32(X86Cpu, core_id, "core-id", -1),
    PROP_I32(X86Cpu, thread_id, "thread-id", -1),
    PROP_I32(X86Cpu, node_id, "node-id", -1),
    PROP_END,
};

/* Types are built once, by model; the binary's name is part of theirs. */
static gpointer build_types(gpointer unused)
{
    g_autofree char *base = g_strdup_printf("%s-cpu", target_arch->name);
    GPtrArray *types = g_ptr_array_new();
    const CpuModelInfo *info;
    DeviceType *t = g_new0(DeviceType, 1);

    *t = (DeviceType){
        .name = g_steal_pointer(&base),
        .desc = "x86 CPU",
        .category = "cpu",
        .abstract = true,
        .internal = true,
        .hotpluggable = true,
        .unplug_request = x86_cpu_unplug_request,
        .size = sizeof(X86Cpu),
        .props = x86_model_props(cpu_props),
        .pins = cpu_pins,
        .state_version = 1,
        .state = x86_cpu_state,
        .post_load = x86_cpu_loaded,
        .unsaved = x86_cpu_unsaved,
        .realize = cpu_realize,
        .unrealize = cpu_unrealize,
        .reset = cpu_device_reset,
    };
    g_ptr_array_add(types, t);
    for (unsigned i = 0; (info = x86_model_info(i)) != NULL; i++) {
        DeviceType *m = g_new0(DeviceType, 1);

        *m = (DeviceType){
            .name = info->type_name,
            .parent = t->name,
            .desc = info->desc,
            .category = "cpu",
            .hotpluggable = true,
            .size = sizeof(X86Cpu),
        };
        g_ptr_array_add(types, m);
    }
    g_ptr_array_add(types, NULL);
    return types;
}

static const ObjectType *cpu_type(unsigned i)
{
    static GOnce once = G_ONCE_INIT; /* guards the list, which lives as long as the process */
    GPtrArray *types = g_once(&once, build_types, NULL);

    return types->pdata[i];
}
TYPE_PROVIDER(KIND_CPU, cpu_type);
