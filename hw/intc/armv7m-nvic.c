// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The private peripherals of an M-profile CPU as devices: the System Control Space with the NVIC,
 * whose state and registers are the CPU's (target-arm/m-scs.c), the Non-secure alias of it,
 * SysTick's window, and what else of the bus reads as 0 (Armv8-M Architecture Reference Manual,
 * B8.1). Bit-band regions (ARMv7-M, B3.2.4) are a device as well.
 */
#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/arm/armv7m-internal.h"
#include "qom/vm.h"

/* ---- registers ---- */

/* One access at 0xe000e000 + offset, as `secure`. */
static bool nvic_access(Nvic *s, uint32_t offset, uint32_t *value, unsigned size, bool write,
                        bool secure, bool user)
{
    if (offset >= 0x10 && offset < 0xf0) {
        Device *tick = s->systick[secure && s->systick[1]];

        if (user) {
            return false;
        }
        if (write) {
            bank_write(tick, "mmio", offset - 0x10, *value, size);
        } else {
            *value = (uint32_t)bank_read(tick, "mmio", offset - 0x10, size);
        }
        return true;
    }
    return target_arch->arm->m.scs(s->cpu, offset, value, size, write, secure, user);
}

static MemResult scs_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                            MemAttrs attrs)
{
    uint32_t v = (uint32_t)*value;

    if (size > 4 ||
        !nvic_access(r->opaque, (uint32_t)offset, &v, size, write, attrs.secure, attrs.user)) {
        return MEM_ERROR;
    }
    *value = v;
    return MEM_OK;
}

/* Secure software looks at Non-secure copies here; others find nothing. */
static MemResult alias_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                              MemAttrs attrs)
{
    if (attrs.secure) {
        attrs.secure = 0;
        return scs_access(r, offset, value, size, write, attrs);
    }
    *value = write ? *value : 0;
    return attrs.user ? MEM_ERROR : MEM_OK;
}

static MemResult rest_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                             MemAttrs attrs)
{
    *value = write ? *value : 0;
    return attrs.user ? MEM_ERROR : MEM_OK;
}

static uint64_t nvic_bank_read(void *opaque, hwaddr offset, unsigned size)
{
    uint32_t v = 0;

    nvic_access(opaque, (uint32_t)offset, &v, size, false, true, false);
    return v;
}

static void nvic_bank_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    uint32_t v = (uint32_t)value;

    nvic_access(opaque, (uint32_t)offset, &v, size, true, true, false);
}

static const RegionOps nvic_ops = {.read = nvic_bank_read,
                                   .write = nvic_bank_write,
                                   .min_size = 1,
                                   .max_size = 4,
                                   .endian = DEV_LITTLE};

/* ---- lines ---- */

static void nvic_irq(Device *d, unsigned pin, int level)
{
    Nvic *s = (Nvic *)d;

    if (s->cpu && pin < s->num_irqs) {
        target_arch->arm->m.irq(s->cpu, pin, level);
    }
}

static void nvic_nmi(Device *d, unsigned pin, int level)
{
    target_arch->arm->m.nmi(((Nvic *)d)->cpu, level);
}

static void nvic_systick(Device *d, unsigned pin, int level)
{
    if (level) {
        target_arch->arm->m.systick(((Nvic *)d)->cpu, pin);
    }
}

static bool nvic_realize(Device *d, GError **error)
{
    Nvic *s = (Nvic *)d;
    Region *scs;

    if (!s->cpu) {
        return fail(error, "armv7m_nvic: belongs to a CPU; boards make it");
    }
    scs = device_region(d, "mmio");
    scs->access = scs_access;
    region_init_io(&s->alias, NULL, "nvic-ns-alias", 0x1000, &nvic_ops, s);
    s->alias.access = alias_access;
    region_init_io(&s->rest, NULL, "ppb", 0x100000, &nvic_ops, s);
    s->rest.access = rest_access;
    region_add(s->root, 0xe0000000, &s->rest, -1);
    region_add(s->root, 0xe000e000, scs, 1);
    if (s->secure) {
        region_add(s->root, 0xe002e000, &s->alias, 1);
    }
    return true;
}

