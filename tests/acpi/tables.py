#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the ACPI tables that an emulator offers in fw_cfg, laid out as firmware would.

usage: tables.py PROGRAM FOLDER ARGUMENT...     writes FOLDER/<signature>[n].aml
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from qtest_client import Qtest    # noqa: E402  (the path comes first)

SELECTOR, DMA = 0x510, 0x514
SCRATCH, DATA = 0x1000, 0x100000
BASE = 0x7f000000              # where the tables are said to lie
ALLOCATE, ADD_POINTER, ADD_CHECKSUM = 1, 2, 3


class FwCfg:
    """The files of a PC's fw_cfg."""

    def __init__(self, q):
        self.q = q
        count = struct.unpack(">I", self.item(0x19, 4))[0]
        self.files = {}
        for i in range(count):
            size, key, name = struct.unpack(">IHxx56s", self.item(0x19, 4 + 64 * (i + 1))[-64:])
            self.files[name.split(b"\0")[0].decode()] = (key, size)

    def item(self, key, size):
        request = struct.pack(">IIQ", key << 16 | 8 | 2, size, DATA)
        self.q.command(f"write {SCRATCH} {len(request)} 0x{request.hex()}")
        self.q.command(f"outl {DMA} 0")
        self.q.command(f"outl {DMA + 4} {int.from_bytes(SCRATCH.to_bytes(4, 'big'), 'little')}")
        data = b""
        while len(data) < size:
            n = min(size - len(data), 4096)
            data += bytes.fromhex(self.q.command(f"read {DATA + len(data)} {n}")[0][2:])
        return data

    def file(self, name):
        key, size = self.files[name]
        return bytearray(self.item(key, size))


def text(field):
    return field.split(b"\0")[0].decode()


def place(fw):
    """Runs the loader's script; gives the files and the root pointer."""
    script, files, at = fw.file("etc/table-loader"), {}, BASE
    bases = {}
    for i in range(0, len(script) - 127, 128):
        command, rest = struct.unpack("<I124s", script[i:i + 128])
        if command == ALLOCATE:
            name = text(rest[:56])
            files[name] = fw.file(name)
            bases[name] = at
            at += (len(files[name]) + 0xfff) & ~0xfff
        elif command == ADD_POINTER:
            dest, src, offset, size = struct.unpack("<56s56sIB", rest[:117])
            cell = files[text(dest)]
            value = int.from_bytes(cell[offset:offset + size], "little") + bases[text(src)]
            cell[offset:offset + size] = value.to_bytes(size, "little")
        elif command == ADD_CHECKSUM:
            name, offset, start, length = struct.unpack("<56sIII", rest[:68])
            cell = files[text(name)]
            cell[offset] = (cell[offset] - sum(cell[start:start + length])) & 0xff
    return files, bases


def walk(files, bases):
    """Yields (signature, bytes) of every table, from the root on."""
    def at(address):
        for name, base in bases.items():
            if base <= address < base + len(files[name]):
                data = files[name][address - base:]
                return bytes(data[:struct.unpack("<I", data[4:8])[0]])
        raise ValueError(f"no table at {address:#x}")

    root = files["etc/acpi/rsdp"]
    wide = root[15] >= 2
    table = at(struct.unpack("<Q", root[24:32])[0] if wide else struct.unpack("<I", root[16:20])[0])
    yield table[:4].decode(), table
    step = 8 if wide else 4
    for i in range(36, len(table), step):
        t = at(int.from_bytes(table[i:i + step], "little"))
        yield t[:4].decode(), t
        if t[:4] == b"FACP":
            dsdt = struct.unpack("<I", t[40:44])[0]
            dsdt = struct.unpack("<Q", t[140:148])[0] if not dsdt else dsdt
            yield "DSDT", at(dsdt)
            facs = struct.unpack("<I", t[36:40])[0]
            if facs:
                yield "FACS", at(facs)


def read(program, args):
    """[(signature, bytes)] of a machine."""
    with Qtest(program, args) as q:
        return list(walk(*place(FwCfg(q))))


def main():
    program, folder = sys.argv[1:3]
    os.makedirs(folder, exist_ok=True)
    seen = {}
    for name, data in read(os.path.abspath(program), sys.argv[3:]):
        n = seen[name] = seen.get(name, 0) + 1
        with open(os.path.join(folder, name + (str(n) if n > 1 else "") + ".aml"), "wb") as f:
            f.write(data)
        if name not in ("FACS",) and sum(data) & 0xff:
            print(f"{name}: wrong checksum", file=sys.stderr)


if __name__ == "__main__":
    main()
