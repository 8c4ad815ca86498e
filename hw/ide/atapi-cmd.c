// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet commands of CD and DVD drives as rows (SPC-3, MMC-5). Left out: audio, writing. */
#include <string.h>

#include "ata.h"
#include "util/bswap.h"

enum { KEY_NOT_READY = 2, KEY_ILLEGAL = 5, KEY_UNIT_ATTENTION = 6 };
enum { ASC_LBA_RANGE = 0x21, ASC_OPCODE = 0x20, ASC_FIELD = 0x24, ASC_NO_MEDIUM = 0x3a, ASC_CHANGED = 0x28,
       ASC_SAVING = 0x39, ASC_REMOVAL = 0x53 };
/* needs a medium; is answered although there is news */
enum { NEEDS_MEDIUM = 1, ALLOW_ATTENTION = 2 };

/* A CD holds less than this many sectors. */
#define CD_MAX_SECTORS (80 * 60 * 75u)
#define PROFILE_CD 0x0008
#define PROFILE_DVD 0x0010

typedef struct PacketCommand {
    uint8_t code;
    unsigned flags;
    void (*run)(AtaDrive *d, const uint8_t *cdb);
    const char *help;
} PacketCommand;

static uint32_t cd_sectors(const AtaDrive *d)
{
    uint64_t n = ata_sectors(d) / (CD_SECTOR / ATA_SECTOR);

    return n > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)n;
}

static void illegal(AtaDrive *d, uint8_t asc)
{
    atapi_sense(d, KEY_ILLEGAL, asc, 0);
}

/* A cleared reply of `len` bytes. */
static uint8_t *reply(AtaDrive *d, uint32_t len)
{
    memset(d->buf, 0, len);
    return d->buf;
}

static void run_test_ready(AtaDrive *d, const uint8_t *cdb)
{
    atapi_end(d);
}

static void run_sense(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r = reply(d, 18);

    r[0] = 0x70;
    r[2] = d->sense_key;
    r[7] = 10;
    r[12] = d->asc;
    r[13] = d->ascq;
    if (d->sense_key == KEY_UNIT_ATTENTION) {
        d->unit_attention = false;
    }
    atapi_reply(d, 18, cdb[4]);
}

/* Vital product data: pages, and the identification by serial number. */
static void inquiry_page(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r = reply(d, 64);
    size_t n = strlen(d->serial);

    r[0] = 5;
    r[1] = cdb[2];
    if (cdb[2] == 0) {
        r[3] = 2;
        r[5] = 0x83;
        atapi_reply(d, 6, load_be16(cdb + 3));
    } else if (cdb[2] == 0x83) {
        n = MIN(n, 20);
        r[3] = (uint8_t)(4 + n);
        r[4] = 2;
        r[7] = (uint8_t)n;
        memcpy(r + 8, d->serial, n);
        atapi_reply(d, (uint32_t)(8 + n), load_be16(cdb + 3));
    } else {
        illegal(d, ASC_FIELD);
    }
}

static void run_inquiry(AtaDrive *d, const uint8_t *cdb)
{
    if (cdb[1] & 1) {
        inquiry_page(d, cdb);
        return;
    }
    uint8_t *r = reply(d, 36);

    r[0] = 5;
    r[1] = 0x80;
    r[3] = 0x21;
    r[4] = 31;
    copy_padded((char *)r + 8, 8, "QEMU", ' ');
    copy_padded((char *)r + 16, 16, "QEMU DVD-ROM", ' ');
    copy_padded((char *)r + 32, 4, d->version, ' ');
    atapi_reply(d, 36, load_be16(cdb + 3));
}

static void run_start_stop(AtaDrive *d, const uint8_t *cdb)
{
    bool start = cdb[4] & 1, load = cdb[4] & 2;

    if (cdb[4] & 0xf0 || !load) {
        atapi_end(d);
        return;
    }
    if (!start && !d->tray_open && d->tray_locked) {
        atapi_sense(d, d->drive->node ? KEY_NOT_READY : KEY_ILLEGAL, ASC_REMOVAL, 2);
        return;
    }
    if (start && d->tray_open && d->drive->node) {
        d->unit_attention = true;
    }
    d->tray_open = !start;
    atapi_end(d);
}

static void run_prevent(AtaDrive *d, const uint8_t *cdb)
{
    d->tray_locked = cdb[4] & 1;
    atapi_end(d);
}

static void run_capacity(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r = reply(d, 8);

    store_be32(r, cd_sectors(d) - 1);
    store_be32(r + 4, CD_SECTOR);
    atapi_reply(d, 8, 8);
}

static void read_sectors(AtaDrive *d, uint32_t lba, uint32_t n)
{
    uint32_t all = cd_sectors(d);

    if (n > all || lba > all - n) {
        illegal(d, ASC_LBA_RANGE);
        return;
    }
    d->lba = lba;
    d->left = n;
    atapi_read(d);
}

