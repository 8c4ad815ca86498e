#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs .poke scripts (docs/devel/poke.md) and prints TAP, a line a script.

usage: run-poke.py [--binary PROGRAM] SCRIPT...
"""
import argparse
import concurrent.futures
import json
import os
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qtest_client import Qtest, QtestError    # noqa: E402  (the path comes first)

BANK = re.compile(r"^(.+)\.([A-Za-z0-9_-]+)\+(\w+)$")
LETTER = {1: "b", 2: "w", 4: "l", 8: "q"}


class Mismatch(Exception):
    """What came is not what the script expects."""


def number(text):
    try:
        return int(text, 0)
    except ValueError:
        raise Mismatch(f"'{text}' is not a number") from None


def pin_of(text):
    """'dev', 'dev.irq' or 'dev.out[3]' as the arguments of a pin command."""
    m = re.match(r"^(.+?)(?:\.([A-Za-z0-9_-]+)(?:\[(\d+)\])?)?$", text)
    return m.group(1), m.group(2), m.group(3) or "0"


class Script:
    """One script and the emulator that it runs on."""

    def __init__(self, q):
        self.q = q
        self.variables = {}

    # -- commands: take the words after the name, return (words of the answer, rest of words)

    def read(self, size, words):
        target = words[0]
        m = BANK.match(target)
        if m:
            answer = self.q.command(f"bankread {m[1]} {m[2]} {m[3]} {size}")
        else:
            answer = self.q.command(f"read{LETTER[size]} {number(target)}")
        return answer, words[1:]

    def write(self, size, words):
        target, value = words[0], number(words[1])
        m = BANK.match(target)
        value &= (1 << size * 8) - 1
        if m:
            answer = self.q.command(f"bankwrite {m[1]} {m[2]} {m[3]} {size} {value}")
        else:
            answer = self.q.command(f"write{LETTER[size]} {number(target)} {value}")
        return answer, words[2:]

    def run_in(self, size, words):
        return self.q.command(f"in{LETTER[size]} {number(words[0])}"), words[1:]

    def run_out(self, size, words):
        return self.q.command(f"out{LETTER[size]} {number(words[0])} {number(words[1])}"), words[2:]

    def run_put(self, words):
        data = bytes.fromhex(words[1])
        return self.q.command(f"write {number(words[0])} {len(data)} 0x{data.hex()}"), words[2:]

    def run_fill(self, words):
        return self.q.command("memset " + " ".join(str(number(w)) for w in words[:3])), words[3:]

    def run_mem(self, words):
        want = bytes.fromhex(words[1])
        got = self.q.command(f"read {number(words[0])} {len(want)}")[0][2:]
        if got != want.hex():
            raise Mismatch(f"memory at {words[0]} is {got}")
        return [], words[2:]

    def run_step(self, words):
        if words and words[0][0].isdigit():
            return self.q.command(f"clock_step {number(words[0])}"), words[1:]
        return self.q.command("clock_step"), words

    def run_set(self, words):
        device, pin, n = pin_of(words[0])
        return self.q.command(f"set_irq_in {device} {pin} {n} {number(words[1])}"), words[2:]

    def run_reset(self, words):
        if words and words[0] != "ok":
            return self.q.command(f"device_reset {words[0]}"), words[1:]
        return self.q.command("device_reset"), words

    def run_irq(self, words):
        device, pin, n = pin_of(words[0])
        text = f"pin {device} {pin} {n}" if pin else f"pin {device}"
        level = self.q.command(text)[0]
        if int(level) != number(words[1]):
            raise Mismatch(f"irq {words[0]} is {level}")
        return [], words[2:]

    def run_exit(self, words):
        status = self.q.wait()
        if status != number(words[0]):
            raise Mismatch(f"exit status {status}")
        return [], words[1:]

    def run_let(self, words):
        if words[1][0].isdigit():
            self.variables[words[0]] = words[1]
            return [], words[2:]
        answer, rest = self.dispatch(words[1:])
        self.variables[words[0]] = answer[0]
        return [], rest

    # -- a line

    def dispatch(self, words):
        name = words[0]
        m = re.match(r"^(r|w|in|out)([1248])$", name)
        if m:
            families = {"r": self.read, "w": self.write, "in": self.run_in, "out": self.run_out}
            return families[m[1]](int(m[2]), words[1:])
        run = getattr(self, "run_" + name, None)
        if run is None:
            raise Mismatch(f"no command '{name}'")
        return run(words[1:])

    def expect(self, answer, rest):
        """rest: 'ok', 'ok VALUE', 'ok VALUE/MASK', 'irq ...', one after the other."""
        while rest:
            if rest[0] == "irq":
                rest = self.run_irq(rest[1:])[1]
            elif rest[0] == "ok":
                rest = rest[1:]
                if rest and rest[0] != "irq":
                    value, _, mask = rest[0].partition("/")
                    mask = number(mask) if mask else -1
                    if not answer or (int(answer[0], 0) ^ number(value)) & mask:
                        raise Mismatch(f"got {answer[0] if answer else 'nothing'}")
                    rest = rest[1:]
            else:
                raise Mismatch(f"cannot understand '{' '.join(rest)}'")

    def run_qmp_line(self, text):
        """qmp {json} or qmp NAME {args}, then nothing or 'error TEXT' on the same line."""
        m = re.match(r"^qmp\s+([\w-]+)?\s*(\{.*\})?\s*(?:error\s+(.*))?$", text)
        arguments = json.loads(m[2]) if m[2] else {}
        request = {"execute": m[1], "arguments": arguments} if m[1] else arguments
        reply = self.q.run_qmp(request)
        problem = reply.get("error", {}).get("desc")
        if (problem is None) != (m[3] is None) or (problem and m[3] not in problem):
            raise Mismatch(f"qmp: {reply}")

    def run_event_line(self, text):
        """event NAME {members}: the next event of that name has at least these data."""
        name, _, data = text.split(" ", 1)[1].partition(" ")
        want, got = json.loads(data or "{}"), self.q.wait_event(name)
        have = got.get("data", {})
        if any(have.get(k) != v for k, v in want.items()):
            raise Mismatch(f"event: {got}")

    def run_line(self, text):
        text = re.sub(r"\$(\w+)", lambda m: self.variables.get(m[1], m[0]), text)
        if text.startswith("qmp "):
            self.run_qmp_line(text)
            return
        if text.startswith("event "):
            self.run_event_line(text)
            return
        words = text.split()
        times = 1
        if words[0] == "repeat":
            times, words = number(words[1]), words[2:]
        for _ in range(times):
            if "fail" in words[1:]:
                self.run_failing(words[:words.index("fail")])
                continue
            self.expect(*self.dispatch(words))

    def run_failing(self, words):
        try:
            self.dispatch(words)
        except QtestError:
            return
        raise Mismatch("should have been refused")


def read_script(path):
    """(directives, [(number, line)]) of a script."""
    directives, lines = {}, []
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            m = re.match(r"^#\s*(args|binary):\s*(.*)$", line)
            if m:
                directives[m[1]] = (directives.get(m[1], "") + " " + m[2]).strip()
            line = re.sub(r"(^|\s)#.*$", "", line).strip()
            if line:
                lines.append((n, line))
    return directives, lines


def run_script(path, binary):
    """None if all is well, else what is not."""
    directives, lines = read_script(path)
    if "binary" in directives:
        binary = os.path.join(os.path.dirname(binary), directives["binary"])
    at = "start"
    try:
        with Qtest(binary, shlex.split(directives.get("args", "")),
                   any(text.startswith(("qmp ", "event ")) for _, text in lines)) as q:
            script = Script(q)
            for n, text in lines:
                at = f"line {n}: {text}"
                try:
                    script.run_line(text)
                except (OSError, ConnectionError) as e:
                    return f"{at}: {e}; exit status {q.process.poll()}\n{q.errors()}"
    except (QtestError, Mismatch, IndexError, ValueError) as e:
        return f"{at}: {e}"
    return None


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=os.path.join(os.environ.get("BUILD_DIR", "."),
                                                         "qemu-system-x86_64"))
    parser.add_argument("scripts", nargs="+")
    args = parser.parse_args(argv[1:])
    binary = os.path.abspath(args.binary)
    print(f"1..{len(args.scripts)}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda p: run_script(p, binary), args.scripts)
        for n, (path, problem) in enumerate(zip(args.scripts, results), 1):
            name = os.path.basename(path)
            print(f"{'not ' if problem else ''}ok {n} - {name}", flush=True)
            for line in (problem or "").splitlines():
                print(f"# {line}")
            failed += problem is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
