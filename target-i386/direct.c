// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commonest instructions of 64-bit mode without IR (tcg/direct.h), for code that has not run
 * yet. Instructions are decoded first, up to one that is not among these; then each is emitted by a
 * function of its own (direct-insns.c).
 */
#include "target-i386/direct.h"

/* Kinds by row; made once, under the translator's lock. */
static uint8_t *kind_of_row;

static void make_table(void)
{
    kind_of_row = g_new0(uint8_t, x86_num_rows);
    for (unsigned r = 0; r < x86_num_rows; r++) {
        for (unsigned k = 1; k < direct_num_kinds; k++) {
            if (x86_rows[r].trans == direct_kinds[k].trans && !x86_rows[r].driver) {
                kind_of_row[r] = (uint8_t)k;
            }
        }
    }
}

static bool plain_operand(const X86Operand *p)
{
    return p->kind == X86_NONE || p->kind == X86_IMM || p->kind == X86_REL ||
           ((p->kind == X86_REG || p->kind == X86_MEM) && p->size <= 3 && !p->high);
}

/* By something other than 0 that is known; of 4 or 8 bytes. */
static bool plain_shift(const X86Insn *i)
{
    const unsigned size = i->op[0].size;

    return size >= 2 && i->op[1].kind == X86_IMM && i->op[1].imm & (size == 3 ? 63 : 31);
}

static bool is_shift(X86TransFn *t)
{
    return t == trans_SHL || t == trans_SHR || t == trans_SAR || t == trans_ROL || t == trans_ROR;
}

/* From the block's page on, too, this is a number of 32 bits. */
static bool is_near(int64_t d)
{
    return d > INT32_MIN + 8192 && d < INT32_MAX - 8192;
}

/* What the table does not say. */
static bool fits(const Dx *x, const X86Insn *i, unsigned kind)
{
    const X86Row *r = i->row;

    if (i->lock || i->vex || i->evex ||
        (r->feature >= 0 && !x86_has_feature(x->cpu, (unsigned)r->feature)) ||
        !plain_operand(&i->op[0]) || !plain_operand(&i->op[1]) || !plain_operand(&i->op[2])) {
        return false;
    }
    if (i->op[0].kind == X86_MEM && !(direct_kinds[kind].flags & DX_RMW)) {
        return false;
    }
    if ((x86_has_mem(i) || i->op[0].kind == X86_MEM || i->op[1].kind == X86_MEM) &&
        (i->addrsize != 3 ||
         (i->base >= 0 && i->base != 16 && (int64_t)(int32_t)i->disp != i->disp))) {
        return false;
    }
    if ((i->base == 16 && !is_near(i->disp)) ||
        (i->op[0].kind == X86_REL && !is_near((int64_t)i->op[0].imm))) {
        return false;
    }
    if ((r->trans == trans_IMUL2 || r->trans == trans_IMUL3) && i->op[0].size < 2) {
        return false;
    }
    return !is_shift(r->trans) || plain_shift(i);
}

static bool is_known(const Dx *x, const X86Insn *i, uint8_t *kind)
{
    *kind = kind_of_row[i->row - x86_rows];
    return *kind && fits(x, i, *kind);
}

/* Decodes as far as instructions are known. */
static void decode(Dx *x, const uint8_t *page, unsigned max_insns)
{
    const X86DecodeMode mode = {.code64 = true};
    unsigned at = x->key->pc & 4095;

    while (x->n < MIN(max_insns, DIRECT_MAX_INSNS) && at < 4096) {
        X86Insn *i = &x->insn[x->n];
        if (x86_decode(i, page + at, MIN(4096 - at, 16), mode) != X86_OK ||
            !is_known(x, i, &x->kind[x->n])) {
            break;
        }
        at += i->len;
        x->flags[x->n] = (uint8_t)direct_kinds[x->kind[x->n]].flags;
        if (x->flags[x->n++] & DX_ENDS) {
            break;
        }
    }
}

/* Fewer than that are left to the usual way with what follows. */
enum { WORTH = 3 };

bool x86_translate_direct(Cpu *cpu, Direct *d, const BlockKey *key, unsigned max_insns)
{
    const uint32_t unusual =
        MODE_TF | MODE_INHIBIT | MODE_RF | MODE_AC | MODE_GUEST | MODE_CSLIMIT;
    /* Under the translator's lock; too much to clear each time. */
    static X86Insn insns[DIRECT_MAX_INSNS];
    Dx x = {.d = d,
            .o = d->ops,
            .cpu = X86(cpu),
            .key = key,
            .page = key->pc & ~4095ull,
            .anywhere = key->flags & KEY_ANYWHERE,
            .pc = key->pc,
            .insn = insns,
            .cc_op = CC_DYNAMIC,
            .mmu = (key->mode & MODE_CPL) == 3 ? MMU_USER
                   : key->mode & MODE_KSMAP    ? MMU_KERNEL_SMAP
                                               : MMU_KERNEL};

    if (!(key->mode & MODE_CS64) || key->mode & unusual || key->base) {
        return false;
    }
    const uint8_t *page = cpu_fetch_page(cpu, key->pc, NULL);
    if (!page) {
        return false;
    }
    if (!kind_of_row) {
        make_table();
    }
    decode(&x, page, max_insns);
    bool ended = false;
    for (x.at = 0; x.at < x.n && !ended; x.at++) {
        const X86Insn *i = &x.insn[x.at];
        const DirectKind *k = &direct_kinds[x.kind[x.at]];
        x.next = x.pc + i->len;
        if (!d->ops->insn(d, x.pc, x.cc_stale ? x.cc_op + 1 : 0)) {
            return false;
        }
        if (!k->fn(&x, i)) {
            break;
        }
        ended = k->flags & DX_ENDS;
        d->insns++;
        d->bytes += i->len;
        x.pc = x.next;
    }
    if (!ended && d->insns < WORTH) {
        return false;
    }
    if (!ended) {
        direct_jump(&x, 0, x.pc);
    }
    return true;
}
