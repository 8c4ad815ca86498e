// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct commands of MegaRAID firmware: what the controller is, lists of drives and what they are,
 * events. Structures as Linux's megaraid_sas.h has them.
 */
#include <string.h>
#include "megasas.h"
#include "util/bswap.h"
#include "util/iov.h"
#include "util/timer.h"

#define PD_INFO_SIZE 512u
#define LD_INFO_SIZE 384u
#define CTRL_INFO_SIZE 2048u
#define PROPS_SIZE 64u
#define EVENT_SIZE 256u
#define EVENT_LOCALE_CLASS 0x00000001u
enum { PD_QUERY_ALL = 0, PD_QUERY_EXPOSED = 5 };
enum { PD_STATE_ONLINE = 0x18, PD_STATE_SYSTEM = 0x40 };
enum { LD_STATE_OPTIMAL = 3 };
enum { EVENT_ARGS_LD = 2, EVENT_ARGS_PD = 10 };
enum { DCMD_EVENT_WAIT = 0x01040500 };

typedef struct Dcmd {
    Megasas *s;
    uint64_t frame;
    const uint8_t *f, *mbox;
    uint8_t *out; /* MEGASAS_DCMD_MAX bytes, zero */
    uint32_t len; /* of what is said */
} Dcmd;

/* ---- drives ---- */

static bool is_drive(const ScsiDevice *d)
{
    return d->dev.realized && d->lun == 0;
}

static uint64_t drive_blocks(ScsiDevice *d)
{
    return d->drive ? block_size(d->drive) / 512 : 0;
}

/* One of the first MEGASAS_LDS drives, by index; NULL past the end. */
static ScsiDevice *nth_drive(Megasas *s, unsigned n)
{
    for (guint i = 0; i < s->bus.bus.devices->len; i++) {
        ScsiDevice *d = s->bus.bus.devices->pdata[i];

        if (is_drive(d) && n-- == 0) {
            return d;
        }
    }
    return NULL;
}

static uint64_t drive_address(Megasas *s, const ScsiDevice *d)
{
    return s->sas_address + 0x10 + d->id;
}

/* As INQUIRY has it: SCSI CD drives have another block size. */
static uint8_t drive_type(ScsiDevice *d)
{
    return ((const ScsiDeviceInfo *)device_type(&d->dev)->bus_info)->block_bytes == 2048 ? 5 : 0;
}

static uint8_t pd_list(Dcmd *c, bool all)
{
    Megasas *s = c->s;
    unsigned n = 0;
    ScsiDevice *d;

    while ((all || s->use_jbod) && n < MEGASAS_LDS && (d = nth_drive(s, n)) != NULL) {
        uint8_t *e = c->out + 8 + 24 * n++;

        store_le16(e, d->id);
        store_le16(e + 2, 0xffff);
        e[5] = d->id;
        e[6] = drive_type(d);
        e[7] = 1;
        store_le64(e + 8, drive_address(s, d));
    }
    c->len = 8 + 24 * n;
    store_le32(c->out, c->len);
    store_le32(c->out + 4, n);
    return MFI_OK;
}

static uint8_t dcmd_pd_list(Dcmd *c)
{
    return pd_list(c, true);
}

static uint8_t dcmd_pd_query(Dcmd *c)
{
    return pd_list(c, c->mbox[0] != PD_QUERY_EXPOSED);
}

