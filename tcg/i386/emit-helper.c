// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Helpers that do what an x86 instruction does (HELPER_INSN): where the host has it, it is emitted
 * in place of the call.
 */
#include <string.h>
#include "tcg/i386/gen.h"

enum { P66 = X_66 | X_0F, P38 = X_66 | X_0F38, P3A = X_66 | X_0F3A };
enum Shape {
    TWO,                /* dst = op(a, b) */
    TWO_LEGACY,         /* the same without a VEX form: in place */
    TWO_XMM0,           /* the same with a third argument in xmm0 */
    TWO_VEX,            /* VEX alone */
    ONE, ONE_VEX,
    STORE_VEX,          /* the source is in the place of the destination */
};

typedef struct HostInsn {
    const char *name;
    uint32_t form;
    uint8_t shape;
    bool imm;           /* the last argument is the immediate */
    size_t need;        /* offset in HostFeatures */
} HostInsn;

#define NEED(f) offsetof(HostFeatures, f)
static const HostInsn host_insns[] = {
    {"aesenc", 0xdc | P38, TWO, false, NEED(aes)},
    {"aesenclast", 0xdd | P38, TWO, false, NEED(aes)},
    {"aesdec", 0xde | P38, TWO, false, NEED(aes)},
    {"aesdeclast", 0xdf | P38, TWO, false, NEED(aes)},
    {"aesimc", 0xdb | P38, ONE, false, NEED(aes)},
    {"aeskeygenassist", 0xdf | P3A, ONE, true, NEED(aes)},
    {"pclmulqdq", 0x44 | P3A, TWO, true, NEED(pclmul)},
    {"mpsadbw", 0x42 | P3A, TWO, true, NEED(sse41)},
    {"phminposuw", 0x41 | P38, ONE, false, NEED(sse41)},
    {"dpps", 0x40 | P3A, TWO, true, NEED(sse41)},
    {"dppd", 0x41 | P3A, TWO, true, NEED(sse41)},
    {"sha1nexte", 0xc8 | X_0F38, TWO_LEGACY, false, NEED(sha)},
    {"sha1msg1", 0xc9 | X_0F38, TWO_LEGACY, false, NEED(sha)},
    {"sha1msg2", 0xca | X_0F38, TWO_LEGACY, false, NEED(sha)},
    {"sha1rnds4", 0xcc | X_0F3A, TWO_LEGACY, true, NEED(sha)},
    {"sha256rnds2", 0xcb | X_0F38, TWO_XMM0, false, NEED(sha)},
    {"sha256msg1", 0xcc | X_0F38, TWO_LEGACY, false, NEED(sha)},
    {"sha256msg2", 0xcd | X_0F38, TWO_LEGACY, false, NEED(sha)},
    {"rcpps", 0x53 | X_0F, ONE, false, NEED(sse)},
    {"rsqrtps", 0x52 | X_0F, ONE, false, NEED(sse)},
    {"permilps", 0x0c | P38, TWO_VEX, false, NEED(avx)},
    {"permilpd", 0x0d | P38, TWO_VEX, false, NEED(avx)},
    {"cvtph2ps", 0x13 | P38, ONE_VEX, false, NEED(f16c)},
    {"cvtps2ph", 0x1d | P3A, STORE_VEX, true, NEED(f16c)},
};

static const HostInsn *find(const Gen *g, const IrOp *o)
{
    for (unsigned i = 0; i < ARRAY_COUNT(host_insns); i++) {
        const HostInsn *h = &host_insns[i];
        if (strcmp(h->name, o->call.helper->name) == 0) {
            bool have = *((const bool *)&g->host + h->need);
            return have && (!h->imm || ra_is_const(&g->ra, o->args[o->num_args - 1])) ? h : NULL;
        }
    }
    return NULL;
}

static void two_operands(Gen *g, const IrOp *o, const HostInsn *h)
{
    bool same = o->args[0] == o->args[1];
    int a, b, dst;

    if (h->shape == TWO_XMM0) {
        ra_take_with(&g->ra, XMM, o->args[2]);
    }
    b = ra_use(&g->ra, o->args[1], 0);
    if (g->a.avx && (h->shape == TWO || h->shape == TWO_VEX)) {
        a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        v_rrr(&g->a, h->form, xmm(ra_def(&g->ra, o->dst, 0, a)), xmm(a), xmm(b));
        return;
    }
    dst = ra_def_from(&g->ra, o->dst, o->args[0], same ? 0 : REG_BIT(b));
    x_rr(&g->a, h->form, xmm(dst), same ? xmm(dst) : xmm(b));
}

bool gen_host_insn(Gen *g, const IrOp *o)
{
    const HostInsn *h = find(g, o);
    int a, dst;

    if (!h) {
        return false;
    }
    if (h->shape == ONE || h->shape == ONE_VEX || h->shape == STORE_VEX) {
        a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, a);
        if (h->shape == STORE_VEX) {
            v_rrr(&g->a, h->form, xmm(a), 0, xmm(dst));
        } else if (h->shape == ONE_VEX) {
            v_rrr(&g->a, h->form, xmm(dst), 0, xmm(a));
        } else {
            xv_rr(&g->a, h->form, xmm(dst), xmm(a));
        }
    } else {
        two_operands(g, o, h);
    }
    if (h->imm) {
        x_u8(&g->a, (unsigned)g->ra.vals[o->args[o->num_args - 1]].bits & 0xff);
    }
    return true;
}
