// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floppy drives and the bus that they are on: types, media and their geometry by size, the disk
 * change line, and what a board makes of -fda, -fdb and -drive if=floppy.
 */
#include "fdc.h"

#include "qom/boot.h"
#include "qom/vm.h"
#include "util/error.h"

const char *const floppy_type_names[] = { "144", "288", "120", "none", "auto", NULL };

/* Formats by the drive that makes them; the first of a size wins when the type is not known. */
typedef struct FloppyFormat {
    FloppyType type;
    uint8_t sectors, cylinders, heads;
} FloppyFormat;

static const FloppyFormat formats[] = {
    { FLOPPY_144, 18, 80, 2 }, { FLOPPY_144, 20, 80, 2 }, { FLOPPY_144, 21, 80, 2 }, { FLOPPY_144, 21, 82, 2 },
    { FLOPPY_144, 21, 83, 2 }, { FLOPPY_144, 22, 80, 2 }, { FLOPPY_144, 23, 80, 2 }, { FLOPPY_144, 24, 80, 2 },
    { FLOPPY_288, 36, 80, 2 }, { FLOPPY_288, 39, 80, 2 }, { FLOPPY_288, 40, 80, 2 }, { FLOPPY_288, 44, 80, 2 },
    { FLOPPY_288, 48, 80, 2 },
    { FLOPPY_144, 9, 80, 2 }, { FLOPPY_144, 10, 80, 2 }, { FLOPPY_144, 10, 82, 2 }, { FLOPPY_144, 10, 83, 2 },
    { FLOPPY_144, 13, 80, 2 }, { FLOPPY_144, 14, 80, 2 },
    { FLOPPY_120, 15, 80, 2 }, { FLOPPY_120, 18, 80, 2 }, { FLOPPY_120, 18, 82, 2 }, { FLOPPY_120, 18, 83, 2 },
    { FLOPPY_120, 20, 80, 2 }, { FLOPPY_120, 9, 80, 2 }, { FLOPPY_120, 11, 80, 2 }, { FLOPPY_120, 9, 40, 2 },
    { FLOPPY_120, 9, 40, 1 }, { FLOPPY_120, 10, 41, 2 }, { FLOPPY_120, 10, 42, 2 }, { FLOPPY_120, 8, 40, 2 },
    { FLOPPY_120, 8, 40, 1 }, { FLOPPY_144, 9, 80, 1 },
};

bool floppy_loaded(const FloppyDrive *d)
{
    return d->sectors != 0 && d->drive->node;
}

/* Drives of one size of disks: 3.5 inches read each other's. */
static bool fits(FloppyType drive, FloppyType medium)
{
    return drive == FLOPPY_AUTO || drive == medium || (drive != FLOPPY_120 && medium != FLOPPY_120);
}

void floppy_revalidate(FloppyDrive *d)
{
    uint64_t sectors = d->drive->node ? block_size(d->drive) / FDC_SECTOR : 0;
    const FloppyFormat *first = NULL;

    d->sectors = d->cylinders = d->heads = 0;
    for (unsigned i = 0; sectors && i < ARRAY_COUNT(formats); i++) {
        const FloppyFormat *f = &formats[i];

        if (!fits((FloppyType)d->type, f->type)) {
            continue;
        }
        first = first ? first : f;
        if (sectors == (uint64_t)f->sectors * f->cylinders * f->heads) {
            first = f;
            break;
        }
    }
    if (first) {
        d->sectors = first->sectors;
        d->cylinders = first->cylinders;
        d->heads = first->heads;
        if (d->type == FLOPPY_AUTO) {
            d->type = (int)first->type;
        }
    }
}

static void medium_changed(void *opaque, bool loaded)
{
    FloppyDrive *d = opaque;

    d->changed = true;
    floppy_revalidate(d);
}

static const BlockFrontOps floppy_front_ops = { .medium_changed = medium_changed };

static bool floppy_realize(Device *dev, GError **error)
{
    FloppyDrive *d = (FloppyDrive *)dev;
    Fdc *s = ((FloppyBus *)dev->parent_bus)->fdc;

    for (unsigned i = 0; d->unit == UINT32_MAX && i < FDC_FITTED; i++) {
        d->unit = s->drives[i] ? d->unit : i;
    }
    if (d->unit >= FDC_FITTED) {
        return fail(error, "Can't create floppy unit %d, bus supports only %d units", (int)d->unit,
                    FDC_FITTED);
    }
    if (s->drives[d->unit]) {
        return fail(error, "Floppy unit %u is in use", d->unit);
    }
    if (!drive_conf_sizes(&d->conf, 512, 512, error)) {
        return false;
    }
    if (d->conf.physical_block_size != 512) {
        return fail(error, "Physical and logical block size must be 512 for floppy");
    }
    if (!d->drive) {
        d->drive = block_front_new_empty();
        d->drive->owner = &dev->obj;
    }
    d->drive->removable = true;
    d->drive->ops = &floppy_front_ops;
    d->drive->opaque = d;
    if (!drive_conf_apply(&d->conf, d->drive, error)) {
        return false;
    }
    if (d->type == FLOPPY_AUTO) {
        d->type = s->type[d->unit];
    }
    d->fdc = s;
    s->drives[d->unit] = d;
    floppy_revalidate(d);
    if (d->type == FLOPPY_AUTO) {
        d->type = s->fallback;
    }
    return true;
}

