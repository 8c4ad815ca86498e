// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads of the ID space where nothing is (FEAT_IDST, D17.1): trapped with their own syndrome, from EL1 and EL0; writes are
 * undefined, and so is what is outside.
 */
// run: -M virt -cpu max
#include "bare.inc"

.macro try insn:vararg
    adr x28, 9f
    \insn
    bl putx
9:
.endm

main:
    try mrs x1, s3_0_c0_c0_1
    try mrs x1, s3_0_c0_c0_7
    try mrs x1, s3_1_c0_c0_2
    try mrs x1, s3_1_c0_c0_4
    try mrs x1, s3_3_c0_c0_2
    try mrs x1, s3_0_c0_c7_7
    try mrs x1, s3_0_c0_c8_0
    try msr s3_0_c0_c0_1, x1
    try msr s3_0_c0_c4_0, x1
    try mrs x1, s3_2_c0_c0_1
    try mrs x1, sctlr_el3
    mov x28, xzr
    done
