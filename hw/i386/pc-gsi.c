// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt lines of a PC, where ISA devices and PCI pins routed to the same line are wired
 * together before they reach the 8259 pair and the I/O APIC (pins as in the MADT: line 0
 * comes out at pin 2).
 */
#include "hw/i386/pc.h"
#include "hw/intc/i8259.h"

static void pc_gsi_update(PcGsi *g, unsigned line)
{
    int level = ((g->isa_lines | g->pci_lines) >> line) & 1;

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
