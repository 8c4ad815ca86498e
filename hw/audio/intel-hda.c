// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * High Definition Audio controller (HDA 1.0a, chapters 3 and 4) of ICH6 and ICH9: command and
 * response rings, immediate commands, four streams each way.
 */
#include "audio/audio.h"
#include "hw/audio/hda.h"
#include "hw/pci/pci.h"
#include "util/bswap.h"
#include "util/timer.h"

#define STREAMS 8u
#define FIRST_OUTPUT 4u
#define RING_ENTRIES 256u

enum { GCTL_RUN = 1, GCTL_UNSOL = 0x100 };
enum {
    CORBCTL_RUN = 2,
    RIRBCTL_INT = 1,
    RIRBCTL_RUN = 2,
    RIRBCTL_OVERRUN = 4,
    RIRBSTS_INT = 1,
    RIRBSTS_OVERRUN = 4
};
enum { IRS_BUSY = 1, IRS_VALID = 2 };
enum { SD_RESET = 1, SD_RUN = 2, SD_IOCE = 4, SD_FEIE = 8, SD_DEIE = 16 };
enum { SD_BCIS = 1 << 26, SD_FIFOE = 1 << 27, SD_DESE = 1 << 28, SD_FIFORDY = 1 << 29 };
#define SD_W1C (SD_BCIS | SD_FIFOE | SD_DESE)
#define INT_GLOBAL (1u << 31)
#define INT_CONTROLLER (1u << 30)

typedef struct SdStream {
    uint32_t ctl;            /* control in 23:0, status in 31:24 */
    uint32_t lpib, cbl, bdpl, bdpu;
    uint16_t lvi, fmt;
    /* state */
    uint32_t entry, offset;  /* descriptor at hand, bytes of it that are done */
    uint64_t addr;
    uint32_t len;
    bool ioc, fetched;
} SdStream;

typedef struct IntelHda {
    PciDevice pci;
    HdaBus link;
    int msi;
    uint32_t debug;
    uint32_t gctl, intctl, intsts, ssync, corblbase, corbubase, rirblbase, rirbubase, icw, irr, dplbase, dpubase;
    uint16_t wakeen, statests, gsts, corbwp, corbrp, rirbwp, rintcnt, irs;
    uint8_t corbctl, corbsts, rirbctl, rirbsts;
    SdStream sd[STREAMS];
    uint32_t responses;      /* since the last interrupt for them */
    int64_t wall_ns;         /* when the wall clock was 0 */
} IntelHda;

static void update_irq(IntelHda *s)
{
    uint32_t sts = s->rirbsts & RIRBSTS_INT && s->rirbctl & RIRBCTL_INT ? INT_CONTROLLER : 0;
    bool level;

    if (s->rirbsts & RIRBSTS_OVERRUN && s->rirbctl & RIRBCTL_OVERRUN) {
        sts |= INT_CONTROLLER;
    }
    if (s->statests & s->wakeen) {
        sts |= INT_CONTROLLER;
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        uint32_t c = s->sd[i].ctl;

        if ((c & SD_BCIS && c & SD_IOCE) || (c & SD_FIFOE && c & SD_FEIE) ||
            (c & SD_DESE && c & SD_DEIE)) {
            sts |= 1u << i;
        }
    }
    level = sts & s->intctl && s->intctl & INT_GLOBAL;
    s->intsts = sts | (sts & s->intctl ? INT_GLOBAL : 0);
    pci_irq(&s->pci, level);
}

static uint64_t pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

/* ---- commands ---- */

static uint32_t send_command(IntelHda *s, uint32_t command, unsigned *cad)
{
    HdaCodec *c;

    *cad = command >> 28;
    c = hda_find(&s->link, *cad);
    if (!c || command >> 27 & 1) {
        return 0;    /* nobody there, or an indirect node */
    }
    return ((const HdaCodecInfo *)device_type(&c->dev)->bus_info)
        ->command(c, command >> 20 & 0x7f, command & 0xfffff);
}

static void respond(IntelHda *s, uint32_t response, uint32_t extended)
{
    uint64_t addr;

    s->rirbwp = (s->rirbwp + 1) % RING_ENTRIES;
    addr = pair(s->rirbubase, s->rirblbase) + 8u * s->rirbwp;
    dma_store(&s->pci.dev, addr, pair(extended, response), 8, DEV_LITTLE);
    if (++s->responses >= (s->rintcnt & 0xff ? s->rintcnt & 0xffu : 256u)) {
        s->rirbsts |= RIRBSTS_INT;
        s->responses = 0;
    }
}

