#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench-images.py BUILD : qemu-img of this build (A) against the reference's (B), alternating, as a Markdown table.

The reference is REFERENCE_IMG, or /usr/bin/qemu-img. ROUNDS (default 5), SIZE of the images that are copied in MiB (default
4096), ONLY=text picks workloads, FOLDER is where images are (a private folder in /var/tmp; about four times SIZE).
Wall times, the best of the rounds (others use the machine, too) with the median behind it, and the CPU time of the best round in
that respect; ratios are B to A, so more than 1 is faster than the reference.
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = int(os.environ.get('ROUNDS', '5'))
SIZE = int(os.environ.get('SIZE', '4096'))
ONLY = os.environ.get('ONLY', '')


def run(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL)


def fill(path, mib, share):
    """A raw image: a run of data (half of it compressible) at every 1/share."""
    block = os.urandom(512 << 10) + bytes(range(256)) * 2048
    with open(path, 'wb') as f:
        f.truncate(mib << 20)
        for i in range(0, mib, share):
            f.seek(i << 20)
            f.write(block[:-8] + i.to_bytes(8, 'little'))


def prepare(img):
    fill('full.raw', SIZE, 1)
    fill('sparse.raw', SIZE, 32)
    fill('pack.raw', min(SIZE, 1024), 1)
    for name in ('full', 'sparse'):
        run(img, 'convert', '-O', 'qcow2', name + '.raw', name + '.qcow2')
    run(img, 'create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', 'big.qcow2', '102G')
    run(img, 'resize', '-q', 'big.qcow2', '1T')
    run(img, 'create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', 'snap.qcow2', '64G')
    below = 'sparse.qcow2'
    for i in range(3):
        run(img, 'create', '-q', '-f', 'qcow2', '-b', below, '-F', 'qcow2', f'chain{i}.qcow2')
        below = f'chain{i}.qcow2'


WORK = {
    'convert raw to qcow2, full': ['convert', '-f', 'raw', '-O', 'qcow2', 'full.raw', 'out'],
    'convert qcow2 to raw, full': ['convert', '-f', 'qcow2', '-O', 'raw', 'full.qcow2', 'out'],
    'convert raw to qcow2, sparse': ['convert', '-f', 'raw', '-O', 'qcow2', 'sparse.raw', 'out'],
    'convert qcow2 to raw, sparse': ['convert', '-f', 'qcow2', '-O', 'raw', 'sparse.qcow2', 'out'],
    'convert -c of 1 GiB': ['convert', '-c', '-f', 'raw', '-O', 'qcow2', 'pack.raw', 'out'],
    'compare raw and qcow2, full': ['compare', '-f', 'raw', '-F', 'qcow2', 'full.raw', 'full.qcow2'],
    'check of 1 TiB, 10 % allocated': ['check', '-q', '-f', 'qcow2', 'big.qcow2'],
    'random 4k reads, 3 backing files': ['bench', '-f', 'qcow2', '-c', '200000', '-d', '32', '-s', '4096', '-S', '75501568', 'chain2.qcow2'],
    'snapshot -c, 64 GiB allocated': ['snapshot', '-c', 's', 'snap.qcow2'],
}


def once(img, args):
    if os.path.exists('out'):
        os.unlink('out')
    os.sync()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    run(img, *args)
    took = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if args[0] == 'snapshot':
        run(img, 'snapshot', '-d', 's', 'snap.qcow2')
    return took, cpu


def cell(times):
    wall = [t[0] for t in times]
    return f'{min(wall):.3f} ({statistics.median(wall):.3f}), {min(t[1] for t in times):.3f}'


def best(times, what):
    return max(min(t[what] for t in times), 0.001)


def main():
    ours = os.path.join(os.path.abspath(sys.argv[1]), 'qemu-img')
    ref = os.environ.get('REFERENCE_IMG', '/usr/bin/qemu-img')
    if not os.access(ref, os.X_OK):
        print(f'==> images: not measured: {ref} is not there')
        return
    home = tempfile.mkdtemp(dir=os.environ.get('FOLDER', '/var/tmp'))
    try:
        os.chdir(home)
        prepare(ref)
        product, count = [1.0, 1.0], 0
        print('| work | this build, wall and CPU s | reference | wall ratio | CPU ratio |\n|---|---|---|---|---|', flush=True)
        for name, args in WORK.items():
            if ONLY not in name:
                continue
            times = {ours: [], ref: []}
            for _ in range(ROUNDS):
                for tool in (ours, ref):
                    times[tool].append(once(tool, args))
            ratio = [best(times[ref], i) / best(times[ours], i) for i in (0, 1)]
            product = [p * r for p, r in zip(product, ratio)]
            count += 1
            print(f'| {name} | {cell(times[ours])} | {cell(times[ref])} | {ratio[0]:.2f} | {ratio[1]:.2f} |', flush=True)
        if count:
            mean = [p ** (1 / count) for p in product]
            print(f'| geometric mean | | | {mean[0]:.2f} | {mean[1]:.2f} |')
    finally:
        shutil.rmtree(home)


main()
