// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands of CD and DVD drives as rows (SPC-3, MMC-5). Left out: audio, writing. */
#include <string.h>

#include "hw/scsi/mmc.h"
#include "util/bswap.h"
#include "util/cutils.h"

enum {
    KEY_NOT_READY = 2,
    KEY_ILLEGAL = 5,
    KEY_UNIT_ATTENTION = 6
};
enum {
    ASC_LBA_RANGE = 0x21,
    ASC_OPCODE = 0x20,
    ASC_FIELD = 0x24,
    ASC_NO_MEDIUM = 0x3a,
    ASC_CHANGED = 0x28,
    ASC_SAVING = 0x39,
    ASC_REMOVAL = 0x53
};

/* needs a medium; is answered although there is news */
enum {
    NEEDS_MEDIUM = 1,
    ALLOW_ATTENTION = 2
};

/* A CD holds less than this many sectors. */
#define CD_MAX_SECTORS (80 * 60 * 75u)
#define PROFILE_CD 0x0008
#define PROFILE_DVD 0x0010

typedef struct PacketCommand {
    uint8_t code;
    unsigned flags;
    MmcOutcome (*run)(MmcDrive *d, const uint8_t *cdb, MmcReply *r);
    const char *help;
} PacketCommand;

uint32_t mmc_sectors(const MmcDrive *d)
{
    uint64_t n = block_size(d->drive) / MMC_SECTOR;

    return n > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)n;
}

static MmcOutcome illegal(MmcDrive *d, uint8_t asc)
{
    return mmc_sense(d, KEY_ILLEGAL, asc, 0);
}

/* A cleared reply of `len` bytes. */
static uint8_t *reply(MmcReply *out, uint32_t len)
{
    memset(out->buf, 0, len);
    return out->buf;
}

static MmcOutcome answer(MmcReply *out, uint32_t len, uint32_t max)
{
    out->len = MIN(len, max);
    return MMC_REPLY;
}

bool mmc_has_medium(const MmcDrive *m)
{
    return !m->tray_open && m->drive->node != NULL;
}

MmcOutcome mmc_sense(MmcDrive *m, uint8_t key, uint8_t asc, uint8_t ascq)
{
    m->sense_key = key;
    m->asc = asc;
    m->ascq = ascq;
    return MMC_SENSE;
}

static MmcOutcome run_test_ready(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    return MMC_GOOD;
}

static MmcOutcome run_sense(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r = reply(out, 18);

    r[0] = 0x70;
    r[2] = d->sense_key;
    r[7] = 10;
    r[12] = d->asc;
    r[13] = d->ascq;
    if (d->sense_key == KEY_UNIT_ATTENTION) {
        d->unit_attention = false;
    }
    return answer(out, 18, cdb[4]);
}

/* Vital product data: pages, and the identification by serial number. */
static MmcOutcome inquiry_page(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r = reply(out, 64);
    size_t n = strlen(d->serial);

    r[0] = 5;
    r[1] = cdb[2];
    if (cdb[2] == 0) {
        r[3] = 2;
        r[5] = 0x83;
        return answer(out, 6, load_be16(cdb + 3));
    } else if (cdb[2] == 0x83) {
        n = MIN(n, 20);
        r[3] = (uint8_t)(4 + n);
        r[4] = 2;
        r[7] = (uint8_t)n;
        memcpy(r + 8, d->serial, n);
        return answer(out, (uint32_t)(8 + n), load_be16(cdb + 3));
    } else {
        return illegal(d, ASC_FIELD);
    }
}

static MmcOutcome run_inquiry(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    if (cdb[1] & 1) {
        return inquiry_page(d, cdb, out);
    }
    uint8_t *r = reply(out, 36);

    r[0] = 5;
    r[1] = 0x80;
    r[2] = d->atapi ? 0 : 5;
    r[3] = d->atapi ? 0x21 : 2;
    r[4] = 31;
    copy_padded((char *)r + 8, 8, "QEMU", ' ');
    copy_padded((char *)r + 16, 16, d->product, ' ');
    copy_padded((char *)r + 32, 4, d->version, ' ');
    return answer(out, 36, load_be16(cdb + 3));
}

