// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads IR text (form: tcg/text.c). Ops are entered as they stand, nothing is folded. What is
 * read need not make sense beyond its form: the verifier says.
 */
#include "tcg/builder.h"
#include "tcg/text.h"
#include "util/error.h"

#include <string.h>

typedef struct Parse {
    IrBuilder *b;
    IrFunc *f;
    const IrHelper *const *helpers;
    const char *p;              /* in the line */
    unsigned line;
    GArray *values;             /* uint32_t: value of each vN */
    GPtrArray *blocks;          /* IrBlock of each bN */
    GError **error;
} Parse;

/* More than any function has: bounds what hostile numbers can ask for. */
#define MAX_NUMBER 100000

static bool bad(Parse *s, const char *what)
{
    /* The innermost complaint is the best one. */
    return *s->error ? false : fail(s->error, "line %u: %s at '%.20s'", s->line, what, s->p);
}

static void skip_space(Parse *s)
{
    while (*s->p == ' ') {
        s->p++;
    }
}

static bool take(Parse *s, const char *text)
{
    size_t n = strlen(text);

    skip_space(s);
    if (strncmp(s->p, text, n) != 0) {
        return false;
    }
    s->p += n;
    return true;
}

static bool take_word(Parse *s, char *buf, size_t size)
{
    size_t n = 0;

    skip_space(s);
    while (g_ascii_isalnum(s->p[n]) || s->p[n] == '_') {
        n++;
    }
    if (n == 0 || n >= size) {
        return bad(s, "expected a name");
    }
    memcpy(buf, s->p, n);
    buf[n] = '\0';
    s->p += n;
    return true;
}

static bool take_number(Parse *s, uint64_t *v)
{
    char *end;

    if (!g_ascii_isdigit(*s->p)) {
        return bad(s, "expected a number");
    }
    *v = g_ascii_strtoull(s->p, &end, 0);
    s->p = end;
    return true;
}

