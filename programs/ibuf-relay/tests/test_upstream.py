#!/usr/bin/env python3
"""ibuf-relay in front of redis-server, of a cluster, and of servers that misbehave.

Usage: test_upstream.py IBUF_RELAY [WORD...]
"""

import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

from server import (Client, Closed, Error, Server, free_port, need, need_redis_server, redis,
                    redis_server, relay, request, run_tests, wait_for)

PROGRAM = None
MIB = 1 << 20
PATIENCE = 5


class Redis:
    """A redis-server that can be killed and started again on its port."""

    def __init__(self, folder, *options, port=None):
        self.port, self.server = port or free_port(), None
        self.folder = os.path.join(folder, str(self.port))
        os.mkdir(self.folder)
        self.options = options

    def start(self):
        self.server = Server(["redis-server", "--port", str(self.port), "--save", "",
                              "--appendonly", "no", "--dir", self.folder, *self.options],
                             self.port, os.path.join(self.folder, "log"), redis_server())
        return self

    def kill(self):
        if self.server:
            self.server.kill()
            self.server = None

    def call(self, *words):
        with self.server.client() as c:
            return c.call(*words)


@contextlib.contextmanager
def servers(*options, count=1):
    """So many of them, not started yet."""
    with tempfile.TemporaryDirectory() as folder:
        all_of_them = [Redis(folder, *options) for _ in range(count)]
        try:
            yield all_of_them if count > 1 else all_of_them[0]
        finally:
            for r in all_of_them:
                r.kill()


def url(*servers_or_ports, secret=""):
    ports = [getattr(s, "port", s) for s in servers_or_ports]
    return "redis://" + secret + ",".join("127.0.0.1:%d" % p for p in ports)


def is_up(server):
    return server.info()["upstream_state"] == "connected"


def wait_until_up(server):
    wait_for("the upstream", lambda: is_up(server))


@contextlib.contextmanager
def relay_of(*upstream, options=(), secret="", waits=True):
    with relay(PROGRAM, "--threads", "2", "--upstream", url(*upstream, secret=secret),
               *options) as server:
        if waits:
            wait_until_up(server)
        yield server


def subscribe(server, *names, word="SUBSCRIBE", resp=2):
    c = server.client()
    if resp == 3:
        c.call("HELLO", "3")
    c.send(request(word, *names))
    for name in names:
        assert c.value()[1] == name.encode()
    return c


def error_of(c, *words):
    c.send(request(*words))
    value = c.value()
    assert isinstance(value, Error), value
    return str(value)


# Ordinary days.

def each_subscriber_hears_each_message_once():
    with redis() as upstream, relay_of(upstream) as server:
        listeners = []
        for resp in (2, 3):
            listeners += [(subscribe(server, "news", resp=resp), [b"message", b"news"]),
                          (subscribe(server, "n*", word="PSUBSCRIBE", resp=resp),
                           [b"pmessage", b"n*", b"news"]),
                          (subscribe(server, "?ews", word="PSUBSCRIBE", resp=resp),
                           [b"pmessage", b"?ews", b"news"])]
        shard = subscribe(server, "news", word="SSUBSCRIBE")
        with upstream.client() as far, server.client() as near:
            for speaker in (far, near):
                # One connection with a channel and two patterns.
                assert speaker.call("PUBLISH", "news", "hello") == 3
                assert speaker.call("SPUBLISH", "news", "shard") == 1
                assert speaker.call("PUBLISH", "other", "x") == 0
                for c, words in listeners:
                    assert c.value() == words + [b"hello"]
                assert shard.value() == [b"smessage", b"news", b"shard"]
        for c, _ in listeners + [(shard, None)]:
            assert c.is_quiet(0.1)


def a_client_with_channel_and_pattern_hears_both():
    with redis() as upstream, relay_of(upstream) as server:
        c = subscribe(server, "a")
        c.send(request("PSUBSCRIBE", "*"))
        c.value()
        with server.client() as speaker:
            assert speaker.call("PUBLISH", "a", "x") == 2
        said = sorted([c.value(), c.value()])
        assert said == [[b"message", b"a", b"x"], [b"pmessage", b"*", b"a", b"x"]]
        assert c.is_quiet()


