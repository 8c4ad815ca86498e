// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Repeated string instructions, worked on in runs that stay inside a page of each operand.
 *
 * A run in RAM, upwards, is a host memmove, memset, memchr-like loop; everything else (devices,
 * downwards, an element across pages) goes element by element. Registers are brought up to date
 * after each run, so that a fault in the next one finds the architectural state. The helpers return
 * early when something is pending for the CPU; the translation then begins the instruction again.
 */
#include <string.h>
#include "target-i386/string-helper.h"
#include "target-i386/translate.h"

typedef struct Rep {
    X86Cpu *c;
    unsigned size, mmu, seg;
    bool repne, code64;
    bool step;                  /* one round, behind which there is a trap */
    bool aligned;               /* what is not is #AC */
    bool stores;                /* what RDI points to is written */
    uint64_t mask;              /* of addresses */
    uintptr_t host_pc;
} Rep;

static Rep rep_begin(Cpu *cpu, uint32_t word, uintptr_t host_pc)
{
    static const uint64_t masks[4] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};

    return (Rep){.c = X86(cpu),
                 .step = X86(cpu)->eflags & FLAG_TF || X86(cpu)->guest_step,
                 .size = word & 3,
                 .mask = masks[word >> 2 & 3],
                 .seg = word >> 4 & 7,
                 .aligned =
                     X86(cpu)->cpl == 3 && (X86(cpu)->eflags & FLAG_AC) && (X86(cpu)->cr0 & CR0_AM),
                 .repne = word >> 8 & 1,
                 .code64 = word & REP_CODE64,
                 .mmu = word >> 12 & 15,
                 .host_pc = host_pc};
}

static uint64_t get_reg(const Rep *r, unsigned reg)
{
    return r->c->regs[reg] & r->mask;
}

static void add_reg(Rep *r, unsigned reg, int64_t n)
{
    uint64_t v = r->c->regs[reg] + (uint64_t)n;

    /* 32-bit addresses zero-extend, 16-bit ones keep the upper part */
    r->c->regs[reg] =
        r->mask == 0xffff ? (r->c->regs[reg] & ~0xffffull) | (v & 0xffff) : v & r->mask;
}

/* Unchecked: of runs, which run_length keeps inside the segment. */
static uint64_t linear(const Rep *r, unsigned reg)
{
    unsigned seg = reg == R_DI ? S_ES : r->seg;
    uint64_t at = get_reg(r, reg);

    if (r->code64) {
        return seg >= S_FS ? at + r->c->segs[seg].base : at;
    }
    return (uint32_t)(at + r->c->segs[seg].base);
}

/* Elements from reg's address on that lie in one page and do not wrap; upwards only. */
static uint64_t run_length(const Rep *r, unsigned reg, uint64_t count)
{
    uint64_t va = linear(r, reg), bytes = 4096 - (va & 4095), to_wrap = r->mask - get_reg(r, reg);

    bytes = bytes - 1 < to_wrap ? bytes : to_wrap + 1;
    if (r->aligned && va & ((1u << r->size) - 1)) {
        return 0;
    }
    if (!r->code64) {
        bool write = reg == R_DI && r->stores;
        int64_t room =
            r->c->seg_last[write][reg == R_DI ? S_ES : r->seg] + 1 - (int64_t)get_reg(r, reg);

        bytes = room <= 0 ? 0 : MIN(bytes, (uint64_t)room);
    }
    bytes >>= r->size;
    return r->step ? bytes > 0 : count < bytes ? count : bytes;
}

static bool interrupted(const Rep *r)
{
    return r->step || atomic_load_explicit(&r->c->cpu.pending, memory_order_relaxed) != 0;
}

static uint64_t checked(const Rep *r, unsigned reg, bool write)
{
    uint64_t va = x86_seg_linear(r->c, reg == R_DI ? S_ES : r->seg, get_reg(r, reg), 1u << r->size,
                                 write, r->host_pc);

    if (r->aligned && va & ((1u << r->size) - 1)) {
        x86_raise_error(r->c, EXC_AC, 0, r->host_pc);
    }
    return va;
}

