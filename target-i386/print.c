// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disassembly from the opcode tables in AT&T syntax, for logs and the monitor. In a row's text: '*'
 * size letter if no register tells it, '^' of the destination, '&' of the source, '%' of the
 * operand size, '!' only for 16 bits, '@' address size as in jcxz, '~' "64" with REX.W, '=' and '#'
 * q with REX.W, else d, '+' l or q, "a|b|c" by operand size, "a|b" 64-bit mode or not.
 */
#include <string.h>
#include "target-i386/cpu.h"
#include "target-i386/decode.h"

static const char *reg_name(const X86Operand *o, unsigned size, char *room)
{
    static const char *const names[16] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    static const char *const bytes[8] = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    static const char *const high[4] = {"ah", "ch", "dh", "bh"};
    static const char *const ends[4] = {"b", "w", "d", ""};

    if (o->high) {
        g_snprintf(room, 8, "%s", high[o->reg & 3]);
    } else if (o->reg >= 8) {
        g_snprintf(room, 8, "r%u%s", o->reg & 15u, ends[size & 3]);
    } else if (size == 0) {
        g_snprintf(room, 8, "%s", bytes[o->reg]);
    } else {
        g_snprintf(room, 8, "%s%s", size == 3 ? "r" : size == 2 ? "e" : "", names[o->reg]);
    }
    return room;
}

static const char *plain_reg(unsigned n, unsigned size, char *room)
{
    X86Operand o = {.reg = (uint8_t)n};

    return reg_name(&o, size, room);
}

static const char seg_names[8][3] = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};

static void print_memory(const X86Insn *i, GString *out)
{
    char room[8];
    uint64_t disp = (uint64_t)i->disp;

    if (i->seg >= 0) {
        g_string_append_printf(out, "%%%s:", seg_names[i->seg]);
    }
    if (i->base < 0 && i->index < 0) {
        disp = i->addrsize == 1 ? (uint16_t)disp : i->addrsize == 2 ? (uint32_t)disp : disp;
        g_string_append_printf(out, "0x%" G_GINT64_MODIFIER "x", disp);
        return;
    }
    bool always = i->mod == 1 || i->mod == 2 || i->base == 16;
    if (i->disp < 0) {
        g_string_append_printf(out, "-0x%" G_GINT64_MODIFIER "x", -disp);
    } else if (always || i->disp || i->base < 0) {
        g_string_append_printf(out, "0x%" G_GINT64_MODIFIER "x", disp);
    }
    g_string_append_c(out, '(');
    if (i->base == 16) {
        g_string_append(out, i->addrsize == 2 ? "%eip" : "%rip");
    } else if (i->base >= 0) {
        g_string_append_printf(out, "%%%s", plain_reg((unsigned)i->base, i->addrsize, room));
    }
    if (i->index >= 0) {
        g_string_append_printf(out, ",%%%s", plain_reg((unsigned)i->index, i->addrsize, room));
        if (i->addrsize > 1) {
            g_string_append_printf(out, ",%u", 1u << i->scale);
        }
    }
    g_string_append_c(out, ')');
}

static uint64_t low_bits(uint64_t v, unsigned size)
{
    return size >= 3 ? v : v & ((1ull << (8u << size)) - 1);
}

static void print_operand(const X86Insn *i, const X86Operand *o, uint64_t next, X86DecodeMode mode,
                          GString *out)
{
    char room[8];
    unsigned seg = i->seg < 0 ? S_DS : (unsigned)i->seg;

    switch (o->kind) {
    case X86_REG:
        if (i->row->ops[o - i->op].op == X86_OP_DX) {
            g_string_append(out, "(%dx)");
            break;
        }
        g_string_append_printf(out, "%%%s", reg_name(o, o->size, room));
        break;
    case X86_MEM:
        print_memory(i, out);
        break;
    case X86_IMM:
        g_string_append_printf(out, "$0x%" G_GINT64_MODIFIER "x", low_bits(o->imm, o->size));
        break;
    case X86_REL: {
        uint64_t to = next + o->imm;
        to = mode.code64 ? to : i->opsize == 1 ? (uint16_t)to : (uint32_t)to;
        g_string_append_printf(out, "0x%" G_GINT64_MODIFIER "x", to);
        break;
    }
    case X86_SEG:
        g_string_append_printf(out, "%%%s", seg_names[o->reg & 7]);
        break;
    case X86_CREG:
    case X86_DREG:
        g_string_append_printf(out, o->kind == X86_CREG ? "%%cr%u" : "%%db%u", o->reg);
        break;
    case X86_XMM:
        g_string_append_printf(out, "%%%cmm%u", o->size < 5 ? 'x' : "yz"[o->size - 5], o->reg);
        break;
    case X86_KREG:
        g_string_append_printf(out, "%%k%u", o->reg);
        break;
    case X86_MMX:
        g_string_append_printf(out, "%%mm%u", o->reg);
        break;
    case X86_STR:
        g_string_append_printf(out, "%%%s:(%%%s)", o->reg == R_DI ? "es" : seg_names[seg],
                               plain_reg(o->reg, i->addrsize, room));
        break;
    case X86_FAR:
        g_string_append_printf(out, "$0x%x,$0x%" G_GINT64_MODIFIER "x", i->selector, o->imm);
        break;
    case X86_ST:
        if (i->row->ops[o - i->op].op == X86_OP_ST0) {
            g_string_append(out, "%st");
        } else {
            g_string_append_printf(out, "%%st(%u)", o->reg);
        }
        break;
    default:
        break;
    }
}

