#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps of a machine's memory, ELF and kdump-zlib, read back by a reader of their formats and by gdb.

usage: dump.py            with BUILD_DIR and SOURCE_DIR in the environment, in a folder of its own
       dump.py --read F   prints what a kdump file (flattened or not) has
"""
import os
import shutil
import struct
import subprocess
import sys
import zlib

PAGE = 4096
RAM = 16 << 20


def unflatten(data):
    if not data.startswith(b'makedumpfile\0'):
        return data
    assert struct.unpack_from('>qq', data, 16) == (1, 1), data[:32]
    out, at = bytearray(), 4096
    while True:
        offset, size = struct.unpack_from('>qq', data, at)
        at += 16
        if offset == -1:
            assert size == -1 and at == len(data), (size, at, len(data))
            return bytes(out)
        out.extend(bytes(max(0, offset + size - len(out))))
        out[offset:offset + size] = data[at:at + size]
        at += size


def read_kdump(name):
    """Header fields, notes, and page frame -> bytes."""
    with open(name, 'rb') as f:
        d = unflatten(f.read())
    assert d[:8] == b'KDUMP   ', d[:8]
    version, = struct.unpack_from('<i', d, 8)
    status, block, sub, bitmaps, mapnr, _, _, _, _, cpus = struct.unpack_from('<10I', d, 424)
    note_at, note_size = struct.unpack_from('<QQ', d, PAGE + 48)
    frames, = struct.unpack_from('<Q', d, PAGE + 96)
    assert (version, status, block) == (6, 1, PAGE) and mapnr == frames, (version, status, block, mapnr, frames)
    maps = d[(1 + sub) * PAGE:(1 + sub + bitmaps) * PAGE]
    assert maps[:len(maps) // 2] == maps[len(maps) // 2:]
    at, pages = (1 + sub + bitmaps) * PAGE, {}
    for frame in range(frames):
        if maps[frame // 8] >> frame % 8 & 1:
            offset, size, flags, _ = struct.unpack_from('<QIIQ', d, at)
            at += 24
            page = d[offset:offset + size]
            pages[frame] = zlib.decompress(page) if flags & 1 else page
            assert len(pages[frame]) == PAGE, (frame, offset, size, flags)
    machine = d[12 + 4 * 65:12 + 5 * 65].split(b'\0')[0].decode()
    return {'cpus': cpus, 'machine': machine, 'notes': d[note_at:note_at + note_size], 'pages': pages}


def read_elf(name):
    """Notes, and (address, bytes) of each piece."""
    with open(name, 'rb') as f:
        d = f.read()
    assert d[:7] == b'\x7fELF\x02\x01\x01' and struct.unpack_from('<H', d, 16)[0] == 4
    at, = struct.unpack_from('<Q', d, 32)
    size, count = struct.unpack_from('<HH', d, 54)
    notes, pieces = b'', []
    for i in range(count):
        kind, _, offset, _, addr, length = struct.unpack_from('<IIQQQQ', d, at + i * size)
        assert offset + length <= len(d)
        if kind == 4:
            notes = d[offset:offset + length]
        else:
            pieces.append((addr, d[offset:offset + length]))
    return notes, pieces


def names_of(notes):
    at, out = 0, []
    while at < len(notes):
        name, desc, kind = struct.unpack_from('<III', notes, at)
        out.append((notes[at + 12:at + 11 + name].decode(), kind))
        at += 12 + (name + 3 & ~3) + (desc + 3 & ~3)
    return out


def main():
    sys.path.insert(0, os.path.join(os.environ['SOURCE_DIR'], 'tests'))
    from qtest_client import Qtest
    binary = os.environ['BUILD_DIR'] + '/qemu-system-x86_64'
    here = os.getcwd()
    n = 0

    def ok(what):
        nonlocal n
        n += 1
        print(f'ok {n} - {what}', flush=True)

    with Qtest(binary, ['-M', 'q35', '-m', '16M', '-smp', '2', '-nodefaults'], with_qmp=True) as q:
        def run(name, **args):
            return q.run_qmp({'execute': name, 'arguments': args})

        def dump(name, **args):
            reply = run('dump-guest-memory', paging=False, protocol=f'file:{here}/{name}', **args)
            assert reply == {'return': {}}, reply
            done = q.wait_event('DUMP_COMPLETED')['data']
            assert done['result']['status'] == 'completed' and done['result']['completed'] == done['result']['total'], done
            assert run('query-dump')['return'] == done['result']

        assert run('query-dump')['return']['status'] == 'none'
        assert run('query-dump-guest-memory-capability')['return'] == {'formats': ['elf', 'kdump-zlib']}
        q.command('memset 0x200000 0x3000 0xa5')
        q.command('writeq 0x100008 0x1122334455667788')
        dump('core')
        notes, pieces = read_elf('core')
        assert names_of(notes) == [('CORE', 1)] * 2 + [('QEMU', 0)] * 2, names_of(notes)
        memory = b''.join(data for addr, data in pieces if addr == 0x100000)
        assert len(memory) == RAM - 0x100000 and memory[8:16].hex() == '8877665544332211'
        assert memory[0x100000:0x103000] == b'\xa5' * 0x3000 and memory[0x103000:0x104000] == bytes(0x1000)
        ok('an ELF core has memory and registers')
        if shutil.which('gdb'):
            p = subprocess.run(['gdb', '-nx', '-batch', '-ex', 'set architecture i386', '-ex', 'core core', '-ex', 'info threads',
                                '-ex', 'x/1gx 0x100008'], capture_output=True, text=True, timeout=60, check=False)
            assert '0x1122334455667788' in p.stdout and '* 1' in p.stdout, p.stdout + p.stderr
            ok('gdb reads it')
        else:
            ok('gdb reads it # SKIP no gdb (Debian package gdb)')
        dump('part', begin=0x200000, length=0x2000)
        assert read_elf('part')[1] == [(0x200000, b'\xa5' * 0x2000)]
        ok('a part of memory')
        dump('detached', detach=True)
        assert read_elf('detached')[1] == pieces
        ok('in the background')
        dump('kdump', format='kdump-zlib')
        k = read_kdump('kdump')
        assert k['cpus'] == 2 and k['machine'] == 'x86_64' and k['notes'] == notes
        for addr, data in pieces:
            for at in range(0, len(data), PAGE):
                assert k['pages'].pop((addr + at) // PAGE) == data[at:at + PAGE], hex(addr + at)
        assert not k['pages'] and os.path.getsize('kdump') < os.path.getsize('core') // 8
        ok('the format of makedumpfile has the same')
        for text, args in (("Invalid parameter 'protocol'", {'protocol': 'foo:x'}),
                           ("File descriptor named 'x' has not been found", {'protocol': 'fd:x'}),
                           ("Could not open '/nonexist/x'", {'protocol': 'file:/nonexist/x'}),
                           ("Parameter 'length' is missing", {'begin': 0}), ("Parameter 'begin' is missing", {'length': 1}),
                           ('dump: no guest memory to dump', {'begin': 1 << 40, 'length': 4096}),
                           ("doesn't support paging or filter", {'begin': 0, 'length': 4096, 'format': 'kdump-zlib'})):
            reply = run('dump-guest-memory', **{'paging': False, 'protocol': f'file:{here}/no', **args})
            assert text in reply['error']['desc'], reply
        assert run('query-status')['return']['running']
        ok('what is refused')
        said = run('human-monitor-command', **{'command-line': f'dump-guest-memory -z {here}/hmp'})['return']
        assert not said and read_kdump('hmp')['notes'] == notes, said
        assert 'completed' in run('human-monitor-command', **{'command-line': 'info dump'})['return']
        ok('from the human monitor')
    print(f'1..{n}')


if __name__ == '__main__':
    if len(sys.argv) > 2:
        found = read_kdump(sys.argv[2])
        print(found['cpus'], found['machine'], names_of(found['notes']), len(found['pages']), 'pages')
    else:
        main()
