// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory on AArch64: the soft TLB is looked up in line; everything that misses goes to a cold
 * stub behind the function, which writes dirty variables home (the access may fault), keeps the
 * registers in use and calls the slow path. A guest whose accesses are ordered (CpuArch) has its
 * loads followed and its stores preceded by the barrier that this takes here (Arm ARM B2.3).
 */
#include "tcg/aarch64/gen.h"

G_STATIC_ASSERT(sizeof(TlbEntry) == 32 && PAGE_BITS_MIN == 12);

typedef struct Access {
    MemOp op;
    unsigned mmu, size_log2, bytes;
    IrType type;
    int va;
    uint32_t first_var, num_vars;
} Access;

static Access access_of(const IrOp *o, IrType t)
{
    Access x = {.op = (MemOp)o->mem.op, .mmu = o->mem.mmu, .type = t};

    x.size_log2 = x.op & MEM_SIZE;
    x.bytes = 1u << x.size_log2;
    return x;
}

/* ---------------------------------------------------------------- the hot path */

/*
 * Index, compare, branch to the stub; x16 = the addend. aligned: nothing else hits. An access that
 * crosses pages compares the second one with the first one's entry.
 */
static uint8_t *access_check(Gen *g, const Access *x, bool write, bool aligned)
{
    const int64_t table = (int64_t)(offsetof(Cpu, tlb) + offsetof(CpuTlb, table) +
                                    x->mmu * sizeof(TlbEntry) * TLB_SIZE) -
                          g->bias;
    const int64_t low = table & 4095, high = table - low;
    const uint64_t mask = ~(uint64_t)4095;
    uint8_t *miss;

    a_bfm(&g->a, A_UBFM | W64, SCRATCH, x->va, PAGE_BITS_MIN, PAGE_BITS_MIN + TLB_BITS - 1);
    if (!a_add_i(&g->a, W64, SCRATCH2, ENV, high)) {
        a_mov_i(&g->a, SCRATCH2, (uint64_t)high);
        a_rrr(&g->a, A_ADD | W64, SCRATCH2, ENV, SCRATCH2);
    }
    a_rrr_lsl(&g->a, A_ADD | W64, SCRATCH2, SCRATCH2, SCRATCH, 5);
    a_mem(&g->a, A_LDR | a_size(3), SCRATCH, SCRATCH2,
          low + (int64_t)(write ? offsetof(TlbEntry, write) : offsetof(TlbEntry, read)));
    if (aligned || x->bytes == 1) {
        a_logical_i(&g->a, A_AND_I | W64, LR, x->va, mask | (x->bytes - 1));
    } else {
        a_add_i(&g->a, W64, LR, x->va, x->bytes - 1);
        a_logical_i(&g->a, A_AND_I | W64, LR, LR, mask);
    }
    a_rrr(&g->a, A_SUBS | W64, ZR, SCRATCH, LR);
    miss = a_bcond(&g->a, CC_NE);
    a_mem(&g->a, A_LDR | a_size(3), SCRATCH, SCRATCH2, low + (int64_t)offsetof(TlbEntry, addend));
    return miss;
}

/* Registers that the cold path saves. */
static RegSet live_registers(const Gen *g, int dst)
{
    return g->ra.busy & g->ra.host->caller_saved & ~(dst >= 0 ? REG_BIT(dst) : 0);
}

static void add_stub(Gen *g, const IrOp *o, const Access *x, Stub s)
{
    s.back = g->a.p;
    s.op = o;
    s.insn = g->insn;
    s.first_var = x->first_var;
    s.num_vars = x->num_vars;
    g_array_append_val(g->stubs, s);
}

static void swap_bytes(Gen *g, unsigned size_log2, int dst, int src)
{
    static const uint32_t forms[] = {0, A_REV16, A_REV32, A_REV64 | W64};

    a_rr(&g->a, forms[size_log2], dst, src);
}