static MmcOutcome run_start_stop(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    bool start = cdb[4] & 1, load = cdb[4] & 2;

    if (cdb[4] & 0xf0 || !load) {
        return MMC_GOOD;
    }
    if (!start && !d->tray_open && d->tray_locked) {
        return mmc_sense(d, d->drive->node ? KEY_NOT_READY : KEY_ILLEGAL, ASC_REMOVAL, 2);
    }
    if (start && d->tray_open && d->drive->node) {
        d->unit_attention = true;
    }
    if (d->tray_open == start) {
        d->tray_open = !start;
        block_front_tray_moved(d->drive, d->tray_open);
    }
    return MMC_GOOD;
}

static MmcOutcome run_prevent(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    d->tray_locked = cdb[4] & 1;
    return MMC_GOOD;
}

static MmcOutcome run_capacity(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r = reply(out, 8);

    store_be32(r, mmc_sectors(d) - 1);
    store_be32(r + 4, MMC_SECTOR);
    return answer(out, 8, 8);
}

static MmcOutcome read_sectors(MmcDrive *d, uint32_t lba, uint32_t n, MmcReply *out)
{
    uint32_t all = mmc_sectors(d);

    if (n > all || lba > all - n) {
        return illegal(d, ASC_LBA_RANGE);
    }
    out->lba = lba;
    out->count = n;
    return n ? MMC_READ : MMC_GOOD;
}

static MmcOutcome run_read10(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    return read_sectors(d, load_be32(cdb + 2), load_be16(cdb + 7), out);
}

static MmcOutcome run_read12(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    return read_sectors(d, load_be32(cdb + 2), load_be32(cdb + 6), out);
}

static MmcOutcome run_read_cd(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint32_t n = cdb[6] << 16 | cdb[7] << 8 | cdb[8];

    if (n == 0 || (cdb[9] & 0xf8) == 0) {
        return MMC_GOOD;
    } else if ((cdb[9] & 0xf8) == 0x10) {
        return read_sectors(d, load_be32(cdb + 2), n, out);
    } else {
        return illegal(d, ASC_FIELD); /* headers and error codes of raw sectors are not there */
    }
}

static MmcOutcome run_seek(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    if (load_be32(cdb + 2) >= mmc_sectors(d)) {
        return illegal(d, ASC_LBA_RANGE);
    }
    return MMC_GOOD;
}

/* An address as minute, second, frame, or as it is. */
static void put_address(uint8_t *p, uint32_t lba, bool msf)
{
    if (msf) {
        lba += 150;
        p[1] = (uint8_t)(lba / 75 / 60);
        p[2] = lba / 75 % 60;
        p[3] = lba % 75;
    } else {
        store_be32(p, lba);
    }
}

/* One data track and the lead-out. */
static uint32_t toc_tracks(MmcDrive *d, bool msf, uint8_t first, MmcReply *out)
{
    uint8_t *r = reply(out, 20), *p = r + 4;

    r[2] = r[3] = 1;
    if (first <= 1) {
        p[1] = 0x14;
        p[2] = 1;
        put_address(p + 4, 0, msf);
        p += 8;
    }
    p[1] = 0x16;
    p[2] = 0xaa;
    put_address(p + 4, mmc_sectors(d), msf);
    p += 8;
    store_be16(r, (uint16_t)(p - r - 2));
    return (uint32_t)(p - r);
}

static uint32_t toc_full(MmcDrive *d, bool msf, MmcReply *out)
{
    static const uint8_t points[4] = {0xa0, 0xa1, 0xa2, 1};
    uint8_t *r = reply(out, 48), *p = r + 4;

    r[2] = r[3] = 1;
    for (unsigned i = 0; i < 4; i++, p += 11) {
        p[0] = 1;
        p[1] = 0x14;
        p[3] = points[i];
        if (points[i] == 0xa2) {
            put_address(p + 7, mmc_sectors(d), msf);
        } else if (points[i] == 1) {
            put_address(p + 7, 0, msf);
        } else {
            p[8] = 1;
        }
    }
    store_be16(r, (uint16_t)(p - r - 2));
    return (uint32_t)(p - r);
}

