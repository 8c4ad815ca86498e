// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ARM vCPU: its state, the mode word that translations depend on, and the lazy flags.
 * Section numbers in this folder are those of the Arm Architecture Reference Manual for
 * A-profile (DDI 0487) unless another is named.
 */
#ifndef TARGET_ARM_CPU_H
#define TARGET_ARM_CPU_H

#include <inttypes.h>
#include "exec/arm-cpu.h"
#include "target-arm/m-profile.h"
#include "target-arm/regs.h"
#include "util/timer.h"
#include "util/vec128.h"

typedef struct ArmModel ArmModel;
typedef struct ArmIdRegs ArmIdRegs;

/* ID registers that models differ in; what is not named here is 0 or derived. */
struct ArmIdRegs {
    uint64_t midr, revidr, ctr, dczid, clidr, ccsidr[8];
    uint64_t pfr0, pfr1, dfr0, isar0, isar1, isar2, mmfr0, mmfr1, mmfr2, zfr0, smfr0;
    uint32_t a32_pfr0, a32_pfr1, a32_pfr2, a32_dfr0, a32_dfr1, a32_afr0, a32_mmfr[6], a32_isar[7];
    uint32_t mvfr[3], fpsid, sctlr;     /* sctlr: its reset value, 0: as most have it */
};

/* One timer of the four: CNTP, CNTV, CNTHP, CNTPS. */
enum { GT_PHYS, GT_VIRT, GT_HYP, GT_SEC, GT_HYPVIRT, GT_COUNT };
typedef struct ArmTimer {
    uint64_t cval;
    uint64_t ctl;                       /* ENABLE, IMASK; ISTATUS is worked out */
    Timer timer;
    Irq out;
} ArmTimer;

/* Registers that AArch32 state banks, while their mode is not the present one. */
enum { BANK_USR, BANK_FIQ, BANK_IRQ, BANK_SVC, BANK_ABT, BANK_UND, BANK_HYP, BANK_MON, BANK_COUNT };

/* An exception on its way; filled by arm_raise(). */
typedef struct ArmException {
    unsigned kind;                      /* ARM_EXC_* */
    unsigned target_el;
    uint32_t syndrome;                  /* ESR_ELx form */
    uint32_t fsr;                       /* AArch32 fault status, short or long form by TTBCR.EAE */
    uint64_t va;
    uint64_t ipa;                       /* for HPFAR_EL2, with IPA_VALID */
    bool has_va, has_ipa;
} ArmException;

/* A pointer authentication code that was worked out. */
typedef struct ArmPac {
    uint64_t data, modifier, code, k[2];
    uint32_t key;
    bool valid;
} ArmPac;

/* A vector register: the V register is q[0]. */
typedef union ArmZ {
    Vec128 q[16];
    uint64_t d[32];
    uint32_t s[64];
    uint16_t h[128];
    uint8_t b[256];
} __attribute__((aligned(16))) ArmZ;

enum { ARM_A32_BANKED = 20 };          /* registers of AArch32 that TrustZone banks: a32-banks.c */

