// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floppy disk controller of a PC (Intel 82078 data sheet 290468): registers, the phases of a
 * command, and data by DMA or byte by byte. Sectors have 512 bytes. Commands are in fdc-cmd.c,
 * drives in floppy.c. Left out: data rates that do not fit the medium, motor delays, tape.
 */
#include "fdc.h"

#include "qom/vm.h"

enum {
    DOR_RESET = 4,
    DOR_DMA = 8,
    MSR_BUSY = 0x10,
    MSR_NON_DMA = 0x20,
    MSR_DIO = 0x40,
    MSR_RQM = 0x80,
    DSR_RESET = 0x80,
    DIR_CHANGED = 0x80 };
enum {
    ST0_ABNORMAL = 0x40,
    ST1_EN = 0x80,
    ST1_DATA_ERROR = 0x20,
    ST1_NO_DATA = 4,
    ST2_SCAN_HIT = 8,
    ST2_SCAN_FAILED = 4
};

static FloppyDrive *current(Fdc *s)
{
    return s->drive < FDC_FITTED ? s->drives[s->drive] : NULL;
}

void fdc_raise(Fdc *s)
{
    if (s->dor & DOR_DMA) {
        irq_raise(&s->irq);
    }
}

void fdc_result(Fdc *s, const uint8_t *bytes, unsigned n, bool interrupt)
{
    timer_cancel(&s->timer);
    s->phase = n ? FDC_RESULT : FDC_COMMAND;
    s->pos = 0;
    s->len = (uint8_t)n;
    if (n) {
        memmove(s->fifo, bytes, n);
    }
    if (interrupt) {
        fdc_raise(s);
    }
}

void fdc_end_transfer(Fdc *s, uint8_t st0, uint8_t st1, uint8_t st2)
{
    const uint8_t r[7] = {
        (uint8_t)(st0 | s->head << 2 | s->drive),
        st1,
        st2,
        s->cylinder,
        s->head,
        s->sector,
        s->size,
    };

    s->have_data = false;
    fdc_result(s, r, sizeof(r), true);
}

/* ---- the execution phase ---- */

/* On to the next sector; false: that was the last one of the track (or cylinder). */
static bool next_sector(Fdc *s, const FloppyDrive *d)
{
    uint8_t last = s->last_sector < d->sectors ? s->last_sector : d->sectors;

    if (s->sector < last) {
        s->sector++;
        return true;
    }
    s->sector = 1;
    if (s->multi_track && s->head == 0 && d->heads > 1) {
        s->head = 1;
        return true;
    }
    if (s->multi_track) {
        s->head = 0;
    }
    s->cylinder++;
    return false;
}

static uint64_t sector_offset(const Fdc *s, const FloppyDrive *d)
{
    return (((uint64_t)s->cylinder * d->heads + s->head) * d->sectors + s->sector - 1) * FDC_SECTOR;
}

static void sector_done(void *opaque, int ret)
{
    FdcRequest *r = opaque;
    Fdc *s = r->fdc;
    FloppyDrive *d;

    if (!s) {
        g_free(r);
        return;
    }
    s->active = NULL;
    if (!s->write) {
        memcpy(s->data, r->data, FDC_SECTOR);
    }
    g_free(r);
    d = current(s);
    if (ret < 0 || !d) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_DATA_ERROR, s->write ? 0 : 0x20);
        return;
    }
    s->at = 0;
    s->have_data = !s->write;
    if (s->write) {
        bool more = s->format ? s->sector++ < s->last_sector : next_sector(s, d);

        if (s->over || !more) {
            fdc_end_transfer(s, s->over || s->format ? 0 : ST0_ABNORMAL,
                             s->over || s->format ? 0 : ST1_EN, 0);
            return;
        }
    }
    fdc_run(s);
}

