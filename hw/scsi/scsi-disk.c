// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk on a SCSI bus (SBC-3, SPC-4), with thin provisioning. Blocks are 512 bytes. Left out:
 * protection information, persistent reservations.
 */
#include <string.h>

#include "block/drive-conf.h"
#include "hw/scsi/scsi.h"
#include "util/bswap.h"
#include "util/cutils.h"
#include "util/iov.h"

#define DEFAULT_BLOCK 512u
#define DISCARD_BYTES 4096u
#define UNMAP_DESCRIPTORS 255u
#define UNMAP_BLOCKS (1u << 21) /* in one command: 1 GiB */
#define WRITE_SAME_BLOCKS (1u << 21)
#define WRITE_SAME_BUFFER (1u << 20)

enum {
    ASC_WRITE_ERROR = 0x0c,
    ASC_READ_ERROR = 0x11,
    ASC_LIST_LENGTH = 0x1a,
    ASC_MISCOMPARE = 0x1d,
    ASC_OPCODE = 0x20,
    ASC_LBA_RANGE = 0x21,
    ASC_FIELD = 0x24,
    ASC_PARAMETER = 0x26,
    ASC_PROTECTED = 0x27,
    ASC_SAVING = 0x39,
    ASC_STOPPED = 0x04
};

typedef struct ScsiDisk {
    ScsiDevice scsi;
    char *serial, *version, *product, *vendor, *device_id;
    uint64_t wwn, port_wwn;
    uint64_t max_unmap_size, max_io_size;
    uint16_t rotation_rate, port_index;
    int32_t bootindex, scsi_version;
    bool removable, dpofua, stopped;
    DriveConf conf;
    DriveGeometry geometry;
} ScsiDisk;

typedef struct DiskCommand {
    uint8_t code;
    void (*run)(ScsiDisk *s, ScsiRequest *r);
    const char *help;
} DiskCommand;

static uint64_t disk_blocks(const ScsiDisk *s)
{
    return block_size(s->scsi.drive) / s->scsi.block_bytes;
}

static bool in_range(const ScsiDisk *s, uint64_t lba, uint64_t n)
{
    return lba <= disk_blocks(s) && n <= disk_blocks(s) - lba;
}

static void illegal(ScsiRequest *r, uint8_t asc)
{
    scsi_fail(r, SENSE_ILLEGAL_REQUEST, asc, 0);
}

/* ---- moving data ---- */

static void disk_failed(ScsiRequest *r, int ret, uint8_t asc)
{
    if (ret == -ENOSPC) {
        scsi_fail(r, SENSE_DATA_PROTECT, ASC_PROTECTED, 7); /* space allocation failed */
    } else {
        scsi_fail(r, SENSE_MEDIUM_ERROR, asc, asc == ASC_READ_ERROR ? 0 : 2);
    }
}

static void read_done(void *opaque, int ret)
{
    ScsiRequest *r = opaque;

    if (ret != 0) {
        disk_failed(r, ret, ASC_READ_ERROR);
        return;
    }
    r->moved = iov_size(r->own_iov, r->parts);
    scsi_end(r);
}

static void write_done(void *opaque, int ret)
{
    ScsiRequest *r = opaque;

    if (ret != 0) {
        disk_failed(r, ret, ASC_WRITE_ERROR);
        return;
    }
    r->moved = r->own_iov ? iov_size(r->own_iov, r->parts) : r->moved;
    scsi_end(r);
}

/* The part of the adapter's memory that the command uses; bytes. */
static uint64_t trim_data(ScsiRequest *r)
{
    uint64_t len = MIN(r->expected, r->size) & ~(uint64_t)(r->dev->block_bytes - 1);

    r->own_iov = g_new(struct iovec, MAX(r->niov, 1u));
    r->parts = iov_slice(r->own_iov, r->niov, r->iov, r->niov, 0, len);
    return len;
}

