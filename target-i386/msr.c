// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Model-specific registers, a row each (SDM 4 chapter 2; APM 2 appendix A). An index without
 * a row is #GP, as on hardware.
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "exec/x86-apic.h"
#include "util/main-loop.h"

typedef struct Msr {
    uint32_t index, count;              /* count 0 is 1 */
    const char *name;
    uint32_t offset;                    /* of a uint64_t (or array) in X86Cpu; 0: none, reads as value */
    uint64_t value;
    uint64_t wmask;                     /* writable bits; others must be written as they are 0 (strict) */
    enum { MSR_RW, MSR_RO, MSR_IGNORE, MSR_CANONICAL } kind;
    unsigned feature;                   /* must be there; 0: FPU, always */
    bool (*read)(X86Cpu *c, uint32_t index, uint64_t *value);
    bool (*write)(X86Cpu *c, uint32_t index, uint64_t value);
} Msr;

static bool tsc_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = x86_tsc(c);
    return true;
}

static bool tsc_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    int64_t delta = value - x86_tsc(c);

    c->tsc_offset += delta;
    c->tsc_adjust += delta;
    return true;
}

static bool tsc_adjust_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    c->tsc_offset += value - c->tsc_adjust;
    c->tsc_adjust = value;
    return true;
}

static bool apic_base_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = c->apic ? apic_base(c->apic) : 0;
    return true;
}

static bool apic_base_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    return !c->apic || apic_set_base(c->apic, value);
}

static bool x2apic_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    return c->apic && apic_msr_read(c->apic, index - 0x800, value);
}

static bool x2apic_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    return c->apic && apic_msr_write(c->apic, index - 0x800, value);
}

static bool deadline_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = c->apic ? apic_tsc_deadline(c->apic) : 0;
    return true;
}

static bool deadline_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    int64_t ticks = value - x86_tsc(c);
    int64_t now = clock_now_ns(CLOCK_GUEST), ns;

    if (!c->apic) {
        return true;
    }
    ns = ticks <= 0 ? now : ticks > INT64_MAX / 4 ? INT64_MAX / 2
         : now + (int64_t)((__int128)ticks * NANOSECONDS_PER_SECOND / c->tsc_hz);
    apic_set_tsc_deadline(c->apic, value, ns);
    return true;
}

uint64_t x86_efer_allowed(const X86Cpu *c)
{
    uint64_t allowed = EFER_LMA;

    allowed |= x86_has_feature(c, FEAT_SYSCALL) ? EFER_SCE : 0;
    allowed |= x86_has_feature(c, FEAT_LM) ? EFER_LME : 0;
    allowed |= x86_has_feature(c, FEAT_NX) ? EFER_NXE : 0;
    allowed |= x86_has_feature(c, FEAT_SVM) && !(c->svm.vm_cr & VM_CR_SVMDIS) ? EFER_SVME : 0;
    return allowed | (x86_has_feature(c, FEAT_FFXSR) ? EFER_FFXSR : 0);
}

static bool efer_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    if ((value & ~x86_efer_allowed(c)) || ((value ^ c->efer) & EFER_LME && (c->cr0 & CR0_PG))) {
        return false;
    }
    x86_set_efer(c, (value & ~(uint64_t)EFER_LMA) | (c->efer & EFER_LMA));
    return true;
}

/* SDM 3A 11.11: UC, WC, WT, WP, WB. */
static bool mtrr_types_ok(uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned t = value >> (8 * i) & 0xff;

        if (t > 6 || t == 2 || t == 3) {
            return false;
        }
    }
    return true;
}

static bool mtrr_default_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    if (!mtrr_types_ok(value, 1) || value & ~0xcffull) {
        return false;
    }
    c->mtrr_def_type = value;
    return true;
}

static bool mtrr_fixed_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    unsigned n = index == 0x250 ? 0 : index < 0x268 ? 1 + index - 0x258 : 3 + index - 0x268;

    if (!mtrr_types_ok(value, 8)) {
        return false;
    }
    c->mtrr_fixed[n] = value;
    return true;
}

