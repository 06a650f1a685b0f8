#!/usr/bin/env python3
"""Run ibuf-relay with messages that are large enough for pipes: what comes, and to whom.

Usage: test_pipes.py IBUF_RELAY [WORD...]
"""

import contextlib
import os
import random
import resource
import socket
import struct
import sys
import tempfile
import threading

from server import Client, Closed, relay, request, run_tests, wait_for

PROGRAM = None

# Pipes are for messages from 32 KiB on; one takes 1 MiB of a message, and 64 KiB if the system is
# short. What goes before a message is about 40 bytes.
SIZES = [32600, 32768, 65400, 65536, 65537, 131000, 300000, (1 << 20) - 60, 1 << 20,
         (1 << 20) + 5000, 3 << 20]


@contextlib.contextmanager
def listening(*options):
    """The relay, and how to connect to it by TCP and by its Unix socket."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        with relay(PROGRAM, "--unix", path, *options) as server:
            wait_for("the relay", lambda: "ready" in server.log())
            places = {"tcp": ("127.0.0.1", server.port), "unix": path}
            yield server, lambda place, **more: Client(places[place], **more)


def subscribe(client, number=0):
    """Every other one speaks RESP3."""
    if number % 2:
        client.call("HELLO", "3")
    assert client.call("SUBSCRIBE", "c")[2] == 1
    return client


def publish(server, payloads, receivers):
    """They all go out, whoever reads meanwhile."""
    with server.client() as speaker:
        sender = threading.Thread(target=speaker.send, args=(
            b"".join(request("PUBLISH", "c", p) for p in payloads),))
        sender.start()
        for _ in payloads:
            assert speaker.value() in receivers
        sender.join()


def hear(client, payloads):
    for payload in payloads:
        heard = client.value()
        assert heard[:2] == [b"message", b"c"], heard[:2]
        assert heard[2] == payload, (len(heard[2]), len(payload))


def descriptors(server):
    folder = "/proc/%d/fd" % server.pid
    found = []
    for fd in os.listdir(folder):
        # The server goes on meanwhile, and may close what was listed.
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(os.path.join(folder, fd)))
    return found


def pipes(server):
    return sum(name.startswith("pipe:") for name in descriptors(server))


def every_byte_comes_whatever_the_size():
    chance = random.Random(1)
    payloads = [chance.randbytes(size) for size in SIZES]
    for place in ("tcp", "unix"):
        with listening("--threads", "1") as (server, connect):
            listeners = [subscribe(connect(place), i) for i in range(20)]
            publish(server, payloads, {20})
            assert pipes(server) > 0
            for c in listeners:
                hear(c, payloads)
                assert c.is_quiet(0)
            assert server.number("messages_delivered") == 20 * len(payloads)


def small_and_large_ones_keep_their_order_for_slow_readers():
    chance = random.Random(2)
    payloads = [chance.randbytes(chance.choice((1, 100, 5000, 40000, 70000, 200000)))
                for _ in range(120)]
    with listening("--threads", "2") as (server, connect):
        listeners = [subscribe(connect(("tcp", "unix")[i // 2 % 2]), i) for i in range(24)]
        # These take a few KiB at a time, so a message reaches them in many pieces.
        listeners += [subscribe(connect("tcp", receive_buffer=4096), i) for i in range(4)]
        publish(server, payloads, {28})
        for c in listeners:
            hear(c, payloads)
            assert c.is_quiet(0)


def answers_and_messages_keep_their_order():
    payloads = [b"%d" % i * 50000 for i in range(8)]
    with listening("--threads", "1") as (server, connect):
        listeners = [subscribe(connect("unix"), i) for i in range(9)]
        with connect("unix") as both:
            subscribe(both, 1)
            sender = threading.Thread(target=both.send, args=(b"".join(
                request("PUBLISH", "c", p) + request("ECHO", p[:1]) for p in payloads),))
            sender.start()
            for p in payloads:
                hear(both, [p])
                assert [both.value(), both.value()] == [10, p[:1]]
            sender.join()
        for c in listeners:
            hear(c, payloads)


def who_goes_amid_a_message_takes_nothing_from_others():
    payloads = [bytes([65 + i]) * 700000 for i in range(4)]
    for place in ("tcp", "unix"):
        with listening("--threads", "1") as (server, connect):
            for _ in range(3):
                stay = [subscribe(connect(place), i) for i in range(10)]
                go = [subscribe(connect(place)) for _ in range(10)]
                for i, c in enumerate(go):
                    if i % 2:  # a reset, not an end
                        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                            struct.pack("ii", 1, 0))
                publish(server, payloads[:2], {20})
                for c in go:
                    c.take(1000)
                    c.close()
                publish(server, payloads[2:], set(range(10, 21)))
                for c in stay:
                    hear(c, payloads)
                    c.close()
                wait_for("the end of all", lambda: server.number("connected_clients") == 1)


def those_who_read_nothing_do_not_take_all_pipes():
    payloads = [bytes([65 + i]) * 100000 for i in range(40)]
    with listening("--threads", "1") as (server, connect):
        asleep = [subscribe(connect("unix")) for _ in range(4)]
        awake = [subscribe(connect("unix")) for _ in range(12)]
        for payload in payloads:
            publish(server, [payload], {16})
            for c in awake:
                hear(c, [payload])
        for c in asleep:
            hear(c, payloads)


def what_is_dropped_is_counted_and_what_comes_is_whole():
    with listening("--threads", "1", "--client-output-limit", "1M",
                   "--slow", "drop") as (server, connect):
        slow = [subscribe(connect("unix")) for _ in range(6)]
        slow += [subscribe(connect("tcp", receive_buffer=4096)) for _ in range(6)]
        good = subscribe(connect("unix"))
        for i in range(60):
            publish(server, [b"%02d" % i * 60000], {13})
            hear(good, [b"%02d" % i * 60000])
        info = server.info()
        dropped, delivered = (int(info["messages_" + w]) for w in ("dropped", "delivered"))
        assert dropped > 0 and dropped + delivered == 13 * 60, info
        heard = 60
        for c in slow:
            numbers = []
            while not c.is_quiet():
                text = c.value()[2]
                assert text == text[:2] * 60000
                numbers.append(int(text[:2]))
            assert numbers == sorted(set(numbers))
            heard += len(numbers)
        assert heard == delivered, (heard, delivered)


def who_is_too_slow_is_disconnected():
    with listening("--threads", "1", "--client-output-limit", "1M") as (server, connect):
        slow = [subscribe(connect("unix")) for _ in range(10)]
        good = subscribe(connect("unix"))
        for i in range(30):
            publish(server, [b"%02d" % i * 60000], {11, 1})
            hear(good, [b"%02d" % i * 60000])
        assert server.number("client_output_limit_disconnections") == 10
        for c in slow:
            # What came before the end is right.
            number = 0
            with contextlib.suppress(Closed):
                while True:
                    hear(c, [b"%02d" % number * 60000])
                    number += 1
            assert 0 < number < 30


def without_descriptors_it_goes_on():
    payloads = [bytes([65 + i]) * 200000 for i in range(6)]
    for spare in (0, 1, 2, 4, 5, 8):
        with listening("--threads", "1") as (server, connect):
            listeners = [subscribe(connect("unix"), i) for i in range(10)]
            with server.client() as speaker:
                speaker.call("PING")
                n = 1 + max(int(fd) for fd in os.listdir("/proc/%d/fd" % server.pid))
                _, most = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (n + spare, most))
                for p in payloads:
                    assert speaker.call("PUBLISH", "c", p) == 10
                assert pipes(server) <= spare
                for c in listeners:
                    hear(c, payloads)
                resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (most, most))


def main():
    global PROGRAM
    PROGRAM = sys.argv[1]
    run_tests([
        every_byte_comes_whatever_the_size,
        small_and_large_ones_keep_their_order_for_slow_readers,
        answers_and_messages_keep_their_order,
        who_goes_amid_a_message_takes_nothing_from_others,
        those_who_read_nothing_do_not_take_all_pipes,
        what_is_dropped_is_counted_and_what_comes_is_whole,
        who_is_too_slow_is_disconnected,
        without_descriptors_it_goes_on,
    ])


main()
