// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Identities of integer ops, tried when an op is about to be emitted and again by passes. Every
 * function may change the op in place or name a value that replaces it.
 */
#include "tcg/builder.h"

#define NONE ((IrVal){0})

static IrVal val(uint32_t v)
{
    return (IrVal){v};
}

static IrVal konst(IrBuilder *b, IrType t, uint64_t k)
{
    return ir_const(b, t, k);
}

static bool is_k(const IrBuilder *b, uint32_t v, uint64_t k)
{
    return b->f.values[v].is_const && b->f.values[v].k == k;
}

/* The op that defines v, when its opcode is `opcode`; else NULL. */
static const IrOp *def_is(const IrBuilder *b, uint32_t v, IrOpcode opcode)
{
    const IrOp *d = ir_def(&b->f, v);

    return d->opcode == opcode ? d : NULL;
}

/* What v is apart from things done to bits from `bits` up. */
static uint32_t strip_high(const IrBuilder *b, uint32_t v, unsigned bits)
{
    for (;;) {
        const IrOp *d = ir_def(&b->f, v);
        uint64_t k;
        switch (d->opcode) {
        case OP_ZEXT8:
        case OP_SEXT8:
            if (bits > 8) {
                return v;
            }
            break;
        case OP_ZEXT16:
        case OP_SEXT16:
            if (bits > 16) {
                return v;
            }
            break;
        case OP_ZEXT32:
        case OP_SEXT32:
            if (bits > 32) {
                return v;
            }
            break;
        case OP_AND:
            if (!ir_known_const(&b->f, d->args[1], &k) || (~k & ir_low_mask(bits))) {
                return v;
            }
            break;
        case OP_EXTRACT:
        case OP_SEXTRACT:
            if (d->imm[0] || d->imm[1] < bits) {
                return v;
            }
            break;
        case OP_DEPOSIT:
            if (d->imm[0] == 0 && d->imm[1] >= bits) {
                v = d->args[1];
                continue;
            }
            if (d->imm[0] < bits) {
                return v;
            }
            break;
        default:
            return v;
        }
        v = d->args[0];
    }
}

/* The low `bits` bits of v as a value of its type. */
static IrVal low_bits(IrBuilder *b, uint32_t v, unsigned bits)
{
    switch (bits) {
    case 8:
        return ir_zext8(b, val(v));
    case 16:
        return ir_zext16(b, val(v));
    case 32:
        return ir_type(b, val(v)) == IR_I64 ? ir_zext32(b, val(v)) : val(v);
    default:
        return ir_andi(b, val(v), ir_low_mask(bits));
    }
}

static IrVal simplify_add(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k, k2;

    if (ir_known_const(&b->f, o->args[1], &k)) {
        const IrOp *d = def_is(b, o->args[0], OP_ADD);
        if (k == 0) {
            return val(o->args[0]);
        }
        if (d && ir_known_const(&b->f, d->args[1], &k2)) {
            return ir_add(b, val(d->args[0]), konst(b, t, k + k2));
        }
        return NONE;
    }
    const IrOp *n = def_is(b, o->args[1], OP_NEG);
    if (n) {
        return ir_sub(b, val(o->args[0]), val(n->args[0]));
    }
    for (unsigned i = 0; i < 2; i++) {
        const IrOp *d = def_is(b, o->args[i], OP_SHL);
        if (d && ir_known_const(&b->f, d->args[1], &k) && k >= 1 && k <= 3) {
            return ir_add_shl(b, val(o->args[1 - i]), val(d->args[0]), k);
        }
    }
    return NONE;
}

static IrVal simplify_add_shl(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k;

    if (ir_known_const(&b->f, o->args[1], &k)) {
        return ir_add(b, val(o->args[0]), konst(b, t, k << o->imm[0]));
    }
    if (is_k(b, o->args[0], 0)) {
        return ir_shli(b, val(o->args[1]), (unsigned)o->imm[0]);
    }
    return NONE;
}

static IrVal simplify_sub(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k;

    if (o->args[0] == o->args[1]) {
        return konst(b, t, 0);
    }
    if (ir_known_const(&b->f, o->args[1], &k)) {
        return ir_add(b, val(o->args[0]), konst(b, t, -k));
    }
    if (is_k(b, o->args[0], 0)) {
        return ir_neg(b, val(o->args[1]));
    }
    /* (x + y) - y, the minuend that lazy flags compute back from a difference */
    const IrOp *d = def_is(b, o->args[0], OP_ADD);
    if (d && d->args[1] == o->args[1]) {
        return val(d->args[0]);
    }
    if (d && d->args[0] == o->args[1]) {
        return val(d->args[1]);
    }
    return NONE;
}

