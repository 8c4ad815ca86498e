// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt translation service of the GICv3 (ARM IHI 0069H, chapter 5, 12.18): messages of PCI
 * functions become LPIs by tables in memory, which software fills by commands. What the tables'
 * entries look like is ours: see the *_VALID masks. Left out: virtual LPIs.
 */
#include "exec/dma.h"
#include "gicv3.h"

enum {
    G_CTLR = 0x00,
    G_IIDR = 0x04,
    G_TYPER = 0x08,
    G_CBASER = 0x80,
    G_CWRITER = 0x88,
    G_CREADR = 0x90,
    G_BASER = 0x100,
    G_ID = 0xffd0 };
enum {
    CMD_MOVI = 0x01,
    CMD_INT = 0x03,
    CMD_CLEAR = 0x04,
    CMD_SYNC = 0x05,
    CMD_MAPD = 0x08,
    CMD_MAPC = 0x09,
    CMD_MAPTI = 0x0a,
    CMD_MAPI = 0x0b,
    CMD_INV = 0x0c,
    CMD_INVALL = 0x0d,
    CMD_MOVALL = 0x0e,
    CMD_DISCARD = 0x0f
};

#define TRANSLATER 0x40
#define CTLR_ENABLE 1u
#define CTLR_QUIESCENT (1u << 31)
#define VALID (1ull << 63)
#define INDIRECT (1ull << 62)
#define ADDRESS 0x0000fffffffff000ull
#define CBASER_WRITABLE (VALID | 0x3800000000000000ull | ADDRESS | 0xcffull)
/* Valid, two levels, attributes, address, sharing, page size, pages. */
#define BASER_WRITABLE (VALID | INDIRECT | 0x3800000000000000ull | ADDRESS | 0xfffull)
/* Physical LPIs, 12-byte entries, 16 bits of events, devices and collections. */
#define TYPER_VALUE (1ull | 11ull << 4 | 15ull << 8 | 15ull << 13 | 15ull << 32 | 1ull << 36)
#define COMMAND 32
#define ITT_ENTRY 12
#define BASERS 8

/* Device table: valid, bits of events, address of its ITT / 256. */
#define DTE_MAKE(bits, itt) (VALID | (uint64_t)(bits) << 44 | (itt) >> 8)
#define DTE_BITS(e) ((unsigned)((e) >> 44 & 31))
#define DTE_ITT(e) (((e) & 0xfffffffffffull) << 8)

typedef struct Its {
    Device dev;
    Object *gic_object;
    Gicv3 *gic;
    uint32_t ctlr;
    uint64_t cbaser, cwriter, creadr, baser[BASERS];
} Its;

typedef struct Ite { uint32_t lpi; uint16_t collection; } Ite;

static const uint64_t baser_fixed[BASERS] = { 1ull << 56 | 7ull << 48, 4ull << 56 | 7ull << 48 };

/* ---- tables ---- */

/* Where entry n of a table of 8-byte entries is; false: outside of it. */
static bool table_entry(Its *s, unsigned table, uint64_t n, hwaddr *at)
{
    static const uint32_t page_sizes[] = { 4096, 16384, 65536, 65536 };
    uint64_t b = s->baser[table];
    uint64_t page = page_sizes[b >> 8 & 3], size = page * ((b & 0xff) + 1);
    hwaddr base = b & ADDRESS;

    /* 12.19.1: with 64 KiB pages, bits 15-12 hold bits 51-48. */
    if (page == 65536) {
        base = (b & 0xffffffff0000ull) | (b >> 12 & 15) << 48;
    }
    if (!(b & VALID)) {
        return false;
    }
    if (!(b & INDIRECT)) {
        *at = base + n * 8;
        return n < size / 8;
    }
    uint64_t per_page = page / 8, first = n / per_page;

    if (first >= size / 8) {
        return false;
    }
    bool ok;
    uint64_t level1 = dma_load(&s->dev, base + first * 8, 8, DEV_LITTLE, &ok);

    *at = (level1 & 0x000ffffffffff000ull & ~(page - 1)) + n % per_page * 8;
    return ok && (level1 & VALID);
}

