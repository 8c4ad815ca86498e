// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MPS2 boards with M-profile CPUs in their FPGA: AN385 (Cortex-M3), AN386 (Cortex-M4), AN500
 * (Cortex-M7), AN511 (Cortex-M3, DesignStart). Addresses and lines are those of the application
 * notes. Left out: GPIO, audio, touch screen, VGA.
 */
#include "hw/arm/armv7m.h"

#include "exec/bank.h"

#define MPS2_HZ "25000000"

/* ---- what all have ---- */

#define MPS2_TIMERS                                                                 \
    {.type = "cmsdk-apb-timer",                                                     \
     .addr = 0x40000000,                                                            \
     .props = "pclk-frq=" MPS2_HZ,                                                  \
     .irqs = {LINE(8)}},                                                            \
        {.type = "cmsdk-apb-timer",                                                 \
         .addr = 0x40001000,                                                        \
         .props = "pclk-frq=" MPS2_HZ,                                              \
         .irqs = {LINE(9)}},                                                        \
        {.type = "cmsdk-apb-dualtimer",                                             \
         .addr = 0x40002000,                                                        \
         .props = "freq0=" MPS2_HZ ",freq1=" MPS2_HZ,                               \
         .irqs = {LINE(10)}},                                                       \
        {.type = "cmsdk-apb-watchdog",                                              \
         .addr = 0x40008000,                                                        \
         .name = "watchdog",                                                        \
         .props = "wdogclk-frq=" MPS2_HZ},                                          \
        {.type = "pl022", .addr = 0x40025000, .irqs = {LINE(22)}},                  \
        {.type = "versatile_i2c", .addr = 0x40022000},                              \
        {.type = "versatile_i2c", .addr = 0x40023000},                              \
        {.type = "versatile_i2c", .addr = 0x40029000},                              \
        {.type = "versatile_i2c", .addr = 0x4002a000},                              \
    {                                                                               \
        .type = "mps2-fpgaio", .addr = 0x40028000, .props = "prescale-clk=" MPS2_HZ \
    }

/* Reserved and left out places that read as 0. */
static const BoardSlot mps2_blank[] = {
    {.name = "zbtsmram mirror", .addr = 0x00400000, .size = 0x00400000}, {.name = "RESERVED 1", .addr = 0x00800000, .size = 0x00800000},
    {.name = "Block RAM", .addr = 0x01000000, .size = 0x00010000}, {.name = "RESERVED 2", .addr = 0x01010000, .size = 0x1eff0000},
    {.name = "RESERVED 3", .addr = 0x20800000, .size = 0x00800000}, {.name = "PSRAM", .addr = 0x21000000, .size = 0x01000000},
    {.name = "APB", .addr = 0x40000000, .size = 0x00010000}, {.name = "AHB", .addr = 0x40010000, .size = 0x00010000},
    {.name = "extra", .addr = 0x40020000, .size = 0x00010000}, {.name = "RESERVED 4", .addr = 0x40030000, .size = 0x001d0000},
    {.name = "VGA", .addr = 0x41000000, .size = 0x00200000},
};

#define UART(n, at, tx, rx)                                                                  \
    {                                                                                        \
        .type = "cmsdk-apb-uart", .addr = at, .name = "uart" #n, .serial = NTH(n), .irqs = { \
            LINE(tx),                                                                        \
            LINE(rx)                                                                         \
        }                                                                                    \
    }

static const BoardSlot mps2_slots[] = {
    MPS2_TIMERS,
    UART(0, 0x40004000, 1, 0), UART(1, 0x40005000, 3, 2), UART(2, 0x40006000, 5, 4), UART(3, 0x40007000, 19, 18), UART(4, 0x40009000, 21, 20),
    {.type = "or-irq", .bank = "", .name = "overflow", .irqs = {LINE(12)}},
    {.type = "or-irq", .bank = "", .name = "spi", .irqs = {LINE(11)}},
    {.type = "pl022", .addr = 0x40020000, .name = "spi0"}, {.type = "pl022", .addr = 0x40021000, .name = "spi1"},
    {.type = "pl022", .addr = 0x40026000, .irqs = {LINE(23)}}, {.type = "pl022", .addr = 0x40027000, .irqs = {LINE(24)}},
};

