// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The x86 instruction decoder: bytes to a row of the opcode tables and resolved operands.
 *
 * Rows come from target-i386/opcodes-*.decode (form: docs/devel/x86-decode.md) through
 * scripts/gen-x86-decode.py. Decoding knows nothing of CPU state but the mode.
 */
#ifndef TARGET_I386_DECODE_H
#define TARGET_I386_DECODE_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

struct X86Ctx;
struct X86Insn;
typedef void X86TransFn(struct X86Ctx *s, struct X86Insn *i);
struct Evex;
typedef void EvexDriver(struct Evex *e);
/* One element of the result, or what the driver says. */
typedef uint64_t EvexKernel(struct Evex *e, uint64_t x, uint64_t y);

enum {
    X86_MAP_1,
    X86_MAP_0F,
    X86_MAP_0F38,
    X86_MAP_0F3A,
    X86_MAP_V1,
    X86_MAP_V2,
    X86_MAP_V3,
    X86_MAP_3D,
    X86_MAP_E1,
    X86_MAP_E2,
    X86_MAP_E3,
    X86_MAPS };

/* Conditions on a row beside map and opcode, and facts about it. */
enum {
    X86_ROW_MODRM = 1 << 0,
    X86_ROW_MEM = 1 << 1,               /* only with a memory operand */
    X86_ROW_REG = 1 << 2,               /* only with mod 3 */
    X86_ROW_I64 = 1 << 3,               /* not in 64-bit mode */
    X86_ROW_O64 = 1 << 4,               /* only there */
    X86_ROW_D64 = 1 << 5,               /* operand size 64 by default there */
    X86_ROW_F64 = 1 << 6,               /* always 64 there */
    X86_ROW_LOCK = 1 << 7,              /* LOCK allowed with a memory destination */
    X86_ROW_REP = 1 << 8,               /* repeatable */
    X86_ROW_NOB = 1 << 9,               /* only without REX.B */
    X86_ROW_ANYMOD = 1 << 10,           /* mod is ignored and taken as 3 */
    X86_ROW_AHF = 1 << 11,              /* 64-bit mode: only with LAHF_LM */
    X86_ROW_FPU = 1 << 12,
    X86_ROW_SSE = 1 << 13,              /* needs CR4.OSFXSR, CR0.EM clear; #NM when TS */
    X86_ROW_MMX = 1 << 14,
    X86_ROW_VEX = 1 << 15,              /* needs MODE_AVX */
    X86_ROW_PLUS_R = 1 << 16,
    X86_ROW_UNALIGNED = 1 << 17,        /* 16-byte memory operand need not be aligned */
    X86_ROW_VSIB = 1 << 18,
    X86_ROW_NOVVVV = 1 << 19,           /* VEX.vvvv must be 1111 */
    X86_ROW_L0 = 1 << 20, X86_ROW_L1 = 1 << 21,
    X86_ROW_W0 = 1 << 22, X86_ROW_W1 = 1 << 23,
    X86_ROW_SHD = 1 << 24,              /* result undefined for counts above the size */
    X86_ROW_EVEX = 1 << 25,             /* needs MODE_AVX512 */
    X86_ROW_L2 = 1 << 26,
    X86_ROW_LL = 1 << 27,               /* EVEX.L'L: 256 or 512 bits */
};
/* EVEX rows beside that: what EVEX.b means, masking, the size of an element. */
enum {
    EV_BC = 1 << 0,                     /* a memory operand may be one element for all */
    EV_BC32 = 1 << 1,                   /* of 32 bits whatever the elements have */
    EV_ER = 1 << 2, EV_SAE = 1 << 3,    /* rounding in the instruction; no exceptions */
    EV_K = 1 << 4, EV_Z = 1 << 5,       /* may be masked, zeroing too */
    EV_KNEED = 1 << 6,                  /* must be */
    EV_NF = 1 << 7,                     /* memory faults whatever the mask */
    EV_AL = 1 << 8,                     /* memory must be aligned */
    EV_OPMASK = 1 << 9,                 /* VEX-coded instruction of mask registers */
    EV_E8 = 1 << 10, EV_E16 = 1 << 11, EV_E32 = 1 << 12, EV_E64 = 1 << 13,
    EV_BC64 = 1 << 14,
};
enum { X86_PFX_ANY, X86_PFX_NP, X86_PFX_66, X86_PFX_F3, X86_PFX_F2 };

