// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPU interface: what accelerators, boards, monitor and debugger know of a vCPU, and the
 * CpuArch that a target-* folder supplies. Guest addresses are 64 bits; word size, byte order
 * and page size are facts of the CpuArch or of the CPU's mode at run time.
 */
#ifndef EXEC_CPU_H
#define EXEC_CPU_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include "exec/tlb.h"
#include "qom/device.h"
#include "util/vec128.h"

typedef struct Cpu Cpu;
typedef struct CpuArch CpuArch;
typedef struct CodeBlock CodeBlock;     /* accel/tcg: a translated block or region */
struct IrBuilder;
struct Direct;
struct ArmCpuHooks;

enum {
    KEY_SINGLE = 1,                     /* a block of one instruction: stepping, breakpoints near */
    KEY_UNCHAINED = 2,                  /* every block comes back to the execution loop */
    /* Only where it is given to translate(): the code is to work in any virtual page (CpuArch.movable), with pc's offset. */
    KEY_ANYWHERE = 4,
};

/* Names a translation: the same key and the same guest bytes give the same code. */
typedef struct BlockKey {
    uint64_t pc;                        /* guest virtual (linear) address of the first instruction */
    uint64_t base;                      /* what else addresses depend on (x86: CS base) */
    uint32_t mode;                      /* the mode bits that matter, by the target's own layout */
    uint32_t flags;                     /* KEY_*: by accel/tcg */
} BlockKey;

/* Pending work and interrupts; bits of Cpu.pending. The target names those from bit 8 on. */
enum {
    CPU_PENDING_EXIT = 1 << 0,          /* leave generated code, look around, come back (attention only) */
    CPU_PENDING_WORK = 1 << 1,          /* the work queue is not empty */
    CPU_PENDING_STOP = 1 << 2,
    CPU_PENDING_HARD = 1 << 8,          /* the interrupt pin */
    CPU_PENDING_NMI = 1 << 9,
    CPU_PENDING_TARGET = 1 << 10,       /* first of the target's own */
};

/* Exceptions of the execution loop; a target's own are 0 .. 0xffff. */
enum {
    CPU_EXC_NONE = -1,
    CPU_EXC_DEBUG = 0x10000,            /* breakpoint, watchpoint or single step of the debugger */
    CPU_EXC_HALT = 0x10001,             /* HLT: wait for an interrupt */
    CPU_EXC_ATOMIC = 0x10002,           /* run one instruction with all others stopped */
    CPU_EXC_YIELD = 0x10003,            /* PAUSE: others may run */
    CPU_EXC_TRIPLE = 0x10004,           /* the machine wants a reset */
};

typedef struct Breakpoint { uint64_t va; uint64_t len; unsigned flags; } Breakpoint;
enum {
    BP_DEBUGGER = 1,
    BP_GUEST = 2,
    BP_READ = 4,
    BP_WRITE = 8,
    BP_EXEC = 16,
    BP_HIT_STOPS_BEFORE = 32
};

/*
 * First member of every target's CPU struct. The code generator addresses everything relative
 * to this struct: keep the hot part small; the TLB sits at a fixed offset behind it.
 */
struct Cpu {
    Device dev;
    const CpuArch *arch;
    unsigned index;
    AddressSpace *as;                   /* memory as this CPU sees it */
    AddressSpace *io;                   /* port space, NULL: none */

    /* --- read by generated code --- */
    _Atomic uint32_t attention;         /* not 0: generated code leaves. Set with pending, cleared by the
                                           execution loop before it looks, so masked interrupts cost nothing */
    _Atomic uint32_t pending;           /* CPU_PENDING_*: stays until taken or withdrawn; not for generated code */
    struct BlockCache *block_cache;     /* jump cache for indirect jumps; layout: accel/tcg */
    uint64_t code_page;                 /* virtual page that the running block began in, if it is one for anywhere */
    CpuTlb tlb;