static IrVal simplify_mul(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k;

    if (!ir_known_const(&b->f, o->args[1], &k)) {
        return NONE;
    }
    if (k == 0) {
        return konst(b, t, 0);
    }
    if (k == ir_mask(t)) {
        return ir_neg(b, val(o->args[0]));
    }
    if ((k & (k - 1)) == 0) {
        return ir_shli(b, val(o->args[0]), (unsigned)__builtin_ctzll(k));
    }
    return NONE;
}

static IrVal simplify_and(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k, k2, za = ir_zeros(&b->f, o->args[0]);

    if (o->args[0] == o->args[1]) {
        return val(o->args[0]);
    }
    if (!ir_known_const(&b->f, o->args[1], &k)) {
        const IrOp *n = def_is(b, o->args[1], OP_NOT);
        return n ? ir_andc(b, val(o->args[0]), val(n->args[0])) : NONE;
    }
    if ((k & ~za) == 0) {
        return konst(b, t, 0);
    }
    if ((~k & ~za & ir_mask(t)) == 0) {
        return val(o->args[0]);
    }
    const IrOp *d = def_is(b, o->args[0], OP_AND);
    if (d && ir_known_const(&b->f, d->args[1], &k2)) {
        return ir_and(b, val(d->args[0]), konst(b, t, k & k2));
    }
    if (k == 0xff) {
        return ir_zext8(b, val(o->args[0]));
    }
    if (k == 0xffff) {
        return ir_zext16(b, val(o->args[0]));
    }
    if (k == 0xffffffff) {
        return ir_zext32(b, val(o->args[0]));
    }
    if (!(k & (k + 1))) {
        o->args[0] = strip_high(b, o->args[0], 64 - (unsigned)__builtin_clzll(k));
    }
    return NONE;
}

static IrVal simplify_or_xor(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k, k2;

    if (o->args[0] == o->args[1]) {
        return o->opcode == OP_OR ? val(o->args[0]) : konst(b, t, 0);
    }
    if (!ir_known_const(&b->f, o->args[1], &k)) {
        return NONE;
    }
    if (k == 0) {
        return val(o->args[0]);
    }
    if (k == ir_mask(t)) {
        return o->opcode == OP_OR ? konst(b, t, k) : ir_not(b, val(o->args[0]));
    }
    const IrOp *d = def_is(b, o->args[0], (IrOpcode)o->opcode);
    if (d && ir_known_const(&b->f, d->args[1], &k2)) {
        uint64_t both = o->opcode == OP_OR ? k | k2 : k ^ k2;
        return ir_op2(b, o->opcode, val(d->args[0]), konst(b, t, both), 0, 0);
    }
    return NONE;
}

static IrVal simplify_andc(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k;

    if (o->args[0] == o->args[1] || is_k(b, o->args[0], 0)) {
        return konst(b, t, 0);
    }
    if (ir_known_const(&b->f, o->args[1], &k)) {
        return ir_and(b, val(o->args[0]), konst(b, t, ~k));
    }
    const IrOp *n = def_is(b, o->args[1], OP_NOT);
    return n ? ir_and(b, val(o->args[0]), val(n->args[0])) : NONE;
}

static IrVal simplify_shift(IrBuilder *b, IrOp *o, IrType t)
{
    const unsigned width = ir_type_bits(t);
    uint64_t n, n2;

    if (is_k(b, o->args[0], 0)) {
        return val(o->args[0]);
    }
    if (!ir_known_const(&b->f, o->args[1], &n) || n >= width) {
        return NONE;
    }
    if (n == 0) {
        return val(o->args[0]);
    }
    const uint64_t za = ir_zeros(&b->f, o->args[0]);
    const bool shifts = o->opcode == OP_SHL || o->opcode == OP_SHR || o->opcode == OP_SAR;
    if (o->opcode == OP_SAR && za >> (width - 1) & 1) {
        return ir_shri(b, val(o->args[0]), (unsigned)n);
    }
    if (o->opcode == OP_SHR && (~za & ir_mask(t)) >> n == 0) {
        return konst(b, t, 0);
    }
    const IrOp *d = ir_def(&b->f, o->args[0]);
    if (shifts && d->opcode == o->opcode && ir_known_const(&b->f, d->args[1], &n2)) {
        if (n + n2 < width) {
            return ir_op2(b, o->opcode, val(d->args[0]), konst(b, t, n + n2), 0, 0);
        }
        return o->opcode == OP_SAR ? ir_sari(b, val(d->args[0]), width - 1) : konst(b, t, 0);
    }
    if (o->opcode == OP_SHR && d->opcode == OP_SHL && is_k(b, d->args[1], n)) {
        return low_bits(b, d->args[0], width - (unsigned)n);
    }
    if (o->opcode == OP_SHL) {
        o->args[0] = strip_high(b, o->args[0], width - (unsigned)n);
    }
    return NONE;
}

