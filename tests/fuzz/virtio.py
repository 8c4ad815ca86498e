# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtio devices by their modern PCI transport: split and packed rings, chains, indirect tables (Virtio 1.1, 2.6, 2.7, 4.1)."""
import struct

from machine import Device, config, le_words

NEXT, WRITE, INDIRECT, AVAIL, USED = 1, 2, 4, 1 << 7, 1 << 15
QUEUE = 64


class Virtio(Device):
    busy = 0  # the queue that most requests come by

    def plug(self):
        super().plug()
        self.caps = {}
        at = config(self.q, 5 << 3, 0x34) & 0xfc
        while at:
            head = config(self.q, 5 << 3, at)
            if head & 0xff == 9:
                bar = config(self.q, 5 << 3, at + 4) & 7
                self.caps[head >> 24] = (bar, config(self.q, 5 << 3, at + 8))
            at = head >> 8 & 0xfc

    def common(self, offset, value=None, size=4):
        bar, base = self.caps[1]
        if value is None:
            return self.r(base + offset, size, bar)
        return self.w(base + offset, value, size, bar)

    def start(self):
        self.common(20, 0, 1)
        self.common(20, 3, 1)
        self.common(0, 0)
        low = self.common(4)
        self.common(0, 1)
        high = self.common(4)
        self.packed = bool(high & 4) and self.chance(0.3)
        for word, offered in ((0, low), (1, high)):
            wanted = offered
            if self.chance(0.5):
                wanted &= self.rng.getrandbits(32) | self.rng.getrandbits(32)
            if word == 1:
                wanted = (wanted | 1) & ~6 | (4 if self.packed else 0)
            else:
                self.indirect = bool(wanted & 1 << 28) or self.chance(0.02)
            self.common(8, word)
            self.common(12, wanted)
        self.common(20, 0xb, 1)
        self.state = []
        for n in range(min(self.common(18, size=2), 8)):
            self.common(22, n, 2)
            size = self.common(24, size=2)
            if size == 0:
                self.state.append(None)
                continue
            size = min(size, QUEUE)
            where = self.area(f"queue {n}", 0x3000)
            self.put(where, bytes(0x3000))
            self.common(24, size, 2)
            for offset, value in (
                (32, where),
                (36, 0),
                (40, where + 0x1000),
                (44, 0),
                (48, where + 0x2000),
                (52, 0),
            ):
                self.common(offset, value)
            self.common(28, 1, 2)
            self.state.append(
                {
                    "size": size,
                    "at": where,
                    "next": 0,
                    "free": 0,
                    "wrap": True,
                    "notify": self.common(30, size=2),
                }
            )
        self.common(20, 0xf, 1)

    # what is sent; a device's own says (bytes it reads, [sizes it writes]) for queue n

    def message(self, n):
        return self.some(self.length(256) & 0xff), [self.length()]

    def chain(self, n):
        """[(address, length, flags)] of one request."""
        data, sizes = self.message(n)
        parts = []
        cuts = [len(data)] if self.chance(0.7) else [1, max(len(data) - 1, 0)]
        for cut in cuts:
            parts.append([self.place(data[:cut]), cut, 0])
            data = data[cut:]
        parts += [[self.address(1), size, WRITE] for size in sizes]
        if self.chance(0.04):
            part = self.pick(parts)
            part[self.pick([1, 2])] = self.pick([0, 1, 2, 3, 0xffffffff, self.rng.getrandbits(31)])
        if self.chance(0.02):
            self.rng.shuffle(parts)
        return [p for p in parts if p[1] or self.chance(0.2)] or parts

    def split(self, n, queue):
        size, at = queue["size"], queue["at"]
        parts = self.chain(n)
        head = queue["free"]
        if self.indirect and self.chance(0.25):
            body = b"".join(
                struct.pack(
                    "<QIHH",
                    a & (1 << 64) - 1,
                    l & 0xffffffff,
                    f & 3 | (NEXT if i + 1 < len(parts) else 0),
                    i + 1 if self.chance(0.97) else self.rng.getrandbits(16),
                )
                for i, (a, l, f) in enumerate(parts)
            )
            table = self.place(body, align=16)
            parts = [[table, len(body) if self.chance(0.95) else self.length(), INDIRECT]]
        for i, (address, length, flags) in enumerate(parts):
            slot = (head + i) % size
            more = i + 1 < len(parts)
            after = (slot + 1) % size if self.chance(0.98) else self.rng.getrandbits(16)
            self.put(
                at + 16 * slot,
                struct.pack(
                    "<QIHH",
                    address & (1 << 64) - 1,
                    length & 0xffffffff,
                    flags & 7 | (NEXT if more else 0),
                    after,
                ),
            )
        queue["free"] = (head + len(parts)) % size
        self.put(at + 0x1000 + 4 + 2 * (queue["next"] % size), struct.pack("<H", head))
        queue["next"] = queue["next"] + 1 & 0xffff
        index = queue["next"] if self.chance(0.98) else self.rng.getrandbits(16)
        self.put(at + 0x1000, struct.pack("<HH", self.pick([0, 0, 1]), index))
        self.put(at + 0x1000 + 4 + 2 * size, struct.pack("<H", self.rng.getrandbits(16)))

    def pack(self, n, queue):
        size, at = queue["size"], queue["at"]
        parts = self.chain(n)
        body = []
        for i, (address, length, flags) in enumerate(parts):
            flags = flags & 7 | (NEXT if i + 1 < len(parts) else 0)
            flags |= AVAIL if queue["wrap"] else USED
            body.append(
                (
                    at + 16 * queue["next"],
                    struct.pack(
                        "<QIHH",
                        address & (1 << 64) - 1,
                        length & 0xffffffff,
                        self.rng.getrandbits(16),
                        flags,
                    ),
                )
            )
            queue["next"] += 1
            if queue["next"] == size:
                queue["next"], queue["wrap"] = 0, not queue["wrap"]
        for where, data in reversed(body):
            self.put(where, data)

    def step(self):
        if self.chance(0.005):
            self.config_write()
            return
        n = self.rng.randrange(len(self.state)) if self.state else 0
        if self.chance(0.5):
            n = self.busy if self.busy < len(self.state) else 0
        queue = self.state[n] if self.state else None
        if queue is None:
            self.poke()
            return
        for _ in range(self.pick([1, 1, 2, 5])):
            (self.pack if self.packed else self.split)(n, queue)
        bar, base = self.caps[2]
        self.w(base + 4 * queue["notify"], n, 2, bar)

    def config_write(self):
        if 4 in self.caps:
            bar, base = self.caps[4]
            self.w(base + self.rng.randrange(64), self.wild(4), self.pick([1, 2, 4]), bar)
        else:
            self.common(self.rng.randrange(56), self.wild(4), self.pick([1, 2, 4]))