def the_upstream_is_asked_for_what_clients_want_and_no_more():
    with redis() as upstream, relay_of(upstream) as server, upstream.client() as far:
        def wanted():
            return (sorted(far.call("PUBSUB", "CHANNELS")), far.call("PUBSUB", "NUMPAT"),
                    sorted(far.call("PUBSUB", "SHARDCHANNELS")))

        assert wanted() == ([], 0, [])
        a = subscribe(server, "one", "two")
        b = subscribe(server, "two", "three")
        p = subscribe(server, "x*", word="PSUBSCRIBE")
        s = subscribe(server, "s", word="SSUBSCRIBE")
        assert wanted() == ([b"one", b"three", b"two"], 1, [b"s"])
        assert far.call("PUBSUB", "NUMSUB", "two") == [b"two", 1]
        info = server.info()
        assert (info["upstream_channels"], info["upstream_patterns"],
                info["upstream_shard_channels"]) == ("3", "1", "1")
        a.close()
        wait_for("the end of one", lambda: wanted()[0] == [b"three", b"two"])
        b.send(request("UNSUBSCRIBE", "two"))
        b.value()
        p.send(request("RESET"))
        s.close()
        wait_for("the end of all but three", lambda: wanted() == ([b"three"], 0, []))
        assert server.number("upstream_channels") == 1


def who_is_told_that_he_has_subscribed_hears_all_from_then_on():
    with redis() as upstream, relay_of(upstream) as server, upstream.client() as far:
        for n in range(300):
            with server.client() as c:
                word, speak = (("SUBSCRIBE", "PUBLISH"), ("SSUBSCRIBE", "SPUBLISH"))[n % 2]
                c.send(request(word, "c%d" % (n % 7)))
                c.value()
                assert far.call(speak, "c%d" % (n % 7), n) == 1
                assert c.value()[2] == b"%d" % n


