// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the PC boards have in common: CPUs, RAM around the PCI hole, firmware at the top of
 * the first 4 GiB, the ISA devices, default display, network and disks, and what is told to
 * firmware through CMOS and fw_cfg.
 */
#include "hw/i386/pc.h"
#include "hw/nvram/boot-order.h"
#include "block/block.h"
#include "exec/loader.h"
#include "exec/memory-backend.h"
#include "exec/x86-topology.h"
#include "hw/acpi/pm.h"
#include "hw/block/floppy.h"
#include "hw/intc/i8259.h"
#include "hw/nvram/smbios.h"
#include "hw/rtc/mc146818.h"
#include "hw/timer/hpet.h"
#include "hw/timer/i8254.h"
#include "net/net.h"
#include "x86-kernel.h"

#define LINUX_ROM "linuxboot.bin"
#define KERNEL_ROM "kernelboot.bin"
#define PCI_MEM_PRIORITY -1
#define IOAPIC_BASE 0xfec00000u
#define HPET_BASE 0xfed00000u
/* I/O APIC pins that the HPET's timers may choose. */
#define PC_HPET_ROUTES 0x00000004u
#define Q35_HPET_ROUTES 0x00ff0104u
#define CMOS_CPUS 0x5f
#define E820_RAM 1
#define E820_RESERVED 2

typedef struct __attribute__((packed)) E820Entry {
    uint64_t address, length;
    uint32_t type;
} E820Entry;

bool pc_create_cpus(PcBoard *b, GError **error)
{
    Vm *vm = b->vm;
    const MachineType *t = vm->machine_type;
    const char *model = vm->cpu_model;

    if (!model) {
        model = target_arch->word_bits == 64 ? t->default_cpu : t->default_cpu_32;
    }
    for (unsigned i = 0; i < vm->smp.cpus; i++) {
        Cpu *c = target_arch->create(vm, model, error);

        if (!c || !device_realize(&c->dev, NULL, NULL, error)) {
            return false;
        }
    }
    return true;
}

bool pc_may_plug_cpus(const PcBoard *b, GError **error)
{
    /* Firmware in SMM would have to give it an SMBASE of its own. */
    return !ich9_smi_agreed(b) || fail(error, "cpu hotplug with SMI wasn't enabled by firmware");
}

void pc_publish_cpu_count(PcBoard *b)
{
    const unsigned cpus = b->vm->cpus->len;

    if (b->rtc) {
        rtc_set_cmos(b->rtc, CMOS_CPUS, (uint8_t)(cpus - 1));
    }
    fw_cfg_add_u16(b->fw_cfg, FW_CFG_NB_CPUS, (uint16_t)cpus);
}

static void cpu_raise_smi(Cpu *c)
{
    device_pin_in(&c->dev, "smi", 0, 1);
    device_pin_in(&c->dev, "smi", 0, 0);
}

void pc_raise_smi(PcBoard *b, SmiTarget who)
{
    GPtrArray *cpus = b->vm->cpus;

    if (!b->has_smm || !cpus || cpus->len == 0) {
        return;
    }
    if (who == SMI_TO_ALL) {
        g_ptr_array_foreach(cpus, (GFunc)(void (*)(void))cpu_raise_smi, NULL);
    } else {
        Cpu *writer = who == SMI_TO_WRITER ? current_cpu() : NULL;

        cpu_raise_smi(writer ? writer : g_ptr_array_index(cpus, 0));
    }
}

bool pc_create_memory(PcBoard *b, uint64_t low_limit, GError **error)
{
    Vm *vm = b->vm;

    b->low_size = MIN(vm->ram_size, low_limit);
    b->high_size = vm->ram_size - b->low_size;
    Region *ram = machine_ram(vm, "pc.ram", error);

    if (!ram) {
        return false;
    }
    region_init_alias(&b->ram, NULL, "pc.ram", ram, 0, vm->ram_size);
    region_init_container(&b->pci_mem, NULL, "pci", UINT64_MAX);
    region_add(vm->memory, 0, &b->pci_mem, PCI_MEM_PRIORITY);
    region_init_alias(&b->ram_low, NULL, "ram-below-4g", &b->ram, 0, b->low_size);
    region_add(vm->memory, 0, &b->ram_low, 0);
    if (b->high_size) {
        region_init_alias(&b->ram_high, NULL, "ram-above-4g", &b->ram, b->low_size, b->high_size);
        region_add(vm->memory, 4 * GIB, &b->ram_high, 0);
    }
    return pc_create_device_memory(b, error) && pc_load_firmware(b, error);
}

