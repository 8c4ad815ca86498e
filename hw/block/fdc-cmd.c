// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of the floppy disk controller (Intel 82078 data sheet 290468, 5.0 and 6.0): a row each,
 * with its length and what it does. Left out: relative seeks past track 0, SCAN with steps.
 */
#include "fdc.h"

enum { ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_SEEK = 0x20, ST0_EQUIPMENT = 0x10 };
enum { ST1_NO_WRITE = 2, ST1_NO_DATA = 4, ST1_MISSING = 1 };
enum { ST3_HEAD = 4, ST3_TWO_SIDED = 8, ST3_TRACK0 = 0x10, ST3_READY = 0x20, ST3_PROTECTED = 0x40 };
#define VERSION_82078 0x90
#define PART_ID 0x41
#define READ_ID_NS 20000000ll

static FloppyDrive *selected(Fdc *s)
{
    return s->drive < FDC_FITTED ? s->drives[s->drive] : NULL;
}

static void take_drive(Fdc *s)
{
    s->drive = s->fifo[1] & 3;
    s->head = s->fifo[1] >> 2 & 1;
}

static void cmd_invalid(Fdc *s)
{
    const uint8_t st0 = ST0_INVALID;

    fdc_result(s, &st0, 1, false);
}

static void no_result(Fdc *s)
{
    fdc_result(s, NULL, 0, false);
}

/* ---- transfers ---- */

static void start_transfer(Fdc *s, bool write)
{
    FloppyDrive *d;

    take_drive(s);
    d = selected(s);
    s->multi_track = s->command & 0x80;
    s->cylinder = s->fifo[2];
    s->head = s->fifo[3] & 1;
    s->sector = s->fifo[4];
    s->size = s->fifo[5];
    s->last_sector = s->fifo[6];
    s->write = write;
    s->verify = s->format = s->scanning = s->scan_failed = false;
    s->over = false;
    s->at = 0;
    s->have_data = false;
    s->non_dma = (s->head_times & 1) || !s->dma;
    s->phase = FDC_EXECUTE;
    if (!d || !floppy_loaded(d)) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_MISSING, 0);
    } else if (write && d->drive->read_only) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_NO_WRITE, 0);
    } else if (s->size > 2 || s->cylinder >= d->cylinders || s->head >= d->heads ||
               s->sector == 0 || s->sector > d->sectors) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_NO_DATA, 0);
    } else {
        /*
         * the drive's heads are there: software has sought before, or the configuration implies it
         */
        d->cylinder = s->cylinder;
        fdc_run(s);
    }
}

static void cmd_read(Fdc *s)
{
    start_transfer(s, false);
}

static void cmd_write(Fdc *s)
{
    start_transfer(s, true);
}

static void cmd_verify(Fdc *s)
{
    start_transfer(s, false);
    if (s->phase == FDC_EXECUTE) {
        s->verify = true;
        fdc_run(s);
    }
}

static void cmd_scan(Fdc *s)
{
    start_transfer(s, false);
    s->scanning = s->phase == FDC_EXECUTE;
}

static void cmd_read_id(Fdc *s)
{
    FloppyDrive *d;

    take_drive(s);
    d = selected(s);
    s->phase = FDC_EXECUTE;
    s->format = s->write = s->scanning = false;
    if (!d || !floppy_loaded(d) || s->head >= d->heads) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_MISSING, 0);
        return;
    }
    s->cylinder = d->cylinder;
    s->sector = s->sector >= d->sectors || s->sector == 0 ? 1 : s->sector + 1;
    s->size = 2;
    timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) + READ_ID_NS);
}

/* Four bytes for each sector come by DMA: their addresses. All get the filler byte. */
static void cmd_format(Fdc *s)
{
    FloppyDrive *d;

    take_drive(s);
    d = selected(s);
    s->phase = FDC_EXECUTE;
    s->write = s->format = true;
    s->verify = s->over = s->scanning = false;
    s->at = 0;
    s->have_data = false;
    s->non_dma = (s->head_times & 1) || !s->dma;
    s->size = s->fifo[2];
    s->last_sector = s->fifo[3];
    s->sector = 1;
    if (!d || !floppy_loaded(d) || s->head >= d->heads) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_MISSING, 0);
        return;
    }
    s->cylinder = d->cylinder;
    if (d->drive->read_only) {
        fdc_end_transfer(s, ST0_ABNORMAL, ST1_NO_WRITE, 0);
        return;
    }
    memset(s->data, s->fifo[5], sizeof(s->data));
    fdc_run(s);
}