static IrVal simplify_zext(IrBuilder *b, IrOp *o, unsigned bits)
{
    const uint64_t za = ir_zeros(&b->f, o->args[0]);

    if ((za | ir_low_mask(bits)) == UINT64_MAX) {
        return val(o->args[0]);
    }
    o->args[0] = strip_high(b, o->args[0], bits);
    if ((ir_zeros(&b->f, o->args[0]) | ir_low_mask(bits)) == UINT64_MAX) {
        return val(o->args[0]);
    }
    return NONE;
}

static IrVal simplify_sext(IrBuilder *b, IrOp *o, IrType t, unsigned bits)
{
    const uint64_t za = ir_zeros(&b->f, o->args[0]);
    const IrOp *d = ir_def(&b->f, o->args[0]);

    if ((za | ir_low_mask(bits - 1)) == UINT64_MAX || (d->opcode == OP_SEXT8 && bits >= 8) ||
        (d->opcode == OP_SEXT16 && bits >= 16) || (d->opcode == OP_SEXTQ && bits >= 32)) {
        return val(o->args[0]);
    }
    o->args[0] = strip_high(b, o->args[0], bits);
    return t == IR_VOID ? val(o->args[0]) : NONE;
}

static IrVal simplify_trunc(IrBuilder *b, IrOp *o)
{
    o->args[0] = strip_high(b, o->args[0], 32);
    const IrOp *d = ir_def(&b->f, o->args[0]);
    uint64_t k;

    if (d->opcode == OP_ZEXTQ || d->opcode == OP_SEXTQ || d->opcode == OP_CONCAT) {
        return val(d->args[0]);
    }
    if (d->opcode == OP_SHR && is_k(b, d->args[1], 32)) {
        const IrOp *c = def_is(b, d->args[0], OP_CONCAT);
        return c ? val(c->args[1]) : NONE;
    }
    /* Narrow arithmetic whose operand was only just widened. */
    if ((d->opcode == OP_ADD || d->opcode == OP_AND || d->opcode == OP_OR || d->opcode == OP_XOR) &&
        ir_known_const(&b->f, d->args[1], &k)) {
        const IrOp *w = ir_def(&b->f, d->args[0]);
        if (w->opcode == OP_ZEXTQ || w->opcode == OP_SEXTQ) {
            return ir_op2(b, d->opcode, val(w->args[0]), konst(b, IR_I32, k), 0, 0);
        }
    }
    return NONE;
}

static IrVal simplify_widen(IrBuilder *b, IrOp *o)
{
    const IrOp *d = def_is(b, o->args[0], OP_TRUNC);

    if (o->opcode == OP_SEXTQ && ir_zeros(&b->f, o->args[0]) >> 31 & 1) {
        return ir_zextq(b, val(o->args[0]));
    }
    if (!d) {
        return NONE;
    }
    return o->opcode == OP_ZEXTQ ? ir_zext32(b, val(d->args[0])) : ir_sext32(b, val(d->args[0]));
}

static IrVal simplify_concat(IrBuilder *b, IrOp *o)
{
    const IrOp *lo = def_is(b, o->args[0], OP_TRUNC);
    const IrOp *hi = def_is(b, o->args[1], OP_TRUNC);

    if (is_k(b, o->args[1], 0)) {
        return ir_zextq(b, val(o->args[0]));
    }
    if (lo && hi) {
        const IrOp *s = def_is(b, hi->args[0], OP_SHR);
        if (s && s->args[0] == lo->args[0] && is_k(b, s->args[1], 32)) {
            return val(lo->args[0]);
        }
    }
    return NONE;
}

