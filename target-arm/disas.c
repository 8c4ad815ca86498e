// SPDX-License-Identifier: GPL-2.0-or-later
/* The disassembler: rows of the decode tables through their templates. */
#include "target-arm/translate.h"

#include <string.h>

unsigned arm_disassemble(Cpu *cpu, uint64_t va, const uint8_t *bytes, unsigned len, GString *out)
{
    A64Insn i = {0};
    uint32_t word;

    if (len < 4) {
        return 0;
    }
    memcpy(&word, bytes, 4);
    if (a64_decode(&i, word)) {
        g_string_append_printf(out, "%s", i.row->assembly);
    } else {
        g_string_append_printf(out, ".inst\t0x%08x", word);
    }
    return 4;
}