static void run_read(ScsiDisk *s, ScsiRequest *r)
{
    uint64_t lba = scsi_cdb_lba(r->cdb);

    if (!in_range(s, lba, scsi_cdb_blocks(r->cdb))) {
        illegal(r, ASC_LBA_RANGE);
    } else if (trim_data(r) == 0) {
        scsi_end(r);
    } else {
        block_read(s->scsi.drive, lba * s->scsi.block_bytes, r->own_iov, r->parts, read_done, r);
    }
}

static void run_write(ScsiDisk *s, ScsiRequest *r)
{
    uint64_t lba = scsi_cdb_lba(r->cdb);
    bool fua = (r->cdb[0] != 0x0a && (r->cdb[1] & 8)) || !s->scsi.drive->write_cache;

    if (s->scsi.drive->read_only) {
        scsi_fail(r, SENSE_DATA_PROTECT, ASC_PROTECTED, 0);
    } else if (!in_range(s, lba, scsi_cdb_blocks(r->cdb))) {
        illegal(r, ASC_LBA_RANGE);
    } else if (trim_data(r) == 0) {
        scsi_end(r);
    } else {
        block_write(s->scsi.drive, lba * s->scsi.block_bytes, r->own_iov, r->parts, fua, write_done,
                    r);
    }
}

static void run_sync(ScsiDisk *s, ScsiRequest *r)
{
    block_flush(s->scsi.drive, write_done, r);
}

/* Without BYTCHK there is nothing to compare: the medium is trusted. */
static void run_verify(ScsiDisk *s, ScsiRequest *r)
{
    if (r->cdb[1] & 6) {
        illegal(r, ASC_FIELD);
    } else if (!in_range(s, scsi_cdb_lba(r->cdb), scsi_cdb_blocks(r->cdb))) {
        illegal(r, ASC_LBA_RANGE);
    } else {
        scsi_end(r);
    }
}

/* WRITE SAME (SBC-3, 5.42): zeroes and unmapping by the block layer; other patterns as a write. */
static void run_write_same(ScsiDisk *s, ScsiRequest *r)
{
    uint64_t lba = scsi_cdb_lba(r->cdb);
    uint64_t n = scsi_cdb_blocks(r->cdb);
    bool unmap = r->cdb[1] & 8, no_data = r->cdb[0] == 0x93 && (r->cdb[1] & 1);
    uint32_t block = s->scsi.block_bytes;
    g_autofree uint8_t *pattern = g_malloc0(block);

    if (n == 0) {
        n = lba <= disk_blocks(s) ? disk_blocks(s) - lba : 0;
    }
    if (s->scsi.drive->read_only) {
        scsi_fail(r, SENSE_DATA_PROTECT, ASC_PROTECTED, 0);
    } else if (!in_range(s, lba, n)) {
        illegal(r, ASC_LBA_RANGE);
    } else if ((r->cdb[1] & 0x10) || n > WRITE_SAME_BLOCKS) {
        illegal(r, ASC_FIELD);
    } else if (!no_data && scsi_fetch(r, pattern, block) != block) {
        illegal(r, ASC_FIELD);
    } else if (buffer_is_zero(pattern, block)) {
        block_write_zeroes(s->scsi.drive, lba * block, n * block, unmap, write_done, r);
    } else if (n * block > WRITE_SAME_BUFFER) {
        illegal(r, ASC_FIELD);
    } else {
        g_free(r->buffer);
        r->buffer = g_malloc(n * block);
        for (uint64_t i = 0; i < n; i++) {
            memcpy(r->buffer + i * block, pattern, block);
        }
        r->buffer_iov = (struct iovec){.iov_base = r->buffer, .iov_len = n * block};
        block_write(s->scsi.drive, lba * block, &r->buffer_iov, 1, !s->scsi.drive->write_cache,
                    write_done, r);
    }
}

static void unmap_part_done(void *opaque, int ret)
{
    ScsiRequest *r = opaque;

    if (ret != 0 && r->status == SCSI_GOOD) {
        r->status = SCSI_CHECK_CONDITION;
        r->sense_len = SCSI_SENSE_LEN;
        scsi_build_sense(r->sense, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR, 2);
    }
    if (--r->parts == 0) {
        scsi_end(r);
    }
}

