// SPDX-License-Identifier: GPL-2.0-or-later
/* Slow paths for programs without accel/tcg: none of them may be reached. */
#include "tcg/codegen.h"

__attribute__((weak)) uint64_t tcg_load_slow(Cpu *cpu, uint64_t va, uint32_t oi, uintptr_t host_pc)
{
    g_assert_not_reached();
}

__attribute__((weak)) void tcg_store_slow(Cpu *cpu, uint64_t va, uint64_t value, uint32_t oi, uintptr_t host_pc)
{
    g_assert_not_reached();
}

__attribute__((weak)) Vec128 tcg_load128_slow(Cpu *cpu, uint64_t va, uint32_t oi, uintptr_t host_pc)
{
    g_assert_not_reached();
}

__attribute__((weak)) void tcg_store128_slow(Cpu *cpu, uint64_t va, Vec128 value, uint32_t oi, uintptr_t host_pc)
{
    g_assert_not_reached();
}

__attribute__((weak)) uint64_t tcg_atomic(Cpu *cpu, uint64_t va, uint64_t value, uint64_t expect,
                                          uint32_t kind_oi, uintptr_t host_pc)
{
    g_assert_not_reached();
}

__attribute__((weak)) const void *tcg_lookup(Cpu *cpu, uint64_t pc)
{
    return NULL;
}
