#!/usr/bin/env python3
"""Let publishers of ibuf-relay --slow=block wait for slow subscribers.

Usage: test_block.py IBUF_RELAY [WORD...]
"""

import contextlib
import os
import signal
import socket
import struct
import sys
import threading
import time

from server import Closed, relay, request, run_tests, wait_for

PROGRAM = None
KIB = 1024
LIMIT = 256 * KIB

# Of a subscriber's socket. With less than a packet of loopback the kernel would have to ask,
# more and more seldom, whether there is room.
SMALL = 128 * KIB


@contextlib.contextmanager
def blocking(*options, threads=3):
    with relay(PROGRAM, "--slow", "block", "--client-output-limit", str(LIMIT), "--threads",
               str(threads), *options) as server:
        yield server


def on_worker(server, worker, **options):
    """A client that this worker serves; clients are given to workers in turn."""
    others = []
    while True:
        c = server.client(**options)
        if b" worker=%d " % worker in c.call("CLIENT", "INFO"):
            for other in others:
                other.close()
            return c
        others.append(c)


def subscribed(c, *channels, word="SUBSCRIBE"):
    for channel in channels:
        c.call(word, channel)
    return c


class Speaker(threading.Thread):
    """Publishes numbered messages without reading the answers first; then reads them."""

    def __init__(self, client, channel, count, size=10 * KIB, word="PUBLISH"):
        super().__init__(daemon=True)
        self.client, self.channel, self.count, self.size = client, channel, count, size
        self.word, self.sent, self.answers = word, 0, []
        self.start()

    def run(self):
        reader = threading.Thread(target=self.read, daemon=True)
        reader.start()
        with contextlib.suppress(OSError):
            for n in range(self.count):
                self.client.send(request(self.word, self.channel, payload(n, self.size)))
                self.sent = n + 1
        reader.join()

    def read(self):
        with contextlib.suppress(OSError, Closed):
            while len(self.answers) < self.count:
                self.answers.append(self.client.value())


def payload(n, size=10 * KIB):
    return b"%08d" % n + b"x" * (size - 8)


def hear(c, count, size=10 * KIB, begin=0):
    for n in range(begin, begin + count):
        value = c.value()
        assert value[-1] == payload(n, size), (n, value[-1][:8])


def wait_blocked(server, number=1):
    """So many wait, and nothing moves: the kernel's buffers are full as well."""
    seen = []

    def is_still():
        info = server.info()
        seen.append((int(info["blocked_clients"]), info["messages_published"]))
        time.sleep(0.05)
        return len(seen) > 6 and set(seen[-6:]) == {(number, seen[-1][1])}

    wait_for("%d blocked" % number, is_still)


def most_that_waits(server):
    with server.client() as c:
        return max(int(line.split(b" omem=")[1].split()[0])
                   for line in c.call("CLIENT", "LIST").splitlines())


def nothing_was_lost(server):
    info = server.info()
    assert info["messages_dropped"] == info["client_output_limit_disconnections"] \
        == info["evicted_clients"] == info["blocked_clients"] == "0", info
    assert int(info["publisher_waits"]) > 0


def publishers_wait_and_nothing_is_lost():
    """Whether publisher and subscriber are of one worker or of two, in each kind."""
    for worker in (0, 1):
        for subscribe, publish, channel in (("SUBSCRIBE", "PUBLISH", "c"),
                                            ("PSUBSCRIBE", "PUBLISH", "c*"),
                                            ("SSUBSCRIBE", "SPUBLISH", "c")):
            with blocking() as server:
                slow = subscribed(on_worker(server, 0, receive_buffer=SMALL), channel,
                                  word=subscribe)
                c = on_worker(server, worker)
                speaker = Speaker(c, "c", 4000, word=publish)
                wait_blocked(server)
                # At most another limit lies in the queue between two workers.
                assert most_that_waits(server) < 2 * LIMIT + 3 * 20 * KIB
                assert len(speaker.answers) < 4000
                hear(slow, 4000)
                speaker.join(60)
                assert speaker.answers == [1] * 4000
                nothing_was_lost(server)


