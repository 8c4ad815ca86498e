// SPDX-License-Identifier: GPL-2.0-or-later
/* -drive, -blockdev, -snapshot, and rows of the human monitor. */
#include <string.h>

#include "block/driver.h"
#include "qapi/startup.h"
#include "qom/vm.h"

static bool opt_drive(Vm *vm, const char *arg, GError **error)
{
    return drive_add_option(arg, NULL, error);
}

static void list_driver(const BlockDriver *d, void *opaque)
{
    if (!d->internal) {
        g_string_append_printf(opaque, " %s", d->name);
    }
}

static bool help_drive(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(out, "Supported formats:");
    block_driver_foreach(list_driver, out);
    g_string_append_c(out, '\n');
    return true;
}

static bool opt_blockdev(Vm *vm, const char *arg, GError **error)
{
    return blockdev_add_option(arg, error);
}

static const OptDesc drive_params[] = {
    { "bus", OPT_NUMBER, "bus number" }, { "unit", OPT_NUMBER, "unit number (i.e. lun for scsi)" },
    { "index", OPT_NUMBER, "index number" }, { "media", OPT_STRING, "media type (disk, cdrom)" },
    { "if", OPT_STRING, "interface (ide, scsi, sd, mtd, floppy, pflash, virtio)" },
    { "file", OPT_STRING, "file name" }, { "werror", OPT_STRING, "write error action" },
    { "rerror", OPT_STRING, "read error action" }, { "id", OPT_STRING }, { "format", OPT_STRING, "disk format (raw, ...)" },
    { "snapshot", OPT_BOOL, "enable/disable snapshot mode" }, { "aio", OPT_STRING, "host AIO implementation" },
    { "cache.writeback", OPT_BOOL, "Enable writeback mode" }, { "cache.direct", OPT_BOOL, "Bypass software writeback cache on the host" },
    { "cache.no-flush", OPT_BOOL, "Ignore flush requests" }, { "discard", OPT_STRING, "discard operation (ignore/off, unmap/on)" },
    { "detect-zeroes", OPT_STRING, "try to optimize zero writes (off, on, unmap)" },
    { "read-only", OPT_BOOL, "open drive file as read-only" }, { "node-name", OPT_STRING, "Node name of the block device" }, { NULL },
};

OPTION(drive, {.name = "drive",
               .handle = opt_drive,
               .help = help_drive,
               .group = "drive",
               .params = drive_params});
OPTION(blockdev, { .name = "blockdev", .handle = opt_blockdev });

/* Counts for the drives before it, too: snapshot_first() below has looked for it already. */
static bool opt_snapshot(Vm *vm, const char *arg, GError **error)
{
    return true;
}
OPTION(snapshot, { .name = "snapshot", .handle = opt_snapshot });

static bool snapshot_first(Vm *vm, GError **error)
{
    if (option_given("snapshot")) {
        drives_set_snapshot();
    }
    return true;
}
START_HOOK(block_snapshot, { .phase = START_OBJECT, .name = "snapshot", .start = snapshot_first });

/*
 * The machine is known: drives get their places, and an empty CD drive is added unless -device
 * names drives.
 */
static bool settle(Vm *vm, GError **error)
{
    static const char *const others[] = {"ide-cd", "ide-hd", "scsi-cd", "scsi-hd", NULL};
    const MachineType *m = vm->machine_type;
    const char *iface = m->default_block_if ? m->default_block_if : "ide";
    unsigned cd_bus = m->drives_per_bus == 1 ? 2 : 1;

    if (!drives_settle(iface, m->drives_per_bus, error)) {
        return false;
    }
    if (vm->use_default_devices && m->default_block_if && !m->no_cdrom &&
        strcmp(iface, "ide") == 0 && !option_device_given(others) &&
        !drive_at("ide", (int)cd_bus, 0)) {
        g_autofree char *id = g_strdup_printf("ide%u-cd0", cd_bus);

        drive_register(
            &(DriveInfo){.id = id, .iface = "ide", .bus = (int)cd_bus, .unit = 0, .cdrom = true});
    }
    return true;
}

static void close_all(Vm *vm)
{
    block_cleanup();
}
START_HOOK(block_close, { .phase = START_BLOCK, .name = "close", .stop = close_all });
START_HOOK(block_settle, { .phase = START_ACCEL, .name = "drives", .start = settle });

static bool check_orphans(Vm *vm, GError **error)
{
    return drives_check_orphans(error);
}
START_HOOK(block_orphans, { .phase = START_DONE, .name = "drives", .start = check_orphans });
