// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random IR functions, run by the interpreter as they stand, then as the builder and the passes
 * leave them, then by the host's back end: the CPU struct and memory must come out the same.
 */
#include "tcg/builder.h"
#include "tcg/codegen.h"

#include <string.h>

/* More integer variables than a host has registers. The last page: ends of accesses only. */
enum { NUM = 9, PAGES = 3, VALUES = 9 };
#define DATA_VA 0x10000ull

typedef struct TestCpu {
    Cpu cpu;
    uint32_t i32[NUM];
    uint64_t i64[NUM];
    uint32_t f32[NUM];
    uint64_t f64[NUM];
    Vec128 v[NUM] __attribute__((aligned(16)));
    Vec128 h[NUM];              /* their upper halves */
    uint64_t field[2];          /* for env_load and env_store */
    uint64_t turns;             /* jumps to targets that are left */
} TestCpu;

/* What a run may change. */
typedef struct State {
    uint64_t turns;             /* before the run */
    uint64_t fault_pc;          /* guest instruction that faulted, or 0 */
    uint8_t regs[sizeof(TestCpu) - offsetof(TestCpu, i32)];
    uint8_t memory[PAGES << PAGE_BITS_MIN];
} State;

#define VAR(name, t, field) {name, t, offsetof(TestCpu, field), 0, 0}
#define EACH(row, name, t, field)                                                           \
    row(name "0", t, field, 0), row(name "1", t, field, 1), row(name "2", t, field, 2),     \
        row(name "3", t, field, 3), row(name "4", t, field, 4), row(name "5", t, field, 5), \
        row(name "6", t, field, 6), row(name "7", t, field, 7), row(name "8", t, field, 8)
#define ELEMENT(name, t, field, n) VAR(name, t, field[n])
enum { FIRST_LOW = (IR_V128 - IR_I32) * NUM, FIRST_HIGH = FIRST_LOW + NUM };
#define WHOLE(name, t, field, n) \
    {name, t, offsetof(TestCpu, field[n]), FIRST_LOW + n + 1, FIRST_HIGH + n + 1}
static const IrVarDecl vars[] = {
    EACH(ELEMENT, "a", IR_I32, i32), EACH(ELEMENT, "q", IR_I64, i64),
    EACH(ELEMENT, "s", IR_F32, f32), EACH(ELEMENT, "d", IR_F64, f64),
    EACH(ELEMENT, "v", IR_V128, v),  EACH(ELEMENT, "h", IR_V128, h),
    EACH(WHOLE, "w", IR_V256, v),
};
static bool fill_or_fault(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                          bool probe, uintptr_t host_pc);
static const CpuArch arch = {
    .name = "test", .word_bits = 64, .page_bits = 12, .mmu_modes = 1, .cpu_size = sizeof(TestCpu),
    .vars = vars, .num_vars = ARRAY_COUNT(vars), .tlb_fill = fill_or_fault,
};

/* ---- helpers with every kind of argument ---- */

static uint64_t helper_mix(uint64_t x, uint32_t y)
{
    return (x ^ y) * 0x9e3779b97f4a7c15ull;
}

static uint32_t helper_sum(Cpu *cpu, uint32_t x)
{
    const TestCpu *t = (const TestCpu *)cpu;

    return t->i32[0] + (uint32_t)t->i64[1] + t->f32[2] + x;
}

static void helper_change(Cpu *cpu, uint64_t x, Vec128 v)
{
    TestCpu *t = (TestCpu *)cpu;

    t->i64[0] += x;
    t->i32[1] ^= (uint32_t)v[1];
    t->v[2] = v;
}

static double helper_pick(Cpu *cpu, float f, uint32_t x, double d)
{
    return x & 1 ? (double)1.5f : x & 2 ? d : (f == f ? (double)f : 2.0);
}

static Vec128 helper_turn(Vec128 v, uint64_t x)
{
    return (Vec128){v[1], v[0] ^ (long long)x};
}

static const IrHelper helper_table[] = {
    {"mix", (void *)helper_mix, HELPER_PURE, IR_I64, 2, false, {IR_I64, IR_I32}},
    {"sum", (void *)helper_sum, HELPER_READS_VARS, IR_I32, 2, true, {IR_I64, IR_I32}},
    {"change", (void *)helper_change, HELPER_READS_VARS | HELPER_WRITES_VARS, IR_VOID, 3, true,
     {IR_I64, IR_I64, IR_V128}},
    {"pick", (void *)helper_pick, HELPER_FAULTS, IR_F64, 4, true, {IR_I64, IR_F32, IR_I32, IR_F64}},
    {"turn", (void *)helper_turn, HELPER_PURE, IR_V128, 2, false, {IR_V128, IR_I64}},
};

/* ---- faults: the n'th TLB miss leaves, and what is home then is the result ---- */

static struct {
    uint8_t *memory;
    unsigned misses_left;
    uintptr_t host_pc;          /* of the fault */
} fill;                         /* of the test at hand */

static void map_page(TestCpu *t, uint8_t *memory, uint64_t va)
{
    TlbEntry *e = &t->cpu.tlb.table[0][va >> PAGE_BITS_MIN & (TLB_SIZE - 1)];

    va &= ~(uint64_t)((1 << PAGE_BITS_MIN) - 1);
    *e = (TlbEntry){
        .read = va, .write = va, .code = ~0ull, .addend = (uintptr_t)memory + (va - DATA_VA) - va};
}

static bool fill_or_fault(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                          bool probe, uintptr_t host_pc)
{
    if (fill.misses_left-- == 0) {
        fill.host_pc = host_pc;
        siglongjmp(cpu->jump, 1);
    }
    map_page((TestCpu *)cpu, fill.memory, va);
    return true;
}

/* ---- random functions, entered without the builder's folding ---- */

