#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks who includes whom against the table of layers (docs/devel/build.md).

usage: check-layers.py [TREE]

Prints FILE:LINE: message for each include that the table does not allow; exit status 1 if any.
"""
import os
import re
import sys

# folder: the folders whose public headers it may include, besides its own
LAYERS = {
    "util": "",
    "qapi": "util",
    "qom": "util qapi",
    "exec": "util qapi qom",
    "chardev": "util qapi qom",
    "block": "util qapi qom",
    "net": "util qapi qom chardev",
    "ui": "util qapi qom chardev",
    "audio": "util qapi qom chardev",
    "migration": "util qapi qom exec",
    "fpu": "util",
    "tcg": "util exec fpu",
    "accel": "util qapi qom exec tcg",
    "target": "util qapi qom exec tcg accel migration fpu",
    "hw": "util qapi qom exec chardev block net ui audio migration accel",
    "monitor": "util qapi qom exec chardev block net ui audio migration accel hw",
}
# files at the top and folders that may include anything
FREE = {"tests", "tools", "scripts", "vl.c", "cpus.c"}

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')


def layer_of(path):
    """The layer that a file (named from the top of the tree) belongs to, or None."""
    parts = path.split("/")
    if parts[0] == "include":
        parts = parts[1:]
    if parts[0].startswith("target-"):
        return parts[0]
    return parts[0] if parts[0] in LAYERS else None


def check_include(path, header):
    """A message if the file `path` may not include `header` (as written), else None."""
    own = layer_of(path)
    other = layer_of(header) if "/" in header else None
    if own is None or other is None or own == other:
        return None
    if own.startswith("target-") and other.startswith("target-"):
        return f"{own} includes {header}: one target never sees another"
    if other.startswith("target-"):
        return f"{own} includes {header}: only a target includes its own headers"
    allowed = LAYERS["target" if own.startswith("target-") else own].split()
    if other in allowed:
        return None
    return f"{own} includes {header}: it may see only {' '.join(allowed) or 'libraries'}"


def check_text(path, text):
    """Yields (line, message) for the text of one file."""
    if path.split("/")[0] in FREE:
        return
    for number, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if m:
            message = check_include(path, m.group(1))
            if message:
                yield number, message


def source_files(top):
    """C files of the tree, named from its top; build folders are left out."""
    for folder, folders, files in os.walk(top):
        rel = os.path.relpath(folder, top)
        folders[:] = sorted(f for f in folders if not f.startswith(".")
                            and not (rel == "." and f.startswith("build"))
                            and not os.path.exists(os.path.join(folder, f, "config.mk")))
        for f in sorted(files):
            if f.endswith((".c", ".h")):
                yield os.path.normpath(os.path.join(rel, f))


def main(argv):
    top = argv[1] if len(argv) > 1 else "."
    bad = 0
    for path in source_files(top):
        with open(os.path.join(top, path), encoding="utf-8") as f:
            for line, message in check_text(path, f.read()):
                print(f"{path}:{line}: {message}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