static MmcOutcome run_toc(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint16_t max = load_be16(cdb + 7);
    bool msf = cdb[1] & 2;
    uint8_t format = cdb[2] & 15 ? cdb[2] & 15 : cdb[9] >> 6;
    uint8_t *r;

    switch (format) {
    case 0:
        if (cdb[6] > 1 && cdb[6] != 0xaa) {
            return illegal(d, ASC_FIELD);
        }
        return answer(out, toc_tracks(d, msf, cdb[6], out), max);
    case 1:
        r = reply(out, 12);
        r[1] = 10;
        r[2] = r[3] = 1;
        return answer(out, 12, max);
    case 2:
        return answer(out, toc_full(d, msf, out), max);
    default:
        return illegal(d, ASC_FIELD);
    }
}

static MmcOutcome run_configuration(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r = reply(out, 40);
    bool medium = mmc_has_medium(d), dvd = medium && mmc_sectors(d) > CD_MAX_SECTORS;

    store_be16(r + 6, !medium ? 0 : dvd ? PROFILE_DVD : PROFILE_CD);
    r[10] = 3; /* profile list: persistent, current */
    r[11] = 8;
    store_be16(r + 12, PROFILE_DVD);
    r[14] = dvd;
    store_be16(r + 16, PROFILE_CD);
    r[18] = medium && !dvd;
    r[21] = 1; /* core */
    r[22] = 0x0b;
    r[23] = 8;
    store_be32(r + 24, 2); /* ATAPI */
    r[28] = 1;
    r[33] = 3; /* removable medium: tray, eject, lock */
    r[34] = 3;
    r[35] = 4;
    r[36] = 0x29;
    store_be32(r, 36);
    return answer(out, 40, load_be16(cdb + 7));
}

static MmcOutcome run_event_status(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r;

    if (!(cdb[1] & 1)) {
        return illegal(d, ASC_FIELD); /* asynchronous */
    }
    r = reply(out, 8);
    r[3] = 0x10;
    if (!(cdb[4] & 0x10)) {
        r[1] = 2;
        r[2] = 0x80; /* no such class */
        return answer(out, 4, load_be16(cdb + 7));
    }
    r[1] = 6;
    r[2] = 4;
    r[4] = d->eject_wanted ? 1 : d->loaded_unseen ? 2 : 0;
    r[5] = (d->tray_open ? 1 : 0) | (mmc_has_medium(d) ? 2 : 0);
    d->eject_wanted = d->loaded_unseen = false;
    return answer(out, 8, load_be16(cdb + 7));
}

static MmcOutcome run_disc_info(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r = reply(out, 34);

    r[1] = 32;
    r[2] = 0x0e; /* complete, last session closed */
    r[3] = r[4] = r[5] = r[6] = 1;
    r[7] = 0x20;
    return answer(out, 34, load_be16(cdb + 7));
}

static MmcOutcome run_mode_sense(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r = reply(out, 40);
    uint32_t len = 0;

    if (cdb[2] >> 6 == 3) {
        return illegal(d, ASC_SAVING);
    }
    switch (cdb[2] & 0x3f) {
    case 0x01: /* error recovery */
        r[8] = 1;
        r[9] = 6;
        r[11] = 5;
        len = 16;
        break;
    case 0x2a: /* capabilities */
        r[8] = 0x2a;
        r[9] = 0x14;
        r[10] = 0x3b;
        r[12] = 0x70;
        r[13] = 3 << 5;
        r[14] = 0x29 | (d->tray_locked ? 2 : 0);
        store_be16(r + 16, 706);
        store_be16(r + 18, 2);
        store_be16(r + 20, 512);
        store_be16(r + 22, 706);
        len = 30;
        break;
    default:
        return illegal(d, ASC_FIELD);
    }
    store_be16(r, (uint16_t)(len - 2));
    r[2] = 0x70;
    return answer(out, len, load_be16(cdb + 7));
}

static MmcOutcome run_dvd_structure(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint32_t n = mmc_sectors(d);
    uint8_t *r;

    if (cdb[1] & 15 || cdb[7] != 0 || n <= CD_MAX_SECTORS) {
        return illegal(d, ASC_FIELD);
    }
    r = reply(out, 2052);
    store_be16(r, 2050);
    r[4] = 1; /* DVD-ROM */
    r[5] = 0x0f;
    r[6] = 1;
    store_be32(r + 8, 0x30000);
    store_be32(r + 12, 0x30000 + n - 1);
    return answer(out, 2052, load_be16(cdb + 8));
}