typedef struct Gen {
    IrBuilder *b;
    GRand *rand;
    uint32_t pool[IR_TYPES][VALUES];    /* values of the block at hand */
    bool v256;                          /* the engine can */
    const CodeEngine *first;            /* only what its first tier has; or NULL */
    uint32_t base;                      /* an address used before in the block; 0: none */
} Gen;

static uint32_t pick(Gen *g, uint32_t n)
{
    return (uint32_t)g_rand_int_range(g->rand, 0, (int)n);
}

static IrType random_type(Gen *g)
{
    if (g->first) {
        return pick(g, 2) ? IR_I64 : IR_I32;
    }
    return (IrType)(IR_I32 + pick(g, g->v256 ? 6 : 5));
}

static uint64_t random_bits(GRand *rand)
{
    static const uint64_t edges[] = {
        0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
        0x100000000, 0x7fffffffffffffff, 0x8000000000000000, ~0ull, 0x3ff0000000000000,
        0x3f800000, 0x7ff0000000000001, 0x7f800001, 0x4330000000000000, 0xc1e0000000000000,
        0x7fc00001, 0x3f000000
    };
    uint64_t v = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0: return edges[g_rand_int_range(rand, 0, ARRAY_COUNT(edges))];
    case 1: return v & 0xff;
    default: return v;
    }
}

static uint32_t append(Gen *g, IrOp *o, IrType t)
{
    IrFunc *f = ir_func(g->b);
    IrType own = o->opcode == OP_CALL ? (IrType)o->call.helper->ret : ir_own_type(f, o);

    o->type = (uint8_t)(own != IR_VOID ? own : t);
    uint32_t op = builder_append(g->b, o);
    if (t == IR_VOID) {
        return 0;
    }
    uint32_t v = ir_value_new(f, t, op);
    f->ops[op].dst = v;
    g->pool[t][pick(g, VALUES)] = v;
    return v;
}

static uint32_t konst(Gen *g, IrType t, uint64_t k)
{
    return ir_const(g->b, t, k).id;
}

static uint32_t operand(Gen *g, IrType t)
{
    if (t < IR_V128 && pick(g, 4) == 0) {
        return konst(g, t, random_bits(g->rand));
    }
    return g->pool[t][pick(g, VALUES)];
}

static uint32_t get_var(Gen *g, IrType t, uint32_t var)
{
    IrOp o = {.opcode = OP_GET, .var = {var}};

    return append(g, &o, t);
}

/* Front ends know halves alone. */
static uint32_t get_whole(Gen *g, uint32_t n)
{
    IrOp o = {.opcode = OP_V_CONCAT, .num_args = 2};

    o.args[0] = get_var(g, IR_V128, FIRST_LOW + n);
    o.args[1] = get_var(g, IR_V128, FIRST_HIGH + n);
    return append(g, &o, IR_V256);
}

static void set_half(Gen *g, uint32_t n, bool high, uint32_t v)
{
    IrOp half = {.opcode = high ? OP_V_HIGH : OP_V_LOW, .num_args = 1, .args = {v}};
    IrOp set = {.opcode = OP_SET, .num_args = 1, .args = {append(g, &half, IR_V128)}};

    set.var.var = (high ? FIRST_HIGH : FIRST_LOW) + n;
    append(g, &set, IR_VOID);
}

static void fill_pool(Gen *g)
{
    g->base = 0;
    for (unsigned i = 0; g->v256 && i < VALUES; i++) {
        uint32_t v = get_whole(g, i % NUM);
        g->pool[IR_V256][i] = v;
    }
    for (IrType t = IR_I32; t <= (g->first ? IR_I64 : IR_V128); t++) {
        for (unsigned i = 0; i < VALUES; i++) {
            IrOp o = {.opcode = OP_GET, .var = {(t - IR_I32) * NUM + i % NUM}};
            g->pool[t][i] = 0;
            uint32_t v = append(g, &o, t);
            g->pool[t][i] = v;
        }
    }
}

/* Lane kinds that make sense for an op, a bit each. */
static unsigned lanes_of(IrOpcode opcode)
{
    const unsigned b = 1 << LANE_I8, w = 1 << LANE_I16, l = 1 << LANE_I32, q = 1 << LANE_I64;
    const unsigned f = 1 << LANE_F32 | 1 << LANE_F64;

    switch (opcode) {
    case OP_V_ADDS_S:
    case OP_V_ADDS_U:
    case OP_V_SUBS_S:
    case OP_V_SUBS_U:
    case OP_V_AVG_U:
        return b | w;
    case OP_V_MUL: case OP_V_HADD: case OP_V_HSUB: case OP_V_PACK_S: case OP_V_PACK_U:
    case OP_V_SAR_I: case OP_V_SAR_V: return w | l;
    case OP_V_MULH_S: case OP_V_MULH_U: return w;
    case OP_V_MIN_S:
    case OP_V_MIN_U:
    case OP_V_MAX_S:
    case OP_V_MAX_U:
    case OP_V_ABS:
    case OP_V_SIGN:
        return b | w | l;
    case OP_V_SHL_I: case OP_V_SHR_I: case OP_V_SHL_V: case OP_V_SHR_V: return w | l | q;
    case OP_V_SHL_L: case OP_V_SHR_L: return l | q;
    case OP_V_SAR_L: return l;
    case OP_V_MOVMASK: case OP_V_BLENDV: return b | f;
    case OP_V_ZEXT: case OP_V_SEXT: return b | w | l;
    default: return opcode >= OP_V_FADD ? f : b | w | l | q;
    }
}

static unsigned random_lane(Gen *g, IrOpcode opcode)
{
    unsigned lane;

    do {
        lane = pick(g, 6);
    } while (!(lanes_of(opcode) >> lane & 1));
    return lane;
}

