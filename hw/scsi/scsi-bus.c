// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SCSI buses and requests (SAM-5, SPC-4): places of devices, what every target answers whatever is
 * behind it (REPORT LUNS, a LUN that is not there, unit attentions), sense data.
 */
#include "hw/scsi/scsi.h"

#include <string.h>

#include "qom/vm.h"
#include "util/bswap.h"
#include "util/iov.h"

enum {
    INQUIRY = 0x12,
    REQUEST_SENSE = 0x03,
    REPORT_LUNS = 0xa0
};
enum {
    ASC_LUN_NOT_SUPPORTED = 0x25,
    ASC_INVALID_FIELD = 0x24,
    ASC_POWER_ON = 0x29
};

/* ---- the bus ---- */

void scsi_bus_init(ScsiBus *b, Device *owner, const ScsiBusOps *ops)
{
    g_autofree char *name = bus_new_name(owner, "scsi");

    bus_init(&b->bus, &scsi_bus_type, owner, name);
    b->ops = ops;
    b->bus.hotplug = true;
}

ScsiDevice *scsi_find(ScsiBus *b, uint32_t channel, uint32_t id, uint32_t lun)
{
    ScsiDevice *any = NULL;

    for (unsigned i = 0; i < b->bus.devices->len; i++) {
        ScsiDevice *d = g_ptr_array_index(b->bus.devices, i);

        if (!d->dev.realized || d->channel != channel || d->id != id) {
            continue;
        }
        if (d->lun == lun || lun == SCSI_ANY_LUN) {
            return d;
        }
        any = d;
    }
    return lun == SCSI_ANY_LUN ? any : NULL;
}

/* Whether another device, realized or not, is at d's place. */
static bool place_taken(ScsiBus *b, const ScsiDevice *d, uint32_t id, uint32_t lun)
{
    for (unsigned i = 0; i < b->bus.devices->len; i++) {
        const ScsiDevice *o = g_ptr_array_index(b->bus.devices, i);

        if (o != d && o->channel == d->channel && o->id == id && o->lun == lun) {
            return true;
        }
    }
    return false;
}

static bool scsi_attach(Bus *bus, Device *dev, GError **error)
{
    ScsiBus *b = (ScsiBus *)bus;
    ScsiDevice *d = (ScsiDevice *)dev;
    uint32_t lun = d->lun == UINT32_MAX ? 0 : d->lun;

    if (d->channel > b->ops->max_channel) {
        return fail(error, "bad scsi channel id: %u", d->channel);
    }
    if (d->id != UINT32_MAX && d->id > b->ops->max_target) {
        return fail(error, "bad scsi device id: %u", d->id);
    }
    if (lun > b->ops->max_lun) {
        return fail(error, "bad scsi device lun: %u", lun);
    }
    if (d->id == UINT32_MAX) {
        for (d->id = 0; d->id <= b->ops->max_target && place_taken(b, d, d->id, lun);) {
            d->id++;
        }
        if (d->id > b->ops->max_target) {
            d->id = UINT32_MAX;
            return fail(error, "no free target");
        }
    } else if (d->lun == UINT32_MAX) {
        while (lun <= b->ops->max_lun && place_taken(b, d, d->id, lun)) {
            lun++;
        }
        if (lun > b->ops->max_lun) {
            return fail(error, "no free lun");
        }
    } else if (place_taken(b, d, d->id, lun)) {
        return fail(error, "lun already used by another device");
    }
    d->lun = lun;
    return true;
}

static void scsi_plugged(Bus *bus, Device *dev)
{
    ScsiBus *b = (ScsiBus *)bus;

    if (b->ops->plugged) {
        b->ops->plugged(b, (ScsiDevice *)dev);
    }
}

static void scsi_detach(Bus *bus, Device *dev)
{
    ScsiBus *b = (ScsiBus *)bus;

    if (dev->realized && b->ops->unplugged) {
        b->ops->unplugged(b, (ScsiDevice *)dev);
    }
}