static MmcOutcome run_mechanism(MmcDrive *d, const uint8_t *cdb, MmcReply *out)
{
    uint8_t *r = reply(out, 8);

    r[5] = 1;
    return answer(out, 8, load_be16(cdb + 8));
}

static const PacketCommand packets[] = {
    {0x00, NEEDS_MEDIUM, run_test_ready, "TEST UNIT READY"},
    {0x03, ALLOW_ATTENTION, run_sense, "REQUEST SENSE"},
    {0x12, ALLOW_ATTENTION, run_inquiry, "INQUIRY"},
    {0x1b, 0, run_start_stop, "START STOP UNIT"},
    {0x1e, 0, run_prevent, "PREVENT ALLOW MEDIUM REMOVAL"},
    {0x25, NEEDS_MEDIUM, run_capacity, "READ CAPACITY"},
    {0x28, NEEDS_MEDIUM, run_read10, "READ (10)"},
    {0x2b, NEEDS_MEDIUM, run_seek, "SEEK (10)"},
    {0x43, NEEDS_MEDIUM, run_toc, "READ TOC/PMA/ATIP"},
    {0x46, ALLOW_ATTENTION, run_configuration, "GET CONFIGURATION"},
    {0x4a, ALLOW_ATTENTION, run_event_status, "GET EVENT STATUS NOTIFICATION"},
    {0x51, NEEDS_MEDIUM, run_disc_info, "READ DISC INFORMATION"},
    {0x5a, 0, run_mode_sense, "MODE SENSE (10)"},
    {0xa8, NEEDS_MEDIUM, run_read12, "READ (12)"},
    {0xad, NEEDS_MEDIUM, run_dvd_structure, "READ DVD STRUCTURE"},
    {0xbb, 0, run_test_ready, "SET CD SPEED"},
    {0xbd, 0, run_mechanism, "MECHANISM STATUS"},
    {0xbe, NEEDS_MEDIUM, run_read_cd, "READ CD"},
};

MmcOutcome mmc_command(MmcDrive *d, const uint8_t *cdb, MmcReply *r)
{
    for (unsigned i = 0; i < ARRAY_COUNT(packets); i++) {
        const PacketCommand *p = &packets[i];

        if (p->code != cdb[0]) {
            continue;
        }
        if (d->unit_attention && !(p->flags & ALLOW_ATTENTION)) {
            d->unit_attention = false;
            return mmc_sense(d, KEY_UNIT_ATTENTION, ASC_CHANGED, 0);
        }
        if ((p->flags & NEEDS_MEDIUM) && !mmc_has_medium(d)) {
            return mmc_sense(d, KEY_NOT_READY, ASC_NO_MEDIUM, d->tray_open ? 2 : 1);
        }
        return p->run(d, cdb, r);
    }
    return illegal(d, ASC_OPCODE);
}

/* ---- the medium ---- */

static void medium_changed(void *opaque, bool loaded)
{
    MmcDrive *d = opaque;

    d->tray_open = !loaded;
    d->loaded_unseen = loaded && d->drive->node;
    d->unit_attention = true;
}

static void eject_request(void *opaque, bool force)
{
    MmcDrive *d = opaque;

    d->eject_wanted = true;
    if (force) {
        d->tray_locked = false;
    }
}

static bool tray_open(void *opaque)
{
    return ((MmcDrive *)opaque)->tray_open;
}

static bool tray_locked(void *opaque)
{
    return ((MmcDrive *)opaque)->tray_locked;
}

const BlockFrontOps mmc_front_ops = {
    .medium_changed = medium_changed,
    .eject_request = eject_request,
    .tray_open = tray_open,
    .locked = tray_locked,
};

const StateField mmc_state[] = {
    STATE(MmcDrive, sense_key),
    STATE(MmcDrive, asc),
    STATE(MmcDrive, ascq),
    STATE(MmcDrive, tray_open),
    STATE(MmcDrive, tray_locked),
    STATE(MmcDrive, loaded_unseen),
    STATE(MmcDrive, unit_attention),
    STATE(MmcDrive, eject_wanted),
    HOST_ONLY(MmcDrive, drive, "property"),
    HOST_ONLY(MmcDrive, product, "kind of drive"),
    HOST_ONLY(MmcDrive, version, "property"),
    HOST_ONLY(MmcDrive, serial, "property"),
    HOST_ONLY(MmcDrive, atapi, "kind of drive"),
    STATE_END,
};
