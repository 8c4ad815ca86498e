#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that go from process to process with their disks; what is refused, cancelled, or comes damaged.

usage: migration.py      with BUILD_DIR and SOURCE_DIR in the environment, in a folder of its own
"""
import os
import random
import shutil
import socket
import sys

sys.path.insert(0, os.path.join(os.environ['SOURCE_DIR'], 'tests'))
sys.path.insert(0, os.path.join(os.environ['SOURCE_DIR'], 'tests', 'block'))
import importlib  # noqa: E402

snapshots = importlib.import_module('machine-snapshots')
from qtest_client import Qtest  # noqa: E402

BUILD = snapshots.BUILD
HERE = os.getcwd() + '/'
SOCK = 'unix:' + HERE + 'sock'
qmp, hmp, tool = snapshots.qmp, snapshots.hmp, snapshots.tool


def start(machine, *args, disks=1):
    return snapshots.start(machine, *args, disks=disks)


def refused(q, name, text, **args):
    reply = q.run_qmp({'execute': name, 'arguments': {k.replace('_', '-'): v for k, v in args.items()}})
    assert text in reply.get('error', {}).get('desc', ''), f'{name} {args}: {reply}'


def until(q, *states):
    """Waits for the migration to be in a state; the answer of query-migrate."""
    while (info := qmp(q, 'query-migrate')).get('status') not in states:
        pass
    return info


def until_status(q, *states):
    while (status := qmp(q, 'query-status')['status']) not in states:
        pass
    return status


def end(q):
    qmp(q, 'quit')
    q.wait()


def test_go():
    for machine in ('pc', 'q35'):
        with start(machine) as a, start(machine, '-incoming', SOCK) as b:
            assert qmp(b, 'query-status')['status'] == 'inmigrate'
            snapshots.set_up(a)
            a.command('clock_step 5000')
            before = snapshots.registers(a)
            hmp(a, 'qemu-io n0 "write -q -P 5 0 64k"')
            qmp(a, 'migrate', uri=SOCK)
            info = until(a, 'completed', 'failed')
            assert info['status'] == 'completed', info
            assert info['ram']['remaining'] == 0 and info['ram']['normal'] > 0, info
            assert qmp(a, 'query-status')['status'] == 'postmigrate'
            refused(a, 'migrate', "Can't migrate the vm that was paused due to previous migration", uri=SOCK)
            assert until_status(b, 'running', 'paused') == 'running'
            snapshots.check(b, before)
            assert b.command('clock_step 0') == ['5000']
            # the disk is b's now
            hmp(b, 'qemu-io n0 "read -q -P 5 0 64k"')
            hmp(b, 'qemu-io n0 "write -q -P 6 0 64k"')
            assert 'wrote' not in qmp(a, 'human-monitor-command', command_line='qemu-io n0 "write -P 7 0 64k"')
            refused(a, 'cont', 'lock')
            end(b)
            # and a's again
            qmp(a, 'cont')
            hmp(a, 'qemu-io n0 "read -q -P 6 0 64k"')
            end(a)
        tool('qemu-img', 'check', '-q', 'd0')


def test_file_and_back():
    """As virsh save and restore do: a machine that stands, a descriptor."""
    with start('q35') as a:
        snapshots.set_up(a)
        before = snapshots.registers(a)
        qmp(a, 'stop')
        qmp(a, 'migrate', uri=f'exec:cat > {HERE}state')
        assert until(a, 'completed', 'failed')['status'] == 'completed'
        end(a)
    with start('q35', '-incoming', 'defer', '-S') as b:
        refused(b, 'migrate', 'Guest is waiting for an incoming migration', uri='exec:true')
        refused(b, 'migrate-incoming', 'expects a valid migration protocol', uri='nowhere')
        qmp(b, 'migrate-incoming', uri=f'exec:cat {HERE}state')
        assert until_status(b, 'running', 'paused') == 'paused'
        refused(b, 'migrate-incoming', 'has already been started', uri=f'exec:cat {HERE}state')
        snapshots.check(b, before)
        qmp(b, 'cont')
        end(b)


def test_answer():
    """With return-path the receiver's word counts; with late-block-activate disks are taken by cont."""
    on = [{'capability': 'return-path', 'state': True}]
    with start('pc') as a:
        qmp(a, 'migrate-set-capabilities', capabilities=on)
        with start('pc', '-device', 'edu', '-incoming', SOCK) as b:
            qmp(a, 'migrate', uri=SOCK)
            info = until(a, 'completed', 'failed')
            assert info['status'] == 'failed' and 'the state has nothing of' in info['error-desc'], info
            assert b.wait() == 1
        assert qmp(a, 'query-status')['running']
        hmp(a, 'qemu-io n0 "write -q -P 9 0 64k"')
        with start('pc', '-S', '-incoming', 'defer') as b:
            qmp(b, 'migrate-set-capabilities', capabilities=[{'capability': 'late-block-activate', 'state': True}])
            qmp(b, 'migrate-incoming', uri=SOCK)
            qmp(a, 'migrate', uri=SOCK)
            assert until(a, 'completed', 'failed')['status'] == 'completed'
            end(a)
            assert until_status(b, 'running', 'paused') == 'paused'
            qmp(b, 'cont')
            hmp(b, 'qemu-io n0 "read -q -P 9 0 64k"')
            end(b)


