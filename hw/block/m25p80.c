// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serial NOR flash: the command set that M25P80, N25Q, MX25/MX66, W25Q, S25, GD25 and AT25
 * chips share (Micron N25Q256A and Macronix MX66L1G45G data sheets; JEDEC JESD216 for none of it).
 * Programming and erasing take no guest time. Contents are kept inverted, so that an erased chip
 * needs no host memory; what changes goes to the drive in the background, in its own sectors. Left
 * out: block protection, locks, passwords, the SFDP table, commands sent on more than one line.
 */
#include <inttypes.h>

#include "hw/block/flash-drive.h"
#include "hw/ssi/ssi.h"
#include "qom/prop.h"
#include "qom/vm.h"

#define PAGE 256

enum {
    OP_WRSR = 0x01,
    OP_PP = 0x02,
    OP_READ = 0x03,
    OP_WRDI = 0x04,
    OP_RDSR = 0x05,
    OP_WREN = 0x06,
    OP_FAST_READ = 0x0b,
    OP_PP4 = 0x12,
    OP_READ4 = 0x13,
    OP_FAST_READ4 = 0x0c,
    OP_RDCR_EQIO = 0x15,
    OP_BRRD = 0x16,
    OP_BRWR = 0x17,
    OP_ERASE_4K = 0x20,
    OP_ERASE4_4K = 0x21,
    OP_QPP = 0x32,
    OP_QPP4 = 0x34,
    OP_RDCR = 0x35,
    OP_DOR = 0x3b,
    OP_DOR4 = 0x3c,
    OP_CLFSR = 0x50,
    OP_ERASE_32K = 0x52,
    OP_ERASE4_32K = 0x5c,
    OP_RSTEN = 0x66,
    OP_REVCR = 0x65,
    OP_QOR = 0x6b,
    OP_QOR4 = 0x6c,
    OP_RDFSR = 0x70,
    OP_WEVCR = 0x61,
    OP_WVCR = 0x81,
    OP_RVCR = 0x85,
    OP_RES = 0xab,
    OP_WNVCR = 0xb1,
    OP_RNVCR = 0xb5,
    OP_EN4B = 0xb7,
    OP_DIOR = 0xbb,
    OP_DIOR4 = 0xbc,
    OP_RST = 0x99,
    OP_RDID_90 = 0x90,
    OP_RDID = 0x9f,
    OP_RDID_DUAL = 0x9e,
    OP_DPP = 0xa2,
    OP_WREAR = 0xc5,
    OP_BULK = 0x60,
    OP_BULK2 = 0xc7,
    OP_RDEAR = 0xc8,
    OP_ERASE_64K = 0xd8,
    OP_ERASE4_64K = 0xdc,
    OP_EX4B = 0xe9,
    OP_QIOR = 0xeb,
    OP_QIOR4 = 0xec,
    OP_PP4_QUAD = 0x3e,
    OP_DP = 0xb9
};

enum {
    SR_WEL = 2,
    SR_QUAD = 0x40,
    FSR_READY = 0x80,
    FSR_4B = 1,
    CR_4B = 0x20
};

/* What the next byte is. */
enum {
    STEP_COMMAND,
    STEP_ADDRESS,
    STEP_DUMMY,
    STEP_READ,
    STEP_PROGRAM,
    STEP_REPLY,
    STEP_TAKE,
    STEP_IGNORE
};

typedef enum Maker {
    NUMONYX = 0x20,
    MACRONIX = 0xc2,
    WINBOND = 0xef,
    SPANSION = 0x01
} Maker;

typedef struct FlashChip {
    SsiInfo ssi; /* first: what the bus looks at */
    uint32_t jedec;
    uint16_t ext;
    uint32_t sector; /* bytes that D8 erases */
    uint32_t sectors;
} FlashChip;

typedef struct M25p80 {
    SsiDevice ssi;
    /* properties */
    BlockFront *drive;
    uint32_t nvcfg;
    bool write_enable;
    uint8_t cr1, cr2, cr3, cr4; /* of Spansion chips after power on */
    /* state */
    uint8_t op, step, need, have, reply_len, sr, vcr, evcr, ear, reset_enabled;
    uint8_t addr[4], reply[8];
    bool four; /* addresses have four bytes */
    uint32_t at;
    /* host side */
    Region mem; /* contents, inverted */
    FlashDrive flash;
} M25p80;

