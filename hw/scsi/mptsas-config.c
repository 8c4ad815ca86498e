// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration pages of a Fusion-MPT SAS controller, as far as Linux's mptsas asks: identity, no
 * RAID, eight phys with a drive at some. Layouts as in mpi_cnfg.h of that driver.
 */
#include <string.h>
#include "mptsas.h"
#include "util/bswap.h"

enum { PAGE_IO_UNIT = 0, PAGE_IOC = 1, PAGE_MANUFACTURING = 9, PAGE_EXTENDED = 15 };
enum { EXT_IO_UNIT = 0x10, EXT_DEVICE = 0x12, EXT_PHY = 0x13 };
enum {
    INFO_END_DEVICE = 1,
    INFO_SMP_INITIATOR = 0x10,
    INFO_STP_INITIATOR = 0x20,
    INFO_SSP_INITIATOR = 0x40,
    INFO_SSP_TARGET = 0x400,
    INFO_DIRECT = 0x800 };
#define RATE_NOW 9u /* 3 Gbit/s */
#define RATES 0x98u /* 1.5 to 3 Gbit/s */

ScsiDevice *mptsas_attached(Mptsas *s, unsigned phy)
{
    return scsi_find(&s->bus, 0, phy, 0);
}

uint64_t mptsas_address(Mptsas *s, unsigned phy, bool attached)
{
    return s->sas_address + (attached ? MPT_PHYS + phy : phy);
}

uint32_t mptsas_device_info(bool attached)
{
    return attached
               ? INFO_END_DEVICE | INFO_SSP_TARGET | INFO_DIRECT
               : INFO_END_DEVICE | INFO_SSP_INITIATOR | INFO_STP_INITIATOR | INFO_SMP_INITIATOR;
}

/* ---- pages; p has room and is zero ---- */

static uint32_t manufacturing0(Mptsas *s, uint32_t address, uint8_t *p)
{
    memcpy(p + 4, "LSISAS1068", 10);
    memcpy(p + 0x14, "A0", 2);
    memcpy(p + 0x1c, "SAS1068", 7);
    return 0x4c;
}

static uint32_t empty_page(Mptsas *s, uint32_t address, uint8_t *p)
{
    return 0x10;
}

static uint32_t io_unit2(Mptsas *s, uint32_t address, uint8_t *p)
{
    return 0x20;
}

static uint32_t sas_io_unit0(Mptsas *s, uint32_t address, uint8_t *p)
{
    p[12] = MPT_PHYS;
    for (unsigned i = 0; i < MPT_PHYS; i++) {
        uint8_t *e = p + 16 + 16 * i;
        bool attached = mptsas_attached(s, i);

        e[0] = i;
        e[3] = attached ? RATE_NOW : 0;
        store_le32(e + 4, mptsas_device_info(false));
        store_le16(e + 8, attached ? MPT_HANDLE_ATTACHED + i : 0);
        store_le16(e + 10, MPT_HANDLE_CONTROLLER + i);
    }
    return 16 + 16 * MPT_PHYS;
}

static uint32_t sas_io_unit1(Mptsas *s, uint32_t address, uint8_t *p)
{
    p[16] = MPT_PHYS;
    for (unsigned i = 0; i < MPT_PHYS; i++) {
        uint8_t *e = p + 20 + 12 * i;

        e[0] = i;
        e[3] = RATES;
        store_le32(e + 4, mptsas_device_info(false));
    }
    return 20 + 12 * MPT_PHYS;
}

/* By phy number (form 0) or by index in a table (form 1), which is the same. */
static uint32_t sas_phy0(Mptsas *s, uint32_t address, uint8_t *p)
{
    unsigned phy = address & 0xff;

    if (address >> 28 > 1 || phy >= MPT_PHYS) {
        return 0;
    }
    bool attached = mptsas_attached(s, phy);

    store_le16(p + 8, MPT_HANDLE_CONTROLLER + phy);
    store_le64(p + 12, mptsas_address(s, phy, false));
    if (attached) {
        store_le16(p + 0x14, MPT_HANDLE_ATTACHED + phy);
        store_le32(p + 0x18, mptsas_device_info(true));
    }
    p[0x1c] = RATES;
    p[0x1d] = RATES;
    store_le32(p + 0x20, attached ? RATE_NOW : 0);
    return 0x24;
}

