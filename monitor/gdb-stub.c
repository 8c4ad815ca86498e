// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gdb remote stub: the connection. Framing, acknowledgements, stop replies, running and
 * stopping the machine. Bytes from the other side are not trusted: a packet longer than
 * GDB_PACKET_MAX or with a wrong sum is refused and nothing else happens.
 */
#include "monitor/gdb.h"

#include <inttypes.h>
#include <string.h>
#include "util/error.h"
#include "util/timer.h"

/* One debugger per process: `-gdb`, HMP gdbserver and the vCPU threads mean the same stub. */
static GdbStub stub;

/* ---- out ---- */

static void flush_out(GdbStub *g)
{
    while (g->out->len > 0) {
        size_t n = chardev_write(&g->fe, g->out->data, g->out->len);
        if (n == 0) {
            return;
        }
        g_byte_array_remove_range(g->out, 0, (guint)n);
    }
}

static void put(GdbStub *g, const void *bytes, size_t len)
{
    if (!g->attached) {
        return;
    }
    g_byte_array_append(g->out, bytes, (guint)len);
    flush_out(g);
}

void gdb_send(GdbStub *g, const char *text, size_t len)
{
    uint8_t sum = 0;
    char tail[4];

    for (size_t i = 0; i < len; i++) {
        sum = (uint8_t)(sum + (uint8_t)text[i]);
    }
    g_snprintf(tail, sizeof(tail), "#%02x", sum);
    g_byte_array_set_size(g->last, 0);
    g_byte_array_append(g->last, (const uint8_t *)"$", 1);
    g_byte_array_append(g->last, (const uint8_t *)text, (guint)len);
    g_byte_array_append(g->last, (const uint8_t *)tail, 3);
    put(g, g->last->data, g->last->len);
}

void gdb_send_text(GdbStub *g, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    gdb_send(g, text, strlen(text));
}

void gdb_stop_reply(GdbStub *g, unsigned sig)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "T%02xthread:", sig);
    gdb_append_thread(g, gdb_current(g), text);
    g_string_append_c(text, ';');
    if (g->watch_hit) {
        unsigned kind = g->watch_kind & (BP_READ | BP_WRITE);
        g_string_append_printf(text, "%swatch:%" PRIx64 ";",
                               kind == BP_READ    ? "r"
                               : kind == BP_WRITE ? ""
                                                  : "a",
                               g->watch_va);
    }
    gdb_send(g, text->str, text->len);
}

/* ---- running and stopping ---- */

static bool in_set(const uint8_t *set, unsigned i)
{
    return set && (set[i / 8] >> (i % 8) & 1);
}

void gdb_resume(GdbStub *g, const uint8_t *go, const uint8_t *step)
{
    bool stepping = false;

    for (unsigned i = 0; i < g->vm->cpus->len; i++) {
        Cpu *cpu = g->vm->cpus->pdata[i];
        bool one = in_set(step, i);
        cpu->hold = !one && !in_set(go, i);
        cpu->singlestep = one && (g->sstep & SSTEP_ENABLE);
        cpu->singlestep_no_irq = cpu->singlestep && (g->sstep & SSTEP_NOIRQ);
        stepping |= cpu->singlestep;
        cpu->watchpoint_hit = NULL;
    }
    g->watch_hit = false;
    vm_start(g->vm);
    if (stepping && (g->sstep & SSTEP_NOTIMER)) {
        clock_guest_run(false);
    }
}

static unsigned stop_signal(void)
{
    switch (runstate()) {
    case RUN_STATE_DEBUG:
        return GDB_SIG_TRAP;
    case RUN_STATE_PAUSED:
        return GDB_SIG_INT;
    case RUN_STATE_SHUTDOWN:
        return GDB_SIG_QUIT;
    case RUN_STATE_IO_ERROR:
        return GDB_SIG_IO;
    case RUN_STATE_WATCHDOG:
        return GDB_SIG_ALRM;
    case RUN_STATE_INTERNAL_ERROR:
    case RUN_STATE_GUEST_PANICKED:
        return GDB_SIG_UNKNOWN;
    case RUN_STATE_SAVE_VM:
    case RUN_STATE_RESTORE_VM:
        return 0;
    default:
        return GDB_SIG_XCPU;
    }
}

