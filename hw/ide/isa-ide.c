// SPDX-License-Identifier: GPL-2.0-or-later
/* An IDE channel on the ISA bus, as adapters of the AT had it: PIO only. */
#include "channel.h"
#include "hw/isa/isa.h"
#include "qom/vm.h"

typedef struct IsaIde {
    Device dev;
    uint32_t iobase, iobase2, irq_line;
    IdeChannel channel;
    Irq irq;
} IsaIde;

static void isa_ide_irq(IdeBus *b, AtaDrive *d)
{
    ide_channel_irq(b, d);
}

static void isa_ide_pio(IdeBus *b, AtaDrive *d, bool first)
{
    if (d->phase == PHASE_PIO_IN || !first) {
        ide_channel_irq(b, d);
    }
}

/* No bus master: a DMA phase waits until it is reset away. */
static void isa_ide_dma(IdeBus *b, AtaDrive *d)
{
}

static bool isa_ide_dma_list(IdeBus *b, AtaDrive *d, DmaList *l, uint64_t bytes)
{
    return false;
}

static void isa_ide_dma_done(IdeBus *b, AtaDrive *d, uint64_t bytes)
{
}

static const IdeBusOps isa_ide_ops = {
    .irq = isa_ide_irq, .pio = isa_ide_pio, .dma = isa_ide_dma, .dma_list = isa_ide_dma_list, .dma_done = isa_ide_dma_done,
};

static uint64_t command_read(void *opaque, hwaddr off, unsigned size)
{
    return ide_channel_read(&((IsaIde *)opaque)->channel, (unsigned)off, size);
}

static void command_write(void *opaque, hwaddr off, uint64_t v, unsigned size)
{
    ide_channel_write(&((IsaIde *)opaque)->channel, (unsigned)off, (uint32_t)v, size);
}

static uint64_t control_read(void *opaque, hwaddr off, unsigned size)
{
    return ide_channel_status(&((IsaIde *)opaque)->channel);
}

static void control_write(void *opaque, hwaddr off, uint64_t v, unsigned size)
{
    ide_channel_control(&((IsaIde *)opaque)->channel, (uint8_t)v);
}

static const RegionOps command_ops = {
    .read = command_read, .write = command_write, .min_size = 1, .max_size = 4, .min_valid = 1, .max_valid = 4,
};
static const RegionOps control_ops = {
    .read = control_read, .write = control_write, .min_size = 1, .max_size = 1};

static const RegBank isa_ide_banks[] = {
    { .name = "command", .size = 8, .ops = &command_ops, .pio = true, .help = "command block" },
    { .name = "control", .size = 1, .ops = &control_ops, .pio = true, .help = "control port" },
    { 0 },
};

static bool isa_ide_realize(Device *d, GError **error)
{
    IsaIde *s = (IsaIde *)d;

    s->channel.irq = &s->irq;
    ide_bus_init(&s->channel.bus, d, 0, 2, &isa_ide_ops);
    return true;
}

static void isa_ide_unrealize(Device *d)
{
    bus_fini(&((IsaIde *)d)->channel.bus.bus);
}

static void isa_ide_reset(Device *d)
{
    ide_channel_reset(&((IsaIde *)d)->channel);
}

static const Prop isa_ide_props[] = {
    PROP_U32(IsaIde, iobase, "iobase", 0x1f0),
    PROP_U32(IsaIde, iobase2, "iobase2", 0x3f6),
    PROP_U32(IsaIde, irq_line, "irq", 14, .max = 15),
    PROP_END,
};

static const PinRow isa_ide_pins[] = { PIN_OUT(IsaIde, irq, "irq"), PIN_END };
static const StateField isa_ide_state[] = {STATE_STRUCT(IsaIde, channel, ide_channel_state),
                                           STATE_END};

static const IsaInfo isa_ide_info = {
    .ports = { { .bank = "command", .base_prop = "iobase" }, { .bank = "control", .base_prop = "iobase2" } },
    .irq_pin = "irq", .irq_prop = "irq",
};

static const DeviceType isa_ide_type = {
    .name = "isa-ide",
    .bus = "ISA",
    .category = "storage",
    .fw_name = "ide",
    .bus_info = &isa_ide_info,
    .size = sizeof(IsaIde),
    .state_version = 1,
    .props = isa_ide_props,
    .banks = isa_ide_banks,
    .pins = isa_ide_pins,
    .state = isa_ide_state,
    .realize = isa_ide_realize,
    .unrealize = isa_ide_unrealize,
    .reset = isa_ide_reset,
};
DEVICE_TYPE(isa_ide_type);