static const FlashChip *flash_chip(const M25p80 *s)
{
    return device_type(&s->ssi.dev)->bus_info;
}

static Maker flash_maker(const M25p80 *s)
{
    return flash_chip(s)->jedec >> 16 & 0xff;
}

static uint32_t chip_size(const FlashChip *c)
{
    return c->sector * c->sectors;
}

static uint8_t *flash_host(M25p80 *s)
{
    return region_host(&s->mem);
}

/* ---- the drive ---- */

static void flash_write_failed(void *opaque, int error)
{
    guest_error("%s: could not write the drive: %s", ((Object *)opaque)->type->name,
                g_strerror(-error));
}

static void flash_changed(M25p80 *s, uint64_t offset, uint64_t len)
{
    flash_drive_changed(&s->flash, offset, len);
}

bool ssi_flash_read(Device *d, uint64_t offset, void *buf, size_t len)
{
    M25p80 *s = (M25p80 *)d;
    uint64_t size = chip_size(flash_chip(s));
    uint8_t *p = buf;

    if (offset > size || len > size - offset) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        p[i] = ~flash_host(s)[offset + i];
    }
    return true;
}

uint64_t ssi_flash_size(Device *d)
{
    return chip_size(flash_chip((M25p80 *)d));
}

/* ---- commands ---- */

static uint32_t flash_wrap(const M25p80 *s, uint32_t at)
{
    return at % chip_size(flash_chip(s));
}

static void flash_erase(M25p80 *s, uint32_t at, uint32_t len)
{
    uint32_t base = flash_wrap(s, at) / len * len;

    if (s->sr & SR_WEL) {
        memset(flash_host(s) + base, 0, len);
        flash_changed(s, base, len);
    }
    s->sr &= ~SR_WEL;
}

static void flash_program(M25p80 *s, uint8_t byte)
{
    if (s->sr & SR_WEL) {
        flash_host(s)[s->at] |= (uint8_t)~byte; /* bits only go from 1 to 0 */
        flash_changed(s, s->at, 1);
    }
    s->at = (s->at & ~(uint32_t)(PAGE - 1)) | ((s->at + 1) & (PAGE - 1));
}

static void flash_reply(M25p80 *s, const uint8_t *bytes, unsigned n)
{
    memcpy(s->reply, bytes, n);
    s->reply_len = n;
    s->have = 0;
    s->step = STEP_REPLY;
}

static void flash_reply1(M25p80 *s, uint8_t byte)
{
    flash_reply(s, &byte, 1);
}

static void flash_power_on(M25p80 *s)
{
    s->step = STEP_COMMAND;
    s->op = s->need = s->have = s->reply_len = s->ear = s->reset_enabled = 0;
    s->at = 0;
    s->sr = s->write_enable ? SR_WEL : 0;
    s->vcr = (uint8_t)(s->nvcfg >> 8 & 0xf0) | 0x0b;
    s->evcr = 0xdf;
    s->four = flash_maker(s) == NUMONYX && !(s->nvcfg & 1);
}

static void flash_id(M25p80 *s)
{
    const FlashChip *c = flash_chip(s);
    const uint8_t id[6] = {c->jedec >> 16,           c->jedec >> 8, c->jedec,
                           c->ext ? c->ext >> 8 : 0, c->ext,        0};

    flash_reply(s, id, c->ext ? 5 : 3);
}

/* Bytes between address and data, on as many lines as the address has. */
static unsigned flash_dummies(const M25p80 *s)
{
    switch (s->op) {
    case OP_FAST_READ:
    case OP_FAST_READ4:
    case OP_DOR:
    case OP_DOR4:
    case OP_QOR:
    case OP_QOR4:
    case OP_DIOR:
    case OP_DIOR4:
        return 1;
    case OP_QIOR:
    case OP_QIOR4:
        return flash_maker(s) == NUMONYX ? 5 : 3;
    default:
        return 0;
    }
}