typedef struct ArmCpu {
    Cpu cpu;

    /* ---- hot: addressed from generated code relative to `x` ---- */
    uint64_t x[32];                     /* x[31]: the present stack pointer; AArch32: r0..r14, zero-extended */
    uint64_t pc;
    uint64_t cc_a, cc_b;                /* lazy flags; meaning by cc_op */
    uint32_t cc_op;                     /* CcOp */
    uint32_t pstate;                    /* PSTATE_* and AArch32 bits at their SPSR places; no NZCV, no IT */
    uint32_t it;                        /* AArch32 IT state */
    uint32_t q;                         /* AArch32 CPSR.Q, 0 or 1 */
    uint32_t ge;                        /* AArch32 CPSR.GE, 4 bits */
    uint32_t fpsr_qc;                   /* not 0: FPSR.QC */
    uint64_t bti_source;                /* pc of the branch by which PSTATE.BTYPE became 3; 1: another way */
    uint64_t excl_addr, excl_val, excl_val2;    /* exclusive monitor; address UINT64_MAX: open */
    uint64_t tpidr_el0, tpidrro_el0, tpidr[4];
    uint64_t sctlr[4];
    uint32_t fpcr;                      /* without the trap enables */
    uint32_t fpsr;                      /* cumulative bits not in the host's register */
    uint32_t host_mxcsr;                /* what the host's control register is while guest code runs */
    uint32_t fpscr_nzcv;                /* AArch32 FPSCR.NZCV at its place */
    uint32_t vfp_len_stride;            /* FPSCR.LEN, STRIDE at their places */
    uint32_t zlive;                     /* bit n: z[n] above q[0] counts; it is 0 otherwise */
    uint64_t p[17][4];                  /* predicates, a bit for each byte; p[16]: FFR */
    ArmZ z[32];

    /* ---- the rest ---- */
    uint64_t sp_el[4];                  /* SP_ELx of those not selected */
    uint64_t elr[4], spsr[4];           /* index: level; AArch32: LR and SPSR of modes are banked below */
    uint64_t bank_sp[BANK_COUNT], bank_lr[BANK_COUNT], bank_spsr[BANK_COUNT];
    uint64_t bank_r8_usr[5], bank_r8_fiq[5];
    uint64_t vbar[4], esr[4], far[4], tcr[4], tcr2[4], ttbr0[4], ttbr1[4], mair[4], amair[4], actlr[4];
    uint64_t afsr0[4], afsr1[4], cntkctl[4], contextidr[4], rvbar_cur, rmr;
    uint64_t cpacr, cptr_el2, cptr_el3, hcr, scr, hpfar, vttbr, vtcr, vstcr, vsttbr, vpidr, vmpidr;
    uint64_t mdcr_el2, mdcr_el3, mdscr, hstr, hacr, hcrx, par, csselr, cnthctl, cntvoff, cntfrq, osdlr, oslsr;
    uint64_t dacr, fpexc, ifsr, dacr_s, dbgvcr, sder, teecr, teehbr, nmrr, prrr, fcseidr;
    uint64_t mvbar, nsacr, hvbar;
    uint64_t world[ARM_A32_BANKED];     /* AArch32's banked registers of the security state that does not run */
    bool world_is_secure;               /* which that is */
    uint32_t global_domains;            /* AArch32: those that global pages have been of; both bits of each */
    uint64_t apkey[5][2];               /* IA IB DA DB GA: low, high */
    ArmPac pac[256];
    uint64_t dbgbvr[16], dbgbcr[16], dbgwvr[16], dbgwcr[16], mdccint, dbgclaim;
    uint64_t pmcr, pmcnten, pmovs, pmuserenr, pminten, pmselr, pmccfiltr, pmccntr, pmevtyper[31], pmevcntr[31];
    uint64_t disr, vdisr, vsesr, errselr, gcr, rgsr, tfsr[4], tfsre0, zcr[4], scxtnum[4], scxtnum_el0, smcr[4];
    uint64_t imp[16];                   /* implementation defined registers that firmware sets */
    int32_t semihost_errno;             /* of the last semihosting call that failed */
    uint64_t sysreg_spare;              /* where registers without effect would be stored */

    ArmTimer gt[GT_COUNT];
    uint64_t gt_scale_hz;               /* counter frequency, "cntfrq" */

    ArmException exc;
    bool event;                         /* the event register of WFE */
    bool powered_off;
    unsigned resets;                    /* how often it was reset: an accelerator of its own may want to know */
    bool tagged_seen;                   /* the TLB holds pages by tagged addresses */
    RamBlock *tags;                     /* a byte for each 16 bytes of RAM, by ram address; NULL: no MTE */
    bool has_tags;                      /* property tag-memory */
    bool guarded_seen;                  /* a guarded page (GP) was entered for execution */
    bool debug_every;                   /* a breakpoint has no address: MODE_SS where it may match */
    bool debug_points;                  /* registers have put some into the lists of break- and watchpoints */
    bool in_exec;                       /* between exec_enter and exec_leave */
    uint8_t lines;                      /* levels of irq fiq virq vfiq, bits 0..3 */

    ArmM m;                             /* M profile */

    /* ---- interfaces ---- */
    GHashTable *provided;               /* encoding -> ProvidedReg of devices; NULL: none */
    void (*el_change)(void *opaque);
    void *el_change_opaque;
    ArmEntry entry;
    bool has_entry;
    Irq pmu_out;
    bool pmu_level;                     /* of pmu_out */
    uint64_t pmu_running;               /* counters that count time, a bit each */
    int64_t pmu_last;                   /* guest time up to which they have */
    Timer pmu_timer;                    /* of the next overflow that interrupts */

    /* ---- model and properties ---- */
    const ArmModel *model;
    ArmIdRegs id;
    uint64_t features[2];               /* FEATURE_* bits */
    GPtrArray *feature_text;
    bool has_el2, has_el3, start_powered_off, has_pmu, aarch64_prop, reset_hivecs, cfgend, pauth, pauth_impdef;
    bool has_lpa2, has_gic_regs, has_vfp, has_dsp, sve;
    uint16_t sve_map, sve_on, sve_off;  /* vector lengths: bit n stands for (n + 1) * 128 bits; what there is, what was asked for */
    uint32_t sve_max_vq, sve_vq;        /* sve-max-vq; the length in force when state above it was last cleared */
    uint64_t mp_affinity, rvbar, reset_cbar, midr;    /* midr 0: the model's */
    uint32_t psci_conduit;
    int32_t socket_id, cluster_id, core_id, thread_id, node_id;
} ArmCpu;

