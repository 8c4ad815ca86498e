#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images with wrong bytes in headers and tables: opened, checked, repaired, read and written. A tool must not crash, hang or take
memory out of proportion.

usage: fuzz-images.py COUNT SEED      with BUILD in the environment, in a folder of its own; FUZZ_KEEP names a file for the image
that failed
"""
import os
import random
import resource
import subprocess
import sys

BUILD = os.environ['BUILD'] + '/'
KINDS = ['cluster_size=64k', 'cluster_size=512', 'extended_l2=on', 'compat=v2', 'refcount_bits=1', 'data_file=d.raw', 'packed', 'snapshots',
         'bitmaps', 'backing']
INTERESTING = [0, 1, 0x7f, 0x80, 0xff]
SANITIZED = 'sanitize' in open(BUILD + 'config.mk', encoding='utf-8').read()


def limits():
    if not SANITIZED:               # its shadow memory needs far more addresses
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def run(*args, limited=False):
    return subprocess.run([BUILD + args[0], *args[1:]], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                          preexec_fn=limits if limited else None)


def seed(kind):
    options = kind if '=' in kind else 'cluster_size=4k'
    run('qemu-img', 'create', '-q', '-f', 'qcow2', 'b', '2M')
    run('qemu-io', '-c', 'write -P 3 0 2M', 'b')
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, *(['-b', 'b', '-F', 'qcow2'] if kind == 'backing' else []), 's', '2M')
    run('qemu-io', '-c', 'write -P 1 0 300k', '-c', 'write -z 512k 64k', '-c', 'write -P 2 1M 10k', 's')
    if kind == 'snapshots':
        run('qemu-img', 'snapshot', '-c', 'one', 's')
        run('qemu-io', '-c', 'write -P 5 0 100k', 's')
    if kind == 'bitmaps':
        run('qemu-img', 'bitmap', '--add', 's', 'one')
        run('qemu-io', '-c', 'write -P 5 0 100k', 's')
    if kind == 'packed':
        run('qemu-img', 'convert', '-c', '-O', 'qcow2', 's', 'p')
        os.rename('p', 's')
    with open('s', 'rb') as f:
        return f.read()


def mutate(rnd, data):
    out = bytearray(data)
    # where metadata are: the header, and clusters with few bytes that are not zero
    places = [0] + [i for i in range(0, len(out), 512) if 0 < sum(1 for x in out[i:i + 512] if x) < 300]
    for _ in range(rnd.choice([1, 1, 2, 5])):
        at = rnd.choice(places) if rnd.random() < 0.6 else 0
        at += rnd.randrange(120 if at == 0 else 512)
        for i in range(at, min(len(out), at + rnd.choice([1, 1, 4, 8]))):
            out[i] = rnd.choice(INTERESTING) if rnd.random() < 0.5 else rnd.randrange(256)
    if rnd.random() < 0.1:
        del out[rnd.randrange(len(out)):]
    return bytes(out)


def main():
    count, rnd = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    seeds = {}
    for n in range(count):
        kind = rnd.choice(KINDS)
        if kind not in seeds:
            seeds[kind] = seed(kind)
        data = mutate(rnd, seeds[kind])
        for command in (['qemu-img', 'info', 'x'], ['qemu-img', 'check', '-f', 'qcow2', 'x'],
                        ['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', 'x', 'out'],
                        ['qemu-io', '-f', 'qcow2', '-c', 'write -P 9 0 2M', '-c', 'discard 0 1M', '-c', 'flush', 'x'],
                        ['qemu-img', 'check', '-r', 'all', '-f', 'qcow2', 'x'],
                        ['qemu-img', 'snapshot', '-c', 'y', 'x'], ['qemu-img', 'resize', '-f', 'qcow2', 'x', '3M']):
            with open('x', 'wb') as f:
                f.write(data)
            try:
                p = run(*command, limited=True)
            except subprocess.TimeoutExpired:
                p = None
            if p is None or p.returncode < 0 or b'ERROR:' in p.stderr and b'assert' in p.stderr:
                if 'FUZZ_KEEP' in os.environ:
                    with open(os.environ['FUZZ_KEEP'], 'wb') as f:
                        f.write(data)
                print(f'case {n} ({kind}): {command}: {"hangs" if p is None else p.returncode}\n'
                      f'{p.stderr.decode(errors="replace")[-500:] if p else ""}')
                return 1
    print('no crash')
    return 0


sys.exit(main())
