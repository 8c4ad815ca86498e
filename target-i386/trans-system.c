// SPDX-License-Identifier: GPL-2.0-or-later
/* System instructions, I/O, cache and ordering hints. SDM 1 5.1.8, 5.20; 3A 2.8. */
#include "target-i386/translate.h"

void trans_PAUSE(X86Ctx *s, X86Insn *i)
{
    if (!(s->mode & (MODE_TF | MODE_RF | MODE_INHIBIT))) {
        x86_sync(s);
        ir_call_pause(s->b, x86_pc(s, s->next));
        if (ir_is_open(s->b)) {
            ir_exit(s->b, IR_EXIT_LOOP);
        }
        s->ended = true;
    }
}

void trans_HLT(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        x86_sync(s);
        ir_call_hlt(s->b, x86_pc(s, s->next));
        if (ir_is_open(s->b)) {
            ir_exit(s->b, IR_EXIT_LOOP);
        }
        s->ended = true;
    }
}

void trans_CLI(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    uint32_t iopl = s->mode >> MODE_IOPL_SHIFT & 3, offset = offsetof(X86Cpu, eflags);

    if (!(s->mode & MODE_PE) || (s->mode & MODE_CPL) <= iopl) {
        IrVal flags = ir_env_load(b, IR_I32, offset, MEM_32);
        ir_env_store(b, ir_andi(b, flags, (uint32_t)~FLAG_IF), offset, MEM_32);
        return;
    }
    x86_sync(s);
    ir_call_cli(b);
}

void trans_STI(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_sti(s->b);
    x86_end_exit(s, true, IR_EXIT_LOOP);
}

static void smap_flag(X86Ctx *s, void (*fn)(IrBuilder *))
{
    if (s->mode & MODE_CPL) {
        x86_ud(s);
        return;
    }
    x86_sync(s);
    fn(s->b);
    x86_end_exit(s, true, IR_EXIT_LOOKUP);
}

void trans_CLAC(X86Ctx *s, X86Insn *i)
{
    smap_flag(s, ir_call_clac);
}

void trans_STAC(X86Ctx *s, X86Insn *i)
{
    smap_flag(s, ir_call_stac);
}

/* ---- I/O ---- */

void trans_IN(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal port = x86_zext(s, i->op[1].size, x86_read(s, i, 1));

    x86_sync(s);
    x86_write(s, i, 0, ir_trunc(s->b, ir_call_in(s->b, port, ir_i32(s->b, size))));
}

/* A port write may do anything to the machine, so the block ends. */
void trans_OUT(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[1].size;
    IrVal port = x86_zext(s, i->op[0].size, x86_read(s, i, 0));
    IrVal v = x86_zext64(s, size, x86_read(s, i, 1));

    x86_sync(s);
    ir_call_out(s->b, port, v, ir_i32(s->b, size));
    x86_end_exit(s, true, IR_EXIT_LOOP);
}

/* ---- tables and segments ---- */

static bool protected_only(X86Ctx *s)
{
    if (!(s->mode & MODE_PE) || x86_in_vm86(s)) {
        x86_ud(s);
        return false;
    }
    return true;
}

static void store_system(X86Ctx *s, X86Insn *i, IrVal v)
{
    if (i->op[0].kind == X86_MEM) {
        x86_store(s, 1, v, x86_addr(s, i));
    } else {
        x86_write(s, i, 0, i->op[0].size == 3 ? ir_zextq(s->b, v) : v);
    }
}

void trans_SLDT(X86Ctx *s, X86Insn *i)
{
    if (protected_only(s)) {
        store_system(s, i, ir_call_sldt(s->b));
    }
}

void trans_STR(X86Ctx *s, X86Insn *i)
{
    if (protected_only(s)) {
        store_system(s, i, ir_call_str(s->b));
    }
}

void trans_LLDT(X86Ctx *s, X86Insn *i)
{
    if (protected_only(s) && x86_cpl0(s)) {
        x86_sync(s);
        ir_call_lldt(s->b, x86_zext(s, 1, x86_read(s, i, 0)));
    }
}