static const RegBank nvic_banks[] = {{.name = "mmio",
                                      .size = 0x1000,
                                      .ops = &nvic_ops,
                                      .help = "System Control Space, as Secure state sees it"},
                                     {0}};
static const PinRow nvic_pins[] = {
    PIN_IN("irq", 496, nvic_irq), PIN_IN("nmi", 1, nvic_nmi), PIN_IN("systick", 2, nvic_systick), PIN_END,
};
static const Prop nvic_props[] = {
    PROP_U32(Nvic, num_irqs, "num-irq", 64, .min = 1, .max = 496, .help = "external lines"),
    PROP_END};
static const StateField nvic_state[] = {
    HOST_ONLY(Nvic, cpu, "wired by the board; the state is the CPU's"), HOST_ONLY(Nvic, systick, "wired by the board"),
    HOST_ONLY(Nvic, root, "wired by the board"), HOST_ONLY(Nvic, alias, "map"), HOST_ONLY(Nvic, rest, "map"),
    HOST_ONLY(Nvic, secure, "a fact of the CPU"), STATE_END,
};

static const DeviceType nvic_type = {
    .name = "armv7m_nvic", .category = "misc", .desc = "Interrupt controller of M profile", .internal = true, .size = sizeof(Nvic),
    .state_version = 1, .props = nvic_props, .banks = nvic_banks, .pins = nvic_pins, .state = nvic_state, .realize = nvic_realize,
};
DEVICE_TYPE(nvic_type);

/* ---- bit-band ---- */

/* A word for each bit: which byte and bit `offset` means. */
static hwaddr bit_place(const Bitband *s, hwaddr offset, unsigned *bit)
{
    *bit = offset >> 2 & 7;
    return s->base + (offset >> 5);
}

static MemResult bit_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                            MemAttrs attrs)
{
    Bitband *s = r->opaque;
    unsigned bit;
    hwaddr at = bit_place(s, offset, &bit);
    uint8_t byte;
    MemResult res = address_space_read(s->as, at, attrs, &byte, 1);

    if (res != MEM_OK) {
        return res;
    }
    if (!write) {
        *value = byte >> bit & 1;
        return MEM_OK;
    }
    byte = (uint8_t)((byte & ~(1u << bit)) | (*value & 1) << bit);
    return address_space_write(s->as, at, attrs, &byte, 1);
}

static uint64_t bitband_read(void *opaque, hwaddr offset, unsigned size)
{
    uint64_t v = 0;

    bit_access(device_region(opaque, "mmio"), offset, &v, size, false, ATTRS_NONE);
    return v;
}

static void bitband_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    bit_access(device_region(opaque, "mmio"), offset, &value, size, true, ATTRS_NONE);
}

static const RegionOps bitband_ops = {.read = bitband_read,
                                      .write = bitband_write,
                                      .min_size = 1,
                                      .max_size = 4,
                                      .endian = DEV_LITTLE};

static bool bitband_realize(Device *d, GError **error)
{
    if (!((Bitband *)d)->as) {
        return fail(error, "ARM-bitband-memory: belongs to a CPU; boards make it");
    }
    device_region(d, "mmio")->access = bit_access;
    return true;
}

static const RegBank bitband_banks[] = {
    {.name = "mmio", .size = 0x2000000, .ops = &bitband_ops, .help = "a word for each bit"}, {0}};
static const Prop bitband_props[] = {
    PROP_U32(Bitband, base, "base", 0x20000000, .help = "of the megabyte whose bits these are"),
    PROP_END};
static const StateField bitband_state[] = {HOST_ONLY(Bitband, as, "wired by the board"), STATE_END};

static const DeviceType bitband_type = {
    .name = "ARM-bitband-memory", .category = "misc", .desc = "Bit-band alias", .internal = true, .size = sizeof(Bitband),
    .state_version = 1, .props = bitband_props, .banks = bitband_banks, .state = bitband_state, .realize = bitband_realize,
};
DEVICE_TYPE(bitband_type);
