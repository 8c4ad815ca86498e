// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVE: loads and stores. A load goes to registers when all of it has been read, so that a fault
 * leaves them as they were; first-fault and non-fault loads look at the translation of what may not
 * fault, and take nothing but RAM. C8.2, A2.4 of the SVE supplement.
 */
#include "target-arm/sve.h"

#include "exec/tlb.h"
#include "target-arm/helpers.h"
#include "target-arm/mte.h"
#include "tcg/codegen.h"

/* imm of the descriptors: what accesses are like. */
enum {
    ACC_MMU = 15,
    ACC_BIG = 16,
    ACC_ALIGN = 32,
    ACC_FF = 64,
    ACC_NF = 128,
    ACC_SIGNED = 256,
    ACC_SCALE = 512,
    ACC_XS = 1024,
    ACC_MTE = 2048
};

typedef struct Access {
    ArmCpu *c;
    unsigned mmu, flags;
    uintptr_t host_pc;
} Access;

static Access access_of(ArmCpu *c, uint64_t desc, uintptr_t host_pc)
{
    return (Access){c, (unsigned)sv_imm(desc) & ACC_MMU, (unsigned)sv_imm(desc), host_pc};
}

static uint64_t swap(unsigned flags, unsigned size, uint64_t v)
{
    if (!(flags & ACC_BIG)) {
        return v;
    }
    return __builtin_bswap64(v) >> (64 - sv_bits(size));
}

static void check_aligned(const Access *a, uint64_t va, unsigned size, MmuAccess access)
{
    if (a->flags & ACC_ALIGN && va & ((1u << size) - 1)) {
        arm_unaligned(&a->c->cpu, va, access, a->mmu, a->host_pc);
    }
}

static uint64_t load(const Access *a, uint64_t va, unsigned size)
{
    check_aligned(a, va, size, ACCESS_LOAD);
    if (a->flags & ACC_MTE) {
        arm_mte_access(a->c, va, 1u << size, false, a->mmu, a->host_pc);
    }
    uint64_t v = swap(a->flags, size, cpu_load(&a->c->cpu, va, size, a->mmu, a->host_pc));

    return a->flags & ACC_SIGNED ? (uint64_t)sv_sx(v, size) : v;
}

static void store(const Access *a, uint64_t va, unsigned size, uint64_t v)
{
    check_aligned(a, va, size, ACCESS_STORE);
    if (a->flags & ACC_MTE) {
        arm_mte_access(a->c, va, 1u << size, true, a->mmu, a->host_pc);
    }
    cpu_store(&a->c->cpu, va, swap(a->flags, size, sv_zx(v, size)), size, a->mmu, a->host_pc);
}

static bool page_quiet(const Access *a, uint64_t va)
{
    Cpu *cpu = &a->c->cpu;
    ArmPage page;
    ArmFault f = {0};

    if ((cpu->tlb.table[a->mmu][tlb_index(va)].read & ~(uint64_t)0xfff) ==
        (va & ~(uint64_t)0xfff)) {
        return true;
    }
    return arm_page_walk(a->c, va, ACCESS_LOAD, a->mmu, false, &page, &f) &&
           arm_page_is_ram(a->c, &page);
}

/* Like load, but false where it would fault. */
static bool load_quiet(const Access *a, uint64_t va, unsigned size, uint64_t *v)
{
    if ((a->flags & ACC_ALIGN && va & ((1u << size) - 1)) || !page_quiet(a, va) ||
        !page_quiet(a, va + (1u << size) - 1)) {
        return false;
    }
    if (a->flags & ACC_MTE) {
        uint64_t at;

        if (!arm_mte_ok(a->c, va, 1u << size, false, a->mmu, a->host_pc, &at)) {
            return false;
        }
    }
    *v = load(a, va, size);
    return true;
}

/* From element i on the FFR is false. */
static void suppress(ArmCpu *c, unsigned byte)
{
    for (unsigned k = 0; k < 4; k++) {
        unsigned from = k * 64;

        if (byte <= from) {
            c->p[FFR][k] = 0;
        } else if (byte < from + 64) {
            c->p[FFR][k] &= (1ull << (byte - from)) - 1;
        }
    }
}

