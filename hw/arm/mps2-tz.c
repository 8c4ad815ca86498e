// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MPS2 with the AN505 image: IoTKit (ARM ECM 0601256) with a Cortex-M33 and the Security Extension.
 * Every address with bit 28 set is Secure and, but for a few blocks, an alias of the one without
 * it. All accesses pass one gate, an IOMMU region, which asks the memory and peripheral protection
 * controllers; rows say which port a peripheral is behind. Left out: DMA controllers, GPIO, audio,
 * VGA, interrupts of the protection controllers but those of memories, power and reset control.
 */
#include "hw/arm/armv7m.h"

#include "exec/bank.h"
#include "hw/misc/soc-regs.h"
#include "hw/misc/tz.h"

#define HZ "20000000"
#define ALIAS 0x10000000u

/* ---- blocks with fixed contents ---- */

#define FIXED(at, value) {.offset = at, .reset = value, .fixed = ~0u}
/* Peripheral and component identification; part: the low byte of the part's number. */
#define IDENTIFICATION(part)                                                                  \
    FIXED(0xfd0, 4), FIXED(0xfe0, part), FIXED(0xfe4, 0xb8), FIXED(0xfe8, 0x0b),              \
        FIXED(0xff0, 0x0d), FIXED(0xff4, 0xf0), FIXED(0xff8, 0x05), FIXED(0xffc, 0xb1)

static const SocReg sysinfo_rows[] = {
    FIXED(0x000, 0x41743),
    FIXED(0x004, 0x31),
    IDENTIFICATION(0x58),
};
SOC_BLOCK(iotkit_sysinfo, "iotkit-sysinfo", "IoTKit system information", 0x1000, soc_rows_4k,
          SOC_ROWS(sysinfo_rows));

/* SWRESET is at 108. */
static void sysctl_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == 0x108 && value & 1u << 9) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static const SocReg sysctl_rows[] = {
    {.offset = 0x110, .reset = 0x10000000},
    IDENTIFICATION(0x54),
};
SOC_BLOCK(iotkit_sysctl, "iotkit-sysctl", "IoTKit system control", 0x1000, soc_rows_4k,
          SOC_ROWS(sysctl_rows), .written = sysctl_written);

/* ---- the gate ---- */

typedef enum GateKind {
    GATE_PPC,
    GATE_MPC,
    GATE_SECURE
} GateKind;

typedef struct GateRow {
    uint32_t base, size;
    GateKind kind;
    uint8_t unit, port; /* PPC and its port; number of the MPC */
} GateRow;

/* clang-format off */
static const GateRow gate_rows[] = {
    {0x00000000, 0x00400000, GATE_MPC, 0}, {0x00400000, 0x00400000, GATE_MPC, 0}, {0x28000000, 0x00200000, GATE_MPC, 1},
    {0x28200000, 0x00200000, GATE_MPC, 2}, {0x20000000, 0x00008000, GATE_MPC, 3},
    {0x40000000, 0x1000, GATE_PPC, TZ_APB0, 0}, {0x40001000, 0x1000, GATE_PPC, TZ_APB0, 1}, {0x40002000, 0x1000, GATE_PPC, TZ_APB0, 2},
    {0x4002f000, 0x1000, GATE_PPC, TZ_APB1, 0},
    {0x40205000, 0x1000, GATE_PPC, TZ_APBEXP1, 0}, {0x40206000, 0x1000, GATE_PPC, TZ_APBEXP1, 1}, {0x40209000, 0x1000, GATE_PPC, TZ_APBEXP1, 2},
    {0x4020a000, 0x1000, GATE_PPC, TZ_APBEXP1, 3}, {0x4020b000, 0x1000, GATE_PPC, TZ_APBEXP1, 4}, {0x40200000, 0x1000, GATE_PPC, TZ_APBEXP1, 5},
    {0x40201000, 0x1000, GATE_PPC, TZ_APBEXP1, 6}, {0x40202000, 0x1000, GATE_PPC, TZ_APBEXP1, 7}, {0x40203000, 0x1000, GATE_PPC, TZ_APBEXP1, 8},
    {0x40204000, 0x1000, GATE_PPC, TZ_APBEXP1, 9}, {0x40207000, 0x1000, GATE_PPC, TZ_APBEXP1, 10}, {0x40208000, 0x1000, GATE_PPC, TZ_APBEXP1, 11},
    {0x4020c000, 0x1000, GATE_PPC, TZ_APBEXP1, 12}, {0x4020d000, 0x1000, GATE_PPC, TZ_APBEXP1, 13},
    {0x40300000, 0x1000, GATE_PPC, TZ_APBEXP2, 0}, {0x40301000, 0x1000, GATE_PPC, TZ_APBEXP2, 1}, {0x40302000, 0x1000, GATE_PPC, TZ_APBEXP2, 2},
    {0x41000000, 0x140000, GATE_PPC, TZ_AHBEXP0, 0}, {0x40100000, 0x1000, GATE_PPC, TZ_AHBEXP0, 1}, {0x40101000, 0x1000, GATE_PPC, TZ_AHBEXP0, 2},
    {0x40102000, 0x1000, GATE_PPC, TZ_AHBEXP0, 3}, {0x40103000, 0x1000, GATE_PPC, TZ_AHBEXP0, 4}, {0x42000000, 0x1000, GATE_PPC, TZ_AHBEXP0, 5},
    /* what is at its Secure address only */
    {0x50021000, 0x1000, GATE_SECURE}, {0x5002e000, 0x1000, GATE_SECURE}, {0x50080000, 0x1000, GATE_SECURE}, {0x50081000, 0x1000, GATE_SECURE},
    {0x50083000, 0x1000, GATE_SECURE}, {0x58007000, 0x1000, GATE_PPC, TZ_APBEXP0, 0}, {0x58008000, 0x1000, GATE_PPC, TZ_APBEXP0, 1},
    {0x58009000, 0x1000, GATE_PPC, TZ_APBEXP0, 2},
};
/* clang-format on */

