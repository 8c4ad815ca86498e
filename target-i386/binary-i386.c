// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-system-i386. */
#include "target-i386/arch.h"
#include "target-i386/translate.h"

static const CpuArch i386_arch = {
    .name = "i386", .elf_machine_name = "i386", .default_model = "qemu32", .word_bits = 32,
    .gdb_arch = "i386", .num_vars = V_COUNT, X86_ARCH_COMMON,
};

const CpuArch *const target_arch = &i386_arch;
