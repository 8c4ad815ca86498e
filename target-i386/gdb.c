// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers as gdb sees them (features org.gnu.gdb.i386.core, .sse, .avx and .avx512 of the gdb
 * manual, appendix G.5, and the system registers), and the hooks that only the debugger needs.
 */
#include "target-i386/arch.h"
#include "exec/x86-apic.h"

#include <string.h>
#include "target-i386/seg.h"

typedef enum GdbKind { G_GP, G_PC, G_FLAGS, G_SEG, G_ST, G_FCTRL, G_XMM, G_MXCSR, G_BASE,
               G_SYS, G_YMM_HIGH, G_MASK, G_ZMM_HIGH, G_XMM_MORE, G_YMM_MORE, G_ZMM_MORE } GdbKind;

/* A run of registers in gdb's order. */
typedef struct GdbRun {
    GdbKind kind;
    unsigned count, bytes;
    unsigned feature;    /* that has them; 0: all CPUs */
} GdbRun;

static const GdbRun runs64[] = {
    {G_GP, 16, 8}, {G_PC, 1, 8}, {G_FLAGS, 1, 4}, {G_SEG, 6, 4}, {G_BASE, 7, 8}, {G_SYS, 6, 8},
    {G_ST, 8, 10}, {G_FCTRL, 8, 4}, {G_XMM, 16, 16}, {G_MXCSR, 1, 4},
    {G_YMM_HIGH, 16, 16, FEAT_AVX}, {G_MASK, 8, 8, FEAT_AVX512F}, {G_ZMM_HIGH, 16, 32, FEAT_AVX512F},
    {G_XMM_MORE, 16, 16, FEAT_AVX512F}, {G_YMM_MORE, 16, 16, FEAT_AVX512F},
    {G_ZMM_MORE, 16, 32, FEAT_AVX512F},
};
static const GdbRun runs32[] = {
    {G_GP, 8, 4}, {G_PC, 1, 4}, {G_FLAGS, 1, 4}, {G_SEG, 6, 4}, {G_BASE, 7, 4}, {G_SYS, 6, 4},
    {G_ST, 8, 10}, {G_FCTRL, 8, 4}, {G_XMM, 8, 16}, {G_MXCSR, 1, 4},
    {G_YMM_HIGH, 8, 16, FEAT_AVX}, {G_MASK, 8, 8, FEAT_AVX512F}, {G_ZMM_HIGH, 8, 32, FEAT_AVX512F},
};

static bool is64(void)
{
    return target_arch->word_bits == 64;
}

static bool run_exists(const Cpu *cpu, const GdbRun *r)
{
    return !r->feature || x86_has_feature((const X86Cpu *)cpu, r->feature);
}

/* The run of register n; n becomes the index in it. */
static const GdbRun *find_run(const Cpu *cpu, unsigned *n)
{
    const GdbRun *runs = is64() ? runs64 : runs32;
    unsigned count = is64() ? ARRAY_COUNT(runs64) : ARRAY_COUNT(runs32);

    for (unsigned i = 0; i < count; i++) {
        if (!run_exists(cpu, &runs[i])) {
            continue;
        }
        if (*n < runs[i].count) {
            return &runs[i];
        }
        *n -= runs[i].count;
    }
    return NULL;
}

unsigned x86_gdb_num_regs(Cpu *cpu)
{
    const GdbRun *runs = is64() ? runs64 : runs32;
    unsigned count = is64() ? ARRAY_COUNT(runs64) : ARRAY_COUNT(runs32), n = 0;

    for (unsigned i = 0; i < count; i++) {
        n += run_exists(cpu, &runs[i]) ? runs[i].count : 0;
    }
    return n;
}

/* gdb's order of general registers: 64-bit rax rbx rcx rdx ..., 32-bit as encoded. */
static unsigned gp_index(unsigned i)
{
    static const uint8_t order64[] = {R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP};

    return is64() && i < 8 ? order64[i] : i;
}

static const uint8_t seg_order[] = {S_CS, S_SS, S_DS, S_ES, S_FS, S_GS};

static uint32_t fctrl_read(X86Cpu *c, unsigned i)
{
    switch (i) {
    case 0:
        return c->fp_cw;
    case 1:
        return x87_status(c);
    case 2:
        return x87_tag_word(c);
    case 3:
        return c->fp_cs;
    case 4:
        return c->fp_ip;
    case 5:
        return c->fp_ds;
    case 6:
        return c->fp_dp;
    default:
        return c->fp_op;
    }
}

