// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Namespaces of the NVM Express controller and the NVM command set (NVM Express Base Specification
 * 1.4, chapter 6): read, write, flush, compare, write zeroes, verify, dataset management. A
 * namespace is the controller's property "drive" or a device nvme-ns on its bus.
 */
#include "nvme.h"

#include "qom/vm.h"

enum {
    CMD_FLUSH = 0,
    CMD_WRITE = 1,
    CMD_READ = 2,
    CMD_COMPARE = 5,
    CMD_WRITE_ZEROES = 8,
    CMD_DSM = 9,
    CMD_VERIFY = 12
};
#define DW12_FUA (1u << 30)
#define DW12_DEALLOCATE (1u << 25)
#define DSM_DEALLOCATE 4u
#define DSM_RANGES 256

typedef struct NvmeNs {
    Device dev;
    NvmeNamespace ns;
    BlockFront *drive;
    uint32_t nsid;
    DriveConf conf;
    uint8_t uuid[16];
    uint64_t eui64;
    int32_t bootindex;
    bool shared, detached;
} NvmeNs;

/* ---- commands ---- */

static int status_of(const NvmeRequest *r, int ret)
{
    if (ret == 0) {
        return NVME_OK;
    }
    return r->cmd[0] == CMD_READ || r->cmd[0] == CMD_COMPARE || r->cmd[0] == CMD_VERIFY
               ? NVME_READ_ERROR
               : NVME_WRITE_FAULT;
}

static void io_done(void *opaque, int ret)
{
    NvmeRequest *r = opaque;

    nvme_complete(r, status_of(r, ret));
}

/* Logical blocks of the command as bytes of the medium; NVME_OK or a status. */
static int io_range(NvmeRequest *r, uint64_t *offset, uint64_t *len)
{
    uint64_t lba = load_le64(r->cmd + 40), n = (nvme_dw(r, 12) & 0xffff) + 1,
             blocks = nvme_ns_blocks(r->ns);

    if (lba > blocks || n > blocks - lba) {
        return NVME_LBA_RANGE | NVME_DNR;
    }
    *offset = lba * r->ns->block_bytes;
    *len = n * r->ns->block_bytes;
    return NVME_OK;
}

static uint64_t transfer_limit(const NvmeCtrl *s)
{
    return 4096ull << (s->mdts ? s->mdts : 11);
}

static int io_transfer(NvmeRequest *r, bool write)
{
    NvmeCtrl *s = r->ctrl;
    uint64_t offset, len;
    int status = io_range(r, &offset, &len);

    if (status == NVME_OK && len > transfer_limit(s)) {
        status = NVME_INVALID_FIELD | NVME_DNR;
    }
    if (status == NVME_OK && write && r->ns->drive->read_only) {
        status = NVME_READ_ONLY_RANGE | NVME_DNR;
    }
    if (status == NVME_OK) {
        status = nvme_map_prp(r, len, !write);
    }
    if (status != NVME_OK) {
        return status;
    }
    if (write) {
        bool fua = (nvme_dw(r, 12) & DW12_FUA) || !r->ns->drive->write_cache;

        s->host_writes++;
        s->units_written += len / 512;
        block_write(r->ns->drive, offset, r->data.iov, r->data.niov, fua, io_done, r);
    } else {
        s->host_reads++;
        s->units_read += len / 512;
        block_read(r->ns->drive, offset, r->data.iov, r->data.niov, io_done, r);
    }
    return NVME_PENDING;
}

static void compare_done(void *opaque, int ret)
{
    NvmeRequest *r = opaque;
    const uint8_t *at = r->own;
    bool same = true;

    if (ret == 0 && r->cmd[0] == CMD_COMPARE && r->epoch == r->ctrl->sq[r->sqid].epoch) {
        for (unsigned i = 0; i < r->data.niov; i++) {
            same &= memcmp(at, r->data.iov[i].iov_base, r->data.iov[i].iov_len) == 0;
            at += r->data.iov[i].iov_len;
        }
    }
    nvme_complete(r, same ? status_of(r, ret) : NVME_COMPARE_FAILURE | NVME_DNR);
}

/* Compare; and Verify, which only reads. */
static int io_compare(NvmeRequest *r)
{
    uint64_t offset, len;
    int status = io_range(r, &offset, &len);

    if (status == NVME_OK && len > transfer_limit(r->ctrl)) {
        status = NVME_INVALID_FIELD | NVME_DNR;
    }
    if (status == NVME_OK && r->cmd[0] == CMD_COMPARE) {
        status = nvme_map_prp(r, len, false);
    }
    if (status != NVME_OK) {
        return status;
    }
    r->own = g_malloc(len);
    r->iov = (struct iovec){.iov_base = r->own, .iov_len = len};
    block_read(r->ns->drive, offset, &r->iov, 1, compare_done, r);
    return NVME_PENDING;
}

