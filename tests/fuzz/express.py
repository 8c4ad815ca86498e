# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration space of ports, switches, bridges and functions in slots (PCI Express 3.0, 7.5 and 7.8): bus numbers, windows, slots, resets."""
from machine import Device

ECAM = 0xb0000000
BARS = 0xe0000000


class Express(Device):
    machine = "q35"
    args = [
        "-device", "pcie-root-port,id=rp,chassis=1,slot=1,addr=5,multifunction=on",
        "-device", "ioh3420,id=io,chassis=2,slot=2,addr=5.1",
        "-device", "pcie-root-port,id=rq,chassis=3,slot=3,addr=5.2",
        "-device", "x3130-upstream,id=up,bus=io",
        "-device", "xio3130-downstream,id=dn,bus=up,chassis=4,slot=4",
        "-device", "virtio-rng-pci,bus=dn,aer=on,ats=on",
        "-drive", "if=none,id=d,driver=null-co,size=64M",
        "-device", "virtio-blk-pci,bus=rp,drive=d,aer=on,ats=on",
        "-device", "pcie-pci-bridge,id=pb,bus=rq",
        "-device", "pci-bridge,id=pc,bus=pb,chassis_nr=5,addr=1",
        "-device", "virtio-scsi-pci,bus=pc,addr=2",
        "-device", "nvme,serial=s,drive=e,addr=6",
        "-drive", "if=none,id=e,driver=null-co,size=64M",
    ]
    # bus:devfn as `start` numbers them; bridges with their secondary and subordinate buses
    BRIDGES = {0x28: (1, 1), 0x29: (2, 4), 0x2a: (5, 6), 0x200: (3, 4), 0x300: (4, 4), 0x500: (6, 6)}
    OTHERS = [0x100, 0x400, 0x608, 0x610, 0x30, 0xf8, 0xfa]

    def plug(self):
        self.send("outl 0xcf8 0x80000060")
        self.send(f"outl 0xcfc {ECAM | 1}")

    def put_config(self, bdf, at, value, size=4):
        value &= (1 << 8 * size) - 1
        self.send(f"write{ {1: 'b', 2: 'w', 4: 'l'}[size] } {ECAM + (bdf << 12) + at} {value}")

    def get_config(self, bdf, at):
        return int(self.send(f"readl {ECAM + (bdf << 12) + at}")[0], 0)

    def start(self):
        for bdf, (first, last) in self.BRIDGES.items():
            self.put_config(bdf, 0x18, bdf >> 8 | first << 8 | last << 16)
            self.put_config(bdf, 0x20, 0xe1f0e000)
            self.put_config(bdf, 0x24, 0xe3f1e201)
            self.put_config(bdf, 0x1c, 0xf1c1, 2)
            self.put_config(bdf, 4, 7, 2)
        for n, bdf in enumerate(self.OTHERS):
            for at in range(0x10, 0x28, 4):
                self.put_config(bdf, at, BARS + (n << 20) + (at << 12))
            self.put_config(bdf, 4, 7, 2)

    def step(self):
        bdf = self.pick([*self.BRIDGES, *self.OTHERS, *self.OTHERS, self.wild(2)])
        kind = self.rng.randrange(12)
        if kind < 4:
            self.put_config(bdf, self.pick([self.rng.randrange(0x40, 0x100), self.rng.randrange(0x100, 0x180)]), self.wild(),
                            self.pick([1, 2, 4]))
        elif kind == 4:
            self.put_config(bdf, self.rng.randrange(0x40), self.wild(), self.pick([1, 2, 4]))
        elif kind == 5:  # the function alone is reset, where its capability is
            self.put_config(bdf, self.pick([0x48, 0x49, 0x88, 0xe8]), 0x8000 | self.wild(2), 2)
        elif kind == 6:  # everything behind a bridge is
            bridge = self.pick([*self.BRIDGES])
            self.put_config(bridge, 0x3e, 0x40, 2)
            self.put_config(bridge, 0x3e, 0, 2)
        elif kind == 7:  # a slot's power and indicators
            self.put_config(bdf, self.pick([0x58, 0x6c]), self.pick([0x7c0, 0x1c0, 0x17ff, self.wild(2)]), 2)
        elif kind == 8:
            at = self.get_config(bdf, 0x34) & 0xfc
            for _ in range(64):
                at = self.get_config(bdf, at) >> 8 & 0xfc
        elif kind == 9:
            self.start()
        else:
            self.send(f"write{self.pick('bwl')} {BARS + self.rng.randrange(0, 0x700000, 4)} {self.wild()}")

    def poke(self):
        self.send(f"outl 0xcf8 {0x80000000 | self.wild(3)}")
        self.send(f"out{self.pick('bwl')} {0xcfc + self.rng.randrange(4)} {self.wild(1)}")

    def scribble(self):
        self.put(self.address(), self.some(16))


TARGETS = {"pci-express": Express}
