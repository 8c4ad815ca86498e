// SPDX-License-Identifier: GPL-2.0-or-later
/* System control port A (92h) of PS/2-compatible chipsets: fast A20 gate and fast CPU reset. */
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "qom/vm.h"

typedef struct Port92 {
    Device dev;
    uint8_t control;
    Irq a20;
} Port92;

static void port92_write(Device *d, const RegAccess *a)
{
    Port92 *s = (Port92 *)d;

    irq_set(&s->a20, a->value >> 1 & 1);
    if (a->value & ~a->old & 1) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static const Reg port92_regs[] = {
    REG(Port92, 0, control, .reset = 2, .wmask = 3, .write = port92_write,
        .help = "bit 0 resets the CPU, bit 1 is the A20 gate"),
};

static const RegBank port92_banks[] = {
    { .name = "io", .size = 1, BANK_REGS(port92_regs), .pio = true },
    { 0 },
};

static void port92_reset(Device *d)
{
    irq_set(&((Port92 *)d)->a20, 1);
}

static const PinRow port92_pins[] = { PIN_OUT(Port92, a20, "a20"), PIN_END };
static const IsaInfo port92_isa = { .ports = { { .bank = "io", .base = 0x92 } } };

static const DeviceType port92_type = {
    .name = "port92",
    .bus = "ISA",
    .category = "misc",
    .desc = "System control port A",
    .internal = true,
    .bus_info = &port92_isa,
    .size = sizeof(Port92),
    .state_version = 1,
    .banks = port92_banks,
    .pins = port92_pins,
    .reset = port92_reset,
};
DEVICE_TYPE(port92_type);
