// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M profile: the state that ArmCpu.m holds and what the m-*.c files share. Sections named B... are
 * those of the Armv8-M Architecture Reference Manual (DDI 0553), which covers v6-M and v7-M as far
 * as they differ only in what is missing. Registers that the Security Extension banks are arrays:
 * [M_NS], [M_S]; CPUs without it use [M_NS] only.
 */
#ifndef TARGET_ARM_M_PROFILE_H
#define TARGET_ARM_M_PROFILE_H

#include "exec/cpu.h"
#include "exec/arm-cpu.h"

struct ArmCpu;

enum { M_NS, M_S };

/* Exceptions (B3.9). */
enum {
    M_RESET = 1,
    M_NMI,
    M_HARD,
    M_MEM,
    M_BUS,
    M_USAGE,
    M_SECURE,
    M_SVC = 11,
    M_DEBUG,
    M_PENDSV = 14,
    M_SYSTICK,
    M_IRQ0,
    M_VECTORS = 16 + 496 };
enum { M_IDLE_PRIO = 0x100 };

typedef struct ArmMVector {
    int16_t prio;
    bool enabled, pending, active, level, ns;
} ArmMVector;

typedef struct ArmM {
    bool secure;                        /* the present security state */
    bool negative;                      /* the execution priority is below 0 */
    uint32_t exception;                 /* IPSR */
    uint32_t sp_main[2], sp_process[2], lim_main[2], lim_process[2];    /* x[13] is the one in use */
    uint32_t control[2];                /* nPRIV, SPSEL */
    bool fpca, sfpa;
    uint32_t primask[2], faultmask[2], basepri[2];
    /* System Control Space */
    uint32_t vtor[2], prigroup[2], scr[2], ccr[2], cfsr[2], mmfar[2], cpacr[2], fpccr[2], fpcar[2], fpdscr[2], actlr[2];
    uint32_t hfsr, dfsr, bfar, afsr, nsacr, demcr, sfsr, sfar, cppwr, aircr;
    uint32_t mpu_ctrl[2], mpu_rnr[2], mpu_mair[2][2], mpu_rbar[2][16], mpu_rlar[2][16], mpu_racr[16];
    uint32_t sau_ctrl, sau_rnr, sau_rbar[8], sau_rlar[8];
    ArmMVector vec[M_VECTORS], svec[16];
    /* a fault on its way */
    uint32_t fault_bits;                /* of CFSR, or of SFSR for M_SECURE */
    unsigned fault_exc;
    bool fault_has_addr;
    uint32_t fault_addr, magic;         /* magic: the EXC_RETURN or FNC_RETURN value branched to */
    /* configuration */
    ArmMConfig config;
    unsigned mpu_regions, prio_mask;
    Device *nvic;
    bool lockup;
} ArmM;

enum { CONTROL_NPRIV = 1, CONTROL_SPSEL = 2, CONTROL_FPCA = 4, CONTROL_SFPA = 8 };
enum {
    CCR_NONBASE = 1,
    CCR_USERSETMPEND = 2,
    CCR_UNALIGN = 8,
    CCR_DIV0 = 16,
    CCR_BFHFNMIGN = 1 << 8,
    CCR_STKALIGN = 1 << 9,
    CCR_STKOFHFNMIGN = 1 << 10 };
enum { AIRCR_SYSRESETREQS = 8, AIRCR_BFHFNMINS = 1 << 13, AIRCR_PRIS = 1 << 14 };
enum {
    CFSR_IACCVIOL = 1,
    CFSR_DACCVIOL = 2,
    CFSR_MUNSTKERR = 8,
    CFSR_MSTKERR = 16,
    CFSR_MLSPERR = 32,
    CFSR_MMARVALID = 128,
    CFSR_IBUSERR = 1 << 8,
    CFSR_PRECISERR = 1 << 9,
    CFSR_IMPRECISERR = 1 << 10,
    CFSR_UNSTKERR = 1 << 11,
    CFSR_STKERR = 1 << 12,
    CFSR_LSPERR = 1 << 13,
    CFSR_BFARVALID = 1 << 15,
    CFSR_UNDEFINSTR = 1 << 16,
    CFSR_INVSTATE = 1 << 17,
    CFSR_INVPC = 1 << 18,
    CFSR_NOCP = 1 << 19,
    CFSR_STKOF = 1 << 20,
    CFSR_UNALIGNED = 1 << 24,
    CFSR_DIVBYZERO = 1 << 25
};
enum { CFSR_MEM = 0xff, CFSR_BUS = 0xff00 };
#define HFSR_VECTTBL 2u
#define HFSR_FORCED (1u << 30)
#define HFSR_DEBUGEVT (1u << 31)
enum {
    SFSR_INVEP = 1,
    SFSR_INVIS = 2,
    SFSR_INVER = 4,
    SFSR_AUVIOL = 8,
    SFSR_INVTRAN = 16,
    SFSR_LSPERR = 32,
    SFSR_SFARVALID = 64,
    SFSR_LSERR = 128 };
enum {
    FPCCR_LSPACT = 1,
    FPCCR_USER = 2,
    FPCCR_S = 4,
    FPCCR_THREAD = 8,
    FPCCR_HFRDY = 16,
    FPCCR_MMRDY = 32,
    FPCCR_BFRDY = 64,
    FPCCR_SFRDY = 128,
    FPCCR_MONRDY = 256,
    FPCCR_SPLIMVIOL = 512,
    FPCCR_UFRDY = 1024,
    FPCCR_TS = 1 << 26,
    FPCCR_CLRONRETS = 1 << 27,
    FPCCR_CLRONRET = 1 << 28,
    FPCCR_LSPENS = 1 << 29,
    FPCCR_LSPEN = 1 << 30 };
