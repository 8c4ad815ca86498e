// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vCPU as a device: types from the table of models, realize, reset, pins, and what boards and
 * interrupt controllers ask by exec/arm-cpu.h.
 */
#include "target-arm/debug.h"
#include "target-arm/models.h"

#include <string.h>
#include "qom/vm.h"
#include "target-arm/mte.h"
#include "target-arm/pmu.h"
#include "target-arm/sysreg.h"
#include "util/main-loop.h"

/* ---- reset ---- */

static void reset_sctlr(ArmCpu *c)
{
    uint64_t v = c->id.sctlr              ? c->id.sctlr
                 : c->aarch64_prop        ? 0x00c50838
                 : arm_has(c, FEATURE_V7) ? 0x00c50078
                 : arm_has(c, FEATURE_V6) ? 0x00050078
                                          : 0x00090078;

    for (unsigned el = 1; el <= 3; el++) {
        c->sctlr[el] =
            v | (c->cfgend ? SCTLR_EE : 0) | (!c->aarch64_prop && c->reset_hivecs ? SCTLR_V : 0);
    }
}

/* The state that a boot loader or firmware hands over at `e`. */
static void enter(ArmCpu *c, const ArmEntry *e)
{
    unsigned top = c->has_el3 ? 3 : c->has_el2 ? 2 : 1, el = MIN(e->el, top);

    if (el == 2 && !c->has_el2) {
        el = 1;
    }
    if (c->aarch64_prop) {
        if (el < 3 && c->has_el3) {
            c->scr = (e->aarch64 ? SCR_RW : 0) | (e->secure ? 0 : SCR_NS) | SCR_HCE | 3ull << 16 |
                     1ull << 26 | 0x30;
            c->cptr_el3 = 1 << 8;
            c->zcr[3] = 15;
        }
        if (el < 2 && c->has_el2) {
            c->hcr = e->aarch64 ? HCR_RW : 0;
            c->cptr_el2 &= ~(1ull << 8);
            c->zcr[2] = 15;
        }
        arm_set_pstate(c, e->aarch64
                              ? PSTATE_DAIF | el << PSTATE_EL_SHIFT | PSTATE_SP
                              : PSTATE_A | PSTATE_I | PSTATE_F | (el == 2 ? A32_HYP : A32_SVC));
    } else {
        if (el < 3 && c->has_el3 && !e->secure) {
            c->scr |= SCR_NS | SCR_HCE;
            arm_a32_world(c);
        }
        c->nsacr = 3 << 10;
        arm_set_a32_mode(c, el == 2 && c->has_el2 ? A32_HYP : A32_SVC);
    }
    if (arm_is_a32(c)) {
        c->pstate = e->pc & 1 ? c->pstate | PSTATE_T : c->pstate & ~PSTATE_T;
        c->pc = (uint32_t)e->pc & (e->pc & 1 ? ~1u : ~3u);
    } else {
        c->pc = e->pc;
    }
    for (unsigned i = 0; i < 4; i++) {
        c->x[i] = arm_is_a32(c) ? (uint32_t)e->x[i] : e->x[i];
    }
}

