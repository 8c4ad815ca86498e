// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-system-x86_64. */
#include "target-i386/arch.h"
#include "target-i386/translate.h"

static const CpuArch x86_64_arch = {
    .name = "x86_64", .elf_machine_name = "x86-64", .default_model = "qemu64", .word_bits = 64,
    .gdb_arch = "i386:x86-64", .num_vars = V_COUNT, X86_ARCH_COMMON,
};

const CpuArch *const target_arch = &x86_64_arch;
