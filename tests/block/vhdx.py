#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hyper-V disks with a log to be replayed, and differencing ones: made here after MS-VHDX, used by qemu-img and qemu-io.

usage: vhdx.py          with BUILD in the environment; in a folder of its own. OTHER=FOLDER: logs are also replayed by the tools there,
                        whose result must be the same
"""
import os
import random
import struct
import subprocess
import sys

BUILD = os.environ['BUILD'] + '/'
MIB = 1 << 20
SECTOR = 512
PAGE = 4096
HEADERS = (64 << 10, 128 << 10)
REGIONS = (192 << 10, 256 << 10)
TABLE_ID = bytes.fromhex('6677c22d23f600429d64115e9bfd4a08')
METADATA_ID = bytes.fromhex('06a27c8b90479a4bb8fe575f05 0f886e'.replace(' ', ''))
PARAMETERS_ID = bytes.fromhex('3767a1ca36fa434db3b633f0aa44e76b')
PARENT_ID = bytes.fromhex('2d5fd3a80bb34d45abf7d3d84834ab0c')
LOCATOR_TYPE = bytes.fromhex('b7ef04b09ed1814ab789 25b8e9445913'.replace(' ', ''))
LOG_GUID = bytes(range(1, 17))


def crc_table():
    out = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        out.append(i)
    return out


CRC_TABLE = crc_table()


def crc32c(data):
    c = 0xffffffff
    for b in data:
        c = c >> 8 ^ CRC_TABLE[(c ^ b) & 255]
    return c ^ 0xffffffff


def seal(image, at, size):
    """Sets the checksum of a structure."""
    image[at + 4:at + 8] = bytes(4)
    struct.pack_into('<I', image, at + 4, crc32c(image[at:at + size]))


def region(image, which):
    """Place of a region, by its id."""
    count = struct.unpack_from('<I', image, REGIONS[0] + 8)[0]
    for i in range(count):
        e = REGIONS[0] + 16 + i * 32
        if image[e:e + 16] == which:
            return struct.unpack_from('<Q', image, e + 16)[0]
    raise ValueError('no such region')


def log_place(image):
    return struct.unpack_from('<Q', image, HEADERS[0] + 72)[0], struct.unpack_from('<I', image, HEADERS[0] + 68)[0]


def log_entry(sequence, tail, changes, flushed, last):
    """changes: (offset, 4096 bytes), or (offset, number of zero bytes)."""
    described = b''
    sectors = b''
    for at, what in changes:
        if isinstance(what, int):
            described += b'zero' + struct.pack('<IQQQ', 0, what, at, sequence)
        else:
            described += b'desc' + what[-4:] + what[:8] + struct.pack('<QQ', at, sequence)
            sectors += b'data' + struct.pack('<I', sequence >> 32) + what[8:-4] + struct.pack('<I', sequence & 0xffffffff)
    head = bytearray(b'loge' + bytes(60) + described)
    head += bytes(-len(head) % PAGE)
    struct.pack_into('<IIQII16sQQ', head, 8, len(head) + len(sectors), tail, sequence, len(changes), 0, LOG_GUID, flushed, last)
    out = head + sectors
    seal(out, 0, len(out))
    return out


def put_log(image, at, entries):
    """Entries one after the other from `at` of the ring, and the headers that name the log."""
    place, size = log_place(image)
    for e in entries:
        for i in range(0, len(e), PAGE):
            image[place + at:place + at + PAGE] = e[i:i + PAGE]
            at = (at + PAGE) % size
    for h in HEADERS:
        image[h + 48:h + 64] = LOG_GUID
        seal(image, h, PAGE)


def tool(name, *args, code=0, folder=BUILD):
    p = subprocess.run([os.path.join(folder, name), *args], capture_output=True, text=True, timeout=60, check=False)
    if p.returncode != code:
        sys.exit(f'{name} {args}: exit status {p.returncode}\n{p.stdout}{p.stderr}')
    return p.stdout + p.stderr


def load(name):
    with open(name, 'rb') as f:
        return bytearray(f.read())


def store(name, image):
    with open(name, 'wb') as f:
        f.write(image)


def content(name, folder=BUILD):
    tool('qemu-img', 'convert', '-f', 'vhdx', '-O', 'raw', name, 'out.raw', folder=folder)
    return load('out.raw')


def create(name, size):
    tool('qemu-img', 'create', '-q', '-f', 'vhdx', '-o', 'block_size=1M,log_size=1M', name, size)


# ---- the log ----

def with_log(start, cut=0):
    """A disk of 4 blocks with block 0 written, whose log adds block 2 and empties a page of block 0; its content when the last `cut`
    entries are not sound."""
    create('l.vhdx', '4M')
    tool('qemu-io', '-f', 'vhdx', '-c', 'write -q -P 17 0 1M', 'l.vhdx')
    image = load('l.vhdx')
    table, size = region(image, TABLE_ID), log_place(image)[1]
    block0 = struct.unpack_from('<Q', image, table)[0] & ~(MIB - 1)
    new = len(image)
    image += b'\x22' * MIB
    page = image[table:table + PAGE]
    struct.pack_into('<Q', page, 16, new | 6)
    entries = [log_entry(7, start, [(table, bytes(page))], len(image), len(image)),
               log_entry(8, start, [(block0 + PAGE, PAGE), (block0 + 2 * PAGE, b'\x33' * PAGE)], len(image), len(image))]
    for e in entries[len(entries) - cut:]:
        e[70] ^= 1
    # an older sequence that was carried out long ago
    old = log_entry(3, (start + 10 * PAGE) % size, [(block0, b'\x44' * PAGE)], len(image), len(image))
    put_log(image, (start + 10 * PAGE) % size, [old])
    put_log(image, start, entries)
    store('l.vhdx', image)
    disk = bytearray(b'\x11' * MIB + bytes(MIB) + b'\x22' * MIB + bytes(MIB))
    if cut == 0:
        disk[PAGE:3 * PAGE] = bytes(PAGE) + b'\x33' * PAGE
    return disk


def test_log():
    for start, cut in ((0, 0), (9 * PAGE, 0), (MIB - PAGE, 0), (MIB - 3 * PAGE, 0), (0, 1), (MIB - PAGE, 1)):
        disk = with_log(start, cut)
        store('copy.vhdx', load('l.vhdx'))
        out = tool('qemu-img', 'info', '-f', 'vhdx', 'l.vhdx', code=1)
        assert 'contains a log that needs to be replayed' in out, out
        out = tool('qemu-img', 'check', '-r', 'all', '-f', 'vhdx', 'l.vhdx')
        assert 'Double checking' in out or 'fixed' in out or 'repaired' in out, out
        assert content('l.vhdx') == disk, (start, cut)
        # writers replay it by themselves
        store('l.vhdx', load('copy.vhdx'))
        tool('qemu-io', '-f', 'vhdx', '-c', 'write -q -P 9 3M 64k', 'l.vhdx')
        disk[3 * MIB:3 * MIB + 65536] = b'\x09' * 65536
        assert content('l.vhdx') == disk, (start, cut)
        if 'OTHER' in os.environ and cut == 0 and start < MIB // 2:   # 7.2 makes something else of rings that wrap
            tool('qemu-io', '-f', 'vhdx', '-c', 'write -q -P 9 3M 64k', 'copy.vhdx', folder=os.environ['OTHER'])
            assert content('copy.vhdx', os.environ['OTHER']) == disk, (start, 'other')
    print('replayed')


def test_bad_logs():
    """Entries that lie about places and lengths: refused, and nothing outside of the file is touched."""
    for change, name in ((lambda e: struct.pack_into('<I', e, 8, 0), 'length 0'), (lambda e: struct.pack_into('<I', e, 12, 3 * MIB), 'tail'),
                         (lambda e: struct.pack_into('<I', e, 24, 0xffffffff), 'descriptors'),
                         (lambda e: struct.pack_into('<Q', e, 64 + 16, 1), 'offset'), (lambda e: struct.pack_into('<Q', e, 64 + 24, 99), 'sequence'),
                         (lambda e: e.__setitem__(slice(PAGE, PAGE + 4), b'dada'), 'sector')):
        with_log(0)
        image = load('l.vhdx')
        place = log_place(image)[0]
        entry = image[place:place + 2 * PAGE]
        change(entry)
        seal(entry, 0, len(entry))
        image[place:place + MIB] = entry + bytes(MIB - len(entry))
        store('l.vhdx', image)
        out = tool('qemu-io', '-f', 'vhdx', '-c', 'write -q 0 512', 'l.vhdx', code=1)
        assert 'has no valid sequence of entries' in out, (name, out)
    print('refused')


# ---- differencing disks ----

def locator(pairs):
    head = LOCATOR_TYPE + struct.pack('<HH', 0, len(pairs))
    table, texts, at = b'', b'', len(head) + 12 * len(pairs)
    for key, value in pairs:
        k, v = key.encode('utf-16le'), value.encode('utf-16le')
        table += struct.pack('<IIHH', at + len(texts), at + len(texts) + len(k), len(k), len(v))
        texts += k + v
    return head + table + texts


def make_child(name, parent, size, rnd, shadow):
    """A child of which block 0 is absent, 1 present and 2 has sectors of its own; shadow gets its content."""
    create(name, size)
    image = load(name)
    meta, table = region(image, METADATA_ID), region(image, TABLE_ID)
    count = struct.unpack_from('<H', image, meta + 10)[0]
    for i in range(count):
        e = meta + 32 + i * 32
        if image[e:e + 16] == PARAMETERS_ID:
            at = struct.unpack_from('<I', image, e + 16)[0]
            struct.pack_into('<I', image, meta + at + 4, 2)
    text = locator([('parent_linkage', '{00000000-0000-0000-0000-000000000000}'), ('relative_path', '.\\' + parent)])
    item = meta + 32 + count * 32
    place = 512 << 10
    struct.pack_into('<H', image, meta + 10, count + 1)
    image[item:item + 32] = PARENT_ID + struct.pack('<IIII', place, len(text), 4, 0)
    image[meta + place:meta + place + len(text)] = text
    data1 = len(image)
    data2, bitmap = data1 + MIB, data1 + 2 * MIB
    image += b'\x61' * MIB + b'\xee' * MIB + bytes(MIB)
    shadow[MIB:2 * MIB] = b'\x61' * MIB
    for s in range(MIB // SECTOR):
        if rnd.random() < 0.3:
            bit = 2 * (MIB // SECTOR) + s
            image[bitmap + bit // 8] |= 1 << bit % 8
            image[data2 + s * SECTOR:data2 + (s + 1) * SECTOR] = b'\x62' * SECTOR
            shadow[2 * MIB + s * SECTOR:2 * MIB + (s + 1) * SECTOR] = b'\x62' * SECTOR
    ratio = (1 << 23) * SECTOR // MIB
    struct.pack_into('<QQQQ', image, table, 0, data1 | 6, data2 | 7, 0)
    struct.pack_into('<Q', image, table + ratio * 8, bitmap | 6)
    store(name, image)


def test_differencing():
    rnd = random.Random(5)
    create('parent.vhdx', '4M')
    tool('qemu-io', '-f', 'vhdx', '-c', 'write -q -P 80 0 3500k', 'parent.vhdx')
    shadow = bytearray(b'\x50' * (3500 << 10) + bytes(596 << 10))
    make_child('child.vhdx', 'parent.vhdx', '4M', rnd, shadow)
    assert content('child.vhdx') == shadow
    before = load('parent.vhdx')
    for _ in range(12):
        commands = []
        for _ in range(rnd.randrange(1, 4)):
            at, length, byte = rnd.randrange(8000), rnd.choice([1, 1, 5, 100]), rnd.randrange(1, 250)
            at, zero = at * SECTOR, rnd.random() < 0.2
            length = min(length * SECTOR, len(shadow) - at)
            shadow[at:at + length] = bytes([0 if zero else byte]) * length
            commands += ['-c', f'write -q {"-z" if zero else f"-P {byte}"} {at} {length}']
        tool('qemu-io', '-f', 'vhdx', *commands, 'child.vhdx')
        assert content('child.vhdx') == shadow
    tool('qemu-img', 'check', '-f', 'vhdx', 'child.vhdx')
    assert load('parent.vhdx') == before
    # blocks that do not fit into the file
    image = load('child.vhdx')
    struct.pack_into('<Q', image, region(image, TABLE_ID) + 16, (len(image) - 0) | 7)
    store('child.vhdx', image)
    tool('qemu-io', '-f', 'vhdx', '-c', 'write -q 2M 512', 'child.vhdx', code=1)
    print('differencing')


def main():
    test_log()
    test_bad_logs()
    test_differencing()


if __name__ == '__main__':
    main()