/* SBC-3, 5.28 */
static void run_unmap(ScsiDisk *s, ScsiRequest *r)
{
    uint8_t list[8 + 16 * UNMAP_DESCRIPTORS];
    uint64_t len = scsi_fetch(r, list, MIN(r->expected, sizeof(list)));

    if (s->scsi.drive->read_only) {
        scsi_fail(r, SENSE_DATA_PROTECT, ASC_PROTECTED, 0);
        return;
    }
    if (len == 0) {
        scsi_end(r);
        return;
    }
    if (len < 8 || load_be16(list) > len - 2 || load_be16(list + 2) > len - 8) {
        illegal(r, ASC_LIST_LENGTH);
        return;
    }
    unsigned n = load_be16(list + 2) / 16;
    uint64_t total = 0;

    for (unsigned i = 0; i < n; i++) {
        uint64_t count = load_be32(list + 8 + 16 * i + 8);

        total += count;
        if (!in_range(s, load_be64(list + 8 + 16 * i), count)) {
            illegal(r, ASC_LBA_RANGE);
            return;
        }
    }
    if (total > UNMAP_BLOCKS) {
        illegal(r, ASC_PARAMETER);
        return;
    }
    r->parts = 1;
    for (unsigned i = 0; i < n; i++) {
        uint64_t lba = load_be64(list + 8 + 16 * i), count = load_be32(list + 8 + 16 * i + 8);

        if (count) {
            r->parts++;
            block_discard(s->scsi.drive, lba * s->scsi.block_bytes, count * s->scsi.block_bytes,
                          unmap_part_done, r);
        }
    }
    unmap_part_done(r, 0);
}

/* ---- what the disk tells of itself ---- */

static void run_good(ScsiDisk *s, ScsiRequest *r)
{
    scsi_end(r);
}

static void run_test_ready(ScsiDisk *s, ScsiRequest *r)
{
    if (s->stopped) {
        scsi_fail(r, SENSE_NOT_READY, ASC_STOPPED, 2);
    } else {
        scsi_end(r);
    }
}

static void run_request_sense(ScsiDisk *s, ScsiRequest *r)
{
    uint8_t sense[SCSI_SENSE_LEN];

    scsi_build_sense(sense, SENSE_NO_SENSE, 0, 0);
    if (s->scsi.attention) {
        s->scsi.attention = false;
        scsi_build_sense(sense, SENSE_UNIT_ATTENTION, s->scsi.attention_asc,
                         s->scsi.attention_ascq);
    }
    scsi_reply(r, sense, sizeof(sense));
}

static void page_limits(ScsiDisk *s, uint8_t *p)
{
    store_be16(p + 2, 0x3c);
    store_be16(p + 6, (uint16_t)(s->conf.min_io_size / s->scsi.block_bytes));
    store_be32(p + 8, MIN(s->max_io_size / s->scsi.block_bytes, UINT32_MAX));
    store_be32(p + 12, (uint32_t)(s->conf.opt_io_size / s->scsi.block_bytes));
    store_be32(p + 20, UNMAP_BLOCKS);
    store_be32(p + 24, UNMAP_DESCRIPTORS);
    store_be32(p + 28, (uint32_t)s->conf.discard_granularity / s->scsi.block_bytes);
    store_be64(p + 36, WRITE_SAME_BLOCKS);
}