/* Operand notation of the manual's opcode maps: where (letter) and size. */
enum {
    X86_OP_NONE, X86_OP_E, X86_OP_G, X86_OP_R, X86_OP_M, X86_OP_I, X86_OP_J, X86_OP_O, X86_OP_S,
    X86_OP_C, X86_OP_D, X86_OP_X, X86_OP_Y, X86_OP_Z, X86_OP_V, X86_OP_W, X86_OP_U, X86_OP_P,
    X86_OP_Q, X86_OP_N, X86_OP_H, X86_OP_B, X86_OP_L, X86_OP_A, X86_OP_AX, X86_OP_CL, X86_OP_DX,
    X86_OP_ONE, X86_OP_ES, X86_OP_CS, X86_OP_SS, X86_OP_DS, X86_OP_FS, X86_OP_GS, X86_OP_ST0,
    X86_OP_STI, X86_OP_XMM0, X86_OP_K, X86_OP_F, X86_OP_T,
};
enum {
    X86_SZ_NONE, X86_SZ_B, X86_SZ_W, X86_SZ_D, X86_SZ_Q, X86_SZ_DQ, X86_SZ_QQ, X86_SZ_X, X86_SZ_V,
    X86_SZ_Z, X86_SZ_Y, X86_SZ_BS, X86_SZ_P, X86_SZ_S, X86_SZ_A, X86_SZ_T, X86_SZ_N,
    X86_SZ_XH,                          /* half of x */
    X86_SZ_XQ,                          /* quarter of x */
    X86_SZ_XE,                          /* eighth of x */
};
typedef struct X86OpSpec { uint8_t op, size; } X86OpSpec;

/* A row of the tables. */
typedef struct X86Row {
    X86TransFn *trans;
    const char *name, *text, *where;    /* where: file:line of the row */
    uint32_t flags;
    int16_t feature;                    /* FEAT_*; -1: none */
    uint16_t undefined;                 /* EFLAGS bits left undefined */
    uint8_t map, opcode, prefix;
    int8_t reg, rm;                     /* of ModRM; -1: any */
    X86OpSpec ops[4];
    uint16_t evex;                      /* EV_* */
    EvexDriver *driver;
    EvexKernel *kernel;
} X86Row;
extern const X86Row x86_rows[];
extern const unsigned x86_num_rows;
extern const uint16_t x86_row_index[X86_MAPS][257];

/* A resolved operand. */
typedef enum X86Kind {
    X86_NONE, X86_REG, X86_MEM, X86_IMM, X86_REL, X86_SEG, X86_CREG, X86_DREG, X86_XMM, X86_MMX,
    X86_STR, X86_FAR, X86_ST, X86_KREG,
} X86Kind;
typedef struct X86Operand {
    uint8_t kind;
    uint8_t size;                       /* log2 of bytes */
    uint8_t reg;                        /* number; strings: R_SI or R_DI */
    bool high;                          /* AH CH DH BH (reg 0..3) */
    uint64_t imm;                       /* sign-extended where the manual says so */
} X86Operand;

typedef struct X86Insn {
    const X86Row *row;
    X86Operand op[4];
    uint8_t len;
    uint8_t opcode, map;
    uint8_t rex;                        /* 0: none; VEX: its R X B W in REX's form, without 0x40 */
    uint8_t rep;                        /* 0, 0xf2, 0xf3: last one seen */
    bool lock, opsize_prefix, addr_prefix, vex;
    bool evex, evex_z, evex_b, evex_high; /* high: V', which is vvvv's or the index's bit 4 */
    uint8_t evex_aaa, evex_rc, evex_x;  /* x: bit 4 of a vector in ModRM.rm, as 16 */
    uint8_t evex_r;                     /* likewise of ModRM.reg */
    bool disp8;
    uint8_t vvvv, vex_l, vex_pp;
    uint8_t opsize, addrsize;           /* log2 of bytes */
    uint8_t modrm, mod, reg, rm;        /* reg and rm with their REX bits; rm before SIB */
    int8_t base, index;                 /* of the memory operand; -1: none; 16: rip */
    uint8_t scale;
    uint8_t vsib;                       /* index register as a vector's number */
    int8_t seg;                         /* override, S_*; -1: none */
    int64_t disp;
    uint16_t selector;                  /* Ap */
} X86Insn;

typedef enum X86Decoded { X86_OK, X86_MORE, X86_UD, X86_TOO_LONG } X86Decoded;
typedef struct X86DecodeMode { bool code64, code32, no_vex; } X86DecodeMode;

/* Decodes the instruction in the n bytes at p; X86_MORE: it is longer than n (asked for byte n). */
X86Decoded x86_decode(X86Insn *i, const uint8_t *p, unsigned n, X86DecodeMode mode);
/* AT&T syntax. pc: of the instruction, for branch targets. */
void x86_print_insn(const X86Insn *i, uint64_t pc, X86DecodeMode mode, GString *out);

/* Size of a row's elements, log2 of bytes. */
unsigned x86_evex_element(const X86Row *r);

/* Bytes of the memory operand, and whether it is written. */
unsigned x86_operand_extent(const X86Insn *i, bool *write);
/* The segment that the memory operand is in. */
unsigned x86_data_seg(const X86Insn *i);

static inline bool x86_has_mem(const X86Insn *i)
{
    return i->row->flags & X86_ROW_MODRM && i->mod != 3;
}

#endif
