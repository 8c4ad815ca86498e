#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes bytes of images and looks at them with qemu-io and qemu-img: an error is fine, a crash, much memory or no end is not.

usage: fuzz-images.py --build FOLDER [--count N] [--seed N] [FORMAT...]
"""
import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile

FORMATS = {
    'qcow2': ('qcow2', []), 'qcow2-small': ('qcow2', ['-o', 'cluster_size=512']), 'vhdx': ('vhdx', []), 'vpc': ('vpc', []),
    'vmdk': ('vmdk', []), 'vmdk-stream': ('vmdk', ['-o', 'subformat=streamOptimized']), 'vdi': ('vdi', []), 'qed': ('qed', []),
    'qcow': ('qcow', []), 'parallels': ('parallels', []),
}
SIZE = 16 << 20
MEMORY = 2 << 30
TIMEOUT = 60
# what fields like to be: limits, signs, alignments
ODD = [0, 1, 2, 0x7f, 0x80, 0xff, 0x1ff, 0x200, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 40, (1 << 63) - 1, 1 << 63,
       (1 << 64) - 1]


def limit(build):
    with open(f'{build}/config.mk', encoding='utf-8') as f:
        if 'sanitize' not in f.read():      # shadow memory takes far more addresses
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def make_seed(build, fmt, options, path):
    subprocess.run([f'{build}/qemu-img', 'create', '-q', '-f', fmt, *options, path, str(SIZE)], check=True)
    flag = '-c' if 'subformat=streamOptimized' in options else ''
    args = []
    for at in (0, 1 << 20, 9 << 20, SIZE - 65536):
        args += ['-c', f'write -q {flag} -P {at % 251 + 1} {at} 64k']
    subprocess.run([f'{build}/qemu-io', '-f', fmt, path, *args], check=True)
    with open(path, 'rb') as f:
        return f.read()


def metadata(seed):
    """Offsets of sectors that have something in them and are not one byte again and again."""
    found = []
    for at in range(0, len(seed), 512):
        sector = seed[at:at + 512]
        if len(set(sector)) > 1 or (at < 4096 and any(sector)):
            found.append(at)
    return found or [0]


def mutate(rand, seed, places):
    data = bytearray(seed)
    for _ in range(rand.randrange(1, 4)):
        width = rand.choice((1, 2, 4, 8))
        at = min(rand.choice(places[:4] if rand.random() < 0.5 else places) + rand.randrange(512), len(data) - width)
        at -= at % width
        value = rand.choice(ODD) if rand.random() < 0.7 else rand.getrandbits(64)
        data[at:at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, rand.choice(('little', 'big')))
    if rand.random() < 0.15:
        del data[rand.randrange(len(data)):]
    return bytes(data)


def look(build, fmt, path, write):
    commands = ['-c', 'read -q 0 1M', '-c', f'read -q {SIZE - 131072} 128k', '-c', 'alloc 0 16M']
    if write:
        commands += ['-c', 'write -q 5000 70000', '-c', 'write -q 10M 64k', '-c', 'flush']
    jobs = [[f'{build}/qemu-io', *([] if write else ['-r']), '-f', fmt, path, *commands],
            [f'{build}/qemu-img', 'check', '-q', '-f', fmt, path], [f'{build}/qemu-img', 'info', '-f', fmt, path]]
    for job in jobs:
        try:
            p = subprocess.run(job, capture_output=True, timeout=TIMEOUT, check=False, preexec_fn=lambda: limit(build))
        except subprocess.TimeoutExpired:
            return f'{job[0]}: no end after {TIMEOUT} s'
        if p.returncode < 0 or p.returncode > 100 or b'Sanitizer' in p.stderr:
            return f'{" ".join(job)}: exit status {p.returncode}\n{p.stderr.decode(errors="replace")[-2000:]}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', required=True)
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument('formats', nargs='*')
    args = parser.parse_args()
    for name in args.formats or FORMATS:
        fmt, options = FORMATS[name]
        rand = random.Random(f'{args.seed} {name}')
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'image')
            seed = make_seed(args.build, fmt, options, path)
            places = metadata(seed)
            for i in range(args.count):
                with open(path, 'wb') as f:
                    f.write(mutate(rand, seed, places))
                wrong = look(args.build, fmt, path, i % 2)
                if wrong:
                    print(f'{name}, seed {args.seed}, round {i}: {wrong}')
                    return 1
        print(f'{name}: {args.count} images, seed {args.seed}', flush=True)
    return 0


sys.exit(main())
