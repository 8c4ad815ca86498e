// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Semihosting calls (ARM 100863): a row per operation number. R0 or X0 has the number and takes
 * the answer, R1 or X1 has the argument: mostly the address of a block of words. What is done is
 * in exec/semihost.h.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec/semihost.h"
#include "qom/vm.h"
#include "target-arm/cpu.h"
#include "target-arm/helpers.h"
#include "util/timer.h"

enum {
    MAX_ARGS = 4,
    ADP_STOPPED_APPLICATION_EXIT = 0x20026,
    TICKS_PER_SECOND = 1000000000
};

/* A call: the fields of its block. */
typedef struct Call {
    ArmCpu *c;
    uint64_t arg; /* R1 */
    uint64_t f[MAX_ARGS];
} Call;

typedef struct CallRow {
    uint8_t op, args; /* args: fields in the block at R1 */
    SemihostState (*fn)(const Call *k);
} CallRow;

static unsigned word_size(const ArmCpu *c)
{
    return arm_is_a32(c) || arm_has(c, FEATURE_M) ? 4 : 8;
}

static bool is_big(const ArmCpu *c)
{
    return arm_is_a32(c)
               ? c->pstate & PSTATE_E
               : c->sctlr[arm_regime_el(c, arm_el(c))] & (arm_el(c) ? SCTLR_EE : SCTLR_E0E);
}

static bool load_word(ArmCpu *c, uint64_t va, uint64_t *v)
{
    uint8_t b[8];
    unsigned size = word_size(c);

    if (!semihost_load(&c->cpu, va, b, size)) {
        return false;
    }
    *v = 0;
    for (unsigned i = 0; i < size; i++) {
        *v |= (uint64_t)b[is_big(c) ? size - 1 - i : i] << (8 * i);
    }
    return true;
}

static bool store_word(ArmCpu *c, uint64_t va, uint64_t v, unsigned size)
{
    uint8_t b[8];

    for (unsigned i = 0; i < size; i++) {
        b[is_big(c) ? size - 1 - i : i] = (uint8_t)(v >> (8 * i));
    }
    return semihost_store(&c->cpu, va, b, size);
}

/* ---- answers ---- */

static void set_result(ArmCpu *c, int64_t v)
{
    c->x[0] = word_size(c) == 4 ? (uint32_t)v : (uint64_t)v;
}

static void done(Cpu *cpu, uint64_t aux, int64_t value, int err)
{
    if (err && value < 0) {
        ARM(cpu)->semihost_errno = err;
    }
    set_result(ARM(cpu), value);
}

/* READ and WRITE answer with the number of bytes that were not moved. */
static void done_rest(Cpu *cpu, uint64_t wanted, int64_t value, int err)
{
    if (value < 0) {
        ARM(cpu)->semihost_errno = err;
        value = 0;
    }
    set_result(ARM(cpu), (int64_t)(wanted - (uint64_t)value));
}

static void done_isatty(Cpu *cpu, uint64_t aux, int64_t value, int err)
{
    done(cpu, aux, value, value < 0 ? err : 0);
}

/* WRITEC and WRITE0 have no answer: the register is corrupted, here as elsewhere. */
static void done_nothing(Cpu *cpu, uint64_t aux, int64_t value, int err)
{
    set_result(ARM(cpu), 0xdeadbeef);
}

static SemihostState say(const Call *k, int64_t value, int err)
{
    done(&k->c->cpu, 0, value, err);
    return SEMIHOST_DONE;
}

/* ---- files ---- */

static SemihostState call_open(const Call *k)
{
    return semihost_open(&k->c->cpu, k->f[0], k->f[2], (unsigned)MIN(k->f[1], SEMIHOST_MODES), done,
                         0);
}

static SemihostState call_close(const Call *k)
{
    return semihost_close(&k->c->cpu, k->f[0], done, 0);
}

static SemihostState call_writec(const Call *k)
{
    return semihost_console_write(&k->c->cpu, k->arg, false, 1, done_nothing, 0);
}

