// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the CPUs start from: the image of -bios as ROM, or one or two flash chips (-drive
 * if=pflash, -machine pflash0=,pflash1=), at the top of the first 4 GiB and, its last 128 KiB, at
 * the top of the first MiB. The second chip, with variables, lies below the first.
 */
#include "block/block.h"
#include "exec/loader.h"
#include "hw/block/pflash.h"
#include "hw/i386/pc.h"

#define FLASH_SECTOR 4096
#define ISA_WINDOW (128 * KIB)

static void firmware_map(PcBoard *b, Region *r, hwaddr at, uint64_t size)
{
    uint64_t isa = MIN(size, ISA_WINDOW);

    region_add(&b->pci_mem, at, r, 1);
    if (at + size == 4 * GIB) {
        region_init_alias(&b->bios_isa, NULL, "isa-bios", r, size - isa, isa);
        region_set_readonly(&b->bios_isa, true);
        region_add(&b->pci_mem, MIB - isa, &b->bios_isa, 1);
    }
}

static bool firmware_rom(PcBoard *b, const char *name, GError **error)
{
    g_autofree char *path = firmware_find_or_fail(name, "firmware", error);
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!path || !load_file(path, "firmware", b->max_firmware, &data, &len, error)) {
        return false;
    }
    if (len == 0 || len % 65536) {
        return fail(error, "firmware '%s': size %zu is not a multiple of 64 KiB", path, len);
    }
    if (!region_init_rom(&b->bios, NULL, "pc.bios", len, error)) {
        return false;
    }
    memcpy(region_host(&b->bios), data, len);
    firmware_map(b, &b->bios, 4 * GIB - len, len);
    if (b->firmware_in_ram) {
        size_t isa = MIN(len, ISA_WINDOW);

        rom_add_blob("isa-bios", data + len - isa, isa, MIB - isa, NULL);
    }
    return true;
}

/* The drive of chip i: -machine pflash<i>, else -drive if=pflash,unit=<i>. */
static const char *flash_drive(PcBoard *b, unsigned i, GError **error)
{
    const DriveInfo *d = drive_at("pflash", 0, (int)i);

    if (b->pflash[i] && d) {
        return fail_null(
            error, "machine property 'pflash%u' and a drive of if=pflash,unit=%u are both given", i,
            i);
    }
    if (d) {
        drive_claim(d);
        return d->id;
    }
    return b->pflash[i];
}

static bool firmware_flash(PcBoard *b, const char *const drives[2], GError **error)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < 2 && drives[i]; i++) {
        g_autofree char *name = g_strdup_printf("system.flash%u", i);
        Device *d = pflash_create(b->vm,
                                  &(PflashConfig){
                                      .name = name,
                                      .drive = drives[i],
                                      .sector_size = FLASH_SECTOR,
                                      .width = 1,
                                      .ids = {0x89, 0x18, 0, 0},
                                  },
                                  error);

        if (!d) {
            return false;
        }
        total += pflash_size(d);
        if (total > b->max_firmware) {
            return fail(error,
                        "combined size of system firmware exceeds %" G_GUINT64_FORMAT " bytes",
                        b->max_firmware);
        }
        firmware_map(b, pflash_region(d), 4 * GIB - total, pflash_size(d));
    }
    return true;
}

bool pc_load_firmware(PcBoard *b, GError **error)
{
    const char *drives[2] = {NULL, NULL};
    GError *refused = NULL;

    if (b->no_firmware) {
        return true;
    }
    for (unsigned i = 0; i < 2; i++) {
        drives[i] = flash_drive(b, i, &refused);
        if (refused) {
            g_propagate_error(error, refused);
            return false;
        }
    }
    if (drives[1] && !drives[0]) {
        return fail(error, "pflash1 requires pflash0");
    }
    if (!drives[0]) {
        return firmware_rom(b,
                            b->vm->firmware       ? b->vm->firmware
                            : b->default_firmware ? b->default_firmware
                                                  : "bios-256k.bin",
                            error);
    }
    return firmware_flash(b, drives, error);
}
