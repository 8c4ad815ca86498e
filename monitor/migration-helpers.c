// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What migration needs of the layers above it: disks that come to rest and change hands, networks
 * that are told.
 */
#include "block/bitmap.h"
#include "block/block.h"
#include "migration/migration.h"
#include "monitor/internal.h"
#include "net/net.h"
#include "qapi/startup.h"
#include "util/event-loop.h"

void machine_quiesce(void)
{
    event_loop_sync_all();
    for (unsigned i = 0; i < 3; i++) {
        main_loop_iterate(false);
        block_drain_all();
    }
}

static const MigrationHelpers helpers = {
    .possible = block_movable,
    .quiesce = machine_quiesce,
    .give_disks = block_inactivate_all,
    .take_disks = block_activate_all,
    .pack_bitmaps = dirty_bitmaps_pack,
    .unpack_bitmaps = dirty_bitmaps_unpack,
    .announce = net_announce_all,
};

static bool give_helpers(Vm *vm, GError **error)
{
    migration_set_helpers(&helpers);
    if (option_given("incoming")) {
        block_start_inactive();
    }
    return true;
}
START_HOOK(migration_helpers,
           {.phase = START_PROCESS, .name = "migration-helpers", .start = give_helpers});
