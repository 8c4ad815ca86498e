# SPDX-License-Identifier: GPL-2.0-or-later
"""Character devices behind WebSocket and TLS: what goes through, what is refused."""
import json
import os
import socket
import subprocess
import tempfile
import unittest

from layers import WebSocket, anonymous_tls, read_all

PROGRAM = os.path.join(os.path.abspath(os.environ.get("BUILD_DIR", ".")), "qemu-system-x86_64")
TIMEOUT_SECONDS = 60
GREETING = b'{"QMP":'


@unittest.skipUnless(os.path.exists(PROGRAM), "qemu-system-x86_64 is not built")
class Layers(unittest.TestCase):
    """The device under test carries a second monitor, which greets and answers."""

    def start(self, device):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "s")
        self.p = subprocess.Popen([PROGRAM, "-machine", "none", "-S", "-display", "none", "-qmp", "stdio",
                                   "-object", "tls-creds-anon,id=s,endpoint=server", "-object", "tls-creds-anon,id=c,endpoint=client",
                                   "-chardev", device.replace("PATH", self.path), "-mon", "chardev=x,mode=control"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        self.p.stdout.readline()
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

    def port(self):
        """Of the device that listens at any."""
        names = {c["label"]: c["filename"] for c in self.qmp("query-chardev")["return"]}
        return int(names["x"].split(",")[0].rsplit(":", 1)[1])

    def connect(self, port=None):
        s = socket.socket(socket.AF_INET if port else socket.AF_UNIX)
        self.addCleanup(s.close)
        s.settimeout(TIMEOUT_SECONDS)
        s.connect(("127.0.0.1", port) if port else self.path)
        return s

    def tls(self, port):
        s = anonymous_tls(self.connect(port))
        self.addCleanup(s.close)
        return s

    def talk(self, s):
        """With the monitor at the other end; an answer of many records or frames comes whole."""
        text = b""
        while not text.endswith(b"\r\n"):
            text += read_all(s, 1)
        self.assertTrue(text.startswith(GREETING), text)
        for command in ("qmp_capabilities", "query-qmp-schema", "query-status"):
            s.sendall(json.dumps({"execute": command}).encode() + b"\n")
            text = b""
            while not text.endswith(b"\r\n"):
                text += s.recv(65536)
            self.assertIn("return", json.loads(text))

    def test_websocket(self):
        self.start("socket,id=x,path=PATH,server=on,wait=off,websocket=on")
        w = WebSocket(self.connect())
        self.talk(w)
        w.close()
        w = WebSocket(self.connect())
        read_all(w, len(GREETING))
        while not w.payload.endswith(b"\n"):
            w.payload = w.payload[:-1] + read_all(w, 1)
        w.payload = b""
        w.frame(0x89, b"are you there")
        self.assertEqual(w.receive(), (0x8a, b"are you there"))
        for first, piece in ((0x02, b'{"execute":'), (0x89, b""), (0x00, b' "qmp_capa'), (0x80, b'bilities"}')):
            w.frame(first, piece)
        self.assertEqual(w.receive(), (0x8a, b""))
        self.assertEqual(b"".join(w.receive()[1] for _ in range(1)).strip(), b'{"return": {}}')
        w.frame(0x88, b"\x03\xe8bye")
        self.assertEqual(w.receive(), (0x88, b"\x03\xe8"))
        self.assertEqual(w.sock.recv(1), b"")

    def test_bad_websockets(self):
        self.start("socket,id=x,path=PATH,server=on,wait=off,websocket=on")
        for request in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n"):
            s = self.connect()
            s.sendall(request)
            self.assertTrue(read_all(s, 12).startswith(b"HTTP/1.1 400"))
            while s.recv(4096):
                pass
        s = self.connect()
        s.sendall(b"x" * 4095)
        s.sendall(b"yy")
        self.assertEqual(s.recv(1), b"")
        for bad in ((0x81, b"text", None), (0x80, b"", None), (0xc2, b"", None), (0x09, b"", None), (0x89, b"", 126), (0x8b, b"", None)):
            w = WebSocket(self.connect())
            w.frame(*bad)
            try:
                while w.sock.recv(4096):
                    pass
            except ConnectionResetError:
                pass
        w = WebSocket(self.connect())
        w.sock.sendall(b"\x82\x01a")        # without a mask
        while w.sock.recv(4096):
            pass
        self.talk(WebSocket(self.connect()))

    def test_tls(self):
        self.start("socket,id=x,host=127.0.0.1,port=0,server=on,wait=off,tls-creds=s")
        port = self.port()
        plain = self.connect(port)
        plain.sendall(b'{"execute": "qmp_capabilities"}\n')
        try:
            while plain.recv(4096):
                pass
        except ConnectionResetError:
            pass
        for _ in range(2):
            s = self.tls(port)
            self.talk(s)
            s.close()

    def test_tls_websocket(self):
        self.start("socket,id=x,host=127.0.0.1,port=0,server=on,wait=off,tls-creds=s,websocket=on")
        self.talk(WebSocket(self.tls(self.port())))

    def test_tls_client(self):
        self.start("null,id=x")
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        address = {"type": "inet", "data": {"host": "127.0.0.1", "port": str(listener.getsockname()[1])}}
        backend = {"type": "socket", "data": {"addr": address, "server": False, "tls-creds": "c"}}
        self.assertIn("return", self.qmp("chardev-add", id="y", backend=backend))
        s, _ = listener.accept()
        s.settimeout(TIMEOUT_SECONDS)
        s = anonymous_tls(s, server=True)
        self.addCleanup(s.close)
        self.assertIn("return", self.qmp("chardev-remove", id="y"))
        self.assertEqual(s.recv(1), b"")

    def test_refused(self):
        self.start("null,id=x")
        inet = {"type": "inet", "data": {"host": "127.0.0.1", "port": "0"}}
        for data, text in (
                ({"addr": {"type": "unix", "data": {"path": self.path}}, "tls-creds": "s"}, "incompatible with 'unix' address type"),
                ({"addr": inet, "tls-creds": "nobody"}, "No TLS credentials with id 'nobody'"),
                ({"addr": inet, "tls-creds": "c"}, "a server endpoint"),
                ({"addr": inet, "server": False, "websocket": True}, "Websocket client is not implemented")):
            answer = self.qmp("chardev-add", id="y", backend={"type": "socket", "data": data})
            self.assertIn(text, answer.get("error", {}).get("desc", ""))


if __name__ == "__main__":
    unittest.main()