/* ---- ISA ---- */

static bool pc_create_interrupts(PcBoard *b, GError **error)
{
    Vm *vm = b->vm;
    Device *ioapic;

    if (!b->no_pic) {
        b->gsi.i8259 = i8259_create_pair(vm, b->isa, error);
        if (!b->gsi.i8259) {
            return false;
        }
        wire(b->gsi.i8259, "int", 0, g_ptr_array_index(vm->cpus, 0), "extint", 0);
    }
    ioapic = device_create(vm, "ioapic", NULL, "ioapic", error, NULL);
    if (!ioapic) {
        return false;
    }
    device_map(ioapic, "mmio", IOAPIC_BASE);
    b->gsi.ioapic = ioapic;
    b->gsi.kernel = vm_published(vm, X86_KERNEL_IRQ);
    pc_gsi_init(&b->gsi, vm);
    return true;
}

static void pc_interrupt_taken(void *opaque)
{
    PcBoard *b = opaque;

    if (b->pit) {
        i8254_retry(b->pit);
    }
    if (b->hpet) {
        hpet_retry(b->hpet);
    }
}

static bool pc_pit_waits(void *opaque)
{
    return pc_gsi_waits(&((PcBoard *)opaque)->gsi, 0);
}

static bool pc_create_pit(PcBoard *b, GError **error)
{
    b->pit = isa_create(b->isa, "isa-pit", NULL, error, NULL);
    if (!b->pit) {
        return false;
    }
    i8254_set_waits(b->pit, pc_pit_waits, b);
    g_autofree char *path = object_path(&b->pit->obj);

    return isa_create(b->isa, "isa-pcspk", NULL, error, "pit", path,
                      b->speaker_audiodev ? "audiodev" : NULL, b->speaker_audiodev, NULL) != NULL;
}

static bool pc_create_timers(PcBoard *b, GError **error)
{
    apic_watch_taken(b->vm, pc_interrupt_taken, b);

    if (b->has_hpet) {
        g_autofree char *routes = g_strdup_printf("%u", b->q35 ? Q35_HPET_ROUTES : PC_HPET_ROUTES);

        b->hpet = device_create(b->vm, "hpet", NULL, NULL, error, "hpet-intcap", routes, NULL);
        if (!b->hpet) {
            return false;
        }
        device_map(b->hpet, "mmio", HPET_BASE);
    }
    if (!b->no_rtc) {
        b->rtc = isa_create(b->isa, "mc146818rtc", "rtc", error, NULL);
        if (!b->rtc) {
            return false;
        }
    }
    return b->no_pit || pc_create_pit(b, error);
}

/* Boards that have no floppy controller get one with the drives. */
static bool pc_wants_floppy(PcBoard *b)
{
    const DriveInfo *drive;

    for (unsigned i = 0; (drive = drive_info(i)) != NULL; i++) {
        if (!drive->claimed && g_strcmp0(drive->iface, "floppy") == 0) {
            return true;
        }
    }
    return !b->vm->machine_type->no_floppy;
}

static bool pc_create_vmport(PcBoard *b, GError **error)
{
    g_autofree char *path = object_path(&b->i8042->obj);

    return isa_create(b->isa, "vmport", NULL, error, NULL) &&
           isa_create(b->isa, "vmmouse", NULL, error, "i8042", path, NULL);
}

