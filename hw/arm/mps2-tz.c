// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MPS2 and MPS3 boards with Cortex-M33 and the Security Extension: AN505 (IoTKit), AN521 and AN524
 * (SSE-200, two CPUs). Addresses and lines are those of the application notes. Left out: DMA
 * controllers, GPIO, audio, displays, USB.
 */
#include "hw/arm/sse.h"

#include "exec/bank.h"

#define UART(n, at, line, all, hz)                                                        \
    {                                                                                     \
        .type = "cmsdk-apb-uart", .addr = at, .name = "uart" #n, .props = "pclk-frq=" hz, \
        .serial = NTH(n), .irqs = {                                                       \
            LINE(line + 1),                                                               \
            LINE(line),                                                                   \
            0,                                                                            \
            0,                                                                            \
            LINE(all)                                                                     \
        }                                                                                 \
    }
#define PPC(at, unit, port) {at, 0x1000, SSE_PPC, unit, port}
#define BLANK(n, at, len) {.name = n, .addr = at, .size = len}

/* ---- AN505, AN521 ---- */

#define HZ "20000000"

/* clang-format off */
static const SseRow mps2_rows[] = {
    PPC(0x40205000, TZ_APBEXP1, 0), PPC(0x40206000, TZ_APBEXP1, 1), PPC(0x40209000, TZ_APBEXP1, 2), PPC(0x4020a000, TZ_APBEXP1, 3),
    PPC(0x4020b000, TZ_APBEXP1, 4), PPC(0x40200000, TZ_APBEXP1, 5), PPC(0x40201000, TZ_APBEXP1, 6), PPC(0x40202000, TZ_APBEXP1, 7),
    PPC(0x40203000, TZ_APBEXP1, 8), PPC(0x40204000, TZ_APBEXP1, 9), PPC(0x40207000, TZ_APBEXP1, 10), PPC(0x40208000, TZ_APBEXP1, 11),
    PPC(0x4020c000, TZ_APBEXP1, 12), PPC(0x4020d000, TZ_APBEXP1, 13),
    PPC(0x40300000, TZ_APBEXP2, 0), PPC(0x40301000, TZ_APBEXP2, 1), PPC(0x40302000, TZ_APBEXP2, 2),
    {0x41000000, 0x140000, SSE_PPC, TZ_AHBEXP0, 0}, PPC(0x40100000, TZ_AHBEXP0, 1), PPC(0x40101000, TZ_AHBEXP0, 2),
    PPC(0x40102000, TZ_AHBEXP0, 3), PPC(0x40103000, TZ_AHBEXP0, 4), PPC(0x42000000, TZ_AHBEXP0, 5),
    PPC(0x40110000, TZ_AHBEXP1, 0), PPC(0x40111000, TZ_AHBEXP1, 1), PPC(0x40112000, TZ_AHBEXP1, 2), PPC(0x40113000, TZ_AHBEXP1, 3),
    PPC(0x58007000, TZ_APBEXP0, 0), PPC(0x58008000, TZ_APBEXP0, 1), PPC(0x58009000, TZ_APBEXP0, 2),
};
/* clang-format on */

static const SseRam mps2_rams[] = {
    {"ssram-0", 0x00000000, 0x400000, 0x00400000, 0},
    {"ssram-1", 0x28000000, 0x200000, 0, 1},
    {"ssram-2", 0x28200000, 0x200000, 0, 2},
};

static const BoardSlot mps2_slots[] = {
    {.type = "or-irq", .bank = "", .name = "overflow", .irqs = {LINE(47)}},
    UART(0, 0x40200000, 32, 42, HZ),
    UART(1, 0x40201000, 34, 43, HZ),
    UART(2, 0x40202000, 36, 44, HZ),
    UART(3, 0x40203000, 38, 45, HZ),
    UART(4, 0x40204000, 40, 46, HZ),
    {.type = "pl022", .addr = 0x40205000, .irqs = {LINE(51)}},
    {.type = "pl022", .addr = 0x40206000, .irqs = {LINE(52)}},
    {.type = "pl022", .addr = 0x40209000, .irqs = {LINE(53)}},
    {.type = "pl022", .addr = 0x4020a000, .irqs = {LINE(54)}},
    {.type = "pl022", .addr = 0x4020b000, .irqs = {LINE(55)}},
    {.type = "versatile_i2c", .addr = 0x40207000},
    {.type = "versatile_i2c", .addr = 0x40208000},
    {.type = "versatile_i2c", .addr = 0x4020c000},
    {.type = "versatile_i2c", .addr = 0x4020d000},
    {.type = "mps2-fpgaio", .addr = 0x40302000, .props = "prescale-clk=" HZ},
    {.type = "lan9118", .addr = 0x42000000, .nic = true, .irqs = {LINE(48)}},
    BLANK("gpio0", 0x40100000, 0x1000),
    BLANK("gpio1", 0x40101000, 0x1000),
    BLANK("gpio2", 0x40102000, 0x1000),
    BLANK("gpio3", 0x40103000, 0x1000),
    BLANK("dma", 0x40110000, 0x4000),
    BLANK("i2s-audio", 0x40301000, 0x1000),
    BLANK("GFX", 0x41000000, 0x140000),
    BLANK("FPGA NS PC", 0x48007000, 0x1000),
};