void trans_LTR(X86Ctx *s, X86Insn *i)
{
    if (protected_only(s) && x86_cpl0(s)) {
        x86_sync(s);
        ir_call_ltr(s->b, x86_zext(s, 1, x86_read(s, i, 0)));
    }
}

static void set_zero_flag(X86Ctx *s, IrVal bit64)
{
    IrBuilder *b = s->b;
    IrVal flags = ir_andi(b, x86_flags(s), ~(uint64_t)FLAG_Z);

    x86_cc_eflags(s, ir_or(b, flags, ir_shli(b, bit64, 6)));
}

void trans_VERR(X86Ctx *s, X86Insn *i)
{
    if (protected_only(s)) {
        x86_sync(s);
        set_zero_flag(s, ir_zextq(s->b, ir_call_verr(s->b, x86_zext(s, 1, x86_read(s, i, 0)))));
    }
}

void trans_VERW(X86Ctx *s, X86Insn *i)
{
    if (protected_only(s)) {
        x86_sync(s);
        set_zero_flag(s, ir_zextq(s->b, ir_call_verw(s->b, x86_zext(s, 1, x86_read(s, i, 0)))));
    }
}

/* LAR, LSL: bit 32 of the helper's result says that the selector is good. */
static void descriptor_query(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal))
{
    IrBuilder *b = s->b;

    if (!protected_only(s)) {
        return;
    }
    IrVal selector = x86_zext(s, 1, x86_read(s, i, 1));
    x86_sync(s);
    IrVal r = fn(b, selector);
    IrVal good = ir_extract(b, r, 32, 1);
    IrVal old = x86_get_reg(s, 3, i->op[0].reg), value = ir_zext32(b, r);
    if (i->op[0].size == 1) {
        value = ir_deposit(b, old, value, 0, 16);
    }
    /* where the selector is not good, bits 63:32 stay as well */
    x86_set_reg(s, 3, i->op[0].reg, ir_select(b, COND_NE, good, ir_i64(b, 0), value, old));
    set_zero_flag(s, good);
}

void trans_LAR(X86Ctx *s, X86Insn *i)
{
    descriptor_query(s, i, ir_call_lar);
}

void trans_LSL(X86Ctx *s, X86Insn *i)
{
    descriptor_query(s, i, ir_call_lsl);
}

void trans_ARPL(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;

    if (!protected_only(s)) {
        return;
    }
    IrVal dst = x86_zext(s, 1, x86_read(s, i, 0)), src = x86_zext(s, 1, x86_read(s, i, 1));
    IrVal rpl = ir_andi(b, src, 3), have = ir_andi(b, dst, 3);
    IrVal less = ir_setcond(b, COND_LTU, have, rpl);
    IrVal new = ir_select(b, COND_LTU, have, rpl, ir_deposit(b, dst, rpl, 0, 2), dst);
    x86_write(s, i, 0, new);
    set_zero_flag(s, ir_zextq(b, less));
}

static void store_table(X86Ctx *s, X86Insn *i, IrVal (*base)(IrBuilder *),
                        IrVal (*limit)(IrBuilder *))
{
    IrBuilder *b = s->b;

    x86_sync(s);
    IrVal l = limit(b), at = base(b), addr = x86_addr(s, i);
    x86_store(s, 1, l, addr);
    addr = ir_addi(b, addr, 2);
    if (s->code64) {
        x86_store(s, 3, at, addr);
    } else {        /* all 32 bits also with 16-bit operands, as processors since the 386 do */
        x86_store(s, 2, ir_trunc(b, at), addr);
    }
}

void trans_SGDT(X86Ctx *s, X86Insn *i)
{
    store_table(s, i, ir_call_sgdt_base, ir_call_sgdt_limit);
}

void trans_SIDT(X86Ctx *s, X86Insn *i)
{
    store_table(s, i, ir_call_sidt_base, ir_call_sidt_limit);
}

