// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What templates of the decode tables are made of. A template is a list of alternatives behind '|',
 * each with conditions before a ':' or without:
 *
 *     ?(n)=31,(hi)=0:mov %r(fd), %r(fm)|orr %r(fd), %r(fn), %r(fm)%shift(hi)
 *
 * %name(letters) gives bits of the word, by the letters of the row, to a printer; %name prints from
 * the whole word. A condition compares bits with a number or with bits (= ! < >), or names a test.
 */
#ifndef TARGET_ARM_DISAS_H
#define TARGET_ARM_DISAS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Disas {
    GString *out;
    uint64_t va;
    uint32_t word;
    unsigned cond; /* 14 and more: always */
    bool thumb, m_profile;
} Disas;

typedef struct DisasPrinter {
    const char *name;
    void (*print)(Disas *d, uint32_t v);
} DisasPrinter;

typedef struct DisasTest {
    const char *name;
    bool (*holds)(uint32_t v);
} DisasTest;

/* Each ends with a row without a name. */
extern const DisasPrinter disas_printers[], disas_a64_printers[], disas_vector_printers[],
    disas_sve_printers[], disas_a32_printers[], disas_neon_printers[];
extern const DisasTest disas_a64_tests[], disas_vector_tests[], disas_a32_tests[];
extern const char *const disas_conds[16];

#define PUT(d, ...) g_string_append_printf((d)->out, __VA_ARGS__)

/* x0 to x30, w0 to w30; 31 is the zero register or the stack pointer. */
void disas_gpr(Disas *d, bool wide, unsigned n, bool sp);
/* Text of a row's template. */
void disas_expand(Disas *d, const char *assembly);
/* One of the printers, for tests; false: there is none. */
bool disas_print(Disas *d, const char *name, size_t len, uint32_t v);
/* Looks the word up and prints it; false: no row has it. */
bool disas_a64(Disas *d);
bool disas_a32(Disas *d);
bool disas_t32(Disas *d);
bool disas_t16(Disas *d);

#endif
