// SPDX-License-Identifier: GPL-2.0-or-later
/* NE2000 on the ISA bus: 32 ports and a line, chosen by jumpers. */
#include "hw/isa/isa.h"
#include "ne2000.h"

typedef struct Ne2kIsa {
    Device dev;
    uint32_t iobase, irq_line;
    Irq irq;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    Ne2k core;
} Ne2kIsa;

static uint64_t io_read(void *opaque, hwaddr offset, unsigned size)
{
    return ne2k_read(&((Ne2kIsa *)opaque)->core, offset, size);
}

static void io_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    ne2k_write(&((Ne2kIsa *)opaque)->core, offset, value, size);
}

static const RegionOps io_ops = {.read = io_read, .write = io_write, .min_size = 1, .max_size = 4};

static void set_irq(Device *d, int level)
{
    irq_set(&((Ne2kIsa *)d)->irq, level);
}

static bool ne2k_isa_realize(Device *d, GError **error)
{
    Ne2kIsa *s = (Ne2kIsa *)d;

    nic_settle_mac(s->mac);
    memcpy(s->core.mac, s->mac, 6);
    s->core.irq = set_irq;
    ne2k_realize(&s->core, d, s->peer);
    return true;
}

static void ne2k_isa_unrealize(Device *d)
{
    ne2k_unrealize(&((Ne2kIsa *)d)->core);
}

static void ne2k_isa_reset(Device *d)
{
    ne2k_reset(&((Ne2kIsa *)d)->core);
}

static const Prop ne2k_isa_props[] = {
    PROP_U32(Ne2kIsa, iobase, "iobase", 0x300),
    PROP_U32(Ne2kIsa, irq_line, "irq", 9, .max = 15),
    NIC_PROPS(Ne2kIsa),
    PROP_END,
};

static const RegBank ne2k_isa_banks[] = {
    { .name = "io", .size = 0x20, .ops = &io_ops, .pio = true, .help = "DP8390, data port, reset port" },
    { 0 },
};

static const StateField ne2k_isa_state[] = { STATE_STRUCT(Ne2kIsa, core, ne2k_state), STATE_END };

static const PinRow ne2k_isa_pins[] = { PIN_OUT(Ne2kIsa, irq, "irq"), PIN_END };

static const IsaInfo ne2k_isa_info = {
    .ports = { { .bank = "io", .base_prop = "iobase" } }, .irq_pin = "irq", .irq_prop = "irq",
};

static const DeviceType ne2k_isa_type = {
    .name = "ne2k_isa",
    .bus = "ISA",
    .category = "network",
    .fw_name = "ethernet",
    .bus_info = &ne2k_isa_info,
    .size = sizeof(Ne2kIsa),
    .state_version = 1,
    .props = ne2k_isa_props,
    .banks = ne2k_isa_banks,
    .pins = ne2k_isa_pins,
    .state = ne2k_isa_state,
    .realize = ne2k_isa_realize,
    .unrealize = ne2k_isa_unrealize,
    .reset = ne2k_isa_reset,
};
DEVICE_TYPE(ne2k_isa_type);
