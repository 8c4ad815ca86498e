// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host CPU as oracle: random x86-64 user instructions, made from the rows of the opcode tables,
 * are run by the host itself and as guest code at the same addresses; all registers, flags and
 * memory that they leave must be the same. Runs with the host's engine and, in processes of their
 * own, with the tier alone that is for code that runs often, and interpreted.
 *
 * A case loads all registers, runs its instructions, stores all registers; cases follow each other.
 * What the manual leaves undefined in the flags is cleared after the instruction.
 */
#include "accel/accel.h"
#include "target-i386/translate.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/timer.h"

#include <cpuid.h>
#include <string.h>
#include <sys/mman.h>

#define CODE_VA 0x10000000ull
#define CODE_PA 0x400000ull
#define AREA_SIZE (4 * MIB)
#define DATA_OFFSET (2 * MIB)
#define RAM_SIZE (16 * MIB)
#define ARITH_FLAGS 0x8d5u

/* A case's memory, at CODE_VA + DATA_OFFSET + n * sizeof(Case). */
typedef struct Case {
    uint64_t regs[16];
    uint64_t flags;
    uint64_t pad;
    uint8_t xmm_in[16][16], xmm[16][16];
    uint8_t data[256];          /* r15 points into the middle */
    uint8_t stack[128];         /* rsp points into the middle */
    uint8_t fx[512];            /* FXSAVE area: x87 and MXCSR */
    uint32_t mxcsr, pad2[3];
} Case;
enum { MAX_CASES = 1200, MAX_INSNS = 10 };

typedef struct Program {
    uint8_t *area;              /* host's copy, mapped at CODE_VA */
    uint8_t *p;                 /* where code goes on */
    unsigned num_cases;
    uint32_t start[MAX_CASES + 1], body[MAX_CASES], body_end[MAX_CASES];
} Program;

static Vm *vm;
static Region ram;
static X86Cpu *guest;
static Program prog;

/* ---- running on the host ---- */

void host_enter(void (*code)(void), void **back);
__asm__(".text\n"
        "host_enter:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  lea 1f(%rip), %rax\n  mov %rax, (%rsi)\n"
        "  mov %rsp, host_sp(%rip)\n"
        "  jmp *%rdi\n"
        "1: mov host_sp(%rip), %rsp\n  cld\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n"
        ".local host_sp\n.comm host_sp, 8, 8\n");

/* ---- code ---- */

static void byte(unsigned b)
{
    *prog.p++ = (uint8_t)b;
}

static void bytes(uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        byte((uint8_t)(v >> 8 * i));
    }
}

/* The same cases each time; X86_HOST_SEED in the environment makes others. */
static uint64_t seed = 88172645463325252ull;

static uint32_t random32(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static unsigned pick(unsigned n)
{
    return random32() % n;
}

static uint64_t random64(void)
{
    static const uint64_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
                                     0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ull};
    uint64_t v = (uint64_t)random32() << 32 | random32();

    switch (pick(4)) {
    case 0: return edges[pick(ARRAY_COUNT(edges))];
    case 1: return v & 0x3f;
    default: return v;
    }
}

static uint64_t case_va(unsigned n, size_t member)
{
    return CODE_VA + DATA_OFFSET + n * sizeof(Case) + member;
}
#define AT(n, member) case_va(n, offsetof(Case, member))

static void abs_operand(unsigned reg, uint64_t va)
{
    byte(4 | (reg & 7) << 3);
    byte(0x25);
    bytes(va, 4);
}

/* Whether the tables have vector moves. */
static bool have_sse(void)
{
    static const uint8_t movdqu[] = {0xf3, 0x0f, 0x6f, 0xc0};
    X86Insn i;

    return x86_decode(&i, movdqu, sizeof(movdqu), (X86DecodeMode){.code64 = true}) == X86_OK;
}