static void load_table(X86Ctx *s, X86Insn *i, void (*fn)(IrBuilder *, IrVal, IrVal))
{
    IrBuilder *b = s->b;

    if (!x86_cpl0(s)) {
        return;
    }
    IrVal addr = x86_addr(s, i);
    IrVal limit = x86_load(s, 1, addr), base;
    addr = ir_addi(b, addr, 2);
    if (s->code64) {
        base = x86_load(s, 3, addr);
    } else {
        base = ir_zextq(b, x86_load(s, 2, addr));
        base = i->opsize == 1 ? ir_andi(b, base, 0xffffff) : base;
    }
    x86_sync(s);
    fn(b, base, limit);
}

void trans_LGDT(X86Ctx *s, X86Insn *i)
{
    load_table(s, i, ir_call_lgdt);
}

void trans_LIDT(X86Ctx *s, X86Insn *i)
{
    load_table(s, i, ir_call_lidt);
}

/* ---- control registers ---- */

void trans_SMSW(X86Ctx *s, X86Insn *i)
{
    IrVal v = ir_call_smsw(s->b);

    if (i->op[0].kind == X86_MEM) {
        x86_store(s, 1, ir_trunc(s->b, v), x86_addr(s, i));
    } else {
        x86_write(s, i, 0, x86_narrow(s, i->op[0].size, v));
    }
}

void trans_LMSW(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        IrVal v = x86_zext(s, 1, x86_read(s, i, 0));
        x86_sync(s);
        ir_call_lmsw(s->b, v);
        x86_end_exit(s, true, IR_EXIT_LOOP);
    }
}

void trans_CLTS(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        x86_sync(s);
        ir_call_clts(s->b);
        x86_end_exit(s, true, IR_EXIT_LOOKUP);
    }
}

static bool control_reg_ok(X86Ctx *s, unsigned n)
{
    if (n > 8 || (n != 0 && n != 2 && n != 3 && n != 4 && n != 8)) {
        x86_ud(s);
        return false;
    }
    return x86_cpl0(s);
}

void trans_MOV_from_cr(X86Ctx *s, X86Insn *i)
{
    if (control_reg_ok(s, i->op[1].reg)) {
        x86_sync(s);
        IrVal v = ir_call_read_cr(s->b, ir_i32(s->b, i->op[1].reg));
        x86_write(s, i, 0, x86_narrow(s, i->op[0].size, v));
    }
}

void trans_MOV_to_cr(X86Ctx *s, X86Insn *i)
{
    if (control_reg_ok(s, i->op[0].reg)) {
        IrVal v = x86_zext64(s, i->op[1].size, x86_read(s, i, 1));
        x86_sync(s);
        ir_call_write_cr(s->b, ir_i32(s->b, i->op[0].reg), v);
        x86_end_exit(s, true, IR_EXIT_LOOP);
    }
}

void trans_MOV_from_dr(X86Ctx *s, X86Insn *i)
{
    if (i->op[1].reg > 7) {
        x86_ud(s);
    } else if (x86_cpl0(s)) {
        x86_sync(s);
        IrVal v = ir_call_read_dr(s->b, ir_i32(s->b, i->op[1].reg));
        x86_write(s, i, 0, x86_narrow(s, i->op[0].size, v));
    }
}

void trans_MOV_to_dr(X86Ctx *s, X86Insn *i)
{
    if (i->op[0].reg > 7) {
        x86_ud(s);
    } else if (x86_cpl0(s)) {
        IrVal v = x86_zext64(s, i->op[1].size, x86_read(s, i, 1));
        x86_sync(s);
        ir_call_write_dr(s->b, ir_i32(s->b, i->op[0].reg), v);
        x86_end_exit(s, true, IR_EXIT_LOOP);
    }
}

/* Calls a helper without arguments at CPL 0 and goes on, or ends the block. */
static void privileged(X86Ctx *s, void (*fn)(IrBuilder *), bool end)
{
    if (x86_cpl0(s)) {
        x86_sync(s);
        fn(s->b);
        if (end) {
            x86_end_exit(s, true, IR_EXIT_LOOP);
        }
    }
}

