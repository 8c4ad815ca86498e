#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks to an emulator as its clients do, with requests that are mostly right: monitors, gdb, VNC, NBD, chardevs;
and starts some with random options.

usage: fuzz-clients.py [--binary PROGRAM] [--count N] [--seed N] [--save FILE] [--list] [NAME...]

N requests for each protocol (all, unless named). The emulator must survive and go on answering. The seed is printed, and on a
failure what was sent last; --save keeps all of it.
"""
import argparse
import os
import random
import shlex
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fuzz"))
import commandline  # noqa: E402  (the path comes first)
import monitor  # noqa: E402
import wire  # noqa: E402
from process import Died, Emulator  # noqa: E402

TARGETS = {**monitor.TARGETS, **wire.TARGETS}
EPISODE = 400  # requests to one process; a fresh one comes to states that an old one has left


def episode(name, args, rng, count):
    """That many requests to one emulator; what went wrong, or nothing."""
    kind = TARGETS[name]
    sent = []
    with Emulator(args.binary, kind.build()) as emulator:
        try:
            emulator.connect()
            target = kind(emulator, rng, sent.append)
            for _ in range(count):
                target.step()
                emulator.alive()
            problem = ""
        except (Died, OSError) as e:
            problem = f"{e}, status {emulator.process.poll()}"
        said = emulator.said()
    if "runtime error" in said or "Sanitizer" in said:
        problem = problem or "undefined behaviour"
    if problem:
        if args.save:
            with open(args.save, "w", encoding="utf-8") as f:
                f.write("\n".join(sent) + "\n")
        print("\n".join(text[:400] for text in sent[-5:]))
        print(said[-4000:])
    return problem


def command_lines(args, seed):
    """That many processes, each with options of its own."""
    target = commandline.CommandLine(os.path.abspath(args.binary), random.Random(f"{seed} options"))
    for _ in range(args.count):
        arguments, status, said = target.step()
        if status not in (0, 1) or "runtime error" in said or "Sanitizer" in said:
            print(shlex.join(arguments), said[-4000:], f"fuzz-clients: options: status {status}, seed {seed}", sep="\n")
            return False
    return True


def run(name, args, seed):
    if name == "options":
        return command_lines(args, seed)
    rng = random.Random(f"{seed} {name}")
    left = args.count
    while left > 0:
        count = min(left, EPISODE)
        left -= count
        problem = episode(name, args, rng, count)
        if problem:
            print(f"fuzz-clients: {name}: {problem}, seed {seed}")
            return False
    return True


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="build/qemu-system-x86_64")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--save", help="file that gets all that was sent before a failure")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args(argv[1:])
    if args.list:
        print("\n".join(sorted([*TARGETS, "options"])))
        return 0
    seed = args.seed if args.seed is not None else random.randrange(1 << 32)
    names = args.names or sorted([*TARGETS, "options"])
    print(f"fuzz-clients: seed {seed}, {args.count} requests for each of {len(names)} protocols", flush=True)
    failed = [name for name in names if not run(name, args, seed)]
    print(f"fuzz-clients: {len(names) - len(failed)} survived" + (f", failed: {' '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
