// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ISA (LPC) bus: devices with banks at fixed ports and lines of the 8259 pair. The bridge
 * that owns the bus supplies 16 interrupt inputs (pin "isa-irq" of the owner).
 */
#ifndef HW_ISA_ISA_H
#define HW_ISA_ISA_H

#include "exec/bank.h"
#include "qom/device.h"

typedef struct IsaPortInfo {
    const char *bank;          /* bank of the device */
    uint16_t base;             /* default port; 0: the property `base_prop` decides */
    const char *base_prop;     /* name of a uint32 property with the base port, NULL: fixed */
} IsaPortInfo;

/* DeviceType.bus_info of an ISA device. */
typedef struct IsaInfo {
    IsaPortInfo ports[6];      /* ends with a row without a bank */
    const char *irq_pin;       /* output pin wired to the line below; NULL: none */
    uint8_t irq;               /* default line */
    const char *irq_prop;      /* name of a uint32 property with the line; NULL: fixed */
    void (*plugged)(Device *d);    /* wires what the rows cannot say (more lines); may be NULL */
} IsaInfo;

typedef struct IsaBus {
    Bus bus;
    Device *irq_owner;         /* its input pin "isa-irq" takes lines 0..15 */
    Device *dma;               /* hw/isa/dma.h; NULL: none */
} IsaBus;
extern const BusType isa_bus_type;     /* "ISA" */

void isa_bus_init(IsaBus *b, Device *owner, const char *name);
/* Board shorthand: creates, sets properties (name, value ..., NULL), plugs. */
Device *isa_create(Bus *b, const char *type, const char *name, GError **error,
                   ...) G_GNUC_NULL_TERMINATED;
/* Creates the DMA controllers on a bus (IsaBus.dma): ports 0-Fh, 81h-8Fh, C0h-DFh. */
Device *isa_dma_create(Bus *bus, GError **error);
/* Wires an output pin of d to ISA line n. */
void isa_wire(Device *d, const char *pin, unsigned i, unsigned line);

#endif