void arm_cpu_reset(ArmCpu *c)
{
    c->resets++;
    memset(c->x, 0, sizeof(c->x));
    memset(c->sp_el, 0, sizeof(c->sp_el));
    memset(c->z, 0, sizeof(c->z));
    memset(c->p, 0, sizeof(c->p));
    c->zlive = 0;
    memset(c->bank_sp, 0, sizeof(c->bank_sp));
    memset(c->bank_lr, 0, sizeof(c->bank_lr));
    memset(c->bank_spsr, 0, sizeof(c->bank_spsr));
    arm_sysregs_reset(c);
    reset_sctlr(c);
    c->tpidr_el0 = c->tpidrro_el0 = 0;
    arm_a32_banks_reset(c);
    c->scr = c->hcr = c->cntvoff = c->mdscr = c->fpexc = c->mvbar = c->nsacr = 0;
    if (c->has_el3 && c->aarch64_prop) {
        c->scr = 0x30 | (arm_has(c, FEATURE_A32_EL1) ? 0 : SCR_RW);
    }
    c->cptr_el2 = c->aarch64_prop ? 0x33ff & ~0x400 & ~0x100000 : 0;
    c->cpacr = 0;
    c->vpidr = c->id.midr;
    c->vmpidr = arm_mpidr(c);
    c->oslsr = 10;
    arm_pmu_reset(c);
    c->rmr = c->aarch64_prop;
    c->cntfrq = c->gt_scale_hz;
    c->excl_addr = UINT64_MAX;
    c->event = false;
    c->it = c->q = c->ge = 0;
    c->cc_op = CC_NZCV;
    c->cc_a = c->cc_b = 0;
    c->vfp_len_stride = 0;
    arm_set_fpcr(c, 0);
    arm_set_fpsr(c, 0);
    c->rvbar_cur = c->rvbar;
    if (c->aarch64_prop) {
        unsigned el = c->has_el3 ? 3 : c->has_el2 ? 2 : 1;

        c->pstate = PSTATE_DAIF | el << PSTATE_EL_SHIFT | PSTATE_SP;
        c->pc = c->rvbar;
    } else {
        c->pstate = PSTATE_A | PSTATE_I | PSTATE_F | A32_SVC;
        c->pc = c->reset_hivecs ? 0xffff0000 : c->rvbar;
    }
    for (unsigned i = 0; i < GT_COUNT; i++) {
        c->gt[i].ctl = c->gt[i].cval = 0;
    }
    arm_timers_update(c);
    c->cpu.exception = CPU_EXC_NONE;
    c->powered_off = c->start_powered_off;
    c->cpu.halted = c->powered_off;
    if (arm_has(c, FEATURE_M)) {
        arm_m_reset(c);
    } else if (c->has_entry) {
        enter(c, &c->entry);
    }
    c->tagged_seen = c->guarded_seen = false;
    arm_debug_update(c);
    tlb_flush(&c->cpu);
    arm_el_changed(c);
}

static void cpu_device_reset(Device *d)
{
    arm_cpu_reset((ArmCpu *)d);
}

/* ---- boards' and devices' side ---- */