/* SPC-4, 7.8 */
static void inquiry_page(ScsiDisk *s, ScsiRequest *r)
{
    static const uint8_t pages[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
    uint8_t p[256] = {0};
    uint32_t len = 0;

    p[1] = r->cdb[2];
    switch (r->cdb[2]) {
    case 0x00:
        for (unsigned i = 0; i < ARRAY_COUNT(pages); i++) {
            if (pages[i] != 0x80 || s->serial) {
                p[4 + p[3]++] = pages[i];
            }
        }
        break;
    case 0x80:
        if (!s->serial) {
            illegal(r, ASC_FIELD);
            return;
        }
        p[3] = MIN(strlen(s->serial), 36u);
        memcpy(p + 4, s->serial, p[3]);
        break;
    case 0x83:
        len = scsi_identification(p, 0, s->device_id ? s->device_id : s->serial, s->wwn);
        break;
    case 0xb0:
        page_limits(s, p);
        break;
    case 0xb1:
        p[3] = 0x3c;
        store_be16(p + 4, s->rotation_rate);
        break;
    case 0xb2:
        p[3] = 4;
        p[5] = 0xe0; /* UNMAP, WRITE SAME (16) and (10) unmap */
        p[6] = 2; /* thin */
        break;
    default:
        illegal(r, ASC_FIELD);
        return;
    }
    scsi_reply(r, p, len ? len : load_be16(p + 2) + 4u);
}

static void run_inquiry(ScsiDisk *s, ScsiRequest *r)
{
    uint8_t p[36] = {0, s->removable ? 0x80 : 0, s->scsi_version, 0x12, 31, 0, 0, 2};

    if (r->cdb[1] & 1) {
        inquiry_page(s, r);
        return;
    }
    if (r->cdb[2]) {
        illegal(r, ASC_FIELD);
        return;
    }
    copy_padded((char *)p + 8, 8, s->vendor ? s->vendor : "QEMU", ' ');
    copy_padded((char *)p + 16, 16, s->product ? s->product : "QEMU HARDDISK", ' ');
    copy_padded((char *)p + 32, 4, s->version ? s->version : "2.5+", ' ');
    scsi_reply(r, p, sizeof(p));
}

static void run_capacity10(ScsiDisk *s, ScsiRequest *r)
{
    uint8_t p[8];

    store_be32(p, MIN(disk_blocks(s) - 1, UINT32_MAX));
    store_be32(p + 4, s->scsi.block_bytes);
    scsi_reply(r, p, sizeof(p));
}

static void run_service_in16(ScsiDisk *s, ScsiRequest *r)
{
    uint8_t p[32] = {0};

    if ((r->cdb[1] & 31) != 0x10) {
        illegal(r, ASC_FIELD);
        return;
    }
    store_be64(p, disk_blocks(s) - 1);
    store_be32(p + 8, s->scsi.block_bytes);
    p[13] = (uint8_t)__builtin_ctzll(s->conf.physical_block_size / s->scsi.block_bytes);
    p[14] = 0xc0; /* thin; unmapped blocks read as zeroes */
    scsi_reply(r, p, sizeof(p));
}

/*
 * Mode pages (SPC-4, 7.5; SBC-3, 6.4): 04 geometry, 08 caching, 0a control; what = 1: the bits that
 * can change.
 */
static unsigned mode_page(ScsiDisk *s, uint8_t page, bool changeable, uint8_t *p)
{
    if (page == 0x08) {
        p[0] = 0x08;
        p[1] = 18;
        p[2] = changeable || s->scsi.drive->write_cache ? 4 : 0;
        return 20;
    }
    if (page == 0x04) {          /* geometry, which SeaBIOS asks for */
        p[0] = 0x04;
        p[1] = 22;
        if (!changeable) {
            store_be32(p + 1, s->geometry.cyls | 22u << 24);
            p[5] = (uint8_t)s->geometry.heads;
            store_be16(p + 20, 5400);
        }
        return 24;
    }
    if (page == 0x0a) {
        p[0] = 0x0a;
        p[1] = 10;
        return 12;
    }
    if (page == 0x01) {
        p[0] = 0x01;
        p[1] = 10;
        p[2] = changeable ? 0 : 0x80;
        return 12;
    }
    return 0;
}

static void run_mode_sense(ScsiDisk *s, ScsiRequest *r)
{
    bool ten = r->cdb[0] == 0x5a, changeable = r->cdb[2] >> 6 == 1, no_descriptor = r->cdb[1] & 8;
    uint8_t page = r->cdb[2] & 0x3f, p[128] = {0};
    unsigned header = ten ? 8 : 4, len = header, before;

    if (r->cdb[2] >> 6 == 3) {
        illegal(r, ASC_SAVING);
        return;
    }
    p[ten ? 3 : 2] = (s->scsi.drive->read_only ? 0x80 : 0) | (s->dpofua ? 0x10 : 0);
    if (!no_descriptor) {
        p[ten ? 7 : 3] = 8;
        store_be32(p + len, disk_blocks(s) > 0xffffff ? 0 : disk_blocks(s));
        store_be32(p + len + 4, s->scsi.block_bytes);
        len += 8;
    }
    before = len;
    for (uint8_t i = 0; i < 0x3f; i++) {
        if (page == i || page == 0x3f) {
            len += mode_page(s, i, changeable, p + len);
        }
    }
    if (len == before && page != 0x3f) {
        illegal(r, ASC_FIELD);
        return;
    }
    if (ten) {
        store_be16(p, len - 2);
    } else {
        p[0] = len - 1;
    }
    scsi_reply(r, p, len);
}

/* The write cache is all that can be set. */
static void run_mode_select(ScsiDisk *s, ScsiRequest *r)
{
    bool ten = r->cdb[0] == 0x55;
    uint8_t p[256];
    uint64_t len = scsi_fetch(r, p, MIN(r->expected, sizeof(p)));
    uint64_t at = ten ? 8 : 4;

    if (len == 0) {
        scsi_end(r);
        return;
    }
    if (len < at) {
        illegal(r, ASC_LIST_LENGTH);
        return;
    }
    at += ten ? load_be16(p + 6) : p[3];
    while (at + 2 <= len) {
        uint8_t expect[128] = {0};
        unsigned n = mode_page(s, p[at] & 0x3f, false, expect);

        if (n == 0 || p[at + 1] != n - 2 || n > len - at) {
            illegal(r, ASC_PARAMETER);
            return;
        }
        if ((p[at] & 0x3f) == 0x08) {
            s->scsi.drive->write_cache = p[at + 2] & 4;
        }
        at += n;
    }
    if (at != len) {
        illegal(r, ASC_LIST_LENGTH);
    } else {
        scsi_end(r);
    }
}

static void run_start_stop(ScsiDisk *s, ScsiRequest *r)
{
    if ((r->cdb[4] & 0xf0) == 0 && !(r->cdb[4] & 2)) {
        s->stopped = !(r->cdb[4] & 1);
    }
    scsi_end(r);
}

static const DiskCommand commands[] = {
    {0x00, run_test_ready, "TEST UNIT READY"},
    {0x03, run_request_sense, "REQUEST SENSE"},
    {0x08, run_read, "READ (6)"},
    {0x0a, run_write, "WRITE (6)"},
    {0x12, run_inquiry, "INQUIRY"},
    {0x15, run_mode_select, "MODE SELECT (6)"},
    {0x16, run_good, "RESERVE (6)"},
    {0x17, run_good, "RELEASE (6)"},
    {0x1a, run_mode_sense, "MODE SENSE (6)"},
    {0x1b, run_start_stop, "START STOP UNIT"},
    {0x1e, run_good, "PREVENT ALLOW MEDIUM REMOVAL"},
    {0x25, run_capacity10, "READ CAPACITY (10)"},
    {0x28, run_read, "READ (10)"},
    {0x2a, run_write, "WRITE (10)"},
    {0x2b, run_good, "SEEK (10)"},
    {0x2e, run_write, "WRITE AND VERIFY (10)"},
    {0x2f, run_verify, "VERIFY (10)"},
    {0x35, run_sync, "SYNCHRONIZE CACHE (10)"},
    {0x41, run_write_same, "WRITE SAME (10)"},
    {0x42, run_unmap, "UNMAP"},
    {0x55, run_mode_select, "MODE SELECT (10)"},
    {0x5a, run_mode_sense, "MODE SENSE (10)"},
    {0x88, run_read, "READ (16)"},
    {0x8a, run_write, "WRITE (16)"},
    {0x8e, run_write, "WRITE AND VERIFY (16)"},
    {0x8f, run_verify, "VERIFY (16)"},
    {0x91, run_sync, "SYNCHRONIZE CACHE (16)"},
    {0x93, run_write_same, "WRITE SAME (16)"},
    {0x9e, run_service_in16, "READ CAPACITY (16)"},
    {0xa8, run_read, "READ (12)"},
    {0xaa, run_write, "WRITE (12)"},
    {0xaf, run_verify, "VERIFY (12)"},
};

static void disk_command(ScsiDevice *d, ScsiRequest *r)
{
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++) {
        if (commands[i].code == r->cdb[0]) {
            commands[i].run((ScsiDisk *)d, r);
            return;
        }
    }
    illegal(r, ASC_OPCODE);
}

