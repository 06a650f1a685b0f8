#!/usr/bin/env python3
"""Run ibuf-relay end to end: fan-out, order, limits, clients that misbehave, its end.

Usage: test_relay.py IBUF_RELAY [WORD...]
"""

import contextlib
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from server import Client, Closed, free_port, relay, request, run_tests, wait_for

PROGRAM = None
MIB = 1 << 20


def subscribe(server, *channels, word="SUBSCRIBE", resp=2, **options):
    c = server.client(**options)
    if resp == 3:
        c.call("HELLO", "3")
    c.send(request(word, *channels))
    for _ in channels:
        c.value()
    return c


def run(*options):
    return subprocess.run([PROGRAM, *options], capture_output=True, text=True, timeout=60)


# The command line.

def help_and_version_are_told():
    done = run("--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: ibuf-relay")
    for option in ("bind", "port", "unix", "threads", "requirepass", "max-memory", "max-bulk",
                   "client-output-limit", "slow", "upstream", "metrics", "top", "help",
                   "version"):
        assert "--" + option in done.stdout, option
    done = run("--version")
    assert done.returncode == 0 and done.stdout.startswith("ibuf-relay 0.")


def wrong_options_are_one_line_and_status_2():
    for options in (["--nosuch"], ["-x"], ["x"], ["--port"], ["--port", "65536"],
                    ["--port", "-1"], ["--port", "1x"], ["--threads", "0"],
                    ["--threads", "65"], ["--slow", "x"], ["--slow", "blocks"],
                    ["--max-bulk", "0"], ["--max-bulk", "1T"], ["--max-memory", "1"],
                    ["--max-memory", "99999999999999999999"], ["--unix", ""],
                    ["--unix", "x" * 108], ["--port", "0"], ["--client-output-limit", "x"],
                    ["--threads", "64", "--max-memory", "1M"], ["--metrics", "0"],
                    ["--metrics", "x"], ["--help=x"]):
        done = run(*options)
        assert done.returncode == 2, options
        assert done.stderr.count("\n") == 1 and done.stderr.startswith("ibuf-relay: "), options


def a_port_that_is_taken_is_status_1():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = run("--port", str(s.getsockname()[1]))
    assert done.returncode == 1 and "cannot listen" in done.stderr


def a_unix_socket_is_as_good_and_goes_at_the_end():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sock")
        # What a run that was killed has left is taken away.
        old = socket.socket(socket.AF_UNIX)
        old.bind(path)
        old.close()
        with relay(PROGRAM, "--unix", path) as server:
            wait_for("the relay", lambda: "ready" in server.log())
            with Client(path) as a, Client(path) as b:
                a.send(request("SUBSCRIBE", "c"))
                a.value()
                assert b.call("PUBLISH", "c", "x") == 1
                assert a.value() == [b"message", b"c", b"x"]
        assert not os.path.exists(path)
        with open(path, "w"):
            pass
        assert run("--port", "0", "--unix", path).returncode == 1
        assert os.path.exists(path)


# Fan-out.

def nothing_is_copied_whatever_the_number_of_subscribers():
    with relay(PROGRAM, "--threads", "2") as server:
        listeners = [subscribe(server, "c", resp=2 + i % 2) for i in range(40)]
        listeners += [subscribe(server, "c*", word="PSUBSCRIBE", resp=2 + i % 2)
                      for i in range(10)]
        with server.client() as speaker:
            payloads = [b"x", b"", b"y" * 1000, b"z" * 70000, b"w" * (3 * MIB)]
            for p in payloads:
                assert speaker.call("PUBLISH", "c", p) == 50
                for c in listeners:
                    assert c.value()[-2:] == [b"c", p]
            info = server.info()
        # Not even unfinished frames are: they stay where they were read.
        assert info["pool_rooms_copied_bytes"] == "0", info
        assert info["pool_replies_copied_bytes"] == "0", info
        assert int(info["messages_delivered"]) == 50 * len(payloads)


def a_payload_is_in_memory_once():
    with relay(PROGRAM, "--threads", "2", "--max-memory", "16M") as server:
        # 100 subscribers that do not read yet, 100 times 2 MiB under way.
        listeners = [subscribe(server, "c", receive_buffer=4096) for _ in range(100)]
        with server.client() as speaker:
            payload = random.randbytes(2 * MIB)
            assert speaker.call("PUBLISH", "c", payload) == 100
            assert server.number("pool_rooms_allocated") * 65536 < 4 * MIB
            assert server.number("used_memory") < 8 * MIB
            for c in listeners:
                assert c.value()[2] == payload
            wait_for("an empty pool", lambda: server.number("pool_rooms_allocated") <= 4)


