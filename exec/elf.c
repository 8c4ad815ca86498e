// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ELF executables into guest memory (ELF specification 1.2, both classes, both byte orders).
 * The file is hostile: every offset is checked against its length before use.
 */
#include "exec/loader.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "util/bswap.h"

#define MAX_ELF_FILE GIB
#define MAX_IN_MEMORY (2 * GIB)    /* all segments together */
/* The note by which a kernel names its PVH entry point (owner "Xen"). */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

typedef struct ElfFile {
    const char *path;
    const uint8_t *data;
    size_t len;
    bool is64, big;
    uint64_t loaded;    /* bytes of memory so far */
    ElfPlace *place;
    void *opaque;
} ElfFile;

/* Fields are read by offset, so that neither class nor order needs structs of its own. */
static uint64_t get(const ElfFile *f, uint64_t at, unsigned size)
{
    const uint8_t *p = f->data + at;

    switch (size) {
    case 2: return f->big ? load_be16(p) : load_le16(p);
    case 4: return f->big ? load_be32(p) : load_le32(p);
    default: return f->big ? load_be64(p) : load_le64(p);
    }
}

#define FIELD(f, base, kind, m)                                                                    \
    ((f)->is64 ? get(f, (base) + offsetof(Elf64_##kind, m), sizeof(((Elf64_##kind *)0)->m))        \
               : get(f, (base) + offsetof(Elf32_##kind, m), sizeof(((Elf32_##kind *)0)->m)))

static bool inside(const ElfFile *f, uint64_t at, uint64_t len)
{
    return at <= f->len && len <= f->len - at;
}

bool file_is_elf(const char *path)
{
    uint8_t magic[SELFMAG];
    FILE *file = fopen(path, "rbe");
    bool is = file != NULL && fread(magic, 1, SELFMAG, file) == SELFMAG &&
              memcmp(magic, ELFMAG, SELFMAG) == 0;

    if (file != NULL) {
        fclose(file);
    }
    return is;
}

static bool read_header(ElfFile *f, uint16_t machine, ElfInfo *info, GError **error)
{
    if (!inside(f, 0, EI_NIDENT) || memcmp(f->data, ELFMAG, SELFMAG) != 0) {
        return fail(error, "'%s' is not an ELF file", f->path);
    }
    f->is64 = f->data[EI_CLASS] == ELFCLASS64;
    f->big = f->data[EI_DATA] == ELFDATA2MSB;
    if ((!f->is64 && f->data[EI_CLASS] != ELFCLASS32) ||
        (!f->big && f->data[EI_DATA] != ELFDATA2LSB) ||
        !inside(f, 0, f->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr))) {
        return fail(error, "ELF file '%s' has a bad header", f->path);
    }
    memset(info, 0, sizeof(*info));
    info->is64 = f->is64;
    info->endian = f->big ? DEV_BIG : DEV_LITTLE;
    info->machine = FIELD(f, 0, Ehdr, e_machine);
    info->entry = FIELD(f, 0, Ehdr, e_entry);
    info->low = UINT64_MAX;
    if (machine != 0 && info->machine != machine) {
        return fail(error, "ELF file '%s' is for another machine (%u, expected %u)", f->path,
                    info->machine, machine);
    }
    return true;
}

/* A LOAD segment; ph: its program header's place. */
static bool load_segment(ElfFile *f, uint64_t ph, ElfInfo *info, GError **error)
{
    uint64_t offset = FIELD(f, ph, Phdr, p_offset), filesz = FIELD(f, ph, Phdr, p_filesz);
    uint64_t memsz = FIELD(f, ph, Phdr, p_memsz), paddr = FIELD(f, ph, Phdr, p_paddr);

    if (memsz == 0) {
        return true;
    }
    if (!inside(f, offset, filesz) || filesz > memsz || memsz > MAX_IN_MEMORY - f->loaded ||
        paddr > UINT64_MAX - memsz) {
        return fail(error, "ELF file '%s' has a bad segment at 0x%" G_GINT64_MODIFIER "x",
                    f->path, paddr);
    }
    f->loaded += memsz;
    f->place(f->opaque, f->path, f->data + offset, filesz, memsz, paddr);
    /* A kernel linked for virtual addresses is entered where the segment was put. */
    uint64_t vaddr = FIELD(f, ph, Phdr, p_vaddr), entry = FIELD(f, 0, Ehdr, e_entry);

    if (vaddr != paddr && entry >= vaddr && entry - vaddr < memsz) {
        info->entry = entry - vaddr + paddr;
    }
    info->low = MIN(info->low, paddr);
    info->high = MAX(info->high, paddr + memsz);
    return true;
}

static uint64_t align_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

/* A NOTE segment: looks for the PVH entry point. */
static void read_notes(const ElfFile *f, uint64_t ph, ElfInfo *info)
{
    uint64_t at = FIELD(f, ph, Phdr, p_offset), left = FIELD(f, ph, Phdr, p_filesz);
    uint64_t align = FIELD(f, ph, Phdr, p_align) == 8 ? 8 : 4;

    if (!inside(f, at, left)) {
        return;
    }
    while (left >= 12) {
        uint64_t namesz = get(f, at, 4), descsz = get(f, at + 4, 4), type = get(f, at + 8, 4);
        uint64_t desc = align_up(12 + namesz, align), whole = align_up(desc + descsz, align);

        if (desc + descsz > left) {
            return;
        }
        if (type == XEN_ELFNOTE_PHYS32_ENTRY && namesz == 4 &&
            memcmp(f->data + at + 12, "Xen", 4) == 0 && (descsz == 4 || descsz == 8)) {
            info->pvh_entry = get(f, at + desc, descsz);
        }
        if (whole >= left) {
            return;
        }
        at += whole;
        left -= whole;
    }
}

static bool load_segments(ElfFile *f, ElfInfo *info, GError **error)
{
    uint64_t phoff = FIELD(f, 0, Ehdr, e_phoff);
    unsigned count = FIELD(f, 0, Ehdr, e_phnum), size = FIELD(f, 0, Ehdr, e_phentsize);

    if (size < (f->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) ||
        !inside(f, phoff, (uint64_t)count * size)) {
        return fail(error, "ELF file '%s' has no program headers", f->path);
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t ph = phoff + (uint64_t)i * size;
        uint64_t type = FIELD(f, ph, Phdr, p_type);

        if (type == PT_LOAD && !load_segment(f, ph, info, error)) {
            return false;
        }
        if (type == PT_NOTE) {
            read_notes(f, ph, info);
        }
    }
    if (info->high == 0) {
        return fail(error, "ELF file '%s' has nothing to load", f->path);
    }
    return true;
}

bool elf_read(const ElfImage *image, uint16_t machine, ElfInfo *info, ElfPlace *place, void *opaque,
              GError **error)
{
    ElfFile f = {image->name, image->data, image->len, .place = place, .opaque = opaque};

    return read_header(&f, machine, info, error) && load_segments(&f, info, error);
}

static void place_blob(void *opaque, const char *name, const uint8_t *data, uint64_t filesz,
                       uint64_t memsz, uint64_t paddr)
{
    if (memsz > filesz) {
        g_autofree uint8_t *image = g_malloc0(memsz);

        memcpy(image, data, filesz);
        rom_add_blob(name, image, memsz, paddr, NULL);
    } else {
        rom_add_blob(name, data, memsz, paddr, NULL);
    }
}

bool load_elf(const char *path, uint16_t machine, ElfInfo *info, GError **error)
{
    g_autofree uint8_t *data = NULL;
    ElfImage image = {.name = path};

    if (!load_file(path, "ELF file", MAX_ELF_FILE, &data, &image.len, error)) {
        return false;
    }
    image.data = data;
    return elf_read(&image, machine, info, place_blob, NULL, error);
}