    /* --- execution --- */
    int exception;                      /* CPU_EXC_* or the target's; CPU_EXC_NONE: none */
    bool halted;                        /* waits for an interrupt (guest state) */
    bool stopped, stop_requested;       /* the machine is stopped */
    bool hold;                          /* the debugger keeps it stopped while others run */
    bool created, unplug;
    bool in_exclusive;
    _Atomic bool sleeping;              /* waits on `wake` */
    _Atomic uint32_t in_guest;          /* runs guest code, beside which no exclusive section may run */
    bool singlestep;                    /* the debugger steps this CPU */
    bool singlestep_no_irq;             /* ... with interrupts held off */
    uintptr_t mem_host_pc;              /* of a memory access in progress, for recovery */
    sigjmp_buf jump;                    /* back to the execution loop */
    pthread_t thread;
    int thread_id;                      /* host tid, for query-cpus-fast */
    pthread_cond_t wake;                /* with the machine lock */
    GQueue work;                        /* CpuWork; with work_lock */
    pthread_mutex_t work_lock;
    GArray *breakpoints, *watchpoints;  /* Breakpoint */
    Breakpoint *watchpoint_hit;
    void *accel;                        /* the accelerator's own data */
    CodeBlock *running;                 /* interpreter: the block and instruction at hand, for recovery */
    uint32_t running_insn;
};

/* What a region of blocks in one page may be made of, and which bytes it was made from. */
typedef struct RegionGuide {
    bool (*has_run)(void *opaque, uint64_t pc);    /* there is a block at pc, in the page of the key */
    /* Where code of the page has jumped to in the page in this way (IrWay), max places at most; their number. */
    unsigned (*reached)(void *opaque, unsigned way, uint64_t *pc, unsigned max);
    void *opaque;
    uint64_t cover[8];                  /* out: a bit for each 8 bytes of the page */
} RegionGuide;

/* A register that the debugger and `info registers` know. */
typedef struct GdbReg {
    const char *name;
    const char *type;
    unsigned bits;
    uint32_t offset;
    const char *group;
} GdbReg;

typedef struct CpuModelInfo {
    const char *name;                   /* "qemu64" */
    const char *type_name;              /* "qemu64-x86_64-cpu" */
    const char *desc;
    const char *alias_of;               /* NULL: a model of its own */
    bool deprecated, migration_safe, is_static;
    const char *const *unavailable;     /* NULL-terminated feature names; NULL: all there */
} CpuModelInfo;

/*
 * What a target-* folder is: one constant. All hooks are called on the CPU's own thread unless
 * stated.
 */
struct CpuArch {
    const char *name;                   /* "x86_64": the binary's suffix and query-target's arch */
    const char *elf_machine_name;
    const char *default_model;
    unsigned word_bits;                 /* 32 or 64: widest mode */
    bool semihosting;                   /* it has an instruction for calls of the host (exec/semihost.h) */
    Endian endian;
    bool ordered_memory;                /* of its own accesses others see all orders kept but a store before a later load (x86) */
    unsigned page_bits;                 /* smallest guest page */
    unsigned mmu_modes;                 /* MMU indices in use, at most MMU_MODES */
    uint32_t env_offset;                /* generated code's base register points here, so that hot
                                           registers have short displacements; from the Cpu's start */
    size_t cpu_size;                    /* of the target's CPU struct */
    uint32_t x87_regs, x87_status;      /* HELPER_X87: 8 registers of 16 bytes; 32-bit status word */
    /* The guest's result for an fguard op: v[0] has the host's and takes it; v[1..3] are operands, scalars in the lowest
     * lane. NULL: fguard is its first operand. Called by generated code; may not leave it. */
    void (*float_corner)(Cpu *cpu, uint64_t code, Vec128 *v);

    /* -- models -- */
    /* A new, unrealized CPU for "model,+feat,-feat,feat=on"; NULL and a suggestion if unknown. */
    Cpu *(*create)(Vm *vm, const char *model, GError **error);
    const CpuModelInfo *(*model)(unsigned i);      /* NULL: past the end */
    void (*models_help)(GString *out);             /* -cpu help */
    /* query-cpu-model-expansion as JSON, or NULL. */
    struct json_object *(*model_expand)(const char *type, const char *model, struct json_object *props, GError **error);