/* Base and mask alternate. */
static bool mtrr_var_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    uint64_t physical = (1ull << c->phys_bits) - 1;
    bool mask = index & 1;

    if (value & ~physical || value & (mask ? 0x7ff : 0xf00) ||
        (!mask && !mtrr_types_ok(value & 0xff, 1))) {
        return false;
    }
    *(mask ? &c->mtrr_var[(index - 0x200) / 2].mask : &c->mtrr_var[(index - 0x200) / 2].base) =
        value;
    return true;
}

bool x86_pat_valid(uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned t = value >> (8 * i) & 0xff;

        if (t > 7 || t == 2 || t == 3) {
            return false;
        }
    }
    return true;
}

static bool pat_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    if (!x86_pat_valid(value)) {
        return false;
    }
    c->pat = value;
    return true;
}

static bool base_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = c->segs[index == 0xc0000100 ? S_FS : S_GS].base;
    return true;
}

static bool base_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    if (!x86_canonical(c, value)) {
        return false;
    }
    c->segs[index == 0xc0000100 ? S_FS : S_GS].base = value;
    return true;
}

static bool smbase_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = c->smbase;
    return c->smm;
}

static bool ucode_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = c->ucode_rev;
    return true;
}

static bool platform_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = 0;
    return strcmp(c->vendor, "AuthenticAMD") != 0;
}

/* SDM 3B 15.3.2.1, 15.3.2.2: a CTL is all or nothing here, a STATUS can only be cleared. */
static bool mce_bank_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    unsigned n = index - 0x400, kind = n & 3;

    if ((kind == 0 && value != 0 && value != UINT64_MAX) || (kind == 1 && value != 0)) {
        return kind == 0;
    }
    c->mce_banks[n] = value;
    return true;
}

/* Row shorthands: a stored register, a constant. */
#define FIELD(i, n, f, ...)                                                                    \
    {                                                                                          \
        .index = i, .name = n, .offset = offsetof(X86Cpu, f), .wmask = UINT64_MAX, __VA_ARGS__ \
    }
#define FIXED(i, n, v, ...) { .index = i, .name = n, .value = v, .kind = MSR_IGNORE, __VA_ARGS__ }

