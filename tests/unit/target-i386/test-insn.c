// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random instructions of the opcode tables, run on the host CPU and by the translator with every
 * engine: registers, flags, x87, MMX, vector state and memory must agree. Flags that a row calls
 * undefined are not compared. Only 64-bit mode at CPL 3, since that is what a host process can run;
 * needs an x86-64 host with AVX. Operands lie across pages and before an unmapped one too: vector,
 * error code, CR2 and the state at a fault must agree as well. Arguments: rounds [function [seed
 * [print]]]; X86_ROUNDS in the environment gives the rounds of a run by itself (a release: 1000).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "accel/accel.h"
#include "target-i386/translate.h"
#include "tcg/codegen.h"
#include "util/main-loop.h"

enum { CODE = 0x20000000, DATA = 0x20100000, DATA_SIZE = 0x2000, MIDDLE = DATA + 0x1000 };
#define NATIVE_STATE_AT 0x20300000ul
#define MXCSR_AND_X87 (X86_ROW_FPU | X86_ROW_MMX)

/* Registers as the host has them; offsets are in the assembly below. */
typedef struct NativeState {
    uint64_t regs[16];                  /* rax rcx rdx rbx rsp .. r15 */
    uint64_t rflags;
    uint64_t entry, host_rsp;
    uint64_t pad[13];
    uint8_t ymm[16][32];                /* at 0x100 */
    uint32_t mxcsr, host_mxcsr, host_fcw, pad2;
    uint8_t pad3[0xf0];
    struct {                            /* at 0x400: FXSAVE64 image */
        uint16_t fcw, fsw;
        uint8_t ftw, zero;
        uint16_t fop;
        uint64_t ip, dp;
        uint32_t mxcsr, mask;
        uint8_t st[8][16];
        uint8_t xmm[16][16], rest[96];
    } fx;
} NativeState;

#ifdef __x86_64__
void native_run(void);
void native_exit(void);
__asm__(
    ".text\n"
    "native_run:\n"
    "push %rbx\n"
    "push %rbp\n"
    "push %r12\n"
    "push %r13\n"
    "push %r14\n"
    "push %r15\n"
    "pushfq\n"
    "stmxcsr 0x20300304\n"
    "fnstcw 0x20300308\n"
    "mov %rsp, 0x20300090\n"
    "fxrstor64 0x20300400\n"
    "ldmxcsr 0x20300300\n"
    "mov $0x20300100, %eax\n"
    ".set k, 0\n"
    ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vmovdqu 32*k(%rax), %ymm\\r\n"
    ".set k, k + 1\n"
    ".endr\n"
    "pushq 0x20300080\n"
    "popfq\n"
    "mov 0x20300000, %rax\n"
    "mov 0x20300008, %rcx\n"
    "mov 0x20300010, %rdx\n"
    "mov 0x20300018, %rbx\n"
    "mov 0x20300020, %rsp\n"
    "mov 0x20300028, %rbp\n"
    "mov 0x20300030, %rsi\n"
    "mov 0x20300038, %rdi\n"
    "mov 0x20300040, %r8\n"
    "mov 0x20300048, %r9\n"
    "mov 0x20300050, %r10\n"
    "mov 0x20300058, %r11\n"
    "mov 0x20300060, %r12\n"
    "mov 0x20300068, %r13\n"
    "mov 0x20300070, %r14\n"
    "mov 0x20300078, %r15\n"
    "jmp *0x20300088\n"
    "native_exit:\n"
    "mov %rax, 0x20300000\n"
    "mov %rcx, 0x20300008\n"
    "mov %rdx, 0x20300010\n"
    "mov %rbx, 0x20300018\n"
    "mov %rsp, 0x20300020\n"
    "mov %rbp, 0x20300028\n"
    "mov %rsi, 0x20300030\n"
    "mov %rdi, 0x20300038\n"
    "mov %r8, 0x20300040\n"
    "mov %r9, 0x20300048\n"
    "mov %r10, 0x20300050\n"
    "mov %r11, 0x20300058\n"
    "mov %r12, 0x20300060\n"
    "mov %r13, 0x20300068\n"
    "mov %r14, 0x20300070\n"
    "mov %r15, 0x20300078\n"
    "mov 0x20300090, %rsp\n"
    "pushfq\n"
    "popq 0x20300080\n"
    "cld\n"
    "mov $0x20300100, %eax\n"
    ".set k, 0\n"
    ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vmovdqu %ymm\\r, 32*k(%rax)\n"
    ".set k, k + 1\n"
    ".endr\n"
    "vzeroupper\n"
    "fxsave64 0x20300400\n"
    "fninit\n"
    "fldcw 0x20300308\n"
    "ldmxcsr 0x20300304\n"
    "popfq\n"
    "pop %r15\n"
    "pop %r14\n"
    "pop %r13\n"
    "pop %r12\n"
    "pop %rbp\n"
    "pop %rbx\n"
    "ret\n"
);
#endif

typedef struct Code {
    uint8_t b[256];
    unsigned n;
} Code;

typedef struct Case {
    const X86Row *row;
    X86Insn insn;
    Code code;
    bool has_setter;
    unsigned num_insns;                 /* without the jump at the end */
    uint32_t undefined;
    uint64_t where;                     /* of the operand, about */
    uint32_t mxcsr;
    NativeState input, host;
    uint8_t before[DATA_SIZE], after[DATA_SIZE];
} Case;

