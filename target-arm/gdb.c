// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers as gdb sees them (features org.gnu.gdb.aarch64.core and .fpu, org.gnu.gdb.arm.core and
 * .vfp of the gdb manual, appendix G.5), and text for people.
 */
#include "target-arm/arch.h"

#include <string.h>
#include "target-arm/m-gdb.h"
#include "util/cutils.h"

uint64_t arm_get_pc(Cpu *cpu)
{
    return ARM(cpu)->pc;
}

void arm_set_pc(Cpu *cpu, uint64_t pc)
{
    ARM(cpu)->pc = pc;
}

static bool is64(Cpu *cpu)
{
    return ARM(cpu)->aarch64_prop;
}

/* AArch64: x0..x30 sp pc cpsr, v0..v31 fpsr fpcr. AArch32: r0..r15 cpsr, d0..d31 fpscr. */
unsigned arm_gdb_num_regs(Cpu *cpu)
{
    if (arm_has(ARM(cpu), FEATURE_M)) {
        return arm_m_gdb_num_regs(ARM(cpu));
    }
    return is64(cpu) ? 34 + (ARM(cpu)->sve ? arm_sve_gdb_num_regs() : 34) : 17 + 33;
}

static unsigned put(uint8_t *buf, uint64_t v, unsigned bytes)
{
    memcpy(buf, &v, bytes);
    return bytes;
}

unsigned arm_gdb_read(Cpu *cpu, unsigned n, uint8_t *buf)
{
    ArmCpu *c = ARM(cpu);

    if (arm_has(c, FEATURE_M)) {
        return arm_m_gdb_read(c, n, buf);
    }
    if (!is64(cpu)) {
        if (n < 16) {
            return put(buf, n == 15 ? c->pc : c->x[n], 4);
        }
        if (n == 16) {
            return put(buf, arm_get_spsr(c), 4);
        }
        if (n < 49) {
            Vec128Lanes v = {.v = c->z[(n - 17) / 2].q[0]};

            return put(buf, v.q[(n - 17) & 1], 8);
        }
        return n == 49 ? put(buf, arm_get_fpscr(c), 4) : 0;
    }
    if (n < 32) {
        return put(buf, c->x[n], 8);
    }
    if (n == 32) {
        return put(buf, c->pc, 8);
    }
    if (n == 33) {
        return put(buf, arm_get_spsr(c), 4);
    }
    if (c->sve) {
        return arm_sve_gdb_read(c, n - 34, buf);
    }
    if (n < 66) {
        memcpy(buf, &c->z[n - 34].q[0], 16);
        return 16;
    }
    return n == 66 ? put(buf, arm_get_fpsr(c), 4) : n == 67 ? put(buf, c->fpcr, 4) : 0;
}

static uint64_t get(const uint8_t *buf, unsigned bytes)
{
    uint64_t v = 0;

    memcpy(&v, buf, bytes);
    return v;
}

unsigned arm_gdb_write(Cpu *cpu, unsigned n, const uint8_t *buf)
{
    ArmCpu *c = ARM(cpu);

    if (arm_has(c, FEATURE_M)) {
        return arm_m_gdb_write(c, n, buf);
    }
    if (!is64(cpu)) {
        if (n < 15) {
            c->x[n] = get(buf, 4);
            return 4;
        }
        if (n == 15) {
            c->pc = get(buf, 4);
            return 4;
        }
        if (n == 16) {
            arm_set_pstate(c, get(buf, 4) | PSTATE_A32);
            return 4;
        }
        if (n < 49) {
            Vec128Lanes v = {.v = c->z[(n - 17) / 2].q[0]};

            v.q[(n - 17) & 1] = get(buf, 8);
            c->z[(n - 17) / 2].q[0] = v.v;
            return 8;
        }
        if (n == 49) {
            arm_set_fpscr(c, (uint32_t)get(buf, 4));
            return 4;
        }
        return 0;
    }
    if (n < 32) {
        c->x[n] = get(buf, 8);
        return 8;
    }
    if (n == 32) {
        c->pc = get(buf, 8);
        return 8;
    }
    if (n == 33) {
        arm_set_nzcv(c, get(buf, 4) >> 28 & 15);
        c->pstate = (c->pstate & ~PSTATE_DAIF) | ((uint32_t)get(buf, 4) & PSTATE_DAIF);
        return 4;
    }
    if (c->sve) {
        return arm_sve_gdb_write(c, n - 34, buf);
    }
    if (n < 66) {
        memcpy(&c->z[n - 34].q[0], buf, 16);
        return 16;
    }
    if (n == 66) {
        arm_set_fpsr(c, (uint32_t)get(buf, 4));
        return 4;
    }
    if (n == 67) {
        arm_set_fpcr(c, (uint32_t)get(buf, 4));
        return 4;
    }
    return 0;
}

/* ---- description files ---- */

