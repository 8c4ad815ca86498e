// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Baseboard management controllers of Aspeed: AST2400 (ARM926), AST2500 (ARM1176) and AST2600 (two
 * Cortex-A7), and boards with them: UARTs, timers, watchdogs, flash controllers with flash, SD
 * hosts, Ethernet, I2C with sensors and clocks, USB hosts, real-time clock. Left out: hash engine,
 * USB device side, video, host interfaces, I3C; GPIO keeps what is written.
 */
#include "hw/arm/board.h"

#include "block/block.h"
#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/loader.h"
#include "hw/i2c/i2c.h"
#include "hw/ssi/ssi.h"

#define BOOT_ROM_MAX (2 * MIB)

typedef struct BmcPart {
    const char *type; /* of a flash chip or of a device on I2C */
    uint8_t bus; /* FMC 0, SPI1 1, SPI2 2; number of the I2C bus */
    uint8_t at; /* select line, address */
} BmcPart;

typedef struct BmcKind {
    const char *scu; /* type of system control */
    const BoardSlot *slots;
    unsigned num_slots;
    hwaddr ram_base, sram;
    uint64_t ram_max;
    uint32_t sram_size;
    const char *smc[3], *sdmc;
    BmcPart flash[4], i2c[12];
    uint32_t strap[2]; /* 0, 0: those of the evaluation board */
    uint8_t macs; /* which controllers take -nic, a bit for each; 0: all */
    bool gic;
} BmcKind;

#define UART(a, irq, n)                                                       \
    {                                                                         \
        .type = "serial-mm", .addr = a, .irqs = {LINE(irq)}, .serial = NTH(n) \
    }
#define UART_ALONE(a, irq)                                    \
    {                                                         \
        .type = "serial-mm", .addr = a, .irqs = { LINE(irq) } \
    }
/* Of two boards of IBM, without their MAX31785 and DPS310. */
#define OPENPOWER_PARTS                                                                      \
    {                                                                                        \
        {"pca9552", 3, 0x60}, {"tmp423", 4, 0x4c}, {"tmp423", 5, 0x4c}, {"tmp105", 9, 0x4a}, \
            {"ds1338", 11, 0x32}, {"smbus-eeprom", 11, 0x51},                                \
        {                                                                                    \
            "pca9552", 11, 0x60                                                              \
        }                                                                                    \
    }
#define SDHCI "sd-spec-version=2,capareg=0x1e80080"

/* ---- AST2600 ---- */