static const SseConfig an505 = {
    .cpus = 1,
    .irqs = 124,
    .hz = 20000000,
    .sram_size = 0x8000,
    .vtor = 0x10000000,
    .rows = mps2_rows,
    .num_rows = ARRAY_COUNT(mps2_rows),
    .rams = mps2_rams,
    .num_rams = ARRAY_COUNT(mps2_rams),
    .mpc_regs = {0x58007000, 0x58008000, 0x58009000},
};

static const SseConfig an521 = {
    .cpus = 2,
    .cpu_props = {"vfp=off,dsp=off"},
    .cpu_wait = 2,
    .irqs = 124,
    .hz = 20000000,
    .sram_size = 0x8000,
    .vtor = 0x10000000,
    .rows = mps2_rows,
    .num_rows = ARRAY_COUNT(mps2_rows),
    .rams = mps2_rams,
    .num_rams = ARRAY_COUNT(mps2_rams),
    .mpc_regs = {0x58007000, 0x58008000, 0x58009000},
};

/* ---- AN524 ---- */

#define HZ3 "32000000"

/* clang-format off */
static const SseRow an524_rows[] = {
    PPC(0x41200000, TZ_APBEXP1, 0), PPC(0x41201000, TZ_APBEXP1, 1), PPC(0x41202000, TZ_APBEXP1, 2), PPC(0x41203000, TZ_APBEXP1, 3),
    PPC(0x41204000, TZ_APBEXP1, 4), PPC(0x41205000, TZ_APBEXP1, 5), PPC(0x41206000, TZ_APBEXP1, 6), PPC(0x41208000, TZ_APBEXP1, 8),
    PPC(0x41300000, TZ_APBEXP2, 0), PPC(0x41301000, TZ_APBEXP2, 1), PPC(0x41302000, TZ_APBEXP2, 2), PPC(0x41303000, TZ_APBEXP2, 3),
    PPC(0x41304000, TZ_APBEXP2, 4), PPC(0x41305000, TZ_APBEXP2, 5), PPC(0x41306000, TZ_APBEXP2, 6), PPC(0x41307000, TZ_APBEXP2, 7),
    PPC(0x41308000, TZ_APBEXP2, 8), PPC(0x4130a000, TZ_APBEXP2, 10), PPC(0x4130b000, TZ_APBEXP2, 11),
    PPC(0x41100000, TZ_AHBEXP0, 0), PPC(0x41101000, TZ_AHBEXP0, 1), PPC(0x41102000, TZ_AHBEXP0, 2), PPC(0x41103000, TZ_AHBEXP0, 3),
    {0x41400000, 0x200000, SSE_PPC, TZ_AHBEXP0, 4},
    PPC(0x58007000, TZ_APBEXP0, 0), PPC(0x58008000, TZ_APBEXP0, 1), PPC(0x58009000, TZ_APBEXP0, 2),
};
/* clang-format on */

static const SseRam an524_rams[] = {
    {"bram", 0x00000000, 0x80000, 0, 0},
    {"QSPI", 0x28000000, 0x800000, 0, 1, true},
    {NULL, 0x60000000, 0x80000000, 0, 2},
};

static const BoardSlot an524_slots[] = {
    {.type = "or-irq", .bank = "", .name = "overflow", .irqs = {LINE(47)}},
    UART(0, 0x41303000, 32, 42, HZ3),
    UART(1, 0x41304000, 34, 43, HZ3),
    UART(2, 0x41305000, 36, 44, HZ3),
    UART(3, 0x41306000, 38, 45, HZ3),
    UART(4, 0x41307000, 40, 46, HZ3),
    UART(5, 0x41308000, 124, 126, HZ3),
    {.type = "pl022", .addr = 0x41202000, .irqs = {LINE(52)}},
    {.type = "pl022", .addr = 0x41203000, .irqs = {LINE(53)}},
    {.type = "pl022", .addr = 0x41204000, .irqs = {LINE(54)}},
    {.type = "versatile_i2c", .addr = 0x41200000},
    {.type = "versatile_i2c", .addr = 0x41201000},
    {.type = "versatile_i2c", .addr = 0x41205000},
    {.type = "versatile_i2c", .addr = 0x41206000},
    {.type = "versatile_i2c", .addr = 0x41208000},
    {.type = "mps2-fpgaio",
     .addr = 0x41302000,
     .props = "prescale-clk=20000000,num-leds=10,has-switches=on"},
    {.type = "pl031", .addr = 0x4130b000},
    {.type = "lan9118", .addr = 0x41400000, .nic = true, .irqs = {LINE(48)}},
    BLANK("gpio0", 0x41100000, 0x1000),
    BLANK("gpio1", 0x41101000, 0x1000),
    BLANK("gpio2", 0x41102000, 0x1000),
    BLANK("gpio3", 0x41103000, 0x1000),
    BLANK("i2s-audio", 0x41301000, 0x1000),
    BLANK("CLCD", 0x4130a000, 0x1000),
    BLANK("usb-otg", 0x41500000, 0x100000),
    BLANK("FPGA NS PC", 0x48007000, 0x1000),
};

