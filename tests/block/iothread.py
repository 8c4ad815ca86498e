#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks whose queues are served in I/O threads: a guest that writes and reads without pause, and checks what it reads, while
QMP takes snapshots, mirrors, backs up, streams, commits, resizes, moves nodes between threads, unplugs.

usage: iothread.py      with BUILD_DIR and SOURCE_DIR in the environment, in a folder of its own
"""
import base64
import json
import os
import random
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ['SOURCE_DIR'], 'tests'))
from qtest_client import Qtest  # noqa: E402

BUILD = os.environ['BUILD_DIR'] + '/'
MIB = 1 << 20
BLOCK = 4096
BAR = 0xe0000000
DEPTH = 16


class Qmp:
    """Requests and events of a Qtest's monitor."""

    def __init__(self, qtest):
        self.line = qtest.qmp
        self.events = []

    def request(self, name, **args):
        args = {k.replace('_', '-'): v for k, v in args.items()}
        self.line.send(json.dumps({'execute': name, 'arguments': args}))
        while True:
            reply = json.loads(self.line.receive())
            if 'event' not in reply:
                return reply
            self.events.append(reply)

    def __call__(self, name, **args):
        reply = self.request(name, **args)
        assert 'return' in reply, f'{name} {args}: {reply}'
        return reply['return']

    def seen(self, event, **data):
        return any(e['event'] == event and all(e['data'].get(k) == v for k, v in data.items()) for e in self.events)


class Disk:
    """The driver of a virtio-blk function, or of a virtio-scsi one with a disk at 0:0, polled. What was written is known here."""

    def __init__(self, qtest, slot, blocks, scsi=False, seed=1):
        self.q = qtest
        self.scsi = scsi
        self.queue = 2 if scsi else 0
        self.bar = BAR + slot * 0x10000
        self.ram = 0x100000 + slot * 0x200000
        self.random = random.Random(seed)
        self.blocks = blocks
        self.data = {}              # block number -> byte
        self.free = list(range(DEPTH))
        self.busy = {}              # slot -> (write?, block, byte)
        self.avail = self.used = 0
        self.done = 0
        out = qtest.command
        for reg, value in ((0x20, self.bar), (0x24, 0), (4, 6)):
            out(f'outl 0xcf8 {0x80000000 | slot << 11 | reg}')
            out(f'outl 0xcfc {value}')
        for status in (0, 3):
            out(f'writeb {self.bar + 0x14} {status}')
        for i, features in ((1, 1), (0, 0)):
            out(f'writel {self.bar + 8} {i}')
            out(f'writel {self.bar + 12} {features}')
        out(f'writeb {self.bar + 0x14} 11')
        out(f'writew {self.bar + 0x16} {self.queue}')
        out(f'writew {self.bar + 0x18} 64')
        for i, at in enumerate((0, 0x1000, 0x2000)):
            out(f'writel {self.bar + 0x20 + 8 * i} {self.ram + at}')
            out(f'writel {self.bar + 0x24 + 8 * i} 0')
        out(f'writew {self.bar + 0x1c} 1')
        out(f'writeb {self.bar + 0x14} 15')
        if scsi:
            self.attention()

    def ended(self):
        return struct.unpack('<H', self.get(self.ram + 0x2002, 2))[0]

    def attention(self):
        """A disk's first command after it was plugged ends with a unit attention."""
        self.submit(False, 0, 0)
        while self.ended() == self.used & 0xffff:
            pass
        self.forget()

    def forget(self):
        self.free, self.busy, self.used = list(range(DEPTH)), {}, self.ended()

    def put(self, at, data):
        self.q.command(f'b64write {at} {len(data)} {base64.b64encode(data).decode()}')

    def get(self, at, size):
        return base64.b64decode(self.q.command(f'b64read {at} {size}')[0])

    def address(self, slot):
        return self.ram + 0x10000 + slot * 0x2000

    def submit(self, write, block, byte):
        slot = self.free.pop()
        at = self.address(slot)
        self.busy[slot] = (write, block, byte)
        if self.scsi:
            cdb = struct.pack('>BBIBHB', 0x2a if write else 0x28, 0, block * 8, 0, 8, 0)
            header = b'\1\0\0\0\0\0\0\0' + struct.pack('<Q', slot) + bytes(3) + cdb
            self.put(at, header.ljust(51, b'\0'))
            head, tail = 51, 108
        else:
            self.put(at, struct.pack('<IIQ', 1 if write else 0, 0, block * 8))
            head, tail = 16, 1
        if write:
            self.q.command(f'memset {at + 0x1000} {BLOCK} {byte}')
        self.q.command(f'memset {at + 0x800} {tail} 0xff')
        n = slot * 3
        flag = 1 if write else 3
        chain = [(at, head, 1), (at + 0x1000, BLOCK, flag), (at + 0x800, tail, 2)]
        if self.scsi and not write:
            chain = [chain[0], (at + 0x800, tail, 3), (at + 0x1000, BLOCK, 2)]
        descs = b''.join(struct.pack('<QIHH', a, length, flags, n + i + 1) for i, (a, length, flags) in enumerate(chain))
        self.put(self.ram + n * 16, descs)
        self.put(self.ram + 0x1000 + 4 + 2 * (self.avail % 64), struct.pack('<H', n))
        self.avail += 1
        self.put(self.ram + 0x1002, struct.pack('<H', self.avail & 0xffff))
        self.q.command(f'writew {self.bar + 0x3000 + 4 * self.queue} {self.queue}')

    def reap(self):
        """Takes what has ended; checks what was read."""
        now = self.ended()
        while self.used & 0xffff != now:
            slot = struct.unpack('<I', self.get(self.ram + 0x2004 + 8 * (self.used % 64), 4))[0] // 3
            write, block, byte = self.busy.pop(slot)
            status = self.get(self.address(slot) + 0x800, 12 if self.scsi else 1)
            assert not any(status[10:12] if self.scsi else status), f'{"write" if write else "read"} of block {block}: {status}'
            if not write:
                got = self.get(self.address(slot) + 0x1000, BLOCK)
                assert got == bytes([byte]) * BLOCK, f'block {block} has {got[0]} not {byte}'
            self.free.append(slot)
            self.used += 1
            self.done += 1

    def work(self, count):
        """So many more requests."""
        end = self.done + count
        while self.done < end:
            while self.free:
                block = self.random.randrange(self.blocks)
                if any(b == block for _, b, _ in self.busy.values()):
                    continue
                write = self.random.random() < 0.5
                if write:
                    self.data[block] = self.random.randrange(1, 256)
                self.submit(write, block, self.data.get(block, 0))
            self.reap()

    def settle(self):
        while self.busy:
            self.reap()

    def expected(self):
        self.settle()
        return b''.join(bytes([self.data.get(b, 0)]) * BLOCK for b in range(self.blocks))


