// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers as gdb sees them (features org.gnu.gdb.i386.core and .sse of the gdb manual,
 * appendix G.5, and the system registers), and the hooks that only the debugger needs.
 */
#include "target-i386/arch.h"
#include "exec/x86-apic.h"

#include <string.h>
#include "target-i386/seg.h"

typedef enum GdbKind { G_GP, G_PC, G_FLAGS, G_SEG, G_ST, G_FCTRL, G_XMM, G_MXCSR, G_BASE,
               G_SYS } GdbKind;

/* A run of registers in gdb's order. */
typedef struct GdbRun {
    GdbKind kind;
    unsigned count, bytes;
} GdbRun;

static const GdbRun runs64[] = {
    {G_GP, 16, 8}, {G_PC, 1, 8}, {G_FLAGS, 1, 4}, {G_SEG, 6, 4}, {G_BASE, 7, 8}, {G_SYS, 6, 8},
    {G_ST, 8, 10}, {G_FCTRL, 8, 4}, {G_XMM, 16, 16}, {G_MXCSR, 1, 4},
};
static const GdbRun runs32[] = {
    {G_GP, 8, 4}, {G_PC, 1, 4}, {G_FLAGS, 1, 4}, {G_SEG, 6, 4}, {G_BASE, 7, 4}, {G_SYS, 6, 4},
    {G_ST, 8, 10}, {G_FCTRL, 8, 4}, {G_XMM, 8, 16}, {G_MXCSR, 1, 4},
};

static bool is64(void)
{
    return target_arch->word_bits == 64;
}

/* The run of register n; n becomes the index in it. */
static const GdbRun *find_run(unsigned *n)
{
    const GdbRun *runs = is64() ? runs64 : runs32;
    unsigned count = is64() ? ARRAY_COUNT(runs64) : ARRAY_COUNT(runs32);

    for (unsigned i = 0; i < count; i++) {
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
        n += runs[i].count;
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

unsigned x86_gdb_read(Cpu *cpu, unsigned n, uint8_t *buf)
{
    X86Cpu *c = X86(cpu);
    const GdbRun *r = find_run(&n);
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
    case G_XMM:
        memcpy(buf, &c->xmm[n], 16);
        return 16;
    case G_MXCSR:
        v = c->mxcsr;
        break;
    case G_BASE:
        v = *base_at(c, n);
        break;
    case G_SYS:
        v = sys_read(c, n);
        break;
    }
    memcpy(buf, &v, r->bytes);
    return r->bytes;
}

unsigned x86_gdb_write(Cpu *cpu, unsigned n, const uint8_t *buf)
{
    X86Cpu *c = X86(cpu);
    const GdbRun *r = find_run(&n);
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
    case G_XMM:
        memcpy(&c->xmm[n], buf, 16);
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

static void xml_sse(GString *x)
{
    g_string_append(
        x, "<feature name=\"org.gnu.gdb.i386.sse\">\n"
           "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" "
           "type=\"ieee_double\" count=\"2\"/><vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
           "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/><vector id=\"v4i32\" type=\"int32\" "
           "count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
           "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" "
           "type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" "
           "type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" "
           "type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>\n");
    for (unsigned i = 0; i < (is64() ? 16u : 8u); i++) {
        g_string_append_printf(x, "<reg name=\"xmm%u\" bitsize=\"128\" type=\"vec128\"/>\n", i);
    }
    g_string_append(
        x, "<reg name=\"mxcsr\" bitsize=\"32\" type=\"int\" group=\"vector\"/>\n</feature>\n");
}

/* The file names are the ones that clients have seen so far. */
enum { XML_TARGET, XML_CORE, XML_SSE, XML_FILES };
static const char *const xml_names64[XML_FILES] = {"target.xml", "i386-64bit.xml",
                                                   "i386-64bit-sse.xml"};
static const char *const xml_names32[XML_FILES] = {"target.xml", "i386-32bit.xml",
                                                   "i386-32bit-sse.xml"};

static gpointer build_xml(gpointer file)
{
    const char *const *names = is64() ? xml_names64 : xml_names32;
    GString *x = g_string_new("<?xml version=\"1.0\"?>");

    switch (GPOINTER_TO_UINT(file)) {
    case XML_TARGET:
        g_string_append_printf(x, "<!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
                               "<architecture>%s</architecture><xi:include href=\"%s\"/>"
                               "<xi:include href=\"%s\"/></target>", target_arch->gdb_arch,
                               names[XML_CORE], names[XML_SSE]);
        break;
    case XML_CORE:
        g_string_append(x, "\n<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n");
        xml_core(x);
        break;
    default:
        g_string_append(x, "\n<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">\n");
        xml_sse(x);
    }
    return g_string_free(x, FALSE);
}

const char *x86_gdb_xml(Cpu *cpu, const char *annex)
{
    /* the texts are the same for all CPUs of a binary */
    static GOnce once[XML_FILES] = {G_ONCE_INIT, G_ONCE_INIT, G_ONCE_INIT};
    const char *const *names = is64() ? xml_names64 : xml_names32;

    for (unsigned i = 0; i < XML_FILES; i++) {
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