static unsigned lane_bytes(unsigned lane)
{
    return lane == LANE_I8                        ? 1
           : lane == LANE_I16                     ? 2
           : lane == LANE_I64 || lane == LANE_F64 ? 8
                                                  : 4;
}

/* Immediates and operands that an op cannot take at random. */
static void restrict_op(Gen *g, IrOp *o, IrType t)
{
    const unsigned width = ir_type_bits(t);

    switch (o->opcode) {
    case OP_SHL: case OP_SHR: case OP_SAR: case OP_ROTL: case OP_ROTR:
        o->args[1] = konst(g, t, pick(g, width));
        if (pick(g, 2)) {
            IrOp mask = {
                .opcode = OP_AND, .num_args = 2, .args = {operand(g, t), konst(g, t, width - 1)}};
            o->args[1] = append(g, &mask, t);
        }
        break;
    case OP_DIVU: case OP_DIVS: case OP_REMU: case OP_REMS:
        o->args[1] = konst(g, t, 1 + pick(g, 100));
        break;
    case OP_EXTRACT: case OP_SEXTRACT: case OP_DEPOSIT:
        o->imm[0] = pick(g, 3) ? pick(g, 5) * 8 % width : pick(g, width);
        o->imm[1] = pick(g, 3) ? 8 : 1 + pick(g, width - (unsigned)o->imm[0]);
        o->imm[1] = MIN(o->imm[1], width - o->imm[0]);
        break;
    case OP_ADD_SHL: o->imm[0] = 1 + pick(g, 3); break;
    case OP_FUNNEL: o->imm[0] = pick(g, width); break;
    case OP_CRC32C: o->imm[0] = 1 << pick(g, 4); break;
    case OP_F_I32: case OP_F_I64: case OP_FCMP: case OP_V_F32_I32: case OP_V_F64_I32:
    case OP_S_FCMP: case OP_S_TO_I32: case OP_S_TO_I64:
        o->imm[0] = pick(g, 2);
        break;
    case OP_FROUND: case OP_V_FROUND: case OP_S_FROUND: o->imm[0] = pick(g, 16); break;
    case OP_V_FCMP: case OP_FCMP_MASK: case OP_S_FMASK: o->imm[0] = pick(g, 8); break;
    case OP_V_SHL_I: case OP_V_SHR_I: case OP_V_SAR_I: o->imm[0] = pick(g, 72); break;
    case OP_V_SHL_BYTES: case OP_V_SHR_BYTES: o->imm[0] = pick(g, 18); break;
    case OP_V_ALIGN: o->imm[0] = pick(g, 34); break;
    case OP_V_EXTRACT: case OP_V_INSERT: o->imm[0] = pick(g, 16 / lane_bytes(o->cc)); break;
    case OP_V_ZEXT:
    case OP_V_SEXT:
        o->imm[0] = 2u << pick(g, (unsigned)__builtin_ctz(8 / lane_bytes(o->cc)));
        break;
    default: o->imm[0] = ir_desc(o)->num_imms ? pick(g, 256) : 0;
    }
}

static IrType class_type(Gen *g, uint8_t kind, IrType t)
{
    switch (kind) {
    case IRK_T: return t;
    case IRK_I: return pick(g, 2) ? IR_I64 : IR_I32;
    case IRK_F: return pick(g, 2) ? IR_F64 : IR_F32;
    case IRK_V: return g->v256 && pick(g, 2) ? IR_V256 : IR_V128;
    case IRK_A: return random_type(g);
    default: return (IrType)kind;
    }
}

static void random_pure(Gen *g, IrOpcode opcode)
{
    const IrOpDesc *d = &ir_op_desc[opcode];
    IrOp o = {.opcode = (uint8_t)opcode, .num_args = d->num_operands};
    IrType t =
        d->result == IRK_T ? random_type(g) : class_type(g, d->result, IR_VOID);

    if (d->flags & IRF_LANE) {
        o.cc = (uint8_t)random_lane(g, opcode);
    }
    if (opcode == OP_V_EXTRACT) {
        t = o.cc == LANE_I64 ? IR_I64 : IR_I32;
    }
    if (d->flags & IRF_COND) {
        o.cc = (uint8_t)(COND_EQ + pick(g, 12));
    }
    IrType shared = pick(g, 2) ? IR_I64 : IR_I32;       /* both sides of a comparison */
    for (unsigned i = 0; i < o.num_args; i++) {
        IrType want = d->operands[i] == IRK_I ? shared : class_type(g, d->operands[i], t);
        if ((opcode == OP_V_INSERT || opcode == OP_V_SPLAT) && d->operands[i] == IRK_I) {
            want = o.cc == LANE_I64 ? IR_I64 : IR_I32;
        }
        if (d->operands[i] == IRK_V && i) {
            want = (IrType)ir_func(g->b)->values[o.args[0]].type;
        }
        if (d->operands[i] == IRK_F && i) {
            want = (IrType)ir_func(g->b)->values[o.args[0]].type;
            want = want == IR_F32 || want == IR_F64 ? want : IR_F32;
        }
        o.args[i] = operand(g, want);
    }
    if (opcode == OP_ENV_PTR) {
        return;                 /* differs from run to run */
    }
    restrict_op(g, &o, t);
    append(g, &o, t);
}

