// SPDX-License-Identifier: GPL-2.0-or-later
/* Identification registers of the models, from their technical reference manuals. */
#include "target-arm/models.h"

#define ISAR_V8(i4, i5, i6) {0x02101110, 0x13112111, 0x21232042, 0x01112131, i4, i5, i6}

/* v7 with the virtualization extensions. */
#define V7VE                                                                             \
    (ARM_M_V5 | ARM_M_V6 | ARM_M_V6K | ARM_M_V7 | ARM_M_VFP | ARM_M_LPAE | ARM_M_TIMER | \
     ARM_M_EL3 | ARM_M_EL2 | ARM_M_DIV | ARM_M_VFP4 | ARM_M_NEON)

/* v7 with security extensions. */
#define V7SE (ARM_M_V5 | ARM_M_V6 | ARM_M_V6K | ARM_M_V7 | ARM_M_VFP | ARM_M_NEON | ARM_M_EL3)

/* M profile: v6-M, v7-M, v7E-M with FPv4-SP and FPv5, v8-M. */
#define V6M (ARM_M_V5 | ARM_M_V6 | ARM_M_V6K)
#define V7M (V6M | ARM_M_V7 | ARM_M_MAIN | ARM_M_DIV)
#define V7EM (V7M | ARM_M_DSP | ARM_M_VFP | ARM_M_VFP4)
#define V8M (V7EM | ARM_M_V8M | ARM_M_SEC | ARM_M_VFP5)

