// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -kernel beside Linux' own format: multiboot (Multiboot Specification 0.6.96) and PVH (Xen's
 * x86/HVM direct boot ABI). Kernel, modules and the information about them become ROM images in
 * RAM, laid out at each reset; an option ROM or a reset stub only sets registers and jumps.
 */
#include "x86-kernel.h"
#include "exec/loader.h"
#include "util/bswap.h"

#define KERNEL_LIMIT (1 * GIB)
#define PAGE 4096u
#define EM_386 3
#define EM_X86_64 62

enum {
    MAP_RAM = 1,
    MAP_RESERVED = 2
};

typedef struct MapRow {
    uint64_t base, size;
    uint32_t type;
} MapRow;

static unsigned memory_map(const X86Memory *m, MapRow rows[6])
{
    const MapRow all[] = {
        {0, 0x9fc00, MAP_RAM},
        {0x9fc00, 0x400, MAP_RESERVED},
        {0xf0000, 0x10000, MAP_RESERVED},
        {MIB, m->low_size - MIB - m->low_reserved, MAP_RAM},
        {m->low_size - m->low_reserved, m->low_reserved, MAP_RESERVED},
        {4 * GIB, m->high_size, MAP_RAM},
    };
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_COUNT(all); i++) {
        if (all[i].size) {
            rows[n++] = all[i];
        }
    }
    return n;
}

/* ---- pieces of memory behind the kernel ---- */

typedef struct Pile {
    const X86Memory *m;
    uint64_t at; /* next free address */
} Pile;

/* Lays data out at the next multiple of `align`; its address, 0: no room. */
static uint32_t pile_put(Pile *p, const char *name, const void *data, size_t len, uint32_t align,
                         GError **error)
{
    uint64_t at = (p->at + align - 1) & ~(uint64_t)(align - 1),
             end = p->m->low_size - p->m->low_reserved;

    if (at > end || len > end - at) {
        fail(error, "%s does not fit into the guest's memory: %zu bytes", name, len);
        return 0;
    }
    rom_add_blob(name, data, len, at, NULL);
    p->at = at + len;
    return at;
}

static uint32_t pile_string(Pile *p, const char *text, GError **error)
{
    return pile_put(p, "kernel command line", text, strlen(text) + 1, 1, error);
}

static void put(GByteArray *b, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = v >> 8 * i;

        g_byte_array_append(b, &byte, 1);
    }
}

static bool check_place(const X86Memory *m, const char *path, uint64_t low, uint64_t high,
                        GError **error)
{
    if (low < 0x1000 || high > m->low_size - m->low_reserved) {
        return fail(error,
                    "kernel '%s' does not fit into the guest's memory: it wants %" G_GINT64_MODIFIER
                    "x to %" G_GINT64_MODIFIER "x",
                    path, low, high);
    }
    return true;
}

/* ---- multiboot ---- */

#define MULTIBOOT_SEARCH 8192u
#define MULTIBOOT_HEADER 0x1badb002u
#define MULTIBOOT_MAGIC 0x2badb002u
enum {
    MB_PAGE_ALIGN = 1,
    MB_VIDEO = 4,
    MB_ADDRESSES = 0x10000
};
enum {
    MBI_MEMORY = 1,
    MBI_BOOT_DEVICE = 2,
    MBI_CMDLINE = 4,
    MBI_MODULES = 8,
    MBI_MAP = 0x40,
    MBI_LOADER = 0x200
};
enum {
    MBI_SIZE = 88
};

