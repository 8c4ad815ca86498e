#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench-images.py BUILD : qemu-img of this build (A) against the reference's (B), alternating, as Markdown tables.

The reference is REFERENCE_IMG, or /usr/bin/qemu-img. ROUNDS (default 5), SIZE of the images that are copied in MiB (default
4096), ONLY=text picks workloads, FOLDERS is where images are, a table each (default: /dev/shm, where nothing waits for a disk, and
/var/tmp; about five times SIZE each, for folders made there).
Wall and CPU seconds, of each the least of the rounds with the median in parentheses, for others use the machine, too; memory is the
peak (this script's own at least). Ratios are B to A, so more than 1 is better than the reference: of the medians. Sides begin by turns.
"""
import glob
import os
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


def programs(path, mib):
    """What compresses like programs do: those of the host."""
    left = mib << 20
    with open(path, 'wb') as out:
        for name in sorted(glob.glob('/usr/bin/*') + glob.glob('/usr/lib/x86_64-linux-gnu/*.so*')):
            if left > 0 and os.path.isfile(name) and not os.path.islink(name) and os.access(name, os.R_OK):
                with open(name, 'rb') as f:
                    while left > 0 and (piece := f.read(min(left, 1 << 20))):
                        left -= out.write(piece)
        out.truncate((out.tell() + 511) // 512 * 512)


def prepare(img):
    fill('full.raw', SIZE, 1)
    fill('sparse.raw', SIZE, 32)
    fill('pack.raw', min(SIZE, 1024), 1)
    programs('programs.raw', min(SIZE, 512))
    for name in ('full', 'sparse'):
        run(img, 'convert', '-O', 'qcow2', name + '.raw', name + '.qcow2')
    run(img, 'create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', 'big.qcow2', '102G')
    run(img, 'resize', '-q', 'big.qcow2', '1T')
    run(img, 'create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', 'snap.qcow2', '64G')
    below = 'full.qcow2'
    for i in range(3):      # every fifth cluster is in this layer
        run(img, 'create', '-q', '-f', 'qcow2', '-b', below, '-F', 'qcow2', f'chain{i}.qcow2')
        below = f'chain{i}.qcow2'
        run(img, 'bench', '-q', '-w', '-f', 'qcow2', '-s', '65536', '-S', str(5 << 16), '-o', str((i + 1) << 16), '-d', '1',
            '-c', str((SIZE << 20) // (5 << 16)), '-t', 'unsafe', below)


# in bytes, odd in blocks of 4 KiB: positions spread evenly and do not repeat
STEP = (int((SIZE << 20) * 0.381966 / 4096) | 1) * 4096

WORK = {
    'convert raw to qcow2, full': ['convert', '-f', 'raw', '-O', 'qcow2', 'full.raw', 'out'],
    'convert qcow2 to raw, full': ['convert', '-f', 'qcow2', '-O', 'raw', 'full.qcow2', 'out'],
    'convert raw to qcow2, sparse': ['convert', '-f', 'raw', '-O', 'qcow2', 'sparse.raw', 'out'],
    'convert qcow2 to raw, sparse': ['convert', '-f', 'qcow2', '-O', 'raw', 'sparse.qcow2', 'out'],
    'convert -c of 1 GiB': ['convert', '-c', '-f', 'raw', '-O', 'qcow2', 'pack.raw', 'out'],
    'convert -c of programs': ['convert', '-c', '-f', 'raw', '-O', 'qcow2', 'programs.raw', 'out'],
    'compare raw and qcow2, full': ['compare', '-f', 'raw', '-F', 'qcow2', 'full.raw', 'full.qcow2'],
    'check of 1 TiB, 10 % allocated': ['check', '-q', '-f', 'qcow2', 'big.qcow2'],
    'random 4k reads, 3 backing files': ['bench', '-f', 'qcow2', '-c', '200000', '-d', '32', '-s', '4096', '-S', str(STEP), 'chain2.qcow2'],
    'snapshot -c, 64 GiB allocated': ['snapshot', '-c', 's', 'snap.qcow2'],
}


def once(img, args):
    """(wall s, CPU s, peak MiB)"""
    if os.path.exists('out'):
        os.unlink('out')
    os.sync()
    start = time.monotonic()
    p = subprocess.Popen([img, *args], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    took = time.monotonic() - start
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        raise subprocess.CalledProcessError(p.returncode, args)
    if args[0] == 'snapshot':
        run(img, 'snapshot', '-d', 's', 'snap.qcow2')
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def spread(times, what):
    values = [t[what] for t in times]
    return f'{min(values):.3f} ({statistics.median(values):.3f})'


def middle(times, what):
    return max(statistics.median(t[what] for t in times), 0.001)


def measure(tools):
    ours, ref = tools
    product, count = [1.0, 1.0], 0
    print('| work | this build: wall, CPU s, MiB | reference | wall ratio | CPU ratio |\n|---|---|---|---|---|', flush=True)
    for name, args in WORK.items():
        if ONLY not in name:
            continue
        times = {ours: [], ref: []}
        for i in range(ROUNDS):
            for tool in tools if i % 2 else reversed(tools):
                times[tool].append(once(tool, args))
        ratio = [middle(times[ref], i) / middle(times[ours], i) for i in (0, 1)]
        product = [p * r for p, r in zip(product, ratio)]
        count += 1
        cells = [f'{spread(times[t], 0)}, {spread(times[t], 1)}, {max(x[2] for x in times[t]):.0f}' for t in tools]
        print(f'| {name} | {cells[0]} | {cells[1]} | {ratio[0]:.2f} | {ratio[1]:.2f} |', flush=True)
    if count:
        mean = [p ** (1 / count) for p in product]
        print(f'| geometric mean | | | {mean[0]:.2f} | {mean[1]:.2f} |')


def main():
    tools = [os.path.join(os.path.abspath(sys.argv[1]), 'qemu-img'), os.environ.get('REFERENCE_IMG', '/usr/bin/qemu-img')]
    if not os.access(tools[1], os.X_OK):
        print(f'==> images: not measured: {tools[1]} is not there')
        return
    for folder in os.environ.get('FOLDERS', '/dev/shm /var/tmp').split():
        room = shutil.disk_usage(folder).free if os.path.isdir(folder) else 0
        print(f'\nImages of {SIZE} MiB in {folder}, {ROUNDS} rounds, load {os.getloadavg()[0]:.0f}:\n', flush=True)
        if room < (SIZE << 20) * 5:
            print(f'==> images: not measured in {folder}: {room >> 20} MiB are free, {SIZE * 5} wanted')
            continue
        home = tempfile.mkdtemp(dir=folder)
        try:
            os.chdir(home)
            prepare(tools[1])
            measure(tools)
        finally:
            os.chdir('/')
            shutil.rmtree(home)


main()
