# SPDX-License-Identifier: GPL-2.0-or-later
"""Disk controllers: NVMe, SCSI adapters, the SD host controller."""
import struct

from machine import Device

DISKS = [
    "-drive",
    "driver=null-co,size=1M,if=none,id=d,werror=report",
    "-drive",
    "driver=raw,file.driver=null-co,file.size=1M,if=none,id=c,read-only=on",
]
SCSI = [*DISKS, "-device", "scsi-hd,drive=d", "-device", "scsi-cd,drive=c"]


class Nvme(Device):
    """Queue entries and doorbells of NVM Express 1.4, sections 3 to 5."""

    args = [*DISKS[:2], "-device", "nvme,serial=s,drive=d,addr=5,max_ioqpairs=4"]
    ADMIN = [
        0,
        1,
        2,
        4,
        5,
        6,
        6,
        8,
        9,
        0xa,
        0xc,
        0xd,
        0x10,
        0x11,
        0x14,
        0x15,
        0x18,
        0x1a,
        0x7c,
        0x80,
    ]
    IO = [0, 1, 1, 2, 2, 4, 5, 8, 9, 0xc, 0xd, 0x11, 0x15, 0x19, 0x79, 0x7a, 0x7d]
    DEPTH = 16

    def start(self):
        self.w(0x14, 0)
        sq, cq = self.area("admin sq"), self.area("admin cq")
        self.w(0x24, (self.DEPTH - 1) << 16 | self.DEPTH - 1)
        for offset, value in ((0x28, sq), (0x2c, 0), (0x30, cq), (0x34, 0)):
            self.w(offset, value)
        self.w(0x14, 0x460001)
        self.tails = [0, 0, 0]
        for n in (1, 2):
            self.submit(
                0, self.entry(5, 0, self.area(f"cq {n}"), cdw10=(self.DEPTH - 1) << 16 | n, cdw11=3)
            )
            self.submit(
                0,
                self.entry(
                    1, 0, self.area(f"sq {n}"), cdw10=(self.DEPTH - 1) << 16 | n, cdw11=1 | n << 16
                ),
            )

    def entry(self, opcode, nsid, prp1, prp2=0, cdw10=0, cdw11=0, cdw12=0, rest=(0, 0, 0), flags=0):
        return struct.pack(
            "<BBHIQQQQ6I",
            opcode,
            flags,
            self.rng.getrandbits(16),
            nsid,
            0,
            0,
            prp1 & (1 << 64) - 1,
            prp2 & (1 << 64) - 1,
            cdw10 & 0xffffffff,
            cdw11 & 0xffffffff,
            cdw12 & 0xffffffff,
            *rest,
        )

    def submit(self, queue, data):
        names = ["admin sq", "sq 1", "sq 2"]
        self.put(self.area(names[queue]) + 64 * self.tails[queue], data)
        self.tails[queue] = (self.tails[queue] + 1) % self.DEPTH
        tail = self.tails[queue] if self.chance(0.98) else self.wild(4)
        self.w(0x1000 + 8 * queue, tail)

    def step(self):
        queue = self.pick([0, 1, 1, 2])
        for _ in range(self.pick([1, 1, 3])):
            nsid = self.pick([1, 1, 1, 0, 2, 0xffffffff])
            prp = self.address(4) if self.chance(0.8) else self.address(1)
            # lists of pages: pointers into the pool
            pages = self.place(
                b"".join(struct.pack("<Q", self.address(4096) & (1 << 64) - 1) for _ in range(8)),
                align=8,
            )
            small = lambda: self.pick(
                [0, 0, 1, 2, 7, 8, 255, self.wild(4)]
            )  # noqa: E731  (short, used at once)
            opcode = self.pick(self.IO if queue else self.ADMIN)
            flags = self.pick([0, 0, 0, 0x40, 0x80, 1]) if self.chance(0.1) else 0
            self.submit(
                queue,
                self.entry(
                    opcode,
                    nsid,
                    prp,
                    pages,
                    small(),
                    self.pick([0, 0, small()]),
                    small(),
                    (small(), small(), small()),
                    flags,
                ),
            )
        if self.chance(0.7):
            self.w(
                0x1004 + 8 * queue,
                self.pick([self.tails[queue], self.rng.randrange(self.DEPTH), self.wild(4)]),
            )
        if self.chance(0.02):
            self.w(0x20, self.pick([0x4e564d65, 0]))