/* AN511: one line for both directions. */
static const BoardSlot an511_slots[] = {
    MPS2_TIMERS,
    {.type = "cmsdk-apb-uart", .addr = 0x40004000, .name = "uart0", .serial = NTH(0)},
    {.type = "cmsdk-apb-uart", .addr = 0x40005000, .name = "uart1", .serial = NTH(1)},
    {.type = "cmsdk-apb-uart", .addr = 0x4002c000, .name = "uart2", .serial = NTH(2)},
    {.type = "cmsdk-apb-uart", .addr = 0x4002d000, .name = "uart3", .serial = NTH(3)},
    {.type = "cmsdk-apb-uart", .addr = 0x4002e000, .name = "uart4", .serial = NTH(4)},
    {.type = "or-irq", .bank = "", .name = "uart0-irq", .irqs = {LINE(0)}}, {.type = "or-irq", .bank = "", .name = "uart1-irq", .irqs = {LINE(2)}},
    {.type = "or-irq", .bank = "", .name = "uart2-irq", .irqs = {LINE(44)}}, {.type = "or-irq", .bank = "", .name = "uart3-irq", .irqs = {LINE(45)}},
    {.type = "or-irq", .bank = "", .name = "uart4-irq", .irqs = {LINE(46)}},
    {.type = "or-irq", .bank = "", .name = "overflow", .irqs = {LINE(12)}},
    {.type = "or-irq", .bank = "", .name = "spi", .irqs = {LINE(11)}},
    {.type = "pl022", .addr = 0x40020000, .name = "spi0"}, {.type = "pl022", .addr = 0x40021000, .name = "spi1"},
    {.type = "pl022", .addr = 0x40026000, .irqs = {LINE(23)}}, {.type = "pl022", .addr = 0x40027000, .irqs = {LINE(24)}},
};

/* ---- differences ---- */

typedef struct Mps2 {
    const char *name;
    hwaddr psram, ethernet;
    unsigned irqs;
    const char *scc;
    bool bram, designstart;
} Mps2;

/* Overruns of all UARTs are one line; so are both directions of AN511's. */
static void mps2_wire(Board *b, const Mps2 *m)
{
    Device *overflow = board_device(b, "overflow"), *spi = board_device(b, "spi");

    for (unsigned i = 0; i < 5; i++) {
        g_autofree char *name = g_strdup_printf("uart%u", i),
                        *gate = g_strdup_printf("uart%u-irq", i);
        Device *d = board_device(b, name);

        wire(d, "irq", 2, overflow, "in", 2 * i);
        wire(d, "irq", 3, overflow, "in", 2 * i + 1);
        if (m->designstart) {
            wire(d, "irq", 0, board_device(b, gate), "in", 0);
            wire(d, "irq", 1, board_device(b, gate), "in", 1);
        }
    }
    wire(board_device(b, "spi0"), "irq", 0, spi, "in", 0);
    wire(board_device(b, "spi1"), "irq", 0, spi, "in", 1);
    wire(board_device(b, "watchdog"), "irq", 0, b->intc, "nmi", 0);
}