static void provide_sysregs(Cpu *cpu, const ArmSysregRow *rows, void *opaque)
{
    ArmCpu *c = ARM(cpu);

    if (!c->provided) {
        c->provided = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    for (; rows->name; rows++) {
        for (unsigned form = 0; form < 2; form++) {
            uint32_t id = form ? rows->cp15 : rows->id;

            if (id) {
                ArmProvided *p = g_new(ArmProvided, 1);

                *p = (ArmProvided){rows, opaque};
                g_hash_table_insert(c->provided, GUINT_TO_POINTER(id), p);
            }
        }
    }
}

static void set_gic_sysregs(Cpu *cpu, bool there)
{
    ArmCpu *c = ARM(cpu);

    c->id.pfr0 = (c->id.pfr0 & ~0xf000000ull) | (there ? 1ull << 24 : 0);
    c->id.a32_pfr1 = (c->id.a32_pfr1 & ~0xf0000000u) | (there ? 1u << 28 : 0);
}

static void view(Cpu *cpu, ArmCpuView *v)
{
    ArmCpu *c = ARM(cpu);

    *v = (ArmCpuView){
        .el = arm_el(c),
        .aarch64 = !arm_is_a32(c),
        .secure = arm_secure(c),
        .has_el2 = c->has_el2,
        .has_el3 = c->has_el3,
        .el1_aarch64 = c->aarch64_prop,
        .el3_aarch64 = c->aarch64_prop,
        .hcr_el2 = arm_hcr(c),
        .scr_el3 = c->scr,
        .mpidr = arm_mpidr(c),
    };
}

static void on_el_change(Cpu *cpu, void (*fn)(void *opaque), void *opaque)
{
    ARM(cpu)->el_change = fn;
    ARM(cpu)->el_change_opaque = opaque;
}

static void set_entry(Cpu *cpu, const ArmEntry *entry)
{
    ArmCpu *c = ARM(cpu);

    c->has_entry = entry != NULL;
    if (entry) {
        c->entry = *entry;
    }
}

typedef struct PowerUp {
    ArmEntry entry;
    unsigned resets;                    /* at the time of the call: a reset, or a load, undoes it */
} PowerUp;

static void power_up_now(Cpu *cpu, uint64_t data)
{
    ArmCpu *c = ARM(cpu);
    g_autofree PowerUp *up = (PowerUp *)(uintptr_t)data;
    ArmEntry saved = c->entry;
    bool had = c->has_entry;

    if (up->resets != c->resets) {
        return;
    }
    c->has_entry = true;
    c->entry = up->entry;
    arm_cpu_reset(c);
    c->has_entry = had;
    c->entry = saved;
    c->powered_off = false;
    cpu->halted = false;
}

void arm_power_up(ArmCpu *c, const ArmEntry *entry)
{
    PowerUp *up = g_new(PowerUp, 1);

    *up = (PowerUp){*entry, c->resets};
    /* from now on it counts as on */
    c->powered_off = false;
    cpu_run_on(&c->cpu, power_up_now, (uint64_t)(uintptr_t)up);
}

static void power_on(Cpu *cpu, const ArmEntry *entry)
{
    arm_power_up(ARM(cpu), entry);
}

static void power_off_now(Cpu *cpu, uint64_t data)
{
    if (data == ARM(cpu)->resets) {
        ARM(cpu)->powered_off = true;
        cpu->halted = true;
    }
}

static void power_off(Cpu *cpu)
{
    cpu_run_on(cpu, power_off_now, ARM(cpu)->resets);
}

static bool powered(Cpu *cpu)
{
    return !ARM(cpu)->powered_off;
}

static uint64_t affinity(Cpu *cpu)
{
    return ARM(cpu)->mp_affinity;
}

const ArmCpuHooks arm_cpu_hooks = {
    .m = {.is_m = arm_m_is, .has_security = arm_m_has_security, .configure = arm_m_configure, .set_vtor_secure = arm_m_set_vtor_secure, .irq = arm_m_irq, .nmi = arm_m_nmi, .systick = arm_m_systick, .scs = arm_m_scs},
    .provide_sysregs = provide_sysregs, .set_gic_sysregs = set_gic_sysregs, .view = view, .on_el_change = on_el_change,
    .set_entry = set_entry, .power_on = power_on, .power_off = power_off, .powered = powered, .affinity = affinity,
};

/* ---- life ---- */

static bool cpu_realize(Device *d, GError **error)
{
    ArmCpu *c = (ArmCpu *)d;
    Vm *vm = d->vm;

    if (!c->model) {    /* made by -device */
        g_autofree char *name =
            g_strndup(d->obj.type->name, strlen(d->obj.type->name) - strlen("-arm-cpu"));

        arm_model_apply(c, arm_model_find(name));
    }
    if (c->midr) {
        c->id.midr = c->midr;
    }
    c->cpu.arch = target_arch;
    c->cpu.as = vm->memory_as;
    if (!vm->cpus) {
        vm->cpus = g_ptr_array_new();
    }
    c->cpu.index = vm->cpus->len;
    if (c->mp_affinity == UINT64_MAX) {
        c->mp_affinity = (c->cpu.index / 8) << 8 | c->cpu.index % 8;
    }
    if (!arm_model_finish(c, error)) {
        return false;
    }
    if (arm_has(c, FEATURE_M)) {
        arm_m_init(c);
    }
    if (!arm_tags_init(c, error)) {
        return false;
    }
    arm_timers_init(c);
    arm_pmu_init(c);
    g_ptr_array_add(vm->cpus, c);
    if (!cpu_start_thread(&c->cpu, error)) {
        g_ptr_array_remove(vm->cpus, c);
        return false;
    }
    cpu_device_reset(d);
    return true;
}

static void cpu_unrealize(Device *d)
{
    ArmCpu *c = (ArmCpu *)d;

    cpu_stop_thread(&c->cpu);
    for (unsigned i = 0; i < GT_COUNT; i++) {
        timer_cancel(&c->gt[i].timer);
    }
    timer_cancel(&c->pmu_timer);
    g_ptr_array_remove(d->vm->cpus, c);
    g_clear_pointer(&c->provided, g_hash_table_destroy);
}

/* ---- pins ---- */

static void line(Device *d, unsigned n, uint32_t bit, int level)
{
    Cpu *cpu = (Cpu *)d;

    ARM(cpu)->lines = level ? ARM(cpu)->lines | 1u << n : ARM(cpu)->lines & ~(1u << n);
    if (level) {
        cpu_interrupt(cpu, bit);
    } else {
        cpu_interrupt_clear(cpu, bit);
    }
}

static void pin_irq(Device *d, unsigned pin, int level)
{
    line(d, 0, CPU_PENDING_HARD, level);
}

static void pin_fiq(Device *d, unsigned pin, int level)
{
    line(d, 1, ARM_PENDING_FIQ, level);
}

static void pin_virq(Device *d, unsigned pin, int level)
{
    line(d, 2, ARM_PENDING_VIRQ, level);
}

static void pin_vfiq(Device *d, unsigned pin, int level)
{
    line(d, 3, ARM_PENDING_VFIQ, level);
}

static const PinRow cpu_pins[] = {
    PIN_IN("irq", 1, pin_irq), PIN_IN("fiq", 1, pin_fiq), PIN_IN("virq", 1, pin_virq), PIN_IN("vfiq", 1, pin_vfiq),
    PIN_OUT(ArmCpu, gt[GT_PHYS].out, "gt-phys"), PIN_OUT(ArmCpu, gt[GT_VIRT].out, "gt-virt"),
    PIN_OUT(ArmCpu, gt[GT_HYP].out, "gt-hyp"), PIN_OUT(ArmCpu, gt[GT_SEC].out, "gt-sec"),
    PIN_OUT(ArmCpu, gt[GT_HYPVIRT].out, "gt-hypvirt"), PIN_OUT(ArmCpu, pmu_out, "pmu"), PIN_END,
};

static const Prop cpu_props[] = {
    PROP_BOOL(ArmCpu, has_tags, "tag-memory", false), PROP_BOOL(ArmCpu, has_el2, "has_el2", true), PROP_BOOL(ArmCpu, has_el3, "has_el3", true),
    PROP_BOOL(ArmCpu, start_powered_off, "start-powered-off", false), PROP_BOOL(ArmCpu, has_pmu, "pmu", true),
    PROP_BOOL(ArmCpu, has_vfp, "vfp", true), PROP_BOOL(ArmCpu, has_dsp, "dsp", true),
    PROP_BOOL(ArmCpu, aarch64_prop, "aarch64", true), PROP_BOOL(ArmCpu, cfgend, "cfgend", false),
    PROP_BOOL(ArmCpu, reset_hivecs, "reset-hivecs", false), PROP_U64(ArmCpu, mp_affinity, "mp-affinity", UINT64_MAX),
    PROP_U64(ArmCpu, rvbar, "rvbar", 0), PROP_U64(ArmCpu, reset_cbar, "reset-cbar", 0),
    PROP_U64(ArmCpu, midr, "midr", 0, .help = "identity; 0: that of the model"),
    PROP_U64(ArmCpu, cntfrq, "cntfrq", 62500000), PROP_U32(ArmCpu, psci_conduit, "psci-conduit", 0),
    PROP_I32(ArmCpu, socket_id, "socket-id", -1), PROP_I32(ArmCpu, cluster_id, "cluster-id", -1),
    PROP_I32(ArmCpu, core_id, "core-id", -1), PROP_I32(ArmCpu, thread_id, "thread-id", -1),
    PROP_I32(ArmCpu, node_id, "node-id", -1), PROP_END,
};

/* Types are built once, by model. */
static gpointer build_types(gpointer unused)
{
    GPtrArray *types = g_ptr_array_new();
    DeviceType *t = g_new0(DeviceType, 1);

    *t = (DeviceType){
        .name = "arm-cpu", .desc = "ARM CPU", .category = "cpu", .abstract = true, .internal = true,
        .size = sizeof(ArmCpu), .props = cpu_props, .pins = cpu_pins, .realize = cpu_realize,
        .unrealize = cpu_unrealize, .reset = cpu_device_reset, .state_version = 1,
        .state = arm_cpu_state, .unsaved = arm_cpu_unsaved,
        .saving = arm_cpu_saving, .post_load = arm_cpu_loaded,
    };
    g_ptr_array_add(types, t);
    for (unsigned i = 0; i < arm_num_models; i++) {
        DeviceType *m = g_new0(DeviceType, 1);

        *m = (DeviceType){
            .name = g_strdup_printf("%s-arm-cpu", arm_models[i].name),
            .parent = "arm-cpu",
            .desc = arm_models[i].name,
            .category = "cpu",
            .size = sizeof(ArmCpu),
        };
        g_ptr_array_add(types, m);
    }
    g_ptr_array_add(types, NULL);
    return types;
}

static const ObjectType *cpu_type(unsigned i)
{
    static GOnce once = G_ONCE_INIT;    /* guards the list, which lives as long as the process */
    GPtrArray *types = g_once(&once, build_types, NULL);

    return types->pdata[i];
}
TYPE_PROVIDER(KIND_CPU, cpu_type);
