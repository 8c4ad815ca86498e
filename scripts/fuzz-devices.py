#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drives devices as their drivers do, with lists, rings and descriptors that are mostly right.

usage: fuzz-devices.py [--binary PROGRAM] [--count N] [--seed N] [--list] [NAME...]

N rounds for each device (all, unless named). The emulator must survive and go on answering. The seed is printed; on a failure
the last commands are too, and --save keeps all of them.
"""
import argparse
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fuzz"))
from machine import Qtest, QtestError  # noqa: E402  (the path comes first)
import express  # noqa: E402
import ide  # noqa: E402
import network  # noqa: E402
import other  # noqa: E402
import storage  # noqa: E402
import usb  # noqa: E402
import virtio  # noqa: E402

TARGETS = {**virtio.TARGETS, **ide.TARGETS, **storage.TARGETS, **usb.TARGETS, **network.TARGETS, **other.TARGETS,
           **express.TARGETS}


def rounds(device, count):
    """
    That many steps, in episodes that begin with a reset. In some nothing comes between a device's own steps, which go deep;
    in others wild accesses do.
    """
    rng = device.rng
    while count > 0:
        steps = min(count, rng.randrange(5, 60))
        count -= steps
        wildness = rng.choice([0, 0, 0.05, 0.3])
        device.send("device_reset")
        device.plug()
        device.start()
        for _ in range(steps):
            device.step()
            if rng.random() < wildness:
                device.poke()
            if rng.random() < wildness / 2:
                device.scribble()
            if rng.random() < 0.1:
                device.send(
                    f"clock_step {rng.choice([1, 1000, 125000, 1000000, 20000000, 1000000000])}"
                )
            if rng.random() < wildness / 10:
                device.start()
    device.q.command("clock_step 100000000")


def run(name, args, seed):
    kind = TARGETS[name]
    recent = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        os.mkdir(os.path.join(folder, "share"))
        with Qtest(os.path.abspath(args.binary), kind.arguments(folder) + ["-no-shutdown"]) as q:
            command = q.command

            def kept(text):
                recent.append(text)
                if not args.save and len(recent) > 400:
                    del recent[:200]
                return command(text)

            q.command = kept
            try:
                rounds(kind(q, random.Random(f"{seed} {name}")), args.count)
            except OSError as e:
                if args.save:
                    with open(args.save, "w", encoding="ascii") as f:
                        f.write("\n".join(recent) + "\n")
                tail = "\n".join(text[:200] for text in recent[-12:])
                print(
                    f"{tail}\nfuzz-devices: {name}: {e}, status {q.process.poll()}, seed {seed}\n{q.errors()[-4000:]}"
                )
                return False
            said = [line for line in q.errors().splitlines() if "runtime error" in line]
            if said:
                print("\n".join(said[:10]))
                print(f"fuzz-devices: {name}: undefined behaviour, seed {seed}")
                return False
            return True


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="build/qemu-system-x86_64")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--save", help="file that gets all commands of a failure")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args(argv[1:])
    if args.list:
        print("\n".join(sorted(TARGETS)))
        return 0
    seed = args.seed if args.seed is not None else random.randrange(1 << 32)
    names = args.names or sorted(TARGETS)
    print(
        f"fuzz-devices: seed {seed}, {args.count} rounds for each of {len(names)} devices",
        flush=True,
    )
    failed = [name for name in names if not run(name, args, seed)]
    print(
        f"fuzz-devices: {len(names) - len(failed)} survived"
        + (f", failed: {' '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except QtestError as problem:
        sys.exit(f"fuzz-devices: {problem}")