class Blk(Virtio):
    args = [
        "-drive",
        "driver=null-co,size=1M,if=none,id=d,werror=report",
        "-device",
        "virtio-blk-pci,drive=d,num-queues=2,addr=5",
    ]

    def message(self, n):
        kind = self.pick([0, 0, 1, 1, 4, 8, 11, 13, 14, self.wild(4)])
        head = struct.pack("<IIQ", kind, 0, self.pick([0, 1, 2047, 2048, self.wild(8)]))
        if kind in (11, 13, 14):
            head += le_words(
                [
                    (8, self.pick([0, 2000, self.wild(8)])),
                    (4, self.pick([1, 8, 2048, self.wild(4)])),
                    (4, self.pick([0, 1])),
                ]
            )
        elif kind == 1:
            head += self.some(512)
        return head, ([self.pick([512, 4096, 20, 1])] if kind != 1 else []) + [1]


class Scsi(Virtio):
    args = [
        "-device",
        "virtio-scsi-pci,id=s,addr=5",
        "-drive",
        "driver=null-co,size=1M,if=none,id=d",
        "-device",
        "scsi-hd,drive=d",
        "-drive",
        "driver=raw,file.driver=null-co,file.size=1M,if=none,id=c,read-only=on",
        "-device",
        "scsi-cd,drive=c",
    ]

    busy = 2

    def lun(self):
        return bytes(
            [
                1,
                self.pick([0, 0, 1, self.rng.randrange(256)]),
                0x40,
                self.pick([0, 0, 0, 1]),
                0,
                0,
                0,
                0,
            ]
        )

    def message(self, n):
        if n == 0:
            return self.pick(
                [
                    struct.pack("<II", 0, self.rng.randrange(9)) + self.lun() + self.some(8),
                    struct.pack("<I", self.pick([1, 2])) + self.lun() + self.some(4),
                ]
            ), [self.pick([1, 5])]
        if n == 1:
            return b"", [16]
        cdb = self.cdb(32)
        out = (
            self.some(4096)
            if cdb[0] in (0x0a, 0x2a, 0xaa, 0x8a)
            else self.pick([b"", b"", b"", self.some(64)])
        )
        return self.lun() + self.some(11) + cdb + out, [108] + ([self.length()] if not out else [])


