# SPDX-License-Identifier: GPL-2.0-or-later
"""What device fuzzers share: wild values, a PCI function with its windows, memory for rings and buffers."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from qtest_client import (
    Qtest,
    QtestError,
)  # noqa: E402,F401  (the path comes first; Qtest for those who import this)

EDGES = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffffffffffff,
]
RAM = 64 << 20
POOL, BUFFERS, POOL_END = 0x100000, 0x1c0000, 0x200000  # rings and lists, then buffers
SLOT = 5  # the function under test is 00:05.0


def wild(rng, size):
    """A value of that many bytes: an edge, a single bit, near zero, or anything."""
    kind = rng.randrange(4)
    if kind == 0:
        v = rng.choice(EDGES)
    elif kind == 1:
        v = 1 << rng.randrange(8 * size)
    elif kind == 2:
        v = rng.randrange(-16, 256)
    else:
        v = rng.getrandbits(8 * size)
    return v & (1 << 8 * size) - 1


def config(q, bdf, offset, value=None):
    """Reads or writes a dword of a PCI function's configuration space by mechanism 1."""
    q.command(f"outl 0xcf8 {0x80000000 | bdf << 8 | offset}")
    if value is None:
        return int(q.command("inl 0xcfc")[0], 0)
    q.command(f"outl 0xcfc {value}")
    return value


def map_bars(q, bdf, at):
    """Gives every BAR of a function an address and turns it on; {BAR: (is_io, address, size)}."""
    windows = {}
    skip = False
    for bar in range(6):
        register = 0x10 + 4 * bar
        if skip:
            skip = False
            config(q, bdf, register, 0)
            continue
        config(q, bdf, register, 0xffffffff)
        bits = config(q, bdf, register)
        is_io = bits & 1
        mask = bits & (0xfffc if is_io else 0xfffffff0)
        if mask == 0:
            continue
        size = mask & -mask
        kind = "io" if is_io else "mem"
        at[kind] = (at[kind] + size - 1) & -size
        config(q, bdf, register, at[kind])
        windows[bar] = (bool(is_io), at[kind], size)
        at[kind] += size
        skip = not is_io and bits & 6 == 4
    config(q, bdf, 4, 7)
    return windows


