// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions tried in 64-bit images: what an exception of theirs was, and on behind them. The
 * image sets on_trap to recover.
 */
#ifndef X86_BARE_CAUGHT64_H
#define X86_BARE_CAUGHT64_H

#include "bare64.h"

#define NONE 99 /* no vector */

static volatile uint64_t caught_vector, caught_error, caught_rip, caught_rflags;
uint64_t recover_rip, recover_rsp, recover_rbp; /* TRY names them in its text */

static bool recover(Frame64 *f)
{
    caught_vector = f->vector;
    caught_error = f->error;
    caught_rip = f->rip;
    caught_rflags = f->rflags;
    f->rip = recover_rip;
    f->rsp = recover_rsp;
    f->rflags &= ~0x40000ull;
    return true;
}

/* Runs the instruction; its exception is left in caught_*. */
#define TRY(insn, ...)                                                                   \
    do {                                                                                 \
        caught_vector = NONE;                                                            \
        __asm__ volatile("leaq 99f(%%rip), %%r15; movq %%r15, recover_rip; movq %%rsp, " \
                         "recover_rsp; movq %%rbp, recover_rbp; " insn                   \
                         "; 99: movq recover_rbp, %%rbp" ::"m"(caught_vector),           \
                         ##__VA_ARGS__                                                   \
                         : "rax", "rcx", "rdx", "r15", "memory", "cc");                  \
    } while (0)

/* The exception has this vector; NONE: there is none. */
#define EXPECT(name, vec, insn, ...)      \
    do {                                  \
        TRY(insn, ##__VA_ARGS__);         \
        ok(caught_vector == (vec), name); \
    } while (0)

/* And this error code; says what it was instead. */
#define EXPECT_ERROR(name, vec, err, insn, ...)                                                   \
    do {                                                                                          \
        bool good_;                                                                               \
                                                                                                  \
        TRY(insn, ##__VA_ARGS__);                                                                 \
        good_ =                                                                                   \
            caught_vector == (vec) && (caught_vector == NONE || caught_error == (uint64_t)(err)); \
        ok(good_, name);                                                                          \
        if (!good_) {                                                                             \
            note("vector", caught_vector);                                                        \
            note("error", caught_error);                                                          \
            note("rip", caught_rip);                                                              \
        }                                                                                         \
    } while (0)

#endif
