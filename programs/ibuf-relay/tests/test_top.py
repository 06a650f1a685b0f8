#!/usr/bin/env python3
"""Watch ibuf-relay --top in a terminal that we are the other side of.

Usage: test_top.py IBUF_RELAY [WORD...]
"""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

from server import free_port, redis, redis_server, relay, run_tests, wait_for

PROGRAM = None


class Screen:
    """`ibuf-relay --top` in a pseudo-terminal, and the text it shows."""

    def __init__(self, address, *options, width=100, height=40):
        self.outer, self.inner = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.inner)
        self.process = subprocess.Popen([PROGRAM, "--top", address, *options], stdin=self.inner,
                                        stdout=self.inner, stderr=subprocess.PIPE,
                                        preexec_fn=self.own, text=True)
        self.all = b""

    def own(self):
        os.setsid()
        fcntl.ioctl(self.inner, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        os.close(self.inner)
        os.close(self.outer)

    def resize(self, width, height):
        self.width, self.height = width, height
        fcntl.ioctl(self.inner, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys):
        os.write(self.outer, keys)

    def read(self, seconds=0.0):
        while select.select([self.outer], [], [], seconds)[0]:
            self.all += os.read(self.outer, 65536)

    def frames(self):
        """What was drawn, each from the top left corner to where the rest is cleared."""
        self.read()
        return re.findall(rb"\x1b\[H(.*?)\x1b\[J", self.all, re.S)

    def lines(self, frame=-1):
        text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", self.frames()[frame].decode())
        assert all(" " <= c <= "~" for c in text if c not in "\r\n"), text
        # The terminal adds a return of its own.
        return re.split(r"\r+\n", text)

    def wait(self, what, condition, seconds=20):
        wait_for(what, lambda: self.frames() and condition(self.lines()), seconds)
        return self.lines()

    def ends(self, status, words=""):
        """It ends so, and has put everything back."""
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.02)
        assert self.process.wait(1) == status, self.process.returncode
        said = self.process.stderr.read()
        assert (said.count("\n") == 1 and words in said) if words else said == "", said
        self.read()
        if b"\x1b[?1049h" in self.all:
            assert self.all.endswith(b"\x1b[m\x1b[?25h\x1b[?1049l"), self.all[-100:]
        assert termios.tcgetattr(self.inner) == self.before


def watch(server, *options, **size):
    return Screen("127.0.0.1:%d" % server.port, *options, **size)


def number(lines, label, column):
    """A number behind a label; column 0: each second, 1: in all."""
    for line in lines:
        at = line.find(label + " ")
        if at >= 0:
            return line[at + len(label):].split()[column]
    raise AssertionError(label + " is not shown")


def what_goes_on_is_shown():
    with relay(PROGRAM, "--threads", "2", "--max-memory", "64M") as server, watch(server) as top:
        with server.client() as a, server.client() as b, server.client() as c:
            a.call("CLIENT", "SETNAME", "ann")
            a.call("SUBSCRIBE", "x")
            b.call("PSUBSCRIBE", "x*")
            for _ in range(50):
                assert c.call("PUBLISH", "x", "y") == 2
            lines = top.wait("counts", lambda l: number(l, "messages out", 1) == "100")
            assert re.match(r"ibuf-relay \S+ at 127.0.0.1:%d, up 0:00:\d\d, threads 2; q ends$"
                            % server.port, lines[0]), lines[0]
            assert lines[1].startswith("clients 4, 0 blocked   subscribers 2   channels 1   patterns 1 ")
            assert number(lines, "messages in", 1) == "50"
            assert number(lines, "lost", 1) == "0"
            assert any(line.startswith("memory ") and line.endswith(" of 64M") for line in lines)
            assert any("rooms " in line and "in use" in line for line in lines)
            assert any(line.endswith("  ann") for line in lines)
            lines = top.wait("rest", lambda l: number(l, "messages in", 0) == "0")
            for n in range(3):
                for _ in range(200):
                    c.call("PUBLISH", "x", "y")
                time.sleep(0.3)
            top.wait("a rate", lambda l: number(l, "messages in", 0) not in ("0", "-"))
        top.press(b"q")
        top.ends(0)


def it_looks_once_a_second():
    with relay(PROGRAM) as server, watch(server) as top:
        top.wait("a screen", len)
        begin, n = time.monotonic(), len(top.frames())
        time.sleep(3.5)
        assert 2 <= len(top.frames()) - n <= 4, len(top.frames()) - n
        assert time.monotonic() - begin < 5
        top.press(b"x\x1b[AQ")
        top.ends(0)


