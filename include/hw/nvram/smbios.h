// SPDX-License-Identifier: GPL-2.0-or-later
/* SMBIOS tables of a board, as fw_cfg files. */
#ifndef HW_NVRAM_SMBIOS_H
#define HW_NVRAM_SMBIOS_H

#include "hw/nvram/fw_cfg.h"

typedef struct SmbiosInfo {
    Vm *vm;
    FwCfg *fw_cfg;
    hwaddr ram_base;
    uint64_t low_size;        /* bytes of RAM from there without a gap */
    const char *product;      /* NULL: the machine's description */
    bool legacy;              /* a BIOS's tables, and the 32-bit entry point of 2.8; else that of 3.0 */
} SmbiosInfo;

bool smbios_build(const SmbiosInfo *info, GError **error);

#endif