static bool flash_op_is_four(const M25p80 *s)
{
    switch (s->op) {
    case OP_PP4:
    case OP_READ4:
    case OP_FAST_READ4:
    case OP_ERASE4_4K:
    case OP_QPP4:
    case OP_DOR4:
    case OP_ERASE4_32K:
    case OP_QOR4:
    case OP_DIOR4:
    case OP_QIOR4:
    case OP_ERASE4_64K:
    case OP_PP4_QUAD:
        return true;
    default:
        return s->four;
    }
}

/* Commands that an address follows. */
static bool flash_takes_address(uint8_t op)
{
    static const uint8_t ops[] = {
        OP_READ,     OP_READ4,     OP_FAST_READ, OP_FAST_READ4, OP_DOR,       OP_DOR4,
        OP_QOR,      OP_QOR4,      OP_DIOR,      OP_DIOR4,      OP_QIOR,      OP_QIOR4,
        OP_PP,       OP_PP4,       OP_QPP,       OP_QPP4,       OP_DPP,       OP_PP4_QUAD,
        OP_ERASE_4K, OP_ERASE4_4K, OP_ERASE_32K, OP_ERASE4_32K, OP_ERASE_64K, OP_ERASE4_64K,
        OP_RDID_90,  OP_RES,
    };

    for (unsigned i = 0; i < ARRAY_COUNT(ops); i++) {
        if (ops[i] == op) {
            return true;
        }
    }
    return false;
}

static void flash_take(M25p80 *s, unsigned n)
{
    s->need = n;
    s->have = 0;
    s->step = STEP_TAKE;
}

/* Commands without an address that answer or take bytes. */
static void flash_register_command(M25p80 *s)
{
    switch (s->op) {
    case OP_RDSR:
        flash_reply1(s, s->sr);
        break;
    case OP_RDFSR:
        flash_reply1(s, FSR_READY | (s->four ? FSR_4B : 0));
        break;
    case OP_RDCR:
        flash_reply1(s, flash_maker(s) == SPANSION ? s->cr1 | (s->sr & SR_QUAD ? 2 : 0) : 0);
        break;
    case OP_RDCR_EQIO:
        flash_reply1(s, flash_maker(s) == MACRONIX ? (s->vcr & 0xc0) | 7 | (s->four ? CR_4B : 0)
                                                   : s->four);
        break;
    case OP_RNVCR:
        flash_reply(s, (const uint8_t[]){s->nvcfg, s->nvcfg >> 8}, 2);
        break;
    case OP_RVCR:
        flash_reply1(s, s->vcr);
        break;
    case OP_REVCR:
        flash_reply1(s, s->evcr);
        break;
    case OP_RDEAR:
    case OP_BRRD:
        flash_reply1(s, s->ear);
        break;
    case OP_RDID:
    case OP_RDID_DUAL:
        flash_id(s);
        break;
    case OP_WRSR:
        flash_take(s, 2);
        break;
    case OP_WVCR:
    case OP_WEVCR:
    case OP_WREAR:
    case OP_BRWR:
        flash_take(s, 1);
        break;
    case OP_WNVCR:
        flash_take(s, 2);
        break;
    default:
        s->step = STEP_IGNORE;
        break;
    }
}

static void flash_command(M25p80 *s, uint8_t op)
{
    bool armed = s->reset_enabled;

    s->op = op;
    s->step = STEP_IGNORE;
    s->reset_enabled = 0;
    if (flash_takes_address(op)) {
        s->step = STEP_ADDRESS;
        s->have = 0;
        s->need = op == OP_RDID_90 || op == OP_RES ? 3 : flash_op_is_four(s) ? 4 : 3;
        return;
    }
    switch (op) {
    case OP_WREN:
        s->sr |= SR_WEL;
        break;
    case OP_WRDI:
        s->sr &= ~SR_WEL;
        break;
    case OP_EN4B:
        s->four = true;
        break;
    case OP_EX4B:
        s->four = false;
        break;
    case OP_BULK:
    case OP_BULK2:
        flash_erase(s, 0, chip_size(flash_chip(s)));
        break;
    case OP_RSTEN:
        s->reset_enabled = 1;
        break;
    case OP_RST:
        if (armed) {
            flash_power_on(s);
            s->step = STEP_IGNORE;
        }
        break;
    default:
        flash_register_command(s);
        break;
    }
}