static const BoardSlot ast2600_slots[] = {
    {.type = "aspeed.sdmc-ast2600", .addr = 0x1e6e0000, .name = "sdmc"},
    {.type = "aspeed.fmc-ast2600", .addr = 0x1e620000, .name = "fmc", .irqs = {LINE(39)}},
    {.type = "aspeed.spi1-ast2600", .addr = 0x1e630000, .name = "spi1"},
    {.type = "aspeed.spi2-ast2600", .addr = 0x1e631000, .name = "spi2"},
    {.type = "ftgmac100",
     .addr = 0x1e660000,
     .props = "aspeed=on",
     .name = "mac0",
     .irqs = {LINE(2)},
     .nic = true},
    {.type = "ftgmac100",
     .addr = 0x1e680000,
     .props = "aspeed=on",
     .name = "mac1",
     .irqs = {LINE(3)},
     .nic = true},
    {.type = "ftgmac100",
     .addr = 0x1e670000,
     .props = "aspeed=on",
     .name = "mac2",
     .irqs = {LINE(32)},
     .nic = true},
    {.type = "ftgmac100",
     .addr = 0x1e690000,
     .props = "aspeed=on",
     .name = "mac3",
     .irqs = {LINE(33)},
     .nic = true},
    {.type = "platform-ehci-usb", .addr = 0x1e6a1000, .irqs = {LINE(5)}},
    {.type = "platform-ehci-usb", .addr = 0x1e6a3000, .irqs = {LINE(9)}},
    {.type = "aspeed.xdma", .addr = 0x1e6e7000},
    {.type = "aspeed.adc", .addr = 0x1e6e9000},
    {.type = "aspeed.sbc", .addr = 0x1e6f2000},
    {.type = "aspeed.sdhci", .addr = 0x1e740000, .priority = -1},
    {.type = "generic-sdhci", .addr = 0x1e740100, .props = SDHCI, .name = "sd0", .sd = NTH(0)},
    {.type = "generic-sdhci", .addr = 0x1e740200, .props = SDHCI, .name = "sd1", .sd = NTH(1)},
    {.type = "or-irq", .bank = "", .name = "sd-irq", .props = "num-lines=2", .irqs = {LINE(43)}},
    {.type = "aspeed.sdhci", .addr = 0x1e750000, .priority = -1},
    {.type = "generic-sdhci", .addr = 0x1e750100, .props = SDHCI, .irqs = {LINE(15)}, .sd = NTH(2)},
    {.type = "aspeed.gpio", .addr = 0x1e780000},
    {.type = "aspeed.gpio", .addr = 0x1e780800},
    {.type = "aspeed.rtc", .addr = 0x1e781000},
    {.type = "aspeed.timer-ast2600",
     .addr = 0x1e782000,
     .props = "freq=100000000",
     .irqs = {LINE(16), LINE(17), LINE(18), LINE(19), LINE(20), LINE(21), LINE(22), LINE(23)}},
    UART(0x1e784000, 8, 0),
    UART_ALONE(0x1e783000, 47),
    UART_ALONE(0x1e78d000, 48),
    UART_ALONE(0x1e78e000, 49),
    UART_ALONE(0x1e78f000, 50),
    UART_ALONE(0x1e790000, 57),
    UART_ALONE(0x1e790100, 58),
    UART_ALONE(0x1e790200, 59),
    UART_ALONE(0x1e790300, 60),
    {.type = "aspeed.wdt", .addr = 0x1e785000},
    {.type = "aspeed.wdt", .addr = 0x1e785040},
    {.type = "aspeed.wdt", .addr = 0x1e785080},
    {.type = "aspeed.wdt", .addr = 0x1e7850c0},
    {.type = "aspeed.lpc", .addr = 0x1e789000},
    {.type = "aspeed.i2c-ast2600",
     .addr = 0x1e78a000,
     .name = "i2c",
     .irqs = {LINE(110), LINE(111), LINE(112), LINE(113), LINE(114), LINE(115), LINE(116),
              LINE(117), LINE(118), LINE(119), LINE(120), LINE(121), LINE(122), LINE(123),
              LINE(124), LINE(125)}},
    {.type = "aspeed.peci", .addr = 0x1e78b000},
    {.addr = 0x1e600000, .name = "aspeed.io", .size = 0x200000},
    {.addr = 0x18000000, .name = "aspeed.dpmcu", .size = 0x40000},
};

#define AST2600                                                                                   \
    .scu = "aspeed.scu-ast2600", .slots = ast2600_slots, .num_slots = ARRAY_COUNT(ast2600_slots), \
    .ram_base = 0x80000000, .ram_max = 2 * GIB, .sram = 0x10000000, .sram_size = 0x16400,         \
    .smc = {"fmc", "spi1", "spi2"}, .gic = true

static const BmcKind ast2600_evb_kind = {
    AST2600,
    .flash = {{"mx66u51235f", 0, 0}, {"mx66u51235f", 1, 0}},
    .i2c = {{"smbus-eeprom", 7, 0x50}, {"tmp105", 8, 0x4d}},
};
static const BmcKind tacoma_kind = {
    AST2600,
    .strap = {0, 0x40},
    .macs = 4,
    .flash = {{"mx66l1g45g", 0, 0}, {"mx66l1g45g", 0, 1}, {"mx66l1g45g", 1, 0}},
    .i2c = OPENPOWER_PARTS,
};
static const BmcKind qcom_kind = {
    AST2600,
    .strap = {0, 0x41},
    .macs = 0xc,
    .flash = {{"n25q512a", 0, 0}, {"n25q512a", 0, 1}, {"n25q512a", 1, 0}},
    .i2c = {{"tmp105", 15, 0x4d}},
};

static bool ast2600_cpus(Board *b, GError **error)
{
    const MpcoreConfig mpcore = {
        .kind = MPCORE_A15, .base = 0x40460000, .irqs = 224, .security = true};

    b->boot.secure = true;
    b->boot.smp_loader = 0x10000000;
    b->boot.smp_flags = 0x1e6e2180;
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        g_autofree char *props = g_strdup_printf(
            "has_el2=off,reset-cbar=0x40460000,cntfrq=1125000000,mp-affinity=%u", 0xf00 + i);

        if (!board_cpu(b, b->vm->cpu_model ? b->vm->cpu_model : "cortex-a7", props, error)) {
            return false;
        }
    }
    return mpcore_create(b, &mpcore, error);
}

/* Management of PHYs is apart from the controllers. */
static bool ast2600_mdio(Board *b, GError **error)
{
    static const char *const macs[] = {"mac0", "mac1", "mac2", "mac3"};

    for (unsigned i = 0; i < ARRAY_COUNT(macs); i++) {
        g_autofree char *path = object_path(&board_device(b, macs[i])->obj),
                        *props = g_strdup_printf("nic=%s", path);
        Device *d = board_make(b, "aspeed-mmi", props, error);

        if (!d) {
            return false;
        }
        device_map(d, "mmio", 0x1e650000 + i * 8);
    }
    return true;
}