def order_of_publisher_and_channel_is_kept_for_all():
    messages, speakers = 2000, 4
    with relay(PROGRAM, "--threads", "4") as server:
        listeners = [subscribe(server, "a", "b", resp=2 + i % 2) for i in range(8)]

        def speak(me):
            with server.client() as c:
                for start in range(0, messages, 50):
                    c.send(b"".join(request("PUBLISH", "ab"[n % 2], "%d %d" % (me, n))
                                    for n in range(start, start + 50)))
                    for _ in range(50):
                        assert c.value() == 8

        threads = [threading.Thread(target=speak, args=(i,)) for i in range(speakers)]
        for t in threads:
            t.start()
        for c in listeners:
            after = {}
            for _ in range(messages * speakers):
                _, channel, text = c.value()
                me, n = map(int, text.split())
                assert n == after.get((me, channel), n % 2), (me, n)
                after[me, channel] = n + 2
        for t in threads:
            t.join()
        assert server.number("messages_dropped") == 0


def a_message_is_heard_before_a_later_one_of_another_connection():
    with relay(PROGRAM, "--threads", "2") as server:
        with subscribe(server, "c") as listener, server.client() as a, server.client() as b:
            for n in range(500):
                for c in (a, b):
                    assert c.call("PUBLISH", "c", n) == 1
            for n in range(500):
                assert listener.value()[2] == listener.value()[2] == b"%d" % n


def pipelines_and_pieces_are_one_stream():
    data = b"".join(request("ECHO", "x" * (n * 37 % 3000)) for n in range(300))
    with relay(PROGRAM) as server, server.client() as c:
        c.send(data)
        for n in range(300):
            assert c.value() == b"x" * (n * 37 % 3000)
        chance = random.Random(1)
        at = 0
        while at < len(data):
            n = chance.choice((1, 2, 3, 100, 10000))
            c.send(data[at:at + n])
            at += n
        for n in range(300):
            assert c.value() == b"x" * (n * 37 % 3000)


def counts_are_of_all_workers():
    with relay(PROGRAM, "--threads", "3") as server:
        listeners = [subscribe(server, "a", "b") for _ in range(6)]
        listeners += [subscribe(server, "p*", "a", word="PSUBSCRIBE") for _ in range(4)]
        listeners += [subscribe(server, "a", word="SSUBSCRIBE") for _ in range(5)]
        with server.client() as c:
            assert sorted(c.call("PUBSUB", "CHANNELS")) == [b"a", b"b"]
            assert c.call("PUBSUB", "CHANNELS", "[b-z]") == [b"b"]
            assert c.call("PUBSUB", "NUMSUB", "a", "x") == [b"a", 6, b"x", 0]
            assert c.call("PUBSUB", "NUMPAT") == 2
            assert c.call("PUBSUB", "SHARDCHANNELS") == [b"a"]
            assert c.call("PUBSUB", "SHARDNUMSUB", "a", "b") == [b"a", 5, b"b", 0]
            assert c.call("PUBLISH", "a", "x") == 10
            assert c.call("SPUBLISH", "a", "x") == 5
            for l in listeners:
                l.close()
            wait_for("nobody", lambda: c.call("PUBSUB", "CHANNELS") == []
                     and c.call("PUBSUB", "NUMPAT") == 0
                     and c.call("PUBSUB", "SHARDCHANNELS") == [])


def clients_are_listed_and_killed_across_workers():
    with relay(PROGRAM, "--threads", "3") as server, server.client() as me:
        others = [server.client() for _ in range(9)]
        ids = [c.call("CLIENT", "ID") for c in others]
        for i, c in enumerate(others):
            c.call("CLIENT", "SETNAME", "n%d" % i)
        lines = me.call("CLIENT", "LIST").decode().splitlines()
        rows = [dict(f.split("=", 1) for f in line.split()) for line in lines]
        by_id = {int(r["id"]): r for r in rows}
        assert len(rows) == len(by_id) == 10 and sorted(by_id) == list(by_id)
        assert [by_id[i]["name"] for i in ids] == ["n%d" % i for i in range(9)]
        assert {r["worker"] for r in rows} == {"0", "1", "2"}
        assert me.call("CLIENT", "KILL", "ID", ids[4]) == 1
        assert others[4].rest() == b""
        assert me.call("CLIENT", "KILL", by_id[ids[8]]["addr"]) == b"OK"
        assert others[8].rest() == b""
        assert me.call("CLIENT", "KILL", "TYPE", "normal") == 7
        assert me.call("PING") == b"PONG"
        assert me.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no") == 1
        assert me.rest() == b""