static const Msr msrs[] = {
    FIXED(0x0000, "IA32_P5_MC_ADDR", 0),
    FIXED(0x0001, "IA32_P5_MC_TYPE", 0),
    { .index = 0x0010, .name = "IA32_TIME_STAMP_COUNTER", .read = tsc_read, .write = tsc_write },
    FIXED(0x0017, "IA32_PLATFORM_ID", 0),
    { .index = 0x001b, .name = "IA32_APIC_BASE", .read = apic_base_read, .write = apic_base_write },
    FIXED(0x002a, "EBL_CR_POWERON", 0),
    FIXED(0x0034, "SMI_COUNT", 0),
    FIELD(0x003a, "IA32_FEATURE_CONTROL", feature_control, .write = vmx_feature_control_write),
    FIELD(0x003b, "IA32_TSC_ADJUST", tsc_adjust, .write = tsc_adjust_write),
    FIELD(0x0048, "IA32_SPEC_CTRL", spec_ctrl, .wmask = 7),
    FIXED(0x0049, "IA32_PRED_CMD", 0),
    FIXED(0x0079, "IA32_BIOS_UPDT_TRIG", 0),
    { .index = 0x008b, .name = "IA32_BIOS_SIGN_ID", .read = ucode_read, .kind = MSR_IGNORE },
    FIXED(0x009b, "IA32_SMM_MONITOR_CTL", 0),
    { .index = 0x009e, .name = "IA32_SMBASE", .read = smbase_read, .kind = MSR_RO },
    { .index = 0x00ce, .name = "MSR_PLATFORM_INFO", .read = platform_read, .kind = MSR_RO },
    FIXED(0x00cd, "MSR_FSB_FREQ", 0),
    { .index = 0x00fe, .name = "IA32_MTRRCAP", .value = 0x508, .kind = MSR_RO, .feature = FEAT_MTRR },
    FIELD(0x0174, "IA32_SYSENTER_CS", sysenter_cs, .wmask = 0xffff, .kind = MSR_IGNORE),
    FIELD(0x0175, "IA32_SYSENTER_ESP", sysenter_esp, .kind = MSR_CANONICAL),
    FIELD(0x0176, "IA32_SYSENTER_EIP", sysenter_eip, .kind = MSR_CANONICAL),
    { .index = 0x0179, .name = "IA32_MCG_CAP", .value = 0x0100010a, .kind = MSR_RO, .feature = FEAT_MCA },
    FIELD(0x017a, "IA32_MCG_STATUS", mcg_status),
    FIELD(0x017b, "IA32_MCG_CTL", mcg_ctl),
    FIXED(0x0186, "IA32_PERFEVTSEL0", 0, .count = 4),
    FIXED(0x00c1, "IA32_PMC0", 0, .count = 4),
    { .index = 0x0198, .name = "IA32_PERF_STATUS", .value = 1000ull | 4ull << 40, .kind = MSR_IGNORE },
    FIXED(0x0199, "IA32_PERF_CTL", 0),
    FIXED(0x019a, "IA32_CLOCK_MODULATION", 0),
    FIXED(0x019b, "IA32_THERM_INTERRUPT", 0),
    FIXED(0x019c, "IA32_THERM_STATUS", 0),
    FIELD(0x01a0, "IA32_MISC_ENABLE", misc_enable),
    FIXED(0x01c9, "MSR_LASTBRANCH_TOS", 0),
    FIELD(0x01d9, "IA32_DEBUGCTL", debugctl, .wmask = 3, .kind = MSR_IGNORE),
    FIXED(0x01db, "MSR_LASTBRANCHFROMIP", 0, .count = 4),
    { .index = 0x0200, .count = 16, .name = "IA32_MTRR_PHYSBASE0", .offset = offsetof(X86Cpu, mtrr_var),
      .write = mtrr_var_write, .feature = FEAT_MTRR },
    FIELD(0x0250, "IA32_MTRR_FIX64K_00000", mtrr_fixed[0], .write = mtrr_fixed_write, .feature = FEAT_MTRR),
    FIELD(0x0258, "IA32_MTRR_FIX16K_80000", mtrr_fixed[1], .count = 2, .write = mtrr_fixed_write, .feature = FEAT_MTRR),
    FIELD(0x0268, "IA32_MTRR_FIX4K_C0000", mtrr_fixed[3], .count = 8, .write = mtrr_fixed_write, .feature = FEAT_MTRR),
    FIELD(0x0277, "IA32_PAT", pat, .write = pat_write, .feature = FEAT_PAT),
    FIELD(0x02ff, "IA32_MTRR_DEF_TYPE", mtrr_def_type, .write = mtrr_default_write, .feature = FEAT_MTRR),
    FIXED(0x038d, "IA32_FIXED_CTR_CTRL", 0, .count = 4),
    FIELD(0x0400, "IA32_MC0_CTL", mce_banks, .count = 40, .write = mce_bank_write, .feature = FEAT_MCA),
    { .index = 0x0480, .count = 17, .name = "IA32_VMX_BASIC", .read = vmx_msr_read, .kind = MSR_RO, .feature = FEAT_VMX },
    { .index = 0x06e0, .name = "IA32_TSC_DEADLINE", .read = deadline_read, .write = deadline_write,
      .feature = FEAT_TSC_DEADLINE },
    { .index = 0x0800, .count = 0x100, .name = "x2APIC", .read = x2apic_read, .write = x2apic_write,
      .feature = FEAT_X2APIC },
    FIELD(0x0da0, "IA32_XSS", xss, .wmask = 0, .feature = FEAT_XSAVES),
    FIELD(0xc0000080, "EFER", efer, .write = efer_write),
    FIELD(0xc0000081, "STAR", star),
    FIELD(0xc0000082, "LSTAR", lstar, .kind = MSR_CANONICAL),
    FIELD(0xc0000083, "CSTAR", cstar, .kind = MSR_CANONICAL),
    FIELD(0xc0000084, "SF_MASK", sfmask, .wmask = 0xffffffff),
    { .index = 0xc0000100, .name = "FS_BASE", .read = base_read, .write = base_write, .feature = FEAT_LM },
    { .index = 0xc0000101, .name = "GS_BASE", .read = base_read, .write = base_write, .feature = FEAT_LM },
    FIELD(0xc0000102, "KERNEL_GS_BASE", kernel_gs_base, .kind = MSR_CANONICAL, .feature = FEAT_LM),
    FIELD(0xc0000103, "TSC_AUX", tsc_aux, .wmask = 0xffffffff, .feature = FEAT_RDTSCP),
    FIXED(0xc0010000, "PERF_CTL0", 0, .count = 8),
    FIXED(0xc0010010, "SYSCFG", 0),
    FIXED(0xc0010015, "HWCR", 0),
    FIXED(0xc001001a, "TOP_MEM", 0),
    FIXED(0xc001001d, "TOP_MEM2", 0),
    FIXED(0xc001001f, "NB_CFG", 0),
    FIXED(0xc0010055, "INT_PENDING_MSG", 0),
    FIXED(0xc0010112, "TSEG_BASE", 0, .count = 2),
    { .index = 0xc0010114, .name = "VM_CR", .read = svm_msr_read, .write = svm_msr_write },
    { .index = 0xc0010117, .name = "VM_HSAVE_PA", .read = svm_msr_read, .write = svm_msr_write },
    FIXED(0xc0011020, "LS_CFG", 0, .count = 0x10),
};

