// SPDX-License-Identifier: GPL-2.0-or-later
/* The human monitor's qemu-io: a command on a drive or node. */
#include "block/drive.h"
#include "block/shell/shell.h"
#include "qom/hmp.h"
#include "util/error.h"

static void hmp_qemu_io(HmpCall *call, GError **error)
{
    const char *name = hmp_str(call, "device");
    BlockFront *front = hmp_flag(call, "d") ? block_front_find(NULL, name) : NULL;
    BlockNode *n =
        hmp_flag(call, "d") ? (front ? front->node : NULL) : block_node_or_device(name, error);
    IoShell s = { .node = n, .mistake = "qemu-io", .refused = error };

    if (!n) {
        if (!*error) {
            fail(error, front ? "Device '%s' has no medium" : "Device '%s' not found", name);
        }
        return;
    }
    s.as_device = front || drive_find(name);
    s.edge = block_attach(n, "qemu-io", s.as_device ? 0 : BLOCK_PERM_READ, BLOCK_PERM_ALL, error);
    if (!s.edge) {
        return;
    }
    block_node_ref(n);
    io_shell_run(&s, hmp_str(call, "command"));
    io_shell_drain(&s);
    if (s.node) {
        block_detach(s.edge);
        block_node_unref(n);
    }
}

HMP_ROW(
    qemu_io,
    {.name = "qemu-io",
     .args = "-d,device:B,command:s",
     .params = "[-d] [device] \"[command]\"",
     .help =
         "run a qemu-io command on a block device\n\t\t\t-d: [device] is a device ID rather than a "
         "drive ID or node name",
     .fn = hmp_qemu_io});