    /* -- state -- */
    uint64_t (*get_pc)(Cpu *cpu);
    void (*set_pc)(Cpu *cpu, uint64_t pc);
    void (*dump)(Cpu *cpu, GString *out, unsigned flags);          /* info registers, -d cpu */
    /*
     * For cores of ELF64 (exec/core-dump.h): NT_PRSTATUS is appended to status, other notes to extra;
     * *machine (0 for the first CPU) becomes ELF's number. Any thread, the CPU stands. NULL: none are made.
     */
    void (*core_notes)(Cpu *cpu, unsigned *machine, GByteArray *status, GByteArray *extra);
    bool (*register_value)(Cpu *cpu, const char *name, uint64_t *v);   /* monitor's $name */
    /* Own thread, inside of an access to a port; NULL: there is none that does that. */
    bool (*set_register)(Cpu *cpu, const char *name, uint64_t v);

    /* -- translator; NULL without it -- */
    const struct IrVarDecl *vars;       /* guest registers, see tcg/ir.h */
    unsigned num_vars;
    void (*block_key)(Cpu *cpu, BlockKey *key);    /* from the CPU's present state */
    /* Emits IR for one basic block at key into b, at most max_insns instructions. */
    void (*translate)(Cpu *cpu, struct IrBuilder *b, const BlockKey *key, unsigned max_insns);
    /* Emits IR for the block at key and what it reaches in its page as far as guide->has_run allows; branches
     * back look at cpu->attention. Keys without flags only. NULL: single blocks are all there is. */
    void (*translate_region)(Cpu *cpu, struct IrBuilder *b, const BlockKey *key, RegionGuide *guide);
    /* A block at key, or its first part, without IR (tcg/direct.h). False: no; nothing has been done but emitting.
     * NULL: never. */
    bool (*translate_direct)(Cpu *cpu, struct Direct *d, const BlockKey *key, unsigned max_insns);
    /* Whether code of this key can be made so that its addresses are relative to cpu->code_page. NULL: never. */
    bool (*movable)(const BlockKey *key);
    uint32_t pc_home;                              /* of such keys: offset of the 64-bit pc; from the Cpu's start */
    /* The state at a side exit: pc and the metadata word that ir_insn recorded. */
    void (*restore)(Cpu *cpu, const BlockKey *key, uint64_t pc, uint64_t meta);
    /* Translates va for an access and enters it by tlb_set, or raises the guest's fault (does
     * not return) unless probe, then false. host_pc: see cpu_raise. */
    bool (*tlb_fill)(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                     bool probe, uintptr_t host_pc);
    unsigned (*mmu_index)(Cpu *cpu, bool fetch);
    /* Bus error on a physical access; may raise. NULL: ignored. */
    void (*bus_error)(Cpu *cpu, hwaddr pa, uint64_t va, MmuAccess access, uintptr_t host_pc);
    /* An unaligned access whose MemOp demanded alignment: raises. */
    void (*unaligned)(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu_idx, uintptr_t host_pc);
    /* Delivers cpu->exception (a target's own) into the guest. */
    void (*deliver)(Cpu *cpu);
    /* Takes the most urgent enabled interrupt of cpu->pending; true if one was taken. Machine lock held. */
    bool (*interrupt)(Cpu *cpu, uint32_t pending);
    /* Whether something pending ends a HLT. Any thread, machine lock. */
    bool (*has_work)(Cpu *cpu);
    /* Debugger: a watchpoint of the guest's own hit, etc. NULL: none. */
    void (*debug_exception)(Cpu *cpu);
    /* Before an access that touches a watchpoint with BP_GUEST and BP_HIT_STOPS_BEFORE: raises, or lets it pass. */
    void (*watch_hit)(Cpu *cpu, const Breakpoint *w, uint64_t va, unsigned size, MmuAccess access, uintptr_t host_pc);
    void (*exec_enter)(Cpu *cpu);       /* before / after generated code runs; NULL: nothing */
    void (*exec_leave)(Cpu *cpu);