/* Per process: signals and the accelerator leave no other way. */
static sigjmp_buf fault_jump;
static int fault_signal;
/* general registers, flags and low vector halves when the signal came */
static NativeState at_fault;
static unsigned fault_vector, fault_error;
static uint64_t fault_cr2;
static volatile bool on_host;
static uint64_t seed;
static X86Cpu *the_cpu;
static Region tables;               /* all zero: nothing is mapped but what is in the TLB */
static IrBuilder *builder;
static CodeBuffer buffers[2];

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull;
}

static uint64_t rnd_value(void)
{
    static const uint64_t edge[] = {0,
                                    1,
                                    2,
                                    0x7f,
                                    0x80,
                                    0xff,
                                    0x7fff,
                                    0x8000,
                                    0xffff,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    ~0ull,
                                    ~1ull};
    uint64_t r = rnd();

    return r & 0x300 ? rnd() >> (r & 0x400 ? 0 : r >> 20 & 63) : edge[r & 15];
}

static void note_fault(const ucontext_t *uc)
{
    static const int regs[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
    const greg_t *g = uc->uc_mcontext.gregs;

    for (unsigned n = 0; n < 16; n++) {
        at_fault.regs[n] = (uint64_t)g[regs[n]];
        memcpy(at_fault.ymm[n], &uc->uc_mcontext.fpregs->_xmm[n], 16);
    }
    at_fault.rflags = (uint64_t)g[REG_EFL];
    at_fault.mxcsr = uc->uc_mcontext.fpregs->mxcsr;
    fault_vector = (unsigned)g[REG_TRAPNO];
    fault_error = (unsigned)g[REG_ERR];
    fault_cr2 = (uint64_t)g[REG_CR2];
}

static void on_signal(int sig, siginfo_t *info, void *uc)
{
    if (!on_host) {
        signal(sig, SIG_DFL);           /* ours: back to where it strikes again */
        return;
    }
    fault_signal = sig;
    note_fault(uc);
    on_host = false;
    siglongjmp(fault_jump, 1);
}

/* ---- making instructions ---- */

static void put(Code *c, uint64_t v, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++) {
        c->b[c->n++] = (uint8_t)(v >> (8 * k));
    }
}

/* Control transfer, system instructions, those that read time or random numbers, strings. */
static const char *const not_here[] = {
    "CALL", "CALL_ind", "CALLF", "CALLF_ind", "JMP", "JMP_ind", "JMPF", "JMPF_ind", "RET", "RETF", "INT", "INT1",
    "INT3", "INTO", "IRET", "SYSCALL", "SYSRET", "SYSENTER", "SYSEXIT", "UD", "LOOP", "JCXZ", "Jcc", "HLT", "CLI",
    "STI", "IN", "OUT", "INS", "OUTS", "MOV_from_seg", "MOV_to_seg", "MOV_from_cr", "MOV_to_cr", "MOV_from_dr",
    "MOV_to_dr", "PUSH_seg", "POP_seg", "LxS", "LLDT", "LTR", "LGDT", "LIDT", "SGDT", "SIDT", "SLDT", "STR", "SMSW",
    "LMSW", "INVLPG", "LAR", "LSL", "VERR", "VERW", "CLTS", "WBINVD", "RDMSR", "WRMSR", "RDTSC", "RDTSCP", "RDPMC",
    "RDPID", "RDRAND", "RDFSGSBASE", "WRFSGSBASE", "CPUID", "RSM", "XGETBV", "XSETBV", "XSAVE", "XSAVEOPT", "XSAVEC",
    "XSAVES", "XRSTOR", "XRSTORS", "MONITOR", "MWAIT", "SWAPGS", "CLAC", "STAC", "INVPCID", "FXSAVE", "FXRSTOR",
    "ENTER", "LEAVE", "PUSHF", "POPF", "PAUSE", "ARPL", "STMXCSR", "LDMXCSR",
    "VMCALL", "VMMCALL", "VMRUN", "VMLOAD", "VMSAVE", "STGI", "CLGI", "SKINIT", "INVLPGA", "VMLAUNCH", "VMRESUME", "VMXOFF",
    "VMXON", "VMCLEAR", "VMPTRLD", "VMPTRST", "VMREAD", "VMWRITE", "INVEPT", "INVVPID", "XLAT", "CMPXCHG8B", "CMPXCHG16B", "STD", "MASKMOVQ", "MASKMOVDQU", "CLFLUSH", "LAHF",
    "FLDENV", "FNSTENV", "FRSTOR", "FNSAVE",
};

static bool row_usable(const X86Row *r)
{
    if (r->flags & X86_ROW_I64 || (r->map == X86_MAP_0F && r->opcode == 0x0d) ||
        r->feature == FEAT_3DNOW || r->feature == FEAT_3DNOWEXT) { /* test-x86-3dnow has tables */
        return false;
    }
    for (unsigned k = 0; k < G_N_ELEMENTS(not_here); k++) {
        if (!strcmp(r->name, not_here[k])) {
            return false;
        }
    }
    /* byte forms of opcode registers 3..5 would be BL, CH, DH or the address registers */
    bool byte = r->ops[0].size == X86_SZ_B;
    return !(r->flags & X86_ROW_PLUS_R && byte && (r->opcode & 7) >= 3 && (r->opcode & 7) <= 5);
}

static bool has_op(const X86Row *r, unsigned op)
{
    return r->ops[0].op == op || r->ops[1].op == op || r->ops[2].op == op || r->ops[3].op == op;
}

static bool is_vector(const X86Row *r, bool rm)
{
    return rm ? has_op(r, X86_OP_W) || has_op(r, X86_OP_U) || has_op(r, X86_OP_Q) ||
                    has_op(r, X86_OP_N)
              : has_op(r, X86_OP_V) || has_op(r, X86_OP_P);
}