def test_tls():
    """Keys that both have; others, and those without, are refused."""
    for folder, line in (('.', 'someone:06a5c9e22b1d44a8bd0a6e1ef56b14e3'), ('other', 'nobody:16a5c9e22b1d44a8bd0a6e1ef56b14e3')):
        os.makedirs(folder, exist_ok=True)
        with open(folder + '/keys.psk', 'w', encoding='ascii') as f:
            f.write(line + '\n')
    for user, secret, good in (('someone', True, True), ('nobody', True, False), ('someone', False, False)):
        folder = HERE if user == 'someone' else HERE + 'other'
        with start('pc', '-object', f'tls-creds-psk,id=t,dir={folder},endpoint=client,username={user}') as a, \
                start('pc', '-object', f'tls-creds-psk,id=t,dir={HERE},endpoint=server', '-incoming', 'defer') as b:
            qmp(b, 'migrate-set-parameters', tls_creds='t')
            qmp(b, 'migrate-incoming', uri=SOCK)
            qmp(a, 'migrate-set-capabilities', capabilities=[{'capability': 'return-path', 'state': True}])
            hmp(a, 'migrate_set_parameter tls-creds t')
            assert qmp(a, 'query-migrate-parameters')['tls-creds'] == 't'
            if not secret:
                qmp(a, 'migrate-set-parameters', tls_creds='')
            qmp(a, 'migrate', uri=SOCK)
            info = until(a, 'completed', 'failed')
            assert (info['status'] == 'completed') == good, (user, secret, info)
            if good:
                assert until_status(b, 'running', 'paused') == 'running'
                end(b)
            else:
                assert b.wait() == 1 and qmp(a, 'query-status')['running']
                qmp(a, 'migrate-set-parameters', tls_creds='t')
                qmp(a, 'migrate', uri='exec:cat >/dev/null')
                assert 'only a socket' in until(a, 'failed')['error-desc']
    shutil.rmtree('other')


def test_filled():
    """The disk of a machine that is waited for is filled by NBD, as virsh migrate --copy-storage-all does."""
    with start('pc', '-S', '-incoming', 'defer') as b:
        qmp(b, 'nbd-server-start', addr={'type': 'unix', 'data': {'path': HERE + 'nbd'}})
        qmp(b, 'block-export-add', type='nbd', id='e', **{'node-name': 'n0'}, writable=True)
        tool('qemu-io', '-f', 'raw', '-c', 'write -q -P 3 0 64k', f'nbd+unix:///n0?socket={HERE}nbd')
        qmp(b, 'nbd-server-stop')
        end(b)
    tool('qemu-io', '-c', 'read -q -P 3 0 64k', 'd0')


def run_with(q, command, arguments):
    reply = q.run_qmp({'execute': command, 'arguments': arguments})
    assert 'return' in reply, reply


def bitmaps_of(q, node):
    return {b['name']: b for n in qmp(q, 'query-named-block-nodes') if n['node-name'] == node for b in n.get('dirty-bitmaps', [])}


def test_bitmaps():
    """Dirty bitmaps go with the machine, under the names that both sides agree on."""
    on = [{'capability': 'dirty-bitmaps', 'state': True}]
    mapping = [{'node-name': 'n0', 'alias': 'disk', 'bitmaps': [
        {'name': 'b', 'alias': 'x'}, {'name': 'kept', 'alias': 'y', 'transform': {'persistent': True}}]}]
    with start('pc') as a, start('pc', '-incoming', 'defer') as b:
        refused(a, 'migrate-set-parameters', 'comes twice', block_bitmap_mapping=mapping + mapping)
        for q, node in ((a, 'n0'), (b, 'n0')):
            qmp(q, 'migrate-set-capabilities', capabilities=on)
            qmp(q, 'migrate-set-parameters', **{'block-bitmap-mapping': mapping})
        assert qmp(a, 'query-migrate-parameters')['block-bitmap-mapping'] == mapping
        for bitmap in ('b', 'kept', 'stays'):
            run_with(a, 'block-dirty-bitmap-add', {'node': 'n0', 'name': bitmap})
        hmp(a, 'qemu-io n0 "write -q -P 5 128k 64k"')
        run_with(a, 'block-dirty-bitmap-disable', {'node': 'n0', 'name': 'kept'})
        hmp(a, 'qemu-io n0 "write -q -P 5 512k 64k"')
        qmp(b, 'migrate-incoming', uri=SOCK)
        qmp(a, 'migrate', uri=SOCK)
        assert until(a, 'completed', 'failed')['status'] == 'completed'
        until_status(b, 'running', 'paused')
        found = bitmaps_of(b, 'n0')
        assert sorted(found) == ['b', 'kept'], found
        assert (found['b']['count'], found['b']['recording'], found['b']['persistent']) == (131072, True, False), found
        assert (found['kept']['count'], found['kept']['recording'], found['kept']['persistent']) == (65536, False, True), found
        end(b)
        end(a)
    assert '"name": "kept"' in tool('qemu-img', 'info', '-U', '--output=json', 'd0')


