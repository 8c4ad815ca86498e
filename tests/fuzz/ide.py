# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands, packets and scatter lists for the drives behind AHCI and PIIX3 IDE."""
import struct

from machine import Device

COMMANDS = [0x06, 0x08, 0x20, 0x24, 0x25, 0x29, 0x2f, 0x30, 0x34, 0x35, 0x39, 0x3d, 0x60, 0x61, 0x90,
            0x91, 0xa0, 0xa1, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xce, 0xe7, 0xec, 0xef, 0xf8]
PACKETS = [0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x43, 0x46, 0x4a, 0x51, 0x5a, 0xa8, 0xad,
           0xbb, 0xbd, 0xbe]
DRIVES = ["-drive", "file.driver=null-co,file.size=64M,format=raw,werror=report,if=none,id=d",
          "-drive", "file.driver=null-co,file.size=5M,format=raw,media=cdrom,if=none,id=c"]


class Ide(Device):
    def command(self, packet_device):
        if packet_device and self.chance(0.7):
            return 0xa0
        return self.pick(COMMANDS)

    def packet(self):
        return bytes([self.pick(PACKETS)]) + self.some(11)


class Ahci(Ide):
    machine = "q35"
    args = [*DRIVES, "-device", "ahci,id=a,addr=5", "-device", "ide-hd,drive=d,bus=a.0",
            "-device", "ide-cd,drive=c,bus=a.1"]

    def reg(self, offset, value):
        self.send(f"bankwrite a mmio {offset} 4 {value}")

    def start(self):
        self.send("outl 0xcf8 0x80002804")
        self.send("outw 0xcfc 6")
        for port in range(2):
            self.reg(0x100 + 0x80 * port, 0x10000 + port * 0x10000)
            self.reg(0x108 + 0x80 * port, 0x11000 + port * 0x10000)
            self.reg(0x118 + 0x80 * port, 0x17)

    def slot(self, port, slot):
        rng, pick = self.rng, self.rng.choice
        table = 0x30000 + slot * 0x400 + port * 0x10000
        prds = pick([0, 1, 2, 3, 8, 40])
        where = table if rng.random() < 0.95 else rng.getrandbits(48)
        self.put(0x10000 + port * 0x10000 + slot * 32,
                 struct.pack("<HHIQ", 5 | pick([0, 0x20, 0x40]), prds, 0, where))
        device = 0x40 if rng.random() < 0.9 else rng.randrange(256)
        fis = bytes([0x27, pick([0x80, 0x80, 0x80, 0]), self.command(port), pick([0, 1, 1, 2, 8])])
        fis += self.some(3) + bytes([device]) + self.some(3)
        fis += bytes([pick([0, 0, 1]), pick([1, 8, 0, slot << 3, 255]), pick([0, 0, 1])]) + self.some(6)
        self.put(table, fis)
        self.put(table + 0x40, self.packet())
        for i in range(min(prds, 8)):
            address = pick([0x80000, 0x100000, rng.getrandbits(32), rng.getrandbits(50)])
            size = pick([511, 1, 255, 4095, 65535, 0x3fffff, rng.getrandbits(22)])
            self.put(table + 0x80 + 16 * i, struct.pack("<QII", address, 0, size))
        self.reg(0x134 + 0x80 * port, 1 << rng.randrange(32))
        self.reg(0x138 + 0x80 * port, 1 << slot)

    def step(self):
        port, chance = self.rng.randrange(2), self.rng.random()
        for slot in self.rng.sample(range(32), self.rng.randrange(1, 4)):
            self.slot(port, slot)
        if chance < 0.3:
            for offset, value in ((0x118, 0x16), (0x110, 0xffffffff), (0x118, 0x17)):
                self.reg(offset + 0x80 * port, value)
        elif chance < 0.33:
            self.reg(0x12c + 0x80 * port, 1)
            self.reg(0x12c + 0x80 * port, 0)
        elif chance < 0.36:
            if chance < 0.34:
                self.reg(4, 0x80000001)
            else:
                self.send("device_reset a")
            self.start()
        else:
            self.send(f"bankread a mmio {0x120 + 0x80 * port} 4")


class Piix3(Ide):
    args = [*DRIVES, "-device", "ide-hd,drive=d,bus=ide.0,unit=0",
            "-device", "ide-cd,drive=c,bus=ide.0,unit=1"]

    def start(self):
        for line in ("outl 0xcf8 0x80000920", "outl 0xcfc 0xc000", "outl 0xcf8 0x80000904", "outw 0xcfc 5"):
            self.send(line)

    def step(self):
        rng, pick = self.rng, self.rng.choice
        unit, n = rng.randrange(2), rng.randrange(1, 6)
        self.send(f"outb 0x1f6 {0xe0 | unit << 4 | pick([0, 0, 0, rng.randrange(16)])}")
        for reg in (1, 2, 3, 4, 5, 2, 3, 4, 5):
            self.send(f"outb {0x1f0 + reg} {pick([0, 1, 1, 2, 8, 0xfe, 0xff, rng.randrange(256)])}")
        for i in range(n):
            size = pick([512, 2, 0, 4096, rng.getrandbits(16)]) | (0x80000000 if i == n - 1 else 0)
            self.put(0x20000 + 8 * i, struct.pack("<II", pick([0x80000, rng.getrandbits(32)]), size))
        self.send("outl 0xc004 0x20000")
        command = self.command(unit)
        self.send(f"outb 0x1f7 {command}")
        if command == 0xa0:
            for word in struct.unpack("<III", self.packet()):
                self.send(f"outl 0x1f0 {word}")
        if rng.random() < 0.5:
            self.send(f"outb 0xc000 {pick([1, 9])}")
        for _ in range(rng.randrange(20)):
            self.send(pick(["inb 0x1f7", "inl 0x1f0", "inw 0x1f0", "outl 0x1f0 1", "inb 0xc002"]))
        if rng.random() < 0.3:
            self.send("outb 0xc000 0")
        if rng.random() < 0.2:
            self.send("outb 0x3f6 4")
            self.send("outb 0x3f6 0")


TARGETS = {"ahci": Ahci, "piix3-ide": Piix3}
