// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The execution loop, soft TLB, self-modifying code, exclusive sections and vCPU threads, on a toy
 * target of eight registers. Runs with the host's engine, with each of its tiers alone, and with
 * the interpreter.
 *
 * Instructions are 4 bytes: opcode, a, then two register numbers or a signed 16-bit immediate.
 */
#include "accel/accel.h"

#include <string.h>
#include "tcg/codegen.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/timer.h"

enum { T_STOP, T_LI, T_ADD, T_ADDI, T_LD, T_ST, T_JNZ, T_JR, T_ST32, T_XADD, T_NOP, T_COLD };
enum { EXC_PAGE = 14, PAGES = 65536 };
#define RAM_SIZE (2 * MIB)
#define MMIO_BASE 0x10000000ull

typedef struct ToyCpu {
    Cpu cpu;
    uint64_t r[8];
    uint64_t pc;
    uint64_t fault_va, fault_pc, handler;
    unsigned faults, fills, works, translations, regions;
    bool done;
    uint16_t map[PAGES];               /* physical page + 1 of each virtual page; 0: none */
} ToyCpu;

static Vm *vm;
static Region ram, mmio;
static ToyCpu *toys[4];
static const char *accel_options = "tcg,tb-size=4";
static bool use_interp;

/* ---- the target ---- */

#define TOY(c) ((ToyCpu *)(c))
#define TOY_REG(i) {.name = "r" #i, .type = IR_I64, .offset = offsetof(ToyCpu, r) + 8 * i}
enum { VAR_PC = 8 };
static const IrVarDecl toy_vars[] = {
    TOY_REG(0), TOY_REG(1), TOY_REG(2), TOY_REG(3), TOY_REG(4), TOY_REG(5), TOY_REG(6), TOY_REG(7),
    {.name = "pc", .type = IR_I64, .offset = offsetof(ToyCpu, pc)},
};

static void helper_stop(Cpu *cpu)
{
    cpu_raise(cpu, CPU_EXC_HALT, HOST_PC());
}

static const IrHelper stop_helper = {
    .name = "stop",
    .fn = helper_stop,
    .flags = HELPER_READS_VARS | HELPER_WRITES_VARS | HELPER_FAULTS | HELPER_NORETURN,
    .ret = IR_VOID,
    .num_args = 1,
    .env = true,
    .args = {IR_I64},
};

static void toy_key(Cpu *cpu, BlockKey *key)
{
    key->pc = TOY(cpu)->pc;
}

static void jump_to(IrBuilder *b, uint64_t from, uint64_t to, unsigned slot)
{
    if (((from ^ to) >> 12) == 0) {
        ir_exit_chain(b, slot, to);
    } else {
        ir_set(b, VAR_PC, ir_i64(b, to));
        ir_exit_lookup(b, ir_i64(b, to));
    }
}

/* One instruction; false: it ended the block. */
static bool toy_insn(IrBuilder *b, uint64_t start, uint64_t pc, const uint8_t *i)
{
    unsigned a = i[1] & 7, x = i[2] & 7, y = i[3] & 7;
    int16_t imm = (int16_t)(i[2] | i[3] << 8);

    switch (i[0]) {
    case T_LI:
        ir_set(b, a, ir_i64(b, (uint64_t)imm));
        return true;
    case T_ADD:
        ir_set(b, a, ir_add(b, ir_get(b, x), ir_get(b, y)));
        return true;
    case T_ADDI:
        ir_set(b, a, ir_addi(b, ir_get(b, a), imm));
        return true;
    case T_LD:
        ir_set(b, a, ir_load(b, IR_I64, ir_get(b, x), MEM_64, 0));
        return true;
    case T_ST:
        ir_store(b, ir_get(b, a), ir_get(b, x), MEM_64, 0);
        return true;
    case T_ST32:
        ir_store(b, ir_get(b, a), ir_get(b, x), MEM_32, 0);
        return true;
    case T_XADD:
        ir_set(b, a, ir_atomic(b, ATOMIC_ADD, ir_get(b, a), ir_get(b, x), MEM_64, 0));
        return true;
    case T_NOP:
        return true;
    case T_COLD: {                     /* if ra: r7 = memory at rx */
        IrBlock *yes = ir_cold_block(b), *on = ir_block(b);
        ir_brcond(b, COND_NE, ir_get(b, a), ir_i64(b, 0), yes, on);
        ir_place(b, yes);
        ir_set(b, 7, ir_load(b, IR_I64, ir_get(b, x), MEM_64, 0));
        ir_br(b, on);
        ir_place(b, on);
        return true;
    }
    case T_JNZ: {
        IrBlock *yes = ir_block(b), *no = ir_block(b);
        ir_brcond(b, COND_NE, ir_get(b, a), ir_i64(b, 0), yes, no);
        ir_place(b, yes);
        jump_to(b, start, pc + (uint64_t)(4 * (int64_t)imm), 0);
        ir_place(b, no);
        jump_to(b, start, pc + 4, 1);
        return false;
    }
    case T_JR: {
        IrVal to = ir_get(b, a);
        ir_set(b, VAR_PC, to);
        ir_exit_jump(b, to, WAY_JUMP);
        return false;
    }
    default:
        ir_set(b, VAR_PC, ir_i64(b, pc));
        ir_call(b, &stop_helper, NULL, 0);
        ir_exit(b, IR_EXIT_LOOP);
        return false;
    }
}

