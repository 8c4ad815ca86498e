#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what lets sources call a library that is loaded when first used.

usage: lazy-library.py NAME COMPILER FLAGS OUT SOURCE...

FLAGS is how a program would be linked with it. Each function of the library that a source names gets a
macro in OUT.h, which calls by a table in OUT.c (util/lazy-library.h).
"""
import os
import re
import subprocess
import sys
import tempfile


def output(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def find(compiler, flags):
    """(soname, exported functions) of the library that these flags link first."""
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, 't.so')
        output(*compiler, '-shared', '-o', out, '-x', 'c', '/dev/null', '-Wl,--no-as-needed', *flags)
        soname = re.search(r'\(NEEDED\).*\[(.*)\]', output('readelf', '-d', out)).group(1)
    folders = [f[2:] for f in flags if f.startswith('-L')]
    paths = [os.path.join(f, soname) for f in folders] + \
        [output(*compiler, f'-print-file-name={soname}').strip()]
    path = next(p for p in paths if os.path.exists(p))
    names = re.findall(r' [TWi] ([A-Za-z_]\w*)', output('nm', '-D', '--defined-only', path))
    return soname, set(names)


def used(names, sources):
    words = set()
    for path in sources:
        with open(path, encoding='utf-8') as f:
            words.update(re.findall(r'[A-Za-z_]\w*', f.read()))
    return sorted(names & words)


def header(name, functions):
    guard = f'LAZY_{name.upper()}_H'
    rows = ''.join(f'#undef {f}\n#define {f} (*(__typeof__({f}) *)lazy_{name}_functions[{i}])\n'
                   for i, f in enumerate(functions))
    return (f'/* Written by scripts/lazy-library.py. */\n#ifndef {guard}\n#define {guard}\n'
            f'#include "util/lazy-library.h"\n\nextern void *lazy_{name}_functions[];\n'
            f'extern const LazyLibrary lazy_{name};\n\n{rows}\n#endif\n')


def source(name, soname, functions):
    rows = ''.join(f'    "{f}",\n' for f in functions)
    return (f'/* Written by scripts/lazy-library.py. */\n#include "lazy/{name}.h"\n\n'
            f'void *lazy_{name}_functions[{len(functions)}];\n'
            f'static const char *const names[] = {{\n{rows}    NULL,\n}};\n'
            f'const LazyLibrary lazy_{name} = {{ "{soname}", names, lazy_{name}_functions }};\n')


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    name, compiler, flags, out = sys.argv[1:5]
    try:
        soname, names = find(compiler.split(), flags.split())
    except (subprocess.CalledProcessError, StopIteration, AttributeError) as e:
        sys.exit(f'{sys.argv[0]}: cannot find the library {name} by "{flags}": {getattr(e, "stderr", e)}')
    functions = used(names, sys.argv[5:])
    if not functions:
        sys.exit(f'{sys.argv[0]}: no source uses the library {name}')
    for suffix, text in (('.h', header(name, functions)), ('.c', source(name, soname, functions))):
        with open(out + suffix, 'w', encoding='utf-8') as f:
            f.write(text)


main()