static SemihostState call_write0(const Call *k)
{
    return semihost_console_write(&k->c->cpu, k->arg, true, 0, done_nothing, 0);
}

static SemihostState call_write(const Call *k)
{
    return semihost_write(&k->c->cpu, k->f[0], k->f[1], k->f[2], done_rest, k->f[2]);
}

static SemihostState call_read(const Call *k)
{
    return semihost_read(&k->c->cpu, k->f[0], k->f[1], k->f[2], done_rest, k->f[2]);
}

static SemihostState call_readc(const Call *k)
{
    return semihost_console_read(&k->c->cpu, done, 0);
}

static SemihostState call_iserror(const Call *k)
{
    return say(k, word_size(k->c) == 4 ? (int32_t)k->f[0] < 0 : (int64_t)k->f[0] < 0, 0);
}

static SemihostState call_istty(const Call *k)
{
    return semihost_isatty(&k->c->cpu, k->f[0], done_isatty, 0);
}

static SemihostState call_seek(const Call *k)
{
    return semihost_seek(&k->c->cpu, k->f[0], k->f[1], done, 0);
}

static SemihostState call_flen(const Call *k)
{
    uint64_t sp = word_size(k->c) == 4 ? (uint32_t)k->c->x[13] : k->c->x[31];

    return semihost_flen(&k->c->cpu, k->f[0], (sp - 64) & ~7ull, done, 0);
}

static SemihostState call_tmpnam(const Call *k)
{
    g_autofree char *name = g_strdup_printf("%s/qemu-%x%02x", g_get_tmp_dir(), (unsigned)getpid(),
                                            (unsigned)k->f[1] & 0xff);
    size_t len = strlen(name) + 1;

    if (k->f[2] < len) {
        return say(k, -1, ENAMETOOLONG);
    }
    return semihost_store(&k->c->cpu, k->f[0], name, len) ? say(k, 0, 0) : say(k, -1, EFAULT);
}

static SemihostState call_remove(const Call *k)
{
    return semihost_remove(&k->c->cpu, k->f[0], k->f[1], done, 0);
}

static SemihostState call_rename(const Call *k)
{
    return semihost_rename(&k->c->cpu, k->f[0], k->f[1], k->f[2], k->f[3], done, 0);
}

/* ---- time, the machine ---- */

static SemihostState call_clock(const Call *k)
{
    return say(k, clock_now_ns(CLOCK_GUEST) / (NANOSECONDS_PER_SECOND / 100), 0);
}

static SemihostState call_time(const Call *k)
{
    return say(k, (int64_t)time(NULL) + k->c->cpu.dev.vm->rtc_offset_s, 0);
}

static SemihostState call_system(const Call *k)
{
    return semihost_system(&k->c->cpu, k->f[0], k->f[1], done, 0);
}

static SemihostState call_errno(const Call *k)
{
    return say(k, k->c->semihost_errno, 0);
}

static SemihostState call_cmdline(const Call *k)
{
    g_autofree char *line = semihost_command_line(k->c->cpu.dev.vm);
    size_t len = strlen(line) + 1;

    if (len > k->f[1]) {
        return say(k, -1, E2BIG);
    }
    bool ok = store_word(k->c, k->arg + word_size(k->c), len - 1, word_size(k->c)) &&
              semihost_store(&k->c->cpu, k->f[0], line, len);

    return ok ? say(k, 0, 0) : say(k, -1, EFAULT);
}

static SemihostState call_heapinfo(const Call *k)
{
    unsigned size = word_size(k->c);
    uint64_t base, limit;
    bool ok = true;

    semihost_heap(&k->c->cpu, &base, &limit);
    const uint64_t words[4] = {base, limit, limit,
                               base}; /* the stack grows down into the same room */

    for (unsigned i = 0; i < 4; i++) {
        ok = ok && store_word(k->c, k->f[0] + i * size, words[i], size);
    }
    return ok ? say(k, 0, 0) : say(k, -1, EFAULT);
}