class Lsi(Device):
    """Programs for the SCRIPTS processor (LSI53C895A technical manual, chapter 5)."""

    args = ["-device", "lsi53c895a,addr=5", *SCSI]

    def instruction(self, phase):
        rng, pick = self.rng, self.pick
        kind = rng.randrange(12)
        if kind < 4:  # block move: direct, indirect or by a table
            return [
                phase << 24
                | pick([0, 0, 0x10, 0x20]) << 24
                | self.pick([1, 6, 10, 64, 512, 0xffffff]),
                self.address(1, 32),
            ]
        if kind < 6:  # select, reselect, disconnect, set and clear
            return [
                pick([0x41, 0x40, 0x47, 0x50, 0x48, 0x58, 0x60, 0x45]) << 24
                | pick([0, 0, 1, 7]) << 16
                | self.wild(2),
                self.address(4, 32),
            ]
        if kind < 8:  # registers
            return [
                pick([0x68, 0x70, 0x78, 0x6a, 0x7c, 0x7e]) << 24
                | rng.randrange(0x80) << 16
                | rng.getrandbits(8) << 8,
                self.address(4, 32),
            ]
        if kind < 10:  # jump, call, return, interrupt
            return [
                pick([0x80, 0x88, 0x90, 0x98]) << 24
                | rng.randrange(8) << 24
                | pick([0x80000, 0, 0xa0000, 0xb0000, 0x8a0000])
                | self.wild(1),
                self.pick([self.area("script") + 8 * rng.randrange(16), self.address(4, 32)]),
            ]
        if kind == 10:  # memory move
            return [
                0xc0000000 | pick([1, 4, 64, 512, 0xffffff]),
                self.address(1, 32),
                self.address(1, 32),
            ]
        return [
            pick([0xe0, 0xe1, 0xf0, 0xf1]) << 24 | rng.randrange(0x80) << 16 | pick([1, 2, 4, 7]),
            self.address(1, 32),
        ]

    def start(self):
        self.w(0x14, 0, 1)
        self.w(0x00, 0xda, 1)
        self.w(0x40, 0xff, 1)

    def step(self):
        script = self.area("script")
        text, table, cdb, message = [], self.area("table"), self.area("cdb"), self.area("message")
        target = self.pick([0, 0, 1, 6])
        self.put(
            table,
            struct.pack("<I", target << 16 | self.wild(2))
            + b"".join(
                struct.pack("<II", self.pick([1, 6, 512, self.wild(3)]), self.address(1, 32))
                for _ in range(8)
            ),
        )
        if self.chance(0.4):
            self.w(0x14, 0x40, 1)
            self.start()
        self.put(
            message, bytes([self.pick([0x80, 0xc0, 0x81, 0x0c, 0x06, 1, 0x20])]) + self.some(7)
        )
        if self.chance(0.8):
            body = self.cdb()
            self.put(cdb, body)
            text += [
                0x41000000 | target << 16,
                script + 0x100,
                0x0e000000 | self.pick([1, 1, 3]),
                message,
                0x0a000000 | self.cdb_length(body) & 0xff,
                cdb,
            ]
            # to the status when no data come; in or out as the target wants
            text += [
                0x830b0000,
                script + 8 * 8,
                0x810b0000,
                script + 8 * 7,
                0x08000000 | self.pick([512, 1024, 4096]),
                self.address(1, 32),
                0x800b0000,
                script + 8 * 8,
                0x09000000 | self.pick([36, 512, 512, 4096]),
                self.address(1, 32),
                0x0b000001,
                self.address(1, 32),
                0x0f000001,
                self.address(1, 32),
                0x60000040,
                0,
                0x48000000,
                0,
            ]
        for _ in range(self.pick([1, 4, 10])):
            text += self.instruction(self.rng.randrange(8))
        text += [0x98080000, 1]
        self.put(script, struct.pack(f"<{len(text)}I", *[t & 0xffffffff for t in text]))
        self.w(0x10, table)
        self.w(0x2c, script)
        for _ in range(self.rng.randrange(4)):
            self.r(self.pick([0x0c, 0x14, 0x42, 0x43]), 1)
        if self.chance(0.2):
            self.w(self.pick([0x14, 0x3b]), self.pick([0x20, 0x80, 0x40, 4, 0x14]), 1)


