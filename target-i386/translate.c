// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From guest bytes to IR, a basic block at a time: the instruction loop, side exits, block ends.
 *
 * A block ends at a branch, at an instruction that changes what the key holds, when the page ends,
 * or when it is long enough. An instruction that crosses into the next page is a block of its own,
 * so that a fault while fetching its tail is taken with state complete.
 */
#include "target-i386/region.h"
#include "target-i386/sse-exact.h"

#define GPR(name_, n_) {.name = name_, .type = IR_I64, .offset = offsetof(X86Cpu, regs[n_])}
#define BASE(name_, n_) {.name = name_, .type = IR_I64, .offset = offsetof(X86Cpu, segs[n_].base)}
#define XMM(n_)                                                                                \
    [V_XMM0 + n_] = {.name = "xmm" #n_, .type = IR_V128, .offset = offsetof(X86Cpu, xmm[n_])}, \
              [V_YMMH0 + n_] = {.name = "ymmh" #n_,                                            \
                                .type = IR_V128,                                               \
                                .offset = offsetof(X86Cpu, ymm_hi[n_])},                       \
              [V_YMM0 + n_] = {.name = "ymm" #n_,                                              \
                               .type = IR_V256,                                                \
                               .offset = offsetof(X86Cpu, xmm[n_]),                            \
                               .low = V_XMM0 + n_ + 1,                                         \
                               .high = V_YMMH0 + n_ + 1}
#define WIDE(name_, n_, field_) \
    {                           \
        .name = name_ #n_, .type = IR_V256, .offset = offsetof(X86Cpu, field_) \
    }
#define ZMM(n_)                                              \
    [V_ZMMH0 + n_] = WIDE("zmmh", n_, zmm_hi[n_]),           \
               [V_ZLO16 + n_] = WIDE("zlo", n_, zmm_more[n_]), \
               [V_ZHI16 + n_] = WIDE("zhi", n_, zmm_more[n_][2])
#define OPMASK(n_) [V_K0 + n_] = FIELD("k" #n_, IR_I64, opmask[n_])
#define FIELD(name_, type_, field_)                                      \
    {                                                                    \
        .name = name_, .type = type_, .offset = offsetof(X86Cpu, field_) \
    }

const IrVarDecl x86_vars[] = {
    GPR("rax", 0), GPR("rcx", 1), GPR("rdx", 2), GPR("rbx", 3), GPR("rsp", 4), GPR("rbp", 5), GPR("rsi", 6),
    GPR("rdi", 7), GPR("r8", 8), GPR("r9", 9), GPR("r10", 10), GPR("r11", 11), GPR("r12", 12), GPR("r13", 13),
    GPR("r14", 14), GPR("r15", 15),
    [V_RIP] = FIELD("rip", IR_I64, rip),
    [V_CC_OP] = FIELD("cc_op", IR_I32, cc_op),
    [V_CC_DST] = FIELD("cc_dst", IR_I64, cc_dst),
    [V_CC_SRC] = FIELD("cc_src", IR_I64, cc_src),
    [V_CC_SRC2] = FIELD("cc_src2", IR_I64, cc_src2),
    [V_DF] = FIELD("df", IR_I64, df),
    [V_ES_BASE] = BASE("es_base", S_ES), BASE("cs_base", S_CS), BASE("ss_base", S_SS), BASE("ds_base", S_DS),
    BASE("fs_base", S_FS), BASE("gs_base", S_GS),
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10), XMM(11),
    XMM(12), XMM(13), XMM(14), XMM(15),
    [V_CODE_PAGE] = FIELD("code_page", IR_I64, cpu.code_page),
    ZMM(0), ZMM(1), ZMM(2), ZMM(3), ZMM(4), ZMM(5), ZMM(6), ZMM(7), ZMM(8), ZMM(9), ZMM(10), ZMM(11),
    ZMM(12), ZMM(13), ZMM(14), ZMM(15),
    OPMASK(0), OPMASK(1), OPMASK(2), OPMASK(3), OPMASK(4), OPMASK(5), OPMASK(6), OPMASK(7),
};
const unsigned x86_num_vars = V_COUNT;