static uint32_t sas_phy1(Mptsas *s, uint32_t address, uint8_t *p)
{
    return address >> 28 > 1 || (address & 0xff) >= MPT_PHYS ? 0 : 0x1c;
}

static bool handle_exists(Mptsas *s, unsigned handle)
{
    return handle >= MPT_HANDLE_CONTROLLER && handle < MPT_HANDLE_ATTACHED + MPT_PHYS &&
           (handle < MPT_HANDLE_ATTACHED || mptsas_attached(s, handle - MPT_HANDLE_ATTACHED));
}

static unsigned device_handle(Mptsas *s, uint32_t address)
{
    unsigned handle = address & 0xffff;

    switch (address >> 28) {
    case 0: /* the one after */
        for (handle = (handle + 1) & 0xffff; handle < MPT_HANDLE_ATTACHED + MPT_PHYS; handle++) {
            if (handle_exists(s, handle)) {
                return handle;
            }
        }
        return 0;
    case 1: /* bus and target */
        return handle < MPT_PHYS && mptsas_attached(s, handle) ? MPT_HANDLE_ATTACHED + handle : 0;
    case 2:
        return handle_exists(s, handle) ? handle : 0;
    default:
        return 0;
    }
}

static uint32_t sas_device0(Mptsas *s, uint32_t address, uint8_t *p)
{
    unsigned handle = device_handle(s, address);
    bool attached = handle >= MPT_HANDLE_ATTACHED;
    unsigned phy = handle - (attached ? MPT_HANDLE_ATTACHED : MPT_HANDLE_CONTROLLER);

    if (!handle) {
        return 0;
    }
    store_le16(p + 8, phy);
    store_le64(p + 12, mptsas_address(s, phy, attached));
    store_le16(p + 0x14, attached ? MPT_HANDLE_CONTROLLER + phy : 0);
    p[0x16] = phy;
    store_le16(p + 0x18, handle);
    p[0x1a] = attached ? phy : 0;
    store_le32(p + 0x1c, mptsas_device_info(attached));
    store_le16(p + 0x20, 3); /* present, mapped */
    p[0x22] = phy;
    return 0x24;
}

/* ---- the table ---- */

typedef struct PageRow {
    uint8_t type, ext_type, number, version;
    uint32_t (*fill)(Mptsas *s, uint32_t address, uint8_t *p);
} PageRow;

static const PageRow pages[] = {
    {PAGE_IO_UNIT, 0, 2, 2, io_unit2},
    {PAGE_IOC, 0, 1, 3, empty_page},
    {PAGE_IOC, 0, 2, 4, empty_page},
    {PAGE_MANUFACTURING, 0, 0, 0, manufacturing0},
    {PAGE_EXTENDED, EXT_IO_UNIT, 0, 4, sas_io_unit0},
    {PAGE_EXTENDED, EXT_IO_UNIT, 1, 7, sas_io_unit1},
    {PAGE_EXTENDED, EXT_DEVICE, 0, 5, sas_device0},
    {PAGE_EXTENDED, EXT_PHY, 0, 1, sas_phy0},
    {PAGE_EXTENDED, EXT_PHY, 1, 0, sas_phy1},
};

uint32_t mptsas_page(Mptsas *s, uint8_t type, uint8_t ext_type, uint8_t number, uint32_t address,
                     uint8_t *page)
{
    type &= 15;
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        const PageRow *r = &pages[i];

        if (r->type != type || (type == PAGE_EXTENDED && r->ext_type != ext_type) ||
            r->number != number) {
            continue;
        }
        memset(page, 0, MPT_PAGE_MAX);

        uint32_t len = r->fill(s, address, page);

        page[0] = r->version;
        page[1] = type == PAGE_EXTENDED ? 0 : len / 4;
        page[2] = number;
        page[3] = type;
        if (type == PAGE_EXTENDED) {
            store_le16(page + 4, len / 4);
            page[6] = ext_type;
        }
        return len;
    }
    return 0;
}