static void run_changed(void *opaque, bool running)
{
    GdbStub *g = opaque;

    if (running || !g->attached) {
        return;
    }
    for (unsigned i = 0; i < g->vm->cpus->len; i++) {
        Cpu *cpu = g->vm->cpus->pdata[i];
        cpu->singlestep = cpu->singlestep_no_irq = cpu->hold = false;
    }
    unsigned sig = stop_signal();
    if (g->connected && sig == GDB_SIG_TRAP && gdb_file_send(g)) {
        g->stopped_cpu = NULL;
        return;
    }
    if (g->connected && sig) {
        if (g->stopped_cpu) {
            g->g_cpu = g->c_cpu = g->stopped_cpu;
        }
        gdb_stop_reply(g, sig);
    }
    g->stopped_cpu = NULL;
}

void gdb_cpu_stopped(Cpu *cpu)
{
    GdbStub *g = &stub;

    if (!g->attached) {
        return;
    }
    g->stopped_cpu = cpu;
    g->watch_hit = cpu->watchpoint_hit != NULL;
    if (g->watch_hit) {
        g->watch_va = cpu->watchpoint_hit->va;
        g->watch_kind = cpu->watchpoint_hit->flags;
        cpu->watchpoint_hit = NULL;
    }
}

void gdb_cpu_gone(Cpu *cpu)
{
    Cpu **kept[] = {&stub.g_cpu, &stub.c_cpu, &stub.stopped_cpu};

    for (unsigned i = 0; i < ARRAY_COUNT(kept); i++) {
        if (*kept[i] == cpu) {
            *kept[i] = NULL;
        }
    }
}

void gdb_forget(GdbStub *g)
{
    for (unsigned i = 0; i < g->vm->cpus->len; i++) {
        Cpu *cpu = g->vm->cpus->pdata[i];
        cpu_breakpoints_clear(cpu, BP_DEBUGGER);
        cpu->singlestep = cpu->singlestep_no_irq = cpu->hold = false;
    }
}

/* ---- in ---- */

static void end_packet(GdbStub *g)
{
    if (g->sum != g->sum_wanted) {
        put(g, "-", 1);
        return;
    }
    put(g, "+", 1);
    g->line[g->line_len] = 0;
    gdb_packet(g);
}

static void receive_idle(GdbStub *g, uint8_t c)
{
    if (c == '$') {
        g->line_len = 0;
        g->sum = 0;
        g->rx = RX_DATA;
    } else if (c == '-') {
        put(g, g->last->data, g->last->len);
    } else if (c == 3) {
        vm_stop(g->vm, RUN_STATE_PAUSED);
    }
}

static void add_char(GdbStub *g, uint8_t c)
{
    if (g->line_len == GDB_PACKET_MAX) {
        g->rx = RX_IDLE;               /* too long: refused */
        put(g, "-", 1);
        return;
    }
    g->line[g->line_len++] = (char)c;
}

static void receive_byte(GdbStub *g, uint8_t c)
{
    switch (g->rx) {
    case RX_IDLE:
        receive_idle(g, c);
        break;
    case RX_DATA:
        if (c == '#') {
            g->rx = RX_SUM1;
            break;
        }
        g->sum = (uint8_t)(g->sum + c);
        if (c == '}') {
            g->rx = RX_ESCAPE;
        } else if (c == '$') {
            g->line_len = 0;           /* the other side began anew */
            g->sum = 0;
        } else {
            add_char(g, c);
        }
        break;
    case RX_ESCAPE:
        g->sum = (uint8_t)(g->sum + c);
        g->rx = RX_DATA;
        add_char(g, c ^ 0x20);
        break;
    case RX_SUM1:
    case RX_SUM2:
        if (!g_ascii_isxdigit((char)c)) {
            g->rx = RX_IDLE;
            put(g, "-", 1);
        } else if (g->rx == RX_SUM1) {
            g->sum_wanted = (uint8_t)(g_ascii_xdigit_value((char)c) << 4);
            g->rx = RX_SUM2;
        } else {
            g->sum_wanted |= (uint8_t)g_ascii_xdigit_value((char)c);
            g->rx = RX_IDLE;
            end_packet(g);
        }
        break;
    }
}

