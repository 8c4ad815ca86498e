// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt lines of a PC, where ISA devices and PCI pins routed to the same line are wired
 * together before they reach the 8259 pair and the I/O APIC (pins as in the MADT: line 0
 * comes out at pin 2).
 */
#include "hw/i386/pc.h"
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"

/* Lines of the 8254 and the RTC. */
#define LEGACY_TIMERS (1u << 0 | 1u << 8)

static void pc_gsi_update(PcGsi *g, unsigned line)
{
    uint32_t isa = g->legacy_blocked ? g->isa_lines & ~LEGACY_TIMERS : g->isa_lines;
    int level = ((isa | g->pci_lines | g->hpet_lines) >> line) & 1;

    if (g->kernel && g->kernel->line) {
        g->kernel->line(g->kernel->opaque, line, level);
        return;
    }
    if (line < 16 && g->i8259) {
        i8259_set_line(g->i8259, line, level);
    }
    if (g->ioapic) {
        device_pin_in(g->ioapic, "in", line == 0 ? 2 : line, level);
    }
}

void pc_gsi_isa(PcGsi *g, unsigned line, int level)
{
    g->isa_lines = (g->isa_lines & ~(1u << line)) | (uint32_t)!!level << line;
    pc_gsi_update(g, line);
}

void pc_gsi_pci(PcGsi *g, unsigned line, int level)
{
    g->pci_lines = (g->pci_lines & ~(1u << line)) | (uint32_t)!!level << line;
    pc_gsi_update(g, line);
}

void pc_gsi_hpet(PcGsi *g, unsigned line, int level)
{
    g->hpet_lines = (g->hpet_lines & ~(1u << line)) | (uint32_t)!!level << line;
    pc_gsi_update(g, line);
}

void pc_gsi_set_legacy_blocked(PcGsi *g, bool blocked)
{
    g->legacy_blocked = blocked;
    pc_gsi_update(g, 0);
    pc_gsi_update(g, 8);
}

bool pc_gsi_waits(PcGsi *g, unsigned line)
{
    return (line < 16 && g->i8259 && i8259_waits(g->i8259, line)) ||
           (g->ioapic && ioapic_waits(g->ioapic, line == 0 ? 2 : line));
}

static const StateField gsi_state[] = {
    STATE(PcGsi, isa_lines), STATE(PcGsi, pci_lines), STATE(PcGsi, hpet_lines),
    STATE(PcGsi, legacy_blocked), STATE_END,
};

void pc_gsi_init(PcGsi *g, Vm *vm)
{
    vm_state_add(vm, "pc-gsi", gsi_state, g);
}