static void load_int(Gen *g, const Access *x, int dst)
{
    const bool sign = x->op & MEM_SIGN && x->size_log2 < (x->type == IR_I32 ? 2 : 3);

    if (!(x->op & MEM_BIG) || x->size_log2 == 0) {
        a_mem_x(&g->a,
                (sign ? (x->type == IR_I32 ? A_LDRS32 : A_LDRS64) : A_LDR) | a_size(x->size_log2),
                dst, SCRATCH, x->va);
        return;
    }
    a_mem_x(&g->a, A_LDR | a_size(x->size_log2), dst, SCRATCH, x->va);
    swap_bytes(g, x->size_log2, dst, dst);
    if (sign || x->size_log2 == 1) {
        gen_extend(g, x->type, x->size_log2, sign, dst, dst);
    }
}

static uint32_t vec_form(const Access *x, bool store)
{
    if (x->size_log2 == MEM_128) {
        return store ? A_VSTRQ : A_VLDRQ;
    }
    return (store ? A_VSTR : A_VLDR) | a_size(x->size_log2);
}

void emit_load(Gen *g, const IrOp *o)
{
    Access x = access_of(o, ir_dst_type(g->f, o));
    Stub s = {.args = {-1, -1, -1, -1}};
    int dst;

    ra_settle(&g->ra);
    x.va = gen_use(g, o, 0);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    dst = gen_def(g, o);
    s.args[0] = (int8_t)x.va;
    s.dst = (int8_t)dst;
    s.live = live_registers(g, dst);
    if (ra_class(x.type) && x.op & MEM_BIG) {
        s.jump[0] = a_bcond(&g->a, CC_ALWAYS);
        add_stub(g, o, &x, s);
        return;
    }
    s.jump[0] = access_check(g, &x, false, x.op & MEM_ALIGN);
    if (ra_class(x.type) == 0) {
        load_int(g, &x, dst);
    } else {
        a_mem_x(&g->a, vec_form(&x, false), vec(dst), SCRATCH, x.va);
    }
    if (g->ordered) {
        a_ins(&g->a, A_DMB_LD);
    }
    add_stub(g, o, &x, s);
}

void emit_store(Gen *g, const IrOp *o)
{
    uint32_t value = o->args[0];
    Access x = access_of(o, (IrType)g->ra.vals[value].type);
    Stub s = {.args = {-1, -1, -1, -1}, .dst = -1};
    bool zero = ra_class(x.type) == 0 && ra_is_const(&g->ra, value) && !g->ra.vals[value].bits;
    int reg;

    ra_settle(&g->ra);
    x.va = gen_use(g, o, 1);
    reg = zero ? ZR : gen_use(g, o, 0);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    ra_release(&g->ra);
    s.args[0] = (int8_t)x.va;
    s.args[1] = (int8_t)reg;
    s.live = live_registers(g, -1);
    if (ra_class(x.type) && x.op & MEM_BIG) {
        s.jump[0] = a_bcond(&g->a, CC_ALWAYS);
        add_stub(g, o, &x, s);
        return;
    }
    s.jump[0] = access_check(g, &x, true, x.op & MEM_ALIGN);
    if (g->ordered) {
        a_ins(&g->a, A_DMB_ST);
    }
    if (ra_class(x.type)) {
        a_mem_x(&g->a, vec_form(&x, true), vec(reg), SCRATCH, x.va);
    } else if (x.op & MEM_BIG && x.size_log2) {
        swap_bytes(g, x.size_log2, SCRATCH2, reg);
        a_mem_x(&g->a, A_STR | a_size(x.size_log2), SCRATCH2, SCRATCH, x.va);
    } else {
        a_mem_x(&g->a, A_STR | a_size(x.size_log2), reg, SCRATCH, x.va);
    }
    add_stub(g, o, &x, s);
}

/* ---------------------------------------------------------------- atomics */

/* What SCRATCH2 has, as the result: that is the old value. */
static void take_old(Gen *g, const Access *x, int dst, int src)
{
    gen_extend(g,
               x->size_log2 == 3                          ? IR_I64
               : x->size_log2 == 2 && !(x->op & MEM_SIGN) ? IR_I32
                                                          : x->type,
               x->size_log2, x->op & MEM_SIGN && x->size_log2 < 3, dst, src);
}

/* The value to be written, into `to`, from the old one in SCRATCH2. */
static void new_value(Gen *g, const IrOp *o, uint32_t w, int to, int value)
{
    const uint32_t form = row_of(o)->form;

    if (form) {
        a_rrr(&g->a, form | w, to, SCRATCH2, value);
    } else {
        a_mov(&g->a, W64, to, value);
    }
}

