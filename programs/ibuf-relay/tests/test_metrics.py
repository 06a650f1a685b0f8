#!/usr/bin/env python3
"""Scrape ibuf-relay as Prometheus does, and as nobody should.

Usage: test_metrics.py IBUF_RELAY [WORD...]
"""

import contextlib
import http.client
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

from server import free_port, relay, run_tests, wait_for

PROGRAM = None

# How long a scrape may take, and how many may be under way: see metrics.h.
SCRAPE_MAX_S, SCRAPERS = 5, 32

HEAD = re.compile(r"# (HELP|TYPE) (ibuf_relay_[a-z_]+) (.+)")
SAMPLE = re.compile(r'(ibuf_relay_[a-z_]+)(\{[a-z]+="[^"\\]*"\})? (-?[0-9.e+]+)')


@contextlib.contextmanager
def scraped(*options):
    port = free_port()
    with relay(PROGRAM, "--metrics", str(port), "--threads", "2", *options) as server:
        server.metrics = port
        # Clients come in before scrapers do.
        wait_for("a start", lambda: ": ready, " in server.log())
        yield server


def ask(server, method="GET", path="/metrics", **more):
    c = http.client.HTTPConnection("127.0.0.1", server.metrics, timeout=20)
    try:
        c.request(method, path, **more)
        answer = c.getresponse()
        answer.text = answer.read().decode()
        return answer
    finally:
        c.close()


def connect(server):
    return socket.create_connection(("127.0.0.1", server.metrics), 20)


def say(server, data):
    """The first line of what is answered to these bytes."""
    with connect(server) as s:
        s.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while more := s.recv(65536):
                answer += more
        return answer.split(b"\r\n")[0]


