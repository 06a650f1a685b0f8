#!/usr/bin/python3
"""CPU of ibuf-relay as a part of redis-server's, in turns on one machine: deliveries by channel, by
pattern and by both, messages to subscribers that do not read, and what becomes of others meanwhile.
Prints tables for performance.md.

    beside.py IBUF_RELAY [quick] [deliveries] [stalled] [others] [idle]
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM, QUICK = sys.argv[1], "quick" in sys.argv[2:]
TABLES = [w for w in sys.argv[2:] if w != "quick"] or ["deliveries", "stalled", "others", "idle"]
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

    def memory(self):
        """In KiB."""
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(f.read().split("VmRSS:")[1].split()[0])

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
        readers = start_readers(server, count, total, reads, words)
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


def start_readers(server, count, total, reads, words):
    readers = subprocess.Popen([sys.executable, "-c", READERS, str(server.port), str(count),
                                str(total), str(int(reads)), *words],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    readers.stdout.readline()
    return readers


def flood(server, piece, rate, stop):
    """So many pieces a second, whether or not the one before was answered."""
    s = server.connect()
    s.setblocking(False)
    begin, sent, rest = time.monotonic(), 0, b""
    while not stop.is_set():
        ahead = sent / rate - (time.monotonic() - begin)
        if ahead > 0:
            time.sleep(ahead)
        try:
            while s.recv(1 << 16):
                pass
        except BlockingIOError:
            pass
        except OSError:
            break
        try:
            rest = rest or piece
            rest = rest[s.send(rest):]
        except BlockingIOError:
            pass
        sent += 1
    s.close()


def others(command, count, words, seconds=3, rate=40, batch=50):
    """Milliseconds of CPU in a second while nobody reads what is published 2,000 times a second, and
    how long a message between two others takes, half of the time and at the 99th part, in
    microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(command, folder)
        readers = start_readers(server, count, 1 << 60, False, words)
        publish = "SPUBLISH" if words[0].startswith("SS") else "PUBLISH"
        stop = threading.Event()
        thread = threading.Thread(target=flood, args=(
            server, request(publish, "c", b"x" * 64) * batch, rate, stop))
        thread.start()
        time.sleep(1)
        took = []
        with server.connect() as a, server.connect() as b:
            a.sendall(request("SUBSCRIBE", "unrelated"))
            a.recv(1000)
            cpu, begin = server.cpu(), time.monotonic()
            while time.monotonic() < begin + seconds:
                at = time.monotonic()
                b.sendall(request("PUBLISH", "unrelated", "x"))
                a.recv(1000)
                took.append(time.monotonic() - at)
                b.recv(1000)
                time.sleep(0.005)
            cpu = (server.cpu() - cpu) / 1e3 / (time.monotonic() - begin)
        stop.set()
        thread.join()
        readers.kill()
        readers.wait()
        server.end()
    took.sort()
    return cpu, took[len(took) // 2] * 1e6, took[-1 - len(took) // 100] * 1e6


def idle(command, count, words):
    """KiB of memory for each subscription to a name of its own, and microseconds of CPU for each
    message to a name that nobody has subscribed to."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(command, folder)
        with server.connect() as s, server.connect() as c:
            before = server.memory()
            for i in range(0, count, 1000):
                c.sendall(b"".join(request(words, "name:%d" % n) for n in range(i, i + 1000)))
                lines = 0
                while lines < 6000:
                    lines += c.recv(1 << 20).count(b"\n")
            taken = server.memory() - before
            piece, n = request("PUBLISH", "other", b"x" * 64) * 100, 2000 if words[0] == "S" else 20
            cpu = server.cpu()
            for _ in range(n):
                s.sendall(piece)
                lines = 0
                while lines < 100:
                    lines += s.recv(1 << 16).count(b"\n")
            cpu = server.cpu() - cpu
        server.end()
    return taken / count, cpu / n / 100


def print_deliveries():
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


def print_stalled():
    print("| stalled | by | `--slow` | ibuf-relay | redis-server | part |\n|--:|---|---|--:|--:|--:|")
    for count in (1, 100, 1000):
        for kind in ("channel", "pattern", "shard"):
            for slow in ("disconnect", "drop", "block"):
                print("| %d | %s | %s | %.2f | %.2f | %.2f |" % (count, kind, slow, *row(
                    ["--slow=" + slow], count, KINDS[kind], b"x" * 64, 5000, 50, False)), flush=True)


def print_others():
    """At the limit of the subscribers, which is small for that; redis-server has none."""
    print("| stalled | by | `--slow` | CPU ms/s | redis-server | p50, p99 us | redis-server |\n"
          "|--:|---|---|--:|--:|--:|--:|")
    for count in (1, 100, 1000):
        for kind in ("channel", "pattern", "shard"):
            theirs = others(REDIS, count, KINDS[kind])
            for slow in ("disconnect", "drop", "block"):
                ours = others([PROGRAM, "--threads=1", "--client-output-limit=64K", "--slow=" + slow],
                              count, KINDS[kind])
                print("| %d | %s | %s | %.1f | %.1f | %.0f, %.0f | %.0f, %.0f |" % (
                    count, kind, slow, ours[0], theirs[0], *ours[1:], *theirs[1:]), flush=True)


def print_idle():
    print("| subscriptions | by | KiB each | redis-server | us a message | redis-server |\n"
          "|--:|---|--:|--:|--:|--:|")
    for count, word in ((100000, "SUBSCRIBE"), (10000, "PSUBSCRIBE")):
        ours = idle([PROGRAM, "--threads=1"], count, word)
        theirs = idle(REDIS, count, word)
        print("| %d | %s | %.2f | %.2f | %.2f | %.2f |" % (
            count, "channel" if word[0] == "S" else "pattern", ours[0], theirs[0], ours[1],
            theirs[1]), flush=True)


for number, table in enumerate(TABLES):
    print("\n" * (number > 0), end="")
    {"deliveries": print_deliveries, "stalled": print_stalled, "others": print_others,
     "idle": print_idle}[table]()
