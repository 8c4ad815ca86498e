#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random operations on qcow2 images of many kinds, compared with the same ones on a raw file.

usage: random-ops.py SEED...      with BUILD in the environment; in a folder of its own. OTHER=DIR also asks the tools there.
"""
import os
import random
import subprocess
import sys

BUILD = os.environ['BUILD'] + '/'
OTHER = os.environ.get('OTHER')
OPTIONS = ['', 'cluster_size=512', 'cluster_size=4k', 'cluster_size=2M', 'extended_l2=on', 'extended_l2=on,cluster_size=16k',
           'compat=v2', 'refcount_bits=1', 'refcount_bits=32', 'lazy_refcounts=on', 'data_file=d.raw',
           'data_file=d.raw,data_file_raw=on']


class Wrong(Exception):
    pass


def run(*args, folder=BUILD):
    p = subprocess.run([folder + args[0], *args[1:]], capture_output=True, text=True, timeout=120, check=False)
    if p.returncode:
        raise Wrong(f'{args}: {p.returncode} {p.stdout[-500:]} {p.stderr[-500:]}')


def verify(what):
    for folder in [BUILD] + ([OTHER + '/'] if OTHER else []):
        try:
            run('qemu-img', 'compare', '-f', 'qcow2', '-F', 'raw', 'q', 'r', folder=folder)
            run('qemu-img', 'check', 'q', folder=folder)
        except Wrong as e:
            raise Wrong(f'{what}: {e}') from None


def random_commands(rnd, size):
    out = []
    for _ in range(25):
        off = rnd.randrange(size)
        length = rnd.choice([rnd.randrange(1, 4096), rnd.randrange(1, 70000), rnd.randrange(1, 1000000)])
        if rnd.random() < 0.6:
            off &= ~511
            length = max(512, length & ~511)
        length = min(length, size - off)
        byte = rnd.randrange(256)
        out += rnd.choices([[f'write -P {byte} {off} {length}'], [f'write -z {off} {length}'], [f'write -z -u {off} {length}'],
                            ['flush'], [f'aio_write -P {byte} {off} {length}', 'aio_flush'], [f'read {off} {length}']],
                           [55, 10, 10, 5, 10, 10])[0]
    return [x for c in out for x in ('-c', c)]


class Case:
    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.options = self.rnd.choice(OPTIONS)
        self.size = self.rnd.choice([8, 16, 33]) * 1024 * 1024 + self.rnd.choice([0, 512, 12288])
        self.snapshots = []

    def make(self):
        backing = self.rnd.random() < 0.5 and 'raw=on' not in self.options
        if backing:
            run('qemu-img', 'create', '-q', '-f', 'raw', 'b', str(self.rnd.choice([self.size, self.size // 1024 * 512, self.size * 2])))
            run('qemu-io', '-f', 'raw', '-c', f'write -P 9 0 {self.size // 3}', '-c', f'write -P 10 {self.size // 3} 100k', 'b')
        run('qemu-img', 'create', '-q', '-f', 'qcow2', *(['-o', self.options] if self.options else []),
            *(['-b', 'b', '-F', 'raw'] if backing else []), 'q', str(self.size))
        run('qemu-img', 'convert', '-O', 'raw', 'q', 'r')

    def snapshot(self, step):
        k = self.rnd.random()
        if 'data_file' in self.options or 'refcount_bits=1' in self.options:
            return
        if k < 0.4:
            run('qemu-img', 'snapshot', '-c', f's{step}', 'q')
            self.snapshots.append(f's{step}')
            subprocess.run(['cp', 'r', f'r.s{step}'], check=True)
        elif k < 0.6 and self.snapshots:
            name = self.snapshots.pop(self.rnd.randrange(len(self.snapshots)))
            run('qemu-img', 'snapshot', '-d', name, 'q')
        elif k < 0.8 and self.snapshots:
            name = self.rnd.choice(self.snapshots)
            run('qemu-img', 'snapshot', '-a', name, 'q')
            subprocess.run(['cp', 'r.' + name, 'r'], check=True)
            self.size = os.path.getsize('r')

    def resize(self):
        if (self.snapshots and 'v2' in self.options) or self.rnd.random() > 0.4:
            return
        self.size = max(1024 * 1024, self.size + self.rnd.randrange(-3, 4) * 700 * 1024)
        run('qemu-img', 'resize', '-q', '--shrink', 'q', str(self.size))
        run('qemu-img', 'resize', '-q', '--shrink', '-f', 'raw', 'r', str(self.size))

    def run(self):
        self.make()
        for step in range(6):
            commands = random_commands(self.rnd, self.size)
            run('qemu-io', '-t', 'unsafe', '-f', 'qcow2', *commands, 'q')
            run('qemu-io', '-t', 'unsafe', '-f', 'raw', *commands, 'r')
            verify(f'step {step}')
            self.snapshot(step)
            verify(f'snapshot {step}')
            self.resize()
            verify(f'resize {step}')


for text in sys.argv[1:]:
    case = Case(int(text))
    try:
        case.run()
    except Wrong as error:
        print(f'seed {text} ({case.options}): {error}')
        sys.exit(1)
    for name in os.listdir('.'):
        os.unlink(name)
print('equal')
