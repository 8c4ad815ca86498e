// SPDX-License-Identifier: GPL-2.0-or-later
/* The drives themselves: ide-hd and ide-cd, their properties, names and geometry. */
#include <string.h>

#include "ata.h"
#include "qom/vm.h"

static void default_text(char **field, const char *text)
{
    if (!*field) {
        *field = g_strdup(text);
    }
}

static bool check_texts(AtaDrive *d, GError **error)
{
    if (strlen(d->serial) > 20) {
        return fail(error, "device '%s': serial '%s' is longer than 20 characters",
                    d->dev.obj.type->name, d->serial);
    }
    if (strlen(d->model) > 40 || strlen(d->version) > 8) {
        return fail(error, "device '%s': model or version is too long", d->dev.obj.type->name);
    }
    return true;
}

static bool drive_start(AtaDrive *d, const char *model, GError **error)
{
    g_autofree char *serial = g_strdup_printf("QM%05u", d->bus->number * 2 + d->unit + 1);

    if (!d->serial && d->drive->serial) {
        d->serial = g_strdup(d->drive->serial);
    }
    default_text(&d->serial, serial);
    default_text(&d->version, "2.5+");
    default_text(&d->model, model);
    if (!check_texts(d, error)) {
        return false;
    }
    if (!drive_conf_apply(&d->conf, d->drive, error)) {
        return false;
    }
    d->buf = g_malloc0(ATA_BUF_SIZE + 4);
    ata_reset(d);
    return true;
}

static bool ide_hd_realize(Device *dev, GError **error)
{
    AtaDrive *d = (AtaDrive *)dev;

    if (!d->drive) {
        return fail(error, "No drive specified");
    }
    if (!d->drive->node) {
        return fail(error, "Device needs media, but drive is empty");
    }
    if (d->drive->read_only) {
        return fail(error, "Block node is read-only");
    }
    if (!drive_conf_sizes(&d->conf, ATA_SECTOR, ATA_SECTOR, error)) {
        return false;
    }
    if (d->conf.logical_block_size != ATA_SECTOR) {
        return fail(error, "logical_block_size must be 512 for IDE");
    }
    return drive_geometry(&d->geometry, block_size(d->drive), 65535, 16, 255, error) &&
           drive_start(d, "QEMU HARDDISK", error);
}

static bool ide_cd_realize(Device *dev, GError **error)
{
    AtaDrive *d = (AtaDrive *)dev;

    if (!d->drive) {
        d->drive = block_front_new_empty();
        d->drive->owner = &dev->obj;
    }
    d->cd = true;
    d->drive->removable = true;
    d->drive->ops = &mmc_front_ops;
    d->drive->opaque = &d->mmc;
    if (!drive_start(d, "QEMU DVD-ROM", error)) {
        return false;
    }
    d->mmc.drive = d->drive;
    d->mmc.product = "QEMU DVD-ROM";
    d->mmc.version = d->version;
    d->mmc.serial = d->serial;
    d->mmc.atapi = true;
    return true;
}

static void ata_unrealize(Device *dev)
{
    AtaDrive *d = (AtaDrive *)dev;

    ata_request_forget(&d->active);
    d->drive->ops = NULL;
    g_clear_pointer(&d->buf, g_free);
}

static void ata_device_reset(Device *dev)
{
    AtaDrive *d = (AtaDrive *)dev;

    if (d->buf) {
        ata_reset(d);
        d->mmc.tray_locked = false;
    }
}

/* Of CD drives it is the byte count limit, as the guest wrote it. */
static bool ata_check_load(Device *dev, GError **error)
{
    const AtaDrive *d = (AtaDrive *)dev;

    return d->cd || d->chunk <= ATA_BUF_SIZE / ATA_SECTOR ||
           fail(error, "a PIO block of %u sectors", d->chunk);
}

static size_t buf_len(Device *dev)
{
    return ATA_BUF_SIZE;
}

static const StateField task_file_fields[] = {
    STATE(AtaTaskFile, feature), STATE(AtaTaskFile, count), STATE(AtaTaskFile, lbal),
    STATE(AtaTaskFile, lbam),    STATE(AtaTaskFile, lbah),  STATE_END,
};

