// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory tagging (FEAT_MTE, MTE2, MTE3; D6): a byte of tags for each 16 bytes of RAM, shared by the
 * machine's CPUs; random tags, checks of accesses. Which pages are tagged memory is a bit of their
 * TLB entries.
 */
#include "target-arm/mte.h"

#include "qom/vm.h"
#include "target-arm/helpers.h"
#include "tcg/codegen.h"

/* What RAM there is beside the machine's main memory: flash, ROMs, memory of displays. */
#define OTHER_RAM (4 * GIB)

/*
 * Tags are memory of the machine that no address space has, so that they are saved and moved with
 * the rest. Pages of it come to be when tags are written.
 */
bool arm_tags_init(ArmCpu *c, GError **error)
{
    Vm *vm = c->cpu.dev.vm;
    uint64_t ram = MAX(vm->ram_size, vm->max_ram_size);
    Region *region;

    if (!arm_has(c, FEATURE_MTE)) {
        return true;
    }
    region = vm_published(vm, "tag-memory");
    if (!region) {
        region = g_new0(Region, 1); /* lives as long as the machine */
        if (!region_init_ram_fd(region, &c->cpu.dev.obj, "tag-memory", (ram + OTHER_RAM) / 16, -1,
                                RAM_NO_RESERVE, error)) {
            g_free(region);
            return false;
        }
        vm_publish(vm, "tag-memory", region);
    }
    c->tags = region_ram_block(region);
    return true;
}

/* ---- where tags are ---- */

/* The tag of va's granule; NULL: not tagged memory. The page's access is checked, and may fault. */
static uint8_t *tag_at(ArmCpu *c, uint64_t va, MmuAccess access, unsigned mmu, uintptr_t host_pc)
{
    Cpu *cpu = &c->cpu;
    unsigned i = tlb_index(va);

    cpu_probe(cpu, va, 1, access, mmu, host_pc);
    const TlbEntry *e = &cpu->tlb.table[mmu][i];
    uint64_t cmp = access == ACCESS_STORE ? e->write : e->read;

    if ((cmp & ~(uint64_t)0xfff) != (va & ~(uint64_t)0xfff)) {
        return NULL;
    }
    const TlbFull *f = &cpu->tlb.full[mmu][i];

    if (!(f->prot & TLB_PROT_TARGET) || f->ram == UINT64_MAX || f->ram >> 4 >= c->tags->size) {
        return NULL;
    }
    return c->tags->host + ((f->ram + (va & 0xfff)) >> 4);
}

/* ---- checks ---- */

static unsigned regime(const ArmCpu *c, unsigned mmu)
{
    return mmu == MMU_EL0 ? arm_regime_el(c, 0) : mmu == MMU_EL3 ? 3 : mmu >= MMU_EL2 ? 2 : 1;
}

/* TBI makes the upper byte a tag, TCMA leaves some unchecked (D6.8). */
static bool is_checked(const ArmCpu *c, uint64_t va, unsigned mmu)
{
    unsigned r = regime(c, mmu), tag = va >> 56 & 15;
    uint64_t tcr = c->tcr[r];
    bool upper = va >> 55 & 1;

    if (r == 1 || (r == 2 && arm_e2h(c))) {
        return tcr >> (upper ? 38 : 37) & 1 &&
               !(tcr >> (upper ? 58 : 57) & 1 && tag == (upper ? 15 : 0));
    }
    return tcr >> 20 & 1 && !(tcr >> 30 & 1 && tag == 0);
}

static void failed(ArmCpu *c, uint64_t va, unsigned mmu, bool write, uintptr_t host_pc)
{
    unsigned r = regime(c, mmu), tcf = c->sctlr[r] >> (mmu == MMU_EL0 ? 38 : 40) & 3;

    if (tcf == 1 || (tcf == 3 && !write)) {
        const ArmFault f = {.type = FAULT_TAG, .stage = 1};

        arm_raise_fault(c, &f, va, write ? ACCESS_STORE : ACCESS_LOAD, host_pc);
    } else if (tcf) {
        uint64_t *to = mmu == MMU_EL0 ? &c->tfsre0 : &c->tfsr[r];

        *to |= 1ull << (va >> 55 & 1);
    }
}

bool arm_mte_ok(ArmCpu *c, uint64_t va, unsigned bytes, bool write, unsigned mmu, uintptr_t host_pc,
                uint64_t *at)
{
    unsigned tag = va >> 56 & 15;

    if (!is_checked(c, va, mmu)) {
        return true;
    }
    for (*at = va; *at < va + bytes; *at = (*at | 15) + 1) {
        const uint8_t *t = tag_at(c, *at, write ? ACCESS_STORE : ACCESS_LOAD, mmu, host_pc);

        if (t && *t != tag) {
            return false;
        }
    }
    return true;
}

void arm_mte_access(ArmCpu *c, uint64_t va, unsigned bytes, bool write, unsigned mmu,
                    uintptr_t host_pc)
{
    uint64_t at;

    if (!arm_mte_ok(c, va, bytes, write, mmu, host_pc, &at)) {
        failed(c, at, mmu, write, host_pc);
    }
}

