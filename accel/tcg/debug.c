// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What translator and debugger read: guest code for translation, guest memory without side
 * effects, breakpoints and watchpoints.
 */
#include "accel/tcg/tcg.h"

#include <string.h>

/* ---- code for the translator ---- */

const uint8_t *cpu_fetch_page(Cpu *cpu, uint64_t va, hwaddr *pa)
{
    unsigned mmu = cpu->arch->mmu_index(cpu, true);
    unsigned i = tlb_resolve(cpu, va, 1, ACCESS_FETCH, mmu, 0);
    const TlbFull *f = &cpu->tlb.full[mmu][i];

    if (pa) {
        *pa = f->pa;
    }
    if (f->ram == RAM_NONE) {
        tcg_cpu(cpu)->reading_more = true;
        return NULL;
    }
    if (tcg_cpu(cpu)->translating) {
        smc_read_begin(cpu, f->region->ram, f->ram);
    }
    return (const uint8_t *)(uintptr_t)((va & PAGE_MASK) + cpu->tlb.table[mmu][i].addend);
}

uint8_t cpu_fetch_u8(Cpu *cpu, uint64_t va)
{
    hwaddr pa;
    const uint8_t *p = cpu_fetch_page(cpu, va, &pa);
    uint8_t byte = 0xff;

    if (p) {
        return p[va & PAGE_OFFSET];
    }
    unsigned mmu = cpu->arch->mmu_index(cpu, true);
    MemAttrs attrs = cpu->tlb.full[mmu][tlb_index(va)].attrs;
    address_space_read(cpu->as, pa + (va & PAGE_OFFSET), attrs, &byte, 1);
    return byte;
}

/* ---- memory for the debugger ---- */

/* ROM too: the debugger sets breakpoints there. */
static bool debug_write(Cpu *cpu, hwaddr pa, const void *buf, size_t len, MemAttrs attrs)
{
    rcu_read_lock();
    Section s = address_space_lookup(cpu->as, pa, true, attrs);
    bool ok = s.region != NULL;
    if (ok && region_host(s.region) && s.len >= len) {
        memcpy((uint8_t *)region_host(s.region) + s.offset, buf, len);
        region_dirty_set(s.region, s.offset, len);
        rcu_read_unlock();
        return true;
    }
    rcu_read_unlock();
    return ok && address_space_write(cpu->as, pa, attrs, buf, len) == MEM_OK;
}

bool cpu_debug_rw(Cpu *cpu, uint64_t va, void *buf, size_t len, bool write)
{
    uint8_t *p = buf;

    while (len > 0) {
        size_t n = MIN(len, PAGE_SIZE_MIN - (va & PAGE_OFFSET));
        hwaddr pa;
        MemAttrs attrs = ATTRS_NONE;
        bool ok = cpu->arch->debug_translate(cpu, va, &pa, &attrs);
        if (ok && write) {
            ok = debug_write(cpu, pa, p, n, attrs);
        } else if (ok) {
            ok = address_space_read(cpu->as, pa, attrs, p, n) == MEM_OK;
        }
        if (!ok) {
            return false;
        }
        va += n;
        p += n;
        len -= n;
    }
    return true;
}

/* ---- breakpoints ---- */

static GArray **points_of(Cpu *cpu, unsigned flags)
{
    return flags & (BP_READ | BP_WRITE) ? &cpu->watchpoints : &cpu->breakpoints;
}

static void points_changed(Cpu *cpu)
{
    const Accel *a = cpu->dev.vm ? cpu->dev.vm->accel : NULL;

    if (a && a->type->debug_changed) {
        a->type->debug_changed(cpu);
    }
}

bool cpu_breakpoint_insert(Cpu *cpu, uint64_t va, uint64_t len, unsigned flags)
{
    GArray **points = points_of(cpu, flags);
    Breakpoint b = {.va = va, .len = len, .flags = flags};

    if (len == 0 || va + (len - 1) < va) {
        return false;
    }
    if (!*points) {
        *points = g_array_new(FALSE, FALSE, sizeof(Breakpoint));
    }
    g_array_append_val(*points, b);
    points_changed(cpu);
    return true;
}

bool cpu_breakpoint_remove(Cpu *cpu, uint64_t va, uint64_t len, unsigned flags)
{
    GArray *points = *points_of(cpu, flags);

    for (unsigned i = 0; points && i < points->len; i++) {
        Breakpoint *b = &g_array_index(points, Breakpoint, i);
        if (b->va == va && b->len == len && b->flags == flags) {
            cpu->watchpoint_hit = NULL;
            g_array_remove_index(points, i);
            points_changed(cpu);
            return true;
        }
    }
    return false;
}

static void clear_points(GArray *points, unsigned flags)
{
    for (unsigned i = points ? points->len : 0; i-- > 0;) {
        if (g_array_index(points, Breakpoint, i).flags & flags) {
            g_array_remove_index(points, i);
        }
    }
}

void cpu_breakpoints_clear(Cpu *cpu, unsigned flags)
{
    clear_points(cpu->breakpoints, flags);
    clear_points(cpu->watchpoints, flags);
    cpu->watchpoint_hit = NULL;
    points_changed(cpu);
}

/* Watched pages have a flag in their comparators: entered anew. */
void tcg_debug_changed(Cpu *cpu)
{
    if (cpu->accel) {
        tlb_flush_now(cpu);
    }
}
