// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serial peripheral buses: a controller selects chips and exchanges bytes with those that are
 * selected. Machine lock.
 */
#ifndef HW_SSI_SSI_H
#define HW_SSI_SSI_H

#include "qom/device.h"

/* DeviceType.bus_info of what sits on the bus; a missing function does nothing. */
typedef struct SsiInfo {
    void (*select)(Device *d, bool on); /* called on changes only */
    uint8_t (*transfer)(Device *d, uint8_t byte); /* one byte out, one in */
} SsiInfo;

/* Embedded first in every device on the bus. */
typedef struct SsiDevice {
    Device dev;
    uint8_t cs; /* its select line; property */
} SsiDevice;
#define SSI_DEVICE_PROPS(T, f) PROP_U8(T, f.cs, "cs", 0, .max = 31)

typedef struct SsiBus {
    Bus bus;
    uint32_t selected; /* select lines that are active */
} SsiBus;
extern const BusType ssi_bus_type; /* "SSI" */
extern const StateField ssi_bus_state[];

/* As bus_init; name NULL: "ssi.N". */
void ssi_bus_init(SsiBus *b, Device *controller, const char *name);
void ssi_bus_reset(SsiBus *b);
/* Which select lines are active from now on. */
void ssi_select(SsiBus *b, uint32_t lines);
/* Ones when nobody answers. */
uint8_t ssi_transfer(SsiBus *b, uint8_t byte);
/* Boards: a chip at a select line, with the n-th if=mtd drive, if there is one. */
Device *ssi_flash_create(SsiBus *b, const char *type, unsigned cs, unsigned n, GError **error);
/* What such a chip holds; false when the range is not in it. */
bool ssi_flash_read(Device *d, uint64_t offset, void *buf, size_t len);
uint64_t ssi_flash_size(Device *d);

#endif