/* ---- heads ---- */

static void finish_seek(Fdc *s, uint8_t cylinder, uint8_t extra)
{
    FloppyDrive *d = selected(s);

    if (d) {
        d->cylinder = MIN(cylinder, 84);
        if (floppy_loaded(d)) {
            d->changed = false;
        }
    }
    s->st0 = ST0_SEEK | extra | s->drive | (uint8_t)(s->head << 2);
    s->seek_done = true;
    no_result(s);
    fdc_raise(s);
}

static void cmd_recalibrate(Fdc *s)
{
    take_drive(s);
    s->head = 0;
    finish_seek(s, 0, selected(s) ? 0 : ST0_ABNORMAL | ST0_EQUIPMENT);
}

static void cmd_seek(Fdc *s)
{
    take_drive(s);
    finish_seek(s, s->fifo[2], 0);
}

static void cmd_relative_seek(Fdc *s)
{
    FloppyDrive *d;

    take_drive(s);
    d = selected(s);
    int to = (d ? d->cylinder : 0) + (s->command & 0x40 ? s->fifo[2] : -(int)s->fifo[2]);

    finish_seek(s, (uint8_t)CLAMP(to, 0, 84), 0);
}

static void cmd_sense_interrupt(Fdc *s)
{
    uint8_t r[2] = { 0 };

    irq_lower(&s->irq);
    if (s->reset_left) {
        r[0] = 0xc0 | (FDC_DRIVES - s->reset_left--);
    } else if (s->seek_done) {
        FloppyDrive *d = selected(s);

        r[0] = s->st0;
        r[1] = d ? d->cylinder : 0;
        s->seek_done = false;
    } else {
        cmd_invalid(s);
        return;
    }
    fdc_result(s, r, 2, false);
}

static void cmd_sense_drive(Fdc *s)
{
    FloppyDrive *d;
    uint8_t st3;

    take_drive(s);
    d = selected(s);
    st3 = s->fifo[1] & 7;
    st3 |= ST3_TWO_SIDED | ST3_READY;
    if (d) {
        st3 |= (d->cylinder == 0 ? ST3_TRACK0 : 0) |
               (floppy_loaded(d) && d->drive->read_only ? ST3_PROTECTED : 0);
    }
    fdc_result(s, &st3, 1, false);
}

/* ---- settings ---- */

static void cmd_specify(Fdc *s)
{
    s->step_rate = s->fifo[1];
    s->head_times = s->fifo[2];
    no_result(s);
}

static void cmd_configure(Fdc *s)
{
    s->config = s->fifo[2];
    s->precomp = s->fifo[3];
    no_result(s);
}

static void cmd_lock(Fdc *s)
{
    s->lock = s->command >> 7;

    const uint8_t r = (uint8_t)(s->lock << 4);

    fdc_result(s, &r, 1, false);
}

static void cmd_perpendicular(Fdc *s)
{
    if (s->fifo[1] & 0x80) {
        s->perpendicular = s->fifo[1] & 0x7f;
    } else {
        s->perpendicular = (s->perpendicular & 0x7c) | (s->fifo[1] & 3);
    }
    no_result(s);
}

static void cmd_version(Fdc *s)
{
    const uint8_t r = VERSION_82078;

    fdc_result(s, &r, 1, false);
}

static void cmd_part_id(Fdc *s)
{
    const uint8_t r = PART_ID;

    fdc_result(s, &r, 1, false);
}

static void cmd_dump(Fdc *s)
{
    const uint8_t r[10] = {
        s->drives[0] ? s->drives[0]->cylinder : 0,
        s->drives[1] ? s->drives[1]->cylinder : 0,
        0,
        0,
        s->step_rate,
        s->head_times,
        s->last_sector,
        (uint8_t)(s->lock << 7 | (s->perpendicular & 0x7f)),
        s->config,
        s->precomp,
    };

    fdc_result(s, r, 10, false);
}