class Device:
    """
    One device under test. A subclass says how the machine is started (`args`), how a driver brings the device up
    (`start`) and what it then does (`step`), most of it right, so that it goes deep.
    """

    args = []  # beside the machine: options of the emulator
    machine = "pc"
    folder = None  # set by the caller: a folder for sockets and shared files

    def __init__(self, q, rng):
        self.q, self.rng, self.pick = q, rng, rng.choice
        self.windows = {}
        self.cursor = POOL
        self.fixed = {}

    @classmethod
    def arguments(cls, folder):
        return [
            a.replace("FOLDER", folder)
            for a in ["-M", cls.machine, "-nodefaults", "-m", "64M", *cls.args]
        ]

    # commands; one that is refused is no fault

    def send(self, text):
        try:
            return self.q.command(text)
        except QtestError:
            return ["0"]

    def plug(self):
        """Before `start`: windows of the function, if it is one."""
        if config(self.q, SLOT << 3, 0) & 0xffff != 0xffff:
            self.windows = map_bars(self.q, SLOT << 3, {"io": 0xc000, "mem": 0xe0000000})

    def w(self, offset, value, size=4, bar=0):
        is_io, base, _ = self.windows[bar]
        value &= (1 << 8 * size) - 1
        letter = {1: "b", 2: "w", 4: "l", 8: "q"}[size]
        self.send(f"{'out' if is_io else 'write'}{letter} {base + offset} {value}")

    def r(self, offset, size=4, bar=0):
        is_io, base, _ = self.windows[bar]
        letter = {1: "b", 2: "w", 4: "l", 8: "q"}[size]
        return int(self.send(f"{'in' if is_io else 'read'}{letter} {base + offset}")[0], 0)

    def put(self, at, data):
        if data:
            self.send(f"write {at} {len(data)} 0x{bytes(data).hex()}")

    # values

    def chance(self, p):
        return self.rng.random() < p

    def wild(self, size=4):
        return wild(self.rng, size)

    def area(self, name, size=0x1000):
        """A place of that name in the pool, the same at each call."""
        if name not in self.fixed:
            self.fixed[name] = self.cursor
            self.cursor += (size + 0xfff) & ~0xfff
            assert self.cursor <= BUFFERS
        return self.fixed[name]

    def address(self, align=16, bits=64):
        """Where a device may be told to read or write: mostly memory, now and then what a driver would not say."""
        rng = self.rng
        kind = rng.randrange(80)
        if kind == 0:
            return rng.getrandbits(bits)
        if kind == 1:
            return RAM - rng.randrange(1, 64)
        if kind == 2 and self.windows:
            is_io, base, size = self.pick(list(self.windows.values()))
            return base + rng.randrange(0, min(size, 0x1000), 4) if not is_io else base
        if kind == 3:
            return self.pick([0, 0xa0000, 0xfffff000, 0xfee00000, (1 << bits) - 8])
        if kind == 4 and self.fixed:
            return self.pick(list(self.fixed.values())) + rng.randrange(0, 0x1000, align)
        return rng.randrange(BUFFERS, POOL_END, align)

    def place(self, data, bits=64, align=1):
        """An address where these bytes are, unless it is one that a driver would not say."""
        at = self.address(align, bits) & (1 << bits) - 1
        if BUFFERS <= at < POOL_END:
            self.put(at, data)
        return at

    def length(self, most=4096):
        return self.pick(
            [
                0,
                1,
                2,
                4,
                8,
                14,
                16,
                36,
                60,
                64,
                512,
                512,
                1514,
                4096,
                most,
                self.rng.randrange(most + 1),
                0xffff,
                0x10000,
                0xffffffff if self.chance(0.1) else 8,
            ]
        )

    def some(self, n):
        pick = self.rng.choice
        return bytes(pick([0, 0, 0, 1, 2, 0xff, self.rng.randrange(256)]) for _ in range(n))

    def frame(self):
        """An Ethernet frame, often an IP one with headers that do not quite fit."""
        rng = self.rng
        destination = self.pick(
            [b"\xff" * 6, b"\x52\x54\0\x12\x34\x56", b"\x33\x33\0\0\0\1", self.some(6)]
        )
        kind = self.pick([0x0800, 0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806, rng.getrandbits(16)])
        data = destination + b"\x52\x54\0\x12\x34\x57"
        if kind in (0x8100, 0x88a8):
            data += struct.pack(">HH", kind, rng.getrandbits(16))
            kind = self.pick([0x0800, 0x86dd])
        data += struct.pack(">H", kind)
        protocol = self.pick([6, 17, 1, 58, 132, 44, 0, 43])
        if kind == 0x0800:
            data += struct.pack(
                ">BBHHHBBH",
                self.pick([0x45, 0x45, 0x46, 0x4f, 0x40]),
                0,
                self.pick([20, 40, 60, 1500, 65535]),
                1,
                self.pick([0, 0x2000, 0x4000]),
                64,
                protocol,
                0,
            ) + self.some(8)
        elif kind == 0x86dd:
            data += struct.pack(
                ">IHBB", 6 << 28, self.pick([0, 8, 20, 1500]), protocol, 64
            ) + self.some(32)
        data += struct.pack(
            ">HHIIBBHHH", 1000, 80, 1, 1, self.pick([0x50, 0x50, 0x60, 0xf0, 0]), 0x10, 512, 0, 0
        )
        return data[: self.pick([14, 20, 34, 54, 200, 200])] + self.some(
            self.pick([0, 0, 8, 40, 600])
        )

    CDBS = [
        0x00,
        0x03,
        0x04,
        0x08,
        0x0a,
        0x12,
        0x15,
        0x16,
        0x17,
        0x1a,
        0x1b,
        0x1d,
        0x1e,
        0x23,
        0x25,
        0x28,
        0x2a,
        0x2b,
        0x2e,
        0x2f,
        0x34,
        0x35,
        0x37,
        0x3b,
        0x3c,
        0x41,
        0x42,
        0x43,
        0x46,
        0x4a,
        0x4d,
        0x51,
        0x52,
        0x55,
        0x5a,
        0x5e,
        0x5f,
        0x85,
        0x88,
        0x8a,
        0x8e,
        0x8f,
        0x91,
        0x93,
        0x9e,
        0xa0,
        0xa1,
        0xa3,
        0xa8,
        0xaa,
        0xad,
        0xae,
        0xaf,
        0xbb,
        0xbd,
        0xbe,
    ]

    def cdb(self, size=16):
        """A SCSI command, often with lengths that are small and addresses near the ends of the disk."""
        if self.chance(0.4):  # a transfer that is right
            code, lba, count = (
                self.pick([0x08, 0x0a, 0x28, 0x2a, 0xa8, 0xaa, 0x88, 0x8a]),
                self.rng.randrange(256),
                self.pick([1, 1, 2, 8]),
            )
            if code < 0x20:
                data = struct.pack(">BBHBB", code, 0, lba, count, 0)
            elif code < 0x80:
                data = struct.pack(">BBIBHB", code, 0, lba, 0, count, 0)
            elif code > 0xa0:
                data = struct.pack(">BBIIBB", code, 0, lba, count, 0, 0)
            else:
                data = struct.pack(">BBQIBB", code, 0, lba, count, 0, 0)
            return data[:size].ljust(size, b"\0")
        data = bytearray([self.pick(self.CDBS)]) + self.some(15)
        if self.chance(0.3):
            data[2:6] = struct.pack(">I", self.pick([0, 1, 0x1ffff, 0x20000, 0xffffffff]))
        if self.chance(0.5):
            data[7:9] = struct.pack(">H", self.pick([0, 1, 8, 255, 0xffff]))
        return bytes(data[:size]).ljust(size, b"\0")

    def cdb_length(self, cdb):
        """That of its group, mostly."""
        if self.chance(0.04):
            return self.pick([0, 6, 10, 12, 16, 32, 255])
        return {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}.get(cdb[0] >> 5, 10)

    # what every device gets beside its own steps

    def start(self):
        pass

    def step(self):
        self.poke()

    def poke(self):
        """A wild access to a window."""
        if not self.windows:
            return
        rng = self.rng
        bar = self.pick(list(self.windows))
        size = self.pick([1, 2, 4, 4])
        offset = rng.randrange(
            0, min(self.windows[bar][2], self.pick([0x40, 0x100, 0x1000, 1 << 32]))
        )
        if self.chance(0.9):
            offset &= -size
        if offset + size > self.windows[bar][2]:
            return
        if rng.randrange(4) == 0:
            self.r(offset, size, bar)
        else:
            self.w(
                offset, self.address(bits=32) if self.chance(0.4) else self.wild(size), size, bar
            )

    def scribble(self):
        """A wild word into a list or ring."""
        if self.fixed:
            base = self.pick(list(self.fixed.values()))
            value = self.address() if self.chance(0.5) else self.wild(4)
            self.put(
                base + self.rng.randrange(0, 0x1000, 4),
                struct.pack("<Q", value & (1 << 64) - 1)[: self.pick([4, 8])],
            )


def le_words(items):
    """Bytes of little-endian words: (size, value) pairs."""
    return b"".join((value & (1 << 8 * size) - 1).to_bytes(size, "little") for size, value in items)