static void toy_translate(Cpu *cpu, IrBuilder *b, const BlockKey *key, unsigned max_insns)
{
    uint64_t pc = key->pc;
    unsigned n = 0;

    TOY(cpu)->translations++;
    for (;;) {
        hwaddr pa;
        uint8_t bytes[4];
        const uint8_t *page = cpu_fetch_page(cpu, pc, &pa);
        for (unsigned k = 0; k < 4; k++) {
            bytes[k] = page ? page[(pc & 0xfff) + k] : cpu_fetch_u8(cpu, pc + k);
        }
        ir_insn(b, pc, 1);
        bool more = toy_insn(b, key->pc, pc, bytes);
        n++;
        pc += 4;
        if (!more) {
            break;
        }
        if (n == max_insns || ((pc ^ key->pc) >> 12)) {
            jump_to(b, key->pc, pc, 0);
            break;
        }
    }
    ir_set_extent(b, n, pc - key->pc);
}

/* ---- regions: all that has run from the head on ---- */

enum { MAX_NODES = 16 };
typedef struct Nodes {
    uint64_t pc[MAX_NODES];
    IrBlock *block[MAX_NODES];
    bool target[MAX_NODES];
    unsigned n, chains;
    RegionGuide *guide;
} Nodes;

static void region_jump(IrBuilder *b, Nodes *r, uint64_t from, uint64_t to)
{
    unsigned i = 0;

    while (i < r->n && r->pc[i] != to) {
        i++;
    }
    if (((from ^ to) >> 12) != 0 ||
        (i == r->n && (i == MAX_NODES || !r->guide->has_run(r->guide->opaque, to)))) {
        jump_to(b, from, to, r->chains++);
        return;
    }
    if (i == r->n) {
        r->pc[r->n] = to;
        r->block[r->n++] = ir_block(b);
    }
    if (to > from) {
        ir_br(b, r->block[i]);
        return;
    }
    IrBlock *leave = ir_cold_block(b);
    IrVal v = ir_env_load(b, IR_I32, offsetof(Cpu, attention), MEM_32);
    ir_brcond(b, COND_NE, v, ir_i32(b, 0), leave, r->block[i]);
    ir_place(b, leave);
    ir_exit_chain(b, r->chains++, to);
}

/* Where jumps by register have led in the page. */
static void region_targets(IrBuilder *b, Nodes *r)
{
    uint64_t pc[MAX_NODES];

    for (unsigned n = r->guide->reached(r->guide->opaque, WAY_JUMP, pc, MAX_NODES); n-- > 0;) {
        unsigned i = 0;
        while (i < r->n && r->pc[i] != pc[n]) {
            i++;
        }
        if (i == r->n && i < MAX_NODES) {
            r->pc[r->n] = pc[n];
            r->block[r->n++] = ir_block(b);
        }
        if (i > 0 && i < r->n && !r->target[i]) {
            r->target[i] = ir_target(b, pc[n], r->block[i]);
        }
    }
}

static void region_node(IrBuilder *b, Nodes *r, uint64_t pc, const uint8_t *page)
{
    for (;; pc += 4) {
        const uint8_t *i = page + (pc & 0xfff);
        unsigned unit = (pc & 0xfff) / 8;

        r->guide->cover[unit / 64] |= 1ull << (unit % 64);
        ir_insn(b, pc, 1);
        if (i[0] == T_JNZ) {
            IrBlock *yes = ir_block(b), *no = ir_block(b);
            int16_t imm = (int16_t)(i[2] | i[3] << 8);
            ir_brcond(b, COND_NE, ir_get(b, i[1] & 7), ir_i64(b, 0), yes, no);
            ir_place(b, yes);
            region_jump(b, r, pc, pc + (uint64_t)(4 * (int64_t)imm));
            ir_place(b, no);
            region_jump(b, r, pc, pc + 4);
            return;
        }
        if (i[0] == T_JR) {
            region_targets(b, r);
        }
        if (!toy_insn(b, pc, pc, i)) {
            return;
        }
    }
}

static void toy_translate_region(Cpu *cpu, IrBuilder *b, const BlockKey *key, RegionGuide *guide)
{
    const uint8_t *page = cpu_fetch_page(cpu, key->pc, NULL);
    Nodes r = {.pc = {key->pc}, .block = {ir_block(b)}, .n = 1, .guide = guide};

    TOY(cpu)->regions++;
    ir_br(b, r.block[0]);
    for (unsigned i = 0; i < r.n; i++) {
        ir_place(b, r.block[i]);
        ir_discard(b, VAR_PC);
        region_node(b, &r, r.pc[i], page);
    }
    ir_set_extent(b, 1, 1);
}