_Static_assert(sizeof(x86_vars) / sizeof(x86_vars[0]) == V_COUNT, "x86_vars names every variable");

/* ---- state at side exits ---- */

void x86_restore(Cpu *cpu, const BlockKey *key, uint64_t pc, uint64_t meta)
{
    X86Cpu *c = X86(cpu);

    c->rip = key->mode & MODE_CS64 ? pc : (uint32_t)(pc - key->base);
    if (meta) {     /* 0: cc_op is home (IR_META_ENTRY among these) */
        c->cc_op = (uint32_t)meta - 1;
    }
    /* an exit inside of the first instruction saves what began with it (begin_block) */
    if (c->guest && pc == key->pc) {
        c->inhibit_irq = key->mode & MODE_INHIBIT ? 1 : c->inhibit_irq;
        c->eflags |= key->mode & MODE_RF ? FLAG_RF : 0;
    }
}

/* ---- exits ---- */

bool x86_in_vm86(const X86Ctx *s)
{
    return s->mode & MODE_VM;
}

uint64_t x86_mask_rip(const X86Ctx *s, unsigned opsize, uint64_t rip)
{
    return opsize == 1 ? (uint16_t)rip : s->code64 ? rip : (uint32_t)rip;
}

/* Outside of this, code with a base, a limit or shadows is rare. */
bool x86_movable(const BlockKey *key)
{
    return key->base == 0 && (key->mode & MODE_CPL) == 3 && key->mode & (MODE_CS64 | MODE_CS32) &&
           !(key->mode & (MODE_TF | MODE_INHIBIT | MODE_RF | MODE_VM | MODE_CSLIMIT | MODE_GUEST));
}

IrVal x86_pc(X86Ctx *s, uint64_t rip)
{
    if (!s->anywhere) {
        return ir_i64(s->b, rip);
    }
    IrVal v = ir_addi(s->b, ir_get(s->b, V_CODE_PAGE), (int64_t)(rip - s->page));
    return s->code64 ? v : ir_zext32(s->b, v);
}

void x86_raise_ir(X86Ctx *s, unsigned vector)
{
    ir_call_raise(s->b, ir_i32(s->b, vector));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);    /* not reached: the helper does not return */
    }
}

void x86_raise_gp(X86Ctx *s)
{
    ir_call_raise_error(s->b, ir_i32(s->b, EXC_GP), ir_i32(s->b, 0));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
}

void x86_ud(X86Ctx *s)
{
    x86_raise_ir(s, EXC_UD);
    s->ended = true;
}

bool x86_cpl0(X86Ctx *s)
{
    if (s->mode & MODE_CPL) {
        x86_raise_gp(s);
        s->ended = true;
        return false;
    }
    return true;
}

/* What ends a block early every time: single stepping, shadows. */
static bool plain_exit(const X86Ctx *s)
{
    return !(s->mode & (MODE_TF | MODE_INHIBIT | MODE_RF));
}

static void special_exit(X86Ctx *s)
{
    if (s->mode & MODE_TF) {
        ir_call_single_step(s->b);
    }
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
}

void x86_jump(X86Ctx *s, unsigned slot, uint64_t rip)
{
    uint64_t linear = s->code64 ? rip : (uint32_t)(rip + s->base);

    if (s->region && (linear ^ s->page) < 4096) {
        if (!x86_region_jump(s, rip, linear)) {
            x86_region_exit(s, rip, linear);
        }
        return;
    }
    x86_sync(s);
    if (plain_exit(s) && (linear ^ s->page) < 4096) {
        ir_exit_chain(s->b, slot, linear);
        return;
    }
    ir_set(s->b, V_RIP, x86_pc(s, rip));
    if (!plain_exit(s)) {
        special_exit(s);
    } else {
        ir_exit_lookup(s->b, s->anywhere ? x86_pc(s, linear) : ir_i64(s->b, linear));
    }
}

