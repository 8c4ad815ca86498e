// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gdb's File-I/O extension: a vCPU asks, the machine stops as for a breakpoint, the request goes to
 * the debugger in the place of a stop reply, and with its answer the machine goes on.
 */
#include "monitor/gdb.h"

#include <errno.h>

/* The request at hand: one at a time, others repeat their instruction until it is done. */
static struct {
    Cpu *cpu; /* NULL: none */
    char *request;
    SemihostDone *done;
    uint64_t aux;
    bool sent;
} file;

static bool ready(void)
{
    return gdb_is_connected() && !file.cpu;
}

static void ask(Cpu *cpu, const char *request, SemihostDone *done, uint64_t aux)
{
    file.cpu = cpu;
    file.request = g_strdup(request);
    file.done = done;
    file.aux = aux;
    file.sent = false;
    request_stop(RUN_STATE_DEBUG);
    cpu->stop_requested = true;
    cpu_interrupt(cpu, CPU_PENDING_STOP);
}

const SemihostGdb *gdb_files(void)
{
    static const SemihostGdb ops = {.ready = ready, .ask = ask, .exited = gdb_exit};

    return &ops;
}

bool gdb_file_send(GdbStub *g)
{
    if (!file.cpu || file.sent) {
        return false;
    }
    file.sent = true;
    gdb_send_text(g, "%s", file.request);
    return true;
}

static void finish(int64_t value, int err)
{
    Cpu *cpu = file.cpu;

    g_clear_pointer(&file.request, g_free);
    file.cpu = NULL;
    file.done(cpu, file.aux, value, err);
}

void gdb_file_forget(void)
{
    if (file.cpu) {
        finish(-1, EIO);
    }
}

/* gdb's numbers are Linux's, but for one. */
static int host_errno(uint64_t n)
{
    enum {
        GDB_NAME_TOO_LONG = 91,
        GDB_UNKNOWN = 9999
    };

    return n == GDB_NAME_TOO_LONG ? ENAMETOOLONG : n == 0 || n >= GDB_UNKNOWN ? EIO : (int)n;
}

/* "Fretcode[,errno[,C]]" */
void gdb_file_reply(GdbStub *g, char *p)
{
    static const uint8_t everything[512] = {[0 ... 511] = 0xff};
    bool minus = *p == '-', interrupted = false;
    uint64_t value, err = 0;

    p += minus;
    if (!file.cpu || !file.sent || !gdb_hex(&p, &value)) {
        gdb_send_text(g, "E22");
        return;
    }
    if (*p == ',') {
        p++;
        gdb_hex(&p, &err);
        interrupted = p[0] == ',' && p[1] == 'C';
    }
    finish(minus ? -(int64_t)value : (int64_t)value, minus ? host_errno(err) : 0);
    if (interrupted) {
        gdb_stop_reply(g, GDB_SIG_INT);
    } else {
        gdb_resume(g, everything, NULL);
    }
}
