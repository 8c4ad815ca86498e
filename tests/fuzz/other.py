# SPDX-License-Identifier: GPL-2.0-or-later
"""Sound, IOMMUs, fw_cfg's DMA and what else follows lists in memory."""
import struct

from machine import Device


class Hda(Device):
    """Command rings and streams (High Definition Audio Specification 1.0a, sections 3 and 4)."""

    args = [
        "-audiodev",
        "none,id=a",
        "-device",
        "intel-hda,id=h,addr=5",
        "-device",
        "hda-duplex,audiodev=a",
        "-device",
        "hda-micro,audiodev=a",
    ]
    VERBS = [
        0xf00,
        0xf01,
        0xf02,
        0xf04,
        0xf05,
        0xf06,
        0xf07,
        0xf09,
        0xf0c,
        0xf1c,
        0x701,
        0x705,
        0x706,
        0x707,
        0x708,
        0x70c,
        0x71c,
        0x7ff,
    ]

    def start(self):
        self.w(8, 0)
        self.w(8, 1)
        self.w(0x4c, 0, 1)
        self.w(0x5c, 0, 1)
        for offset, value in (
            (0x40, self.area("corb")),
            (0x44, 0),
            (0x50, self.area("rirb")),
            (0x54, 0),
        ):
            self.w(offset, value)
        self.w(0x4e, self.pick([0, 1, 2]), 1)
        self.w(0x4a, 0x8000, 2)
        self.w(0x4a, 0, 2)
        self.w(0x5a, self.pick([1, 0, 255]), 2)
        self.w(0x4c, 3, 1)
        self.w(0x5c, self.pick([7, 2, 3]), 1)
        self.at = 0

    def step(self):
        for _ in range(self.pick([1, 4])):
            self.at = (self.at + 1) % 256
            verb = self.pick(
                [
                    self.pick(self.VERBS) << 8 | self.wild(1),
                    self.pick([2, 3, 0xa, 0xb, 4]) << 16 | self.wild(2),
                ]
            )
            self.put(
                self.area("corb") + 4 * self.at,
                struct.pack(
                    "<I",
                    self.pick([0, 0, 1, 15]) << 28
                    | self.pick([0, 1, 2, 3, 4, 5, self.wild(1)]) << 20
                    | verb,
                ),
            )
        self.w(0x48, self.at if self.chance(0.95) else self.wild(2), 2)
        if self.chance(0.4):
            base = 0x80 + 0x20 * self.rng.randrange(8)
            table = self.area("bdl")
            self.put(
                table,
                b"".join(
                    struct.pack(
                        "<QII",
                        self.address(4) & (1 << 64) - 1,
                        self.pick([0, 4, 256, 4096, self.wild(4)]),
                        self.pick([0, 1]),
                    )
                    for _ in range(8)
                ),
            )
            for offset, value, size in (
                (0, 0, 1),
                (0x18, table, 4),
                (8, self.pick([4096, 0, 8, self.wild(4)]), 4),
                (0xc, self.pick([1, 7, 255]), 2),
                (0x12, self.pick([0x11, 0x4011, 0x3f, self.wild(2)]), 2),
                (2, 0x10, 1),
                (0, self.pick([2, 6, 0x1e]), 1),
            ):
                self.w(base + offset, value, size)
        self.send("clock_step 5000000")


class Ac97(Device):
    args = ["-audiodev", "none,id=a", "-device", "AC97,audiodev=a,addr=5"]

    def step(self):
        base, table = self.pick([0, 0x10, 0x20]), self.area("list")
        self.put(
            table,
            b"".join(
                struct.pack(
                    "<II",
                    self.address(2, 32) & 0xffffffff,
                    self.pick([0, 2, 256, 0xffff, self.wild(2)]) | self.pick([0, 1 << 31, 1 << 30]),
                )
                for _ in range(32)
            ),
        )
        self.w(base + 0xb, self.pick([2, 0]), 1, 1)
        self.w(base, table, 4, 1)
        self.w(base + 5, self.pick([31, 1, self.wild(1)]), 1, 1)
        self.w(base + 0xb, self.pick([0x1d, 1, 0x11]), 1, 1)
        self.w(
            self.pick([0x2c, 0x32, 0x2a, 2, 0x18, 0]), self.pick([0xbb80, 0, 1, self.wild(2)]), 2, 0
        )
        self.send("clock_step 20000000")


class Es1370(Device):
    args = ["-audiodev", "none,id=a", "-device", "ES1370,audiodev=a,addr=5"]

    def step(self):
        for page, offset in ((0xc, 0x30), (0xc, 0x38), (0xd, 0x30)):
            self.w(0xc, page)
            self.w(offset, self.address(4, 32))
            self.w(offset + 4, self.pick([0, 1, 255, 0xffff, self.wild(4)]))
        for offset in (0x24, 0x28, 0x2c):
            self.w(offset, self.pick([0, 1, 63, self.wild(2)]))
        self.w(0x20, self.wild(4))
        self.w(0, self.pick([0x70, 0x20, 0x40, 0x10, self.wild(4)]) | self.wild(2) << 16)
        self.send("clock_step 20000000")


