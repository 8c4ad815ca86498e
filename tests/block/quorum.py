#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of a quorum whose copies fail, differ, or cannot agree.

usage: quorum.py      with BUILD in the environment, in a folder of its own
"""
import json
import os
import socket
import subprocess

EMULATOR = os.environ.get('EMULATOR', os.environ['BUILD'] + '/qemu-system-x86_64')
RULES = ([], [{'event': 'none', 'iotype': 'write', 'sector': 16}], [{'event': 'none', 'iotype': 'flush'}])


def copy(i):
    with open(f'c{i}.raw', 'wb') as f:
        f.truncate(1 << 20)
    node = {'driver': 'blkdebug', 'node-name': f'b{i}', 'image': {'driver': 'file', 'filename': f'c{i}.raw'}}
    return ['-blockdev', json.dumps({**node, 'inject-error': RULES[i]} if RULES[i] else node)]


def spoil(i, data):
    with open(f'c{i}.raw', 'r+b') as f:
        f.seek(3 * 512)
        f.write(data)


def main():
    ours, theirs = socket.socketpair()
    with subprocess.Popen(
            [EMULATOR, '-machine', 'none', '-display', 'none', '-chardev', f'socket,id=q,fd={theirs.fileno()}', '-mon',
             'chardev=q,mode=control', *copy(0), *copy(1), *copy(2), '-blockdev',
             json.dumps({'driver': 'quorum', 'node-name': 'q', 'vote-threshold': 2, 'children': ['b0', 'b1', 'b2']})],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as p:
        theirs.close()
        ours.settimeout(60)
        stream = ours.makefile('rw')

        def call(command, **args):
            stream.write(json.dumps({'execute': command, 'arguments': args}) + '\n')
            stream.flush()
            events = []
            while True:
                o = json.loads(stream.readline())
                if 'return' in o:
                    return events
                assert 'event' in o, o
                events.append((o['event'], o['data']))

        def io(command):
            return call('human-monitor-command', **{'command-line': f'qemu-io q "{command}"'})

        stream.readline()
        call('qmp_capabilities')
        for command, wanted in (
                ('write -P 1 8k 512', [('QUORUM_REPORT_BAD', {
                    'type': 'write', 'error': 'Input/output error', 'node-name': 'b1', 'sector-num': 16, 'sectors-count': 1})]),
                ('write -P 1 0 4k', []),
                ('flush', [('QUORUM_REPORT_BAD', {
                    'type': 'flush', 'error': 'Input/output error', 'node-name': 'b2', 'sector-num': 0, 'sectors-count': 0})]),
                ('0', [('QUORUM_REPORT_BAD', {'type': 'read', 'node-name': 'b0', 'sector-num': 0, 'sectors-count': 8})]),
                ('2', [('QUORUM_FAILURE', {'reference': 'q', 'sector-num': 0, 'sectors-count': 8})])):
            if command.isdigit():
                spoil(int(command), b'x' + command.encode())
                command = 'read 0 4k'
            got = io(command)
            assert got == wanted, (command, got)
        p.kill()
    print('done')


main()