static void run_read10(AtaDrive *d, const uint8_t *cdb)
{
    read_sectors(d, load_be32(cdb + 2), load_be16(cdb + 7));
}

static void run_read12(AtaDrive *d, const uint8_t *cdb)
{
    read_sectors(d, load_be32(cdb + 2), load_be32(cdb + 6));
}

static void run_read_cd(AtaDrive *d, const uint8_t *cdb)
{
    uint32_t n = cdb[6] << 16 | cdb[7] << 8 | cdb[8];

    if (n == 0 || (cdb[9] & 0xf8) == 0) {
        atapi_end(d);
    } else if ((cdb[9] & 0xf8) == 0x10) {
        read_sectors(d, load_be32(cdb + 2), n);
    } else {
        illegal(d, ASC_FIELD);          /* headers and error codes of raw sectors are not there */
    }
}

static void run_seek(AtaDrive *d, const uint8_t *cdb)
{
    if (load_be32(cdb + 2) >= cd_sectors(d)) {
        illegal(d, ASC_LBA_RANGE);
        return;
    }
    atapi_end(d);
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
static uint32_t toc_tracks(AtaDrive *d, bool msf, uint8_t first)
{
    uint8_t *r = reply(d, 20), *p = r + 4;

    r[2] = r[3] = 1;
    if (first <= 1) {
        p[1] = 0x14;
        p[2] = 1;
        put_address(p + 4, 0, msf);
        p += 8;
    }
    p[1] = 0x16;
    p[2] = 0xaa;
    put_address(p + 4, cd_sectors(d), msf);
    p += 8;
    store_be16(r, (uint16_t)(p - r - 2));
    return (uint32_t)(p - r);
}

static uint32_t toc_full(AtaDrive *d, bool msf)
{
    static const uint8_t points[4] = { 0xa0, 0xa1, 0xa2, 1 };
    uint8_t *r = reply(d, 48), *p = r + 4;

    r[2] = r[3] = 1;
    for (unsigned i = 0; i < 4; i++, p += 11) {
        p[0] = 1;
        p[1] = 0x14;
        p[3] = points[i];
        if (points[i] == 0xa2) {
            put_address(p + 7, cd_sectors(d), msf);
        } else if (points[i] == 1) {
            put_address(p + 7, 0, msf);
        } else {
            p[8] = 1;
        }
    }
    store_be16(r, (uint16_t)(p - r - 2));
    return (uint32_t)(p - r);
}

static void run_toc(AtaDrive *d, const uint8_t *cdb)
{
    uint16_t max = load_be16(cdb + 7);
    bool msf = cdb[1] & 2;
    uint8_t format = cdb[2] & 15 ? cdb[2] & 15 : cdb[9] >> 6;
    uint8_t *r;

    switch (format) {
    case 0:
        if (cdb[6] > 1 && cdb[6] != 0xaa) {
            illegal(d, ASC_FIELD);
            return;
        }
        atapi_reply(d, toc_tracks(d, msf, cdb[6]), max);
        break;
    case 1:
        r = reply(d, 12);
        r[1] = 10;
        r[2] = r[3] = 1;
        atapi_reply(d, 12, max);
        break;
    case 2:
        atapi_reply(d, toc_full(d, msf), max);
        break;
    default:
        illegal(d, ASC_FIELD);
        break;
    }
}

static void run_configuration(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r = reply(d, 40);
    bool medium = atapi_has_medium(d), dvd = medium && cd_sectors(d) > CD_MAX_SECTORS;

    store_be16(r + 6, !medium ? 0 : dvd ? PROFILE_DVD : PROFILE_CD);
    r[10] = 3;                          /* profile list: persistent, current */
    r[11] = 8;
    store_be16(r + 12, PROFILE_DVD);
    r[14] = dvd;
    store_be16(r + 16, PROFILE_CD);
    r[18] = medium && !dvd;
    r[21] = 1;                          /* core */
    r[22] = 0x0b;
    r[23] = 8;
    store_be32(r + 24, 2);              /* ATAPI */
    r[28] = 1;
    r[33] = 3;                          /* removable medium: tray, eject, lock */
    r[34] = 3;
    r[35] = 4;
    r[36] = 0x29;
    store_be32(r, 36);
    atapi_reply(d, 40, load_be16(cdb + 7));
}

static void run_event_status(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r;

    if (!(cdb[1] & 1)) {
        illegal(d, ASC_FIELD);          /* asynchronous */
        return;
    }
    r = reply(d, 8);
    r[3] = 0x10;
    if (!(cdb[4] & 0x10)) {
        r[1] = 2;
        r[2] = 0x80;                    /* no such class */
        atapi_reply(d, 4, load_be16(cdb + 7));
        return;
    }
    r[1] = 6;
    r[2] = 4;
    r[4] = d->eject_wanted ? 1 : d->loaded_unseen ? 2 : 0;
    r[5] = (d->tray_open ? 1 : 0) | (atapi_has_medium(d) ? 2 : 0);
    d->eject_wanted = d->loaded_unseen = false;
    atapi_reply(d, 8, load_be16(cdb + 7));
}

static void run_disc_info(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r = reply(d, 34);

    r[1] = 32;
    r[2] = 0x0e;                        /* complete, last session closed */
    r[3] = r[4] = r[5] = r[6] = 1;
    r[7] = 0x20;
    atapi_reply(d, 34, load_be16(cdb + 7));
}

static void run_mode_sense(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r = reply(d, 40);
    uint32_t len = 0;

    if (cdb[2] >> 6 == 3) {
        illegal(d, ASC_SAVING);
        return;
    }
    switch (cdb[2] & 0x3f) {
    case 0x01:                          /* error recovery */
        r[8] = 1;
        r[9] = 6;
        r[11] = 5;
        len = 16;
        break;
    case 0x2a:                          /* capabilities */
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
        illegal(d, ASC_FIELD);
        return;
    }
    store_be16(r, (uint16_t)(len - 2));
    r[2] = 0x70;
    atapi_reply(d, len, load_be16(cdb + 7));
}

static void run_dvd_structure(AtaDrive *d, const uint8_t *cdb)
{
    uint32_t n = cd_sectors(d);
    uint8_t *r;

    if (cdb[1] & 15 || cdb[7] != 0 || n <= CD_MAX_SECTORS) {
        illegal(d, ASC_FIELD);
        return;
    }
    r = reply(d, 2052);
    store_be16(r, 2050);
    r[4] = 1;                           /* DVD-ROM */
    r[5] = 0x0f;
    r[6] = 1;
    store_be32(r + 8, 0x30000);
    store_be32(r + 12, 0x30000 + n - 1);
    atapi_reply(d, 2052, load_be16(cdb + 8));
}

static void run_mechanism(AtaDrive *d, const uint8_t *cdb)
{
    uint8_t *r = reply(d, 8);

    r[5] = 1;
    atapi_reply(d, 8, load_be16(cdb + 8));
}

static const PacketCommand packets[] = {
    { 0x00, NEEDS_MEDIUM, run_test_ready, "TEST UNIT READY" },
    { 0x03, ALLOW_ATTENTION, run_sense, "REQUEST SENSE" },
    { 0x12, ALLOW_ATTENTION, run_inquiry, "INQUIRY" },
    { 0x1b, 0, run_start_stop, "START STOP UNIT" },
    { 0x1e, 0, run_prevent, "PREVENT ALLOW MEDIUM REMOVAL" },
    { 0x25, NEEDS_MEDIUM, run_capacity, "READ CAPACITY" },
    { 0x28, NEEDS_MEDIUM, run_read10, "READ (10)" },
    { 0x2b, NEEDS_MEDIUM, run_seek, "SEEK (10)" },
    { 0x43, NEEDS_MEDIUM, run_toc, "READ TOC/PMA/ATIP" },
    { 0x46, ALLOW_ATTENTION, run_configuration, "GET CONFIGURATION" },
    { 0x4a, ALLOW_ATTENTION, run_event_status, "GET EVENT STATUS NOTIFICATION" },
    { 0x51, NEEDS_MEDIUM, run_disc_info, "READ DISC INFORMATION" },
    { 0x5a, 0, run_mode_sense, "MODE SENSE (10)" },
    { 0xa8, NEEDS_MEDIUM, run_read12, "READ (12)" },
    { 0xad, NEEDS_MEDIUM, run_dvd_structure, "READ DVD STRUCTURE" },
    { 0xbb, 0, run_test_ready, "SET CD SPEED" },
    { 0xbd, 0, run_mechanism, "MECHANISM STATUS" },
    { 0xbe, NEEDS_MEDIUM, run_read_cd, "READ CD" },
};

void atapi_execute(AtaDrive *d)
{
    for (unsigned i = 0; i < ARRAY_COUNT(packets); i++) {
        const PacketCommand *p = &packets[i];

        if (p->code != d->cdb[0]) {
            continue;
        }
        if (d->unit_attention && !(p->flags & ALLOW_ATTENTION)) {
            d->unit_attention = false;
            atapi_sense(d, KEY_UNIT_ATTENTION, ASC_CHANGED, 0);
        } else if ((p->flags & NEEDS_MEDIUM) && !atapi_has_medium(d)) {
            atapi_sense(d, KEY_NOT_READY, ASC_NO_MEDIUM, d->tray_open ? 2 : 1);
        } else {
            p->run(d, d->cdb);
        }
        return;
    }
    illegal(d, ASC_OPCODE);
}