static uint32_t random_address(Gen *g, bool aligned)
{
    IrOp add = {.opcode = OP_ADD, .num_args = 2};

    if (g->base && pick(g, 3)) {
        add.args[0] = g->base;
        add.args[1] = konst(g, IR_I64, aligned ? pick(g, 16) * 16 : pick(g, 256));
        return append(g, &add, IR_I64);
    }
    if (pick(g, 3) == 0) {              /* a table with few entries, at a base or a known address */
        IrOp few = {.opcode = OP_AND, .num_args = 2,
                    .args = {operand(g, IR_I64), konst(g, IR_I64, aligned ? 0x10 : 0x1f)}};
        add.opcode = g->base ? OP_ADD_SHL : OP_ADD;
        add.args[!!g->base] = append(g, &few, IR_I64);
        add.args[!g->base] = g->base ? g->base : konst(g, IR_I64, DATA_VA + pick(g, 0x1f0) * 16);
        add.imm[0] = g->base ? 1 + pick(g, 3) : 0;
        return append(g, &add, IR_I64);
    }
    uint32_t bits = konst(g, IR_I64, pick(g, 3) ? 0x1ff0 : 0x1fff);
    IrOp mask = {.opcode = OP_AND, .num_args = 2, .args = {operand(g, IR_I64), bits}};
    add.args[0] = append(g, &mask, IR_I64);
    add.args[1] = konst(g, IR_I64, DATA_VA);
    uint32_t v = append(g, &add, IR_I64);
    if (ir_func(g->b)->values[bits].k == 0x1ff0) {
        g->base = v;
        return v;
    }
    return aligned ? random_address(g, true) : v;
}

static void random_memory(Gen *g)
{
    IrType t = random_type(g);
    IrOp o = {.opcode = (uint8_t)(pick(g, 2) ? OP_LOAD : OP_STORE)};
    unsigned size = t == IR_V256   ? MEM_256
                    : t == IR_V128 ? MEM_32 + pick(g, 3)
                    : t == IR_I64  ? pick(g, 4)
                    : t == IR_I32  ? pick(g, 3)
                    : t == IR_F32  ? MEM_32
                                   : MEM_64;

    o.num_args = o.opcode == OP_LOAD ? 1 : 2;
    if (o.opcode == OP_STORE) {
        o.args[0] = operand(g, t);
    }
    o.args[o.num_args - 1] = random_address(g, false);
    o.mem.op = (uint16_t)size;
    if ((t == IR_I32 && size < MEM_32) || (t == IR_I64 && size < MEM_64)) {
        o.mem.op |= pick(g, 2) && o.opcode == OP_LOAD ? MEM_SIGN : 0;
    }
    if (t <= IR_I64 && size > MEM_8) {
        o.mem.op |= pick(g, 4) == 0 && !g->first ? MEM_BIG : 0;
    }
    append(g, &o, o.opcode == OP_LOAD ? t : IR_VOID);
}

static void random_atomic(Gen *g)
{
    static const IrOpcode opcodes[] = {OP_XCHG,     OP_FETCH_ADD, OP_FETCH_AND,
                                       OP_FETCH_OR, OP_FETCH_XOR, OP_CMPXCHG};
    IrType t = pick(g, 2) ? IR_I64 : IR_I32;
    unsigned size = pick(g, t == IR_I64 ? 4 : 3);
    IrOp o = {.opcode = (uint8_t)opcodes[pick(g, ARRAY_COUNT(opcodes))], .num_args = 2};

    o.args[0] = operand(g, t);
    if (o.opcode == OP_CMPXCHG) {
        o.args[o.num_args++ - 1] = operand(g, t);
    }
    o.args[o.num_args - 1] = random_address(g, true);
    o.mem.op = (uint16_t)(size | (ir_type_bits(t) > 8u << size && pick(g, 2) ? MEM_SIGN : 0) |
                          (size && pick(g, 4) == 0 ? MEM_BIG : 0));
    append(g, &o, t);
}

static bool takes_integers(const IrHelper *h)
{
    bool all = h->ret <= IR_I64;

    for (unsigned i = h->env; i < h->num_args; i++) {
        all &= h->args[i] <= IR_I64;
    }
    return all;
}

static void random_call(Gen *g)
{
    IrOp o = {.opcode = OP_CALL};
    const IrHelper *h = &helper_table[pick(g, ARRAY_COUNT(helper_table))];

    while (g->first && !takes_integers(h)) {
        h = &helper_table[pick(g, ARRAY_COUNT(helper_table))];
    }

    o.call.helper = h;
    o.num_args = (uint8_t)(h->num_args - h->env);
    for (unsigned i = 0; i < o.num_args; i++) {
        o.args[i] = operand(g, h->args[i + h->env]);
    }
    append(g, &o, h->ret);
}

static void random_env(Gen *g)
{
    IrType t = pick(g, 2) ? IR_I64 : IR_I32;
    unsigned size = pick(g, t == IR_I64 ? 4 : 3);
    IrOp o = {.opcode = (uint8_t)(pick(g, 2) ? OP_ENV_LOAD : OP_ENV_STORE)};

    o.env.offset = offsetof(TestCpu, field) + 8 * pick(g, 2);
    o.env.op =
        (uint16_t)(size |
                   (o.opcode == OP_ENV_LOAD && ir_type_bits(t) > 8u << size && pick(g, 2) ? MEM_SIGN
                                                                                          : 0));
    if (o.opcode == OP_ENV_STORE) {
        o.num_args = 1;
        o.args[0] = operand(g, t);
    }
    append(g, &o, o.opcode == OP_ENV_LOAD ? t : IR_VOID);
}

static void random_set(Gen *g, const IrVar *locals)
{
    IrType t = random_type(g);
    IrOp o = {.opcode = OP_SET, .num_args = 1, .args = {operand(g, t)}};

    o.var.var = locals && pick(g, 3) == 0 ? locals[t] : (t - IR_I32) * NUM + pick(g, NUM);
    if (t == IR_V256 && o.var.var >= FIRST_HIGH && o.var.var < ARRAY_COUNT(vars)) {
        uint32_t n = pick(g, NUM), which = pick(g, 5);

        for (unsigned high = 0; high < 2; high++) {
            if (which > 1 || which == high) {
                set_half(g, n, high, o.args[0]);
            }
        }
        return;
    }
    append(g, &o, IR_VOID);
}

