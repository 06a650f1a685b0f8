#!/usr/bin/env python3
"""Clients that others wrote, pointed at ibuf-relay: redis-cli, redis-benchmark, those of Python and
Node. What is not installed is left out, and that is said.

Usage: test_clients.py IBUF_RELAY [WORD...]
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import redis
except ImportError:
    redis = None

from server import Client, need, relay, run_tests, wait_for

PROGRAM = None


def cli(server, *words, text=None, options=()):
    done = subprocess.run(["redis-cli", "-p", str(server.port), *options, *words], input=text,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def redis_cli_asks_and_is_answered():
    with relay(PROGRAM, "--threads", "2") as server:
        assert cli(server, "PING") == "PONG\n"
        assert cli(server, "ECHO", "a b") == "a b\n"
        assert cli(server, "GET", "x").startswith("ERR unknown command 'GET'")
        assert "redis_version:7" in cli(server, "INFO")
        assert "proto\n3\n" in cli(server, "HELLO", options=("-3",)).replace("proto 3", "proto\n3")
        assert cli(server, "PUBLISH", "c", "x") == "0\n"
        assert cli(server, text="PING\nECHO x\nHELP PUBLISH\n").startswith("PONG\nx\n")


def redis_cli_says_the_password():
    with relay(PROGRAM, "--requirepass", "secret") as server:
        assert "NOAUTH" in cli(server, "PING")
        assert cli(server, "PING", options=("--no-auth-warning", "-a", "secret")) == "PONG\n"
        assert cli(server, "PING", options=("--no-auth-warning", "-3", "--user", "default",
                                            "--pass", "secret")) == "PONG\n"
        # The harness asks for nothing more: INFO would need the password.


def redis_cli_subscribes():
    with relay(PROGRAM, "--threads", "2") as server:
        for options in ([], ["-3"]):
            listener = subprocess.Popen(
                ["redis-cli", "-p", str(server.port), *options, "SUBSCRIBE", "news"],
                stdout=subprocess.PIPE, text=True)
            with server.client() as c:
                wait_for("the subscriber",
                         lambda: c.call("PUBSUB", "NUMSUB", "news") == [b"news", 1])
            for n in range(10):
                assert cli(server, "PUBLISH", "news", "hello %d" % n) == "1\n"
            said = ""
            while "hello 9" not in said:
                said += listener.stdout.readline()
            assert all("hello %d\n" % n in said.replace('"', "") for n in range(10)), said
            listener.terminate()
            listener.wait()
            listener.stdout.close()


def redis_cli_over_a_unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sock")
        with relay(PROGRAM, "--unix", path) as server:
            wait_for("the relay", lambda: "ready" in server.log())
            done = subprocess.run(["redis-cli", "-s", path, "PING"], capture_output=True,
                                  text=True, timeout=60)
            assert done.stdout == "PONG\n"


def benchmark(server, *words):
    done = subprocess.run(["redis-benchmark", "-p", str(server.port), "--csv", *words],
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0 and "rror" not in done.stdout + done.stderr, done.stderr
    assert '"' in done.stdout, done.stdout


def redis_benchmark_runs():
    with relay(PROGRAM, "--threads", "2") as server:
        benchmark(server, "-t", "ping", "-n", "5000")
        with server.client() as c:
            c.send(b"SUBSCRIBE ch\r\n")
            c.value()
            benchmark(server, "-n", "5000", "-c", "20", "PUBLISH", "ch", "hello")
            benchmark(server, "-n", "5000", "-P", "16", "-3", "PUBLISH", "ch", "y" * 3000)
            # It sends some more than it says.
            n = server.number("messages_published")
            assert 10000 <= n < 10200
            said = [c.value()[2] for _ in range(n)]
            assert said == sorted(said) and set(said) == {b"hello", b"y" * 3000}


def python_subscribes_and_publishes():
    if redis is None:
        print("left out: there is no redis for Python")
        return
    with relay(PROGRAM, "--threads", "2", "--requirepass", "secret") as server:
        speaker = redis.Redis(port=server.port, password="secret", client_name="python")
        assert speaker.ping() and speaker.client_getname() == "python"
        listener = speaker.pubsub(ignore_subscribe_messages=True)
        listener.subscribe("news", "large")
        listener.psubscribe("n*")
        # Says something itself only when it is read.
        wait_for("the subscription", lambda: listener.get_message(timeout=0.1) is None and
                 speaker.pubsub_numsub("news", "large") == [(b"news", 1), (b"large", 1)] and
                 speaker.pubsub_numpat() == 1)
        pipeline = speaker.pipeline(transaction=False)
        for i in range(200):
            pipeline.publish("news", i)
        assert pipeline.execute() == [2] * 200
        large = os.urandom(3 << 20)
        assert speaker.publish("large", large) == 1
        said = listener.listen()
        for i in range(200):
            assert next(said)["data"] == next(said)["data"] == b"%d" % i
        assert next(said)["data"] == large

        # One that is killed is told, and comes back with what it had subscribed to.
        killed = [c["id"] for c in speaker.client_list() if c["sub"] != "0"]
        assert len(killed) == 1 and speaker.client_kill_filter(_id=killed[0]) == 1
        with contextlib.suppress(redis.ConnectionError):
            while True:
                listener.get_message(timeout=1)
        wait_for("the second connection", lambda: listener.get_message(timeout=0.1) is None and
                 speaker.pubsub_numsub("news") == [(b"news", 1)])
        assert speaker.publish("news", "again") == 2
        assert {next(said)["type"], next(said)["type"]} == {"message", "pmessage"}
        info = speaker.info()
        assert info["messages_published"] == 202 and info["connected_clients"] == 2
        with contextlib.suppress(redis.ResponseError):
            speaker.get("key")
            raise AssertionError("GET was answered")
        try:
            redis.Redis(port=server.port).ping()
            raise AssertionError("nobody asked for the password")
        except redis.AuthenticationError:
            pass
        listener.close()
        speaker.close()


def node_subscribes_and_publishes():
    # Where Debian has the modules; another Node does not look there by itself.
    env = dict(os.environ, NODE_PATH="/usr/share/nodejs:" + os.environ.get("NODE_PATH", ""))
    if shutil.which("node") is None or \
            subprocess.run(["node", "-e", "require('redis')"], env=env,
                           stderr=subprocess.DEVNULL).returncode != 0:
        print("left out: there is no redis for Node")
        return
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client.js")
    with relay(PROGRAM, "--threads", "2") as server:
        done = subprocess.run(["node", script, str(server.port)], env=env, capture_output=True,
                              text=True, timeout=200)
        assert done.stdout == "all is well\n", done.stdout + done.stderr


if __name__ == "__main__":
    PROGRAM = sys.argv[1]
    need("redis-cli", "redis-benchmark")
    run_tests([redis_cli_asks_and_is_answered, redis_cli_says_the_password,
               redis_cli_subscribes, redis_cli_over_a_unix_socket, redis_benchmark_runs,
               python_subscribes_and_publishes, node_subscribes_and_publishes])
