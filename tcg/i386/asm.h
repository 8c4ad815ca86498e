// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An assembler for x86-64, as far as the code generator needs it (Intel SDM vol. 2). An instruction
 * form is one number (an opcode byte with its map, mandatory prefix and width); one encoder turns
 * it with register and memory operands into bytes, legacy or VEX. Displacements take their
 * smallest form; jumps to labels are 32 bits wide, those inside an operation 8.
 */
#ifndef TCG_I386_ASM_H
#define TCG_I386_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
    NO_REG = -1,
};

/* ---- instruction forms: opcode byte and these ---- */
enum {
    X_0F = 1 << 8, X_0F38 = 2 << 8, X_0F3A = 3 << 8, X_MAP = 3 << 8,
    X_66 = 1 << 10, X_F3 = 2 << 10, X_F2 = 3 << 10, X_PP = 3 << 10,
    X_W = 1 << 12,                      /* 64-bit operand */
    X_R8 = 1 << 13,                     /* the reg field names a byte register */
    X_M8 = 1 << 14,                     /* the r/m field does, when a register */
    X_L = 1 << 15,                      /* VEX: 256 bits */
    X_LOCK = 1 << 16,
};

/* Arithmetic of the 80/81/83 group and of the opcode columns; shifts of the C1/D3 group. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum { SH_ROL, SH_ROR, SH_SHL = 4, SH_SHR = 5, SH_SAR = 7 };
enum { F7_NOT = 2, F7_NEG = 3, F7_MUL = 4, F7_IMUL = 5, F7_DIV = 6, F7_IDIV = 7 };
typedef enum HostCond {
    CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G,
    CC_ALWAYS,
} HostCond;

enum {
    X_MOV_MR = 0x89, X_MOV_RM = 0x8b, X_LEA = 0x8d, X_TEST = 0x85, X_XCHG = 0x87,
    X_MOV8_MR = 0x88 | X_R8, X_XCHG8 = 0x86 | X_R8,
    X_MOV16_MR = 0x89 | X_66,
    X_MOVZX8 = 0xb6 | X_0F | X_M8, X_MOVZX16 = 0xb7 | X_0F, X_MOVSX8 = 0xbe | X_0F | X_M8,
    X_MOVSX16 = 0xbf | X_0F, X_MOVSXD = 0x63 | X_W,
    X_IMUL = 0xaf | X_0F, X_IMUL_I32 = 0x69, X_IMUL_I8 = 0x6b,
    X_BSF = 0xbc | X_0F, X_BSR = 0xbd | X_0F, X_TZCNT = 0xbc | X_0F | X_F3, X_LZCNT = 0xbd | X_0F | X_F3,
    X_POPCNT = 0xb8 | X_0F | X_F3,
    X_CMOV = 0x40 | X_0F, X_SETCC = 0x90 | X_0F | X_M8,
    X_SHRD_I = 0xac | X_0F,
    X_CMPXCHG = 0xb1 | X_0F, X_CMPXCHG8 = 0xb0 | X_0F | X_R8, X_XADD = 0xc1 | X_0F, X_XADD8 = 0xc0 | X_0F | X_R8,
    X_MOVBE_RM = 0xf0 | X_0F38, X_MOVBE_MR = 0xf1 | X_0F38,
    X_CRC32 = 0xf1 | X_0F38 | X_F2, X_CRC32_8 = 0xf0 | X_0F38 | X_F2 | X_M8,
    /* VEX only */
    V_ANDN = 0xf2 | X_0F38, V_SHLX = 0xf7 | X_0F38 | X_66, V_SHRX = 0xf7 | X_0F38 | X_F2,
    V_SARX = 0xf7 | X_0F38 | X_F3, V_PDEP = 0xf5 | X_0F38 | X_F2, V_PEXT = 0xf5 | X_0F38 | X_F3,
    V_INSERT128 = 0x38 | X_0F3A | X_66 | X_L, V_EXTRACT128 = 0x39 | X_0F3A | X_66 | X_L,
    V_RORX = 0xf0 | X_0F3A | X_F2, V_BZHI = 0xf5 | X_0F38,
    /* moves of vector registers */
    X_MOVAPS = 0x28 | X_0F, X_MOVUPS = 0x10 | X_0F, X_MOVUPS_ST = 0x11 | X_0F,
    X_MOVSS = 0x10 | X_0F | X_F3, X_MOVSS_ST = 0x11 | X_0F | X_F3,
    X_MOVSD = 0x10 | X_0F | X_F2, X_MOVSD_ST = 0x11 | X_0F | X_F2,
    X_MOVD_XR = 0x6e | X_0F | X_66, X_MOVD_RX = 0x7e | X_0F | X_66,
    X_MOVQ_XX = 0x7e | X_0F | X_F3, X_MOVQ_ST = 0xd6 | X_0F | X_66,
    X_PXOR = 0xef | X_0F | X_66, X_XORPS = 0x57 | X_0F, X_PCMPEQD = 0x76 | X_0F | X_66,
};