static int find(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool take_name_of(Parse *s, const char *const *names, uint8_t *out)
{
    char word[40];

    if (!take_word(s, word, sizeof(word))) {
        return false;
    }
    int i = find(names, word);
    if (i < 0) {
        return bad(s, "unknown name before");
    }
    *out = (uint8_t)i;
    return true;
}

static bool take_value(Parse *s, uint32_t *out)
{
    uint64_t n;
    uint8_t t;

    skip_space(s);
    if (*s->p == 'v') {
        s->p++;
        if (!take_number(s, &n)) {
            return false;
        }
        if (n >= s->values->len || g_array_index(s->values, uint32_t, n) == 0) {
            return bad(s, "undefined value before");
        }
        *out = g_array_index(s->values, uint32_t, n);
        return true;
    }
    if (!take_number(s, &n)) {
        return false;
    }
    if (!take(s, ":") || !take_name_of(s, ir_type_names, &t)) {
        return bad(s, "expected ':' and a type");
    }
    if (t == IR_VOID || t >= IR_V128) {
        return bad(s, "no constants of this type");
    }
    *out = ir_const(s->b, (IrType)t, n).id;
    return true;
}

static IrBlock *block_number(Parse *s, uint64_t n)
{
    if (n >= MAX_NUMBER) {
        return NULL;
    }
    while (s->blocks->len <= n) {
        g_ptr_array_add(s->blocks, ir_block(s->b));
    }
    return g_ptr_array_index(s->blocks, n);
}

static bool take_block(Parse *s, IrBlock **out)
{
    uint64_t n;

    if (!take(s, "b") || !take_number(s, &n)) {
        return bad(s, "expected a block");
    }
    *out = block_number(s, n);
    return *out || bad(s, "block number too large before");
}

static bool take_memop(Parse *s, uint16_t *out)
{
    static const struct { const char *text; uint16_t bit; } marks[] = {
        {".sign", MEM_SIGN}, {".big", MEM_BIG}, {".align", MEM_ALIGN}, {".atomic", MEM_ATOMIC},
    };
    uint64_t n;

    if (!take(s, "m") || !take_number(s, &n)) {
        return bad(s, "expected an access size");
    }
    if (n < 8 || n > 256 || (n & (n - 1))) {
        return bad(s, "bad access size before");
    }
    *out = (uint16_t)__builtin_ctzll(n / 8);
    for (unsigned i = 0; i < ARRAY_COUNT(marks); i++) {
        if (take(s, marks[i].text)) {
            *out |= marks[i].bit;
        }
    }
    return true;
}

static bool take_var(Parse *s, uint32_t *out)
{
    const IrFunc *f = s->f;
    uint64_t n;
    char word[64];

    if (take(s, "%")) {
        if (!take_number(s, &n)) {
            return false;
        }
        *out = f->num_vars + (uint32_t)MIN(n, MAX_NUMBER);
        return n < f->num_locals || bad(s, "undeclared local before");
    }
    if (!take_word(s, word, sizeof(word))) {
        return false;
    }
    for (uint32_t i = 0; i < f->num_vars; i++) {
        if (strcmp(f->vars[i].name, word) == 0) {
            *out = i;
            return true;
        }
    }
    return bad(s, "unknown variable before");
}

static bool take_call(Parse *s, IrOp *o)
{
    char word[64];

    if (!take_word(s, word, sizeof(word))) {
        return false;
    }
    for (unsigned i = 0; s->helpers && s->helpers[i]; i++) {
        if (strcmp(s->helpers[i]->name, word) == 0) {
            o->call.helper = s->helpers[i];
        }
    }
    if (!o->call.helper || !take(s, "(")) {
        return bad(s, "unknown helper before");
    }
    o->type = (uint8_t)o->call.helper->ret;
    while (!take(s, ")")) {
        if (o->num_args == 6 || (o->num_args && !take(s, ",")) ||
            !take_value(s, &o->args[o->num_args])) {
            return bad(s, "expected arguments");
        }
        o->num_args++;
    }
    return true;
}

/* The next item of a list. */
static bool item(Parse *s, bool *first)
{
    if (!*first && !take(s, ",")) {
        return bad(s, "expected ','");
    }
    *first = false;
    return true;
}

static bool take_imms(Parse *s, const IrOpDesc *d, IrOp *o, bool first)
{
    for (unsigned i = 0; i < d->num_imms; i++) {
        if (!item(s, &first) || !take(s, "#") || !take_number(s, &o->imm[i])) {
            return bad(s, "expected '#' and a number");
        }
    }
    return true;
}

static bool take_operands(Parse *s, const IrOpDesc *d, IrOp *o)
{
    bool first = true;
    uint64_t n;

    if (o->opcode == OP_CALL) {
        return take_call(s, o);
    }
    if (ir_op_names_var(o) &&
        (!item(s, &first) || !take_var(s, &o->var.var))) {
        return false;
    }
    for (; o->num_args < d->num_operands; o->num_args++) {
        if (!item(s, &first) || !take_value(s, &o->args[o->num_args])) {
            return false;
        }
    }
    if (ir_op_names_var(o)) {
        return true;
    }
    if (o->opcode == OP_ENV_LOAD || o->opcode == OP_ENV_STORE) {
        return item(s, &first) && take(s, "#") && take_number(s, &o->env.offset) &&
               take(s, ",") && take_memop(s, &o->env.op);
    }
    if (d->flags & IRF_MEM) {
        if (!item(s, &first) || !take_memop(s, &o->mem.op) || !take(s, "mmu") ||
            !take_number(s, &n)) {
            return bad(s, "expected an access");
        }
        o->mem.mmu = (uint8_t)n;
        return true;
    }
    if (o->opcode == OP_BR || o->opcode == OP_BRCOND) {
        for (unsigned i = 0; i < (o->opcode == OP_BR ? 1 : 2); i++) {
            if (!item(s, &first) || !take_block(s, &s->b->cur->succ[i])) {
                return false;
            }
        }
        return true;
    }
    return take_imms(s, d, o, first);
}

static bool parse_op(Parse *s)
{
    IrOp o = {0};
    uint64_t n = 0;
    uint8_t t = IR_VOID;
    char word[40];
    bool result = false;

    if (!s->b->cur) {
        return bad(s, "op outside a block");
    }
    if (*s->p == 'v' && g_ascii_isdigit(s->p[1])) {
        s->p++;
        result = true;
        if (!take_number(s, &n) || !take(s, ":") || !take_name_of(s, ir_type_names, &t) ||
            !take(s, "=")) {
            return bad(s, "expected a result");
        }
        if (n >= MAX_NUMBER || t == IR_VOID) {
            return bad(s, "bad result before");
        }
    }
    if (!take_word(s, word, sizeof(word))) {
        return false;
    }
    for (o.opcode = OP_NONE + 1; o.opcode < OP_COUNT; o.opcode++) {
        if (strcmp(ir_op_desc[o.opcode].name, word) == 0) {
            break;
        }
    }
    if (o.opcode == OP_COUNT) {
        return bad(s, "unknown op before");
    }
    const IrOpDesc *d = ir_desc(&o);
    if (d->flags & (IRF_COND | IRF_LANE) &&
        (!take(s, ".") ||
         !take_name_of(s, d->flags & IRF_COND ? ir_cond_names : ir_lane_names, &o.cc))) {
        return bad(s, "expected a condition or lane kind");
    }
    if (!take_operands(s, d, &o)) {
        return false;
    }
    skip_space(s);
    if (*s->p) {
        return bad(s, "rubbish at the end of the line");
    }
    if (!ir_is_open(s->b)) {
        return bad(s, "op after the block's end");
    }
    if (o.opcode != OP_CALL) {
        IrType own = ir_own_type(s->f, &o);
        o.type = own != IR_VOID ? (uint8_t)own : t;
    }
    uint32_t op = builder_append(s->b, &o);
    if (result) {
        uint32_t v = ir_value_new(s->f, (IrType)t, op);
        s->f->ops[op].dst = v;
        s->f->values[v].k = builder_zero_bits(s->f, &s->f->ops[op], (IrType)t);
        if (n >= s->values->len) {
            g_array_set_size(s->values, (unsigned)n + 1);
        }
        g_array_index(s->values, uint32_t, n) = v;
    }
    return true;
}

static bool parse_block(Parse *s)
{
    IrBlock *block;

    if (!take_block(s, &block)) {
        return false;
    }
    block->cold = take(s, "cold");
    if (!take(s, ":")) {
        return bad(s, "expected ':'");
    }
    if (block->placed) {
        return bad(s, "block is there twice");
    }
    if (s->b->cur && ir_is_open(s->b)) {
        return bad(s, "the block before has no end");
    }
    ir_place(s->b, block);
    return true;
}

static bool parse_line(Parse *s)
{
    uint64_t n, bytes;
    uint8_t t;

    if (*s->p == '\0' || *s->p == '#') {
        return true;
    }
    if (*s->p == ' ') {
        skip_space(s);
        return *s->p == '\0' || parse_op(s);
    }
    if (take(s, "func")) {
        if (!take(s, "insns=") || !take_number(s, &n) || !take(s, "bytes=") ||
            !take_number(s, &bytes)) {
            return bad(s, "expected insns= and bytes=");
        }
        s->f->num_insns = (uint32_t)n;
        s->f->bytes = bytes;
        return true;
    }
    if (take(s, "local")) {
        if (!take(s, "%") || !take_number(s, &n) || !take(s, ":") ||
            !take_name_of(s, ir_type_names, &t) || t == IR_VOID || n != s->f->num_locals) {
            return bad(s, "expected %number:type, numbers in order");
        }
        ir_local(s->b, (IrType)t);
        return true;
    }
    if (take(s, "target")) {
        IrBlock *to;
        skip_space(s);
        if (!take_block(s, &to) || !take(s, "#") || !take_number(s, &n) ||
            !ir_target(s->b, n, to)) {
            return bad(s, "expected a block and #pc, and no more than there may be");
        }
        return true;
    }
    return parse_block(s);
}

IrFunc *ir_parse(IrBuilder *b, const char *text, const IrHelper *const *helpers, GError **error)
{
    Parse s = {.b = b, .helpers = helpers, .error = error};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool ok = true;

    s.f = ir_begin(b);
    s.values = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    s.blocks = g_ptr_array_new();
    /* The text places its own blocks, the entry first. */
    s.f->entry->placed = false;
    g_ptr_array_add(s.blocks, s.f->entry);
    s.f->entry = s.f->layout_tail = NULL;
    b->cur = NULL;
    for (unsigned i = 0; ok && lines[i]; i++) {
        s.line = i + 1;
        s.p = lines[i];
        ok = parse_line(&s);
    }
    if (ok && (!s.f->entry || ir_is_open(b))) {
        ok = bad(&s, "no block, or no end of the last one");
    }
    g_array_free(s.values, TRUE);
    g_ptr_array_free(s.blocks, TRUE);
    if (!ok) {
        ir_begin(b);
        return NULL;
    }
    ir_compute_preds(s.f);
    return s.f;
}
