#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pokes wild values at every register bank, at PCI functions, ports and memory of a machine.

usage: fuzz-banks.py [--binary PROGRAM] [--count N] [--seed N] [-- EMULATOR_ARGS...]

The emulator must survive and go on answering. The seed is printed first; on a failure the last
commands are too. The same seed, arguments and binary give the same commands.
"""
import argparse
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fuzz"))
from machine import Qtest, QtestError, config, map_bars, wild    # noqa: E402  (the path comes first)


def bank_command(rng, banks):
    path, name, size = rng.choice(banks)
    access = rng.choice([1, 2, 4, 4, 8])
    while access > size:
        access //= 2
    # mostly near the start, where registers are
    limit = size if rng.randrange(4) == 0 else min(size, 0x200)
    offset = rng.randrange(0, limit - access + 1)
    if rng.randrange(8):
        offset -= offset % access
    if rng.randrange(3) == 0:
        return f"bankread {path} {name} {offset} {access}"
    return f"bankwrite {path} {name} {offset} {access} {wild(rng, access)}"


def map_pci(q):
    """Maps all functions of bus 0: (their numbers, their windows)."""
    at = {"io": 0xc000, "mem": 0xe0000000}
    functions, windows = [], []
    for bdf in range(256):
        if config(q, bdf, 0) & 0xffff == 0xffff:
            continue
        functions.append(bdf)
        if config(q, bdf, 0xc) >> 16 & 0x7f == 0:
            windows += map_bars(q, bdf, at).values()
    return functions, windows


def pci_command(rng, functions, windows):
    if not windows or rng.randrange(12) == 0:
        bdf, offset = rng.choice(functions), rng.randrange(0, 0x100, 4)
        # BARs stay where they are, so that the windows go on being good
        if not 0x10 <= offset < 0x34 and offset != 4:
            return [f"outl 0xcf8 {0x80000000 | bdf << 8 | offset}",
                    f"outl 0xcfc {wild(rng, 4)}"]
    if not windows:
        return []
    is_io, address, size = rng.choice(windows)
    access, letter = rng.choice([(1, "b"), (2, "w"), (4, "l"), (4, "l")])
    if rng.randrange(2):
        address += rng.randrange(0, min(size, 0x100))
    else:
        address += rng.randrange(size)
    if rng.randrange(8):
        address &= -access
    write = rng.randrange(4)
    name = ("out" if write else "in") if is_io else ("write" if write else "read")
    # addresses of rings and buffers should often be good ones
    value = rng.randrange(0, 0x10000, 16) if rng.randrange(4) == 0 else wild(rng, access)
    text = f"{name}{letter} {address}"
    return [text + (f" {value & (1 << 8 * access) - 1}" if write else "")]


def next_commands(rng, banks, functions, windows):
    kind = rng.randrange(16)
    if kind < 6 and banks:
        return [bank_command(rng, banks)]
    if kind < 13 and functions:
        return pci_command(rng, functions, windows)
    return [other_command(rng)]


def other_command(rng):
    kind = rng.randrange(6)
    size, letter = rng.choice([(1, "b"), (2, "w"), (4, "l")])
    if kind == 0:
        return f"clock_step {rng.choice([1, 1000, 1000000, 50000000])}"
    if kind == 1:
        return f"out{letter} {rng.randrange(0x10000)} {wild(rng, size)}"
    if kind == 2:
        return f"in{letter} {rng.randrange(0x10000)}"
    if kind == 3:
        # something that a device may take for a ring or a descriptor
        return f"writeq {rng.randrange(0, 0x10000, 8)} {wild(rng, 8)}"
    if kind == 4:
        return f"write{letter} {rng.choice([0xfec00000, 0xfed00000, 0xfee00000]) + rng.randrange(0, 0x1000, 4)} {wild(rng, size)}"
    return "device_reset" if rng.randrange(200) == 0 else "clock_step 100"


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default="./qemu-system-x86_64")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("args", nargs="*", default=["-M", "pc"])
    args = parser.parse_args(argv[1:])
    seed = args.seed if args.seed is not None else random.randrange(1 << 32)
    rng = random.Random(seed)
    print(f"fuzz-banks: seed {seed}, {args.count} commands, {' '.join(args.args)}", flush=True)
    recent = []
    with Qtest(os.path.abspath(args.binary), args.args + ["-no-shutdown"]) as q:
        banks = []
        for word in q.command("banks"):
            path, name, size = word.rsplit(":", 2)
            banks.append((path, name, int(size, 0)))
        functions, windows = map_pci(q)
        done = 0
        while done < args.count:
            for text in next_commands(rng, banks, functions, windows):
                recent = recent[-19:] + [text]
                done += 1
                try:
                    q.command(text)
                except QtestError:
                    pass    # refused, as it may be
                except OSError as e:
                    print("\n".join(recent))
                    print(f"fuzz-banks: {e}, status {q.process.poll()}, seed {seed}\n{q.errors()}")
                    return 1
    print(f"fuzz-banks: {done} commands to {len(banks)} banks, {len(functions)} PCI functions with "
          f"{len(windows)} windows survived")
    return 0

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except QtestError as problem:
        sys.exit(f"fuzz-banks: {problem}")
