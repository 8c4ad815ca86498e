// SPDX-License-Identifier: GPL-2.0-or-later
/* The hooks that both binaries' CpuArch name. */
#ifndef TARGET_ARM_ARCH_H
#define TARGET_ARM_ARCH_H

#include "target-arm/debug.h"
#include "target-arm/models.h"
#include "tcg/ir.h"

extern const IrVarDecl arm_vars[];
uint64_t arm_get_pc(Cpu *cpu);
void arm_set_pc(Cpu *cpu, uint64_t pc);
void arm_dump(Cpu *cpu, GString *out, unsigned flags);
bool arm_register_value(Cpu *cpu, const char *name, uint64_t *v);
void arm_info(Cpu *cpu, const char *what, GString *out);
void arm_core_notes(Cpu *cpu, unsigned *machine, GByteArray *status, GByteArray *extra);
const char *arm_gdb_xml(Cpu *cpu, const char *annex);
unsigned arm_gdb_num_regs(Cpu *cpu);
unsigned arm_gdb_read(Cpu *cpu, unsigned n, uint8_t *buf);
unsigned arm_gdb_write(Cpu *cpu, unsigned n, const uint8_t *buf);

/* SVE's registers, in the place of V's (gdb-sve.c). */
unsigned arm_sve_gdb_num_regs(void);
unsigned arm_sve_gdb_read(ArmCpu *c, unsigned n, uint8_t *buf);
unsigned arm_sve_gdb_write(ArmCpu *c, unsigned n, const uint8_t *buf);
const char *arm_sve_gdb_xml(const ArmCpu *c);

#define ARM_ARCH_COMMON                                                                           \
    .endian = DEV_LITTLE, .page_bits = 12, .mmu_modes = MMU_INDEX_COUNT, .semihosting = true,     \
    .env_offset = offsetof(ArmCpu, x), .cpu_size = sizeof(ArmCpu), .create = arm_cpu_create,      \
    .float_corner = arm_float_corner, .model = arm_model_info, .models_help = arm_models_help,    \
    .model_expand = arm_model_expand, .get_pc = arm_get_pc, .set_pc = arm_set_pc,                 \
    .dump = arm_dump, .register_value = arm_register_value, .vars = arm_vars,                     \
    .block_key = arm_block_key, .translate_region = arm_translate_region,                         \
    .translate = arm_translate, .restore = arm_restore, .movable = arm_movable,                   \
    .pc_home = offsetof(ArmCpu, pc), .tlb_fill = arm_tlb_fill, .mmu_index = arm_mmu_index_hook,   \
    .unaligned = arm_unaligned, .bus_error = arm_bus_error, .deliver = arm_deliver,               \
    .interrupt = arm_interrupt, .has_work = arm_has_work, .exec_enter = arm_exec_enter,           \
    .exec_leave = arm_exec_leave, .debug_translate = arm_debug_translate, .gdb_xml = arm_gdb_xml, \
    .gdb_num_regs = arm_gdb_num_regs, .gdb_read = arm_gdb_read, .gdb_write = arm_gdb_write,       \
    .debug_exception = arm_debug_exception, .watch_hit = arm_watch_hit,                           \
    .disassemble = arm_disassemble, .info = arm_info, .arm = &arm_cpu_hooks

#endif
