# SPDX-License-Identifier: GPL-2.0-or-later
"""Network adapters on a hub with a second one of their kind, so that what is sent is also received; loopback where there is one."""
import struct

from machine import Device


def pair(name, more=""):
    return [
        "-netdev",
        "hubport,id=n,hubid=0",
        "-netdev",
        "hubport,id=m,hubid=0",
        "-device",
        f"{name},netdev=n,addr=5{more}",
        "-device",
        f"{name},netdev=m,addr=6",
    ]


class E1000(Device):
    """Descriptors of the 8254x family (manual, section 3)."""

    args = pair("e1000")
    tx, rx, count = 0x3800, 0x2800, 16

    def start(self):
        self.w(0, 0x4000000)
        for base, name in ((self.tx, "tx"), (self.rx, "rx")):
            self.w(base, self.area(name))
            self.w(base + 4, 0)
            self.w(base + 8, 16 * self.count)
            self.w(base + 0x10, 0)
            self.w(base + 0x18, 0)
        self.tail = 0
        self.put(
            self.area("rx"),
            b"".join(struct.pack("<QQ", 0x1c0000 + 0x1000 * i, 0) for i in range(self.count)),
        )
        self.w(0x5400, 0x12005452)
        self.w(0x5404, 0x80005634)
        self.w(0xd0, 0xffffffff)
        self.w(0x100, self.pick([0x802e, 0x80ee, 0x1802e, 0x480ae, 0x3002e]))
        self.w(0x400, 0x10400fa)
        self.w(self.rx + 0x18, self.count - 1)

    def descriptor(self):
        frame = self.frame()
        at = self.place(frame)
        at &= (1 << 64) - 1
        kind = self.rng.randrange(4)
        if kind == 0:
            return struct.pack(
                "<QHBBBBH",
                at,
                self.pick([len(frame), self.wild(2)]),
                self.wild(1),
                self.pick([0xb, 0x9, 0x4b, 0xf, 8]),
                0,
                self.wild(1),
                self.wild(2),
            )
        if kind == 1:
            return struct.pack(
                "<BBHBBHIBBH",
                self.pick([14, 18, self.wild(1)]),
                self.pick([24, self.wild(1)]),
                self.pick([33, 0, self.wild(2)]),
                self.pick([34, self.wild(1)]),
                self.pick([50, 40, self.wild(1)]),
                self.pick([0, self.wild(2)]),
                0x20000000
                | self.pick([0x7000000, 0x4000000, 0x5000000, 0])
                | self.pick([len(frame), self.wild(2)]),
                0,
                self.pick([54, 0, 255, self.wild(1)]),
                self.pick([0, 1, 1448, self.wild(2)]),
            )
        return struct.pack(
            "<QIBBH",
            at,
            0x20100000
            | self.pick([0xb, 0xf, 9, 0x4b, 0xd]) << 24
            | self.pick([len(frame), self.wild(2), 0xfffff]),
            0,
            self.pick([0, 1, 2, 3]),
            self.wild(2),
        )

    def step(self):
        for _ in range(self.pick([1, 2, 4])):
            self.put(self.area("tx") + 16 * self.tail, self.descriptor())
            self.tail = (self.tail + 1) % self.count
        self.w(self.tx + 0x18, self.tail if self.chance(0.97) else self.wild(4))
        if self.chance(0.5):
            self.w(self.rx + 0x18, self.pick([self.rng.randrange(self.count), self.wild(4)]))
        if self.chance(0.3):
            self.r(self.pick([0xc0, 0x8, 0x4000 + 4 * self.rng.randrange(60)]))
        if self.chance(0.05):
            self.w(
                self.pick(
                    [0, 0x18, 0x20, 0x14, 0x100, 0x400, 0x5000, 0x5008, 0x38, 0xc4, 0x2820, 0x282c]
                ),
                self.wild(4),
            )
        if self.chance(0.02):
            self.w(self.pick([self.tx, self.rx]) + self.pick([0, 4, 8, 0x10]), self.wild(4))


