# SPDX-License-Identifier: GPL-2.0-or-later
"""USB host controllers with devices behind them: schedules, rings and contexts as drivers lay them out."""
import struct

from machine import Device

DEVICES = [
    "-drive",
    "driver=null-co,size=1M,if=none,id=d",
    "-device",
    "usb-storage,drive=d,bus=u.0",
    "-device",
    "usb-tablet,bus=u.0",
]
MORE = [
    "-device",
    "usb-uas,id=uas,bus=u.0",
    "-drive",
    "driver=null-co,size=1M,if=none,id=e",
    "-device",
    "scsi-hd,drive=e,bus=uas.0",
    "-netdev",
    "hubport,id=n,hubid=0",
    "-device",
    "usb-net,netdev=n,bus=u.0",
    "-chardev",
    "null,id=s",
    "-device",
    "usb-serial,chardev=s,bus=u.0",
    "-device",
    "usb-audio,bus=u.0",
    "-device",
    "usb-wacom-tablet,bus=u.0",
    "-device",
    "usb-kbd,bus=u.0",
]


class Usb(Device):
    """What is sent to devices, whatever the controller."""

    def enumerate(self, ports):
        """Gives the devices behind these ports addresses and their first configuration."""
        for i, port in enumerate(ports):
            self.port(port)
            self.control(0, struct.pack("<BBHHH", 0, 5, i + 1, 0, 0))
            self.control(i + 1, struct.pack("<BBHHH", 0, 9, 1, 0, 0))

    def setup(self):
        """The eight bytes of a control transfer's start, often a standard or class request."""
        return struct.pack(
            "<BBHHH",
            self.pick(
                [0x80, 0x80, 0x00, 0x81, 0x01, 0x21, 0xa1, 0x02, 0x82, 0xc0, 0x40, self.wild(1)]
            ),
            self.pick([0, 1, 3, 5, 6, 6, 8, 9, 9, 10, 11, 0x0a, 0xfe, 0xff, 0x22, self.wild(1)]),
            self.pick([0x100, 0x200, 0x300, 0x301, 0x2200, 0x600, 0xf00, 1, 0, self.wild(2)]),
            self.pick([0, 0, 1, 2, 0x81, 0x409, self.wild(2)]),
            self.pick([0, 8, 18, 64, 255, self.wild(2)]),
        )

    def payload(self):
        """Bulk data: a command block wrapper, a UAS command, a frame."""
        kind = self.rng.randrange(5)
        if kind < 2:
            return (
                struct.pack(
                    "<IIIBBB",
                    0x43425355,
                    self.wild(4),
                    self.length(),
                    self.pick([0, 0x80]),
                    self.pick([0, 0, 0, 1, 15]),
                    self.pick([6, 10, 12, 16, 0, 255]),
                )
                + self.cdb()
            )
        if kind == 2:
            return (
                struct.pack(
                    ">BBHBBBB",
                    self.pick([1, 1, 5, 3]),
                    0,
                    self.pick([1, 2, self.wild(2)]),
                    self.pick([0, 1, 8]),
                    0,
                    self.pick([0, 0, 16]),
                    0,
                )
                + bytes(8)
                + self.cdb()
            )
        if kind == 3:
            frame = self.frame()
            return (
                struct.pack(
                    "<11I",
                    1,
                    len(frame) + 44,
                    self.pick([36, 36, self.wild(4)]),
                    len(frame),
                    *[0] * 7,
                )
                + frame
            )
        return self.some(64)

    def data_at(self, data):
        return self.place(data, 32)


