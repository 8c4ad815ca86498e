// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking at memory and values from the human monitor: x, xp, p, sum, cpu, gva2gpa. */
#include <stdlib.h>
#include <string.h>

#include "exec/cpu.h"
#include "monitor/internal.h"
#include "monitor/memory.h"
#include "util/error.h"

typedef struct Format {
    unsigned count, size;
    char kind;
} Format;

enum { MAX_COUNT = 1 << 20 };

static Format parse(const char *text)
{
    Format f = { 1, 4, 'x' };
    char *end = (char *)text;
    guint64 n = text && g_ascii_isdigit(*text) ? g_ascii_strtoull(text, &end, 10) : 1;

    f.count = (unsigned)MIN(n, MAX_COUNT);
    for (const char *p = end; p && *p; p++) {
        switch (*p) {
        case 'b':
            f.size = 1;
            break;
        case 'h':
            f.size = 2;
            break;
        case 'w':
            f.size = 4;
            break;
        case 'g':
            f.size = 8;
            break;
        default:
            f.kind = *p;
            if (*p == 'c') {
                f.size = 1;
            }
            break;
        }
    }
    return f;
}

static void print_char(GString *out, uint8_t c)
{
    static const char special[] = "\nn\rr\tt";
    const char *s = c ? strchr(special, c) : NULL;

    if (c == '\'' || c == '\\') {
        g_string_append_printf(out, "'\\%c'", c);
    } else if (s && (s - special) % 2 == 0) {
        g_string_append_printf(out, "'\\%c'", s[1]);
    } else if (c >= 32 && c <= 126) {
        g_string_append_printf(out, "'%c'", c);
    } else {
        g_string_append_printf(out, "'\\x%02x'", c);
    }
}

/* width: digits that values of this kind and size fill; 0: as many as needed. */
static void print_value(GString *out, char kind, uint64_t v, unsigned size, bool pad)
{
    static const int octal[] = { 0, 3, 6, 0, 11, 0, 0, 0, 22 };
    static const int decimal[] = { 0, 3, 5, 0, 10, 0, 0, 0, 20 };
    int64_t s = size == 1   ? (int8_t)v
                : size == 2 ? (int16_t)v
                : size == 4 ? (int32_t)v
                            : (int64_t)v;

    switch (kind) {
    case 'd':
        g_string_append_printf(out, "%*" G_GINT64_FORMAT, pad ? decimal[size] : 0, s);
        break;
    case 'u':
        g_string_append_printf(out, "%*" G_GUINT64_FORMAT, pad ? decimal[size] : 0, v);
        break;
    case 'o':
        g_string_append_printf(out, "0%0*" G_GINT64_MODIFIER "o", pad ? octal[size] - 1 : 0, v);
        break;
    case 'c':
        print_char(out, (uint8_t)v);
        break;
    default:
        g_string_append_printf(out, "0x%0*" G_GINT64_MODIFIER "x", pad ? (int)size * 2 : 0, v);
        break;
    }
}

static bool print_instructions(HmpCall *call, Cpu *cpu, uint64_t addr, unsigned count,
                               bool physical)
{
    for (unsigned i = 0; i < count; i++) {
        g_autoptr(GError) why = NULL;
        g_autoptr(GString) text = g_string_new(NULL);
        uint8_t bytes[16];
        unsigned have = 0;

        while (have < sizeof(bytes) && monitor_read(physical ? NULL : cpu, addr + have,
                                                    bytes + have, 1, &why)) {
            have++;
        }
        unsigned n = have ? cpu->arch->disassemble(cpu, addr, bytes, have, text) : 0;

        if (n == 0) {
            g_string_append_printf(call->out, "0x%08" G_GINT64_MODIFIER "x:  %s\n", addr,
                                   have ? "(bad)" : "unable to read memory");
            return false;
        }
        g_autoptr(GString) hex = g_string_new(NULL);

        for (unsigned b = 0; b < n; b++) {
            g_string_append_printf(hex, "%02x ", bytes[b]);
        }
        g_string_append_printf(call->out, "0x%08" G_GINT64_MODIFIER "x:  %-24s %s\n", addr,
                               hex->str, text->str);
        addr += n;
    }
    return true;
}

static uint64_t value_of(const uint8_t *p, unsigned size, bool big)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)p[i] << (8 * (big ? size - 1 - i : i));
    }
    return v;
}

static void dump_memory(HmpCall *call, bool physical)
{
    Format f = parse(hmp_str(call, "fmt"));
    uint64_t addr = (uint64_t)hmp_int(call, "addr", 0);
    Cpu *cpu = monitor_cpu(call->vm, call->cpu_index);

    if (!physical && !cpu) {
        g_string_append(call->out, "Can not dump without CPU\n");
        return;
    }
    if (f.kind == 'i') {
        if (cpu && cpu->arch->disassemble) {
            print_instructions(call, cpu, addr, f.count, physical);
        } else {
            g_string_append(call->out, "no disassembler for this target\n");
        }
        return;
    }
    unsigned per_line = MAX(1, (f.size == 1 ? 8 : 16) / f.size);

    for (unsigned i = 0; i < f.count; i++) {
        g_autoptr(GError) why = NULL;
        uint8_t bytes[8];

        if (i % per_line == 0) {
            g_string_append_printf(call->out, "%s%016" G_GINT64_MODIFIER "x:", i ? "\n" : "", addr);
        }
        if (!monitor_read(physical ? NULL : cpu, addr, bytes, f.size, &why)) {
            g_string_append(call->out, " Cannot access memory");
            break;
        }
        g_string_append_c(call->out, ' ');
        print_value(call->out, f.kind, value_of(bytes, f.size, call->vm->endian == DEV_BIG), f.size,
                    true);
        addr += f.size;
    }
    g_string_append_c(call->out, '\n');
}