static uint64_t load(const Rep *r, unsigned reg)
{
    return cpu_load(&r->c->cpu, checked(r, reg, false), r->size, r->mmu, r->host_pc);
}

static void store(const Rep *r, uint64_t v)
{
    cpu_store(&r->c->cpu, checked(r, R_DI, true), v, r->size, r->mmu, r->host_pc);
}

static void *probe(const Rep *r, unsigned reg, uint64_t elements, MmuAccess access)
{
    return cpu_probe(&r->c->cpu, linear(r, reg), elements << r->size, access, r->mmu, r->host_pc);
}

/* Copies upwards as element moves would: a destination inside the source repeats it. */
static void copy_up(uint8_t *dst, const uint8_t *src, size_t n, unsigned size)
{
    size_t gap = (size_t)(dst - src);

    if (dst <= src || gap >= n) {
        memmove(dst, src, n);
    } else if (gap >= 1u << size) {
        while (n) {
            size_t part = MIN(gap, n) & ~((size_t)(1u << size) - 1);
            memcpy(dst, src, part);
            dst += part;
            src += part;
            n -= part;
        }
    } else {
        for (size_t k = 0; k < n; k += 1u << size) {
            memmove(dst + k, src + k, 1u << size);
        }
    }
}

void helper_rep_movs(Cpu *cpu, uint32_t word)
{
    Rep r = rep_begin(cpu, word, HOST_PC());
    uint64_t count;

    r.stores = true;
    while ((count = get_reg(&r, R_CX)) != 0) {
        uint64_t n = 0;
        if (r.c->df > 0) {
            n = run_length(&r, R_DI, run_length(&r, R_SI, count));
        }
        const uint8_t *src = n ? probe(&r, R_SI, n, ACCESS_LOAD) : NULL;
        uint8_t *dst = src ? probe(&r, R_DI, n, ACCESS_STORE) : NULL;
        if (dst) {
            copy_up(dst, src, n << r.size, r.size);
        } else {
            n = 1;
            uint64_t v = load(&r, R_SI);
            store(&r, v);
        }
        int64_t step = (int64_t)(n << r.size) * r.c->df;
        add_reg(&r, R_SI, step);
        add_reg(&r, R_DI, step);
        add_reg(&r, R_CX, -(int64_t)n);
        if (interrupted(&r)) {
            return;
        }
    }
    add_reg(&r, R_CX, 0);
}

static void fill(uint8_t *dst, uint64_t v, uint64_t n, unsigned size)
{
    static const uint64_t masks[4] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};
    uint64_t same = (v & 0xff) * 0x0101010101010101ull;

    if (((v ^ same) & masks[size]) == 0) {
        memset(dst, (int)(v & 0xff), n << size);
        return;
    }
    for (uint64_t k = 0; k < n; k++) {
        memcpy(dst + (k << size), &v, 1u << size);
    }
}

void helper_rep_stos(Cpu *cpu, uint32_t word)
{
    Rep r = rep_begin(cpu, word, HOST_PC());
    uint64_t count, v = r.c->regs[R_AX];

    r.stores = true;
    while ((count = get_reg(&r, R_CX)) != 0) {
        uint64_t n = r.c->df > 0 ? run_length(&r, R_DI, count) : 0;
        uint8_t *dst = n ? probe(&r, R_DI, n, ACCESS_STORE) : NULL;
        if (dst) {
            fill(dst, v, n, r.size);
        } else {
            n = 1;
            store(&r, v);
        }
        add_reg(&r, R_DI, (int64_t)(n << r.size) * r.c->df);
        add_reg(&r, R_CX, -(int64_t)n);
        if (interrupted(&r)) {
            return;
        }
    }
    add_reg(&r, R_CX, 0);
}

