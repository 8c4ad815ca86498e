#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns decode tables of a fixed-width instruction set into a decoder and the table of its rows.

usage: gen-decode.py PREFIX[/TYPE] INDEX-BITS OUTPUT-FOLDER TABLE.decode...

PREFIX names what is made (a64: a64_decode(), A64Insn, a64_rows). With a TYPE, TYPEInsn and TYPERow are declared in the
target's header of that name in lower case, and several tables share them. INDEX-BITS, such as 31-21,11-10, are the
bits that the decoder looks at first. A row is

    NAME  bits  [@function]  operand=value...  "assembly"  manual

bits      0, 1, a lower-case letter (a field) or '.' (ignored), in groups; 16 or 32 in all, as the first row has
@function trans_<function> translates it; without it trans_<NAME>
operand   a field of the instruction struct. Its value is a run of field letters, most significant first, with
          '-' before it when signed and '<<n' behind it; or a number or an upper-case C constant
assembly  the template that the target's printer reads; (letters) behind a %name or in a condition become the places of
          these bits: (low.count,low.count<shift), with 32.1 and 33.1 for the digits 0 and 1
manual    where the encoding is described

A row whose fixed bits include another's goes first, and so does one with a '^' among its words; any other overlap
is an error. Made are PREFIX-decode.h
(struct, prototypes) and PREFIX-decode.c (rows, decoder).
"""
import os
import re
import sys

VALUE = re.compile(r"(-?)([a-z]+)(?:<<(\d+))?$")


def die(where, text):
    sys.exit(f"{where}: {text}")


class Row:
    """One encoding."""

    def __init__(self, line, where, width):
        m = re.match(r'\s*(\w+)\s+([^"]*)"([^"]*)"\s*(\S*)\s*$', line)
        if not m:
            die(where, "a row is: NAME bits operands \"assembly\" manual")
        self.where = where
        self.name, rest, self.asm, self.manual = m.groups()
        self.function = self.name
        bits, operands = "", []
        self.first = False
        for word in rest.split():
            if word == "^":
                self.first = True
            elif word.startswith("@"):
                self.function = word[1:]
            elif "=" in word:
                operands.append(word)
            elif re.fullmatch(r"[01a-z.]+", word) and not operands:
                bits += word
            else:
                die(where, f"what is '{word}'?")
        if len(bits) not in (16, 32) or (width and len(bits) != width):
            die(where, f"{len(bits)} bits")
        self.width = len(bits)
        self.mask = self.value = self.ignored = 0
        self.fields = {}
        for at, c in enumerate(bits):
            bit = self.width - 1 - at
            if c in "01":
                self.mask |= 1 << bit
                self.value |= int(c) << bit
            elif c == ".":
                self.ignored |= 1 << bit
            else:
                self.fields.setdefault(c, []).append(bit)
        self.operands = [self.operand(o) for o in operands]
        self.asm = re.sub(r"\((-?)([a-z01]+)(?:<<(\d+))?\)", self.places, self.asm)

    def places(self, m):
        """The places of a template's bits, as the printer reads them."""
        sign, letters, shift = m.groups()
        runs = []
        for c in letters:
            if c in "01":
                runs.append([32 + int(c), 1])
                continue
            if c not in self.fields:
                die(self.where, f"no field '{c}'")
            for bit in self.fields[c]:
                if runs and runs[-1][0] == bit + 1 and runs[-1][0] < 32:
                    runs[-1] = [bit, runs[-1][1] + 1]
                else:
                    runs.append([bit, 1])
        return f"({sign}{','.join(f'{low}.{count}' for low, count in runs)}{'<' + shift if shift else ''})"

    def operand(self, text):
        name, _, value = text.partition("=")
        m = VALUE.match(value)
        if not m:
            if not re.fullmatch(r"-?\d\w*|[A-Z]\w*", value):
                die(self.where, f"operand '{text}'")
            return name, value
        sign, letters, shift = m.groups()
        bits = []
        for c in letters:
            if c not in self.fields:
                die(self.where, f"no field '{c}'")
            bits += self.fields[c]
        return name, extraction(bits, bool(sign), int(shift or 0))

    def key(self):
        return tuple(self.operands)


