// SPDX-License-Identifier: GPL-2.0-or-later
/* The human monitor's qemu-io: a command on a drive or node. */
#include "block/shell/shell.h"
#include "qom/hmp.h"
#include "util/error.h"

static void hmp_qemu_io(HmpCall *call, GError **error)
{
    BlockNode *n = block_node_or_device(hmp_str(call, "device"), error);
    IoShell s = { .node = n, .mistake = "qemu-io" };

    if (!n) {
        return;
    }
    s.edge = block_attach(n, "qemu-io", BLOCK_PERM_READ, BLOCK_PERM_ALL, error);
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

HMP_ROW(qemu_io, { .name = "qemu-io", .args = "device:s,command:s", .help = "run a qemu-io command on a block device",
                   .fn = hmp_qemu_io });