static const SseConfig an524 = {
    .cpus = 2,
    .cpu_props = {"vfp=off,dsp=off"},
    .cpu_wait = 2,
    .irqs = 127,
    .hz = 32000000,
    .sram_size = 0x8000,
    .vtor = 0x10000000,
    .rows = an524_rows,
    .num_rows = ARRAY_COUNT(an524_rows),
    .rams = an524_rams,
    .num_rams = ARRAY_COUNT(an524_rams),
    .mpc_regs = {0x58007000, 0x58008000, 0x58009000},
};

/* ---- the boards ---- */

static bool mps2_ram(Board *b, hwaddr base, uint64_t size, GError **error)
{
    if (b->vm->ram_size != size) {
        g_autofree char *text = size_text(size);

        return fail(error, "Invalid RAM size, should be %s", text);
    }
    return board_ram(b, "mps.ram", base, size, error);
}

static bool mps2_build(Board *b, const SseConfig *c, const BoardSlot *slots, unsigned n,
                       const BoardSlot *scc, unsigned uarts, GError **error)
{
    if (!sse_create(b, c, error) || !board_add(b, slots, n, error) ||
        !board_add(b, scc, 1, error)) {
        return false;
    }
    for (unsigned i = 0; i < uarts; i++) {
        g_autofree char *name = g_strdup_printf("uart%u", i);

        wire(board_device(b, name), "irq", 2, board_device(b, "overflow"), "in", 2 * i);
        wire(board_device(b, name), "irq", 3, board_device(b, "overflow"), "in", 2 * i + 1);
    }
    armv7m_boot_at(b, 0, c->rams[0].size);
    return true;
}

static bool mps2_an505_init(Vm *vm, GError **error)
{
    static const BoardSlot scc = {.type = "mps2-scc",
                                  .addr = 0x40300000,
                                  .props = "scc-cfg4=2,scc-aid=0x200008,scc-id=0x41045050"};
    Board *b = board_new(vm);

    return mps2_ram(b, 0x80000000, 16 * MIB, error) &&
           mps2_build(b, &an505, mps2_slots, ARRAY_COUNT(mps2_slots), &scc, 5, error);
}

static bool mps2_an521_init(Vm *vm, GError **error)
{
    static const BoardSlot scc = {.type = "mps2-scc",
                                  .addr = 0x40300000,
                                  .props = "scc-cfg4=2,scc-aid=0x200008,scc-id=0x41045210"};
    Board *b = board_new(vm);

    return mps2_ram(b, 0x80000000, 16 * MIB, error) &&
           mps2_build(b, &an521, mps2_slots, ARRAY_COUNT(mps2_slots), &scc, 5, error);
}

static bool mps3_an524_init(Vm *vm, GError **error)
{
    static const BoardSlot scc = {.type = "mps2-scc",
                                  .addr = 0x41300000,
                                  .props = "scc-cfg4=2,scc-aid=0x200008,scc-id=0x41045240"};
    Board *b = board_new(vm);

    return mps2_ram(b, 0x60000000, 2 * GIB, error) &&
           mps2_build(b, &an524, an524_slots, ARRAY_COUNT(an524_slots), &scc, 6, error);
}

ARMV7M_MACHINE(mps2_an505, "mps2-an505", "ARM MPS2 with AN505 FPGA image for Cortex-M33",
               "cortex-m33", .default_ram = 16 * MIB, .default_nic = "lan9118");
ARMV7M_MACHINE_SMP(2, mps2_an521, "mps2-an521",
                   "ARM MPS2 with AN521 FPGA image for dual Cortex-M33", "cortex-m33",
                   .default_ram = 16 * MIB, .default_nic = "lan9118");
ARMV7M_MACHINE_SMP(2, mps3_an524, "mps3-an524",
                   "ARM MPS3 with AN524 FPGA image for dual Cortex-M33", "cortex-m33",
                   .default_ram = 2 * GIB, .default_nic = "lan9118");
