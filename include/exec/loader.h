// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files and blobs that a board puts into guest memory: firmware, kernels, ROM images. What
 * is laid out here is laid out again at every vm_reset. Main thread, start-up.
 */
#ifndef EXEC_LOADER_H
#define EXEC_LOADER_H

#include "exec/memory.h"

/*
 * Path of a firmware file: `name` itself when it is a readable path, else in the folders of
 * -L, the build's pc-bios, and the configured ones. New string; NULL: not found.
 */
char *firmware_find(const char *name);
/* -L: searched first, in order. */
void firmware_add_folder(const char *folder);
/* Fails with the folders that were searched. */
char *firmware_find_or_fail(const char *name, const char *what, GError **error);

/* A blob for guest physical memory at addr of `as` (NULL: system memory), copied. */
void rom_add_blob(const char *name, const void *data, size_t len, hwaddr addr, AddressSpace *as);
/* A file, at most max bytes (0: no limit); its size in *size when not NULL. */
bool rom_add_file(const char *path, hwaddr addr, uint64_t max, uint64_t *size, GError **error);
/* Lays out everything that was added; vm_reset calls it. */
void rom_reset(void);
/* Narrows [*base, *base + *size) of system memory to its largest part without anything laid out. */
void rom_largest_gap(uint64_t *base, uint64_t *size);
/* Text for "info roms". */
void rom_print(GString *out);

/* A whole file into memory with a limit; the error names path and reason. g_free. */
bool load_file(const char *path, const char *what, uint64_t max, uint8_t **data, size_t *len,
               GError **error);

typedef struct ElfInfo {
    uint64_t entry, low, high;
    bool is64;
    Endian endian;
    uint16_t machine;
    uint64_t pvh_entry;
} ElfInfo;
/* Loads an ELF executable's segments as ROM blobs at their physical addresses. Hostile input. */
bool load_elf(const char *path, uint16_t machine, ElfInfo *info, GError **error);
bool file_is_elf(const char *path);
/*
 * The same with an executable that is in memory, whose segments place() gets: filesz bytes of data,
 * then zeros up to memsz.
 */
typedef struct ElfImage {
    const char *name; /* for messages */
    const uint8_t *data;
    size_t len;
} ElfImage;
typedef void ElfPlace(void *opaque, const char *name, const uint8_t *data, uint64_t filesz,
                      uint64_t memsz, uint64_t paddr);
bool elf_read(const ElfImage *image, uint16_t machine, ElfInfo *info, ElfPlace *place, void *opaque,
              GError **error);

#endif
