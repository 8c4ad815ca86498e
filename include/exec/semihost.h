// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's side of semihosting: the files, the console and the clock that guest code asks
 * for by an instruction of its architecture. A target decodes the call and its arguments and says
 * what the answer looks like; here is what is done. Off unless -semihosting asked for it: with it,
 * guest code has the rights of the user who runs the emulator.
 *
 * Calls run on the vCPU's thread without the machine lock, unless stated.
 */
#ifndef EXEC_SEMIHOST_H
#define EXEC_SEMIHOST_H

#include "exec/cpu.h"

typedef enum SemihostTarget {
    SEMIHOST_AUTO,
    SEMIHOST_NATIVE,
    SEMIHOST_GDB
} SemihostTarget;

/* What a call has come to. */
typedef enum SemihostState {
    SEMIHOST_DONE, /* done() was called */
    SEMIHOST_AGAIN, /* the host was not ready: the vCPU looks around and repeats the instruction */
    SEMIHOST_PENDING, /* the debugger has it: done() will be called, the machine stops meanwhile */
} SemihostState;

/*
 * The answer: value, or -1 with the host's errno in err. Own thread, or the main loop with the vCPU
 * stopped. aux is the caller's.
 */
typedef void SemihostDone(Cpu *cpu, uint64_t aux, int64_t value, int err);

/* The console of chardev=. Machine lock held. Both return how many bytes were moved, 0: not now. */
typedef struct SemihostConsole {
    size_t (*write)(void *opaque, const uint8_t *buf, size_t len);
    size_t (*read)(void *opaque, uint8_t *buf, size_t len);
    void *opaque;
} SemihostConsole;

/* A debugger that serves files (gdb's File-I/O). Machine lock held. */
typedef struct SemihostGdb {
    bool (*ready)(void);
    /* Sends "Fwrite,..." once the machine has stopped; done() gets the reply. */
    void (*ask)(Cpu *cpu, const char *request, SemihostDone *done, uint64_t aux);
    /* The program has ended. */
    void (*exited)(int status);
} SemihostGdb;

typedef struct SemihostConfig {
    bool enabled, userspace; /* userspace: from the least privileged level, too */
    SemihostTarget target;
    GPtrArray *args; /* char *, the command line's words; NULL: -kernel and -append */
    SemihostConsole console; /* write NULL: stderr and stdin */
    const SemihostGdb *gdb; /* NULL: there is none */
} SemihostConfig;

/* The process's settings; written at start-up, by the main thread. */
SemihostConfig *semihost_config(void);
/* Whether code may make calls; user: it runs at the least privileged level. Any thread. */
static inline bool semihost_enabled(bool user)
{
    const SemihostConfig *c = semihost_config();

    return c->enabled && (!user || c->userspace);
}
/* The guest's command line; new string. */
char *semihost_command_line(const Vm *vm);

/* Virtual memory of the guest, without faults. False: not there. */
bool semihost_load(Cpu *cpu, uint64_t va, void *buf, size_t len);
bool semihost_store(Cpu *cpu, uint64_t va, const void *buf, size_t len);

/* Ways to open a file, as by fopen: read, read and write, write, ... Others are refused. */
enum {
    SEMIHOST_MODES = 12
};

/*
 * Handles are numbers from 1 on. Names are `len` bytes in guest memory, followed by a 0. read and
 * write answer with the number of bytes moved.
 */
SemihostState semihost_open(Cpu *cpu, uint64_t name, uint64_t len, unsigned mode,
                            SemihostDone *done, uint64_t aux);
SemihostState semihost_close(Cpu *cpu, uint64_t handle, SemihostDone *done, uint64_t aux);
SemihostState semihost_read(Cpu *cpu, uint64_t handle, uint64_t va, uint64_t len,
                            SemihostDone *done, uint64_t aux);
SemihostState semihost_write(Cpu *cpu, uint64_t handle, uint64_t va, uint64_t len,
                             SemihostDone *done, uint64_t aux);
SemihostState semihost_isatty(Cpu *cpu, uint64_t handle, SemihostDone *done, uint64_t aux);
SemihostState semihost_seek(Cpu *cpu, uint64_t handle, uint64_t offset, SemihostDone *done,
                            uint64_t aux);
/* scratch: 64 bytes of guest memory that a debugger may write to */
SemihostState semihost_flen(Cpu *cpu, uint64_t handle, uint64_t scratch, SemihostDone *done,
                            uint64_t aux);
SemihostState semihost_remove(Cpu *cpu, uint64_t name, uint64_t len, SemihostDone *done,
                              uint64_t aux);
SemihostState semihost_rename(Cpu *cpu, uint64_t from, uint64_t from_len, uint64_t to,
                              uint64_t to_len, SemihostDone *done, uint64_t aux);
SemihostState semihost_system(Cpu *cpu, uint64_t command, uint64_t len, SemihostDone *done,
                              uint64_t aux);
/* To the console; text: as far as a 0, else len bytes. */
SemihostState semihost_console_write(Cpu *cpu, uint64_t va, bool text, uint64_t len,
                                     SemihostDone *done, uint64_t aux);
SemihostState semihost_console_read(Cpu *cpu, SemihostDone *done, uint64_t aux);

/* The guest is done: the process ends with this exit status. */
void semihost_exit(Cpu *cpu, int status);
/*
 * Where a heap may be: the largest room in the largest piece of RAM that nothing was loaded to.
 */
void semihost_heap(Cpu *cpu, uint64_t *base, uint64_t *limit);

#endif
