// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plain bridge "pci-bridge" with a standard hot-plug controller (PCI SHPC 1.0) of 31 slots, the
 * device numbers from 1 on: its registers are BAR 0 and, through a window, a capability. Slots have
 * attention buttons, power indicators and latches; commands are done at once. Left out: system
 * errors, faults of power, faster buses.
 */
#include "hw/pci/pci-bridge.h"
#include "qom/vm.h"
#include "util/main-loop.h"

#define SHPC_CAP_ID 0x0c
#define SHPC_SLOTS 31
#define SHPC_FIRST_DEVICE 1
enum {
    CAP_SELECT = 2,
    CAP_PENDING = 3,
    CAP_DATA = 4,
    CAP_SIZE = 8
};
enum {
    CONFIG_NUMBERS_UP = 1 << 29,
    CONFIG_LATCH = 1 << 30
};
#define CONFIG_BUTTON (1u << 31)
enum {
    STATUS_INVALID = 4
};
enum {
    INT_MASK_ALL = 1,
    INT_MASK_COMMAND = 4,
    INT_COMMAND_DONE = 1 << 16,
    INT_WRITABLE = 0x0f,
    INT_CLEARED = 0x30000
};
/* Of a slot: what it is in, its power indicator, its attention indicator, latch, presence. */
enum {
    STATE_MASK = 0x03,
    STATE_POWERED = 1,
    STATE_ENABLED = 2,
    STATE_DISABLED = 3,
    POWER_MASK = 0x0c,
    POWER_ON = 0x04,
    POWER_OFF = 0x0c,
    ATTENTION_MASK = 0x30,
    ATTENTION_OFF = 0x30,
    LATCH_OPEN = 0x100,
    PRESENCE_EMPTY = 0xc00
};
enum {
    EVENT_PRESENCE = 1,
    EVENT_BUTTON = 4,
    EVENT_LATCH = 8,
    EVENT_ALL = 0x1f
};
enum {
    COMMAND_SPEED = 0x40,
    COMMAND_POWER_ALL = 0x48,
    COMMAND_ENABLE_ALL = 0x49
};

typedef struct ShpcBridge {
    PciBridge bridge;
    uint8_t chassis;
    bool shpc;
    int msi;
    /* registers */
    uint32_t serr_int;
    uint16_t bus_config, command, command_status;
    uint16_t status[SHPC_SLOTS];
    uint8_t events[SHPC_SLOTS], masks[SHPC_SLOTS];
    uint32_t removing; /* slots of which device_del waits for the guest */
    uint32_t leaving; /* slots that the main loop is to empty */
    uint32_t notified; /* causes that a message was sent for */
    uint8_t cap;
    Bh *remove_bh;
} ShpcBridge;

/* ---- interrupts ---- */

/* Bit 0 a command, the others slots. */
static uint32_t shpc_locator(const ShpcBridge *s)
{
    uint32_t causes = (s->serr_int & INT_COMMAND_DONE) && !(s->serr_int & INT_MASK_COMMAND);

    for (unsigned i = 0; i < SHPC_SLOTS; i++) {
        causes |= (uint32_t)((s->events[i] & ~s->masks[i] & EVENT_ALL) != 0) << (i + 1);
    }
    return causes;
}

static void shpc_interrupt(ShpcBridge *s)
{
    PciDevice *d = &s->bridge.pci;
    uint32_t causes = s->serr_int & INT_MASK_ALL ? 0 : shpc_locator(s);

    if (pci_msi_enabled(d)) {
        if (causes & ~s->notified) {
            pci_msi_notify(d, 0);
        }
        pci_set_irq(d, 0);
    } else {
        pci_set_irq(d, causes != 0);
    }
    s->notified = causes;
}

static void shpc_event(ShpcBridge *s, unsigned slot, uint8_t events)
{
    s->events[slot] |= events;
    shpc_interrupt(s);
}

/* ---- slots ---- */

static PciDevice *slot_function(ShpcBridge *s, unsigned slot, unsigned function)
{
    return s->bridge.sec.slots[PCI_DEVFN(slot + SHPC_FIRST_DEVICE, function)];
}