class Edu(Device):
    args = ["-device", "edu,addr=5"]

    def step(self):
        for offset, value in (
            (0x80, self.pick([0x40000, self.address()])),
            (0x88, self.pick([0x40000, 0x40fff, self.address()])),
            (0x90, self.pick([4096, 1, 0, self.wild(8)])),
        ):
            self.w(offset, value, 8)
        self.w(0x98, self.pick([1, 3, 5, 7]))
        self.send("clock_step 200000000")


class Vtd(Edu):
    """Tables, the queue and interrupt remapping of VT-d, edu being what they translate for."""

    machine = "q35,kernel-irqchip=split"
    args = [
        "-device",
        "intel-iommu,intremap=on,caching-mode=on,device-iotlb=on,aw-bits=48",
        "-device",
        "edu,addr=5",
        "-device",
        "virtio-blk-pci,drive=d,addr=6,iommu_platform=on,disable-legacy=on",
        "-drive",
        "driver=null-co,size=1M,if=none,id=d",
    ]
    BASE = 0xfed90000

    def reg(self, offset, value, size=4):
        self.send(
            f"write{'q' if size == 8 else 'l'} {self.BASE + offset} {value & (1 << 8 * size) - 1}"
        )

    def entries(self, n=64):
        return struct.pack(
            f"<{n}Q",
            *[
                self.pick(
                    [
                        0,
                        3,
                        self.address(4096) | 3,
                        self.area(self.pick(["root", "context", "l4", "l3", "l2", "l1"]))
                        | self.pick([3, 3, 1, 2, 0x83]),
                        self.wild(8),
                    ]
                )
                & (1 << 64) - 1
                for _ in range(n)
            ],
        )

    def start(self):
        root, context = self.area("root"), self.area("context")
        for name in ("l4", "l3", "l2", "l1", "interrupts"):
            self.put(self.area(name), self.entries())
        self.put(root, struct.pack("<QQ", context | 1, 0))
        self.put(
            context + 16 * 0x28,
            struct.pack(
                "<QQ", self.area("l4") | self.pick([1, 1, 5, 9]), self.pick([2, 1, 3]) | 1 << 8
            )
            * 16,
        )
        for offset, value, size in (
            (0x20, root, 8),
            (0x18, 0x40000000, 4),
            (0x90, self.area("queue"), 8),
            (0x88, 0, 8),
            (0xb8, self.area("interrupts") | self.pick([3, 7, 15]), 8),
            (0x18, 0x01000000, 4),
            (0x18, 0x86000000, 4),
        ):
            self.reg(offset, value, size)
        self.tail = 0

    def step(self):
        for _ in range(self.pick([1, 3])):
            kind = self.pick([1, 2, 3, 4, 5, 6, self.rng.randrange(16)])
            self.put(
                self.area("queue") + 16 * self.tail,
                struct.pack(
                    "<QQ",
                    kind | self.pick([0x10, 0x20, 0x30]) | self.wild(4) << 16 & (1 << 64) - 16,
                    self.address() & (1 << 64) - 1,
                ),
            )
            self.tail = (self.tail + 1) % 256
        self.reg(0x88, self.tail << 4 if self.chance(0.95) else self.wild(4), 8)
        if self.chance(0.5):
            self.put(
                self.area(self.pick(["root", "context", "l4", "l3", "l2", "l1", "interrupts"]))
                + 8 * self.rng.randrange(64),
                self.entries(4),
            )
        if self.chance(0.2):
            self.reg(
                self.pick(
                    [
                        0x18,
                        0x20,
                        0x28,
                        0x34,
                        0x38,
                        0x3c,
                        0x40,
                        0x80,
                        0x90,
                        0xa0,
                        0xa4,
                        0xa8,
                        0xb8,
                        0x108,
                        0x100,
                    ]
                ),
                self.wild(4),
            )
        if self.chance(0.3):
            self.send(f"writel {0xfee00000 | self.wild(2) << 4 & 0xfffff} {self.wild(2)}")
        super().step()