static void corb_run(IntelHda *s)
{
    unsigned cad;

    while (s->gctl & GCTL_RUN && s->corbctl & CORBCTL_RUN && s->rirbctl & RIRBCTL_RUN &&
           s->corbrp != (s->corbwp & 0xff)) {
        bool ok;
        uint16_t next = (s->corbrp + 1) % RING_ENTRIES;
        uint32_t command =
            dma_load(&s->pci.dev, pair(s->corbubase, s->corblbase) + 4u * next, 4, DEV_LITTLE, &ok);

        s->corbrp = next;
        if (ok) {
            uint32_t response = send_command(s, command, &cad);

            respond(s, response, cad);
        }
    }
    /* an emptied ring tells of what it has */
    if (s->responses && s->corbrp == (s->corbwp & 0xff)) {
        s->rirbsts |= RIRBSTS_INT;
        s->responses = 0;
    }
    update_irq(s);
}

/* ---- streams ---- */

static bool fetch(IntelHda *s, SdStream *d)
{
    uint8_t e[16];

    if (!dma_read(&s->pci.dev, (pair(d->bdpu, d->bdpl) & ~127ull) + 16u * d->entry, e, sizeof(e))) {
        return false;
    }
    d->addr = load_le64(e);
    d->len = load_le32(e + 8);
    d->ioc = load_le32(e + 12) & 1;
    d->offset = 0;
    d->fetched = true;
    return true;
}

static void position_store(IntelHda *s, unsigned i)
{
    if (s->dplbase & 1) {
        dma_store(&s->pci.dev, pair(s->dpubase, s->dplbase & ~127u) + 8u * i, s->sd[i].lpib, 4,
                  DEV_LITTLE);
    }
}

/*
 * Moves within the cyclic buffer until len bytes are done; empty descriptors are passed at most
 * once round.
 */
static size_t stream_move(IntelHda *s, unsigned i, uint8_t *buf, size_t len)
{
    SdStream *d = &s->sd[i];
    unsigned empty = 0;
    size_t done = 0;

    while (done < len && empty <= 256) {
        if (!d->fetched && !fetch(s, d)) {
            d->ctl |= SD_DESE;
            break;
        }
        size_t n = MIN(len - done, (size_t)d->len - MIN(d->len, d->offset));

        if (d->cbl) {
            n = MIN(n, (size_t)d->cbl - MIN(d->lpib, d->cbl - 1));
        }
        if (i >= FIRST_OUTPUT) {
            dma_read(&s->pci.dev, d->addr + d->offset, buf + done, n);
        } else {
            dma_write(&s->pci.dev, d->addr + d->offset, buf + done, n);
        }
        done += n;
        d->offset += n;
        d->lpib += n;
        if (d->cbl && d->lpib >= d->cbl) {
            d->lpib = 0;
        }
        empty = n ? 0 : empty + 1;
        if (d->offset >= d->len) {
            d->entry = d->entry >= d->lvi ? 0 : d->entry + 1;
            d->fetched = false;
            if (d->ioc) {
                d->ctl |= SD_BCIS;
            }
        }
    }
    position_store(s, i);
    update_irq(s);
    return done;
}

static size_t hda_transfer(HdaBus *b, unsigned tag, bool output, uint8_t *buf, size_t len)
{
    IntelHda *s = (IntelHda *)b->bus.owner;

    for (unsigned i = output ? FIRST_OUTPUT : 0; i < (output ? STREAMS : FIRST_OUTPUT); i++) {
        SdStream *d = &s->sd[i];

        /* a full status is not overwritten: the driver is behind */
        if (d->ctl & SD_RUN && (d->ctl >> 20 & 0xf) == tag) {
            return stream_move(s, i, buf, len);
        }
    }
    return 0;
}

static void stream_notify(IntelHda *s, unsigned i, bool running)
{
    for (guint k = 0; k < s->link.bus.devices->len; k++) {
        HdaCodec *c = s->link.bus.devices->pdata[k];

        ((const HdaCodecInfo *)device_type(&c->dev)->bus_info)
            ->stream(c, s->sd[i].ctl >> 20 & 0xf, i >= FIRST_OUTPUT, running);
    }
}