static void start_sector(Fdc *s, FloppyDrive *d)
{
    uint64_t offset = sector_offset(s, d);
    FdcRequest *r;

    if (!floppy_loaded(d) || s->cylinder >= d->cylinders || s->head >= d->heads || s->sector == 0 ||
        s->sector > d->sectors || offset + FDC_SECTOR > block_size(d->drive)) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_NO_DATA, 0);
        return;
    }
    r = g_new0(FdcRequest, 1);
    r->fdc = s;
    r->iov = (struct iovec){ r->data, FDC_SECTOR };
    s->active = r;
    if (s->write) {
        memcpy(r->data, s->data, FDC_SECTOR);
        block_write(d->drive, offset, &r->iov, 1, false, sector_done, r);
    } else {
        block_read(d->drive, offset, &r->iov, 1, sector_done, r);
    }
}

/* A sector has gone to the host. */
static void read_step_done(Fdc *s, const FloppyDrive *d)
{
    bool more = next_sector(s, d);

    s->have_data = false;
    s->at = 0;
    if (s->scanning && !s->scan_failed) {
        fdc_end_transfer(s, 0, 0, ST2_SCAN_HIT);
    } else if (s->over || (!more && (s->verify || s->scanning))) {
        fdc_end_transfer(s, 0, 0, s->scanning ? ST2_SCAN_FAILED : 0);
    } else if (!more) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_EN, 0);
    }
}

/* SCAN: the host's bytes are compared with the medium's; FFh fits anything. */
static void scan_bytes(Fdc *s, const uint8_t *host, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t disk = s->data[s->at + i];
        unsigned kind = s->command & 0x1f;

        if (host[i] == 0xff || disk == 0xff || host[i] == disk) {
            continue;
        }
        s->scan_failed |= kind == 0x11 || (kind == 0x19 ? disk > host[i] : disk < host[i]);
    }
}

/* Moves bytes by DMA; false: the channel does not want any now. */
static bool dma_step(Fdc *s)
{
    size_t want = (s->format ? 4u : FDC_SECTOR) - s->at, n;
    uint8_t bytes[FDC_SECTOR];
    bool last = false;

    if (!s->write && !s->scanning) {
        n = isa_dma_to_memory(s->dma, s->dma_channel, s->data + s->at, want, &last);
    } else {
        n = isa_dma_from_memory(s->dma, s->dma_channel, bytes, want, &last);
        if (s->scanning) {
            scan_bytes(s, bytes, n);
        } else if (s->format) {
            memcpy(s->fifo + s->at, bytes, n);      /* C, H, R, N */
        } else {
            memcpy(s->data + s->at, bytes, n);
        }
    }
    s->at += (uint16_t)n;
    s->over |= last;
    return n > 0;
}

/* The host has given all of a sector, or its count is over: the rest is zeros. */
static void write_step_done(Fdc *s, FloppyDrive *d)
{
    if (s->format) {
        s->sector = s->fifo[2];
    } else {
        memset(s->data + s->at, 0, FDC_SECTOR - s->at);
    }
    start_sector(s, d);
}

void fdc_run(Fdc *s)
{
    FloppyDrive *d = current(s);
    unsigned whole = s->format ? 4 : FDC_SECTOR;

    while (s->phase == FDC_EXECUTE && !s->active && !s->timer.pending && d) {
        if (!s->write && !s->have_data) {
            start_sector(s, d);
            return;
        }
        if (s->verify && !s->write) {
            s->at = FDC_SECTOR;
        } else if (s->non_dma || !dma_step(s)) {
            return;
        }
        if (s->write && (s->at == whole || s->over)) {
            write_step_done(s, d);
        } else if (!s->write && (s->at == whole || s->over)) {
            read_step_done(s, d);
        }
    }
}

static void timer_expired(void *opaque)
{
    fdc_end_transfer(opaque, 0, 0, 0);
}

static void dma_opened(void *opaque)
{
    Fdc *s = opaque;

    if (s->phase == FDC_EXECUTE && !s->non_dma) {
        fdc_run(s);
    }
}

