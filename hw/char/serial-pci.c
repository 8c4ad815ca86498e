// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cards with one, two or four 16550A (hw/char/serial.c), eight ports each in one I/O BAR, whose
 * interrupts share INTA#. The programming interface says which kind of 16x50 it is (PCI Code and
 * ID Assignment 1.9, 0700h). Left out: other clocks than 1.8432 MHz.
 */
#include "chardev/chardev.h"
#include "hw/pci/pci.h"
#include "util/error.h"

#define PORTS_MAX 4
#define REGISTERS 8

typedef struct PciSerial {
    PciDevice pci;
    Chardev *chardev[PORTS_MAX];
    uint8_t prog_if;
    uint8_t levels;             /* bit n: UART n wants an interrupt */
    Region bar;
} PciSerial;

static void uart_level(Device *d, unsigned uart, int level)
{
    PciSerial *s = (PciSerial *)d;

    s->levels = level ? s->levels | 1u << uart : s->levels & ~(1u << uart);
    pci_set_irq(&s->pci, s->levels != 0);
}

static bool add_uart(PciSerial *s, unsigned n, bool alone, GError **error)
{
    Device *d = &s->pci.dev, *uart = device_new(d->vm, "serial", error);
    g_autofree char *name = alone ? g_strdup("serial") : g_strdup_printf("serial[%u]", n);

    if (!uart) {
        return false;
    }
    if (!object_set_text(&uart->obj, "chardev", chardev_id(s->chardev[n]), error) ||
        !object_add_child(&d->obj, name, &uart->obj, error)) {
        object_unref(&uart->obj);
        return false;
    }
    if (!device_realize(uart, NULL, &d->obj, error)) {
        return false;
    }
    wire(uart, "irq", 0, d, "uart", n);
    region_add(&s->bar, n * REGISTERS, device_region(uart, "io"), 0);
    return true;
}

static void remove_uarts(PciSerial *s, unsigned n, bool alone)
{
    while (n-- > 0) {
        g_autofree char *name = alone ? g_strdup("serial") : g_strdup_printf("serial[%u]", n);
        Device *uart = DEVICE(object_child(&s->pci.dev.obj, name));

        region_remove(device_region(uart, "io"));
        device_unplug(uart);
    }
}

static bool realize_ports(Device *d, unsigned ports, GError **error)
{
    PciSerial *s = (PciSerial *)d;

    for (unsigned i = 0; i < ports; i++) {
        if (!s->chardev[i]) {
            return ports == 1 ? fail(error, "Can't create serial device, empty char device")
                              : fail(error, "Can't create serial device, empty chardev%u", i + 1);
        }
    }
    s->pci.config[9] = s->prog_if;
    region_init_container(&s->bar, &d->obj, "pci-serial", ports * REGISTERS);
    for (unsigned i = 0; i < ports; i++) {
        if (!add_uart(s, i, ports == 1, error)) {
            remove_uarts(s, i, ports == 1);
            region_fini(&s->bar);
            return false;
        }
    }
    pci_set_bar(&s->pci, 0, PCI_BAR_IO, false, &s->bar);
    return true;
}

static void unrealize_ports(Device *d, unsigned ports)
{
    PciSerial *s = (PciSerial *)d;

    remove_uarts(s, ports, ports == 1);
    region_fini(&s->bar);
}

static const PinRow serial_pins[] = {PIN_IN("uart", PORTS_MAX, uart_level), PIN_END};

static const StateField serial_state[] = {
    STATE(PciSerial, levels),
    HOST_ONLY(PciSerial, chardev, "back ends"),
    HOST_ONLY(PciSerial, prog_if, "property"),
    HOST_ONLY(PciSerial, bar, "region"),
    STATE_END,
};

/* clang-format off */
#define PROG_IF PROP_U8(PciSerial, prog_if, "prog_if", 2, .help = "kind of 16x50: 2 is a 16550")
#define PORT(n_, name_) PROP(PciSerial, chardev[n_], name_, prop_chardev)

#define PCI_SERIAL(tag_, name_, device_, ports_, desc_, ...)                                       \
    static bool realize_##tag_(Device *d, GError **error)                                          \
    {                                                                                              \
        return realize_ports(d, ports_, error);                                                    \
    }                                                                                              \
    static void unrealize_##tag_(Device *d)                                                        \
    {                                                                                              \
        unrealize_ports(d, ports_);                                                                \
    }                                                                                              \
    static const Prop props_##tag_[] = {PROG_IF, __VA_ARGS__, PROP_END};                           \
    static const PciInfo info_##tag_ = {                                                           \
        .vendor = 0x1b36, .device = device_, .class_code = 0x070002, .revision = 1, .pin = 1,      \
    };                                                                                             \
    static const DeviceType type_##tag_ = {                                                        \
        .name = name_, .parent = "pci-device", .bus = "PCI", .category = "input", .desc = desc_,   \
        .hotpluggable = true, .bus_info = &info_##tag_, .size = sizeof(PciSerial),                 \
        .state_version = 1, .props = props_##tag_, .pins = serial_pins, .state = serial_state,     \
        .realize = realize_##tag_, .unrealize = unrealize_##tag_,                                  \
    };                                                                                             \
    DEVICE_TYPE(type_##tag_)

PCI_SERIAL(one, "pci-serial", 0x0002, 1, "Serial port on PCI", PORT(0, "chardev"));
PCI_SERIAL(two, "pci-serial-2x", 0x0003, 2, "Two serial ports on PCI", PORT(0, "chardev1"),
           PORT(1, "chardev2"));
PCI_SERIAL(four, "pci-serial-4x", 0x0004, 4, "Four serial ports on PCI", PORT(0, "chardev1"),
           PORT(1, "chardev2"), PORT(2, "chardev3"), PORT(3, "chardev4"));
/* clang-format on */
