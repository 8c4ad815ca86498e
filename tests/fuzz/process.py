# SPDX-License-Identifier: GPL-2.0-or-later
"""An emulator under test by its clients: started in a folder of its own, asked by a monitor of its own whether it still lives."""
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ANSWER = 30  # seconds that a monitor may take
FILE_LIMIT = 64 << 20  # bytes; no file that the emulator is told to write grows larger


class Died(Exception):
    """The emulator ended, or answers no more."""


def limits():
    """What runs in the child: files stay small, and one that would not is an error instead of the end."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Emulator:
    """
    A process with its sockets in a temporary folder, which is its current one. `socket(name)` connects to one of them. Ended
    and cleaned up on leaving a `with`.
    """

    def __init__(self, binary, arguments):
        self.folder = tempfile.mkdtemp(prefix="fuzz-")
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        self.process = subprocess.Popen(
            [os.path.abspath(binary), "-qmp", "unix:control,server=on,wait=off", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            preexec_fn=limits,
            start_new_session=True,
        )
        self.qmp = None

    def connect(self):
        """Waits for the monitor to be there."""
        self.qmp = Qmp(self.socket("control"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def socket(self, name):
        """Connects to a socket of the folder, waiting for it to be there."""
        end = time.monotonic() + ANSWER
        while True:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.settimeout(ANSWER)
            try:
                s.connect(self.path(name))
                return s
            except OSError:
                s.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    raise Died(f"no socket {name}") from None
                time.sleep(0.02)

    def alive(self):
        """Asks the monitor; Died when there is no answer."""
        self.qmp.run("query-status")

    def said(self):
        """What it wrote to its standard streams."""
        self.log.flush()
        with open(self.log.name, "rb") as f:
            return f.read().decode("utf-8", "replace")


class Qmp:
    """A monitor's client; one command at a time."""

    def __init__(self, s):
        self.s = s
        self.input = b""
        self.line()
        self.run("qmp_capabilities")

    def line(self):
        while b"\n" not in self.input:
            try:
                data = self.s.recv(65536)
            except OSError as e:
                raise Died(f"monitor: {e}") from None
            if not data:
                raise Died("monitor: closed")
            self.input += data
        text, self.input = self.input.split(b"\n", 1)
        return json.loads(text)

    def run(self, command, arguments=None):
        """The answer: {"return": ...} or {"error": ...}; events are passed over."""
        request = {"execute": command}
        if arguments is not None:
            request["arguments"] = arguments
        return self.raw(json.dumps(request).encode())

    def raw(self, data):
        try:
            self.s.sendall(data + b"\n")
        except OSError as e:
            raise Died(f"monitor: {e}") from None
        while True:
            answer = self.line()
            if "event" not in answer:
                return answer