def the_slowest_are_first():
    with relay(PROGRAM, "--slow", "drop", "--client-output-limit", "4M") as server, \
            watch(server) as top, server.client() as speaker:
        quick = server.client()
        slow = server.client(receive_buffer=4096)
        slower = server.client(receive_buffer=4096)
        for name, c, channels in (("quick", quick, "q"), ("slow", slow, "a"),
                                  ("slower", slower, "ab")):
            c.call("CLIENT", "SETNAME", name)
            for channel in channels:
                c.call("SUBSCRIBE", channel)
        for _ in range(20):
            speaker.call("PUBLISH", "b", b"x" * 100000)
        for _ in range(70):
            speaker.call("PUBLISH", "a", b"x" * 100000)
        # A screen of before the end shows fewer.
        dropped = str(server.number("messages_dropped"))
        lines = top.wait("lost messages", lambda l: number(l, "lost", 1) == dropped)
        at = next(i for i, line in enumerate(lines) if line.lstrip().startswith("slowest"))
        rows = [line.split() for line in lines[at + 1:at + 4]]
        assert rows[2][-1] == "quick" and rows[2][1:3] == ["0", "0"], rows
        assert {rows[0][-1], rows[1][-1]} == {"slow", "slower"}, rows
        assert rows[0][1].endswith("M"), rows
        assert {r[-1]: r[3] for r in rows} == {"quick": "1", "slow": "1", "slower": "2"}
        assert sum(int(r[2]) for r in rows) == server.number("messages_dropped") > 0
        for c in (quick, slow, slower):
            c.close()
        top.press(b"q")
        top.ends(0)


def any_window_is_large_enough():
    with relay(PROGRAM) as server:
        for width, height in ((1, 1), (2, 1), (1, 50), (20, 3), (79, 24), (500, 200)):
            with watch(server, width=width, height=height) as top:
                lines = top.wait("a screen", len)
                assert len(lines) <= height and max(map(len, lines)) <= width
                top.press(b"q")
                top.ends(0)
        with watch(server, width=0, height=0) as top:
            assert len(top.wait("a screen of 80 by 24", len)) <= 24
            top.press(b"q")
            top.ends(0)


def it_follows_the_window():
    with relay(PROGRAM) as server, watch(server) as top:
        assert max(map(len, top.wait("a screen", len))) > 30
        for width, height in ((10, 5), (3, 1), (200, 60), (1, 1), (40, 10)):
            n = len(top.frames())
            top.resize(width, height)
            wait_for("another screen", lambda: len(top.frames()) > n, 0.9)
            top.wait("its size", lambda l: len(l) <= height and max(map(len, l)) <= width)
        top.press(b"q")
        top.ends(0)


def every_end_restores_the_terminal():
    with relay(PROGRAM) as server:
        with watch(server) as top:
            top.wait("a screen", len)
            assert top.before != termios.tcgetattr(top.inner)
            top.press(b"\x03")
            top.ends(0)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            with watch(server) as top:
                top.wait("a screen", len)
                top.process.send_signal(number)
                top.ends(0)


def it_sleeps_and_wakes():
    with relay(PROGRAM) as server, watch(server) as top:
        top.wait("a screen", len)
        top.process.send_signal(signal.SIGTSTP)
        wait_for("sleep", lambda: state(top.process.pid) == "T")
        top.read(0.1)
        assert top.all.endswith(b"\x1b[?1049l") and termios.tcgetattr(top.inner) == top.before
        n = len(top.frames())
        top.process.send_signal(signal.SIGCONT)
        wait_for("a screen", lambda: len(top.frames()) > n + 2)
        top.press(b"q")
        top.ends(0)


