// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels that are laid out in guest memory and entered in 32-bit protected mode: what the boards
 * pc, q35 and microvm share. Files are hostile input.
 */
#ifndef HW_I386_X86_KERNEL_H
#define HW_I386_X86_KERNEL_H

#include "exec/loader.h"
#include "qom/vm.h"

/* RAM as the kernel is told of it. */
typedef struct X86Memory {
    Vm *vm;
    uint64_t low_size, high_size; /* bytes below and above 4 GiB */
    uint64_t low_reserved; /* at the end of the former: firmware's */
    uint64_t rsdp; /* of the ACPI tables; 0: where firmware puts it, or none */
    bool unpack; /* a Linux image with a PVH entry is unpacked by us */
} X86Memory;

/* Registers at the entry; paging off, flat segments. */
typedef struct X86Entry {
    uint32_t eax, ebx, esi, pc;
} X86Entry;

/*
 * vm->kernel, with vm->append and vm->initrd. *found false, and true returned: the file is of
 * another kind.
 */
bool x86_load_multiboot(const X86Memory *m, X86Entry *e, bool *found, GError **error);
bool x86_load_pvh(const X86Memory *m, X86Entry *e, bool *found, GError **error);
/*
 * The ELF kernel in a Linux image, into memory at each reset (x86-unpack.c); false: there is none,
 * it has no PVH entry, it does not fit, or nobody unpacks its kind.
 */
bool x86_unpack_linux(const X86Memory *m, ElfInfo *elf);
/* Fills all of out; false: the data is bad. */
typedef struct X86Unpacker {
    uint8_t magic[6];
    uint8_t magic_len;
    bool (*unpack)(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len);
} X86Unpacker;
#define X86_UNPACKER(t) SECTION_ENTRY(x86_unpackers, const X86Unpacker *, t##_row, &t)

/* A Linux image by its 32-bit boot protocol, without firmware. */
bool x86_load_linux32(const X86Memory *m, X86Entry *e, GError **error);

#endif