static bool scsi_unplug_request(Bus *bus, Device *dev, GError **error)
{
    ScsiBus *b = (ScsiBus *)bus;

    if (b->ops->unplugged) {
        b->ops->unplugged(b, (ScsiDevice *)dev);
    }
    device_unplug(dev);
    return true;
}

static char *scsi_address(Bus *bus, Device *dev)
{
    ScsiDevice *d = (ScsiDevice *)dev;

    return g_strdup_printf("%u:%u:%u", d->channel, d->id, d->lun);
}

static char *scsi_fw_path(Bus *bus, Device *dev)
{
    ScsiDevice *d = (ScsiDevice *)dev;

    return g_strdup_printf("channel@%x/disk@%x,%x", d->channel, d->id, d->lun);
}

const BusType scsi_bus_type = {
    .name = "SCSI",
    .desc = "SCSI devices",
    .size = sizeof(ScsiBus),
    .attach = scsi_attach,
    .detach = scsi_detach,
    .plugged = scsi_plugged,
    .unplug_request = scsi_unplug_request,
    .address = scsi_address,
    .fw_path = scsi_fw_path,
};
BUS_TYPE(scsi_bus_type);

const StateField scsi_device_state[] = {
    STATE(ScsiDevice, attention),
    STATE(ScsiDevice, attention_asc),
    STATE(ScsiDevice, attention_ascq),
    HOST_ONLY(ScsiDevice, in_flight, "zero while the machine is stopped"),
    HOST_ONLY(ScsiDevice, block_bytes, "by a property"),
    STATE_END,
};

/* ---- what commands say of their data ---- */

typedef struct CdbLength {
    uint8_t code;
    ScsiDir dir;
    uint8_t at, size; /* where the length is; size 0: `at` bytes always */
    bool blocks; /* the length counts blocks */
} CdbLength;

static const CdbLength cdb_lengths[] = {
    {0x03, SCSI_FROM_DEVICE, 4, 1},        {0x08, SCSI_FROM_DEVICE, 4, 1, true},
    {0x0a, SCSI_TO_DEVICE, 4, 1, true},    {0x12, SCSI_FROM_DEVICE, 3, 2},
    {0x15, SCSI_TO_DEVICE, 4, 1},          {0x1a, SCSI_FROM_DEVICE, 4, 1},
    {0x25, SCSI_FROM_DEVICE, 8, 0},        {0x28, SCSI_FROM_DEVICE, 7, 2, true},
    {0x2a, SCSI_TO_DEVICE, 7, 2, true},    {0x2e, SCSI_TO_DEVICE, 7, 2, true},
    {0x41, SCSI_TO_DEVICE, 0, 0},          {0x42, SCSI_TO_DEVICE, 7, 2},
    {0x43, SCSI_FROM_DEVICE, 7, 2},        {0x46, SCSI_FROM_DEVICE, 7, 2},
    {0x4a, SCSI_FROM_DEVICE, 7, 2},        {0x51, SCSI_FROM_DEVICE, 7, 2},
    {0x55, SCSI_TO_DEVICE, 7, 2},          {0x5a, SCSI_FROM_DEVICE, 7, 2},
    {0x88, SCSI_FROM_DEVICE, 10, 4, true}, {0x8a, SCSI_TO_DEVICE, 10, 4, true},
    {0x8e, SCSI_TO_DEVICE, 10, 4, true},   {0x9e, SCSI_FROM_DEVICE, 10, 4},
    {0xa0, SCSI_FROM_DEVICE, 6, 4},        {0xa8, SCSI_FROM_DEVICE, 6, 4, true},
    {0xaa, SCSI_TO_DEVICE, 6, 4, true},    {0xad, SCSI_FROM_DEVICE, 8, 2},
    {0xbd, SCSI_FROM_DEVICE, 8, 2},
};

static uint64_t field(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    while (size--) {
        v = v << 8 | *p++;
    }
    return v;
}

