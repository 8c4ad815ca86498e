// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Raspberry Pi boards: Zero and A+ (BCM2835), 2B (BCM2836), 3B and 3A+ (BCM2837). BCM2835 ARM
 * Peripherals; BCM2836 ARM-local peripherals. Left out: USB, I2C, SPI, sound, video.
 */
#include "hw/arm/board.h"

#include "block/block.h"
#include "exec/arm-cpu.h"
#include "exec/bank.h"

typedef struct RaspiInfo {
    uint32_t board_rev;
    hwaddr peripherals;
    unsigned cpus;
    const char *cpu;
    uint32_t vc_base;
    uint64_t ram;
} RaspiInfo;

/* Memory as the GPU and DMA see it: four views of RAM, peripherals at 7e000000. */
typedef struct RaspiBus {
    Region root, ram[4], peripherals;
    AddressSpace as;
} RaspiBus;

static const RaspiInfo raspi0 = {0x920092, 0x20000000, 1, "arm1176", 0x1c000000, 512 * MIB};
static const RaspiInfo raspi1ap = {0x900021, 0x20000000, 1, "arm1176", 0x1c000000, 512 * MIB};
static const RaspiInfo raspi3ap = {0x9020e0, 0x3f000000, 4, "cortex-a53", 0x1c000000, 512 * MIB};
static const RaspiInfo raspi3b = {0xa02082, 0x3f000000, 4, "cortex-a53", 0x3c000000, 1 * GIB};
static const RaspiInfo raspi2b = {0xa21041, 0x3f000000, 4, "cortex-a7", 0x3c000000, 1 * GIB};

#define GPU_IRQS_TIMER {LINE(0), LINE(1), LINE(2), LINE(3)}

/* Offsets from the base of the peripherals; lines of the GPU's half of the controller. */
/* clang-format off */
static const BoardSlot raspi_slots[] = {
    {.type = "bcm2835-cprman", .addr = 0x101000},
    {.type = "bcm2835-cprman-a2w", .addr = 0x102000},
    {.type = "bcm2835-sys-timer", .addr = 0x003000, .irqs = GPU_IRQS_TIMER},
    {.type = "pl011", .addr = 0x201000, .irqs = {LINE(57)}, .serial = NTH(0)},
    {.type = "bcm2835-aux", .addr = 0x215000, .irqs = {LINE(29)}, .serial = NTH(1)},
    {.type = "bcm2835-rng", .addr = 0x104000},
    {.type = "generic-sdhci", .addr = 0x300000, .name = "sdhci", .props = "sd-spec-version=3,capareg=0x52134b4", .irqs = {LINE(62)}, .sd = NTH(0)},
    {.type = "bcm2835-sdhost", .addr = 0x202000, .name = "sdhost", .irqs = {LINE(56)}},
    {.type = "bcm2835-dma", .addr = 0x007000, .name = "dma",
     .irqs = {LINE(16), LINE(17), LINE(18), LINE(19), LINE(20), LINE(21), LINE(22), LINE(23), LINE(24), LINE(25), LINE(26), LINE(27), LINE(28)}},
    {.type = "bcm2835-thermal", .addr = 0x212000},
    {.type = "bcm2835-powermgt", .addr = 0x100000},
    {.addr = 0x004000, .size = 0x1000, .name = "bcm2835-txp"}, {.addr = 0x006000, .size = 0x1000, .name = "bcm2835-mphi"},
    {.addr = 0x00b400, .size = 0x40, .name = "bcm2835-sp804"}, {.addr = 0x203000, .size = 0x100, .name = "bcm2835-i2s"},
    {.addr = 0x204000, .size = 0x20, .name = "bcm2835-spi0"}, {.addr = 0x205000, .size = 0x20, .name = "bcm2835-i2c0"},
    {.addr = 0x20f000, .size = 0x80, .name = "bcm2835-otp"}, {.addr = 0x214000, .size = 0x100, .name = "bcm2835-spis"},
    {.addr = 0x600000, .size = 0x100, .name = "bcm2835-smi"}, {.addr = 0x804000, .size = 0x20, .name = "bcm2835-i2c1"},
    {.addr = 0x805000, .size = 0x20, .name = "bcm2835-i2c2"}, {.addr = 0x900000, .size = 0x8000, .name = "bcm2835-dbus"},
    {.addr = 0x910000, .size = 0x8000, .name = "bcm2835-ave0"}, {.addr = 0x980000, .size = 0x11000, .name = "dwc2"},
    {.addr = 0xc00000, .size = 0x1000, .name = "bcm2835-v3d"}, {.addr = 0xe00000, .size = 0x100, .name = "bcm2835-sdramc"},
};
/* clang-format on */

