// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-system-arm. */
#include "target-arm/arch.h"
#include "target-arm/translate.h"

static const CpuArch arm_arch = {
    .name = "arm", .elf_machine_name = "arm", .default_model = "cortex-a15", .word_bits = 32,
    .gdb_arch = "arm", .num_vars = V_COUNT, ARM_ARCH_COMMON,
};

const CpuArch *const target_arch = &arm_arch;
