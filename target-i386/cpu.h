// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The x86 vCPU: its state, the mode word that translations depend on, and the lazy flags.
 * Section numbers in this folder are those of the Intel SDM (order 325462) unless "APM" is
 * said (AMD 40332).
 */
#ifndef TARGET_I386_CPU_H
#define TARGET_I386_CPU_H

#include <inttypes.h>
#include "exec/cpu.h"
#include "target-i386/regs.h"
#include "target-i386/virt.h"
#include "util/timer.h"
#include "util/vec128.h"

/* A segment register with its hidden part. */
typedef struct X86Seg {
    uint64_t base;
    uint32_t limit; /* in bytes, granularity applied */
    uint32_t flags; /* second descriptor word, SEG_* */
    uint32_t selector;
} X86Seg;

typedef struct X86TableReg {
    uint64_t base;
    uint32_t limit;
} X86TableReg;

/* One x87 register: 80 bits in a 16-byte slot. MMX register i is fpr[i].mant. */
typedef struct X87Reg {
    uint64_t mant;
    uint16_t sign_exp;
    uint16_t pad[3];
} X87Reg;

/* What an SSE instruction may change, kept for #XM. */
typedef struct X86SseBefore {
    uint64_t regs[16];
    Vec128 xmm[16], ymm_hi[16], zmm_hi[16][2], zmm_more[16][4];
    uint64_t opmask[8];
    Vec128 operand[3][2]; /* of arithmetic: x86_xm_note */
    uint64_t cc_dst, cc_src, cc_src2;
    uint32_t cc_op, mxcsr;
    uint32_t range; /* of EVEX elements: OE, UE, PE as they exactly are, and EVEX_RANGE */
} X86SseBefore;
#define EVEX_RANGE (1u << 31)

typedef struct X86Model X86Model;

struct X86Cpu {
    Cpu cpu;