/* cs_base .. gs_base in the order of the selectors, then k_gs_base. */
static uint64_t *base_at(X86Cpu *c, unsigned i)
{
    return i < 6 ? &c->segs[seg_order[i]].base : &c->kernel_gs_base;
}

static const char *const sys_names[] = {"cr0", "cr2", "cr3", "cr4", "cr8", "efer"};

static uint64_t sys_read(X86Cpu *c, unsigned i)
{
    const uint64_t values[] = {c->cr0, c->cr2, c->cr3, c->cr4, c->apic ? apic_cr8(c->apic) : 0,
                               c->efer};

    return values[i];
}

static void sys_write(X86Cpu *c, unsigned i, uint64_t v)
{
    switch (i) {
    case 0:
        x86_write_cr0(c, v);
        break;
    case 1:
        c->cr2 = v;
        break;
    case 2:
        x86_write_cr3(c, v);
        break;
    case 3:
        x86_write_cr4(c, v);
        break;
    case 4:
        if (c->apic) {
            apic_set_cr8(c->apic, v & 15);
        }
        break;
    default:
        x86_set_efer(c, v);
    }
}

/* Where a register of more than 8 bytes, or a mask register, lies; NULL: another kind. */
static void *vector_at(X86Cpu *c, GdbKind kind, unsigned n)
{
    switch (kind) {
    case G_XMM:
        return &c->xmm[n];
    case G_YMM_HIGH:
        return &c->ymm_hi[n];
    case G_MASK:
        return &c->opmask[n];
    case G_ZMM_HIGH:
        return c->zmm_hi[n];
    case G_XMM_MORE:
        return &c->zmm_more[n][0];
    case G_YMM_MORE:
        return &c->zmm_more[n][1];
    case G_ZMM_MORE:
        return &c->zmm_more[n][2];
    default:
        return NULL;
    }
}

unsigned x86_gdb_read(Cpu *cpu, unsigned n, uint8_t *buf)
{
    X86Cpu *c = X86(cpu);
    const GdbRun *r = find_run(cpu, &n);
    uint64_t v = 0;

    if (!r) {
        return 0;
    }
    switch (r->kind) {
    case G_GP:
        v = c->regs[gp_index(n)];
        break;
    case G_PC:
        v = c->rip;
        break;
    case G_FLAGS:
        v = x86_get_eflags(c);
        break;
    case G_SEG:
        v = c->segs[seg_order[n]].selector;
        break;
    case G_ST:
        memcpy(buf, &c->fpr[(c->fp_top + n) & 7], 10);
        return 10;
    case G_FCTRL:
        v = fctrl_read(c, n);
        break;
    case G_MXCSR:
        v = c->mxcsr;
        break;
    case G_BASE:
        v = *base_at(c, n);
        break;
    case G_SYS:
        v = sys_read(c, n);
        break;
    default:
        memcpy(buf, vector_at(c, r->kind, n), r->bytes);
        return r->bytes;
    }
    memcpy(buf, &v, r->bytes);
    return r->bytes;
}

unsigned x86_gdb_write(Cpu *cpu, unsigned n, const uint8_t *buf)
{
    X86Cpu *c = X86(cpu);
    const GdbRun *r = find_run(cpu, &n);
    uint64_t v = 0;

    if (!r) {
        return 0;
    }
    memcpy(&v, buf, MIN(r->bytes, 8));
    switch (r->kind) {
    case G_GP:
        c->regs[gp_index(n)] = v;
        break;
    case G_PC:
        c->rip = v;
        break;
    case G_FLAGS:
        x86_set_eflags(c, v, ~(FLAG_VM | FLAG_1));
        break;
    case G_ST:
        memcpy(&c->fpr[(c->fp_top + n) & 7], buf, 10);
        break;
    case G_MXCSR:
        x86_set_mxcsr(c, v);
        break;
    case G_BASE:
        *base_at(c, n) = v;
        break;
    case G_SYS:
        sys_write(c, n, v);
        break;
    case G_SEG:      /* a selector alone says too little */
    case G_FCTRL:
        break;
    default:
        memcpy(vector_at(c, r->kind, n), buf, r->bytes);
        break;
    }
    return r->bytes;
}