static const Msr *msr_find(const X86Cpu *c, uint32_t index)
{
    for (unsigned i = 0; i < ARRAY_COUNT(msrs); i++) {
        const Msr *m = &msrs[i];

        if (index - m->index < (m->count ? m->count : 1)) {
            return x86_has_feature(c, m->feature) || !m->feature ? m : NULL;
        }
    }
    return NULL;
}

static uint64_t *msr_field(X86Cpu *c, const Msr *m, uint32_t index)
{
    return (uint64_t *)((char *)c + m->offset) + (index - m->index);
}

static bool msr_read_locked(X86Cpu *c, uint32_t index, uint64_t *value)
{
    const Msr *m = msr_find(c, index);

    if (!m) {
        return false;
    }
    if (m->read) {
        return m->read(c, index, value);
    }
    *value = m->offset ? *msr_field(c, m, index) : m->value;
    return true;
}

static bool msr_write_locked(X86Cpu *c, uint32_t index, uint64_t value)
{
    const Msr *m = msr_find(c, index);

    if (!m || m->kind == MSR_RO) {
        return false;
    }
    if (m->write) {
        return m->write(c, index, value);
    }
    if (!m->offset) {
        return m->kind == MSR_IGNORE;
    }
    if (m->kind != MSR_IGNORE && (value & ~m->wmask)) {
        return false;
    }
    if (m->kind == MSR_CANONICAL && !x86_canonical(c, value)) {
        return false;
    }
    *msr_field(c, m, index) = value & m->wmask;
    return true;
}

bool x86_msr_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    bool held = machine_locked(), ok;

    if (!held) {
        machine_lock();
    }
    ok = msr_read_locked(c, index, value);
    if (!held) {
        machine_unlock();
    }
    return ok;
}

bool x86_msr_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    bool held = machine_locked(), ok;

    if (!held) {
        machine_lock();
    }
    ok = msr_write_locked(c, index, value);
    if (!held) {
        machine_unlock();
    }
    return ok;
}

void helper_rdmsr(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint64_t v = 0;

    if (c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    /* the reference reads unknown ones as 0, and guests rely on it: no #GP */
    if (!x86_msr_read(c, c->regs[R_CX], &v)) {
        if ((uint32_t)c->regs[R_CX] >> 8 == 8) {        /* x2APIC: SDM 3A 10.12.1.2 */
            x86_raise_error(c, EXC_GP, 0, HOST_PC());
        }
        guest_unimp("RDMSR of %#x", (uint32_t)c->regs[R_CX]);
        v = 0;
    }
    c->regs[R_AX] = (uint32_t)v;
    c->regs[R_DX] = v >> 32;
}

void helper_wrmsr(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint64_t v = (uint32_t)c->regs[R_AX] | c->regs[R_DX] << 32;

    uint64_t old;

    if (c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    if (!x86_msr_write(c, c->regs[R_CX], v)) {
        /* a value that it does not take */
        if (x86_msr_read(c, c->regs[R_CX], &old) || (uint32_t)c->regs[R_CX] >> 8 == 8) {
            x86_raise_error(c, EXC_GP, 0, HOST_PC());
        }
        guest_unimp("WRMSR of %#x = %#" PRIx64, (uint32_t)c->regs[R_CX], v);
    }
}