static bool slot_filled(ShpcBridge *s, unsigned slot)
{
    for (unsigned f = 0; f < 8; f++) {
        if (slot_function(s, slot, f)) {
            return true;
        }
    }
    return false;
}

static bool slot_off(const ShpcBridge *s, unsigned slot)
{
    return (s->status[slot] & STATE_MASK) == STATE_DISABLED &&
           (s->status[slot] & POWER_MASK) == POWER_OFF;
}

static void slot_show_presence(ShpcBridge *s, unsigned slot)
{
    s->status[slot] &= ~(LATCH_OPEN | PRESENCE_EMPTY);
    s->status[slot] |= slot_filled(s, slot) ? 0 : LATCH_OPEN | PRESENCE_EMPTY;
}

/* In the main loop: a vCPU's thread cannot wait for itself to leave the regions that go. */
static void shpc_remove(void *opaque)
{
    ShpcBridge *s = opaque;
    uint32_t leaving = s->leaving;

    s->leaving = 0;
    for (unsigned i = 0; i < SHPC_SLOTS; i++) {
        if (!(leaving >> i & 1)) {
            continue;
        }
        s->removing &= ~(1u << i);
        for (int f = 7; f >= 0; f--) {
            if (slot_function(s, i, (unsigned)f)) {
                device_unplug(&slot_function(s, i, (unsigned)f)->dev);
            }
        }
        slot_show_presence(s, i);
        shpc_event(s, i, EVENT_PRESENCE | EVENT_LATCH);
    }
}

static void slot_leave(ShpcBridge *s, unsigned slot)
{
    s->leaving |= 1u << slot;
    bh_schedule(s->remove_bh);
}

/* The bus's hook: a device came while the machine runs, or is asked to go. */
static bool shpc_hotplug(PciBus *b, PciDevice *d, bool plug, GError **error)
{
    ShpcBridge *s = b->hotplug_opaque;
    unsigned device = PCI_SLOT(d->devfn), slot = device - SHPC_FIRST_DEVICE;

    if (device < SHPC_FIRST_DEVICE) {
        return fail(error,
                    "Unsupported PCI slot %u for standard hotplug controller. Valid slots are "
                    "between %d and %d.",
                    device, SHPC_FIRST_DEVICE, SHPC_FIRST_DEVICE + SHPC_SLOTS - 1);
    }
    if (plug) {
        slot_show_presence(s, slot);
        if (PCI_FUNC(d->devfn) == 0) {
            shpc_event(s, slot, EVENT_PRESENCE | EVENT_LATCH | EVENT_BUTTON);
        }
        return true;
    }
    if (slot_off(s, slot)) {
        slot_leave(s, slot); /* no driver uses it */
        return true;
    }
    if (s->removing >> slot & 1) {
        return fail(error, "Device %s is already in the process of unplug",
                    d->dev.id ? d->dev.id : d->dev.obj.type->name);
    }
    s->removing |= 1u << slot;
    shpc_event(s, slot, EVENT_BUTTON);
    return true;
}

/* ---- commands ---- */

static void slot_command(ShpcBridge *s, unsigned slot, uint8_t code)
{
    static const uint16_t fields[] = {STATE_MASK, POWER_MASK, ATTENTION_MASK};

    for (unsigned i = 0; i < ARRAY_COUNT(fields); i++) {
        if (code & fields[i]) {
            s->status[slot] = (s->status[slot] & ~fields[i]) | (code & fields[i]);
        }
    }
    if ((s->removing >> slot & 1) && slot_off(s, slot)) {
        slot_leave(s, slot);
    }
}

static void all_slots_command(ShpcBridge *s, unsigned state)
{
    for (unsigned i = 0; i < SHPC_SLOTS; i++) {
        if (!(s->status[i] & LATCH_OPEN)) {
            slot_command(s, i, (uint8_t)(state | POWER_ON));
        }
    }
}

