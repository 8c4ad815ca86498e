// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The execution loop: exceptions, interrupts, the next block, run it, again. All that raises
 * (faults in helpers, slow paths, translation) comes back by siglongjmp to the loop's head, with
 * guest state complete.
 */
#include "accel/tcg/tcg.h"

#include <inttypes.h>
#include <sched.h>
#include "util/log.h"
#include "util/main-loop.h"

/* ---- leaving ---- */

bool cpu_restore_state(Cpu *cpu, uintptr_t host_pc)
{
    uint32_t insn;
    CodeBlock *cb = cache_locate(cpu, host_pc, &insn);

    if (!cb) {
        return false;
    }
    const InsnPoint p = code_insn(cb, insn);
    const uint64_t moved = block_moved(cpu, cb);
    BlockKey key = cb->key;
    key.pc += moved;
    cpu->arch->restore(cpu, &key, p.pc + moved, p.meta);
    return true;
}

/* Nothing is missing but the pc, which is `pc` in terms of the block. */
static uint64_t restore_entry(Cpu *cpu, const CodeBlock *cb, uint64_t pc)
{
    BlockKey key = cb->key;

    key.pc = pc + block_moved(cpu, cb);
    cpu->arch->restore(cpu, &key, key.pc, IR_META_ENTRY);
    return key.pc;
}

void cpu_raise(Cpu *cpu, int exception, uintptr_t host_pc)
{
    if (host_pc) {
        cpu_restore_state(cpu, host_pc);
    }
    cpu->exception = exception;
    siglongjmp(cpu->jump, 1);
}

void cpu_leave(Cpu *cpu, uintptr_t host_pc)
{
    if (host_pc) {
        cpu_restore_state(cpu, host_pc);
    }
    siglongjmp(cpu->jump, 1);
}

/* Locks that the code we jumped out of held. */
static void drop_locks(Cpu *cpu)
{
    cache_abort_translation(cpu);
    if (machine_locked()) {
        machine_unlock();
    }
    cpu->running = NULL;
    cpu->mem_host_pc = 0;
}

/* ---- exceptions and interrupts ---- */

/* A reset is asked for; nothing runs here until it has come. */
static void stop_for_reset(Cpu *cpu)
{
    machine_lock();
    request_reset(SHUTDOWN_GUEST_RESET);
    cpu->stop_requested = true;
    cpu_interrupt(cpu, CPU_PENDING_STOP);
    machine_unlock();
}

/* The guest spins: now and then the host may run another vCPU. */
static void yield(Cpu *cpu)
{
    enum { SPINS = 32 };

    if (++tcg_cpu(cpu)->yields % SPINS == 0 && tcg->cpus->len > 1) {
        cpu_guest_leave(cpu);
        sched_yield();
        cpu_guest_enter(cpu);
    }
}

/* True: cpu_exec returns *r. */
static bool take_exception(Cpu *cpu, CpuExecResult *r)
{
    int exception = cpu->exception;

    if (exception >= 0 && exception <= 0xffff) {
        if (log_enabled(LOG_INT)) {
            log_printf("CPU %u: exception %#x at %#" PRIx64 "\n", cpu->index, exception,
                       cpu->arch->get_pc(cpu));
        }
        cpu->arch->deliver(cpu);
        /* Stepping ends at the handler's first instruction. */
        cpu->exception = cpu->singlestep ? CPU_EXC_DEBUG : CPU_EXC_NONE;
        return false;
    }
    cpu->exception = CPU_EXC_NONE;
    switch (exception) {
    case CPU_EXC_DEBUG:
        *r = CPU_EXEC_DEBUG;
        return true;
    case CPU_EXC_HALT:
        cpu->halted = true;
        *r = CPU_EXEC_HALTED;
        return true;
    case CPU_EXC_ATOMIC:
        *r = CPU_EXEC_ATOMIC;
        return true;
    case CPU_EXC_TRIPLE:
        stop_for_reset(cpu);
        *r = CPU_EXEC_AGAIN;
        return true;
    default:                           /* CPU_EXC_YIELD */
        yield(cpu);
        return false;
    }
}