/* base + (index << scale) + disp; NO_REG: none. */
typedef struct Mem {
    int8_t base, index;
    uint8_t scale;
    int32_t disp;
} Mem;
static inline Mem mem_bd(int base, int32_t disp)
{
    return (Mem){.base = (int8_t)base, .index = NO_REG, .disp = disp};
}
static inline Mem mem_bi(int base, int index, int32_t disp)
{
    return (Mem){.base = (int8_t)base, .index = (int8_t)index, .disp = disp};
}

typedef struct Asm {
    uint8_t *p;                         /* next byte; the caller keeps room */
    bool avx;                           /* vector forms are encoded as VEX */
} Asm;

/* ---- encoder ---- */
void x_rr(Asm *a, uint32_t form, int reg, int rm);
void x_rm(Asm *a, uint32_t form, int reg, Mem m);
void v_rrr(Asm *a, uint32_t form, int reg, int vvvv, int rm);
void v_rrm(Asm *a, uint32_t form, int reg, int vvvv, Mem m);

static inline void x_u8(Asm *a, unsigned v)
{
    *a->p++ = (uint8_t)v;
}
void x_u32(Asm *a, uint32_t v);
void x_u64(Asm *a, uint64_t v);
/* Vector form: VEX with AVX (second source `none`), legacy without. */
void xv_rr(Asm *a, uint32_t form, int reg, int rm);
void xv_rm(Asm *a, uint32_t form, int reg, Mem m);

/* ---- integer shorthand; w: X_W or 0 ---- */
void x_mov_rr(Asm *a, uint32_t w, int dst, int src);           /* nothing if 64-bit and the same */
void x_mov_ri(Asm *a, int dst, uint64_t v);                    /* shortest form; flags stay */
void x_alu_rr(Asm *a, uint32_t w, unsigned op, int dst, int src);
void x_alu_rm(Asm *a, uint32_t w, unsigned op, int dst, Mem m);
void x_alu_ri(Asm *a, uint32_t w, unsigned op, int dst, int32_t i);
void x_alu_mi(Asm *a, uint32_t w, unsigned op, Mem m, int32_t i);
void x_test_ri(Asm *a, uint32_t w, int reg, int32_t i);
void x_shift_ri(Asm *a, uint32_t w, unsigned op, int reg, unsigned n);
void x_shift_cl(Asm *a, uint32_t w, unsigned op, int reg);
void x_f7(Asm *a, uint32_t w, unsigned op, int reg);
void x_bswap(Asm *a, uint32_t w, int reg);
void x_mov_mi(Asm *a, uint32_t w, Mem m, int32_t i);           /* 32 or 64 bits (sign-extended) */
void x_push(Asm *a, int reg);
void x_push_i(Asm *a, int32_t i);                              /* sign-extended to 64 bits */
void x_pop(Asm *a, int reg);
void x_ret(Asm *a);
void x_jmp_r(Asm *a, int reg);
void x_jmp_m(Asm *a, Mem m);
void x_call_r(Asm *a, int reg);

/* ---- jumps ---- */
/* To a known address. */
void x_jmp(Asm *a, const void *to);
void x_jcc(Asm *a, HostCond c, const void *to);
bool x_reach(const Asm *a, const void *to);
/* Calls fn; through rax when it is too far. */
void x_call(Asm *a, const void *fn);
/* 8-bit jump forward: returns what x_here8 patches. */
uint8_t *x_jcc8(Asm *a, HostCond c);
void x_here8(Asm *a, uint8_t *at);
/* 32-bit jump whose place of displacement is returned. */
uint8_t *x_jcc32(Asm *a, HostCond c);
static inline HostCond x_cond_not(HostCond c)
{
    return (HostCond)(c ^ 1);
}
void x_patch32(uint8_t *at, const void *to);
/* reg = address of a place given later: returns what x_patch32 patches. */
uint8_t *x_lea_rip(Asm *a, int reg);

/* ---- host ---- */
typedef struct HostFeatures {
    bool sse, sse3, ssse3, sse41, sse42, avx, avx2, fma, popcnt, lzcnt, bmi1, bmi2, movbe, lahf;
    bool aes, pclmul, sha, f16c;
} HostFeatures;
/* Asks CPUID and XGETBV. */
void host_features_detect(HostFeatures *f);
/*
 * For tests: what an older host would have. 0: no limit; 1: AVX without AVX2, BMI and FMA; 2:
 * SSE4.2; 3: SSE2.
 */
enum { HOST_LEVELS = 3 };
void host_features_limit(HostFeatures *f, unsigned level);

#endif