static void flash_addressed(M25p80 *s)
{
    uint32_t a = 0;

    for (unsigned i = 0; i < s->need; i++) {
        a = a << 8 | s->addr[i];
    }
    if (s->need == 3) {
        a |= (uint32_t)s->ear << 24;
    }
    s->at = flash_wrap(s, a);
    switch (s->op) {
    case OP_PP:
    case OP_PP4:
    case OP_QPP:
    case OP_QPP4:
    case OP_DPP:
    case OP_PP4_QUAD:
        s->step = STEP_PROGRAM;
        break;
    case OP_ERASE_4K:
    case OP_ERASE4_4K:
        flash_erase(s, s->at, 4096);
        s->step = STEP_IGNORE;
        break;
    case OP_ERASE_32K:
    case OP_ERASE4_32K:
        flash_erase(s, s->at, MIN(0x8000u, flash_chip(s)->sector));
        s->step = STEP_IGNORE;
        break;
    case OP_ERASE_64K:
    case OP_ERASE4_64K:
        flash_erase(s, s->at, flash_chip(s)->sector);
        s->step = STEP_IGNORE;
        break;
    case OP_RDID_90:
        flash_reply(s, (const uint8_t[]){flash_chip(s)->jedec >> 16, flash_chip(s)->jedec - 1}, 2);
        break;
    case OP_RES:
        flash_reply1(s, (uint8_t)(flash_chip(s)->jedec - 1));
        break;
    default:
        s->need = flash_dummies(s);
        s->have = 0;
        s->step = s->need ? STEP_DUMMY : STEP_READ;
        break;
    }
}

/* A byte for a register; what was taken so far counts when the chip is deselected. */
static void flash_taken(M25p80 *s, uint8_t byte)
{
    if (s->op == OP_WREAR || s->op == OP_BRWR) {
        s->ear = byte;
        s->four = s->op == OP_BRWR ? byte >> 7 : s->four;
        s->ear &= 0x7f;
    } else if (!(s->sr & SR_WEL)) {
        return;
    } else if (s->op == OP_WVCR) {
        s->vcr = byte;
    } else if (s->op == OP_WEVCR) {
        s->evcr = byte;
    } else if (s->op == OP_WNVCR) {
        s->nvcfg = s->have == 0 ? (s->nvcfg & 0xff00) | byte : (s->nvcfg & 0xff) | byte << 8;
    } else if (s->have == 0) {
        s->sr = (byte & 0xfc & ~SR_WEL) | SR_WEL;
    } else if (flash_maker(s) == MACRONIX) {
        s->vcr = (s->vcr & 0x3f) | (byte & 0xc0);
    } else if (flash_maker(s) == SPANSION) {
        s->cr1 = byte;
    }
}

static uint8_t flash_transfer(Device *d, uint8_t byte)
{
    M25p80 *s = (M25p80 *)d;
    uint8_t v = 0xff;

    switch (s->step) {
    case STEP_COMMAND:
        flash_command(s, byte);
        break;
    case STEP_ADDRESS:
        s->addr[s->have++] = byte;
        if (s->have == s->need) {
            flash_addressed(s);
        }
        break;
    case STEP_DUMMY:
        if (++s->have == s->need) {
            s->step = STEP_READ;
        }
        break;
    case STEP_READ:
        v = ~flash_host(s)[s->at];
        s->at = flash_wrap(s, s->at + 1);
        break;
    case STEP_PROGRAM:
        flash_program(s, byte);
        break;
    case STEP_REPLY:
        v = s->reply[s->have];
        s->have = (s->have + 1) % s->reply_len;
        break;
    case STEP_TAKE:
        if (s->have < s->need) {
            flash_taken(s, byte);
            s->have++;
        }
        break;
    default:
        break;
    }
    return v;
}

