# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that speak bytes: gdb's remote protocol, RFB, NBD, telnet, WebSocket and frames on a socket."""
import struct

NUMBERS = [0, 1, 2, 7, 15, 16, 0x7F, 0x80, 0xFF, 0x100, 0x1000, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000]
WIDE = NUMBERS + [0xFFFFFFFF, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


class WireTarget:
    """
    A connection to a socket of the emulator; `greet` goes through what comes first, `message` is one message. What is
    answered is thrown away. A new connection when the emulator closed the last, and now and then.
    """

    machine = "-M pc -m 64M -accel qtest -nodefaults -S -no-shutdown -display none"
    options = ""
    name = "wire"

    def __init__(self, emulator, rng, log):
        self.emulator, self.rng, self.log = emulator, rng, log
        self.s = None
        self.prepare()

    @classmethod
    def build(cls):
        return f"{cls.machine} {cls.options}".split()

    def prepare(self):
        """What the monitor must be told first."""

    def greet(self):
        """The protocol's first messages."""

    def message(self):
        return self.noise()

    def noise(self):
        rng = self.rng
        return bytes(rng.getrandbits(8) for _ in range(rng.choice([1, 2, 4, 7, 8, 16, 60, 500])))

    def number(self, bits):
        rng = self.rng
        v = rng.choice(WIDE) if rng.random() < 0.6 else rng.getrandbits(bits)
        return v & ((1 << bits) - 1)

    def read(self, n):
        """Up to n bytes of an answer; fewer when the other side closes or falls silent."""
        data = b""
        self.s.settimeout(0.5)
        try:
            while len(data) < n:
                more = self.s.recv(n - len(data))
                if not more:
                    break
                data += more
        except OSError:
            pass
        return data

    def drain(self):
        self.s.settimeout(0.001)
        try:
            while self.s.recv(1 << 16):
                pass
            return False
        except TimeoutError:
            return True
        except OSError:
            return False

    def step(self):
        rng = self.rng
        if self.s is None or rng.random() < 0.03:
            if self.s is not None:
                self.s.close()
            self.s = self.emulator.socket(self.name)
            if rng.random() < 0.95:
                try:
                    self.greet()
                except OSError:
                    pass
        data = self.noise() if rng.random() < 0.02 else self.message()
        if rng.random() < 0.03:
            data = data[: rng.randrange(len(data) + 1)]
        if rng.random() < 0.03 and data:
            i = rng.randrange(len(data))
            data = data[:i] + bytes([rng.getrandbits(8)]) + data[i + 1 :]
        self.log(repr(data[:200]))
        try:
            self.s.settimeout(0.2)
            self.s.sendall(data)
            alive = self.drain()
        except OSError:
            alive = False
        if not alive:
            self.s.close()
            self.s = None


class Gdb(WireTarget):
    """Packets with right sums; addresses and lengths of all sizes."""

    machine = WireTarget.machine.replace("-accel qtest", "-accel tcg")
    options = "-chardev socket,id=g,path=wire,server=on,wait=off -gdb chardev:g -smp 2"
    plain = "? g G m M X p P c C s S H T D z Z q Q v vCont; vCont? qSupported qXfer: qRcmd, qfThreadInfo qsThreadInfo qC".split()
    words = (
        "features:read:target.xml:0,ffff features:read:i386-64bit.xml:fff,1 features:read:../../x:0,10 multiprocess+ qemu.sstepbits "
        "qemu.PhyMemMode:1 Attached:1 Symbol:: ThreadExtraInfo,p1.1 c:p1.1 s:p1.2 t Attach;1 File:open:61,0,0 696e666f xmlRegisters=i386"
    ).split()

    def message(self):
        rng = self.rng
        name = rng.choice(self.plain)
        if name in "c s C S D vCont;" and rng.random() < 0.7:
            name = "m"
        parts = []
        for _ in range(rng.choice([0, 1, 2, 2, 3])):
            roll = rng.random()
            if roll < 0.6:
                parts.append(f"{self.number(64):x}")
            elif roll < 0.8:
                parts.append(rng.choice(self.words))
            else:
                parts.append(self.noise().hex())
        text = (name + rng.choice([",", ":", ";", "", "="]).join(parts)).encode()
        if rng.random() < 0.05:
            text = text.replace(b"f", b"}") + self.noise()
        total = sum(text) & 0xFF
        if rng.random() < 0.02:
            total ^= 1
        return rng.choice([b"", b"+", b"-", b"\x03"]) + b"$" + text + b"#%02x" % total


class Vnc(WireTarget):
    """Messages of RFB 3.8 with the extensions that the server has."""

    options = "-vga std -vnc unix:wire -device qemu-xhci -device usb-tablet"

    def greet(self):
        self.read(12)
        self.s.sendall(self.rng.choice([b"RFB 003.008\n"] * 6 + [b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 999.999\n"]))
        self.read(2)
        self.s.sendall(bytes([self.rng.choice([1, 1, 1, 1, 2, 19, 255])]))
        self.read(4)
        self.s.sendall(b"\1")
        self.read(24)

    def message(self):
        rng = self.rng
        kind = rng.randrange(9)
        if kind == 0:
            true = rng.choice([(255, 255, 255, 16, 8, 0), (31, 63, 31, 11, 5, 0), (7, 7, 3, 0, 3, 6)])
            masks = true if rng.random() < 0.7 else tuple(self.number(b) for b in (16, 16, 16, 8, 8, 8))
            bits = rng.choice([8, 16, 32, 32, 32, 0, 7, 24, 255])
            return struct.pack(
                ">B3xBBBBHHHBBB3x",
                0,
                bits,
                rng.choice([24, 8, 16, 0, 255]),
                rng.choice([0, 1]),
                rng.choice([1, 1, 0]),
                *masks,
            )
        if kind == 1:
            known = [
                0,
                1,
                2,
                5,
                6,
                7,
                15,
                16,
                -223,
                -239,
                -257,
                -258,
                -259,
                -260,
                -261,
                -305,
                -307,
                -308,
                -312,
                -314,
                -32,
                -247,
                0x574D5664,
            ]
            count = rng.randrange(0, 12)
            body = b"".join(struct.pack(">i", rng.choice(known)) for _ in range(count))
            return struct.pack(">BxH", 2, count if rng.random() < 0.95 else self.number(16)) + body
        if kind in (2, 3):
            area = [rng.choice([0, 1, 15, 16, 17, 639, 640, 720, 1024, 65535]) for _ in range(4)]
            return struct.pack(">BBHHHH", 3, rng.choice([0, 1, 1, 255]), *area)
        if kind == 4:
            return struct.pack(
                ">BB2xI", 4, rng.choice([0, 1]), rng.choice([0x61, 0xFFE1, 0xFF0D, 0x1000020, self.number(32)])
            )
        if kind == 5:
            return struct.pack(">BBHH", 5, self.number(8), self.number(16), self.number(16))
        if kind == 6:
            text = self.noise()
            length = len(text) if rng.random() < 0.8 else self.number(32)
            return struct.pack(">B3xI", 6, length) + text
        if kind == 7:
            sub = rng.choice([0, 1, 2, self.number(8)])
            if sub == 0:
                return struct.pack(">BBHII", 255, 0, rng.choice([0, 1]), self.number(32), self.number(32))
            return struct.pack(
                ">BBHBBI",
                255,
                sub,
                rng.choice([0, 1, 2, self.number(16)]),
                rng.choice([0, 1, 5, 9]),
                self.number(8),
                self.number(32),
            )
        screens = rng.choice([0, 1, 1, 2, 255])
        body = b"".join(
            struct.pack(">IHHHHI", 0, 0, 0, rng.choice([1, 640, 65535]), 480, 0) for _ in range(min(screens, 3))
        )
        return (
            struct.pack(">BBHHBB", 251, 0, rng.choice([0, 1, 800, 65535]), rng.choice([0, 1, 600, 65535]), screens, 0)
            + body
        )


class Nbd(WireTarget):
    """Options of the handshake, then requests."""

    machine = WireTarget.machine + " -blockdev null-co,node-name=n0,size=1M,read-zeroes=on"
    SIMPLE, BYTES = 0x25609513, 33 << 20

    def prepare(self):
        run = self.emulator.qmp.run
        run("nbd-server-start", {"addr": {"type": "unix", "data": {"path": self.name}}, "max-connections": 0})
        run(
            "block-export-add",
            {"type": "nbd", "id": "e0", "node-name": "n0", "name": "x", "writable": True, "allocation-depth": True},
        )

    def option(self, number, data, length=None):
        return struct.pack(">QII", 0x49484156454F5054, number, len(data) if length is None else length) + data

    def greet(self):
        rng = self.rng
        self.read(18)
        self.s.sendall(struct.pack(">I", rng.choice([3, 3, 3, 3, 1, 0, self.number(32)])))
        for _ in range(rng.choice([0, 0, 1, 3])):
            data = rng.choice(
                [
                    b"",
                    b"x",
                    struct.pack(">I", 1) + b"x" + struct.pack(">H", 0),
                    struct.pack(">I", self.number(32)) + b"x" + struct.pack(">HH", 1, 3),
                    struct.pack(">I", 1) + b"x" + struct.pack(">HHH", self.number(16), 0, 3),
                    struct.pack(">I", 1) + b"x" + struct.pack(">II", 1, 15) + b"base:allocation",
                    struct.pack(">I", 1) + b"x" + struct.pack(">II", self.number(32), self.number(32)) + b"qemu:",
                    b"y" * rng.choice([4096, 4097, 70000]),
                    self.noise(),
                ]
            )
            length = None if rng.random() < 0.9 else self.number(32)
            self.s.sendall(self.option(rng.choice([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, self.number(32)]), data, length))
            self.drain()
        if rng.random() < 0.7:
            self.s.sendall(self.option(8, b""))
        if rng.random() < 0.7:
            self.s.sendall(
                self.option(10, struct.pack(">I", 1) + b"x" + struct.pack(">II", 1, 15) + b"base:allocation")
            )
        self.s.sendall(self.option(7, struct.pack(">I", 1) + b"x" + struct.pack(">H", 0)))
        self.drain()

    def message(self):
        rng = self.rng
        kind = rng.choice([0, 0, 1, 1, 3, 4, 6, 7, 5, self.number(16)])
        offset = rng.choice([0, 1, 511, 512, 4096, (1 << 20) - 1, (1 << 20) - 512, 1 << 20, self.number(64)])
        length = rng.choice([0, 1, 512, 4096, 65536, 1 << 20, self.BYTES, self.number(32)])
        flags = rng.choice([0, 0, 0, 1, 2, 4, 8, 16, self.number(16)])
        data = b""
        if kind == 1:
            length = min(length, 1 << 16) if rng.random() < 0.9 else length
            data = bytes(min(length, 1 << 16))
        magic = self.SIMPLE if rng.random() < 0.98 else self.number(32)
        return struct.pack(">IHHQQI", magic, flags, kind, self.number(64), offset, length) + data


class Telnet(WireTarget):
    """A chardev's telnet negotiation in front of a human monitor."""

    options = "-chardev socket,id=c,path=wire,server=on,wait=off,telnet=on -mon chardev=c,mode=readline"

    def message(self):
        rng = self.rng
        pieces = [
            b"\xff\xfd\x03",
            b"\xff\xfb\x01",
            b"\xff\xfa\x18\x00",
            b"\xff\xf0",
            b"\xff\xff",
            b"\xff\xf3",
            b"\xff",
            b"info \t\t",
            b"\x1b[A",
        ]
        pieces += [
            b"\x1b[1;5D",
            b"\x01",
            b"\x05",
            b"\x0b",
            b"\x08" * 5,
            b"\x7f",
            b"\x17",
            b"help\n",
            b"\n",
            b"x" * 5000,
            b"\x1bOH",
            b"\x04",
            b"\x0c",
        ]
        return b"".join(rng.choice(pieces) for _ in range(rng.randrange(1, 9)))


class WebSocket(WireTarget):
    """Upgrade requests and frames in front of a human monitor."""

    options = "-chardev socket,id=c,path=wire,server=on,wait=off,websocket=on -mon chardev=c,mode=readline"

    def greet(self):
        rng = self.rng
        lines = [
            "GET / HTTP/1.1",
            "Host: x",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: binary",
        ]
        if rng.random() < 0.2:
            i = rng.randrange(len(lines))
            lines[i] = rng.choice(["", "x" * 5000, lines[i][:9], lines[i] + "\0", ": :", lines[i] * 2])
        self.s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.drain()

    def message(self):
        rng = self.rng
        data = rng.choice([b"help\n", b"\n", self.noise(), b"", b"z" * 70000])
        length = len(data) if rng.random() < 0.9 else self.number(64)
        mask = struct.pack(">I", self.number(32))
        first = rng.choice([0x82, 0x82, 0x81, 0x80, 0x02, 0x88, 0x89, 0x8A, self.number(8)])
        if length < 126:
            head = struct.pack(">BB", first, 0x80 | length)
        elif length < 1 << 16:
            head = struct.pack(">BBH", first, 0x80 | 126, length)
        else:
            head = struct.pack(">BBQ", first, 0x80 | 127, length)
        return head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data))


class Frames(WireTarget):
    """Frames with their lengths, as `-netdev stream` takes them, to a network card."""

    options = "-netdev stream,id=n,server=on,addr.type=unix,addr.path=wire -device virtio-net-pci,netdev=n -device e1000,netdev=m -netdev hubport,id=m,hubid=0"

    def message(self):
        rng = self.rng
        data = bytes(rng.choice([0, 1, 14, 59, 60, 1514, 9000, 65535, 70000]))
        length = len(data) if rng.random() < 0.95 else self.number(32)
        return struct.pack(">I", length) + data


TARGETS = {"gdb": Gdb, "vnc": Vnc, "nbd": Nbd, "telnet": Telnet, "websocket": WebSocket, "frames": Frames}
