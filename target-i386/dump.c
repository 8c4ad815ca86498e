// SPDX-License-Identifier: GPL-2.0-or-later
/* Text for people: info registers, -d cpu, info tlb, info mem, info lapic, and $registers. */
#include "target-i386/seg.h"

#include <string.h>
#include "exec/x86-apic.h"
#include "util/log.h"

static bool wide(const X86Cpu *c)
{
    return x86_code64(c);
}

static void dump_general(X86Cpu *c, GString *out)
{
    static const char *const names64[] = {"RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP",
                                          "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
    static const char *const names32[] = {"EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP"};
    static const uint8_t order[] = {R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP, R_8,
                                    R_9, R_10, R_11, R_12, R_13, R_14, R_15};
    uint32_t f = x86_get_eflags(c);

    for (unsigned i = 0; i < (wide(c) ? 16u : 8u); i++) {
        const char *end = (i & 3) == 3 ? "\n" : " ";

        if (wide(c)) {
            g_string_append_printf(out, "%s=%016" PRIx64 "%s", names64[i], c->regs[order[i]], end);
        } else {
            g_string_append_printf(out, "%s=%08x%s", names32[i], (uint32_t)c->regs[order[i]], end);
        }
    }
    g_string_append_printf(
        out, wide(c) ? "RIP=%016" PRIx64 " RFL=%08x" : "EIP=%08" PRIx64 " EFL=%08x", c->rip, f);
    g_string_append_printf(out, " [%c%c%c%c%c%c%c] CPL=%u II=%u A20=%d SMM=%d HLT=%d\n",
                           f & FLAG_DF ? 'D' : '-', f & FLAG_O ? 'O' : '-', f & FLAG_S ? 'S' : '-',
                           f & FLAG_Z ? 'Z' : '-', f & FLAG_A ? 'A' : '-', f & FLAG_P ? 'P' : '-',
                           f & FLAG_C ? 'C' : '-', c->cpl, c->inhibit_irq, !c->a20_mask_bit, c->smm,
                           c->cpu.halted);
}

static void dump_seg(X86Cpu *c, GString *out, const char *name, const X86Seg *s)
{
    static const char *const sys[2][16] = {
        {"Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16",
         "TrapGate16", "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved",
         "IntGate32", "TrapGate32"},
        {"<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved", "Reserved",
         "Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64", "Reserved", "IntGate64",
         "TrapGate64"},
    };
    unsigned type = (s->flags & SEG_TYPE) >> SEG_TYPE_SHIFT;

    g_string_append_printf(
        out, wide(c) ? "%-3s=%04x %016" PRIx64 " %08x %08x" : "%-3s=%04x %08" PRIx64 " %08x %08x",
        name, s->selector, wide(c) ? s->base : (uint32_t)s->base, s->limit, s->flags & 0xf0ff00);
    if (!(c->cr0 & CR0_PE) || !(s->flags & SEG_P)) {
        g_string_append_c(out, '\n');
        return;
    }
    g_string_append_printf(out, " DPL=%d ", (s->flags & SEG_DPL) >> SEG_DPL_SHIFT);
    if (!(s->flags & SEG_S)) {
        g_string_append_printf(out, "%s\n", sys[x86_long_mode(c)][type]);
        return;
    }
    if (s->flags & SEG_CODE) {
        g_string_append_printf(out, "%s [%c%c",
                               s->flags & SEG_L   ? "CS64"
                               : s->flags & SEG_B ? "CS32"
                                                  : "CS16",
                               s->flags & SEG_C ? 'C' : '-', s->flags & SEG_R ? 'R' : '-');
    } else {
        g_string_append_printf(out, "%s [%c%c",
                               (s->flags & SEG_B) || x86_long_mode(c) ? "DS  " : "DS16",
                               s->flags & SEG_E ? 'E' : '-', s->flags & SEG_W ? 'W' : '-');
    }
    g_string_append_printf(out, "%c]\n", s->flags & SEG_A ? 'A' : '-');
}

static void dump_system(X86Cpu *c, GString *out)
{
    static const char *const names[] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    int w = wide(c) ? 16 : 8;

    for (unsigned i = 0; i < 6; i++) {
        dump_seg(c, out, names[i], &c->segs[i]);
    }
    dump_seg(c, out, "LDT", &c->ldt);
    dump_seg(c, out, "TR", &c->tr);
    g_string_append_printf(out, "GDT=     %0*" PRIx64 " %08x\n", w, c->gdt.base, c->gdt.limit);
    g_string_append_printf(out, "IDT=     %0*" PRIx64 " %08x\n", w, c->idt.base, c->idt.limit);
    g_string_append_printf(out, "CR0=%08x CR2=%0*" PRIx64 " CR3=%0*" PRIx64 " CR4=%08x\n",
                           (uint32_t)c->cr0, w, c->cr2, w, c->cr3, (uint32_t)c->cr4);
    g_string_append_printf(
        out, "DR0=%016" PRIx64 " DR1=%016" PRIx64 " DR2=%016" PRIx64 " DR3=%016" PRIx64 " \n",
        c->dr[0], c->dr[1], c->dr[2], c->dr[3]);
    g_string_append_printf(out, "DR6=%016" PRIx64 " DR7=%016" PRIx64 "\n", c->dr[6], c->dr[7]);
}

static void dump_fpu(X86Cpu *c, GString *out)
{
    uint32_t tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        tags |= (uint32_t)!c->fp_tag[i] << i;
    }
    g_string_append_printf(out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", c->fp_cw,
                           x87_status(c), c->fp_top, tags, c->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(out, "FPR%u=%016" PRIx64 " %04x%s", i, c->fpr[i].mant,
                               c->fpr[i].sign_exp, i & 1 ? "\n" : " ");
    }
    for (unsigned i = 0; i < (wide(c) ? 16u : 8u); i++) {
        g_string_append_printf(out, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%s", i,
                               (uint64_t)c->xmm[i][1], (uint64_t)c->xmm[i][0], i & 1 ? "\n" : " ");
    }
}

