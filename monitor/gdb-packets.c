// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gdb remote stub: packets that look at or change registers, memory, breakpoints, and that let
 * the machine run. "E22" stands for a malformed packet, "E14" for an address or register that is
 * not there, an empty answer for what is not known.
 */
#include "monitor/gdb.h"

#include <inttypes.h>
#include <string.h>
#include "util/error.h"

/* ---- text ---- */

bool gdb_hex(char **p, uint64_t *v)
{
    char *s = *p;

    *v = 0;
    for (; g_ascii_isxdigit(*s); s++) {
        if (*v >> 60) {
            return false;
        }
        *v = *v << 4 | (unsigned)g_ascii_xdigit_value(*s);
    }
    bool any = s != *p;
    *p = s;
    return any;
}

void gdb_append_hex(GString *out, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(out, "%02x", p[i]);
    }
}

bool gdb_unhex(const char *p, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int hi = g_ascii_xdigit_value(p[2 * i]);
        int lo = hi < 0 ? -1 : g_ascii_xdigit_value(p[2 * i + 1]);
        if (lo < 0) {
            return false;
        }
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

static bool skip(char **p, char c)
{
    if (**p != c) {
        return false;
    }
    ++*p;
    return true;
}

static void ok(GdbStub *g)
{
    gdb_send(g, "OK", 2);
}

static void malformed(GdbStub *g)
{
    gdb_send(g, "E22", 3);
}

/* ---- threads ---- */

static Cpu *cpu_at(GdbStub *g, uint64_t index)
{
    return index < UINT_MAX ? cpu_by_index(g->vm, (unsigned)index) : NULL;
}

Cpu *gdb_current(GdbStub *g)
{
    return g->g_cpu ? g->g_cpu : cpu_at(g, 0);
}

void gdb_append_thread(const GdbStub *g, const Cpu *cpu, GString *out)
{
    if (g->multiprocess) {
        g_string_append(out, "p01.");
    }
    g_string_append_printf(out, "%02x", cpu->index + 1);
}

/* A number or -1 (all). */
static bool thread_part(char **p, int64_t *v)
{
    uint64_t n;

    if (skip(p, '-')) {
        *v = -1;
        return skip(p, '1');
    }
    if (!gdb_hex(p, &n) || n > INT32_MAX) {
        return false;
    }
    *v = (int64_t)n;
    return true;
}

bool gdb_thread(GdbStub *g, char **p, Cpu **cpu, bool *all)
{
    int64_t process = 1, thread = -1;

    *all = false;
    *cpu = cpu_at(g, 0);
    if (skip(p, 'p')) {
        if (!thread_part(p, &process) || (skip(p, '.') && !thread_part(p, &thread))) {
            return false;
        }
    } else if (!thread_part(p, &thread)) {
        return false;
    }
    if (process > 1) {
        return false;
    }
    if (process < 0 || thread < 0) {
        *all = true;
        return true;
    }
    if (thread > 0) {
        *cpu = cpu_at(g, (uint64_t)thread - 1);
    }
    return *cpu != NULL;
}

static void select_thread(GdbStub *g, char *p)
{
    char what = *p;
    Cpu *cpu;
    bool all;

    if (what == 0) {
        malformed(g);
        return;
    }
    p++;
    if (!gdb_thread(g, &p, &cpu, &all)) {
        malformed(g);
        return;
    }
    if (what == 'g') {
        g->g_cpu = all ? g->g_cpu : cpu;
    } else if (what == 'c') {
        g->c_cpu = all ? g->c_cpu : cpu;
    } else {
        malformed(g);
        return;
    }
    ok(g);
}

static void thread_alive(GdbStub *g, char *p)
{
    Cpu *cpu;
    bool all;

    if (gdb_thread(g, &p, &cpu, &all)) {
        ok(g);
    } else {
        malformed(g);
    }
}

/* ---- registers ---- */

static void read_register(GdbStub *g, char *p)
{
    Cpu *cpu = gdb_current(g);
    uint8_t buf[GDB_REGISTER_MAX];
    uint64_t n;
    unsigned size = 0;

    if (!gdb_hex(&p, &n)) {
        malformed(g);
        return;
    }
    if (n < cpu->arch->gdb_num_regs(cpu)) {
        size = cpu->arch->gdb_read(cpu, (unsigned)n, buf);
    }
    if (size == 0) {
        gdb_send(g, "E14", 3);
        return;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    gdb_append_hex(text, buf, size);
    gdb_send(g, text->str, text->len);
}

static void write_register(GdbStub *g, char *p)
{
    Cpu *cpu = gdb_current(g);
    uint8_t buf[GDB_REGISTER_MAX] = {0};
    uint64_t n;

    if (!gdb_hex(&p, &n) || !skip(&p, '=')) {
        malformed(g);
        return;
    }
    size_t digits = strlen(p);
    if (n >= cpu->arch->gdb_num_regs(cpu)) {
        gdb_send(g, "E14", 3);
        return;
    }
    if (digits > 2 * sizeof(buf) || digits % 2 || !gdb_unhex(p, buf, digits / 2)) {
        malformed(g);
        return;
    }
    cpu->arch->gdb_write(cpu, (unsigned)n, buf);
    ok(g);
}

static void read_registers(GdbStub *g)
{
    Cpu *cpu = gdb_current(g);
    unsigned regs = cpu->arch->gdb_num_regs(cpu);
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned n = 0; n < regs; n++) {
        uint8_t buf[GDB_REGISTER_MAX];
        unsigned size = cpu->arch->gdb_read(cpu, n, buf);
        if (text->len + 2 * size > GDB_PACKET_MAX - 8) {
            break;
        }
        gdb_append_hex(text, buf, size);
    }
    gdb_send(g, text->str, text->len);
}

static void write_registers(GdbStub *g, const char *p)
{
    Cpu *cpu = gdb_current(g);
    unsigned regs = cpu->arch->gdb_num_regs(cpu);
    size_t digits = strlen(p);

    for (unsigned n = 0; n < regs && digits > 0; n++) {
        uint8_t buf[GDB_REGISTER_MAX] = {0};
        unsigned size = cpu->arch->gdb_read(cpu, n, buf);     /* for its size */
        if (2 * (size_t)size > digits || !gdb_unhex(p, buf, size)) {
            malformed(g);
            return;
        }
        cpu->arch->gdb_write(cpu, n, buf);
        p += 2 * size;
        digits -= 2 * size;
    }
    ok(g);
}

/* ---- memory ---- */

static bool memory_rw(GdbStub *g, uint64_t addr, uint8_t *buf, size_t len, bool write)
{
    Cpu *cpu = gdb_current(g);

    if (!g->physical) {
        return cpu_debug_rw(cpu, addr, buf, len, write);
    }
    MemResult r = write ? address_space_write(cpu->as, addr, ATTRS_NONE, buf, len)
                        : address_space_read(cpu->as, addr, ATTRS_NONE, buf, len);
    return r == MEM_OK;
}

static void read_memory(GdbStub *g, char *p)
{
    uint64_t addr, len;
    uint8_t buf[GDB_PACKET_MAX / 2];

    if (!gdb_hex(&p, &addr) || !skip(&p, ',') || !gdb_hex(&p, &len) || len > sizeof(buf)) {
        malformed(g);
        return;
    }
    if (!memory_rw(g, addr, buf, (size_t)len, false)) {
        gdb_send(g, "E14", 3);
        return;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    gdb_append_hex(text, buf, (size_t)len);
    gdb_send(g, text->str, text->len);
}

static void write_memory(GdbStub *g, char *p)
{
    uint64_t addr, len;
    uint8_t buf[GDB_PACKET_MAX / 2];

    if (!gdb_hex(&p, &addr) || !skip(&p, ',') || !gdb_hex(&p, &len) || !skip(&p, ':') ||
        len > sizeof(buf) || strlen(p) < 2 * len || !gdb_unhex(p, buf, (size_t)len)) {
        malformed(g);
        return;
    }
    if (memory_rw(g, addr, buf, (size_t)len, true)) {
        ok(g);
    } else {
        gdb_send(g, "E14", 3);
    }
}

/* ---- breakpoints: on every vCPU ---- */

static void breakpoint(GdbStub *g, char *p, bool insert)
{
    static const unsigned flags_of[] = {
        BP_EXEC | BP_DEBUGGER, BP_EXEC | BP_DEBUGGER, BP_WRITE | BP_DEBUGGER,
        BP_READ | BP_DEBUGGER, BP_READ | BP_WRITE | BP_DEBUGGER,
    };
    uint64_t type, addr, len;
    bool done = true;

    if (!gdb_hex(&p, &type) || !skip(&p, ',') || !gdb_hex(&p, &addr) || !skip(&p, ',') ||
        !gdb_hex(&p, &len)) {
        malformed(g);
        return;
    }
    if (type >= ARRAY_COUNT(flags_of)) {
        gdb_send(g, "", 0);
        return;
    }
    for (unsigned i = 0; i < g->vm->cpus->len; i++) {
        Cpu *cpu = g->vm->cpus->pdata[i];
        done &= insert ? cpu_breakpoint_insert(cpu, addr, MAX(len, 1), flags_of[type])
                       : cpu_breakpoint_remove(cpu, addr, MAX(len, 1), flags_of[type]);
    }
    if (done) {
        ok(g);
    } else {
        malformed(g);
    }
}

/* ---- running ---- */

enum { MAX_CPUS = 4096 };

static void set_add(uint8_t *set, unsigned i)
{
    if (i < MAX_CPUS) {
        set[i / 8] |= (uint8_t)(1u << (i % 8));
    }
}

/* c, s, C and S: everything runs, the chosen thread steps. */
static void simple_resume(GdbStub *g, char *p, bool step, bool signal)
{
    uint8_t go[MAX_CPUS / 8] = {0}, stepping[MAX_CPUS / 8] = {0};
    Cpu *cpu = g->c_cpu ? g->c_cpu : gdb_current(g);
    uint64_t addr;

    if (signal) {
        gdb_hex(&p, &addr);            /* the signal's number: guests have none */
        skip(&p, ';');
    }
    if (gdb_hex(&p, &addr)) {
        cpu->arch->set_pc(cpu, addr);
    }
    for (unsigned i = 0; i < g->vm->cpus->len; i++) {
        set_add(go, i);
    }
    if (step) {
        set_add(stepping, cpu->index);
    }
    gdb_resume(g, go, stepping);
}

/* One action of vCont for one vCPU or all; earlier actions win. */
static bool cont_action(GdbStub *g, char **p, uint8_t *go, uint8_t *step, uint8_t *seen)
{
    char action = g_ascii_tolower(**p);
    bool with_signal = **p == 'C' || **p == 'S';
    Cpu *cpu = NULL;
    bool all = true;
    uint64_t sig;

    if (action != 'c' && action != 's') {
        return false;
    }
    ++*p;
    if (with_signal && !gdb_hex(p, &sig)) {
        return false;
    }
    if (skip(p, ':') && !gdb_thread(g, p, &cpu, &all)) {
        return false;
    }
    for (unsigned i = 0; i < MIN(g->vm->cpus->len, MAX_CPUS); i++) {
        if ((!all && g->vm->cpus->pdata[i] != cpu) || (seen[i / 8] >> (i % 8) & 1)) {
            continue;
        }
        set_add(seen, i);
        set_add(action == 's' ? step : go, i);
    }
    return true;
}

static void vcont(GdbStub *g, char *p)
{
    uint8_t go[MAX_CPUS / 8] = {0}, step[MAX_CPUS / 8] = {0}, seen[MAX_CPUS / 8] = {0};

    while (skip(&p, ';')) {
        if (!cont_action(g, &p, go, step, seen)) {
            malformed(g);
            return;
        }
    }
    if (*p) {
        malformed(g);
        return;
    }
    gdb_resume(g, go, step);
}

static void verbose(GdbStub *g, char *p)
{
    if (strcmp(p, "Cont?") == 0) {
        gdb_send_text(g, "vCont;c;C;s;S");
    } else if (g_str_has_prefix(p, "Cont")) {
        vcont(g, p + strlen("Cont"));
    } else if (g_str_has_prefix(p, "Attach;")) {
        gdb_stop_reply(g, GDB_SIG_TRAP);
    } else if (g_str_has_prefix(p, "Kill;")) {
        ok(g);
        info_report("QEMU: Terminated via GDBstub");
        request_shutdown(SHUTDOWN_HOST_SIGNAL);
    } else {
        gdb_send(g, "", 0);
    }
}

static void detach(GdbStub *g)
{
    static const uint8_t everything[MAX_CPUS / 8] = {[0 ... MAX_CPUS / 8 - 1] = 0xff};

    gdb_forget(g);
    ok(g);
    g->connected = false;
    gdb_resume(g, everything, NULL);
}

static void kill_machine(GdbStub *g)
{
    info_report("QEMU: Terminated via GDBstub");
    request_shutdown(SHUTDOWN_HOST_SIGNAL);
}

void gdb_packet(GdbStub *g)
{
    char *p = g->line + 1;

    g->connected = true;
    switch (g->line[0]) {
    case '?':
        gdb_forget(g);                 /* a new debugger begins with a clean machine */
        gdb_stop_reply(g, GDB_SIG_TRAP);
        break;
    case 'c':
    case 's':
    case 'C':
    case 'S':
        simple_resume(g, p, g_ascii_tolower(g->line[0]) == 's', g_ascii_isupper(g->line[0]));
        break;
    case 'D':
        detach(g);
        break;
    case 'F':
        gdb_file_reply(g, p);
        break;
    case 'g':
        read_registers(g);
        break;
    case 'G':
        write_registers(g, p);
        break;
    case 'H':
        select_thread(g, p);
        break;
    case 'k':
        kill_machine(g);
        break;
    case 'm':
        read_memory(g, p);
        break;
    case 'M':
        write_memory(g, p);
        break;
    case 'p':
        read_register(g, p);
        break;
    case 'P':
        write_register(g, p);
        break;
    case 'q':
        gdb_query(g, p);
        break;
    case 'Q':
        gdb_set(g, p);
        break;
    case 'T':
        thread_alive(g, p);
        break;
    case 'v':
        verbose(g, p);
        break;
    case 'Z':
    case 'z':
        breakpoint(g, p, g->line[0] == 'Z');
        break;
    default:
        gdb_send(g, "", 0);
    }
}