void trans_WBINVD(X86Ctx *s, X86Insn *i)
{
    privileged(s, ir_call_wbinvd, false);
}

void trans_RDMSR(X86Ctx *s, X86Insn *i)
{
    privileged(s, ir_call_rdmsr, false);
}

void trans_WRMSR(X86Ctx *s, X86Insn *i)
{
    privileged(s, ir_call_wrmsr, true);
}

void trans_INVLPG(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        x86_sync(s);
        ir_call_invlpg(s->b, x86_addr(s, i));
        x86_end_exit(s, true, IR_EXIT_LOOKUP);
    }
}

void trans_INVPCID(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        IrVal type = x86_zext64(s, i->op[0].size, x86_read(s, i, 0));
        x86_sync(s);
        ir_call_invpcid(s->b, type, x86_addr(s, i));
        x86_end_exit(s, true, IR_EXIT_LOOKUP);
    }
}

static void any_level(X86Ctx *s, void (*fn)(IrBuilder *))
{
    x86_sync(s);
    fn(s->b);
}

void trans_RDTSC(X86Ctx *s, X86Insn *i)
{
    any_level(s, ir_call_rdtsc);
}

void trans_RDTSCP(X86Ctx *s, X86Insn *i)
{
    any_level(s, ir_call_rdtscp);
}

void trans_RDPMC(X86Ctx *s, X86Insn *i)
{
    any_level(s, ir_call_rdpmc);
}

void trans_CPUID(X86Ctx *s, X86Insn *i)
{
    any_level(s, ir_call_cpuid);
}

void trans_RDPID(X86Ctx *s, X86Insn *i)
{
    IrVal v = ir_call_rdpid(s->b);

    x86_write(s, i, 0, x86_narrow(s, i->op[0].size, v));
}

void trans_RDRAND(X86Ctx *s, X86Insn *i)
{
    IrVal v = ir_call_rdrand(s->b, ir_i32(s->b, i->opsize));

    x86_write(s, i, 0, x86_narrow(s, i->opsize, v));
    x86_cc_eflags(s, ir_i64(s->b, FLAG_C));
}

void trans_XGETBV(X86Ctx *s, X86Insn *i)
{
    if (!(s->mode & MODE_OSXSAVE)) {
        x86_ud(s);
        return;
    }
    any_level(s, ir_call_xgetbv);
}

void trans_XSETBV(X86Ctx *s, X86Insn *i)
{
    if (!(s->mode & MODE_OSXSAVE)) {
        x86_ud(s);
        return;
    }
    privileged(s, ir_call_xsetbv, true);
}

void trans_SWAPGS(X86Ctx *s, X86Insn *i)
{
    privileged(s, ir_call_swapgs, false);
}

static bool fsgs_ready(X86Ctx *s)
{
    if (!(s->mode & MODE_FSGSBASE)) {
        x86_ud(s);
        return false;
    }
    return true;
}

void trans_RDFSGSBASE(X86Ctx *s, X86Insn *i)
{
    if (fsgs_ready(s)) {
        IrVal v = ir_get(s->b, i->reg & 1 ? V_GS_BASE : V_FS_BASE);
        x86_write(s, i, 0, x86_narrow(s, i->op[0].size, v));
    }
}

void trans_WRFSGSBASE(X86Ctx *s, X86Insn *i)
{
    if (fsgs_ready(s)) {
        IrVal v = x86_zext64(s, i->op[0].size, x86_read(s, i, 0));
        x86_sync(s);
        ir_call_wrfsgs(s->b, ir_i32(s->b, i->reg & 1 ? S_GS : S_FS), v);
    }
}

void trans_MONITOR(X86Ctx *s, X86Insn *i)
{
    if (s->mode & MODE_CPL) {
        x86_ud(s);
        return;
    }
    IrVal ea = x86_mask_addr(s, i->addrsize, ir_get(s->b, V_RAX));
    x86_sync(s);
    ir_call_monitor(s->b, x86_linear(s, ea, i->seg < 0 ? S_DS : (unsigned)i->seg, 1, false));
}