class Megasas(Device):
    """Frames of the MFI interface."""

    kind = "megasas"
    args = ["-device", "megasas,addr=5", *SCSI]
    CODES = [
        0x01010000,
        0x01020100,
        0x01020200,
        0x01030100,
        0x01040100,
        0x01040300,
        0x01040400,
        0x01050000,
        0x01060100,
        0x01080100,
        0x01080200,
        0x01090100,
        0x010b0100,
        0x010c0100,
        0x010d0100,
        0x010e0201,
        0x02010100,
        0x02020000,
        0x03010000,
        0x03010100,
        0x03020000,
        0x04010000,
        0x08000000,
    ]

    def header(self, command, count=0, data=0, cdb=0, flags=0):
        return struct.pack(
            "<8BIIHHI",
            command,
            0,
            0xff,
            0,
            self.pick([0, 0, 1, 0x80, 255]),
            self.pick([0, 0, 0, 1, 255]),
            cdb,
            count,
            self.wild(4),
            0,
            flags,
            0,
            data & 0xffffffff,
        )

    def post(self, frame):
        self.w(0x40, frame | self.pick([0, 0, 1, 3, 7]))

    def start(self):
        info, queue, frame = self.area("info"), self.area("replies"), self.area("init")
        self.put(
            info,
            struct.pack("<IIQQQ", 0, 64, queue, self.area("indexes"), self.area("indexes") + 8),
        )
        self.put(
            frame,
            struct.pack("<8BIIHHI", 0, 0, 0xff, *[0] * 5, 0, 0, 0, 0, 24)
            + struct.pack("<QQ", info, 0),
        )
        self.w(0x40, frame)

    def sgl(self, flags, count):
        form = "<QI" if flags & 2 else "<II"
        mask = (1 << 64) - 1 if flags & 2 else 0xffffffff
        if flags & 0x20:
            return b"".join(
                struct.pack(
                    "<QII", self.address(1) & (1 << 64) - 1, self.pick([36, 512, self.wild(3)]), 0
                )
                for _ in range(min(count, 5))
            )
        return b"".join(
            struct.pack(form, self.address(1) & mask, self.pick([36, 512, 4096, self.wild(4)]))
            for _ in range(min(count, 8))
        )

    def step(self):
        frame = self.area("frames", 0x2000) + 0x100 * self.rng.randrange(16)
        count, flags = self.pick([0, 1, 1, 1, 2, 8, 80, 255]), self.pick(
            [0, 2, 8, 0x10, 0x10, 0x12, 0x18, 0x22, 0x32]
        )
        command = self.pick([1, 2, 3, 4, 4, 5, 5, 5, 6, 8]) if self.chance(0.98) else self.wild(1)
        cdb = self.cdb()
        head = self.header(command, count, self.length(), self.cdb_length(cdb), flags)
        if command in (1, 2):
            body = struct.pack(
                "<IIII",
                self.address(1, 32) & 0xffffffff,
                0,
                self.pick([0, 1, 2047, self.wild(4)]),
                0,
            )
        elif command in (3, 4):
            body = struct.pack("<II", self.address(1, 32) & 0xffffffff, 0) + cdb
        elif command == 5:
            body = struct.pack("<I", self.pick(self.CODES)) + self.some(12)
        else:
            body = struct.pack("<QQ", self.address() & (1 << 64) - 1, self.wild(8))
        self.put(frame, head + body + self.sgl(flags, count))
        self.post(frame)
        if self.chance(0.4):
            self.r(0x30)
            self.w(0xa0, 1)