static void xml_core64(GString *x)
{
    g_string_append(x, "<feature name=\"org.gnu.gdb.aarch64.core\">");
    for (unsigned i = 0; i < 31; i++) {
        g_string_append_printf(x, "<reg name=\"x%u\" bitsize=\"64\"/>", i);
    }
    g_string_append(
        x,
        "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/><reg name=\"pc\" bitsize=\"64\" "
        "type=\"code_ptr\"/>"
        "<flags id=\"cpsr_flags\" size=\"4\"><field name=\"SP\" start=\"0\" end=\"0\"/>"
        "<field name=\"EL\" start=\"2\" end=\"3\"/><field name=\"nRW\" start=\"4\" end=\"4\"/>"
        "<field name=\"F\" start=\"6\" end=\"6\"/><field name=\"I\" start=\"7\" end=\"7\"/>"
        "<field name=\"A\" start=\"8\" end=\"8\"/><field name=\"D\" start=\"9\" end=\"9\"/>"
        "<field name=\"IL\" start=\"20\" end=\"20\"/><field name=\"SS\" start=\"21\" end=\"21\"/>"
        "<field name=\"V\" start=\"28\" end=\"28\"/><field name=\"C\" start=\"29\" end=\"29\"/>"
        "<field name=\"Z\" start=\"30\" end=\"30\"/><field name=\"N\" start=\"31\" "
        "end=\"31\"/></flags>"
        "<reg name=\"cpsr\" bitsize=\"32\" type=\"cpsr_flags\"/></feature>");
}

static void xml_fpu64(GString *x)
{
    g_string_append(
        x,
        "<feature name=\"org.gnu.gdb.aarch64.fpu\"><vector id=\"v2d\" type=\"ieee_double\" "
        "count=\"2\"/>"
        "<vector id=\"v2u\" type=\"uint64\" count=\"2\"/><vector id=\"v4f\" type=\"ieee_single\" "
        "count=\"4\"/>"
        "<vector id=\"v4u\" type=\"uint32\" count=\"4\"/><vector id=\"v8u\" type=\"uint16\" "
        "count=\"8\"/>"
        "<vector id=\"v16u\" type=\"uint8\" count=\"16\"/><union id=\"vnd\"><field name=\"f\" "
        "type=\"v2d\"/>"
        "<field name=\"u\" type=\"v2u\"/></union><union id=\"vns\"><field name=\"f\" type=\"v4f\"/>"
        "<field name=\"u\" type=\"v4u\"/></union><union id=\"aarch64v\"><field name=\"d\" "
        "type=\"vnd\"/>"
        "<field name=\"s\" type=\"vns\"/><field name=\"h\" type=\"v8u\"/><field name=\"b\" "
        "type=\"v16u\"/></union>");
    for (unsigned i = 0; i < 32; i++) {
        g_string_append_printf(x, "<reg name=\"v%u\" bitsize=\"128\" type=\"aarch64v\"/>", i);
    }
    g_string_append(
        x, "<reg name=\"fpsr\" bitsize=\"32\"/><reg name=\"fpcr\" bitsize=\"32\"/></feature>");
}

static void xml_core32(GString *x)
{
    g_string_append(x, "<feature name=\"org.gnu.gdb.arm.core\">");
    for (unsigned i = 0; i < 13; i++) {
        g_string_append_printf(x, "<reg name=\"r%u\" bitsize=\"32\"/>", i);
    }
    g_string_append(
        x, "<reg name=\"sp\" bitsize=\"32\" type=\"data_ptr\"/><reg name=\"lr\" bitsize=\"32\"/>"
           "<reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\"/><reg name=\"cpsr\" bitsize=\"32\" "
           "regnum=\"25\"/></feature>");
}

static void xml_vfp32(GString *x)
{
    g_string_append(x, "<feature name=\"org.gnu.gdb.arm.vfp\">");
    for (unsigned i = 0; i < 32; i++) {
        g_string_append_printf(x, "<reg name=\"d%u\" bitsize=\"64\" type=\"ieee_double\"/>", i);
    }
    g_string_append(x,
                    "<reg name=\"fpscr\" bitsize=\"32\" type=\"int\" group=\"float\"/></feature>");
}

/* bit 0: second file; bit 1: AArch32; 4, 6: target.xml, 5: with SVE */
static gpointer build_xml(gpointer which)
{
    static const char *const files[] = {"aarch64-fpu.xml", "sve-registers.xml", "arm-neon.xml"};
    GString *x = g_string_new("<?xml version=\"1.0\"?>");

    switch (GPOINTER_TO_UINT(which)) {
    case 4:
    case 5:
    case 6:
        g_string_append_printf(
            x,
            "<!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target><architecture>%s</architecture>"
            "<xi:include href=\"%s-core.xml\"/><xi:include href=\"%s\"/></target>",
            GPOINTER_TO_UINT(which) < 6 ? "aarch64" : "arm",
            GPOINTER_TO_UINT(which) < 6 ? "aarch64" : "arm", files[GPOINTER_TO_UINT(which) - 4]);
        return g_string_free(x, FALSE);
    default:
        g_string_append(x, "<!DOCTYPE feature SYSTEM \"gdb-target.dtd\">");
    }
    static void (*const fill[4])(GString *) = {xml_core64, xml_fpu64, xml_core32, xml_vfp32};

    fill[GPOINTER_TO_UINT(which) & 3](x);
    return g_string_free(x, FALSE);
}