static uint8_t dcmd_pd_info(Dcmd *c)
{
    ScsiDevice *d = scsi_find(&c->s->bus, 0, load_le16(c->mbox), 0);
    uint8_t *o = c->out;

    if (!d) {
        return MFI_DEVICE_NOT_FOUND;
    }
    store_le16(o, d->id);
    o[4] = drive_type(d);
    o[6] = 5;
    o[8] = 31;
    memset(o + 12, ' ', 24);
    memcpy(o + 12, "QEMU", 4);
    o[165] = drive_type(d);
    o[166] = 1;
    store_le16(o + 184, c->s->use_jbod ? PD_STATE_SYSTEM : PD_STATE_ONLINE);
    store_le32(o + 188, c->s->use_jbod ? 0x3000 : 0x3002);
    o[192] = 1;
    store_le64(o + 200, drive_address(c->s, d));
    for (unsigned at = 232; at < 256; at += 8) {
        store_le64(o + at, drive_blocks(d));
    }
    store_le16(o + 256, 0xffff);
    o[259] = d->id;
    c->len = PD_INFO_SIZE;
    return MFI_OK;
}

static unsigned ld_count(Megasas *s)
{
    unsigned n = 0;

    while (!s->use_jbod && n < MEGASAS_LDS && nth_drive(s, n)) {
        n++;
    }
    return n;
}

static uint8_t dcmd_ld_list(Dcmd *c)
{
    unsigned n = ld_count(c->s);

    store_le32(c->out, n);
    for (unsigned i = 0; i < n; i++) {
        ScsiDevice *d = nth_drive(c->s, i);
        uint8_t *e = c->out + 8 + 16 * i;

        e[0] = d->id;
        e[4] = LD_STATE_OPTIMAL;
        store_le64(e + 8, drive_blocks(d));
    }
    c->len = 8 + 16 * n;
    return MFI_OK;
}

static uint8_t dcmd_ld_query(Dcmd *c)
{
    unsigned n = ld_count(c->s);

    c->len = 11 + n;
    store_le32(c->out, c->len);
    store_le32(c->out + 4, n);
    for (unsigned i = 0; i < n; i++) {
        c->out[11 + i] = nth_drive(c->s, i)->id;
    }
    return MFI_OK;
}

static uint8_t dcmd_ld_info(Dcmd *c)
{
    ScsiDevice *d = c->s->use_jbod ? NULL : scsi_find(&c->s->bus, 0, c->mbox[0], 0);

    if (!d) {
        return MFI_DEVICE_NOT_FOUND;
    }
    c->out[0] = d->id;
    c->out[0x38] = LD_STATE_OPTIMAL;
    c->out[0x22] = 3;
    c->out[0x23] = 1;
    store_le64(c->out + 0x60, drive_blocks(d));
    c->len = LD_INFO_SIZE;
    return MFI_OK;
}

static uint8_t dcmd_ld_props(Dcmd *c)
{
    c->out[0] = c->mbox[0];
    c->len = 32;
    return scsi_find(&c->s->bus, 0, c->mbox[0], 0) ? MFI_OK : MFI_DEVICE_NOT_FOUND;
}

/* ---- the controller ---- */

static void fill_props(Megasas *s, uint8_t *o)
{
    store_le16(o + 2, 300);
    store_le16(o + 4, 16);
    store_le16(o + 6, 50);
    memset(o + 8, 30, 5);
    o[13] = 4;
    o[14] = 2;
    o[15] = 6;
    if (s->use_jbod) {
        store_le32(o + 32, 1u << 13);
    }
}

static uint8_t dcmd_props(Dcmd *c)
{
    fill_props(c->s, c->out);
    c->len = PROPS_SIZE;
    return MFI_OK;
}