#define FPCCR_ASPEN (1u << 31)
enum {
    EXC_RETURN_ES = 1,
    EXC_RETURN_SPSEL = 4,
    EXC_RETURN_THREAD = 8,
    EXC_RETURN_FTYPE = 16,
    EXC_RETURN_DCRS = 32,
    EXC_RETURN_S = 64
};
enum { MPU_ENABLE = 1, MPU_HFNMIENA = 2, MPU_PRIVDEFENA = 4 };
#define FNC_RETURN 0xfefffffeu

/* MMU indices of M profile, in the places of the others. */
enum {
    MMU_M_NS_USER = 0,
    MMU_M_NS = 1,
    MMU_M_NS_BARE = 2,
    MMU_M_S_USER = 3,
    MMU_M_S = 4,
    MMU_M_S_BARE = 5
};

/* ---- state (m-state.c); own thread or machine stopped ---- */
static inline bool arm_m_handler(const ArmM *m)
{
    return m->exception != 0;
}
bool arm_m_privileged(const struct ArmCpu *c, bool secure);
uint32_t arm_m_xpsr(const struct ArmCpu *c);
void arm_m_set_xpsr(struct ArmCpu *c, uint32_t v, uint32_t mask);
/*
 * Around changes of security state, mode or CONTROL: x[13] goes to its bank, and comes from the new
 * one.
 */
void arm_m_sp_save(struct ArmCpu *c);
void arm_m_sp_load(struct ArmCpu *c);
uint32_t *arm_m_sp(struct ArmCpu *c, bool secure, bool process);        /* after arm_m_sp_save */
uint32_t arm_m_sp_limit(const struct ArmCpu *c);
void arm_m_reset(struct ArmCpu *c);
void arm_m_block_key(struct ArmCpu *c, BlockKey *key);
unsigned arm_m_mmu_index(const struct ArmCpu *c, bool secure, bool privileged);
void arm_m_init(struct ArmCpu *c);
/* FP access of the present state; 0: granted, else a mask of 1: denied by CPACR, 2: by NSACR. */
unsigned arm_m_fp_denied(const struct ArmCpu *c, bool secure, bool privileged);

/* ---- exceptions (m-excp.c) ---- */
void arm_m_deliver(struct ArmCpu *c, unsigned kind);
bool arm_m_interrupt(struct ArmCpu *c);
/* Raises fault `exc` with bits of CFSR (SFSR for M_SECURE) at this instruction. */
_Noreturn void arm_m_fault(struct ArmCpu *c, unsigned exc, uint32_t bits, const uint32_t *addr,
                           uintptr_t host_pc);

/* ---- lazy FP state ---- */
bool arm_m_fp_needs_prepare(const struct ArmCpu *c);
void arm_m_fp_lazy(struct ArmCpu *c, uint32_t frame);

/* ---- priorities (m-nvic.c); machine lock ---- */
int arm_m_priority(const struct ArmCpu *c, bool with_primask);
/* What is pending and most urgent; 0: nothing that is enabled. */
unsigned arm_m_pending(const struct ArmCpu *c, bool *secure, int *group);
bool arm_m_targets_secure(const struct ArmCpu *c, unsigned exc, bool bank);
ArmMVector *arm_m_vector(struct ArmCpu *c, unsigned exc, bool secure);
int arm_m_group_priority(const struct ArmCpu *c, unsigned exc, bool secure);
void arm_m_update(struct ArmCpu *c);
void arm_m_set_pending(struct ArmCpu *c, unsigned exc, bool secure);
void arm_m_nvic_reset(struct ArmCpu *c);
/* ArmMOps. */
bool arm_m_is(Cpu *cpu);
bool arm_m_has_security(Cpu *cpu);
void arm_m_configure(Cpu *cpu, const ArmMConfig *config);
void arm_m_set_vtor_secure(Cpu *cpu, uint32_t vtor);
void arm_m_irq(Cpu *cpu, unsigned n, int level);
void arm_m_nmi(Cpu *cpu, int level);
void arm_m_systick(Cpu *cpu, bool secure);
bool arm_m_scs(Cpu *cpu, uint32_t offset, uint32_t *value, unsigned size, bool write, bool secure,
               bool user);
/* Registers of the System Control Space at 0xe000e000 + offset (m-scs.c). */
uint32_t arm_m_scs_read(struct ArmCpu *c, uint32_t offset, bool secure);
void arm_m_scs_write(struct ArmCpu *c, uint32_t offset, uint32_t value, uint32_t mask, bool secure);

/* ---- memory (m-mpu.c) ---- */
typedef struct ArmMSecurity {
    bool ns, nsc, exempt, in_sau, in_idau, partial;     /* partial: not the same in the whole 4 KiB */
    uint8_t sau_region, idau_region;
} ArmMSecurity;
typedef struct ArmMAccess {
    unsigned prot;
    bool secure, partial;
    int region;                         /* of the MPU; -1: none */
    unsigned exc;                       /* why not: M_MEM, M_SECURE, M_BUS */
    uint32_t bits;
} ArmMAccess;
void arm_m_security(const struct ArmCpu *c, uint32_t va, ArmMSecurity *out);
bool arm_m_check(struct ArmCpu *c, uint32_t va, MmuAccess access, unsigned mmu_idx,
                 ArmMAccess *out);
bool arm_m_tlb_fill(struct ArmCpu *c, uint32_t va, MmuAccess access, unsigned mmu_idx, bool probe,
                    uintptr_t host_pc);
_Noreturn void arm_m_bus_error(struct ArmCpu *c, uint32_t va, MmuAccess access, uintptr_t host_pc);
uint32_t arm_m_tt(struct ArmCpu *c, uint32_t va, bool alternate, bool user);

#endif