const char *arm_gdb_xml(Cpu *cpu, const char *annex)
{
    static const char *const names[7] = {"aarch64-core.xml", "aarch64-fpu.xml", "arm-core.xml",
                                         "arm-neon.xml"};
    /* the texts are the same for all CPUs */
    static GOnce once[7] = {G_ONCE_INIT, G_ONCE_INIT, G_ONCE_INIT, G_ONCE_INIT,
                            G_ONCE_INIT, G_ONCE_INIT, G_ONCE_INIT};

    if (arm_has(ARM(cpu), FEATURE_M)) {
        return arm_m_gdb_xml(ARM(cpu), annex);
    }
    if (strcmp(annex, "target.xml") == 0) {
        unsigned n = is64(cpu) ? 4 + ARM(cpu)->sve : 6;

        return g_once(&once[n], build_xml, GUINT_TO_POINTER(n));
    }
    if (ARM(cpu)->sve && strcmp(annex, "sve-registers.xml") == 0) {
        return arm_sve_gdb_xml(ARM(cpu));
    }
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(annex, names[i]) == 0) {
            return g_once(&once[i], build_xml, GUINT_TO_POINTER(i));
        }
    }
    return NULL;
}

/* ---- text ---- */

static void dump_flags(ArmCpu *c, GString *out)
{
    if (arm_has(c, FEATURE_M)) {
        arm_m_dump_flags(c, out);
        return;
    }
    uint32_t f = arm_nzcv(c);

    g_string_append_printf(out, "PSTATE=%08x %c%c%c%c ", (uint32_t)arm_get_spsr(c),
                           f & 8 ? 'N' : '-', f & 4 ? 'Z' : '-', f & 2 ? 'C' : '-',
                           f & 1 ? 'V' : '-');
    if (arm_is_a32(c)) {
        g_string_append_printf(out, "%c mode %02x\n", c->pstate & PSTATE_T ? 'T' : 'A',
                               c->pstate & 31);
    } else {
        g_string_append_printf(out, "%sEL%u%c\n",
                               arm_secure(c) ? "S "
                               : c->has_el3  ? "NS "
                                             : "",
                               arm_el(c), c->pstate & PSTATE_SP ? 'h' : 't');
    }
}

void arm_dump(Cpu *cpu, GString *out, unsigned flags)
{
    ArmCpu *c = ARM(cpu);

    if (arm_is_a32(c)) {
        for (unsigned i = 0; i < 16; i++) {
            g_string_append_printf(out, "R%02u=%08x%s", i, (uint32_t)(i == 15 ? c->pc : c->x[i]),
                                   (i & 3) == 3 ? "\n" : " ");
        }
    } else {
        g_string_append_printf(out, " PC=%016" PRIx64 " ", c->pc);
        for (unsigned i = 0; i < 32; i++) {
            if (i == 31) {
                g_string_append_printf(out, " SP=%016" PRIx64 "\n", c->x[i]);
            } else {
                g_string_append_printf(out, "X%02u=%016" PRIx64 "%s", i, c->x[i],
                                       i % 3 == 1 ? "\n" : " ");
            }
        }
    }
    dump_flags(c, out);
    if (flags & 1) {
        g_string_append_printf(out, "     FPCR=%08x FPSR=%08x\n", c->fpcr, c->fpsr);
        for (unsigned i = 0; i < 32; i++) {
            Vec128Lanes v = {.v = c->z[i].q[0]};

            g_string_append_printf(out, "Q%02u=%016" PRIx64 ":%016" PRIx64 "%s", i, v.q[1], v.q[0],
                                   i & 1 ? "\n" : " ");
        }
    }
}

bool arm_register_value(Cpu *cpu, const char *name, uint64_t *v)
{
    ArmCpu *c = ARM(cpu);
    uint64_t n;

    if (strcmp(name, "pc") == 0) {
        *v = c->pc;
        return true;
    }
    if (strcmp(name, "sp") == 0) {
        *v = arm_is_a32(c) ? c->x[13] : c->x[31];
        return true;
    }
    if ((*name == 'x' || *name == 'r') && g_ascii_isdigit(name[1])) {
        if (!parse_u64(name + 1, &n) || n > 30) {
            return false;
        }
        *v = c->x[n];
        return true;
    }
    return false;
}

void arm_info(Cpu *cpu, const char *what, GString *out)
{
}