class E1000e(E1000):
    machine = "q35"
    args = pair("e1000e")

    def start(self):
        super().start()
        if self.chance(0.5):
            self.w(
                0x5008, self.pick([0x8000, 0x480, 0x88000])
            )  # split headers, extended descriptors
        self.w(0x5818, self.pick([0, 0, 1, 0x230002]))
        for i in range(32):
            self.w(0x5c00 + 4 * i, self.pick([0, 0x80808080, self.wild(4)]))


class Rtl8139(Device):
    args = pair("rtl8139")

    def start(self):
        self.w(0x37, 0x10, 1)
        self.cplus = self.chance(0.5)
        self.w(0x30, self.area("receive", 0x12000 if not self.cplus else 0x1000) & ~15)
        self.w(0x37, 0xc, 1)
        self.w(0xe0, self.pick([3, 0x23, 0x63]) if self.cplus else 0, 2)
        self.w(0x40, self.pick([0x700, 0x60700]))
        self.w(0x44, self.pick([0xf, 0x80f, 0x180f, 0x8f, 0x3f]))
        self.w(0x3c, 0xffff, 2)
        if self.cplus:
            for offset, name in ((0x20, "tx"), (0x28, "tx"), (0xe4, "rx")):
                self.w(offset, self.area(name))
                self.w(offset + 4, 0)
            self.put(
                self.area("rx"),
                b"".join(
                    struct.pack(
                        "<IIQ",
                        0x80000000
                        | (0x40000000 if i == 15 else 0)
                        | self.pick([0x600, 0x40, 0x1fff]),
                        0,
                        self.address(8) & (1 << 64) - 1,
                    )
                    for i in range(16)
                ),
            )

    def step(self):
        if self.cplus:
            text = b""
            for i in range(8):
                frame = self.frame()
                at = self.place(frame)
                flags = (
                    0x80000000
                    | self.pick([0x30000000, 0x20000000, 0x10000000, 0, 0x38000000])
                    | (0x40000000 if i == 7 else 0)
                    | self.pick([0, 0x70000, self.wild(3)])
                    | self.pick([len(frame), 0xffff])
                )
                text += struct.pack(
                    "<IIQ", flags, self.pick([0, 0x20000 | self.wild(2)]), at & (1 << 64) - 1
                )
            self.put(self.area("tx"), text)
            self.w(0xd9, self.pick([0x40, 0x80]), 1)
        else:
            for i in range(4):
                frame = self.frame()
                at = self.place(frame, 32)
                self.w(0x20 + 4 * i, at)
                self.w(0x10 + 4 * i, self.pick([len(frame), 0x1fff, self.wild(2)]))
            self.w(0x38, self.pick([self.rng.randrange(0, 0x10000, 4), self.wild(2)]), 2)
        if self.chance(0.1):
            self.w(self.rng.randrange(0, 0x100), self.wild(4), self.pick([1, 2, 4]))