static bool names_v256(IrOpcode opcode)
{
    const IrOpDesc *d = &ir_op_desc[opcode];

    return d->result == IR_V256 || d->operands[0] == IR_V256 || d->operands[1] == IR_V256;
}

static void random_op(Gen *g, const IrVar *locals, bool floats)
{
    switch (pick(g, 16)) {
    case 0: case 1: case 2:
        random_set(g, locals);
        break;
    case 3: case 4:
        random_memory(g);
        break;
    case 5:
        random_call(g);
        break;
    case 6:
        random_env(g);
        break;
    case 7: {
        if (!locals) {
            break;
        }
        IrType t = random_type(g);
        IrOp o = {.opcode = OP_GET, .var = {locals[t]}};
        append(g, &o, t);
        break;
    }
    case 8:
        if (pick(g, 2) && !g->first) {
            random_atomic(g);
            break;
        }
        /* fall through */
    default:
        for (;;) {
            IrOpcode opcode = (IrOpcode)(1 + pick(g, OP_COUNT - 1));
            unsigned flags = ir_op_desc[opcode].flags;
            if (flags & (floats ? IRF_PURE | IRF_FENV : IRF_PURE) &&
                (g->v256 || !names_v256(opcode)) &&
                (!g->first || g->first->first_has(opcode))) {
                random_pure(g, opcode);
                break;
            }
        }
    }
}

enum { MAX_BLOCKS = 6, NUM_TARGETS = 4 };
#define FIRST_TARGET 0x2000ull      /* pc of the first block that is jumped to */

/* To a pc that comes out of the registers: one of the targets, or none of them. */
static void random_jump(Gen *g)
{
    fill_pool(g);
    IrOp low = {
        .opcode = OP_AND, .num_args = 2, .args = {operand(g, IR_I64), konst(g, IR_I64, 7 * 16)}};
    uint32_t v = append(g, &low, IR_I64);
    IrOp sum = {.opcode = OP_ADD, .num_args = 2, .args = {v, konst(g, IR_I64, FIRST_TARGET)}};
    IrOp exit = {.opcode = OP_EXIT_LOOKUP, .num_args = 1, .args = {append(g, &sum, IR_I64)}};

    append(g, &exit, IR_VOID);
}

/* Takes one of the turns; what are left. */
static uint32_t take_turn(Gen *g)
{
    IrOp load = {.opcode = OP_ENV_LOAD, .env = {offsetof(TestCpu, turns), MEM_64}};
    IrOp less = {
        .opcode = OP_SUB, .num_args = 2, .args = {append(g, &load, IR_I64), konst(g, IR_I64, 1)}};
    uint32_t left = append(g, &less, IR_I64);
    IrOp store = {.opcode = OP_ENV_STORE,
                  .num_args = 1,
                  .args = {left},
                  .env = {offsetof(TestCpu, turns), MEM_64}};

    append(g, &store, IR_VOID);
    return left;
}

/* Blocks without locals that branch forwards or jump to targets at random while there are turns. */
static void random_jumps(Gen *g, unsigned ops)
{
    IrBlock *blocks[MAX_BLOCKS];

    ir_begin(g->b);
    for (unsigned i = 0; i < MAX_BLOCKS; i++) {
        blocks[i] = ir_block(g->b);
    }
    for (unsigned i = 0; i < NUM_TARGETS; i++) {
        g_assert_true(ir_target(g->b, FIRST_TARGET + 16 * i, blocks[i + 1]));
    }
    for (unsigned i = 0; i < MAX_BLOCKS; i++) {
        ir_place(g->b, blocks[i]);
        fill_pool(g);
        for (unsigned n = 0; n < ops; n++) {
            ir_insn(g->b, 0x1000 + i + 16 * n, 1);
            random_op(g, NULL, true);
        }
        if (i == MAX_BLOCKS - 1) {
            ir_exit(g->b, IR_EXIT_LOOP);
            break;
        }
        IrBlock *jump = ir_block(g->b);
        IrOp o = {.opcode = OP_BRCOND,
                  .cc = COND_GT,
                  .num_args = 2,
                  .args = {take_turn(g), konst(g, IR_I64, 0)}};
        g->b->cur->succ[0] = pick(g, 3) ? jump : blocks[i + 1];
        g->b->cur->succ[1] = blocks[i + 1];
        append(g, &o, IR_VOID);
        ir_place(g->b, jump);
        random_jump(g);
    }
    ir_finish(ir_func(g->b));
}

