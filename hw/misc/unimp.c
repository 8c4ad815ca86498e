// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A place where a board has a device that nobody has modelled: reads as 0, ignores writes, says so
 * under -d unimp.
 */
#include "exec/bank.h"
#include "util/log.h"

typedef struct Unimp {
    Device dev;
    char *name;
    uint64_t size;
} Unimp;

static uint64_t unimp_read(void *opaque, hwaddr offset, unsigned size)
{
    Unimp *s = opaque;

    log_mask(LOG_UNIMP,
             "%s: unimplemented device read  (size %u, offset 0x%" G_GINT64_MODIFIER "x)\n",
             s->name, size, offset);
    return 0;
}

static void unimp_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Unimp *s = opaque;

    log_mask(LOG_UNIMP,
             "%s: unimplemented device write (size %u, offset 0x%" G_GINT64_MODIFIER
             "x, value 0x%" G_GINT64_MODIFIER "x)\n",
             s->name, size, offset, value);
}

static const RegionOps unimp_ops = {
    .read = unimp_read, .write = unimp_write, .min_size = 1, .max_size = 8, .unaligned = true};

static bool unimp_realize(Device *d, GError **error)
{
    Unimp *s = (Unimp *)d;

    if (s->size == 0) {
        return fail(error, "property 'size' not specified or zero");
    }
    if (!s->name) {
        return fail(error, "property 'name' not specified");
    }
    region_set_size(device_region(d, "mmio"), s->size);
    return true;
}

static const RegBank unimp_banks[] = {
    {.name = "mmio", .size = 8, .ops = &unimp_ops, .help = "reads as 0"}, {0}};

static const Prop unimp_props[] = {
    PROP_U64(Unimp, size, "size", 0),
    PROP_STRING(Unimp, name, "name"),
    PROP_END,
};

static const DeviceType unimp_type = {
    .name = "unimplemented-device",
    .category = "misc",
    .desc = "Place of a device that is not modelled",
    .internal = true,
    .size = sizeof(Unimp),
    .state_version = 1,
    .props = unimp_props,
    .banks = unimp_banks,
    .realize = unimp_realize,
};
DEVICE_TYPE(unimp_type);
