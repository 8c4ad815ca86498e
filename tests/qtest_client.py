# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts an emulator under -accel qtest and talks the device test protocol with it."""
import json
import os
import shutil
import socket
import subprocess
import tempfile

TIMEOUT_SECONDS = 60    # of silence; nothing takes that long


class QtestError(Exception):
    """A command was refused, or the emulator is gone."""


class Line:
    """A socket that is read by lines."""

    def __init__(self, sock):
        sock.settimeout(TIMEOUT_SECONDS)
        self.sock = sock
        self.buffer = b""

    def send(self, text):
        self.sock.sendall(text.encode() + b"\n")

    def receive(self):
        while b"\n" not in self.buffer:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("the emulator closed the connection")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")


class Qtest:
    """One emulator; use as a context manager."""

    def __init__(self, binary, args, with_qmp=False):
        self.folder = tempfile.mkdtemp(prefix="qtest-")
        self.irqs = []          # "raise 3" ... since the last look
        self.qmp = None
        self.events = []        # of QMP, that nobody has waited for yet
        listeners = [self._listen("qtest")]
        command = [binary, "-accel", "qtest", "-qtest", "unix:" + self._path("qtest"),
                   "-display", "none"]
        if with_qmp:
            listeners.append(self._listen("qmp"))
            command += ["-qmp", "unix:" + self._path("qmp")]
        self.stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command + args, stdin=subprocess.DEVNULL,
                                        stdout=self.stderr, stderr=self.stderr, cwd=self.folder)
        try:
            lines = [Line(self._accept(s)) for s in listeners]
        except (OSError, QtestError):
            self.close()
            raise
        self.line = lines[0]
        if with_qmp:
            self.qmp = lines[1]
            self.qmp.receive()
            self.run_qmp({"execute": "qmp_capabilities"})

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _listen(self, name):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.bind(self._path(name))
        s.listen(1)
        s.settimeout(0.05)
        return s

    def _accept(self, listener):
        """Waits for the emulator to connect, for as long as it lives."""
        for _ in range(int(TIMEOUT_SECONDS / 0.05)):
            try:
                return listener.accept()[0]
            except TimeoutError:
                if self.process.poll() is not None:
                    raise QtestError("the emulator ended at start-up: " + self.errors()) from None
        raise QtestError("the emulator does not connect")

    def command(self, text):
        """The words after OK; raises QtestError on FAIL."""
        self.line.send(text)
        while True:
            answer = self.line.receive()
            if answer.startswith("IRQ "):
                self.irqs.append(answer[4:])
                continue
            if answer.startswith("OK"):
                return answer[2:].split()
            raise QtestError(answer)

    def run_qmp(self, request):
        """The reply to a QMP request as a dict; events are kept for wait_event."""
        self.qmp.send(json.dumps(request))
        while True:
            reply = json.loads(self.qmp.receive())
            if "event" not in reply:
                return reply
            self.events.append(reply)

    def wait_event(self, name):
        """The next QMP event of that name; others before it stay."""
        at = 0
        while True:
            if at == len(self.events):
                self.events.append(json.loads(self.qmp.receive()))
            if self.events[at].get("event") == name:
                return self.events.pop(at)
            at += 1

    def wait(self):
        """The exit status, for an emulator that is about to end."""
        return self.process.wait(TIMEOUT_SECONDS)

    def errors(self):
        self.stderr.seek(0)
        return self.stderr.read().decode(errors="replace").strip()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