class Pcnet(Device):
    args = pair("pcnet")

    def csr(self, n, value):
        self.w(0x12, n, 2)
        self.w(0x10, value, 2)

    def start(self):
        self.r(0x14, 2)
        style = self.pick([0, 1, 2, 3])
        self.w(0x12, 20, 2)
        self.w(0x16, style, 2)
        block, mode = self.area("init"), self.pick([0, 4, 0x8004, 0x44])
        rings = (self.area("rx"), self.area("tx"))
        if style & 0xff:
            text = (
                struct.pack(
                    "<HBB",
                    mode,
                    self.pick([0x40, 0xf0, self.wild(1)]),
                    self.pick([0x40, self.wild(1)]),
                )
                + b"\x52\x54\0\x12\x34\x56\0\0"
                + b"\xff" * 8
                + struct.pack("<II", *rings)
            )
        else:
            text = (
                struct.pack("<H", mode)
                + b"\x52\x54\0\x12\x34\x56"
                + b"\xff" * 8
                + struct.pack("<II", rings[0] | 0x80000000, rings[1] | 0x80000000)
            )
        self.wide = style != 0
        self.put(block, text)
        self.csr(1, block & 0xffff)
        self.csr(2, block >> 16)
        self.csr(0, self.pick([0x43, 0x43, 1]))
        self.rx()

    def rx(self):
        if self.wide:
            text = b"".join(
                struct.pack(
                    "<IIII",
                    self.address(1, 32) & 0xffffffff,
                    0x8000f000 | 0x1000 - self.pick([1536, 64, 16]) & 0xfff,
                    0,
                    0,
                )
                for _ in range(16)
            )
        else:
            text = b"".join(
                struct.pack(
                    "<IHH",
                    self.address(1, 24) & 0xffffff | 0x80000000,
                    0xf000 | 0x1000 - self.pick([1536, 64]),
                    0,
                )
                for _ in range(16)
            )
        self.put(self.area("rx"), text)

    def step(self):
        text = b""
        for _ in range(4):
            frame = self.frame()
            at = self.place(frame, 24)
            status = self.pick([0x83, 0x83, 0x82, 0x81, 0x80])
            count = 0x10000 - self.pick([len(frame), self.rng.randrange(1, 4096)]) & 0xffff | 0xf000
            text += (
                struct.pack("<IIII", at, status << 24 | count, 0, 0)
                if self.wide
                else struct.pack("<IHH", at | status << 24, count, 0)
            )
        self.put(self.area("tx"), text)
        self.csr(0, self.pick([0x48, 0x48, 0x7f48, 4, 0x42]))
        self.send("clock_step 2000000")
        if self.chance(0.3):
            self.rx()
        if self.chance(0.1):
            self.csr(self.rng.randrange(128), self.wild(2))


class Eepro(Device):
    args = pair("i82559er")

    def start(self):
        self.w(8, 0)
        self.w(4, 0)
        self.w(2, 0x60, 1)
        self.w(4, 0)
        self.w(2, 0x06, 1)
        self.rfds()

    def rfds(self):
        rx = self.area("rx", 0x8000)
        for i in range(8):
            self.put(
                rx + 0x800 * i,
                struct.pack(
                    "<HHIIHH",
                    0,
                    self.pick([0, 0, 8, 0x10, 0x4000 if i == 7 else 0]),
                    rx + 0x800 * ((i + 1) % 8),
                    self.address(1, 32) & 0xffffffff,
                    0,
                    self.pick([1518, 64, 0, self.wild(2)]),
                ),
            )
        self.w(4, rx)
        self.w(2, 1, 1)

    def step(self):
        cus = self.area("commands", 0x2000)
        count = self.pick([1, 3, 6])
        for i in range(count):
            code = self.pick([0, 1, 2, 3, 4, 4, 4, 5, 6, 7])
            flags = (
                self.pick([0, 8 if code == 4 else 0, 0x2000])
                | (0x8000 if i + 1 == count else 0)
                | self.pick([0, 0, 0x4000])
            )
            link = (
                cus + 0x200 * (i + 1)
                if self.chance(0.97)
                else self.pick([cus, self.address(4, 32) & 0xffffffff])
            )
            text = struct.pack("<HHI", 0, code | flags, link)
            if code == 4:
                frame = self.frame()[:400]
                text += (
                    struct.pack(
                        "<IHBB",
                        self.pick([0xffffffff, self.address(4, 32) & 0xffffffff]),
                        self.pick([len(frame), 0x8000 | len(frame), self.wild(2)]),
                        1,
                        self.pick([0, 1, 2, 255]),
                    )
                    + frame
                )
            elif code == 3:
                text += struct.pack("<H", self.pick([6, 12, 0x3fff, self.wild(2)])) + self.some(40)
            else:
                text += self.pick(
                    [
                        b"\x16\x08\0\1\0\0\x32\3\1\0\x2e\0\x60\0\xf2\x48\0\x40\xf2\x80\x3f\5",
                        self.some(24),
                    ]
                )
            self.put(cus + 0x200 * i, text)
        self.w(4, cus)
        self.w(2, self.pick([0x10, 0x10, 0x20, 0x40, 0x50, 0x70]), 1)
        if self.chance(0.2):
            self.rfds()
        if self.chance(0.1):
            self.w(self.pick([0, 2, 8, 0xe, 0x10]), self.wild(4), self.pick([1, 2, 4]))