static void flash_select(Device *d, bool on)
{
    M25p80 *s = (M25p80 *)d;

    if (!on && (s->step == STEP_PROGRAM || s->step == STEP_TAKE)) {
        s->sr &= ~SR_WEL;
    }
    s->step = on ? STEP_COMMAND : STEP_IGNORE;
}

/* ---- the device ---- */

static bool flash_realize(Device *d, GError **error)
{
    M25p80 *s = (M25p80 *)d;

    if (!region_init_ram(&s->mem, &d->obj, "flash", chip_size(flash_chip(s)), error)) {
        return false;
    }
    s->flash = (FlashDrive){
        .drive = s->drive,
        .mem = &s->mem,
        .inverted = true,
        .failed = flash_write_failed,
        .opaque = d,
    };
    if (s->drive && !flash_drive_load(&s->flash, error)) {
        region_fini(&s->mem);
        return false;
    }
    return true;
}

static void flash_unrealize(Device *d)
{
    M25p80 *s = (M25p80 *)d;

    if (s->drive) {
        block_drain(s->drive);
    }
    region_fini(&s->mem);
}

static void flash_reset(Device *d)
{
    flash_power_on((M25p80 *)d);
}

static void flash_post_load(Device *d)
{
    M25p80 *s = (M25p80 *)d;

    if (s->step == STEP_REPLY &&
        (s->reply_len == 0 || s->reply_len > sizeof(s->reply) || s->have >= s->reply_len)) {
        s->step = STEP_IGNORE;
    }
    if (s->step == STEP_ADDRESS && (s->need > sizeof(s->addr) || s->have >= s->need)) {
        s->step = STEP_IGNORE;
    }
    s->at = flash_wrap(s, s->at);
    if (s->drive && !s->flash.read_only) {
        flash_changed(s, 0, chip_size(flash_chip(s)));
    }
}

Device *ssi_flash_create(SsiBus *b, const char *type, unsigned cs, unsigned n, GError **error)
{
    const DriveInfo *drive = drive_at("mtd", 0, n);
    g_autofree char *line = g_strdup_printf("%u", cs);
    Device *d = device_create(b->bus.vm, type, &b->bus, NULL, error, "cs", line,
                              drive ? "drive" : NULL, drive ? drive->id : NULL, NULL);

    if (d && drive) {
        drive_claim(drive);
    }
    return d;
}

/* clang-format off */
static const Prop flash_props[] = {
    SSI_DEVICE_PROPS(M25p80, ssi),
    PROP_DRIVE(M25p80, drive),
    PROP_U32(M25p80, nvcfg, "nonvolatile-cfg", 0x8fff, .help = "of Micron chips; bit 0 clear: four address bytes"),
    PROP_BOOL(M25p80, write_enable, "write-enable", false, .help = "as if a write enable had been sent"),
    PROP_U8(M25p80, cr1, "spansion-cr1nv", 0), PROP_U8(M25p80, cr2, "spansion-cr2nv", 8),
    PROP_U8(M25p80, cr3, "spansion-cr3nv", 2), PROP_U8(M25p80, cr4, "spansion-cr4nv", 0x10),
    PROP_END,
};

static const StateField flash_state[] = {
    STATE(M25p80, nvcfg), STATE(M25p80, cr1), STATE(M25p80, op), STATE(M25p80, step), STATE(M25p80, need), STATE(M25p80, have), STATE_COUNT(M25p80, reply_len, reply),
    STATE(M25p80, sr), STATE(M25p80, vcr), STATE(M25p80, evcr), STATE(M25p80, ear), STATE(M25p80, reset_enabled),
    STATE_RAW(M25p80, addr), STATE_RAW(M25p80, reply), STATE(M25p80, four), STATE(M25p80, at),
    HOST_ONLY(M25p80, mem, "a RAM block, saved as such"),
    HOST_ONLY(M25p80, flash, "drained before a save"), STATE_END,
};

