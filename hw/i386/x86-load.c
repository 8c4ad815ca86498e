// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -kernel for x86: reads the setup header of a Linux image (Linux' Documentation/x86/boot.rst),
 * decides where setup code, command line, kernel and initrd go, and hands them to our option
 * ROM (pc-bios/linuxboot.S) through fw_cfg. The file is hostile input.
 */
#include "exec/loader.h"
#include "hw/i386/pc.h"

#define SECTOR 512
#define KERNEL_LIMIT (1 * GIB)
#define REAL_ADDR 0x10000u
#define CMDLINE_ADDR 0x20000u
#define CMDLINE_LIMIT 0x10000u
#define KERNEL_ADDR 0x100000u
#define OLD_INITRD_MAX 0x37ffffffu
#define LOADER_TYPE 0xb0

enum {
    SETUP_SECTS = 0x1f1,
    SYSSIZE = 0x1f4,
    VID_MODE = 0x1fa,
    BOOT_FLAG = 0x1fe,
    HEADER_MAGIC = 0x202,
    PROTOCOL = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    CODE32_START = 0x214,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    HEAP_END_PTR = 0x224,
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
    CMDLINE_SIZE = 0x238,
    XLOADFLAGS = 0x236,
    HEADER_END = 0x268 };
enum { LOADED_HIGH = 1, CAN_USE_HEAP = 0x80 };

static uint32_t get32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = v >> 8 * i;
    }
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = v;
    p[1] = v >> 8;
}

/* Checks the image and gives the length of its setup part. */
static bool linux_check(const char *path, const uint8_t *k, size_t len, size_t *setup_len,
                        GError **error)
{
    if (len < 2 * SECTOR) {
        return fail(error, "kernel '%s' is too short: %zu bytes", path, len);
    }
    if (memcmp(k + HEADER_MAGIC, "HdrS", 4) != 0 || k[BOOT_FLAG] != 0x55 ||
        k[BOOT_FLAG + 1] != 0xaa) {
        return fail(error, "kernel '%s' is no Linux image (no setup header)", path);
    }
    unsigned protocol = k[PROTOCOL] | k[PROTOCOL + 1] << 8;

    if (protocol < 0x202 || !(k[LOADFLAGS] & LOADED_HIGH)) {
        return fail(error, "kernel '%s': boot protocol %u.%02u or a low image is too old", path,
                    protocol >> 8, protocol & 0xff);
    }
    unsigned sects = k[SETUP_SECTS] ? k[SETUP_SECTS] : 4;

    *setup_len = (sects + 1) * (size_t)SECTOR;
    if (*setup_len >= len) {
        return fail(error, "kernel '%s' is truncated: %zu bytes, its setup code alone has %zu",
                    path, len, *setup_len);
    }
    /* syssize, in paragraphs (the last need not be whole): all 32 bits since 2.04 */
    uint64_t whole = *setup_len + (uint64_t)get32(k + SYSSIZE) * 16;

    if (protocol >= 0x204 && whole > len + 15) {
        return fail(error,
                    "kernel '%s' is truncated: %zu bytes, it says that it has %" G_GUINT64_FORMAT,
                    path, len, whole);
    }
    return true;
}

static bool linux_initrd(PcBoard *b, uint8_t *setup, unsigned protocol, uint64_t kernel_end,
                         GError **error)
{
    const char *path = b->vm->initrd;
    uint64_t max = protocol >= 0x203 ? get32(setup + INITRD_ADDR_MAX) : OLD_INITRD_MAX;
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    /* Kernels that load above 4 GiB say a low limit for older loaders. */
    if (protocol >= 0x20c && (setup[XLOADFLAGS] & 2)) {
        max = UINT32_MAX;
    }
    max = MIN(max, b->low_size - PC_FIRMWARE_ROOM - 1);
    if (!load_file(path, "initrd", b->low_size, &data, &len, error)) {
        return false;
    }
    if (len == 0) {
        return fail(error, "initrd '%s' is empty", path);
    }
    if (len > max || ((max - len) & ~0xfffull) < kernel_end) {
        return fail(error,
                    "initrd '%s' is too large for the guest's memory: %zu bytes, room for "
                    "%" G_GUINT64_FORMAT,
                    path, len, max > kernel_end ? max - kernel_end : 0);
    }
    uint32_t addr = (max - len) & ~0xfffu;

    put32(setup + RAMDISK_IMAGE, addr);
    put32(setup + RAMDISK_SIZE, len);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_INITRD_ADDR, addr);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_INITRD_SIZE, len);
    fw_cfg_take_bytes(b->fw_cfg, FW_CFG_INITRD_DATA, g_steal_pointer(&data), len);
    return true;
}

static bool linux_cmdline(PcBoard *b, uint8_t *setup, unsigned protocol, GError **error)
{
    const char *append = b->vm->append ? b->vm->append : "";
    size_t len = strlen(append) + 1;
    uint32_t limit = protocol >= 0x206 ? get32(setup + CMDLINE_SIZE) : 255;

    if (len - 1 > limit || len > CMDLINE_LIMIT) {
        return fail(error, "kernel command line is too long: %zu characters, the kernel takes %u",
                    len - 1, MIN(limit, CMDLINE_LIMIT - 1));
    }
    put32(setup + CMD_LINE_PTR, CMDLINE_ADDR);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_CMDLINE_ADDR, CMDLINE_ADDR);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_CMDLINE_SIZE, len);
    fw_cfg_add_string(b->fw_cfg, FW_CFG_CMDLINE_DATA, append);
    return true;
}

bool pc_load_linux(PcBoard *b, GError **error)
{
    const char *path = b->vm->kernel;
    g_autofree uint8_t *k = NULL;
    size_t len = 0, setup_len = 0;

    if (!load_file(path, "kernel", KERNEL_LIMIT, &k, &len, error) ||
        !linux_check(path, k, len, &setup_len, error)) {
        return false;
    }
    unsigned protocol = k[PROTOCOL] | k[PROTOCOL + 1] << 8;
    size_t size = len - setup_len;

    if (size > b->low_size - KERNEL_ADDR) {
        return fail(error, "kernel '%s' does not fit into the guest's memory", path);
    }
    uint8_t *setup = g_malloc0(MAX(setup_len, HEADER_END));

    memcpy(setup, k, setup_len);
    setup[TYPE_OF_LOADER] = LOADER_TYPE;
    setup[LOADFLAGS] |= CAN_USE_HEAP;
    put16(setup + HEAP_END_PTR, CMDLINE_ADDR - REAL_ADDR - 0x200);
    fw_cfg_take_bytes(b->fw_cfg, FW_CFG_SETUP_DATA, setup, setup_len);
    if (!linux_cmdline(b, setup, protocol, error) ||
        (b->vm->initrd && !linux_initrd(b, setup, protocol, KERNEL_ADDR + size, error))) {
        return false;
    }
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_SETUP_ADDR, REAL_ADDR);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_SETUP_SIZE, setup_len);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_KERNEL_ADDR, KERNEL_ADDR);
    fw_cfg_add_u32(b->fw_cfg, FW_CFG_KERNEL_SIZE, size);
    /* The buffer is cut down to the protected-mode part instead of copied. */
    memmove(k, k + setup_len, size);
    fw_cfg_take_bytes(b->fw_cfg, FW_CFG_KERNEL_DATA, g_steal_pointer(&k), size);
    return true;
}