#define ARM(cpu_) ((ArmCpu *)(cpu_))

/*
 * Lazy flags.
 *   NZCV     cc_a holds N Z C V in bits 3..0
 *   SUB      flags of cc_a - cc_b, in 64 bits or of the low 32 (upper bits are then arbitrary)
 *   ADD      flags of cc_a + cc_b
 *   LOGIC    N and Z of cc_a; C = V = 0
 *   NZ       N and Z of the low 32 bits of cc_a; C and V in bits 1 and 0 of cc_b (AArch32)
 */
typedef enum CcOp {
    CC_NZCV,
    CC_SUB64,
    CC_SUB32,
    CC_ADD64,
    CC_ADD32,
    CC_LOGIC64,
    CC_LOGIC32,
    CC_NZ
} CcOp;

/* BlockKey.mode. Bits that only AArch32 has are AArch64's as well. */
enum {
    MODE_EL = 3,                        /* mask */
    MODE_A32 = 1 << 2,
    MODE_THUMB = 1 << 3,                /* AArch32 */
    MODE_BTI = 1 << 3,                  /* AArch64: guarded pages were seen, PSTATE.BTYPE is kept */
    MODE_FP_EL_SHIFT = 4, MODE_FP_EL = 3 << 4,      /* FP and SIMD trap to that level; 0: they do not */
    MODE_PAN = 1 << 6,
    MODE_UAO = 1 << 7,                  /* AArch64 */
    MODE_USER_A32 = 1 << 7,
    MODE_ALIGN = 1 << 8,                /* SCTLR.A */
    MODE_BIG = 1 << 9,                  /* data are big-endian */
    MODE_SS = 1 << 10,                  /* software step is active, or a breakpoint without an address */
    MODE_FP_SLOW = 1 << 11,             /* flush to zero and the like: nothing by host instructions */
    MODE_IT_SHIFT = 12, MODE_IT = 0xff << 12,   /* AArch32 */
    MODE_SVE_SHIFT = 12, MODE_SVE_VL = 15 << 12,    /* AArch64: vector length / 128 - 1, or the level that SVE traps to */
    MODE_SVE_TRAP = 1 << 16,            /* AArch64 */
    MODE_ZLIVE = 1 << 17,               /* AArch64, with MODE_SVE_TRAP: zlive is not 0 */
    MODE_MTE = 1 << 18, MODE_MTE_USER = 1 << 19,    /* AArch64: accesses, unprivileged ones are checked for tags */
    MODE_ATA = 1 << 23,                 /* AArch64: allocation tags may be accessed */
    MODE_HOST = 1 << 20,                /* EL0 or EL2 in the EL2&0 regime */
    MODE_IL = 1 << 21,
    MODE_FP_DN = 1 << 22,               /* NaN results are the default NaN */
    MODE_VFP_ON = 1 << 23,              /* AArch32: FPEXC.EN */
    MODE_VECTOR_LEN = 1 << 24,          /* AArch32: FPSCR.LEN or STRIDE is not 0 */
    MODE_SECURE = 1 << 25,
    MODE_SYS_A32 = 1 << 27,             /* AArch32 System or Hyp mode: no SPSR or own LR */
    /* accel/tcg's jump cache wants bits 28 and on to be 0 */
    /* M profile, in the places of bits that it does not have */
    MODE_M_NOCP = 1 << 4,               /* no access to FP */
    MODE_M_FP_PREPARE = 1 << 5,         /* FP instructions have something to do before: lazy state */
    MODE_M_BARE = MODE_PAN,             /* the MPU is off because of the priority */
    MODE_M_HANDLER = MODE_HOST,
    MODE_M_LIMIT = 1 << 26,             /* SP has a limit */
};

/* MMU indices. A change of the EL1&0 regime's owner (HCR_EL2, SCR_EL3.NS) flushes. */
enum { MMU_EL0, MMU_EL1, MMU_EL1_PAN, MMU_EL2, MMU_EL2_PAN, MMU_EL3, MMU_INDEX_COUNT };