/* ---- registers ---- */

void fdc_reset(Fdc *s, bool interrupt)
{
    timer_cancel(&s->timer);
    irq_lower(&s->irq);
    if (s->active) {
        s->active->fdc = NULL;
        s->active = NULL;
    }
    s->phase = FDC_COMMAND;
    s->pos = s->len = 0;
    s->have_data = s->over = s->seek_done = false;
    s->at = 0;
    if (!s->lock) {
        s->config = 0;
        s->precomp = 0;
    }
    s->reset_left = 0;
    if (interrupt) {
        s->reset_left = FDC_DRIVES;
        fdc_raise(s);
    }
}

static void write_dor(Device *dev, const RegAccess *a)
{
    Fdc *s = (Fdc *)dev;

    if (a->old & ~a->value & DOR_RESET) {
        fdc_reset(s, false);
    } else if (~a->old & a->value & DOR_RESET) {
        fdc_reset(s, true);
    }
    if (!(s->phase == FDC_EXECUTE)) {
        s->drive = s->dor & 3;
    }
}

static void write_dsr(Device *dev, const RegAccess *a)
{
    Fdc *s = (Fdc *)dev;

    if (a->value & DSR_RESET) {
        s->dsr &= ~DSR_RESET;
        fdc_reset(s, true);
    }
}

static uint64_t read_msr(Device *dev, const RegAccess *a)
{
    const Fdc *s = (Fdc *)dev;

    if (!(s->dor & DOR_RESET)) {
        return 0;
    }
    switch (s->phase) {
    case FDC_COMMAND:
        return MSR_RQM | (s->pos ? MSR_BUSY : 0);
    case FDC_RESULT:
        return MSR_RQM | MSR_DIO | MSR_BUSY;
    default:
        if (s->non_dma && !s->active && !s->timer.pending) {
            return MSR_RQM | MSR_BUSY | MSR_NON_DMA | (s->write || s->scanning ? 0 : MSR_DIO);
        }
        return MSR_BUSY | (s->non_dma ? MSR_NON_DMA : 0);
    }
}

/* One byte of data without DMA. */
static void pio_moved(Fdc *s)
{
    FloppyDrive *d = current(s);

    if (++s->at < (s->format ? 4 : FDC_SECTOR) || !d) {
        return;
    }
    if (s->write) {
        write_step_done(s, d);
    } else {
        read_step_done(s, d);
        fdc_run(s);
    }
}

static uint64_t read_fifo(Device *dev, const RegAccess *a)
{
    Fdc *s = (Fdc *)dev;
    uint8_t v;

    if (s->phase == FDC_EXECUTE && s->non_dma && s->have_data && !s->write && !s->scanning) {
        v = s->data[s->at];
        pio_moved(s);
        return v;
    }
    if (s->phase != FDC_RESULT) {
        return 0;
    }
    v = s->fifo[s->pos++];
    irq_lower(&s->irq);
    if (s->pos == s->len) {
        s->phase = FDC_COMMAND;
        s->pos = s->len = 0;
    }
    return v;
}

static void write_fifo(Device *dev, const RegAccess *a)
{
    Fdc *s = (Fdc *)dev;
    uint8_t v = (uint8_t)a->value;

    if (!(s->dor & DOR_RESET)) {
        return;
    }
    if (s->phase == FDC_EXECUTE && s->non_dma && !s->active &&
        (s->write || (s->scanning && s->have_data))) {
        if (s->scanning) {
            scan_bytes(s, &v, 1);
        } else if (s->format) {
            s->fifo[s->at] = v;
        } else {
            s->data[s->at] = v;
        }
        pio_moved(s);
        return;
    }
    if (s->phase != FDC_COMMAND) {
        return;
    }
    if (s->pos == 0) {
        s->len = (uint8_t)fdc_command_len(v);
    }
    s->fifo[s->pos++] = v;
    if (s->pos >= s->len) {
        s->pos = 0;
        fdc_command(s);
    }
}

