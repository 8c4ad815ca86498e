#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Backups that are pulled: copy-before-write above a disk in use, snapshot-access exported over NBD.

usage: fleecing.py      with BUILD in the environment, in a folder of its own
"""
import os
import subprocess

from jobs import BUILD, Qmp

MIB = 1 << 20


def tool(*args, code=0):
    p = subprocess.run([BUILD + args[0], *args[1:]], capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode == code, f'{args}: {p.returncode}\n{p.stdout}{p.stderr}'
    return p.stdout + p.stderr


def start(*args, length=8 * MIB, target='qcow2', **cbw):
    with open('src.raw', 'wb') as f:
        f.write(bytes(i // 4096 % 250 + 1 for i in range(length)))
    tool('qemu-img', 'create', '-q', '-f', 'qcow2', 'tmp.qcow2', str(length))
    q = Qmp('-blockdev', 'file,filename=src.raw,node-name=src,discard=unmap', '-blockdev', 'file,filename=tmp.qcow2,node-name=tmp-file',
            '-blockdev', 'qcow2,file=tmp-file,node-name=tmp,discard=unmap', *args)
    if cbw is not None and target:
        q('blockdev-add', driver='copy-before-write', node_name='cbw', file='src', target='tmp', **cbw)
    return q


def test_pull():
    """What NBD shows is the disk as it was; what was not written is read from the disk itself."""
    q = start()
    old = open('src.raw', 'rb').read()
    q('blockdev-add', driver='snapshot-access', node_name='acc', file='cbw')
    q('nbd-server-start', addr={'type': 'unix', 'data': {'path': 'sock'}})
    q('block-export-add', type='nbd', id='e', node_name='acc', name='x')
    q.io('cbw', 'write -P 255 1000 3000')
    q.io('cbw', 'write -P 254 1M 2M')
    q.io('cbw', 'write -z 5M 64k')
    q.io('cbw', 'discard 6M 1M')
    tool('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', 'nbd+unix:///x?socket=sock', 'copy.raw')
    q.io('cbw', 'write -P 253 0 8M')
    tool('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'raw', 'nbd+unix:///x?socket=sock', 'copy.raw')
    assert open('copy.raw', 'rb').read() == old, 'the copy is not the disk as it was'
    q.end()
    assert open('src.raw', 'rb').read() == b'\xfd' * len(old), 'the disk has not what was written'


def test_bitmap():
    """Only what is dirty in a bitmap is kept, and can be read."""
    q = start(target=None)
    q('block-dirty-bitmap-add', node='src', name='b')
    q.io('src', 'write -P 9 2M 1M')
    q('blockdev-add', driver='copy-before-write', node_name='cbw', file='src', target='tmp', bitmap={'node': 'src', 'name': 'b'})
    q('block-dirty-bitmap-disable', node='src', name='b')
    q('blockdev-add', driver='snapshot-access', node_name='acc', file='cbw')
    q('nbd-server-start', addr={'type': 'unix', 'data': {'path': 'sock'}})
    q('block-export-add', type='nbd', id='e', node_name='acc', name='x', bitmaps=[{'node': 'src', 'name': 'b'}])
    q.io('cbw', 'write -P 1 0 8M')
    uri = 'nbd+unix:///x?socket=sock'
    tool('qemu-io', '-r', '-f', 'raw', uri, '-c', 'read -q -P 9 2M 1M')
    out = tool('qemu-io', '-r', '-f', 'raw', uri, '-c', 'read 0 64k', code=1)
    assert 'read failed' in out, out
    out = tool('qemu-img', 'map', '--output=json', '--image-opts',
               'driver=nbd,server.type=unix,server.path=sock,export=x,x-dirty-bitmap=qemu:dirty-bitmap:b')
    assert '"start": 2097152, "length": 1048576, "depth": 0, "present": false' in out, out
    assert os.path.getsize('tmp.qcow2') < 2 * MIB, 'more was kept than asked for'
    q.end()


def test_discard():
    """What the puller has got needs no place any more."""
    q = start()
    q('blockdev-add', driver='snapshot-access', node_name='acc', file='cbw', discard='unmap')
    q.io('cbw', 'write -P 1 0 1M')
    q.io('acc', 'discard 0 2M')
    q.io('cbw', 'write -P 2 1M 1M')
    out = q('human-monitor-command', command_line='qemu-io acc "read 0 64k"')
    info = tool('qemu-img', 'map', '-U', '--output=json', '-f', 'qcow2', 'tmp.qcow2')
    q.end()
    assert '"length": 8388608' in info and '"data": false' in info, info


def broken_target(**cbw):
    q = start('-blockdev', 'null-co,node-name=tmp-raw,size=8M,read-zeroes=on',
              '-blockdev', '{"driver": "blkdebug", "node-name": "bad", "image": "tmp-raw", '
              '"inject-error": [{"event": "none", "iotype": "write", "errno": 28, "once": false}]}', target=None)
    q('blockdev-add', driver='copy-before-write', node_name='cbw', file='src', target='bad', **cbw)
    q('blockdev-add', driver='snapshot-access', node_name='acc', file='cbw')
    return q


def io_text(q, node, text):
    return q('human-monitor-command', command_line=f'qemu-io {node} "{text}"')


def test_errors():
    q = broken_target()
    before = open('src.raw', 'rb').read(65536)
    io_text(q, 'cbw', 'write -P 1 0 64k')
    assert open('src.raw', 'rb').read(65536) == before, 'the disk was written to although nothing could be kept'
    assert not any('read failed' in line for line in q.said)
    q.end()
    q = broken_target(on_cbw_error='break-snapshot')
    q.io('cbw', 'write -P 1 0 64k')
    assert open('src.raw', 'rb').read(65536) == b'\1' * 65536, 'the guest was held up'
    q.end()


def test_timeout():
    """A target that does not answer in time."""
    q = start('-object', 'throttle-group,id=slow,x-bps-write=700000', '-blockdev', 'throttle,file=tmp,throttle-group=slow,node-name=crawl',
              target=None)
    q('blockdev-add', driver='copy-before-write', node_name='cbw', file='src', target='crawl', on_cbw_error='break-snapshot', cbw_timeout=1)
    q.io('cbw', 'write -P 1 0 1M')
    q.io('cbw', 'write -P 2 1M 1M')
    assert open('src.raw', 'rb').read(2 * MIB) == b'\1' * MIB + b'\2' * MIB, 'the guest was held up'
    q.end()


def test_device():
    """A device's disk gets a filter while it runs, and loses it again."""
    q = start('-device', 'virtio-blk-pci,drive=src,id=v', '-M', 'q35', '-accel', 'qtest', '-nodefaults')
    path = '/machine/peripheral/v'
    q('qom-set', path=path, property='drive', value='cbw')
    assert [b['inserted']['node-name'] for b in q('query-block') if b['qdev'].startswith(path)] == ['cbw']
    q('blockdev-add', driver='snapshot-access', node_name='acc', file='cbw')
    q.fails('blockdev-del', 'in use', node_name='cbw')
    q('blockdev-del', node_name='acc')
    q('qom-set', path=path, property='drive', value='src')
    q('blockdev-del', node_name='cbw')
    q.fails('qom-set', "'none'", path=path, property='drive', value='none')
    q.end()


def test_options():
    q = start(target=None)
    q.fails('blockdev-add', 'missing', driver='copy-before-write', node_name='c', file='src')
    q.fails('blockdev-add', 'no copy-before-write', driver='snapshot-access', node_name='c', file='src')
    q.fails('blockdev-add', 'on-cbw-error', driver='copy-before-write', node_name='c', file='src', target='tmp', on_cbw_error='x')
    q.fails('blockdev-add', 'itmap', driver='copy-before-write', node_name='c', file='src', target='tmp', bitmap={'node': 'src', 'name': 'no'})
    q.end()


for name, function in list(globals().items()):
    if name.startswith('test_'):
        function()
        for f in os.listdir('.'):
            os.unlink(f)
        print(name)
