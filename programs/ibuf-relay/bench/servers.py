"""The servers that run compares, and one run of the load against one of them."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
DOCUMENTS = os.path.join(os.path.dirname(HERE), "doc")
BUILD = os.path.join(ROOT, "build", "bench-programs")
RESULTS = os.path.join(BUILD, "relay")
RELAY = os.path.join(BUILD, "programs", "ibuf-relay", "ibuf-relay")
LIMIT = os.path.join(BUILD, "programs", "ibuf-relay", "bench", "relay-limit")
LOAD = os.path.join(BUILD, "programs", "ibuf-relay", "bench", "relay-load")

# Nothing is stored, and no subscriber is closed for what waits for him. All else is as it comes.
REDIS = ["redis-server", "--save", "", "--appendonly", "no",
         "--client-output-buffer-limit", "pubsub 0 0 0"]
RELAY_OPTIONS = ["--client-output-limit=64G"]

# name: the program and what it is told; where it listens comes behind.
SERVERS = {
    "ibuf-relay": [RELAY, "--threads=1"] + RELAY_OPTIONS,
    "ibuf-relay, 2 threads": [RELAY, "--threads=2"] + RELAY_OPTIONS,
    "redis-server": REDIS,
    "limit": [LIMIT],
}


def listen_words(name, port, path):
    if name == "redis-server":
        return ["--port", str(port), "--unixsocket", path]
    if name == "limit":
        return ["-p", str(port), "-u", path]
    return ["--port", str(port), "--unix", path]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpus():
    """(the server's, the load's): each has one for itself when there are two."""
    known = sorted(os.sched_getaffinity(0))
    return {known[0]}, {known[-1]}


def congestion_control():
    """TCP's, which decides how much the kernel does for a segment, on loopback too."""
    with open("/proc/sys/net/ipv4/tcp_congestion_control") as stream:
        return stream.read().strip()


def version_of(name):
    command = SERVERS[name]
    if name == "limit" or not shutil.which(command[0]):
        return ""
    words = subprocess.run([command[0], "--version"], stdout=subprocess.PIPE, text=True).stdout
    for word in words.split():
        number = word[2:] if word.startswith("v=") else word
        if number[:1].isdigit():
            return number
    return ""


class Server:
    """A fresh process, so that its peak of memory is that of one row; ended by its id."""

    def __init__(self, name):
        self.folder = tempfile.TemporaryDirectory()
        self.port, self.path = free_port(), os.path.join(self.folder.name, "socket")
        command = SERVERS[name] + listen_words(name, self.port, self.path)
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=self.folder.name,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus()[0]))

    def wait(self):
        end = time.monotonic() + 30
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(self.path)
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise SystemExit("bench: %s did not start" % self.process.args[0])
                time.sleep(0.01)

    def __enter__(self):
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def load(self, row, window, seconds):
        """What relay-load tells of one run."""
        where = ["-u", self.path] if row["socket"] == "unix" else ["-p", str(self.port)]
        command = [LOAD, *where, "-P", str(self.process.pid), "-n", str(row["subscribers"]),
                   "-s", str(row["size"]), "-w", str(window), "-t", str(seconds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, cpus()[1]))
        if done.returncode != 0:
            raise SystemExit("bench: %s: %s" % (" ".join(command), done.stderr))
        return json.loads(done.stdout)