void helper_rep_lods(Cpu *cpu, uint32_t word)
{
    Rep r = rep_begin(cpu, word, HOST_PC());

    while (get_reg(&r, R_CX) != 0) {
        uint64_t v = load(&r, R_SI);
        if (r.size == 3) {
            r.c->regs[R_AX] = v;
        } else if (r.size == 2) {
            r.c->regs[R_AX] = (uint32_t)v;
        } else {
            memcpy(&r.c->regs[R_AX], &v, 1u << r.size);
        }
        add_reg(&r, R_SI, (int64_t)(1u << r.size) * r.c->df);
        add_reg(&r, R_CX, -1);
        if (interrupted(&r)) {
            return;
        }
    }
    add_reg(&r, R_CX, 0);
}

/* ---- ports ---- */

static uint64_t element(const uint8_t *p, uint64_t k, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, p + (k << size), 1u << size);
    return v;
}

/* Elements that go through a device before others may have the machine lock. */
enum { PORT_RUN = 512 };

static void port_run(const Rep *r, bool write, void *buf, uint64_t n)
{
    Cpu *cpu = &r->c->cpu;
    const MemAttrs attrs = {.is_cpu = 1, .cpu_index = cpu->index};

    if (cpu->io) {
        address_space_run(cpu->io, r->c->regs[R_DX] & 0xffff, 1u << r->size, write, attrs, buf, n);
    } else if (!write) {
        memset(buf, 0xff, n << r->size);
    }
}

/* What has come from the port goes to where a look has found writable memory before. */
static void store_run(const Rep *r, const uint8_t *from, uint64_t n)
{
    uint8_t *dst = probe(r, R_DI, n, ACCESS_STORE);

    if (dst) {
        memcpy(dst, from, n << r->size);
        return;
    }
    for (uint64_t k = 0; k < n; k++) {
        cpu_store(&r->c->cpu, linear(r, R_DI) + (k << r->size), element(from, k, r->size), r->size,
                  r->mmu, r->host_pc);
    }
}

void helper_rep_ins(Cpu *cpu, uint32_t word)
{
    uint8_t buf[PORT_RUN * 4];
    Rep r = rep_begin(cpu, word, HOST_PC());
    uint64_t count;

    if (x86_port_breaks(r.c)) {
        x86_ins(r.c, r.size, word >> 2 & 3, true, r.host_pc);
        return;
    }
    r.stores = true;
    x86_io_permission(r.c, r.c->regs[R_DX] & 0xffff, r.size, r.host_pc);
    while ((count = get_reg(&r, R_CX)) != 0) {
        uint64_t n = r.c->df > 0 ? run_length(&r, R_DI, MIN(count, PORT_RUN)) : 0;
        if (n && probe(&r, R_DI, n, ACCESS_STORE)) {
            port_run(&r, false, buf, n);
            store_run(&r, buf, n);
        } else {
            uint64_t va = checked(&r, R_DI, true);
            n = 1;
            if ((va & 0xfff) + (1u << r.size) <= 0x1000) {
                cpu_probe(cpu, va, 1u << r.size, ACCESS_STORE, r.mmu, r.host_pc);
            }
            port_run(&r, false, buf, 1);
            cpu_store(cpu, va, element(buf, 0, r.size), r.size, r.mmu, r.host_pc);
        }
        add_reg(&r, R_DI, (int64_t)(n << r.size) * r.c->df);
        add_reg(&r, R_CX, -(int64_t)n);
        if (interrupted(&r)) {
            return;
        }
    }
    add_reg(&r, R_CX, 0);
}

