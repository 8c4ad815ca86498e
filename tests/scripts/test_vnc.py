# SPDX-License-Identifier: GPL-2.0-or-later
"""The VNC server: versions, passwords, TLS, WebSocket, encodings that show the same picture, input, bad clients."""
import json
import os
import socket
import struct
import subprocess
import tempfile
import unittest
import zlib

from layers import WebSocket, anonymous_tls

PROGRAM = os.path.join(os.path.abspath(os.environ.get("BUILD_DIR", ".")), "qemu-system-x86_64")
TIMEOUT_SECONDS = 60
RAW, HEXTILE, ZLIB = 0, 5, 6


class Viewer:
    """A client that knows what is tested here."""

    def __init__(self, path, version=b"RFB 003.008\n", auth=1, connection=None):
        self.s = connection or socket.socket(socket.AF_UNIX)
        if not connection:
            self.s.settimeout(TIMEOUT_SECONDS)
            self.s.connect(path)
        self.inflate = zlib.decompressobj()
        assert self.read(12) == b"RFB 003.008\n"
        self.s.sendall(version)
        if version == b"RFB 003.003\n":
            self.types = [struct.unpack(">I", self.read(4))[0]]
        else:
            self.types = list(self.read(self.read(1)[0]))
            self.s.sendall(bytes([auth]))

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.s.recv(n - len(data))
            if not more:
                raise EOFError(data)
            data += more
        return data

    def result(self):
        return struct.unpack(">I", self.read(4))[0]

    def begin(self, shared=1):
        self.s.sendall(bytes([shared]))
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.format = self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode()

    def encodings(self, *kinds):
        self.s.sendall(struct.pack(f">BxH{len(kinds)}i", 2, len(kinds), *kinds))

    def picture(self):
        """The whole screen, as lines of 32-bit pixels."""
        self.s.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, self.width, self.height))
        out = [bytearray(self.width * 4) for _ in range(self.height)]
        for _ in range(struct.unpack(">xxH", self.read(4))[0]):
            x, y, w, h, kind = struct.unpack(">HHHHi", self.read(12))
            rows = {RAW: self.raw, HEXTILE: self.hextile, ZLIB: self.zlib}[kind](w, h)
            for j, row in enumerate(rows):
                out[y + j][4 * x:4 * (x + w)] = row
        return out

    @staticmethod
    def rows(data, w):
        return [data[i:i + 4 * w] for i in range(0, len(data), 4 * w)]

    def raw(self, w, h):
        return self.rows(self.read(4 * w * h), w)

    def zlib(self, w, h):
        return self.rows(self.inflate.decompress(self.read(struct.unpack(">I", self.read(4))[0])), w)

    def hextile(self, w, h):
        out = [bytearray(4 * w) for _ in range(h)]
        back = fore = bytes(4)
        for y in range(0, h, 16):
            for x in range(0, w, 16):
                tw, th = min(16, w - x), min(16, h - y)
                kind = self.read(1)[0]
                if kind & 1:
                    for j, row in enumerate(self.raw(tw, th)):
                        out[y + j][4 * x:4 * (x + tw)] = row
                    continue
                back = self.read(4) if kind & 2 else back
                fore = self.read(4) if kind & 4 else fore
                for j in range(th):
                    out[y + j][4 * x:4 * (x + tw)] = back * tw
                for _ in range(self.read(1)[0] if kind & 8 else 0):
                    colour = self.read(4) if kind & 16 else fore
                    xy, wh = self.read(2)
                    for j in range((wh & 15) + 1):
                        at = 4 * (x + (xy >> 4))
                        out[y + (xy & 15) + j][at:at + 4 * ((wh >> 4) + 1)] = colour * ((wh >> 4) + 1)
        return out

    def close(self):
        self.s.close()


