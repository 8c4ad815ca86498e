#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of qcow2 for fault injection: a rule on each makes the operation that passes it fail once, and the image stays good.
Rules of a second state work only after the first.

usage: events.py      with BUILD in the environment, in a folder of its own
"""
import json
import os
import subprocess

BUILD = os.environ['BUILD'] + '/'
EVENTS = {
    'l2_load': 'read 0 64k', 'read_aio': 'read 0 64k', 'read_compressed': 'read 3M 64k',
    'write_aio': 'write 0 64k', 'cow_write': 'write 8193k 1k', 'write_compressed': 'write -c 2M 64k',
    'l2_update_compressed': 'write -c 2M 64k;flush', 'cluster_alloc': 'write 1M 64k', 'cluster_alloc_bytes': 'write -c 2M 64k',
    'refblock_load': 'write 1M 64k', 'refblock_alloc': 'write 1M 64k', 'l1_update': 'write 1G 64k', 'l2_alloc_write': 'write 1G 64k',
    'reftable_load': '', 'pwritev': 'write 0 64k', 'l2_update': 'flush', 'refblock_update_part': 'flush', 'none': 'read 0 64k',
}


def run(tool, *args, code=None):
    p = subprocess.run([BUILD + tool, *args], capture_output=True, text=True, timeout=60, check=False)
    assert code is None or p.returncode == code, (tool, args, p.stdout, p.stderr)
    return p.stdout + p.stderr + ('failed\n' if p.returncode else '')


def image():
    run('qemu-img', 'create', '-q', '-f', 'qcow2', 'base.qcow2', '2G', code=0)
    run('qemu-io', '-c', 'write 4M 16M', 'base.qcow2', code=0)
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', 't.qcow2', code=0)
    run('qemu-io', '-c', 'write 0 128k', '-c', 'write -c 3M 64k', 't.qcow2', code=0)


def io(rules, *commands):
    options = {'driver': 'qcow2', 'discard': 'unmap', 'file': {
        'driver': 'blkdebug', 'image': {'driver': 'file', 'filename': 't.qcow2'}, **rules}}
    args = [x for c in commands if c for x in ('-c', c)]
    return run('qemu-io', '-t', 'writeback', *(args or ('-c', 'length')), 'json:' + json.dumps(options))


for event, command in EVENTS.items():
    image()
    before = ['write 1M 64k'] if command == 'flush' else []
    said = io({'inject-error': [{'event': event, 'errno': 5, 'once': True}]}, *before, *command.split(';'))
    assert 'rror' in said or 'failed' in said, (event, said)
    checked = run('qemu-img', 'check', '-r', 'leaks', 't.qcow2')
    assert 'No errors were found' in checked, (event, checked)
image()
# the second write of data fails, for the first changes the state
text = io({'set-state': [{'event': 'write_aio', 'state': 1, 'new_state': 2}],
           'inject-error': [{'event': 'write_aio', 'state': 2, 'errno': 28, 'once': True}]},
          'write 0 64k', 'write 0 64k', 'write 0 64k')
assert [('wrote' in line, 'No space' in line) for line in text.splitlines() if 'wrote' in line or 'No space' in line] == [
    (True, False), (False, True), (True, False)], text
print('done')