    /* -- debugger and monitor; machine stopped or own thread; no side effects -- */
    bool (*debug_translate)(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs);
    const char *gdb_arch;               /* "i386:x86-64" */
    /* Text of the description file `annex`, "target.xml" or what that includes; NULL: none. Static. */
    const char *(*gdb_xml)(Cpu *cpu, const char *annex);
    unsigned (*gdb_num_regs)(Cpu *cpu);
    /* Register n in target byte order into buf (room for 64 bytes); its size, 0: no such register. */
    unsigned (*gdb_read)(Cpu *cpu, unsigned n, uint8_t *buf);
    unsigned (*gdb_write)(Cpu *cpu, unsigned n, const uint8_t *buf);
    /* Text of the instruction at va (bytes given); its length, 0: unknown. */
    unsigned (*disassemble)(Cpu *cpu, uint64_t va, const uint8_t *bytes, unsigned len, GString *out);
    void (*info)(Cpu *cpu, const char *what, GString *out);       /* "tlb", "mem", "lapic" */

    const struct ArmCpuHooks *arm;                 /* target-arm: see exec/arm-cpu.h; NULL elsewhere */
};

/* The binary's own target. Each target-X/binary-ARCH.c defines it. */
extern const CpuArch *const target_arch;

/*
 * CPUs that come and go. A board that has places for them publishes this under CPU_SLOTS; CPUs are
 * told apart by their index, up to smp.max_cpus. Main loop, machine lock.
 */
#define CPU_SLOTS "cpu-slots"
typedef struct CpuSlots {
    bool (*may_plug)(void *opaque, GError **error);
    void (*plugged)(void *opaque, Cpu *cpu);
    void (*unplugged)(void *opaque, Cpu *cpu);     /* it is not in vm->cpus any more */
    bool (*request)(void *opaque, Cpu *cpu, GError **error); /* the guest is asked to let it go */
    void *opaque;
} CpuSlots;
/* NULL: there is none now. vm->cpus has CPUs in the order in which they came. */
Cpu *cpu_by_index(const Vm *vm, unsigned index);

/* ---- execution loop side (cpus.c, accel) ---- */
Cpu *current_cpu(void);                 /* this thread's vCPU, or NULL */
/*
 * Sets bits of cpu->pending and cpu->attention and gets the vCPU's attention. Any thread; HARD etc.
 * with machine lock.
 */
void cpu_interrupt(Cpu *cpu, uint32_t bits);
void cpu_interrupt_clear(Cpu *cpu, uint32_t bits);
/* Wakes a halted or sleeping vCPU. Machine lock. */
void cpu_wake(Cpu *cpu);
/*
 * fn(cpu, data) on the vCPU's thread between blocks, machine lock held; _wait returns when it is
 * done (drops the machine lock meanwhile).
 */
typedef void CpuWorkFn(Cpu *cpu, uint64_t data);
void cpu_run_on(Cpu *cpu, CpuWorkFn *fn, uint64_t data);
void cpu_run_on_wait(Cpu *cpu, CpuWorkFn *fn, uint64_t data);
/*
 * The guest's state is in the CPU struct when it returns, as it was at some moment since; for those
 * who show it while the guest runs. Machine lock (dropped meanwhile).
 */
void cpu_synchronize(Cpu *cpu);
/* Starts the vCPU's thread; called by the CPU device's realize. */
bool cpu_start_thread(Cpu *cpu, GError **error);
void cpu_stop_thread(Cpu *cpu);
/* Brackets around running guest code; cheap when no exclusive section is wanted. Own thread. */
void cpu_guest_enter(Cpu *cpu);
void cpu_guest_leave(Cpu *cpu);
/* Region of code that no other vCPU runs beside. Own thread, without the machine lock. */
void cpu_exclusive_begin(Cpu *cpu);
void cpu_exclusive_end(Cpu *cpu);