class Tulip(Device):
    args = pair("tulip")

    def start(self):
        self.w(0, 1)
        self.w(0x18, self.area("rx"))
        self.w(0x20, self.area("tx"))
        self.rx()
        self.w(0x30, self.pick([0x2002, 0x20c2, 0x2042, 0x2482, 0x2402]))

    def rx(self):
        text = b"".join(
            struct.pack(
                "<IIII",
                0x80000000,
                self.pick([1536, 64, 0x3fffff, self.wild(3)]) & 0x3fffff
                | (1 << 25 if i == 15 else 0),
                self.address(1, 32) & 0xffffffff,
                self.address(1, 32) & 0xffffffff,
            )
            for i in range(16)
        )
        self.put(self.area("rx"), text)
        self.w(0x10, 1)

    def step(self):
        text = b""
        for i in range(8):
            frame = self.frame()
            at = self.place(frame, 32)
            control = self.pick(
                [0x60000000, 0x60000000, 0x20000000, 0x40000000, 0x08000000, 0x0a000000, 0x48000000]
            ) | (1 << 25 if i == 7 else 0)
            size = self.pick([len(frame), 192, 0x7ff]) | self.pick([0, 0, 0x7ff]) << 11
            text += struct.pack(
                "<IIII",
                0x80000000 if self.chance(0.9) else 0,
                control | size,
                at,
                self.address(1, 32) & 0xffffffff,
            )
        self.put(self.area("tx"), text)
        self.w(8, 1)
        if self.chance(0.3):
            self.rx()
        if self.chance(0.1):
            self.w(8 * self.rng.randrange(16), self.wild(4))


class Ne2k(Device):
    args = pair("ne2k_pci")

    def start(self):
        self.r(0x1f, 1)
        for offset, value in (
            (0, 0x21),
            (0xe, 0x49),
            (1, 0x46),
            (2, 0x80),
            (3, 0x46),
            (4, 0x40),
            (0xc, self.pick([0x1c, 4])),
            (0xd, self.pick([0, 2, 4])),
            (7, 0xff),
            (0xf, 0x7f),
            (0, 0x22),
        ):
            self.w(offset, value, 1)
        self.w(0, 0x62, 1)
        self.w(7, 0x46, 1)
        self.w(0, 0x22, 1)

    def step(self):
        frame = self.frame()
        at, size = self.pick([0x4000, 0x7fff, self.wild(2)]), self.pick([len(frame), self.wild(2)])
        for offset, value in (
            (8, at & 0xff),
            (9, at >> 8),
            (0xa, size & 0xff),
            (0xb, size >> 8),
            (0, self.pick([0x12, 0x12, 0xa])),
        ):
            self.w(offset, value, 1)
        for i in range(0, min(len(frame), 80), 2):
            self.w(0x10, int.from_bytes(frame[i : i + 2], "little"), 2)
        for offset, value in (
            (4, self.pick([0x40, 0x40, self.wild(1)])),
            (5, len(frame) & 0xff),
            (6, self.pick([len(frame) >> 8, self.wild(1)])),
            (0, 0x26),
        ):
            self.w(offset, value, 1)
        if self.chance(0.2):
            self.w(self.pick([1, 2, 3, 7, 0xc, 0xd, 0xe, 0xf, 0, 0x1f]), self.wild(1), 1)
        self.r(self.rng.randrange(0x20), 1)