/* ---- whole registers ---- */

/* op: 1 predicates. Bytes, whatever the byte order. */
void helper_sve_ldr(Cpu *cpu, uint64_t desc, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), len = sv_op(desc) ? vl / 8 : vl;
    ArmZ r = {.d = {0}};
    uintptr_t host_pc = HOST_PC();

    if (sv_imm(desc) & ACC_ALIGN && va & (sv_op(desc) ? 1 : 15)) {
        arm_unaligned(cpu, va, ACCESS_LOAD, (unsigned)sv_imm(desc) & ACC_MMU, host_pc);
    }
    if (sv_imm(desc) & ACC_MTE) {
        arm_mte_access(c, va, len, false, (unsigned)sv_imm(desc) & ACC_MMU, host_pc);
    }
    cpu_load_bytes(cpu, va, r.b, len, (unsigned)sv_imm(desc) & ACC_MMU, host_pc);
    if (sv_op(desc)) {
        memset(c->p[sv_rd(desc)], 0, sizeof(c->p[0]));
        memcpy(c->p[sv_rd(desc)], r.b, len);
    } else {
        sv_set_z(c, sv_rd(desc), &r, vl);
    }
}

void helper_sve_str(Cpu *cpu, uint64_t desc, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), len = sv_op(desc) ? vl / 8 : vl;
    const void *from =
        sv_op(desc) ? (const void *)c->p[sv_rd(desc)] : (const void *)sv_z(c, sv_rd(desc), vl);
    uintptr_t host_pc = HOST_PC();

    if (sv_imm(desc) & ACC_ALIGN && va & (sv_op(desc) ? 1 : 15)) {
        arm_unaligned(cpu, va, ACCESS_STORE, (unsigned)sv_imm(desc) & ACC_MMU, host_pc);
    }
    if (sv_imm(desc) & ACC_MTE) {
        arm_mte_access(c, va, len, true, (unsigned)sv_imm(desc) & ACC_MMU, host_pc);
    }
    cpu_store_bytes(cpu, va, from, len, (unsigned)sv_imm(desc) & ACC_MMU, host_pc);
}

/* ---- contiguous ---- */

/* The whole vector from one page of RAM. */
static bool load_whole(const Access *a, uint64_t va, unsigned vl, ArmZ *r)
{
    if ((va & 0xfff) + vl > 0x1000 || a->flags & (ACC_ALIGN | ACC_BIG | ACC_MTE)) {
        return false;
    }
    const void *p = cpu_probe(&a->c->cpu, va, vl, ACCESS_LOAD, a->mmu, a->host_pc);

    if (p) {
        memcpy(r, p, vl);
    }
    return p != NULL;
}

/* size: of elements; rm: in memory; ra: registers less 1. */
void helper_sve_ld(Cpu *cpu, uint64_t desc, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), msize = sv_rm(desc), regs = sv_ra(desc) + 1;
    Access a = access_of(c, desc, HOST_PC());
    const uint64_t *p = sv_p(c, sv_pg(desc));
    bool quiet = a.flags & ACC_NF;
    ArmZ r[4] = {0};

    if (regs == 1 && size == msize && !(a.flags & (ACC_FF | ACC_NF)) &&
        sv_all_active(p, size, vl) && load_whole(&a, va, vl, &r[0])) {
        sv_set_z(c, sv_rd(desc), &r[0], vl);
        return;
    }
    for (unsigned i = 0; i < vl >> size; i++) {
        if (!sv_on(p, i << size)) {
            continue;
        }
        for (unsigned k = 0; k < regs; k++) {
            uint64_t at = va + ((uint64_t)(i * regs + k) << msize), v;

            if (!quiet) {
                v = load(&a, at, msize);
                quiet = a.flags & ACC_FF;
            } else if (!load_quiet(&a, at, msize, &v)) {
                suppress(c, i << size);
                i = vl;
                break;
            }
            sv_put(&r[k], size, i, v);
        }
    }
    for (unsigned k = 0; k < regs; k++) {
        sv_set_z(c, (sv_rd(desc) + k) & 31, &r[k], vl);
    }
}