/* Looks at what is pending. True: cpu_exec returns. */
static bool look(Cpu *cpu)
{
    atomic_store(&cpu->attention, 0);
    /*
     * Somebody may want an exclusive section, or wait for readers (ram_hooks.kick): attention was
     * all that told us.
     */
    rcu_read_unlock();
    rcu_read_lock();
    cpu_guest_enter(cpu);
    uint32_t pending = atomic_load(&cpu->pending);
    const uint32_t outside = CPU_PENDING_WORK | CPU_PENDING_STOP;

    if (pending == 0) {
        return false;
    }
    if (pending & outside) {
        return true;
    }
    if (!(cpu->singlestep && cpu->singlestep_no_irq)) {
        machine_lock();
        cpu->arch->interrupt(cpu, atomic_load(&cpu->pending));
        machine_unlock();
    }
    return cpu->halted;                /* INIT puts an application processor to sleep */
}

/* ---- debugger ---- */

static bool breakpoint_in_page(const Cpu *cpu, uint64_t pc)
{
    for (unsigned i = 0; i < cpu->breakpoints->len; i++) {
        if (((g_array_index(cpu->breakpoints, Breakpoint, i).va ^ pc) & PAGE_MASK) == 0) {
            return true;
        }
    }
    return false;
}

/* A breakpoint at pc: raises for the debugger, or lets the target raise for the guest. */
static void check_breakpoints(Cpu *cpu, uint64_t pc)
{
    for (unsigned i = 0; i < cpu->breakpoints->len; i++) {
        Breakpoint *b = &g_array_index(cpu->breakpoints, Breakpoint, i);
        if (b->va != pc) {
            continue;
        }
        if (b->flags & BP_DEBUGGER) {
            if (cpu->singlestep) {
                continue;              /* a step goes over it */
            }
            cpu_raise(cpu, CPU_EXC_DEBUG, 0);
        }
        if (cpu->arch->debug_exception) {
            cpu->watchpoint_hit = b;
            cpu->arch->debug_exception(cpu);
            cpu->watchpoint_hit = NULL;
        }
    }
}

/*
 * KEY_* of the next block. While there are breakpoints, every block comes back here, and in their
 * pages blocks have one instruction.
 */
static uint32_t key_flags(Cpu *cpu, uint64_t pc)
{
    TcgCpu *t = tcg_cpu(cpu);
    uint32_t flags = 0;

    if (cpu->singlestep || t->single_next || tcg->one_insn) {
        flags |= KEY_SINGLE | KEY_UNCHAINED;
    }
    if (cpu->breakpoints && cpu->breakpoints->len > 0) {
        flags |= KEY_UNCHAINED;
        if (breakpoint_in_page(cpu, pc)) {
            flags |= KEY_SINGLE;
        }
    }
    if (log_enabled(LOG_NOCHAIN)) {
        flags |= KEY_UNCHAINED;
    }
    return flags;
}

/* After a block that was to have one instruction. */
static void after_single(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);

    t->single_next = false;
    if (t->watch_armed) {
        t->watch_armed = false;
        if (cpu->watchpoint_hit && (cpu->watchpoint_hit->flags & BP_DEBUGGER)) {
            cpu->exception = CPU_EXC_DEBUG;
        } else if (cpu->arch->debug_exception) {
            cpu->arch->debug_exception(cpu);
            cpu->watchpoint_hit = NULL;
        }
    }
    if (cpu->singlestep && cpu->exception == CPU_EXC_NONE) {
        cpu->exception = CPU_EXC_DEBUG;
    }
}

static void log_block(Cpu *cpu, const CodeBlock *cb)
{
    if (!log_filter_has(cb->key.pc)) {
        return;
    }
    log_mask(LOG_EXEC, "CPU %u: %p [%08" PRIx64 "/%016" PRIx64 "/%08x/%x]\n", cpu->index,
             cb->code.entry, cb->key.base, cb->key.pc, cb->key.mode, cb->key.flags);
    if (log_enabled(LOG_CPU)) {
        g_autoptr(GString) text = g_string_new(NULL);
        cpu->arch->dump(cpu, text, log_enabled(LOG_FPU) ? 1 : 0);
        log_text(text->str);
    }
}

/* ---- the loop ---- */

/* The block that asked to be chained, as the next look-up finds it. */
typedef struct ChainWish {
    CodeBlock *from;                   /* NULL: none */
    unsigned slot;
    uint32_t generation;
    uint64_t pc;                       /* where it wanted to go */
} ChainWish;

/* cb may become a region's head: branches back to it are counted. */
static bool may_become_region(const CodeBlock *cb)
{
    return !cb->no_region && tcg->arch->translate_region && tcg->engine->chain_counted &&
           cb->page[0] != NO_CODE_PAGE && cb->page[1] == NO_CODE_PAGE;
}