static void toy_restore(Cpu *cpu, const BlockKey *key, uint64_t pc, uint64_t meta)
{
    TOY(cpu)->pc = pc;
}

static bool toy_fill(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                     bool probe, uintptr_t host_pc)
{
    ToyCpu *t = TOY(cpu);
    uint64_t page = va >> 12;

    if (va >> 12 == MMIO_BASE >> 12) {
        tlb_set(cpu, mmu_idx, va, MMIO_BASE, ATTRS_NONE, 7, 12, false);
        return true;
    }
    if (page >= PAGES || t->map[page] == 0) {
        if (probe) {
            return false;
        }
        t->fault_va = va;
        cpu_raise(cpu, EXC_PAGE, host_pc);
    }
    t->fills++;
    tlb_set(cpu, mmu_idx, va, (uint64_t)(t->map[page] - 1) << 12, ATTRS_NONE, 7, 12, false);
    return true;
}

static unsigned toy_mmu(Cpu *cpu, bool fetch)
{
    return 0;
}

static void toy_deliver(Cpu *cpu)
{
    ToyCpu *t = TOY(cpu);

    t->faults++;
    t->fault_pc = t->pc;
    t->pc = t->handler;
}

static bool toy_interrupt(Cpu *cpu, uint32_t pending)
{
    return false;
}

static bool toy_has_work(Cpu *cpu)
{
    return !TOY(cpu)->done;
}

static bool toy_debug_translate(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs)
{
    if (va >> 12 >= PAGES || TOY(cpu)->map[va >> 12] == 0) {
        return false;
    }
    *pa = (uint64_t)(TOY(cpu)->map[va >> 12] - 1) << 12 | (va & 0xfff);
    return true;
}

static uint64_t toy_get_pc(Cpu *cpu)
{
    return TOY(cpu)->pc;
}

static const CpuArch toy_arch = {
    .name = "toy",
    .word_bits = 64,
    .page_bits = 12,
    .mmu_modes = 1,
    .cpu_size = sizeof(ToyCpu),
    .env_offset = offsetof(ToyCpu, r),
    .vars = toy_vars,
    .num_vars = ARRAY_COUNT(toy_vars),
    .block_key = toy_key,
    .translate = toy_translate,
    .translate_region = toy_translate_region,
    .restore = toy_restore,
    .tlb_fill = toy_fill,
    .mmu_index = toy_mmu,
    .deliver = toy_deliver,
    .interrupt = toy_interrupt,
    .has_work = toy_has_work,
    .get_pc = toy_get_pc,
    .debug_translate = toy_debug_translate,
};

/* ---- running it ---- */

static void insn(uint64_t pa, unsigned op, unsigned a, int imm)
{
    uint8_t *p = (uint8_t *)region_host(&ram) + pa;

    p[0] = (uint8_t)op;
    p[1] = (uint8_t)a;
    p[2] = (uint8_t)imm;
    p[3] = (uint8_t)(imm >> 8);
}
#define RR(x, y) ((x) | (y) << 8)

/* Code written behind the vCPUs' backs, as a loader does. */
static void code(uint64_t pa, const int (*rows)[3], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        insn(pa + 4 * i, (unsigned)rows[i][0], (unsigned)rows[i][1], rows[i][2]);
    }
    region_dirty_set(&ram, pa, 4 * n);
}
#define CODE(pa, ...)                                                                              \
    do {                                                                                           \
        static const int rows_[][3] = __VA_ARGS__;                                                 \
        code(pa, rows_, ARRAY_COUNT(rows_));                                                       \
    } while (0)

static uint64_t *word(uint64_t pa)
{
    return (uint64_t *)((uint8_t *)region_host(&ram) + pa);
}

static void prepare(ToyCpu *t, uint64_t pc)
{
    memset(t->r, 0, sizeof(t->r));
    t->pc = pc;
    t->handler = 0xf00;
    t->faults = t->fills = t->translations = t->regions = 0;
    t->done = false;
    for (unsigned i = 0; i < PAGES; i++) {
        t->map[i] = i < RAM_SIZE >> 12 ? (uint16_t)(i + 1) : 0;
    }
    insn(0xf00, T_STOP, 0, 0);
}

static void wait_timer(void *opaque)
{
}

