// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory on x86-64: the soft TLB is looked up in line; everything that misses goes to a cold
 * stub behind the function, which writes dirty variables home (the access may fault), keeps the
 * registers in use and calls the slow path. Nothing of the hot path is stored before an access.
 */
#include "tcg/i386/gen.h"

G_STATIC_ASSERT(sizeof(TlbEntry) == 32);

typedef struct Access {
    MemOp op;
    unsigned mmu, size_log2, bytes;
    IrType type;
    int va, entry, tmp;                 /* registers; entry becomes the addend */
    PageGroup *group;                   /* NULL: checked for itself */
    bool follower;                      /* entry has the group's addend, or 0 */
    int32_t first, last;                /* bytes that the check covers, from va on */
    int stream;                         /* whose page is looked at first, or -1 */
    uint8_t *resume;                    /* then: behind that */
    int page;                           /* register: of which page is looked up; mostly va */
    bool is_const;                      /* that is const_va */
    uint64_t const_va;
    uint32_t first_var, num_vars;
} Access;

static Access access_of(const IrOp *o, IrType t)
{
    Access x = {.op = (MemOp)o->mem.op, .mmu = o->mem.mmu, .type = t, .stream = -1};

    x.size_log2 = x.op & MEM_SIZE;
    x.bytes = 1u << x.size_log2;
    return x;
}

/* ---------------------------------------------------------------- the hot path */

/* Registers: address and two temporaries. Nothing may be evicted after this until the check. */
static void access_begin(Gen *g, Access *x, uint32_t va)
{
    ra_settle(&g->ra);
    x->is_const = ra_is_const(&g->ra, va);
    x->const_va = g->ra.vals[va].bits;
    x->va = x->page = ra_use(&g->ra, va, 0);
    x->entry = ra_tmp(&g->ra, 0, 0);
    x->tmp = ra_tmp(&g->ra, 0, 0);
    x->first = 0;
    x->last = (int32_t)x->bytes - 1;
}

/*
 * The first access of a group in which bases are checked. False: the base is in no register any
 * more.
 */
static bool check_base(Gen *g, Access *x)
{
    const PageGroup *p = x->group;
    const int reg = p->base ? ra_reg(&g->ra, p->base) : -1;

    if (p->base && reg < 0) {
        return false;
    }
    x->page = reg;
    x->is_const = !p->base;
    x->const_va = (uint64_t)p->known;
    x->first = (int32_t)p->lo;
    x->last = (int32_t)(p->hi - 1);
    return true;
}

/* The same for accesses that may share a check. */
static void access_begin_shared(Gen *g, Access *x, const IrOp *o, uint32_t va)
{
    int64_t offset = 0;
    int reg;

    ra_settle(&g->ra);
    x->group = gen_page_group(g, o, &offset);
    reg = x->group ? ra_reg(&g->ra, x->group->val) : -1;
    if (reg < 0) {
        int base = x->group && x->group->indexed && x->group->base
                       ? ra_reg(&g->ra, x->group->base) : -1;
        g->ra.pinned |= base >= 0 ? REG_BIT(base) : 0;
        access_begin(g, x, va);
        x->stream = x->is_const ? -1 : gen_stream_of(g, o);
        if (x->group && x->group->indexed) {
            x->group = check_base(g, x) ? x->group : NULL;
        } else if (x->group && x->group->last != g->ra.pos) {
            x->first = (int32_t)(x->group->lo - offset);
            x->last = (int32_t)(x->group->hi - 1 - offset);
        } else {
            x->group = NULL;
        }
        return;
    }
    g->ra.pinned |= REG_BIT(reg);
    x->va = ra_use(&g->ra, va, 0);
    x->follower = true;
    x->entry = reg;
}

static uint32_t tlb_table(unsigned mmu)
{
    return (uint32_t)(offsetof(Cpu, tlb) + offsetof(CpuTlb, table) +
                      mmu * sizeof(TlbEntry) * TLB_SIZE);
}

/* The place in the table of the entry for va + first. */
void gen_tlb_entry(Gen *g, int entry, int va, int32_t first)
{
    if (!first && g->host.bmi2) {
        v_rrr(&g->a, V_RORX | X_W, entry, 0, va);           /* what comes in above is masked away */
        x_u8(&g->a, PAGE_BITS_MIN - 5);
    } else {
        if (first) {
            x_rm(&g->a, X_LEA | X_W, entry, mem_bd(va, first));
        } else {
            x_mov_rr(&g->a, X_W, entry, va);
        }
        x_shift_ri(&g->a, X_W, SH_SHR, entry, PAGE_BITS_MIN - 5);
    }
    x_alu_ri(&g->a, 0, ALU_AND, entry, (TLB_SIZE - 1) << 5);
}