typedef struct An505 {
    Board *b;
    Region gate, zeros, mirror[6];
    AddressSpace inside_as, zeros_as, nothing_as;
    Region nothing;
    Device *secctl, *mpc[4];
} An505;

static const GateRow *gate_find(uint32_t addr)
{
    for (unsigned i = 0; i < ARRAY_COUNT(gate_rows); i++) {
        if (addr - gate_rows[i].base < gate_rows[i].size) {
            return &gate_rows[i];
        }
    }
    return NULL;
}

static bool gate_translate(Region *r, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out)
{
    An505 *s = r->opaque;
    uint32_t addr = (uint32_t)iova, high = addr >> 28;
    const GateRow *row = gate_find(addr);
    bool faults = false, ok = true;

    if (!row && (high == 1 || high == 3 || high == 5)) {
        addr -= ALIAS;
        row = gate_find(addr);
    }
    *out = (IommuEntry){.target = &s->inside_as,
                        .iova = iova & ~0xffull,
                        .translated = addr & ~0xffull,
                        .mask = 0xff,
                        .read = true,
                        .write = true};
    if (row && row->kind == GATE_PPC) {
        ok = tz_ppc_allows(s->secctl, row->unit, row->port, attrs.secure, attrs.user);
        faults = tz_ppc_faults(s->secctl);
        out->mask = 0xfff;
    } else if (row && row->kind == GATE_MPC) {
        ok = tz_mpc_allows(s->mpc[row->unit], addr - row->base, attrs.secure);
        faults = !ok && tz_mpc_refused(s->mpc[row->unit], addr - row->base, attrs.secure);
        out->mask = tz_mpc_uniform(s->mpc[row->unit], (addr - row->base) & ~0xfffu)
                        ? 0xfff
                        : tz_mpc_block_size(s->mpc[row->unit]) - 1;
    } else if (row) {
        ok = attrs.secure;
        faults = true;
        out->mask = 0xfff;
    } else {
        out->mask = 0xfff;
    }
    out->iova = iova & ~out->mask;
    out->translated = addr & ~out->mask;
    if (!ok) {
        out->target = faults ? &s->nothing_as : &s->zeros_as;
    }
    return true;
}

/* Bit 28 says Secure, but for the private peripherals. */
static void an505_idau(void *opaque, uint32_t va, ArmIdau *out)
{
    An505 *s = opaque;
    unsigned region = va >> 28;
    uint32_t callable = tz_nsccfg(s->secctl);

    *out = (ArmIdau){.ns = !(region & 1), .region = (uint8_t)region, .has_region = true};
    if (region == 0xe || region == 0xf) {
        out->exempt = region == 0xf;
        out->ns = true;
        out->has_region = region == 0xe;
    }
    out->nsc = (region == 1 && callable & 1) || (region == 3 && callable & 2);
}

/* ---- the board ---- */