/* Runs the vCPUs that have not stopped until all have, or until the machine stops. */
static void run(void)
{
    Timer tick;
    int status;

    timer_init(&tick, CLOCK_RT, wait_timer, NULL);
    for (unsigned i = 0; i < ARRAY_COUNT(toys); i++) {
        toys[i]->cpu.halted = toys[i]->done;
    }
    vm_start(vm);
    for (;;) {
        bool busy = false;
        for (unsigned i = 0; i < ARRAY_COUNT(toys); i++) {
            ToyCpu *t = toys[i];
            if (t->cpu.halted) {
                t->done = true;
            }
            busy |= !t->done;
        }
        if (!busy || !runstate_running()) {
            break;
        }
        timer_set_ns(&tick, clock_now_ns(CLOCK_RT) + 200 * 1000);
        main_loop_iterate(true);
        runstate_carry_out(vm, &status);
    }
    timer_cancel(&tick);
    vm_stop(vm, RUN_STATE_PAUSED);
}

static void flush_all(void)
{
    for (unsigned i = 0; i < ARRAY_COUNT(toys); i++) {
        tlb_flush(&toys[i]->cpu);
        toys[i]->done = true;
    }
}

static ToyCpu *one(uint64_t pc)
{
    flush_all();
    prepare(toys[0], pc);
    return toys[0];
}

/* ---- tests ---- */

static void test_loop(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_LI, 1, 1000},
                  {T_LI, 2, 0},
                  {T_ADD, 2, RR(2, 1)},
                  {T_ADDI, 1, -1},
                  {T_JNZ, 1, -2},
                  {T_STOP, 0, 0}});
    run();
    g_assert_cmpuint(t->r[2], ==, 1000 * 1001 / 2);
    g_assert_cmpuint(t->pc, ==, 0x1014);
    g_assert_cmpuint(t->translations, <=, 4);
}

/* Calls between pages go by look-up. */
static void test_lookup(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_LI, 3, 0x3000},
                  {T_LI, 4, 0x100c},
                  {T_JR, 3, 0},
                  {T_ADDI, 5, 1},
                  {T_ADDI, 1, 1},
                  {T_STOP, 0, 0}});
    CODE(0x3000, {{T_ADDI, 2, 7}, {T_JR, 4, 0}});
    run();
    g_assert_cmpuint(t->r[2], ==, 7);
    g_assert_cmpuint(t->r[5], ==, 1);
}

static void test_victims(void)
{
    ToyCpu *t = one(0x1000);

    /* Three pages that share a TLB entry, read in turn a hundred times. */
    CODE(0x1000, {{T_LI, 1, 100},
                  {T_LD, 5, 2},
                  {T_LD, 6, 3},
                  {T_LD, 7, 4},
                  {T_ADDI, 1, -1},
                  {T_JNZ, 1, -4},
                  {T_STOP, 0, 0}});
    for (unsigned k = 0; k < 3; k++) {
        uint64_t va = 0x5000 + k * ((uint64_t)TLB_SIZE << 12);
        t->r[2 + k] = va;
        t->map[va >> 12] = (uint16_t)(0x20 + k + 1);
        *word((0x20 + k) << 12) = 11 + k;
    }
    run();
    g_assert_cmpuint(t->r[5], ==, 11);
    g_assert_cmpuint(t->r[6], ==, 12);
    g_assert_cmpuint(t->r[7], ==, 13);
    g_assert_cmpuint(t->fills, <=, 6);
}

static void test_fault(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_LI, 2, 5}, {T_ST, 2, 3}, {T_LI, 2, 6}, {T_STOP, 0, 0}});
    t->r[3] = 0x50ffc;
    t->map[0x51] = 0;
    *word(0x50ff8) = 0x1111111111111111;
    run();
    g_assert_cmpuint(t->faults, ==, 1);
    g_assert_cmphex(t->fault_va, ==, 0x51000);
    g_assert_cmphex(t->fault_pc, ==, 0x1004);
    g_assert_cmpuint(t->r[2], ==, 5);
    g_assert_cmphex(*word(0x50ff8), ==, 0x1111111111111111);    /* nothing was written */

    /* With the page there: both halves, on pages that are not neighbours in RAM. */
    t = one(0x1000);
    t->r[3] = 0x50ffc;
    t->map[0x51] = 0x71;
    run();
    g_assert_cmpuint(t->faults, ==, 0);
    g_assert_cmphex(*word(0x50ff8), ==, 0x0000000511111111);
    g_assert_cmphex(*word(0x70000) & 0xffffffff, ==, 0);
}

/* What is laid out behind other instructions belongs to its own. */
static void test_fault_cold(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_ADDI, 1, 1}, {T_COLD, 1, 2}, {T_ADDI, 1, 1}, {T_LI, 3, 5}, {T_STOP, 0, 0}});
    t->r[2] = 0x9000;
    t->map[9] = 0;
    run();
    g_assert_cmpuint(t->faults, ==, 1);
    g_assert_cmphex(t->fault_pc, ==, 0x1004);
    g_assert_cmpuint(t->r[1], ==, 1);
    g_assert_cmpuint(t->r[3], ==, 0);
}