static uint8_t dcmd_ctrl_info(Dcmd *c)
{
    Megasas *s = c->s;
    const MegasasModel *m = megasas_model(s);
    uint8_t *o = c->out;
    unsigned drives = 0;

    while (drives < MEGASAS_LDS && nth_drive(s, drives)) {
        drives++;
    }
    store_le16(o, m->pci.vendor);
    store_le16(o + 2, m->pci.device);
    store_le16(o + 4, m->pci.subsys_vendor);
    store_le16(o + 6, m->pci.subsys);
    o[32] = 2; /* host: PCI Express */
    o[104] = 2; /* drives: SAS */
    o[111] = 8;
    for (unsigned i = 0; i < 8; i++) {
        store_le64(o + 112 + 8 * i, nth_drive(s, i) ? drive_address(s, nth_drive(s, i)) : 0);
    }
    memcpy(o + 176, "MFI1", 4);
    store_le32(o + 180, 1);
    memcpy(o + 184, "APP", 3);
    memcpy(o + 192, "7.2.0", 5);
    o[0x53c] = 32; /* arms, spans, arrays, logical drives */
    o[0x53d] = 8;
    o[0x53e] = 128;
    o[0x53f] = MEGASAS_LDS;
    g_strlcpy((char *)o + 0x540, m->product, 80);
    g_strlcpy((char *)o + 0x590, s->hba_serial ? s->hba_serial : "0123456789", 32);
    store_le32(o + 0x5b0, 4); /* has NVRAM */
    store_le16(o + 0x5b8, s->max_cmds);
    store_le16(o + 0x5ba, s->max_sge);
    store_le32(o + 0x5bc, 8192);
    store_le16(o + 0x5c0, ld_count(s));
    store_le16(o + 0x5c6, drives);
    store_le16(o + 0x5c8, drives);
    store_le16(o + 0x5ce, 32); /* KiB of NVRAM, MiB of memory, of flash */
    store_le16(o + 0x5d0, 512);
    store_le16(o + 0x5d2, 16);
    store_le16(o + 0x5da, 20); /* strips of a request */
    store_le32(o + 0x5dc, 1); /* RAID 0 */
    store_le32(o + 0x5e4, 4 | 8);
    o[0x5e8] = 3;
    o[0x5e9] = 8;
    store_le32(o + 0x5f0, 1); /* SAS */
    fill_props(s, o + 0x600);
    memcpy(o + 0x640, "7.2.0", 5);
    c->len = CTRL_INFO_SIZE;
    return MFI_OK;
}

static uint8_t dcmd_time(Dcmd *c)
{
    store_le64(c->out, (uint64_t)(clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND));
    c->len = 8;
    return MFI_OK;
}

/* There is nothing behind a drive's own cache. */
static uint8_t dcmd_nothing(Dcmd *c)
{
    return MFI_OK;
}

static uint8_t dcmd_shutdown(Dcmd *c)
{
    c->s->fw_state = MFI_STATE_READY;
    return MFI_OK;
}

static uint8_t dcmd_config(Dcmd *c)
{
    store_le32(c->out, 32);
    c->len = 32;
    return MFI_OK;
}

static uint8_t dcmd_reset(Dcmd *c)
{
    megasas_reset_devices(c->s, -1);
    return MFI_OK;
}

static uint8_t dcmd_reset_ld(Dcmd *c)
{
    if (!scsi_find(&c->s->bus, 0, load_le16(c->mbox), 0)) {
        return MFI_DEVICE_NOT_FOUND;
    }
    megasas_reset_devices(c->s, load_le16(c->mbox));
    return MFI_OK;
}

/* ---- events ---- */

static const MegasasEvent *event_find(Megasas *s, uint32_t seq)
{
    const MegasasEvent *e = &s->events[seq % MEGASAS_EVENTS];

    return seq && e->seq == seq ? e : NULL;
}

static void fill_event(Megasas *s, const MegasasEvent *e, uint8_t *o)
{
    memset(o, 0, EVENT_SIZE);
    store_le32(o, e->seq);
    store_le32(o + 4, (uint32_t)(clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND));
    store_le32(o + 8, e->code);
    store_le32(o + 12, EVENT_LOCALE_CLASS);
    o[16] = s->use_jbod ? EVENT_ARGS_PD : EVENT_ARGS_LD;
    store_le16(o + 32, e->target);
    o[34] = e->target;
    g_snprintf((char *)o + 128, 128, "%s %u", s->use_jbod ? "PD" : "VD", e->target);
}

