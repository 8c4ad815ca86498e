# SPDX-License-Identifier: GPL-2.0-or-later
"""A file server of NFS version 3 (RFC 1813) with as much as a disk needs: one export "/export" in memory, one process,
no access control. MOUNT and NFS share the port."""
import socket
import struct
import threading

OK, NOENT = 0, 2


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def u32(self):
        self.at += 4
        return struct.unpack_from('>I', self.data, self.at - 4)[0]

    def u64(self):
        self.at += 8
        return struct.unpack_from('>Q', self.data, self.at - 8)[0]

    def opaque(self):
        n = self.u32()
        start, self.at = self.at, self.at + (n + 3) // 4 * 4
        return self.data[start:start + n]


def opaque(data):
    return struct.pack('>I', len(data)) + data + bytes(-len(data) % 4)


class Server(threading.Thread):
    """Files are bytearrays by name; handles are names, b'/' the folder."""

    def __init__(self, max_bytes=65536):
        super().__init__(daemon=True)
        self.files = {}
        self.max_bytes = max_bytes
        self.broken = False         # answers with errors
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            self.talk(conn)
        except OSError:
            pass

    def talk(self, conn):
        stream = conn.makefile('rb')
        while True:
            head = stream.read(4)
            if len(head) < 4:
                return
            r = Reader(stream.read(struct.unpack('>I', head)[0] & 0x7fffffff))
            xid, _, _, program, _, procedure = (r.u32() for _ in range(6))
            for _ in range(2):
                r.u32()
                r.opaque()
            body = struct.pack('>IIIIII', xid, 1, 0, 0, 0, 0) + self.call(program, procedure, r)
            conn.sendall(struct.pack('>I', 0x80000000 | len(body)) + body)

    def attributes(self, handle):
        size = len(self.files.get(handle, b''))
        kind, mode = (2, 0o755) if handle == b'/' else (1, 0o644)
        return struct.pack('>IIIIIQQIIQQIIIIII', kind, mode, 1, 0, 0, size, size, 0, 0, 1, hash(handle) & 0xffff, 0, 0, 0, 0, 0, 0)

    def after(self, handle):
        return struct.pack('>I', 1) + self.attributes(handle)

    def call(self, program, procedure, r):
        if procedure == 0:
            return b''
        if program == 100005:
            return struct.pack('>I', OK) + opaque(b'/') + struct.pack('>II', 1, 1) if procedure == 1 else struct.pack('>I', 0)
        handle = r.opaque()
        if handle != b'/' and handle not in self.files:
            return struct.pack('>II', 70, 0)
        name = {1: 'getattr', 2: 'setattr', 3: 'lookup', 4: 'access', 6: 'read', 7: 'write', 8: 'create', 18: 'fsstat', 19: 'fsinfo',
                20: 'pathconf', 21: 'commit'}.get(procedure)
        if not name:
            return struct.pack('>I', 10004) + bytes(8)
        return getattr(self, name)(handle, r)

    def getattr(self, handle, _):
        return struct.pack('>I', OK) + self.attributes(handle)

    def setattr(self, handle, r):
        for _ in range(3):
            if r.u32():
                r.u32()
        if r.u32():
            size = r.u64()
            data = self.files[handle]
            self.files[handle] = data[:size] + bytes(max(0, size - len(data)))
        return struct.pack('>II', OK, 0) + self.after(handle)

    def lookup(self, handle, r):
        name = r.opaque()
        if name not in self.files:
            return struct.pack('>I', NOENT) + self.after(handle)
        return struct.pack('>I', OK) + opaque(name) + self.after(name) + self.after(handle)

    def access(self, handle, r):
        return struct.pack('>I', OK) + self.after(handle) + struct.pack('>I', r.u32())

    def create(self, handle, r):
        name = r.opaque()
        self.files[name] = bytearray()
        return struct.pack('>II', OK, 1) + opaque(name) + self.after(name) + struct.pack('>I', 0) + self.after(handle)

    def read(self, handle, r):
        offset, count = r.u64(), min(r.u32(), self.max_bytes)
        if self.broken:
            return struct.pack('>I', 5) + self.after(handle)
        data = bytes(self.files[handle][offset:offset + count])
        end = offset + len(data) >= len(self.files[handle])
        return struct.pack('>I', OK) + self.after(handle) + struct.pack('>II', len(data), end) + opaque(data)

    def write(self, handle, r):
        offset, count, _ = r.u64(), r.u32(), r.u32()
        data = r.opaque()[:count]
        if self.broken:
            return struct.pack('>II', 28, 0) + self.after(handle)
        f = self.files[handle]
        f.extend(bytes(max(0, offset + len(data) - len(f))))
        f[offset:offset + len(data)] = data
        return struct.pack('>II', OK, 0) + self.after(handle) + struct.pack('>II', len(data), 2) + bytes(8)

    def commit(self, handle, _):
        return struct.pack('>II', OK, 0) + self.after(handle) + bytes(8)

    def fsinfo(self, handle, _):
        n = self.max_bytes
        return struct.pack('>I', OK) + self.after(handle) + struct.pack('>IIIIIIIQIII', n, n, 512, n, n, 512, n, 1 << 60, 0, 1, 0x1b)

    def fsstat(self, handle, _):
        return struct.pack('>I', OK) + self.after(handle) + struct.pack('>QQQQQQI', *([1 << 40] * 6), 0)

    def pathconf(self, handle, _):
        return struct.pack('>I', OK) + self.after(handle) + struct.pack('>IIIIII', 1, 255, 1, 1, 0, 1)