static uint64_t read_dir(Device *dev, const RegAccess *a)
{
    const Fdc *s = (Fdc *)dev;
    const FloppyDrive *d = (s->dor & 3) < FDC_FITTED ? s->drives[s->dor & 3] : NULL;

    /* without a drive nothing pulls the line */
    return d && (d->changed || !floppy_loaded(d)) && (s->dor >> 4 >> (s->dor & 3) & 1) ? DIR_CHANGED
                                                                                       : 0;
}

static void write_ccr(Device *dev, const RegAccess *a)
{
    ((Fdc *)dev)->ccr = a->value & 3;
}

static uint64_t read_status_a(Device *dev, const RegAccess *a)
{
    const Fdc *s = (Fdc *)dev;

    return (s->irq.level ? 0x80 : 0) | (s->drives[1] ? 0 : 0x40);
}

static uint64_t read_status_b(Device *dev, const RegAccess *a)
{
    const Fdc *s = (Fdc *)dev;

    return 0xc0 | (s->dor & 1 ? 0x20 : 0) | (s->dor >> 4 & 3);
}

static const Reg fdc_low_regs[] = {
    REG_HOOK(0, 1, "sra", .read = read_status_a, .help = "status A: interrupt, second drive"),
    REG_HOOK(1, 1, "srb", .read = read_status_b, .help = "status B"),
    REG(Fdc, 2, dor, .reset = 0x0c, .wmask = 0xff, .write = write_dor, .help = "drive, reset, DMA gate, motors"),
    REG(Fdc, 3, tdr, .wmask = 3, .help = "tape drive"),
    REG(Fdc, 4, dsr, .wmask = 0xff, .read = read_msr, .write = write_dsr, .help = "read: main status; write: rate select"),
    REG_HOOK(5, 1, "fifo", .read = read_fifo, .write = write_fifo, .help = "commands, data, results"),
};

static const Reg fdc_high_regs[] = {
    REG_HOOK(0, 1, "dir", .read = read_dir, .write = write_ccr, .help = "read: disk change; write: data rate"),
};

static const RegBank fdc_banks[] = {
    { .name = "io", .size = 6, BANK_REGS(fdc_low_regs), .pio = true, .help = "3F0h to 3F5h" },
    { .name = "dir", .size = 1, BANK_REGS(fdc_high_regs), .pio = true, .help = "3F7h" },
    { 0 },
};

/* ---- device ---- */

static bool fdc_realize(Device *dev, GError **error)
{
    Fdc *s = (Fdc *)dev;

    s->dma = ((IsaBus *)dev->parent_bus)->dma;
    if (s->dma_channel > 3) {
        return fail(error, "isa-fdc: dma must be a channel from 0 to 3, not %u", s->dma_channel);
    }
    if (s->dma) {
        isa_dma_listen(s->dma, s->dma_channel, dma_opened, s);
    }
    timer_init(&s->timer, CLOCK_GUEST, timer_expired, s);
    bus_init(&s->bus.bus, &floppy_bus_type, dev, "floppy-bus.0");
    s->bus.fdc = s;
    return true;
}

static void fdc_unrealize(Device *dev)
{
    Fdc *s = (Fdc *)dev;

    fdc_reset(s, false);
    if (s->dma) {
        isa_dma_listen(s->dma, s->dma_channel, NULL, NULL);
    }
    bus_fini(&s->bus.bus);
}

static void fdc_device_reset(Device *dev)
{
    Fdc *s = (Fdc *)dev;

    s->lock = 0;
    fdc_reset(s, false);
    s->step_rate = s->head_times = s->perpendicular = 0;
    s->drive = s->head = s->cylinder = s->sector = s->size = s->last_sector = 0;
}

/* The high port lies seven above the base, wherever that is. */
static void fdc_plugged(Device *dev)
{
    region_add(dev->vm->io, ((Fdc *)dev)->iobase + 7, device_region(dev, "dir"), 0);
}