class MegasasGen2(Megasas):
    args = ["-device", "megasas-gen2,addr=5", *SCSI]

    def w(self, offset, value, size=4, bar=1):
        super().w(
            offset, value, size, bar if bar in self.windows else self.pick(list(self.windows))
        )

    def r(self, offset, size=4, bar=1):
        return super().r(
            offset, size, bar if bar in self.windows else self.pick(list(self.windows))
        )


class Mptsas(Device):
    """The doorbell's handshake and request frames of Fusion-MPT 1.5."""

    args = ["-device", "mptsas1068,addr=5", *SCSI]

    def w(self, offset, value, size=4, bar=1):
        super().w(
            offset, value, size, bar if bar in self.windows else self.pick(list(self.windows))
        )

    def r(self, offset, size=4, bar=1):
        return super().r(
            offset, size, bar if bar in self.windows else self.pick(list(self.windows))
        )

    def start(self):
        self.w(0x00, 0x40 << 24)
        words = [0x02000004, 0x108, 0, 0x50, 0, 0, 0, 0, 0, 0, 0x13000105]
        self.w(0x00, 0x42 << 24 | len(words) << 16)
        self.w(0x30, 0)
        for word in words:
            self.w(0x00, word)
        for _ in range(12):
            self.r(0x00)
            self.w(0x30, 0)
        for i in range(8):
            self.w(0x44, self.area("replies", 0x1000) + 0x80 * i)

    def step(self):
        frame = self.area("frames") + 0x80 * self.rng.randrange(16)
        function = self.pick([0, 0, 0, 1, 3, 4, 5, 6, 7, 0x1b, 0x1c, 0x16, self.wild(1)])
        sge = b"".join(
            struct.pack(
                "<IQ" if self.chance(0.3) else "<II",
                self.pick(
                    [0xd1000000, 0xd5000000, 0x11000000, 0xd3000000, 0x31000000, self.wild(1) << 24]
                )
                | self.pick([36, 512, 4096, 0xffffff]),
                self.address(1, 32) & 0xffffffff,
            )
            for _ in range(3)
        )
        if function == 0:
            cdb = self.cdb()
            data = struct.pack(
                "<8BIQI",
                self.pick([0, 0, 0, 1, 255]),
                0,
                self.pick([0, 0, 0, 0, 0, 13, 255]),
                function,
                self.cdb_length(cdb),
                32,
                0,
                self.pick([0, 1]),
                self.wild(4),
                self.pick([0, 0, 0, 1 << 8]),
                self.pick([0, 1 << 24, 2 << 24]),
            )
            data += cdb + struct.pack("<II", self.length(), self.address(1, 32) & 0xffffffff) + sge
        else:
            data = (
                bytes([self.wild(1), 0, self.pick([0, 0, 1, 3]), function])
                + struct.pack("<I", self.wild(4)) * 2
                + self.some(20)
                + sge
            )
        self.put(frame, data[:0x80])
        self.w(0x40, frame | self.pick([0, 0, 0, 1]))
        if self.chance(0.5):
            self.r(0x44)
            self.w(0x44, self.area("replies") + 0x80 * self.rng.randrange(8))
            self.w(0x30, 0)
        if self.chance(0.05):
            self.w(0x00, self.wild(4))