void helper_sve_st(Cpu *cpu, uint64_t desc, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), msize = sv_rm(desc), regs = sv_ra(desc) + 1;
    Access a = access_of(c, desc, HOST_PC());
    const uint64_t *p = sv_p(c, sv_pg(desc));
    const ArmZ *r[4];

    for (unsigned k = 0; k < regs; k++) {
        r[k] = sv_z(c, (sv_rd(desc) + k) & 31, vl);
    }
    if (regs == 1 && size == msize && !(a.flags & (ACC_ALIGN | ACC_BIG | ACC_MTE)) &&
        sv_all_active(p, size, vl)) {
        cpu_store_bytes(cpu, va, r[0], vl, a.mmu, a.host_pc);
        return;
    }
    for (unsigned i = 0; i < vl >> size; i++) {
        for (unsigned k = 0; sv_on(p, i << size) && k < regs; k++) {
            store(&a, va + ((uint64_t)(i * regs + k) << msize), msize, sv_get(r[k], size, i));
        }
    }
}

/* One quadword (op: 1 two) in all of the vector. */
void helper_sve_ld1rq(Cpu *cpu, uint64_t desc, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), bytes = sv_op(desc) ? 32 : 16;
    Access a = access_of(c, desc, HOST_PC());
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r = {.d = {0}};

    for (unsigned i = 0; i < bytes >> size; i++) {
        if (sv_on(p, i << size)) {
            sv_put(&r, size, i, load(&a, va + (i << size), size));
        }
    }
    for (unsigned at = bytes; at + bytes <= vl; at += bytes) {
        memcpy(r.b + at, r.b, bytes);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* One element in all that are active. */
void helper_sve_ld1r(Cpu *cpu, uint64_t desc, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc);
    Access a = access_of(c, desc, HOST_PC());
    const uint64_t *p = sv_p(c, sv_pg(desc));
    bool loaded = false;
    uint64_t v = 0;
    ArmZ r = {.d = {0}};

    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            v = loaded ? v : load(&a, va, sv_rm(desc));
            loaded = true;
            sv_put(&r, size, i, v);
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/*
 * ---- gathers and scatters: rm: the vector of offsets or bases; op: SVG_* | size in memory << 4
 * ----
 */

static uint64_t address(const Access *a, uint64_t desc, const ArmZ *m, unsigned i, uint64_t base)
{
    unsigned size = sv_size(desc), msize = sv_op(desc) >> 4;
    uint64_t v = sv_get(m, size, i);

    if ((sv_op(desc) & 15) == SVG_W) {
        v = a->flags & ACC_XS ? (uint64_t)(int64_t)(int32_t)v : (uint32_t)v;
    }
    return base + (a->flags & ACC_SCALE ? v << msize : v);
}

void helper_sve_gather(Cpu *cpu, uint64_t desc, uint64_t base)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), msize = sv_op(desc) >> 4;
    Access a = access_of(c, desc, HOST_PC());
    const uint64_t *p = sv_p(c, sv_pg(desc));
    const ArmZ *m = sv_z(c, sv_rm(desc), vl);
    bool quiet = false;
    ArmZ r = {.d = {0}};

    for (unsigned i = 0; i < vl >> size; i++) {
        uint64_t v;

        if (!sv_on(p, i << size)) {
            continue;
        }
        if (!quiet) {
            v = load(&a, address(&a, desc, m, i, base), msize);
            quiet = a.flags & ACC_FF;
        } else if (!load_quiet(&a, address(&a, desc, m, i, base), msize, &v)) {
            suppress(c, i << size);
            break;
        }
        sv_put(&r, size, i, v);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_scatter(Cpu *cpu, uint64_t desc, uint64_t base)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), msize = sv_op(desc) >> 4;
    Access a = access_of(c, desc, HOST_PC());
    const uint64_t *p = sv_p(c, sv_pg(desc));
    const ArmZ *m = sv_z(c, sv_rm(desc), vl), *r = sv_z(c, sv_rd(desc), vl);

    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            store(&a, address(&a, desc, m, i, base), msize, sv_get(r, size, i));
        }
    }
}