def samples(text):
    """Names and labels to numbers; each name is introduced by HELP and TYPE, and only once."""
    types, helps, found, current = {}, set(), {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        head, sample = HEAD.fullmatch(line), SAMPLE.fullmatch(line)
        assert head or sample, line
        if head and head[1] == "HELP":
            assert head[2] not in helps, line
            helps.add(head[2])
            current = head[2]
        elif head:
            assert head[2] == current and head[2] not in types, line
            types[head[2]] = head[3]
        else:
            assert sample[1] == current and current in types, line
            key = sample[1] + (sample[2] or "")
            assert key not in found, line
            found[key] = float(sample[3])
    for name, kind in types.items():
        assert kind == ("counter" if name.endswith("_total") else "gauge"), name
    return found


def metrics(server):
    return samples(ask(server).text)


def what_is_counted_is_shown():
    with scraped() as server, server.client() as a, server.client() as b, server.client() as c:
        a.call("SUBSCRIBE", "x")
        b.call("PSUBSCRIBE", "x*")
        assert c.call("PUBLISH", "x", "y" * 1000) == 2
        a.value()
        b.value()
        m = metrics(server)
        assert m["ibuf_relay_clients"] == 3
        assert m["ibuf_relay_channels"] == m["ibuf_relay_patterns"] == 1
        assert m["ibuf_relay_messages_published_total"] == 1
        assert m["ibuf_relay_messages_delivered_total"] == 2
        assert m["ibuf_relay_messages_dropped_total"] == 0
        assert m["ibuf_relay_received_bytes_total"] > 1000
        assert m["ibuf_relay_sent_bytes_total"] > 2000
        assert m['ibuf_relay_pool_copied_bytes_total{pool="rooms"}'] == 0
        assert m['ibuf_relay_pool_elements{pool="rooms"}'] * 65536 \
            == m["ibuf_relay_memory_rooms_bytes"] < m["ibuf_relay_memory_bytes"]
        assert 0 < m["ibuf_relay_uptime_seconds"] < 100
        assert m['ibuf_relay_build_info{version="%s"}' % server.info()["ibuf_relay_version"]] == 1


def info_and_metrics_tell_the_same():
    """Each number of INFO is among the metrics, and each metric in INFO."""
    with scraped() as server, server.client() as c:
        c.send(b"*x\r\n")
        c.rest()
        info = server.info()
        m = metrics(server)
        said = [v for k, v in info.items()
                if k not in ("redis_version", "redis_mode", "ibuf_relay_version", "process_id",
                             "tcp_port", "io_threads", "uptime_in_seconds", "role",
                             "connected_slaves", "master_failover_state", "master_replid",
                             "master_repl_offset")]
        assert len(said) == len(m) - 2, (len(said), len(m))
        assert m["ibuf_relay_protocol_errors_total"] == int(info["protocol_errors"]) == 1


def the_upstream_is_shown_where_there_is_one():
    def of_upstream(numbers, prefix):
        return [k for k in numbers if k.startswith(prefix)]

    with scraped() as server:
        assert of_upstream(metrics(server), "ibuf_relay_upstream_") == []
    with scraped("--upstream", "redis://127.0.0.1:%d" % free_port()) as server:
        wait_for("a failed try", lambda: server.number("upstream_losses") > 0)
        info, m = server.info(), metrics(server)
        assert m["ibuf_relay_upstream_up"] == m["ibuf_relay_upstream_connects_total"] == 0
        assert m["ibuf_relay_upstream_losses_total"] >= int(info["upstream_losses"])
        # Texts are in INFO alone: state, host, port, last error.
        assert len(of_upstream(info, "upstream_")) - 4 \
            == len(of_upstream(m, "ibuf_relay_upstream_")) - 1


def the_answer_is_proper_http():
    with scraped() as server:
        answer = ask(server)
        assert (answer.status, answer.reason, answer.version) == (200, "OK", 11)
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert int(answer.headers["Content-Length"]) == len(answer.text)
        assert answer.headers["Connection"] == "close" and answer.headers["Date"]
        head = ask(server, "HEAD")
        assert head.status == 200 and head.text == ""
        assert int(head.headers["Content-Length"]) > 1000
        assert ask(server, path="/metrics?x=1").status == 200
        for path in ("/", "/metrics/", "/metricsx", "/metric", "*", "/../metrics"):
            assert ask(server, path=path).status == 404, path
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = ask(server, method, body="x" * 100000 if method == "POST" else None)
            assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD", method


def bad_requests_are_told_so():
    with scraped() as server:
        for data, status in ((b"GET /metrics HTTP/1.0\r\n\r\n", 200),
                             (b"GET /metrics HTTP/1.1\n\n", 200),
                             (b"\r\n\r\n", 400), (b"GET\r\n\r\n", 400),
                             (b"GET /metrics\r\n\r\n", 400),
                             (b"GET  /metrics HTTP/1.1\r\n\r\n", 400),
                             (b"GET /metrics HTTP/1.1 \r\n\r\n", 400),
                             (b"GET /me\0trics HTTP/1.1\r\n\r\n", 400),
                             (b"GET /metrics HTTP/2.0\r\n\r\n", 505),
                             (b"GET /metrics HTTP/1.15\r\n\r\n", 400),
                             (b"GET /metrics FTPX/1.1\r\n\r\n", 400),
                             (b"get /metrics HTTP/1.1\r\n\r\n", 405),
                             (b"\xff\xfe\0\r\n\r\n", 400), (b" GET / HTTP/1.1\r\n\r\n", 400),
                             (b"GET /" + b"x" * 7000 + b" HTTP/1.1\r\n\r\n", 404),
                             (b"x" * 9000, 431), (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000, 431)):
            assert say(server, data).split()[1:2] == [b"%d" % status], (data[:60], status)


def a_question_in_pieces_is_a_question():
    with scraped() as server, connect(server) as s:
        for byte in b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n":
            s.sendall(bytes([byte]))
            time.sleep(0.002)
        assert s.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def who_is_slow_is_closed_and_holds_up_nobody():
    with scraped() as server:
        begin = time.monotonic()
        silent, half, deaf = connect(server), connect(server), connect(server)
        half.sendall(b"GET /metrics HTTP/1.1\r\nHost")
        deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        for _ in range(20):
            assert ask(server).status == 200
        assert time.monotonic() - begin < SCRAPE_MAX_S
        assert silent.recv(1) == half.recv(1) == b""
        assert SCRAPE_MAX_S - 1 < time.monotonic() - begin < SCRAPE_MAX_S + 10
        # Who was answered and says nothing more is let go as well.
        time.sleep(0.5)
        text = b""
        while more := deaf.recv(65536):
            text += more
        assert text.startswith(b"HTTP/1.1 200")
        for s in (silent, half, deaf):
            s.close()


def who_talks_for_ever_is_closed():
    with scraped() as server, connect(server) as s:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        begin = time.monotonic()
        try:
            while time.monotonic() - begin < 30:
                s.sendall(b"x" * 65536)
        except OSError:
            pass
        assert time.monotonic() - begin < 30
        assert ask(server).status == 200


def many_scrapers_make_room_for_the_latest():
    with scraped() as server:
        held = [connect(server) for _ in range(4 * SCRAPERS)]
        assert ask(server).status == 200
        assert held[0].recv(1) == b""
        for s in held:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        failures = []

        def scrape():
            try:
                for _ in range(30):
                    assert len(metrics(server)) > 30
            except Exception as e:
                failures.append(repr(e))

        threads = [threading.Thread(target=scrape) for _ in range(8)]
        for t in threads:
            t.start()
        with server.client() as c:
            for _ in range(500):
                c.call("PUBLISH", "x", "y")
        for t in threads:
            t.join()
        assert not failures, failures[0]


def out_of_descriptors_it_waits_and_does_not_turn_in_circles():
    with scraped() as server:
        pid = server.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (50, 1000))
        clients = [server.client() for _ in range(50)]
        wait_for("no descriptor", lambda: len(os.listdir("/proc/%d/fd" % pid)) == 50)
        with connect(server) as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            before = cpu_seconds(pid)
            time.sleep(1)
            assert cpu_seconds(pid) - before < 0.5
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (1000, 1000))
            assert s.recv(15) == b"HTTP/1.1 200 OK"
        for c in clients:
            c.close()


