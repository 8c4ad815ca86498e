// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System management RAM of both host bridges (82441FX 3.2.19; 316966, 3.9 and 5.1.30): what lies
 * at A0000h, at FEDA0000h and at the top of low memory, as CPUs in system management mode see it
 * and as all others do. The former have an address space of their own, in which SMRAM lies over
 * system memory; the latter, and devices, see the VGA window or nothing. D_CLS, which would show
 * VGA to data accesses of the SMI handler, is storage only.
 */
#include "hw/i386/pc.h"

#define LEGACY_BASE 0xa0000u
#define LEGACY_SIZE 0x20000u
#define HIGH_BASE 0xfeda0000u
#define DEFAULT_BASE 0x30000u
#define SMRAM_PRIORITY 1

void pc_smm_space_init(PcBoard *b)
{
    Vm *vm = b->vm;

    region_init_container(&b->smm_root, NULL, "smm", UINT64_MAX);
    region_init_alias(&b->smm_view, NULL, "smm-memory", vm->memory, 0, UINT64_MAX);
    region_init_container(&b->smram, NULL, "smram", UINT64_MAX);
    region_add(&b->smm_root, 0, &b->smm_view, 0);
    region_add(&b->smm_root, 0, &b->smram, SMRAM_PRIORITY);
    if (b->has_smm) {
        vm->smm_as = g_new0(AddressSpace, 1);
        address_space_init(vm->smm_as, &b->smm_root, "smm");
    }
}

static void smram_window(Region *r, const char *name, Region *where, hwaddr at, Region *ram,
                         hwaddr from, uint64_t size, Object *owner)
{
    region_init_alias(r, owner, name, ram, from, size);
    region_set_enabled(r, false);
    region_add(where, at, r, SMRAM_PRIORITY);
}

void smram_init(SmramMap *s, PcBoard *b, Object *owner)
{
    Region *memory = b->vm->memory;

    s->b = b;
    region_init_alias(&s->vga, owner, "smram-region", &b->pci_mem, LEGACY_BASE, LEGACY_SIZE);
    /* Where PCI has no VGA, RAM does not show. */
    region_init_io(&s->vga_none, owner, "smram-none", LEGACY_SIZE, NULL, NULL);
    region_add(memory, LEGACY_BASE, &s->vga_none, SMRAM_PRIORITY);
    region_add(memory, LEGACY_BASE, &s->vga, SMRAM_PRIORITY);
    smram_window(&s->low, "smram-low", &b->smram, LEGACY_BASE, &b->ram, LEGACY_BASE, LEGACY_SIZE,
                 owner);
    smram_window(&s->high, "smram-high", &b->smram, HIGH_BASE, &b->ram, LEGACY_BASE, LEGACY_SIZE,
                 owner);
    smram_window(&s->tseg, "tseg", &b->smram, 0, &b->ram, 0, MIB, owner);
    smram_window(&s->smbase, "smbase", &b->smram, DEFAULT_BASE, &b->ram, DEFAULT_BASE, LEGACY_SIZE,
                 owner);
    region_init_io(&s->tseg_hidden, owner, "tseg-hidden", MIB, NULL, NULL);
    region_set_enabled(&s->tseg_hidden, false);
    region_add(memory, 0, &s->tseg_hidden, SMRAM_PRIORITY);
    region_init_io(&s->smbase_hidden, owner, "smbase-hidden", LEGACY_SIZE, NULL, NULL);
    region_set_enabled(&s->smbase_hidden, false);
    region_add(memory, DEFAULT_BASE, &s->smbase_hidden, SMRAM_PRIORITY);
}

void smram_update(SmramMap *s, const SmramConfig *c)
{
    uint64_t tseg = c->enabled ? MIN(c->tseg_size, s->b->low_size) : 0;
    hwaddr base = s->b->low_size - tseg;

    memory_transaction_begin();
    region_set_enabled(&s->vga, !(c->enabled && c->open));
    region_set_enabled(&s->vga_none, !(c->enabled && c->open));
    region_set_enabled(&s->low, c->enabled && !c->high);
    region_set_enabled(&s->high, c->enabled && c->high);
    region_set_enabled(&s->tseg, tseg != 0);
    region_set_enabled(&s->tseg_hidden, tseg != 0);
    if (tseg) {
        region_set_alias_offset(&s->tseg, base);
        region_set_size(&s->tseg, tseg);
        region_set_address(&s->tseg, base);
        region_set_size(&s->tseg_hidden, tseg);
        region_set_address(&s->tseg_hidden, base);
    }
    region_set_enabled(&s->smbase, c->smbase);
    region_set_enabled(&s->smbase_hidden, c->smbase);
    memory_transaction_commit();
}
