// SPDX-License-Identifier: GPL-2.0-or-later
/* M profile's part of gdb.c. */
#ifndef TARGET_ARM_M_GDB_H
#define TARGET_ARM_M_GDB_H

#include "target-arm/cpu.h"

unsigned arm_m_gdb_num_regs(const ArmCpu *c);
unsigned arm_m_gdb_read(ArmCpu *c, unsigned n, uint8_t *buf);
unsigned arm_m_gdb_write(ArmCpu *c, unsigned n, const uint8_t *buf);
const char *arm_m_gdb_xml(const ArmCpu *c, const char *annex);
void arm_m_dump_flags(const ArmCpu *c, GString *out);

#endif