static const StateField ata_state[] = {
    STATE_STRUCT(AtaDrive, tf, task_file_fields),
    STATE_STRUCT(AtaDrive, hob, task_file_fields),
    STATE(AtaDrive, device),
    STATE(AtaDrive, status),
    STATE(AtaDrive, error),
    STATE(AtaDrive, command),
    STATE(AtaDrive, ata_lba48),
    STATE_MAX(AtaDrive, mult, 128),
    STATE(AtaDrive, mdma),
    STATE(AtaDrive, udma),
    STATE_ARRAY(AtaDrive, ncq_error),
    STATE(AtaDrive, cur_heads),
    STATE(AtaDrive, cur_secs),
    STATE(AtaDrive, phase),
    STATE_BUF(AtaDrive, buf, buf_len),
    STATE_TO(AtaDrive, pio_pos, pio_len, ATA_BUF_SIZE),
    STATE_MAX(AtaDrive, pio_len, ATA_BUF_SIZE),
    STATE(AtaDrive, lba),
    STATE(AtaDrive, left),
    STATE_MAX(AtaDrive, chunk, UINT16_MAX),
    STATE(AtaDrive, dma_write),
    STATE(AtaDrive, step),
    STATE_TO(AtaDrive, reply_pos, reply_len, ATA_BUF_SIZE),
    STATE_MAX(AtaDrive, reply_len, ATA_BUF_SIZE),
    STATE_ARRAY(AtaDrive, cdb),
    STATE_STRUCT(AtaDrive, mmc, mmc_state),
    HOST_ONLY(AtaDrive, cd, "kind of drive"),
    HOST_ONLY(AtaDrive, rotation_rate, "property of disks"),
    HOST_ONLY(AtaDrive, geometry, "property of disks, or by the size"),
    HOST_ONLY(AtaDrive, bus, "place"),
    HOST_ONLY(AtaDrive, active, "requests have ended before state is saved"),
    STATE_END,
};

#define COMMON_PROPS                                                                    \
    PROP_DRIVE(AtaDrive, drive), PROP_U32(AtaDrive, unit, "unit", UINT32_MAX),          \
        PROP_STRING(AtaDrive, serial, "serial"), PROP_STRING(AtaDrive, model, "model"), \
        PROP_STRING(AtaDrive, version, "ver"), PROP_U64(AtaDrive, wwn, "wwn", 0),       \
        PROP_I32(AtaDrive, bootindex, "bootindex", -1),                                 \
        PROP_DRIVE_SIZES(AtaDrive, conf),                                               \
        PROP_DRIVE_SHARING(AtaDrive, conf), PROP_DRIVE_ERRORS(AtaDrive, conf)

static const Prop ide_hd_props[] = {
    COMMON_PROPS,
    PROP_DRIVE_GEOMETRY(AtaDrive, geometry),
    PROP_U16(AtaDrive, rotation_rate, "rotation_rate", 0),
    PROP_END,
};

static const Prop ide_cd_props[] = {COMMON_PROPS, PROP_END};

static const DeviceType ide_hd_type = {
    .name = "ide-hd",
    .bus = "IDE",
    .category = "storage",
    .desc = "virtual IDE disk",
    .size = sizeof(AtaDrive),
    .state_version = 1,
    .props = ide_hd_props,
    .state = ata_state,
    .realize = ide_hd_realize,
    .unrealize = ata_unrealize,
    .reset = ata_device_reset,
    .check_load = ata_check_load,
};
DEVICE_TYPE(ide_hd_type);

static const DeviceType ide_cd_type = {
    .name = "ide-cd",
    .bus = "IDE",
    .category = "storage",
    .desc = "virtual IDE CD-ROM",
    .size = sizeof(AtaDrive),
    .state_version = 1,
    .props = ide_cd_props,
    .state = ata_state,
    .realize = ide_cd_realize,
    .unrealize = ata_unrealize,
    .reset = ata_device_reset,
    .check_load = ata_check_load,
};
DEVICE_TYPE(ide_cd_type);