/* info: bytes, bit 8 a store, MMU index from bit 12 on. */
void helper_mte_check(Cpu *cpu, uint64_t va, uint32_t info)
{
    arm_mte_access(ARM(cpu), va, info & 255, info >> 8 & 1, info >> 12, HOST_PC());
}

/* ---- instructions ---- */

static unsigned choose(unsigned tag, unsigned offset, unsigned exclude)
{
    if ((exclude & 0xffff) == 0xffff) {
        return 0;
    }
    while (offset == 0 && exclude >> tag & 1) {
        tag = (tag + 1) & 15;
    }
    for (; offset; offset--) {
        do {
            tag = (tag + 1) & 15;
        } while (exclude >> tag & 1);
    }
    return tag;
}

static uint64_t with_tag(uint64_t va, unsigned tag)
{
    return (va & ~(15ull << 56)) | (uint64_t)tag << 56;
}

uint64_t helper_irg(Cpu *cpu, uint64_t va, uint64_t exclude, uint32_t access)
{
    ArmCpu *c = ARM(cpu);
    unsigned tag = 0;

    if (access) {
        unsigned seed = c->rgsr >> 8 & 0xffff, offset = 0;

        if (c->gcr >> 16 & 1 && !seed) {
            seed = 1 + g_random_int() % 0xffff;
        }
        for (unsigned i = 0; i < 4; i++) {
            unsigned top = (seed >> 5 ^ seed >> 3 ^ seed >> 2 ^ seed) & 1;

            seed = seed >> 1 | top << 15;
            offset |= top << i;
        }
        tag = choose(c->rgsr & 15, offset, (unsigned)((exclude | c->gcr) & 0xffff));
        c->rgsr = tag | (uint64_t)seed << 8;
    }
    return with_tag(va, tag);
}

/* ADDG, SUBG: offset is added; then the tag moves on. */
uint64_t helper_addg(Cpu *cpu, uint64_t va, uint64_t offset, uint32_t tag_offset)
{
    return with_tag(va + offset, choose(va >> 56 & 15, tag_offset, ARM(cpu)->gcr & 0xffff));
}

uint64_t helper_ldg(Cpu *cpu, uint64_t va, uint64_t old)
{
    ArmCpu *c = ARM(cpu);
    const uint8_t *t = tag_at(c, va & ~15ull, ACCESS_LOAD, arm_mmu_index(c), HOST_PC());

    return with_tag(old, t ? *t : 0);
}

static void granules(ArmCpu *c, uint64_t va, uint64_t value, unsigned count, bool zero, bool tags,
                     uintptr_t host_pc)
{
    static const uint8_t zeros[16];
    unsigned mmu = arm_mmu_index(c);

    if (va & 15) {
        arm_unaligned(&c->cpu, va, ACCESS_STORE, mmu, host_pc);
    }
    for (unsigned i = 0; i < count; i++, va += 16) {
        uint8_t *t = tag_at(c, va, ACCESS_STORE, mmu, host_pc);

        if (zero) {
            cpu_store_bytes(&c->cpu, va, zeros, 16, mmu, host_pc);
        }
        if (t && tags) {
            *t = value >> 56 & 15;
            ram_written(c->tags, (uint64_t)(t - c->tags->host), 1);
        }
    }
}

/* info: granules, bit 4 zero data, bit 5 allocation tags may be accessed. */
void helper_stg(Cpu *cpu, uint64_t va, uint64_t value, uint32_t info)
{
    granules(ARM(cpu), va, value, info & 15, info >> 4 & 1, info >> 5 & 1, HOST_PC());
}

/* Tags of 256 bytes, 4 bits each. */
uint64_t helper_ldgm(Cpu *cpu, uint64_t va)
{
    ArmCpu *c = ARM(cpu);
    uint64_t v = 0;

    va &= ~255ull;
    for (unsigned i = 0; i < 16; i++) {
        const uint8_t *t = tag_at(c, va + 16 * i, ACCESS_LOAD, arm_mmu_index(c), HOST_PC());

        v |= (uint64_t)(t ? *t : 0) << (4 * i);
    }
    return v;
}

/* zero: STZGM: one tag for a block of DC ZVA, whose data become 0. */
void helper_stgm(Cpu *cpu, uint64_t va, uint64_t value, uint32_t zero)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned bytes = 4u << (c->id.dczid & 15);

    if (zero) {
        granules(c, va & ~(uint64_t)(bytes - 1), value << 56, bytes / 16, true, true, host_pc);
        return;
    }
    va &= ~255ull;
    for (unsigned i = 0; i < 16; i++) {
        granules(c, va + 16 * i, (value >> (4 * i) & 15) << 56, 1, false, true, host_pc);
    }
}

/* DC GVA, GZVA: the tags of a block by the address's own. */
void helper_dc_gva(Cpu *cpu, uint64_t va, uint32_t info)
{
    ArmCpu *c = ARM(cpu);
    unsigned bytes = 4u << (c->id.dczid & 15);

    if (info & 1) {
        helper_dc_zva(cpu, va);
    }
    granules(c, va & ~(uint64_t)(bytes - 1), va, bytes / 16, false, info & 2, HOST_PC());
}
