// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extended page tables: four levels, 4 KiB, 2 MiB and 1 GiB pages, accessed and dirty flags. SDM 3C
 * chapter 29.
 */
#include "target-i386/paging.h"
#include "target-i386/vmx.h"
#include "util/rcu.h"

#define EPT_ADDRESS 0x000ffffffffff000ull
#define EPTP_AD 0x40ull

bool vmx_eptp_ok(const X86Cpu *c, uint64_t eptp)
{
    unsigned type = eptp & 7;

    return (type == 0 || type == 6) && (eptp >> 3 & 7) == 3 && !(eptp & 0xf80) &&
           (!(eptp & EPTP_AD) || (c->features[FW_VMX_EPT] >> 21 & 1)) && !(eptp >> c->phys_bits);
}

/* 29.3.3.1: what an entry may not be. Level 1 is that of 4 KiB pages. */
static bool misconfigured(const X86Cpu *c, uint64_t e, unsigned level, bool leaf)
{
    unsigned type = e >> 3 & 7;
    uint64_t reserved = EPT_ADDRESS & ~((1ull << c->phys_bits) - 1);

    if ((e & 7) == EPT_W || (e & 7) == (EPT_W | EPT_X) || (e & reserved)) {
        return true;
    }
    if (leaf) {
        return type == 2 || type == 3 || type == 7 ||
               (level > 1 && (e & (((1ull << 9 * (level - 1)) - 1) << 12)));
    }
    return level == 4 ? e & 0xf8 : e & 0x78;
}

static bool fault(X86Cpu *c, hwaddr gpa, const NestedUse *u, unsigned rights, bool write,
                  uint8_t reason)
{
    uint64_t q = rights << 3 | (u->access == ACCESS_FETCH && !u->table ? EPTQ_FETCH
                                : write                                ? EPTQ_WRITE
                                                                       : EPTQ_READ);

    if (u->table) {
        q |= EPTQ_READ;
    }
    if (u->va_valid) {
        q |= EPTQ_LINEAR | (u->table ? 0 : EPTQ_FINAL);
    }
    c->nested_fault = (NestedFault){
        .gpa = gpa, .info = reason == EXIT_EPT_VIOLATION ? q : 0, .reason = reason};
    if (!u->debug) {
        vmx_set(c, VM_GUEST_LINEAR, u->va);
    }
    return false;
}

typedef struct EptLeaf {
    hwaddr pa, entry;
    void *host;
    uint64_t value;
    unsigned rights, shift;
} EptLeaf;

enum { PML_ENTRIES = 512 };
enum { EPT_OK, EPT_MISSING, EPT_BAD };

/* Finds the leaf and marks the way to it. */
static int walk(X86Cpu *c, hwaddr gpa, bool mark, EptLeaf *l)
{
    hwaddr table = vmx_get(c, VM_EPTP) & EPT_ADDRESS;

    l->rights = EPT_R | EPT_W | EPT_X;
    if (gpa >> 48) {
        l->rights = 0;
        return EPT_MISSING;
    }
    for (unsigned level = 4;; level--) {
        bool leaf;

        l->shift = 12 + 9 * (level - 1);
        l->entry = table + ((gpa >> l->shift) & 0x1ff) * 8;
        l->value = x86_entry_read(c, l->entry, 8, &l->host);
        if (!(l->value & 7)) {
            l->rights = 0;
            return EPT_MISSING;
        }
        leaf = level == 1 || (level <= 3 && (l->value & EPT_LARGE));
        if (misconfigured(c, l->value, level, leaf)) {
            return EPT_BAD;
        }
        l->rights &= l->value & 7;
        if (leaf) {
            uint64_t mask = (1ull << l->shift) - 1;

            l->pa = (l->value & EPT_ADDRESS & ~mask) | (gpa & mask & ~0xfffull);
            return EPT_OK;
        }
        if (mark) {
            x86_entry_or(c, l->entry, 8, l->host, l->value, EPT_A);
        }
        table = l->value & EPT_ADDRESS;
    }
}

/* 29.3.6: what becomes dirty is noted in a list that fills downwards. */
static void log_page(X86Cpu *c, hwaddr gpa)
{
    uint64_t index = vmx_get(c, VM_PML_INDEX);

    address_space_store(c->cpu.as, vmx_get(c, VM_PML) + index * 8, gpa & ~0xfffull, 8, DEV_LITTLE,
                        vmx_attrs(c));
    vmx_set(c, VM_PML_INDEX, (index - 1) & 0xffff);
}

bool vmx_translate(X86Cpu *c, hwaddr gpa, const NestedUse *u, X86Page *page)
{
    bool flags = vmx_get(c, VM_EPTP) & EPTP_AD;
    /* with accessed and dirty flags the guest's tables count as written (29.3.2) */
    bool write = u->table ? flags || u->mark : u->access == ACCESS_STORE;
    unsigned want = write ? EPT_R | EPT_W : u->access == ACCESS_FETCH && !u->table ? EPT_X : EPT_R;
    EptLeaf l = {0};
    bool log = false;
    int r;

    for (;;) {
        r = walk(c, gpa, flags && !u->debug, &l);
        if (r != EPT_OK) {
            return fault(c, gpa, u, l.rights, write,
                         r == EPT_BAD ? EXIT_EPT_MISCONFIG : EXIT_EPT_VIOLATION);
        }
        if (!u->debug && (l.rights & want) != want) {
            return fault(c, gpa, u, l.rights, write, EXIT_EPT_VIOLATION);
        }
        log = flags && !u->debug && write && !(l.value & EPT_D) && vmx_proc2(c, PROC2_PML);
        if (log && vmx_get(c, VM_PML_INDEX) >= PML_ENTRIES) {
            return fault(c, gpa, u, l.rights, write, EXIT_PML_FULL);
        }
        if (!flags || u->debug ||
            x86_entry_or(c, l.entry, 8, l.host, l.value, EPT_A | (write ? EPT_D : 0))) {
            break;
        }
    }
    if (log) {
        log_page(c, gpa);
    }
    if (flags && !write && !(l.value & EPT_D)) {
        l.rights &= ~EPT_W;
    }
    *page = (X86Page){
        .pa = l.pa,
        .prot = (l.rights & EPT_R ? TLB_PROT_READ : 0) | (l.rights & EPT_W ? TLB_PROT_WRITE : 0) |
                (l.rights & EPT_X ? TLB_PROT_EXEC : 0),
        .page_bits = l.shift,
    };
    return true;
}

void vmx_translate_fault(X86Cpu *c)
{
    const NestedFault *f = &c->nested_fault;

    vmx_set(c, VM_GUEST_PHYS, f->gpa);
    vmx_vmexit(c, f->reason, f->info);
}
