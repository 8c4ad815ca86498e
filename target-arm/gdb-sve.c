// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVE's registers as gdb sees them (org.gnu.gdb.aarch64.sve): z0..z31, fpsr, fpcr, p0..p15, ffr,
 * vg, in the place of the V registers; as long as the CPU's longest vector, with vg saying how much
 * of it is in force.
 */
#include "target-arm/sve.h"

#include "target-arm/arch.h"

enum { Z0, FPSR = 32, FPCR, P0, VG = P0 + 17, NUM_REGS };

static unsigned max_vq(const ArmCpu *c)
{
    return 32 - (unsigned)__builtin_clz(c->sve_map);
}

unsigned arm_sve_gdb_num_regs(void)
{
    return NUM_REGS;
}

unsigned arm_sve_gdb_read(ArmCpu *c, unsigned n, uint8_t *buf)
{
    unsigned vq = max_vq(c), vl = arm_sve_vq(c, arm_el(c)) * 16;
    uint64_t v = arm_sve_vq(c, arm_el(c)) * 2;

    if (n < FPSR) {
        memset(buf, 0, vq * 16);
        memcpy(buf, sv_z(c, n, vl), vl);
        return vq * 16;
    }
    if (n >= P0 && n < VG) {
        memcpy(buf, c->p[n - P0], vq * 2);
        return vq * 2;
    }
    if (n == VG) {
        memcpy(buf, &v, 8);
        return 8;
    }
    if (n >= NUM_REGS) {
        return 0;
    }
    uint32_t fp = n == FPSR ? arm_get_fpsr(c) : c->fpcr;

    memcpy(buf, &fp, 4);
    return 4;
}

unsigned arm_sve_gdb_write(ArmCpu *c, unsigned n, const uint8_t *buf)
{
    unsigned vq = max_vq(c), vl = arm_sve_vq(c, arm_el(c)) * 16;
    ArmZ z;

    if (n < FPSR) {
        memcpy(z.b, buf, vq * 16);
        sv_set_z(c, n, &z, vl);
        return vq * 16;
    }
    if (n >= P0 && n < VG) {
        memset(c->p[n - P0], 0, sizeof(c->p[0]));
        memcpy(c->p[n - P0], buf, vl / 8);
        return vq * 2;
    }
    if (n == VG) {
        return 8;       /* ZCR_ELx says it */
    }
    if (n >= NUM_REGS) {
        return 0;
    }
    uint32_t fp;

    memcpy(&fp, buf, 4);
    if (n == FPSR) {
        arm_set_fpsr(c, fp);
    } else {
        arm_set_fpcr(c, fp);
    }
    return 4;
}

/* Element types of a Z register: id, gdb's name, bytes. */
static const struct { const char *id, *type; unsigned bytes; } views[] = {
    {"svevqu", "uint128", 16}, {"svevqs", "int128", 16}, {"svevdf", "ieee_double", 8}, {"svevdu", "uint64", 8}, {"svevds", "int64", 8},
    {"svevsf", "ieee_single", 4}, {"svevsu", "uint32", 4}, {"svevss", "int32", 4}, {"svevhf", "ieee_half", 2}, {"svevhu", "uint16", 2},
    {"svevhs", "int16", 2}, {"svevbu", "uint8", 1}, {"svevbs", "int8", 1},
};

static gpointer build(gpointer which)
{
    GString *x = g_string_new("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM "
                              "\"gdb-target.dtd\"><feature name=\"org.gnu.gdb.aarch64.sve\">");
    unsigned vl = GPOINTER_TO_UINT(which) * 16, n = 34;

    for (unsigned i = 0; i < ARRAY_COUNT(views); i++) {
        g_string_append_printf(x, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>", views[i].id,
                               views[i].type, vl / views[i].bytes);
    }
    for (const char *size = "qdshb"; *size; size++) {
        g_string_append_printf(x, "<union id=\"svevn%c\">", *size);
        for (unsigned i = 0; i < ARRAY_COUNT(views); i++) {
            if (views[i].id[4] == *size) {
                g_string_append_printf(x, "<field name=\"%c\" type=\"%s\"/>", views[i].id[5],
                                       views[i].id);
            }
        }
        g_string_append(x, "</union>");
    }
    g_string_append(x, "<union id=\"svev\">");
    for (const char *size = "qdshb"; *size; size++) {
        g_string_append_printf(x, "<field name=\"%c\" type=\"svevn%c\"/>", *size, *size);
    }
    g_string_append_printf(x, "</union><vector id=\"svep\" type=\"uint8\" count=\"%u\"/>", vl / 8);
    for (unsigned i = 0; i < 32; i++) {
        g_string_append_printf(x, "<reg name=\"z%u\" bitsize=\"%u\" regnum=\"%u\" type=\"svev\"/>",
                               i, vl * 8, n++);
    }
    g_string_append_printf(
        x, "<reg name=\"fpsr\" bitsize=\"32\" regnum=\"%u\" group=\"float\" type=\"int\"/>", n++);
    g_string_append_printf(
        x, "<reg name=\"fpcr\" bitsize=\"32\" regnum=\"%u\" group=\"float\" type=\"int\"/>", n++);
    for (unsigned i = 0; i < 16; i++) {
        g_string_append_printf(x, "<reg name=\"p%u\" bitsize=\"%u\" regnum=\"%u\" type=\"svep\"/>",
                               i, vl, n++);
    }
    g_string_append_printf(
        x, "<reg name=\"ffr\" bitsize=\"%u\" regnum=\"%u\" group=\"vector\" type=\"svep\"/>", vl,
        n++);
    g_string_append_printf(
        x, "<reg name=\"vg\" bitsize=\"64\" regnum=\"%u\" type=\"int\"/></feature>", n);
    return g_string_free(x, FALSE);
}

const char *arm_sve_gdb_xml(const ArmCpu *c)
{
    static GOnce once[16] = {[0 ... 15] = G_ONCE_INIT};     /* texts by the longest vector */
    unsigned vq = max_vq(c);

    return g_once(&once[vq - 1], build, GUINT_TO_POINTER(vq));
}