/*
 * form: A_ADD and the like; 0: the value as it is; aux: kind for the slow path. A loop of exclusive
 * accesses and a barrier: an atomic operation orders everything. Big-endian: slow path only.
 */
void emit_atomic(Gen *g, const IrOp *o)
{
    const bool swap = o->opcode == OP_CMPXCHG;
    Access x = access_of(o, ir_dst_type(g->f, o));
    Stub s = {.args = {-1, -1, -1, -1}};
    uint8_t *again, *differs = NULL;
    int addr, status, value, dst;

    ra_settle(&g->ra);
    x.va = gen_use(g, o, swap ? 2 : 1);
    value = gen_use(g, o, swap ? 1 : 0);
    s.args[0] = (int8_t)x.va;
    s.args[1] = (int8_t)value;
    s.args[2] = swap ? (int8_t)gen_use(g, o, 0) : -1;
    addr = ra_tmp(&g->ra, 0, 0);
    status = ra_tmp(&g->ra, 0, 0);
    dst = ra_tmp(&g->ra, 0, 0);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    ra_release(&g->ra);
    ra_def_fixed(&g->ra, o->dst, dst);
    s.dst = (int8_t)dst;
    s.live = live_registers(g, dst);
    if (x.op & MEM_BIG && x.size_log2) {
        s.jump[0] = a_bcond(&g->a, CC_ALWAYS);
        add_stub(g, o, &x, s);
        return;
    }
    s.jump[0] = access_check(g, &x, true, true);
    a_rrr(&g->a, A_ADD | W64, addr, SCRATCH, x.va);
    if (swap) {
        gen_extend(g, IR_I64, x.size_log2, false, LR, s.args[2]);
    }
    again = g->a.p;
    a_rr(&g->a, A_LDAXR | a_size(x.size_log2), SCRATCH2, addr);
    if (swap) {
        a_rrr(&g->a, A_SUBS | W64, ZR, SCRATCH2, LR);
        differs = a_bcond(&g->a, CC_NE);
        a_rrr(&g->a, A_STLXR | a_size(x.size_log2), value, addr, status);
    } else {
        new_value(g, o, x.size_log2 == 3 ? W64 : 0, SCRATCH, value);
        a_rrr(&g->a, A_STLXR | a_size(x.size_log2), SCRATCH, addr, status);
    }
    a_patch(a_cbz(&g->a, A_CBNZ, status), again);
    if (differs) {
        a_patch(differs, g->a.p);
    }
    a_ins(&g->a, A_DMB_ISH);
    take_old(g, &x, dst, SCRATCH2);
    add_stub(g, o, &x, s);
}

void emit_fence(Gen *g, const IrOp *o)
{
    const uint64_t what = o->imm[0];

    if (what & IR_FENCE_ST_LD) {
        a_ins(&g->a, A_DMB_ISH);
    } else if (g->ordered) {
        return; /* the accesses themselves are */
    } else if (!(what & IR_FENCE_ST_ST)) {
        a_ins(&g->a, A_DMB_LD);
    } else if (what == IR_FENCE_ST_ST) {
        a_ins(&g->a, A_DMB_ST);
    } else {
        a_ins(&g->a, A_DMB_ISH);
    }
}

/* ---------------------------------------------------------------- the cold path */

void gen_keep_registers(Gen *g, RegSet live, bool restore)
{
    for (; live; live &= live - 1) {
        int reg = __builtin_ctzll(live);
        if (reg >= VEC) {
            a_mem(&g->a, restore ? A_VLDRQ : A_VSTRQ, vec(reg), SP, 256 + vec(reg) * 16);
        } else {
            a_mem(&g->a, (restore ? A_LDR : A_STR) | a_size(3), reg, SP, reg * 8);
        }
    }
}

void gen_write_home(Gen *g, const StubVar *v)
{
    IrType t = ir_var_type(g->f, v->var);
    RaPlace home = ra_home(&g->ra, v->var);
    int scratch = ra_class(t) == 0 ? LR : VEC + V_TMP2;

    if (v->reg >= 0) {
        g->ra.host->store(g, t, v->reg, home);
    } else if (v->is_const) {
        g->ra.host->store_const(g, t, v->bits, home);
    } else {
        g->ra.host->load(g, t, scratch, v->place);
        g->ra.host->store(g, t, scratch, home);
    }
}