/* Not RBX, RSP, RBP, R13, which addresses use. */
static unsigned pick_reg(void)
{
    static const uint8_t regs[] = {0, 1, 2, 6, 7, 8, 9, 10, 11, 14, 15, 12};

    return regs[rnd() % 12];
}

/* Whether general registers appear as 8-bit ones, where numbers 4..7 without REX mean AH.. */
static bool byte_regs(const X86Row *r)
{
    for (unsigned k = 0; k < 4; k++) {
        uint8_t op = r->ops[k].op;
        if (r->ops[k].size == X86_SZ_B && (op == X86_OP_E || op == X86_OP_G || op == X86_OP_Z)) {
            return true;
        }
    }
    return false;
}

typedef struct Form {
    uint8_t rex, modrm, sib;
    bool has_sib, opsize, rip;
    unsigned disp, disp_bytes, reg;
} Form;

/*
 * [RBX + disp8], [RBP + disp8], [RBX + disp32], [SIB RBX + disp8], [RBX + R13 * scale + disp8],
 * [disp32], [RIP + disp32].
 */
static unsigned choose_memory(Form *f, bool vector, bool aligned)
{
    unsigned form = aligned ? rnd() % 4 : rnd() % 8;

    f->disp = (unsigned)(rnd() % 128) & (aligned || (vector && rnd() % 8) ? ~15u : ~0u);
    f->modrm = form == 2 ? 0x80 : form >= 5 && form <= 6 ? 0 : 0x40;
    f->disp_bytes = form == 2 || form == 5 || form == 6 ? 4 : 1;
    f->has_sib = form == 3 || form == 4 || form == 5 || form == 7;
    f->sib = 0x23;                                  /* RBX without index */
    if (form == 4 || form == 7) {                   /* RBX or R13 + R13 or RBX, scaled */
        f->sib = (uint8_t)((rnd() & 3) << 6 | 5 << 3 | 3);
        f->rex |= 2;
    } else if (form == 5) {
        f->sib = 0x25;
        f->disp += MIDDLE;
    } else if (form == 6) {
        f->rip = true;
    }
    return form == 1 || form == 6 ? 5 : f->has_sib ? 4 : 3;
}

/* [RBX + vector * scale + disp8]. */
static unsigned choose_vsib(Form *f)
{
    f->modrm = 0x40;
    f->has_sib = true;
    f->sib = (uint8_t)(rnd() << 3 | 3);
    f->rex |= rnd() & 2;
    f->disp = (unsigned)(rnd() % 128);
    f->disp_bytes = 1;
    return 4;
}

static void choose_modrm(Form *f, const X86Row *r, bool mem)
{
    unsigned rm;

    if (mem && r->flags & X86_ROW_VSIB) {
        rm = choose_vsib(f);
    } else if (mem) {
        /* AMD's processors do not demand the alignment of SHA's operands that the SDM does */
        rm = choose_memory(f, r->flags & (X86_ROW_SSE | X86_ROW_MMX),
                           !strncmp(r->name, "SHA", 3) && r->flags & X86_ROW_SSE);
    } else {
        rm = r->rm >= 0               ? (unsigned)r->rm
             : r->flags & X86_ROW_FPU ? rnd() % 8
             : is_vector(r, true)     ? rnd() % 16
                                      : pick_reg();
        f->modrm = 0xc0;
    }
    f->rex |= (uint8_t)((f->reg >> 3) << 2 | (rm >> 3));
    f->modrm |= (uint8_t)((f->reg & 7) << 3 | (rm & 7));
    if (byte_regs(r) && !f->rex && ((!mem && (rm & 7) == 7) || (f->reg & 7) == 7)) {
        f->rex |= 0x40;
    }
}

static void choose_opcode_reg(Form *f, const X86Row *r)
{
    unsigned z = r->opcode & 7;

    if (z == R_BX || z == R_SP || z == R_BP || (rnd() & 1 && z != R_BP)) {
        z += 8;
    }
    f->rex |= (uint8_t)(z >> 3);
    if (r->flags & X86_ROW_NOB) {
        f->rex &= 0xfe;
    }
    if (byte_regs(r) && z == R_DI) {
        f->rex |= 0x40;
    }
}

static void put_vex(Code *c, const X86Row *r, const Form *f)
{
    static const uint8_t pps[5] = {[X86_PFX_66] = 1, [X86_PFX_F3] = 2, [X86_PFX_F2] = 3};
    unsigned vvvv = has_op(r, X86_OP_H) ? rnd() % 16 : has_op(r, X86_OP_B) ? pick_reg() : 0;
    unsigned l = r->flags & X86_ROW_L1                                ? 1
                 : r->flags & X86_ROW_L0 || !(r->flags & X86_ROW_SSE) ? 0
                                                                      : rnd() % 2;

    put(c, 0xc4, 1);
    put(c, (~f->rex & 7u) << 5 | (r->map - X86_MAP_V1 + 1u), 1);
    put(c, (f->rex >> 3 & 1u) << 7 | (~vvvv & 15u) << 3 | l << 2 | pps[r->prefix], 1);
}

/*
 * What changes nothing at addresses below 4 GiB: segment overrides, GS with base 0, 32-bit
 * addresses.
 */
static void put_idle_prefix(Code *c)
{
    static const uint8_t idle[] = {0x26, 0x2e, 0x36, 0x3e, 0x65, 0x67};

    put(c, idle[rnd() % sizeof(idle)], rnd() % 4 == 0);
}

