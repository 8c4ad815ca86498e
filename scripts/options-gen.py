#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Generates the options table from qapi/options.def.

    options-gen.py FILE.def OUT.c      writes the C table
    options-gen.py --doc FILE.def [HELP]       prints the page of documentation
    options-gen.py --man NAME FILE.def [HELP]  prints the manual page of program NAME
HELP is what the program prints for -help: options that are not in it are left out.

A row: NAME[,ALIAS] :: ARGUMENT or - :: PHASE or => REWRITE :: help
Lines that begin with white space go on with the help; "= Heading" starts a section.
In a rewrite, % is the argument with its commas escaped.
"""
import re
import sys


def c_string(s):
    return 'NULL' if s is None else '"' + s.replace('\\', '\\\\').replace('"', '\\"').replace(
        '\n', '\\n') + '"'


def parse(path):
    rows, heading = [], None
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip()
            if not line or line.startswith('#'):
                continue
            if line.startswith('= '):
                heading = line[2:]
            elif line[0].isspace():
                rows[-1]['help'] += '\n' + line.strip()
            else:
                parts = [p.strip() for p in line.split(' :: ')]
                if len(parts) != 4:
                    sys.exit(f'{path}:{number}: a row has four fields')
                names = parts[0].split(',')
                row = {'name': names[0], 'alias': names[1] if len(names) > 1 else None,
                       'args': None if parts[1] == '-' else parts[1], 'heading': heading,
                       'rewrite': None, 'phase': 'PROCESS', 'help': parts[3], 'line': number}
                if parts[2].startswith('=> '):
                    row['rewrite'] = parts[2][3:]
                else:
                    row['phase'] = parts[2].upper()
                heading = None
                rows.append(row)
    check(path, rows)
    return rows


def check(path, rows):
    names = [n for r in rows for n in (r['name'], r['alias']) if n]
    for r in rows:
        if names.count(r['name']) > 1:
            sys.exit(f"{path}:{r['line']}: option {r['name']} is there twice")
        if r['rewrite'] and r['rewrite'].split()[0] not in names:
            sys.exit(f"{path}:{r['line']}: {r['name']} is rewritten to an unknown option")
        if r['rewrite'] and r['args'] and '%' not in r['rewrite']:
            sys.exit(f"{path}:{r['line']}: the rewrite of {r['name']} loses its argument")


def shown(rows, help_path):
    """The rows that the program knows, each with the heading of its section."""
    heading, kept, text = None, [], None
    if help_path:
        with open(help_path, encoding='utf-8') as f:
            text = f.read()
    for r in rows:
        heading = r['heading'] or heading
        if text is None or re.search(rf"(?m)^(-\w+ or )?-{re.escape(r['name'])}( |$)", text):
            kept.append(dict(r, heading=heading))
    return kept


def doc(rows):
    """The page of documentation, in Markdown."""
    heading, out = None, ['# Options']
    for r in rows:
        if r['heading'] != heading:
            heading = r['heading']
            out += ['', f'## {heading}', '']
        out.append(f"- `-{r['name']}{' ' + r['args'] if r['args'] else ''}`: "
                   + r['help'].replace('\n', ' ')
                   + (f" (short for `-{r['rewrite']}`)" if r['rewrite'] else ''))
    return '\n'.join(out)


def roff(text):
    """Text that roff prints as it is."""
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + text if text[:1] in ("'", '.') else text


MAN_HEAD = r""".TH %(upper)s 1 "" "version 7.2.0" "User Commands"
.SH NAME
%(name)s \- machine emulator and virtualizer for %(arch)s guests
.SH SYNOPSIS
.B %(name)s
.RI [ options ]
.RI [ disk_image ]
.SH DESCRIPTION
Runs a whole machine with a CPU of architecture %(arch)s: its firmware, disks, network and consoles.
.I disk_image
is a raw image of hard disk 0. Options may be written with one dash or two.
Many take a list of
.IR name = value
pairs by commas; a comma inside of a value is written twice. Where an option takes the word
.BR help ,
that prints what it accepts.
.SH OPTIONS
"""
MAN_TAIL = r""".SH KEYS
With
.B \-nographic
or a multiplexed terminal
.RB ( "\-serial mon:stdio" ):
.TP
.B Ctrl\-A h
help
.TP
.B Ctrl\-A x
end the emulator
.TP
.B Ctrl\-A c
switch between console and monitor
.TP
.B Ctrl\-A b
send a break
.TP
.B Ctrl\-A Ctrl\-A
send Ctrl\-A
.SH EXAMPLES
.nf
%(name)s \-machine help
%(name)s \-m 1G \-nographic \-drive file=disk.raw,format=raw
.fi
.SH EXIT STATUS
0 when the guest or the user has ended the machine, 1 when it could not be started; the reason is
one line on standard error.
.SH FILES
Firmware is looked for in the folders given with
.BR \-L ,
in
.I ../share/qemu
beside the program's folder, and where the distribution's packages put it.
"""


def man(name, rows):
    """The manual page, in roff."""
    names = {'name': roff(name), 'upper': roff(name.upper()),
             'arch': roff(name.replace('qemu-system-', ''))}
    heading, out = None, [MAN_HEAD % names]
    for r in rows:
        if r['heading'] != heading:
            heading = r['heading']
            out.append(f'.SS {roff(heading)}\n')
        both = f"\\-{roff(r['name'])}" + (f", \\-{roff(r['alias'])}" if r['alias'] else '')
        out.append(f'.TP\n.B {both}' + (f" {roff(r['args'])}" if r['args'] else '') + '\n')
        out.append('\n.br\n'.join(roff(line) for line in r['help'].split('\n')) + '\n')
        if r['rewrite']:
            out.append(f".br\nShort for \\-{roff(r['rewrite'])}\n")
    return ''.join(out) + MAN_TAIL % names


def main(argv):
    if len(argv) in (2, 3) and argv[0] == '--doc':
        print(doc(shown(parse(argv[1]), argv[2] if len(argv) > 2 else None)))
        return
    if len(argv) in (3, 4) and argv[0] == '--man':
        print(man(argv[1], shown(parse(argv[2]), argv[3] if len(argv) > 3 else None)), end='')
        return
    if len(argv) != 2:
        sys.exit(__doc__)
    with open(argv[1], 'w', encoding='utf-8') as out:
        out.write('// SPDX-License-Identifier: GPL-2.0-or-later\n'
                  '/* Generated by scripts/options-gen.py from qapi/options.def. Do not edit. */\n'
                  '#include "qapi/startup.h"\n\nconst OptionDef option_defs[] = {\n')
        for r in parse(argv[0]):
            out.write('    { ' + ', '.join(c_string(r[k]) for k in (
                'name', 'alias', 'args', 'help', 'heading', 'rewrite'))
                + f", START_{r['phase']} }},\n")
        out.write('    { NULL },\n};\n')


if __name__ == '__main__':
    main(sys.argv[1:])