/* The entry of an address that is known: its place is, too. */
static void check_const(Gen *g, const Access *x, Stub *s, uint32_t table, bool read, bool write)
{
    uint64_t page = x->const_va & ~(uint64_t)((1 << PAGE_BITS_MIN) - 1);
    Mem entry = gen_env(g, table + tlb_index(x->const_va) * (uint32_t)sizeof(TlbEntry)), m = entry;

    m.disp += (int32_t)(read ? offsetof(TlbEntry, read) : offsetof(TlbEntry, write));
    if ((int64_t)page == (int32_t)page) {
        x_alu_mi(&g->a, X_W, ALU_CMP, m, (int32_t)page);
    } else {
        x_mov_ri(&g->a, x->tmp, page);
        x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, m);
    }
    s->jump[0] = x_jcc32(&g->a, CC_NE);
    m = entry;
    m.disp += (int32_t)offsetof(TlbEntry, write);
    if (read && write) {
        if ((int64_t)page == (int32_t)page) {
            x_alu_mi(&g->a, X_W, ALU_CMP, m, (int32_t)page);
        } else {
            x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, m);
        }
        s->jump[1] = x_jcc32(&g->a, CC_NE);
    }
    m = entry;
    m.disp += (int32_t)offsetof(TlbEntry, addend);
    x_rm(&g->a, X_MOV_RM | X_W, x->entry, m);
}

/* Index, compare, branch to the stub, addend into `entry`. aligned: nothing else hits. */
static void access_check(Gen *g, const Access *x, Stub *s, bool write, bool aligned)
{
    const uint32_t table = tlb_table(x->mmu);
    const bool leads = x->group && !x->follower, read = leads ? x->group->read : !write;
    const uint64_t offset = x->const_va & ((1 << PAGE_BITS_MIN) - 1);
    int32_t mask = -(1 << PAGE_BITS_MIN);
    Mem m;

    write = leads ? x->group->write : write;
    if (x->follower) {
        x_rr(&g->a, X_TEST | X_W, x->entry, x->entry);
        s->jump[0] = x_jcc32(&g->a, CC_E);
        return;
    }
    if (x->stream >= 0) {
        s->jump[0] = gen_stream_check(g, &(StreamAccess){.stream = x->stream, .va = x->page,
                                                         .entry = x->entry, .tmp = x->tmp,
                                                         .first = x->first, .last = x->last,
                                                         .read = read, .write = write});
        s->resume = g->a.p;
        return;
    }
    if (x->is_const && !x->first && offset + (uint64_t)x->last < 1 << PAGE_BITS_MIN &&
        !(aligned && offset & (x->bytes - 1))) {
        check_const(g, x, s, table, read, write);
        return;
    }
    gen_tlb_entry(g, x->entry, x->page, x->first);
    if (aligned || x->last == 0) {
        x_mov_rr(&g->a, X_W, x->tmp, x->page);
        mask |= (int32_t)x->bytes - 1;
    } else {
        /* An access that crosses pages compares the second one with the first one's entry. */
        x_rm(&g->a, X_LEA | X_W, x->tmp, mem_bd(x->page, x->last));
    }
    x_alu_ri(&g->a, X_W, ALU_AND, x->tmp, mask);
    m = gen_env(g, table + (read ? (uint32_t)offsetof(TlbEntry, read)
                                 : (uint32_t)offsetof(TlbEntry, write)));
    m.index = (int8_t)x->entry;
    x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, m);
    s->jump[0] = x_jcc32(&g->a, CC_NE);
    if (read && write) {
        m.disp += (int32_t)(offsetof(TlbEntry, write) - offsetof(TlbEntry, read));
        x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, m);
        s->jump[1] = x_jcc32(&g->a, CC_NE);
    }
    m = gen_env(g, table + (uint32_t)offsetof(TlbEntry, addend));
    m.index = (int8_t)x->entry;
    x_rm(&g->a, X_MOV_RM | X_W, x->entry, m);
}

static void add_stub(Gen *g, const IrOp *o, const Access *x, Stub s)
{
    s.back = g->a.p;
    s.op = o;
    s.x87 = g->x87;
    s.insn = g->insn;
    s.va = (int8_t)x->va;
    s.entry = x->group || x->stream >= 0 ? (int8_t)x->entry : -1;
    s.stream = (int8_t)x->stream;
    s.first = x->first;
    s.last = x->last;
    s.tmp = x->follower ? -1 : (int8_t)x->tmp;
    s.base = -1;
    if (x->group && !x->follower && x->group->indexed && x->group->base && !x->group->write) {
        s.base = (int8_t)x->page;
    }
    s.first_var = x->first_var;
    s.num_vars = x->num_vars;
    g_array_append_val(g->stubs, s);
    if (x->group && !x->follower && x->group->last != g->ra.pos) {
        ra_extra_def(&g->ra, x->group->val, x->entry);
    } else if (x->group && x->group->last == g->ra.pos) {
        ra_extra_drop(&g->ra, x->group->val);
    }
}