class Uhci(Usb):
    args = ["-device", "piix3-usb-uhci,id=u,addr=5", *DEVICES]

    def w(self, offset, value, size=4, bar=4):
        super().w(offset, value, size, bar)

    def r(self, offset, size=4, bar=4):
        return super().r(offset, size, bar)

    def start(self):
        self.w(0, 2, 2)
        frames = self.area("frames")
        self.w(8, frames)
        self.w(0, 0xc1, 2)
        self.enumerate((0x10, 0x12))

    def port(self, register):
        self.w(register, 0x200, 2)
        self.w(register, 4, 2)

    def control(self, address, setup):
        tds = self.area("tds")
        self.put(
            tds,
            struct.pack(
                "<IIII",
                tds + 32 | 4,
                0x18800000,
                7 << 21 | address << 8 | 0x2d,
                self.place(setup, 32),
            ),
        )
        self.put(
            tds + 32,
            struct.pack("<IIII", 1, 0x18800000, 0x7ff << 21 | 1 << 19 | address << 8 | 0x69, 0),
        )
        self.put(self.area("qh"), struct.pack("<II", 1, tds))
        self.put(self.area("frames"), struct.pack("<64I", *[self.area("qh") | 2] * 64))
        self.w(6, 0, 2)
        self.send("clock_step 3000000")

    def td(self, link):
        pid, address, endpoint = (
            self.pick([0x2d, 0x69, 0xe1, self.wild(1)]),
            self.pick([0, 0, 0, 1, 2]),
            self.pick([0, 0, 1, 2]),
        )
        if pid == 0x2d:
            at, size = self.data_at(self.setup()), 7
        elif pid == 0xe1:
            data = self.payload()
            at, size = self.data_at(data), self.pick([len(data) - 1, 0x7ff, 63])
        else:
            at, size = self.address(1, 32) & 0xffffffff, self.pick(
                [7, 17, 63, 0x7ff, self.wild(2) & 0x7ff]
            )
        status = 0x800000 | self.pick(
            [0x18000000, 0x18000000, 0x1c000000, 0x1a000000, 0x38000000, 0x3a000000]
        )
        if self.chance(0.05):
            status = self.wild(4)
        return struct.pack(
            "<IIII",
            link,
            status,
            (size & 0x7ff) << 21 | self.pick([0, 1]) << 19 | endpoint << 15 | address << 8 | pid,
            at,
        )

    def step(self):
        tds, qh = self.area("tds"), self.area("qh")
        count = self.pick([1, 3, 8])
        for i in range(count):
            link = tds + 32 * (i + 1) | 4 if i + 1 < count else 1
            if self.chance(0.03):
                link = self.pick([tds, qh | 2, tds | 4, self.address(16, 32) & 0xffffffff])
            self.put(tds + 32 * i, self.td(link))
        self.put(qh, struct.pack("<II", self.pick([1, 1, 1, qh | 2, tds]), tds))
        frame = self.area("frames")
        self.put(frame, struct.pack("<64I", *[self.pick([qh | 2, qh | 2, tds, 1])] * 64))
        self.w(6, 0, 2)
        self.send("clock_step 3000000")
        if self.chance(0.1):
            self.w(self.pick([0, 2, 4, 6, 8, 0x10, 0x12]), self.wild(4), self.pick([2, 2, 4]))