static IrVal simplify_extract(IrBuilder *b, IrOp *o, IrType t)
{
    const unsigned width = ir_type_bits(t), pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    const bool is_signed = o->opcode == OP_SEXTRACT;
    uint64_t n;

    if (len == width) {
        return val(o->args[0]);
    }
    o->args[0] = strip_high(b, o->args[0], pos + len);
    if (pos == 0 && (len == 8 || len == 16 || len == 32)) {
        if (!is_signed) {
            return low_bits(b, o->args[0], len);
        }
        return len == 8    ? ir_sext8(b, val(o->args[0]))
               : len == 16 ? ir_sext16(b, val(o->args[0]))
                           : ir_sext32(b, val(o->args[0]));
    }
    if (pos == 0 && !is_signed) {
        return low_bits(b, o->args[0], len);
    }
    if (pos + len == width) {
        return is_signed ? ir_sari(b, val(o->args[0]), pos) : ir_shri(b, val(o->args[0]), pos);
    }
    const IrOp *d = ir_def(&b->f, o->args[0]);
    if (d->opcode == OP_SHR && ir_known_const(&b->f, d->args[1], &n) && n + pos + len <= width) {
        uint32_t a = d->args[0];
        return is_signed ? ir_sextract(b, val(a), (unsigned)n + pos, len)
                         : ir_extract(b, val(a), (unsigned)n + pos, len);
    }
    if (d->opcode == OP_DEPOSIT) {
        unsigned dpos = (unsigned)d->imm[0], dlen = (unsigned)d->imm[1];
        if (pos >= dpos && pos + len <= dpos + dlen) {
            uint32_t a = d->args[1];
            return is_signed ? ir_sextract(b, val(a), pos - dpos, len)
                             : ir_extract(b, val(a), pos - dpos, len);
        }
        if (pos + len <= dpos || dpos + dlen <= pos) {
            o->args[0] = d->args[0];
        }
    }
    return NONE;
}

static IrVal simplify_deposit(IrBuilder *b, IrOp *o, IrType t)
{
    const unsigned pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    const uint64_t m = ir_low_mask(len) << pos;

    if (len == ir_type_bits(t)) {
        return val(o->args[1]);
    }
    o->args[1] = strip_high(b, o->args[1], len);
    const IrOp *d = ir_def(&b->f, o->args[0]);
    if (d->opcode == OP_DEPOSIT && d->imm[0] >= pos && d->imm[0] + d->imm[1] <= pos + len) {
        o->args[0] = d->args[0]; /* overwritten */
    }
    const IrOp *e = ir_def(&b->f, o->args[1]);
    if (((pos && e->opcode == OP_EXTRACT && e->imm[0] == pos && e->imm[1] >= len) ||
         (e->opcode == OP_SHR && is_k(b, e->args[1], pos))) &&
        e->args[0] == o->args[0]) {
        return val(o->args[0]);
    }
    if (o->args[1] == o->args[0] && pos == 0) {
        return val(o->args[0]);
    }
    /* Into bits that are 0: a shift and an or; into nothing at all: the shift. */
    if ((ir_zeros(&b->f, o->args[0]) & m) == (m & ir_mask(t))) {
        IrVal low = low_bits(b, o->args[1], len);
        return ir_or(b, ir_shli(b, low, pos), val(o->args[0]));
    }
    uint64_t k;
    if (ir_known_const(&b->f, o->args[1], &k)) {
        k = k << pos & m;
        if (k == 0) {
            return ir_andi(b, val(o->args[0]), ~m);
        }
        if (k == m && ir_mask(t) <= UINT32_MAX) {
            return ir_or(b, val(o->args[0]), konst(b, t, m));
        }
    }
    return NONE;
}

