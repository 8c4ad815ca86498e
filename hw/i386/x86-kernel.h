// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels that are laid out in guest memory and entered in 32-bit protected mode: what the boards
 * pc, q35 and microvm share. Files are hostile input.
 */
#ifndef HW_I386_X86_KERNEL_H
#define HW_I386_X86_KERNEL_H

#include "qom/vm.h"

/* RAM as the kernel is told of it. */
typedef struct X86Memory {
    Vm *vm;
    uint64_t low_size, high_size; /* bytes below and above 4 GiB */
    uint64_t low_reserved; /* at the end of the former: firmware's */
    uint64_t rsdp; /* of the ACPI tables; 0: where firmware puts it, or none */
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
/* A Linux image by its 32-bit boot protocol, without firmware. */
bool x86_load_linux32(const X86Memory *m, X86Entry *e, GError **error);

#endif