def subscribing_and_leaving_again_and_again_ends_where_it_should():
    with redis() as upstream, relay_of(upstream) as server, upstream.client() as far:
        def churn(seed):
            chance = random.Random(seed)
            with server.client() as c:
                c.call("HELLO", "3")
                for _ in range(400):
                    name = chance.choice("abc")
                    c.send(request(chance.choice(("SUBSCRIBE", "UNSUBSCRIBE")), name))
                c.send(request("PING"))
                while c.value() != b"PONG":
                    pass

        def churn_all():
            threads = [threading.Thread(target=churn, args=(i,)) for i in range(4)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()

        keeper = subscribe(server, "b")
        churn_all()
        wait_for("what is still wanted", lambda: far.call("PUBSUB", "CHANNELS") == [b"b"])
        assert far.call("PUBLISH", "b", "last") == 1
        assert keeper.value() == [b"message", b"b", b"last"]
        assert server.number("upstream_losses") == 0


def answers_come_in_the_order_of_the_requests():
    with redis() as upstream, relay_of(upstream) as server, server.client() as c:
        c.call("HELLO", "3")
        c.send(request("SUBSCRIBE", "mine"))
        assert c.value() == [b"subscribe", b"mine", 1]
        for _ in range(50):
            c.send(request("PUBLISH", "other", "x") + request("ECHO", "1") +
                   request("PUBLISH", "mine", "y") + request("ECHO", "2") +
                   request("SUBSCRIBE", "new") + request("PING") +
                   request("UNSUBSCRIBE", "new") + request("ECHO", "3"))
            said = [c.value() for _ in range(9)]
            assert [b"message", b"mine", b"y"] in said, said
            said.remove([b"message", b"mine", b"y"])
            assert said == [0, b"1", 1, b"2", [b"subscribe", b"new", 2], b"PONG",
                            [b"unsubscribe", b"new", 1], b"3"], said


def who_says_no_more_is_still_answered():
    with redis() as upstream, relay_of(upstream) as server, server.client() as c:
        c.send(request("PUBLISH", "a", "x") * 100)
        c.socket.shutdown(socket.SHUT_WR)
        assert c.rest() == b":0\r\n" * 100
        with server.client() as d:
            d.send(request("PUBLISH", "a", "x") + request("QUIT"))
            assert d.rest() == b":0\r\n+OK\r\n"


def two_relays_are_one():
    messages = 1000
    with redis() as upstream, relay_of(upstream) as left, relay_of(upstream) as right:
        listeners = [subscribe(r, "c", resp=2 + i % 2) for r in (left, right) for i in range(3)]
        speakers = [left.client(), right.client()]
        for n in range(0, messages, 50):
            for me, c in enumerate(speakers):
                c.send(b"".join(request("PUBLISH", "c", "%d %d" % (me, i))
                                for i in range(n, n + 50)))
        for c in speakers:
            assert [c.value() for _ in range(messages)] == [2] * messages
        orders = []
        for c in listeners:
            orders.append([c.value()[2] for _ in range(2 * messages)])
            for me in (0, 1):
                mine = [m for m in orders[-1] if m.startswith(b"%d " % me)]
                assert mine == [b"%d %d" % (me, n) for n in range(messages)]
        # Redis has given them one order, which is everybody's.
        assert all(o == orders[0] for o in orders)


def nothing_is_copied_on_the_way():
    with redis() as upstream, relay_of(upstream) as server:
        listeners = [subscribe(server, "c", resp=2 + i % 2) for i in range(20)]
        with server.client() as speaker:
            for payload in (b"", b"x", b"y" * 1000, b"z" * 70000, b"w" * (3 * MIB), b"\r\n\0"):
                assert speaker.call("PUBLISH", "c", payload) == 1
                for c in listeners:
                    assert c.value()[2] == payload
        info = server.info()
        assert info["pool_rooms_copied_bytes"] == "0", info
        assert info["pool_replies_copied_bytes"] == "0", info


def odd_names_and_sloppy_requests_go_through():
    with redis() as upstream, relay_of(upstream) as server, server.client() as near:
        for name in (b"", b"\r\n", b"a\0b", b"x" * 70000, b"{}", b"\xff"):
            c = server.client()
            c.send(request("SUBSCRIBE", name))
            assert c.value() == [b"subscribe", name, 1]
            assert near.call("PUBLISH", name, "m") == 1
            assert c.value() == [b"message", name, b"m"]
            c.close()
        c = subscribe(server, "c")
        near.send(b"PUBLISH c 'a b'\r\n*3\rX$7\rYPUBLISHxy$1\r\nc\r\n$2\r\nhiXY")
        assert (near.value(), near.value()) == (1, 1)
        assert (c.value()[2], c.value()[2]) == (b"a b", b"hi")


# Passwords and lists of hosts.

def passwords_are_said():
    with redis("--requirepass", "p@ss:w/,%") as upstream:
        for secret in (":p@ss:w/,%25@", "default:p%40ss:w%2f,%25@"):
            with relay_of(upstream, secret=secret) as server, server.client() as c:
                assert c.call("PUBLISH", "a", "x") == 0


def a_wrong_password_is_told_and_nothing_more_happens():
    with redis("--requirepass", "secret") as upstream:
        for secret in ("", ":wrong@"):
            with relay_of(upstream, secret=secret, waits=False) as server:
                wait_for("an error", lambda: server.info()["upstream_last_error"])
                time.sleep(0.5)
                info = server.info()
                assert info["upstream_state"] != "connected"
                assert "WRONGPASS" in server.log() or "NOAUTH" in server.log()
                assert "wrong" not in server.log()
                # With back-off there were a few tries, no storm of them.
                assert 1 <= int(info["upstream_losses"]) < 10, info


def wrong_urls_are_one_line_and_status_2():
    for text in ("", "redis:", "redis://", "rediss://a", "http://a", "redis://a:0",
                 "redis://a:65536", "redis://a:x", "redis://a,", "redis://,a", "redis://a/1",
                 "redis://[::1", "redis://[]:1", "redis://[::1]x", "redis://secret@a",
                 "redis://:%4@a", "redis://:%zz@a", "redis://:%00@a", "redis://:secret@",
                 "redis://" + "a" * 300, "redis://" + ",".join(["a"] * 17),
                 "redis://:" + "s" * 300 + "@a"):
        done = subprocess.run([PROGRAM, "--upstream", text], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 2, text
        assert done.stderr.count("\n") == 1 and "--upstream takes" in done.stderr, done.stderr
        assert "secret" not in done.stderr


def of_several_hosts_the_first_that_answers_is_taken():
    with servers(count=3) as (a, b, c):
        b.start()
        with relay_of(a, b, c) as server:
            listener = subscribe(server, "x")
            assert server.info()["upstream_port"] == str(b.port)
            c.start()
            b.kill()
            wait_for("the next", lambda: is_up(server) and
                     server.info()["upstream_port"] == str(c.port))
            wait_for("x", lambda: c.call("PUBLISH", "x", "hello") == 1)
            assert listener.value() == [b"message", b"x", b"hello"]


def names_are_looked_up():
    with redis() as upstream:
        with relay(PROGRAM, "--upstream", "redis://localhost:%d" % upstream.port) as server:
            wait_until_up(server)
        with relay(PROGRAM, "--upstream", "redis://no.such.invalid,localhost:%d/0" %
                   upstream.port) as server:
            wait_until_up(server)


def a_replica_is_not_the_one_to_publish_to():
    with servers(count=2) as (replica, master):
        master.start()
        replica.start()
        replica.call("REPLICAOF", "127.0.0.1", str(master.port))
        with relay_of(replica, master) as server:
            assert server.info()["upstream_port"] == str(master.port)
            # When it is made a master, and the other a replica, we follow.
            replica.call("REPLICAOF", "NO", "ONE")
            master.call("REPLICAOF", "127.0.0.1", str(replica.port))
            wait_for("the other", lambda: is_up(server) and
                     server.info()["upstream_port"] == str(replica.port))
        # A replica that is the only one was meant.
        wait_for("its master", lambda: b"master_link_status:up" in
                 master.call("INFO", "replication"))
        with relay_of(master) as server:
            listener = subscribe(server, "c")
            assert replica.call("PUBLISH", "c", "x") == 0
            assert listener.value() == [b"message", b"c", b"x"]


# Outages.

def a_restart_of_the_upstream_is_survived():
    with servers() as upstream:
        upstream.start()
        with relay_of(upstream) as server, server.client() as near:
            listeners = [subscribe(server, "c"), subscribe(server, "c*", word="PSUBSCRIBE"),
                         subscribe(server, "s", word="SSUBSCRIBE")]
            upstream.kill()
            wait_for("the end", lambda: not is_up(server))
            assert server.number("upstream_channels") == 0
            # What is published now waits, and who subscribes too.
            near.send(request("PUBLISH", "c", "early") + request("SPUBLISH", "s", "early"))
            late = server.client()
            late.send(request("SUBSCRIBE", "late"))
            assert near.is_quiet() and late.is_quiet(0.1)
            assert server.number("upstream_waiting") == 2
            upstream.start()
            assert (near.value(), near.value()) == (2, 1)
            assert late.value() == [b"subscribe", b"late", 1]
            assert upstream.call("PUBLISH", "late", "x") == 1
            assert late.value() == [b"message", b"late", b"x"]
            for c, words in zip(listeners, ([b"message", b"c"], [b"pmessage", b"c*", b"c"],
                                            [b"smessage", b"s"])):
                assert c.value() == words + [b"early"]
                assert c.is_quiet(0.05)
            info = server.info()
            assert info["upstream_connects"] == "2" and info["upstream_waiting"] == "0", info
            assert "is lost" in server.log() and server.log().count("is ready") == 2


def an_upstream_that_is_not_there_at_first_is_waited_for():
    with servers() as upstream, relay_of(upstream, waits=False) as server:
        c, near = server.client(), server.client()
        c.send(request("SUBSCRIBE", "c") + request("SSUBSCRIBE", "s"))
        near.send(request("PUBLISH", "c", "x") + request("SPUBLISH", "s", "y"))
        assert c.is_quiet(0.5) and near.is_quiet(0)
        upstream.start()
        assert [c.value() for _ in range(4)] == [
            [b"subscribe", b"c", 1], [b"ssubscribe", b"s", 1],
            [b"message", b"c", b"x"], [b"smessage", b"s", b"y"]]
        assert (near.value(), near.value()) == (1, 1)


def patience_ends():
    with servers() as upstream, relay_of(upstream, waits=False) as server:
        with server.client() as c, server.client() as near:
            begin = time.monotonic()
            c.send(request("SUBSCRIBE", "c"))
            assert "not published" in error_of(near, "PUBLISH", "c", "x")
            assert c.value() == [b"subscribe", b"c", 1]
            assert PATIENCE - 2 < time.monotonic() - begin < PATIENCE + 3
            begin = time.monotonic()
            assert "not published" in error_of(near, "PUBLISH", "c", "x")
            c.send(request("SUBSCRIBE", "d"))
            assert c.value() == [b"subscribe", b"d", 2]
            assert time.monotonic() - begin < 1
            upstream.start()
            wait_until_up(server)
            wait_for("c", lambda: near.call("PUBLISH", "c", "y") == 1)
            assert c.value() == [b"message", b"c", b"y"]


def what_waits_is_bounded():
    with servers() as upstream, relay_of(upstream, waits=False) as server:
        clients = [server.client() for _ in range(5)]
        for c in clients:
            c.send(request("PUBLISH", "c", b"x" * (10 * MIB)))
        wait_for("what waits", lambda: server.number("upstream_waiting") == 3)
        wait_for("errors", lambda: server.number("upstream_errors") == 2)
        upstream.start()
        answers = [c.value() for c in clients]
        assert answers.count(0) == 3, answers
        assert all("too much waits" in str(a) for a in answers if a != 0)


def publishers_survive_an_upstream_that_comes_and_goes():
    with servers() as upstream:
        upstream.start()
        with relay_of(upstream) as server:
            listener = subscribe(server, "c")
            heard, said = [], []

            def speak():
                with server.client() as c:
                    for n in range(3000):
                        c.send(request("PUBLISH", "c", n))
                        said.append(c.value())
                        time.sleep(0.001)

            def listen():
                with contextlib.suppress(Closed, OSError):
                    while True:
                        heard.append(int(listener.value()[2]))

            threads = [threading.Thread(target=f) for f in (speak, listen)]
            for t in threads:
                t.start()
            for _ in range(3):
                time.sleep(0.5)
                upstream.kill()
                time.sleep(0.2)
                upstream.start()
            threads[0].join()
            good = [n for n, answer in enumerate(said) if answer == 1]
            wait_for("all that were published", lambda: len(heard) >= len(good))
            listener.socket.shutdown(socket.SHUT_RDWR)
            threads[1].join()
            # All that was answered with 1 was heard, in order, once.
            assert heard == sorted(set(heard)) and set(good) <= set(heard)
            errors = [a for a in said if isinstance(a, Error)]
            assert len(errors) <= 3 and all("not known" in str(e) for e in errors), errors
            assert len(good) > 2900


# Servers that misbehave.

HELLO = (b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n"
         b":3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n"
         b"$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n")


class Fake:
    """Accepts, and does with each connection what it is told to, in turn."""

    def __init__(self, *scripts):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.scripts, self.sockets = list(scripts), []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(s)
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            threading.Thread(target=self.serve, args=(script, s), daemon=True).start()

    def serve(self, script, s):
        with contextlib.suppress(OSError, Closed):
            script(s)
        s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for s in self.sockets:
            s.close()


def requests_of(s):
    """What the relay says, as lists of words."""
    c = Client.__new__(Client)
    c.socket, c.buffer, c.at = s, bytearray(), 0
    while True:
        yield c.value()


def good(s, answer=b":1\r\n"):
    """As good as a Redis, for who does not ask for much."""
    for words in requests_of(s):
        if words[0] == b"HELLO":
            s.sendall(HELLO)
        elif words[0].endswith(b"SUBSCRIBE"):
            s.sendall(b">3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in
                                           (words[0].lower(), words[1])) + b":1\r\n")
        else:
            s.sendall(answer)


def says(data, then=b""):
    def script(s):
        for words in requests_of(s):
            s.sendall(HELLO if words[0] == b"HELLO" and not then else data)
            if then or words[0] != b"HELLO":
                break
        s.sendall(then)
        time.sleep(0.05)
    return script


def nonsense_is_no_redis():
    nonsense = [b"\0", b"\r\n", b"\n\n\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n",
                b":1\r\n", b"$-1\r\n", b"_\r\n", b"*0\r\n", b"%0\r\n", b"%1\r\n:1\r\n:2\r\n",
                b">0\r\n", b"*-5\r\n", b"%99999999999\r\n", b"$99999999999\r\n", b"*x\r\n",
                b"$1\r\nxyz\r\n", b"-ERR unknown command 'HELLO'\r\n", b"x" * 200000,
                b"*1000000\r\n" * 3, b"*1\r\n" * 5000, b"%2\r\n$4\r\nmode\r\n", HELLO[:-3],
                b"|1\r\n+a\r\n+b\r\n", b"$?\r\n", b">4\r\n$7\r\nmessage\r\n" * 2,
                HELLO.replace(b"$10\r\nstandalone", b"$8\r\nsentinel"),
                random.Random(3).randbytes(10000)]
    for data in nonsense:
        def bad(s, data=data):
            s.recv(1000)
            s.sendall(data)
            time.sleep(0.02)

        with Fake(bad, good) as fake, relay_of(fake) as server:
            info = server.info()
            assert info["upstream_losses"] == "1" and info["upstream_connects"] == "1", data
            assert info["upstream_last_error"], data


def nonsense_after_a_good_beginning_is_lost_and_told():
    message = b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nhello\r\n"
    nonsense = [b":1\r\n:2\r\n", b">3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n", message[:-1],
                message[:20], message.replace(b"$5", b"$99"), b">2\r\n$7\r\nmessage\r\n$1\r\nc\r\n",
                b">3\r\n$7\r\nmessage\r\n:1\r\n:2\r\n", b">3\r\n:1\r\n:2\r\n:3\r\n", b"garbage",
                b">3\r\n$12\r\nsunsubscribe\r\n$1\r\nc\r\n:0\r\n:7\r\n:7\r\n",
                message.replace(b"hello\r\n", b"helloXY"), b"$5\r\nhello\r\n", b"*1\r\n:1\r\n",
                b">3\r\n$9\r\nsubscribe\r\n*0\r\n:1\r\n"]
    for data in nonsense:
        def bad(s, data=data):
            for words in requests_of(s):
                if words[0] == b"HELLO":
                    s.sendall(HELLO)
                elif words[0] == b"SUBSCRIBE":
                    s.sendall(b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n" + message)
                else:
                    s.sendall(data)
                    time.sleep(0.02)
                    return

        with Fake(bad, good) as fake, relay_of(fake) as server, server.client() as near:
            c = subscribe(server, "c")
            assert c.value() == [b"message", b"c", b"hello"]
            near.send(request("PUBLISH", "a", "x"))
            near.value()
            wait_for("another try", lambda: server.number("upstream_connects") == 2)
            assert near.call("PUBLISH", "a", "x") == 1
            # Nothing that was not whole was told to anybody.
            assert c.is_quiet(0.05), data


def an_unanswered_publish_is_an_error_and_said_once():
    said = []

    def deaf(s):
        for words in requests_of(s):
            if words[0] == b"HELLO":
                s.sendall(HELLO)
            else:
                said.append(words[2])
                time.sleep(0.1)
                return

    def keeps(s):
        for words in requests_of(s):
            if words[0] == b"PUBLISH":
                said.append(words[2])
            s.sendall(HELLO if words[0] == b"HELLO" else b":5\r\n")

    with Fake(deaf, keeps) as fake, relay_of(fake) as server, server.client() as c:
        assert "not known" in error_of(c, "PUBLISH", "c", "one")
        assert c.call("PUBLISH", "c", "two") == 5
        assert said == [b"one", b"two"]
        assert server.number("upstream_errors") == 1


def what_was_not_sent_whole_is_sent_again():
    payload = random.Random(1).randbytes(24 * MIB)
    heard = []

    def stops(s):
        """Reads the beginning of a publish and dies."""
        s.recv(1000)
        s.sendall(HELLO)
        s.recv(1000)
        time.sleep(0.2)

    def keeps(s):
        for words in requests_of(s):
            if words[0] == b"PUBLISH":
                heard.append(words[2])
            s.sendall(HELLO if words[0] == b"HELLO" else b":5\r\n")

    with Fake(stops, keeps) as fake, relay_of(fake) as server, server.client() as c:
        assert c.call("PUBLISH", "c", payload) == 5
        assert heard == [payload]
        assert server.number("upstream_errors") == 0


def an_upstream_that_falls_silent_is_given_up():
    def silent(s):
        for words in requests_of(s):
            if words[0] == b"HELLO":
                s.sendall(HELLO)
                break
        time.sleep(60)

    with Fake(silent, good) as fake, relay_of(fake) as server, server.client() as c:
        begin = time.monotonic()
        assert "not known" in error_of(c, "PUBLISH", "c", "x")
        assert 8 < time.monotonic() - begin < 20
        wait_until_up(server)
        assert c.call("PUBLISH", "c", "y") == 1


def a_refused_subscription_is_told_and_holds_nobody_up():
    def refuses(s):
        for words in requests_of(s):
            s.sendall(HELLO if words[0] == b"HELLO" else b"-NOPERM not you\r\n")

    with Fake(refuses) as fake, relay_of(fake) as server:
        first = subscribe(server, "c")
        assert server.info()["upstream_last_error"] == "NOPERM not you"
        # Nobody asks for it again.
        subscribe(server, "c").close()
        first.close()
        with server.client() as near:
            assert error_of(near, "PUBLISH", "c", "x") == "NOPERM not you"


def sigterm_waits_for_what_is_in_flight():
    def slow(s):
        for words in requests_of(s):
            if words[0] == b"PUBLISH":
                time.sleep(1)
            s.sendall(HELLO if words[0] == b"HELLO" else b":7\r\n")

    with Fake(slow) as fake:
        with relay_of(fake) as server:
            c = server.client()
            c.send(request("PUBLISH", "c", "x"))
            wait_for("it", lambda: server.number("upstream_in_flight") == 1)
            assert server.stop() == 0
            assert c.rest() == b":7\r\n"

    def never(s):
        for words in requests_of(s):
            if words[0] == b"HELLO":
                s.sendall(HELLO)

    with Fake(never) as fake:
        with relay_of(fake) as server:
            c = server.client()
            c.send(request("PUBLISH", "c", "x"))
            wait_for("it", lambda: server.number("upstream_in_flight") == 1)
            begin = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begin < 8
            assert b"not known" in c.rest()


# Limits.

def a_message_larger_than_the_memory_does_not_stop_the_others():
    with redis() as upstream, relay_of(upstream, options=("--max-memory", "4M")) as server:
        c = subscribe(server, "c", "small")
        with upstream.client() as far:
            far.call("PUBLISH", "c", b"x" * (20 * MIB))
            wait_for("another try", lambda: server.number("upstream_connects") == 2)
            wait_for("both", lambda: server.number("upstream_channels") == 2)
            assert far.call("PUBLISH", "small", "y") == 1
            assert c.value() == [b"message", b"small", b"y"]
        assert "no memory" in server.log()


def slow_subscribers_are_closed_as_ever():
    with redis() as upstream, \
            relay_of(upstream, options=("--client-output-limit", "1M")) as server:
        slow, quick = subscribe(server, "c"), subscribe(server, "c")
        with upstream.client() as far:
            for n in range(200):
                far.call("PUBLISH", "c", b"%06d" % n + b"x" * 100000)
                assert quick.value()[2].startswith(b"%06d" % n)
        assert server.number("client_output_limit_disconnections") == 1
        slow.close()


def publishers_upstream_cannot_be_blocked():
    done = subprocess.run([PROGRAM, "--slow", "block", "--upstream", "redis://a"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "cannot be made to wait" in done.stderr
    with redis() as upstream, relay_of(upstream) as server, server.client() as c:
        assert "cannot be made to wait" in error_of(c, "CONFIG", "SET", "slow", "block")
        assert c.call("CONFIG", "SET", "slow", "drop") == b"OK"


def publishers_that_run_ahead_are_held_back():
    with redis() as upstream, \
            relay_of(upstream, options=("--client-output-limit", "1M")) as server:
        c = server.client()

        def speak():
            for _ in range(300):
                c.send(request("PUBLISH", "c", b"x" * 100000) * 2)

        t = threading.Thread(target=speak)
        t.start()
        for _ in range(600):
            assert c.value() == 0
        t.join()


# A cluster.

def cluster_port():
    """One whose other port, 10000 higher, is free too."""
    while True:
        port = random.randrange(20000, 30000)
        with contextlib.suppress(OSError), socket.socket() as a, socket.socket() as b:
            a.bind(("127.0.0.1", port))
            b.bind(("127.0.0.1", port + 10000))
            return port


@contextlib.contextmanager
def cluster(*options):
    with tempfile.TemporaryDirectory() as folder:
        nodes = [Redis(folder, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                       "--cluster-require-full-coverage", "no", *options, port=cluster_port())
                 for _ in range(3)]
        try:
            for node in nodes:
                node.start()
            done = subprocess.run(["redis-cli", "--cluster", "create",
                                   *["127.0.0.1:%d" % n.port for n in nodes], "--cluster-yes"],
                                  capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            wait_for("the cluster", lambda: all(
                b"cluster_state:ok" in n.call("CLUSTER", "INFO") and
                len(n.call("CLUSTER", "SLOTS")) == 3 for n in nodes))
            yield nodes
        finally:
            for node in nodes:
                node.kill()


def owner_of(nodes, name):
    slot = nodes[0].call("CLUSTER", "KEYSLOT", name)
    for first, last, (_, port, *_), *_ in nodes[0].call("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return slot, next(n for n in nodes if n.port == port)
    raise AssertionError("nobody has " + name)


def shard_channels_are_at_home_in_a_cluster():
    names = ["a", "b", "c", "{user}.x", "x{user}", "{}{user}", "{", "}{", "foo{{bar}}", ""] + \
        ["n%d" % i for i in range(20)]
    with cluster() as nodes, relay_of(nodes[0]) as server:
        listeners = {name: subscribe(server, name, word="SSUBSCRIBE") for name in names}
        plain = subscribe(server, "plain")
        pattern = subscribe(server, "pl*", word="PSUBSCRIBE")
        assert len({owner_of(nodes, name)[1] for name in names}) == 3
        with server.client() as near:
            for name in names:
                _, owner = owner_of(nodes, name)
                assert owner.call("SPUBLISH", name, "far") == 1
                assert near.call("SPUBLISH", name, "near") == 1
                assert [listeners[name].value()[2] for _ in range(2)] == [b"far", b"near"]
                assert listeners[name].is_quiet(0)
            assert near.call("PUBLISH", "plain", "x") == 2
            nodes[2].call("PUBLISH", "plain", "y")
            for c in (plain, pattern):
                assert (c.value()[-1], c.value()[-1]) == (b"x", b"y")
                assert c.is_quiet(0.05)
        info = server.info()
        assert info["upstream_shard_channels"] == str(len(names)), info
        assert info["upstream_errors"] == "0" and info["upstream_losses"] == "0"


def is_published(c, *words):
    c.send(request(*words))
    value = c.value()
    assert value in (0, 1) or str(value).startswith("MOVED "), value
    return value in (0, 1)


def a_slot_that_moves_is_followed():
    with cluster() as nodes, relay_of(nodes[0]) as server, server.client() as near:
        listener = subscribe(server, "news", word="SSUBSCRIBE")
        for n in range(3):
            slot, old = owner_of(nodes, "news")
            new = nodes[(nodes.index(old) + 1) % 3]
            ident = new.call("CLUSTER", "MYID")
            for node in (new, old, *(x for x in nodes if x not in (new, old))):
                node.call("CLUSTER", "SETSLOT", slot, "NODE", ident)
            # Published at once it is sent on, unless the nodes still differ on who the owner is;
            # heard when the new owner knows us.
            wait_for("an owner", lambda: is_published(near, "SPUBLISH", "news", "at once"))
            wait_for("the move", lambda: new.call("PUBSUB", "SHARDNUMSUB", "news") == [b"news", 1])
            assert new.call("SPUBLISH", "news", "far %d" % n) == 1
            assert near.call("SPUBLISH", "news", "near %d" % n) == 1
            said = [listener.value()[2]]
            if said == [b"at once"]:
                said = [listener.value()[2]]
            said.append(listener.value()[2])
            assert said == [b"far %d" % n, b"near %d" % n], said
            assert listener.is_quiet(0.1)
            wait_for("the old one", lambda: old.call("PUBSUB", "SHARDCHANNELS") == [])


def a_node_that_dies_and_comes_back_is_survived():
    with cluster() as nodes, relay_of(*nodes) as server, server.client() as near:
        names = ["n%d" % i for i in range(10)]
        listeners = {name: subscribe(server, name, word="SSUBSCRIBE") for name in names}
        plain = subscribe(server, "plain")
        victim = nodes[0]
        mine = [name for name in names if owner_of(nodes, name)[1] is victim]
        others = [name for name in names if name not in mine]
        assert mine and others
        # It had the main link, too.
        assert server.info()["upstream_port"] == str(victim.port)
        victim.kill()
        wait_for("another node", lambda: is_up(server) and
                 server.info()["upstream_port"] != str(victim.port))
        wait_for("plain", lambda: near.call("PUBLISH", "plain", "x") == 1)
        assert plain.value() == [b"message", b"plain", b"x"]
        for name in others:
            assert near.call("SPUBLISH", name, "x") == 1
            assert listeners[name].value()[2] == b"x"
        # Its own channels wait for it.
        near.send(request("SPUBLISH", mine[0], "x"))
        assert near.is_quiet(0.2)
        victim.start()
        assert near.value() == 1
        assert listeners[mine[0]].value()[2] == b"x"
        for name in mine:
            wait_for(name, lambda: near.call("SPUBLISH", name, "y") == 1)


def the_nodes_that_a_dead_seed_named_are_tried():
    with cluster() as nodes, relay_of(nodes[0]) as server, server.client() as near:
        plain = subscribe(server, "plain")
        for n in range(2):
            victim = next(x for x in nodes if str(x.port) == server.info()["upstream_port"])
            victim.kill()
            wait_for("a node that is in no list", lambda: is_up(server) and
                     server.info()["upstream_port"] != str(victim.port))
            said = b"%d" % n
            wait_for("plain", lambda: near.call("PUBLISH", "plain", said) == 1)
            assert plain.value() == [b"message", b"plain", said]
            victim.start()
            wait_for("the node", lambda: len(victim.call("CLUSTER", "SLOTS")) == 3)


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    need_redis_server()
    need("redis-cli")
    run_tests([
        each_subscriber_hears_each_message_once,
        a_client_with_channel_and_pattern_hears_both,
        the_upstream_is_asked_for_what_clients_want_and_no_more,
        who_is_told_that_he_has_subscribed_hears_all_from_then_on,
        subscribing_and_leaving_again_and_again_ends_where_it_should,
        answers_come_in_the_order_of_the_requests,
        who_says_no_more_is_still_answered,
        two_relays_are_one,
        nothing_is_copied_on_the_way,
        odd_names_and_sloppy_requests_go_through,
        passwords_are_said,
        a_wrong_password_is_told_and_nothing_more_happens,
        wrong_urls_are_one_line_and_status_2,
        of_several_hosts_the_first_that_answers_is_taken,
        names_are_looked_up,
        a_replica_is_not_the_one_to_publish_to,
        a_restart_of_the_upstream_is_survived,
        an_upstream_that_is_not_there_at_first_is_waited_for,
        patience_ends,
        what_waits_is_bounded,
        publishers_survive_an_upstream_that_comes_and_goes,
        nonsense_is_no_redis,
        nonsense_after_a_good_beginning_is_lost_and_told,
        an_unanswered_publish_is_an_error_and_said_once,
        what_was_not_sent_whole_is_sent_again,
        an_upstream_that_falls_silent_is_given_up,
        a_refused_subscription_is_told_and_holds_nobody_up,
        sigterm_waits_for_what_is_in_flight,
        a_message_larger_than_the_memory_does_not_stop_the_others,
        slow_subscribers_are_closed_as_ever,
        publishers_upstream_cannot_be_blocked,
        publishers_that_run_ahead_are_held_back,
        shard_channels_are_at_home_in_a_cluster,
        a_slot_that_moves_is_followed,
        a_node_that_dies_and_comes_back_is_survived,
        the_nodes_that_a_dead_seed_named_are_tried,
    ])
