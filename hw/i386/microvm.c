// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * microvm: a machine without PCI, for kernels that start in milliseconds. Memory, CPUs, interrupt
 * controllers, 8254, RTC, one serial port, fw_cfg and eight virtio transports in memory. There is no
 * firmware: the kernel (Linux, or an ELF file with a PVH note) is laid out in memory and entered from
 * the reset vector; CPUs and lines are told by a table of the MultiProcessor Specification 1.4,
 * devices by the kernel's command line.
 */
#include "exec/cpu.h"
#include "exec/loader.h"
#include "hw/i386/pc.h"
#include "hw/virtio/virtio-mmio.h"
#include "x86-kernel.h"

#define LOW_LIMIT 0xc0000000ull
#define STUB_BASE 0xfffff000u
#define STUB_SIZE 0x1000u
#define VIRTIO_BASE 0xfeb00000u
#define VIRTIO_STRIDE 0x200u
#define VIRTIO_COUNT 8
#define VIRTIO_LINE 5
#define MP_BASE 0xf0000u
#define IOAPIC_BASE 0xfec00000u
#define LAPIC_BASE 0xfee00000u

typedef struct MicroVm {
    Machine machine;
    int pic, pit, rtc, ioapic2, pcie;
    bool isa_serial, option_roms, auto_cmdline;
    Device *transports[VIRTIO_COUNT];
    Region stub;
    char *cmdline;
} MicroVm;

/* ---- the table of CPUs and lines ---- */

static void put(GByteArray *b, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = v >> 8 * i;

        g_byte_array_append(b, &byte, 1);
    }
}

static uint8_t checksum(const uint8_t *p, unsigned len)
{
    uint8_t sum = 0;

    while (len--) {
        sum += *p++;
    }
    return -sum;
}