static void put_prefixes(Code *c, const X86Row *r, const Form *f)
{
    if (f->opsize) {
        put(c, 0x66, 1);
    }
    if (r->prefix >= X86_PFX_F3) {
        put(c, r->prefix == X86_PFX_F3 ? 0xf3 : 0xf2, 1);
    }
    if (f->rex) {
        put(c, f->rex | 0x40, 1);
    }
    if (r->map != X86_MAP_1) {
        put(c, 0x0f, 1);
    }
    if (r->map >= X86_MAP_0F38) {
        put(c, r->map == X86_MAP_0F38 ? 0x38 : 0x3a, 1);
    }
}

static void put_immediates(Code *c, const X86Row *r, const Form *f)
{
    unsigned v = f->rex & 8 ? 3 : f->opsize ? 1 : 2;

    for (unsigned k = 0; k < 4; k++) {
        if (r->ops[k].op == X86_OP_I) {
            uint8_t sz = r->ops[k].size;
            put(c, rnd_value(),
                sz == X86_SZ_W   ? 2
                : sz == X86_SZ_V ? 1u << v
                : sz == X86_SZ_Z ? (v == 1 ? 2 : 4)
                                 : 1);
        } else if (r->ops[k].op == X86_OP_O) {
            put(c, MIDDLE + 8, 8);
        } else if (r->ops[k].op == X86_OP_L) {
            put(c, rnd() & 0xf0, 1);
        }
    }
}

/* Appends a form of the row: registers, memory near RBX or RBP, immediates at random. */
static void put_row(Code *c, const X86Row *r)
{
    Form f = {.opsize = r->prefix == X86_PFX_66};
    bool has_modrm = r->flags & X86_ROW_MODRM, vex = r->flags & X86_ROW_VEX;
    bool mem = has_modrm && (r->flags & X86_ROW_MEM || (!(r->flags & X86_ROW_REG) && rnd() % 2));

    if ((r->prefix == X86_PFX_ANY || r->prefix >= X86_PFX_F3) && !vex && rnd() % 4 == 0 &&
        !(r->flags & (X86_ROW_SSE | X86_ROW_MMX | X86_ROW_FPU))) {
        f.opsize = true;
    }
    if ((rnd() % 3 == 0 && !(r->flags & X86_ROW_W0)) || r->flags & X86_ROW_W1) {
        f.rex |= 8;
    }
    f.reg = r->reg >= 0 ? (unsigned)r->reg : is_vector(r, false) ? rnd() % 16 : pick_reg();
    if (has_modrm) {
        choose_modrm(&f, r, mem);
    } else if (r->flags & X86_ROW_PLUS_R) {
        choose_opcode_reg(&f, r);
    }
    if (mem && r->flags & X86_ROW_LOCK && rnd() % 3 == 0) {
        put(c, 0xf0, 1);
    }
    if (r->flags & X86_ROW_REP && rnd() % 4) {
        put(c, rnd() & 1 ? 0xf2 : 0xf3, 1);
        put(c, 0x67, rnd() % 4 == 0);
    }
    if (mem && !(r->flags & X86_ROW_VSIB)) {
        put_idle_prefix(c);
    }
    if (vex) {
        put_vex(c, r, &f);
    } else {
        put_prefixes(c, r, &f);
    }
    put(c, r->opcode, 1);
    put(c, f.modrm, has_modrm);
    put(c, f.sib, f.has_sib);
    unsigned disp_at = c->n;
    put(c, f.disp, f.disp_bytes);
    put_immediates(c, r, &f);
    if (f.rip) {
        uint32_t distance = MIDDLE + f.disp - (CODE + c->n);
        memcpy(c->b + disp_at, &distance, 4);
    }
}

/* Something in front that sets flags in one of the lazy ways. */
static bool put_flag_setter(Code *c)
{
    static const uint8_t opcodes[] = {0x01, 0x29, 0x11, 0x19, 0x21, 0x39,
                                      0x31, 0xff, 0xfe, 0xd1, 0xf7};
    unsigned k = rnd() % 16;

    if (k >= sizeof(opcodes)) {
        return false;
    }
    unsigned reg = k < 7                ? pick_reg() & 7
                   : opcodes[k] == 0xd1 ? (rnd() & 1 ? 4 : 7)
                   : opcodes[k] == 0xf7 ? 3
                                        : rnd() & 1;
    put(c, 0x48, rnd() & 1 && opcodes[k] != 0xfe);
    put(c, opcodes[k], 1);
    put(c, 0xc0 | reg << 3 | (rnd() & 2), 1);
    return true;
}

/* SETcc [rbx - 16 + k] for the conditions that are defined. */
static unsigned put_setcc(Code *c, uint32_t undefined)
{
    unsigned n = 0;

    static const uint32_t uses[8] = {FLAG_O, FLAG_C, FLAG_Z,          FLAG_C | FLAG_Z,
                                     FLAG_S, FLAG_P, FLAG_S | FLAG_O, FLAG_S | FLAG_O | FLAG_Z};

    for (unsigned k = 0; k < 16; k++) {
        if (!(uses[k >> 1] & undefined)) {
            put(c, 0x43000f | (0x90u + k) << 8, 3);
            put(c, (uint64_t)(-16 + (int)k), 1);
            n++;
        }
    }
    return n;
}

/* ---- making states ---- */