class Pvscsi(Device):
    """Rings and commands of the paravirtual adapter as its driver sets them up."""

    args = ["-device", "pvscsi,addr=5", *SCSI]

    def command(self, code, words):
        self.w(0, code)
        for word in words:
            self.w(4, word)

    def start(self):
        self.command(1, [])
        state, ring, done, messages = (
            self.area("state"),
            self.area("requests"),
            self.area("completions"),
            self.area("messages"),
        )
        self.put(
            state,
            struct.pack("<6I", 0, 0, self.pick([5, 5, 5, 31, 0xffffffff]), 0, 0, 7)
            + bytes(104)
            + struct.pack("<III", 0, 0, 5),
        )
        pages = self.pick([1, 1, 1, 1, 1, 1, 1, 1, 32, 33])
        words = [pages, 1, state >> 12, 0] + [ring >> 12, 0] * 32 + [done >> 12, 0] * 32
        self.command(3, words)
        if self.chance(0.7):
            self.command(8, [1, 0, state >> 12, 0] + [messages >> 12, 0] * 16)
        self.produced = 0

    def step(self):
        ring, state = self.area("requests"), self.area("state")
        for _ in range(self.pick([1, 2, 5])):
            flags = self.pick([0, 8, 0x10, 4, 2, 1, 0x18, 0x11])
            sg = self.place(
                b"".join(
                    struct.pack(
                        "<QII",
                        self.address(1) & (1 << 64) - 1,
                        self.pick([36, 512, self.wild(4)]),
                        self.pick([0, 0, 0, 1]),
                    )
                    for _ in range(4)
                ),
                align=16,
            )
            data = struct.pack(
                "<QQQQII",
                self.produced,
                sg & (1 << 64) - 1,
                self.length(),
                self.address(1) & (1 << 64) - 1,
                self.pick([0, 18, 96]),
                flags,
            )
            cdb = self.cdb()
            data += (
                cdb
                + bytes([self.cdb_length(cdb)])
                + bytes([self.pick([0, 1, 7]), 0, 0, 0, 0, 0, 0])
                + bytes([0x20, 0, self.pick([0, 0, 1, 63]), 0])
                + bytes(59)
            )
            self.put(ring + 128 * (self.produced % 32), data[:128])
            self.produced += 1
        index = self.produced if self.chance(0.99) else self.wild(4)
        self.put(state, struct.pack("<I", index & 0xffffffff))
        self.w(self.pick([0x3014, 0x4018, 0x4018]), 0)
        if self.chance(0.04):
            self.command(self.pick([4, 5, 6, 7, 2, 9]), [self.wild(4) for _ in range(6)])