#define UART(n, at, line)                                                                 \
    {                                                                                     \
        .type = "cmsdk-apb-uart", .addr = at, .name = "uart" #n, .props = "pclk-frq=" HZ, \
        .serial = NTH(n), .irqs = {                                                       \
            LINE(line + 1),                                                               \
            LINE(line),                                                                   \
            0,                                                                            \
            0,                                                                            \
            LINE(42 + n)                                                                  \
        }                                                                                 \
    }

static const BoardSlot an505_slots[] = {
    {.type = "iotkit-secctl", .bank = "", .name = "secctl"},
    {.type = "tz-mpc", .bank = "", .name = "mpc0", .props = "size=0x400000"},
    {.type = "tz-mpc", .bank = "", .name = "mpc1", .props = "size=0x200000"},
    {.type = "tz-mpc", .bank = "", .name = "mpc2", .props = "size=0x200000"},
    {.type = "tz-mpc", .bank = "", .name = "mpc3", .props = "size=0x8000"},
    {.type = "or-irq", .bank = "", .name = "mpc-irq", .irqs = {LINE(9)}},
    {.type = "or-irq", .bank = "", .name = "overflow", .irqs = {LINE(47)}},
    {.type = "cmsdk-apb-timer", .addr = 0x40000000, .props = "pclk-frq=" HZ, .irqs = {LINE(3)}},
    {.type = "cmsdk-apb-timer", .addr = 0x40001000, .props = "pclk-frq=" HZ, .irqs = {LINE(4)}},
    {.type = "cmsdk-apb-dualtimer",
     .addr = 0x40002000,
     .props = "freq0=" HZ ",freq1=" HZ,
     .irqs = {LINE(5)}},
    {.type = "cmsdk-apb-timer", .addr = 0x4002f000, .props = "pclk-frq=32000", .irqs = {LINE(2)}},
    {.type = "iotkit-sysinfo", .addr = 0x40020000},
    {.type = "iotkit-sysctl", .addr = 0x50021000},
    {.type = "cmsdk-apb-watchdog",
     .addr = 0x40081000,
     .props = "wdogclk-frq=" HZ,
     .irqs = {LINE(1)}},
    {.type = "cmsdk-apb-watchdog",
     .addr = 0x50081000,
     .name = "wdog-s",
     .props = "wdogclk-frq=" HZ},
    {.type = "cmsdk-apb-watchdog",
     .addr = 0x5002e000,
     .name = "wdog-32k",
     .props = "wdogclk-frq=32000"},
    UART(0, 0x40200000, 32),
    UART(1, 0x40201000, 34),
    UART(2, 0x40202000, 36),
    UART(3, 0x40203000, 38),
    UART(4, 0x40204000, 40),
    {.type = "pl022", .addr = 0x40205000, .irqs = {LINE(51)}},
    {.type = "pl022", .addr = 0x40206000, .irqs = {LINE(52)}},
    {.type = "pl022", .addr = 0x40209000, .irqs = {LINE(53)}},
    {.type = "pl022", .addr = 0x4020a000, .irqs = {LINE(54)}},
    {.type = "pl022", .addr = 0x4020b000, .irqs = {LINE(55)}},
    {.type = "versatile_i2c", .addr = 0x40207000},
    {.type = "versatile_i2c", .addr = 0x40208000},
    {.type = "versatile_i2c", .addr = 0x4020c000},
    {.type = "versatile_i2c", .addr = 0x4020d000},
    {.type = "mps2-scc",
     .addr = 0x40300000,
     .props = "scc-cfg4=2,scc-aid=0x200008,scc-id=0x41045050"},
    {.type = "mps2-fpgaio", .addr = 0x40302000, .props = "prescale-clk=" HZ},
    {.type = "lan9118", .addr = 0x42000000, .nic = true, .irqs = {LINE(48)}},
    {.name = "gpio0", .addr = 0x40100000, .size = 0x1000},
    {.name = "gpio1", .addr = 0x40101000, .size = 0x1000},
    {.name = "gpio2", .addr = 0x40102000, .size = 0x1000},
    {.name = "gpio3", .addr = 0x40103000, .size = 0x1000},
    {.name = "dma", .addr = 0x40110000, .size = 0x4000},
    {.name = "i2s-audio", .addr = 0x40301000, .size = 0x1000},
    {.name = "GFX", .addr = 0x41000000, .size = 0x140000},
    {.name = "FPGA NS PC", .addr = 0x48007000, .size = 0x1000},
};