/* Registers that the cold path saves, and those of other pages, which it clears. */
static void access_live(Gen *g, const Access *x, Stub *s)
{
    RegSet pages = gen_page_regs(g);

    s->live = g->ra.busy & g->ra.host->caller_saved & ~pages;
    if (s->dst >= 0) {
        s->live &= ~REG_BIT(s->dst);
    }
    s->clear = pages | (x->group ? REG_BIT(x->entry) : 0);
}

static void load_int(Gen *g, const Access *x, int dst, Mem m)
{
    static const uint32_t plain[2][4] = {{X_MOVZX8, X_MOVZX16, X_MOV_RM, X_MOV_RM | X_W},
                                         {X_MOVSX8, X_MOVSX16, X_MOVSXD, X_MOV_RM | X_W}};
    bool sign = x->op & MEM_SIGN && !(x->type == IR_I32 && x->size_log2 == 2);
    uint32_t w = sign ? wide(x->type) : 0;

    if (!(x->op & MEM_BIG) || x->size_log2 == 0) {
        x_rm(&g->a, plain[sign][x->size_log2] | w, dst, m);
    } else if (x->size_log2 == 1) {
        x_rm(&g->a, X_MOVZX16, dst, m);
        x_shift_ri(&g->a, X_66, SH_ROL, dst, 8);
        if (sign) {
            gen_extend(g, x->type, 1, true, dst, dst);
        }
    } else {
        uint32_t width = x->size_log2 == 3 ? X_W : 0;
        if (g->host.movbe) {
            x_rm(&g->a, X_MOVBE_RM | width, dst, m);
        } else {
            x_rm(&g->a, X_MOV_RM | width, dst, m);
            x_bswap(&g->a, width, dst);
        }
        if (sign && x->size_log2 == 2) {
            gen_extend(g, x->type, 2, true, dst, dst);
        }
    }
}

/* Short loads clear the rest of the register. */
static uint32_t vec_load_form(const Access *x)
{
    static const uint32_t forms[] = {
        [MEM_32] = X_MOVSS, [MEM_64] = X_MOVSD, [MEM_128] = X_MOVUPS, [MEM_256] = X_MOVUPS | X_L};

    return forms[x->size_log2];
}

static uint32_t vec_store_form(const Access *x)
{
    static const uint32_t forms[] = {
        [MEM_32] = X_MOVSS_ST,
        [MEM_64] = X_MOVSD_ST,
        [MEM_128] = X_MOVUPS_ST,
        [MEM_256] = X_MOVUPS_ST | X_L,
    };

    return forms[x->size_log2];
}

void emit_load(Gen *g, const IrOp *o)
{
    Access x = access_of(o, ir_dst_type(g->f, o));
    Stub s = {.value = -1, .expect = -1};
    int dst;
    Mem m;

    access_begin_shared(g, &x, o, o->args[0]);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    ra_release(&g->ra);
    g->ra.pinned |= REG_BIT(x.entry);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    s.dst = (int8_t)dst;
    access_live(g, &x, &s);
    if (ra_class(x.type) && x.op & MEM_BIG) {
        s.jump[0] = x_jcc32(&g->a, CC_ALWAYS);
        add_stub(g, o, &x, s);
        return;
    }
    access_check(g, &x, &s, false, x.op & MEM_ALIGN);
    m = mem_bi(x.entry, x.va, 0);
    if (ra_class(x.type) == 0) {
        load_int(g, &x, dst, m);
    } else {
        xv_rm(&g->a, vec_load_form(&x), xmm(dst), m);
    }
    add_stub(g, o, &x, s);
}

