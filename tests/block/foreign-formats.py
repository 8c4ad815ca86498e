#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of dmg, cloop and bochs, made here from what is known of the formats, read by qemu-img.

usage: foreign-formats.py       with BUILD in the environment; in a folder of its own
"""
import base64
import bz2
import os
import random
import struct
import subprocess
import sys
import zlib

BUILD = os.environ['BUILD'] + '/'
SECTOR = 512
CLOOP_MAGIC = b'#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n'
seen = []


def pattern(rnd, sectors):
    """Data that packs: words repeated, and some noise."""
    words = [bytes(rnd.choices(range(256), k=rnd.randint(3, 60))) for _ in range(20)]
    out = b''
    while len(out) < sectors * SECTOR:
        out += rnd.choice(words)
    return out[:sectors * SECTOR]


def adc(data):
    """Packs by ADC with all three forms of codes."""
    out, at, literal = b'', 0, b''

    def flush():
        nonlocal out, literal
        for i in range(0, len(literal), 128):
            part = literal[i:i + 128]
            out += bytes([0x7f + len(part)]) + part
        literal = b''

    while at < len(data):
        near = data.rfind(data[at:at + 4], max(0, at - 1024), at + 3) if at else -1
        far = data.rfind(data[at:at + 5], max(0, at - 65536), at + 4) if at else -1
        best = max(near, far)
        if best < 0 or best >= at:
            literal += data[at:at + 1]
            at += 1
            continue
        run = 0
        most = 18 if best == near else 67
        while run < most and at + run < len(data) and data[best + run] == data[at + run]:
            run += 1
        back = at - best - 1
        flush()
        if best == near and run >= 3 and back < 1024:
            out += bytes([(run - 3) << 2 | back >> 8, back & 255])
        else:
            out += bytes([0x40 | (run - 4), back >> 8, back & 255])
        at += run
    flush()
    return out


PACK = {0x80000004: adc, 0x80000005: zlib.compress, 0x80000006: bz2.compress, 1: lambda d: d}


def mish(first, chunks):
    head = b'mish' + struct.pack('>I', 1) + struct.pack('>QQQ', first, sum(c[2] for c in chunks), 0)
    body = b''.join(struct.pack('>IIQQQQ', kind, 0, start, n, at, size) for kind, start, n, at, size in chunks)
    body += struct.pack('>IIQQQQ', 0xffffffff, 0, 0, 0, 0, 0)
    return head.ljust(204, b'\0') + body


def dmg(rnd, fork, kinds):
    """A list of tables; returns the file's bytes and the disk's."""
    disk, data, tables, sector = b'', b'', [], 0
    for _ in range(3):
        chunks, start = [], 0
        for _ in range(4):
            kind = rnd.choice(kinds)
            n = rnd.randint(1, 120)
            plain = pattern(rnd, n) if kind in PACK else bytes(n * SECTOR)
            packed = PACK[kind](plain) if kind in PACK else b''
            chunks.append((kind, start, n, len(data), len(packed)))
            data += packed
            disk += plain
            start += n
        chunks.append((0x7ffffffe, 0, 0, 0, 0))
        tables.append(mish(sector, chunks))
        sector += start
    if fork:
        body = b''.join(struct.pack('>I', len(t)) + t for t in tables)
        table = struct.pack('>IIII', 256, 256 + len(body), len(body), 50).ljust(256, b'\0') + body + bytes(50)
    else:
        table = b'<plist><dict><key>blkx</key>' + b''.join(
            b'<data>\n' + base64.encodebytes(t) + b'</data>' for t in tables) + b'</dict></plist>'
    koly = bytearray(512)
    koly[:4] = b'koly'
    struct.pack_into('>Q', koly, 0x28 if fork else 0xd8, len(data))
    struct.pack_into('>Q', koly, 0x30 if fork else 0xe0, len(table))
    struct.pack_into('>Q', koly, 0x1ec, sector)
    return data + table + bytes(koly), disk


def cloop(rnd):
    block, blocks = 2048 * rnd.randint(1, 8), rnd.randint(1, 20)
    disk = pattern(rnd, block * blocks // SECTOR)
    packed = [zlib.compress(disk[i:i + block]) for i in range(0, len(disk), block)]
    at = 128 + 8 + 8 * (blocks + 1)
    table = b''
    for p in packed + [b'']:
        table += struct.pack('>Q', at)
        at += len(p)
    return CLOOP_MAGIC.ljust(128, b'\0') + struct.pack('>II', block, blocks) + table + b''.join(packed), disk


def bochs(rnd):
    """A catalog in random order, with holes in it and in the bitmaps."""
    extent, entries = 1 << rnd.randint(12, 16), rnd.randint(2, 9)
    bitmap = max(1, extent // SECTOR // 8)
    size = extent * entries - rnd.randint(0, 7) * SECTOR
    disk, catalog, body = b'', [0xffffffff] * entries, {}
    order = rnd.sample(range(entries), rnd.randint(1, entries))
    for place, i in enumerate(order):
        catalog[i] = place
    for i in range(entries):
        if catalog[i] == 0xffffffff:
            disk += bytes(extent)
            continue
        bits, plain = bytearray(-(-bitmap // SECTOR) * SECTOR), b''
        for s in range(extent // SECTOR):
            if rnd.random() < 0.6:
                bits[s // 8] |= 1 << s % 8
                plain += pattern(rnd, 1)
            else:
                plain += bytes(SECTOR)
        body[catalog[i]] = bytes(bits) + plain
        disk += plain
    head = b'Bochs Virtual HD Image'.ljust(32, b'\0') + b'Redolog'.ljust(16, b'\0') + b'Growing'.ljust(16, b'\0')
    head += struct.pack('<IIIIII', 0x20000, 512, entries, bitmap, extent, 0) + struct.pack('<Q', size)
    data = head.ljust(512, b'\0') + struct.pack(f'<{entries}I', *catalog)
    return data + b''.join(body[k] for k in sorted(body)), disk[:size]


def run(*args):
    return subprocess.run([BUILD + args[0], *args[1:]], capture_output=True, timeout=60, check=False)


def compare(kind, image, disk, what):
    with open('image', 'wb') as f:
        f.write(image)
    p = run('qemu-img', 'convert', '-f', kind, '-O', 'raw', 'image', 'out')
    if p.returncode:
        sys.exit(f'{what}: {p.stderr.decode()}')
    with open('out', 'rb') as f:
        got = f.read()
    if got != disk:
        at = next((i for i, (a, b) in enumerate(zip(got, disk)) if a != b), min(len(got), len(disk)))
        sys.exit(f'{what}: {len(got)} and {len(disk)} bytes, the first difference is at {at}')
    seen.append(kind)


def damage(rnd, kind, image, what):
    """Wrong bytes and lost ends: an error or other data, never a crash."""
    for _ in range(12):
        bad = bytearray(image)
        for _ in range(rnd.randint(1, 6)):
            bad[rnd.randrange(min(len(bad), 1024)) if rnd.random() < .5 else -1 - rnd.randrange(min(len(bad), 2048))] = \
                rnd.choice((0, 1, 0x7f, 0x80, 0xff, rnd.randrange(256)))
        if rnd.random() < .2:
            del bad[rnd.randrange(len(bad)):]
        with open('image', 'wb') as f:
            f.write(bad)
        p = run('qemu-img', 'info', '-f', kind, 'image')
        if p.returncode == 0:
            p = run('qemu-io', '-r', '-f', kind, '-c', 'read 0 64k', '-c', 'read 1k 512', 'image')
        if p.returncode not in (0, 1) or (p.returncode and not p.stderr.strip() and not p.stdout.strip()):
            with open('crash.' + kind, 'wb') as f:
                f.write(bad)
            sys.exit(f'{what}: {p.args}: exit status {p.returncode} {p.stderr.decode()[-400:]}')


def main():
    rnd = random.Random(int(os.environ.get('SEED', '5')))
    types = [0, 1, 2, 0x80000004, 0x80000005]
    with open(BUILD + 'config.mk', encoding='utf-8') as f:
        if any('bzip2' in line.split() for line in f if line.startswith('FEATURES')):
            types.append(0x80000006)
    for i in range(int(os.environ.get('ROUNDS', '6'))):
        for fork in (False, True):
            image, disk = dmg(rnd, fork, types)
            compare('dmg', image, disk, f'dmg {i} {"fork" if fork else "plist"}')
            damage(rnd, 'dmg', image, f'damaged dmg {i}')
        for kind, make in (('cloop', cloop), ('bochs', bochs)):
            image, disk = make(rnd)
            compare(kind, image, disk, f'{kind} {i}')
            damage(rnd, kind, image, f'damaged {kind} {i}')
    print(' '.join(sorted(set(seen))))


main()