/* ---- AST2400 and AST2500 ---- */

#define OLD_SLOTS(soc, apb, reload, wctrl)                                                       \
    {.type = "aspeed.sdmc-ast" soc, .addr = 0x1e6e0000, .name = "sdmc"},                         \
        {.type = "aspeed.fmc-ast" soc, .addr = 0x1e620000, .name = "fmc", .irqs = {LINE(19)}},   \
        {.type = "aspeed.spi1-ast" soc, .addr = 0x1e630000, .name = "spi1"},                     \
        {.type = "ftgmac100",                                                                    \
         .addr = 0x1e660000,                                                                     \
         .props = "aspeed=on",                                                                   \
         .irqs = {LINE(2)},                                                                      \
         .nic = true},                                                                           \
        {.type = "ftgmac100",                                                                    \
         .addr = 0x1e680000,                                                                     \
         .props = "aspeed=on",                                                                   \
         .irqs = {LINE(3)},                                                                      \
         .nic = true},                                                                           \
        {.type = "aspeed.xdma", .addr = 0x1e6e7000}, {.type = "aspeed.adc", .addr = 0x1e6e9000}, \
        {.type = "aspeed.sdhci", .addr = 0x1e740000, .priority = -1},                            \
        {.type = "generic-sdhci",                                                                \
         .addr = 0x1e740100,                                                                     \
         .props = SDHCI,                                                                         \
         .name = "sd0",                                                                          \
         .sd = NTH(0)},                                                                          \
        {.type = "generic-sdhci",                                                                \
         .addr = 0x1e740200,                                                                     \
         .props = SDHCI,                                                                         \
         .name = "sd1",                                                                          \
         .sd = NTH(1)},                                                                          \
        {.type = "or-irq",                                                                       \
         .bank = "",                                                                             \
         .name = "sd-irq",                                                                       \
         .props = "num-lines=2",                                                                 \
         .irqs = {LINE(26)}},                                                                    \
        {.type = "aspeed.gpio", .addr = 0x1e780000}, {.type = "aspeed.rtc", .addr = 0x1e781000}, \
        {.type = "aspeed.timer-ast" soc,                                                         \
         .addr = 0x1e782000,                                                                     \
         .props = "freq=" apb,                                                                   \
         .irqs = {LINE(16), LINE(17), LINE(18), LINE(35), LINE(36), LINE(37), LINE(38),          \
                  LINE(39)}},                                                                    \
        UART(0x1e784000, 10, 0), UART_ALONE(0x1e783000, 9), UART_ALONE(0x1e78d000, 32),          \
        UART_ALONE(0x1e78e000, 33), UART_ALONE(0x1e78f000, 34),                                  \
        {.type = "aspeed.wdt",                                                                   \
         .addr = 0x1e785000,                                                                     \
         .props = "freq=" apb ",reload=" reload ",control=" wctrl},                              \
        {.type = "aspeed.wdt",                                                                   \
         .addr = 0x1e785020,                                                                     \
         .props = "freq=" apb ",reload=" reload ",control=" wctrl},                              \
        {.type = "aspeed.lpc", .addr = 0x1e789000}, {.type = "aspeed.peci", .addr = 0x1e78b000}, \
        {.type = "aspeed.i2c-ast" soc,                                                           \
         .addr = 0x1e78a000,                                                                     \
         .name = "i2c",                                                                          \
         .pin = "all",                                                                           \
         .irqs = {LINE(12)}},                                                                    \
    {                                                                                            \
        .addr = 0x1e600000, .name = "aspeed.io", .size = 0x200000                                \
    }

static const BoardSlot ast2400_slots[] = {
    OLD_SLOTS("2400", "24000000", "0x3ef1480", "0"),
    {.type = "platform-ehci-usb", .addr = 0x1e6a1000, .irqs = {LINE(5)}},
};
static const BoardSlot ast2500_slots[] = {
    OLD_SLOTS("2500", "24750000", "0x14fb180", "0x10"),
    {.type = "aspeed.spi2-ast2500", .addr = 0x1e631000, .name = "spi2"},
    {.type = "aspeed.wdt", .addr = 0x1e785040, .props = "freq=24750000"},
    {.type = "platform-ehci-usb", .addr = 0x1e6a1000, .irqs = {LINE(5)}},
    {.type = "platform-ehci-usb", .addr = 0x1e6a3000, .irqs = {LINE(13)}},
};

