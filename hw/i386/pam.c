// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programmable attribute maps and the SMRAM window of Intel's PC host bridges (82441FX
 * 3.2.19, Q35 5.1.18): which of PCI and RAM answers between A0000h and FFFFFh. The mode
 * "write RAM, read PCI" reads and writes PCI, and RAM where PCI has nothing.
 */
#include "hw/i386/pc.h"

#define PAM_PRIORITY 1
enum {
    PAM_READ = 1,
    PAM_WRITE = 2
};

/* Segment 0 is F0000h, 64 KiB; 1 to 12 are 16 KiB each from C0000h. */
static void pam_segment(unsigned i, hwaddr *base, uint64_t *size)
{
    *base = i == 0 ? 0xf0000 : 0xc0000 + (i - 1) * 0x4000;
    *size = i == 0 ? 0x10000 : 0x4000;
}

void pam_init(PamMap *p, Vm *vm, Object *owner, Region *ram, Region *pci_mem)
{
    for (unsigned i = 0; i < ARRAY_COUNT(p->seg); i++) {
        PamRegion *s = &p->seg[i];
        hwaddr base;
        uint64_t size;

        pam_segment(i, &base, &size);
        region_init_alias(&s->rw, owner, "pam-ram", ram, base, size);
        region_init_alias(&s->ro, owner, "pam-rom", ram, base, size);
        region_set_readonly(&s->ro, true);
        region_init_alias(&s->pci, owner, "pam-pci", pci_mem, base, size);
        region_set_enabled(&s->rw, false);
        region_set_enabled(&s->ro, false);
        /* Where PCI has nothing either, RAM does not show: below the windows, above RAM. */
        region_init_io(&s->none, owner, "pam-none", size, NULL, NULL);
        region_add(vm->memory, base, &s->none, PAM_PRIORITY);
        region_add(vm->memory, base, &s->rw, PAM_PRIORITY);
        region_add(vm->memory, base, &s->ro, PAM_PRIORITY);
        region_add(vm->memory, base, &s->pci, PAM_PRIORITY);
    }
}

void pam_update(PamMap *p, const uint8_t regs[7])
{
    memcpy(p->regs, regs, sizeof(p->regs));
    memory_transaction_begin();
    for (unsigned i = 0; i < ARRAY_COUNT(p->seg); i++) {
        /* Segment 0 is the high half of register 0; then low and high half of each. */
        unsigned half = i + 1;
        uint8_t mode = regs[half / 2] >> 4 * (half & 1) & 3;

        if (mode != p->seg[i].mode) {
            p->seg[i].mode = mode;
            region_set_enabled(&p->seg[i].rw, mode == (PAM_READ | PAM_WRITE));
            region_set_enabled(&p->seg[i].ro, mode == PAM_READ);
            region_set_enabled(&p->seg[i].pci, !(mode & PAM_READ));
            region_set_enabled(&p->seg[i].none, mode == 0);
        }
    }
    memory_transaction_commit();
}

void pam_reset(PamMap *p, uint8_t regs[7])
{
    if (runstate_is(RUN_STATE_SUSPENDED)) {
        memcpy(regs, p->regs, sizeof(p->regs));
    }
}