/* Exceptions; numbers of cpu->exception. */
enum {
    ARM_EXC_UNDEF, ARM_EXC_SVC, ARM_EXC_HVC, ARM_EXC_SMC, ARM_EXC_PREFETCH, ARM_EXC_DATA, ARM_EXC_IRQ, ARM_EXC_FIQ,
    ARM_EXC_SERROR, ARM_EXC_BKPT, ARM_EXC_VIRQ, ARM_EXC_VFIQ, ARM_EXC_VSERROR, ARM_EXC_HYP_TRAP, ARM_EXC_MON_TRAP,
    ARM_EXC_PC_ALIGN, ARM_EXC_SP_ALIGN, ARM_EXC_OTHER,
    ARM_EXC_M_FAULT, ARM_EXC_M_RETURN,
};

/* ---- state (state.c) ---- */
static inline unsigned arm_el(const ArmCpu *c)
{
    return c->pstate & PSTATE_A32 ? arm_mode_el(c->pstate & 31, false) : c->pstate >> 2 & 3;
}
static inline bool arm_is_a32(const ArmCpu *c)
{
    return c->pstate & PSTATE_A32;
}
bool arm_secure_below_el3(const ArmCpu *c);
bool arm_secure(const ArmCpu *c);
bool arm_el2_enabled(const ArmCpu *c);      /* in the present security state */
bool arm_el_is_a64(const ArmCpu *c, unsigned el);
uint64_t arm_hcr(const ArmCpu *c);          /* effective HCR_EL2 */
bool arm_e2h(const ArmCpu *c);
/*
 * Security state of AArch32's EL3 (a32-banks.c): whether registers are banked, at reset, and after
 * each change of mode or SCR that may have changed the state.
 */
bool arm_a32_banked(const ArmCpu *c);
void arm_a32_banks_reset(ArmCpu *c);
void arm_a32_world(ArmCpu *c);
void arm_a32_space_changed(ArmCpu *c);
/* The level whose translation regime (and SCTLR) `el` uses: 1, 2 or 3. */
unsigned arm_regime_el(const ArmCpu *c, unsigned el);
/* An ASID of EL1 and EL0, of as many bits as TCR_EL1 says: the name for tlb_switch_space. */
static inline uint64_t arm_asid(const ArmCpu *c, uint64_t asid)
{
    return asid & (c->tcr[1] & TCR_AS ? 0xffff : 0xff);
}
uint32_t arm_nzcv(const ArmCpu *c);         /* N Z C V in bits 3..0 */
void arm_set_nzcv(ArmCpu *c, uint32_t nzcv);
/* The whole PSTATE as SPSR sees it; back again (also changes level, stack pointer, banks). */
uint64_t arm_get_spsr(const ArmCpu *c);
void arm_set_pstate(ArmCpu *c, uint64_t spsr);
void arm_set_a32_mode(ArmCpu *c, unsigned mode);
void arm_set_spsel(ArmCpu *c, unsigned sel);
void arm_el_changed(ArmCpu *c);
unsigned arm_bank_of(unsigned mode);
void arm_block_key(Cpu *cpu, BlockKey *key);
unsigned arm_mmu_index(const ArmCpu *c);
/* Vector length in force at a level, in units of 128 bits. */
unsigned arm_sve_trap_el(const ArmCpu *c, unsigned el);
unsigned arm_sve_vq(const ArmCpu *c, unsigned el);

/* ---- exceptions (excp.c) ---- */
_Noreturn void arm_raise(ArmCpu *c, unsigned kind, uint32_t syndrome, unsigned target_el,
                         uintptr_t host_pc);
/* The level that a synchronous exception from here goes to by default. */
unsigned arm_default_el(const ArmCpu *c);
_Noreturn void arm_undefined(ArmCpu *c, uintptr_t host_pc);
void arm_deliver(Cpu *cpu);
bool arm_interrupt(Cpu *cpu, uint32_t pending);
bool arm_has_work(Cpu *cpu);
void arm_deliver_a32(ArmCpu *c, unsigned kind, uint64_t ret);
void arm_lines_changed(ArmCpu *c);

