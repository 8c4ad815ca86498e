// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the human monitor about drives, media, jobs and the NBD server: thin users of QMP. */
#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/driver.h"
#include "block/image-text.h"
#include "block/job.h"
#include "block/query.h"
#include "qapi/qmp.h"
#include "qom/hmp.h"
#include "util/error.h"

/* ---- calling QMP ---- */

static void put(struct json_object *o, const char *key, const char *value)
{
    if (value) {
        json_object_object_add(o, key, json_object_new_string(value));
    }
}

static void put_bool(struct json_object *o, const char *key, bool value)
{
    json_object_object_add(o, key, json_object_new_boolean(value));
}

static void put_int(struct json_object *o, const char *key, int64_t value)
{
    json_object_object_add(o, key, json_object_new_int64(value));
}

/* Takes args. False after an error. */
static bool run(HmpCall *call, const char *command, struct json_object *args, GError **error)
{
    struct json_object *ret = qmp_dispatch(&(QmpCall){ .vm = call->vm }, command, args, error);

    json_object_put(ret);
    json_object_put(args);
    return *error == NULL;
}

/* The command with one argument of that name, which is the line's `device`. */
static void run_on(HmpCall *call, const char *command, const char *arg, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, arg, hmp_str(call, "device"));
    run(call, command, a, error);
}

/* ---- jobs ---- */

static void hmp_block_stream(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put(a, "base", hmp_str(call, "base"));
    put_int(a, "speed", hmp_int(call, "speed", 0));
    run(call, "block-stream", a, error);
}
HMP_ROW(block_stream, {.name = "block_stream",
                       .args = "device:B,speed:o?,base:s?",
                       .params = "device [speed [base]]",
                       .fn = hmp_block_stream,
                       .help = "copy data from a backing file into a block device"});

static void hmp_block_job_set_speed(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put_int(a, "speed", hmp_int(call, "speed", 0));
    run(call, "block-job-set-speed", a, error);
}
HMP_ROW(block_job_set_speed, {.name = "block_job_set_speed",
                              .args = "device:B,speed:o",
                              .params = "device speed",
                              .fn = hmp_block_job_set_speed,
                              .help = "set maximum speed for a background block operation"});

static void hmp_block_job_cancel(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put_bool(a, "force", hmp_flag(call, "f"));
    run(call, "block-job-cancel", a, error);
}
HMP_ROW(block_job_cancel, {.name = "block_job_cancel",
                           .args = "-f,device:B",
                           .params = "[-f] device",
                           .fn = hmp_block_job_cancel,
                           .help = "stop an active background block operation (use -f\n"
                                   "\t\t\t if you want to abort the operation immediately\n"
                                   "\t\t\t instead of keep running until data is in sync)"});

static void hmp_block_job_complete(HmpCall *call, GError **error)
{
    run_on(call, "block-job-complete", "device", error);
}
HMP_ROW(block_job_complete, {.name = "block_job_complete",
                             .args = "device:B",
                             .params = "device",
                             .fn = hmp_block_job_complete,
                             .help = "stop an active background block operation"});

static void hmp_block_job_pause(HmpCall *call, GError **error)
{
    run_on(call, "block-job-pause", "device", error);
}
HMP_ROW(block_job_pause, {.name = "block_job_pause",
                          .args = "device:B",
                          .params = "device",
                          .fn = hmp_block_job_pause,
                          .help = "pause an active background block operation"});

static void hmp_block_job_resume(HmpCall *call, GError **error)
{
    run_on(call, "block-job-resume", "device", error);
}
HMP_ROW(block_job_resume, {.name = "block_job_resume",
                           .args = "device:B",
                           .params = "device",
                           .fn = hmp_block_job_resume,
                           .help = "resume a paused background block operation"});

/* What mirror and backup have in common. */
static struct json_object *copy_args(HmpCall *call)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put(a, "target", hmp_str(call, "target"));
    put(a, "format", hmp_str(call, "format"));
    put(a, "sync", hmp_flag(call, "f") ? "full" : "top");
    put(a, "mode", hmp_flag(call, "n") ? "existing" : "absolute-paths");
    return a;
}