static void store_int(Gen *g, const Access *x, const Opnd *v, Mem m)
{
    static const uint32_t plain[4] = {X_MOV8_MR, X_MOV16_MR, X_MOV_MR, X_MOV_MR | X_W};
    uint32_t width = x->size_log2 == 3 ? X_W : 0;

    if (v->kind == OPND_IMM) {
        if (x->size_log2 == 0) {
            x_rm(&g->a, 0xc6, 0, m);
            x_u8(&g->a, (uint8_t)v->imm);
        } else if (x->size_log2 == 1) {
            x_rm(&g->a, 0xc7 | X_66, 0, m);
            x_u8(&g->a, (uint8_t)v->imm);
            x_u8(&g->a, (uint8_t)(v->imm >> 8));
        } else {
            x_mov_mi(&g->a, width, m, v->imm);
        }
    } else if (!(x->op & MEM_BIG) || x->size_log2 == 0) {
        x_rm(&g->a, plain[x->size_log2], v->reg, m);
    } else if (g->host.movbe) {
        x_rm(&g->a, X_MOVBE_MR | (x->size_log2 == 1 ? X_66 : width), v->reg, m);
    } else {
        x_mov_rr(&g->a, X_W, x->tmp, v->reg);
        if (x->size_log2 == 1) {
            x_shift_ri(&g->a, X_66, SH_ROL, x->tmp, 8);
        } else {
            x_bswap(&g->a, width, x->tmp);
        }
        x_rm(&g->a, plain[x->size_log2], x->tmp, m);
    }
}

void emit_store(Gen *g, const IrOp *o)
{
    uint32_t value = o->args[0];
    Access x = access_of(o, (IrType)g->ra.vals[value].type);
    bool swap = x.op & MEM_BIG && x.size_log2 > 0;
    Stub s = {.value = -1, .expect = -1, .dst = -1};
    Opnd v;
    Mem m;

    access_begin_shared(g, &x, o, o->args[1]);
    v = gen_opnd(g, value, ra_class(x.type) == 0 && !swap ? OPND_ALLOW_IMM : 0);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    ra_release(&g->ra);
    access_live(g, &x, &s);
    if (v.kind == OPND_IMM) {
        s.value_const = true;
        s.value_bits = g->ra.vals[value].bits;
    } else {
        s.value = (int8_t)v.reg;
    }
    if (ra_class(x.type) && x.op & MEM_BIG) {
        s.jump[0] = x_jcc32(&g->a, CC_ALWAYS);
        add_stub(g, o, &x, s);
        return;
    }
    access_check(g, &x, &s, true, x.op & MEM_ALIGN);
    m = mem_bi(x.entry, x.va, 0);
    if (ra_class(x.type) == 0) {
        store_int(g, &x, &v, m);
    } else {
        xv_rm(&g->a, vec_store_form(&x), xmm(v.reg), m);
    }
    add_stub(g, o, &x, s);
}

/* ---------------------------------------------------------------- atomics */

static void extend_old(Gen *g, const Access *x, int dst, int src)
{
    if (x->size_log2 < 2 || (x->op & MEM_SIGN && x->size_log2 == 2)) {
        gen_extend(g, x->type, x->size_log2, x->op & MEM_SIGN, dst, src);
    } else {
        x_mov_rr(&g->a, x->size_log2 == 3 ? X_W : 0, dst, src);
    }
}

/* A locked form on an operand of the access's size. */
static uint32_t sized(const Access *x, uint32_t form8, uint32_t form)
{
    return x->size_log2 == 0 ? form8
                             : form | (x->size_log2 == 1 ? X_66 : x->size_log2 == 3 ? X_W : 0);
}

/*
 * The prefix, which a single vCPU does without: devices do not read, modify and write guest memory.
 * An operation that changes nothing is a barrier between the vCPU and devices, and stays one.
 */
static uint32_t lock_prefix(const Gen *g, const IrOp *o, unsigned alu)
{
    const RaVal *v = &g->ra.vals[o->args[0]];

    if (!g->buffer->alone ||
        (v->is_const && (v->bits == 0 || (alu == ALU_AND && (int32_t)v->bits == -1)))) {
        return X_LOCK;
    }
    return 0;
}

/* xchg and fetch_add: the register operand becomes the old value. Big-endian: slow path only. */
static void exchange(Gen *g, const IrOp *o, uint32_t form8, uint32_t form)
{
    const uint32_t lock = form == X_XCHG ? X_LOCK : lock_prefix(g, o, ALU_ADD);
    Access x = access_of(o, ir_dst_type(g->f, o));
    Stub s = {.expect = -1};
    int dst;

    access_begin(g, &x, o->args[1]);
    dst = ra_tmp(&g->ra, 0, 0);
    s.value = (int8_t)ra_use(&g->ra, o->args[0], 0);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    ra_release(&g->ra);
    ra_def_fixed(&g->ra, o->dst, dst);
    s.dst = (int8_t)dst;
    access_live(g, &x, &s);
    if (x.op & MEM_BIG && x.size_log2) {
        s.jump[0] = x_jcc32(&g->a, CC_ALWAYS);
    } else {
        access_check(g, &x, &s, true, true);
        x_mov_rr(&g->a, X_W, dst, s.value);
        x_rm(&g->a, sized(&x, form8, form) | lock, dst, mem_bi(x.entry, x.va, 0));
        extend_old(g, &x, dst, dst);
    }
    add_stub(g, o, &x, s);
}

