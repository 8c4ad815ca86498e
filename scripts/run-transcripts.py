#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs transcripts of the command line (*.cli) and of QMP and the human monitor (*.qmp), prints TAP.

usage: run-transcripts.py FOLDER [FILTER]      with BUILD_DIR in the environment

A .cli file is a sequence of runs:
    $ OPTIONS              run qemu-system-x86_64 with these; %T is a scratch folder. A first word
                           that begins with "qemu-" is the program to run instead
    exit N                 expected exit status, 0 when not said
    | TEXT                 a line of standard output;  ! TEXT  a line of standard error
Output that is listed must be there, in order and complete, with * and ? as in a shell; a line
"| ..." or "! ..." stands for any number of lines.

A .qmp file is one conversation:
    $ OPTIONS              as above; "-qmp stdio" or "-monitor stdio" is for the file to give
    > TEXT                 sent as a line
    < JSON                 the next answer; members that it names must be equal, others may be
                           there; "*" stands for any value. Events are not answers
    ! JSON                 an event that must have come by then, or comes now
    | TEXT                 the next line of the human monitor, as above
    env NAME=VALUE         for the program, before its $ line
    exit N
"""
import fnmatch
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading

TIMEOUT_SECONDS = 60


class Failure(Exception):
    pass


def binary(name='qemu-system-x86_64'):
    return os.path.join(os.path.abspath(os.environ.get('BUILD_DIR', '.')), name)


def pattern(text):
    return text.replace('[', '[[]')


def compare_lines(kind, wanted, got):
    """wanted: patterns; '...' skips any number of lines."""
    if not wanted:
        return
    i = 0
    skipping = False
    for n, w in enumerate(wanted):
        if w == '...':
            skipping = True
            continue
        while i < len(got) and skipping and not fnmatch.fnmatchcase(got[i], pattern(w)):
            i += 1
        if i == len(got):
            raise Failure(f'{kind}: ends before line {n + 1}: {w}')
        if not fnmatch.fnmatchcase(got[i], pattern(w)):
            raise Failure(f'{kind}: expected: {w}\n#      got: {got[i]}')
        i += 1
        skipping = False
    if i < len(got) and not skipping:
        raise Failure(f'{kind}: unexpected line: {got[i]}')


def run_cli(path):
    with open(path, encoding='utf-8') as f:
        lines = [x.rstrip('\n') for x in f]
    runs = []
    for line in lines:
        if line.startswith('$'):
            runs.append({'args': line[1:].strip(), 'exit': 0, '|': [], '!': []})
        elif line.startswith('exit '):
            runs[-1]['exit'] = int(line[5:])
        elif line[:1] in ('|', '!'):
            runs[-1][line[0]].append(line[2:])
        elif line and not line.startswith('#'):
            raise Failure(f'cannot read: {line}')
    for r in runs:
        with tempfile.TemporaryDirectory() as scratch:
            args = shlex.split(r['args'].replace('%T', scratch))
            name = args.pop(0) if args and args[0].startswith('qemu-') else 'qemu-system-x86_64'
            p = subprocess.run([binary(name)] + args, stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=TIMEOUT_SECONDS, check=False)
            try:
                if p.returncode != r['exit']:
                    raise Failure(f'exit status {p.returncode}, not {r["exit"]}\n# '
                                  + p.stderr.decode(errors='replace').replace('\n', '\n# '))
                for key, data, kind in (('|', p.stdout, 'stdout'), ('!', p.stderr, 'stderr')):
                    text = data.decode(errors='replace').replace(scratch, '%T')
                    compare_lines(kind, r[key], text.splitlines())
            except Failure as e:
                raise Failure(f'$ {r["args"]}: {e}') from None


def matches(wanted, got):
    if wanted == '*':
        return True
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(
            k in got and matches(v, got[k]) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(
            matches(w, g) for w, g in zip(wanted, got))
    if isinstance(wanted, str) and isinstance(got, str):
        return fnmatch.fnmatchcase(got, pattern(wanted))
    return wanted == got and isinstance(wanted, bool) == isinstance(got, bool)


class Conversation:
    def __init__(self, args, env):
        self.p = subprocess.Popen([binary()] + args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env={**os.environ, **env})
        self.timer = threading.Timer(TIMEOUT_SECONDS, self.p.kill)
        self.timer.start()
        self.events = []

    def line(self):
        line = self.p.stdout.readline().decode(errors='replace')
        if not line:
            raise Failure('the program has ended: ' + self.p.stderr.read().decode(errors='replace'))
        return line.rstrip('\r\n')

    def answer(self):
        while True:
            o = json.loads(self.line())
            if 'event' not in o:
                return o
            self.events.append(o)

    def event(self, wanted):
        while True:
            for i, e in enumerate(self.events):
                if matches(wanted, e):
                    del self.events[i]
                    return
            o = json.loads(self.line())
            if 'event' not in o:
                raise Failure(f'answer {json.dumps(o)} before event {json.dumps(wanted)}')
            self.events.append(o)

    def close(self):
        self.p.stdin.close()
        self.p.stdout.read()
        self.p.stdout.close()
        self.p.stderr.close()
        status = self.p.wait()
        self.timer.cancel()
        return status


def run_qmp(path):
    with open(path, encoding='utf-8') as f:
        lines = [x.rstrip('\n') for x in f]
    c = None
    env = {}
    wanted_status = 0
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for line in (x.replace('%T', scratch) for x in lines):
                body = line[2:]
                if line.startswith('$'):
                    c = Conversation(shlex.split(line[1:]), env)
                elif line.startswith('>'):
                    c.p.stdin.write(body.encode() + b'\n')
                    c.p.stdin.flush()
                elif line.startswith('<'):
                    got = c.answer()
                    if not matches(json.loads(body), got):
                        raise Failure(f'expected: {body}\n#      got: {json.dumps(got)[:2000]}')
                elif line.startswith('!'):
                    c.event(json.loads(body))
                elif line.startswith('|'):
                    got = c.line()
                    if not fnmatch.fnmatchcase(got, pattern(body)):
                        raise Failure(f'expected: {body}\n#      got: {got}')
                elif line.startswith('exit '):
                    wanted_status = int(line[5:])
                elif line.startswith('env '):
                    env.update([line[4:].split('=', 1)])
                elif line and not line.startswith('#'):
                    raise Failure(f'cannot read: {line}')
            status = c.close()
            if status != wanted_status:
                raise Failure(f'exit status {status}, not {wanted_status}')
        finally:
            if c and c.p.poll() is None:
                c.p.kill()
                c.timer.cancel()


def main(argv):
    folder, only = argv[0], argv[1] if len(argv) > 1 else ''
    files = sorted(f for f in os.listdir(folder) if f.endswith(('.cli', '.qmp')) and only in f)
    if not os.path.exists(binary()):
        print('1..0 # skip qemu-system-x86_64 is not built')
        return 0
    print(f'1..{len(files)}')
    bad = 0
    for n, f in enumerate(files, 1):
        try:
            (run_cli if f.endswith('.cli') else run_qmp)(os.path.join(folder, f))
            print(f'ok {n} {f}')
        except (Failure, ValueError, OSError, subprocess.TimeoutExpired) as e:
            bad += 1
            print(f'not ok {n} {f}\n# {e}')
    return bad > 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