bool pc_create_isa_devices(PcBoard *b, GError **error)
{
    Device *port92;

    if (!pc_create_interrupts(b, error) || !pc_create_timers(b, error)) {
        return false;
    }
    if (!isa_dma_create(b->isa, error)) {
        return false;
    }
    b->i8042 = isa_create(b->isa, "i8042", NULL, error, NULL);
    if (!b->i8042 || (b->has_vmport && !pc_create_vmport(b, error))) {
        return false;
    }
    port92 = isa_create(b->isa, "port92", NULL, error, NULL);
    if (!port92) {
        return false;
    }
    wire(b->i8042, "a20", 0, g_ptr_array_index(b->vm->cpus, 0), "a20", 0);
    wire(port92, "a20", 0, g_ptr_array_index(b->vm->cpus, 0), "a20", 1);
    b->fw_cfg = fw_cfg_create_io(b->vm, 0x510, error);
    return b->fw_cfg && pc_create_ports(b, error) &&
           (!pc_wants_floppy(b) || fdc_create(b->isa, error));
}

bool pc_create_basic_devices(PcBoard *b, bool serial, GError **error)
{
    const char *chr =
        b->vm->serials && b->vm->serials->len ? g_ptr_array_index(b->vm->serials, 0) : NULL;

    if (!pc_create_interrupts(b, error) || !pc_create_timers(b, error)) {
        return false;
    }
    b->fw_cfg = fw_cfg_create_io(b->vm, 0x510, error);
    return b->fw_cfg &&
           (!serial || !chr ||
            isa_create(b->isa, "isa-serial", NULL, error, "index", "0", "chardev", chr, NULL));
}

/* ---- default devices ---- */

static bool pc_create_display(PcBoard *b, GError **error)
{
    static const struct {
        const char *vga, *type;
    } displays[] = {
        {"std", "VGA"},
        {"cirrus", "cirrus-vga"},
        {"virtio", "virtio-vga"},
    };
    const char *vga = b->vm->vga;

    if (!vga) {
        vga = b->vm->use_default_devices ? "std" : "none";
    }
    if (strcmp(vga, "none") == 0) {
        return true;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(displays); i++) {
        if (strcmp(vga, displays[i].vga) == 0) {
            if (!type_find(displays[i].type, NULL)) {
                return b->vm->vga ? fail(error, "-vga %s is not supported yet", vga) : true;
            }
            return pci_create(b->pci, b->q35 ? PCI_DEVFN(1, 0) : PCI_DEVFN(2, 0), displays[i].type,
                              NULL, error, NULL) != NULL;
        }
    }
    return fail(error, "unknown vga type: %s", vga);
}

/* Cards on the ISA bus are told apart by their jumpers. */
static bool pc_place_isa_nic(PcBoard *b, Device *d, GError **error)
{
    static const uint16_t ports[] = {0x300, 0x320, 0x340, 0x360, 0x280, 0x380};
    static const uint8_t lines[] = {9, 10, 11, 3, 4, 5};
    unsigned i = b->isa_nics++;

    if (i >= ARRAY_COUNT(ports)) {
        return fail(error, "too many network cards on the ISA bus");
    }
    g_autofree char *port = g_strdup_printf("%u", ports[i]);
    g_autofree char *line = g_strdup_printf("%u", lines[i]);

    return object_set_text(&d->obj, "iobase", port, error) &&
           object_set_text(&d->obj, "irq", line, error);
}

bool pc_create_nics(PcBoard *b, GError **error)
{
    const char *model, *netdev, *mac;

    while (net_next_default_nic(&model, &netdev, &mac)) {
        const char *type = model ? model : b->vm->machine_type->default_nic;
        Device *d;

        if (!model && !type_find(type, NULL)) {
            continue;
        }
        if (strcmp(type, "virtio") == 0) {
            type = "virtio-net-pci";
        }
        const ObjectType *known = type_find(type, NULL);

        if (model && (!known || !type_find_prop(known, "netdev"))) {
            return fail(error, "Unsupported NIC model: %s", model);
        }
        d = device_new(b->vm, type, error);
        if (!d) {
            return false;
        }
        bool isa = g_strcmp0(device_type(d)->bus, "ISA") == 0;

        if ((isa && !pc_place_isa_nic(b, d, error)) ||
            (netdev && !object_set_text(&d->obj, "netdev", netdev, error)) ||
            (mac && !object_set_text(&d->obj, "mac", mac, error))) {
            object_unref(&d->obj);
            return false;
        }
        if (!isa && !b->pci) {
            fail(error, "machine has no PCI bus for network card '%s'", type);
            object_unref(&d->obj);
            return false;
        }
        if (!device_realize(d, isa ? b->isa : &b->pci->bus, NULL, error)) {
            return false;
        }
    }
    return true;
}

