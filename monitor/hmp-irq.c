// SPDX-License-Identifier: GPL-2.0-or-later
/* `info pic`, `info irq` and `info roms`. */
#include <inttypes.h>

#include "exec/loader.h"
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"
#include "qom/hmp.h"
#include "qom/vm.h"

static void info_pic(HmpCall *call, GError **error)
{
    Device *pic = vm_published(call->vm, "i8259");

    if (vm_published(call->vm, "ioapic")) {
        ioapic_print(call->vm, call->out);
    }
    if (pic) {
        i8259_print(pic, call->out);
    }
}

HMP_INFO(pic, info_pic, "", "show PIC state");

static void info_irq(HmpCall *call, GError **error)
{
    Device *pic = vm_published(call->vm, "i8259");

    if (vm_published(call->vm, "ioapic")) {
        g_string_append(call->out, "IRQ statistics for ioapic:\n");
        for (unsigned i = 0; i < 24; i++) {
            if (ioapic_sent(call->vm, i)) {
                g_string_append_printf(call->out, "%2u: %" PRIu64 "\n", i,
                                       ioapic_sent(call->vm, i));
            }
        }
    }
    if (pic) {
        g_string_append(call->out, "IRQ statistics for isa-i8259:\n");
        for (unsigned i = 0; i < 16; i++) {
            if (i8259_served(pic, i)) {
                g_string_append_printf(call->out, "%2u: %" PRIu64 "\n", i, i8259_served(pic, i));
            }
        }
    }
}

HMP_INFO(irq, info_irq, "", "show the interrupts statistics (if available)");

static void info_roms(HmpCall *call, GError **error)
{
    rom_print(call->out);
}

HMP_INFO(roms, info_roms, "", "show roms");