static void xml_core(GString *x)
{
    static const char *const gp64[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"};
    static const char *const gp32[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    static const char *const fctrl[] = {"fctrl", "fstat", "ftag",  "fiseg",
                                        "fioff", "foseg", "fooff", "fop"};
    static const char *const segs[] = {"cs", "ss", "ds", "es", "fs", "gs"};
    unsigned bits = target_arch->word_bits;

    g_string_append(
        x,
        "<feature name=\"org.gnu.gdb.i386.core\">\n"
        "<flags id=\"i386_eflags\" size=\"4\"><field name=\"CF\" start=\"0\" end=\"0\"/>"
        "<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
        "<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
        "<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
        "<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" end=\"11\"/>"
        "</flags>\n");
    for (unsigned i = 0; i < 8; i++) {
        const char *n = is64() ? gp64[i] : gp32[i];
        bool pointer = strcmp(n + 1, "bp") == 0 || strcmp(n + 1, "sp") == 0;

        g_string_append_printf(x, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>\n", n, bits,
                               pointer ? "data_ptr" : is64() ? "int64" : "int32");
    }
    for (unsigned i = 8; is64() && i < 16; i++) {
        g_string_append_printf(x, "<reg name=\"r%u\" bitsize=\"64\" type=\"int64\"/>\n", i);
    }
    g_string_append_printf(x, "<reg name=\"%s\" bitsize=\"%u\" type=\"code_ptr\"/>\n",
                           is64() ? "rip" : "eip", bits);
    g_string_append(x, "<reg name=\"eflags\" bitsize=\"32\" type=\"i386_eflags\"/>\n");
    for (unsigned i = 0; i < 6; i++) {
        g_string_append_printf(x, "<reg name=\"%s\" bitsize=\"32\" type=\"int32\"/>\n", segs[i]);
    }
    for (unsigned i = 0; i < 7; i++) {
        g_string_append_printf(x, "<reg name=\"%s_base\" bitsize=\"%u\" type=\"int\"/>\n",
                               i < 6 ? segs[i] : "k_gs", bits);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(sys_names); i++) {
        g_string_append_printf(x, "<reg name=\"%s\" bitsize=\"%u\" type=\"int\"/>\n",
                               sys_names[i], bits);
    }
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(x, "<reg name=\"st%u\" bitsize=\"80\" type=\"i387_ext\"/>\n", i);
    }
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(
            x, "<reg name=\"%s\" bitsize=\"32\" type=\"int\" group=\"float\"/>\n", fctrl[i]);
    }
    g_string_append(x, "</feature>\n");
}

static void xml_vec128(GString *x)
{
    g_string_append(
        x, "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" "
           "type=\"ieee_double\" count=\"2\"/><vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
           "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/><vector id=\"v4i32\" type=\"int32\" "
           "count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
           "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" "
           "type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" "
           "type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" "
           "type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>\n");
}

/* Registers name<first>suffix to name<last>suffix. */
static void xml_regs(GString *x, const char *name, unsigned first, unsigned count,
                     const char *suffix, unsigned bits, const char *type)
{
    for (unsigned i = first; i < first + count; i++) {
        g_string_append_printf(x, "<reg name=\"%s%u%s\" bitsize=\"%u\" type=\"%s\"/>\n", name, i,
                               suffix, bits, type);
    }
}

static void xml_avx(GString *x)
{
    g_string_append(x, "<feature name=\"org.gnu.gdb.i386.avx\">\n");
    xml_regs(x, "ymm", 0, is64() ? 16 : 8, "h", 128, "uint128");
    g_string_append(x, "</feature>\n");
}

static void xml_avx512(GString *x)
{
    g_string_append(x, "<feature name=\"org.gnu.gdb.i386.avx512\">\n");
    xml_vec128(x);
    g_string_append(x, "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n");
    xml_regs(x, "k", 0, 8, "", 64, "uint64");
    xml_regs(x, "zmm", 0, is64() ? 16 : 8, "h", 256, "v2ui128");
    if (is64()) {
        xml_regs(x, "xmm", 16, 16, "", 128, "vec128");
        xml_regs(x, "ymm", 16, 16, "h", 128, "uint128");
        xml_regs(x, "zmm", 16, 16, "h", 256, "v2ui128");
    }
    g_string_append(x, "</feature>\n");
}