static void test_flush(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_LD, 5, 2}, {T_STOP, 0, 0}});
    t->r[2] = 0x60000;
    *word(0x60000) = 1;
    *word(0x61000) = 2;
    run();
    g_assert_cmpuint(t->r[5], ==, 1);
    t->map[0x60] = 0x62;
    t->pc = 0x1000;
    t->done = false;
    run();
    g_assert_cmpuint(t->r[5], ==, 1);          /* no flush: the old mapping */
    tlb_flush_page(&t->cpu, 0x60008);
    t->pc = 0x1000;
    t->done = false;
    run();
    g_assert_cmpuint(t->r[5], ==, 2);
}

/* The same virtual page with other code behind it. */
static void test_remap(void)
{
    ToyCpu *t = one(0x4000);

    CODE(0x4000, {{T_LI, 2, 1}, {T_STOP, 0, 0}});
    CODE(0x8000, {{T_LI, 2, 2}, {T_STOP, 0, 0}});
    run();
    g_assert_cmpuint(t->r[2], ==, 1);
    t = one(0x4000);
    t->map[4] = 9;
    run();
    g_assert_cmpuint(t->r[2], ==, 2);
}

static uint32_t encode(unsigned op, unsigned a, int imm)
{
    return op | a << 8 | (uint32_t)(uint16_t)imm << 16;
}

static void test_smc_own_block(void)
{
    ToyCpu *t = one(0x1000);

    /* The store replaces the instruction right behind it. */
    CODE(0x1000, {{T_ST32, 4, 3}, {T_LI, 2, 1}, {T_STOP, 0, 0}});
    t->r[3] = 0x1004;
    t->r[4] = encode(T_LI, 2, 77);
    run();
    g_assert_cmpuint(t->r[2], ==, 77);
}

static void test_smc_other_block(void)
{
    ToyCpu *t = one(0x1000);

    /* Twice through 0x2000, changed in between; the data beside it changes all the time. */
    CODE(0x1000, {{T_LI, 6, 0x1008},
                  {T_JR, 5, 0},
                  {T_ADD, 7, RR(2, 2)},
                  {T_ST32, 4, 3},
                  {T_LI, 6, 0x1018},
                  {T_JR, 5, 0},
                  {T_STOP, 0, 0}});
    CODE(0x2000, {{T_LI, 2, 1}, {T_ST, 2, 1}, {T_JR, 6, 0}});
    t->r[1] = 0x2800;
    t->r[3] = 0x2000;
    t->r[4] = encode(T_LI, 2, 5);
    t->r[5] = 0x2000;
    run();
    g_assert_cmpuint(t->r[7], ==, 2);
    g_assert_cmpuint(t->r[2], ==, 5);
    g_assert_cmpuint(*word(0x2800), ==, 5);
}

static void test_smc_loop(void)
{
    ToyCpu *t = one(0x1000);

    /* Each round rewrites its own immediate: r2 is added up from 1 to 50. */
    CODE(0x1000, {{T_LI, 1, 50},
                  {T_LI, 2, 0},
                  {T_ADD, 7, RR(7, 2)},
                  {T_ADD, 4, RR(4, 5)},
                  {T_ST32, 4, 3},
                  {T_ADDI, 1, -1},
                  {T_JNZ, 1, -5},
                  {T_STOP, 0, 0}});
    t->r[3] = 0x1004;
    t->r[4] = encode(T_LI, 2, 0);
    t->r[5] = 0x10000;
    run();
    g_assert_cmpuint(t->r[7], ==, 49 * 50 / 2);
}

static void check_regions(const ToyCpu *t)
{
    if (use_interp) {
        g_assert_cmpuint(t->regions, ==, 0);
    } else {
        g_assert_cmpuint(t->regions, >=, 1);
    }
}

static void test_region(void)
{
    ToyCpu *t = one(0x1000);

    /* 100 times: r2 goes up 100 times by r1 and into memory; a call in another page in between. */
    CODE(0x1000, {{T_LI, 1, 100},
                  {T_LI, 3, 100},
                  {T_ADD, 2, RR(2, 1)},
                  {T_ST, 2, 4},
                  {T_ADDI, 3, -1},
                  {T_JNZ, 3, -3},
                  {T_LI, 6, 0x1024},
                  {T_JR, 5, 0},
                  {T_NOP, 0, 0},
                  {T_ADDI, 1, -1},
                  {T_JNZ, 1, -9},
                  {T_STOP, 0, 0}});
    CODE(0x2000, {{T_ADDI, 7, 1}, {T_JR, 6, 0}});
    t->r[4] = 0x3000;
    t->r[5] = 0x2000;
    run();
    g_assert_cmpuint(t->r[2], ==, 100 * (100 * 101 / 2));
    g_assert_cmpuint(*word(0x3000), ==, t->r[2]);
    g_assert_cmpuint(t->r[7], ==, 100);
    g_assert_cmpuint(t->pc, ==, 0x102c);
    check_regions(t);
}