static void hmp_drive_mirror(HmpCall *call, GError **error)
{
    struct json_object *a = copy_args(call);

    put_bool(a, "unmap", true);
    run(call, "drive-mirror", a, error);
}
HMP_ROW(drive_mirror, {.name = "drive_mirror",
                       .args = "-n,-f,device:B,target:s,format:s?",
                       .params = "[-n] [-f] device target [format]",
                       .fn = hmp_drive_mirror,
                       .help = "initiates live storage\n"
                               "\t\t\tmigration for a device. The device's contents are\n"
                               "\t\t\tcopied to the new image file, including data that\n"
                               "\t\t\tis written after the command is started.\n"
                               "\t\t\tThe -n flag requests QEMU to reuse the image found\n"
                               "\t\t\tin new-image-file, instead of recreating it from scratch.\n"
                               "\t\t\tThe -f flag requests QEMU to copy the whole disk,\n"
                               "\t\t\tso that the result does not need a backing file.\n\t\t\t"});

static void hmp_drive_backup(HmpCall *call, GError **error)
{
    struct json_object *a = copy_args(call);

    put_bool(a, "compress", hmp_flag(call, "c"));
    run(call, "drive-backup", a, error);
}
HMP_ROW(drive_backup, { .name = "drive_backup", .args = "-n,-f,-c,device:B,target:s,format:s?",
                        .params = "[-n] [-f] [-c] device target [format]", .fn = hmp_drive_backup,
                        .help = "initiates a point-in-time\n"
                                "\t\t\tcopy for a device. The device's contents are\n"
                                "\t\t\tcopied to the new image file, excluding data that\n"
                                "\t\t\tis written after the command is started.\n"
                                "\t\t\tThe -n flag requests QEMU to reuse the image found\n"
                                "\t\t\tin new-image-file, instead of recreating it from scratch.\n"
                                "\t\t\tThe -f flag requests QEMU to copy the whole disk,\n"
                                "\t\t\tso that the result does not need a backing file.\n"
                                "\t\t\tThe -c flag requests QEMU to compress backup data\n"
                                "\t\t\t(if the target format supports it).\n\t\t\t" });

/* ---- committing at once ---- */

typedef struct CommitCall {
    BlockNode *top, *base;
    GError **error;
    bool good;
} CommitCall;

static void co_commit(void *opaque)
{
    CommitCall *c = opaque;
    int ret;

    c->good = false;
    if (c->top->length > c->base->length &&
        !co_block_truncate(c->base, c->top->length, PREALLOC_OFF, c->error)) {
        return;
    }
    ret = co_block_commit_data(c->top, c->base, 0, NULL, NULL);
    if (ret < 0) {
        fail(c->error, "%s", g_strerror(-ret));
        return;
    }
    c->good = !c->top->driver->co_make_empty || c->top->driver->co_make_empty(c->top, c->error);
}

static bool commit_drive(Drive *d, bool all, GError **error)
{
    BlockNode *n = block_skip_filters(d->node);
    CommitCall c = { .top = n, .base = n ? n->backing : NULL, .error = error };
    g_autoptr(GError) ignored = NULL;
    bool was_read_only;

    if (!c.base) {
        return all ||
               (n ? fail(error, "'commit' error for '%s': Operation not supported", d->info.id)
                  : fail(error, "'commit' error for '%s': No medium found", d->info.id));
    }
    if (n->job || c.base->job) {
        return fail(error, "'commit' error for '%s': Device or resource busy", d->info.id);
    }
    was_read_only = c.base->read_only;
    block_graph_lock();
    if (block_make_writable(c.base, error)) {
        block_run(co_commit, &c);
        if (was_read_only) {
            block_make_read_only(c.base, &ignored);
        }
    }
    block_graph_unlock();
    return c.good;
}