static uint8_t dcmd_event_info(Dcmd *c)
{
    uint32_t newest = c->s->event_seq;

    store_le32(c->out, newest);
    store_le32(c->out + 4,
               newest >= MEGASAS_EVENTS ? newest - MEGASAS_EVENTS + 1 : MIN(newest, 1u));
    c->len = 20;
    return MFI_OK;
}

static uint8_t dcmd_event_wait(Dcmd *c)
{
    Megasas *s = c->s;
    const MegasasEvent *e = event_find(s, load_le32(c->mbox));

    if (e) {
        fill_event(s, e, c->out);
        c->len = EVENT_SIZE;
        return MFI_OK;
    }
    if (s->waiter) {
        return MFI_WRONG_STATE;
    }
    s->waiter = c->frame;
    s->waiter_seq = load_le32(c->mbox);
    return MFI_PENDING;
}

/* ---- the table ---- */

typedef struct DcmdRow {
    uint32_t code;
    uint8_t (*run)(Dcmd *c);
} DcmdRow;

static const DcmdRow dcmds[] = {
    {0x01010000, dcmd_ctrl_info}, {0x01020100, dcmd_props},     {0x01020200, dcmd_nothing},
    {0x01040100, dcmd_event_info}, {DCMD_EVENT_WAIT, dcmd_event_wait}, {0x01050000, dcmd_shutdown},
    {0x01060000, dcmd_shutdown},  {0x01080201, dcmd_time},      {0x01101000, dcmd_nothing},
    {0x02010000, dcmd_pd_list},   {0x02010100, dcmd_pd_query},  {0x02020000, dcmd_pd_info},
    {0x03010000, dcmd_ld_list},   {0x03010100, dcmd_ld_query},  {0x03020000, dcmd_ld_info},
    {0x03030000, dcmd_ld_props},  {0x04010000, dcmd_config},    {0x08000000, dcmd_nothing},
    {0x08010100, dcmd_reset},     {0x08010200, dcmd_reset_ld},
};

/* What a command says goes to the frame's memory, as far as there is room. */
static uint8_t send_data(Dcmd *c)
{
    DmaList l;
    uint8_t status = MFI_OK;

    dma_list_init(&l, &c->s->pci.dev);
    if (!megasas_sgl(c->s, &l, c->frame, c->f, 0x28) || !dma_list_map(&l, true)) {
        status = MFI_INVALID_PARAMETER;
    } else {
        dma_list_unmap(&l, iov_from_buf(l.iov, l.niov, 0, c->out, MIN(c->len, l.size)));
    }
    dma_list_free(&l);
    return status;
}

uint8_t megasas_dcmd(Megasas *s, uint64_t frame, const uint8_t *f)
{
    uint32_t code = load_le32(f + 0x18);
    g_autofree uint8_t *out = g_malloc0(MEGASAS_DCMD_MAX);
    Dcmd c = {.s = s, .frame = frame, .f = f, .mbox = f + 0x1c, .out = out};

    for (unsigned i = 0; i < G_N_ELEMENTS(dcmds); i++) {
        if (dcmds[i].code == code) {
            uint8_t status = dcmds[i].run(&c);

            return status == MFI_OK && c.len ? send_data(&c) : status;
        }
    }
    return MFI_INVALID_DCMD;
}

void megasas_event(Megasas *s, uint32_t code, uint8_t target)
{
    MegasasEvent *e = &s->events[++s->event_seq % MEGASAS_EVENTS];
    uint64_t frame = s->waiter;
    uint8_t f[MEGASAS_FRAME], out[EVENT_SIZE];
    Dcmd c = {.s = s, .frame = frame, .f = f, .out = out, .len = EVENT_SIZE};

    *e = (MegasasEvent){.seq = s->event_seq, .code = code, .target = target};
    if (!frame || s->waiter_seq > e->seq) {
        return;
    }
    s->waiter = 0;
    if (dma_read(&s->pci.dev, frame, f, sizeof(f))) {
        fill_event(s, e, out);
        megasas_complete(s, frame, f, send_data(&c), 0);
    }
}