/* 4.3.1 to 4.3.5: processors, the ISA bus, the I/O APIC, its lines, the local ones. */
static unsigned mp_entries(Vm *vm, GByteArray *t)
{
    unsigned cpus = vm->smp.cpus;

    for (unsigned i = 0; i < cpus; i++) {
        put(t, 0, 1);
        put(t, i, 1);
        put(t, 0x14, 1);
        put(t, i == 0 ? 3 : 1, 1);
        put(t, 0x600, 4);
        put(t, 0x201, 4);
        put(t, 0, 8);
    }
    put(t, 1, 1);
    put(t, 0, 1);
    g_byte_array_append(t, (const uint8_t *)"ISA   ", 6);
    put(t, 2, 1);
    put(t, 0, 1);
    put(t, 0x11, 1);
    put(t, 1, 1);
    put(t, IOAPIC_BASE, 4);
    for (unsigned i = 0; i < 16; i++) {
        bool virtio = i >= VIRTIO_LINE && i < VIRTIO_LINE + VIRTIO_COUNT && i != 8;

        put(t, 3, 1);
        put(t, 0, 1);
        put(t, virtio ? 0x0d : 0, 2);     /* active high, level */
        put(t, 0, 1);
        put(t, i, 1);
        put(t, 0, 1);
        put(t, i == 0 ? 2 : i, 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        put(t, 4, 1);
        put(t, i == 0 ? 3 : 1, 1);        /* ExtINT at LINT0, NMI at LINT1 */
        put(t, 0, 2);
        put(t, 0, 2);
        put(t, i == 0 ? 0 : 0xff, 1);
        put(t, i, 1);
    }
    return cpus + 1 + 1 + 16 + 2;
}

static void mp_build(Vm *vm)
{
    g_autoptr(GByteArray) t = g_byte_array_new();
    uint8_t pointer[16] = "_MP_";

    for (unsigned i = 0; i < 4; i++) {
        pointer[4 + i] = (MP_BASE + 16) >> 8 * i;
    }
    pointer[8] = 1;
    pointer[9] = 4;
    pointer[10] = checksum(pointer, 16);
    g_byte_array_append(t, (const uint8_t *)"PCMP", 4);
    put(t, 0, 2);
    put(t, 4, 1);
    put(t, 0, 1);
    g_byte_array_append(t, (const uint8_t *)"EMU     MICROVM     ", 20);
    put(t, 0, 4);
    put(t, 0, 2);
    put(t, 0, 2);
    put(t, LAPIC_BASE, 4);
    put(t, 0, 4);

    unsigned n = mp_entries(vm, t);

    t->data[4] = t->len;
    t->data[5] = t->len >> 8;
    t->data[34] = n;
    t->data[35] = n >> 8;
    t->data[7] = checksum(t->data, t->len);
    rom_add_blob("mp-pointer", pointer, sizeof(pointer), MP_BASE, NULL);
    rom_add_blob("mp-table", t->data, t->len, MP_BASE + sizeof(pointer), NULL);
}

/* ---- the board ---- */

static void virtio_line(Device *d, unsigned pin, int level)
{
    pc_gsi_pci(&pc_board(d->vm)->gsi, VIRTIO_LINE + pin, level);
}

/* Inputs for the transports' interrupts. */
static const PinRow hub_pins[] = { PIN_IN("virtio", VIRTIO_COUNT, virtio_line), PIN_END };

static const DeviceType hub_type = {
    .name = "microvm-lines",
    .category = "bridge",
    .desc = "Lines of the virtio transports",
    .internal = true,
    .size = sizeof(Device),
    .state_version = 1,
    .pins = hub_pins,
};
DEVICE_TYPE(hub_type);

/* The first that is made is the first that -device takes: the one at the highest address. */
static bool microvm_transports(Vm *vm, MicroVm *m, GError **error)
{
    Device *hub = device_create(vm, "microvm-lines", NULL, NULL, error, NULL);

    for (unsigned i = VIRTIO_COUNT; hub && i-- > 0;) {
        m->transports[i] = virtio_mmio_create(vm, VIRTIO_BASE + i * VIRTIO_STRIDE, i, error);
        if (!m->transports[i]) {
            return false;
        }
        wire(m->transports[i], "irq", 0, hub, "virtio", i);
    }
    return hub != NULL;
}

/* No keyboard controller drives A20: it is always on. */
static void microvm_a20(void *opaque)
{
    Vm *vm = opaque;

    if (vm->cpus->len) {
        device_pin_in(g_ptr_array_index(vm->cpus, 0), "a20", 0, 1);
    }
}

static bool microvm_init(Vm *vm, GError **error)
{
    MicroVm *m = (MicroVm *)vm->machine;
    PcBoard *b = g_new0(PcBoard, 1);

    b->vm = vm;
    b->no_firmware = true;
    b->check_floppy = true;
    vm_publish(vm, "pc", b);
    if (m->pcie == ON_OFF_AUTO_ON || m->ioapic2 == ON_OFF_AUTO_ON) {
        return fail(error, "machine property '%s': on is not supported yet",
                    m->pcie == ON_OFF_AUTO_ON ? "pcie" : "ioapic2");
    }
    if (!pc_create_cpus(b, error) || !pc_create_memory(b, LOW_LIMIT, error) ||
        !device_create(vm, "isabus-bridge", NULL, NULL, error, NULL) ||
        !pc_create_basic_devices(b, m->isa_serial, error)) {
        return false;
    }
    vm_reset_add(vm, microvm_a20, vm);
    microvm_a20(vm);
    return microvm_transports(vm, m, error);
}

static void microvm_make_cmdline(Vm *vm, MicroVm *m)
{
    GString *text = g_string_new(vm->append ? vm->append : "");

    for (unsigned i = 0; m->auto_cmdline && i < VIRTIO_COUNT; i++) {
        Bus *bus = g_ptr_array_index(m->transports[i]->buses, 0);

        if (bus->devices->len) {
            g_string_append_printf(text, " virtio_mmio.device=512@0x%x:%u", VIRTIO_BASE + i * VIRTIO_STRIDE,
                                   VIRTIO_LINE + i);
        }
    }
    m->cmdline = g_string_free(text, FALSE);
    vm->append = m->cmdline;
}

static bool microvm_stub(Vm *vm, MicroVm *m, const X86Entry *e, GError **error)
{
    g_autofree char *path = firmware_find_or_fail("resetstub.bin", "reset stub", error);
    g_autofree uint8_t *code = NULL;
    const uint32_t registers[] = { e->eax, e->ebx, e->esi, e->pc };
    size_t len = 0;

    if (!path || !load_file(path, "reset stub", STUB_SIZE, &code, &len, error) ||
        !region_init_rom(&m->stub, NULL, "microvm.reset", STUB_SIZE, error)) {
        return false;
    }
    uint8_t *page = region_host(&m->stub);

    memcpy(page, code, len);
    for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
        uint32_t le = GUINT32_TO_LE(registers[i]);

        memcpy(page + 4 * i, &le, 4);
    }
    region_add(vm->memory, STUB_BASE, &m->stub, 1);
    return true;
}

