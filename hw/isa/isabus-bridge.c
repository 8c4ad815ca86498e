// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ISA bus of machines without a PCI-to-ISA bridge: lines go straight to the interrupt
 * controllers.
 */
#include "hw/i386/pc.h"

typedef struct IsaBridge {
    Device dev;
    IsaBus isa;
} IsaBridge;

static void isa_bridge_input(Device *d, unsigned line, int level)
{
    pc_gsi_isa(&pc_board(d->vm)->gsi, line, level);
}

static bool isa_bridge_realize(Device *d, GError **error)
{
    IsaBridge *s = (IsaBridge *)d;

    isa_bus_init(&s->isa, d, "isa.0");
    pc_board(d->vm)->isa = &s->isa.bus;
    return true;
}

static const PinRow isa_bridge_pins[] = { PIN_IN("isa-irq", 16, isa_bridge_input), PIN_END };

static const StateField isa_bridge_state[] = {
    HOST_ONLY(IsaBridge, isa, "its devices have state of their own"),
    STATE_END,
};

static const DeviceType isa_bridge_type = {
    .name = "isabus-bridge",
    .category = "bridge",
    .desc = "ISA bus without a bridge",
    .internal = true,
    .fw_name = "isa",
    .size = sizeof(IsaBridge),
    .state_version = 1,
    .pins = isa_bridge_pins,
    .state = isa_bridge_state,
    .realize = isa_bridge_realize,
};
DEVICE_TYPE(isa_bridge_type);
