// SPDX-License-Identifier: GPL-2.0-or-later
/* info block, blockstats, block-jobs: what the human monitor tells of drives, nodes and jobs. */
#include <string.h>

#include "block/drive.h"
#include "block/driver.h"
#include "block/image-text.h"
#include "block/job.h"
#include "block/query.h"
#include "block/throttle.h"
#include "qom/hmp.h"

typedef struct BlockPrint {
    GString *out;
    const char *only;           /* NULL: all */
    bool verbose;
    bool later;                 /* not the first of the list, shown or not */
} BlockPrint;

typedef struct TextCall {
    GString *out;
    BlockNode *n;
} TextCall;

static void co_text(void *opaque)
{
    TextCall *c = opaque;

    co_image_text(c->out, c->n);
}

static void print_throttle(GString *out, const ThrottleGroup *g)
{
    const ThrottleLimits *l = throttle_group_limits(g);
    static const char *const names[] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };

    g_string_append(out, "    I/O throttling:  ");
    for (unsigned from = 0; from < LIMIT_COUNT; from += 3) {
        for (unsigned i = from; i < from + 3; i++) {
            g_string_append_printf(out, " %s=%" G_GUINT64_FORMAT, names[i], l->avg[i]);
        }
        for (unsigned i = from; i < from + 3; i++) {
            g_string_append_printf(out, " %s_max=%" G_GUINT64_FORMAT, names[i], l->max[i]);
        }
    }
    g_string_append_printf(out, " iops_size=%" G_GUINT64_FORMAT " group=%s\n", l->iops_size,
                           throttle_group_name(g));
}

static void print_images(GString *out, BlockNode *n)
{
    g_string_append(out, "\nImages:\n");
    for (; n; n = block_skip_implicit(block_below(n))) {
        TextCall c = { .out = out, .n = n };

        block_run(co_text, &c);
    }
}

/* What a medium has, in a drive or as a node. b NULL: a node. */
static void print_medium(const BlockPrint *p, BlockNode *n, const BlockFront *b)
{
    unsigned depth = 0;

    g_string_append_printf(p->out, "    Cache mode:       %s%s%s\n",
                           !b || b->write_cache ? "writeback" : "writethrough",
                           n->direct ? ", direct" : "", n->no_flush ? ", ignore flushes" : "");
    for (const BlockNode *below = block_below(n); below; below = block_below(below)) {
        depth += !below->implicit;
    }
    if (n->backing) {
        g_autofree char *name = block_node_filename(block_skip_implicit(n->backing));

        g_string_append_printf(p->out, "    Backing file:     %s (chain depth: %u)\n", name, depth);
    }
    if (n->detect_zeroes) {
        g_string_append_printf(p->out, "    Detect zeroes:    %s\n",
                               n->detect_zeroes == 1 ? "on" : "unmap");
    }
    if (b && b->throttle) {
        print_throttle(p->out, b->throttle);
    }
    if (p->verbose) {
        print_images(p->out, n);
    }
}

/* False: another one is wanted. */
static bool begin(BlockPrint *p, bool wanted)
{
    bool first = !p->later;

    p->later = true;
    /* also behind some that are not shown */
    if (wanted && !first) {
        g_string_append_c(p->out, '\n');
    }
    return wanted;
}

static void print_front(BlockFront *b, void *opaque)
{
    BlockPrint *p = opaque;
    g_autofree char *path = front_owner_path(b);
    BlockNode *n = block_skip_implicit(b->node);
    const char *device = b->drive ? b->name : "";

    if (!begin(p,
               !p->only || strcmp(p->only, device) == 0 || (path && strcmp(p->only, path) == 0))) {
        return;
    }
    g_string_append(p->out, *device ? device : path ? path : "");
    if (n) {
        g_autofree char *name = block_node_filename(n);

        g_string_append_printf(p->out, " (%s): %s (%s%s%s)\n", n->name, name,
                               n->driver->name, n->read_only ? ", read-only" : "",
                               n->encrypted ? ", encrypted" : "");
    } else {
        g_string_append(p->out, ": [not inserted]\n");
    }
    if (path) {
        g_string_append_printf(p->out, "    Attached to:      %s\n", path);
    }
    if (b->io_error) {
        g_string_append_printf(p->out, "    I/O status:       %s\n",
                               b->no_space ? "nospace" : "failed");
    }
    if (b->removable) {
        g_string_append_printf(p->out, "    Removable device: %slocked, tray %s\n",
                               front_tray_locked(b) ? "" : "not ",
                               front_tray_open(b) ? "open" : "closed");
    }
    if (n) {
        print_medium(p, n, b);
    }
}