void emit_xchg(Gen *g, const IrOp *o)
{
    exchange(g, o, X_XCHG8, X_XCHG);
}

/*
 * form: ALU_*. Without a user of the old value one locked instruction, else a loop around cmpxchg.
 */
void emit_fetch_op(Gen *g, const IrOp *o)
{
    unsigned op = row_of(o)->form;
    Access x = access_of(o, ir_dst_type(g->f, o));
    Stub s = {.expect = -1};
    bool unused = g->ra.vals[o->dst].next_use == RA_NEVER;
    uint32_t w = x.size_log2 == 3 ? X_W : 0;
    uint8_t *again;

    if (o->opcode == OP_FETCH_ADD && !unused) {
        exchange(g, o, X_XADD8, X_XADD);
        return;
    }
    ra_take(&g->ra, RAX);
    access_begin(g, &x, o->args[1]);
    s.value = (int8_t)ra_use(&g->ra, o->args[0], 0);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    ra_release(&g->ra);
    ra_def_fixed(&g->ra, o->dst, RAX);
    s.dst = RAX;
    access_live(g, &x, &s);
    if (x.op & MEM_BIG && x.size_log2) {
        s.jump[0] = x_jcc32(&g->a, CC_ALWAYS);
        add_stub(g, o, &x, s);
        return;
    }
    access_check(g, &x, &s, true, true);
    if (unused) {
        x_rm(&g->a, sized(&x, op << 3 | X_R8, op << 3 | 1) | lock_prefix(g, o, op), s.value,
             mem_bi(x.entry, x.va, 0));
    } else {
        x_rm(&g->a, sized(&x, 0x8a | X_R8, X_MOV_RM), RAX, mem_bi(x.entry, x.va, 0));
        again = g->a.p;
        x_mov_rr(&g->a, X_W, x.tmp, RAX);
        x_alu_rr(&g->a, w, op, x.tmp, s.value);
        x_rm(&g->a, sized(&x, X_CMPXCHG8, X_CMPXCHG) | X_LOCK, x.tmp, mem_bi(x.entry, x.va, 0));
        x_jcc(&g->a, CC_NE, again);
        extend_old(g, &x, RAX, RAX);
    }
    add_stub(g, o, &x, s);
}

void emit_cmpxchg(Gen *g, const IrOp *o)
{
    Access x = access_of(o, ir_dst_type(g->f, o));
    Stub s = {0};

    /* The check needs two more registers; the expected value goes to rax when it has passed. */
    ra_take(&g->ra, RAX);
    access_begin(g, &x, o->args[2]);
    s.expect = (int8_t)ra_use(&g->ra, o->args[0], 0);
    s.value = (int8_t)ra_use(&g->ra, o->args[1], 0);
    stub_vars_note(g->stub_vars, &g->ra, g->f, &x.first_var, &x.num_vars);
    ra_release(&g->ra);
    ra_def_fixed(&g->ra, o->dst, RAX);
    s.dst = RAX;
    access_live(g, &x, &s);
    if (x.op & MEM_BIG && x.size_log2) {
        s.jump[0] = x_jcc32(&g->a, CC_ALWAYS);
    } else {
        access_check(g, &x, &s, true, true);
        x_mov_rr(&g->a, X_W, RAX, s.expect);
        x_rm(&g->a, sized(&x, X_CMPXCHG8, X_CMPXCHG) | (g->buffer->alone ? 0 : X_LOCK), s.value,
             mem_bi(x.entry, x.va, 0));
        extend_old(g, &x, RAX, RAX);
    }
    add_stub(g, o, &x, s);
}

/* x86 hosts order everything but a store before a later load. */
void emit_fence(Gen *g, const IrOp *o)
{
    if (o->imm[0] & IR_FENCE_ST_LD) {
        x_alu_mi(&g->a, X_LOCK, ALU_OR, mem_bd(RSP, 0), 0);
    }
}

/* ---------------------------------------------------------------- the cold path */

static Mem save_place(int reg)
{
    return mem_bd(RSP, reg >= XMM ? 128 + (reg - XMM) * 32 : reg * 8);
}

void gen_keep_registers(Gen *g, RegSet live, bool restore)
{
    uint32_t form = g->uses_ymm ? X_L : 0;

    for (; live; live &= live - 1) {
        int reg = __builtin_ctzll(live);
        if (reg >= XMM) {
            xv_rm(&g->a, (restore ? X_MOVUPS : X_MOVUPS_ST) | form, xmm(reg), save_place(reg));
        } else {
            x_rm(&g->a, (restore ? X_MOV_RM : X_MOV_MR) | X_W, reg, save_place(reg));
        }
    }
}

