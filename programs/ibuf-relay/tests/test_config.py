#!/usr/bin/env python3
"""Change the options of ibuf-relay while it runs: CONFIG SET, and HELP.

Usage: test_config.py IBUF_RELAY [WORD...]
"""

import os
import sys
import threading

from server import Client, Error, relay, request, run_tests, wait_for

PROGRAM = None
KIB = 1024
LIMITS = "client-output-buffer-limit"


def get(c, name):
    said, value = c.call("CONFIG", "GET", name)
    assert said.decode() == name
    return value.decode()


def refused(c, *words):
    c.send(request("CONFIG", "SET", *words))
    value = c.value()
    assert isinstance(value, Error), value
    return str(value)


def subscriber(server):
    c = server.client(receive_buffer=128 * 1024)
    c.call("SUBSCRIBE", "c")
    return c


def publish(c, number, size=10 * KIB):
    for _ in range(number):
        c.call("PUBLISH", "c", b"x" * size)


def the_output_limit_changes():
    with relay(PROGRAM, "--threads", "2") as server, server.client() as c, \
            subscriber(server) as slow:
        publish(c, 1000)
        assert server.number("client_output_limit_disconnections") == 0
        c.call("CONFIG", "SET", LIMITS, "pubsub 64kb 0 0")
        assert get(c, LIMITS) == "normal 0 0 0 slave 0 0 0 pubsub 65536 0 0"
        publish(c, 1)
        wait_for("its end", lambda: server.number("client_output_limit_disconnections") == 1)
        slow.rest()
        # What it says can be said to it; 0 is no limit.
        c.call("CONFIG", "SET", LIMITS, get(c, LIMITS))
        c.call("CONFIG", "SET", LIMITS, "pubsub 0 0 0")
        assert get(c, LIMITS) == "normal 0 0 0 slave 0 0 0 pubsub 0 0 0"
        with subscriber(server):
            publish(c, 5000)
            assert server.number("client_output_limit_disconnections") == 1


def the_policy_changes_and_frees_who_waits():
    with relay(PROGRAM, "--threads", "2", "--slow", "block", "--client-output-limit",
               "64K") as server, server.client() as c, subscriber(server):
        assert get(c, "slow") == "block"
        speakers = [server.client() for _ in range(2)]
        threads = [threading.Thread(target=publish, args=(s, 1000), daemon=True)
                   for s in speakers]
        for t in threads:
            t.start()
        wait_for("blocked", lambda: server.number("blocked_clients") == 2)
        c.call("CONFIG", "SET", "slow", "DROP")
        for t in threads:
            t.join(60)
            assert not t.is_alive()
        assert get(c, "slow") == "drop" and server.number("messages_dropped") > 0
        assert server.number("blocked_clients") == 0
        c.call("CONFIG", "SET", "slow", "disconnect")
        # What was dropped may have left room for some.
        publish(c, 200)
        wait_for("its end", lambda: server.number("client_output_limit_disconnections") == 1)


def a_higher_limit_frees_who_waits():
    with relay(PROGRAM, "--threads", "2", "--slow", "block", "--client-output-limit",
               "64K") as server, server.client() as c, subscriber(server):
        speaker = server.client()
        thread = threading.Thread(target=publish, args=(speaker, 1000), daemon=True)
        thread.start()
        wait_for("blocked", lambda: server.number("blocked_clients") == 1)
        c.call("CONFIG", "SET", LIMITS, "pubsub 100mb 0 0")
        thread.join(60)
        assert not thread.is_alive() and server.number("blocked_clients") == 0