uint64_t scsi_cdb_lba(const uint8_t *cdb)
{
    switch (cdb[0] >> 5) {
    case 0:
        return field(cdb + 1, 3) & 0x1fffff;
    case 4:
        return load_be64(cdb + 2);
    default:
        return load_be32(cdb + 2);
    }
}

uint32_t scsi_cdb_blocks(const uint8_t *cdb)
{
    switch (cdb[0] >> 5) {
    case 0:
        return cdb[4] ? cdb[4] : 256;
    case 4:
        return load_be32(cdb + 10);
    case 5:
        return load_be32(cdb + 6);
    default:
        return load_be16(cdb + 7);
    }
}

static const ScsiDeviceInfo *scsi_info(const ScsiDevice *d)
{
    return device_type(&d->dev)->bus_info;
}

static void expect(ScsiRequest *r, uint32_t block_bytes)
{
    const uint8_t *c = r->cdb;

    for (unsigned i = 0; i < ARRAY_COUNT(cdb_lengths); i++) {
        const CdbLength *l = &cdb_lengths[i];

        if (l->code == c[0]) {
            r->dir = l->dir;
            r->expected = l->blocks ? scsi_cdb_blocks(c) * (uint64_t)block_bytes
                          : l->size ? field(c + l->at, l->size)
                                    : l->at;
        }
    }
    if (c[0] == 0x41 || c[0] == 0x93) { /* WRITE SAME: one block, or none */
        r->dir = SCSI_TO_DEVICE;
        r->expected = c[0] == 0x93 && (c[1] & 1) ? 0 : block_bytes;
    }
    if (r->expected == 0) {
        r->dir = SCSI_NO_DATA;
    }
}

/* ---- requests ---- */

ScsiRequest *scsi_request_new(ScsiBus *b, uint32_t channel, uint32_t id, uint32_t lun,
                              const uint8_t *cdb, size_t cdb_len,
                              void (*done)(ScsiRequest *r, void *opaque), void *opaque)
{
    ScsiRequest *r = g_new0(ScsiRequest, 1);

    r->bus = b;
    r->lun = lun;
    r->dev = scsi_find(b, channel, id, lun);
    if (!r->dev) {
        r->dev = scsi_find(b, channel, id, SCSI_ANY_LUN);
    }
    memcpy(r->cdb, cdb, MIN(cdb_len, sizeof(r->cdb)));
    r->done = done;
    r->opaque = opaque;
    if (r->dev) {
        expect(r, r->dev->block_bytes ? r->dev->block_bytes : scsi_info(r->dev)->block_bytes);
    }
    return r;
}

bool scsi_request_buffer(ScsiRequest *r)
{
    if (r->expected > SCSI_BUFFER_MAX) {
        return false;
    }
    if (r->expected && !r->buffer) {
        r->buffer = g_malloc0(r->expected);
        r->buffer_iov = (struct iovec){.iov_base = r->buffer, .iov_len = r->expected};
    }
    return true;
}

void scsi_request_free(ScsiRequest *r)
{
    g_free(r->own_iov);
    g_free(r->buffer);
    g_free(r);
}

void scsi_build_sense(uint8_t *sense, uint8_t key, uint8_t asc, uint8_t ascq)
{
    memset(sense, 0, SCSI_SENSE_LEN);
    sense[0] = 0x70;
    sense[2] = key;
    sense[7] = SCSI_SENSE_LEN - 8;
    sense[12] = asc;
    sense[13] = ascq;
}

void scsi_end(ScsiRequest *r)
{
    if (r->dev) {
        r->dev->in_flight--;
    }
    r->done(r, r->opaque);
}

void scsi_fail(ScsiRequest *r, uint8_t key, uint8_t asc, uint8_t ascq)
{
    r->status = SCSI_CHECK_CONDITION;
    r->sense_len = SCSI_SENSE_LEN;
    scsi_build_sense(r->sense, key, asc, ascq);
    scsi_end(r);
}

void scsi_reply(ScsiRequest *r, const void *buf, uint64_t len)
{
    r->moved = iov_from_buf(r->iov, r->niov, 0, buf, MIN(len, r->expected));
    scsi_end(r);
}

