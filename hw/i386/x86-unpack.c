// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A Linux image (Documentation/x86/boot.rst, protocol 2.08) carries an ELF kernel, compressed,
 * and a program that unpacks it in the guest, which takes longer than all the rest of a small
 * guest's start. Here the host does that, and the kernel is entered by its PVH note. What is kept
 * is the compressed kernel: it is unpacked again at each reset. No address is chosen by chance.
 */
#include <string.h>
#include <zlib.h>

#include "exec/memory.h"
#include "util/bswap.h"
#include "x86-kernel.h"

#define IMAGE_LIMIT (256 * MIB)
#define PAGE 4096u
enum {
    SETUP_SECTS = 0x1f1,
    HEADER_MAGIC = 0x202,
    VERSION = 0x206,
    PAYLOAD_OFFSET = 0x248,
    PAYLOAD_LENGTH = 0x24c,
    HEADER_END = 0x250,
};

extern const X86Unpacker *const __start_x86_unpackers[];
extern const X86Unpacker *const __stop_x86_unpackers[];

/* Lives as long as the machine. */
typedef struct PackedKernel {
    Vm *vm;
    uint8_t *image;             /* the file */
    const uint8_t *packed;      /* in it */
    size_t packed_len, len;
    uint8_t *unpacked;          /* NULL: to be done again */
    const X86Unpacker *by;
} PackedKernel;

static bool gzip_unpack(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
    z_stream z = {.next_in = (Bytef *)in, .avail_in = (uInt)in_len, .next_out = out,
                  .avail_out = (uInt)out_len};
    bool ok = inflateInit2(&z, 15 + 16) == Z_OK;

    ok = ok && inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return ok;
}

static const X86Unpacker gzip = {{0x1f, 0x8b}, 2, gzip_unpack};
X86_UNPACKER(gzip);

/* The compressed kernel in k->image, whose last four bytes are its size unpacked. */
static bool find_payload(PackedKernel *k, size_t len)
{
    const uint8_t *p = k->image;

    if (len < HEADER_END || memcmp(p + HEADER_MAGIC, "HdrS", 4) != 0 ||
        load_le16(p + VERSION) < 0x208) {
        return false;
    }
    size_t at = ((p[SETUP_SECTS] ? p[SETUP_SECTS] : 4) + 1) * 512u;
    uint32_t offset = load_le32(p + PAYLOAD_OFFSET), size = load_le32(p + PAYLOAD_LENGTH);

    if (at > len || offset > len - at || size > len - at - offset || size < 16) {
        return false;
    }
    k->packed = p + at + offset;
    k->packed_len = size;
    k->len = load_le32(k->packed + size - 4);
    for (const X86Unpacker *const *u = __start_x86_unpackers; u < __stop_x86_unpackers; u++) {
        if (memcmp(k->packed, (*u)->magic, (*u)->magic_len) == 0) {
            k->by = *u;
        }
    }
    return k->by != NULL;
}

/* The size at the end follows the stream of xz and zstd; gzip's own ends with it. */
static bool unpack(PackedKernel *k)
{
    size_t tail = k->by == &gzip ? 0 : 4;

    k->unpacked = g_try_malloc(k->len);
    if (k->unpacked && k->by->unpack(k->packed, k->packed_len - tail, k->unpacked, k->len)) {
        return true;
    }
    g_clear_pointer(&k->unpacked, g_free);
    return false;
}

/* Pages that hold what they shall are left alone: most of a new machine's are zero. */
static void place(void *opaque, const char *name, const uint8_t *data, uint64_t filesz,
                  uint64_t memsz, uint64_t paddr)
{
    static const uint8_t zeros[PAGE];
    AddressSpace *as = ((PackedKernel *)opaque)->vm->memory_as;

    for (uint64_t at = 0; at < memsz;) {
        uint64_t end = at < filesz ? filesz : memsz;
        size_t n = (size_t)MIN(end - at, PAGE);
        const uint8_t *from = at < filesz ? data + at : zeros;
        uint8_t old[PAGE];

        address_space_read(as, paddr + at, ATTRS_NONE, old, n);
        if (memcmp(old, from, n) != 0) {
            address_space_write(as, paddr + at, ATTRS_NONE, from, n);
        }
        at += n;
    }
}

static void ignore(void *opaque, const char *name, const uint8_t *data, uint64_t filesz,
                   uint64_t memsz, uint64_t paddr)
{
}

static void lay_out(void *opaque)
{
    PackedKernel *k = opaque;
    g_autoptr(GError) none = NULL;
    ElfInfo info;

    if (k->unpacked || unpack(k)) {
        ElfImage image = {"kernel", k->unpacked, k->len};

        elf_read(&image, 0, &info, place, k, &none);
        g_clear_pointer(&k->unpacked, g_free);
    }
}

static void forget(PackedKernel *k)
{
    g_free(k->unpacked);
    g_free(k->image);
    g_free(k);
}

bool x86_unpack_linux(const X86Memory *m, ElfInfo *elf)
{
    PackedKernel *k = g_new0(PackedKernel, 1);
    g_autoptr(GError) unused = NULL;
    size_t len = 0;

    k->vm = m->vm;
    if (load_file(m->vm->kernel, "kernel", IMAGE_LIMIT, &k->image, &len, &unused) &&
        find_payload(k, len) && k->len < m->low_size && unpack(k)) {
        ElfImage image = {m->vm->kernel, k->unpacked, k->len};

        if (elf_read(&image, 0, elf, ignore, NULL, &unused) && elf->pvh_entry &&
            elf->low >= PAGE && elf->high <= m->low_size - m->low_reserved) {
            vm_reset_add(m->vm, lay_out, k);
            return true;
        }
    }
    forget(k);
    return false;
}
