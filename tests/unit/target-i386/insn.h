// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random instructions on the host and in the emulator: what the parts of test-insn share. Addresses
 * are below 2 GiB so that code of both widths reaches them.
 */
#ifndef TESTS_TARGET_I386_INSN_H
#define TESTS_TARGET_I386_INSN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "accel/accel.h"
#include "target-i386/translate.h"
#include "tcg/codegen.h"

enum {
    CODE = 0x20000000,
    CODE_EXIT32 = CODE + 0xf00, /* 32-bit code leaves through here, in 64-bit mode */
    DATA = 0x20100000,
    DATA_SIZE = 0x2000,
    MIDDLE = DATA + 0x1000,
    GDT = 0x20200000,
    USER_CS32 = 0x23,
    USER_DS = 0x2b,
    USER_CS64 = 0x33, /* Linux's */
};
#define NATIVE_STATE_AT 0x20300000ul
#define MXCSR_AND_X87 (X86_ROW_FPU | X86_ROW_MMX)

/* Registers as the host has them; offsets are in the assembly of insn-host.c. */
typedef struct NativeState {
    uint64_t regs[16]; /* rax rcx rdx rbx rsp .. r15 */
    uint64_t rflags;
    uint64_t entry, host_rsp;
    uint64_t fs_base, gs_base; /* at 0x98; when it ends */
    uint64_t host_fs_base;
    uint32_t entry32[2]; /* at 0xb0: far pointer */
    uint16_t seg[4]; /* at 0xb8: es cs ss ds when it ends */
    uint16_t data_seg; /* at 0xc0: of DS and ES when it begins */
    uint16_t fs, gs, pad5; /* when it ends */
    uint64_t step; /* at 0xc8: enter by IRET with these, so that TF counts from there */
    uint64_t step_cs, step_ss;
    uint64_t pad[4];
    uint8_t ymm[16][32]; /* at 0x100 */
    uint32_t mxcsr, host_mxcsr, host_fcw, pad2;
    uint8_t pad3[0xf0];
    struct { /* at 0x400: FXSAVE64 image */
        uint16_t fcw, fsw;
        uint8_t ftw, zero;
        uint16_t fop;
        uint64_t ip, dp;
        uint32_t mxcsr, mask;
        uint8_t st[8][16];
        uint8_t xmm[16][16], rest[96];
    } fx;
    uint8_t zmm[32][64]; /* at 0x600, where `wide` */
    uint64_t opmask[8]; /* at 0xe00 */
    uint32_t wide; /* at 0xe40 */
} NativeState;

typedef struct Code {
    uint8_t b[256];
    unsigned n;
} Code;

typedef struct Case {
    const X86Row *row;
    X86Insn insn;
    Code code;
    bool has_setter;
    bool compat; /* 32-bit code: rows that 64-bit mode does not have */
    unsigned insn_end; /* of the row's instruction, from the start of the code */
    uint64_t landing; /* where a branch goes */
    uint32_t undefined;
    uint64_t where; /* of the operand, about */
    uint32_t mxcsr;
    uint32_t loose; /* registers whose values the processor chooses */
    NativeState input, host;
    uint8_t before[DATA_SIZE], after[DATA_SIZE];
} Case;

/* ---- test-insn.c ---- */
uint64_t rnd(void);
void rnd_seed(uint64_t v);
uint64_t rnd_value(void);
void put(Code *c, uint64_t v, unsigned bytes);

/* ---- insn-host.c: the host's processor ---- */
extern NativeState at_fault; /* registers, flags, low vector halves at the signal */
extern int fault_signal;
extern unsigned fault_vector, fault_error;
extern uint64_t fault_cr2;
void native_exit(void);
void host_catch_signals(void);
/* What the processor and its kernel need to have; NULL: all of it. */
const char *host_lacks(void);
uint64_t host_fs_base(void);
/* It has the parts of AVX-512 that there are here, and its kernel enables them. */
bool host_wide(void);
/* Runs live_state(); false: a signal came. */
bool host_run(void);
static inline NativeState *live_state(void)
{
    return (NativeState *)NATIVE_STATE_AT;
}

/* ---- insn-make.c: random forms of rows ---- */
bool row_usable(const X86Row *r);
bool has_op(const X86Row *r, unsigned op);
void put_row(Case *t);

/* ---- insn-special.c: system instructions as user code meets them ---- */
/* Makes state fit the row, after random_state. */
void special_state(Case *t);
/* The row has an image of registers in memory, of several hundred bytes. */
bool special_image(const X86Row *r);
/* Clears bytes of memory that the processor chooses. */
void special_loose(const Case *t, uint8_t *memory);
/* The row branches: it goes to t->landing, over a store, or falls through. */
bool special_branches(const X86Row *r);
/* The row is #UD for lack of privilege or mode, which compares too. */
bool special_faults(const X86Row *r);

/* ---- insn-run.c: the emulator ---- */
extern X86Cpu *the_cpu;
void emulator_init(void);
void map_identity(uint64_t va, uint64_t size);
void state_to_cpu(X86Cpu *c, const NativeState *st, bool compat);
void state_from_cpu(X86Cpu *c, NativeState *st);
/* Runs from c->rip until it is `end`. Vector of an exception, or CPU_EXC_NONE. */
int emulate(uint64_t end, unsigned engine, bool print);
/* 0: interpreter, 1: it, optimised; 2: the host's; 3: its first tier, where that fits */
const CodeEngine *test_engine(unsigned n);
enum {
    TEST_FIRST_TIER = 3,
    TEST_ENGINES
};

/* ---- insn-bytes.c: random bytes ---- */
/* Runs count of them by a single step each; returns the number that differ. */
unsigned run_bytes(unsigned count, uint64_t first);

/* ---- insn-sequence.c: several common instructions ---- */
/* Runs count sequences; returns the number that differ between engines. */
unsigned run_sequences(unsigned count, uint64_t first);

/* ---- insn-table.c: what the manuals say ---- */
/* Runs the table; sets seen[row] of those that are right. Returns the number of wrong ones. */
unsigned run_manual_table(bool *seen);

#endif