static void sd_ctl_write(Device *dev, const RegAccess *a)
{
    IntelHda *s = (IntelHda *)dev;
    SdStream *d = &s->sd[a->index];
    uint32_t old = a->old;

    /* status bits are cleared by ones, control bits are stored; the mask says which were written */
    d->ctl = (old & ~(uint32_t)a->mask & 0xffffff) | (a->value & a->mask & 0x00ff001f) |
             (old & 0xff000000u & ~(a->value & a->mask & SD_W1C));
    if (d->ctl & SD_RESET) {
        if (!(old & SD_RESET)) {
            stream_notify(s, a->index, false);
        }
        *d = (SdStream){ .ctl = SD_RESET };
    } else if ((d->ctl ^ old) & SD_RUN) {
        bool run = d->ctl & SD_RUN;

        d->ctl = run ? d->ctl | SD_FIFORDY : d->ctl & ~(uint32_t)SD_FIFORDY;
        stream_notify(s, a->index, run);
    }
    update_irq(s);
}

/* ---- registers ---- */

static void rings_reset(IntelHda *s);

static void controller_reset(IntelHda *s)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        stream_notify(s, i, false);
        s->sd[i] = (SdStream){ 0 };
    }
    rings_reset(s);
    for (guint i = 0; i < s->link.bus.devices->len; i++) {
        device_reset(s->link.bus.devices->pdata[i]);
    }
}

static void gctl_write(Device *dev, const RegAccess *a)
{
    IntelHda *s = (IntelHda *)dev;

    if (a->old & GCTL_RUN && !(s->gctl & GCTL_RUN)) {
        controller_reset(s);
    } else if (!(a->old & GCTL_RUN) && s->gctl & GCTL_RUN) {
        for (guint i = 0; i < s->link.bus.devices->len; i++) {
            s->statests |= 1u << ((HdaCodec *)s->link.bus.devices->pdata[i])->cad;
        }
        s->wall_ns = clock_now_ns(CLOCK_GUEST);
    }
    update_irq(s);
}

static void irq_write(Device *dev, const RegAccess *a)
{
    update_irq((IntelHda *)dev);
}

static uint64_t wall_read(Device *dev, const RegAccess *a)
{
    IntelHda *s = (IntelHda *)dev;
    uint64_t ns = (uint64_t)(clock_now_ns(CLOCK_GUEST) - s->wall_ns);

    return s->gctl & GCTL_RUN ? ns * 24 / 1000 : 0;    /* 24 MHz */
}

static void corb_write(Device *dev, const RegAccess *a)
{
    IntelHda *s = (IntelHda *)dev;

    corb_run(s);
}

static void corbrp_write(Device *dev, const RegAccess *a)
{
    IntelHda *s = (IntelHda *)dev;

    s->corbrp = a->value & 0x8000 ? 0x8000 : a->old & 0xff;
    if (!(a->value & 0x8000)) {
        s->corbrp = a->old & 0x8000 ? 0 : a->old & 0xff;
    }
}

static void rirbwp_write(Device *dev, const RegAccess *a)
{
    IntelHda *s = (IntelHda *)dev;

    s->rirbwp = a->value & 0x8000 ? 0 : a->old;
    s->responses = 0;
}

static void irs_write(Device *dev, const RegAccess *a)
{
    IntelHda *s = (IntelHda *)dev;
    unsigned cad;

    s->irs = a->old & ~(a->value & IRS_VALID);
    if (a->value & IRS_BUSY && s->gctl & GCTL_RUN) {
        s->irr = send_command(s, s->icw, &cad);
        s->irs = IRS_VALID;
    }
}