def extraction(bits, signed, shift):
    """C text that gathers bits (most significant first) of `w`."""
    runs, at = [], 0
    while at < len(bits):
        end = at
        while end + 1 < len(bits) and bits[end + 1] == bits[end] - 1:
            end += 1
        runs.append((bits[end], end - at + 1, len(bits) - 1 - end))
        at = end + 1
    if signed:
        parts = []
        for n, (low, count, to) in enumerate(runs):
            if n == 0:
                top = 32 - low - count
                text = f"(int32_t)(w << {top}) >> {32 - count}" if top else f"(int32_t)w >> {low}"
                parts.append(f"(({text}) * {1 << to})" if to else f"({text})")
            else:
                parts.append(piece(low, count, to, "int32_t"))
        text = " | ".join(parts)
    else:
        text = " | ".join(piece(low, count, to, None) for low, count, to in runs)
    if shift:
        text = f"({text}) * {1 << shift}"
    return text


def piece(low, count, to, cast):
    text = f"w >> {low}" if low else "w"
    text = f"({text} & {hex((1 << count) - 1)})" if low else f"(w & {hex((1 << count) - 1)})"
    if cast:
        text = f"({cast}){text}"
    return f"{text} << {to}" if to and not cast else f"({text} * {1 << to})" if to else text


def read_tables(paths):
    rows, width = [], 0
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if not line.strip() or line.startswith("#"):
                    continue
                rows.append(Row(line, f"{path}:{number}", width))
                width = rows[0].width
    return rows


def check(rows):
    """Orders rows so that the more special comes first; refuses other overlaps."""
    names = {}
    for r in rows:
        if r.name in names:
            die(r.where, f"a second row '{r.name}'")
        names[r.name] = r
    for n, a in enumerate(rows):
        for b in rows[n + 1:]:
            common = a.mask & b.mask
            if (a.value ^ b.value) & common:
                continue
            if a.mask == b.mask:
                die(b.where, f"'{b.name}' is '{a.name}' again ({a.where})")
            if common not in (a.mask, b.mask) and a.first == b.first:
                die(b.where, f"'{b.name}' overlaps '{a.name}' ({a.where})")
    return sorted(rows, key=lambda r: (not r.first, -bin(r.mask).count("1")))


def index_bits(text):
    bits = []
    for part in text.split(","):
        high, _, low = part.partition("-")
        bits += range(int(high), int(low or high) - 1, -1)
    return bits


def buckets(rows, bits):
    table = [[] for _ in range(1 << len(bits))]
    for n, r in enumerate(rows):
        choices = [0]
        for b in bits:
            ones = [0, 1] if not r.mask >> b & 1 else [r.value >> b & 1]
            choices = [c << 1 | o for c in choices for o in ones]
        for c in choices:
            table[c].append(n)
    return table


def structs(title, names):
    fields = "".join(f"    int32_t {n};\n" for n in names)
    return f"""typedef struct {title}Row {title}Row;
typedef struct {title}Insn {{
    const {title}Row *row;
    uint32_t word;
{fields}}} {title}Insn;

struct ArmCtx;
struct {title}Row {{
    const char *name;
    uint32_t mask, value, ignored;
    uint16_t extract;
    bool (*trans)(struct ArmCtx *s, const {title}Insn *i);
    const char *assembly, *manual;
}};
"""


