// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What -d shows of a translation: guest code, IR, host code.
 */
#include "accel/tcg/tcg.h"

#include <inttypes.h>
#include "util/log.h"

void log_ir(const BlockKey *key, const IrFunc *f)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (!log_filter_has(key->pc)) {
        return;
    }
    g_string_append_printf(text, "OP: %016" PRIx64 "\n", key->pc);
    ir_print(f, text);
    g_string_append_c(text, '\n');
    log_text(text->str);
}

static void append_guest_code(Cpu *cpu, const CodeBlock *cb, GString *text)
{
    uint64_t va = cb->key.pc;
    uint64_t end = va + cb->bytes;

    g_string_append(text, "----------------\nIN: \n");
    while (va < end) {
        uint8_t bytes[16];
        unsigned len = (unsigned)MIN(sizeof(bytes), end - va);
        g_autoptr(GString) insn = g_string_new(NULL);
        unsigned n = 0;

        if (!cpu_debug_rw(cpu, va, bytes, len, false)) {
            g_string_append_printf(text, "0x%08" PRIx64 ":  (not mapped)\n", va);
            return;
        }
        if (cpu->arch->disassemble) {
            n = cpu->arch->disassemble(cpu, va, bytes, len, insn);
        }
        if (n == 0 || n > len) {
            n = len;
            g_string_assign(insn, "(bytes)");
        }
        g_string_append_printf(text, "0x%08" PRIx64 ": ", va);
        for (unsigned i = 0; i < n; i++) {
            g_string_append_printf(text, " %02x", bytes[i]);
        }
        g_string_append_printf(text, "%*s%s\n", n < 8 ? (int)(8 - n) * 3 + 1 : 1, "", insn->str);
        va += n;
    }
    g_string_append_c(text, '\n');
}

void log_translation(Cpu *cpu, const CodeBlock *cb)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (!log_filter_has(cb->key.pc)) {
        return;
    }
    if (log_enabled(LOG_IN_ASM)) {
        append_guest_code(cpu, cb, text);
    }
    if (log_enabled(LOG_OUT_ASM) && tcg->engine->dump) {
        g_string_append_printf(text, "OUT: [size=%u+%u]\n", cb->code.size, cb->code.cold_size);
        tcg->engine->dump(cb, text);
        g_string_append_c(text, '\n');
    }
    log_text(text->str);
}