static void random_x87(NativeState *st)
{
    unsigned top = rnd() % 8;

    st->fx.fcw = 0x37f;
    st->fx.fsw = (uint16_t)(top << 11);
    /* ST5..7 empty */
    st->fx.ftw = rnd() % 4 ? 0xff : (uint8_t)(0x1f << top | 0x1f >> (8 - top));
    if (rnd() & 1) {
        st->fx.ftw &= (uint8_t)~(1u << ((top + 7) & 7));
    }
    for (unsigned k = 0; k < 8; k++) {
        uint64_t mant = rnd_value() | 1ull << 63;
        uint16_t exp = (uint16_t)(16383 + (int)(rnd() % 60) - 20) | (uint16_t)(rnd() & 0x8000);
        memcpy(st->fx.st[k], &mant, 8);
        memcpy(st->fx.st[k] + 8, &exp, 2);
    }
}

static void random_state(Case *t, NativeState *st)
{
    memset(st, 0, sizeof(*st));
    for (unsigned n = 0; n < DATA_SIZE; n += 8) {
        uint64_t v = rnd_value();
        memcpy(t->before + n, &v, 8);
    }
    for (unsigned n = 0; n < 16; n++) {
        st->regs[n] = rnd_value();
        for (unsigned q = 0; q < 32; q += 4) {
            uint32_t v = (uint32_t)rnd_value();
            if (rnd() & 1) {        /* a float near 1 */
                v = (v & 0x807fffff) | (uint32_t)(100 + rnd() % 60) << 23;
            }
            memcpy(&st->ymm[n][q], &v, 4);
        }
        if (!strncmp(t->row->name, "BT", 2)) {     /* bit numbers reach far */
            st->regs[n] = (uint64_t)(int64_t)(int16_t)(rnd() & 0x3fff) - 0x2000;
        }
    }
    if (rnd() & 1) {
        st->regs[R_CX] = rnd() & 63;
    }
    if (!strcmp(t->row->name, "DIV") || !strcmp(t->row->name, "IDIV")) {    /* quotients that fit */
        st->regs[R_DX] = rnd() % 4 ? (rnd() & 1 ? 0 : (uint64_t)((int64_t)st->regs[R_AX] >> 63))
                                   : st->regs[R_DX];
        st->regs[R_AX] = rnd() & 1 ? (uint16_t)st->regs[R_AX] : st->regs[R_AX];
    }
    /* strings: equal runs too, overlapping, both directions */
    if (t->row->flags & X86_ROW_REP) {
        st->regs[R_SI] = MIDDLE + rnd() % 256;
        st->regs[R_DI] = rnd() & 1 ? st->regs[R_SI] + rnd() % 24 - 12 : MIDDLE - 64 + rnd() % 256;
        st->regs[R_CX] = rnd() % 4 ? rnd() % 40 : 0;
        st->rflags = rnd() & 1 ? FLAG_DF : 0;
        for (unsigned n = DATA_SIZE / 2 - 0x200; n < DATA_SIZE / 2 + 0x200 && rnd() & 7; n++) {
            t->before[n] = (uint8_t)(n % 64 ? 0x55 : rnd());
        }
    }
    if (t->row->flags & X86_ROW_VSIB) {     /* near indices */
        unsigned bytes = t->row->opcode & 1 ? 8 : 4;
        for (unsigned at = 0; at < 32; at += bytes) {
            int64_t v = (int64_t)(rnd() % 48) - 16;
            memcpy(st->ymm[t->insn.vsib] + at, &v, bytes);
        }
    }
    random_x87(st);
    st->regs[R_BX] = st->regs[R_BP] = t->where;
    st->regs[R_13] = (uint64_t)((int64_t)(rnd() % 16) - 8);
    st->regs[R_SP] = DATA + 0x800;
    st->rflags = 0x202 | (rnd() & FLAGS_CC) | (st->rflags & FLAG_DF);
    st->entry = CODE;
    st->mxcsr = st->fx.mxcsr = t->mxcsr;
}

/* ---- running ---- */

static void state_to_cpu(X86Cpu *c, const NativeState *st)
{
    memcpy(c->regs, st->regs, sizeof(c->regs));
    for (unsigned n = 0; n < 16; n++) {
        memcpy(&c->xmm[n], st->ymm[n], 16);
        memcpy(&c->ymm_hi[n], st->ymm[n] + 16, 16);
    }
    c->cc_op = CC_EFLAGS;
    c->cc_src = st->rflags & FLAGS_CC;
    c->df = st->rflags & FLAG_DF ? -1 : 1;
    c->eflags = 2 | FLAG_IF;
    c->mxcsr = st->mxcsr;
    c->fp_cw = st->fx.fcw;
    x87_set_status(c, st->fx.fsw);
    for (unsigned k = 0; k < 8; k++) {
        c->fp_tag[k] = !(st->fx.ftw >> k & 1);
        memcpy(&c->fpr[(c->fp_top + k) & 7].mant, st->fx.st[k], 8);
        memcpy(&c->fpr[(c->fp_top + k) & 7].sign_exp, st->fx.st[k] + 8, 2);
    }
}

static void state_from_cpu(X86Cpu *c, NativeState *st)
{
    memcpy(st->regs, c->regs, sizeof(c->regs));
    for (unsigned n = 0; n < 16; n++) {
        memcpy(st->ymm[n], &c->xmm[n], 16);
        memcpy(st->ymm[n] + 16, &c->ymm_hi[n], 16);
    }
    st->rflags = x86_cc_all(c->cc_dst, c->cc_src, c->cc_src2, c->cc_op);
    st->fx.fcw = (uint16_t)c->fp_cw;
    st->fx.fsw = (uint16_t)x87_status(c);
    st->fx.ftw = 0;
    for (unsigned k = 0; k < 8; k++) {
        st->fx.ftw |= (uint8_t)(!c->fp_tag[k] << k);
        memcpy(st->fx.st[k], &c->fpr[(c->fp_top + k) & 7].mant, 8);
        memcpy(st->fx.st[k] + 8, &c->fpr[(c->fp_top + k) & 7].sign_exp, 2);
    }
}