static void finish(ArmCpu *c, uint64_t reason, uint64_t code)
{
    semihost_exit(&c->cpu, reason == ADP_STOPPED_APPLICATION_EXIT ? (int)(code & 0xff) : 1);
}

static SemihostState call_exit(const Call *k)
{
    uint64_t reason = k->arg, code = 0;

    if (word_size(k->c) == 8 &&
        (!load_word(k->c, k->arg, &reason) || !load_word(k->c, k->arg + 8, &code))) {
        return say(k, -1, EFAULT);
    }
    finish(k->c, word_size(k->c) == 4 ? (uint32_t)reason : reason, code);
    return SEMIHOST_DONE;
}

static SemihostState call_exit_extended(const Call *k)
{
    finish(k->c, k->f[0], k->f[1]);
    return SEMIHOST_DONE;
}

static SemihostState call_elapsed(const Call *k)
{
    uint64_t now = (uint64_t)clock_now_ns(CLOCK_GUEST);
    bool ok = word_size(k->c) == 8 ? store_word(k->c, k->arg, now, 8)
                                   : store_word(k->c, k->arg, (uint32_t)now, 4) &&
                                         store_word(k->c, k->arg + 4, now >> 32, 4);

    return ok ? say(k, 0, 0) : say(k, -1, EFAULT);
}

static SemihostState call_tickfreq(const Call *k)
{
    return say(k, TICKS_PER_SECOND, 0);
}

/* Old debuggers made the program privileged: it is, or may not be. */
static SemihostState call_enter_svc(const Call *k)
{
    return say(k, 0, 0);
}

static const CallRow calls[] = {
    {0x01, 3, call_open},     {0x02, 1, call_close},         {0x03, 0, call_writec},
    {0x04, 0, call_write0},   {0x05, 3, call_write},         {0x06, 3, call_read},
    {0x07, 0, call_readc},    {0x08, 1, call_iserror},       {0x09, 1, call_istty},
    {0x0a, 2, call_seek},     {0x0c, 1, call_flen},          {0x0d, 3, call_tmpnam},
    {0x0e, 2, call_remove},   {0x0f, 4, call_rename},        {0x10, 0, call_clock},
    {0x11, 0, call_time},     {0x12, 2, call_system},        {0x13, 0, call_errno},
    {0x15, 2, call_cmdline},  {0x16, 1, call_heapinfo},      {0x17, 0, call_enter_svc},
    {0x18, 0, call_exit},     {0x20, 2, call_exit_extended}, {0x30, 0, call_elapsed},
    {0x31, 0, call_tickfreq},
};

static SemihostState make_call(ArmCpu *c)
{
    Call k = {.c = c, .arg = word_size(c) == 4 ? (uint32_t)c->x[1] : c->x[1]};
    uint32_t op = (uint32_t)c->x[0];

    for (unsigned i = 0; i < ARRAY_COUNT(calls); i++) {
        if (calls[i].op != op) {
            continue;
        }
        for (unsigned n = 0; n < calls[i].args; n++) {
            if (!load_word(c, k.arg + n * word_size(c), &k.f[n])) {
                return say(&k, -1, EFAULT);
            }
        }
        return calls[i].fn(&k);
    }
    guest_error("CPU %u: unknown semihosting call %#x", c->cpu.index, op);
    return say(&k, -1, ENOSYS);
}

/*
 * The instruction, whose successor is `next`; IT state behind it. Leaves for the loop: registers
 * have changed, the machine may have to stop.
 */
void helper_semihost(Cpu *cpu, uint64_t next, uint32_t it)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();

    cpu_restore_state(cpu, host_pc);
    uint64_t here = c->pc;
    uint32_t it_here = c->it;

    c->pc = next;
    c->it = it;
    if (make_call(c) == SEMIHOST_AGAIN) {
        c->pc = here;
        c->it = it_here;
    }
    cpu_raise(cpu, CPU_EXC_YIELD, 0);
}