class Esp(Device):
    """Commands, FIFO and DMA of the Am53C974."""

    args = ["-device", "am53c974,addr=5", *SCSI]

    def start(self):
        self.w(0x0c, 2, 1)
        self.w(0x0c, 3, 1)
        self.w(0x0c, 0x80, 1)

    def step(self):
        if self.chance(0.6):
            self.whole()
            return
        self.w(0x10, self.pick([0, 0, 1, 7]), 1)
        cdb = bytes([0x80]) + self.cdb(self.pick([6, 10, 12]))
        if self.chance(0.5):
            for b in cdb[: self.pick([1, 7, 11, 16])]:
                self.w(8, b, 1)
            self.w(0x0c, self.pick([0x41, 0x42, 0x43, 0x46]), 1)
        else:
            at = self.place(cdb, 32)
            self.dma(at, len(cdb), 0)
            self.w(0x0c, self.pick([0xc1, 0xc2, 0xc3, 0xc6]), 1)
        for _ in range(self.rng.randrange(6)):
            if self.chance(0.5):
                self.dma(
                    self.address(1, 32) & 0xffffffff,
                    self.pick([1, 36, 512, 0, 0xffff]),
                    self.pick([0, 0x80]),
                )
            self.w(0x0c, self.pick([0x90, 0x10, 0x91, 0x11, 0x12, 0x98, 0x18, 0, 1, 0x1a, 0x44]), 1)
            self.r(self.pick([8, 0x10, 0x14, 0x18, 0x1c]), 1)

    def whole(self):
        """One command as a driver runs it, through every phase that comes."""
        cdb = self.cdb()
        self.w(0x10, self.pick([0, 0, 1]), 1)
        for b in b"\x80" + cdb[: self.cdb_length(cdb)]:
            self.w(8, b, 1)
        self.w(0x0c, 0x42, 1)
        for _ in range(5):
            phase = self.r(0x10, 1) & 7
            self.r(0x14, 1)
            if phase in (0, 1):
                self.dma(
                    self.address(1, 32) & 0xffffffff, self.pick([512, 512, 36, 4096]), 0x80 * phase
                )
                self.w(0x0c, 0x90, 1)
                self.w(0x40, 0x80 * phase | 3)
            elif phase == 3:
                self.w(0x0c, 0x11, 1)
                self.r(8, 1)
                self.r(8, 1)
                self.w(0x0c, 0x12, 1)
            else:
                break

    def dma(self, at, size, direction):
        self.w(0x40, direction)
        self.w(0x44, size)
        self.w(0x48, at)
        if self.chance(0.1):
            self.w(0x58, self.address(4, 32))
        self.w(0, size & 0xff, 1)
        self.w(4, size >> 8, 1)
        self.w(0x38, size >> 16, 1)
        self.w(0x40, direction | self.pick([3, 3, 3, 0x13, 2, 1]))


class Sdhci(Device):
    """Cards behind the standard host controller (SD Host Controller Simplified Specification 2.0), with PIO, SDMA and ADMA2."""

    args = [*DISKS[:2], "-device", "sdhci-pci,addr=5", "-device", "sd-card,drive=d"]

    def command(self, index, argument=0, flags=2, mode=0):
        self.w(8, argument)
        self.w(0xc, mode, 2)
        self.w(0xe, index << 8 | flags, 2)

    def start(self):
        self.w(0x2f, 1, 1)
        self.w(0x2c, 5, 2)
        self.w(0x29, 0xf, 1)
        self.w(0x34, 0xffffffff)
        for index, argument in (
            (0, 0),
            (8, 0x1aa),
            (55, 0),
            (41, 0x40ff8000),
            (55, 0),
            (41, 0x40ff8000),
            (2, 0),
            (3, 0),
        ):
            self.command(index, argument)
        rca = self.r(0x10) & 0xffff0000
        self.command(7, rca)
        self.rca = rca

    def step(self):
        table = self.area("adma")
        self.put(
            table,
            b"".join(
                struct.pack(
                    "<HHI",
                    self.pick([0x21, 0x23, 0x31, 0x01, 0x25, self.wild(2)]),
                    self.pick([0, 512, 1, self.wild(2)]),
                    self.address(1, 32) & 0xffffffff,
                )
                for _ in range(8)
            ),
        )
        self.w(0x58, self.pick([table, self.address(4, 32)]))
        self.w(0, self.address(4, 32))
        self.w(4, self.pick([512, 0x7200, 64, 8, 0, 4095, self.wild(2)]), 2)
        self.w(6, self.pick([1, 2, 8, 0, 0xffff]), 2)
        self.w(0x28, self.pick([0, 8, 0x10, 0x18, 2]), 1)
        index = (
            self.pick([17, 18, 24, 25])
            if self.chance(0.6)
            else self.pick(
                [
                    17,
                    18,
                    24,
                    25,
                    6,
                    13,
                    12,
                    9,
                    10,
                    55,
                    51,
                    32,
                    33,
                    38,
                    16,
                    0,
                    7,
                    30,
                    42,
                    56,
                    self.rng.randrange(64),
                ]
            )
        )
        self.command(
            index,
            self.pick([0, 0, 1, 2047, 2048, self.rca, self.wild(4)]),
            self.pick([0x3a, 0x3a, 0x22, 2, 0x1b]),
            self.pick([0x13, 0x33, 3, 0x23, 0x37, 0, 0x10, 0x32]),
        )
        for _ in range(self.rng.randrange(12)):
            if self.chance(0.5):
                self.r(0x20, self.pick([1, 2, 4]))
            else:
                self.w(0x20, self.wild(4), self.pick([1, 2, 4]))
        self.w(0x30, 0xffffffff)
        if self.chance(0.1):
            self.w(0x2f, self.pick([1, 2, 4, 6]), 1)