def state(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def a_server_that_goes_away_is_told():
    with relay(PROGRAM) as server, watch(server) as top:
        top.wait("a screen", len)
        server.stop()
        top.ends(1, "is gone")
    with Screen("127.0.0.1:%d" % free_port()) as top:
        top.ends(1, "cannot connect to 127.0.0.1:")


def pretend(answers, words, seconds=15):
    """A server that says this, whatever it is asked."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        over = threading.Event()

        def serve():
            s = listener.accept()[0]
            s.sendall(answers)
            over.wait(seconds)
            s.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with Screen("127.0.0.1:%d" % port) as top:
            if words is None:
                lines = top.wait("a screen", len)
                top.press(b"q")
                top.ends(0)
            else:
                lines = None
                top.ends(1, words)
        over.set()
        thread.join()
        return lines


def servers_that_are_none_are_told():
    pretend(b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer as Redis does")
    pretend(b"$99999999999999999999\r\n", "does not answer as Redis does")
    pretend(b"$-1\r\n", "does not answer as Redis does")
    pretend(b"+OK\r\n" * 3, "what nobody asked for")
    pretend(b"-ERR who are \x1b[31myou\r\n", "says: ERR who are ?[31myou")
    pretend(b"", "does not answer")
    pretend(b"$100\r\nhalf", "does not answer")


def a_server_cannot_draw_on_the_terminal():
    info = b"redis_version:7\x1b[2J\x07\r\nconnected_clients:5\r\nevicted_clients:x\r\n:\r\n\r\n"
    clients = b"id=7 addr=\x1b]0;evil\x07 name=\x9b31m omem=5 sub=1\nid=x\n\n=\n" + b"y" * 1000
    lines = pretend(b"$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(info), info, len(clients), clients),
                    None)
    assert lines[0].startswith("redis 7?[2J? at 127.0.0.1:")
    assert any("?]0;evil?" in line and "?31m" in line for line in lines), lines


def it_says_the_password():
    with relay(PROGRAM, "--requirepass", "se cret") as server:
        with watch(server) as top:
            top.ends(1, "NOAUTH Authentication required.")
        with watch(server, "--requirepass", "wrong") as top:
            top.ends(1, "WRONGPASS")
        with watch(server, "--requirepass", "se cret") as top:
            top.wait("a screen", len)
            top.press(b"q")
            top.ends(0)


def a_real_redis_can_be_watched():
    if redis_server() is None:
        print("       (there is no redis-server)")
        return
    with redis() as server, watch(server) as top, server.client() as c:
        c.call("SUBSCRIBE", "x")
        lines = top.wait("a subscriber", lambda l: "subscribers 1   channels 1 " in l[1])
        assert lines[0].startswith("redis 7")
        assert number(lines, "messages in", 1) == "-"
        assert int(number(lines, "bytes in", 1)) > 0
        top.press(b"q")
        top.ends(0)


def an_upstream_is_shown():
    if redis_server() is None:
        print("       (there is no redis-server)")
        return
    with redis() as upstream, relay(PROGRAM, "--upstream", "redis://127.0.0.1:%d"
                                    % upstream.port) as server, \
            watch(server) as top, server.client() as a, server.client() as b:
        top.wait("a link", lambda l: any("port %d is connected; 0 in flight" % upstream.port
                                         in line for line in l))
        a.call("SUBSCRIBE", "x")
        assert b.call("PUBLISH", "x", "y") == 1
        lines = top.wait("a message", lambda l: number(l, "from upstream", 1) == "1")
        assert number(lines, "to upstream", 1) == "1"
        assert number(lines, "upstream errors", 1) == number(lines, "links lost", 1) == "0"
        assert any(line.startswith("channels there 1   patterns 0") for line in lines)
        a.close()
        b.close()
        top.press(b"q")
        top.ends(0)


def without_a_terminal_it_says_so():
    with relay(PROGRAM) as server:
        done = subprocess.run([PROGRAM, "--top", "127.0.0.1:%d" % server.port], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        assert done.returncode == 1 and done.stdout == "" and "terminal" in done.stderr
    for wrong in ("", ":", "x", "host:", ":6379", "x" * 300 + ":1"):
        with Screen(wrong) as top:
            top.ends(1, "takes HOST:PORT")
    with Screen("[::1]:%d" % free_port()) as top:
        top.ends(1, "cannot connect to [::1]:")


def keys_are_not_needed():
    with relay(PROGRAM) as server:
        outer, inner = pty.openpty()
        process = subprocess.Popen([PROGRAM, "--top", "127.0.0.1:%d" % server.port],
                                   stdin=subprocess.DEVNULL, stdout=inner)
        time.sleep(1.5)
        assert process.poll() is None
        process.terminate()
        assert process.wait(20) == 0
        os.close(inner)
        os.close(outer)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    os.environ["TERM"] = "xterm"
    run_tests([
        what_goes_on_is_shown,
        it_looks_once_a_second,
        the_slowest_are_first,
        any_window_is_large_enough,
        it_follows_the_window,
        every_end_restores_the_terminal,
        it_sleeps_and_wakes,
        a_server_that_goes_away_is_told,
        servers_that_are_none_are_told,
        a_server_cannot_draw_on_the_terminal,
        it_says_the_password,
        a_real_redis_can_be_watched,
        an_upstream_is_shown,
        without_a_terminal_it_says_so,
        keys_are_not_needed,
    ])