/* ---- MMU (mmu.c, mmu-a32.c) ---- */
typedef struct ArmFault {
    unsigned type;                      /* FAULT_* */
    unsigned level;
    unsigned stage;                     /* 1 or 2 */
    bool s1ptw, domain_valid;
    bool maintenance;                   /* of an operation, not of an access: CM */
    unsigned domain;
    hwaddr ipa;
} ArmFault;
typedef struct ArmPage {
    hwaddr pa;
    unsigned prot, page_bits;
    bool global, device, guarded, tagged;
    MemAttrs attrs;
    uint8_t mair;                       /* memory type, for PAR_EL1 */
    uint8_t sh;
} ArmPage;
/* Walks both stages for an access with its rights. False: *f says why. */
bool arm_page_walk(ArmCpu *c, uint64_t va, MmuAccess access, unsigned mmu_idx, bool debug,
                   ArmPage *page, ArmFault *f);
bool arm_tlb_fill(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                  bool probe, uintptr_t host_pc);
bool arm_debug_translate(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs);
void arm_bus_error(Cpu *cpu, hwaddr pa, uint64_t va, MmuAccess access, uintptr_t host_pc);
void arm_unaligned(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu_idx, uintptr_t host_pc);
unsigned arm_mmu_index_hook(Cpu *cpu, bool fetch);
/* Whether va's page is guarded (BTI). */
bool arm_guarded(ArmCpu *c, uint64_t va);
_Noreturn void arm_raise_fault(ArmCpu *c, const ArmFault *f, uint64_t va, MmuAccess access,
                               uintptr_t host_pc);
bool arm_page_is_ram(ArmCpu *c, const ArmPage *page);
/*
 * BR makes PSTATE.BTYPE 1 in a page that is not guarded, else 3: decided when somebody looks. The
 * value.
 */
unsigned arm_resolve_btype(ArmCpu *c);
/* ESR and FSR of a fault. */
uint32_t arm_fault_esr_code(const ArmFault *f);
uint32_t arm_fault_fsr(const ArmCpu *c, const ArmFault *f, unsigned el);
/* ATS1xx and AT: the value of PAR_EL1. */
uint64_t arm_address_translate(ArmCpu *c, uint64_t va, MmuAccess access, unsigned mmu_idx,
                               unsigned stages);

/* ---- timers, PSCI ---- */
void arm_timers_init(ArmCpu *c);
void arm_timer_update(ArmCpu *c, unsigned which);
void arm_timers_update(ArmCpu *c);
uint64_t arm_counter(const ArmCpu *c);
uint64_t arm_timer_offset(const ArmCpu *c, unsigned which);
/* True: the call was PSCI's and is answered. */
bool arm_psci_call(ArmCpu *c, bool smc);
void arm_power_up(ArmCpu *c, const ArmEntry *entry);

/* ---- FP ---- */
void arm_set_fpcr(ArmCpu *c, uint32_t v);
uint32_t arm_get_fpsr(ArmCpu *c);
void arm_set_fpsr(ArmCpu *c, uint32_t v);
uint32_t arm_get_fpscr(ArmCpu *c);
void arm_set_fpscr(ArmCpu *c, uint32_t v);
void arm_exec_enter(Cpu *cpu);
void arm_exec_leave(Cpu *cpu);
void arm_float_corner(Cpu *cpu, uint64_t code, Vec128 *v);          /* CpuArch.float_corner */

/* ---- life ---- */
void arm_cpu_reset(ArmCpu *c);
static inline bool arm_has(const ArmCpu *c, unsigned feature)
{
    return c->features[feature / 64] >> (feature % 64) & 1;
}
bool arm_lock(void);                    /* takes the machine lock unless this thread has it */
void arm_unlock(bool taken);
extern const ArmCpuHooks arm_cpu_hooks;
/* cpu-state.c, for the device type. */
extern const StateField arm_cpu_state[];
const char *arm_cpu_unsaved(Device *d);
void arm_cpu_saving(Device *d);
void arm_cpu_loaded(Device *d);

/* ---- translator ---- */
struct IrBuilder;
void arm_translate(Cpu *cpu, struct IrBuilder *b, const BlockKey *key, unsigned max_insns);
void arm_translate_region(Cpu *cpu, struct IrBuilder *b, const BlockKey *key, RegionGuide *guide);
bool arm_movable(const BlockKey *key);
void arm_restore(Cpu *cpu, const BlockKey *key, uint64_t pc, uint64_t meta);
/* ESR's bits 24 to 14 for the load or store at the program counter; 0: not valid for it. */
uint32_t arm_access_syndrome(ArmCpu *c);
unsigned arm_disassemble(Cpu *cpu, uint64_t va, const uint8_t *bytes, unsigned len, GString *out);

#endif