void gen_write_home(Gen *g, const StubVar *v)
{
    IrType t = ir_var_type(g->f, v->var);
    RaPlace home = ra_home(&g->ra, v->var);

    const RaPlace kept = {.base = RA_FRAME, .offset = FRAME_CALL};
    IrType whole = ra_class(t) == 0 ? IR_I64 : g->uses_ymm ? IR_V256 : IR_V128;
    int scratch = ra_class(t) == 0 ? RAX : XMM;

    if (v->reg >= 0) {
        g->ra.host->store(g, t, v->reg, home);
    } else if (v->is_const) {
        g->ra.host->store_const(g, t, v->bits, home);
    } else {
        g->ra.host->store(g, whole, scratch, kept);
        g->ra.host->load(g, t, scratch, v->place);
        g->ra.host->store(g, t, scratch, home);
        g->ra.host->load(g, whole, scratch, kept);
    }
}

/* Integer arguments from rsi on: all pushed first, so that no order can be wrong. */
static void stub_args(Gen *g, const int *src, unsigned n)
{
    static const uint8_t arg[] = {RSI, RDX, RCX};

    if (n == 1) {
        x_mov_rr(&g->a, X_W, RSI, src[0]);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        x_push(&g->a, src[i]);
    }
    for (unsigned i = n; i-- > 0;) {
        x_pop(&g->a, arg[i]);
    }
}

static void stub_call(Gen *g, int oi_reg, uint32_t oi, unsigned slow)
{
    gen_clean_ymm(g);
    x_mov_ri(&g->a, oi_reg, oi);
    x_call(&g->a, g->slow[slow]);
    gen_side_point(g);
}

/* Floats and vectors. */
static void stub_load(Gen *g, const Stub *s, const Access *x, uint32_t oi)
{
    stub_args(g, (int[]){s->va}, 1);
    if (x->size_log2 == MEM_128) {
        stub_call(g, RDX, oi, SLOW_LOAD128);
        if (s->dst != XMM) {
            xv_rr(&g->a, X_MOVAPS, xmm(s->dst), 0);
        }
    } else {
        stub_call(g, RDX, oi, SLOW_LOAD);
        xv_rr(&g->a, X_MOVD_XR | (x->size_log2 == MEM_64 ? X_W : 0), xmm(s->dst), RAX);
    }
}

static void stub_store(Gen *g, const Stub *s, const Access *x, uint32_t oi)
{
    if (x->size_log2 == MEM_128) {
        stub_args(g, (int[]){s->va}, 1);
        if (s->value != XMM) {
            xv_rr(&g->a, X_MOVAPS, 0, xmm(s->value));
        }
        stub_call(g, RDX, oi, SLOW_STORE128);
        return;
    }
    stub_args(g, (int[]){s->va}, 1);
    xv_rr(&g->a, X_MOVD_RX | (x->size_log2 == MEM_64 ? X_W : 0), xmm(s->value), RDX);
    stub_call(g, RCX, oi, SLOW_STORE);
}

/* Both halves of a 32-byte access; between the calls address and value wait in the frame. */
static void stub_wide(Gen *g, const Stub *s, uint32_t oi, bool store)
{
    const Mem va = mem_bd(RSP, FRAME_MAX + 32), value = mem_bd(RSP, FRAME_MAX);

    x_rm(&g->a, X_MOV_MR | X_W, s->va, va);
    if (store) {
        v_rrm(&g->a, X_MOVUPS_ST | X_L, xmm(s->value), 0, value);
    }
    /* The first half is told of the whole: it checks its alignment and, of a store, all pages. */
    for (unsigned i = 0; i < 2; i++, oi = (oi & ~(uint32_t)MEM_SIZE) | MEM_128) {
        Mem half = mem_bd(RSP, FRAME_MAX + 16 * (int32_t)i);
        x_rm(&g->a, X_MOV_RM | X_W, RSI, va);
        x_alu_ri(&g->a, X_W, ALU_ADD, RSI, 16 * (int32_t)i);
        if (store) {
            v_rrm(&g->a, X_MOVUPS, 0, 0, half);
            stub_call(g, RDX, oi, SLOW_STORE128);
        } else {
            stub_call(g, RDX, oi, SLOW_LOAD128);
            v_rrm(&g->a, X_MOVUPS_ST, 0, 0, half);
        }
    }
    if (!store) {
        v_rrm(&g->a, X_MOVUPS | X_L, xmm(s->dst), 0, value);
    }
}