static void print_node(BlockNode *n, void *opaque)
{
    BlockPrint *p = opaque;

    if (!begin(p, !p->only || strcmp(p->only, n->name) == 0)) {
        return;
    }
    g_autofree char *name = block_node_filename(n);

    g_string_append_printf(p->out, "%s: %s (%s%s%s)\n", n->name, name, n->driver->name,
                           n->read_only ? ", read-only" : "", n->encrypted ? ", encrypted" : "");
    print_medium(p, n, NULL);
}

static void hmp_block(HmpCall *call, GError **error)
{
    BlockPrint p = {
        .out = call->out, .only = hmp_str(call, "device"), .verbose = hmp_flag(call, "v")};

    if (hmp_flag(call, "n")) {
        block_node_foreach_newest(print_node, &p);
    } else {
        block_drives_foreach(print_front, &p);
    }
}
HMP_ROW(info_block, {.name = "block",
                     .args = "-n,-v,device:B?",
                     .params = "[-n] [-v] [device]",
                     .info = true,
                     .fn = hmp_block,
                     .help = "show info of one block device or all block devices (-n: show named "
                             "nodes; -v: show details)"});

static void print_stats(BlockFront *b, void *opaque)
{
    const BlockCounts *s = &b->stats;

    g_string_append_printf(
        opaque,
        "%s: rd_bytes=%" G_GUINT64_FORMAT " wr_bytes=%" G_GUINT64_FORMAT
        " rd_operations=%" G_GUINT64_FORMAT " wr_operations=%" G_GUINT64_FORMAT
        " flush_operations=%" G_GUINT64_FORMAT " wr_total_time_ns=%" G_GUINT64_FORMAT
        " rd_total_time_ns=%" G_GUINT64_FORMAT " flush_total_time_ns=%" G_GUINT64_FORMAT
        " rd_merged=0 wr_merged=0 idle_time_ns=%" G_GINT64_FORMAT "\n",
        b->drive ? b->name : "", s->bytes[BLOCK_OP_READ], s->bytes[BLOCK_OP_WRITE],
        s->operations[BLOCK_OP_READ], s->operations[BLOCK_OP_WRITE], s->operations[BLOCK_OP_FLUSH],
        s->time_ns[BLOCK_OP_WRITE], s->time_ns[BLOCK_OP_READ], s->time_ns[BLOCK_OP_FLUSH],
        front_idle_ns(b));
}

static void print_named_stats(BlockFront *b, void *opaque)
{
    if (b->drive) {
        print_stats(b, opaque);
    }
}

static void hmp_blockstats(HmpCall *call, GError **error)
{
    block_drives_foreach(print_named_stats, call->out);
}
HMP_INFO(blockstats, hmp_blockstats, "", "show block device statistics");

static void print_job(BlockJob *j, void *opaque)
{
    if (j->driver->not_block) {
        return;
    }
    if (j->driver->type == JOB_TYPE_STREAM) {
        g_string_append_printf(opaque, "Streaming device %s: ", j->id);
    } else {
        g_string_append_printf(opaque, "Type %s, device %s: ",
                               qapi_enum_name(&qapi_type_JobType, (int)j->driver->type), j->id);
    }
    g_string_append_printf(opaque,
                           "Completed %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                           " bytes, speed limit %" G_GUINT64_FORMAT " bytes/s\n",
                           j->done, j->total, j->speed);
}

static void hmp_block_jobs(HmpCall *call, GError **error)
{
    gsize before = call->out->len;

    job_foreach(print_job, call->out);
    if (call->out->len == before) {
        g_string_append(call->out, "No active jobs\n");
    }
}
HMP_ROW(info_block_jobs, {.name = "block-jobs",
                          .info = true,
                          .fn = hmp_block_jobs,
                          .help = "show progress of ongoing block device operations"});