static void load_registers(unsigned n)
{
    Case *c = (Case *)(prog.area + DATA_OFFSET) + n;

    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 16; k += 8) {
            uint64_t v = random64();
            memcpy(&c->xmm_in[i][k], &v, 8);
        }
        if (have_sse()) {
            byte(0xf3);                         /* movdqu */
            byte(0x40 | (i & 8) >> 1);
            byte(0x0f);
            byte(0x6f);
            abs_operand(i, AT(n, xmm_in) + 16 * i);
        }
    }
    c->mxcsr = 0x1f80;
    byte(0x0f);                                 /* ldmxcsr; fninit; fld qword a few times */
    byte(0xae);
    abs_operand(2, AT(n, mxcsr));
    byte(0xdb);
    byte(0xe3);
    for (unsigned i = 5 + pick(4); i > 0; i--) {
        byte(0xdd);
        abs_operand(0, AT(n, data) + 8 * i);
    }
    byte(0xbc);
    bytes(AT(n, stack) + 64, 4);                /* mov esp */
    byte(0x68);
    bytes((random64() & ARITH_FLAGS) | 2, 4);   /* push; popf */
    byte(0x9d);
    for (unsigned i = 0; i < 16; i++) {
        if (i == R_SP) {
            continue;
        }
        byte(i & 8 ? 0x49 : 0x48);
        byte(0xb8 | (i & 7));
        bytes(i == 15 ? AT(n, data) + 128 : random64(), 8);
    }
    for (unsigned i = 0; i < sizeof(c->data); i += 8) {
        uint64_t v = random64();
        memcpy(c->data + i, &v, 8);
    }
}

static void store_registers(unsigned n)
{
    for (unsigned i = 0; i < 16; i++) {
        byte(i & 8 ? 0x4c : 0x48);
        byte(0x89);
        abs_operand(i, AT(n, regs) + 8 * i);
    }
    byte(0x48);                                 /* fxsave64 */
    byte(0x0f);
    byte(0xae);
    abs_operand(0, AT(n, fx));
    byte(0x9c);                                 /* pushf; pop [flags] */
    byte(0x8f);
    abs_operand(0, AT(n, flags));
    for (unsigned i = 0; i < 16 && have_sse(); i++) {
        byte(0xf3);
        byte(0x40 | (i & 8) >> 1);
        byte(0x0f);
        byte(0x7f);
        abs_operand(i, AT(n, xmm) + 16 * i);
    }
}

/*
 * What of an FXSAVE image is compared: not the last instruction and operand, not MXCSR_MASK, not
 * what is reserved, nor empty registers, nor the vectors, which are stored by moves. SDM 1 table
 * 10-2.
 */
static void trim_fx(uint8_t *fx)
{
    for (unsigned i = 0; i < 8; i++) {
        if (!(fx[4] >> ((fx[3] >> 3 & 7) + i) % 8 & 1)) {
            memset(fx + 32 + 16 * i, 0, 10);
        }
    }
    /* DE: a NaN takes precedence; not modelled for memory operands */
    fx[2] &= (uint8_t)~2;
    fx[3] &= (uint8_t)~2;                       /* C1, "rounded up", is not kept for all */
    memset(fx + 6, 0, 18);
    memset(fx + 28, 0, 4);
    for (unsigned i = 0; i < 8; i++) {
        memset(fx + 32 + 16 * i + 10, 0, 6);
    }
    memset(fx + 160, 0, 352);
}

static void clear_flags(unsigned mask)
{
    byte(0x9c);                                 /* pushf; and dword [rsp], ~mask; popf */
    byte(0x81);
    byte(0x24);
    byte(0x24);
    bytes(~(uint64_t)mask, 4);
    byte(0x9d);
}

/* ---- instructions from rows ---- */