static void stub_atomic(Gen *g, const Stub *s, const Access *x)
{
    unsigned kind = row_of(s->op)->aux;

    if (s->expect >= 0) {
        stub_args(g, (int[]){s->va, s->value, s->expect}, 3);
    } else {
        stub_args(g, (int[]){s->va, s->value}, 2);
    }
    stub_call(g, R8, MEM_KIND_OI(kind, x->op, x->mmu), SLOW_ATOMIC);
    extend_old(g, x, s->dst, RAX);
}

/* An integer load or store: the common stub keeps general registers. */
static void stub_short(Gen *g, const Stub *s, const Access *x, uint32_t oi, bool store)
{
    const RegSet vectors = s->live & XMM_ALL;

    gen_keep_registers(g, vectors, false);
    gen_clean_ymm(g);
    x_push_i(&g->a, (int32_t)oi);
    if (store && s->value_const) {
        x_push_i(&g->a, (int32_t)s->value_bits);
    } else if (store) {
        x_push(&g->a, s->value);
    }
    x_push(&g->a, s->va);
    x_call(&g->a, g->slow_short[store ? SHORT_STORE : SHORT_LOAD]);
    gen_side_point(g);
    if (!store) {
        extend_old(g, x, s->dst, RAX);
        if (s->live & REG_BIT(RAX)) {
            x_rm(&g->a, X_MOV_RM | X_W, RAX, save_place(RAX));
        }
    }
    gen_keep_registers(g, vectors, true);
}

/* The access itself, with the addend in s->entry, which is cleared. */
static void stub_access(Gen *g, const Stub *s, const Access *x, bool store)
{
    const Mem m = mem_bi(s->entry, s->va, 0);

    if (store && ra_class(x->type)) {
        xv_rm(&g->a, vec_store_form(x), xmm(s->value), m);
    } else if (store) {
        Opnd v = {.kind = s->value_const ? OPND_IMM : OPND_REG,
                  .reg = s->value,
                  .imm = (int32_t)s->value_bits};
        store_int(g, x, &v, m);
    } else if (ra_class(x->type)) {
        xv_rm(&g->a, vec_load_form(x), xmm(s->dst), m);
    } else {
        load_int(g, x, s->dst, m);
    }
    x_alu_rr(&g->a, 0, ALU_XOR, s->entry, s->entry);
    x_jmp(&g->a, s->back);
}

/*
 * An access that shares its check with others, whose range lies in two pages or in one that allows
 * less than all of them
 * need: it alone may well be fine. The group's addend stays 0.
 */
static void stub_alone(Gen *g, const Stub *s, const Access *x, bool store)
{
    const uint32_t table = tlb_table(x->mmu);
    RegSet used = REG_BIT(s->va) | REG_BIT(s->entry);
    Mem m = gen_env(g, table + (store ? (uint32_t)offsetof(TlbEntry, write)
                                      : (uint32_t)offsetof(TlbEntry, read)));
    uint8_t *miss;
    int tmp;

    used |= s->value >= 0 ? REG_BIT(s->value) : 0;
    tmp = s->tmp >= 0 ? s->tmp : __builtin_ctzll(GPR_ALL & ~used);
    if (s->tmp < 0) {
        x_push(&g->a, tmp);
    }
    gen_tlb_entry(g, s->entry, s->va, 0);
    x_rm(&g->a, X_LEA | X_W, tmp, mem_bd(s->va, (int32_t)x->bytes - 1));
    x_alu_ri(&g->a, X_W, ALU_AND, tmp, -(1 << PAGE_BITS_MIN));
    m.index = s->entry;
    x_alu_rm(&g->a, X_W, ALU_CMP, tmp, m);
    if (s->tmp < 0) {
        x_pop(&g->a, tmp);
    }
    miss = x_jcc32(&g->a, CC_NE);
    m = gen_env(g, table + (uint32_t)offsetof(TlbEntry, addend));
    m.index = s->entry;
    x_rm(&g->a, X_MOV_RM | X_W, s->entry, m);
    stub_access(g, s, x, store);
    x_patch32(miss, g->a.p);
}

/* Looks up the page of base + offset: its address into tmp. Returns the jump of a miss. */
static uint8_t *page_of(Gen *g, const Stub *s, int entry, int32_t offset, Mem *addend)
{
    const Access x = access_of(s->op, IR_I64);
    const uint32_t table = tlb_table(x.mmu);
    Mem m = gen_env(g, table + (uint32_t)offsetof(TlbEntry, read));

    gen_tlb_entry(g, entry, s->base, offset);
    x_rm(&g->a, X_LEA | X_W, s->tmp, mem_bd(s->base, offset));
    x_alu_ri(&g->a, X_W, ALU_AND, s->tmp, -(1 << PAGE_BITS_MIN));
    m.index = (int8_t)entry;
    x_alu_rm(&g->a, X_W, ALU_CMP, s->tmp, m);
    *addend = gen_env(g, table + (uint32_t)offsetof(TlbEntry, addend));
    addend->index = (int8_t)entry;
    return x_jcc32(&g->a, CC_NE);
}