static bool raspi_cpus(Board *b, const RaspiInfo *r, GError **error)
{
    const char *model = b->vm->cpu_model ? b->vm->cpu_model : r->cpu;
    bool kernel = b->vm->kernel != NULL, a64 = strcmp(r->cpu, "cortex-a53") == 0;

    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        g_autofree char *props = g_strdup_printf("mp-affinity=%u,reset-cbar=0x%x%s",
                                                 r->cpus == 1 ? 0
                                                 : a64        ? i
                                                              : 0xf00 + i,
                                                 (unsigned)r->peripherals,
                                                 a64      ? ""
                                                 : kernel ? ",has_el3=off,has_el2=off"
                                                          : ",has_el2=off");

        if (!board_cpu(b, model, props, error)) {
            return false;
        }
    }
    return true;
}

static bool raspi_interrupts(Board *b, const RaspiInfo *r, GError **error)
{
    static const char *const timers[] = {"gt-sec", "gt-phys", "gt-hyp", "gt-virt"};
    Device *ic = board_make(b, "bcm2835-ic", NULL, error), *control;

    if (!ic) {
        return false;
    }
    device_map_priority(ic, "mmio", r->peripherals + 0xb200, 1);
    b->intc = ic;
    b->intc_pin = "gpu-irq";
    if (r->cpus == 1) {
        Cpu *c = g_ptr_array_index(b->vm->cpus, 0);

        wire(ic, "irq", 0, &c->dev, "irq", 0);
        wire(ic, "fiq", 0, &c->dev, "fiq", 0);
        return true;
    }
    control = board_make(b, "bcm2836-control", NULL, error);
    if (!control) {
        return false;
    }
    device_map(control, "mmio", 0x40000000);
    wire(ic, "irq", 0, control, "gpu-irq", 0);
    wire(ic, "fiq", 0, control, "gpu-fiq", 0);
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        Cpu *c = g_ptr_array_index(b->vm->cpus, i);

        wire(control, "irq", i, &c->dev, "irq", 0);
        wire(control, "fiq", i, &c->dev, "fiq", 0);
        for (unsigned t = 0; t < ARRAY_COUNT(timers); t++) {
            if (device_pin_out(&c->dev, timers[t], 0)) {
                wire(&c->dev, timers[t], 0, control, "timer", i * 4 + t);
            }
        }
    }
    return true;
}

static bool raspi_firmware_side(Board *b, const RaspiInfo *r, GError **error)
{
    g_autofree char *fb_props = g_strdup_printf("vcram-base=0x%x,vcram-size=0x4000000", r->vc_base);
    Device *fb = board_make(b, "bcm2835-fb", fb_props, error), *mbox, *gpio;

    if (!fb) {
        return false;
    }
    g_autofree char *fb_path = object_path(&fb->obj);
    g_autofree char *sdhci = object_path(&board_device(b, "sdhci")->obj),
                    *sdhost = object_path(&board_device(b, "sdhost")->obj);
    g_autofree char *mbox_props =
        g_strdup_printf("board-rev=%u,vcram-base=0x%x,vcram-size=0x4000000,fb=%s", r->board_rev,
                        r->vc_base, fb_path);
    g_autofree char *gpio_props = g_strdup_printf("sdhci=%s,sdhost=%s", sdhci, sdhost);

    mbox = board_make(b, "bcm2835-mbox", mbox_props, error);
    gpio = mbox ? board_make(b, "bcm2835_gpio", gpio_props, error) : NULL;
    if (!gpio) {
        return false;
    }
    device_map(mbox, "mmio", r->peripherals + 0xb800);
    device_map(gpio, "mmio", r->peripherals + 0x200000);
    wire(mbox, "irq", 0, b->intc, "arm-irq", 1);
    wire(board_device(b, "sdhost"), "dreq", 0, board_device(b, "dma"), "dreq", 13);

    RaspiBus *bus = g_new0(RaspiBus, 1);        /* lives as long as the machine */

    region_init_container(&bus->root, NULL, "bcm2835-gpu", 4 * GIB);
    for (unsigned i = 0; i < 4; i++) {
        region_init_alias(&bus->ram[i], NULL, "bcm2835-gpu-ram", b->vm->memory, 0,
                          MIN(r->ram, r->peripherals));
        region_add(&bus->root, i * 0x40000000ull, &bus->ram[i], 0);
    }
    region_init_alias(&bus->peripherals, NULL, "bcm2835-gpu-peripherals", b->vm->memory,
                      r->peripherals, 16 * MIB);
    region_add(&bus->root, 0x7e000000, &bus->peripherals, 1);
    address_space_init(&bus->as, &bus->root, "bcm2835-gpu");
    mbox->dma = fb->dma = board_device(b, "dma")->dma = &bus->as;
    return true;
}