def tool(*args):
    p = subprocess.run([BUILD + args[0], *args[1:]], capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode == 0, f'{args}: {p.returncode}\n{p.stdout}{p.stderr}'
    return p.stdout


def contents(name, fmt):
    tool('qemu-img', 'convert', '-U', '-f', fmt, '-O', 'raw', name, 'contents.raw')
    with open('contents.raw', 'rb') as f:
        return f.read()


def start(*args, size=4 * MIB, fmt='qcow2', aio='threads', count=1, device='virtio-blk-pci', make=True):
    here = os.getcwd() + '/'
    options = ['-M', 'pc', '-nodefaults', '-m', '64M']
    for i in range(count):
        if make:
            tool('qemu-img', 'create', '-q', '-f', fmt, f'd{i}', str(size))
        options += ['-object', f'iothread,id=io{i}', '-blockdev', f'file,filename={here}d{i},node-name=f{i},aio={aio}',
                    '-blockdev', f'{fmt},file=f{i},node-name=n{i},discard=unmap']
        if device == 'virtio-blk-pci':
            options += ['-device', f'virtio-blk-pci,drive=n{i},id=v{i},addr={4 + i},iothread=io{i}']
        else:
            options += ['-device', f'virtio-scsi-pci,id=s{i},addr={4 + i},iothread=io{i}',
                        '-device', f'scsi-hd,bus=s{i}.0,drive=n{i},id=v{i},share-rw=on']
    return Qtest(BUILD + 'qemu-system-x86_64', options + list(args), with_qmp=True)


def read_by(q, thread):
    """Bytes that a thread has read by its own system calls, and its processor time."""
    with open(f'/proc/{q.process.pid}/task/{thread}/io', encoding='ascii') as f:
        return int(f.readline().split()[1])


def end_job(qmp, disks, job):
    """Waits, working, until a job has gone."""
    while not qmp.seen('JOB_STATUS_CHANGE', id=job, status='null'):
        for d in disks:
            d.work(4)
        if qmp.seen('JOB_STATUS_CHANGE', id=job, status='ready') and job not in qmp.said:
            qmp.said.add(job)
            qmp('job-complete', id=job)
        qmp('query-jobs')
    ended = [e['data'] for e in qmp.events if e['event'] == 'BLOCK_JOB_COMPLETED']
    assert ended and not any('error' in e for e in ended), ended
    qmp.events.clear()
    qmp.said = set()


def test_threads():
    """Each disk is read by its own thread, and by no other."""
    with start(count=2, fmt='raw') as q:
        qmp = Qmp(q)
        threads = {t['id']: t['thread-id'] for t in qmp('query-iothreads')}
        disks = [Disk(q, 4 + i, 1024, seed=i) for i in range(2)]
        before = {i: read_by(q, t) for i, t in threads.items()}
        main = read_by(q, q.process.pid)
        disks[0].work(300)
        disks[0].settle()
        after = {i: read_by(q, t) for i, t in threads.items()}
        assert after['io0'] - before['io0'] > 100 * BLOCK, (before, after)
        assert after['io1'] - before['io1'] < 50 * BLOCK, (before, after)
        assert read_by(q, q.process.pid) - main < 100 * BLOCK, 'the main thread reads'
        disks[1].work(300)
        assert read_by(q, threads['io1']) - after['io1'] > 100 * BLOCK
        for value in (0, 1000000, 32768):
            qmp('qom-set', path='/objects/io0', property='poll-max-ns', value=value)
            disks[0].work(100)
        assert qmp('query-iothreads')[0]['poll-max-ns'] == 32768
        assert 'error' in qmp.request('object-del', id='io0')
        for d in disks:
            d.expected()


def load_and_jobs(device, fmt, aio):
    here = os.getcwd() + '/'
    with start(count=2, device=device, fmt=fmt, aio=aio) as q:
        qmp = Qmp(q)
        qmp.said = set()
        disks = [Disk(q, 4 + i, 1024, scsi=device != 'virtio-blk-pci', seed=i) for i in range(2)]
        for d in disks:
            d.work(100)
        qmp('blockdev-snapshot-sync', node_name='n0', snapshot_file=here + 'over', format='qcow2', snapshot_node_name='over')
        for d in disks:
            d.work(100)
        qmp('block-stream', job_id='s', device='over')
        end_job(qmp, disks, 's')
        qmp('drive-mirror', job_id='m', device='n1', target=here + 'mirror', format='qcow2', sync='full')
        end_job(qmp, disks, 'm')
        qmp('blockdev-snapshot-sync', node_name='over', snapshot_file=here + 'top', format='qcow2', snapshot_node_name='top')
        disks[0].work(100)
        qmp('block-commit', job_id='c', device='top')
        end_job(qmp, disks, 'c')
        state = disks[0].expected()
        qmp('drive-backup', job_id='b', device='over', target=here + 'backup', format='qcow2', sync='full')
        end_job(qmp, disks, 'b')
        assert contents('backup', 'qcow2') == state, 'the backup is not the disk of when it began'
        qmp('block_resize', node_name='over', size=6 * MIB)
        disks[0].blocks = 1536
        for d in disks:
            d.work(100)
            d.settle()
        qmp('stop')
        qmp('cont')
        for d in disks:
            d.work(50)
        want = [d.expected() for d in disks]
        qmp('quit')
        q.wait()
        assert not q.errors(), q.errors()
    assert contents('over', 'qcow2') == want[0]
    assert contents('mirror', 'qcow2') == want[1]


def test_blk():
    load_and_jobs('virtio-blk-pci', 'qcow2', 'threads')


def test_scsi_uring():
    load_and_jobs('virtio-scsi-pci', 'raw', 'io_uring')


def test_nodes():
    """Jobs and exports of a node work where x-blockdev-set-iothread says, or in the thread of an export."""
    here = os.getcwd() + '/'
    with start(fmt='raw') as q:
        qmp = Qmp(q)
        with open('x', 'wb') as f:
            f.write(b'x' * 4 * MIB)
        thread = qmp('query-iothreads')[0]['thread-id']
        qmp('blockdev-add', driver='file', filename=here + 'x', node_name='x')
        qmp('x-blockdev-set-iothread', node_name='x', iothread='io0')
        before = read_by(q, thread)
        qmp('blockdev-add', driver='null-co', node_name='z', size=4 * MIB)
        qmp('blockdev-backup', job_id='b', device='x', target='z', sync='full')
        while qmp('query-jobs'):
            pass
        assert read_by(q, thread) - before >= 2 * MIB, 'the job does not work in the thread'
        qmp('x-blockdev-set-iothread', node_name='x', iothread=None)
        assert 'in use' in qmp.request('x-blockdev-set-iothread', node_name='n0', iothread=None)['error']['desc']
        qmp('nbd-server-start', addr={'type': 'unix', 'data': {'path': here + 'sock'}})
        qmp('block-export-add', type='nbd', id='e', node_name='x', iothread='io0')
        before = read_by(q, thread)
        reads = [a for i in range(40) for a in ('-c', f'read -q -P 120 {i * 65536} 64k')]
        tool('qemu-io', '-r', '-f', 'raw', 'nbd+unix:///x?socket=sock', *reads)
        assert read_by(q, thread) - before >= 2 * MIB, 'the export does not work in the thread'
        qmp('quit')
        q.wait()
        assert not q.errors(), q.errors()


def test_unplug():
    """A disk is taken away under load; its requests end with an error or not at all."""
    with start(device='virtio-scsi-pci') as q:
        qmp = Qmp(q)
        d = Disk(q, 4, 1024, scsi=True)
        for _ in range(3):
            while d.free:
                d.submit(True, len(d.busy), 7)
            qmp('device_del', id='v0')
            assert not d.ended() & 0xffff0000
            while d.ended() != d.avail & 0xffff:
                pass
            d.forget()
            qmp('device_add', driver='scsi-hd', bus='s0.0', drive='n0', id='v0', share_rw=True)
            d.attention()
        qmp('quit')
        q.wait()
        assert not q.errors(), q.errors()


def test_unplug_pci():
    """A function is taken away while its thread has requests; another comes in its place."""
    with start() as q:
        qmp, data = Qmp(q), {}
        for turn in range(4):
            q.command(f'memset {0x100000 + 4 * 0x200000} 0x3000 0')
            d = Disk(q, 4, 400, seed=turn)
            d.data = data
            d.work(40)
            d.settle()
            while d.free:
                d.submit(True, 500 + len(d.free), 7)
            qmp('device_del', id='v0')
            q.command('outl 0xae10 0')
            q.command(f'outl 0xae08 {1 << 4}')      # the guest lets go: PIIX4's ejection
            while not qmp.seen('DEVICE_DELETED', device='v0'):
                qmp('query-status')
            qmp.events.clear()
            qmp('device_add', driver='virtio-blk-pci', drive='n0', id='v0', addr='4', iothread='io0')
        qmp('quit')
        q.wait()
        assert not q.errors(), q.errors()
    tool('qemu-img', 'check', '-q', 'd0')


class Driver:
    """What the driver of a disk knows, to go back to."""

    def __init__(self, d):
        d.settle()
        self.avail, self.used, self.data, self.free = d.avail, d.used, dict(d.data), list(d.free)

    def restore(self, d):
        d.avail, d.used, d.data, d.free, d.busy = self.avail, self.used, dict(self.data), list(self.free), {}


def wait_job(qmp, disks, job):
    while any(j['id'] == job and j['status'] != 'concluded' for j in qmp('query-jobs')):
        for d in disks:
            d.work(4)
    gone = [j for j in qmp('query-jobs') if j['id'] == job]
    assert not any('error' in j for j in gone), gone
    qmp('job-dismiss', id=job)


def test_snapshot():
    """A snapshot of the machine while its threads are idle; they go on from it after they have worked on."""
    with start(count=2) as q:
        qmp = Qmp(q)
        disks = [Disk(q, 4 + i, 1024, seed=i) for i in range(2)]
        for d in disks:
            d.work(150)
        then = [Driver(d) for d in disks]
        qmp('snapshot-save', job_id='s', tag='s', vmstate='n0', devices=['n0', 'n1'])
        wait_job(qmp, [], 's')
        for d in disks:
            d.work(150)
            d.settle()
        qmp('snapshot-load', job_id='l', tag='s', vmstate='n0', devices=['n0', 'n1'])
        wait_job(qmp, [], 'l')
        for d, state in zip(disks, then):
            state.restore(d)
            d.work(150)
        want = [d.expected() for d in disks]
        qmp('quit')
        q.wait()
        assert not q.errors(), q.errors()
    for i in range(2):
        assert contents(f'd{i}', 'qcow2') == want[i]


def test_migration():
    """The machine goes to a file while its threads have requests: they have ended well in it; threads go on where it is read."""
    with start(count=2) as q:
        qmp = Qmp(q)
        disks = [Disk(q, 4 + i, 1024, seed=i) for i in range(2)]
        for d in disks:
            d.work(100)
            d.settle()
            for block in range(DEPTH):
                d.submit(True, block, 9)
                d.data[block] = 9
        qmp('migrate', uri=f'exec:cat > {os.getcwd()}/state')
        while qmp('query-migrate')['status'] != 'completed':
            pass
        states = [Driver(d) for d in disks]
        qmp('quit')
        q.wait()
        assert not q.errors(), q.errors()
    with start('-incoming', f'exec:cat {os.getcwd()}/state', count=2, make=False) as q:
        qmp = Qmp(q)
        while qmp('query-status')['status'] == 'inmigrate':
            pass
        qmp('cont')
        for d, state in zip(disks, states):
            d.q = q
            state.restore(d)
            d.work(100)
        want = [d.expected() for d in disks]
        qmp('quit')
        q.wait()
        assert not q.errors(), q.errors()
    for i in range(2):
        assert contents(f'd{i}', 'qcow2') == want[i]


if __name__ == '__main__':
    for name, function in list(globals().items()):
        if name.startswith('test_') and (len(sys.argv) < 2 or name in sys.argv):
            function()
            for f in os.listdir('.'):
                os.unlink(f)
            print(name, flush=True)