/* A fault in the middle of a region finds all registers as they are there. */
static void test_region_fault(void)
{
    ToyCpu *t = one(0x1000);

    /* clang-format off */
    CODE(0x1000, {{T_ADDI, 2, 8}, {T_ADDI, 3, 3}, {T_LD, 1, 2}, {T_ADDI, 3, -2}, {T_JNZ, 2, -4},
                  {T_STOP, 0, 0}});
    /* clang-format on */
    t->r[2] = 0x4000;
    t->map[0xc] = 0;
    run();
    g_assert_cmpuint(t->faults, ==, 1);
    g_assert_cmphex(t->fault_va, ==, 0xc000);
    g_assert_cmphex(t->fault_pc, ==, 0x1008);
    g_assert_cmphex(t->r[2], ==, 0xc000);
    g_assert_cmpuint(t->r[3], ==, 0x1000 + 2);
    check_regions(t);
}

/* A region that writes to itself when it has been hot for long. */
static void test_region_smc(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_LI, 2, 1},
                  {T_ADD, 7, RR(7, 2)},
                  {T_ADDI, 1, -1},
                  {T_JNZ, 1, -3},
                  {T_ST32, 4, 3},
                  {T_LI, 1, 3000},
                  {T_ADDI, 6, -1},
                  {T_JNZ, 6, -7},
                  {T_STOP, 0, 0}});
    t->r[1] = 3000;
    t->r[3] = 0x1000;
    t->r[4] = encode(T_LI, 2, 5);
    t->r[6] = 4;
    run();
    g_assert_cmpuint(t->r[7], ==, 3000 + 3 * 5 * 3000);
    check_regions(t);
}

/* A loop that jumps by register only; it writes to itself when it has been hot for long. */
static void test_region_jumps(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_ADD, 2, RR(2, 1)},
                  {T_JR, 4, 0},
                  {T_ADDI, 1, -1},
                  {T_JNZ, 1, 2},
                  {T_JR, 6, 0},
                  {T_JR, 7, 0},
                  {T_NOP, 0, 0},
                  {T_NOP, 0, 0},
                  {T_ST32, 0, 3},
                  {T_LI, 1, 3000},
                  {T_ADDI, 5, -1},
                  {T_JNZ, 5, 2},
                  {T_STOP, 0, 0},
                  {T_JR, 7, 0}});
    t->r[0] = encode(T_ADD, 2, RR(2, 5));
    t->r[1] = 3000;
    t->r[3] = t->r[7] = 0x1000;
    t->r[4] = 0x1008;
    t->r[5] = 3;
    t->r[6] = 0x1020;
    run();
    g_assert_cmpuint(t->r[2], ==, 3000 * 3001 / 2 + 3000 * (2 + 1));
    check_regions(t);
}

static void test_region_jumps_fault(void)
{
    ToyCpu *t = one(0x1000);

    /* clang-format off */
    CODE(0x1000, {{T_ADDI, 2, 8}, {T_JR, 4, 0}, {T_ADDI, 3, 3}, {T_LD, 1, 2}, {T_ADDI, 3, -2},
                  {T_JR, 7, 0}});
    /* clang-format on */
    t->r[2] = 0x4000;
    t->r[4] = 0x1008;
    t->r[7] = 0x1000;
    t->map[0xc] = 0;
    run();
    g_assert_cmpuint(t->faults, ==, 1);
    g_assert_cmphex(t->fault_va, ==, 0xc000);
    g_assert_cmphex(t->fault_pc, ==, 0x100c);
    g_assert_cmphex(t->r[2], ==, 0xc000);
    g_assert_cmpuint(t->r[3], ==, 0x1000 + 2);
    check_regions(t);
}

static void test_dma(void)
{
    ToyCpu *t = one(0x1000);
    uint32_t new = encode(T_LI, 2, 9);

    CODE(0x1000, {{T_LI, 2, 1}, {T_STOP, 0, 0}});
    run();
    g_assert_cmpuint(t->r[2], ==, 1);
    address_space_write(vm->memory_as, 0x1000, ATTRS_NONE, &new, 4);
    t->pc = 0x1000;
    t->done = false;
    run();
    g_assert_cmpuint(t->r[2], ==, 9);
}

static uint64_t device_value;

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    g_assert_true(machine_locked());
    return device_value + offset;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    device_value = value;
}

static const RegionOps device_ops = {.read = device_read, .write = device_write};

static void test_mmio(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_ST32, 4, 3}, {T_LD, 5, 6}, {T_STOP, 0, 0}});
    t->r[3] = MMIO_BASE;
    t->r[4] = 40;
    t->r[6] = MMIO_BASE + 8;
    run();
    g_assert_cmpuint(device_value, ==, 40);
    g_assert_cmpuint(t->r[5] & 0xffffffff, ==, 48);
}