/* ---- the device ---- */

static bool scsi_hd_realize(Device *dev, GError **error)
{
    ScsiDisk *s = (ScsiDisk *)dev;
    BlockFront *b = s->scsi.drive;

    if (!b) {
        return fail(error, "drive property not set");
    }
    if (!b->node) {
        return fail(error, "Device needs media, but drive is empty");
    }
    if (!drive_conf_sizes(&s->conf, DEFAULT_BLOCK, DISCARD_BYTES, error)) {
        return false;
    }
    s->scsi.block_bytes = (uint32_t)s->conf.logical_block_size;
    if (s->serial && strlen(s->serial) > 36) {
        return fail(error, "scsi-hd: serial '%s' is longer than 36 characters", s->serial);
    }
    if (!s->serial && b->serial) {
        s->serial = g_strdup(b->serial);
    }
    if (!drive_geometry(&s->geometry, block_size(b), 65535, 255, 255, error)) {
        return false;
    }
    block_front_set_loop(b, ((ScsiBus *)dev->parent_bus)->loop);
    return drive_conf_apply(&s->conf, b, error);
}

static void scsi_hd_unrealize(Device *dev)
{
    block_drain(((ScsiDevice *)dev)->drive);
}

static void scsi_hd_reset(Device *dev)
{
    scsi_set_attention((ScsiDevice *)dev, 0x29, 0);
    ((ScsiDisk *)dev)->stopped = false;
}