void trans_MWAIT(X86Ctx *s, X86Insn *i)
{
    if (s->mode & MODE_CPL) {
        x86_ud(s);
        return;
    }
    x86_sync(s);
    ir_call_mwait(s->b, x86_pc(s, s->next));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
    s->ended = true;
}

void trans_RSM(X86Ctx *s, X86Insn *i)
{
    if (!(s->mode & MODE_SMM)) {
        x86_ud(s);
        return;
    }
    x86_sync(s);
    ir_call_rsm(s->b);
    x86_end_exit(s, false, IR_EXIT_LOOP);
}

/* VMX: SDM 3C 31.3. The mode and the level are looked at in the helper. */
static void vmx_insn(X86Ctx *s, const X86Insn *i, unsigned id)
{
    IrBuilder *b = s->b;
    bool mem = i->row->flags & X86_ROW_MODRM && i->mod != 3;

    if (!x86_has_feature(s->cpu, FEAT_VMX)) {
        x86_ud(s);
        return;
    }
    IrVal va = mem ? x86_addr(s, i) : ir_i64(b, 0);
    x86_sync(s);
    ir_call_vmx(b, ir_i32(b, id), ir_i32(b, x86_operand_info(i)), x86_pc(s, s->next), va,
                ir_i64(b, mem ? i->disp : 0));
    x86_cc_by_helper(s);
    x86_end_exit(s, true, IR_EXIT_LOOP);
}

void trans_VMCALL(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMCALL);
}

void trans_VMLAUNCH(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMLAUNCH);
}

void trans_VMRESUME(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMRESUME);
}

void trans_VMXOFF(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMXOFF);
}

void trans_VMXON(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMXON);
}

void trans_VMCLEAR(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMCLEAR);
}

void trans_VMPTRLD(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMPTRLD);
}

void trans_VMPTRST(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMPTRST);
}

void trans_VMREAD(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMREAD);
}

void trans_VMWRITE(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_VMWRITE);
}

void trans_INVEPT(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_INVEPT);
}

void trans_INVVPID(X86Ctx *s, X86Insn *i)
{
    vmx_insn(s, i, EXIT_INVVPID);
}

/* SVM: APM 3. EFER.SVME and the level are looked at in the helper. */
static void svm_insn(X86Ctx *s, const X86Insn *i, unsigned id)
{
    if (id != VI_VMMCALL && !protected_only(s)) {
        return;
    }
    x86_sync(s);
    ir_call_svm(s->b, ir_i32(s->b, id), ir_i32(s->b, i->addrsize), x86_pc(s, s->next));
    x86_end_exit(s, true, IR_EXIT_LOOP);
}

void trans_VMMCALL(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_VMMCALL);
}

void trans_VMRUN(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_VMRUN);
}

void trans_VMLOAD(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_VMLOAD);
}

void trans_VMSAVE(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_VMSAVE);
}

void trans_STGI(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_STGI);
}

void trans_CLGI(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_CLGI);
}

void trans_SKINIT(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_SKINIT);
}

void trans_INVLPGA(X86Ctx *s, X86Insn *i)
{
    svm_insn(s, i, VI_INVLPGA);
}

/* The line is touched, so that faults are those of a load (SDM 2A "CLFLUSH"). */
void trans_CLFLUSH(X86Ctx *s, X86Insn *i)
{
    x86_load(s, 0, x86_addr(s, i));
}

void trans_FENCE(X86Ctx *s, X86Insn *i)
{
    ir_fence(s->b, i->modrm >= 0xf8   ? IR_FENCE_ST_ST
                   : i->modrm >= 0xf0 ? IR_FENCE_ALL
                                      : IR_FENCE_LD_LD);
}

void trans_RDPKRU(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_rdpkru(s->b);
}

void trans_WRPKRU(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_wrpkru(s->b);
}

void trans_SERIALIZE(X86Ctx *s, X86Insn *i)
{
    ir_fence(s->b, IR_FENCE_ALL);
}

/* ---- processor state images ---- */