/*
 * Leaves generated code for the execution loop. host_pc is the caller's return address into
 * generated code (HOST_PC() in the outermost helper), so that guest state is recovered from the
 * side table; 0: guest state is already complete.
 */
_Noreturn void cpu_raise(Cpu *cpu, int exception, uintptr_t host_pc);
_Noreturn void cpu_leave(Cpu *cpu, uintptr_t host_pc);
/* Recovers guest state at host_pc without leaving; true if host_pc was in generated code. */
bool cpu_restore_state(Cpu *cpu, uintptr_t host_pc);
#define HOST_PC() ((uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0)))

/* ---- soft TLB (accel/tcg), own thread unless stated ---- */
/* page_bits below 12: rights are those of this access only. */
void tlb_set(Cpu *cpu, unsigned mmu_idx, uint64_t va, hwaddr pa, MemAttrs attrs, unsigned prot,
             unsigned page_bits, bool global);
void tlb_flush(Cpu *cpu);                              /* everything */
void tlb_flush_modes(Cpu *cpu, uint32_t mode_mask);
void tlb_flush_nonglobal(Cpu *cpu);
/*
 * From now on translations that are not global belong to the address space that the target calls
 * `name` (below UINT64_MAX). Those of the former one are kept until it is entered again, a flush
 * that has to do with them comes, or there are too many. What all names have in common (rights,
 * other stages) changes by a flush.
 */
void tlb_switch_space(Cpu *cpu, uint64_t name);
void tlb_flush_space(Cpu *cpu, uint64_t name);         /* all but global pages of one */
void tlb_flush_page(Cpu *cpu, uint64_t va);            /* all modes; a large page goes as a whole */
void tlb_flush_all_cpus(Vm *vm);                       /* any thread */

/* ---- guest virtual memory for helpers; own thread; faults do not return ---- */
/* guest byte order, zero-extended */
uint64_t cpu_load(Cpu *cpu, uint64_t va, unsigned size_log2, unsigned mmu_idx, uintptr_t host_pc);
void cpu_store(Cpu *cpu, uint64_t va, uint64_t value, unsigned size_log2, unsigned mmu_idx,
               uintptr_t host_pc);
/* Any size; all pages are checked before the first byte moves. */
void cpu_load_bytes(Cpu *cpu, uint64_t va, void *buf, size_t len, unsigned mmu_idx,
                    uintptr_t host_pc);
void cpu_store_bytes(Cpu *cpu, uint64_t va, const void *buf, size_t len, unsigned mmu_idx,
                     uintptr_t host_pc);
/*
 * Fills the TLB for [va, va+size) (within a page) or faults; host pointer for RAM, NULL for
 * devices.
 */
void *cpu_probe(Cpu *cpu, uint64_t va, size_t size, MmuAccess access, unsigned mmu_idx,
                uintptr_t host_pc);
/* Atomic 16-byte compare and exchange; *expect becomes what was there; true: exchanged. */
bool cpu_cmpxchg128(Cpu *cpu, uint64_t va, uint64_t expect[2], const uint64_t value[2],
                    unsigned mmu_idx, uintptr_t host_pc);
/* Instruction fetch for translate(): faults at the first missing byte. */
uint8_t cpu_fetch_u8(Cpu *cpu, uint64_t va);
/*
 * Host address of the first byte of the code page that va lies in (*pa, unless NULL: its guest
 * address), valid for the translation at hand; NULL: device memory, go by cpu_fetch_u8. Faults like
 * it.
 */
const uint8_t *cpu_fetch_page(Cpu *cpu, uint64_t va, hwaddr *pa);
/* Debugger: virtual memory without faults or side effects. False: not mapped. */
bool cpu_debug_rw(Cpu *cpu, uint64_t va, void *buf, size_t len, bool write);

/* ---- debugger ---- */
bool cpu_breakpoint_insert(Cpu *cpu, uint64_t va, uint64_t len, unsigned flags);
bool cpu_breakpoint_remove(Cpu *cpu, uint64_t va, uint64_t len, unsigned flags);
void cpu_breakpoints_clear(Cpu *cpu, unsigned flags);

#endif