/* The slow path's last argument is where it comes back to, whose side point that place is. */
static void call_slow(Gen *g, int oi_reg, uint32_t oi, const void *fn)
{
    uint8_t *here;

    a_mov_i(&g->a, oi_reg, oi);
    gen_cpu_arg(g);
    here = a_adr(&g->a, oi_reg + 1);
    a_call(&g->a, fn);
    a_patch(here, g->a.p);
    gen_side_point(g);
}

/* Integers from x1 on, by way of scratch registers: no order can be wrong. */
static void integer_args(Gen *g, const Stub *s, unsigned n)
{
    static const int by[] = {SCRATCH, SCRATCH2, LR};

    for (unsigned i = 0; i < n; i++) {
        a_mov(&g->a, W64, by[i], s->args[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        a_mov(&g->a, W64, 1 + (int)i, by[i]);
    }
}

static void stub_store(Gen *g, const Stub *s, const Access *x, uint32_t oi)
{
    if (ra_class(x->type) == 0) {
        integer_args(g, s, 2);
        call_slow(g, 3, oi, (const void *)tcg_store_slow);
        return;
    }
    integer_args(g, s, 1);
    if (x->size_log2 == MEM_128) {
        n_mov(&g->a, 0, vec(s->args[1]));
        call_slow(g, 2, oi, (const void *)tcg_store128_slow);
    } else {
        a_rr(&g->a, x->size_log2 == MEM_64 ? A_FMOV_XD : A_FMOV_RV, 2, vec(s->args[1]));
        call_slow(g, 3, oi, (const void *)tcg_store_slow);
    }
}

static void stub_load(Gen *g, const Stub *s, const Access *x, uint32_t oi)
{
    integer_args(g, s, 1);
    if (x->size_log2 == MEM_128) {
        call_slow(g, 2, oi, (const void *)tcg_load128_slow);
        n_mov(&g->a, vec(s->dst), 0);
        return;
    }
    call_slow(g, 2, oi, (const void *)tcg_load_slow);
    if (ra_class(x->type) == 0) {
        take_old(g, x, s->dst, 0);
    } else {
        a_rr(&g->a, x->size_log2 == MEM_64 ? A_FMOV_DX : A_FMOV_VR, vec(s->dst), 0);
    }
}

static void stub_atomic(Gen *g, const Stub *s, const Access *x)
{
    const uint32_t oi = MEM_KIND_OI(row_of(s->op)->aux, x->op, x->mmu);

    integer_args(g, s, s->args[2] >= 0 ? 3 : 2);
    call_slow(g, 4, oi, (const void *)tcg_atomic);
    take_old(g, x, s->dst, 0);
}

static void memory_stub(Gen *g, const Stub *s)
{
    const IrOp *o = s->op;
    const bool store = o->opcode == OP_STORE;
    Access x = access_of(o, store ? (IrType)g->f->values[o->args[0]].type : ir_dst_type(g->f, o));
    uint32_t oi = MEM_OI(x.op, x.mmu);

    for (uint32_t i = 0; i < s->num_vars; i++) {
        gen_write_home(g, &g_array_index(g->stub_vars, StubVar, s->first_var + i));
    }
    gen_keep_registers(g, s->live, false);
    if (store) {
        stub_store(g, s, &x, oi);
    } else if (o->opcode == OP_LOAD) {
        stub_load(g, s, &x, oi);
    } else {
        stub_atomic(g, s, &x);
    }
    gen_keep_registers(g, s->live, true);
}

void gen_stubs(Gen *g)
{
    for (guint i = 0; i < g->stubs->len && gen_has_room(g); i++) {
        const Stub s = g_array_index(g->stubs, Stub, i);
        for (unsigned n = 0; n < 2; n++) {
            if (s.jump[n]) {
                a_patch(s.jump[n], g->a.p);
            }
        }
        g->insn = s.insn;
        if (s.op->opcode == OP_FGUARD) {
            gen_guard_stub(g, &s);
        } else if (ir_desc(s.op)->flags & IRF_MEM) {
            memory_stub(g, &s);
        } else {
            gen_fallback_stub(g, &s);
        }
        a_b(&g->a, s.back);
    }
}