uint64_t scsi_fetch(ScsiRequest *r, void *buf, uint64_t len)
{
    uint64_t n = iov_to_buf(r->iov, r->niov, 0, buf, len);

    r->moved = n;
    return n;
}

void scsi_set_attention(ScsiDevice *d, uint8_t asc, uint8_t ascq)
{
    d->attention = true;
    d->attention_asc = asc;
    d->attention_ascq = ascq;
}

/* SPC-4, 6.33 */
static void report_luns(ScsiRequest *r)
{
    uint8_t list[8 + 256 * 8] = {0};
    unsigned n = 0;
    ScsiBus *b = r->bus;

    if (r->expected < 16) {
        scsi_fail(r, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD, 0);
        return;
    }
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < b->bus.devices->len && n < 256; i++) {
            const ScsiDevice *d = g_ptr_array_index(b->bus.devices, i);
            uint8_t *e = list + 8 + 8 * n;

            if (d->dev.realized && d->channel == r->dev->channel && d->id == r->dev->id &&
                (d->lun == 0) == (pass == 0)) {
                store_be16(e, d->lun < 256 ? d->lun : 0x4000 | d->lun);
                n++;
            }
        }
    }
    if (n == 0 || load_be16(list + 8) != 0) { /* LUN 0 is always there */
        memmove(list + 16, list + 8, MIN(n, 255u) * 8);
        memset(list + 8, 0, 8);
        n = MIN(n + 1, 256u);
    }
    store_be32(list, n * 8);
    scsi_reply(r, list, 8 + 8 * n);
}

/* A target's answer for a LUN that it has not. */
static void run_missing_lun(ScsiRequest *r)
{
    uint8_t buf[36] = {0x7f, 0, 5, 2, 31};

    if (r->cdb[0] == INQUIRY && !(r->cdb[1] & 1)) {
        if (r->lun == 0) {
            buf[0] = 0x3f;
        }
        memset(buf + 8, ' ', 28);
        memcpy(buf + 8, "QEMU", 4);
        memcpy(buf + 16, "QEMU TARGET", 11);
        scsi_reply(r, buf, sizeof(buf));
    } else if (r->cdb[0] == REQUEST_SENSE) {
        scsi_build_sense(buf, SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED, 0);
        scsi_reply(r, buf, SCSI_SENSE_LEN);
    } else {
        scsi_fail(r, SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED, 0);
    }
}

void scsi_request_run(ScsiRequest *r, const struct iovec *iov, unsigned niov)
{
    ScsiDevice *d = r->dev;

    r->iov = iov;
    r->niov = niov;
    r->size = iov_size(iov, niov);
    if (!d) {
        scsi_fail(r, SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED, 0);
        return;
    }
    d->in_flight++;
    if (r->cdb[0] == REPORT_LUNS) {
        report_luns(r);
    } else if (d->lun != r->lun) {
        run_missing_lun(r);
    } else if (d->attention && r->cdb[0] != INQUIRY && r->cdb[0] != REQUEST_SENSE) {
        d->attention = false;
        scsi_fail(r, SENSE_UNIT_ATTENTION, d->attention_asc, d->attention_ascq);
    } else {
        scsi_info(d)->command(d, r);
    }
}

uint32_t scsi_identification(uint8_t *page, uint8_t device_type_, const char *serial, uint64_t wwn)
{
    uint8_t *p = page + 4;
    size_t n = serial ? MIN(strlen(serial), 20u) : 0;

    page[0] = device_type_;
    page[1] = 0x83;
    if (n) {
        p[0] = 2; /* ASCII, of the vendor */
        p[1] = 0;
        p[2] = 0;
        p[3] = n;
        memcpy(p + 4, serial, n);
        p += 4 + n;
    }
    if (wwn) {
        p[0] = 1; /* binary, NAA */
        p[1] = 3;
        p[2] = 0;
        p[3] = 8;
        store_be64(p + 4, wwn);
        p += 12;
    }
    store_be16(page + 2, p - page - 4);
    return p - page;
}