static void cmd_save(Fdc *s)
{
    const uint8_t r[15] = {
        0,
        0,
        s->drives[0] ? s->drives[0]->cylinder : 0,
        s->drives[1] ? s->drives[1]->cylinder : 0,
        0,
        0,
        s->step_rate,
        s->head_times,
        s->last_sector,
        (uint8_t)(s->lock << 7 | (s->perpendicular & 0x7f)),
        s->config,
        s->precomp,
        0,
        0,
        0,
    };

    fdc_result(s, r, 15, false);
}

static void cmd_restore(Fdc *s)
{
    for (unsigned i = 0; i < FDC_FITTED; i++) {
        if (s->drives[i]) {
            s->drives[i]->cylinder = MIN(s->fifo[3 + i], 84);
        }
    }
    s->step_rate = s->fifo[7];
    s->head_times = s->fifo[8];
    s->last_sector = s->fifo[9];
    s->lock = s->fifo[10] >> 7;
    s->perpendicular = s->fifo[10] & 0x7f;
    s->config = s->fifo[11];
    s->precomp = s->fifo[12];
    no_result(s);
}

static void cmd_powerdown(Fdc *s)
{
    const uint8_t r = s->fifo[1];

    fdc_result(s, &r, 1, false);
}

static void cmd_drive_spec(Fdc *s)
{
    no_result(s);
}

/* ---- the table ---- */

typedef struct FdcCommandRow {
    uint8_t value, mask;
    uint8_t len;
    void (*run)(Fdc *s);
    const char *name;
} FdcCommandRow;

static const FdcCommandRow commands[] = {
    { 0x06, 0x1f, 9, cmd_read, "READ DATA" },
    { 0x05, 0x3f, 9, cmd_write, "WRITE DATA" },
    { 0x0f, 0xff, 3, cmd_seek, "SEEK" },
    { 0x08, 0xff, 1, cmd_sense_interrupt, "SENSE INTERRUPT STATUS" },
    { 0x07, 0xff, 2, cmd_recalibrate, "RECALIBRATE" },
    { 0x0d, 0xbf, 6, cmd_format, "FORMAT TRACK" },
    { 0x0c, 0x1f, 9, cmd_read, "READ DELETED DATA" },
    { 0x4e, 0xff, 17, cmd_restore, "RESTORE" },
    { 0x2e, 0xff, 1, cmd_save, "SAVE" },
    { 0x0a, 0xbf, 2, cmd_read_id, "READ ID" },
    { 0x11, 0x1f, 9, cmd_scan, "SCAN EQUAL" },
    { 0x16, 0x1f, 9, cmd_verify, "VERIFY" },
    { 0x19, 0x1f, 9, cmd_scan, "SCAN LOW OR EQUAL" },
    { 0x1d, 0x1f, 9, cmd_scan, "SCAN HIGH OR EQUAL" },
    { 0x09, 0x3f, 9, cmd_write, "WRITE DELETED DATA" },
    { 0x0e, 0xff, 1, cmd_dump, "DUMPREG" },
    { 0x03, 0xff, 3, cmd_specify, "SPECIFY" },
    { 0x04, 0xff, 2, cmd_sense_drive, "SENSE DRIVE STATUS" },
    { 0x10, 0xff, 1, cmd_version, "VERSION" },
    { 0x12, 0xff, 2, cmd_perpendicular, "PERPENDICULAR MODE" },
    { 0x13, 0xff, 4, cmd_configure, "CONFIGURE" },
    { 0x14, 0x7f, 1, cmd_lock, "LOCK" },
    { 0x17, 0xff, 2, cmd_powerdown, "POWERDOWN MODE" },
    { 0x18, 0xff, 1, cmd_part_id, "PART ID" },
    { 0x8e, 0xff, 6, cmd_drive_spec, "DRIVE SPECIFICATION" },
    { 0x8f, 0xbf, 3, cmd_relative_seek, "RELATIVE SEEK" },
};

static const FdcCommandRow *find(uint8_t first)
{
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++) {
        if ((first & commands[i].mask) == commands[i].value) {
            return &commands[i];
        }
    }
    return NULL;
}

unsigned fdc_command_len(uint8_t first)
{
    const FdcCommandRow *r = find(first);

    return r ? r->len : 1;
}

void fdc_command(Fdc *s)
{
    const FdcCommandRow *r = find(s->fifo[0]);

    s->command = s->fifo[0];
    (r ? r->run : cmd_invalid)(s);
}