class Ehci(Usb):
    args = ["-device", "usb-ehci,id=u,addr=5", *DEVICES]

    def start(self):
        op = 0x20
        self.w(op, 2)
        self.w(op + 0x14, self.area("frames"))
        self.w(op + 0x18, self.area("qh"))
        self.w(op + 0x40, 1)
        self.w(op, 0x21)
        self.enumerate((0x64, 0x68))
        self.put(self.area("frames"), struct.pack("<64I", *[1] * 64))
        self.w(op, 0x31)

    def port(self, register):
        self.w(register, 0x1100)
        self.w(register, 0x1000)

    def control(self, address, setup):
        tds, qh = self.area("qtds"), self.area("qh")
        self.put(
            tds,
            struct.pack(
                "<III5I", tds + 64, 1, 8 << 16 | 2 << 8 | 0xc80, self.place(setup, 32), 0, 0, 0, 0
            ),
        )
        self.put(tds + 64, struct.pack("<III5I", 1, 1, 0x80000000 | 1 << 8 | 0xc80, *[0] * 5))
        self.put(
            qh,
            struct.pack(
                "<IIIIIII",
                qh | 2,
                address | 0x4000 | 0x8000 | 2 << 12 | 64 << 16,
                0x40000000,
                0,
                tds,
                1,
                0,
            )
            + bytes(20),
        )
        self.send("clock_step 2000000")

    def qtd(self, link):
        pid = self.pick([0, 1, 2, 2, 3])
        data = self.setup() if pid == 2 else self.payload()
        at = self.data_at(data)
        size = self.pick([len(data), len(data), 18, 64, 512, 0x5000, 0x7fff])
        token = (
            self.pick([0x80, 0x80, 0x80, 0x40, 0x02, 0])
            | pid << 8
            | self.pick([0, 3]) << 10
            | self.pick([0, 1, 4, 7]) << 12
            | self.pick([0, 1]) << 15
            | size << 16
            | self.pick([0, 1 << 31])
        )
        return struct.pack(
            "<III5I", link, 1, token, at, *[self.address(4096, 32) & 0xffffffff for _ in range(4)]
        )

    def step(self):
        qh, tds = self.area("qh"), self.area("qtds")
        count = self.pick([1, 3, 6])
        for i in range(count):
            link = tds + 64 * (i + 1) if i + 1 < count else 1
            if self.chance(0.03):
                link = self.pick([tds, self.address(32, 32) & 0xffffffff])
            self.put(tds + 64 * i, self.qtd(link))
        character = (
            self.pick([0, 0, 1, 2, 5])
            | self.pick([0, 0, 1, 2]) << 8
            | self.pick([2, 2, 0, 1]) << 12
            | self.pick([0, 1]) << 14
            | 0x8000
            | self.pick([8, 64, 512, 0]) << 16
            | self.pick([0, 0, 1]) << 27
        )
        overlay = struct.pack("<III", tds, 1, self.pick([0, 0, 0, 0x40, 0x80]))
        self.put(
            qh,
            struct.pack(
                "<IIII",
                self.pick([qh | 2, qh | 2, 1, qh | 0, self.address(32, 32) & 0xffffffff | 2]),
                character,
                self.pick([0x40000000, 0x40000001, self.wild(4)]),
                0,
            )
            + overlay
            + bytes(20),
        )
        periodic = self.area("periodic")
        self.put(
            periodic,
            self.pick(
                [
                    struct.pack("<II", 1, 0)
                    + b"".join(struct.pack("<I", 0x80000000 | self.wild(3)) for _ in range(8))
                    + b"".join(
                        struct.pack("<I", self.address(1, 32) & 0xffffffff) for _ in range(7)
                    ),
                    struct.pack(
                        "<7I",
                        1,
                        self.wild(4),
                        self.wild(4),
                        0x80 | self.wild(2) << 16,
                        self.wild(4),
                        self.wild(4),
                        1,
                    ),
                ]
            ),
        )
        self.put(
            self.area("frames"),
            struct.pack(
                "<64I", *[self.pick([1, qh | 2, periodic, periodic | 4, periodic | 6])] * 64
            ),
        )
        self.w(0x24, 0x3f)
        self.send("clock_step 2000000")
        if self.chance(0.1):
            self.w(0x20 + self.pick([0, 4, 8, 0xc, 0x14, 0x18, 0x40, 0x44, 0x48]), self.wild(4))


class Ohci(Usb):
    args = ["-device", "pci-ohci,id=u,addr=5", *DEVICES]

    def start(self):
        self.w(8, 1)
        self.w(0x18, self.area("hcca"))
        self.w(0x20, self.area("ed"))
        self.w(0x28, self.area("ed"))
        self.w(4, 0xbc)
        self.enumerate((0x54, 0x58))

    def port(self, register):
        self.w(register, 0x100)
        self.w(register, 0x10)
        self.send("clock_step 20000000")

    def control(self, address, setup):
        ed, tds, at = self.area("ed"), self.area("tds"), self.place(setup, 32)
        self.put(tds, struct.pack("<IIII", 0xf2e00000, at, tds + 32, at + 7))
        self.put(tds + 32, struct.pack("<IIII", 0xf3f00000, 0, tds + 64, 0))
        self.put(ed, struct.pack("<IIII", address | 64 << 16, tds + 64, tds, 0))
        self.w(8, 6)
        self.send("clock_step 3000000")

    def td(self, link):
        pid = self.pick([0, 1, 2, 2, 3])
        data = self.setup() if pid == 0 else self.payload()
        at = self.data_at(data)
        end = self.pick([at + len(data) - 1, at + 7, at + 17, at + 0x1fff, at - 1, 0])
        return struct.pack(
            "<IIII",
            pid << 19
            | self.pick([0, 1]) << 18
            | self.pick([0, 7]) << 21
            | self.pick([0, 2]) << 24
            | 0xf0000000,
            at,
            link,
            end & 0xffffffff,
        )

    def step(self):
        ed, tds = self.area("ed"), self.area("tds")
        count = self.pick([1, 3, 6])
        for i in range(count):
            link = (
                tds + 32 * (i + 1)
                if self.chance(0.97)
                else self.pick([tds, self.address(16, 32) & 0xffffffff])
            )
            self.put(tds + 32 * i, self.td(link))
        iso = self.chance(0.2)
        if iso:
            self.put(
                tds,
                struct.pack(
                    "<IIII",
                    self.pick([0, 7]) << 24 | self.wild(2),
                    self.address(4096, 32) & 0xffffffff,
                    tds + 32,
                    self.address(1, 32) & 0xffffffff,
                )
                + b"".join(
                    struct.pack("<H", self.pick([0xe000, 0xe040, self.wild(2)])) for _ in range(8)
                ),
            )
        head = (
            self.pick([0, 0, 1, 2])
            | self.pick([0, 0, 1, 2]) << 7
            | self.pick([0, 1, 2]) << 11
            | self.pick([8, 64, 1023]) << 16
            | (1 << 15 if iso else 0)
        )
        self.put(
            ed,
            struct.pack(
                "<IIII",
                head,
                tds + 32 * count,
                tds | self.pick([0, 0, 1, 2]),
                self.pick([0, 0, 0, ed, self.address(16, 32) & 0xffffffff]),
            ),
        )
        self.put(self.area("hcca"), struct.pack("<32I", *[self.pick([ed, 0])] * 32))
        self.w(0xc, 0xffffffff)
        self.w(8, 6)
        self.send("clock_step 3000000")
        if self.chance(0.1):
            self.w(self.rng.randrange(0, 0x60, 4), self.wild(4))


