"""Servers on loopback for the tests of ibuf-relay, and a client that sees every byte."""

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

SKIPPED = 77


def need(*programs):
    """Skip the test when one of the programs is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            print("skipped: there is no " + program)
            sys.exit(SKIPPED)


def redis_server():
    """Where redis-server is, or the same program by another name: redis-tools of Debian has that,
    and installing it starts no server. None: nowhere."""
    return shutil.which("redis-server") or shutil.which("redis-check-rdb")


def need_redis_server():
    if redis_server() is None:
        need("redis-server")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process that listens on a port of loopback; it is ended by its id."""

    def __init__(self, command, port, log, executable=None):
        self.port, self.log_path = port, log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, executable=executable, stdout=out,
                                            stderr=out, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.kill()
                    raise AssertionError("no server:\n" + self.log())
                time.sleep(0.02)

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def client(self, **options):
        return Client(("127.0.0.1", self.port), **options)

    def info(self):
        with self.client() as c:
            text = c.call("INFO").decode()
        return {k: v for k, v in (line.split(":", 1) for line in text.split("\r\n")
                                  if ":" in line)}

    def number(self, name):
        return int(self.info()[name])

    def stop(self):
        """SIGTERM; what it exits with."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def relay(program, *options):
    """The relay; it must end well, and with nothing on its mind."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = Server([program, "--port", str(port), *options], port,
                        os.path.join(folder, "log"))
        try:
            yield server
        except BaseException:
            server.kill()
            print(server.log()[-5000:])
            raise
        status = server.stop()
        log = server.log()
        assert status == 0, (status, log[-5000:])
        assert "Sanitizer" not in log, log[-5000:]


@contextlib.contextmanager
def redis(*options):
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = Server(["redis-server", "--port", str(port), "--save", "", "--appendonly",
                         "no", "--dir", folder, *options], port,
                        os.path.join(folder, "log"), redis_server())
        try:
            yield server
        finally:
            server.kill()


class Closed(Exception):
    """The server has closed the connection."""


class Error(Exception):
    """It has answered with an error."""


def request(*args):
    args = [a if isinstance(a, bytes) else str(a).encode() for a in args]
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in args)


class Client:
    def __init__(self, address, timeout=60, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.buffer = bytearray()
        self.at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed()
        if self.at > 1 << 20:
            del self.buffer[:self.at]
            self.at = 0
        self.buffer += data

    def take(self, n):
        while len(self.buffer) - self.at < n:
            self.more()
        self.at += n
        return bytes(self.buffer[self.at - n:self.at])

    def line(self):
        while True:
            end = self.buffer.find(b"\r\n", self.at)
            if end >= 0:
                return self.take(end + 2 - self.at)
            self.more()

    def raw(self):
        """The bytes of one answer."""
        line = self.line()
        kind, n = line[:1], line[1:-2]
        if kind in b"$=!" and int(n) >= 0:
            return line + self.take(int(n) + 2)
        if kind in b"*%~>" and int(n) > 0:
            return line + b"".join(self.raw() for _ in range(int(n) * (2 if kind == b"%" else 1)))
        return line

    def value(self):
        line = self.line()
        kind, text = line[:1], line[1:-2]
        if kind == b"-":
            return Error(text.decode(errors="replace"))
        if kind in b"+":
            return text
        if kind == b":":
            return int(text)
        if kind == b"_" or text == b"-1":
            return None
        if kind == b"$":
            return self.take(int(text) + 2)[:-2]
        if kind == b"=":
            return self.take(int(text) + 2)[4:-2]
        if kind in b"*>~":
            return [self.value() for _ in range(int(text))]
        if kind == b"%":
            return {self.value(): self.value() for _ in range(int(text))}
        raise AssertionError("no such type: %r" % line)

    def call(self, *args):
        self.send(request(*args))
        value = self.value()
        if isinstance(value, Error):
            raise value
        return value

    def rest(self, seconds=60):
        """All up to the end of the connection; what a reset leaves out is left out."""
        self.socket.settimeout(seconds)
        try:
            while True:
                self.more()
        except (Closed, ConnectionResetError):
            return bytes(self.buffer[self.at:])

    def is_quiet(self, seconds=0.3):
        return self.at == len(self.buffer) and \
            not select.select([self.socket], [], [], seconds)[0]


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what + " did not come about"
        time.sleep(0.02)


def run_tests(tests):
    """Run functions whose names are sentences; exit with what came of it."""
    words, failed = sys.argv[2:], 0
    chosen = [t for t in tests if not words or any(w in t.__name__ for w in words)]
    for test in chosen:
        begin = time.monotonic()
        try:
            test()
            print("ok     %s (%.1f s)" % (test.__name__, time.monotonic() - begin), flush=True)
        except Exception:
            failed += 1
            print("FAILED " + test.__name__)
            traceback.print_exc(file=sys.stdout)
    print("%d tests, %d failed" % (len(chosen), failed))
    sys.exit(1 if failed else 0)