class Net(Virtio):
    args = [
        "-netdev",
        "hubport,id=n,hubid=0",
        "-netdev",
        "hubport,id=m,hubid=0",
        "-device",
        "virtio-net-pci,netdev=n,addr=5",
        "-device",
        "virtio-net-pci,netdev=m,addr=6",
    ]

    def message(self, n):
        if n % 2 == 0 and n < 2:
            return b"", [self.pick([12, 64, 1526, 65550])]
        if n >= 2:
            kind = self.rng.randrange(6)
            body = self.pick(
                [
                    b"\0",
                    b"\1",
                    self.some(6),
                    struct.pack("<I", self.pick([0, 1, 64, 0xffffffff])) + self.some(12),
                ]
            )
            return bytes([kind, self.rng.randrange(4)]) + body, [1]
        head = struct.pack(
            "<BBHHHHH",
            self.pick([0, 1, 1]),
            self.pick([0, 0, 1, 3, 4, 0x81]),
            self.pick([0, 14, 54, 65535]),
            self.pick([0, 1, 576, 1448, 65535]),
            self.pick([0, 14, 34, 54, 65535]),
            self.pick([0, 6, 16, 65535]),
            0,
        )
        return head + self.frame(), []


class Console(Virtio):
    args = [
        "-device",
        "virtio-serial-pci,id=v,addr=5",
        "-chardev",
        "null,id=c",
        "-device",
        "virtconsole,chardev=c",
        "-chardev",
        "null,id=e",
        "-device",
        "virtserialport,chardev=e,name=p",
    ]

    def message(self, n):
        if n == 3:
            return (
                struct.pack(
                    "<IHH",
                    self.pick([0, 1, 2, 31, self.wild(4)]),
                    self.rng.randrange(9),
                    self.pick([0, 1]),
                ),
                [],
            )
        return (self.some(40), []) if n % 2 else (b"", [64])


class Rng(Virtio):
    args = ["-device", "virtio-rng-pci,max-bytes=64,period=1,addr=5"]

    def message(self, n):
        return b"", [self.length()]


class Balloon(Virtio):
    args = ["-device", "virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on,addr=5"]

    def message(self, n):
        if n == 2:
            return (
                b"".join(
                    struct.pack("<HQ", self.rng.randrange(12), self.wild(8))
                    for _ in range(self.rng.randrange(12))
                ),
                [],
            )
        if n > 2:
            return b"", [self.pick([4096, 65536, 2 << 20])]
        return (
            b"".join(
                struct.pack("<I", self.pick([0x3000, 0x3fff, 0x4000, self.wild(4)]))
                for _ in range(8)
            ),
            [],
        )


class Input(Virtio):
    args = ["-device", "virtio-keyboard-pci,addr=5"]

    def message(self, n):
        return (
            (b"", [8])
            if n == 0
            else (
                struct.pack(
                    "<HHI",
                    self.pick([0, 17, self.wild(2)]),
                    self.pick([0, 1, 2, self.wild(2)]),
                    self.wild(4),
                ),
                [],
            )
        )