static const Prop fdc_props[] = {
    PROP_U32(Fdc, iobase, "iobase", 0x3f0),
    PROP_U32(Fdc, irq_line, "irq", 6, .max = 15),
    PROP_U32(Fdc, dma_channel, "dma", 2),
    PROP_ENUM(Fdc, type[0], "fdtypeA", FLOPPY_AUTO, floppy_type_names, .link = "FdcDriveType"),
    PROP_ENUM(Fdc, type[1], "fdtypeB", FLOPPY_AUTO, floppy_type_names, .link = "FdcDriveType"),
    PROP_ENUM(Fdc, fallback, "fallback", FLOPPY_288, floppy_type_names, .link = "FdcDriveType"),
    PROP_I32(Fdc, bootindex[0], "bootindexA", -1),
    PROP_I32(Fdc, bootindex[1], "bootindexB", -1),
    PROP_END,
};

static const PinRow fdc_pins[] = { PIN_OUT(Fdc, irq, "irq"), PIN_END };

static bool fdc_check_load(Device *d, GError **error)
{
    const Fdc *s = (Fdc *)d;

    return ((s->phase != FDC_RESULT || s->len) && (!s->format || s->at < 4)) ||
           fail(error, "phase %u has %u bytes, %u done", s->phase, s->len, s->at);
}

static const StateField fdc_state[] = {
    HOST_ONLY(Fdc, dma, "wired at realize"), HOST_ONLY(Fdc, bus, "its drives have state of their own"),
    HOST_ONLY(Fdc, drives, "wired at realize"), HOST_ONLY(Fdc, active, "requests have ended before state is saved"),
    STATE_MAX(Fdc, phase, FDC_RESULT), STATE_RAW(Fdc, fifo), STATE_BELOW(Fdc, pos, len, FDC_FIFO - 1), STATE_MAX(Fdc, len, FDC_FIFO), STATE(Fdc, reset_left), STATE(Fdc, st0),
    STATE(Fdc, ccr), STATE(Fdc, seek_done), STATE(Fdc, step_rate), STATE(Fdc, head_times), STATE(Fdc, config),
    STATE(Fdc, precomp), STATE(Fdc, lock), STATE(Fdc, perpendicular), STATE(Fdc, command), STATE_MAX(Fdc, drive, FDC_DRIVES - 1),
    STATE_MAX(Fdc, head, 1), STATE(Fdc, cylinder), STATE(Fdc, sector), STATE(Fdc, size), STATE(Fdc, last_sector),
    STATE(Fdc, multi_track), STATE(Fdc, write), STATE(Fdc, format), STATE(Fdc, verify),
    STATE(Fdc, non_dma), STATE(Fdc, over), STATE(Fdc, scanning), STATE(Fdc, scan_failed), STATE_MAX(Fdc, at, FDC_SECTOR - 1),
    STATE(Fdc, have_data), STATE_RAW(Fdc, data), STATE_TIMER_FIELD(Fdc, timer), STATE_END,
};

static const IsaInfo fdc_isa = {
    .ports = { { .bank = "io", .base_prop = "iobase" } }, .irq_pin = "irq", .irq_prop = "irq", .plugged = fdc_plugged,
};

static const DeviceType fdc_type = {
    .name = "isa-fdc",
    .bus = "ISA",
    .category = "storage",
    .desc = "virtual floppy controller",
    .fw_name = "fdc",
    .bus_info = &fdc_isa,
    .size = sizeof(Fdc),
    .state_version = 1,
    .props = fdc_props,
    .banks = fdc_banks,
    .pins = fdc_pins,
    .state = fdc_state,
    .realize = fdc_realize,
    .unrealize = fdc_unrealize,
    .reset = fdc_device_reset,
    .check_load = fdc_check_load,
};
DEVICE_TYPE(fdc_type);