/* Blocks that branch forwards at random; one may go back while a counter lasts. */
static void random_function(Gen *g, unsigned num_blocks, unsigned ops, bool floats)
{
    IrBlock *blocks[MAX_BLOCKS];
    IrVar locals[IR_TYPES];

    ir_begin(g->b);
    for (IrType t = IR_I32; t <= (g->first ? IR_I64 : g->v256 ? IR_V256 : IR_V128); t++) {
        locals[t] = ir_local(g->b, t);
        IrVal zero = ir_const(g->b, t, 0);
        IrOp o = {.opcode = OP_SET, .num_args = 1, .args = {zero.id}, .var = {locals[t]}};
        append(g, &o, IR_VOID);
    }
    IrVar counter = ir_local(g->b, IR_I32);
    IrOp start = {.opcode = OP_SET, .num_args = 1, .args = {konst(g, IR_I32, 3)}, .var = {counter}};
    append(g, &start, IR_VOID);
    for (unsigned i = 0; i < num_blocks; i++) {
        blocks[i] = pick(g, 4) ? ir_block(g->b) : ir_cold_block(g->b);
    }
    for (unsigned i = 0; i < num_blocks; i++) {
        ir_place(g->b, blocks[i]);
        fill_pool(g);
        ir_insn(g->b, 0x1000 + i, 1);
        for (unsigned n = 0; n < ops; n++) {
            if (n % 4 == 3) {
                ir_insn(g->b, 0x1000 + i + 16 * n, 1);
            }
            random_op(g, locals, floats);
        }
        if (i == num_blocks - 1) {
            ir_exit(g->b, IR_EXIT_LOOP);
            break;
        }
        IrOp o = {.opcode = OP_BRCOND, .cc = (uint8_t)(COND_EQ + pick(g, 12)), .num_args = 2,
                  .args = {operand(g, IR_I32), operand(g, IR_I32)}};
        IrBlock *yes = blocks[i + 1 + pick(g, num_blocks - 1 - i)], *no = blocks[i + 1];
        if (i && pick(g, 3) == 0 && !g->first) {
            IrOp get = {.opcode = OP_GET, .var = {counter}};
            uint32_t v = append(g, &get, IR_I32);
            IrOp less = {.opcode = OP_SUB, .num_args = 2, .args = {v, konst(g, IR_I32, 1)}};
            uint32_t left = append(g, &less, IR_I32);
            IrOp set = {.opcode = OP_SET, .num_args = 1, .args = {left}, .var = {counter}};
            append(g, &set, IR_VOID);
            o.cc = COND_GT;
            o.args[0] = left;
            o.args[1] = konst(g, IR_I32, 0);
            yes = blocks[pick(g, i)];
        } else if (pick(g, 4) == 0) {
            o.opcode = OP_BR;
            o.cc = 0;
            o.num_args = 0;
            no = NULL;
        }
        g->b->cur->succ[0] = yes;
        g->b->cur->succ[1] = no;
        append(g, &o, IR_VOID);
    }
    ir_finish(ir_func(g->b));
}

/* ---- the same function through the builder ---- */

static IrVal map_value(IrBuilder *to, const IrFunc *f, const uint32_t *map, uint32_t v)
{
    return f->values[v].is_const ? ir_const(to, (IrType)f->values[v].type, f->values[v].k)
                                 : (IrVal){map[v]};
}

static IrVal copy_op(IrBuilder *to, const IrFunc *f, const IrOp *o, const IrVal *a)
{
    const IrOpDesc *d = ir_desc(o);
    uint32_t word = o->opcode | (uint32_t)o->cc << 8;

    switch (o->opcode) {
    case OP_GET: return ir_get(to, o->var.var);
    case OP_SET: ir_set(to, o->var.var, a[0]); return (IrVal){0};
    case OP_INSN: ir_insn(to, o->insn.pc, o->insn.meta); return (IrVal){0};
    case OP_ENV_LOAD:
        return ir_env_load(to, ir_dst_type(f, o), (uint32_t)o->env.offset, (MemOp)o->env.op);
    case OP_ENV_STORE:
        ir_env_store(to, a[0], (uint32_t)o->env.offset, (MemOp)o->env.op);
        return (IrVal){0};
    case OP_LOAD: return ir_load(to, ir_dst_type(f, o), a[0], (MemOp)o->mem.op, o->mem.mmu);
    case OP_STORE: ir_store(to, a[0], a[1], (MemOp)o->mem.op, o->mem.mmu); return (IrVal){0};
    case OP_CMPXCHG: return ir_cmpxchg(to, a[0], a[1], a[2], (MemOp)o->mem.op, o->mem.mmu);
    case OP_XCHG: case OP_FETCH_ADD: case OP_FETCH_AND: case OP_FETCH_OR: case OP_FETCH_XOR:
        return ir_atomic(to, (IrAtomic)(o->opcode - OP_XCHG), a[0], a[1], (MemOp)o->mem.op,
                         o->mem.mmu);
    case OP_CALL: return ir_call(to, o->call.helper, a, o->num_args);
    case OP_EXIT: ir_exit(to, (unsigned)o->imm[0]); return (IrVal){0};
    default: break;
    }
    if (d->flags & IRF_TYPED) {
        word |= (uint32_t)ir_dst_type(f, o) << 16;
    }
    switch (o->num_args) {
    case 0: return ir_op0(to, word, o->imm[0], o->imm[1]);
    case 1: return ir_op1(to, word, a[0], o->imm[0], o->imm[1]);
    case 2: return ir_op2(to, word, a[0], a[1], o->imm[0], o->imm[1]);
    case 3: return ir_op3(to, word, a[0], a[1], a[2]);
    default: return ir_op4(to, word, a[0], a[1], a[2], a[3], o->imm[0], o->imm[1]);
    }
}

static void copy_function(IrBuilder *to, const IrFunc *f)
{
    g_autofree uint32_t *map = g_new0(uint32_t, f->num_values);
    IrBlock *blocks[2 * MAX_BLOCKS + 2] = {0};

    ir_begin(to);
    for (uint32_t i = 0; i < f->num_locals; i++) {
        ir_local(to, (IrType)f->locals[i]);
    }
    for (uint32_t i = 1; i < f->num_blocks; i++) {
        blocks[i] = f->blocks[i]->cold ? ir_cold_block(to) : ir_block(to);
    }
    for (uint32_t i = 0; i < f->num_targets; i++) {
        ir_target(to, f->targets[i].pc, blocks[f->targets[i].block->id]);
    }
    for (const IrBlock *b = f->entry; b; b = b->next) {
        if (b != f->entry) {
            ir_place(to, blocks[b->id]);
        }
        for (uint32_t op = b->first; op; op = f->ops[op].next) {
            const IrOp *o = &f->ops[op];
            IrVal a[6];
            for (unsigned i = 0; i < o->num_args; i++) {
                a[i] = map_value(to, f, map, o->args[i]);
            }
            if (o->opcode == OP_BR) {
                ir_br(to, blocks[b->succ[0]->id]);
            } else if (o->opcode == OP_BRCOND) {
                ir_brcond(to, (IrCond)o->cc, a[0], a[1], blocks[b->succ[0]->id],
                          blocks[b->succ[1]->id]);
            } else {
                map[o->dst] = copy_op(to, f, o, a).id;
            }
        }
    }
}