/* Vector of the exception, or CPU_EXC_NONE. */
static int run_emulated(NativeState *st, unsigned num_insns, const CodeEngine *engine, bool opt,
                        bool print)
{
    X86Cpu *c = the_cpu;
    CodeBuffer *buffer = &buffers[engine != &engine_interp];
    CodeMark mark = code_buffer_mark(buffer);
    CodeBlock *last;
    BlockKey key = {.pc = CODE,
                    .mode = MODE_CS64 | MODE_LMA | MODE_PE | 3 | MODE_OSFXSR | MODE_AVX};

    key.mode |= (st->mxcsr & MXCSR_MASKS) != MXCSR_MASKS ? MODE_XM : 0;
    g_autofree CodeBlock *cb = g_new0(CodeBlock, 1);
    GError *error = NULL;

    state_to_cpu(c, st);
    c->rip = CODE;
    c->cpu.exception = CPU_EXC_NONE;
    c->old_exception = -1;
    cb->key = key;
    IrFunc *f = ir_begin(builder);
    /* the optimising interpreter has v256 as well, the other one halves */
    ir_set_v256(builder, opt && (!engine->has_v256 || engine->has_v256()));
    x86_translate(&c->cpu, builder, &key, num_insns);
    if (!ir_verify(f, &error)) {
        printf("# verifier: %s\n", error->message);
        g_clear_error(&error);
    }
    if (print) {
        g_autoptr(GString) text = g_string_new(NULL);
        ir_print(f, text);
        printf("%s", text->str);
    }
    g_assert_true(engine->generate(buffer, f, cb, opt));
    if (sigsetjmp(c->cpu.jump, 0) == 0) {
        x86_exec_enter(&c->cpu);
        engine->run(&c->cpu, cb, &last);
    }
    x86_exec_leave(&c->cpu);
    st->mxcsr = c->mxcsr;
    /* The interpreter remembers where it was until it runs again; the block goes away now. */
    c->cpu.running = NULL;
    code_buffer_release(buffer, mark);
    state_from_cpu(c, st);
    return c->cpu.exception;
}

static bool run_host(void)
{
    fault_signal = 0;
    if (sigsetjmp(fault_jump, 1) == 0) {
        on_host = true;
        native_run();
        on_host = false;
        return true;
    }
    return false;
}

/* ---- comparing ---- */

static bool differs(const char *what, unsigned n, const void *ours, const void *host,
                    const void *was, unsigned size)
{
    const uint8_t *a = ours, *b = host, *c = was;

    if (!memcmp(a, b, size)) {
        return false;
    }
    printf("# %s%u is ", what, n);
    for (unsigned p = 0; p < 3; p++) {
        const uint8_t *x = p == 0 ? a : p == 1 ? b : c;
        for (unsigned k = size; k-- > 0;) {
            printf("%02x", x[k]);
        }
        printf("%s", p == 0 ? ", on the host " : p == 1 ? " (was " : ")\n");
    }
    return true;
}

static bool same_state(const Case *t, const NativeState *emu)
{
    const NativeState *host = &t->host, *was = &t->input;
    bool bad = false;

    for (unsigned n = 0; n < 16; n++) {
        bad |= differs("reg ", n, &emu->regs[n], &host->regs[n], &was->regs[n], 8);
        bad |= differs("xmm", n, emu->ymm[n], host->ymm[n], was->ymm[n], 32);
    }
    uint32_t ours = (uint32_t)emu->rflags & FLAGS_CC & ~t->undefined;
    uint32_t theirs = (uint32_t)host->rflags & FLAGS_CC & ~t->undefined;
    if (t->has_setter && (ours ^ theirs) == FLAG_A) {
        theirs ^= FLAG_A;               /* logic leaves it undefined */
    }
    bad |= differs("flags", 0, &ours, &theirs, &was->rflags, 4);
    if (t->row->flags & X86_ROW_SSE) {
        uint32_t a = emu->mxcsr & MXCSR_STICKY, b = host->fx.mxcsr & MXCSR_STICKY;
        bad |= differs("mxcsr", 0, &a, &b, &was->mxcsr, 4);
    }
    for (unsigned n = 0; n < DATA_SIZE; n += 8) {
        bad |= differs("memory ", n, (uint8_t *)DATA + n, t->after + n, t->before + n, 8);
    }
    if (t->row->flags & MXCSR_AND_X87) {
        uint16_t mask = t->row->flags & X86_ROW_MMX ? 0x3800 : 0x7dff;     /* C1 is left out */
        uint16_t a = emu->fx.fsw & mask, b = host->fx.fsw & mask;
        bad |= differs("fsw", 0, &a, &b, &was->fx.fsw, 2);
        bad |= differs("fcw", 0, &emu->fx.fcw, &host->fx.fcw, &was->fx.fcw, 2);
        bad |= differs("ftw", 0, &emu->fx.ftw, &host->fx.ftw, &was->fx.ftw, 1);
        for (unsigned n = 0; n < 8; n++) {
            bad |= differs("st", n, emu->fx.st[n], host->fx.st[n], was->fx.st[n], 10);
        }
    }
    return !bad;
}

/*
 * What is there when a fault is taken; flags and rip only from the interpreter, which knows where
 * it was.
 */
