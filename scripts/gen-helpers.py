#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns a target's helpers.def into prototypes, call wrappers for the IR and a table.

usage: gen-helpers.py HELPERS.DEF OUTPUT-FOLDER

A row is HELPER(name, flags, result, arguments...): flags 0 or PURE READS_VARS WRITES_VARS
FAULTS NORETURN FENV X87 joined by '|'; types void env i32 i64 f32 f64 v128 ptr; env (the Cpu) may only come first. The
function is helper_<name>, its descriptor ir_helper_<name>, its call in the IR ir_call_<name>().
"""
import os
import re
import sys

C_TYPES = {"void": "void", "env": "Cpu *", "i32": "uint32_t", "i64": "uint64_t", "f32": "float",
           "f64": "double", "v128": "Vec128", "ptr": "void *"}
IR_TYPES = {"void": "IR_VOID", "i32": "IR_I32", "i64": "IR_I64", "f32": "IR_F32", "f64": "IR_F64",
            "v128": "IR_V128", "ptr": "IR_I64", "env": "IR_I64"}
FLAGS = {"0": "0", "PURE": "HELPER_PURE", "READS_VARS": "HELPER_READS_VARS",
         "WRITES_VARS": "HELPER_WRITES_VARS", "FAULTS": "HELPER_FAULTS",
         "NORETURN": "HELPER_NORETURN", "FENV": "HELPER_FENV", "X87": "HELPER_X87", "INSN": "HELPER_INSN"}
LETTERS = "acdefg"
ROW = re.compile(r"HELPER\s*\(([^()]*)\)\s*;?\s*$")


def space(t):
    return t if t.endswith("*") else t + " "


class Helper:
    """One row."""

    def __init__(self, fields, where):
        if len(fields) < 3:
            sys.exit(f"{where}: HELPER(name, flags, result, arguments...)")
        self.name, flags, self.result = fields[:3]
        self.args = [f for f in fields[3:] if f not in ("void", "")]
        self.flags = [f.strip() for f in flags.split("|")]
        for f in self.flags:
            if f not in FLAGS:
                sys.exit(f"{where}: unknown flag '{f}'")
        for t in [self.result] + self.args:
            if t not in C_TYPES:
                sys.exit(f"{where}: unknown type '{t}'")
        if "env" in self.args[1:] or "env" == self.result:
            sys.exit(f"{where}: env may only be the first argument")
        if len(self.args) > 6:
            sys.exit(f"{where}: more than 6 arguments")
        self.env = self.args[:1] == ["env"]

    def header(self):
        args = ", ".join(C_TYPES[t] if t != "env" else "Cpu *cpu" for t in self.args) or "void"
        values = self.args[1:] if self.env else self.args
        letters = LETTERS[:len(values)]
        params = "".join(f", IrVal {x}" for x in letters)
        noreturn = "_Noreturn " if "NORETURN" in self.flags else ""
        ret = "void" if self.result == "void" else "IrVal"
        back = "" if self.result == "void" else "return "
        if values:
            call = (f"    const IrVal args[] = {{{', '.join(letters)}}};\n\n"
                    f"    {back}ir_call(b, &ir_helper_{self.name}, args, {len(values)});\n")
        else:
            call = f"    {back}ir_call(b, &ir_helper_{self.name}, NULL, 0);\n"
        return (f"{noreturn}{space(C_TYPES[self.result])}helper_{self.name}({args});\n"
                f"extern const IrHelper ir_helper_{self.name};\n"
                f"static inline {ret} ir_call_{self.name}(IrBuilder *b{params})\n{{\n{call}}}\n\n")

    def source(self):
        types = ", ".join(IR_TYPES[t] for t in self.args) or "IR_VOID"
        flags = " | ".join(FLAGS[f] for f in self.flags)
        return (f"const IrHelper ir_helper_{self.name} = {{.name = \"{self.name}\", "
                f".fn = (void *)helper_{self.name},\n    .flags = {flags}, "
                f".ret = {IR_TYPES[self.result]}, .num_args = {len(self.args)}, "
                f".env = {'true' if self.env else 'false'}, .args = {{{types}}}}};\n")


def read_rows(path):
    helpers = []
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    pending = ""
    for number, line in enumerate(text.split("\n"), 1):
        line = re.sub(r"(#|//).*", "", line).strip()
        if not line:
            continue
        pending += " " + line if pending else line
        if ")" not in pending:
            continue
        m = ROW.match(pending)
        if not m:
            sys.exit(f"{path}:{number}: not a HELPER row: {pending}")
        helpers.append(Helper([x.strip() for x in m.group(1).split(",")], f"{path}:{number}"))
        pending = ""
    return helpers


def write(path, text):
    """Leaves a file alone that would not change."""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    helpers = read_rows(sys.argv[1])
    target = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[1])))
    guard = re.sub(r"\W", "_", target.upper()) + "_HELPERS_H"
    spdx = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
    made = f"/* Made by scripts/gen-helpers.py from {target}/helpers.def. */\n"
    os.makedirs(sys.argv[2], exist_ok=True)
    write(os.path.join(sys.argv[2], "helpers.h"),
          spdx + made + f"#ifndef {guard}\n#define {guard}\n\n#include \"tcg/ir.h\"\n\n" +
          "".join(h.header() for h in helpers) +
          "/* All of them; NULL ends the list. */\nextern const IrHelper *const target_helpers[];\n\n"
          "#endif\n")
    write(os.path.join(sys.argv[2], "helpers-table.c"),
          spdx + made + f"#include \"{target}/helpers.h\"\n\n" +
          "".join(h.source() for h in helpers) +
          "\nconst IrHelper *const target_helpers[] = {\n" +
          "".join(f"    &ir_helper_{h.name},\n" for h in helpers) + "    NULL,\n};\n")


if __name__ == "__main__":
    main()