class Gpu(Virtio):
    args = ["-device", "virtio-gpu-pci,max_outputs=2,edid=on,addr=5"]

    def message(self, n):
        small = lambda: self.pick(
            [0, 1, 1, 2, 16, 64, 4096, self.wild(4)]
        )  # noqa: E731  (short, used at once)
        kind = self.pick(
            [
                0x100,
                0x101,
                0x101,
                0x102,
                0x103,
                0x104,
                0x105,
                0x106,
                0x106,
                0x107,
                0x108,
                0x109,
                0x10a,
                0x10b,
                0x10c,
                0x200,
                0x300,
                0x301,
                self.wild(2),
            ]
        )
        head = struct.pack("<IIQII", kind, self.pick([0, 1]), 1, 0, 0)
        if kind == 0x101:
            body = struct.pack(
                "<4I", self.pick([1, 2, 0]), self.pick([1, 2, 3, 67, 134, 9]), small(), small()
            )
        elif kind == 0x106:
            count = self.pick([1, 2, 3, 16385, 0xffffffff])
            body = struct.pack("<II", self.pick([1, 2]), count)
            body += b"".join(
                struct.pack("<QII", self.address(4096) & (1 << 64) - 1, small(), 0)
                for _ in range(min(count, 4))
            )
        elif kind == 0x105:
            body = struct.pack(
                "<4IQII",
                small(),
                small(),
                small(),
                small(),
                self.pick([0, 64, self.wild(8)]),
                self.pick([1, 2]),
                0,
            )
        elif kind in (0x103, 0x104):
            body = struct.pack(
                "<6I",
                small(),
                small(),
                small(),
                small(),
                *self.pick([(0, 1), (1, 2), (1, 0), (2, 0)]),
            )
        elif kind >= 0x300:
            body = struct.pack(
                "<9I", 0, small(), small(), 0, self.pick([1, 2]), small(), small(), 0, 0
            )
        else:
            body = struct.pack("<2I", self.pick([1, 2, 3]), 0)
        return head + body, [self.pick([24, 408, 1100])]


class NineP(Virtio):
    args = [
        "-fsdev",
        "local,id=f,path=FOLDER/share,security_model=none",
        "-device",
        "virtio-9p-pci,fsdev=f,mount_tag=t,addr=5",
    ]
    KINDS = [
        8,
        12,
        14,
        16,
        18,
        20,
        22,
        24,
        26,
        30,
        32,
        40,
        50,
        52,
        54,
        70,
        72,
        74,
        76,
        100,
        104,
        108,
        110,
        112,
        114,
        116,
        118,
        120,
        122,
        124,
        126,
    ]

    def text(self):
        name = self.pick([b"a", b"b", b"..", b".", b"", b"a/b", b"x" * 300, b"c\0d"])
        return (
            struct.pack("<H", len(name) if self.chance(0.95) else self.rng.getrandbits(16)) + name
        )

    def message(self, n):
        kind = self.pick(self.KINDS)
        fid = lambda: struct.pack(
            "<I", self.pick([0, 1, 2, 3, 0xffffffff])
        )  # noqa: E731  (short, used at once)
        if kind == 100:
            body = struct.pack("<I", self.pick([8192, 4096, 24, 0, 0xffffffff])) + self.pick(
                [b"\x08\09P2000.L", b"\x08\09P2000.u", self.text()]
            )
        elif kind == 104:
            body = fid() + b"\xff\xff\xff\xff" + b"\0\0" + b"\0\0" + b"\0\0\0\0"
        elif kind == 110:
            count = self.pick([0, 1, 2, 16, 17])
            body = (
                fid()
                + fid()
                + struct.pack("<H", count)
                + b"".join(self.text() for _ in range(min(count, 3)))
            )
        elif kind in (40, 116):
            body = fid() + struct.pack(
                "<QI", self.pick([0, 1, self.wild(8)]), self.pick([0, 16, 4096, 0xffffffff])
            )
        elif kind == 118:
            body = (
                fid()
                + struct.pack("<QI", self.pick([0, 1, 1 << 20]), self.pick([0, 4, 0xffff]))
                + b"data"
            )
        else:
            body = (
                fid()
                + self.pick([b"", self.text()])
                + self.pick([b"", fid(), self.text()])
                + self.some(self.rng.randrange(24))
            )
        size = 7 + len(body)
        return struct.pack(
            "<IBH", size if self.chance(0.95) else self.wild(4), kind, self.pick([0, 1, 0xffff])
        ) + body, [self.pick([8192, 7, 11, 64])]


