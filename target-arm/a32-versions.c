// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which A32 and Thumb instructions cores before ARMv7 have: rows of the decode tables that came
 * with ARMv5TE, v6, v6K and later. What is not listed was there in ARMv4T. Unaligned addresses of
 * cores without SCTLR.U: the lowest bits rotate what is loaded and are ignored in stores (DDI
 * 0100I, A2.8).
 */
#include <stdlib.h>
#include <string.h>

#include "target-arm/a32.h"
#include "target-arm/a32-trans.h"

typedef struct Since {
    const char *name;
    uint8_t feature;
} Since;

/* Sorted by name. */
// clang-format off
#define V5(n) {n, FEATURE_V5}
#define V6(n) {n, FEATURE_V6}
#define V6K(n) {n, FEATURE_V6K}
#define V7(n) {n, FEATURE_V6T2}
static const Since since[] = {
    V7("BFI"), V5("BKPT"), V5("BLX_i"), V5("BLX_r"), V5("BXJ"), V7("CBZ"), V6K("CLREX"), V5("CLZ"), V6("CPS"), V7("CRC32"), V7("DMB"), V7("DSB"),
    V7("ERET"), V7("HLT"), V7("HVC"), V7("ISB"), V7("IT"), V7("LDA"), V7("LDAEX"), V5("LDRD_i"), V5("LDRD_r"), V6("LDREX"), V5("MCRR"), V7("MLS"),
    V7("MOVT"), V7("MOVW"), V5("MRRC"), V7("MRS_bank"), V7("MSR_bank"), V6("PKH"), V5("PLD_i"), V5("PLD_r"), V7("PLI_i"), V7("PLI_r"), V5("QADD"),
    V6("QADD16"), V6("QADD8"), V6("QASX"), V5("QDADD"), V5("QDSUB"), V6("QSAX"), V5("QSUB"), V6("QSUB16"), V6("QSUB8"), V7("RBIT"), V6("REV"),
    V6("REV16"), V6("REVSH"), V6("RFE"), V6("SADD16"), V6("SADD8"), V6("SASX"), V7("SB"), V7("SBFX"), V7("SDIV"), V6("SEL"), V6("SETEND"),
    V6("SHADD16"), V6("SHADD8"), V6("SHASX"), V6("SHSAX"), V6("SHSUB16"), V6("SHSUB8"), V6K("SMC"), V6("SMLAD"), V6("SMLALD"), V5("SMLAL_xy"),
    V5("SMLAW"), V5("SMLA_xy"), V6("SMLSD"), V6("SMLSLD"), V6("SMMLA"), V6("SMMLS"), V5("SMULW"), V5("SMUL_xy"), V6("SRS"), V6("SSAT"), V6("SSAT16"),
    V6("SSAX"), V6("SSUB16"), V6("SSUB8"), V7("STL"), V7("STLEX"), V5("STRD_i"), V5("STRD_r"), V6("STREX"), V6("SXTAB"), V6("SXTAB16"), V6("SXTAH"),
    V6("SXTB"), V6("SXTH"), V6("UADD16"), V6("UADD8"), V6("UASX"), V7("UBFX"), V7("UDIV"), V6("UHADD16"), V6("UHADD8"), V6("UHASX"), V6("UHSAX"),
    V6("UHSUB16"), V6("UHSUB8"), V6("UMAAL"), V6("UQADD16"), V6("UQADD8"), V6("UQASX"), V6("UQSAX"), V6("UQSUB16"), V6("UQSUB8"), V6("USADA8"),
    V6("USAT"), V6("USAT16"), V6("USAX"), V6("USUB16"), V6("USUB8"), V6("UXTAB"), V6("UXTAB16"), V6("UXTAH"), V6("UXTB"), V6("UXTH"),
};
// clang-format on

static int compare(const void *name, const void *row)
{
    return strcmp(name, ((const Since *)row)->name);
}

bool a32_row_there(const ArmCpu *c, const char *name)
{
    const Since *r;

    if (arm_has(c, FEATURE_V7)) {
        return true;
    }
    r = bsearch(name, since, ARRAY_COUNT(since), sizeof(since[0]), compare);
    return !r || arm_has(c, r->feature);
}

bool a32_rotates(const ArmCtx *s)
{
    return !arm_has(s->cpu, FEATURE_V6) && !(s->mode & MODE_ALIGN);
}
