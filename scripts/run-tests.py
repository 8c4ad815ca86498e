#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs unit tests and suites in parallel, reads their TAP and counts.

usage: run-tests.py --source DIR --build DIR [--match TEXT] [--with COMMAND] [--unit PROGRAM]... [--suite RUN]...

A unit test is a program that prints TAP (glib's g_test does with --tap). A suite is an executable
tests/<name>/run that prints TAP too; it finds SOURCE_DIR and BUILD_DIR in its environment, runs in
the build folder, and takes an optional filter as its one argument. --with is put before
unit tests: an emulator of the host that they were built for. The last line printed is
"N passed, N failed" (and ", N skipped" when some were); exit status 1 says that something failed.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

TAP = re.compile(r"^\s*(not )?ok\b *\d*\s*-? *(.*?)(?:\s+#\s*(skip|todo)\b\s*(.*))?$", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")
TIMEOUT_SECONDS = 900


class Result:
    """What one program said."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.output = ""


def read_tap(result, text, status):
    """Counts the TAP lines of text; a program that ends badly or early is a failure of its own."""
    plan = None
    seen = 0
    for line in text.splitlines():
        m = PLAN.match(line)
        if m:
            plan = int(m.group(1))
        m = TAP.match(line)
        if not m:
            continue
        seen += 1
        if m.group(3) and m.group(3).lower() == "skip":
            result.skipped.append(f"{m.group(2)}: {m.group(4)}")
        elif m.group(1) and not m.group(3):
            result.failed.append(m.group(2))
        else:
            result.passed += 1
    if status != 0 and not result.failed:
        result.failed.append(f"exit status {status}")
    elif status == 0 and seen == 0 and plan != 0:
        result.failed.append("no test result")
    elif plan is not None and seen < plan:
        result.failed.append(f"{plan - seen} of {plan} tests did not report")


def run(name, command, build, env):
    """Runs one program and returns its Result."""
    result = Result(name)
    with tempfile.TemporaryDirectory(prefix="check-") as tmp:
        try:
            p = subprocess.run(command, cwd=build, env=dict(env, TMPDIR=tmp), text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, errors="replace",
                               stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS, check=False)
            result.output = p.stdout
            read_tap(result, p.stdout, p.returncode)
        except subprocess.TimeoutExpired as e:
            out = e.stdout or b""
            result.output = out.decode(errors="replace") if isinstance(out, bytes) else out
            result.failed.append(f"not done after {TIMEOUT_SECONDS} s")
        except OSError as e:
            result.failed.append(str(e))
    return result


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--match", default="")
    parser.add_argument("--with", dest="with_command", default="")
    parser.add_argument("--unit", action="append", default=[])
    parser.add_argument("--suite", action="append", default=[])
    args = parser.parse_args(argv[1:])
    build = os.path.abspath(args.build)
    source = os.path.abspath(args.source)
    env = dict(os.environ, SOURCE_DIR=source, BUILD_DIR=build, G_TEST_SRCDIR=source,
               G_TEST_BUILDDIR=build, PYTHONDONTWRITEBYTECODE="1",
               TEST_RUN_WITH=args.with_command)
    jobs = []
    for suite in args.suite:
        jobs.append((os.path.dirname(suite).removeprefix("tests/"), [os.path.join(source, suite)]))
    for unit in args.unit:
        jobs.append((unit.removeprefix("tests/"),
                     args.with_command.split() + [os.path.join(build, unit), "--tap"]))
    jobs = [j for j in jobs if args.match in j[0]]

    passed, failed, skipped = 0, 0, 0
    workers = int(os.environ.get("TEST_JOBS", os.cpu_count() or 2))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for f in concurrent.futures.as_completed(
                [pool.submit(run, name, cmd, build, env) for name, cmd in jobs]):
            r = f.result()
            passed += r.passed
            failed += len(r.failed)
            skipped += len(r.skipped)
            print(f"  {'FAIL' if r.failed else 'ok':<5}{r.name}: {r.passed} passed"
                  + (f", {len(r.failed)} failed" if r.failed else ""), flush=True)
            for s in r.skipped:
                print(f"       skipped {s}")
            if r.failed:
                for s in r.failed:
                    print(f"       failed: {s}")
                print("\n".join("       | " + line for line in r.output.splitlines()[-60:]))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