/* All vCPUs count in the same word: aligned, and over a page's end. */
static void count_together(uint64_t va)
{
    flush_all();
    CODE(0x1000, {{T_LI, 4, 1}, {T_XADD, 4, 3}, {T_ADDI, 1, -1}, {T_JNZ, 1, -3}, {T_STOP, 0, 0}});
    memset(word(va & ~7ull), 0, 16);
    for (unsigned i = 0; i < ARRAY_COUNT(toys); i++) {
        prepare(toys[i], 0x1000);
        toys[i]->r[1] = 2000;
        toys[i]->r[3] = va;
    }
    run();
    uint64_t sum;
    memcpy(&sum, (uint8_t *)region_host(&ram) + va, 8);
    g_assert_cmpuint(sum, ==, 2000 * ARRAY_COUNT(toys));
}

static void test_atomic(void)
{
    count_together(0x40010);
}

static void test_exclusive(void)
{
    count_together(0x40ffc);
}

static void count_work(Cpu *cpu, uint64_t data)
{
    g_assert_true(current_cpu() == cpu);
    TOY(cpu)->works += (unsigned)data;
}

static void test_work(void)
{
    ToyCpu *t = one(0x1000);
    int status;

    /* While it loops for ever. */
    CODE(0x1000, {{T_LI, 1, 1}, {T_JNZ, 1, -1}, {T_STOP, 0, 0}});
    t->works = 0;
    t->cpu.halted = false;
    vm_start(vm);
    for (unsigned i = 0; i < 100; i++) {
        cpu_run_on(&t->cpu, count_work, 1);
        cpu_run_on_wait(&t->cpu, count_work, 2);
    }
    vm_stop(vm, RUN_STATE_PAUSED);
    runstate_carry_out(vm, &status);
    g_assert_cmpuint(t->works, ==, 300);
    g_assert_true(t->cpu.stopped);
    /* A paused vCPU works its queue too. */
    cpu_run_on_wait(&t->cpu, count_work, 5);
    g_assert_cmpuint(t->works, ==, 305);
}

static void test_breakpoint(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_LI, 1, 3},
                  {T_ADDI, 2, 1},
                  {T_ADDI, 1, -1},
                  {T_JNZ, 1, -2},
                  {T_STOP, 0, 0}});
    g_assert_true(cpu_breakpoint_insert(&t->cpu, 0x1008, 1, BP_DEBUGGER | BP_EXEC));
    run();
    g_assert_cmphex(t->pc, ==, 0x1008);
    g_assert_cmpuint(t->r[2], ==, 1);
    g_assert_false(t->done);

    /* Over it by a step, then to it again. */
    t->cpu.singlestep = true;
    run();
    t->cpu.singlestep = false;
    g_assert_cmphex(t->pc, ==, 0x100c);
    g_assert_cmpuint(t->r[1], ==, 2);
    run();
    g_assert_cmphex(t->pc, ==, 0x1008);
    g_assert_cmpuint(t->r[2], ==, 2);
    cpu_breakpoints_clear(&t->cpu, BP_DEBUGGER);
    run();
    g_assert_true(t->done);
    g_assert_cmpuint(t->r[2], ==, 3);
}

static void test_watchpoint(void)
{
    ToyCpu *t = one(0x1000);

    CODE(0x1000, {{T_ST, 2, 3}, {T_ST, 2, 4}, {T_LI, 5, 1}, {T_STOP, 0, 0}});
    t->r[2] = 99;
    t->r[3] = 0x30000;
    t->r[4] = 0x30010;
    *word(0x30010) = 0;
    g_assert_true(cpu_breakpoint_insert(&t->cpu, 0x30014, 4, BP_DEBUGGER | BP_WRITE));
    run();
    g_assert_false(t->done);
    g_assert_cmphex(t->pc, ==, 0x1008);
    g_assert_cmpuint(*word(0x30010), ==, 99);
    g_assert_cmpuint(t->r[5], ==, 0);
    cpu_breakpoints_clear(&t->cpu, BP_DEBUGGER);
    run();
    g_assert_cmpuint(t->r[5], ==, 1);
}

static void test_debug_rw(void)
{
    ToyCpu *t = one(0x1000);
    uint32_t v = 0xdeadbeef;

    t->map[0x33] = 0;
    g_assert_true(cpu_debug_rw(&t->cpu, 0x31ffe, &v, 4, true));
    v = 0;
    g_assert_true(cpu_debug_rw(&t->cpu, 0x31ffe, &v, 4, false));
    g_assert_cmphex(v, ==, 0xdeadbeef);
    g_assert_false(cpu_debug_rw(&t->cpu, 0x32ffe, &v, 4, false));
}