/* One side constant. True: o was brought closer to its plainest form, look again. */
static bool simplify_cond_const(IrBuilder *b, IrOp *o, uint64_t k)
{
    const IrFunc *f = &b->f;
    const IrType t = (IrType)f->values[o->args[0]].type;
    const IrOp *d = ir_def(f, o->args[0]);
    const bool equality = o->cc == COND_EQ || o->cc == COND_NE;
    uint64_t k2;

    if (o->cc == COND_TSTZ || o->cc == COND_TSTNZ) {
        if (k == ir_mask(t)) {
            o->cc = o->cc == COND_TSTZ ? COND_EQ : COND_NE;
            o->args[1] = konst(b, t, 0).id;
            return true;
        }
        if ((~ir_zeros(f, o->args[0]) & k) == 0) {
            o->cc = o->cc == COND_TSTZ ? COND_ALWAYS : COND_NEVER;
        }
        return false;
    }
    if (k == 0 && (o->cc == COND_LTU || o->cc == COND_GEU)) {
        o->cc = o->cc == COND_GEU ? COND_ALWAYS : COND_NEVER;
        return false;
    }
    if ((k == 1 && (o->cc == COND_LTU || o->cc == COND_GEU)) ||
        (k == 0 && (o->cc == COND_LEU || o->cc == COND_GTU))) {
        o->cc = o->cc == COND_LTU || o->cc == COND_LEU ? COND_EQ : COND_NE;
        o->args[1] = konst(b, t, 0).id;
        return true;
    }
    if (!equality) {
        return false;
    }
    if (ir_zeros(f, o->args[0]) & k) {
        o->cc = o->cc == COND_EQ ? COND_NEVER : COND_ALWAYS;
        return false;
    }
    if ((d->opcode == OP_ADD || d->opcode == OP_XOR) && ir_known_const(f, d->args[1], &k2)) {
        o->args[0] = d->args[0];
        o->args[1] = konst(b, t, d->opcode == OP_ADD ? k - k2 : k ^ k2).id;
        return true;
    }
    if (d->opcode == OP_ZEXTQ && k <= UINT32_MAX) {
        o->args[0] = d->args[0];
        o->args[1] = konst(b, IR_I32, k).id;
        return true;
    }
    if (d->opcode == OP_SETCOND && k <= 1) {
        o->cc = (o->cc == COND_NE) == (k == 0) ? d->cc : ir_cond_invert((IrCond)d->cc);
        o->args[0] = d->args[0];
        o->args[1] = d->args[1];
        return true;
    }
    if (k != 0) {
        return false;
    }
    if (d->opcode == OP_SUB || d->opcode == OP_XOR) {
        o->args[0] = d->args[0];
        o->args[1] = d->args[1];
        return true;
    }
    if (d->opcode == OP_AND) {
        o->cc = o->cc == COND_EQ ? COND_TSTZ : COND_TSTNZ;
        o->args[0] = d->args[0];
        o->args[1] = d->args[1];
        return true;
    }
    if (d->opcode == OP_ZEXT8 || d->opcode == OP_ZEXT16 || d->opcode == OP_ZEXT32) {
        unsigned bits = d->opcode == OP_ZEXT8 ? 8 : d->opcode == OP_ZEXT16 ? 16 : 32;
        o->cc = o->cc == COND_EQ ? COND_TSTZ : COND_TSTNZ;
        o->args[0] = d->args[0];
        o->args[1] = konst(b, t, ir_low_mask(bits)).id;
        return true;
    }
    return false;
}

void ir_simplify_cond(IrBuilder *b, IrOp *o)
{
    const IrFunc *f = &b->f;
    uint64_t k, k2;

    for (bool again = true; again;) {
        again = false;
        if (o->cc <= COND_ALWAYS) {
            return;
        }
        bool ka = ir_known_const(f, o->args[0], &k2), kb = ir_known_const(f, o->args[1], &k);
        if (ka && kb) {
            o->cc = ir_fold_cond((IrCond)o->cc, (IrType)f->values[o->args[0]].type, k2, k)
                        ? COND_ALWAYS
                        : COND_NEVER;
            return;
        }
        if (o->args[0] == o->args[1] && o->cc < COND_TSTZ) {
            bool yes = ir_fold_cond((IrCond)o->cc, IR_I64, 0, 0);
            o->cc = yes ? COND_ALWAYS : COND_NEVER;
            return;
        }
        if (o->args[0] == o->args[1]) {
            o->cc = o->cc == COND_TSTZ ? COND_EQ : COND_NE;
            o->args[1] = konst(b, (IrType)f->values[o->args[0]].type, 0).id;
            again = true;
            continue;
        }
        if (ka) {
            uint32_t x = o->args[0];
            o->args[0] = o->args[1];
            o->args[1] = x;
            o->cc = ir_cond_swap((IrCond)o->cc);
            again = true;
            continue;
        }
        if (kb) {
            again = simplify_cond_const(b, o, k);
        }
    }
}