static void hmp_commit(HmpCall *call, GError **error)
{
    const char *name = hmp_str(call, "device");
    g_autoptr(GError) why = NULL;
    Drive *d = drive_find(name);

    if (strcmp(name, "all") == 0) {
        for (unsigned i = 0; !why && (d = drive_nth(i)) != NULL; i++) {
            commit_drive(d, true, &why);
        }
    } else if (!d) {
        fail(&why, "Device '%s' not found", name);
    } else {
        commit_drive(d, false, &why);
    }
    if (why) {
        g_string_append_printf(call->out, "%s\n", why->message);
    }
}
HMP_ROW(commit,
        {.name = "commit",
         .args = "device:B",
         .params = "device|all",
         .fn = hmp_commit,
         .help = "commit changes to the disk images (if -snapshot is used) or backing files"});

/* ---- drives and media ---- */

static void hmp_drive_add(HmpCall *call, GError **error)
{
    const char *text = hmp_str(call, "opts");
    g_autoptr(GError) why = NULL;
    bool good;

    /* as the reference does, bare texts without the prefix that other commands have */
    good = hmp_flag(call, "n") ? blockdev_add_option(text, &why) : drive_hot_add(text, &why);
    if (!good) {
        g_string_append_printf(call->out, "%s\n", why->message);
    } else if (!hmp_flag(call, "n")) {
        g_string_append(call->out, "OK\n");
    }
}
HMP_ROW(
    drive_add,
    {.name = "drive_add",
     .args = "-n,pci_addr:s,opts:s",
     .fn = hmp_drive_add,
     .params =
         "[-n] "
         "[[<domain>:]<bus>:]<slot>\n[file=file][,if=type][,bus=n]\n[,unit=m][,media=d][,index=i]\n"
         "[,snapshot=on|off][,cache=on|off]\n[,readonly=on|off][,copy-on-read=on|off]",
     .help = "add drive to PCI storage controller"});

static void hmp_drive_del(HmpCall *call, GError **error)
{
    const char *id = hmp_str(call, "id");
    g_autoptr(GError) why = NULL;
    Drive *d = drive_find(id);

    if (d && !d->text) {
        fail(&why, "Deleting device added with blockdev-add is not supported");
    } else if (d) {
        drive_delete(d, &why);
    } else if (block_node_find(id)) {
        block_node_delete(id, &why);
    } else {
        fail(&why, "Device '%s' not found", id);
    }
    if (why) {
        g_string_append_printf(call->out, "%s\n", why->message);
    }
}
HMP_ROW(drive_del, { .name = "drive_del", .args = "id:B", .params = "device", .fn = hmp_drive_del,
                     .help = "remove host block device" });

static void hmp_block_resize(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put_int(a, "size", hmp_int(call, "size", 0));
    run(call, "block_resize", a, error);
}
HMP_ROW(block_resize, {.name = "block_resize",
                       .args = "device:B,size:o",
                       .params = "device size",
                       .fn = hmp_block_resize,
                       .help = "resize a block image"});

static void hmp_eject(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put_bool(a, "force", hmp_flag(call, "f"));
    run(call, "eject", a, error);
}
HMP_ROW(eject, { .name = "eject", .args = "-f,device:B", .params = "[-f] device", .fn = hmp_eject,
                 .help = "eject a removable medium (use -f to force it)" });

static void hmp_change(HmpCall *call, GError **error)
{
    const char *device = hmp_str(call, "device"), *mode = hmp_str(call, "read-only-mode");
    struct json_object *a = json_object_new_object();

    if (strcmp(device, "vnc") == 0) {
        /* the password, as far as programs give it */
        put(a, "password", hmp_str(call, "arg"));
        run(call, "change-vnc-password", a, error);
        return;
    }
    put(a, "device", device);
    put(a, "filename", hmp_str(call, "target"));
    put(a, "format", hmp_str(call, "arg"));
    put_bool(a, "force", hmp_flag(call, "f"));
    if (mode && strcmp(mode, "retain") != 0 && strcmp(mode, "read-only") != 0 &&
        strcmp(mode, "read-write") != 0) {
        json_object_put(a);
        fail(error, "invalid parameter value: %s", mode);
        return;
    }
    put(a, "read-only-mode", mode);
    run(call, "blockdev-change-medium", a, error);
}
HMP_ROW(change,
        {.name = "change",
         .args = "device:B,-f,target:F,arg:s?,read-only-mode:s?",
         .params = "device [-f] filename [format [read-only-mode]]",
         .fn = hmp_change,
         .help = "change a removable medium, optional format, use -f to force the operation"});