static const Prop scsi_hd_props[] = {
    SCSI_PLACE_PROPS(ScsiDisk),
    PROP_STRING(ScsiDisk, serial, "serial"),
    PROP_STRING(ScsiDisk, version, "ver"),
    PROP_STRING(ScsiDisk, vendor, "vendor"),
    PROP_STRING(ScsiDisk, product, "product"),
    PROP_STRING(ScsiDisk, device_id, "device_id"),
    PROP_U64(ScsiDisk, wwn, "wwn", 0),
    PROP_U64(ScsiDisk, port_wwn, "port_wwn", 0),
    PROP_U16(ScsiDisk, port_index, "port_index", 0),
    PROP_U16(ScsiDisk, rotation_rate, "rotation_rate", 0),
    PROP_DRIVE_SIZES(ScsiDisk, conf),
    PROP_DRIVE_GEOMETRY(ScsiDisk, geometry),
    PROP_U64(ScsiDisk, max_unmap_size, "max_unmap_size", 1 << 30),
    PROP_U64(ScsiDisk, max_io_size, "max_io_size", INT32_MAX),
    PROP_I32(ScsiDisk, bootindex, "bootindex", -1),
    PROP_I32(ScsiDisk, scsi_version, "scsi_version", 5),
    PROP_BOOL(ScsiDisk, removable, "removable", false),
    PROP_BOOL(ScsiDisk, dpofua, "dpofua", false),
    PROP_DRIVE_SHARING(ScsiDisk, conf),
    PROP_DRIVE_ERRORS(ScsiDisk, conf),
    PROP_END,
};

static const StateField scsi_hd_state[] = {
    STATE_STRUCT(ScsiDisk, scsi, scsi_device_state),
    STATE(ScsiDisk, stopped),
    STATE_END,
};

static const ScsiDeviceInfo scsi_hd_info = {.command = disk_command, .block_bytes = DEFAULT_BLOCK};

static const DeviceType scsi_hd_type = {
    .name = "scsi-hd",
    .bus = "SCSI",
    .category = "storage",
    .desc = "virtual SCSI disk",
    .size = sizeof(ScsiDisk),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &scsi_hd_info,
    .props = scsi_hd_props,
    .state = scsi_hd_state,
    .realize = scsi_hd_realize,
    .unrealize = scsi_hd_unrealize,
    .reset = scsi_hd_reset,
};
DEVICE_TYPE(scsi_hd_type);
