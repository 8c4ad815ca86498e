// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A board as a table: each slot is a device, where its registers are, which lines of the interrupt
 * controller it drives, and what of the command line belongs to it. Start-up, machine lock.
 */
#ifndef HW_ARM_BOARD_H
#define HW_ARM_BOARD_H

#include "exec/cpu.h"
#include "exec/memory.h"
#include "hw/arm/boot.h"
#include "qom/vm.h"

#define SLOT_IRQS 20
/*
 * Line n of the interrupt controller's inputs, for BoardSlot.irqs; a slot's entry 0 means: not
 * wired.
 */
#define LINE(n) ((n) + 1)
/* The n-th -serial, if=sd drive. */
#define NTH(n) ((n) + 1)

typedef struct BoardSlot {
    const char *type;                  /* of the device; NULL: registers that read as 0, `size` bytes of them */
    hwaddr addr;
    const char *bank;                  /* that is mapped at addr; NULL: "mmio" */
    const char *name;                  /* for board_device(); NULL: none */
    const char *props;                 /* "name=value,name=value" */
    const char *pin;                   /* output whose elements go to irqs; NULL: "irq" */
    uint16_t irqs[SLOT_IRQS];
    uint8_t serial, sd, ide;           /* NTH(); the latter two: the first of if=..., one for each of its buses */
    bool nic;                          /* gets the next -nic */
    bool optional;                     /* only with what the command line has for it */
    uint32_t size;
    int8_t priority;
} BoardSlot;

typedef struct Board {
    Vm *vm;
    Device *intc;                      /* irqs of slots go to ... */
    const char *intc_pin;              /* this input of it; NULL: "spi" */
    GHashTable *named;                 /* name -> Device; made by board_add */
    Region nothing, ram[8], rom;       /* for memory that a board has besides its RAM */
    hwaddr ram_base;
    unsigned num_ram;
    ArmBoot boot;
} Board;

/* A board that lives as long as vm, published as "board". */
Board *board_new(Vm *vm);
/* Makes the devices of the table, maps and wires them. */
bool board_add(Board *b, const BoardSlot *slots, unsigned n, GError **error);
Device *board_device(Board *b, const char *name);
/* A device of that type with "name=value,..." properties (may be NULL), realized. */
Device *board_make(Board *b, const char *type, const char *props, GError **error);
/*
 * CPUs, one for each of -smp, model from -cpu or the machine type, with the properties that the
 * model knows. psci: those after the first wait for PSCI.
 */
bool board_cpus(Board *b, const char *props, unsigned psci_conduit, GError **error);
/* The same for one CPU of a model; index counts from the first. */
Cpu *board_cpu(Board *b, const char *model, const char *props, GError **error);
/* Sets the properties that a new CPU knows and realizes it. */
bool board_cpu_realize(Cpu *c, const char *props, GError **error);
/* -m mapped at base; more than limit bytes are refused. */
bool board_ram(Board *b, const char *id, hwaddr base, uint64_t limit, GError **error);
/* The same, with what does not fit into `low` bytes at base following at high_base. */
bool board_split_ram(Board *b, const char *id, hwaddr base, uint64_t low, hwaddr high_base,
                     uint64_t limit, GError **error);
/* Further RAM. */
bool board_add_ram(Board *b, const char *id, hwaddr base, uint64_t size, GError **error);
/*
 * Accesses to nothing are no aborts: what is nowhere else reads as 0. For boards whose software
 * pokes around.
 */
void board_quiet(Board *b);
/* Two names for a range. */
void board_alias(Board *b, Region *alias, const char *name, Region *target, hwaddr offset,
                 uint64_t size, hwaddr at);
/* -bios into memory at addr, at most max bytes; true when there is none. */
bool board_firmware(Board *b, hwaddr addr, uint64_t max, GError **error);
/* MachineType.done of boards with nothing more to do than to start b->boot. */
bool board_done(Vm *vm, GError **error);
/* An SD card in slot d's bus for the n-th if=sd drive, if there is one. */
bool board_sd_card(Board *b, Device *d, unsigned n, GError **error);
/* Disks and CD drives on d's buses from the n-th if=ide drive on, one for each. */
bool board_ide_drives(Board *b, Device *d, unsigned n, GError **error);
/* Parallel flash from the n-th if=pflash drive. */
Device *board_flash(Board *b, unsigned n, const char *name, hwaddr addr, uint64_t size,
                    unsigned width, unsigned device_width, GError **error);

/* ---- the private peripherals of MPCore processors, hw/arm/mpcore.c ---- */
typedef enum MpcoreKind { MPCORE_A9, MPCORE_A15, MPCORE_ARM11 } MpcoreKind;
typedef struct MpcoreConfig {
    MpcoreKind kind;
    hwaddr base;
    unsigned irqs;                     /* with the 32 of each CPU */
    unsigned timer_hz;                 /* clock of the private timers; 0: 100 MHz */
    bool security;                     /* the interrupt controller has two security states */
} MpcoreConfig;
/* Interrupt controller (b->intc) with timers of b's CPUs. */
bool mpcore_create(Board *b, const MpcoreConfig *c, GError **error);
/* Lines of a GIC to and from the CPUs. */
void mpcore_wire_cpus(Board *b, Device *gic);

#endif