/* Returns what takes cb's place. */
static CodeBlock *chain_if_wanted(Cpu *cpu, const ChainWish *w, const BlockKey *key, CodeBlock *cb)
{
    const CodeBlock *from = w->from;

    if (!from || w->generation != atomic_load(&tcg->generation) || key->flags || from->key.flags ||
        key->pc != w->pc || key->mode != from->key.mode ||
        key->base != from->key.base) {
        return cb;
    }
    if (from->code.chains[w->slot].pc > 0 || !may_become_region(cb)) {
        cache_chain(w->from, w->slot, cb);
    } else if (from->code.chains[w->slot].to == block_number(cb) && cb->heat < 0) {
        cb = cache_make_region(cpu, key, cb);
        cache_chain(w->from, w->slot, cb);
    } else {
        cache_chain_counted(w->from, w->slot, cb);
    }
    return cb;
}

/* cb is where the last look-up of generated code wanted to go. */
static void note_way(Cpu *cpu, CodeBlock *cb)
{
    Came *came = &tcg_cpu(cpu)->came;

    if (came->page != NO_CODE_PAGE && came->page == cb->page[0] &&
        ((came->pc ^ cb->key.pc) & (cb->anywhere ? PAGE_OFFSET : UINT64_MAX)) == 0) {
        cb->ways |= (uint8_t)(1u << came->way);
        if (came->way == WAY_JUMP && !atomic_load(&cb->lookup_entry) && may_become_region(cb)) {
            cache_count_entry(cb);     /* loops of handlers have no other branch back */
        }
    }
    came->page = NO_CODE_PAGE;
}

/* Runs one block and what it is chained to. Returns whether interrupts are to be looked at. */
static bool run_block(Cpu *cpu, ChainWish *wish)
{
    BlockKey key = {0};
    CodeBlock *last = NULL;

    if (atomic_load_explicit(&tcg->wants_room, memory_order_relaxed)) {
        cache_make_room(cpu, atomic_load(&tcg->generation), true);
    }
    cpu->arch->block_key(cpu, &key);
    cpu->code_page = key.pc & PAGE_MASK;
    key.flags = key_flags(cpu, key.pc);
    if (cpu->breakpoints && cpu->breakpoints->len > 0) {
        check_breakpoints(cpu, key.pc);
    }
    CodeBlock *cb = cache_find(cpu, &key);
    note_way(cpu, cb);
    cb = chain_if_wanted(cpu, wish, &key, cb);
    if (cb->counted && cb->heat < 0 && may_become_region(cb)) {
        cb = cache_make_region(cpu, &key, cb);
    }
    if (cache_is_worn(cb)) {
        cb = cache_make_best(cpu, &key, cb);
    }
    wish->from = NULL;
    if (log_enabled(LOG_EXEC | LOG_CPU)) {
        log_block(cpu, cb);
    }

    unsigned reason = tcg->engine->run(cpu, cb, &last);
    switch (reason) {
    case IR_EXIT_ENTRY:
        restore_entry(cpu, last, last->key.pc);
        return true;                   /* nothing ran: a single step is still owed */
    case IR_EXIT_LOOP:
    case IR_EXIT_LOOKUP:
        break;
    default:
        wish->from = last;
        wish->slot = reason - IR_EXIT_CHAIN0;
        wish->generation = atomic_load(&tcg->generation);
        wish->pc = restore_entry(cpu, last, chain_pc(last, wish->slot));
        break;
    }
    if (key.flags & KEY_SINGLE) {
        after_single(cpu);
    }
    return reason == IR_EXIT_LOOP;
}

static CpuExecResult loop(Cpu *cpu)
{
    ChainWish wish = {0};
    bool look_now = true;
    CpuExecResult r;

    for (;;) {
        if (cpu->exception != CPU_EXC_NONE) {
            if (take_exception(cpu, &r)) {
                return r;
            }
            look_now = true;
            continue;
        }
        if (atomic_load_explicit(&cpu->attention, memory_order_relaxed) ||
            (look_now && atomic_load_explicit(&cpu->pending, memory_order_relaxed))) {
            wish.from = NULL;
            if (look(cpu)) {
                return CPU_EXEC_AGAIN;
            }
        }
        look_now = run_block(cpu, &wish);
    }
}

