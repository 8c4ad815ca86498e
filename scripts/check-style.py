#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the rules of style that a program can check.

usage: check-style.py [TREE]

C files: length of files, functions and headers (tables do not count), line width outside of tables,
the licence line, the number of our own headers included, functions that are not allowed, variable-length arrays,
#if inside a function, exit() outside of main programs, and file-scope data that can change without a
comment. Scripts: the licence line. Prints FILE:LINE: message; exit status 1 if there is any.
"""
import os
import re
import sys

FILE_LINES = 1000
HEADER_LINES = 300
FUNCTION_LINES = 120
LINE_WIDTH = 100
INCLUDES = 15
WIDTH_TEXT = f"columns, at most {LINE_WIDTH} are allowed outside of tables"

SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
# name: what to use instead
FORBIDDEN = {
    "sprintf": "g_strdup_printf or snprintf",
    "vsprintf": "g_strdup_vprintf or vsnprintf",
    "strcpy": "g_strlcpy or g_strdup",
    "strcat": "GString",
    "strncpy": "g_strlcpy or copy_padded",
    "atoi": "parse_u64",
    "atol": "parse_u64",
    "strtol": "parse_i64",
    "strtoul": "parse_u64",
    "strtoll": "parse_i64",
    "strtoull": "parse_u64",
    "alloca": "g_malloc",
    "g_alloca": "g_malloc",
}
FORBIDDEN_CALL = re.compile(r"(?<![\w.>])(" + "|".join(FORBIDDEN) + r")\s*\(")
EXIT_CALL = re.compile(r"(?<![\w.>])(exit|_exit|abort)\s*\(")
CONSTRUCTOR = re.compile(r"__attribute__\s*\(\(\s*(constructor|destructor)")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)
# a definition at file scope: words and stars, a name, perhaps [..], perhaps = ..., then ; or {
DATA = re.compile(r"^(?:static\s+|__thread\s+|_Thread_local\s+)*"
                  r"(?:struct\s+|union\s+|enum\s+|unsigned\s+)*\w+[\s*]+(?:\w+[\s*]+)*"
                  r"\w+\s*(?:\[[^\]]*\]\s*)*(?:=.*|;|,.*)$")
STRUCT_DATA = re.compile(r"^static (?:struct|union) (?:\w+ )?{")
# addresses, and what a test's runner is told
WIDE = re.compile(r"https?:|^// (run|image):")
NOT_DATA = re.compile(r"^(?:(?:extern|typedef|return|goto|else|case|default)\b|(?:struct|union|enum) \w+;)")


def blank(match):
    """Comments and literals become spaces, line breaks stay."""
    text = match.group(0)
    if text[0] == '"':
        return '"' + "_" * (len(text) - 2) + '"'
    return re.sub(r"[^\n]", " ", text)


class Lines:
    """The lines of a C file with and without comments, and which belong to tables and functions."""

    def __init__(self, text):
        self.raw = text.split("\n")
        if self.raw and self.raw[-1] == "":
            self.raw.pop()
        self.code = COMMENT.sub(blank, text).split("\n")[:len(self.raw)]
        self.table = [False] * len(self.raw)
        self.functions = []     # (first line, last line), from 0, braces included
        self.find_blocks()

    def find_blocks(self):
        """Top-level {...} blocks: a brace alone opens a function, "= {" and type bodies a table."""
        i = 0
        self.find_kept()
        while i < len(self.code):
            line = self.code[i].rstrip()
            if line == "{":
                end = self.find(i, "}")
                self.functions.append((i, end))
                i = end
            elif re.match(r"^[^\s#}].*(=\s*\{|[\w)]\s*\(.*\{|=)$|^(typedef\s+|static\s+)?(struct|union|enum)\b.*\{$", line) and not line.endswith("\\"):
                end = self.find(i, "}")
                for j in range(i, end + 1):
                    self.table[j] = True
                i = end
            elif line.startswith("#define") and line.endswith("\\"):
                start = i
                while i + 1 < len(self.code) and self.code[i].rstrip().endswith("\\"):
                    i += 1
                if re.match(r"^#define \w+\(X\)", line):
                    for j in range(start, i + 1):
                        self.table[j] = True
            i += 1

    def find_kept(self):
        """What stands between "clang-format off" and "on" is laid out by hand: tables."""
        off = False
        for i, line in enumerate(self.raw):
            if "clang-format off" in line:
                off = True
            elif "clang-format on" in line:
                off = False
            self.table[i] = off

    def find(self, start, what):
        """The first line after start that begins with `what`, or the last line."""
        for j in range(start + 1, len(self.code)):
            if self.code[j].startswith(what):
                return j
        return len(self.code) - 1

    def count(self):
        """Lines that are in no table."""
        return self.table.count(False)


def check_sizes(path, lines):
    """Lengths of file and functions, width of lines, number of includes."""
    limit = HEADER_LINES if path.endswith(".h") else FILE_LINES
    if lines.count() > limit:
        yield len(lines.raw), f"{lines.count()} lines without tables, at most {limit} are allowed"
    for first, last in lines.functions:
        length = last - first + 1
        if length > FUNCTION_LINES:
            yield first + 1, f"the function has {length} lines, at most {FUNCTION_LINES} are allowed"
    for i, line in enumerate(lines.raw):
        if len(line) > LINE_WIDTH and not lines.table[i] and not WIDE.search(line):
            yield i + 1, f"{len(line)} {WIDTH_TEXT}"
        if line.rstrip() != line or "\t" in line:
            yield i + 1, "tab, or space at the end of the line"
    includes = sum(1 for line in lines.code if re.match(r'\s*#\s*include\s+"', line))
    if includes > INCLUDES and not path.startswith("tests/"):
        yield 1, f"{includes} of our headers included, at most {INCLUDES} are allowed"


def may_exit(path):
    """Main programs, and what only they and tests use."""
    return path == "vl.c" or path.split("/")[0] in ("tools", "tests", "linux-user", "scripts")


def check_words(path, lines):
    """Things that must not be written."""
    for i, line in enumerate(lines.code):
        m = FORBIDDEN_CALL.search(line)
        if m:
            yield i + 1, f"{m.group(1)} is not allowed: use {FORBIDDEN[m.group(1)]}"
        m = EXIT_CALL.search(line)
        if m and not may_exit(path):
            yield i + 1, f"{m.group(1)}() outside of a main program"
        if CONSTRUCTOR.search(line):
            yield i + 1, "constructors are not allowed: use a row in a table or a linker section"
    for first, last in lines.functions:
        for i in range(first, last):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else)\b", lines.code[i]):
                yield i + 1, "#if inside a function: an optional feature is a file of its own"


def has_comment(lines, i):
    """Whether line i has a comment, or the lines above do without a blank one in between."""
    if lines.raw[i].rstrip() != lines.code[i].rstrip() and re.search(r"/[/*]", lines.raw[i]):
        return True
    j = i - 1
    while j >= 0 and lines.raw[j].strip() and SPDX not in lines.raw[j]:
        if re.search(r"\*/|//", lines.raw[j]):
            return True
        if lines.code[j].startswith("}") or lines.code[j].startswith("#"):
            return False
        j -= 1
    return False


def check_data(path, lines):
    """Data at file scope that can change needs a comment that says why it is there."""
    if path.startswith("tests/"):
        return
    inside = [False] * len(lines.code)
    for first, last in lines.functions:
        inside[first:last + 1] = [True] * (last + 1 - first)
    for i, line in enumerate(lines.code):
        line = line.rstrip()
        if inside[i] or not line or line[0] in " #}\t" or "(" in line.split("=")[0]:
            continue
        if not (DATA.match(line) or STRUCT_DATA.match(line)) or NOT_DATA.match(line):
            continue
        if re.search(r"\bconst\s+\*?\s*(\w+\s*)?(\[|=|;|,)|\bconst\b[^*]*(=|;|\[|{|$)|\*\s*const\b", line):
            continue
        if line.startswith(("struct", "union", "enum")) and line.endswith("{"):
            continue
        if not has_comment(lines, i):
            yield i + 1, "data at file scope that can change: say in a comment why it must be there"


def check_c(path, text):
    """Yields (line, message) for a C file."""
    lines = Lines(text)
    if not lines.raw or SPDX not in lines.raw[0]:
        yield 1, f"the first line must be // {SPDX}"
    for check in (check_sizes, check_words, check_data):
        yield from check(path, lines)


def check_script(text):
    """Yields (line, message) for a script."""
    if SPDX not in "\n".join(text.split("\n", 2)[:2]):
        yield 1, f"one of the first two lines must be # {SPDX}"


def source_files(top):
    """Files to check, named from the top; build folders are left out."""
    for folder, folders, files in os.walk(top):
        rel = os.path.relpath(folder, top)
        folders[:] = sorted(f for f in folders if f != ".git" and f != "__pycache__"
                            and not (rel == "." and f.startswith("build"))
                            and not os.path.exists(os.path.join(folder, f, "config.mk")))
        for f in sorted(files):
            yield os.path.normpath(os.path.join(rel, f))


def check_file(top, path):
    """Yields (line, message) for one file of any kind."""
    is_c = path.endswith((".c", ".h"))
    is_script = path.endswith((".py", ".sh", ".mk", ".S")) or path in ("configure", "Makefile")
    if not is_c and not is_script and os.path.splitext(path)[1] != "":
        return
    try:
        with open(os.path.join(top, path), encoding="utf-8") as f:
            text = f.read()
    except (UnicodeDecodeError, OSError):
        return
    if is_c:
        yield from check_c(path, text)
    elif is_script or text.startswith("#!"):
        yield from check_script(text)


def main(argv):
    top = argv[1] if len(argv) > 1 else "."
    bad = 0
    for path in source_files(top):
        for line, message in sorted(check_file(top, path)):
            print(f"{path}:{line}: {message}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