static void hmp_block_set_io_throttle(HmpCall *call, GError **error)
{
    static const char *const names[] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };
    struct json_object *a = json_object_new_object();

    put(a, drive_find(hmp_str(call, "device")) ? "device" : "id", hmp_str(call, "device"));
    for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
        put_int(a, names[i], hmp_int(call, names[i], 0));
    }
    run(call, "block_set_io_throttle", a, error);
}
HMP_ROW(block_set_io_throttle,
        {.name = "block_set_io_throttle",
         .args = "device:B,bps:i,bps_rd:i,bps_wr:i,iops:i,iops_rd:i,iops_wr:i",
         .params = "device bps bps_rd bps_wr iops iops_rd iops_wr",
         .fn = hmp_block_set_io_throttle,
         .help = "change I/O throttle limits for a block drive"});

/* ---- snapshots ---- */

static void hmp_snapshot_blkdev(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    if (!hmp_str(call, "snapshot-file")) {
        json_object_put(a);
        fail(error, "Parameter 'snapshot-file' is missing");
        return;
    }
    put(a, "device", hmp_str(call, "device"));
    put(a, "snapshot-file", hmp_str(call, "snapshot-file"));
    put(a, "format", hmp_str(call, "format"));
    put(a, "mode", hmp_flag(call, "n") ? "existing" : "absolute-paths");
    run(call, "blockdev-snapshot-sync", a, error);
}
HMP_ROW(snapshot_blkdev, {.name = "snapshot_blkdev",
                          .args = "-n,device:B,snapshot-file:s?,format:s?",
                          .params = "[-n] device [new-image-file] [format]",
                          .fn = hmp_snapshot_blkdev,
                          .help = "initiates a live snapshot\n"
                                  "\t\t\tof device. If a new image file is specified, the\n"
                                  "\t\t\tnew image file will become the new root image.\n"
                                  "\t\t\tIf format is specified, the snapshot file will\n"
                                  "\t\t\tbe created in that format.\n"
                                  "\t\t\tThe default format is qcow2.  The -n flag requests QEMU\n"
                                  "\t\t\tto reuse the image found in new-image-file, instead of\n"
                                  "\t\t\trecreating it from scratch."});

static void hmp_snapshot_blkdev_internal(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put(a, "name", hmp_str(call, "name"));
    run(call, "blockdev-snapshot-internal-sync", a, error);
}
HMP_ROW(snapshot_blkdev_internal, {.name = "snapshot_blkdev_internal",
                                   .args = "device:B,name:s",
                                   .params = "device name",
                                   .fn = hmp_snapshot_blkdev_internal,
                                   .help = "take an internal snapshot of device.\n"
                                           "\t\t\tThe format of the image used by device must\n"
                                           "\t\t\tsupport it, such as qcow2.\n\t\t\t"});

static void hmp_snapshot_delete_blkdev_internal(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put(a, "name", hmp_str(call, "name"));
    put(a, "id", hmp_str(call, "id"));
    run(call, "blockdev-snapshot-delete-internal-sync", a, error);
}
HMP_ROW(snapshot_delete_blkdev_internal,
        {.name = "snapshot_delete_blkdev_internal",
         .args = "device:B,name:s,id:s?",
         .params = "device name [id]",
         .fn = hmp_snapshot_delete_blkdev_internal,
         .help = "delete an internal snapshot of device.\n"
                 "\t\t\tIf id is specified, qemu will try delete\n"
                 "\t\t\tthe snapshot matching both id and name.\n"
                 "\t\t\tThe format of the image used by device must\n"
                 "\t\t\tsupport it, such as qcow2.\n\t\t\t"});