static void hmp_x(HmpCall *call, GError **error)
{
    dump_memory(call, false);
}

HMP_ROW(x, { .name = "x", .args = "fmt:/,addr:i", .params = "/fmt addr", .fn = hmp_x,
             .help = "virtual memory dump starting at 'addr'" });

static void hmp_xp(HmpCall *call, GError **error)
{
    dump_memory(call, true);
}

HMP_ROW(xp, { .name = "xp", .args = "fmt:/,addr:i", .params = "/fmt addr", .fn = hmp_xp,
              .help = "physical memory dump starting at 'addr'" });

static void hmp_print(HmpCall *call, GError **error)
{
    Format f = parse(hmp_str(call, "fmt"));

    print_value(call->out, f.kind == 'i' ? 'x' : f.kind, (uint64_t)hmp_int(call, "val", 0), 8,
                false);
    g_string_append_c(call->out, '\n');
}

HMP_ROW(print, {.name = "print",
                .alias = "p",
                .args = "fmt:/,val:i",
                .params = "/fmt expr",
                .fn = hmp_print,
                .help = "print expression value (use $reg for CPU register access)"});

static void hmp_sum(HmpCall *call, GError **error)
{
    uint64_t addr = (uint64_t)hmp_int(call, "start", 0);
    int64_t size = hmp_int(call, "size", 0);
    uint16_t total = 0;

    for (; size > 0; addr++, size--) {
        uint8_t byte;

        if (!monitor_read(NULL, addr, &byte, 1, error)) {
            return;
        }
        total = (uint16_t)((total >> 1) | (total << 15));   /* as sum(1) of BSD does */
        total = (uint16_t)(total + byte);
    }
    g_string_append_printf(call->out, "%05d\n", total);
}

HMP_ROW(sum, { .name = "sum", .args = "start:i,size:i", .params = "addr size", .fn = hmp_sum,
               .help = "compute the checksum of a memory region" });

static void hmp_cpu(HmpCall *call, GError **error)
{
    int64_t n = hmp_int(call, "index", 0);

    if (n < 0 || n > INT_MAX || !cpu_by_index(call->vm, (unsigned)n)) {
        g_string_append(call->out, "invalid CPU index\n");
        return;
    }
    call->cpu_index = (int)n;
}

HMP_COMMAND(cpu, hmp_cpu, "index:i", "set the default CPU");

static void hmp_gva2gpa(HmpCall *call, GError **error)
{
    Cpu *cpu = monitor_cpu(call->vm, call->cpu_index);
    MemAttrs attrs = { 0 };
    hwaddr pa;

    if (!cpu) {
        g_string_append(call->out, "No cpu\n");
    } else if (!cpu->arch->debug_translate ||
               !cpu->arch->debug_translate(cpu, (uint64_t)hmp_int(call, "addr", 0), &pa, &attrs)) {
        g_string_append(call->out, "Unmapped\n");
    } else {
        g_string_append_printf(call->out, "gpa: 0x%" G_GINT64_MODIFIER "x\n", pa);
    }
}

HMP_COMMAND(gva2gpa, hmp_gva2gpa, "addr:i",
            "print the guest physical address of a guest virtual one");

/* --- ports ---------------------------------------------------------------------------------- */

static bool has_ports(HmpCall *call, GError **error)
{
    return call->vm->io_as || fail(error, "this machine has no port space");
}

static unsigned port_size(const Format *f)
{
    return MIN(f->size, 4);
}

static void hmp_in(HmpCall *call, GError **error)
{
    static const char suffix[] = { 0, 'b', 'w', 0, 'l' };
    Format f = parse(hmp_str(call, "fmt"));
    unsigned size = port_size(&f);
    uint64_t addr = (uint64_t)hmp_int(call, "addr", 0) & 0xffff;
    int64_t index = hmp_int(call, "index", -1);

    if (!has_ports(call, error)) {
        return;
    }
    if (index >= 0) {
        address_space_store(call->vm->io_as, addr++, (uint64_t)index & 0xff, 1, DEV_LITTLE,
                            (MemAttrs){ 0 });
    }
    g_string_append_printf(
        call->out, "port%c[0x%04x] = 0x%0*" G_GINT64_MODIFIER "x\n", suffix[size], (unsigned)addr,
        (int)size * 2,
        address_space_load(call->vm->io_as, addr, size, DEV_LITTLE, (MemAttrs){0}, NULL));
}

HMP_ROW(in, { .name = "i", .args = "fmt:/,addr:i,index:i?", .params = "/fmt addr", .fn = hmp_in,
              .help = "I/O port read" });

static void hmp_out(HmpCall *call, GError **error)
{
    Format f = parse(hmp_str(call, "fmt"));

    if (has_ports(call, error)) {
        address_space_store(call->vm->io_as, (uint64_t)hmp_int(call, "addr", 0) & 0xffff,
                            (uint64_t)hmp_int(call, "val", 0), port_size(&f), DEV_LITTLE,
                            (MemAttrs){ 0 });
    }
}

HMP_ROW(out, {.name = "o",
              .args = "fmt:/,addr:i,val:i",
              .params = "/fmt addr value",
              .fn = hmp_out,
              .help = "I/O port write"});