static const Reg hda_regs[] = {
    REG_HOOK(0x00, 2, "gcap", .reset = 0x4401),
    REG_HOOK(0x02, 1, "vmin"),
    REG_HOOK(0x03, 1, "vmaj", .reset = 1),
    REG_HOOK(0x04, 2, "outpay", .reset = 0x3c),
    REG_HOOK(0x06, 2, "inpay", .reset = 0x1d),
    REG(IntelHda, 0x08, gctl, .wmask = 0x103, .write = gctl_write),
    REG(IntelHda, 0x0c, wakeen, .wmask = 0x7fff, .write = irq_write),
    REG(IntelHda, 0x0e, statests, .w1c = 0x7fff, .write = irq_write),
    REG(IntelHda, 0x10, gsts, .w1c = 2),
    REG(IntelHda, 0x20, intctl, .wmask = 0xc00000ff, .write = irq_write),
    REG(IntelHda, 0x24, intsts),
    REG_HOOK(0x30, 4, "walclk", .read = wall_read),
    REG(IntelHda, 0x38, ssync, .wmask = 0xff),
    REG(IntelHda, 0x40, corblbase, .wmask = 0xffffff80),
    REG(IntelHda, 0x44, corbubase, .wmask = UINT32_MAX),
    REG(IntelHda, 0x48, corbwp, .wmask = 0xff, .write = corb_write),
    REG(IntelHda, 0x4a, corbrp, .wmask = 0x8000, .write = corbrp_write),
    REG(IntelHda, 0x4c, corbctl, .wmask = 3, .write = corb_write),
    REG(IntelHda, 0x4d, corbsts, .w1c = 1),
    REG_HOOK(0x4e, 1, "corbsize", .reset = 0x42),
    REG(IntelHda, 0x50, rirblbase, .wmask = 0xffffff80),
    REG(IntelHda, 0x54, rirbubase, .wmask = UINT32_MAX),
    REG(IntelHda, 0x58, rirbwp, .wmask = 0x8000, .write = rirbwp_write),
    REG(IntelHda, 0x5a, rintcnt, .wmask = 0xff),
    REG(IntelHda, 0x5c, rirbctl, .wmask = 7, .write = corb_write),
    REG(IntelHda, 0x5d, rirbsts, .w1c = 5, .write = irq_write),
    REG_HOOK(0x5e, 1, "rirbsize", .reset = 0x42),
    REG(IntelHda, 0x60, icw, .wmask = UINT32_MAX),
    REG(IntelHda, 0x64, irr),
    REG(IntelHda, 0x68, irs, .wmask = 3, .write = irs_write),
    REG(IntelHda, 0x70, dplbase, .wmask = 0xffffff81),
    REG(IntelHda, 0x74, dpubase, .wmask = UINT32_MAX),
};

/* The streams' registers: 20h bytes each from 80h. */
static SdStream *sd_at(IntelHda *s, hwaddr offset)
{
    return offset >= 0x80 && offset < 0x80 + STREAMS * 0x20 ? &s->sd[(offset - 0x80) / 0x20] : NULL;
}

static uint64_t sd_read(void *opaque, hwaddr offset, unsigned size)
{
    IntelHda *s = opaque;
    SdStream *d;

    if (offset >= 0x2000) {    /* aliases of the positions */
        offset -= 0x2000;
        if (offset == 0x30) {
            return bank_read(&s->pci.dev, "mmio", 0x30, 4);
        }
    }
    d = sd_at(s, offset);
    switch (d ? offset & 0x1c : 0x1f) {
    case 0x00: return d->ctl;
    case 0x04: return d->lpib;
    case 0x08: return d->cbl;
    case 0x0c: return d->lvi;
    case 0x10: return 0x100 | (uint32_t)d->fmt << 16;
    case 0x18: return d->bdpl;
    case 0x1c: return d->bdpu;
    default: return 0;
    }
}

static void sd_write_bits(IntelHda *s, hwaddr offset, uint32_t value, uint32_t mask)
{
    SdStream *d = sd_at(s, offset);

    switch (d ? offset & 0x1c : 0x1f) {
    case 0x00:
        sd_ctl_write(&s->pci.dev, &(RegAccess){.index = (offset - 0x80) / 0x20,
                                               .value = value,
                                               .old = d->ctl,
                                               .mask = mask});
        break;
    case 0x08: d->cbl = (d->cbl & ~mask) | (value & mask); break;
    case 0x0c: d->lvi = ((d->lvi & ~mask) | (value & mask)) & 0xff; break;
    case 0x10: d->fmt = ((((uint32_t)d->fmt << 16) & ~mask) | (value & mask)) >> 16 & 0x7f7f; break;
    case 0x18: d->bdpl = ((d->bdpl & ~mask) | (value & mask)) & ~127u; break;
    case 0x1c: d->bdpu = (d->bdpu & ~mask) | (value & mask); break;
    default: break;
    }
}

static void sd_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    unsigned shift = 8 * (offset & 3);

    if (offset < 0x2000) {
        sd_write_bits(opaque, offset & ~3ull, (uint32_t)value << shift,
                      (size == 4 ? UINT32_MAX : (1u << 8 * size) - 1) << shift);
    }
}