static int io_write_zeroes(NvmeRequest *r)
{
    uint64_t offset, len;
    int status = io_range(r, &offset, &len);

    if (status == NVME_OK && r->ns->drive->read_only) {
        status = NVME_READ_ONLY_RANGE | NVME_DNR;
    }
    if (status != NVME_OK) {
        return status;
    }
    block_write_zeroes(r->ns->drive, offset, len, nvme_dw(r, 12) & DW12_DEALLOCATE, io_done, r);
    return NVME_PENDING;
}

/* One of several block requests of a command ended; the first failure is the command's. */
static void part_done(void *opaque, int ret)
{
    NvmeRequest *r = opaque;

    if (ret != 0 && r->status == NVME_OK) {
        r->status = status_of(r, ret);
    }
    if (--r->parts == 0) {
        nvme_complete(r, r->status);
    }
}

/* 6.7; only "deallocate" does anything, the other attributes are advice. */
static int io_dataset(NvmeRequest *r)
{
    unsigned n = (nvme_dw(r, 10) & 0xff) + 1;
    uint8_t ranges[DSM_RANGES * 16];
    uint64_t blocks = nvme_ns_blocks(r->ns);

    if (!(nvme_dw(r, 11) & DSM_DEALLOCATE)) {
        return NVME_OK;
    }
    if (r->ns->drive->read_only) {
        return NVME_READ_ONLY_RANGE | NVME_DNR;
    }
    int status = nvme_fetch(r, ranges, n * 16);

    for (unsigned i = 0; status == NVME_OK && i < n; i++) {
        uint64_t count = load_le32(ranges + 16 * i + 4), lba = load_le64(ranges + 16 * i + 8);

        if (lba > blocks || count > blocks - lba) {
            return NVME_LBA_RANGE | NVME_DNR;
        }
    }
    if (status != NVME_OK) {
        return status;
    }
    r->parts = 1;
    for (unsigned i = 0; i < n; i++) {
        uint64_t count = load_le32(ranges + 16 * i + 4), lba = load_le64(ranges + 16 * i + 8);

        if (count) {
            r->parts++;
            block_discard(r->ns->drive, lba * r->ns->block_bytes, count * r->ns->block_bytes,
                          part_done, r);
        }
    }
    part_done(r, 0);
    return NVME_PENDING;
}

static int io_flush(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;

    r->parts = 1;
    for (unsigned i = 1; i <= NVME_MAX_NAMESPACES; i++) {
        NvmeNamespace *ns = s->namespaces[i];

        if (ns && (ns == r->ns || !r->ns)) {
            r->parts++;
            block_flush(ns->drive, part_done, r);
        }
    }
    part_done(r, 0);
    return NVME_PENDING;
}

int nvme_io_command(NvmeRequest *r)
{
    uint32_t nsid = nvme_dw(r, 1);

    if (r->cmd[0] == CMD_FLUSH && nsid == NVME_NSID_ALL) {
        return io_flush(r);
    }
    if (nsid == 0 || nsid > NVME_MAX_NAMESPACES) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    r->ns = r->ctrl->namespaces[nsid];
    if (!r->ns) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    switch (r->cmd[0]) {
    case CMD_FLUSH:
        return io_flush(r);
    case CMD_WRITE:
        return io_transfer(r, true);
    case CMD_READ:
        return io_transfer(r, false);
    case CMD_COMPARE:
    case CMD_VERIFY:
        return io_compare(r);
    case CMD_WRITE_ZEROES:
        return io_write_zeroes(r);
    case CMD_DSM:
        return io_dataset(r);
    default:
        return NVME_INVALID_OPCODE | NVME_DNR;
    }
}

/* ---- namespaces ---- */

bool nvme_ns_setup(NvmeNamespace *ns, BlockFront *drive, DriveConf *conf, GError **error)
{
    if (!drive || !drive->node) {
        return fail(error, "drive property not set");
    }
    if (!drive_conf_sizes(conf, 512, 4096, error) || !drive_conf_apply(conf, drive, error)) {
        return false;
    }
    if (conf->logical_block_size > 4096) {
        return fail(error,
                    "nvme: logical_block_size must be between 512 and 4096, not %" G_GUINT64_FORMAT,
                    conf->logical_block_size);
    }
    if (block_size(drive) < conf->logical_block_size) {
        return fail(error, "nvme: drive '%s' is smaller than a block", drive->name);
    }
    ns->drive = drive;
    ns->block_bytes = (uint32_t)conf->logical_block_size;
    return true;
}

