// SPDX-License-Identifier: GPL-2.0-or-later
/* The gdb remote stub: packets q and Q, a row each. */
#include "monitor/gdb.h"

#include <inttypes.h>
#include <string.h>

static void supported(GdbStub *g, char *p)
{
    const Cpu *cpu = gdb_current(g);

    g->multiprocess = strstr(p, "multiprocess+") != NULL;
    gdb_send_text(g, "PacketSize=%x%s;vContSupported+;multiprocess+", GDB_PACKET_MAX,
                  cpu->arch->gdb_xml ? ";qXfer:features:read+" : "");
}

static void thread_info(GdbStub *g)
{
    g_autoptr(GString) text = g_string_new("l");

    if (g->next_thread < g->vm->cpus->len) {
        g_string_assign(text, "m");
        gdb_append_thread(g, g->vm->cpus->pdata[g->next_thread], text);
        g->next_thread++;
    }
    gdb_send(g, text->str, text->len);
}

static void first_thread_info(GdbStub *g, char *p)
{
    g->next_thread = 0;
    thread_info(g);
}

static void next_thread_info(GdbStub *g, char *p)
{
    thread_info(g);
}

static void thread_extra(GdbStub *g, char *p)
{
    Cpu *cpu;
    bool all;

    if (*p != ',' || (p++, !gdb_thread(g, &p, &cpu, &all))) {
        gdb_send(g, "E22", 3);
        return;
    }
    g_autofree char *info =
        g_strdup_printf("CPU#%u [%s]", cpu->index, cpu->halted ? "halted " : "running");
    g_autoptr(GString) text = g_string_new(NULL);
    gdb_append_hex(text, info, strlen(info));
    gdb_send(g, text->str, text->len);
}

static void current_thread(GdbStub *g, char *p)
{
    g_autoptr(GString) text = g_string_new("QC");

    gdb_append_thread(g, gdb_current(g), text);
    gdb_send(g, text->str, text->len);
}

static void attached(GdbStub *g, char *p)
{
    gdb_send(g, "1", 1);
}

/* ":features:read:ANNEX:OFFSET,LENGTH" */
static void transfer(GdbStub *g, char *p)
{
    static const char prefix[] = ":features:read:";
    Cpu *cpu = gdb_current(g);
    uint64_t offset, len;

    if (!g_str_has_prefix(p, prefix) || !cpu->arch->gdb_xml) {
        gdb_send(g, "", 0);
        return;
    }
    char *annex = p + strlen(prefix);
    char *colon = strchr(annex, ':');
    if (!colon) {
        gdb_send(g, "E22", 3);
        return;
    }
    *colon = 0;
    p = colon + 1;
    if (!gdb_hex(&p, &offset) || *p != ',' || (p++, !gdb_hex(&p, &len))) {
        gdb_send(g, "E22", 3);
        return;
    }
    const char *xml = cpu->arch->gdb_xml(cpu, annex);
    size_t size = xml ? strlen(xml) : 0;
    if (!xml) {
        gdb_send(g, "E00", 3);
        return;
    }
    if (offset > size) {
        gdb_send(g, "E22", 3);
        return;
    }
    /* Escaping may double it. */
    len = MIN(len, (GDB_PACKET_MAX - 5) / 2);
    bool more = len < size - offset;
    size_t n = more ? (size_t)len : size - (size_t)offset;
    g_autoptr(GString) text = g_string_new(more ? "m" : "l");
    for (size_t i = 0; i < n; i++) {
        char c = xml[offset + i];
        if (strchr("#$*}", c)) {
            g_string_append_c(text, '}');
            c ^= 0x20;
        }
        g_string_append_c(text, c);
    }
    gdb_send(g, text->str, text->len);
}

/* ",HEX": a command for the monitor. */
static void monitor_command(GdbStub *g, char *p)
{
    size_t digits = *p == ',' ? strlen(p + 1) : 1;
    g_autofree char *line = g_malloc0(digits / 2 + 1);

    if (digits % 2 || !gdb_unhex(p + 1, (uint8_t *)line, digits / 2)) {
        gdb_send(g, "E22", 3);
        return;
    }
    g_autofree char *output = g->monitor ? g->monitor(g->vm, line) : NULL;
    if (!output) {
        gdb_send(g, "", 0);
        return;
    }
    for (size_t at = 0, len = strlen(output); at < len;) {
        size_t n = MIN(len - at, GDB_PACKET_MAX / 2 - 8);
        g_autoptr(GString) text = g_string_new("O");
        gdb_append_hex(text, output + at, n);
        gdb_send(g, text->str, text->len);
        at += n;
    }
    gdb_send(g, "OK", 2);
}

static void step_bits(GdbStub *g, char *p)
{
    gdb_send_text(g, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", SSTEP_ENABLE, SSTEP_NOIRQ, SSTEP_NOTIMER);
}

static void get_step(GdbStub *g, char *p)
{
    gdb_send_text(g, "0x%x", g->sstep);
}

static void set_step(GdbStub *g, char *p)
{
    uint64_t v;

    if (*p != '=' || (p++, !gdb_hex(&p, &v)) ||
        (v & ~(uint64_t)(SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER))) {
        gdb_send(g, "E22", 3);
        return;
    }
    g->sstep = (unsigned)v;
    gdb_send(g, "OK", 2);
}

static void get_physical(GdbStub *g, char *p)
{
    gdb_send(g, g->physical ? "1" : "0", 1);
}

static void set_physical(GdbStub *g, char *p)
{
    uint64_t v;

    if (*p != ':' || (p++, !gdb_hex(&p, &v))) {
        gdb_send(g, "E22", 3);
        return;
    }
    g->physical = v != 0;
    gdb_send(g, "OK", 2);
}

static void all_extensions(GdbStub *g, char *p)
{
    gdb_send_text(g, "sstepbits;sstep;PhyMemMode");
}

/* A query by the name behind its letter; what follows the name is no letter or digit. */
typedef struct QueryRow {
    const char *name;
    void (*fn)(GdbStub *g, char *rest);
} QueryRow;

static const QueryRow queries[] = {
    {"Supported", supported},
    {"fThreadInfo", first_thread_info},
    {"sThreadInfo", next_thread_info},
    {"ThreadExtraInfo", thread_extra},
    {"C", current_thread},
    {"Attached", attached},
    {"Xfer", transfer},
    {"Rcmd", monitor_command},
    {"qemu.sstepbits", step_bits},
    {"qemu.sstep", get_step},
    {"qemu.PhyMemMode", get_physical},
    {"qemu.Supported", all_extensions},
};

static const QueryRow sets[] = {
    {"qemu.sstep", set_step},
    {"qemu.PhyMemMode", set_physical},
};

static void dispatch(GdbStub *g, const QueryRow *rows, size_t n, char *p)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(rows[i].name);
        if (strncmp(p, rows[i].name, len) == 0 && !g_ascii_isalnum(p[len])) {
            rows[i].fn(g, p + len);
            return;
        }
    }
    gdb_send(g, "", 0);
}

void gdb_query(GdbStub *g, char *p)
{
    dispatch(g, queries, ARRAY_COUNT(queries), p);
}

void gdb_set(GdbStub *g, char *p)
{
    dispatch(g, sets, ARRAY_COUNT(sets), p);
}
