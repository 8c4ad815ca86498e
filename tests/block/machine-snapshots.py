#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots of a machine: RAM, registers, a timer, disks come back; what cannot be saved, and states that make no sense, are refused.

usage: machine-snapshots.py      with BUILD_DIR and SOURCE_DIR in the environment, in a folder of its own
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ['SOURCE_DIR'], 'tests'))
from qtest_client import Qtest  # noqa: E402

BUILD = os.environ['BUILD_DIR'] + '/'
MIB = 1 << 20


def tool(*args):
    p = subprocess.run([BUILD + args[0], *args[1:]], capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode == 0, f'{args}: {p.returncode}\n{p.stdout}{p.stderr}'
    return p.stdout


def start(machine, *args, disks=2):
    here = os.getcwd() + '/'
    options = ['-M', machine, '-nodefaults', '-m', '16M', '-device', 'edu,id=e', '-device', 'e1000,id=n']
    for i in range(disks):
        if not os.path.exists(f'd{i}'):
            tool('qemu-img', 'create', '-q', '-f', 'qcow2', f'd{i}', '1M')
        options += ['-blockdev', f'qcow2,file.driver=file,file.filename={here}d{i},node-name=n{i}',
                    '-device', f'virtio-blk-pci,drive=n{i},id=v{i},share-rw=on']
    return Qtest(BUILD + 'qemu-system-x86_64', options + list(args), with_qmp=True)


def qmp(q, name, **args):
    reply = q.run_qmp({'execute': name, 'arguments': {k.replace('_', '-'): v for k, v in args.items()}})
    assert 'return' in reply, f'{name} {args}: {reply}'
    return reply['return']


def hmp(q, line, want=''):
    said = qmp(q, 'human-monitor-command', command_line=line)
    assert want in said and (want or not said), f'{line}: {said!r}'
    assert 'verification failed' not in q.errors(), f'{line}: {q.errors()}'     # what qemu-io says
    return said


def job(q, name, error=None, **args):
    qmp(q, name, job_id='j', **args)
    while (j := qmp(q, 'query-jobs')[0])['status'] != 'concluded':
        pass
    qmp(q, 'job-dismiss', id='j')
    assert j.get('error') == error, j


def registers(q):
    """Of the devices that a test may read without changing them."""
    out = []
    for bank in ('e.mmio', ):
        for at in (0x20, 0x24, 0x80, 0x88, 0x90, 0x98):
            out.append(q.command(f'bankread {bank.split(".")[0]} {bank.split(".")[1]} {at} 4'))
    for port in (0x21, 0xa1, 0x61):
        out.append(q.command(f'inb {port}'))
    for slot in range(8):
        for at in range(0, 0x60, 4):
            q.command(f'outl 0xcf8 {0x80000000 | slot << 11 | at}')
            out.append(q.command('inl 0xcfc'))
    q.command('outl 0xcf8 0x80000020')
    return out


def set_up(q):
    q.command('writeq 0x100000 0x1122334455667788')
    q.command('b64write 0x500000 4 AQIDBA==')
    q.command('outl 0xcf8 0x80001010')
    q.command('outl 0xcfc 0xfe000000')
    q.command('outl 0xcf8 0x80001004')
    q.command('outl 0xcfc 7')
    q.command('bankwrite e mmio 0x88 4 0x1234')
    q.command('outb 0x21 0x5a')
    q.command('outb 0x43 0x34')
    q.command('outb 0x40 0x00')
    q.command('outb 0x40 0x10')


def spoil(q):
    q.command('memset 0x100000 8 0xff')
    q.command('memset 0x500000 4 0')
    q.command('memset 0x600000 4096 7')
    q.command('bankwrite e mmio 0x88 4 0x9999')
    q.command('outb 0x21 0xff')
    q.command('outl 0xcf8 0x80001004')
    q.command('outl 0xcfc 0')
    q.command('clock_step 1000000000')


def check(q, before):
    assert q.command('readq 0x100000') == ['0x1122334455667788']
    assert q.command('read 0x500000 4') == ['0x01020304']
    assert q.command('read 0x600000 4') == ['0x00000000']
    assert registers(q) == before


def test_round_trip():
    for machine in ('pc', 'q35'):
        with start(machine) as q:
            hmp(q, 'info snapshots', 'There is no snapshot available')
            set_up(q)
            q.command('clock_step 5000')
            before = registers(q)
            hmp(q, 'qemu-io n0 "write -q -P 1 0 64k"')
            hmp(q, 'savevm one')
            hmp(q, 'qemu-io n0 "write -q -P 2 0 64k"')
            spoil(q)
            hmp(q, 'savevm two')
            hmp(q, 'loadvm one')
            check(q, before)
            assert qmp(q, 'query-status')['running']
            assert q.command('clock_step 0') == ['5000']
            hmp(q, 'qemu-io n0 "read -q -P 1 0 64k"')
            job(q, 'snapshot-load', tag='two', vmstate='n0', devices=['n0', 'n1'])
            assert q.command('readq 0x100000') == ['0xffffffffffffffff']
            hmp(q, 'qemu-io n0 "read -q -P 2 0 64k"')
            hmp(q, 'info snapshots', 'two')
            hmp(q, 'delvm two')
            job(q, 'snapshot-save', tag='three', vmstate='n1', devices=['n0', 'n1'])
            hmp(q, 'loadvm none', "Snapshot 'none' does not exist in one or more devices")
            job(q, 'snapshot-load', error="Snapshot 'none' does not exist in one or more devices", tag='none', vmstate='n0',
                devices=['n0'])
            job(q, 'snapshot-save', error="vmstate block device 'x' does not exist", tag='a', vmstate='x', devices=['n0'])
            job(q, 'snapshot-save', error="No block device node 'x'", tag='a', vmstate='n0', devices=['x'])
            job(q, 'snapshot-delete', tag='three', devices=['n0', 'n1'])
            qmp(q, 'quit')
            q.wait()
        listed = tool('qemu-img', 'snapshot', '-l', 'd0')
        assert 'one' in listed and 'two' not in listed and 'three' not in listed, listed
        with start(machine, '-loadvm', 'one') as q:
            while not qmp(q, 'query-status')['running']:
                pass
            check(q, before)
            assert q.command('clock_step 0') == ['5000']
            qmp(q, 'quit')
            q.wait()
        for i in range(2):
            tool('qemu-img', 'check', '-q', f'd{i}')
            os.unlink(f'd{i}')


class Virtio:
    """A modern device on the root bus: its first queue, requests one by one."""

    def __init__(self, q, slot, bar, ring):
        self.q, self.bar, self.ring, self.done = q, bar, ring, 0
        for at, value in ((0x20, bar), (0x24, 0), (4, 6)):
            q.command(f'outl 0xcf8 {0x80000000 | slot << 11 | at}')
            q.command(f'outl 0xcfc {value}')
        for at, size, value in ((0x14, 'b', 3), (8, 'l', 1), (0xc, 'l', 1), (8, 'l', 0), (0xc, 'l', 0), (0x14, 'b', 11),
                                (0x16, 'w', 0), (0x18, 'w', 16), (0x20, 'l', ring), (0x28, 'l', ring + 0x1000),
                                (0x30, 'l', ring + 0x2000), (0x1c, 'w', 1), (0x14, 'b', 15)):
            q.command(f'write{size} {bar + at} {value}')

    def ask(self, *words):
        """The request's 32-bit words; the first word of the answer."""
        q, ring = self.q, self.ring
        data = b''.join(w.to_bytes(4, 'little') for w in words)
        q.command(f'write {ring + 0x3000} {len(data)} 0x{data.hex()}')
        for at, addr, size, flags in ((0, 0x3000, len(data), 1), (16, 0x4000, 1024, 2)):
            q.command(f'writeq {ring + at} {ring + addr}')
            q.command(f'writel {ring + at + 8} {size}')
            q.command(f'writel {ring + at + 12} {flags | 1 << 16}')
        q.command(f'writew {ring + 0x1004 + 2 * (self.done % 16)} 0')
        self.done += 1
        q.command(f'writew {ring + 0x1002} {self.done}')
        q.command(f'writew {self.bar + 0x3000} 0')
        q.command('clock_step 1000')
        assert q.command(f'readw {ring + 0x2002}') == [f'0x{self.done:016x}']
        return int(q.command(f'readl {ring + 0x4000}')[0], 0)


def picture(q):
    qmp(q, 'screendump', filename=os.getcwd() + '/p', device='g')
    with open('p', 'rb') as f:
        return f.read()


def test_host_tables():
    """What devices keep in tables of the host: a GPU's resources, an IOMMU's mappings; a CD drive's byte limit."""
    with start('q35', '-device', 'virtio-gpu-pci,id=g,addr=8', '-device', 'virtio-iommu-pci,id=i,addr=9',
               '-device', 'ide-cd,bus=ide.0') as q:
        gpu, iommu = Virtio(q, 8, 0xe0000000, 0x10000), Virtio(q, 9, 0xe1000000, 0x20000)
        header = (0, 0, 0, 0, 0)
        for i in range(0, 64 * 64 * 4, 4096):
            q.command(f'memset {0x40000 + i} 4096 {0x11 * (1 + i // 4096)}')
        for command in ((0x101, *header, 1, 2, 64, 64), (0x106, *header, 1, 1, 0x40000, 0, 64 * 64 * 4, 0),
                        (0x105, *header, 0, 0, 64, 64, 0, 0, 1, 0), (0x103, *header, 0, 0, 64, 64, 0, 1)):
            assert gpu.ask(*command) == 0x1100, command
        attach, move = (1, 7, 2 << 3, 0, 0, 0), (3, 7, 0x1000, 0, 0x1fff, 0, 0x5000, 0, 3)
        assert iommu.ask(*attach) == 0 and iommu.ask(*move) == 0 and iommu.ask(*move) == 4
        shown = picture(q)
        hmp(q, 'savevm one')
        q.command('memset 0x40000 16384 0')
        assert gpu.ask(0x102, *header, 1, 0) == 0x1100 and picture(q) != shown
        assert iommu.ask(4, 7, 0x1000, 0, 0x1fff, 0, 0) == 0
        hmp(q, 'loadvm one')
        assert picture(q) == shown
        gpu.done, iommu.done = 4, 3
        # both are as they were: the resource is there, and so is the mapping
        assert gpu.ask(0x101, *header, 1, 2, 64, 64) == 0x1203
        assert iommu.ask(*move) == 4 and iommu.ask(4, 7, 0x1000, 0, 0x1fff, 0, 0) == 0 and iommu.ask(*move) == 0


def test_byte_limit():
    """A CD drive's byte limit is larger than any block of a disk."""
    with start('pc', '-device', 'ide-cd,bus=ide.0,unit=0') as q:
        for at, value in ((6, 0xa0), (4, 0xfe), (5, 0xff), (7, 0xa0)):
            q.command(f'outb {0x1f0 + at} {value}')
        for word in (0x12, 0, 36, 0, 0, 0):
            q.command(f'outw 0x1f0 {word}')
        hmp(q, 'savevm one')
        first = q.command('inw 0x1f0')
        hmp(q, 'loadvm one')
        assert q.command('inw 0x1f0') == first


def test_refused():
    """Another machine, another device, a disk that cannot, a device that cannot."""
    with start('pc') as q:
        hmp(q, 'savevm one')
        qmp(q, 'quit')
        q.wait()
    for machine, more, text in (('q35', (), 'the state is of machine'), ('pc', ('-device', 'edu'), 'the state has nothing of'),
                                ('pc', ('-m', '32M'), 'the machine has no memory')):
        with start(machine, *more) as q:
            hmp(q, 'loadvm one', text)
            assert not qmp(q, 'query-status')['running']
    with start('pc', '-fsdev', 'local,id=f,path=.,security_model=none', '-device', 'virtio-9p-pci,fsdev=f,mount_tag=t') as q:
        hmp(q, 'savevm two', 'virtio-9p-pci')
    with start('pc', '-device', 'qemu-xhci', '-device', 'usb-tablet') as q:
        hmp(q, 'savevm usb')
        hmp(q, 'loadvm usb')
    with open('raw', 'wb') as f:
        f.truncate(MIB)
    with start('pc', '-blockdev', f'file,filename={os.getcwd()}/raw,node-name=raw', '-device', 'virtio-blk-pci,drive=raw') as q:
        hmp(q, 'savevm two', 'is writable but does not support snapshots')
        hmp(q, 'info snapshots', 'partial (non-loadable)')
    with start('pc', disks=0) as q:
        hmp(q, 'savevm two', 'no block device can store vmstate for snapshot')


def test_hostile():
    """States with wrong bytes: an error or another state, and no crash."""
    import random
    r = random.Random(5)
    with start('pc', disks=1) as q:
        hmp(q, 'savevm one')
        qmp(q, 'quit')
        q.wait()
    with open('d0', 'rb') as f:
        image = f.read()
    at = image.index(b'EMUSTATE')
    for _ in range(12):
        bad = bytearray(image)
        for _ in range(r.choice((1, 3, 30))):
            bad[at + r.randrange(65536)] = r.randrange(256)
        with open('d0', 'wb') as f:
            f.write(bad)
        with start('pc', disks=1) as q:
            qmp(q, 'human-monitor-command', command_line='loadvm one')
            q.command('clock_step 1000000')
            qmp(q, 'quit')
            q.wait()
            assert q.process.returncode == 0, q.errors()


if __name__ == '__main__':
    for name, function in list(globals().items()):
        if name.startswith('test_') and (len(sys.argv) < 2 or name in sys.argv):
            function()
            for f in os.listdir('.'):
                os.unlink(f)
            print(name, flush=True)