/* The device of a drive, and the bus that its interface and bus number mean. */
static Device *pc_new_disk(PcBoard *b, const DriveInfo *drive, Bus **bus, GError **error)
{
    bool ide = strcmp(drive->iface, "ide") == 0;
    g_autofree char *name = g_strdup_printf("ide.%d", drive->bus);
    g_autofree char *unit = g_strdup_printf("%d", drive->unit);
    Device *d;

    *bus = ide ? bus_find(b->vm, name) : b->pci ? &b->pci->bus : NULL;
    if (!*bus && !ide) {
        return fail_null(error, "machine has no PCI bus for drive '%s'", drive->id);
    }
    if (!*bus) {
        return fail_null(error, "machine has no IDE bus %d for drive '%s'", drive->bus, drive->id);
    }
    d = device_new(b->vm, !ide ? "virtio-blk-pci" : drive->cdrom ? "ide-cd" : "ide-hd", error);
    if (d && ide && !object_set_text(&d->obj, "unit", unit, error)) {
        object_unref(&d->obj);
        return NULL;
    }
    return d;
}

bool pc_create_disks(PcBoard *b, GError **error)
{
    const DriveInfo *drive;

    for (unsigned i = 0; (drive = drive_info(i)) != NULL; i++) {
        Device *d;
        Bus *bus;

        if (drive->claimed ||
            (g_strcmp0(drive->iface, "virtio") != 0 && g_strcmp0(drive->iface, "ide") != 0)) {
            continue;
        }
        d = pc_new_disk(b, drive, &bus, error);
        if (!d) {
            return false;
        }
        if (!object_set_text(&d->obj, "drive", drive->id, error)) {
            object_unref(&d->obj);
            return false;
        }
        if (!device_realize(d, bus, NULL, error)) {
            return false;
        }
        drive_claim(drive);
    }
    return true;
}

bool pc_create_default_devices(PcBoard *b, GError **error)
{
    return pc_create_display(b, error) && pc_create_nics(b, error) && pc_create_disks(b, error);
}

/* ---- what firmware is told ---- */

static void pc_fill_cmos(PcBoard *b)
{
    uint64_t ext = MIN(b->low_size - MIB, 63 * MIB) / KIB;
    uint64_t above16 = b->low_size > 16 * MIB ? MIN((b->low_size - 16 * MIB) / 65536, 65535) : 0;
    uint64_t above4g = b->high_size / 65536;
    Device *fdc = fdc_find(b->isa);
    uint8_t floppies = fdc ? fdc_cmos_types(fdc) : 0;
    const struct {
        uint8_t index;
        uint64_t value;
    } rows[] = {
        {0x15, 640 & 0xff},
        {0x16, 640 >> 8},
        {0x17, ext},
        {0x18, ext >> 8},
        {0x30, ext},
        {0x31, ext >> 8},
        {0x34, above16},
        {0x35, above16 >> 8},
        {0x5b, above4g},
        {0x5c, above4g >> 8},
        {0x5d, above4g >> 16},
        {CMOS_CPUS, b->vm->cpus->len - 1},
        {0x10, floppies},
        {0x14, 0x06 | (floppies ? 1 : 0) |
                   ((floppies & 0x0f) && floppies >> 4 ? 0x40 : 0)}, /* FPU, PS/2 mouse */
    };

    for (unsigned i = 0; b->rtc && i < ARRAY_COUNT(rows); i++) {
        rtc_set_cmos(b->rtc, rows[i].index, (uint8_t)rows[i].value);
    }
}