#define FLASH(tag, name_, jedec_, ext_, sector_, sectors_)                                                                  \
    static const FlashChip tag##_chip = {{flash_select, flash_transfer}, jedec_, ext_, (sector_) * 1024, sectors_};        \
    static const DeviceType tag##_type = {                                                                                  \
        .name = name_, .bus = "SSI", .category = "storage", .desc = "Serial flash", .internal = true,                     \
        .size = sizeof(M25p80), .state_version = 1, .bus_info = &tag##_chip, .props = flash_props, .state = flash_state,    \
        .realize = flash_realize, .unrealize = flash_unrealize, .reset = flash_reset, .post_load = flash_post_load,         \
    };                                                                                                                      \
    DEVICE_TYPE(tag##_type)

FLASH(at25df321a, "at25df321a", 0x1f4701, 0, 64, 64);
FLASH(at25df641, "at25df641", 0x1f4800, 0, 64, 128);
FLASH(en25q64, "en25q64", 0x1c3017, 0, 64, 128);
FLASH(gd25q64, "gd25q64", 0xc84017, 0, 64, 128);
FLASH(is25lp128, "is25lp128", 0x9d6018, 0, 64, 256);
FLASH(is25lp256, "is25lp256", 0x9d6019, 0, 64, 512);
FLASH(is25wp256, "is25wp256", 0x9d7019, 0, 64, 512);
FLASH(m25p16, "m25p16", 0x202015, 0, 64, 32);
FLASH(m25p32, "m25p32", 0x202016, 0, 64, 64);
FLASH(m25p64, "m25p64", 0x202017, 0, 64, 128);
FLASH(m25p80, "m25p80", 0x202014, 0, 64, 16);
FLASH(m25p128, "m25p128", 0x202018, 0, 256, 64);
FLASH(mt25ql02g, "mt25ql02g", 0x20ba22, 0, 64, 4096);
FLASH(mt25ql512ab, "mt25ql512ab", 0x20ba20, 0x1044, 64, 1024);
FLASH(mt25qu02g, "mt25qu02g", 0x20bb22, 0, 64, 4096);
FLASH(mx25l12805d, "mx25l12805d", 0xc22018, 0, 64, 256);
FLASH(mx25l25635e, "mx25l25635e", 0xc22019, 0, 64, 512);
FLASH(mx25l25635f, "mx25l25635f", 0xc22019, 0, 64, 512);
FLASH(mx66l1g45g, "mx66l1g45g", 0xc2201b, 0, 64, 2048);
FLASH(mx66l51235f, "mx66l51235f", 0xc2201a, 0, 64, 1024);
FLASH(mx66u1g45g, "mx66u1g45g", 0xc2253b, 0, 64, 2048);
FLASH(mx66u51235f, "mx66u51235f", 0xc2253a, 0, 64, 1024);
FLASH(n25q00, "n25q00", 0x20ba21, 0, 64, 2048);
FLASH(n25q064, "n25q064", 0x20ba17, 0, 64, 128);
FLASH(n25q128, "n25q128", 0x20ba18, 0, 64, 256);
FLASH(n25q128a11, "n25q128a11", 0x20bb18, 0, 64, 256);
FLASH(n25q128a13, "n25q128a13", 0x20ba18, 0, 64, 256);
FLASH(n25q256a, "n25q256a", 0x20ba19, 0, 64, 512);
FLASH(n25q256a13, "n25q256a13", 0x20ba19, 0, 64, 512);
FLASH(n25q512a, "n25q512a", 0x20ba20, 0x1000, 64, 1024);
FLASH(n25q512a13, "n25q512a13", 0x20ba20, 0x1000, 64, 1024);
FLASH(s25fl256s1, "s25fl256s1", 0x010219, 0x4d01, 64, 512);
FLASH(s25sl12801, "s25sl12801", 0x012018, 0x0301, 64, 256);
FLASH(w25q01jvq, "w25q01jvq", 0xef4021, 0, 64, 2048);
FLASH(w25q128, "w25q128", 0xef4018, 0, 64, 256);
FLASH(w25q256, "w25q256", 0xef4019, 0, 64, 512);
FLASH(w25q512jv, "w25q512jv", 0xef4020, 0, 64, 1024);
FLASH(w25q64, "w25q64", 0xef4017, 0, 64, 128);
/* clang-format on */