# Bounds.

def a_slow_subscriber_is_disconnected_and_counted():
    with relay(PROGRAM, "--threads", "2", "--client-output-limit", "1M") as server:
        with subscribe(server, "c", receive_buffer=4096), subscribe(server, "c") as good, \
                server.client() as speaker:
            payload = b"x" * 100000
            for _ in range(200):
                assert speaker.call("PUBLISH", "c", payload) in (1, 2)
                assert good.value()[2] == payload
            assert speaker.call("PUBLISH", "c", payload) == 1
            info = server.info()
            assert info["client_output_limit_disconnections"] == "1"
            assert info["messages_dropped"] == "0"
            assert good.value()[2] == payload
        assert "is too slow" in server.log()


def with_drop_it_loses_whole_messages_and_they_are_counted():
    with relay(PROGRAM, "--threads", "2", "--client-output-limit", "1M",
               "--slow", "drop") as server:
        with subscribe(server, "c", receive_buffer=4096) as slow, server.client() as speaker:
            for n in range(300):
                assert speaker.call("PUBLISH", "c", b"%05d" % n * 10000) == 1
            dropped = server.number("messages_dropped")
            assert 0 < dropped < 300
            got = [slow.value()[2] for _ in range(300 - dropped)]
            numbers = [int(m[:5]) for m in got]
            assert got == [b"%05d" % n * 10000 for n in numbers]
            assert numbers == sorted(numbers)
            # It has room again, and the protocol is as it should be.
            assert speaker.call("PUBLISH", "c", "again") == 1
            assert slow.value() == [b"message", b"c", b"again"]
            assert server.number("client_output_limit_disconnections") == 0


def small_messages_are_limited_with_what_it_takes_to_hold_them():
    with relay(PROGRAM, "--threads", "1", "--client-output-limit", "1M",
               "--slow", "drop") as server:
        with subscribe(server, "c", receive_buffer=4096) as slow, server.client() as speaker:
            slow.send(request("SUBSCRIBE", "d"))
            slow.value()
            # Two channels in turns, or they would be put together.
            for _ in range(1200):
                speaker.send((request("PUBLISH", "c", "x") + request("PUBLISH", "d", "x")) * 125)
                for _ in range(250):
                    assert speaker.value() == 1
            info = server.info()
            windows = int(info["pool_rooms_handles"]) + int(info["pool_replies_handles"])
            assert 1000 < windows <= MIB / 64 + 100, windows
            assert int(info["messages_dropped"]) > 0


def a_message_larger_than_the_limit_reaches_nobody():
    with relay(PROGRAM, "--client-output-limit", "64K", "--slow", "drop") as server:
        with subscribe(server, "c") as c, server.client() as speaker:
            speaker.call("PUBLISH", "c", b"x" * 70000)
            speaker.call("PUBLISH", "c", "y")
            assert c.value()[2] == b"y"


def who_does_not_read_answers_is_not_read_from():
    with relay(PROGRAM, "--client-output-limit", "1M") as server:
        with server.client(receive_buffer=4096, timeout=2) as c:
            data = request("ECHO", b"x" * 10000)
            sent = 0
            try:
                while sent < 200 * MIB:
                    c.send(data)
                    sent += len(data)
            except TimeoutError:
                pass
            assert sent < 100 * MIB, "it buffers all it is asked for"
        with server.client() as c:
            assert c.call("PING") == b"PONG"


def all_that_was_asked_is_answered_after_a_pause():
    with relay(PROGRAM, "--client-output-limit", "256K") as server, server.client() as c:
        n = 3000
        sender = threading.Thread(
            target=lambda: [c.send(request("ECHO", b"%05d" % i * 200)) for i in range(n)])
        sender.start()
        time.sleep(0.5)
        for i in range(n):
            assert c.value() == b"%05d" % i * 200
        sender.join()


def an_argument_past_max_bulk_is_an_error():
    with relay(PROGRAM, "--max-bulk", "1M") as server:
        with server.client() as c:
            assert c.call("ECHO", b"x" * MIB) == b"x" * MIB
            c.send(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (MIB + 1))
            assert c.rest() == b"-ERR Protocol error: invalid bulk length\r\n"
        assert server.number("protocol_errors") == 1