    /* ---- hot: addressed from generated code relative to `regs` ---- */
    uint64_t regs[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8 .. r15 */
    uint64_t rip; /* offset in CS, not linear */
    uint64_t cc_dst, cc_src, cc_src2; /* lazy flags; meaning by cc_op */
    int64_t df; /* +1 or -1 */
    uint32_t cc_op; /* CcOp */
    uint32_t eflags; /* all but O S Z A P C and DF, which read as 0 here; bit 1 is set */
    uint64_t scratch[4]; /* for translations, dead between instructions */
    X86Seg segs[6]; /* es cs ss ds fs gs */
    int64_t seg_last[2][6]; /* [write]: highest offset plainly allowed, -1: none; x86_seg_derive */
    uint32_t seg_mode; /* MODE_* bits that follow from segs and CR0.PE; likewise */
    uint32_t cpl;
    uint32_t inhibit_irq; /* 1: the next instruction runs with interrupts held off */
    uint32_t mxcsr;
    uint32_t fp_top __attribute__((aligned(8))); /* 0..7 */
    uint32_t fp_cw;
    uint32_t fp_sw; /* without the TOP field */
    uint32_t fp_host_clean; /* 1: the host's x87 has no exception flag that fp_sw has not */
    uint8_t fp_tag[8]; /* by physical register; 1: empty */
    X87Reg fpr[8] __attribute__((aligned(16))); /* physical; ST(i) is fpr[(fp_top + i) & 7] */
    Vec128 xmm[16] __attribute__((aligned(16))); /* low halves */
    Vec128 ymm_hi[16] __attribute__((aligned(16)));
    Vec128 zmm_hi[16][2]; /* bits 511:256 of the first 16 */
    Vec128 zmm_more[16][4]; /* of the others */
    uint64_t opmask[8];

    /* ---- the rest ---- */
    uint64_t fp_ip, fp_dp; /* last x87 instruction and operand (offsets) */
    uint32_t fp_cs, fp_ds, fp_op;
    X86Seg ldt, tr;
    X86TableReg gdt, idt;
    uint64_t cr0, cr2, cr3, cr4;
    uint64_t xcr0;
    uint32_t pkru;
    uint64_t dr[8]; /* 4 and 5 unused */
    bool guest_breakpoints; /* DR7 has set some */
    uint64_t efer;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t tsc_aux, tsc_adjust;
    int64_t tsc_offset; /* guest TSC = scaled CLOCK_GUEST + offset */
    uint64_t pat, mtrr_def_type, mtrr_fixed[11];
    struct {
        uint64_t base, mask;
    } mtrr_var[8];
    uint64_t misc_enable, mcg_status, mcg_ctl, mce_banks[10 * 4];
    uint64_t spec_ctrl, feature_control, xss, ucode_rev, debugctl;
    uint32_t smbase;
    bool smm, nmi_masked, smi_masked_nmi;
    bool in_hlt_mwait;
    uint32_t resets; /* counts power-ups: state that an accelerator keeps elsewhere goes with them */
    uint32_t sipi_vector;
    bool wait_sipi;
    uint32_t a20_mask_bit; /* address bits forced to 0: bit 20 while A20 is off */
    uint8_t a20_inputs; /* levels of the "a20" pins, on CPU 0 */

    /* ---- exception being delivered ---- */
    uint32_t error_code;
    bool exception_has_error;
    uint64_t exception_next_rip;
    uint64_t exception_cr2;
    int old_exception; /* being delivered when another struck; -1: none */

    /* ---- model ---- */
    const X86Model *model;
    uint32_t features[X86_FEATURE_WORDS];
    uint32_t unavailable[X86_FEATURE_WORDS]; /* asked for, and not implemented */
    uint32_t cpuid_level, cpuid_xlevel, cpuid_xlevel2, cpuid_version;
    char vendor[13];
    char model_id[49];
    uint32_t phys_bits;
    uint32_t phys_bits_opt, min_level, min_xlevel;
    uint64_t tsc_hz;
    uint32_t apic_id;
    int32_t socket_id, die_id, core_id, thread_id, node_id;
    bool hide_l3, hide_topology, hide_tcg; /* l3-cache=off, cpuid-0xb=off, tcg-cpuid=off */
    bool legacy_cache, legacy_cache_given;
    bool check_features, enforce_features; /* warn of, refuse features that are not implemented */
    GPtrArray *feature_text; /* "+x", "-y", "k=v" of -cpu, applied at realize */
    Device *apic; /* NULL: none; see exec/x86-apic.h */
    X86SseBefore sse_before; /* within one instruction */
    uint64_t monitor_va;
    bool in_exec; /* between exec_enter and exec_leave: host MXCSR is the guest's */

    /* ---- virtualization: virt.h ---- */
    const X86VirtOps *guest; /* NULL: not in guest mode */
    bool nested; /* guest-physical addresses are translated once more */
    bool nested_split; /* since the last flush: a page of the guest's is of several TLB pages */
    bool gif; /* global interrupt flag: nothing gets through while it is clear */
    int64_t guest_tsc_offset; /* 0 outside of guest mode */
    uint64_t guest_tsc_scale; /* of it, with 48 bits behind the point; 0: as it is */
    bool guest_step; /* the hypervisor single-steps its guest */
    X86Event event; /* being delivered */
    uint8_t exception_type; /* EVENT_* of cpu.exception */
    NestedFault nested_fault;
    const X86VirtOps *smm_guest; /* guest mode that SMM interrupted, and its paging */
    bool smm_nested;
    X86Svm svm;
    X86Vmx vmx;
    Timer vmx_timer; /* the preemption timer */
};

#define X86(cpu_) ((X86Cpu *)(cpu_))

/*
 * Lazy flags. `size` suffixes: B W L Q are 8, 16, 32, 64 bits; only that many low bits of
 * cc_dst, cc_src, cc_src2 count (the rest is arbitrary). A group's Q is its B + 3.
 *
 *   EFLAGS  cc_src holds O S Z A P C at their EFLAGS positions, other bits 0
 *   CLR     Z and P set, O S A C clear (XOR r,r); no operand
 *   ADD     dst = result, src = second operand (first = dst - src)
 *   ADC     dst = result, src = second operand, src2 = carry in, 0 or 1
 *   SUB     dst = result, src = subtrahend (minuend = dst + src); SUB, NEG (src = operand),
 *           CMPXCHG
 *   SBB     dst = result, src = subtrahend, src2 = borrow in, 0 or 1 LOGIC   dst = result; C = O =
 *   A = 0 INC     dst = result, src = carry before, 0 or 1 (64-bit value) DEC     likewise SHL
 *   dst = result, src = operand shifted left by count - 1: C = its top bit, O = C ^ S, A = 0 SAR
 *   dst = result, src = operand shifted right by count - 1 (SHR and SAR): C = its bit 0,
 *           O = top bit of dst ^ src, A = 0
 *   MUL     dst = low half of the product (S Z P from it), src != 0: C = O = 1; A = 0
 *           (src counts in all 64 bits)
 *   BMI     dst = result (S Z from it), C = (src == 0); O = A = P = 0. BLSR BLSMSK LZCNT TZCNT
 *           pass their operand; BLSI BZHI pass 0 for carry and 1 for none (src: `size` bits)
 *   CMP     dst = minuend, src = subtrahend: what a register has anyway; CMP, CMPS, SCAS
 *   POPCNT  Z = (dst == 0) in 64 bits; the others clear
 *   ADCX    like EFLAGS, but C is cc_dst (0 or 1)
 *   ADOX    like EFLAGS, but O is cc_src2 (0 or 1)
 *   ADCOX   both
 */
typedef enum CcOp {
    CC_EFLAGS,
    CC_CLR,
    CC_POPCNT,
    CC_ADCX,
    CC_ADOX,
    CC_ADCOX,
    CC_ADDB = 8,
    CC_ADDW,
    CC_ADDL,
    CC_ADDQ,
    CC_ADCB,
    CC_ADCW,
    CC_ADCL,
    CC_ADCQ,
    CC_SUBB,
    CC_SUBW,
    CC_SUBL,
    CC_SUBQ,
    CC_SBBB,
    CC_SBBW,
    CC_SBBL,
    CC_SBBQ,
    CC_LOGICB,
    CC_LOGICW,
    CC_LOGICL,
    CC_LOGICQ,
    CC_INCB,
    CC_INCW,
    CC_INCL,
    CC_INCQ,
    CC_DECB,
    CC_DECW,
    CC_DECL,
    CC_DECQ,
    CC_SHLB,
    CC_SHLW,
    CC_SHLL,
    CC_SHLQ,
    CC_SARB,
    CC_SARW,
    CC_SARL,
    CC_SARQ,
    CC_MULB,
    CC_MULW,
    CC_MULL,
    CC_MULQ,
    CC_BMIB,
    CC_BMIW,
    CC_BMIL,
    CC_BMIQ,
    CC_CMPB,
    CC_CMPW,
    CC_CMPL,
    CC_CMPQ,
    CC_COUNT,
} CcOp;

/*
 * BlockKey.mode: everything that translation depends on beside the bytes. BlockKey.pc is
 * linear, BlockKey.base the CS base (0 in 64-bit mode), so rip = pc - base (masked to 32 bits
 * outside 64-bit mode).
 */
enum {
    MODE_CPL = 3, /* mask */
    MODE_CS32 = 1 << 2, /* CS.D: 32-bit default sizes */
    MODE_CS64 = 1 << 3, /* 64-bit mode (LMA and CS.L) */
    MODE_SS32 = 1 << 4, /* SS.B; not set in 64-bit mode */
    MODE_ADDSEG = 1 << 5, /* DS, ES or SS has a base other than 0 */
    MODE_PE = 1 << 6,
    MODE_VM = 1 << 7,
    MODE_LMA = 1 << 8,
    MODE_IOPL_SHIFT = 9,
    MODE_IOPL = 3 << 9,
    MODE_TF = 1 << 11, /* #DB after one instruction */
    MODE_INHIBIT = 1 << 12, /* first instruction is in the shadow of STI or MOV SS */
    MODE_EM = 1 << 13,
    MODE_TS = 1 << 14,
    MODE_MP = 1 << 15,
    MODE_OSFXSR = 1 << 16,
    MODE_SMM = 1 << 17,
    MODE_AVX = 1 << 18, /* CR4.OSXSAVE and XCR0 has SSE and AVX */
    MODE_RF = 1 << 19,
    MODE_KSMAP = 1 << 20, /* CPL < 3 data accesses use MMU_KERNEL_SMAP */
    MODE_FSGSBASE = 1 << 21, /* CR4.FSGSBASE */
    MODE_OSXSAVE = 1 << 22,
    MODE_UMIP = 1 << 23,
    MODE_NOFLAT = 1 << 24, /* DS, ES or SS is not writable in all 4 GiB */
    MODE_EXPDOWN = 1 << 25, /* some segment grows down */
    MODE_CSLIMIT = 1 << 26, /* CS ends below 4 GiB */
    MODE_AC = 1 << 27, /* unaligned accesses are #AC */
    MODE_MM = 1 << 30, /* MXCSR.MM: 16-byte operands need not be aligned */
    MODE_XM = 1 << 28, /* MXCSR leaves an exception unmasked */
    MODE_GUEST = 1 << 29, /* instructions may be intercepted */
};
#define MODE_AVX512 (1u << 31) /* MODE_AVX, and XCR0 has all three components */

/* MMU indices. */
enum {
    MMU_KERNEL, /* CPL < 3 (or implicit), SMAP off or EFLAGS.AC set */
    MMU_USER,
    MMU_KERNEL_SMAP, /* CPL < 3 with SMAP in force */
    MMU_PHYS, /* page-table walks of nobody; SMM state saves */
    MMU_INDEX_COUNT,
};

/* Index for data accesses of the present mode. */
unsigned x86_mmu_index(const X86Cpu *c);
/* Index of implicit supervisor accesses (descriptor tables, TSS, stacks of gates): no SMAP check is
 * waived by AC (SDM 3A 4.6.1). */
unsigned x86_mmu_index_system(const X86Cpu *c);

/* ---- flags (flags.c) ---- */
uint32_t x86_cc_all(uint64_t dst, uint64_t src, uint64_t src2, uint32_t op);
uint32_t x86_cc_carry(uint64_t dst, uint64_t src, uint64_t src2, uint32_t op);
/* The whole EFLAGS register. */
uint32_t x86_get_eflags(const X86Cpu *c);
/* Sets the bits of `mask`; keeps lazy flags, df and derived state in step. */
void x86_set_eflags(X86Cpu *c, uint32_t value, uint32_t mask);

/* ---- exceptions (excp.c); host_pc as in cpu_raise ---- */
_Noreturn void x86_raise(X86Cpu *c, unsigned vector, uintptr_t host_pc);
_Noreturn void x86_raise_error(X86Cpu *c, unsigned vector, uint32_t error, uintptr_t host_pc);
_Noreturn void x86_raise_page_fault(X86Cpu *c, uint64_t va, uint32_t error, uintptr_t host_pc);
/* #DB; bits to set in DR6. */
_Noreturn void x86_raise_debug(X86Cpu *c, uint64_t bits, unsigned type, uintptr_t host_pc);
/* INT n, INT3, INTO (type: EVENT_SOFT_*): DPL of the gate is checked, next_rip is pushed. */
_Noreturn void x86_raise_int(X86Cpu *c, unsigned vector, unsigned type, uint64_t next_rip,
                             uintptr_t host_pc);
void x86_deliver(Cpu *cpu);
bool x86_interrupt(Cpu *cpu, uint32_t pending);
bool x86_has_work(Cpu *cpu);
/* Delivers an event of this type (EVENT_*) now, at an instruction boundary. */
void x86_do_interrupt(X86Cpu *c, unsigned vector, unsigned type, bool has_error, uint32_t error,
                      uint64_t next_rip);

/* ---- segments (seg-*.c) ---- */
void x86_set_seg(X86Cpu *c, unsigned seg, uint32_t selector, uint64_t base, uint32_t limit,
                 uint32_t flags);
void x86_set_cpl(X86Cpu *c, unsigned cpl);
/* After any change of segs but of bases and selectors, or of CR0.PE and EFLAGS.VM (seg-check.c). */
void x86_seg_derive(X86Cpu *c);
/* The address of an access that its segment does not allow: x86_tlb_fill raises the fault there. */
static inline uint64_t x86_bad_address(unsigned seg)
{
    return 1ull << 62 | (uint64_t)seg << 56;
}
static inline bool x86_is_bad_address(uint64_t va)
{
    return va >> 60 == 4;
}
_Noreturn void x86_bad_address_fault(X86Cpu *c, uint64_t va, uintptr_t host_pc);
/*
 * Linear address of `bytes` bytes at an offset; #GP(0) or #SS(0) if the segment does not allow the
 * access.
 */
uint64_t x86_seg_linear(X86Cpu *c, unsigned seg, uint64_t offset, unsigned bytes, bool write,
                        uintptr_t host_pc);
/* Whether the instruction at rip writes its memory operand (which it may have read before). */
bool x86_insn_modifies(X86Cpu *c);
/* Bytes of the instruction at rip; 0: it cannot be read. */
unsigned x86_insn_length(X86Cpu *c);
/* Whether the instruction at rip is one of SSE or AVX. */
bool x86_insn_is_vector(X86Cpu *c);
/* 64-bit mode: whether the instruction at rip reaches va through the stack segment. */
bool x86_access_is_stack(X86Cpu *c, uint64_t va);
/*
 * Real and virtual-8086 mode: base = selector * 16; the limit and type stay (real) or are set
 * (VM86).
 */
void x86_set_seg_real(X86Cpu *c, unsigned seg, uint32_t selector);
void x86_set_seg_vm86(X86Cpu *c, unsigned seg, uint32_t selector);

/* ---- control registers, MSRs (ctrl.c, msr.c, cpuid.c) ---- */
void x86_write_cr0(X86Cpu *c, uint64_t value);
void x86_write_cr3(X86Cpu *c, uint64_t value);
void x86_write_cr4(X86Cpu *c, uint64_t value);
void x86_set_efer(X86Cpu *c, uint64_t value);
void x86_set_pkru(X86Cpu *c, uint32_t pkru);
/* Breakpoints and watchpoints as DR0..3 and DR7 say. */
void x86_update_breakpoints(X86Cpu *c);
/*
 * An access to the port has been done (again: by a string instruction that goes on): #DB when a
 * breakpoint is on it. With CR4.DE only.
 */
void x86_port_break(X86Cpu *c, uint32_t port, unsigned size, bool again, uintptr_t host_pc);
void x86_cpuid(X86Cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
bool x86_msr_read(X86Cpu *c, uint32_t index, uint64_t *value);
bool x86_msr_write(X86Cpu *c, uint32_t index, uint64_t value);
uint64_t x86_tsc(X86Cpu *c);
/* Bits that may be set in EFER (LMA included) and CR4; whether a value of PAT is valid. */
uint64_t x86_efer_allowed(const X86Cpu *c);
uint64_t x86_cr4_allowed(const X86Cpu *c);
bool x86_pat_valid(uint64_t value);
/* Bits of CR0 that must be set in VMX operation (vmx.c). */
uint64_t x86_vmx_cr0_fixed(const X86Cpu *c);
/* #GP(0) if the guest's task may not use the ports (io.c). */
/* Some breakpoint is enabled that may be one on a port. */
bool x86_port_breaks(const X86Cpu *c);
/* INS and OUTS, an element at a time. */
void x86_ins(X86Cpu *c, unsigned size, unsigned address_size, bool rep, uintptr_t host_pc);
void x86_outs(X86Cpu *c, unsigned size, unsigned address_size, unsigned seg, bool rep,
              uintptr_t host_pc);
void x86_io_permission(X86Cpu *c, uint32_t port, unsigned size, uintptr_t host_pc);
/* Takes the machine lock unless this thread has it. */
bool x86_lock_machine(void);
void x86_unlock_machine(bool taken);
uint64_t x86_xcr0_supported(const X86Cpu *c);
/* Where XSAVE puts component n, as CPUID.0DH says it. False: there is none. */
bool x86_xsave_component(unsigned n, uint32_t *offset, uint32_t *size);

/* ---- MMU (mmu.c) ---- */
/* What a walk of the page tables says of a page; error: the #PF code when it fails. */
struct X86Page {
    hwaddr pa;
    unsigned prot, page_bits;
    bool global;
    bool nested_fault; /* it failed in the hypervisor's tables: X86Cpu.nested_fault */
    uint32_t error;
};
/* Walks for an access with its rights; sets accessed and dirty bits. False: a page fault. */
bool x86_page_walk(X86Cpu *c, uint64_t va, MmuAccess access, unsigned mmu_idx, X86Page *page);
bool x86_tlb_fill(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                  bool probe, uintptr_t host_pc);
bool x86_debug_translate(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs);

/* ---- FPU (x87-*.c) ---- */
void x86_fpu_reset(X86Cpu *c);
uint32_t x87_status(const X86Cpu *c); /* with TOP */
void x87_set_status(X86Cpu *c, uint32_t sw);
uint32_t x87_tag_word(const X86Cpu *c); /* two bits a register */
void x87_set_tag_word(X86Cpu *c, uint32_t tw);
void x86_set_mxcsr(X86Cpu *c, uint32_t mxcsr);
/* x87, MXCSR and XMM registers as FXSAVE64 has them (512 bytes; xsave.c). */
void x86_fx_image(X86Cpu *c, void *legacy);
void x86_fx_take(X86Cpu *c, const void *legacy);
/* Bits of MXCSR that there are. */
uint32_t x86_mxcsr_mask(const X86Cpu *c);
uint32_t x86_get_mxcsr(X86Cpu *c); /* with the host's sticky flags merged */
void x86_exec_enter(Cpu *cpu);
void x86_exec_leave(Cpu *cpu);

/* ---- life (cpu.c, models.c, smm.c) ---- */
void x86_cpu_reset(X86Cpu *c, bool init_only);
void x86_smi_enter(X86Cpu *c);
/* The mode and with it what memory the CPU sees; the caller flushes the TLB. */
void x86_set_smm(X86Cpu *c, bool on);
bool x86_has_feature(const X86Cpu *c, unsigned feature);
void x86_dump(Cpu *cpu, GString *out, unsigned flags);
bool x86_register_value(Cpu *cpu, const char *name, uint64_t *v);
bool x86_set_register(Cpu *cpu, const char *name, uint64_t v);
void x86_info(Cpu *cpu, const char *what, GString *out);

/* The BlockKey of the present state (cpu.c). */
void x86_block_key(Cpu *cpu, BlockKey *key);

/* ---- translator: translate.h declares x86_vars ---- */
void x86_translate(Cpu *cpu, struct IrBuilder *b, const BlockKey *key, unsigned max_insns);
bool x86_translate_direct(Cpu *cpu, struct Direct *d, const BlockKey *key, unsigned max_insns);
void x86_translate_region(Cpu *cpu, struct IrBuilder *b, const BlockKey *key, RegionGuide *guide);
bool x86_movable(const BlockKey *key);
void x86_restore(Cpu *cpu, const BlockKey *key, uint64_t pc, uint64_t meta);
unsigned x86_disassemble(Cpu *cpu, uint64_t va, const uint8_t *bytes, unsigned len, GString *out);

#endif