class Vmxnet3(Device):
    """The shared area and rings as the driver of Linux lays them out."""

    args = pair("vmxnet3")

    def w(self, offset, value, size=4, bar=1):
        super().w(offset, value, size, bar)

    def start(self):
        shared, queues = self.area("shared"), self.area("queues")
        count = self.pick([1, 1, 2, 8, 255])
        text = struct.pack("<II", 0xbabefee1, 0)
        text += struct.pack("<IIII", 1, 1, 1, 1) + struct.pack(
            "<QQQII", self.pick([0, 7, 0xf]), self.area("driver"), queues, 4096, 0x100 * 2 * count
        )
        text += struct.pack(
            "<IHBB", self.pick([1500, 9000, 0, self.wild(4)]), self.pick([0, 17]), count, count
        ) + bytes(16)
        text += (
            struct.pack("<BBBB", self.pick([0, 1]), self.pick([1, 2, 25, 255]), 0, 0)
            + bytes(25)
            + bytes(3)
            + bytes(8)
        )
        text += (
            struct.pack(
                "<IHHQ", self.pick([0x1f, 1]), self.pick([0, 6, self.wild(2)]), 0, self.address()
            )
            + b"\xff" * 512
        )
        self.put(shared, text)
        self.gen = 1
        self.at = 0
        entries = 32
        for i in range(min(count, 2)):
            ring = self.area(f"tx {i}", 0x1000)
            self.put(
                queues + 0x100 * i,
                struct.pack("<IIQ", 0, 1, 0)
                + struct.pack(
                    "<QQQQQIIIIB",
                    ring,
                    self.area("data"),
                    self.area(f"tx done {i}"),
                    0,
                    0,
                    self.pick([entries, entries, self.wild(4)]),
                    0,
                    entries,
                    0,
                    self.pick([0, 1, 255]),
                ),
            )
            ring = self.area(f"rx {i}", 0x2000)
            body = struct.pack("<BBHIQ", 0, 0, 0, 0, 0)[:16]
            self.put(
                queues + 0x100 * (count + i),
                body
                + struct.pack(
                    "<QQQQQIIIIB",
                    ring,
                    ring + 0x1000,
                    self.area(f"rx done {i}"),
                    0,
                    0,
                    entries,
                    entries,
                    self.pick([64, 32, self.wild(4)]),
                    0,
                    self.pick([0, 1, 255]),
                ),
            )
            self.put(
                ring,
                b"".join(
                    struct.pack(
                        "<QII",
                        self.address(8) & (1 << 64) - 1,
                        self.pick([1536, 64, 0, 0x3fff]) | self.pick([0, 0, 0x4000]) | 0x80000000,
                        0,
                    )
                    for _ in range(entries)
                ),
            )
        self.w(0x10, shared)
        self.w(0x18, 0)
        self.w(0x20, 0xcafe0000)

    def w0(self, offset, value):
        super().w(offset, value, 4, 0)

    def step(self):
        for _ in range(self.pick([1, 2, 4])):
            frame = self.frame()
            at = self.place(frame)
            word = (
                self.pick([len(frame), 0, self.wild(2) & 0x3fff])
                | self.gen << 14
                | self.pick([0, 0, self.wild(2) & 0x3fff]) << 18
            )
            flags = (
                self.pick([14, 34, 54, self.wild(2) & 0x3ff])
                | self.pick([0, 0, 2, 3]) << 10
                | self.pick([1, 1, 1, 0]) << 12
                | self.pick([0, 1]) << 13
                | self.pick([0, 0, 1]) << 17
                | self.wild(2) << 18
            )
            self.put(
                self.area("tx 0") + 16 * self.at,
                struct.pack("<QII", at & (1 << 64) - 1, word & 0xffffffff, flags & 0xffffffff),
            )
            self.at += 1
            if self.at == 32:
                self.at, self.gen = 0, 1 - self.gen
        self.w0(self.pick([0x600, 0x600, 0x608, 0x600 + 8 * self.rng.randrange(9)]), self.at)
        if self.chance(0.3):
            self.w0(self.pick([0x800, 0xa00]), self.rng.randrange(32))
        if self.chance(0.1):
            self.w(
                0x20,
                self.pick(
                    [
                        0xcafe0001,
                        0xcafe0002,
                        0xcafe0003,
                        0xcafe0004,
                        0xcafe0005,
                        0xcafe0006,
                        0xf00d0000,
                        0xf00d0001,
                        0xf00d0002,
                        0xf00d0004,
                    ]
                ),
            )
            self.w(0x20, 0xcafe0000)
        if self.chance(0.1):
            self.w0(0, self.pick([0, 1]))


TARGETS = {
    "e1000": E1000,
    "e1000e": E1000e,
    "rtl8139": Rtl8139,
    "pcnet": Pcnet,
    "eepro100": Eepro,
    "tulip": Tulip,
    "ne2k": Ne2k,
    "vmxnet3": Vmxnet3,
}