static void pc_publish_memory_map(PcBoard *b)
{
    E820Entry e[3];
    unsigned n = 0;

    e[n++] = (E820Entry){GUINT64_TO_LE(0), GUINT64_TO_LE(b->low_size), GUINT32_TO_LE(E820_RAM)};
    if (b->high_size) {
        e[n++] = (E820Entry){GUINT64_TO_LE(4 * GIB), GUINT64_TO_LE(b->high_size),
                             GUINT32_TO_LE(E820_RAM)};
    }
    /* The page that a hypervisor without unrestricted guest needs; guests know it from others. */
    e[n++] =
        (E820Entry){GUINT64_TO_LE(0xfeffc000), GUINT64_TO_LE(0x4000), GUINT32_TO_LE(E820_RESERVED)};
    fw_cfg_add_file(b->fw_cfg, "etc/e820", e, n * sizeof(e[0]));
}

static void pc_publish_numbers(PcBoard *b)
{
    FwCfg *f = b->fw_cfg;

    unsigned last = MAX(b->vm->smp.max_cpus, b->vm->smp.cpus) - 1;

    fw_cfg_add_u16(f, FW_CFG_NB_CPUS, b->vm->cpus->len);
    /* One more than the highest APIC ID that there may be. */
    fw_cfg_add_u16(f, FW_CFG_MAX_CPUS, (uint16_t)(x86_apic_id(b->vm, last) + 1));
    fw_cfg_add_u64(f, FW_CFG_RAM_SIZE, b->vm->ram_size);
    fw_cfg_add_u32(f, FW_CFG_IRQ0_OVERRIDE, 1);
    pc_publish_numa(b);
}

/* Which sleep states there are and their types, for firmware: bit 7 says supported. */
static void pc_publish_sleep_states(PcBoard *b)
{
    const AcpiPm *p = b->acpi_pm;

    if (p) {
        uint8_t states[6] = {
            0x80, 0, 0, 1 | (p->disable_s3 ? 0 : 0x80), p->s4_val | (p->disable_s4 ? 0 : 0x80),
            0x80};

        fw_cfg_add_file(b->fw_cfg, "etc/system-states", states, sizeof(states));
    }
}

static bool pc_option_rom(PcBoard *b, const char *name, GError **error)
{
    g_autofree char *path = firmware_find_or_fail(name, "option ROM", error);
    g_autofree char *file = g_strdup_printf("genroms/%s", name);
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!path || !load_file(path, "option ROM", 64 * KIB, &data, &len, error)) {
        return false;
    }
    fw_cfg_add_file(b->fw_cfg, file, data, len);
    return true;
}

/* Multiboot, PVH, or Linux' own format, each with the option ROM that enters it. */
static bool pc_load_kernel(PcBoard *b, GError **error)
{
    X86Memory memory = {b->vm, b->low_size, b->high_size, PC_FIRMWARE_ROOM};
    X86Entry entry = {0};
    bool found = false;

    if (!x86_load_multiboot(&memory, &entry, &found, error) ||
        (!found && !x86_load_pvh(&memory, &entry, &found, error))) {
        return false;
    }
    if (!found) {
        boot_order_add(b->vm, "/rom@genroms/" LINUX_ROM, 0);
        return pc_load_linux(b, error) && pc_option_rom(b, LINUX_ROM, error);
    }
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_SETUP_SIZE, entry.eax);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_SETUP_ADDR, entry.ebx);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_KERNEL_ENTRY, entry.pc);
    boot_order_add(b->vm, "/rom@genroms/" KERNEL_ROM, 0);
    return pc_option_rom(b, KERNEL_ROM, error);
}

bool pc_publish_platform(PcBoard *b, bool option_roms, GError **error)
{
    Vm *vm = b->vm;

    pc_fill_cmos(b);
    pc_publish_memory_map(b);
    pc_publish_numbers(b);
    pc_publish_device_memory(b);
    pc_publish_sleep_states(b);
    return (!vm->kernel || !option_roms || pc_load_kernel(b, error)) && pc_publish_boot(b, error);
}

bool pc_machine_done(Vm *vm, GError **error)
{
    PcBoard *b = pc_board(vm);
    SmbiosInfo smbios = {.vm = vm, .fw_cfg = b->fw_cfg, .low_size = b->low_size, .legacy = true};

    if (b->ich9 && b->has_smm && b->version > 208) {
        ich9_publish_smi_features(b);
    }
    return pc_publish_platform(b, true, error) && smbios_build(&smbios, error) &&
           (!b->has_acpi || acpi_build(b, error));
}