static void xml_sse(GString *x)
{
    g_string_append(x, "<feature name=\"org.gnu.gdb.i386.sse\">\n");
    xml_vec128(x);
    xml_regs(x, "xmm", 0, is64() ? 16 : 8, "", 128, "vec128");
    g_string_append(
        x, "<reg name=\"mxcsr\" bitsize=\"32\" type=\"int\" group=\"vector\"/>\n</feature>\n");
}

/* The file names are the ones that clients have seen so far. */
enum { XML_TARGET, XML_CORE, XML_SSE, XML_AVX, XML_AVX512, XML_FILES };
static const char *const xml_names64[XML_FILES] = {"target.xml", "i386-64bit.xml",
                                                   "i386-64bit-sse.xml", "i386-64bit-avx.xml",
                                                   "i386-64bit-avx512.xml"};
static const char *const xml_names32[XML_FILES] = {"target.xml", "i386-32bit.xml",
                                                   "i386-32bit-sse.xml", "i386-32bit-avx.xml",
                                                   "i386-32bit-avx512.xml"};

/* What a CPU's description is made of; CPUs of a machine are of one model. */
static const char *build_target(const X86Cpu *c)
{
    const char *const *names = is64() ? xml_names64 : xml_names32;
    g_autoptr(GString) x = g_string_new("<?xml version=\"1.0\"?>");

    g_string_append_printf(x,
                           "<!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
                           "<architecture>%s</architecture>",
                           target_arch->gdb_arch);
    for (unsigned i = XML_CORE; i < XML_FILES; i++) {
        if ((i != XML_AVX || x86_has_feature(c, FEAT_AVX)) &&
            (i != XML_AVX512 || x86_has_feature(c, FEAT_AVX512F))) {
            g_string_append_printf(x, "<xi:include href=\"%s\"/>", names[i]);
        }
    }
    g_string_append(x, "</target>");
    return g_intern_string(x->str);
}

static gpointer build_xml(gpointer file)
{
    static void (*const features[XML_FILES])(GString *x) = {
        [XML_CORE] = xml_core, [XML_SSE] = xml_sse,
        [XML_AVX] = xml_avx,   [XML_AVX512] = xml_avx512,
    };
    GString *x = g_string_new("<?xml version=\"1.0\"?>");

    g_string_append(x, "\n<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n");
    features[GPOINTER_TO_UINT(file)](x);
    return g_string_free(x, FALSE);
}

const char *x86_gdb_xml(Cpu *cpu, const char *annex)
{
    /* the texts are the same for all CPUs of a binary */
    static GOnce once[XML_FILES] = {G_ONCE_INIT, G_ONCE_INIT, G_ONCE_INIT, G_ONCE_INIT,
                                    G_ONCE_INIT};
    const char *const *names = is64() ? xml_names64 : xml_names32;

    if (strcmp(annex, names[XML_TARGET]) == 0) {
        return build_target(X86(cpu));
    }
    for (unsigned i = XML_CORE; i < XML_FILES; i++) {
        if (strcmp(annex, names[i]) == 0) {
            return g_once(&once[i], build_xml, GUINT_TO_POINTER(i));
        }
    }
    return NULL;
}

/* ---- hooks ---- */

uint64_t x86_get_pc(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    return x86_code64(c) ? c->rip : (uint32_t)(c->rip + c->segs[S_CS].base);
}

void x86_set_pc(Cpu *cpu, uint64_t pc)
{
    X86Cpu *c = X86(cpu);

    c->rip = x86_code64(c) ? pc : (uint32_t)(pc - c->segs[S_CS].base);
}

unsigned x86_mmu_index_hook(Cpu *cpu, bool fetch)
{
    X86Cpu *c = X86(cpu);

    return fetch ? (c->cpl == 3 ? MMU_USER : MMU_KERNEL) : x86_mmu_index(c);
}

/* Accesses that demand alignment: SSE operands (#GP), and with AC set any at CPL 3 (#AC). */
void x86_unaligned(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu_idx, uintptr_t host_pc)
{
    X86Cpu *c = X86(cpu);
    bool check = c->cpl == 3 && (c->eflags & FLAG_AC) && (c->cr0 & CR0_AM);

    cpu_restore_state(cpu, host_pc);
    x86_raise_error(c, check && (!x86_insn_is_vector(c) || (c->mxcsr & MXCSR_MM)) ? EXC_AC : EXC_GP,
                    0, host_pc);
}