#define AST2400                                                                                   \
    .scu = "aspeed.scu-ast2400", .slots = ast2400_slots, .num_slots = ARRAY_COUNT(ast2400_slots), \
    .ram_base = 0x40000000, .ram_max = 512 * MIB, .sram = 0x1e720000, .sram_size = 0x8000,        \
    .smc = {"fmc", "spi1"}
#define AST2500                                                                                   \
    .scu = "aspeed.scu-ast2500", .slots = ast2500_slots, .num_slots = ARRAY_COUNT(ast2500_slots), \
    .ram_base = 0x80000000, .ram_max = 1 * GIB, .sram = 0x1e720000, .sram_size = 0x9000,          \
    .smc = {"fmc", "spi1", "spi2"}

static const BmcKind palmetto_kind = {
    AST2400,
    .flash = {{"n25q256a", 0, 0}, {"mx25l25635f", 1, 0}},
    .i2c = {{"ds1338", 0, 0x68}, {"smbus-eeprom", 0, 0x50}, {"tmp423", 2, 0x4c}},
};
static const BmcKind ast2500_evb_kind = {
    AST2500,
    .flash = {{"mx25l25635e", 0, 0}, {"mx25l25635f", 1, 0}},
    .i2c = {{"smbus-eeprom", 3, 0x50}, {"tmp105", 7, 0x4d}},
};
static const BmcKind romulus_kind = {
    AST2500,
    .strap = {0xf10ad206},
    .flash = {{"n25q256a", 0, 0}, {"n25q256a", 0, 1}, {"mx66l1g45g", 1, 0}},
    .i2c = {{"ds1338", 11, 0x32}},
};

static const BmcKind witherspoon_kind = {
    AST2500,
    .strap = {0xf10ad206},
    .macs = 1,
    .flash = {{"mx25l25635f", 0, 0}, {"mx25l25635f", 0, 1}, {"mx66l1g45g", 1, 0}},
    .i2c = OPENPOWER_PARTS,
};
static const BmcKind supermicrox11_kind = {
    AST2400,
    .strap = {0x0a0ce416},
    .macs = 3,
    .flash = {{"mx25l25635e", 0, 0}, {"mx25l25635e", 1, 0}},
    .i2c = {{"ds1338", 0, 0x68}, {"smbus-eeprom", 0, 0x50}, {"tmp423", 2, 0x4c}},
};

static bool vic_cpus(Board *b, GError **error)
{
    Cpu *c;

    b->boot.secure = true;
    if (!board_cpus(b, NULL, PSCI_DISABLED, error)) {
        return false;
    }
    b->intc = board_make(b, "aspeed.vic", NULL, error);
    if (!b->intc) {
        return false;
    }
    c = g_ptr_array_index(b->vm->cpus, 0);
    b->intc_pin = "in";
    device_map(b->intc, "mmio", 0x1e6c0000);
    wire(b->intc, "irq", 0, &c->dev, "irq", 0);
    wire(b->intc, "fiq", 0, &c->dev, "fiq", 0);
    return true;
}

/* ---- what they have in common ---- */

/* Flash chips, their windows, and the first one at address 0, where CPUs without -kernel start. */
static bool bmc_flash(Board *b, const BmcKind *k, GError **error)
{
    static const hwaddr windows[] = {0x20000000, 0x30000000, 0x38000000};
    Device *first = NULL;

    for (unsigned i = 0; i < ARRAY_COUNT(k->smc) && k->smc[i]; i++) {
        hwaddr at = k->gic && i == 2 ? 0x50000000 : windows[i];

        device_map_priority(board_device(b, k->smc[i]), "flash", at, (int)i);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(k->flash) && k->flash[i].type; i++) {
        Device *smc = board_device(b, k->smc[k->flash[i].bus]);
        Device *d = ssi_flash_create(g_ptr_array_index(smc->buses, 0), k->flash[i].type,
                                     k->flash[i].at, i, error);

        if (!d) {
            return false;
        }
        first = first ? first : d;
    }
    if (drive_at("mtd", 0, 0)) {
        uint64_t size = MIN(ssi_flash_size(first), BOOT_ROM_MAX);
        g_autofree uint8_t *data = g_malloc(size);

        if (!board_add_ram(b, "aspeed.boot_rom", 0, BOOT_ROM_MAX, error)) {
            return false;
        }
        ssi_flash_read(first, 0, data, size);
        rom_add_blob("aspeed.boot_rom", data, size, 0, NULL);
        b->boot.firmware = !b->vm->kernel;
    }
    return true;
}

