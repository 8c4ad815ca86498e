// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The x86-64 encoder against the system's assembler: each line is encoded by us, assembled by `as`,
 * and must give the same bytes. Where `as` has a choice the line asks for our form.
 */
#include <glib/gstdio.h>
#include <string.h>
#include "tcg/i386/asm.h"

enum { SLOT = 32 };

typedef struct Listing {
    GString *text;
    GArray *bytes;                      /* SLOT bytes a line, padded with 0xcc */
    GPtrArray *lines;
} Listing;

static void add(Listing *l, const Asm *a, const uint8_t *start, const char *line)
{
    uint8_t slot[SLOT];

    memset(slot, 0xcc, sizeof slot);
    g_assert_cmpint(a->p - start, <=, SLOT);
    memcpy(slot, start, (size_t)(a->p - start));
    g_array_append_vals(l->bytes, slot, SLOT);
    g_ptr_array_add(l->lines, (void *)line);
    g_string_append_printf(l->text, "%s\n.balign %d, 0xcc\n", line, SLOT);
}

#define LINE(line, call)                                                                           \
    do {                                                                                           \
        a->p = buf;                                                                                \
        call;                                                                                      \
        add(l, a, buf, line);                                                                      \
    } while (0)

static void moves(Listing *l, Asm *a, uint8_t *buf)
{
    LINE("{load} mov rax, r9", x_rr(a, X_MOV_RM | X_W, RAX, R9));
    LINE("{load} mov r12d, edi", x_rr(a, X_MOV_RM, R12, RDI));
    LINE("mov rax, [rbp]", x_rm(a, X_MOV_RM | X_W, RAX, mem_bd(RBP, 0)));
    LINE("mov rax, [r13]", x_rm(a, X_MOV_RM | X_W, RAX, mem_bd(R13, 0)));
    LINE("mov rax, [rsp]", x_rm(a, X_MOV_RM | X_W, RAX, mem_bd(RSP, 0)));
    LINE("mov r8, [r12+127]", x_rm(a, X_MOV_RM | X_W, R8, mem_bd(R12, 127)));
    LINE("mov ecx, [rbx+128]", x_rm(a, X_MOV_RM, RCX, mem_bd(RBX, 128)));
    LINE("mov ecx, [rbx-0x6cfa8]", x_rm(a, X_MOV_RM, RCX, mem_bd(RBX, -0x6cfa8)));
    LINE("mov rdx, [rbp+r14+8]", x_rm(a, X_MOV_RM | X_W, RDX, mem_bi(RBP, R14, 8)));
    LINE("lea rdx, [r15*8]",
         x_rm(a, X_LEA | X_W, RDX, (Mem){.base = NO_REG, .index = R15, .scale = 3}));
    LINE("lea edx, [rax+rdx*4+16]",
         x_rm(a, X_LEA, RDX, (Mem){.base = RAX, .index = RDX, .scale = 2, .disp = 16}));
    LINE("mov [rsi], dil", x_rm(a, X_MOV8_MR, RDI, mem_bd(RSI, 0)));
    LINE("mov [rsi], r9b", x_rm(a, X_MOV8_MR, R9, mem_bd(RSI, 0)));
    LINE("mov [rsi], bl", x_rm(a, X_MOV8_MR, RBX, mem_bd(RSI, 0)));
    LINE("mov [rsi+r8], r11w", x_rm(a, X_MOV16_MR, R11, mem_bi(RSI, R8, 0)));
    LINE("movzx eax, sil", x_rr(a, X_MOVZX8, RAX, RSI));
    LINE("movzx eax, dl", x_rr(a, X_MOVZX8, RAX, RDX));
    LINE("movsx r10, word ptr [rax]", x_rm(a, X_MOVSX16 | X_W, R10, mem_bd(RAX, 0)));
    LINE("movsxd r10, r11d", x_rr(a, X_MOVSXD, R10, R11));
    LINE("mov eax, 0xffffffff", x_mov_ri(a, RAX, 0xffffffff));
    LINE("mov r9, -5", x_mov_ri(a, R9, (uint64_t)-5));
    LINE("movabs r9, 0x123456789abcdef0", x_mov_ri(a, R9, 0x123456789abcdef0));
    LINE("mov qword ptr [rbp+8], -1", x_mov_mi(a, X_W, mem_bd(RBP, 8), -1));
    LINE("mov dword ptr [rbp+8], 7", x_mov_mi(a, 0, mem_bd(RBP, 8), 7));
    LINE("push r12", x_push(a, R12));
    LINE("push 0x12345", x_push_i(a, 0x12345));
    LINE("push -3", x_push_i(a, -3));
    LINE("pop rbx", x_pop(a, RBX));
    LINE("movbe r9, [rax]", x_rm(a, X_MOVBE_RM | X_W, R9, mem_bd(RAX, 0)));
    LINE("movbe [rax], cx", x_rm(a, X_MOVBE_MR | X_66, RCX, mem_bd(RAX, 0)));
}