static bool read_entry(Its *s, unsigned table, uint64_t n, uint64_t *e)
{
    hwaddr at;
    bool ok;

    if (n > 0xffff || !table_entry(s, table, n, &at)) {
        return false;
    }
    *e = dma_load(&s->dev, at, 8, DEV_LITTLE, &ok);
    return ok && (*e & VALID);
}

static void write_entry(Its *s, unsigned table, uint64_t n, uint64_t e)
{
    hwaddr at;

    if (n > 0xffff || !table_entry(s, table, n, &at)) {
        guest_error("arm-gicv3-its: entry 0x%x is outside of table %u", (unsigned)n, table);
        return;
    }
    dma_store(&s->dev, at, e, 8, DEV_LITTLE);
}

static bool ite_place(Its *s, uint32_t device, uint32_t event, hwaddr *at)
{
    uint64_t dte;

    if (!read_entry(s, 0, device, &dte) || event >= 1ull << (DTE_BITS(dte) + 1)) {
        return false;
    }
    *at = DTE_ITT(dte) + (uint64_t)event * ITT_ENTRY;
    return true;
}

static bool read_ite(Its *s, uint32_t device, uint32_t event, Ite *ite)
{
    hwaddr at;
    bool ok;

    if (!ite_place(s, device, event, &at)) {
        return false;
    }
    uint64_t e = dma_load(&s->dev, at, 8, DEV_LITTLE, &ok);

    ite->lpi = (uint32_t)e;
    ite->collection = e >> 32;
    return ok && (e & VALID);
}

static void write_ite(Its *s, uint32_t device, uint32_t event, uint32_t lpi, uint16_t collection,
                      bool valid)
{
    hwaddr at;

    if (!ite_place(s, device, event, &at)) {
        guest_error("arm-gicv3-its: device 0x%x has no event 0x%x", device, event);
        return;
    }
    dma_store(&s->dev, at, (valid ? VALID : 0) | (uint64_t)collection << 32 | lpi, 8, DEV_LITTLE);
}

static Gicv3Redist *redist_number(Its *s, uint64_t n)
{
    return n < s->gic->redists->len ? g_ptr_array_index(s->gic->redists, n) : NULL;
}

static Gicv3Redist *redist_of(Its *s, uint16_t collection)
{
    uint64_t cte;

    return read_entry(s, 1, collection, &cte) ? redist_number(s, cte & 0xffff) : NULL;
}

/* A message or the command INT / CLEAR. */
static void signal_event(Its *s, uint32_t device, uint32_t event, bool pending)
{
    Ite ite;
    Gicv3Redist *r = read_ite(s, device, event, &ite) ? redist_of(s, ite.collection) : NULL;

    if (r) {
        gicv3_set_lpi(r, ite.lpi, pending);
    }
}

/* ---- commands, 5.3 ---- */

static void cmd_mapd(Its *s, const uint64_t c[4])
{
    uint64_t itt = c[2] & 0x000fffffffffff00ull;
    unsigned bits = c[1] & 31;

    write_entry(s, 0, c[0] >> 32, c[2] & VALID && bits < 16 ? DTE_MAKE(bits, itt) : 0);
}

static void cmd_mapc(Its *s, const uint64_t c[4])
{
    uint64_t target = c[2] >> 16 & 0xffff;

    write_entry(s, 1, c[2] & 0xffff,
                (c[2] & VALID) && redist_number(s, target) ? VALID | target : 0);
}

static void cmd_mapti(Its *s, const uint64_t c[4], bool with_id)
{
    uint32_t event = c[1], lpi = with_id ? c[1] >> 32 : event;

    if (lpi < GICV3_LPI_FIRST || lpi >= GICV3_LPI_END) {
        guest_error("arm-gicv3-its: MAPTI to interrupt %u, which is no LPI", lpi);
        return;
    }
    write_ite(s, c[0] >> 32, event, lpi, c[2] & 0xffff, true);
}

static void move_pending(Gicv3Redist *from, Gicv3Redist *to, uint32_t lpi)
{
    if (from && to && from != to && gicv3_lpi_is_pending(from, lpi)) {
        gicv3_set_lpi(from, lpi, false);
        gicv3_set_lpi(to, lpi, true);
    }
}

