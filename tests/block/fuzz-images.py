#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images with wrong bytes in headers and tables: opened, checked, repaired, read and written. A tool must not crash, hang or take
memory out of proportion.

usage: fuzz-images.py COUNT SEED [KIND...]     with BUILD in the environment, in a folder of its own; FUZZ_KEEP names a file for the image
that failed
"""
import os
import random
import resource
import subprocess
import sys

import vhdx

BUILD = os.environ['BUILD'] + '/'
QCOW2 = ['cluster_size=64k', 'cluster_size=512', 'extended_l2=on', 'compat=v2', 'refcount_bits=1', 'data_file=d.raw', 'packed', 'snapshots',
         'bitmaps', 'backing']
OTHERS = ['vdi', 'vdi:static=on', 'vhdx:block_size=1M', 'vhdx-log', 'vhdx-child', 'vmdk', 'vmdk:subformat=streamOptimized', 'vmdk:subformat=twoGbMaxExtentSparse',
          'vmdk:subformat=monolithicFlat', 'vpc', 'vpc:subformat=fixed', 'parallels', 'qed', 'qcow', 'qcow:encryption=off', 'luks', 'qcow2-luks']
SECRET = 'secret,id=k,data=fuzz'
INTERESTING = [0, 1, 0x7f, 0x80, 0xff]
SANITIZED = 'sanitize' in open(BUILD + 'config.mk', encoding='utf-8').read()


def limits():
    if not SANITIZED:               # its shadow memory needs far more addresses
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def run(*args, limited=False):
    return subprocess.run([BUILD + args[0], *args[1:]], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                          preexec_fn=limits if limited else None)


def format_of(kind):
    return 'qcow2' if kind in QCOW2 or kind == 'qcow2-luks' else kind.split(':')[0].split('-')[0]


def names_of(kind):
    """How the tools are told of the image x, and whether it is by --image-opts."""
    if kind == 'luks':
        return ['--object', SECRET, '--image-opts', 'driver=luks,key-secret=k,file.filename=x']
    if kind == 'qcow2-luks':
        return ['--object', SECRET, '--image-opts', 'driver=qcow2,encrypt.key-secret=k,file.filename=x']
    return ['-f', format_of(kind), 'x']


def seed_other(kind):
    if kind == 'vhdx-log':
        vhdx.with_log(0)
        return vhdx.load('l.vhdx')
    if kind == 'vhdx-child':
        vhdx.create('parent.vhdx', '4M')
        vhdx.make_child('s', 'parent.vhdx', '4M', random.Random(1), bytearray(4 << 20))
        return vhdx.load('s')
    options = kind.split(':')[1] if ':' in kind else None
    if 'luks' in kind:
        options = ('' if kind == 'luks' else 'encrypt.format=luks,encrypt.') + 'key-secret=k,' + ('' if kind == 'luks' else 'encrypt.') + 'iter-time=1'
    if options == 'encryption=off':
        options = None
    run('qemu-img', 'create', '-q', '--object', SECRET, '-f', format_of(kind), *(['-o', options] if options else []), 'x', '2M')
    writes = ['-c', 'write -P 1 0 300k', '-c', 'write -z 512k 64k', '-c', 'write -P 2 1M 10k']
    if kind.endswith('streamOptimized'):
        run('qemu-img', 'create', '-q', '-f', 'raw', 'r', '2M')
        run('qemu-io', '-f', 'raw', *writes, 'r')
        run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', options, 'r', 'x')
    else:
        run('qemu-io', *writes, *names_of(kind))
    with open('x', 'rb') as f:
        return f.read()


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


def metadata(data):
    """Where metadata are: the header, and sectors with few bytes that are not zero."""
    return [0] + [i for i in range(0, len(data), 512) if 211 < data.count(0, i, i + 512) < 512]


def reseal(rnd, data):
    """Checksums that fit again, or what is behind them is never looked at."""
    for at, size, magic in ((64 << 10, 4096, b'head'), (128 << 10, 4096, b'head'), (192 << 10, 65536, b'regi'), (256 << 10, 65536, b'regi'),
                            (1 << 20, 8192, b'loge')):
        if data[at:at + 4] == magic and (size < 65536 or rnd.random() < 0.2):
            vhdx.seal(data, at, size)


def mutate(rnd, data, places):
    out = bytearray(data)
    for _ in range(rnd.choice([1, 1, 2, 5])):
        at = rnd.choice(places) if rnd.random() < 0.6 else 0
        at += rnd.randrange(120 if at == 0 else 512)
        for i in range(at, min(len(out), at + rnd.choice([1, 1, 4, 8]))):
            out[i] = rnd.choice(INTERESTING) if rnd.random() < 0.5 else rnd.randrange(256)
    if out[:8] == b'vhdxfile' and rnd.random() < 0.8:
        reseal(rnd, out)
    if rnd.random() < 0.1:
        del out[rnd.randrange(len(out)):]
    return bytes(out)


def commands(kind):
    names = names_of(kind)
    out = [['qemu-img', 'info', *names], ['qemu-img', 'check', *names], ['qemu-img', 'convert', '-O', 'raw', *names, 'out'],
           ['qemu-io', '-c', 'write -P 9 0 2M', '-c', 'discard 0 1M', '-c', 'write -z 64k 1M', '-c', 'flush', *names],
           ['qemu-img', 'check', '-r', 'all', *names], ['qemu-img', 'resize', *names, '3M']]
    if names[0] == '-f':
        out[0] = ['qemu-img', 'info', 'x']
    if format_of(kind) == 'qcow2':
        out += [['qemu-img', 'snapshot', '-c', 'y', 'x']]
    return out


def main():
    count, rnd = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    kinds = sys.argv[3:] or QCOW2 + OTHERS
    seeds = {}
    for n in range(count):
        kind = rnd.choice(kinds)
        if kind not in seeds:
            data = (seed if kind in QCOW2 else seed_other)(kind)
            seeds[kind] = data, metadata(data)
        data = mutate(rnd, *seeds[kind])
        for command in commands(kind):
            with open('x', 'wb') as f:
                f.write(data)
            try:
                p = run(*command, limited=True)
            except subprocess.TimeoutExpired:
                p = None
            if p is None or p.returncode < 0 or b'ERROR:' in p.stderr and b'assert' in p.stderr or b'Sanitizer' in p.stderr or b'runtime error' in p.stderr:
                if 'FUZZ_KEEP' in os.environ:
                    with open(os.environ['FUZZ_KEEP'], 'wb') as f:
                        f.write(data)
                print(f'case {n} ({kind}): {command}: {"hangs" if p is None else p.returncode}\n'
                      f'{p.stderr.decode(errors="replace")[-3000:] if p else ""}')
                return 1
    print('no crash')
    return 0


sys.exit(main())
