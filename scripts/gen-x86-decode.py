#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns target-i386/opcodes-*.decode into the decoder's tables.

usage: gen-x86-decode.py OUTPUT-FOLDER FILE.decode...
       gen-x86-decode.py --coverage TEST-LOG FILE.decode...    rows that the log does not name

Writes decode-table.c and trans.h. The form of a row: docs/devel/x86-decode.md.
"""
import os
import re
import sys

MAPS = {"-": 0, "0F": 1, "0F38": 2, "0F3A": 3, "V1": 4, "V2": 5, "V3": 6, "3D": 7,
        "E1": 8, "E2": 9, "E3": 10}
PREFIX = {"np": "NP", "66": "66", "f3": "F3", "f2": "F2"}
FLAGS = {"mem": "MEM", "reg": "REG", "i64": "I64", "o64": "O64", "d64": "D64", "f64": "F64",
         "lock": "LOCK", "rep": "REP", "nob": "NOB", "anymod": "ANYMOD|REG", "ahf": "AHF",
         "fpu": "FPU", "sse": "SSE", "mmx": "MMX", "unal": "UNALIGNED", "vsib": "VSIB",
         "nov": "NOVVVV", "l0": "L0", "l1": "L1", "w0": "W0", "w1": "W1", "shd": "SHD",
         "l2": "L2", "ll": "LL"}
EVEX = {"bc": "BC", "bcd": "BC32", "bcq": "BC64", "er": "ER|SAE", "sae": "SAE", "k": "K|Z", "kn": "K", "kk": "K|KNEED",
        "nf": "NF", "al": "AL", "op": "OPMASK",
        "e8": "E8", "e16": "E16", "e32": "E32", "e64": "E64"}
FIXED = {"AL": ("AX", "B"), "AX": ("AX", "W"), "rAX": ("AX", "V"), "zAX": ("AX", "Z"),
         "CL": ("CL", "B"), "DX": ("DX", "W"), "1": ("ONE", "B"), "ES": ("ES", "W"),
         "CS": ("CS", "W"), "SS": ("SS", "W"), "DS": ("DS", "W"), "FS": ("FS", "W"),
         "GS": ("GS", "W"), "ST0": ("ST0", "T"), "STi": ("STI", "T"), "XMM0": ("XMM0", "DQ")}
SIZES = {"": "NONE", "b": "B", "w": "W", "d": "D", "q": "Q", "dq": "DQ", "qq": "QQ", "x": "X",
         "ps": "X", "pd": "X", "ss": "D", "sd": "Q", "v": "V", "z": "Z", "y": "Y", "bs": "BS",
         "p": "P", "s": "S", "a": "A", "t": "T", "n": "N", "xh": "XH", "xq": "XQ", "xe": "XE"}
UNDEFINED = {"O": 0x800, "S": 0x80, "Z": 0x40, "A": 0x10, "P": 4, "C": 1}
USES_MODRM = "EGRMSCDVWUPQNKF"
ROW = re.compile(r'(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+"([^"]*)"\s*(.*)$')
OPCODE = re.compile(r"([0-9A-F]{2})(\+r|/[0-7]|:[0-9A-F]{2})?$")


class Row:
    """One instruction form."""

    def __init__(self, line, where):
        m = ROW.match(line)
        if not m:
            sys.exit(f"{where}: expected map opcode attributes NAME operands \"text\" [manual]")
        mapname, opcode, attributes, self.name, operands, self.text, self.manual = m.groups()
        self.where = where
        if mapname not in MAPS:
            sys.exit(f"{where}: unknown map '{mapname}'")
        self.map = MAPS[mapname]
        m = OPCODE.match(opcode)
        if not m:
            sys.exit(f"{where}: bad opcode '{opcode}'")
        self.opcode, tail = int(m.group(1), 16), m.group(2) or ""
        self.flags, self.prefix, self.feature, self.undefined = [], "ANY", "-1", 0
        self.reg = self.rm = -1
        self.modrm = False
        self.evex, self.kernel = [], None
        for a in [] if attributes == "-" else attributes.split(","):
            if a in PREFIX:
                self.prefix = PREFIX[a]
            elif a in EVEX:
                self.evex += EVEX[a].split("|")
            elif a in FLAGS:
                self.flags += FLAGS[a].split("|")
            elif a.startswith("f="):
                self.feature = "FEAT_" + a[2:]
            elif a.startswith("u="):
                self.undefined = sum(UNDEFINED[x] for x in a[2:])
            else:
                sys.exit(f"{where}: unknown attribute '{a}'")
        if ":" in self.name:            # driver:kernel of evex.h
            self.name, self.kernel = self.name.split(":")
        if self.map in (4, 5, 6):
            self.flags.append("VEX")
        elif self.map >= 8:
            self.flags.append("EVEX")
        if tail == "+r":
            self.flags.append("PLUS_R")
        elif tail.startswith("/"):
            self.reg, self.modrm = int(tail[1]), True
        elif tail.startswith(":"):
            byte = int(tail[1:], 16)
            self.reg, self.rm, self.modrm = byte >> 3 & 7, byte & 7, True
            self.flags.append("REG")
        self.operands = [self.operand(o) for o in ([] if operands == "-" else operands.split(","))]
        if len(self.operands) > 4:
            sys.exit(f"{where}: more than 4 operands")
        if any(f in self.flags for f in ("MEM", "REG")):
            self.modrm = True
        if self.modrm:
            self.flags.append("MODRM")

    def operand(self, text):
        if text in FIXED:
            return FIXED[text]
        letter, size = text[0], text[1:]
        if size not in SIZES or letter not in USES_MODRM + "IJOXYZHBLAT":
            sys.exit(f"{self.where}: unknown operand '{text}'")
        if letter in USES_MODRM:
            self.modrm = True
        if letter == "M":
            self.flags.append("MEM")
        elif letter in "RUN" or (letter == "F" and not size):
            self.flags.append("REG")
        return letter, SIZES[size]

    def opcodes(self):
        return range(self.opcode, self.opcode + 8) if "PLUS_R" in self.flags else [self.opcode]

    def c_text(self, opcode):
        flags = " | ".join("X86_ROW_" + f for f in dict.fromkeys(self.flags)) or "0"
        ops = ", ".join(f"{{X86_OP_{o}, X86_SZ_{s}}}" for o, s in self.operands)
        ops = f", .ops = {{{ops}}}" if ops else ""
        if self.kernel:
            more = "".join(f" | EV_{f}" for f in dict.fromkeys(self.evex))
            ops += (f",\n     .driver = evex_{self.name}, .kernel = ev_{self.kernel}, "
                    f".evex = 0{more}")
        name = "EVEX" if self.kernel else self.name
        return (f"    {{.trans = trans_{name}, .name = \"{self.kernel or self.name}\", "
                f".where = \"{self.where}\", .text = \"{self.text}\",\n"
                f"     .flags = {flags}, .feature = {self.feature}, .undefined = {self.undefined:#x},\n"
                f"     .map = {self.map}, .opcode = {opcode:#04x}, .prefix = X86_PFX_{self.prefix}, "
                f".reg = {self.reg}, .rm = {self.rm}{ops}}},\n")

    def shadows(self, other):
        """Whether every encoding of `other` matches this row, which comes first."""
        mine, theirs = set(self.flags), set(other.flags)
        conditions = {"MEM", "REG", "I64", "O64", "NOB", "L0", "L1", "L2", "W0", "W1"}
        return (self.prefix in ("ANY", other.prefix) and self.reg in (-1, other.reg) and
                self.rm in (-1, other.rm) and (mine & conditions) <= theirs)


def read_rows(paths):
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                line = line.strip()
                if line and not line.startswith("#"):
                    rows.append(Row(line, f"{os.path.basename(path)}:{number}"))
    return rows


def slots(rows):
    table = {}
    for r in rows:
        for opcode in r.opcodes():
            table.setdefault((r.map, opcode), []).append(r)
    for key, some in table.items():
        if len({"MODRM" in r.flags for r in some}) > 1:
            sys.exit(f"{some[0].where}: opcode {key[1]:02X} has rows with and without ModRM")
        for n, r in enumerate(some):
            for earlier in some[:n]:
                if earlier.shadows(r):
                    sys.exit(f"{r.where}: can never match: {earlier.where} comes first")
    return table


def write(path, text):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == "--coverage":
        with open(sys.argv[2], encoding="utf-8") as f:
            seen = set(re.findall(r"row (\S+)", f.read()))
        for r in read_rows(sys.argv[3:]):
            if r.where not in seen:
                print(r.where, r.name, r.text)
        return
    rows = read_rows(sys.argv[2:])
    table = slots(rows)
    spdx = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
    made = "/* Made by scripts/gen-x86-decode.py from target-i386/opcodes-*.decode. */\n"
    body, index, count = [], [], 0
    for m in range(len(MAPS)):
        line = []
        for opcode in range(256):
            line.append(str(count))
            for r in table.get((m, opcode), []):
                body.append(r.c_text(opcode))
                count += 1
        line.append(str(count))
        text = "".join("        " + ", ".join(line[i:i + 16]) + ",\n" for i in range(0, 257, 16))
        index.append(f"    {{\n{text}    }},\n")
    os.makedirs(sys.argv[1], exist_ok=True)
    names = sorted({"EVEX" if r.kernel else r.name for r in rows})
    drivers = sorted({r.name for r in rows if r.kernel})
    kernels = sorted({r.kernel for r in rows if r.kernel})
    write(os.path.join(sys.argv[1], "trans.h"),
          spdx + made + "#ifndef TARGET_I386_TRANS_H\n#define TARGET_I386_TRANS_H\n\n"
          "#include \"target-i386/decode.h\"\n\n" +
          "".join(f"X86TransFn trans_{n};\n" for n in names) +
          "".join(f"EvexDriver evex_{n};\n" for n in drivers) +
          "".join(f"EvexKernel ev_{n};\n" for n in kernels) + "\n#endif\n")
    write(os.path.join(sys.argv[1], "decode-table.c"),
          spdx + made + "#include \"target-i386/trans.h\"\n#include \"target-i386/regs.h\"\n\n"
          "const X86Row x86_rows[] = {\n" + "".join(body) + "};\n\n"
          f"const unsigned x86_num_rows = {count};\n\n"
          "const uint16_t x86_row_index[X86_MAPS][257] = {\n" + "".join(index) + "};\n")


if __name__ == "__main__":
    main()