static void cmd_movi(Its *s, const uint64_t c[4])
{
    Ite ite;

    if (read_ite(s, c[0] >> 32, c[1], &ite)) {
        move_pending(redist_of(s, ite.collection), redist_of(s, c[2] & 0xffff), ite.lpi);
        write_ite(s, c[0] >> 32, c[1], ite.lpi, c[2] & 0xffff, true);
    }
}

static void cmd_movall(Its *s, const uint64_t c[4])
{
    Gicv3Redist *from = redist_number(s, c[2] >> 16 & 0xffff),
                *to = redist_number(s, c[3] >> 16 & 0xffff);

    for (uint32_t lpi = GICV3_LPI_FIRST; from && to && lpi < GICV3_LPI_END; lpi++) {
        move_pending(from, to, lpi);
    }
}

static void cmd_inv(Its *s, const uint64_t c[4])
{
    Ite ite;
    Gicv3Redist *r = read_ite(s, c[0] >> 32, c[1], &ite) ? redist_of(s, ite.collection) : NULL;

    if (r) {
        gicv3_reload_lpi(r, ite.lpi);
    }
}

static void cmd_invall(Its *s, const uint64_t c[4])
{
    Gicv3Redist *r = redist_of(s, c[2] & 0xffff);

    if (r) {
        gicv3_reload_lpis(r);
    }
}

static void cmd_discard(Its *s, const uint64_t c[4])
{
    signal_event(s, c[0] >> 32, c[1], false);
    write_ite(s, c[0] >> 32, c[1], 0, 0, false);
}

static void run_command(Its *s, const uint64_t c[4])
{
    switch (c[0] & 0xff) {
    case CMD_MAPD:
        cmd_mapd(s, c);
        break;
    case CMD_MAPC:
        cmd_mapc(s, c);
        break;
    case CMD_MAPTI:
    case CMD_MAPI:
        cmd_mapti(s, c, (c[0] & 0xff) == CMD_MAPTI);
        break;
    case CMD_INT:
    case CMD_CLEAR:
        signal_event(s, c[0] >> 32, c[1], (c[0] & 0xff) == CMD_INT);
        break;
    case CMD_MOVI:
        cmd_movi(s, c);
        break;
    case CMD_MOVALL:
        cmd_movall(s, c);
        break;
    case CMD_INV:
        cmd_inv(s, c);
        break;
    case CMD_INVALL:
        cmd_invall(s, c);
        break;
    case CMD_DISCARD:
        cmd_discard(s, c);
        break;
    case CMD_SYNC:
        break;
    default:
        guest_error("arm-gicv3-its: unknown command 0x%x", (unsigned)(c[0] & 0xff));
    }
}

/* From CREADR to CWRITER; once round the ring at most. */
static void run_commands(Its *s)
{
    uint64_t size = ((s->cbaser & 0xff) + 1) * 4096;

    while ((s->ctlr & CTLR_ENABLE) && (s->cbaser & VALID) && s->creadr != s->cwriter &&
           s->cwriter < size) {
        uint64_t c[4];

        if (!dma_read(&s->dev, (s->cbaser & ADDRESS) + s->creadr, c, sizeof(c))) {
            guest_error("arm-gicv3-its: the command queue is not in memory");
            return;
        }
        for (unsigned i = 0; i < 4; i++) {
            c[i] = GUINT64_FROM_LE(c[i]);
        }
        s->creadr = s->creadr + COMMAND >= size ? 0 : s->creadr + COMMAND;
        run_command(s, c);
    }
}

/* ---- registers ---- */

static uint64_t its_reg(Its *s, hwaddr offset)
{
    switch (offset) {
    case G_TYPER:
        return TYPER_VALUE;
    case G_CBASER:
        return s->cbaser;
    case G_CWRITER:
        return s->cwriter;
    case G_CREADR:
        return s->creadr;
    default:
        return offset >= G_BASER && offset < G_BASER + 8 * BASERS ? s->baser[(offset - G_BASER) / 8]
                                                                  : 0;
    }
}