void helper_rep_outs(Cpu *cpu, uint32_t word)
{
    uint8_t buf[PORT_RUN * 4];
    Rep r = rep_begin(cpu, word, HOST_PC());
    uint64_t count;

    if (x86_port_breaks(r.c)) {
        x86_outs(r.c, r.size, word >> 2 & 3, r.seg, true, r.host_pc);
        return;
    }
    x86_io_permission(r.c, r.c->regs[R_DX] & 0xffff, r.size, r.host_pc);
    while ((count = get_reg(&r, R_CX)) != 0) {
        uint64_t n = r.c->df > 0 ? run_length(&r, R_SI, MIN(count, PORT_RUN)) : 0;
        const uint8_t *src = n ? probe(&r, R_SI, n, ACCESS_LOAD) : NULL;
        if (src) {
            memcpy(buf, src, n << r.size);
        } else {
            uint64_t v = load(&r, R_SI);
            n = 1;
            memcpy(buf, &v, 1u << r.size);
        }
        port_run(&r, true, buf, n);
        add_reg(&r, R_SI, (int64_t)(n << r.size) * r.c->df);
        add_reg(&r, R_CX, -(int64_t)n);
        if (interrupted(&r)) {
            return;
        }
    }
    add_reg(&r, R_CX, 0);
}
static uint32_t compare_done(Rep *r, uint64_t a, uint64_t c)
{
    r->c->cc_src = c;
    r->c->cc_dst = a - c;
    r->c->cc_op = CC_SUBB + r->size;
    return 2;
}

uint32_t helper_rep_cmps(Cpu *cpu, uint32_t word)
{
    Rep r = rep_begin(cpu, word, HOST_PC());
    uint64_t count;

    if (get_reg(&r, R_CX) == 0) {
        add_reg(&r, R_CX, 0);
        return 1;
    }
    while ((count = get_reg(&r, R_CX)) != 0) {
        uint64_t n = r.c->df > 0 ? run_length(&r, R_DI, run_length(&r, R_SI, count)) : 0, k = 0;
        const uint8_t *p = n ? probe(&r, R_SI, n, ACCESS_LOAD) : NULL;
        const uint8_t *q = p ? probe(&r, R_DI, n, ACCESS_LOAD) : NULL;
        uint64_t a, c;
        if (q) {
            do {
                a = element(p, k, r.size);
                c = element(q, k, r.size);
                k++;
            } while (k < n && (a == c) != r.repne);
        } else {
            k = 1;
            a = load(&r, R_SI);
            c = load(&r, R_DI);
        }
        int64_t step = (int64_t)(k << r.size) * r.c->df;
        add_reg(&r, R_SI, step);
        add_reg(&r, R_DI, step);
        add_reg(&r, R_CX, -(int64_t)k);
        if ((a == c) == r.repne || get_reg(&r, R_CX) == 0) {
            return compare_done(&r, a, c);
        }
        if (interrupted(&r)) {
            compare_done(&r, a, c);
            return 0;
        }
    }
    return 1;
}

uint32_t helper_rep_scas(Cpu *cpu, uint32_t word)
{
    static const uint64_t masks[4] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};
    Rep r = rep_begin(cpu, word, HOST_PC());
    uint64_t count, a = r.c->regs[R_AX] & masks[r.size];

    if (get_reg(&r, R_CX) == 0) {
        add_reg(&r, R_CX, 0);
        return 1;
    }
    while ((count = get_reg(&r, R_CX)) != 0) {
        uint64_t n = r.c->df > 0 ? run_length(&r, R_DI, count) : 0, k = 0, c;
        const uint8_t *q = n ? probe(&r, R_DI, n, ACCESS_LOAD) : NULL;
        if (q) {
            do {
                c = element(q, k, r.size);
                k++;
            } while (k < n && (a == c) != r.repne);
        } else {
            k = 1;
            c = load(&r, R_DI);
        }
        add_reg(&r, R_DI, (int64_t)(k << r.size) * r.c->df);
        add_reg(&r, R_CX, -(int64_t)k);
        if ((a == c) == r.repne || get_reg(&r, R_CX) == 0) {
            return compare_done(&r, a, c);
        }
        if (interrupted(&r)) {
            compare_done(&r, a, c);
            return 0;
        }
    }
    return 1;
}