class Xhci(Usb):
    """Rings, contexts and doorbells of the xHCI specification 1.2, sections 4 and 6."""

    args = ["-device", "qemu-xhci,id=u,addr=5,p2=8,p3=8", *DEVICES, *MORE]

    def start(self):
        self.op, self.runtime, self.doorbell = self.r(0, 1), self.r(0x18), self.r(0x14)
        self.w(self.op, 2)
        self.dcbaa, self.ring, self.event, self.table = (
            self.area(n) for n in ("dcbaa", "command ring", "event ring", "erst")
        )
        self.put(self.ring, bytes(4096))
        self.put(self.table, struct.pack("<QII", self.event, self.pick([16, 255, 256, 256]), 0))
        self.put(
            self.dcbaa, struct.pack("<9Q", *[0] + [self.area(f"context {n}") for n in range(8)])
        )
        self.w(self.op + 0x38, 8)
        self.w(self.runtime + 0x28, 1)
        for offset, value in (
            (self.op + 0x30, self.dcbaa),
            (self.op + 0x18, self.ring | 1),
            (self.runtime + 0x38, self.event),
            (self.runtime + 0x30, self.table),
        ):
            self.w(offset, value)
            self.w(offset + 4, 0)
        self.w(self.runtime + 0x20, 2)
        self.w(self.op, 5)
        self.at = 0
        for port in range(16):
            self.w(self.op + 0x400 + 16 * port, 0x310)
        used = [port + 1 for port in range(16) if self.r(self.op + 0x400 + 16 * port) & 1]
        for slot, port in enumerate(used[:7], 1):
            self.command(0, 0, 9 << 10)
            self.input_context(slot, port, 3)
            self.command(self.area("input"), 0, 11 << 10 | slot << 24)
            ring = self.transfer_ring(slot, 1)
            self.put(
                ring,
                struct.pack("<BBHHHII", 0, 9, 1, 0, 0, 8, 0x841)
                + struct.pack("<QII", 0, 0, 0x11001)
                + bytes(16),
            )
            self.w(self.doorbell + 4 * slot, 1)
            self.input_context(slot, port, self.pick([0x19, 0x1d, 0x79]))
            self.command(self.area("input"), 0, 12 << 10 | slot << 24)

    def command(self, pointer, status, control):
        self.put(
            self.ring + 16 * self.at,
            struct.pack(
                "<QII", pointer & (1 << 64) - 1, status & 0xffffffff, control & 0xffffffff | 1
            ),
        )
        self.at += 1
        if self.at >= 200:
            self.put(self.ring + 16 * self.at, struct.pack("<QII", self.ring, 0, 6 << 10 | 3))
            self.put(self.ring, bytes(16))
            self.at = 0
        self.w(self.doorbell, 0)

    def input_context(self, slot, port, endpoints=0):
        rng, right = self.rng, endpoints != 0
        endpoints = endpoints or self.pick([3, 7, 0x1f, 0x1f, 0x3f, self.wild(4)])
        text = struct.pack(
            "<II", 0 if right else self.pick([0, 0, self.wild(4)]), endpoints
        ) + bytes(24)
        text += struct.pack(
            "<IIII",
            self.pick([1, 3, 31]) << 27
            | self.pick([3, 4, 2, 1]) << 20
            | (0 if right else self.pick([0, 0, self.wild(4) & 0xfffff])),
            (port if right else self.pick([port, port, self.wild(1)])) << 16,
            0,
            0,
        ) + bytes(16)
        for e in range(1, 8):
            kind = 4 if e == 1 else self.pick([2, 6, 3, 7, 1, 5])
            streams = self.pick([0, 0, 0, 2 << 10, 0x10 << 10 | 0x8000])
            text += struct.pack(
                "<IIQI",
                streams | self.pick([0, 3, 6]) << 16 | rng.randrange(4) << 8,
                3 << 1
                | kind << 3
                | self.pick([0, 3]) << 8
                | self.pick([8, 64, 512, 1024, 0]) << 16,
                self.transfer_ring(slot, e) | 1,
                self.pick([8, 512]),
            ) + bytes(12)
        self.put(self.area("input"), text)

    def transfer_ring(self, slot, endpoint):
        return self.area(f"transfers {slot}", 0x2000) + 0x400 * (endpoint & 7)

    def transfers(self, slot, endpoint):
        ring = self.transfer_ring(slot, endpoint)
        text = b""
        if endpoint == 1:
            setup = self.setup()
            length = int.from_bytes(setup[6:8], "little")
            inward = setup[0] >> 7
            text += setup + struct.pack(
                "<II", 8, 1 | 2 << 10 | 0x40 | (2 + inward if length else 0) << 16
            )
            if length or self.chance(0.1):
                text += struct.pack(
                    "<QII", self.address(1) & (1 << 64) - 1, length, 1 | 3 << 10 | inward << 16
                )
            text += struct.pack("<QII", 0, 0, 1 | 4 << 10 | 0x20 | (1 - inward) << 16)
        else:
            for _ in range(self.pick([1, 2, 5])):
                data = self.payload()
                at = self.place(data)
                text += struct.pack(
                    "<QII",
                    at & (1 << 64) - 1,
                    self.pick([len(data), 13, 36, 512, 0x1ffff]),
                    1
                    | self.pick([1, 1, 1, 5, 7, 8]) << 10
                    | self.pick([0, 0x20, 0x10, 0x24, 0x40]),
                )
        if self.chance(0.05):
            text += struct.pack(
                "<QII",
                self.pick([ring, self.address()]) & (1 << 64) - 1,
                0,
                1 | 6 << 10 | self.pick([0, 2]),
            )
        self.put(ring, text + bytes(16))

    def step(self):
        slot, endpoint = self.rng.randrange(1, 8), self.pick([1, 1, 2, 3, 4, 5, 31])
        if self.chance(0.6):
            self.transfers(slot, endpoint)
            if self.chance(0.5):
                self.command(
                    self.transfer_ring(slot, endpoint) | 1,
                    0,
                    15 << 10 | slot << 24 | endpoint << 16,
                )  # stop
                self.command(
                    self.transfer_ring(slot, endpoint) | 1,
                    self.pick([0, 0, 1, self.wild(2)]) << 16,
                    16 << 10 | slot << 24 | endpoint << 16,
                )
            self.w(
                self.doorbell + 4 * slot, endpoint | self.pick([0, 0, 0, 1, 3, self.wild(2)]) << 16
            )
        else:
            self.input_context(
                slot, self.pick([slot, self.rng.randrange(20)]), self.pick([0, 0, 0x19, 0x79])
            )
            kind = self.pick(
                [9, 10, 11, 12, 12, 13, 14, 15, 16, 17, 18, 21, 22, 23, self.rng.randrange(64)]
            )
            pointer = self.area("input") if kind in (11, 12, 13) else self.address(16)
            self.command(
                pointer,
                self.wild(4),
                kind << 10 | slot << 24 | endpoint << 16 | self.pick([0, 0, 0x200]),
            )
        self.send("clock_step 1000000")
        if self.chance(0.2):
            self.w(self.runtime + 0x38, self.event | 8)
        if self.chance(0.03):
            self.w(
                self.op + self.pick([0, 4, 0x14, 0x18, 0x30, 0x38, 0x400, 0x410, 0x420]),
                self.wild(4),
            )


TARGETS = {"uhci": Uhci, "ehci": Ehci, "ohci": Ohci, "xhci": Xhci}
