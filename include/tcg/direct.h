// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first tier's shortest way: no IR. A target's CpuArch.translate_direct takes the commonest
 * instructions and has host code for each emitted at once, by the operations below. Between
 * instructions guest registers are in their homes.
 *
 * The comparison, arithmetic and shift operations leave x86's flags behind, for guests that have
 * the same ones: engines of other hosts have no such way.
 */
#ifndef TCG_DIRECT_H
#define TCG_DIRECT_H

#include "exec/cpu.h"
#include "tcg/ir.h"

/*
 * Registers for use within an instruction. Loads give RES; an address is in ADDR, what is stored in
 * VALUE. An access to memory loses ADDR, and all but VALUE and OTHER.
 */
typedef enum DirectReg { D_RES, D_OTHER, D_ADDR, D_VALUE } DirectReg;

/* As x86 numbers them. */
enum { D_ADD, D_OR, D_AND = 4, D_SUB, D_XOR };
enum { D_ROL, D_ROR, D_SHL = 4, D_SHR, D_SAR = 7 };

typedef struct Direct Direct;

/*
 * offset: of a home, in the Cpu. size: log2 of bytes. Registers have zeros above operands of 4
 * bytes; above smaller ones their content does not matter but where it is said. Flags stay unless
 * it is said.
 */
typedef struct DirectOps {
    /* A guest instruction begins. False: no room is left. */
    bool (*insn)(Direct *d, uint64_t pc, uint64_t meta);
    void (*get)(Direct *d, DirectReg r, uint32_t offset, unsigned size);       /* zero-extended */
    /* Of 1 or 2 bytes: only these. Others: all 8. */
    void (*put)(Direct *d, uint32_t offset, DirectReg r, unsigned size);
    void (*put_imm)(Direct *d, uint32_t offset, uint64_t v, unsigned size);    /* 2 or 3 */
    void (*imm)(Direct *d, DirectReg r, uint64_t v);
    void (*move)(Direct *d, DirectReg dst, DirectReg src);
    /* The low bytes of src, to 4 or (wide) 8 bytes. */
    void (*extend)(Direct *d, DirectReg dst, DirectReg src, unsigned size, bool sign, bool wide);
    void (*add)(Direct *d, DirectReg r, int32_t v);                             /* 64 bits */
    void (*add_home)(Direct *d, DirectReg r, uint32_t offset);                  /* likewise */
    /* ADDR: base + (index << scale) + disp, by homes; 0: none. */
    void (*address)(Direct *d, uint32_t base, uint32_t index, unsigned scale, int32_t disp);
    /* Flags are set: */
    void (*alu)(Direct *d, unsigned op, unsigned size, DirectReg dst, DirectReg src);
    void (*alu_imm)(Direct *d, unsigned op, unsigned size, DirectReg dst, int32_t v);   /* 2 or 3 */
    void (*test)(Direct *d, unsigned size, DirectReg a, DirectReg b);
    void (*shift)(Direct *d, unsigned op, unsigned size, DirectReg r, unsigned n);      /* 2 or 3 */
    void (*shift_other)(Direct *d, unsigned op, unsigned size, DirectReg r);    /* by OTHER */
    void (*mul)(Direct *d, unsigned size, DirectReg dst, DirectReg src);       /* 2 or 3 */
    /* Flags are lost: */
    void (*load)(Direct *d, unsigned size, unsigned mmu);                       /* zero-extended */
    void (*store)(Direct *d, unsigned size, unsigned mmu);
    void (*add_to_home)(Direct *d, uint32_t offset, int32_t v);                 /* 8 bytes */
    /* Flags stay: */
    void (*not)(Direct *d, unsigned size, DirectReg r);
    void (*bswap)(Direct *d, unsigned size, DirectReg r);
    /* Conditions by the number that x86 has for them. */
    void (*set_cond)(Direct *d, unsigned cond, DirectReg r);                    /* 0 or 1 */
    void (*move_cond)(Direct *d, unsigned cond, unsigned size, DirectReg dst, DirectReg src);
    /* Goes on at the second place when cond holds; one of them at a time. */
    void (*branch)(Direct *d, unsigned cond);
    void (*branch_here)(Direct *d);
    /* The ends; slot 0 or 1. exit_lookup: the pc is home, and in ADDR. */
    void (*exit_chain)(Direct *d, unsigned slot, uint64_t pc);
    void (*exit_lookup)(Direct *d, IrWay way);
} DirectOps;

struct Direct {
    const DirectOps *ops;
    unsigned insns;                     /* for the target to fill in: guest instructions, and */
    uint64_t bytes;                     /* their bytes */
};

#endif
