// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-system-aarch64. */
#include "target-arm/arch.h"
#include "target-arm/translate.h"

static const CpuArch aarch64_arch = {
    .name = "aarch64", .elf_machine_name = "aarch64", .default_model = "cortex-a57", .word_bits = 64,
    .gdb_arch = "aarch64", .num_vars = V_COUNT, .core_notes = arm_core_notes, ARM_ARCH_COMMON,
};

const CpuArch *const target_arch = &aarch64_arch;