static CpuExecResult guarded(Cpu *cpu, CpuExecResult (*fn)(Cpu *cpu))
{
    if (sigsetjmp(cpu->jump, 0) != 0) {
        drop_locks(cpu);
    }
    return fn(cpu);
}

CpuExecResult tcg_cpu_exec(Cpu *cpu)
{
    if (cpu->halted) {
        machine_lock();
        cpu->halted = !cpu->arch->has_work(cpu);
        machine_unlock();
        if (cpu->halted) {
            return CPU_EXEC_HALTED;
        }
    }
    rcu_read_lock();
    cpu_guest_enter(cpu);
    if (cpu->arch->exec_enter) {
        cpu->arch->exec_enter(cpu);
    }
    CpuExecResult r = guarded(cpu, loop);
    if (cpu->arch->exec_leave) {
        cpu->arch->exec_leave(cpu);
    }
    cpu_guest_leave(cpu);
    rcu_read_unlock();
    return r;
}

/* One instruction, whatever it takes; faults are left to the loop. */
static CpuExecResult one_instruction(Cpu *cpu)
{
    TcgCpu *t = tcg_cpu(cpu);
    BlockKey key = {0};
    CodeBlock *last = NULL;

    if (cpu->exception != CPU_EXC_NONE) {
        return CPU_EXEC_AGAIN;
    }
    for (;;) {
        cpu->arch->block_key(cpu, &key);
        key.flags = KEY_SINGLE | KEY_UNCHAINED;
        CodeBlock *cb = cache_find_ready(cpu, &key);
        if (!cb) {
            /* Making room needs an exclusive section of its own: translated beforehand. */
            return CPU_EXEC_AGAIN;
        }
        atomic_store(&cpu->attention, 0);
        unsigned reason = tcg->engine->run(cpu, cb, &last);
        if (reason == IR_EXIT_ENTRY) {
            restore_entry(cpu, last, last->key.pc);
            continue;
        }
        if (reason >= IR_EXIT_CHAIN0) {
            restore_entry(cpu, last, chain_pc(last, reason - IR_EXIT_CHAIN0));
        }
        t->single_next = false;
        after_single(cpu);
        return CPU_EXEC_AGAIN;
    }
}

static CpuExecResult translate_one(Cpu *cpu)
{
    BlockKey key = {0};

    if (cpu->exception == CPU_EXC_NONE) {
        cpu->arch->block_key(cpu, &key);
        key.flags = KEY_SINGLE | KEY_UNCHAINED;
        cache_find(cpu, &key);
    }
    return CPU_EXEC_AGAIN;
}

void tcg_cpu_exec_atomic(Cpu *cpu)
{
    rcu_read_lock();
    cpu_guest_enter(cpu);
    if (cpu->arch->exec_enter) {
        cpu->arch->exec_enter(cpu);
    }
    guarded(cpu, translate_one);
    if (cpu->exception == CPU_EXC_NONE) {
        cpu_exclusive_begin(cpu);
        guarded(cpu, one_instruction);
        cpu_exclusive_end(cpu);
    }
    /* Look again at what was pending. */
    atomic_store(&cpu->attention, 1);
    if (cpu->arch->exec_leave) {
        cpu->arch->exec_leave(cpu);
    }
    cpu_guest_leave(cpu);
    rcu_read_unlock();
}

/* ---- from generated code ---- */

const void *tcg_lookup(Cpu *cpu, uint64_t pc, unsigned way, CodeBlock *from)
{
    BlockKey key = {0};

    if (atomic_load_explicit(&cpu->attention, memory_order_relaxed)) {
        return NULL;
    }
    cpu->arch->block_key(cpu, &key);
    key.flags = key_flags(cpu, key.pc);
    if (key.flags) {
        return NULL;
    }
    CodeBlock *cb = cache_find_ready(cpu, &key);
    tcg_cpu(cpu)->came =
        (Came){.pc = pc, .page = way == WAY_ANY ? NO_CODE_PAGE : from->page[0], .way = way};
    if (!cb) {
        return NULL;                   /* to be translated */
    }
    note_way(cpu, cb);
    cpu->code_page = key.pc & PAGE_MASK;
    return cache_entry(cb);
}

const void *tcg_look(Cpu *cpu)
{
    if (atomic_load_explicit(&cpu->pending, memory_order_relaxed) ||
        cpu->exception != CPU_EXC_NONE) {
        return NULL;
    }
    return tcg_lookup(cpu, 0, WAY_ANY, NULL);
}