static uint64_t sd_read_part(void *opaque, hwaddr offset, unsigned size)
{
    return sd_read(opaque, offset & ~3ull, 4) >> 8 * (offset & 3);
}

static const RegionOps sd_ops = {
    .read = sd_read_part, .write = sd_write, .min_size = 1, .max_size = 4};

static const RegBank hda_banks[] = {
    { .name = "mmio", .size = 0x4000, BANK_REGS(hda_regs), .ops = &sd_ops },
    { 0 },
};

/* ---- the device ---- */

static void rings_reset(IntelHda *s)
{
    s->intctl = s->ssync = s->corblbase = s->corbubase = s->rirblbase = s->rirbubase = s->icw =
        s->irr = 0;
    s->dplbase = s->dpubase = 0;
    s->corbwp = s->corbrp = s->rirbwp = s->rintcnt = s->irs = s->wakeen = s->statests = 0;
    s->corbctl = s->corbsts = s->rirbctl = s->rirbsts = 0;
    s->responses = 0;
}

static bool hda_realize(Device *d, GError **error)
{
    IntelHda *s = (IntelHda *)d;
    g_autofree char *name = bus_new_name(d, "hda");

    if (s->msi != ON_OFF_AUTO_OFF && !pci_msi_init_plain(&s->pci, 0x60, error)) {
        return false;
    }
    bus_init(&s->link.bus, &hda_bus_type, d, name);
    s->link.transfer = hda_transfer;
    return true;
}

static void hda_unrealize(Device *d)
{
    bus_fini(&((IntelHda *)d)->link.bus);
}

static void hda_reset(Device *d)
{
    IntelHda *s = (IntelHda *)d;

    for (unsigned i = 0; i < STREAMS; i++) {
        s->sd[i] = (SdStream){ 0 };
    }
    s->responses = 0;
    s->wall_ns = clock_now_ns(CLOCK_GUEST);
    update_irq(s);
}

static const Prop hda_props[] = {
    PROP_ON_OFF_AUTO(IntelHda, msi, "msi", ON_OFF_AUTO_AUTO),
    PROP_U32(IntelHda, debug, "debug", 0, .flags = PROP_HIDDEN),
    PROP_END,
};

static const StateField sd_state[] = {
    STATE(SdStream, ctl), STATE(SdStream, lpib), STATE(SdStream, cbl), STATE(SdStream, bdpl), STATE(SdStream, bdpu),
    STATE(SdStream, lvi), STATE(SdStream, fmt), STATE(SdStream, entry), STATE(SdStream, offset), STATE(SdStream, addr),
    STATE(SdStream, len), STATE(SdStream, ioc), STATE(SdStream, fetched), STATE_END,
};
static const StateField hda_state[] = {
    STATE_STRUCTS(IntelHda, sd, sd_state), STATE(IntelHda, responses), STATE(IntelHda, wall_ns),
    HOST_ONLY(IntelHda, link, "codecs keep their own"), STATE_END,
};

/* Drivers know 44h as the traffic class and clear its low bits: no capability may lie there. */
static const PciConfigRow hda_config[] = {{.name = "hdctl", .offset = 0x40, .size = 1, .reset = 1},
                                          {0}};

#define HDA(id_, name_, desc_, device_, rev_)             \
    static const PciInfo id_##_pci = {                    \
        .vendor = 0x8086,                                 \
        .device = device_,                                \
        .class_code = 0x040300,                           \
        .revision = rev_,                                 \
        .pin = 1,                                         \
        .config = hda_config,                             \
        .bar = {{.kind = PCI_BAR_MEM32, .bank = "mmio"}}, \
    };                                                    \
    static const DeviceType id_##_type = {                \
        .name = name_,                                    \
        .parent = "pci-device",                           \
        .bus = "PCI",                                     \
        .category = "sound",                              \
        .desc = desc_,                                    \
        .size = sizeof(IntelHda),                         \
        .state_version = 1,                               \
        .bus_info = &id_##_pci,                           \
        .props = hda_props,                               \
        .banks = hda_banks,                               \
        .state = hda_state,                               \
        .realize = hda_realize,                           \
        .unrealize = hda_unrealize,                       \
        .reset = hda_reset,                               \
    };                                                    \
    DEVICE_TYPE(id_##_type);
HDA(ich6, "intel-hda", "Intel HD Audio Controller (ich6)", 0x2668, 1)
HDA(ich9, "ich9-intel-hda", "Intel HD Audio Controller (ich9)", 0x293e, 3)