def many_small_messages_are_bounded_too():
    with blocking(threads=2) as server:
        slow = subscribed(on_worker(server, 0, receive_buffer=SMALL), "c")
        speaker = Speaker(on_worker(server, 1), "c", 300000, size=8)
        wait_blocked(server)
        assert most_that_waits(server) < 4 * LIMIT
        hear(slow, 300000, size=8)
        speaker.join(60)
        assert speaker.answers == [1] * 300000
        nothing_was_lost(server)


def others_go_on():
    with blocking(threads=2) as server:
        slow = subscribed(server.client(receive_buffer=SMALL), "slow")
        stuck = [Speaker(server.client(), "slow", 3000) for _ in range(4)]
        wait_blocked(server, 4)
        good = [subscribed(on_worker(server, i), "good") for i in (0, 1)]
        for i in (0, 1):
            with on_worker(server, i) as c:
                for n in range(200):
                    assert c.call("PUBLISH", "good", payload(n)) == 2
                    assert c.call("PUBLISH", "nobody", "x") == 0
                assert c.call("PING") == b"PONG"
            for g in good:
                hear(g, 200)
        assert server.number("blocked_clients") == 4
        for s in stuck:
            s.client.close()
        slow.close()


def who_waits_is_listed_so():
    with blocking() as server, server.client() as c:
        slow = subscribed(server.client(receive_buffer=SMALL), "c")
        speaker = Speaker(server.client(), "c", 4000)
        wait_blocked(server)
        lines = c.call("CLIENT", "LIST").splitlines()
        assert [b" flags=b " in line for line in lines].count(True) == 1
        hear(slow, 4000)
        speaker.join(60)
        assert b" flags=b " not in c.call("CLIENT", "LIST")


def a_subscriber_that_goes_lets_publishers_go_on():
    for how in ("close", "kill", "reset"):
        with blocking(threads=2) as server:
            slow = subscribed(on_worker(server, 0, receive_buffer=SMALL), "c", "d")
            speakers = [Speaker(on_worker(server, i), "c", 4000) for i in (0, 1)]
            wait_blocked(server, 2)
            if how == "close":
                slow.close()
            elif how == "reset":
                slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
                slow.close()
            else:
                with server.client() as c:
                    assert c.call("CLIENT", "KILL", "TYPE", "pubsub") == 1
            for s in speakers:
                s.join(60)
                assert len(s.answers) == 4000 and s.answers[-1] == 0, (how, len(s.answers))
            wait_blocked(server, 0)


def a_blocked_publisher_may_go():
    with blocking() as server:
        slow = subscribed(server.client(receive_buffer=SMALL), "c")
        speakers = [Speaker(server.client(), "c", 4000) for _ in range(3)]
        wait_blocked(server, 3)
        # Killed, reset, closed: the first two are gone at once.
        with server.client() as c:
            ids = [line.split()[0].split(b"=")[1] for line in c.call("CLIENT", "LIST").splitlines()
                   if b" flags=b " in line]
            assert c.call("CLIENT", "KILL", "ID", ids[0]) == 1
        wait_blocked(server, 2)
        for s in speakers:
            s.client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                s.client.socket.shutdown(socket.SHUT_RDWR)
            s.client.close()
        # What was under way when they went is heard still.
        slow.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                slow.more()
        wait_for("their end", lambda: server.number("connected_clients") == 2)
        assert server.number("blocked_clients") == 0


def what_was_said_before_a_good_bye_is_delivered():
    with blocking() as server:
        slow = subscribed(server.client(receive_buffer=SMALL), "c")
        first = Speaker(server.client(), "c", 2000)
        wait_blocked(server)
        # It publishes, says that this was all, and hears the answers.
        with server.client() as c:
            c.send(b"".join(request("PUBLISH", "c", payload(n, 8)) for n in range(100)))
            c.socket.shutdown(socket.SHUT_WR)
            wait_blocked(server, 2)
            heard = [slow.value()[-1] for _ in range(2100)]
            assert [h for h in heard if len(h) == 8] == [payload(n, 8) for n in range(100)]
            assert [c.value() for _ in range(100)] == [1] * 100
            assert c.rest() == b""
        first.join(60)