static void arithmetic(Listing *l, Asm *a, uint8_t *buf)
{
    LINE("{load} add r8, rax", x_alu_rr(a, X_W, ALU_ADD, R8, RAX));
    LINE("sub eax, [rsp+0x300]", x_alu_rm(a, 0, ALU_SUB, RAX, mem_bd(RSP, 0x300)));
    LINE("and r10, -4096", x_alu_ri(a, X_W, ALU_AND, R10, -4096));
    LINE("cmp r10d, 5", x_alu_ri(a, 0, ALU_CMP, R10, 5));
    LINE("cmp dword ptr [rbp-0x200], 0", x_alu_mi(a, 0, ALU_CMP, mem_bd(RBP, -0x200), 0));
    LINE("cmp qword ptr [rbp-8], 1000", x_alu_mi(a, X_W, ALU_CMP, mem_bd(RBP, -8), 1000));
    LINE("lock or dword ptr [rsp], 0", x_alu_mi(a, X_LOCK, ALU_OR, mem_bd(RSP, 0), 0));
    LINE("test r9b, 64", x_test_ri(a, X_W, R9, 64));
    LINE("test rdx, -256", x_test_ri(a, X_W, RDX, -256));
    LINE("test rax, r9", x_rr(a, X_TEST | X_W, R9, RAX));
    LINE("shl r9, 3", x_shift_ri(a, X_W, SH_SHL, R9, 3));
    LINE("sar ecx, 1", x_shift_ri(a, 0, SH_SAR, RCX, 1));
    LINE("rol r12w, 8", x_shift_ri(a, X_66, SH_ROL, R12, 8));
    LINE("shr rax, cl", x_shift_cl(a, X_W, SH_SHR, RAX));
    LINE("shrd rbx, r9, 5", (x_rr(a, X_SHRD_I | X_W, R9, RBX), x_u8(a, 5)));
    LINE("neg r11", x_f7(a, X_W, F7_NEG, R11));
    LINE("div ecx", x_f7(a, 0, F7_DIV, RCX));
    LINE("imul rax, r10", x_rr(a, X_IMUL | X_W, RAX, R10));
    LINE("imul rax, rbx, 100000", (x_rr(a, X_IMUL_I32 | X_W, RAX, RBX), x_u32(a, 100000)));
    LINE("bswap r9", x_bswap(a, X_W, R9));
    LINE("lzcnt eax, r8d", x_rr(a, X_LZCNT, RAX, R8));
    LINE("popcnt r9, [rbp+8]", x_rm(a, X_POPCNT | X_W, R9, mem_bd(RBP, 8)));
    LINE("cmovb r9, rax", x_rr(a, X_CMOV | CC_B | X_W, R9, RAX));
    LINE("setne sil", x_rr(a, X_SETCC | CC_NE, 0, RSI));
    LINE("setne al", x_rr(a, X_SETCC | CC_NE, 0, RAX));
    LINE("crc32 ecx, dil", x_rr(a, X_CRC32_8, RCX, RDI));
    LINE("crc32 rcx, r9", x_rr(a, X_CRC32 | X_W, RCX, R9));
    LINE("lock cmpxchg [rax+rcx], r9", x_rm(a, X_CMPXCHG | X_W | X_LOCK, R9, mem_bi(RAX, RCX, 0)));
    LINE("lock xadd [rax], sil", x_rm(a, X_XADD8 | X_LOCK, RSI, mem_bd(RAX, 0)));
    LINE("andn rax, rbx, r9", v_rrr(a, V_ANDN | X_W, RAX, RBX, R9));
    LINE("shlx r8d, eax, ecx", v_rrr(a, V_SHLX, R8, RCX, RAX));
    LINE("pext rax, r9, r10", v_rrr(a, V_PEXT | X_W, RAX, R9, R10));
}

