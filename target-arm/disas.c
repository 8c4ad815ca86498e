// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disassembler: rows of the decode tables through their templates (disas.h). The text is that
 * of GNU objdump; tests/disas-arm compares every row with it.
 */
#include "target-arm/disas.h"

#include <string.h>
#include "target-arm/a32-trans.h"
#include "target-arm/a64-decode.h"
#include "target-arm/m-decode.h"
#include "target-arm/neon-decode.h"
#include "target-arm/neonx-decode.h"
#include "target-arm/vfp-decode.h"

const char *const disas_conds[16] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                     "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};

static unsigned number(const char **p)
{
    unsigned n = 0;

    while (g_ascii_isdigit(**p)) {
        n = n * 10 + (unsigned)(*(*p)++ - '0');
    }
    return n;
}

/*
 * "(low.count,low.count<shift)", as the generator writes it: bits of the word, most significant
 * first; '-' in front: signed; low 32 and 33: a constant bit.
 */
static uint32_t bits(const Disas *d, const char **p)
{
    uint32_t v = 0;
    unsigned width = 0;
    const char *t = *p + 1;
    bool sign = *t == '-';

    t += sign;
    while (*t && *t != ')' && *t != '<') {
        unsigned low = number(&t), count = (t++, number(&t));

        v = count < 32 ? v << count : 0;
        v |= low >= 32 ? low - 32 : d->word >> low & (count < 32 ? (1u << count) - 1 : UINT32_MAX);
        width += count;
        t += *t == ',';
    }
    if (sign && width && width < 32) {
        v = (uint32_t)((int32_t)(v << (32 - width)) >> (32 - width));
    }
    if (*t == '<') {
        t++;
        v <<= number(&t);
    }
    *p = *t ? t + 1 : t;
    return v;
}

bool disas_print(Disas *d, const char *name, size_t len, uint32_t v)
{
    static const DisasPrinter *const tables[] = {disas_printers,        disas_a64_printers,
                                                 disas_vector_printers, disas_sve_printers,
                                                 disas_a32_printers,    disas_neon_printers};

    for (unsigned k = 0; k < ARRAY_COUNT(tables); k++) {
        for (const DisasPrinter *r = tables[k]; r->name; r++) {
            if (strlen(r->name) == len && memcmp(r->name, name, len) == 0) {
                r->print(d, v);
                return true;
            }
        }
    }
    return false;
}

static bool test(const Disas *d, const char **p)
{
    static const DisasTest *const tables[] = {disas_a64_tests, disas_vector_tests, disas_a32_tests};
    const char *name = *p;
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    *p += len;
    uint32_t v = **p == '(' ? bits(d, p) : d->word;
    if (len) {
        for (unsigned k = 0; k < ARRAY_COUNT(tables); k++) {
            for (const DisasTest *r = tables[k]; r->name; r++) {
                if (strlen(r->name) == len && memcmp(r->name, name, len) == 0) {
                    return r->holds(v);
                }
            }
        }
        return false;
    }
    char op = *(*p)++;
    uint32_t than = **p == '(' ? bits(d, p) : number(p);

    return op == '=' ? v == than : op == '!' ? v != than : op == '<' ? v < than : v > than;
}

/* Whether an alternative's conditions hold; *p goes behind them. */
static bool holds(const Disas *d, const char **p)
{
    bool all = true;

    if (**p != '?') {
        return true;
    }
    do {
        ++*p;
        all = test(d, p) && all;
    } while (**p == ',');
    *p += **p == ':';
    return all;
}

static void alternative(Disas *d, const char *t)
{
    bool first = true;

    while (*t && *t != '|') {
        if (*t == '%') {
            const char *name = ++t;
            size_t len = strspn(t, "abcdefghijklmnopqrstuvwxyz0123456789_");

            t += len;
            if (!disas_print(d, name, len, *t == '(' ? bits(d, &t) : 0)) {
                g_string_append_len(d->out, name, (gssize)len);
            }
        } else {
            g_string_append_c(d->out, *t == ' ' && first ? '\t' : *t);
            first = first && *t != ' ';
            t++;
        }
    }
}