static void shpc_command_write(Device *d, const RegAccess *a)
{
    ShpcBridge *s = (ShpcBridge *)d;
    uint8_t code = a->value & 0xff;
    unsigned slot = (a->value >> 8 & 0x1f) - 1u;

    if (!(a->mask & 0xff)) {
        return; /* the target alone */
    }
    s->command_status = 0;
    if (code < COMMAND_SPEED && slot < SHPC_SLOTS) {
        slot_command(s, slot, code);
    } else if (code == COMMAND_SPEED) {
        s->bus_config = 0;
    } else if (code == COMMAND_POWER_ALL || code == COMMAND_ENABLE_ALL) {
        all_slots_command(s, code == COMMAND_POWER_ALL ? STATE_POWERED : STATE_ENABLED);
    } else {
        s->command_status = STATUS_INVALID;
    }
    s->serr_int |= INT_COMMAND_DONE;
    shpc_interrupt(s);
}

static uint64_t shpc_locator_read(Device *d, const RegAccess *a)
{
    return shpc_locator((ShpcBridge *)d);
}

static void shpc_changed(Device *d, const RegAccess *a)
{
    shpc_interrupt((ShpcBridge *)d);
}

/* clang-format off */
static const Reg shpc_regs[] = {
    REG_HOOK(0x00, 4, "base_offset", .help = "of these registers in BAR 0"),
    REG_HOOK(0x04, 4, "slots_available", .reset = SHPC_SLOTS, .help = "at 33 MHz"),
    REG_HOOK(0x08, 4, "slots_available_2"),
    REG_HOOK(0x0c, 4, "slot_config", .reset = SHPC_SLOTS | SHPC_FIRST_DEVICE << 8 | 1 << 16 | CONFIG_NUMBERS_UP | CONFIG_LATCH | CONFIG_BUTTON,
             .help = "slots, first device number, first physical number, what they have"),
    REG(ShpcBridge, 0x10, bus_config, .help = "33 MHz"),
    REG_HOOK(0x12, 1, "msi_control"),
    REG_HOOK(0x13, 1, "interface", .reset = 1, .help = "revision"),
    REG(ShpcBridge, 0x14, command, .wmask = 0x1fff, .write = shpc_command_write, .help = "code, slot << 8"),
    REG(ShpcBridge, 0x16, command_status, .help = "bit 2: it was invalid"),
    REG_HOOK(0x18, 4, "interrupt_locator", .read = shpc_locator_read, .help = "bit 0 a command, the others slots"),
    REG_HOOK(0x1c, 4, "serr_locator"),
    REG(ShpcBridge, 0x20, serr_int, .reset = INT_WRITABLE, .wmask = INT_WRITABLE, .w1c = INT_CLEARED, .write = shpc_changed, .help = "masks, and what was detected"),
    REG_ARRAY(ShpcBridge, 0x24, status, .stride = 4, .help = "state, indicators, latch, presence of a slot"),
    REG_ARRAY(ShpcBridge, 0x26, events, .stride = 4, .w1c = EVENT_ALL, .write = shpc_changed, .help = "presence, fault, button, latch"),
    REG_ARRAY(ShpcBridge, 0x27, masks, .stride = 4, .reset = 0x7f, .wmask = 0x7f, .write = shpc_changed, .help = "of interrupts and system errors"),
};
/* clang-format on */

static const RegBank shpc_banks[] = {
    {.name = "shpc",
     .size = 0x100,
     BANK_REGS(shpc_regs),
     .max_access = 4,
     .help = "hot-plug controller"},
    {0},
};

/* ---- the bridge ---- */

/* The capability's window onto the registers. */
static void shpc_config_read(PciDevice *d, uint32_t offset, unsigned size)
{
    ShpcBridge *s = (ShpcBridge *)d;

    if (s->cap && offset < s->cap + CAP_DATA + 4u && offset + size > s->cap + CAP_DATA) {
        uint32_t at = d->config[s->cap + CAP_SELECT] * 4u;

        pci_config_set(d, s->cap + CAP_DATA, 4,
                       at < 0x100 ? (uint32_t)bank_read(&d->dev, "shpc", at, 4) : 0);
    }
    if (s->cap) {
        d->config[s->cap + CAP_PENDING] = shpc_locator(s) ? 2 : 0;
    }
}

static void shpc_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    ShpcBridge *s = (ShpcBridge *)d;

    pci_bridge_config_write(d, offset, value, size);
    if (s->cap && offset == s->cap + CAP_DATA && size == 4) {
        uint32_t at = d->config[s->cap + CAP_SELECT] * 4u;

        if (at < 0x100) {
            bank_write(&d->dev, "shpc", at, value, 4);
        }
    }
}

