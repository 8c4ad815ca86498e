// SPDX-License-Identifier: GPL-2.0-or-later
/* The hooks that both binaries' CpuArch name. */
#ifndef TARGET_I386_ARCH_H
#define TARGET_I386_ARCH_H

#include "target-i386/models.h"
#include "tcg/ir.h"

uint64_t x86_get_pc(Cpu *cpu);
void x86_set_pc(Cpu *cpu, uint64_t pc);
void x86_dump(Cpu *cpu, GString *out, unsigned flags);
bool x86_register_value(Cpu *cpu, const char *name, uint64_t *v);
bool x86_set_register(Cpu *cpu, const char *name, uint64_t v);
void x86_core_notes(Cpu *cpu, unsigned *machine, GByteArray *status, GByteArray *extra);
void x86_info(Cpu *cpu, const char *what, GString *out);
unsigned x86_mmu_index_hook(Cpu *cpu, bool fetch);
void x86_unaligned(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu_idx, uintptr_t host_pc);
void x86_debug_exception(Cpu *cpu);

const char *x86_gdb_xml(Cpu *cpu, const char *annex);
unsigned x86_gdb_num_regs(Cpu *cpu);
unsigned x86_gdb_read(Cpu *cpu, unsigned n, uint8_t *buf);
unsigned x86_gdb_write(Cpu *cpu, unsigned n, const uint8_t *buf);

/* What the two constants have in common. */
#define X86_ARCH_COMMON                                                                          \
    .endian = DEV_LITTLE, .page_bits = 12, .mmu_modes = MMU_INDEX_COUNT, .ordered_memory = true, \
    .env_offset = offsetof(X86Cpu, regs) + 128, .cpu_size = sizeof(X86Cpu),                      \
    .x87_regs = offsetof(X86Cpu, fpr), .x87_status = offsetof(X86Cpu, fp_sw),                    \
    .create = x86_cpu_create, .model = x86_model_info, .models_help = x86_models_help,           \
    .model_expand = x86_model_expand, .get_pc = x86_get_pc, .set_pc = x86_set_pc,                \
    .dump = x86_dump, .register_value = x86_register_value, .vars = x86_vars,                    \
    .set_register = x86_set_register,                                                              \
    .block_key = x86_block_key, .translate = x86_translate,                                      \
    .translate_direct = x86_translate_direct,                                                   \
    .translate_region = x86_translate_region, .restore = x86_restore, .movable = x86_movable,    \
    .pc_home = offsetof(X86Cpu, rip), .tlb_fill = x86_tlb_fill, .mmu_index = x86_mmu_index_hook, \
    .unaligned = x86_unaligned, .deliver = x86_deliver, .interrupt = x86_interrupt,              \
    .has_work = x86_has_work, .debug_exception = x86_debug_exception,                            \
    .exec_enter = x86_exec_enter, .exec_leave = x86_exec_leave,                                  \
    .debug_translate = x86_debug_translate, .gdb_xml = x86_gdb_xml,                              \
    .gdb_num_regs = x86_gdb_num_regs, .gdb_read = x86_gdb_read, .gdb_write = x86_gdb_write,      \
    .disassemble = x86_disassemble, .info = x86_info, .core_notes = x86_core_notes

#endif