def who_publishes_to_itself_gets_all_of_it():
    with blocking(threads=2) as server:
        c = server.client()
        c.call("HELLO", "3")
        c.call("SUBSCRIBE", "c")
        sender = threading.Thread(target=lambda: [c.send(request("PUBLISH", "c", payload(n)))
                                                  for n in range(3000)], daemon=True)
        sender.start()
        time.sleep(0.5)
        heard = answered = 0
        while heard < 3000 or answered < 3000:
            value = c.value()
            if value == 1:
                answered += 1
            else:
                assert value[-1] == payload(heard)
                heard += 1
        sender.join(60)
        assert server.number("blocked_clients") == 0


def a_circle_of_subscribers_who_publish_turns():
    """Each passes on what it hears, to the next of another worker, and does read."""
    number, count = 4, 400
    with blocking(threads=2) as server:
        clients = []
        for i in range(number):
            c = on_worker(server, i % 2)
            c.call("HELLO", "3")
            c.call("SUBSCRIBE", "c%d" % i)
            clients.append(c)
        passed = [0] * number

        def listen(i):
            c, heard = clients[i], 0
            while heard < count * number:
                value = c.value()
                if isinstance(value, list):
                    heard += 1
                    passed[i] = heard

        def shout(i):
            for n in range(count):
                for j in range(number):
                    clients[i].send(request("PUBLISH", "c%d" % j, payload(n, 50 * KIB)))

        threads = [threading.Thread(target=f, args=(i,), daemon=True)
                   for i in range(number) for f in (listen, shout)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
            assert not t.is_alive(), passed
        assert server.number("messages_dropped") == 0


def sigterm_ends_it_all_the_same():
    for reads in (True, False):
        with blocking() as server:
            slow = subscribed(on_worker(server, 0, receive_buffer=SMALL), "c")
            speakers = [Speaker(on_worker(server, i), "c", 4000) for i in (0, 1)]
            wait_blocked(server, 2)
            begin = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            if reads:
                # All that was answered is heard.
                heard = 0
                with contextlib.suppress(Closed, ConnectionResetError):
                    while slow.value():
                        heard += 1
                for s in speakers:
                    s.join(60)
                assert heard >= sum(len(s.answers) for s in speakers) > 0
            assert server.process.wait(60) == 0
            assert time.monotonic() - begin < 20


def nobody_waits_without_block():
    with relay(PROGRAM, "--client-output-limit", str(LIMIT), "--slow", "drop") as server:
        with subscribed(server.client(receive_buffer=SMALL), "c"), server.client() as c:
            for n in range(1000):
                assert c.call("PUBLISH", "c", payload(n)) == 1
        assert server.number("publisher_waits") == 0


def many_of_each_come_and_go():
    """For the sanitizers, and to find a publisher that nobody wakes."""
    seconds = float(os.environ.get("RELAY_LOAD_SECONDS", "5"))
    with blocking(threads=4) as server:
        end = time.monotonic() + seconds
        failures = []

        def listen(i):
            try:
                while time.monotonic() < end + 5:
                    with server.client(receive_buffer=SMALL) as c:
                        subscribed(c, "abc"[i % 3])
                        for n in range(30 + i * 7):
                            c.socket.settimeout(2)
                            c.value()
            except TimeoutError:
                pass
            except (Closed, OSError) as e:
                failures.append("listener: %r" % e)

        def speak(i):
            try:
                with server.client(timeout=60) as c:
                    while time.monotonic() < end:
                        c.send(b"".join(request("PUBLISH", "abc"[i % 3], payload(n))
                                        for n in range(20)))
                        for _ in range(20):
                            c.value()
            except Exception as e:
                failures.append("speaker: %r" % e)

        threads = [threading.Thread(target=f, args=(i,), daemon=True)
                   for i in range(6) for f in (listen, speak)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(90)
            assert not t.is_alive(), "it hangs"
        assert not failures, failures
        assert server.number("messages_dropped") == 0
        assert server.number("blocked_clients") == 0


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    run_tests([
        publishers_wait_and_nothing_is_lost,
        many_small_messages_are_bounded_too,
        others_go_on,
        who_waits_is_listed_so,
        a_subscriber_that_goes_lets_publishers_go_on,
        a_blocked_publisher_may_go,
        what_was_said_before_a_good_bye_is_delivered,
        who_publishes_to_itself_gets_all_of_it,
        a_circle_of_subscribers_who_publish_turns,
        sigterm_ends_it_all_the_same,
        nobody_waits_without_block,
        many_of_each_come_and_go,
    ])
