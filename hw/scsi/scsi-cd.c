// SPDX-License-Identifier: GPL-2.0-or-later
/* A CD and DVD drive on a SCSI bus; its commands are those of mmc.c. */
#include <string.h>

#include "block/drive-conf.h"
#include "hw/scsi/mmc.h"
#include "hw/scsi/scsi.h"
#include "util/bswap.h"
#include "util/iov.h"

typedef struct ScsiCd {
    ScsiDevice scsi;
    MmcDrive mmc;
    char *serial, *version, *product, *vendor, *device_id;
    uint64_t wwn, port_wwn, max_io_size;
    uint16_t port_index;
    int32_t bootindex, scsi_version;
    DriveConf conf;
} ScsiCd;

enum {
    ASC_READ_ERROR = 0x11,
    ASC_NO_MEDIUM = 0x3a
};
enum {
    READ_CAPACITY_16 = 0x9e,
    MODE_SENSE_6 = 0x1a,
    SYNCHRONIZE_CACHE = 0x35,
    VERIFY_10 = 0x2f
};

static void cd_fail(ScsiCd *s, ScsiRequest *r)
{
    scsi_fail(r, s->mmc.sense_key, s->mmc.asc, s->mmc.ascq);
}

static void cd_read_done(void *opaque, int ret)
{
    ScsiRequest *r = opaque;

    if (ret == 0) {
        r->moved = r->parts;
        scsi_end(r);
    } else if (ret == -ENOMEDIUM) {
        scsi_fail(r, SENSE_NOT_READY, ASC_NO_MEDIUM, 0);
    } else {
        scsi_fail(r, SENSE_MEDIUM_ERROR, ASC_READ_ERROR, 0);
    }
}

static void cd_read(ScsiCd *s, ScsiRequest *r, const MmcReply *what)
{
    uint64_t len = MIN((uint64_t)what->count * MMC_SECTOR, r->size & ~511ull);

    if (len == 0) {
        scsi_end(r);
        return;
    }
    r->own_iov = g_new(struct iovec, r->niov);
    unsigned n = iov_slice(r->own_iov, r->niov, r->iov, r->niov, 0, len);

    r->parts = len;
    block_read(s->scsi.drive, (uint64_t)what->lba * MMC_SECTOR, r->own_iov, n, cd_read_done, r);
}

/* MODE SENSE (6): the ten-byte form's page behind the shorter header. */
static void cd_mode_sense_6(ScsiCd *s, ScsiRequest *r, uint8_t *buf)
{
    uint8_t ten[12] = {0x5a, r->cdb[1], r->cdb[2], r->cdb[3], 0, 0, 0, 0, 255};
    MmcReply reply = {.buf = buf};

    if (mmc_command(&s->mmc, ten, &reply) != MMC_REPLY) {
        cd_fail(s, r);
        return;
    }
    buf[7] = 0;
    buf[6] = 0;
    buf[5] = buf[2];
    buf[4] = reply.len - 5;
    scsi_reply(r, buf + 4, reply.len - 4);
}

static void cd_command(ScsiDevice *d, ScsiRequest *r)
{
    ScsiCd *s = (ScsiCd *)d;
    g_autofree uint8_t *buf = g_malloc0(MMC_REPLY_MAX);
    MmcReply reply = {.buf = buf};

    switch (r->cdb[0]) {
    case SYNCHRONIZE_CACHE:
    case VERIFY_10:
        scsi_end(r);
        return;
    case MODE_SENSE_6:
        cd_mode_sense_6(s, r, buf);
        return;
    case READ_CAPACITY_16:
        if (!mmc_has_medium(&s->mmc)) {
            scsi_fail(r, SENSE_NOT_READY, ASC_NO_MEDIUM, 0);
            return;
        }
        store_be64(buf, mmc_sectors(&s->mmc) - 1);
        store_be32(buf + 8, MMC_SECTOR);
        scsi_reply(r, buf, 32);
        return;
    }
    switch (mmc_command(&s->mmc, r->cdb, &reply)) {
    case MMC_GOOD:
        scsi_end(r);
        break;
    case MMC_REPLY:
        scsi_reply(r, buf, reply.len);
        break;
    case MMC_READ:
        cd_read(s, r, &reply);
        break;
    case MMC_SENSE:
        cd_fail(s, r);
        break;
    }
}

static bool scsi_cd_realize(Device *dev, GError **error)
{
    ScsiCd *s = (ScsiCd *)dev;
    ScsiDevice *d = &s->scsi;

    if (!d->drive) {
        d->drive = block_front_new_empty();
        d->drive->owner = &dev->obj;
    }
    if (!s->serial && d->drive->serial) {
        s->serial = g_strdup(d->drive->serial);
    }
    d->drive->removable = true;
    d->drive->ops = &mmc_front_ops;
    d->drive->opaque = &s->mmc;
    s->mmc.drive = d->drive;
    s->mmc.product = s->product ? s->product : "QEMU CD-ROM";
    s->mmc.version = s->version ? s->version : "2.5+";
    s->mmc.serial = s->serial ? s->serial : "";
    return drive_conf_sizes(&s->conf, MMC_SECTOR, MMC_SECTOR, error) &&
           drive_conf_apply(&s->conf, d->drive, error);
}

static void scsi_cd_unrealize(Device *dev)
{
    ScsiDevice *d = (ScsiDevice *)dev;

    block_drain(d->drive);
    d->drive->ops = NULL;
}

static void scsi_cd_reset(Device *dev)
{
    ScsiCd *s = (ScsiCd *)dev;

    scsi_set_attention(&s->scsi, 0x29, 0);
    s->mmc.tray_locked = false;
}

static const Prop scsi_cd_props[] = {
    SCSI_PLACE_PROPS(ScsiCd),
    PROP_STRING(ScsiCd, serial, "serial"),
    PROP_STRING(ScsiCd, version, "ver"),
    PROP_STRING(ScsiCd, vendor, "vendor"),
    PROP_STRING(ScsiCd, product, "product"),
    PROP_STRING(ScsiCd, device_id, "device_id"),
    PROP_U64(ScsiCd, wwn, "wwn", 0),
    PROP_U64(ScsiCd, port_wwn, "port_wwn", 0),
    PROP_U16(ScsiCd, port_index, "port_index", 0),
    PROP_U64(ScsiCd, max_io_size, "max_io_size", INT32_MAX),
    PROP_I32(ScsiCd, scsi_version, "scsi_version", 5),
    PROP_I32(ScsiCd, bootindex, "bootindex", -1),
    PROP_DRIVE_SIZES(ScsiCd, conf),
    PROP_DRIVE_SHARING(ScsiCd, conf),
    PROP_DRIVE_ERRORS(ScsiCd, conf),
    PROP_END,
};

static const StateField scsi_cd_state[] = {
    STATE_STRUCT(ScsiCd, scsi, scsi_device_state),
    STATE_STRUCT(ScsiCd, mmc, mmc_state),
    STATE_END,
};

static const ScsiDeviceInfo scsi_cd_info = {.command = cd_command, .block_bytes = MMC_SECTOR};

static const DeviceType scsi_cd_type = {
    .name = "scsi-cd",
    .bus = "SCSI",
    .category = "storage",
    .desc = "virtual SCSI CD-ROM",
    .size = sizeof(ScsiCd),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &scsi_cd_info,
    .props = scsi_cd_props,
    .state = scsi_cd_state,
    .realize = scsi_cd_realize,
    .unrealize = scsi_cd_unrealize,
    .reset = scsi_cd_reset,
};
DEVICE_TYPE(scsi_cd_type);