static bool raspi_build(Vm *vm, const RaspiInfo *r, GError **error)
{
    Board *b = board_new(vm);
    BoardSlot slots[ARRAY_COUNT(raspi_slots)];

    if (vm->ram_size != r->ram) {
        g_autofree char *text = size_text(r->ram);

        return fail(error, "Invalid RAM size, should be %s", text);
    }
    memcpy(slots, raspi_slots, sizeof(slots));
    for (unsigned i = 0; i < ARRAY_COUNT(slots); i++) {
        slots[i].addr += r->peripherals;
        slots[i].priority = slots[i].type ? 1 : 0;
    }
    board_quiet(b);
    if (!raspi_cpus(b, r, error) || !board_ram(b, "ram", 0, r->ram, error) ||
        !raspi_interrupts(b, r, error) || !board_add(b, slots, ARRAY_COUNT(slots), error) ||
        !raspi_firmware_side(b, r, error)) {
        return false;
    }
    b->boot.board_id = 0xc42;
    /* what the firmware keeps is not the kernel's */
    b->boot.ram_size = r->vc_base;
    if (r->cpus > 1) {
        b->boot.smp_loader = 0x300;
        b->boot.smp_flags = 0x400000cc;
        b->boot.smp_stride = 0x10;
    }
    if (strcmp(r->cpu, "cortex-a53") == 0) {
        /* The words that the firmware's spin table has for each core. */
        b->boot.smp_flags = 0xd8;
        b->boot.smp_stride = 8;
    }
    return board_firmware(b, strcmp(r->cpu, "cortex-a53") == 0 ? 0x80000 : 0x8000, r->vc_base,
                          error);
}

/* clang-format off */
#define RASPI(tag, name_, desc_, arches_, info_)                                                                  \
    static bool tag##_init(Vm *vm, GError **error)                                                                \
    {                                                                                                             \
        return raspi_build(vm, &info_, error);                                                                    \
    }                                                                                                             \
    static const MachineType tag = {                                                                              \
        .name = name_ "-machine", .machine_name = name_, .desc = desc_, .arches = arches_, .size = sizeof(Machine), \
        .min_cpus = RASPI_CPUS_##tag, .max_cpus = RASPI_CPUS_##tag, .default_cpus = RASPI_CPUS_##tag,             \
        .default_ram = RASPI_RAM_##tag, .default_block_if = "sd", .no_floppy = true, .no_cdrom = true,            \
        .no_parallel = true, .init = tag##_init, .done = board_done,                                              \
    };                                                                                                            \
    MACHINE_TYPE(tag)
#define RASPI_CPUS_raspi_0 1
#define RASPI_CPUS_raspi_1ap 1
#define RASPI_CPUS_raspi_2b 4
#define RASPI_CPUS_raspi_3ap 4
#define RASPI_CPUS_raspi_3b 4
#define RASPI_RAM_raspi_3ap (512 * MIB)
#define RASPI_RAM_raspi_3b (1 * GIB)
#define RASPI_RAM_raspi_0 (512 * MIB)
#define RASPI_RAM_raspi_1ap (512 * MIB)
#define RASPI_RAM_raspi_2b (1 * GIB)
/* clang-format on */

RASPI(raspi_0, "raspi0", "Raspberry Pi Zero (revision 1.2)", "arm aarch64", raspi0);
RASPI(raspi_1ap, "raspi1ap", "Raspberry Pi A+ (revision 1.1)", "arm aarch64", raspi1ap);
RASPI(raspi_2b, "raspi2b", "Raspberry Pi 2B (revision 1.1)", "arm aarch64", raspi2b);
RASPI(raspi_3ap, "raspi3ap", "Raspberry Pi 3A+ (revision 1.0)", "aarch64", raspi3ap);
RASPI(raspi_3b, "raspi3b", "Raspberry Pi 3B (revision 1.2)", "aarch64", raspi3b);