static uint64_t its_read(void *opaque, hwaddr offset, unsigned size)
{
    static const uint8_t ids[12] = { 0x44, 0, 0, 0, 0x94, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1 };
    Its *s = opaque;

    if (offset == G_CTLR) {
        return s->ctlr | CTLR_QUIESCENT;
    }
    if (offset == G_IIDR) {
        return 0x43b;
    }
    if (offset >= G_ID && size == 4) {
        return ids[(offset - G_ID) / 4];
    }
    return its_reg(s, offset & ~7ull) >> 8 * (offset & 7);
}

/* The value that a write of 4 or 8 bytes leaves in a 64-bit register. */
static uint64_t merge(uint64_t old, hwaddr offset, uint64_t value, unsigned size, uint64_t writable)
{
    uint64_t mask = size == 8 ? UINT64_MAX : 0xffffffffull << 8 * (offset & 4);

    mask &= writable;
    return (old & ~mask) | (value << 8 * (offset & 4) & mask);
}

static void its_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Its *s = opaque;
    hwaddr reg = offset & ~7ull;

    if (offset == G_CTLR) {
        s->ctlr = value & CTLR_ENABLE;
        run_commands(s);
    } else if (reg == G_CBASER && !(s->ctlr & CTLR_ENABLE)) {
        s->cbaser = merge(s->cbaser, offset, value, size, CBASER_WRITABLE);
        s->creadr = 0;
    } else if (reg == G_CWRITER) {
        s->cwriter = merge(s->cwriter, offset, value, size, 0xfffe0);
        run_commands(s);
    } else if (reg >= G_BASER && reg < G_BASER + 8 * BASERS && !(s->ctlr & CTLR_ENABLE)) {
        unsigned n = (reg - G_BASER) / 8;

        if (baser_fixed[n]) {
            s->baser[n] = merge(s->baser[n], offset, value, size, BASER_WRITABLE) | baser_fixed[n];
        }
    }
}

static const RegionOps its_ops = {
    .read = its_read, .write = its_write, .min_size = 4, .max_size = 8};

static MemResult translation_access(Region *region, hwaddr offset, uint64_t *value, unsigned size,
                                    bool write, MemAttrs attrs)
{
    Its *s = (Its *)region->owner;

    if (!write) {
        *value = 0;
    } else if (offset == TRANSLATER && (size == 4 || size == 2) && (s->ctlr & CTLR_ENABLE)) {
        signal_event(s, attrs.requester_id, *value, true);
    }
    return MEM_OK;
}

static uint64_t no_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void no_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const RegionOps translation_ops = {
    .read = no_read, .write = no_write, .min_size = 1, .max_size = 8};

static bool its_realize(Device *d, GError **error)
{
    Its *s = (Its *)d;

    s->gic = (Gicv3 *)s->gic_object;
    device_region(d, "translation")->access = translation_access;
    return true;
}

static void its_reset(Device *d)
{
    Its *s = (Its *)d;

    s->ctlr = 0;
    s->cbaser = s->cwriter = s->creadr = 0;
    for (unsigned i = 0; i < BASERS; i++) {
        s->baser[i] = baser_fixed[i] | (baser_fixed[i] ? 2ull << 8 : 0);
    }
}

static const RegBank its_banks[] = {
    { .name = "control", .size = 0x10000, .ops = &its_ops, .help = "control registers" },
    { .name = "translation", .size = 0x10000, .ops = &translation_ops, .help = "messages" },
    { 0 },
};

static const Prop its_props[] = {
    PROP_LINK(Its, gic_object, "parent-gicv3", "arm-gicv3", .flags = PROP_REQUIRED),
    PROP_END,
};

static const StateField its_state[] = {
    HOST_ONLY(Its, gic, "link"), STATE(Its, ctlr), STATE(Its, cbaser), STATE(Its, cwriter), STATE(Its, creadr),
    STATE_ARRAY(Its, baser), STATE_END,
};

static const DeviceType its_type = {
    .name = "arm-gicv3-its",
    .category = "misc",
    .desc = "GICv3 interrupt translation service",
    .internal = true,
    .size = sizeof(Its),
    .state_version = 1,
    .props = its_props,
    .banks = its_banks,
    .state = its_state,
    .realize = its_realize,
    .reset = its_reset,
};
DEVICE_TYPE(its_type);
