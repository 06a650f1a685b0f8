#!/usr/bin/python3
"""CPU of ibuf-relay as a part of redis-server's, in turns on one machine: deliveries by channel, by
pattern and by both, and messages to subscribers that do not read. Prints tables for performance.md.

    beside.py IBUF_RELAY [quick]
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAM, QUICK = sys.argv[1], "quick" in sys.argv[2:]
ROUNDS = 2 if QUICK else 5

READERS = """
import select, socket, sys
port, count, total, reads = map(int, sys.argv[1:5])
words, held, ready = sys.argv[5:], {}, select.epoll()
for i in range(count):
    s = socket.socket()
    if not reads:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", port))
    s.sendall(words[i % len(words)].replace("/", " ").encode() + b"\\r\\n")
    s.recv(1000)
    held[s.fileno()] = s
    ready.register(s.fileno(), select.EPOLLIN)
print("there", flush=True)
room = bytearray(1 << 20)
while reads and total > 0:
    for fd, _ in ready.poll():
        total -= held[fd].recv_into(room)
print("done", flush=True)
sys.stdin.read()
"""


def request(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Server:
    def __init__(self, command, folder):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([*command, "--port", str(self.port)], cwd=folder,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                self.connect().close()
                return
            except OSError:
                time.sleep(0.01)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def cpu(self):
        tasks = "/proc/%d/task" % self.process.pid
        total = 0
        for thread in os.listdir(tasks):
            with open(os.path.join(tasks, thread, "schedstat")) as f:
                total += int(f.read().split()[0])
        return total / 1e3

    def end(self):
        self.process.kill()
        self.process.wait()


def heard(word, channel, payload):
    head, name = word.split("/")
    words = ["message" if head == "SUBSCRIBE" else "smessage", channel, payload]
    return len(request(*(["pmessage", name, channel, payload] if head == "PSUBSCRIBE" else words)))


def measure(command, count, words, payload, messages, batch, reads):
    """Microseconds of CPU for each delivery, or, when nobody reads, for each message."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(command, folder)
        total = sum(heard(words[i % len(words)], "c", payload) for i in range(count)) * messages
        readers = subprocess.Popen([sys.executable, "-c", READERS, str(server.port), str(count),
                                    str(total), str(int(reads)), *words],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        readers.stdout.readline()
        publish = "SPUBLISH" if words[0].startswith("SS") else "PUBLISH"
        piece = request(publish, "c", payload) * batch
        with server.connect() as s:
            begin = server.cpu()
            for _ in range(messages // batch):
                s.sendall(piece)
                lines = 0
                while lines < batch:
                    lines += s.recv(1 << 16).count(b"\n")
            if reads:
                readers.stdout.readline()
            used = server.cpu() - begin
        readers.send_signal(signal.SIGKILL)
        readers.wait()
        server.end()
    return used / messages / (count if reads else 1)


REDIS = ["redis-server", "--save", "", "--appendonly", "no", "--maxclients", "4000",
         "--client-output-buffer-limit", "pubsub 0 0 0"]
KINDS = {"channel": ["SUBSCRIBE/c"], "pattern": ["PSUBSCRIBE/c*"],
         "both": ["PSUBSCRIBE/c*", "SUBSCRIBE/c"], "shard": ["SSUBSCRIBE/c"]}


def row(relay, *what):
    best = {}
    for _ in range(ROUNDS):
        for name, command in (("relay", [PROGRAM, "--threads=1", *relay]), ("redis", REDIS)):
            cost = measure(command, *what)
            best[name] = min(cost, best.get(name, cost))
    return best["relay"], best["redis"], best["relay"] / best["redis"]


print("| subscribers | payload | by | ibuf-relay | redis-server | part |\n|--:|--:|---|--:|--:|--:|")
for count in (1, 10, 100, 1000):
    for size in (16, 1024, 65536):
        for kind in ("channel", "pattern", "both"):
            batch = min(100, max(2, (1 << 20) // (size + 40)))
            messages = min(100000, 1000000 // count, (400 << 20) // size // count + 2)
            messages = max(1, messages // batch) * batch
            print("| %d | %d B | %s | %.3f | %.3f | %.2f |" % (count, size, kind, *row(
                ["--client-output-limit=1G"], count, KINDS[kind], b"x" * size, messages, batch,
                True)), flush=True)
print("\n| stalled | by | `--slow` | ibuf-relay | redis-server | part |\n|--:|---|---|--:|--:|--:|")
for count in (1, 100, 1000):
    for kind in ("channel", "pattern", "shard"):
        for slow in ("disconnect", "drop"):
            print("| %d | %s | %s | %.2f | %.2f | %.2f |" % (count, kind, slow, *row(
                ["--slow=" + slow], count, KINDS[kind], b"x" * 64, 5000, 50, False)), flush=True)