void x86_jump_val(X86Ctx *s, IrVal rip, IrWay way)
{
    x86_sync(s);
    if (s->region) {
        x86_region_targets(s, way);
    }
    ir_set(s->b, V_RIP, rip);
    if (!plain_exit(s)) {
        special_exit(s);
        return;
    }
    IrVal linear = rip;
    if (!s->code64 && s->base) {
        linear = ir_zext32(s->b, ir_addi(s->b, rip, (int64_t)s->base));
    }
    ir_exit_jump(s->b, linear, way);
}

void x86_end_jump(X86Ctx *s, uint64_t rip)
{
    x86_jump(s, 0, rip);
    s->ended = true;
}

void x86_end_exit(X86Ctx *s, bool set_rip, unsigned reason)
{
    x86_sync(s);
    if (set_rip) {
        ir_set(s->b, V_RIP, x86_pc(s, s->next));
    }
    if (plain_exit(s)) {
        ir_exit(s->b, reason);
    } else {
        special_exit(s);
    }
    s->ended = true;
}

/* ---- one instruction ---- */

/* What x86_restore gets: cc_op + 1 where it is not home. */
static uint64_t insn_meta(const X86Ctx *s)
{
    return s->cc_op == CC_DYNAMIC || !s->cc_stale ? 0 : s->cc_op + 1;
}

/*
 * Whether the row's unit is there and enabled; emits the exception otherwise. SDM 3A 2.5, table
 * 13-1.
 */
static bool unit_ready(X86Ctx *s, const X86Insn *i)
{
    uint32_t f = i->row->flags;

    if (i->row->driver) {       /* EVEX, and mask registers */
        if (!(s->mode & MODE_AVX512)) {
            x86_ud(s);
            return false;
        }
    } else if (f & X86_ROW_VEX && !(f & (X86_ROW_SSE | X86_ROW_MMX))) {
        return true;        /* VEX-coded integer instructions */
    }
    if (i->row->driver) {
        /* TS below */
    } else if (f & X86_ROW_VEX) {
        if (!(s->mode & MODE_AVX)) {
            x86_ud(s);
            return false;
        }
    } else if (f & (X86_ROW_SSE | X86_ROW_MMX)) {
        if (s->mode & MODE_EM || (f & X86_ROW_SSE && !(s->mode & MODE_OSFXSR))) {
            x86_ud(s);
            return false;
        }
    } else if (!(f & X86_ROW_FPU) || !(s->mode & (MODE_EM | MODE_TS))) {
        return true;
    }
    if (s->mode & MODE_TS || (f & X86_ROW_FPU && s->mode & MODE_EM)) {
        x86_raise_ir(s, EXC_NM);
        s->ended = true;
        return false;
    }
    return true;
}

static bool writes_vector(const X86Insn *i)
{
    X86TransFn *t = i->row->trans;

    return i->op[0].kind == X86_XMM && t != trans_PTEST && t != trans_VTEST && t != trans_UCOMIS &&
           t != trans_COMIS && t != trans_PCMPESTRI && t != trans_PCMPISTRI &&
           t != trans_PCMPESTRM && t != trans_PCMPISTRM && t != trans_MASKMOVDQU;
}

/* SDM 1 15.5: VEX-coded instructions clear what is above their vector. */
static void clear_register(X86Ctx *s, unsigned reg)
{
    ir_set(s->b, V_ZMMH0 + reg, ir_v_zero(s->b, IR_V256));
}

static void clear_upper(X86Ctx *s, const X86Insn *i)
{
    if (s->ended || !ir_is_open(s->b)) {
        return;
    }
    if (i->row->trans == trans_VZERO) {
        for (unsigned n = 0; n < (s->code64 ? 16 : 8); n++) {
            clear_register(s, n);
        }
    } else if (writes_vector(i)) {
        clear_register(s, i->op[0].reg);
        if (i->row->trans == trans_VGATHER) {
            clear_register(s, i->op[2].reg);    /* the mask */
        }
    } else if (i->row->trans == trans_PCMPESTRM || i->row->trans == trans_PCMPISTRM) {
        clear_register(s, 0);
    }
}

