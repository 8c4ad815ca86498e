# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between a test's client and a socket of the emulator: WebSocket frames, TLS without certificates."""
import base64
import hashlib
import os
import ssl
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def anonymous_tls(sock, server=False):
    """TLS by anonymous credentials, for which no files are needed; only up to 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context.wrap_socket(sock, server_side=server)


def read_all(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError(data)
        data += more
    return data


class WebSocket:
    """A client with the calls of a socket; `frame` sends any frame."""

    def __init__(self, sock, headers=()):
        self.sock = sock
        self.payload = b""
        key = base64.b64encode(os.urandom(16))
        lines = [b"GET / HTTP/1.1", b"Host: test", b"Upgrade: WebSocket", b"Connection: keep-alive, Upgrade",
                 b"Sec-WebSocket-Key: " + key, b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Protocol: chat, binary"]
        sock.sendall(b"\r\n".join([*lines, *headers]) + b"\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += read_all(sock, 1)
        wanted = base64.b64encode(hashlib.sha1(key + GUID).digest())
        assert answer.startswith(b"HTTP/1.1 101 ") and b"\r\nSec-WebSocket-Accept: " + wanted + b"\r\n" in answer, answer
        assert b"\r\nSec-WebSocket-Protocol: binary\r\n" in answer, answer

    def frame(self, first, data, length=None):
        n = len(data) if length is None else length
        head = struct.pack(">BB", first, 0x80 | n) if n < 126 else struct.pack(">BBH", first, 0xfe, n) if n < 65536 else struct.pack(">BBQ", first, 0xff, n)
        mask = os.urandom(4)
        self.sock.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data)))

    def receive(self):
        """One frame: its first byte and its payload."""
        first, length = read_all(self.sock, 2)
        assert not length & 0x80
        if length == 126:
            length = struct.unpack(">H", read_all(self.sock, 2))[0]
        elif length == 127:
            length = struct.unpack(">Q", read_all(self.sock, 8))[0]
        return first, read_all(self.sock, length)

    def sendall(self, data):
        self.frame(0x82, data)

    def recv(self, n):
        while not self.payload:
            first, data = self.receive()
            if first == 0x88:
                return b""
            assert first == 0x82, first
            self.payload = data
        data, self.payload = self.payload[:n], self.payload[n:]
        return data

    def close(self):
        self.sock.close()