static bool multiboot_find(const uint8_t *k, size_t len, size_t *at)
{
    for (size_t i = 0; i + 12 <= MIN(len, MULTIBOOT_SEARCH); i += 4) {
        if (load_le32(k + i) == MULTIBOOT_HEADER &&
            (uint32_t)(load_le32(k + i) + load_le32(k + i + 4) + load_le32(k + i + 8)) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* 3.1.3: the header itself says what of the file goes where. */
static bool multiboot_flat(const X86Memory *m, const uint8_t *k, size_t len, size_t at,
                           uint64_t *high, uint32_t *entry, GError **error)
{
    const char *path = m->vm->kernel;
    const uint8_t *h = k + at;

    if (len - at < 32) {
        return fail(error, "multiboot kernel '%s' is truncated", path);
    }
    uint32_t header = load_le32(h + 12), load = load_le32(h + 16), load_end = load_le32(h + 20);
    uint32_t bss_end = load_le32(h + 24);

    *entry = load_le32(h + 28);
    if (header < load || header - load > at) {
        return fail(error, "multiboot kernel '%s': invalid load address", path);
    }
    size_t offset = at - (header - load), size = load_end ? load_end - load : len - offset;

    if ((load_end && load_end < load) || size > len - offset) {
        return fail(error, "multiboot kernel '%s': invalid load end", path);
    }
    *high = MAX(load + (uint64_t)size, bss_end);
    if (!check_place(m, path, load, *high, error)) {
        return false;
    }
    g_autofree uint8_t *image = g_malloc0(*high - load);

    memcpy(image, k + offset, size);
    rom_add_blob(path, image, *high - load, load, NULL);
    return true;
}

static bool multiboot_elf(const X86Memory *m, uint64_t *high, uint32_t *entry, GError **error)
{
    ElfInfo info;

    if (!load_elf(m->vm->kernel, 0, &info, error)) {
        return false;
    }
    if (info.is64 || info.machine != EM_386) {
        return fail(error, "Cannot load x86-64 image, give a 32bit one.");
    }
    *high = info.high;
    *entry = info.entry;
    return check_place(m, m->vm->kernel, info.low, info.high, error);
}

/* "file arguments,file arguments": each file a module with its text. */
static bool multiboot_modules(Pile *p, const char *list, GByteArray *table, unsigned *count,
                              GError **error)
{
    g_auto(GStrv) modules = g_strsplit(list ? list : "", ",", -1);

    for (unsigned i = 0; modules[i]; i++) {
        g_autofree char *path = g_strndup(modules[i], strcspn(modules[i], " "));
        g_autofree uint8_t *data = NULL;
        size_t len = 0;

        if (!load_file(path, "multiboot module", KERNEL_LIMIT, &data, &len, error)) {
            return false;
        }
        uint32_t at = pile_put(p, path, data, len, PAGE, error);
        uint32_t text = at ? pile_string(p, modules[i], error) : 0;

        if (!text) {
            return false;
        }
        put(table, at, 4);
        put(table, at + len, 4);
        put(table, text, 4);
        put(table, 0, 4);
        (*count)++;
    }
    return true;
}

static void multiboot_map(const X86Memory *m, GByteArray *map)
{
    MapRow rows[6];
    unsigned n = memory_map(m, rows);

    for (unsigned i = 0; i < n; i++) {
        put(map, 20, 4);
        put(map, rows[i].base, 8);
        put(map, rows[i].size, 8);
        put(map, rows[i].type, 4);
    }
}

/* 3.3: the information structure, and all that it points to. */
static bool multiboot_info(Pile *p, X86Entry *e, GError **error)
{
    const X86Memory *m = p->m;
    Vm *vm = m->vm;
    g_autoptr(GByteArray) modules = g_byte_array_new(), map = g_byte_array_new();
    g_autofree char *cmdline = g_strdup_printf("%s %s", vm->kernel, vm->append ? vm->append : "");
    uint8_t fields[MBI_SIZE] = {0};
    unsigned count = 0;

    if (!multiboot_modules(p, vm->initrd, modules, &count, error)) {
        return false;
    }
    multiboot_map(m, map);
    uint32_t modules_at = pile_put(p, "multiboot modules", modules->data, modules->len, 4, error);
    uint32_t map_at =
        modules_at ? pile_put(p, "multiboot memory map", map->data, map->len, 4, error) : 0;
    uint32_t cmdline_at = map_at ? pile_string(p, cmdline, error) : 0;
    uint32_t loader_at = cmdline_at ? pile_string(p, "qemu", error) : 0;

    if (!loader_at) {
        return false;
    }
    store_le32(fields,
               MBI_MEMORY | MBI_BOOT_DEVICE | MBI_CMDLINE | MBI_MODULES | MBI_MAP | MBI_LOADER);
    store_le32(fields + 4, 639);
    store_le32(fields + 8, (m->low_size - m->low_reserved - MIB) / KIB);
    store_le32(fields + 12, 0x8000ffff);
    store_le32(fields + 16, cmdline_at);
    store_le32(fields + 20, count);
    store_le32(fields + 24, modules_at);
    store_le32(fields + 44, map->len);
    store_le32(fields + 48, map_at);
    store_le32(fields + 64, loader_at);
    e->eax = MULTIBOOT_MAGIC;
    e->ebx = pile_put(p, "multiboot information", fields, sizeof(fields), 16, error);
    return e->ebx != 0;
}

bool x86_load_multiboot(const X86Memory *m, X86Entry *e, bool *found, GError **error)
{
    const char *path = m->vm->kernel;
    g_autofree uint8_t *k = NULL;
    size_t len = 0, at = 0;
    uint64_t high = 0;

    if (!load_file(path, "kernel", KERNEL_LIMIT, &k, &len, error)) {
        return false;
    }
    *found = multiboot_find(k, len, &at);
    if (!*found) {
        return true;
    }
    uint32_t flags = load_le32(k + at + 4);

    if (flags & 0xffff & ~(uint32_t)(MB_PAGE_ALIGN | 2 | MB_VIDEO)) {
        return fail(error, "multiboot kernel '%s' wants features that are not known: flags %x",
                    path, flags);
    }
    if (!(flags & MB_ADDRESSES ? multiboot_flat(m, k, len, at, &high, &e->pc, error)
                               : multiboot_elf(m, &high, &e->pc, error))) {
        return false;
    }
    Pile p = {m, MAX(high, MIB)};

    return multiboot_info(&p, e, error);
}

/* ---- PVH ---- */

#define PVH_MAGIC 0x336ec578u

static bool pvh_initrd(Pile *p, const char *path, GByteArray *table, GError **error)
{
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!load_file(path, "initrd", KERNEL_LIMIT, &data, &len, error)) {
        return false;
    }
    uint32_t at = pile_put(p, path, data, len, PAGE, error);

    put(table, at, 8);
    put(table, len, 8);
    put(table, 0, 8);
    put(table, 0, 8);
    return at != 0;
}

bool x86_load_pvh(const X86Memory *m, X86Entry *e, bool *found, GError **error)
{
    Vm *vm = m->vm;
    g_autoptr(GByteArray) modules = g_byte_array_new(), map = g_byte_array_new(),
                          info = g_byte_array_new();
    MapRow rows[6];
    unsigned n = memory_map(m, rows);
    ElfInfo elf;

    *found = file_is_elf(vm->kernel);
    if (!*found && m->unpack) {
        *found = x86_unpack_linux(m, &elf);
    } else if (*found && !load_elf(vm->kernel, 0, &elf, error)) {
        return false;
    }
    if (!*found) {
        return true;
    }
    if ((elf.machine != EM_386 && elf.machine != EM_X86_64) || !elf.pvh_entry ||
        elf.pvh_entry > UINT32_MAX) {
        return fail(error, "Error loading uncompressed kernel without PVH ELF Note");
    }
    if (!check_place(m, vm->kernel, elf.low, elf.high, error)) {
        return false;
    }
    Pile p = {m, MAX(elf.high, MIB)};

    if (vm->initrd && !pvh_initrd(&p, vm->initrd, modules, error)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        put(map, rows[i].base, 8);
        put(map, rows[i].size, 8);
        put(map, rows[i].type, 4);
        put(map, 0, 4);
    }
    uint32_t cmdline = pile_string(&p, vm->append ? vm->append : "", error);
    uint32_t modules_at =
        cmdline ? pile_put(&p, "PVH modules", modules->data, modules->len, 8, error) : 0;
    uint32_t map_at =
        modules_at ? pile_put(&p, "PVH memory map", map->data, map->len, 8, error) : 0;

    if (!map_at) {
        return false;
    }
    put(info, PVH_MAGIC, 4);
    put(info, 1, 4);
    put(info, 0, 4);
    put(info, modules->len ? 1 : 0, 4);
    put(info, modules->len ? modules_at : 0, 8);
    put(info, cmdline, 8);
    put(info, m->rsdp, 8);
    put(info, map_at, 8);
    put(info, n, 4);
    put(info, 0, 4);
    e->ebx = pile_put(&p, "PVH start information", info->data, info->len, 8, error);
    e->pc = elf.pvh_entry;
    return e->ebx != 0;
}

/* ---- Linux without firmware: Documentation/x86/boot.rst, 32-bit boot protocol ---- */

#define ZERO_PAGE 0x10000u
#define KERNEL_BASE 0x100000u
enum {
    ACPI_RSDP = 0x070,
    SETUP_SECTS = 0x1f1,
    BOOT_FLAG = 0x1fe,
    HEADER = 0x1f1,
    HEADER_MAGIC = 0x202,
    JUMP_LEN = 0x201,
    VERSION = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    CMD_LINE_PTR = 0x228,
    INIT_SIZE = 0x260,
    E820_ENTRIES = 0x1e8,
    E820_TABLE = 0x2d0
};

static bool linux32_check(const char *path, const uint8_t *k, size_t len, size_t *setup,
                          GError **error)
{
    if (len < 1024 || memcmp(k + HEADER_MAGIC, "HdrS", 4) != 0 || load_le16(k + VERSION) < 0x20a ||
        !(k[LOADFLAGS] & 1)) {
        return fail(error, "kernel '%s' is no Linux image that can be booted without firmware",
                    path);
    }
    *setup = ((k[SETUP_SECTS] ? k[SETUP_SECTS] : 4) + 1) * 512u;
    if (*setup >= len) {
        return fail(error, "kernel '%s' is truncated", path);
    }
    return true;
}

static bool linux32_initrd(Pile *p, uint8_t *zero, GError **error)
{
    const char *path = p->m->vm->initrd;
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!path) {
        return true;
    }
    if (!load_file(path, "initrd", KERNEL_LIMIT, &data, &len, error)) {
        return false;
    }
    uint32_t at = pile_put(p, path, data, len, PAGE, error);

    store_le32(zero + RAMDISK_IMAGE, at);
    store_le32(zero + RAMDISK_SIZE, len);
    return at != 0;
}

bool x86_load_linux32(const X86Memory *m, X86Entry *e, GError **error)
{
    Vm *vm = m->vm;
    g_autofree uint8_t *k = NULL;
    uint8_t zero[PAGE] = {0};
    size_t len = 0, setup = 0;
    MapRow rows[6];
    unsigned n = memory_map(m, rows);

    if (!load_file(vm->kernel, "kernel", KERNEL_LIMIT, &k, &len, error) ||
        !linux32_check(vm->kernel, k, len, &setup, error)) {
        return false;
    }
    uint64_t room = MAX(load_le32(k + INIT_SIZE), len - setup);

    if (!check_place(m, vm->kernel, KERNEL_BASE, KERNEL_BASE + room, error)) {
        return false;
    }
    rom_add_blob(vm->kernel, k + setup, len - setup, KERNEL_BASE, NULL);
    memcpy(zero + HEADER, k + HEADER, MIN(0x202u + k[JUMP_LEN], 0x290u) - HEADER);
    zero[TYPE_OF_LOADER] = 0xb0;
    Pile p = {m, KERNEL_BASE + room + 16 * MIB};

    if (p.at + MIB > m->low_size) {
        p.at = KERNEL_BASE + room;
    }
    if (!linux32_initrd(&p, zero, error)) {
        return false;
    }
    uint32_t cmdline = pile_string(&p, vm->append ? vm->append : "", error);

    if (!cmdline) {
        return false;
    }
    store_le32(zero + CMD_LINE_PTR, cmdline);
    store_le64(zero + ACPI_RSDP, m->rsdp);
    zero[E820_ENTRIES] = n;
    for (unsigned i = 0; i < n; i++) {
        uint8_t *row = zero + E820_TABLE + 20 * i;

        store_le64(row, rows[i].base);
        store_le64(row + 8, rows[i].size);
        store_le32(row + 16, rows[i].type);
    }
    rom_add_blob("linux boot parameters", zero, sizeof(zero), ZERO_PAGE, NULL);
    e->esi = ZERO_PAGE;
    e->pc = KERNEL_BASE;
    return true;
}