class Fdc(Device):
    """Commands of the 82078 by port, data by ISA DMA."""

    args = [
        "-device",
        "isa-fdc,id=f",
        "-drive",
        "driver=null-co,size=1474560,if=none,id=d",
        "-device",
        "floppy,drive=d,drive-type=144",
    ]
    COMMANDS = {
        0x03: 3,
        0x04: 2,
        0x07: 2,
        0x08: 1,
        0x0f: 3,
        0x46: 9,
        0x45: 9,
        0x66: 9,
        0xe6: 9,
        0xc5: 9,
        0x4a: 2,
        0x4d: 6,
        0x10: 1,
        0x13: 4,
        0x0e: 1,
        0x14: 1,
        0x94: 1,
        0x12: 2,
        0x8e: 6,
        0x42: 9,
        0x51: 9,
        0x59: 9,
        0x5d: 9,
        0x33: 2,
        0xcd: 11,
        0x2e: 1,
        0x4e: 17,
    }

    def start(self):
        self.send("outb 0x3f2 0")
        self.send("outb 0x3f2 0x1c")
        self.send("inb 0x3f4")

    def step(self):
        address, count = self.address(1, 24) & 0xffffff, self.pick([511, 0, 1023, 0xffff])
        for port, value in (
            (0x0a, 6),
            (0x0c, 0),
            (0x0b, self.pick([0x46, 0x4a, 0x42, 0x56])),
            (4, address & 0xff),
            (4, address >> 8 & 0xff),
            (0x81, address >> 16),
            (0x0c, 0),
            (5, count & 0xff),
            (5, count >> 8),
            (0x0a, 2),
        ):
            self.send(f"outb {port} {value}")
        code = self.pick([*self.COMMANDS, self.wild(1)])
        self.send(f"outb 0x3f5 {code}")
        if code in (0x45, 0x46, 0x66, 0xe6, 0xc5) and self.chance(0.7):
            sector = self.rng.randrange(1, 19)
            for value in (
                self.pick([0, 4]),
                self.rng.randrange(80),
                self.pick([0, 1]),
                sector,
                2,
                self.pick([sector, 18]),
                0x1b,
                0xff,
            ):
                self.send(f"outb 0x3f5 {value}")
            code = 0x08
        for _ in range(self.COMMANDS.get(code, 1) - (1 if self.chance(0.95) else 3)):
            self.send(f"outb 0x3f5 {self.pick([0, 0, 1, 1, 2, 18, 0x1b, 79, 80, 255, 4])}")
        for _ in range(self.rng.randrange(10)):
            self.send(
                self.pick(
                    [
                        "inb 0x3f5",
                        "inb 0x3f4",
                        "inb 0x3f0",
                        "clock_step 15000000",
                        f"outb 0x3f5 {self.wild(1)}",
                    ]
                )
            )
        if self.chance(0.1):
            self.send(f"outb {self.pick([0x3f2, 0x3f4, 0x3f7])} {self.wild(1)}")


TARGETS = {
    "nvme": Nvme,
    "lsi53c895a": Lsi,
    "megasas": Megasas,
    "megasas-gen2": MegasasGen2,
    "mptsas1068": Mptsas,
    "pvscsi": Pvscsi,
    "am53c974": Esp,
    "sdhci": Sdhci,
    "fdc": Fdc,
}