void disas_expand(Disas *d, const char *assembly)
{
    for (const char *t = assembly; t;) {
        if (holds(d, &t)) {
            alternative(d, t);
            return;
        }
        t = strchr(t, '|');
        t = t ? t + 1 : NULL;
    }
    PUT(d, ".inst\t0x%08x ; undefined", d->word);
}

bool disas_a64(Disas *d)
{
    A64Insn i = {0};

    d->cond = 14;
    if (d->word >> 16 == 0) {
        PUT(d, "udf\t#%u", d->word);
        return true;
    }
    if (!a64_decode(&i, d->word) || (i.sizes && !(i.sizes >> i.size & 1))) {
        return false;
    }
    disas_expand(d, i.row->assembly);
    return true;
}

/* Advanced SIMD and the unconditional coprocessor space: words in A32's form. */
static bool find_neon(A32Insn *i, uint32_t w)
{
    return neonx_decode(i, w) || ((w >> 25 == 0x79 || w >> 24 == 0xf4) && neon_decode(i, w));
}

/* Coprocessors 10 and 11, half precision's 9. */
static bool is_vfp(uint32_t w)
{
    return (w >> 9 & 7) == 5 || (w >> 8 & 15) == 9;
}

bool disas_a32(Disas *d)
{
    A32Insn i = {0};
    uint32_t w = d->word;
    bool known;

    d->cond = w >> 28;
    d->thumb = false;
    if (d->cond == 15) {
        known = find_neon(&i, w) || a32u_decode(&i, w);
    } else {
        known = (is_vfp(w) && vfp_decode(&i, w)) || a32_decode(&i, w);
    }
    if (known) {
        disas_expand(d, i.row->assembly);
    }
    return known;
}

bool disas_t32(Disas *d)
{
    A32Insn i = {0};
    uint32_t w = d->word, neon = w;

    d->cond = 14;
    d->thumb = true;
    if ((w >> 24 & 0xef) == 0xef) { /* 111u1111: A32 has 1111001u */
        neon = 0xf2000000 | (w >> 28 & 1) << 24 | (w & 0xffffff);
    } else if (w >> 24 == 0xf9) {
        neon = 0xf4000000 | (w & 0xffffff);
    }
    if ((neon != w || w >> 25 == 0x7e) && !d->m_profile && find_neon(&i, neon)) {
        d->word = neon;
    } else if (!(d->m_profile && m_decode(&i, w)) &&
               !((w >> 25 == 0x77 || w >> 25 == 0x76) && is_vfp(w) && vfp_decode(&i, w)) &&
               !neonx_decode(&i, w) && !t32_decode(&i, w)) {
        return false;
    }
    disas_expand(d, i.row->assembly);
    return true;
}

bool disas_t16(Disas *d)
{
    A32Insn i = {0};

    d->cond = 14;
    d->thumb = true;
    if (!t16_decode(&i, d->word)) {
        return false;
    }
    disas_expand(d, i.row->assembly);
    return true;
}

unsigned arm_disassemble(Cpu *cpu, uint64_t va, const uint8_t *bytes, unsigned len, GString *out)
{
    ArmCpu *c = ARM(cpu);
    Disas d = {.out = out, .va = va, .m_profile = arm_has(c, FEATURE_M)};
    bool a32 = arm_is_a32(c), thumb = a32 && c->pstate & PSTATE_T;

    memcpy(&d.word, bytes, MIN(len, 4u));
    if (thumb && (d.word & 0xffff) >> 11 < 0x1d) {
        d.word &= 0xffff;
        if (!disas_t16(&d)) {
            PUT(&d, ".inst.n\t0x%04x", d.word);
        }
        return len < 2 ? 0 : 2;
    }
    if (len < 4) {
        return 0;
    }
    if (thumb) {
        d.word = d.word << 16 | d.word >> 16;
    }
    if (!(!a32 ? disas_a64(&d) : thumb ? disas_t32(&d) : disas_a32(&d))) {
        PUT(&d, ".inst\t0x%08x", d.word);
    }
    return 4;
}