static void translate_insn(X86Ctx *s, X86Insn *i)
{
    const X86Row *r = i->row;

    s->addr = x86_none;
    s->rsp_bias = 0;
    ir_insn(s->b, s->pc, insn_meta(s));
    if ((r->feature >= 0 && !x86_has_feature(s->cpu, (unsigned)r->feature)) ||
        (r->flags & X86_ROW_AHF && s->code64 && !x86_has_feature(s->cpu, FEAT_LAHF_LM))) {
        x86_ud(s);
        return;
    }
    if (!unit_ready(s, i)) {
        return;
    }
    if (s->mode & MODE_GUEST) {
        x86_virt_before(s, i);
    }
    if (s->mode & MODE_XM && r->flags & (X86_ROW_SSE | X86_ROW_EVEX) && r->trans != trans_LDMXCSR &&
        r->trans != trans_STMXCSR) {
        x86_sync(s);
        ir_call_xm_begin(s->b);
        uint32_t word = x86_xm_note(s, i);
        r->trans(s, i);
        if (ir_is_open(s->b) && !s->ended) {
            x86_sync(s);
            ir_call_xm_end(s->b, ir_i32(s->b, word));
            if (s->mode & MODE_AVX512 && i->vex && !r->driver) {
                clear_upper(s, i);
            }
        }
        return;
    }
    if (r->flags & X86_ROW_FPU) {
        if (plain_exit(s) && x86_x87_fast(s, i)) {
            return;
        }
    } else if (r->flags & X86_ROW_MMX ||
               (i->map == X86_MAP_0F && (i->opcode == 0xae || i->opcode == 0xc7))) {
        s->x87.off = true;              /* may change TOP or tags */
        s->x87.known = false;
    }
    r->trans(s, i);
    if (s->mode & MODE_AVX512 && i->vex && !r->driver) {
        clear_upper(s, i);
    }
}

/*
 * The first instruction may reach into the next page: fetches there byte by byte, which may fault.
 */
static X86Decoded decode_crossing(Cpu *cpu, X86Insn *i, uint64_t pc, const uint8_t *p,
                                  unsigned avail, X86DecodeMode mode)
{
    uint8_t bytes[16];
    X86Decoded result = X86_MORE;

    for (unsigned n = 0; n < 16; n++) {
        bytes[n] =
            p && n < avail ? p[n] : cpu_fetch_u8(cpu, mode.code64 ? pc + n : (uint32_t)(pc + n));
        if (n + 1 >= avail) {
            result = x86_decode(i, bytes, n + 1, mode);
            if (result != X86_MORE) {
                return result;
            }
        }
    }
    return X86_TOO_LONG;
}

static X86Decoded decode_at(X86Ctx *s, Cpu *cpu, X86Insn *i, const uint8_t *page, bool first)
{
    X86DecodeMode mode = {.code64 = s->code64, .code32 = s->mode & MODE_CS32,
                          .no_vex = !(s->mode & MODE_PE) || s->mode & MODE_VM};
    unsigned at = s->pc & 4095, avail = MIN(4096 - at, 16);

    if (!page) {
        return first ? decode_crossing(cpu, i, s->pc, NULL, 0, mode) : X86_MORE;
    }
    X86Decoded result = x86_decode(i, page + at, avail, mode);
    if (result == X86_MORE && first) {
        return decode_crossing(cpu, i, s->pc, page + at, avail, mode);
    }
    return result;
}

/*
 * False: the instruction reaches beyond the end of CS, and is not the first, whose turn it is to
 * say so.
 */
