#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns tcg/ops.def into the opcode enum, the descriptor table and the builder functions.

usage: gen-ir.py OPS.DEF OUTPUT-FOLDER

Writes ir-ops.h (enum IrOpcode, inline builder functions) and ir-ops.c (IrOpDesc table). The form
of a row is described at the top of ops.def.
"""
import os
import sys

TYPES = {"i32": "IR_I32", "i64": "IR_I64", "f32": "IR_F32", "f64": "IR_F64", "v128": "IR_V128",
         "v256": "IR_V256", "T": "IRK_T", "I": "IRK_I", "F": "IRK_F", "V": "IRK_V", "A": "IRK_A",
         "-": "IR_VOID", "*": "IRK_LIST"}
FLAGS = {"pure": "IRF_PURE", "comm": "IRF_COMM", "cond": "IRF_COND", "lane": "IRF_LANE",
         "mem": "IRF_MEM", "fault": "IRF_FAULT", "effect": "IRF_EFFECT", "end": "IRF_END",
         "fenv": "IRF_FENV"}
BY_HAND = {"get", "set", "discard", "insn", "env_load", "env_store", "load", "store", "xchg", "fetch_add",
           "fetch_and", "fetch_or", "fetch_xor", "cmpxchg", "call", "br", "brcond", "exit_chain",
           "exit_lookup", "exit"}
LETTERS = ["a", "c", "d", "e"]


class Row:
    """One operation."""

    def __init__(self, line, number):
        head, _, rest = line.partition('"')
        words = head.split()
        if len(words) < 4 or not rest.rstrip().endswith('"'):
            sys.exit(f"ops.def:{number}: expected name, result, operands, attributes, \"meaning\"")
        self.name, self.result = words[0], words[1]
        self.operands = [w for w in words[2:-1] if w != "-"]
        self.meaning = rest.rstrip()[:-1]
        self.flags = []
        self.imms = 0
        for attribute in words[-1].split(","):
            if attribute.startswith("imm="):
                self.imms = int(attribute[4:])
            elif attribute in FLAGS:
                self.flags.append(attribute)
            else:
                sys.exit(f"ops.def:{number}: unknown attribute '{attribute}'")
        for t in [self.result] + self.operands:
            if t not in TYPES:
                sys.exit(f"ops.def:{number}: unknown type '{t}'")
        if len(self.operands) > 4 or self.imms > 2:
            sys.exit(f"ops.def:{number}: too many operands or immediates")

    def opcode(self):
        return "OP_" + self.name.upper()

    def own(self):
        """The operand whose type is the op's: a T, or else the first of a class."""
        if "T" in self.operands:
            return self.operands.index("T")
        classes = [n for n, t in enumerate(self.operands) if TYPES[t].startswith("IRK_")]
        return classes[0] if classes else "IR_NO_OWN"

    def typed(self):
        """Whether the operands do not tell the result's type."""
        if self.name == "v_extract" or self.result not in ("I", "F", "V", "A"):
            return False
        return "T" not in self.operands

    def builder(self):
        """The builder function's text."""
        params = ["IrBuilder *b"]
        word = [self.opcode()]
        if self.typed():
            params.append("IrType t")
            word.append("(uint32_t)t << 16")
        if "cond" in self.flags:
            params.append("IrCond cond")
            word.append("(uint32_t)cond << 8")
        if "lane" in self.flags:
            params.append("IrLane lane")
            word.append("(uint32_t)lane << 8")
        n = len(self.operands)
        params += [f"IrVal {x}" for x in LETTERS[:n]]
        imms = ["imm"] if self.imms == 1 else ["pos", "len"][:self.imms]
        params += [("uint64_t " if self.name in ("env_ptr",) else "unsigned ") + x for x in imms]
        args = ["b", " | ".join(word)] + LETTERS[:n]
        if n != 3:
            args += (imms + ["0", "0"])[:2]
        elif self.imms:
            sys.exit(f"ops.def: {self.name}: immediates with {n} operands need a builder by hand")
        ret = "void" if self.result == "-" else "IrVal"
        call = f"ir_op{n}({', '.join(args)})"
        return (f"/* {self.meaning} */\n" if self.meaning else "") + (
            f"static inline {ret} ir_{self.name}({', '.join(params)})\n"
            f"{{\n    {'return ' if ret == 'IrVal' else ''}{call};\n}}\n")


def read_rows(path):
    rows = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if line and not line.startswith("#"):
                rows.append(Row(line, number))
    names = [r.name for r in rows]
    for name in names:
        if names.count(name) > 1:
            sys.exit(f"ops.def: '{name}' is there twice")
    return rows


def write(path, text):
    """Leaves a file alone that would not change."""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def header(rows):
    out = ["// SPDX-License-Identifier: GPL-2.0-or-later\n"
           "/* Made by scripts/gen-ir.py from tcg/ops.def. Included by tcg/ir.h. */\n"
           "#ifndef TCG_IR_OPS_H\n#define TCG_IR_OPS_H\n\ntypedef enum IrOpcode {\n    OP_NONE,\n"]
    out += [f"    {r.opcode()},\n" for r in rows]
    out.append("    OP_COUNT\n} IrOpcode;\n\n"
               "/* Opcode | condition or lane << 8 | result type << 16 where operands do not tell it. */\n"
               "IrVal ir_op0(IrBuilder *b, uint32_t word, uint64_t imm0, uint64_t imm1);\n"
               "IrVal ir_op1(IrBuilder *b, uint32_t word, IrVal a, uint64_t imm0, uint64_t imm1);\n"
               "IrVal ir_op2(IrBuilder *b, uint32_t word, IrVal a, IrVal c, uint64_t imm0, uint64_t imm1);\n"
               "IrVal ir_op3(IrBuilder *b, uint32_t word, IrVal a, IrVal c, IrVal d);\n"
               "IrVal ir_op4(IrBuilder *b, uint32_t word, IrVal a, IrVal c, IrVal d, IrVal e,\n"
               "             uint64_t imm0, uint64_t imm1);\n\n")
    out += [r.builder() + "\n" for r in rows if r.name not in BY_HAND]
    out.append("#endif\n")
    return "".join(out)


def source(rows):
    out = ["// SPDX-License-Identifier: GPL-2.0-or-later\n"
           "/* Made by scripts/gen-ir.py from tcg/ops.def: what an operation takes and does. */\n"
           '#include "tcg/ir-internal.h"\n\nconst IrOpDesc ir_op_desc[OP_COUNT] = {\n'
           '    [OP_NONE] = {.name = "none"},\n']
    for r in rows:
        kinds = ", ".join(TYPES[t] for t in r.operands) or "0"
        flags = " | ".join([FLAGS[f] for f in r.flags] + (["IRF_TYPED"] if r.typed() else [])) or "0"
        out.append(f"    [{r.opcode()}] = {{.name = \"{r.name}\", .result = {TYPES[r.result]}, "
                   f".operands = {{{kinds}}},\n        .own = {r.own()}, .num_operands = {len(r.operands)}, "
                   f".num_imms = {r.imms}, .flags = {flags}}},\n")
    out.append("};\n")
    return "".join(out)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows = read_rows(sys.argv[1])
    os.makedirs(sys.argv[2], exist_ok=True)
    write(os.path.join(sys.argv[2], "ir-ops.h"), header(rows))
    write(os.path.join(sys.argv[2], "ir-ops.c"), source(rows))


if __name__ == "__main__":
    main()