static bool mps2_build(Vm *vm, const Mps2 *m, GError **error)
{
    Board *b = board_new(vm);
    Region *mirrors = g_new0(Region, 5);                /* live as long as the machine */
    g_autofree char *scc = g_strdup_printf("scc-cfg4=2,scc-aid=0x200008,scc-id=%s", m->scc);
    const Armv7mConfig cpu = {
        .irqs = m->irqs, .cpu_hz = 25000000, .ref_hz = 1000000, .bitband = true};
    const BoardSlot more[] = {
        {.type = "mps2-scc", .addr = 0x4002f000, .props = scc},
        {.type = "lan9118",
         .addr = m->ethernet,
         .nic = true,
         .irqs = {LINE(m->designstart ? 47 : 13)}},
    };

    if (vm->ram_size != 16 * MIB) {
        return fail(error, "Invalid RAM size, should be 16 MiB");
    }
    if (!board_ram(b, "mps.ram", m->psram, 16 * MIB, error) || !armv7m_create(b, &cpu, error)) {
        return false;
    }
    if (m->designstart) {
        if (!board_add_ram(b, "mps.blockram", 0, 0x40000, error) ||
            !board_add_ram(b, "mps.ssram1", 0x00400000, 8 * MIB, error) ||
            !board_add_ram(b, "mps.sram", 0x20000000, 0x20000, error) ||
            !board_add_ram(b, "mps.ssram23", 0x20400000, 4 * MIB, error)) {
            return false;
        }
    } else {
        if (!board_add_ram(b, "mps.ssram1", 0, 4 * MIB, error) ||
            !board_add_ram(b, "mps.ssram23", 0x20000000, 4 * MIB, error) ||
            (m->bram && !board_add_ram(b, "mps.blockram", 0x01000000, 0x4000, error))) {
            return false;
        }
        board_alias(b, &mirrors[0], "mps.ssram1_m", &b->ram[0], 0, 4 * MIB, 0x00400000);
        board_alias(b, &mirrors[1], "mps.ssram23_m", &b->ram[1], 0, 4 * MIB, 0x20400000);
        for (unsigned i = 1; m->bram && i < 4; i++) {
            board_alias(b, &mirrors[1 + i], "mps.blockram_m", &b->ram[2], 0, 0x4000,
                        0x01000000 + i * 0x4000);
        }
    }
    armv7m_boot_at(b, 0, 4 * MIB);
    if (!board_add(b, mps2_blank, ARRAY_COUNT(mps2_blank), error) ||
        !(m->designstart ? board_add(b, an511_slots, ARRAY_COUNT(an511_slots), error)
                         : board_add(b, mps2_slots, ARRAY_COUNT(mps2_slots), error)) ||
        !board_add(b, more, ARRAY_COUNT(more), error)) {
        return false;
    }
    mps2_wire(b, m);
    return true;
}

static bool an385_init(Vm *vm, GError **error)
{
    static const Mps2 m = {
        .psram = 0x21000000, .ethernet = 0x40200000, .irqs = 32, .scc = "0x41043850", .bram = true};

    return mps2_build(vm, &m, error);
}

static bool an386_init(Vm *vm, GError **error)
{
    static const Mps2 m = {
        .psram = 0x21000000, .ethernet = 0x40200000, .irqs = 32, .scc = "0x41043860", .bram = true};

    return mps2_build(vm, &m, error);
}

static bool an500_init(Vm *vm, GError **error)
{
    static const Mps2 m = {
        .psram = 0x60000000, .ethernet = 0xa0000000, .irqs = 32, .scc = "0x41045000"};

    return mps2_build(vm, &m, error);
}

static bool an511_init(Vm *vm, GError **error)
{
    static const Mps2 m = {.psram = 0x21000000,
                           .ethernet = 0x40200000,
                           .irqs = 64,
                           .scc = "0x41045110",
                           .designstart = true};

    return mps2_build(vm, &m, error);
}

#define MPS2_MACHINE(tag, name, desc, cpu) \
    ARMV7M_MACHINE(tag, name, desc, cpu, .default_ram = 16 * MIB, .default_nic = "lan9118")
MPS2_MACHINE(an385, "mps2-an385", "ARM MPS2 with AN385 FPGA image for Cortex-M3", "cortex-m3");
MPS2_MACHINE(an386, "mps2-an386", "ARM MPS2 with AN386 FPGA image for Cortex-M4", "cortex-m4");
MPS2_MACHINE(an500, "mps2-an500", "ARM MPS2 with AN500 FPGA image for Cortex-M7", "cortex-m7");
MPS2_MACHINE(an511, "mps2-an511", "ARM MPS2 with AN511 DesignStart FPGA image for Cortex-M3",
             "cortex-m3");