static uint64_t zero_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void zero_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static void an505_spaces(An505 *s, Vm *vm)
{
    static const RegionOps zero_ops = {
        .read = zero_read, .write = zero_write, .min_size = 1, .max_size = 8, .unaligned = true};

    region_init_io(&s->zeros, NULL, "refused", 4 * GIB, &zero_ops, s);
    address_space_init(&s->zeros_as, &s->zeros, "refused");
    region_init_container(&s->nothing, NULL, "refused-fault", 4 * GIB);
    address_space_init(&s->nothing_as, &s->nothing, "refused-fault");
    address_space_init(&s->inside_as, vm->memory, "iotkit-inside");
    region_init_iommu(&s->gate, NULL, "iotkit-gate", 4 * GIB, gate_translate);
    s->gate.opaque = s;
}

static void an505_wire(An505 *s)
{
    Board *b = s->b;

    s->secctl = board_device(b, "secctl");
    device_map(s->secctl, "s", 0x50080000);
    device_map(s->secctl, "ns", 0x40080000);
    for (unsigned i = 0; i < 4; i++) {
        static const hwaddr at[4] = {0x58007000, 0x58008000, 0x58009000, 0x50083000};
        g_autofree char *name = g_strdup_printf("mpc%u", i);

        s->mpc[i] = board_device(b, name);
        device_map(s->mpc[i], "mmio", at[i]);
        wire(s->mpc[i], "irq", 0, board_device(b, "mpc-irq"), "in", i);
    }
    for (unsigned i = 0; i < 5; i++) {
        g_autofree char *name = g_strdup_printf("uart%u", i);

        wire(board_device(b, name), "irq", 2, board_device(b, "overflow"), "in", 2 * i);
        wire(board_device(b, name), "irq", 3, board_device(b, "overflow"), "in", 2 * i + 1);
    }
    wire(board_device(b, "wdog-32k"), "irq", 0, b->intc, "nmi", 0);
}

static bool an505_init(Vm *vm, GError **error)
{
    An505 *s = g_new0(An505, 1); /* lives as long as the machine */
    Board *b = board_new(vm);

    s->b = b;
    an505_spaces(s, vm);
    const Armv7mConfig cpu = {
        .irqs = 124,
        .cpu_hz = 20000000,
        .vtor_secure = 0x10000000,
        .memory = &s->gate,
        .idau = an505_idau,
        .idau_opaque = s,
    };

    if (vm->ram_size != 16 * MIB) {
        return fail(error, "Invalid RAM size, should be 16 MiB");
    }
    if (!board_ram(b, "mps.ram", 0x80000000, 16 * MIB, error) ||
        !board_add_ram(b, "ssram-0", 0, 4 * MIB, error) ||
        !board_add_ram(b, "ssram-1", 0x28000000, 2 * MIB, error) ||
        !board_add_ram(b, "ssram-2", 0x28200000, 2 * MIB, error) ||
        !board_add_ram(b, "iotkit.sram0", 0x20000000, 32 * KIB, error) ||
        !armv7m_create(b, &cpu, error)) {
        return false;
    }
    board_alias(b, &s->mirror[0], "ssram-0-alias", &b->ram[0], 0, 4 * MIB, 0x00400000);
    /* for -kernel: the CPU does not get here by these addresses */
    board_alias(b, &s->mirror[1], "ssram-0-s", &b->ram[0], 0, 4 * MIB, ALIAS);
    board_alias(b, &s->mirror[2], "ssram-0-alias-s", &b->ram[0], 0, 4 * MIB, ALIAS + 0x00400000);
    board_alias(b, &s->mirror[3], "ssram-1-s", &b->ram[1], 0, 2 * MIB, ALIAS + 0x28000000);
    board_alias(b, &s->mirror[4], "ssram-2-s", &b->ram[2], 0, 2 * MIB, ALIAS + 0x28200000);
    board_alias(b, &s->mirror[5], "iotkit.sram0-s", &b->ram[3], 0, 32 * KIB, ALIAS + 0x20000000);
    if (!board_add(b, an505_slots, ARRAY_COUNT(an505_slots), error)) {
        return false;
    }
    an505_wire(s);
    armv7m_boot_at(b, 0, 4 * MIB);
    return true;
}

ARMV7M_MACHINE(an505, "mps2-an505", "ARM MPS2 with AN505 FPGA image for Cortex-M33", "cortex-m33",
               .default_ram = 16 * MIB, .default_nic = "lan9118");