// clang-format off
const ArmModel arm_models[] = {
    {.name = "cortex-a35", .aarch64 = true, .id = {
        .midr = 0x411fd040, .ctr = 0x84448004, .dczid = 4, .clidr = 0x0a200023, .ccsidr = {0x700fe01a, 0x201fe00a, 0x703fe03a},
        .pfr0 = 0x2222, .dfr0 = 0x10305106, .isar0 = 0x11120, .mmfr0 = 0x101122,
        .a32_pfr0 = 0x131, .a32_pfr1 = 0x11011, .a32_dfr0 = 0x03010066, .a32_mmfr = {0x10201105, 0x40000000, 0x01260000, 0x02102211},
        .a32_isar = ISAR_V8(0x11142, 0x11121, 0), .mvfr = {0x10110222, 0x12111111, 0x43}, .fpsid = 0x41034043}},
    {.name = "cortex-a53", .aarch64 = true, .id = {
        .midr = 0x410fd034, .ctr = 0x84448004, .dczid = 4, .clidr = 0x0a200023, .ccsidr = {0x700fe01a, 0x201fe00a, 0x707fe07a},
        .pfr0 = 0x2222, .dfr0 = 0x10305106, .isar0 = 0x11120, .mmfr0 = 0x1122,
        .a32_pfr0 = 0x131, .a32_pfr1 = 0x11011, .a32_dfr0 = 0x03010066, .a32_mmfr = {0x10101105, 0x40000000, 0x01260000, 0x02102211},
        .a32_isar = ISAR_V8(0x11142, 0x11121, 0), .mvfr = {0x10110222, 0x12111111, 0x43}, .fpsid = 0x41034070}},
    {.name = "cortex-a55", .aarch64 = true, .id = {
        .midr = 0x412fd050, .ctr = 0x84448004, .dczid = 4, .clidr = 0x82000023, .ccsidr = {0x701fe01a, 0x200fe01a, 0x703fe07a},
        .pfr0 = 0x10112222, .pfr1 = 0x10, .dfr0 = 0x10305408, .isar0 = 0x0000100010211120, .isar1 = 0x100001, .mmfr0 = 0x101122,
        .mmfr1 = 0x10212122, .mmfr2 = 0x1011,
        .a32_pfr0 = 0x10010131, .a32_pfr1 = 0x11011, .a32_pfr2 = 0x11, .a32_dfr0 = 0x04010088,
        .a32_mmfr = {0x10201105, 0x40000000, 0x01260000, 0x02122211, 0x21110}, .a32_isar = ISAR_V8(0x10142, 0x01011121, 0x10),
        .mvfr = {0x10110222, 0x13211111, 0x43}}},
    {.name = "cortex-a57", .aarch64 = true, .id = {
        .midr = 0x411fd070, .ctr = 0x8444c004, .dczid = 4, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe012, 0x70ffe07a},
        .pfr0 = 0x2222, .dfr0 = 0x10305106, .isar0 = 0x11120, .mmfr0 = 0x1124,
        .a32_pfr0 = 0x131, .a32_pfr1 = 0x11011, .a32_dfr0 = 0x03010066, .a32_mmfr = {0x10101105, 0x40000000, 0x01260000, 0x02102211},
        .a32_isar = ISAR_V8(0x11142, 0x11121, 0), .mvfr = {0x10110222, 0x12111111, 0x43}, .fpsid = 0x41034070}},
    {.name = "cortex-a72", .aarch64 = true, .id = {
        .midr = 0x410fd083, .ctr = 0x8444c004, .dczid = 4, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe012, 0x707fe07a},
        .pfr0 = 0x2222, .dfr0 = 0x10305106, .isar0 = 0x11120, .mmfr0 = 0x1124,
        .a32_pfr0 = 0x131, .a32_pfr1 = 0x11011, .a32_dfr0 = 0x03010066, .a32_mmfr = {0x10201105, 0x40000000, 0x01260000, 0x02102211},
        .a32_isar = ISAR_V8(0x11142, 0x11121, 0), .mvfr = {0x10110222, 0x12111111, 0x43}, .fpsid = 0x41034080}},
    {.name = "cortex-a76", .aarch64 = true, .id = {
        .midr = 0x414fd0b1, .ctr = 0x8444c004, .dczid = 4, .clidr = 0x82000023, .ccsidr = {0x701fe01a, 0x201fe01a, 0x707fe03a},
        .pfr0 = 0x1100000010111112, .pfr1 = 0x10, .dfr0 = 0x10305408, .isar0 = 0x0000100010211120, .isar1 = 0x100001, .sctlr = 0x30c50838, .mmfr0 = 0x101122,
        .mmfr1 = 0x10212122, .mmfr2 = 0x1011,
        .a32_pfr0 = 0x10010131, .a32_pfr1 = 0x10000, .a32_pfr2 = 0x11, .a32_dfr0 = 0x04010088,
        .a32_mmfr = {0x10201105, 0x40000000, 0x01260000, 0x02122211, 0x21110}, .a32_isar = ISAR_V8(0x10142, 0x01011121, 0x10),
        .mvfr = {0x10110222, 0x13211111, 0x43}}},
    {.name = "neoverse-n1", .aarch64 = true, .id = {
        .midr = 0x414fd0c1, .ctr = 0x8444c004, .dczid = 4, .clidr = 0x82000023, .ccsidr = {0x701fe01a, 0x201fe01a, 0x70ffe03a},
        .pfr0 = 0x1100000010111112, .pfr1 = 0x20, .dfr0 = 0x10305408, .isar0 = 0x0000100010211120, .isar1 = 0x100001, .sctlr = 0x30c50838, .mmfr0 = 0x101125,
        .mmfr1 = 0x10212122, .mmfr2 = 0x1011,
        .a32_pfr0 = 0x10010131, .a32_pfr1 = 0x10000, .a32_pfr2 = 0x11, .a32_dfr0 = 0x04010088,
        .a32_mmfr = {0x10201105, 0x40000000, 0x01260000, 0x02122211, 0x21110}, .a32_isar = ISAR_V8(0x10142, 0x01011121, 0x10),
        .mvfr = {0x10110222, 0x13211111, 0x43}}},
    {.name = "a64fx", .aarch64 = true, .sve_map = 0xb, .id = {
        .midr = 0x461f0010, .ctr = 0x86668006, .dczid = 6, .clidr = 0x80000023, .ccsidr = {0x7007e01c, 0x2007e01c, 0x70ffe07c},
        .pfr0 = 0x101111111, .dfr0 = 0x10305408, .isar0 = 0x10211120, .isar1 = 0x10001, .sctlr = 0x30000180, .mmfr0 = 0x1122, .mmfr1 = 0x11212100, .mmfr2 = 0x1011}},
    {.name = "cortex-a7", .features32 = V7VE, .id = {
        .midr = 0x410fc075, .ctr = 0x84448003, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe00a, 0x711fe07a},
        .a32_pfr0 = 0x1131, .a32_pfr1 = 0x11011, .a32_dfr0 = 0x02010555, .a32_mmfr = {0x10101105, 0x40000000, 0x01240000, 0x02102211},
        .a32_isar = {0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10011142}, .mvfr = {0x10110222, 0x11111111}, .fpsid = 0x41023075}},
    {.name = "cortex-a15", .features32 = V7VE, .id = {
        .midr = 0x414fc0f0, .ctr = 0x8444c004, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe00a, 0x711fe07a},
        .a32_pfr0 = 0x1131, .a32_pfr1 = 0x11011, .a32_dfr0 = 0x02010555, .a32_mmfr = {0x10201105, 0x20000000, 0x01240000, 0x02102211},
        .a32_isar = {0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10011142}, .mvfr = {0x10110222, 0x11111111}, .fpsid = 0x410430f0}},
    {.name = "arm926", .features32 = ARM_M_V5 | ARM_M_VFP, .id = {.midr = 0x41069265, .ctr = 0x1dd20d2, .fpsid = 0x41011090}},
    {.name = "arm1026", .features32 = ARM_M_V5 | ARM_M_VFP, .id = {.midr = 0x4106a262, .ctr = 0x1dd20d2, .fpsid = 0x410110a0}},
    {.name = "arm1136-r2", .features32 = ARM_M_V5 | ARM_M_V6 | ARM_M_VFP, .id = {
        .midr = 0x4107b362, .ctr = 0x1dd20d2,
        .a32_pfr0 = 0x111, .a32_pfr1 = 0x1, .a32_dfr0 = 0x2, .a32_afr0 = 0x3, .a32_mmfr = {0x01130003, 0x10030302, 0x01222110},
        .a32_isar = {0x00140011, 0x12002111, 0x11231111, 0x01102131, 0x141}, .mvfr = {0x11111111}, .fpsid = 0x410120b4}},
    {.name = "arm1136", .features32 = ARM_M_V5 | ARM_M_V6 | ARM_M_V6K | ARM_M_VFP, .id = {
        .midr = 0x4117b363, .ctr = 0x1dd20d2,
        .a32_pfr0 = 0x111, .a32_pfr1 = 0x1, .a32_dfr0 = 0x2, .a32_afr0 = 0x3, .a32_mmfr = {0x01130003, 0x10030302, 0x01222110},
        .a32_isar = {0x00140011, 0x12002111, 0x11231111, 0x01102131, 0x141}, .mvfr = {0x11111111}, .fpsid = 0x410120b4}},
    {.name = "arm11mpcore", .features32 = ARM_M_V5 | ARM_M_V6 | ARM_M_V6K | ARM_M_VFP, .id = {
        .midr = 0x410fb022, .ctr = 0x1d192992,
        .a32_pfr0 = 0x111, .a32_pfr1 = 0x1, .a32_afr0 = 0x2, .a32_mmfr = {0x01100103, 0x10020302, 0x01222000},
        .a32_isar = {0x00100011, 0x12002111, 0x11221011, 0x01102131, 0x141}, .mvfr = {0x11111111}, .fpsid = 0x410120b4}},
    {.name = "arm1176", .features32 = ARM_M_V5 | ARM_M_V6 | ARM_M_V6K | ARM_M_VFP | ARM_M_EL3, .id = {
        .midr = 0x410fb767, .ctr = 0x1dd20d2,
        .a32_pfr0 = 0x111, .a32_pfr1 = 0x11, .a32_dfr0 = 0x33, .a32_mmfr = {0x01130003, 0x10030302, 0x01222100},
        .a32_isar = {0x0140011, 0x12002111, 0x11231121, 0x01102131, 0x01141}, .mvfr = {0x11111111}, .fpsid = 0x410120b5}},
    {.name = "cortex-a8", .features32 = V7SE, .id = {
        .midr = 0x410fc080, .ctr = 0x82048004, .clidr = 0x0a000023, .ccsidr = {0xe007e01a, 0x2007e01a, 0xf0000000},
        .a32_pfr0 = 0x1031, .a32_pfr1 = 0x11, .a32_dfr0 = 0x400, .a32_mmfr = {0x31100003, 0x20000000, 0x01202000, 0x11},
        .a32_isar = {0x00101111, 0x12112111, 0x21232031, 0x11112131, 0x00111142}, .mvfr = {0x11110222, 0x00011111}, .fpsid = 0x410330c0}},
    {.name = "cortex-a9", .features32 = V7SE, .id = {
        .midr = 0x410fc090, .ctr = 0x80038003, .clidr = 0x09000003, .ccsidr = {0xe00fe019, 0x200fe019},
        .a32_pfr0 = 0x1031, .a32_pfr1 = 0x11, .a32_dfr0 = 0, .a32_mmfr = {0x00100103, 0x20000000, 0x01230000, 0x00002111},
        .a32_isar = {0x00101111, 0x13112111, 0x21232041, 0x11112131, 0x00111142}, .mvfr = {0x11110222, 0x01111111}, .fpsid = 0x41033090}},
    {.name = "cortex-m0", .m_profile = true, .m_no_user = true, .features32 = V6M, .id = {.midr = 0x410cc200}},
    {.name = "cortex-m3", .m_profile = true, .m_regions = 8, .features32 = V7M, .id = {
        .midr = 0x410fc231, .a32_pfr0 = 0x30, .a32_pfr1 = 0x200, .a32_dfr0 = 0x100000, .a32_mmfr = {0x30},
        .a32_isar = {0x01141110, 0x02111000, 0x21112231, 0x01111110, 0x01310102}}},
    {.name = "cortex-m4", .m_profile = true, .m_regions = 8, .features32 = V7EM, .id = {
        .midr = 0x410fc240, .a32_pfr0 = 0x30, .a32_pfr1 = 0x200, .a32_dfr0 = 0x100000, .a32_mmfr = {0x30},
        .a32_isar = {0x01141110, 0x02111000, 0x21112231, 0x01111110, 0x01310102}, .mvfr = {0x10110021, 0x11000011}}},
    {.name = "cortex-m7", .m_profile = true, .m_regions = 8, .features32 = V7EM | ARM_M_VFP5 | ARM_M_DOUBLE, .id = {
        .midr = 0x411fc272, .a32_pfr0 = 0x30, .a32_pfr1 = 0x200, .a32_dfr0 = 0x100000, .a32_mmfr = {0x100030, 0, 0x01000000},
        .a32_isar = {0x01101110, 0x02112000, 0x20232231, 0x01111131, 0x01310132}, .mvfr = {0x10110221, 0x12000011, 0x40}}},
    {.name = "cortex-m33", .m_profile = true, .m_regions = 16, .features32 = V8M, .id = {
        .midr = 0x410fd213, .ctr = 0x8000c000, .a32_pfr0 = 0x30, .a32_pfr1 = 0x210, .a32_dfr0 = 0x200000,
        .a32_mmfr = {0x101f40, 0, 0x01000000},
        .a32_isar = {0x01101110, 0x02212000, 0x20232232, 0x01111131, 0x01310132}, .mvfr = {0x10110021, 0x11000011, 0x40}}},
    /* Everything that is implemented. */
    {.name = "max", .aarch64 = true, .max = true, .sve_map = 0xffff, .id = {
        .midr = 0x000f0510, .ctr = 0x8444c004, .dczid = 4, .clidr = 0x02000023, .ccsidr = {0x701fe00a, 0x201fe012, 0x70ffe07a},
        .pfr0 = 0x1201000120112222, .pfr1 = 0x21, .zfr0 = 0x0110110100110021, .dfr0 = 0x10305609,
        .isar0 = 0x1221111110212120, .isar1 = 0x0011111101211012, .mmfr0 = 0x101125, .mmfr1 = 0x11010211122, .mmfr2 = 0x1021011010001011,
        .a32_pfr0 = 0x131, .a32_pfr1 = 0x11011, .a32_dfr0 = 0x06010099, .a32_mmfr = {0x10101105, 0x40000000, 0x01260000, 0x02102211, 0x1000, 1},
        .a32_isar = ISAR_V8(0x11142, 0x11011121, 0x1111111), .mvfr = {0x10110222, 0x13211111, 0x43}, .fpsid = 0x41034070}},
};
const unsigned arm_num_models = ARRAY_COUNT(arm_models);
// clang-format on