static void floppy_unrealize(Device *dev)
{
    FloppyDrive *d = (FloppyDrive *)dev;

    d->fdc->drives[d->unit] = NULL;
    d->drive->ops = NULL;
}

static void floppy_reset(Device *dev)
{
    FloppyDrive *d = (FloppyDrive *)dev;

    d->cylinder = 0;
    d->changed = true;
}

uint8_t floppy_cmos_type(Fdc *s, unsigned unit)
{
    static const uint8_t codes[] = {
        [FLOPPY_144] = 4, [FLOPPY_288] = 5, [FLOPPY_120] = 2, [FLOPPY_NONE] = 0, [FLOPPY_AUTO] = 0};

    return s->drives[unit] ? codes[s->drives[unit]->type] : 0;
}

static const Prop floppy_props[] = {
    PROP_DRIVE(FloppyDrive, drive),
    PROP_U32(FloppyDrive, unit, "unit", UINT32_MAX),
    PROP_ENUM(FloppyDrive, type, "drive-type", FLOPPY_AUTO, floppy_type_names, .link = "FdcDriveType"),
    PROP_DRIVE_SIZES(FloppyDrive, conf),
    PROP_DRIVE_SHARING(FloppyDrive, conf),
    PROP_END,
};

static const StateField floppy_state[] = {
    HOST_ONLY(FloppyDrive, conf, "properties"),
    STATE(FloppyDrive, cylinder), STATE(FloppyDrive, changed),
    HOST_ONLY(FloppyDrive, cylinders, "by the medium"), HOST_ONLY(FloppyDrive, heads, "by the medium"),
    HOST_ONLY(FloppyDrive, sectors, "by the medium"), HOST_ONLY(FloppyDrive, fdc, "place"), STATE_END,
};

static const DeviceType floppy_type = {
    .name = "floppy",
    .bus = "floppy-bus",
    .category = "storage",
    .desc = "virtual floppy drive",
    .fw_name = "floppy",
    .size = sizeof(FloppyDrive),
    .state_version = 1,
    .props = floppy_props,
    .state = floppy_state,
    .realize = floppy_realize,
    .unrealize = floppy_unrealize,
    .reset = floppy_reset,
};
DEVICE_TYPE(floppy_type);

static bool floppy_attach(Bus *bus, Device *d, GError **error)
{
    return true;
}

static char *floppy_fw_path(Bus *bus, Device *d)
{
    return g_strdup_printf("floppy@%u", ((FloppyDrive *)d)->unit);
}

const BusType floppy_bus_type = {
    .name = "floppy-bus",
    .desc = "drives of a floppy controller",
    .size = sizeof(FloppyBus),
    .attach = floppy_attach,
    .fw_path = floppy_fw_path,
    .max_devices = FDC_FITTED,
};
BUS_TYPE(floppy_bus_type);

/* ---- boards ---- */

static bool drive_create(Bus *bus, const DriveInfo *drive, GError **error)
{
    g_autofree char *unit = g_strdup_printf("%d", drive->unit);
    Device *d = device_new(bus->vm, "floppy", error);

    if (!d) {
        return false;
    }
    if (!object_set_text(&d->obj, "unit", unit, error) ||
        !object_set_text(&d->obj, "drive", drive->id, error)) {
        object_unref(&d->obj);
        return false;
    }
    return device_realize(d, bus, NULL, error);
}

bool fdc_create(Bus *isa, GError **error)
{
    const DriveInfo *drive;
    Device *d = isa_create(isa, "isa-fdc", NULL, error, NULL);
    bool first = false;

    if (!d) {
        return false;
    }
    for (unsigned i = 0; (drive = drive_info(i)) != NULL; i++) {
        if (drive->claimed || g_strcmp0(drive->iface, "floppy") != 0) {
            continue;
        }
        if (!drive_create(&((Fdc *)d)->bus.bus, drive, error)) {
            return false;
        }
        first |= drive->unit == 0;
        drive_claim(drive);
    }
    if (!first && isa->vm->use_default_devices) {
        Device *empty = device_new(isa->vm, "floppy", error);

        return empty && object_set_text(&empty->obj, "unit", "0", error) &&
               device_realize(empty, &((Fdc *)d)->bus.bus, NULL, error);
    }
    return true;
}

Device *fdc_find(Bus *isa)
{
    for (unsigned i = 0; i < isa->devices->len; i++) {
        Device *d = g_ptr_array_index(isa->devices, i);

        if (strcmp(d->obj.type->name, "isa-fdc") == 0) {
            return d;
        }
    }
    return NULL;
}

uint8_t fdc_cmos_types(Device *fdc)
{
    Fdc *s = (Fdc *)fdc;

    return (uint8_t)(floppy_cmos_type(s, 0) << 4 | floppy_cmos_type(s, 1));
}
