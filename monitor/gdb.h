// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the gdb stub share: one connection's state, packets out, resuming. */
#ifndef MONITOR_GDB_H
#define MONITOR_GDB_H

#include "chardev/chardev.h"
#include "exec/cpu.h"
#include "monitor/gdbstub.h"
#include "qom/vm.h"

enum { GDB_PACKET_MAX = 4096, GDB_REGISTER_MAX = 256 };
/* Bits of qqemu.sstep. */
enum { SSTEP_ENABLE = 1, SSTEP_NOIRQ = 2, SSTEP_NOTIMER = 4 };
/* Signals by gdb's own numbers. */
enum { GDB_SIG_INT = 2, GDB_SIG_QUIT = 3, GDB_SIG_TRAP = 5, GDB_SIG_ALRM = 14, GDB_SIG_IO = 23,
       GDB_SIG_XCPU = 24, GDB_SIG_UNKNOWN = 143 };

typedef struct GdbStub {
    Vm *vm;
    ChardevFe fe;
    bool attached;                     /* the front end is; a stub exists */
    bool connected;                    /* a debugger spoke to us */
    bool multiprocess;
    bool physical;                     /* m and M take physical addresses */
    unsigned sstep;
    Cpu *g_cpu, *c_cpu;                /* of the last Hg, Hc; NULL: the first */
    Cpu *stopped_cpu;                  /* the one that the last stop is about */
    bool watch_hit;
    uint64_t watch_va;
    unsigned watch_kind;
    unsigned next_thread;              /* of qsThreadInfo */
    GByteArray *out;                   /* not yet taken by the chardev */
    GByteArray *last;                  /* last packet, for a resend */
    /* the packet that comes in */
    enum { RX_IDLE, RX_DATA, RX_ESCAPE, RX_SUM1, RX_SUM2 } rx;
    char line[GDB_PACKET_MAX + 1];
    unsigned line_len;
    uint8_t sum, sum_wanted;
    GdbMonitorFn *monitor;
} GdbStub;

/* ---- gdb-stub.c ---- */
void gdb_send(GdbStub *g, const char *text, size_t len);
void gdb_send_text(GdbStub *g, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Lets the machine run: CPUs in `go` and `step`, bits by index; others stay held. */
void gdb_resume(GdbStub *g, const uint8_t *go, const uint8_t *step);
void gdb_stop_reply(GdbStub *g, unsigned sig);
/* Takes out everything that the debugger put into the machine. */
void gdb_forget(GdbStub *g);

/* ---- gdb-files.c ---- */
/* The machine has stopped: whether that was for a request to the debugger, which goes out then. */
bool gdb_file_send(GdbStub *g);
/* Packet F. */
void gdb_file_reply(GdbStub *g, char *p);
/* The debugger is gone: what waits for it fails. */
void gdb_file_forget(void);

/* ---- gdb-packets.c ---- */
/* g->line holds a packet of g->line_len bytes, ended by a 0. */
void gdb_packet(GdbStub *g);
Cpu *gdb_current(GdbStub *g);
/* "p01.01" or "01" */
void gdb_append_thread(const GdbStub *g, const Cpu *cpu, GString *out);

/* ---- gdb-query.c: packets q and Q ---- */
void gdb_query(GdbStub *g, char *p);
void gdb_set(GdbStub *g, char *p);

/* Hex digits at *p into *v; false: none there, or more than 64 bits. */
bool gdb_hex(char **p, uint64_t *v);
void gdb_append_hex(GString *out, const void *bytes, size_t len);
/* Exactly 2 * len digits at p. */
bool gdb_unhex(const char *p, uint8_t *out, size_t len);
/*
 * Thread id at *p. *all: -1 somewhere; *cpu: the one meant, any (the first) for 0. False: malformed
 * or none.
 */
bool gdb_thread(GdbStub *g, char **p, Cpu **cpu, bool *all);

#endif