def the_password_changes():
    with relay(PROGRAM) as server, server.client() as c, server.client() as old:
        # An answer says that its thread has accepted the connection.
        assert old.call("PING") == b"PONG" and get(c, "requirepass") == ""
        c.call("CONFIG", "SET", "requirepass", "secret")
        # Who is in is in.
        assert old.call("PING") == b"PONG" and get(c, "requirepass") == "secret"
        with server.client() as new:
            for words, wanted in ((["PING"], "NOAUTH"), (["AUTH", "x"], "WRONGPASS")):
                new.send(request(*words))
                assert str(new.value()).startswith(wanted)
            assert new.call("AUTH", "secret") == b"OK" and new.call("PING") == b"PONG"
        with server.client() as new:
            new.send(request("PING"))
            assert "NOAUTH" in str(new.value())
            c.call("CONFIG", "SET", "requirepass", "")
            assert new.call("PING") == b"PONG"
        with server.client() as new:
            assert new.call("PING") == b"PONG"


def all_change_or_none():
    with relay(PROGRAM) as server, server.client() as c:
        before = c.call("CONFIG", "GET", "*")
        assert "must be one of" in refused(c, "requirepass", "x", "slow", "fast")
        assert "duplicate" in refused(c, "slow", "drop", "requirepass", "x", "SLOW", "block")
        assert "immutable" in refused(c, "slow", "drop", "maxmemory", "100mb")
        assert "Unknown option" in refused(c, "slow", "drop", "nosuch", "x")
        assert "no other" in refused(c, "slow", "drop", LIMITS, "pubsub 32mb 8mb 60")
        assert "no other" in refused(c, "slow", "drop", LIMITS, "normal 1mb 0 0")
        assert c.call("CONFIG", "GET", "*") == before
        c.call("CONFIG", "SET", "slow", "drop", LIMITS, "pubsub 1k 0 0", "requirepass", "x")
        assert get(c, "slow") == "drop" and " pubsub 1000 " in get(c, LIMITS)


def settings_change_under_load():
    with relay(PROGRAM, "--threads", "3", "--slow", "block") as server:
        stop = threading.Event()
        listeners = [subscriber(server) for _ in range(3)]

        def speak():
            with server.client() as c:
                while not stop.is_set():
                    publish(c, 1)

        def listen(c):
            try:
                while not stop.is_set():
                    c.more()
                    c.buffer.clear()
            except Exception:
                pass  # it may be closed as too slow, or at the end

        threads = [threading.Thread(target=speak, daemon=True) for _ in range(3)]
        threads += [threading.Thread(target=listen, args=(c,), daemon=True) for c in listeners]
        for t in threads:
            t.start()
        with server.client() as c:
            for n in range(300):
                c.call("CONFIG", "SET", "slow", ("block", "drop", "disconnect")[n % 3], LIMITS,
                       "pubsub %d 0 0" % (1000 << n % 12), "requirepass", ("", "y")[n % 2])
            c.call("CONFIG", "SET", "requirepass", "", "slow", "drop")
        stop.set()
        for t in threads[:3]:
            t.join(30)
            assert not t.is_alive()
        for c in listeners:
            c.close()


def help_names_every_subcommand():
    with relay(PROGRAM) as server, server.client() as c:
        for command in ("CLIENT", "COMMAND", "CONFIG", "PUBSUB"):
            lines = [line.decode() for line in c.call(command, "HELP")]
            assert lines[0].startswith(command + " <subcommand>") and len(lines) % 2 == 1
            info, = c.call("COMMAND", "INFO", command)
            subs = [sub[0].decode().split("|")[1].upper() for sub in info[9]]
            assert [line.split()[0] for line in lines[1::2]] == subs and "HELP" in subs
            assert all(line.startswith("    ") and line.endswith(".") for line in lines[2::2])
        with Client(("127.0.0.1", server.port)) as r:
            r.call("HELLO", "3")
            assert r.call("CLIENT", "HELP") == c.call("CLIENT", "HELP")


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    run_tests([
        the_output_limit_changes,
        the_policy_changes_and_frees_who_waits,
        a_higher_limit_frees_who_waits,
        the_password_changes,
        all_change_or_none,
        settings_change_under_load,
        help_names_every_subcommand,
    ])