class Crypto(Virtio):
    args = [
        "-object",
        "cryptodev-backend-builtin,id=k",
        "-device",
        "virtio-crypto-pci,cryptodev=k,addr=5",
    ]

    def message(self, n):
        create = n == 1
        code = self.pick(
            [0x0002, 0x0003, 0x0102, 0x0202, 0x0302]
            if create
            else [0x0000, 0x0001, 0x0100, 0x0200, 0x0300]
        )
        head = le_words(
            [(4, code), (4, self.pick([1, 3, 4])), (4, 0 if create else self.pick([0, 1])), (4, 0)]
            if create
            else [(4, code), (4, 3), (8, self.pick([0, 1, 2])), (4, 0), (4, 0)]
        )
        body = le_words([(4, self.pick([1, 2, 3, 16, 24, 32, 64, self.wild(4)])) for _ in range(14)])
        return head + body + self.some(64), [self.pick([16, 64, 256]), self.pick([1, 16])]


class Iommu(Virtio):
    machine = "q35"
    args = ["-device", "virtio-iommu-pci,addr=5", "-device", "edu,addr=6"]

    def message(self, n):
        if n == 1:
            return b"", [64]
        kind = self.pick([1, 2, 3, 3, 4, 5, self.rng.randrange(256)])
        domain = self.pick([0, 1, 2, self.wild(4)])
        body = {
            1: [(4, domain), (4, self.pick([0x30, 0x28, self.wild(2)])), (8, 0)],
            2: [(4, domain), (4, 0x30), (8, 0)],
            5: [(4, 0x30), (8, 0)] + [(8, 0)] * 7,
        }.get(
            kind,
            [
                (4, domain),
                (8, self.pick([0, 0x1000, self.wild(8)])),
                (8, self.pick([0xfff, 0x1fff, self.wild(8)])),
                (8, self.address(4096)),
                (4, self.pick([1, 2, 3, 7])),
            ],
        )
        return le_words([(4, kind)] + body), [self.pick([4, 600])]


class Mem(Virtio):
    args = [
        "-m",
        "64M,slots=1,maxmem=256M",
        "-object",
        "memory-backend-ram,id=r,size=32M",
        "-device",
        "virtio-mem-pci,memdev=r,requested-size=16M,addr=5",
    ]

    def message(self, n):
        kind = self.pick([0, 0, 1, 2, 3, self.wild(2)])
        return le_words(
            [
                (2, kind),
                (2, 0),
                (2, 0),
                (2, 0),
                (8, self.pick([0x100000000, 0x100200000, self.wild(8)])),
                (2, self.pick([1, 2, 8, 17, self.wild(2)])),
                (6, 0),
            ]
        ), [10]


class Pmem(Virtio):
    args = [
        "-m",
        "64M,slots=1,maxmem=256M",
        "-object",
        "memory-backend-ram,id=r,size=32M",
        "-device",
        "virtio-pmem-pci,memdev=r,addr=5",
    ]

    def message(self, n):
        return struct.pack("<I", self.pick([0, 0, 1, self.wild(4)])), [self.pick([4, 1])]


TARGETS = {
    "virtio-blk": Blk,
    "virtio-scsi": Scsi,
    "virtio-net": Net,
    "virtio-serial": Console,
    "virtio-rng": Rng,
    "virtio-balloon": Balloon,
    "virtio-input": Input,
    "virtio-gpu": Gpu,
    "virtio-9p": NineP,
    "virtio-crypto": Crypto,
    "virtio-iommu": Iommu,
    "virtio-mem": Mem,
    "virtio-pmem": Pmem,
}