static IrVal simplify_compare(IrBuilder *b, IrOp *o, IrType t)
{
    ir_simplify_cond(b, o);
    const bool known = o->cc <= COND_ALWAYS;

    if (o->opcode == OP_SETCOND) {
        if (known) {
            return konst(b, IR_I32, o->cc == COND_ALWAYS);
        }
        o->type = b->f.values[o->args[0]].type;
        return NONE;
    }
    if (known) {
        return val(o->args[o->cc == COND_ALWAYS ? 2 : 3]);
    }
    if (o->args[2] == o->args[3]) {
        return val(o->args[2]);
    }
    if (t == IR_I32 || t == IR_I64) {
        bool one_zero = is_k(b, o->args[2], 1) && is_k(b, o->args[3], 0);
        bool zero_one = is_k(b, o->args[2], 0) && is_k(b, o->args[3], 1);
        if (one_zero || zero_one) {
            IrCond c = one_zero ? (IrCond)o->cc : ir_cond_invert((IrCond)o->cc);
            IrVal r = ir_setcond(b, c, val(o->args[0]), val(o->args[1]));
            return t == IR_I64 ? ir_zextq(b, r) : r;
        }
    }
    return NONE;
}

static IrVal simplify_divide(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k;

    if (ir_known_const(&b->f, o->args[1], &k) && k && (k & (k - 1)) == 0) {
        if (o->opcode == OP_DIVU || o->opcode == OP_DIVUZ) {
            return ir_shri(b, val(o->args[0]), (unsigned)__builtin_ctzll(k));
        }
        if (o->opcode == OP_REMU) {
            return ir_and(b, val(o->args[0]), konst(b, t, k - 1));
        }
    }
    return NONE;
}

/* Undone by the same op once more: not, neg, bswap. */
static IrVal simplify_twice(IrBuilder *b, IrOp *o)
{
    const IrOp *d = def_is(b, o->args[0], (IrOpcode)o->opcode);

    return d ? val(d->args[0]) : NONE;
}

static bool all_const(const IrBuilder *b, const IrOp *o, uint64_t *k)
{
    if (o->num_args == 0 || o->num_args > 2) {
        return false;
    }
    k[1] = 0;
    for (unsigned i = 0; i < o->num_args; i++) {
        if (!ir_known_const(&b->f, o->args[i], &k[i])) {
            return false;
        }
    }
    return true;
}

IrVal ir_simplify(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k[2], r;

    if (all_const(b, o, k) && ir_fold((IrOpcode)o->opcode, (IrType)o->type, k, o->imm, &r)) {
        return ir_const(b, t, r);
    }
    if (ir_desc(o)->flags & IRF_COMM &&
        (b->f.values[o->args[0]].is_const ||
         (o->args[0] > o->args[1] && !b->f.values[o->args[1]].is_const))) {
        uint32_t x = o->args[0];
        o->args[0] = o->args[1];
        o->args[1] = x;
    }
    switch (o->opcode) {
    case OP_ADD:
        return simplify_add(b, o, t);
    case OP_ADD_SHL:
        return simplify_add_shl(b, o, t);
    case OP_SUB:
        return simplify_sub(b, o, t);
    case OP_MUL:
        return simplify_mul(b, o, t);
    case OP_DIVU:
    case OP_DIVUZ:
    case OP_REMU:
        return simplify_divide(b, o, t);
    case OP_AND:
        return simplify_and(b, o, t);
    case OP_OR:
    case OP_XOR:
        return simplify_or_xor(b, o, t);
    case OP_ANDC:
        return simplify_andc(b, o, t);
    case OP_NEG:
    case OP_NOT:
    case OP_BSWAP:
        return simplify_twice(b, o);
    case OP_SHL:
    case OP_SHR:
    case OP_SAR:
    case OP_ROTL:
    case OP_ROTR:
        return simplify_shift(b, o, t);
    case OP_ZEXT8:
        return simplify_zext(b, o, 8);
    case OP_ZEXT16:
        return simplify_zext(b, o, 16);
    case OP_ZEXT32:
        return simplify_zext(b, o, 32);
    case OP_SEXT8:
        return simplify_sext(b, o, t, 8);
    case OP_SEXT16:
        return simplify_sext(b, o, t, 16);
    case OP_SEXT32:
        return simplify_sext(b, o, t, 32);
    case OP_TRUNC:
        return simplify_trunc(b, o);
    case OP_ZEXTQ:
    case OP_SEXTQ:
        return simplify_widen(b, o);
    case OP_CONCAT:
        return simplify_concat(b, o);
    case OP_EXTRACT:
    case OP_SEXTRACT:
        return simplify_extract(b, o, t);
    case OP_DEPOSIT:
        return simplify_deposit(b, o, t);
    case OP_FUNNEL:
        return o->imm[0] == 0 ? val(o->args[0]) : NONE;
    case OP_SETCOND:
    case OP_SELECT:
        return simplify_compare(b, o, t);
    default:
        return o->opcode >= OP_F_BITS ? ir_simplify_vector(b, o, t) : NONE;
    }
}
