#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images that go from our tools to others and back: made, read and written by each side, and looked at by libvmdk, libvhdi and libqcow.

usage: exchange.py      with BUILD in the environment; in a folder of its own. The other side is OTHER, or /usr/bin, or we are it
                        ourselves where no such tools are
"""
import os
import random
import shutil
import subprocess
import sys

BUILD = os.environ['BUILD']
OTHER = os.environ.get('OTHER', '/usr/bin')
SIZE = 5 << 20
# format, subformat: None has none
KINDS = [('vmdk', 'monolithicSparse'), ('vmdk', 'monolithicFlat'), ('vmdk', 'twoGbMaxExtentSparse'), ('vmdk', 'twoGbMaxExtentFlat'),
         ('vmdk', 'streamOptimized'), ('vpc', 'dynamic'), ('vpc', 'fixed'), ('vhdx', 'dynamic'), ('vhdx', 'fixed'), ('vdi', None),
         ('parallels', None), ('qed', None), ('qcow', None), ('qcow2', None)]
READERS = {'vmdk': 'vmdkinfo', 'vpc': 'vhdiinfo', 'vhdx': 'vhdiinfo', 'qcow': 'qcowinfo', 'qcow2': 'qcowinfo'}


def tool(folder, name, *args, good=(0,)):
    p = subprocess.run([os.path.join(folder, name), *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if p.returncode not in good:
        sys.exit(f'{folder}/{name} {args}: exit status {p.returncode}\n{p.stdout}{p.stderr}')
    return p.stdout


def expect(folder, fmt, shadow, what):
    tool(folder, 'qemu-img', 'convert', '-f', fmt, '-O', 'raw', 'disk', 'back.raw')
    with open('back.raw', 'rb') as f:
        if f.read()[:SIZE] != shadow:
            sys.exit(f'{what}: another content in the eyes of {folder}')


def exchange(fmt, kind, maker, user):
    what = f'{fmt} {kind} by {maker} for {user}'
    options = ['-o', f'subformat={kind}'] if kind else []
    for name in os.listdir('.'):
        if name.startswith('disk'):
            os.unlink(name)
    with open('source.raw', 'rb') as f:
        shadow = bytearray(f.read())
    tool(maker, 'qemu-img', 'convert', '-f', 'raw', '-O', fmt, *options, 'source.raw', 'disk')
    expect(user, fmt, shadow, what)
    if kind != 'streamOptimized':       # these are written once
        tool(user, 'qemu-io', '-f', fmt, '-c', 'write -q -P 77 3M 1M', '-c', 'write -q -P 78 200192 3k', '-c', 'write -q -z 1M 64k', 'disk')
        shadow[3 << 20:4 << 20] = b'\x4d' * (1 << 20)
        shadow[200192:200192 + 3072] = b'\x4e' * 3072
        shadow[1 << 20:(1 << 20) + 65536] = bytes(65536)
        expect(maker, fmt, shadow, what)
    for side in (maker, user):
        tool(side, 'qemu-img', 'check', '-q', '-f', fmt, 'disk', good=(0, 63))
    if fmt in READERS and shutil.which(READERS[fmt]):
        tool('', READERS[fmt], 'disk')


def main():
    global OTHER
    if not os.access(OTHER + '/qemu-img', os.X_OK) or not os.access(OTHER + '/qemu-io', os.X_OK):
        OTHER = BUILD
    rnd = random.Random(4)
    data = bytearray(SIZE)
    for _ in range(25):
        n = rnd.choice([512, 4096, 65536, 200000])
        at = rnd.randrange(SIZE - n)
        data[at:at + n] = rnd.randbytes(n)
    with open('source.raw', 'wb') as f:
        f.write(data)
    for fmt, kind in KINDS:
        exchange(fmt, kind, BUILD, OTHER)
        exchange(fmt, kind, OTHER, BUILD)
    print('exchanged')


main()