static bool in_list(const char *name, const char *const *list)
{
    for (; *list; list++) {
        if (strcmp(*list, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool operand_allowed(X86OpSpec o)
{
    switch (o.op) {
    case X86_OP_NONE: case X86_OP_E: case X86_OP_G: case X86_OP_R: case X86_OP_M: case X86_OP_I:
    case X86_OP_Z: case X86_OP_V: case X86_OP_W: case X86_OP_U: case X86_OP_AX: case X86_OP_CL:
    case X86_OP_ONE:
    case X86_OP_XMM0:
    case X86_OP_B:
    case X86_OP_H:
    case X86_OP_ST0:
    case X86_OP_STI:
        return o.size != X86_SZ_P && o.size != X86_SZ_S && o.size != X86_SZ_A;
    default:
        return false;
    }
}

/* Rows that need privilege, divide, leave the path or depend on the host. */
static bool row_allowed(const X86Row *r)
{
    static const char *const no[] = {
        "ARPL",       "IN",         "OUT",        "BOUND",    "CLAC",      "STAC",     "CLI",
        "STI",        "CLTS",       "CPUID",      "DIV",      "IDIV",      "ENTER",    "LEAVE",
        "FXRSTOR",    "FXSAVE",     "HLT",        "INT1",     "INT3",      "INTO",     "INVLPG",
        "INVPCID",    "IRET",       "JMP_ind",    "CALL_ind", "LAR",       "LSL",      "LDMXCSR",
        "STMXCSR",    "LLDT",       "LMSW",       "LTR",      "SLDT",      "SMSW",     "STR",
        "SGDT",       "SIDT",       "LGDT",       "LIDT",     "MONITOR",   "MWAIT",    "POPF",
        "PUSHF",      "RDFSGSBASE", "WRFSGSBASE", "RDMSR",    "WRMSR",     "RDPID",    "RDPMC",
        "RDRAND",     "RDTSC",      "RDTSCP",     "RET",      "RETF",      "RSM",      "STD",
        "SWAPGS",     "RDPKRU",     "WRPKRU",     "SYSCALL",  "SYSENTER",  "SYSEXIT",  "SYSRET",
        "UD",         "VERR",       "VERW",       "VMCALL",   "VMMCALL",   "VMRUN",    "VMLOAD",
        "VMSAVE",     "STGI",       "CLGI",       "SKINIT",   "INVLPGA",   "VMLAUNCH", "VMRESUME",
        "VMXOFF",     "VMXON",      "VMCLEAR",    "VMPTRLD",  "VMPTRST",   "VMREAD",   "VMWRITE",
        "INVEPT",     "INVVPID",    "WBINVD",     "XGETBV",   "XSETBV",    "XLAT",     "XRSTOR",
        "XRSTORS",    "XSAVE",      "XSAVEC",     "XSAVEOPT", "XSAVES",    "CLFLUSH",  "EMMS",
        "MASKMOVDQU", "MASKMOVQ",   "INVD",       "JMPF_ind", "CALLF_ind", "PREFETCH", "FENCE",
        "PAUSE",      "FWAIT",      "LDMXCSR",    "STMXCSR",  "CLZERO",    "INT",      "POPA",
        "PUSHA",      "FLDCW",      "FLDENV",     "FRSTOR",   "FNSAVE",    "FNSTENV",  "FSAVE",
        "FSTENV",     NULL,
    };

    if (r->flags & (X86_ROW_I64 | X86_ROW_MMX | X86_ROW_VEX | X86_ROW_VSIB) ||
        r->map > X86_MAP_0F3A || in_list(r->name, no) ||
        (r->map == X86_MAP_0F && r->opcode == 0x0d) || /* prefetches */
        /* an alias that takes no stack faults */
        strncmp(r->text, "fstp1", 5) == 0 ||
        /* condition bits of a part of a division */
        strncmp(r->text, "fprem", 5) == 0) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (!operand_allowed(r->ops[i])) {
            return false;
        }
    }
    return r->feature < 0 || x86_has_feature(guest, (unsigned)r->feature);
}

typedef struct Encoding {
    unsigned rex, modrm;
    bool osz, mem;
} Encoding;

static bool is_shift(const X86Row *r)
{
    static const char *const names[] = {"SHL", "SHR", "SAR",  "ROL",  "ROR",
                                        "RCL", "RCR", "SHLD", "SHRD", NULL};

    return in_list(r->name, names);
}

static bool has_operand(const X86Row *r, unsigned op, unsigned size)
{
    for (unsigned i = 0; i < 4; i++) {
        if (r->ops[i].op == op && (size == X86_SZ_NONE || r->ops[i].size == size)) {
            return true;
        }
    }
    return false;
}

static bool vector_operand(const X86Row *r, unsigned i)
{
    unsigned op = r->ops[i].op;

    return op == X86_OP_V || op == X86_OP_W || op == X86_OP_U;
}

static void modrm(const X86Row *r, Encoding *e)
{
    unsigned reg = r->reg >= 0 ? (unsigned)r->reg : pick(8),
             rm = r->rm >= 0 ? (unsigned)r->rm : pick(8);
    bool only_mem = r->flags & X86_ROW_MEM || has_operand(r, X86_OP_M, X86_SZ_NONE);
    bool only_reg = r->flags & X86_ROW_REG || has_operand(r, X86_OP_R, X86_SZ_NONE) ||
                    has_operand(r, X86_OP_U, X86_SZ_NONE);
    bool bit_string =
        r->name[0] == 'B' && r->name[1] == 'T' && has_operand(r, X86_OP_G, X86_SZ_NONE);

    e->mem = only_mem || (!only_reg && !bit_string && r->rm < 0 && pick(2));
    if (e->mem) {
        e->rex = (e->rex & ~2u) | 0x41;         /* [r15 + disp8] */
        e->modrm = 0x40 | reg << 3 | 7;
    } else {
        e->modrm = 0xc0 | reg << 3 | rm;
    }
}

/* Whether the instruction leaves the case's frame alone: not rsp, not r15. */
static bool harmless(const X86Insn *i)
{
    for (unsigned k = 0; k < 4; k++) {
        const X86Operand *o = &i->op[k];
        if (o->kind == X86_REG && !o->high && (o->reg == R_SP || o->reg == 15)) {
            return false;
        }
    }
    return true;
}

static unsigned imm_bytes(X86OpSpec o, const Encoding *e)
{
    switch (o.size) {
    case X86_SZ_B: case X86_SZ_BS: return 1;
    case X86_SZ_W: return 2;
    case X86_SZ_V: return e->rex & 8 ? 8 : e->osz ? 2 : 4;
    default: return e->osz && !(e->rex & 8) ? 2 : 4;
    }
}

static void encode(const X86Row *r, Encoding *e)
{
    static const unsigned prefix[] = {
        [X86_PFX_66] = 0x66, [X86_PFX_F3] = 0xf3, [X86_PFX_F2] = 0xf2};

    if (e->osz) {
        byte(0x66);
    }
    if (r->prefix > X86_PFX_NP && !(e->osz && r->prefix == X86_PFX_66)) {
        byte(prefix[r->prefix]);
    }
    if (e->rex) {
        byte(0x40 | e->rex);
    }
    if (r->map != X86_MAP_1) {
        byte(0x0f);
    }
    if (r->map == X86_MAP_0F38 || r->map == X86_MAP_0F3A) {
        byte(r->map == X86_MAP_0F38 ? 0x38 : 0x3a);
    }
    byte(r->opcode + (r->flags & X86_ROW_PLUS_R ? e->modrm & 7 : 0));
    if (r->flags & X86_ROW_MODRM) {
        byte(e->modrm);
        if (e->mem) {
            byte((pick(8) - 4) * 16);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        if (r->ops[i].op == X86_OP_I) {
            bytes(random64(), imm_bytes(r->ops[i], e));
        }
    }
}

/* One instruction of this row; false: no luck, nothing emitted. */
static bool emit_insn(const X86Row *r)
{
    const X86DecodeMode mode = {.code64 = true};
    uint8_t *start = prog.p;
    bool sse = vector_operand(r, 0) || vector_operand(r, 1);
    Encoding e = {0};
    X86Insn i;

    if (r->prefix == X86_PFX_ANY && !sse && pick(4) == 0 && strcmp(r->name, "BSWAP") &&
        strncmp(r->name, "SH", 2)) {
        e.osz = true;
    }
    if (pick(2)) {
        e.rex = 0x40 | pick(16);
    }
    e.modrm = pick(8);
    if (r->flags & X86_ROW_MODRM) {
        modrm(r, &e);
    }
    encode(r, &e);
    if (x86_decode(&i, start, (unsigned)(prog.p - start), mode) != X86_OK || i.row != r ||
        !harmless(&i) || i.len != prog.p - start) {
        prog.p = start;
        return false;
    }
    unsigned undefined = r->undefined;
    if (is_shift(r)) {
        undefined |= 0x810 | (i.op[0].size < 2 ? 1 : 0);
    }
    if (undefined & ARITH_FLAGS) {
        clear_flags(undefined & ARITH_FLAGS);
    }
    return true;
}

/* A string instruction with its registers set up, both directions, plain and repeated. */
static void emit_string(unsigned n)
{
    static const uint8_t opcodes[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};
    const bool down = pick(2);

    byte(0xbe);                                 /* mov esi; mov edi; mov ecx */
    bytes(AT(n, data) + 100 + pick(24), 4);
    byte(0xbf);
    bytes(AT(n, data) + 100 + pick(24), 4);
    byte(0xb9);
    bytes(pick(13), 4);
    if (down) {
        byte(0xfd);
    }
    unsigned repeat = pick(3), size = pick(4);
    if (size == 0) {
        byte(0x66);
    }
    if (pick(8) == 0) {
        byte(0x67);
    }
    if (repeat) {
        byte(repeat == 1 ? 0xf2 : 0xf3);
    }
    if (size == 1) {
        byte(0x48);
    }
    byte(opcodes[pick(ARRAY_COUNT(opcodes))]);
    if (down) {
        byte(0xfc);
    }
}

static void begin_program(void)
{
    memset(prog.area, 0, AREA_SIZE);
    prog.p = prog.area;
    prog.num_cases = 0;
}

static bool room_left(void)
{
    return prog.num_cases < MAX_CASES && prog.p < prog.area + DATA_OFFSET - 4096;
}

static void begin_case(void)
{
    prog.start[prog.num_cases] = (uint32_t)(prog.p - prog.area);
    load_registers(prog.num_cases);
    prog.body[prog.num_cases] = (uint32_t)(prog.p - prog.area);
}

static void end_case(void)
{
    prog.body_end[prog.num_cases] = (uint32_t)(prog.p - prog.area);
    store_registers(prog.num_cases++);
}

/* ---- both sides ---- */

/* The program is 32-bit code in compatibility mode. */
static bool compat;

static void long_mode(void)
{
    X86Cpu *c = guest;
    uint32_t code = compat ? SEG_B : SEG_L;

    c->efer = EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE;
    c->cr3 = 0x1000;
    c->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_MP | CR0_WP;
    for (unsigned i = 0; i < 6; i++) {
        x86_set_seg(c, i, 0x10, 0, 0xffffffff, SEG_P | SEG_S | SEG_W | SEG_A | SEG_G | SEG_B);
    }
    x86_set_seg(c, S_CS, 8, 0, 0xffffffff, SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A | SEG_G | code);
}

static void on_tick(void *opaque)
{
}

static void run_guest(void)
{
    Timer tick;
    int status;

    timer_init(&tick, CLOCK_RT, on_tick, NULL);
    vm_start(vm);               /* the first one resets */
    vm_stop(vm, RUN_STATE_PAUSED);
    long_mode();
    guest->cpu.halted = false;
    guest->rip = CODE_VA;
    tlb_flush(&guest->cpu);
    vm_start(vm);
    while (!guest->cpu.halted && runstate_running()) {
        timer_set_ns(&tick, clock_now_ns(CLOCK_RT) + 500 * 1000);
        main_loop_iterate(true);
        runstate_carry_out(vm, &status);
    }
    timer_cancel(&tick);
    vm_stop(vm, RUN_STATE_PAUSED);
    g_assert_true(guest->cpu.halted);
}

static void describe(unsigned n, GString *out)
{
    const X86DecodeMode mode = {.code64 = true};
    uint32_t at = prog.body[n];

    while (at < prog.body_end[n]) {
        X86Insn i;
        if (x86_decode(&i, prog.area + at, 15, mode) != X86_OK) {
            break;
        }
        x86_print_insn(&i, CODE_VA + at, mode, out);
        g_string_append(out, "; ");
        at += i.len;
    }
    g_string_append(out, "\n");
}

static void describe_difference(const Case *in, const Case *host, const Case *got, GString *out)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp",  "rbp",
                                        "rsi", "rdi", "r8",  "r9",  "r10",  "r11",
                                        "r12", "r13", "r14", "r15", "flags"};

    for (unsigned i = 0; i < 17; i++) {
        uint64_t h = i < 16 ? host->regs[i] : host->flags, g = i < 16 ? got->regs[i] : got->flags;
        if (h != g) {
            g_string_append_printf(
                out, "    %s: host %" G_GINT64_MODIFIER "x guest %" G_GINT64_MODIFIER "x\n",
                names[i], h, g);
        }
    }
    for (unsigned i = 0; i < 16; i++) {
        if (memcmp(host->xmm[i], got->xmm[i], 16)) {
            uint64_t v[6];
            memcpy(v, in->xmm_in[i], 16);
            memcpy(v + 2, host->xmm[i], 16);
            memcpy(v + 4, got->xmm[i], 16);
            g_string_append_printf(out,
                                   "    xmm%u: %016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER
                                   "x host %016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER
                                   "x guest %016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x\n",
                                   i, v[1], v[0], v[3], v[2], v[5], v[4]);
        }
    }
    if (memcmp(host->data, got->data, sizeof(host->data))) {
        g_string_append(out, "    memory differs\n");
    }
    for (unsigned i = 0; i < sizeof(host->fx); i++) {
        if (host->fx[i] != got->fx[i]) {
            g_string_append_printf(out, "    fxsave+%u: host %02x guest %02x\n", i, host->fx[i],
                                   got->fx[i]);
        }
    }
}

static void compare(void)
{
    uint8_t *guest_area = (uint8_t *)region_host(&ram) + CODE_PA;
    g_autoptr(GString) out = g_string_new(NULL);
    uint64_t *exit_slot = (uint64_t *)(prog.area + AREA_SIZE - 8);
    unsigned bad = 0;

    byte(0xff);                                 /* jmp [exit_slot] */
    byte(0x24);
    byte(0x25);
    bytes(CODE_VA + AREA_SIZE - 8, 4);
    byte(0xf4);                                 /* where the guest ends: hlt */
    *exit_slot = CODE_VA + (uint64_t)(prog.p - 1 - prog.area);
    g_autofree uint8_t *before = g_memdup2(prog.area, AREA_SIZE);
    address_space_write(vm->memory_as, CODE_PA, (MemAttrs){0}, prog.area, AREA_SIZE);
    run_guest();
    host_enter((void (*)(void))(uintptr_t)CODE_VA, (void **)exit_slot);
    for (unsigned n = 0; n < prog.num_cases; n++) {
        const Case *in = (const Case *)(before + DATA_OFFSET) + n;
        Case *host = (Case *)(prog.area + DATA_OFFSET) + n,
             *got = (Case *)(guest_area + DATA_OFFSET) + n;
        host->flags &= ARITH_FLAGS;
        got->flags &= ARITH_FLAGS;
        trim_fx(host->fx);
        trim_fx(got->fx);
        memset(host->stack, 0, sizeof(host->stack));        /* pushed flags: IF differs */
        memset(got->stack, 0, sizeof(got->stack));
        if (memcmp(host, got, sizeof(Case)) && bad++ < 12) {
            describe(n, out);
            describe_difference(in, host, got, out);
        }
    }
    if (bad) {
        g_error("%u of %u cases differ\n%s", bad, prog.num_cases, out->str);
    }
}

/* ---- 32-bit code: instructions that 64-bit mode does not have ---- */

void host_enter32(uint64_t code);
void host_back32(void);
__asm__(".text\n"
        "host_enter32:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  mov %ds, %r12d\n  mov %es, %r13d\n  mov %rsp, %r14\n"
        "  mov $0x2b, %eax\n  mov %eax, %ds\n  mov %eax, %es\n"
        "  pushq $0x23\n  push %rdi\n  lretq\n"
        "host_back32:\n"
        "  mov %r14, %rsp\n  mov %r12d, %ds\n  mov %r13d, %es\n  cld\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n");

typedef struct Legacy {
    uint32_t in[8], out[8], flags, undefined;
    uint32_t at, pad;           /* the instruction, from the area's start */
    uint8_t data[64], stack[128];
} Legacy;

static uint32_t legacy_va(unsigned n, size_t member)
{
    return (uint32_t)(CODE_VA + DATA_OFFSET + n * sizeof(Legacy) + member);
}
#define LEGACY_AT(n, member) legacy_va(n, offsetof(Legacy, member))

static void absolute(unsigned opcode, unsigned reg, uint32_t va)
{
    byte(opcode);
    byte(reg << 3 | 5);
    bytes(va, 4);
}

/* One of them; n gives it an address that it may read. */
static void legacy_insn(unsigned n)
{
    static const uint8_t plain[] = {0x27, 0x2f, 0x37, 0x3f, 0xd6, 0x9f, 0x9e,
                                    0x98, 0x99, 0xd7, 0xc9, 0x60, 0x61, 0x9c};
    unsigned kind = pick(24);

    if (pick(4) == 0 && kind != 23 && kind != 19) {
        byte(0x66);
    }
    if (kind < ARRAY_COUNT(plain)) {
        byte(plain[kind]);
    } else if (kind < 16) {
        byte(kind == 14 ? 0xd4 : 0xd5);         /* aam, aad */
        byte(kind == 14 ? 1 + pick(255) : pick(256));
    } else if (kind < 19) {
        unsigned reg = pick(8);
        byte((pick(2) ? 0x40 : 0x48) + (reg == R_SP ? 0 : reg));
    } else if (kind == 19) {
        byte(0x63);                             /* arpl */
        byte(0xc0 | pick(4) << 3 | pick(4));
    } else if (kind == 20) {
        byte(0xc8);                             /* enter */
        bytes(pick(32), 2);
        byte(0);
    } else if (kind == 21) {
        /* push es, ss: their selectors differ, so the slot is overwritten */
        byte(pick(2) ? 0x06 : 0x16);
        byte(0x6a);
        byte(0);
    } else if (kind == 22) {
        byte(0xa0 + pick(4));                   /* mov with an absolute address */
        bytes(LEGACY_AT(n, data) + pick(32), 4);
    } else {
        byte(0x0f);                             /* setcc */
        byte(0x90 + pick(16));
        byte(0xc0 + pick(4));
    }
}

static void legacy_case(unsigned n)
{
    Legacy *l = (Legacy *)(prog.area + DATA_OFFSET) + n;
    uint32_t address = LEGACY_AT(n, data);
    X86Insn i;

    for (unsigned r = 0; r < 8; r++) {
        l->in[r] = (uint32_t)random64();
    }
    /* xlat: data[al], 16 bits of bx with 67 are not made */
    l->in[R_BX] = address;
    l->in[R_BP] = LEGACY_AT(n, stack) + 64;
    l->in[R_AX] &= pick(2) ? 0xffffff3f : 0xffffffff;
    for (unsigned r = 0; r < 8; r++) {
        if (r != R_SP) {
            absolute(0x8b, r, LEGACY_AT(n, in) + 4 * r);
        }
    }
    byte(0xbc);
    bytes(LEGACY_AT(n, stack) + 64, 4);
    byte(0x68);
    bytes((random64() & ARITH_FLAGS) | 2, 4);
    byte(0x9d);
    uint8_t *start = prog.p;
    l->at = (uint32_t)(start - prog.area);
    legacy_insn(n);
    if (x86_decode(&i, start, (unsigned)(prog.p - start), (X86DecodeMode){.code32 = true}) ==
        X86_OK) {
        l->undefined = i.row->undefined;
    }
    for (unsigned r = 0; r < 8; r++) {
        absolute(0x89, r, LEGACY_AT(n, out) + 4 * r);
    }
    byte(0xbc);
    bytes(LEGACY_AT(n, stack) + 32, 4);
    byte(0x9c);
    absolute(0x8f, 0, LEGACY_AT(n, flags));
}

static void legacy_compare(unsigned cases)
{
    uint64_t slot = CODE_VA + AREA_SIZE - 8;
    uint8_t *guest_area = (uint8_t *)region_host(&ram) + CODE_PA, *back;

    byte(0xff);                                 /* jmp [slot] */
    byte(0x25);
    bytes(slot, 4);
    byte(0xf4);
    *(uint32_t *)(prog.area + AREA_SIZE - 8) =
        (uint32_t)(CODE_VA + (uint64_t)(prog.p - 1 - prog.area));
    back = prog.p;
    byte(0xea);                                 /* ljmp $0x33, to 64-bit code: jmp *0(%rip) */
    bytes(CODE_VA + (uint64_t)(prog.p + 6 - prog.area), 4);
    bytes(0x33, 2);
    bytes(0x25ff, 6);
    bytes((uint64_t)(uintptr_t)host_back32, 8);
    address_space_write(vm->memory_as, CODE_PA, (MemAttrs){0}, prog.area, AREA_SIZE);
    compat = true;
    run_guest();
    compat = false;
    *(uint32_t *)(prog.area + AREA_SIZE - 8) = (uint32_t)(CODE_VA + (uint64_t)(back - prog.area));
    host_enter32(CODE_VA);
    /* it came to the end */
    g_assert_cmphex(((Legacy *)(prog.area + DATA_OFFSET) + cases - 1)->out[4], !=, 0);
    for (unsigned n = 0; n < cases; n++) {
        Legacy *host = (Legacy *)(prog.area + DATA_OFFSET) + n,
               *got = (Legacy *)(guest_area + DATA_OFFSET) + n;
        uint32_t keep = ARITH_FLAGS & ~host->undefined;
        bool same = !memcmp(host->out, got->out, sizeof(host->out)) &&
                    !memcmp(host->data, got->data, sizeof(host->data));
        if (!same || (host->flags ^ got->flags) & keep) {
            g_autoptr(GString) text = g_string_new(NULL);
            X86Insn i;
            const uint8_t *p = prog.area + host->at;
            if (x86_decode(&i, p, 15, (X86DecodeMode){.code32 = true}) == X86_OK) {
                x86_print_insn(&i, CODE_VA, (X86DecodeMode){.code32 = true}, text);
            }
            g_error("case %u: %s; eax %x: host %x guest %x, esp host %x guest %x, flags host %x "
                    "guest %x",
                    n, text->str, host->in[0], host->out[0], got->out[0], host->out[4], got->out[4],
                    host->flags, got->flags);
        }
    }
}

/* ---- tests ---- */

/* Every row by itself, several encodings each. */
static void test_rows(void)
{
    unsigned covered = 0;

    for (unsigned r = 0; r < x86_num_rows;) {
        begin_program();
        for (; r < x86_num_rows && room_left(); r++) {
            if (!row_allowed(&x86_rows[r])) {
                continue;
            }
            unsigned made = 0;
            for (unsigned tries = 0; tries < 60 && made < 12 && room_left(); tries++) {
                begin_case();
                if (emit_insn(&x86_rows[r])) {
                    end_case();
                    made++;
                } else {
                    prog.p = prog.area + prog.start[prog.num_cases];
                }
            }
            covered += made > 0;
        }
        compare();
    }
    g_test_message("%u rows of %u", covered, x86_num_rows);
}

/* Sequences: flags that live on, partial registers, store and load. */
static void test_sequences(void)
{
    g_autofree const X86Row **rows = g_new(const X86Row *, x86_num_rows);
    unsigned num = 0;

    for (unsigned r = 0; r < x86_num_rows; r++) {
        /* After a stack fault the x87's condition bits are undefined. */
        if (row_allowed(&x86_rows[r]) && !(x86_rows[r].flags & X86_ROW_FPU)) {
            rows[num++] = &x86_rows[r];
        }
    }
    for (unsigned round = 0; round < 4; round++) {
        begin_program();
        while (room_left()) {
            begin_case();
            for (unsigned i = 0; i < MAX_INSNS; i++) {
                emit_insn(rows[pick(num)]);
            }
            end_case();
        }
        compare();
    }
}

static void test_strings(void)
{
    begin_program();
    while (room_left()) {
        begin_case();
        for (unsigned i = 0; i < 3; i++) {
            emit_string(prog.num_cases);
        }
        end_case();
    }
    compare();
}

static void test_legacy(void)
{
    const unsigned cases = 4000;

    begin_program();
    for (unsigned n = 0; n < cases; n++) {
        legacy_case(n);
    }
    legacy_compare(cases);
}

static bool use_interp, use_best;

static void map_guest(void)
{
    uint8_t *m = region_host(&ram);

    ((uint64_t *)(m + 0x1000))[0] = 0x2003;
    ((uint64_t *)(m + 0x2000))[0] = 0x3003;
    for (unsigned i = 0; i < 8; i++) {
        ((uint64_t *)(m + 0x3000))[CODE_VA / (2 * MIB) + i] = (CODE_PA + i * 2 * MIB) | 0x83;
    }
}

/* The guest has what the host has, whatever its model says: rows are to be tried. */
static void host_features(void)
{
    uint32_t a, b, c, d;

    __cpuid(1, a, b, c, d);
    guest->features[FW_1_ECX] = c;
    guest->features[FW_1_EDX] = d;
    __cpuid_count(7, 0, a, b, c, d);
    guest->features[FW_7_0_EBX] = b;
    guest->features[FW_7_0_ECX] = c;
    guest->features[FW_7_0_EDX] = d;
    __cpuid(0x80000001, a, b, c, d);
    guest->features[FW_8000_0001_ECX] = c;
    guest->features[FW_8000_0001_EDX] = d;
    __cpuid(0x80000008, a, b, c, d);
    guest->features[FW_8000_0008_EBX] = b;
}

static void machine_up(void)
{
    GError *error = NULL;
    char *list[] = {(char *)(use_interp ? "tcg,interp=on,tb-size=32"
                             : use_best ? "tcg,tier=best,tb-size=32" : "tcg,tb-size=32"), NULL};

    main_loop_init();
    vm = vm_new();
    system_bus_new(vm);
    address_spaces_init(vm);
    g_assert_true(accel_start(vm, list, &error));
    g_assert_true(region_init_ram(&ram, NULL, "ram", RAM_SIZE, &error));
    region_add(vm->memory, 0, &ram, 0);
    map_guest();
    Cpu *cpu = target_arch->create(vm, "max,-apic", &error);
    if (!cpu || !device_realize(&cpu->dev, NULL, NULL, &error)) {
        g_error("%s", error->message);
    }
    guest = X86(cpu);
    cpu->halted = true;
    host_features();
    prog.area = mmap((void *)CODE_VA, AREA_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    g_assert_true(prog.area == (void *)CODE_VA);
}

static void test_again(const void *how)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    char *argv[] = {self, (char *)how, NULL};
    int status = 1;

    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                               &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

int main(int argc, char **argv)
{
    use_interp = argc > 1 && strcmp(argv[1], "--interp") == 0;
    use_best = argc > 1 && strcmp(argv[1], "--best") == 0;
    if (use_interp || use_best) {
        memmove(argv + 1, argv + 2, (size_t)(--argc) * sizeof(*argv));
    }
    g_test_init(&argc, &argv, NULL);
    if (g_getenv("X86_HOST_SEED")) {
        seed += g_ascii_strtoull(g_getenv("X86_HOST_SEED"), NULL, 0) * 0x9e3779b97f4a7c15ull;
    }
    machine_up();
    g_test_add_func("/x86-host/rows", test_rows);
    g_test_add_func("/x86-host/sequences", test_sequences);
    g_test_add_func("/x86-host/strings", test_strings);
    g_test_add_func("/x86-host/legacy", test_legacy);
    if (!use_interp && !use_best) {
        g_test_add_data_func("/x86-host/interp", "--interp", test_again);
        g_test_add_data_func("/x86-host/best", "--best", test_again);
    }
    return g_test_run();
}
