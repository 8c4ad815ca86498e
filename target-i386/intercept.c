// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which instructions are called before they run in guest mode, and with what. Rows are looked for
 * at translation, in blocks with MODE_GUEST only.
 */
#include "target-i386/seg.h"
#include "target-i386/translate.h"
#include "target-i386/vmx.h"
#include "qom/vm.h"

enum {
    ROW_CPL0 = 1, /* #GP of other levels comes first */
    ROW_PROTECTED = 2, /* #UD of real and virtual-8086 mode comes first */
};

typedef struct VirtRow {
    X86TransFn *trans;
    uint8_t id, flags;
} VirtRow;

static const VirtRow rows[] = {
    {trans_CPUID, VI_CPUID, 0},
    {trans_RDTSC, VI_RDTSC, 0},
    {trans_RDTSCP, VI_RDTSCP, 0},
    {trans_RDPMC, VI_RDPMC, 0},
    {trans_HLT, VI_HLT, ROW_CPL0},
    {trans_PAUSE, VI_PAUSE, 0},
    {trans_WBINVD, VI_WBINVD, ROW_CPL0},
    {trans_INVLPG, VI_INVLPG, ROW_CPL0},
    {trans_INVPCID, VI_INVPCID, ROW_CPL0},
    {trans_RDMSR, VI_RDMSR, ROW_CPL0},
    {trans_WRMSR, VI_WRMSR, ROW_CPL0},
    {trans_IN, VI_IO, 0},
    {trans_OUT, VI_IO, 0},
    {trans_INS, VI_IO, 0},
    {trans_OUTS, VI_IO, 0},
    {trans_MOV_from_cr, VI_CR_READ, ROW_CPL0},
    {trans_MOV_to_cr, VI_CR_WRITE, ROW_CPL0},
    {trans_CLTS, VI_CLTS, ROW_CPL0},
    {trans_LMSW, VI_LMSW, ROW_CPL0},
    {trans_SMSW, VI_SMSW, 0},
    {trans_MOV_from_dr, VI_DR_READ, ROW_CPL0},
    {trans_MOV_to_dr, VI_DR_WRITE, ROW_CPL0},
    {trans_SGDT, VI_SGDT, 0},
    {trans_SIDT, VI_SIDT, 0},
    {trans_LGDT, VI_LGDT, ROW_CPL0},
    {trans_LIDT, VI_LIDT, ROW_CPL0},
    {trans_SLDT, VI_SLDT, ROW_PROTECTED},
    {trans_STR, VI_STR, ROW_PROTECTED},
    {trans_LLDT, VI_LLDT, ROW_CPL0 | ROW_PROTECTED},
    {trans_LTR, VI_LTR, ROW_CPL0 | ROW_PROTECTED},
    {trans_PUSHF, VI_PUSHF, 0},
    {trans_POPF, VI_POPF, 0},
    {trans_IRET, VI_IRET, 0},
    {trans_INT, VI_INT, 0},
    {trans_INT1, VI_INT1, 0},
    {trans_RSM, VI_RSM, 0},
    {trans_MONITOR, VI_MONITOR, ROW_CPL0},
    {trans_MWAIT, VI_MWAIT, ROW_CPL0},
    {trans_XSETBV, VI_XSETBV, ROW_CPL0},
    {trans_RDRAND, VI_RDRAND, 0},
    {trans_XSAVES, VI_XSAVES, ROW_CPL0},
    {trans_XRSTORS, VI_XRSTORS, ROW_CPL0},
};

static const VirtRow *find_row(const X86Row *r)
{
    for (unsigned k = 0; k < ARRAY_COUNT(rows); k++) {
        if (rows[k].trans == r->trans) {
            return &rows[k];
        }
    }
    return NULL;
}

static uint32_t io_arg(const X86Insn *i)
{
    bool in = i->row->trans == trans_IN || i->row->trans == trans_INS;
    bool string = i->row->trans == trans_INS || i->row->trans == trans_OUTS;
    unsigned seg = in ? S_ES : i->seg < 0 ? S_DS : (unsigned)i->seg;

    return i->op[in ? 0 : 1].size | (in ? VIO_IN : 0) | (string ? VIO_STRING : 0) |
           (string && i->rep ? VIO_REP : 0) |
           (!string && i->op[in ? 1 : 0].kind == X86_IMM ? VIO_IMM : 0) |
           (uint32_t)i->addrsize << VIO_ADDR_SHIFT | (string ? seg << VIO_SEG_SHIFT : 0);
}

/* SDM 3C table 27-12: the memory operand, or the register in its place. */
uint32_t x86_operand_info(const X86Insn *i)
{
    uint32_t info = (i->addrsize - 1u) << 7 | (uint32_t)i->reg << 28;

    if (!(i->row->flags & X86_ROW_MODRM)) {
        return 0;
    }
    if (i->mod == 3) {
        return info | 1u << 10 | (uint32_t)i->rm << 3;
    }
    info |= x86_data_seg(i) << 15 | (unsigned)(i->scale & 3);
    info |= i->index >= 0 ? (uint32_t)i->index << 18 : 1u << 22;
    return info | (i->base >= 0 && i->base < 16 ? (uint32_t)i->base << 23 : 1u << 27);
}