/* ---- running ---- */

typedef struct Bench {
    TestCpu *cpu;
    uint8_t *memory;
    CodeBuffer buffer;
    CodeMark buffer_start;
} Bench;

static void bench_init(Bench *w, const CodeEngine *engine)
{
    g_autoptr(GError) error = NULL;

    w->cpu = g_aligned_alloc0(1, sizeof(TestCpu), 64);
    w->memory = g_aligned_alloc0(PAGES, 1 << PAGE_BITS_MIN, 1 << PAGE_BITS_MIN);
    w->cpu->cpu.arch = &arch;
    memset(&w->cpu->cpu.tlb.victim, 0xff, sizeof(w->cpu->cpu.tlb.victim));
    if (!code_buffer_init(&w->buffer, 4 * MIB, &error) ||
        !engine->init(&w->buffer, &arch, &error)) {
        g_error("%s", error->message);
    }
    w->buffer_start = code_buffer_mark(&w->buffer);
}

static void bench_fini(Bench *w)
{
    code_buffer_fini(&w->buffer);
    g_aligned_free(w->memory);
    g_aligned_free(w->cpu);
}

/* The guest instruction of a fault, as the execution loop looks it up. */
static uint64_t fault_pc(Bench *w, const CodeEngine *engine, const CodeBlock *cb)
{
    const GeneratedCode *code = &cb->code;
    uint32_t insn = UINT32_MAX;
    CodeBlock *at;

    if (engine->locate) {
        g_assert_true(engine->locate(&w->cpu->cpu, fill.host_pc, &at, &insn));
    } else {
        g_assert_true(
            code_find_insn(cb, (uint32_t)(fill.host_pc - (uintptr_t)code->entry), &insn));
    }
    g_assert_cmpuint(insn, <, code->num_insns);
    return code_insn(cb, insn).pc;
}

/* How the engine makes code. */
typedef enum Way { PLAIN, OPTIMIZED, FIRST_TIER } Way;

/* misses: TLB misses until one is a fault; UINT_MAX: all pages are there from the start. */
static void run(Bench *w, const CodeEngine *engine, IrFunc *f, Way way, unsigned misses,
                const State *in, State *out)
{
    CodeBlock cb = {.key = {.pc = 0x1000, .flags = KEY_UNCHAINED}, .valid = true}, *last = NULL;

    memcpy((uint8_t *)w->cpu + offsetof(TestCpu, i32), in->regs, sizeof(in->regs));
    memcpy(w->memory, in->memory, sizeof(in->memory));
    w->cpu->turns = in->turns;
    code_buffer_release(&w->buffer, w->buffer_start);
    if (way == FIRST_TIER) {
        g_assert_cmpint(engine->generate_first(&w->buffer, f, &cb, NULL), ==, FIRST_DONE);
    } else {
        g_assert_true(engine->generate(&w->buffer, f, &cb, way == OPTIMIZED));
    }
    memset(&w->cpu->cpu.tlb.table, 0xff, sizeof(w->cpu->cpu.tlb.table));
    for (unsigned i = 0; misses == UINT_MAX && i < PAGES; i++) {
        map_page(w->cpu, w->memory, DATA_VA + ((uint64_t)i << PAGE_BITS_MIN));
    }
    fill.memory = w->memory;
    fill.misses_left = misses;
    out->fault_pc = 0;
    if (sigsetjmp(w->cpu->cpu.jump, 0) == 0) {
        unsigned reason = engine->run(&w->cpu->cpu, &cb, &last);
        g_assert_true(reason == IR_EXIT_LOOP || (reason == IR_EXIT_LOOKUP && in->turns));
        g_assert_true(last == &cb);
    } else {
        out->fault_pc = fault_pc(w, engine, &cb);
    }
    memcpy(out->regs, (uint8_t *)w->cpu + offsetof(TestCpu, i32), sizeof(out->regs));
    memcpy(out->memory, w->memory, sizeof(out->memory));
}

static void random_state(GRand *rand, State *s)
{
    for (size_t i = 0; i + 8 <= sizeof(s->regs); i += 8) {
        uint64_t v = random_bits(rand);
        memcpy(s->regs + i, &v, 8);
    }
    for (size_t i = 0; i < sizeof(s->memory); i += 8) {
        uint64_t v = random_bits(rand);
        memcpy(s->memory + i, &v, 8);
    }
}

static void report(const IrFunc *before, const IrFunc *after, const State *one, const State *two)
{
    g_autoptr(GString) text = g_string_new(NULL);

    ir_print(before, text);
    g_string_append(text, "---- became\n");
    ir_print(after, text);
    g_string_append_printf(text, "fault at %#" G_GINT64_MODIFIER "x/%#" G_GINT64_MODIFIER "x\n",
                           one->fault_pc, two->fault_pc);
    for (unsigned i = 0; i < ARRAY_COUNT(vars); i++) {
        size_t at = vars[i].offset - offsetof(TestCpu, i32);
        unsigned bytes = ir_type_bits(vars[i].type) / 8;
        if (memcmp(one->regs + at, two->regs + at, bytes)) {
            g_string_append_printf(text, "%s:", vars[i].name);
            for (unsigned n = 0; n < bytes; n++) {
                g_string_append_printf(text, " %02x/%02x", one->regs[at + n], two->regs[at + n]);
            }
            g_string_append_c(text, '\n');
        }
    }
    for (unsigned i = 0; i < sizeof(one->memory); i++) {
        if (one->memory[i] != two->memory[i]) {
            g_string_append_printf(text, "memory %#x: %02x/%02x\n", i, one->memory[i],
                                   two->memory[i]);
        }
    }
    g_error("results differ\n%s", text->str);
}