static size_t can_receive(void *opaque)
{
    GdbStub *g = opaque;

    return g->out->len < 1 * MIB ? GDB_PACKET_MAX : 0;
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    GdbStub *g = opaque;

    for (size_t i = 0; i < len && g->attached; i++) {
        /*
         * While the machine runs, only the debugger's interrupt is expected; a packet interrupts
         * too.
         */
        if (runstate_running() && g->rx == RX_IDLE && (buf[i] == 3 || buf[i] == '$')) {
            vm_stop(g->vm, RUN_STATE_PAUSED);
            if (buf[i] == 3) {
                continue;
            }
        }
        receive_byte(g, buf[i]);
    }
}

static void drained(void *opaque)
{
    GdbStub *g = opaque;

    flush_out(g);
    chardev_accept_input(&g->fe);
}

static void event(void *opaque, ChardevEvent ev)
{
    GdbStub *g = opaque;

    if (ev == CHARDEV_OPENED) {
        g->connected = false;          /* no stop reply before the debugger asks */
        g->rx = RX_IDLE;
        g_byte_array_set_size(g->out, 0);
        g_byte_array_set_size(g->last, 0);
        g->multiprocess = g->physical = false;
        g->g_cpu = g->c_cpu = NULL;
        if (runstate_running()) {
            vm_stop(g->vm, RUN_STATE_PAUSED);
        }
        g->connected = true;
    } else if (ev == CHARDEV_CLOSED) {
        g->connected = false;
        gdb_forget(g);
        gdb_file_forget();
    }
}

bool gdb_is_connected(void)
{
    return stub.attached && stub.connected;
}

static const ChardevFeOps gdb_ops = {
    .can_receive = can_receive,
    .receive = receive,
    .event = event,
    .drained = drained,
};

/* ---- start and end ---- */

void gdb_stop(void)
{
    GdbStub *g = &stub;

    if (!g->attached) {
        return;
    }
    gdb_forget(g);
    chardev_fe_detach(&g->fe);
    runstate_unwatch(run_changed, g);
    g->attached = g->connected = false;
    g_byte_array_unref(g->out);
    g_byte_array_unref(g->last);
    g->out = g->last = NULL;
}

bool gdb_start(Vm *vm, const char *spec, GError **error)
{
    GdbStub *g = &stub;
    GdbMonitorFn *monitor = g->monitor;
    Chardev *chr;

    gdb_stop();
    if (!spec || strcmp(spec, "none") == 0) {
        return true;
    }
    if (!vm->cpus || vm->cpus->len == 0) {
        return fail(error,
                    "gdbstub: meaningless to attach gdb to a machine without any CPU");
    }
    if (g_str_has_prefix(spec, "chardev:")) {
        chr = chardev_find(spec + strlen("chardev:"), error);
    } else if (g_str_has_prefix(spec, "tcp:")) {
        g_autofree char *full = g_strconcat(spec, ",wait=off,nodelay=on,server=on", NULL);
        chr = chardev_new_short("gdb", full, error);
    } else {
        chr = chardev_new_short("gdb", spec, error);
    }
    if (!chr) {
        return *error == NULL;         /* "null": nothing to serve */
    }
    memset(g, 0, sizeof(*g));
    g->vm = vm;
    g->monitor = monitor;
    g->sstep = SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER;
    g->out = g_byte_array_new();
    g->last = g_byte_array_new();
    g->attached = true;
    runstate_watch(run_changed, g);
    if (!chardev_fe_attach(&g->fe, chr, &gdb_ops, g, error)) {
        gdb_stop();
        return false;
    }
    return true;
}

void gdb_set_monitor(GdbMonitorFn *fn)
{
    stub.monitor = fn;
}

void gdb_exit(int code)
{
    if (stub.attached && stub.connected) {
        gdb_send_text(&stub, "W%02x", code & 0xff);
        stub.connected = false;
    }
}
