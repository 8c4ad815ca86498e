#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs, snapshots, bitmaps and transactions by QMP, in a machine without a guest; the images are looked at afterwards.

usage: jobs.py      with BUILD in the environment, in a folder of its own
"""
import json
import os
import subprocess
import threading

BUILD = os.environ['BUILD'] + '/'
EMULATOR = os.environ.get('EMULATOR', BUILD + 'qemu-system-x86_64')


class Qmp:
    def __init__(self, *args):
        self.p = subprocess.Popen([EMULATOR, *([] if '-M' in args else ['-M', 'none']), '-display', 'none', '-qmp', 'stdio', *args], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.timer = threading.Timer(60, self.p.kill)
        self.timer.start()
        self.events = []
        self.said = []
        self.p.stdout.readline()
        self('qmp_capabilities')

    def read(self):
        line = self.p.stdout.readline()
        assert line, 'the emulator has ended'
        if line[0] != '{':      # what qemu-io says
            self.said.append(line)
            return self.read()
        return json.loads(line)

    def raw(self, command, **args):
        args = {k.replace('_', '-') if k != 'node_name' or True else k: v for k, v in args.items()}
        self.p.stdin.write(json.dumps({'execute': command, 'arguments': args}) + '\n')
        self.p.stdin.flush()
        while True:
            o = self.read()
            if 'event' not in o:
                return o
            self.events.append(o)

    def __call__(self, command, **args):
        o = self.raw(command, **args)
        assert 'return' in o, f'{command} {args}: {o}'
        return o['return']

    def fails(self, command, text, **args):
        o = self.raw(command, **args)
        assert 'error' in o and text in o['error']['desc'], f'{command}: {o}'

    def wait(self, event, **data):
        while True:
            for i, e in enumerate(self.events):
                if e['event'] == event and all(e['data'].get(k) == v for k, v in data.items()):
                    del self.events[i]
                    return e['data']
            o = self.read()
            assert 'event' in o, o
            self.events.append(o)

    def done(self, job):
        e = self.wait('BLOCK_JOB_COMPLETED', device=job)
        assert 'error' not in e, e
        self.wait('JOB_STATUS_CHANGE', id=job, status='null')

    def file(self, name, node):
        self('blockdev-add', driver='file', filename=name, node_name=node + '-file')

    def qcow2(self, name, node, **more):
        self.file(name, node)
        self('blockdev-add', driver='qcow2', file=node + '-file', node_name=node, **more)

    def io(self, node, text):
        """What qemu-io does; it says so on the standard output, as programs expect."""
        self.said = []
        refused = self('human-monitor-command', command_line=f'qemu-io {node} "{text}"')
        assert not refused, refused
        assert not any('failed' in line for line in self.said), self.said

    def chain(self, node):
        info = [n for n in self('query-named-block-nodes') if n['node-name'] == node][0]
        return info.get('backing_file')

    def end(self):
        self('quit')
        self.p.stdin.close()
        self.p.stdout.read()
        assert self.p.wait() == 0
        self.timer.cancel()


def img(*args):
    subprocess.run([BUILD + 'qemu-img', *args], check=True, stdout=subprocess.DEVNULL)


def io(name, *commands):
    subprocess.run([BUILD + 'qemu-io', *[x for c in commands for x in ('-c', c)], name], check=True, stdout=subprocess.DEVNULL)


def same(a, b):
    img('compare', a, b)
    for name in (a, b):
        if name.endswith('qcow2'):
            img('check', name)


def chain():
    img('create', '-q', '-f', 'qcow2', 'base.qcow2', '16M')
    io('base.qcow2', 'write -P 1 0 4M', 'write -P 2 8M 64k')
    img('create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', 'mid.qcow2')
    io('mid.qcow2', 'write -P 3 1M 1M', 'write -z 2M 64k')
    img('create', '-q', '-f', 'qcow2', '-b', 'mid.qcow2', '-F', 'qcow2', 'top.qcow2')
    io('top.qcow2', 'write -P 4 12M 100k')
    img('convert', '-O', 'raw', 'top.qcow2', 'want.raw')


def test_stream():
    chain()
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q('block-stream', job_id='s', device='top')
    q.done('s')
    assert q('query-block-jobs') == []
    q.end()
    img('rebase', '-u', '-b', '', 'top.qcow2')
    same('top.qcow2', 'want.raw')


def test_stream_part():
    chain()
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q('block-stream', job_id='s', device='top', base='base.qcow2', speed=1 << 30)
    q.done('s')
    q.end()
    os.unlink('mid.qcow2')
    same('top.qcow2', 'want.raw')


def test_commit():
    chain()
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q.fails('block-commit', "Can't find", job_id='c', device='top', top='base.qcow2', base='base.qcow2')
    q('block-commit', job_id='c', device='top', top='mid.qcow2')
    q.done('c')
    q.end()
    os.unlink('mid.qcow2')
    same('top.qcow2', 'want.raw')


def test_active_commit():
    chain()
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q('block-commit', job_id='c', device='top', auto_dismiss=False)
    q.wait('BLOCK_JOB_READY', device='c')
    q.fails('job-dismiss', "Job 'c' in state 'ready' cannot accept command verb 'dismiss'", id='c')
    q('block-job-complete', device='c')
    q.wait('JOB_STATUS_CHANGE', id='c', status='concluded')
    q('job-dismiss', id='c')
    q.fails('block-job-cancel', "Block job 'c' not found", device='c')
    q.end()
    same('base.qcow2', 'want.raw')


def test_mirror():
    chain()
    img('create', '-q', '-f', 'qcow2', 'target.qcow2', '16M')
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q.qcow2('target.qcow2', 'target')
    q('blockdev-mirror', job_id='m', device='top', target='target', sync='full')
    q.wait('BLOCK_JOB_READY', device='m')
    q('block-job-cancel', device='m')
    q.wait('BLOCK_JOB_COMPLETED', device='m')
    q('drive-mirror', job_id='n', device='top', target='copy.raw', format='raw', sync='full')
    q.wait('BLOCK_JOB_READY', device='n')
    q('block-job-complete', device='n')
    q.done('n')
    q.end()
    same('target.qcow2', 'want.raw')
    same('copy.raw', 'want.raw')


def test_backup():
    chain()
    img('create', '-q', '-f', 'qcow2', 'full.qcow2', '16M')
    img('create', '-q', '-f', 'qcow2', '-b', 'full.qcow2', '-F', 'qcow2', 'inc.qcow2')
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q.qcow2('full.qcow2', 'full')
    q('transaction', actions=[
        {'type': 'block-dirty-bitmap-add', 'data': {'node': 'top', 'name': 'b', 'persistent': True}},
        {'type': 'blockdev-backup', 'data': {'job-id': 'f', 'device': 'top', 'target': 'full', 'sync': 'full'}}])
    q.done('f')
    q.fails('transaction', 'aborted', actions=[
        {'type': 'block-dirty-bitmap-add', 'data': {'node': 'top', 'name': 'c'}}, {'type': 'abort', 'data': {}}])
    q('blockdev-del', node_name='full')
    q('blockdev-del', node_name='full-file')
    q.end()
    same('full.qcow2', 'want.raw')
    io('top.qcow2', 'write -P 9 3M 1M', 'write -P 8 15M 64k')
    img('convert', '-O', 'raw', 'top.qcow2', 'want.raw')
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q.qcow2('inc.qcow2', 'inc')
    q('blockdev-backup', job_id='i', device='top', target='inc', sync='incremental', bitmap='b')
    q.done('i')
    q('block-dirty-bitmap-remove', node='top', name='b')
    q.end()
    same('inc.qcow2', 'want.raw')
    img('check', 'top.qcow2')


def test_snapshots():
    chain()
    q = Qmp('-drive', 'file=top.qcow2,format=qcow2,if=none,id=d,node-name=n0')
    q('blockdev-snapshot-sync', device='d', snapshot_file='snap.qcow2', snapshot_node_name='n1')
    q('blockdev-snapshot-internal-sync', device='d', name='inner')
    q.fails('blockdev-snapshot-internal-sync', 'already exists', device='d', name='inner')
    assert q('blockdev-snapshot-delete-internal-sync', device='d', name='inner')['id'] == '1'
    q('block_resize', node_name='n1', size=20 << 20)
    q('block-commit', device='d', job_id='c')
    q.wait('BLOCK_JOB_READY', device='c')
    q('job-complete', id='c')
    q.done('c')
    q.end()
    io('base.qcow2', 'read -P 4 12M 100k')
    img('check', 'base.qcow2')


def test_create():
    q = Qmp()
    q('blockdev-create', job_id='j', options={'driver': 'file', 'filename': 'new.qcow2', 'size': 0})
    q.wait('JOB_STATUS_CHANGE', id='j', status='concluded')
    q('job-dismiss', id='j')
    q.file('new.qcow2', 'n')
    q('blockdev-create', job_id='j', options={'driver': 'qcow2', 'file': 'n-file', 'size': 1 << 30, 'cluster-size': 4096})
    q.wait('JOB_STATUS_CHANGE', id='j', status='concluded')
    assert 'error' not in q('query-jobs')[0]
    q('job-dismiss', id='j')
    q.end()
    img('check', 'new.qcow2')


def test_amend():
    """Key slots of images in use; the old password no longer opens them."""
    for kind, prefix, nest in (('luks', '', lambda o: o), ('qcow2', 'encrypt.', lambda o: {'encrypt': {'format': 'luks', **o}})):
        image = 'amend.' + kind
        img('create', '-q', '-f', kind, '--object', 'secret,id=s,data=abc', '-o',
             f'{prefix}key-secret=s,{prefix}iter-time=10' + (',encrypt.format=luks' if prefix else ''), image, '1M')
        q = Qmp('-object', 'secret,id=s,data=abc', '-object', 'secret,id=n,data=def', '-blockdev',
                f'{kind},node-name=x,file.driver=file,file.filename={image},{prefix}key-secret=s' + (',encrypt.format=luks' if prefix else ''))

        def amend(o, error=None, **args):
            q('x-blockdev-amend', job_id='a', node_name='x', options={'driver': kind, **nest(o)}, **args)
            q.wait('JOB_STATUS_CHANGE', id='a', status='concluded')
            assert q('query-jobs')[0].get('error') == error, q('query-jobs')
            q('job-dismiss', id='a')
        amend({'state': 'active', 'new-secret': 'n', 'iter-time': 10})
        amend({'state': 'inactive', 'old-secret': 's'})
        amend({'state': 'inactive', 'old-secret': 'n'}, 'All the active keyslots match the (old) password that was given and erasing '
              'them will erase all the data in the image irreversibly - refusing operation')
        q.fails('x-blockdev-amend', "Parameter 'state' does not accept value 'what'", job_id='b', node_name='x',
                options={'driver': kind, **nest({'state': 'what'})})
        q.fails('x-blockdev-amend', "doesn't support changing", job_id='b', node_name='x', options={'driver': 'vdi'})
        q.fails('x-blockdev-amend', 'size', job_id='b', node_name='x', options={'driver': kind, 'size': 3})
        q.end()
        for secret, good in (('abc', False), ('def', True)):
            p = subprocess.run([BUILD + 'qemu-io', '--object', f'secret,id=s,data={secret}', '-c', 'read 0 512', '--image-opts',
                                f'driver={kind},file.filename={image},{prefix}key-secret=s'], capture_output=True, check=False)
            assert (p.returncode == 0) == good, p
    q = Qmp('-blockdev', 'null-co,node-name=z')
    q.fails('x-blockdev-amend', 'Driver does not support', job_id='b', node_name='z', options={'driver': 'null-co'})
    q.fails('x-blockdev-amend', "node-name='no'", job_id='b', node_name='no', options={'driver': 'null-co'})
    q.end()


def test_control():
    chain()
    q = Qmp()
    q.qcow2('top.qcow2', 'top')
    q('block-stream', job_id='s', device='top', speed=65536)
    q('job-pause', id='s')
    q.wait('JOB_STATUS_CHANGE', id='s', status='paused')
    assert q('query-block-jobs')[0]['paused']
    q('block-job-resume', device='s')
    q('block-job-cancel', device='s')
    q.wait('BLOCK_JOB_CANCELLED', device='s')
    q.end()
    same('top.qcow2', 'want.raw')


D0 = ('-drive', 'if=none,id=d0,file=top.qcow2,format=qcow2,node-name=top,discard=unmap,backing.node-name=mid,'
      'backing.backing.node-name=base')


def test_filters():
    drivers = {'mirror': 'mirror_top', 'active': 'mirror_top', 'commit': 'commit_top', 'stream': 'copy-on-read',
               'backup': 'copy-before-write'}
    for kind, driver in drivers.items():
        for name in (None, 'flt'):
            chain()
            img('create', '-q', '-f', 'qcow2', 't.qcow2', '16M')
            q = Qmp(*D0)
            q.qcow2('t.qcow2', 't')
            more = {'filter_node_name': name} if name else {}
            command, args = {
                'mirror': ('blockdev-mirror', {'target': 't', 'sync': 'full'}), 'active': ('block-commit', {}),
                'commit': ('block-commit', {'top_node': 'mid'}), 'stream': ('block-stream', {}),
                'backup': ('blockdev-backup', {'target': 't', 'sync': 'full'})}[kind]
            q.fails(command, 'Duplicate nodes', device='top', job_id='j', filter_node_name='base', **args)
            q.events.clear()
            q(command, device='top', job_id='j', speed=1, **args, **more)
            found = [n['node-name'] for n in q('query-named-block-nodes') if n['drv'] == driver]
            assert len(found) == 1 and (found[0] == name or (not name and found[0][0] == '#')), (kind, found)
            shown = q('query-block')[0]['inserted']
            above = (name or kind == 'backup') and kind != 'commit'
            assert shown['node-name'] == (found[0] if above else 'top'), (kind, shown)
            assert shown['backing_file_depth'] == 2 + bool(name or kind == 'backup')
            q.fails('block-stream', 'is busy', device='top', job_id='k')
            q('block-job-cancel', device='j', force=True)
            q.wait('JOB_STATUS_CHANGE', id='j', status='null')
            assert not [n for n in q('query-named-block-nodes') if n['drv'] == driver], kind
            assert q('query-block')[0]['inserted']['node-name'] == 'top'
            q.end()


def test_write_blocking():
    chain()
    img('create', '-q', '-f', 'qcow2', 't.qcow2', '16M')
    q = Qmp(*D0)
    q.qcow2('t.qcow2', 't')
    q('blockdev-mirror', device='d0', job_id='m', target='t', sync='full', copy_mode='write-blocking', speed=1)
    # the copy in the background stands still: what the guest writes is there nevertheless
    for command in ('write -P 7 5M 64k', 'write -P 8 9000k 3k', 'write -z 8M 32k', 'write -P 9 13M 1M', 'discard 13500k 64k'):
        q.io('d0', command)
        if 'discard' not in command:
            words = command.replace('write', 'read').replace('-z', '-P 0').split()
            q.io('t', ' '.join(words))
    q('block-job-set-speed', device='m', speed=0)
    q.wait('BLOCK_JOB_READY', device='m')
    q.io('d0', 'write -P 11 15M 128k')
    q.io('t', 'read -P 11 15M 128k')
    q('block-job-complete', device='m')
    q.done('m')
    assert q('query-block')[0]['inserted']['node-name'] == 't'
    q.end()
    same('t.qcow2', 'top.qcow2')
    # a target that fails ends the job, and the guest hears nothing of it
    img('create', '-q', '-f', 'raw', 't.raw', '16M')
    q = Qmp(*D0)
    q('blockdev-add', driver='raw', node_name='t', file={'driver': 'blkdebug', 'image': {'driver': 'file', 'filename': 't.raw'},
      'inject-error': [{'event': 'none', 'iotype': 'write', 'sector': 10 << 11, 'once': False}]})
    q('blockdev-mirror', device='d0', job_id='m', target='t', sync='none', copy_mode='write-blocking')
    q.wait('BLOCK_JOB_READY', device='m')
    q.io('d0', 'write 10M 64k')
    e = q.wait('BLOCK_JOB_COMPLETED', device='m')
    assert e['error'] == 'Input/output error', e
    q.end()


def hmp(q, line):
    return q('human-monitor-command', command_line=line).replace('\r', '')


def test_human():
    """The human monitor's commands, and what they say."""
    chain()
    q = Qmp(*D0)
    assert hmp(q, 'info block') == ("""d0 (top): top.qcow2 (qcow2)
    Removable device: not locked, tray closed
    Cache mode:       writeback
    Backing file:     mid.qcow2 (chain depth: 2)
""")
    text = hmp(q, 'info block -v d0')
    assert text.count('image: ') == 3 and 'backing file format: qcow2\nFormat specific information:\n    compat: 1.1\n' in text
    assert hmp(q, 'info block -n mid').strip().startswith('mid: mid.qcow2 (qcow2, read-only)\n')
    assert hmp(q, 'info block-jobs') == 'No active jobs\n'
    assert hmp(q, 'block_stream d0 1') == ''
    assert hmp(q, 'block_job_pause d0') == ''
    assert hmp(q, 'info block-jobs').endswith(' of 16777216 bytes, speed limit 1048576 bytes/s\n')
    assert hmp(q, 'block_job_resume d0') + hmp(q, 'block_job_set_speed d0 0') == ''
    q.done('d0')
    assert hmp(q, 'block_job_cancel d0') == "Error: Block job 'd0' not found\n"
    assert hmp(q, 'drive_backup d0') == 'drive_backup: string expected\nTry "help drive_backup" for more information\n'
    assert hmp(q, 'drive_backup -f d0 b.qcow2 qcow2') == ''
    q.done('d0')
    assert hmp(q, 'drive_mirror -f d0 m.qcow2 qcow2') == ''
    q.wait('BLOCK_JOB_READY')
    assert hmp(q, 'block_job_complete d0') == ''
    q.done('d0')
    assert hmp(q, 'snapshot_blkdev d0') == "Error: Parameter 'snapshot-file' is missing\n"
    assert hmp(q, 'snapshot_blkdev d0 s.qcow2') == ''
    q.io('d0', 'write -P 5 4M 1M')
    assert hmp(q, 'commit zz') == "Device 'zz' not found\n"
    assert hmp(q, 'commit d0') + hmp(q, 'commit all') == ''
    assert hmp(q, 'snapshot_blkdev_internal d0 one') == ''
    assert hmp(q, 'snapshot_delete_blkdev_internal d0 one') == ''
    assert hmp(q, 'block_resize d0 zz') == 'invalid size\nTry "help block_resize" for more information\n'
    assert hmp(q, 'block_resize d0 20') == ''
    assert hmp(q, 'drive_add 0 if=none,id=a,file=b.qcow2,format=qcow2') == 'OK\n'
    assert hmp(q, 'drive_add 0 if=none,id=a,file=b.qcow2') == "Duplicate ID 'a' for drive\n"
    assert hmp(q, 'drive_add -n 0 driver=null-co,node-name=n') == ''
    assert hmp(q, 'drive_del a') + hmp(q, 'drive_del n') == ''
    assert hmp(q, 'drive_del a') == "Device 'a' not found\n"
    assert hmp(q, 'nbd_server_start -a unix:sock') + hmp(q, 'nbd_server_stop') == ''
    assert hmp(q, 'nbd_server_add d0') == 'Error: NBD server not running\n'
    q.end()
    io('m.qcow2', 'read -P 5 4M 1M')