class AmdIommu(Edu):
    machine = "q35"
    args = ["-device", "amd-iommu,intremap=on", "-device", "edu,addr=5"]
    BASE = 0xfed80000
    reg = Vtd.reg

    def start(self):
        tables, commands = self.area("devices", 0x2000), self.area("commands")
        for name in ("l3", "l2", "l1"):
            self.put(
                self.area(name),
                b"".join(
                    struct.pack(
                        "<Q",
                        (
                            self.address(4096) & 0xfffff000
                            | self.pick([1, 0])
                            | self.pick([0, 1, 2, 3, 7]) << 9
                            | 3 << 61
                        ),
                    )
                    for _ in range(64)
                ),
            )
        self.put(
            tables + 32 * 0x28,
            struct.pack(
                "<QQQQ",
                self.area("l3") | 3 | self.pick([3, 2, 1, 4, 7]) << 9 | 3 << 61,
                self.wild(2),
                self.area("l1") | 1 | self.wild(1) << 1 & 0x1f,
                self.wild(8),
            )
            * 8,
        )
        for offset, value in (
            (0, tables | 1),
            (8, commands | 8 << 56),
            (0x10, self.area("events") | 8 << 56),
            (0x2000, 0),
            (0x2008, 0),
            (0x18, self.pick([0x1d, 0x3005, 0x3f])),
        ):
            self.reg(offset, value, 8)
        self.tail = 0

    def step(self):
        kind = self.pick([1, 2, 3, 4, 5, 7, 8, self.rng.randrange(16)])
        self.put(
            self.area("commands") + 16 * self.tail,
            struct.pack(
                "<QQ",
                kind << 60 | self.address() & 0xfffffffffffffff | self.pick([0, 1]),
                self.address() & (1 << 64) - 1,
            ),
        )
        self.tail = (self.tail + 1) % 256
        self.reg(0x2008, self.tail << 4 if self.chance(0.95) else self.wild(4), 8)
        if self.chance(0.2):
            self.reg(
                self.pick([0, 8, 0x10, 0x18, 0x2000, 0x2008, 0x2010, 0x2018, 0x2020]),
                self.wild(8),
                8,
            )
        super().step()


class FwCfg(Device):
    args = ["-device", "ramfb", "-fw_cfg", "name=opt/x,string=hello"]

    def step(self):
        at = self.area("request") + 16 * self.rng.randrange(4)
        key = self.pick([0, 1, 5, 0x19, 0x20, 0x21, 0x22, 0x2a, 0x8003, 0x4000, self.wild(2)])
        self.put(
            at,
            struct.pack(
                ">IIQ",
                key << 16 | self.pick([2, 8, 0xa, 0x10, 0x18, 4, 0xc, self.wild(1)]),
                self.pick([4, 64, 28, 4096, self.wild(4)]),
                self.address(1) & (1 << 64) - 1,
            ),
        )
        self.send(f"outl 0x514 {int.from_bytes(struct.pack('>I', at >> 32), 'little')}")
        self.send(f"outl 0x518 {int.from_bytes(struct.pack('>I', at & 0xffffffff), 'little')}")
        self.send(f"outw 0x510 {key & 0xffff}")
        for _ in range(self.rng.randrange(20)):
            self.send(self.pick(["inb 0x511", f"outb 0x511 {self.wild(1)}"]))
        self.send("clock_step 20000000")


class Vga(Device):
    args = ["-device", "VGA,addr=5,vgamem_mb=8"]

    def step(self):
        for _ in range(12):
            port = self.pick([0x3c0, 0x3c0, 0x3c2, 0x3c6, 0x3c7, 0x3c8, 0x3c9, 0x3d8])
            self.send(f"outb {port} {self.wild(1)}")
            index, data, most = self.pick(
                [
                    (0x3c4, 0x3c5, 0x20),
                    (0x3ce, 0x3cf, 0x40),
                    (0x3d4, 0x3d5, 0x40),
                    (0x3b4, 0x3b5, 0x40),
                ]
            )
            self.send(f"outw {index} {self.rng.randrange(most) | self.wild(1) << 8}")
            self.send(f"inb {data}")
        for _ in range(4):
            self.send(f"outw 0x1ce {self.rng.randrange(12)}")
            self.send(
                f"outw 0x1cf {self.pick([0, 1, 0x41, 4, 8, 15, 16, 24, 32, 640, 1024, 0xffff, self.wild(2)])}"
            )
            self.send(
                f"write{self.pick('bwlq')} {0xa0000 + self.rng.randrange(0x1fff0)} {self.wild(1)}"
            )
            self.send(f"readb {0xa0000 + self.rng.randrange(0x20000)}")
        if self.chance(0.2):
            self.send("inb 0x3da")
        self.send("clock_step 30000000")


class Cirrus(Vga):
    """The blitter too."""

    args = ["-device", "cirrus-vga,addr=5"]

    def step(self):
        self.send("outw 0x3c4 0x1206")
        self.send("outw 0x3ce 0x0431")
        for register in [
            *range(0x20, 0x30),
            0x30,
            0x32,
            0x33,
            0,
            1,
            0x10,
            0x11,
            0x12,
            0x13,
            0x14,
            0x15,
        ]:
            value = self.pick([0, 1, 0x0f, 0x40, 0x80, 0xc0, 4, 8, 0x0d, 0xff, self.wild(1)])
            self.send(f"outw 0x3ce {register | value << 8}")
        self.send(f"outw 0x3ce {0x31 | self.pick([2, 2, 0]) << 8}")
        for _ in range(self.rng.randrange(20)):
            self.send(f"writel {0xa0000 + self.rng.randrange(0, 0x8000, 4)} {self.wild(4)}")
        if self.chance(0.3):
            super().step()


TARGETS = {
    "intel-hda": Hda,
    "AC97": Ac97,
    "ES1370": Es1370,
    "edu": Edu,
    "intel-iommu": Vtd,
    "amd-iommu": AmdIommu,
    "fw_cfg": FwCfg,
    "VGA": Vga,
    "cirrus-vga": Cirrus,
}