def a_pool_at_its_max_makes_publishers_wait_and_loses_nothing():
    with relay(PROGRAM, "--threads", "2", "--max-memory", "2M") as server:
        with subscribe(server, "c", receive_buffer=4096) as c, server.client() as speaker:
            n, payload = 100, b"x" * 100000
            sender = threading.Thread(
                target=lambda: [speaker.send(request("PUBLISH", "c", b"%03d" % i + payload))
                                for i in range(n)])
            sender.start()
            for i in range(n):
                assert c.value()[2] == b"%03d" % i + payload
                time.sleep(0.002)
            sender.join()
            for _ in range(n):
                assert speaker.value() == 1
            assert server.number("evicted_clients") == 0


def who_holds_a_full_pool_for_ever_is_closed():
    with relay(PROGRAM, "--threads", "2", "--max-memory", "2M") as server:
        hogs = []
        for _ in range(6):
            hog = server.client(timeout=5)
            try:
                hog.send(b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$900000\r\n" + b"x" * 700000)
            except OSError:
                pass
            hogs.append(hog)
        with server.client() as c:
            for _ in range(20):
                assert c.call("ECHO", b"y" * 5000) == b"y" * 5000
        assert server.number("evicted_clients") > 0
        assert "out of memory: client" in server.log()
        # The memory of those that go is there for others.
        for hog in hogs:
            hog.close()
        with subscribe(server, "c") as c, server.client() as speaker:
            assert speaker.call("PUBLISH", "c", b"z" * 900000) == 1
            assert c.value()[2] == b"z" * 900000


def halves_of_requests_hold_up_others_for_some_seconds_only():
    with relay(PROGRAM, "--threads", "2", "--max-memory", "1M") as server:
        with server.client(timeout=60) as idle:
            hogs = [server.client() for _ in range(60)]
            for hog in hogs:
                # Some are closed while they are at it.
                with contextlib.suppress(OSError):
                    hog.send(b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$100000\r\n" + b"x" * 50000)
            begin = time.monotonic()
            assert idle.call("PING") == b"PONG"
            assert time.monotonic() - begin < 10
            wait_for("all that must go", lambda: int(server.info()["evicted_clients"]) > 30)
            for hog in hogs:
                hog.close()


def out_of_descriptors_accepting_pauses():
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    port = free_port()
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen([PROGRAM, "--port", str(port), "--threads", "1"],
                                   stderr=log, preexec_fn=limit)
        try:
            address = ("127.0.0.1", port)
            wait_for("a server", lambda: socket.socket().connect_ex(address) == 0)
            clients = [Client(address, timeout=20) for _ in range(60)]
            for c in clients[:20]:
                assert c.call("PING") == b"PONG"
            clients[59].send(request("PING"))
            assert clients[59].is_quiet()
            for c in clients[:50]:
                c.close()
            assert clients[59].value() == b"PONG"
        finally:
            process.terminate()
            assert process.wait(60) == 0
        with open(log.name) as text:
            assert text.read().count("no client can be accepted") >= 1


def ten_thousand_idle_clients_cost_little():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = min(10000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with relay(PROGRAM, "--threads", "2") as server:
        clients = []
        for i in range(number):
            s = socket.socket()
            s.connect(("127.0.0.1", server.port))
            s.sendall(request("SUBSCRIBE", "idle") if i % 2 else request("PING"))
            clients.append(s)
        info = server.info()
        wait_for("all clients", lambda: server.number("connected_clients") >= number)
        with server.client() as c:
            wait_for("subscribers", lambda: c.call("PUBSUB", "NUMSUB", "idle")[1] == number // 2)
            assert c.call("PUBLISH", "idle", "hi") == number // 2
        for s in clients[1:200:2]:
            s.settimeout(20)
            data = b""
            while not data.endswith(b"hi\r\n"):
                data += s.recv(1000)
        info = server.info()
        assert int(info["pool_rooms_allocated"]) <= 4, info
        assert int(info["used_memory"]) < 10000 * 1024 + MIB, info["used_memory"]
        for s in clients:
            s.close()
        wait_for("the end of all", lambda: server.number("connected_clients") <= 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Clients that go.

def who_is_killed_in_mid_message_harms_nobody():
    with relay(PROGRAM, "--threads", "2") as server:
        script = ("import socket,sys,time\n"
                  "s=socket.create_connection(('127.0.0.1',%d))\n"
                  "s.sendall(%s)\nprint('sent',flush=True)\ntime.sleep(100)\n")
        half = repr(b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1000000\r\n")
        with subscribe(server, "c") as good, server.client() as speaker:
            for data in (half + " + b'x' * 300000", repr(request("SUBSCRIBE", "c")),
                         half + "[:9]"):
                processes = [subprocess.Popen([sys.executable, "-c",
                                               script % (server.port, data)],
                                              stdout=subprocess.PIPE) for _ in range(3)]
                for p in processes:
                    p.stdout.readline()
                for n in range(20):
                    assert speaker.call("PUBLISH", "c", b"y" * 200000) >= 1
                    if n == 10:
                        for p in processes:
                            p.kill()
                    assert good.value()[2] == b"y" * 200000
                for p in processes:
                    p.wait()
                    p.stdout.close()
            wait_for("their end", lambda: server.number("connected_clients") == 3)
            assert good.is_quiet()


def a_reset_or_half_closed_connection_is_let_go():
    with relay(PROGRAM) as server:
        for linger in (False, True):
            c = subscribe(server, "c")
            if linger:
                c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    struct.pack("ii", 1, 0))
                c.close()
            else:
                c.send(request("PING"))
                c.socket.shutdown(socket.SHUT_WR)
                assert c.value() == [b"pong", b""]
                assert c.rest() == b""
            wait_for("its end", lambda: server.number("connected_clients") == 1)


def http_is_not_obeyed():
    with relay(PROGRAM) as server, server.client() as c:
        c.send(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n")
        assert c.rest() == b""


# Its end.

def sigterm_sends_what_waits_first():
    with relay(PROGRAM, "--threads", "3", "--client-output-limit", "256M") as server:
        listeners = [subscribe(server, "c", receive_buffer=4096) for _ in range(6)]
        with server.client() as speaker:
            payload = b"x" * MIB
            for _ in range(10):
                assert speaker.call("PUBLISH", "c", payload) == 6
            server.process.send_signal(signal.SIGTERM)
            results = []

            def listen(c):
                for _ in range(10):
                    assert c.value()[2] == payload
                results.append(c.rest())

            threads = [threading.Thread(target=listen, args=(c,)) for c in listeners]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            assert results == [b""] * 6
            assert server.process.wait(60) == 0


def who_never_reads_does_not_keep_it_from_ending():
    with relay(PROGRAM, "--threads", "2") as server:
        with subscribe(server, "c", receive_buffer=4096), server.client() as speaker:
            for _ in range(20):
                speaker.call("PUBLISH", "c", b"x" * MIB)
            begin = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begin < 30


# All at once.

def everything_at_once_under_load():
    """For the sanitizers: clients that come, go, shout and are shouted at."""
    seconds = float(os.environ.get("RELAY_LOAD_SECONDS", "5"))
    end = time.monotonic() + seconds
    failures = []
    with relay(PROGRAM, "--threads", "4", "--max-memory", "64M", "--client-output-limit", "1M",
               "--slow", "drop") as server:

        def act(seed):
            chance = random.Random(seed)
            while time.monotonic() < end:
                try:
                    with server.client() as c:
                        for _ in range(chance.randrange(1, 40)):
                            step(c, chance)
                except (Closed, OSError):
                    pass  # somebody has killed it
                except Exception as e:
                    failures.append(repr(e))
                    return

        def step(c, chance):
            channel = chance.choice("abc")
            word = chance.choice((
                ["PUBLISH", channel, b"x" * chance.choice((0, 1, 100, 5000, 100000))],
                ["PUBLISH", channel, b"y" * 64], ["SPUBLISH", channel, b"z"],
                ["SUBSCRIBE", channel], ["PSUBSCRIBE", channel + "*"], ["SSUBSCRIBE", channel],
                ["UNSUBSCRIBE"], ["PUNSUBSCRIBE"], ["RESET"], ["HELLO", chance.choice("23")],
                ["CLIENT", "LIST"], ["CLIENT", "SETNAME", channel], ["INFO"],
                ["PUBSUB", "CHANNELS"], ["CLIENT", "KILL", "TYPE", "pubsub"] if chance.random() < 0.1 else
                ["CLIENT", "KILL", "ID", chance.randrange(1, 400)]))
            c.send(request(*word))
            c.raw()
            if chance.random() < 0.05:
                c.send(request("PUBLISH", "a", "half a message")[:-5])

        threads = [threading.Thread(target=act, args=(i,)) for i in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not failures, failures
        assert server.number("messages_published") > 100
        assert server.number("total_connections_received") > 100
        wait_for("an empty relay", lambda: server.number("connected_clients") == 1)


def main():
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv[1])
    own = [value for name, value in globals().items()
           if callable(value) and getattr(value, "__module__", "") == "__main__"]
    run_tests([t for t in own if t.__code__.co_argcount == 0 and t not in (main, run)])


if __name__ == "__main__":
    main()