static bool cs_covers(X86Ctx *s, unsigned len, bool first)
{
    uint64_t last = s->rip + MAX(len, 1) - 1;

    if (last <= s->cs_limit) {
        return true;
    }
    if (first) {
        ir_insn(s->b, s->pc, insn_meta(s));
        ir_call_cs_limit(s->b, ir_i64(s->b, (int64_t)last));
    }
    return first;
}

static void begin_block(X86Ctx *s)
{
    if (s->mode & MODE_INHIBIT) {
        ir_env_store(s->b, ir_i32(s->b, 0), offsetof(X86Cpu, inhibit_irq), MEM_32);
    }
    if (s->mode & MODE_RF) {
        IrVal flags = ir_env_load(s->b, IR_I32, offsetof(X86Cpu, eflags), MEM_32);
        ir_env_store(s->b, ir_andi(s->b, flags, ~FLAG_RF), offsetof(X86Cpu, eflags), MEM_32);
    }
}

X86Ctx x86_context(Cpu *cpu, IrBuilder *b, const BlockKey *key)
{
    X86Ctx s = {
        .b = b,
        .cpu = X86(cpu),
        .mode = key->mode,
        .code64 = key->mode & MODE_CS64,
        .base = (uint32_t)key->base,
        .anywhere = key->flags & KEY_ANYWHERE,
        .cs_limit = (uint32_t)(key->base >> 32) ^ 0xffff,
        .pc = key->pc,
        .page = key->pc & ~4095ull,
        .cc_op = CC_DYNAMIC,
        .mmu = (key->mode & MODE_CPL) == 3 ? MMU_USER
               : key->mode & MODE_KSMAP    ? MMU_KERNEL_SMAP
                                           : MMU_KERNEL,
    };
    x86_x87_guess(&s);
    return s;
}

static void decoded_insn(X86Ctx *s, X86Insn *i, X86Decoded result)
{
    s->next = x86_mask_rip(s, 3, s->rip + i->len);
    s->insns++;
    s->bytes += i->len;
    if (s->region) {
        x86_region_covers(s, i->len);
    }
    if (result == X86_OK) {
        translate_insn(s, i);
        return;
    }
    ir_insn(s->b, s->pc, insn_meta(s));
    if (result == X86_UD) {
        x86_ud(s);
    } else {
        x86_raise_gp(s);
        s->ended = true;
    }
}

void x86_translate_run(X86Ctx *s, unsigned max_insns)
{
    unsigned first = s->insns;

    do {
        X86Insn i;
        Cpu *cpu = (Cpu *)&s->cpu->cpu;

        s->rip = s->code64 ? s->pc : (uint32_t)(s->pc - s->base);
        if (s->region && s->insns > first && x86_region_meets(s)) {
            x86_end_jump(s, s->rip);
            break;
        }
        X86Decoded result = decode_at(s, cpu, &i, s->code, s->insns == 0 && !s->region);
        if (result == X86_MORE) {
            if (s->region) {
                ir_no_target(s->b, ir_current(s->b));
                x86_region_exit(s, s->rip, s->pc);
            } else {
                x86_end_jump(s, s->rip);
            }
            break;
        }
        if (s->mode & MODE_CSLIMIT && !s->code64 && !cs_covers(s, i.len, s->insns == first)) {
            x86_end_jump(s, s->rip);
            break;
        }
        decoded_insn(s, &i, result);
        s->pc = s->code64 ? s->next : (uint32_t)(s->next + s->base);
        if (!s->ended &&
            (s->insns - first >= max_insns || ir_full(s->b) || (s->pc ^ s->page) >= 4096)) {
            x86_end_jump(s, s->next);
        }
    } while (!s->ended);
}

void x86_translate(Cpu *cpu, IrBuilder *b, const BlockKey *key, unsigned max_insns)
{
    X86Ctx s = x86_context(cpu, b, key);

    s.code = cpu_fetch_page(cpu, key->pc, NULL);
    if (!plain_exit(&s)) {
        max_insns = 1;
    }
    begin_block(&s);
    x86_translate_run(&s, max_insns);
    ir_set_extent(b, s.insns, s.bytes);
}