/* What VirtUse.operand is. */
static IrVal operand_value(X86Ctx *s, const X86Insn *i, unsigned id)
{
    IrBuilder *b = s->b;

    switch (id) {
    case VI_INVLPG:
    case VI_MONITOR:
        return id == VI_MONITOR ? ir_get(b, V_RAX) : x86_addr(s, i);
    case VI_INT:
        return ir_i64(b, (int64_t)(i->op[0].imm & 0xff));
    case VI_LMSW:
        return x86_zext64(s, 1, x86_read(s, i, 0));
    case VI_IO:
        if (i->row->trans == trans_IN) {
            return x86_zext64(s, i->op[1].size, x86_read(s, i, 1));
        }
        return i->row->trans == trans_OUT ? x86_zext64(s, i->op[0].size, x86_read(s, i, 0))
                                          : ir_get(b, V_RDX);
    default:
        return ir_i64(b, i->row->flags & X86_ROW_MODRM && i->mod != 3 ? i->disp : 0);
    }
}

static uint32_t row_arg(const X86Insn *i, unsigned id)
{
    switch (id) {
    case VI_IO:
        return io_arg(i);
    case VI_CR_READ:
    case VI_DR_READ:
        return i->op[1].reg | (uint32_t)i->op[0].reg << 4;
    case VI_CR_WRITE:
    case VI_DR_WRITE:
        return i->op[0].reg | (uint32_t)i->op[1].reg << 4;
    case VI_RDRAND:
    case VI_LMSW:
        return i->opsize | (i->op[0].kind == X86_MEM ? 8u : 0);
    default:
        return 0;
    }
}

void x86_virt_before(X86Ctx *s, X86Insn *i)
{
    const VirtRow *r = find_row(i->row);
    unsigned id;

    if (!r || (r->flags & ROW_CPL0 && s->mode & MODE_CPL) ||
        (r->flags & ROW_PROTECTED && (!(s->mode & MODE_PE) || s->mode & MODE_VM)) ||
        (r->id == VI_RSM && !(s->mode & MODE_SMM)) ||
        (r->id == VI_XSETBV && !(s->mode & MODE_OSXSAVE))) {
        return;
    }
    id = r->id == VI_WBINVD && i->opcode == 0x08   ? VI_INVD
         : r->id == VI_RDRAND && (i->reg & 7) == 7 ? VI_RDSEED
                                                   : r->id;
    if ((id == VI_CR_READ && (i->op[1].reg > 8 || !(0x11d >> i->op[1].reg & 1))) ||
        (id == VI_CR_WRITE && (i->op[0].reg > 8 || !(0x11d >> i->op[0].reg & 1)))) {
        return;
    }
    IrVal value = operand_value(s, i, id);
    x86_sync(s);
    ir_call_virt_insn(s->b, ir_i32(s->b, id | row_arg(i, id) << 8),
                      ir_i32(s->b, x86_operand_info(i)), x86_pc(s, s->next), value);
}

void helper_virt_insn(Cpu *cpu, uint32_t what, uint32_t info, uint64_t next, uint64_t operand)
{
    X86Cpu *c = X86(cpu);

    if (c->guest) {
        c->guest->insn(c, &(VirtUse){
                              .id = what & 0xff,
                              .arg = what >> 8,
                              .info = info,
                              .next = next,
                              .operand = operand,
                              .host_pc = HOST_PC(),
                          });
    }
}

/* ---- what both kinds of guest need ---- */

unsigned x86_insn_bytes(X86Cpu *c, uint8_t bytes[15])
{
    uint64_t va = x86_code64(c) ? c->rip : (uint32_t)(c->rip + c->segs[S_CS].base);
    unsigned in_page = 4096 - (va & 4095), n = MIN(in_page, 15);

    if (!cpu_debug_rw(&c->cpu, va, bytes, n, false)) {
        return 0;
    }
    if (n < 15 && cpu_debug_rw(&c->cpu, va + n, bytes + n, 15 - n, false)) {
        n = 15;
    }
    return n;
}

void x86_virt_reset(X86Cpu *c)
{
    c->guest = c->smm_guest = NULL;
    c->nested = c->nested_split = c->smm_nested = false;
    c->guest_tsc_offset = 0;
    c->guest_tsc_scale = 0;
    c->guest_step = false;
    c->event.valid = false;
    c->gif = true;
    vmx_reset(c);
    cpu_interrupt_clear(&c->cpu, X86_PENDING_VIRTUAL);
}

bool x86_virtual_tpr(X86Cpu *c, uint64_t *value, bool write)
{
    uint64_t *control = &c->svm.ctl.int_control;

    if (c->guest && c->guest != &svm_ops) {
        return vmx_virtual_tpr(c, value, write);
    }
    if (c->guest != &svm_ops || !(*control & VINTR_MASKING)) {
        return false;
    }
    if (write) {
        *control = (*control & ~VINTR_TPR) | (*value & 15);
    } else {
        *value = *control & 15;
    }
    return true;
}