/* num_blocks 0: functions with targets. first: only the first tier, with what it has. */
static void compare_by(const CodeEngine *engine, unsigned rounds, unsigned num_blocks,
                       unsigned ops, bool floats, bool faults, bool first)
{
    Bench plain, other;
    Gen g = {.b = ir_builder_new(vars, ARRAY_COUNT(vars)),
             .rand = g_rand_new_with_seed((uint32_t)g_test_rand_int())};
    IrBuilder *b2 = ir_builder_new(vars, ARRAY_COUNT(vars));

    g.first = first ? engine : NULL;
    g_autofree State *in = g_new0(State, 1), *one = g_new0(State, 1), *two = g_new0(State, 1);
    const bool was = ir_verify_passes;

    ir_verify_passes = true;
    bench_init(&plain, &engine_interp);
    bench_init(&other, engine);
    g.v256 = !first && (engine == &engine_interp || (engine->has_v256 && engine->has_v256()));
    for (unsigned i = 0; i < rounds; i++) {
        if (num_blocks) {
            random_function(&g, num_blocks, ops, floats);
        } else {
            random_jumps(&g, ops);
        }
        random_state(g.rand, in);
        in->turns = one->turns = two->turns = num_blocks ? 0 : 20;
        unsigned misses = faults ? pick(&g, PAGES + 1) : UINT_MAX;
        run(&plain, &engine_interp, ir_func(g.b), PLAIN, misses, in, one);
        for (Way way = first ? FIRST_TIER : PLAIN; way <= (first ? FIRST_TIER : OPTIMIZED); way++) {
            copy_function(b2, ir_func(g.b));
            run(&other, engine, ir_func(b2), way, misses, in, two);
            if (memcmp(one, two, sizeof(State))) {
                report(ir_func(g.b), ir_func(b2), one, two);
            }
        }
    }
    ir_verify_passes = was;
    bench_fini(&plain);
    bench_fini(&other);
    ir_builder_free(g.b);
    ir_builder_free(b2);
    g_rand_free(g.rand);
}

static void compare(const CodeEngine *engine, unsigned rounds, unsigned num_blocks, unsigned ops,
                    bool floats, bool faults)
{
    compare_by(engine, rounds, num_blocks, ops, floats, faults, false);
}

static void test_builder_short(void)
{
    compare(&engine_interp, 4000, 1, 12, true, false);
}

static void test_builder_long(void)
{
    compare(&engine_interp, 300, MAX_BLOCKS, 60, true, false);
}

/* ---- the host's back end ---- */

static void compare_native(unsigned rounds, unsigned num_blocks, unsigned ops, bool floats,
                           bool faults)
{
    if (!engine_native()) {
        g_test_skip("this host has no back end in tcg/<host>");
        return;
    }
    compare(engine_native(), rounds, num_blocks, ops, floats, faults);
}

static void test_native_short(void)
{
    compare_native(4000, 1, 12, false, false);
}

static void test_native_blocks(void)
{
    compare_native(300, MAX_BLOCKS, 60, false, false);
}

static void test_native_float_short(void)
{
    compare_native(4000, 1, 12, true, false);
}

static void test_native_float_blocks(void)
{
    compare_native(300, MAX_BLOCKS, 60, true, false);
}

static void test_native_faults(void)
{
    compare_native(1000, 1, 30, true, true);
    compare_native(300, MAX_BLOCKS, 60, true, true);
}

static void test_builder_faults(void)
{
    compare(&engine_interp, 1000, 1, 30, true, true);
    compare(&engine_interp, 300, MAX_BLOCKS, 60, true, true);
}

static void test_native_targets(void)
{
    compare_native(1000, 0, 4, true, false);
    compare_native(500, 0, 20, true, false);
    compare_native(1000, 0, 6, true, true);
}

static void test_first_tier(void)
{
    if (!engine_native() || !engine_native()->generate_first) {
        g_test_skip("this host has no back end with a first tier in tcg/<host>");
        return;
    }
    for (unsigned level = 0; engine_native_limit(level); level++) {
        compare_by(engine_native(), 2000, 1, 12, false, false, true);
        compare_by(engine_native(), 1000, 1, 60, false, true, true);
        compare_by(engine_native(), 300, MAX_BLOCKS, 40, false, true, true);
    }
}

static void test_native_levels(void)
{
    for (unsigned level = 0; engine_native() && engine_native_limit(level); level++) {
        compare_native(700, 1, 30, true, true);
        compare_native(100, MAX_BLOCKS, 60, true, false);
        compare_native(100, 0, 6, true, false);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir-engines/native/short", test_native_short);
    g_test_add_func("/ir-engines/native/blocks", test_native_blocks);
    g_test_add_func("/ir-engines/native/float-short", test_native_float_short);
    g_test_add_func("/ir-engines/native/float-blocks", test_native_float_blocks);
    g_test_add_func("/ir-engines/native/faults", test_native_faults);
    g_test_add_func("/ir-engines/native/targets", test_native_targets);
    g_test_add_func("/ir-engines/native/older-hosts", test_native_levels);
    g_test_add_func("/ir-engines/native/first-tier", test_first_tier);
    g_test_add_func("/ir-engines/builder/faults", test_builder_faults);
    g_test_add_func("/ir-engines/builder/short", test_builder_short);
    g_test_add_func("/ir-engines/builder/blocks", test_builder_long);
    return g_test_run();
}