def fewer_descriptors_than_places_for_scrapers_are_enough():
    with scraped() as server:
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (20, 1000))
        for _ in range(3):
            assert ask(server).status == 200
        before = cpu_seconds(server.pid)
        time.sleep(1)
        assert cpu_seconds(server.pid) - before < 0.5


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def a_port_that_is_taken_is_status_1():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = subprocess.run([PROGRAM, "--port", str(free_port()), "--metrics",
                               str(s.getsockname()[1])], capture_output=True, text=True,
                              timeout=60)
    assert done.returncode == 1 and "cannot listen" in done.stderr


def promtool_has_nothing_to_say():
    if shutil.which("promtool") is None:
        print("       (there is no promtool)")
        return
    with scraped() as server:
        done = subprocess.run(["promtool", "check", "metrics"], input=ask(server).text, text=True,
                              capture_output=True, timeout=60)
        assert done.returncode == 0 and done.stderr + done.stdout == "", done.stderr + done.stdout


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    run_tests([
        what_is_counted_is_shown,
        info_and_metrics_tell_the_same,
        the_upstream_is_shown_where_there_is_one,
        the_answer_is_proper_http,
        bad_requests_are_told_so,
        a_question_in_pieces_is_a_question,
        who_is_slow_is_closed_and_holds_up_nobody,
        who_talks_for_ever_is_closed,
        many_scrapers_make_room_for_the_latest,
        out_of_descriptors_it_waits_and_does_not_turn_in_circles,
        fewer_descriptors_than_places_for_scrapers_are_enough,
        a_port_that_is_taken_is_status_1,
        promtool_has_nothing_to_say,
    ])