def header(prefix, title, shared, rows, target):
    names = sorted({name for r in rows for name, _ in r.operands})
    functions = sorted({r.function for r in rows})
    guard = f"GENERATED_{prefix.upper()}_DECODE_H"
    types = f'#include "{target}/{title.lower()}.h"\n' if shared else structs(title, names)
    return f"""#ifndef {guard}
#define {guard}

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

{types}
extern const {title}Row {prefix}_rows[];
extern const unsigned {prefix}_num_rows;
/* Finds the row of word and takes its operands; false: there is none. */
bool {prefix}_decode({title}Insn *i, uint32_t word);

{"".join(f"bool trans_{f}(struct ArmCtx *s, const {title}Insn *i);" + chr(10) for f in functions)}
#endif
"""


def source(prefix, title, rows, bits):
    extracts, lists, list_at = {}, [], {}
    text = []
    for r in rows:
        if r.key() not in extracts:
            n = extracts[r.key()] = len(extracts)
            body = "".join(f"    i->{name} = (int32_t)({value});\n" for name, value in r.operands)
            text.append(f"static void x{n}({title}Insn *i, uint32_t w)\n{{\n{body}}}\n\n")
    table = []
    for b in buckets(rows, bits):
        key = tuple(b)
        if key not in list_at:
            list_at[key] = len(lists)
            lists += list(key) + [0xffff]
        table.append(list_at[key])
    out = "".join(text)
    out += f"static void (*const extracts[])({title}Insn *i, uint32_t w) = {{\n"
    out += "".join(f"    x{n},\n" for n in range(len(extracts))) + "};\n\n"
    out += f"const {title}Row {prefix}_rows[] = {{\n"
    for r in rows:
        out += (f"    {{\"{r.name}\", {r.mask:#x}, {r.value:#x}, {r.ignored:#x}, {extracts[r.key()]}, trans_{r.function}, "
                f"\"{r.asm}\", \"{r.manual}\"}},\n")
    out += f"}};\nconst unsigned {prefix}_num_rows = {len(rows)};\n\n"
    out += "/* Candidates of each bucket, each list ended by 0xffff. */\n"
    out += f"static const uint16_t lists[] = {{{', '.join(map(str, lists))}}};\n\n"
    out += f"static const uint16_t index_table[] = {{{', '.join(map(str, table))}}};\n\n"
    index = "0"
    at = len(bits)
    runs, n = [], 0
    while n < len(bits):
        end = n
        while end + 1 < len(bits) and bits[end + 1] == bits[end] - 1:
            end += 1
        runs.append((bits[end], end - n + 1))
        n = end + 1
    parts = []
    for low, count in runs:
        at -= count
        p = f"(word >> {low} & {hex((1 << count) - 1)})"
        parts.append(f"{p} << {at}" if at else p)
    index = " | ".join(parts)
    out += f"""bool {prefix}_decode({title}Insn *i, uint32_t word)
{{
    for (const uint16_t *c = &lists[index_table[{index}]]; *c != 0xffff; c++) {{
        const {title}Row *r = &{prefix}_rows[*c];

        if ((word & r->mask) == r->value) {{
            i->row = r;
            i->word = word;
            extracts[r->extract](i, word);
            return true;
        }}
    }}
    return false;
}}
"""
    return out


def write(path, text):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    prefix, index, folder = sys.argv[1:4]
    prefix, _, title = prefix.partition("/")
    shared = bool(title)
    title = title or prefix.capitalize()
    rows = check(read_tables(sys.argv[4:]))
    bits = index_bits(index)
    spdx = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
    made = "/* Made by scripts/gen-decode.py. */\n"
    os.makedirs(folder, exist_ok=True)
    target = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[4])))
    write(os.path.join(folder, f"{prefix}-decode.h"), spdx + made + header(prefix, title, shared, rows, target))
    write(os.path.join(folder, f"{prefix}-decode.c"),
          spdx + made + f"#include \"{target}/translate.h\"\n#include \"{target}/{prefix}-decode.h\"\n\n" +
          source(prefix, title, rows, bits))


if __name__ == "__main__":
    main()
