// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Non-volatile memory of the nRF51 (Series Reference Manual v3.0, 6 to 8): flash with its
 * controller, factory and user information. Writing clears bits, erasing a page of 1 KiB sets them.
 * What is written is gone with the machine.
 */
#include <string.h>
#include "exec/bank.h"
#include "qom/vm.h"
#include "util/log.h"

#define PAGE 1024u
#define UICR_WORDS 64

typedef struct Nrf51Nvm {
    Device dev;
    uint32_t flash_size;               /* property */
    uint32_t config;
    uint32_t uicr[UICR_WORDS];
    uint8_t *storage;
    Region flash;
} Nrf51Nvm;

enum { CONFIG_WRITE = 1, CONFIG_ERASE = 2 };

static uint64_t flash_read(void *opaque, hwaddr offset, unsigned size)
{
    Nrf51Nvm *s = opaque;
    uint64_t v = 0;

    memcpy(&v, s->storage + offset, size);
    return v;
}

static void flash_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Nrf51Nvm *s = opaque;
    uint32_t old;

    if (!(s->config & CONFIG_WRITE)) {
        guest_error("nrf51_soc.nvm: write at 0x%x without CONFIG.WEN", (unsigned)offset);
        return;
    }
    memcpy(&old, s->storage + offset, 4);
    old &= (uint32_t)value;
    memcpy(s->storage + offset, &old, 4);
    ram_written(region_ram_block(&s->flash), offset, 4);
}

static const RegionOps flash_ops = {.read = flash_read,
                                    .write = flash_write,
                                    .min_size = 4,
                                    .max_size = 4,
                                    .min_valid = 4,
                                    .max_valid = 4,
                                    .endian = DEV_LITTLE};

static void erase(Nrf51Nvm *s, uint32_t from, uint32_t len)
{
    memset(s->storage + from, 0xff, len);
    ram_written(region_ram_block(&s->flash), from, len);
}

/* ERASEPAGE, ERASEALL, ERASEPCR0, ERASEUICR: with CONFIG.EEN. */
static void nvm_erase_write(Device *d, const RegAccess *a)
{
    Nrf51Nvm *s = (Nrf51Nvm *)d;
    uint32_t page = (uint32_t)a->value & ~(PAGE - 1);

    if (!(s->config & CONFIG_ERASE)) {
        return;
    }
    switch (a->reg->offset) {
    case 0x50c:
        if (a->value == 1) {
            erase(s, 0, s->flash_size);
            memset(s->uicr, 0xff, sizeof(s->uicr));
        }
        break;
    case 0x514:
        if (a->value == 1) {
            memset(s->uicr, 0xff, sizeof(s->uicr));
        }
        break;
    default:
        if (page < s->flash_size) {
            erase(s, page, PAGE);
        }
    }
}

static void uicr_write(Device *d, const RegAccess *a)
{
    Nrf51Nvm *s = (Nrf51Nvm *)d;

    s->uicr[a->index] = (uint32_t)(s->config & CONFIG_WRITE ? a->old & a->value : a->old);
}

static uint64_t ficr_size_read(Device *d, const RegAccess *a)
{
    return ((Nrf51Nvm *)d)->flash_size / PAGE;
}

static bool nvm_realize(Device *d, GError **error)
{
    Nrf51Nvm *s = (Nrf51Nvm *)d;

    if (s->flash_size == 0 || s->flash_size % PAGE) {
        return fail(error, "nrf51_soc.nvm: flash-size %u is no multiple of %u", s->flash_size,
                    PAGE);
    }
    if (!region_init_romd(&s->flash, &d->obj, "nrf51_soc.flash", s->flash_size, &flash_ops, s,
                          error)) {
        return false;
    }
    s->storage = region_host(&s->flash);
    memset(s->storage, 0xff, s->flash_size);
    memset(s->uicr, 0xff, sizeof(s->uicr));
    region_add(d->vm->memory, 0, &s->flash, 0);
    return true;
}

static void nvm_unrealize(Device *d)
{
    Nrf51Nvm *s = (Nrf51Nvm *)d;

    region_remove(&s->flash);
    region_fini(&s->flash);
}

static size_t nvm_len(Device *d)
{
    return ((Nrf51Nvm *)d)->flash_size;
}

/* clang-format off */
static const Reg nvmc_regs[] = {
    REG_HOOK(0x400, 4, "ready", .reset = 1, .help = "always"),
    REG(Nrf51Nvm, 0x504, config, .wmask = 3, .help = "1: write, 2: erase"),
    REG_HOOK(0x508, 4, "erasepage", .write = nvm_erase_write), REG_HOOK(0x50c, 4, "eraseall", .write = nvm_erase_write),
    REG_HOOK(0x510, 4, "erasepcr0", .write = nvm_erase_write), REG_HOOK(0x514, 4, "eraseuicr", .write = nvm_erase_write),
};
static const Reg ficr_regs[] = {
    REG_HOOK(0x10, 4, "codepagesize", .reset = PAGE), REG_HOOK(0x14, 4, "codesize", .read = ficr_size_read),
    REG_HOOK(0x28, 4, "clenr0", .reset = 0xffffffff), REG_HOOK(0x2c, 4, "ppfc", .reset = 0xffffffff),
    REG_HOOK(0x34, 4, "numramblock", .reset = 2), REG_HOOK(0x38, 4, "sizeramblock0", .reset = 0x2000), REG_HOOK(0x3c, 4, "sizeramblock1", .reset = 0x2000),
    REG_HOOK(0x5c, 4, "configid", .reset = 0xffffffff), REG_HOOK(0x60, 4, "deviceid0", .reset = 0x12345678), REG_HOOK(0x64, 4, "deviceid1", .reset = 0x9abcdef1),
    REG_HOOK(0xa0, 4, "deviceaddrtype", .reset = 0xffffffff), REG_HOOK(0xa4, 4, "deviceaddr0", .reset = 0x12345678), REG_HOOK(0xa8, 4, "deviceaddr1", .reset = 0xffff9abc),
};
static const Reg uicr_regs[] = {
    {.offset = 0, .field = offsetof(Nrf51Nvm, uicr), .size = 4, .count = UICR_WORDS, .name = "uicr", .reset = 0xffffffff, .wmask = 0xffffffff,
     .write = uicr_write, .help = "user information"},
};
/* clang-format on */
static const RegBank nvm_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(nvmc_regs), .help = "controller"},
    {.name = "ficr", .size = 0x100, BANK_REGS(ficr_regs), .help = "factory information"},
    {.name = "uicr", .size = 0x100, BANK_REGS(uicr_regs), .help = "user information"}, {0},
};
static const Prop nvm_props[] = {PROP_U32(Nrf51Nvm, flash_size, "flash-size", 0x40000), PROP_END};
static const StateField nvm_state[] = {STATE_BUF(Nrf51Nvm, storage, nvm_len),
                                       HOST_ONLY(Nrf51Nvm, flash, "map"), STATE_END};

static const DeviceType nvm_type = {
    .name = "nrf51_soc.nvm", .category = "misc", .desc = "nRF51 flash", .internal = true, .size = sizeof(Nrf51Nvm), .state_version = 1,
    .props = nvm_props, .banks = nvm_banks, .state = nvm_state, .realize = nvm_realize, .unrealize = nvm_unrealize,
};
DEVICE_TYPE(nvm_type);