static bool same_fault(const NativeState *emu, bool interp)
{
    uint32_t ours = (uint32_t)emu->rflags & FLAGS_CC, theirs = (uint32_t)at_fault.rflags & FLAGS_CC;
    bool bad = false;

    for (unsigned n = 0; n < 16; n++) {
        bad |= differs("reg at fault ", n, &emu->regs[n], &at_fault.regs[n], &emu->regs[n], 8);
        bad |= differs("xmm at fault ", n, emu->ymm[n], at_fault.ymm[n], emu->ymm[n], 16);
    }
    if (interp && (ours ^ theirs) & ~(uint32_t)FLAG_A) {
        bad |= differs("flags at fault", 0, &ours, &theirs, &theirs, 4);
    }
    if (fault_vector == EXC_PF) {
        bad |= differs("cr2", 0, &the_cpu->cr2, &fault_cr2, &fault_cr2, 8);
    }
    uint32_t unknown = 2;       /* a write: told by the instruction, which nothing maps here */
    if ((the_cpu->error_code ^ fault_error) & ~unknown &&
        (fault_vector == EXC_PF || fault_vector == EXC_GP)) {
        bad |= differs("error code", 0, &the_cpu->error_code, &fault_error, &fault_error, 4);
    }
    if (fault_vector == EXC_XM) {
        /*
         * whether what overflowed was exact besides is not modelled: PE with OE that is not masked
         */
        uint32_t loose = (at_fault.mxcsr & 0x408) == 8 ? 0x20 : 0;
        uint32_t got = emu->mxcsr | loose, wanted = at_fault.mxcsr | loose;

        bad |= differs("mxcsr", 0, &got, &wanted, &at_fault.mxcsr, 4);
    }
    return !bad;
}

static void print_case(const Case *t)
{
    g_autoptr(GString) text = g_string_new(NULL);
    X86DecodeMode mode = {.code64 = true};

    for (unsigned n = 0; n < 16; n++) {
        printf("#  r%u=%016" PRIx64 "%s", n, t->input.regs[n], n % 4 == 3 ? "\n" : "");
    }
    for (unsigned at = 0; at < t->code.n;) {
        X86Insn i;
        if (x86_decode(&i, t->code.b + at, t->code.n - at, mode) != X86_OK) {
            break;
        }
        x86_print_insn(&i, CODE + at, mode, text);
        g_string_append(text, at + i.len < t->code.n ? "; " : "");
        at += i.len;
        if (text->len > 150) {
            break;
        }
    }
    printf("#  %s\n", text->str);
}

/* False: what was made is not to be run. *wrong: the decoder disagrees with the encoder. */
static bool make_case(Case *t, bool *wrong)
{
    X86DecodeMode mode = {.code64 = true};

    /* in the middle of what is mapped, over its page boundary, over its end */
    uint64_t k = rnd() % 16;
    t->where = k < 10 ? MIDDLE : k < 13 ? MIDDLE - 64 : DATA + DATA_SIZE - 128;
    t->mxcsr = MXCSR_DEFAULT;
    if (t->row->flags & X86_ROW_SSE && rnd() % 4 == 0) {
        t->mxcsr = (uint32_t)(rnd() & 0xe040) |
                   (rnd() & 1 ? MXCSR_MASKS : MXCSR_MASKS & ~(1u << (7 + rnd() % 6)));
        t->mxcsr |= 0x800;          /* underflow of exact results is not modelled */
        if (!strncmp(t->row->name, "DPP", 3)) {
            t->mxcsr |= 0x1000;     /* nor that an inexact product keeps sums from being made */
        }
    }
    t->code.n = 0;
    t->undefined = t->row->undefined;
    t->has_setter = strncmp(t->row->name, "BT", 2) && !(t->row->flags & X86_ROW_REP) &&
                    put_flag_setter(&t->code);
    unsigned start = t->code.n;
    put_row(&t->code, t->row);
    X86Decoded d = x86_decode(&t->insn, t->code.b + start, t->code.n - start, mode);
    if (d == X86_OK && t->insn.row != t->row) {
        return false;                   /* a prefix made it another row */
    }
    if (d != X86_OK || t->insn.len != t->code.n - start) {
        printf("# decoder: result %u, length %u of %u\n", d, t->insn.len, t->code.n - start);
        *wrong = true;
        return false;
    }
    if (t->row->flags & X86_ROW_SHD && t->insn.op[0].size == 1) {
        return false;                   /* undefined for counts above 16 */
    }
    if (!strncmp(t->row->name, "SH", 2) && t->row->undefined && t->insn.op[0].size < 2) {
        t->undefined |= FLAG_C;
    }
    t->num_insns = 1 + t->has_setter + put_setcc(&t->code, t->undefined | FLAG_A);
    put(&t->code, 0x25ff, 6);
    put(&t->code, (uint64_t)(uintptr_t)native_exit, 8);
    return true;
}

static bool run_case(Case *t, bool print)
{
    NativeState *live = (NativeState *)NATIVE_STATE_AT;
    const CodeEngine *const engines[] = {&engine_interp, &engine_interp, engine_native()};
    bool good = true, wrong = false;

    if (!make_case(t, &wrong)) {
        return !wrong;
    }
    memcpy((void *)CODE, t->code.b, t->code.n);
    random_state(t, &t->input);
    *live = t->input;
    memcpy((void *)DATA, t->before, DATA_SIZE);
    bool ran = run_host();
    memcpy(t->after, (void *)DATA, DATA_SIZE);
    t->host = *live;
    if (!ran && fault_signal == SIGILL && t->row->feature >= 0) {
        return true;                    /* the host does not have it */
    }
    int expect = ran ? CPU_EXC_NONE : (int)fault_vector;
    for (unsigned e = 0; e < G_N_ELEMENTS(engines) && good; e++) {
        if (!engines[e]) {
            continue;
        }
        NativeState emu = t->input;
        memcpy((void *)DATA, t->before, DATA_SIZE);
        int got = run_emulated(&emu, t->num_insns, engines[e], e > 0, print);
        if (got != expect) {
            printf("# exception %d, on the host %d\n", got, expect);
            good = false;
        } else {
            good = ran ? same_state(t, &emu) : same_fault(&emu, engines[e] == &engine_interp);
        }
        if (!good) {
            printf("# %s (%s), engine %s%s\n", t->row->name, t->row->text, engines[e]->name,
                   e ? ", optimised" : "");
            print_case(t);
        }
    }
    return good;
}

