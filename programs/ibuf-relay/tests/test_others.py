"""ibuf-relay when others misbehave: stalled subscribers, a log nobody reads, floods, strangers,
wrong passwords, relays in a circle. What is compared is compared with redis-server or with the
relay itself, not with a clock."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

from server import (Closed, Error, Server, free_port, need_redis_server, redis, relay, request,
                    run_tests, wait_for)

MIB = 1 << 20
PIECE = 100


def cpu(server):
    total = 0
    for thread in os.listdir("/proc/%d/task" % server.pid):
        with open("/proc/%d/task/%s/schedstat" % (server.pid, thread)) as f:
            total += int(f.read().split()[0])
    return total / 1e9


def memory(server, what="VmRSS"):
    with open("/proc/%d/status" % server.pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what)) / 1024


def cost_beside(server, word, topic, publish, stalled, messages=20000):
    """CPU of so many messages to subscribers that do not read, in pieces."""
    clients = []
    for _ in range(stalled):
        clients.append(server.client(receive_buffer=4096))
        clients[-1].call(word, topic)
    piece = request(publish, "room:1", b"x" * 64) * PIECE
    with server.client() as speaker:
        begin = cpu(server)
        for _ in range(messages // PIECE):
            speaker.send(piece)
            for _ in range(PIECE):
                assert speaker.value() == stalled
        used = cpu(server) - begin
    for c in clients:
        c.close()
    return used


def who_does_not_read_costs_no_more_than_with_redis():
    for word, topic, publish in (("SUBSCRIBE", "room:1", "PUBLISH"),
                                 ("PSUBSCRIBE", "room:*", "PUBLISH"),
                                 ("SSUBSCRIBE", "room:1", "SPUBLISH")):
        with redis("--client-output-buffer-limit", "pubsub 0 0 0") as theirs:
            most = 2 * cost_beside(theirs, word, topic, publish, 100)
        for slow in ("disconnect", "drop"):
            with relay(PROGRAM, "--threads", "1", "--slow", slow) as ours:
                used = cost_beside(ours, word, topic, publish, 100)
                assert used < most, (word, slow, used, most)


def a_client_with_channel_and_patterns_hears_them_in_turn():
    with relay(PROGRAM, "--threads", "1") as server:
        with server.client() as c, server.client() as other, server.client() as speaker:
            c.call("SUBSCRIBE", "ab")
            for pattern in ("a*", "*b"):
                c.send(request("PSUBSCRIBE", pattern))
                c.value()
            other.call("PSUBSCRIBE", "a*")
            speaker.send(b"".join(request("PUBLISH", "ab", str(n)) for n in range(100)))
            for n in range(100):
                m = str(n).encode()
                assert [c.value() for _ in range(3)] == [
                    [b"message", b"ab", m], [b"pmessage", b"a*", b"ab", m],
                    [b"pmessage", b"*b", b"ab", m]]
                assert other.value() == [b"pmessage", b"a*", b"ab", m]
                assert speaker.value() == 4


def more_patterns_than_bits_are_served_too():
    patterns = [b"c" + b"?" * (n % 2) + b"*" * n for n in range(2, 72)]
    with relay(PROGRAM, "--threads", "1") as server, server.client() as c:
        for pattern in patterns:
            c.send(request("PSUBSCRIBE", pattern))
            c.value()
        with server.client() as speaker:
            assert speaker.call("PUBLISH", "cd", "x") == len(set(patterns))
        heard = {c.value()[1] for _ in set(patterns)}
        assert heard == set(patterns)


def memory_is_given_back_and_counted():
    with relay(PROGRAM, "--threads", "2") as server:
        slow = server.client(receive_buffer=4096)
        slow.call("SUBSCRIBE", "c")
        before = memory(server)
        with server.client() as speaker:
            for _ in range(25):
                assert speaker.call("PUBLISH", "c", b"z" * MIB) == 1
            taken = memory(server) - before
            assert taken > 20
            used = server.number("used_memory") / MIB
            assert abs(used - taken) < 0.2 * taken, (used, taken)
            slow.close()
            wait_for("less memory", lambda: memory(server) < 16, 12)
            parts = {k: int(v) for k, v in server.info().items() if k.startswith("used_memory_")}
            parts.pop("used_memory_peak")
            assert abs(sum(parts.values()) - server.number("used_memory")) < MIB


def short_of_memory_it_still_answers():
    with relay(PROGRAM, "--threads", "2", "--max-memory", "16M") as server:
        slow = [server.client(receive_buffer=4096) for _ in range(4)]
        for c in slow:
            c.call("SUBSCRIBE", "c")
        speaker = server.client()
        speaker.socket.setblocking(False)
        end = time.monotonic() + 3
        data, at = request("PUBLISH", "c", b"z" * 50000) * 20, 0
        while time.monotonic() < end:
            try:
                at = (at + speaker.socket.send(data[at:])) % len(data)
            except BlockingIOError:
                time.sleep(0.01)
            begin = time.monotonic()
            with server.client() as c:
                assert c.call("PING") == b"PONG"
                c.call("INFO")
            assert time.monotonic() - begin < 1
        assert memory(server, "VmHWM") < 16 + 32
        speaker.close()


def a_log_that_nobody_reads_holds_nobody_up():
    with tempfile.TemporaryDirectory() as folder:
        out, into = os.pipe()
        port = free_port()
        process = subprocess.Popen([PROGRAM, "--port", str(port)], stderr=into)
        os.close(into)
        server = Server.__new__(Server)
        server.port, server.process, server.pid = port, process, process.pid
        wait_for("the relay", lambda: not_refused(port))
        for _ in range(400):
            with server.client() as c:
                c.send(b"POST / HTTP/1.1\r\n\r\n")
                c.rest()
        with server.client() as c:
            assert c.call("PING") == b"PONG"
        assert server.number("log_lines_dropped") > 100
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        os.close(out)
        # A file, which SIGHUP opens again.
        path = os.path.join(folder, "log")
        with relay(PROGRAM, "--log-file", path) as server:
            wait_for("the log", lambda: "ready" in open(path).read())
            os.rename(path, path + ".1")
            server.process.send_signal(signal.SIGHUP)
            wait_for("the file", lambda: os.path.exists(path))
        with open(path) as f:
            assert "ended" in f.read()
        with open(path + ".1") as f:
            assert "ready" in f.read()


def not_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    except OSError:
        return False


def doors_are_kept():
    with tempfile.TemporaryDirectory() as folder:
        path, secret = os.path.join(folder, "s"), os.path.join(folder, "p")
        with open(secret, "w") as f:
            f.write("open sesame\nmore\n")
        with relay(PROGRAM, "--unix", path, "--unix-perm", "600", "--maxclients", "3",
                   "--timeout", "1", "--password-file", secret) as server:
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            with server.client() as c:
                c.send(request("AUTH", "wrong") * 3 + request("AUTH", "open sesame"))
                begin = time.monotonic()
                assert all(isinstance(c.value(), Error) for _ in range(3))
                assert c.value() == b"OK"
                assert time.monotonic() - begin > 0.5
                c.send(request("SUBSCRIBE", "c"))
                c.value()
                others = [server.client() for _ in range(2)]
                with server.client() as one_more:
                    assert one_more.rest() == b"-ERR max number of clients reached\r\n"
                # They said nothing; who has subscribed need not.
                for other in others:
                    assert other.rest() == b""
                assert c.is_quiet()


def a_guess_on_each_connection_slows_the_address():
    with relay(PROGRAM, "--bind", "0.0.0.0", "--requirepass", "x") as server:
        with server.client() as inside:
            assert inside.call("AUTH", "x") == b"OK"
            begin = time.monotonic()
            for n in range(14):
                with server.client() as c:
                    c.send(request("AUTH", str(n)))
                    assert isinstance(c.value(), Error)
                if n == 9:
                    # As many as a program that was told an old one may say.
                    assert time.monotonic() - begin < 2
            assert time.monotonic() - begin > 2.5
            # Who is in does not notice, nor does another address.
            begin = time.monotonic()
            assert inside.call("PING") == b"PONG"
            with socket.create_connection(("127.0.0.1", server.port), 5,
                                          ("127.0.0.2", 0)) as s:
                s.sendall(request("AUTH", "x"))
                assert s.recv(100) == b"+OK\r\n"
            assert time.monotonic() - begin < 0.5
            with server.client() as c:
                assert c.call("AUTH", "x") == b"OK"


def strangers_of_other_machines_stay_out():
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.connect(("192.0.2.1", 9))
        address = own.getsockname()[0]
    except OSError:
        print("skipped: this machine has no other address")
        return
    for options, answer in (([], b"-DENIED "), (["--protected-mode=no"], b"+PONG"),
                            (["--requirepass", "x"], b"-NOAUTH ")):
        with relay(PROGRAM, "--bind", "0.0.0.0", *options) as server:
            with socket.create_connection((address, server.port), 5) as s:
                s.sendall(b"PING\r\n")
                assert s.recv(1000).startswith(answer), options


def relays_in_a_circle_are_refused():
    ports = [free_port(), free_port()]
    with tempfile.TemporaryDirectory() as folder:
        servers = [Server([PROGRAM, "--port", str(ports[i]), "--upstream",
                           "redis://127.0.0.1:%d" % ports[1 - i]], ports[i],
                          os.path.join(folder, str(i))) for i in range(2)]
        try:
            wait_for("the loop", lambda: any(" loop" in s.log() for s in servers), 20)
            with servers[0].client() as c, servers[1].client() as d:
                for speaker in (c, d):
                    speaker.send(request("PUBLISH", "c", "x"))
                    speaker.value()
            time.sleep(0.5)
            assert sum(s.number("messages_published") for s in servers) < 10
        finally:
            for s in servers:
                s.process.send_signal(signal.SIGTERM)
            for s in servers:
                assert s.process.wait(20) == 0


def scripts_are_refused_with_a_way_out():
    with relay(PROGRAM) as server, server.client() as c:
        c.send(request("EVAL", "return 1", "0"))
        assert b"MULTI and EXEC" in c.line()


def a_cluster_client_finds_one_node():
    with relay(PROGRAM) as server, server.client() as c:
        me = c.call("CLUSTER", "MYID")
        assert len(me) == 40
        assert c.call("CLUSTER", "SLOTS") == [[0, 16383, [b"127.0.0.1", server.port, me, []]]]
        assert c.call("CLUSTER", "KEYSLOT", "foo") == 12182
        shards = c.call("CLUSTER", "SHARDS")
        assert shards[0][1] == [0, 16383]


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    need_redis_server()
    run_tests([who_does_not_read_costs_no_more_than_with_redis,
               a_client_with_channel_and_patterns_hears_them_in_turn,
               more_patterns_than_bits_are_served_too,
               memory_is_given_back_and_counted, short_of_memory_it_still_answers,
               a_log_that_nobody_reads_holds_nobody_up, doors_are_kept,
               a_guess_on_each_connection_slows_the_address,
               strangers_of_other_machines_stay_out, relays_in_a_circle_are_refused,
               scripts_are_refused_with_a_way_out, a_cluster_client_finds_one_node])