static void vectors(Listing *l, Asm *a, uint8_t *buf)
{
    LINE("movups xmm9, [rbp+16]", x_rm(a, X_MOVUPS, 9, mem_bd(RBP, 16)));
    LINE("movaps xmm1, xmm12", x_rr(a, X_MOVAPS, 1, 12));
    LINE("movsd xmm1, [r9]", x_rm(a, X_MOVSD, 1, mem_bd(R9, 0)));
    LINE("movq xmm3, r9", x_rr(a, X_MOVD_XR | X_W, 3, R9));
    LINE("pshufb xmm2, xmm10", x_rr(a, 0x00 | X_66 | X_0F38, 2, 10));
    LINE("vmovups xmm9, [rbp+16]", v_rrm(a, X_MOVUPS, 9, 0, mem_bd(RBP, 16)));
    LINE("vmovups [r12+r13], ymm9", v_rrm(a, X_MOVUPS_ST | X_L, 9, 0, mem_bi(R12, R13, 0)));
    LINE("vpaddd xmm1, xmm2, xmm3", v_rrr(a, 0xfe | X_66 | X_0F, 1, 2, 3));
    LINE("vpaddd xmm1, xmm2, xmm11", v_rrr(a, 0xfe | X_66 | X_0F, 1, 2, 11));
    LINE("vpaddd ymm1, ymm12, [rax]", v_rrm(a, 0xfe | X_66 | X_0F | X_L, 1, 12, mem_bd(RAX, 0)));
    LINE("vpshufb xmm1, xmm2, xmm3", v_rrr(a, 0x00 | X_66 | X_0F38, 1, 2, 3));
    LINE("vmovq rax, xmm9", v_rrr(a, X_MOVD_RX | X_W, 9, 0, RAX));
    LINE("vfmadd213sd xmm1, xmm2, xmm13", v_rrr(a, 0xa9 | X_0F38 | X_66 | X_W, 1, 2, 13));
    LINE("vpblendvb xmm1, xmm2, xmm3, xmm4",
         (v_rrr(a, 0x4c | X_66 | X_0F3A, 1, 2, 3), x_u8(a, 0x40)));
    LINE("vzeroupper", (v_rrr(a, 0x77 | X_0F, 0, 0, 0), a->p--));
}

static gboolean assemble(const char *folder, const char *text, char **bin, gsize *size)
{
    g_autofree char *source = g_build_filename(folder, "a.s", NULL);
    g_autofree char *object = g_build_filename(folder, "a.o", NULL);
    g_autofree char *flat = g_build_filename(folder, "a.bin", NULL);
    const char *as[] = {"as", "--64", "-o", object, source, NULL};
    const char *copy[] = {"objcopy", "-O", "binary", "-j", ".text", object, flat, NULL};
    int status = -1;
    gboolean ok = g_file_set_contents(source, text, -1, NULL);

    ok = ok && g_spawn_sync(NULL, (char **)as, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                            &status, NULL);
    if (ok) {
        g_assert_cmpint(status, ==, 0);
        ok = g_spawn_sync(NULL, (char **)copy, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                          &status, NULL);
    }
    ok = ok && status == 0 && g_file_get_contents(flat, bin, size, NULL);
    g_unlink(source);
    g_unlink(object);
    g_unlink(flat);
    return ok;
}

static void test_encoder(void)
{
    Listing l = {.text = g_string_new(".intel_syntax noprefix\n.text\n"),
                 .bytes = g_array_new(FALSE, FALSE, 1), .lines = g_ptr_array_new()};
    uint8_t buf[64];
    Asm a = {.p = buf};
    g_autofree char *folder = g_dir_make_tmp("asm-XXXXXX", NULL);
    g_autofree char *bin = NULL;
    gsize size = 0;

    moves(&l, &a, buf);
    arithmetic(&l, &a, buf);
    vectors(&l, &a, buf);
    if (!assemble(folder, l.text->str, &bin, &size)) {
        g_test_skip("as and objcopy are missing (Debian package binutils)");
    } else {
        for (guint i = 0; i < l.lines->len; i++) {
            g_test_message("%s", (char *)l.lines->pdata[i]);
            g_assert_cmpuint(size, >=, (i + 1) * SLOT);
            g_assert_cmpmem(bin + i * SLOT, SLOT, l.bytes->data + i * SLOT, SLOT);
        }
    }
    g_rmdir(folder);
    g_string_free(l.text, TRUE);
    g_array_free(l.bytes, TRUE);
    g_ptr_array_free(l.lines, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/asm/x86-64", test_encoder);
    return g_test_run();
}