/* Leaves when the masks of SSE exceptions, or MM, are not as MODE_XM and MODE_MM say any more. */
static void mxcsr_changed(X86Ctx *s)
{
    IrBuilder *b = s->b;
    IrBlock *changed = ir_cold_block(b), *next = ir_block(b), *same = ir_block(b);
    IrVal masks = ir_andi(b, ir_env_load(b, IR_I32, offsetof(X86Cpu, mxcsr), MEM_32), MXCSR_MASKS);

    ir_brcond(b, s->mode & MODE_XM ? COND_EQ : COND_NE, masks, ir_i32(b, MXCSR_MASKS), changed,
              next);
    ir_place(b, next);
    IrVal misaligned =
        ir_andi(b, ir_env_load(b, IR_I32, offsetof(X86Cpu, mxcsr), MEM_32), MXCSR_MM);
    ir_brcond(b, s->mode & MODE_MM ? COND_EQ : COND_NE, misaligned, ir_i32(b, 0), changed, same);
    ir_place(b, changed);
    ir_set(b, V_RIP, x86_pc(s, s->next));
    ir_exit(b, IR_EXIT_LOOP);
    ir_place(b, same);
}

static void state_image(X86Ctx *s, X86Insn *i, void (*fn)(IrBuilder *, IrVal, IrVal))
{
    x86_sync(s);
    fn(s->b, x86_addr(s, i), ir_i32(s->b, i->rex >> 3 & 1));
}

void trans_FXSAVE(X86Ctx *s, X86Insn *i)
{
    state_image(s, i, ir_call_fxsave);
}

void trans_FXRSTOR(X86Ctx *s, X86Insn *i)
{
    state_image(s, i, ir_call_fxrstor);
    mxcsr_changed(s);
}

static void extended_image(X86Ctx *s, X86Insn *i, unsigned kind,
                           void (*fn)(IrBuilder *, IrVal, IrVal, IrVal))
{
    if (!(s->mode & MODE_OSXSAVE)) {
        x86_ud(s);
        return;
    }
    x86_sync(s);
    fn(s->b, x86_addr(s, i), ir_i32(s->b, i->rex >> 3 & 1), ir_i32(s->b, kind));
}

void trans_XSAVE(X86Ctx *s, X86Insn *i)
{
    extended_image(s, i, 0, ir_call_xsave);
}

void trans_XSAVEOPT(X86Ctx *s, X86Insn *i)
{
    extended_image(s, i, 1, ir_call_xsave);
}

void trans_XSAVEC(X86Ctx *s, X86Insn *i)
{
    extended_image(s, i, 2, ir_call_xsave);
}

void trans_XSAVES(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        extended_image(s, i, 3, ir_call_xsave);
    }
}

void trans_XRSTOR(X86Ctx *s, X86Insn *i)
{
    extended_image(s, i, 0, ir_call_xrstor);
    if (!s->ended) {
        mxcsr_changed(s);
    }
}

void trans_XRSTORS(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        extended_image(s, i, 1, ir_call_xrstor);
        if (!s->ended) {
            mxcsr_changed(s);
        }
    }
}

void trans_LDMXCSR(X86Ctx *s, X86Insn *i)
{
    if (s->mode & (MODE_EM | MODE_TS) || !(s->mode & MODE_OSFXSR)) {
        x86_raise_ir(s, s->mode & MODE_EM || !(s->mode & MODE_OSFXSR) ? EXC_UD : EXC_NM);
        s->ended = true;
        return;
    }
    IrVal v = x86_read(s, i, 0);
    x86_sync(s);
    ir_call_ldmxcsr(s->b, v);
    mxcsr_changed(s);
}

void trans_STMXCSR(X86Ctx *s, X86Insn *i)
{
    if (s->mode & (MODE_EM | MODE_TS) || !(s->mode & MODE_OSFXSR)) {
        x86_raise_ir(s, s->mode & MODE_EM || !(s->mode & MODE_OSFXSR) ? EXC_UD : EXC_NM);
        s->ended = true;
        return;
    }
    x86_write(s, i, 0, ir_call_stmxcsr(s->b));
}