static bool microvm_done(Vm *vm, GError **error)
{
    MicroVm *m = (MicroVm *)vm->machine;
    PcBoard *b = pc_board(vm);
    X86Memory memory = { vm, b->low_size, b->high_size, 0 };
    X86Entry entry = { 0 };
    bool pvh = false;

    if (vm->firmware) {
        return fail(error, "-bios: microvm boots without firmware");
    }
    if (!vm->kernel) {
        return true;
    }
    microvm_make_cmdline(vm, m);
    mp_build(vm);
    if (!x86_load_pvh(&memory, &entry, &pvh, error) || (!pvh && !x86_load_linux32(&memory, &entry, error))) {
        return false;
    }
    return microvm_stub(vm, m, &entry, error);
}

static const Prop microvm_props[] = {
    PROP_ON_OFF_AUTO(MicroVm, pic, "pic", ON_OFF_AUTO_AUTO, .help = "Enable i8259 PIC; always there"),
    PROP_ON_OFF_AUTO(MicroVm, pit, "pit", ON_OFF_AUTO_AUTO, .help = "Enable i8254 PIT; always there"),
    PROP_ON_OFF_AUTO(MicroVm, rtc, "rtc", ON_OFF_AUTO_AUTO, .help = "Enable MC146818 RTC; always there"),
    PROP_ON_OFF_AUTO(MicroVm, ioapic2, "ioapic2", ON_OFF_AUTO_AUTO, .help = "Enable second IO-APIC; not yet"),
    PROP_ON_OFF_AUTO(MicroVm, pcie, "pcie", ON_OFF_AUTO_AUTO, .help = "Enable PCIe; not yet"),
    PROP_BOOL(MicroVm, isa_serial, "isa-serial", true, .help = "Set off to disable the instantiation an ISA serial port"),
    PROP_BOOL(MicroVm, option_roms, "x-option-roms", true, .help = "accepted: there are none without firmware"),
    PROP_BOOL(MicroVm, auto_cmdline, "auto-kernel-cmdline", true,
              .help = "Set off to disable adding virtio-mmio devices to the kernel cmdline"),
    PROP_END,
};

static const MachineType microvm_machine = {
    .name = "microvm-machine",
    .machine_name = "microvm",
    .desc = "microvm (i386)",
    .arches = "i386 x86_64",
    .size = sizeof(MicroVm),
    .props = microvm_props,
    .max_cpus = 288,
    .default_cpu = "qemu64",
    .default_cpu_32 = "qemu32",
    .default_nic = "virtio-net-device",
    .default_block_if = "virtio",
    .no_floppy = true,
    .no_cdrom = true,
    .no_parallel = true,
    .init = microvm_init,
    .done = microvm_done,
};
MACHINE_TYPE(microvm_machine);
