// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the firmware images of this folder share: TAP on the debug console (port E9h), exceptions as
 * values, descriptor tables in RAM. They run on any PC emulator that has -bios, isa-debugcon and
 * isa-debug-exit.
 */
#ifndef X86_BARE_H
#define X86_BARE_H

#include <stdbool.h>
#include <stdint.h>

/* What trap() finds on the stack. */
typedef struct Frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags;
    uint32_t esp, ss;               /* from an outer level */
    uint32_t v86_es, v86_ds, v86_fs, v86_gs;
} Frame;

/* The last exception: its vector (-1: none) and frame. */
extern volatile int caught;
extern volatile Frame caught_frame;
extern volatile bool armed;
/* Sets it. A call, so that the compiler expects the other return of __builtin_setjmp. */
void arm(void);
extern void *recovery[5];
/* Called first for each exception when it is set; true: return to where it struck. */
extern bool (*volatile on_trap)(Frame *f);

/* Runs the statement; an exception ends it and is left in caught and caught_frame. */
#define TRY(...)                               \
    do {                                       \
        caught = -1;                           \
        if (__builtin_setjmp(recovery) == 0) { \
            arm();                             \
            __asm__ volatile("" ::: "memory"); \
            __VA_ARGS__;                       \
            __asm__ volatile("" ::: "memory"); \
        }                                      \
        armed = false;                         \
    } while (0)

/* A TAP line; a failure shows caught, its error code and place. */
void ok(bool good, const char *name);
void note(const char *text, uint32_t v);
/* TRY and ok in one: exactly this exception with this error code; vector -1: none. */
#define EXPECT(name, vec, err, ...)                                              \
    do {                                                                         \
        TRY(__VA_ARGS__);                                                        \
        ok(caught == (vec) && ((vec) < 0 || caught_frame.error == (err)), name); \
    } while (0)

enum {
    SEL_CODE = 8,
    SEL_DATA = 16,
    SEL_UCODE = 24 + 3,
    SEL_UDATA = 32 + 3,
    SEL_TSS = 40,
    SEL_FREE = 48
};
extern uint64_t gdt[64], idt[256];
uint64_t segment(uint32_t base, uint32_t limit20, unsigned access, unsigned flags);
uint64_t gate(unsigned selector, uint32_t offset, unsigned access, unsigned params);
void gdt_set(unsigned selector, uint64_t descriptor);

typedef struct Tss {
    uint32_t back, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_base;
    uint8_t redirect[32];           /* where VME looks */
    uint8_t io[129];
} Tss;
extern Tss tss;

/* The program: tests of one image. */
void tests(void);

static inline uint32_t load_ds(unsigned selector)
{
    __asm__ volatile("movl %0, %%ds" ::"r"(selector));
    return 0;
}

#endif
