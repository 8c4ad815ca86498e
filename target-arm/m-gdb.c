// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M profile as gdb sees it: feature org.gnu.gdb.arm.m-profile, and org.gnu.gdb.arm.vfp with 16
 * registers (gdb manual, G.5); text for people.
 */
#include "target-arm/cpu.h"

#include <string.h>
#include "target-arm/m-gdb.h"

enum { CORE_REGS = 17, FP_REGS = 17 };

unsigned arm_m_gdb_num_regs(const ArmCpu *c)
{
    return CORE_REGS + (arm_has(c, FEATURE_VFP) ? FP_REGS : 0);
}

unsigned arm_m_gdb_read(ArmCpu *c, unsigned n, uint8_t *buf)
{
    uint32_t v;

    if (n >= arm_m_gdb_num_regs(c)) {
        return 0;
    }
    if (n >= CORE_REGS && n < CORE_REGS + 16) {
        Vec128Lanes d = {.v = c->z[(n - CORE_REGS) / 2].q[0]};

        memcpy(buf, &d.q[(n - CORE_REGS) & 1], 8);
        return 8;
    }
    v = n < 15    ? (uint32_t)c->x[n]
        : n == 15 ? (uint32_t)c->pc
        : n == 16 ? arm_m_xpsr(c)
                  : arm_get_fpscr(c);
    memcpy(buf, &v, 4);
    return 4;
}

unsigned arm_m_gdb_write(ArmCpu *c, unsigned n, const uint8_t *buf)
{
    uint32_t v;

    if (n >= arm_m_gdb_num_regs(c)) {
        return 0;
    }
    if (n >= CORE_REGS && n < CORE_REGS + 16) {
        Vec128Lanes d = {.v = c->z[(n - CORE_REGS) / 2].q[0]};

        memcpy(&d.q[(n - CORE_REGS) & 1], buf, 8);
        c->z[(n - CORE_REGS) / 2].q[0] = d.v;
        return 8;
    }
    memcpy(&v, buf, 4);
    if (n < 15) {
        c->x[n] = n == 13 ? v & ~3u : v;
    } else if (n == 15) {
        c->pc = v & ~1u;
    } else if (n == 16) {
        arm_m_set_xpsr(c, v, 0xff0ffc00);       /* not the exception number */
    } else {
        arm_set_fpscr(c, v);
    }
    return 4;
}

static gpointer build_core(gpointer unused)
{
    GString *x = g_string_new("<?xml version=\"1.0\"?><!DOCTYPE feature SYSTEM "
                              "\"gdb-target.dtd\"><feature name=\"org.gnu.gdb.arm.m-profile\">");

    for (unsigned i = 0; i < 13; i++) {
        g_string_append_printf(x, "<reg name=\"r%u\" bitsize=\"32\"/>", i);
    }
    g_string_append(
        x, "<reg name=\"sp\" bitsize=\"32\" type=\"data_ptr\"/><reg name=\"lr\" bitsize=\"32\"/>"
           "<reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\"/><reg name=\"xpsr\" "
           "bitsize=\"32\"/></feature>");
    return g_string_free(x, FALSE);
}

static gpointer build_vfp(gpointer unused)
{
    GString *x = g_string_new("<?xml version=\"1.0\"?><!DOCTYPE feature SYSTEM "
                              "\"gdb-target.dtd\"><feature name=\"org.gnu.gdb.arm.vfp\">");

    for (unsigned i = 0; i < 16; i++) {
        g_string_append_printf(x, "<reg name=\"d%u\" bitsize=\"64\" type=\"ieee_double\"/>", i);
    }
    g_string_append(x,
                    "<reg name=\"fpscr\" bitsize=\"32\" type=\"int\" group=\"float\"/></feature>");
    return g_string_free(x, FALSE);
}

const char *arm_m_gdb_xml(const ArmCpu *c, const char *annex)
{
    /* the texts are the same for all CPUs */
    static GOnce core = G_ONCE_INIT, vfp = G_ONCE_INIT;

    if (strcmp(annex, "target.xml") == 0) {
        return arm_has(c, FEATURE_VFP)
                   ? "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM "
                     "\"gdb-target.dtd\"><target><architecture>arm</architecture>"
                     "<xi:include href=\"arm-m-profile.xml\"/><xi:include "
                     "href=\"arm-vfp.xml\"/></target>"
                   : "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM "
                     "\"gdb-target.dtd\"><target><architecture>arm</architecture>"
                     "<xi:include href=\"arm-m-profile.xml\"/></target>";
    }
    if (strcmp(annex, "arm-m-profile.xml") == 0) {
        return g_once(&core, build_core, NULL);
    }
    return strcmp(annex, "arm-vfp.xml") == 0 && arm_has(c, FEATURE_VFP)
               ? g_once(&vfp, build_vfp, NULL)
               : NULL;
}

void arm_m_dump_flags(const ArmCpu *c, GString *out)
{
    uint32_t x = arm_m_xpsr(c);

    g_string_append_printf(out, "XPSR=%08x %c%c%c%c %c %s%s\n", x, x >> 31 ? 'N' : '-',
                           x >> 30 & 1 ? 'Z' : '-', x >> 29 & 1 ? 'C' : '-',
                           x >> 28 & 1 ? 'V' : '-', x >> 24 & 1 ? 'T' : 'A',
                           !arm_has(c, FEATURE_M_SEC) ? ""
                           : c->m.secure              ? "S "
                                                      : "NS ",
                           arm_m_handler(&c->m)               ? "handler"
                           : arm_m_privileged(c, c->m.secure) ? "priv-thread"
                                                              : "unpriv-thread");
}