@unittest.skipUnless(os.path.exists(PROGRAM), "qemu-system-x86_64 is not built")
class Vnc(unittest.TestCase):

    def start(self, *options, machine="none"):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "v")
        spec = f"unix:{self.path}" + "".join("," + o for o in options)
        self.p = subprocess.Popen([PROGRAM, "-machine", machine, "-S", "-display", "none", "-qmp", "stdio",
                                   "-object", "tls-creds-anon,id=tls0,endpoint=server",
                                   "-name", "box", "-vnc", spec],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.stop)
        if "QMP" not in json.loads(self.p.stdout.readline()):
            self.fail("no greeting")
        self.qmp("qmp_capabilities")

    def stop(self):
        self.p.stdin.close()
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()

    def qmp(self, command, **arguments):
        self.p.stdin.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self.p.stdin.flush()
        while True:
            answer = json.loads(self.p.stdout.readline())
            if "event" not in answer:
                return answer

    def viewer(self, **how):
        v = Viewer(self.path, **how)
        self.addCleanup(v.close)
        return v

    def test_versions(self):
        self.start()
        for version in (b"RFB 003.003\n", b"RFB 003.005\n", b"RFB 003.007\n", b"RFB 003.008\n"):
            with self.subTest(version):
                v = Viewer.__new__(Viewer)
                Viewer.__init__(v, self.path, version if version[10:11] != b"5" else b"RFB 003.003\n")
                self.addCleanup(v.close)
                self.assertEqual(v.types, [1])
                if version == b"RFB 003.008\n":
                    self.assertEqual(v.result(), 0)
                v.begin()
                self.assertEqual((v.width, v.height, v.name), (640, 480, "QEMU (box)"))
                self.assertEqual(v.format[:4], bytes([32, 24, 0, 1]))

    def test_encodings(self):
        self.start(machine="pc")
        v = self.viewer()
        self.assertEqual(v.result(), 0)
        v.begin()
        pictures = []
        for kind in (RAW, HEXTILE, ZLIB, ZLIB):
            v.encodings(kind)
            pictures.append(v.picture())
        for p in pictures[1:]:
            self.assertEqual(p, pictures[0])

    def test_query(self):
        self.start("share=ignore")
        v = self.viewer()
        v.result()
        v.begin()
        v.encodings(RAW)
        v.picture()
        info = self.qmp("query-vnc")["return"]
        self.assertEqual((info["enabled"], info["auth"], info["family"], len(info["clients"])),
                         (True, "none", "unix", 1))
        self.assertEqual(self.qmp("query-vnc-servers")["return"][0]["id"], "default")
        self.assertIn("error", self.qmp("change-vnc-password", password="x"))

    def test_password(self):
        self.start("password=on")
        self.assertEqual(self.qmp("change-vnc-password", password="secret"), {"return": {}})
        for version in (b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"):
            with self.subTest(version):
                v = self.viewer(version=version, auth=2)
                self.assertEqual(v.types, [2])
                v.read(16)
                v.s.sendall(bytes(16))
                self.assertEqual(v.result(), 1)

    def vencrypt(self, subtype):
        """A viewer inside of TLS, before it shows who it is."""
        v = self.viewer(auth=19)
        self.assertEqual((v.types, v.read(2)), ([19], b"\0\2"))
        v.s.sendall(b"\0\2")
        self.assertEqual(v.read(6), b"\0\1" + struct.pack(">I", subtype))
        v.s.sendall(struct.pack(">I", subtype))
        self.assertEqual(v.read(1), b"\1")
        v.s = anonymous_tls(v.s)
        self.addCleanup(v.s.close)
        return v

    def test_vencrypt(self):
        self.start("tls-creds=tls0", machine="pc")
        v = self.vencrypt(257)
        self.assertEqual(v.result(), 0)
        v.begin()
        v.encodings(RAW)
        picture = v.picture()
        v.encodings(ZLIB)
        self.assertEqual(v.picture(), picture)
        self.assertEqual(self.qmp("query-vnc")["return"]["auth"], "vencrypt+tls+none")
        info = self.qmp("query-vnc-servers")["return"][0]
        self.assertEqual((info["auth"], info["vencrypt"], info["server"][0]["vencrypt"]), ("vencrypt", "tls-none", "tls-none"))

    def test_vencrypt_password(self):
        self.start("tls-creds=tls0", "password=on")
        self.assertEqual(self.qmp("change-vnc-password", password="secret"), {"return": {}})
        v = self.vencrypt(258)
        v.read(16)
        v.s.sendall(bytes(16))
        self.assertEqual(v.result(), 1)

    def test_bad_vencrypt(self):
        self.start("tls-creds=tls0")
        with self.assertRaises((EOFError, ConnectionError)):
            self.viewer(version=b"RFB 003.003\n")
        v = self.viewer(auth=1)
        self.assertEqual((v.types, v.result()), ([19], 1))
        for version, subtype in ((b"\0\1", None), (b"\0\2", 260)):
            v = self.viewer(auth=19)
            v.read(2)
            v.s.sendall(version)
            self.assertEqual(v.read(1)[0], subtype is None)
            if subtype:
                v.read(5)
                v.s.sendall(struct.pack(">I", subtype))
                self.assertEqual(v.read(1), b"\0")
            with self.assertRaises((EOFError, ConnectionError)):
                v.read(1)
        v = self.viewer(auth=19)
        v.read(2)
        v.s.sendall(b"\0\2" + struct.pack(">I", 257) + b"\1")     # something in the clear behind it
        v.read(7)
        v.s.sendall(bytes(100))
        with self.assertRaises((EOFError, ConnectionError)):
            v.read(100)

    def websocket(self):
        address = next(w for w in self.qmp("query-vnc-servers")["return"][0]["server"] if w["websocket"] and w["family"] == "ipv4")
        s = socket.create_connection(("127.0.0.1", int(address["service"])), TIMEOUT_SECONDS)
        self.addCleanup(s.close)
        return s

    def test_websocket(self):
        self.start("websocket=0", "tls-creds=tls0", machine="pc")
        tls = anonymous_tls(self.websocket())
        self.addCleanup(tls.close)
        v = Viewer(None, connection=WebSocket(tls))
        self.assertEqual((v.types, v.result()), ([1], 0))
        v.begin()
        for kind in (RAW, HEXTILE):
            v.encodings(kind)
            self.assertEqual(len(v.picture()), v.height)
        clients = self.qmp("query-vnc-servers")["return"][0]["clients"]
        self.assertEqual([c["websocket"] for c in clients], [True])
        s = self.websocket()
        s.sendall(b"RFB 003.008\n")
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass

    def test_reverse(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(os.path.join(folder.name, "v"))
        listener.listen()
        p = subprocess.Popen([PROGRAM, "-machine", "none", "-display", "none", "-vnc", f"unix:{folder.name}/v,reverse=on"])
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        s, _ = listener.accept()
        self.addCleanup(s.close)
        s.settimeout(TIMEOUT_SECONDS)
        v = Viewer(None, connection=s)
        v.result()
        v.begin()
        v.encodings(RAW)
        self.assertEqual(len(v.picture()), 480)

    def test_exclusive(self):
        self.start()
        one, two = self.viewer(), self.viewer()
        for v in (one, two):
            v.result()
        one.begin(1)
        two.begin(0)
        with self.assertRaises((EOFError, ConnectionError)):
            one.read(1)

    def test_bad_clients(self):
        self.start()
        for junk in (b"GET / HTTP/1.0\r\n\r\n", bytes(range(256)) * 20):
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.path)
            s.sendall(junk)
            s.close()
        v = self.viewer()
        v.result()
        v.begin()
        v.s.sendall(struct.pack(">BxxxI", 6, 0xffffffff))
        with self.assertRaises((EOFError, ConnectionError)):
            v.read(1)
        v = self.viewer()
        v.result()
        v.begin()
        for key in (0x61, 0xff0d, 0xffe1, 0x12345678):
            v.s.sendall(struct.pack(">BBxxI", 4, 1, key))
        v.s.sendall(struct.pack(">BBHH", 5, 255, 65535, 65535))
        v.s.sendall(struct.pack(">BBHII", 255, 0, 1, 0, 0xffffffff))
        v.encodings(RAW)
        self.assertEqual(len(v.picture()), 480)


if __name__ == "__main__":
    unittest.main()
