#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Graphs that change under a disk in use: blockdev-reopen with other backing files and other nodes below filters.

usage: live-graph.py      with BUILD in the environment, in a folder of its own
"""
import os

from jobs import Qmp, img, io

DISK = ['-M', 'q35', '-accel', 'qtest', '-nodefaults', '-device']


def reopen(q, **node):
    q('blockdev-reopen', options=[{k.replace('_', '-'): v for k, v in node.items()}])


def layers():
    """Two disks that could be below, and one above that has only the second MiB."""
    for i in (1, 2):
        img('create', '-q', '-f', 'qcow2', f'base{i}', '4M')
        io(f'base{i}', f'write -P {i} 0 4M')
    img('create', '-q', '-f', 'qcow2', '-b', 'base1', '-F', 'qcow2', 'top')
    io('top', 'write -P 9 1M 1M')
    q = Qmp('-blockdev', 'qcow2,node-name=base1,file.driver=file,file.filename=base1,read-only=on',
            '-blockdev', 'qcow2,node-name=base2,file.driver=file,file.filename=base2,read-only=on', '-blockdev', 'file,node-name=top-file,filename=top',
            '-blockdev', 'qcow2,node-name=top,file=top-file,backing=base1', *DISK, 'virtio-blk-pci,drive=top,id=v,share-rw=on')
    return q, {'driver': 'qcow2', 'node_name': 'top', 'file': 'top-file'}


def test_backing():
    q, top = layers()
    q.io('top', 'read -P 1 0 1M')
    reopen(q, **top, backing='base2')
    assert q.chain('top') == 'base2', q.chain('top')
    q.io('top', 'read -P 2 0 1M')
    q.io('top', 'read -P 9 1M 1M')
    q('blockdev-del', node_name='base1')
    reopen(q, **top, backing=None)
    q.io('top', 'read -P 0 0 1M')
    q.io('top', 'write -P 8 2M 64k')
    reopen(q, **top, backing='base2')
    q.io('top', 'read -P 8 2M 64k')
    q.io('top', 'read -P 2 3M 1M')
    for text, more in (('foo', {'foo': 1}), ('backing', {}), ('none', {'backing': 'none'})):
        q.fails('blockdev-reopen', text, options=[{'driver': 'qcow2', 'node-name': 'top', 'file': 'top-file', **more}])
    q.fails('blockdev-reopen', "'driver'", options=[{'driver': 'raw', 'node-name': 'top', 'file': 'top-file'}])
    q.fails('blockdev-reopen', 'nobody', options=[{'driver': 'raw', 'node-name': 'nobody', 'file': 'top-file'}])
    q.end()


def test_filter():
    """A filter shows another node; formats keep their file."""
    q, top = layers()
    q('object-add', **{'qom_type': 'throttle-group'}, id='g', limits={'iops-total': 100000})
    q('blockdev-add', driver='throttle', node_name='slow', throttle_group='g', file='base1', read_only=True)
    q.io('slow', 'read -P 1 0 1M')
    reopen(q, driver='throttle', node_name='slow', throttle_group='g', file='base2', read_only=True)
    q.io('slow', 'read -P 2 0 1M')
    q.fails('blockdev-reopen', "'file'", options=[{'driver': 'qcow2', 'node-name': 'top', 'file': 'slow', 'backing': 'base1'}])
    q.io('top', 'read -P 9 1M 1M')
    q.end()


def test_options():
    q, top = layers()
    reopen(q, **top, backing='base1', read_only=True, l2_cache_size=65536)
    refused = q('human-monitor-command', command_line='qemu-io base1 "write 0 64k"')
    assert 'read-only' in refused or 'Block node is read-only' in ''.join(q.said), (refused, q.said)
    reopen(q, **top, backing='base1')
    q.io('top', 'write -P 6 0 64k')
    q.end()


for name, function in list(globals().items()):
    if name.startswith('test_'):
        function()
        for f in os.listdir('.'):
            if os.path.isfile(f):
                os.unlink(f)
        print(name, flush=True)