/* ---- set-up ---- */

static void map_identity(X86Cpu *c, uint64_t va, uint64_t size)
{
    mmap((void *)va, size, PROT_READ | PROT_WRITE | PROT_EXEC,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (uint64_t at = va; at < va + size; at += 4096) {
        c->cpu.tlb.table[MMU_USER][at >> 12 & (TLB_SIZE - 1)] =
            (TlbEntry){.read = at, .write = at, .code = at};
    }
}

static void make_cpu(void)
{
    the_cpu = aligned_alloc(64, (sizeof(X86Cpu) + 63) & ~63ul);
    memset(the_cpu, 0, sizeof(X86Cpu));
    memset(the_cpu->features, 0xff, sizeof(the_cpu->features));
    the_cpu->cpu.arch = target_arch;
    the_cpu->cpu.accel = g_malloc0(4 * MIB);       /* accel/tcg's; fetching looks into it */
    the_cpu->cpu.in_exclusive = true;              /* unaligned atomics need no others stopped */
    the_cpu->cpl = 3;
    the_cpu->cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_MP;
    the_cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE | CR4_OSXMMEXCPT;
    the_cpu->efer = EFER_LMA | EFER_LME;
    the_cpu->segs[S_CS].flags = SEG_P | SEG_S | SEG_CODE | SEG_L | SEG_DPL;
    map_identity(the_cpu, DATA, DATA_SIZE);
    map_identity(the_cpu, CODE, 4096);
}

static void make_engines(void)
{
    const CodeEngine *const engines[2] = {&engine_interp, engine_native()};
    char *list[] = {(char *)"tcg,interp=on,tb-size=4", NULL};
    GError *error = NULL;

    main_loop_init();
    Vm *vm = vm_new();
    address_spaces_init(vm);
    g_assert_true(accel_start(vm, list, &error));
    g_assert_true(region_init_ram(&tables, NULL, "ram", 4096, &error));
    region_add(vm->memory, 0, &tables, 0);
    the_cpu->cpu.as = vm->memory_as;
    the_cpu->cpu.dev.vm = vm;
    for (unsigned e = 0; e < 2; e++) {
        if (engines[e] && (!code_buffer_init(&buffers[e], 4 * MIB, &error) ||
                           !engines[e]->init(&buffers[e], target_arch, &error))) {
            printf("Bail out! %s\n", error->message);
            exit(1);
        }
    }
    builder = ir_builder_new(target_arch->vars, target_arch->num_vars);
}

static void catch_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP};
    static uint8_t stack[65536];        /* the kernel keeps its address */
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction sa = {.sa_sigaction = on_signal,
                           .sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO};

    sigaltstack(&ss, NULL);
    for (unsigned k = 0; k < G_N_ELEMENTS(signals); k++) {
        sigaction(signals[k], &sa, NULL);
    }
}

/* Rows that nothing here runs, by their functions. */
static void print_left_out(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *last = "";
    unsigned count = 0;

    for (unsigned n = 0; n < x86_num_rows; n++) {
        if (!row_usable(&x86_rows[n])) {
            count++;
            if (strcmp(x86_rows[n].name, last)) {
                last = x86_rows[n].name;
                g_string_append_printf(text, " %s", last);
            }
        }
    }
    printf("# %u rows are not run here:%s\n", count, text->str);
}

int main(int argc, char **argv)
{
    bool by_hand = argc > 1 && argv[1][0] != '-';
    const char *given = by_hand ? argv[1] : g_getenv("X86_ROUNDS");
    unsigned rounds = given ? (unsigned)g_ascii_strtoull(given, NULL, 0) : 24, bad = 0, rows = 0;
    const char *only = by_hand && argc > 2 ? argv[2] : NULL;
    uint64_t first_seed =
        by_hand && argc > 3 ? g_ascii_strtoull(argv[3], NULL, 0) : 88172645463325252ull;
    Case *t = g_new0(Case, 1);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!__builtin_cpu_supports("avx2")) {
        printf("1..0 # SKIP the host has no AVX2\n");
        return 0;
    }
    make_cpu();
    make_engines();
    catch_signals();
    map_identity(the_cpu, NATIVE_STATE_AT, 4096);
    for (unsigned n = 0; n < x86_num_rows; n++) {
        t->row = &x86_rows[n];
        if (!row_usable(t->row) || (only && strcmp(t->row->name, only))) {
            continue;
        }
        rows++;
        if (by_hand) {
            printf("# row %s\n", t->row->where);    /* for gen-x86-decode.py --coverage */
        }
        for (unsigned k = 0; k < rounds; k++) {
            seed = first_seed + k * 7919 + n * 104729;
            rnd();
            if (!run_case(t, argc > 4)) {
                bad++;
                break;
            }
        }
    }
    print_left_out();
    printf("%s 1 - %u rows agree with the host, %u do not\n1..1\n", bad ? "not ok" : "ok",
           rows - bad, bad);
    return bad != 0;
}