/* A load from a table that lies in two pages: still looked up by the base, both of them. */
static void stub_two_pages(Gen *g, const Stub *s, const Access *x)
{
    const RegSet used =
        REG_BIT(s->va) | REG_BIT(s->entry) | REG_BIT(s->tmp) | REG_BIT(s->base);
    const int other = __builtin_ctzll(GPR_ALL & ~used);
    uint8_t *miss[3] = {NULL};
    Mem addend;

    x_push(&g->a, other);
    miss[0] = page_of(g, s, s->entry, s->first, &addend);
    x_rm(&g->a, X_MOV_RM | X_W, s->entry, addend);
    miss[1] = page_of(g, s, other, s->last, &addend);
    x_alu_rr(&g->a, X_W, ALU_CMP, s->va, s->tmp);
    x_rm(&g->a, X_CMOV | (uint32_t)CC_AE | X_W, s->entry, addend);
    if (x->bytes > 1) {                 /* not over the border */
        x_alu_rr(&g->a, X_W, ALU_SUB, s->tmp, s->va);
        x_alu_ri(&g->a, X_W, ALU_SUB, s->tmp, 1);
        x_alu_ri(&g->a, X_W, ALU_CMP, s->tmp, (int32_t)x->bytes - 2);
        miss[2] = x_jcc32(&g->a, CC_BE);
    }
    x_pop(&g->a, other);
    stub_access(g, s, x, false);
    for (unsigned i = 0; i < 3; i++) {
        if (miss[i]) {
            x_patch32(miss[i], g->a.p);
        }
    }
    x_pop(&g->a, other);
}

static void stub_back(Gen *g, const Stub *s)
{
    gen_x87_stub_restore(g, &s->x87);
    for (RegSet m = s->clear; m; m &= m - 1) {
        int reg = __builtin_ctzll(m);
        x_alu_rr(&g->a, 0, ALU_XOR, reg, reg);
    }
    x_jmp(&g->a, s->back);
}

static void gen_stub(Gen *g, const Stub *s)
{
    const IrOp *o = s->op;
    g->insn = s->insn;
    if (o->opcode == OP_FGUARD) {
        gen_guard_stub(g, s);
        stub_back(g, s);
        return;
    }
    bool store = o->opcode == OP_STORE;
    IrType t = store ? (IrType)g->f->values[o->args[0]].type : ir_dst_type(g->f, o);
    Access x = access_of(o, t);
    uint32_t oi = MEM_OI(x.op, x.mmu);

    x_patch32(s->jump[0], g->a.p);
    if (s->jump[1]) {
        x_patch32(s->jump[1], g->a.p);
    }
    if (s->stream >= 0) {
        gen_stream_refill(g, &(StreamAccess){.stream = s->stream, .va = s->va, .entry = s->entry,
                                             .tmp = s->tmp, .first = s->first, .last = s->last},
                          tlb_table(x.mmu), s->resume);
    }
    if (s->entry >= 0 && (store || o->opcode == OP_LOAD)) {
        if (s->base >= 0) {
            stub_two_pages(g, s, &x);
        }
        stub_alone(g, s, &x, store);
    }
    gen_x87_stub_save(g, &s->x87);
    for (uint32_t i = 0; i < s->num_vars; i++) {
        gen_write_home(g, &g_array_index(g->stub_vars, StubVar, s->first_var + i));
    }
    if (ra_class(t) == 0 && (store || o->opcode == OP_LOAD)) {
        stub_short(g, s, &x, oi, store);
        stub_back(g, s);
        return;
    }
    gen_keep_registers(g, s->live, false);
    if (t == IR_V256) {
        stub_wide(g, s, oi, store);
    } else if (store) {
        stub_store(g, s, &x, oi);
    } else if (o->opcode == OP_LOAD) {
        stub_load(g, s, &x, oi);
    } else {
        stub_atomic(g, s, &x);
    }
    gen_keep_registers(g, s->live, true);
    stub_back(g, s);
}

void gen_stubs(Gen *g)
{
    for (guint i = 0; i < g->stubs->len; i++) {
        if (!gen_has_room(g)) {
            return;
        }
        gen_stub(g, &g_array_index(g->stubs, Stub, i));
    }
}