static bool shpc_init(ShpcBridge *s, GError **error)
{
    PciDevice *d = &s->bridge.pci;

    s->cap = pci_add_cap(d, SHPC_CAP_ID, 0, CAP_SIZE, error);
    if (!s->cap) {
        return false;
    }
    pci_config_wmask(d, s->cap + CAP_SELECT, 1, 0xff);
    pci_set_bar(d, 0, PCI_BAR_MEM64, false, device_region(&d->dev, "shpc"));
    s->remove_bh = bh_new(shpc_remove, s);
    return true;
}

static bool bridge_realize(Device *d, GError **error)
{
    ShpcBridge *s = (ShpcBridge *)d;

    if (s->chassis == 0) {
        return fail(error, "Bridge chassis not specified. Each bridge is required to be assigned a "
                           "unique chassis id > 0.");
    }
    if ((s->shpc && !shpc_init(s, error)) ||
        (s->msi != ON_OFF_AUTO_OFF && !pci_msi_init(&s->bridge.pci, 1, error))) {
        g_clear_pointer(&s->remove_bh, bh_free);
        return false;
    }
    pci_bridge_init(&s->bridge, false);
    if (s->shpc) {
        s->bridge.sec.bus.hotplug = true;
        s->bridge.sec.hotplug = shpc_hotplug;
        s->bridge.sec.hotplug_opaque = s;
        s->bridge.sec.hotplug_native = true;
    }
    return true;
}

static void bridge_unrealize(Device *d)
{
    g_clear_pointer(&((ShpcBridge *)d)->remove_bh, bh_free);
    pci_bridge_fini((PciBridge *)d);
}

static void bridge_reset(Device *d)
{
    ShpcBridge *s = (ShpcBridge *)d;

    pci_bridge_reset(&s->bridge);
    s->removing = s->leaving = s->notified = 0;
    for (unsigned i = 0; i < SHPC_SLOTS; i++) {
        s->status[i] = ATTENTION_OFF |
                       (slot_filled(s, i) ? STATE_ENABLED | POWER_ON : STATE_DISABLED | POWER_OFF);
        slot_show_presence(s, i);
    }
}

static void bridge_post_load(Device *d)
{
    ShpcBridge *s = (ShpcBridge *)d;

    pci_bridge_loaded(d);
    if (s->leaving && s->remove_bh) {
        bh_schedule(s->remove_bh);
    }
}

static const Prop bridge_props[] = {
    PROP_U8(ShpcBridge, chassis, "chassis_nr", 0),
    PROP_ON_OFF_AUTO(ShpcBridge, msi, "msi", ON_OFF_AUTO_AUTO),
    PROP_BOOL(ShpcBridge, shpc, "shpc", true, .help = "standard hot-plug controller"),
    PROP_END,
};

static const StateField bridge_state[] = {
    STATE_STRUCT(ShpcBridge, bridge, pci_bridge_state),
    STATE(ShpcBridge, removing),
    STATE(ShpcBridge, leaving),
    STATE(ShpcBridge, notified),
    HOST_ONLY(ShpcBridge, cap, "constant"),
    HOST_ONLY(ShpcBridge, remove_bh, "host side"),
    STATE_END,
};

static const PciInfo bridge_pci = {
    .vendor = 0x1b36,
    .device = 0x0001,
    .class_code = 0x060400,
    .pin = 1,
    .bridge = true,
    .config = pci_bridge_rows,
    .config_write = shpc_config_write,
    .config_read = shpc_config_read,
};

static const DeviceType bridge_type = {
    .name = "pci-bridge",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "Standard PCI Bridge",
    .size = sizeof(ShpcBridge),
    .state_version = 1,
    .bus_info = &bridge_pci,
    .props = bridge_props,
    .banks = shpc_banks,
    .state = bridge_state,
    .realize = bridge_realize,
    .unrealize = bridge_unrealize,
    .reset = bridge_reset,
    .post_load = bridge_post_load,
};
DEVICE_TYPE(bridge_type);