void x86_dump(Cpu *cpu, GString *out, unsigned flags)
{
    X86Cpu *c = X86(cpu);

    dump_general(c, out);
    dump_system(c, out);
    g_string_append_printf(out, "EFER=%016" PRIx64 "\n", c->efer);
    if (flags) {
        dump_fpu(c, out);
    }
}

/* ---- $name in the monitor's expressions ---- */

/* Number of the general register "eax" or "rax"; -1: none. */
static int gp_register(const char *name)
{
    static const char *const gp[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
                                     "8",  "9",  "10", "11", "12", "13", "14", "15"};

    for (unsigned i = 0; i < ARRAY_COUNT(gp); i++) {
        if ((name[0] == 'r' || (name[0] == 'e' && i < 8)) && strcmp(name + 1, gp[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool x86_set_register(Cpu *cpu, const char *name, uint64_t v)
{
    int i = gp_register(name);

    if (i >= 0) {
        X86(cpu)->regs[i] = name[0] == 'e' ? (uint32_t)v : v;
    }
    return i >= 0;
}

bool x86_register_value(Cpu *cpu, const char *name, uint64_t *v)
{
    static const char *const segs[] = {"es", "cs", "ss", "ds", "fs", "gs"};
    X86Cpu *c = X86(cpu);

    if (strcmp(name, "pc") == 0) {
        *v = c->rip + c->segs[S_CS].base;
        return true;
    }
    if (strcmp(name, "eip") == 0 || strcmp(name, "rip") == 0) {
        *v = c->rip;
        return true;
    }
    if (strcmp(name, "eflags") == 0) {
        *v = x86_get_eflags(c);
        return true;
    }
    if (gp_register(name) >= 0) {
        uint64_t value = c->regs[gp_register(name)];

        *v = name[0] == 'e' ? (uint32_t)value : value;
        return true;
    }
    for (unsigned i = 0; i < 6; i++) {
        if (strncmp(name, segs[i], 2) == 0) {
            *v = strcmp(name + 2, ".base") == 0    ? c->segs[i].base
                 : strcmp(name + 2, ".limit") == 0 ? c->segs[i].limit
                                                   : c->segs[i].selector;
            return true;
        }
    }
    if (strlen(name) == 3 && strncmp(name, "cr", 2) == 0) {
        *v = name[2] == '0' ? c->cr0 : name[2] == '2' ? c->cr2 : name[2] == '3' ? c->cr3 : c->cr4;
        return strchr("0234", name[2]) != NULL;
    }
    return false;
}

/* ---- info mem, info tlb: by walking the tables ---- */

typedef void PageFn(X86Cpu *c, uint64_t va, uint64_t size, uint64_t entry, uint64_t rights,
                    void *opaque);

static uint64_t read_entry(X86Cpu *c, hwaddr pa, unsigned size)
{
    return address_space_load(c->cpu.as, pa, size, DEV_LITTLE, ATTRS_NONE, NULL);
}

static void walk_table(X86Cpu *c, hwaddr table, unsigned level, unsigned entries, uint64_t va,
                       uint64_t rights, bool pae_top, PageFn *fn, void *opaque)
{
    bool legacy = !(c->cr4 & CR4_PAE);
    unsigned bits = legacy ? 10 : 9, shift = 12 + bits * (level - 1), size = legacy ? 4 : 8;

    for (unsigned i = 0; i < entries; i++) {
        uint64_t e = read_entry(c, table + i * size, size), at = va + ((uint64_t)i << shift);
        uint64_t r = pae_top ? rights : rights & e;

        if (!(e & 1)) {
            continue;
        }
        if (level > 3 && !legacy && i >= 256) {
            unsigned top = level == 5 ? 57 : 48;

            at |= level == 4 && (c->cr4 & CR4_LA57) ? 0 : UINT64_MAX << top;
        }
        if (level == 1 ||
            (level <= 3 && !pae_top && (e & 0x80) && (!legacy || (c->cr4 & CR4_PSE)))) {
            fn(c, at, 1ull << shift, e, r, opaque);
        } else {
            walk_table(c, e & (legacy ? 0xfffff000ull : 0xffffffffff000ull), level - 1,
                       legacy ? 1024 : 512, at, r, false, fn, opaque);
        }
    }
}

static bool walk_all(X86Cpu *c, PageFn *fn, void *opaque)
{
    if (!(c->cr0 & CR0_PG)) {
        return false;
    }
    if (c->efer & EFER_LMA) {
        walk_table(c, c->cr3 & 0xffffffffff000ull, c->cr4 & CR4_LA57 ? 5 : 4, 512, 0, 7, false, fn,
                   opaque);
    } else if (c->cr4 & CR4_PAE) {
        walk_table(c, c->cr3 & 0xffffffe0, 3, 4, 0, 7, true, fn, opaque);
    } else {
        walk_table(c, c->cr3 & 0xfffff000, 2, 1024, 0, 7, false, fn, opaque);
    }
    return true;
}

static void tlb_line(X86Cpu *c, uint64_t va, uint64_t size, uint64_t e, uint64_t rights,
                     void *opaque)
{
    GString *out = opaque;
    uint64_t pa = e & 0xffffffffff000ull & ~(size - 1);

    g_string_append_printf(out, "%016" PRIx64 ": %016" PRIx64 " %c%c%c%c%c%c%c%c%c\n", va, pa,
                           e >> 63 ? 'X' : '-', e & 0x100 ? 'G' : '-', size > 4096 ? 'P' : '-',
                           e & 0x40 ? 'D' : '-', e & 0x20 ? 'A' : '-', e & 0x10 ? 'C' : '-',
                           e & 8 ? 'T' : '-', e & 4 ? 'U' : '-', e & 2 ? 'W' : '-');
}

typedef struct MemRun {
    GString *out;
    uint64_t start, end, rights;
    bool any;
} MemRun;

static void mem_flush(MemRun *r)
{
    if (r->any) {
        g_string_append_printf(r->out, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n",
                               r->start, r->end, r->end - r->start, r->rights & 4 ? 'u' : '-',
                               r->rights & 2 ? 'w' : '-');
    }
}

static void mem_page(X86Cpu *c, uint64_t va, uint64_t size, uint64_t e, uint64_t rights,
                     void *opaque)
{
    MemRun *r = opaque;

    if (r->any && va == r->end && rights == r->rights) {
        r->end += size;
        return;
    }
    mem_flush(r);
    *r = (MemRun){ .out = r->out, .start = va, .end = va + size, .rights = rights, .any = true };
}

void x86_info(Cpu *cpu, const char *what, GString *out)
{
    X86Cpu *c = X86(cpu);
    MemRun run = {.out = out};

    if (strcmp(what, "lapic") == 0) {
        if (c->apic) {
            apic_print(c->apic, out);
        }
    } else if (strcmp(what, "tlb") == 0) {
        if (!walk_all(c, tlb_line, out)) {
            g_string_append(out, "PG disabled\n");
        }
    } else if (strcmp(what, "mem") == 0) {
        if (!walk_all(c, mem_page, &run)) {
            g_string_append(out, "PG disabled\n");
        }
        mem_flush(&run);
    }
}