/* The part of "a|b|c" that counts. */
static void pick_text(const X86Insn *i, X86DecodeMode mode, char *room, size_t size)
{
    g_auto(GStrv) parts = g_strsplit(i->row->text, "|", 3);
    unsigned n = g_strv_length(parts), k = n == 3 ? i->opsize - 1u : n == 2 && !mode.code64;

    g_strlcpy(room, parts[k < n ? k : 0], size);
}

/* Of the memory operand, else of the first. */
static unsigned mem_size(const X86Insn *i)
{
    for (unsigned k = 0; k < 4; k++) {
        if (i->op[k].kind == X86_MEM) {
            return i->op[k].size;
        }
    }
    return i->op[0].size;
}

static void print_mnemonic(const X86Insn *i, X86DecodeMode mode, GString *out)
{
    static const char letters[] = "bwlqxy";
    static const char *const counts[4] = {"", "jcxz", "jecxz", "jrcxz"};
    bool has_reg = false;
    char text[32];

    pick_text(i, mode, text, sizeof(text));
    for (unsigned k = 0; k < 4; k++) {
        /* a count in CL and a port in DX tell nothing of the size */
        has_reg |= i->op[k].kind == X86_REG && !(k && i->row->ops[k].op == X86_OP_CL);
    }
    if (text[strlen(text) - 1] == '@') {
        g_string_append(out, counts[i->addrsize]);
        return;
    }
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '*':
            if (!has_reg) {
                g_string_append_c(out, letters[mem_size(i)]);
            }
            break;
        case '^':
            g_string_append_c(out, letters[i->op[0].size]);
            break;
        case '&':
            g_string_append_c(out, letters[i->op[1].size]);
            break;
        case '=':
        case '#':
            g_string_append_c(out, i->rex & 8 ? 'q' : 'd');
            break;
        case '%':
            g_string_append_c(out, i->opsize == 1 ? 'w' : 'l');
            break;
        case '!':
            g_string_append(out, i->opsize_prefix && i->opsize == 1 ? "w" : "");
            break;
        case '~':
            g_string_append(out, i->rex & 8 ? "64" : "");
            break;
        case '+':
            g_string_append_c(out, i->opsize == 3 ? 'q' : 'l');
            break;
        default:
            g_string_append_c(out, *p);
        }
    }
}

void x86_print_insn(const X86Insn *i, uint64_t pc, X86DecodeMode mode, GString *out)
{
    uint32_t flags = i->row->flags;
    bool indirect = flags & X86_ROW_F64 && flags & X86_ROW_MODRM && i->op[0].kind != X86_CREG &&
                    !(flags & X86_ROW_ANYMOD);
    bool first = true;

    if (i->lock) {
        g_string_append(out, "lock ");
    }
    if (i->rep && flags & X86_ROW_REP) {
        bool compares = i->opcode >= 0xa6 && (i->opcode <= 0xa7 || i->opcode >= 0xae);
        g_string_append(out, i->rep == 0xf2 ? "repnz " : compares ? "repz " : "rep ");
    }
    print_mnemonic(i, mode, out);
    for (unsigned k = 4; k-- > 0;) {
        if (i->op[k].kind != X86_NONE && i->row->ops[k].op != X86_OP_ONE) {
            g_string_append(out, first ? " " : ",");
            g_string_append(out, indirect ? "*" : "");
            print_operand(i, &i->op[k], pc + i->len, mode, out);
            first = false;
            if (k == 0 && i->evex_aaa) {
                g_string_append_printf(out, "{%%k%u}%s", i->evex_aaa, i->evex_z ? "{z}" : "");
            }
        }
    }
    if (x86_has_mem(i) && i->base == 16) {
        g_string_append_printf(out, "        # 0x%" G_GINT64_MODIFIER "x",
                               pc + i->len + (uint64_t)i->disp);
    }
}

unsigned x86_disassemble(Cpu *cpu, uint64_t va, const uint8_t *bytes, unsigned len, GString *out)
{
    BlockKey key;
    X86Insn insn;

    x86_block_key(cpu, &key);
    X86DecodeMode mode = {.code64 = key.mode & MODE_CS64, .code32 = key.mode & MODE_CS32,
                          .no_vex = !(key.mode & MODE_PE) || key.mode & MODE_VM};
    if (x86_decode(&insn, bytes, len, mode) != X86_OK) {
        g_string_append(out, "(bad)");
        return 0;
    }
    x86_print_insn(&insn, va, mode, out);
    return insn.len;
}