/* 64 pages of tiny blocks, sixteen times with changed code: those made last stay. */
static void test_full(void)
{
    ToyCpu *t = one(0x10000);

    for (unsigned round = 0; round < 16; round++) {
        for (uint64_t pa = 0x10000; pa < 0x50000; pa += 8) {
            insn(pa, T_ADDI, 2, 1 + (int)round);
            insn(pa + 4, T_JNZ, 2, 1);
        }
        insn(0x50000, T_STOP, 0, 0);
        region_dirty_set(&ram, 0x10000, 0x40004);
        one(0x10000);
        run();
        g_assert_cmpuint(t->r[2], ==, (uint64_t)(1 + round) * 0x40000 / 8);
    }
    one(0x4e000);
    run();
    g_assert_cmpuint(t->translations, <=, 1);
}

static void test_fallback(void)
{
    Vm *other = vm_new();
    g_autoptr(GError) e1 = NULL, e2 = NULL;
    static char *const bad[] = {(char *)"tgc", NULL};
    static char *const prop[] = {(char *)"tcg,thread=many", NULL};

    g_assert_false(accel_start(other, bad, &e1));
    g_assert_nonnull(strstr(e1->message, "did you mean 'tcg'"));
    g_assert_false(accel_start(other, prop, &e2));
    g_assert_nonnull(strstr(e2->message, "thread"));
    vm_free(other);
}

static void machine_up(void)
{
    GError *error = NULL;
    char *list[] = {(char *)accel_options, NULL};

    main_loop_init();
    vm = vm_new();
    address_spaces_init(vm);
    g_assert_true(accel_start(vm, list, &error));
    g_assert_true(region_init_ram(&ram, NULL, "ram", RAM_SIZE, &error));
    region_add(vm->memory, 0, &ram, 0);
    region_init_io(&mmio, NULL, "device", 0x1000, &device_ops, NULL);
    region_add(vm->memory, MMIO_BASE, &mmio, 0);
    for (unsigned i = 0; i < ARRAY_COUNT(toys); i++) {
        ToyCpu *t = g_aligned_alloc0(1, sizeof(*t), 64);
        t->cpu.arch = &toy_arch;
        t->cpu.dev.vm = vm;
        t->cpu.index = i;
        t->cpu.as = vm->memory_as;
        t->done = t->cpu.halted = true;
        toys[i] = t;
        g_ptr_array_add(vm->cpus, t);
        g_assert_true(cpu_start_thread(&t->cpu, &error));
    }
}

static void test_again(const void *how)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    const char *with = g_getenv("TEST_RUN_WITH"); /* an emulator of the host this is built for */
    g_autofree char *command = g_strdup_printf("%s %s %s", with ? with : "", self, (char *)how);
    g_autofree char *out = NULL;
    int status = 1;

    g_assert_true(g_spawn_command_line_sync(command, &out, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

int main(int argc, char **argv)
{
    const bool again = argc > 1 && g_str_has_prefix(argv[1], "tcg,");
    accel_options = again ? argv[1] : accel_options;
    use_interp = strstr(accel_options, "interp=on") != NULL;
    argc = again ? 1 : argc;
    g_test_init(&argc, &argv, NULL);
    machine_up();
    g_test_add_func("/tcg/loop", test_loop);
    g_test_add_func("/tcg/lookup", test_lookup);
    g_test_add_func("/tcg/victims", test_victims);
    g_test_add_func("/tcg/fault", test_fault);
    g_test_add_func("/tcg/fault-cold", test_fault_cold);
    g_test_add_func("/tcg/flush", test_flush);
    g_test_add_func("/tcg/remap", test_remap);
    g_test_add_func("/tcg/smc-own-block", test_smc_own_block);
    g_test_add_func("/tcg/smc-other-block", test_smc_other_block);
    g_test_add_func("/tcg/smc-loop", test_smc_loop);
    g_test_add_func("/tcg/region", test_region);
    g_test_add_func("/tcg/region-fault", test_region_fault);
    g_test_add_func("/tcg/region-smc", test_region_smc);
    g_test_add_func("/tcg/region-jumps", test_region_jumps);
    g_test_add_func("/tcg/region-jumps-fault", test_region_jumps_fault);
    g_test_add_func("/tcg/dma", test_dma);
    g_test_add_func("/tcg/mmio", test_mmio);
    g_test_add_func("/tcg/atomic", test_atomic);
    g_test_add_func("/tcg/exclusive", test_exclusive);
    g_test_add_func("/tcg/work", test_work);
    g_test_add_func("/tcg/breakpoint", test_breakpoint);
    g_test_add_func("/tcg/watchpoint", test_watchpoint);
    g_test_add_func("/tcg/debug-rw", test_debug_rw);
    g_test_add_func("/tcg/full", test_full);
    g_test_add_func("/tcg/fallback", test_fallback);
    if (!again) {
        g_test_add_data_func("/tcg/interp", "tcg,tb-size=4,interp=on", test_again);
    }
    if (!again && engine_native() && engine_native()->generate_first) { /* else there is one tier */
        g_test_add_data_func("/tcg/best", "tcg,tb-size=4,tier=best", test_again);
        g_test_add_data_func("/tcg/first", "tcg,tb-size=4,tier=first", test_again);
    }
    return g_test_run();
}