enum {
    EVENT_NOTICE = 2,
    NAMESPACES_CHANGED = 0
};

static void ns_changed(NvmeCtrl *s, uint32_t nsid)
{
    s->changed_ns[(nsid - 1) / 32] |= 1u << ((nsid - 1) & 31);
    if (s->async_config & 1 << 8) {
        nvme_event(s, EVENT_NOTICE, NAMESPACES_CHANGED);
    }
}

bool nvme_ns_attach(NvmeCtrl *s, NvmeNamespace *ns, GError **error)
{
    if (ns->nsid == 0) {
        ns->nsid = 1;
        while (ns->nsid <= NVME_MAX_NAMESPACES && s->namespaces[ns->nsid]) {
            ns->nsid++;
        }
    }
    if (ns->nsid > NVME_MAX_NAMESPACES) {
        return fail(error, "nvme: a namespace's nsid is 1 to %u, not %u", NVME_MAX_NAMESPACES,
                    ns->nsid);
    }
    if (s->namespaces[ns->nsid]) {
        return fail(error, "nvme: namespace id '%u' already allocated", ns->nsid);
    }
    s->namespaces[ns->nsid] = ns;
    ns_changed(s, ns->nsid);
    return true;
}

void nvme_ns_detach(NvmeCtrl *s, NvmeNamespace *ns)
{
    if (ns->nsid && s->namespaces[ns->nsid] == ns) {
        s->namespaces[ns->nsid] = NULL;
        ns_changed(s, ns->nsid);
    }
}

static NvmeCtrl *ns_controller(NvmeNs *d)
{
    return (NvmeCtrl *)d->dev.parent_bus->owner;
}

static bool nvme_ns_realize(Device *dev, GError **error)
{
    NvmeNs *d = (NvmeNs *)dev;

    d->ns.nsid = d->nsid;
    d->ns.eui64 = d->eui64;
    memcpy(d->ns.uuid, d->uuid, sizeof(d->uuid));
    if (d->detached) {
        return fail(error,
                    "nvme-ns: property 'detached' cannot be on: namespace management is not there");
    }
    if (!nvme_ns_setup(&d->ns, d->drive, &d->conf, error) ||
        !nvme_ns_attach(ns_controller(d), &d->ns, error)) {
        return false;
    }
    d->nsid = d->ns.nsid;
    return true;
}

static void nvme_ns_unrealize(Device *dev)
{
    NvmeNs *d = (NvmeNs *)dev;

    block_drain(d->drive);
    nvme_ns_detach(ns_controller(d), &d->ns);
}

static bool nvme_bus_unplug(Bus *bus, Device *d, GError **error)
{
    device_unplug(d);
    return true;
}

const BusType nvme_bus_type = {
    .name = "nvme-bus",
    .desc = "Namespaces of an NVM Express controller",
    .size = sizeof(Bus),
    .unplug_request = nvme_bus_unplug,
};
BUS_TYPE(nvme_bus_type);

static const Prop nvme_ns_props[] = {
    PROP_DRIVE(NvmeNs, drive),
    PROP_U32(NvmeNs, nsid, "nsid", 0, .help = "1 to 256; 0: the first free one"),
    PROP(NvmeNs, uuid, "uuid", prop_uuid),
    PROP_U64(NvmeNs, eui64, "eui64", 0),
    PROP_DRIVE_SIZES(NvmeNs, conf),
    PROP_DRIVE_SHARING(NvmeNs, conf),
    PROP_I32(NvmeNs, bootindex, "bootindex", -1),
    PROP_BOOL(NvmeNs, shared, "shared", true),
    PROP_BOOL(NvmeNs, detached, "detached", false),
    PROP_END,
};

static const StateField nvme_ns_state[] = {HOST_ONLY(NvmeNs, conf, "properties"),
                                          HOST_ONLY(NvmeNs, ns, "made of the properties"),
                                           STATE_END};

static const DeviceType nvme_ns_type = {
    .name = "nvme-ns",
    .bus = "nvme-bus",
    .category = "storage",
    .desc = "Virtual NVMe namespace",
    .size = sizeof(NvmeNs),
    .state_version = 1,
    .hotpluggable = true,
    .props = nvme_ns_props,
    .state = nvme_ns_state,
    .realize = nvme_ns_realize,
    .unrealize = nvme_ns_unrealize,
};
DEVICE_TYPE(nvme_ns_type);