static bool bmc_i2c(Board *b, const BmcKind *k, GError **error)
{
    Device *i2c = board_device(b, "i2c");

    for (unsigned i = 0; i < ARRAY_COUNT(k->i2c) && k->i2c[i].type; i++) {
        if (!i2c_create(g_ptr_array_index(i2c->buses, k->i2c[i].bus), k->i2c[i].type, k->i2c[i].at,
                        error)) {
            return false;
        }
    }
    return true;
}

/* What the chip has. -nic goes to the Ethernet controllers that the board has connectors for. */
static bool bmc_slots(Board *b, const BmcKind *k, GError **error)
{
    g_autofree char *straps =
        g_strdup_printf("hw-strap1=%u,hw-strap2=%u", k->strap[0], k->strap[1]);
    const BoardSlot scu = {.type = k->scu,
                           .addr = 0x1e6e2000,
                           .name = "scu",
                           .props = k->strap[0] | k->strap[1] ? straps : NULL};
    g_autofree BoardSlot *slots = g_memdup2(k->slots, k->num_slots * sizeof(*slots));

    for (unsigned i = 0, mac = 0; i < k->num_slots; i++) {
        if (slots[i].nic) {
            slots[i].nic = !k->macs || k->macs >> mac & 1;
            mac++;
        }
    }
    return board_add(b, &scu, 1, error) && board_add(b, slots, k->num_slots, error);
}

static bool bmc_init(Vm *vm, const BmcKind *k, GError **error)
{
    Board *b = board_new(vm);

    if (vm->ram_size > k->ram_max || vm->ram_size & (vm->ram_size - 1)) {
        g_autofree char *text = size_text(k->ram_max);

        return fail(error, "machine '%s' has a power of two of RAM, %s at most",
                    vm->machine_type->machine_name, text);
    }
    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    if (!(k->gic ? ast2600_cpus(b, error) : vic_cpus(b, error)) ||
        !board_ram(b, "ram", k->ram_base, k->ram_max, error) ||
        !board_add_ram(b, "aspeed.sram.0", k->sram, (k->sram_size + 0xfff) & ~0xfffu, error) ||
        !bmc_slots(b, k, error) || (k->gic && !ast2600_mdio(b, error)) || !bmc_flash(b, k, error) ||
        !bmc_i2c(b, k, error)) {
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        wire(board_device(b, i ? "sd1" : "sd0"), "irq", 0, board_device(b, "sd-irq"), "in", i);
    }
    return true;
}

#define BMC(tag, name_, desc_, cpu, ram, cpus)     \
    static bool tag##_init(Vm *vm, GError **error) \
    {                                              \
        return bmc_init(vm, &tag##_kind, error);   \
    }                                              \
    static const MachineType tag = {               \
        .name = name_ "-machine",                  \
        .machine_name = name_,                     \
        .desc = desc_,                             \
        .arches = "arm aarch64",                   \
        .size = sizeof(Machine),                   \
        .max_cpus = cpus,                          \
        .default_cpus = cpus,                      \
        .default_ram = ram,                        \
        .default_cpu = cpu,                        \
        .default_nic = "ftgmac100",                \
        .default_block_if = "sd",                  \
        .no_floppy = true,                         \
        .no_cdrom = true,                          \
        .no_parallel = true,                       \
        .init = tag##_init,                        \
        .done = board_done,                        \
    };                                             \
    MACHINE_TYPE(tag)
BMC(palmetto, "palmetto-bmc", "OpenPOWER Palmetto BMC (ARM926EJ-S)", "arm926", 256 * MIB, 1);
BMC(ast2500_evb, "ast2500-evb", "Aspeed AST2500 EVB (ARM1176)", "arm1176", 512 * MIB, 1);
BMC(romulus, "romulus-bmc", "OpenPOWER Romulus BMC (ARM1176)", "arm1176", 512 * MIB, 1);
BMC(ast2600_evb, "ast2600-evb", "Aspeed AST2600 EVB (Cortex-A7)", "cortex-a7", 1 * GIB, 2);
BMC(supermicrox11, "supermicrox11-bmc", "Supermicro X11 BMC (ARM926EJ-S)", "arm926", 256 * MIB, 1);
BMC(witherspoon, "witherspoon-bmc", "OpenPOWER Witherspoon BMC (ARM1176)", "arm1176", 512 * MIB, 1);
BMC(tacoma, "tacoma-bmc", "OpenPOWER Tacoma BMC (Cortex-A7)", "cortex-a7", 1 * GIB, 2);
BMC(qcom, "qcom-dc-scm-v1-bmc", "Qualcomm DC-SCM V1 BMC (Cortex A7)", "cortex-a7", 1 * GIB, 2);