/* ---- the NBD server ---- */

typedef struct ExportAll {
    HmpCall *call;
    bool writable;
    GError **error;
} ExportAll;

static void export_front(BlockFront *b, void *opaque)
{
    ExportAll *e = opaque;
    struct json_object *a;

    if (*e->error || !b->node || !b->drive) {
        return;
    }
    a = json_object_new_object();
    put(a, "device", b->name);
    put_bool(a, "writable", e->writable && !b->node->read_only);
    run(e->call, "nbd-server-add", a, e->error);
}

/* "unix:PATH", "HOST:PORT" */
static struct json_object *server_address(const char *text, GError **error)
{
    struct json_object *addr, *data, *a;
    const char *colon = strrchr(text, ':');
    bool local = g_str_has_prefix(text, "unix:");

    if (!local && (!colon || !colon[1])) {
        return fail_null(error, "error parsing address '%s'", text);
    }
    data = json_object_new_object();
    if (local) {
        put(data, "path", text + 5);
    } else {
        g_autofree char *host = g_strndup(text, (gsize)(colon - text));
        size_t len = strlen(host);

        if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
            host[len - 1] = '\0';
            memmove(host, host + 1, len - 1);
        }
        put(data, "host", host);
        put(data, "port", colon + 1);
    }
    addr = json_object_new_object();
    put(addr, "type", local ? "unix" : "inet");
    json_object_object_add(addr, "data", data);
    a = json_object_new_object();
    json_object_object_add(a, "addr", addr);
    return a;
}

static void hmp_nbd_server_start(HmpCall *call, GError **error)
{
    ExportAll e = { .call = call, .writable = hmp_flag(call, "w"), .error = error };
    g_autoptr(GError) ignored = NULL;
    struct json_object *a;

    if (e.writable && !hmp_flag(call, "a")) {
        fail(error, "-w only valid together with -a");
        return;
    }
    a = server_address(hmp_str(call, "uri"), error);
    if (!a || !run(call, "nbd-server-start", a, error) || !hmp_flag(call, "a")) {
        return;
    }
    block_drives_foreach(export_front, &e);
    if (*error) {
        run(call, "nbd-server-stop", NULL, &ignored);
    }
}
HMP_ROW(nbd_server_start, {.name = "nbd_server_start",
                           .args = "-a,-w,uri:s",
                           .params = "nbd_server_start [-a] [-w] host:port",
                           .fn = hmp_nbd_server_start,
                           .help = "serve block devices on the given host and port"});

static void hmp_nbd_server_add(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "device", hmp_str(call, "device"));
    put(a, "name", hmp_str(call, "name"));
    put_bool(a, "writable", hmp_flag(call, "w"));
    run(call, "nbd-server-add", a, error);
}
HMP_ROW(nbd_server_add, {.name = "nbd_server_add",
                         .args = "-w,device:B,name:s?",
                         .params = "nbd_server_add [-w] device [name]",
                         .fn = hmp_nbd_server_add,
                         .help = "export a block device via NBD"});

static void hmp_nbd_server_remove(HmpCall *call, GError **error)
{
    struct json_object *a = json_object_new_object();

    put(a, "name", hmp_str(call, "name"));
    put(a, "mode", hmp_flag(call, "f") ? "hard" : "safe");
    run(call, "nbd-server-remove", a, error);
}
HMP_ROW(nbd_server_remove, {.name = "nbd_server_remove",
                            .args = "-f,name:s",
                            .params = "nbd_server_remove [-f] name",
                            .fn = hmp_nbd_server_remove,
                            .help = "remove an export previously exposed via NBD"});

static void hmp_nbd_server_stop(HmpCall *call, GError **error)
{
    run(call, "nbd-server-stop", NULL, error);
}
HMP_ROW(nbd_server_stop, {.name = "nbd_server_stop",
                          .params = "nbd_server_stop",
                          .fn = hmp_nbd_server_stop,
                          .help = "stop serving block devices using the NBD protocol"});