def test_devices():
    """Trays, latencies, copy-on-read and snapshot=on of drives that devices have."""
    chain()
    img('create', '-q', '-f', 'raw', 'r.raw', '1M')
    img('create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', 'b.qcow2')
    q = Qmp('-M', 'pc', '-accel', 'qtest', '-nodefaults', *D0[:1], D0[1] + ',stats-intervals=5:10', '-device', 'virtio-blk-pci,drive=d0,id=v',
            '-drive', 'if=none,id=cd,media=cdrom', '-device', 'ide-cd,drive=cd,id=c',
            '-drive', 'if=none,id=s,snapshot=on,file=mid.qcow2', '-drive', 'if=none,id=r,copy-on-read=on,file=b.qcow2')
    assert hmp(q, 'change cd r.raw raw') == ''
    moves = [q.wait('DEVICE_TRAY_MOVED')['tray-open'] for _ in range(2)]
    assert moves == [True, False], moves
    q.fails('blockdev-remove-medium', "Tray of device 'cd' is not open", id='c')
    assert hmp(q, 'eject cd') == '' and q.wait('DEVICE_TRAY_MOVED')['tray-open']
    assert hmp(q, 'info block cd').strip().endswith('Removable device: not locked, tray open')
    q('blockdev-close-tray', id='c')
    assert not q.wait('DEVICE_TRAY_MOVED')['tray-open']
    device = '/machine/peripheral/v/virtio-backend'
    q.fails('block-latency-histogram-set', 'set read boundaries fail', id=device, boundaries=[10, 5])
    q('block-latency-histogram-set', id=device, boundaries=[10, 50], boundaries_write=[7])
    stats = [s['stats'] for s in q('query-blockstats') if s['device'] == 'd0'][0]
    assert stats['wr_latency_histogram'] == {'boundaries': [7], 'bins': [0, 0]}
    assert [t['interval_length'] for t in stats['timed_stats']] == [5, 10]
    q('block-latency-histogram-set', id=device)
    assert 'wr_latency_histogram' not in q('query-blockstats')[0]['stats']
    q.io('s', 'write -P 77 3M 64k')
    q.io('r', 'read -P 1 0 128k')
    inserted = {b['device']: b['inserted'] for b in q('query-block') if 'inserted' in b}
    assert inserted['s']['drv'] == 'qcow2' and inserted['s']['backing_file'] == 'mid.qcow2'
    assert inserted['r']['drv'] == 'qcow2'
    assert hmp(q, 'commit s') == ''
    q.end()
    io('mid.qcow2', 'read -P 77 3M 64k')
    img('rebase', '-u', '-b', '', 'b.qcow2')
    io('b.qcow2', 'read -P 1 0 128k', 'read -P 0 128k 64k')


for name, fn in list(globals().items()) if __name__ == '__main__' else []:
    if name.startswith('test_'):
        fn()
        for f in os.listdir('.'):
            os.unlink(f)
        print(name)
