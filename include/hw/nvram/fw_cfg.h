// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The firmware configuration device: numbered items and named files that the board offers to
 * firmware, read byte by byte or by DMA. board["fw_cfg"] is the device.
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include "qom/vm.h"

typedef struct FwCfg FwCfg;

enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_ARCH = 0x8000,
    FW_CFG_IRQ0_OVERRIDE = 0x8002,
    FW_CFG_HPET = 0x8004,
};

FwCfg *fw_cfg_find(Vm *vm);
/* Port-mapped one at 510h (x86). */
FwCfg *fw_cfg_create_io(Vm *vm, uint16_t port, GError **error);
/* In memory: data at base, selector at base + 8, DMA at base + 16. */
FwCfg *fw_cfg_create_mem(Vm *vm, hwaddr base, GError **error);
/* Items by number. Data is copied; a key set twice keeps the last. */
void fw_cfg_add_bytes(FwCfg *f, uint16_t key, const void *data, size_t len);
void fw_cfg_add_u16(FwCfg *f, uint16_t key, uint16_t value);
void fw_cfg_add_u32(FwCfg *f, uint16_t key, uint32_t value);
void fw_cfg_add_u64(FwCfg *f, uint16_t key, uint64_t value);
void fw_cfg_add_string(FwCfg *f, uint16_t key, const char *s);
/* Takes data over (g_free), for big ones. */
void fw_cfg_take_bytes(FwCfg *f, uint16_t key, void *data, size_t len);
/*
 * Files by name; replaced when there is one of that name. False: the directory is full or the name
 * too long.
 */
bool fw_cfg_add_file(FwCfg *f, const char *name, const void *data, size_t len);
/* New contents of a file, cut or zero-filled to the size it was added with. */
void fw_cfg_update_file(FwCfg *f, const char *name, const void *data, size_t len);
/* A file that firmware may write back; written() is called after each DMA write. */
bool fw_cfg_add_writable_file(FwCfg *f, const char *name, const void *data, size_t len,
                              void (*written)(void *opaque, const uint8_t *data, size_t len),
                              void *opaque);
/* on_select runs before the guest starts reading a file: to bring tables up to date. */
void fw_cfg_on_select(FwCfg *f, const char *name, void (*fn)(void *opaque), void *opaque);
/* "etc/..." option -fw_cfg name=,file=|string=. */
bool fw_cfg_add_option(FwCfg *f, const char *name, const char *file, const char *string,
                       GError **error);

#endif