def test_cancel():
    with start('pc') as a:
        qmp(a, 'migrate-set-capabilities', capabilities=[{'capability': 'pause-before-switchover', 'state': True}])
        qmp(a, 'migrate', uri='exec:cat > /dev/null')
        until(a, 'pre-switchover')
        assert qmp(a, 'query-status')['status'] == 'finish-migrate'
        refused(a, 'cont', 'a migration is under way')
        refused(a, 'device_add', 'migration', driver='edu', id='x')
        refused(a, 'migrate', "There's a migration process in progress", uri='exec:true')
        hmp(a, 'savevm one', 'migration')
        refused(a, 'migrate-continue', 'Migration not in expected state: pre-switchover', state='device')
        qmp(a, 'migrate_cancel')
        until(a, 'cancelled')
        assert qmp(a, 'query-status')['running']
        hmp(a, 'qemu-io n0 "write -q 0 64k"')
        # a reader that does not read: cancelled while it writes
        left, right = socket.socketpair()
        a.command('memset 0x100000 0x800000 0x55')
        qmp(a, 'migrate-set-parameters', max_bandwidth=1000)
        qmp(a, 'migrate', uri='exec:sleep 60 <&-; true')
        until(a, 'active', 'failed')
        qmp(a, 'migrate_cancel')
        until(a, 'cancelled', 'failed')
        left.close()
        right.close()
        qmp(a, 'migrate', uri='exec:false')
        assert until(a, 'failed')['error-desc']
        assert qmp(a, 'query-status')['running']
        qmp(a, 'migrate', uri='exec:cat > /dev/null')
        end(a)


def test_refused():
    with start('pc') as a:
        for uri, text in (('x:y', 'expects a valid migration protocol'), ('tcp:x', "error parsing address 'x'"),
                          ('fd:none', "File descriptor named 'none' has not been found")):
            refused(a, 'migrate', text, uri=uri)
        refused(a, 'migrate-incoming', "'-incoming' was not specified", uri='exec:true')
        refused(a, 'migrate-set-parameters', 'no lists', tls_authz='x')
        refused(a, 'migrate-set-parameters', 'in the range of', downtime_limit=2000001)
        qmp(a, 'migrate-set-parameters', downtime_limit=10, max_bandwidth=9223372036853727232, tls_creds='')
        assert qmp(a, 'query-migrate-parameters')['downtime-limit'] == 10
        assert qmp(a, 'query-migrate') == {}
        end(a)
    with start('pc', '-fsdev', 'local,id=f,path=.,security_model=none', '-device', 'virtio-9p-pci,fsdev=f,mount_tag=t') as a:
        refused(a, 'migrate', 'virtio-9p-pci', uri='exec:true')
        assert 'virtio-9p-pci' in qmp(a, 'query-migrate')['blocked-reasons'][0]
        end(a)


def comes_damaged(state, machine='pc'):
    with open('bad', 'wb') as f:
        f.write(state)
    with start(machine, '-incoming', 'defer') as b:
        qmp(b, 'migrate-incoming', uri=f'exec:cat {HERE}bad')
        try:
            if until_status(b, 'running', 'paused', 'shutdown', 'io-error', 'suspended') == 'running':
                b.command('clock_step 1000000')
            end(b)
        except (OSError, EOFError, ValueError, AssertionError):
            b.wait()
        return b.process.returncode


def test_damaged():
    """Shorter streams and wrong bytes: the process ends with an error, or has another machine."""
    with start('pc') as a:
        snapshots.set_up(a)
        qmp(a, 'migrate', uri=f'exec:cat > {HERE}state')
        until(a, 'completed')
        end(a)
    with open('state', 'rb') as f:
        state = f.read()
    r = random.Random(7)
    for length in (0, 7, 8, 100, len(state) // 2, len(state) - 1):
        assert comes_damaged(state[:length]) == 1, length
    assert comes_damaged(state, 'q35') == 1
    devices = state.index(b'/machine')
    for _ in range(12):
        bad = bytearray(state)
        for _ in range(r.choice((1, 3, 30))):
            bad[r.randrange(r.choice((0, devices)), len(bad))] = r.randrange(256)
        assert comes_damaged(bytes(bad)) in (0, 1)


if __name__ == '__main__':
    for name, function in list(globals().items()):
        if name.startswith('test_') and (len(sys.argv) < 2 or name in sys.argv):
            function()
            for leftover in os.listdir('.'):
                os.unlink(leftover)
            print(name, flush=True)
