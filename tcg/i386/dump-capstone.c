// SPDX-License-Identifier: GPL-2.0-or-later
/* Disassembly of generated x86-64 code for -d out_asm, by capstone. */
#include <capstone/capstone.h>

#include "lazy/capstone.h"
#include "tcg/i386/gen.h"

void gen_disassemble(const uint8_t *p, size_t size, GString *out)
{
    csh handle;
    cs_insn *insn;
    uint64_t va = (uintptr_t)p;
    g_autoptr(GError) err = NULL;

    if (!lazy_library_load(&lazy_capstone, &err)) {
        g_string_append_printf(out, "%s\n", err->message);
        return;
    }
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) {
        return;
    }
    insn = cs_malloc(handle);
    while (size > 0 && cs_disasm_iter(handle, &p, &size, &va, insn)) {
        g_string_append_printf(out, "0x%" G_GINT64_MODIFIER "x:  %-8s %s\n", insn->address,
                               insn->mnemonic, insn->op_str);
    }
    cs_free(insn, 1);
    cs_close(&handle);
}
